#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "core/schedule.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* --- who runs --- */

#define CANDIDATES_MAX 8
#define SLICE_MS 900000
#define AGEING_MS 3600000

static void schedule_decide__table__gives_slots_by_level_then_running_then_age(void **state)
{
	(void)state;
	static const struct {
		uint32_t background_max;
		struct schedule_candidate in[CANDIDATES_MAX]; /* row 0 ends */
		int64_t order[CANDIDATES_MAX];                /* rows as they must stand afterwards */
		size_t wanted;                                /* how many of them, from the front, run */
	} cases[] = {
		{ 1, { { 0 } }, { 0 }, 0 },
		{ 0, { { .fetches = true, .row = 1, .priority = JOB_HIGH } }, { 1 }, 0 },
		{ 0, { { .fetches = true, .row = 1, .priority = JOB_FOREGROUND } }, { 1 }, 1 },
		{ 1, { { .fetches = true, .row = 1, .priority = JOB_LOW } }, { 1 }, 1 },
		/* all of the foreground run, and one in the background */
		{ 1,
		  { { .fetches = true, .row = 1, .priority = JOB_LOW },
		    { .fetches = true, .row = 2, .priority = JOB_FOREGROUND },
		    { .fetches = true, .row = 3, .priority = JOB_NORMAL },
		    { .fetches = true, .row = 4, .priority = JOB_FOREGROUND },
		    { .fetches = true, .row = 5, .priority = JOB_FOREGROUND } },
		  { 2, 4, 5, 3, 1 }, 4 },
		/* a higher level takes the slot of a running lower one */
		{ 1,
		  { { .fetches = true, .row = 1, .priority = JOB_NORMAL, .level = JOB_NORMAL, .running = true, .created_ms = 1 },
		    { .fetches = true, .row = 2, .priority = JOB_HIGH, .created_ms = 9 } },
		  { 2, 1 }, 1 },
		/* within a level who runs goes on, however old who waits is */
		{ 1,
		  { { .fetches = true, .row = 1, .priority = JOB_NORMAL, .created_ms = 1 },
		    { .fetches = true, .row = 2, .priority = JOB_NORMAL, .level = JOB_NORMAL, .running = true, .created_ms = 9 } },
		  { 2, 1 }, 1 },
		/* oldest first; the row decides between those made at once */
		{ 2,
		  { { .fetches = true, .row = 9, .priority = JOB_NORMAL, .created_ms = 5 },
		    { .fetches = true, .row = 3, .priority = JOB_NORMAL, .created_ms = 5 },
		    { .fetches = true, .row = 7, .priority = JOB_NORMAL, .created_ms = 4 } },
		  { 7, 3, 9 }, 2 },
		/* times from both ends of the scale */
		{ 1,
		  { { .fetches = true, .row = 1, .priority = JOB_LOW, .created_ms = INT64_MAX },
		    { .fetches = true, .row = 2, .priority = JOB_LOW, .created_ms = INT64_MIN },
		    { .fetches = true, .row = INT64_MAX, .priority = JOB_LOW, .created_ms = 0 },
		    { .fetches = true, .row = INT64_MIN, .priority = JOB_LOW, .created_ms = 0 } },
		  { 2, INT64_MIN, INT64_MAX, 1 }, 1 },
		{ UINT32_MAX,
		  { { .fetches = true, .row = 1, .priority = JOB_LOW }, { .fetches = true, .row = 2, .priority = JOB_HIGH } }, { 2, 1 }, 2 },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct schedule_candidate candidates[CANDIDATES_MAX];
		struct schedule_limits limits = { cases[i].background_max, cases[i].background_max, SLICE_MS, AGEING_MS };
		size_t count = 0;
		memcpy(candidates, cases[i].in, sizeof(candidates));
		for (; candidates[count].row != 0; count++)
			candidates[count].wanted = count % 2 == 0; /* what stood there must not matter */
		schedule_decide(candidates, count, &limits);
		for (size_t at = 0; at < count; at++) {
			if (candidates[at].row != cases[i].order[at])
				fail_msg("case %d, place %d: row %lld", (int)i, (int)at, (long long)candidates[at].row);
			assert_int_equal(candidates[at].wanted, at < cases[i].wanted);
		}
	}
}

#define RUNS(number, own, counts, ms) \
	{ .row = number, .priority = own, .level = counts, .running = true, .for_ms = ms, .fetches = true }
#define WAITS(number, own, ms) { .row = number, .priority = own, .for_ms = ms, .fetches = true }

