/* As many threads as there may be, and the service's own identity. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "helped.h"

/* --- as many threads as there may be --- */

static void workers__as_many_as_may_be_are_at_work__others_wait_and_say_so(void **state)
{
	struct world world;
	int64_t rows[3];

	(void)state;
	helped_begin(&world, 1);
	world.settings.identity_workers_max = 4;
	world_hello_as(&world, NEIGHBOUR);
	world_hello_as(&world, AGENT);
	for (unsigned i = 0; i < 3; i++) {
		static const enum person owners[] = { OWNER, NEIGHBOUR, AGENT };

		world.first_file = 10 * i;
		world.files[10 * i].stuck = true;
		rows[i] = world_create(&world, &(struct world_order){ .owner = owners[i], .files = 2, .auto_complete = true });
		world_resume(&world, rows[i]);
		world_settle(&world);
	}
	assert_int_equal(world_state(&world, rows[1]), JOB_TRANSFERRING);
	assert_int_equal(world_state(&world, rows[2]), JOB_QUEUED);
	assert_int_equal(helped_status(&world, rows[2]).wait, JOB_WAIT_WORKERS);
	for (unsigned i = 0; i < 3; i++)
		world.files[10 * i].stuck = false;
	world_settle(&world);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(world_state(&world, rows[i]), JOB_ACKNOWLEDGED);
	world_check_rest(&world);
	helped_end(&world);
}

/* Each side alone would find room. */
static void workers__room_for_one_of_two_sides__job_waits_for_threads_and_says_so(void **state)
{
	struct world world;

	(void)state;
	helped_begin(&world, 1);
	world.settings.identity_workers_max = 4;
	world_hello_as(&world, NEIGHBOUR);
	for (unsigned i = 0; i < 3; i++) {
		world.files[10 * i].stuck = true;
		world.first_file = 10 * i;
		/* Three threads: the neighbour's two, and the agent's for the network. */
		if (i == 0)
			world_resume(&world, helped_job(&world, &(struct world_order){ .owner = NEIGHBOUR, .files = 1 }, 0, NULL));
		if (i == 1)
			world_resume(&world, helped_job(&world, &(struct world_order){ .owner = NEIGHBOUR, .files = 1 }, HELPER_NETWORK,
			                             &from_helper));
		world_settle(&world);
	}
	int64_t row = helped_job(&world, &(struct world_order){ .files = 1, .auto_complete = true }, 0, NULL);

	world_resume(&world, row);
	world_settle(&world);
	assert_int_equal(world_state(&world, row), JOB_QUEUED);
	assert_int_equal(helped_status(&world, row).wait, JOB_WAIT_WORKERS);
	for (unsigned i = 0; i < 3; i++)
		world.files[10 * i].stuck = false;
	world_settle(&world);
	assert_int_equal(world_state(&world, row), JOB_ACKNOWLEDGED);
	world_check_rest(&world);
	helped_end(&world);
}

/* A look takes threads, too; whoever waits for them is not forgotten when it is over. */
static void workers__looks_hold_them_all__who_waits_goes_on_when_they_are_over(void **state)
{
	static const enum person owners[] = { OWNER, NEIGHBOUR, AGENT, ADMINISTRATOR };
	struct world world;
	int64_t rows[5];

	(void)state;
	helped_begin(&world, 1);
	world.settings.identity_workers_max = 4;
	for (unsigned i = 0; i < 4; i++) {
		world_hello_as(&world, owners[i]);
		world.first_file = 10 * i;
		rows[i] = world_create(&world, &(struct world_order){ .owner = owners[i], .files = 1 });
	}
	world.first_file = 50;
	rows[4] = helped_job(&world, &(struct world_order){ .files = 1, .auto_complete = true }, HELPER_ALL, &from_helper);
	for (unsigned i = 0; i < 4; i++)
		world_preflight(&world, rows[i]);
	world_resume(&world, rows[4]); /* there is no thread to look with: it is granted unseen */
	assert_int_equal(world.resumed, RESULT_OK);
	world_settle(&world);
	assert_int_equal(world_state(&world, rows[4]), JOB_ACKNOWLEDGED);
	helped_end(&world);
}

static void workers__job_has_only_names_left_to_give__network_threads_are_free_for_others(void **state)
{
	struct world world;

	(void)state;
	helped_begin(&world, 1);
	int64_t row = helped_job(&world, &(struct world_order){ .files = 1, .auto_complete = true }, HELPER_NETWORK, &from_helper);

	helped_resume(&world, row);
	helped_run_to(&world, row, JOB_TRANSFERRED); /* it goes on with its names */
	world_session_ended(&world, 5);
	assert_int_equal(helped_status(&world, row).job.work, JOB_WORK_PUBLISH);
	assert_false(world_wears(&world, HELPER));
	helped_run_to(&world, row, JOB_ACKNOWLEDGED);
	helped_end(&world);
}

