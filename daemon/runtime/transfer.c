#include "runtime/transfer_private.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "platform/clock.h"

/* --- the set --- */

static enum result fault_multi(struct fault *fault, CURLMcode code, const char *what)
{
	enum result result = code == CURLM_OUT_OF_MEMORY ? RESULT_NO_MEMORY : RESULT_SYSTEM;
	return fault_set(fault, result, FAULT_CURL, code, "%s: %s", what, curl_multi_strerror(code));
}

enum result transfer_set_new(const struct transfer_limits *limits, const struct transfer_handler *handler,
                             struct transfer_set **ret_set, struct fault *fault)
{
	assert(limits->checkpoint_bytes >= TRANSFER_CHECKPOINT_BYTES_MIN);
	assert(limits->connections_max > 0 && limits->connections_per_host_max > 0);
	AUTO(transfer_set) struct transfer_set *set = calloc(1, sizeof(*set));
	if (!set)
		return fault_set(fault, RESULT_NO_MEMORY, FAULT_FERRY, 0, "start transfers");
	set->limits = *limits;
	set->look_ms = set->begin_ms = set->parts_ms = INT64_MAX;
	set->handler = *handler;
	(void)transfer_trust_hold(set->limits.trust);
	text_display(set->user_agent, sizeof(set->user_agent), "%s", limits->user_agent ? limits->user_agent : "Ferry");
	set->multi = curl_multi_init();
	if (!set->multi)
		return fault_set(fault, RESULT_NO_MEMORY, FAULT_FERRY, 0, "start transfers");
	/* How many connections stay open for the next file.  How many are in use is begin_waiting's business. */
	CURLMcode code = curl_multi_setopt(set->multi, CURLMOPT_MAXCONNECTS, (long)limits->connections_max);
	if (code != CURLM_OK)
		return fault_multi(fault, code, "start transfers");
	*ret_set = TAKE(set);
	return RESULT_OK;
}

void transfer_free(struct transfer *transfer)
{
	if (!transfer)
		return;
	if (transfer->easy)
		curl_easy_cleanup(transfer->easy);
	transfer_free_headers(transfer);
	if (!transfer->parts.lead)
		transfer_route_free(transfer->route);
	if (transfer->joined)
		throttle_leave(transfer->set->limits.throttle, transfer->priority);
	hash_free(transfer->hash);
	ranges_done(&transfer->ranges);
	free(transfer->block);
	free(transfer->moved);
	if (transfer->text)
		text_wipe(transfer->text, strlen(transfer->text));
	free(transfer->text);
	free(transfer);
}

void transfer_set_free(struct transfer_set *set)
{
	if (!set)
		return;
	transfer_forget_verdicts(set);
	for (struct transfer *transfer = set->active, *next; transfer; transfer = next) {
		next = transfer->next;
		curl_multi_remove_handle(set->multi, transfer->easy);
		transfer_free(transfer);
	}
	for (struct transfer *transfer = set->waiting, *next; transfer; transfer = next) {
		next = transfer->next;
		transfer_free(transfer);
	}
	curl_multi_cleanup(set->multi);
	transfer_trust_free(set->limits.trust);
	free(set);
}

static void append(struct transfer **list, struct transfer *transfer)
{
	while (*list)
		list = &(*list)->next;
	transfer->next = NULL;
	*list = transfer;
}

static void take_out(struct transfer **list, const struct transfer *transfer)
{
	while (*list != transfer)
		list = &(*list)->next;
	*list = transfer->next;
}

static struct transfer *find(struct transfer *list, int64_t row)
{
	while (list && (list->row != row || list->parts.lead))
		list = list->next;
	return list;
}

/* --- beginning --- */

