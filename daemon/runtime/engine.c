#include "runtime/engine_private.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

int64_t engine_now(const struct engine *engine)
{
	return engine->parts.clock.wall_ms(engine->parts.clock.context);
}

int64_t engine_mono(const struct engine *engine)
{
	return engine->parts.clock.mono_ms(engine->parts.clock.context);
}

static void post_report(void *context, struct report *report)
{
	struct engine *engine = context;

	report->letter.deliver = engine_report;
	mailbox_post(engine->mailbox, &report->letter);
}

static void deliver_stop(struct letter *letter, void *receiver)
{
	(void)letter; /* it only wakes: the flag says it */
	(void)receiver;
}

enum result engine_new(const struct engine_parts *parts, struct engine **ret_engine, struct fault *fault)
{
	struct engine *engine = calloc(1, sizeof(*engine));

	if (engine == NULL || (engine->mailbox = mailbox_new(NULL, NULL)) == NULL) {
		free(engine);
		return fault_set(fault, RESULT_NO_MEMORY, FAULT_FERRY, 0, "start the engine");
	}
	engine->parts = *parts;
	engine->sink = (struct report_sink){ .post = post_report, .context = engine };
	engine->stop_letter.deliver = deliver_stop;
	atomic_init(&engine->stop_asked, false);
	engine->outgoing_end = &engine->outgoing;
	engine->deferrals_end = &engine->deferrals;
	engine->recover = true;
	engine->token_at_ms = engine->commit_at_ms = engine->untold_at_ms = INT64_MAX;
	engine->started_ms = engine->absent_since_ms = engine_now(engine);
	engine->next_try_ms = engine->next_slot_ms = INT64_MAX;
	engine->rates = rate_at(NULL, 0, 0);
	engine_read_rates(engine);
	engine_begin_settings(engine);
	engine_begin_network(engine);
	engine_declarer_present(engine);
	engine->declaring = (struct declaring){ .start = true, .ended = true, .due_at_ms = INT64_MAX, .again_at_ms = INT64_MAX };
	engine->clock_offset_ms = engine_now(engine) - engine_mono(engine);
	engine->steady_since_ms = engine_mono(engine);
	*ret_engine = engine;
	return RESULT_OK;
}

void engine_asked_by(struct engine *engine, const struct asker *asker)
{
	engine->asker = asker != NULL ? *asker : (struct asker){ 0 };
	engine->refusal_told = engine->by_rule = false;
}

void engine_watch(struct engine *engine, const struct engine_watcher *watcher)
{
	engine->watcher = watcher != NULL ? *watcher : (struct engine_watcher){ 0 };
}

void engine_post(struct engine *engine, struct letter *letter)
{
	mailbox_post(engine->mailbox, letter);
}

void engine_stop(struct engine *engine)
{
	if (!atomic_exchange(&engine->stop_asked, true))
		mailbox_post(engine->mailbox, &engine->stop_letter);
}

/* --- this turn's decisions, let out only after the commit --- */

void engine_break(struct engine *engine, const struct fault *fault)
{
	if (engine->broken.result == RESULT_OK)
		engine->broken = *fault;
}

void engine_break_for_memory(struct engine *engine, const char *what)
{
	struct fault fault;

	(void)!fault_set(&fault, RESULT_NO_MEMORY, FAULT_FERRY, 0, "%s", what);
	engine_break(engine, &fault);
}

void engine_changed(struct engine *engine, int64_t row)
{
	for (size_t i = 0; i < engine->changed_count; i++)
		if (engine->changed[i] == row)
			return;
	if (engine->changed_count == engine->changed_capacity) {
		size_t capacity = engine->changed_capacity == 0 ? 64 : engine->changed_capacity * 2;
		int64_t *grown = realloc(engine->changed, capacity * sizeof(*grown));

		if (grown == NULL) {
			engine_break_for_memory(engine, "note what changed");
			return;
		}
		engine->changed = grown;
		engine->changed_capacity = capacity;
	}
	engine->changed[engine->changed_count++] = row;
}

