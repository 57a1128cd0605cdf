#include "core/schedule.h"

#include <stdlib.h>

/* --- who runs --- */

static enum job_priority level_of(const struct schedule_candidate *candidate, const struct schedule_limits *limits)
{
	if (candidate->running)
		return candidate->keeps ? candidate->level : candidate->priority;
	if (candidate->priority <= JOB_HIGH)
		return candidate->priority;
	int64_t steps = candidate->for_ms / limits->ageing_ms;
	return steps < candidate->priority - JOB_HIGH ? (enum job_priority)(candidate->priority - steps) : JOB_HIGH;
}

static int64_t waited_ms(const struct schedule_candidate *candidate)
{
	return candidate->running ? 0 : candidate->for_ms;
}

/* The order in which slots are given.  Rows differ, so it is total and qsort's result is certain. */
static int compare_candidates(const void *left, const void *right)
{
	const struct schedule_candidate *a = left;
	const struct schedule_candidate *b = right;
	if (a->level != b->level)
		return a->level < b->level ? -1 : 1;
	if (a->keeps != b->keeps)
		return a->keeps ? -1 : 1;
	if (a->owner_slots != b->owner_slots)
		return a->owner_slots < b->owner_slots ? -1 : 1;
	if (waited_ms(a) != waited_ms(b))
		return waited_ms(a) > waited_ms(b) ? -1 : 1;
	if (a->running != b->running)
		return a->running ? 1 : -1; /* its slice is over */
	if (a->created_ms != b->created_ms)
		return a->created_ms < b->created_ms ? -1 : 1;
	return (a->row > b->row) - (a->row < b->row);
}

/* When a slice ends, or one who waits comes to a higher level. */
static int64_t left_ms(const struct schedule_candidate *candidate, const struct schedule_limits *limits)
{
	if (candidate->priority == JOB_FOREGROUND || candidate->off || !candidate->fetches)
		return INT64_MAX;
	if (candidate->wanted)
		return candidate->keeps ? limits->slice_ms - candidate->for_ms : limits->slice_ms;
	return candidate->level > JOB_HIGH ? limits->ageing_ms - waited_ms(candidate) % limits->ageing_ms : INT64_MAX;
}

static int64_t next_change_ms(const struct schedule_candidate *candidates, size_t count, const struct schedule_limits *limits)
{
	int64_t next_ms = INT64_MAX;
	bool somebody_waits = false;

	for (size_t i = 0; i < count; i++) {
		int64_t left = left_ms(&candidates[i], limits);

		somebody_waits |= !candidates[i].wanted && !candidates[i].off;
		next_ms = left < next_ms ? left : next_ms;
	}
	return somebody_waits ? next_ms : INT64_MAX;
}

int64_t schedule_decide(struct schedule_candidate *candidates, size_t count, const struct schedule_limits *limits)
{
	uint32_t background_left = limits->background_jobs_max;

	for (size_t i = 0; i < count; i++) {
		struct schedule_candidate *candidate = &candidates[i];
		candidate->keeps = candidate->running && candidate->for_ms < limits->slice_ms;
		candidate->level = level_of(candidate, limits);
		if (candidate->priority == JOB_FOREGROUND && candidate->fetches && !candidate->off &&
		    background_left > limits->background_beside_foreground_max)
			background_left = limits->background_beside_foreground_max;
	}
	if (count > 1)
		qsort(candidates, count, sizeof(*candidates), compare_candidates);
	for (size_t i = 0; i < count; i++) {
		struct schedule_candidate *candidate = &candidates[i];
		bool needs_slot = candidate->fetches && candidate->priority != JOB_FOREGROUND;
		candidate->wanted = !candidate->off && (!needs_slot || background_left > 0);
		if (candidate->wanted && needs_slot)
			background_left--;
	}
	return next_change_ms(candidates, count, limits);
}

uint32_t schedule_files_at_once(uint32_t usual, uint32_t most, uint32_t connect_ms, uint32_t fetch_ms)
{
	/* Connecting takes one round trip; a small file one or two, and as much again for TLS where that is new. */
	bool is_far = connect_ms >= SCHEDULE_FAR_MS && fetch_ms > 0 && fetch_ms / 4 < connect_ms;

	return is_far && most > usual ? most : usual;
}

