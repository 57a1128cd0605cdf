#include "runtime/transfer_private.h"

#include <string.h>

enum result transfer_fail(struct transfer *transfer, enum result result, enum fault_source source, int64_t raw,
                          const char *what)
{
	char url[256];
	url_redact(text_view(transfer->text), url, sizeof(url));
	return fault_set(&transfer->fault, result, source, raw, "%s; fetching %s", what, url);
}

/* Curl's text says more than its code, but it was not written with secrets in mind: what could be a URL or a part of
 * one behind the path does not pass. */
static const char *safe_text(const struct transfer *transfer, CURLcode code)
{
	const char *text = transfer->curl_text;
	if (!text[0] || strstr(text, "://") || strpbrk(text, "?@") || !text_is_utf8(text_view(text)))
		return curl_easy_strerror(code);
	return text;
}

enum result transfer_fail_curl(struct transfer *transfer, CURLcode code)
{
	long status = 0;
	char what[240];

	transfer->proxy_failed = transfer->route && transfer->route->proxy[0] != '\0' &&
	                         (code == CURLE_COULDNT_RESOLVE_PROXY || code == CURLE_COULDNT_CONNECT);
	curl_easy_getinfo(transfer->easy, CURLINFO_HTTP_CONNECTCODE, &status);
	if (status >= 300 && status != 407) {
		text_display(what, sizeof(what), "the proxy refuses the way to the server with status %ld", status);
		return transfer_fail(transfer, resume_status_result(status), FAULT_HTTP, status, what);
	}
	enum result result = result_from_curl(code, transfer->phase);
	bool shown = transfer->route && transfer->route->certificate[0] != '\0' && transfer->url.secure;

	if (shown && (code == CURLE_SSL_CERTPROBLEM || code == CURLE_SSL_CLIENTCERT))
		result = RESULT_CLIENT_CERTIFICATE;
	/* Whoever does not like the certificate ends the handshake, or the connection after it, like whoever has other reasons. */
	const char *why = result == RESULT_CERTIFICATE && transfer->route && transfer->route->ignore_refused
	                      ? "; the job would ignore that, and tls.may_ignore does not name the server"
	                  : shown && (code == CURLE_SSL_CONNECT_ERROR || code == CURLE_RECV_ERROR)
	                      ? "; the server may have refused the job's client certificate"
	                      : "";
	text_display(what, sizeof(what), "%.150s%s", safe_text(transfer, code), why);
	return transfer_fail(transfer, result, FAULT_CURL, code, what);
}

/* Codes that mean the same in every phase. */
static enum result result_of_code(CURLcode code)
{
	int raw = (int)code; /* about a hundred are in the enum: the rest is `default` */
	switch (raw) {
	case CURLE_OK:
		return RESULT_OK;
	case CURLE_OUT_OF_MEMORY:
		return RESULT_NO_MEMORY;
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY:
		return RESULT_NAME_NOT_RESOLVED;
	case CURLE_COULDNT_CONNECT:
	case CURLE_INTERFACE_FAILED:
	case CURLE_NO_CONNECTION_AVAILABLE:
	case CURLE_PROXY:
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_SSL_CIPHER:
	case CURLE_SSL_CERTPROBLEM: /* our own certificate or its key */
	case CURLE_SSL_CLIENTCERT:
	case CURLE_SSL_ENGINE_INITFAILED:
	case CURLE_USE_SSL_FAILED:
		return RESULT_CONNECT_FAILED;
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_CRL_BADFILE:
	case CURLE_SSL_INVALIDCERTSTATUS:
	case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
		return RESULT_CERTIFICATE;
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
	case CURLE_PARTIAL_FILE:
	case CURLE_GOT_NOTHING:
	case CURLE_SSL_SHUTDOWN_FAILED:
		return RESULT_CONNECTION_CLOSED;
	case CURLE_TOO_MANY_REDIRECTS:
		return RESULT_REDIRECT_REFUSED;
	case CURLE_WEIRD_SERVER_REPLY:
	case CURLE_BAD_CONTENT_ENCODING:
	case CURLE_TOO_LARGE: /* the heads */
		return RESULT_BAD_RESPONSE;
	default:
		return RESULT_SYSTEM;
	}
}

enum result result_from_curl(CURLcode code, enum transfer_phase phase)
{
	int raw = (int)code;
	switch (raw) {
	case CURLE_OPERATION_TIMEDOUT:
		/* The only timeout that curl watches is that of a connection, ours are STALLED already; so this is a
		 * first connection or that of a redirect. */
		return phase == TRANSFER_ASKED || phase == TRANSFER_ANSWERED ? RESULT_STALLED : RESULT_CONNECT_FAILED;
	case CURLE_UNSUPPORTED_PROTOCOL: /* also "this is not HTTP" */
	case CURLE_URL_MALFORMAT:
	case CURLE_LOGIN_DENIED: /* a URL with userinfo */
		if (phase == TRANSFER_REDIRECTED)
			return RESULT_REDIRECT_REFUSED;
		return phase == TRANSFER_CONNECTING ? RESULT_NOT_SUPPORTED : RESULT_BAD_RESPONSE;
	default:
		return result_of_code(code);
	}
}
