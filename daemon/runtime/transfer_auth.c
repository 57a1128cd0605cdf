/* runtime/transfer: answering servers and proxies that ask who we are.
 *
 * curl has the schemes' protocols, and by SSPI (GSSAPI on the Linux ground) the credentials of whom the thread wears, at the
 * moment of the answer: which is why a set is one identity's, with one set of answers (law 2).  Here is said who may be
 * answered and with what, and afterwards why that did not do.
 */
#include "runtime/transfer_private.h"

#include <string.h>

#include "core/headers.h"

/* --- what curl is told --- */

static const long curl_schemes[AUTH_SCHEME_COUNT] = {
	[AUTH_BASIC] = (long)CURLAUTH_BASIC,
	[AUTH_DIGEST] = (long)CURLAUTH_DIGEST,
	[AUTH_NTLM] = (long)CURLAUTH_NTLM,
	[AUTH_NEGOTIATE] = (long)CURLAUTH_NEGOTIATE,
};

static long to_curl(unsigned schemes)
{
	long mask = (long)CURLAUTH_NONE;

	for (unsigned i = 0; i < AUTH_SCHEME_COUNT; i++)
		if (schemes & AUTH_FLAG(i))
			mask |= curl_schemes[i];
	return mask;
}

static unsigned from_curl(long mask)
{
	unsigned schemes = 0;

	for (unsigned i = 0; i < AUTH_SCHEME_COUNT; i++)
		if (mask & curl_schemes[i])
			schemes |= AUTH_FLAG(i);
	return schemes;
}

/* A scheme as it is written in heads. */
static bool read_scheme(const char *name, size_t length, enum auth_scheme *ret_scheme)
{
	for (unsigned i = 0; i < AUTH_SCHEME_COUNT; i++) {
		const char *known = auth_scheme_name((enum auth_scheme)i);

		if (strlen(known) == length && curl_strnequal(known, name, length)) {
			*ret_scheme = (enum auth_scheme)i;
			return true;
		}
	}
	return false;
}

/* Where Negotiate is all that may be answered with curl does not wait to be asked, which spares a round trip.  Not so where
 * a proxy is answered by it as well: what a server did not ask for would undo the handshake with the proxy, which curl keeps
 * in the same connection, and one of several messages would begin anew for ever.  Behind a tunnel it is over by then. */
static long server_mask(const struct transfer_route *route, bool tunnel)
{
	const struct transfer_login *logins = route->logins;
	bool both = (logins[AUTH_SERVER].schemes & logins[AUTH_PROXY].schemes & AUTH_FLAG(AUTH_NEGOTIATE)) != 0;

	return to_curl(logins[AUTH_SERVER].schemes) | (both && !tunnel ? (long)CURLAUTH_ONLY : 0);
}

/* A trial is to tell what is asked for. */
static long wait_to_be_asked(const struct transfer *transfer, long mask)
{
	return transfer->trial && mask != (long)CURLAUTH_NONE ? mask | (long)CURLAUTH_ONLY : mask;
}

/* An empty user and password are the thread's own identity to curl. */
static bool set_login(CURL *easy, const struct transfer_login *login, long mask, CURLoption schemes, CURLoption user,
                      CURLoption password)
{
	return curl_easy_setopt(easy, schemes, mask) == CURLE_OK &&
	       (login->schemes == 0 || (curl_easy_setopt(easy, user, login->user) == CURLE_OK &&
	                                curl_easy_setopt(easy, password, login->password) == CURLE_OK));
}

/* What a request's head answers with: the scheme's name, and nothing of what follows it. */
static void note_answer(struct transfer *transfer, const char *head, size_t length, enum auth_target target)
{
	static const char *const names[AUTH_TARGET_COUNT] = { "\nAuthorization: ", "\nProxy-Authorization: " };
	const size_t name = strlen(names[target]);
	enum auth_scheme scheme;

	for (size_t i = 0; i + name < length; i++) {
		if (!curl_strnequal(head + i, names[target], name))
			continue;
		size_t end = i + name;
		while (end < length && head[end] > ' ')
			end++;
		if (read_scheme(head + i + name, end - i - name, &scheme))
			transfer->trace.used[target] |= AUTH_FLAG(scheme);
	}
}

/* Of all that curl tells about a request, only by what it answers and what the security package says: the rest has secrets in
 * it. */
static int on_debug(CURL *easy, curl_infotype type, char *text, size_t length, void *context)
{
	static const char *const packages[] = { "gss_", "SSPI", "InitializeSecurityContext", "AcquireCredentialsHandle", "SPNEGO",
		                                "NTLM handshake" };
	struct transfer *transfer = context;
	(void)easy;
	for (unsigned target = 0; type == CURLINFO_HEADER_OUT && target < AUTH_TARGET_COUNT; target++)
		note_answer(transfer, text, length, (enum auth_target)target);
	for (size_t i = 0; type == CURLINFO_TEXT && i < sizeof(packages) / sizeof(packages[0]); i++) {
		if (length < strlen(packages[i]) || memcmp(text, packages[i], strlen(packages[i])) != 0)
			continue;
		while (length > 0 && (text[length - 1] == '\n' || text[length - 1] == '\r'))
			length--;
		if (!text_has_control((struct text_view){ text, length }))
			text_display(transfer->trace.words, sizeof(transfer->trace.words), "%.*s", (int)length, text);
	}
	return 0;
}

