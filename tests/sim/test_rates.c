/* Times at which jobs of some priority may not fetch. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "helped.h"
#include "runtime/engine_private.h"

/* From so many minutes after the world's beginning, for so many. */
static void add_rule(struct world *world, unsigned in_minutes, unsigned for_minutes, const char *what)
{
	static const char *const days[] = { "mon", "tue", "wed", "thu", "fri", "sat", "sun" };
	struct world now = { .wall_ms = 0 };
	char *item = world->settings.rate_limits.items[world->settings.rate_limits.count++];
	unsigned from, to;

	helped_begin(&now, 1);
	from = now.parts.clock.local_minute(&now, now.wall_ms) + in_minutes;
	helped_end(&now);
	to = from + for_minutes;
	from %= RATE_WEEK_MINUTES;
	snprintf(item, sizeof(world->settings.rate_limits.items[0]), "%s %02u:%02u-%02u:%02u %s", days[from / 1440],
	         from / 60 % 24, from % 60, to / 60 % 24, to % 60, what);
}

/* The rules are read at a start. */
static void begin(struct world *world)
{
	world_crash(world);
	world_hello(world);
}

static int64_t submit(struct world *world, enum job_priority priority, bool stuck)
{
	return helped_submit(world, OWNER, priority, stuck);
}

static void level__is_off__its_jobs_wait_and_say_until_when(void **state)
{
	struct world world;

	(void)state;
	helped_begin(&world, 1);
	int64_t begun_ms = world.wall_ms;
	add_rule(&world, 0, 120, "low off");
	begin(&world);
	int64_t low = submit(&world, JOB_LOW, false), normal = submit(&world, JOB_NORMAL, false);
	struct job_status status = helped_status(&world, low);

	assert_int_equal(world_state(&world, normal), JOB_ACKNOWLEDGED);
	assert_int_equal(status.job.state, JOB_QUEUED);
	assert_int_equal(status.wait, JOB_WAIT_RATE);
	assert_in_range(status.job.next_try_ms, begun_ms + 119 * 60000, begun_ms + 120 * 60000);
	assert_int_equal(world_events(&world, EVENT_RATES), 1);
	world_wait(&world, 118 * 60);
	assert_int_equal(world_state(&world, low), JOB_QUEUED);
	world_wait(&world, 2 * 60);
	assert_int_equal(world_state(&world, low), JOB_ACKNOWLEDGED);
	assert_int_equal(world_events(&world, EVENT_RATES), 2);
	helped_end(&world);
}

static void window__begins__what_runs_gives_its_slot_back_and_goes_on_where_it_was(void **state)
{
	struct world world;

	(void)state;
	helped_begin(&world, 2);
	world.settings.queue_background_jobs_max = 1;
	add_rule(&world, 60, 600, "background off");
	begin(&world);
	int64_t low = submit(&world, JOB_LOW, true), foreground;

	assert_true(job_state_is_active(world_state(&world, low)));
	world_wait(&world, 61 * 60);
	assert_int_equal(world_state(&world, low), JOB_QUEUED);
	assert_int_equal(helped_status(&world, low).wait, JOB_WAIT_RATE);
	foreground = submit(&world, JOB_FOREGROUND, false);
	assert_int_equal(world_state(&world, foreground), JOB_ACKNOWLEDGED);
	/* That was no waiting for a slot: a higher level comes first when the night is over. */
	world_wait(&world, 595 * 60);
	int64_t high = submit(&world, JOB_HIGH, true);
	world_wait(&world, 6 * 60);
	assert_true(job_state_is_active(world_state(&world, high)));
	assert_int_equal(helped_status(&world, low).wait, JOB_WAIT_SLOT);
	for (unsigned i = 0; i < WORLD_FILES_MAX; i++)
		world.files[i].stuck = false;
	world_wait(&world, 60);
	assert_int_equal(world_state(&world, low), JOB_ACKNOWLEDGED);
	helped_end(&world);
}

