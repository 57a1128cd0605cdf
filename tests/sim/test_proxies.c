/* By which proxy a job asks that does not say it: what the configuration or the system has, and while that is asked for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "helped.h"

static void begin(struct world *world, uint64_t seed, const char *proxies)
{
	helped_begin(world, seed);
	world->proxies = proxies;
	world_crash(world);
	world_hello(world);
}

static int64_t make(struct world *world, uint32_t files)
{
	int64_t row = world_create(world, &(struct world_order){ .files = files, .auto_complete = true });

	assert_true(row > 0);
	helped_resume(world, row);
	return row;
}

static void set_table(struct world *world, const char *rule)
{
	world->settings.proxy_table.count = 1;
	snprintf(world->settings.proxy_table.items[0], sizeof(world->settings.proxy_table.items[0]), "%s", rule);
}

static void system__is_asked_once_for_all_files_of_a_server(void **state)
{
	struct world world;

	(void)state;
	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		begin(&world, seed, "PROXY one.example:3128; DIRECT");
		helped_run_to(&world, make(&world, FILES), JOB_ACKNOWLEDGED);
		helped_check_published(&world, 0, FILES);
		assert_int_equal(world.proxies_asked, 1);
		assert_string_equal(world.proxy, "http://one.example:3128");
		/* And again when what it said is old. */
		world.first_file = FILES;
		helped_run_to(&world, make(&world, 1), JOB_ACKNOWLEDGED);
		assert_int_equal(world.proxies_asked, 1);
		world_wait(&world, 30);
		helped_end(&world);
	}
}

static void system__cannot_have_any_or_has_none__it_is_direct(void **state)
{
	struct world world;

	(void)state;
	begin(&world, 1, NULL);
	helped_run_to(&world, make(&world, 2), JOB_ACKNOWLEDGED);
	assert_int_equal(world_threads(&world, WORKER_PROXY), 0);
	assert_string_equal(world.proxy, "");
	helped_end(&world);
	begin(&world, 2, "");
	helped_run_to(&world, make(&world, 2), JOB_ACKNOWLEDGED);
	assert_int_equal(world_threads(&world, WORKER_PROXY), 1);
	assert_string_equal(world.proxy, "");
	world_wait(&world, (int64_t)world.settings.worker_idle_s + 1);
	assert_int_equal(world_threads(&world, WORKER_PROXY), 0);
	helped_end(&world);
}

static void table__goes_before_the_system(void **state)
{
	struct world world;

	(void)state;
	begin(&world, 3, "PROXY one.example:3128");
	set_table(&world, "* http://table.example:8080");
	helped_run_to(&world, make(&world, 2), JOB_ACKNOWLEDGED);
	assert_string_equal(world.proxy, "http://table.example:8080");
	assert_int_equal(world.proxies_asked, 0);
	set_table(&world, "* direct");
	world.first_file = 2;
	helped_run_to(&world, make(&world, 2), JOB_ACKNOWLEDGED);
	assert_string_equal(world.proxy, "");
	assert_int_equal(world.proxies_asked, 0);
	helped_end(&world);
}

/* Suspended, cancelled or crashed while it waits for the answer, which comes later or never: nothing hangs or lies about. */
static void answer__takes_its_time__whatever_happens_meanwhile(void **state)
{
	struct world world;

	(void)state;
	for (unsigned turn = 0; turn < 4; turn++) {
		begin(&world, 10 + turn, "PROXY one.example:3128");
		world.proxies_stuck = true;
		int64_t row = make(&world, 3);

		world_settle(&world);
		assert_int_equal(world_state(&world, row), JOB_CONNECTING);
		if (turn == 0)
			assert_int_equal(world_suspend(&world, row), RESULT_OK);
		else if (turn == 1)
			assert_int_equal(world_cancel(&world, row), RESULT_OK);
		else if (turn == 2)
			world_crash(&world);
		world_settle(&world);
		if (turn == 0)
			assert_int_equal(world_state(&world, row), JOB_SUSPENDED);
		world.proxies_stuck = false;
		world_settle(&world);
		if (turn == 0)
			helped_resume(&world, row);
		if (turn == 2)
			world_hello(&world);
		if (turn == 1)
			helped_check_cancelled(&world, row);
		else
			helped_run_to(&world, row, JOB_ACKNOWLEDGED);
		helped_end(&world);
	}
}

static void answer__is_a_failure__is_the_jobs_and_asked_for_anew(void **state)
{
	static const enum result results[] = { RESULT_TIMED_OUT, RESULT_NO_WORKER, RESULT_BAD_PROXY };
	struct world world;

	(void)state;
	for (unsigned i = 0; i < 3; i++) {
		begin(&world, 20 + i, "PROXY one.example:3128");
		world.proxies_fail = results[i];
		int64_t row = make(&world, 3);

		helped_run_to(&world, row, result_class(results[i]) == RETRY_LATER ? JOB_TRANSIENT_ERROR : JOB_ERROR);
		assert_int_equal(helped_status(&world, row).job.error.result, results[i]);
		world.proxies_fail = RESULT_OK;
		if (result_class(results[i]) != RETRY_LATER)
			helped_resume(&world, row);
		helped_run_to(&world, row, JOB_ACKNOWLEDGED);
		assert_string_equal(world.proxy, "http://one.example:3128");
		helped_end(&world);
	}
	/* A proxy that Ferry cannot use is not passed by. */
	begin(&world, 30, "SOCKS one.example:1080");
	int64_t row = make(&world, 1);
	helped_run_to(&world, row, JOB_ERROR);
	assert_int_equal(helped_status(&world, row).job.error.result, RESULT_BAD_PROXY);
	helped_end(&world);
}

