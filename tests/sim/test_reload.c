/* The configuration is read again: what it changes holds at once, what runs goes on, and nothing is lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "helped.h"
#include "world_private.h"

#define JOBS 4

static void begin(struct world *world, uint64_t seed)
{
	helped_begin(world, seed);
	world->wanted = world->settings;
}

static void set_rule(struct settings *settings, const char *rule)
{
	settings->rate_limits.count = rule != NULL;
	if (rule != NULL)
		text_display(settings->rate_limits.items[0], sizeof(settings->rate_limits.items[0]), "%s", rule);
}

static void limit(struct world *world, const char *rule)
{
	set_rule(&world->wanted, rule);
	world_reload(world);
}

static int64_t submit(struct world *world, enum job_priority priority, bool stuck)
{
	return helped_submit(world, OWNER, priority, stuck);
}

static unsigned running(struct world *world, const int64_t rows[JOBS])
{
	unsigned count = 0;

	for (unsigned i = 0; i < JOBS; i++)
		count += job_state_is_active(world_state(world, rows[i]));
	return count;
}

static void unstick(struct world *world)
{
	for (unsigned i = 0; i < WORLD_FILES_MAX; i++)
		world->files[i].stuck = false;
}

static void finish(struct world *world, const int64_t rows[JOBS])
{
	unstick(world);
	for (unsigned i = 0; i < JOBS; i++)
		helped_run_to(world, rows[i], JOB_ACKNOWLEDGED);
	assert_int_equal(world_events(world, EVENT_STORE_TROUBLE), 0);
	helped_end(world);
}

static void rate__appears_is_raised_and_goes_away__holds_in_the_same_turn(void **state)
{
	struct world world;
	AUTO(throttle) struct throttle *throttle = throttle_new();

	(void)state;
	begin(&world, 1);
	world.engine->parts.throttle = throttle;
	assert_true(throttle_share(throttle, JOB_LOW) == RATE_UNLIMITED);
	limit(&world, "all 1MB/s");
	assert_int_equal(throttle_share(throttle, JOB_LOW), 1000000);
	limit(&world, "all 3MB/s");
	assert_int_equal(throttle_share(throttle, JOB_LOW), 3000000);
	limit(&world, "high 4MB/s");
	assert_true(throttle_share(throttle, JOB_LOW) == RATE_UNLIMITED);
	assert_int_equal(throttle_share(throttle, JOB_HIGH), 4000000);
	limit(&world, NULL);
	assert_true(throttle_share(throttle, JOB_HIGH) == RATE_UNLIMITED);
	assert_true(world.engine->rates_at_ms == INT64_MAX); /* nothing is looked at any more */
	assert_int_equal(world_events(&world, EVENT_RATES), 4);
	assert_int_equal(world_events(&world, EVENT_SETTINGS_RELOADED), 4);
	helped_end(&world);
}

static void rate__is_off_and_on_again__what_runs_waits_and_goes_on(void **state)
{
	struct world world;
	int64_t rows[JOBS];

	(void)state;
	begin(&world, 2);
	for (unsigned i = 0; i < JOBS; i++)
		rows[i] = submit(&world, JOB_LOW, true);
	assert_int_equal(running(&world, rows), JOBS);
	limit(&world, "low off");
	world_wait(&world, 1);
	assert_int_equal(running(&world, rows), 0);
	assert_int_equal(helped_status(&world, rows[0]).wait, JOB_WAIT_RATE);
	assert_int_equal(helped_status(&world, rows[0]).job.next_try_ms, 0);
	limit(&world, "low 1kB/s");
	world_wait(&world, 1);
	assert_int_equal(running(&world, rows), JOBS);
	finish(&world, rows);
}

