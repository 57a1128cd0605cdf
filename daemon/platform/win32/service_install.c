/* platform/service: registration with the service control manager and the Event Log. */
#include "platform/service.h"

#include "platform/clock.h"
#include "platform/file.h"
#include "platform/win32/security.h"
#include "platform/win32/utf.h"

#define EVENTLOG_KEY L"SYSTEM\\CurrentControlSet\\Services\\EventLog"
#define EVENT_LOG_KEY EVENTLOG_KEY L"\\" SECURITY_SERVICE_NAME /* a log of Ferry's own, and in it the source of that name */
#define EVENT_SOURCE_KEY EVENT_LOG_KEY L"\\" SECURITY_SERVICE_NAME
#define OLD_SOURCE L"Application\\" SECURITY_SERVICE_NAME /* where the source was before; of two Windows takes either */
#define EVENT_LOG_BYTES_MAX (20u * 1024u * 1024u)
#define DISPLAY_NAME L"Ferry download service"
#define DESCRIPTION                                                                                                    \
	L"Downloads files in the background for programs and users, each with the identity it was asked by. "              \
	L"If it is stopped, downloads wait until it runs again."
#define FAILURE_RESET_S (24u * 60u * 60u)
#define PRESHUTDOWN_MS 20000u
#define STOP_WAIT_MS_MAX 60000
#define STOP_POLL_MS 100u

static void sc_cleanup(SC_HANDLE *handle)
{
	if (*handle != NULL)
		CloseServiceHandle(*handle);
}

static void key_cleanup(HKEY *key)
{
	if (*key != NULL)
		RegCloseKey(*key);
}

static enum result fault_manager(struct fault *fault, DWORD error, const char *what)
{
	switch (error) {
	case ERROR_ACCESS_DENIED:
		return fault_set(fault, RESULT_ACCESS_REFUSED, FAULT_WIN32, error, "%s: not as an administrator", what);
	case ERROR_SERVICE_EXISTS:
		return fault_set(fault, RESULT_ALREADY_INSTALLED, FAULT_WIN32, error, "%s", what);
	case ERROR_SERVICE_DOES_NOT_EXIST:
		return fault_set(fault, RESULT_NOT_INSTALLED, FAULT_WIN32, error, "%s", what);
	case ERROR_SERVICE_MARKED_FOR_DELETE:
		return fault_set(fault, RESULT_SYSTEM, FAULT_WIN32, error, "%s: it goes when its last user closes it", what);
	default:
		return fault_win32(fault, error, "%s", what);
	}
}

static enum result open_manager(DWORD access, SC_HANDLE *ret_manager, struct fault *fault)
{
	SC_HANDLE manager = OpenSCManagerW(NULL, NULL, access);

	if (manager == NULL)
		return fault_manager(fault, GetLastError(), "open the service manager");
	*ret_manager = manager;
	return RESULT_OK;
}

static enum result open_service(DWORD access, SC_HANDLE *ret_service, struct fault *fault)
{
	AUTO(sc) SC_HANDLE manager = NULL;
	enum result result = open_manager(SC_MANAGER_CONNECT, &manager, fault);

	if (result != RESULT_OK)
		return result;
	SC_HANDLE service = OpenServiceW(manager, SECURITY_SERVICE_NAME, access);
	if (service == NULL)
		return fault_manager(fault, GetLastError(), "open the service " SERVICE_NAME);
	*ret_service = service;
	return RESULT_OK;
}

/* This program's path, as it is and as the manager's command line: quoted, or a path with blanks would name another
 * program first. */
struct program {
	wchar_t *path, *command;
};

static void program_cleanup(struct program *program)
{
	free(program->path);
	free(program->command);
}

static enum result find_program(struct program *ret_program, struct fault *fault)
{
	static const wchar_t tail[] = L"\" service";
	AUTO(program) struct program program = { .path = calloc(UTF_PATH_CHARS_MAX + 1, sizeof(wchar_t)) };

	if (program.path == NULL)
		return fault_set(fault, RESULT_NO_MEMORY, FAULT_FERRY, 0, "find the running program");
	DWORD length = GetModuleFileNameW(NULL, program.path, UTF_PATH_CHARS_MAX);
	if (length == 0 || length >= UTF_PATH_CHARS_MAX)
		return fault_win32(fault, GetLastError(), "find the running program");
	program.command = calloc(1 + length + sizeof tail / sizeof tail[0], sizeof(wchar_t));
	if (program.command == NULL)
		return fault_set(fault, RESULT_NO_MEMORY, FAULT_FERRY, 0, "find the running program");
	program.command[0] = L'"';
	wmemcpy(program.command + 1, program.path, length);
	wmemcpy(program.command + 1 + length, tail, sizeof tail / sizeof tail[0]);
	*ret_program = program;
	program = (struct program){ .path = NULL };
	return RESULT_OK;
}

/* --- what is set on the service --- */

/* A level that this system's manager does not know is a warning; a refusal is a failure, since each of these carries
 * something: without the SID type, for one, the service could not own its pipe. */
