#include "runtime/share.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/url.h"
#include "platform/clock.h"

#define SHARE_BLOCK_BYTES_MAX (1024u * 1024u)   /* of one read */
#define SHARE_INTERRUPTS_MAX 16
#define SHARE_BLOCK_BYTES_MIN 16384u            /* however slowly they may come */
#define SHARE_RESERVE_BYTES_MIN (1024u * 1024u) /* smaller files are not worth reserving for */

struct share {
	struct share *next;
	int64_t row;
	char url[URL_BYTES_MAX + 1];
	struct file_handle *file, *source; /* `source` is NULL until it was opened and judged */
	struct resume_known known;         /* points to the three below */
	char etag[FILE_ETAG_BYTES_MAX], modified[FILE_MODIFIED_BYTES_MAX];
	struct file_condition condition;
	uint64_t total;  /* of the source */
	uint64_t stated; /* what it must have; SIZE_UNKNOWN: anything */
	struct digest digest;
	struct hash *hash;
	uint64_t recorded, written;
	bool anew;     /* it began at 0, whatever was there */
	bool held;     /* and the store must forget the old bytes first */
	bool reserved;
	enum job_priority priority;
	uint64_t rate;   /* its share of what there is, in bytes a second; RATE_UNLIMITED */
	int64_t free_us; /* of core/rate */
	unsigned interrupts; /* in a row */
	struct fault fault;
};

struct share_set {
	struct transfer_limits limits;
	struct transfer_handler handler;
	struct share *shares; /* whose turn it is comes first */
	char *block;
	size_t block_size;
};

/* --- the set --- */

enum result share_set_new(const struct transfer_limits *limits, const struct transfer_handler *handler,
                          struct share_set **ret_set, struct fault *fault)
{
	assert(limits->checkpoint_bytes >= TRANSFER_CHECKPOINT_BYTES_MIN);
	AUTO(share_set) struct share_set *set = calloc(1, sizeof(*set));
	uint64_t part = limits->checkpoint_bytes / 4;
	if (set) {
		set->limits = *limits;
		set->limits.trust = transfer_trust_hold(limits->trust);
		set->handler = *handler;
		set->block_size = part < SHARE_BLOCK_BYTES_MAX ? (size_t)part : SHARE_BLOCK_BYTES_MAX;
		set->block = malloc(set->block_size);
	}
	if (!set || !set->block)
		return fault_set(fault, RESULT_NO_MEMORY, FAULT_FERRY, 0, "read from shares");
	*ret_set = TAKE(set);
	return RESULT_OK;
}

static void share_free(struct share_set *set, struct share *share)
{
	if (set->limits.throttle)
		throttle_leave(set->limits.throttle, share->priority);
	file_handle_free(share->source);
	hash_free(share->hash);
	free(share);
}

void share_set_free(struct share_set *set)
{
	if (!set)
		return;
	for (struct share *share = set->shares, *next; share; share = next) {
		next = share->next;
		share_free(set, share);
	}
	transfer_trust_free(set->limits.trust);
	free(set->block);
	free(set);
}

static struct share *find(const struct share_set *set, int64_t row)
{
	struct share *share = set->shares;
	while (share && share->row != row)
		share = share->next;
	return share;
}

static void take_out(struct share_set *set, struct share *share)
{
	struct share **place = &set->shares;
	while (*place != share)
		place = &(*place)->next;
	*place = share->next;
}

static void append(struct share_set *set, struct share *share)
{
	struct share **place = &set->shares;
	while (*place)
		place = &(*place)->next;
	*place = share;
	share->next = NULL;
}

