#include "core/json.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <yyjson.h>

#define TEXT_OF(number) TEXT_OF_(number)
#define TEXT_OF_(number) #number

struct json_document {
	yyjson_doc *yyjson;
	/* The elements of arrays by index, so that reading a hostile message's long array is not quadratic.
	 * yyjson keeps values in one block, in the text's order: a value's number is its distance from the
	 * root.  `first_element[n]` is where the elements of the array with number n begin in `elements`. */
	uint32_t *first_element;
	uint32_t *elements;
	uint32_t element_count;
	enum json_dialect dialect;
	size_t length;
	char text[]; /* a copy, for json_position */
};

static struct json json_none(void)
{
	return (struct json){ .value = NULL };
}

/* yyjson's accessors only read, but want pointers to what is not const. */
static yyjson_val *val(struct json json)
{
	union {
		const void *constant;
		yyjson_val *value;
	} pointer = { .constant = json.value };
	return pointer.value;
}

static uint32_t number_of(const struct json_document *document, const yyjson_val *value)
{
	return (uint32_t)(value - document->yyjson->root);
}

/* --- paths --- */

/* Write "parent.key" or "key".  For people: what does not fit is cut, control characters are masked. */
static void path_member(char *to, const char *parent, const char *key, size_t length)
{
	char shown[JSON_PATH_BYTES_MAX];
	int shown_length = length < sizeof(shown) ? (int)length : (int)sizeof(shown);
	text_display(shown, sizeof(shown), "%.*s", shown_length, key);
	for (char *at = shown; *at; at++) {
		if ((unsigned char)*at < 0x20 || *at == 0x7F)
			*at = '?';
	}
	text_display(to, JSON_PATH_BYTES_MAX, "%s%s%s", parent, parent[0] ? "." : "", shown);
}

static void path_element(char *to, const char *parent, size_t index)
{
	text_display(to, JSON_PATH_BYTES_MAX, "%s[%zu]", parent, index);
}

static const char *path_shown(const char *path)
{
	return path[0] ? path : "(top level)";
}