/* --- the service's own identity (rule 8) --- */

static void list(struct world *world, const char *owner)
{
	world->settings.identity_service_file_owners.count = world->settings.identity_service_network_owners.count = 1;
	strcpy(world->settings.identity_service_file_owners.items[0], owner);
	strcpy(world->settings.identity_service_network_owners.items[0], owner);
	world->settings.identity_service_file_roots.count = 1;
	strcpy(world->settings.identity_service_file_roots.items[0], "/sim/low");
}

static void service__configured_for_an_owner__serves_below_its_roots_only(void **state)
{
	struct world world;

	(void)state;
	helped_begin(&world, 1);
	list(&world, identity_caller(world.people[AGENT])->owner);
	world_hello_as(&world, AGENT);
	assert_int_equal(world_create(&world, &(struct world_order){ .owner = AGENT, .files = 1, .folder = "/lower" }), -1);
	assert_int_equal(world.resumed, RESULT_BAD_DESTINATION);
	int64_t row = world_create(&world, &(struct world_order){ .owner = AGENT, .files = 1, .folder = "/low",
	                                                          .on_token_loss = TOKEN_LOSS_WAIT });

	helped_resume(&world, row);
	helped_run_to(&world, row, JOB_TRANSFERRED);
	assert_string_equal(helped_status(&world, row).job.side_sid[JOB_SIDE_FILE], identity_caller(world.people[SERVICE])->owner);
	world.first_file = 1;
	assert_int_equal(world_add(&world, row, 1, NULL), RESULT_BAD_DESTINATION);
	/* As the helper it may lie elsewhere; then not as the service. */
	assert_int_equal(world_flags(&world, row, HELPER_LOCAL_FILE), RESULT_OK);
	assert_int_equal(world_add(&world, row, 1, NULL), RESULT_OK);
	assert_int_equal(world_flags(&world, row, 0), RESULT_OK);
	world_resume(&world, row);
	assert_int_equal(world.resumed, RESULT_DENIED);
	/* Granted for the helper, who leaves it to the service: the work finds it. */
	assert_int_equal(world_flags(&world, row, HELPER_LOCAL_FILE), RESULT_OK);
	world_resume(&world, row);
	assert_int_equal(world.resumed, RESULT_OK);
	assert_int_equal(world_flags(&world, row, 0), RESULT_OK);
	helped_run_to(&world, row, JOB_ERROR);
	assert_int_equal(helped_status(&world, row).job.error.result, RESULT_DENIED);
	assert_int_equal(world_cancel(&world, row), RESULT_OK);
	world_settle(&world);
	helped_check_cancelled(&world, row);
	/* Others are served by themselves. */
	world.first_file = 10;
	helped_run_to(&world, world_submit(&world, 2, true), JOB_ACKNOWLEDGED);
	helped_end(&world);
}

/* What the helper began where the service may not write. */
static void service__cancelled_job_has_a_file_elsewhere__that_one_is_told_and_left(void **state)
{
	struct world world;

	(void)state;
	helped_begin(&world, 1);
	list(&world, identity_caller(world.people[AGENT])->owner);
	world_hello_as(&world, AGENT);
	int64_t row = helped_job(&world, &(struct world_order){ .owner = AGENT, .files = 2, .folder = "/low" }, HELPER_LOCAL_FILE,
	                      NULL);

	world.first_file = 2;
	assert_int_equal(world_add(&world, row, 2, NULL), RESULT_OK);
	assert_int_equal(world_lend(&world, row, &from_helper), RESULT_OK);
	helped_resume(&world, row);
	helped_run_to(&world, row, JOB_TRANSFERRED);
	assert_int_equal(world_flags(&world, row, 0), RESULT_OK);
	assert_int_equal(world_cancel(&world, row), RESULT_OK);
	world_settle(&world);
	helped_check_cancelled(&world, row);
	assert_int_equal(world_events(&world, EVENT_LEFTOVER), 2);
	assert_int_equal(world.files[0].synced + world.files[1].synced, 0);
	helped_end(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(workers__as_many_as_may_be_are_at_work__others_wait_and_say_so),
		cmocka_unit_test(workers__room_for_one_of_two_sides__job_waits_for_threads_and_says_so),
		cmocka_unit_test(workers__looks_hold_them_all__who_waits_goes_on_when_they_are_over),
		cmocka_unit_test(workers__job_has_only_names_left_to_give__network_threads_are_free_for_others),
		cmocka_unit_test(service__configured_for_an_owner__serves_below_its_roots_only),
		cmocka_unit_test(service__cancelled_job_has_a_file_elsewhere__that_one_is_told_and_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
