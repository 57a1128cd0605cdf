#include "json_schema.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

struct check {
	struct json root;
	char *why;
};

static bool obeys(const struct check *check, struct json schema, struct json value);

static bool wrong(const struct check *check, struct json value, const char *what)
{
	text_display(check->why, JSON_SCHEMA_WHY_BYTES_MAX, "%s: %s", value.path, what);
	return false;
}

static struct text_view text_of(struct json value)
{
	struct text_view text = { NULL, 0 };
	if (json_get_text(value, SIZE_MAX, &text, NULL) != RESULT_OK)
		fail_msg("%s: must be a text", value.path);
	return text;
}

static bool is_bool(struct json value)
{
	bool ignored;
	return json_get_bool(value, &ignored, NULL) == RESULT_OK;
}

static bool is_integer(struct json value)
{
	uint64_t large;
	int64_t number;
	return json_get_i64(value, &number, NULL) == RESULT_OK ||
	       json_get_u64(value, 0, UINT64_MAX, &large, NULL) == RESULT_OK;
}

/* Numbers beyond int64 do not occur in the schemas; of a value they are a matter for is_above. */
static int64_t integer_of(struct json value)
{
	int64_t number = INT64_MAX;
	(void)!json_get_i64(value, &number, NULL);
	return number;
}

static bool is_above(struct json value, int64_t bound)
{
	int64_t number;
	return json_get_i64(value, &number, NULL) != RESULT_OK || number > bound;
}

static bool is_null(struct json value)
{
	return value.value && !json_is_object(value) && !json_is_array(value) && !json_is_string(value) &&
	       !json_is_number(value) && !is_bool(value);
}

static bool same(struct json a, struct json b)
{
	if (json_is_string(a) && json_is_string(b))
		return text_equal(text_of(a), text_of(b));
	if (is_integer(a) && is_integer(b))
		return integer_of(a) == integer_of(b);
	return false;
}

/* --- patterns: the few there are, each by a function --- */

static bool has_only(struct text_view text, const char *of)
{
	for (size_t i = 0; i < text.length; i++)
		if (!strchr(of, text.bytes[i]))
			return false;
	return true;
}

static bool is_line(struct text_view text)
{
	return text.length > 0 && !text_has_control(text);
}

static bool is_short_line(struct text_view text)
{
	return !text_has_control(text);
}

static bool is_lines(struct text_view text)
{
	for (size_t i = 0; i < text.length; i++)
		if (text_has_control((struct text_view){ text.bytes + i, 1 }) && !strchr("\n\t", text.bytes[i]))
			return false;
	return true;
}

static bool is_uuid(struct text_view text)
{
	static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
	if (text.length != strlen(form))
		return false;
	for (size_t i = 0; i < text.length; i++)
		if (!strchr(form[i] == '-' ? "-" : "0123456789abcdefABCDEF", text.bytes[i]))
			return false;
	return true;
}

