/* The engine and the store under a made-up clock and made-up workers: jobs end whatever order things happen in, and a power
 * cut at any moment loses no file and joins no wrong bytes.  A failing run prints its seed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "world.h"

#define SEEDS (getenv("FERRY_LONG") != NULL ? 60u : 12u) /* ./check --long: more */
#define STEPS_MAX 20000
#define FILES 20

static void run_to_end(struct world *world, int64_t row, enum job_state end)
{
	unsigned steps = 0;

	while (world_state(world, row) != end) {
		assert_true(steps++ < STEPS_MAX);
		assert_true(world_step(world));
	}
}

/* A client whose resume failed, or was not answered before the power went, asks again. */
static void insist(struct world *world, int64_t row)
{
	if (world->resumed != RESULT_OK && world->resumed != WORLD_NO_ANSWER)
		world_resume(world, row);
}

static void check_files(const struct world *world, unsigned crashes)
{
	assert_false(world->wrong);
	for (unsigned i = 0; i < FILES; i++) {
		const struct world_file *file = &world->files[i];

		assert_true(file->published >= 1 && file->published <= 1 + crashes);
		assert_int_equal(file->synced, file->size);
	}
}

static void engine__job_without_trouble__ends_acknowledged(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		struct world world;

		print_message("seed %llu\n", (unsigned long long)seed);
		world_begin(&world, seed);
		world_hello(&world);
		run_to_end(&world, world_submit(&world, FILES, true), JOB_ACKNOWLEDGED);
		check_files(&world, 0);
		for (unsigned i = 0; i < FILES; i++)
			assert_int_equal(world.files[i].fetched, world.files[i].size);
		world_end(&world);
	}
}

static void engine__power_cuts_at_any_moment__every_file_lands_once_whole(void **state)
{
	unsigned left = 0;

	(void)state;
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		struct world world;
		unsigned crashes = 0, steps = 0, lain = 0;
		int64_t row;

		print_message("seed %llu\n", (unsigned long long)seed);
		world_begin(&world, seed);
		world_hello(&world);
		row = world_submit(&world, FILES, true);
		while (world_state(&world, row) != JOB_ACKNOWLEDGED) {
			assert_true(steps++ < STEPS_MAX);
			lain = world.lying_count > lain ? world.lying_count : lain;
			if (crashes < 10 && world_random(&world, 15) == 0) {
				world_crash(&world);
				crashes++;
				world_hello(&world);
			}
			insist(&world, row);
			assert_true(world_step(&world));
		}
		check_files(&world, crashes);
		/* Whatever names went with the power: the next job that comes to the folder leaves nothing there. */
		world_crash(&world);
		world_hello(&world);
		world.first_file = FILES;
		row = world_submit(&world, 1, true);
		world_settle(&world);
		assert_int_equal(world_state(&world, row), JOB_ACKNOWLEDGED);
		left += lain;
		assert_int_equal(world.lying_count, 0);
		world_end(&world);
	}
	assert_true(left > 0); /* or nothing was shown */
}

/* Step until the name of a job's second file, which was made under it, waits for a commit. */
static void begin_waiting(struct world *world)
{
	world_begin(world, 1);
	world->settings.transfer_files_active_per_job_max = 1;
	world->first_file = 1;
	world->files[2].stuck = true;
	world_hello(world);
	(void)world_submit(world, 2, true);
	while (world->files[2].partial[0] == '\0')
		assert_true(world_step(world));
	assert_true(store_can_wait(world->store));
}

/* The name that the file has in the world, as the store has it after the power went. */
static bool is_known_after_a_crash(struct world *world)
{
	char partial[FILE_PARTIAL_BYTES_MAX];
	struct fault fault = { 0 };
	bool known = false;

	memcpy(partial, world->files[2].partial, sizeof(partial));
	world_crash(world);
	assert_int_equal(store_partial_exists(world->store, partial, &known, &fault), RESULT_OK);
	return known;
}

static void engine__power_goes_while_a_name_waits_for_a_commit__it_is_forgotten(void **state)
{
	struct world world;

	(void)state;
	begin_waiting(&world);
	assert_false(is_known_after_a_crash(&world));
	assert_int_equal(world.lying_count, 1);
	world_end(&world);
}