enum result share_start(struct share_set *set, const struct transfer_order *order, struct fault *fault)
{
	if (!file_shares)
		return fault_set(fault, RESULT_NOT_SUPPORTED, FAULT_FERRY, 0, "this system has no shares");
	struct share *share = calloc(1, sizeof(*share));
	if (!share)
		return fault_set(fault, RESULT_NO_MEMORY, FAULT_FERRY, 0, "start to copy a file");
	if (text_copy(share->url, sizeof(share->url), text_view(order->url)) != RESULT_OK ||
	    text_copy(share->etag, sizeof(share->etag), text_view(order->known.etag)) != RESULT_OK ||
	    text_copy(share->modified, sizeof(share->modified), text_view(order->known.modified)) != RESULT_OK) {
		free(share);
		return fault_set(fault, RESULT_TOO_LONG, FAULT_FERRY, 0, "start to copy a file: its URL or a validator");
	}
	struct url url;
	enum result result = url_parse(text_view(share->url), &url, fault);
	if (result == RESULT_OK)
		result = transfer_trust_allows(set->limits.trust, &url, fault);
	if (result != RESULT_OK) {
		free(share);
		return result;
	}
	share->row = order->file_row;
	share->file = order->file;
	share->known = order->known;
	share->known.etag = share->etag;
	share->known.modified = share->modified;
	if (order->known.condition) {
		share->condition = *order->known.condition;
		share->known.condition = &share->condition;
	}
	share->total = SIZE_UNKNOWN;
	share->stated = order->is_size_stated ? order->stated : SIZE_UNKNOWN;
	share->digest = order->digest;
	share->hash = order->hash;
	share->recorded = share->written = order->known.offset;
	share->priority = order->priority;
	share->rate = RATE_UNLIMITED;
	if (set->limits.throttle)
		throttle_join(set->limits.throttle, share->priority);
	append(set, share);
	return RESULT_OK;
}

void share_recorded(struct share_set *set, int64_t file_row, uint64_t recorded)
{
	struct share *share = find(set, file_row);
	if (!share || (share->held && recorded != 0))
		return; /* what speaks of the old bytes counts for nothing */
	share->held = false;
	if (recorded > share->recorded)
		share->recorded = recorded;
}

void share_set_priority(struct share_set *set, int64_t file_row, enum job_priority priority)
{
	struct share *share = find(set, file_row);
	if (!share)
		return;
	if (set->limits.throttle) {
		throttle_leave(set->limits.throttle, share->priority);
		throttle_join(set->limits.throttle, priority);
	}
	share->priority = priority;
}

/* --- the end --- */

static void fail(struct share *share, const struct fault *why)
{
	(void)!fault_set(&share->fault, why->result, why->source, why->raw, "%s; fetching %s", why->what, share->url);
}

static void finish(struct share_set *set, struct share *share, bool unchanged)
{
	struct transfer_end end = { .result = share->fault.result, .written = share->written, .fault = share->fault,
		                        .unchanged = unchanged };
	int64_t row = share->row;
	if (unchanged) {
		end.written = 0; /* what is on disk of it, if anything, is of no use any more */
		memcpy(end.etag, share->etag, sizeof(end.etag));
		memcpy(end.modified, share->modified, sizeof(end.modified));
	}
	take_out(set, share);
	share_free(set, share);
	set->handler.finished(set->handler.context, row, &end);
}

void share_stop(struct share_set *set, int64_t file_row)
{
	struct share *share = find(set, file_row);
	struct fault stopped;
	if (!share)
		return;
	(void)!fault_set(&stopped, RESULT_CANCELLED, FAULT_FERRY, 0, "stopped");
	fail(share, &stopped);
	finish(set, share, false);
}

static enum result check_digest(struct share *share, struct fault *why)
{
	struct digest found = { .length = share->digest.length };
	if (found.length == 0)
		return RESULT_OK;
	enum result result = hash_end(TAKE(share->hash), found.bytes, why);
	if (!result)
		result = digest_check(&share->digest, &found, why);
	/* Of a file in two pieces it need not be the server's that is wrong: the whole of it will tell. */
	if (result == RESULT_DIGEST_MISMATCH && !share->anew)
		result = why->result = RESULT_REMOTE_CHANGED;
	return result;
}

/* --- what is there, judged as if it was HTTP's --- */

static void describe(const struct file_shared *about, char etag[FILE_ETAG_BYTES_MAX], char modified[FILE_MODIFIED_BYTES_MAX])
{
	char date[RESUME_DATE_BYTES];
	text_display(etag, FILE_ETAG_BYTES_MAX, "\"%s\"", about->version);
	resume_format_date(about->modified_s, date);
	text_display(modified, FILE_MODIFIED_BYTES_MAX, "%s", date);
}

