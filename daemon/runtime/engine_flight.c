#include "runtime/engine_private.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct active *active_find(struct engine *engine, int64_t row)
{
	for (struct active *active = engine->actives; active != NULL; active = active->next)
		if (active->row == row)
			return active;
	return NULL;
}

uint64_t active_live_bytes(const struct active *active)
{
	uint64_t bytes = 0;

	for (const struct flight *flight = active->flights; flight != NULL; flight = flight->next)
		if (flight->written > flight->file.bytes_recorded)
			bytes += flight->written - flight->file.bytes_recorded;
	return bytes;
}

/* --- small steps that break the turn if the store fails --- */

static bool load_job(struct engine *engine, int64_t row, struct job *job)
{
	struct fault fault;

	if (store_job_by_row(engine->parts.store, row, job, &fault) == RESULT_OK)
		return true;
	engine_break(engine, &fault);
	return false;
}

static bool save_job(struct engine *engine, const struct job *job, enum job_state from)
{
	struct fault fault;

	if (store_job_save(engine->parts.store, job, from, &fault) == RESULT_OK)
		return true;
	engine_break(engine, &fault);
	return false;
}

static bool save_file(struct engine *engine, const struct flight *flight)
{
	struct fault fault;

	if (store_file_save(engine->parts.store, &flight->file, &fault) == RESULT_OK)
		return true;
	engine_break(engine, &fault);
	return false;
}

/* --- flights --- */

static void send_order(struct engine *engine, struct flight *flight, enum order_kind kind, uint64_t bytes)
{
	bool network = kind == ORDER_FETCH || kind == ORDER_RECORDED || kind == ORDER_STOP;
	const struct crew *crew = flight->active->crew;
	struct order *order = calloc(1, sizeof(*order));

	if (order != NULL)
		*order = (struct order){ .kind = kind, .flight = flight->number, .handle = flight->handle,
			                 .bytes = bytes, .file = flight->file };
	engine_send(engine, network ? crew->network : crew->file, order);
}

/* For the orders that consume the handle: it is the worker's once the turn is let out. */
static void send_last_order(struct engine *engine, struct flight *flight, enum order_kind kind, uint64_t bytes)
{
	send_order(engine, flight, kind, bytes);
	if (engine->broken.result == RESULT_OK)
		flight->handle = NULL;
}

static struct flight *flight_start(struct engine *engine, struct active *active, const struct file *file,
                                   enum flight_stage stage)
{
	struct flight *flight = calloc(1, sizeof(*flight));

	if (flight == NULL) {
		struct fault fault;

		(void)!fault_set(&fault, RESULT_NO_MEMORY, FAULT_FERRY, 0, "start a file");
		engine_break(engine, &fault);
		return NULL;
	}
	flight->active = active;
	flight->number = ++engine->flight_number;
	flight->stage = stage;
	flight->file = *file;
	flight->next = active->flights;
	active->flights = flight;
	active->flight_count++;
	engine->flight_count++;
	return flight;
}

static struct flight *flight_find(struct engine *engine, uint64_t number)
{
	for (struct active *active = engine->actives; active != NULL; active = active->next)
		for (struct flight *flight = active->flights; flight != NULL; flight = flight->next)
			if (flight->number == number)
				return flight;
	return NULL;
}

static void flight_remove(struct engine *engine, struct flight *flight)
{
	struct active *active = flight->active;
	struct flight **place = &active->flights;

	while (*place != flight)
		place = &(*place)->next;
	*place = flight->next;
	active->flight_count--;
	engine->flight_count--;
	file_handle_free(flight->handle);
	free(flight);
}

/* The flight is over.  With a failure its job fails, without one the job goes on or winds down. */
static void flight_end(struct engine *engine, struct flight *flight)
{
	struct active *active = flight->active;
	struct fault fault = flight->fault;

	active->changed_numbers = true;
	flight_remove(engine, flight);
	if (fault.result != RESULT_OK && !active->winding)
		active_fail(engine, active, &fault);
	else if (active->winding && active->flights == NULL)
		active_free(engine, active);
}

/* --- a job that runs --- */

void active_free(struct engine *engine, struct active *active)
{
	struct active **place = &engine->actives;

	while (active->flights != NULL)
		flight_remove(engine, active->flights);
	while (*place != active)
		place = &(*place)->next;
	*place = active->next;
	if (active->crew != NULL && --active->crew->jobs == 0)
		active->crew->idle_since_ms = engine_mono(engine);
	free(active);
	engine->schedule_due = true;
}

