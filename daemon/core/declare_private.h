/* Inside core/declare: reading, value by value.
 *
 *   declare_read.c   what a file of jobs.d says, key by key
 *   declare_value.c  what is wrong and where; small values; moments
 */
#ifndef FERRY_CORE_DECLARE_PRIVATE_H
#define FERRY_CORE_DECLARE_PRIVATE_H

#include "core/declare.h"

struct reading {
	const char *source;
	const struct json_document *document;
	enum path_style style;
	struct declared *job;
	struct settings_errors *errors;
	bool no_memory;
};

/* Add what is wrong there to the errors, with its place. */
void declare_refuse(const struct reading *reading, struct json at, const char *reason);
/* "path: what stands there is not what is allowed". */
void declare_refuse_value(const struct reading *reading, struct json value, const char *allowed);
/* Written anywhere, a URL is one with a query that may be a secret, and an '@' the end of a password.  A text with escapes may
 * be either. */
bool declare_may_hide_a_secret(struct text_view text);
/* The same of what may have a secret in it, and is not shown. */
void declare_refuse_unseen(const struct reading *reading, struct json value, const char *why);
void declare_refuse_missing(const struct reading *reading, struct json object, const char *name);

/* Is it an object?  Members that are not in the list, which ends with NULL, are refused. */
bool declare_check_object(const struct reading *reading, struct json object, const char *const *known, const char *allowed);
char *declare_keep_text(struct reading *reading, struct text_view text); /* NULL: no memory */
/* The place of a text in the list, which ends with NULL; of that length: it is none of them, and refused. */
size_t declare_read_choice(const struct reading *reading, struct json value, const char *const *choices, const char *allowed);
void declare_read_number(const struct reading *reading, struct json value, uint64_t minimum, uint64_t maximum, uint64_t *ret);
void declare_read_when(const struct reading *reading, struct json value);
void declare_read_spread(const struct reading *reading, struct json value); /* after that */

#endif