bool transfer_set_route(struct transfer *transfer)
{
	static const struct transfer_route directly = { .proxy = "" };
	const struct transfer_route *route = transfer->route != NULL ? transfer->route : &directly;
	const struct transfer_login *server = &route->logins[AUTH_SERVER], *proxy = &route->logins[AUTH_PROXY];
	CURL *easy = transfer->easy;
	bool asked = (server->schemes | proxy->schemes) != 0;

	/* "" is directly: the environment's proxy is not the worn identity's.  Nor are the hosts that it exempts: core/proxy has
	 * decided. */
	return curl_easy_setopt(easy, CURLOPT_PROXY, route->proxy) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_NOPROXY, "") == CURLE_OK &&
	       set_login(easy, server, wait_to_be_asked(transfer, server_mask(route, transfer->url.secure)), CURLOPT_HTTPAUTH, CURLOPT_USERNAME,
	                 CURLOPT_PASSWORD) &&
	       set_login(easy, proxy, wait_to_be_asked(transfer, to_curl(proxy->schemes)), CURLOPT_PROXYAUTH, CURLOPT_PROXYUSERNAME,
	                 CURLOPT_PROXYPASSWORD) &&
	       /* The answer to CONNECT is the proxy's, not the file's. */
	       curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L) == CURLE_OK &&
	       (!asked || (curl_easy_setopt(easy, CURLOPT_DEBUGFUNCTION, on_debug) == CURLE_OK &&
	                   curl_easy_setopt(easy, CURLOPT_DEBUGDATA, transfer) == CURLE_OK &&
	                   curl_easy_setopt(easy, CURLOPT_VERBOSE, 1L) == CURLE_OK));
}

/* --- why it did not do --- */

#define NTLM_BLOCKED "80070791" /* of platform/win32/negotiate, or the machine's policy */

static enum result result_of_text(const char *text, enum result otherwise)
{
	static const struct {
		const char *word;
		enum result result;
	} words[] = {
		{ "80090324", RESULT_CLOCK_SKEW },       { "Clock skew", RESULT_CLOCK_SKEW },
		{ "8009030E", RESULT_NO_TICKET },        { "80090303", RESULT_NO_TICKET },
		{ "8009030e", RESULT_NO_TICKET },        { "No Kerberos credentials", RESULT_NO_TICKET },
		{ "No credentials", RESULT_NO_TICKET },  { "expired", RESULT_NO_TICKET },
		{ "not found in Kerberos", RESULT_NO_TICKET }, { NTLM_BLOCKED, RESULT_NO_TICKET },
		{ "SEC_E_NO_CREDENTIALS", RESULT_NO_TICKET }, { "SEC_E_TARGET_UNKNOWN", RESULT_NO_TICKET },
		{ "SEC_E_TIME_SKEW", RESULT_CLOCK_SKEW },
		{ "SEC_E_NO_AUTHENTICATING_AUTHORITY", RESULT_NO_TICKET }, { "Cannot contact any KDC", RESULT_NO_TICKET },
		{ "Cannot find KDC", RESULT_NO_TICKET },
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strstr(text, words[i].word) != NULL)
			return words[i].result;
	return otherwise;
}

/* curl counts only what it can do here, and does not show the heads of a tunnel: both together are what is offered. */
static unsigned offered_schemes(CURL *easy, bool by_proxy)
{
	const char *name = by_proxy ? "Proxy-Authenticate" : "WWW-Authenticate";
	struct curl_header *header;
	long mask = 0;

	curl_easy_getinfo(easy, by_proxy ? CURLINFO_PROXYAUTH_AVAIL : CURLINFO_HTTPAUTH_AVAIL, &mask);
	unsigned schemes = from_curl(mask);
	for (size_t i = 0; curl_easy_header(easy, name, i, CURLH_HEADER, -1, &header) == CURLHE_OK; i++) {
		enum auth_scheme scheme;
		size_t length = 0;

		while (header->value[length] > ' ')
			length++;
		if (read_scheme(header->value, length, &scheme))
			schemes |= AUTH_FLAG(scheme);
	}
	return schemes;
}

void transfer_note_challenge(struct transfer *transfer, bool by_proxy)
{
	transfer->trace.offered[by_proxy ? AUTH_PROXY : AUTH_SERVER] |= offered_schemes(transfer->easy, by_proxy);
}