static void proxy__cannot_be_reached__the_next_one_is_tried_for_a_while(void **state)
{
	struct world world;

	(void)state;
	begin(&world, 40, "PROXY one.example:3128; PROXY two.example:3128; DIRECT");
	world.files[0].fail_next_fetch = RESULT_CONNECT_FAILED;
	helped_run_to(&world, make(&world, 1), JOB_ACKNOWLEDGED);
	assert_string_equal(world.proxy, "http://two.example:3128");
	world.first_file = 1;
	helped_run_to(&world, make(&world, 1), JOB_ACKNOWLEDGED);
	assert_string_equal(world.proxy, "http://two.example:3128");
	world_wait(&world, 600);
	world.first_file = 2;
	helped_run_to(&world, make(&world, 1), JOB_ACKNOWLEDGED);
	assert_string_equal(world.proxy, "http://one.example:3128");
	helped_end(&world);
}

/* Whoever names his own could have it answer as any host, over http. */
static void proxy__of_the_job__is_an_allowed_one_where_hosts_are_listed(void **state)
{
	struct world world;

	(void)state;
	begin(&world, 50, NULL);
	world.wanted = world.settings;
	int64_t row = world_create(&world, &(struct world_order){ .files = 1, .auto_complete = true });
	assert_int_equal(world_set_proxy(&world, row, PROXY_EXPLICIT, "mine.example:3128"), RESULT_OK);
	world.files[0].stuck = true;
	world_resume(&world, row);
	world_settle(&world);
	assert_true(job_state_is_active(world_state(&world, row)));
	assert_string_equal(world.proxy, "http://mine.example:3128");
	world.wanted.allow_hosts.count = 1;
	snprintf(world.wanted.allow_hosts.items[0], sizeof(world.wanted.allow_hosts.items[0]), "*.test");
	world_reload(&world);
	helped_run_to(&world, row, JOB_ERROR);
	assert_int_equal(helped_status(&world, row).job.error.result, RESULT_BLOCKED_BY_POLICY);
	assert_non_null(strstr(helped_status(&world, row).job.error.what, "neither allow.* nor proxy.table has the proxy mine.example"));
	world.wanted.proxy_table.count = 1;
	snprintf(world.wanted.proxy_table.items[0], sizeof(world.wanted.proxy_table.items[0]), "other.test Mine.Example:3128");
	world_reload(&world);
	world.files[0].stuck = false;
	helped_resume(&world, row);
	helped_run_to(&world, row, JOB_ACKNOWLEDGED);
	assert_string_equal(world.proxy, "http://mine.example:3128");
	helped_end(&world);
}

/* Over https it could not, but for who ignores what is wrong with a certificate. */
static void proxy__of_a_job_that_ignores_the_certificate__is_an_allowed_one_over_https_too(void **state)
{
	struct job_properties ignoring = { .tls_ignore = TLS_IGNORE_HOST_NAME };
	struct world world;

	(void)state;
	begin(&world, 51, NULL);
	world.secure = true;
	world.wanted = world.settings;
	world.wanted.allow_hosts.count = 1;
	snprintf(world.wanted.allow_hosts.items[0], sizeof(world.wanted.allow_hosts.items[0]), "*.test");
	world_reload(&world);
	int64_t row = world_create(&world, &(struct world_order){ .files = 1, .auto_complete = true });
	assert_int_equal(world_set_proxy(&world, row, PROXY_EXPLICIT, "mine.example:3128"), RESULT_OK);
	assert_int_equal(world_set(&world, row, PROPERTY_TLS_IGNORE, &ignoring), RESULT_OK);
	world.files[0].stuck = true;
	world_resume(&world, row);
	world_settle(&world);
	assert_true(job_state_is_active(world_state(&world, row))); /* he wants to, and may not */
	assert_string_equal(world.proxy, "http://mine.example:3128");
	world.wanted.tls_may_ignore.count = 1;
	snprintf(world.wanted.tls_may_ignore.items[0], sizeof(world.wanted.tls_may_ignore.items[0]), "*.test");
	world_reload(&world);
	helped_run_to(&world, row, JOB_ERROR);
	assert_int_equal(helped_status(&world, row).job.error.result, RESULT_BLOCKED_BY_POLICY);
	assert_non_null(strstr(helped_status(&world, row).job.error.what, "with faults of the certificate ignored it could answer as"));
	ignoring.tls_ignore = 0;
	assert_int_equal(world_set(&world, row, PROPERTY_TLS_IGNORE, &ignoring), RESULT_OK);
	world.files[0].stuck = false;
	helped_resume(&world, row);
	helped_run_to(&world, row, JOB_ACKNOWLEDGED);
	helped_end(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(system__is_asked_once_for_all_files_of_a_server),
		cmocka_unit_test(system__cannot_have_any_or_has_none__it_is_direct),
		cmocka_unit_test(table__goes_before_the_system),
		cmocka_unit_test(answer__takes_its_time__whatever_happens_meanwhile),
		cmocka_unit_test(answer__is_a_failure__is_the_jobs_and_asked_for_anew),
		cmocka_unit_test(proxy__of_the_job__is_an_allowed_one_where_hosts_are_listed),
		cmocka_unit_test(proxy__of_a_job_that_ignores_the_certificate__is_an_allowed_one_over_https_too),
		cmocka_unit_test(proxy__cannot_be_reached__the_next_one_is_tried_for_a_while),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
