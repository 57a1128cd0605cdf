#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "helped.h"

const struct world_loan from_helper = { .helper = HELPER, .connection = 1 };

void helped_begin(struct world *world, uint64_t seed)
{
	world_begin(world, seed);
	world_hello(world);
}

void helped_end(struct world *world)
{
	assert_false(world->wrong);
	world_end(world);
}

int64_t helped_job(struct world *world, const struct world_order *order, unsigned flags, const struct world_loan *loan)
{
	int64_t row = world_create(world, order);

	assert_true(row > 0);
	assert_int_equal(world_flags(world, row, flags), RESULT_OK);
	if (loan != NULL)
		assert_int_equal(world_lend(world, row, loan), RESULT_OK);
	return row;
}

void helped_run_to(struct world *world, int64_t row, enum job_state state)
{
	for (unsigned steps = 0; world_state(world, row) != state; steps++) {
		assert_true(steps < 20000);
		assert_true(world_step(world));
	}
}

void helped_resume(struct world *world, int64_t row)
{
	world_resume(world, row);
	while (world->resumed == WORLD_NO_ANSWER)
		assert_true(world_step(world));
	assert_int_equal(world->resumed, RESULT_OK);
}

int64_t helped_submit(struct world *world, enum person person, enum job_priority priority, bool stuck)
{
	world->files[world->first_file % WORLD_FILES_MAX].stuck = stuck;

	int64_t row = world_create(world, &(struct world_order){ .owner = person, .files = 1, .auto_complete = true });

	world->first_file++;
	assert_int_equal(world_set(world, row, PROPERTY_PRIORITY, &(struct job_properties){ .priority = priority }), RESULT_OK);
	helped_resume(world, row);
	world_wait(world, 0);
	return row;
}

struct job_status helped_status(struct world *world, int64_t row)
{
	struct job_status status;

	world_job(world, row, &status);
	return status;
}

void helped_check_published(const struct world *world, uint32_t first, uint32_t count)
{
	for (uint32_t i = first; i < first + count; i++) {
		assert_true(world->files[i].published > 0);
		assert_int_equal(world->files[i].synced, world->files[i].size);
	}
}

void helped_check_no_partial(struct world *world, int64_t row)
{
	struct file file;
	struct fault fault;

	assert_int_equal(store_file_next_partial(world->store, row, 0, &file, &fault), RESULT_NOT_FOUND);
}

void helped_check_cancelled(struct world *world, int64_t row)
{
	assert_int_equal(world_state(world, row), JOB_CANCELLED);
	assert_int_equal(helped_status(world, row).job.work, JOB_WORK_NONE);
	helped_check_no_partial(world, row);
	assert_int_equal(world_events(world, EVENT_STORE_TROUBLE), 0);
	world_check_rest(world);
}