void transfer_end_trace(struct transfer *transfer)
{
	struct attempt_trace *trace = &transfer->trace;
	long status = 0, connect = 0, mask = 0;
	char *url = NULL;

	curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(transfer->easy, CURLINFO_HTTP_CONNECTCODE, &connect);
	curl_easy_getinfo(transfer->easy, CURLINFO_EFFECTIVE_URL, &url);
	trace->status = status != 0 ? status : connect;
	if (connect != 0) { /* whose heads are not seen */
		curl_easy_getinfo(transfer->easy, CURLINFO_PROXYAUTH_AVAIL, &mask);
		trace->offered[AUTH_PROXY] |= from_curl(mask);
	}
	url_redact(text_view(url != NULL && url[0] != '\0' ? url : transfer->text), trace->url, sizeof(trace->url));
}

/* Whether that somebody asked who we are is what ended the transfer. */
static bool is_asked(const struct transfer *transfer, CURLcode code, enum auth_target *ret_target)
{
	long status = 0, connect = 0;

	curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(transfer->easy, CURLINFO_HTTP_CONNECTCODE, &connect);
	*ret_target = status == 407 || connect == 407 ? AUTH_PROXY : AUTH_SERVER;
	/* Whoever breaks off instead of judging the next answer has not refused it; of a tunnel curl's words tell. */
	bool judged = connect == 407 ? strstr(transfer->curl_text, "aborted") == NULL
	                             : transfer->phase == TRANSFER_CHALLENGED || code == CURLE_AUTH_ERROR;
	return judged && (*ret_target == AUTH_PROXY || status == 401);
}

bool transfer_ask_by_ntlm(struct transfer *transfer, CURLcode code)
{
	const unsigned both = AUTH_FLAG(AUTH_NEGOTIATE) | AUTH_FLAG(AUTH_NTLM);
	enum auth_target target;

	/* Of a part of a file it is the lead that asks; what was sent and refused is refused, and a wrong password is wrong. */
	if (!transfer->route || transfer->parts.lead || transfer->fault.result != RESULT_OK || !is_asked(transfer, code, &target))
		return false;
	struct transfer_login *login = &transfer->route->logins[target];
	if ((login->schemes & offered_schemes(transfer->easy, target == AUTH_PROXY) & both) != both ||
	    (transfer->trace.used[target] & AUTH_FLAG(AUTH_NEGOTIATE)) != 0 || result_of_text(transfer->trace.words, RESULT_OK) != RESULT_NO_TICKET)
		return false;
	login->schemes &= ~AUTH_FLAG(AUTH_NEGOTIATE);
	transfer->trace.words[0] = '\0';
	if (transfer_set_route(transfer))
		return transfer_ask(transfer) == RESULT_OK;
	(void)transfer_fail(transfer, RESULT_NO_MEMORY, FAULT_FERRY, 0, "answer by NTLM");
	return false;
}

bool transfer_fail_auth(struct transfer *transfer, CURLcode code)
{
	static const struct transfer_login nobody = { .schemes = 0 };
	enum auth_target target;
	char offered[48], had[48], forbidden[48], what[FAULT_WHAT_BYTES_MAX];

	if (!is_asked(transfer, code, &target))
		return false;
	bool by_proxy = target == AUTH_PROXY;
	const struct transfer_login *login = transfer->route ? &transfer->route->logins[target] : &nobody;
	unsigned schemes = offered_schemes(transfer->easy, by_proxy);
	enum result result = by_proxy ? RESULT_PROXY_UNAUTHORIZED : RESULT_UNAUTHORIZED;

	auth_schemes_display(schemes, offered, sizeof(offered));
	auth_schemes_display(login->schemes & schemes, had, sizeof(had));
	auth_schemes_display(login->forbidden & schemes, forbidden, sizeof(forbidden));
	const char *who = by_proxy ? "the proxy" : "the server";
	const char *as = login->implicit ? "the network identity" : "the job's user";
	if ((login->schemes & schemes) && strstr(transfer->trace.words, NTLM_BLOCKED) != NULL) {
		result = RESULT_NO_TICKET;
		text_display(what, sizeof(what), "%s offers %s, and Negotiate as %s would be NTLM here, which is spoken only as NTLM, "
		             "with hosts in authentication.ntlm", who, offered, as);
	} else if (login->schemes & schemes) {
		result = result_of_text(transfer->trace.words, result);
		text_display(what, sizeof(what), "%s refused %s as %s%s%s", who, had, as, transfer->trace.words[0] ? ": " : "",
		             transfer->trace.words);
	} else if (login->forbidden & schemes) {
		result = RESULT_AUTH_SCHEME;
		text_display(what, sizeof(what), "%s offers %s, and authentication.* does not allow it %s", who, offered, forbidden);
	} else if (login->schemes) {
		result = RESULT_AUTH_SCHEME;
		auth_schemes_display(login->schemes, had, sizeof(had));
		text_display(what, sizeof(what), "%s offers %s, and may be answered with %s only", who, offered, had);
	} else {
		bool said = !by_proxy && transfer->route && headers_has(transfer->route->headers, "authorization");
		text_display(what, sizeof(what), said ? "%s refused what the job's own Authorization header says; it asks for %s" :
		                                        "%s asks for %s, and the job has no credentials for it", who, offered);
	}
	(void)transfer_fail(transfer, result, FAULT_HTTP, by_proxy ? 407 : 401, what);
	return true;
}
