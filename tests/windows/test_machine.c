/* What Windows says of the process and its domain, for ferry doctor: Wine is in no domain, and its tokens are made up. */
#include "windows_only.h"

#include <string.h>

#include "core/doctor.h"
#include "platform/clock.h"
#include "platform/machine.h"

static void privileges__of_the_process__are_named(void **state)
{
	(void)state;
	char names[DOCTOR_PRIVILEGES_BYTES_MAX];
	struct fault fault;
	assert_int_equal(machine_system->privileges(names, sizeof(names), &fault), RESULT_OK);
	assert_non_null(strstr(names, "SeChangeNotifyPrivilege"));
	assert_non_null(strstr(names, "SeImpersonatePrivilege")); /* an elevated administrator has it */
	assert_null(strstr(names, "  "));
	assert_int_equal(machine_system->privileges(names, 10, &fault), RESULT_TOO_LONG);
}

static void domain__and_its_controller__are_found_or_there_is_none(void **state)
{
	(void)state;
	char domain[DOCTOR_NAME_BYTES_MAX], kdc[DOCTOR_NAME_BYTES_MAX];
	struct fault fault = { .what = "" };
	int64_t theirs_ms = 0;
	assert_int_equal(machine_system->domain(domain, sizeof(domain), &fault), RESULT_OK);
	if (domain[0] == '\0') {
		assert_int_not_equal(machine_system->find_kdc(kdc, sizeof(kdc), &fault), RESULT_OK);
		printf("SKIPPED on this ground: a domain controller and its clock (shown by a member of a domain)\n");
		return;
	}
	if (machine_system->find_kdc(kdc, sizeof(kdc), &fault) != RESULT_OK)
		fail_msg("%s", fault.what);
	assert_int_not_equal(kdc[0], '\\');
	if (machine_system->ask_time(kdc, &theirs_ms, &fault) != RESULT_OK)
		fail_msg("%s", fault.what);
	int64_t off_ms = theirs_ms - clock_wall_ms();
	assert_true(off_ms > -3600000 && off_ms < 3600000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(privileges__of_the_process__are_named),
		cmocka_unit_test(domain__and_its_controller__are_found_or_there_is_none),
	};
	if (must_skip("privileges, the domain and its controller"))
		return SKIPPED_PROGRAM;
	return cmocka_run_group_tests_name("windows/machine", tests, NULL, NULL);
}
