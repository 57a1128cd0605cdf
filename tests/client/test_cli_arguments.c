#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cli/arguments.h"
#include "cli/help.h"

#define WORDS_MAX 16

static struct arguments arguments;
static char problem[ARGUMENTS_PROBLEM_BYTES_MAX];

/* Read a command line whose words are separated by one space. */
static bool read_line(const char *line)
{
	static char text[512];
	char *words[WORDS_MAX];
	int count = 0;

	assert_true(strlen(line) < sizeof(text));
	memcpy(text, line, strlen(line) + 1);
	for (char *at = text; at != NULL; count++) {
		assert_true(count < WORDS_MAX);
		words[count] = at;
		at = strchr(at, ' ');
		if (at != NULL)
			*at++ = '\0';
	}
	problem[0] = '\0';
	memset(&arguments, 0, sizeof(arguments));
	if (!arguments_read(count, words, &arguments, problem))
		return false;
	/* The operands lie in `words`, which ends here. */
	static char *operands[WORDS_MAX];
	memcpy(operands, arguments.operands, arguments.operand_count * sizeof(operands[0]));
	arguments.operands = operands;
	return true;
}

static void check_problem(const char *line, const char *expected)
{
	assert_false(read_line(line));
	assert_string_equal(problem, expected);
}

static void arguments__a_submit__is_read_wherever_its_options_stand(void **state)
{
	(void)state;
	assert_true(
		read_line("ferry --json submit --name=N http://a/b --priority low D --timeout 5m http://c/d --key K E"));
	assert_int_equal(arguments.verb, VERB_SUBMIT);
	assert_true(arguments_has(&arguments, OPTION_JSON));
	assert_string_equal(arguments.name, "N");
	assert_string_equal(arguments.key, "K");
	assert_int_equal(arguments.priority, FERRY_PRIORITY_LOW);
	assert_int_equal(arguments.timeout_s, 300);
	assert_int_equal(arguments.operand_count, 4);
	assert_string_equal(arguments.operands[0], "http://a/b");
	assert_string_equal(arguments.operands[1], "D");
	assert_string_equal(arguments.operands[2], "http://c/d");
	assert_string_equal(arguments.operands[3], "E");
	assert_false(arguments_has(&arguments, OPTION_NO_WAIT));
}

static void arguments__a_double_dash__ends_the_options(void **state)
{
	(void)state;
	assert_true(read_line("ferry show -- --json -"));
	assert_false(arguments_has(&arguments, OPTION_JSON));
	assert_int_equal(arguments.operand_count, 2);
	assert_string_equal(arguments.operands[0], "--json");
	assert_string_equal(arguments.operands[1], "-");
}

static void arguments__an_empty_value__is_a_value(void **state)
{
	(void)state;
	assert_true(read_line("ferry submit --name= x y"));
	assert_true(arguments_has(&arguments, OPTION_NAME));
	assert_string_equal(arguments.name, "");
}

static void arguments__what_is_wrong__is_said(void **state)
{
	(void)state;
	check_problem("ferry frobnicate", "there is no verb 'frobnicate'");
	check_problem("ferry list --frob", "there is no option --frob");
	check_problem("ferry list -x", "there is no option -x");
	check_problem("ferry list --files", "'ferry list' has no option --files");
	check_problem("ferry list job", "'ferry list' takes no 'job'");
	check_problem("ferry submit --name", "--name needs a value");
	check_problem("ferry submit --name a --name b x y", "--name is given twice");
	check_problem("ferry list --json=yes", "--json takes no value");
	check_problem("ferry submit --priority urgent x y",
	              "--priority takes foreground, high, normal or low, not 'urgent'");
	check_problem("ferry wait --timeout soon j", "--timeout takes a time like 90, 90s, 5m, 2h or 3d, not 'soon'");
	check_problem("ferry submit --wait --no-wait x y", "--wait and --no-wait exclude each other");
	check_problem("ferry submit --wait --suspended x y", "--wait and --suspended exclude each other");
	check_problem("ferry purge", "'ferry purge' needs --older-than");
	check_problem("ferry purge --name a", "'ferry purge' needs --older-than");
	check_problem("ferry purge --older-than", "--older-than needs a value");
	check_problem("ferry purge --older-than 3d job", "'ferry purge' takes no 'job'");
	check_problem("ferry renew --lease 1y j", "--lease takes a time like 90, 90s, 5m, 2h or 3d, not '1y'");
	check_problem("ferry renew", "'ferry renew' needs a job: its id, the beginning of its id, or its name");
	check_problem("ferry list --lease 3d", "'ferry list' has no option --lease");
	check_problem("ferry wait", "'ferry wait' needs a job: its id, the beginning of its id, or its name");
}

