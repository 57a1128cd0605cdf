#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "core/json.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define TEXT(literal) { literal, sizeof(literal) - 1 }

static struct json_document *parsed(const char *text, enum json_dialect dialect)
{
	struct json_document *document = NULL;
	struct fault fault = { 0 };
	if (json_parse(text_view(text), dialect, &document, &fault) != RESULT_OK)
		fail_msg("%s: %s: %s", text, result_name(fault.result), fault.what);
	return document;
}

/* --- parsing --- */

static void json_parse__good_texts__are_read(void **state)
{
	(void)state;
	static const char *const texts[] = {
		"{}", "[]", "null", "true", "1", "\"\"", " { \"a\" : [ 1 , 2 ] } ", "{\"\":1}", "[[[]]]",
		"{\"a\":{\"a\":{\"a\":1}},\"b\":{\"a\":1}}", /* one name in several objects */
		"{\"a\":1,\"A\":2,\"aa\":3,\"\\u0061\\u0062\":4}",
		"[1,1,1]", "\"\\u0000\\uD83D\\uDE00\"", "-0", "1.5e300",
	};
	for (size_t i = 0; i < COUNT(texts); i++) {
		json_document_free(parsed(texts[i], JSON_WIRE));
		json_document_free(parsed(texts[i], JSON_CONFIG));
	}
}

static void json_parse__bad_texts__are_refused_with_their_place(void **state)
{
	(void)state;
	static const struct {
		struct text_view text;
		enum result result;
		const char *where; /* begins the fault's words */
	} cases[] = {
		{ { NULL, 0 }, RESULT_MALFORMED, "line 1, column 1: " },
		{ TEXT(""), RESULT_MALFORMED, "line 1, column 1: " },
		{ TEXT("   "), RESULT_MALFORMED, "line 1, column " },
		{ TEXT("{"), RESULT_MALFORMED, "line 1, column 2: " },
		{ TEXT("{\"a\"}"), RESULT_MALFORMED, "line 1, column 5: " },
		{ TEXT("{} x"), RESULT_MALFORMED, "line 1, column 4: " },
		{ TEXT("{}{}"), RESULT_MALFORMED, "line 1, column 3: " },
		{ TEXT("[1,]"), RESULT_MALFORMED, "line 1, column " },
		{ TEXT("{\n \"a\": 1,\n \"b\" 2\n}"), RESULT_MALFORMED, "line 3, column 6: " },
		{ TEXT("[\n\"\xC3\xA4\", x]"), RESULT_MALFORMED, "line 2, column 6: " }, /* in characters */
		{ TEXT("// c\n{}"), RESULT_MALFORMED, "line 1, column 1: " },
		{ TEXT("{'a':1}"), RESULT_MALFORMED, "line 1, column 2: " },
		{ TEXT("{a:1}"), RESULT_MALFORMED, "line 1, column 2: " },
		{ TEXT("[NaN]"), RESULT_MALFORMED, "line 1, column 2: " },
		{ TEXT("[01]"), RESULT_MALFORMED, "line 1, column " },
		{ TEXT("[+1]"), RESULT_MALFORMED, "line 1, column 2: " },
		{ TEXT("[1.]"), RESULT_MALFORMED, "line 1, column " },
		{ TEXT("[1e400]"), RESULT_MALFORMED, "line 1, column " },
		{ TEXT("[\"a\nb\"]"), RESULT_MALFORMED, "line 1, column " }, /* a raw control character */
		{ TEXT("[\"\\x\"]"), RESULT_MALFORMED, "line 1, column " },
		{ TEXT("[\"\\uD800\"]"), RESULT_MALFORMED, "line 1, column " }, /* half a pair */
		{ TEXT("[\"\\uDC00x\"]"), RESULT_MALFORMED, "line 1, column " },
		{ TEXT("[1]\0"), RESULT_MALFORMED, "line 1, column 4: a NUL" },
		{ TEXT("[\"a\0b\"]"), RESULT_MALFORMED, "line 1, column 4: a NUL" },
		{ TEXT("\xEF\xBB\xBF{}"), RESULT_MALFORMED, "line 1, column 1: " },
		{ TEXT("[\"\xFF\"]"), RESULT_NOT_UTF8, "line 1, column 3: " },
		{ TEXT("[\"\xC3\"]"), RESULT_NOT_UTF8, "line 1, column 3: " },
		{ TEXT("[\n\"\xC3\xA4\xED\xA0\x80\"]"), RESULT_NOT_UTF8, "line 2, column 3: " },
		{ TEXT("[\"\xC0\x80\"]"), RESULT_NOT_UTF8, "line 1, column 3: " },
		{ TEXT("[\"\xF4\x90\x80\x80\"]"), RESULT_NOT_UTF8, "line 1, column 3: " },
		{ TEXT("{\"\xFF\":1}"), RESULT_NOT_UTF8, "line 1, column 3: " },
		{ TEXT("[1]\xE2\x82"), RESULT_NOT_UTF8, "line 1, column 4: " },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct json_document *document = NULL;
		struct fault fault = { 0 };
		enum result result = json_parse(cases[i].text, JSON_WIRE, &document, &fault);
		if (result != cases[i].result || strncmp(fault.what, cases[i].where, strlen(cases[i].where)) != 0)
			fail_msg("case %d: %s: %s", (int)i, result_name(result), fault.what);
		assert_null(document);
		assert_int_equal(json_parse(cases[i].text, JSON_WIRE, &document, NULL), result);
	}
}

