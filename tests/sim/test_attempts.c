/* How a job's attempts went is kept, and what asking for a URL would meet is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "helped.h"

static size_t history(struct world *world, int64_t row, struct attempt attempts[ATTEMPTS_KEPT_MAX])
{
	struct fault fault;
	size_t count;

	assert_int_equal(engine_job_history(world->engine, row, attempts, &count, &fault), RESULT_OK);
	return count;
}

static void attempts__that_go_alike_are_one__whatever_the_order(void **state)
{
	(void)state;
	for (uint64_t seed = 0; seed < 20; seed++) {
		struct attempt attempts[ATTEMPTS_KEPT_MAX];
		struct world world;

		helped_begin(&world, seed);
		int64_t row = world_submit(&world, FILES, true);
		helped_run_to(&world, row, JOB_ACKNOWLEDGED);
		assert_int_equal(history(&world, row, attempts), 1);
		assert_int_equal(attempts[0].count, FILES);
		assert_int_equal(attempts[0].fault.result, RESULT_OK);
		assert_int_equal(attempts[0].trace.status, 200);
		assert_true(attempts[0].first_ms <= attempts[0].last_ms);
		assert_string_not_equal(attempts[0].sid, "");
		assert_string_not_equal(attempts[0].trace.url, "");
		helped_end(&world);
	}
}

/* One that fails for hours is one record, over a crash as well, and its end is another. */
static void attempts__of_a_job_that_fails_on_and_on__are_counted(void **state)
{
	struct attempt attempts[ATTEMPTS_KEPT_MAX];
	struct world world;
	unsigned failures = 0;

	(void)state;
	helped_begin(&world, 7);
	int64_t row = world_submit(&world, 1, true);
	world.files[0].sources[0].fails = RESULT_HTTP_TRANSIENT;
	for (; failures < 5; failures++) {
		helped_run_to(&world, row, JOB_TRANSIENT_ERROR);
		if (failures == 2) {
			world_crash(&world);
			world_hello(&world);
		}
		if (failures < 4)
			world_wait(&world, 4000);
	}
	size_t count = history(&world, row, attempts);
	assert_int_equal(count, 1);
	assert_true(attempts[0].count >= 5);
	assert_int_equal(attempts[0].fault.result, RESULT_HTTP_TRANSIENT);
	assert_string_equal(attempts[0].fault.what, "made up");
	world.files[0].sources[0].fails = RESULT_OK;
	helped_resume(&world, row);
	helped_run_to(&world, row, JOB_ACKNOWLEDGED);
	count = history(&world, row, attempts);
	assert_int_equal(count, 2);
	assert_int_equal(attempts[1].number, 1);
	assert_int_equal(attempts[1].fault.result, RESULT_OK);
	helped_end(&world);
}

/* The first ones go. */
static void attempts__of_many_kinds__are_the_last_ones(void **state)
{
	static const enum result kinds[] = { RESULT_HTTP_TRANSIENT, RESULT_STALLED };
	struct attempt attempts[ATTEMPTS_KEPT_MAX];
	struct world world;
	const uint32_t failures = ATTEMPTS_KEPT_MAX + 5;

	(void)state;
	helped_begin(&world, 9);
	int64_t row = world_submit(&world, 1, true);
	for (uint32_t i = 0; i < failures; i++) {
		world.files[0].sources[0].fails = kinds[i % 2];
		if (i > 0)
			helped_resume(&world, row);
		helped_run_to(&world, row, JOB_TRANSIENT_ERROR);
	}
	assert_int_equal(history(&world, row, attempts), ATTEMPTS_KEPT_MAX);
	assert_int_equal(attempts[0].number, failures - ATTEMPTS_KEPT_MAX);
	assert_int_equal(attempts[ATTEMPTS_KEPT_MAX - 1].number, failures - 1);
	assert_int_equal(attempts[ATTEMPTS_KEPT_MAX - 1].fault.result, kinds[(failures - 1) % 2]);
	helped_end(&world);
}

/* --- trials --- */

static void try(struct world *world, const char *url, const char *proxy)
{
	world_try(world, OWNER, url, proxy);
	for (unsigned steps = 0; world->tried == (enum result)WORLD_NO_ANSWER && steps < 1000; steps++)
		(void)world_step(world);
	assert_int_not_equal(world->tried, WORLD_NO_ANSWER);
}

