/* Who gets a slot, for how long, and who never waits for ever. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "helped.h"
#include "runtime/engine_private.h"

/* A job of one file that never gets on by itself: it keeps its slot until that is taken. */
static int64_t submit_as(struct world *world, enum person person, enum job_priority priority)
{
	return helped_submit(world, person, priority, true);
}

static int64_t submit(struct world *world, enum job_priority priority)
{
	return submit_as(world, OWNER, priority);
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

/* What cannot begin keeps nobody else from a slot, and takes none away. */
static void job__cannot_begin__others_run(void **state)
{
	struct world world;

	(void)state;
	world_begin(&world, 5);
	snprintf(world.settings.identity_service_network_owners.items[0],
	         sizeof(world.settings.identity_service_network_owners.items[0]), "%s", identity_caller(world.people[OWNER])->owner);
	world.settings.identity_service_network_owners.count = 1;
	world_crash(&world);
	world_hello(&world);
	world_hello_as(&world, NEIGHBOUR);
	engine_forget_identity(world.engine, world.people[SERVICE]);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(helped_status(&world, submit(&world, JOB_HIGH)).wait, JOB_WAIT_WORKERS);
	assert_true(runs(&world, submit_as(&world, NEIGHBOUR, JOB_LOW)));
	world_end(&world);

	helped_begin(&world, 6);
	world.settings.identity_workers_max = 4;
	world_hello_as(&world, NEIGHBOUR);
	world_hello_as(&world, ADMINISTRATOR);
	(void)submit(&world, JOB_FOREGROUND);
	(void)submit_as(&world, ADMINISTRATOR, JOB_FOREGROUND);
	int64_t low = submit(&world, JOB_LOW), neighbours = submit_as(&world, NEIGHBOUR, JOB_NORMAL);
	world_wait(&world, 3600);
	assert_true(runs(&world, low));
	assert_int_equal(helped_status(&world, neighbours).wait, JOB_WAIT_WORKERS);
	helped_end(&world);
}

static void clock__is_set__everybody_has_a_turn_all_the_same(void **state)
{
	static const int64_t days[] = { -30, 60 };

	(void)state;
	for (unsigned n = 0; n < 2; n++) {
		struct world world;
		int64_t rows[3];
		unsigned ran[3] = { 0 };

		begin(&world, 7, 1);
		for (unsigned i = 0; i < 3; i++) {
			rows[i] = submit(&world, JOB_NORMAL);
			if (i == 1)
				world.wall_ms += days[n] * 24 * 3600 * 1000;
		}
		for (unsigned i = 0; i < 24 * 4; i++) {
			world_wait(&world, 901);
			for (unsigned k = 0; k < 3; k++)
				ran[k] += runs(&world, rows[k]);
		}
		for (unsigned k = 0; k < 3; k++)
			assert_in_range(ran[k], 28, 36);
		helped_end(&world);
	}
}

static void clock__jumps_ahead__low_has_waited_no_longer_for_that(void **state)
{
	struct world world;

	(void)state;
	begin(&world, 8, 1);
	int64_t high = submit(&world, JOB_HIGH), low = submit(&world, JOB_LOW);
	world_wait(&world, 5);
	world.wall_ms += INT64_C(3650) * 24 * 3600 * 1000;
	world_wait(&world, 1000);
	assert_true(runs(&world, high));
	assert_false(runs(&world, low));
	helped_end(&world);
}

static void priority__changes_in_a_slot__counts_at_once(void **state)
{
	struct world world;

	(void)state;
	begin(&world, 9, 1);
	int64_t was_foreground = submit(&world, JOB_FOREGROUND);
	assert_int_equal(world_set(&world, was_foreground, PROPERTY_PRIORITY, &(struct job_properties){ .priority = JOB_LOW }),
	                 RESULT_OK);
	int64_t high = submit(&world, JOB_HIGH);
	assert_true(runs(&world, high));
	assert_false(runs(&world, was_foreground));
	assert_int_equal(world_suspend(&world, high), RESULT_OK);
	world_wait(&world, 0);
	assert_int_equal(world_set(&world, was_foreground, PROPERTY_PRIORITY, &(struct job_properties){ .priority = JOB_HIGH }),
	                 RESULT_OK);
	(void)submit(&world, JOB_NORMAL);
	world_wait(&world, 10);
	assert_true(runs(&world, was_foreground));
	helped_end(&world);
}

static void names__are_given_and_removed__without_a_slot(void **state)
{
	struct world world;

	(void)state;
	begin(&world, 10, 4);
	int64_t done = world_create(&world, &(struct world_order){ .files = 1 });
	helped_resume(&world, done);
	helped_run_to(&world, done, JOB_TRANSFERRED);
	world.first_file++;
	int64_t foreground = submit(&world, JOB_FOREGROUND);
	world.files[1].held = true; /* its partial file cannot be removed yet */
	assert_int_equal(world_suspend(&world, foreground), RESULT_OK);
	int64_t rows[4];
	for (unsigned i = 0; i < 4; i++)
		rows[i] = submit(&world, JOB_HIGH);
	assert_int_equal(world_complete(&world, done), RESULT_OK);
	assert_int_equal(world_cancel(&world, foreground), RESULT_OK);
	world_wait(&world, 0);
	assert_int_equal(world_state(&world, done), JOB_ACKNOWLEDGED);
	int64_t begun_ms = helped_status(&world, rows[0]).job.state_since_ms;
	world_wait(&world, 600);
	for (unsigned i = 0; i < 4; i++) {
		assert_true(runs(&world, rows[i]));
		assert_in_range(helped_status(&world, rows[i]).job.state_since_ms, begun_ms - 1000, begun_ms + 1000);
	}
	helped_end(&world);
}

static void server__has_no_ranges__what_takes_longer_than_a_slice_is_whole_in_the_end(void **state)
{
	struct world world;
	int64_t rows[2];
	unsigned turns = 0;

	(void)state;
	begin(&world, 11, 1);
	for (unsigned i = 0; i < 2; i++) {
		world.files[i].sources[0].no_ranges = true;
		world.files[i].size = 20000;
		rows[i] = submit(&world, JOB_NORMAL);
	}
	/* In each slice a piece comes, and never the whole. */
	for (; turns < 1000 && (world_state(&world, rows[0]) != JOB_ACKNOWLEDGED || world_state(&world, rows[1]) != JOB_ACKNOWLEDGED);
	     turns++) {
		for (unsigned k = 0; k < 2; k++) {
			uint64_t had = world.files[k].fetched;

			world.files[k].stuck = false;
			for (unsigned s = 0; s < 60 && runs(&world, rows[k]) && world.files[k].fetched == had; s++)
				(void)world_step(&world);
			world.files[k].stuck = true;
		}
		world_wait(&world, 901);
	}
	assert_true(turns < 1000);
	helped_end(&world);
}

static void slots__are_many_with_many_files__each_job_has_one_in_transfer(void **state)
{
	struct world world;

	(void)state;
	begin(&world, 12, 4);
	for (unsigned i = 0; i < WORLD_FILES_MAX; i++)
		world.files[i].stuck = true;
	for (unsigned i = 0; i < 5; i++) {
		int64_t row = world_create(&world, &(struct world_order){ .files = 8, .auto_complete = true });

		world.first_file += 8;
		if (i > 0)
			assert_int_equal(world_set(&world, row, PROPERTY_PRIORITY,
			                           &(struct job_properties){ .priority = JOB_FOREGROUND }), RESULT_OK);
		helped_resume(&world, row);
		world_wait(&world, 0);
	}
	for (const struct active *active = world.engine->actives; active != NULL; active = active->next)
		assert_true(active->flight_count > 0);
	helped_end(&world);
}

static void owner__has_many_jobs__another_ones_only_job_has_its_turns(void **state)
{
	struct world world;
	unsigned ran = 0;

	(void)state;
	begin(&world, 13, 1);
	world_hello_as(&world, NEIGHBOUR);
	for (unsigned i = 0; i < 40; i++)
		(void)submit(&world, JOB_NORMAL);
	int64_t neighbours = submit_as(&world, NEIGHBOUR, JOB_NORMAL);
	for (unsigned i = 0; i < 20; i++) {
		world_wait(&world, 901);
		ran += runs(&world, neighbours);
	}
	assert_true(ran >= 4); /* not half: what waited for an hour counts as of a higher level */
	helped_end(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slice__is_over__the_next_of_the_level_has_its_turn),
		cmocka_unit_test(low__waits_behind_many__has_a_slice_in_time),
		cmocka_unit_test(owner__was_away__that_was_no_waiting_for_a_slot),
		cmocka_unit_test(foreground__comes__the_background_makes_way_at_once),
		cmocka_unit_test(job__cannot_begin__others_run),
		cmocka_unit_test(clock__is_set__everybody_has_a_turn_all_the_same),
		cmocka_unit_test(clock__jumps_ahead__low_has_waited_no_longer_for_that),
		cmocka_unit_test(priority__changes_in_a_slot__counts_at_once),
		cmocka_unit_test(names__are_given_and_removed__without_a_slot),
		cmocka_unit_test(server__has_no_ranges__what_takes_longer_than_a_slice_is_whole_in_the_end),
		cmocka_unit_test(slots__are_many_with_many_files__each_job_has_one_in_transfer),
		cmocka_unit_test(owner__has_many_jobs__another_ones_only_job_has_its_turns),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
