/* The verbs about identities. */
#include "client/cli_scene.h"

#define PASSWORD "Tr0ub4dor&3"
#define ANYBODY 65030

/* --- a line that is not shown --- */

static void terminal_read_secret__a_pipe__gives_its_next_line_and_no_more(void **state)
{
	char line[TERMINAL_SECRET_BYTES_MAX];
	int in[2], saved = dup(0);
	const char input[] = "first\r\n\nno\0text\nlast";

	(void)state;
	assert_int_equal(pipe(in), 0);
	assert_int_equal(write(in[1], input, sizeof(input) - 1), (int)sizeof(input) - 1);
	close(in[1]);
	assert_true(saved >= 0 && dup2(in[0], 0) >= 0);
	assert_true(terminal_read_secret("?", line));
	assert_string_equal(line, "first");
	assert_true(terminal_read_secret("?", line));
	assert_string_equal(line, "");
	assert_false(terminal_read_secret("?", line));
	assert_true(terminal_read_secret("?", line));
	assert_string_equal(line, "last");
	assert_false(terminal_read_secret("?", line));
	dup2(saved, 0);
	close(saved);
	close(in[0]);
}

/* --- helper set --- */

static void helper_set__without_a_user__lends_this_program(void **state)
{
	struct scene *scene = *state;
	struct run ran;
	AUTO(ipc_speaker) struct ipc_speaker *self = NULL;
	struct ipc_claim claim;
	char line[256];

	must(ipc_speaker_current(&self, NULL));
	must(ipc_speaker_claim(self, &claim, NULL));
	run(scene, "ferry helper set " JOB_ID " --max-age 8h", "", &ran);
	assert_exit(&ran, CLI_OK);
	assert_string_equal(scene->asked_helper.sid, claim.sid);
	assert_int_equal(scene->asked_helper.token_age_s, 8 * 3600);
	must(text_format(line, sizeof(line), "2a1b3c4d: the token of %s is lent, and kept until the session that it came from "
	                                     "ends, at most 8:00:00\n", claim.sid));
	assert_string_equal(ran.out, line);

	run(scene, "ferry helper set --json " JOB_ID, "", &ran);
	must(text_format(line, sizeof(line), "{\"lent\":{\"id\":\"" JOB_ID "\",\"sid\":\"%s\",\"life\":\"session\","
	                                     "\"warning\":null}}\n", claim.sid));
	assert_string_equal(ran.out, line);
}

static void helper_set__a_token_that_ends_at_once__is_warned_of(void **state)
{
	struct scene *scene = *state;
	struct run ran;

	scene->life = "connection";
	scene->warning = "no credentials for other servers";
	run(scene, "ferry helper set " JOB_ID, "", &ran);
	assert_exit(&ran, CLI_OK);
	assert_said(&ran, "as long as this command runs");
	assert_said(&ran, "ferry: no credentials for other servers\n");
	assert_said(&ran, "--max-age 8h");
}

static void helper_set__roots__are_made_absolute(void **state)
{
	struct scene *scene = *state;
	struct run ran;

	run(scene, "ferry helper set --root /srv/./acme --root=/srv/x/../other " JOB_ID, "", &ran);
	assert_exit(&ran, CLI_OK);
	assert_int_equal(scene->asked_helper.root_count, 2);
	assert_null(strstr(scene->asked_roots[0], "."));
	assert_non_null(strstr(scene->asked_roots[0], "acme"));
	assert_null(strstr(scene->asked_roots[1], "x"));
	assert_non_null(strstr(scene->asked_roots[1], "other"));
}

/* Whom this ground lets log on; false: nobody. */
static bool somebody(char to[32])
{
	AUTO(ipc_speaker) struct ipc_speaker *speaker = NULL;

	must(text_format(to, 32, "uid:%u", ANYBODY));
	return ground_speaker_is_seen() && ipc_speaker_logon(to, PASSWORD, &speaker, NULL) == RESULT_OK;
}

