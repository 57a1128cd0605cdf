#include "runtime/transfer_private.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/headers.h"
#include "platform/clock.h"
#include "platform/tls.h"

#define KEEPALIVE_S 60L

/* A header's value in the last head, or NULL. */
static const char *header_value(const struct transfer *transfer, const char *name)
{
	struct curl_header *header;
	if (curl_easy_header(transfer->easy, name, 0, CURLH_HEADER, -1, &header) != CURLHE_OK)
		return NULL;
	return header->value;
}

/* Twice is one time too many: curl may go by the other one. */
static bool is_repeated(const struct transfer *transfer, const char *name)
{
	struct curl_header *header;
	return curl_easy_header(transfer->easy, name, 0, CURLH_HEADER, -1, &header) == CURLHE_OK && header->amount > 1;
}

static uint64_t parse_length(const char *value)
{
	uint64_t length = 0;
	if (!value || !*value)
		return SIZE_UNKNOWN;
	for (; *value; value++) {
		if (*value < '0' || *value > '9' || length > (UINT64_MAX - 9) / 10)
			return SIZE_UNKNOWN;
		length = length * 10 + (uint64_t)(*value - '0');
	}
	return length;
}

/* A validator that does not fit, or could not be sent back, is none. */
static void copy_validator(char *to, size_t size, const char *value)
{
	to[0] = '\0';
	if (value && !text_has_control(text_view(value)) && text_copy(to, size, text_view(value)) != RESULT_OK)
		to[0] = '\0';
}

static void read_answer(const struct transfer *transfer, long status, struct resume_answer *ret_answer)
{
	struct resume_answer answer = { .status = status, .content_length = SIZE_UNKNOWN };
	const char *range = header_value(transfer, "Content-Range");
	if (range && !is_repeated(transfer, "Content-Range"))
		answer.has_content_range =
			resume_parse_content_range(text_view(range), &answer.range_first, &answer.range_last, &answer.range_total);
	/* RFC 9112 6.3: with a transfer coding, Content-Length says nothing. */
	if (!header_value(transfer, "Transfer-Encoding"))
		answer.content_length = parse_length(header_value(transfer, "Content-Length"));
	const char *encoding = header_value(transfer, "Content-Encoding");
	answer.encoded = (encoding && *encoding && !curl_strequal(encoding, "identity")) ||
	                 is_repeated(transfer, "Content-Encoding");
	copy_validator(answer.etag, sizeof(answer.etag), header_value(transfer, "ETag"));
	copy_validator(answer.modified, sizeof(answer.modified), header_value(transfer, "Last-Modified"));
	*ret_answer = answer;
}

/* Other schemes of ranges than bytes there are none, but a server may say "none". */
static bool takes_ranges(const struct transfer *transfer, const struct resume_answer *answer)
{
	const char *units = header_value(transfer, "Accept-Ranges");
	return answer->status == 206 || (units && curl_strequal(units, "bytes"));
}

/* From here on what is there is of this answer's file, should it be asked for again.  Who answers whether it still is the
 * same need not repeat all that was said of it: RFC 9110 section 15.3.7. */
static void take_validators(struct transfer *transfer, const struct resume_answer *answer)
{
	bool is_same = transfer->written > 0 && transfer->request.validator[0] != '\0';
	if (!is_same || answer->etag[0] != '\0')
		memcpy(transfer->etag, answer->etag, sizeof(transfer->etag));
	if (!is_same || answer->modified[0] != '\0')
		memcpy(transfer->modified, answer->modified, sizeof(transfer->modified));
}

static void begin_body(struct transfer *transfer, uint64_t offset, uint64_t end, const struct resume_answer *answer)
{
	transfer->written = offset;
	transfer->end = end;
	transfer->waits = 0;
	take_validators(transfer, answer);
	if (transfer->known.ranges && answer->range_total != SIZE_UNKNOWN)
		transfer->known.remote_total = answer->range_total;
	if (transfer->goes_on)
		return; /* nothing that was not told before */
	transfer->anew = offset == 0;
	if (offset == 0 && transfer->digest.length > 0) {
		hash_free(transfer->hash);
		transfer->hash = hash_new(transfer->digest.length);
	}
	if (offset == 0 && transfer->known.offset > 0) {
		transfer->recorded = 0;
		transfer->held = true;
	}
	transfer->known.total = transfer->total;
	transfer->known.elsewhere = false;
	transfer_parts_answered(transfer, takes_ranges(transfer, answer));
	struct transfer_set *set = transfer->set;
	set->handler.answered(set->handler.context, transfer->row, offset, transfer->total, transfer->etag, transfer->modified);
}

