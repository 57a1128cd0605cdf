/* Helper tokens under the made-up world: whom each order is done as, for which files, and who takes a job over.  What the
 * workers wear is judged by the world, at every order.  A failing run prints its seed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "helped.h"

/* --- who serves --- */

static void token__each_flag__its_side_is_the_helpers(void **state)
{
	(void)state;
	for (unsigned flags = 0; flags <= HELPER_ALL; flags++) {
		struct world world;

		helped_begin(&world, flags);
		int64_t row = helped_job(&world, &(struct world_order){ .files = FILES, .auto_complete = true }, flags, &from_helper);

		helped_resume(&world, row);
		helped_run_to(&world, row, JOB_ACKNOWLEDGED);
		helped_check_published(&world, 0, FILES);
		for (unsigned side = 0; side < JOB_SIDE_COUNT; side++) {
			enum person person = flags & HELPER_FLAG(side) ? HELPER : OWNER;

			assert_string_equal(helped_status(&world, row).job.side_sid[side],
			                    identity_caller(world.people[person])->owner);
		}
		assert_false(world_is_lent(&world, row)); /* nothing is left to do */
		helped_end(&world);
	}
}

static void token__owner_shows_another_logon__what_runs_goes_on(void **state)
{
	struct world world;

	(void)state;
	helped_begin(&world, 1);
	int64_t row = helped_job(&world, &(struct world_order){ .files = 1, .auto_complete = true }, 0, NULL);

	world.files[0].stuck = true;
	helped_resume(&world, row);
	helped_run_to(&world, row, JOB_CONNECTING);
	world_settle(&world);
	world_hello_as(&world, OWNER_AGAIN);
	assert_int_equal(world_set(&world, row, 0, &(struct job_properties){ 0 }), RESULT_OK);
	assert_int_not_equal(world_state(&world, row), JOB_QUEUED);
	world.files[0].stuck = false;
	helped_run_to(&world, row, JOB_ACKNOWLEDGED);
	helped_end(&world);
}

/* A job that is over needs no token, but it is over only when that is committed: here the next job's begin, in the same
 * turn, keeps it from being so. */
static void token__turn_that_ends_the_job_is_undone__is_still_lent(void **state)
{
	(void)state;
	for (unsigned at = 0;; at++) {
		struct world world;
		unsigned steps = 0;

		helped_begin(&world, 1);
		world.settings.queue_background_jobs_max = 1;
		int64_t row = helped_job(&world, &(struct world_order){ .files = 2, .auto_complete = true }, HELPER_ALL, &from_helper);

		helped_resume(&world, row);
		world.first_file = 2;
		helped_resume(&world, world_create(&world, &(struct world_order){ .files = 1 }));
		while (world_state(&world, row) != JOB_ACKNOWLEDGED) {
			world.no_chance = steps++ == at;
			assert_true(world_step(&world));
		}
		world.no_chance = false;
		assert_false(world_is_lent(&world, row));
		helped_end(&world);
		if (steps <= at)
			break;
	}
}

/* The token goes in the turn in which its file was opened: the server is not asked any more. */
static void token__cleared_in_the_turn_that_would_go_on__does_not_go_on(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		struct world world;

		print_message("seed %llu\n", (unsigned long long)seed);
		helped_begin(&world, seed);
		world.real_handles = true;
		int64_t row = helped_job(&world, &(struct world_order){ .files = FILES }, HELPER_ALL, &from_helper);

		helped_resume(&world, row);
		for (uint64_t steps = world_random(&world, 30); steps > 0; steps--)
			(void)world_step(&world);
		(void)world_answer(&world);
		assert_int_equal(world_clear(&world, row), RESULT_OK);
		world_settle(&world);
		world_check_rest(&world);
		helped_end(&world);
	}
}

