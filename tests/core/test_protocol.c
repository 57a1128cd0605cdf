/* Requests: decoded, refused, and always judged as schema/protocol.schema.json does. */
#include "core/protocol_scene.h"
#include "support/mutate.h"

/* --- requests that are good --- */

static void method_name__every_method__is_its_spelling(void **state)
{
	(void)state;
	assert_string_equal(method_name(METHOD_HELLO), "hello");
	assert_string_equal(method_name(METHOD_JOB_SET_PROPERTIES), "job.setProperties");
	assert_string_equal(method_name(METHOD_SERVICE_STATUS), "service.status");
	assert_string_equal(method_name(METHOD_JOB_SET_HELPER_TOKEN), "job.setHelperToken");
	assert_string_equal(method_name(METHOD_HELPER_PRESENT), "helper.present");
}

static void request_decode__hello__is_read(void **state)
{
	(void)state;
	AUTO(request) struct request request;
	assert_decodes(message("hello", "{\"protocol\":1,\"client\":\"agent 2.1\"}"), &request);
	assert_int_equal(request.method, METHOD_HELLO);
	assert_int_equal(request.protocol, 1);
	assert_string_equal(request.client, "agent 2.1");
	assert_string_equal(request.id, "1");
}

static void request_decode__job_create__takes_bitss_defaults_for_what_is_absent(void **state)
{
	(void)state;
	AUTO(request) struct request request;
	assert_decodes(message("job.create", "{\"name\":\"n\"}"), &request);
	assert_int_equal(request.properties_given, PROPERTY_NAME);
	assert_string_equal(request.properties.name, "n");
	assert_string_equal(request.properties.description, "");
	assert_string_equal(request.key, "");
	assert_int_equal(request.properties.priority, JOB_NORMAL);
	assert_false(request.properties.auto_complete);
	assert_int_equal(request.properties.retry_delay_s, 600);
	assert_int_equal(request.properties.no_progress_timeout_s, 1209600);
	assert_int_equal(request.properties.max_time_s, 7776000);
	assert_int_equal(request.properties.lease_s, 0); /* a setting's business */
	assert_int_equal(request.properties.on_token_loss, TOKEN_LOSS_ERROR);
	assert_string_equal(request.properties.pinned_helper, "");
	assert_int_equal(request.file_count, 0);
}

/* A profile brings its time to give up, unless the message says another one; null brings none. */
static void request_decode__profile__brings_the_time_to_give_up(void **state)
{
	(void)state;
	static const struct {
		const char *params;
		enum job_profile profile;
		unsigned given;
		uint32_t no_progress_timeout_s;
	} cases[] = {
		{ "\"profile\":\"interactive\"", JOB_PROFILE_INTERACTIVE, PROPERTY_PROFILE | PROPERTY_NO_PROGRESS_TIMEOUT, 120 },
		{ "\"profile\":\"update\"", JOB_PROFILE_UPDATE, PROPERTY_PROFILE | PROPERTY_NO_PROGRESS_TIMEOUT, 86400 },
		{ "\"profile\":\"bulk\"", JOB_PROFILE_BULK, PROPERTY_PROFILE | PROPERTY_NO_PROGRESS_TIMEOUT, 1209600 },
		{ "\"profile\":\"update\",\"no_progress_timeout_s\":7", JOB_PROFILE_UPDATE,
		  PROPERTY_PROFILE | PROPERTY_NO_PROGRESS_TIMEOUT, 7 },
		{ "\"profile\":null", JOB_PROFILE_NONE, PROPERTY_PROFILE, 0 },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		AUTO(request) struct request request;
		char params[200];
		text_display(params, sizeof(params), "{\"handle\":1,%s}", cases[i].params);
		assert_decodes(message("job.setProperties", params), &request);
		assert_int_equal(request.properties.profile, cases[i].profile);
		assert_int_equal(request.properties_given, cases[i].given);
		assert_int_equal(request.properties.no_progress_timeout_s, cases[i].no_progress_timeout_s);
	}
	static const char *const refused[] = { "\"none\"", "\"Update\"", "\"\"", "1", "[]" };
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		struct request request;
		struct fault fault;
		char params[200];
		text_display(params, sizeof(params), "{\"handle\":1,\"profile\":%s}", refused[i]);
		assert_int_equal(request_decode(text_view(message("job.setProperties", params)), &request, &fault),
		                 RESULT_INVALID_ARGUMENT);
		assert_memory_equal(fault.what, "params.profile: ", 16);
		request_done(&request);
	}
}