void active_wind_down(struct engine *engine, struct active *active)
{
	active->winding = true;
	for (struct flight *flight = active->flights; flight != NULL; flight = flight->next) {
		if (flight->stage == FLIGHT_FETCHING && !flight->stop_sent) {
			flight->stop_sent = true;
			send_order(engine, flight, ORDER_STOP, 0);
		}
	}
	if (active->flights == NULL)
		active_free(engine, active);
}

void active_leave_slot(struct engine *engine, const struct active *active, struct job *job)
{
	if (active->work == JOB_WORK_TRANSFER && job_state_is_active(job->state))
		job->active_ms += (uint64_t)(engine_mono(engine) - active->slot_since_ms);
}

static uint32_t random_number(struct engine *engine)
{
	uint32_t number = 0;
	struct fault fault;

	/* Without randomness the delay lacks its jitter, nothing more. */
	if (engine->parts.random(&number, sizeof(number), &fault) != RESULT_OK)
		number = 0;
	return number;
}

static void note_job_failed(struct engine *engine, const struct job *job)
{
	char why[FAULT_WHAT_BYTES_MAX + 160];

	text_display(why, sizeof(why), "%s (%s)", result_sentence(job->error.result), job->error.what);
	EVENTS_NOTE(engine->parts.events, EVENT_JOB_FAILED, job_title(job), job->id, job->owner, why);
}

/* What the failure means for the job; in memory, the caller saves. */
static void job_fail(struct engine *engine, struct job *job, const struct fault *fault)
{
	int64_t now = engine_now(engine);
	enum result verdict = schedule_verdict(job, fault->result, now);
	enum job_state to;

	if (fault->result == RESULT_IDENTITY_LOST) { /* nobody's fault: it waits for its owner */
		if (job_next_state(job->state, JOB_EVENT_OWNER_LEFT, &to))
			(void)!engine_move(engine, job, JOB_EVENT_OWNER_LEFT, NULL);
		return;
	}
	job->error = *fault;
	job->error.result = verdict;
	job->error_count++;
	engine_changed(engine, job->row);
	if (result_class(verdict) == RETRY_LATER) {
		uint32_t delay_s = job->properties.retry_delay_s;

		job->attempts++;
		job->next_try_ms = now + schedule_retry_delay_ms(job->attempts, delay_s, random_number(engine));
		if (job_next_state(job->state, JOB_EVENT_FAILED_LATER, &to))
			(void)!engine_move(engine, job, JOB_EVENT_FAILED_LATER, NULL);
		return;
	}
	/* A complete that a client asked for leaves the job where it was, to be asked for again; one that the job does by
	 * itself has nobody to ask again, so the job must say that it is in error. */
	if (job->work != JOB_WORK_PUBLISH || job->properties.auto_complete)
		if (job_next_state(job->state, JOB_EVENT_FAILED, &to))
			(void)!engine_move(engine, job, JOB_EVENT_FAILED, NULL);
	job->work = JOB_WORK_NONE;
	note_job_failed(engine, job);
}

void active_fail(struct engine *engine, struct active *active, const struct fault *fault)
{
	struct job job;

	if (!load_job(engine, active->row, &job))
		return;

	enum job_state from = job.state;

	active_leave_slot(engine, active, &job);
	job_fail(engine, &job, fault);
	if (save_job(engine, &job, from))
		active_wind_down(engine, active);
}

void active_begin(struct engine *engine, struct job *job, struct identity *identity)
{
	struct active *active = calloc(1, sizeof(*active));
	enum job_state from = job->state;
	struct fault fault = { 0 };
	bool fetches = job->work == JOB_WORK_TRANSFER;

	if (active != NULL)
		active->crew = crew_get(engine, identity, &fault);
	else
		(void)!fault_set(&fault, RESULT_NO_MEMORY, FAULT_FERRY, 0, "start the job");
	if (active == NULL || active->crew == NULL) {
		free(active);
		job_fail(engine, job, &fault);
		(void)!save_job(engine, job, from);
		return;
	}
	active->crew->jobs++;
	active->row = job->row;
	active->work = job->work;
	active->priority = job->properties.priority;
	active->created_ms = job->created_ms;
	active->slot_since_ms = engine_mono(engine);
	active->next = engine->actives;
	engine->actives = active;
	if (!fetches)
		return;
	uint64_t max_ms = (uint64_t)job->properties.max_time_s * 1000;

	active->deadline_ms = active->slot_since_ms + (job->active_ms < max_ms ? (int64_t)(max_ms - job->active_ms) : 0);
	if ((job->state == JOB_TRANSIENT_ERROR && engine_move(engine, job, JOB_EVENT_RETRY, &fault) != RESULT_OK) ||
	    engine_move(engine, job, JOB_EVENT_SLOT, &fault) != RESULT_OK) {
		engine_break(engine, &fault); /* work without a state that allows it: the store is not ours */
		return;
	}
	job->next_try_ms = 0;
	(void)!save_job(engine, job, from);
}