static void complete__files_were_added_to_a_whole_job__auto_complete_does_not_drop_them(void **state)
{
	struct world world;

	(void)state;
	helped_begin(&world, 1);
	int64_t row = world_submit(&world, 1, false);

	helped_run_to(&world, row, JOB_TRANSFERRED);
	world.first_file = 1;
	assert_int_equal(world_add(&world, row, 1, NULL), RESULT_OK);
	assert_int_equal(world_set(&world, row, PROPERTY_AUTO_COMPLETE, &(struct job_properties){ .auto_complete = true }),
	                 RESULT_OK);
	world_settle(&world);
	assert_int_equal(world_state(&world, row), JOB_TRANSFERRED);
	helped_resume(&world, row);
	helped_run_to(&world, row, JOB_ACKNOWLEDGED);
	helped_check_published(&world, 0, 2);
	helped_end(&world);
}

/* --- for which files (rule 11) --- */

static void token__file_added_after_it_was_lent__waits_until_it_is_lent_again(void **state)
{
	struct world world;

	(void)state;
	helped_begin(&world, 1);
	int64_t row = helped_job(&world, &(struct world_order){ .files = FILES, .on_token_loss = TOKEN_LOSS_WAIT },
	                      HELPER_LOCAL_FILE, &from_helper);

	helped_resume(&world, row);
	helped_run_to(&world, row, JOB_TRANSFERRING);
	world.first_file = FILES;
	assert_int_equal(world_add(&world, row, 2, NULL), RESULT_OK);
	world_settle(&world);
	assert_int_equal(world_state(&world, row), JOB_QUEUED);
	assert_int_equal(helped_status(&world, row).wait, JOB_WAIT_TOKEN);
	assert_int_equal(world.files[FILES].fetched, 0);
	world_check_rest(&world);
	assert_int_equal(world_lend(&world, row, &from_helper), RESULT_OK);
	helped_run_to(&world, row, JOB_TRANSFERRED);
	helped_end(&world);
}

static void token__file_added_while_it_runs_then_resumed__stops_and_waits_as_its_state_says(void **state)
{
	struct world world;

	(void)state;
	helped_begin(&world, 1);
	int64_t row = helped_job(&world, &(struct world_order){ .files = 2, .on_token_loss = TOKEN_LOSS_WAIT },
	                      HELPER_LOCAL_FILE, &from_helper);

	world.settings.transfer_files_active_per_job_max = 1;
	world.files[0].stuck = true;
	helped_resume(&world, row);
	helped_run_to(&world, row, JOB_CONNECTING);
	world_settle(&world);
	world.first_file = FILES;
	assert_int_equal(world_add(&world, row, 1, NULL), RESULT_OK);
	world_resume(&world, row);
	assert_int_equal(world.resumed, RESULT_OK);
	world_settle(&world);
	if (world_state(&world, row) == JOB_QUEUED)
		world_check_rest(&world); /* who waits for a token does nothing meanwhile */
	helped_end(&world);
}

static void token__roots__cover_what_comes_below_them_and_refuse_what_is_elsewhere(void **state)
{
	const struct world_loan below = { .helper = HELPER, .connection = 1, .root = "/sim/low" };
	struct world world;

	(void)state;
	for (unsigned flags = 1; flags <= HELPER_ALL; flags++) {
		helped_begin(&world, 1);
		int64_t row = helped_job(&world, &(struct world_order){ .files = 2, .folder = "/low",
		                                                     .on_token_loss = TOKEN_LOSS_WAIT }, flags, &below);

		helped_resume(&world, row);
		world.first_file = 2;
		assert_int_equal(world_add(&world, row, 2, "/low/deeper"), RESULT_OK);
		world_settle(&world);
		/* Roots bound where is written, not what is asked for. */
		assert_int_equal(world_state(&world, row), flags & HELPER_NETWORK ? JOB_QUEUED : JOB_TRANSFERRED);
		world.first_file = 4;
		assert_int_equal(world_add(&world, row, 1, "/lower"), RESULT_OK);
		assert_int_equal(world_lend(&world, row, &below), RESULT_INVALID_ARGUMENT);
		assert_true(world_is_lent(&world, row)); /* as before */
		world_resume(&world, row);
		world_settle(&world);
		assert_int_equal(world_state(&world, row), JOB_QUEUED);
		assert_int_equal(helped_status(&world, row).wait, JOB_WAIT_TOKEN);
		assert_int_equal(world_lend(&world, row, &from_helper), RESULT_OK);
		helped_run_to(&world, row, JOB_TRANSFERRED);
		helped_end(&world);
	}
}

