/* Credentials: what is fetched with them, and what becomes of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "helped.h"
#include "platform/file.h"

#define SERVER_DIGEST JOB_CREDENTIAL(AUTH_SERVER, AUTH_DIGEST)
#define SERVER_NEGOTIATE JOB_CREDENTIAL(AUTH_SERVER, AUTH_NEGOTIATE)

static const struct credential anna = { AUTH_SERVER, AUTH_DIGEST, false, "anna", "hunter2" };
static const struct credential otto = { AUTH_SERVER, AUTH_DIGEST, false, "otto", "swordfish" };
static const struct credential implicit = { .target = AUTH_SERVER, .scheme = AUTH_NEGOTIATE, .implicit = true };
static const struct credential implicit_proxy = { .target = AUTH_PROXY, .scheme = AUTH_NTLM, .implicit = true };

static int64_t make(struct world *world, uint32_t files)
{
	int64_t row = world_create(world, &(struct world_order){ .owner = OWNER, .files = files, .auto_complete = true });

	assert_true(row > 0);
	world->first_file += files;
	return row;
}

static void check_fetched_as(const struct world *world, unsigned number, const struct credential *credential)
{
	const struct world_file *file = &world->files[number];

	assert_non_null(file->fetcher);
	assert_int_equal(file->schemes, credential != NULL ? AUTH_FLAG(credential->scheme) : 0);
	assert_int_equal(file->implicit, credential == NULL || credential->implicit);
	assert_string_equal(file->user, credential != NULL ? credential->user : "");
	assert_string_equal(file->password, credential != NULL ? credential->password : "");
}

static void check_has(struct world *world, int64_t row, unsigned has_implicit, unsigned has_explicit)
{
	struct job_status status = helped_status(world, row);

	assert_int_equal(status.job.implicit, has_implicit);
	assert_int_equal(status.job.explicit, has_explicit);
}

static bool is_sealed(struct world *world, int64_t row)
{
	AUTO(buffer) struct buffer sealed = BUFFER(STORE_SEALED_BYTES_MAX);
	struct fault fault;

	return store_credential(world->store, row, JOB_CREDENTIAL_SLOT(AUTH_SERVER, AUTH_DIGEST), &sealed, &fault) == RESULT_OK;
}

static void credentials__none__answer_nobody(void **state)
{
	struct world world;

	(void)state;
	helped_begin(&world, 1);
	int64_t row = make(&world, 1);

	helped_resume(&world, row);
	helped_run_to(&world, row, JOB_ACKNOWLEDGED);
	check_fetched_as(&world, 0, NULL);
	helped_end(&world);
}

static void credentials__a_password__goes_along_with_each_fetch(void **state)
{
	struct world world;

	(void)state;
	helped_begin(&world, 2);
	int64_t row = make(&world, 3);

	assert_int_equal(world_set_credentials(&world, row, &otto), RESULT_OK);
	assert_int_equal(world_set_credentials(&world, row, &anna), RESULT_OK); /* in its place */
	check_has(&world, row, 0, SERVER_DIGEST);
	helped_resume(&world, row);
	helped_run_to(&world, row, JOB_ACKNOWLEDGED);
	for (unsigned i = 0; i < 3; i++)
		check_fetched_as(&world, i, &anna);
	helped_end(&world);
}

/* What runs stops, and goes on with what holds now, on a connection that knows nothing of before. */
static void credentials__set_and_removed_while_it_runs__another_worker_goes_on(void **state)
{
	(void)state;
	for (unsigned seed = 1; seed <= 20; seed++) {
		struct world world;

		helped_begin(&world, seed);
		int64_t row = helped_submit(&world, OWNER, JOB_NORMAL, true);
		const struct worker *first = world.files[0].fetcher;

		check_fetched_as(&world, 0, NULL);
		assert_int_equal(world_set_credentials(&world, row, &anna), RESULT_OK);
		assert_int_equal(world_state(&world, row), JOB_QUEUED);
		world_wait(&world, 0);
		check_fetched_as(&world, 0, &anna);
		assert_ptr_not_equal(world.files[0].fetcher, first);

		assert_int_equal(world_set_credentials(&world, row, &otto), RESULT_OK);
		world_wait(&world, 0);
		check_fetched_as(&world, 0, &otto); /* by another worker, or the world would have found two users with one */

		world.files[0].stuck = false;
		assert_int_equal(world_remove_credentials(&world, row, AUTH_SERVER, AUTH_DIGEST), RESULT_OK);
		assert_false(is_sealed(&world, row));
		helped_run_to(&world, row, JOB_ACKNOWLEDGED);
		check_fetched_as(&world, 0, NULL);
		helped_check_published(&world, 0, 1);
		assert_int_equal(world_events(&world, EVENT_CREDENTIALS_SET), 2);
		assert_int_equal(world_events(&world, EVENT_CREDENTIALS_REMOVED), 1);
		world_settle(&world);
		world_check_rest(&world);
		helped_end(&world);
	}
}

