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

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(metrics__prints_what_the_service_wrote),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
