/* The verbs for monitoring. */
#include "client/cli_scene.h"

static void metrics__prints_what_the_service_wrote(void **state)
{
	struct scene *scene = *state;
	struct run ran;

	run(scene, "ferry metrics", "", &ran);
	assert_exit(&ran, CLI_OK);
	assert_string_equal(ran.out, SCENE_METRICS);
	run(scene, "ferry metrics --json", "", &ran);
	assert_exit(&ran, CLI_OK);
	assert_string_equal(ran.out, "{\"metrics\":\"# TYPE ferry_jobs gauge\\nferry_jobs{state=\\\"QUEUED\\\"} 3\\n\"}\n");
}

static void doctor__prints_what_was_seen_and_what_to_do(void **state)
{
	struct scene *scene = *state;
	struct run ran;

	scene->proxies = (struct proxies_found){ .count = 1 };
	run(scene, "ferry doctor", "", &ran);
	assert_exit(&ran, CLI_JOB_FAILED);
	assert_said(&ran, "pipe           ok       ");
	assert_said(&ran, "proxy          ok       none: ");
	assert_said(&ran, "disk           ok       room enough\n");
	assert_said(&ran, "clock          problem  it is slow\n                        what to do: Set it.\n");
	run(scene, "ferry doctor --json", "", &ran);
	assert_exit(&ran, CLI_JOB_FAILED);
	assert_said(&ran, "{\"check\":{\"name\":\"disk\",\"verdict\":\"ok\",\"seen\":\"room enough\",\"remedy\":null}}\n");
	assert_said(&ran, "{\"check\":{\"name\":\"clock\",\"verdict\":\"problem\",\"seen\":\"it is slow\",\"remedy\":\"Set it.\"}}\n");
}

static void doctor__of_a_proxy_that_does_not_answer__says_so(void **state)
{
	struct scene *scene = *state;
	struct run ran;

	scene->proxies = (struct proxies_found){ .count = 1, .choices = { { .address = "http://proxy.example:3128", .source = PROXY_FROM_TABLE } } };
	scene->trial.attempt.trace.status = 0;
	(void)!fault_set(&scene->trial.attempt.fault, RESULT_CONNECT_FAILED, FAULT_FERRY, 0, "nobody is there");
	run(scene, "ferry doctor", "", &ran);
	assert_exit(&ran, CLI_JOB_FAILED);
	assert_string_equal(scene->shown_url, "http://proxy.example:3128/");
	assert_said(&ran, "proxy          problem  http://proxy.example:3128 (table) does not answer: ");
	scene->trial.attempt.trace.status = 400;
	run(scene, "ferry doctor", "", &ran);
	assert_said(&ran, "proxy          ok       http://proxy.example:3128 (table) answers\n");
}

static void doctor__for_others_than_administrators__tells_the_rest(void **state)
{
	struct scene *scene = *state;
	struct run ran;

	scene->refuse = METHOD_SERVICE_DOCTOR + 1;
	(void)!fault_set(&scene->refusal, RESULT_ACCESS_REFUSED, FAULT_FERRY, 0, "service.doctor");
	run(scene, "ferry doctor", "", &ran);
	assert_exit(&ran, CLI_OK);
	assert_said(&ran, "service        unknown  ");
	assert_said(&ran, "what to do: Run this again as an administrator.\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(metrics__prints_what_the_service_wrote),
		TEST(doctor__prints_what_was_seen_and_what_to_do),
		TEST(doctor__of_a_proxy_that_does_not_answer__says_so),
		TEST(doctor__for_others_than_administrators__tells_the_rest),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
