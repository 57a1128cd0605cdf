/* client/cli/arguments - what stands on the command line, checked against one table of verbs and options.
 *
 * Options may stand before, between and behind the operands; "--" ends them.  A verb may be two words.  Knows no verb's
 * work.
 */
#ifndef FERRY_CLI_ARGUMENTS_H
#define FERRY_CLI_ARGUMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ferry.h"

#define VERBS(X)                                                                                   \
	X(SUBMIT, submit) X(LIST, list) X(SHOW, show) X(WAIT, wait) X(WATCH, watch)                \
	X(SUSPEND, suspend) X(RESUME, resume) X(CANCEL, cancel) X(COMPLETE, complete)              \
	X(RENEW, renew) X(PURGE, purge) X(STATUS, status) X(PIPE, pipe)                            \
	X(HELPER_SET, helper_set) X(HELPER_CLEAR, helper_clear) X(HELPER_FLAGS, helper_flags)      \
	X(HELPER_SHOW, helper_show) X(CREDENTIALS_SET, credentials_set)                            \
	X(CREDENTIALS_REMOVE, credentials_remove) X(HEADERS_SET, headers_set)                       \
	X(HEADERS_SHOW, headers_show) X(HEADERS_REMOVE, headers_remove) X(ATTACH, attach) X(PREFLIGHT, preflight)                      \
	X(TAKE_OWNERSHIP, take_ownership) X(REPLACE_PREFIX, replace_prefix) X(PROXY_SHOW, proxy_show) \
	X(AUTH_TEST, auth_test) X(HISTORY, history) X(CONFIG_SHOW, config_show) X(CONFIG_RELOAD, config_reload) \
	X(METRICS, metrics) X(DOCTOR, doctor) X(PLAN, plan) X(APPLY, apply)
enum verb {
#define X(name, text) VERB_##name,
	VERBS(X)
#undef X
	VERB_NONE
};
const char *verb_name(enum verb verb); /* "submit", "helper set" */

enum option {
	OPTION_HELP,
	OPTION_VERSION,
	OPTION_JSON,
	OPTION_QUIET,
	OPTION_ADDRESS,
	OPTION_CONSOLE,
	OPTION_TIMEOUT,
	OPTION_NAME,
	OPTION_DESCRIPTION,
	OPTION_KEY,
	OPTION_CORRELATION,
	OPTION_PRIORITY,
	OPTION_NO_COMPLETE,
	OPTION_SUSPENDED,
	OPTION_WAIT,
	OPTION_NO_WAIT,
	OPTION_RETRY_DELAY,
	OPTION_NO_PROGRESS_TIMEOUT,
	OPTION_MAX_TIME,
	OPTION_MAX_SIZE,
	OPTION_NO_SEGMENTS,
	OPTION_LEASE,
	OPTION_OLDER_THAN,
	OPTION_FROM,
	OPTION_ALL,
	OPTION_EVERYONE,
	OPTION_FILES,
	OPTION_ON_TOKEN_LOSS,
	OPTION_PINNED_HELPER,
	OPTION_PROFILE,
	OPTION_DIGEST,
	OPTION_MIRROR,
	OPTION_IF_NONE_MATCH,
	OPTION_IF_MODIFIED_SINCE,
	OPTION_RANGE,
	OPTION_USER,
	OPTION_ROOT,
	OPTION_MAX_AGE,
	OPTION_TARGET,
	OPTION_SCHEME,
	OPTION_AUTH,
	OPTION_PROXY,
	OPTION_PROXY_BYPASS,
	OPTION_NO_REDIRECTS,
	OPTION_CLIENT_CERTIFICATE,
	OPTION_JOB,
	OPTION_WRITE_ONLY,
	OPTION_HEADERS_FROM,
	OPTION_ORIGIN,
	OPTION_BUNDLE,
	OPTION_COUNT /* at most 64: `given` has a bit for each */
};

/* What was asked for.  Texts are the command line's own. */
struct arguments {
	enum verb verb; /* VERB_NONE: none was given */
	uint64_t given; /* 1 << OPTION_... */
	const char *address, *name, *description, *key, *correlation, *from, *pinned_helper, *user, *digest, *if_none_match, *proxy, *proxy_bypass, *client_certificate, *job, *headers_from, *bundle;
	enum ferry_priority priority;
	enum ferry_token_loss on_token_loss;
	enum ferry_profile profile;
	enum ferry_auth_target target;
	enum ferry_auth_scheme scheme;
	uint32_t timeout_s, retry_delay_s, no_progress_timeout_s, max_time_s, lease_s, older_than_s, max_age_s;
	uint64_t max_bytes;
	int64_t if_modified_since_ms;
	struct words { /* of an option that is given several times */
		const char *words[FERRY_ROOTS_MAX];
		size_t count;
	} roots, mirrors, ranges, auth;
	char **operands; /* argv itself, compacted */
	size_t operand_count;
};
static inline bool arguments_has(const struct arguments *arguments, enum option option)
{
	return (arguments->given & UINT64_C(1) << option) != 0;
}

#define ARGUMENTS_PROBLEM_BYTES_MAX 256

/* Read argv[1..argc-1]; argv is reordered.  False: `problem` is a sentence for the user. */
bool arguments_read(int argc, char **argv, struct arguments *ret_arguments,
                    char problem[ARGUMENTS_PROBLEM_BYTES_MAX]);
/* "90", "90s", "5m", "2h" or "3d", up to ten years. */
bool arguments_read_seconds(const char *text, uint32_t *ret_seconds);
/* "Sun, 06 Nov 1994 08:49:37 GMT" as servers send it, or milliseconds since 1970 as --json has it; after 1970. */
bool arguments_read_moment(const char *text, int64_t *ret_unix_ms);
/* "proxy:negotiate": a target, and a scheme that does without a password. */
bool arguments_read_auth(const char *text, enum ferry_auth_target *ret_target, enum ferry_auth_scheme *ret_scheme);
/* "none", or flags of the helper token with commas between: FERRY_HELPER_... */
bool arguments_read_flags(const char *text, unsigned *ret_flags);

#endif
