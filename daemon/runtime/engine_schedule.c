#include "runtime/engine_private.h"

#include <stdlib.h>
#include <string.h>

#include "core/resume.h"

/* How long a job has waited for a slot: not while it rested, its owner was away, or its priority off.  The wall clock may
 * have been set: what lies ahead of it counts from when its owner came, and nothing waited for longer than that. */
static int64_t waited_ms(const struct engine *engine, const struct present *present, const struct job *job)
{
	int64_t since_ms = job->state_since_ms > job->next_try_ms ? job->state_since_ms : job->next_try_ms;
	int64_t on_ms = engine->on_since_ms[job->properties.priority], now_ms = engine_now(engine);
	int64_t most_ms = engine_mono(engine) - (present->since_ms > on_ms ? present->since_ms : on_ms);

	return since_ms > now_ms || now_ms - since_ms > most_ms ? most_ms : now_ms - since_ms;
}

/* How many slots the owner has in the background. */
static uint32_t slots_of(const struct engine *engine, const char *owner)
{
	uint32_t count = 0;

	for (const struct active *active = engine->actives; active != NULL; active = active->next)
		count += !active->winding && active->work == JOB_WORK_TRANSFER && active->priority != JOB_FOREGROUND &&
		         strcmp(active->owner, owner) == 0;
	return count;
}

/* One owner's jobs of a priority that could run, as candidates beside those that run.  Names are given and files removed
 * whatever the network may do.  Whose workers are not there, and cannot be now, keeps nobody else from a slot. */
static size_t add_candidates(struct engine *engine, const struct present *present, enum job_priority priority,
                             struct job *jobs, struct schedule_candidate *candidates, size_t count)
{
	const struct job_owner owner = engine_owner_of(present);
	bool off = engine->held[priority] != JOB_WAIT_NONE;
	uint32_t slots = slots_of(engine, owner.sid);
	size_t found = 0;
	struct fault fault;

	if (store_jobs_runnable(engine->parts.store, &owner, priority, off ? JOB_WORK_PUBLISH : JOB_WORK_TRANSFER,
	                        engine_now(engine), jobs, RUNNABLE_MAX, &found, &fault) != RESULT_OK) {
		engine_break(engine, &fault);
		return count;
	}
	for (size_t i = 0; i < found; i++) {
		if (active_find(engine, jobs[i].row) != NULL || !engine_has_workers(engine, &jobs[i]))
			continue; /* running, or still winding down */
		candidates[count++] = (struct schedule_candidate){ .row = jobs[i].row,
			                                           .priority = jobs[i].properties.priority,
			                                           .created_ms = jobs[i].created_ms,
			                                           .for_ms = waited_ms(engine, present, &jobs[i]),
			                                           .owner_slots = slots,
			                                           .fetches = jobs[i].work == JOB_WORK_TRANSFER };
	}
	return count;
}

/* What it fetches now could not be gone on with: its slice is not over before that is whole, or it would never be. */
static bool would_lose(const struct active *active)
{
	for (const struct flight *flight = active->flights; flight != NULL; flight = flight->next) {
		const struct file *file = &flight->file;
		const struct resume_known known = { .offset = flight->written, .total = file->bytes_total, .etag = file->etag,
			                                .modified = file->modified, .verified = file->digest.length > 0 };
		struct resume_request request;

		resume_plan(&known, &request);
		if (flight->stage == FLIGHT_FETCHING && flight->answered && flight->written > 0 &&
		    (flight->restarted || request.offset == 0))
			return true;
	}
	return false;
}

static void take_slot_back(struct engine *engine, struct active *active)
{
	struct job job;
	struct fault fault;

	if (store_job_by_row(engine->parts.store, active->row, &job, &fault) == RESULT_OK) {
		enum job_state from = job.state;

		active_leave_slot(engine, active, &job);
		if (engine_move(engine, &job, JOB_EVENT_SLICE_OVER, &fault) == RESULT_OK &&
		    store_job_save(engine->parts.store, &job, from, &fault) == RESULT_OK) {
			active_wind_down(engine, active);
			return;
		}
	}
	engine_break(engine, &fault);
}

static void begin_job(struct engine *engine, const struct schedule_candidate *candidate)
{
	struct job job;
	struct fault fault;

	if (store_job_by_row(engine->parts.store, candidate->row, &job, &fault) != RESULT_OK) {
		engine_break(engine, &fault);
		return;
	}
	active_begin(engine, &job);

	struct active *active = active_find(engine, candidate->row);

	if (active != NULL)
		active->level = candidate->level;
}

