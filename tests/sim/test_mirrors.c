/* Files that can be had from several places: which is asked, when another one is, and what may be joined. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/schedule.h"
#include "helped.h"

static int64_t make(struct world *world, const struct world_order *order)
{
	int64_t row = world_create(world, order);

	assert_true(row > 0);
	helped_resume(world, row);
	return row;
}

static struct file the_file(struct world *world, int64_t row)
{
	struct file file;
	struct fault fault;

	assert_int_equal(store_file_next(world->store, row, FILE_PENDING, 0, &file, &fault), RESULT_OK);
	return file;
}

static void source__does_not_answer__the_next_one_is_asked_at_once(void **state)
{
	struct world world;

	(void)state;
	helped_begin(&world, 1);
	world.files[0].sources[0].dead = world.files[0].sources[1].dead = true;
	int64_t row = make(&world, &(struct world_order){ .files = 1, .auto_complete = true, .mirrors = 2 });
	int64_t begun_ms = world.mono_ms;

	helped_run_to(&world, row, JOB_ACKNOWLEDGED);
	assert_true(world.mono_ms - begun_ms < SCHEDULE_RETRY_FIRST_MS / 2); /* no retry */
	assert_int_equal(world.files[0].sources[2].sent, world.files[0].size);
	assert_int_equal(helped_status(&world, row).job.error_count, 0);
	assert_int_equal(world_events(&world, EVENT_FILE_FAILED), 2);
	helped_end(&world);
}

static void sources__all_fail_in_ways_that_no_retry_mends__the_job_is_in_error_until_a_resume(void **state)
{
	struct world world;

	(void)state;
	helped_begin(&world, 2);
	world.files[0].sources[0].fails = RESULT_HTTP_STATUS;
	world.files[0].sources[1].fails = RESULT_CERTIFICATE;
	int64_t row = make(&world, &(struct world_order){ .files = 1, .auto_complete = true, .mirrors = 1 });

	helped_run_to(&world, row, JOB_ERROR);
	assert_int_equal(helped_status(&world, row).job.error.result, RESULT_HTTP_STATUS);
	assert_int_equal(the_file(&world, row).sources_refused, 3);
	world.files[0].sources[0].fails = RESULT_OK;
	helped_resume(&world, row);
	helped_run_to(&world, row, JOB_ACKNOWLEDGED);
	assert_int_equal(world.files[0].sources[1].asked, 1);
	helped_end(&world);
}

static void source__was_wrong_for_good__is_not_asked_again_by_retries(void **state)
{
	struct world world;

	(void)state;
	helped_begin(&world, 3);
	world.files[0].sources[0].version = 7;
	world.files[0].sources[1].fails = RESULT_HTTP_TRANSIENT;
	int64_t row = make(&world, &(struct world_order){ .files = 1, .auto_complete = true, .mirrors = 1, .digest = true });

	helped_run_to(&world, row, JOB_TRANSIENT_ERROR);
	assert_int_equal(helped_status(&world, row).job.error.result, RESULT_HTTP_TRANSIENT);
	world_wait(&world, 600);
	assert_int_equal(world.files[0].sources[0].asked, 1);
	assert_int_equal(world.files[0].sources[0].sent, world.files[0].size);
	assert_true(world.files[0].sources[1].asked > 5);
	world_crash(&world); /* that is not forgotten with the power */
	world_hello(&world);
	world_wait(&world, 600);
	assert_int_equal(world.files[0].sources[0].asked, 1);
	world.files[0].sources[1].fails = RESULT_OK;
	world_wait(&world, 120);
	assert_int_equal(world_state(&world, row), JOB_ACKNOWLEDGED);
	helped_end(&world);
}

