#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/trust.h"

#define PIN "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

static void trust_split__entry__is_a_host_and_the_rest(void **state)
{
	struct text_view host, what;
	(void)state;
	assert_true(trust_split(text_view("*.corp.example C:\\Program Files\\ca.pem"), &host, &what));
	assert_true(text_is(host, "*.corp.example"));
	assert_true(text_is(what, "C:\\Program Files\\ca.pem"));
	static const char *const bad[] = { "", " ", "host", "host ", " what", "host:80 what", "http://host what", "*x what" };
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (trust_split(text_view(bad[i]), &host, &what))
			fail_msg("\"%s\"", bad[i]);
}

static void trust_are_pins__only__whole_digests(void **state)
{
	static const char *const good[] = { PIN, PIN ";" PIN, PIN ";" PIN ";" PIN };
	static const char *const bad[] = { "", ";", PIN ";", ";" PIN, "sha256//", "sha1//AAAA", PIN "=", "sha256//AAAA=", PIN " " PIN,
		                           "SHA256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
		                           "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA-=",
		                           "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" };
	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (!trust_are_pins(text_view(good[i])))
			fail_msg("\"%s\"", good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (trust_are_pins(text_view(bad[i])))
			fail_msg("\"%s\"", bad[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(trust_split__entry__is_a_host_and_the_rest),
		cmocka_unit_test(trust_are_pins__only__whole_digests),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