enum result transfer_new(struct transfer_set *set, const char *url, struct transfer **ret_transfer,
                         struct fault *fault)
{
	AUTO(transfer) struct transfer *transfer = calloc(1, sizeof(*transfer));
	size_t size = strlen(url) + 1;
	if (transfer)
		transfer->text = malloc(size);
	if (!transfer || !transfer->text)
		return fault_set(fault, RESULT_NO_MEMORY, FAULT_FERRY, 0, "start a transfer");
	memcpy(transfer->text, url, size);
	enum result result = url_parse(text_view(transfer->text), &transfer->url, fault);
	if (result)
		return result;
	if (transfer->url.share)
		return fault_set(fault, RESULT_NOT_SUPPORTED, FAULT_FERRY, 0, "start a transfer from a share");
	result = transfer_trust_allows(set->limits.trust, &transfer->url, fault);
	if (result)
		return result;
	transfer->set = set;
	transfer->known.etag = transfer->etag;
	transfer->known.modified = transfer->modified;
	transfer->share = RATE_UNLIMITED;
	transfer->stated = transfer->parts.stop_at = SIZE_UNKNOWN;
	*ret_transfer = TAKE(transfer);
	return RESULT_OK;
}

void transfer_join(struct transfer *transfer, enum job_priority priority)
{
	struct throttle *throttle = transfer->set->limits.throttle;
	transfer->priority = priority;
	transfer->joined = throttle != NULL;
	if (transfer->joined)
		throttle_join(throttle, priority);
}

static bool copy_route(struct transfer *transfer, const struct transfer_route *from)
{
	struct transfer_route *route = malloc(sizeof(*route));
	size_t size = from->headers ? strlen(from->headers) + 1 : 0;
	if (!route)
		return false;
	*route = *from;
	route->headers = size > 0 ? malloc(size) : NULL;
	transfer->route = route;
	if (route->headers)
		memcpy(route->headers, from->headers, size);
	return size == 0 || route->headers;
}

enum result transfer_start(struct transfer_set *set, const struct transfer_order *order, struct fault *fault)
{
	assert(!find(set->active, order->file_row) && !find(set->waiting, order->file_row));
	AUTO(transfer) struct transfer *transfer = NULL;
	enum result result = transfer_new(set, order->url, &transfer, fault);
	if (result)
		return result;
	result = text_copy(transfer->etag, sizeof(transfer->etag), text_view(order->known.etag));
	if (!result)
		result = text_copy(transfer->modified, sizeof(transfer->modified), text_view(order->known.modified));
	if (result)
		return fault_set(fault, result, FAULT_FERRY, 0, "start a transfer: a validator is too long");

	transfer->row = order->file_row;
	transfer->file = order->file;
	transfer->trial = order->trial;
	transfer->ends_ms = order->trial ? clock_mono_ms() + TRANSFER_TRIAL_MS : 0;
	transfer->known = order->known;
	transfer->known.etag = transfer->etag;
	transfer->known.modified = transfer->modified;
	if (order->known.condition) {
		transfer->condition = *order->known.condition;
		transfer->known.condition = &transfer->condition;
	}
	if (order->ranges) {
		result = ranges_parse(text_view(order->ranges), &transfer->ranges, fault);
		if (result)
			return result;
		transfer->known.ranges = &transfer->ranges;
	}
	transfer->total = order->known.total;
	if (order->is_size_stated)
		transfer->stated = order->stated;
	transfer->recorded = transfer->written = order->known.offset;
	transfer->first_byte_ms = (int64_t)(order->first_byte_s ? order->first_byte_s : set->limits.stall_timeout_s) * 1000;
	transfer->stall_ms = (int64_t)(order->stall_s ? order->stall_s : set->limits.stall_timeout_s) * 1000;
	transfer->connections_per_host_max =
		order->connections_per_host_max ? order->connections_per_host_max : set->limits.connections_per_host_max;
	transfer->digest = order->digest;
	transfer->hash = order->hash;
	transfer->parts.most = order->ranges ? 0 : order->segments_max;
	if (order->route && !copy_route(transfer, order->route))
		return fault_set(fault, RESULT_NO_MEMORY, FAULT_FERRY, 0, "start a transfer");
	resume_plan(&transfer->known, &transfer->request);
	transfer_join(transfer, order->priority);
	append(&set->waiting, TAKE(transfer));
	set->count++;
	set->may_begin = true;
	return RESULT_OK;
}

static uint32_t ms_between(curl_off_t from_us, curl_off_t to_us)
{
	return to_us > from_us ? (uint32_t)((to_us - from_us + 999) / 1000) : 0;
}

