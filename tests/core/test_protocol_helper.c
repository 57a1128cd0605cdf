/* Requests about helper tokens: what each method takes, and its bounds. */
#include "core/protocol_scene.h"
#include "support/mutate.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define THREAD "\"handle\":1,\"sid\":\"S-1-5-18\",\"logon_id\":\"0x3e7\""

static void request_decode__set_helper_token__reads_every_member(void **state)
{
	(void)state;
	AUTO(request) struct request request, least;
	assert_decodes(message("job.setHelperToken",
	                       "{\"handle\":7,\"sid\":\"S-1-5-21-1-2-3-1001\",\"logon_id\":\"0x00000000DeadBeef\","
	                       "\"roots\":[\"C:\\\\a\",\"D:\\\\b\"],\"max_token_age_s\":3600}"), &request);
	assert_int_equal(request.method, METHOD_JOB_SET_HELPER_TOKEN);
	assert_int_equal(request.handle, 7);
	assert_string_equal(request.sid, "S-1-5-21-1-2-3-1001");
	assert_true(request.logon_id == 0xDEADBEEF);
	assert_int_equal(request.root_count, 2);
	assert_true(text_is(request_root(&request, 0), "C:\\a"));
	assert_true(text_is(request_root(&request, 1), "D:\\b"));
	assert_int_equal(request.token_age_s, 3600);

	assert_decodes(message("job.setHelperToken", "{" THREAD "}"), &least);
	assert_int_equal(least.root_count, 0);
	assert_int_equal(least.token_age_s, 0);
}

static void request_decode__ticket__is_asked_for_and_presented(void **state)
{
	(void)state;
	AUTO(request) struct request asked, presented;
	assert_decodes(message("job.helperTicket", "{\"handle\":1,\"roots\":[\"/srv\"],\"max_token_age_s\":60}"), &asked);
	assert_int_equal(asked.root_count, 1);
	assert_true(text_is(request_root(&asked, 0), "/srv"));
	assert_int_equal(asked.token_age_s, 60);
	assert_decodes(message("helper.present", "{\"ticket\":\"0123456789abcdef0123456789abcdef\"}"), &presented);
	assert_int_equal(presented.method, METHOD_HELPER_PRESENT);
	assert_string_equal(presented.ticket, "0123456789abcdef0123456789abcdef");
}

static void request_decode__flags__are_a_set_of_names(void **state)
{
	(void)state;
	static const struct {
		const char *sent;
		unsigned flags;
	} cases[] = {
		{ "[]", 0 },
		{ "[\"local-file\"]", HELPER_LOCAL_FILE },
		{ "[\"network\"]", HELPER_NETWORK },
		{ "[\"network\",\"local-file\"]", HELPER_ALL },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO(request) struct request request;
		char params[128];
		text_display(params, sizeof(params), "{\"handle\":1,\"flags\":%s}", cases[i].sent);
		assert_decodes(message("job.setHelperTokenFlags", params), &request);
		assert_int_equal(request.flags, cases[i].flags);
	}
}

static void request_decode__logon_ids__are_64_bits_in_hexadecimal(void **state)
{
	(void)state;
	static const struct {
		const char *sent;
		uint64_t logon_id;
	} good[] = {
		{ "0x0", 0 }, { "0x3e7", 0x3e7 }, { "0x3E7", 0x3e7 }, { "0x00000000000003e7", 0x3e7 },
		{ "0xffffffffffffffff", UINT64_MAX }, { "0x8000000000000000", UINT64_C(1) << 63 },
	};
	static const char *const bad[] = { "", "0x", "0", "3e7", "999", "0X3e7", "0x3g7", "0x-1", "0x+1", " 0x1", "0x1 ",
		                           "0x10000000000000000", "0x00000000000000001", "0x3e7\\u0000" };
	char params[192];
	for (size_t i = 0; i < COUNT(good); i++) {
		AUTO(request) struct request request;
		text_display(params, sizeof(params), "{\"handle\":1,\"sid\":\"S\",\"logon_id\":\"%s\"}", good[i].sent);
		assert_decodes(message("job.setHelperToken", params), &request);
		assert_true(request.logon_id == good[i].logon_id);
	}
	for (size_t i = 0; i < COUNT(bad); i++) {
		text_display(params, sizeof(params), "{\"handle\":1,\"sid\":\"S\",\"logon_id\":\"%s\"}", bad[i]);
		assert_refused(message("job.setHelperToken", params), RESULT_INVALID_ARGUMENT, "params.logon_id: ");
	}
	assert_refused(message("job.setHelperToken", "{\"handle\":1,\"sid\":\"S\",\"logon_id\":999}"), RESULT_INVALID_ARGUMENT,
	               "params.logon_id: ");
}