/* Windows' editors begin a file with a byte order mark. */
static size_t mark_length(struct text_view text)
{
	return text.length >= 3 && memcmp(text.bytes, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
}

/* As an editor counts: in characters, without the byte order mark. */
static void locate(struct text_view text, size_t offset, uint32_t *ret_line, uint32_t *ret_column)
{
	uint32_t line = 1;
	uint32_t column = 1;
	for (size_t i = mark_length(text); i < offset && i < text.length; i++) {
		if (text.bytes[i] == '\n') {
			line++;
			column = 1;
		} else if (((unsigned char)text.bytes[i] & 0xC0) != 0x80) {
			column++;
		}
	}
	*ret_line = line;
	*ret_column = column;
}

/* --- parsing --- */

static enum result fault_at(struct fault *fault, enum result result, struct text_view text, size_t offset,
                            const char *why)
{
	uint32_t line;
	uint32_t column;
	locate(text, offset, &line, &column);
	return fault_set(fault, result, FAULT_FERRY, 0, "line %lu, column %lu: %s", (unsigned long)line,
	                 (unsigned long)column, why);
}

/* yyjson checks the encoding inside strings only; comments go by unread.  So all is checked before. */
static enum result check_encoding(struct text_view text, struct fault *fault)
{
	if (text_is_utf8(text))
		return RESULT_OK;

	size_t at = 0;
	while (at < text.length) {
		size_t step = 1;
		while (step <= 4 && step <= text.length - at &&
		       !text_is_utf8((struct text_view){ text.bytes + at, step }))
			step++;
		if (step > 4 || step > text.length - at)
			break;
		at += step;
	}
	if (at < text.length && text.bytes[at] == '\0')
		return fault_at(fault, RESULT_MALFORMED, text, at, "a NUL byte");
	return fault_at(fault, RESULT_NOT_UTF8, text, at, "a byte that is not UTF-8");
}

/* An order of keys; any will do. */
static int compare_keys(yyjson_val *a, yyjson_val *b)
{
	size_t length = yyjson_get_len(a);
	if (length != yyjson_get_len(b))
		return length < yyjson_get_len(b) ? -1 : 1;
	return memcmp(yyjson_get_str(a), yyjson_get_str(b), length);
}

/* What people wrote is told with the place; what programs did, by the path alone. */
static enum result fault_in(const struct json_document *document, const yyjson_val *value, enum result result,
                            const char *path, const char *why, struct fault *fault)
{
	const struct json at = { .value = value, .document = document };
	uint32_t line, column;
	if (document->dialect == JSON_CONFIG && json_position(document, at, &line, &column))
		return fault_set(fault, result, FAULT_FERRY, 0, "line %lu, column %lu: %s: %s", (unsigned long)line,
		                 (unsigned long)column, path_shown(path), why);
	if (result == RESULT_DUPLICATE_FIELD)
		return fault_set(fault, result, FAULT_FERRY, 0, "%s", path);
	return fault_set(fault, result, FAULT_FERRY, 0, "%s: %s", path_shown(path), why);
}

/* Refuse two members of one name, and too many members.  The names are sorted as they come, so that a
 * hostile object costs n log n comparisons. */
static enum result check_members(const struct json_document *document, yyjson_val *object, const char *path,
                                 struct fault *fault)
{
	yyjson_val *sorted[JSON_MEMBERS_MAX];
	size_t count = 0;
	if (yyjson_obj_size(object) > JSON_MEMBERS_MAX)
		return fault_in(document, object, RESULT_TOO_LARGE, path, "more than " TEXT_OF(JSON_MEMBERS_MAX) " members", fault);

	yyjson_obj_iter iterator = yyjson_obj_iter_with(object);
	for (yyjson_val *key; (key = yyjson_obj_iter_next(&iterator)) != NULL;) {
		size_t low = 0;
		size_t high = count;
		while (low < high) {
			size_t middle = low + (high - low) / 2;
			int order = compare_keys(key, sorted[middle]);
			if (order == 0) {
				char member[JSON_PATH_BYTES_MAX];
				path_member(member, path, yyjson_get_str(key), yyjson_get_len(key));
				return fault_in(document, key, RESULT_DUPLICATE_FIELD, member, "stands there twice", fault);
			}
			if (order < 0)
				high = middle;
			else
				low = middle + 1;
		}
		memmove(&sorted[low + 1], &sorted[low], (count - low) * sizeof(sorted[0]));
		sorted[low] = key;
		count++;
	}
	return RESULT_OK;
}

/* Check a value and what it holds, and note where the elements of arrays are.  The recursion ends at
 * JSON_DEPTH_MAX; yyjson itself reads without recursion. */
static enum result check_value(struct json_document *document, yyjson_val *value, unsigned depth,
                               const char *path, struct fault *fault)
{
	if (!yyjson_is_ctn(value))
		return RESULT_OK;
	if (depth >= JSON_DEPTH_MAX)
		return fault_in(document, value, RESULT_TOO_DEEP, path, "deeper than " TEXT_OF(JSON_DEPTH_MAX), fault);

	char child_path[JSON_PATH_BYTES_MAX];
	if (yyjson_is_obj(value)) {
		enum result result = check_members(document, value, path, fault);
		yyjson_obj_iter iterator = yyjson_obj_iter_with(value);
		yyjson_val *key;
		while (result == RESULT_OK && (key = yyjson_obj_iter_next(&iterator)) != NULL) {
			yyjson_val *child = yyjson_obj_iter_get_val(key);
			if (!yyjson_is_ctn(child))
				continue;
			path_member(child_path, path, yyjson_get_str(key), yyjson_get_len(key));
			result = check_value(document, child, depth + 1, child_path, fault);
		}
		return result;
	}

	/* The elements of this array get a stretch of their own before their children take the next ones. */
	uint32_t next = document->element_count;
	document->first_element[number_of(document, value)] = next;
	document->element_count += (uint32_t)yyjson_arr_size(value);

	size_t index = 0;
	yyjson_arr_iter iterator = yyjson_arr_iter_with(value);
	for (yyjson_val *child; (child = yyjson_arr_iter_next(&iterator)) != NULL; index++) {
		document->elements[next++] = number_of(document, child);
		if (!yyjson_is_ctn(child))
			continue;
		path_element(child_path, path, index);
		enum result result = check_value(document, child, depth + 1, child_path, fault);
		if (result != RESULT_OK)
			return result;
	}
	return RESULT_OK;
}

static enum result read_text(struct json_document *document, struct fault *fault)
{
	struct text_view text = { document->text, document->length };
	yyjson_read_flag flags = YYJSON_READ_NOFLAG;
	size_t skip = 0;
	if (document->dialect == JSON_CONFIG) {
		flags = YYJSON_READ_ALLOW_COMMENTS | YYJSON_READ_ALLOW_TRAILING_COMMAS;
		skip = mark_length(text);
	}

	yyjson_read_err error;
	/* Without YYJSON_READ_INSITU the text is only read. */
	document->yyjson =
		yyjson_read_opts(document->text + skip, document->length - skip, flags, NULL, &error);
	if (document->yyjson)
		return RESULT_OK;
	if (error.code == YYJSON_READ_ERROR_MEMORY_ALLOCATION)
		return fault_set(fault, RESULT_NO_MEMORY, FAULT_FERRY, 0, "parse JSON");
	return fault_at(fault, RESULT_MALFORMED, text, error.pos + skip, error.msg);
}

enum result json_parse(struct text_view text, enum json_dialect dialect, struct json_document **ret_document,
                       struct fault *fault)
{
	enum result result = check_encoding(text, fault);
	if (result != RESULT_OK)
		return result;
	/* Values are numbered with 32 bits; our texts have a maximum far below. */
	if (text.length >= UINT32_MAX)
		return fault_set(fault, RESULT_TOO_LARGE, FAULT_FERRY, 0, "parse JSON");

	AUTO(json_document) struct json_document *document = calloc(1, sizeof(*document) + text.length + 1);
	if (!document)
		return fault_set(fault, RESULT_NO_MEMORY, FAULT_FERRY, 0, "parse JSON");
	document->length = text.length;
	document->dialect = dialect;
	if (text.length > 0)
		memcpy(document->text, text.bytes, text.length);

	result = read_text(document, fault);
	if (result != RESULT_OK)
		return result;

	size_t count = yyjson_doc_get_val_count(document->yyjson);
	document->first_element = calloc(count, sizeof(*document->first_element));
	document->elements = calloc(count, sizeof(*document->elements));
	if (!document->first_element || !document->elements)
		return fault_set(fault, RESULT_NO_MEMORY, FAULT_FERRY, 0, "parse JSON");
	result = check_value(document, document->yyjson->root, 0, "", fault);
	if (result != RESULT_OK)
		return result;

	*ret_document = TAKE(document);
	return RESULT_OK;
}

void json_document_free(struct json_document *document)
{
	if (!document)
		return;
	/* There may have been a password in it. */
	if (document->yyjson && document->yyjson->str_pool)
		text_wipe(document->yyjson->str_pool, yyjson_doc_get_read_size(document->yyjson));
	text_wipe(document->text, document->length);
	yyjson_doc_free(document->yyjson);
	free(document->first_element);
	free(document->elements);
	free(document);
}

struct json json_root(const struct json_document *document)
{
	return (struct json){ .value = document->yyjson->root, .document = document };
}

/* --- where a value is in the text --- */

/* The end of the token that begins at `at` in a text that was parsed before. */
static size_t token_end(const char *text, size_t length, size_t at)
{
	if (text[at] == '"') {
		for (at++; at < length && text[at] != '"'; at++) {
			if (text[at] == '\\')
				at++;
		}
		return at + 1;
	}
	if (text[at] == '{' || text[at] == '[')
		return at + 1;
	while (at < length && !strchr(" \t\r\n,:]}/", text[at]))
		at++;
	return at;
}

/* The first byte from `at` on that is no white space, no comment and no punctuation between values. */
static size_t token_begin(const char *text, size_t length, size_t at)
{
	while (at < length) {
		if (text[at] == '/' && at + 1 < length && text[at + 1] == '/') {
			while (at < length && text[at] != '\n')
				at++;
		} else if (text[at] == '/') {
			for (at += 2; at + 1 < length && !(text[at] == '*' && text[at + 1] == '/');)
				at++;
			at += 2;
		} else if (strchr(" \t\r\n,:]}", text[at])) {
			at++;
		} else {
			break;
		}
	}
	return at;
}

/* The offset of a value's first byte; the text's length if it is not found. */
static size_t find_value(const struct json_document *document, struct json value)
{
	/* yyjson does not keep positions, but it numbers values and keys as they come: count the tokens. */
	const char *text = document->text;
	size_t length = document->length;
	size_t at = token_begin(text, length, mark_length((struct text_view){ text, length }));
	for (uint32_t number = number_of(document, value.value); number > 0 && at < length; number--)
		at = token_begin(text, length, token_end(text, length, at));
	return at < length ? at : length;
}

bool json_position(const struct json_document *document, struct json value, uint32_t *ret_line,
                   uint32_t *ret_column)
{
	size_t at = value.value ? find_value(document, value) : 0;
	if (!value.value || at == document->length)
		return false;
	locate((struct text_view){ document->text, document->length }, at, ret_line, ret_column);
	return true;
}

struct text_view json_written(const struct json_document *document, struct json value)
{
	size_t at = find_value(document, value);
	if (at == document->length || json_is_object(value) || json_is_array(value))
		return text_view(json_is_object(value) ? "{ ... }" : "[ ... ]");
	return (struct text_view){ document->text + at, token_end(document->text, document->length, at) - at };
}

/* --- looking around --- */

bool json_is_object(struct json value)
{
	return yyjson_is_obj(val(value));
}

bool json_is_array(struct json value)
{
	return yyjson_is_arr(val(value));
}

bool json_is_string(struct json value)
{
	return yyjson_is_str(val(value));
}

bool json_is_number(struct json value)
{
	return yyjson_is_num(val(value));
}

bool json_is_null(struct json value)
{
	return yyjson_is_null(val(value));
}

size_t json_length(struct json value)
{
	return json_is_object(value) ? yyjson_obj_size(val(value)) : yyjson_arr_size(val(value));
}

struct json json_at(struct json array, size_t index)
{
	if (!json_is_array(array) || index >= yyjson_arr_size(val(array)))
		return json_none();
	const struct json_document *document = array.document;
	uint32_t first = document->first_element[number_of(document, array.value)];
	const yyjson_val *value = document->yyjson->root + document->elements[first + index];
	struct json element = { .value = value, .document = document };
	path_element(element.path, array.path, index);
	return element;
}

/* An absent member has its path too, so that a fault can name what is missing. */
struct json json_member(struct json object, const char *name)
{
	struct json member = { .value = yyjson_obj_get(val(object), name), .document = object.document };
	path_member(member.path, object.path, name, strlen(name));
	return member;
}

struct json json_key_at(struct json object, size_t index, struct text_view *ret_key)
{
	if (!json_is_object(object) || index >= yyjson_obj_size(val(object)))
		return json_none();
	yyjson_obj_iter iterator = yyjson_obj_iter_with(val(object));
	yyjson_val *key = yyjson_obj_iter_next(&iterator);
	for (size_t i = 0; i < index; i++)
		key = yyjson_obj_iter_next(&iterator);

	struct json member = { .value = yyjson_obj_iter_get_val(key), .document = object.document };
	*ret_key = (struct text_view){ yyjson_get_str(key), yyjson_get_len(key) };
	path_member(member.path, object.path, ret_key->bytes, ret_key->length);
	return member;
}

static bool is_listed(struct text_view key, const char *const *names)
{
	for (; *names; names++) {
		if (text_is(key, *names))
			return true;
	}
	return false;
}

enum result json_only(struct json object, const char *const *names, struct fault *fault)
{
	yyjson_obj_iter iterator = yyjson_obj_iter_with(val(object));
	for (yyjson_val *key; (key = yyjson_obj_iter_next(&iterator)) != NULL;) {
		struct text_view name = { yyjson_get_str(key), yyjson_get_len(key) };
		if (is_listed(name, names))
			continue;
		char path[JSON_PATH_BYTES_MAX];
		path_member(path, object.path, name.bytes, name.length);
		return fault_set(fault, RESULT_UNKNOWN_FIELD, FAULT_FERRY, 0, "%s", path);
	}
	return RESULT_OK;
}

/* --- typed reading --- */

/* Refuse what is absent or not of the kind that `is` tells. */
static enum result check_kind(struct json value, bool is, const char *kind, struct fault *fault)
{
	if (!value.value)
		return fault_set(fault, RESULT_MISSING_FIELD, FAULT_FERRY, 0, "%s", path_shown(value.path));
	if (!is)
		return fault_set(fault, RESULT_INVALID_ARGUMENT, FAULT_FERRY, 0, "%s: is not %s",
		                 path_shown(value.path), kind);
	return RESULT_OK;
}

enum result json_get_text(struct json value, size_t length_max, struct text_view *ret, struct fault *fault)
{
	enum result result = check_kind(value, json_is_string(value), "a string", fault);
	if (result != RESULT_OK)
		return result;
	struct text_view text = { yyjson_get_str(val(value)), yyjson_get_len(val(value)) };
	if (memchr(text.bytes, '\0', text.length))
		return fault_set(fault, RESULT_INVALID_ARGUMENT, FAULT_FERRY, 0, "%s: contains U+0000",
		                 path_shown(value.path));
	if (text.length > length_max)
		return fault_set(fault, RESULT_TOO_LONG, FAULT_FERRY, 0, "%s: is longer than %zu bytes",
		                 path_shown(value.path), length_max);
	*ret = text;
	return RESULT_OK;
}

enum result json_get_bool(struct json value, bool *ret, struct fault *fault)
{
	enum result result = check_kind(value, yyjson_is_bool(val(value)), "true or false", fault);
	if (result == RESULT_OK)
		*ret = yyjson_get_bool(val(value));
	return result;
}

enum result json_get_u64(struct json value, uint64_t minimum, uint64_t maximum, uint64_t *ret,
                         struct fault *fault)
{
	/* yyjson makes a real number of an integer that is too large. */
	enum result result = check_kind(value, yyjson_is_int(val(value)), json_is_number(value) ?
	                                "an integer of 64 bits, without point and exponent" : "an integer", fault);
	if (result != RESULT_OK)
		return result;
	if (yyjson_is_sint(val(value)) && yyjson_get_sint(val(value)) < 0)
		return fault_set(fault, RESULT_INVALID_ARGUMENT, FAULT_FERRY, 0, "%s: %lld is below %llu",
		                 path_shown(value.path), (long long)yyjson_get_sint(val(value)),
		                 (unsigned long long)minimum);
	uint64_t number = yyjson_get_uint(val(value));
	if (number < minimum || number > maximum)
		return fault_set(fault, RESULT_INVALID_ARGUMENT, FAULT_FERRY, 0, "%s: %llu is %s %llu",
		                 path_shown(value.path), (unsigned long long)number,
		                 number < minimum ? "below" : "above",
		                 (unsigned long long)(number < minimum ? minimum : maximum));
	*ret = number;
	return RESULT_OK;
}

enum result json_get_i64(struct json value, int64_t *ret, struct fault *fault)
{
	enum result result = check_kind(value, yyjson_is_int(val(value)), "an integer", fault);
	if (result != RESULT_OK)
		return result;
	if (yyjson_is_uint(val(value)) && yyjson_get_uint(val(value)) > INT64_MAX)
		return fault_set(fault, RESULT_INVALID_ARGUMENT, FAULT_FERRY, 0, "%s: %llu is above %lld",
		                 path_shown(value.path), (unsigned long long)yyjson_get_uint(val(value)),
		                 (long long)INT64_MAX);
	*ret = yyjson_get_sint(val(value));
	return RESULT_OK;
}

/* --- writing --- */

static void put(struct json_writer *writer, const char *bytes, size_t length)
{
	if (writer->result == RESULT_OK)
		writer->result = buffer_append(writer->to, bytes, length);
}

static void put_string(struct json_writer *writer, struct text_view text)
{
	if (!text_is_utf8(text)) {
		if (writer->result == RESULT_OK)
			writer->result = RESULT_NOT_UTF8;
		return;
	}
	put(writer, "\"", 1);
	size_t plain = 0; /* where the bytes begin that can be copied together */
	for (size_t i = 0; i < text.length; i++) {
		unsigned char byte = (unsigned char)text.bytes[i];
		if (byte >= 0x20 && byte != '"' && byte != '\\')
			continue;
		if (i > plain)
			put(writer, text.bytes + plain, i - plain);
		plain = i + 1;

		static const char short_from[] = "\"\\\b\f\n\r\t";
		static const char short_to[] = "\"\\bfnrt";
		const char *found = strchr(short_from, byte);
		char escape[7];
		int length = found ? snprintf(escape, sizeof(escape), "\\%c", short_to[found - short_from])
		                   : snprintf(escape, sizeof(escape), "\\u%04x", (unsigned)byte);
		put(writer, escape, (size_t)length);
	}
	if (text.length > plain)
		put(writer, text.bytes + plain, text.length - plain);
	put(writer, "\"", 1);
}

/* What stands before a value: the comma and the name. */
static void put_name(struct json_writer *writer, const char *name)
{
	if (writer->need_comma)
		put(writer, ",", 1);
	writer->need_comma = true;
	if (name) {
		put_string(writer, text_view(name));
		put(writer, ":", 1);
	}
}

void json_write_begin(struct json_writer *writer, const char *name, char bracket)
{
	assert(bracket == '{' || bracket == '[');
	put_name(writer, name);
	put(writer, &bracket, 1);
	writer->depth++;
	writer->need_comma = false;
}

void json_write_end(struct json_writer *writer, char bracket)
{
	assert(bracket == '}' || bracket == ']');
	assert(writer->depth > 0);
	put(writer, &bracket, 1);
	writer->depth--;
	writer->need_comma = true;
}

void json_write_text(struct json_writer *writer, const char *name, struct text_view text)
{
	put_name(writer, name);
	put_string(writer, text);
}

void json_write_u64(struct json_writer *writer, const char *name, uint64_t number)
{
	char digits[24];
	int length = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)number);
	put_name(writer, name);
	put(writer, digits, (size_t)length);
}

void json_write_i64(struct json_writer *writer, const char *name, int64_t number)
{
	char digits[24];
	int length = snprintf(digits, sizeof(digits), "%lld", (long long)number);
	put_name(writer, name);
	put(writer, digits, (size_t)length);
}

void json_write_bool(struct json_writer *writer, const char *name, bool truth)
{
	put_name(writer, name);
	put(writer, truth ? "true" : "false", truth ? 4 : 5);
}

void json_write_raw(struct json_writer *writer, const char *name, struct text_view json)
{
	put_name(writer, name);
	put(writer, json.bytes, json.length);
}

enum result json_write_done(const struct json_writer *writer)
{
	assert(writer->depth == 0);
	return writer->result;
}