/* RFC 9110 section 13.2.2: where a tag is stated, the date says nothing. */
static bool is_what_client_has(const struct file_condition *condition, const char *etag, int64_t modified_s)
{
	if (condition->etag[0] != '\0')
		return strcmp(condition->etag, etag) == 0;
	return modified_s <= condition->modified_ms / 1000;
}

/* A share answers as the best of servers would, to whose answers the rules are made: with ranges of the very file that the
 * tag is of, and under a strong tag. */
static enum resume_verdict judge(const struct share *share, const struct file_shared *about, uint64_t *ret_offset,
                                 struct fault *why)
{
	struct resume_answer answer = { .status = 0 };
	enum resume_verdict verdict = RESUME_AGAIN;
	struct resume_request request;
	uint64_t total; /* which is about->bytes */

	describe(about, answer.etag, answer.modified);
	resume_plan(&share->known, &request);
	for (; verdict == RESUME_AGAIN; resume_plan_whole(&share->known, &request)) {
		bool same = request.validator[0] == '\0' || strcmp(request.validator, answer.etag) == 0;
		bool rest = request.offset > 0 && same && request.offset < about->bytes;
		answer.status = rest ? 206 : 200;
		if (request.conditional && is_what_client_has(share->known.condition, answer.etag, about->modified_s))
			answer.status = 304;
		answer.has_content_range = rest;
		answer.range_first = request.offset;
		answer.range_last = about->bytes - 1;
		answer.range_total = about->bytes;
		answer.content_length = rest ? about->bytes - request.offset : about->bytes;
		*ret_offset = rest ? request.offset : 0;
		verdict = resume_judge(&share->known, &request, &answer, &total, why);
	}
	why->source = FAULT_FERRY; /* nobody has seen a status */
	why->raw = 0;
	return verdict;
}

static void begin_body(struct share_set *set, struct share *share, uint64_t offset)
{
	share->written = offset;
	share->anew = offset == 0;
	if (offset == 0 && share->digest.length > 0) {
		hash_free(share->hash);
		share->hash = hash_new(share->digest.length);
	}
	if (offset == 0 && share->known.offset > 0) {
		share->recorded = 0;
		share->held = true;
	}
	set->handler.answered(set->handler.context, share->row, offset, share->total, share->etag, share->modified);
}

/* Somebody is to be stopped: if it is this one, that is read next, and else it is done again.  But a server that cancels
 * whatever it is asked is not asked for ever. */
static bool is_interrupted(struct share *share, enum result *result, struct fault *why)
{
	if (*result != RESULT_CANCELLED)
		share->interrupts = 0;
	else if (++share->interrupts < SHARE_INTERRUPTS_MAX)
		return true;
	else
		*result = fault_set(why, RESULT_CONNECTION_CLOSED, FAULT_FERRY, 0, "its server cancels what it is asked");
	return false;
}

static void open_source(struct share_set *set, struct share *share)
{
	AUTO(file_handle) struct file_handle *source = NULL;
	struct file_shared about = { .bytes = 0 };
	struct fault why = { .result = RESULT_OK };
	uint64_t offset = 0;
	enum resume_verdict verdict = RESUME_REFUSE;
	enum result result = file_shares->open(share->url, &source, &why);

	if (!result)
		result = file_shares->look(source, &about, &why);
	if (is_interrupted(share, &result, &why))
		return;
	if (!result)
		verdict = judge(share, &about, &offset, &why);
	if (verdict != RESUME_REFUSE && resume_check_size(share->stated, about.bytes, &why) != RESULT_OK)
		verdict = RESUME_REFUSE;
	if (verdict == RESUME_REFUSE) {
		fail(share, &why);
		finish(set, share, false);
		return;
	}
	describe(&about, share->etag, share->modified);
	if (verdict == RESUME_UNCHANGED) {
		finish(set, share, true);
		return;
	}
	share->total = about.bytes;
	share->source = TAKE(source);
	begin_body(set, share, offset);
}

/* --- the body --- */

