/* Files from shares: which worker fetches them, beside and instead of servers, and where there is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "helped.h"

/* Where paths are Windows'. */
static void begin(struct world *world, uint64_t seed)
{
	helped_begin(world, seed);
	world->remote = true;
	world_crash(world);
	world_hello(world);
	world->plain = true; /* a share has no query, and files move there */
}

static int64_t make(struct world *world, const struct world_order *order)
{
	int64_t row = world_create(world, order);

	assert_true(row > 0);
	helped_resume(world, row);
	return row;
}

static void share__is_fetched_by_a_worker_of_its_own_that_others_do_not_need(void **state)
{
	struct world world;

	(void)state;
	begin(&world, 1);
	helped_run_to(&world, make(&world, &(struct world_order){ .files = 3, .auto_complete = true }), JOB_ACKNOWLEDGED);
	assert_int_equal(world_threads(&world, WORKER_SHARE), 0);
	world.first_file = 3;
	helped_run_to(&world, make(&world, &(struct world_order){ .files = 3, .auto_complete = true, .shares = 1 }), JOB_ACKNOWLEDGED);
	assert_int_equal(world_threads(&world, WORKER_SHARE), 1);
	assert_int_equal(world_threads(&world, WORKER_NETWORK), 1);
	helped_check_published(&world, 0, 6);
	world_wait(&world, (int64_t)world.settings.worker_idle_s + 1);
	assert_int_equal(world_threads(&world, WORKER_SHARE), 0);
	helped_end(&world);
}

static void share__hangs__servers_files_come_all_the_same(void **state)
{
	struct world world;

	(void)state;
	begin(&world, 2);
	world.files[0].stuck = true;
	int64_t slow = make(&world, &(struct world_order){ .files = 1, .auto_complete = true, .shares = 1 });
	world.first_file = 1;
	int64_t row = make(&world, &(struct world_order){ .files = 2, .auto_complete = true });

	helped_run_to(&world, row, JOB_ACKNOWLEDGED);
	assert_int_equal(world_state(&world, slow), JOB_CONNECTING);
	assert_int_equal(world_suspend(&world, slow), RESULT_OK);
	world_settle(&world);
	world.files[0].stuck = false;
	world_resume(&world, slow);
	helped_run_to(&world, slow, JOB_ACKNOWLEDGED);
	world_check_rest(&world);
	helped_end(&world);
}

static void sources__of_both_kinds__the_next_one_is_asked_whichever_it_is(void **state)
{
	struct world world;

	(void)state;
	for (unsigned shares = 0; shares < 8; shares++) {
		begin(&world, 3 + shares);
		world.files[0].sources[0].fails = shares & 1 ? RESULT_SOURCE_NOT_FOUND : RESULT_HTTP_STATUS;
		world.files[0].sources[1].fails = shares & 2 ? RESULT_SOURCE_LOCKED : RESULT_CONNECT_FAILED;
		int64_t row = make(&world, &(struct world_order){ .files = 1, .auto_complete = true, .mirrors = 2, .shares = shares });

		helped_run_to(&world, row, JOB_ACKNOWLEDGED);
		assert_int_equal(world.files[0].sources[2].sent, world.files[0].size);
		assert_int_equal(helped_status(&world, row).job.error_count, 0);
		helped_end(&world);
	}
}

static void share__is_refused__the_job_is_in_error_until_a_resume(void **state)
{
	static const enum result results[] = { RESULT_SOURCE_NOT_FOUND, RESULT_SOURCE_DENIED, RESULT_REDIRECT_REFUSED };
	struct world world;

	(void)state;
	begin(&world, 20);
	for (unsigned i = 0; i < 3; i++) {
		world.first_file = i;
		world.files[i].fail_next_fetch = results[i];
		int64_t row = make(&world, &(struct world_order){ .files = 1, .auto_complete = true, .shares = 1 });

		helped_run_to(&world, row, JOB_ERROR);
		assert_int_equal(helped_status(&world, row).job.error.result, results[i]);
		helped_resume(&world, row);
		helped_run_to(&world, row, JOB_ACKNOWLEDGED);
	}
	/* What somebody writes to is waited for. */
	world.first_file = 3;
	world.files[3].fail_next_fetch = RESULT_SOURCE_LOCKED;
	int64_t row = make(&world, &(struct world_order){ .files = 1, .auto_complete = true, .shares = 1 });

	helped_run_to(&world, row, JOB_TRANSIENT_ERROR);
	helped_run_to(&world, row, JOB_ACKNOWLEDGED);
	helped_end(&world);
}