/* Where nobody would look for it; world_worker.c holds every order to open one against that. */
static void engine__folder_on_another_machine__a_name_is_committed_before_it_is_made(void **state)
{
	struct world world;

	(void)state;
	world_begin(&world, 1);
	world.settings.transfer_files_active_per_job_max = 1;
	world.first_file = 1;
	world.remote = true;
	world_crash(&world); /* begun anew, with such paths */
	world_hello(&world);
	run_to_end(&world, world_submit(&world, 4, true), JOB_ACKNOWLEDGED);
	assert_false(world.wrong);
	world_end(&world);
}

static void engine__nothing_more_happens__what_waits_is_committed_soon(void **state)
{
	struct world world;

	(void)state;
	begin_waiting(&world);
	world_wait(&world, 1);
	assert_false(store_can_wait(world.store));
	assert_true(is_known_after_a_crash(&world));
	world_end(&world);
}

static void engine__client_is_answered__what_it_could_see_is_committed(void **state)
{
	struct world world;

	(void)state;
	begin_waiting(&world);
	world_hello(&world);
	assert_false(store_can_wait(world.store));
	assert_true(is_known_after_a_crash(&world));
	world_end(&world);
}

static void engine__turn_fails_after_one_that_waited__both_are_undone_and_nothing_is_left(void **state)
{
	struct world world;
	int64_t row;

	(void)state;
	begin_waiting(&world);
	strcpy(world.lying[world.lying_count++], world.files[2].partial);
	world.files[2].partial[0] = '\0';
	world.files[2].stuck = false;
	world.break_turn = true;
	world_hello(&world);
	world_settle(&world);
	world.first_file = 3;
	row = world_submit(&world, 1, true);
	world_settle(&world);
	assert_int_equal(world_state(&world, row), JOB_ACKNOWLEDGED);
	assert_int_equal(world.lying_count, 0);
	assert_false(world.wrong);
	world_end(&world);
}

static void engine__commits_fail_at_any_moment__every_file_lands_and_no_handle_stays_open(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		struct world world;
		unsigned breaks = 0, steps = 0;
		int64_t row;

		print_message("seed %llu\n", (unsigned long long)seed);
		world_begin(&world, seed);
		world.real_handles = true;
		world_hello(&world);
		row = world_submit(&world, FILES, true);
		while (world_state(&world, row) != JOB_ACKNOWLEDGED) {
			assert_true(steps++ < STEPS_MAX);
			if (breaks < 10 && world_random(&world, 15) == 0) {
				world.break_turn = true;
				breaks++;
			}
			insist(&world, row);
			assert_true(world_step(&world));
		}
		check_files(&world, breaks);
		world_end(&world); /* of handles that are left the sanitizer tells */
	}
}

static void engine__syncs_fail_at_any_moment__nothing_lost_is_recorded_or_published(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		struct world world;
		unsigned failures = 0, steps = 0;
		int64_t row;

		print_message("seed %llu\n", (unsigned long long)seed);
		world_begin(&world, seed);
		world_hello(&world);
		row = world_submit(&world, FILES, true);
		while (world_state(&world, row) != JOB_ACKNOWLEDGED) {
			assert_true(steps++ < STEPS_MAX);
			if (failures < 30 && world_random(&world, 5) == 0) {
				world.files[world_random(&world, FILES)].fail_next_sync = true;
				failures++;
			}
			assert_true(world_step(&world));
		}
		check_files(&world, 0);
		world_end(&world);
	}
}

static void engine__owner_does_not_return__job_waits(void **state)
{
	struct world world;
	int64_t row;

	(void)state;
	world_begin(&world, 1);
	world_hello(&world);
	row = world_submit(&world, FILES, true);
	for (int i = 0; i < 20; i++)
		assert_true(world_step(&world));
	world_crash(&world);
	while (world_step(&world))
		assert_int_equal(world_state(&world, row), JOB_QUEUED);
	world_hello(&world);
	run_to_end(&world, row, JOB_ACKNOWLEDGED);
	check_files(&world, 1);
	world_end(&world);
}

