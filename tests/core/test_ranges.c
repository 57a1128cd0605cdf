#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/ranges.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define EOF_ RANGE_TO_EOF
#define UNKNOWN SIZE_UNKNOWN
#define MAX ((uint64_t)INT64_MAX)

static struct ranges parse(const char *text)
{
	struct ranges ranges = { .at = NULL };
	struct fault fault;

	if (ranges_parse(text_view(text), &ranges, &fault) != RESULT_OK)
		fail_msg("%s: %s", text, fault.what);
	return ranges;
}

static void ranges_parse__table__is_printed_as_it_was_read_or_refused(void **state)
{
	static const char *const good[] = { "0-0", "0-99", "0-", "7-8,1-2", "100-199,0-99,300-", "200-,0-1",
		                                "9223372036854775806-9223372036854775806", "0-9223372036854775806" };
	static const char *const bad[] = { "", "-", "5", "-5", "a-b", "1-0", "0-1,", ",0-1", "0-1,,3-4", "0-1 ,3-4", "0-1;3-4", "0--1",
		                               "0-1x", "0x1-2", "+0-1", "0-1,1-2", "0-,5-", "5-,0-6", "0-9,2-3", "0-0,0-0",
		                               "0-9223372036854775807", "9223372036854775807-", "9223372036854775808-",
		                               "99999999999999999999-", "0-99999999999999999999" };
	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		AUTO(ranges) struct ranges ranges = parse(good[i]);
		AUTO(buffer) struct buffer text = BUFFER(RANGES_TEXT_BYTES_MAX);
		assert_int_equal(ranges_print(&ranges, &text), RESULT_OK);
		assert_string_equal(text.bytes, good[i]);
	}
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct ranges ranges = { .at = NULL };
		if (ranges_parse(text_view(bad[i]), &ranges, NULL) == RESULT_OK)
			fail_msg("'%s' was taken", bad[i]);
		assert_null(ranges.at);
	}
}

static void ranges_check__table__the_one_that_is_wrong_is_named(void **state)
{
	static const struct {
		struct range at[3];
		uint32_t count;
		enum result result;
		const char *what;
	} cases[] = {
		{ { { 0, 1 } }, 1, RESULT_OK, "" },
		{ { { 0, 5 }, { 5, EOF_ } }, 2, RESULT_OK, "" },
		{ { { 5, EOF_ }, { 0, 5 } }, 2, RESULT_OK, "" },
		{ { { MAX - 1, 1 } }, 1, RESULT_OK, "" },
		{ { { 0, MAX } }, 1, RESULT_OK, "" },
		{ { { 0, 0 } }, 0, RESULT_INVALID_ARGUMENT, "f: there is none" },
		{ { { 0, 1 }, { 7, 0 } }, 2, RESULT_INVALID_RANGE, "f[1].length: must be at least 1" },
		{ { { MAX, 1 } }, 1, RESULT_INVALID_RANGE, "f[0].offset: " },
		{ { { 0, 1 }, { MAX - 1, 2 } }, 2, RESULT_INVALID_RANGE, "f[1].length: no file has so many bytes" },
		{ { { 1, MAX } }, 1, RESULT_INVALID_RANGE, "f[0].length: " },
		{ { { 0, EOF_ - 1 } }, 1, RESULT_INVALID_RANGE, "f[0].length: " },
		{ { { 9, 3 }, { 0, 5 }, { 4, 5 } }, 3, RESULT_OVERLAPPING_RANGES, "f[2]: overlaps f[1]" },
		{ { { 0, 9 }, { 20, 9 }, { 8, 1 } }, 3, RESULT_OVERLAPPING_RANGES, "f[2]: overlaps f[0]" },
		{ { { 0, 9 }, { 0, 9 } }, 2, RESULT_OVERLAPPING_RANGES, "f[1]: overlaps f[0]" },
		{ { { 9, EOF_ }, { 5, EOF_ } }, 2, RESULT_OVERLAPPING_RANGES, "f[1]: overlaps f[0]" },
		{ { { 9, EOF_ }, { 500, 1 } }, 2, RESULT_OVERLAPPING_RANGES, "f[1]: overlaps f[0]" },
	};
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct range at[3];
		struct fault fault = { .what = "" };
		memcpy(at, cases[i].at, sizeof(at));
		const struct ranges ranges = { at, cases[i].count };
		enum result result = ranges_check(&ranges, 3, "f", &fault);
		if (result != cases[i].result || strncmp(fault.what, cases[i].what, strlen(cases[i].what)) != 0)
			fail_msg("case %zu: %s, %s", i, result_name(result), fault.what);
	}
	AUTO(ranges) struct ranges three = parse("0-0,2-2,4-4");
	struct fault fault;
	assert_int_equal(ranges_check(&three, 2, "f", &fault), RESULT_TOO_MANY_RANGES);
	assert_string_equal(fault.what, "f: 3 would exceed queue.ranges_per_file_max (2)");
}

static void ranges_total__table__sizes_follow_from_each_other(void **state)
{
	static const struct {
		const char *text;
		uint64_t remote, total, back;
	} cases[] = {
		{ "0-9", 100, 10, UNKNOWN },
		{ "0-9,20-24", UNKNOWN, 15, UNKNOWN },
		{ "90-", 100, 10, 100 },
		{ "90-", UNKNOWN, UNKNOWN, UNKNOWN },
		{ "90-", 90, UNKNOWN, UNKNOWN },
		{ "90-", 91, 1, 91 },
		{ "90-,0-9", 100, 20, 100 },
		{ "0-9,90-,20-29", 95, 25, 95 },
	};
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO(ranges) struct ranges ranges = parse(cases[i].text);
		uint64_t total = ranges_total(&ranges, cases[i].remote);
		if (total != cases[i].total || ranges_remote_total(&ranges, total) != cases[i].back || !ranges_allow_total(&ranges, total))
			fail_msg("case %zu", i);
	}
	AUTO(ranges) struct ranges fixed = parse("0-9"), open = parse("0-9,90-");
	assert_false(ranges_allow_total(&fixed, 9));
	assert_false(ranges_allow_total(&fixed, 11));
	assert_false(ranges_allow_total(&open, 10));
	assert_true(ranges_allow_total(&open, 11));
	assert_false(ranges_allow_total(&open, MAX));
	assert_int_equal(ranges_remote_total(&open, 10), UNKNOWN);
}