void engine_send(struct engine *engine, struct worker *worker, struct order *order)
{
	struct outgoing *outgoing = order != NULL ? malloc(sizeof(*outgoing)) : NULL;

	if (outgoing == NULL) {
		order_free(order);
		engine_break_for_memory(engine, "write an order");
		return;
	}
	*outgoing = (struct outgoing){ .worker = worker, .order = order };
	*engine->outgoing_end = outgoing;
	engine->outgoing_end = &outgoing->next;
}

bool engine_take_back(struct engine *engine, uint64_t flight, enum order_kind kind)
{
	for (struct outgoing **place = &engine->outgoing; *place != NULL; place = &(*place)->next) {
		struct outgoing *outgoing = *place;

		if (outgoing->order->flight != flight || outgoing->order->kind != kind)
			continue;
		*place = outgoing->next;
		if (*place == NULL)
			engine->outgoing_end = place;
		order_free(outgoing->order);
		free(outgoing);
		return true;
	}
	return false;
}

void engine_defer(struct engine *engine, struct deferral *deferral)
{
	deferral->next = NULL;
	*engine->deferrals_end = deferral;
	engine->deferrals_end = &deferral->next;
}

static void run_deferrals(struct engine *engine, enum result committed, const struct fault *fault)
{
	struct deferral *deferral = engine->deferrals;

	engine->deferrals = NULL;
	engine->deferrals_end = &engine->deferrals;
	while (deferral != NULL) {
		struct deferral *next = deferral->next;

		deferral->run(deferral, committed, fault);
		deferral = next;
	}
}

/* A handle that the order borrows still is the flight's; one that it would have consumed is the flight's again. */
static void take_order_back(struct engine *engine, struct order *order)
{
	struct flight *flight = flight_find(engine, order->flight);

	if (flight != NULL && flight->handle == NULL)
		flight->handle = order->handle;
	order_free(order);
}

static void release_orders(struct engine *engine, bool send)
{
	struct outgoing *outgoing = engine->outgoing;

	engine->outgoing = NULL;
	engine->outgoing_end = &engine->outgoing;
	while (outgoing != NULL) {
		struct outgoing *next = outgoing->next;

		if (send)
			engine->parts.workers.order(outgoing->worker, outgoing->order);
		else
			take_order_back(engine, outgoing->order);
		free(outgoing);
		outgoing = next;
	}
}

/* --- jobs --- */

bool engine_load_job(struct engine *engine, int64_t row, struct job *job)
{
	struct fault fault;

	if (store_job_by_row(engine->parts.store, row, job, &fault) == RESULT_OK)
		return true;
	engine_break(engine, &fault);
	return false;
}

bool engine_save_job(struct engine *engine, const struct job *job, enum job_state from)
{
	struct fault fault;

	if (engine->titled.row == job->row)
		engine->titled.row = 0;
	if (store_job_save(engine->parts.store, job, from, &fault) == RESULT_OK)
		return true;
	engine_break(engine, &fault);
	return false;
}

enum result engine_move(struct engine *engine, struct job *job, enum job_event event, struct fault *fault)
{
	enum job_state to;

	if (!job_next_state(job->state, event, &to))
		return fault_set(fault, RESULT_INVALID_STATE, FAULT_FERRY, 0, "%s while the job is %s",
		                 job_event_name(event), job_state_name(job->state));
	if (to != job->state) {
		job->state = to;
		job->state_since_ms = engine_now(engine);
	}
	if (job_state_is_final(to)) {
		job->finished_ms = engine_now(engine);
		engine->counts.jobs_acknowledged += to == JOB_ACKNOWLEDGED;
		engine->counts.jobs_cancelled += to == JOB_CANCELLED;
	}
	if (access_is_declared(job->owner))
		engine_declare_ended(engine, job);
	engine_changed(engine, job->row);
	engine->schedule_due = true;
	return RESULT_OK;
}

