#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/proxy.h"
#include "mutate.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct url url_of(const char *text)
{
	struct url url;
	struct fault fault;
	if (url_parse(text_view(text), &url, &fault) != RESULT_OK)
		fail_msg("%s: %s", text, fault.what);
	return url;
}

static void proxy_modes__are_those_of_bits__and_have_names(void **state)
{
	enum proxy_mode mode = PROXY_NONE;
	(void)state;
	assert_int_equal(PROXY_PRECONFIGURED, 0); /* BG_JOB_PROXY_USAGE_PRECONFIG and so on */
	assert_int_equal(PROXY_NONE, 1);
	assert_int_equal(PROXY_EXPLICIT, 2);
	assert_int_equal(PROXY_AUTODETECT, 3);
	for (int i = 0; i < PROXY_MODE_COUNT; i++) {
		assert_true(proxy_mode_from_name(text_view(proxy_mode_name((enum proxy_mode)i)), &mode));
		assert_int_equal(mode, i);
	}
	assert_false(proxy_mode_from_name(text_view("override"), &mode));
	assert_false(proxy_mode_from_name(text_view(""), &mode));
	for (int i = 0; i < PROXY_SOURCE_COUNT; i++)
		assert_non_null(proxy_source_name((enum proxy_source)i));
}

/* --- addresses --- */

static void proxy_parse__what_it_reads__has_one_form(void **state)
{
	static const struct {
		const char *text, *address;
	} cases[] = {
		{ "proxy.corp.example:8080", "http://proxy.corp.example:8080" },
		{ "HTTP://Proxy.Corp.EXAMPLE:8080/", "http://proxy.corp.example:8080" },
		{ "proxy", "http://proxy:80" },
		{ "http://10.0.0.1", "http://10.0.0.1:80" },
		{ "[::1]:3128", "http://[::1]:3128" },
		{ "[2001:DB8::A]", "http://[2001:db8::a]:80" },
		{ "[2001:db8:0:0::000A]:1", "http://[2001:db8::a]:1" },
		{ "a:65535", "http://a:65535" },
	};
	char address[PROXY_BYTES_MAX + 1], longest[300], expected[400];
	struct fault fault;
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		if (proxy_parse(text_view(cases[i].text), address, &fault) != RESULT_OK)
			fail_msg("%s: %s", cases[i].text, fault.what);
		assert_string_equal(address, cases[i].address);
	}
	/* The longest host that there is, and one byte more. */
	memset(longest, 'a', sizeof(longest));
	for (size_t i = 63; i < 253; i += 64)
		longest[i] = '.';
	memcpy(longest + 253, ":65535", sizeof(":65535"));
	assert_int_equal(proxy_parse(text_view(longest), address, &fault), RESULT_OK);
	snprintf(expected, sizeof(expected), "http://%s", longest);
	assert_string_equal(address, expected);
	assert_int_equal(strlen(address), PROXY_BYTES_MAX);
	memcpy(longest + 253, "a:65535", sizeof("a:65535"));
	assert_int_equal(proxy_parse(text_view(longest), address, &fault), RESULT_INVALID_ARGUMENT);
	assert_string_equal(address, expected); /* untouched */
}

