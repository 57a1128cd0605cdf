/* Replies, errors and notifications: written, read, and held against schema/protocol.schema.json. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <string.h>

#include "core/protocol.h"
#include "support/mutate.h"
#include "support/protocol_schema.h"
#include "support/source_file.h"

/* --- what the service writes --- */

static void sample_job(struct job_status *status)
{
	*status = (struct job_status){
		.job = {
			.id = SAMPLE_UUID, .key = "k", .correlation = SAMPLE_UUID, .owner = "S-1-5-18",
			.properties = { .name = "Name \"q\"", .description = "two\nlines", .priority = JOB_HIGH,
			                .auto_complete = true, .retry_delay_s = 60, .no_progress_timeout_s = 3600,
			                .max_time_s = 7200, .lease_s = 86400, .on_token_loss = TOKEN_LOSS_WAIT,
			                .pinned_helper = "S-1-5-20+S-1-5-80-1", .profile = JOB_PROFILE_BULK, .max_bytes = 5, .no_segments = true,
			                .proxy_mode = PROXY_AUTODETECT, .no_redirects = true, .tls_ignore = TLS_IGNORE_ALL,
			                .client_certificate = "current-user\\MY\\alice" },
			.state = JOB_TRANSIENT_ERROR, .work = JOB_WORK_TRANSFER,
			.error = { .result = RESULT_HTTP_TRANSIENT, .source = FAULT_HTTP, .raw = 503, .what = "https://a/b" },
			.helper_flags = HELPER_NETWORK, .helper_sid = "S-1-2",
			.implicit = JOB_CREDENTIAL(AUTH_PROXY, AUTH_NEGOTIATE), .explicit = JOB_CREDENTIAL(AUTH_SERVER, AUTH_BASIC), .header_names = "Authorization X-Acme", .headers_write_only = true, .side_sid = { "S-1-3", "S-1-4" },
			.error_count = 3, .created_ms = 1000, .modified_ms = 2000, .next_try_ms = 5000,
			.files_total = 3, .files_transferred = 2, .files_published = 1, .files_size_unknown = 1,
			.bytes_total = 5000000000, .bytes_transferred = 4000000000,
		},
		.wait = JOB_WAIT_RETRY, .wait_since_ms = 1500, .lease_ends_ms = 86402000,
		.sides = { { IDENTITY_SERVICE, "S-1-6" }, { IDENTITY_HELPER, "" } }, .token_sid = "S-1-7",
	};
}

static void write_changed(struct buffer *to, const struct job_status *status)
{
	struct json_writer writer = JSON_WRITER(to);
	protocol_notification_begin(&writer, "job.changed");
	protocol_write_job(&writer, "job", status);
	assert_int_equal(protocol_notification_end(&writer), RESULT_OK);
	protocol_schema_assert("notification", (struct text_view){ to->bytes, to->length });
}

static void protocol_write_job__a_waiting_job__is_written_whole(void **state)
{
	(void)state;
	AUTO(buffer) struct buffer text = BUFFER(PROTOCOL_MESSAGE_BYTES_MAX);
	struct job_status status;
	sample_job(&status);
	write_changed(&text, &status);
	assert_string_equal(text.bytes,
		"{\"jsonrpc\":\"2.0\",\"method\":\"job.changed\",\"params\":{\"job\":{\"id\":\"" SAMPLE_UUID "\",\"key\":\"k\",\"correlation\":\"" SAMPLE_UUID "\","
		"\"owner\":\"S-1-5-18\",\"state\":\"TRANSIENT_ERROR\","
		"\"wait\":{\"reason\":\"retry-at\",\"since_ms\":1500,\"next_try_ms\":5000},"
		"\"name\":\"Name \\\"q\\\"\",\"description\":\"two\\nlines\",\"priority\":\"high\",\"auto_complete\":true,"
		"\"retry_delay_s\":60,\"no_progress_timeout_s\":3600,\"max_time_s\":7200,\"lease_s\":86400,"
		"\"on_token_loss\":\"wait\",\"pinned_helper\":\"S-1-5-20+S-1-5-80-1\",\"profile\":\"bulk\",\"no_segments\":true,\"max_bytes\":5,"
		"\"proxy\":{\"mode\":\"autodetect\"},\"redirects\":\"refuse\",\"tls_ignore\":[\"host-name\",\"date\",\"authority\",\"usage\"],"
		"\"client_certificate\":\"current-user\\\\MY\\\\alice\","
		"\"error\":{\"result\":\"HTTP_TRANSIENT\",\"hresult\":\"0x801901F7\",\"what\":\"https://a/b\","
		"\"native\":{\"source\":\"http\",\"code\":503},"
		"\"remedy\":\"Nothing: it is tried again. Check the server if it lasts.\"},"
		"\"error_count\":3,\"completing\":false,\"created_ms\":1000,\"modified_ms\":2000,\"lease_ends_ms\":86402000,"
		"\"helper\":{\"flags\":[\"network\"],\"sid\":\"S-1-7\",\"last_sid\":\"S-1-2\"},"
		"\"identities\":{\"file\":{\"as\":\"service\",\"sid\":\"S-1-6\",\"last_sid\":\"S-1-3\"},"
		"\"network\":{\"as\":\"helper\",\"sid\":null,\"last_sid\":\"S-1-4\"}},"
		"\"credentials\":[{\"target\":\"server\",\"scheme\":\"basic\",\"implicit\":false},"
		"{\"target\":\"proxy\",\"scheme\":\"negotiate\",\"implicit\":true}],"
		"\"headers\":{\"names\":[\"Authorization\",\"X-Acme\"],\"write_only\":true},"
		"\"files\":{\"total\":3,\"transferred\":2,\"published\":1},"
		"\"bytes\":{\"total\":5000000000,\"transferred\":4000000000,\"total_is_known\":false}}}}");
}

static void protocol_write_job__every_state_and_wait__obeys_the_schema(void **state)
{
	(void)state;
	for (unsigned i = 0; i < JOB_STATE_COUNT; i++) {
		for (unsigned j = 0; j < JOB_WAIT_COUNT; j++) {
			AUTO(buffer) struct buffer text = BUFFER(PROTOCOL_MESSAGE_BYTES_MAX);
			struct job_status status = { .job = { .id = SAMPLE_UUID, .state = (enum job_state)i,
				.properties = { .name = "n", .max_time_s = 1, .lease_s = 60 }, .finished_ms = i }, .wait = (enum job_wait)j };
			status.job.properties.priority = (enum job_priority)(i % JOB_PRIORITY_COUNT);
			write_changed(&text, &status);
		}
	}
}