static void token__one_more_than_there_may_be__is_refused_and_none_goes_for_it(void **state)
{
	struct world world;

	(void)state;
	helped_begin(&world, 1);
	world.settings.identity_tokens_max = 2;
	int64_t rows[3];
	for (unsigned i = 0; i < 3; i++) {
		rows[i] = helped_job(&world, &(struct world_order){ .files = 1 }, HELPER_ALL, i < 2 ? &from_helper : NULL);
		world.first_file++;
	}
	assert_int_equal(world_lend(&world, rows[2], &from_helper), RESULT_TOO_MANY_TOKENS);
	assert_non_null(strstr(world.refusal, "identity.tokens_max is 2"));
	assert_true(world_is_lent(&world, rows[0]) && world_is_lent(&world, rows[1]));
	assert_int_equal(world_lend(&world, rows[1], &from_helper), RESULT_OK); /* instead of its own */
	assert_int_equal(world_clear(&world, rows[0]), RESULT_OK);
	assert_int_equal(world_lend(&world, rows[2], &from_helper), RESULT_OK);
	helped_end(&world);
}

/* Rule 14: it has no credentials for other servers. */
static void token__of_a_network_logon__is_told_where_it_is_for_the_network(void **state)
{
	const struct world_loan remote = { .helper = HELPER_REMOTE, .connection = 1 };

	(void)state;
	for (unsigned flags = 0; flags <= HELPER_ALL; flags++) {
		struct world world;

		helped_begin(&world, 1);
		helped_job(&world, &(struct world_order){ .files = 1 }, flags, &remote);
		assert_int_equal(world_events(&world, EVENT_HELPER_SET), 1);
		assert_int_equal(world_events(&world, EVENT_HELPER_NO_CREDENTIALS), (flags & HELPER_NETWORK) != 0);
		helped_end(&world);
		helped_begin(&world, 1);
		helped_job(&world, &(struct world_order){ .files = 1 }, flags, &from_helper);
		assert_int_equal(world_events(&world, EVENT_HELPER_NO_CREDENTIALS), 0);
		helped_end(&world);
	}
}

/* To open a file there Windows logs on as the helper: whoever attaches is not shown where that is. */
static void token__file_on_another_machine__is_covered_by_its_owner_or_by_a_stated_folder(void **state)
{
	const struct world_loan attached = { .helper = HELPER, .connection = 1, .attached = true };
	const struct world_loan stated = { .helper = HELPER, .connection = 1, .attached = true, .root = "\\\\server\\sim\\low" };
	const struct world_loan beside = { .helper = HELPER, .connection = 1, .attached = true, .root = "\\\\server\\sim\\lower" };
	struct job_properties pinned = { .name = "" };
	struct world world;

	(void)state;
	helped_begin(&world, 1);
	world.remote = true;
	world_crash(&world);
	world_hello(&world);
	memcpy(pinned.pinned_helper, identity_caller(world.people[HELPER])->owner, sizeof(pinned.pinned_helper));
	for (unsigned flags = 1; flags <= HELPER_ALL; flags++) {
		int64_t row = helped_job(&world, &(struct world_order){ .files = 2 }, flags, NULL);

		assert_int_equal(world_set(&world, row, PROPERTY_PINNED_HELPER, &pinned), RESULT_OK);
		if (flags & HELPER_LOCAL_FILE) {
			assert_int_equal(world_lend(&world, row, &attached), RESULT_INVALID_ARGUMENT);
			assert_non_null(strstr(world.refusal, "another machine"));
			assert_null(strstr(world.refusal, "files["));
			assert_int_equal(world_lend(&world, row, &beside), RESULT_INVALID_ARGUMENT);
			assert_int_equal(world_lend(&world, row, &stated), RESULT_OK);
			assert_int_equal(world_clear(&world, row), RESULT_OK);
			assert_int_equal(world_lend(&world, row, &from_helper), RESULT_OK);
		} else {
			assert_int_equal(world_lend(&world, row, &attached), RESULT_OK);
			/* He agreed to nothing else. */
			assert_int_equal(world_flags(&world, row, HELPER_ALL), RESULT_ACCESS_REFUSED);
		}
		helped_resume(&world, row);
		helped_run_to(&world, row, JOB_TRANSFERRED);
		world.first_file += 2;
	}
	helped_end(&world);
}