static void trial__is_told_by_which_proxy_and_what_is_allowed(void **state)
{
	struct world world;

	(void)state;
	helped_begin(&world, 1);
	world.proxies = "PROXY one.example:3128; DIRECT";
	world_crash(&world);
	world_hello(&world);
	world.trial_status = 200;
	snprintf(world.settings.authentication_ntlm.items[0], sizeof(world.settings.authentication_ntlm.items[0]), "two.example");
	world.settings.authentication_ntlm.count = 1;
	try(&world, "http://h/f", "");
	assert_int_equal(world.tried, RESULT_OK);
	assert_string_equal(world.proxy, "http://one.example:3128");
	assert_string_equal(world.trial.attempt.proxy.address, "http://one.example:3128");
	assert_int_equal(world.trial.attempt.proxy.source, PROXY_FROM_SCRIPT);
	assert_int_equal(world.trial.attempt.trace.status, 200);
	assert_int_equal(world.trial.allowed[AUTH_SERVER], AUTH_FLAG(AUTH_NEGOTIATE));
	assert_int_equal(world.trial.forbidden[AUTH_SERVER], AUTH_FLAG(AUTH_NTLM));

	try(&world, "http://h/f?secret", "two.example:80");
	assert_string_equal(world.proxy, "http://two.example:80");
	assert_int_equal(world.trial.attempt.proxy.source, PROXY_FROM_JOB);
	assert_int_equal(world.trial.allowed[AUTH_PROXY], AUTH_FLAG(AUTH_NEGOTIATE) | AUTH_FLAG(AUTH_NTLM));
	assert_null(strstr(world.trial.attempt.trace.url, "secret"));

	world.trial_status = 403;
	try(&world, "http://h/f", "");
	assert_int_equal(world.tried, RESULT_OK);
	assert_int_equal(world.trial.attempt.fault.result, RESULT_HTTP_STATUS);
	world.trial_status = 405; /* HEAD is not for everybody */
	try(&world, "http://h/f", "");
	assert_int_equal(world.trial.attempt.fault.result, RESULT_OK);
	world.trial_fails = RESULT_NO_TICKET;
	try(&world, "http://h/f", "");
	assert_int_equal(world.tried, RESULT_OK);
	assert_int_equal(world.trial.attempt.fault.result, RESULT_NO_TICKET);
	helped_end(&world);
}

static void trial__what_cannot_be_tried_is_told_why(void **state)
{
	struct world world;

	(void)state;
	helped_begin(&world, 2);
	try(&world, "ftp://h/f", "");
	assert_int_equal(world.tried, RESULT_BAD_URL);
	try(&world, "http://h/f", "socks5://p");
	assert_int_equal(world.tried, RESULT_INVALID_ARGUMENT);
	assert_non_null(strstr(world.refusal, "params.by_proxy"));
	world.trials_stuck = true;
	for (unsigned i = 0; i < 4; i++) {
		world_try(&world, OWNER, "http://h/f", "");
		assert_int_equal(world.tried, WORLD_NO_ANSWER);
	}
	try(&world, "http://h/f", "");
	assert_int_equal(world.tried, RESULT_BUSY);
	world_hello_as(&world, ADMINISTRATOR); /* others may */
	world_try(&world, ADMINISTRATOR, "http://h/f", "");
	assert_int_equal(world.tried, WORLD_NO_ANSWER);
	world.trials_stuck = false;
	world_settle(&world);
	try(&world, "http://h/f", "");
	assert_int_equal(world.tried, RESULT_OK);
	/* Its threads end like everybody's. */
	world_wait(&world, (int64_t)world.settings.worker_idle_s + 1);
	assert_int_equal(world_threads(&world, WORKER_NETWORK), 0);
	helped_end(&world);
}

static void trial__of_who_logs_off__ends(void **state)
{
	struct world world;

	(void)state;
	for (unsigned stuck = 0; stuck < 2; stuck++) {
		helped_begin(&world, 4);
		world.proxies = "PROXY one.example:3128";
		world_crash(&world);
		world_hello(&world);
		world.proxies_stuck = stuck == 0;
		world.trials_stuck = stuck == 1;
		world_try(&world, OWNER, "http://h/f", "");
		while (world_is_at_work(&world))
			(void)world_step(&world);
		world_session_ended(&world, 1);
		world.proxies_stuck = false;
		world_settle(&world);
		assert_int_equal(world.tried, RESULT_IDENTITY_LOST);
		assert_false(world_wears(&world, OWNER));
		helped_end(&world);
	}
}

static void allow_host(struct world *world, const char *host)
{
	world->wanted.allow_hosts.count = 1;
	text_display(world->wanted.allow_hosts.items[0], sizeof(world->wanted.allow_hosts.items[0]), "%s", host);
	world_reload(world);
}

