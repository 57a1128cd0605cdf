#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cli/sources.h"

/* A current folder of our own. */
static bool absolute(const char *path, char *to, size_t size)
{
	return text_format(to, size, "%s%s", path[0] == '/' ? "" : "/here/", path) == RESULT_OK;
}

static void check_name(const char *url, const char *expected)
{
	char name[64] = "";

	assert_int_equal(sources_name_of(url, name, sizeof(name)), expected[0] != '\0');
	if (expected[0] != '\0')
		assert_string_equal(name, expected);
}

static void sources__a_name__is_the_last_segment_without_query(void **state)
{
	(void)state;
	check_name("https://host/folder/setup.msi", "setup.msi");
	check_name("https://host/setup.msi?token=secret", "setup.msi");
	check_name("https://host/folder/", "");
	check_name("https://host", "");
	check_name("ftp://host/file", "");
	check_name("\\\\server\\share\\folder\\100%25.bin", "100%25.bin");
	check_name("\\\\server\\share", "");
}

static void sources__a_name__is_decoded_only_into_a_plain_name(void **state)
{
	(void)state;
	check_name("https://host/my%20file.bin", "my file.bin");
	check_name("https://host/Z%C3%BCrich.txt", "Z\xC3\xBCrich.txt");
	check_name("https://host/%2e%2e", "%2e%2e");
	check_name("https://host/..%2Fpasswd", "..%2Fpasswd");
	check_name("https://host/a%5Cb", "a%5Cb");
	check_name("https://host/a%00b", "a%00b");
	check_name("https://host/a%FFb", "a%FFb");
	check_name("https://host/a%3Ab", "a%3Ab");
	check_name("https://host/100%25", "100%");
	check_name("https://host/100%", ""); /* no URL at all */
	check_name("https://host/x%41", "xA");
}

static void check_add(const char *url, const char *destination, const char *expected)
{
	AUTO(sources) struct sources sources = { .files = NULL };
	char problem[SOURCES_PROBLEM_BYTES_MAX];

	const struct ferry_source file = { .url = url, .path = destination, .size_bytes = 7 };
	assert_true(sources_add(&sources, &file, absolute, problem));
	assert_int_equal(sources.count, 1);
	assert_string_equal(sources.files[0].url, url);
	assert_string_equal(sources.files[0].path, expected);
	assert_int_equal(sources.files[0].size_bytes, 7);
}

static void sources__a_destination__is_made_absolute_and_a_folder_gets_the_name(void **state)
{
	(void)state;
	check_add("https://host/a.bin?q", "/there/b.bin", "/there/b.bin");
	check_add("https://host/a.bin?q", "b.bin", "/here/b.bin");
	check_add("https://host/a.bin?q", "/there/", "/there/a.bin");
	check_add("https://host/a.bin?q", "sub\\", "/here/sub\\a.bin");
	check_add("https://host/a.bin?q", "./", "/here/./a.bin");
}

static void check_problem(const char *url, const char *destination, const char *expected)
{
	AUTO(sources) struct sources sources = { .files = NULL };
	char problem[SOURCES_PROBLEM_BYTES_MAX];

	const struct ferry_source file = { .url = url, .path = destination, .size_bytes = FERRY_SIZE_UNKNOWN };
	assert_false(sources_add(&sources, &file, absolute, problem));
	assert_string_equal(problem, expected);
	assert_int_equal(sources.count, 0);
}

static void sources__what_is_wrong__is_said_without_the_query(void **state)
{
	(void)state;
	check_problem("https://host/folder/?token=secret", "/there/",
	              "https://host/folder/?...: the URL gives the file no name; put one behind the folder");
	check_problem("https://me:secret@host/a", "/there/", "URL 1 is not acceptable: a user name or password");
	check_problem("https://host/a?token=secret", "", "https://host/a?...: its destination is empty");
}

static void sources__a_long_list__keeps_all_in_order(void **state)
{
	AUTO(sources) struct sources sources = { .files = NULL };
	char problem[SOURCES_PROBLEM_BYTES_MAX], line[128];

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		assert_int_equal(text_format(line, sizeof(line), "https://host/%u\t/there/%u\t%u\r\n", i, i, i), RESULT_OK);
		assert_true(sources_add_line(&sources, line, absolute, problem));
	}
	assert_int_equal(sources.count, 1000);
	assert_string_equal(sources.files[999].url, "https://host/999");
	assert_string_equal(sources.files[999].path, "/there/999");
	assert_int_equal(sources.files[999].size_bytes, 999);
}

#define EIGHT "http://a/\thttp://b/\thttp://c/\thttp://d/\thttp://e/\thttp://f/\thttp://g/\thttp://h/"

static bool add_line(struct sources *sources, const char *text, char problem[SOURCES_PROBLEM_BYTES_MAX])
{
	char line[256];

	assert_int_equal(text_format(line, sizeof(line), "%s", text), RESULT_OK);
	return sources_add_line(sources, line, absolute, problem);
}

