/* Who gets a slot, for how long, and who never waits for ever. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "helped.h"
#include "runtime/engine_private.h"

/* A job of one file that never gets on by itself: it keeps its slot until that is taken. */
static int64_t submit(struct world *world, enum job_priority priority)
{
	world->files[world->first_file % WORLD_FILES_MAX].stuck = true;

	int64_t row = world_create(world, &(struct world_order){ .files = 1, .auto_complete = true });

	world->first_file++;
	assert_int_equal(world_set(world, row, PROPERTY_PRIORITY, &(struct job_properties){ .priority = priority }), RESULT_OK);
	helped_resume(world, row);
	world_wait(world, 0);
	return row;
}

static bool runs(struct world *world, int64_t row)
{
	return job_state_is_active(world_state(world, row));
}

static void unstick(struct world *world)
{
	for (unsigned i = 0; i < WORLD_FILES_MAX; i++)
		world->files[i].stuck = false;
}

static void begin(struct world *world, uint64_t seed, uint64_t slots)
{
	helped_begin(world, seed);
	world->settings.queue_background_jobs_max = slots;
}

static void slice__is_over__the_next_of_the_level_has_its_turn(void **state)
{
	struct world world;
	int64_t rows[3];

	(void)state;
	begin(&world, 1, 1);
	rows[0] = submit(&world, JOB_NORMAL);
	assert_true(world.engine->next_slot_ms == INT64_MAX); /* with nobody waiting there is nothing to wake for */
	for (unsigned i = 1; i < 3; i++)
		rows[i] = submit(&world, JOB_NORMAL);
	for (unsigned turn = 0; turn < 7; turn++) {
		for (unsigned i = 0; i < 3; i++)
			assert_int_equal(runs(&world, rows[i]), i == turn % 3);
		assert_int_equal(helped_status(&world, rows[(turn + 1) % 3]).wait, JOB_WAIT_SLOT);
		world_wait(&world, (int64_t)world.settings.queue_slice_s + 1);
	}
	unstick(&world);
	for (unsigned i = 0; i < 3; i++)
		helped_run_to(&world, rows[i], JOB_ACKNOWLEDGED);
	helped_end(&world);
}

/* More of a higher level than are looked at in a pass. */
static void low__waits_behind_many__has_a_slice_in_time(void **state)
{
	struct world world;
	int64_t high[RUNNABLE_MAX + 8];

	(void)state;
	begin(&world, 2, 1);
	for (unsigned i = 0; i < RUNNABLE_MAX + 8; i++)
		high[i] = submit(&world, JOB_HIGH);
	int64_t low = submit(&world, JOB_LOW);
	int64_t latest_s = 2 * (int64_t)world.settings.queue_ageing_s + (RUNNABLE_MAX + 8) * (int64_t)world.settings.queue_slice_s;
	int64_t began_s = -1;

	for (int64_t s = 0; s < latest_s && began_s < 0; s += 60) {
		world_wait(&world, 60);
		if (runs(&world, low))
			began_s = s;
	}
	assert_true(began_s > 2 * (int64_t)world.settings.queue_ageing_s - 120);
	world_wait(&world, (int64_t)world.settings.queue_slice_s - 120); /* what it waited for is its own for a slice */
	assert_true(runs(&world, low));
	world_wait(&world, 180);
	assert_false(runs(&world, low));
	bool ran[RUNNABLE_MAX + 8] = { false };

	for (int64_t s = 0; s < latest_s; s += 60) {
		world_wait(&world, 60);
		for (unsigned i = 0; i < RUNNABLE_MAX + 8; i++)
			ran[i] |= runs(&world, high[i]);
	}
	for (unsigned i = 0; i < RUNNABLE_MAX + 8; i++)
		assert_true(ran[i]);
	unstick(&world);
	for (unsigned i = 0; i < RUNNABLE_MAX + 8; i++)
		helped_run_to(&world, high[i], JOB_ACKNOWLEDGED);
	helped_run_to(&world, low, JOB_ACKNOWLEDGED);
	helped_end(&world);
}

static void owner__was_away__that_was_no_waiting_for_a_slot(void **state)
{
	struct world world;

	(void)state;
	begin(&world, 3, 1);
	int64_t low = submit(&world, JOB_LOW);

	world_session_ended(&world, 1);
	world_wait(&world, 0);
	assert_int_equal(helped_status(&world, low).wait, JOB_WAIT_OWNER_ABSENT);
	world_wait(&world, 24 * 3600);
	world_session_began(&world, 1);
	world_hello(&world);
	world_wait(&world, 0);
	assert_true(runs(&world, low));
	int64_t high = submit(&world, JOB_HIGH);
	assert_true(runs(&world, high));
	assert_false(runs(&world, low));
	helped_end(&world);
}

static void foreground__comes__the_background_makes_way_at_once(void **state)
{
	struct world world;
	int64_t rows[4], foreground[RUNNABLE_MAX + 8];
	unsigned running = 0;

	(void)state;
	begin(&world, 4, 4);
	for (unsigned i = 0; i < 4; i++)
		rows[i] = submit(&world, i == 2 ? JOB_HIGH : JOB_LOW);
	for (unsigned i = 0; i < 4; i++)
		assert_true(runs(&world, rows[i]));
	foreground[0] = submit(&world, JOB_FOREGROUND);
	assert_true(runs(&world, foreground[0]));
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(runs(&world, rows[i]), i == 2);
	for (unsigned i = 1; i < RUNNABLE_MAX + 8; i++)
		foreground[i] = submit(&world, JOB_FOREGROUND);
	for (unsigned i = 0; i < RUNNABLE_MAX + 8; i++)
		assert_true(runs(&world, foreground[i]));
	/* After a crash they are all there at once, more than are looked at in a pass. */
	world_crash(&world);
	world_hello(&world);
	for (unsigned i = 0; i < RUNNABLE_MAX + 8; i++)
		running += runs(&world, foreground[i]);
	assert_int_equal(running, RUNNABLE_MAX + 8);
	for (unsigned i = 0; i < RUNNABLE_MAX + 8; i++)
		assert_int_equal(world_suspend(&world, foreground[i]), RESULT_OK);
	world_wait(&world, 0);
	for (unsigned i = 0; i < 4; i++)
		assert_true(runs(&world, rows[i]));
	helped_end(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slice__is_over__the_next_of_the_level_has_its_turn),
		cmocka_unit_test(low__waits_behind_many__has_a_slice_in_time),
		cmocka_unit_test(owner__was_away__that_was_no_waiting_for_a_slot),
		cmocka_unit_test(foreground__comes__the_background_makes_way_at_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
