/* Events that could come without end: the first are told, then so many in ten minutes, and of the others the number. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/json.h"
#include "helped.h"
#include "platform/file.h"

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
	assert_int_equal(sum(&world, EVENT_JOB_RETRIES, "untold") + 2, helped_status(&world, row).job.error_count);
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
	assert_in_range(world_events(&world, EVENT_FILE_STARTED), TOLD + 1, TOLD + COUNT); /* those of the first try all */
	world_wait(&world, TEN_MINUTES);
	assert_in_range(world_events(&world, EVENT_FILE_FAILED), TOLD + 1, 3 * TOLD);
	assert_true(sum(&world, EVENT_FILE_FAILED, "untold") > 0);
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

static void refusals__of_one_caller__are_told_a_few_times_in_ten_minutes(void **state)
{
	struct world world;

	(void)state;
	helped_begin(&world, 3);
	text_display(world.settings.allow_destinations.items[0], 16, "/elsewhere");
	world.settings.allow_destinations.count = 1;
	for (unsigned i = 0; i < 50; i++)
		assert_int_equal(world_create(&world, &(struct world_order){ .files = 1 }), -1);
	assert_int_equal(world.resumed, RESULT_BLOCKED_BY_POLICY);
	assert_int_equal(world_events(&world, EVENT_STORE_TROUBLE), 0); /* it is nobody's but the caller's */
	assert_int_equal(world_events(&world, EVENT_REFUSED), 8);
	/* Somebody else's are told all the same. */
	world_hello_as(&world, NEIGHBOUR);
	assert_int_equal(world_create(&world, &(struct world_order){ .owner = NEIGHBOUR, .files = 1 }), -1);
	assert_int_equal(world_events(&world, EVENT_REFUSED), 9);
	assert_int_equal(sum(&world, EVENT_REFUSED, "untold"), 0);
	world_wait(&world, TEN_MINUTES);
	assert_int_equal(world_create(&world, &(struct world_order){ .files = 1 }), -1);
	assert_int_equal(world_events(&world, EVENT_REFUSED), 10);
	assert_int_equal(sum(&world, EVENT_REFUSED, "untold"), 50 - 8);
	helped_end(&world);
}

static void properties__set_again_and_again__are_told_a_few_times_in_ten_minutes(void **state)
{
	struct world world;
	const struct job_properties low = { .priority = JOB_LOW };

	(void)state;
	helped_begin(&world, 5);
	int64_t row = world_create(&world, &(struct world_order){ .files = 1 });
	for (unsigned i = 0; i < 100; i++)
		assert_int_equal(world_set(&world, row, PROPERTY_PRIORITY, &low), RESULT_OK);
	assert_int_equal(world_events(&world, EVENT_JOB_CHANGED), 32);
	world_wait(&world, TEN_MINUTES);
	assert_int_equal(world_set(&world, row, PROPERTY_PRIORITY, &low), RESULT_OK);
	assert_int_equal(sum(&world, EVENT_JOB_CHANGED, "untold"), 100 - 32);
	assert_int_equal(world_cancel(&world, row), RESULT_OK);
	world_settle(&world);
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
		cmocka_unit_test(refusals__of_one_caller__are_told_a_few_times_in_ten_minutes),
		cmocka_unit_test(properties__set_again_and_again__are_told_a_few_times_in_ten_minutes),
		cmocka_unit_test(files__of_a_large_job__are_told_up_to_a_number),
	};
	return cmocka_run_group_tests_name("sim/tell", tests, NULL, NULL);
}