static void json_parse__config_dialect__allows_what_people_write(void **state)
{
	(void)state;
	AUTO(json_document) struct json_document *document = parsed(
		"\xEF\xBB\xBF// first\n{ /* second, */ \"a\": [1, 2, ], // third\n}\n", JSON_CONFIG);
	assert_int_equal(json_length(json_member(json_root(document), "a")), 2);

	static const char *const refused[] = { "{a:1}", "[NaN]", "[1,,]", "/* open", "[\"\\uD800\"]", "{} // \xFF" };
	for (size_t i = 0; i < COUNT(refused); i++) {
		struct json_document *none = NULL;
		assert_int_not_equal(json_parse(text_view(refused[i]), JSON_CONFIG, &none, NULL), RESULT_OK);
		assert_null(none);
	}

	/* Places are counted as an editor does, which does not show the mark. */
	struct json_document *none = NULL;
	struct fault fault = { 0 };
	assert_int_equal(json_parse(text_view("\xEF\xBB\xBF[1, x]"), JSON_CONFIG, &none, &fault), RESULT_MALFORMED);
	assert_memory_equal(fault.what, "line 1, column 5: ", 18);
}

static void json_parse__a_name_given_twice__is_refused_with_its_path(void **state)
{
	(void)state;
	static const struct {
		const char *text, *path;
	} cases[] = {
		{ "{\"a\":1,\"a\":1}", "a" },
		{ "{\"a\":1,\"b\":2,\"a\":3}", "a" },
		{ "{\"ab\":1,\"\\u0061b\":2}", "ab" },
		{ "{\"\":1,\"\":1}", "" },
		{ "{\"a\\u0000b\":1,\"a\\u0000b\":1}", "a" },
		{ "{\"params\":{\"files\":[{},{\"url\":1},{\"url\":1,\"x\":2,\"url\":3}]}}", "params.files[2].url" },
		{ "[[],[{\"k\":{\"z\":0,\"z\":0}}]]", "[1][0].k.z" },
		{ "{\"a\\nb\":{\"x\":1,\"x\":1}}", "a?b.x" },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct json_document *document = NULL;
		struct fault fault = { 0 };
		assert_int_equal(json_parse(text_view(cases[i].text), JSON_WIRE, &document, &fault),
		                 RESULT_DUPLICATE_FIELD);
		assert_string_equal(fault.what, cases[i].path);
	}
}

static void append(struct buffer *to, const char *text)
{
	assert_int_equal(buffer_append(to, text, strlen(text)), RESULT_OK);
}