static void sources__all_have_another_file__it_is_in_error_and_nothing_is_left(void **state)
{
	struct world world;

	(void)state;
	helped_begin(&world, 4);
	for (unsigned i = 0; i < WORLD_SOURCES; i++)
		world.files[0].sources[i].version = i + 1;
	int64_t row = make(&world, &(struct world_order){ .files = 1, .auto_complete = true, .mirrors = 2, .digest = true });

	helped_run_to(&world, row, JOB_ERROR);
	assert_int_equal(helped_status(&world, row).job.error.result, RESULT_DIGEST_MISMATCH);
	helped_check_no_partial(&world, row);
	for (unsigned i = 0; i < WORLD_SOURCES; i++)
		assert_int_equal(world.files[0].sources[i].asked, 1);
	helped_end(&world);
}

static void source__breaks_off__a_digest_lets_another_one_go_on_from_there(void **state)
{
	struct world world;

	(void)state;
	helped_begin(&world, 5);
	struct world_file *file = &world.files[0];

	file->sources[0].fails = RESULT_CONNECTION_CLOSED;
	file->sources[0].fails_at = file->size / 2;
	int64_t row = make(&world, &(struct world_order){ .files = 1, .auto_complete = true, .mirrors = 1, .digest = true });

	helped_run_to(&world, row, JOB_ACKNOWLEDGED);
	assert_int_equal(file->sources[0].sent, file->size / 2);
	assert_int_equal(file->sources[1].sent, file->size - file->size / 2);
	helped_end(&world);
}

/* Two places need not have the same bytes: without a digest nobody would notice. */
static void source__breaks_off__without_a_digest_it_has_some_tries_before_all_begins_anew(void **state)
{
	struct world world;

	(void)state;
	helped_begin(&world, 6);
	struct world_file *file = &world.files[0];

	file->sources[0].fails = RESULT_CONNECTION_CLOSED;
	file->sources[0].fails_at = file->size / 2;
	file->sources[1].version = 1;
	int64_t row = make(&world, &(struct world_order){ .files = 1, .auto_complete = true, .mirrors = 1 });

	helped_run_to(&world, row, JOB_TRANSIENT_ERROR);
	assert_int_equal(file->sources[1].asked, 0);
	assert_int_equal(the_file(&world, row).bytes_recorded, file->size / 2);
	helped_run_to(&world, row, JOB_ACKNOWLEDGED);
	assert_in_range(file->sources[0].asked, 3, 5);
	assert_int_equal(file->sources[0].sent, file->size / 2); /* its beginning was kept all the while */
	assert_int_equal(file->sources[1].sent, file->size);
	assert_int_equal(file->version, 1);
	assert_false(file->mixed);
	helped_end(&world);
}

static void mirror__fails_too__the_beginning_from_the_first_source_is_kept(void **state)
{
	struct world world;

	(void)state;
	helped_begin(&world, 7);
	struct world_file *file = &world.files[0];

	file->sources[0].fails = RESULT_CONNECTION_CLOSED;
	file->sources[0].fails_at = file->size / 2;
	file->sources[1].fails = RESULT_HTTP_STATUS;
	file->sources[2].fails = RESULT_INSUFFICIENT_HTTP;
	int64_t row = make(&world, &(struct world_order){ .files = 1, .auto_complete = true, .mirrors = 2 });

	world_wait(&world, 600);
	assert_int_equal(world_state(&world, row), JOB_TRANSIENT_ERROR);
	assert_int_equal(file->sources[1].asked, 1);
	assert_int_equal(file->sources[2].asked, 1);
	file->sources[0].fails = RESULT_OK;
	world_wait(&world, 120);
	assert_int_equal(world_state(&world, row), JOB_ACKNOWLEDGED);
	assert_int_equal(file->sources[0].sent, file->size);
	helped_end(&world);
}

static void mirror__breaks_off__it_goes_on_from_there_itself(void **state)
{
	struct world world;

	(void)state;
	helped_begin(&world, 12);
	struct world_file *file = &world.files[0];

	file->sources[0].fails = RESULT_HTTP_STATUS;
	file->sources[1].fails = RESULT_CONNECTION_CLOSED;
	file->sources[1].fails_at = file->size / 2;
	int64_t row = make(&world, &(struct world_order){ .files = 1, .auto_complete = true, .mirrors = 1 });

	helped_run_to(&world, row, JOB_TRANSIENT_ERROR);
	assert_int_equal(the_file(&world, row).source, 1);
	world_crash(&world);
	world_hello(&world);
	file->sources[1].fails = RESULT_OK;
	helped_run_to(&world, row, JOB_ACKNOWLEDGED);
	assert_int_equal(file->sources[1].sent, file->size);
	assert_int_equal(file->sources[0].asked, 1);
	helped_end(&world);
}

