/* core/json - a bounded view of yyjson: parse with limits, typed reading that names the field, and writing.
 *
 * The only room that knows yyjson's types.  Reading is strict where JSON is lax: duplicate keys, unknown keys and
 * too deep nesting are refused.  Paths in faults look like "params.files[2].url".
 */
#ifndef FERRY_CORE_JSON_H
#define FERRY_CORE_JSON_H

#include "core/text.h"

#define JSON_DEPTH_MAX 16
#define JSON_MEMBERS_MAX 256 /* of one object; arrays are bounded by the text alone */
#define JSON_PATH_BYTES_MAX 128

struct json_document;
/* A value inside a document with the path that leads to it; borrowed from the document. */
struct json {
	const void *value; /* NULL: absent */
	const struct json_document *document;
	char path[JSON_PATH_BYTES_MAX];
};

enum json_dialect {
	JSON_WIRE,   /* RFC 8259 exactly */
	JSON_CONFIG, /* comments, trailing commas and a byte order mark too */
};

/* RESULT_MALFORMED or RESULT_NOT_UTF8 (fault->what has line and column) | RESULT_TOO_DEEP, RESULT_TOO_LARGE
 * (JSON_MEMBERS_MAX) or RESULT_DUPLICATE_FIELD (fault->what has the path, and in JSON_CONFIG the place) | RESULT_NO_MEMORY.  The text is copied, and the
 * copies are wiped in the end. */
enum result json_parse(struct text_view text, enum json_dialect dialect, struct json_document **ret_document,
                       struct fault *fault) MUST_CHECK;
void json_document_free(struct json_document *document);
DEFINE_CLEANUP(json_document)
struct json json_root(const struct json_document *document);
/* Where a value begins in the parsed text, for configuration errors; 1-based, in characters. False if absent. */
bool json_position(const struct json_document *document, struct json value, uint32_t *ret_line, uint32_t *ret_column);
/* A value as it was written; of an object or a list no more than that it is one. */
struct text_view json_written(const struct json_document *document, struct json value);

bool json_is_object(struct json value);
bool json_is_array(struct json value);
bool json_is_string(struct json value);
bool json_is_number(struct json value);
bool json_is_null(struct json value);
size_t json_length(struct json value); /* of an array or object */
struct json json_at(struct json array, size_t index);
struct json json_member(struct json object, const char *name); /* .value NULL: absent */
struct json json_key_at(struct json object, size_t index, struct text_view *ret_key); /* the index-th member */

/* Refuse an object with a member that is not in the NULL-terminated list. RESULT_UNKNOWN_FIELD. */
enum result json_only(struct json object, const char *const *names, struct fault *fault) MUST_CHECK;

/* Typed reading: RESULT_MISSING_FIELD if absent, RESULT_INVALID_ARGUMENT for a wrong type or range.  Numbers are
 * integers as written: 1.0 and 1e3 are refused.  A text with \u0000 is RESULT_INVALID_ARGUMENT, one of more than
 * `length_max` bytes RESULT_TOO_LONG. */
enum result json_get_text(struct json value, size_t length_max, struct text_view *ret, struct fault *fault) MUST_CHECK;
enum result json_get_bool(struct json value, bool *ret, struct fault *fault) MUST_CHECK;
enum result json_get_u64(struct json value, uint64_t minimum, uint64_t maximum, uint64_t *ret,
                         struct fault *fault) MUST_CHECK;
enum result json_get_i64(struct json value, int64_t *ret, struct fault *fault) MUST_CHECK;

/* Writing: straight into a bounded buffer, commas by itself.  The first failure sticks and json_write_done tells it.
 * A text that is not UTF-8 is RESULT_NOT_UTF8. */
struct json_writer {
	struct buffer *to;
	enum result result;
	unsigned depth;
	bool need_comma;
};
#define JSON_WRITER(buffer) ((struct json_writer){ .to = (buffer) })
void json_write_begin(struct json_writer *writer, const char *name, char bracket); /* '{' or '['; name NULL in arrays */
void json_write_end(struct json_writer *writer, char bracket);                     /* '}' or ']' */
void json_write_text(struct json_writer *writer, const char *name, struct text_view text);
void json_write_u64(struct json_writer *writer, const char *name, uint64_t number);
void json_write_i64(struct json_writer *writer, const char *name, int64_t number);
void json_write_bool(struct json_writer *writer, const char *name, bool truth);
void json_write_raw(struct json_writer *writer, const char *name, struct text_view json); /* already JSON; "null" too */
enum result json_write_done(const struct json_writer *writer) MUST_CHECK;

#endif