static void engine__transient_failure__job_tries_again_by_itself(void **state)
{
	struct world world;
	int64_t row, before;

	(void)state;
	world_begin(&world, 2);
	world_hello(&world);
	world.files[7].fail_next_fetch = RESULT_CONNECTION_CLOSED;
	row = world_submit(&world, FILES, false);
	run_to_end(&world, row, JOB_TRANSIENT_ERROR);
	before = world.mono_ms;
	run_to_end(&world, row, JOB_TRANSFERRED);
	assert_true(world.mono_ms > before);
	assert_false(world.wrong);
	world_end(&world);
}

/* What the server asks for holds whatever the job's own delay, and the job says until when. */
static void engine__server_asks_to_stay_away__job_does_and_says_until_when(void **state)
{
	struct world world;
	struct job_status status;

	(void)state;
	for (uint32_t asked_s = 1; asked_s <= 900; asked_s *= 30) {
		world_begin(&world, asked_s);
		world_hello(&world);
		world.files[0].fail_next_fetch = RESULT_HTTP_TRANSIENT;
		world.files[0].retry_after_s = asked_s;
		int64_t row = world_submit(&world, 1, true);

		run_to_end(&world, row, JOB_TRANSIENT_ERROR);
		world_job(&world, row, &status);
		int64_t left_ms = status.job.next_try_ms - world.wall_ms;

		assert_int_equal(status.wait, JOB_WAIT_RETRY);
		assert_true(left_ms >= (int64_t)asked_s * 1000 - 1 && left_ms <= (int64_t)asked_s * 1100 + 1);
		world_wait(&world, asked_s - 1);
		assert_int_equal(world_state(&world, row), JOB_TRANSIENT_ERROR);
		world_settle(&world);
		assert_int_equal(world_state(&world, row), JOB_ACKNOWLEDGED);
		world_end(&world);
	}
}

/* It cannot be asked again in time: the job says so now, not after its patience. */
static void engine__server_asks_for_more_than_the_job_has__fails_at_once(void **state)
{
	struct world world;
	struct job_status status;

	(void)state;
	world_begin(&world, 1);
	world_hello(&world);
	world.files[0].fail_next_fetch = RESULT_HTTP_TRANSIENT;
	world.files[0].retry_after_s = 121;
	int64_t row = world_create(&world, &(struct world_order){ .files = 1 });

	assert_int_equal(world_set(&world, row, PROPERTY_NO_PROGRESS_TIMEOUT,
	                           &(struct job_properties){ .no_progress_timeout_s = 120 }), RESULT_OK);
	world_resume(&world, row);
	run_to_end(&world, row, JOB_ERROR);
	world_job(&world, row, &status);
	assert_int_equal(status.job.error.result, RESULT_NO_PROGRESS);
	assert_true(world.mono_ms < 10000);
	world_end(&world);
}

static void engine__fatal_failure__job_waits_in_error(void **state)
{
	struct world world;
	int64_t row;

	(void)state;
	world_begin(&world, 3);
	world_hello(&world);
	world.files[3].fail_next_fetch = RESULT_HTTP_STATUS;
	row = world_submit(&world, FILES, true);
	run_to_end(&world, row, JOB_ERROR);
	while (world_step(&world))
		assert_int_equal(world_state(&world, row), JOB_ERROR);
	world_end(&world);
}

static void engine__partial_file_exchanged__job_fails_and_a_resume_fetches_it_again(void **state)
{
	struct world world;
	int64_t row;

	(void)state;
	world_begin(&world, 7);
	world_hello(&world);
	row = world_submit(&world, 1, true);
	while (world.files[0].synced == 0)
		assert_true(world_step(&world));
	world_crash(&world);
	world.files[0].exchanged = true;
	world_hello(&world);
	run_to_end(&world, row, JOB_ERROR);
	world_resume(&world, row);
	run_to_end(&world, row, JOB_ACKNOWLEDGED);
	assert_false(world.wrong);
	assert_int_equal(world.files[0].published, 1);
	world_end(&world);
}

