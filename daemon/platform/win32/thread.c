#include "platform/win32/thread_win32.h"

#include <process.h>
#include <string.h>

#include "platform/win32/security.h"
#include "platform/win32/utf.h"

static unsigned __stdcall thread_main(void *argument)
{
	struct thread *thread = argument;

	thread->run(thread->argument);
	return 0;
}

/* Only for debuggers, and newer than the oldest Windows that we run on: absent or failing is fine. */
static void thread_name(HANDLE thread, const char *name)
{
	typedef HRESULT(WINAPI * set_description)(HANDLE, PCWSTR);
	AUTO(memory) wchar_t *wide = NULL;
	HMODULE kernel = GetModuleHandleW(L"kernel32.dll");
	FARPROC found = kernel != NULL ? GetProcAddress(kernel, "SetThreadDescription") : NULL;
	set_description describe;

	if (found == NULL || utf_to_wide(text_view(name), "thread name", &wide, NULL) != RESULT_OK)
		return;
	memcpy(&describe, &found, sizeof describe);
	(void)describe(thread, wide);
}

enum result thread_start(const char *name, void (*run)(void *argument), void *argument, struct thread **ret_thread,
                         struct fault *fault)
{
	AUTO(local) PSECURITY_DESCRIPTOR descriptor = NULL;
	enum result result = security_private_object(THREAD_ALL_ACCESS, &descriptor, fault);

	if (result != RESULT_OK)
		return result;
	AUTO(memory) struct thread *thread = calloc(1, sizeof *thread);
	if (thread == NULL)
		return fault_set(fault, RESULT_NO_MEMORY, FAULT_FERRY, 0, "start thread %s", name);
	thread->run = run;
	thread->argument = argument;
	SECURITY_ATTRIBUTES attributes = { .nLength = sizeof attributes, .lpSecurityDescriptor = descriptor };
	/* Suspended until the name and the handle are in place: the thread may be over before we return. */
	uintptr_t handle = _beginthreadex(&attributes, 0, thread_main, thread, CREATE_SUSPENDED, NULL);
	if (handle == 0)
		return fault_win32(fault, (uint32_t)_doserrno, "start thread %s", name);
	thread->handle = (HANDLE)handle; /* NOLINT(performance-no-int-to-ptr): the C runtime's own way to return it */
	thread_name(thread->handle, name);
	ResumeThread(thread->handle);
	*ret_thread = TAKE(thread);
	return RESULT_OK;
}

void thread_join(struct thread *thread)
{
	if (thread == NULL)
		return;
	WaitForSingleObject(thread->handle, INFINITE);
	CloseHandle(thread->handle);
	free(thread);
}

struct mutex {
	SRWLOCK lock;
};

struct mutex *mutex_new(void)
{
	return calloc(1, sizeof(struct mutex)); /* SRWLOCK_INIT is zero */
}

void mutex_free(struct mutex *mutex)
{
	free(mutex);
}

void mutex_lock(struct mutex *mutex)
{
	AcquireSRWLockExclusive(&mutex->lock);
}

void mutex_unlock(struct mutex *mutex)
{
	ReleaseSRWLockExclusive(&mutex->lock);
}

struct condition {
	CONDITION_VARIABLE variable;
};

struct condition *condition_new(void)
{
	return calloc(1, sizeof(struct condition)); /* CONDITION_VARIABLE_INIT is zero */
}

void condition_free(struct condition *condition)
{
	free(condition);
}

void condition_signal(struct condition *condition)
{
	WakeConditionVariable(&condition->variable);
}

void condition_wait(struct condition *condition, struct mutex *mutex, int64_t timeout_ms)
{
	/* INFINITE is UINT32_MAX; a finite wait is cut below it, and waking early is allowed. */
	DWORD wait = timeout_ms < 0 ? INFINITE : timeout_ms >= INT32_MAX ? INT32_MAX : (DWORD)timeout_ms;

	(void)SleepConditionVariableSRW(&condition->variable, &mutex->lock, wait, 0);
}
