/* One spelling for each host: what settings say of one must hold for it however a URL writes it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "core/url.h"
#include "support/mutate.h"

static const char *print(const char *host)
{
	static char to[URL_ADDRESS_BYTES + 16];
	assert_int_equal(url_print_host(text_view(host), to, sizeof(to)), RESULT_OK);
	return to;
}

static bool is_host(const char *host)
{
	char text[128];
	assert_int_equal(text_format(text, sizeof(text), "http://%s/", host), RESULT_OK);
	return url_parse(text_view(text), NULL, NULL) == RESULT_OK;
}

/* RFC 5952, with the examples of its section 2 and 4. */
static void host__in_any_spelling__has_one(void **state)
{
	static const struct {
		const char *host, *spelling;
	} rows[] = {
		{ "[2001:db8:0:0:1:0:0:1]", "[2001:db8::1:0:0:1]" },
		{ "[2001:0db8:0:0:1:0:0:1]", "[2001:db8::1:0:0:1]" },
		{ "[2001:db8::1:0:0:1]", "[2001:db8::1:0:0:1]" },
		{ "[2001:db8::0:1:0:0:1]", "[2001:db8::1:0:0:1]" },
		{ "[2001:0db8::1:0:0:1]", "[2001:db8::1:0:0:1]" },
		{ "[2001:db8:0:0:1::1]", "[2001:db8::1:0:0:1]" },
		{ "[2001:db8:0000:0:1::1]", "[2001:db8::1:0:0:1]" },
		{ "[2001:DB8:0:0:1::1]", "[2001:db8::1:0:0:1]" },
		{ "[2001:db8:0:1:1:1:1:1]", "[2001:db8:0:1:1:1:1:1]" }, /* one zero is not shortened */
		{ "[2001:db8::1:1:1:1:1]", "[2001:db8:0:1:1:1:1:1]" },
		{ "[2001:0:0:1:0:0:0:1]", "[2001:0:0:1::1]" },         /* the longest run is */
		{ "[::]", "[::]" },
		{ "[0:0:0:0:0:0:0:0]", "[::]" },
		{ "[0:0:0:0:0:0:0:1]", "[::1]" },
		{ "[::0001]", "[::1]" },
		{ "[1::]", "[1::]" },
		{ "[1:0:0:0:0:0:0:0]", "[1::]" },
		{ "[::2:3:4:5:6:7:8]", "[0:2:3:4:5:6:7:8]" },
		{ "[1:2:3:4:5:6:7::]", "[1:2:3:4:5:6:7:0]" },
		{ "[::FFFF:192.0.2.1]", "[::ffff:192.0.2.1]" },
		{ "[::ffff:c000:201]", "[::ffff:192.0.2.1]" },
		{ "[0:0:0:0:0:ffff:192.0.2.1]", "[::ffff:192.0.2.1]" },
		{ "[64:ff9b::192.0.2.33]", "[64:ff9b::c000:221]" },
		{ "[ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255]", "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]" },
		{ "10.0.0.1", "10.0.0.1" },
		{ "DL.Example.COM", "dl.example.com" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_true(is_host(rows[i].host));
		assert_string_equal(print(rows[i].host), rows[i].spelling);
		assert_string_equal(print(rows[i].spelling), rows[i].spelling);
		assert_true(url_same_host(text_view(rows[i].host), text_view(rows[i].spelling)));
	}
}

static void hosts__that_differ__are_not_the_same(void **state)
{
	static const char *const rows[][2] = {
		{ "[::1]", "[::2]" }, { "[::1]", "::1" }, { "[::1]", "127.0.0.1" }, { "[::ffff:127.0.0.1]", "127.0.0.1" },
		{ "[1::2]", "[1::2:0]" }, { "a.example", "a.example." }, { "a", "ab" }, { "[::1]", "[::1" }, { "[::g]", "[::h]" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_false(url_same_host(text_view(rows[i][0]), text_view(rows[i][1])));
}

/* Those that curl and system calls read as addresses would be second spellings. */
static void host__that_is_an_ipv4_address_to_others__is_refused(void **state)
{
	static const char *const rows[] = {
		"2130706433", "0x7f000001", "0X7F.0.0.1", "017700000001", "0177.0.0.1", "127.1", "127.0.1", "127.0.0.01",
		"127.0.0.0x1", "127.0.0.256", "127.0.0.1.", "1.2.3.4.5", "0x", "a.0x7f", "a.1", "a.example.", "[127.0.0.1]",
		"[::127.1]", "[::0x7f.0.0.1]", "[1:2:3:4:5:6:7:127.0.0.1]", "[1:2:3:4:5:6:7:8:9]", "[1:2:3:4:5:6:7:8::]", "[:1]", "[1:]",
		"[::1::]", "[12345::]", "[]", "[%31::]",
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (is_host(rows[i]))
			fail_msg("%s", rows[i]);
}

static unsigned taken;

static void take_host(struct text_view text)
{
	char url[128], once[128], twice[128];
	struct url parsed;
	if (text_format(url, sizeof(url), "http://%.*s/", (int)text.length, text.bytes) != RESULT_OK ||
	    url_parse(text_view(url), &parsed, NULL) != RESULT_OK)
		return;
	taken++;
	assert_int_equal(url_print_host(parsed.host, once, sizeof(once)), RESULT_OK);
	assert_true(is_host(once));
	assert_true(url_same_host(parsed.host, text_view(once)));
	assert_int_equal(url_print_host(text_view(once), twice, sizeof(twice)), RESULT_OK);
	assert_string_equal(once, twice);
}

static void host__mutated__has_a_spelling_that_stays(void **state)
{
	(void)state;
	mutate_text("[2001:0DB8:0:0:1:0:0:1]", take_host);
	mutate_text("[0:0:0:0:0:ffff:192.0.2.1]", take_host);
	mutate_text("[::]", take_host);
	mutate_text("Dl.Example.com", take_host);
	assert_true(taken > 1000);
}

static void host__that_does_not_fit__is_refused(void **state)
{
	char to[6];
	(void)state;
	assert_int_equal(url_print_host(text_view("[0:0::1]"), to, sizeof(to)), RESULT_OK);
	assert_string_equal(to, "[::1]");
	assert_int_equal(url_print_host(text_view("[::12]"), to, sizeof(to)), RESULT_TOO_LONG);
	assert_int_equal(url_print_host(text_view("abcdef"), to, sizeof(to)), RESULT_TOO_LONG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(host__in_any_spelling__has_one),
		cmocka_unit_test(hosts__that_differ__are_not_the_same),
		cmocka_unit_test(host__that_is_an_ipv4_address_to_others__is_refused),
		cmocka_unit_test(host__mutated__has_a_spelling_that_stays),
		cmocka_unit_test(host__that_does_not_fit__is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