static void engine__server_that_never_answers_well__job_ends_in_no_progress(void **state)
{
	struct world world;
	struct job_status status;
	struct fault fault = { 0 };
	int64_t row, begun;

	(void)state;
	world_begin(&world, 4);
	world_hello(&world);
	begun = world.wall_ms;
	row = world_submit(&world, 1, true);
	world_set(&world, row, PROPERTY_NO_PROGRESS_TIMEOUT, &(struct job_properties){ .no_progress_timeout_s = 600 });
	while (world_state(&world, row) != JOB_ERROR) {
		world.files[0].fail_next_fetch = RESULT_CONNECTION_CLOSED;
		assert_true(world_step(&world));
	}
	assert_int_equal(engine_job_get(world.engine, row, &status, &fault), RESULT_OK);
	assert_int_equal(status.job.error.result, RESULT_NO_PROGRESS);
	assert_in_range(world.wall_ms - begun, 600 * 1000, 601 * 1000); /* the last try was made then, and not later */
	world_end(&world);
}

static void engine__job_beyond_its_maximum_time__ends_in_error_when_it_is_over(void **state)
{
	struct world world;
	struct job_status status;
	struct fault fault = { 0 };
	int64_t row, begun;

	(void)state;
	world_begin(&world, 5);
	world_hello(&world);
	begun = world.mono_ms;
	row = world_submit(&world, 1, true);
	world_set(&world, row, PROPERTY_MAX_TIME, &(struct job_properties){ .max_time_s = 100 });
	world.files[0].stuck = true;
	while (world_state(&world, row) != JOB_ERROR)
		assert_true(world_step(&world));
	assert_int_equal(engine_job_get(world.engine, row, &status, &fault), RESULT_OK);
	assert_int_equal(status.job.error.result, RESULT_MAX_TIME);
	assert_in_range(world.mono_ms - begun, 100 * 1000, 101 * 1000);
	world_end(&world);
}

static void engine__higher_level_comes__takes_the_slot_and_gives_it_back(void **state)
{
	struct world world;
	int64_t low, high;

	(void)state;
	world_begin(&world, 6);
	world.settings.queue_background_jobs_max = 1;
	world_hello(&world);
	low = world_submit(&world, FILES, true);
	world_set(&world, low, PROPERTY_PRIORITY, &(struct job_properties){ .priority = JOB_LOW });
	while (world_state(&world, low) != JOB_TRANSFERRING)
		assert_true(world_step(&world));
	world.first_file = FILES;
	high = world_submit(&world, 3, true);
	while (world.resumed == WORLD_NO_ANSWER)
		assert_true(world_step(&world));
	assert_int_equal(world_state(&world, low), JOB_QUEUED);
	while (world_state(&world, high) != JOB_ACKNOWLEDGED) {
		assert_int_not_equal(world_state(&world, low), JOB_TRANSFERRING);
		assert_true(world_step(&world));
	}
	run_to_end(&world, low, JOB_ACKNOWLEDGED);
	assert_false(world.wrong);
	world_end(&world);
}

static int64_t submit_and_wait(struct world *world, uint32_t count)
{
	int64_t row = world_submit(world, count, true);

	while (world->resumed == WORLD_NO_ANSWER)
		assert_true(world_step(world));
	return row;
}

static void engine__destination_that_cannot_be_written__resume_is_refused_and_changes_nothing(void **state)
{
	struct world world;
	struct job_status before, after;
	struct fault fault = { 0 };

	(void)state;
	world_begin(&world, 7);
	world.settings.queue_exempt_files_per_job_max = 1000; /* more than one order asks about */
	world.settings.queue_files_per_job_max = 1000;
	world.denied = "/sim/150";
	world_hello(&world);
	int64_t row = submit_and_wait(&world, 200);
	assert_int_equal(world.resumed, RESULT_DENIED);
	assert_string_equal(world.refusal, "files[150].path: /sim/150");
	assert_int_equal(engine_job_get(world.engine, row, &before, &fault), RESULT_OK);
	assert_int_equal(before.job.state, JOB_SUSPENDED);
	assert_int_equal(before.job.error.result, RESULT_OK);
	world.mono_ms += 1000;
	world.wall_ms += 1000;
	world_resume(&world, row);
	while (world.resumed == WORLD_NO_ANSWER)
		assert_true(world_step(&world));
	assert_int_equal(engine_job_get(world.engine, row, &after, &fault), RESULT_OK);
	assert_int_equal(after.job.modified_ms, before.job.modified_ms);
	world.denied = "";
	world_resume(&world, row);
	run_to_end(&world, row, JOB_ACKNOWLEDGED);
	world_end(&world);
}

