#include "runtime/worker.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "platform/thread.h"
#include "runtime/share.h"

#define SYNCS_TOGETHER_MAX 32

/* A file on its way.  `order` waits to become its DONE report. */
struct fetch {
	struct fetch *next;
	struct order *order;
	uint64_t recorded, written, reported; /* bytes */
	int64_t reported_ms;
	bool unheard; /* a report had no memory: the fetch ends rather than losing it silently */
};

/* An order about an open file, and how it ended. */
struct sync {
	struct order *order;
	enum result result;
	struct fault fault;
};

struct worker {
	enum worker_kind kind;
	struct worker_settings settings;
	struct identity *identity;
	struct report_sink sink;
	struct mailbox *mailbox;
	struct thread *thread;
	struct letter goodbye; /* the last letter; worker_stop posts it */

	/* The thread's own */
	struct transfer_set *set;      /* network workers' only */
	struct share_set *shares;      /* share workers' only */
	struct partfile_folder folder; /* file workers' only: the last order's, until there are no more */
	struct reading *readings;      /* likewise, in order of arrival */
	struct sync *syncs;            /* likewise: orders that wait for the disk together */
	size_t sync_count;
	struct letter *held, **held_end; /* likewise: reports that wait for the folder's sync */
	struct fetch *fetches;
	atomic_bool gives_up; /* proxy workers' only, any thread's: nobody waits for what is asked */
	bool stopping;
	bool unheard;         /* of some fetch */
	struct report *death; /* REPORT_DEAD, made at birth; NULL: it was sent */
	struct fault dead_of; /* RESULT_OK: alive */
};

/* --- reports --- */

static void post(struct worker *worker, struct report *report)
{
	worker->sink.post(worker->sink.context, report);
}

/* The order's own memory becomes its report, so that there is always one. */
_Static_assert(sizeof(struct report) <= sizeof(struct order), "a report must fit into its order's memory");

static struct report *done_report(struct worker *worker, struct order *order, enum result result,
                                  const struct fault *fault)
{
	const enum order_kind kind = order->kind;
	const uint64_t flight = order->flight;
	buffer_done(&order->list);
	hash_free(order->hash);
	transfer_route_free(order->route);
	text_wipe(order->file.url, sizeof(order->file.url)); /* its query */
	struct report *report = (struct report *)(void *)order;
	memset(report, 0, sizeof(*report));
	report->kind = REPORT_DONE;
	report->order = kind;
	report->worker = worker;
	report->flight = flight;
	report->result = result;
	report->bytes_total = SIZE_UNKNOWN;
	if (result)
		report->fault = *fault;
	return report;
}

/* A report in the middle of a fetch; without memory for it the fetch will be ended. */
static struct report *fetch_report(struct worker *worker, struct fetch *fetch, enum report_kind kind)
{
	struct report *report = calloc(1, sizeof(*report));
	if (!report) {
		fetch->unheard = worker->unheard = true;
		return NULL;
	}
	report->kind = kind;
	report->order = ORDER_FETCH;
	report->worker = worker;
	report->flight = fetch->order->flight;
	report->bytes_total = SIZE_UNKNOWN;
	return report;
}

/* --- the network and the share worker: orders --- */

static struct fetch *find_row(const struct worker *worker, int64_t row)
{
	struct fetch *fetch = worker->fetches;
	while (fetch->order->file.row != row)
		fetch = fetch->next;
	return fetch;
}

static struct fetch *find_flight(const struct worker *worker, uint64_t flight)
{
	struct fetch *fetch = worker->fetches;
	while (fetch && fetch->order->flight != flight)
		fetch = fetch->next;
	return fetch;
}

/* For the transfer and, before it, for the hash of what lies before the first byte that it asks for. */
static struct resume_known known_of(const struct file *file, uint64_t offset)
{
	return (struct resume_known){ .offset = offset, .total = file->bytes_total, .etag = file->etag,
		                          .modified = file->modified, .verified = file->digest.length > 0 };
}