static void credentials__none_to_remove__nothing_happens(void **state)
{
	struct world world;

	(void)state;
	helped_begin(&world, 3);
	int64_t row = helped_submit(&world, OWNER, JOB_NORMAL, true);

	assert_int_equal(world_set_credentials(&world, row, &implicit_proxy), RESULT_OK);
	world_wait(&world, 0);
	struct job_status before = helped_status(&world, row), after;
	const struct worker *fetcher = world.files[0].fetcher;

	world.wall_ms += 1000;
	assert_int_equal(world_remove_credentials(&world, row, AUTH_PROXY, AUTH_DIGEST), RESULT_OK);
	assert_int_equal(world_remove_credentials(&world, row, AUTH_SERVER, AUTH_NTLM), RESULT_OK);
	world_wait(&world, 0);
	after = helped_status(&world, row);
	assert_int_equal(after.job.state, before.job.state);
	assert_int_equal(after.job.modified_ms, before.job.modified_ms);
	assert_ptr_equal(world.files[0].fetcher, fetcher);
	assert_int_equal(world_events(&world, EVENT_CREDENTIALS_REMOVED), 0);
	helped_end(&world);
}

/* Whoever answers as the same identity shares its workers; a password has workers of its own. */
static void credentials__implicit_ones_of_one_owner__share_a_worker(void **state)
{
	struct world world;

	(void)state;
	helped_begin(&world, 4);
	int64_t rows[4];

	for (unsigned i = 0; i < 4; i++) {
		world.files[i].stuck = true;
		rows[i] = make(&world, 1);
		assert_int_equal(world_set(&world, rows[i], PROPERTY_PRIORITY, &(struct job_properties){ .priority = JOB_FOREGROUND }),
		                 RESULT_OK);
		assert_int_equal(world_set_credentials(&world, rows[i], i < 2 ? &implicit : &anna), RESULT_OK);
		helped_resume(&world, rows[i]);
	}
	world_wait(&world, 0);
	for (unsigned i = 0; i < 4; i++)
		check_fetched_as(&world, i, i < 2 ? &implicit : &anna);
	assert_ptr_equal(world.files[0].fetcher, world.files[1].fetcher);
	assert_ptr_not_equal(world.files[0].fetcher, world.files[2].fetcher);
	assert_ptr_not_equal(world.files[2].fetcher, world.files[3].fetcher);
	helped_end(&world);
}

/* What is for the proxy says nothing of servers. */
static void credentials__implicit_for_the_proxy__are_not_for_servers(void **state)
{
	struct world world;

	(void)state;
	helped_begin(&world, 5);
	int64_t row = make(&world, 1);

	assert_int_equal(world_set_credentials(&world, row, &implicit_proxy), RESULT_OK);
	helped_resume(&world, row);
	helped_run_to(&world, row, JOB_ACKNOWLEDGED);
	check_fetched_as(&world, 0, NULL);
	helped_end(&world);
}

static void credentials__after_a_crash__are_there(void **state)
{
	struct world world;

	(void)state;
	helped_begin(&world, 6);
	int64_t row = helped_submit(&world, OWNER, JOB_NORMAL, true);

	assert_int_equal(world_set_credentials(&world, row, &anna), RESULT_OK);
	world_wait(&world, 0);
	world_crash(&world);
	world.files[0].stuck = false;
	world_hello(&world);
	helped_run_to(&world, row, JOB_ACKNOWLEDGED);
	check_fetched_as(&world, 0, &anna);
	helped_end(&world);
}

