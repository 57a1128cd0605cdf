#include "runtime/engine_private.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/source.h"
#include "core/url.h"

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

enum result job_check_size(const struct job *job, const struct active *active, struct fault *fault)
{
	uint64_t bytes = job->bytes_total, most = job->properties.max_bytes;

	for (const struct flight *flight = active != NULL ? active->flights : NULL; flight != NULL; flight = flight->next)
		if (flight->file.bytes_total == SIZE_UNKNOWN)
			bytes += flight->written;
	if (most == 0 || bytes <= most)
		return RESULT_OK;
	return fault_set(fault, RESULT_MAX_SIZE, FAULT_FERRY, 0,
	                 "at least %" PRIu64 " bytes instead of %" PRIu64 " at most (max_bytes)", bytes, most);
}

bool flight_save(struct engine *engine, struct flight *flight)
{
	struct fault fault;

	flight->unsaved = false;
	if (store_file_save(engine->parts.store, &flight->file, &fault) == RESULT_OK)
		return true;
	engine_break(engine, &fault);
	return false;
}

void flight_save_soon(struct engine *engine, struct flight *flight)
{
	if (!flight->unsaved)
		engine->waiting++;
	flight->unsaved = true;
}

static bool save_unsaved(struct engine *engine, struct flight *flight)
{
	struct fault fault;

	if (!flight->unsaved)
		return true;
	flight->unsaved = false;
	if (store_file_save_soon(engine->parts.store, &flight->file, &fault) == RESULT_OK)
		return true;
	engine_break(engine, &fault);
	return false;
}

bool engine_save_flights(struct engine *engine)
{
	if (engine->waiting == 0)
		return true;
	for (struct active *active = engine->actives; active != NULL; active = active->next) {
		for (struct flight *flight = active->flights; flight != NULL; flight = flight->next)
			if (!save_unsaved(engine, flight))
				return false;
		if (!active_save_attempt(engine, active))
			return false;
	}
	return true;
}

/* --- flights --- */

/* `usual`, or what the settings have for servers that are far away. */
static uint32_t at_once(const struct engine *engine, const struct active *active, uint64_t usual)
{
	return schedule_files_at_once((uint32_t)usual, (uint32_t)engine->parts.settings->transfer_far_connections_per_host_max,
	                              active->connect_ms, active->fetch_ms);
}

/* The texts of what the order has no room for. */
static bool give_ranges(struct engine *engine, const struct flight *flight, struct order *order)
{
	struct fault fault;

	if (flight->file.ranges == 0)
		return true;
	order->list = BUFFER(RANGES_TEXT_BYTES_MAX);
	if (store_ranges(engine->parts.store, flight->file.row, &order->list, &fault) == RESULT_OK)
		return true;
	engine_break(engine, &fault);
	order_free(order);
	return false;
}

