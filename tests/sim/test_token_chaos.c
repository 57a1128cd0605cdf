/* Several jobs, people and tokens, and everything that can happen to them, in any order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "helped.h"

/* --- in any order --- */

#define JOBS 4
#define FILES_EACH 16

struct chaos {
	struct world world;
	int64_t rows[JOBS];
	uint32_t files[JOBS];
	bool completed[JOBS]; /* early, perhaps */
	bool over[WORLD_SESSIONS]; /* sessions that ended */
};

static void everybody_is_here(struct chaos *chaos)
{
	for (uint32_t session = 1; session < WORLD_SESSIONS; session++)
		world_session_began(&chaos->world, session);
	memset(chaos->over, 0, sizeof(chaos->over));
	for (unsigned person = 0; person < HELPER; person++)
		world_hello_as(&chaos->world, (enum person)person);
}

static void lend_somebodys(struct chaos *chaos, unsigned job)
{
	struct world *world = &chaos->world;
	const struct world_loan loan = { .helper = (enum person)(HELPER + world_random(world, 4)),
		                         .connection = 1 + world_random(world, 3),
		                         .root = world_random(world, 4) == 0 ? "/sim/low" : NULL,
		                         .age_s = world_random(world, 3) == 0 ? 60 + (uint32_t)world_random(world, 600) : 0 };
	enum result result = world_lend(world, chaos->rows[job], &loan);

	if (result == RESULT_OK)
		assert_false(chaos->over[identity_caller(world->people[loan.helper])->session]);
}

static void set_something(struct chaos *chaos, unsigned job)
{
	struct world *world = &chaos->world;
	const struct job_properties properties = { .on_token_loss = (enum token_loss)world_random(world, TOKEN_LOSS_COUNT),
		                                   .priority = (enum job_priority)world_random(world, JOB_PRIORITY_COUNT),
		                                   .auto_complete = world_random(world, 2) == 0 };
	static const unsigned each[] = { PROPERTY_ON_TOKEN_LOSS, PROPERTY_PRIORITY, PROPERTY_AUTO_COMPLETE };

	(void)world_set(world, chaos->rows[job], each[world_random(world, 3)], &properties);
}

static void add_some(struct chaos *chaos, unsigned job)
{
	struct world *world = &chaos->world;

	if (chaos->files[job] + 2 > FILES_EACH)
		return;
	world->first_file = FILES_EACH * job + chaos->files[job];
	if (world_add(world, chaos->rows[job], 2, world_random(world, 2) == 0 ? "/low" : NULL) == RESULT_OK)
		chaos->files[job] += 2;
}

static void end_some_session(struct chaos *chaos)
{
	uint32_t session = (uint32_t)world_random(&chaos->world, WORLD_SESSIONS);

	world_session_ended(&chaos->world, session);
	chaos->over[session] = session > 0;
}

static void do_something(struct chaos *chaos)
{
	struct world *world = &chaos->world;
	unsigned job = (unsigned)world_random(world, JOBS);
	int64_t row = chaos->rows[job];

	switch (world_random(world, 40)) {
	case 0: case 1: case 2: case 3: case 4: case 5: lend_somebodys(chaos, job); break;
	case 6: case 7: (void)world_clear(world, row); break;
	case 8: case 9: case 10: case 11: (void)world_flags(world, row, (unsigned)world_random(world, 4)); break;
	case 12: case 13: case 14: case 15: case 16: world_resume(world, row); break;
	case 17: (void)world_suspend(world, row); break;
	case 18: chaos->completed[job] |= world_complete(world, row) == RESULT_OK; break;
	case 19: (void)world_cancel(world, row); break;
	case 20: case 21: add_some(chaos, job); break;
	case 22: world_crash(world); memset(chaos->over, 0, sizeof(chaos->over)); break;
	case 23: case 24: end_some_session(chaos); break;
	case 25: case 26: everybody_is_here(chaos); break;
	case 27: world_connection_ended(world, 1 + world_random(world, 3)); break;
	case 28: case 29: case 30: set_something(chaos, job); break;
	case 31: world_preflight(world, row); break;
	case 32: (void)world_take(world, row, ADMINISTRATOR); break;
	case 33: world->files[FILES_EACH * job].fail_next_fetch = RESULT_CONNECTION_CLOSED; break;
	case 34: world->files[FILES_EACH * job + 1].fail_next_fetch = RESULT_HTTP_STATUS; break;
	case 35: world->break_turn = true; break; /* of what comes next */
	case 36: world_wait(world, (int64_t)world_random(world, 100)); break;
	default: break;
	}
}

