#include "ground.h"

#include "platform/service.h"
#include "platform/thread.h"

struct run {
	struct mutex *mutex;
	struct condition *condition;
	bool stop_asked, reload_asked, asks;
	uint32_t ended, began;
	enum result answer;
	int bodies;
};

static void stop(void *context)
{
	struct run *run = context;
	mutex_lock(run->mutex);
	run->stop_asked = true;
	condition_signal(run->condition);
	mutex_unlock(run->mutex);
}

static void session_ended(void *context, uint32_t session)
{
	struct run *run = context;
	mutex_lock(run->mutex);
	run->ended = session;
	condition_signal(run->condition);
	mutex_unlock(run->mutex);
}

static void session_began(void *context, uint32_t session)
{
	struct run *run = context;
	mutex_lock(run->mutex);
	run->began = session;
	condition_signal(run->condition);
	mutex_unlock(run->mutex);
}

static void reload(void *context)
{
	struct run *run = context;
	mutex_lock(run->mutex);
	run->reload_asked = true;
	condition_signal(run->condition);
	mutex_unlock(run->mutex);
}

static enum result body(void *context)
{
	struct run *run = context;
	run->bodies++;
	service_running();
	if (run->asks) {
		if (!ground_ask_to_stop())
			return RESULT_NOT_SUPPORTED;
		mutex_lock(run->mutex);
		while (!run->stop_asked)
			condition_wait(run->condition, run->mutex, -1);
		mutex_unlock(run->mutex);
	}
	return run->answer;
}

static enum result run_in_foreground(struct run *run, enum result (*what)(void *context))
{
	struct service_handler handler = { stop, session_ended, session_began, reload, run };
	struct fault fault;
	run->mutex = mutex_new();
	run->condition = condition_new();
	assert_true(run->mutex && run->condition);
	enum result result = service_run(true, &handler, what, run, &fault);
	condition_free(run->condition);
	mutex_free(run->mutex);
	return result;
}

static void service__body__runs_once_and_its_result_is_the_answer(void **state)
{
	(void)state;
	struct run fine = { .answer = RESULT_OK }, damaged = { .answer = RESULT_STORE_DAMAGED };
	assert_int_equal(run_in_foreground(&fine, body), RESULT_OK);
	assert_int_equal(fine.bodies, 1);
	assert_false(fine.stop_asked);
	assert_int_equal(run_in_foreground(&damaged, body), RESULT_STORE_DAMAGED);
	assert_false(damaged.stop_asked);
}

static void service__asked_to_stop__tells_the_handler(void **state)
{
	(void)state;
	struct run run = { .asks = true, .answer = RESULT_CANCELLED };
	enum result result = run_in_foreground(&run, body);
	if (result == RESULT_NOT_SUPPORTED)
		GROUND_SKIP("Ctrl-C reaches the handler (no console here)");
	assert_int_equal(result, RESULT_CANCELLED);
	assert_true(run.stop_asked);
}

static enum result hear_of_sessions(void *context)
{
	struct run *run = context;
	if (!ground_tell_session(17, true) || !ground_tell_session(4000000000u, false))
		return RESULT_NOT_SUPPORTED;
	mutex_lock(run->mutex);
	while (!run->ended || !run->began)
		condition_wait(run->condition, run->mutex, -1);
	mutex_unlock(run->mutex);
	return RESULT_OK;
}

static void service__session_ends_or_begins__tells_the_handler_its_number(void **state)
{
	(void)state;
	struct run run = { .answer = RESULT_OK };
	enum result result = run_in_foreground(&run, hear_of_sessions);
	if (result == RESULT_NOT_SUPPORTED)
		GROUND_SKIP("the end of a session reaches the handler (only on Windows)");
	assert_int_equal(result, RESULT_OK);
	assert_int_equal(run.ended, 17);
	assert_int_equal(run.began, 4000000000u);
	assert_false(run.stop_asked);
}

static enum result hear_of_a_reload(void *context)
{
	struct run *run = context;
	if (!ground_ask_to_reload())
		return RESULT_NOT_SUPPORTED;
	mutex_lock(run->mutex);
	while (!run->reload_asked)
		condition_wait(run->condition, run->mutex, -1);
	mutex_unlock(run->mutex);
	return RESULT_OK;
}

static void service__asked_to_reload__tells_the_handler_and_goes_on(void **state)
{
	(void)state;
	struct run run = { .answer = RESULT_OK };
	enum result result = run_in_foreground(&run, hear_of_a_reload);
	if (result == RESULT_NOT_SUPPORTED)
		GROUND_SKIP("PARAMCHANGE reaches the handler (whole/test_service.py, under a service manager)");
	assert_int_equal(result, RESULT_OK);
	assert_false(run.stop_asked);
}

static bool harden(void *argument)
{
	(void)argument;
	struct fault fault;
	return service_harden_process(&fault) == RESULT_OK;
}

static void service__harden__demands_the_test_root_on_linux(void **state)
{
	(void)state;
	char folder[GROUND_PATH_BYTES_MAX], missing[GROUND_PATH_BYTES_MAX];
	ground_set_up(folder);
	if (ground_set_root(NULL)) {
		struct fault fault = { 0 };
		assert_int_equal(service_harden_process(&fault), RESULT_NOT_SUPPORTED);
		assert_true(fault.what[0] != '\0');
		ground_path(missing, folder, "missing");
		ground_set_root(missing);
		assert_int_equal(service_harden_process(&fault), RESULT_NOT_SUPPORTED);
		ground_set_root("tmp");
		assert_int_equal(service_harden_process(&fault), RESULT_NOT_SUPPORTED);
		ground_set_root(folder);
	}
	assert_true(ground_apart(harden, NULL));
	ground_tear_down(folder);
}

static void service__install_verbs__are_not_supported_on_linux(void **state)
{
	(void)state;
	if (!ground_set_root(NULL))
		GROUND_SKIP("installing changes this machine (tests/whole do it)");
	AUTO(buffer) struct buffer warnings = BUFFER(1000);
	struct fault fault = { 0 };
	assert_int_equal(service_install(&warnings, &fault), RESULT_NOT_SUPPORTED);
	assert_int_equal(service_configure(&warnings, &fault), RESULT_NOT_SUPPORTED);
	assert_int_equal(service_uninstall(&fault), RESULT_NOT_SUPPORTED);
	assert_int_equal(warnings.length, 0);
	assert_int_equal(fault.result, RESULT_NOT_SUPPORTED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(service__body__runs_once_and_its_result_is_the_answer),
		cmocka_unit_test(service__asked_to_stop__tells_the_handler),
		cmocka_unit_test(service__session_ends_or_begins__tells_the_handler_its_number),
		cmocka_unit_test(service__asked_to_reload__tells_the_handler_and_goes_on),
		cmocka_unit_test(service__harden__demands_the_test_root_on_linux),
		cmocka_unit_test(service__install_verbs__are_not_supported_on_linux),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