/* Seconds, or a date by this machine's clock; what is neither, and what is past, is nothing. */
static uint32_t read_retry_after(const struct transfer *transfer)
{
	const char *value = header_value(transfer, "Retry-After");
	if (!value || is_repeated(transfer, "Retry-After"))
		return 0;
	uint64_t seconds = parse_length(value);
	if (seconds == SIZE_UNKNOWN) {
		int64_t left = (int64_t)curl_getdate(value, NULL) - clock_wall_ms() / 1000;
		seconds = left > 0 ? (uint64_t)left : 0;
	}
	return seconds < JOB_RETRY_AFTER_S_MAX ? (uint32_t)seconds : JOB_RETRY_AFTER_S_MAX;
}

static void refuse(struct transfer *transfer, const struct fault *why)
{
	transfer->discard = true;
	if (result_class(why->result) == RETRY_LATER)
		transfer->retry_after_s = read_retry_after(transfer);
	(void)transfer_fail(transfer, why->result, why->source, why->raw, why->what);
}

/* Curl refuses most lengths that are none, but lets one pass that is too large for it: the body would have no end. */
static bool has_wrong_length(const struct transfer *transfer, const struct resume_answer *answer)
{
	return answer->content_length == SIZE_UNKNOWN && !header_value(transfer, "Transfer-Encoding") &&
	       header_value(transfer, "Content-Length");
}

static void judge_part(struct transfer *transfer, const struct resume_answer *answer)
{
	struct fault why;
	if (resume_judge_part(&transfer->parts.lead->known, &transfer->request, answer, &why) != RESULT_OK)
		refuse(transfer, &why);
	else
		transfer_parts_proven(transfer->parts.lead);
}

static void judge(struct transfer *transfer, long status)
{
	struct resume_answer answer;
	struct fault why = { RESULT_BAD_RESPONSE, FAULT_HTTP, status,
		                 "the server answers a plain request as if it asked for a range" };
	uint64_t end;
	read_answer(transfer, status, &answer);
	if (transfer->parts.lead) {
		judge_part(transfer, &answer);
		return;
	}
	if ((status == 200 || status == 206) && has_wrong_length(transfer, &answer)) {
		(void)fault_set(&why, RESULT_INSUFFICIENT_HTTP, FAULT_HTTP, status, "a Content-Length that is no length");
		refuse(transfer, &why);
		return;
	}
	enum resume_verdict verdict = resume_judge(&transfer->known, &transfer->request, &answer, &transfer->total, &why);
	bool comes = verdict == RESUME_CONTINUE || verdict == RESUME_RESTART;
	if (comes && resume_check_size(transfer->stated, transfer->total, &why) != RESULT_OK)
		verdict = RESUME_REFUSE;
	end = transfer->request.offset + (answer.range_last - answer.range_first) + 1;
	switch (verdict) {
	case RESUME_CONTINUE:
		begin_body(transfer, transfer->request.offset, end, &answer);
		return;
	case RESUME_RESTART:
		begin_body(transfer, 0, transfer->request.is_range ? end : transfer->total, &answer);
		return;
	case RESUME_AGAIN:
		transfer->discard = true;
		transfer->ask_again = !transfer->asked_again;
		if (!transfer->ask_again)
			refuse(transfer, &why);
		return;
	case RESUME_UNCHANGED:
		transfer->discard = transfer->unchanged = true;
		transfer->written = 0; /* what is on disk of it, if anything, is of no use any more */
		memcpy(transfer->etag, answer.etag, sizeof(transfer->etag));
		memcpy(transfer->modified, answer.modified, sizeof(transfer->modified));
		return;
	case RESUME_REFUSE:
		refuse(transfer, &why);
		return;
	}
}

/* False: the request ends here. */
static bool head_complete(struct transfer *transfer)
{
	long status = 0;
	curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
	if (status < 200)
		return true; /* 1xx: the real one follows */
	const char *location = header_value(transfer, "Location");
	bool unclear = is_repeated(transfer, "Location") || transfer->folded;
	if (status >= 300 && status < 400 && location && (*location || unclear)) {
		transfer->phase = TRANSFER_REDIRECTED;
		return transfer_redirected(transfer, unclear ? NULL : location);
	}
	/* Curl answers, if it may, and then another head comes. */
	transfer->phase = status == 401 || status == 407 ? TRANSFER_CHALLENGED : TRANSFER_ANSWERED;
	if (transfer->phase == TRANSFER_CHALLENGED)
		transfer_note_challenge(transfer, status == 407);
	else if (!transfer->trial)
		judge(transfer, status);
	return true;
}

