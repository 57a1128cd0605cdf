/* Several requests for one file.  The first one leads: it was judged by all the rules, its order is the file's, and it
 * goes on from what is whole as the only one again whenever anything about the others is not as it should be.  They are
 * transfers of their own to curl, to the watch for stalls and to whoever counts connections; of what they write no more is
 * told than what is whole from the beginning on.  They stay within a checkpoint of what is recorded, like everything.
 */
#include "runtime/transfer_private.h"

#include <string.h>

#include "platform/clock.h"

#define PARTS_PER_CHECKPOINT 4
#define HASH_BLOCK_BYTES 16384

static uint64_t received(const struct transfer *transfer)
{
	return transfer->written + transfer->block_length;
}

static bool is_of(const struct transfer *transfer, const struct transfer *lead)
{
	return transfer->parts.lead == lead || (transfer == lead && !lead->parts.rests);
}

static uint32_t count_requests(const struct transfer *lead)
{
	uint32_t count = 0;

	for (const struct transfer *transfer = lead->set->active; transfer; transfer = transfer->next)
		count += is_of(transfer, lead);
	return count;
}

static uint64_t answer_ms(const struct transfer *lead)
{
	curl_off_t asked = 0, answered = 0;

	curl_easy_getinfo(lead->easy, CURLINFO_PRETRANSFER_TIME_T, &asked);
	curl_easy_getinfo(lead->easy, CURLINFO_STARTTRANSFER_TIME_T, &answered);
	return answered > asked ? (uint64_t)(answered - asked) / 1000 : 0;
}

static uint32_t most_now(const struct transfer *lead)
{
	uint32_t most = lead->parts.most < lead->connections_per_host_max ? lead->parts.most : lead->connections_per_host_max;

	return most < SEGMENTS_MAX ? most : SEGMENTS_MAX;
}

void transfer_parts_answered(struct transfer *lead, bool takes_ranges)
{
	struct transfer_parts *parts = &lead->parts;

	parts->proven = lead->request.offset > 0 && lead->written > 0;
	parts->allowed = takes_ranges && lead->total != SIZE_UNKNOWN && lead->end == lead->total &&
	                 resume_is_strong_etag(lead->etag);
	segments_begin(&parts->pace, answer_ms(lead), lead->total - lead->written, most_now(lead));
	parts->came = 0;
	parts->looked_ms = clock_mono_ms();
}

/* --- how far the file is whole --- */

/* In order, and so read again from the file; it is in the system's memory still. */
static void hash_whole(struct transfer *lead)
{
	struct transfer_parts *parts = &lead->parts;
	char block[HASH_BLOCK_BYTES];
	struct fault fault;

	while (lead->hash && parts->hashed < parts->whole) {
		uint64_t left = parts->whole - parts->hashed;
		size_t wanted = left < sizeof(block) ? (size_t)left : sizeof(block), length = 0;
		enum result result = file_read(lead->file, parts->hashed, block, wanted, &length, &fault);
		if (!result && length == 0)
			result = fault_set(&fault, RESULT_FILE_CHANGED, FAULT_FERRY, 0, "the partial file became shorter");
		if (result) {
			(void)transfer_fail(lead, result, fault.source, fault.raw, fault.what);
			parts->over = true;
			return;
		}
		hash_add(lead->hash, block, length);
		parts->hashed += length;
	}
}

void transfer_parts_written(struct transfer *transfer)
{
	struct transfer *lead = transfer_lead(transfer);
	struct transfer_set *set = lead->set;
	uint64_t whole = lead->parts.on ? segments_first_gap(&lead->parts.plan) : lead->written;

	for (const struct transfer *other = set->active; lead->parts.on && other; other = other->next)
		if (is_of(other, lead) && other->written < whole)
			whole = other->written;
	if (lead->parts.on) {
		if (whole == lead->parts.whole)
			return;
		lead->parts.whole = whole;
		hash_whole(lead);
	}
	set->handler.written(set->handler.context, lead->row, whole);
}

/* --- the end of a request, and of there being several --- */

static void give_back_rest(struct transfer *lead, const struct transfer *transfer)
{
	uint64_t end = transfer == lead ? lead->parts.stop_at : transfer->request.end;

	if (transfer->written < end)
		segments_give_back(&lead->parts.plan, (struct segment){ transfer->written, end });
}