static bool is_name(struct text_view text)
{
	return text.length > 0 && has_only(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
}

static bool is_hresult(struct text_view text)
{
	return text.length == 10 && memcmp(text.bytes, "0x", 2) == 0 &&
	       has_only((struct text_view){ text.bytes + 2, 8 }, "0123456789ABCDEF");
}

/* "0x" and 1 to 16 hexadecimal digits. */
static bool is_luid(struct text_view text)
{
	return text.length >= 3 && text.length <= 18 && memcmp(text.bytes, "0x", 2) == 0 &&
	       has_only((struct text_view){ text.bytes + 2, text.length - 2 }, "0123456789abcdefABCDEF");
}

static bool is_ticket(struct text_view text)
{
	return text.length == 32 && has_only(text, "0123456789abcdef");
}

static bool is_digest(struct text_view text)
{
	static const struct {
		const char *prefix;
		size_t digits;
	} forms[] = { { "sha256:", 64 }, { "sha384:", 96 }, { "sha512:", 128 } };
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
		if (text.length == 7 + forms[i].digits && memcmp(text.bytes, forms[i].prefix, 7) == 0)
			return has_only((struct text_view){ text.bytes + 7, forms[i].digits }, "0123456789abcdefABCDEF");
	return false;
}

static bool is_etag(struct text_view text)
{
	size_t begin = text.length > 1 && text.bytes[0] == 'W' && text.bytes[1] == '/' ? 2 : 0;
	for (size_t i = begin; i < text.length; i++) {
		bool outside = i == begin || i == text.length - 1;
		if ((text.bytes[i] == '"') != outside || text.bytes[i] == ' ')
			return false;
	}
	return text.length >= begin + 2 && !text_has_control(text);
}

/* Declared jobs: their names, SIDs, times and windows. */
static bool is_declared_name(struct text_view text)
{
	bool good = text.length >= 1 && text.length <= 64;
	for (size_t i = 0; i < text.length && good; i++)
		good = strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-", text.bytes[i]) != NULL;
	return good;
}

static bool is_sid(struct text_view text)
{
	return text.length >= 4 && (memcmp(text.bytes, "S-1-", 4) == 0 || memcmp(text.bytes, "uid:", 4) == 0);
}

static bool is_time(struct text_view text)
{
	bool good = text.length >= 2 && text.length <= 12 && strchr("smhd", text.bytes[text.length - 1]) != NULL;
	for (size_t i = 0; i + 1 < text.length && good; i++)
		good = text.bytes[i] >= '0' && text.bytes[i] <= '9';
	return good;
}

static bool is_window(struct text_view text)
{
	static const char form[] = "29:59-29:59"; /* the most that a digit can be; 20 to 23 hours */
	bool good = text.length == sizeof(form) - 1;
	for (size_t i = 0; i < text.length && good; i++)
		good = form[i] >= '2' ? text.bytes[i] >= '0' && text.bytes[i] <= form[i] : text.bytes[i] == form[i];
	return good && (text.bytes[0] < '2' || text.bytes[1] < '4') && (text.bytes[6] < '2' || text.bytes[7] < '4');
}

static bool is_no_share(struct text_view text)
{
	return text.length > 0 && text.bytes[0] != '\\';
}

static bool matches(struct text_view pattern, struct text_view text)
{
	static const struct {
		const char *pattern;
		bool (*is)(struct text_view text);
	} known[] = {
		{ "^[^\\u0000-\\u001f\\u007f]+$", is_line },
		{ "^[^\\u0000-\\u001f\\u007f]*$", is_short_line },
		{ "^[^\\u0000-\\u0008\\u000b-\\u001f\\u007f]*$", is_lines },
		{ "^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$", is_uuid },
		{ "^[A-Z0-9_]+$", is_name },
		{ "^0x[0-9A-F]{8}$", is_hresult },
		{ "^0x[0-9a-fA-F]{1,16}$", is_luid },
		{ "^[0-9a-f]{32}$", is_ticket },
		{ "^(W/)?\"[^\\u0000-\\u0020\"\\u007f]*\"$", is_etag },
		{ "^(sha256:[0-9A-Fa-f]{64}|sha384:[0-9A-Fa-f]{96}|sha512:[0-9A-Fa-f]{128})$", is_digest },
		{ "^[A-Za-z0-9._-]{1,64}$", is_declared_name },
		{ "^(S-1-|uid:)", is_sid },
		{ "^[^\\\\]", is_no_share },
		{ "^[0-9]{1,11}[smhd]$", is_time },
		{ "^([01][0-9]|2[0-3]):[0-5][0-9]-([01][0-9]|2[0-3]):[0-5][0-9]$", is_window },
	};
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (text_is(pattern, known[i].pattern))
			return known[i].is(text);
	fail_msg("the pattern %.*s is not known here", (int)pattern.length, pattern.bytes);
	return false;
}

/* --- keywords --- */

static bool check_type(const struct check *check, struct json argument, struct json value)
{
	static const struct {
		const char *name;
		bool (*is)(struct json value);
	} types[] = { { "object", json_is_object }, { "array", json_is_array }, { "string", json_is_string },
		      { "integer", is_integer },    { "boolean", is_bool },     { "null", is_null } };
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (text_is(text_of(argument), types[i].name))
			return types[i].is(value) || wrong(check, value, types[i].name);
	fail_msg("%s: this type is not known here", argument.path);
	return false;
}

static bool check_const(const struct check *check, struct json argument, struct json value)
{
	return same(argument, value) || wrong(check, value, "is not the constant");
}

static bool check_enum(const struct check *check, struct json argument, struct json value)
{
	for (size_t i = 0; i < json_length(argument); i++)
		if (same(json_at(argument, i), value))
			return true;
	return wrong(check, value, "is none of the listed");
}

static bool check_required(const struct check *check, struct json argument, struct json value)
{
	for (size_t i = 0; json_is_object(value) && i < json_length(argument); i++) {
		char name[JSON_PATH_BYTES_MAX];
		assert_int_equal(text_copy(name, sizeof(name), text_of(json_at(argument, i))), RESULT_OK);
		struct json member = json_member(value, name);
		if (!member.value)
			return wrong(check, member, "is missing");
	}
	return true;
}

static bool check_properties(const struct check *check, struct json argument, struct json value)
{
	for (size_t i = 0; json_is_object(value) && i < json_length(argument); i++) {
		struct text_view key;
		char name[JSON_PATH_BYTES_MAX];
		struct json schema = json_key_at(argument, i, &key);
		assert_int_equal(text_copy(name, sizeof(name), key), RESULT_OK);
		struct json member = json_member(value, name);
		if (member.value && !obeys(check, schema, member))
			return false;
	}
	return true;
}

/* `additionalProperties`: only false is used, beside `properties`. */
static bool check_additional(const struct check *check, struct json schema, struct json value)
{
	struct json known = json_member(schema, "properties");
	for (size_t i = 0; json_is_object(value) && i < json_length(value); i++) {
		struct text_view key;
		char name[JSON_PATH_BYTES_MAX];
		struct json member = json_key_at(value, i, &key);
		if (text_copy(name, sizeof(name), key) != RESULT_OK || !json_member(known, name).value)
			return wrong(check, member, "is not listed");
	}
	return true;
}

static bool check_items(const struct check *check, struct json argument, struct json value)
{
	for (size_t i = 0; json_is_array(value) && i < json_length(value); i++)
		if (!obeys(check, argument, json_at(value, i)))
			return false;
	return true;
}

/* `uniqueItems`: only true is used, of texts and integers. */
static bool check_unique(const struct check *check, struct json value)
{
	for (size_t i = 0; json_is_array(value) && i < json_length(value); i++)
		for (size_t j = 0; j < i; j++)
			if (same(json_at(value, i), json_at(value, j)))
				return wrong(check, json_at(value, i), "is there twice");
	return true;
}

/* In characters, as JSON Schema counts. */
static int64_t characters(struct json value)
{
	int64_t count = 0;
	struct text_view text = text_of(value);
	for (size_t i = 0; i < text.length; i++)
		count += ((unsigned char)text.bytes[i] & 0xC0) != 0x80;
	return count;
}

static bool check_bound(const struct check *check, struct text_view keyword, int64_t bound, struct json value)
{
	bool good = true;
	if (text_is(keyword, "minimum"))
		good = !is_integer(value) || integer_of(value) >= bound;
	else if (text_is(keyword, "maximum"))
		good = !is_integer(value) || !is_above(value, bound);
	else if (text_is(keyword, "minItems"))
		good = !json_is_array(value) || (int64_t)json_length(value) >= bound;
	else if (text_is(keyword, "maxItems"))
		good = !json_is_array(value) || (int64_t)json_length(value) <= bound;
	else if (text_is(keyword, "minLength"))
		good = !json_is_string(value) || characters(value) >= bound;
	else if (text_is(keyword, "maxLength"))
		good = !json_is_string(value) || characters(value) <= bound;
	else
		fail_msg("the keyword %.*s is not known here", (int)keyword.length, keyword.bytes);
	return good || wrong(check, value, "is out of bounds");
}

static bool check_choice(const struct check *check, struct json argument, struct json value, bool exactly_one)
{
	size_t count = 0;
	for (size_t i = 0; i < json_length(argument); i++)
		count += obeys(check, json_at(argument, i), value);
	if (count == 1 || (count > 1 && !exactly_one))
		return true;
	return count > 1 ? wrong(check, value, "obeys more than one of several") : false; /* `why` has the last one */
}

static bool check_reference(const struct check *check, struct json argument, struct json value)
{
	static const char before[] = "#/$defs/";
	struct text_view reference = text_of(argument);
	char name[JSON_PATH_BYTES_MAX];
	size_t skip = strlen(before);

	if (reference.length <= skip || memcmp(reference.bytes, before, skip) != 0)
		fail_msg("%s: such references are not known here", argument.path);
	reference.bytes += skip;
	reference.length -= skip;
	assert_int_equal(text_copy(name, sizeof(name), reference), RESULT_OK);
	struct json schema = json_member(json_member(check->root, "$defs"), name);
	if (!schema.value)
		fail_msg("%s: there is no definition %s", argument.path, name);
	return obeys(check, schema, value);
}

static bool is_annotation(struct text_view keyword)
{
	static const char *const annotations[] = { "$schema", "$id", "$defs", "title", "description", "default" };
	for (size_t i = 0; i < sizeof(annotations) / sizeof(annotations[0]); i++)
		if (text_is(keyword, annotations[i]))
			return true;
	return false;
}

static bool obeys(const struct check *check, struct json schema, struct json value)
{
	bool good = true;
	struct text_view text;
	if (!json_is_object(schema))
		fail_msg("%s: a schema must be an object", schema.path);
	if (json_is_string(value) && json_get_text(value, SIZE_MAX, &text, NULL) != RESULT_OK)
		return wrong(check, value, "contains U+0000"); /* which all our patterns refuse, and core/json too */
	for (size_t i = 0; good && i < json_length(schema); i++) {
		struct text_view keyword;
		struct json argument = json_key_at(schema, i, &keyword);
		if (is_annotation(keyword))
			continue;
		if (text_is(keyword, "$ref"))
			good = check_reference(check, argument, value);
		else if (text_is(keyword, "type"))
			good = check_type(check, argument, value);
		else if (text_is(keyword, "const"))
			good = check_const(check, argument, value);
		else if (text_is(keyword, "enum"))
			good = check_enum(check, argument, value);
		else if (text_is(keyword, "required"))
			good = check_required(check, argument, value);
		else if (text_is(keyword, "properties"))
			good = check_properties(check, argument, value);
		else if (text_is(keyword, "additionalProperties"))
			good = check_additional(check, schema, value);
		else if (text_is(keyword, "uniqueItems"))
			good = check_unique(check, value);
		else if (text_is(keyword, "items"))
			good = check_items(check, argument, value);
		else if (text_is(keyword, "anyOf") || text_is(keyword, "oneOf"))
			good = check_choice(check, argument, value, text_is(keyword, "oneOf"));
		else if (text_is(keyword, "not"))
			good = !obeys(check, argument, value) || wrong(check, value, "is what it must not be");
		else if (text_is(keyword, "pattern"))
			good = !json_is_string(value) || matches(text_of(argument), text_of(value)) ||
			       wrong(check, value, "does not match the pattern");
		else
			good = check_bound(check, keyword, integer_of(argument), value);
	}
	return good;
}

bool json_schema_obeyed(struct json root, struct json schema, struct json value, char why[JSON_SCHEMA_WHY_BYTES_MAX])
{
	const struct check check = { .root = root, .why = why };
	why[0] = '\0';
	return obeys(&check, schema, value);
}