static void shares_server__is_dead__is_left_alone_by_all_but_the_web_of_that_name_is_not(void **state)
{
	struct world world;
	unsigned asked = 0;

	(void)state;
	begin(&world, 21);
	for (unsigned i = 0; i < 20; i++) {
		world.first_file = i;
		world.files[i].dead = true;
		(void)make(&world, &(struct world_order){ .files = 1, .auto_complete = true, .shares = 1 });
	}
	world_wait(&world, 9);
	for (unsigned i = 0; i < 20; i++)
		asked += world.files[i].asked;
	assert_in_range(asked, 5, 5 + world.settings.queue_background_jobs_max);
	world.first_file = 20;
	helped_run_to(&world, make(&world, &(struct world_order){ .files = 1, .auto_complete = true }), JOB_ACKNOWLEDGED);
	helped_end(&world);
}

static void share__no_thread_is_free_for_it__is_tried_again_and_the_others_files_come(void **state)
{
	struct world world;

	(void)state;
	begin(&world, 22);
	world.settings.identity_workers_max = 2;
	int64_t row = make(&world, &(struct world_order){ .files = 1, .auto_complete = true, .shares = 1 });

	helped_run_to(&world, row, JOB_TRANSIENT_ERROR);
	assert_int_equal(helped_status(&world, row).job.error.result, RESULT_NO_WORKER);
	assert_non_null(strstr(helped_status(&world, row).job.error.what, "identity.workers_max"));
	world.first_file = 1;
	int64_t both = make(&world, &(struct world_order){ .files = 2, .auto_complete = true, .mirrors = 1, .shares = 1 });

	helped_run_to(&world, both, JOB_ACKNOWLEDGED);
	assert_int_equal(world.files[1].sources[1].sent, world.files[1].size);
	world.settings.identity_workers_max = 3;
	helped_run_to(&world, row, JOB_ACKNOWLEDGED);
	helped_end(&world);
}

static void owner__leaves_while_a_share_is_read__it_stops_and_its_thread_ends(void **state)
{
	struct world world;

	(void)state;
	begin(&world, 23);
	world.files[0].stuck = true;
	int64_t row = make(&world, &(struct world_order){ .files = 1, .auto_complete = true, .shares = 1 });

	world_settle(&world);
	assert_int_equal(world_threads(&world, WORKER_SHARE), 1);
	world_session_ended(&world, 1);
	world_settle(&world);
	assert_int_equal(world_state(&world, row), JOB_QUEUED);
	assert_false(world_wears(&world, OWNER));
	world.files[0].stuck = false;
	world_session_began(&world, 1);
	world_hello(&world);
	helped_run_to(&world, row, JOB_ACKNOWLEDGED);
	helped_end(&world);
}

/* Who reads the share is whoever the network's side is served by, and nobody else (the world's workers look). */
static void share__with_a_helper_for_the_network__is_read_by_that(void **state)
{
	struct world world;

	(void)state;
	begin(&world, 24);
	for (unsigned flags = 0; flags <= HELPER_ALL; flags++) {
		int64_t row = helped_job(&world, &(struct world_order){ .files = 2, .auto_complete = true, .shares = 1 }, flags,
		                         &from_helper);

		helped_resume(&world, row);
		helped_run_to(&world, row, JOB_ACKNOWLEDGED);
		world.first_file += 2;
	}
	helped_end(&world);
}

