/* Requests about credentials: what each method takes, its bounds, and that no refusal shows a user or a password. */
#include "core/protocol_scene.h"
#include "support/mutate.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define PLACE "\"handle\":1,\"target\":\"server\",\"scheme\":\"basic\""

static void request_decode__set_credentials__reads_every_member(void **state)
{
	(void)state;
	AUTO(request) struct request request;
	assert_decodes(message("job.setCredentials", "{\"handle\":7,\"target\":\"proxy\",\"scheme\":\"digest\","
	                       "\"user\":\"ACME\\\\anna\",\"password\":\"\"}"), &request);
	assert_int_equal(request.method, METHOD_JOB_SET_CREDENTIALS);
	assert_int_equal(request.handle, 7);
	assert_int_equal(request.target, AUTH_PROXY);
	assert_int_equal(request.scheme, AUTH_DIGEST);
	assert_true(text_is(request.user, "ACME\\anna"));
	assert_non_null(request.password.bytes);
	assert_int_equal(request.password.length, 0);
	request_done(&request);
	assert_null(request.user.bytes);
}

static void request_decode__set_credentials__null_and_null_is_implicit(void **state)
{
	(void)state;
	AUTO(request) struct request request;
	assert_decodes(message("job.setCredentials", "{\"password\":null,\"user\":null,\"scheme\":\"negotiate\","
	                       "\"target\":\"server\",\"handle\":1}"), &request);
	assert_int_equal(request.target, AUTH_SERVER);
	assert_int_equal(request.scheme, AUTH_NEGOTIATE);
	assert_null(request.user.bytes);
	assert_null(request.password.bytes);
}

static void request_decode__remove_credentials__names_target_and_scheme(void **state)
{
	(void)state;
	AUTO(request) struct request request;
	assert_decodes(message("job.removeCredentials", "{\"handle\":2,\"target\":\"server\",\"scheme\":\"ntlm\"}"), &request);
	assert_int_equal(request.handle, 2);
	assert_int_equal(request.scheme, AUTH_NTLM);
}

#define SECRET "hunter2"

static void request_decode__wrong_params__names_the_field_and_shows_no_secret(void **state)
{
	(void)state;
	static const struct {
		const char *method, *params;
		enum result result;
		const char *what;
	} cases[] = {
		{ "job.setCredentials", "{" PLACE ",\"user\":\"hunter2\"}", RESULT_MISSING_FIELD, "params.password" },
		{ "job.setCredentials", "{" PLACE ",\"password\":\"hunter2\"}", RESULT_MISSING_FIELD, "params.user" },
		{ "job.setCredentials", "{" PLACE ",\"user\":\"hunter2\",\"password\":null}", RESULT_INVALID_ARGUMENT,
		  "params.password: must not be null alone" },
		{ "job.setCredentials", "{" PLACE ",\"user\":null,\"password\":\"hunter2\"}", RESULT_INVALID_ARGUMENT,
		  "params.user: must not be null alone" },
		{ "job.setCredentials", "{" PLACE ",\"user\":[\"hunter2\"],\"password\":\"hunter2\"}", RESULT_INVALID_ARGUMENT,
		  "params.user: is not a string" },
		{ "job.setCredentials", "{" PLACE ",\"user\":\"hunter2\",\"password\":{\"hunter2\":1}}", RESULT_INVALID_ARGUMENT,
		  "params.password: is not a string" },
		{ "job.setCredentials", "{" PLACE ",\"user\":\"hunter2\",\"password\":7}", RESULT_INVALID_ARGUMENT,
		  "params.password: is not a string" },
		{ "job.setCredentials", "{" PLACE ",\"user\":\"hunter2\",\"password\":\"hunter2\\u0000\"}", RESULT_INVALID_ARGUMENT,
		  "params.password: contains U+0000" },
		{ "job.setCredentials", "{\"handle\":1,\"target\":\"hunter2\",\"scheme\":\"basic\",\"user\":null,\"password\":null}",
		  RESULT_INVALID_ARGUMENT, "params.target: must be" },
		{ "job.setCredentials", "{\"handle\":1,\"target\":\"proxy\",\"scheme\":\"passport\",\"user\":null,\"password\":null}",
		  RESULT_INVALID_ARGUMENT, "params.scheme: must be" },
		{ "job.setCredentials", "{" PLACE ",\"user\":\"hunter2\",\"password\":\"hunter2\",\"realm\":\"hunter2\"}",
		  RESULT_UNKNOWN_FIELD, "params.realm" },
		{ "job.setCredentials", "{" PLACE ",\"user\":\"hunter2\",\"user\":\"hunter2\",\"password\":\"hunter2\"}",
		  RESULT_DUPLICATE_FIELD, "params.user" },
		{ "job.setCredentials", "{" PLACE ",\"user\":\"hunter2\",\"password\":\"hunter2\"", RESULT_NOT_JSON, "line 1" },
		{ "job.removeCredentials", "{" PLACE ",\"password\":\"hunter2\"}", RESULT_UNKNOWN_FIELD, "params.password" },
		{ "job.removeCredentials", "{\"handle\":1,\"target\":\"proxy\"}", RESULT_MISSING_FIELD, "params.scheme" },
		{ "job.create", "{\"name\":\"n\",\"password\":\"hunter2\"}", RESULT_UNKNOWN_FIELD, "params.password" },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO(request) struct request request;
		AUTO(buffer) struct buffer reply = BUFFER(PROTOCOL_MESSAGE_BYTES_MAX);
		struct fault fault = { .result = RESULT_OK };
		const char *text = message(cases[i].method, cases[i].params);
		assert_refused(text, cases[i].result, cases[i].what);
		enum result result = request_decode(text_view(text), &request, &fault);
		assert_int_equal(protocol_reply_error(&reply, request.id, result, &fault), RESULT_OK);
		if (strstr(reply.bytes, SECRET) != NULL)
			fail_msg("%s", reply.bytes);
	}
}

