#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/allow.h"

static const char hosts[][HOST_PATTERN_BYTES_MAX + 1] = { "dl.example.com", "*.corp.example", "files", "[2001:db8::0:1]" };

static void allow_url__hosts_and_schemes__each_must_be_listed_if_any_is(void **state)
{
	static const struct {
		const char *url;
		unsigned schemes;
		bool any_host;
		const char *why; /* NULL: it is allowed */
	} rows[] = {
		{ "http://anywhere/a", 0, true, NULL },
		{ "\\\\anywhere\\a\\b", 0, true, NULL },
		{ "http://dl.example.com/a", 0, false, NULL },
		{ "https://DL.Example.COM:8443/a?b", 0, false, NULL },
		{ "https://a.b.corp.example/a", 0, false, NULL },
		{ "https://corp.example/a", 0, false, "allow.hosts does not have corp.example" },
		{ "https://evilcorp.example/a", 0, false, "allow.hosts does not have evilcorp.example" },
		{ "https://dl.example.com.evil/a", 0, false, "allow.hosts does not have dl.example.com.evil" },
		{ "http://[::1]/a", 0, false, "allow.hosts does not have [::1]" },
		{ "http://[2001:DB8:0:0:0:0:0:1]/a", 0, false, NULL },
		{ "http://[2001:db8::1:0]/a", 0, false, "allow.hosts does not have [2001:db8::1:0]" },
		{ "\\\\files\\a\\b", 0, false, NULL },
		{ "\\\\other\\a\\b", 0, false, "allow.hosts does not have other" },
		{ "https://anywhere/a", ALLOW_HTTPS, true, NULL },
		{ "http://anywhere/a", ALLOW_HTTPS, true, "allow.schemes does not have \"http\"" },
		{ "\\\\files\\a\\b", ALLOW_HTTPS | ALLOW_HTTP, false, "allow.schemes does not have \"share\"" },
		{ "\\\\files\\a\\b", ALLOW_SHARE, false, NULL },
		{ "https://dl.example.com/a", ALLOW_SHARE, false, "allow.schemes does not have \"https\"" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct allowed allowed = { .hosts = { rows[i].any_host ? 0 : 4, hosts }, .schemes = rows[i].schemes };
		struct fault fault = { .what = "" };
		struct url url;
		assert_int_equal(url_parse(text_view(rows[i].url), &url, &fault), RESULT_OK);
		enum result result = allow_url(&allowed, &url, &fault);
		if (result != (rows[i].why ? RESULT_BLOCKED_BY_POLICY : RESULT_OK))
			fail_msg("%s", rows[i].url);
		assert_string_equal(fault.what, rows[i].why ? rows[i].why : "");
	}
}

static const char prefixes[][ALLOW_URL_BYTES_MAX + 1] = { "https://dl.example.com/acme", "http://mirror:8080/", "https://all.example.com",
	                                                  "\\\\files\\updates\\Acme", "\\\\files\\whole", "\\\\files\\also\\" };

static void allow_url__prefixes__whole_folders_of_one_server_count(void **state)
{
	static const struct {
		const char *url;
		bool allowed;
	} rows[] = {
		{ "https://dl.example.com/acme", true },
		{ "https://DL.example.com:443/acme/a/b.bin?x=1", true },
		{ "https://dl.example.com/acme/...", true },
		{ "https://dl.example.com/acme/a..b/.c", true },
		{ "https://dl.example.com/acmeevil/a", false },
		{ "https://dl.example.com/Acme/a", false },
		{ "https://dl.example.com/", false },
		{ "http://dl.example.com/acme/a", false },
		{ "https://dl.example.com:8443/acme/a", false },
		{ "https://dl.example.com.evil/acme/a", false },
		{ "https://dl.example.com/acme/../other/a", false },
		{ "https://dl.example.com/acme/..", false },
		{ "https://dl.example.com/acme/./a", false },
		{ "https://dl.example.com/acme/%2E%2e/other", false },
		{ "https://dl.example.com/acme/.%2e;x/other", false },
		{ "https://dl.example.com/acme/..%2Fother", false },
		{ "https://dl.example.com/acme/..%5cother", false },
		{ "https://dl.example.com/acme?/../x", true },
		{ "http://mirror:8080/a/../b", true },
		{ "http://mirror/a", false },
		{ "https://all.example.com", true },
		{ "https://all.example.com/a/%2e%2e/b", true },
		{ "\\\\FILES\\Updates\\acme\\a.bin", true },
		{ "\\\\files\\updates\\acme2\\a.bin", false },
		{ "\\\\files\\other\\Acme\\a.bin", false },
		{ "\\\\files\\updates\\acme\\a%2fb..c", true },
		{ "\\\\FILES\\Whole\\a.bin", true },
		{ "\\\\files\\whole2\\a.bin", false },
		{ "\\\\files\\also\\a\\b", true },
		{ "\\\\files2\\whole\\a.bin", false },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct allowed allowed = { .urls = { sizeof(prefixes) / sizeof(prefixes[0]), prefixes } };
		struct fault fault = { .what = "" };
		struct url url;
		assert_int_equal(url_parse(text_view(rows[i].url), &url, &fault), RESULT_OK);
		if (allow_url(&allowed, &url, &fault) != (rows[i].allowed ? RESULT_OK : RESULT_BLOCKED_BY_POLICY))
			fail_msg("%s", rows[i].url);
		assert_string_equal(fault.what, rows[i].allowed          ? ""
		                                : url_is_ambiguous(&url) ? "it lies below none of allow.urls, as a path with dots or "
		                                                           "encoded separators may lead elsewhere"
		                                                         : "it lies below none of allow.urls");
	}
}

static void allow_prefix_check__what_could_mean_something_else__is_none(void **state)
{
	static const char *const bad[] = { "", "dl.example.com", "https://h/a?b", "https://u:p@h/a", "https://h/a/../b", "https://h/%2fa",
		                           "ftp://h/a", "\\\\server", "\\\\server\\", "\\\\server\\IPC$", "\\\\server\\a\\..", "\\\\server@80\\a" };
	struct fault fault;
	(void)state;
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		assert_int_equal(allow_prefix_check(text_view(prefixes[i]), &fault), RESULT_OK);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_not_equal(allow_prefix_check(text_view(bad[i]), &fault), RESULT_OK);
}

static void allow_proxy__that_could_answer_as_a_host__must_be_listed_too(void **state)
{
	static const struct {
		const char *url, *proxy;
		bool any_host, is_allowed, ignores;
	} rows[] = {
		{ "https://dl.example.com/a", "http://mine.example:3128", false, false, true },
		{ "https://dl.example.com/a", "http://mine.example:3128", true, true, true },
		{ "https://dl.example.com/a", "http://proxy.corp.example:3128", false, true, true },
		{ "\\\\files\\a\\b", "http://mine.example:3128", false, true, true },
		{ "http://dl.example.com/a", "http://mine.example:3128", false, false, false },
		{ "http://dl.example.com/a", "http://mine.example:3128", true, true, false },
		{ "https://dl.example.com/a", "http://mine.example:3128", false, true, false },
		{ "http://dl.example.com/a", "http://proxy.corp.example:3128", false, true, false },
		{ "http://dl.example.com/a", "http://dl.example.com:1", false, true, false },
		{ "http://dl.example.com/a", "http://[2001:db8:0::1]:8080", false, true, false },
		{ "http://dl.example.com/a", "http://[2001:db8::2]:8080", false, false, false },
		{ "\\\\files\\a\\b", "http://mine.example:3128", false, true, false },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct allowed allowed = { .hosts = { rows[i].any_host ? 0 : 4, hosts } };
		struct fault fault = { .what = "" };
		struct url url;
		assert_int_equal(url_parse(text_view(rows[i].url), &url, &fault), RESULT_OK);
		enum result result = allow_proxy(&allowed, &url, rows[i].ignores, rows[i].proxy, &fault);
		if (result != (rows[i].is_allowed ? RESULT_OK : RESULT_BLOCKED_BY_POLICY))
			fail_msg("%s by %s", rows[i].url, rows[i].proxy);
	}
	struct allowed allowed = { .urls = { 2, prefixes } };
	struct fault fault;
	struct url url;
	assert_int_equal(url_parse(text_view("http://files/a"), &url, &fault), RESULT_OK);
	assert_int_equal(allow_proxy(&allowed, &url, false, "http://mine:1", &fault), RESULT_BLOCKED_BY_POLICY);
	assert_string_equal(fault.what, "neither allow.* nor proxy.table has the proxy mine, and over http it could answer as files");
	assert_int_equal(allow_proxy(&allowed, &url, false, "http://MIRROR:3128", &fault), RESULT_OK);
}

static void allow_scheme_from_name__three_words__and_no_others(void **state)
{
	unsigned scheme = 0;
	(void)state;
	assert_true(allow_scheme_from_name(text_view("https"), &scheme));
	assert_int_equal(scheme, ALLOW_HTTPS);
	assert_true(allow_scheme_from_name(text_view("share"), &scheme));
	assert_int_equal(scheme, ALLOW_SHARE);
	assert_false(allow_scheme_from_name(text_view("HTTP"), &scheme));
	assert_false(allow_scheme_from_name(text_view("file"), &scheme));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(allow_url__hosts_and_schemes__each_must_be_listed_if_any_is),
		cmocka_unit_test(allow_url__prefixes__whole_folders_of_one_server_count),
		cmocka_unit_test(allow_prefix_check__what_could_mean_something_else__is_none),
		cmocka_unit_test(allow_proxy__that_could_answer_as_a_host__must_be_listed_too),
		cmocka_unit_test(allow_scheme_from_name__three_words__and_no_others),
	};
	return cmocka_run_group_tests_name("core/allow", tests, NULL, NULL);
}