static void proxy_parse__what_it_refuses__is_said_without_the_address(void **state)
{
	static const struct {
		const char *text, *why;
	} cases[] = {
		{ "", "no host" },
		{ "http://", "no host" },
		{ ":80", "no host" },
		{ "https://secret:443", "another kind" },
		{ "socks5://secret:1080", "another kind" },
		{ "socks://secret", "another kind" },
		{ "user:secret@proxy:80", "setCredentials" },
		{ "http://user@proxy", "setCredentials" },
		{ "http://proxy/secret", "path" },
		{ "proxy:80?secret", "path" },
		{ "proxy:80//", "path" },
		{ "proxy:", "port" },
		{ "proxy:0", "port" },
		{ "proxy:65536", "port" },
		{ "proxy:80:80", "port" },
		{ "::1", "host" },
		{ "[::1", "host" },
		{ "[secret]:80", "IPv6" },
		{ "127.1", "number" },
		{ "pro xy", "space" },
		{ "proxy#secret", "fragment" },
		{ "pr\xc3\xb6xy", "ASCII" },
		{ "-secret\\x", "backslash" },
	};
	char address[PROXY_BYTES_MAX + 1];
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct fault fault;
		if (proxy_parse(text_view(cases[i].text), address, &fault) != RESULT_INVALID_ARGUMENT)
			fail_msg("\"%s\" was read", cases[i].text);
		if (!strstr(fault.what, cases[i].why) || strstr(fault.what, "secret"))
			fail_msg("\"%s\": %s", cases[i].text, fault.what);
	}
	struct fault fault;
	assert_int_equal(proxy_parse((struct text_view){ "a\0b", 3 }, address, &fault), RESULT_INVALID_ARGUMENT);
}

/* --- lists --- */

/* "a:1 b:2 direct", or the result's name. */
static void choose(char *to, size_t size, const char *list, const char *bypass, const char *url_text, enum proxy_source source)
{
	struct proxy_choice choices[PROXY_LIST_MAX];
	struct fault fault;
	struct url url = url_of(url_text);
	size_t count = 0, length = 0;
	enum result result =
		proxy_choose(text_view(list), text_view(bypass), &url, source, choices, &count, &fault);
	if (result != RESULT_OK) {
		snprintf(to, size, "%s", result_name(result));
		return;
	}
	assert_in_range(count, 1, PROXY_LIST_MAX);
	for (size_t i = 0; i < count; i++) {
		const char *shown = choices[i].address[0] ? choices[i].address + strlen("http://") : "direct";
		assert_int_equal(choices[i].source, source);
		length += (size_t)snprintf(to + length, size - length, "%s%s%s", i ? " " : "", shown,
		                           choices[i].bypassed ? "!" : "");
	}
}

static void proxy_choose__lists_of_all_origins__come_to_ways_in_order(void **state)
{
	static const struct {
		const char *list, *http, *https;
	} cases[] = {
		{ "", "direct", "direct" },
		{ " ; ;", "direct", "direct" },
		{ "a:1", "a:1", "a:1" },
		{ "a:1;b", "a:1 b:80", "a:1 b:80" },
		{ "a:1 b:2\t\r\n;c:3", "a:1 b:2 c:3", "a:1 b:2 c:3" },
		{ "http=a:1;https=b:2", "a:1", "b:2" },
		{ "HTTP=http://a:1/ HTTPS=http://b:2 ftp=c:3;gopher=d:4", "a:1", "b:2" },
		{ "http=a:1", "a:1", "direct" },
		{ "ftp=a:1", "direct", "direct" },
		{ "https=b:2;c:3", "c:3", "b:2 c:3" },
		{ "PROXY a:1; PROXY b:2; DIRECT", "a:1 b:2 direct", "a:1 b:2 direct" },
		{ "proxy a:1;direct;http b:2", "a:1 direct b:2", "a:1 direct b:2" },
		{ "DIRECT", "direct", "direct" },
		{ "proxy;proxy2", "proxy:80 proxy2:80", "proxy:80 proxy2:80" },
		{ "proxy ; proxy2", "proxy:80 proxy2:80", "proxy:80 proxy2:80" },
		{ "proxy", "proxy:80", "proxy:80" },
		{ "socks", "socks:80", "socks:80" }, /* a host's name */
		/* What cannot be used does not take the others away. */
		{ "SOCKS s:1080; PROXY a:1", "a:1", "a:1" },
		{ "HTTPS s:443; DIRECT", "direct", "direct" },
		{ "http=a:1;socks=s:1080", "a:1", "BAD_PROXY" },
		{ "???;a:1;user:pw@b:2;https://c:3", "a:1", "a:1" },
		/* And if nothing else is there, somebody wanted a proxy all the same. */
		{ "SOCKS5 s:1080", "BAD_PROXY", "BAD_PROXY" },
		{ "socks=s:1080", "BAD_PROXY", "BAD_PROXY" },
		{ "https://s:443", "BAD_PROXY", "BAD_PROXY" },
		{ "user:pw@b:2", "BAD_PROXY", "BAD_PROXY" },
		{ "PROXY", "proxy:80", "proxy:80" },
		{ "PROXY a:x", "BAD_PROXY", "BAD_PROXY" },
		{ "http=???", "BAD_PROXY", "direct" },
		{ "a:1;b:2;c:3;d:4;e:5;f:6;g:7;h:8;i:9", "a:1 b:2 c:3 d:4 e:5 f:6 g:7 h:8", "a:1 b:2 c:3 d:4 e:5 f:6 g:7 h:8" },
	};
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		char got[512];
		choose(got, sizeof(got), cases[i].list, "", "http://h.example/", PROXY_FROM_SCRIPT);
		if (strcmp(got, cases[i].http) != 0)
			fail_msg("\"%s\" for http: %s", cases[i].list, got);
		choose(got, sizeof(got), cases[i].list, "", "https://h.example/", PROXY_FROM_SCRIPT);
		if (strcmp(got, cases[i].https) != 0)
			fail_msg("\"%s\" for https: %s", cases[i].list, got);
	}
}