static void arguments__leases_and_ages__are_times(void **state)
{
	(void)state;
	assert_true(read_line("ferry renew --lease 365d j"));
	assert_int_equal(arguments.lease_s, 365 * 86400);
	assert_true(read_line("ferry purge --older-than=3d --name N --everyone"));
	assert_int_equal(arguments.older_than_s, 3 * 86400);
	assert_string_equal(arguments.name, "N");
	assert_true(arguments_has(&arguments, OPTION_EVERYONE));
	assert_true(read_line("ferry purge --help"));
}

static void arguments__help__needs_no_operands(void **state)
{
	(void)state;
	assert_true(read_line("ferry wait --help"));
	assert_true(arguments_has(&arguments, OPTION_HELP));
	assert_true(read_line("ferry -h"));
	assert_true(arguments_has(&arguments, OPTION_HELP));
	assert_int_equal(arguments.verb, VERB_NONE);
	assert_true(read_line("ferry help"));
	assert_true(arguments_has(&arguments, OPTION_HELP));
	assert_int_equal(arguments.verb, VERB_NONE);
	assert_true(read_line("ferry help wait"));
	assert_true(arguments_has(&arguments, OPTION_HELP));
	assert_int_equal(arguments.verb, VERB_WAIT);
	assert_true(read_line("ferry show help")); /* a job may be called so */
	assert_false(arguments_has(&arguments, OPTION_HELP));
}

static void check_seconds(const char *text, bool good, uint32_t expected)
{
	uint32_t seconds = 7;

	assert_int_equal(arguments_read_seconds(text, &seconds), good);
	assert_int_equal(seconds, good ? expected : 7);
}

static void arguments__seconds__have_units_and_a_maximum(void **state)
{
	(void)state;
	check_seconds("0", true, 0);
	check_seconds("90", true, 90);
	check_seconds("90s", true, 90);
	check_seconds("5m", true, 300);
	check_seconds("2h", true, 7200);
	check_seconds("3d", true, 259200);
	check_seconds("3650d", true, 315360000);
	check_seconds("3651d", false, 0);
	check_seconds("99999999999999999999", false, 0);
	check_seconds("", false, 0);
	check_seconds("m", false, 0);
	check_seconds("5 m", false, 0);
	check_seconds("-5", false, 0);
	check_seconds("5mm", false, 0);
}

/* Whoever adds a verb or an option explains it. */
static void help__every_verb__has_a_text_with_an_example(void **state)
{
	(void)state;
	for (unsigned verb = 0; verb < VERB_NONE; verb++) {
		const char *text = help_text((enum verb)verb);
		assert_non_null(text);
		assert_non_null(strstr(text, verb_name((enum verb)verb)));
		assert_non_null(strstr(text, "Example"));
		assert_non_null(strstr(text, "--json"));
		assert_non_null(strstr(help_text(VERB_NONE), verb_name((enum verb)verb)));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arguments__a_submit__is_read_wherever_its_options_stand),
		cmocka_unit_test(arguments__a_double_dash__ends_the_options),
		cmocka_unit_test(arguments__an_empty_value__is_a_value),
		cmocka_unit_test(arguments__what_is_wrong__is_said),
		cmocka_unit_test(arguments__leases_and_ages__are_times),
		cmocka_unit_test(arguments__help__needs_no_operands),
		cmocka_unit_test(arguments__seconds__have_units_and_a_maximum),
		cmocka_unit_test(help__every_verb__has_a_text_with_an_example),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
