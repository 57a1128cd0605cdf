/* Whose message it was, and nothing else: a test build puts a file of its own in the place of this one, since Wine never
 * tells a server its client's token (docs/testing.md). */
#include "platform/win32/ipc_pipe.h"

enum result ipc_pipe_capture(HANDLE instance, HANDLE *ret_token, struct fault *fault)
{
	AUTO(handle) HANDLE token = NULL;

	/* Reverting would take off what the thread wears and leave it bare. */
	if (OpenThreadToken(GetCurrentThread(), TOKEN_QUERY, TRUE, &token) || GetLastError() != ERROR_NO_TOKEN)
		return fault_set(fault, RESULT_INVALID_STATE, FAULT_FERRY, 0, "a worker may not capture a caller");
	if (!ImpersonateNamedPipeClient(instance))
		return fault_set(fault, RESULT_ACCESS_REFUSED, FAULT_WIN32, GetLastError(), "impersonate the caller");
	DWORD error = OpenThreadToken(GetCurrentThread(), TOKEN_QUERY | TOKEN_DUPLICATE, TRUE, &token) ? ERROR_SUCCESS
	                                                                                               : GetLastError();
	/* A thread of the service that stays somebody else must not run another instruction. */
	if (!RevertToSelf())
		TerminateProcess(GetCurrentProcess(), ERROR_CANNOT_IMPERSONATE);
	if (error == ERROR_CANT_OPEN_ANONYMOUS)
		return fault_set(fault, RESULT_NOT_LENT, FAULT_WIN32, error, "token-impersonation: the token is anonymous");
	if (error != ERROR_SUCCESS)
		return fault_set(fault, RESULT_ACCESS_REFUSED, FAULT_WIN32, error, "open the caller's token");
	*ret_token = TAKE(token);
	return RESULT_OK;
}