/* What others lend is not shown to servers that the job's owner names: Windows would log on there as the helper. */
static void share__with_a_helper_who_attached__is_refused_for_the_network(void **state)
{
	const struct world_loan attached = { .helper = HELPER, .connection = 1, .attached = true };
	const struct world_loan below = { .helper = HELPER, .connection = 1, .attached = true, .root = "\\\\server\\sim\\low" };
	struct job_properties pinned = { .name = "" };
	struct world world;

	(void)state;
	begin(&world, 25);
	memcpy(pinned.pinned_helper, identity_caller(world.people[HELPER])->owner, sizeof(pinned.pinned_helper));
	for (unsigned shares = 0; shares < 8; shares++) {
		int64_t row = helped_job(&world, &(struct world_order){ .files = 1, .auto_complete = true, .mirrors = 2, .shares = shares },
		                         HELPER_NETWORK, NULL);

		assert_int_equal(world_set(&world, row, PROPERTY_PINNED_HELPER, &pinned), RESULT_OK);
		assert_int_equal(world_lend(&world, row, &attached), shares ? RESULT_INVALID_ARGUMENT : RESULT_OK);
		if (shares)
			assert_non_null(strstr(world.refusal, "comes from a share"));
		assert_int_equal(world_lend(&world, row, &below), shares ? RESULT_INVALID_ARGUMENT : RESULT_OK);
		if (shares)
			assert_int_equal(world_lend(&world, row, &from_helper), RESULT_OK);
		helped_resume(&world, row);
		helped_run_to(&world, row, JOB_ACKNOWLEDGED);
		world.first_file++;
	}
	helped_end(&world);
}

static void server__becomes_a_share_in_the_middle__nothing_unproven_is_joined(void **state)
{
	struct world world;

	(void)state;
	for (uint64_t seed = 30; seed < 60; seed++) {
		uint32_t changed;

		begin(&world, seed);
		world.same_tags = true;
		int64_t row = make(&world, &(struct world_order){ .files = 1, .auto_complete = true, .digest = seed % 2 });

		for (uint64_t steps = world_random(&world, 60); steps > 0 && world_state(&world, row) != JOB_ACKNOWLEDGED; steps--)
			(void)world_step(&world);
		if (world_replace(&world, row, "http://sim.test/", "\\\\sim\\sim\\", &changed) == RESULT_OK)
			helped_run_to(&world, row, JOB_ACKNOWLEDGED);
		helped_end(&world);
	}
}

static void shares_and_servers__with_power_cuts__all_land(void **state)
{
	struct world world;

	(void)state;
	for (uint64_t seed = 100; seed < 140; seed++) {
		int64_t rows[4];

		begin(&world, seed);
		for (unsigned i = 0; i < 4; i++) {
			world.first_file = 5 * i;
			rows[i] = make(&world, &(struct world_order){ .files = 5, .auto_complete = true, .mirrors = 2,
			                                              .shares = (unsigned)world_random(&world, 8), .digest = i % 2 });
		}
		for (unsigned i = 0; i < 20; i++)
			for (unsigned source = 0; source < 2; source++)
				if (world_random(&world, 3) == 0) {
					world.files[i].sources[source].fails = RESULT_CONNECTION_CLOSED;
					world.files[i].sources[source].fails_at = world_random(&world, world.files[i].size);
				}
		for (unsigned cut = 0; cut < 3; cut++) {
			for (uint64_t steps = world_random(&world, 200); steps > 0 && world_step(&world); steps--)
				;
			world_crash(&world);
			world_hello(&world);
		}
		for (unsigned i = 0; i < 20; i++)
			world.files[i].sources[0].fails = world.files[i].sources[1].fails = RESULT_OK;
		for (unsigned i = 0; i < 4; i++)
			helped_run_to(&world, rows[i], JOB_ACKNOWLEDGED);
		helped_check_published(&world, 0, 20);
		world_check_rest(&world);
		helped_end(&world);
	}
}