static void request_decode__pinned_helper__is_a_name_or_nobody(void **state)
{
	(void)state;
	AUTO(request) struct request pinned, freed, absent;
	assert_decodes(message("job.setProperties", "{\"handle\":1,\"pinned_helper\":\"S-1-5-20+S-1-5-80-1\"}"), &pinned);
	assert_int_equal(pinned.properties_given, PROPERTY_PINNED_HELPER);
	assert_string_equal(pinned.properties.pinned_helper, "S-1-5-20+S-1-5-80-1");
	assert_decodes(message("job.setProperties", "{\"handle\":1,\"pinned_helper\":null}"), &freed);
	assert_int_equal(freed.properties_given, PROPERTY_PINNED_HELPER);
	assert_string_equal(freed.properties.pinned_helper, "");
	assert_decodes(message("job.setProperties", "{\"handle\":1,\"on_token_loss\":\"error\"}"), &absent);
	assert_int_equal(absent.properties_given, PROPERTY_ON_TOKEN_LOSS);
}

static void request_decode__wrong_params__names_the_field(void **state)
{
	(void)state;
	static const struct {
		const char *method, *params;
		enum result result;
		const char *what;
	} cases[] = {
		{ "job.setHelperToken", "{\"sid\":\"S\",\"logon_id\":\"0x1\"}", RESULT_MISSING_FIELD, "params.handle" },
		{ "job.setHelperToken", "{\"handle\":1,\"logon_id\":\"0x1\"}", RESULT_MISSING_FIELD, "params.sid" },
		{ "job.setHelperToken", "{\"handle\":1,\"sid\":\"S\"}", RESULT_MISSING_FIELD, "params.logon_id" },
		{ "job.setHelperToken", "{\"handle\":1,\"sid\":\"\",\"logon_id\":\"0x1\"}", RESULT_INVALID_ARGUMENT, "params.sid: " },
		{ "job.setHelperToken", "{\"handle\":1,\"sid\":null,\"logon_id\":\"0x1\"}", RESULT_INVALID_ARGUMENT, "params.sid: " },
		{ "job.setHelperToken", "{\"handle\":1,\"sid\":\"S\\n\",\"logon_id\":\"0x1\"}", RESULT_INVALID_ARGUMENT,
		  "params.sid: " },
		{ "job.setHelperToken", "{" THREAD ",\"flags\":[]}", RESULT_UNKNOWN_FIELD, "params.flags" },
		{ "job.setHelperToken", "{" THREAD ",\"sid\":\"S-1-5-19\"}", RESULT_DUPLICATE_FIELD, "params.sid" },
		{ "job.setHelperToken", "{" THREAD ",\"roots\":[]}", RESULT_INVALID_ARGUMENT, "params.roots: " },
		{ "job.setHelperToken", "{" THREAD ",\"roots\":\"C:\\\\a\"}", RESULT_INVALID_ARGUMENT, "params.roots: " },
		{ "job.setHelperToken", "{" THREAD ",\"roots\":{\"a\":\"b\"}}", RESULT_INVALID_ARGUMENT, "params.roots: " },
		{ "job.setHelperToken", "{" THREAD ",\"roots\":null}", RESULT_INVALID_ARGUMENT, "params.roots: " },
		{ "job.setHelperToken", "{" THREAD ",\"roots\":[\"C:\\\\a\",7]}", RESULT_INVALID_ARGUMENT, "params.roots[1]: " },
		{ "job.setHelperToken", "{" THREAD ",\"roots\":[\"C:\\\\a\\u0000b\"]}", RESULT_INVALID_ARGUMENT, "params.roots[0]: " },
		{ "job.setHelperToken", "{" THREAD ",\"max_token_age_s\":59}", RESULT_INVALID_ARGUMENT, "params.max_token_age_s: " },
		{ "job.setHelperToken", "{" THREAD ",\"max_token_age_s\":315360001}", RESULT_INVALID_ARGUMENT,
		  "params.max_token_age_s: " },
		{ "job.setHelperToken", "{" THREAD ",\"max_token_age_s\":null}", RESULT_INVALID_ARGUMENT,
		  "params.max_token_age_s: " },
		{ "job.helperTicket", "{\"roots\":[\"/a\"]}", RESULT_MISSING_FIELD, "params.handle" },
		{ "job.helperTicket", "{\"handle\":1,\"sid\":\"S\"}", RESULT_UNKNOWN_FIELD, "params.sid" },
		{ "job.helperTicket", "{\"handle\":1,\"roots\":[]}", RESULT_INVALID_ARGUMENT, "params.roots: " },
		{ "job.helperTicket", "{\"handle\":1,\"max_token_age_s\":0}", RESULT_INVALID_ARGUMENT, "params.max_token_age_s: " },
		{ "helper.present", "{}", RESULT_MISSING_FIELD, "params.ticket" },
		{ "helper.present", "{\"ticket\":\"\"}", RESULT_INVALID_ARGUMENT, "params.ticket: " },
		{ "helper.present", "{\"ticket\":7}", RESULT_INVALID_ARGUMENT, "params.ticket: " },
		{ "helper.present", "{\"ticket\":\"t\",\"handle\":1}", RESULT_UNKNOWN_FIELD, "params.handle" },
		{ "job.setHelperTokenFlags", "{\"flags\":[]}", RESULT_MISSING_FIELD, "params.handle" },
		{ "job.setHelperTokenFlags", "{\"handle\":1}", RESULT_MISSING_FIELD, "params.flags" },
		{ "job.setHelperTokenFlags", "{\"handle\":1,\"flags\":3}", RESULT_INVALID_ARGUMENT, "params.flags: " },
		{ "job.setHelperTokenFlags", "{\"handle\":1,\"flags\":null}", RESULT_INVALID_ARGUMENT, "params.flags: " },
		{ "job.setHelperTokenFlags", "{\"handle\":1,\"flags\":{}}", RESULT_INVALID_ARGUMENT, "params.flags: " },
		{ "job.setHelperTokenFlags", "{\"handle\":1,\"flags\":[\"LOCAL_FILE\"]}", RESULT_INVALID_ARGUMENT, "params.flags: " },
		{ "job.setHelperTokenFlags", "{\"handle\":1,\"flags\":[\"network\",\"\"]}", RESULT_INVALID_ARGUMENT, "params.flags: " },
		{ "job.setHelperTokenFlags", "{\"handle\":1,\"flags\":[2]}", RESULT_INVALID_ARGUMENT, "params.flags[0]: " },
		{ "job.setHelperTokenFlags", "{\"handle\":1,\"flags\":[\"network\",\"network\"]}", RESULT_INVALID_ARGUMENT,
		  "params.flags: " },
		{ "job.setHelperTokenFlags", "{\"handle\":1,\"flags\":[\"local-file\",\"network\",\"local-file\"]}",
		  RESULT_INVALID_ARGUMENT, "params.flags: " },
		{ "job.clearHelperToken", "{}", RESULT_MISSING_FIELD, "params.handle" },
		{ "job.clearHelperToken", "{\"handle\":1,\"flags\":[]}", RESULT_UNKNOWN_FIELD, "params.flags" },
		{ "job.getHelperTokenFlags", "{}", RESULT_MISSING_FIELD, "params.handle" },
		{ "job.getHelperTokenFlags", "{\"handle\":1,\"sid\":\"S\"}", RESULT_UNKNOWN_FIELD, "params.sid" },
		{ "job.getHelperTokenSid", "{}", RESULT_MISSING_FIELD, "params.handle" },
		{ "job.getHelperTokenSid", "{\"handle\":0}", RESULT_INVALID_ARGUMENT, "params.handle: " },
		{ "job.preflight", "{}", RESULT_MISSING_FIELD, "params.handle" },
		{ "job.preflight", "{\"handle\":1,\"path\":\"C:\\\\a\"}", RESULT_UNKNOWN_FIELD, "params.path" },
		{ "job.takeOwnership", "{}", RESULT_MISSING_FIELD, "params.handle" },
		{ "job.takeOwnership", "{\"handle\":1,\"owner\":\"S\"}", RESULT_UNKNOWN_FIELD, "params.owner" },
		{ "job.create", "{\"name\":\"n\",\"on_token_loss\":\"\"}", RESULT_INVALID_ARGUMENT, "params.on_token_loss: " },
		{ "job.create", "{\"name\":\"n\",\"on_token_loss\":null}", RESULT_INVALID_ARGUMENT, "params.on_token_loss: " },
		{ "job.setProperties", "{\"handle\":1,\"on_token_loss\":\"Wait\"}", RESULT_INVALID_ARGUMENT,
		  "params.on_token_loss: " },
		{ "job.create", "{\"name\":\"n\",\"pinned_helper\":\"\"}", RESULT_INVALID_ARGUMENT, "params.pinned_helper: " },
		{ "job.create", "{\"name\":\"n\",\"pinned_helper\":\"a\\tb\"}", RESULT_INVALID_ARGUMENT, "params.pinned_helper: " },
		{ "job.create", "{\"name\":\"n\",\"pinned_helper\":false}", RESULT_INVALID_ARGUMENT, "params.pinned_helper: " },
	};
	for (size_t i = 0; i < COUNT(cases); i++)
		assert_refused(message(cases[i].method, cases[i].params), cases[i].result, cases[i].what);
}