static void proxy_check__settings_of_a_job__are_taken_or_refused_by_their_rule(void **state)
{
	static const struct {
		enum proxy_mode mode;
		const char *list, *bypass, *why; /* NULL: in order */
	} cases[] = {
		{ PROXY_PRECONFIGURED, "", "", NULL },
		{ PROXY_NONE, "", "", NULL },
		{ PROXY_AUTODETECT, "", "", NULL },
		{ PROXY_EXPLICIT, "a:1", "", NULL },
		{ PROXY_EXPLICIT, "http=a:1 https=b:2", "<local> *.corp.example;10.*;[::1]:80 https://x:443 <-loopback>", NULL },
		{ PROXY_EXPLICIT, "PROXY a:1; DIRECT", "*", NULL },
		{ PROXY_PRECONFIGURED, "a:1", "", "explicit" },
		{ PROXY_NONE, "", "*", "explicit" },
		{ PROXY_AUTODETECT, "a:1", "", "explicit" },
		{ PROXY_EXPLICIT, "", "", "without a list" },
		{ PROXY_EXPLICIT, " ;", "*", "without a list" },
		{ PROXY_EXPLICIT, "a:1;https://b:2", "", "another kind" },
		{ PROXY_EXPLICIT, "socks=b:2", "", "SOCKS" },
		{ PROXY_EXPLICIT, "SOCKS b:2", "", "another kind" },
		{ PROXY_EXPLICIT, "ftp=b:2", "", "another scheme" },
		{ PROXY_EXPLICIT, "u:p@a:1", "", "setCredentials" },
		{ PROXY_EXPLICIT, "a;b;c;d;e;f;g;h;i", "", "more than 8" },
		{ PROXY_EXPLICIT, "a:1", ".corp.example", "bypass" },
		{ PROXY_EXPLICIT, "a:1", "10.0.0.0/8", "bypass" },
		{ PROXY_EXPLICIT, "a:1", "::1", "bypass" },
		{ PROXY_EXPLICIT, "a:1", "[x]", "bypass" },
		{ PROXY_EXPLICIT, "a:1", "[::1", "bypass" },
		{ PROXY_EXPLICIT, "a:1", "a:0", "bypass" },
		{ PROXY_EXPLICIT, "a:1", "a:65536", "bypass" },
		{ PROXY_EXPLICIT, "a:1", "a:", "bypass" },
		{ PROXY_EXPLICIT, "a:1", "ftp://a", "bypass" },
		{ PROXY_EXPLICIT, "a:1", "<else>", "bypass" },
	};
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct fault fault = { .what = "" };
		enum result result =
			proxy_check(cases[i].mode, text_view(cases[i].list), text_view(cases[i].bypass), &fault);
		if (result != (cases[i].why ? RESULT_INVALID_ARGUMENT : RESULT_OK) ||
		    (cases[i].why && !strstr(fault.what, cases[i].why)))
			fail_msg("case %zu, \"%s\" and \"%s\": %s", i, cases[i].list, cases[i].bypass, fault.what);
	}
	char long_text[PROXY_TEXT_BYTES_MAX + 2];
	memset(long_text, ' ', sizeof(long_text));
	long_text[0] = 'a';
	struct text_view longest = { long_text, PROXY_TEXT_BYTES_MAX }, longer = { long_text, PROXY_TEXT_BYTES_MAX + 1 };
	assert_int_equal(proxy_check(PROXY_EXPLICIT, longest, longest, NULL), RESULT_OK);
	assert_int_equal(proxy_check(PROXY_EXPLICIT, longer, longest, NULL), RESULT_TOO_LONG);
	assert_int_equal(proxy_check(PROXY_EXPLICIT, longest, longer, NULL), RESULT_TOO_LONG);
}

