/* Events that could come without end: so many are told in ten minutes, and of the others the number. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/json.h"
#include "helped.h"
#include "platform/file.h"
#include "world_private.h"

#define TEN_MINUTES 600

/* The sum of a number over all events of an id. */
static uint64_t sum(const struct world *world, enum event_id id, const char *field)
{
	AUTO(buffer) struct buffer log = BUFFER(1 << 24);
	char path[600];
	uint64_t total = 0, of_event, number;

	text_display(path, sizeof(path), "%s%cferry.jsonl", world->folder, file_path_style == PATH_WINDOWS ? '\\' : '/');
	assert_int_equal(file_read_all(path, &log, NULL), RESULT_OK);
	for (const char *at = log.bytes, *end; at != NULL && (end = strchr(at, '\n')) != NULL; at = end + 1) {
		AUTO(json_document) struct json_document *line = NULL;

		assert_int_equal(json_parse((struct text_view){ at, (size_t)(end - at) }, JSON_WIRE, &line, NULL), RESULT_OK);
		struct json root = json_root(line);
		assert_int_equal(json_get_u64(json_member(root, "id"), 0, UINT16_MAX, &of_event, NULL), RESULT_OK);
		if (of_event != (uint64_t)id)
			continue;
		assert_int_equal(json_get_u64(json_member(root, field), 0, UINT32_MAX, &number, NULL), RESULT_OK);
		total += number;
	}
	return total;
}

static void retries__of_a_dead_server__are_told_once_in_ten_minutes_with_the_number_of_the_others(void **state)
{
	struct world world;

	(void)state;
	helped_begin(&world, 1);
	world.files[0].dead = true;
	int64_t row = world_submit(&world, 1, true);
	world_wait(&world, 1);
	assert_int_equal(world_events(&world, EVENT_JOB_RETRIES), 1);
	world_wait(&world, TEN_MINUTES - 30);
	uint32_t failed = helped_status(&world, row).job.error_count;
	assert_true(failed > 3);
	assert_int_equal(world_events(&world, EVENT_JOB_RETRIES), 1);
	for (unsigned i = 0; i < 30; i++) /* until the first one that is told again */
		if (world_events(&world, EVENT_JOB_RETRIES) == 1)
			world_wait(&world, 60);
	assert_int_equal(world_events(&world, EVENT_JOB_RETRIES), 2);
	assert_int_equal(sum(&world, EVENT_NOT_TOLD, "count") + 1 +
	                 (world_events(&world, EVENT_JOB_RETRIES) == 2), helped_status(&world, row).job.error_count);
	world_wait(&world, 24 * 3600);
	assert_in_range(world_events(&world, EVENT_JOB_RETRIES), 20, 24 * 6 + 2);
	assert_in_range(world_events(&world, EVENT_FILE_FAILED), 20, 24 * 6 * 16);
	assert_int_equal(world_cancel(&world, row), RESULT_OK);
	world_settle(&world);
	helped_end(&world);
}

static void files__that_fail_again_and_again__are_told_a_few_times_in_ten_minutes(void **state)
{
	enum { COUNT = 12, TOLD = 16 };
	struct world world;

	(void)state;
	helped_begin(&world, 6);
	for (unsigned i = 0; i < COUNT; i++)
		world.files[i].sources[0].fails = RESULT_HTTP_TRANSIENT; /* the host answers, so it is asked on */
	int64_t row = world_submit(&world, COUNT, true);
	world_wait(&world, TEN_MINUTES - 30);
	assert_true(helped_status(&world, row).job.error_count > 5);
	assert_int_equal(world_events(&world, EVENT_FILE_FAILED), TOLD);
	assert_int_equal(world_events(&world, EVENT_FILE_STARTED), TOLD + COUNT); /* those of the first try all */
	assert_int_equal(world_events(&world, EVENT_NOT_TOLD), 0);
	world_wait(&world, TEN_MINUTES);
	assert_in_range(world_events(&world, EVENT_FILE_FAILED), TOLD + 1, 3 * TOLD);
	assert_true(sum(&world, EVENT_NOT_TOLD, "count") > 0);
	assert_int_equal(world_cancel(&world, row), RESULT_OK);
	world_settle(&world);
	helped_end(&world);
}