static void begin_fetch(struct worker *worker, struct order *order)
{
	struct fault fault;
	const struct file *file = &order->file;
	struct transfer_order transfer = {
		.file_row = file->row,
		.url = file->url,
		.file = order->handle,
		.priority = order->priority,
		.connections_per_host_max = order->connections_per_host_max,
		.segments_max = order->segments_max,
		.first_byte_s = order->first_byte_s,
		.stall_s = order->stall_s,
		.is_size_stated = file->is_size_stated,
		.stated = file->bytes_stated,
		.digest = file->digest,
		.hash = order->hash,
		.ranges = file->ranges > 0 ? order->list.bytes : NULL,
		.known = known_of(file, file->bytes_recorded),
		.route = order->route,
		.trial = order->kind == ORDER_TRY,
	};
	transfer.known.elsewhere = order->elsewhere;
	transfer.known.keep = order->keep;
	transfer.known.condition = order->conditional && file_is_conditional(file) ? &file->condition : NULL;
	struct fetch *fetch = malloc(sizeof(*fetch));
	enum result result = !fetch           ? fault_set(&fault, RESULT_NO_MEMORY, FAULT_FERRY, 0, "begin a transfer")
	                     : worker->shares ? share_start(worker->shares, &transfer, &fault)
	                                      : transfer_start(worker->set, &transfer, &fault);
	if (result) {
		uint64_t written = file->bytes_recorded;
		struct report *report = done_report(worker, order, result, &fault);
		report->bytes = written;
		post(worker, report);
		free(fetch);
		return;
	}
	order->hash = NULL; /* the transfer's */
	transfer_route_free(TAKE(order->route));
	*fetch = (struct fetch){ .next = worker->fetches,
		                     .order = order,
		                     .recorded = file->bytes_recorded,
		                     .written = file->bytes_recorded,
		                     .reported = file->bytes_recorded };
	worker->fetches = fetch;
}

static void stop_fetch(struct worker *worker, const struct fetch *fetch)
{
	if (worker->shares)
		share_stop(worker->shares, fetch->order->file.row);
	else
		transfer_stop(worker->set, fetch->order->file.row);
}

static void tell_recorded(struct worker *worker, const struct fetch *fetch, uint64_t recorded)
{
	if (worker->shares)
		share_recorded(worker->shares, fetch->order->file.row, recorded);
	else
		transfer_recorded(worker->set, fetch->order->file.row, recorded);
}

static void set_priority(struct worker *worker, const struct fetch *fetch, enum job_priority priority)
{
	if (worker->shares)
		share_set_priority(worker->shares, fetch->order->file.row, priority);
	else
		transfer_set_priority(worker->set, fetch->order->file.row, priority);
}

static void network_order(struct worker *worker, struct order *order)
{
	struct fetch *fetch;
	if (order->kind == ORDER_FETCH || order->kind == ORDER_TRY) {
		begin_fetch(worker, order);
		return;
	}
	assert(order->kind == ORDER_RECORDED || order->kind == ORDER_PRIORITY || order->kind == ORDER_STOP);
	/* What speaks of a flight that has ended meanwhile came too late to matter. */
	fetch = find_flight(worker, order->flight);
	if (fetch && order->kind == ORDER_RECORDED) {
		if (order->bytes <= fetch->written)
			fetch->recorded = order->bytes;
		tell_recorded(worker, fetch, order->bytes);
	} else if (fetch && order->kind == ORDER_PRIORITY) {
		set_priority(worker, fetch, order->priority);
	} else if (fetch) {
		stop_fetch(worker, fetch);
	}
	order_free(order);
}

/* --- the same two: what their transfers tell --- */

static void on_answered(void *context, int64_t row, uint64_t offset, uint64_t total, const char *etag,
                        const char *modified)
{
	struct worker *worker = context;
	struct fetch *fetch = find_row(worker, row);
	fetch->written = fetch->reported = offset;
	if (offset < fetch->recorded)
		fetch->recorded = offset;
	fetch->reported_ms = clock_mono_ms();
	struct report *report = fetch_report(worker, fetch, REPORT_ANSWERED);
	if (!report)
		return;
	report->bytes = offset;
	report->bytes_total = total;
	text_display(report->etag, sizeof(report->etag), "%s", etag);
	text_display(report->modified, sizeof(report->modified), "%s", modified);
	post(worker, report);
}

/* Often enough for whoever watches, and always where the engine must act: half a checkpoint beyond what is recorded
 * it has the file synced, and should it miss that, the transfer would come to wait for it. */
static bool is_worth_a_report(const struct worker *worker, const struct fetch *fetch, int64_t now_ms)
{
	const uint64_t half = worker->settings.transfer.checkpoint_bytes / 2;
	if (now_ms - fetch->reported_ms >= WORKER_WRITTEN_INTERVAL_MS)
		return true;
	if (fetch->written - fetch->reported >= half)
		return true;
	return fetch->written - fetch->recorded >= half && fetch->reported - fetch->recorded < half;
}