void flight_order(struct engine *engine, struct flight *flight, enum order_kind kind, uint64_t bytes)
{
	bool network = kind == ORDER_FETCH || kind == ORDER_RECORDED || kind == ORDER_PRIORITY ||
	               (kind == ORDER_STOP && flight->stage != FLIGHT_OPENING && flight->stage != FLIGHT_PUBLISHING);
	const struct crew *crew = flight->active->crews[network ? JOB_SIDE_NETWORK : JOB_SIDE_FILE];
	struct order *order = calloc(1, sizeof(*order));

	if (kind == ORDER_FETCH) /* engine_source_choose has seen to it that there is one */
		flight->fetcher = url_is_share(text_view(flight->file.url)) ? crew->workers[WORKER_SHARE]
		                                                            : crew_worker(crew, JOB_SIDE_NETWORK);
	if (order != NULL)
		*order = (struct order){ .kind = kind, .flight = flight->number, .handle = flight->handle,
			                 .bytes = bytes, .file = flight->file,
			                 .zone = (unsigned)engine->parts.settings->files_mark_of_the_web_zone };
	/* What is known of another source's file says nothing of this one's. */
	if (order != NULL && flight->source != flight->file.source) {
		order->file.etag[0] = order->file.modified[0] = '\0';
		order->elsewhere = flight->file.bytes_recorded > 0;
		order->keep = source_has_beginning(&flight->file) && !flight->gives_up;
	}
	if (order != NULL)
		order->priority = flight->active->priority;
	if (order != NULL && (kind == ORDER_OPEN || kind == ORDER_PUBLISH))
		engine_name_declared(engine, flight->active, order);
	if (order != NULL && kind == ORDER_FETCH) {
		order->conditional = flight->conditional;
		if (flight->source != 0) /* a tag is of the server that made it; a date is the file's, wherever it is had */
			order->file.condition.etag[0] = '\0';
		order->hash = TAKE(flight->hash);
		order->connections_per_host_max =
			at_once(engine, flight->active, engine->parts.settings->transfer_connections_per_host_max);
		order->segments_max = flight->active->no_segments ? 1 : (uint32_t)engine->parts.settings->transfer_segments_per_file_max;
		if (!give_ranges(engine, flight, order))
			return;
		if (flight_route(engine, flight, &order->route) != RESULT_OK) {
			order_free(order);
			order = NULL;
		}
	}
	if (order != NULL && kind == ORDER_FETCH && flight->active->patience != NULL) {
		order->first_byte_s = flight->active->patience->first_byte_s;
		order->stall_s = flight->active->patience->stall_s;
	}
	engine_send(engine, network ? flight->fetcher : crew_worker(crew, JOB_SIDE_FILE), order);
}

void flight_last_order(struct engine *engine, struct flight *flight, enum order_kind kind, uint64_t bytes)
{
	flight_order(engine, flight, kind, bytes);
	if (engine->broken.result == RESULT_OK)
		flight->handle = NULL;
}

static struct flight *flight_start(struct engine *engine, struct active *active, const struct file *file,
                                   enum flight_stage stage)
{
	struct flight *flight = calloc(1, sizeof(*flight));

	if (flight == NULL) {
		engine_break_for_memory(engine, "start a file");
		return NULL;
	}
	flight->active = active;
	flight->number = ++engine->flight_number;
	flight->stage = stage;
	flight->file = *file;
	flight->source = file->source;
	flight->next = active->flights;
	active->flights = flight;
	active->flight_count++;
	engine->flight_count++;
	return flight;
}

struct flight *flight_find(struct engine *engine, uint64_t number)
{
	for (struct active *active = engine->actives; active != NULL; active = active->next)
		for (struct flight *flight = active->flights; flight != NULL; flight = flight->next)
			if (flight->number == number)
				return flight;
	return NULL;
}

/* From here on it is in nobody's way: others may be fetched meanwhile. */
void flight_leave_to_disk(struct engine *engine, struct flight *flight, enum flight_stage stage)
{
	flight->stage = stage;
	flight->active->on_disk_count++;
	engine->on_disk_count++;
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
	if (flight->stage == FLIGHT_FINISHING || flight->stage == FLIGHT_PUBLISHING) {
		active->on_disk_count--;
		engine->on_disk_count--;
	}
	file_handle_free(flight->handle);
	hash_free(flight->hash);
	text_wipe(flight->file.url, sizeof(flight->file.url));
	text_wipe(flight->file.url, sizeof(flight->file.url)); /* its query */
	free(flight);
}

static void fail_active(struct engine *engine, struct active *active, const struct fault *fault, uint32_t retry_after_s);

void flight_end(struct engine *engine, struct flight *flight)
{
	struct active *active = flight->active;
	struct fault fault = flight->fault;
	uint32_t retry_after_s = flight->retry_after_s;

	if (!save_unsaved(engine, flight))
		return;
	active->changed_numbers = true;
	flight_remove(engine, flight);
	if (active->flights == NULL && !active_save_attempt(engine, active))
		return;
	if (fault.result != RESULT_OK && !active->winding)
		fail_active(engine, active, &fault, retry_after_s);
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
	for (unsigned side = 0; side < JOB_SIDE_COUNT; side++)
		crew_release(engine, active->crews[side]);
	active_wipe_credentials(active);
	free(active->attempt);
	active_wipe_headers(active);
	free(active);
	engine->schedule_due = true;
}