static void retire(struct transfer *lead, struct transfer *transfer)
{
	give_back_rest(lead, transfer);
	if (transfer != lead) {
		transfer_leave_active(transfer);
		transfer_free(transfer);
		return;
	}
	lead->parts.rests = true;
	lead->paused = lead->unpause = lead->discard = false;
	lead->phase = TRANSFER_CONNECTING; /* nobody watches it */
	lead->block_length = 0;
}

/* That the disk takes no more is the file's end. */
static void flush(struct transfer *lead, struct transfer *transfer)
{
	(void)!transfer_flush(transfer);
	if (!transfer->file_broken)
		return;
	lead->fault = transfer->fault;
	lead->parts.over = true;
}

/* It is over where there is to be one. */
static void allow_fewer(struct transfer *lead, uint32_t most)
{
	struct transfer_parts *parts = &lead->parts;

	if (most < parts->most)
		parts->most = most;
	segments_settle(&parts->pace, most);
	parts->over |= most <= 1;
}

void transfer_parts_proven(struct transfer *lead)
{
	lead->parts.proven = true;
	lead->unpause = lead->paused;
	lead->set->may_unpause |= lead->unpause;
}

bool transfer_parts_ended(struct transfer *transfer)
{
	struct transfer *lead = transfer_lead(transfer);
	struct transfer_parts *parts = &lead->parts;

	if (!parts->on)
		return false;

	uint64_t end = transfer == lead ? parts->stop_at : transfer->request.end;

	if (received(transfer) < end)
		allow_fewer(lead, transfer->discard || !parts->proven ? 1 : count_requests(lead) - 1);
	if (transfer == lead && !lead->file_broken) /* of what ended it the one request that follows has the word */
		lead->fault = (struct fault){ .result = RESULT_OK };
	flush(lead, transfer);
	retire(lead, transfer);
	transfer_parts_written(lead);
	lead->set->may_begin = true; /* transfer_parts_tend looks at it at once */
	return true;
}

void transfer_parts_join(struct transfer *lead)
{
	struct transfer_set *set = lead->set;
	struct transfer_parts *parts = &lead->parts;

	if (!parts->on)
		return;
	for (struct transfer *transfer = set->active, *next; transfer; transfer = next) {
		next = transfer->next;
		if (transfer->parts.lead != lead)
			continue;
		curl_multi_remove_handle(set->multi, transfer->easy);
		flush(lead, transfer);
		retire(lead, transfer);
	}
	if (!parts->rests)
		flush(lead, lead);
	transfer_parts_written(lead);
	lead->written = parts->whole;
	parts->on = parts->over = false;
	parts->stop_at = SIZE_UNKNOWN;
}

/* By the one request that knows all cases; or it is the end. */
static void go_on_alone(struct transfer *lead)
{
	bool goes_on = !lead->parts.rests && !lead->file_broken;

	transfer_parts_join(lead);
	lead->unpause = lead->paused;
	lead->set->may_unpause |= lead->unpause;
	if (goes_on && lead->fault.result == RESULT_OK)
		return;
	curl_multi_remove_handle(lead->set->multi, lead->easy);
	lead->parts.rests = false;
	lead->paused = lead->unpause = false;
	lead->phase = TRANSFER_ANSWERED;
	if (lead->fault.result == RESULT_OK && lead->written < lead->total) {
		lead->known.offset = lead->written;
		resume_plan(&lead->known, &lead->request);
		if (transfer_ask(lead) == RESULT_OK)
			return;
	}
	transfer_conclude(lead, CURLE_OK);
}

/* --- beginning --- */

/* A checkpoint for each request: within one of all, the slowest part would hold up the others. */
uint64_t transfer_parts_limit(const struct transfer *lead)
{
	uint32_t requests = lead->parts.on && lead->parts.pace.wanted > 0 ? lead->parts.pace.wanted : 1;

	return lead->recorded + lead->set->limits.checkpoint_bytes * requests;
}

static void look(struct transfer *lead, int64_t now_ms)
{
	struct transfer_parts *parts = &lead->parts;
	int64_t due_ms = parts->looked_ms + SEGMENTS_LOOK_MS;
	uint64_t at = parts->on ? parts->whole : received(lead);

	if (now_ms >= due_ms) {
		segments_look(&parts->pace, parts->came, (uint64_t)(now_ms - parts->looked_ms), lead->total - at,
		              most_now(lead));
		parts->came = 0;
		parts->looked_ms = now_ms;
		due_ms = now_ms + SEGMENTS_LOOK_MS;
	}
	if (due_ms < lead->set->parts_ms)
		lead->set->parts_ms = due_ms;
}