static void on_written(void *context, int64_t row, uint64_t written)
{
	struct worker *worker = context;
	struct fetch *fetch = find_row(worker, row);
	int64_t now_ms = clock_mono_ms();
	fetch->written = written;
	if (!is_worth_a_report(worker, fetch, now_ms))
		return;
	struct report *report = fetch_report(worker, fetch, REPORT_WRITTEN);
	if (!report)
		return;
	report->bytes = fetch->reported = written;
	fetch->reported_ms = now_ms;
	post(worker, report);
}

static void on_finished(void *context, int64_t row, const struct transfer_end *end)
{
	struct worker *worker = context;
	struct fetch *fetch = find_row(worker, row);
	struct fetch **place = &worker->fetches;
	const struct fault *fault = &end->fault;
	enum result result = end->result;
	struct fault own;
	while (*place != fetch)
		place = &(*place)->next;
	*place = fetch->next;
	if (worker->dead_of.result) {
		fault = &worker->dead_of;
		result = fault->result;
	} else if (fetch->unheard) {
		result = fault_set(&own, RESULT_NO_MEMORY, FAULT_FERRY, 0, "report a transfer");
		fault = &own;
	}
	struct report *report = done_report(worker, fetch->order, result, fault);
	free(fetch);
	report->bytes = end->written;
	report->http_status = end->http_status;
	report->retry_after_s = end->retry_after_s;
	report->connect_ms = end->connect_ms;
	report->proxy_failed = end->proxy_failed;
	report->fetch_ms = end->fetch_ms;
	report->trace = end->trace;
	report->unchanged = end->unchanged;
	memcpy(report->etag, end->etag, sizeof(report->etag));
	memcpy(report->modified, end->modified, sizeof(report->modified));
	post(worker, report);
}

static void stop_fetches(struct worker *worker)
{
	while (worker->fetches)
		stop_fetch(worker, worker->fetches);
}

static void stop_unheard(struct worker *worker)
{
	worker->unheard = false;
	for (struct fetch *fetch = worker->fetches, *next; fetch; fetch = next) {
		next = fetch->next;
		if (fetch->unheard)
			stop_fetch(worker, fetch);
	}
}

/* --- the file worker --- */

static void close_handle(struct order *order)
{
	file_handle_free(TAKE(order->handle));
}

/* What an order's report says besides its result. */
struct answer {
	struct partfile_opened opened;
	struct hash *hash;
	bool conditional;
	uint64_t bytes;
	struct partfile_published published;
	struct buffer names;
	struct digest digest;
};

/* An OPEN or LOOK that is not answered before what is on disk has been read, for its digest: a block at a time, so that
 * other files, and a stop, need not wait for it. */
struct reading {
	struct reading *next;
	struct order *order;
	struct answer answer;
	uint64_t at, end;
};

static bool is_of_an_open_file(const struct order *order)
{
	return order->kind == ORDER_SYNC || order->kind == ORDER_CLOSE || order->kind == ORDER_FINISH;
}

/* Does its report speak of names?  Of a partial file too, before anything is recorded of it. */
static bool speaks_of_names(const struct order *order)
{
	return order->kind == ORDER_PUBLISH || order->kind == ORDER_ABANDON ||
	       (is_of_an_open_file(order) && order->file.bytes_recorded == 0);
}

static struct partfile part_of(struct worker *worker, const struct order *order)
{
	int64_t modified_s;
	return (struct partfile){
		.path = order->file.path,
		.partial = order->file.partial,
		.tag = order->file.tag,
		.bytes_recorded = order->file.bytes_recorded,
		.bytes_total = order->file.bytes_total,
		.modified_s = resume_parse_date(text_view(order->file.modified), &modified_s) ? modified_s : PARTFILE_NOW,
		.zone = order->zone,
		.versions = order->versions,
		.yields = order->yields,
		.forbidden_folders = worker->settings.forbidden_folders,
		.folder = &worker->folder,
	};
}

