#include "ground.h"

#include <stdlib.h>
#include <time.h>

#include "platform/clock.h"

static void clock__wall__is_unix_time_in_ms(void **state)
{
	(void)state;
	int64_t before = time(NULL), now = clock_wall_ms(), after = time(NULL);
	assert_true(now / 1000 >= before - 1 && now / 1000 <= after + 1);
}

static void clock__mono__never_goes_back_and_moves(void **state)
{
	(void)state;
	int64_t first = clock_mono_ms(), last = first;
	time_t give_up = time(NULL) + 5;
	while (last < first + 20 && time(NULL) < give_up) {
		int64_t now = clock_mono_ms();
		assert_true(now >= last);
		last = now;
	}
	assert_true(last >= first + 20);
}

static void clock__system__is_the_two_functions(void **state)
{
	(void)state;
	struct clock clock = clock_system();
	int64_t wall = clock_wall_ms(), mono = clock_mono_ms();
	assert_true(llabs(clock.wall_ms(clock.context) - wall) < 5000);
	int64_t later = clock.mono_ms(clock.context);
	assert_true(later >= mono && later < mono + 5000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(clock__wall__is_unix_time_in_ms),
		cmocka_unit_test(clock__mono__never_goes_back_and_moves),
		cmocka_unit_test(clock__system__is_the_two_functions),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