/* --- starting files --- */

/* Nobody must be able to guess the name: whatever bears it is ours (runtime/partfile). */
static bool name_partial(struct engine *engine, struct flight *flight)
{
	uint64_t random[2];
	struct fault fault;

	if (engine->parts.random(random, sizeof(random), &fault) != RESULT_OK ||
	    text_format(flight->file.partial, sizeof(flight->file.partial), ".ferry-%016" PRIx64 "%016" PRIx64 ".part",
	                random[0], random[1]) != RESULT_OK) {
		engine_break(engine, &fault);
		return false;
	}
	return save_file(engine, flight);
}

/* The next file of a kind; false if there is none (or the turn is broken). */
static bool next_file(struct engine *engine, struct active *active, enum file_state state, struct file *file)
{
	struct fault fault;
	enum result result = store_file_next(engine->parts.store, active->row, state, active->next_ordinal, file, &fault);

	if (result == RESULT_OK) {
		active->next_ordinal = file->ordinal + 1;
		return true;
	}
	if (result != RESULT_NOT_FOUND)
		engine_break(engine, &fault);
	return false;
}

static bool next_partial(struct engine *engine, struct active *active, struct file *file)
{
	struct fault fault;
	enum result result =
		store_file_next_partial(engine->parts.store, active->row, active->next_ordinal, file, &fault);

	if (result == RESULT_OK) {
		active->next_ordinal = file->ordinal + 1;
		return true;
	}
	if (result != RESULT_NOT_FOUND)
		engine_break(engine, &fault);
	return false;
}

static bool may_start_file(const struct engine *engine, const struct active *active)
{
	const struct settings *settings = engine->parts.settings;

	return engine->broken.result == RESULT_OK && !active->exhausted &&
	       active->flight_count < settings->transfer_files_active_per_job_max &&
	       engine->flight_count < settings->transfer_files_active_max;
}

static void end_work(struct engine *engine, struct active *active, enum job_event event)
{
	struct job job;

	if (!load_job(engine, active->row, &job))
		return;

	enum job_state from = job.state, to;

	active_leave_slot(engine, active, &job);
	if (job_next_state(job.state, event, &to))
		(void)!engine_move(engine, &job, event, NULL);
	job.work = event == JOB_EVENT_ALL_FETCHED && job.properties.auto_complete ? JOB_WORK_PUBLISH : JOB_WORK_NONE;
	job.attempts = 0;
	job.next_try_ms = 0;
	if (event == JOB_EVENT_ALL_FETCHED || event == JOB_EVENT_COMPLETE)
		job.error = (struct fault){ 0 };
	if (event == JOB_EVENT_COMPLETE) {
		char files[24], bytes[24];

		text_display(files, sizeof(files), "%" PRIu32, job.files_published);
		text_display(bytes, sizeof(bytes), "%" PRIu64, job.bytes_transferred);
		EVENTS_NOTE(engine->parts.events, EVENT_JOB_COMPLETED, job_title(&job), job.id, job.owner, files, bytes);
	}
	if (!save_job(engine, &job, from))
		return;
	if (job.work == JOB_WORK_NONE) {
		active_free(engine, active);
		return;
	}
	active->work = job.work; /* it goes on under the same identity, without a new slot */
	active->next_ordinal = 0;
	active->exhausted = false;
	active_advance(engine, active);
}