/* --- when a failed job is tried again --- */

int64_t schedule_retry_delay_ms(uint32_t attempts, uint32_t retry_delay_s, uint32_t random)
{
	uint64_t longest_ms = (uint64_t)retry_delay_s * 1000;
	if (longest_ms < SCHEDULE_RETRY_FIRST_MS)
		longest_ms = SCHEDULE_RETRY_FIRST_MS;
	uint64_t delay_ms = SCHEDULE_RETRY_FIRST_MS;
	for (uint32_t i = 1; i < attempts && delay_ms < longest_ms; i++)
		delay_ms *= 2;
	if (delay_ms > longest_ms)
		delay_ms = longest_ms;

	/* Between one half and the whole, so that what failed together does not come back together.  The upper
	 * 16 bits of `random` are plenty, and the product stays below 2^58. */
	uint64_t half_ms = delay_ms / 2;
	return (int64_t)(half_ms + (delay_ms - half_ms) * (random >> 16) / 0xFFFF);
}

int64_t schedule_retry_after_ms(int64_t delay_ms, uint32_t retry_after_s, uint32_t random)
{
	uint64_t after_ms = (uint64_t)retry_after_s * 1000;

	after_ms += after_ms / 10 * (random >> 16) / 0xFFFF;
	return (int64_t)after_ms > delay_ms ? (int64_t)after_ms : delay_ms;
}

/* --- what a failure really is --- */

/* The clock may have been set back: that counts as no time.  Unsigned, so that no difference overflows. */
static uint64_t elapsed_ms(int64_t since_ms, int64_t now_ms)
{
	return now_ms > since_ms ? (uint64_t)now_ms - (uint64_t)since_ms : 0;
}

int64_t schedule_left_ms(const struct job *job, int64_t now_ms)
{
	uint64_t all_ms = (uint64_t)job->properties.no_progress_timeout_s * 1000;
	uint64_t gone_ms = elapsed_ms(job->progress_ms, now_ms);

	return gone_ms < all_ms ? (int64_t)(all_ms - gone_ms) : 0;
}

/* BITS goes straight to ERROR if its retry delay is longer than the no-progress timeout.  Not here: our delay
 * begins at a second and grows, so that there is a use in trying within any timeout but 0. */
enum result schedule_verdict(const struct job *job, enum result result, uint32_t retry_after_s, int64_t now_ms)
{
	int64_t left_ms = schedule_left_ms(job, now_ms);

	if (result_class(result) != RETRY_LATER)
		return result;

	if (job->active_ms >= (uint64_t)job->properties.max_time_s * 1000)
		return RESULT_MAX_TIME;
	if (left_ms == 0 || (int64_t)retry_after_s * 1000 > left_ms)
		return RESULT_NO_PROGRESS;
	return result;
}

/* --- why a job waits --- */

enum job_wait schedule_wait(const struct job *job, struct schedule_present present, int64_t now_ms)
{
	/* Names are given and leftovers removed by a file worker, in whatever state the job is. */
	bool owes_files = job->work == JOB_WORK_PUBLISH || job->work == JOB_WORK_SWEEP;
	bool wants_slot = job->state == JOB_QUEUED || job->state == JOB_TRANSIENT_ERROR;
	if (!owes_files && !wants_slot)
		return JOB_WAIT_NONE;

	/* First what lasts until somebody does something about it. */
	if (!present.owner)
		return JOB_WAIT_OWNER_ABSENT;
	if (job->token_wait)
		return JOB_WAIT_TOKEN;
	if (job->next_try_ms > now_ms)
		return job->error.result == RESULT_DISK_FULL     ? JOB_WAIT_DISK_FULL :
		       job->error.result == RESULT_VOLUME_GONE ? JOB_WAIT_VOLUME_GONE :
		       present.no_network && network_explains(job->error.result) ? JOB_WAIT_NO_NETWORK :
		                                                   JOB_WAIT_RETRY;
	if (present.held != JOB_WAIT_NONE && !owes_files)
		return present.held;
	if (!present.workers)
		return JOB_WAIT_WORKERS;
	return owes_files ? JOB_WAIT_NONE : JOB_WAIT_SLOT;
}