static void share__on_a_ground_without__is_refused_by_its_field(void **state)
{
	struct world world;
	uint32_t changed;

	(void)state;
	helped_begin(&world, 2);
	world.plain = true;
	assert_int_equal(world_create(&world, &(struct world_order){ .files = 1, .shares = 1 }), -1);
	assert_non_null(strstr(world.refusal, "params.files[0].url: a share's file"));
	assert_int_equal(world_create(&world, &(struct world_order){ .files = 1, .mirrors = 2, .shares = 4 }), -1);
	assert_non_null(strstr(world.refusal, "params.files[0].mirrors[1]: a share's file"));
	int64_t row = world_create(&world, &(struct world_order){ .files = 1 });

	assert_int_equal(world_replace(&world, row, "http://sim.test/", "\\\\sim\\sim\\", &changed), RESULT_NOT_SUPPORTED);
	assert_non_null(strstr(world.refusal, "params.new_prefix: files[0].url: a share's file"));
	helped_end(&world);
}

/* Wherever an owner points, Windows would log on there as the machine. */
static void share__of_an_owner_whom_the_service_serves__is_not_read(void **state)
{
	struct world world;

	(void)state;
	begin(&world, 4);
	strcpy(world.settings.identity_service_network_owners.items[0], identity_caller(world.people[OWNER])->owner);
	world.settings.identity_service_network_owners.count = 1;
	for (unsigned i = 0; i < 2; i++) {
		int64_t row = make(&world, &(struct world_order){ .files = 1, .mirrors = 2, .shares = i == 0 ? 1 : 4 });

		helped_run_to(&world, row, JOB_ERROR);
		assert_int_equal(helped_status(&world, row).job.error.result, RESULT_DENIED);
		assert_non_null(strstr(helped_status(&world, row).job.error.what, "identity.service_network_owners"));
	}
	helped_end(&world);
}

static void share__in_ranges__is_refused_by_its_field(void **state)
{
	struct world world;
	uint32_t changed;

	(void)state;
	begin(&world, 3);
	assert_int_equal(world_create(&world, &(struct world_order){ .files = 1, .shares = 1, .ranges = true }), -1);
	assert_non_null(strstr(world.refusal, "params.files[0].url: a share's file comes whole"));
	assert_int_equal(world_create(&world, &(struct world_order){ .files = 1, .mirrors = 2, .shares = 4, .ranges = true }), -1);
	assert_non_null(strstr(world.refusal, "params.files[0].mirrors[1]: a share's file comes whole"));
	int64_t row = world_create(&world, &(struct world_order){ .files = 1, .ranges = true });

	assert_int_equal(world_replace(&world, row, "http://sim.test/", "\\\\sim\\sim\\", &changed), RESULT_INSUFFICIENT_RANGE_SUPPORT);
	assert_non_null(strstr(world.refusal, "params.new_prefix: files[0].url: a share's file comes whole"));
	helped_end(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(share__is_fetched_by_a_worker_of_its_own_that_others_do_not_need),
		cmocka_unit_test(share__hangs__servers_files_come_all_the_same),
		cmocka_unit_test(sources__of_both_kinds__the_next_one_is_asked_whichever_it_is),
		cmocka_unit_test(share__is_refused__the_job_is_in_error_until_a_resume),
		cmocka_unit_test(shares_server__is_dead__is_left_alone_by_all_but_the_web_of_that_name_is_not),
		cmocka_unit_test(share__no_thread_is_free_for_it__is_tried_again_and_the_others_files_come),
		cmocka_unit_test(owner__leaves_while_a_share_is_read__it_stops_and_its_thread_ends),
		cmocka_unit_test(share__with_a_helper_for_the_network__is_read_by_that),
		cmocka_unit_test(share__with_a_helper_who_attached__is_refused_for_the_network),
		cmocka_unit_test(server__becomes_a_share_in_the_middle__nothing_unproven_is_joined),
		cmocka_unit_test(shares_and_servers__with_power_cuts__all_land),
		cmocka_unit_test(share__on_a_ground_without__is_refused_by_its_field),
		cmocka_unit_test(share__of_an_owner_whom_the_service_serves__is_not_read),
		cmocka_unit_test(share__in_ranges__is_refused_by_its_field),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
