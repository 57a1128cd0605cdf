/* How helper tokens go, and what that means for a job in each of its situations. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "helped.h"

/* --- leases (rule 15) --- */

enum ending { SESSION_5, SESSION_1, SESSION_0, CONNECTION_1, CONNECTION_2, AGE, OWNERS_LOGOFF, ENDING_COUNT };

static void happen(struct world *world, enum ending ending)
{
	switch (ending) {
	case SESSION_5: world_session_ended(world, 5); break;
	case SESSION_1:
		world_hello_as(world, OWNER_AGAIN); /* the owner stays */
		world_session_ended(world, 1);
		break;
	case SESSION_0: world_session_ended(world, 0); break;
	case CONNECTION_1: world_connection_ended(world, 1); break;
	case CONNECTION_2: world_connection_ended(world, 2); break;
	case AGE: world_wait(world, 600); break;
	case OWNERS_LOGOFF: world_session_ended(world, 1); break;
	case ENDING_COUNT: break;
	}
}

static void token__each_lease__ends_with_what_it_depends_on_and_nothing_else(void **state)
{
	static const struct {
		enum person helper;
		uint32_t age_s;
		const char *ends; /* one for each ending: x, or . */
	} table[] = {
		/*                       5 1 0 c1 c2 age logoff */
		{ HELPER, 0,            "x.....x" },
		{ HELPER, 600,          "x....xx" },
		{ HELPER, 601,          "x.....x" },
		{ HELPER_HERE, 0,       ".x....x" },
		{ HELPER_HERE, 600,     ".x...xx" },
		{ HELPER_BATCH, 0,      "...x..x" },
		{ HELPER_BATCH, 600,    ".....xx" },
		{ HELPER_BATCH, 601,    "......x" },
		{ HELPER_SERVICE, 0,    "......x" },
		{ HELPER_SERVICE, 600,  ".....xx" },
	};

	(void)state;
	for (unsigned i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		for (unsigned ending = 0; ending < ENDING_COUNT; ending++) {
			struct world world;

			print_message("row %u, ending %u\n", i, ending);
			helped_begin(&world, 1);
			int64_t row = helped_job(&world, &(struct world_order){ .files = 1 }, HELPER_ALL,
			                      &(struct world_loan){ .helper = table[i].helper, .connection = 1, .age_s = table[i].age_s });

			happen(&world, (enum ending)ending);
			assert_int_equal(world_is_lent(&world, row), table[i].ends[ending] == '.');
			assert_int_equal(world_events(&world, EVENT_HELPER_LOST), table[i].ends[ending] == 'x');
			/* It rested: as in BITS that is an error all the same. */
			assert_int_equal(world_state(&world, row), table[i].ends[ending] == 'x' ? JOB_ERROR : JOB_SUSPENDED);
			helped_end(&world);
		}
	}
}

static void token__owner_logs_off__only_tokens_of_that_owners_jobs_go(void **state)
{
	struct world world;

	(void)state;
	helped_begin(&world, 1);
	world_hello_as(&world, NEIGHBOUR);
	world_hello_as(&world, AGENT);
	int64_t own = helped_job(&world, &(struct world_order){ .files = 1 }, HELPER_ALL, &from_helper);
	int64_t other = helped_job(&world, &(struct world_order){ .owner = NEIGHBOUR, .files = 1 }, HELPER_ALL, &from_helper);
	int64_t service = helped_job(&world, &(struct world_order){ .owner = AGENT, .files = 1 }, HELPER_ALL, &from_helper);

	world_session_ended(&world, 1);
	assert_false(world_is_lent(&world, own));
	assert_true(world_is_lent(&world, other));
	assert_true(world_is_lent(&world, service));
	world_session_ended(&world, 5); /* where the token came from */
	assert_false(world_is_lent(&world, other));
	assert_false(world_is_lent(&world, service));
	helped_end(&world);
}

