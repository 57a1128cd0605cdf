/* The machine's network and power: what failed while there was no network is tried when it is back, and no more often than
 * that; who may not fetch on a network that costs, or while the battery is saved, waits and says why. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "helped.h"
#include "world_private.h"

#define JOBS 12

static const struct network_state none = { .reach = NETWORK_NONE }, there = { .reach = NETWORK_CONNECTED, .ways = 1 };

static void let_answer(struct world *world, bool answers)
{
	for (unsigned i = 0; i < WORLD_FILES_MAX; i++)
		world->files[i].dead = !answers;
}

static unsigned asked(const struct world *world)
{
	unsigned count = 0;

	for (unsigned i = 0; i < WORLD_FILES_MAX; i++)
		count += world->files[i].asked;
	return count;
}

static int64_t submit(struct world *world, enum job_priority priority)
{
	int64_t row = world_create(world, &(struct world_order){ .files = 1, .auto_complete = true });

	world->first_file++;
	assert_int_equal(world_set(world, row, PROPERTY_PRIORITY | PROPERTY_RETRY_DELAY,
	                           &(struct job_properties){ .priority = priority, .retry_delay_s = 600 }), RESULT_OK);
	helped_resume(world, row);
	return row;
}

/* Jobs that have failed for hours, so that each waits for minutes. */
static void lose(struct world *world, int64_t rows[JOBS])
{
	let_answer(world, false);
	world_network(world, none);
	for (unsigned i = 0; i < JOBS; i++)
		rows[i] = submit(world, JOB_NORMAL);
	world_wait(world, 2 * 3600);
	for (unsigned i = 0; i < JOBS; i++) {
		struct job_status status = helped_status(world, rows[i]);

		assert_int_equal(status.job.state, JOB_TRANSIENT_ERROR);
		assert_int_equal(status.wait, JOB_WAIT_NO_NETWORK);
		assert_true(status.job.attempts > 10);
	}
}

static void network__is_back__what_failed_is_tried_at_once_and_not_all_in_one_instant(void **state)
{
	struct world world;
	int64_t rows[JOBS];
	unsigned at_first = 0;

	(void)state;
	helped_begin(&world, 1);
	lose(&world, rows);
	let_answer(&world, true);
	world_network(&world, there);
	(void)engine_turn(world.engine);
	for (unsigned i = 0; i < JOBS; i++) {
		struct job_status status = helped_status(&world, rows[i]);

		assert_in_range(status.job.next_try_ms, world.wall_ms, world.wall_ms + 3000);
		assert_true(status.job.attempts > 10); /* they stay */
		assert_int_equal(status.wait, status.job.next_try_ms > world.wall_ms ? JOB_WAIT_RETRY : JOB_WAIT_SLOT);
		at_first += status.job.next_try_ms < world.wall_ms + 1500;
	}
	assert_in_range(at_first, 1, JOBS - 1);
	world_wait(&world, 5);
	for (unsigned i = 0; i < JOBS; i++)
		assert_int_equal(world_state(&world, rows[i]), JOB_ACKNOWLEDGED);
	helped_end(&world);
}

/* As soon as it says that it is back, and once more when the rest of it may be there, too. */
static void network__flaps__nobody_is_hammered(void **state)
{
	struct world world;
	int64_t rows[JOBS];

	(void)state;
	helped_begin(&world, 2);
	lose(&world, rows);
	unsigned before = asked(&world);

	for (unsigned s = 0; s < 600; s++) {
		world_network(&world, s % 2 == 0 ? there : none);
		world_wait(&world, 1);
	}
	/* A round in 30 s, and what the jobs would have done by themselves. */
	assert_in_range(asked(&world) - before, JOBS, JOBS * (600 / 30 + 3));
	for (uint64_t ways = 2; ways < 602; ways++) {
		world_network(&world, (struct network_state){ .reach = NETWORK_CONNECTED, .ways = ways });
		world_wait(&world, 1);
	}
	assert_in_range(asked(&world) - before, JOBS, 2 * JOBS * (600 / 30 + 3));
	for (unsigned i = 0; i < JOBS; i++)
		assert_true(helped_status(&world, rows[i]).job.attempts > 10);
	let_answer(&world, true);
	world_network(&world, there);
	world_wait(&world, 35);
	for (unsigned i = 0; i < JOBS; i++)
		assert_int_equal(world_state(&world, rows[i]), JOB_ACKNOWLEDGED);
	helped_end(&world);
}

/* The address is there before names can be resolved. */
static void network__gets_better_in_steps__the_later_one_is_not_missed(void **state)
{
	struct world world;
	int64_t rows[JOBS];

	(void)state;
	helped_begin(&world, 3);
	lose(&world, rows);
	world_network(&world, there);
	world_wait(&world, 4); /* they are tried in vain */
	world_network(&world, (struct network_state){ .reach = NETWORK_CONNECTED, .ways = 2 });
	world_wait(&world, 1);
	let_answer(&world, true);
	world_wait(&world, 35);
	for (unsigned i = 0; i < JOBS; i++)
		assert_int_equal(world_state(&world, rows[i]), JOB_ACKNOWLEDGED);
	helped_end(&world);
}