static void engine__owner_is_absent__resume_is_granted_unseen(void **state)
{
	struct world world;

	(void)state;
	world_begin(&world, 8);
	world.denied = "/sim/0";
	int64_t row = submit_and_wait(&world, 1);
	assert_int_equal(world.resumed, RESULT_OK);
	assert_int_equal(world_state(&world, row), JOB_QUEUED);
	world_end(&world);
}

static void engine__lease_is_over__job_is_cancelled_swept_and_told(void **state)
{
	struct world world;
	struct job_status status;
	struct fault fault = { 0 };
	const int64_t hour_s = 3600;

	(void)state;
	world_begin(&world, 9);
	assert_int_equal(world.settings.queue_lease_s, 90 * 24 * 3600);
	world.settings.queue_lease_s = 48 * 3600;
	world_hello(&world);
	int64_t row = world_submit(&world, 1, false);
	run_to_end(&world, row, JOB_TRANSFERRED);
	assert_true(world.files[0].synced > 0);
	world_wait(&world, 47 * hour_s);
	world_set(&world, row, 0, &(struct job_properties){ 0 }); /* renewed */
	world_wait(&world, 47 * hour_s);
	assert_int_equal(world_state(&world, row), JOB_TRANSFERRED);
	world_wait(&world, 2 * hour_s);
	assert_int_equal(engine_job_get(world.engine, row, &status, &fault), RESULT_OK);
	assert_int_equal(status.job.state, JOB_CANCELLED);
	assert_int_equal(status.job.work, JOB_WORK_NONE);
	assert_int_equal(status.job.error.result, RESULT_LEASE_OVER);
	assert_int_equal(world.files[0].synced, 0);
	assert_int_equal(world_events(&world, EVENT_JOB_EXPIRED), 1);
	world_end(&world);
}

static void engine__short_lease_of_a_jobs_own__ends_to_the_second(void **state)
{
	struct world world;

	(void)state;
	world_begin(&world, 10);
	int64_t row = submit_and_wait(&world, 1); /* its owner is absent: it waits */
	world_set(&world, row, PROPERTY_LEASE, &(struct job_properties){ .lease_s = 7200 });
	world_wait(&world, 7199);
	assert_int_equal(world_state(&world, row), JOB_QUEUED);
	world_wait(&world, 1);
	assert_int_equal(world_state(&world, row), JOB_CANCELLED);
	world_end(&world);
}

/* A machine that starts with its clock a year ahead, until somebody corrects it. */
static void engine__wall_clock_jumps__costs_no_job_its_lease(void **state)
{
	struct world world;
	const int64_t year_ms = 365 * (int64_t)24 * 3600 * 1000;

	(void)state;
	world_begin(&world, 11);
	int64_t row = submit_and_wait(&world, 1);
	world_wait(&world, 100000);
	world.wall_ms += year_ms;
	world_wait(&world, 3000);
	assert_int_equal(world_state(&world, row), JOB_QUEUED);
	world.wall_ms -= year_ms;
	world_wait(&world, 100000);
	assert_int_equal(world_state(&world, row), JOB_QUEUED);
	/* The same at a start. */
	world.wall_ms += year_ms;
	world_crash(&world);
	world_wait(&world, 3000);
	assert_int_equal(world_state(&world, row), JOB_QUEUED);
	world_wait(&world, 4000); /* it stays so: then it is the time */
	assert_int_equal(world_state(&world, row), JOB_CANCELLED);
	world_end(&world);
}