static void retries__of_another_job__are_told_for_themselves(void **state)
{
	struct world world;
	int64_t rows[3];

	(void)state;
	helped_begin(&world, 2);
	for (unsigned i = 0; i < 3; i++) {
		world.first_file = i;
		world.files[i].dead = true;
		rows[i] = world_submit(&world, 1, true);
	}
	world_wait(&world, TEN_MINUTES / 2);
	assert_int_equal(world_events(&world, EVENT_JOB_RETRIES), 3);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(world_cancel(&world, rows[i]), RESULT_OK);
	world_settle(&world);
	helped_end(&world);
}

static void refusals__of_one_caller__are_told_up_to_a_number_and_then_how_many_were_not(void **state)
{
	enum { TOLD = 200, ASKED = 250 };
	struct world world;

	(void)state;
	helped_begin(&world, 3);
	text_display(world.settings.allow_destinations.items[0], 16, "/elsewhere");
	world.settings.allow_destinations.count = 1;
	for (unsigned i = 0; i < ASKED; i++)
		assert_int_equal(world_create(&world, &(struct world_order){ .files = 1 }), -1);
	assert_int_equal(world.resumed, RESULT_BLOCKED_BY_POLICY);
	assert_int_equal(world_events(&world, EVENT_STORE_TROUBLE), 0); /* it is nobody's but the caller's */
	assert_int_equal(world_events(&world, EVENT_REFUSED), TOLD);
	/* Somebody else's are told all the same. */
	world_hello_as(&world, NEIGHBOUR);
	assert_int_equal(world_create(&world, &(struct world_order){ .owner = NEIGHBOUR, .files = 1 }), -1);
	assert_int_equal(world_events(&world, EVENT_REFUSED), TOLD + 1);
	/* Though nobody asks for anything more. */
	world_wait(&world, TEN_MINUTES + 1);
	assert_int_equal(world_events(&world, EVENT_NOT_TOLD), 1);
	assert_int_equal(sum(&world, EVENT_NOT_TOLD, "count"), ASKED - TOLD);
	assert_int_equal(world_create(&world, &(struct world_order){ .files = 1 }), -1);
	assert_int_equal(world_events(&world, EVENT_REFUSED), TOLD + 2);
	helped_end(&world);
}

static void requests__without_end__hide_no_change_of_safety(void **state)
{
	enum { TOLD = 200, ASKED = 300 };
	struct world world;
	const struct job_properties low = { .priority = JOB_LOW };

	(void)state;
	helped_begin(&world, 5);
	int64_t row = world_create(&world, &(struct world_order){ .files = 1 });
	for (unsigned i = 0; i < ASKED; i++)
		assert_int_equal(world_set(&world, row, PROPERTY_PRIORITY, &low), RESULT_OK);
	assert_int_equal(world_events(&world, EVENT_JOB_CHANGED), TOLD - 1); /* and that it was made */
	assert_int_equal(world_set_proxy(&world, row, PROXY_NONE, ""), RESULT_OK);
	assert_int_equal(world_events(&world, EVENT_JOB_CHANGED), TOLD);
	/* At the stop, too, it is told how many were not. */
	(void)engine_tell_untold(world.engine, true);
	events_speak(world.engine->parts.events);
	assert_int_equal(sum(&world, EVENT_NOT_TOLD, "count"), ASKED - TOLD + 1);
	assert_int_equal(world_cancel(&world, row), RESULT_OK);
	world_settle(&world);
	helped_end(&world);
}

