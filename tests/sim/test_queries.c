/* Queries of URLs: sealed in the store for the job, opened for who fetches, and read by nobody else.
 *
 * All URLs of the made-up world have one, and its workers see to it that none is asked for without.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "helped.h"
#include "platform/file.h"

static int64_t make(struct world *world, uint32_t files, uint32_t mirrors)
{
	int64_t row = world_create(world, &(struct world_order){ .owner = OWNER, .files = files, .auto_complete = true, .mirrors = mirrors });

	assert_true(row > 0);
	world->first_file += files;
	return row;
}

struct looked {
	struct world *world;
	const char *whole, *shown;
	unsigned files;
};

static bool look(void *context, const struct file *file)
{
	struct looked *looked = context;
	char url[URL_BYTES_MAX + 1];
	struct fault fault;

	assert_string_equal(file->url, looked->shown);
	assert_int_equal(store_source_url(looked->world->store, file->row, 0, url, &fault), RESULT_OK);
	assert_string_equal(url, looked->whole);
	looked->files++;
	return true;
}

static void check_url(struct world *world, int64_t row, const char *whole, const char *shown)
{
	struct looked looked = { world, whole, shown, 0 };
	struct fault fault;

	assert_int_equal(store_files_list(world->store, row, 0, 1, look, &looked, &fault), RESULT_OK);
	assert_int_equal(looked.files, 1);
}

static bool is_somewhere(struct world *world, const char *word)
{
	static const char *const names[] = { "ferry.jsonl", "queue.sqlite3", "queue.sqlite3-wal" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		AUTO(buffer) struct buffer text = BUFFER(1 << 24);
		char path[600];
		struct fault fault;

		text_display(path, sizeof(path), "%s%c%s", world->folder, file_path_style == PATH_WINDOWS ? '\\' : '/', names[i]);
		assert_int_equal(file_read_all(path, &text, &fault), RESULT_OK);
		for (size_t at = 0; at + strlen(word) <= text.length; at++)
			if (memcmp(text.bytes + at, word, strlen(word)) == 0)
				return true;
	}
	return false;
}

static void queries__of_files_and_mirrors__are_nowhere_to_be_read(void **state)
{
	struct world world;

	(void)state;
	helped_begin(&world, 1);
	int64_t row = make(&world, 3, 2);

	for (unsigned i = 0; i < 3; i++)
		world.files[i].sources[0].dead = true;
	check_url(&world, row, "http://sim.test/0" WORLD_QUERY, "http://sim.test/0?");
	helped_resume(&world, row);
	helped_run_to(&world, row, JOB_ACKNOWLEDGED);
	assert_false(is_somewhere(&world, "s3same"));
	assert_true(is_somewhere(&world, "http://sim.test/0"));
	helped_end(&world);
}

static void queries__that_cannot_be_opened__fail_their_job_and_no_other(void **state)
{
	uint32_t files = 0;
	struct world world;

	(void)state;
	helped_begin(&world, 2);
	int64_t whole = make(&world, 1, 0), row = make(&world, 2, 1);

	helped_resume(&world, whole);
	for (unsigned steps = 0; world.files[0].written < world.files[0].size; steps++)
		assert_true(steps < 20000 && world_step(&world));
	world.secrets_lost = true;
	helped_resume(&world, row);
	helped_run_to(&world, row, JOB_ERROR);
	struct job_status status = helped_status(&world, row);

	assert_int_equal(status.job.error.result, RESULT_SECRET_UNREADABLE);
	assert_string_equal(status.job.error.what, "files[0]: the query of a URL");
	assert_null(world.files[1].fetcher);
	helped_run_to(&world, whole, JOB_ACKNOWLEDGED); /* names need none */
	assert_int_equal(world_replace(&world, row, "http://sim.test/", "http://new.test/", &files), RESULT_SECRET_UNREADABLE);
	assert_string_equal(world.refusal, "params.new_prefix: files[0].url: the query of a URL");
	/* Of others none is opened. */
	assert_int_equal(world_replace(&world, row, "http://sim.tesT/", "http://new.test/", &files), RESULT_INVALID_ARGUMENT);
	assert_int_equal(world_events(&world, EVENT_STORE_TROUBLE), 0);
	world.secrets_lost = false;
	helped_resume(&world, row);
	helped_run_to(&world, row, JOB_ACKNOWLEDGED);
	row = make(&world, 1, 0);
	world.secrets_lost = true;
	assert_int_equal(world_cancel(&world, row), RESULT_OK);
	world_settle(&world);
	helped_end(&world);
}

/* Whoever asks for it is refused, and nobody else hears of it. */
static void queries__that_cannot_be_sealed__refuse_their_request_alone(void **state)
{
	struct world world;

	(void)state;
	helped_begin(&world, 3);
	int64_t row = helped_submit(&world, OWNER, JOB_NORMAL, true);
	const struct worker *fetcher = world.files[0].fetcher;
	struct credential credential = { .target = AUTH_SERVER, .scheme = AUTH_BASIC, .user = "anna", .password = "hunter2" };

	world.first_file++;
	world.seal_fails = true;
	assert_int_equal(world_create(&world, &(struct world_order){ .files = 2 }), -1);
	assert_int_equal(world_set_headers(&world, row, "X-Acme: hunter2\n", false), RESULT_SEAL_FAILED);
	assert_int_equal(world_set_credentials(&world, row, &credential), RESULT_SEAL_FAILED);
	assert_int_equal(world_events(&world, EVENT_STORE_TROUBLE), 0);
	assert_true(job_state_is_active(world_state(&world, row)));
	assert_ptr_equal(world.files[0].fetcher, fetcher);
	world.files[0].stuck = false;
	helped_run_to(&world, row, JOB_ACKNOWLEDGED);
	helped_end(&world);
}

