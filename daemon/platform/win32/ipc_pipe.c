#include "platform/win32/ipc_pipe.h"

#include "platform/win32/security.h"
#include "platform/win32/utf.h"

/* What one side may have written that the other has not read.  A larger message waits in the kernel while it is read,
 * so this bounds memory and not messages. */
#define PIPE_BUFFER_BYTES (64u * 1024u)

/* Rule 3, literally.  %1$s is NT SERVICE\Ferry; under `ferryd console` the process's user, who can own nothing else,
 * and whom clients accept only when told to.
 *   O:, G:             by the owner clients know whom they talk to before they write
 *   D:P                nothing is inherited
 *   (A;;FA;;;Ferry)    the service makes the instances
 *   (A;;0x12019b;;;AU) everybody who has logged on may talk, and make no instance
 *   (A;;RC;;;OW)       being the owner gives no right to change this
 *   S:(ML;;NW;;;ME)    nobody below medium integrity writes */
#define PIPE_SDDL "O:%sG:%sD:P(A;;FA;;;%s)(A;;0x12019b;;;AU)(A;;RC;;;OW)S:(ML;;NW;;;ME)"

static enum result build_descriptor(PSECURITY_DESCRIPTOR *ret_descriptor, struct fault *fault)
{
	struct sid sid;
	char ferry[SID_TEXT_BYTES_MAX], sddl[SDDL_BYTES_MAX];
	enum result result =
		security_is_declared_service() ? security_ferry_sid(&sid, fault) : security_process_user(&sid, fault);

	if (result == RESULT_OK)
		result = security_sid_text(&sid.sid, ferry, fault);
	if (result == RESULT_OK)
		result = text_format(sddl, sizeof sddl, PIPE_SDDL, ferry, ferry, ferry);
	return result == RESULT_OK ? security_descriptor(sddl, ret_descriptor, fault) : result;
}

enum result ipc_pipe_prepare(const char *address, struct ipc_pipe *ret_pipe, struct fault *fault)
{
	AUTO(ipc_pipe) struct ipc_pipe pipe = { .name = NULL };
	enum result result = utf_to_wide(text_view(address), "pipe name", &pipe.name, fault);

	if (result == RESULT_OK)
		result = build_descriptor(&pipe.descriptor, fault);
	if (result != RESULT_OK)
		return result;
	/* The first instance decides; asking before gives the common case its name, and Wine, which ignores the flag, its
	 * only answer. */
	if (WaitNamedPipeW(pipe.name, 1) || GetLastError() == ERROR_SEM_TIMEOUT)
		return fault_set(fault, RESULT_ALREADY_RUNNING, FAULT_FERRY, 0, "listen on %s", address);
	*ret_pipe = pipe;
	pipe = (struct ipc_pipe){ .name = NULL };
	return RESULT_OK;
}

void ipc_pipe_done(struct ipc_pipe *pipe)
{
	free(pipe->name);
	LocalFree(pipe->descriptor);
	*pipe = (struct ipc_pipe){ .name = NULL };
}

enum result ipc_pipe_instance(const struct ipc_pipe *pipe, bool first, HANDLE *ret_instance, struct fault *fault)
{
	SECURITY_ATTRIBUTES attributes = { .nLength = sizeof attributes, .lpSecurityDescriptor = pipe->descriptor };
	DWORD mode = PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED;
	HANDLE instance;

	if (first)
		mode |= FILE_FLAG_FIRST_PIPE_INSTANCE;
	instance = CreateNamedPipeW(pipe->name, mode,
	                            PIPE_TYPE_MESSAGE | PIPE_READMODE_MESSAGE | PIPE_WAIT | PIPE_REJECT_REMOTE_CLIENTS,
	                            PIPE_UNLIMITED_INSTANCES, PIPE_BUFFER_BYTES, PIPE_BUFFER_BYTES, 0, &attributes);
	if (instance == INVALID_HANDLE_VALUE && first && GetLastError() == ERROR_ACCESS_DENIED)
		return fault_set(fault, RESULT_ALREADY_RUNNING, FAULT_WIN32, ERROR_ACCESS_DENIED, "make the pipe");
	if (instance == INVALID_HANDLE_VALUE)
		return fault_win32(fault, GetLastError(), "make an instance of the pipe");
	*ret_instance = instance;
	return RESULT_OK;
}