static void trial__whose_host_a_reload_forbids__ends_and_others_go_on(void **state)
{
	struct world world;

	(void)state;
	for (unsigned stuck = 0; stuck < 2; stuck++) {
		helped_begin(&world, 5);
		world.wanted = world.settings;
		world.proxies = "PROXY one.example:3128";
		world_crash(&world);
		world_hello(&world);
		for (unsigned forbidden = 0; forbidden < 2; forbidden++) {
			world.proxies_stuck = stuck == 0;
			world.trials_stuck = stuck == 1;
			world_try(&world, OWNER, "http://h/f", "");
			while (world_is_at_work(&world))
				(void)world_step(&world);
			allow_host(&world, forbidden ? "elsewhere" : "h");
			world.proxies_stuck = false;
			world.trials_stuck = stuck == 1 && forbidden;
			world_settle(&world);
			assert_int_equal(world.tried, forbidden ? RESULT_BLOCKED_BY_POLICY : RESULT_OK);
		}
		assert_non_null(strstr(world.refusal, "allow.hosts does not have h"));
		helped_end(&world);
	}
}

static void trial__by_a_proxy_of_ones_own__is_for_allowed_ones_over_http(void **state)
{
	struct world world;

	(void)state;
	helped_begin(&world, 6);
	world.wanted = world.settings;
	allow_host(&world, "h");
	try(&world, "http://h/f", "mine:3128");
	assert_int_equal(world.tried, RESULT_BLOCKED_BY_POLICY);
	assert_non_null(strstr(world.refusal, "params.by_proxy: neither allow.* nor proxy.table has the proxy mine"));
	try(&world, "https://h/f", "mine:3128");
	assert_int_equal(world.tried, RESULT_OK);
	world.wanted.proxy_table.count = 1;
	text_display(world.wanted.proxy_table.items[0], sizeof(world.wanted.proxy_table.items[0]), "elsewhere MINE:3128");
	world_reload(&world);
	try(&world, "http://h/f", "mine:3128");
	assert_int_equal(world.tried, RESULT_OK);
	/* One that is out ends when it is not named any more. */
	world.trials_stuck = true;
	world_try(&world, OWNER, "http://h/f", "mine:3128");
	world.wanted.proxy_table.count = 0;
	world_reload(&world);
	world_settle(&world);
	assert_int_equal(world.tried, RESULT_BLOCKED_BY_POLICY);
	helped_end(&world);
}

/* The client is told in any case, and once. */
static void trial__under_way_when_the_store_fails_or_all_ends__is_answered(void **state)
{
	struct world world;

	(void)state;
	for (unsigned stuck = 0; stuck < 2; stuck++) {
		helped_begin(&world, 3);
		world.proxies = "PROXY one.example:3128";
		world_crash(&world);
		world_hello(&world);
		world.proxies_stuck = stuck == 0;
		world.trials_stuck = stuck == 1;
		world_try(&world, OWNER, "http://h/f", "");
		while (world_is_at_work(&world))
			(void)world_step(&world);
		assert_int_equal(world.tried, WORLD_NO_ANSWER);
		world.break_turn = true;
		(void)world_submit(&world, 1, true);
		assert_int_not_equal(world.tried, WORLD_NO_ANSWER);
		assert_int_not_equal(world.tried, RESULT_OK);
		world.proxies_stuck = world.trials_stuck = false;
		world_settle(&world);
		try(&world, "http://h/f", "");
		assert_int_equal(world.tried, RESULT_OK);
		world.trials_stuck = true; /* the end frees it */
		world_try(&world, OWNER, "http://h/f", "");
		helped_end(&world);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(attempts__that_go_alike_are_one__whatever_the_order),
		cmocka_unit_test(attempts__of_a_job_that_fails_on_and_on__are_counted),
		cmocka_unit_test(attempts__of_many_kinds__are_the_last_ones),
		cmocka_unit_test(trial__is_told_by_which_proxy_and_what_is_allowed),
		cmocka_unit_test(trial__what_cannot_be_tried_is_told_why),
		cmocka_unit_test(trial__of_who_logs_off__ends),
		cmocka_unit_test(trial__whose_host_a_reload_forbids__ends_and_others_go_on),
		cmocka_unit_test(trial__by_a_proxy_of_ones_own__is_for_allowed_ones_over_http),
		cmocka_unit_test(trial__under_way_when_the_store_fails_or_all_ends__is_answered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