/* What passes is waited for. */
static void queries__that_cannot_be_opened_now__are_tried_again(void **state)
{
	struct world world;

	(void)state;
	helped_begin(&world, 4);
	int64_t row = make(&world, 1, 0);

	world.secrets_busy = true;
	helped_resume(&world, row);
	helped_run_to(&world, row, JOB_TRANSIENT_ERROR);
	assert_int_equal(helped_status(&world, row).job.error.result, RESULT_SECRET_BUSY);
	assert_int_equal(world_events(&world, EVENT_STORE_TROUBLE), 0);
	world.secrets_busy = false;
	helped_run_to(&world, row, JOB_ACKNOWLEDGED);
	helped_end(&world);
}

/* With the job's end they have had their use. */
static void queries__of_a_job_that_is_over__are_gone(void **state)
{
	char url[URL_BYTES_MAX + 1];
	struct fault fault;
	struct world world;

	(void)state;
	helped_begin(&world, 5);
	int64_t row = make(&world, 1, 1);

	assert_int_equal(store_source_url(world.store, 1, 1, url, &fault), RESULT_OK);
	assert_non_null(strstr(url, WORLD_QUERY));
	assert_int_equal(world_cancel(&world, row), RESULT_OK);
	for (uint32_t source = 0; source < 2; source++) {
		assert_int_equal(store_source_url(world.store, 1, source, url, &fault), RESULT_OK);
		assert_null(strstr(url, WORLD_QUERY));
		assert_non_null(strchr(url, '?'));
	}
	helped_end(&world);
}

static void queries__a_prefix_that_reaches_into_one__is_replaced(void **state)
{
	uint32_t files = 0;
	struct world world;

	(void)state;
	helped_begin(&world, 3);
	int64_t row = helped_submit(&world, OWNER, JOB_NORMAL, true);

	assert_int_equal(world_replace(&world, row, "http://sim.test/0?sig=0pen", "http://sim.test/0?sig=cl0sed", &files), RESULT_OK);
	assert_int_equal(files, 1);
	check_url(&world, row, "http://sim.test/0?sig=cl0sed/s3same", "http://sim.test/0?");
	assert_int_equal(world_replace(&world, row, "http://sim.test/0?sig=cl0sed/s3same", "http://sim.test/0?sig=short", &files), RESULT_OK);
	check_url(&world, row, "http://sim.test/0?sig=short", "http://sim.test/0?");
	assert_int_equal(world_replace(&world, row, "http://sim.test/0?sig=cl", "http://x.test/", &files), RESULT_INVALID_ARGUMENT);
	world.files[0].stuck = false;
	helped_run_to(&world, row, JOB_ACKNOWLEDGED);
	assert_false(is_somewhere(&world, "0pen"));
	assert_false(is_somewhere(&world, "cl0sed"));
	helped_end(&world);
}

/* A takeover is of the job's files, too. */
static void queries__a_takeover__keeps_them(void **state)
{
	struct world world;

	(void)state;
	helped_begin(&world, 4);
	int64_t row = helped_submit(&world, OWNER, JOB_NORMAL, true);

	assert_int_equal(world_take(&world, row, ADMINISTRATOR), RESULT_OK);
	world.files[0].stuck = false;
	world_wait(&world, 0);
	helped_resume(&world, row);
	helped_run_to(&world, row, JOB_ACKNOWLEDGED);
	helped_end(&world);
}

/* A queue from before there was sealing, or of a ground without it. */
static void queries__that_lie_in_the_clear__are_sealed_at_the_start(void **state)
{
	struct world world;

	(void)state;
	helped_begin(&world, 5);
	world.no_seal = true;
	world_crash(&world);
	world_hello(&world);
	int64_t row = make(&world, 3, 2);

	check_url(&world, row, "http://sim.test/0" WORLD_QUERY, "http://sim.test/0" WORLD_QUERY);
	assert_true(is_somewhere(&world, "s3same"));
	world.no_seal = false;
	world_crash(&world);
	world_hello(&world);
	check_url(&world, row, "http://sim.test/0" WORLD_QUERY, "http://sim.test/0?");
	for (unsigned i = 0; i < 3; i++)
		world.files[i].sources[0].dead = true;
	helped_resume(&world, row);
	helped_run_to(&world, row, JOB_ACKNOWLEDGED);
	assert_false(is_somewhere(&world, "s3same"));
	helped_end(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(queries__of_files_and_mirrors__are_nowhere_to_be_read),
		cmocka_unit_test(queries__that_cannot_be_opened__fail_their_job_and_no_other),
		cmocka_unit_test(queries__that_cannot_be_sealed__refuse_their_request_alone),
		cmocka_unit_test(queries__that_cannot_be_opened_now__are_tried_again),
		cmocka_unit_test(queries__of_a_job_that_is_over__are_gone),
		cmocka_unit_test(queries__a_prefix_that_reaches_into_one__is_replaced),
		cmocka_unit_test(queries__a_takeover__keeps_them),
		cmocka_unit_test(queries__that_lie_in_the_clear__are_sealed_at_the_start),
	};
	return cmocka_run_group_tests_name("engine queries", tests, NULL, NULL);
}