static enum result set_level(SC_HANDLE service, DWORD level, void *information, const char *name,
                             struct buffer *warnings, struct fault *fault)
{
	if (ChangeServiceConfig2W(service, level, information))
		return RESULT_OK;
	DWORD error = GetLastError();
	if (error != ERROR_INVALID_LEVEL)
		return fault_win32(fault, error, "set the service's %s", name);
	return buffer_print(warnings, "%s: this system does not know it (error %lu)\n", name, error);
}

static enum result set_levels(SC_HANDLE service, struct buffer *warnings, struct fault *fault)
{
	wchar_t description[] = DESCRIPTION;
	wchar_t privileges[] = L"SeImpersonatePrivilege\0SeChangeNotifyPrivilege\0";
	SC_ACTION restarts[] = { { SC_ACTION_RESTART, 1000 }, { SC_ACTION_RESTART, 5000 }, { SC_ACTION_RESTART, 60000 } };
	SERVICE_DESCRIPTIONW described = { .lpDescription = description };
	SERVICE_DELAYED_AUTO_START_INFO delayed = { .fDelayedAutostart = TRUE };
	SERVICE_SID_INFO sid = { .dwServiceSidType = SERVICE_SID_TYPE_UNRESTRICTED };
	SERVICE_REQUIRED_PRIVILEGES_INFOW required = { .pmszRequiredPrivileges = privileges };
	SERVICE_FAILURE_ACTIONSW failure = {
		.dwResetPeriod = FAILURE_RESET_S,
		.cActions = sizeof restarts / sizeof restarts[0],
		.lpsaActions = restarts,
	};
	SERVICE_FAILURE_ACTIONS_FLAG errors_too = { .fFailureActionsOnNonCrashFailures = TRUE };
	SERVICE_PRESHUTDOWN_INFO preshutdown = { .dwPreshutdownTimeout = PRESHUTDOWN_MS };
	const struct {
		DWORD level;
		void *information;
		const char *name;
	} levels[] = {
		{ SERVICE_CONFIG_DESCRIPTION, &described, "description" },
		{ SERVICE_CONFIG_DELAYED_AUTO_START_INFO, &delayed, "delayed automatic start" },
		{ SERVICE_CONFIG_SERVICE_SID_INFO, &sid, "service SID" },
		{ SERVICE_CONFIG_REQUIRED_PRIVILEGES_INFO, &required, "required privileges" },
		{ SERVICE_CONFIG_FAILURE_ACTIONS, &failure, "restarts after a failure" },
		{ SERVICE_CONFIG_FAILURE_ACTIONS_FLAG, &errors_too, "restarts after an error" },
		{ SERVICE_CONFIG_PRESHUTDOWN_INFO, &preshutdown, "time before a shutdown" },
	};
	enum result result = RESULT_OK;

	for (size_t i = 0; i < sizeof levels / sizeof levels[0] && result == RESULT_OK; i++)
		result = set_level(service, levels[i].level, levels[i].information, levels[i].name, warnings, fault);
	return result;
}

static LSTATUS set_number(HKEY key, const wchar_t *name, DWORD number)
{
	return RegSetValueExW(key, name, 0, REG_DWORD, (const BYTE *)&number, sizeof number);
}

static LSTATUS set_text(HKEY key, const wchar_t *name, const wchar_t *text)
{
	return RegSetValueExW(key, name, 0, REG_SZ, (const BYTE *)text, (DWORD)((wcslen(text) + 1) * sizeof *text));
}

static LSTATUS make_key(const wchar_t *path, HKEY *ret_key)
{
	return RegCreateKeyExW(HKEY_LOCAL_MACHINE, path, 0, NULL, 0, KEY_SET_VALUE | KEY_WOW64_64KEY, NULL, ret_key, NULL);
}

/* `name` below the Event Log's key, and all that is in it. */
static LSTATUS remove_event_key(const wchar_t *name)
{
	AUTO(key) HKEY key = NULL;
	LSTATUS error = RegOpenKeyExW(HKEY_LOCAL_MACHINE, EVENTLOG_KEY, 0,
	                              DELETE | KEY_ENUMERATE_SUB_KEYS | KEY_QUERY_VALUE | KEY_SET_VALUE | KEY_WOW64_64KEY, &key);

	if (error == ERROR_SUCCESS)
		error = RegDeleteTreeW(key, name);
	return error == ERROR_FILE_NOT_FOUND ? ERROR_SUCCESS : error;
}

/* The program itself holds the message table. */
static enum result register_event_source(const wchar_t *program, struct fault *fault)
{
	AUTO(key) HKEY log = NULL;
	AUTO(key) HKEY source = NULL;
	LSTATUS error = remove_event_key(OLD_SOURCE);