static void sources__a_line__says_nothing_or_what_is_wrong_with_it(void **state)
{
	AUTO(sources) struct sources sources = { .files = NULL };
	char problem[SOURCES_PROBLEM_BYTES_MAX];

	(void)state;
	assert_true(add_line(&sources, "", problem));
	assert_true(add_line(&sources, "\r\n", problem));
	assert_true(add_line(&sources, "# a comment\n", problem));
	assert_int_equal(sources.count, 0);
	assert_true(add_line(&sources, "https://host/a\tb", problem)); /* the last line may have no end */
	assert_int_equal(sources.files[0].size_bytes, FERRY_SIZE_UNKNOWN);

	assert_null(sources.files[0].digest);
	assert_true(add_line(&sources, "https://host/a\tb\t7\tsha256:00\r\n", problem)); /* it is the service that reads it */
	assert_int_equal(sources.files[1].size_bytes, 7);
	assert_string_equal(sources.files[1].path, "/here/b");
	assert_string_equal(sources.files[1].digest, "sha256:00");
	assert_true(add_line(&sources, "https://host/a\tb\t\tsha256:00\n", problem));
	assert_int_equal(sources.files[2].size_bytes, FERRY_SIZE_UNKNOWN);

	assert_int_equal(sources.files[2].mirror_count, 0);
	assert_true(add_line(&sources, "https://host/a\tb\t\t\thttps://b/\thttp://c/?q\n", problem));
	assert_null(sources.files[3].digest);
	assert_int_equal(sources.files[3].mirror_count, 2);
	assert_string_equal(sources.files[3].mirrors[0], "https://b/");
	assert_string_equal(sources.files[3].mirrors[1], "http://c/?q");
	assert_string_equal(sources.files[3].url, "https://host/a");
	assert_true(add_line(&sources, "https://host/a\tb\t\t\t" EIGHT, problem));
	assert_int_equal(sources.files[4].mirror_count, 8);
	assert_string_equal(sources.files[4].mirrors[7], "http://h/");
	assert_false(add_line(&sources, "https://host/a\tb\t\t\t" EIGHT "\thttp://i/", problem));
	assert_non_null(strstr(problem, "more than 8 mirrors"));
	assert_false(add_line(&sources, "https://host/a\tb\t\t\thttp://b/\tftp://me:secret@c/", problem));
	assert_non_null(strstr(problem, "mirror 2 of URL 6"));
	assert_null(strstr(problem, "secret"));

	assert_true(add_line(&sources, "https://host/a\tb\t\t\thttps://b/\tif-none-match=W/\"x=y\"\thttps://c/\t"
	                               "if-modified-since=Sun, 06 Nov 1994 08:49:37 GMT\n", problem));
	assert_int_equal(sources.files[5].mirror_count, 2);
	assert_string_equal(sources.files[5].mirrors[1], "https://c/");
	assert_string_equal(sources.files[5].if_none_match, "W/\"x=y\"");
	assert_int_equal(sources.files[5].if_modified_since_ms, 784111777000);
	assert_null(sources.files[5].digest);
	assert_null(sources.files[4].if_none_match);
	assert_int_equal(sources.files[4].if_modified_since_ms, 0);
	assert_true(add_line(&sources, "https://host/a\tb\t7\t\tif-modified-since=784111777000", problem));
	assert_int_equal(sources.files[6].mirror_count, 0);
	assert_int_equal(sources.files[6].if_modified_since_ms, 784111777000);
	assert_false(add_line(&sources, "https://host/a?q=1\tb\t\t\tif-modified-since=yesterday", problem));
	assert_non_null(strstr(problem, "if-modified-since= is no date"));

	assert_true(add_line(&sources, "https://host/a\tb\t\t\thttps://b/\tranges=0-9,20-29\tranges=100-", problem));
	assert_int_equal(sources.files[7].mirror_count, 1);
	assert_int_equal(sources.files[7].range_count, 3);
	assert_true(sources.files[7].ranges[1].offset == 20 && sources.files[7].ranges[1].length == 10);
	assert_true(sources.files[7].ranges[2].offset == 100 && sources.files[7].ranges[2].length == FERRY_TO_EOF);
	assert_null(sources.files[6].ranges);
	assert_false(add_line(&sources, "https://host/a?q=1\tb\t\t\tranges=5-4", problem));
	assert_non_null(strstr(problem, "behind ranges= are no ranges"));
	assert_false(add_line(&sources, "https://host/a?q=1\tb\t\t\tranges=0-9\tranges=", problem));

	assert_false(add_line(&sources, "https://host/a?q=1 b\n", problem));
	assert_null(strstr(problem, "q=1"));
	assert_false(add_line(&sources, "https://host/a\tb\tbig\n", problem));
	assert_false(add_line(&sources, "https://host/a\tb\t\n", problem));
	assert_false(add_line(&sources, "https://host/a\tb\t-1\n", problem));
	assert_false(add_line(&sources, "https://host/a\tb\t-1\tsha256:00\n", problem));
	assert_false(add_line(&sources, "https://host/a\tb\t1\tsha256:00\t\n", problem));
	assert_false(add_line(&sources, "https://host/a\tb\t99999999999999999999\n", problem));
	assert_int_equal(sources.count, 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sources__a_name__is_the_last_segment_without_query),
		cmocka_unit_test(sources__a_name__is_decoded_only_into_a_plain_name),
		cmocka_unit_test(sources__a_destination__is_made_absolute_and_a_folder_gets_the_name),
		cmocka_unit_test(sources__what_is_wrong__is_said_without_the_query),
		cmocka_unit_test(sources__a_long_list__keeps_all_in_order),
		cmocka_unit_test(sources__a_line__says_nothing_or_what_is_wrong_with_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