static void engine__partial_files_without_a_job__are_removed_once_a_job_comes_by(void **state)
{
	static const char orphan[] = ".ferry-5ea5ea5ea5ea5ea5-0123456789abcdef0123456789abcdef.part";
	static const char *const others[] = { ".ferry-5ea5ea5ea5ea5ea5-0123456789abcdef0123456789abcdeg.part",
		                                  ".ferry-5ea5ea5ea5ea5ea5-0123456789abcdef0123456789abcdef.par",
		                                  ".ferry-5ea5ea5ea5ea5ea5-" };
	struct world world;

	(void)state;
	world_begin(&world, 12);
	for (unsigned i = 0; i < 3; i++)
		strcpy(world.lying[world.lying_count++], others[i]);
	strcpy(world.lying[world.lying_count++], orphan);
	world_hello(&world);
	run_to_end(&world, world_submit(&world, FILES, true), JOB_ACKNOWLEDGED);
	while (world_step(&world))
		;
	assert_int_equal(world.lying_count, 3);
	for (unsigned i = 0; i < 3; i++)
		assert_string_not_equal(world.lying[i], orphan);
	assert_int_equal(world_events(&world, EVENT_ORPHANS_REMOVED), 1);
	/* Once in a run. */
	strcpy(world.lying[world.lying_count++], orphan);
	run_to_end(&world, world_submit(&world, 1, true), JOB_ACKNOWLEDGED);
	assert_int_equal(world.lying_count, 4);
	world_crash(&world);
	world_hello(&world);
	run_to_end(&world, world_submit(&world, 1, true), JOB_ACKNOWLEDGED);
	while (world_step(&world))
		;
	assert_int_equal(world.lying_count, 3);
	world_end(&world);
}

/* The same name, but a job's: one that is whole and waits. */
static void engine__partial_file_of_a_job__is_never_an_orphan(void **state)
{
	struct world world;
	struct file file;
	struct fault fault;

	(void)state;
	world_begin(&world, 13);
	world_hello(&world);
	int64_t row = world_submit(&world, 1, false);
	run_to_end(&world, row, JOB_TRANSFERRED);
	assert_int_equal(store_file_next(world.store, row, FILE_TRANSFERRED, 0, &file, &fault), RESULT_OK);
	strcpy(world.lying[world.lying_count++], file.partial);
	world_crash(&world);
	world_hello(&world);
	run_to_end(&world, world_submit(&world, 2, true), JOB_ACKNOWLEDGED);
	while (world_step(&world))
		;
	assert_int_equal(world.lying_count, 1);
	world_end(&world);
}

/* A job that is in no hurry to get on still owes the removal of its files, and is there while that is under way. */
static void engine__partial_file_held_open__cancelled_job_stays_until_it_is_removed(void **state)
{
	struct world world;
	struct job_status status;
	struct fault fault = { 0 };

	(void)state;
	world_begin(&world, 14);
	world.settings.queue_finished_per_owner_max = 1;
	world_hello(&world);
	world.denied = "/sim/3";
	int64_t other = submit_and_wait(&world, 4); /* SUSPENDED, without anything on disk */
	world.denied = "";
	int64_t row = world_submit(&world, 3, false);
	run_to_end(&world, row, JOB_TRANSFERRED);
	world_set(&world, row, PROPERTY_NO_PROGRESS_TIMEOUT, &(struct job_properties){ .no_progress_timeout_s = 0 });
	world.files[0].held = true;
	world_cancel(&world, row);
	assert_true(world_step(&world)); /* the first of three removals fails */
	world_cancel(&world, other);
	(void)world_submit(&world, 1, true); /* which a finished job gives way to */
	while (world_step(&world) && world.files[1].synced + world.files[2].synced > 0)
		;
	assert_int_equal(world_events(&world, EVENT_STORE_TROUBLE), 0);
	assert_int_equal(engine_job_get(world.engine, row, &status, &fault), RESULT_OK);
	assert_int_equal(status.job.work, JOB_WORK_SWEEP);
	world.files[0].held = false;
	while (status.job.work != JOB_WORK_NONE) {
		assert_true(world_step(&world));
		assert_int_equal(engine_job_get(world.engine, row, &status, &fault), RESULT_OK);
	}
	assert_int_equal(world.files[0].synced, 0);
	assert_int_equal(world_events(&world, EVENT_LEFTOVER), 0);
	world_end(&world);
}

