#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/allow.h"

static const char hosts[][HOST_PATTERN_BYTES_MAX + 1] = { "dl.example.com", "*.corp.example", "files" };

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
		struct allowed allowed = { { rows[i].any_host ? 0 : 3, hosts }, rows[i].schemes };
		struct fault fault = { .what = "" };
		struct url url;
		assert_int_equal(url_parse(text_view(rows[i].url), &url, &fault), RESULT_OK);
		enum result result = allow_url(&allowed, &url, &fault);
		if (result != (rows[i].why ? RESULT_BLOCKED_BY_POLICY : RESULT_OK))
			fail_msg("%s", rows[i].url);
		assert_string_equal(fault.what, rows[i].why ? rows[i].why : "");
	}
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
		cmocka_unit_test(allow_scheme_from_name__three_words__and_no_others),
	};
	return cmocka_run_group_tests_name("core/allow", tests, NULL, NULL);
}