/* The world began on a Thursday by Unix time; all days are meant. */
static void window__closes__its_limit_is_gone_and_comes_with_another(void **state)
{
	struct world world;
	char rule[80];

	(void)state;
	begin(&world, 3);
	unsigned minute = world.parts.clock.local_minute(&world, world.wall_ms) % 1440;
	snprintf(rule, sizeof(rule), "%02u:%02u-%02u:%02u", minute / 60, minute % 60, (minute + 120) % 1440 / 60, minute % 60);
	char within[100], other[100];
	snprintf(within, sizeof(within), "mon-sun %s low off", rule);
	snprintf(other, sizeof(other), "mon-sun %02u:%02u-%02u:%02u low off", (minute + 60) % 1440 / 60, minute % 60,
	         (minute + 120) % 1440 / 60, minute % 60);
	limit(&world, within);
	int64_t row = submit(&world, JOB_LOW, true);
	assert_int_equal(helped_status(&world, row).wait, JOB_WAIT_RATE);
	assert_true(helped_status(&world, row).job.next_try_ms > world.wall_ms);
	/* The window is moved an hour ahead: the job runs meanwhile. */
	limit(&world, other);
	world_wait(&world, 1);
	assert_true(job_state_is_active(world_state(&world, row)));
	world_wait(&world, 61 * 60);
	assert_int_equal(helped_status(&world, row).wait, JOB_WAIT_RATE);
	unstick(&world);
	limit(&world, NULL);
	world_wait(&world, 1);
	assert_int_equal(world_state(&world, row), JOB_ACKNOWLEDGED);
	helped_end(&world);
}

static void slots__are_fewer_and_more__jobs_give_theirs_and_get_them_back(void **state)
{
	struct world world;
	int64_t rows[JOBS];

	(void)state;
	for (unsigned seed = 1; seed <= SEEDS / 6; seed++) {
		begin(&world, seed);
		for (unsigned i = 0; i < JOBS; i++)
			rows[i] = submit(&world, JOB_NORMAL, true);
		world.wanted.queue_background_jobs_max = 1;
		world_reload(&world);
		world_wait(&world, 1);
		assert_int_equal(running(&world, rows), 1);
		world.wanted.queue_background_jobs_max = 3;
		world_reload(&world);
		world_wait(&world, 1);
		assert_int_equal(running(&world, rows), 3);
		finish(&world, rows);
	}
}

static void policy__of_networks_and_finished_jobs__holds_at_once(void **state)
{
	struct world world;

	(void)state;
	begin(&world, 4);
	int64_t gone = submit(&world, JOB_NORMAL, false);
	assert_int_equal(world_state(&world, gone), JOB_ACKNOWLEDGED);
	world_network(&world, (struct network_state){ .reach = NETWORK_CONNECTED, .ways = 1, .metered = true });
	int64_t row = submit(&world, JOB_NORMAL, false);
	assert_int_equal(helped_status(&world, row).wait, JOB_WAIT_METERED);
	world.wanted.network_metered = JOB_PRIORITY_COUNT;
	world.wanted.files_mark_of_the_web_zone = 3;
	world.wanted.queue_finished_keep_s = 0;
	world_wait(&world, 1);
	world_reload(&world);
	struct job_status status;
	struct fault fault;
	assert_int_equal(engine_job_get(world.engine, gone, &status, &fault), RESULT_NOT_FOUND);
	world_wait(&world, 1);
	assert_int_equal(world.files[0].zone, 0);
	assert_int_equal(world.files[1].zone, 3);
	assert_int_equal(world.files[1].published, 1);
	helped_end(&world);
}

static void configuration__is_not_good__changes_nothing_and_is_told(void **state)
{
	struct world world;
	int64_t rows[JOBS];

	(void)state;
	begin(&world, 5);
	for (unsigned i = 0; i < JOBS; i++)
		rows[i] = submit(&world, JOB_NORMAL, true);
	world.unreadable = true;
	world.wanted.queue_background_jobs_max = 1;
	limit(&world, "all off");
	assert_int_equal(world.settings.queue_background_jobs_max, JOBS);
	assert_int_equal(running(&world, rows), JOBS);
	assert_int_equal(world_events(&world, EVENT_RELOAD_REFUSED), 1);
	assert_int_equal(world_events(&world, EVENT_SETTINGS_RELOADED), 0);
	finish(&world, rows);
}