static void measure(CURL *easy, struct transfer_end *end)
{
	curl_off_t looked_up = 0, connected = 0, ready = 0, total = 0;
	long connections = 0, redirects = 0;

	curl_easy_getinfo(easy, CURLINFO_NUM_CONNECTS, &connections);
	curl_easy_getinfo(easy, CURLINFO_REDIRECT_COUNT, &redirects);
	curl_easy_getinfo(easy, CURLINFO_NAMELOOKUP_TIME_T, &looked_up);
	curl_easy_getinfo(easy, CURLINFO_CONNECT_TIME_T, &connected);
	curl_easy_getinfo(easy, CURLINFO_PRETRANSFER_TIME_T, &ready);
	curl_easy_getinfo(easy, CURLINFO_TOTAL_TIME_T, &total);
	if (redirects > 0)
		return; /* some are of another server */
	end->connect_ms = connections > 0 ? ms_between(looked_up, connected) : 0;
	end->fetch_ms = ms_between(ready, total);
}

/* Tell the end.  The transfer is in no list any more and curl does not have it. */
static void finish(struct transfer *transfer)
{
	struct transfer_set *set = transfer->set;
	struct transfer_end end = { .result = transfer->fault.result,
		                        .written = transfer->written,
		                        .retry_after_s = transfer->retry_after_s,
		                        .fault = transfer->fault,
		                        .unchanged = transfer->unchanged && transfer->fault.result == RESULT_OK };
	if (end.unchanged) {
		memcpy(end.etag, transfer->etag, sizeof(end.etag));
		memcpy(end.modified, transfer->modified, sizeof(end.modified));
	}
	int64_t row = transfer->row;
	if (transfer->easy) {
		transfer_end_trace(transfer);
		end.trace = transfer->trace;
		curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &end.http_status);
		measure(transfer->easy, &end);
		end.proxy_failed = transfer->proxy_failed && end.result != RESULT_CANCELLED;
	}
	transfer_free(transfer);
	set->count--;
	set->may_begin = true;
	set->handler.finished(set->handler.context, row, &end);
}

void transfer_leave_active(struct transfer *transfer)
{
	take_out(&transfer->set->active, transfer);
	transfer->set->active_count--;
}

static bool same_host(const struct url *a, const struct url *b)
{
	return a->secure == b->secure && a->port == b->port && text_equal(a->host, b->host);
}

bool transfer_has_room(const struct transfer_set *set, const struct transfer *transfer)
{
	uint32_t count = 0;
	for (const struct transfer *other = set->active; other; other = other->next)
		count += !other->parts.rests && same_host(&other->url, &transfer->url);
	return count < transfer->connections_per_host_max &&
	       set->active_count - transfer->parts.rests < set->limits.connections_max;
}

bool transfer_others_wait(const struct transfer_set *set, const struct transfer *transfer)
{
	const struct transfer *other = set->waiting;
	while (other && !same_host(&other->url, &transfer->url))
		other = other->next;
	return other != NULL;
}

static int64_t shortest_wait(const struct transfer *transfer)
{
	return transfer->first_byte_ms < transfer->stall_ms ? transfer->first_byte_ms : transfer->stall_ms;
}

/* Small files keep to their shares by coming one after the other. */
static bool is_paid_for(struct transfer_set *set, const struct transfer *transfer)
{
	int64_t wait_ms = set->limits.throttle != NULL ? throttle_wait_ms(set->limits.throttle, transfer->priority) : 0;
	int64_t at_ms = clock_mono_ms() + (wait_ms < THROTTLE_LOOK_MS ? wait_ms : THROTTLE_LOOK_MS);

	if (wait_ms > 0 && at_ms < set->begin_ms)
		set->begin_ms = at_ms;
	return wait_ms == 0;
}

