#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cli/arguments.h"
#include "cli/help.h"

#define WORDS_MAX 24

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

static void arguments__two_words__are_one_verb(void **state)
{
	(void)state;
	assert_true(read_line("ferry helper set 2a1b --user uid:7 --root /a --root=/b --max-age 8h"));
	assert_int_equal(arguments.verb, VERB_HELPER_SET);
	assert_int_equal(arguments.operand_count, 1);
	assert_string_equal(arguments.operands[0], "2a1b");
	assert_string_equal(arguments.user, "uid:7");
	assert_int_equal(arguments.roots.count, 2);
	assert_string_equal(arguments.roots.words[0], "/a");
	assert_string_equal(arguments.roots.words[1], "/b");
	assert_int_equal(arguments.max_age_s, 8 * 3600);
	assert_true(read_line("ferry helper --json flags j local-file"));
	assert_int_equal(arguments.verb, VERB_HELPER_FLAGS);
	assert_string_equal(arguments.operands[0], "j");
	assert_string_equal(arguments.operands[1], "local-file");
	assert_true(read_line("ferry helper clear set"));
	assert_int_equal(arguments.verb, VERB_HELPER_CLEAR);
	assert_string_equal(arguments.operands[0], "set");
	assert_true(read_line("ferry helper show a b"));
	assert_int_equal(arguments.verb, VERB_HELPER_SHOW);
	assert_true(read_line("ferry show helper")); /* a job may be called so */
	assert_int_equal(arguments.verb, VERB_SHOW);
	assert_true(read_line("ferry take-ownership --everyone j"));
	assert_int_equal(arguments.verb, VERB_TAKE_OWNERSHIP);
	assert_true(read_line("ferry attach"));
	assert_int_equal(arguments.verb, VERB_ATTACH);
}

static void arguments__half_a_verb__is_told_its_other_halves(void **state)
{
	static const char *const words = "'ferry helper' needs a second word: set, clear, flags, show";

	(void)state;
	check_problem("ferry helper", words);
	check_problem("ferry helper frob j", words);
	check_problem("ferry helper help", words);
	check_problem("ferry help helper frob", words);
	check_problem("ferry set j", "there is no verb 'set'");
	check_problem("ferry help-er", "there is no verb 'help-er'");
	assert_true(read_line("ferry helper --help"));
	assert_int_equal(arguments.verb, VERB_HELPER_SET);
	assert_true(read_line("ferry help helper"));
	assert_int_equal(arguments.verb, VERB_HELPER_SET);
	assert_true(read_line("ferry help helper show"));
	assert_int_equal(arguments.verb, VERB_HELPER_SHOW);
}

static void arguments__replace_prefix__takes_a_job_and_two_texts(void **state)
{
	(void)state;
	assert_true(read_line("ferry replace-prefix j http://old/ http://new/"));
	assert_int_equal(arguments.verb, VERB_REPLACE_PREFIX);
	assert_string_equal(arguments.operands[2], "http://new/");
	check_problem("ferry replace-prefix",
	              "'ferry replace-prefix' needs a job: its id, the beginning of its id, or its name");
	check_problem("ferry replace-prefix j http://old/", "'ferry replace-prefix' needs a job, the beginning of its URLs, "
	                                                    "and what is to stand there instead");
	check_problem("ferry replace-prefix j a b c", "'ferry replace-prefix' takes no 'c'");
	check_problem("ferry replace-prefix --everyone j a b", "'ferry replace-prefix' has no option --everyone");
}

