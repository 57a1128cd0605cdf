/* runtime/engine: what goes when its time is over - finished jobs, and unfinished ones whose lease ended. */
#include "runtime/engine_private.h"

#include <inttypes.h>

#define FORGET_INTERVAL_MS (3600 * 1000)
#define FORGET_AT_ONCE 20     /* finished jobs in one turn: each may have as many files as a job can */
#define EXPIRE_AT_ONCE 20
#define CLOCK_JUMP_MS (300 * 1000)   /* the wall clock against the monotonic one: more than that is no correction */
#define STEADY_MS_MAX (3600 * 1000)  /* how long the clock must have run steadily before a long lease can end by it */

void engine_forget_finished(struct engine *engine)
{
	int64_t keep_ms = (int64_t)engine->parts.settings->queue_finished_keep_s * 1000;
	uint32_t count = 0;
	struct fault fault;

	if (store_jobs_forget(engine->parts.store, engine_now(engine) - keep_ms, FORGET_AT_ONCE, &count, &fault) != RESULT_OK)
		engine_break(engine, &fault);
	/* With more left than one turn should carry, go on at the next one. */
	engine->forget_at_ms = engine_mono(engine) + (count == FORGET_AT_ONCE ? 0 : FORGET_INTERVAL_MS);
}

static void expire(struct engine *engine, struct job *job)
{
	struct active *active = active_find(engine, job->row);
	enum job_state from = job->state;
	struct fault fault;

	if (engine_move(engine, job, JOB_EVENT_CANCEL, &fault) != RESULT_OK) {
		engine_break(engine, &fault);
		return;
	}
	job->work = JOB_WORK_SWEEP;
	job->attempts = 0;
	job->next_try_ms = 0;
	(void)!fault_set(&job->error, RESULT_LEASE_OVER, FAULT_FERRY, 0, "lease_s is %" PRIu32, job->properties.lease_s);
	EVENTS_NOTE(engine->parts.events, JOB_EXPIRED, .job = job, .seconds = job->properties.lease_s);
	engine_review_token(engine, job);
	if (engine_save_job(engine, job, from) && active != NULL && !active->winding)
		active_wind_down(engine, active);
}

/* A wall clock that was set wrong, often for a few minutes after the machine's start, must not cost anybody a job: a
 * lease ends only by a clock that has agreed with the monotonic one for as long as the lease, or an hour. */
static void watch_clock(struct engine *engine)
{
	int64_t offset = engine_now(engine) - engine_mono(engine), moved = offset - engine->clock_offset_ms;

	if (moved > CLOCK_JUMP_MS || moved < -CLOCK_JUMP_MS)
		engine->steady_since_ms = engine_mono(engine);
	engine->clock_offset_ms = offset;
}

/* When the job may go, on the monotonic clock, its lease being over by the other. */
static int64_t may_expire_at(struct engine *engine, const struct job *job)
{
	int64_t lease_ms = (int64_t)job->properties.lease_s * 1000;

	return engine->steady_since_ms + (lease_ms < STEADY_MS_MAX ? lease_ms : STEADY_MS_MAX);
}

void engine_end_leases(struct engine *engine)
{
	int64_t rows[EXPIRE_AT_ONCE], mono = engine_mono(engine), now = engine_now(engine), next_ms = INT64_MAX;
	int64_t due = mono + FORGET_INTERVAL_MS; /* look at the clock as often, too */
	size_t count = 0;
	struct fault fault;

	watch_clock(engine);
	if (store_jobs_expired(engine->parts.store, now, rows, EXPIRE_AT_ONCE, &count, &fault) != RESULT_OK ||
	    store_jobs_next_expiry(engine->parts.store, now, &next_ms, &fault) != RESULT_OK) {
		engine_break(engine, &fault);
		return;
	}
	if (next_ms != INT64_MAX && mono + (next_ms - now) < due)
		due = mono + (next_ms - now);
	for (size_t i = 0; i < count && engine->broken.result == RESULT_OK; i++) {
		struct job job;

		if (!engine_load_job(engine, rows[i], &job))
			return;
		if (may_expire_at(engine, &job) > mono) {
			due = due < may_expire_at(engine, &job) ? due : may_expire_at(engine, &job);
			continue;
		}
		expire(engine, &job);
		due = count == EXPIRE_AT_ONCE ? mono : due;
	}
	engine->lease_at_ms = due;
}
