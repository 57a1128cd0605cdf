/* Addresses as the system reads them: the same texts, and the same sixteen bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "core/url.h"
#include "support/mutate.h"

#define ADDRESSES 20000

static bool system_reads(const char *in_brackets, struct in6_addr *ret_address)
{
	char bare[URL_ADDRESS_BYTES + 32];
	size_t length = strlen(in_brackets);
	if (length < 2 || in_brackets[0] != '[' || in_brackets[length - 1] != ']' || length > sizeof(bare))
		return false;
	memcpy(bare, in_brackets + 1, length - 2);
	bare[length - 2] = '\0';
	return inet_pton(AF_INET6, bare, ret_address) == 1;
}

static unsigned read;

static void compare(const char *host)
{
	char url[128], spelling[URL_ADDRESS_BYTES];
	struct in6_addr given, printed;
	bool known = system_reads(host, &given);
	if (text_format(url, sizeof(url), "http://%s/", host) != RESULT_OK)
		return;
	if ((url_parse(text_view(url), NULL, NULL) == RESULT_OK) != known)
		fail_msg("%s: the system %s it", host, known ? "reads" : "refuses");
	if (!known)
		return;
	read++;
	assert_int_equal(url_print_host(text_view(host), spelling, sizeof(spelling)), RESULT_OK);
	assert_true(system_reads(spelling, &printed));
	assert_memory_equal(&given, &printed, sizeof(given));
}

/* Groups of which many are zero, each written in one of the ways it can be; "::" for some zeros, or none. */
static void write_any(char to[96])
{
	unsigned gap = (unsigned)rand() % 8, length = (unsigned)rand() % (9 - gap);
	size_t used = 1;
	bool mixed = rand() % 4 == 0;
	text_display(to, 96, "[");
	for (unsigned i = 0; i < 8; i++, used = strlen(to)) {
		unsigned value = rand() % 2 ? (unsigned)rand() & 0xffff : rand() % 2 ? 0 : (unsigned)rand() & 0xf;
		const char *separator = used > 1 && to[used - 1] != ':' ? ":" : "";
		if (i == gap && length > 0) {
			text_display(to + used, 96 - used, "::");
			i += length - 1;
		} else if (i == 6 && mixed) {
			text_display(to + used, 96 - used, "%s%u.%u.%u.%u", separator, value >> 8, value & 255u, value & 15u, value >> 12);
			i++;
		} else {
			text_display(to + used, 96 - used, rand() % 2 ? "%s%04X" : "%s%x", separator, value);
		}
	}
	text_display(to + used, 96 - used, "]");
}

static void address__made_up__is_what_the_system_reads(void **state)
{
	char host[96];
	(void)state;
	srand(7);
	read = 0;
	for (unsigned i = 0; i < ADDRESSES; i++) {
		write_any(host);
		compare(host);
	}
	assert_true(read > ADDRESSES / 2);
}

static void take_inside(struct text_view text)
{
	char host[96];
	/* What is no address' at all, as a port behind it or a user before it, is for test_url.c. */
	for (size_t i = 0; i < text.length; i++)
		if (strchr("[]/?@%#", text.bytes[i]))
			return;
	if (text_format(host, sizeof(host), "[%.*s]", (int)text.length, text.bytes) == RESULT_OK)
		compare(host);
}

static void address__mutated__is_read_where_the_system_reads_it(void **state)
{
	(void)state;
	read = 0;
	mutate_text("2001:0DB8:0:0:1:0:0:1", take_inside);
	mutate_text("0:0:0:0:0:ffff:192.0.2.1", take_inside);
	mutate_text("fe80::1", take_inside);
	mutate_text("::", take_inside);
	assert_true(read > 500);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(address__made_up__is_what_the_system_reads),
		cmocka_unit_test(address__mutated__is_read_where_the_system_reads_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