static void arguments__credentials__need_target_and_scheme(void **state)
{
	(void)state;
	assert_true(read_line("ferry credentials set --target proxy j --scheme=digest --user ACME\\anna"));
	assert_int_equal(arguments.verb, VERB_CREDENTIALS_SET);
	assert_int_equal(arguments.target, FERRY_AUTH_PROXY);
	assert_int_equal(arguments.scheme, FERRY_AUTH_DIGEST);
	assert_string_equal(arguments.user, "ACME\\anna");
	assert_true(read_line("ferry credentials remove --target server --scheme basic a b"));
	assert_int_equal(arguments.operand_count, 2);
	check_problem("ferry credentials set j --target proxy", "'ferry credentials set' needs --scheme");
	check_problem("ferry credentials remove j --scheme ntlm", "'ferry credentials remove' needs --target");
	check_problem("ferry credentials remove j --user u --scheme ntlm", "'ferry credentials remove' has no option --user");
	check_problem("ferry credentials set j --target host", "--target takes server or proxy, not 'host'");
	check_problem("ferry credentials set j --scheme kerberos", "--scheme takes negotiate, ntlm, digest or basic, not 'kerberos'");
	check_problem("ferry credentials show j", "'ferry credentials' needs a second word: set, remove");
}

static void arguments__auth__is_a_target_and_a_scheme_without_a_password(void **state)
{
	(void)state;
	static const char *const bad[] = { "", "server", "server:", ":ntlm", "server:basic", "proxy:digest", "server:ntlm:", "servernegotiate" };
	enum ferry_auth_target target;
	enum ferry_auth_scheme scheme;

	assert_true(read_line("ferry submit u d --auth server:negotiate --auth=proxy:ntlm"));
	assert_int_equal(arguments.auth.count, 2);
	assert_true(arguments_read_auth(arguments.auth.words[1], &target, &scheme));
	assert_int_equal(target, FERRY_AUTH_PROXY);
	assert_int_equal(scheme, FERRY_AUTH_NTLM);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(arguments_read_auth(bad[i], &target, &scheme));
}

static void arguments__helper_verbs__take_what_they_need(void **state)
{
	(void)state;
	check_problem("ferry helper set", "'ferry helper set' needs a job: its id, the beginning of its id, or its name");
	check_problem("ferry helper set a b", "'ferry helper set' takes no 'b'");
	check_problem("ferry helper flags j",
	              "'ferry helper flags' needs flags: local-file, network, local-file,network or none");
	check_problem("ferry helper flags j none more", "'ferry helper flags' takes no 'more'");
	check_problem("ferry helper show --user x j", "'ferry helper show' has no option --user");
	check_problem("ferry helper set --user x --user y j", "--user is given twice");
	check_problem("ferry attach j", "'ferry attach' takes no 'j'");
	check_problem("ferry proxy", "'ferry proxy' needs a second word: show");
	check_problem("ferry proxy show", "'ferry proxy show' needs a URL");
	check_problem("ferry proxy show a b", "'ferry proxy show' takes no 'b'");
	check_problem("ferry auth test", "'ferry auth test' needs a URL");
	check_problem("ferry auth", "'ferry auth' needs a second word: test");
	assert_true(read_line("ferry auth test --proxy p:1 http://a/b"));
	assert_int_equal(arguments.verb, VERB_AUTH_TEST);
	assert_true(read_line("ferry history J K"));
	assert_int_equal(arguments.verb, VERB_HISTORY);
	assert_true(read_line("ferry proxy show --job J http://a/b"));
	assert_int_equal(arguments.verb, VERB_PROXY_SHOW);
	assert_string_equal(arguments.job, "J");
	check_problem("ferry preflight", "'ferry preflight' needs a job: its id, the beginning of its id, or its name");
	check_problem("ferry submit --on-token-loss retry x y", "--on-token-loss takes error or wait, not 'retry'");
	check_problem("ferry wait --pinned-helper S-1 j", "'ferry wait' has no option --pinned-helper");
	check_problem("ferry submit --max-size big x y", "--max-size takes a size like 500, 500kB, 20MB or 4GB, not 'big'");
	check_problem("ferry submit --max-size 0 x y", "--max-size takes a size like 500, 500kB, 20MB or 4GB, not '0'");
	check_problem("ferry submit --max-size 9999999999GB x y",
	              "--max-size takes a size like 500, 500kB, 20MB or 4GB, not '9999999999GB'");
	assert_true(read_line("ferry submit --max-size 20MB x y"));
	assert_int_equal(arguments.max_bytes, 20000000);
	assert_true(read_line("ferry submit --proxy=p:3128;DIRECT --proxy-bypass <local> x y"));
	assert_string_equal(arguments.proxy, "p:3128;DIRECT");
	assert_string_equal(arguments.proxy_bypass, "<local>");
	check_problem("ferry submit --proxy-bypass <local> x y", "--proxy-bypass is for a list of proxies: --proxy LIST");
	check_problem("ferry submit --profile fast x y", "--profile takes interactive, update, bulk or none, not 'fast'");
	assert_true(read_line("ferry submit --profile interactive x y"));
	assert_int_equal(arguments.profile, FERRY_PROFILE_INTERACTIVE);
	assert_true(read_line("ferry submit --on-token-loss wait --pinned-helper S-1-5-18 x y"));
	assert_int_equal(arguments.on_token_loss, FERRY_TOKEN_LOSS_WAIT);
	assert_string_equal(arguments.pinned_helper, "S-1-5-18");
}

