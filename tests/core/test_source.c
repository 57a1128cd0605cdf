#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/source.h"

static void source_next__sources__are_asked_in_turn_unless_tried_or_refused(void **state)
{
	static const struct {
		uint32_t mirrors, refused, from, tried, next;
	} cases[] = {
		{ 0, 0x0, 0, 0x0, 0 },
		{ 0, 0x0, 0, 0x1, SOURCE_NONE },
		{ 0, 0x1, 0, 0x0, SOURCE_NONE },
		{ 2, 0x0, 0, 0x0, 0 },
		{ 2, 0x0, 0, 0x1, 1 },
		{ 2, 0x0, 2, 0x4, 0 },
		{ 2, 0x0, 1, 0x7, SOURCE_NONE },
		{ 2, 0x2, 0, 0x1, 2 },
		{ 2, 0x5, 0, 0x0, 1 },
		{ 2, 0x5, 0, 0x2, SOURCE_NONE },
		{ 2, 0x7, 1, 0x0, SOURCE_NONE },
		{ 8, 0x0, 8, 0x100, 0 },
		{ 8, 0xff, 0, 0x0, 8 },
		{ 8, 0x1ff, 0, 0x1ff, SOURCE_NONE },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct file file = { .mirrors = cases[i].mirrors, .sources_refused = cases[i].refused };
		assert_int_equal(source_next(&file, cases[i].from, cases[i].tried), cases[i].next);
	}
}

static void source_gives_up__a_beginning__not_before_its_source_had_its_chances(void **state)
{
	struct file file = { .mirrors = 2, .source = 1, .bytes_recorded = 5, .bytes_total = 10 };
	(void)state;
	assert_true(source_has_beginning(&file));
	file.sources_refused = 5;
	assert_true(source_has_beginning(&file));
	file.sources_refused = 2;
	assert_false(source_has_beginning(&file));
	file.sources_refused = 0;
	assert_false(source_is_provable(&file));
	file.digest.length = 32;
	assert_true(source_is_provable(&file));
	file.bytes_total = SIZE_UNKNOWN;
	assert_false(source_is_provable(&file));

	file.source_failures = SOURCE_PATIENCE - 1;
	assert_false(source_gives_up(&file, true, 0, 1000));
	assert_false(source_gives_up(&file, true, SOURCE_WAIT_S_MAX, 1000));
	assert_true(source_gives_up(&file, true, SOURCE_WAIT_S_MAX + 1, 1000));
	assert_true(source_gives_up(&file, true, 100, 100)); /* the job would be over */
	assert_true(source_gives_up(&file, true, 0, 0));
	file.source_failures = SOURCE_PATIENCE;
	assert_true(source_gives_up(&file, true, 0, 1000));
	assert_false(source_gives_up(&file, false, 300, 1000)); /* it is asked once more before */
	file.bytes_recorded = 0;
	assert_false(source_has_beginning(&file));
}

static void source_tells_more__what_may_be_asked_again_soonest__tells_best(void **state)
{
	(void)state;
	assert_true(source_tells_more(RESULT_OK, 0, RESULT_HTTP_STATUS, 0));
	assert_false(source_tells_more(RESULT_HTTP_STATUS, 0, RESULT_DIGEST_MISMATCH, 0));
	assert_true(source_tells_more(RESULT_HTTP_STATUS, 0, RESULT_CONNECT_FAILED, 0));
	assert_false(source_tells_more(RESULT_CONNECT_FAILED, 0, RESULT_HTTP_STATUS, 0));
	assert_false(source_tells_more(RESULT_CONNECT_FAILED, 0, RESULT_STALLED, 0));
	assert_true(source_tells_more(RESULT_HTTP_TRANSIENT, 120, RESULT_STALLED, 60));
	assert_false(source_tells_more(RESULT_STALLED, 60, RESULT_HTTP_TRANSIENT, 120));
}

static void source_is_at_fault__this_machines_own_failures__are_not_the_sources(void **state)
{
	static const enum result own[] = { RESULT_OK, RESULT_DISK_FULL, RESULT_DENIED, RESULT_LOCKED, RESULT_IO_FAILED,
		                               RESULT_FILE_CHANGED, RESULT_NO_MEMORY, RESULT_IDENTITY_LOST, RESULT_TOKEN_REQUIRED,
		                               RESULT_CANCELLED, RESULT_NO_PROGRESS, RESULT_MAX_TIME, RESULT_SYSTEM };
	(void)state;
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		assert_false(source_is_at_fault(own[i]));
	assert_true(source_is_at_fault(RESULT_HTTP_STATUS));
	assert_true(source_is_at_fault(RESULT_DIGEST_MISMATCH));
	assert_true(source_is_at_fault(RESULT_CONNECTION_CLOSED));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(source_next__sources__are_asked_in_turn_unless_tried_or_refused),
		cmocka_unit_test(source_gives_up__a_beginning__not_before_its_source_had_its_chances),
		cmocka_unit_test(source_tells_more__what_may_be_asked_again_soonest__tells_best),
		cmocka_unit_test(source_is_at_fault__this_machines_own_failures__are_not_the_sources),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