static void network__is_none_as_it_says__what_can_be_reached_is_fetched(void **state)
{
	struct world world;

	(void)state;
	helped_begin(&world, 4);
	world_network(&world, none);
	int64_t row = submit(&world, JOB_NORMAL);
	helped_run_to(&world, row, JOB_ACKNOWLEDGED);
	/* And whose server is dead, and reached, does not blame the network. */
	world.files[1].fail_next_fetch = RESULT_HTTP_TRANSIENT;
	row = submit(&world, JOB_NORMAL);
	helped_run_to(&world, row, JOB_TRANSIENT_ERROR);
	assert_int_equal(helped_status(&world, row).wait, JOB_WAIT_RETRY);
	helped_run_to(&world, row, JOB_ACKNOWLEDGED);
	helped_end(&world);
}

static void network__is_back__other_failures_and_what_a_server_asked_for_wait_on(void **state)
{
	struct world world;

	(void)state;
	helped_begin(&world, 5);
	world.files[0].fail_next_fetch = RESULT_HTTP_TRANSIENT;
	world.files[0].retry_after_s = 500;
	int64_t asked_to_stay_away = submit(&world, JOB_NORMAL);
	helped_run_to(&world, asked_to_stay_away, JOB_TRANSIENT_ERROR);
	int64_t until_ms = helped_status(&world, asked_to_stay_away).job.next_try_ms;
	world_network(&world, none);
	world_wait(&world, 5);
	assert_int_equal(helped_status(&world, asked_to_stay_away).wait, JOB_WAIT_RETRY);
	world_network(&world, there);
	world_wait(&world, 5);
	assert_true(helped_status(&world, asked_to_stay_away).job.next_try_ms == until_ms);
	/* Nor is its host asked by another job. */
	int64_t other = submit(&world, JOB_NORMAL);
	world_wait(&world, 5);
	assert_int_equal(world_state(&world, other), JOB_TRANSIENT_ERROR);
	helped_end(&world);
}

/* Twelve jobs' failures make their host rest for minutes; that was no fault of its own. */
static void network__is_back__hosts_that_it_took_along_are_asked_by_others(void **state)
{
	struct world world;
	int64_t rows[JOBS];

	(void)state;
	helped_begin(&world, 6);
	lose(&world, rows);
	assert_non_null(world.engine->hosts);
	let_answer(&world, true);
	world_network(&world, there);
	(void)engine_turn(world.engine);
	assert_null(world.engine->hosts);
	int64_t row = submit(&world, JOB_NORMAL);
	world_wait(&world, 0);
	assert_int_equal(world_state(&world, row), JOB_ACKNOWLEDGED);
	helped_end(&world);
}

static void network__is_back_while_a_try_is_under_way__its_failure_counts_as_from_before(void **state)
{
	struct world world;

	(void)state;
	helped_begin(&world, 7);
	let_answer(&world, false);
	world_network(&world, none);
	int64_t row = submit(&world, JOB_NORMAL);
	world_wait(&world, 2 * 3600);
	world.files[0].dead = false;
	world.files[0].stuck = true;
	while (!job_state_is_active(world_state(&world, row)))
		assert_true(world_step(&world));
	world_network(&world, there);
	world_wait(&world, 20);
	assert_true(job_state_is_active(world_state(&world, row)));
	world.files[0].stuck = false;
	world.files[0].fail_next_fetch = RESULT_STALLED;
	helped_run_to(&world, row, JOB_TRANSIENT_ERROR);
	assert_in_range(helped_status(&world, row).job.next_try_ms, world.wall_ms, world.wall_ms + 3000);
	/* Once: what fails from now on is not the network's fault. */
	world.files[0].dead = true;
	world_wait(&world, 10);
	assert_int_equal(world_state(&world, row), JOB_TRANSIENT_ERROR);
	assert_true(helped_status(&world, row).job.next_try_ms > world.wall_ms + 200 * 1000);
	helped_end(&world);
}

static void network__is_back_in_a_turn_that_is_undone__is_not_forgotten(void **state)
{
	struct world world;
	int64_t rows[JOBS];

	(void)state;
	helped_begin(&world, 8);
	lose(&world, rows);
	let_answer(&world, true);
	world_network(&world, there);
	world.break_turn = true;
	world_break_turn(&world);
	(void)engine_turn(world.engine);
	assert_int_equal(world_events(&world, EVENT_STORE_TROUBLE), 1);
	world_wait(&world, 60);
	for (unsigned i = 0; i < JOBS; i++)
		assert_int_equal(world_state(&world, rows[i]), JOB_ACKNOWLEDGED);
	helped_end(&world);
}

/* --- cost and power --- */

