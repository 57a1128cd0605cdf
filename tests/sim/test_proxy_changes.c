/* What becomes of a job whose proxies are set while it runs, and of them when it gets another owner. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "helped.h"

static void set(struct world *world, int64_t row, enum proxy_mode mode)
{
	assert_int_equal(world_set_proxy(world, row, mode, mode == PROXY_EXPLICIT ? "p:3128" : ""), RESULT_OK);
	assert_int_equal(helped_status(world, row).job.properties.proxy_mode, mode);
}

static void proxy__another_mode_while_it_runs__is_begun_again(void **state)
{
	(void)state;
	for (unsigned seed = 1; seed <= 20; seed++) {
		struct world world;

		helped_begin(&world, seed);
		int64_t row = helped_submit(&world, OWNER, JOB_NORMAL, true);

		set(&world, row, PROXY_NONE);
		assert_int_equal(world_state(&world, row), JOB_QUEUED);
		world_wait(&world, 0);
		assert_true(job_state_is_active(world_state(&world, row)));
		set(&world, row, PROXY_NONE); /* nothing new */
		assert_true(job_state_is_active(world_state(&world, row)));
		set(&world, row, PROXY_PRECONFIGURED);
		assert_int_equal(world_state(&world, row), JOB_QUEUED);
		world.files[0].stuck = false;
		helped_run_to(&world, row, JOB_ACKNOWLEDGED);
		helped_check_published(&world, 0, 1);
		world_settle(&world);
		world_check_rest(&world);
		helped_end(&world);
	}
}

/* Who mends the way a job asks need not wait for its next try, however long its delay has grown; but who asked it to stay
 * away for longer is not asked before that. */
static void way__changed_while_the_job_waits_to_try_again__is_tried_at_once(void **state)
{
	static const struct credential anna = { AUTH_SERVER, AUTH_DIGEST, false, "anna", "hunter2" };

	(void)state;
	for (unsigned change = 0; change < 4; change++) {
		const uint32_t asked_s = change == 3 ? 900 : 0;
		struct world world;

		helped_begin(&world, change + 1);
		world.files[0].fail_next_fetch = RESULT_HTTP_TRANSIENT;
		world.files[0].retry_after_s = asked_s;
		int64_t row = helped_submit(&world, OWNER, JOB_NORMAL, false);

		helped_run_to(&world, row, JOB_TRANSIENT_ERROR);
		if (change == 0)
			set(&world, row, PROXY_NONE);
		else if (change == 2)
			set(&world, row, PROXY_PRECONFIGURED); /* nothing new */
		else
			assert_int_equal(world_set_credentials(&world, row, &anna), RESULT_OK);
		world_wait(&world, 0);
		assert_int_equal(world_state(&world, row) == JOB_TRANSIENT_ERROR, change >= 2);
		helped_run_to(&world, row, JOB_ACKNOWLEDGED);
		helped_end(&world);
	}
}

static void proxy__a_takeover__drops_mode_and_lists(void **state)
{
	char list[PROXY_TEXT_BYTES_MAX + 1], bypass[PROXY_TEXT_BYTES_MAX + 1];
	struct fault fault;
	struct world world;

	(void)state;
	helped_begin(&world, 1);
	int64_t row = helped_submit(&world, OWNER, JOB_NORMAL, true);

	set(&world, row, PROXY_EXPLICIT);
	assert_int_equal(store_proxy(world.store, row, list, bypass, &fault), RESULT_OK);
	assert_string_equal(list, "p:3128");
	assert_string_equal(bypass, "");
	assert_int_equal(world_take(&world, row, ADMINISTRATOR), RESULT_OK);
	assert_int_equal(helped_status(&world, row).job.properties.proxy_mode, PROXY_PRECONFIGURED);
	assert_int_equal(store_proxy(world.store, row, list, bypass, &fault), RESULT_STORE_DAMAGED);
	world.files[0].stuck = false;
	helped_resume(&world, row);
	helped_run_to(&world, row, JOB_ACKNOWLEDGED);
	helped_end(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(proxy__another_mode_while_it_runs__is_begun_again),
		cmocka_unit_test(way__changed_while_the_job_waits_to_try_again__is_tried_at_once),
		cmocka_unit_test(proxy__a_takeover__drops_mode_and_lists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
