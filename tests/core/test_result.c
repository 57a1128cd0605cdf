#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "core/text.h"

static void result__every_outcome__has_a_name_of_its_own_that_reads_back(void **state)
{
	(void)state;
	for (unsigned i = 0; i < RESULT_COUNT; i++) {
		const char *name = result_name((enum result)i);
		assert_true(strlen(name) > 0);
		assert_int_equal(strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"), strlen(name));
		for (unsigned j = 0; j < i; j++)
			assert_string_not_equal(name, result_name((enum result)j));
		enum result read = RESULT_COUNT;
		assert_true(result_from_name(name, &read));
		assert_int_equal(read, i);
	}
}

static void result__unknown_name__is_refused_and_nothing_written(void **state)
{
	(void)state;
	static const char *const names[] = { "", "ok", "OK ", " OK", "RESULT_OK", "NO_SUCH_OUTCOME" };
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		enum result read = RESULT_COUNT;
		assert_false(result_from_name(names[i], &read));
		assert_int_equal(read, RESULT_COUNT);
	}
}

static void result__every_failure__has_a_sentence_and_a_remedy(void **state)
{
	(void)state;
	for (unsigned i = 0; i < RESULT_COUNT; i++) {
		const char *sentence = result_sentence((enum result)i);
		const char *remedy = result_remedy((enum result)i);
		size_t length = strlen(sentence);
		assert_true(length > 4 && sentence[length - 1] == '.');
		assert_true(text_is_utf8(text_view(sentence)));
		assert_true(sentence[0] >= 'A' && sentence[0] <= 'Z');
		if (i == RESULT_OK) {
			assert_string_equal(remedy, "");
			continue;
		}
		length = strlen(remedy);
		assert_true(length > 8 && remedy[length - 1] == '.');
		assert_true(remedy[0] >= 'A' && remedy[0] <= 'Z');
		assert_true(text_is_utf8(text_view(remedy)));
	}
}

static void result__every_failure__has_a_failure_class_and_a_failure_hresult(void **state)
{
	(void)state;
	assert_int_equal(result_class(RESULT_OK), RETRY_NONE);
	assert_int_equal(result_hresult(RESULT_OK), 0);
	for (unsigned i = 1; i < RESULT_COUNT; i++) {
		enum retry_class class = result_class((enum result)i);
		assert_true(class == RETRY_CALLER || class == RETRY_NEVER || class == RETRY_LATER);
		/* Severity "failure", no reserved bit, and one of the facilities that BITS's errors have:
		 * null, RPC, Win32, security, HTTP or BITS itself. */
		uint32_t hresult = result_hresult((enum result)i);
		uint32_t facility = (hresult >> 16) & 0x1FFF;
		assert_int_equal(hresult & 0xE0000000u, 0x80000000u);
		assert_true(facility == 0 || facility == 1 || facility == 7 || facility == 9 || facility == 0x19 || facility == 0x20);
	}
}

static void result__bits_own_errors__have_the_published_hresults(void **state)
{
	(void)state;
	static const struct {
		enum result result;
		uint32_t hresult;
		enum retry_class class;
	} cases[] = {
		{ RESULT_NOT_FOUND, 0x80200001, RETRY_CALLER },
		{ RESULT_INVALID_STATE, 0x80200002, RETRY_CALLER },
		{ RESULT_EMPTY, 0x80200003, RETRY_CALLER },
		{ RESULT_LOCKED, 0x8020000D, RETRY_LATER },
		{ RESULT_INSUFFICIENT_HTTP, 0x80200012, RETRY_NEVER },
		{ RESULT_NO_PROGRESS, 0x80200024, RETRY_NEVER },
		{ RESULT_MAX_TIME, 0x80200054, RETRY_NEVER },
		{ RESULT_TOKEN_REQUIRED, 0x80200056, RETRY_NEVER },
		{ RESULT_REMOTE_CHANGED, 0x80200073, RETRY_LATER },
		{ RESULT_IDENTITY_LOST, 0x80010123, RETRY_NEVER },
		{ RESULT_HTTP_STATUS, 0x80190000, RETRY_NEVER },
		{ RESULT_HTTP_TRANSIENT, 0x80190000, RETRY_LATER },
		{ RESULT_NAME_NOT_RESOLVED, 0x80072EE7, RETRY_LATER },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(result_hresult(cases[i].result), cases[i].hresult);
		assert_int_equal(result_class(cases[i].result), cases[i].class);
	}
}