/* --- bypass lists --- */

static void proxy_bypasses__each_kind_of_entry__exempts_what_it_says(void **state)
{
	static const struct {
		const char *bypass, *yes, *no; /* NULL: none */
	} cases[] = {
		{ "", NULL, "http://a.example/" },
		{ "*", "https://a.example/x?y", NULL },
		{ "a.example", "http://A.Example/", "http://www.a.example/" },
		{ "A.EXAMPLE", "https://a.example:99/", "http://a.example.org/" },
		{ "*.corp.example", "http://a.b.CORP.example/", "http://corp.example/" },
		{ "*corp.example", "http://corp.example/", "http://corp.example.org/" },
		{ "10.*", "http://10.1.2.3/", "http://110.1.2.3/" },
		{ "192.168.*.7", "http://192.168.1.7/", "http://192.168.1.71/" },
		{ "*a*b*", "http://xaxb.example/", "http://bxa.test/" },
		{ "a.example:8080", "http://a.example:8080/", "http://a.example/" },
		{ "a.example:80", "http://a.example/", "https://a.example/" },
		{ "https://a.example", "https://a.example/", "http://a.example/" },
		{ "http://*.a.example:81", "http://x.a.example:81/", "http://x.a.example/" },
		{ "[::1]", "http://[::1]:5/", "http://[::2]/" },
		{ "[::1]", "http://[0:0::01]/", "http://[::1:0]/" },
		{ "[2001:DB8::a]:81", "http://[2001:db8::A]:81/", "http://[2001:db8::a]/" },
		{ "<local>", "http://intranet/", "http://intra.net/" },
		{ "<LOCAL>", "http://localhost:1/", "http://127.0.0.1/" },
		{ "<local>", NULL, "http://[::1]/" },
		{ "x;y a.example\tz", "http://a.example/", "http://b.example/" },
		{ "???;a.example", "http://a.example/", NULL }, /* what cannot be read exempts nobody */
		{ ".a.example 10.0.0.0/8 <-loopback>", NULL, "http://10.0.0.1/" },
	};
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct url url = url_of(cases[i].yes ? cases[i].yes : cases[i].no);
		if (proxy_bypasses(text_view(cases[i].bypass), &url) != (cases[i].yes != NULL))
			fail_msg("case %zu: \"%s\"", i, cases[i].bypass);
		url = url_of(cases[i].no ? cases[i].no : cases[i].yes);
		if (proxy_bypasses(text_view(cases[i].bypass), &url) != (cases[i].no == NULL))
			fail_msg("case %zu: \"%s\" (no)", i, cases[i].bypass);
	}
}

