/* runtime/transfer: redirects to another origin (scheme, host and port).
 *
 * curl follows with what was set for the first one.  It sends no credentials there, but all header lines of the job's own; it
 * may take a connection that it has there already, and that was authenticated for another request; and it would look for the
 * first one's authority and key.  So where any of these matters the other origin is asked anew: without an answer to whoever
 * asks, without the lines and the job's client certificate, with nothing ignored of the server's, and by what is trusted
 * there.  Nor does a way back bring them back.
 */
#include "runtime/transfer_private.h"

#include <stdlib.h>
#include <string.h>

/* By curl's own reading, since it is curl that would follow.  NULL: curl refuses it, or there is no memory. */
static CURLU *resolve(const struct transfer *transfer, const char *location)
{
	const unsigned flags = CURLU_URLENCODE | CURLU_ALLOW_SPACE | CURLU_PATH_AS_IS;
	char *here = NULL;
	CURLU *url = curl_url();

	curl_easy_getinfo(transfer->easy, CURLINFO_EFFECTIVE_URL, &here);
	if (url && here && curl_url_set(url, CURLUPART_URL, here, flags) == CURLUE_OK &&
	    curl_url_set(url, CURLUPART_URL, location, flags) == CURLUE_OK &&
	    curl_url_set(url, CURLUPART_FRAGMENT, NULL, 0) == CURLUE_OK)
		return url;
	curl_url_cleanup(url);
	return NULL;
}

/* A dot at the end is another spelling of the same name, with which it would not be recognised. */
static struct text_view name_of(const char *host)
{
	struct text_view name = text_view(host);

	while (name.length > 0 && name.bytes[name.length - 1] == '.')
		name.length--;
	return name;
}

/* Of where it leads: is curl to be left alone with it? */
static bool may_follow(const struct transfer *transfer, const char *scheme, const char *host, const char *port)
{
	const struct transfer_route *route = transfer->route;
	bool secure = strcmp(scheme, "https") == 0, web = secure || strcmp(scheme, "http") == 0;
	struct text_view name = name_of(host), here = transfer->url.host;
	bool same = secure == transfer->url.secure && url_same_host(name, here) && strtoul(port, NULL, 10) == transfer->url.port;

	if (same || !web || (transfer->url.secure && !secure))
		return true; /* or curl refuses it: CURLOPT_REDIR_PROTOCOLS_STR */
	return (!route || (route->logins[AUTH_SERVER].schemes == 0 && !route->headers && route->ignore == 0 &&
	                   route->certificate[0] == '\0')) &&
	       transfer_trusts_alike(transfer, name);
}

static bool is_allowed(struct transfer *transfer, const char *scheme, const char *host, const char *port, const char *path)
{
	const struct url url = { .secure = strcmp(scheme, "https") == 0, .host = name_of(host),
		                 .port = (uint16_t)strtoul(port, NULL, 10), .path = text_view(path) };
	struct fault why;

	if (transfer_trust_allows(transfer->set->limits.trust, &url, &why) == RESULT_OK)
		return true;
	(void)transfer_fail(transfer, why.result, why.source, why.raw, why.what);
	return false;
}

static void keep(struct transfer *transfer, const char *url)
{
	size_t size = strlen(url) + 1;

	free(transfer->moved);
	transfer->moved = malloc(size);
	if (transfer->moved)
		memcpy(transfer->moved, url, size);
	else
		(void)transfer_fail(transfer, RESULT_NO_MEMORY, FAULT_FERRY, 0, "follow a redirect");
}

static void refuse(struct transfer *transfer, const char *what)
{
	transfer->discard = true;
	(void)transfer_fail(transfer, RESULT_REDIRECT_REFUSED, FAULT_FERRY, 0, what);
}

static void take(struct transfer *transfer, CURLU *url)
{
	char *scheme = NULL, *host = NULL, *port = NULL, *path = NULL, *whole = NULL, *user = NULL;
	struct fault why;

	if (curl_url_get(url, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK || curl_url_get(url, CURLUPART_HOST, &host, 0) != CURLUE_OK ||
	    curl_url_get(url, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) != CURLUE_OK ||
	    curl_url_get(url, CURLUPART_PATH, &path, 0) != CURLUE_OK ||
	    curl_url_get(url, CURLUPART_URL, &whole, 0) != CURLUE_OK) {
		refuse(transfer, "the server redirects to what is no URL");
	} else if (!is_allowed(transfer, scheme, host, port, path)) {
		transfer->discard = true;
	} else if (!may_follow(transfer, scheme, host, port)) {
		transfer->discard = true;
		if (curl_url_get(url, CURLUPART_USER, &user, 0) == CURLUE_OK || transfer->parts.lead ||
		    url_parse(text_view(whole), NULL, &why) != RESULT_OK)
			refuse(transfer, "the server redirects to what is not asked");
		else if (transfer->moves++ >= TRANSFER_REDIRECTS_MAX)
			refuse(transfer, "too many redirects");
		else
			keep(transfer, whole);
	}
	curl_free(scheme);
	curl_free(host);
	curl_free(port);
	curl_free(path);
	curl_free(whole);
	curl_free(user);
}

bool transfer_redirected(struct transfer *transfer, const char *location)
{
	CURLU *url;

	if (transfer->route && transfer->route->no_redirects) {
		refuse(transfer, "the server redirects, and the job follows no redirects");
		return false;
	}
	/* What we cannot read curl may read as something. */
	url = location ? resolve(transfer, location) : NULL;
	if (url)
		take(transfer, url);
	else
		refuse(transfer, location ? "the server redirects to what is no URL" : "the server redirects in unclear words");
	curl_url_cleanup(url);
	return !transfer->discard;
}

bool transfer_follow(struct transfer *transfer)
{
	if (!transfer->moved || transfer->fault.result != RESULT_OK)
		return false;
	transfer->trace.offered[AUTH_SERVER] = transfer->trace.used[AUTH_SERVER] = 0; /* told of the last one */
	free(transfer->text);
	transfer->text = TAKE(transfer->moved);
	curl_easy_cleanup(TAKE(transfer->easy));
	if (transfer->route) {
		text_wipe(&transfer->route->logins[AUTH_SERVER], sizeof(transfer->route->logins[AUTH_SERVER]));
		transfer_route_forget_headers(transfer->route);
		transfer->route->ignore = 0;
		transfer->route->certificate[0] = '\0';
	}
	if (url_parse(text_view(transfer->text), &transfer->url, &transfer->fault) != RESULT_OK)
		return false;
	return transfer_ask(transfer) == RESULT_OK;
}
