/* Ferry as its package, or `ferryd install`, left it on this machine (rules 22 and 23): run it after `msiexec /i`, and again
 * after an upgrade. */
#include "windows_only.h"

#include <aclapi.h>
#include <stdlib.h>
#include <string.h>

#include "platform/file.h"
#include "platform/win32/utf.h"

#define PATHS L"SYSTEM\\CurrentControlSet\\Control\\Session Manager\\Environment"
#define SOURCE L"SYSTEM\\CurrentControlSet\\Services\\EventLog\\Ferry\\Ferry"
#define ANSWER_BYTES_MAX 8192u

static SC_HANDLE manager, service;
static wchar_t folder[MAX_PATH]; /* the program's, with its last backslash */

static bool find(void)
{
	_Alignas(QUERY_SERVICE_CONFIGW) BYTE answer[ANSWER_BYTES_MAX];
	QUERY_SERVICE_CONFIGW *config = (void *)answer;
	DWORD size;

	manager = OpenSCManagerW(NULL, NULL, SC_MANAGER_CONNECT);
	service = manager != NULL ? OpenServiceW(manager, L"Ferry", SERVICE_QUERY_CONFIG | SERVICE_QUERY_STATUS) : NULL;
	if (service == NULL || !QueryServiceConfigW(service, config, sizeof(answer), &size))
		return false;
	wchar_t *last = wcsrchr(config->lpBinaryPathName, L'\\');
	if (config->lpBinaryPathName[0] != L'"' || last == NULL || last - config->lpBinaryPathName >= MAX_PATH)
		return false;
	wmemcpy(folder, config->lpBinaryPathName + 1, (size_t)(last - config->lpBinaryPathName));
	return true;
}

static void *level(DWORD number, BYTE answer[ANSWER_BYTES_MAX])
{
	DWORD size;
	assert_true(QueryServiceConfig2W(service, number, answer, ANSWER_BYTES_MAX, &size));
	return answer;
}

static void service__as_installed__has_its_account_sid_and_two_privileges(void **state)
{
	(void)state;
	static const wchar_t two[] = L"SeImpersonatePrivilege\0SeChangeNotifyPrivilege\0";
	_Alignas(QUERY_SERVICE_CONFIGW) BYTE answer[ANSWER_BYTES_MAX];
	QUERY_SERVICE_CONFIGW *config = (void *)answer;
	DWORD size;
	assert_true(QueryServiceConfigW(service, config, sizeof(answer), &size));
	assert_int_equal(_wcsicmp(config->lpServiceStartName, L"NT AUTHORITY\\NetworkService"), 0);
	assert_int_equal(config->dwServiceType, SERVICE_WIN32_OWN_PROCESS);
	assert_int_equal(config->dwStartType, SERVICE_AUTO_START);
	SERVICE_SID_INFO *sid = level(SERVICE_CONFIG_SERVICE_SID_INFO, answer);
	assert_int_equal(sid->dwServiceSidType, SERVICE_SID_TYPE_UNRESTRICTED);
	SERVICE_REQUIRED_PRIVILEGES_INFOW *privileges = level(SERVICE_CONFIG_REQUIRED_PRIVILEGES_INFO, answer);
	assert_memory_equal(privileges->pmszRequiredPrivileges, two, sizeof(two));
}

static void service__as_installed__runs_and_is_restarted(void **state)
{
	(void)state;
	_Alignas(QUERY_SERVICE_CONFIGW) BYTE answer[ANSWER_BYTES_MAX];
	SERVICE_STATUS status;
	SERVICE_DELAYED_AUTO_START_INFO *delayed = level(SERVICE_CONFIG_DELAYED_AUTO_START_INFO, answer);
	assert_true(delayed->fDelayedAutostart);
	SERVICE_FAILURE_ACTIONSW *failure = level(SERVICE_CONFIG_FAILURE_ACTIONS, answer);
	assert_int_equal(failure->cActions, 3);
	assert_int_equal(failure->lpsaActions[0].Type, SC_ACTION_RESTART);
	SERVICE_FAILURE_ACTIONS_FLAG *errors = level(SERVICE_CONFIG_FAILURE_ACTIONS_FLAG, answer);
	assert_true(errors->fFailureActionsOnNonCrashFailures);
	assert_true(QueryServiceStatus(service, &status));
	assert_int_equal(status.dwCurrentState, SERVICE_RUNNING);
}

struct attempt {
	wchar_t program[2 * MAX_PATH], data[2 * MAX_PATH];
	DWORD program_error, data_error;
};

static DWORD make_file(const wchar_t *path)
{
	HANDLE file = CreateFileW(path, GENERIC_WRITE, 0, NULL, CREATE_NEW, FILE_FLAG_DELETE_ON_CLOSE, NULL);
	if (file == INVALID_HANDLE_VALUE)
		return GetLastError();
	CloseHandle(file);
	return NO_ERROR;
}

