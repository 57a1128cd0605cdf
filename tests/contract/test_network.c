#include "ground.h"

#include <stdatomic.h>
#include <string.h>

#include "platform/network.h"

static void network__read_twice__says_the_same(void **state)
{
	(void)state;
	struct network_state one, other;
	memset(&one, 0x55, sizeof(one));
	network_read(&one);
	network_read(&other);
	/* Somebody may change it in between; but for that these are one. */
	assert_int_equal(one.reach, other.reach);
	assert_true(one.reach == NETWORK_NONE || one.reach == NETWORK_CONNECTED);
	assert_int_equal(one.battery_saver, other.battery_saver);
	assert_int_equal(one.metered, other.metered);
}

static void count(void *context)
{
	atomic_fetch_add((atomic_uint *)context, 1);
}

static void network__watched_again_and_again__is_told_to_nobody_who_went(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		struct network_watch *watch = NULL;
		struct fault fault;
		atomic_uint told;
		atomic_init(&told, 0);
		if (network_watch_start(count, &told, &watch, &fault) != RESULT_OK)
			fail_msg("%s", fault.what);
		network_watch_free(watch);
		unsigned before = atomic_load(&told);
		struct network_state now;
		network_read(&now);
		assert_int_equal(atomic_load(&told), before);
	}
	network_watch_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(network__read_twice__says_the_same),
		cmocka_unit_test(network__watched_again_and_again__is_told_to_nobody_who_went),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