void engine_status_of(struct engine *engine, const struct job *job, struct job_status *ret_status)
{
	const struct active *active = active_find(engine, job->row);
	const struct job_owner owner = job_owner(job);
	const struct lent *lent = engine_lent(engine, job->row);
	const struct schedule_present present = { .owner = engine_present(engine, &owner) != NULL,
		                                  .workers = active != NULL || engine_has_workers(engine, job),
		                                  .no_network = engine->network.reach == NETWORK_NONE,
		                                  .held = engine->held[job->properties.priority] };

	*ret_status = (struct job_status){ .job = *job };
	if (active != NULL && active->work == JOB_WORK_TRANSFER)
		ret_status->job.bytes_transferred += active_live_bytes(active);
	ret_status->lease_ends_ms = job_state_is_final(job->state) ? 0 : job_lease_ends_ms(job);
	ret_status->wait = schedule_wait(job, present, engine_now(engine));
	ret_status->wait_since_ms = job->state_since_ms;
	if (ret_status->wait == JOB_WAIT_RATE)
		ret_status->job.next_try_ms = engine->on_at_ms[job->properties.priority];
	if (ret_status->wait == JOB_WAIT_OWNER_ABSENT && ret_status->wait_since_ms < engine->absent_since_ms)
		ret_status->wait_since_ms = engine->absent_since_ms;
	for (unsigned side = 0; side < JOB_SIDE_COUNT; side++) {
		struct side_status *status = &ret_status->sides[side];
		struct identity *identity = NULL;

		status->as = engine_side(engine, job, (enum job_side)side, &identity);
		if (identity != NULL)
			memcpy(status->sid, identity_caller(identity)->owner, sizeof(status->sid));
	}
	if (lent != NULL)
		memcpy(ret_status->token_sid, identity_caller(lent->identity)->owner, sizeof(ret_status->token_sid));
}

/* --- the turn --- */

/* After a start, a crash or a failed commit the store alone says what is. */
static void recover(struct engine *engine)
{
	struct store *store = engine->parts.store;
	struct fault fault;
	int64_t rows[64];
	size_t count = 0;
	uint64_t unfinished = 0, interrupted = 0;

	do {
		if (store_jobs_active(store, rows, sizeof(rows) / sizeof(rows[0]), &count, &fault) != RESULT_OK) {
			engine_break(engine, &fault);
			return;
		}
		for (size_t i = 0; i < count; i++) {
			struct job job;
			enum job_state from;

			if (store_job_by_row(store, rows[i], &job, &fault) != RESULT_OK ||
			    (from = job.state, engine_move(engine, &job, JOB_EVENT_RESTARTED, &fault)) != RESULT_OK ||
			    store_job_save(store, &job, from, &fault) != RESULT_OK) {
				engine_break(engine, &fault);
				return;
			}
		}
		interrupted += count;
	} while (count > 0);
	if (!engine_recover_tokens(engine))
		return;
	if (!engine->announced) {
		if (store_jobs_count(store, NULL, &unfinished, &fault) != RESULT_OK) {
			engine_break(engine, &fault);
			return;
		}
		EVENTS_NOTE(engine->parts.events, SERVICE_STARTED, .version = engine->parts.version, .jobs = unfinished,
		            .running = interrupted);
	}
	engine->recover = false;
	engine->schedule_due = true;
}

static void advance_all(struct engine *engine)
{
	for (struct active *active = engine->actives, *next; active != NULL; active = next) {
		next = active->next; /* advancing may free it */
		if (engine->broken.result == RESULT_OK)
			active_advance(engine, active);
	}
}

/* Tell the watchers what changed; returns when held-back progress is due. */
static int64_t tell_watchers(struct engine *engine)
{
	int64_t due = INT64_MAX, mono = engine_mono(engine);
	struct job_status status;
	struct fault fault;

	for (size_t i = 0; i < engine->changed_count; i++) {
		struct active *active = active_find(engine, engine->changed[i]);

		if (active != NULL) {
			active->changed_numbers = false;
			active->told_ms = mono;
		}
		if (engine->watcher.changed != NULL &&
		    engine_job_get(engine, engine->changed[i], &status, &fault) == RESULT_OK)
			engine->watcher.changed(engine->watcher.context, &status);
	}
	engine->changed_count = 0;
	for (struct active *active = engine->actives; active != NULL; active = active->next) {
		if (!active->changed_numbers)
			continue;
		if (mono - active->told_ms < PROGRESS_INTERVAL_MS) {
			if (active->told_ms + PROGRESS_INTERVAL_MS < due)
				due = active->told_ms + PROGRESS_INTERVAL_MS;
			continue;
		}
		active->changed_numbers = false;
		active->told_ms = mono;
		if (engine->watcher.progress != NULL &&
		    engine_job_get(engine, active->row, &status, &fault) == RESULT_OK)
			engine->watcher.progress(engine->watcher.context, &status);
	}
	return due;
}