static void token__from_an_ended_session__is_refused_until_its_number_is_given_anew(void **state)
{
	struct world world;

	(void)state;
	helped_begin(&world, 1);
	int64_t row = helped_job(&world, &(struct world_order){ .files = 1 }, HELPER_ALL, NULL);

	world_session_ended(&world, 5);
	assert_int_equal(world_lend(&world, row, &from_helper), RESULT_ACCESS_REFUSED);
	assert_false(world_is_lent(&world, row));
	world_session_began(&world, 5);
	assert_int_equal(world_lend(&world, row, &from_helper), RESULT_OK);
	assert_true(world_is_lent(&world, row));
	helped_end(&world);
}

static void token__session_ends__its_threads_end_with_it(void **state)
{
	struct world world;

	(void)state;
	helped_begin(&world, 1);
	int64_t row = helped_job(&world, &(struct world_order){ .files = 1 }, HELPER_ALL, &from_helper);

	helped_resume(&world, row);
	helped_run_to(&world, row, JOB_TRANSFERRED);
	assert_true(world_wears(&world, HELPER));
	world_session_ended(&world, 5);
	assert_false(world_wears(&world, HELPER));
	helped_end(&world);
}

static void token__cleared_or_too_old__its_threads_end_unless_something_else_keeps_it(void **state)
{
	(void)state;
	for (unsigned aged = 0; aged < 2; aged++) {
		struct world world;
		const struct world_loan loan = { .helper = HELPER, .connection = 1, .age_s = aged != 0 ? 600 : 0 };

		helped_begin(&world, 1);
		int64_t row = helped_job(&world, &(struct world_order){ .files = 1 }, HELPER_ALL, &loan);
		int64_t other = helped_job(&world, &(struct world_order){ .files = 1 }, HELPER_ALL, &from_helper);

		helped_resume(&world, row);
		helped_run_to(&world, row, JOB_TRANSFERRED);
		assert_true(world_wears(&world, HELPER));
		assert_int_equal(world_clear(&world, other), RESULT_OK);
		assert_int_equal(world_lend(&world, row, &loan), RESULT_OK); /* again */
		assert_true(world_wears(&world, HELPER));
		assert_int_equal(world_lend(&world, other, &from_helper), RESULT_OK);
		if (aged)
			world_wait(&world, 600);
		else
			assert_int_equal(world_clear(&world, row), RESULT_OK);
		assert_false(world_is_lent(&world, row));
		if (!aged) /* idle threads last for a while, as long as they may be needed */
			assert_true(world_wears(&world, HELPER));
		assert_int_equal(world_clear(&world, other), RESULT_OK);
		assert_false(world_wears(&world, HELPER));
		helped_end(&world);
	}
}

/* --- what a loss means: every situation, each policy, each flag --- */

enum situation {
	RESTS, WAITS_FOR_SLOT, CONNECTS, TRANSFERS, WAITS_FOR_RETRY, FAILED, IS_WHOLE, COMPLETES, COMPLETES_A_PART, IS_SWEPT,
	SITUATION_COUNT
};
enum cause { BY_SESSION, BY_CONNECTION, BY_CLIENT, CAUSE_COUNT };

static void suspend_half_way(struct world *world, int64_t row)
{
	helped_resume(world, row);
	while (helped_status(world, row).job.files_transferred == 0)
		assert_true(world_step(world));
	assert_int_equal(world_suspend(world, row), RESULT_OK);
	world_settle(world);
	assert_true(helped_status(world, row).job.files_transferred < FILES);
}

