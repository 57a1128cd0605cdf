/* Header lines of a job's own: what is fetched with them, who is given them back, and what becomes of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "helped.h"
#include "platform/file.h"

#define BEARER "Authorization: Bearer hunter2\nX-Acme: 1\n"
#define OTHER "X-Acme: swordfish\n"

static int64_t make(struct world *world, uint32_t files)
{
	int64_t row = world_create(world, &(struct world_order){ .owner = OWNER, .files = files, .auto_complete = true });

	assert_true(row > 0);
	world->first_file += files;
	return row;
}

static void check_names(struct world *world, int64_t row, const char *names, bool write_only)
{
	struct job_status status = helped_status(world, row);

	assert_string_equal(status.job.header_names, names);
	assert_int_equal(status.job.headers_write_only, write_only);
}

static bool is_sealed(struct world *world, int64_t row)
{
	AUTO(buffer) struct buffer sealed = BUFFER(STORE_HEADERS_SEALED_BYTES_MAX);
	struct fault fault;

	return store_headers(world->store, row, &sealed, &fault) == RESULT_OK;
}

static void check_back(struct world *world, int64_t row, const char *block)
{
	AUTO(buffer) struct buffer back = BUFFER(16384);

	assert_int_equal(world_get_headers(world, row, &back), RESULT_OK);
	assert_string_equal(back.length > 0 ? back.bytes : "", block);
}

static void headers__go_with_each_fetch_and_are_given_back(void **state)
{
	struct world world;

	(void)state;
	helped_begin(&world, 1);
	int64_t row = make(&world, 3);

	check_back(&world, row, "");
	assert_int_equal(world_set_headers(&world, row, OTHER, false), RESULT_OK);
	assert_int_equal(world_set_headers(&world, row, BEARER, false), RESULT_OK);
	check_names(&world, row, "Authorization X-Acme", false);
	check_back(&world, row, BEARER);
	helped_resume(&world, row);
	helped_run_to(&world, row, JOB_ACKNOWLEDGED);
	for (unsigned i = 0; i < 3; i++)
		assert_string_equal(world.files[i].headers, BEARER);
	check_names(&world, row, "", false);
	assert_false(is_sealed(&world, row));
	assert_int_equal(world_set_headers(&world, row, BEARER, false), RESULT_INVALID_STATE);
	assert_int_equal(world_set_headers(&world, row, "", false), RESULT_OK); /* none there is fine */
	helped_end(&world);
}

/* A password is one, whoever says it. */
static void headers__that_say_who_asks_by_a_scheme_that_is_not_listed__are_said_to_nobody(void **state)
{
	struct world world;

	(void)state;
	helped_begin(&world, 30);
	world.wanted = world.settings;
	world.wanted.authentication_schemes.count = 1;
	strcpy(world.wanted.authentication_schemes.items[0], "negotiate");
	world_reload(&world);
	int64_t row = make(&world, 1);
	assert_int_equal(world_set_headers(&world, row, "X-Acme: 1\nauthorization: BASIC aHVudGVyMg==\n", false), RESULT_OK);
	helped_resume(&world, row);
	helped_run_to(&world, row, JOB_ERROR);
	assert_int_equal(helped_status(&world, row).job.error.result, RESULT_AUTH_SCHEME);
	assert_string_equal(helped_status(&world, row).job.error.what,
	                    "authentication.schemes does not have \"basic\", by which the job's header Authorization says who asks");
	assert_string_equal(world.files[0].headers, "");
	assert_int_equal(world_set_headers(&world, row, BEARER, false), RESULT_OK); /* the list has no word for it */
	helped_resume(&world, row);
	helped_run_to(&world, row, JOB_ACKNOWLEDGED);
	assert_string_equal(world.files[0].headers, BEARER);
	helped_end(&world);
}

static void headers__write_only__are_given_back_to_nobody(void **state)
{
	AUTO(buffer) struct buffer back = BUFFER(16384);
	struct world world;

	(void)state;
	helped_begin(&world, 2);
	int64_t row = make(&world, 1);

	assert_int_equal(world_set_headers(&world, row, BEARER, true), RESULT_OK);
	check_names(&world, row, "Authorization X-Acme", true);
	assert_int_equal(world_get_headers(&world, row, &back), RESULT_ACCESS_REFUSED);
	assert_int_equal(back.length, 0);
	helped_resume(&world, row);
	helped_run_to(&world, row, JOB_ACKNOWLEDGED);
	assert_string_equal(world.files[0].headers, BEARER);
	helped_end(&world);
}