static void credentials__that_cannot_be_opened__are_an_error_until_they_are_set_again(void **state)
{
	struct world world;

	(void)state;
	helped_begin(&world, 7);
	int64_t row = make(&world, 1);

	assert_int_equal(world_set_credentials(&world, row, &anna), RESULT_OK);
	world.secrets_lost = true;
	helped_resume(&world, row);
	helped_run_to(&world, row, JOB_ERROR);
	struct job_status status = helped_status(&world, row);

	assert_int_equal(status.job.error.result, RESULT_SECRET_UNREADABLE);
	assert_string_equal(status.job.error.what, "the credentials for the server by digest");
	assert_null(world.files[0].fetcher);
	world.secrets_lost = false;
	assert_int_equal(world_set_credentials(&world, row, &otto), RESULT_OK);
	assert_int_equal(world_state(&world, row), JOB_ERROR);
	helped_resume(&world, row);
	helped_run_to(&world, row, JOB_ACKNOWLEDGED);
	check_fetched_as(&world, 0, &otto);
	helped_end(&world);
}

static void credentials__nothing_can_be_sealed__passwords_are_refused_and_implicit_ones_are_not(void **state)
{
	struct world world;

	(void)state;
	helped_begin(&world, 8);
	world.no_seal = true;
	world_crash(&world);
	world_hello(&world);
	int64_t row = make(&world, 1);

	assert_int_equal(world_set_credentials(&world, row, &anna), RESULT_NOT_SUPPORTED);
	assert_string_equal(world.refusal, "keep a password: nothing can be sealed on this ground");
	check_has(&world, row, 0, 0);
	assert_int_equal(world_set_credentials(&world, row, &implicit), RESULT_OK);
	check_has(&world, row, SERVER_NEGOTIATE, 0);
	assert_int_equal(world_events(&world, EVENT_CREDENTIALS_SET), 1);
	helped_end(&world);
}

static void credentials__a_takeover__takes_them_away(void **state)
{
	struct world world;

	(void)state;
	helped_begin(&world, 9);
	int64_t row = helped_submit(&world, OWNER, JOB_NORMAL, true);

	assert_int_equal(world_set_credentials(&world, row, &anna), RESULT_OK);
	assert_int_equal(world_set_credentials(&world, row, &implicit), RESULT_OK);
	world_wait(&world, 0);
	check_has(&world, row, SERVER_NEGOTIATE, SERVER_DIGEST);
	assert_int_equal(world_take(&world, row, ADMINISTRATOR), RESULT_OK);
	check_has(&world, row, 0, 0);
	assert_false(is_sealed(&world, row));
	world.files[0].stuck = false;
	world_wait(&world, 0);
	helped_resume(&world, row);
	helped_run_to(&world, row, JOB_ACKNOWLEDGED);
	check_fetched_as(&world, 0, NULL);
	helped_end(&world);
}

static void credentials__a_final_job__has_none_and_takes_none(void **state)
{
	struct world world;

	(void)state;
	helped_begin(&world, 10);
	for (unsigned i = 0; i < 2; i++) {
		int64_t row = make(&world, 1);

		assert_int_equal(world_set_credentials(&world, row, &anna), RESULT_OK);
		assert_int_equal(world_set_credentials(&world, row, &implicit), RESULT_OK);
		helped_resume(&world, row);
		if (i == 0)
			helped_run_to(&world, row, JOB_ACKNOWLEDGED);
		else
			assert_int_equal(world_cancel(&world, row), RESULT_OK);
		check_has(&world, row, 0, 0);
		assert_false(is_sealed(&world, row));
		assert_int_equal(world_set_credentials(&world, row, &anna), RESULT_INVALID_STATE);
		assert_int_equal(world_remove_credentials(&world, row, AUTH_SERVER, AUTH_DIGEST), RESULT_OK);
	}
	world_settle(&world);
	helped_end(&world);
}

static void credentials__a_turn_that_is_undone__leaves_what_was(void **state)
{
	struct world world;

	(void)state;
	helped_begin(&world, 11);
	int64_t row = make(&world, 1);

	assert_int_equal(world_set_credentials(&world, row, &anna), RESULT_OK);
	world.break_turn = true;
	assert_int_equal(world_set_credentials(&world, row, &otto), RESULT_STORE_BUSY);
	world_wait(&world, 10);
	helped_resume(&world, row);
	helped_run_to(&world, row, JOB_ACKNOWLEDGED);
	check_fetched_as(&world, 0, &anna);
	assert_int_equal(world_events(&world, EVENT_CREDENTIALS_SET), 1);
	helped_end(&world);
}