static size_t on_head(char *bytes, size_t one, size_t length, void *context)
{
	struct transfer *transfer = context;
	(void)one;
	transfer->heard_ms = clock_mono_ms();
	transfer->heard = true;
	if (length > 5 && memcmp(bytes, "HTTP/", 5) == 0)
		transfer->folded = false;
	/* After the judgement only a chunked body's trailers come this way. */
	bool blank = length <= 2 && (bytes[0] == '\r' || bytes[0] == '\n');
	transfer->folded |= !blank && (bytes[0] == ' ' || bytes[0] == '\t');
	if (blank && transfer->phase != TRANSFER_ANSWERED && !head_complete(transfer))
		return CURL_WRITEFUNC_ERROR;
	return length;
}

static int on_request(void *context, char *remote_ip, char *local_ip, int remote_port, int local_port)
{
	struct transfer *transfer = context;
	const struct curl_tlssessioninfo *told = NULL;
	(void)remote_ip;
	(void)local_ip;
	(void)remote_port;
	(void)local_port;
	void *session = curl_easy_getinfo(transfer->easy, CURLINFO_TLS_SSL_PTR, &told) == CURLE_OK && told ? told->internals : NULL;
	if (!transfer_may_request(transfer, session))
		return CURL_PREREQFUNC_ABORT;
	transfer->phase = TRANSFER_ASKED;
	transfer->heard_ms = clock_mono_ms();
	transfer->heard = false;
	if (session)
		text_display(transfer->trace.tls, sizeof(transfer->trace.tls), "%s", tls_version(session));
	return CURL_PREREQFUNC_OK;
}

static bool add_header(struct transfer *transfer, const char *line)
{
	struct curl_slist *grown = curl_slist_append(transfer->headers, line);
	if (grown)
		transfer->headers = grown;
	return grown != NULL;
}

/* Both, where both are stated: which of them counts is the server's business. */
static bool add_condition(struct transfer *transfer)
{
	char line[FILE_ETAG_BYTES_MAX + 16], date[RESUME_DATE_BYTES];
	const struct file_condition *condition = &transfer->condition;

	if (condition->etag[0] != '\0' && (text_format(line, sizeof(line), "If-None-Match: %s", condition->etag) != RESULT_OK ||
	                                   !add_header(transfer, line)))
		return false;
	if (condition->modified_ms == 0)
		return true;
	resume_format_date(condition->modified_ms / 1000, date);
	return text_format(line, sizeof(line), "If-Modified-Since: %s", date) == RESULT_OK && add_header(transfer, line);
}

void transfer_free_headers(struct transfer *transfer)
{
	for (struct curl_slist *line = transfer->headers; line; line = line->next)
		text_wipe(line->data, strlen(line->data));
	curl_slist_free_all(TAKE(transfer->headers));
}

/* The job's own, each as it was given. */
static bool add_own(struct transfer *transfer)
{
	const char *rest = transfer->route ? transfer->route->headers : NULL;
	struct text_view line;
	bool good = true;
	while (good && headers_next(&rest, &line)) {
		char *text = malloc(line.length + 1);
		good = text && text_copy(text, line.length + 1, line) == RESULT_OK && add_header(transfer, text);
		if (text)
			text_wipe(text, line.length);
		free(text);
	}
	return good;
}

static bool make_headers(struct transfer *transfer)
{
	transfer_free_headers(transfer);
	if (!add_own(transfer))
		return false;
	/* No content coding: offsets are those of the file.  Not CURLOPT_ACCEPT_ENCODING, which would decode. */
	if (!add_header(transfer, "Accept-Encoding: identity"))
		return false;
	if (transfer->request.conditional)
		return add_condition(transfer);
	if (transfer->request.offset == 0 && !transfer->request.is_range)
		return true;
	uint64_t first = transfer->request.is_range ? transfer->request.first : transfer->request.offset;
	char line[FILE_ETAG_BYTES_MAX + 64], last[24] = "";
	if (transfer->request.end > 0)
		text_display(last, sizeof(last), "%" PRIu64, transfer->request.end - 1);
	if (text_format(line, sizeof(line), "Range: bytes=%" PRIu64 "-%s", first, last) != RESULT_OK ||
	    !add_header(transfer, line))
		return false;
	return transfer->request.validator[0] == '\0' ||
	       (text_format(line, sizeof(line), "If-Range: %s", transfer->request.validator) == RESULT_OK &&
	        add_header(transfer, line));
}

