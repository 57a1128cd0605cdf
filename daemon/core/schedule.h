/* core/schedule - which jobs run, which rest, when to try again, and why a job waits.
 *
 * Pure: a snapshot, limits, the time and a seed go in, decisions come out.  Knows no threads, no Win32, no SQL.
 */
#ifndef FERRY_CORE_SCHEDULE_H
#define FERRY_CORE_SCHEDULE_H

#include "core/network.h"

/* One job that runs or could run now. */
struct schedule_candidate {
	int64_t row;
	enum job_priority priority;
	enum job_priority level; /* what counts: of one that runs, as its slice began with; out: as it is now */
	int64_t created_ms;
	int64_t for_ms; /* how long it has run in this slice, or waited */
	uint32_t owner_slots; /* that its owner has in the background, its own included */
	bool off;    /* nothing is fetched for it now */
	bool fetches; /* else it is names that are given or removed: that needs no slot, and takes none */
	bool running;
	bool keeps;  /* out: it runs, and its slice is not over; where it is, and it is wanted, another one begins */
	bool wanted; /* out: it should run */
};

struct schedule_limits {
	uint32_t background_jobs_max;              /* HIGH, NORMAL and LOW together; FOREGROUND jobs are not counted */
	uint32_t background_beside_foreground_max; /* the same while a FOREGROUND job runs */
	int64_t slice_ms;  /* how long one keeps its slot while others of its level wait */
	int64_t ageing_ms; /* after so much waiting it counts as of the next higher level, up to HIGH */
};

/* Decide `wanted` and `level` for each candidate: all that fetch nothing, all FOREGROUND jobs, then the first background jobs by level, within one
 * those whose slice is not over, then those whose owner has the fewest slots, then who waited longest, then the oldest;
 * none that is off.  A higher level takes the slot of a lower one
 * (docs/bits.md 4); a job that got its slot because it had waited keeps that level for a slice.  Reorders the array.
 * In how many ms time alone would change the decision; INT64_MAX: never. */
int64_t schedule_decide(struct schedule_candidate *candidates, size_t count, const struct schedule_limits *limits);

/* How many files of a job are worth fetching at once from a server: `usual`, or `most` where they are small and it is far
 * away, so that most of the time is spent on the way: a connection took so long to be made, a file so long to be fetched.
 * 0: not known yet.  A server that takes long to think is not far away. */
#define SCHEDULE_FAR_MS 20
uint32_t schedule_files_at_once(uint32_t usual, uint32_t most, uint32_t connect_ms, uint32_t fetch_ms);

/* When a job that failed `attempts` times in a row without progress is tried again: exponential from
 * SCHEDULE_RETRY_FIRST_MS up to retry_delay_s, with jitter from `random` (0.5 to 1 of it).  In ms from now. */
#define SCHEDULE_RETRY_FIRST_MS 1000
int64_t schedule_retry_delay_ms(uint32_t attempts, uint32_t retry_delay_s, uint32_t random);
/* The same where a server said how long to stay away (Retry-After, RFC 9110 section 10.2.3): not before that, whatever the
 * job's own delay, and up to a tenth later, since others were told the same. */
int64_t schedule_retry_after_ms(int64_t delay_ms, uint32_t retry_after_s, uint32_t random);

/* The outcome a transient failure really has at `now_ms`: NO_PROGRESS or MAX_TIME when the job's own limits are
 * reached, or would be before the server may be asked again (`retry_after_s`; 0: at any time), else `result` itself.
 * job->active_ms must count up to now.  docs/bits.md section 5. */
enum result schedule_verdict(const struct job *job, enum result result, uint32_t retry_after_s, int64_t now_ms);
/* How long the job may still go on without progress, in ms; 0: no more.  The last try is made when that is over. */
int64_t schedule_left_ms(const struct job *job, int64_t now_ms);

/* Why the job waits, or JOB_WAIT_NONE. */
struct schedule_present {
	bool owner;   /* there is a token of the job's owner */
	bool workers; /* there is a worker for each identity that the job needs, or room for one */
	bool no_network; /* there is none, as far as the system says */
	enum job_wait held; /* why nothing is fetched for its priority now; JOB_WAIT_NONE: it is */
};
enum job_wait schedule_wait(const struct job *job, struct schedule_present present, int64_t now_ms);

#endif
