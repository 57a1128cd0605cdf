/* Metrics: what they count, and the file for a collector, which costs nothing while nobody wants it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "core/metrics.h"
#include "helped.h"
#include "platform/file.h"
#include "runtime/store_private.h"
#include "world_private.h"

static struct buffer metrics_of(struct world *world)
{
	struct buffer text = BUFFER(METRICS_BYTES_MAX);

	assert_int_equal(engine_metrics(world->engine, &text), RESULT_OK);
	return text;
}

static void expect(struct world *world, const char *sample)
{
	AUTO(buffer) struct buffer text = metrics_of(world);
	char line[128];

	snprintf(line, sizeof(line), "\n%s\n", sample);
	if (strstr(text.bytes, line) == NULL)
		fail_msg("'%s' is not in\n%s", sample, text.bytes);
}

static void metrics__of_jobs_that_end_wait_and_fail__count_them(void **state)
{
	struct world world;

	(void)state;
	helped_begin(&world, 1);
	expect(&world, "ferry_build_info{version=\"sim\"} 1");
	expect(&world, "ferry_start_time_seconds 1795000000.000");
	int64_t landed = helped_submit(&world, OWNER, JOB_NORMAL, false);
	helped_run_to(&world, landed, JOB_ACKNOWLEDGED);
	expect(&world, "ferry_files_landed_total 1");
	expect(&world, "ferry_fetches_total{result=\"OK\"} 1");
	char bytes[64];
	snprintf(bytes, sizeof(bytes), "ferry_fetched_bytes_total %llu", (unsigned long long)world.files[0].size);
	expect(&world, bytes);
	expect(&world, "ferry_jobs_ended_total{state=\"ACKNOWLEDGED\"} 1");

	world.files[1].fail_next_fetch = RESULT_CONNECT_FAILED;
	(void)helped_submit(&world, OWNER, JOB_NORMAL, false);
	expect(&world, "ferry_job_retries_total{result=\"CONNECT_FAILED\"} 1");
	expect(&world, "ferry_file_failures_total{result=\"CONNECT_FAILED\"} 1");
	expect(&world, "ferry_jobs_waiting{reason=\"retry-at\"} 1");
	world.files[2].fail_next_fetch = RESULT_HTTP_STATUS;
	(void)helped_submit(&world, OWNER, JOB_NORMAL, false);
	expect(&world, "ferry_job_failures_total{result=\"HTTP_STATUS\"} 1");
	expect(&world, "ferry_jobs{state=\"ERROR\"} 1");
	expect(&world, "ferry_jobs{state=\"ACKNOWLEDGED\"} 1");
	expect(&world, "ferry_jobs_created_total 3");
	expect(&world, "ferry_queue_writable 1");
	expect(&world, "ferry_config_last_reload_successful 1");
	helped_end(&world);
}

/* Jobs that are alike are looked at as one: they are counted apart where they wait for other things. */
static void metrics__of_waits__count_jobs_of_many_owners(void **state)
{
	struct world world;

	(void)state;
	helped_begin(&world, 2);
	world_hello_as(&world, NEIGHBOUR);
	world.settings.queue_background_jobs_max = 1;
	for (unsigned i = 0; i < 4; i++)
		(void)helped_submit(&world, OWNER, JOB_NORMAL, true);
	for (unsigned i = 0; i < 3; i++)
		(void)helped_submit(&world, NEIGHBOUR, JOB_LOW, true);
	expect(&world, "ferry_jobs_waiting{reason=\"slot\"} 6");
	expect(&world, "ferry_jobs{state=\"CONNECTING\"} 1");
	expect(&world, "ferry_files_active 1");
	expect(&world, "ferry_owners_present 2");
	world_session_ended(&world, 3);
	expect(&world, "ferry_jobs_waiting{reason=\"slot\"} 3");
	expect(&world, "ferry_jobs_waiting{reason=\"owner-absent\"} 3");
	helped_end(&world);
}

static void configuration__is_not_good__is_told_until_it_is(void **state)
{
	struct world world;

	(void)state;
	helped_begin(&world, 3);
	world.wanted = world.settings;
	world.unreadable = true;
	world_wait(&world, 5);
	world_reload(&world);
	expect(&world, "ferry_config_last_reload_successful 0");
	expect(&world, "ferry_config_last_reload_success_timestamp_seconds 1795000000.000");
	world.unreadable = false;
	world_reload(&world);
	expect(&world, "ferry_config_last_reload_successful 1");
	expect(&world, "ferry_config_last_reload_success_timestamp_seconds 1795000005.000");
	helped_end(&world);
}