/* What stands between `before` and `after`, repeated. */
static const char *repeated(const char *before, const char *part, size_t times, const char *after)
{
	static char text[4096];
	size_t length = strlen(part), at = strlen(before);

	assert_true(at + times * length + strlen(after) < sizeof(text));
	memcpy(text, before, at);
	for (size_t i = 0; i < times; i++, at += length)
		memcpy(text + at, part, length);
	memcpy(text + at, after, strlen(after) + 1);
	return text;
}

static void request_decode__longest_texts_and_most_roots__are_taken_and_one_more_is_refused(void **state)
{
	(void)state;
	static const struct {
		const char *method, *before, *part, *after;
		size_t most;
		enum result result;
		const char *what;
	} cases[] = {
		{ "job.setHelperToken", "{\"handle\":1,\"logon_id\":\"0x1\",\"sid\":\"", "x", "\"}", JOB_OWNER_BYTES_MAX - 1,
		  RESULT_TOO_LONG, "params.sid: " },
		{ "job.create", "{\"name\":\"n\",\"pinned_helper\":\"", "x", "\"}", JOB_OWNER_BYTES_MAX - 1, RESULT_TOO_LONG,
		  "params.pinned_helper: " },
		{ "helper.present", "{\"ticket\":\"", "0", "\"}", PROTOCOL_TICKET_BYTES - 1, RESULT_TOO_LONG, "params.ticket: " },
		{ "job.helperTicket", "{\"handle\":1,\"roots\":[\"", "x", "\"]}", DESTINATION_BYTES_MAX, RESULT_TOO_LONG,
		  "params.roots[0]: " },
		{ "job.helperTicket", "{\"handle\":1,\"roots\":[\"C:\\\\\"", ",\"D:\\\\\"", "]}", PROTOCOL_ROOTS_MAX - 1,
		  RESULT_INVALID_ARGUMENT, "params.roots: more than 16" },
		{ "job.setHelperToken", "{" THREAD ",\"roots\":[\"/a\"", ",\"/b\"", "]}", PROTOCOL_ROOTS_MAX - 1,
		  RESULT_INVALID_ARGUMENT, "params.roots: more than 16" },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO(request) struct request request;
		assert_decodes(message(cases[i].method, repeated(cases[i].before, cases[i].part, cases[i].most, cases[i].after)),
		               &request);
		assert_refused(message(cases[i].method, repeated(cases[i].before, cases[i].part, cases[i].most + 1, cases[i].after)),
		               cases[i].result, cases[i].what);
	}
}