/* Limits change, and so does by how many they are shared. */
static void follow_limits(struct transfer_set *set)
{
	if (set->limits.throttle == NULL)
		return;
	int64_t now_ms = clock_mono_ms();
	set->look_ms = INT64_MAX;
	for (struct transfer *transfer = set->active; transfer; transfer = transfer->next) {
		transfer_follow_limit(transfer);
		if (transfer->share != RATE_UNLIMITED)
			set->look_ms = now_ms + THROTTLE_LOOK_MS;
	}
	if (now_ms < set->begin_ms)
		return;
	set->begin_ms = INT64_MAX;
	set->may_begin = true;
}

static void change_priority(struct transfer *transfer, int64_t file_row, enum job_priority priority)
{
	for (; transfer; transfer = transfer->next) {
		if (transfer->row != file_row)
			continue;
		if (transfer->joined) {
			throttle_leave(transfer->set->limits.throttle, transfer->priority);
			throttle_join(transfer->set->limits.throttle, priority);
		}
		transfer->priority = priority;
		transfer->set->may_begin = true;
	}
}

/* Also of those that fetch a part of it. */
void transfer_set_priority(struct transfer_set *set, int64_t file_row, enum job_priority priority)
{
	change_priority(set->active, file_row, priority);
	change_priority(set->waiting, file_row, priority);
}

enum result transfer_activate(struct transfer *transfer)
{
	struct transfer_set *set = transfer->set;
	if (transfer_ask(transfer))
		return transfer->fault.result;
	int64_t check_ms = clock_mono_ms() + shortest_wait(transfer);
	if (set->active_count == 0 || check_ms < set->stall_check_ms)
		set->stall_check_ms = check_ms;
	append(&set->active, transfer);
	set->active_count++;
	return RESULT_OK;
}

/* Who waits for a connection waits here and not inside curl (CURLMOPT_MAX_HOST_CONNECTIONS): there the connect timeout
 * runs meanwhile, and a file behind long ones would fail without ever having been asked for.  A transfer uses one
 * connection at a time, so counting transfers is counting connections; those that a redirect leads to another host
 * still count for the first one. */
static void begin_waiting(struct transfer_set *set)
{
	if (!set->may_begin)
		return;
	set->may_begin = false;
	for (struct transfer *transfer = set->waiting, *next; transfer; transfer = next) {
		next = transfer->next;
		if (set->active_count >= set->limits.connections_max)
			return;
		if (!transfer_has_room(set, transfer) || !is_paid_for(set, transfer))
			continue;
		take_out(&set->waiting, transfer);
		if (transfer_activate(transfer))
			finish(transfer);
	}
}

/* --- going on and stopping --- */

void transfer_recorded(struct transfer_set *set, int64_t file_row, uint64_t recorded)
{
	struct transfer *transfer = find(set->active, file_row);
	if (!transfer)
		return;
	if (transfer->held) {
		if (recorded != 0)
			return; /* speaks of the old bytes */
		transfer->held = false;
	} else if (recorded > transfer->recorded) {
		transfer->recorded = recorded;
	}
	/* Unpausing calls the write callback at once: transfer_work does it. */
	transfer->unpause = transfer->paused;
	set->may_unpause |= transfer->unpause;
}

static enum result check_digest(struct transfer *transfer, struct fault *fault)
{
	struct digest found = { .length = transfer->digest.length };
	if (found.length == 0)
		return RESULT_OK;
	enum result result = hash_end(TAKE(transfer->hash), found.bytes, fault);
	if (!result)
		result = digest_check(&transfer->digest, &found, fault);
	/* Of a file in two pieces it need not be the server's that is wrong: the whole of it will tell. */
	if (result == RESULT_DIGEST_MISMATCH && !transfer->anew && !transfer->parts.used)
		result = fault->result = RESULT_REMOTE_CHANGED;
	return result;
}

