/* runtime/transfer: certificates that their authority took back.
 *
 * curl would have the system ask inside of the handshake, on the one thread that all transfers of a set have.  So curl does not
 * ask: between the handshake and the request the server's chain is looked up here.  Where no verdict is known the connection
 * is closed before a byte of the request went out, the transfer waits among the active ones without a request, and asks again
 * when the answer is there.  A connection that is used again was judged when it was made.
 */
#include "runtime/transfer_private.h"

#include <string.h>

#define CHAIN_BYTES_MAX (256u * 1024u)
#define SAID_SHORT_OF_IT "the server's certificates could not be asked after"

static bool applies(const struct transfer *transfer)
{
	return transfer->set->limits.revocation && transfer_asks_after(transfer) > 0 &&
	       transfer_ignores(transfer) != TLS_IGNORE_ALL;
}

/* Only Schannel shows the server's certificates of a session that is resumed, too. */
static bool sessions_have_chains(void)
{
	const char *name = curl_version_info(CURLVERSION_NOW)->ssl_version;

	return name && strncmp(name, "Schannel", strlen("Schannel")) == 0;
}

bool transfer_set_revocation(const struct transfer *transfer)
{
	CURL *easy = transfer->easy;

	return !applies(transfer) ||
	       (curl_easy_setopt(easy, CURLOPT_CERTINFO, 1L) == CURLE_OK &&
	        curl_easy_setopt(easy, CURLOPT_MAXLIFETIME_CONN, (long)(TRANSFER_VERDICT_AGE_MS / 1000)) == CURLE_OK &&
	        curl_easy_setopt(easy, CURLOPT_SSL_SESSIONID_CACHE, sessions_have_chains() ? 1L : 0L) == CURLE_OK);
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

/* That of the least use: fewer questions than places can be under way. */
static struct transfer_verdict *place_for(struct transfer_set *set)
{
	struct transfer_verdict *place = NULL;
	_Static_assert(TRANSFER_VERDICTS_MAX > REVOCATION_ASKS_MAX, "one is always free, or has an answer");

	for (size_t i = 0; i < TRANSFER_VERDICTS_MAX; i++)
		if (!set->verdicts[i].question && (!place || set->verdicts[i].until_ms < place->until_ms))
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
	bool said = verdict->verdict != CERTIFICATE_UNANSWERED;

	question_free(TAKE(verdict->question));
	verdict->until_ms = clock_mono_ms() + (said ? TRANSFER_VERDICT_AGE_MS : TRANSFER_UNANSWERED_AGE_MS);
}

/* --- between the handshake and the request --- */

static enum result read_chain(CURL *easy, struct buffer *to)
{
	const struct curl_certinfo *info = NULL;
	enum result result = RESULT_OK;

	if (curl_easy_getinfo(easy, CURLINFO_CERTINFO, &info) != CURLE_OK || !info)
		return RESULT_SYSTEM;
	for (int i = 0; i < info->num_of_certs; i++)
		for (const struct curl_slist *line = info->certinfo[i]; line && result == RESULT_OK; line = line->next)
			if (strncmp(line->data, "Cert:", 5) == 0)
				result = buffer_append(to, line->data + 5, strlen(line->data) - 5);
	return result;
}

static enum result digest_of(const struct buffer *chain, struct text_view roots, uint8_t *to)
{
	struct hash *hash = hash_new(DIGEST_SHA256_BYTES);
	struct fault ignored;

	hash_add(hash, chain->bytes, chain->length);
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
	    (verdict->verdict == CERTIFICATE_UNANSWERED && transfer_asks_after(transfer) == 1)) {
		transfer->waits = 0;
		return true;
	}
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

static bool judge(struct transfer *transfer, const struct buffer *chain)
{
	struct transfer_set *set = transfer->set;
	struct text_view roots = transfer_authority(transfer);
	uint8_t digest[DIGEST_SHA256_BYTES];

	if (digest_of(chain, roots, digest) != RESULT_OK)
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
	forget(verdict);
	verdict->question = revocation_ask(set->limits.revocation, set->limits.identity,
	                                   (struct text_view){ chain->bytes, chain->length }, roots, answered, set);
	if (!verdict->question)
		return unchecked(transfer, "too many certificates are being asked after");
	memcpy(verdict->chain, digest, sizeof(digest));
	verdict->until_ms = INT64_MAX;
	return wait_for(transfer, verdict);
}

bool transfer_may_request(struct transfer *transfer)
{
	AUTO(buffer) struct buffer chain = BUFFER(CHAIN_BYTES_MAX);
	const char *scheme = NULL;
	long connections = 0;

	if (!applies(transfer))
		return true;
	curl_easy_getinfo(transfer->easy, CURLINFO_SCHEME, &scheme);
	curl_easy_getinfo(transfer->easy, CURLINFO_NUM_CONNECTS, &connections);
	if (!scheme || !curl_strequal(scheme, "https"))
		return true;
	if (read_chain(transfer->easy, &chain) != RESULT_OK || (chain.length == 0 && connections > 0))
		return unchecked(transfer, "the server's certificates cannot be read");
	return chain.length == 0 || judge(transfer, &chain);
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
	for (size_t i = 0; i < TRANSFER_VERDICTS_MAX; i++)
		if (set->verdicts[i].question)
			take_answer(&set->verdicts[i]);
	for (struct transfer *transfer = set->active, *next; transfer; transfer = next) {
		next = transfer->next;
		if (!transfer->awaited || transfer->awaited->question)
			continue;
		transfer->awaited = NULL;
		if (transfer_ask(transfer) != RESULT_OK)
			transfer_end_active(transfer, CURLE_OK);
	}
}