static void headers__set_and_removed_while_it_runs__another_worker_goes_on(void **state)
{
	(void)state;
	for (unsigned seed = 1; seed <= 20; seed++) {
		struct world world;

		helped_begin(&world, seed);
		int64_t row = helped_submit(&world, OWNER, JOB_NORMAL, true);
		const struct worker *first = world.files[0].fetcher;

		assert_string_equal(world.files[0].headers, "");
		assert_int_equal(world_set_headers(&world, row, BEARER, false), RESULT_OK);
		assert_int_equal(world_state(&world, row), JOB_QUEUED);
		world_wait(&world, 0);
		assert_string_equal(world.files[0].headers, BEARER);
		assert_ptr_not_equal(world.files[0].fetcher, first);

		assert_int_equal(world_set_headers(&world, row, OTHER, false), RESULT_OK);
		world_wait(&world, 0);
		assert_string_equal(world.files[0].headers, OTHER); /* by another worker, or the world would have found two with one */

		world.files[0].stuck = false;
		assert_int_equal(world_set_headers(&world, row, "", false), RESULT_OK);
		assert_false(is_sealed(&world, row));
		helped_run_to(&world, row, JOB_ACKNOWLEDGED);
		assert_string_equal(world.files[0].headers, "");
		helped_check_published(&world, 0, 1);
		assert_int_equal(world_events(&world, EVENT_HEADERS_SET), 2);
		assert_int_equal(world_events(&world, EVENT_HEADERS_REMOVED), 1);
		world_settle(&world);
		world_check_rest(&world);
		helped_end(&world);
	}
}

static void headers__after_a_crash__are_there(void **state)
{
	struct world world;

	(void)state;
	helped_begin(&world, 6);
	int64_t row = helped_submit(&world, OWNER, JOB_NORMAL, true);

	assert_int_equal(world_set_headers(&world, row, BEARER, false), RESULT_OK);
	world_crash(&world);
	world_hello(&world);
	world.files[0].stuck = false;
	helped_run_to(&world, row, JOB_ACKNOWLEDGED);
	assert_string_equal(world.files[0].headers, BEARER);
	helped_end(&world);
}

static void headers__that_cannot_be_opened__are_an_error_until_they_are_set_again(void **state)
{
	AUTO(buffer) struct buffer back = BUFFER(16384);
	struct world world;

	(void)state;
	helped_begin(&world, 7);
	int64_t row = make(&world, 1);

	assert_int_equal(world_set_headers(&world, row, BEARER, false), RESULT_OK);
	world.secrets_lost = true;
	assert_int_equal(world_get_headers(&world, row, &back), RESULT_SECRET_UNREADABLE);
	helped_resume(&world, row);
	helped_run_to(&world, row, JOB_ERROR);
	struct job_status status = helped_status(&world, row);

	assert_int_equal(status.job.error.result, RESULT_SECRET_UNREADABLE);
	assert_string_equal(status.job.error.what, "the job's headers");
	assert_null(world.files[0].fetcher);
	world.secrets_lost = false;
	assert_int_equal(world_set_headers(&world, row, OTHER, false), RESULT_OK);
	helped_resume(&world, row);
	helped_run_to(&world, row, JOB_ACKNOWLEDGED);
	assert_string_equal(world.files[0].headers, OTHER);
	helped_end(&world);
}

static void headers__nothing_can_be_sealed__are_refused(void **state)
{
	struct world world;

	(void)state;
	helped_begin(&world, 8);
	world.no_seal = true;
	world_crash(&world);
	world_hello(&world);
	int64_t row = make(&world, 1);

	assert_int_equal(world_set_headers(&world, row, BEARER, false), RESULT_NOT_SUPPORTED);
	assert_string_equal(world.refusal, "keep headers: nothing can be sealed on this ground");
	check_names(&world, row, "", false);
	helped_end(&world);
}

static void headers__a_takeover__takes_them_away(void **state)
{
	struct world world;

	(void)state;
	helped_begin(&world, 9);
	int64_t row = helped_submit(&world, OWNER, JOB_NORMAL, true);

	assert_int_equal(world_set_headers(&world, row, BEARER, true), RESULT_OK);
	world_wait(&world, 0);
	assert_int_equal(world_take(&world, row, ADMINISTRATOR), RESULT_OK);
	check_names(&world, row, "", false);
	assert_false(is_sealed(&world, row));
	world.files[0].stuck = false;
	world_wait(&world, 0);
	helped_resume(&world, row);
	helped_run_to(&world, row, JOB_ACKNOWLEDGED);
	assert_string_equal(world.files[0].headers, "");
	helped_end(&world);
}

static void headers__a_turn_that_is_undone__leaves_what_was(void **state)
{
	struct world world;

	(void)state;
	helped_begin(&world, 11);
	int64_t row = make(&world, 1);

	assert_int_equal(world_set_headers(&world, row, BEARER, false), RESULT_OK);
	world.break_turn = true;
	assert_int_equal(world_set_headers(&world, row, OTHER, false), RESULT_STORE_BUSY);
	world_wait(&world, 10);
	check_back(&world, row, BEARER);
	assert_int_equal(world_events(&world, EVENT_HEADERS_SET), 1);
	helped_end(&world);
}