/* The end of the body as our rules see it, whatever curl thought. */
static void judge_end(struct transfer *transfer, CURLcode code)
{
	if (transfer->fault.result == RESULT_OK && !transfer_fail_auth(transfer, code) && code != CURLE_OK)
		(void)transfer_fail_curl(transfer, code);
	/* What came is kept; and that the disk does not take it matters more than what the network did. */
	if (transfer_flush(transfer) || transfer->fault.result)
		return;
	if (transfer->phase != TRANSFER_ANSWERED) {
		(void)transfer_fail(transfer, RESULT_BAD_RESPONSE, FAULT_FERRY, 0, "no answer that can be used came");
		return;
	}
	if (transfer->unchanged || transfer->trial)
		return;
	struct fault fault;
	enum result result = resume_finish(transfer->written, transfer->total, &fault);
	if (!result)
		result = resume_check_size(transfer->stated, transfer->written, &fault);
	if (!result)
		result = check_digest(transfer, &fault);
	if (result)
		(void)transfer_fail(transfer, result, fault.source, fault.raw, fault.what);
}

/* Of a file that came in parts it need not be the server's that is wrong: it is fetched once more, in one. */
static bool ask_for_the_whole(struct transfer *transfer)
{
	if (transfer->fault.result != RESULT_DIGEST_MISMATCH || !transfer->parts.used)
		return false;
	transfer->fault = (struct fault){ .result = RESULT_OK };
	transfer->parts = (struct transfer_parts){ .stop_at = SIZE_UNKNOWN };
	transfer->known.offset = transfer->written;
	transfer->request = (struct resume_request){ .validator = "" };
	return transfer_ask(transfer) == RESULT_OK;
}

void transfer_conclude(struct transfer *transfer, CURLcode code)
{
	judge_end(transfer, code);
	if (ask_for_the_whole(transfer))
		return;
	transfer_leave_active(transfer);
	finish(transfer);
}

/* A body that came to its end is not yet all of a file of ranges.  False: it is, or there is no next one to ask for. */
static bool ask_for_the_next(struct transfer *transfer, CURLcode code)
{
	if (!transfer->known.ranges || code != CURLE_OK || transfer->fault.result || transfer->discard ||
	    transfer->phase != TRANSFER_ANSWERED || transfer_flush(transfer))
		return false;
	if (transfer->written != transfer->end || transfer->written == transfer->total)
		return false;
	transfer->known.offset = transfer->written;
	transfer->goes_on = true;
	resume_plan(&transfer->known, &transfer->request);
	return transfer_ask(transfer) == RESULT_OK;
}

void transfer_end_active(struct transfer *transfer, CURLcode code)
{
	curl_multi_remove_handle(transfer->set->multi, transfer->easy);
	if (transfer_waits(transfer) || transfer_parts_ended(transfer) || transfer_follow(transfer) || transfer_ask_by_ntlm(transfer, code))
		return;
	if (transfer->ask_again && transfer->fault.result == RESULT_OK) {
		transfer->asked_again = true;
		transfer->goes_on = false;
		resume_plan_whole(&transfer->known, &transfer->request);
		if (transfer_ask(transfer) == RESULT_OK)
			return;
	}
	if (!ask_for_the_next(transfer, code))
		transfer_conclude(transfer, code);
}

void transfer_stop(struct transfer_set *set, int64_t file_row)
{
	struct transfer *transfer = find(set->waiting, file_row);
	if (transfer) {
		take_out(&set->waiting, transfer);
	} else {
		transfer = find(set->active, file_row);
		if (!transfer)
			return;
		curl_multi_remove_handle(set->multi, transfer->easy);
		transfer_parts_join(transfer);
		transfer_leave_active(transfer);
		/* The one who stops it is not interested in the disk's trouble: `written` is right either way. */
		(void)!transfer_flush(transfer);
	}
	(void)transfer_fail(transfer, RESULT_CANCELLED, FAULT_FERRY, 0, "stopped");
	finish(transfer);
}

size_t transfer_count(const struct transfer_set *set)
{
	return set->count;
}

/* --- work --- */

static void unpause(struct transfer_set *set)
{
	if (!set->may_unpause)
		return;
	set->may_unpause = false;
	for (struct transfer *transfer = set->active, *next; transfer; transfer = next) {
		next = transfer->next;
		if (!transfer->unpause)
			continue;
		transfer->unpause = transfer->paused = false; /* it may be paused again below */
		transfer->heard_ms = clock_mono_ms();
		CURLcode code = curl_easy_pause(transfer->easy, CURLPAUSE_CONT);
		if (code != CURLE_OK)
			transfer_end_active(transfer, code);
	}
}