static void protocol_write_file__a_url_with_secrets__is_redacted(void **state)
{
	(void)state;
	AUTO(buffer) struct buffer text = BUFFER(PROTOCOL_MESSAGE_BYTES_MAX);
	struct json_writer writer = JSON_WRITER(&text);
	struct file file = { .ordinal = 4, .url = "https://host/a?token=secret", .path = "C:\\a",
		             .state = FILE_TRANSFERRED, .bytes_total = 7, .bytes_recorded = 7 };
	protocol_write_file(&writer, &file);
	assert_int_equal(json_write_done(&writer), RESULT_OK);
	assert_string_equal(text.bytes, "{\"ordinal\":4,\"url\":\"https://host/a?...\",\"path\":\"C:\\\\a\","
	                                "\"state\":\"transferred\",\"size_bytes\":7,\"transferred_bytes\":7}");
	protocol_schema_assert("file", (struct text_view){ text.bytes, text.length });
	buffer_clear(&text);
	writer = JSON_WRITER(&text);
	assert_int_equal(digest_parse(text_view("sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
	                              &file.digest, NULL), RESULT_OK);
	protocol_write_file(&writer, &file);
	assert_int_equal(json_write_done(&writer), RESULT_OK);
	assert_non_null(strstr(text.bytes, "\"digest\":\"sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\""));
	protocol_schema_assert("file", (struct text_view){ text.bytes, text.length });
	buffer_clear(&text);
	writer = JSON_WRITER(&text);
	file.mirrors = 2;
	file.source = 1;
	protocol_write_file(&writer, &file);
	assert_int_equal(json_write_done(&writer), RESULT_OK);
	assert_non_null(strstr(text.bytes, "\"mirrors\":2,\"source\":1,"));
	protocol_schema_assert("file", (struct text_view){ text.bytes, text.length });
}

/* Of hundreds the first are told, and how many there are. */
static void protocol_write_file__ranges__are_told_and_read_up_to_a_limit(void **state)
{
	(void)state;
	struct file file = { .url = "https://h/a", .path = "/a", .bytes_total = 7, .ranges = 500 }, back;
	AUTO(buffer) struct buffer text = BUFFER(4096);
	AUTO(json_document) struct json_document *document = NULL;
	struct json_writer writer = JSON_WRITER(&text);
	for (uint64_t i = 0; i < FILE_RANGES_TOLD_MAX; i++)
		file.ranges_told[i] = (struct range){ i * 10, i == 3 ? RANGE_TO_EOF : i + 1 };
	protocol_write_file(&writer, &file);
	assert_int_equal(json_write_done(&writer), RESULT_OK);
	assert_non_null(strstr(text.bytes, "\"range_count\":500,\"ranges\":[{\"offset\":0,\"length\":1},"));
	assert_non_null(strstr(text.bytes, "{\"offset\":30,\"length\":null}"));
	protocol_schema_assert("file", (struct text_view){ text.bytes, text.length });
	assert_int_equal(json_parse((struct text_view){ text.bytes, text.length }, JSON_WIRE, &document, NULL), RESULT_OK);
	assert_int_equal(protocol_read_file(json_root(document), &back, NULL), RESULT_OK);
	assert_int_equal(back.ranges, 500);
	assert_memory_equal(back.ranges_told, file.ranges_told, sizeof(file.ranges_told));
}

/* What the server said is shown where it can be sent back to it. */
static void protocol_write_file__validators__are_those_of_use(void **state)
{
	static const struct {
		const char *etag, *modified, *written;
	} cases[] = {
		{ "W/\"a\"", "Sun, 06 Nov 1994 08:49:37 GMT", "0,\"etag\":\"W/\\\"a\\\"\",\"last_modified_ms\":784111777000}" },
		{ "\"\\\xC3\xA4\"", "", "0,\"etag\":\"\\\"\\\\\xC3\xA4\\\"\"}" },
		{ "\"\xFF\"", "Thu, 01 Jan 1970 00:00:00 GMT", "0}" },
		{ "unquoted", "yesterday", "0}" },
		{ "", "Wed, 31 Dec 1969 23:59:59 GMT", "0}" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		AUTO(buffer) struct buffer text = BUFFER(PROTOCOL_MESSAGE_BYTES_MAX);
		AUTO(json_document) struct json_document *document = NULL;
		struct json_writer writer = JSON_WRITER(&text);
		struct file file = { .url = "https://a/b", .path = "/p", .state = FILE_NOT_MODIFIED, .bytes_total = 0 }, read;
		bool shown = strstr(cases[i].written, "etag") != NULL;
		assert_int_equal(text_copy(file.etag, sizeof(file.etag), text_view(cases[i].etag)), RESULT_OK);
		assert_int_equal(text_copy(file.modified, sizeof(file.modified), text_view(cases[i].modified)), RESULT_OK);
		protocol_write_file(&writer, &file);
		assert_int_equal(json_write_done(&writer), RESULT_OK);
		if (strstr(text.bytes, cases[i].written) == NULL)
			fail_msg("case %d: %s", (int)i, text.bytes);
		protocol_schema_assert("file", (struct text_view){ text.bytes, text.length });
		assert_int_equal(json_parse((struct text_view){ text.bytes, text.length }, JSON_WIRE, &document, NULL), RESULT_OK);
		assert_int_equal(protocol_read_file(json_root(document), &read, NULL), RESULT_OK);
		assert_int_equal(read.state, FILE_NOT_MODIFIED);
		assert_string_equal(read.etag, shown ? cases[i].etag : "");
		assert_string_equal(read.modified, shown ? cases[i].modified : "");
	}
}

static void fill(char *to, size_t size, const char *character, size_t characters)
{
	size_t length = strlen(character);
	assert_true(length * characters < size);
	for (size_t i = 0; i < characters; i++)
		memcpy(to + i * length, character, length);
	to[length * characters] = '\0';
}

/* The longest job and file: names of three bytes a character, all else of bytes that grow when they are written. */
static void protocol_page_max__longest_jobs_and_files__fit_into_one_message(void **state)
{
	(void)state;
	AUTO(buffer) struct buffer text = BUFFER(PROTOCOL_MESSAGE_BYTES_MAX);
	struct json_writer jobs = JSON_WRITER(&text);
	static struct job_status status;
	static struct file file;

	sample_job(&status);
	fill(status.job.key, sizeof(status.job.key), "\"", JOB_KEY_BYTES_MAX - 1);
	fill(status.job.properties.name, sizeof(status.job.properties.name), "\xE2\x82\xAC", JOB_NAME_CHARACTERS_MAX);
	fill(status.job.properties.description, sizeof(status.job.properties.description), "\xE2\x82\xAC",
	     JOB_DESCRIPTION_CHARACTERS_MAX);
	char *const sids[] = { status.job.owner, status.job.properties.pinned_helper, status.job.helper_sid, status.token_sid,
		               status.job.side_sid[0], status.job.side_sid[1], status.sides[0].sid, status.sides[1].sid };
	for (size_t i = 0; i < sizeof(sids) / sizeof(sids[0]); i++)
		fill(sids[i], JOB_OWNER_BYTES_MAX, "\"", JOB_OWNER_BYTES_MAX - 1);
	status.job.helper_flags = HELPER_ALL;
	memset(status.job.header_names, 'h', JOB_HEADER_NAMES_BYTES_MAX - 1);
	status.job.explicit = JOB_CREDENTIALS_ALL;
	fill(status.job.error.what, sizeof(status.job.error.what), "\"", FAULT_WHAT_BYTES_MAX - 1);
	status.job.bytes_total = status.job.bytes_transferred = UINT64_MAX;
	status.job.created_ms = status.job.modified_ms = status.job.finished_ms = status.lease_ends_ms = INT64_MIN;
	protocol_reply_begin(&jobs, "1");
	json_write_begin(&jobs, "jobs", '[');
	for (unsigned i = 0; i < PROTOCOL_PAGE_MAX; i++)
		protocol_write_job(&jobs, NULL, &status);
	json_write_end(&jobs, ']');
	json_write_u64(&jobs, "next", UINT64_MAX);
	assert_int_equal(protocol_reply_end(&jobs), RESULT_OK);

	buffer_clear(&text);
	struct json_writer files = JSON_WRITER(&text);
	memset(file.url, 'a', sizeof(file.url) - 1);
	memcpy(file.url, "http://h/", 9);
	memset(file.path, '\\', sizeof(file.path) - 1);
	memset(file.etag, '\\', sizeof(file.etag) - 1);
	file.etag[0] = file.etag[sizeof(file.etag) - 2] = '"';
	memcpy(file.modified, "Fri, 31 Dec 9999 23:59:59 GMT", sizeof("Fri, 31 Dec 9999 23:59:59 GMT"));
	file.bytes_total = file.bytes_recorded = INT64_MAX;
	protocol_reply_begin(&files, "1");
	protocol_write_job(&files, "job", &status);
	json_write_begin(&files, "files", '[');
	for (unsigned i = 0; i < PROTOCOL_PAGE_MAX; i++)
		protocol_write_file(&files, &file);
	json_write_end(&files, ']');
	json_write_u64(&files, "next", UINT64_MAX);
	assert_int_equal(protocol_reply_end(&files), RESULT_OK);
}

static void protocol_reply_error__a_named_field__tells_all(void **state)
{
	(void)state;
	AUTO(buffer) struct buffer text = BUFFER(PROTOCOL_MESSAGE_BYTES_MAX);
	struct fault fault = { .result = RESULT_BAD_URL, .what = "params.files[2].url: no host" };
	assert_int_equal(protocol_reply_error(&text, "\"x\"", RESULT_BAD_URL, &fault), RESULT_OK);
	assert_string_equal(text.bytes,
		"{\"jsonrpc\":\"2.0\",\"id\":\"x\",\"error\":{\"code\":-32602,"
		"\"message\":\"The URL is not acceptable. params.files[2].url: no host\","
		"\"data\":{\"result\":\"BAD_URL\",\"hresult\":\"0x80070057\",\"what\":\"params.files[2].url: no host\","
		"\"native\":null,"
		"\"remedy\":\"Give an absolute http or https URL without user name, password, fragment or control characters, or the path of a file on a share, \\\\\\\\server\\\\share\\\\file.\"}}}");
}

static int64_t code_of(enum result result)
{
	AUTO(buffer) struct buffer text = BUFFER(PROTOCOL_MESSAGE_BYTES_MAX);
	AUTO(json_document) struct json_document *document = NULL;
	int64_t code = 0;
	assert_int_equal(protocol_reply_error(&text, "null", result, NULL), RESULT_OK);
	protocol_schema_assert("error", (struct text_view){ text.bytes, text.length });
	assert_int_equal(json_parse((struct text_view){ text.bytes, text.length }, JSON_WIRE, &document, NULL), RESULT_OK);
	assert_int_equal(json_get_i64(json_member(json_member(json_root(document), "error"), "code"), &code, NULL),
	                 RESULT_OK);
	return code;
}

static void protocol_reply_error__every_result__has_its_code_and_obeys_the_schema(void **state)
{
	(void)state;
	for (unsigned i = RESULT_OK + 1; i < RESULT_COUNT; i++) {
		int64_t code = code_of((enum result)i);
		if (result_class((enum result)i) != RETRY_CALLER)
			assert_int_equal(code, -32000);
	}
	assert_int_equal(code_of(RESULT_NOT_JSON), -32700);
	assert_int_equal(code_of(RESULT_MALFORMED), -32600);
	assert_int_equal(code_of(RESULT_UNKNOWN_METHOD), -32601);
	assert_int_equal(code_of(RESULT_MISSING_FIELD), -32602);
	assert_int_equal(code_of(RESULT_NOT_FOUND), -32000);
}

static void protocol_reply_error__an_http_status__is_in_the_hresult(void **state)
{
	(void)state;
	AUTO(buffer) struct buffer text = BUFFER(PROTOCOL_MESSAGE_BYTES_MAX);
	struct fault fault = { .result = RESULT_HTTP_STATUS, .source = FAULT_HTTP, .raw = 404, .what = "https://a/b" };
	assert_int_equal(protocol_reply_error(&text, "1", RESULT_HTTP_STATUS, &fault), RESULT_OK);
	assert_non_null(strstr(text.bytes, "\"hresult\":\"0x80190194\""));
	assert_non_null(strstr(text.bytes, "\"native\":{\"source\":\"http\",\"code\":404}"));
}

static void protocol_reply_error__words_that_are_not_utf8__still_get_through(void **state)
{
	(void)state;
	AUTO(buffer) struct buffer text = BUFFER(PROTOCOL_MESSAGE_BYTES_MAX);
	struct fault fault = { .result = RESULT_SYSTEM, .source = FAULT_ERRNO, .raw = 5, .what = "open \xFF" };
	assert_int_equal(protocol_reply_error(&text, "1", RESULT_SYSTEM, &fault), RESULT_OK);
	protocol_schema_assert("error", (struct text_view){ text.bytes, text.length });
}

/* --- both ends --- */

static void protocol_request__as_a_client_writes_it__is_decoded(void **state)
{
	(void)state;
	AUTO(buffer) struct buffer text = BUFFER(PROTOCOL_MESSAGE_BYTES_MAX);
	AUTO(request) struct request request;
	struct json_writer writer = JSON_WRITER(&text);
	struct job_status status;
	sample_job(&status);
	protocol_request_begin(&writer, 77, METHOD_JOB_CREATE);
	protocol_write_properties(&writer, &status.job.properties, PROPERTY_ALL);
	assert_int_equal(protocol_notification_end(&writer), RESULT_OK);
	protocol_schema_assert("request", (struct text_view){ text.bytes, text.length });
	assert_int_equal(request_decode((struct text_view){ text.bytes, text.length }, &request, NULL), RESULT_OK);
	assert_string_equal(request.id, "77");
	assert_int_equal(request.method, METHOD_JOB_CREATE);
	assert_int_equal(request.properties_given, PROPERTY_ALL);
	assert_string_equal(request.properties.name, status.job.properties.name);
	assert_string_equal(request.properties.description, status.job.properties.description);
	assert_int_equal(request.properties.priority, JOB_HIGH);
	assert_int_equal(request.properties.max_time_s, 7200);
	assert_int_equal(request.properties.lease_s, 86400);
	assert_int_equal(request.properties.on_token_loss, TOKEN_LOSS_WAIT);
	assert_string_equal(request.properties.pinned_helper, "S-1-5-20+S-1-5-80-1");
	assert_int_equal(request.properties.profile, JOB_PROFILE_BULK);
	assert_int_equal(request.properties.max_bytes, 5);
	assert_true(request.properties.no_segments);
	assert_int_equal(request.properties.proxy_mode, PROXY_AUTODETECT);
	assert_true(request.properties.no_redirects);
	assert_int_equal(request.properties.tls_ignore, TLS_IGNORE_ALL);
	assert_string_equal(request.properties.client_certificate, "current-user\\MY\\alice");
}

/* Parse what was written and hand out the value at result.NAME. */
static struct json written(struct buffer *text, struct json_document **document, const char *name)
{
	assert_int_equal(json_parse((struct text_view){ text->bytes, text->length }, JSON_WIRE, document, NULL), RESULT_OK);
	return json_member(json_member(json_root(*document), "result"), name);
}

static void protocol_read_job__what_was_written__comes_back(void **state)
{
	(void)state;
	AUTO(buffer) struct buffer text = BUFFER(PROTOCOL_MESSAGE_BYTES_MAX);
	AUTO(buffer) struct buffer again = BUFFER(PROTOCOL_MESSAGE_BYTES_MAX);
	AUTO(json_document) struct json_document *document = NULL;
	struct json_writer writer = JSON_WRITER(&text);
	struct job_status status, read;
	struct fault fault = { .result = RESULT_OK };

	sample_job(&status);
	status.job.finished_ms = 9000;
	status.job.work = JOB_WORK_PUBLISH;
	protocol_reply_begin(&writer, "1");
	protocol_write_job(&writer, "job", &status);
	assert_int_equal(protocol_reply_end(&writer), RESULT_OK);
	protocol_schema_assert("reply", (struct text_view){ text.bytes, text.length });
	if (protocol_read_job(written(&text, &document, "job"), &read, &fault) != RESULT_OK)
		fail_msg("%s", fault.what);
	assert_int_equal(read.job.error.result, RESULT_HTTP_TRANSIENT);
	assert_int_equal(read.job.error.raw, 503);
	assert_int_equal(read.job.properties.lease_s, 86400);
	assert_int_equal(read.lease_ends_ms, 86402000);
	assert_int_equal(read.job.work, JOB_WORK_PUBLISH);
	assert_int_equal(read.job.properties.on_token_loss, TOKEN_LOSS_WAIT);
	assert_string_equal(read.job.properties.pinned_helper, "S-1-5-20+S-1-5-80-1");
	assert_int_equal(read.job.properties.profile, JOB_PROFILE_BULK);
	assert_int_equal(read.job.properties.max_bytes, 5);
	assert_true(read.job.properties.no_segments);
	assert_int_equal(read.job.properties.proxy_mode, PROXY_AUTODETECT);
	assert_true(read.job.properties.no_redirects);
	assert_int_equal(read.job.properties.tls_ignore, TLS_IGNORE_ALL);
	assert_string_equal(read.job.properties.client_certificate, "current-user\\MY\\alice");
	assert_int_equal(read.job.helper_flags, HELPER_NETWORK);
	assert_int_equal(read.job.implicit, JOB_CREDENTIAL(AUTH_PROXY, AUTH_NEGOTIATE));
	assert_int_equal(read.job.explicit, JOB_CREDENTIAL(AUTH_SERVER, AUTH_BASIC));
	assert_string_equal(read.token_sid, "S-1-7");
	assert_string_equal(read.job.helper_sid, "S-1-2");
	assert_int_equal(read.sides[JOB_SIDE_FILE].as, IDENTITY_SERVICE);
	assert_string_equal(read.sides[JOB_SIDE_FILE].sid, "S-1-6");
	assert_string_equal(read.job.side_sid[JOB_SIDE_FILE], "S-1-3");
	assert_int_equal(read.sides[JOB_SIDE_NETWORK].as, IDENTITY_HELPER);
	assert_string_equal(read.sides[JOB_SIDE_NETWORK].sid, "");
	assert_string_equal(read.job.side_sid[JOB_SIDE_NETWORK], "S-1-4");

	struct json_writer second = JSON_WRITER(&again);
	protocol_reply_begin(&second, "1");
	protocol_write_job(&second, "job", &read);
	assert_int_equal(protocol_reply_end(&second), RESULT_OK);
	assert_string_equal(again.bytes, text.bytes);
}

static void protocol_read_proxies__what_was_written__comes_back(void **state)
{
	(void)state;
	AUTO(buffer) struct buffer text = BUFFER(PROTOCOL_MESSAGE_BYTES_MAX);
	AUTO(json_document) struct json_document *document = NULL;
	struct json_writer writer = JSON_WRITER(&text);
	struct proxies_found found = { .count = 2,
		                       .choices = { { "http://p:3128", PROXY_FROM_SCRIPT, false }, { "", PROXY_FROM_MACHINE, true } },
		                       .missed = { .result = RESULT_TIMED_OUT, .what = "the script" } }, read;

	protocol_reply_begin(&writer, "1");
	protocol_write_proxies(&writer, &found);
	assert_int_equal(protocol_reply_end(&writer), RESULT_OK);
	protocol_schema_assert("reply", (struct text_view){ text.bytes, text.length });
	assert_non_null(strstr(text.bytes, "\"proxies\":[{\"address\":\"http://p:3128\",\"source\":\"identity-script\","
	                                   "\"bypassed\":false},{\"address\":null,\"source\":\"machine-settings\","
	                                   "\"bypassed\":true}],\"missed\":{\"result\":\"TIMED_OUT\""));
	assert_int_equal(json_parse((struct text_view){ text.bytes, text.length }, JSON_WIRE, &document, NULL), RESULT_OK);
	assert_int_equal(protocol_read_proxies(json_member(json_root(document), "result"), &read, NULL), RESULT_OK);
	assert_int_equal(read.count, 2);
	for (size_t i = 0; i < read.count; i++) {
		assert_string_equal(read.choices[i].address, found.choices[i].address);
		assert_int_equal(read.choices[i].source, found.choices[i].source);
		assert_int_equal(read.choices[i].bypassed, found.choices[i].bypassed);
	}
	assert_int_equal(read.missed.result, RESULT_TIMED_OUT);
	assert_string_equal(read.missed.what, "the script");
}

static void protocol_read_trial__what_was_written__comes_back(void **state)
{
	(void)state;
	AUTO(buffer) struct buffer text = BUFFER(PROTOCOL_MESSAGE_BYTES_MAX);
	AUTO(json_document) struct json_document *document = NULL;
	struct json_writer writer = JSON_WRITER(&text);
	struct trial trial = { .attempt = { .count = 1, .file = 4, .first_ms = 5, .last_ms = 6, .proxy = { "", PROXY_FROM_TABLE, false },
		                            .trace = { .words = "\xff not UTF-8", .status = 401,
		                                       .offered = { AUTH_FLAG(AUTH_NTLM) | AUTH_FLAG(AUTH_BASIC), 0 } },
		                            .fault = { RESULT_UNAUTHORIZED, FAULT_HTTP, 401, "the server" } },
		               .allowed = { AUTH_FLAG(AUTH_NEGOTIATE), 0 }, .forbidden = { AUTH_FLAG(AUTH_NTLM), AUTH_FLAG(AUTH_BASIC) } }, read;

	protocol_reply_begin(&writer, "1");
	protocol_write_trial(&writer, &trial);
	assert_int_equal(protocol_reply_end(&writer), RESULT_OK);
	protocol_schema_assert("reply", (struct text_view){ text.bytes, text.length });
	assert_non_null(strstr(text.bytes, "\"auth\":{\"server\":{\"offers\":[\"ntlm\",\"basic\"],\"answered_with\":[]}"));
	assert_non_null(strstr(text.bytes, "\"words\":null"));
	assert_int_equal(json_parse((struct text_view){ text.bytes, text.length }, JSON_WIRE, &document, NULL), RESULT_OK);
	assert_int_equal(protocol_read_trial(json_member(json_root(document), "result"), &read, NULL), RESULT_OK);
	trial.attempt.trace.words[0] = '\0';
	assert_true(attempt_is_like(&read.attempt, &trial.attempt));
	assert_int_equal(read.attempt.file, 4);
	assert_string_equal(read.attempt.fault.what, "the server");
	assert_memory_equal(read.allowed, trial.allowed, sizeof(read.allowed));
	assert_memory_equal(read.forbidden, trial.forbidden, sizeof(read.forbidden));
}

static void protocol_read_job__a_wait_reason_of_a_newer_service__is_some_other(void **state)
{
	(void)state;
	AUTO(buffer) struct buffer text = BUFFER(PROTOCOL_MESSAGE_BYTES_MAX);
	AUTO(json_document) struct json_document *document = NULL;
	struct json_writer writer = JSON_WRITER(&text);
	struct job_status status, read;

	sample_job(&status);
	status.wait = JOB_WAIT_SLOT;
	status.wait_since_ms = 77;
	protocol_reply_begin(&writer, "1");
	protocol_write_job(&writer, "job", &status);
	assert_int_equal(protocol_reply_end(&writer), RESULT_OK);
	char *reason = strstr(text.bytes, "\"slot\"");
	assert_non_null(reason);
	memcpy(reason, "\"flux\"", 6);
	assert_int_equal(protocol_read_job(written(&text, &document, "job"), &read, NULL), RESULT_OK);
	assert_int_equal(read.wait, JOB_WAIT_COUNT);
	assert_int_equal(read.wait_since_ms, 77);
}

static void protocol_read_job__credentials_of_a_newer_service__are_passed_over(void **state)
{
	(void)state;
	AUTO(buffer) struct buffer text = BUFFER(PROTOCOL_MESSAGE_BYTES_MAX);
	AUTO(json_document) struct json_document *document = NULL;
	struct json_writer writer = JSON_WRITER(&text);
	struct job_status status, read;

	sample_job(&status);
	protocol_reply_begin(&writer, "1");
	protocol_write_job(&writer, "job", &status);
	assert_int_equal(protocol_reply_end(&writer), RESULT_OK);
	memcpy(strstr(text.bytes, "\"basic\""), "\"magic\"", 7);
	assert_int_equal(protocol_read_job(written(&text, &document, "job"), &read, NULL), RESULT_OK);
	assert_int_equal(read.job.explicit, 0);
	assert_int_equal(read.job.implicit, JOB_CREDENTIAL(AUTH_PROXY, AUTH_NEGOTIATE));
}

static void protocol_read_job__nobody_and_every_flag_and_choice__come_back(void **state)
{
	(void)state;
	for (unsigned i = 0; i <= HELPER_ALL; i++) {
		AUTO(buffer) struct buffer text = BUFFER(PROTOCOL_MESSAGE_BYTES_MAX);
		AUTO(json_document) struct json_document *document = NULL;
		struct json_writer writer = JSON_WRITER(&text);
		struct job_status status = { .job = { .id = SAMPLE_UUID, .helper_flags = i,
			.properties = { .name = "n", .max_time_s = 1, .lease_s = 60 } } }, read;
		memset(&read, 'x', sizeof(read));
		status.sides[JOB_SIDE_FILE].as = (enum identity_choice)(i % IDENTITY_CHOICE_COUNT);
		protocol_reply_begin(&writer, "1");
		protocol_write_job(&writer, "job", &status);
		assert_int_equal(protocol_reply_end(&writer), RESULT_OK);
		protocol_schema_assert("reply", (struct text_view){ text.bytes, text.length });
		assert_int_equal(protocol_read_job(written(&text, &document, "job"), &read, NULL), RESULT_OK);
		assert_int_equal(read.job.helper_flags, i);
		assert_int_equal(read.sides[JOB_SIDE_FILE].as, i % IDENTITY_CHOICE_COUNT);
		assert_string_equal(read.job.properties.pinned_helper, "");
		assert_string_equal(read.token_sid, "");
		assert_string_equal(read.job.helper_sid, "");
		for (unsigned side = 0; side < JOB_SIDE_COUNT; side++) {
			assert_string_equal(read.sides[side].sid, "");
			assert_string_equal(read.job.side_sid[side], "");
		}
	}
}

static void protocol_read_preflight__what_was_written__comes_back(void **state)
{
	(void)state;
	static const struct preflight cases[] = {
		{ .sides = { { IDENTITY_HELPER, "S-1-2" }, { IDENTITY_OWNER, "S-1-3" } } },
		{ .sides = { { IDENTITY_SERVICE, "S-1-5-20" }, { IDENTITY_HELPER, "" } },
		  .file = { .result = RESULT_DENIED, .source = FAULT_WIN32, .raw = 5, .what = "files[0].path: open C:\\a" } },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		AUTO(buffer) struct buffer text = BUFFER(PROTOCOL_MESSAGE_BYTES_MAX);
		AUTO(json_document) struct json_document *document = NULL;
		struct json_writer writer = JSON_WRITER(&text);
		struct preflight read;
		memset(&read, 'x', sizeof(read));
		protocol_reply_begin(&writer, "1");
		protocol_write_preflight(&writer, "preflight", &cases[i]);
		assert_int_equal(protocol_reply_end(&writer), RESULT_OK);
		protocol_schema_assert("reply", (struct text_view){ text.bytes, text.length });
		assert_int_equal(protocol_read_preflight(written(&text, &document, "preflight"), &read, NULL), RESULT_OK);
		for (unsigned side = 0; side < JOB_SIDE_COUNT; side++) {
			assert_int_equal(read.sides[side].as, cases[i].sides[side].as);
			assert_string_equal(read.sides[side].sid, cases[i].sides[side].sid);
		}
		assert_int_equal(read.file.result, cases[i].file.result);
		assert_int_equal(read.file.source, cases[i].file.source);
		assert_int_equal(read.file.raw, cases[i].file.raw);
		assert_string_equal(read.file.what, cases[i].file.what);
	}
}

static void protocol_read_file__known_and_unknown_sizes__come_back(void **state)
{
	(void)state;
	const uint64_t sizes[] = { SIZE_UNKNOWN, 0, INT64_MAX };
	for (size_t i = 0; i < 3; i++) {
		AUTO(buffer) struct buffer text = BUFFER(PROTOCOL_MESSAGE_BYTES_MAX);
		AUTO(json_document) struct json_document *document = NULL;
		struct json_writer writer = JSON_WRITER(&text);
		struct file file = { .ordinal = 1, .url = "https://a/b", .path = "/p", .state = FILE_PUBLISHED,
			             .bytes_total = sizes[i], .bytes_recorded = 5 }, read;
		protocol_write_file(&writer, &file);
		assert_int_equal(json_parse((struct text_view){ text.bytes, text.length }, JSON_WIRE, &document, NULL),
		                 RESULT_OK);
		assert_int_equal(protocol_read_file(json_root(document), &read, NULL), RESULT_OK);
		assert_true(read.bytes_total == sizes[i]);
		assert_int_equal(read.bytes_recorded, 5);
		assert_int_equal(read.state, FILE_PUBLISHED);
		assert_string_equal(read.url, "https://a/b");
		assert_string_equal(read.path, "/p");
	}
}

static void protocol_read_service__what_was_written__comes_back(void **state)
{
	(void)state;
	AUTO(buffer) struct buffer text = BUFFER(PROTOCOL_MESSAGE_BYTES_MAX);
	AUTO(json_document) struct json_document *document = NULL;
	struct json_writer writer = JSON_WRITER(&text);
	struct service_status status = { .version = "0.1", .curl = "c", .sqlite = "s", .started_ms = 5, .jobs_queued = 1,
		.jobs_active = 2, .files_active = 3, .workers = 4, .owners_present = 5, .connections = 6 }, read;
	protocol_reply_begin(&writer, "1");
	protocol_write_service(&writer, "service", &status);
	assert_int_equal(protocol_reply_end(&writer), RESULT_OK);
	protocol_schema_assert("reply", (struct text_view){ text.bytes, text.length });
	assert_int_equal(protocol_read_service(written(&text, &document, "service"), &read, NULL), RESULT_OK);
	assert_string_equal(read.version, "0.1");
	assert_string_equal(read.curl, "c");
	assert_string_equal(read.sqlite, "s");
	assert_int_equal(read.started_ms, 5);
	assert_int_equal(read.jobs_queued, 1);
	assert_int_equal(read.jobs_active, 2);
	assert_int_equal(read.files_active, 3);
	assert_int_equal(read.workers, 4);
	assert_int_equal(read.owners_present, 5);
	assert_int_equal(read.connections, 6);
}

static enum result read_error(const char *text, struct fault *ret_error)
{
	AUTO(json_document) struct json_document *document = NULL;
	assert_int_equal(json_parse(text_view(text), JSON_WIRE, &document, NULL), RESULT_OK);
	return protocol_read_error(json_root(document), ret_error, NULL);
}

static void protocol_read_error__every_result__comes_back(void **state)
{
	(void)state;
	for (unsigned i = RESULT_OK + 1; i < RESULT_COUNT; i++) {
		AUTO(buffer) struct buffer text = BUFFER(PROTOCOL_MESSAGE_BYTES_MAX);
		AUTO(json_document) struct json_document *document = NULL;
		struct fault sent = { .result = (enum result)i, .source = FAULT_WIN32, .raw = 5, .what = "open C:\\a" }, read;
		assert_int_equal(protocol_reply_error(&text, "1", sent.result, &sent), RESULT_OK);
		assert_int_equal(json_parse((struct text_view){ text.bytes, text.length }, JSON_WIRE, &document, NULL),
		                 RESULT_OK);
		assert_int_equal(protocol_read_error(json_member(json_root(document), "error"), &read, NULL), RESULT_OK);
		assert_int_equal(read.result, i);
		assert_int_equal(read.source, FAULT_WIN32);
		assert_int_equal(read.raw, 5);
		assert_string_equal(read.what, "open C:\\a");
	}
}

static void protocol_read_error__from_a_newer_or_other_server__is_shown_with_its_words(void **state)
{
	(void)state;
	struct fault error;
	assert_int_equal(read_error("{\"code\":-1,\"message\":\"m\",\"data\":{\"result\":\"BRAND_NEW\",\"what\":\"w\","
	                            "\"native\":{\"source\":\"martian\",\"code\":7},\"extra\":1}}", &error), RESULT_OK);
	assert_int_equal(error.result, RESULT_SYSTEM);
	assert_string_equal(error.what, "w");
	assert_int_equal(error.raw, 7);
	assert_int_equal(read_error("{\"code\":-32601,\"message\":\"Method not found\"}", &error), RESULT_OK);
	assert_int_equal(error.result, RESULT_SYSTEM);
	assert_string_equal(error.what, "Method not found");
	assert_int_equal(read_error("{\"code\":\"x\"}", &error), RESULT_INVALID_ARGUMENT);
	assert_int_equal(read_error("[]", &error), RESULT_INVALID_ARGUMENT);
}

static void protocol_read_job__more_and_wrong_members__are_passed_over_and_refused(void **state)
{
	(void)state;
	AUTO(buffer) struct buffer text = BUFFER(PROTOCOL_MESSAGE_BYTES_MAX);
	struct json_writer writer = JSON_WRITER(&text);
	struct job_status status, read;
	sample_job(&status);
	protocol_write_job(&writer, NULL, &status);

	static const struct { const char *from, *to; enum result result; } changes[] = {
		{ "{\"id\"", "{\"new\":[1],\"id\"", RESULT_OK },
		{ "\"error_count\":3", "\"error_count\":-3", RESULT_INVALID_ARGUMENT },
		{ "TRANSIENT_ERROR", "SLEEPING", RESULT_INVALID_ARGUMENT },
		{ "\"since_ms\":1500", "\"since_ms\":null", RESULT_INVALID_ARGUMENT },
		{ "\"files\":{\"total\":3", "\"files\":{\"count\":3", RESULT_MISSING_FIELD },
		{ "\"created_ms\":1000,", "", RESULT_MISSING_FIELD },
		{ "\"lease_ends_ms\":86402000,", "", RESULT_OK },
		{ "\"lease_ends_ms\":86402000", "\"lease_ends_ms\":\"soon\"", RESULT_INVALID_ARGUMENT },
		{ "\"wait\",\"pinned", "\"hope\",\"pinned", RESULT_INVALID_ARGUMENT },
		{ "\"pinned_helper\":\"S-1-5-20+S-1-5-80-1\"", "\"pinned_helper\":7", RESULT_INVALID_ARGUMENT },
		{ "\"flags\":[\"network\"]", "\"flags\":[\"network\",\"network\"]", RESULT_INVALID_ARGUMENT },
		{ "\"flags\":[\"network\"]", "\"flags\":3", RESULT_INVALID_ARGUMENT },
		{ "\"helper\":{", "\"helfer\":{", RESULT_INVALID_ARGUMENT },
		{ "\"identities\":{\"file\"", "\"identities\":{\"disk\"", RESULT_INVALID_ARGUMENT },
		{ "\"as\":\"service\"", "\"as\":\"guest\"", RESULT_INVALID_ARGUMENT },
		{ "\"as\":\"service\"", "\"as\":null", RESULT_INVALID_ARGUMENT },
		{ "\"as\":\"service\",\"sid\":\"S-1-6\",", "\"as\":\"service\",", RESULT_MISSING_FIELD },
		{ "\"last_sid\":\"S-1-4\"", "\"last_sid\":\"S-1-4\",\"new\":[]", RESULT_OK },
	};
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		AUTO(json_document) struct json_document *document = NULL;
		char changed[4096];
		const char *at = strstr(text.bytes, changes[i].from);
		assert_non_null(at);
		text_display(changed, sizeof(changed), "%.*s%s%s", (int)(at - text.bytes), text.bytes, changes[i].to,
		             at + strlen(changes[i].from));
		assert_int_equal(json_parse(text_view(changed), JSON_WIRE, &document, NULL), RESULT_OK);
		assert_int_equal(protocol_read_job(json_root(document), &read, NULL), changes[i].result);
	}
}

/* --- the page --- */

static void protocol_md__every_example__obeys_the_schema(void **state)
{
	(void)state;
	AUTO(buffer) struct buffer text = BUFFER(1 << 20);
	size_t examples = 0;
	source_file_read("docs/protocol.md", &text);
	for (const char *line = text.bytes; *line;) {
		size_t length = strcspn(line, "\r\n");
		if (*line == '{') {
			AUTO(json_document) struct json_document *document = NULL;
			char why[JSON_SCHEMA_WHY_BYTES_MAX];
			assert_int_equal(json_parse((struct text_view){ line, length }, JSON_WIRE, &document, NULL), RESULT_OK);
			if (!json_schema_obeyed(json_root(protocol_schema), json_root(protocol_schema), json_root(document), why))
				fail_msg("%.*s: %s", (int)length, line, why);
			examples++;
		}
		line += length;
		line += strspn(line, "\r\n");
	}
	assert_true(examples >= 5);
}

static void assert_shown(const struct buffer *page, const char *row)
{
	if (!strstr(page->bytes, row))
		fail_msg("docs/protocol.md does not have %s", row);
}

static void protocol_md__every_method_code_and_word__is_listed(void **state)
{
	(void)state;
	AUTO(buffer) struct buffer page = BUFFER(1 << 20);
	char row[512];
	source_file_read("docs/protocol.md", &page);
	for (unsigned i = 0; i < METHOD_COUNT; i++) {
		text_display(row, sizeof(row), "\n| `%s` | ", method_name((enum method)i));
		assert_shown(&page, row);
	}
	for (unsigned i = JOB_WAIT_NONE + 1; i < JOB_WAIT_COUNT; i++) {
		text_display(row, sizeof(row), "`%s`", job_wait_name((enum job_wait)i));
		assert_shown(&page, row);
	}
	for (unsigned i = 0; i < FILE_STATE_COUNT; i++) {
		text_display(row, sizeof(row), "`%s`", file_state_name((enum file_state)i));
		assert_shown(&page, row);
	}
	/* What has a code of its own stands in its code's row, in the enum's order; docs/errors.md has the rest. */
	static const int64_t codes[] = { -32700, -32600, -32601, -32602 };
	for (size_t j = 0; j < sizeof(codes) / sizeof(codes[0]); j++) {
		AUTO(buffer) struct buffer names = BUFFER(sizeof(row));
		for (unsigned i = RESULT_OK + 1; i < RESULT_COUNT; i++)
			if (code_of((enum result)i) == codes[j])
				assert_int_equal(buffer_print(&names, "%s`%s`", names.length > 0 ? ", " : "",
				                              result_name((enum result)i)), RESULT_OK);
		text_display(row, sizeof(row), "\n| %" PRId64 " | %s |\n", codes[j], names.bytes);
		assert_shown(&page, row);
	}
}

/* --- hostile answers: the sanitizers watch --- */

static void read_any(struct text_view text)
{
	AUTO(json_document) struct json_document *document = NULL;
	static struct job_status status;
	static struct file file;
	struct service_status service;
	struct preflight found;
	struct fault error;
	if (json_parse(text, JSON_WIRE, &document, NULL) != RESULT_OK)
		return;
	(void)!protocol_read_job(json_root(document), &status, NULL);
	(void)!protocol_read_file(json_root(document), &file, NULL);
	(void)!protocol_read_service(json_root(document), &service, NULL);
	(void)!protocol_read_preflight(json_root(document), &found, NULL);
	(void)!protocol_read_error(json_root(document), &error, NULL);
}

static void protocol_read__truncated_and_mutated_objects__never_crash(void **state)
{
	(void)state;
	AUTO(buffer) struct buffer text = BUFFER(PROTOCOL_MESSAGE_BYTES_MAX);
	struct json_writer writer = JSON_WRITER(&text);
	struct job_status status;
	sample_job(&status);
	protocol_write_job(&writer, NULL, &status);
	mutate_text(text.bytes, read_any);
	mutate_text("{\"ordinal\":4,\"url\":\"https://h/a\",\"path\":\"C:\\\\a\",\"state\":\"pending\",\"size_bytes\":null,"
	       "\"digest\":\"sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\","
	       "\"mirrors\":2,\"source\":1,\"range_count\":3,\"ranges\":[{\"offset\":1,\"length\":null},{\"offset\":0,\"length\":1}],"
	       "\"transferred_bytes\":7,\"etag\":\"\\\"a\\\"\",\"last_modified_ms\":5}", read_any);
	mutate_text("{\"file\":{\"as\":\"helper\",\"sid\":null,\"error\":{\"result\":\"DENIED\",\"what\":\"w\",\"native\":null}},"
	       "\"network\":{\"as\":\"owner\",\"sid\":\"S-1-1\"}}", read_any);
	mutate_text("{\"code\":-32000,\"message\":\"m\",\"data\":{\"result\":\"DENIED\",\"what\":\"w\","
	       "\"native\":{\"source\":\"win32\",\"code\":5}}}", read_any);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(protocol_write_job__a_waiting_job__is_written_whole),
		cmocka_unit_test(protocol_write_job__every_state_and_wait__obeys_the_schema),
		cmocka_unit_test(protocol_write_file__a_url_with_secrets__is_redacted),
		cmocka_unit_test(protocol_write_file__ranges__are_told_and_read_up_to_a_limit),
		cmocka_unit_test(protocol_write_file__validators__are_those_of_use),
		cmocka_unit_test(protocol_page_max__longest_jobs_and_files__fit_into_one_message),
		cmocka_unit_test(protocol_reply_error__a_named_field__tells_all),
		cmocka_unit_test(protocol_reply_error__every_result__has_its_code_and_obeys_the_schema),
		cmocka_unit_test(protocol_reply_error__an_http_status__is_in_the_hresult),
		cmocka_unit_test(protocol_reply_error__words_that_are_not_utf8__still_get_through),
		cmocka_unit_test(protocol_request__as_a_client_writes_it__is_decoded),
		cmocka_unit_test(protocol_read_job__what_was_written__comes_back),
		cmocka_unit_test(protocol_read_proxies__what_was_written__comes_back),
		cmocka_unit_test(protocol_read_trial__what_was_written__comes_back),
		cmocka_unit_test(protocol_read_job__a_wait_reason_of_a_newer_service__is_some_other),
		cmocka_unit_test(protocol_read_job__credentials_of_a_newer_service__are_passed_over),
		cmocka_unit_test(protocol_read_job__nobody_and_every_flag_and_choice__come_back),
		cmocka_unit_test(protocol_read_preflight__what_was_written__comes_back),
		cmocka_unit_test(protocol_read_file__known_and_unknown_sizes__come_back),
		cmocka_unit_test(protocol_read_service__what_was_written__comes_back),
		cmocka_unit_test(protocol_read_error__every_result__comes_back),
		cmocka_unit_test(protocol_read_error__from_a_newer_or_other_server__is_shown_with_its_words),
		cmocka_unit_test(protocol_read_job__more_and_wrong_members__are_passed_over_and_refused),
		cmocka_unit_test(protocol_md__every_example__obeys_the_schema),
		cmocka_unit_test(protocol_md__every_method_code_and_word__is_listed),
		cmocka_unit_test(protocol_read__truncated_and_mutated_objects__never_crash),
	};
	return cmocka_run_group_tests_name("core/protocol messages", tests, protocol_schema_load, protocol_schema_free);
}