static void json_parse__members__are_counted_and_twins_found_in_any_place(void **state)
{
	(void)state;
	/* Two equal names at places a and b among JSON_MEMBERS_MAX different ones. */
	static const int places[][2] = { { 0, 1 }, { 0, 255 }, { 254, 255 }, { 100, 200 }, { -1, -1 } };
	for (size_t p = 0; p < COUNT(places); p++) {
		AUTO(buffer) struct buffer text = BUFFER(65536);
		append(&text, "{");
		for (int i = 0; i < JSON_MEMBERS_MAX; i++) {
			int number = i == places[p][1] ? places[p][0] : i;
			/* Scattered, so that neither order of arrival is the sorted one. */
			assert_int_equal(buffer_print(&text, "%s\"m%d\":0", i ? "," : "", number * 7919 % 100003),
			                 RESULT_OK);
		}
		append(&text, "}");
		struct json_document *document = NULL;
		enum result expected = places[p][0] < 0 ? RESULT_OK : RESULT_DUPLICATE_FIELD;
		struct text_view view = { text.bytes, text.length };
		assert_int_equal(json_parse(view, JSON_WIRE, &document, NULL), expected);
		json_document_free(document);
	}

	AUTO(buffer) struct buffer wide = BUFFER(65536);
	append(&wide, "{\"a\":{");
	for (int i = 0; i <= JSON_MEMBERS_MAX; i++)
		assert_int_equal(buffer_print(&wide, "%s\"%d\":0", i ? "," : "", i), RESULT_OK);
	append(&wide, "}}");
	struct json_document *document = NULL;
	struct fault fault = { 0 };
	struct text_view view = { wide.bytes, wide.length };
	assert_int_equal(json_parse(view, JSON_WIRE, &document, &fault), RESULT_TOO_LARGE);
	assert_memory_equal(fault.what, "a: more than 256", 16);
}

static void json_parse__depth__is_exact_and_survives_a_megabyte_of_brackets(void **state)
{
	(void)state;
	static const char *const shapes[][2] = { { "[", "]" }, { "{\"a\":", "}" } };
	for (size_t s = 0; s < COUNT(shapes); s++) {
		for (int depth = JSON_DEPTH_MAX - 1; depth <= JSON_DEPTH_MAX + 1; depth++) {
			AUTO(buffer) struct buffer text = BUFFER(1024);
			for (int i = 0; i < depth; i++)
				append(&text, shapes[s][0]);
			append(&text, "1");
			for (int i = 0; i < depth; i++)
				append(&text, shapes[s][1]);
			struct json_document *document = NULL;
			struct text_view view = { text.bytes, text.length };
			assert_int_equal(json_parse(view, JSON_WIRE, &document, NULL),
			                 depth <= JSON_DEPTH_MAX ? RESULT_OK : RESULT_TOO_DEEP);
			json_document_free(document);
		}
	}

	AUTO(buffer) struct buffer deep = BUFFER(2 * 1024 * 1024);
	for (int i = 0; i < 512 * 1024; i++)
		append(&deep, "[");
	struct json_document *document = NULL;
	struct text_view view = { deep.bytes, deep.length };
	assert_int_equal(json_parse(view, JSON_WIRE, &document, NULL), RESULT_MALFORMED);
	for (int i = 0; i < 512 * 1024; i++)
		append(&deep, "]");
	view = (struct text_view){ deep.bytes, deep.length };
	assert_int_equal(json_parse(view, JSON_WIRE, &document, NULL), RESULT_TOO_DEEP);
}

/* --- looking around --- */

static void json__kinds_lengths_and_paths__are_told(void **state)
{
	(void)state;
	AUTO(json_document) struct json_document *document =
		parsed("{\"o\":{\"x\":1},\"a\":[1,[2],{\"b\":3}],\"s\":\"t\",\"n\":4,\"z\":null,\"f\":1.5}", JSON_WIRE);
	struct json root = json_root(document);
	assert_true(json_is_object(root) && !json_is_array(root) && !json_is_string(root) && !json_is_number(root));
	assert_string_equal(root.path, "");
	assert_int_equal(json_length(root), 6);

	struct json array = json_member(root, "a");
	assert_true(json_is_array(array) && !json_is_object(array));
	assert_int_equal(json_length(array), 3);
	assert_string_equal(json_at(array, 1).path, "a[1]");
	assert_true(json_is_array(json_at(array, 1)));
	struct json deep = json_member(json_at(array, 2), "b");
	assert_string_equal(deep.path, "a[2].b");
	assert_true(json_is_number(deep));
	assert_true(json_is_string(json_member(root, "s")));
	assert_true(json_is_number(json_member(root, "f")));
	assert_non_null(json_member(root, "z").value); /* null is not absent */

	assert_null(json_member(root, "absent").value);
	assert_string_equal(json_member(root, "absent").path, "absent");
	assert_null(json_at(array, 3).value);
	assert_null(json_at(array, SIZE_MAX).value);
	assert_null(json_at(root, 0).value);
	assert_null(json_member(array, "b").value);
	assert_int_equal(json_length(json_member(root, "n")), 0);
}