/* One name for one number, and BITS's facility is BITS's names. */
static void result__hresults__have_one_name_each(void **state)
{
	(void)state;
	static const struct {
		const char *symbol;
		uint32_t hresult;
	} rows[] = {
#define RESULT(name, class, hresult, symbol, sentence, remedy) { #symbol, hresult },
#include "core/result.def"
#undef RESULT
	};
	for (size_t i = 0; i < RESULT_COUNT; i++) {
		bool bits = (rows[i].hresult >> 16 & 0x1FFF) == 0x20 || (rows[i].hresult >> 16 & 0x1FFF) == 0x19;
		assert_int_equal(strncmp(rows[i].symbol, "BG_E_", 5) == 0, bits);
		for (size_t j = 0; j < i; j++)
			assert_int_equal(rows[i].hresult == rows[j].hresult, strcmp(rows[i].symbol, rows[j].symbol) == 0);
	}
}

static void fault__sources__have_names_that_read_back(void **state)
{
	(void)state;
	static const char *const names[] = { "ferry", "win32", "ntstatus", "errno", "sqlite", "curl", "http" };
	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		enum fault_source read = FAULT_FERRY;
		assert_string_equal(fault_source_name((enum fault_source)i), names[i]);
		assert_true(fault_source_from_name(names[i], &read));
		assert_int_equal(read, i);
	}
	enum fault_source read = FAULT_HTTP;
	assert_false(fault_source_from_name("Win32", &read));
	assert_false(fault_source_from_name("", &read));
	assert_int_equal(read, FAULT_HTTP);
}

static void fault_set__with_a_fault__fills_it_and_gives_the_result_back(void **state)
{
	(void)state;
	struct fault fault;
	memset(&fault, 0x5A, sizeof(fault));
	assert_int_equal(fault_set(&fault, RESULT_DENIED, FAULT_WIN32, -5, "open %s (%zu)", "C:\\Acme", (size_t)7),
	                 RESULT_DENIED);
	assert_int_equal(fault.result, RESULT_DENIED);
	assert_int_equal(fault.source, FAULT_WIN32);
	assert_int_equal(fault.raw, -5);
	assert_string_equal(fault.what, "open C:\\Acme (7)");
}

static void fault_set__without_a_fault__gives_the_result_back(void **state)
{
	(void)state;
	assert_int_equal(fault_set(NULL, RESULT_SYSTEM, FAULT_ERRNO, 1, "%s", "unread"), RESULT_SYSTEM);
}

static void fault_set__wrapping_its_own_words__keeps_them(void **state)
{
	(void)state;
	struct fault fault;
	(void)fault_set(&fault, RESULT_DENIED, FAULT_ERRNO, 13, "open x");
	(void)fault_set(&fault, RESULT_SYSTEM, FAULT_ERRNO, 13, "begin: %s", fault.what);
	assert_string_equal(fault.what, "begin: open x");
}

static void fault_set__too_many_words__are_cut_at_a_character(void **state)
{
	(void)state;
	/* Characters of 1 to 4 bytes, moved by a byte at a time over the cut. */
	static const char *const characters[] = { "x", "\xC3\xA4", "\xE2\x82\xAC", "\xF0\x9F\x98\x80" };
	char filling[FAULT_WHAT_BYTES_MAX * 2];
	for (size_t i = 0; i < sizeof(characters) / sizeof(characters[0]); i++) {
		for (size_t before = FAULT_WHAT_BYTES_MAX - 8; before < FAULT_WHAT_BYTES_MAX; before++) {
			struct fault fault;
			memset(filling, 'a', before);
			filling[before] = '\0';
			(void)fault_set(&fault, RESULT_SYSTEM, FAULT_FERRY, 0, "%s%sbbbbbbbb", filling, characters[i]);
			size_t length = strlen(fault.what);
			assert_true(text_is_utf8(text_view(fault.what)));
			assert_true(length < FAULT_WHAT_BYTES_MAX && length >= FAULT_WHAT_BYTES_MAX - 4);
			assert_memory_equal(fault.what, filling, length < before ? length : before);
		}
	}
}