static void schedule_decide__slices_and_ageing__let_everybody_have_a_turn(void **state)
{
	(void)state;
	static const struct {
		uint32_t background_max, beside_max;
		struct schedule_candidate in[CANDIDATES_MAX];
		int64_t wanted[CANDIDATES_MAX]; /* rows, in any order; 0 ends */
		int64_t change_ms;
	} cases[] = {
		/* in its slice it is left alone, to the end of that */
		{ 1, 1, { RUNS(1, JOB_NORMAL, JOB_NORMAL, 1), WAITS(2, JOB_NORMAL, SLICE_MS) }, { 1 }, SLICE_MS - 1 },
		{ 1, 1, { RUNS(1, JOB_NORMAL, JOB_NORMAL, SLICE_MS - 1), WAITS(2, JOB_NORMAL, 5) }, { 1 }, 1 },
		/* then the one who waited longest comes */
		{ 1, 1, { RUNS(1, JOB_NORMAL, JOB_NORMAL, SLICE_MS), WAITS(2, JOB_NORMAL, 5), WAITS(3, JOB_NORMAL, 6) }, { 3 }, SLICE_MS },
		/* nobody waits, or nobody of its level: it goes on, without being looked at again in the first case */
		{ 1, 1, { RUNS(1, JOB_LOW, JOB_LOW, SLICE_MS) }, { 1 }, INT64_MAX },
		{ 1, 1, { RUNS(1, JOB_HIGH, JOB_HIGH, SLICE_MS), WAITS(2, JOB_NORMAL, 5) }, { 1 }, SLICE_MS },
		{ 2, 2, { RUNS(1, JOB_LOW, JOB_LOW, SLICE_MS), WAITS(2, JOB_LOW, 5) }, { 1, 2 }, INT64_MAX },
		/* who waits long enough counts as of the next level, once and again, and no further */
		{ 1, 1, { RUNS(1, JOB_NORMAL, JOB_NORMAL, SLICE_MS), WAITS(2, JOB_LOW, AGEING_MS) }, { 2 }, SLICE_MS },
		{ 1, 1, { RUNS(1, JOB_NORMAL, JOB_NORMAL, 5), WAITS(2, JOB_LOW, AGEING_MS - 3) }, { 1 }, 3 },
		{ 1, 1, { RUNS(1, JOB_NORMAL, JOB_NORMAL, 5), WAITS(2, JOB_LOW, 2 * AGEING_MS) }, { 2 }, SLICE_MS },
		{ 1, 1, { RUNS(1, JOB_HIGH, JOB_HIGH, 5), WAITS(2, JOB_LOW, 2 * AGEING_MS) }, { 1 }, SLICE_MS - 5 },
		{ 1, 1, { RUNS(1, JOB_HIGH, JOB_HIGH, SLICE_MS), WAITS(2, JOB_LOW, 900 * (int64_t)AGEING_MS) }, { 2 }, SLICE_MS },
		{ 1, 1, { WAITS(1, JOB_HIGH, 0), WAITS(2, JOB_LOW, 2 * AGEING_MS) }, { 2 }, SLICE_MS },
		/* what it got by waiting is its own for a slice, and no longer */
		{ 1, 1, { RUNS(1, JOB_LOW, JOB_HIGH, 5), WAITS(2, JOB_HIGH, 7) }, { 1 }, SLICE_MS - 5 },
		{ 1, 1, { RUNS(1, JOB_LOW, JOB_HIGH, SLICE_MS), WAITS(2, JOB_NORMAL, 7) }, { 2 }, SLICE_MS },
		/* somebody waits for the foreground */
		{ 3, 1, { RUNS(1, JOB_HIGH, JOB_HIGH, 5), RUNS(2, JOB_HIGH, JOB_HIGH, 6), WAITS(3, JOB_FOREGROUND, 0) }, { 1, 3 }, SLICE_MS - 5 },
		{ 3, 0, { RUNS(1, JOB_HIGH, JOB_HIGH, 5), RUNS(2, JOB_FOREGROUND, JOB_FOREGROUND, 9 * SLICE_MS) }, { 2 }, INT64_MAX },
		{ 1, 3, { RUNS(1, JOB_HIGH, JOB_HIGH, 5), WAITS(2, JOB_HIGH, 6), WAITS(3, JOB_FOREGROUND, 0) }, { 1, 3 }, SLICE_MS - 5 },
		/* owners have turns, too, whoever has more jobs; within a level */
		{ 1, 1, { { .row = 1, .priority = JOB_NORMAL, .level = JOB_NORMAL, .running = true, .for_ms = SLICE_MS, .fetches = true, .owner_slots = 1 },
		          { .row = 2, .priority = JOB_NORMAL, .for_ms = 9999, .fetches = true, .owner_slots = 1 },
		          { .row = 3, .priority = JOB_NORMAL, .for_ms = 5, .fetches = true } }, { 3 }, SLICE_MS },
		{ 1, 1, { { .row = 1, .priority = JOB_NORMAL, .for_ms = 5, .fetches = true },
		          { .row = 2, .priority = JOB_HIGH, .for_ms = 5, .fetches = true, .owner_slots = 9 } }, { 2 }, SLICE_MS },
		/* what only gives names takes no slot, nor does it make anybody wait */
		{ 1, 0, { RUNS(1, JOB_LOW, JOB_LOW, 5), { .row = 2, .priority = JOB_LOW }, { .row = 3, .priority = JOB_FOREGROUND } }, { 1, 2, 3 }, INT64_MAX },
		/* what is off neither runs nor makes anybody wait */
		{ 1, 0, { RUNS(1, JOB_LOW, JOB_LOW, 5), { .row = 2, .priority = JOB_FOREGROUND, .fetches = true, .off = true } }, { 1 }, INT64_MAX },
		{ 1, 1, { { .row = 1, .priority = JOB_LOW, .level = JOB_LOW, .running = true, .for_ms = 5, .fetches = true, .off = true }, WAITS(2, JOB_LOW, 7) }, { 2 }, INT64_MAX },
		/* time that stands still, as after the clock was set back, keeps nobody from a turn */
		{ 1, 1, { RUNS(1, JOB_NORMAL, JOB_NORMAL, SLICE_MS), WAITS(2, JOB_NORMAL, 0) }, { 2 }, SLICE_MS },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct schedule_candidate candidates[CANDIDATES_MAX];
		struct schedule_limits limits = { cases[i].background_max, cases[i].beside_max, SLICE_MS, AGEING_MS };
		size_t count = 0;
		memcpy(candidates, cases[i].in, sizeof(candidates));
		while (candidates[count].row != 0)
			count++;
		int64_t change_ms = schedule_decide(candidates, count, &limits);
		if (change_ms != cases[i].change_ms)
			fail_msg("case %d: looked at again after %lld ms", (int)i, (long long)change_ms);
		for (size_t at = 0; at < count; at++) {
			bool wanted = false;
			for (size_t n = 0; cases[i].wanted[n] != 0; n++)
				wanted |= cases[i].wanted[n] == candidates[at].row;
			if (candidates[at].wanted != wanted)
				fail_msg("case %d: row %d", (int)i, (int)candidates[at].row);
		}
	}
}