static void json__what_is_absent__stays_absent_all_the_way(void **state)
{
	(void)state;
	AUTO(json_document) struct json_document *document = parsed("{}", JSON_WIRE);
	struct json none = json_member(json_root(document), "a");
	struct text_view key = { "kept", 4 };
	uint32_t line;
	uint32_t column;
	assert_false(json_is_object(none) || json_is_array(none) || json_is_string(none) || json_is_number(none));
	assert_int_equal(json_length(none), 0);
	assert_null(json_at(none, 0).value);
	assert_null(json_member(none, "b").value);
	assert_string_equal(json_member(none, "b").path, "a.b");
	assert_null(json_key_at(none, 0, &key).value);
	assert_true(text_is(key, "kept"));
	assert_false(json_position(document, none, &line, &column));
	assert_int_equal(json_only(none, (const char *const[]){ NULL }, NULL), RESULT_OK);
}

static void json_key_at__every_member__in_the_text_s_order(void **state)
{
	(void)state;
	AUTO(json_document) struct json_document *document =
		parsed("{\"p\":{\"b\":[0],\"a\":{\"c\":1},\"\":2}}", JSON_WIRE);
	static const char *const keys[] = { "b", "a", "" };
	static const char *const paths[] = { "p.b", "p.a", "p." };
	struct json object = json_member(json_root(document), "p");
	for (size_t i = 0; i < COUNT(keys); i++) {
		struct text_view key;
		struct json member = json_key_at(object, i, &key);
		assert_true(text_is(key, keys[i]));
		assert_string_equal(member.path, paths[i]);
		assert_ptr_equal(member.value, json_member(object, keys[i]).value);
	}
	struct text_view key;
	assert_null(json_key_at(object, COUNT(keys), &key).value);
}

/* Elements of every shape, arrays within arrays, are where they are expected; a long one is read in linear time. */
static void json_at__every_element__is_the_one_with_that_number(void **state)
{
	(void)state;
	enum { ELEMENTS = 100000 };
	AUTO(buffer) struct buffer text = BUFFER(8 * 1024 * 1024);
	append(&text, "[");
	for (int i = 0; i < ELEMENTS; i++) {
		static const char *const shapes[][2] = { { "", "" }, { "[[],", "]" }, { "{\"a\":[", "]}" } };
		const char *const *shape = shapes[i % 3];
		assert_int_equal(buffer_print(&text, "%s%s%d%s", i ? "," : "", shape[0], i, shape[1]), RESULT_OK);
	}
	append(&text, "]");
	AUTO(json_document) struct json_document *document = parsed(text.bytes, JSON_WIRE);
	struct json array = json_root(document);
	assert_int_equal(json_length(array), ELEMENTS);
	for (size_t i = 0; i < ELEMENTS; i++) {
		struct json element = json_at(array, i);
		uint64_t number = 0;
		if (i % 3 == 1)
			element = json_at(element, 1);
		else if (i % 3 == 2)
			element = json_at(json_member(element, "a"), 0);
		assert_int_equal(json_get_u64(element, 0, UINT64_MAX, &number, NULL), RESULT_OK);
		assert_int_equal(number, i);
	}
}

static void json__long_paths__are_cut_at_a_character(void **state)
{
	(void)state;
	AUTO(buffer) struct buffer text = BUFFER(4096);
	append(&text, "{\"x");
	for (int i = 0; i < 200; i++)
		append(&text, "\xE2\x82\xAC");
	append(&text, "\":{\"inner\":1}}");
	AUTO(json_document) struct json_document *document = parsed(text.bytes, JSON_WIRE);
	struct text_view key;
	struct json outer = json_key_at(json_root(document), 0, &key);
	assert_int_equal(key.length, 601);
	struct json inner = json_member(outer, "inner");
	assert_non_null(inner.value);
	assert_true(text_is_utf8(text_view(outer.path)) && text_is_utf8(text_view(inner.path)));
	assert_true(strlen(outer.path) > JSON_PATH_BYTES_MAX - 5);
}

