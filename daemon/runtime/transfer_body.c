#include "runtime/transfer_private.h"

#include <stdlib.h>
#include <string.h>

#include "platform/clock.h"

enum result transfer_flush(struct transfer *transfer)
{
	if (transfer->block_length == 0 || transfer->file_broken)
		return RESULT_OK;
	struct fault fault = { .result = RESULT_OK };
	enum result result = file_write(transfer->file, transfer->written, transfer->block, transfer->block_length, &fault);
	if (result) {
		transfer->file_broken = true;
		return transfer_fail(transfer, result, fault.source, fault.raw, fault.what); /* the handle knows no name */
	}
	transfer->written += transfer->block_length;
	transfer->block_length = 0;
	transfer_parts_written(transfer);
	return RESULT_OK;
}

/* The size of a block: a checkpoint holds several, and a small file gets no more than it needs; nor does one of several
 * requests, each of which has its own. */
static size_t block_size(const struct transfer *transfer, uint64_t received)
{
	uint64_t size = transfer->parts.lead ? SEGMENTS_BYTES_MIN : TRANSFER_BLOCK_BYTES_MAX;
	uint64_t part = transfer->set->limits.checkpoint_bytes / 4;
	if (part < size)
		size = part;
	if (transfer->total != SIZE_UNKNOWN && transfer->total - received < size)
		size = transfer->total - received;
	return (size_t)size;
}

/* Before the first byte is written: a full disk is better known now than after hours. */
static enum result prepare(struct transfer *transfer, uint64_t received)
{
	if (!transfer->reserved && transfer->total != SIZE_UNKNOWN && transfer->total > TRANSFER_RESERVE_BYTES_MIN) {
		enum result result = file_reserve(transfer->file, transfer->total, &transfer->fault);
		if (result) {
			transfer->file_broken = true;
			return result;
		}
	}
	transfer->reserved = true;
	if (!transfer->block) {
		transfer->block_size = block_size(transfer, received);
		transfer->block = malloc(transfer->block_size);
		if (!transfer->block)
			return transfer_fail(transfer, RESULT_NO_MEMORY, FAULT_FERRY, 0, "a block of the body");
	}
	return RESULT_OK;
}

/* Curl brings at most 16 KiB at a time; the file gets blocks, since a write costs as much as copying a hundred KiB. */
static enum result take(struct transfer *transfer, const char *bytes, size_t length)
{
	while (length > 0) {
		if (transfer->block_length == 0)
			transfer->block_since_ms = transfer->heard_ms;
		size_t part = transfer->block_size - transfer->block_length;
		if (part > length)
			part = length;
		memcpy(transfer->block + transfer->block_length, bytes, part);
		transfer->block_length += part;
		bytes += part;
		length -= part;
		if (transfer->block_length == transfer->block_size) {
			enum result result = transfer_flush(transfer);
			if (result)
				return result;
		}
	}
	/* Over a slow line a block takes long to fill: its bytes should neither be lost by a crash nor be missing from
	 * the progress for so long. */
	if (transfer->heard_ms - transfer->block_since_ms >= TRANSFER_BLOCK_AGE_MS)
		return transfer_flush(transfer);
	return RESULT_OK;
}

/* Back pressure.  What a crash can cost is what was taken and not recorded, so no more than a checkpoint is taken: the
 * limit counts our block too.  Behind it wait at most curl's receive buffer (1 MiB) and the socket's, which a server
 * may count as sent and a crash loses as well.  The socket's is left to the system on purpose: a fixed SO_RCVBUF would
 * end its tuning and cap every long fast line at that much per round trip, to save bytes that any broken connection
 * loses too.  At normal speed the engine records at half a checkpoint and nobody ever waits here. */
static bool must_wait(struct transfer *transfer, uint64_t received, size_t length)
{
	const struct transfer *lead = transfer_lead(transfer);
	return lead->held || received + length > transfer_parts_limit(lead);
}

/* By curl's own limit rather than by pausing: what curl is to deliver later it still reads, and keeps in memory. */
void transfer_follow_limit(struct transfer *transfer)
{
	struct throttle *throttle = transfer->set->limits.throttle;
	uint64_t share = throttle != NULL ? throttle_share(throttle, transfer->priority) : RATE_UNLIMITED;

	if (share == transfer->share)
		return;
	transfer->share = share;
	transfer->free_us = 0; /* what was owed at another rate says nothing of when the next byte is due */
	curl_easy_setopt(transfer->easy, CURLOPT_MAX_RECV_SPEED_LARGE, share == RATE_UNLIMITED ? 0 : (curl_off_t)share);
}

static void spend(struct transfer *transfer, size_t length)
{
	if (transfer->set->limits.throttle == NULL)
		return;
	throttle_spend(transfer->set->limits.throttle, transfer->priority, length);
	(void)rate_spend(&transfer->free_us, transfer->share, length, transfer->heard_ms * 1000);
}

size_t transfer_on_body(char *bytes, size_t one, size_t length, void *context)
{
	struct transfer *transfer = context;
	(void)one; /* 1, by curl's word */
	transfer->heard_ms = clock_mono_ms();
	if (transfer->discard || transfer->phase == TRANSFER_CHALLENGED) {
		transfer->discarded += length;
		spend(transfer, length);
		return transfer->discarded <= TRANSFER_DISCARD_BYTES_MAX ? length : CURL_WRITEFUNC_ERROR;
	}
	/* What curl takes for the end of a head is not always one to us ("\rX", or a 101): without a verdict nothing lands. */
	if (transfer->phase != TRANSFER_ANSWERED) {
		(void)transfer_fail(transfer, RESULT_BAD_RESPONSE, FAULT_FERRY, 0, "a body behind a head that has no end");
		return CURL_WRITEFUNC_ERROR;
	}
	uint64_t received = transfer->written + transfer->block_length;
	if (transfer->end != SIZE_UNKNOWN && length > transfer->end - received) {
		(void)transfer_fail(transfer, RESULT_INSUFFICIENT_HTTP, FAULT_FERRY, 0,
		                    "the body is longer than its head said");
		return CURL_WRITEFUNC_ERROR;
	}
	/* Without a length in its head it could go on for ever. */
	struct fault fault;
	if (received + length > transfer->stated && resume_check_size(transfer->stated, received + length, &fault)) {
		(void)transfer_fail(transfer, fault.result, fault.source, fault.raw, fault.what);
		return CURL_WRITEFUNC_ERROR;
	}
	struct transfer_parts *parts = &transfer_lead(transfer)->parts;
	size_t all = length;
	if (received + length > transfer->parts.stop_at) /* the rest comes by other requests: it goes by, and this one ends */
		length = (size_t)(transfer->parts.stop_at - received);
	if ((length < all && !parts->proven) || must_wait(transfer, received, length)) {
		/* Whoever waits for `written` to go on must see all there is. */
		if (transfer_flush(transfer))
			return CURL_WRITEFUNC_ERROR;
		transfer->paused = true;
		return CURL_WRITEFUNC_PAUSE;
	}
	if (prepare(transfer, received) || take(transfer, bytes, length))
		return CURL_WRITEFUNC_ERROR;
	spend(transfer, all);
	parts->came += length;
	if (!parts->on)
		hash_add(transfer->hash, bytes, length);
	return length;
}
