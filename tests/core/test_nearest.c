#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/nearest.h"

static void nearest_distance__words__counts_what_must_be_changed(void **state)
{
	(void)state;
	assert_int_equal(nearest_distance("", ""), 0);
	assert_int_equal(nearest_distance("spread", "spread"), 0);
	assert_int_equal(nearest_distance("spred", "spread"), 1);
	assert_int_equal(nearest_distance("file", "files"), 1);
	assert_int_equal(nearest_distance("kitten", "sitting"), 3);
	assert_int_equal(nearest_distance("", "abc"), 3);
}

static void nearest_show__what_was_written__is_one_short_line_without_passwords(void **state)
{
	char shown[NEAREST_BYTES_MAX], longer[2 * NEAREST_BYTES_MAX];
	(void)state;
	nearest_show(shown, text_view("a\nb"));
	assert_string_equal(shown, "a?b");
	nearest_show(shown, text_view("http://me:pw@h/"));
	assert_null(strstr(shown, "pw"));
	memset(longer, 'x', sizeof(longer));
	nearest_show(shown, (struct text_view){ longer, sizeof(longer) });
	assert_int_equal(strlen(shown), NEAREST_BYTES_MAX - 1);
	nearest_show(shown, (struct text_view){ NULL, 0 });
	assert_string_equal(shown, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nearest_distance__words__counts_what_must_be_changed),
		cmocka_unit_test(nearest_show__what_was_written__is_one_short_line_without_passwords),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