/* The job is opened as oneself, the loan alone is said as the other one, and nothing after it. */
static void helper_set__a_user__is_worn_for_one_message(void **state)
{
	static const char *const inputs[] = { PASSWORD "\n", PASSWORD "\r\n", PASSWORD, "\n" };
	struct scene *scene = *state;
	const unsigned before = ground_speaker();
	char user[32], self[32], line[128];
	struct run ran;

	if (!somebody(user))
		GROUND_SKIP("somebody else who logs on");
	must(text_format(self, sizeof(self), "uid:%u", before));
	must(text_format(line, sizeof(line), "ferry helper set --user %s " JOB_ID, user));
	for (size_t i = 0; i < sizeof(inputs) / sizeof(inputs[0]); i++) {
		scene->lent_as[0] = '\0';
		run(scene, line, inputs[i], &ran);
		assert_exit(&ran, CLI_OK);
		assert_string_equal(scene->opened_as, self);
		assert_string_equal(scene->lent_as, user);
		assert_string_equal(scene->asked_helper.sid, user);
		assert_int_equal(ground_speaker(), before);
		assert_null(strstr(ran.out, PASSWORD));
	}
	assert_said(&ran, "the token of uid:65030 (uid:65030) is lent");

	/* Refused, and by a service that goes away: oneself again all the same. */
	scene->refuse = METHOD_JOB_SET_HELPER_TOKEN + 1;
	scene->refusal = (struct fault){ RESULT_ACCESS_REFUSED, FAULT_FERRY, 0, "lend-not-administrators: no" };
	run(scene, line, PASSWORD "\n", &ran);
	assert_exit(&ran, CLI_REFUSED);
	assert_said(&ran, "lend-not-administrators");
	assert_null(strstr(ran.out, PASSWORD));
	assert_int_equal(ground_speaker(), before);
	scene->refuse = 0;
	scene->forget = METHOD_JOB_SET_HELPER_TOKEN + 1;
	run(scene, line, PASSWORD "\n", &ran);
	assert_exit(&ran, CLI_UNREACHABLE);
	assert_null(strstr(ran.out, PASSWORD));
	assert_int_equal(ground_speaker(), before);
}

static void helper_set__who_may_not_log_on__lends_nothing_and_is_not_quoted(void **state)
{
	struct scene *scene = *state;
	struct run ran;

	if (!ground_speaker_is_seen())
		GROUND_SKIP("a logon that is refused: Wine lets everybody in");
	run(scene, "ferry helper set --user NOWHERE\\nobody " JOB_ID, PASSWORD "\n", &ran);
	assert_exit(&ran, CLI_REFUSED);
	assert_said(&ran, "ACCESS_REFUSED");
	assert_said(&ran, "name and password");
	assert_null(strstr(ran.out, PASSWORD));
	assert_int_equal(scene->asked[METHOD_JOB_SET_HELPER_TOKEN], 0);
}

static void helper_set__no_password__is_a_usage_error(void **state)
{
	static char much[2 * 1024];
	struct scene *scene = *state;
	const char *const inputs[] = { "", much };
	struct run ran;

	memset(much, 'x', sizeof(much) - 2);
	much[sizeof(much) - 2] = '\n';
	for (size_t i = 0; i < sizeof(inputs) / sizeof(inputs[0]); i++) {
		run(scene, "ferry helper set --user uid:7 " JOB_ID, inputs[i], &ran);
		assert_exit(&ran, CLI_USAGE);
		assert_said(&ran, "--user needs a password");
		assert_null(strstr(ran.out, "xxx"));
	}
	run(scene, "ferry helper set --max-age 0 " JOB_ID, "", &ran);
	assert_exit(&ran, CLI_USAGE);
	assert_int_equal(scene->asked[METHOD_JOB_SET_HELPER_TOKEN], 0);
}

/* --- the others --- */

static void helper_flags_clear_and_show__tell_what_is_there_now(void **state)
{
	struct scene *scene = *state;
	struct run ran;

	must(text_copy(scene->job.token_sid, JOB_OWNER_BYTES_MAX, text_view("S-1-5-21-9")));
	run(scene, "ferry helper flags " JOB_ID " local-file,network", "", &ran);
	assert_exit(&ran, CLI_OK);
	assert_int_equal(scene->job.job.helper_flags, HELPER_ALL);
	assert_string_equal(ran.out, "2a1b3c4d 'Nightly': flags local-file, network; the token of S-1-5-21-9\n");
	run(scene, "ferry helper clear " JOB_ID, "", &ran);
	assert_exit(&ran, CLI_OK);
	assert_string_equal(ran.out, "2a1b3c4d 'Nightly': flags local-file, network; no token\n");
	run(scene, "ferry helper flags " JOB_ID " none", "", &ran);
	assert_string_equal(ran.out, "2a1b3c4d 'Nightly': flags none; no token\n");
	run(scene, "ferry helper flags " JOB_ID " both", "", &ran);
	assert_exit(&ran, CLI_USAGE);

	scene->job.sides[JOB_SIDE_FILE] = (struct side_status){ IDENTITY_HELPER, "S-1-5-21-9" };
	must(text_copy(scene->job.job.side_sid[JOB_SIDE_NETWORK], JOB_OWNER_BYTES_MAX, text_view("S-1-5-21-6")));
	run(scene, "ferry helper show " JOB_ID, "", &ran);
	assert_exit(&ran, CLI_OK);
	assert_said(&ran, "  files as     helper: S-1-5-21-9; last: nobody\n");
	assert_said(&ran, "  network as   owner: nobody is there; last: S-1-5-21-6\n");
	assert_said(&ran, "  helper token none; last: none\n");
	run(scene, "ferry helper show --json " JOB_ID, "", &ran);
	assert_said(&ran, "\"helper\":{\"flags\":[],\"sid\":null,\"last_sid\":null},"
	                   "\"identities\":{\"file\":{\"as\":\"helper\","
	                   "\"sid\":\"S-1-5-21-9\",\"last_sid\":null},\"network\":{\"as\":\"owner\",\"sid\":null,"
	                   "\"last_sid\":\"S-1-5-21-6\"}},\"credentials\":[],\"headers\":{\"names\":[],\"write_only\":false},"
	                   "\"on_token_loss\":\"error\",\"pinned_helper\":null,\"no_segments\":false,\"max_bytes\":null,\"proxy\":{\"mode\":\"preconfigured\"},"
	                   "\"redirects\":\"follow\",\"tls_ignore\":[],\"client_certificate\":null,\"profile\":null}}\n");
}

