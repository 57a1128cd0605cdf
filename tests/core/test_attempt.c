#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/attempt.h"

/* One change each, and whether it makes another attempt of it. */
static void attempt__is_like_another__unless_it_tells_something_new(void **state)
{
	const struct attempt good = { .count = 3,
		                      .file = 1,
		                      .first_ms = 10,
		                      .proxy = { "http://p:3128", PROXY_FROM_TABLE, false },
		                      .sid = "S-1-5-21-1",
		                      .trace = { .url = "http://h/a", .tls = "TLSv1.3", .status = 200, .offered = { 8, 0 } } };
	struct attempt other = good;

	(void)state;
	other.count = 1;
	other.file = 2;
	other.first_ms = other.last_ms = 20;
	memcpy(other.trace.url, "http://h/b", 11);
	assert_true(attempt_is_like(&good, &other));

	other.fault.result = RESULT_STALLED;
	assert_false(attempt_is_like(&good, &other));
	struct attempt again = other;
	assert_true(attempt_is_like(&again, &other));
	again.file = 3; /* of a failure it matters which file it was */
	assert_false(attempt_is_like(&again, &other));
	again = other;
	memcpy(again.fault.what, "why", 4);
	assert_true(attempt_is_like(&again, &other));

#define CHECK_NEW(change)                                        \
	do {                                                     \
		other = good;                                    \
		change;                                          \
		assert_false(attempt_is_like(&good, &other));    \
	} while (0)
	CHECK_NEW(other.proxy.source = PROXY_FROM_JOB);
	CHECK_NEW(other.proxy.address[0] = '\0');
	CHECK_NEW(other.sid[0] = '\0');
	CHECK_NEW(other.trace.tls[0] = '\0');
	CHECK_NEW(other.trace.words[0] = 'x');
	CHECK_NEW(other.trace.status = 206);
	CHECK_NEW(other.trace.offered[AUTH_PROXY] = 1);
	CHECK_NEW(other.trace.used[AUTH_SERVER] = 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(attempt__is_like_another__unless_it_tells_something_new),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
