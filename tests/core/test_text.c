#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "core/text.h"

#define VIEW(literal) ((struct text_view){ literal, sizeof(literal) - 1 })
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void text__views__are_compared_by_bytes_and_length(void **state)
{
	(void)state;
	struct text_view none = { NULL, 0 };
	assert_true(text_equal(VIEW("abc"), text_view("abc")));
	assert_false(text_equal(VIEW("abc"), VIEW("ab")));
	assert_false(text_equal(VIEW("abc"), VIEW("abd")));
	assert_false(text_equal(VIEW("a\0b"), VIEW("a")));
	assert_true(text_equal(VIEW("a\0b"), VIEW("a\0b")));
	assert_true(text_equal(none, VIEW("")));
	assert_true(text_equal(none, text_view(NULL)));
	assert_true(text_is(VIEW("abc"), "abc"));
	assert_false(text_is(VIEW("abc\0"), "abc"));
}

static void text_is_utf8__table__is_unicode_s(void **state)
{
	(void)state;
	static const struct {
		struct text_view text;
		bool well_formed;
	} cases[] = {
		{ { NULL, 0 }, true },
		{ { "", 0 }, true },
		{ { "a\0b", 3 }, false }, /* NUL is no text of ours */
		{ { "\x01\x7F", 2 }, true },
		{ { "\xC2\x80", 2 }, true },
		{ { "\xDF\xBF", 2 }, true },
		{ { "\xE0\xA0\x80", 3 }, true },
		{ { "\xED\x9F\xBF", 3 }, true },
		{ { "\xEE\x80\x80", 3 }, true },
		{ { "\xEF\xBF\xBF", 3 }, true },
		{ { "\xF0\x90\x80\x80", 4 }, true },
		{ { "\xF4\x8F\xBF\xBF", 4 }, true },
		{ { "\x80", 1 }, false },             /* continuation alone */
		{ { "\xBF", 1 }, false },
		{ { "\xC0\x80", 2 }, false },         /* overlong NUL */
		{ { "\xC1\xBF", 2 }, false },         /* overlong */
		{ { "\xE0\x9F\xBF", 3 }, false },     /* overlong */
		{ { "\xF0\x8F\xBF\xBF", 4 }, false }, /* overlong */
		{ { "\xED\xA0\x80", 3 }, false },     /* surrogate U+D800 */
		{ { "\xED\xBF\xBF", 3 }, false },     /* surrogate U+DFFF */
		{ { "\xF4\x90\x80\x80", 4 }, false }, /* U+110000 */
		{ { "\xF5\x80\x80\x80", 4 }, false },
		{ { "\xFE", 1 }, false },
		{ { "\xFF", 1 }, false },
		{ { "\xC2", 1 }, false },             /* cut */
		{ { "\xE2\x82", 2 }, false },
		{ { "\xF0\x9F\x98", 3 }, false },
		{ { "\xC2\xC2", 2 }, false },         /* no continuation */
		{ { "\xE2\x82\x41", 3 }, false },
		{ { "\xF0\x9F\x98\x41", 4 }, false },
		{ { "ok \xE2\x82\xAC ok \xFF", 11 }, false },
	};
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_int_equal(text_is_utf8(cases[i].text), cases[i].well_formed);
}

static void text_utf16_length__by_plane__is_one_or_two(void **state)
{
	(void)state;
	static const struct {
		struct text_view text;
		size_t units;
	} cases[] = {
		{ { NULL, 0 }, 0 },
		{ { "", 0 }, 0 },
		{ { "abc\n", 4 }, 4 },
		{ { "\x7F\xC2\x80\xDF\xBF", 5 }, 3 },
		{ { "\xE0\xA0\x80\xEF\xBF\xBF", 6 }, 2 },
		{ { "\xF0\x90\x80\x80", 4 }, 2 },
		{ { "a\xF4\x8F\xBF\xBF\xE2\x82\xAC", 8 }, 4 },
	};
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_int_equal(text_utf16_length(cases[i].text), cases[i].units);
}