/* Whoever held a file has let go of it, and nobody says so. */
static void change__that_was_refused__is_read_again_and_told_when_it_is_news(void **state)
{
	struct world world;

	(void)state;
	begin(&world, 46);
	world.unreadable = true;
	world.wanted.queue_background_jobs_max = 1;
	engine_reload(world.engine, false);
	world_wait(&world, 59);
	assert_int_equal(world_events(&world, EVENT_RELOAD_REFUSED), 1);
	world_wait(&world, 2 * 60);
	engine_reload(world.engine, false); /* a second sign of the same */
	world_wait(&world, 1);
	assert_int_equal(world_events(&world, EVENT_RELOAD_REFUSED), 1);
	world_reload(&world); /* who asks is told in any case */
	assert_int_equal(world_events(&world, EVENT_RELOAD_REFUSED), 2);
	assert_int_equal(world.settings.queue_background_jobs_max, JOBS);
	world.unreadable = false;
	world_wait(&world, 61);
	assert_int_equal(world.settings.queue_background_jobs_max, 1);
	assert_int_equal(world_events(&world, EVENT_SETTINGS_RELOADED), 1);
	/* What was refused to who asked waits for him. */
	world.unreadable = true;
	world_reload(&world);
	world.unreadable = false;
	world.wanted.queue_background_jobs_max = 2;
	world_wait(&world, 10 * 60);
	assert_int_equal(world.settings.queue_background_jobs_max, 1);
	helped_end(&world);
}

static void reload__in_a_turn_that_is_undone__holds_and_is_told(void **state)
{
	struct world world;
	int64_t rows[JOBS];

	(void)state;
	begin(&world, 6);
	for (unsigned i = 0; i < JOBS; i++)
		rows[i] = submit(&world, JOB_LOW, true);
	world.break_turn = true;
	limit(&world, "low off");
	assert_int_equal(world_events(&world, EVENT_SETTINGS_RELOADED), 1);
	/* While the queue rests, once more and twice in a row. */
	world.wanted.queue_background_jobs_max = 2;
	engine_reload(world.engine, true);
	world_reload(&world);
	assert_int_equal(world_events(&world, EVENT_SETTINGS_RELOADED), 2);
	world.unreadable = true;
	world_reload(&world);
	assert_int_equal(world_events(&world, EVENT_RELOAD_REFUSED), 1);
	world_wait(&world, 10);
	assert_int_equal(running(&world, rows), 0);
	assert_int_equal(helped_status(&world, rows[0]).wait, JOB_WAIT_RATE);
	world.unreadable = false;
	limit(&world, NULL);
	world_wait(&world, 1);
	assert_int_equal(running(&world, rows), 2);
	assert_int_equal(world_events(&world, EVENT_STORE_TROUBLE), 1);
	unstick(&world);
	for (unsigned i = 0; i < JOBS; i++)
		helped_run_to(&world, rows[i], JOB_ACKNOWLEDGED);
	engine_reload(world.engine, true); /* and the engine goes before it is read */
	helped_end(&world);
}