/* A hundred jobs of three levels and one slot: each of them runs, and none waits longer than the limits allow. */
static void schedule_decide__over_weeks__nobody_starves(void **state)
{
	(void)state;
	enum { JOBS = 100, STEP_MS = 60000 };
	struct schedule_limits limits = { 1, 1, SLICE_MS, AGEING_MS };
	static struct schedule_candidate jobs[JOBS];
	int64_t longest_ms = 0;
	for (unsigned i = 0; i < JOBS; i++)
		jobs[i] = (struct schedule_candidate){ .fetches = true, .row = i + 1, .priority = i % 4 == 0 ? JOB_HIGH : i % 4 == 1 ? JOB_LOW : JOB_NORMAL };
	for (unsigned step = 0; step < 60 * 24 * 60; step++) {
		(void)schedule_decide(jobs, JOBS, &limits);
		unsigned running = 0;
		for (unsigned i = 0; i < JOBS; i++) {
			if (jobs[i].wanted ? !jobs[i].keeps : jobs[i].running)
				jobs[i].for_ms = 0;
			jobs[i].running = jobs[i].wanted;
			running += jobs[i].running;
			jobs[i].for_ms += STEP_MS;
			if (!jobs[i].running && jobs[i].for_ms > longest_ms)
				longest_ms = jobs[i].for_ms;
		}
		assert_int_equal(running, 1);
	}
	assert_true(longest_ms < JOBS * (int64_t)SLICE_MS + 2 * AGEING_MS + STEP_MS);
}

static void schedule_decide__no_candidates__is_harmless(void **state)
{
	(void)state;
	struct schedule_limits limits = { 1, 1, SLICE_MS, AGEING_MS };
	schedule_decide(NULL, 0, &limits);
}