/* Every code point, encoded by another hand, is accepted; every surrogate is refused. */
static void text_is_utf8__every_code_point__as_unicode_says(void **state)
{
	(void)state;
	for (uint32_t point = 1; point < 0x110000; point++) {
		unsigned char bytes[4];
		size_t length = 0;
		if (point < 0x80) {
			bytes[length++] = (unsigned char)point;
		} else if (point < 0x800) {
			bytes[length++] = (unsigned char)(0xC0 | (point >> 6));
		} else if (point < 0x10000) {
			bytes[length++] = (unsigned char)(0xE0 | (point >> 12));
			bytes[length++] = (unsigned char)(0x80 | ((point >> 6) & 0x3F));
		} else {
			bytes[length++] = (unsigned char)(0xF0 | (point >> 18));
			bytes[length++] = (unsigned char)(0x80 | ((point >> 12) & 0x3F));
			bytes[length++] = (unsigned char)(0x80 | ((point >> 6) & 0x3F));
		}
		if (point >= 0x80)
			bytes[length++] = (unsigned char)(0x80 | (point & 0x3F));
		bool surrogate = point >= 0xD800 && point <= 0xDFFF;
		if (text_is_utf8((struct text_view){ (const char *)bytes, length }) == surrogate)
			fail_msg("U+%04X", (unsigned)point);
	}
}

static void text_has_control__every_byte__only_c0_and_delete(void **state)
{
	(void)state;
	for (unsigned byte = 0; byte < 256; byte++) {
		char text[3] = { 'a', (char)byte, 'b' };
		assert_int_equal(text_has_control((struct text_view){ text, 3 }), byte < 0x20 || byte == 0x7F);
	}
	assert_false(text_has_control((struct text_view){ NULL, 0 }));
}

static void text_copy__fits__is_terminated(void **state)
{
	(void)state;
	char to[4] = "zzz";
	assert_int_equal(text_copy(to, sizeof(to), VIEW("abc")), RESULT_OK);
	assert_string_equal(to, "abc");
	assert_int_equal(text_copy(to, sizeof(to), (struct text_view){ NULL, 0 }), RESULT_OK);
	assert_string_equal(to, "");
}

static void text_copy__too_long__leaves_the_array(void **state)
{
	(void)state;
	char to[4] = "old";
	assert_int_equal(text_copy(to, sizeof(to), VIEW("abcd")), RESULT_TOO_LONG);
	assert_string_equal(to, "old");
	assert_int_equal(text_copy(to, 0, VIEW("")), RESULT_TOO_LONG);
	assert_string_equal(to, "old");
}

static void text_format__cut__is_refused(void **state)
{
	(void)state;
	char to[4];
	assert_int_equal(text_format(to, sizeof(to), "%d", 123), RESULT_OK);
	assert_string_equal(to, "123");
	assert_int_equal(text_format(to, sizeof(to), "%d", 1234), RESULT_TOO_LONG);
	assert_string_equal(to, "");
}

static void text_display__cut__never_splits_a_character(void **state)
{
	(void)state;
	static const char text[] = "a\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80z"; /* characters of 1, 2, 3, 4, 1 bytes */
	static const size_t shown[] = { 0, 0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 11, 11 }; /* by size of the array */
	for (size_t size = 1; size < COUNT(shown); size++) {
		char to[16];
		memset(to, 'Z', sizeof(to));
		text_display(to, size, "%s", text);
		assert_int_equal(strlen(to), shown[size]);
		assert_memory_equal(to, text, shown[size]);
		assert_int_equal(to[size], 'Z');
	}
}

static void text_display__bytes_that_are_no_utf8__are_shown_as_far_as_they_go(void **state)
{
	(void)state;
	char to[5];
	text_display(to, sizeof(to), "%s", "\x80\x80\x80\x80\x80\x80");
	assert_true(strlen(to) <= 4);
	text_display(to, sizeof(to), "%s", "abc\xFFgh");
	assert_memory_equal(to, "abc", 3);
}

static void buffer__appends__grow_and_stay_terminated(void **state)
{
	(void)state;
	AUTO(buffer) struct buffer buffer = BUFFER(100000);
	for (unsigned i = 0; i < 10000; i++) {
		assert_int_equal(buffer_append(&buffer, "0123456789", 10), RESULT_OK);
		assert_int_equal(buffer.length, (i + 1) * 10);
		assert_int_equal(buffer.bytes[buffer.length], '\0');
		assert_true(buffer.capacity <= buffer.length_max + 1);
	}
	for (unsigned i = 0; i < 100000; i++)
		assert_int_equal(buffer.bytes[i], "0123456789"[i % 10]);
}