static void workers__are_to_be_others__who_runs_keeps_his_and_the_next_job_gets_new_ones(void **state)
{
	struct world world;

	(void)state;
	begin(&world, 7);
	int64_t first = submit(&world, JOB_NORMAL, true);
	const struct crew *old = world.engine->crews;
	world.wanted.transfer_checkpoint_bytes = 4000;
	world_reload(&world);
	assert_true(job_state_is_active(world_state(&world, first)));
	int64_t second = submit(&world, JOB_NORMAL, true);
	assert_ptr_equal(world.engine->crews->next, old);
	assert_int_equal(old->checkpoint_bytes, 1000);
	assert_int_equal(world.engine->crews->checkpoint_bytes, 4000);
	unstick(&world);
	helped_run_to(&world, first, JOB_ACKNOWLEDGED);
	helped_run_to(&world, second, JOB_ACKNOWLEDGED);
	world_wait(&world, 0);
	assert_null(world.engine->crews->next);
	/* What workers do not know changes none of them. */
	const struct crew *kept = world.engine->crews;
	limit(&world, "all 1MB/s");
	(void)submit(&world, JOB_NORMAL, false);
	assert_ptr_equal(world.engine->crews, kept);
	/* Nor does the same once more, authorities of one's own or not, but with others in the same files. */
	world.wanted.tls_ca_files.count = 1;
	text_display(world.wanted.tls_ca_files.items[0], sizeof(world.wanted.tls_ca_files.items[0]), "h /ca.pem");
	for (unsigned i = 0; i < 3; i++) {
		world_reload(&world);
		(void)submit(&world, JOB_NORMAL, false);
		assert_ptr_equal(world.engine->crews, kept);
		assert_false(kept->dead);
	}
	world.trust_differs = true;
	world_reload(&world);
	assert_true(world.engine->crews == NULL || world.engine->crews->dead);
	assert_int_equal(world_events(&world, EVENT_STORE_TROUBLE), 0);
	helped_end(&world);
}

static void serve(struct world *world, bool serves, const char *root)
{
	struct settings *wanted = &world->wanted;

	wanted->identity_service_file_owners.count = wanted->identity_service_network_owners.count = serves;
	strcpy(wanted->identity_service_file_owners.items[0], identity_caller(world->people[OWNER])->owner);
	strcpy(wanted->identity_service_network_owners.items[0], identity_caller(world->people[OWNER])->owner);
	wanted->identity_service_file_roots.count = 1;
	strcpy(wanted->identity_service_file_roots.items[0], root);
	world_reload(world);
	world_wait(world, 0);
}

static void ignored_certificates__taken_back_and_allowed_again__what_runs_begins_again(void **state)
{
	struct world world;
	struct job_properties all = { .tls_ignore = TLS_IGNORE_ALL };

	(void)state;
	begin(&world, 45);
	world.wanted.tls_may_ignore.count = 1;
	strcpy(world.wanted.tls_may_ignore.items[0], "*");
	world_reload(&world);
	int64_t row = submit(&world, JOB_NORMAL, true);
	assert_int_equal(world_set(&world, row, PROPERTY_TLS_IGNORE, &all), RESULT_OK);
	for (unsigned allowed = 2; allowed-- > 0;) {
		world.wanted.tls_may_ignore.count = allowed;
		if (!allowed)
			memset(world.wanted.tls_may_ignore.items[0], 0, sizeof(world.wanted.tls_may_ignore.items[0]));
		world_reload(&world);
		world_wait(&world, 1);
		assert_true(job_state_is_active(world_state(&world, row)));
		assert_int_equal(world.files[0].ignore, allowed ? TLS_IGNORE_ALL : 0);
	}
	unstick(&world);
	helped_run_to(&world, row, JOB_ACKNOWLEDGED);
	assert_int_equal(world_events(&world, EVENT_STORE_TROUBLE), 0);
	helped_end(&world);
}

