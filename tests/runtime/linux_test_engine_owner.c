/* runtime/engine: one owner with many identities.  Linux only, where identities can be made up of numbers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "platform/clock.h"
#include "platform/posix/identity_credentials.h"
#include "runtime/engine_private.h"
#include "scratch.h"

#define GENTLE 12001
#define GREEDY 12002
#define MANY (2 * PRESENT_IDENTITIES_MAX)

struct worker {
	int nothing;
};

struct scene {
	char folder[512];
	struct settings settings;
	struct engine *engine;
	unsigned workers;
};

static enum result start_worker(void *context, enum worker_kind kind, struct identity *identity,
                                const struct report_sink *sink, struct worker **ret_worker, struct fault *fault)
{
	struct scene *scene = context;

	(void)kind;
	(void)identity;
	(void)sink;
	(void)fault;
	*ret_worker = calloc(1, sizeof(**ret_worker));
	assert_non_null(*ret_worker);
	scene->workers++;
	return RESULT_OK;
}

static struct scene scene;

static void stop_worker(struct worker *worker)
{
	scene.workers--;
	free(worker);
}

static int set_up(void **state)
{
	struct engine_parts parts = { .settings = &scene.settings, .clock = clock_system(),
		                      .workers = { .start = start_worker, .stop = stop_worker, .context = &scene } };
	struct events_settings events = { scene.folder, 1 << 20, 2, false };
	struct fault fault;

	(void)state;
	scratch_make(scene.folder, sizeof(scene.folder));
	settings_default(&scene.settings);
	assert_int_equal(events_open(&events, clock_system(), &parts.events, &fault), RESULT_OK);
	assert_int_equal(engine_new(&parts, &scene.engine, &fault), RESULT_OK);
	return 0;
}

static int tear_down(void **state)
{
	struct events *events = scene.engine->parts.events;

	(void)state;
	engine_free(scene.engine);
	events_free(events);
	scratch_remove(scene.folder);
	assert_int_equal(scene.workers, 0);
	return 0;
}

static struct identity *identity_of(uid_t uid, gid_t gid)
{
	struct identity *identity = NULL;
	struct fault fault;

	assert_int_equal(identity_from_credentials(uid, gid, 0, NULL, 0, &identity, &fault), RESULT_OK);
	return identity;
}

static void show(uid_t uid, gid_t gid)
{
	AUTO(identity) struct identity *identity = identity_of(uid, gid);

	engine_owner_present(scene.engine, identity);
}

static const struct present *find_present(const char *sid)
{
	const struct job_owner owner = { sid, INTEGRITY_MEDIUM, false };

	return engine_present(scene.engine, &owner);
}

static unsigned count_present(void)
{
	unsigned count = 0;

	for (const struct present *present = scene.engine->present; present != NULL; present = present->next)
		count++;
	return count;
}

static void engine_owner_present__many_identities_of_one_owner__displace_no_other(void **state)
{
	(void)state;
	show(GENTLE, 1);
	for (gid_t gid = 1; gid <= MANY; gid++)
		show(GREEDY, gid);
	assert_int_equal(count_present(), PRESENT_IDENTITIES_MAX);
	assert_non_null(find_present("uid:12001"));

	AUTO(identity) struct identity *newest = identity_of(GREEDY, MANY);
	const struct present *present = find_present("uid:12002");

	assert_non_null(present);
	assert_memory_equal(identity_digest(present->identity), identity_digest(newest), IDENTITY_DIGEST_BYTES);
}

static void engine_owner_present__more_owners_than_are_kept__the_one_seen_longest_ago_goes(void **state)
{
	(void)state;
	for (uid_t uid = 1; uid <= PRESENT_IDENTITIES_MAX; uid++)
		show(uid, 1);
	show(1, 1);
	show(GENTLE, 1);
	assert_int_equal(count_present(), PRESENT_IDENTITIES_MAX);
	assert_non_null(find_present("uid:1"));
	assert_null(find_present("uid:2"));
}

static const struct answers no_answers;

static void crew_end_idle__many_identities__few_idle_threads_stay(void **state)
{
	struct fault fault;

	(void)state;
	for (gid_t gid = 1; gid <= MANY; gid++) {
		AUTO(identity) struct identity *identity = identity_of(GREEDY, gid);
		struct crew *file = crew_get(scene.engine, identity, JOB_SIDE_FILE, no_answers, &fault);
		struct crew *network = crew_get(scene.engine, identity, JOB_SIDE_NETWORK, no_answers, &fault);

		assert_non_null(file);
		assert_ptr_equal(file, network);
		crew_release(scene.engine, file);
		crew_release(scene.engine, network);
		assert_true(crew_end_idle(scene.engine) > engine_mono(scene.engine)); /* none is due for long */
	}
	assert_int_equal(scene.workers, 2 * IDLE_CREWS_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(engine_owner_present__many_identities_of_one_owner__displace_no_other, set_up,
		                                tear_down),
		cmocka_unit_test_setup_teardown(
			engine_owner_present__more_owners_than_are_kept__the_one_seen_longest_ago_goes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(crew_end_idle__many_identities__few_idle_threads_stay, set_up, tear_down),
	};
	return cmocka_run_group_tests_name("engine_owner", tests, NULL, NULL);
}
