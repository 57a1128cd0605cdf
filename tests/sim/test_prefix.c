/* Jobs whose server moved: URLs get another beginning, and nothing goes on from the old ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "helped.h"

#define OLD "http://sim.test/"
#define NEW "http://mirror1.sim.test/" /* which the world knows as a source of its own */

static int64_t make(struct world *world, const struct world_order *order)
{
	int64_t row = world_create(world, order);

	assert_true(row > 0);
	helped_resume(world, row);
	return row;
}

static void replace(struct world *world, int64_t row, const char *from, const char *to, uint32_t expected)
{
	uint32_t files = 0;

	assert_int_equal(world_replace(world, row, from, to, &files), RESULT_OK);
	assert_int_equal(files, expected);
}

static void refuse(struct world *world, int64_t row, const char *from, const char *to, enum result result, const char *what)
{
	uint32_t files = 4711;

	assert_int_equal(world_replace(world, row, from, to, &files), result);
	if (strncmp(world->refusal, what, strlen(what)) != 0)
		fail_msg("%s", world->refusal);
	assert_int_equal(files, 4711);
	assert_int_equal(world_events(world, EVENT_PREFIX_REPLACED), 0);
}

/* How many of the job's files, or their mirrors, have a URL that begins so. */
struct count {
	struct world *world;
	const char *prefix;
	unsigned urls;
};

static bool count_file(void *context, const struct file *file)
{
	struct count *count = context;

	count->urls += strncmp(file->url, count->prefix, strlen(count->prefix)) == 0;
	for (uint32_t source = 1; source <= file->mirrors; source++) {
		char url[URL_BYTES_MAX + 1];
		struct fault fault;

		assert_int_equal(store_mirror_url(count->world->store, file->row, source, url, &fault), RESULT_OK);
		count->urls += strncmp(url, count->prefix, strlen(count->prefix)) == 0;
	}
	return true;
}

static unsigned urls(struct world *world, int64_t row, const char *prefix)
{
	struct count count = { world, prefix, 0 };
	struct fault fault;

	assert_int_equal(store_files_list(world->store, row, 0, UINT32_MAX, count_file, &count, &fault), RESULT_OK);
	return count.urls;
}

static bool has_begun(struct world *world, unsigned number)
{
	struct world_file *file = &world->files[number];

	return file->written > 0 && file->written < file->size;
}

/* A file's first server is at work on it, and the engine knows. */
static void run_to_the_middle(struct world *world, int64_t row, unsigned number)
{
	for (unsigned steps = 0; !has_begun(world, number) || world_state(world, row) != JOB_TRANSFERRING; steps++) {
		assert_true(steps < 20000 && world->files[number].written < world->files[number].size);
		assert_true(world_step(world));
	}
}

static void prefix__the_server_is_gone__the_new_one_is_asked_at_once(void **state)
{
	struct world world;

	(void)state;
	helped_begin(&world, 1);
	for (unsigned i = 0; i < 3; i++)
		world.files[i].sources[0].dead = true;
	int64_t row = make(&world, &(struct world_order){ .files = 3, .auto_complete = true });

	helped_run_to(&world, row, JOB_TRANSIENT_ERROR);
	world_wait(&world, 600); /* the delays are long by now */
	int64_t begun_ms = world.mono_ms;
	replace(&world, row, OLD, NEW, 3);
	helped_run_to(&world, row, JOB_ACKNOWLEDGED);
	assert_true(world.mono_ms - begun_ms < 1000);
	assert_int_equal(urls(&world, row, NEW), 3);
	assert_int_equal(world_events(&world, EVENT_PREFIX_REPLACED), 1);
	helped_check_published(&world, 0, 3);
	helped_end(&world);
}

/* Both give the same tags, which proves nothing: without a digest all comes from the new one. */
static void prefix__in_the_middle_of_a_file__the_old_url_is_left_and_nothing_unproven_is_joined(void **state)
{
	(void)state;
	for (unsigned seed = 1; seed <= SEEDS; seed++) {
		struct world world;

		helped_begin(&world, seed);
		struct world_file *file = &world.files[0];
		bool digest = seed % 2 == 0;

		world.same_tags = true;
		file->sources[1].version = digest ? 0 : 1;
		file->sources[0].fails = RESULT_STALLED; /* it never comes to an end there */
		file->sources[0].fails_at = file->size - 1;
		int64_t row = make(&world, &(struct world_order){ .files = 1, .auto_complete = true, .digest = digest });

		run_to_the_middle(&world, row, 0);
		replace(&world, row, OLD, NEW, 1);
		assert_int_equal(world_state(&world, row), JOB_QUEUED);
		helped_run_to(&world, row, JOB_ACKNOWLEDGED);
		assert_false(file->mixed && !digest);
		assert_int_equal(file->sources[1].sent, digest ? file->size - file->sources[0].sent : file->size);
		assert_int_equal(file->sources[1].asked, 1);
		helped_check_published(&world, 0, 1);
		helped_end(&world);
	}
}