/* The decision does not depend on the order of the snapshot, and deciding again changes nothing. */
static void schedule_decide__shuffled__decides_the_same_and_is_stable(void **state)
{
	(void)state;
	enum { JOBS = 200 };
	struct schedule_candidate first[JOBS];
	struct schedule_candidate again[JOBS];
	struct schedule_limits limits = { 17, 17, SLICE_MS, AGEING_MS };
	uint32_t random = 1;
	for (unsigned i = 0; i < JOBS; i++) {
		random = random * 1664525u + 1013904223u;
		first[i] = (struct schedule_candidate){
			.row = (int64_t)i + 1,
			.priority = (enum job_priority)((random >> 8) % JOB_PRIORITY_COUNT),
			.created_ms = (random >> 16) % 10,
			.running = (random >> 24) & 1,
			.fetches = true,
			.level = (enum job_priority)((random >> 8) % JOB_PRIORITY_COUNT),
			.for_ms = (random >> 4) % (2 * SLICE_MS),
		};
	}
	memcpy(again, first, sizeof(again));
	for (unsigned i = JOBS - 1; i > 0; i--) {
		random = random * 1664525u + 1013904223u;
		unsigned other = (random >> 8) % (i + 1);
		struct schedule_candidate held = again[i];
		again[i] = again[other];
		again[other] = held;
	}
	schedule_decide(first, JOBS, &limits);
	schedule_decide(again, JOBS, &limits);
	unsigned background = 0;
	for (unsigned i = 0; i < JOBS; i++) {
		assert_int_equal(first[i].row, again[i].row);
		assert_int_equal(first[i].wanted, again[i].wanted);
		if (first[i].priority == JOB_FOREGROUND)
			assert_true(first[i].wanted);
		else
			background += first[i].wanted;
	}
	assert_int_equal(background, limits.background_jobs_max);

	/* Let what was decided happen: the same jobs keep their slots. */
	for (unsigned i = 0; i < JOBS; i++) {
		if (again[i].wanted ? !again[i].keeps : again[i].running)
			again[i].for_ms = 0;
		again[i].running = again[i].wanted;
	}
	schedule_decide(again, JOBS, &limits);
	for (unsigned i = 0; i < JOBS; i++)
		assert_int_equal(again[i].running, again[i].wanted);
}

static void schedule_files_at_once__small_files_far_away__are_more(void **state)
{
	(void)state;
	assert_int_equal(schedule_files_at_once(6, 16, 0, 0), 6);
	assert_int_equal(schedule_files_at_once(6, 16, 80, 0), 6);
	assert_int_equal(schedule_files_at_once(6, 16, 0, 80), 6);
	assert_int_equal(schedule_files_at_once(6, 16, 80, 85), 16);
	assert_int_equal(schedule_files_at_once(6, 16, SCHEDULE_FAR_MS, 25), 16);
	assert_int_equal(schedule_files_at_once(6, 16, SCHEDULE_FAR_MS - 1, 25), 6); /* not far */
	assert_int_equal(schedule_files_at_once(6, 16, 80, 319), 16);
	assert_int_equal(schedule_files_at_once(6, 16, 80, 320), 6); /* large, or the server takes its time */
	assert_int_equal(schedule_files_at_once(6, 6, 80, 85), 6);
	assert_int_equal(schedule_files_at_once(6, 1, 80, 85), 6);
	assert_int_equal(schedule_files_at_once(6, 16, UINT32_MAX, UINT32_MAX), 16);
}

/* --- when it is tried again --- */

static void schedule_retry_delay__grows_from_a_second_to_the_job_s_own(void **state)
{
	(void)state;
	static const struct {
		uint32_t attempts, retry_delay_s;
		int64_t most_ms; /* without jitter */
	} cases[] = {
		{ 0, 600, 1000 },      { 1, 600, 1000 },       { 2, 600, 2000 },
		{ 3, 600, 4000 },      { 10, 600, 512000 },    { 11, 600, 600000 },
		{ 12, 600, 600000 },   { UINT32_MAX, 600, 600000 },
		{ 1, 5, 1000 },        { 3, 5, 4000 },         { 4, 5, 5000 },
		{ 1, 0, 1000 },        { 99, 0, 1000 },        { 99, 1, 1000 },
		{ UINT32_MAX, UINT32_MAX, (int64_t)UINT32_MAX * 1000 },
		{ 33, UINT32_MAX, (int64_t)UINT32_MAX * 1000 },
		{ 32, UINT32_MAX, (int64_t)1000 << 31 },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		uint32_t attempts = cases[i].attempts;
		uint32_t longest = cases[i].retry_delay_s;
		assert_int_equal(schedule_retry_delay_ms(attempts, longest, UINT32_MAX), cases[i].most_ms);
		assert_int_equal(schedule_retry_delay_ms(attempts, longest, 0), cases[i].most_ms / 2);
		int64_t before = 0;
		for (uint32_t random = 0; random < UINT32_MAX - 0x01000000u; random += 0x01000000u) {
			int64_t delay = schedule_retry_delay_ms(attempts, longest, random);
			assert_true(delay >= cases[i].most_ms / 2 && delay <= cases[i].most_ms && delay >= before);
			before = delay;
		}
	}
}