static void ranges_check_remote__table__what_the_file_does_not_have_is_invalid(void **state)
{
	static const struct {
		const char *text;
		uint64_t remote;
		bool fits;
	} cases[] = {
		{ "0-9", 10, true },  { "0-9", 9, false },      { "0-9", UNKNOWN, true }, { "10-", 10, false },
		{ "10-", 11, true },  { "50-59,0-9", 60, true }, { "50-59,0-9", 59, false }, { "50-,0-9", 50, false },
	};
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO(ranges) struct ranges ranges = parse(cases[i].text);
		struct fault fault;
		enum result result = ranges_check_remote(&ranges, cases[i].remote, &fault);
		if (result != (cases[i].fits ? RESULT_OK : RESULT_INVALID_RANGE))
			fail_msg("case %zu", i);
	}
}

static void ranges_find__table__the_place_and_how_far_it_goes(void **state)
{
	static const struct {
		const char *text;
		uint64_t offset, total, first, end;
	} cases[] = {
		{ "0-9", 0, 10, 0, 10 },
		{ "0-9", 9, 10, 9, 10 },
		{ "5-9,100-199", 0, 105, 5, 10 },
		{ "5-9,100-199", 4, 105, 9, 10 },
		{ "5-9,100-199", 5, 105, 100, 200 },
		{ "5-9,100-199", 104, 105, 199, 200 },
		{ "100-199,5-9", 100, 105, 5, 10 },
		/* to the end: of a file whose size is known, or not */
		{ "5-9,100-", 0, UNKNOWN, 5, 10 },
		{ "100-,5-9", 0, UNKNOWN, 100, EOF_ },
		{ "100-,5-9", 0, 25, 100, 120 },
		{ "100-,5-9", 19, 25, 119, 120 },
		{ "100-,5-9", 20, 25, 5, 10 },
		{ "100-,5-9", 24, 25, 9, 10 },
		/* what follows on the server too is asked for at once */
		{ "0-9,10-19,30-39", 0, 30, 0, 20 },
		{ "0-9,10-19,30-39", 10, 30, 10, 20 },
		{ "0-9,10-19,20-", 3, UNKNOWN, 3, EOF_ },
		{ "0-9,10-19,20-", 3, 25, 3, 25 },
		{ "10-19,0-9", 0, 20, 10, 20 },
		{ "10-19,0-9", 10, 20, 0, 10 },
		{ "0-4,5-9,0-0", 0, 11, 0, 10 },
	};
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct range at[3];
		struct ranges ranges = { at, 0 };
		for (const char *word = cases[i].text; word; word = strchr(word, ',') ? strchr(word, ',') + 1 : NULL)
			assert_true(range_parse((struct text_view){ word, strcspn(word, ",") }, &at[ranges.count++]));
		struct range_place place = ranges_find(&ranges, cases[i].offset, cases[i].total);
		if (place.first != cases[i].first || place.end != cases[i].end)
			fail_msg("case %zu: %llu-%llu", i, (unsigned long long)place.first, (unsigned long long)place.end);
	}
}

/* Every byte of the local file is found where it is, however the ranges lie. */
static void ranges_find__many_ranges__agree_with_counting(void **state)
{
	AUTO(buffer) struct buffer text = BUFFER(RANGES_TEXT_BYTES_MAX);
	uint64_t expected[1000], total = 0;

	(void)state;
	for (uint64_t i = 0; i < 100; i++) {
		uint64_t offset = (i * 37 % 100) * 10, length = 1 + i * 7 % 10;
		assert_int_equal(buffer_print(&text, "%s%u-%u", i > 0 ? "," : "", (unsigned)offset, (unsigned)(offset + length - 1)),
		                 RESULT_OK);
		for (uint64_t at = 0; at < length; at++)
			expected[total++] = offset + at;
	}
	AUTO(ranges) struct ranges ranges = parse(text.bytes);
	assert_int_equal(ranges_total(&ranges, UNKNOWN), total);
	for (uint64_t at = 0; at < total; at++) {
		struct range_place place = ranges_find(&ranges, at, total);
		assert_int_equal(place.first, expected[at]);
		for (uint64_t i = 0; i < place.end - place.first; i++)
			assert_int_equal(expected[at + i], place.first + i);
		assert_true(at + (place.end - place.first) == total || expected[at + (place.end - place.first)] != place.end);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranges_parse__table__is_printed_as_it_was_read_or_refused),
		cmocka_unit_test(ranges_check__table__the_one_that_is_wrong_is_named),
		cmocka_unit_test(ranges_total__table__sizes_follow_from_each_other),
		cmocka_unit_test(ranges_check_remote__table__what_the_file_does_not_have_is_invalid),
		cmocka_unit_test(ranges_find__table__the_place_and_how_far_it_goes),
		cmocka_unit_test(ranges_find__many_ranges__agree_with_counting),
	};
	return cmocka_run_group_tests_name("ranges", tests, NULL, NULL);
}