/* Tags are of one server each: a likeness by chance must not join what does not belong together. */
static void sources__give_the_same_tag_to_other_files__nothing_is_joined(void **state)
{
	struct world world;

	(void)state;
	helped_begin(&world, 13);
	struct world_file *file = &world.files[0];

	world.same_tags = true;
	file->sources[0].fails = RESULT_CONNECTION_CLOSED;
	file->sources[0].fails_at = file->size / 2;
	file->sources[1].version = 1;
	int64_t row = make(&world, &(struct world_order){ .files = 1, .auto_complete = true, .mirrors = 1 });

	helped_run_to(&world, row, JOB_ACKNOWLEDGED);
	assert_int_equal(file->version, 1);
	assert_false(file->mixed);
	helped_end(&world);
}

/* It says how things stand, not who was asked last. */
static void sources__fail_in_several_ways__the_job_waits_for_the_one_that_may_be_asked_soonest(void **state)
{
	struct world world;

	(void)state;
	helped_begin(&world, 8);
	world.files[0].sources[0].fails = world.files[0].sources[1].fails = RESULT_HTTP_TRANSIENT;
	world.files[0].sources[0].retry_after_s = 3600;
	world.files[0].sources[1].retry_after_s = 60;
	world.files[0].sources[2].fails = RESULT_HTTP_STATUS;
	int64_t row = make(&world, &(struct world_order){ .files = 1, .auto_complete = true, .mirrors = 2 });

	helped_run_to(&world, row, JOB_TRANSIENT_ERROR);
	struct job_status status = helped_status(&world, row);
	assert_int_equal(status.job.error.result, RESULT_HTTP_TRANSIENT);
	assert_in_range(status.job.next_try_ms - world.wall_ms, 60000, 66000);
	world.files[0].sources[1].fails = RESULT_OK;
	world_wait(&world, 70);
	assert_int_equal(world_state(&world, row), JOB_ACKNOWLEDGED);
	assert_int_equal(world.files[0].sources[0].asked, 1); /* whose hour is not over */
	helped_end(&world);
}

static void source__rests__others_are_asked_first_and_cost_nobody_a_wait(void **state)
{
	struct world world;

	(void)state;
	helped_begin(&world, 9);
	for (unsigned i = 0; i < 40; i++)
		world.files[i].sources[0].dead = true;
	int64_t row = make(&world, &(struct world_order){ .files = 40, .auto_complete = true, .mirrors = 1 });
	int64_t begun_ms = world.mono_ms;
	unsigned asked = 0;

	helped_run_to(&world, row, JOB_ACKNOWLEDGED);
	assert_true(world.mono_ms - begun_ms < SCHEDULE_RETRY_FIRST_MS / 2); /* no retry */
	for (unsigned i = 0; i < 40; i++)
		asked += world.files[i].sources[0].asked;
	assert_in_range(asked, 5, 5 + world.settings.transfer_files_active_per_job_max);
	helped_end(&world);
}

static void sources__all_rest__the_job_waits_and_who_looks_on_asks_all_the_same(void **state)
{
	struct world world;

	(void)state;
	helped_begin(&world, 10);
	for (unsigned i = 0; i < 20; i++)
		world.files[i].dead = true;
	int64_t row = make(&world, &(struct world_order){ .files = 20, .auto_complete = true, .mirrors = 1 });
	world_wait(&world, 300);
	assert_int_equal(world_state(&world, row), JOB_TRANSIENT_ERROR);
	for (unsigned i = 0; i < 20; i++)
		world.files[i].dead = false;
	world.first_file = 20;
	int64_t watched = world_create(&world, &(struct world_order){ .files = 1, .auto_complete = true, .mirrors = 1 });
	assert_int_equal(world_set(&world, watched, PROPERTY_PROFILE,
	                           &(struct job_properties){ .profile = JOB_PROFILE_INTERACTIVE }), RESULT_OK);
	world_resume(&world, watched);
	world_wait(&world, 0);
	assert_int_equal(world_state(&world, watched), JOB_ACKNOWLEDGED);
	world_wait(&world, 600);
	assert_int_equal(world_state(&world, row), JOB_ACKNOWLEDGED);
	helped_end(&world);
}