static void bring(struct world *world, int64_t row, enum situation situation)
{
	switch (situation) {
	case RESTS: return;
	case WAITS_FOR_SLOT:
		world->settings.queue_background_jobs_max = 1;
		world->first_file = 20;
		world->files[20].stuck = true;
		helped_run_to(world, world_submit(world, 1, true), JOB_CONNECTING);
		helped_resume(world, row);
		return;
	case CONNECTS:
		for (unsigned i = 0; i < FILES; i++)
			world->files[i].stuck = true;
		helped_resume(world, row);
		helped_run_to(world, row, JOB_CONNECTING);
		return;
	case TRANSFERS:
		helped_resume(world, row);
		helped_run_to(world, row, JOB_TRANSFERRING);
		return;
	case WAITS_FOR_RETRY:
	case FAILED:
		world->files[0].fail_next_fetch = situation == FAILED ? RESULT_HTTP_STATUS : RESULT_CONNECTION_CLOSED;
		helped_resume(world, row);
		helped_run_to(world, row, situation == FAILED ? JOB_ERROR : JOB_TRANSIENT_ERROR);
		return;
	case COMPLETES_A_PART:
		suspend_half_way(world, row);
		assert_int_equal(world_complete(world, row), RESULT_OK);
		return;
	case IS_WHOLE:
	case COMPLETES:
	case IS_SWEPT:
	case SITUATION_COUNT: break;
	}
	helped_resume(world, row);
	helped_run_to(world, row, JOB_TRANSFERRED);
	world_settle(world);
	if (situation == COMPLETES)
		assert_int_equal(world_complete(world, row), RESULT_OK);
	if (situation == IS_SWEPT)
		assert_int_equal(world_cancel(world, row), RESULT_OK);
}

struct loss {
	enum situation situation;
	enum token_loss policy;
	unsigned flags;
	enum cause cause;
};

/* What the rules say, apart from the engine. */
static void check_loss(struct world *world, int64_t row, const struct loss *loss, const struct job *before)
{
	struct job_status status = helped_status(world, row);
	const struct job *job = &status.job;
	bool names_only = before->work == JOB_WORK_PUBLISH || before->work == JOB_WORK_SWEEP;
	bool needs = before->work != JOB_WORK_NONE && (!names_only || (loss->flags & HELPER_LOCAL_FILE));
	bool rested = before->work == JOB_WORK_NONE && before->state == JOB_SUSPENDED && loss->cause != BY_CLIENT;

	if (before->work == JOB_WORK_SWEEP) {
		world_settle(world);
		status = helped_status(world, row);
		assert_int_equal(job->state, JOB_CANCELLED);
		assert_int_equal(job->work, JOB_WORK_NONE);
		return;
	}
	if ((needs || rested) && loss->policy == TOKEN_LOSS_ERROR && before->state != JOB_TRANSFERRED) {
		assert_int_equal(job->state, JOB_ERROR);
		assert_int_equal(job->error.result, RESULT_TOKEN_REQUIRED);
		assert_int_equal(job->work, JOB_WORK_NONE);
		assert_int_equal(status.wait, JOB_WAIT_NONE);
		assert_int_equal(world_events(world, EVENT_JOB_FAILED), 1 + (loss->situation == FAILED));
		return;
	}
	assert_int_equal(job->error.result, before->error.result);
	assert_int_equal(job->state, needs && job_state_is_active(before->state) ? JOB_QUEUED : before->state);
	assert_int_equal(job->work, before->work);
	assert_int_equal(status.wait == JOB_WAIT_TOKEN, needs);
	assert_int_equal(job->token_wait, needs);
}

/* The token is lent again, or the flags are cleared; what is in error is resumed. */
static void check_recovery(struct world *world, int64_t row, const struct loss *loss, const struct world_loan *loan, bool lend)
{
	bool waited = helped_status(world, row).job.token_wait;
	bool completed = loss->situation == COMPLETES || loss->situation == COMPLETES_A_PART;

	for (unsigned i = 0; i < FILES; i++)
		world->files[i].stuck = false;
	world->files[20].stuck = false;
	world->settings.queue_background_jobs_max = 4;
	if (lend)
		assert_int_equal(world_lend(world, row, loan), RESULT_OK);
	else
		assert_int_equal(world_flags(world, row, 0), RESULT_OK);
	if (!waited && completed && helped_status(world, row).job.work == JOB_WORK_NONE)
		assert_int_equal(world_complete(world, row), RESULT_OK);
	else if (!waited && !completed)
		helped_resume(world, row);
	world_settle(world);
	if (!completed) {
		assert_int_equal(world_state(world, row), JOB_TRANSFERRED);
		assert_int_equal(world_complete(world, row), RESULT_OK);
		world_settle(world);
	}
	assert_int_equal(world_state(world, row), JOB_ACKNOWLEDGED);
	if (loss->situation != COMPLETES_A_PART)
		helped_check_published(world, 0, FILES);
	world_check_rest(world);
}

