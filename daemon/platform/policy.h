/* platform/policy - what Group Policy says of the configuration, and being told that it, or a file, has changed. */
#ifndef FERRY_PLATFORM_POLICY_H
#define FERRY_PLATFORM_POLICY_H

#include "core/json.h"

#define POLICY_TEXT_BYTES_MAX (1024u * 1024u)
#define POLICY_SETTLE_MS 500 /* a change is told so long after the first sign of it, with all that came meanwhile */

struct policy_watch;

struct policy_system {
	const char *place; /* where it stands, for people */
	/* All values as { "group.name": number | text | [text, ...] }; "{}" where there are none.  What is of another kind is
	 * null, so that it is refused by its name.  RESULT_TOO_LARGE | RESULT_NOT_UTF8 | RESULT_DENIED. */
	enum result (*read)(struct buffer *to, struct fault *fault) MUST_CHECK;
	/* Be told, on a thread of its own, that values may have changed, or ferry.jsonc or something in conf.d or jobs.d of this folder. */
	enum result (*watch)(const char *folder, void (*changed)(void *context), void *context, struct policy_watch **ret_watch,
	                     struct fault *fault) MUST_CHECK;
	void (*unwatch)(struct policy_watch *watch); /* NULL is fine */
};
extern const struct policy_system *const policy_system; /* NULL: this system has none */

#endif
