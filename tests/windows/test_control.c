/* Who may have a service read its configuration again: whoever may control it, by the access list that a new one gets. */
#include "windows_only.h"

#define NAME L"FerryTestControl"

static DWORD open_with(DWORD access)
{
	SC_HANDLE manager = OpenSCManagerW(NULL, NULL, SC_MANAGER_CONNECT);
	SC_HANDLE service = manager != NULL ? OpenServiceW(manager, NAME, access) : NULL;
	DWORD error = service != NULL ? NO_ERROR : GetLastError();
	if (service != NULL)
		CloseServiceHandle(service);
	if (manager != NULL)
		CloseServiceHandle(manager);
	return error;
}

struct opening {
	DWORD control, look;
};

static void open_both(void *argument)
{
	*(struct opening *)argument = (struct opening){ open_with(SERVICE_PAUSE_CONTINUE), open_with(SERVICE_QUERY_STATUS) };
}

/* As ferryd install makes it: nothing is said of its access list. */
static void service__as_installed__is_controlled_by_administrators_only(void **state)
{
	(void)state;
	SC_HANDLE manager = OpenSCManagerW(NULL, NULL, SC_MANAGER_CREATE_SERVICE);
	assert_non_null(manager);
	SC_HANDLE service = CreateServiceW(manager, NAME, NULL, SERVICE_ALL_ACCESS, SERVICE_WIN32_OWN_PROCESS, SERVICE_DEMAND_START,
	                                   SERVICE_ERROR_NORMAL, L"\"C:\\Windows\\System32\\cmd.exe\"", NULL, NULL, NULL, NULL, NULL);
	assert_non_null(service);
	struct opening own, lesser = { 0 };
	AUTO(identity) struct identity *identity = lesser_identity(false);
	open_both(&own);
	act_as(identity, open_both, &lesser);
	assert_true(DeleteService(service));
	CloseServiceHandle(service);
	CloseServiceHandle(manager);
	assert_int_equal(own.control, NO_ERROR);
	assert_int_equal(lesser.look, NO_ERROR);
	assert_int_equal(lesser.control, ERROR_ACCESS_DENIED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(service__as_installed__is_controlled_by_administrators_only),
	};
	if (must_skip("who may control a service"))
		return SKIPPED_PROGRAM;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
