#include "platform/win32/ipc_pipe.h"

#include <aclapi.h>

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
 *   S:(ML;;NWNR;;;ME)  nobody below medium integrity opens it */
#define PIPE_SDDL "O:%sG:%sD:P(A;;FA;;;%s)(A;;0x12019b;;;AU)(A;;RC;;;OW)S:(ML;;NWNR;;;ME)"

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
	/* Somebody listens.  The first instance decides; asking before gives the common case its name, and Wine, which ignores
	 * the flag, its only answer. */
	if (WaitNamedPipeW(pipe.name, 1))
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

static HANDLE make_instance(const struct ipc_pipe *pipe, DWORD flags)
{
	SECURITY_ATTRIBUTES attributes = { .nLength = sizeof attributes, .lpSecurityDescriptor = pipe->descriptor };

	return CreateNamedPipeW(pipe->name, PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED | flags,
	                        PIPE_TYPE_MESSAGE | PIPE_READMODE_MESSAGE | PIPE_WAIT | PIPE_REJECT_REMOTE_CLIENTS,
	                        PIPE_UNLIMITED_INSTANCES, PIPE_BUFFER_BYTES, PIPE_BUFFER_BYTES, 0, &attributes);
}

static bool same_list(PACL a, PACL b)
{
	ACL_SIZE_INFORMATION of_a, of_b;

	return a != NULL && b != NULL && GetAclInformation(a, &of_a, sizeof of_a, AclSizeInformation) &&
	       GetAclInformation(b, &of_b, sizeof of_b, AclSizeInformation) && of_a.AclBytesInUse == of_b.AclBytesInUse &&
	       memcmp(a + 1, b + 1, of_a.AclBytesInUse - sizeof *a) == 0;
}

/* A name lives as long as any handle to it, a client's of the Ferry before us included.  It is ours if the owner is, which
 * nobody else can be, and if the list is what we would have given it. */
static enum result check_ours(const struct ipc_pipe *pipe, HANDLE instance, struct fault *fault)
{
	AUTO(local) PSECURITY_DESCRIPTOR descriptor = NULL;
	PSID owner = NULL, wanted_owner = NULL;
	PACL list = NULL, wanted_list = NULL;
	BOOL ignored;
	DWORD error = GetSecurityInfo(instance, SE_KERNEL_OBJECT, OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION,
	                              &owner, NULL, &list, NULL, &descriptor);

	if (error != ERROR_SUCCESS)
		return fault_win32(fault, error, "read the pipe's rights");
	if (GetSecurityDescriptorOwner(pipe->descriptor, &wanted_owner, &ignored) &&
	    GetSecurityDescriptorDacl(pipe->descriptor, &ignored, &wanted_list, &ignored) && owner != NULL &&
	    EqualSid(owner, wanted_owner) && same_list(list, wanted_list))
		return RESULT_OK;
	return fault_set(fault, RESULT_ALREADY_RUNNING, FAULT_FERRY, 0, "the pipe's name is somebody else's");
}

enum result ipc_pipe_instance(const struct ipc_pipe *pipe, bool first, HANDLE *ret_instance, struct fault *fault)
{
	HANDLE instance = make_instance(pipe, first ? FILE_FLAG_FIRST_PIPE_INSTANCE : 0);
	enum result result = RESULT_OK;

	if (instance == INVALID_HANDLE_VALUE && first && GetLastError() == ERROR_ACCESS_DENIED) {
		instance = make_instance(pipe, 0);
		if (instance == INVALID_HANDLE_VALUE)
			return fault_set(fault, RESULT_ALREADY_RUNNING, FAULT_WIN32, GetLastError(), "make the pipe");
		result = check_ours(pipe, instance, fault);
	}
	if (instance == INVALID_HANDLE_VALUE)
		return fault_win32(fault, GetLastError(), "make an instance of the pipe");
	if (result == RESULT_OK)
		*ret_instance = TAKE(instance);
	handle_cleanup(&instance);
	return result;
}

/* As the client, whose process says whom it lets look: NetworkService is not among them.  What a thread wears already it
 * keeps: reverting would leave it bare. */
static HANDLE open_process(HANDLE instance, DWORD id)
{
	AUTO(handle) HANDLE worn = NULL;

	if (OpenThreadToken(GetCurrentThread(), TOKEN_QUERY, TRUE, &worn) || GetLastError() != ERROR_NO_TOKEN ||
	    !ImpersonateNamedPipeClient(instance))
		return NULL;
	HANDLE process = OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, FALSE, id);
	if (!RevertToSelf())
		TerminateProcess(GetCurrentProcess(), ERROR_CANNOT_IMPERSONATE);
	return process;
}

/* A process's number is given anew when it has ended: one that began after the pipe was opened did not open it. */
static bool is_older(HANDLE process, uint64_t connected)
{
	FILETIME began, ended, kernel, user;

	return GetProcessTimes(process, &began, &ended, &kernel, &user) &&
	       ((uint64_t)began.dwHighDateTime << 32 | began.dwLowDateTime) <= connected;
}

uint32_t ipc_pipe_process(HANDLE instance, uint64_t connected, char *image, size_t size)
{
	ULONG id = 0;
	wchar_t path[JOB_PROGRAM_BYTES_MAX]; /* what is longer does not fit as UTF-8 either */
	DWORD length = JOB_PROGRAM_BYTES_MAX;

	image[0] = '\0';
	if (!GetNamedPipeClientProcessId(instance, &id))
		return 0;
	AUTO(handle) HANDLE process = open_process(instance, id);
	if (process == NULL || !is_older(process, connected) || !QueryFullProcessImageNameW(process, 0, path, &length) ||
	    utf_from_wide(path, length, image, size, "a program's path", NULL) != RESULT_OK)
		image[0] = '\0';
	return (uint32_t)id;
}