static void collect(struct transfer_set *set)
{
	const CURLMsg *message;
	int left;
	while ((message = curl_multi_info_read(set->multi, &left)) != NULL) {
		if (message->msg != CURLMSG_DONE)
			continue;
		char *private = NULL;
		CURLcode code = message->data.result; /* the message goes with the handle */
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &private);
		transfer_end_active((struct transfer *)(void *)private, code);
	}
}

/* Our own watch instead of CURLOPT_LOW_SPEED_TIME: that one looks at a mean of five seconds, so it is late, and keeps
 * counting from before a redirect. */
static void end_stalled(struct transfer_set *set)
{
	int64_t now_ms = clock_mono_ms();
	if (set->active_count == 0 || now_ms < set->stall_check_ms)
		return;
	set->stall_check_ms = INT64_MAX;
	for (struct transfer *transfer = set->active, *next; transfer; transfer = next) {
		next = transfer->next;
		/* While it connects curl watches; while it is paused it is we who let the server wait. */
		bool watched = transfer->phase != TRANSFER_CONNECTING && !transfer->paused;
		int64_t heard_ms = transfer->heard_ms * 1000 > transfer->free_us ? transfer->heard_ms : transfer->free_us / 1000;
		int64_t due_ms = watched ? heard_ms + (transfer->heard ? transfer->stall_ms : transfer->first_byte_ms)
		                         : now_ms + shortest_wait(transfer);
		if (due_ms <= now_ms) {
			/* The rest of an answer that was refused is not missed. */
			if (!transfer->discard)
				(void)transfer_fail(transfer, RESULT_STALLED, FAULT_FERRY, 0, "no byte came in time");
			transfer_end_active(transfer, CURLE_OK);
		} else if (due_ms < set->stall_check_ms) {
			set->stall_check_ms = due_ms;
		}
	}
}

static int poll_timeout(const struct transfer_set *set, int64_t timeout_ms)
{
	if (timeout_ms < 0 || timeout_ms > INT_MAX)
		timeout_ms = INT_MAX;
	if (set->may_begin)
		return 0; /* one of those that just began failed at once */
	if (set->active_count > 0) {
		int64_t stall_ms = set->stall_check_ms - clock_mono_ms();
		if (stall_ms < timeout_ms)
			timeout_ms = stall_ms < 0 ? 0 : stall_ms;
	}
	if (set->asks && timeout_ms > TRANSFER_ASKS_LOOK_MS)
		timeout_ms = TRANSFER_ASKS_LOOK_MS;
	int64_t look_ms = set->look_ms < set->begin_ms ? set->look_ms : set->begin_ms;
	if (set->parts_ms < look_ms)
		look_ms = set->parts_ms;
	if (look_ms != INT64_MAX && look_ms - clock_mono_ms() < timeout_ms)
		timeout_ms = look_ms > clock_mono_ms() ? look_ms - clock_mono_ms() : 0;
	return (int)timeout_ms;
}

enum result transfer_work(struct transfer_set *set, int64_t timeout_ms, struct fault *fault)
{
	int running;
	follow_limits(set);
	transfer_ask_who_waited(set);
	begin_waiting(set);
	transfer_parts_tend(set);
	unpause(set);
	CURLMcode code = curl_multi_poll(set->multi, NULL, 0, poll_timeout(set, timeout_ms), NULL);
	if (code == CURLM_OK)
		code = curl_multi_perform(set->multi, &running);
	if (code != CURLM_OK)
		return fault_multi(fault, code, "transfer");
	collect(set);
	end_stalled(set);
	return RESULT_OK;
}

void transfer_wake(struct transfer_set *set)
{
	/* Fails only if the other end already has wake-ups waiting for it. */
	(void)curl_multi_wakeup(set->multi);
}

enum result transfer_global_init(struct fault *fault)
{
	CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);
	if (code != CURLE_OK)
		return fault_set(fault, RESULT_SYSTEM, FAULT_CURL, code, "start libcurl: %s", curl_easy_strerror(code));
	return RESULT_OK;
}

const char *transfer_engine_version(void)
{
	return curl_version();
}
