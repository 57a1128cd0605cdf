/* The verbs about header lines, and --headers-from of submit. */
#include "client/cli_scene.h"

#define BEARER "Authorization: Bearer Tr0ub4dor&3"

static void headers_set__reads_lines_and_shows_names_alone(void **state)
{
	struct scene *scene = *state;
	struct run ran;

	run(scene, "ferry headers set " JOB_ID, BEARER "\r\n\nX-Acme: 1\n", &ran);
	assert_exit(&ran, CLI_OK);
	assert_string_equal(scene->headers, BEARER "\nX-Acme: 1\n");
	assert_false(scene->job.job.headers_write_only);
	assert_string_equal(ran.out, "2a1b3c4d 'Nightly': headers: Authorization X-Acme\n");
	run(scene, "ferry --json headers set --write-only " JOB_ID, BEARER, &ran);
	assert_exit(&ran, CLI_OK);
	assert_true(scene->job.job.headers_write_only);
	assert_said(&ran, "\"headers\":{\"names\":[\"Authorization\"],\"write_only\":true}");
	assert_null(strstr(ran.out, "Tr0ub4dor"));
	run(scene, "ferry show " JOB_ID, "", &ran);
	assert_said(&ran, "  headers      Authorization, write-only\n");
	assert_null(strstr(ran.out, "Tr0ub4dor"));
}

static void headers_set__nothing_or_too_much__asks_nothing_of_the_service(void **state)
{
	static char many[65 * 5 + 1];
	struct scene *scene = *state;
	struct run ran;

	run(scene, "ferry headers set " JOB_ID, "\n\r\n", &ran);
	assert_exit(&ran, CLI_USAGE);
	assert_said(&ran, "there is no header");
	for (size_t i = 0; i < 65; i++)
		memcpy(many + 5 * i, "X: 1\n", 5);
	run(scene, "ferry headers set " JOB_ID, many, &ran);
	assert_exit(&ran, CLI_USAGE);
	assert_said(&ran, "more than 64 headers");
	assert_int_equal(scene->asked[METHOD_JOB_SET_HEADERS], 0);
}

static void headers_show_and_remove__tell_what_there_is(void **state)
{
	struct scene *scene = *state;
	struct run ran;

	run(scene, "ferry headers set " JOB_ID, BEARER "\n", &ran);
	run(scene, "ferry headers show " JOB_ID, "", &ran);
	assert_exit(&ran, CLI_OK);
	assert_string_equal(ran.out, BEARER "\n");
	run(scene, "ferry --json headers show " JOB_ID, "", &ran);
	assert_string_equal(ran.out, "{\"headers\":[\"" BEARER "\"]}\n");
	run(scene, "ferry headers remove " JOB_ID, "", &ran);
	assert_exit(&ran, CLI_OK);
	assert_string_equal(ran.out, "2a1b3c4d 'Nightly': headers: none\n");
	assert_string_equal(scene->headers, "");
}

static void headers_set__a_refusal__is_told(void **state)
{
	struct scene *scene = *state;
	struct run ran;

	scene->refuse = METHOD_JOB_SET_HEADERS + 1;
	scene->refusal = (struct fault){ RESULT_INVALID_ARGUMENT, FAULT_FERRY, 0, "params.headers[0]: Host is for Ferry to say" };
	run(scene, "ferry headers set " JOB_ID, "Host: Tr0ub4dor\n", &ran);
	assert_exit(&ran, CLI_REFUSED);
	assert_said(&ran, "Host is for Ferry to say");
	assert_null(strstr(ran.out, "Tr0ub4dor"));
}

static void submit__headers_from__are_set_before_the_job_runs(void **state)
{
	struct scene *scene = *state;
	struct run ran;

	run(scene, "ferry submit --no-wait --headers-from - http://h/a /a", BEARER "\n", &ran);
	assert_exit(&ran, CLI_OK);
	assert_string_equal(scene->headers, BEARER "\n");
	assert_int_equal(scene->asked[METHOD_JOB_RESUME], 1);
	run(scene, "ferry submit --no-wait --headers-from /nowhere/at/all http://h/a /a", "", &ran);
	assert_exit(&ran, CLI_USAGE);
	assert_said(&ran, "the headers' file /nowhere/at/all cannot be opened");
	run(scene, "ferry submit --no-wait --headers-from - --from -", "http://h/a\t/a\n", &ran);
	assert_exit(&ran, CLI_USAGE);
	assert_said(&ran, "cannot both be stdin");
	assert_int_equal(scene->asked[METHOD_JOB_CREATE], 1);
}

static void submit__headers_that_are_refused__leave_no_job(void **state)
{
	struct scene *scene = *state;
	struct run ran;

	scene->refuse = METHOD_JOB_SET_HEADERS + 1;
	scene->refusal = (struct fault){ RESULT_NOT_SUPPORTED, FAULT_FERRY, 0, "no" };
	run(scene, "ferry submit --no-wait --headers-from - http://h/a /a", BEARER "\n", &ran);
	assert_exit(&ran, CLI_REFUSED);
	assert_int_equal(scene->asked[METHOD_JOB_RESUME], 0);
	assert_int_equal(scene->asked[METHOD_JOB_CANCEL], 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(headers_set__reads_lines_and_shows_names_alone),
		TEST(headers_set__nothing_or_too_much__asks_nothing_of_the_service),
		TEST(headers_show_and_remove__tell_what_there_is),
		TEST(headers_set__a_refusal__is_told),
		TEST(submit__headers_from__are_set_before_the_job_runs),
		TEST(submit__headers_that_are_refused__leave_no_job),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
