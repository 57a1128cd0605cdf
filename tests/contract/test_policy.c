/* The policy and its watch: what changes is told once it has settled, and what is read was the same twice. */
#include "contract/file_scene.h"

#include <stdatomic.h>
#include <unistd.h>

#include "platform/clock.h"
#include "platform/policy.h"
#include "platform/thread.h"

#define WAIT_MS 20000

/* What the watch's thread told. */
struct heard {
	atomic_uint changed, ended;
};

static void on_changed(void *context)
{
	atomic_fetch_add(&((struct heard *)context)->changed, 1);
}

static void on_ended(void *context, const struct fault *why)
{
	if (why->what[0] == '\0')
		return; /* it says what */
	atomic_fetch_add(&((struct heard *)context)->ended, 1);
}

static void pause_ms(int64_t ms)
{
	struct mutex *mutex = mutex_new();
	struct condition *condition = condition_new();
	mutex_lock(mutex);
	condition_wait(condition, mutex, ms);
	mutex_unlock(mutex);
	condition_free(condition);
	mutex_free(mutex);
}

static void wait_for(atomic_uint *what, unsigned count)
{
	for (int64_t until = clock_mono_ms() + WAIT_MS; atomic_load(what) < count;) {
		assert_true(clock_mono_ms() < until);
		pause_ms(10);
	}
}

static struct policy_watch *watch(struct scene *scene, struct heard *heard)
{
	const struct policy_told told = { on_changed, on_ended, heard };
	struct policy_watch *watch = NULL;
	assert_int_equal(policy_system->watch(in(scene, "data"), &told, &watch, &scene->fault), RESULT_OK);
	return watch;
}

static void make(struct scene *scene, const char *name)
{
	char path[GROUND_PATH_BYTES_MAX];
	ground_path(path, in(scene, "data"), name);
	ground_write(path, "{}");
}

static void watch__of_a_folder__tells_what_is_ours_once_it_has_settled(void **state)
{
	struct scene *scene = *state;
	struct heard heard = { 0 };
	AUTO(buffer) struct buffer text = BUFFER(POLICY_TEXT_BYTES_MAX);
	if (policy_system == NULL)
		GROUND_SKIP("changes of the configuration are told (Wine, and Windows)");
	ground_make_folder(in(scene, "data"));
	struct policy_watch *watching = watch(scene, &heard);
	/* The first reading is whoever's asks for it, and no change. */
	assert_int_equal(policy_system->read(watching, false, &text, &scene->fault), RESULT_OK);
	assert_true(text.length >= 2 && text.bytes[0] == '{');
	/* Right after the beginning: there is no moment in which a change is missed. */
	make(scene, "ferry.jsonc");
	wait_for(&heard.changed, 1);
	/* What comes one after the other is told together. */
	for (unsigned i = 0; i < 20; i++) {
		make(scene, "ferry.jsonc");
		pause_ms(POLICY_SETTLE_MS / 20);
	}
	make(scene, "FERRY.jsonc");
	wait_for(&heard.changed, 2);
	make(scene, "queue.sqlite3");
	pause_ms(2 * POLICY_SETTLE_MS);
	assert_int_equal(atomic_load(&heard.ended), 0);
	assert_true(atomic_load(&heard.changed) < 20); /* of 22 */
	policy_system->unwatch(watching);
}

static void watch__that_ends__says_so(void **state)
{
	struct scene *scene = *state;
	struct heard heard = { 0 };
	if (policy_system == NULL)
		GROUND_SKIP("a watch that ends is told (Wine, and Windows)");
	ground_make_folder(in(scene, "data"));
	struct policy_watch *watching = watch(scene, &heard);
	assert_int_equal(rmdir(in(scene, "data")), 0);
	for (int64_t until = clock_mono_ms() + WAIT_MS / 10; atomic_load(&heard.ended) == 0 && clock_mono_ms() < until;)
		pause_ms(10);
	unsigned ended = atomic_load(&heard.ended);
	policy_system->unwatch(watching);
	assert_true(ended <= 1);
	if (ended == 0)
		GROUND_SKIP("a watch of a folder that goes ends and is told (Windows; Wine goes on watching)");
}

static void watch__begun_and_ended_in_a_row__leaves_nothing(void **state)
{
	struct scene *scene = *state;
	struct heard heard = { 0 };
	if (policy_system == NULL)
		GROUND_SKIP("watches begin and end (Wine, and Windows)");
	ground_make_folder(in(scene, "data"));
	for (unsigned i = 0; i < 50; i++) {
		struct policy_watch *watching = watch(scene, &heard);
		if (i % 2 == 0)
			make(scene, "ferry.jsonc");
		policy_system->unwatch(watching);
		unsigned told = atomic_load(&heard.changed);
		if (i % 10 == 0)
			pause_ms(20);
		assert_int_equal(atomic_load(&heard.changed), told); /* nothing after the end */
	}
	policy_system->unwatch(NULL);
}

#define POLICY_TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		POLICY_TEST(watch__of_a_folder__tells_what_is_ours_once_it_has_settled),
		POLICY_TEST(watch__that_ends__says_so),
		POLICY_TEST(watch__begun_and_ended_in_a_row__leaves_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