	if (error == ERROR_SUCCESS)
		error = make_key(EVENT_LOG_KEY, &log);
	if (error == ERROR_SUCCESS)
		error = set_number(log, L"MaxSize", EVENT_LOG_BYTES_MAX);
	if (error == ERROR_SUCCESS)
		error = set_number(log, L"Retention", 0); /* the oldest give way */
	if (error == ERROR_SUCCESS)
		error = set_text(log, L"CustomSD", SECURITY_EVENT_LOG);
	if (error == ERROR_SUCCESS)
		error = make_key(EVENT_SOURCE_KEY, &source);
	if (error == ERROR_SUCCESS)
		error = set_text(source, L"EventMessageFile", program);
	if (error == ERROR_SUCCESS)
		error = set_number(source, L"TypesSupported",
		                   EVENTLOG_ERROR_TYPE | EVENTLOG_WARNING_TYPE | EVENTLOG_INFORMATION_TYPE);
	return error == ERROR_SUCCESS ? RESULT_OK : fault_manager(fault, (DWORD)error, "register the event source");
}

static enum result make_data_folder(struct fault *fault)
{
	char path[DESTINATION_BYTES_MAX];
	enum result result = file_data_folder(path, sizeof path, fault);

	return result == RESULT_OK ? file_make_private_folder(path, fault) : result;
}

static enum result set_all(SC_HANDLE service, const struct program *program, struct buffer *warnings,
                           struct fault *fault)
{
	enum result result = set_levels(service, warnings, fault);

	if (result == RESULT_OK)
		result = register_event_source(program->path, fault);
	return result == RESULT_OK ? make_data_folder(fault) : result;
}

/* --- the contract --- */

enum result service_install(struct buffer *warnings, struct fault *fault)
{
	AUTO(program) struct program program = { .path = NULL };
	AUTO(sc) SC_HANDLE manager = NULL;
	AUTO(sc) SC_HANDLE service = NULL;
	enum result result = find_program(&program, fault);

	if (result == RESULT_OK)
		result = open_manager(SC_MANAGER_CONNECT | SC_MANAGER_CREATE_SERVICE, &manager, fault);
	if (result != RESULT_OK)
		return result;
	service = CreateServiceW(manager, SECURITY_SERVICE_NAME, DISPLAY_NAME, SERVICE_ALL_ACCESS,
	                         SERVICE_WIN32_OWN_PROCESS, SERVICE_AUTO_START, SERVICE_ERROR_NORMAL, program.command, NULL,
	                         NULL, NULL, L"NT AUTHORITY\\NetworkService", NULL);
	if (service == NULL)
		return fault_manager(fault, GetLastError(), "install the service " SERVICE_NAME);
	result = set_all(service, &program, warnings, fault);
	/* Half a service is none: one without its own SID would run, and nobody could know it by its pipe. */
	if (result != RESULT_OK)
		DeleteService(service);
	return result;
}

/* The account stays as it is: it may have been made a group managed service account since (rule 25). */
enum result service_configure(struct buffer *warnings, struct fault *fault)
{
	AUTO(program) struct program program = { .path = NULL };
	AUTO(sc) SC_HANDLE service = NULL;
	enum result result = find_program(&program, fault);

	if (result == RESULT_OK)
		result = open_service(SERVICE_ALL_ACCESS, &service, fault);
	if (result != RESULT_OK)
		return result;
	if (!ChangeServiceConfigW(service, SERVICE_WIN32_OWN_PROCESS, SERVICE_AUTO_START, SERVICE_ERROR_NORMAL,
	                          program.command, NULL, NULL, NULL, NULL, NULL, DISPLAY_NAME))
		return fault_manager(fault, GetLastError(), "configure the service " SERVICE_NAME);
	return set_all(service, &program, warnings, fault);
}

/* The manager has no waiting on a stop that works everywhere, so it is asked again and again. */
static enum result stop_service(SC_HANDLE service, struct fault *fault)
{
	SERVICE_STATUS status;
	int64_t deadline_ms = clock_mono_ms() + STOP_WAIT_MS_MAX;

	if (!ControlService(service, SERVICE_CONTROL_STOP, &status) && GetLastError() != ERROR_SERVICE_NOT_ACTIVE &&
	    GetLastError() != ERROR_SERVICE_CANNOT_ACCEPT_CTRL)
		return fault_manager(fault, GetLastError(), "stop the service " SERVICE_NAME);
	while (QueryServiceStatus(service, &status) && status.dwCurrentState != SERVICE_STOPPED) {
		if (clock_mono_ms() >= deadline_ms)
			return fault_set(fault, RESULT_TIMED_OUT, FAULT_FERRY, status.dwCurrentState,
			                 "stop the service " SERVICE_NAME);
		Sleep(STOP_POLL_MS);
	}
	return RESULT_OK;
}

enum result service_uninstall(struct fault *fault)
{
	AUTO(sc) SC_HANDLE service = NULL;
	enum result result = open_service(SERVICE_STOP | SERVICE_QUERY_STATUS | DELETE, &service, fault);

	if (result == RESULT_OK)
		result = stop_service(service, fault);
	if (result != RESULT_OK)
		return result;
	if (!DeleteService(service))
		return fault_manager(fault, GetLastError(), "remove the service " SERVICE_NAME);
	LSTATUS error = remove_event_key(SECURITY_SERVICE_NAME);
	if (error != ERROR_SUCCESS)
		return fault_manager(fault, (DWORD)error, "remove the event source");
	return RESULT_OK;
}
