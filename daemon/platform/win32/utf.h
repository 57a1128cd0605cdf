/* platform/win32/utf - the only border between UTF-8 and UTF-16, and the only place where "\\?\" is added.
 *
 * Invalid input is an error in both directions, never U+FFFD.
 */
#ifndef FERRY_WIN32_UTF_H
#define FERRY_WIN32_UTF_H

#include <wchar.h>

#include "core/text.h"

#define UTF_PATH_CHARS_MAX 32767u /* what NT can carry in one name */

/* `what` in faults is a name for the text ("event insert"), never the text.  The caller frees *ret_wide.
 * RESULT_NOT_UTF8 | RESULT_TOO_LONG | RESULT_NO_MEMORY. */
enum result utf_to_wide(struct text_view text, const char *what, wchar_t **ret_wide, struct fault *fault) MUST_CHECK;
/* An absolute file path, prefixed for the system: \\?\C:\... or \\?\UNC\server\...  RESULT_BAD_DESTINATION for anything
 * that is not absolute or has a prefix already. */
enum result utf_path_to_wide(const char *path, wchar_t **ret_wide, struct fault *fault) MUST_CHECK;

/* UTF-16 of known length to a terminated text.  RESULT_NOT_UTF8: unpaired surrogates. */
enum result utf_from_wide(const wchar_t *wide, size_t length, char *to, size_t size, const char *what,
                          struct fault *fault) MUST_CHECK;
/* The same for a path of the system's: a leading "\\?\" is taken off. */
enum result utf_path_from_wide(const wchar_t *wide, size_t length, char *to, size_t size,
                               struct fault *fault) MUST_CHECK;

#endif