static void buffer__at_its_maximum__refuses_and_stays(void **state)
{
	(void)state;
	AUTO(buffer) struct buffer buffer = BUFFER(5);
	assert_int_equal(buffer_append(&buffer, "abc", 3), RESULT_OK);
	assert_int_equal(buffer_append(&buffer, "def", 3), RESULT_TOO_LARGE);
	assert_int_equal(buffer_append(&buffer, "", SIZE_MAX), RESULT_TOO_LARGE);
	assert_int_equal(buffer_print(&buffer, "%d", 123), RESULT_TOO_LARGE);
	assert_int_equal(buffer.length, 3);
	assert_string_equal(buffer.bytes, "abc");
	assert_int_equal(buffer_print(&buffer, "%d", 12), RESULT_OK);
	assert_string_equal(buffer.bytes, "abc12");
	assert_int_equal(buffer_append(&buffer, NULL, 0), RESULT_OK);
	assert_int_equal(buffer_append(&buffer, "x", 1), RESULT_TOO_LARGE);
}

static void buffer__of_no_bytes__holds_the_empty_text(void **state)
{
	(void)state;
	AUTO(buffer) struct buffer buffer = BUFFER(0);
	assert_int_equal(buffer_append(&buffer, NULL, 0), RESULT_OK);
	assert_string_equal(buffer.bytes, "");
	assert_int_equal(buffer_append(&buffer, "x", 1), RESULT_TOO_LARGE);
}

static void buffer__print__appends_what_needs_several_steps_of_growth(void **state)
{
	(void)state;
	AUTO(buffer) struct buffer buffer = BUFFER(100000);
	assert_int_equal(buffer_print(&buffer, "%s:%zu:%llu", "a", (size_t)7, 18446744073709551615ull), RESULT_OK);
	assert_string_equal(buffer.bytes, "a:7:18446744073709551615");
	size_t before = buffer.length;
	assert_int_equal(buffer_print(&buffer, "%5000d", 1), RESULT_OK);
	assert_int_equal(buffer.length, before + 5000);
	assert_int_equal(strlen(buffer.bytes), buffer.length);
}

static void buffer__clear_and_done__make_it_empty_and_usable(void **state)
{
	(void)state;
	struct buffer buffer = BUFFER(10);
	buffer_clear(&buffer);
	assert_null(buffer.bytes);
	assert_int_equal(buffer_append(&buffer, "abc", 3), RESULT_OK);
	buffer_clear(&buffer);
	assert_int_equal(buffer.length, 0);
	assert_string_equal(buffer.bytes, "");
	buffer_done(&buffer);
	assert_null(buffer.bytes);
	assert_int_equal(buffer_append(&buffer, "0123456789", 10), RESULT_OK);
	assert_int_equal(buffer_append(&buffer, "x", 1), RESULT_TOO_LARGE);
	buffer_done(&buffer);
	buffer_done(&buffer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text__views__are_compared_by_bytes_and_length),
		cmocka_unit_test(text_is_utf8__table__is_unicode_s),
		cmocka_unit_test(text_is_utf8__every_code_point__as_unicode_says),
		cmocka_unit_test(text_utf16_length__by_plane__is_one_or_two),
		cmocka_unit_test(text_has_control__every_byte__only_c0_and_delete),
		cmocka_unit_test(text_copy__fits__is_terminated),
		cmocka_unit_test(text_copy__too_long__leaves_the_array),
		cmocka_unit_test(text_format__cut__is_refused),
		cmocka_unit_test(text_display__cut__never_splits_a_character),
		cmocka_unit_test(text_display__bytes_that_are_no_utf8__are_shown_as_far_as_they_go),
		cmocka_unit_test(buffer__appends__grow_and_stay_terminated),
		cmocka_unit_test(buffer__at_its_maximum__refuses_and_stays),
		cmocka_unit_test(buffer__of_no_bytes__holds_the_empty_text),
		cmocka_unit_test(buffer__print__appends_what_needs_several_steps_of_growth),
		cmocka_unit_test(buffer__clear_and_done__make_it_empty_and_usable),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
