/* core/allow - which URLs administrators let be fetched, whoever asks.  Knows no jobs and no settings. */
#ifndef FERRY_CORE_ALLOW_H
#define FERRY_CORE_ALLOW_H

#include "core/credentials.h"
#include "core/url.h"

enum { ALLOW_HTTP = 1 << 0, ALLOW_HTTPS = 1 << 1, ALLOW_SHARE = 1 << 2 };
/* URLs without a query, or whole shares, with all that lies below them. */
#define ALLOW_URL_BYTES_MAX 1024u
struct url_prefixes {
	uint32_t count;
	const char (*items)[ALLOW_URL_BYTES_MAX + 1];
};
struct allowed {
	struct host_patterns hosts; /* none: all */
	struct url_prefixes urls;   /* none: all */
	unsigned schemes;           /* 0: all */
};

/* RESULT_OK | RESULT_BAD_URL: fault->what names the rule. */
enum result allow_prefix_check(struct text_view prefix, struct fault *fault) MUST_CHECK;

/* "http", "https" or "share". */
bool allow_scheme_from_name(struct text_view name, unsigned *ret_scheme);
/* RESULT_BLOCKED_BY_POLICY; fault->what names the setting. */
enum result allow_url(const struct allowed *allowed, const struct url *url, struct fault *fault) MUST_CHECK;
/* The same of the proxy "http://host:port" that whoever wants the URL named for it: over http it is the proxy that answers, in
 * the host's name.  Over https the host shows that it is itself, unless something that is wrong with its certificate is ignored. */
enum result allow_proxy(const struct allowed *allowed, const struct url *url, bool ignores, const char *proxy,
                        struct fault *fault) MUST_CHECK;

#endif