static void request_decode__job_create__reads_every_member(void **state)
{
	(void)state;
	AUTO(request) struct request request;
	struct file_request file;
	assert_decodes(message("job.create",
	                       "{\"name\":\"J\xC3\xB6" "b\",\"description\":\"two\\nlines\\tand\",\"key\":\"k-1\","
	                       "\"priority\":\"foreground\",\"auto_complete\":true,\"retry_delay_s\":60,"
	                       "\"no_progress_timeout_s\":0,\"max_time_s\":3600,\"lease_s\":60,\"on_token_loss\":\"wait\","
	                       "\"pinned_helper\":\"S-1-5-18\",\"profile\":\"update\",\"no_segments\":true,\"max_bytes\":9223372036854775807,"
	                       "\"proxy\":{\"mode\":\"explicit\",\"list\":\"http=p:3128; DIRECT\",\"bypass\":\"*.a;<local>\"},\"redirects\":\"refuse\",\"tls_ignore\":[\"host-name\"],"
	                       "\"client_certificate\":\"local-machine\\\\MY\\\\alice\",\"files\":["
	                       "{\"url\":\"https://a/b\",\"path\":\"C:\\\\a\\\\b\",\"size_bytes\":9223372036854775807,"
	                       "\"digest\":\"sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\","
	                       "\"mirrors\":[\"http://m/b\",\"https://n/b\"]},"
	                       "{\"url\":\"http://c\",\"path\":\"/d\",\"mirrors\":[],\"if_none_match\":\"W/\\\"\xC3\xA4\\\"\","
	                       "\"if_modified_since_ms\":253402300799999}]}"), &request);
	assert_int_equal(request.properties_given, PROPERTY_ALL);
	assert_string_equal(request.properties.name, "J\xC3\xB6" "b");
	assert_string_equal(request.properties.description, "two\nlines\tand");
	assert_string_equal(request.key, "k-1");
	assert_int_equal(request.properties.priority, JOB_FOREGROUND);
	assert_true(request.properties.auto_complete);
	assert_int_equal(request.properties.retry_delay_s, 60);
	assert_int_equal(request.properties.no_progress_timeout_s, 0);
	assert_int_equal(request.properties.max_time_s, 3600);
	assert_int_equal(request.properties.lease_s, 60);
	assert_int_equal(request.properties.on_token_loss, TOKEN_LOSS_WAIT);
	assert_string_equal(request.properties.pinned_helper, "S-1-5-18");
	assert_int_equal(request.properties.profile, JOB_PROFILE_UPDATE);
	assert_int_equal(request.properties.max_bytes, INT64_MAX);
	assert_true(request.properties.no_segments);
	assert_int_equal(request.properties.proxy_mode, PROXY_EXPLICIT);
	assert_true(text_is(request.proxy_list, "http=p:3128; DIRECT"));
	assert_true(text_is(request.proxy_bypass, "*.a;<local>"));
	assert_true(request.properties.no_redirects);
	assert_int_equal(request.properties.tls_ignore, TLS_IGNORE_HOST_NAME);
	assert_string_equal(request.properties.client_certificate, "local-machine\\MY\\alice");
	assert_int_equal(request.file_count, 2);
	assert_int_equal(request_file(&request, 0, &file, NULL), RESULT_OK);
	assert_true(text_is(file.url, "https://a/b"));
	assert_true(text_is(file.path, "C:\\a\\b"));
	assert_int_equal(file.digest.length, DIGEST_SHA256_BYTES);
	assert_int_equal(file.digest.bytes[1], 0x78);
	assert_int_equal(file.bytes_total, INT64_MAX);
	assert_int_equal(file.mirror_count, 2);
	assert_true(text_is(request_mirror(&file, 1), "https://n/b"));
	assert_string_equal(file.condition.etag, "");
	assert_int_equal(file.condition.modified_ms, 0);
	assert_int_equal(request_file(&request, 1, &file, NULL), RESULT_OK);
	assert_int_equal(file.mirror_count, 0);
	assert_true(file.bytes_total == SIZE_UNKNOWN);
	assert_string_equal(file.condition.etag, "W/\"\xC3\xA4\"");
	assert_int_equal(file.condition.modified_ms, FILE_MODIFIED_MS_MAX);
}

static void request_decode__job_open__keeps_the_id_in_lower_case(void **state)
{
	(void)state;
	AUTO(request) struct request request;
	assert_decodes(message("job.open", "{\"job\":\"0F8FAD5B-D9CB-469F-A165-70867728950E\"}"), &request);
	assert_string_equal(request.job, SAMPLE_UUID);
}

static void request_decode__methods_on_a_handle__read_it(void **state)
{
	(void)state;
	static const enum method methods[] = { METHOD_JOB_GET, METHOD_JOB_SET_PROPERTIES, METHOD_JOB_RESUME,
		METHOD_JOB_SUSPEND, METHOD_JOB_CANCEL, METHOD_JOB_COMPLETE, METHOD_JOB_PREFLIGHT,
		METHOD_JOB_TAKE_OWNERSHIP, METHOD_JOB_CLEAR_HELPER_TOKEN, METHOD_JOB_GET_HELPER_TOKEN_FLAGS,
		METHOD_JOB_GET_HELPER_TOKEN_SID, METHOD_JOB_HELPER_TICKET, METHOD_EVENTS_SUBSCRIBE };
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		AUTO(request) struct request request;
		assert_decodes(message(method_name(methods[i]), "{\"handle\":9007199254740991}"), &request);
		assert_int_equal(request.method, methods[i]);
		assert_int_equal(request.handle, 9007199254740991);
	}
}

static void request_decode__job_set_properties__tells_what_was_given(void **state)
{
	(void)state;
	AUTO(request) struct request request;
	assert_decodes(message("job.setProperties", "{\"handle\":1,\"description\":\"\",\"max_time_s\":5}"), &request);
	assert_int_equal(request.properties_given, PROPERTY_DESCRIPTION | PROPERTY_MAX_TIME);
	assert_string_equal(request.properties.description, "");
	assert_int_equal(request.properties.max_time_s, 5);
}

static void request_decode__pages__default_to_the_maximum(void **state)
{
	(void)state;
	AUTO(request) struct request get, list, none;
	assert_decodes(message("job.get", "{\"handle\":1,\"from\":7,\"limit\":0}"), &get);
	assert_int_equal(get.from, 7);
	assert_int_equal(get.limit, 0);
	assert_decodes(message("job.list", "{\"all\":true,\"everyone\":true,\"limit\":1}"), &list);
	assert_true(list.all && list.everyone);
	assert_int_equal(list.limit, 1);
	assert_decodes("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"job.list\"}", &none); /* without params */
	assert_false(none.all || none.everyone);
	assert_int_equal(none.from, 0);
	assert_int_equal(none.limit, PROTOCOL_PAGE_MAX);
}

static void request_decode__subscribe_without_handle__means_all_jobs(void **state)
{
	(void)state;
	AUTO(request) struct request request;
	assert_decodes(message("events.subscribe", "{}"), &request);
	assert_int_equal(request.handle, 0);
}

/* --- the envelope --- */

static void request_decode__ids__come_back_as_json(void **state)
{
	(void)state;
	static const struct { const char *sent, *kept; } ids[] = {
		{ "0", "0" }, { "-5", "-5" }, { "9007199254740991", "9007199254740991" },
		{ "-9007199254740991", "-9007199254740991" }, { "\"\"", "\"\"" }, { "\"a\\u0041\"", "\"aA\"" },
		{ "\"q\\\"\\\\\"", "\"q\\\"\\\\\"" }, { "\"\xC3\xA4\"", "\"\xC3\xA4\"" },
	};
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		AUTO(request) struct request request;
		char text[256];
		text_display(text, sizeof(text), "{\"jsonrpc\":\"2.0\",\"id\":%s,\"method\":\"service.status\"}", ids[i].sent);
		assert_decodes(text, &request);
		assert_string_equal(request.id, ids[i].kept);
	}
}