static void schedule_retry_after__not_before_the_server_asked_nor_together_with_others(void **state)
{
	(void)state;
	static const struct {
		int64_t delay_ms;
		uint32_t retry_after_s;
		int64_t least_ms, most_ms; /* as jitter has it */
	} cases[] = {
		{ 1000, 0, 1000, 1000 },      { 1000, 1, 1000, 1100 },          { 1000, 120, 120000, 132000 },
		{ 600000, 120, 600000, 600000 }, { 0, 86400, 86400000, 95040000 }, { 500, UINT32_MAX, (int64_t)UINT32_MAX * 1000,
		                                                                     (int64_t)UINT32_MAX * 1100 },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_int_equal(schedule_retry_after_ms(cases[i].delay_ms, cases[i].retry_after_s, 0), cases[i].least_ms);
		assert_int_equal(schedule_retry_after_ms(cases[i].delay_ms, cases[i].retry_after_s, UINT32_MAX), cases[i].most_ms);
	}
}

/* --- what a failure really is --- */

static void schedule_verdict__table__the_job_s_limits_make_it_final(void **state)
{
	(void)state;
	static const struct {
		enum result result;
		uint32_t no_progress_s, max_s;
		int64_t progress_ms;
		uint64_t active_ms;
		int64_t now_ms;
		enum result verdict;
	} cases[] = {
		{ RESULT_STALLED, 10, 100, 1000, 0, 1000, RESULT_STALLED },
		{ RESULT_STALLED, 10, 100, 1000, 0, 10999, RESULT_STALLED },
		{ RESULT_STALLED, 10, 100, 1000, 0, 11000, RESULT_NO_PROGRESS },
		{ RESULT_STALLED, 10, 100, 1000, 99999, 1000, RESULT_STALLED },
		{ RESULT_STALLED, 10, 100, 1000, 100000, 1000, RESULT_MAX_TIME },
		{ RESULT_STALLED, 10, 100, 1000, UINT64_MAX, 1000, RESULT_MAX_TIME },
		{ RESULT_STALLED, 10, 100, 0, 100000, 99999999, RESULT_MAX_TIME }, /* both: the harder limit */
		/* 0: the first transient error is final */
		{ RESULT_CONNECT_FAILED, 0, 100, 1000, 0, 1000, RESULT_NO_PROGRESS },
		{ RESULT_CONNECT_FAILED, 0, 100, 1000, 0, 0, RESULT_NO_PROGRESS },
		/* a clock that was set back counts as no time */
		{ RESULT_STALLED, 10, 100, 1000000, 0, 5, RESULT_STALLED },
		/* what is no transient failure stays what it is */
		{ RESULT_HTTP_STATUS, 0, 100, 0, UINT64_MAX, INT64_MAX, RESULT_HTTP_STATUS },
		{ RESULT_DENIED, 0, 100, 0, 0, 1000, RESULT_DENIED },
		{ RESULT_INVALID_STATE, 0, 100, 0, 0, 1000, RESULT_INVALID_STATE },
		{ RESULT_OK, 0, 100, 0, UINT64_MAX, 1000, RESULT_OK },
		/* the ends of the scales */
		{ RESULT_STALLED, UINT32_MAX, UINT32_MAX, INT64_MIN, 0, INT64_MAX, RESULT_NO_PROGRESS },
		{ RESULT_STALLED, 10, 100, INT64_MAX, 0, INT64_MIN, RESULT_STALLED },
		{ RESULT_STALLED, UINT32_MAX, UINT32_MAX, 0, (uint64_t)UINT32_MAX * 1000 - 1,
		  (int64_t)UINT32_MAX * 1000 - 1, RESULT_STALLED },
		{ RESULT_STALLED, UINT32_MAX, UINT32_MAX, 0, 0, (int64_t)UINT32_MAX * 1000, RESULT_NO_PROGRESS },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct job job = {
			.state = JOB_TRANSFERRING,
			.progress_ms = cases[i].progress_ms,
			.active_ms = cases[i].active_ms,
		};
		job.properties.no_progress_timeout_s = cases[i].no_progress_s;
		job.properties.max_time_s = cases[i].max_s;
		enum result verdict = schedule_verdict(&job, cases[i].result, 0, cases[i].now_ms);
		if (verdict != cases[i].verdict)
			fail_msg("case %d: %s", (int)i, result_name(verdict));
	}
}

