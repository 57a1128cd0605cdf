/* core/url - parse, check and redact the URLs that Ferry will fetch.
 *
 * Absolute http and https only; userinfo is refused (security rule 29).  The text is passed on as given: nothing is
 * escaped or unescaped (BITS does the same, docs/bits.md section 8).  Knows no sockets and no curl.
 */
#ifndef FERRY_CORE_URL_H
#define FERRY_CORE_URL_H

#include "core/text.h"

#define URL_BYTES_MAX 2200 /* BITS's limit, docs/bits.md section 7 */

struct url {
	bool secure;              /* https */
	struct text_view host;    /* as written; an IPv6 literal with its brackets */
	uint16_t port;            /* 80 or 443 where none is written */
	struct text_view path;    /* from the first '/', without query and fragment; may be empty */
	bool has_query;
};

/* Check `text` and split it into views of itself.  `ret_url` may be NULL.
 * Also refused: a fragment (it is never sent, and what is stored shall be what is asked), bytes beyond ASCII and
 * others that must be percent-encoded, a host that some resolvers read as an address ("127.1", "0x7f000001") and one
 * that ends in a dot (a second spelling of the same host).
 * RESULT_BAD_URL or RESULT_TOO_LONG: fault->what says which rule was broken, without quoting the URL. */
enum result url_parse(struct text_view text, struct url *ret_url, struct fault *fault) MUST_CHECK;

/* Does the URL begin with the prefix?  Compared byte by byte, case included, as BITS does.  A prefix that ends inside the
 * host or the port begins nothing: "http://old" is not the beginning of "http://older/". */
bool url_begins_with(struct text_view text, struct text_view prefix);
/* Write the URL with `to` in place of the prefix `from`, which it begins with, and check what that gives.
 * RESULT_BAD_URL or RESULT_TOO_LONG, as url_parse. */
enum result url_replace_prefix(struct text_view text, struct text_view from, struct text_view to,
                               char ret_text[URL_BYTES_MAX + 1], struct fault *fault) MUST_CHECK;

/* Write scheme://host[:port]/path without userinfo, query and fragment ("?..." stands for a query that was there).
 * For logs, events, errors and listings.  Whatever does not parse becomes "(not a URL)". */
void url_redact(struct text_view text, char *to, size_t size);

#endif