static void all__is_off__nobody_fetches_and_whole_files_get_their_names(void **state)
{
	struct world world;

	(void)state;
	helped_begin(&world, 3);
	add_rule(&world, 60, 60, "all off");
	begin(&world);
	int64_t whole = world_create(&world, &(struct world_order){ .files = 1 });

	helped_resume(&world, whole);
	helped_run_to(&world, whole, JOB_TRANSFERRED);
	world_wait(&world, 61 * 60);
	world.first_file = 1;
	int64_t row = submit(&world, JOB_FOREGROUND, false);
	assert_int_equal(helped_status(&world, row).wait, JOB_WAIT_RATE);
	assert_int_equal(world_complete(&world, whole), RESULT_OK);
	helped_run_to(&world, whole, JOB_ACKNOWLEDGED);
	assert_int_equal(world_state(&world, row), JOB_QUEUED);
	world_wait(&world, 60 * 60);
	helped_run_to(&world, row, JOB_ACKNOWLEDGED);
	helped_end(&world);
}

static void rule__is_for_ever__says_no_time_and_keeps_nobody_from_giving_names(void **state)
{
	struct world world;

	(void)state;
	helped_begin(&world, 5);
	int64_t part = submit(&world, JOB_LOW, true);
	world.settings.rate_limits.count = 2;
	snprintf(world.settings.rate_limits.items[0], sizeof(world.settings.rate_limits.items[0]), "low off");
	snprintf(world.settings.rate_limits.items[1], sizeof(world.settings.rate_limits.items[1]), "mon-sun 12:00-13:00 high 1MB/s");
	begin(&world);
	int64_t swept = submit(&world, JOB_LOW, false);
	for (unsigned i = 0; i < RUNNABLE_MAX + 1; i++)
		(void)submit(&world, JOB_LOW, false);
	assert_int_equal(helped_status(&world, swept).wait, JOB_WAIT_RATE);
	assert_int_equal(helped_status(&world, swept).job.next_try_ms, 0);
	assert_int_equal(world_cancel(&world, swept), RESULT_OK);
	assert_int_equal(world_complete(&world, part), RESULT_OK);
	world_wait(&world, 5);
	assert_int_equal(helped_status(&world, swept).job.work, JOB_WORK_NONE);
	assert_int_equal(world_state(&world, part), JOB_ACKNOWLEDGED);
	helped_end(&world);
}

static void priority__changes_while_it_fetches__its_transfer_is_told(void **state)
{
	struct world world;

	(void)state;
	helped_begin(&world, 6);
	int64_t row = submit(&world, JOB_LOW, true);
	assert_int_equal(world.files[0].priority, JOB_LOW);
	assert_int_equal(world_set(&world, row, PROPERTY_PRIORITY, &(struct job_properties){ .priority = JOB_FOREGROUND }), RESULT_OK);
	assert_int_equal(world.files[0].priority, JOB_FOREGROUND);
	helped_end(&world);
}

/* Without a rule there is nothing to wake for. */
static void rules__are_none__nothing_is_looked_at(void **state)
{
	struct world world;

	(void)state;
	helped_begin(&world, 4);
	assert_true(world.engine->rates_at_ms == INT64_MAX);
	add_rule(&world, 0, 60, "all 1MB/s");
	begin(&world);
	assert_int_equal(world.engine->rates.per_s[RATE_ALL], 1000000);
	assert_in_range(world.engine->rates_at_ms - world.mono_ms, 1, 60000); /* the clock may be set */
	snprintf(world.settings.rate_limits.items[0], sizeof(world.settings.rate_limits.items[0]), "all 1MB/s");
	begin(&world);
	assert_true(world.engine->rates_at_ms == INT64_MAX);
	assert_int_equal(world_state(&world, submit(&world, JOB_LOW, false)), JOB_ACKNOWLEDGED);
	helped_end(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(level__is_off__its_jobs_wait_and_say_until_when),
		cmocka_unit_test(window__begins__what_runs_gives_its_slot_back_and_goes_on_where_it_was),
		cmocka_unit_test(all__is_off__nobody_fetches_and_whole_files_get_their_names),
		cmocka_unit_test(rule__is_for_ever__says_no_time_and_keeps_nobody_from_giving_names),
		cmocka_unit_test(priority__changes_while_it_fetches__its_transfer_is_told),
		cmocka_unit_test(rules__are_none__nothing_is_looked_at),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