static void json_only__unknown_member__is_named(void **state)
{
	(void)state;
	static const char *const names[] = { "a", "b", NULL };
	static const char *const none[] = { NULL };
	AUTO(json_document) struct json_document *document =
		parsed("{\"p\":{\"a\":1,\"B\":2},\"q\":{\"b\":1}}", JSON_WIRE);
	struct fault fault = { 0 };
	struct json root = json_root(document);
	assert_int_equal(json_only(json_member(root, "p"), names, &fault), RESULT_UNKNOWN_FIELD);
	assert_string_equal(fault.what, "p.B");
	assert_int_equal(json_only(json_member(root, "q"), names, NULL), RESULT_OK);
	assert_int_equal(json_only(json_member(root, "q"), none, NULL), RESULT_UNKNOWN_FIELD);
}

static void json_position__every_value__where_it_begins(void **state)
{
	(void)state;
	static const char text[] =
		"\xEF\xBB\xBF// a, [\"comment\"] {\n"
		"{\n"
		"\t\"a\": 1, /* \"x\": */ \"b\": [true, \"q\\\"],{\", -2.5e3 ],\n"
		"\t\"\xC3\xA4\": /* * / */ {\"c\":null},// end\n"
		"\"d\":false, }\n";
	AUTO(json_document) struct json_document *document = parsed(text, JSON_CONFIG);
	struct json root = json_root(document);
	struct json b = json_member(root, "b");
	const struct {
		struct json value;
		uint32_t line, column;
	} cases[] = {
		{ root, 2, 1 },
		{ json_member(root, "a"), 3, 7 },
		{ b, 3, 26 },
		{ json_at(b, 0), 3, 27 },
		{ json_at(b, 1), 3, 33 },
		{ json_at(b, 2), 3, 43 },
		{ json_member(root, "\xC3\xA4"), 4, 17 },
		{ json_member(json_member(root, "\xC3\xA4"), "c"), 4, 22 },
		{ json_member(root, "d"), 5, 5 },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		uint32_t line = 0;
		uint32_t column = 0;
		assert_true(json_position(document, cases[i].value, &line, &column));
		if (line != cases[i].line || column != cases[i].column)
			fail_msg("%s: line %u, column %u", cases[i].value.path, (unsigned)line, (unsigned)column);
	}
}

/* --- typed reading --- */

static void json_get_u64__table__integers_as_written_within_bounds(void **state)
{
	(void)state;
#define REAL "v: is not an integer of 64 bits, without point and exponent"
	static const struct {
		const char *text;
		uint64_t minimum, maximum;
		enum result result;
		uint64_t number;
		const char *what;
	} cases[] = {
		{ "0", 0, UINT64_MAX, RESULT_OK, 0, "" },
		{ "-0", 0, UINT64_MAX, RESULT_OK, 0, "" },
		{ "18446744073709551615", 0, UINT64_MAX, RESULT_OK, UINT64_MAX, "" },
		{ "9223372036854775808", 0, UINT64_MAX, RESULT_OK, (uint64_t)INT64_MAX + 1, "" },
		{ "5", 5, 5, RESULT_OK, 5, "" },
		{ "4", 5, 9, RESULT_INVALID_ARGUMENT, 0, "v: 4 is below 5" },
		{ "10", 5, 9, RESULT_INVALID_ARGUMENT, 0, "v: 10 is above 9" },
		{ "-1", 0, 9, RESULT_INVALID_ARGUMENT, 0, "v: -1 is below 0" },
		{ "-9223372036854775808", 0, UINT64_MAX, RESULT_INVALID_ARGUMENT, 0,
		  "v: -9223372036854775808 is below 0" },
		{ "18446744073709551616", 0, UINT64_MAX, RESULT_INVALID_ARGUMENT, 0, REAL },
		{ "1.0", 0, 9, RESULT_INVALID_ARGUMENT, 0, REAL },
		{ "1e3", 0, UINT64_MAX, RESULT_INVALID_ARGUMENT, 0, REAL },
		{ "1E0", 0, UINT64_MAX, RESULT_INVALID_ARGUMENT, 0, REAL },
		{ "\"1\"", 0, 9, RESULT_INVALID_ARGUMENT, 0, "v: is not an integer" },
		{ "true", 0, 9, RESULT_INVALID_ARGUMENT, 0, "v: is not an integer" },
		{ "null", 0, 9, RESULT_INVALID_ARGUMENT, 0, "v: is not an integer" },
		{ "[1]", 0, 9, RESULT_INVALID_ARGUMENT, 0, "v: is not an integer" },
		{ NULL, 0, 9, RESULT_MISSING_FIELD, 0, "v" },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		char text[64] = "{}";
		struct fault fault = { 0 };
		uint64_t number = 4711;
		if (cases[i].text)
			assert_int_equal(text_format(text, sizeof(text), "{\"v\":%s}", cases[i].text), RESULT_OK);
		AUTO(json_document) struct json_document *document = parsed(text, JSON_WIRE);
		struct json value = json_member(json_root(document), "v");
		assert_int_equal(json_get_u64(value, cases[i].minimum, cases[i].maximum, &number, &fault),
		                 cases[i].result);
		assert_string_equal(fault.what, cases[i].what);
		assert_int_equal(number, cases[i].result == RESULT_OK ? cases[i].number : 4711);
	}
}