static void discard_letters(struct engine *engine)
{
	for (struct letter *letter = mailbox_take_all(engine->mailbox), *next; letter != NULL; letter = next) {
		next = letter->next;
		if (letter->deliver == engine_report)
			report_discard((struct report *)letter);
		else if (letter->deliver != NULL)
			letter->deliver(letter, NULL); /* "there is no engine": free yourself */
	}
}

/* Drop everything in memory that the store does not know; crash-only, from the inside. */
static void start_over(struct engine *engine)
{
	struct letter *kept = NULL, **end = &kept;

	release_orders(engine, false);
	engine_drop_pass(engine, engine->broken.result != RESULT_OK ? &engine->broken : NULL);
	engine_drop_errands(engine, engine->broken.result != RESULT_OK ? &engine->broken : NULL);
	engine_drop_tries(engine, engine->broken.result != RESULT_OK ? &engine->broken : NULL);
	engine_drop_proxy_asks(engine, engine->broken.result != RESULT_OK ? &engine->broken : NULL);
	for (struct active *active = engine->actives; active != NULL; active = active->next)
		memset(active->crews, 0, sizeof(active->crews));
	while (engine->crews != NULL)
		crew_free(engine, &engine->crews);
	/* The workers are gone, so no handle is in use; their reports speak of flights that no longer exist. */
	for (struct letter *letter = mailbox_take_all(engine->mailbox), *next; letter != NULL; letter = next) {
		next = letter->next;
		if (letter->deliver == engine_report) {
			report_discard((struct report *)letter);
		} else {
			letter->next = NULL;
			*end = letter;
			end = &letter->next;
		}
	}
	mailbox_put_back(engine->mailbox, kept); /* a connection's first letter must stay before its second */
	while (engine->actives != NULL)
		active_free(engine, engine->actives);
	engine->changed_count = 0;
	engine->unmarked_count = 0; /* the turn that told of them may be undone */
	engine->swept_count = 0; /* names that were not committed are no file's any more */
	engine->commit_at_ms = INT64_MAX;
	engine->waiting = 0;
	engine->waiting_bytes = 0;
	engine->titled.row = 0;
	engine->recover = true;
	engine->next_try_ms = engine->next_slot_ms = INT64_MAX;
}