static void advance_transfer(struct engine *engine, struct active *active)
{
	while (may_start_file(engine, active)) {
		struct file file;
		struct flight *flight;

		if (!next_file(engine, active, FILE_PENDING, &file)) {
			active->exhausted = true;
			break;
		}
		flight = flight_start(engine, active, &file, FLIGHT_OPENING);
		if (flight != NULL && (file.partial[0] != '\0' || name_partial(engine, flight)))
			send_order(engine, flight, ORDER_OPEN, 0);
	}
	if (active->exhausted && active->flights == NULL && engine->broken.result == RESULT_OK)
		end_work(engine, active, JOB_EVENT_ALL_FETCHED);
}

/* Whole files get their names first; what is left over is removed after them. */
static void advance_publish(struct engine *engine, struct active *active)
{
	bool publishes = active->work == JOB_WORK_PUBLISH;

	while (may_start_file(engine, active)) {
		struct file file;
		struct flight *flight;

		if (publishes && next_file(engine, active, FILE_TRANSFERRED, &file)) {
			flight = flight_start(engine, active, &file, FLIGHT_PUBLISHING);
			if (flight != NULL)
				send_order(engine, flight, ORDER_PUBLISH, 0);
			continue;
		}
		if (publishes && active->flights != NULL)
			return; /* none is removed before each that is whole is in its place */
		if (publishes) {
			publishes = false;
			active->next_ordinal = 0;
		}
		if (!next_partial(engine, active, &file)) {
			active->exhausted = true;
			break;
		}
		flight = flight_start(engine, active, &file, FLIGHT_ABANDONING);
		if (flight != NULL)
			send_order(engine, flight, ORDER_ABANDON, 0);
	}
	if (active->exhausted && active->flights == NULL && engine->broken.result == RESULT_OK)
		end_work(engine, active, active->work == JOB_WORK_PUBLISH ? JOB_EVENT_COMPLETE : JOB_EVENT_CANCEL);
}

void active_advance(struct engine *engine, struct active *active)
{
	if (active->winding || engine->stopping)
		return;
	if (active->work == JOB_WORK_TRANSFER)
		advance_transfer(engine, active);
	else
		advance_publish(engine, active);
}

/* --- reports --- */

void report_discard(struct report *report)
{
	file_handle_free(report->handle);
	free(report);
}

static void note_file(struct engine *engine, enum event_id id, const struct flight *flight, uint64_t bytes,
                      const struct fault *fault)
{
	char url[URL_BYTES_MAX + 1], number[24], why[FAULT_WHAT_BYTES_MAX + 160] = "";
	struct job job;

	if (!load_job(engine, flight->active->row, &job))
		return;
	url_redact(text_view(flight->file.url), url, sizeof(url));
	text_display(number, sizeof(number), "%" PRIu64, bytes);
	if (fault != NULL)
		text_display(why, sizeof(why), "%s (%s)", result_sentence(fault->result), fault->what);

	const char *title = job_title(&job), *path = flight->file.path;
	struct events *events = engine->parts.events;

	if (id == EVENT_FILE_STARTED)
		EVENTS_NOTE(events, EVENT_FILE_STARTED, title, job.id, job.owner, url, path, number);
	else if (id == EVENT_FILE_STOPPED)
		EVENTS_NOTE(events, EVENT_FILE_STOPPED, title, job.id, job.owner, url, number);
	else if (id == EVENT_FILE_FAILED)
		EVENTS_NOTE(events, EVENT_FILE_FAILED, title, job.id, job.owner, url, number, why);
	else if (id == EVENT_FILE_PUBLISHED)
		EVENTS_NOTE(events, EVENT_FILE_PUBLISHED, title, job.id, job.owner, path, number);
	else if (id == EVENT_PUBLISH_FAILED)
		EVENTS_NOTE(events, EVENT_PUBLISH_FAILED, title, job.id, job.owner, path, why);
	else if (id == EVENT_LEFTOVER)
		EVENTS_NOTE(events, EVENT_LEFTOVER, title, job.id, job.owner, flight->file.partial, path, why);
}

/* Bytes were recorded: the job is getting on, whatever happened before. */
static void note_progress(struct engine *engine, struct active *active)
{
	struct job job;
	int64_t now = engine_now(engine);

	active->changed_numbers = true;
	if (!load_job(engine, active->row, &job) ||
	    (job.attempts == 0 && now - job.progress_ms < PROGRESS_GRAIN_MS && now >= job.progress_ms))
		return;
	job.attempts = 0;
	job.progress_ms = now;
	(void)!save_job(engine, &job, job.state);
}