/* Neither the log nor the database has a word of them. */
static void credentials__users_and_passwords__are_nowhere_to_be_read(void **state)
{
	static const char *const names[] = { "ferry.jsonl", "queue.sqlite3", "queue.sqlite3-wal" };
	static const char *const secrets[] = { "anna", "hunter2" };
	struct world world;

	(void)state;
	helped_begin(&world, 12);
	int64_t row = make(&world, 1);
	struct credential bad = anna;

	bad.scheme = AUTH_BASIC;
	memcpy(bad.user, "anna:x", sizeof("anna:x"));
	assert_int_equal(world_set_credentials(&world, row, &bad), RESULT_INVALID_ARGUMENT);
	assert_null(strstr(world.refusal, "anna"));
	assert_int_equal(world_set_credentials(&world, row, &anna), RESULT_OK);
	world.secrets_lost = true;
	helped_resume(&world, row);
	helped_run_to(&world, row, JOB_ERROR);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		AUTO(buffer) struct buffer text = BUFFER(1 << 24);
		char path[600];
		struct fault fault;

		text_display(path, sizeof(path), "%s%c%s", world.folder, file_path_style == PATH_WINDOWS ? '\\' : '/', names[i]);
		assert_int_equal(file_read_all(path, &text, &fault), RESULT_OK);
		assert_true(text.length > 0);
		for (size_t j = 0; j < 2; j++)
			for (size_t at = 0; at + strlen(secrets[j]) <= text.length; at++)
				assert_int_not_equal(memcmp(text.bytes + at, secrets[j], strlen(secrets[j])), 0);
	}
	helped_end(&world);
}

/* The computer's account is not an owner's to present: only the configuration says to whom. */
static void credentials__of_an_owner_whom_the_service_serves__present_nobody(void **state)
{
	(void)state;
	for (unsigned by_policy = 0; by_policy < 2; by_policy++) {
		struct world world;

		helped_begin(&world, 30);
		strcpy(world.settings.identity_service_network_owners.items[0], identity_caller(world.people[OWNER])->owner);
		world.settings.identity_service_network_owners.count = 1;
		strcpy(world.settings.authentication_implicit_servers.items[0], "*");
		world.settings.authentication_implicit_servers.count = by_policy;
		int64_t row = make(&world, 1);

		assert_int_equal(world_set_credentials(&world, row, &implicit), RESULT_OK);
		helped_resume(&world, row);
		helped_run_to(&world, row, JOB_ACKNOWLEDGED);
		check_fetched_as(&world, 0, by_policy ? &implicit : NULL);
		helped_end(&world);
	}
}

/* Whoever lends a token to somebody else's job must have seen that it would be presented. */
static void credentials__of_a_token_that_its_owner_did_not_lend__present_nobody(void **state)
{
	struct job_properties pinned = { .name = "" };

	(void)state;
	for (unsigned by_owner = 0; by_owner < 2; by_owner++) {
		const struct world_loan loan = { .helper = HELPER, .connection = 1, .attached = !by_owner };
		struct world world;

		helped_begin(&world, 31);
		memcpy(pinned.pinned_helper, identity_caller(world.people[HELPER])->owner, sizeof(pinned.pinned_helper));
		int64_t row = make(&world, 1);

		assert_int_equal(world_set(&world, row, PROPERTY_PINNED_HELPER, &pinned), RESULT_OK);
		assert_int_equal(world_flags(&world, row, HELPER_NETWORK), RESULT_OK);
		assert_int_equal(world_lend(&world, row, &loan), RESULT_OK);
		assert_int_equal(world_set_credentials(&world, row, &implicit), RESULT_OK);
		helped_resume(&world, row);
		helped_run_to(&world, row, JOB_ACKNOWLEDGED);
		check_fetched_as(&world, 0, by_owner ? &implicit : NULL);
		helped_end(&world);
	}
}

