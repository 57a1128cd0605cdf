/* Requests about header lines: what each method takes, and that no refusal shows what one says. */
#include "core/protocol_scene.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void request_decode__set_headers__reads_every_member(void **state)
{
	(void)state;
	AUTO(request) struct request request;
	assert_decodes(message("job.setHeaders", "{\"handle\":7,\"headers\":[\"X-A: 1\",\"Cookie: \\\"b\\\"\"],\"write_only\":true}"), &request);
	assert_int_equal(request.method, METHOD_JOB_SET_HEADERS);
	assert_int_equal(request.handle, 7);
	assert_int_equal(request.header_count, 2);
	assert_true(text_is(request_header(&request, 0), "X-A: 1"));
	assert_true(text_is(request_header(&request, 1), "Cookie: \"b\""));
	assert_true(request.write_only);
	request_done(&request);
	assert_int_equal(request.header_count, 0);
}

static void request_decode__set_headers__none_and_get(void **state)
{
	(void)state;
	AUTO(request) struct request none, get;
	assert_decodes(message("job.setHeaders", "{\"handle\":7,\"headers\":[],\"write_only\":false}"), &none);
	assert_int_equal(none.header_count, 0);
	assert_decodes(message("job.getHeaders", "{\"handle\":3}"), &get);
	assert_int_equal(get.method, METHOD_JOB_GET_HEADERS);
	assert_int_equal(get.handle, 3);
}

static void request_decode__wrong_params__names_the_field_and_shows_no_value(void **state)
{
	(void)state;
	static const struct {
		const char *method, *params;
		enum result result;
		const char *what;
	} cases[] = {
		{ "job.setHeaders", "{\"handle\":1,\"headers\":[\"X: hunter2\"]}", RESULT_MISSING_FIELD, "params.write_only" },
		{ "job.setHeaders", "{\"handle\":1,\"write_only\":true}", RESULT_MISSING_FIELD, "params.headers" },
		{ "job.setHeaders", "{\"headers\":[\"X: hunter2\"],\"write_only\":true}", RESULT_MISSING_FIELD, "params.handle" },
		{ "job.setHeaders", "{\"handle\":1,\"headers\":\"X: hunter2\",\"write_only\":true}", RESULT_INVALID_ARGUMENT, "params.headers: must be an array" },
		{ "job.setHeaders", "{\"handle\":1,\"headers\":{\"X\":\"hunter2\"},\"write_only\":true}", RESULT_INVALID_ARGUMENT, "params.headers: must be an array" },
		{ "job.setHeaders", "{\"handle\":1,\"headers\":[\"X: hunter2\",[\"hunter2\"]],\"write_only\":true}", RESULT_INVALID_ARGUMENT, "params.headers[1]" },
		{ "job.setHeaders", "{\"handle\":1,\"headers\":[\"X: hunter2\\u0000\"],\"write_only\":true}", RESULT_INVALID_ARGUMENT, "params.headers[0]: contains U+0000" },
		{ "job.setHeaders", "{\"handle\":1,\"headers\":[\"X: hunter2\"],\"write_only\":\"hunter2\"}", RESULT_INVALID_ARGUMENT, "params.write_only" },
		{ "job.setHeaders", "{\"handle\":1,\"headers\":[\"X: hunter2\"],\"write_only\":true,\"value\":\"hunter2\"}", RESULT_UNKNOWN_FIELD, "params.value" },
		{ "job.setHeaders", "{\"handle\":1,\"headers\":[\"X: hunter2\"", RESULT_NOT_JSON, "line 1" },
		{ "job.getHeaders", "{\"handle\":1,\"headers\":[\"X: hunter2\"]}", RESULT_UNKNOWN_FIELD, "params.headers" },
		{ "job.create", "{\"name\":\"n\",\"headers\":[\"X: hunter2\"]}", RESULT_UNKNOWN_FIELD, "params.headers" },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO(request) struct request request;
		AUTO(buffer) struct buffer reply = BUFFER(PROTOCOL_MESSAGE_BYTES_MAX);
		struct fault fault = { .result = RESULT_OK };
		const char *text = message(cases[i].method, cases[i].params);
		assert_refused(text, cases[i].result, cases[i].what);
		enum result result = request_decode(text_view(text), &request, &fault);
		assert_int_equal(protocol_reply_error(&reply, request.id, result, &fault), RESULT_OK);
		if (strstr(reply.bytes, "hunter2") != NULL)
			fail_msg("%s", reply.bytes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(request_decode__set_headers__reads_every_member),
		cmocka_unit_test(request_decode__set_headers__none_and_get),
		cmocka_unit_test(request_decode__wrong_params__names_the_field_and_shows_no_value),
	};
	return cmocka_run_group_tests_name("core/protocol headers", tests, protocol_schema_load, protocol_schema_free);
}