static void on_opened(struct engine *engine, struct flight *flight, struct report *report)
{
	if (report->result != RESULT_OK) {
		flight->fault = report->fault;
		note_file(engine, EVENT_FILE_FAILED, flight, 0, &flight->fault);
		flight_end(engine, flight);
		return;
	}
	flight->handle = TAKE(report->handle);
	memcpy(flight->file.tag, report->tag, sizeof(flight->file.tag));
	flight->file.bytes_recorded = flight->written = report->bytes;
	if (report->bytes == 0)
		flight->file.etag[0] = flight->file.modified[0] = '\0';
	if (!save_file(engine, flight))
		return;
	if (flight->active->winding) {
		flight->stage = FLIGHT_CLOSING;
		send_last_order(engine, flight, ORDER_CLOSE, report->bytes);
		return;
	}
	note_file(engine, EVENT_FILE_STARTED, flight, report->bytes, NULL);
	flight->stage = FLIGHT_FETCHING;
	send_order(engine, flight, ORDER_FETCH, 0);
}

static void on_answered(struct engine *engine, struct flight *flight, const struct report *report)
{
	bool restarted = report->bytes == 0 && flight->file.bytes_recorded > 0;
	struct job job;
	enum job_state to;

	flight->written = report->bytes;
	flight->file.bytes_total = report->bytes_total;
	memcpy(flight->file.etag, report->etag, sizeof(flight->file.etag));
	memcpy(flight->file.modified, report->modified, sizeof(flight->file.modified));
	if (restarted)
		flight->file.bytes_recorded = 0;
	if (!save_file(engine, flight))
		return;
	/* The store must forget the old length before new bytes overwrite the old ones, or a crash in between would let old
	 * and new content be joined: the transfer waits for this. */
	if (restarted)
		send_order(engine, flight, ORDER_RECORDED, 0);
	if (!flight->active->winding && load_job(engine, flight->active->row, &job) && job.state == JOB_CONNECTING &&
	    job_next_state(job.state, JOB_EVENT_CONNECTED, &to)) {
		enum job_state from = job.state;

		(void)!engine_move(engine, &job, JOB_EVENT_CONNECTED, NULL);
		(void)!save_job(engine, &job, from);
	}
}

static void on_written(struct engine *engine, struct flight *flight, uint64_t written)
{
	flight->written = written;
	flight->active->changed_numbers = true;
	/* A sync at half of the promise, so that the other half is there while it runs. */
	if (!flight->syncing && flight->stage == FLIGHT_FETCHING && written > flight->file.bytes_recorded &&
	    written - flight->file.bytes_recorded >= engine->parts.settings->transfer_checkpoint_bytes / 2) {
		flight->syncing = true;
		send_order(engine, flight, ORDER_SYNC, written);
	}
}

static void on_synced(struct engine *engine, struct flight *flight, const struct report *report)
{
	flight->syncing = false;
	if (flight->stage != FLIGHT_FETCHING)
		return; /* a later order's report says more */
	if (report->result != RESULT_OK) {
		flight->fault = report->fault;
		if (!flight->stop_sent)
			send_order(engine, flight, ORDER_STOP, 0);
		flight->stop_sent = true;
		return;
	}
	flight->file.bytes_recorded = report->bytes;
	if (!save_file(engine, flight))
		return;
	send_order(engine, flight, ORDER_RECORDED, report->bytes);
	note_progress(engine, flight->active);
	on_written(engine, flight, flight->written);
}

static void on_fetched(struct engine *engine, struct flight *flight, const struct report *report)
{
	flight->written = report->bytes;
	if (report->result == RESULT_OK) {
		flight->stage = FLIGHT_FINISHING;
		send_last_order(engine, flight, ORDER_FINISH, report->bytes);
		return;
	}
	if (report->result != RESULT_CANCELLED && flight->fault.result == RESULT_OK)
		flight->fault = report->fault;
	if (flight->fault.result != RESULT_OK)
		note_file(engine, EVENT_FILE_FAILED, flight, report->bytes, &flight->fault);
	/* What belongs to another version of the file, or cannot be gone on from, is of no use. */
	if (report->result == RESULT_REMOTE_CHANGED || report->result == RESULT_RESTART)
		flight->written = 0;
	flight->stage = FLIGHT_CLOSING;
	send_last_order(engine, flight, ORDER_CLOSE, flight->written);
}