static void disk__fails__is_nobody_elses_fault(void **state)
{
	struct world world;

	(void)state;
	helped_begin(&world, 11);
	world.files[0].fail_next_sync = true;
	int64_t row = make(&world, &(struct world_order){ .files = 1, .auto_complete = true, .mirrors = 1, .digest = true });

	helped_run_to(&world, row, JOB_TRANSIENT_ERROR);
	assert_int_equal(world.files[0].sources[1].asked, 0);
	world_wait(&world, 60);
	assert_int_equal(world_state(&world, row), JOB_ACKNOWLEDGED);
	helped_end(&world);
}

/* A mirror's error page with status 200, say. */
static void mirror__has_something_of_another_size__what_is_there_stays(void **state)
{
	(void)state;
	for (unsigned digest = 0; digest < 2; digest++) {
		struct world world;

		helped_begin(&world, 14);
		struct world_file *file = &world.files[0];

		file->sources[0].fails = RESULT_CONNECTION_CLOSED;
		file->sources[0].fails_at = file->size / 2;
		file->sources[1].other_size = file->sources[1].no_ranges = true;
		file->sources[1].version = 9;
		int64_t row = make(&world, &(struct world_order){ .files = 1, .auto_complete = true, .mirrors = 1, .digest = digest == 1 });

		world_wait(&world, 600);
		assert_int_equal(world_state(&world, row), JOB_TRANSIENT_ERROR);
		assert_int_equal(the_file(&world, row).bytes_recorded, file->size / 2);
		file->sources[0].fails = RESULT_OK;
		world_wait(&world, 120);
		assert_int_equal(world_state(&world, row), JOB_ACKNOWLEDGED);
		assert_int_equal(file->sources[0].sent, file->size);
		assert_int_equal(file->sources[1].asked, 1);
		helped_end(&world);
	}
}

static void mirror__has_no_ranges__is_taken_only_when_the_first_had_its_chances(void **state)
{
	struct world world;

	(void)state;
	helped_begin(&world, 15);
	struct world_file *file = &world.files[0];

	file->sources[0].fails = RESULT_CONNECTION_CLOSED;
	file->sources[0].fails_at = file->size / 2;
	file->sources[1].no_ranges = true;
	int64_t row = make(&world, &(struct world_order){ .files = 1, .auto_complete = true, .mirrors = 1, .digest = true });

	helped_run_to(&world, row, JOB_TRANSIENT_ERROR);
	assert_int_equal(the_file(&world, row).bytes_recorded, file->size / 2);
	assert_int_equal(file->sources[1].sent, 0);
	helped_run_to(&world, row, JOB_ACKNOWLEDGED);
	assert_int_equal(file->sources[0].asked, 3);
	assert_int_equal(file->sources[1].sent, file->size);
	helped_end(&world);
}

/* It is the network of this machine that is out, and it comes back. */
static void network__is_out_for_a_while__costs_no_beginning(void **state)
{
	(void)state;
	for (unsigned seed = 1; seed <= 2 * SEEDS; seed++) {
		struct world world;

		helped_begin(&world, seed);
		struct world_file *file = &world.files[0];

		file->sources[0].fails = RESULT_CONNECTION_CLOSED;
		file->sources[0].fails_at = file->size * 9 / 10;
		int64_t row = make(&world, &(struct world_order){ .files = 1, .auto_complete = true, .mirrors = 1 });

		helped_run_to(&world, row, JOB_TRANSIENT_ERROR);
		file->sources[0].fails = RESULT_OK;
		file->dead = true;
		world_wait(&world, 60 + (int64_t)seed * 5);
		file->dead = false;
		helped_run_to(&world, row, JOB_ACKNOWLEDGED);
		assert_int_equal(file->sources[0].sent, file->size);
		assert_int_equal(file->sources[1].sent, 0);
		helped_end(&world);
	}
}

