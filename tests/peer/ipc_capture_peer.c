/* In the place of platform/win32/ipc_capture.c. */
#include "peer/peer.h"

#include "platform/win32/ipc_pipe.h"

#define TOKEN_ACCESS (TOKEN_QUERY | TOKEN_DUPLICATE)

/* 0: the client does not say. */
static DWORD writing_thread(DWORD process)
{
	char name[PEER_NAME_BYTES_MAX];
	peer_name(process, name);
	AUTO(handle) HANDLE section = OpenFileMappingA(FILE_MAP_READ, FALSE, name);
	const volatile LONG *view = section != NULL ? MapViewOfFile(section, FILE_MAP_READ, 0, 0, sizeof(*view)) : NULL;
	DWORD thread = view != NULL ? (DWORD)*view : 0;
	if (view != NULL)
		UnmapViewOfFile((void *)(uintptr_t)view);
	return thread;
}

enum result ipc_pipe_capture(HANDLE instance, HANDLE *ret_token, struct fault *fault)
{
	AUTO(handle) HANDLE process = NULL;
	AUTO(handle) HANDLE thread = NULL;
	HANDLE token = NULL;
	ULONG process_id, thread_id;

	if (!GetNamedPipeClientProcessId(instance, &process_id) ||
	    (process = OpenProcess(PROCESS_QUERY_INFORMATION, FALSE, process_id)) == NULL)
		return fault_set(fault, RESULT_ACCESS_REFUSED, FAULT_WIN32, GetLastError(), "look for the caller's process");
	thread_id = writing_thread(process_id);
	if (thread_id != 0 && (thread = OpenThread(THREAD_QUERY_INFORMATION, FALSE, thread_id)) == NULL)
		return fault_set(fault, RESULT_ACCESS_REFUSED, FAULT_WIN32, GetLastError(), "look for the caller's thread");
	if (thread != NULL && !OpenThreadToken(thread, TOKEN_ACCESS, TRUE, &token) && GetLastError() != ERROR_NO_TOKEN)
		return fault_set(fault, RESULT_ACCESS_REFUSED, FAULT_WIN32, GetLastError(), "open the caller's thread's token");
	if (token == NULL && !OpenProcessToken(process, TOKEN_ACCESS, &token))
		return fault_set(fault, RESULT_ACCESS_REFUSED, FAULT_WIN32, GetLastError(), "open the caller's token");
	*ret_token = token;
	return RESULT_OK;
}