static void try_loss(const struct loss *loss, bool lend)
{
	static const struct world_loan of_session = { .helper = HELPER, .connection = 1 };
	static const struct world_loan of_connection = { .helper = HELPER_BATCH, .connection = 1 };
	const struct world_loan *loan = loss->cause == BY_CONNECTION ? &of_connection : &of_session;
	struct world world;

	helped_begin(&world, 1);
	int64_t row = helped_job(&world, &(struct world_order){ .files = FILES, .on_token_loss = loss->policy }, loss->flags, loan);

	bring(&world, row, loss->situation);
	struct job_status before = helped_status(&world, row);
	bool held = world_is_lent(&world, row);

	assert_int_equal(held, loss->situation != IS_SWEPT || (loss->flags & HELPER_LOCAL_FILE) != 0);
	if (loss->cause == BY_SESSION)
		world_session_ended(&world, 5);
	else if (loss->cause == BY_CONNECTION)
		world_connection_ended(&world, 1);
	else
		assert_int_equal(world_clear(&world, row), RESULT_OK);
	assert_false(world_is_lent(&world, row));
	assert_int_equal(world_events(&world, loss->cause == BY_CLIENT ? EVENT_HELPER_CLEARED : EVENT_HELPER_LOST), held);
	check_loss(&world, row, loss, &before.job);
	world_settle(&world);
	world_session_began(&world, 5);
	if (before.job.work != JOB_WORK_SWEEP && world_state(&world, row) != JOB_ACKNOWLEDGED)
		check_recovery(&world, row, loss, loan, lend);
	helped_end(&world);
}

static void token_lost__in_any_situation__the_job_does_what_the_rules_say_and_can_go_on(void **state)
{
	(void)state;
	for (unsigned situation = 0; situation < SITUATION_COUNT; situation++)
		for (unsigned policy = 0; policy < TOKEN_LOSS_COUNT; policy++)
			for (unsigned flags = 1; flags <= HELPER_ALL; flags++)
				for (unsigned cause = 0; cause < CAUSE_COUNT; cause++) {
					const struct loss loss = { (enum situation)situation, (enum token_loss)policy, flags,
						                   (enum cause)cause };

					print_message("situation %u, policy %u, flags %u, cause %u\n", situation, policy,
					              flags, cause);
					try_loss(&loss, (situation + flags) % 2 == 0);
				}
}

static void cancel__without_the_token__leftovers_are_told_and_nobodys(void **state)
{
	struct world world;

	(void)state;
	helped_begin(&world, 1);
	int64_t row = helped_job(&world, &(struct world_order){ .files = 20 }, HELPER_LOCAL_FILE, &from_helper);

	helped_resume(&world, row);
	helped_run_to(&world, row, JOB_TRANSFERRED);
	assert_int_equal(world_clear(&world, row), RESULT_OK);
	assert_int_equal(world_cancel(&world, row), RESULT_OK);
	world_settle(&world);
	helped_check_cancelled(&world, row);
	assert_int_equal(world_events(&world, EVENT_LEFTOVER), 16); /* enough to know where to look */
	helped_end(&world);
}

