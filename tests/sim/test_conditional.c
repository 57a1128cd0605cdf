/* Files that the client has already: what is not modified costs nothing and loses nothing, whatever happens meanwhile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "helped.h"

#define STEPS_MAX 20000
#define HAD 12 /* files that the client has */

static struct file file_of(struct world *world, int64_t row, uint32_t ordinal)
{
	struct file file;
	struct fault fault;

	for (unsigned state = 0; state < FILE_STATE_COUNT; state++)
		if (store_file_next(world->store, row, (enum file_state)state, ordinal, &file, &fault) == RESULT_OK &&
		    file.ordinal == ordinal)
			return file;
	fail_msg("there is no file %u", (unsigned)ordinal);
	return (struct file){ .row = 0 };
}

/* Every third is gone though the server has the same, every third has changed; the others are as they were. */
static void mix(struct world *world)
{
	for (unsigned i = 0; i < HAD; i++) {
		world->files[i].there = i % 3 != 0;
		world->files[i].sources[0].unchanged = i % 3 != 1;
	}
}

static void check_mix(struct world *world, int64_t row, unsigned crashes)
{
	struct job_status status = helped_status(world, row);
	uint64_t bytes = 0;

	assert_false(world->wrong);
	for (unsigned i = 0; i < HAD; i++) {
		const struct world_file *file = &world->files[i];
		struct file record = file_of(world, row, i);
		bool same = i % 3 == 2;

		assert_int_equal(record.state, same ? FILE_NOT_MODIFIED : FILE_PUBLISHED);
		assert_string_equal(record.partial, "");
		assert_string_equal(record.etag, "\"v0\"");
		if (same) {
			assert_true(file->published == 0 && file->fetched == 0 && file->abandoned);
			assert_true(record.bytes_total == 0 && record.bytes_recorded == 0);
			continue;
		}
		assert_true(file->published >= 1 && file->published <= 1 + crashes);
		assert_int_equal(file->synced, file->size);
		bytes += file->size;
	}
	assert_true(status.job.files_total == HAD && status.job.files_transferred == HAD);
	assert_int_equal(status.job.files_published, HAD);
	assert_int_equal(status.job.files_size_unknown, 0);
	assert_int_equal(status.job.bytes_total, bytes);
	assert_int_equal(status.job.bytes_transferred, bytes);
}

static int64_t make(struct world *world, const struct world_order *order)
{
	int64_t row = world_create(world, order);

	assert_true(row > 0);
	world_resume(world, row);
	return row;
}

static const struct world_order mixed = { .files = HAD, .auto_complete = true, .conditional = true };

static void conditional__power_cuts_and_failing_commits_at_any_moment__each_file_ends_as_it_should(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= SEEDS / 2; seed++) {
		struct world world;
		unsigned crashes = 0, steps = 0;

		print_message("seed %llu\n", (unsigned long long)seed);
		helped_begin(&world, seed);
		mix(&world);
		int64_t row = make(&world, &mixed);

		while (world_state(&world, row) != JOB_ACKNOWLEDGED) {
			assert_true(steps++ < STEPS_MAX);
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
		check_mix(&world, row, crashes);
		helped_end(&world);
	}
}

/* A partial file that cannot be removed keeps nobody waiting, and does not lie about for ever. */
static void conditional__nothing_modified__the_job_waits_for_complete_and_leaves_nothing(void **state)
{
	struct world world;

	(void)state;
	helped_begin(&world, 5);
	for (unsigned i = 0; i < HAD; i++)
		world.files[i].there = world.files[i].sources[0].unchanged = true;
	world.files[3].held = true;
	int64_t row = make(&world, &(struct world_order){ .files = HAD, .conditional = true });

	helped_run_to(&world, row, JOB_TRANSFERRED);
	assert_int_equal(world_events(&world, EVENT_LEFTOVER), 1);
	assert_int_equal(world_events(&world, EVENT_FILE_NOT_MODIFIED), HAD);
	assert_int_equal(world_complete(&world, row), RESULT_OK);
	helped_run_to(&world, row, JOB_ACKNOWLEDGED);
	for (unsigned i = 0; i < HAD; i++) {
		assert_int_equal(world.files[i].published, 0);
		assert_int_equal(world.files[i].abandoned, i != 3);
		assert_int_equal(file_of(&world, row, i).state, FILE_NOT_MODIFIED);
	}
	struct job_status status = helped_status(&world, row);
	assert_true(status.job.files_published == HAD && status.job.bytes_total == 0);
	helped_end(&world);
}

/* A tag is of the server that made it, so no mirror is asked about it; about the date each is.  What has begun to come from
 * one is not undone by another that is behind. */
static void conditional__mirrors__are_asked_by_the_date_and_undo_nothing(void **state)
{
	struct world world;

	(void)state;
	helped_begin(&world, 6);
	struct world_file *file = &world.files[0];

	file->there = file->sources[1].unchanged = true;
	file->sources[0].dead = true;
	int64_t row = make(&world, &(struct world_order){ .files = 1, .auto_complete = true, .mirrors = 1, .conditional = true });

	helped_run_to(&world, row, JOB_ACKNOWLEDGED);
	assert_int_equal(file_of(&world, row, 0).state, FILE_NOT_MODIFIED);
	assert_int_equal(file_of(&world, row, 0).source, 1);
	assert_int_equal(world.tags_of_mirrors, 0);

	world.first_file = 1;
	file = &world.files[1];
	file->there = file->sources[1].unchanged = true;
	file->sources[0].fails = RESULT_CONNECTION_CLOSED;
	file->sources[0].fails_at = file->size / 2;
	file->sources[1].version = 1;
	row = make(&world, &(struct world_order){ .files = 1, .auto_complete = true, .mirrors = 1, .conditional = true });
	helped_run_to(&world, row, JOB_ACKNOWLEDGED);
	assert_int_equal(file_of(&world, row, 0).state, FILE_PUBLISHED);
	assert_true(file->published == 1 && !file->mixed && file->version == 1);
	assert_int_equal(world.tags_of_mirrors, 0);
	helped_end(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(conditional__power_cuts_and_failing_commits_at_any_moment__each_file_ends_as_it_should),
		cmocka_unit_test(conditional__nothing_modified__the_job_waits_for_complete_and_leaves_nothing),
		cmocka_unit_test(conditional__mirrors__are_asked_by_the_date_and_undo_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
