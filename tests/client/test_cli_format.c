#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "cli/format.h"

static void check_bytes(uint64_t bytes, const char *expected)
{
	char text[FORMAT_BYTES_MAX];

	format_bytes(bytes, text);
	assert_string_equal(text, expected);
}

static void format__bytes__have_three_digits_and_are_rounded_down(void **state)
{
	(void)state;
	check_bytes(0, "0 B");
	check_bytes(1023, "1023 B");
	check_bytes(1024, "1.0 KiB");
	check_bytes(1536, "1.5 KiB");
	check_bytes(102399, "99.9 KiB");
	check_bytes(102400, "100 KiB");
	check_bytes(1048575, "1023 KiB");
	check_bytes(31457280, "30.0 MiB");
	check_bytes(31457279, "29.9 MiB");
	check_bytes(UINT64_MAX, "15.9 EiB");
}

static void check_duration(uint64_t seconds, const char *expected)
{
	char text[FORMAT_BYTES_MAX];

	format_duration(seconds, text);
	assert_string_equal(text, expected);
}

static void format__durations__grow_from_seconds_to_days(void **state)
{
	(void)state;
	check_duration(0, "0:00");
	check_duration(65, "1:05");
	check_duration(3600, "1:00:00");
	check_duration(47 * 3600 + 61, "47:01:01");
	check_duration(48 * 3600 + 3599, "2 d 0 h");
	check_duration(UINT64_MAX, "213503982334601 d 7 h");
}

static void check_moment(int64_t unix_ms, const char *expected)
{
	char text[FORMAT_BYTES_MAX];

	format_moment(unix_ms, text);
	assert_string_equal(text, expected);
}

static void format__moments__know_leap_years_and_centuries(void **state)
{
	(void)state;
	check_moment(0, "-");
	check_moment(1000, "1970-01-01 00:00:01 UTC");
	check_moment(951782400000, "2000-02-29 00:00:00 UTC");
	check_moment(951868799999, "2000-02-29 23:59:59 UTC");
	check_moment(951868800000, "2000-03-01 00:00:00 UTC");
	check_moment(1735689599000, "2024-12-31 23:59:59 UTC");
	check_moment(4107542400000, "2100-03-01 00:00:00 UTC"); /* 2100 has no 29 February */
}

static void format__a_bar__is_full_only_when_all_is_there(void **state)
{
	char bar[13];

	(void)state;
	format_bar(0, 100, 12, bar, sizeof(bar));
	assert_string_equal(bar, "[          ]");
	format_bar(55, 100, 12, bar, sizeof(bar));
	assert_string_equal(bar, "[=====>    ]");
	format_bar(99, 100, 12, bar, sizeof(bar));
	assert_string_equal(bar, "[=========>]");
	format_bar(100, 100, 12, bar, sizeof(bar));
	assert_string_equal(bar, "[==========]");
	format_bar(UINT64_MAX - 1, UINT64_MAX, 12, bar, sizeof(bar));
	assert_string_equal(bar, "[=========>]");
	format_bar(7, 0, 12, bar, sizeof(bar));
	assert_string_equal(bar, "[          ]");
	format_bar(1, 2, 13, bar, sizeof(bar)); /* no room for the end */
	assert_string_equal(bar, "");
}

static void format__percent__is_rounded_down_and_survives_large_numbers(void **state)
{
	(void)state;
	assert_int_equal(format_percent(999, 1000), 99);
	assert_int_equal(format_percent(1000, 1000), 100);
	assert_int_equal(format_percent(2000, 1000), 100);
	assert_int_equal(format_percent(UINT64_MAX / 2, UINT64_MAX), 49);
	assert_int_equal(format_percent(1, 0), 0);
}

static void format__columns__count_wide_and_combining_characters(void **state)
{
	(void)state;
	assert_int_equal(format_columns("abc"), 3);
	assert_int_equal(format_columns("Z\xC3\xBCrich"), 6);
	assert_int_equal(format_columns("e\xCC\x81"), 1);                /* e and a combining accent */
	assert_int_equal(format_columns("\xE6\x9B\xB4\xE6\x96\xB0"), 4); /* two Han characters */
	assert_int_equal(format_columns("\xFF\xC3"), 2);                 /* no UTF-8: each byte is something unprintable */
}

static void check_fit(const char *text, unsigned columns, const char *expected)
{
	char fitted[64];

	format_fit(text, columns, fitted, sizeof(fitted));
	assert_string_equal(fitted, expected);
}