/* Where a mirror that stays is at work, only the URL changes. */
static void prefix__of_a_source_that_is_not_asked__disturbs_nobody(void **state)
{
	struct world world;

	(void)state;
	helped_begin(&world, 3);
	struct world_file *file = &world.files[0];

	file->sources[0].dead = true;
	int64_t row = make(&world, &(struct world_order){ .files = 1, .auto_complete = true, .mirrors = 2 });

	run_to_the_middle(&world, row, 0);
	replace(&world, row, OLD, "http://mirror2.sim.test/new/", 1);
	assert_int_equal(world_state(&world, row), JOB_TRANSFERRING);
	helped_run_to(&world, row, JOB_ACKNOWLEDGED);
	assert_int_equal(file->sources[1].sent, file->size);
	assert_int_equal(urls(&world, row, "http://mirror2.sim.test/"), 2);
	helped_end(&world);
}

/* What was wrong for good is another one now, mirrors too. */
static void prefix__of_mirrors__a_source_that_was_refused_is_asked_again(void **state)
{
	struct world world;

	(void)state;
	helped_begin(&world, 4);
	world.files[0].sources[0].fails = RESULT_HTTP_TRANSIENT;
	world.files[0].sources[1].fails = RESULT_HTTP_STATUS;
	int64_t row = make(&world, &(struct world_order){ .files = 1, .auto_complete = true, .mirrors = 1 });

	helped_run_to(&world, row, JOB_TRANSIENT_ERROR);
	replace(&world, row, NEW, "http://mirror2.sim.test/", 1);
	helped_run_to(&world, row, JOB_ACKNOWLEDGED);
	assert_int_equal(world.files[0].sources[1].asked, 1);
	assert_int_equal(world.files[0].sources[2].sent, world.files[0].size);
	helped_end(&world);
}

static void prefix__that_cannot_be_replaced__changes_nothing(void **state)
{
	char longest[URL_BYTES_MAX + 1];
	struct world world;

	(void)state;
	helped_begin(&world, 5);
	int64_t row = world_create(&world, &(struct world_order){ .files = 11, .mirrors = 1 });

	refuse(&world, row, "http://SIM.test/", NEW, RESULT_INVALID_ARGUMENT, "params.old_prefix: no URL of the job begins with it");
	refuse(&world, row, "http://sim.t", NEW, RESULT_INVALID_ARGUMENT, "params.old_prefix: ");
	refuse(&world, row, OLD, "ftp://new/", RESULT_BAD_URL, "params.new_prefix: files[0].url: ");
	refuse(&world, row, NEW, "http://me:secret@new/", RESULT_BAD_URL, "params.new_prefix: files[0].mirrors[0]: a user name");
	assert_null(strstr(world.refusal, "secret"));
	/* Ten files would do, the eleventh has a digit more. */
	memset(longest, 'a', sizeof(longest));
	memcpy(longest, "http://h/", 9);
	longest[URL_BYTES_MAX - 1 - strlen(WORLD_QUERY)] = '\0';
	refuse(&world, row, OLD, longest, RESULT_TOO_LONG, "params.new_prefix: files[10].url: ");
	assert_int_equal(urls(&world, row, OLD), 11);
	assert_int_equal(urls(&world, row, NEW), 11);
	helped_end(&world);
}