/* Accounts are locked after few wrong ones. */
static void credentials__a_password__is_tried_by_one_file_first(void **state)
{
	struct world world;
	unsigned asked = 0;

	(void)state;
	helped_begin(&world, 32);
	int64_t row = make(&world, FILES);

	assert_int_equal(world_set_credentials(&world, row, &anna), RESULT_OK);
	for (unsigned i = 0; i < FILES; i++)
		world.files[i].sources[0].fails = RESULT_UNAUTHORIZED;
	helped_resume(&world, row);
	helped_run_to(&world, row, JOB_ERROR);
	for (unsigned i = 0; i < FILES; i++)
		asked += world.files[i].asked;
	assert_int_equal(asked, 1);
	for (unsigned i = 0; i < FILES; i++)
		world.files[i].sources[0].fails = RESULT_OK;
	helped_resume(&world, row);
	helped_run_to(&world, row, JOB_ACKNOWLEDGED);
	helped_end(&world);
}

/* --- client certificates: rule 28 --- */

#define OWNS "current-user\\MY\\anna"
#define MACHINES "local-machine\\MY\\anna"

static enum result set_certificate(struct world *world, int64_t row, const char *certificate)
{
	struct job_properties properties = { .name = "" };

	strcpy(properties.client_certificate, certificate);
	return world_set(world, row, PROPERTY_CLIENT_CERTIFICATE, &properties);
}

static void check_shown(const struct world *world, const char *certificate, bool withheld)
{
	assert_non_null(world->files[0].fetcher);
	assert_string_equal(world->files[0].certificate, certificate);
	assert_int_equal(world->files[0].withheld, withheld);
}

static void client_certificate__set_and_removed_while_it_runs__another_worker_goes_on(void **state)
{
	struct world world;

	(void)state;
	helped_begin(&world, 40);
	int64_t row = helped_submit(&world, OWNER, JOB_NORMAL, true);
	const struct worker *first = world.files[0].fetcher;

	check_shown(&world, "", false);
	assert_int_equal(set_certificate(&world, row, OWNS), RESULT_OK);
	world_wait(&world, 0);
	check_shown(&world, OWNS, false);
	const struct worker *second = world.files[0].fetcher;

	assert_ptr_not_equal(second, first);
	assert_int_equal(set_certificate(&world, row, MACHINES), RESULT_OK);
	world_wait(&world, 0);
	check_shown(&world, MACHINES, false);
	assert_ptr_not_equal(world.files[0].fetcher, second);
	world.files[0].stuck = false;
	assert_int_equal(set_certificate(&world, row, ""), RESULT_OK);
	helped_run_to(&world, row, JOB_ACKNOWLEDGED);
	check_shown(&world, "", false);
	helped_end(&world);
}

static void client_certificate__of_the_owner__is_neither_the_helpers_nor_the_services(void **state)
{
	(void)state;
	for (unsigned by_owner = 0; by_owner < 2; by_owner++) {
		const struct world_loan loan = { .helper = HELPER, .connection = 1, .attached = !by_owner };
		struct job_properties pinned = { .name = "" };
		struct world world;

		helped_begin(&world, 41);
		memcpy(pinned.pinned_helper, identity_caller(world.people[HELPER])->owner, sizeof(pinned.pinned_helper));
		int64_t row = make(&world, 1);

		assert_int_equal(world_set(&world, row, PROPERTY_PINNED_HELPER, &pinned), RESULT_OK);
		assert_int_equal(set_certificate(&world, row, OWNS), RESULT_OK);
		assert_int_equal(world_flags(&world, row, HELPER_ALL), RESULT_INVALID_STATE);
		assert_int_equal(world_flags(&world, row, HELPER_LOCAL_FILE), RESULT_OK);
		assert_int_equal(set_certificate(&world, row, MACHINES), RESULT_OK);
		assert_int_equal(world_flags(&world, row, HELPER_NETWORK), RESULT_OK);
		assert_int_equal(set_certificate(&world, row, OWNS), RESULT_INVALID_STATE);
		assert_int_equal(world_lend(&world, row, &loan), RESULT_OK);
		helped_resume(&world, row);
		helped_run_to(&world, row, JOB_ACKNOWLEDGED);
		check_shown(&world, MACHINES, !by_owner);
		helped_end(&world);
	}
	struct world world;

	helped_begin(&world, 42);
	strcpy(world.settings.identity_service_network_owners.items[0], identity_caller(world.people[OWNER])->owner);
	world.settings.identity_service_network_owners.count = 1;
	int64_t row = make(&world, 1);

	assert_int_equal(set_certificate(&world, row, MACHINES), RESULT_OK);
	helped_resume(&world, row);
	helped_run_to(&world, row, JOB_ACKNOWLEDGED);
	check_shown(&world, MACHINES, true);
	helped_end(&world);
}