/* For longer than that is worth, or than the job has: the mirror is well. */
static void source__asks_for_much_time__the_mirror_is_asked_from_the_start(void **state)
{
	static const struct {
		uint32_t retry_after_s, no_progress_timeout_s;
	} cases[] = { { 86400, 14 * 86400 }, { 300, 120 }, { 0, 0 } };

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		struct world world;

		helped_begin(&world, 16);
		struct world_file *file = &world.files[0];

		file->sources[0].fails = RESULT_HTTP_TRANSIENT;
		file->sources[0].fails_at = file->size / 2;
		file->sources[0].retry_after_s = cases[i].retry_after_s;
		int64_t row = world_create(&world, &(struct world_order){ .files = 1, .auto_complete = true, .mirrors = 1 });
		assert_int_equal(world_set(&world, row, PROPERTY_NO_PROGRESS_TIMEOUT,
		                           &(struct job_properties){ .no_progress_timeout_s = cases[i].no_progress_timeout_s }),
		                 RESULT_OK);
		helped_resume(&world, row);
		helped_run_to(&world, row, JOB_ACKNOWLEDGED);
		assert_int_equal(file->sources[0].asked, 1);
		helped_end(&world);
	}
}

static void source__of_the_beginning_is_refused__nothing_waits_for_it(void **state)
{
	struct world world;

	(void)state;
	helped_begin(&world, 17);
	struct world_file *file = &world.files[0];

	file->sources[0].fails = RESULT_CONNECTION_CLOSED;
	file->sources[0].fails_at = file->size / 2;
	file->sources[1].fails = RESULT_HTTP_TRANSIENT;
	file->sources[1].retry_after_s = 3600;
	int64_t row = make(&world, &(struct world_order){ .files = 1, .auto_complete = true, .mirrors = 2 });

	helped_run_to(&world, row, JOB_TRANSIENT_ERROR);
	file->sources[0].fails = RESULT_HTTP_STATUS;
	file->sources[0].fails_at = 0;
	world_wait(&world, 10);
	assert_int_equal(world_state(&world, row), JOB_ACKNOWLEDGED);
	assert_int_equal(file->sources[2].sent, file->size);
	helped_end(&world);
}

/* Bytes that were there before are no progress: it says so in the end, rather than fetch them for ever. */
static void sources__break_off_again_and_again__that_is_no_progress(void **state)
{
	struct world world;

	(void)state;
	helped_begin(&world, 18);
	struct world_file *file = &world.files[0];

	file->sources[0].fails = file->sources[1].fails = RESULT_CONNECTION_CLOSED;
	file->sources[0].fails_at = file->size / 2;
	file->sources[1].fails_at = file->size / 3;
	int64_t row = world_create(&world, &(struct world_order){ .files = 1, .auto_complete = true, .mirrors = 1 });
	assert_int_equal(world_set(&world, row, PROPERTY_NO_PROGRESS_TIMEOUT,
	                           &(struct job_properties){ .no_progress_timeout_s = 3600 }), RESULT_OK);
	helped_resume(&world, row);
	world_wait(&world, 2 * 3600);
	assert_int_equal(world_state(&world, row), JOB_ERROR);
	assert_int_equal(helped_status(&world, row).job.error.result, RESULT_NO_PROGRESS);
	assert_true(file->fetched < 100 * file->size);
	/* Who resumes it knows better. */
	file->sources[0].fails = RESULT_OK;
	helped_resume(&world, row);
	helped_run_to(&world, row, JOB_ACKNOWLEDGED);
	helped_end(&world);
}