static void schedule_left__counts_down_and_a_server_that_asks_for_more_ends_it(void **state)
{
	(void)state;
	struct job job = { .state = JOB_TRANSFERRING, .progress_ms = 1000 };
	job.properties.no_progress_timeout_s = 120;
	job.properties.max_time_s = 3600;
	assert_int_equal(schedule_left_ms(&job, 1000), 120000);
	assert_int_equal(schedule_left_ms(&job, 61000), 60000);
	assert_int_equal(schedule_left_ms(&job, 121000), 0);
	assert_int_equal(schedule_left_ms(&job, INT64_MAX), 0);
	assert_int_equal(schedule_left_ms(&job, 0), 120000); /* the clock was set back */
	assert_int_equal(schedule_verdict(&job, RESULT_HTTP_TRANSIENT, 60, 61000), RESULT_HTTP_TRANSIENT);
	assert_int_equal(schedule_verdict(&job, RESULT_HTTP_TRANSIENT, 61, 61000), RESULT_NO_PROGRESS);
	assert_int_equal(schedule_verdict(&job, RESULT_HTTP_STATUS, 61, 61000), RESULT_HTTP_STATUS);
	assert_int_equal(schedule_verdict(&job, RESULT_HTTP_TRANSIENT, UINT32_MAX, 1000), RESULT_NO_PROGRESS);
}

/* --- why a job waits --- */

/* O: the owner is there, W: workers are, or room for them, T: the work waits for a helper token, N: there is no network,
 * M: for its priority nothing is fetched, since the network is metered. */
