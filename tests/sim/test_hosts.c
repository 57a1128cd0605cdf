/* Hosts that fail: what one job learns of one holds for all that ask it as the same identity. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "helped.h"

#define JOBS 20

/* One job a file, all of one host. */
static void submit_all(struct world *world, int64_t rows[JOBS])
{
	for (unsigned i = 0; i < JOBS; i++) {
		world->first_file = i;
		world->files[i].dead = true;
		rows[i] = world_submit(world, 1, true);
		assert_true(rows[i] > 0);
	}
}

static unsigned asked(const struct world *world)
{
	unsigned count = 0;

	for (unsigned i = 0; i < WORLD_FILES_MAX; i++)
		count += world->files[i].asked;
	return count;
}

static void revive(struct world *world)
{
	for (unsigned i = 0; i < WORLD_FILES_MAX; i++)
		world->files[i].dead = false;
}

static void host__is_dead__is_asked_a_few_times_and_not_by_every_job(void **state)
{
	struct world world;
	int64_t rows[JOBS];

	(void)state;
	helped_begin(&world, 1);
	submit_all(&world, rows);
	world_wait(&world, 9);
	/* Those that were out when it was clear, and no more. */
	assert_in_range(asked(&world), 5, 5 + world.settings.queue_background_jobs_max);
	for (unsigned i = 0; i < JOBS; i++) {
		struct job_status status = helped_status(&world, rows[i]);

		assert_int_equal(status.job.state, JOB_TRANSIENT_ERROR);
		assert_int_equal(status.job.error.result, RESULT_CONNECT_FAILED);
		assert_int_equal(status.wait, JOB_WAIT_RETRY);
		assert_true(status.job.next_try_ms > world.wall_ms);
	}
	/* It rests longer each time, up to five minutes. */
	world_wait(&world, 3600);
	assert_true(asked(&world) < 3600 / 300 * 8 + 60);
	revive(&world);
	world_wait(&world, 700);
	for (unsigned i = 0; i < JOBS; i++)
		assert_int_equal(world_state(&world, rows[i]), JOB_ACKNOWLEDGED);
	helped_end(&world);
}

static void host__rests__others_and_who_looks_on_ask_it_at_once(void **state)
{
	struct world world;
	int64_t rows[JOBS];

	(void)state;
	helped_begin(&world, 2);
	world_hello_as(&world, NEIGHBOUR);
	submit_all(&world, rows);
	world_wait(&world, 9);
	revive(&world);
	/* What a host answers may be a matter of who asks. */
	world.first_file = JOBS;
	int64_t others = world_create(&world, &(struct world_order){ .owner = NEIGHBOUR, .files = 1, .auto_complete = true });
	world_resume(&world, others);
	world_wait(&world, 0);
	assert_int_equal(world_state(&world, others), JOB_ACKNOWLEDGED);
	assert_int_equal(world_state(&world, rows[7]), JOB_TRANSIENT_ERROR);
	/* Where somebody looks on it is asked all the same. */
	world.first_file = JOBS + 1;
	int64_t watched = world_create(&world, &(struct world_order){ .files = 1, .auto_complete = true });
	assert_int_equal(world_set(&world, watched, PROPERTY_PROFILE,
	                           &(struct job_properties){ .profile = JOB_PROFILE_INTERACTIVE }), RESULT_OK);
	world_resume(&world, watched);
	world_wait(&world, 0);
	assert_int_equal(world_state(&world, watched), JOB_ACKNOWLEDGED);
	helped_end(&world);
}

/* And not at once, as if the server had asked for that. */
static void host__rests_for_longer_than_the_job_has__it_fails_when_that_is_over(void **state)
{
	struct world world;
	int64_t rows[JOBS];

	(void)state;
	helped_begin(&world, 4);
	submit_all(&world, rows);
	world_wait(&world, 2000); /* it rests for minutes now */
	world.first_file = JOBS;
	int64_t row = world_create(&world, &(struct world_order){ .files = 1, .auto_complete = true });
	assert_int_equal(world_set(&world, row, PROPERTY_NO_PROGRESS_TIMEOUT,
	                           &(struct job_properties){ .no_progress_timeout_s = 60 }), RESULT_OK);
	world_resume(&world, row);
	world_wait(&world, 58);
	assert_int_equal(world_state(&world, row), JOB_TRANSIENT_ERROR);
	world_wait(&world, 5);
	assert_int_equal(world_state(&world, row), JOB_ERROR);
	assert_int_equal(helped_status(&world, row).job.error.result, RESULT_NO_PROGRESS);
	helped_end(&world);
}

static void host__rests__who_resumes_a_failed_job_asks_it_at_once(void **state)
{
	struct world world;
	int64_t rows[JOBS];

	(void)state;
	helped_begin(&world, 5);
	submit_all(&world, rows);
	world_wait(&world, 9);
	revive(&world);
	helped_resume(&world, rows[7]);
	world_wait(&world, 0);
	assert_int_equal(world_state(&world, rows[7]), JOB_ACKNOWLEDGED);
	helped_end(&world);
}

static void host__answers_now_and_then__never_rests(void **state)
{
	struct world world;

	(void)state;
	helped_begin(&world, 3);
	for (unsigned i = 0; i < 3 * JOBS; i++) {
		world.first_file = i;
		world.files[i].dead = i % 5 != 4;
		int64_t row = world_submit(&world, 1, true);

		if (world.files[i].dead)
			helped_run_to(&world, row, JOB_TRANSIENT_ERROR);
		int64_t failed_ms = world.mono_ms;

		world.files[i].dead = false;
		helped_run_to(&world, row, JOB_ACKNOWLEDGED);
		assert_true(world.mono_ms - failed_ms < 1500); /* the job's own first delay, and no rest */
	}
	helped_end(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(host__is_dead__is_asked_a_few_times_and_not_by_every_job),
		cmocka_unit_test(host__rests__others_and_who_looks_on_ask_it_at_once),
		cmocka_unit_test(host__rests_for_longer_than_the_job_has__it_fails_when_that_is_over),
		cmocka_unit_test(host__rests__who_resumes_a_failed_job_asks_it_at_once),
		cmocka_unit_test(host__answers_now_and_then__never_rests),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