/* The request that runs keeps the next part, and ends behind it. */
static void divide(struct transfer *lead)
{
	struct transfer_parts *parts = &lead->parts;
	struct segment own;

	parts->plan = (struct segments_plan){ .total = lead->total, .next = received(lead),
		                                  .length = lead->set->limits.checkpoint_bytes / PARTS_PER_CHECKPOINT };
	if (!segments_take(&parts->plan, transfer_parts_limit(lead), parts->pace.wanted, &own))
		return; /* as soon as more is recorded */
	parts->on = parts->used = true;
	parts->whole = lead->written;
	parts->hashed = own.first;
	parts->stop_at = own.end;
}

static enum result begin(struct transfer *lead, struct segment part)
{
	AUTO(transfer) struct transfer *transfer = NULL;
	struct fault ignored;
	enum result result = transfer_new(lead->set, lead->text, &transfer, &ignored);

	if (result)
		return result;
	transfer->parts.lead = lead;
	transfer->route = lead->route;
	transfer->row = lead->row;
	transfer->file = lead->file;
	transfer->reserved = true;
	transfer_join(transfer, lead->priority); /* a limit that appears meanwhile is shared with it, too */
	transfer->first_byte_ms = lead->first_byte_ms;
	transfer->stall_ms = lead->stall_ms;
	transfer->connections_per_host_max = lead->connections_per_host_max;
	transfer->request = (struct resume_request){ .offset = part.first, .end = part.end, .validator = lead->etag };
	transfer->written = part.first;
	transfer->end = transfer->total = part.end;
	result = transfer_activate(transfer);
	if (!result)
		(void)TAKE(transfer);
	return result;
}

/* Where others wait for a connection, or the rate is limited, one is enough. */
static bool is_the_limit(const struct transfer *lead)
{
	return lead->share == RATE_UNLIMITED && !transfer_others_wait(lead->set, lead);
}

static void fill(struct transfer *lead)
{
	struct transfer_parts *parts = &lead->parts;
	uint32_t requests = count_requests(lead);
	struct segment part;

	if (!is_the_limit(lead))
		segments_settle(&parts->pace, 1);

	uint32_t wanted = parts->proven || parts->pace.wanted == 1 ? parts->pace.wanted : 2;

	for (; wanted > 1 && requests < wanted && transfer_has_room(lead->set, lead); requests++) {
		if (!segments_take(&parts->plan, transfer_parts_limit(lead), parts->pace.wanted, &part))
			break;
		if (begin(lead, part)) {
			segments_give_back(&parts->plan, part);
			allow_fewer(lead, 1);
			break;
		}
	}
	/* One is to go on by itself: the lead, which may not have ended its own part yet, or that has nothing and gets no room. */
	bool alone = requests == 0 || (requests == 1 && !parts->rests);
	if (alone && (parts->pace.wanted == 1 || !transfer_has_room(lead->set, lead)))
		parts->over = true;
	if (requests == 0 && segments_all_taken(&parts->plan))
		parts->over = true;
}

static void tend(struct transfer *lead, int64_t now_ms)
{
	struct transfer_parts *parts = &lead->parts;

	bool may = parts->allowed && parts->most > 1 && lead->phase == TRANSFER_ANSWERED && !lead->held && !lead->discard &&
	           is_the_limit(lead);

	if (!parts->on && !may)
		return;
	look(lead, now_ms);
	if (!parts->on && parts->pace.wanted > 1 && transfer_has_room(lead->set, lead))
		divide(lead);
	if (parts->on && !parts->over)
		fill(lead);
	if (parts->over)
		go_on_alone(lead);
}

void transfer_parts_tend(struct transfer_set *set)
{
	int64_t now_ms = clock_mono_ms();

	set->parts_ms = INT64_MAX;
	for (struct transfer *transfer = set->active, *next; transfer; transfer = next) {
		next = transfer->next;
		while (next && next->parts.lead)
			next = next->next; /* may go with its lead */
		if (!transfer->parts.lead)
			tend(transfer, now_ms);
	}
}