static void proxy_choose__this_machine__is_exempt_from_settings_only(void **state)
{
	static const char *const urls[] = { "http://localhost/", "https://a.LocalHost:1/", "http://127.0.0.1:8/", "http://[::1]/", "http://[0::1]/" };
	static const enum proxy_source exempting[] = { PROXY_FROM_IDENTITY, PROXY_FROM_MACHINE };
	static const enum proxy_source others[] = { PROXY_FROM_JOB, PROXY_FROM_SCRIPT, PROXY_FROM_AUTODETECT, PROXY_FROM_TABLE };
	char got[512];
	(void)state;
	for (size_t i = 0; i < COUNT(urls); i++) {
		for (size_t j = 0; j < COUNT(exempting); j++) {
			choose(got, sizeof(got), "a:1", "x", urls[i], exempting[j]);
			assert_string_equal(got, "direct!");
			choose(got, sizeof(got), "a:1", "x;<-loopback>", urls[i], exempting[j]);
			assert_string_equal(got, "a:1");
		}
		for (size_t j = 0; j < COUNT(others); j++) {
			choose(got, sizeof(got), "a:1", "x", urls[i], others[j]);
			assert_string_equal(got, "a:1");
		}
	}
	choose(got, sizeof(got), "a:1", "*.example", "http://h.example/", PROXY_FROM_JOB);
	assert_string_equal(got, "direct!");
	choose(got, sizeof(got), "SOCKS a:1", "*.example", "http://h.example/", PROXY_FROM_JOB);
	assert_string_equal(got, "direct!"); /* what is exempt needs no proxy that could be used */
	choose(got, sizeof(got), "a:1", "", "http://127.0.0.1.example/", PROXY_FROM_IDENTITY);
	assert_string_equal(got, "a:1");
}

/* --- the table --- */

static void proxy_rules__the_most_specific__counts(void **state)
{
	static const char *const texts[] = {
		"* fallback:1", "*.example corp:2", "*.a.example HTTP://A:3/", "b.a.Example direct", "b.a.example late:9",
		"[0:0::1] six:6", "10.0.0.1 four:4",
	};
	static const struct {
		const char *url, *address;
	} cases[] = {
		{ "http://other.test/", "http://fallback:1" },
		{ "http://x.example/", "http://corp:2" },
		{ "https://X.A.EXAMPLE:77/", "http://a:3" },
		{ "http://a.example/", "http://corp:2" }, /* a suffix is not its own */
		{ "http://b.a.example/", "" },
		{ "http://example/", "http://fallback:1" },
		{ "http://[::1]:8/", "http://six:6" },
		{ "http://[::0:0001]/", "http://six:6" },
		{ "http://10.0.0.1/", "http://four:4" },
	};
	struct proxy_rule rules[COUNT(texts)];
	struct fault fault;
	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++)
		if (proxy_rule_parse(text_view(texts[i]), &rules[i], &fault) != RESULT_OK)
			fail_msg("%s: %s", texts[i], fault.what);
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct url url = url_of(cases[i].url);
		const struct proxy_rule *rule = proxy_rule_for(rules, COUNT(rules), &url);
		assert_non_null(rule);
		assert_string_equal(rule->address, cases[i].address);
	}
	struct url url = url_of("http://other.test/"), share = url_of("\\\\server\\share\\file");
	assert_null(proxy_rule_for(rules + 1, COUNT(rules) - 1, &url));
	assert_null(proxy_rule_for(NULL, 0, &url));
	assert_null(proxy_rule_for(rules, COUNT(rules), &share));
}

static void proxy_rule_parse__what_is_wrong__is_said(void **state)
{
	static const struct {
		const char *text, *why;
	} cases[] = {
		{ "", "HOST PROXY" },          { "a.example", "HOST PROXY" },  { "a.example ", "HOST PROXY" },
		{ " p:1", "HOST PROXY" },      { "a  p:1", "HOST PROXY" },     { "a p:1 ", "HOST PROXY" },
		{ "a p:1;q:2 r", "HOST PROXY" }, { "a p:1;q:2", "port" },      { "*a.example p:1", "'*'" },
		{ "*.*.example p:1", "'*'" },  { "*. p:1", "no host" },        { "a.example:80 p:1", "with a port" },
		{ "http://a p:1", "path" },    { "u@a p:1", "user name" },     { "127.1 p:1", "number" },
		{ "a https://p:1", "another kind" }, { "a u:p@p:1", "setCredentials" },
	};
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct proxy_rule rule;
		struct fault fault = { .what = "" };
		enum result result = proxy_rule_parse(text_view(cases[i].text), &rule, &fault);
		if (result != RESULT_INVALID_ARGUMENT || !strstr(fault.what, cases[i].why))
			fail_msg("\"%s\": %s", cases[i].text, fault.what);
	}
}