static void undo_turn(struct engine *engine)
{
	struct fault fault = engine->broken;
	bool disk = fault.result == RESULT_DISK_FULL || fault.result == RESULT_IO_FAILED;

	engine->counts.queue_failures++;
	if (disk && fault.source == FAULT_SQLITE)
		fault.result = RESULT_STORE_BUSY; /* the queue's disk: those two speak of the destination's */
	store_rollback(engine->parts.store);
	events_drop(engine->parts.events);
	engine_drop_fresh_tokens(engine);
	if (engine->network_turn == engine->turn)
		engine->network_at_ms = engine->network_back_ms;
	start_over(engine);
	run_deferrals(engine, fault.result, &fault);
	if (engine->trouble_until_ms == 0) { /* told once, not every few seconds */
		engine->trouble_since_ms = engine_mono(engine);
		EVENTS_NOTE(engine->parts.events, STORE_TROUBLE, .fault = &fault);
		events_speak(engine->parts.events);
	}
	engine->trouble_until_ms = engine_mono(engine) + TROUBLE_PAUSE_MS;
	engine->trouble = fault;
	engine->broken = (struct fault){ 0 };
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* What is to be done without being asked; only while the store is well. */
static int64_t tend(struct engine *engine)
{
	int64_t due, declared;

	if (engine->recover && engine->broken.result == RESULT_OK)
		recover(engine);
	if (engine->broken.result != RESULT_OK)
		return INT64_MAX;
	if (engine_mono(engine) >= engine->forget_at_ms)
		engine_forget_finished(engine);
	if (engine_mono(engine) >= engine->lease_at_ms)
		engine_end_leases(engine);
	if (engine_mono(engine) >= engine->rates_at_ms)
		engine_set_rates(engine);
	if (engine_mono(engine) >= engine->network_at_ms)
		engine_try_again(engine);
	due = earlier(earlier(engine_check_deadlines(engine), engine->rates_at_ms), engine->network_at_ms);
	if (engine_mono(engine) >= earlier(engine->next_try_ms, engine->next_slot_ms))
		engine->schedule_due = true;
	/* Advancing may end a job's work, which frees a slot, which the scheduler gives away, which is to be advanced. */
	do {
		if (engine->schedule_due && !engine->stopping) {
			engine->schedule_due = false;
			engine_schedule(engine);
		}
		advance_all(engine);
		declared = engine_declare_tend(engine);
	} while (engine->schedule_due && !engine->stopping && engine->broken.result == RESULT_OK);
	return earlier(due, declared);
}

/* Where nobody asked for anything, and nothing that is let out relies on what was written, the next turn's commit will do for
 * this one, too.  What may be lost to a crash may as well be undone with that turn. */
static bool commit_can_wait(struct engine *engine)
{
	if (engine->waiting == 0 || engine->waiting >= WAITING_RECORDS_MAX || !store_can_wait(engine->parts.store) ||
	    engine->deferrals != NULL || engine->changed_count > 0 || engine->stopping)
		return false;
	if (engine->commit_at_ms == INT64_MAX)
		engine->commit_at_ms = engine_mono(engine) + WAITING_MS_MAX;
	return engine_mono(engine) < engine->commit_at_ms;
}

/* Whether the trouble is over is told by a turn that writes: to commit nothing succeeds on a full disk, too. */
static enum result begin(struct engine *engine, bool tries_again, struct fault *fault)
{
	bool goes_on = engine->commit_at_ms != INT64_MAX;
	enum result result = goes_on ? RESULT_OK : store_begin(engine->parts.store, fault);

	return result == RESULT_OK && tries_again ? store_probe(engine->parts.store, fault) : result;
}

static enum result commit(struct engine *engine, struct fault *fault)
{
	if (!engine_save_flights(engine))
		return engine->broken.result;
	engine->commit_at_ms = INT64_MAX;
	engine->waiting = 0;
	engine->waiting_bytes = 0;
	return store_commit(engine->parts.store, fault);
}

int64_t engine_turn(struct engine *engine)
{
	struct fault fault;
	bool resting = engine->trouble_until_ms > engine_mono(engine);
	int64_t due = INT64_MAX;

	engine->turn++;
	if (begin(engine, !resting && engine->trouble_until_ms > 0, &fault) != RESULT_OK)
		engine_break(engine, &fault);
	/* Before anybody asks for something, and whether or not the store is well. */
	if (engine_mono(engine) >= engine->token_at_ms)
		engine_expire_tokens(engine);
	for (struct letter *letter = mailbox_take_all(engine->mailbox), *next; letter != NULL; letter = next) {
		next = letter->next;
		if (letter->deliver != engine_report) { /* it may be a client's, who looks and changes */
			(void)engine_save_flights(engine); /* or the turn is broken */
			engine->titled.row = 0;
		}
		letter->deliver(letter, engine);
	}
	if (!resting)
		due = tend(engine);
	bool waits = engine->broken.result == RESULT_OK && commit_can_wait(engine);

	if (engine->broken.result == RESULT_OK && !waits && commit(engine, &fault) != RESULT_OK)
		engine_break(engine, &fault);
	if (engine->broken.result != RESULT_OK) {
		undo_turn(engine);
		return earlier(engine->trouble_until_ms, engine_tend_metrics(engine)); /* then most of all */
	}
	if (!resting && engine->trouble_until_ms > 0) { /* what the probe wrote cannot wait */
		EVENTS_NOTE(engine->parts.events, STORE_RECOVERED,
		            .seconds = (uint64_t)(engine_mono(engine) - engine->trouble_since_ms) / 1000);
		engine->trouble_until_ms = 0;
		engine->trouble.result = RESULT_OK;
	}
	if (!resting)
		engine->announced = true;
	if (!waits) {
		due = earlier(due, engine_tell_untold(engine, false)); /* in a turn that is undone no more */
		events_speak(engine->parts.events);
		run_deferrals(engine, RESULT_OK, NULL);
		engine_forget_final_tokens(engine);
		due = earlier(due, tell_watchers(engine));
		due = earlier(due, engine_tend_metrics(engine)); /* it speaks */
	}
	release_orders(engine, true);
	due = earlier(earlier(due, crew_end_idle(engine)), earlier(engine->token_at_ms, engine->commit_at_ms));
	due = earlier(due, engine_tend_settings(engine));
	if (resting)
		return earlier(due, engine->trouble_until_ms);
	due = earlier(due, earlier(engine->next_try_ms, engine->next_slot_ms));
	return earlier(due, earlier(engine->forget_at_ms, engine->lease_at_ms));
}

static void wait_until(struct engine *engine, int64_t due)
{
	int64_t mono = engine_mono(engine);

	mailbox_wait(engine->mailbox, due == INT64_MAX ? -1 : due > mono ? due - mono : 0);
}

void engine_run(struct engine *engine)
{
	int64_t due = 0;

	while (!atomic_load(&engine->stop_asked)) {
		due = engine_turn(engine);
		if (!atomic_load(&engine->stop_asked))
			wait_until(engine, due);
	}
	/* What is in transfer is brought to a checkpoint; the jobs' states stay, and RESTARTED moves them next time. */
	engine->stopping = true;
	for (struct active *active = engine->actives, *next; active != NULL; active = next) {
		next = active->next;
		active_wind_down(engine, active);
	}
	due = engine_mono(engine) + STOP_MS_MAX;
	(void)engine_turn(engine);
	while (engine->actives != NULL && engine_mono(engine) < due) {
		wait_until(engine, due);
		(void)engine_turn(engine);
	}
	(void)engine_tell_untold(engine, true);
	EVENTS_NOTE(engine->parts.events, SERVICE_STOPPED, .version = engine->parts.version);
	events_speak(engine->parts.events);
}

void engine_service_status(struct engine *engine, struct service_status *ret_status)
{
	uint64_t queued = 0;
	struct fault fault;

	/* A queue that cannot be counted is told as 0; the trouble itself is told by its event. */
	if (store_jobs_count(engine->parts.store, NULL, &queued, &fault) != RESULT_OK)
		queued = 0;
	ret_status->started_ms = engine->started_ms;
	ret_status->jobs_queued = queued;
	ret_status->jobs_active = 0;
	for (const struct active *active = engine->actives; active != NULL; active = active->next)
		ret_status->jobs_active++;
	ret_status->files_active = engine->flight_count - engine->on_disk_count;
	ret_status->workers = 0;
	for (const struct crew *crew = engine->crews; crew != NULL; crew = crew->next)
		for (unsigned kind = 0; kind < WORKER_KIND_COUNT; kind++)
			ret_status->workers += crew->workers[kind] != NULL;
	ret_status->owners_present = 0;
	for (const struct present *present = engine->present; present != NULL; present = present->next)
		ret_status->owners_present += !present->declares && engine_present_like(engine, present) == present;
}

void engine_free(struct engine *engine)
{
	if (engine == NULL)
		return;
	start_over(engine);
	discard_letters(engine);
	engine_end_settings(engine);
	while (engine->lent != NULL)
		engine_forget_token(engine, engine->lent->row);
	engine_forget_hosts(engine);
	while (engine->present != NULL) {
		struct present *present = engine->present;

		engine->present = present->next;
		identity_free(present->identity);
		free(present);
	}
	mailbox_free(engine->mailbox);
	free(engine->changed);
	free(engine);
}
