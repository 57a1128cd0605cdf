#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/credentials.h"

#define BASIC AUTH_FLAG(AUTH_BASIC)
#define DIGEST AUTH_FLAG(AUTH_DIGEST)
#define NTLM AUTH_FLAG(AUTH_NTLM)
#define NEGOTIATE AUTH_FLAG(AUTH_NEGOTIATE)

static void host_pattern__fits__itself_or_all_below(void **state)
{
	static const struct {
		const char *pattern, *host;
		bool fits;
	} cases[] = {
		{ "*", "anything.example", true },
		{ "host.example", "host.example", true },
		{ "Host.Example", "hOST.eXAMPLE", true },
		{ "host.example", "xhost.example", false },
		{ "host.example", "host.example.evil", false },
		{ "*.example.com", "a.example.com", true },
		{ "*.example.com", "a.b.EXAMPLE.com", true },
		{ "*.example.com", "example.com", false },
		{ "*.example.com", "evilexample.com", false },
		{ "*.example.com", ".example.com", false },
		{ "10.0.0.1", "10.0.0.1", true },
		{ "[::1]", "[::1]", true },
		{ "[::1]", "[0:0:0:0:0:0:0:1]", true },
		{ "[2001:DB8:0:0::a]", "[2001:db8::A]", true },
		{ "[::ffff:10.0.0.1]", "[::ffff:a00:1]", true },
		{ "[::1]", "[::2]", false },
		{ "*.com", "", false },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (host_pattern_fits(text_view(cases[i].pattern), text_view(cases[i].host)) != cases[i].fits)
			fail_msg("%s and %s", cases[i].pattern, cases[i].host);
}

static void host_pattern__that_no_host_can_meet__is_refused(void **state)
{
	static const char *const good[] = { "*", "localhost", "*.example.com", "10.0.0.1", "[::1]", "a-b.c" };
	static const char *const bad[] = { "",        "*.",         "*example.com", "a.*.com", "**",  "host:80", "http://host", "host/",
		                           "a b",     "host.",      "user@host",    "*.*.com", "*.",  "a?b",     "127.1",
		                           "0x7f.0.0.1", "2130706433", "017700000001", "127.0.0.01", "127.0.0.1.", "::1", "[::1%eth0]" };
	char longest[HOST_PATTERN_BYTES_MAX + 2];
	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (!host_pattern_is_valid(text_view(good[i])))
			fail_msg("%s", good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (host_pattern_is_valid(text_view(bad[i])))
			fail_msg("%s", bad[i]);
	memset(longest, 'a', sizeof(longest));
	assert_false(host_pattern_is_valid((struct text_view){ longest, sizeof(longest) }));
}

static void credential_check__what_could_not_be_sent__is_refused(void **state)
{
	static const struct {
		struct credential credential;
		const char *why; /* NULL: it is good */
	} cases[] = {
		{ { AUTH_SERVER, AUTH_NEGOTIATE, true, "", "" }, NULL },
		{ { AUTH_PROXY, AUTH_NTLM, true, "", "" }, NULL },
		{ { AUTH_PROXY, AUTH_BASIC, true, "", "" }, "params.user: is missing" },
		{ { AUTH_SERVER, AUTH_DIGEST, true, "", "" }, "params.user: is missing" },
		{ { AUTH_SERVER, AUTH_DIGEST, false, "u", "" }, NULL },
		{ { AUTH_SERVER, AUTH_DIGEST, false, "", "p" }, "params.user: must not be empty" },
		{ { AUTH_SERVER, AUTH_BASIC, false, "a:b", "p" }, "params.user: must not contain ':'" },
		{ { AUTH_SERVER, AUTH_NTLM, false, "a:b", "p" }, NULL },
		{ { AUTH_SERVER, AUTH_BASIC, false, "a\r\nX: y", "p" }, "params.user: must not contain control" },
		{ { AUTH_SERVER, AUTH_BASIC, false, "a", "secret\n" }, "params.password: must not contain control" },
	};
	struct fault fault;
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		enum result result = credential_check(&cases[i].credential, &fault);
		assert_int_equal(result, cases[i].why != NULL ? RESULT_INVALID_ARGUMENT : RESULT_OK);
		if (cases[i].why != NULL && strncmp(fault.what, cases[i].why, strlen(cases[i].why)) != 0)
			fail_msg("%s", fault.what);
		assert_true(result == RESULT_OK || strstr(fault.what, "secret") == NULL);
	}
}

/* --- who answers --- */

static const char ntlm_hosts[][HOST_PATTERN_BYTES_MAX + 1] = { "ntlm.example" };
static const char basic_hosts[][HOST_PATTERN_BYTES_MAX + 1] = { "plain.example" };
static const char server_hosts[][HOST_PATTERN_BYTES_MAX + 1] = { "*.corp.example" };
static const char proxy_hosts[][HOST_PATTERN_BYTES_MAX + 1] = { "proxy.example" };
static const struct auth_policy policy = { .implicit = { { 1, server_hosts }, { 1, proxy_hosts } },
	                                   .ntlm = { 1, ntlm_hosts },
	                                   .basic = { 1, basic_hosts } };

static const struct credential all_of_server[] = {
	{ AUTH_SERVER, AUTH_BASIC, false, "u", "p" },
	{ AUTH_SERVER, AUTH_DIGEST, false, "u", "p" },
	{ AUTH_SERVER, AUTH_NTLM, false, "v", "q" },
	{ AUTH_SERVER, AUTH_NEGOTIATE, true, "", "" },
};
static const struct credential implicit_proxy[] = { { AUTH_PROXY, AUTH_NEGOTIATE, true, "", "" },
	                                            { AUTH_PROXY, AUTH_NTLM, true, "", "" } };
static const struct credential basic_server[] = { { AUTH_SERVER, AUTH_BASIC, false, "u", "p" } };

static void credentials_login__each_case__sends_no_more_than_it_may(void **state)
{
	static const struct {
		const struct credential *credentials;
		uint32_t count;
		enum auth_target target;
		const char *host;
		bool secure;
		unsigned schemes, forbidden;
		const char *user; /* NULL: implicit */
	} cases[] = {
		/* nobody is told anything unless job or policy say so */
		{ NULL, 0, AUTH_SERVER, "host.example", true, 0, 0, NULL },
		{ NULL, 0, AUTH_PROXY, "host.example", false, 0, 0, NULL },
		{ NULL, 0, AUTH_SERVER, "a.corp.example", false, NEGOTIATE, 0, NULL },
		{ NULL, 0, AUTH_PROXY, "a.corp.example", false, 0, 0, NULL },
		{ NULL, 0, AUTH_SERVER, "proxy.example", false, 0, 0, NULL },
		{ NULL, 0, AUTH_PROXY, "proxy.example", false, NEGOTIATE, 0, NULL },
		/* for the proxy is not for servers */
		{ implicit_proxy, 2, AUTH_PROXY, "host.example", false, NEGOTIATE, NTLM, NULL },
		{ implicit_proxy, 2, AUTH_PROXY, "ntlm.example", false, NEGOTIATE | NTLM, 0, NULL },
		{ implicit_proxy, 2, AUTH_SERVER, "host.example", true, 0, 0, NULL },
		/* a password in the clear, only where that is said to be so */
		{ basic_server, 1, AUTH_SERVER, "host.example", false, 0, BASIC, NULL },
		{ basic_server, 1, AUTH_SERVER, "host.example", true, BASIC, 0, "u" },
		{ basic_server, 1, AUTH_SERVER, "plain.example", false, BASIC, 0, "u" },
		{ basic_server, 1, AUTH_SERVER, "a.corp.example", false, NEGOTIATE, BASIC, NULL },
		/* one user, the one with the strongest scheme */
		{ all_of_server, 4, AUTH_SERVER, "host.example", true, DIGEST | BASIC, NTLM, "u" },
		{ all_of_server, 4, AUTH_SERVER, "host.example", false, DIGEST, NTLM | BASIC, "u" },
		{ all_of_server, 4, AUTH_SERVER, "ntlm.example", true, NTLM, 0, "v" },
		{ all_of_server, 4, AUTH_PROXY, "host.example", true, 0, 0, NULL },
		/* explicit before what the policy lends to all */
		{ all_of_server, 1, AUTH_SERVER, "a.corp.example", true, BASIC, 0, "u" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct login login = credentials_login(cases[i].credentials, cases[i].count, &policy, cases[i].target,
		                                       text_view(cases[i].host), cases[i].secure);
		if (login.schemes != cases[i].schemes || login.forbidden != cases[i].forbidden)
			fail_msg("case %zu: schemes %x, forbidden %x", i, login.schemes, login.forbidden);
		assert_int_equal(login.implicit, cases[i].user == NULL);
		assert_string_equal(login.user, cases[i].user != NULL ? cases[i].user : "");
	}
}

static void credentials_login__schemes_of_the_policy__are_all_that_is_spoken(void **state)
{
	struct auth_policy narrow = policy;
	(void)state;
	narrow.schemes = NEGOTIATE;
	struct login login = credentials_login(all_of_server, 4, &narrow, AUTH_SERVER, text_view("ntlm.example"), true);
	assert_true(login.implicit);
	assert_int_equal(login.schemes, NEGOTIATE);
	assert_int_equal(login.forbidden, BASIC | AUTH_FLAG(AUTH_DIGEST) | NTLM);
	narrow.schemes = AUTH_FLAG(AUTH_DIGEST);
	/* What the policy has the host for is told as taken away, too. */
	login = credentials_login(NULL, 0, &narrow, AUTH_SERVER, text_view("a.corp.example"), true);
	assert_int_equal(login.schemes, 0);
	assert_int_equal(login.forbidden, AUTH_IMPLICIT);
	login = credentials_login(NULL, 0, &narrow, AUTH_SERVER, text_view("host.example"), true);
	assert_int_equal(login.forbidden, 0);
	login = credentials_login(all_of_server, 4, &narrow, AUTH_SERVER, text_view("ntlm.example"), true);
	assert_string_equal(login.user, "u");
	assert_int_equal(login.schemes, AUTH_FLAG(AUTH_DIGEST));
	login = credentials_login(implicit_proxy, 2, &narrow, AUTH_PROXY, text_view("ntlm.example"), true);
	assert_int_equal(login.schemes, 0);
}

static void auth_names__each__is_read_as_it_is_written(void **state)
{
	char text[64], cut[12];
	(void)state;
	for (unsigned i = 0; i < AUTH_SCHEME_COUNT; i++) {
		enum auth_scheme scheme = AUTH_SCHEME_COUNT;
		assert_true(auth_scheme_from_name(text_view(auth_scheme_name((enum auth_scheme)i)), &scheme));
		assert_int_equal(scheme, i);
	}
	for (unsigned i = 0; i < AUTH_TARGET_COUNT; i++) {
		enum auth_target target = AUTH_TARGET_COUNT;
		assert_true(auth_target_from_name(text_view(auth_target_name((enum auth_target)i)), &target));
		assert_int_equal(target, i);
	}
	enum auth_scheme none;
	assert_false(auth_scheme_from_name(text_view("passport"), &none));
	auth_schemes_display(0, text, sizeof(text));
	assert_string_equal(text, "nothing");
	auth_schemes_display(NEGOTIATE | NTLM | BASIC, text, sizeof(text));
	assert_string_equal(text, "Negotiate, NTLM, Basic");
	auth_schemes_display(NEGOTIATE | NTLM, cut, sizeof(cut));
	assert_string_equal(cut, "Negotiate, ");
}

static void client_certificate__location_store_and_whose__are_read(void **state)
{
	static const struct {
		const char *text, *store, *who;
		bool machine, thumbprint;
	} good[] = {
		{ "current-user\\MY\\alice", "MY", "alice", false, false },
		{ "current-user\\alice", "MY", "alice", false, false },
		{ "local-machine\\CA\\a\\b", "CA", "a\\b", true, false },
		{ "local-machine\\ROOT\\Remote Desktop", "ROOT", "Remote Desktop", true, false },
		{ "current-user\\SPC\\alice", "SPC", "alice", false, false },
		{ "local-machine\\MY\\0123456789abcdefABCDEF0123456789abcdef01", "MY", "0123456789abcdefABCDEF0123456789abcdef01", true, true },
		{ "current-user\\0123456789abcdefABCDEF0123456789abcdef0g", "MY", "0123456789abcdefABCDEF0123456789abcdef0g", false, false },
	};
	static const char *const bad[] = { "",  "alice", "MY\\alice", "Current-User\\alice", "current-user", "current-user\\", "current-user\\MY\\",
		                           "current-user\\\\alice", "current-user\\MY\\a\nb", "local-machine\\Web Hosting\\a", "local-machine\\my\\a",
		                           "local-machine\\Remote Desktop\\0123456789abcdefABCDEF0123456789abcdef01", "local-machine\\MY2\\a" };
	struct client_certificate read;
	struct fault fault;
	char longest[CLIENT_CERTIFICATE_BYTES_MAX + 1];
	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(client_certificate_parse(text_view(good[i].text), &read, &fault), RESULT_OK);
		assert_true(text_is(read.store, good[i].store) && text_is(read.who, good[i].who));
		assert_true(read.machine == good[i].machine && read.thumbprint == good[i].thumbprint);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(client_certificate_parse(text_view(bad[i]), &read, &fault), RESULT_INVALID_ARGUMENT);
	memset(longest, 'a', sizeof(longest));
	memcpy(longest, "local-machine\\MY\\", 17);
	assert_int_equal(client_certificate_parse((struct text_view){ longest, 17 + CLIENT_CERTIFICATE_PART_BYTES_MAX }, &read, &fault), RESULT_OK);
	assert_int_equal(client_certificate_parse((struct text_view){ longest, 17 + CLIENT_CERTIFICATE_PART_BYTES_MAX + 1 }, &read, &fault),
	                 RESULT_INVALID_ARGUMENT);
	assert_non_null(strstr(fault.what, "256 bytes"));
	assert_int_equal(client_certificate_parse(text_view("local-machine\\Remote Desktop\\a"), &read, &fault), RESULT_INVALID_ARGUMENT);
	assert_string_equal(fault.what, "has a store that is not MY, CA, ROOT or SPC");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(client_certificate__location_store_and_whose__are_read),
		cmocka_unit_test(host_pattern__fits__itself_or_all_below),
		cmocka_unit_test(host_pattern__that_no_host_can_meet__is_refused),
		cmocka_unit_test(credential_check__what_could_not_be_sent__is_refused),
		cmocka_unit_test(credentials_login__each_case__sends_no_more_than_it_may),
		cmocka_unit_test(credentials_login__schemes_of_the_policy__are_all_that_is_spoken),
		cmocka_unit_test(auth_names__each__is_read_as_it_is_written),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