static void request_decode__longest_texts__are_taken_and_one_byte_more_is_refused(void **state)
{
	(void)state;
	static const struct {
		const char *name, *other;
		int longest;
		const char *what;
	} cases[] = {
		{ "user", "password", CREDENTIAL_USER_BYTES_MAX, "params.user: is longer than 900 bytes" },
		{ "password", "user", CREDENTIAL_PASSWORD_BYTES_MAX, "params.password: is longer than 2048 bytes" },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		for (int more = 0; more <= 1; more++) {
			AUTO(request) struct request request = { .document = NULL };
			char params[4096];
			text_display(params, sizeof(params), "{" PLACE ",\"%s\":\"%0*d\",\"%s\":\"x\"}", cases[i].name,
			             cases[i].longest + more, 0, cases[i].other);
			if (more == 0)
				assert_decodes(message("job.setCredentials", params), &request);
			else
				assert_refused(message("job.setCredentials", params), RESULT_TOO_LONG, cases[i].what);
		}
	}
}

/* There is one request for each connection that waits: it borrows what is long. */
static void request__is_not_larger_for_credentials(void **state)
{
	(void)state;
	assert_true(sizeof(struct request) < sizeof(struct job_properties) + 2048);
}

static void decode_any(struct text_view text)
{
	AUTO(request) struct request request;
	struct fault fault = { .result = RESULT_OK };
	enum result result = request_decode(text, &request, &fault);
	assert_int_equal(fault.result, result);
	if (result == RESULT_OK && request.method == METHOD_JOB_SET_CREDENTIALS)
		assert_true((request.user.bytes == NULL) == (request.password.bytes == NULL));
}

static void request_decode__truncated_and_mutated_messages__are_answered(void **state)
{
	(void)state;
	mutate_text("{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"job.setCredentials\",\"params\":{" PLACE
	            ",\"user\":\"a\",\"password\":null}}", decode_any);
	mutate_text("{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"job.removeCredentials\",\"params\":{" PLACE "}}", decode_any);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(request_decode__set_credentials__reads_every_member),
		cmocka_unit_test(request_decode__set_credentials__null_and_null_is_implicit),
		cmocka_unit_test(request_decode__remove_credentials__names_target_and_scheme),
		cmocka_unit_test(request_decode__wrong_params__names_the_field_and_shows_no_secret),
		cmocka_unit_test(request_decode__longest_texts__are_taken_and_one_byte_more_is_refused),
		cmocka_unit_test(request__is_not_larger_for_credentials),
		cmocka_unit_test(request_decode__truncated_and_mutated_messages__are_answered),
	};
	return cmocka_run_group_tests_name("core/protocol credentials", tests, protocol_schema_load, protocol_schema_free);
}
