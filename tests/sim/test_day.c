/* A day of a machine, of which build/test_day.py reads the log: two programs submit, a server fails, a helper token is lent and
 * lost, somebody is refused, a configuration is bad, the network goes, the disk is in trouble, and the service stops.
 * $FERRY_DAY names the file to which the log is copied. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "helped.h"
#include "platform/file.h"

#define UPDATER "C:\\Acme\\updater.exe"
#define AGENT_PROGRAM "C:\\Build\\agent.exe"
#define MINUTES(count) ((int64_t)(count) * 60)

static int64_t submit(struct world *world, enum person person, const char *name, uint32_t files, const char *correlation)
{
	const struct world_order order = { .owner = person, .files = files, .auto_complete = true, .name = name,
		                           .correlation = correlation };

	world->client = person;
	world->program = person == OWNER ? UPDATER : AGENT_PROGRAM;
	return world_create(world, &order);
}

/* Two programs, of two owners, and both are served. */
static void morning(struct world *world)
{
	int64_t updates = submit(world, OWNER, "updates", 2, "aaaaaaaa-0000-4000-8000-000000000001");

	helped_resume(world, updates);
	helped_run_to(world, updates, JOB_ACKNOWLEDGED);
	world_wait(world, MINUTES(60));
	world_hello_as(world, NEIGHBOUR);
	world->first_file = 2;
	int64_t sources = submit(world, NEIGHBOUR, "sources", 1, "bbbbbbbb-0000-4000-8000-000000000002");

	helped_resume(world, sources);
	helped_run_to(world, sources, JOB_ACKNOWLEDGED);
	world_wait(world, MINUTES(60));
}

/* A server that is down for half an hour. */
static void failure(struct world *world)
{
	world->first_file = 3;
	world->files[3].dead = true;
	int64_t row = submit(world, OWNER, "tool", 1, "cccccccc-0000-4000-8000-000000000003");

	helped_resume(world, row);
	world_wait(world, MINUTES(30));
	world->files[3].dead = false;
	helped_run_to(world, row, JOB_ACKNOWLEDGED);
	world_wait(world, MINUTES(30));
}

/* The helper logs off while the job fetches as him; then he is back. */
static void helper(struct world *world)
{
	world->first_file = 4;
	world->files[4].stuck = true;
	int64_t row = submit(world, OWNER, "licensed", 1, "dddddddd-0000-4000-8000-000000000004");

	assert_int_equal(world_flags(world, row, HELPER_NETWORK), RESULT_OK);
	assert_int_equal(world_lend(world, row, &from_helper), RESULT_OK);
	helped_resume(world, row);
	world_wait(world, MINUTES(5));
	world_session_ended(world, 5);
	world_wait(world, MINUTES(5));
	assert_int_equal(world_state(world, row), JOB_ERROR);
	world->files[4].stuck = false;
	world_session_began(world, 5);
	assert_int_equal(world_lend(world, row, &from_helper), RESULT_OK);
	helped_resume(world, row);
	helped_run_to(world, row, JOB_ACKNOWLEDGED);
	world_wait(world, MINUTES(50));
}

static void refusal(struct world *world)
{
	text_display(world->settings.allow_destinations.items[0], 16, "/elsewhere");
	world->settings.allow_destinations.count = 1;
	world->first_file = 5;
	assert_int_equal(submit(world, NEIGHBOUR, "forbidden", 1, "eeeeeeee-0000-4000-8000-000000000005"), -1);
	world->settings.allow_destinations.count = 0;
	world_wait(world, MINUTES(60));
}

static void configuration(struct world *world)
{
	world->wanted = world->settings;
	world->unreadable = true;
	world_reload(world);
	world_wait(world, MINUTES(10));
	world->unreadable = false;
	world->wanted.queue_background_jobs_max = 7;
	world_reload(world);
	world_wait(world, MINUTES(50));
}

static void network(struct world *world)
{
	world_network(world, (struct network_state){ .reach = NETWORK_NONE });
	world_wait(world, MINUTES(5));
	world_network(world, (struct network_state){ .reach = NETWORK_CONNECTED, .ways = 2, .metered = true });
	world_wait(world, MINUTES(25));
	world_network(world, (struct network_state){ .reach = NETWORK_CONNECTED, .ways = 1 });
	world_wait(world, MINUTES(30));
}

/* What is submitted while the queue cannot be written is not taken, and is submitted again. */
static void disk(struct world *world)
{
	world->first_file = 6;
	world->break_turn = true;
	(void)submit(world, OWNER, "late", 1, "ffffffff-0000-4000-8000-000000000006");
	assert_int_equal(world->resumed, RESULT_STORE_BUSY);
	world_wait(world, 30);
	int64_t row = submit(world, OWNER, "late", 1, "ffffffff-0000-4000-8000-000000000006");

	helped_resume(world, row);
	helped_run_to(world, row, JOB_ACKNOWLEDGED);
	world->first_file = 7;
	row = submit(world, OWNER, "not meant", 1, NULL);
	assert_int_equal(world_set(world, row, PROPERTY_PRIORITY | PROPERTY_RETRY_DELAY,
	                           &(struct job_properties){ .priority = JOB_LOW, .retry_delay_s = 60 }), RESULT_OK);
	world->program = "C:\\Windows\\System32\\ferry.exe";
	assert_int_equal(world_cancel(world, row), RESULT_OK);
	world_settle(world);
}

static void copy_log(const struct world *world)
{
	AUTO(buffer) struct buffer log = BUFFER(1 << 24);
	const char *to = getenv("FERRY_DAY");
	char path[600];

	text_display(path, sizeof(path), "%s%cferry.jsonl", world->folder, file_path_style == PATH_WINDOWS ? '\\' : '/');
	assert_int_equal(file_read_all(path, &log, NULL), RESULT_OK);
	FILE *file = to != NULL ? fopen(to, "wb") : NULL;
	assert_true(to == NULL || file != NULL);
	if (file != NULL) {
		assert_int_equal(fwrite(log.bytes, 1, log.length, file), log.length);
		assert_int_equal(fclose(file), 0);
	}
}

static void day__of_a_machine__is_told_by_its_events(void **state)
{
	struct world world;

	(void)state;
	helped_begin(&world, 1);
	morning(&world);
	failure(&world);
	helper(&world);
	refusal(&world);
	configuration(&world);
	network(&world);
	disk(&world);
	engine_stop(world.engine);
	engine_run(world.engine);
	assert_int_equal(world_events(&world, EVENT_SERVICE_STOPPED), 1);
	copy_log(&world);
	helped_end(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(day__of_a_machine__is_told_by_its_events) };

	return cmocka_run_group_tests_name("sim/day", tests, NULL, NULL);
}