static void client_certificate__a_takeover__takes_it_away_and_what_is_ignored(void **state)
{
	struct world world;
	struct job_properties all = { .tls_ignore = TLS_IGNORE_ALL };

	(void)state;
	helped_begin(&world, 43);
	int64_t row = make(&world, 1);

	assert_int_equal(set_certificate(&world, row, OWNS), RESULT_OK);
	assert_int_equal(world_set(&world, row, PROPERTY_TLS_IGNORE, &all), RESULT_OK);
	assert_int_equal(world_take(&world, row, ADMINISTRATOR), RESULT_OK);
	assert_string_equal(helped_status(&world, row).job.properties.client_certificate, "");
	assert_int_equal(helped_status(&world, row).job.properties.tls_ignore, 0);
	helped_end(&world);
}

static void what_is_ignored__is_what_the_configuration_allows_for_the_host(void **state)
{
	static const char *const hosts[] = { "", "*" };

	(void)state;
	for (unsigned allowed = 0; allowed < 2; allowed++) {
		struct world world;
		struct job_properties all = { .tls_ignore = TLS_IGNORE_ALL };

		helped_begin(&world, 44);
		strcpy(world.settings.tls_may_ignore.items[0], hosts[allowed]);
		world.settings.tls_may_ignore.count = allowed;
		int64_t row = make(&world, 1);

		assert_int_equal(world_set(&world, row, PROPERTY_TLS_IGNORE, &all), RESULT_OK);
		helped_resume(&world, row);
		helped_run_to(&world, row, JOB_ACKNOWLEDGED);
		assert_int_equal(world.files[0].ignore, allowed ? TLS_IGNORE_ALL : 0);
		assert_int_equal(world.files[0].ignore_refused, !allowed);
		helped_end(&world);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(credentials__none__answer_nobody),
		cmocka_unit_test(credentials__a_password__goes_along_with_each_fetch),
		cmocka_unit_test(credentials__set_and_removed_while_it_runs__another_worker_goes_on),
		cmocka_unit_test(credentials__none_to_remove__nothing_happens),
		cmocka_unit_test(credentials__implicit_ones_of_one_owner__share_a_worker),
		cmocka_unit_test(credentials__implicit_for_the_proxy__are_not_for_servers),
		cmocka_unit_test(credentials__after_a_crash__are_there),
		cmocka_unit_test(credentials__that_cannot_be_opened__are_an_error_until_they_are_set_again),
		cmocka_unit_test(credentials__nothing_can_be_sealed__passwords_are_refused_and_implicit_ones_are_not),
		cmocka_unit_test(credentials__a_takeover__takes_them_away),
		cmocka_unit_test(credentials__a_final_job__has_none_and_takes_none),
		cmocka_unit_test(credentials__a_turn_that_is_undone__leaves_what_was),
		cmocka_unit_test(credentials__users_and_passwords__are_nowhere_to_be_read),
		cmocka_unit_test(credentials__of_an_owner_whom_the_service_serves__present_nobody),
		cmocka_unit_test(credentials__of_a_token_that_its_owner_did_not_lend__present_nobody),
		cmocka_unit_test(credentials__a_password__is_tried_by_one_file_first),
		cmocka_unit_test(client_certificate__set_and_removed_while_it_runs__another_worker_goes_on),
		cmocka_unit_test(client_certificate__of_the_owner__is_neither_the_helpers_nor_the_services),
		cmocka_unit_test(client_certificate__a_takeover__takes_it_away_and_what_is_ignored),
		cmocka_unit_test(what_is_ignored__is_what_the_configuration_allows_for_the_host),
	};
	return cmocka_run_group_tests_name("engine credentials", tests, NULL, NULL);
}