/* Names need no network, and so not the token that is for it: even where it was not lent for the file. */
static void complete__network_token_alone__is_not_asked_for(void **state)
{
	struct world world;

	(void)state;
	helped_begin(&world, 1);
	int64_t row = helped_job(&world, &(struct world_order){ .files = 2, .auto_complete = true }, 0, &from_helper);

	world.files[0].stuck = true;
	world.first_file = 2;
	assert_int_equal(world_add(&world, row, 1, NULL), RESULT_OK);
	helped_resume(&world, row);
	world_settle(&world);
	assert_int_equal(helped_status(&world, row).job.files_transferred, 2); /* the third as the owner */
	assert_int_equal(world_flags(&world, row, HELPER_NETWORK), RESULT_OK);
	world.files[0].stuck = false;
	world_settle(&world);
	assert_int_equal(world_state(&world, row), JOB_ACKNOWLEDGED);
	helped_check_published(&world, 0, 3);
	helped_end(&world);
}

/* --- looking ahead, and sweeping --- */

static void look__token_goes_while_there_is_more_to_ask__no_further_order_as_the_helper(void **state)
{
	(void)state;
	for (unsigned way = 0; way < 4; way++) {
		struct world world;

		helped_begin(&world, 1);
		world.settings.queue_files_per_job_max = 1000;
		int64_t row = helped_job(&world, &(struct world_order){ .files = 200, .on_token_loss = TOKEN_LOSS_WAIT },
		                      HELPER_LOCAL_FILE, &from_helper);

		if (way % 2 == 0)
			world_resume(&world, row);
		else
			world_preflight(&world, row);
		assert_true(world_is_at_work(&world));
		if (way < 2)
			assert_int_equal(world_clear(&world, row), RESULT_OK);
		else
			world_session_ended(&world, 5);
		world_settle(&world);
		world_check_rest(&world);
		if (way % 2 == 0)
			assert_int_equal(world.resumed, RESULT_OK);
		else
			assert_int_equal(world.preflight_result, RESULT_OK);
		if (way % 2 == 0)
			assert_int_equal(helped_status(&world, row).wait, JOB_WAIT_TOKEN);
		else
			assert_int_equal(world.preflight.file.result, RESULT_TOKEN_REQUIRED);
		helped_end(&world);
	}
}

static void preflight__says_who_and_whether__and_changes_nothing(void **state)
{
	struct world world;

	(void)state;
	helped_begin(&world, 1);
	int64_t row = helped_job(&world, &(struct world_order){ .files = 2 }, HELPER_ALL, NULL);

	world_preflight(&world, row);
	world_settle(&world);
	assert_int_equal(world.preflight.file.result, RESULT_TOKEN_REQUIRED);
	assert_int_equal(world.preflight.sides[JOB_SIDE_FILE].as, IDENTITY_HELPER);
	assert_string_equal(world.preflight.sides[JOB_SIDE_FILE].sid, "");
	assert_int_equal(world_lend(&world, row, &from_helper), RESULT_OK);
	world.denied = "/sim/1";
	world_preflight(&world, row);
	world_settle(&world);
	assert_int_equal(world.preflight.file.result, RESULT_DENIED);
	world.denied = "";
	world_preflight(&world, row);
	world_settle(&world);
	assert_int_equal(world.preflight.file.result, RESULT_OK);
	assert_string_equal(world.preflight.sides[JOB_SIDE_NETWORK].sid, identity_caller(world.people[HELPER])->owner);
	assert_int_equal(world_state(&world, row), JOB_SUSPENDED);
	helped_end(&world);
}

