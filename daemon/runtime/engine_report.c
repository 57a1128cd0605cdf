#include "runtime/engine_private.h"

#include <stdlib.h>
#include <string.h>

void report_discard(struct report *report)
{
	file_handle_free(report->handle);
	hash_free(report->hash);
	buffer_done(&report->names);
	free(report);
}

/* Bytes were recorded: the job is getting on, whatever happened before. */
static void note_progress(struct engine *engine, struct active *active)
{
	struct job job;
	int64_t now = engine_now(engine);

	active->changed_numbers = true;
	/* Attempts are counted when it fails, and then it winds down. */
	if (!active->winding && now - active->progress_ms < PROGRESS_GRAIN_MS && now >= active->progress_ms)
		return;
	if (!engine_load_job(engine, active->row, &job))
		return;
	active->progress_ms = job.progress_ms;
	if (job.attempts == 0 && now - job.progress_ms < PROGRESS_GRAIN_MS && now >= job.progress_ms)
		return;
	job.attempts = 0;
	job.progress_ms = active->progress_ms = now;
	(void)!engine_save_job(engine, &job, job.state);
}

/* The partial file is not ours any more: what was fetched is lost, and a resume fetches it again under a new name. */
static void forget_partial(struct flight *flight)
{
	flight->file.state = FILE_PENDING;
	flight->file.bytes_recorded = 0;
	flight->file.partial[0] = flight->file.tag[0] = '\0';
}

/* Likewise; but what is left of it is no job's any more, and what looks for those finds it. */
static void lose_partial(struct engine *engine, struct flight *flight)
{
	struct job job;

	forget_partial(flight);
	if (engine_load_job(engine, flight->active->row, &job))
		engine_sweep_again(engine, &job, flight->file.path);
}

static bool save(struct engine *engine, struct flight *flight, bool waits)
{
	if (!waits)
		return flight_save(engine, flight);
	flight_save_soon(engine, flight);
	return true;
}

/* Nothing of the file is wanted: its partial file goes, and then it ends as not modified. */
static void leave_what_is_there(struct engine *engine, struct flight *flight)
{
	flight->unchanged = true;
	flight->stage = FLIGHT_ABANDONING;
	flight_last_order(engine, flight, ORDER_ABANDON, 0);
}

static void on_opened(struct engine *engine, struct flight *flight, struct report *report)
{
	if (report->result == RESULT_CANCELLED && flight->active->winding) {
		flight_end(engine, flight);
		return;
	}
	if (report->result != RESULT_OK) {
		flight->fault = report->fault;
		engine_note_file(engine, EVENT_FILE_FAILED, flight, 0, &flight->fault);
		if (report->result == RESULT_FILE_CHANGED) {
			lose_partial(engine, flight);
			if (!flight_save(engine, flight))
				return;
		}
		flight_end(engine, flight);
		return;
	}
	if (report->yielded) {
		leave_what_is_there(engine, flight);
		return;
	}
	flight->handle = TAKE(report->handle);
	flight->hash = TAKE(report->hash);
	flight->conditional = report->conditional;
	/* Of a file that nothing is recorded of a crash may take the tag back: what bears its name is ours without it, too. */
	bool waits = flight->file.tag[0] == '\0' && flight->file.bytes_recorded == 0;
	memcpy(flight->file.tag, report->tag, sizeof(flight->file.tag));
	flight->file.bytes_recorded = flight->written = report->bytes;
	if (report->bytes == 0)
		flight->file.etag[0] = flight->file.modified[0] = '\0';
	if (!save(engine, flight, waits))
		return;
	if (flight->active->winding) {
		flight->stage = FLIGHT_CLOSING;
		flight_last_order(engine, flight, ORDER_CLOSE, report->bytes);
		return;
	}
	engine_note_file(engine, EVENT_FILE_STARTED, flight, report->bytes, NULL);
	flight_fetch(engine, flight);
}