static enum result do_file_order(struct worker *worker, struct order *order, struct answer *answer, struct fault *fault)
{
	const char *const *forbidden_folders = worker->settings.forbidden_folders;
	const struct partfile part = part_of(worker, order);
	enum result result;
	switch (order->kind) {
	case ORDER_OPEN:
		result = partfile_open(&part, &answer->opened, fault);
		answer->bytes = answer->opened.offset;
		answer->published.yielded = !result && answer->opened.file == NULL;
		answer->conditional = !result && file_is_conditional(&order->file) &&
		                      partfile_has_destination(&part, order->file.is_size_stated ? order->file.bytes_stated
		                                                                                 : SIZE_UNKNOWN);
		return result;
	case ORDER_PUBLISH:
		return partfile_publish(&part, &answer->published, fault);
	case ORDER_LOOK:
		return partfile_open_destination(&part, &answer->opened.file, &answer->bytes, fault);
	case ORDER_CHECK:
		return partfile_check(order->list.bytes, order->list.length, forbidden_folders, &answer->bytes, fault);
	case ORDER_LIST:
		return partfile_list(&part, order->list.bytes, &answer->names, fault);
	case ORDER_SWEEP:
		return partfile_sweep(&part, order->list.bytes, order->list.length, &answer->bytes, fault);
	case ORDER_ABANDON:
		close_handle(order);
		return partfile_abandon(&part, fault);
	case ORDER_SYNC:
	case ORDER_CLOSE:
	case ORDER_FINISH:
	case ORDER_FETCH:
	case ORDER_TRY:
	case ORDER_PROXY:
	case ORDER_RECORDED:
	case ORDER_PRIORITY:
	case ORDER_STOP:
		break;
	}
	assert(false); /* those are for a network worker, or done by do_sync */
	return fault_set(fault, RESULT_NOT_SUPPORTED, FAULT_FERRY, 0, "an order for a network worker");
}

static void post_answer(struct worker *worker, struct order *order, enum result result, struct answer *answer,
                        const struct fault *fault)
{
	bool waits = speaks_of_names(order) && !result;
	struct report *report = done_report(worker, order, result, fault);
	report->bytes = answer->bytes;
	report->handle = answer->opened.file;
	report->hash = answer->hash;
	report->conditional = answer->conditional;
	report->unmarked = answer->published.unmarked;
	report->yielded = answer->published.yielded;
	memcpy(report->tag, answer->opened.tag, sizeof(report->tag));
	report->digest = answer->digest;
	if (result)
		buffer_done(&answer->names);
	report->names = answer->names;
	if (!waits) {
		post(worker, report);
		return;
	}
	report->letter.next = NULL;
	*(worker->held ? worker->held_end : &worker->held) = &report->letter;
	worker->held_end = &report->letter.next;
}

/* One sync of the folder is enough for all that was done in it; and what is reported together is recorded together. */
static void post_held(struct worker *worker)
{
	struct fault fault;
	enum result result = partfile_folder_sync(&worker->folder, &fault);
	for (struct letter *letter = TAKE(worker->held), *next; letter; letter = next) {
		struct report *report = (struct report *)letter;
		next = letter->next;
		if (result) {
			report->result = result;
			report->fault = fault;
		}
		post(worker, report);
	}
}

/* On any thread, and as nobody: the file is open. */
static void do_sync(void *context, size_t index)
{
	struct sync *sync = (struct sync *)context + index;
	struct order *order = sync->order;
	if (order->kind == ORDER_FINISH)
		sync->result = partfile_finish(TAKE(order->handle), order->bytes, &sync->fault);
	else
		sync->result = partfile_sync(order->handle, &sync->fault);
}

static void do_syncs(struct worker *worker)
{
	syncs_run(worker->settings.syncs, worker->sync_count, do_sync, worker->syncs);
	for (size_t i = 0; i < worker->sync_count; i++) {
		struct sync *sync = &worker->syncs[i];
		struct answer answer = { .bytes = sync->order->bytes };
		const struct partfile part = part_of(worker, sync->order);
		if (sync->order->kind == ORDER_CLOSE)
			close_handle(sync->order);
		if (!partfile_folder_is(&worker->folder, part.path))
			post_held(worker);
		if (!sync->result && speaks_of_names(sync->order))
			sync->result = partfile_keep(&part, &sync->fault);
		post_answer(worker, sync->order, sync->result, &answer, &sync->fault);
	}
	worker->sync_count = 0;
}