static void request_decode__longest_id__fits_even_escaped(void **state)
{
	(void)state;
	AUTO(request) struct request request;
	char id[2 * PROTOCOL_ID_TEXT_BYTES_MAX + 1] = "", text[512];
	for (size_t i = 0; i < PROTOCOL_ID_TEXT_BYTES_MAX; i++)
		memcpy(id + 2 * i, "\\\"", 3);
	text_display(text, sizeof(text), "{\"jsonrpc\":\"2.0\",\"id\":\"%s\",\"method\":\"service.status\"}", id);
	assert_decodes(text, &request);
	assert_int_equal(strlen(request.id), PROTOCOL_REQUEST_ID_BYTES_MAX - 1);
	text_display(text, sizeof(text), "{\"jsonrpc\":\"2.0\",\"id\":\"%s\\\"\",\"method\":\"service.status\"}", id);
	assert_refused(text, RESULT_MALFORMED, "id: ");
}

static void request_decode__bad_ids__are_refused_and_answered_with_null(void **state)
{
	(void)state;
	static const char *const ids[] = { "null", "1.5", "1e3", "true", "[]", "{}", "9007199254740992",
		"-9007199254740992", "18446744073709551615", "\"a\\nb\"", "\"\\u0000\"", "\"\x7F\"" };
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		AUTO(request) struct request request;
		struct fault fault;
		char text[256];
		text_display(text, sizeof(text), "{\"jsonrpc\":\"2.0\",\"id\":%s,\"method\":\"service.status\"}", ids[i]);
		assert_int_equal(decode(text, &request, &fault), RESULT_MALFORMED);
		assert_string_equal(request.id, "null");
		assert_memory_equal(fault.what, "id: ", 4);
	}
	assert_refused("{\"jsonrpc\":\"2.0\",\"method\":\"service.status\"}", RESULT_MALFORMED, "id: is missing");
}

static void request_decode__not_a_request__is_malformed(void **state)
{
	(void)state;
	assert_refused("[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"service.status\"}]", RESULT_MALFORMED, "a batch");
	assert_refused("[]", RESULT_MALFORMED, "a batch");
	assert_refused("5", RESULT_MALFORMED, "the message is not an object");
	assert_refused("{\"id\":1,\"method\":\"hello\"}", RESULT_MALFORMED, "jsonrpc: ");
	assert_refused("{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"service.status\"}", RESULT_MALFORMED, "jsonrpc: ");
	assert_refused("{\"jsonrpc\":2.0,\"id\":1,\"method\":\"service.status\"}", RESULT_MALFORMED, "jsonrpc: ");
	assert_refused("{\"jsonrpc\":\"2.0\",\"id\":1}", RESULT_MALFORMED, "method: ");
	assert_refused("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":7}", RESULT_MALFORMED, "method: ");
	assert_refused("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"service.status\",\"auth\":1}", RESULT_MALFORMED, "auth");
	assert_refused("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}", RESULT_MALFORMED, "result");
}

static void request_decode__not_json__is_told_apart(void **state)
{
	(void)state;
	assert_refused("", RESULT_NOT_JSON, "");
	assert_refused("{\"jsonrpc\":\"2.0\",}", RESULT_NOT_JSON, "line 1, column 17: ");
	assert_refused("{} {}", RESULT_NOT_JSON, "line 1, column 4: ");
	assert_refused("{\"a\":\"\xFF\"}", RESULT_NOT_UTF8, "line 1, column 7: ");
	assert_refused("[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]", RESULT_TOO_DEEP, "");
}

static void request_decode__after_a_failure__still_has_the_id(void **state)
{
	(void)state;
	AUTO(request) struct request request;
	struct fault fault;
	assert_int_equal(decode("{\"jsonrpc\":\"2.0\",\"id\":\"x\",\"method\":\"job.fly\"}", &request, &fault),
	                 RESULT_UNKNOWN_METHOD);
	assert_string_equal(request.id, "\"x\"");
	assert_string_equal(fault.what, "method: \"job.fly\"");
}

static void request_decode__too_large__is_refused_unread(void **state)
{
	(void)state;
	AUTO(buffer) struct buffer text = BUFFER(PROTOCOL_MESSAGE_BYTES_MAX + 1);
	AUTO(request) struct request request;
	struct fault fault;
	while (text.length <= PROTOCOL_MESSAGE_BYTES_MAX)
		assert_int_equal(buffer_append(&text, " ", 1), RESULT_OK);
	assert_int_equal(request_decode((struct text_view){ text.bytes, text.length }, &request, &fault),
	                 RESULT_TOO_LARGE);
}

/* --- params --- */

