#include "platform/service.h"

#include "platform/win32/security.h"

_Static_assert(sizeof SECURITY_SERVICE_NAME / sizeof(wchar_t) == sizeof SERVICE_NAME, "one name for the service");

#define START_MS_MAX 30000u /* what the manager waits before it calls the start hung */
#define STOP_MS_MAX 30000u

/* ServiceMain and the console's handler are given no context, so what they work on stands here: one run at a time. */
static struct {
	SRWLOCK lock;
	const struct service_handler *handler; /* NULL: nobody is to be told */
	enum result (*body)(void *context);
	void *context;
	struct fault *fault;
	enum result result;
	SERVICE_STATUS_HANDLE manager; /* NULL in the foreground */
	SERVICE_STATUS status;
	HANDLE over; /* set when the body has returned; foreground only */
} run;

/* --- under the manager --- */

static void report(DWORD state, DWORD accepted, DWORD wait_ms, DWORD error, DWORD specific)
{
	AcquireSRWLockExclusive(&run.lock);
	if (run.manager != NULL && run.status.dwCurrentState != SERVICE_STOPPED) {
		/* A growing checkpoint says "still at it"; a settled state has none. */
		bool pending = wait_ms > 0;
		run.status = (SERVICE_STATUS){
			.dwServiceType = SERVICE_WIN32_OWN_PROCESS,
			.dwCurrentState = state,
			.dwControlsAccepted = accepted,
			.dwWin32ExitCode = error,
			.dwServiceSpecificExitCode = specific,
			.dwCheckPoint = pending ? run.status.dwCheckPoint + 1 : 0,
			.dwWaitHint = wait_ms,
		};
		SetServiceStatus(run.manager, &run.status);
	}
	ReleaseSRWLockExclusive(&run.lock);
}

static void tell_stop(void)
{
	AcquireSRWLockShared(&run.lock);
	if (run.handler != NULL)
		run.handler->stop(run.handler->context);
	ReleaseSRWLockShared(&run.lock);
}

static void tell_reload(void)
{
	AcquireSRWLockShared(&run.lock);
	if (run.handler != NULL)
		run.handler->reload(run.handler->context);
	ReleaseSRWLockShared(&run.lock);
}

static void tell_session(DWORD event, const WTSSESSION_NOTIFICATION *session)
{
	if (session == NULL)
		return;
	bool ended = event == WTS_SESSION_LOGOFF || event == 0xB /* WTS_SESSION_TERMINATE */;
	bool began = event == WTS_SESSION_LOGON || event == 0xA /* WTS_SESSION_CREATE */;
	AcquireSRWLockShared(&run.lock);
	if (run.handler != NULL && ended)
		run.handler->session_ended(run.handler->context, session->dwSessionId);
	else if (run.handler != NULL && began)
		run.handler->session_began(run.handler->context, session->dwSessionId);
	ReleaseSRWLockShared(&run.lock);
}

static DWORD WINAPI control(DWORD code, DWORD event, void *data, void *context)
{
	(void)context;
	switch (code) {
	case SERVICE_CONTROL_STOP:
	case SERVICE_CONTROL_PRESHUTDOWN:
	case SERVICE_CONTROL_SHUTDOWN:
		report(SERVICE_STOP_PENDING, 0, STOP_MS_MAX, NO_ERROR, 0);
		tell_stop();
		return NO_ERROR;
	case SERVICE_CONTROL_SESSIONCHANGE:
		tell_session(event, data);
		return NO_ERROR;
	case SERVICE_CONTROL_PARAMCHANGE: /* needs SERVICE_PAUSE_CONTINUE: by the usual DACL an administrator's or the system's */
		tell_reload();
		return NO_ERROR;
	case SERVICE_CONTROL_INTERROGATE:
		return NO_ERROR;
	default:
		return ERROR_CALL_NOT_IMPLEMENTED;
	}
}

static void WINAPI service_main(DWORD count, wchar_t **arguments)
{
	(void)count;
	(void)arguments;
	SERVICE_STATUS_HANDLE manager = RegisterServiceCtrlHandlerExW(SECURITY_SERVICE_NAME, control, NULL);
	if (manager == NULL) {
		run.result = fault_win32(run.fault, GetLastError(), "register with the service manager");
		return;
	}
	AcquireSRWLockExclusive(&run.lock);
	run.manager = manager;
	ReleaseSRWLockExclusive(&run.lock);
	report(SERVICE_START_PENDING, 0, START_MS_MAX, NO_ERROR, 0);
	security_declare_service();
	/* The manager's library made this thread, open to all of our account (rule 17). */
	run.result = security_close_object(GetCurrentThread(), THREAD_ALL_ACCESS, run.fault);
	if (run.result == RESULT_OK)
		run.result = run.body(run.context);
	/* An exit that says why is an error to the manager, and with SERVICE_FAILURE_ACTIONS_FLAG one that is acted on. */
	if (run.result == RESULT_OK)
		report(SERVICE_STOPPED, 0, 0, NO_ERROR, 0);
	else
		report(SERVICE_STOPPED, 0, 0, ERROR_SERVICE_SPECIFIC_ERROR, (DWORD)run.result);
}

static enum result run_under_manager(struct fault *fault)
{
	wchar_t name[] = SECURITY_SERVICE_NAME;
	SERVICE_TABLE_ENTRYW table[] = { { name, service_main }, { NULL, NULL } };

	if (!StartServiceCtrlDispatcherW(table))
		return fault_win32(fault, GetLastError(), "reach the service manager (it alone runs 'ferryd service')");
	return run.result;
}

/* --- in the foreground --- */

static BOOL WINAPI console_control(DWORD event)
{
	tell_stop();
	/* After these the system ends the process as soon as we return. */
	if (event != CTRL_C_EVENT && event != CTRL_BREAK_EVENT)
		WaitForSingleObject(run.over, STOP_MS_MAX);
	return TRUE;
}

static enum result run_in_foreground(struct fault *fault)
{
	/* Kept for the life of the process: a handler's thread may still wait for it. */
	if (run.over == NULL)
		run.over = CreateEventW(NULL, TRUE, FALSE, NULL);
	if (run.over == NULL || !ResetEvent(run.over) || !SetConsoleCtrlHandler(console_control, TRUE))
		return fault_win32(fault, GetLastError(), "listen for Ctrl-C");
	enum result result = run.body(run.context);
	SetEvent(run.over);
	SetConsoleCtrlHandler(console_control, FALSE);
	return result;
}

/* --- the contract --- */

enum result service_run(bool console, const struct service_handler *handler, enum result (*body)(void *context),
                        void *context, struct fault *fault)
{
	AcquireSRWLockExclusive(&run.lock);
	run.handler = handler;
	run.body = body;
	run.context = context;
	run.fault = fault;
	run.result = RESULT_SYSTEM;
	ReleaseSRWLockExclusive(&run.lock);
	enum result result = console ? run_in_foreground(fault) : run_under_manager(fault);
	/* Whoever tells holds the lock: from here on the handler may go. */
	AcquireSRWLockExclusive(&run.lock);
	run.handler = NULL;
	ReleaseSRWLockExclusive(&run.lock);
	return result;
}

void service_running(void)
{
	report(SERVICE_RUNNING,
	       SERVICE_ACCEPT_STOP | SERVICE_ACCEPT_PRESHUTDOWN | SERVICE_ACCEPT_SHUTDOWN | SERVICE_ACCEPT_SESSIONCHANGE |
	               SERVICE_ACCEPT_PARAMCHANGE,
	       0, NO_ERROR, 0);
}