static void other_files__fail__that_is_not_this_ones_sources_fault(void **state)
{
	(void)state;
	for (unsigned seed = 1; seed <= SEEDS; seed++) {
		struct world world;

		helped_begin(&world, seed);
		struct world_file *file = &world.files[0];

		file->sources[0].fails = RESULT_CONNECTION_CLOSED;
		file->sources[0].fails_at = file->size * 9 / 10;
		world.files[1].sources[0].fails = world.files[1].sources[1].fails = RESULT_HTTP_TRANSIENT;
		int64_t row = make(&world, &(struct world_order){ .files = 2, .auto_complete = true, .mirrors = 1 });

		for (unsigned n = 0; n < 2000 && file->sources[0].asked < 2; n++)
			(void)world_step(&world);
		file->sources[0].fails = RESULT_OK;
		world_wait(&world, 100);
		assert_int_equal(file->sources[1].sent, 0);
		world.files[1].sources[0].fails = RESULT_OK;
		world_wait(&world, 100);
		assert_int_equal(world_state(&world, row), JOB_ACKNOWLEDGED);
		helped_end(&world);
	}
}

static void last_source__fails_for_good_too__the_wrong_ones_are_not_fetched_again(void **state)
{
	struct world world;

	(void)state;
	helped_begin(&world, 19);
	struct world_file *file = &world.files[0];

	file->sources[0].version = 5;
	file->sources[1].version = 6;
	file->sources[2].fails = RESULT_HTTP_TRANSIENT;
	int64_t row = make(&world, &(struct world_order){ .files = 1, .auto_complete = true, .mirrors = 2, .digest = true });

	helped_run_to(&world, row, JOB_TRANSIENT_ERROR);
	file->sources[2].fails = RESULT_HTTP_STATUS;
	helped_run_to(&world, row, JOB_ERROR);
	assert_int_equal(file->sources[0].asked, 1);
	assert_int_equal(file->sources[1].asked, 1);
	helped_end(&world);
}

static void client__resumes_while_a_flight_ends__its_sources_stay_forgiven(void **state)
{
	struct world world;
	struct file file;
	struct fault fault;

	(void)state;
	helped_begin(&world, 20);
	world.files[0].sources[0].fails = RESULT_HTTP_STATUS;
	int64_t row = make(&world, &(struct world_order){ .files = 1, .auto_complete = true, .mirrors = 1 });

	while (world.files[0].sources[1].sent == 0)
		assert_true(world_step(&world));
	assert_int_equal(world_suspend(&world, row), RESULT_OK);
	helped_resume(&world, row);
	file = the_file(&world, row);
	assert_int_equal(file.sources_refused, 0);
	world_wait(&world, 0);
	assert_int_equal(store_file_by_row(world.store, file.row, &file, &fault), RESULT_OK);
	assert_int_equal(file.sources_refused, 0);
	helped_run_to(&world, row, JOB_ACKNOWLEDGED);
	helped_end(&world);
}

static void mirror__is_back_where_somebody_looks_on__it_is_asked(void **state)
{
	struct world world;

	(void)state;
	helped_begin(&world, 21);
	for (unsigned i = 0; i < 20; i++)
		world.files[i].dead = true;
	(void)make(&world, &(struct world_order){ .files = 20, .auto_complete = true, .mirrors = 1 });
	world_wait(&world, 300);
	world.files[20].sources[0].dead = true;
	world.first_file = 20;
	int64_t watched = world_create(&world, &(struct world_order){ .files = 1, .auto_complete = true, .mirrors = 1 });
	assert_int_equal(world_set(&world, watched, PROPERTY_PROFILE,
	                           &(struct job_properties){ .profile = JOB_PROFILE_INTERACTIVE }), RESULT_OK);
	world_resume(&world, watched);
	world_wait(&world, 0);
	assert_int_equal(world_state(&world, watched), JOB_ACKNOWLEDGED);
	helped_end(&world);
}

/* Whatever fails, whenever the power goes: what lands is one file, and where there is a digest the right one.  The world
 * itself says if it is not. */
