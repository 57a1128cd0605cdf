#include "ground.h"

#include "platform/eventlog.h"

static void eventlog__opened__takes_a_report_or_is_not_supported(void **state)
{
	(void)state;
	AUTO(eventlog) struct eventlog *log = NULL;
	struct fault fault = { 0 };
	const char *inserts[] = { "one", "gr\xC3\xBC\xC3\x9F" };
	enum result result = eventlog_open("FerryTest", &log, &fault);
	if (result == RESULT_NOT_SUPPORTED) {
		assert_null(log);
		assert_int_equal(fault.result, RESULT_NOT_SUPPORTED);
		GROUND_SKIP("a report reaches the event log (there is none)");
	}
	assert_int_equal(result, RESULT_OK);
	assert_int_equal(eventlog_report(log, EVENTLOG_INFO, 1000, 2, inserts, &fault), RESULT_OK);
	assert_int_equal(eventlog_report(log, EVENTLOG_ERROR, 1001, 0, NULL, &fault), RESULT_OK);
	GROUND_CANNOT("what the log then holds (tests/windows)");
}

static void eventlog__nothing_to_free__is_fine(void **state)
{
	(void)state;
	eventlog_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(eventlog__opened__takes_a_report_or_is_not_supported),
		cmocka_unit_test(eventlog__nothing_to_free__is_fine),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
