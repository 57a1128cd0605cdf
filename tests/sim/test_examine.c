/* What the engine tells ferry doctor of the queue and the configuration. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/doctor.h"
#include "helped.h"
#include "world_private.h"

static struct doctor_facts facts;

static const struct doctor_facts *examine(struct world *world)
{
	memset(&facts, 0, sizeof(facts));
	engine_examine(world->engine, &facts);
	return &facts;
}

static void examine__of_a_queue_in_use__tells_what_is_there(void **state)
{
	struct world world;

	(void)state;
	helped_begin(&world, 1);
	assert_int_equal(examine(&world)->newest_ms, 0);
	(void)helped_submit(&world, OWNER, JOB_NORMAL, true);
	int64_t created_ms = world.wall_ms;
	world_wait(&world, 5);
	examine(&world);
	assert_int_equal(facts.trouble.result, RESULT_OK);
	assert_int_equal(facts.queue.result, RESULT_OK);
	assert_int_equal(facts.jobs, 1);
	assert_in_range(facts.newest_ms, created_ms - 1000, created_ms);
	assert_int_equal(facts.now_ms, world.wall_ms);
	assert_true(facts.settings_good);
	assert_string_equal(facts.unwatched, "");
	char why[] = "no handle";
	world.engine->parts.unwatched = why;
	examine(&world);
	strcpy(why, "another"); /* as the engine's thread might, while another one judges */
	assert_string_equal(facts.unwatched, "no handle");
	helped_end(&world);
}

static int64_t slow_mono(void *context)
{
	return ((struct world *)context)->mono_ms += 50;
}

static void examine__of_a_large_queue__ends_in_time(void **state)
{
	struct world world;

	(void)state;
	helped_begin(&world, 2);
	for (unsigned i = 0; i < world.settings.queue_jobs_per_owner_max; i++)
		(void)helped_submit(&world, OWNER, JOB_LOW, true);
	assert_int_equal(examine(&world)->queue.result, RESULT_OK);
	struct clock usual = world.engine->parts.clock;
	world.engine->parts.clock.mono_ms = slow_mono;
	assert_int_equal(examine(&world)->queue.result, RESULT_CANCELLED);
	world.engine->parts.clock = usual;
	assert_int_equal(examine(&world)->queue.result, RESULT_OK);
	helped_end(&world);
}

static void examine__while_the_queue_cannot_be_written__says_why(void **state)
{
	struct world world;

	(void)state;
	helped_begin(&world, 3);
	world.break_turn = true;
	(void)world_submit(&world, 1, true);
	assert_int_not_equal(examine(&world)->trouble.result, RESULT_OK);
	assert_string_not_equal(facts.trouble.what, "");
	world_wait(&world, 10);
	assert_int_equal(examine(&world)->trouble.result, RESULT_OK);
	helped_end(&world);
}

static void examine__after_a_reload_that_was_refused__has_its_errors(void **state)
{
	struct world world;

	(void)state;
	helped_begin(&world, 4);
	world.wanted = world.settings;
	world.unreadable = true;
	world_reload(&world);
	assert_false(examine(&world)->settings_good);
	assert_string_not_equal(facts.settings_errors, "");
	world.unreadable = false;
	world_reload(&world);
	assert_true(examine(&world)->settings_good);
	helped_end(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(examine__of_a_queue_in_use__tells_what_is_there),
		cmocka_unit_test(examine__of_a_large_queue__ends_in_time),
		cmocka_unit_test(examine__while_the_queue_cannot_be_written__says_why),
		cmocka_unit_test(examine__after_a_reload_that_was_refused__has_its_errors),
	};
	return cmocka_run_group_tests_name("sim/examine", tests, NULL, NULL);
}