static void turn__that_is_undone__is_counted(void **state)
{
	struct world world;

	(void)state;
	helped_begin(&world, 4);
	world.break_turn = true;
	(void)world_submit(&world, 1, true);
	expect(&world, "ferry_queue_failures_total 1");
	expect(&world, "ferry_queue_writable 0");
	world_wait(&world, 10);
	expect(&world, "ferry_queue_writable 1");
	helped_end(&world);
}

/* Every look at the clock takes its time. */
static int64_t slow_mono(void *context)
{
	return ((struct world *)context)->mono_ms += 50;
}

static void jobs__that_take_long_to_count__are_not_counted_all_the_time(void **state)
{
	struct world world;

	(void)state;
	helped_begin(&world, 7);
	struct clock usual = world.engine->parts.clock;
	world.engine->parts.clock.mono_ms = slow_mono;
	expect(&world, "ferry_jobs{state=\"ACKNOWLEDGED\"} 0");
	world.engine->parts.clock = usual;
	(void)helped_submit(&world, OWNER, JOB_NORMAL, false);
	expect(&world, "ferry_jobs{state=\"ACKNOWLEDGED\"} 0"); /* as they were counted last */
	expect(&world, "ferry_files_landed_total 1");
	world_wait(&world, 2);
	expect(&world, "ferry_jobs{state=\"ACKNOWLEDGED\"} 1");
	helped_end(&world);
}

/* --- the file --- */

static void want_file(struct world *world, const char *folder)
{
	world->wanted.metrics_textfile_folder.count = folder != NULL;
	if (folder != NULL)
		text_display(world->wanted.metrics_textfile_folder.items[0], 2048, "%s", folder);
	world_reload(world);
}

static void path_in(char path[700], const char *folder, const char *name)
{
	snprintf(path, 700, "%s%c%s", folder, file_path_style == PATH_WINDOWS ? '\\' : '/', name);
}

static enum result read_file(struct world *world, const char *name, struct buffer *to)
{
	char path[700];
	struct fault fault;

	buffer_clear(to);
	path_in(path, world->folder, name);
	return file_read_all(path, to, &fault);
}

static int64_t next_turn_in_ms(struct world *world)
{
	world_settle(world);
	return engine_turn(world->engine) - world->mono_ms;
}

static void file__while_it_is_wanted__is_written_every_so_often(void **state)
{
	struct world world;
	AUTO(buffer) struct buffer text = BUFFER(METRICS_BYTES_MAX);

	(void)state;
	helped_begin(&world, 5);
	world.wanted = world.settings;
	assert_true(next_turn_in_ms(&world) > 60000); /* nothing is done on its account */
	assert_int_equal(read_file(&world, METRICS_FILE, &text), RESULT_PATH_NOT_FOUND);

	want_file(&world, world.folder);
	assert_int_equal(read_file(&world, METRICS_FILE, &text), RESULT_OK);
	assert_non_null(strstr(text.bytes, "\nferry_jobs_created_total 0\n"));
	assert_true(engine_turn(world.engine) - world.mono_ms <= 60000);
	(void)helped_submit(&world, OWNER, JOB_NORMAL, false);
	assert_int_equal(read_file(&world, METRICS_FILE, &text), RESULT_OK);
	assert_non_null(strstr(text.bytes, "\nferry_jobs_created_total 0\n")); /* not yet */
	world_wait(&world, 61);
	assert_int_equal(read_file(&world, METRICS_FILE, &text), RESULT_OK);
	assert_non_null(strstr(text.bytes, "\nferry_jobs_created_total 1\n"));
	assert_int_equal(read_file(&world, METRICS_FILE ".new", &text), RESULT_PATH_NOT_FOUND);
	want_file(&world, NULL);
	assert_true(next_turn_in_ms(&world) > 60000);
	helped_end(&world);
}