static void make_files(void *argument)
{
	struct attempt *attempt = argument;
	attempt->program_error = make_file(attempt->program);
	attempt->data_error = make_file(attempt->data);
}

static void folders__as_installed__are_administrators_to_write(void **state)
{
	(void)state;
	struct attempt attempt = { .program_error = NO_ERROR };
	char data[DESTINATION_BYTES_MAX + 1];
	wchar_t *wide = NULL;
	struct fault fault = { .what = "" };
	AUTO(identity) struct identity *identity = lesser_identity(false);
	assert_int_equal(file_data_folder(data, sizeof(data), &fault), RESULT_OK);
	assert_int_equal(utf_to_wide(text_view(data), "folder", &wide, &fault), RESULT_OK);
	swprintf(attempt.program, sizeof(attempt.program) / sizeof(wchar_t), L"%lsversion.dll", folder);
	swprintf(attempt.data, sizeof(attempt.data) / sizeof(wchar_t), L"%ls\\ferry-test.txt", wide);
	act_as(identity, make_files, &attempt);
	assert_int_equal(attempt.program_error, ERROR_ACCESS_DENIED);
	assert_int_equal(attempt.data_error, ERROR_ACCESS_DENIED);

	PSID owner = NULL;
	PACL dacl = NULL;
	PSECURITY_DESCRIPTOR descriptor = NULL;
	SECURITY_DESCRIPTOR_CONTROL control;
	DWORD revision;
	struct sid ferry;
	assert_int_equal(GetNamedSecurityInfoW(wide, SE_FILE_OBJECT, OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION,
	                                       &owner, NULL, &dacl, NULL, &descriptor),
	                 ERROR_SUCCESS);
	assert_int_equal(security_ferry_sid(&ferry, &fault), RESULT_OK);
	assert_true(IsWellKnownSid(owner, WinBuiltinAdministratorsSid) || EqualSid(owner, &ferry.sid));
	assert_true(GetSecurityDescriptorControl(descriptor, &control, &revision));
	assert_true((control & SE_DACL_PROTECTED) != 0);
	assert_int_equal(dacl->AceCount, 3);
	LocalFree(descriptor);
	free(wide);
}

static void machine__as_installed__finds_program_and_messages(void **state)
{
	(void)state;
	static wchar_t value[32768];
	wchar_t program[2 * MAX_PATH];
	DWORD size = sizeof(value);
	assert_int_equal(RegGetValueW(HKEY_LOCAL_MACHINE, PATHS, L"Path",
	                              RRF_RT_REG_SZ | RRF_RT_REG_EXPAND_SZ | RRF_NOEXPAND, NULL, value, &size),
	                 ERROR_SUCCESS);
	assert_non_null(wcsstr(value, folder));
	size = sizeof(value);
	assert_int_equal(RegGetValueW(HKEY_LOCAL_MACHINE, SOURCE, L"EventMessageFile", RRF_RT_REG_SZ, NULL, value, &size),
	                 ERROR_SUCCESS);
	swprintf(program, sizeof(program) / sizeof(wchar_t), L"%lsferryd.exe", folder);
	assert_int_equal(_wcsicmp(value, program), 0);
}

static void open_log(void *argument)
{
	DWORD *errors = argument;
	HANDLE log = OpenEventLogW(NULL, L"Ferry");
	errors[0] = log != NULL ? NO_ERROR : GetLastError();
	if (log != NULL)
		CloseEventLog(log);
	log = RegisterEventSourceW(NULL, L"Ferry");
	errors[1] = log != NULL ? NO_ERROR : GetLastError();
	if (log != NULL)
		DeregisterEventSource(log);
}

static void event_log__as_installed__is_not_everybodys(void **state)
{
	(void)state;
	DWORD errors[2];
	AUTO(identity) struct identity *identity = lesser_identity(false);
	act_as(identity, open_log, errors);
	assert_int_equal(errors[0], ERROR_ACCESS_DENIED);
	assert_int_equal(errors[1], ERROR_ACCESS_DENIED);
	open_log(errors);
	assert_int_equal(errors[0], NO_ERROR);
	assert_int_equal(errors[1], NO_ERROR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(service__as_installed__has_its_account_sid_and_two_privileges),
		cmocka_unit_test(service__as_installed__runs_and_is_restarted),
		cmocka_unit_test(folders__as_installed__are_administrators_to_write),
		cmocka_unit_test(machine__as_installed__finds_program_and_messages),
		cmocka_unit_test(event_log__as_installed__is_not_everybodys),
	};
	if (must_skip("what the installer leaves on the machine"))
		return SKIPPED_PROGRAM;
	if (!find()) {
		printf("SKIPPED: Ferry is not installed on this machine\n");
		return SKIPPED_PROGRAM;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