/* More than the schema says; nothing of a list is quoted. */
static void request_decode__proxies_that_cannot_be_used__names_the_rule(void **state)
{
	(void)state;
	static const struct { const char *list, *bypass, *what; } cases[] = {
		{ "u:hush@p", "", "params.proxy.list: a user name or password" },
		{ "hush:3128 socks=hush", "", "params.proxy.list: a SOCKS proxy" },
		{ "https://hush", "", "params.proxy.list: a proxy of another kind" },
		{ "; ;", "", "params.proxy.list: explicit proxies without" },
		{ "hush hush hush hush hush hush hush hush hush", "", "params.proxy.list: a list of more than 8" },
		{ "hush", ".hush", "params.proxy.bypass: a bypass list has" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		AUTO(request) struct request request;
		struct fault fault = { .what = "" };
		char params[256];
		text_display(params, sizeof(params), "{\"handle\":1,\"proxy\":{\"mode\":\"explicit\",\"list\":\"%s\",\"bypass\":\"%s\"}}",
		             cases[i].list, cases[i].bypass);
		assert_int_equal(request_decode(text_view(message("job.setProperties", params)), &request, &fault),
		                 RESULT_INVALID_ARGUMENT);
		assert_memory_equal(fault.what, cases[i].what, strlen(cases[i].what));
		assert_null(strstr(fault.what, "hush"));
	}
}

/* What a schema does not say. */
static void request_decode__what_is_wanted_of_certificates__is_what_ferry_can_do(void **state)
{
	static const struct { const char *params, *what; } cases[] = {
		{ "{\"name\":\"a\",\"tls_ignore\":[\"date\"]}", "params.tls_ignore: Ferry can ignore" },
		{ "{\"name\":\"a\",\"tls_ignore\":[\"host-name\",\"authority\",\"usage\"]}", "params.tls_ignore: Ferry can ignore" },
		{ "{\"name\":\"a\",\"client_certificate\":\"MY\\\\alice\"}", "params.client_certificate: begins with" },
		{ "{\"name\":\"a\",\"client_certificate\":\"current-user\\\\MY\\\\\"}", "params.client_certificate: is LOCATION" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		AUTO(request) struct request request;
		struct fault fault = { .what = "" };
		assert_int_equal(request_decode(text_view(message("job.create", cases[i].params)), &request, &fault),
		                 RESULT_INVALID_ARGUMENT);
		assert_memory_equal(fault.what, cases[i].what, strlen(cases[i].what));
	}
}

static void request_decode__wrong_params__names_the_field(void **state)
{
	(void)state;
	static const struct { const char *method, *params; enum result result; const char *what; } cases[] = {
		{ "hello", "[1]", RESULT_INVALID_ARGUMENT, "params: " },
		{ "hello", "null", RESULT_INVALID_ARGUMENT, "params: " },
		{ "hello", "{\"protocol\":1}", RESULT_MISSING_FIELD, "params.client" },
		{ "hello", "{\"protocol\":0,\"client\":\"c\"}", RESULT_INVALID_ARGUMENT, "params.protocol: " },
		{ "hello", "{\"protocol\":1,\"client\":\"\"}", RESULT_INVALID_ARGUMENT, "params.client: " },
		{ "hello", "{\"protocol\":1,\"client\":\"a\\u001bb\"}", RESULT_INVALID_ARGUMENT, "params.client: " },
		{ "job.create", "{}", RESULT_MISSING_FIELD, "params.name" },
		{ "job.create", "{\"name\":\"\"}", RESULT_INVALID_ARGUMENT, "params.name: " },
		{ "job.create", "{\"name\":null}", RESULT_INVALID_ARGUMENT, "params.name: " },
		{ "job.create", "{\"name\":\"a\\nb\"}", RESULT_INVALID_ARGUMENT, "params.name: " },
		{ "job.create", "{\"name\":\"a\\u0000b\"}", RESULT_INVALID_ARGUMENT, "params.name: " },
		{ "job.create", "{\"name\":\"a\",\"key\":\"\\u007f\"}", RESULT_INVALID_ARGUMENT, "params.key: " },
		{ "job.create", "{\"name\":\"a\",\"description\":\"\\r\"}", RESULT_INVALID_ARGUMENT, "params.description: " },
		{ "job.create", "{\"name\":\"a\",\"priority\":\"urgent\"}", RESULT_INVALID_ARGUMENT, "params.priority: " },
		{ "job.create", "{\"name\":\"a\",\"auto_complete\":1}", RESULT_INVALID_ARGUMENT, "params.auto_complete: " },
		{ "job.create", "{\"name\":\"a\",\"retry_delay_s\":-1}", RESULT_INVALID_ARGUMENT, "params.retry_delay_s: " },
		{ "job.create", "{\"name\":\"a\",\"max_time_s\":0}", RESULT_INVALID_ARGUMENT, "params.max_time_s: " },
		{ "job.create", "{\"name\":\"a\",\"max_time_s\":315360001}", RESULT_INVALID_ARGUMENT, "params.max_time_s: " },
		{ "job.create", "{\"name\":\"a\",\"lease_s\":59}", RESULT_INVALID_ARGUMENT, "params.lease_s: " },
		{ "job.setProperties", "{\"handle\":1,\"lease_s\":315360001}", RESULT_INVALID_ARGUMENT, "params.lease_s: " },
		{ "job.setProperties", "{\"handle\":1,\"lease_s\":null}", RESULT_INVALID_ARGUMENT, "params.lease_s: " },
		{ "job.setProperties", "{\"handle\":1,\"max_bytes\":0}", RESULT_INVALID_ARGUMENT, "params.max_bytes: " },
		{ "job.create", "{\"name\":\"a\",\"no_segments\":1}", RESULT_INVALID_ARGUMENT, "params.no_segments: " },
		{ "job.create", "{\"name\":\"a\",\"redirects\":\"report\"}", RESULT_INVALID_ARGUMENT, "params.redirects: must be" },
		{ "job.create", "{\"name\":\"a\",\"tls_ignore\":\"date\"}", RESULT_INVALID_ARGUMENT, "params.tls_ignore: must be" },
		{ "job.create", "{\"name\":\"a\",\"tls_ignore\":[\"cn\"]}", RESULT_INVALID_ARGUMENT, "params.tls_ignore[0]: must be" },
		{ "job.create", "{\"name\":\"a\",\"client_certificate\":7}", RESULT_INVALID_ARGUMENT, "params.client_certificate: " },
		{ "proxy.show", "{\"handle\":1}", RESULT_MISSING_FIELD, "params.url" },
		{ "proxy.show", "{\"url\":7}", RESULT_INVALID_ARGUMENT, "params.url: " },
		{ "job.create", "{\"name\":\"a\",\"proxy\":null}", RESULT_INVALID_ARGUMENT, "params.proxy: " },
		{ "job.create", "{\"name\":\"a\",\"proxy\":{}}", RESULT_MISSING_FIELD, "params.proxy.mode" },
		{ "job.create", "{\"name\":\"a\",\"proxy\":{\"mode\":\"override\"}}", RESULT_INVALID_ARGUMENT, "params.proxy.mode: must be" },
		{ "job.create", "{\"name\":\"a\",\"proxy\":{\"mode\":\"none\",\"url\":\"\"}}", RESULT_UNKNOWN_FIELD, "params.proxy.url" },
		{ "job.create", "{\"name\":\"a\",\"proxy\":{\"mode\":\"none\",\"list\":\"p\"}}", RESULT_INVALID_ARGUMENT,
		  "params.proxy.list: is for explicit proxies only" },
		{ "job.create", "{\"name\":\"a\",\"proxy\":{\"mode\":\"autodetect\",\"bypass\":\"\"}}", RESULT_INVALID_ARGUMENT,
		  "params.proxy.bypass: is for explicit proxies only" },
		{ "job.setProperties", "{\"handle\":1,\"proxy\":{\"mode\":\"explicit\"}}", RESULT_MISSING_FIELD, "params.proxy.list" },
		{ "job.setProperties", "{\"handle\":1,\"proxy\":{\"mode\":\"explicit\",\"list\":\"\"}}", RESULT_INVALID_ARGUMENT,
		  "params.proxy.list: explicit proxies without" },
		{ "job.setProperties", "{\"handle\":1,\"proxy\":{\"mode\":\"explicit\",\"list\":null}}", RESULT_INVALID_ARGUMENT,
		  "params.proxy.list: " },
		{ "job.create", "{\"name\":\"a\",\"max_bytes\":-1}", RESULT_INVALID_ARGUMENT, "params.max_bytes: " },
		{ "job.create", "{\"name\":\"a\",\"max_bytes\":\"1GB\"}", RESULT_INVALID_ARGUMENT, "params.max_bytes: " },
		{ "job.create", "{\"name\":\"a\",\"owner\":\"me\"}", RESULT_UNKNOWN_FIELD, "params.owner" },
		{ "job.create", "{\"name\":\"a\",\"name\":\"b\"}", RESULT_DUPLICATE_FIELD, "params.name" },
		{ "job.create", "{\"name\":\"a\",\"files\":{}}", RESULT_INVALID_ARGUMENT, "params.files: " },
		{ "job.create", "{\"name\":\"a\",\"files\":[{\"url\":\"u\",\"path\":\"p\"},{\"url\":\"u\"}]}",
		  RESULT_MISSING_FIELD, "params.files[1].path" },
		{ "job.addFiles", "{\"handle\":1,\"files\":[]}", RESULT_INVALID_ARGUMENT, "params.files: " },
		{ "job.addFiles", "{\"handle\":1}", RESULT_MISSING_FIELD, "params.files" },
		{ "job.replaceRemotePrefix", "{\"handle\":1,\"old_prefix\":\"a\"}", RESULT_MISSING_FIELD, "params.new_prefix" },
		{ "job.replaceRemotePrefix", "{\"handle\":1,\"old_prefix\":\"\",\"new_prefix\":\"b\"}", RESULT_INVALID_ARGUMENT,
		  "params.old_prefix: must not be empty" },
		{ "job.replaceRemotePrefix", "{\"handle\":1,\"old_prefix\":\"a\",\"new_prefix\":7}", RESULT_INVALID_ARGUMENT,
		  "params.new_prefix: " },
		{ "job.addFiles", "{\"handle\":1,\"files\":[5]}", RESULT_INVALID_ARGUMENT, "params.files[0]: " },
		{ "job.addFiles", "{\"handle\":1,\"files\":[{\"url\":7,\"path\":\"p\"}]}", RESULT_INVALID_ARGUMENT,
		  "params.files[0].url: " },
		{ "job.addFiles", "{\"handle\":1,\"files\":[{\"url\":\"u\",\"path\":\"p\",\"sha\":\"\"}]}",
		  RESULT_UNKNOWN_FIELD, "params.files[0].sha" },
		{ "job.addFiles", "{\"handle\":1,\"files\":[{\"url\":\"u\",\"path\":\"p\",\"size_bytes\":-1}]}",
		  RESULT_INVALID_ARGUMENT, "params.files[0].size_bytes: " },
		{ "job.addFiles",
		  "{\"handle\":1,\"files\":[{\"url\":\"u\",\"path\":\"p\",\"size_bytes\":9223372036854775808}]}",
		  RESULT_INVALID_ARGUMENT, "params.files[0].size_bytes: " },
		{ "job.addFiles", "{\"handle\":1,\"files\":[{\"url\":\"u\",\"path\":\"p\",\"size_bytes\":null}]}",
		  RESULT_INVALID_ARGUMENT, "params.files[0].size_bytes: " },
		{ "job.addFiles", "{\"handle\":1,\"files\":[{\"url\":\"u\",\"path\":\"p\",\"digest\":\"sha256:00\"}]}",
		  RESULT_INVALID_ARGUMENT, "params.files[0].digest: must have 64 hexadecimal digits" },
		{ "job.addFiles", "{\"handle\":1,\"files\":[{\"url\":\"u\",\"path\":\"p\",\"digest\":null}]}",
		  RESULT_INVALID_ARGUMENT, "params.files[0].digest: " },
		{ "job.addFiles", "{\"handle\":1,\"files\":[{\"url\":\"u\",\"path\":\"p\",\"if_none_match\":\"abc\"}]}",
		  RESULT_INVALID_ARGUMENT, "params.files[0].if_none_match: must be an entity tag" },
		{ "job.addFiles", "{\"handle\":1,\"files\":[{\"url\":\"u\",\"path\":\"p\",\"if_none_match\":\"*\"}]}",
		  RESULT_INVALID_ARGUMENT, "params.files[0].if_none_match: must be an entity tag" },
		{ "job.addFiles", "{\"handle\":1,\"files\":[{\"url\":\"u\",\"path\":\"p\",\"if_none_match\":\"\\\"a\\\", \\\"b\\\"\"}]}",
		  RESULT_INVALID_ARGUMENT, "params.files[0].if_none_match: must be an entity tag" },
		{ "job.addFiles", "{\"handle\":1,\"files\":[{\"url\":\"u\",\"path\":\"p\",\"if_none_match\":7}]}",
		  RESULT_INVALID_ARGUMENT, "params.files[0].if_none_match: " },
		{ "job.addFiles", "{\"handle\":1,\"files\":[{\"url\":\"u\",\"path\":\"p\",\"if_modified_since_ms\":0}]}",
		  RESULT_INVALID_ARGUMENT, "params.files[0].if_modified_since_ms: " },
		{ "job.addFiles", "{\"handle\":1,\"files\":[{\"url\":\"u\",\"path\":\"p\",\"if_modified_since_ms\":253402300800000}]}",
		  RESULT_INVALID_ARGUMENT, "params.files[0].if_modified_since_ms: " },
		{ "job.addFiles", "{\"handle\":1,\"files\":[{\"url\":\"u\",\"path\":\"p\",\"if_modified_since_ms\":\"Sun\"}]}",
		  RESULT_INVALID_ARGUMENT, "params.files[0].if_modified_since_ms: " },
		{ "job.addFiles", "{\"handle\":1,\"files\":[{\"url\":\"u\",\"path\":\"p\",\"if_none_match\":\"\\\"a\\\"\",\"digest\":"
		  "\"sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\"}]}",
		  RESULT_INVALID_ARGUMENT, "params.files[0].if_none_match: not together with a digest" },
		{ "job.addFiles", "{\"handle\":1,\"files\":[{\"url\":\"u\",\"path\":\"p\",\"if_modified_since_ms\":1,\"digest\":"
		  "\"sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\"}]}",
		  RESULT_INVALID_ARGUMENT, "params.files[0].if_modified_since_ms: not together with a digest" },
		{ "job.addFiles", "{\"handle\":1,\"files\":[{\"url\":\"u\",\"path\":\"p\",\"ranges\":\"0-9\"}]}",
		  RESULT_INVALID_ARGUMENT, "params.files[0].ranges: must be an array of ranges" },
		{ "job.addFiles", "{\"handle\":1,\"files\":[{\"url\":\"u\",\"path\":\"p\",\"ranges\":null}]}",
		  RESULT_INVALID_ARGUMENT, "params.files[0].ranges: must be an array of ranges" },
		{ "job.addFiles", "{\"handle\":1,\"files\":[{\"url\":\"u\",\"path\":\"p\",\"ranges\":[{\"offset\":0},7]}]}",
		  RESULT_INVALID_ARGUMENT, "params.files[0].ranges[1]: must be an object with an offset and a length" },
		{ "job.addFiles", "{\"handle\":1,\"files\":[{\"url\":\"u\",\"path\":\"p\",\"ranges\":[{\"length\":7}]}]}",
		  RESULT_MISSING_FIELD, "params.files[0].ranges[0].offset" },
		{ "job.addFiles", "{\"handle\":1,\"files\":[{\"url\":\"u\",\"path\":\"p\",\"ranges\":[{\"offset\":-1}]}]}",
		  RESULT_INVALID_ARGUMENT, "params.files[0].ranges[0].offset: " },
		{ "job.addFiles", "{\"handle\":1,\"files\":[{\"url\":\"u\",\"path\":\"p\",\"ranges\":[{\"offset\":1,\"last\":2}]}]}",
		  RESULT_UNKNOWN_FIELD, "params.files[0].ranges[0].last" },
		{ "job.addFiles",
		  "{\"handle\":1,\"files\":[{\"url\":\"u\",\"path\":\"p\",\"ranges\":[{\"offset\":1,\"length\":9223372036854775808}]}]}",
		  RESULT_INVALID_ARGUMENT, "params.files[0].ranges[0].length: " },
		{ "job.addFiles", "{\"handle\":1,\"files\":[{\"url\":\"u\",\"path\":\"p\",\"ranges\":[{\"offset\":1}],\"if_none_match\":"
		  "\"\\\"a\\\"\"}]}",
		  RESULT_INVALID_ARGUMENT, "params.files[0].ranges: not together with a condition" },
		{ "job.addFiles", "{\"handle\":1,\"files\":[{\"url\":\"u\",\"path\":\"p\",\"ranges\":[]}]}",
		  RESULT_INVALID_ARGUMENT, "params.files[0].ranges: there is none; leave it out" },
		{ "job.addFiles", "{\"handle\":1,\"files\":[{\"url\":\"u\",\"path\":\"p\",\"mirrors\":\"u\"}]}",
		  RESULT_INVALID_ARGUMENT, "params.files[0].mirrors: must be an array of URLs" },
		{ "job.addFiles", "{\"handle\":1,\"files\":[{\"url\":\"u\",\"path\":\"p\",\"mirrors\":[\"u\",7]}]}",
		  RESULT_INVALID_ARGUMENT, "params.files[0].mirrors[1]: " },
		{ "job.addFiles",
		  "{\"handle\":1,\"files\":[{\"url\":\"u\",\"path\":\"p\",\"mirrors\":"
		  "[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"9\"]}]}",
		  RESULT_INVALID_ARGUMENT, "params.files[0].mirrors: more than 8 mirrors" },
		{ "job.open", "{\"job\":\"{" SAMPLE_UUID "}\"}", RESULT_NOT_FOUND, "params.job" },
		{ "job.open", "{\"job\":\"0f8fad5b-d9cb-469f-a165-70867728950g\"}", RESULT_NOT_FOUND, "params.job" },
		{ "job.open", "{\"job\":\"0f8fad5bxd9cb-469f-a165-70867728950e\"}", RESULT_NOT_FOUND, "params.job" },
		{ "job.open", "{\"job\":\"\"}", RESULT_NOT_FOUND, "params.job" },
		{ "job.get", "{}", RESULT_MISSING_FIELD, "params.handle" },
		{ "job.get", "{\"handle\":0}", RESULT_INVALID_ARGUMENT, "params.handle: " },
		{ "job.get", "{\"handle\":1.0}", RESULT_INVALID_ARGUMENT, "params.handle: " },
		{ "job.get", "{\"handle\":9007199254740992}", RESULT_INVALID_ARGUMENT, "params.handle: " },
		{ "job.get", "{\"handle\":1,\"limit\":65}", RESULT_INVALID_ARGUMENT, "params.limit: " },
		{ "job.list", "{\"limit\":0}", RESULT_INVALID_ARGUMENT, "params.limit: " },
		{ "job.list", "{\"from\":-1}", RESULT_INVALID_ARGUMENT, "params.from: " },
		{ "job.list", "{\"all\":\"yes\"}", RESULT_INVALID_ARGUMENT, "params.all: " },
		{ "job.list", "{\"handle\":1}", RESULT_UNKNOWN_FIELD, "params.handle" },
		{ "job.resume", "{\"handle\":1,\"now\":true}", RESULT_UNKNOWN_FIELD, "params.now" },
		{ "events.subscribe", "{\"handle\":0}", RESULT_INVALID_ARGUMENT, "params.handle: " },
		{ "service.status", "{\"verbose\":true}", RESULT_UNKNOWN_FIELD, "params.verbose" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_refused(message(cases[i].method, cases[i].params), cases[i].result, cases[i].what);
}

/* Every member at its longest is taken, and refused with one byte more: of ASCII, a byte is a character too. */
static void request_decode__longest_texts__are_taken_and_one_byte_more_is_refused(void **state)
{
	(void)state;
	static const struct { const char *method, *format; size_t longest; const char *what; } cases[] = {
		{ "hello", "{\"protocol\":1,\"client\":\"%s\"}", PROTOCOL_CLIENT_BYTES_MAX - 1, "params.client: " },
		{ "job.create", "{\"name\":\"%s\"}", JOB_NAME_CHARACTERS_MAX, "params.name: " },
		{ "job.create", "{\"name\":\"a\",\"description\":\"%s\"}", JOB_DESCRIPTION_CHARACTERS_MAX,
		  "params.description: " },
		{ "job.create", "{\"name\":\"a\",\"key\":\"%s\"}", JOB_KEY_BYTES_MAX - 1, "params.key: " },
		{ "job.addFiles", "{\"handle\":1,\"files\":[{\"url\":\"%s\",\"path\":\"p\"}]}", URL_BYTES_MAX,
		  "params.files[0].url: " },
		{ "job.addFiles", "{\"handle\":1,\"files\":[{\"url\":\"u\",\"path\":\"%s\"}]}", DESTINATION_BYTES_MAX,
		  "params.files[0].path: " },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char longest[JOB_DESCRIPTION_BYTES_MAX + 1], params[2 * JOB_DESCRIPTION_BYTES_MAX];
		const char *gap = strstr(cases[i].format, "%s");
		for (size_t more = 0; more < 2; more++) {
			memset(longest, 'x', cases[i].longest + more);
			longest[cases[i].longest + more] = '\0';
			text_display(params, sizeof(params), "%.*s%s%s", (int)(gap - cases[i].format), cases[i].format,
			             longest, gap + 2);
			if (more == 0) {
				AUTO(request) struct request request;
				assert_decodes(message(cases[i].method, params), &request);
			} else {
				assert_refused(message(cases[i].method, params), RESULT_TOO_LONG, cases[i].what);
			}
		}
	}
}

/* Repeat a character until it has `units` of UTF-16. */
static void fill_characters(char *to, const char *character, size_t units)
{
	size_t length = strlen(character);
	for (size_t done = 0; done < units; done += text_utf16_length(text_view(character))) {
		memcpy(to, character, length);
		to += length;
	}
	*to = '\0';
}

/* A schema counts code points, so that here it alone would take what is too long by its surrogates. */
static void request_decode__names_and_descriptions__are_counted_in_utf16(void **state)
{
	(void)state;
	static const struct { const char *member; size_t units; const char *what; } texts[] = {
		{ "name", JOB_NAME_CHARACTERS_MAX, "params.name: is longer than 256 characters" },
		{ "description", JOB_DESCRIPTION_CHARACTERS_MAX, "params.description: is longer than 1024 characters" },
	};
	static const char *const characters[] = { "x", "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80" };
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		for (size_t j = 0; j < sizeof(characters) / sizeof(characters[0]); j++) {
			char longest[JOB_DESCRIPTION_BYTES_MAX], params[JOB_DESCRIPTION_BYTES_MAX + 64];
			AUTO(request) struct request good, bad;
			struct fault fault = { .result = RESULT_OK };
			fill_characters(longest, characters[j], texts[i].units);
			text_display(params, sizeof(params), "{\"handle\":1,\"%s\":\"%s\"}", texts[i].member, longest);
			assert_decodes(message("job.setProperties", params), &good);
			text_display(params, sizeof(params), "{\"handle\":1,\"%s\":\"%sx\"}", texts[i].member, longest);
			assert_int_equal(request_decode(text_view(message("job.setProperties", params)), &bad, &fault),
			                 RESULT_TOO_LONG);
			assert_string_equal(fault.what, texts[i].what);
		}
	}
}

/* Each member of any method is either in the method's schema and taken, or not and refused: the table walked whole. */
static void request_decode__every_member_with_every_method__agrees_with_the_schema(void **state)
{
	(void)state;
	static const struct { const char *name, *good; } members[] = {
		{ "protocol", "1" }, { "client", "\"c\"" }, { "handle", "1" }, { "job", "\"" SAMPLE_UUID "\"" },
		{ "key", "\"k\"" }, { "correlation", "\"" SAMPLE_UUID "\"" },
		{ "name", "\"n\"" }, { "description", "\"d\"" }, { "priority", "\"low\"" }, { "auto_complete", "false" },
		{ "retry_delay_s", "5" }, { "no_progress_timeout_s", "5" }, { "max_time_s", "5" },
		{ "lease_s", "60" },
		{ "files", "[{\"url\":\"u\",\"path\":\"p\"}]" }, { "all", "true" }, { "everyone", "true" }, { "from", "0" },
		{ "limit", "1" },
		{ "on_token_loss", "\"wait\"" }, { "pinned_helper", "null" }, { "sid", "\"S-1-5-18\"" },
		{ "logon_id", "\"0x3e7\"" }, { "flags", "[\"network\"]" }, { "roots", "[\"C:\\\\a\"]" },
		{ "max_token_age_s", "60" }, { "ticket", "\"t\"" }, { "profile", "\"bulk\"" }, { "max_bytes", "1" }, { "no_segments", "true" },
		{ "proxy", "{\"mode\":\"none\"}" }, { "redirects", "\"follow\"" }, { "tls_ignore", "[]" }, { "client_certificate", "null" },
		{ "target", "\"proxy\"" }, { "scheme", "\"ntlm\"" }, { "user", "null" }, { "password", "null" }, { "url", "\"http://a/\"" },
	};
	enum { MEMBER_COUNT = sizeof(members) / sizeof(members[0]) };
	for (unsigned method = 0; method < METHOD_COUNT; method++) {
		/* All pairs of members, so that methods with two required ones are met too. */
		for (size_t i = 0; i < MEMBER_COUNT; i++) {
			for (size_t j = i; j < MEMBER_COUNT; j++) {
				AUTO(request) struct request request;
				struct fault fault;
				char params[256];
				if (i == j)
					text_display(params, sizeof(params), "{\"%s\":%s}", members[i].name, members[i].good);
				else
					text_display(params, sizeof(params), "{\"%s\":%s,\"%s\":%s}", members[i].name,
					             members[i].good, members[j].name, members[j].good);
				(void)!decode(message(method_name((enum method)method), params), &request, &fault);
			}
		}
		char name[64];
		text_display(name, sizeof(name), "%s.result", method_name((enum method)method));
		assert_non_null(json_member(json_member(json_root(protocol_schema), "$defs"), name).value);
	}
}

/* --- hostile messages: an answer in every case, and the sanitizers watch --- */

static void decode_any(struct text_view text)
{
	AUTO(request) struct request request;
	AUTO(buffer) struct buffer reply = BUFFER(PROTOCOL_MESSAGE_BYTES_MAX);
	struct fault fault = { .result = RESULT_OK };
	struct file_request file;
	enum result result = request_decode(text, &request, &fault);
	for (uint32_t i = 0; result == RESULT_OK && i < request.file_count; i++)
		result = request_file(&request, i, &file, &fault);
	if (result == RESULT_OK)
		return;
	assert_int_equal(fault.result, result);
	assert_int_equal(result_class(result), RETRY_CALLER);
	assert_int_equal(protocol_reply_error(&reply, request.id, result, &fault), RESULT_OK);
	protocol_schema_assert("error", (struct text_view){ reply.bytes, reply.length });
}

static void request_ranges__to_the_end__is_no_length_or_null(void **state)
{
	(void)state;
	AUTO(request) struct request request;
	AUTO(ranges) struct ranges ranges = { .at = NULL };
	struct file_request file;
	assert_decodes(message("job.addFiles", "{\"handle\":1,\"files\":[{\"url\":\"u\",\"path\":\"p\",\"ranges\":[{\"offset\":7,"
	                                       "\"length\":9223372036854775807},{\"offset\":0,\"length\":null},{\"offset\":3}]},"
	                                       "{\"url\":\"u\",\"path\":\"r\"}]}"), &request);
	assert_int_equal(request_file(&request, 0, &file, NULL), RESULT_OK);
	assert_int_equal(request_ranges(&file, &ranges, NULL), RESULT_OK);
	assert_int_equal(ranges.count, 3);
	assert_true(ranges.at[0].offset == 7 && ranges.at[0].length == INT64_MAX);
	assert_true(ranges.at[1].offset == 0 && ranges.at[1].length == RANGE_TO_EOF);
	assert_true(ranges.at[2].offset == 3 && ranges.at[2].length == RANGE_TO_EOF);
	assert_int_equal(request_file(&request, 1, &file, NULL), RESULT_OK);
	assert_null(file.ranges.value);
}

static void request_decode__truncated_and_mutated_messages__are_answered(void **state)
{
	(void)state;
	static const char *const seeds[] = {
		"{\"jsonrpc\":\"2.0\",\"id\":\"a\\\"\",\"method\":\"hello\",\"params\":{\"protocol\":1,\"client\":\"c\"}}",
		"{\"jsonrpc\":\"2.0\",\"id\":12,\"method\":\"job.create\",\"params\":{\"name\":\"n\",\"description\":\"\\n\","
		"\"key\":\"k\",\"priority\":\"low\",\"auto_complete\":true,\"retry_delay_s\":5,\"files\":["
		"{\"url\":\"http://a/\",\"path\":\"C:\\\\a\",\"size_bytes\":3,\"if_none_match\":\"\\\"a\\\"\"},{\"url\":\"http://b/\",\"path\":\"D:\\\\b\","
		"\"if_modified_since_ms\":5}]}}",
		"{\"jsonrpc\":\"2.0\",\"id\":12,\"method\":\"job.addFiles\",\"params\":{\"handle\":1,\"files\":["
		"{\"url\":\"http://a/\",\"path\":\"C:\\\\a\",\"ranges\":[{\"offset\":3,\"length\":4},{\"offset\":9,\"length\":null}]}]}}",
		"{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"job.open\",\"params\":{\"job\":\"" SAMPLE_UUID "\"}}",
		"{\"jsonrpc\":\"2.0\",\"id\":4,\"method\":\"job.list\",\"params\":{\"all\":true,\"from\":1,\"limit\":2}}",
	};
	for (size_t i = 0; i < sizeof(seeds) / sizeof(seeds[0]); i++)
		mutate_text(seeds[i], decode_any);
}

/* Tens of thousands of files in one message: read in time proportional to their number. */
static void request_decode__a_message_full_of_files__is_read(void **state)
{
	(void)state;
	AUTO(buffer) struct buffer text = BUFFER(PROTOCOL_MESSAGE_BYTES_MAX);
	AUTO(request) struct request request;
	struct file_request file;
	assert_int_equal(buffer_print(&text, "%s", "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"job.addFiles\","
	                                           "\"params\":{\"handle\":1,\"files\":[{\"url\":\"\",\"path\":\"\"}"),
	                 RESULT_OK);
	while (text.length < PROTOCOL_MESSAGE_BYTES_MAX - 64)
		assert_int_equal(buffer_print(&text, "%s", ",{\"url\":\"\",\"path\":\"\"}"), RESULT_OK);
	assert_int_equal(buffer_print(&text, "]}}"), RESULT_OK);
	assert_int_equal(request_decode((struct text_view){ text.bytes, text.length }, &request, NULL), RESULT_OK);
	assert_true(request.file_count > 45000);
	for (uint32_t i = 0; i < request.file_count; i++)
		assert_int_equal(request_file(&request, i, &file, NULL), RESULT_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(method_name__every_method__is_its_spelling),
		cmocka_unit_test(request_decode__hello__is_read),
		cmocka_unit_test(request_decode__job_create__takes_bitss_defaults_for_what_is_absent),
		cmocka_unit_test(request_decode__job_create__reads_every_member),
		cmocka_unit_test(request_decode__profile__brings_the_time_to_give_up),
		cmocka_unit_test(request_decode__job_open__keeps_the_id_in_lower_case),
		cmocka_unit_test(request_decode__methods_on_a_handle__read_it),
		cmocka_unit_test(request_decode__job_set_properties__tells_what_was_given),
		cmocka_unit_test(request_decode__pages__default_to_the_maximum),
		cmocka_unit_test(request_decode__subscribe_without_handle__means_all_jobs),
		cmocka_unit_test(request_decode__ids__come_back_as_json),
		cmocka_unit_test(request_decode__longest_id__fits_even_escaped),
		cmocka_unit_test(request_decode__bad_ids__are_refused_and_answered_with_null),
		cmocka_unit_test(request_decode__not_a_request__is_malformed),
		cmocka_unit_test(request_decode__not_json__is_told_apart),
		cmocka_unit_test(request_decode__after_a_failure__still_has_the_id),
		cmocka_unit_test(request_decode__too_large__is_refused_unread),
		cmocka_unit_test(request_decode__proxies_that_cannot_be_used__names_the_rule),
		cmocka_unit_test(request_decode__what_is_wanted_of_certificates__is_what_ferry_can_do),
		cmocka_unit_test(request_decode__wrong_params__names_the_field),
		cmocka_unit_test(request_decode__longest_texts__are_taken_and_one_byte_more_is_refused),
		cmocka_unit_test(request_decode__names_and_descriptions__are_counted_in_utf16),
		cmocka_unit_test(request_decode__every_member_with_every_method__agrees_with_the_schema),
		cmocka_unit_test(request_ranges__to_the_end__is_no_length_or_null),
		cmocka_unit_test(request_decode__truncated_and_mutated_messages__are_answered),
		cmocka_unit_test(request_decode__a_message_full_of_files__is_read),
	};
	return cmocka_run_group_tests_name("core/protocol", tests, protocol_schema_load, protocol_schema_free);
}