static void json_get_i64__table__integers_as_written(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		enum result result;
		int64_t number;
	} cases[] = {
		{ "0", RESULT_OK, 0 },
		{ "-0", RESULT_OK, 0 },
		{ "-1", RESULT_OK, -1 },
		{ "9223372036854775807", RESULT_OK, INT64_MAX },
		{ "-9223372036854775808", RESULT_OK, INT64_MIN },
		{ "9223372036854775808", RESULT_INVALID_ARGUMENT, 0 },
		{ "18446744073709551615", RESULT_INVALID_ARGUMENT, 0 },
		{ "-9223372036854775809", RESULT_INVALID_ARGUMENT, 0 },
		{ "-1.0", RESULT_INVALID_ARGUMENT, 0 },
		{ "\"\"", RESULT_INVALID_ARGUMENT, 0 },
		{ NULL, RESULT_MISSING_FIELD, 0 },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		char text[64] = "{}";
		int64_t number = 4711;
		struct fault fault = { 0 };
		if (cases[i].text)
			assert_int_equal(text_format(text, sizeof(text), "{\"v\":%s}", cases[i].text), RESULT_OK);
		AUTO(json_document) struct json_document *document = parsed(text, JSON_WIRE);
		struct json value = json_member(json_root(document), "v");
		assert_int_equal(json_get_i64(value, &number, &fault), cases[i].result);
		assert_int_equal(fault.result, cases[i].result);
		assert_int_equal(number, cases[i].result == RESULT_OK ? cases[i].number : 4711);
	}
}

static void json_get_text__table__whole_texts_within_bounds(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		size_t length_max;
		enum result result;
		const char *read;
	} cases[] = {
		{ "{\"v\":\"\"}", 0, RESULT_OK, "" },
		{ "{\"v\":\"abc\"}", 3, RESULT_OK, "abc" },
		{ "{\"v\":\"abc\"}", 2, RESULT_TOO_LONG, NULL },
		{ "{\"v\":\"\xE2\x82\xAC\"}", 3, RESULT_OK, "\xE2\x82\xAC" },
		{ "{\"v\":\"\xE2\x82\xAC\"}", 2, RESULT_TOO_LONG, NULL }, /* the maximum counts bytes */
		{ "{\"v\":\"\\u20AC\\n\\/\\\"\"}", 9, RESULT_OK, "\xE2\x82\xAC\n/\"" },
		{ "{\"v\":\"\\uD83D\\uDE00\"}", 4, RESULT_OK, "\xF0\x9F\x98\x80" },
		{ "{\"v\":\"\\u0000\"}", 9, RESULT_INVALID_ARGUMENT, NULL },
		{ "{\"v\":\"a\\u0000b\"}", 9, RESULT_INVALID_ARGUMENT, NULL },
		{ "{\"v\":1}", 9, RESULT_INVALID_ARGUMENT, NULL },
		{ "{\"v\":null}", 9, RESULT_INVALID_ARGUMENT, NULL },
		{ "{\"v\":[\"a\"]}", 9, RESULT_INVALID_ARGUMENT, NULL },
		{ "{}", 9, RESULT_MISSING_FIELD, NULL },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct text_view read = { "kept", 4 };
		struct fault fault = { 0 };
		AUTO(json_document) struct json_document *document = parsed(cases[i].text, JSON_WIRE);
		struct json value = json_member(json_root(document), "v");
		assert_int_equal(json_get_text(value, cases[i].length_max, &read, &fault), cases[i].result);
		assert_true(text_is(read, cases[i].read ? cases[i].read : "kept"));
		assert_int_equal(fault.result, cases[i].result);
		assert_int_equal(fault.what[0], cases[i].result == RESULT_OK ? '\0' : 'v');
	}
}

