/* runtime/transfer: certificates that their authority took back.
 *
 * curl would have the system ask inside of the handshake, on the one thread that all transfers of a set have.  So curl does not
 * ask: before each request, also on a connection that was used before, what the live TLS session tells of the server is looked up
 * here.  Where no verdict is known the connection is closed before a byte of the request went out, the transfer waits among the
 * active ones without a request, and asks again when the answer is there.
 */
#include "runtime/transfer_private.h"

#include <string.h>

#include "platform/tls.h"

#define SAID_SHORT_OF_IT "the server's certificates could not be asked after"

static bool applies(const struct transfer *transfer)
{
	return transfer->set->limits.revocation && transfer_asks_after(transfer) > 0 &&
	       transfer_ignores(transfer) != TLS_IGNORE_ALL;
}

/* --- verdicts --- */

static void forget(struct transfer_verdict *verdict)
{
	question_free(verdict->question);
	*verdict = (struct transfer_verdict){ .until_ms = 0 };
}

void transfer_forget_verdicts(struct transfer_set *set)
{
	for (size_t i = 0; i < TRANSFER_VERDICTS_MAX; i++)
		forget(&set->verdicts[i]);
}

static struct transfer_verdict *find(struct transfer_set *set, const uint8_t *chain)
{
	for (size_t i = 0; i < TRANSFER_VERDICTS_MAX; i++)
		if (set->verdicts[i].until_ms > 0 && memcmp(set->verdicts[i].chain, chain, DIGEST_SHA256_BYTES) == 0)
			return &set->verdicts[i];
	return NULL;
}

static bool is_awaited(const struct transfer_verdict *verdict, const struct transfer *by)
{
	while (by && by->awaited != verdict)
		by = by->next;
	return by != NULL;
}

/* That of the least use: a question is under way until INT64_MAX.  NULL: each is awaited. */
static struct transfer_verdict *place_for(struct transfer_set *set)
{
	struct transfer_verdict *place = NULL;

	for (size_t i = 0; i < TRANSFER_VERDICTS_MAX; i++)
		if ((!place || set->verdicts[i].until_ms < place->until_ms) && !is_awaited(&set->verdicts[i], set->active))
			place = &set->verdicts[i];
	return place;
}

static void answered(void *context)
{
	transfer_wake(context);
}

static void take_answer(struct transfer_verdict *verdict)
{
	if (!question_answered(verdict->question, &verdict->verdict, &verdict->why))
		return;
	bool said = verdict->verdict == CERTIFICATE_GOOD || verdict->verdict == CERTIFICATE_REVOKED;

	question_free(TAKE(verdict->question));
	verdict->until_ms = clock_mono_ms() + (said ? TRANSFER_VERDICT_AGE_MS : TRANSFER_UNANSWERED_AGE_MS);
}

/* --- between the handshake and the request --- */

static enum result digest_of(const struct buffer *sent, struct text_view roots, uint8_t *to)
{
	struct hash *hash = hash_new(DIGEST_SHA256_BYTES);
	const uint64_t length = sent->length;
	struct fault ignored;

	hash_add(hash, &length, sizeof(length));
	hash_add(hash, sent->bytes, sent->length);
	hash_add(hash, roots.bytes, roots.length);
	return hash_end(hash, to, &ignored);
}

static bool unchecked(struct transfer *transfer, const char *what)
{
	(void)transfer_fail(transfer, RESULT_CERTIFICATE_UNCHECKED, FAULT_FERRY, 0, what);
	return false;
}

static bool obey(struct transfer *transfer, const struct transfer_verdict *verdict)
{
	if (verdict->verdict == CERTIFICATE_GOOD ||
	    (verdict->verdict == CERTIFICATE_UNANSWERED && transfer_asks_after(transfer) == 1))
		return true;
	(void)transfer_fail(
		transfer, verdict->verdict == CERTIFICATE_REVOKED ? RESULT_CERTIFICATE_REVOKED : RESULT_CERTIFICATE_UNCHECKED,
		verdict->why.source, verdict->why.raw, verdict->why.what[0] ? verdict->why.what : SAID_SHORT_OF_IT);
	return false;
}

static bool wait_for(struct transfer *transfer, const struct transfer_verdict *verdict)
{
	transfer->waits++;
	transfer->awaited = verdict;
	return false;
}

static bool judge(struct transfer *transfer, const struct buffer *sent)
{
	struct transfer_set *set = transfer->set;
	struct text_view roots = transfer_authority(transfer);
	uint8_t digest[DIGEST_SHA256_BYTES];

	if (digest_of(sent, roots, digest) != RESULT_OK)
		return unchecked(transfer, SAID_SHORT_OF_IT);
	struct transfer_verdict *verdict = find(set, digest);

	if (verdict && !verdict->question && clock_mono_ms() < verdict->until_ms)
		return obey(transfer, verdict);
	/* A server whose chain is another one at each connection would be asked after for ever. */
	if (transfer->waits >= TRANSFER_WAITS_MAX)
		return unchecked(transfer, "the server has other certificates at each connection");
	if (verdict && verdict->question)
		return wait_for(transfer, verdict);
	if (!verdict)
		verdict = place_for(set);
	if (!verdict)
		return unchecked(transfer, "too many certificates are being asked after");
	forget(verdict);
	verdict->question = revocation_ask(set->limits.revocation, set->limits.identity,
	                                   (struct text_view){ sent->bytes, sent->length }, roots, answered, set);
	if (!verdict->question)
		return unchecked(transfer, SAID_SHORT_OF_IT);
	memcpy(verdict->chain, digest, sizeof(digest));
	verdict->until_ms = INT64_MAX;
	return wait_for(transfer, verdict);
}

/* By both of what curl says of it: neither is to be wrong alone. */
static bool is_in_the_clear(CURL *easy)
{
	const char *scheme = NULL, *url = NULL;

	curl_easy_getinfo(easy, CURLINFO_SCHEME, &scheme);
	curl_easy_getinfo(easy, CURLINFO_EFFECTIVE_URL, &url);
	return scheme && curl_strequal(scheme, "http") && url && curl_strnequal(url, "http:", strlen("http:"));
}

bool transfer_may_request(struct transfer *transfer, void *session)
{
	AUTO(buffer) struct buffer sent = BUFFER(TLS_CERTIFICATES_BYTES_MAX);

	if (!applies(transfer) || is_in_the_clear(transfer->easy))
		return true;
	if (!session || tls_certificates(session, &sent) != RESULT_OK)
		return unchecked(transfer, "the server's certificate cannot be read");
	return judge(transfer, &sent);
}

/* --- waiting for a verdict --- */

bool transfer_waits(struct transfer *transfer)
{
	if (!transfer->awaited || transfer->fault.result != RESULT_OK)
		return false;
	transfer->phase = TRANSFER_CONNECTING; /* which nobody watches */
	return true;
}

void transfer_ask_who_waited(struct transfer_set *set)
{
	set->asks = false;
	for (size_t i = 0; i < TRANSFER_VERDICTS_MAX; i++)
		if (set->verdicts[i].question) {
			take_answer(&set->verdicts[i]);
			set->asks |= set->verdicts[i].question != NULL;
		}
	for (struct transfer *transfer = set->active, *next; transfer; transfer = next) {
		next = transfer->next;
		if (!transfer->awaited || transfer->awaited->question)
			continue;
		transfer->awaited = NULL;
		if (transfer_ask(transfer) != RESULT_OK)
			transfer_end_active(transfer, CURLE_OK);
	}
}
