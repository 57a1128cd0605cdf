/* core/headers - header lines of a job's own, which go with every request to its own servers (BITS: custom headers).
 *
 * What is sent is checked by RFC 9110, and none may say what is the transfer's to say.  A *block* is what is kept of a job's:
 * one line behind the other, each with its '\n'.  Knows no requests, and not where secrets are kept.
 */
#ifndef FERRY_CORE_HEADERS_H
#define FERRY_CORE_HEADERS_H

#include "core/text.h"

#define HEADERS_BYTES_MAX 16384u /* of a job, with their ends of two bytes as they are sent; BITS's own limit */
#define HEADERS_MAX 64u
#define HEADERS_NAMES_BYTES_MAX 1024u /* of all names with a blank or the end behind each */

/* Append "Name: value" to the block, an empty buffer at first of HEADERS_BYTES_MAX, if it is one that a job may have and fits.
 * The fault names the field, and of the line no more than a name that is refused.
 * RESULT_INVALID_ARGUMENT | RESULT_TOO_LONG: there are too many, or they are too long together | RESULT_NO_MEMORY. */
enum result headers_add(struct buffer *block, struct text_view line, const char *field, struct fault *fault) MUST_CHECK;
/* Take the block's next line, without its end, and move on.  False: there is none. */
bool headers_next(const char **block, struct text_view *ret_line);
/* Does one of the block's lines (NULL: there are none) have this name, which is given in lower case? */
bool headers_has(const char *block, const char *name);
/* Does one of its Authorization lines begin with the scheme, which is given in lower case? */
bool headers_authorize_by(const char *block, const char *scheme);
/* "Authorization X-Acme": what may be told of them. */
void headers_names(const char *block, char to[HEADERS_NAMES_BYTES_MAX]);

#endif