static void json_get_bool__table__true_and_false_only(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		enum result result;
		bool truth;
	} cases[] = {
		{ "[true]", RESULT_OK, true },
		{ "[false]", RESULT_OK, false },
		{ "[1]", RESULT_INVALID_ARGUMENT, true },
		{ "[0]", RESULT_INVALID_ARGUMENT, true },
		{ "[\"true\"]", RESULT_INVALID_ARGUMENT, true },
		{ "[null]", RESULT_INVALID_ARGUMENT, true },
		{ "[]", RESULT_MISSING_FIELD, true },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		bool truth = true;
		AUTO(json_document) struct json_document *document = parsed(cases[i].text, JSON_WIRE);
		assert_int_equal(json_get_bool(json_at(json_root(document), 0), &truth, NULL), cases[i].result);
		assert_int_equal(truth, cases[i].truth);
	}
}

static void json_get__the_root_itself__has_a_name_in_faults(void **state)
{
	(void)state;
	AUTO(json_document) struct json_document *document = parsed("[]", JSON_WIRE);
	struct fault fault = { 0 };
	bool truth;
	assert_int_equal(json_get_bool(json_root(document), &truth, &fault), RESULT_INVALID_ARGUMENT);
	assert_string_equal(fault.what, "(top level): is not true or false");
}

/* --- writing --- */

static void json_write__structure__has_its_commas(void **state)
{
	(void)state;
	AUTO(buffer) struct buffer out = BUFFER(1024);
	struct json_writer writer = JSON_WRITER(&out);
	json_write_begin(&writer, NULL, '{');
	json_write_text(&writer, "t", text_view("x"));
	json_write_u64(&writer, "u", UINT64_MAX);
	json_write_i64(&writer, "i", INT64_MIN);
	json_write_bool(&writer, "y", true);
	json_write_begin(&writer, "a", '[');
	json_write_begin(&writer, NULL, '{');
	json_write_end(&writer, '}');
	json_write_begin(&writer, NULL, '[');
	json_write_end(&writer, ']');
	json_write_u64(&writer, NULL, 0);
	json_write_bool(&writer, NULL, false);
	json_write_text(&writer, NULL, (struct text_view){ NULL, 0 });
	json_write_end(&writer, ']');
	json_write_raw(&writer, "r", text_view("null"));
	json_write_text(&writer, "q\"\n", text_view(""));
	json_write_end(&writer, '}');
	assert_int_equal(json_write_done(&writer), RESULT_OK);
	assert_string_equal(out.bytes, "{\"t\":\"x\",\"u\":18446744073709551615,\"i\":-9223372036854775808,\"y\":true,"
	                               "\"a\":[{},[],0,false,\"\"],\"r\":null,\"q\\\"\\n\":\"\"}");
}

static void json_write_text__escapes__are_rfc_8259_s(void **state)
{
	(void)state;
	AUTO(buffer) struct buffer out = BUFFER(1024);
	struct json_writer writer = JSON_WRITER(&out);
	json_write_text(&writer, NULL, text_view("a \"b\\c/\b\f\n\r\t\x01\x1F\x7F\xC3\xA4\xE2\x80\xA8"));
	assert_int_equal(json_write_done(&writer), RESULT_OK);
	assert_string_equal(out.bytes, "\"a \\\"b\\\\c/\\b\\f\\n\\r\\t\\u0001\\u001f\x7F\xC3\xA4\xE2\x80\xA8\"");
}