static void arguments__roots__are_at_most_sixteen(void **state)
{
	char line[512] = "ferry helper set j";

	(void)state;
	for (int i = 0; i < FERRY_ROOTS_MAX; i++)
		strcat(line, " --root=/a");
	assert_true(read_line(line));
	assert_int_equal(arguments.roots.count, FERRY_ROOTS_MAX);
	strcat(line, " --root=/a");
	check_problem(line, "--root is given more than 16 times");
}

static void arguments__flags__are_names_with_commas(void **state)
{
	static const struct {
		const char *text;
		bool good;
		unsigned flags;
	} cases[] = {
		{ "none", true, 0 },
		{ "local-file", true, FERRY_HELPER_LOCAL_FILE },
		{ "network", true, FERRY_HELPER_NETWORK },
		{ "local-file,network", true, FERRY_HELPER_LOCAL_FILE | FERRY_HELPER_NETWORK },
		{ "network,local-file", true, FERRY_HELPER_LOCAL_FILE | FERRY_HELPER_NETWORK },
		{ "", false, 0 },
		{ "none,network", false, 0 },
		{ "network,", false, 0 },
		{ ",network", false, 0 },
		{ "network local-file", false, 0 },
		{ "Network", false, 0 },
		{ "a-word-that-is-much-longer-than-any-flag-that-there-is", false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		unsigned flags = 7;
		assert_int_equal(arguments_read_flags(cases[i].text, &flags), cases[i].good);
		assert_int_equal(flags, cases[i].good ? cases[i].flags : 7);
	}
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

static void check_moment(const char *text, int64_t expected)
{
	int64_t unix_ms = 7;

	assert_int_equal(arguments_read_moment(text, &unix_ms), expected != 7);
	assert_int_equal(unix_ms, expected);
}

static void arguments__moment__is_a_servers_date_or_milliseconds(void **state)
{
	static const char *const bad[] = { "", "0", "-5", "yesterday", "Sun, 06 Nov 1994", "784111777000 ", "5s", "1e9",
		                               "Thu, 01 Jan 1970 00:00:00 GMT", "9999999999999999" };
	(void)state;
	check_moment("Sun, 06 Nov 1994 08:49:37 GMT", 784111777000);
	check_moment("784111777123", 784111777123);
	check_moment("1", 1);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		int64_t unix_ms = 7;
		if (arguments_read_moment(bad[i], &unix_ms))
			fail_msg("taken: %s", bad[i]);
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
		cmocka_unit_test(arguments__two_words__are_one_verb),
		cmocka_unit_test(arguments__half_a_verb__is_told_its_other_halves),
		cmocka_unit_test(arguments__replace_prefix__takes_a_job_and_two_texts),
		cmocka_unit_test(arguments__helper_verbs__take_what_they_need),
		cmocka_unit_test(arguments__credentials__need_target_and_scheme),
		cmocka_unit_test(arguments__auth__is_a_target_and_a_scheme_without_a_password),
		cmocka_unit_test(arguments__roots__are_at_most_sixteen),
		cmocka_unit_test(arguments__flags__are_names_with_commas),
		cmocka_unit_test(arguments__seconds__have_units_and_a_maximum),
		cmocka_unit_test(arguments__moment__is_a_servers_date_or_milliseconds),
		cmocka_unit_test(help__every_verb__has_a_text_with_an_example),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