/* They are the owner's words, and nobody's identity. */
/* They are the owner's words, and beside them nobody but he is presented. */
static void headers__of_an_owner_whom_the_service_serves__go_along_and_present_nobody(void **state)
{
	struct world world;

	(void)state;
	helped_begin(&world, 12);
	strcpy(world.settings.authentication_implicit_servers.items[0], "*");
	world.settings.authentication_implicit_servers.count = 1;
	int64_t row = make(&world, 1);

	world.settings.identity_service_network_owners.count = 1;
	text_display(world.settings.identity_service_network_owners.items[0],
	             sizeof(world.settings.identity_service_network_owners.items[0]), "%s", helped_status(&world, row).job.owner);
	assert_int_equal(world_set_headers(&world, row, "X-HTTP-Method-Override: DELETE\n", false), RESULT_OK);
	helped_resume(&world, row);
	helped_run_to(&world, row, JOB_ACKNOWLEDGED);
	assert_string_equal(world.files[0].headers, "X-HTTP-Method-Override: DELETE\n");
	assert_int_equal(world.files[0].schemes, 0);
	world.first_file = 1;
	row = make(&world, 1);
	helped_resume(&world, row);
	helped_run_to(&world, row, JOB_ACKNOWLEDGED);
	assert_int_not_equal(world.files[1].schemes, 0); /* without any it is as the configuration has it */
	helped_end(&world);
}

/* Who says itself who asks is not answered for. */
static void headers__with_an_authorization__take_the_place_of_credentials(void **state)
{
	static const struct credential anna = { AUTH_SERVER, AUTH_DIGEST, false, "anna", "password" };
	struct world world;

	(void)state;
	helped_begin(&world, 13);
	int64_t row = make(&world, 1);

	assert_int_equal(world_set_credentials(&world, row, &anna), RESULT_OK);
	assert_int_equal(world_set_headers(&world, row, BEARER, false), RESULT_OK);
	helped_resume(&world, row);
	helped_run_to(&world, row, JOB_ACKNOWLEDGED);
	assert_int_equal(world.files[0].schemes, 0);
	assert_string_equal(world.files[0].user, "");

	row = make(&world, 1);
	assert_int_equal(world_set_credentials(&world, row, &anna), RESULT_OK);
	assert_int_equal(world_set_headers(&world, row, OTHER, false), RESULT_OK);
	helped_resume(&world, row);
	helped_run_to(&world, row, JOB_ACKNOWLEDGED);
	assert_int_equal(world.files[1].schemes, AUTH_FLAG(AUTH_DIGEST));
	assert_string_equal(world.files[1].headers, OTHER);
	helped_end(&world);
}

static void headers__what_they_say__is_nowhere_to_be_read(void **state)
{
	static const char *const names[] = { "ferry.jsonl", "queue.sqlite3", "queue.sqlite3-wal" };
	struct world world;

	(void)state;
	helped_begin(&world, 14);
	int64_t row = make(&world, 1);

	assert_int_equal(world_set_headers(&world, row, BEARER, false), RESULT_OK);
	world.secrets_lost = true;
	helped_resume(&world, row);
	helped_run_to(&world, row, JOB_ERROR);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		AUTO(buffer) struct buffer text = BUFFER(1 << 24);
		char path[600];
		struct fault fault;

		text_display(path, sizeof(path), "%s%c%s", world.folder, file_path_style == PATH_WINDOWS ? '\\' : '/', names[i]);
		assert_int_equal(file_read_all(path, &text, &fault), RESULT_OK);
		for (size_t at = 0; at + strlen("hunter2") <= text.length; at++)
			assert_int_not_equal(memcmp(text.bytes + at, "hunter2", strlen("hunter2")), 0);
	}
	helped_end(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(headers__go_with_each_fetch_and_are_given_back),
		cmocka_unit_test(headers__that_say_who_asks_by_a_scheme_that_is_not_listed__are_said_to_nobody),
		cmocka_unit_test(headers__write_only__are_given_back_to_nobody),
		cmocka_unit_test(headers__set_and_removed_while_it_runs__another_worker_goes_on),
		cmocka_unit_test(headers__after_a_crash__are_there),
		cmocka_unit_test(headers__that_cannot_be_opened__are_an_error_until_they_are_set_again),
		cmocka_unit_test(headers__nothing_can_be_sealed__are_refused),
		cmocka_unit_test(headers__a_takeover__takes_them_away),
		cmocka_unit_test(headers__a_turn_that_is_undone__leaves_what_was),
		cmocka_unit_test(headers__of_an_owner_whom_the_service_serves__go_along_and_present_nobody),
		cmocka_unit_test(headers__with_an_authorization__take_the_place_of_credentials),
		cmocka_unit_test(headers__what_they_say__is_nowhere_to_be_read),
	};
	return cmocka_run_group_tests_name("engine headers", tests, NULL, NULL);
}
