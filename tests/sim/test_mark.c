/* Files that land without the mark of the web which they should have: they land, and it is told once for a folder. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "helped.h"

static void land(struct world *world, uint32_t first, const char *folder)
{
	world->first_file = first;
	int64_t row = world_create(world, &(struct world_order){ .files = 2, .auto_complete = true, .folder = folder });

	assert_true(row > 0);
	helped_resume(world, row);
	helped_run_to(world, row, JOB_ACKNOWLEDGED);
	helped_check_published(world, first, 2);
}

static void mark__cannot_be_kept__is_told_once_for_each_folder(void **state)
{
	struct world world;

	(void)state;
	helped_begin(&world, 1);
	land(&world, 0, NULL);
	assert_int_equal(world_events(&world, EVENT_UNMARKED), 0);
	world.no_streams = true;
	land(&world, 2, NULL);
	land(&world, 4, NULL);
	assert_int_equal(world_events(&world, EVENT_UNMARKED), 1);
	land(&world, 6, "/low");
	land(&world, 8, "/low");
	assert_int_equal(world_events(&world, EVENT_UNMARKED), 2);
	world_crash(&world); /* another run tells again */
	world_hello(&world);
	unsigned told = world_events(&world, EVENT_UNMARKED);
	land(&world, 10, NULL);
	assert_int_equal(world_events(&world, EVENT_UNMARKED), told + 1);
	helped_end(&world);
}

/* Where the turn is undone that would have told it, the next one does. */
static void mark__cannot_be_kept_and_the_turn_is_undone__is_told_all_the_same(void **state)
{
	(void)state;
	for (unsigned seed = 1; seed <= SEEDS; seed++) {
		struct world world;

		helped_begin(&world, seed);
		world.no_streams = true;
		int64_t row = world_create(&world, &(struct world_order){ .files = 1, .auto_complete = true });

		assert_true(row > 0);
		helped_resume(&world, row);
		while (!job_state_is_final(world_state(&world, row))) {
			world.break_turn = world_random(&world, 4) == 0;
			assert_true(world_step(&world));
		}
		assert_true(world_events(&world, EVENT_UNMARKED) > 0);
		helped_end(&world);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mark__cannot_be_kept__is_told_once_for_each_folder),
		cmocka_unit_test(mark__cannot_be_kept_and_the_turn_is_undone__is_told_all_the_same),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
