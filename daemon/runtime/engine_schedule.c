#include "runtime/engine_private.h"

#include <stdlib.h>

/* One owner's jobs that could run, as candidates beside those that run. */
static size_t add_candidates(struct engine *engine, const struct present *present, struct job *jobs,
                             struct schedule_candidate *candidates, size_t count)
{
	const struct caller *caller = identity_caller(present->identity);
	const struct job_owner owner = { caller->owner, caller->integrity, caller->administrator };
	size_t found = 0;
	struct fault fault;

	if (store_jobs_runnable(engine->parts.store, &owner, engine_now(engine), jobs, RUNNABLE_PER_OWNER_MAX, &found,
	                        &fault) != RESULT_OK) {
		engine_break(engine, &fault);
		return count;
	}
	for (size_t i = 0; i < found; i++) {
		if (active_find(engine, jobs[i].row) != NULL)
			continue; /* running, or still winding down */
		candidates[count++] = (struct schedule_candidate){ .row = jobs[i].row,
			                                           .priority = jobs[i].properties.priority,
			                                           .created_ms = jobs[i].created_ms };
	}
	return count;
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

static void begin_job(struct engine *engine, int64_t row)
{
	struct job job;
	struct fault fault;

	if (store_job_by_row(engine->parts.store, row, &job, &fault) != RESULT_OK) {
		engine_break(engine, &fault);
		return;
	}
	active_begin(engine, &job);
}

/* When, on the monotonic clock, the next waiting job of somebody present is due. */
static int64_t next_try(struct engine *engine)
{
	int64_t due = INT64_MAX, now = engine_now(engine), mono = engine_mono(engine);

	for (const struct present *present = engine->present; present != NULL; present = present->next) {
		const struct caller *caller = identity_caller(present->identity);
		const struct job_owner owner = { caller->owner, caller->integrity, caller->administrator };
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

void engine_schedule(struct engine *engine)
{
	const struct schedule_limits limits = { (uint32_t)engine->parts.settings->queue_background_jobs_max };
	size_t running = 0, present_count = 0, count = 0;

	for (const struct active *active = engine->actives; active != NULL; active = active->next)
		running++;
	for (const struct present *present = engine->present; present != NULL; present = present->next)
		present_count++;

	size_t size = running + present_count * RUNNABLE_PER_OWNER_MAX;
	struct schedule_candidate *candidates = calloc(size > 0 ? size : 1, sizeof(*candidates));
	struct job *jobs = calloc(RUNNABLE_PER_OWNER_MAX, sizeof(*jobs));

	if (candidates == NULL || jobs == NULL) {
		free(candidates);
		free(jobs);
		engine_break_for_memory(engine, "schedule");
		return;
	}
	for (const struct active *active = engine->actives; active != NULL; active = active->next)
		if (!active->winding)
			candidates[count++] = (struct schedule_candidate){ .row = active->row, .priority = active->priority,
				.created_ms = active->created_ms, .running = true };
	for (const struct present *present = engine->present; present != NULL; present = present->next) {
		if (engine_present_like(engine, present) == present)
			count = add_candidates(engine, present, jobs, candidates, count);
	}
	schedule_decide(candidates, count, &limits);
	/* Slots are taken back first, so that the files of the job that gets one find room. */
	for (size_t i = 0; i < count; i++) {
		struct active *active = candidates[i].running ? active_find(engine, candidates[i].row) : NULL;

		if (active != NULL && !candidates[i].wanted && active->work == JOB_WORK_TRANSFER)
			take_slot_back(engine, active);
	}
	for (size_t i = 0; i < count; i++)
		if (!candidates[i].running && candidates[i].wanted)
			begin_job(engine, candidates[i].row);
	free(candidates);
	free(jobs);
	engine->next_try_ms = next_try(engine);
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
