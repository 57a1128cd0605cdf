/* What the machine's network and power mean for jobs: the tables. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/network.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Facts: m metered, r roaming, b battery saver.  `expected` has a letter for each priority, from the foreground down: the
 * fact that holds it, or '-'. */
static void network_holds__table__the_strictest_that_is_true_holds(void **state)
{
	(void)state;
	static const struct {
		const char *facts;
		struct network_policy policy;
		const char *expected;
	} cases[] = {
		{ "", { 0, 0, 0 }, "----" },
		{ "", { 1, 1, 1 }, "----" },
		{ "m", { 0, 4, 4 }, "mmmm" },
		{ "m", { 1, 4, 4 }, "-mmm" },
		{ "m", { 2, 0, 0 }, "--mm" },
		{ "m", { 3, 0, 0 }, "---m" },
		{ "m", { 4, 0, 0 }, "----" },
		{ "r", { 0, 1, 0 }, "-rrr" },
		{ "b", { 0, 0, 1 }, "-bbb" },
		{ "b", { 0, 0, 4 }, "----" },
		{ "rb", { 0, 4, 0 }, "bbbb" },
		/* of several that hold a priority the network's comes first, and of it where it is */
		{ "mr", { 1, 3, 4 }, "-mmr" },
		{ "mb", { 3, 0, 1 }, "-bbm" },
		{ "mrb", { 1, 1, 1 }, "-rrr" },
		{ "mrb", { 4, 4, 4 }, "----" },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		/* that there is none is no reason to hold anybody: it may be wrong */
		struct network_state now = { .reach = i % 2 == 0 ? NETWORK_NONE : NETWORK_CONNECTED,
			                     .metered = strchr(cases[i].facts, 'm') != NULL,
			                     .roaming = strchr(cases[i].facts, 'r') != NULL,
			                     .battery_saver = strchr(cases[i].facts, 'b') != NULL };
		for (int priority = 0; priority < JOB_PRIORITY_COUNT; priority++) {
			enum job_wait held = network_holds(&now, &cases[i].policy, (enum job_priority)priority);
			char letter = held == JOB_WAIT_METERED         ? 'm' :
			              held == JOB_WAIT_ROAMING         ? 'r' :
			              held == JOB_WAIT_BATTERY_SAVER ? 'b' : '-';
			if (letter != cases[i].expected[priority] || (letter == '-' && held != JOB_WAIT_NONE))
				fail_msg("case %d, %s: %s", (int)i, job_priority_name((enum job_priority)priority), job_wait_name(held));
		}
	}
}

static void network_is_back__table__when_a_way_came_up(void **state)
{
	(void)state;
	static const struct {
		struct network_state before, now;
		bool back;
	} cases[] = {
		{ { .reach = NETWORK_NONE }, { .reach = NETWORK_CONNECTED, .ways = 1 }, true },
		{ { .reach = NETWORK_NONE, .ways = 1 }, { .reach = NETWORK_CONNECTED, .ways = 1 }, true },
		{ { .reach = NETWORK_NONE }, { .reach = NETWORK_NONE }, false },
		{ { .reach = NETWORK_NONE }, { .reach = NETWORK_UNKNOWN }, false },
		{ { .reach = NETWORK_CONNECTED, .ways = 1 }, { .reach = NETWORK_CONNECTED, .ways = 1 }, false },
		{ { .reach = NETWORK_CONNECTED, .ways = 1 }, { .reach = NETWORK_CONNECTED, .ways = 2 }, true },
		{ { .reach = NETWORK_CONNECTED, .ways = 1 }, { .reach = NETWORK_NONE }, false },
		{ { .reach = NETWORK_UNKNOWN }, { .reach = NETWORK_CONNECTED, .ways = 1 }, false }, /* the first look */
		{ { .reach = NETWORK_CONNECTED, .ways = 1 }, { .reach = NETWORK_CONNECTED, .ways = 1, .metered = true }, false },
	};
	for (size_t i = 0; i < COUNT(cases); i++)
		if (network_is_back(&cases[i].before, &cases[i].now) != cases[i].back)
			fail_msg("case %d", (int)i);
}

static void network_explains__only_what_comes_of_a_lost_network(void **state)
{
	(void)state;
	unsigned count = 0;
	for (int i = 0; i < RESULT_COUNT; i++)
		if (network_explains((enum result)i)) {
			assert_int_equal(result_class((enum result)i), RETRY_LATER);
			count++;
		}
	assert_int_equal(count, NETWORK_LOSSES);
	assert_true(network_explains(RESULT_CONNECT_FAILED) && network_explains(RESULT_NAME_NOT_RESOLVED));
	assert_false(network_explains(RESULT_HTTP_TRANSIENT)); /* somebody answered */
	assert_false(network_explains(RESULT_DISK_FULL) || network_explains(RESULT_LOCKED) || network_explains(RESULT_OK));
}

static void network_add_way__in_any_order__is_the_same_and_another_differs(void **state)
{
	(void)state;
	struct network_state one = { .ways = 0 }, other = one, third = one;
	network_add_way(&one, "\x0A\0\0\1", 4);
	network_add_way(&one, "\x0A\0\0\2", 4);
	network_add_way(&other, "\x0A\0\0\2", 4);
	network_add_way(&third, "\x0A\0\0\2", 4);
	assert_true(one.ways != other.ways);
	network_add_way(&other, "\x0A\0\0\1", 4);
	network_add_way(&third, "\x0A\0\0\3", 4);
	assert_true(one.ways == other.ways && one.ways != third.ways);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(network_holds__table__the_strictest_that_is_true_holds),
		cmocka_unit_test(network_is_back__table__when_a_way_came_up),
		cmocka_unit_test(network_explains__only_what_comes_of_a_lost_network),
		cmocka_unit_test(network_add_way__in_any_order__is_the_same_and_another_differs),
	};
	return cmocka_run_group_tests_name("core/network", tests, NULL, NULL);
}