/* The made-up workers hold every order against the settings of its moment. */
static void service__serves_an_owner_and_does_not__jobs_begin_again_as_who_they_are_now(void **state)
{
	struct world world;
	struct job_status status;

	(void)state;
	begin(&world, 8);
	int64_t row = submit(&world, JOB_NORMAL, true);
	assert_int_equal(helped_status(&world, row).sides[JOB_SIDE_FILE].as, IDENTITY_OWNER);
	serve(&world, true, "/sim");
	assert_true(job_state_is_active(world_state(&world, row)));
	assert_string_equal(helped_status(&world, row).job.side_sid[JOB_SIDE_FILE], identity_caller(world.people[SERVICE])->owner);
	serve(&world, false, "/sim");
	assert_true(job_state_is_active(world_state(&world, row)));
	assert_string_equal(helped_status(&world, row).job.side_sid[JOB_SIDE_FILE], identity_caller(world.people[OWNER])->owner);
	serve(&world, true, "/sim");
	serve(&world, true, "/elsewhere"); /* where it runs the service may not write any more */
	world_wait(&world, 1);
	status = helped_status(&world, row);
	assert_int_equal(status.job.state, JOB_ERROR);
	assert_int_equal(status.job.error.result, RESULT_DENIED);
	assert_non_null(strstr(status.job.error.what, "identity.service_file_roots"));
	serve(&world, true, "/sim");
	unstick(&world);
	helped_resume(&world, row);
	helped_run_to(&world, row, JOB_ACKNOWLEDGED);
	assert_int_equal(world_events(&world, EVENT_STORE_TROUBLE), 0);
	helped_end(&world);
}

/* At any moment of everything, and with turns that are undone: all jobs end well. */
static void reloads__at_any_moment__lose_nothing(void **state)
{
	struct world world;

	(void)state;
	for (unsigned seed = 1; seed <= SEEDS; seed++) {
		int64_t rows[JOBS];

		begin(&world, seed);
		for (unsigned i = 0; i < JOBS; i++, world.first_file += FILES) {
			rows[i] = world_create(&world, &(struct world_order){ .files = FILES, .auto_complete = true });
			helped_resume(&world, rows[i]);
		}
		for (unsigned i = 0; i < 150 && world_step(&world); i++) {
			if (world_random(&world, 4) != 0)
				continue;
			world.break_turn = world_random(&world, 10) == 0;
			world.wanted.queue_background_jobs_max = 1 + world_random(&world, JOBS);
			world.wanted.transfer_files_active_max = 1 + world_random(&world, 16);
			world.wanted.transfer_checkpoint_bytes = 1000 + 1000 * world_random(&world, 4);
			world.wanted.identity_workers_max = 4 + 2 * world_random(&world, 4);
			world.unreadable = world_random(&world, 5) == 0;
			set_rule(&world.wanted, (const char *[]){ NULL, "all 1MB/s", "normal off" }[world_random(&world, 3)]);
			serve(&world, world_random(&world, 3) == 0, "/sim");
		}
		world.unreadable = false;
		limit(&world, NULL);
		for (unsigned i = 0; i < JOBS; i++)
			helped_run_to(&world, rows[i], JOB_ACKNOWLEDGED);
		helped_check_published(&world, 0, JOBS * FILES);
		world_check_rest(&world);
		helped_end(&world);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rate__appears_is_raised_and_goes_away__holds_in_the_same_turn),
		cmocka_unit_test(rate__is_off_and_on_again__what_runs_waits_and_goes_on),
		cmocka_unit_test(window__closes__its_limit_is_gone_and_comes_with_another),
		cmocka_unit_test(slots__are_fewer_and_more__jobs_give_theirs_and_get_them_back),
		cmocka_unit_test(policy__of_networks_and_finished_jobs__holds_at_once),
		cmocka_unit_test(configuration__is_not_good__changes_nothing_and_is_told),
		cmocka_unit_test(change__that_was_refused__is_read_again_and_told_when_it_is_news),
		cmocka_unit_test(reload__in_a_turn_that_is_undone__holds_and_is_told),
		cmocka_unit_test(workers__are_to_be_others__who_runs_keeps_his_and_the_next_job_gets_new_ones),
		cmocka_unit_test(ignored_certificates__taken_back_and_allowed_again__what_runs_begins_again),
		cmocka_unit_test(service__serves_an_owner_and_does_not__jobs_begin_again_as_who_they_are_now),
		cmocka_unit_test(reloads__at_any_moment__lose_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