/* It waits for its token while its flights still end. */
static void cancel__while_it_winds_down_for_want_of_the_token__does_not_wait_for_it(void **state)
{
	struct world world;

	(void)state;
	helped_begin(&world, 1);
	int64_t row = helped_job(&world, &(struct world_order){ .files = FILES, .on_token_loss = TOKEN_LOSS_WAIT },
	                         HELPER_LOCAL_FILE, &from_helper);

	helped_resume(&world, row);
	helped_run_to(&world, row, JOB_TRANSFERRING);
	assert_int_equal(world_clear(&world, row), RESULT_OK);
	assert_true(helped_status(&world, row).job.token_wait);
	assert_int_equal(world_cancel(&world, row), RESULT_OK);
	world_settle(&world);
	helped_check_cancelled(&world, row);
	helped_end(&world);
}

/* Whatever it was doing: its flights are over before it is. */
static void cancel__token_goes_at_any_moment_around_it__nothing_is_stuck_or_forgotten_too_early(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		struct world world;
		int64_t row;

		print_message("seed %llu\n", (unsigned long long)seed);
		helped_begin(&world, seed);
		world.settings.queue_finished_per_owner_max = 1;
		row = helped_job(&world, &(struct world_order){ .files = FILES }, HELPER_LOCAL_FILE, &from_helper);
		helped_resume(&world, row);
		for (uint64_t steps = world_random(&world, 40); steps > 0; steps--)
			(void)world_step(&world);
		assert_int_equal(world_cancel(&world, row), RESULT_OK);
		for (uint64_t steps = world_random(&world, 4); steps > 0; steps--)
			(void)world_step(&world);
		world_session_ended(&world, 5);
		/* Finished jobs give way to new ones. */
		world.first_file = 20;
		for (unsigned i = 0; i < 3; i++) {
			int64_t other = world_create(&world, &(struct world_order){ .files = 0 });

			if (other > 0)
				assert_int_equal(world_cancel(&world, other), RESULT_OK);
			(void)world_step(&world);
		}
		world_settle(&world);
		assert_int_equal(world_events(&world, EVENT_STORE_TROUBLE), 0);
		world_check_rest(&world);
		helped_check_no_partial(&world, row);
		helped_end(&world);
	}
}

static void cancel__token_for_some_of_the_files__those_are_removed(void **state)
{
	struct world world;

	(void)state;
	helped_begin(&world, 1);
	int64_t row = helped_job(&world, &(struct world_order){ .files = FILES }, HELPER_LOCAL_FILE, &from_helper);

	helped_resume(&world, row);
	helped_run_to(&world, row, JOB_TRANSFERRED);
	world.first_file = FILES;
	assert_int_equal(world_add(&world, row, 1, NULL), RESULT_OK);
	assert_int_equal(world_cancel(&world, row), RESULT_OK);
	world_settle(&world);
	helped_check_cancelled(&world, row);
	assert_int_equal(world_events(&world, EVENT_LEFTOVER), 0);
	for (unsigned i = 0; i < FILES; i++)
		assert_int_equal(world.files[i].synced, 0);
	helped_end(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(token__each_lease__ends_with_what_it_depends_on_and_nothing_else),
		cmocka_unit_test(token__owner_logs_off__only_tokens_of_that_owners_jobs_go),
		cmocka_unit_test(token__from_an_ended_session__is_refused_until_its_number_is_given_anew),
		cmocka_unit_test(token__session_ends__its_threads_end_with_it),
		cmocka_unit_test(token__cleared_or_too_old__its_threads_end_unless_something_else_keeps_it),
		cmocka_unit_test(token_lost__in_any_situation__the_job_does_what_the_rules_say_and_can_go_on),
		cmocka_unit_test(cancel__without_the_token__leftovers_are_told_and_nobodys),
		cmocka_unit_test(cancel__while_it_winds_down_for_want_of_the_token__does_not_wait_for_it),
		cmocka_unit_test(cancel__token_goes_at_any_moment_around_it__nothing_is_stuck_or_forgotten_too_early),
		cmocka_unit_test(cancel__token_for_some_of_the_files__those_are_removed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