/* What is written is read back to the same bytes, for every code point in the middle of a text. */
static void json_write_text__every_code_point__reads_back(void **state)
{
	(void)state;
	uint32_t point = 1;
	while (point < 0x110000) {
		AUTO(buffer) struct buffer text = BUFFER(65536);
		AUTO(buffer) struct buffer out = BUFFER(65536 * 8);
		for (; point < 0x110000 && text.length < 60000; point++) {
			unsigned char bytes[4];
			size_t length = 0;
			if (point >= 0xD800 && point <= 0xDFFF)
				continue;
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
			assert_int_equal(buffer_append(&text, bytes, length), RESULT_OK);
		}
		struct json_writer writer = JSON_WRITER(&out);
		json_write_text(&writer, NULL, (struct text_view){ text.bytes, text.length });
		assert_int_equal(json_write_done(&writer), RESULT_OK);

		AUTO(json_document) struct json_document *document = parsed(out.bytes, JSON_WIRE);
		struct text_view read;
		assert_int_equal(json_get_text(json_root(document), SIZE_MAX, &read, NULL), RESULT_OK);
		assert_true(text_equal(read, (struct text_view){ text.bytes, text.length }));
	}
}

static void json_write__first_failure__sticks(void **state)
{
	(void)state;
	AUTO(buffer) struct buffer out = BUFFER(1024);
	struct json_writer writer = JSON_WRITER(&out);
	json_write_begin(&writer, NULL, '{');
	json_write_text(&writer, "bad", text_view("\xFF"));
	size_t length = out.length;
	json_write_u64(&writer, "good", 1);
	json_write_end(&writer, '}');
	assert_int_equal(json_write_done(&writer), RESULT_NOT_UTF8);
	assert_int_equal(out.length, length);

	/* A buffer of any size below the whole is too small, and told as such. */
	static const char whole[] = "{\"a\":[\"\\u0001\",12],\"b\":true}";
	for (size_t room = 0; room < sizeof(whole); room++) {
		AUTO(buffer) struct buffer little = BUFFER(room);
		struct json_writer small = JSON_WRITER(&little);
		json_write_begin(&small, NULL, '{');
		json_write_begin(&small, "a", '[');
		json_write_text(&small, NULL, text_view("\x01"));
		json_write_u64(&small, NULL, 12);
		json_write_end(&small, ']');
		json_write_bool(&small, "b", true);
		json_write_end(&small, '}');
		bool fits = room == sizeof(whole) - 1;
		assert_int_equal(json_write_done(&small), fits ? RESULT_OK : RESULT_TOO_LARGE);
		if (fits)
			assert_string_equal(little.bytes, whole);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_parse__good_texts__are_read),
		cmocka_unit_test(json_parse__bad_texts__are_refused_with_their_place),
		cmocka_unit_test(json_parse__config_dialect__allows_what_people_write),
		cmocka_unit_test(json_parse__a_name_given_twice__is_refused_with_its_path),
		cmocka_unit_test(json_parse__members__are_counted_and_twins_found_in_any_place),
		cmocka_unit_test(json_parse__depth__is_exact_and_survives_a_megabyte_of_brackets),
		cmocka_unit_test(json__kinds_lengths_and_paths__are_told),
		cmocka_unit_test(json__what_is_absent__stays_absent_all_the_way),
		cmocka_unit_test(json_key_at__every_member__in_the_text_s_order),
		cmocka_unit_test(json_at__every_element__is_the_one_with_that_number),
		cmocka_unit_test(json__long_paths__are_cut_at_a_character),
		cmocka_unit_test(json_only__unknown_member__is_named),
		cmocka_unit_test(json_position__every_value__where_it_begins),
		cmocka_unit_test(json_get_u64__table__integers_as_written_within_bounds),
		cmocka_unit_test(json_get_i64__table__integers_as_written),
		cmocka_unit_test(json_get_text__table__whole_texts_within_bounds),
		cmocka_unit_test(json_get_bool__table__true_and_false_only),
		cmocka_unit_test(json_get__the_root_itself__has_a_name_in_faults),
		cmocka_unit_test(json_write__structure__has_its_commas),
		cmocka_unit_test(json_write_text__escapes__are_rfc_8259_s),
		cmocka_unit_test(json_write_text__every_code_point__reads_back),
		cmocka_unit_test(json_write__first_failure__sticks),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