static void request_decode__ages__from_a_minute_to_ten_years(void **state)
{
	(void)state;
	AUTO(request) struct request shortest, longest;
	assert_decodes(message("job.setHelperToken", "{" THREAD ",\"max_token_age_s\":60}"), &shortest);
	assert_int_equal(shortest.token_age_s, 60);
	assert_decodes(message("job.setHelperToken", "{" THREAD ",\"max_token_age_s\":315360000}"), &longest);
	assert_int_equal(longest.token_age_s, 315360000);
}

/* Each member beside all that the method needs: taken where the schema lists it, refused elsewhere. */
static void request_decode__every_member_beside_what_is_needed__agrees_with_the_schema(void **state)
{
	(void)state;
	static const struct {
		const char *method, *needed;
	} methods[] = {
		{ "job.setHelperToken", THREAD },
		{ "job.setHelperTokenFlags", "\"handle\":1,\"flags\":[]" },
		{ "job.helperTicket", "\"handle\":1" },
		{ "helper.present", "\"ticket\":\"t\"" },
		{ "job.preflight", "\"handle\":1" },
		{ "job.takeOwnership", "\"handle\":1" },
		{ "job.clearHelperToken", "\"handle\":1" },
		{ "job.getHelperTokenFlags", "\"handle\":1" },
		{ "job.getHelperTokenSid", "\"handle\":1" },
	};
	static const char *const members[] = {
		"protocol\":1", "client\":\"c\"", "job\":\"" SAMPLE_UUID "\"", "key\":\"k\"", "name\":\"n\"", "priority\":\"low\"",
		"files\":[]", "all\":true", "from\":0", "limit\":1", "on_token_loss\":\"wait\"", "pinned_helper\":null", "profile\":null",
		"roots\":[\"/a\"]", "max_token_age_s\":60", "max_token_age\":60", "password\":\"p\"",
	};
	for (size_t i = 0; i < COUNT(methods); i++) {
		size_t taken = 0;
		for (size_t j = 0; j < COUNT(members); j++) {
			AUTO(request) struct request request;
			struct fault fault;
			char params[256];
			text_display(params, sizeof(params), "{%s,\"%s}", methods[i].needed, members[j]);
			taken += decode(message(methods[i].method, params), &request, &fault) == RESULT_OK;
		}
		assert_int_equal(taken, strcmp(methods[i].method, "job.setHelperToken") == 0 ||
		                                strcmp(methods[i].method, "job.helperTicket") == 0 ? 2 : 0);
	}
}