static void costs__begin_and_end__the_background_waits_and_what_runs_gives_way(void **state)
{
	static const struct {
		struct network_state now;
		enum job_wait wait;
	} costs[] = {
		{ { .reach = NETWORK_CONNECTED, .ways = 1, .metered = true }, JOB_WAIT_METERED },
		{ { .reach = NETWORK_CONNECTED, .ways = 1, .roaming = true }, JOB_WAIT_ROAMING },
		{ { .reach = NETWORK_CONNECTED, .ways = 1, .battery_saver = true }, JOB_WAIT_BATTERY_SAVER },
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(costs) / sizeof(costs[0]); i++) {
		struct world world;

		helped_begin(&world, 10 + i);
		world.files[0].stuck = true;
		int64_t running = submit(&world, JOB_HIGH);
		world_wait(&world, 1);
		assert_true(job_state_is_active(world_state(&world, running)));
		world_network(&world, costs[i].now);
		world_wait(&world, 1);
		assert_int_equal(world_events(&world, EVENT_NETWORK_COST), 1);
		int64_t waiting = submit(&world, JOB_LOW), foreground = submit(&world, JOB_FOREGROUND);
		world_wait(&world, 60);
		assert_int_equal(world_state(&world, foreground), JOB_ACKNOWLEDGED);
		assert_int_equal(world_state(&world, running), JOB_QUEUED);
		assert_int_equal(helped_status(&world, running).wait, costs[i].wait);
		assert_int_equal(helped_status(&world, waiting).wait, costs[i].wait);
		/* It is known again after a start. */
		world_crash(&world);
		world_hello(&world);
		world_wait(&world, 60);
		assert_int_equal(helped_status(&world, waiting).wait, costs[i].wait);
		world.files[0].stuck = false;
		world_network(&world, there);
		world_wait(&world, 1);
		assert_int_equal(world_state(&world, running), JOB_ACKNOWLEDGED);
		assert_int_equal(world_state(&world, waiting), JOB_ACKNOWLEDGED);
		helped_end(&world);
	}
}

static void costs__by_policy__nobody_or_everybody_waits_and_names_are_given(void **state)
{
	const struct network_state metered = { .reach = NETWORK_CONNECTED, .ways = 1, .metered = true };
	struct world world;

	(void)state;
	helped_begin(&world, 20);
	world.settings.network_metered = 4;
	world_network(&world, metered);
	int64_t low = submit(&world, JOB_LOW);
	helped_run_to(&world, low, JOB_ACKNOWLEDGED);
	int64_t whole = world_create(&world, &(struct world_order){ .files = 1 });
	world.first_file++;
	helped_resume(&world, whole);
	helped_run_to(&world, whole, JOB_TRANSFERRED);
	world.settings.network_metered = 0;
	world_network(&world, metered);
	int64_t foreground = submit(&world, JOB_FOREGROUND);
	world_wait(&world, 60);
	assert_int_equal(helped_status(&world, foreground).wait, JOB_WAIT_METERED);
	assert_int_equal(helped_status(&world, foreground).job.next_try_ms, 0);
	assert_int_equal(world_complete(&world, whole), RESULT_OK);
	helped_run_to(&world, whole, JOB_ACKNOWLEDGED);
	world_network(&world, there);
	world_wait(&world, 1);
	assert_int_equal(world_state(&world, foreground), JOB_ACKNOWLEDGED);
	helped_end(&world);
}

/* Waiting for a network is no waiting for a slot: a higher level comes first when both may fetch again. */
static void costs__end__time_that_was_held_back_has_not_aged(void **state)
{
	struct world world;

	(void)state;
	helped_begin(&world, 21);
	world.settings.queue_background_jobs_max = 1;
	world_network(&world, (struct network_state){ .reach = NETWORK_CONNECTED, .ways = 1, .metered = true });
	world.files[0].stuck = world.files[1].stuck = true;
	int64_t low = submit(&world, JOB_LOW);
	world_wait(&world, 10 * 3600);
	int64_t normal = submit(&world, JOB_NORMAL);
	world_network(&world, there);
	world_wait(&world, 1);
	assert_true(job_state_is_active(world_state(&world, normal)));
	assert_int_equal(helped_status(&world, low).wait, JOB_WAIT_SLOT);
	helped_end(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(network__is_back__what_failed_is_tried_at_once_and_not_all_in_one_instant),
		cmocka_unit_test(network__flaps__nobody_is_hammered),
		cmocka_unit_test(network__gets_better_in_steps__the_later_one_is_not_missed),
		cmocka_unit_test(network__is_none_as_it_says__what_can_be_reached_is_fetched),
		cmocka_unit_test(network__is_back__other_failures_and_what_a_server_asked_for_wait_on),
		cmocka_unit_test(network__is_back__hosts_that_it_took_along_are_asked_by_others),
		cmocka_unit_test(network__is_back_while_a_try_is_under_way__its_failure_counts_as_from_before),
		cmocka_unit_test(network__is_back_in_a_turn_that_is_undone__is_not_forgotten),
		cmocka_unit_test(costs__begin_and_end__the_background_waits_and_what_runs_gives_way),
		cmocka_unit_test(costs__by_policy__nobody_or_everybody_waits_and_names_are_given),
		cmocka_unit_test(costs__end__time_that_was_held_back_has_not_aged),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