static void preflight__what_could_not_be_served__ends_with_2(void **state)
{
	struct scene *scene = *state;
	struct run ran;

	scene->preflight.sides[JOB_SIDE_FILE] = (struct side_status){ IDENTITY_HELPER, "S-1-5-21-9" };
	scene->preflight.sides[JOB_SIDE_NETWORK] = (struct side_status){ IDENTITY_OWNER, "S-1-5-18" };
	run(scene, "ferry preflight " JOB_ID, "", &ran);
	assert_exit(&ran, CLI_OK);
	assert_said(&ran, "  files        as helper, S-1-5-21-9: can be written\n  network      as owner, S-1-5-18\n");
	scene->preflight.file = (struct fault){ RESULT_DENIED, FAULT_WIN32, 5, "files[0].path" };
	run(scene, "ferry preflight " JOB_ID, "", &ran);
	assert_exit(&ran, CLI_JOB_FAILED);
	assert_said(&ran, "DENIED 0x80070005; win32 5");
	assert_null(strstr(ran.out, "can be written"));
	run(scene, "ferry preflight --json " JOB_ID, "", &ran);
	assert_exit(&ran, CLI_JOB_FAILED);
	assert_said(&ran, "{\"preflight\":{\"id\":\"" JOB_ID "\",\"file\":{\"as\":\"helper\",\"sid\":\"S-1-5-21-9\","
	                  "\"error\":{");
	assert_said(&ran, "\"network\":{\"as\":\"owner\",\"sid\":\"S-1-5-18\"}}}\n");
	scene->preflight.file = (struct fault){ .result = RESULT_OK };
	scene->preflight.sides[JOB_SIDE_NETWORK].sid[0] = '\0';
	run(scene, "ferry preflight " JOB_ID, "", &ran);
	assert_exit(&ran, CLI_JOB_FAILED);
	assert_said(&ran, "  network      as owner, but nobody is there\n");
}

static void attach__says_hello_and_as_whom(void **state)
{
	struct scene *scene = *state;
	struct run ran;

	run(scene, "ferry attach", "", &ran);
	assert_exit(&ran, CLI_OK);
	assert_string_equal(ran.out, "The service knows you as S-1-5-21-1, as an administrator\n");
	assert_int_equal(scene->asked[METHOD_HELLO], 1);
	for (unsigned i = METHOD_HELLO + 1; i < METHOD_COUNT; i++)
		assert_int_equal(scene->asked[i], 0);
	run(scene, "ferry attach --json", "", &ran);
	assert_string_equal(ran.out, "{\"attached\":{\"owner\":\"S-1-5-21-1\",\"elevated\":true}}\n");
}

static void take_ownership__tells_the_job_as_it_is_now(void **state)
{
	struct scene *scene = *state;
	struct run ran;

	run(scene, "ferry take-ownership " JOB_ID, "", &ran);
	assert_exit(&ran, CLI_OK);
	assert_string_equal(ran.out, "2a1b3c4d 'Nightly': SUSPENDED\n");
	assert_int_equal(scene->asked[METHOD_JOB_TAKE_OWNERSHIP], 1);
}

int main(void)
{
#ifdef _WIN32
	_setmode(_fileno(stdout), _O_BINARY); /* as terminal_start does */
	_setmode(_fileno(stderr), _O_BINARY);
#endif
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(terminal_read_secret__a_pipe__gives_its_next_line_and_no_more),
		TEST(helper_set__without_a_user__lends_this_program),
		TEST(helper_set__a_token_that_ends_at_once__is_warned_of),
		TEST(helper_set__roots__are_made_absolute),
		TEST(helper_set__a_user__is_worn_for_one_message),
		TEST(helper_set__who_may_not_log_on__lends_nothing_and_is_not_quoted),
		TEST(helper_set__no_password__is_a_usage_error),
		TEST(helper_flags_clear_and_show__tell_what_is_there_now),
		TEST(preflight__what_could_not_be_served__ends_with_2),
		TEST(attach__says_hello_and_as_whom),
		TEST(take_ownership__tells_the_job_as_it_is_now),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