/* --- hostile messages --- */

static void decode_any(struct text_view text)
{
	AUTO(request) struct request request;
	struct fault fault = { .result = RESULT_OK };
	enum result result = request_decode(text, &request, &fault);
	assert_int_equal(fault.result, result);
	for (uint32_t i = 0; result == RESULT_OK && i < request.root_count; i++)
		assert_true(request_root(&request, i).length <= DESTINATION_BYTES_MAX);
}

static void request_decode__truncated_and_mutated_messages__are_answered(void **state)
{
	(void)state;
	static const char *const seeds[] = {
		("{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"job.setHelperToken\",\"params\":{" THREAD
		 ",\"roots\":[\"C:\\\\a\",\"D:\\\\b\"],\"max_token_age_s\":3600}}"),
		("{\"jsonrpc\":\"2.0\",\"id\":6,\"method\":\"job.setHelperTokenFlags\",\"params\":{\"handle\":1,"
		 "\"flags\":[\"local-file\",\"network\"]}}"),
		"{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"helper.present\",\"params\":{\"ticket\":\"0123456789abcdef\"}}",
	};
	for (size_t i = 0; i < COUNT(seeds); i++)
		mutate_text(seeds[i], decode_any);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(request_decode__set_helper_token__reads_every_member),
		cmocka_unit_test(request_decode__ticket__is_asked_for_and_presented),
		cmocka_unit_test(request_decode__flags__are_a_set_of_names),
		cmocka_unit_test(request_decode__logon_ids__are_64_bits_in_hexadecimal),
		cmocka_unit_test(request_decode__pinned_helper__is_a_name_or_nobody),
		cmocka_unit_test(request_decode__wrong_params__names_the_field),
		cmocka_unit_test(request_decode__longest_texts_and_most_roots__are_taken_and_one_more_is_refused),
		cmocka_unit_test(request_decode__ages__from_a_minute_to_ten_years),
		cmocka_unit_test(request_decode__every_member_beside_what_is_needed__agrees_with_the_schema),
		cmocka_unit_test(request_decode__truncated_and_mutated_messages__are_answered),
	};
	return cmocka_run_group_tests_name("core/protocol helper", tests, protocol_schema_load, protocol_schema_free);
}