/* Nothing happens by itself any more: whoever has work says what it waits for, and that is so. */
static void check_nobody_is_stuck(struct chaos *chaos)
{
	struct world *world = &chaos->world;

	world_settle(world);
	world_check_rest(world);
	for (unsigned i = 0; i < JOBS; i++) {
		struct job_status status = helped_status(world, chaos->rows[i]);

		if (status.job.work == JOB_WORK_NONE) {
			assert_int_equal(status.wait, JOB_WAIT_NONE);
			assert_false(job_state_is_active(status.job.state) || status.job.state == JOB_QUEUED);
		} else if (status.wait == JOB_WAIT_TOKEN) {
			assert_true(job_helper_needed(&status.job) != 0);
			assert_int_not_equal(status.job.work, JOB_WORK_SWEEP);
		} else {
			assert_int_equal(status.wait, JOB_WAIT_OWNER_ABSENT);
		}
	}
}

static void check_ended(struct chaos *chaos, unsigned i)
{
	struct world *world = &chaos->world;
	struct file file;
	struct fault fault;

	helped_check_no_partial(world, chaos->rows[i]);
	if (world_state(world, chaos->rows[i]) == JOB_CANCELLED)
		return;
	if (world_state(world, chaos->rows[i]) != JOB_ACKNOWLEDGED)
		fail_msg("job %u: %s", i, helped_status(world, chaos->rows[i]).job.error.what);
	if (!chaos->completed[i])
		assert_int_equal(helped_status(world, chaos->rows[i]).job.files_published, chaos->files[i]);
	for (uint32_t from = 0; store_file_next(world->store, chaos->rows[i], FILE_PUBLISHED, from, &file, &fault) == RESULT_OK;
	     from = file.ordinal + 1)
		helped_check_published(world, FILES_EACH * i + file.ordinal, 1);
}

/* With everything that they need, all jobs end. */
static void bring_to_an_end(struct chaos *chaos)
{
	struct world *world = &chaos->world;
	static const struct job_properties completes = { .auto_complete = true };

	everybody_is_here(chaos);
	for (unsigned i = 0; i < JOBS; i++) {
		if (job_state_is_final(world_state(world, chaos->rows[i])))
			continue;
		assert_int_equal(world_lend(world, chaos->rows[i], &from_helper), RESULT_OK);
		world->files[FILES_EACH * i].fail_next_fetch = world->files[FILES_EACH * i + 1].fail_next_fetch = RESULT_OK;
		(void)world_set(world, chaos->rows[i], PROPERTY_AUTO_COMPLETE, &completes); /* it may just have ended */
		world_settle(world);
		if (!job_state_is_final(world_state(world, chaos->rows[i])))
			helped_resume(world, chaos->rows[i]);
	}
	world_settle(world);
	world_check_rest(world);
	for (unsigned i = 0; i < JOBS; i++)
		check_ended(chaos, i);
}

static void begin_chaos(struct chaos *chaos, uint64_t seed, uint64_t workers_max)
{
	static const enum person owners[JOBS] = { OWNER, OWNER, NEIGHBOUR, AGENT };

	*chaos = (struct chaos){ 0 };
	helped_begin(&chaos->world, seed);
	chaos->world.settings.identity_workers_max = workers_max;
	chaos->world.settings.worker_idle_s = 1 + seed % 60;
	chaos->world.real_handles = true;
	everybody_is_here(chaos);
	for (unsigned i = 0; i < JOBS; i++) {
		chaos->world.first_file = FILES_EACH * i;
		chaos->files[i] = 4;
		chaos->rows[i] = world_create(&chaos->world, &(struct world_order){ .owner = owners[i], .files = 4,
		                              .folder = i % 2 == 0 ? "/low" : NULL, .on_token_loss = (enum token_loss)(i % 2) });
		assert_true(chaos->rows[i] > 0);
		world_resume(&chaos->world, chaos->rows[i]);
	}
}

static void jobs__tokens_flags_sessions_crashes_and_failing_commits_in_any_order__all_is_as_whom_it_should(void **state)
{
	static struct chaos chaos;

	(void)state;
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		print_message("seed %llu\n", (unsigned long long)seed);
		begin_chaos(&chaos, seed, seed % 3 == 0 ? 4 : 64);
		for (unsigned i = 0; i < 150; i++) {
			if (i % 50 == 49)
				check_nobody_is_stuck(&chaos);
			do_something(&chaos);
			for (uint64_t steps = world_random(&chaos.world, 6); steps > 0; steps--)
				(void)world_step(&chaos.world);
			assert_false(chaos.world.wrong);
		}
		chaos.world.break_turn = false;
		bring_to_an_end(&chaos);
		helped_end(&chaos.world);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(jobs__tokens_flags_sessions_crashes_and_failing_commits_in_any_order__all_is_as_whom_it_should),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
