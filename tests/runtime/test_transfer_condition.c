/* Files that the client has already: what is asked for on a condition, and what of the answers is believed. */
#include "transfer_rig.h"

/* What a conditional request is answered with, by number: whether that is a success, and which tag it tells. */
static const struct {
	const char *head, *behind;
	enum result result;
	bool unchanged;
	const char *etag;
} conditional_answers[] = {
	{ "304 Not Modified\r\nETag: \"v1\"\r\nLast-Modified: " MODIFIED "\r\n", "", RESULT_OK, true, ETAG },
	{ "304 Not Modified\r\n", "", RESULT_OK, true, "" },
	{ "304 Not Modified\r\nETag: \"v1\"\r\nContent-Length: 7\r\n", "", RESULT_OK, true, ETAG },
	{ "304 Not Modified\r\nTransfer-Encoding: chunked\r\n", "", RESULT_OK, true, "" },
	/* a body, where there can be none, is no body, and no answer to what comes next */
	{ "304 Not Modified\r\nETag: \"v1\"\r\nContent-Length: 5\r\n", "evil\n", RESULT_OK, true, ETAG },
	{ "304 Not Modified\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil", RESULT_OK, true, "" },
	/* who knows no conditions, or does not mean it, sends the file */
	{ "200 OK\r\nETag: \"had\"\r\nContent-Length: 4\r\n", "same", RESULT_OK, false, "\"had\"" },
	{ "412 No\r\nContent-Length: 0\r\n", "", RESULT_HTTP_STATUS, false, "" },
	{ "206 Part\r\nContent-Range: bytes 0-3/4\r\nContent-Length: 4\r\n", "part", RESULT_INSUFFICIENT_HTTP, false, "" },
};
#define CONDITIONAL_ANSWERS (sizeof(conditional_answers) / sizeof(conditional_answers[0]))

static bool answers_condition(void *context, const struct http_request *request, struct http_connection *connection)
{
	remember_heads(context, request);
	return http_print(connection, "HTTP/1.1 %s\r\n%s", conditional_answers[request->number].head,
	                  conditional_answers[request->number].behind);
}

static const struct file_condition had = { "W/\"had\"", 784111777999 };

static void transfer__on_a_condition__not_modified_is_a_success_and_nothing_is_written(void **state)
{
	(void)state;
	struct rig *rig = rig_new(answers_condition, 1000);
	struct resume_known known = nothing_known;
	known.condition = &had;
	for (unsigned i = 0; i < CONDITIONAL_ANSWERS; i++) {
		rig->files[0].writes = 0;
		start(rig, 0, "/file", known);
		const struct told *told = finish_all(rig, i + 1);
		if (told->result != conditional_answers[i].result || told->unchanged != conditional_answers[i].unchanged ||
		    strcmp(told->etag, conditional_answers[i].etag) != 0)
			fail_msg("case %u: %s, %s, tag %s", i, result_name(told->result), told->fault.what, told->etag);
		assert_non_null(strstr(rig->heads, "\r\nIf-None-Match: W/\"had\"\r\n"));
		assert_non_null(strstr(rig->heads, "\r\nIf-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT\r\n"));
		assert_null(strstr(rig->heads, "Range:"));
		assert_int_equal(told->answered, conditional_answers[i].result == RESULT_OK && !told->unchanged);
		assert_int_equal(rig->files[0].writes, told->answered);
		assert_int_equal(told->written, told->answered ? 4 : 0);
	}
	assert_int_equal(http_server_requests(rig->server), CONDITIONAL_ANSWERS);
	rig_free(rig);
}

static void transfer__on_one_condition__no_other_is_sent(void **state)
{
	static const struct file_condition tagged = { "\"had\"", 0 }, dated = { "", 784111777000 };
	(void)state;
	struct rig *rig = rig_new(well, 10);
	struct resume_known known = nothing_known;
	known.condition = &tagged;
	assert_int_equal(fetch(rig, known)->result, RESULT_OK);
	assert_non_null(strstr(rig->heads, "\r\nIf-None-Match: \"had\"\r\n"));
	assert_null(strstr(rig->heads, "If-Modified-Since:"));
	known.condition = &dated;
	assert_int_equal(fetch(rig, known)->result, RESULT_OK);
	assert_null(strstr(rig->heads, "If-None-Match:"));
	assert_non_null(strstr(rig->heads, "\r\nIf-Modified-Since: "));
	rig_free(rig);
}

static bool never_modified(void *context, const struct http_request *request, struct http_connection *connection)
{
	remember_heads(context, request);
	return http_print(connection, "HTTP/1.1 304 Not Modified\r\nETag: " ETAG "\r\n\r\n");
}

static void transfer__not_modified_though_nobody_asked__is_an_error(void **state)
{
	(void)state;
	struct rig *rig = rig_new(never_modified, 100000);
	struct told *told = fetch(rig, nothing_known);
	assert_int_equal(told->result, RESULT_HTTP_STATUS);
	assert_int_equal(told->status, 304);
	assert_false(told->unchanged);
	/* What has begun to come is asked for by its range alone. */
	struct resume_known known = have(rig, 70000);
	known.condition = &had;
	told = fetch(rig, known);
	assert_int_equal(told->result, RESULT_HTTP_STATUS);
	assert_false(told->unchanged);
	assert_non_null(strstr(rig->heads, "\r\nRange: bytes=70000-"));
	assert_null(strstr(rig->heads, "If-None-Match:"));
	rig_free(rig);
}

/* The file changed while it was fetched, and back again to what the client has. */
static bool changes_back(void *context, const struct http_request *request, struct http_connection *connection)
{
	struct rig *rig = context;
	if (request->has_range)
		return answer_rest(connection, 1, request->first, rig->size);
	return never_modified(context, request, connection);
}

static void transfer__range_of_no_use__the_condition_is_asked_again(void **state)
{
	(void)state;
	struct rig *rig = rig_new(changes_back, 100000);
	struct resume_known known = have(rig, 70000);
	known.condition = &had;
	const struct told *told = fetch(rig, known);
	assert_int_equal(told->result, RESULT_OK);
	assert_true(told->unchanged);
	assert_int_equal(told->written, 0);
	assert_int_equal(rig->files[0].writes, 0);
	assert_int_equal(http_server_requests(rig->server), 2);
	assert_non_null(strstr(rig->heads, "\r\nIf-None-Match: W/\"had\"\r\n"));
	rig_free(rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(transfer__on_a_condition__not_modified_is_a_success_and_nothing_is_written),
		cmocka_unit_test(transfer__on_one_condition__no_other_is_sent),
		cmocka_unit_test(transfer__not_modified_though_nobody_asked__is_an_error),
		cmocka_unit_test(transfer__range_of_no_use__the_condition_is_asked_again),
	};
	return cmocka_run_group_tests_name("transfer condition", tests, set_up_curl, NULL);
}