/* When, on the monotonic clock, the next waiting job of somebody present is due. */
static int64_t next_try(struct engine *engine)
{
	int64_t due = INT64_MAX, now = engine_now(engine), mono = engine_mono(engine);

	for (const struct present *present = engine->present; present != NULL; present = present->next) {
		const struct job_owner owner = engine_owner_of(present);
		int64_t at = INT64_MAX;
		struct fault fault;

		if (engine_present(engine, &owner) != present)
			continue; /* an older identity of an owner who was asked for already */
		if (store_jobs_next_try(engine->parts.store, &owner, now, &at, &fault) != RESULT_OK)
			engine_break(engine, &fault);
		else if (at != INT64_MAX && mono + (at - now) < due)
			due = mono + (at - now);
	}
	return due;
}

/* Those that run, and of those that could what may matter. */
static size_t find_candidates(struct engine *engine, struct schedule_candidate *candidates, struct job *jobs)
{
	int64_t mono_ms = engine_mono(engine);
	size_t count = 0;

	for (const struct active *active = engine->actives; active != NULL; active = active->next)
		if (!active->winding)
			candidates[count++] = (struct schedule_candidate){ .row = active->row, .priority = active->priority,
				.level = active->level, .created_ms = active->created_ms,
				.owner_slots = slots_of(engine, active->owner),
				.for_ms = would_lose(active) ? 0 : mono_ms - active->slice_since_ms,
				.off = active->work == JOB_WORK_TRANSFER && engine->held[active->priority] != JOB_WAIT_NONE,
				.fetches = active->work == JOB_WORK_TRANSFER, .running = true };
	for (const struct present *present = engine->present; present != NULL; present = present->next)
		for (int priority = 0; priority < JOB_PRIORITY_COUNT && engine_present_like(engine, present) == present; priority++)
			count = add_candidates(engine, present, (enum job_priority)priority, jobs, candidates, count);
	return count;
}

static void give_slots(struct engine *engine, const struct schedule_candidate *candidates, size_t count)
{
	/* Slots are taken back first, so that the files of the job that gets one find room. */
	for (size_t i = 0; i < count; i++) {
		struct active *active = candidates[i].running ? active_find(engine, candidates[i].row) : NULL;

		if (active == NULL)
			continue;
		if (!candidates[i].wanted && active->work == JOB_WORK_TRANSFER) {
			take_slot_back(engine, active);
		} else if (!candidates[i].keeps) {
			active->level = candidates[i].level;
			active->slice_since_ms = engine_mono(engine);
		}
	}
	for (size_t i = 0; i < count; i++)
		if (!candidates[i].running && candidates[i].wanted)
			begin_job(engine, &candidates[i]);
}

void engine_schedule(struct engine *engine)
{
	const struct settings *settings = engine->parts.settings;
	const struct schedule_limits limits = { (uint32_t)settings->queue_background_jobs_max,
		                                    (uint32_t)settings->queue_background_beside_foreground_max,
		                                    (int64_t)settings->queue_slice_s * 1000,
		                                    (int64_t)settings->queue_ageing_s * 1000 };
	size_t size = 1;

	for (const struct active *active = engine->actives; active != NULL; active = active->next)
		size++;
	for (const struct present *present = engine->present; present != NULL; present = present->next)
		size += RUNNABLE_MAX * JOB_PRIORITY_COUNT;

	struct schedule_candidate *candidates = calloc(size, sizeof(*candidates));
	struct job *jobs = calloc(RUNNABLE_MAX, sizeof(*jobs));

	if (candidates == NULL || jobs == NULL) {
		engine_break_for_memory(engine, "schedule");
	} else {
		size_t count = find_candidates(engine, candidates, jobs);
		int64_t change_ms = schedule_decide(candidates, count, &limits);

		engine->next_slot_ms = change_ms == INT64_MAX ? INT64_MAX : engine_mono(engine) + change_ms;
		give_slots(engine, candidates, count);
		engine->next_try_ms = next_try(engine);
	}
	free(candidates);
	free(jobs);
}

int64_t engine_check_deadlines(struct engine *engine)
{
	int64_t due = INT64_MAX, mono = engine_mono(engine);

	for (struct active *active = engine->actives, *next; active != NULL; active = next) {
		next = active->next;
		if (active->winding || active->work != JOB_WORK_TRANSFER)
			continue;
		if (active->deadline_ms <= mono) {
			struct fault fault;

			(void)!fault_set(&fault, RESULT_MAX_TIME, FAULT_FERRY, 0, "max_time_s is over");
			active_fail(engine, active, &fault);
		} else if (active->deadline_ms < due) {
			due = active->deadline_ms;
		}
	}
	return due;
}