static void fault_hresult__an_http_status__is_added(void **state)
{
	(void)state;
	static const struct {
		struct fault fault;
		uint32_t hresult;
	} cases[] = {
		{ { .result = RESULT_HTTP_STATUS, .source = FAULT_HTTP, .raw = 404 }, 0x80190194 },
		{ { .result = RESULT_HTTP_TRANSIENT, .source = FAULT_HTTP, .raw = 503 }, 0x801901F7 },
		{ { .result = RESULT_HTTP_STATUS, .source = FAULT_FERRY, .raw = 404 }, 0x80190000 },
		{ { .result = RESULT_HTTP_STATUS, .source = FAULT_HTTP, .raw = -1 }, 0x80190000 },
		{ { .result = RESULT_HTTP_STATUS, .source = FAULT_HTTP, .raw = 0x10000 }, 0x80190000 },
		{ { .result = RESULT_INSUFFICIENT_HTTP, .source = FAULT_HTTP, .raw = 206 }, 0x80200012 },
		{ { .result = RESULT_DENIED, .source = FAULT_WIN32, .raw = 5 }, 0x80070005 },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(fault_hresult(&cases[i].fault), cases[i].hresult);
}

static void fault_line__whatever_is_known__is_in_it(void **state)
{
	(void)state;
	struct fault fault = { .result = RESULT_PATH_NOT_FOUND, .source = FAULT_WIN32, .raw = 3, .what = "C:\\new" };
	char line[FAULT_LINE_BYTES_MAX];
	fault_line(&fault, line);
	assert_string_equal(line, "There is no such folder: C:\\new (PATH_NOT_FOUND 0x80070003; win32 3). "
	                          "Create the folder, then resume the job.");
	fault = (struct fault){ .result = RESULT_EMPTY };
	fault_line(&fault, line);
	assert_string_equal(line, "The job has no files (EMPTY 0x80200003). Add a file, then resume the job.");
}

/* Every outcome with the longest words still has its code and all of its remedy. */
static void fault_line__the_longest__is_not_cut(void **state)
{
	(void)state;
	for (unsigned i = 1; i < RESULT_COUNT; i++) {
		struct fault fault = { .result = (enum result)i, .source = FAULT_NTSTATUS, .raw = INT64_MIN };
		char line[FAULT_LINE_BYTES_MAX];
		memset(fault.what, 'x', sizeof(fault.what) - 1);
		fault_line(&fault, line);
		const char *remedy = result_remedy(fault.result);
		assert_string_equal(line + strlen(line) - strlen(remedy), remedy);
		assert_non_null(strstr(line, "; ntstatus -9223372036854775808). "));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(result__every_outcome__has_a_name_of_its_own_that_reads_back),
		cmocka_unit_test(result__unknown_name__is_refused_and_nothing_written),
		cmocka_unit_test(result__every_failure__has_a_sentence_and_a_remedy),
		cmocka_unit_test(result__every_failure__has_a_failure_class_and_a_failure_hresult),
		cmocka_unit_test(result__bits_own_errors__have_the_published_hresults),
		cmocka_unit_test(result__hresults__have_one_name_each),
		cmocka_unit_test(fault__sources__have_names_that_read_back),
		cmocka_unit_test(fault_set__with_a_fault__fills_it_and_gives_the_result_back),
		cmocka_unit_test(fault_set__without_a_fault__gives_the_result_back),
		cmocka_unit_test(fault_set__wrapping_its_own_words__keeps_them),
		cmocka_unit_test(fault_set__too_many_words__are_cut_at_a_character),
		cmocka_unit_test(fault_hresult__an_http_status__is_added),
		cmocka_unit_test(fault_line__whatever_is_known__is_in_it),
		cmocka_unit_test(fault_line__the_longest__is_not_cut),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