static void prefix__by_the_jobs_state__is_taken_or_refused(void **state)
{
	struct world world;

	(void)state;
	helped_begin(&world, 6);
	/* SUSPENDED, and ERROR: they rest. */
	world.files[0].sources[0].fails = RESULT_HTTP_STATUS;
	int64_t row = world_create(&world, &(struct world_order){ .files = 2 });
	replace(&world, row, "http://sim.test/1", "http://sim.test/x/1", 1);
	assert_int_equal(world_state(&world, row), JOB_SUSPENDED);
	helped_resume(&world, row);
	helped_run_to(&world, row, JOB_ERROR);
	replace(&world, row, OLD, NEW, 2);
	world_wait(&world, 3600);
	assert_int_equal(world_state(&world, row), JOB_ERROR);
	helped_resume(&world, row);
	/* TRANSFERRED: what is whole stays. */
	helped_run_to(&world, row, JOB_TRANSFERRED);
	uint64_t fetched = world.files[0].fetched + world.files[1].fetched;
	replace(&world, row, NEW, "http://mirror2.sim.test/", 2);
	helped_resume(&world, row);
	assert_int_equal(world_state(&world, row), JOB_TRANSFERRED);
	assert_int_equal(world.files[0].fetched + world.files[1].fetched, fetched);
	/* Completing, and over. */
	assert_int_equal(world_complete(&world, row), RESULT_OK);
	uint32_t ignored;
	assert_int_equal(world_replace(&world, row, "http://mirror2.sim.test/", OLD, &ignored), RESULT_INVALID_STATE);
	helped_run_to(&world, row, JOB_ACKNOWLEDGED);
	assert_int_equal(world_replace(&world, row, "http://mirror2.sim.test/", OLD, &ignored), RESULT_INVALID_STATE);
	helped_end(&world);
}

/* Rule 11: what the owner's other programs point elsewhere is not what the token was lent for. */
static void prefix__after_a_token_was_lent__it_is_to_be_lent_again(void **state)
{
	static const struct world_loan below = { .helper = HELPER, .connection = 1, .root = "/sim" };

	(void)state;
	for (unsigned network = 0; network < 2; network++)
		for (unsigned rooted = 0; rooted < 2; rooted++) {
			struct world world;
			const struct world_loan *loan = rooted ? &below : &from_helper;

			helped_begin(&world, 7);
			world.files[0].sources[0].dead = true;
			int64_t row = helped_job(&world, &(struct world_order){ .files = 1, .auto_complete = true,
			                                                        .on_token_loss = TOKEN_LOSS_WAIT },
			                         network ? HELPER_ALL : HELPER_LOCAL_FILE, loan);

			helped_resume(&world, row);
			helped_run_to(&world, row, JOB_TRANSIENT_ERROR);
			replace(&world, row, OLD, NEW, 1);
			if (!rooted || network) {
				world_wait(&world, 600);
				assert_int_equal(helped_status(&world, row).wait, JOB_WAIT_TOKEN);
				assert_int_equal(world.files[0].sources[1].sent, 0);
				assert_int_equal(world_lend(&world, row, loan), RESULT_OK);
			}
			helped_run_to(&world, row, JOB_ACKNOWLEDGED);
			helped_end(&world);
		}
}

/* At any moment, with what was begun, lost power and all: each file is of one server alone. */
static void prefix__at_any_moment__no_file_is_of_two_servers(void **state)
{
	(void)state;
	for (unsigned seed = 1; seed <= 2 * SEEDS; seed++) {
		struct world world;

		helped_begin(&world, seed);
		world.same_tags = true;
		for (unsigned i = 0; i < FILES; i++)
			world.files[i].sources[1].version = 1;
		int64_t row = make(&world, &(struct world_order){ .files = FILES, .auto_complete = true });
		for (uint64_t steps = world_random(&world, 40); steps > 0; steps--)
			(void)world_step(&world);
		world.answers_behind = seed % 4 * 8; /* of the old server, which speaks on while the URLs change */
		if (!job_state_is_final(world_state(&world, row)) && helped_status(&world, row).job.work != JOB_WORK_PUBLISH)
			replace(&world, row, OLD, NEW, FILES);
		if (seed % 3 == 0) {
			for (uint64_t steps = world_random(&world, 10); steps > 0; steps--)
				(void)world_step(&world);
			world_crash(&world);
			world_hello(&world);
		}
		helped_run_to(&world, row, JOB_ACKNOWLEDGED);
		for (unsigned i = 0; i < FILES; i++)
			assert_false(world.files[i].mixed);
		helped_check_published(&world, 0, FILES);
		helped_end(&world);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prefix__the_server_is_gone__the_new_one_is_asked_at_once),
		cmocka_unit_test(prefix__in_the_middle_of_a_file__the_old_url_is_left_and_nothing_unproven_is_joined),
		cmocka_unit_test(prefix__of_a_source_that_is_not_asked__disturbs_nobody),
		cmocka_unit_test(prefix__of_mirrors__a_source_that_was_refused_is_asked_again),
		cmocka_unit_test(prefix__that_cannot_be_replaced__changes_nothing),
		cmocka_unit_test(prefix__by_the_jobs_state__is_taken_or_refused),
		cmocka_unit_test(prefix__after_a_token_was_lent__it_is_to_be_lent_again),
		cmocka_unit_test(prefix__at_any_moment__no_file_is_of_two_servers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
