/* core/attempt - what is kept of an attempt to fetch: by which way, as whom, what was asked for and answered.
 *
 * Attempts that went alike are one record with a count, so that a job of many files, and one that fails for hours, have few.
 * Nothing secret is in it: URLs are redacted where they are written.
 */
#ifndef FERRY_CORE_ATTEMPT_H
#define FERRY_CORE_ATTEMPT_H

#include "core/credentials.h"
#include "core/proxy.h"

#define ATTEMPTS_KEPT_MAX 32u /* of a job, the last ones */
#define ATTEMPT_URL_BYTES 256
#define ATTEMPT_WORDS_BYTES 200
#define ATTEMPT_TLS_BYTES 16
#define ATTEMPT_SID_BYTES 512

/* What its requests met. */
struct attempt_trace {
	char url[ATTEMPT_URL_BYTES];     /* that was asked last, redacted; "": none was */
	char words[ATTEMPT_WORDS_BYTES]; /* what the security package said last; "": nothing */
	char tls[ATTEMPT_TLS_BYTES];     /* "TLSv1.3"; "": the connection was in the clear, or there was none */
	long status;                     /* of the last answer, be it a proxy's; 0: none came */
	unsigned offered[AUTH_TARGET_COUNT], used[AUTH_TARGET_COUNT]; /* AUTH_FLAG(...) */
};

struct attempt {
	uint32_t number; /* in its job, from 0 */
	uint32_t count;  /* of those that went alike */
	uint32_t file;   /* ordinal, of the last of them */
	int64_t first_ms, last_ms; /* Unix time of their ends */
	struct proxy_choice proxy;
	char sid[ATTEMPT_SID_BYTES]; /* the network identity's */
	struct attempt_trace trace;
	struct fault fault; /* result OK: it came */
};

/* Failures only where the file is the same one. */
bool attempt_is_like(const struct attempt *a, const struct attempt *b);

/* What asking for a URL would meet, with nothing fetched. */
struct trial {
	struct attempt attempt;
	unsigned allowed[AUTH_TARGET_COUNT], forbidden[AUTH_TARGET_COUNT]; /* by the configuration, for those hosts */
};

#endif
