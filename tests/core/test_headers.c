#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/headers.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static enum result add(struct buffer *block, const char *line, struct fault *fault)
{
	*fault = (struct fault){ .result = RESULT_OK };
	return headers_add(block, text_view(line), "params.headers[3]", fault);
}

static void headers_add__what_rfc_9110_allows__is_kept_line_by_line(void **state)
{
	static const char *const good[] = { "Authorization: Bearer abc.def-ghi", "X-Acme:1", "Cookie: a=b; c=d", "x!#$%&'*+-.^_`|~9: \"\\\"",
		                            "X-Name: \xC3\xA4pfel", "Rangely: 1", "Iffy: 1", "Authorization: basic eHh4", "Accept: */* " };
	AUTO(buffer) struct buffer block = BUFFER(HEADERS_BYTES_MAX);
	char names[HEADERS_NAMES_BYTES_MAX];
	struct fault fault;
	struct text_view line;

	(void)state;
	for (size_t i = 0; i < COUNT(good); i++)
		if (add(&block, good[i], &fault) != RESULT_OK)
			fail_msg("%s: %s", good[i], fault.what);

	const char *rest = block.bytes;

	for (size_t i = 0; i < COUNT(good); i++) {
		assert_true(headers_next(&rest, &line));
		assert_true(text_is(line, good[i]));
	}
	assert_false(headers_next(&rest, &line));
	headers_names(block.bytes, names);
	assert_string_equal(names, "Authorization X-Acme Cookie x!#$%&'*+-.^_`|~9 X-Name Rangely Iffy Authorization Accept");
	assert_true(headers_has(block.bytes, "authorization"));
	assert_true(headers_has(block.bytes, "x-acme"));
	assert_false(headers_has(block.bytes, "x-acm"));
	assert_false(headers_has(block.bytes, "x-acme1"));
	assert_false(headers_has(NULL, "cookie"));
	assert_true(headers_authorize_by("X-Acme: Digest a\nAuthorization: Bearer a\nauthorization:  BASIC b\n", "basic"));
	assert_false(headers_authorize_by("X-Acme: Digest a\nAuthorization: Bearer basic\nauthorization: Basics b\n", "basic"));
	assert_false(headers_authorize_by("X-Authorization: Digest a\n", "digest"));
	assert_false(headers_authorize_by(NULL, "basic"));
}

static void headers_add__what_is_not_a_header__is_refused_and_its_value_not_shown(void **state)
{
	static const struct {
		const char *line, *why;
	} cases[] = {
		{ "", "must be \"Name: value\"" },
		{ "hunter2", "must be \"Name: value\"" },
		{ ": hunter2", "must be \"Name: value\"" },
		{ "X Y: hunter2", "must be \"Name: value\"" },
		{ "X : hunter2", "must be \"Name: value\"" },
		{ " X: hunter2", "must be \"Name: value\"" },
		{ "X\t: hunter2", "must be \"Name: value\"" },
		{ "X\xC3\xA4: hunter2", "must be \"Name: value\"" },
		{ "X;", "must be \"Name: value\"" },
		{ "X: hunter2\r\nHost: evil", "control characters or line breaks" },
		{ "X: hunter2\nY: b", "control characters or line breaks" },
		{ "X: hunter2\x7F", "control characters or line breaks" },
		{ "X: a\thunter2", "control characters or line breaks" },
		{ "X:", "has no value" },
		{ "X:   ", "has no value" },
		{ "Authorization: NTLM hunter2", "NTLM and Negotiate" },
		{ "authorization:negotiate hunter2", "NTLM and Negotiate" },
		{ "AUTHORIZATION:  Kerberos hunter2", "NTLM and Negotiate" },
		{ "Authorization: ntlm", "NTLM and Negotiate" },
	};
	AUTO(buffer) struct buffer block = BUFFER(HEADERS_BYTES_MAX);
	struct fault fault;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_int_equal(add(&block, cases[i].line, &fault), RESULT_INVALID_ARGUMENT);
		if (strncmp(fault.what, "params.headers[3]: ", 19) != 0 || !strstr(fault.what, cases[i].why) || strstr(fault.what, "hunter2"))
			fail_msg("%s: %s", cases[i].line, fault.what);
	}
	assert_int_equal(block.length, 0);
}