/* Who waits no longer than that for an answer waits no longer for a connection. */
static long connect_timeout_ms(const struct transfer *transfer)
{
	uint32_t timeout_ms = transfer->set->limits.connect_timeout_ms;
	return transfer->first_byte_ms < (int64_t)timeout_ms ? (long)transfer->first_byte_ms : (long)timeout_ms;
}

/* What curl reads at once comes at once, whatever the limit: a tenth of a second's worth of that. */
static long buffer_size(const struct transfer *transfer)
{
	uint64_t size = transfer->share / 10;

	return size > TRANSFER_BLOCK_BYTES_MAX ? (long)TRANSFER_BLOCK_BYTES_MAX : size > CURL_MAX_WRITE_SIZE ? (long)size : CURL_MAX_WRITE_SIZE;
}

/* Whoever waits for a trial waits no longer, whatever a server sends and wherever it sends on; 0: for ever. */
static long time_left_ms(const struct transfer *transfer)
{
	int64_t left_ms = transfer->ends_ms - clock_mono_ms();

	return transfer->ends_ms == 0 ? 0 : left_ms > 0 ? (long)left_ms : 1;
}

/* What is the same for every request.
 * QUICK_EXIT: a transfer that is
 * stopped while its name is looked up leaves the resolver's thread to end by itself, rather than keeping all others of
 * this worker waiting for it. */
static bool set_up(struct transfer *transfer)
{
	CURL *easy = transfer->easy;
	const struct transfer_set *set = transfer->set;
	const char *redirects = transfer->url.secure ? "https" : "http,https";
	return curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, transfer_on_body) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_head) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_request) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_PREREQDATA, transfer) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->curl_text) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_URL, transfer->text) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_NOBODY, transfer->trial ? 1L : 0L) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, time_left_ms(transfer)) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, redirects) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, transfer->route && transfer->route->no_redirects ? 0L : 1L) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_MAXREDIRS, (long)TRANSFER_REDIRECTS_MAX) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) == CURLE_OK &&
	       transfer_set_route(transfer) &&
	       /* CURLOPT_HTTPHEADER is the servers', and nothing of it is said to a proxy that makes a tunnel. */
	       curl_easy_setopt(easy, CURLOPT_HEADEROPT, (long)CURLHEADER_SEPARATE) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_USERAGENT, set->user_agent) == CURLE_OK &&
	       transfer_set_trust(transfer) &&
	       curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, buffer_size(transfer)) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, KEEPALIVE_S) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, KEEPALIVE_S) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, connect_timeout_ms(transfer)) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L) == CURLE_OK;
}

enum result transfer_ask(struct transfer *transfer)
{
	if (!transfer->easy) {
		transfer->easy = curl_easy_init();
		if (!transfer->easy)
			return transfer_fail(transfer, RESULT_NO_MEMORY, FAULT_FERRY, 0, "begin");
		transfer->share = RATE_UNLIMITED;
		transfer_follow_limit(transfer);
		if (transfer_trusts_nobody(transfer))
			return transfer_fail(transfer, RESULT_CERTIFICATE, FAULT_FERRY, 0,
			                     "the file of the host's private authority could not be read when the service started");
		if (!set_up(transfer))
			return transfer_fail(transfer, RESULT_NO_MEMORY, FAULT_FERRY, 0, "set up the request");
		if (transfer_set_certificate(transfer) != RESULT_OK)
			return transfer->fault.result;
	}
	if (!make_headers(transfer) || curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, transfer->headers) != CURLE_OK)
		return transfer_fail(transfer, RESULT_NO_MEMORY, FAULT_FERRY, 0, "write the request");
	transfer->phase = TRANSFER_CONNECTING;
	transfer->discard = transfer->ask_again = false;
	transfer->discarded = 0;
	transfer->curl_text[0] = '\0';
	CURLMcode code = curl_multi_add_handle(transfer->set->multi, transfer->easy);
	if (code != CURLM_OK)
		return transfer_fail(transfer, code == CURLM_OUT_OF_MEMORY ? RESULT_NO_MEMORY : RESULT_SYSTEM, FAULT_CURL, code,
		                     curl_multi_strerror(code));
	return RESULT_OK;
}