static void format__fitting__cuts_between_characters(void **state)
{
	char small[6];

	(void)state;
	check_fit("abcdef", 6, "abcdef");
	check_fit("abcdefg", 6, "abc...");
	check_fit("abcdefg", 2, "ab");
	check_fit("\xE6\x9B\xB4\xE6\x96\xB0\xE6\x9B\xB4", 5, "\xE6\x9B\xB4...");
	format_fit("abcdefghij", 10, small, sizeof(small)); /* the array is the limit */
	assert_string_equal(small, "ab");
}

static void format__control_characters__cannot_reach_the_terminal(void **state)
{
	char text[] = "a\x1B[2Jb\xC2\x9B"
				  "c\xE2\x80\xAE"
				  "d\ne\x7F";

	(void)state;
	check_fit("a\x1B[31mb\tc\nd", 20, "a?[31mb?c?d");
	format_harmless(text);
	assert_string_equal(text, "a?[2Jb??c???d\ne?");
}

static void format_error__every_source__is_named_with_its_number(void **state)
{
	(void)state;
	static const struct {
		struct ferry_error error;
		const char *line;
	} cases[] = {
		{ { .name = "EMPTY", .hresult = 0x80200003, .message = "m" }, "m (EMPTY 0x80200003)" },
		{ { .name = "HTTP_STATUS", .hresult = 0x80190194, .message = "m: https://h/a", .source = "http", .code = 404 },
		  "m: https://h/a (HTTP_STATUS 0x80190194; http 404)" },
		{ { .name = "DENIED", .hresult = 0x80070005, .message = "m", .source = "ntstatus", .code = -1073741790 },
		  "m (DENIED 0x80070005; ntstatus -1073741790)" },
		{ { .name = "X", .hresult = 1, .message = "m", .source = "errno", .code = INT64_MIN },
		  "m (X 0x00000001; errno -9223372036854775808)" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char line[FORMAT_ERROR_BYTES_MAX];
		format_error(&cases[i].error, line);
		assert_string_equal(line, cases[i].line);
	}
}

/* The longest message keeps its code. */
static void format_error__the_longest__is_not_cut(void **state)
{
	(void)state;
	struct ferry_error error = { .hresult = 0xFFFFFFFF, .code = INT64_MIN };
	char line[FORMAT_ERROR_BYTES_MAX];

	memset(error.name, 'N', sizeof(error.name) - 1);
	memset(error.message, 'm', sizeof(error.message) - 1);
	memset(error.source, 's', sizeof(error.source) - 1);
	format_error(&error, line);
	assert_string_equal(line + strlen(line) - 7, "775808)");
}

static void check_wrap(const char *text, unsigned indent, const char *expected)
{
	char to[512];

	format_wrap(text, indent, to, sizeof(to));
	assert_string_equal(to, expected);
}

#define TEN "123456789 "
#define NINETY TEN TEN TEN TEN TEN TEN TEN TEN TEN

static void format_wrap__a_long_text__is_broken_at_spaces(void **state)
{
	(void)state;
	char small[8];

	check_wrap("", 4, "");
	check_wrap("short", 4, "short");
	check_wrap(NINETY "123456", 4, NINETY "123456"); /* 4 + 96 columns */
	check_wrap(NINETY "1234567", 4, TEN TEN TEN TEN TEN TEN TEN TEN "123456789\n    1234567");
	check_wrap(NINETY "\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4", 4,
	           NINETY "\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4\xC3\xA4"); /* columns, not bytes */
	format_wrap("one two three", 0, small, sizeof(small));
	assert_string_equal(small, "one two");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(format__bytes__have_three_digits_and_are_rounded_down),
		cmocka_unit_test(format__durations__grow_from_seconds_to_days),
		cmocka_unit_test(format__moments__know_leap_years_and_centuries),
		cmocka_unit_test(format__a_bar__is_full_only_when_all_is_there),
		cmocka_unit_test(format__percent__is_rounded_down_and_survives_large_numbers),
		cmocka_unit_test(format__columns__count_wide_and_combining_characters),
		cmocka_unit_test(format__fitting__cuts_between_characters),
		cmocka_unit_test(format__control_characters__cannot_reach_the_terminal),
		cmocka_unit_test(format_error__every_source__is_named_with_its_number),
		cmocka_unit_test(format_error__the_longest__is_not_cut),
		cmocka_unit_test(format_wrap__a_long_text__is_broken_at_spaces),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
