/* Files of ranges: whatever happens meanwhile, what lands is of one version of the server's file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "helped.h"

#define STEPS_MAX 20000

static void check_file(struct world *world, int64_t row, uint32_t ordinal)
{
	struct file file;
	struct fault fault;
	AUTO(buffer) struct buffer list = BUFFER(RANGES_TEXT_BYTES_MAX);
	char expected[64];
	uint64_t size = world->files[world->first_file + ordinal].size;

	assert_int_equal(store_file_next(world->store, row, FILE_PUBLISHED, ordinal, &file, &fault), RESULT_OK);
	assert_true(file.ordinal == ordinal && file.ranges == 2);
	assert_int_equal(file.bytes_total, size);
	assert_int_equal(store_ranges(world->store, file.row, &list, &fault), RESULT_OK);
	snprintf(expected, sizeof(expected), "%llu-,0-%llu", (unsigned long long)(size + size / 2), (unsigned long long)size / 2 - 1);
	assert_string_equal(list.bytes, expected);
}

static void ranges__power_cuts_failing_commits_and_changes_at_any_moment__one_version_lands(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		struct world world;
		unsigned crashes = 0, steps = 0;

		print_message("seed %llu\n", (unsigned long long)seed);
		helped_begin(&world, seed);
		world.first_file = 2;
		int64_t row = world_create(&world, &(struct world_order){ .files = FILES, .auto_complete = true, .ranges = true });
		assert_true(row > 0);
		world_resume(&world, row);
		while (world_state(&world, row) != JOB_ACKNOWLEDGED) {
			struct world_file *file = &world.files[world.first_file + world_random(&world, FILES)];

			assert_true(steps++ < STEPS_MAX);
			if (file->sources[0].version < 3 && world_random(&world, 16) == 0)
				file->sources[0].version++;
			if (world_random(&world, 20) == 0)
				file->fail_next_fetch = RESULT_CONNECTION_CLOSED;
			if (crashes < 12 && world_random(&world, 12) == 0) {
				crashes++;
				world.break_turn = world_random(&world, 2) == 0;
				if (!world.break_turn) {
					world_crash(&world);
					world_hello(&world);
				}
			}
			if (world.resumed != RESULT_OK && world.resumed != WORLD_NO_ANSWER)
				world_resume(&world, row);
			assert_true(world_step(&world));
		}
		for (uint32_t i = 0; i < FILES; i++)
			check_file(&world, row, i);
		assert_false(world.wrong);
		helped_end(&world);
	}
}

/* A server without ranges is no use, but a mirror with them is. */
static void ranges__a_server_without__the_mirror_is_asked_or_it_is_the_end(void **state)
{
	(void)state;
	for (uint32_t mirrors = 0; mirrors < 2; mirrors++) {
		struct world world;

		helped_begin(&world, 3);
		world.first_file = 2;
		world.files[2].sources[0].no_ranges = true;
		int64_t row = world_create(&world, &(struct world_order){ .files = 1, .auto_complete = true, .ranges = true, .mirrors = mirrors });
		assert_true(row > 0);
		world_resume(&world, row);
		helped_run_to(&world, row, mirrors > 0 ? JOB_ACKNOWLEDGED : JOB_ERROR);
		if (mirrors > 0)
			assert_int_equal(world.files[2].sources[1].sent, world.files[2].size);
		else
			assert_int_equal(helped_status(&world, row).job.error.result, RESULT_INSUFFICIENT_RANGE_SUPPORT);
		helped_end(&world);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranges__power_cuts_failing_commits_and_changes_at_any_moment__one_version_lands),
		cmocka_unit_test(ranges__a_server_without__the_mirror_is_asked_or_it_is_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