/* How much is to be read again: as far as the transfer will not fetch it. */
static uint64_t bytes_to_read(const struct file *file, uint64_t offset)
{
	const struct resume_known known = known_of(file, offset);
	struct resume_request request;
	resume_plan(&known, &request);
	return file->digest.length > 0 ? request.offset : 0;
}

/* False: there is nothing to read, or no memory to remember it, in which case the file begins anew. */
static bool begin_reading(struct worker *worker, struct order *order, struct answer *answer)
{
	bool looks = order->kind == ORDER_LOOK;
	uint64_t end = looks ? answer->bytes : bytes_to_read(&order->file, answer->opened.offset);
	struct reading *reading = end > 0 || looks ? malloc(sizeof(*reading)) : NULL, **last = &worker->readings;
	if (!reading) {
		answer->bytes = end > 0 ? 0 : answer->bytes;
		return false;
	}
	*reading = (struct reading){ .order = order, .answer = *answer, .end = end };
	reading->answer.digest.length = order->file.digest.length > 0 ? order->file.digest.length : DIGEST_SHA256_BYTES;
	reading->answer.hash = hash_new(reading->answer.digest.length);
	while (*last)
		last = &(*last)->next;
	*last = reading;
	return true;
}

static void end_reading(struct worker *worker, struct reading **place, enum result result, const struct fault *fault)
{
	struct reading *reading = *place;
	*place = reading->next;
	if (result)
		file_handle_free(TAKE(reading->answer.opened.file));
	if (result || reading->answer.bytes == 0)
		hash_free(TAKE(reading->answer.hash));
	post_answer(worker, reading->order, result, &reading->answer, fault);
	free(reading);
}

static void end_look(struct worker *worker, enum result result, struct fault *fault)
{
	struct answer *answer = &worker->readings->answer;
	file_handle_free(TAKE(answer->opened.file));
	if (!result)
		result = hash_end(TAKE(answer->hash), answer->digest.bytes, fault);
	end_reading(worker, &worker->readings, result, fault);
}

static void read_on(struct worker *worker)
{
	struct reading *reading = worker->readings;
	struct fault fault;
	enum result result = RESULT_OK;
	if (reading->at < reading->end)
		result = partfile_hash(reading->answer.opened.file, reading->answer.hash, &reading->at, reading->end, &fault);
	if (!result && reading->at < reading->end)
		return;
	if (reading->order->kind == ORDER_LOOK) {
		end_look(worker, result, &fault);
		return;
	}
	if (result)
		reading->answer.bytes = 0; /* what cannot be read is of no use: the file begins anew */
	end_reading(worker, &worker->readings, RESULT_OK, &fault);
}

/* Of one flight, or of all if it is 0. */
static void give_up_readings(struct worker *worker, uint64_t flight)
{
	struct fault fault;
	enum result result = fault_set(&fault, RESULT_CANCELLED, FAULT_FERRY, 0, "stopped");
	for (struct reading **place = &worker->readings; *place;)
		if (flight == 0 || (*place)->order->flight == flight)
			end_reading(worker, place, result, &fault);
		else
			place = &(*place)->next;
}

static bool waits_for(const struct worker *worker, const struct file_handle *file)
{
	for (size_t i = 0; i < worker->sync_count; i++)
		if (worker->syncs[i].order->handle == file)
			return true;
	return false;
}

/* Sparse, it may have more than can ever be read. */
static bool is_of_another_size(const struct order *order, const struct answer *answer)
{
	return order->file.is_size_stated && order->file.bytes_stated != answer->bytes;
}

static void file_order(struct worker *worker, struct order *order)
{
	struct fault fault;
	struct answer answer = { .bytes = order->bytes, .names = BUFFER(PARTFILE_NAMES_MAX * FILE_PARTIAL_BYTES_MAX) };
	if (order->kind == ORDER_STOP) {
		give_up_readings(worker, order->flight);
		order_free(order);
		return;
	}
	if (is_of_an_open_file(order)) {
		if (waits_for(worker, order->handle))
			do_syncs(worker); /* what comes last of a file closes it, and nobody else may be at it then */
		worker->syncs[worker->sync_count++].order = order;
		if (worker->sync_count == SYNCS_TOGETHER_MAX)
			do_syncs(worker);
		return;
	}
	if (order->kind == ORDER_ABANDON)
		do_syncs(worker); /* one of them may be of the file that it closes */
	if (!partfile_folder_is(&worker->folder, order->file.path))
		post_held(worker);
	enum result result = do_file_order(worker, order, &answer, &fault);
	bool looks = order->kind == ORDER_LOOK;
	bool reads = !result && (order->kind == ORDER_OPEN || (looks && !is_of_another_size(order, &answer)));
	if (reads && begin_reading(worker, order, &answer))
		return;
	if (looks)
		file_handle_free(TAKE(answer.opened.file));
	if (reads && looks)
		result = fault_set(&fault, RESULT_NO_MEMORY, FAULT_FERRY, 0, "look at a file");
	post_answer(worker, order, result, &answer, &fault);
}