static void schedule_wait__table__names_what_lasts_longest(void **state)
{
	(void)state;
	static const struct {
		enum job_state state;
		enum job_work work;
		const char *facts;
		int64_t next_try_ms; /* the time is 1000 */
		enum result error;
		enum job_wait wait;
	} cases[] = {
		{ JOB_QUEUED, JOB_WORK_TRANSFER, "OW", 0, RESULT_OK, JOB_WAIT_SLOT },
		{ JOB_QUEUED, JOB_WORK_TRANSFER, "OW", 1000, RESULT_OK, JOB_WAIT_SLOT },
		{ JOB_QUEUED, JOB_WORK_TRANSFER, "OW", 1001, RESULT_STALLED, JOB_WAIT_RETRY },
		{ JOB_QUEUED, JOB_WORK_TRANSFER, "OW", INT64_MAX, RESULT_DISK_FULL, JOB_WAIT_DISK_FULL },
		{ JOB_QUEUED, JOB_WORK_TRANSFER, "OW", INT64_MAX, RESULT_VOLUME_GONE, JOB_WAIT_VOLUME_GONE },
		{ JOB_QUEUED, JOB_WORK_TRANSFER, "W", 0, RESULT_OK, JOB_WAIT_OWNER_ABSENT },
		{ JOB_QUEUED, JOB_WORK_TRANSFER, "W", 5000, RESULT_DISK_FULL, JOB_WAIT_OWNER_ABSENT },
		{ JOB_TRANSIENT_ERROR, JOB_WORK_TRANSFER, "OW", 5000, RESULT_STALLED, JOB_WAIT_RETRY },
		{ JOB_TRANSIENT_ERROR, JOB_WORK_TRANSFER, "OW", 0, RESULT_STALLED, JOB_WAIT_SLOT }, /* due */
		{ JOB_TRANSIENT_ERROR, JOB_WORK_TRANSFER, "O", 0, RESULT_STALLED, JOB_WAIT_WORKERS },
		{ JOB_TRANSIENT_ERROR, JOB_WORK_TRANSFER, "OW", 5000, RESULT_DISK_FULL, JOB_WAIT_DISK_FULL },
		{ JOB_TRANSIENT_ERROR, JOB_WORK_TRANSFER, "W", 5000, RESULT_STALLED, JOB_WAIT_OWNER_ABSENT },
		/* the helper token: after the owner, before time and room */
		{ JOB_QUEUED, JOB_WORK_TRANSFER, "OWT", 0, RESULT_OK, JOB_WAIT_TOKEN },
		{ JOB_QUEUED, JOB_WORK_TRANSFER, "OT", 5000, RESULT_DISK_FULL, JOB_WAIT_TOKEN },
		{ JOB_QUEUED, JOB_WORK_TRANSFER, "WT", 0, RESULT_OK, JOB_WAIT_OWNER_ABSENT },
		{ JOB_TRANSIENT_ERROR, JOB_WORK_TRANSFER, "OWT", 5000, RESULT_STALLED, JOB_WAIT_TOKEN },
		{ JOB_TRANSFERRED, JOB_WORK_PUBLISH, "OWT", 5000, RESULT_LOCKED, JOB_WAIT_TOKEN },
		{ JOB_CANCELLED, JOB_WORK_SWEEP, "OWT", 0, RESULT_OK, JOB_WAIT_TOKEN },
		{ JOB_SUSPENDED, JOB_WORK_NONE, "OWT", 0, RESULT_OK, JOB_WAIT_NONE },
		{ JOB_TRANSFERRING, JOB_WORK_TRANSFER, "OWT", 0, RESULT_OK, JOB_WAIT_NONE },
		/* room for its identities: told when the time has come */
		{ JOB_QUEUED, JOB_WORK_TRANSFER, "O", 0, RESULT_OK, JOB_WAIT_WORKERS },
		{ JOB_QUEUED, JOB_WORK_TRANSFER, "O", 1000, RESULT_OK, JOB_WAIT_WORKERS },
		{ JOB_QUEUED, JOB_WORK_TRANSFER, "O", 1001, RESULT_STALLED, JOB_WAIT_RETRY },
		{ JOB_QUEUED, JOB_WORK_TRANSFER, "", 0, RESULT_OK, JOB_WAIT_OWNER_ABSENT },
		{ JOB_TRANSFERRED, JOB_WORK_PUBLISH, "O", 0, RESULT_OK, JOB_WAIT_WORKERS },
		{ JOB_CANCELLED, JOB_WORK_SWEEP, "O", 0, RESULT_OK, JOB_WAIT_WORKERS },
		{ JOB_CONNECTING, JOB_WORK_TRANSFER, "O", 0, RESULT_OK, JOB_WAIT_NONE },
		/* these hold a slot */
		{ JOB_CONNECTING, JOB_WORK_TRANSFER, "OW", 0, RESULT_OK, JOB_WAIT_NONE },
		{ JOB_TRANSFERRING, JOB_WORK_TRANSFER, "OW", 0, RESULT_OK, JOB_WAIT_NONE },
		{ JOB_TRANSFERRING, JOB_WORK_TRANSFER, "W", 5000, RESULT_OK, JOB_WAIT_NONE },
		/* these wait for somebody, not for us */
		{ JOB_SUSPENDED, JOB_WORK_NONE, "", 5000, RESULT_OK, JOB_WAIT_NONE },
		{ JOB_ERROR, JOB_WORK_NONE, "", 5000, RESULT_DISK_FULL, JOB_WAIT_NONE },
		{ JOB_TRANSFERRED, JOB_WORK_NONE, "", 0, RESULT_OK, JOB_WAIT_NONE },
		{ JOB_CANCELLED, JOB_WORK_NONE, "", 0, RESULT_OK, JOB_WAIT_NONE },
		/* without a network only what failed for want of one waits for it, and until its time comes */
		{ JOB_QUEUED, JOB_WORK_TRANSFER, "OWN", 0, RESULT_OK, JOB_WAIT_SLOT },
		{ JOB_TRANSIENT_ERROR, JOB_WORK_TRANSFER, "OWN", 5000, RESULT_CONNECT_FAILED, JOB_WAIT_NO_NETWORK },
		{ JOB_TRANSIENT_ERROR, JOB_WORK_TRANSFER, "OWN", 5000, RESULT_NAME_NOT_RESOLVED, JOB_WAIT_NO_NETWORK },
		{ JOB_TRANSIENT_ERROR, JOB_WORK_TRANSFER, "OWN", 5000, RESULT_HTTP_TRANSIENT, JOB_WAIT_RETRY },
		{ JOB_TRANSIENT_ERROR, JOB_WORK_TRANSFER, "OWN", 5000, RESULT_DISK_FULL, JOB_WAIT_DISK_FULL },
		{ JOB_TRANSIENT_ERROR, JOB_WORK_TRANSFER, "OWN", 5000, RESULT_VOLUME_GONE, JOB_WAIT_VOLUME_GONE },
		{ JOB_TRANSIENT_ERROR, JOB_WORK_TRANSFER, "OWN", 1000, RESULT_CONNECT_FAILED, JOB_WAIT_SLOT },
		{ JOB_TRANSIENT_ERROR, JOB_WORK_TRANSFER, "WN", 5000, RESULT_CONNECT_FAILED, JOB_WAIT_OWNER_ABSENT },
		{ JOB_TRANSFERRING, JOB_WORK_TRANSFER, "OWN", 0, RESULT_OK, JOB_WAIT_NONE },
		/* who is held back fetches nothing, and does all else */
		{ JOB_QUEUED, JOB_WORK_TRANSFER, "OWM", 0, RESULT_OK, JOB_WAIT_METERED },
		{ JOB_QUEUED, JOB_WORK_TRANSFER, "OM", 0, RESULT_OK, JOB_WAIT_METERED },
		{ JOB_QUEUED, JOB_WORK_TRANSFER, "WM", 0, RESULT_OK, JOB_WAIT_OWNER_ABSENT },
		{ JOB_TRANSIENT_ERROR, JOB_WORK_TRANSFER, "OWM", 5000, RESULT_STALLED, JOB_WAIT_RETRY },
		{ JOB_TRANSIENT_ERROR, JOB_WORK_TRANSFER, "OWM", 1000, RESULT_STALLED, JOB_WAIT_METERED },
		{ JOB_TRANSFERRED, JOB_WORK_PUBLISH, "OWM", 0, RESULT_OK, JOB_WAIT_NONE },
		{ JOB_CANCELLED, JOB_WORK_SWEEP, "OWM", 0, RESULT_OK, JOB_WAIT_NONE },
		/* names to give and leftovers to remove need a file worker, in any state */
		{ JOB_TRANSFERRED, JOB_WORK_PUBLISH, "OW", 0, RESULT_OK, JOB_WAIT_NONE },
		{ JOB_TRANSFERRED, JOB_WORK_PUBLISH, "W", 0, RESULT_OK, JOB_WAIT_OWNER_ABSENT },
		{ JOB_TRANSFERRED, JOB_WORK_PUBLISH, "OW", 5000, RESULT_LOCKED, JOB_WAIT_RETRY },
		{ JOB_TRANSFERRED, JOB_WORK_PUBLISH, "OW", 5000, RESULT_DISK_FULL, JOB_WAIT_DISK_FULL },
		{ JOB_SUSPENDED, JOB_WORK_PUBLISH, "W", 0, RESULT_OK, JOB_WAIT_OWNER_ABSENT },
		{ JOB_TRANSIENT_ERROR, JOB_WORK_PUBLISH, "OW", 0, RESULT_STALLED, JOB_WAIT_NONE },
		{ JOB_CANCELLED, JOB_WORK_SWEEP, "W", 0, RESULT_OK, JOB_WAIT_OWNER_ABSENT },
		{ JOB_CANCELLED, JOB_WORK_SWEEP, "OW", 0, RESULT_OK, JOB_WAIT_NONE },
		{ JOB_ACKNOWLEDGED, JOB_WORK_SWEEP, "OW", 5000, RESULT_LOCKED, JOB_WAIT_RETRY },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct job job = { .state = cases[i].state, .work = cases[i].work, .next_try_ms = cases[i].next_try_ms };
		struct schedule_present present = { .owner = strchr(cases[i].facts, 'O') != NULL,
			                            .workers = strchr(cases[i].facts, 'W') != NULL,
			                            .no_network = strchr(cases[i].facts, 'N') != NULL,
			                            .held = strchr(cases[i].facts, 'M') != NULL ? JOB_WAIT_METERED :
			                                                                          JOB_WAIT_NONE };
		job.token_wait = strchr(cases[i].facts, 'T') != NULL;
		job.error.result = cases[i].error;
		enum job_wait wait = schedule_wait(&job, present, 1000);
		if (wait != cases[i].wait)
			fail_msg("case %d: %s", (int)i, job_wait_name(wait));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(schedule_decide__table__gives_slots_by_level_then_running_then_age),
		cmocka_unit_test(schedule_decide__slices_and_ageing__let_everybody_have_a_turn),
		cmocka_unit_test(schedule_decide__over_weeks__nobody_starves),
		cmocka_unit_test(schedule_files_at_once__small_files_far_away__are_more),
		cmocka_unit_test(schedule_decide__no_candidates__is_harmless),
		cmocka_unit_test(schedule_decide__shuffled__decides_the_same_and_is_stable),
		cmocka_unit_test(schedule_retry_delay__grows_from_a_second_to_the_job_s_own),
		cmocka_unit_test(schedule_retry_after__not_before_the_server_asked_nor_together_with_others),
		cmocka_unit_test(schedule_verdict__table__the_job_s_limits_make_it_final),
		cmocka_unit_test(schedule_left__counts_down_and_a_server_that_asks_for_more_ends_it),
		cmocka_unit_test(schedule_wait__table__names_what_lasts_longest),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