/* The active may be gone. */
static void check_size(struct engine *engine, struct active *active)
{
	struct fault fault;
	struct job job;

	if (active->max_bytes > 0 && !active->winding && engine_save_flights(engine) &&
	    engine_load_job(engine, active->row, &job) && job_check_size(&job, active, &fault) != RESULT_OK)
		active_fail(engine, active, &fault);
}

/* What the record says of the server's file is this source's from now on. */
static void take_answer(struct engine *engine, struct flight *flight, const struct report *report)
{
	engine_host_answered(engine, flight);
	flight->answered = true;
	if (flight->file.source != flight->source)
		flight->file.source_failures = 0;
	flight->file.source = flight->source;
	flight->written = report->bytes;
	memcpy(flight->file.etag, report->etag, sizeof(flight->file.etag));
	memcpy(flight->file.modified, report->modified, sizeof(flight->file.modified));
	if (flight->moved) /* told by a URL that is not the file's any more */
		flight->file.etag[0] = flight->file.modified[0] = '\0';
}

static void note_connected(struct engine *engine, struct active *active)
{
	struct job job;
	enum job_state to;

	if (active->connected || active->winding || !engine_load_job(engine, active->row, &job))
		return;
	active->connected = true;
	if (job.state == JOB_CONNECTING && job_next_state(job.state, JOB_EVENT_CONNECTED, &to)) {
		enum job_state from = job.state;

		(void)!engine_move(engine, &job, JOB_EVENT_CONNECTED, NULL);
		(void)!engine_save_job(engine, &job, from);
	}
}

static void on_answered(struct engine *engine, struct flight *flight, const struct report *report)
{
	bool restarted = report->bytes == 0 && (flight->file.bytes_recorded > 0 || flight->answered);

	take_answer(engine, flight, report);
	flight->file.bytes_total = report->bytes_total;
	flight->restarted = restarted;
	if (restarted)
		flight->file.bytes_recorded = 0;
	flight->sync_is_old |= restarted && flight->syncing;
	/* What the answer says is of use with the bytes that are recorded after it, and they will be with it. */
	bool waits = !restarted && flight->file.bytes_recorded == 0;
	if (!save(engine, flight, waits))
		return;
	/* The store must forget the old length before new bytes overwrite the old ones, or a crash in between would let old
	 * and new content be joined: the transfer waits for this. */
	if (restarted)
		flight_order(engine, flight, ORDER_RECORDED, 0);
	note_connected(engine, flight->active);
	check_size(engine, flight->active);
}

/* It has got so far. */
static void set_written(struct engine *engine, struct flight *flight, uint64_t written)
{
	engine->counts.fetched_bytes += written > flight->written ? written - flight->written : 0;
	flight->written = written;
}

static void on_written(struct engine *engine, struct flight *flight, uint64_t written)
{
	set_written(engine, flight, written);
	flight->active->changed_numbers = true;
	/* A sync at half of the promise, so that the other half is there while it runs.  A worker that began later than its crew
	 * may have been given a smaller one. */
	uint64_t crews = flight->active->crews[JOB_SIDE_NETWORK]->checkpoint_bytes;
	uint64_t now = engine->parts.settings->transfer_checkpoint_bytes;

	if (!flight->syncing && flight->stage == FLIGHT_FETCHING && written > flight->file.bytes_recorded &&
	    written - flight->file.bytes_recorded >= (now < crews ? now : crews) / 2) {
		flight->syncing = true;
		flight_order(engine, flight, ORDER_SYNC, written);
	}
	if (flight->file.bytes_total == SIZE_UNKNOWN)
		check_size(engine, flight->active);
}

static void on_synced(struct engine *engine, struct flight *flight, const struct report *report)
{
	bool is_old = flight->sync_is_old;

	flight->syncing = flight->sync_is_old = false;
	if (report->result != RESULT_OK) {
		/* A system may tell of lost bytes only once: the sync at the end would succeed without them. */
		flight->unsynced = true;
		flight->fault = report->fault;
		if (flight->stage == FLIGHT_FETCHING && !flight->stop_sent)
			flight_order(engine, flight, ORDER_STOP, 0);
		flight->stop_sent = true;
		return;
	}
	if (flight->stage != FLIGHT_FETCHING)
		return; /* a later order's report says more */
	bool further = false;
	if (!is_old) {
		flight->file.bytes_recorded = report->bytes;
		further = engine_source_got_on(flight);
		if (!flight_save(engine, flight))
			return;
		flight_order(engine, flight, ORDER_RECORDED, report->bytes);
	}
	if (further)
		note_progress(engine, flight->active);
	on_written(engine, flight, flight->written);
}

