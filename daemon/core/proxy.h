/* core/proxy - by which proxy a URL is asked for: a job's settings, lists as WinHTTP and scripts write them, bypass
 * lists, and the configuration's table (docs/bits.md section 11).
 *
 * Only proxies that are spoken to in plain http, and never with a name or password in their address.  Pure: what the
 * system has configured is platform/proxy's.
 */
#ifndef FERRY_CORE_PROXY_H
#define FERRY_CORE_PROXY_H

#include "core/url.h"

#define PROXY_TEXT_BYTES_MAX 4000 /* a list, or a bypass list: BITS's limit */
#define PROXY_LIST_MAX 8u         /* ways that are tried for one request */
#define PROXY_BYTES_MAX 266       /* "http://" host ":65535" */
#define PROXY_HOST_BYTES_MAX 255  /* "*." and a name */
#define PROXY_RULES_MAX 64u       /* of the configuration's table */

/* What a job wants; the numbers are BG_JOB_PROXY_USAGE's, whose OVERRIDE is EXPLICIT. */
enum proxy_mode { PROXY_PRECONFIGURED, PROXY_NONE, PROXY_EXPLICIT, PROXY_AUTODETECT, PROXY_MODE_COUNT };
const char *proxy_mode_name(enum proxy_mode mode); /* "preconfigured", "none", "explicit", "autodetect" */
bool proxy_mode_from_name(struct text_view name, enum proxy_mode *ret_mode);

/* Who said it. */
enum proxy_source {
	PROXY_FROM_NOTHING,    /* nobody: direct */
	PROXY_FROM_TABLE,      /* the configuration's table */
	PROXY_FROM_JOB,        /* explicit or none */
	PROXY_FROM_IDENTITY,   /* the settings of the network identity's user */
	PROXY_FROM_SCRIPT,     /* the script that those settings name */
	PROXY_FROM_MACHINE,    /* the machine's settings, "netsh winhttp" */
	PROXY_FROM_AUTODETECT, /* the script that the network names, WPAD */
	PROXY_SOURCE_COUNT
};
bool proxy_source_from_name(struct text_view name, enum proxy_source *ret_source);
const char *proxy_source_name(enum proxy_source source); /* "none", "table", "job", "identity-settings" ... */

struct proxy_choice {
	char address[PROXY_BYTES_MAX + 1]; /* "http://host:port", in lower case; "": direct */
	enum proxy_source source;
	bool bypassed; /* direct, since that source exempts the host */
};

/* [http://]host[:port] to the form above.  Without a port it is 80, http's own, as for WinHTTP and in scripts (curl
 * takes 1080).  RESULT_INVALID_ARGUMENT: fault->what says which rule was broken, without quoting the address. */
enum result proxy_parse(struct text_view text, char ret_address[PROXY_BYTES_MAX + 1], struct fault *fault) MUST_CHECK;

/* Are these settings of a job in order?  A list goes with EXPLICIT, and only with it; every entry must be usable.
 * RESULT_INVALID_ARGUMENT, RESULT_TOO_LONG. */
enum result proxy_check(enum proxy_mode mode, struct text_view list, struct text_view bypass,
                        struct fault *fault) MUST_CHECK;

/* The ways to try for the URL (no share's), in order; always one at least.  The list is [SCHEME=][http://]HOST[:PORT]
 * or DIRECT, with semicolons or blanks between, or a script's "PROXY host:port; DIRECT".  What is none of these or of
 * another kind (SOCKS, HTTPS) is passed over, so that one entry that Ferry cannot use does not take the others away;
 * if nothing else is there it is RESULT_BAD_PROXY, and not direct: somebody wants a proxy.  Empty, or for the other
 * scheme only: direct.
 *
 * The bypass list is [SCHEME://]HOST[:PORT] with '*' for any bytes, <local> for names without a dot, <-loopback>.
 * This machine itself (localhost, 127.*, [::1]) is exempt by itself from the identity's and the machine's settings,
 * as in browsers, unless <-loopback> is there; not from what a job, the table or a script says. */
enum result proxy_choose(struct text_view list, struct text_view bypass, const struct url *url,
                         enum proxy_source source, struct proxy_choice ret_choices[PROXY_LIST_MAX], size_t *ret_count,
                         struct fault *fault) MUST_CHECK;
bool proxy_bypasses(struct text_view bypass, const struct url *url); /* by what is in the list */

/* An entry of the configuration's table, "HOST PROXY": HOST is a name or address, "*.suffix" (which is not the suffix
 * itself) or "*"; PROXY as proxy_parse has it, or "direct". */
struct proxy_rule {
	char host[PROXY_HOST_BYTES_MAX + 1];
	char address[PROXY_BYTES_MAX + 1]; /* "": direct */
};
/* RESULT_INVALID_ARGUMENT: fault->what says what is wrong. */
enum result proxy_rule_parse(struct text_view text, struct proxy_rule *ret_rule, struct fault *fault) MUST_CHECK;
/* The most specific rule for the URL's host: a name, then the longest suffix, then "*"; of equals the first.  NULL:
 * none. */
const struct proxy_rule *proxy_rule_for(const struct proxy_rule *rules, size_t count, const struct url *url);

#endif
