#include "platform/win32/win32.h"

#include "platform/ipc_client.h"

struct ipc_speaker {
	HANDLE token; /* the thread's; NULL: it wore none */
};

enum result ipc_speaker_current(struct ipc_speaker **ret_speaker, struct fault *fault)
{
	AUTO(handle) HANDLE token = NULL;
	/* As self: the token that is worn need not be allowed to open itself. */
	if (!OpenThreadToken(GetCurrentThread(), TOKEN_IMPERSONATE | TOKEN_QUERY, TRUE, &token) &&
	    GetLastError() != ERROR_NO_TOKEN)
		return fault_win32(fault, GetLastError(), "remember who speaks");
	struct ipc_speaker *speaker = malloc(sizeof(*speaker));
	if (!speaker)
		return fault_set(fault, RESULT_NO_MEMORY, FAULT_FERRY, 0, "remember who speaks");
	speaker->token = TAKE(token);
	*ret_speaker = speaker;
	return RESULT_OK;
}

void ipc_speaker_free(struct ipc_speaker *speaker)
{
	if (!speaker)
		return;
	if (speaker->token)
		CloseHandle(speaker->token);
	free(speaker);
}

enum result ipc_speaker_wear(const struct ipc_speaker *speaker, struct fault *fault)
{
	/* A thread without a token speaks as its process. */
	if (SetThreadToken(NULL, speaker->token))
		return RESULT_OK;
	return fault_set(fault, RESULT_IDENTITY_LOST, FAULT_WIN32, (int64_t)GetLastError(), "speak as before");
}
