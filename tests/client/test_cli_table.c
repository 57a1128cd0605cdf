#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/table.h"

static const struct table_column columns[] = {
	{ .title = "ID" },
	{ .title = "SIZE", .right = true },
	{ .title = "NAME", .flexible = true },
	{ .title = "WHY" },
};

static void check(unsigned width, const char *expected)
{
	AUTO(table) struct table table;
	AUTO(buffer) struct buffer text = BUFFER(4096);

	table_begin(&table, columns, 4);
	table_cell(&table, "2a1b");
	table_cell(&table, "7 B");
	table_cell(&table, "Z\xC3\xBCrich, \xE6\x9B\xB4\xE6\x96\xB0 and more");
	table_cell(&table, "owner absent");
	table_cell(&table, "77f0");
	table_cell(&table, "12.3 MiB");
	table_cell(&table, "a\x1B[2Jb");
	table_cell(&table, "");
	assert_int_equal(table_render(&table, width, &text), RESULT_OK);
	assert_string_equal(text.bytes, expected);
}

static void table__columns__line_up_by_what_is_seen(void **state)
{
	(void)state;
	check(0, "ID        SIZE  NAME                   WHY\n"
	         "2a1b       7 B  Z\xC3\xBCrich, \xE6\x9B\xB4\xE6\x96\xB0 and more  owner absent\n"
	         "77f0  12.3 MiB  a?[2Jb\n");
}

static void table__a_narrow_terminal__shortens_the_flexible_column_only(void **state)
{
	(void)state;
	check(40, "ID        SIZE  NAME        WHY\n"
	          "2a1b       7 B  Z\xC3\xBCrich,...  owner absent\n"
	          "77f0  12.3 MiB  a?[2Jb\n");
	/* There is a limit to that: the rest must not become unreadable. */
	check(10, "ID        SIZE  NAME      WHY\n"
	          "2a1b       7 B  Z\xC3\xBCric...  owner absent\n"
	          "77f0  12.3 MiB  a?[2Jb\n");
}

static void table__without_rows__has_its_titles(void **state)
{
	AUTO(table) struct table table;
	AUTO(buffer) struct buffer text = BUFFER(4096);

	(void)state;
	table_begin(&table, columns, 4);
	assert_int_equal(table_render(&table, 80, &text), RESULT_OK);
	assert_string_equal(text.bytes, "ID  SIZE  NAME  WHY\n");
}

static void table__a_full_buffer__is_told(void **state)
{
	AUTO(table) struct table table;
	AUTO(buffer) struct buffer text = BUFFER(10);

	(void)state;
	table_begin(&table, columns, 4);
	assert_int_equal(table_render(&table, 80, &text), RESULT_TOO_LARGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table__columns__line_up_by_what_is_seen),
		cmocka_unit_test(table__a_narrow_terminal__shortens_the_flexible_column_only),
		cmocka_unit_test(table__without_rows__has_its_titles),
		cmocka_unit_test(table__a_full_buffer__is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