/* All is there.  Nobody could write to the source meanwhile, as far as its server keeps to that: so it is looked at again. */
static void end_body(struct share_set *set, struct share *share)
{
	struct file_shared about;
	char etag[FILE_ETAG_BYTES_MAX], modified[FILE_MODIFIED_BYTES_MAX];
	struct fault why;
	enum result result = file_shares->look(share->source, &about, &why);

	if (is_interrupted(share, &result, &why))
		return;
	if (!result) {
		describe(&about, etag, modified);
		if (strcmp(etag, share->etag) != 0)
			result = fault_set(&why, RESULT_REMOTE_CHANGED, FAULT_FERRY, 0, "it changed while it was copied");
	}
	if (!result)
		result = check_digest(share, &why);
	if (result)
		fail(share, &why);
	finish(set, share, false);
}

static enum result reserve(struct share *share, struct fault *why)
{
	enum result result = RESULT_OK;
	if (!share->reserved && share->total > SHARE_RESERVE_BYTES_MIN)
		result = file_reserve(share->file, share->total, why);
	share->reserved = !result;
	return result;
}

/* As much as may be taken now: what is beyond a checkpoint is not (runtime/transfer has why). */
static size_t next_length(const struct share_set *set, const struct share *share)
{
	uint64_t length = set->block_size, tenth = share->rate / 10; /* of a second: what is read at once comes at once */
	uint64_t left = share->total - share->written;
	uint64_t allowed = share->recorded + set->limits.checkpoint_bytes - share->written;

	if (tenth < length)
		length = tenth > SHARE_BLOCK_BYTES_MIN ? tenth : SHARE_BLOCK_BYTES_MIN;
	length = length < set->block_size ? length : set->block_size;
	length = length < left ? length : left;
	return (size_t)(length < allowed ? length : allowed);
}

static void copy_block(struct share_set *set, struct share *share)
{
	size_t length = next_length(set, share), got = 0;
	struct fault why;
	enum result result = reserve(share, &why);

	if (!result)
		result = file_shares->read(share->source, share->written, set->block, length, &got, &why);
	if (!result && got < length)
		result = fault_set(&why, RESULT_REMOTE_CHANGED, FAULT_FERRY, 0, "it became shorter while it was copied");
	if (!result)
		result = file_write(share->file, share->written, set->block, got, &why);
	if (is_interrupted(share, &result, &why))
		return;
	if (result) {
		fail(share, &why);
		finish(set, share, false);
		return;
	}
	hash_add(share->hash, set->block, got);
	share->written += got;
	if (set->limits.throttle) {
		throttle_spend(set->limits.throttle, share->priority, got);
		(void)rate_spend(&share->free_us, share->rate, got, clock_mono_ms() * 1000);
	}
	set->handler.written(set->handler.context, share->row, share->written);
}

/* --- whose turn it is --- */

/* Until the limits let it go on; they may be others soon. */
static int64_t limited_ms(struct share_set *set, struct share *share)
{
	struct throttle *throttle = set->limits.throttle;
	if (!throttle)
		return 0;
	uint64_t rate = throttle_share(throttle, share->priority);
	if (rate != share->rate) {
		share->rate = rate;
		share->free_us = 0; /* what was owed at another rate says nothing of this one */
	}
	int64_t wait_ms = share->source ? (share->free_us - clock_mono_ms() * 1000 + 999) / 1000
	                                : throttle_wait_ms(throttle, share->priority);
	return wait_ms < 0 ? 0 : wait_ms < THROTTLE_LOOK_MS ? wait_ms : THROTTLE_LOOK_MS;
}

/* Negative: it waits for a word of the store. */
static int64_t wait_ms(struct share_set *set, struct share *share)
{
	if (share->source && share->written == share->total)
		return share->held ? -1 : 0;
	if (share->source && (share->held || next_length(set, share) == 0))
		return -1;
	return limited_ms(set, share);
}

int64_t share_work(struct share_set *set)
{
	int64_t least_ms = -1;

	for (struct share *share = set->shares; share; share = share->next) {
		int64_t ms = wait_ms(set, share);
		if (ms > 0 && (least_ms < 0 || ms < least_ms))
			least_ms = ms;
		if (ms != 0)
			continue;
		take_out(set, share);
		append(set, share); /* the others first, next time */
		if (!share->source)
			open_source(set, share);
		else if (share->written == share->total)
			end_body(set, share);
		else
			copy_block(set, share);
		return 0;
	}
	return least_ms;
}