/* --- whatever comes --- */

static void take_anything(struct text_view text)
{
	static const char *const urls[] = { "http://a.example/", "https://10.0.0.1:81/", "http://[::1]/" };
	struct proxy_choice choices[PROXY_LIST_MAX];
	struct proxy_rule rule;
	struct fault fault;
	char address[PROXY_BYTES_MAX + 1];
	size_t count;
	if (proxy_parse(text, address, &fault) == RESULT_OK) {
		char again[PROXY_BYTES_MAX + 1];
		assert_int_equal(proxy_parse(text_view(address), again, &fault), RESULT_OK);
		assert_string_equal(address, again);
	}
	for (size_t i = 0; i < COUNT(urls); i++) {
		struct url url = url_of(urls[i]);
		for (int source = 0; source < PROXY_SOURCE_COUNT; source++)
			if (proxy_choose(text, text, &url, (enum proxy_source)source, choices, &count, &fault) == RESULT_OK)
				assert_in_range(count, 1, PROXY_LIST_MAX);
		if (proxy_rule_parse(text, &rule, &fault) == RESULT_OK)
			(void)proxy_rule_for(&rule, 1, &url);
	}
	/* What a job was let keep can be used. */
	if (proxy_check(PROXY_EXPLICIT, text, text_view(""), &fault) == RESULT_OK) {
		struct url url = url_of(urls[0]);
		assert_int_equal(proxy_choose(text, text_view(""), &url, PROXY_FROM_JOB, choices, &count, &fault), RESULT_OK);
	}
	if (proxy_check(PROXY_EXPLICIT, text_view("a:1"), text, &fault) == RESULT_OK) {
		struct url url = url_of(urls[1]);
		(void)proxy_bypasses(text, &url);
	}
}

static void proxy__mutated_texts__never_crash(void **state)
{
	char long_pattern[2000];
	(void)state;
	mutate_text("http=a:80;https=http://[::1]:8080/ ftp=c socks=d:1 PROXY e:3; DIRECT", take_anything);
	mutate_text("<local>;*.corp.example;10.*;host:8080;[2001:db8::1]:80;https://*.x;<-loopback>", take_anything);
	mutate_text("*.corp.example http://proxy.corp.example:8080", take_anything);
	memset(long_pattern, '*', sizeof(long_pattern) - 1);
	for (size_t i = 1; i < sizeof(long_pattern) - 1; i += 2)
		long_pattern[i] = 'a';
	long_pattern[sizeof(long_pattern) - 1] = '\0';
	take_anything(text_view(long_pattern));
	take_anything((struct text_view){ NULL, 0 });
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(proxy_modes__are_those_of_bits__and_have_names),
		cmocka_unit_test(proxy_parse__what_it_reads__has_one_form),
		cmocka_unit_test(proxy_parse__what_it_refuses__is_said_without_the_address),
		cmocka_unit_test(proxy_choose__lists_of_all_origins__come_to_ways_in_order),
		cmocka_unit_test(proxy_check__settings_of_a_job__are_taken_or_refused_by_their_rule),
		cmocka_unit_test(proxy_bypasses__each_kind_of_entry__exempts_what_it_says),
		cmocka_unit_test(proxy_choose__this_machine__is_exempt_from_settings_only),
		cmocka_unit_test(proxy_rules__the_most_specific__counts),
		cmocka_unit_test(proxy_rule_parse__what_is_wrong__is_said),
		cmocka_unit_test(proxy__mutated_texts__never_crash),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