static void note_times(const struct flight *flight, const struct report *report)
{
	struct active *active = flight->active;

	if (report->result != RESULT_OK)
		return;
	uint32_t connect_ms = engine_host_connect_ms(active->crews[JOB_SIDE_NETWORK], flight, report->connect_ms);
	if (connect_ms > 0)
		active->connect_ms = connect_ms;
	if (report->fetch_ms > 0)
		active->fetch_ms = active->fetch_ms > 0 ? (3 * active->fetch_ms + report->fetch_ms) / 4 : report->fetch_ms;
}

static void on_fetched(struct engine *engine, struct flight *flight, const struct report *report)
{
	note_times(flight, report);
	if (!engine_note_attempt(engine, flight, report))
		return;
	if (report->result == RESULT_OK && report->unchanged) {
		take_answer(engine, flight, report);
		note_connected(engine, flight->active);
		leave_what_is_there(engine, flight);
		return;
	}
	set_written(engine, flight, report->bytes);
	if (report->result == RESULT_OK && !flight->unsynced) {
		flight_leave_to_disk(engine, flight, FLIGHT_FINISHING);
		flight_last_order(engine, flight, ORDER_FINISH, report->bytes);
		return;
	}
	if (report->result != RESULT_CANCELLED && flight->fault.result == RESULT_OK) {
		flight->fault = report->fault;
		flight->retry_after_s = report->retry_after_s;
		if (report->proxy_failed)
			engine_proxy_failed(engine, flight);
		if (report->http_status != 0 && report->retry_after_s == 0)
			engine_host_answered(engine, flight); /* badly, but it did */
		else
			engine_host_failed(engine, flight, report->result);
	}
	if (flight->fault.result != RESULT_OK)
		engine_note_file(engine, EVENT_FILE_FAILED, flight, report->bytes, &flight->fault);
	/* What belongs to another version of the file, or cannot be gone on from, is of no use; nor is what came from a server
	 * whose answers contradict themselves: a resume must not ask it for the rest of that. */
	bool of_it = flight->answered || flight->source == flight->file.source;
	if (of_it && (report->result == RESULT_REMOTE_CHANGED || report->result == RESULT_RESTART ||
	              report->result == RESULT_INSUFFICIENT_HTTP || report->result == RESULT_INVALID_RANGE))
		flight->written = 0;
	/* What is another file than the one that was meant does not lie about. */
	bool is_wrong = of_it && (report->result == RESULT_SIZE_MISMATCH || report->result == RESULT_DIGEST_MISMATCH);

	flight->stage = is_wrong ? FLIGHT_ABANDONING : FLIGHT_CLOSING;
	flight_last_order(engine, flight, is_wrong ? ORDER_ABANDON : ORDER_CLOSE, flight->written);
}

static void on_closed(struct engine *engine, struct flight *flight, const struct report *report)
{
	if (report->result == RESULT_OK && !flight->unsynced) {
		flight->file.bytes_recorded = report->bytes;
		bool further = engine_source_got_on(flight);
		if (!flight_save(engine, flight))
			return;
		if (further)
			note_progress(engine, flight->active);
	} else if (flight->fault.result == RESULT_OK) {
		flight->fault = report->fault;
	}
	if (!engine_source_try_next(engine, flight))
		flight_end(engine, flight);
}