static void sweep__token_goes_after_the_listing__nothing_is_removed_as_the_helper(void **state)
{
	static const char orphan[] = ".ferry-5ea5ea5ea5ea5ea5-0123456789abcdef0123456789abcdef.part";
	struct world world;

	(void)state;
	helped_begin(&world, 1);
	strcpy(world.lying[world.lying_count++], orphan);
	int64_t row = helped_job(&world, &(struct world_order){ .files = 1 }, HELPER_LOCAL_FILE, &from_helper);

	helped_resume(&world, row);
	assert_true(world_is_at_work(&world)); /* the listing is asked for */
	world_session_ended(&world, 5);
	world_settle(&world);
	assert_int_equal(world.lying_count, 1);
	world_check_rest(&world);
	/* Who comes by again removes it. */
	world_session_began(&world, 5);
	assert_int_equal(world_lend(&world, row, &from_helper), RESULT_OK);
	helped_resume(&world, row);
	world_settle(&world);
	assert_int_equal(world.lying_count, 0);
	helped_end(&world);
}

/* --- taking over --- */

static void take__at_any_moment__job_rests_without_token_flags_and_the_old_owners_threads(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		struct world world;

		print_message("seed %llu\n", (unsigned long long)seed);
		helped_begin(&world, seed);
		int64_t row = helped_job(&world, &(struct world_order){ .files = FILES }, (unsigned)(seed % 4), &from_helper);

		helped_resume(&world, row);
		for (uint64_t steps = world_random(&world, 60); steps > 0; steps--)
			(void)world_step(&world);
		assert_int_equal(world_take(&world, row, ADMINISTRATOR), RESULT_OK);
		assert_false(world_is_lent(&world, row));
		world_settle(&world);
		world_check_rest(&world);
		assert_int_equal(world_state(&world, row), JOB_SUSPENDED);
		assert_int_equal(helped_status(&world, row).job.helper_flags, 0);
		helped_resume(&world, row);
		helped_run_to(&world, row, JOB_TRANSFERRED);
		helped_end(&world);
	}
}

/* Who asked for the resume does not own the job any more. */
static void take__while_a_resume_looks_at_the_destinations__the_job_rests(void **state)
{
	struct world world;

	(void)state;
	helped_begin(&world, 1);
	int64_t row = helped_job(&world, &(struct world_order){ .files = 2 }, 0, NULL);

	world_resume(&world, row);
	assert_int_equal(world.resumed, WORLD_NO_ANSWER);
	assert_int_equal(world_take(&world, row, ADMINISTRATOR), RESULT_OK);
	world_settle(&world);
	assert_int_equal(world.resumed, RESULT_BAD_HANDLE);
	assert_int_equal(world_state(&world, row), JOB_SUSPENDED);
	helped_end(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(token__each_flag__its_side_is_the_helpers),
		cmocka_unit_test(token__owner_shows_another_logon__what_runs_goes_on),
		cmocka_unit_test(token__turn_that_ends_the_job_is_undone__is_still_lent),
		cmocka_unit_test(token__cleared_in_the_turn_that_would_go_on__does_not_go_on),
		cmocka_unit_test(complete__files_were_added_to_a_whole_job__auto_complete_does_not_drop_them),
		cmocka_unit_test(token__file_added_after_it_was_lent__waits_until_it_is_lent_again),
		cmocka_unit_test(token__file_added_while_it_runs_then_resumed__stops_and_waits_as_its_state_says),
		cmocka_unit_test(token__roots__cover_what_comes_below_them_and_refuse_what_is_elsewhere),
		cmocka_unit_test(token__one_more_than_there_may_be__is_refused_and_none_goes_for_it),
		cmocka_unit_test(token__of_a_network_logon__is_told_where_it_is_for_the_network),
		cmocka_unit_test(token__file_on_another_machine__is_covered_by_its_owner_or_by_a_stated_folder),
		cmocka_unit_test(complete__network_token_alone__is_not_asked_for),
		cmocka_unit_test(look__token_goes_while_there_is_more_to_ask__no_further_order_as_the_helper),
		cmocka_unit_test(preflight__says_who_and_whether__and_changes_nothing),
		cmocka_unit_test(sweep__token_goes_after_the_listing__nothing_is_removed_as_the_helper),
		cmocka_unit_test(take__at_any_moment__job_rests_without_token_flags_and_the_old_owners_threads),
		cmocka_unit_test(take__while_a_resume_looks_at_the_destinations__the_job_rests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