/* Cancelled jobs whose partial files cannot be removed yet are no way around the limits. */
static void engine__cancelled_jobs_that_cannot_be_swept__are_limited(void **state)
{
	struct world world;
	unsigned made = 0;

	(void)state;
	world_begin(&world, 15);
	world.settings.queue_finished_per_owner_max = 5;
	world_hello(&world);
	for (; made < 20; made++) {
		world.first_file = made;
		world.files[made].stuck = world.files[made].held = true;
		int64_t row = submit_and_wait(&world, 1);

		if (row < 0)
			break;
		while (world_state(&world, row) != JOB_TRANSFERRING && world_state(&world, row) != JOB_CONNECTING)
			assert_true(world_step(&world));
		world_wait(&world, 1);
		world_cancel(&world, row);
		world_wait(&world, 1);
	}
	assert_in_range(made, 5, 6);
	assert_int_equal(world.resumed, RESULT_TOO_MANY_JOBS);
	for (unsigned i = 0; i < 20; i++)
		world.files[i].held = world.files[i].stuck = false;
	world_wait(&world, 600); /* all are swept */
	run_to_end(&world, submit_and_wait(&world, 1), JOB_ACKNOWLEDGED);
	world_end(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(engine__job_without_trouble__ends_acknowledged),
		cmocka_unit_test(engine__power_cuts_at_any_moment__every_file_lands_once_whole),
		cmocka_unit_test(engine__commits_fail_at_any_moment__every_file_lands_and_no_handle_stays_open),
		cmocka_unit_test(engine__power_goes_while_a_name_waits_for_a_commit__it_is_forgotten),
		cmocka_unit_test(engine__folder_on_another_machine__a_name_is_committed_before_it_is_made),
		cmocka_unit_test(engine__nothing_more_happens__what_waits_is_committed_soon),
		cmocka_unit_test(engine__client_is_answered__what_it_could_see_is_committed),
		cmocka_unit_test(engine__turn_fails_after_one_that_waited__both_are_undone_and_nothing_is_left),
		cmocka_unit_test(engine__syncs_fail_at_any_moment__nothing_lost_is_recorded_or_published),
		cmocka_unit_test(engine__owner_does_not_return__job_waits),
		cmocka_unit_test(engine__transient_failure__job_tries_again_by_itself),
		cmocka_unit_test(engine__server_asks_to_stay_away__job_does_and_says_until_when),
		cmocka_unit_test(engine__server_asks_for_more_than_the_job_has__fails_at_once),
		cmocka_unit_test(engine__fatal_failure__job_waits_in_error),
		cmocka_unit_test(engine__partial_file_exchanged__job_fails_and_a_resume_fetches_it_again),
		cmocka_unit_test(engine__server_that_never_answers_well__job_ends_in_no_progress),
		cmocka_unit_test(engine__job_beyond_its_maximum_time__ends_in_error_when_it_is_over),
		cmocka_unit_test(engine__higher_level_comes__takes_the_slot_and_gives_it_back),
		cmocka_unit_test(engine__destination_that_cannot_be_written__resume_is_refused_and_changes_nothing),
		cmocka_unit_test(engine__owner_is_absent__resume_is_granted_unseen),
		cmocka_unit_test(engine__lease_is_over__job_is_cancelled_swept_and_told),
		cmocka_unit_test(engine__short_lease_of_a_jobs_own__ends_to_the_second),
		cmocka_unit_test(engine__wall_clock_jumps__costs_no_job_its_lease),
		cmocka_unit_test(engine__partial_files_without_a_job__are_removed_once_a_job_comes_by),
		cmocka_unit_test(engine__partial_file_of_a_job__is_never_an_orphan),
		cmocka_unit_test(engine__partial_file_held_open__cancelled_job_stays_until_it_is_removed),
		cmocka_unit_test(engine__cancelled_jobs_that_cannot_be_swept__are_limited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