void active_wind_down(struct engine *engine, struct active *active)
{
	active->winding = true;
	for (struct flight *flight = active->flights; flight != NULL; flight = flight->next) {
		bool reads = flight->looking || (flight->stage == FLIGHT_OPENING && flight->file.digest.length > 0);
		if (flight->stage == FLIGHT_ASKING) { /* the answer is nobody's then */
			flight->stage = FLIGHT_CLOSING;
			flight_last_order(engine, flight, ORDER_CLOSE, flight->file.bytes_recorded);
		}
		if ((flight->stage != FLIGHT_FETCHING && !reads) || flight->stop_sent)
			continue;
		flight->stop_sent = true;
		/* Nobody is to be asked any more under an identity that may have gone in this very turn. */
		if (!reads && engine_take_back(engine, flight->number, ORDER_FETCH)) {
			flight->stage = FLIGHT_CLOSING;
			flight_last_order(engine, flight, ORDER_CLOSE, flight->file.bytes_recorded);
		} else {
			flight_order(engine, flight, ORDER_STOP, 0);
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

uint32_t engine_random(struct engine *engine)
{
	uint32_t number = 0;
	struct fault fault;

	/* Without randomness the delay lacks its jitter, nothing more. */
	if (engine->parts.random(&number, sizeof(number), &fault) != RESULT_OK)
		number = 0;
	return number;
}

void job_note_failed(struct engine *engine, const struct job *job)
{
	if (engine_may_tell_job(engine, TELL_ENDS, job))
		EVENTS_NOTE(engine->parts.events, JOB_FAILED, .job = job, .fault = &job->error, .attempt = job->attempts);
}

/* What the failure means for the job; in memory, the caller saves. */
static void job_fail(struct engine *engine, struct job *job, const struct fault *fault, uint32_t retry_after_s)
{
	int64_t now = engine_now(engine);
	enum job_state to;
	/* What a sweep leaves lying is for on_abandoned to say, not for the times within which a job must get on: without work
	 * the job could be forgotten under the flights that it still has. */
	enum result verdict =
		job->work == JOB_WORK_SWEEP ? fault->result : schedule_verdict(job, fault->result, retry_after_s, now);

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
		engine->counts.job_retries[verdict]++;
		uint32_t random = engine_random(engine);
		int64_t delay_ms = schedule_retry_delay_ms(++job->attempts, job->properties.retry_delay_s, random);
		int64_t left_ms = schedule_left_ms(job, now);

		delay_ms = schedule_retry_after_ms(delay_ms, retry_after_s, random);
		job->retry_after_s = retry_after_s;
		/* A sweep has attempts instead. */
		job->next_try_ms = now + (delay_ms < left_ms || job->work == JOB_WORK_SWEEP ? delay_ms : left_ms);
		if (job_next_state(job->state, JOB_EVENT_FAILED_LATER, &to))
			(void)!engine_move(engine, job, JOB_EVENT_FAILED_LATER, NULL);
		engine_note_retry(engine, job);
		return;
	}
	/* A complete that a client asked for leaves the job where it was, to be asked for again; one that the job does by
	 * itself has nobody to ask again, so the job must say that it is in error. */
	if (job->work != JOB_WORK_PUBLISH || job->properties.auto_complete)
		if (job_next_state(job->state, JOB_EVENT_FAILED, &to))
			(void)!engine_move(engine, job, JOB_EVENT_FAILED, NULL);
	job->work = JOB_WORK_NONE;
	engine->counts.job_failures[verdict]++;
	job_note_failed(engine, job);
}

static void fail_active(struct engine *engine, struct active *active, const struct fault *fault, uint32_t retry_after_s)
{
	struct job job;

	if (!engine_load_job(engine, active->row, &job))
		return;

	enum job_state from = job.state;

	active_leave_slot(engine, active, &job);
	job_fail(engine, &job, fault, retry_after_s);
	if (network_explains(fault->result) && active->slot_since_ms <= engine->network_back_ms) {
		/* It began while the network was away, and is told only now. */
		int64_t try_ms = engine_now(engine) + engine_network_delay_ms(engine);

		job.next_try_ms = try_ms < job.next_try_ms ? try_ms : job.next_try_ms;
	}
	if (engine_save_job(engine, &job, from))
		active_wind_down(engine, active);
}

void active_fail(struct engine *engine, struct active *active, const struct fault *fault)
{
	fail_active(engine, active, fault, 0);
}

/* Who serves each side that the work needs, and their workers.  RESULT_IDENTITY_LOST: nobody is there. */
static enum result find_crews(struct engine *engine, struct active *active, struct job *job, struct fault *fault)
{
	unsigned sides = job->work == JOB_WORK_TRANSFER ? JOB_SIDE_COUNT : JOB_SIDE_FILE + 1;

	for (unsigned side = 0; side < sides; side++) {
		struct identity *identity = NULL;

		active->as[side] = engine_side(engine, job, (enum job_side)side, &identity);
		if (identity == NULL)
			return RESULT_IDENTITY_LOST;
		active->crews[side] = crew_get(engine, identity, (enum job_side)side, engine_answers(job, (enum job_side)side), fault);
		if (active->crews[side] == NULL)
			return fault->result;
	}
	if (job->work == JOB_WORK_SWEEP)
		return RESULT_OK; /* whose the files are stays as it was */
	for (unsigned side = 0; side < sides; side++)
		memcpy(job->side_sid[side], identity_caller(active->crews[side]->identity)->owner,
		       sizeof(job->side_sid[side]));
	access_writer(identity_caller(active->crews[JOB_SIDE_FILE]->identity), job->file_writer);
	return RESULT_OK;
}
_Static_assert(JOB_SIDE_FILE == 0, "work on files alone needs the first side alone");

static struct active *active_new(struct engine *engine, struct job *job, struct fault *fault)
{
	struct active *active = calloc(1, sizeof(*active));

	if (active == NULL) {
		(void)!fault_set(fault, RESULT_NO_MEMORY, FAULT_FERRY, 0, "start the job");
		return NULL;
	}
	active->row = job->row;
	enum result result = find_crews(engine, active, job, fault);
	if (result == RESULT_OK && job->work == JOB_WORK_TRANSFER)
		result = active_open_credentials(engine, active, job, fault);
	if (result == RESULT_OK && job->work == JOB_WORK_TRANSFER)
		result = active_open_headers(engine, active, job, fault);
	if (result != RESULT_OK) {
		fault->result = result;
		active_wipe_credentials(active);
		active_wipe_headers(active);
		for (unsigned side = 0; side < JOB_SIDE_COUNT; side++)
			crew_release(engine, active->crews[side]);
		free(active);
		return NULL;
	}
	memcpy(active->owner, job->owner, sizeof(active->owner));
	active->work = job->work;
	active->priority = job->properties.priority;
	active->patience = job_patience(job->properties.profile);
	active->max_bytes = job->properties.max_bytes;
	active->no_segments = job->properties.no_segments;
	active->proxy_mode = job->properties.proxy_mode;
	active->no_redirects = job->properties.no_redirects;
	active->tls_ignore = job->properties.tls_ignore;
	memcpy(active->client_certificate, job->properties.client_certificate, sizeof(active->client_certificate));
	active->created_ms = job->created_ms;
	active->slot_since_ms = active->slice_since_ms = engine_mono(engine);
	active->next = engine->actives;
	engine->actives = active;
	return active;
}

bool engine_written_by_another(const struct engine *engine, const struct job *job)
{
	struct identity *identity = NULL;
	char writer[JOB_WRITER_BYTES_MAX];

	(void)engine_side(engine, job, JOB_SIDE_FILE, &identity);
	if (identity == NULL || job->file_writer[0] == '\0')
		return false;
	access_writer(identity_caller(identity), writer);
	return strcmp(writer, job->file_writer) != 0;
}

/* What another identity began is not gone on with: it could have changed what it owns, and this one need not be able to
 * open it (rule 19).  It is fetched anew.  RESULT_FILE_CHANGED: whole files were to get their names, and there are none. */
static enum result begin_anew(struct engine *engine, struct job *job, struct fault *fault)
{
	bool whole = job->files_transferred > job->files_published;

	if (job->work == JOB_WORK_SWEEP || !engine_written_by_another(engine, job))
		return RESULT_OK;
	engine_disown_files(engine, job);
	if (job->work == JOB_WORK_TRANSFER || !whole || engine->broken.result != RESULT_OK)
		return RESULT_OK;
	if (job->state == JOB_TRANSFERRED && engine_move(engine, job, JOB_EVENT_RESUME, fault) == RESULT_OK) {
		job->work = JOB_WORK_TRANSFER;
		job->attempts = 0;
		job->next_try_ms = 0;
		job->active_ms = 0;
		job->progress_ms = engine_now(engine);
		return RESULT_OK;
	}
	return fault_set(fault, RESULT_FILE_CHANGED, FAULT_FERRY, 0, "another identity than the job's wrote its files");
}

void active_begin(struct engine *engine, struct job *job)
{
	enum job_state from = job->state;
	struct fault fault = { 0 };
	bool fits = job->work != JOB_WORK_TRANSFER || job_check_size(job, NULL, &fault) == RESULT_OK;
	bool may = fits && begin_anew(engine, job, &fault) == RESULT_OK;
	struct active *active = may ? active_new(engine, job, &fault) : NULL;
	uint64_t max_ms = (uint64_t)job->properties.max_time_s * 1000;

	if (active == NULL) {
		/* Nobody is there, or no thread is free: the job waits, and says so. */
		if (fault.result == RESULT_IDENTITY_LOST)
			engine_review_token(engine, job);
		else if (fault.result != RESULT_BUSY)
			job_fail(engine, job, &fault, 0);
	} else if (job->work == JOB_WORK_TRANSFER) {
		active->deadline_ms =
			active->slot_since_ms + (job->active_ms < max_ms ? (int64_t)(max_ms - job->active_ms) : 0);
		if ((job->state == JOB_TRANSIENT_ERROR && engine_move(engine, job, JOB_EVENT_RETRY, &fault) != RESULT_OK) ||
		    engine_move(engine, job, JOB_EVENT_SLOT, &fault) != RESULT_OK) {
			engine_break(engine, &fault); /* work without a state that allows it: the store is not ours */
			return;
		}
		job->next_try_ms = 0;
	}
	(void)!engine_save_job(engine, job, from);
}

/* --- starting files --- */

/* Nobody must be able to guess the name: whatever bears it is ours (runtime/partfile). */
static bool name_partial(struct engine *engine, struct flight *flight)
{
	uint64_t random[2] = { 0 };
	struct fault fault;
	enum result result = engine->parts.random(random, sizeof(random), &fault);

	/* 96 bits are enough.  The others count, so that names made together lie together in the store's index. */
	random[0] = random[0] >> 32 | flight->number << 32;
	/* Should a crash take the name back, what bears it is found and removed: but not everywhere. */
	if (result == RESULT_OK && partial_name(engine, random, flight->file.partial) == RESULT_OK) {
		if (!engine_may_sweep(engine, flight->file.path))
			return flight_save(engine, flight);
		flight_save_soon(engine, flight);
		return true;
	}
	if (result == RESULT_OK)
		(void)!fault_set(&fault, RESULT_TOO_LONG, FAULT_FERRY, 0, "name a partial file");
	engine_break(engine, &fault);
	return false;
}

/* Nobody could look in the place of a declared job's helper before he came. */
static bool looks_first(const struct flight *flight)
{
	const struct file *file = &flight->file;

	return access_is_declared(flight->active->owner) && flight->active->as[JOB_SIDE_FILE] == IDENTITY_HELPER &&
	       file->digest.length > 0 && file->partial[0] == '\0' && !flight->looked;
}

void flight_open(struct engine *engine, struct flight *flight)
{
	flight->stage = FLIGHT_OPENING;
	if (looks_first(flight))
		flight_order(engine, flight, ORDER_LOOK, 0);
	else if (flight->file.partial[0] != '\0' || name_partial(engine, flight))
		flight_order(engine, flight, ORDER_OPEN, 0);
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

/* Who has a slot has a file in transfer, however many others have taken. */
static bool may_start_file(const struct engine *engine, const struct active *active)
{
	const struct settings *settings = engine->parts.settings;
	uint32_t of_job = active->flight_count - active->on_disk_count, of_all = engine->flight_count - engine->on_disk_count;

	/* A wrong password counts once, and not as often as there are files: accounts are locked after few. */
	if (of_job > 0 && active->credential_count > 0 && !active->connected)
		return false;
	return engine->broken.result == RESULT_OK && !active->exhausted && active->on_disk_count < FILES_ON_DISK_MAX &&
	       of_job < at_once(engine, active, settings->transfer_files_active_per_job_max) &&
	       (of_job == 0 || of_all < settings->transfer_files_active_max);
}

static void end_work(struct engine *engine, struct active *active, enum job_event event)
{
	struct job job;

	if (!engine_load_job(engine, active->row, &job))
		return;

	enum job_state from = job.state, to;

	active_leave_slot(engine, active, &job);
	if (job_next_state(job.state, event, &to))
		(void)!engine_move(engine, &job, event, NULL);
	engine_changed(engine, job.row);
	job.work = event == JOB_EVENT_ALL_FETCHED && job.properties.auto_complete ? JOB_WORK_PUBLISH : JOB_WORK_NONE;
	job.attempts = 0;
	job.next_try_ms = 0;
	if (event == JOB_EVENT_ALL_FETCHED || event == JOB_EVENT_COMPLETE)
		job.error = (struct fault){ 0 };
	if (event == JOB_EVENT_COMPLETE)
		EVENTS_NOTE(engine->parts.events, JOB_COMPLETED, .job = &job, .files = job.files_published,
		            .bytes = job.bytes_transferred);
	if (!engine_save_job(engine, &job, from))
		return;
	if (job.work == JOB_WORK_NONE) {
		active_free(engine, active);
		return;
	}
	active->work = job.work; /* it goes on under the same identity, without a new slot */
	crew_release(engine, active->crews[JOB_SIDE_NETWORK]); /* names need no network */
	active->crews[JOB_SIDE_NETWORK] = NULL;
	active->as[JOB_SIDE_NETWORK] = IDENTITY_OWNER;
	active->next_ordinal = 0;
	active->exhausted = false;
	active_advance(engine, active);
}

/* May the file be touched under the identities that serve? */
static enum result check_touch(const struct engine *engine, const struct active *active, const struct file *file,
                               struct fault *fault)
{
	if (!engine_token_covers(engine, active, file))
		return fault_set(fault, RESULT_TOKEN_REQUIRED, FAULT_FERRY, 0,
		                 "files[%" PRIu32 "]: the helper token was not lent for this file", file->ordinal);
	if (active->work != JOB_WORK_SWEEP && !engine_allows_destination(engine, text_view(file->path)))
		return fault_set(fault, RESULT_BLOCKED_BY_POLICY, FAULT_FERRY, 0,
		                 "files[%" PRIu32 "].path: lies below none of allow.destinations", file->ordinal);
	if (active->as[JOB_SIDE_FILE] == IDENTITY_SERVICE && !engine_service_writes(engine, text_view(file->path)))
		return fault_set(fault, RESULT_DENIED, FAULT_FERRY, 0,
		                 "files[%" PRIu32 "].path: lies below none of identity.service_file_roots", file->ordinal);
	/* Windows would log on as the machine, wherever an owner points. */
	if (active->work == JOB_WORK_TRANSFER && active->as[JOB_SIDE_NETWORK] == IDENTITY_SERVICE &&
	    engine_reads_share(engine, file))
		return fault_set(fault, RESULT_DENIED, FAULT_FERRY, 0,
		                 "files[%" PRIu32 "]: shares are not read as the service (identity.service_network_owners)", file->ordinal);
	return RESULT_OK;
}

/* If it may not, the job has failed or waits, and the active may be gone. */
static bool may_touch(struct engine *engine, struct active *active, const struct file *file)
{
	struct fault fault;
	enum result result = check_touch(engine, active, file, &fault);

	if (result == RESULT_TOKEN_REQUIRED)
		active_token_missing(engine, active, fault.what);
	else if (result != RESULT_OK)
		active_fail(engine, active, &fault);
	return result == RESULT_OK;
}

/* A sweep leaves what it may not touch, and goes on.  True: this is such a file, or the turn is broken. */
static bool leaves(struct engine *engine, const struct active *active, struct file *file)
{
	struct job job;
	struct fault fault;

	if (active->work != JOB_WORK_SWEEP || check_touch(engine, active, file, &fault) == RESULT_OK)
		return false;
	if (engine_load_job(engine, active->row, &job)) {
		unsigned told = 0;

		engine_note_leftover(engine, &job, file, fault.what, &told);
		(void)engine_leave_file(engine, file);
	}
	return true;
}

/* All that have the file are left alone for a while: what runs goes on, and a job with nothing else waits, but no longer than
 * it may.  The active may be gone. */
static bool must_rest(struct engine *engine, struct active *active, struct file *file, struct source_choice *ret_choice)
{
	struct fault fault;
	struct job job;
	uint32_t rests_s = engine_source_choose(engine, active, file, ret_choice, &fault);

	if (rests_s == 0)
		return false;
	if (active->flights != NULL) {
		active->next_ordinal = file->ordinal; /* asked again when one of these ends */
		return true;
	}
	if (engine_load_job(engine, active->row, &job)) {
		int64_t left_s = schedule_left_ms(&job, engine_now(engine)) / 1000;

		fail_active(engine, active, &fault, rests_s < left_s ? rests_s : (uint32_t)left_s);
	}
	return true;
}

/* If it may not be opened, the job has failed, and the active may be gone. */
static bool may_ask(struct engine *engine, struct active *active, struct file *file, uint32_t source)
{
	struct fault fault;
	enum result result = engine_source_open(engine, file, source, &fault);

	if (result == RESULT_SECRET_UNREADABLE || result == RESULT_SECRET_BUSY)
		active_fail(engine, active, &fault);
	return result == RESULT_OK;
}

static void advance_transfer(struct engine *engine, struct active *active)
{
	while (may_start_file(engine, active)) {
		struct file file;
		struct flight *flight;
		struct source_choice choice;

		if (!next_file(engine, active, FILE_PENDING, &file)) {
			active->exhausted = true;
			break;
		}
		if (!may_touch(engine, active, &file) || must_rest(engine, active, &file, &choice) ||
		    !may_ask(engine, active, &file, choice.source))
			return;
		engine_sweep_folder(engine, active, file.path);
		flight = flight_start(engine, active, &file, FLIGHT_OPENING);
		if (flight == NULL)
			return;
		flight->source = choice.source;
		flight->gives_up = choice.gives_up;
		flight_open(engine, flight);
	}
	if (active->exhausted && active->flights == NULL && engine->broken.result == RESULT_OK)
		end_work(engine, active, JOB_EVENT_ALL_FETCHED);
}

/* What a declared job's file holds is known by its digest, or it is read before anybody can get at it by its name. */
static void begin_publish(struct engine *engine, struct flight *flight)
{
	const struct file *file = &flight->file;
	bool declared = access_is_declared(flight->active->owner);

	flight_leave_to_disk(engine, flight, FLIGHT_PUBLISHING);
	flight->looking = declared && file->digest.length == 0;
	if (!declared || flight->looking || engine_declared_lands(engine, flight, file->bytes_recorded, &file->digest))
		flight_order(engine, flight, flight->looking ? ORDER_LOOK : ORDER_PUBLISH, 0);
}

/* Whole files get their names first; what is left over is removed after them. */
static void advance_publish(struct engine *engine, struct active *active)
{
	bool publishes = active->work == JOB_WORK_PUBLISH;

	while (may_start_file(engine, active)) {
		struct file file;
		struct flight *flight;

		if (publishes && next_file(engine, active, FILE_TRANSFERRED, &file)) {
			if (!may_touch(engine, active, &file))
				return;
			flight = flight_start(engine, active, &file, FLIGHT_OPENING);
			if (flight == NULL)
				return;
			begin_publish(engine, flight);
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
		if (leaves(engine, active, &file))
			continue;
		if (!may_touch(engine, active, &file))
			return;
		flight = flight_start(engine, active, &file, FLIGHT_ABANDONING);
		if (flight != NULL)
			flight_order(engine, flight, ORDER_ABANDON, 0);
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