static void flags__set_again_and_again__are_told_up_to_a_number(void **state)
{
	struct world world;

	(void)state;
	helped_begin(&world, 7);
	int64_t row = world_create(&world, &(struct world_order){ .files = 1 });
	for (unsigned i = 0; i < 300; i++)
		assert_int_equal(world_flags(&world, row, 0), RESULT_OK);
	assert_int_equal(world_events(&world, EVENT_HELPER_FLAGS), 200);
	assert_int_equal(world_cancel(&world, row), RESULT_OK);
	assert_int_equal(world_events(&world, EVENT_JOB_CANCELLED), 1);
	world_settle(&world);
	helped_end(&world);
}

static void callers__more_than_are_remembered__lose_no_number(void **state)
{
	struct world world;
	struct asker asker = { .process = 1 };
	struct fault fault = { .result = RESULT_BLOCKED_BY_POLICY };

	(void)state;
	helped_begin(&world, 8);
	for (unsigned caller = 0; caller <= TOLD_MAX; caller++)
		for (unsigned i = 0; i < (caller == 0 ? 203 : 1); i++) {
			text_display(asker.owner, sizeof(asker.owner), "S-1-5-21-%u", caller);
			engine_refused_later(world.engine, &asker, "job.create", &fault);
		}
	events_speak(world.engine->parts.events);
	assert_int_equal(sum(&world, EVENT_NOT_TOLD, "count"), 3);
	helped_end(&world);
}

static void files__in_ferrys_own_folder__are_told_as_refused(void **state)
{
	static const char *const folders[] = { "/sim", NULL };
	struct world world;

	(void)state;
	helped_begin(&world, 9);
	world.engine->parts.forbidden_folders = folders;
	assert_int_equal(world_create(&world, &(struct world_order){ .files = 1 }), -1);
	assert_int_equal(world.resumed, RESULT_BAD_DESTINATION);
	assert_int_equal(world_events(&world, EVENT_REFUSED), 1);
	helped_end(&world);
}

static void complete__by_a_client__is_told(void **state)
{
	struct world world;

	(void)state;
	helped_begin(&world, 10);
	int64_t row = world_submit(&world, 1, false);
	world_settle(&world);
	assert_int_equal(world_events(&world, EVENT_JOB_COMPLETING), 0);
	assert_int_equal(world_complete(&world, row), RESULT_OK);
	assert_int_equal(world_events(&world, EVENT_JOB_COMPLETING), 1);
	helped_run_to(&world, row, JOB_ACKNOWLEDGED);
	helped_end(&world);
}

static void files__of_a_large_job__are_told_up_to_a_number(void **state)
{
	struct world world;

	(void)state;
	helped_begin(&world, 4);
	int64_t row = world_create(&world, &(struct world_order){ .files = 40 });
	assert_true(row > 0);
	assert_int_equal(world_events(&world, EVENT_FILE_ADDED), 16);
	assert_int_equal(sum(&world, EVENT_FILES_ADDED, "files"), 24);
	assert_int_equal(world_add(&world, row, 2, "/more"), RESULT_OK);
	assert_int_equal(world_events(&world, EVENT_FILE_ADDED), 18);
	assert_int_equal(world_events(&world, EVENT_FILES_ADDED), 1);
	assert_int_equal(world_cancel(&world, row), RESULT_OK);
	world_settle(&world);
	helped_end(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(retries__of_a_dead_server__are_told_once_in_ten_minutes_with_the_number_of_the_others),
		cmocka_unit_test(files__that_fail_again_and_again__are_told_a_few_times_in_ten_minutes),
		cmocka_unit_test(retries__of_another_job__are_told_for_themselves),
		cmocka_unit_test(refusals__of_one_caller__are_told_up_to_a_number_and_then_how_many_were_not),
		cmocka_unit_test(requests__without_end__hide_no_change_of_safety),
		cmocka_unit_test(flags__set_again_and_again__are_told_up_to_a_number),
		cmocka_unit_test(callers__more_than_are_remembered__lose_no_number),
		cmocka_unit_test(files__in_ferrys_own_folder__are_told_as_refused),
		cmocka_unit_test(complete__by_a_client__is_told),
		cmocka_unit_test(files__of_a_large_job__are_told_up_to_a_number),
	};
	return cmocka_run_group_tests_name("sim/tell", tests, NULL, NULL);
}