static void on_finished(struct engine *engine, struct flight *flight, const struct report *report)
{
	if (report->result != RESULT_OK || flight->unsynced) {
		if (!flight->unsynced)
			flight->fault = report->fault;
		engine_note_file(engine, EVENT_FILE_FAILED, flight, flight->written, &flight->fault);
		flight_end(engine, flight);
		return;
	}
	/* What a crash takes back of it is fetched again: no more altogether than it may cost of one file. */
	engine->waiting_bytes += flight->written - flight->file.bytes_recorded;
	bool waits = engine->waiting_bytes <= engine->parts.settings->transfer_checkpoint_bytes / 2;

	flight->file.state = FILE_TRANSFERRED;
	flight->file.bytes_recorded = flight->file.bytes_total = flight->written;
	if (!save(engine, flight, waits))
		return;
	engine_note_file(engine, EVENT_FILE_STOPPED, flight, flight->written, NULL);
	note_progress(engine, flight->active);
	check_size(engine, flight->active);
	flight_end(engine, flight);
}

static void end_unchanged(struct engine *engine, struct flight *flight)
{
	flight->file.state = FILE_NOT_MODIFIED;
	flight->file.bytes_total = 0; /* that are fetched */
	if (!engine_declared_stays(engine, flight) || !flight_save(engine, flight))
		return;
	engine->counts.files_not_modified++;
	engine_note_file(engine, EVENT_FILE_NOT_MODIFIED, flight, 0, NULL);
	note_progress(engine, flight->active);
	flight_end(engine, flight);
}

static void on_published(struct engine *engine, struct flight *flight, const struct report *report)
{
	struct job job;

	if (report->result == RESULT_OK && report->yielded) {
		forget_partial(flight);
		end_unchanged(engine, flight);
		return;
	}
	if (report->result == RESULT_OK) {
		flight->file.state = FILE_PUBLISHED;
		flight->file.partial[0] = '\0';
		engine->counts.files_landed++;
		engine_note_file(engine, EVENT_FILE_PUBLISHED, flight, flight->file.bytes_recorded, NULL);
		if (report->unmarked && engine_load_job(engine, flight->active->row, &job))
			engine_note_unmarked(engine, &job, flight->file.path);
	} else {
		flight->fault = report->fault;
		engine_note_file(engine, EVENT_PUBLISH_FAILED, flight, 0, &flight->fault);
		if (report->result == RESULT_FILE_CHANGED)
			lose_partial(engine, flight);
	}
	/* A file that has its name is known by its tag, and publishing twice is harmless. */
	if (save(engine, flight, report->result == RESULT_OK))
		flight_end(engine, flight);
}

/* Nothing of it is left but what lay at its destination before.  A partial file that cannot be removed now is no job's any
 * more: what looks for those finds it. */
static void on_unchanged(struct engine *engine, struct flight *flight, const struct report *report)
{
	struct job job;
	unsigned told = 0;

	if (report->result != RESULT_OK && engine_load_job(engine, flight->active->row, &job))
		engine_note_leftover(engine, &job, &flight->file, report->fault.what, &told);
	forget_partial(flight);
	end_unchanged(engine, flight);
}

/* What cannot be read for good is not known then, but has its name. */
static void on_read(struct engine *engine, struct flight *flight, const struct report *report)
{
	const struct digest unknown = { .length = 0 };

	flight->looking = false;
	if (result_class(report->result) == RETRY_LATER || report->result == RESULT_IDENTITY_LOST) {
		flight->fault = report->fault;
		flight_end(engine, flight);
	} else if (report->result == RESULT_PATH_NOT_FOUND || /* it got its name before a crash, and was recorded before that */
	           engine_declared_lands(engine, flight, report->bytes, report->result == RESULT_OK ? &report->digest : &unknown)) {
		flight_order(engine, flight, ORDER_PUBLISH, 0);
	}
}

static void on_looked(struct engine *engine, struct flight *flight, const struct report *report)
{
	flight->looked = true;
	if (flight->active->winding)
		flight_end(engine, flight);
	else if (flight->stage == FLIGHT_PUBLISHING)
		on_read(engine, flight, report);
	else if (engine_is_as_declared(&flight->file, report))
		end_unchanged(engine, flight);
	else
		flight_open(engine, flight);
}