static void file__that_cannot_be_written__is_told_once_until_it_can(void **state)
{
	struct world world;
	char folder[700];

	(void)state;
	helped_begin(&world, 6);
	world.wanted = world.settings;
	path_in(folder, world.folder, "not-there");
	want_file(&world, folder);
	for (unsigned i = 0; i < 5; i++)
		world_wait(&world, 61);
	assert_int_equal(world_events(&world, EVENT_METRICS_NOT_WRITTEN), 1);
	want_file(&world, world.folder);
	want_file(&world, folder);
	assert_int_equal(world_events(&world, EVENT_METRICS_NOT_WRITTEN), 2);
	helped_end(&world);
}

/* --- a queue that cannot be written --- */

static void make_writable(struct world *world, bool writable)
{
	const char *sql = writable ? "PRAGMA query_only = OFF" : "PRAGMA query_only = ON";

	assert_int_equal(sqlite3_exec(world->store->db, sql, NULL, NULL, NULL), SQLITE_OK);
}

static void queue__that_cannot_be_written__is_told_once_and_recovers_once(void **state)
{
	struct world world;
	AUTO(buffer) struct buffer text = BUFFER(METRICS_BYTES_MAX);

	(void)state;
	helped_begin(&world, 8);
	world.wanted = world.settings;
	want_file(&world, world.folder);
	make_writable(&world, false);
	(void)world_submit(&world, 1, true);
	for (unsigned i = 0; i < 10; i++) { /* nobody asks for anything: a turn has nothing to commit */
		world_wait(&world, 61);
		expect(&world, "ferry_queue_writable 0");
	}
	assert_int_equal(world_events(&world, EVENT_STORE_TROUBLE), 1);
	assert_int_equal(world_events(&world, EVENT_STORE_RECOVERED), 0);
	assert_int_equal(read_file(&world, METRICS_FILE, &text), RESULT_OK);
	assert_non_null(strstr(text.bytes, "\nferry_queue_writable 0\n"));
	make_writable(&world, true);
	world_wait(&world, 10);
	expect(&world, "ferry_queue_writable 1");
	assert_int_equal(world_events(&world, EVENT_STORE_RECOVERED), 1);
	helped_end(&world);
}

/* A turn's letter that notes an event and leaves what can be committed with the next turn's. */
static void note_and_wait(struct letter *letter, void *receiver)
{
	struct engine *engine = receiver;

	(void)letter;
	if (engine == NULL)
		return;
	EVENTS_NOTE(engine->parts.events, OWNER_PRESENT, .identity = "made up");
	engine->waiting = 1;
	engine->metrics_at_ms = 0;
}

static void file__that_cannot_be_written__tells_nothing_of_a_turn_that_is_not_committed(void **state)
{
	static struct letter letter = { .deliver = note_and_wait };
	struct world world;
	char folder[700];

	(void)state;
	helped_begin(&world, 9);
	world.wanted = world.settings;
	path_in(folder, world.folder, "not-there");
	want_file(&world, world.folder);
	world.wanted.metrics_textfile_folder.count = 0;
	text_display(world.engine->parts.settings->metrics_textfile_folder.items[0], 2048, "%s", folder);
	unsigned before = world_events(&world, EVENT_OWNER_PRESENT);
	engine_post(world.engine, &letter);
	(void)engine_turn(world.engine);
	assert_int_equal(world_events(&world, EVENT_OWNER_PRESENT), before);
	world.break_turn = true;
	(void)world_submit(&world, 1, true);
	assert_int_equal(world_events(&world, EVENT_OWNER_PRESENT), before);
	assert_int_equal(world_events(&world, EVENT_METRICS_NOT_WRITTEN), 1);
	helped_end(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(metrics__of_jobs_that_end_wait_and_fail__count_them),
		cmocka_unit_test(metrics__of_waits__count_jobs_of_many_owners),
		cmocka_unit_test(configuration__is_not_good__is_told_until_it_is),
		cmocka_unit_test(turn__that_is_undone__is_counted),
		cmocka_unit_test(jobs__that_take_long_to_count__are_not_counted_all_the_time),
		cmocka_unit_test(file__while_it_is_wanted__is_written_every_so_often),
		cmocka_unit_test(file__that_cannot_be_written__is_told_once_until_it_can),
		cmocka_unit_test(queue__that_cannot_be_written__is_told_once_and_recovers_once),
		cmocka_unit_test(file__that_cannot_be_written__tells_nothing_of_a_turn_that_is_not_committed),
	};
	return cmocka_run_group_tests_name("sim/metrics", tests, NULL, NULL);
}
