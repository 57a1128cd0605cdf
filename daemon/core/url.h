/* core/url - parse, check and redact what Ferry will fetch from.
 *
 * Absolute http and https URLs; userinfo is refused (security rule 29).  And files on shares, \\server\share\folder\file,
 * which are URLs to the rest of the house.  The text is passed on as given: nothing is escaped or unescaped (BITS does the
 * same, docs/bits.md section 8).  Knows no sockets, no files and no curl.
 */
#ifndef FERRY_CORE_URL_H
#define FERRY_CORE_URL_H

#include "core/text.h"

#define URL_BYTES_MAX 2200 /* BITS's limit, docs/bits.md section 7 */

struct url {
	bool secure;              /* https */
	bool share;               /* \\server\share\...: `host` is the server */
	struct text_view host;    /* as written; an IPv6 literal with its brackets */
	uint16_t port;            /* 80 or 443 where none is written; 445 of a share */
	struct text_view path;    /* from the first '/', without query and fragment; may be empty.  Of a share from its '\' on */
	bool has_query;
};

/* Are these hosts, as url_parse gives them, one?  Whatever the case, and however an IPv6 address is written. */
bool url_same_host(struct text_view a, struct text_view b);
/* Write the host's one spelling: in lower case, and an IPv6 address as RFC 5952 has it, in brackets.  IPv4 addresses have no
 * other, as url_parse refuses those ("127.1", "0x7f000001", "017.0.0.1").  RESULT_TOO_LONG. */
#define URL_ADDRESS_BYTES 42 /* brackets, eight groups of four, colons, the end */
enum result url_print_host(struct text_view host, char *to, size_t size) MUST_CHECK;

/* Does the text begin as a share does?  Of one that url_parse let by it says which kind it is. */
bool url_is_share(struct text_view text);

/* Check `text` and split it into views of itself.  `ret_url` may be NULL.
 * Also refused: a fragment (it is never sent, and what is stored shall be what is asked), bytes beyond ASCII and
 * others that must be percent-encoded, a host that some resolvers read as an address ("127.1", "0x7f000001") and one
 * that ends in a dot (a second spelling of the same host).  Of a share's file all that core/destination refuses of such a
 * path, and servers and shares that Windows' WebDAV client would answer for.
 * RESULT_BAD_URL or RESULT_TOO_LONG: fault->what says which rule was broken, without quoting the URL. */
enum result url_parse(struct text_view text, struct url *ret_url, struct fault *fault) MUST_CHECK;

/* Does the URL begin with the prefix?  Compared byte by byte, case included, as BITS does.  A prefix that ends inside the
 * host or the port begins nothing: "http://old" is not the beginning of "http://older/". */
bool url_begins_with(struct text_view text, struct text_view prefix);
/* Write the URL with `to` in place of the prefix `from`, which it begins with, and check what that gives.
 * RESULT_BAD_URL or RESULT_TOO_LONG, as url_parse. */
enum result url_replace_prefix(struct text_view text, struct text_view from, struct text_view to,
                               char ret_text[URL_BYTES_MAX + 1], struct fault *fault) MUST_CHECK;

/* Has it a path of which curl or a server may make another one ("..", "%2e", "%2f")?  Names on shares are what they are. */
bool url_is_ambiguous(const struct url *url);
/* Is the URL the prefix, or below it?  "https://h/a" is above "https://h/a/b", but neither above "https://h/ab" nor above
 * "https://h/a/b" by another scheme or port.  Hosts are compared in any case of letters, paths byte by byte, those of shares in
 * any case of ASCII.  One that is ambiguous is below whole hosts only. */
bool url_is_inside(const struct url *url, const struct url *prefix);

/* Write scheme://host[:port]/path without userinfo, query and fragment ("?..." stands for a query that was there).
 * For logs, events, errors and listings.  Whatever does not parse becomes "(not a URL)". */
void url_redact(struct text_view text, char *to, size_t size);

#endif