static void on_abandoned(struct engine *engine, struct flight *flight, const struct report *report)
{
	struct job job;

	if (flight->unchanged) {
		on_unchanged(engine, flight, report);
		return;
	}
	/* A job that goes on: the file is to be fetched again, should somebody resume it. */
	if (flight->active->work == JOB_WORK_TRANSFER) {
		if (report->result == RESULT_OK)
			forget_partial(flight);
		else
			engine_note_file(engine, EVENT_LEFTOVER, flight, 0, &report->fault);
		flight->file.bytes_recorded = 0;
		if (flight_save(engine, flight) && !engine_source_try_next(engine, flight))
			flight_end(engine, flight);
		return;
	}
	if (report->result != RESULT_OK) {
		if (!engine_load_job(engine, flight->active->row, &job))
			return;
		if (report->result == RESULT_IDENTITY_LOST ||
		    (result_class(report->result) == RETRY_LATER && job.attempts < SWEEP_ATTEMPTS_MAX)) {
			flight->fault = report->fault;
			flight_end(engine, flight);
			return;
		}
		engine_note_file(engine, EVENT_LEFTOVER, flight, 0, &report->fault);
	}
	if (engine_leave_file(engine, &flight->file))
		flight_end(engine, flight);
}

/* The identity could not be put on: its owner is not really present.  The flights are answered one by one. */
static void on_dead(struct engine *engine, const struct report *report)
{
	for (struct crew *crew = engine->crews; crew != NULL; crew = crew->next) {
		unsigned kind = 0;

		while (kind < WORKER_KIND_COUNT && crew->workers[kind] != report->worker)
			kind++;
		if (kind == WORKER_KIND_COUNT)
			continue;
		crew->dead = true;
		EVENTS_NOTE(engine->parts.events, WORKER_DEAD, .identity = identity_caller(crew->identity)->owner,
		            .fault = &report->fault);
		engine_forget_identity(engine, crew->identity);
		return;
	}
}

static void on_done(struct engine *engine, struct flight *flight, struct report *report)
{
	switch (report->order) {
	case ORDER_OPEN: on_opened(engine, flight, report); break;
	case ORDER_LOOK: on_looked(engine, flight, report); break;
	case ORDER_SYNC: on_synced(engine, flight, report); break;
	case ORDER_FETCH: on_fetched(engine, flight, report); break;
	case ORDER_CLOSE: on_closed(engine, flight, report); break;
	case ORDER_FINISH: on_finished(engine, flight, report); break;
	case ORDER_PUBLISH: on_published(engine, flight, report); break;
	case ORDER_ABANDON: on_abandoned(engine, flight, report); break;
	case ORDER_CHECK:
	case ORDER_LIST:
	case ORDER_SWEEP:
	case ORDER_TRY:
	case ORDER_PROXY: break; /* of no flight */
	case ORDER_RECORDED:
	case ORDER_PRIORITY:
	case ORDER_STOP: break; /* never reported */
	}
}

void engine_report(struct letter *letter, void *receiver)
{
	struct engine *engine = receiver;
	struct report *report = (struct report *)letter;
	struct flight *flight = flight_find(engine, report->flight);

	if (engine->broken.result == RESULT_OK) {
		if (report->kind == REPORT_DEAD)
			on_dead(engine, report);
		else if (report->order == ORDER_TRY)
			engine_tried(engine, report);
		else if (report->order == ORDER_LOOK && flight == NULL)
			engine_looked(engine, report);
		else if (report->order == ORDER_PROXY && !engine_proxy_shown(engine, report))
			engine_proxies_answered(engine, report);
		else if (flight == NULL && engine_save_flights(engine)) /* names in a folder are looked for in the store */
			(void)engine_errand_report(engine, report); /* or of a flight that is over */
		else if (flight != NULL && report->kind == REPORT_DONE)
			on_done(engine, flight, report);
		else if (flight != NULL && flight->stage == FLIGHT_FETCHING && report->kind == REPORT_ANSWERED)
			on_answered(engine, flight, report);
		else if (flight != NULL && report->kind == REPORT_WRITTEN)
			on_written(engine, flight, report->bytes);
	}
	report_discard(report);
}