/* --- a proxy worker --- */

static void proxy_order(struct worker *worker, struct order *order)
{
	struct fault fault;
	struct url url;
	struct proxy_answer *answer = malloc(sizeof(*answer));
	struct buffer names = order->list;
	const enum proxy_mode mode = (enum proxy_mode)order->bytes;
	enum result result = answer ? url_parse(text_view(order->file.url), &url, &fault)
	                            : fault_set(&fault, RESULT_NO_MEMORY, FAULT_FERRY, 0, "ask for proxies");
	if (!result)
		result = proxy_ask(worker->identity, mode, &url, &worker->gives_up, answer, &fault);
	names.length_max = names.length + sizeof(*answer);
	if (!result && (buffer_append(&names, answer->list, strlen(answer->list) + 1) ||
	                buffer_append(&names, answer->bypass, strlen(answer->bypass) + 1)))
		result = fault_set(&fault, RESULT_NO_MEMORY, FAULT_FERRY, 0, "ask for proxies");
	order->list = BUFFER(0);
	struct report *report = done_report(worker, order, result, &fault);
	report->names = names;
	report->bytes = result ? PROXY_FROM_NOTHING : (uint64_t)answer->source;
	report->bytes_total = mode;
	if (!result)
		report->fault = answer->missed;
	post(worker, report);
	free(answer);
}

/* --- the thread --- */

/* From here on the worker only answers: what runs ends, and what comes is refused. */
static void die(struct worker *worker, const struct fault *fault)
{
	struct report *death = TAKE(worker->death);
	worker->dead_of = *fault;
	stop_fetches(worker);
	death->kind = REPORT_DEAD;
	death->worker = worker;
	death->result = fault->result;
	death->fault = *fault;
	post(worker, death);
}

static void refuse_order(struct worker *worker, struct order *order)
{
	bool consumes = order->kind == ORDER_CLOSE || order->kind == ORDER_FINISH || order->kind == ORDER_ABANDON;
	if (order->kind == ORDER_RECORDED || order->kind == ORDER_PRIORITY || order->kind == ORDER_STOP) {
		order_free(order); /* never answered themselves */
		return;
	}
	uint64_t bytes = order->kind == ORDER_FETCH ? order->file.bytes_recorded : order->bytes;
	struct buffer names = order->kind == ORDER_PROXY ? order->list : BUFFER(0);
	if (order->kind == ORDER_PROXY)
		order->list = BUFFER(0);
	if (consumes)
		close_handle(order); /* what it promised; closing needs no identity */
	struct report *report = done_report(worker, order, worker->dead_of.result, &worker->dead_of);
	report->bytes = report->bytes_total = bytes;
	report->names = names;
	post(worker, report);
}

static void read_letters(struct worker *worker)
{
	for (struct letter *letter = mailbox_take_all(worker->mailbox), *next; letter; letter = next) {
		next = letter->next;
		if (letter == &worker->goodbye)
			worker->stopping = true;
		else if (worker->dead_of.result)
			refuse_order(worker, (struct order *)letter);
		else if (worker->kind == WORKER_FILE)
			file_order(worker, (struct order *)letter);
		else if (worker->kind == WORKER_PROXY)
			proxy_order(worker, (struct order *)letter);
		else
			network_order(worker, (struct order *)letter);
	}
	do_syncs(worker);
	post_held(worker);
	/* Never held while the worker sleeps: on Windows nobody could remove the folder, and what is known of it grows old. */
	partfile_folder_drop(&worker->folder);
}