static void headers_add__what_the_transfer_says_itself__is_refused_by_name(void **state)
{
	static const char *const names[] = { "Host", "content-length", "Transfer-Encoding", "TE", "Trailer", "Connection", "Keep-Alive",
		                             "Upgrade", "Expect", "RANGE", "If-Range", "If-None-Match", "If-Modified-Since",
		                             "If-Match", "If-Unmodified-Since", "If-Anything", "Accept-Encoding",
		                             "Proxy-Authorization", "proxy-x", "Proxy-", "Request-Range", "Content_Length",
		                             "transfer_Encoding", "PROXY_AUTHORIZATION", "If_Match" };
	AUTO(buffer) struct buffer block = BUFFER(HEADERS_BYTES_MAX);
	char line[256];
	struct fault fault;

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		text_display(line, sizeof(line), "%s: hunter2", names[i]);
		assert_int_equal(add(&block, line, &fault), RESULT_INVALID_ARGUMENT);
		if (!strstr(fault.what, names[i]) || !strstr(fault.what, "is for Ferry to say") || strstr(fault.what, "hunter2"))
			fail_msg("%s: %s", line, fault.what);
	}
	text_display(line, sizeof(line), "Proxy-%0100d: x", 0);
	assert_int_equal(add(&block, line, &fault), RESULT_INVALID_ARGUMENT);
	assert_string_equal(fault.what, "params.headers[3]: has a name that is for Ferry to say");
}

static void headers_add__as_many_and_as_long_as_may_be__and_no_more(void **state)
{
	static char line[HEADERS_BYTES_MAX + 1];
	AUTO(buffer) struct buffer few = BUFFER(HEADERS_BYTES_MAX), many = BUFFER(HEADERS_BYTES_MAX), names = BUFFER(HEADERS_BYTES_MAX);
	char told[HEADERS_NAMES_BYTES_MAX];
	struct fault fault;

	(void)state;
	/* With the two bytes of its end 16,384. */
	text_display(line, sizeof(line), "X: %0*d", (int)HEADERS_BYTES_MAX - 3 - 2 - 7, 0);
	assert_int_equal(add(&few, "Y: 12", &fault), RESULT_OK);
	assert_int_equal(add(&few, line, &fault), RESULT_OK);
	assert_int_equal(add(&few, "Z: 1", &fault), RESULT_TOO_LONG);
	assert_non_null(strstr(fault.what, "64 headers of 16384 bytes together"));
	few.length = 0;
	few.bytes[0] = '\0';
	text_display(line, sizeof(line), "X: %0*d", (int)HEADERS_BYTES_MAX - 3 - 2 + 1, 0);
	assert_int_equal(add(&few, line, &fault), RESULT_TOO_LONG);

	for (unsigned i = 0; i < HEADERS_MAX; i++)
		assert_int_equal(add(&many, "X: 1", &fault), RESULT_OK);
	assert_int_equal(add(&many, "X: 1", &fault), RESULT_TOO_LONG);

	for (unsigned i = 0; i < 4; i++) { /* four times 256 */
		text_display(line, sizeof(line), "%0255d: 1", 0);
		assert_int_equal(add(&names, line, &fault), RESULT_OK);
	}
	assert_int_equal(add(&names, "X: 1", &fault), RESULT_TOO_LONG);
	headers_names(names.bytes, told);
	assert_int_equal(strlen(told), HEADERS_NAMES_BYTES_MAX - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(headers_add__what_rfc_9110_allows__is_kept_line_by_line),
		cmocka_unit_test(headers_add__what_is_not_a_header__is_refused_and_its_value_not_shown),
		cmocka_unit_test(headers_add__what_the_transfer_says_itself__is_refused_by_name),
		cmocka_unit_test(headers_add__as_many_and_as_long_as_may_be__and_no_more),
	};
	return cmocka_run_group_tests_name("core headers", tests, NULL, NULL);
}
