/* The verbs about credentials, and --auth of submit. */
#include "client/cli_scene.h"

#define PASSWORD "Tr0ub4dor&3"

static void credentials_set__without_a_user__is_implicit(void **state)
{
	struct scene *scene = *state;
	struct run ran;

	run(scene, "ferry credentials set " JOB_ID " --target proxy --scheme negotiate", "unread\n", &ran);
	assert_exit(&ran, CLI_OK);
	assert_int_equal(scene->target, AUTH_PROXY);
	assert_int_equal(scene->scheme, AUTH_NEGOTIATE);
	assert_string_equal(scene->user, "null");
	assert_string_equal(ran.out, "2a1b3c4d 'Nightly': credentials: proxy by negotiate, as the one who fetches\n");
}

static void credentials_set__with_a_user__reads_a_password_and_shows_it_nowhere(void **state)
{
	struct scene *scene = *state;
	struct run ran;

	run(scene, "ferry credentials set " JOB_ID " --target server --scheme basic --user anna", PASSWORD "\nmore\n", &ran);
	assert_exit(&ran, CLI_OK);
	assert_string_equal(scene->user, "anna");
	assert_string_equal(scene->password, PASSWORD);
	assert_said(&ran, "server by basic, with a password\n");
	assert_null(strstr(ran.out, PASSWORD));
	run(scene, "ferry --json credentials set " JOB_ID " --target server --scheme digest --user anna", PASSWORD, &ran);
	assert_exit(&ran, CLI_OK);
	assert_said(&ran, "\"credentials\":[{\"target\":\"server\",\"scheme\":\"basic\",\"implicit\":false},"
	                  "{\"target\":\"server\",\"scheme\":\"digest\",\"implicit\":false}]");
	assert_null(strstr(ran.out, PASSWORD));
	assert_null(strstr(ran.out, "anna"));
	run(scene, "ferry show " JOB_ID, "", &ran);
	assert_exit(&ran, CLI_OK);
	assert_said(&ran, "  credentials  server by basic, with a password; server by digest, with a password\n");
}

static void credentials_set__without_a_password__asks_nothing_of_the_service(void **state)
{
	struct scene *scene = *state;
	struct run ran;

	run(scene, "ferry credentials set " JOB_ID " --target server --scheme ntlm --user anna", "", &ran);
	assert_exit(&ran, CLI_USAGE);
	assert_said(&ran, "--user needs a password");
	assert_int_equal(scene->asked[METHOD_JOB_SET_CREDENTIALS], 0);
}

static void credentials_set__a_refusal__is_told(void **state)
{
	struct scene *scene = *state;
	struct run ran;

	scene->refuse = METHOD_JOB_SET_CREDENTIALS + 1;
	scene->refusal = (struct fault){ RESULT_NOT_SUPPORTED, FAULT_FERRY, 0, "keep a password: nothing can be sealed on this ground" };
	run(scene, "ferry credentials set " JOB_ID " --target server --scheme ntlm --user anna", PASSWORD "\n", &ran);
	assert_exit(&ran, CLI_REFUSED);
	assert_said(&ran, "nothing can be sealed on this ground (NOT_SUPPORTED");
	assert_null(strstr(ran.out, PASSWORD));
}

static void credentials_remove__takes_one_away(void **state)
{
	struct scene *scene = *state;
	struct run ran;

	scene->job.job.implicit = JOB_CREDENTIAL(AUTH_SERVER, AUTH_NTLM);
	run(scene, "ferry credentials remove " JOB_ID " --target server --scheme ntlm", "", &ran);
	assert_exit(&ran, CLI_OK);
	assert_string_equal(ran.out, "2a1b3c4d 'Nightly': credentials: none\n");
	assert_int_equal(scene->asked[METHOD_JOB_REMOVE_CREDENTIALS], 1);
}

static void submit__auth__is_set_before_the_job_runs(void **state)
{
	struct scene *scene = *state;
	struct run ran;

	run(scene, "ferry submit --no-wait --auth server:negotiate --auth proxy:ntlm http://h/a /a", "", &ran);
	assert_exit(&ran, CLI_OK);
	assert_int_equal(scene->job.job.implicit, JOB_CREDENTIAL(AUTH_SERVER, AUTH_NEGOTIATE) | JOB_CREDENTIAL(AUTH_PROXY, AUTH_NTLM));
	assert_int_equal(scene->asked[METHOD_JOB_RESUME], 1);
	/* What is there already and runs is left as it is. */
	scene->existed = true;
	run(scene, "ferry submit --no-wait --auth server:ntlm http://h/a /a", "", &ran);
	assert_exit(&ran, CLI_OK);
	assert_int_equal(scene->asked[METHOD_JOB_SET_CREDENTIALS], 2);
	run(scene, "ferry submit --no-wait --auth server:basic http://h/a /a", "", &ran);
	assert_exit(&ran, CLI_USAGE);
	assert_said(&ran, "--auth takes server:negotiate");
}

static void submit__auth_that_is_refused__leaves_no_job(void **state)
{
	struct scene *scene = *state;
	struct run ran;

	scene->refuse = METHOD_JOB_SET_CREDENTIALS + 1;
	scene->refusal = (struct fault){ RESULT_INVALID_STATE, FAULT_FERRY, 0, "no" };
	run(scene, "ferry submit --no-wait --auth server:negotiate http://h/a /a", "", &ran);
	assert_exit(&ran, CLI_REFUSED);
	assert_int_equal(scene->asked[METHOD_JOB_RESUME], 0);
	assert_int_equal(scene->asked[METHOD_JOB_CANCEL], 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(credentials_set__without_a_user__is_implicit),
		TEST(credentials_set__with_a_user__reads_a_password_and_shows_it_nowhere),
		TEST(credentials_set__without_a_password__asks_nothing_of_the_service),
		TEST(credentials_set__a_refusal__is_told),
		TEST(credentials_remove__takes_one_away),
		TEST(submit__auth__is_set_before_the_job_runs),
		TEST(submit__auth_that_is_refused__leaves_no_job),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