static void sources__come_and_go__what_lands_is_one_file(void **state)
{
	static const enum result faults[] = { RESULT_OK, RESULT_OK, RESULT_CONNECTION_CLOSED, RESULT_STALLED, RESULT_HTTP_STATUS,
		                                  RESULT_HTTP_TRANSIENT, RESULT_REMOTE_CHANGED, RESULT_INSUFFICIENT_HTTP };

	(void)state;
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		struct world world;
		int64_t rows[2];

		helped_begin(&world, seed);
		for (unsigned job = 0; job < 2; job++) {
			world.first_file = job * FILES;
			rows[job] = make(&world, &(struct world_order){ .files = FILES, .auto_complete = true, .mirrors = 2,
			                                                .digest = job == 0 });
		}
		for (unsigned n = 0; n < 400; n++) {
			struct world_source *source =
				&world.files[world_random(&world, 2 * FILES)].sources[world_random(&world, WORLD_SOURCES)];

			source->fails = faults[world_random(&world, sizeof(faults) / sizeof(faults[0]))];
			source->fails_at = world_random(&world, 3) == 0 ? 0 : world_random(&world, 100000);
			source->dead = world_random(&world, 6) == 0;
			source->version = (unsigned)world_random(&world, 2);
			(void)world_step(&world);
			if (world_random(&world, 60) == 0) {
				world_crash(&world);
				world_hello(&world);
			}
		}
		for (unsigned i = 0; i < 2 * FILES; i++)
			for (unsigned s = 0; s < WORLD_SOURCES; s++)
				world.files[i].sources[s] = (struct world_source){ 0 };
		for (unsigned job = 0; job < 2; job++) {
			world_wait(&world, 4000);
			if (world_state(&world, rows[job]) == JOB_ERROR)
				helped_resume(&world, rows[job]);
			helped_run_to(&world, rows[job], JOB_ACKNOWLEDGED);
		}
		helped_check_published(&world, 0, 2 * FILES);
		helped_end(&world);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(source__does_not_answer__the_next_one_is_asked_at_once),
		cmocka_unit_test(sources__all_fail_in_ways_that_no_retry_mends__the_job_is_in_error_until_a_resume),
		cmocka_unit_test(source__was_wrong_for_good__is_not_asked_again_by_retries),
		cmocka_unit_test(sources__all_have_another_file__it_is_in_error_and_nothing_is_left),
		cmocka_unit_test(source__breaks_off__a_digest_lets_another_one_go_on_from_there),
		cmocka_unit_test(source__breaks_off__without_a_digest_it_has_some_tries_before_all_begins_anew),
		cmocka_unit_test(mirror__fails_too__the_beginning_from_the_first_source_is_kept),
		cmocka_unit_test(mirror__breaks_off__it_goes_on_from_there_itself),
		cmocka_unit_test(sources__give_the_same_tag_to_other_files__nothing_is_joined),
		cmocka_unit_test(sources__fail_in_several_ways__the_job_waits_for_the_one_that_may_be_asked_soonest),
		cmocka_unit_test(source__rests__others_are_asked_first_and_cost_nobody_a_wait),
		cmocka_unit_test(sources__all_rest__the_job_waits_and_who_looks_on_asks_all_the_same),
		cmocka_unit_test(disk__fails__is_nobody_elses_fault),
		cmocka_unit_test(mirror__has_something_of_another_size__what_is_there_stays),
		cmocka_unit_test(mirror__has_no_ranges__is_taken_only_when_the_first_had_its_chances),
		cmocka_unit_test(network__is_out_for_a_while__costs_no_beginning),
		cmocka_unit_test(source__asks_for_much_time__the_mirror_is_asked_from_the_start),
		cmocka_unit_test(source__of_the_beginning_is_refused__nothing_waits_for_it),
		cmocka_unit_test(sources__break_off_again_and_again__that_is_no_progress),
		cmocka_unit_test(other_files__fail__that_is_not_this_ones_sources_fault),
		cmocka_unit_test(last_source__fails_for_good_too__the_wrong_ones_are_not_fetched_again),
		cmocka_unit_test(client__resumes_while_a_flight_ends__its_sources_stay_forgiven),
		cmocka_unit_test(mirror__is_back_where_somebody_looks_on__it_is_asked),
		cmocka_unit_test(sources__come_and_go__what_lands_is_one_file),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
