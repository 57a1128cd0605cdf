/* Jobs that may be no larger than they say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "helped.h"

/* Two files: one of 20,000 bytes, and one of two. */
static int64_t make(struct world *world, uint64_t max_bytes)
{
	int64_t row = world_create(world, &(struct world_order){ .files = 2, .auto_complete = true });

	assert_int_equal(world_set(world, row, PROPERTY_MAX_BYTES, &(struct job_properties){ .max_bytes = max_bytes }), RESULT_OK);
	helped_resume(world, row);
	return row;
}

static void set(struct world *world, int64_t row, uint64_t max_bytes)
{
	assert_int_equal(world_set(world, row, PROPERTY_MAX_BYTES, &(struct job_properties){ .max_bytes = max_bytes }), RESULT_OK);
}

static void job__is_just_as_large_as_it_may_be__is_fetched(void **state)
{
	(void)state;
	for (unsigned known = 0; known < 2; known++) {
		struct world world;

		helped_begin(&world, 1);
		world.files[0].no_length = known == 0;
		helped_run_to(&world, make(&world, 20002), JOB_ACKNOWLEDGED);
		helped_end(&world);
	}
}

static void job__is_larger__is_in_error_as_soon_as_that_is_known_and_goes_on_when_it_may(void **state)
{
	(void)state;
	for (unsigned seed = 1; seed <= 20; seed++) {
		struct world world;

		helped_begin(&world, seed);
		int64_t row = make(&world, 20001);
		helped_run_to(&world, row, JOB_ERROR);
		assert_int_equal(helped_status(&world, row).job.error.result, RESULT_MAX_SIZE);
		world_wait(&world, 600);
		assert_int_equal(world_state(&world, row), JOB_ERROR);
		/* The sizes are known: nobody is asked again. */
		unsigned asked = world.files[0].asked + world.files[1].asked;
		helped_resume(&world, row);
		helped_run_to(&world, row, JOB_ERROR);
		world_wait(&world, 600);
		assert_int_equal(world.files[0].asked + world.files[1].asked, asked);
		set(&world, row, 0);
		helped_resume(&world, row);
		helped_run_to(&world, row, JOB_ACKNOWLEDGED);
		assert_true(world.files[0].fetched < 2 * world.files[0].size); /* what was there was kept */
		helped_end(&world);
	}
}

static void sizes__are_not_announced__what_comes_counts(void **state)
{
	(void)state;
	for (unsigned seed = 1; seed <= 20; seed++) {
		struct world world;

		helped_begin(&world, seed);
		world.files[0].no_length = world.files[1].no_length = true;
		int64_t row = make(&world, 5000);
		helped_run_to(&world, row, JOB_ERROR);
		assert_int_equal(helped_status(&world, row).job.error.result, RESULT_MAX_SIZE);
		set(&world, row, 30000);
		helped_resume(&world, row);
		helped_run_to(&world, row, JOB_ACKNOWLEDGED);
		helped_end(&world);
	}
}

static void limit__is_lowered_while_it_runs__holds_at_once_for_what_comes(void **state)
{
	struct world world;

	(void)state;
	helped_begin(&world, 5);
	world.files[0].no_length = world.files[0].stuck = true;
	int64_t row = make(&world, 0);
	world_wait(&world, 5);
	set(&world, row, 1000);
	world.files[0].stuck = false;
	helped_run_to(&world, row, JOB_ERROR);
	assert_int_equal(helped_status(&world, row).job.error.result, RESULT_MAX_SIZE);
	helped_end(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(job__is_just_as_large_as_it_may_be__is_fetched),
		cmocka_unit_test(job__is_larger__is_in_error_as_soon_as_that_is_known_and_goes_on_when_it_may),
		cmocka_unit_test(sizes__are_not_announced__what_comes_counts),
		cmocka_unit_test(limit__is_lowered_while_it_runs__holds_at_once_for_what_comes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
