#include "core/text.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUFFER_FIRST_BYTES 256

/* --- views --- */

struct text_view text_view(const char *terminated)
{
	return (struct text_view){ .bytes = terminated, .length = terminated ? strlen(terminated) : 0 };
}

bool text_equal(struct text_view a, struct text_view b)
{
	return a.length == b.length && (a.length == 0 || memcmp(a.bytes, b.bytes, a.length) == 0);
}

bool text_is(struct text_view a, const char *terminated)
{
	return text_equal(a, text_view(terminated));
}

/* The length of the well-formed UTF-8 character that begins here, or 0.  The ranges are those of table 3-7 of
 * the Unicode standard: they leave no room for overlong forms, surrogates and what is above U+10FFFF. */
static size_t character_length(const unsigned char *bytes, size_t length)
{
	unsigned char lead = bytes[0];
	if (lead < 0x80)
		return lead != 0 ? 1 : 0;
	if (lead < 0xC2 || lead > 0xF4)
		return 0;

	size_t whole = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
	if (whole > length)
		return 0;
	unsigned char low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
	unsigned char high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
	if (bytes[1] < low || bytes[1] > high)
		return 0;
	for (size_t i = 2; i < whole; i++) {
		if ((bytes[i] & 0xC0) != 0x80)
			return 0;
	}
	return whole;
}

bool text_is_utf8(struct text_view view)
{
	const unsigned char *bytes = (const unsigned char *)view.bytes;
	for (size_t at = 0; at < view.length;) {
		size_t step = character_length(bytes + at, view.length - at);
		if (step == 0)
			return false;
		at += step;
	}
	return true;
}

bool text_has_control(struct text_view view)
{
	for (size_t i = 0; i < view.length; i++) {
		unsigned char byte = (unsigned char)view.bytes[i];
		if (byte < 0x20 || byte == 0x7F)
			return true;
	}
	return false;
}

size_t text_utf16_length(struct text_view view)
{
	size_t units = 0;
	for (size_t i = 0; i < view.length; i++) {
		unsigned char byte = (unsigned char)view.bytes[i];
		if ((byte & 0xC0) != 0x80)
			units += byte >= 0xF0 ? 2 : 1; /* beyond U+FFFF: a pair of surrogates */
	}
	return units;
}

/* --- arrays --- */

enum result text_copy(char *to, size_t size, struct text_view from)
{
	if (from.length >= size)
		return RESULT_TOO_LONG;
	if (from.length > 0)
		memmove(to, from.bytes, from.length);
	to[from.length] = '\0';
	return RESULT_OK;
}

enum result text_format(char *to, size_t size, const char *format, ...)
{
	assert(size > 0);
	va_list arguments;
	va_start(arguments, format);
	int length = vsnprintf(to, size, format, arguments);
	va_end(arguments);
	if (length < 0 || (size_t)length >= size) {
		to[0] = '\0';
		return RESULT_TOO_LONG;
	}
	return RESULT_OK;
}

/* Drop the character that a cut at the end of `text` left incomplete. */
static void drop_half_character(char *text, size_t length)
{
	size_t start = length;
	while (start > 0 && length - start < 4) {
		unsigned char byte = (unsigned char)text[--start];
		if (byte < 0x80)
			return;
		if (byte >= 0xC0) {
			size_t whole = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : 2;
			if (length - start < whole)
				text[start] = '\0';
			return;
		}
	}
}

void text_display(char *to, size_t size, const char *format, ...)
{
	assert(size > 0);
	va_list arguments;
	va_start(arguments, format);
	int length = vsnprintf(to, size, format, arguments);
	va_end(arguments);
	if (length < 0)
		to[0] = '\0';
	else if ((size_t)length >= size)
		drop_half_character(to, size - 1);
}

/* --- buffers --- */

enum result buffer_reserve(struct buffer *buffer, size_t more)
{
	assert(buffer->length <= buffer->length_max);
	if (more > buffer->length_max - buffer->length)
		return RESULT_TOO_LARGE;

	size_t needed = buffer->length + more;
	if (buffer->bytes && needed < buffer->capacity)
		return RESULT_OK;
	if (needed == SIZE_MAX)
		return RESULT_NO_MEMORY;

	size_t capacity = needed + 1;
	if (capacity < BUFFER_FIRST_BYTES)
		capacity = BUFFER_FIRST_BYTES;
	/* Doubling keeps many small appends linear; it stops at the ceiling. */
	if (buffer->capacity <= SIZE_MAX / 2 && capacity < buffer->capacity * 2)
		capacity = buffer->capacity * 2;
	if (capacity - 1 > buffer->length_max)
		capacity = buffer->length_max + 1;

	char *bytes = realloc(buffer->bytes, capacity);
	if (!bytes)
		return RESULT_NO_MEMORY;
	buffer->bytes = bytes;
	buffer->capacity = capacity;
	buffer->bytes[buffer->length] = '\0';
	return RESULT_OK;
}

void text_wipe(void *bytes, size_t size)
{
	if (size > 0)
		memset(bytes, 0, size);
	__asm__ volatile("" : : "r"(bytes) : "memory"); /* somebody may look */
}

enum result buffer_append(struct buffer *buffer, const void *bytes, size_t length)
{
	enum result result = buffer_reserve(buffer, length);
	if (result != RESULT_OK)
		return result;
	if (length > 0)
		memcpy(buffer->bytes + buffer->length, bytes, length);
	buffer->length += length;
	buffer->bytes[buffer->length] = '\0';
	return RESULT_OK;
}

enum result buffer_print(struct buffer *buffer, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	va_list again;
	va_copy(again, arguments);
	int length = vsnprintf(NULL, 0, format, arguments);
	va_end(arguments);

	enum result result = length < 0 ? RESULT_TOO_LARGE : buffer_reserve(buffer, (size_t)length);
	if (result == RESULT_OK) {
		(void)vsnprintf(buffer->bytes + buffer->length, (size_t)length + 1, format, again);
		buffer->length += (size_t)length;
	}
	va_end(again);
	return result;
}

void buffer_clear(struct buffer *buffer)
{
	buffer->length = 0;
	if (buffer->bytes)
		buffer->bytes[0] = '\0';
}

void buffer_done(struct buffer *buffer)
{
	free(buffer->bytes);
	*buffer = BUFFER(buffer->length_max);
}
