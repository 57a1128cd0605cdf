/* core/text - owned and borrowed UTF-8, and buffers that know their maximum.
 *
 * Inside the house text is UTF-8 with a known length.  Records hold short texts in arrays of a named size;
 * `struct text_view` borrows; `struct buffer` grows up to the maximum it was born with.  Nothing here knows files
 * or UTF-16.
 */
#ifndef FERRY_CORE_TEXT_H
#define FERRY_CORE_TEXT_H

#include <stddef.h>

#include "core/result.h"

/* Scope cleanup: `AUTO(buffer) struct buffer b = BUFFER(MAX);` calls buffer_done(&b) when the scope ends;
 * for whole objects `AUTO(store) struct store *s = NULL;` calls store_cleanup(&s). */
#define AUTO(type) __attribute__((cleanup(type##_cleanup)))
/* The value of a pointer, which is NULL afterwards: ownership leaves in one visible word. */
#define TAKE(pointer)                              \
	__extension__({                            \
		__typeof__(pointer) taken_ = (pointer); \
		(pointer) = NULL;                  \
		taken_;                            \
	})
/* Define the AUTO destructor of a `struct type *` from its NULL-safe type_free. */
#define DEFINE_CLEANUP(type)                                          \
	static inline void type##_cleanup(struct type **object)       \
	{                                                             \
		type##_free(*object);                                 \
	}

/* Borrowed bytes, not NUL-terminated; valid as long as what they were taken from. */
struct text_view {
	const char *bytes;
	size_t length;
};

struct text_view text_view(const char *terminated);
bool text_equal(struct text_view a, struct text_view b);
bool text_is(struct text_view a, const char *terminated);

/* Whether the bytes are well-formed UTF-8 (no surrogates, nothing overlong, at most U+10FFFF) without NUL. */
bool text_is_utf8(struct text_view view);
/* Whether a byte below 0x20 or 0x7F occurs. */
bool text_has_control(struct text_view view);

/* How long well-formed UTF-8 is in UTF-16 code units, which is what Windows and BITS call characters. */
size_t text_utf16_length(struct text_view view);

/* Copy into an array of `size` bytes and terminate.  RESULT_TOO_LONG leaves `to` untouched. */
enum result text_copy(char *to, size_t size, struct text_view from) MUST_CHECK;
/* snprintf that refuses to cut: RESULT_TOO_LONG, `to` is then "". */
enum result text_format(char *to, size_t size, const char *format, ...) MUST_CHECK PRINTF_LIKE(3, 4);
/* snprintf for display, where a cut (at a character's border) is right. */
void text_display(char *to, size_t size, const char *format, ...) PRINTF_LIKE(3, 4);

/* Zeroes that no compiler leaves out: for secrets that are not needed any more. */
void text_wipe(void *bytes, size_t size);

/* A growing byte buffer with a ceiling.  Always NUL-terminated when `bytes` is not NULL. */
struct buffer {
	char *bytes;
	size_t length;
	size_t capacity;
	size_t length_max;
};
#define BUFFER(maximum) ((struct buffer){ .length_max = (maximum) })

/* RESULT_NO_MEMORY or RESULT_TOO_LARGE leave the buffer as it was. */
enum result buffer_reserve(struct buffer *buffer, size_t more) MUST_CHECK; /* so that it need not move for them */
enum result buffer_append(struct buffer *buffer, const void *bytes, size_t length) MUST_CHECK;
enum result buffer_print(struct buffer *buffer, const char *format, ...) MUST_CHECK PRINTF_LIKE(2, 3);
void buffer_clear(struct buffer *buffer); /* length 0, memory kept */
void buffer_done(struct buffer *buffer);  /* memory freed, ready for use again */
static inline void buffer_cleanup(struct buffer *buffer)
{
	buffer_done(buffer);
}

#endif