static void on_closed(struct engine *engine, struct flight *flight, const struct report *report)
{
	bool further = report->bytes > flight->file.bytes_recorded;

	if (report->result == RESULT_OK) {
		flight->file.bytes_recorded = report->bytes;
		if (!save_file(engine, flight))
			return;
		if (further)
			note_progress(engine, flight->active);
	} else if (flight->fault.result == RESULT_OK) {
		flight->fault = report->fault;
	}
	flight_end(engine, flight);
}

static void on_finished(struct engine *engine, struct flight *flight, const struct report *report)
{
	if (report->result != RESULT_OK) {
		flight->fault = report->fault;
		note_file(engine, EVENT_FILE_FAILED, flight, flight->written, &flight->fault);
		flight_end(engine, flight);
		return;
	}
	flight->file.state = FILE_TRANSFERRED;
	flight->file.bytes_recorded = flight->file.bytes_total = flight->written;
	if (!save_file(engine, flight))
		return;
	note_file(engine, EVENT_FILE_STOPPED, flight, flight->written, NULL);
	note_progress(engine, flight->active);
	flight_end(engine, flight);
}

static void on_published(struct engine *engine, struct flight *flight, const struct report *report)
{
	if (report->result == RESULT_OK) {
		flight->file.state = FILE_PUBLISHED;
		flight->file.partial[0] = '\0';
		note_file(engine, EVENT_FILE_PUBLISHED, flight, flight->file.bytes_recorded, NULL);
	} else {
		flight->fault = report->fault;
		note_file(engine, EVENT_PUBLISH_FAILED, flight, 0, &flight->fault);
		if (report->result == RESULT_FILE_CHANGED) { /* what was fetched is lost: a resume fetches it again */
			flight->file.state = FILE_PENDING;
			flight->file.bytes_recorded = 0;
			flight->file.partial[0] = flight->file.tag[0] = '\0';
		}
	}
	if (save_file(engine, flight))
		flight_end(engine, flight);
}

static void on_abandoned(struct engine *engine, struct flight *flight, const struct report *report)
{
	struct job job;

	if (report->result != RESULT_OK) {
		if (!load_job(engine, flight->active->row, &job))
			return;
		if (report->result == RESULT_IDENTITY_LOST ||
		    (result_class(report->result) == RETRY_LATER && job.attempts < SWEEP_ATTEMPTS_MAX)) {
			flight->fault = report->fault;
			flight_end(engine, flight);
			return;
		}
		note_file(engine, EVENT_LEFTOVER, flight, 0, &report->fault);
	}
	flight->file.state = FILE_ABANDONED;
	flight->file.bytes_recorded = 0;
	flight->file.partial[0] = flight->file.tag[0] = '\0';
	if (save_file(engine, flight))
		flight_end(engine, flight);
}

/* The identity could not be put on: its owner is not really present.  The flights are answered one by one. */
static void on_dead(struct engine *engine, const struct report *report)
{
	for (struct crew *crew = engine->crews; crew != NULL; crew = crew->next) {
		if (crew->network != report->worker && crew->file != report->worker)
			continue;
		crew->dead = true;
		EVENTS_NOTE(engine->parts.events, EVENT_WORKER_DEAD, identity_caller(crew->identity)->owner,
		            report->fault.what);
		engine_forget_identity(engine, crew->identity);
		return;
	}
}

static void on_done(struct engine *engine, struct flight *flight, struct report *report)
{
	switch (report->order) {
	case ORDER_OPEN: on_opened(engine, flight, report); break;
	case ORDER_SYNC: on_synced(engine, flight, report); break;
	case ORDER_FETCH: on_fetched(engine, flight, report); break;
	case ORDER_CLOSE: on_closed(engine, flight, report); break;
	case ORDER_FINISH: on_finished(engine, flight, report); break;
	case ORDER_PUBLISH: on_published(engine, flight, report); break;
	case ORDER_ABANDON: on_abandoned(engine, flight, report); break;
	case ORDER_RECORDED:
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
		else if (flight != NULL && report->kind == REPORT_DONE)
			on_done(engine, flight, report);
		else if (flight != NULL && flight->stage == FLIGHT_FETCHING && report->kind == REPORT_ANSWERED)
			on_answered(engine, flight, report);
		else if (flight != NULL && report->kind == REPORT_WRITTEN)
			on_written(engine, flight, report->bytes);
	}
	report_discard(report);
}