static void run(void *argument)
{
	struct worker *worker = argument;
	struct fault fault;
	if (identity_wear(worker->identity, &fault)) {
		fault.result = RESULT_IDENTITY_LOST;
		die(worker, &fault);
	}
	for (;;) {
		read_letters(worker);
		if (worker->stopping)
			break;
		if (worker->readings)
			read_on(worker);
		else if (!worker->fetches)
			mailbox_wait(worker->mailbox, -1); /* nothing runs: nothing wakes */
		else if (worker->shares)
			mailbox_wait(worker->mailbox, share_work(worker->shares));
		else if (transfer_work(worker->set, -1, &fault))
			die(worker, &fault);
		if (worker->unheard)
			stop_unheard(worker);
	}
	stop_fetches(worker);
	give_up_readings(worker, 0);
	/* Here and not in worker_stop: closing a connection may sign its farewell as the identity. */
	transfer_set_free(TAKE(worker->set));
	share_set_free(TAKE(worker->shares));
}

/* --- the three ways in --- */

static void worker_free(struct worker *worker)
{
	if (!worker)
		return;
	transfer_set_free(worker->set);
	share_set_free(worker->shares);
	mailbox_free(worker->mailbox);
	identity_free(worker->identity);
	free(worker->death);
	free(worker->syncs);
	free(worker);
}
DEFINE_CLEANUP(worker)

static void wake(void *context)
{
	struct worker *worker = context;
	transfer_wake(worker->set);
}

static enum result worker_start(void *context, enum worker_kind kind, struct identity *identity,
                                const struct report_sink *sink, struct worker **ret_worker, struct fault *fault)
{
	const struct worker_settings *settings = context;
	static const char *const names[WORKER_KIND_COUNT] = {
		[WORKER_NETWORK] = "ferry-network", [WORKER_FILE] = "ferry-file", [WORKER_SHARE] = "ferry-share",
		[WORKER_PROXY] = "ferry-proxy"
	};
	AUTO(worker) struct worker *worker = calloc(1, sizeof(*worker));
	if (worker) {
		worker->mailbox = mailbox_new(kind == WORKER_NETWORK ? wake : NULL, worker);
		worker->death = calloc(1, sizeof(*worker->death));
	}
	if (!worker || !worker->mailbox || !worker->death)
		return fault_set(fault, RESULT_NO_MEMORY, FAULT_FERRY, 0, "start a worker");
	worker->kind = kind;
	worker->settings = *settings;
	worker->syncs = kind == WORKER_FILE ? calloc(SYNCS_TOGETHER_MAX, sizeof(*worker->syncs)) : NULL;
	if (kind == WORKER_FILE && !worker->syncs)
		return fault_set(fault, RESULT_NO_MEMORY, FAULT_FERRY, 0, "start a worker");
	worker->sink = *sink;
	worker->identity = identity_hold(identity);
	enum result result = RESULT_OK;
	/* Made here, so that an order may wake it from the first moment on; it is the thread's alone once that runs. */
	const struct transfer_handler handler = {
		.answered = on_answered, .written = on_written, .finished = on_finished, .context = worker
	};
	worker->settings.transfer.identity = identity;
	if (kind == WORKER_NETWORK)
		result = transfer_set_new(&worker->settings.transfer, &handler, &worker->set, fault);
	else if (kind == WORKER_SHARE)
		result = share_set_new(&settings->transfer, &handler, &worker->shares, fault);
	if (!result)
		result = thread_start(names[kind], run, worker, &worker->thread, fault);
	if (!result)
		*ret_worker = TAKE(worker);
	return result;
}

/* A server that says nothing keeps a share worker from its letters, and a script a proxy worker. */
static void interrupt(struct worker *worker, bool to_its_end)
{
	if (worker->kind == WORKER_SHARE && file_shares)
		file_shares->interrupt(worker->thread, to_its_end);
	if (to_its_end)
		atomic_store(&worker->gives_up, true);
}

static void worker_order(struct worker *worker, struct order *order)
{
	bool stops = order->kind == ORDER_STOP; /* once posted, it is the worker's */
	mailbox_post(worker->mailbox, &order->letter);
	if (stops)
		interrupt(worker, false);
}

static void worker_stop(struct worker *worker)
{
	if (!worker)
		return;
	mailbox_post(worker->mailbox, &worker->goodbye);
	interrupt(worker, true);
	thread_join(worker->thread);
	worker_free(worker);
}

struct worker_ops worker_real_ops(const struct worker_settings *settings)
{
	return (struct worker_ops){
		.start = worker_start,
		.order = worker_order,
		.stop = worker_stop,
		.context = (void *)(uintptr_t)settings, /* `start` only reads it */
	};
}
