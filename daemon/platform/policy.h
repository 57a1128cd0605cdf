/* platform/policy - what Group Policy says of the configuration, and being told that it, or a file, has changed. */
#ifndef FERRY_PLATFORM_POLICY_H
#define FERRY_PLATFORM_POLICY_H

#include "core/json.h"

#define POLICY_TEXT_BYTES_MAX (1024u * 1024u)
#define POLICY_SETTLE_MS 500       /* a change is told when nothing more came for so long, */
#define POLICY_SETTLE_MS_MAX 10000 /* or so long after the first sign of it, */
#define POLICY_AGAIN_MS 100        /* and the values were the same twice, so far apart */
#define POLICY_FIRST_MS 5000       /* the most that is waited for the first reading of a watch */

struct policy_watch;

/* Told on the watch's own thread. */
struct policy_told {
	void (*changed)(void *context); /* values, ferry.jsonc or something in conf.d or jobs.d may have */
	void (*ended)(void *context, const struct fault *why); /* changes of the folder, or of the policy, are noticed no more */
	void *context;
};

struct policy_system {
	const char *place; /* where it stands, for people */
	/* All values as { "group.name": number | text | [text, ...] }; "{}" where there are none.  What is of another kind is
	 * null, so that it is refused by its name.  Of a watch the last ones that had settled, read while Group Policy wrote
	 * none; waits for the first, up to POLICY_FIRST_MS.  `at_once`, or without a watch (NULL): as they are at this moment.
	 * RESULT_TOO_LARGE | RESULT_NOT_UTF8 | RESULT_DENIED. */
	enum result (*read)(struct policy_watch *watch, bool at_once, struct buffer *to, struct fault *fault) MUST_CHECK;
	/* What changes in the registry or in this folder from here on is told.  `told` is copied. */
	enum result (*watch)(const char *folder, const struct policy_told *told, struct policy_watch **ret_watch,
	                     struct fault *fault) MUST_CHECK;
	void (*unwatch)(struct policy_watch *watch); /* NULL is fine; then nothing is told any more */
};
extern const struct policy_system *const policy_system; /* NULL: this system has none */

#endif
