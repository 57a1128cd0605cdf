#include "platform/win32/policy_win32.h"

#include <string.h>

#include "platform/win32/utf.h"
#include "platform/win32/win32.h"

#define NAME_CHARS_MAX 16384u /* a value's name has at most 16,383 */
#define NAME_BYTES_MAX 512u   /* of one that can be a setting's; longer ones are told by their beginning */
#define VALUE_BYTES_MAX (256u * 1024u)

/* --- the values --- */

/* A text of a value, which need not be terminated; what is no text is null, and refused by the name of its key. */
static void write_text(struct json_writer *writer, const char *name, const wchar_t *wide, size_t chars)
{
	AUTO(memory) char *text = malloc(chars * 3 + 1);

	if (text == NULL)
		writer->result = RESULT_NO_MEMORY;
	else if (utf_from_wide(wide, chars, text, chars * 3 + 1, "policy value", NULL) == RESULT_OK)
		json_write_text(writer, name, text_view(text));
	else
		json_write_raw(writer, name, text_view("null"));
}

static void write_list(struct json_writer *writer, const char *name, const wchar_t *wide, size_t chars)
{
	size_t at = 0;

	json_write_begin(writer, name, '[');
	for (size_t length; at < chars && wide[at] != L'\0'; at += length + 1) {
		length = wcsnlen(wide + at, chars - at);
		write_text(writer, NULL, wide + at, length);
	}
	/* An empty line ends the list for whoever reads it by the book: what stands behind it must not be lost in silence. */
	for (; at < chars; at++)
		if (wide[at] != L'\0') {
			json_write_raw(writer, NULL, text_view("null"));
			break;
		}
	json_write_end(writer, ']');
}

static void write_value(struct json_writer *writer, const char *name, DWORD kind, const BYTE *bytes, DWORD size)
{
	const wchar_t *wide = (const void *)bytes;
	size_t chars = size / sizeof *wide;
	uint64_t number = 0;

	if ((kind == REG_DWORD && size == sizeof(DWORD)) || (kind == REG_QWORD && size == sizeof number)) {
		memcpy(&number, bytes, size);
		json_write_u64(writer, name, number);
	} else if (kind == REG_SZ) {
		write_text(writer, name, wide, wcsnlen(wide, chars));
	} else if (kind == REG_MULTI_SZ) {
		write_list(writer, name, wide, chars);
	} else {
		json_write_raw(writer, name, text_view("null"));
	}
}

static enum result read_values(HKEY key, struct json_writer *writer, struct fault *fault)
{
	AUTO(memory) wchar_t *name = calloc(NAME_CHARS_MAX, sizeof *name);
	AUTO(memory) BYTE *bytes = malloc(VALUE_BYTES_MAX);

	if (name == NULL || bytes == NULL)
		return fault_set(fault, RESULT_NO_MEMORY, FAULT_FERRY, 0, "read the policy");
	for (DWORD i = 0;; i++) {
		char text[NAME_BYTES_MAX];
		DWORD chars = NAME_CHARS_MAX, size = VALUE_BYTES_MAX, kind = REG_NONE;
		LSTATUS error = RegEnumValueW(key, i, name, &chars, NULL, &kind, bytes, &size);

		if (error == ERROR_NO_MORE_ITEMS)
			return RESULT_OK;
		if (error == ERROR_MORE_DATA)
			return fault_set(fault, RESULT_TOO_LARGE, FAULT_FERRY, 0, "a value has more than %u bytes", VALUE_BYTES_MAX);
		if (error != ERROR_SUCCESS)
			return fault_win32(fault, (DWORD)error, "read the policy");
		if (chars > NAME_BYTES_MAX / 3 - 1)
			chars = NAME_BYTES_MAX / 3 - 1;
		enum result result = utf_from_wide(name, chars, text, sizeof text, "name of a policy value", fault);
		if (result != RESULT_OK)
			return result;
		write_value(writer, text, kind, bytes, size);
	}
}

enum result policy_read_now(struct buffer *to, struct fault *fault)
{
	AUTO(key) HKEY key = NULL;
	struct json_writer writer = JSON_WRITER(to);
	LSTATUS error = RegOpenKeyExW(HKEY_LOCAL_MACHINE, POLICY_KEY, 0, KEY_QUERY_VALUE | KEY_WOW64_64KEY, &key);
	enum result result = RESULT_OK;

	json_write_begin(&writer, NULL, '{');
	if (error == ERROR_SUCCESS)
		result = read_values(key, &writer, fault);
	else if (error != ERROR_FILE_NOT_FOUND)
		result = fault_win32(fault, (DWORD)error, "open the policy");
	json_write_end(&writer, '}');
	if (result == RESULT_OK && json_write_done(&writer) != RESULT_OK)
		result = fault_set(fault, json_write_done(&writer), FAULT_FERRY, 0, "read the policy");
	return result;
}
