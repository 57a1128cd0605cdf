#include "platform/ipc_client.h"

#include <stdatomic.h>
#include <string.h>

#include "platform/clock.h"
#include "platform/win32/security.h"
#include "platform/win32/utf.h"

/* Rule 3: read and write, without FILE_CREATE_PIPE_INSTANCE, which GENERIC_WRITE would include.  READ_CONTROL is in it:
 * the owner can be read. */
#define CLIENT_ACCESS 0x12019b
#define READ_BYTES (64u * 1024u)
#define LOCAL_PIPE "\\\\.\\pipe\\"

struct ipc_client {
	HANDLE pipe;
	HANDLE sent, received; /* events, one for each thread */
	atomic_bool broken;    /* what follows in the pipe has no beginning any more */
	struct buffer input;   /* the part of a message that came before a timeout */
	char bytes[READ_BYTES];
};

enum result ipc_client_default_address(char *to, size_t size, struct fault *fault)
{
	enum result result = text_copy(to, size, text_view(LOCAL_PIPE "Ferry"));

	return result == RESULT_OK ? result : fault_set(fault, result, FAULT_FERRY, 0, "the service's address");
}

/* Dynamic tracking: every message carries the identity its writing thread wears then, and none is shown before the
 * first write (rules 1 and 4). */
static HANDLE open_pipe(const wchar_t *name)
{
	return CreateFileW(
		name, CLIENT_ACCESS, 0, NULL, OPEN_EXISTING,
		FILE_FLAG_OVERLAPPED | SECURITY_SQOS_PRESENT | SECURITY_IMPERSONATION | SECURITY_CONTEXT_TRACKING, NULL);
}

static enum result connect_within(const wchar_t *name, const char *address, int64_t timeout_ms, HANDLE *ret_pipe,
                                  struct fault *fault)
{
	int64_t deadline_ms = timeout_ms < 0 ? INT64_MAX : clock_mono_ms() + timeout_ms;

	for (;;) {
		HANDLE pipe = open_pipe(name);
		if (pipe != INVALID_HANDLE_VALUE) {
			*ret_pipe = pipe;
			return RESULT_OK;
		}
		DWORD error = GetLastError();
		if (error == ERROR_FILE_NOT_FOUND)
			return fault_set(fault, RESULT_NOT_RUNNING, FAULT_WIN32, error, "connect to %s", address);
		if (error == ERROR_ACCESS_DENIED)
			return fault_set(fault, RESULT_ACCESS_REFUSED, FAULT_WIN32, error, "connect to %s", address);
		if (error != ERROR_PIPE_BUSY)
			return fault_win32(fault, error, "connect to %s", address);
		int64_t left = deadline_ms - clock_mono_ms();
		if (left <= 0)
			return fault_set(fault, RESULT_BUSY, FAULT_WIN32, error, "connect to %s", address);
		/* Its answer is a hint only: somebody else may take the place.  The next open decides. */
		(void)WaitNamedPipeW(name, left < 1000 ? (DWORD)left : 1000);
	}
}

/* Before the first write, or a squatter on the name would be handed our token (rule 4). */
static enum result check_server(HANDLE pipe, const char *address, unsigned flags, struct fault *fault)
{
	struct sid owner, expected;
	char text[SID_TEXT_BYTES_MAX];

	/* Who hides its owner is not the service either. */
	if (security_owner(pipe, &owner, fault) != RESULT_OK)
		return fault_set(fault, RESULT_NOT_THE_SERVICE, FAULT_WIN32, GetLastError(), "ask who serves %s", address);
	enum result result = security_ferry_sid(&expected, fault);
	if (result != RESULT_OK || EqualSid(&owner.sid, &expected.sid))
		return result;
	if ((flags & IPC_CLIENT_ALLOW_CONSOLE) != 0) {
		result = security_process_user(&expected, fault);
		if (result != RESULT_OK || EqualSid(&owner.sid, &expected.sid))
			return result;
	}
	if (security_sid_text(&owner.sid, text, NULL) != RESULT_OK)
		text[0] = '\0';
	return fault_set(fault, RESULT_NOT_THE_SERVICE, FAULT_FERRY, 0, "%s serves %s", text, address);
}

enum result ipc_client_open(const char *address, unsigned flags, int64_t timeout_ms, struct ipc_client **ret_client,
                            struct fault *fault)
{
	AUTO(ipc_client) struct ipc_client *client = calloc(1, sizeof *client);
	AUTO(memory) wchar_t *name = NULL;
	DWORD mode = PIPE_READMODE_MESSAGE;

	if (client == NULL)
		return fault_set(fault, RESULT_NO_MEMORY, FAULT_FERRY, 0, "connect to %s", address);
	/* To another machine's Windows would log on before we could ask who is there; ".." leads there, too. */
	if (_strnicmp(address, LOCAL_PIPE, sizeof LOCAL_PIPE - 1) != 0 ||
	    strpbrk(address + sizeof LOCAL_PIPE - 1, "\\/") != NULL)
		return fault_set(fault, RESULT_INVALID_ARGUMENT, FAULT_FERRY, 0, "connect to %s: an address is " LOCAL_PIPE "name",
		                 address);
	enum result result = utf_to_wide(text_view(address), "pipe name", &name, fault);
	if (result == RESULT_OK)
		result = connect_within(name, address, timeout_ms, &client->pipe, fault);
	if (result == RESULT_OK)
		result = check_server(client->pipe, address, flags, fault);
	if (result != RESULT_OK)
		return result;
	client->sent = CreateEventW(NULL, TRUE, FALSE, NULL);
	client->received = CreateEventW(NULL, TRUE, FALSE, NULL);
	if (client->sent == NULL || client->received == NULL ||
	    !SetNamedPipeHandleState(client->pipe, &mode, NULL, NULL))
		return fault_win32(fault, GetLastError(), "connect to %s", address);
	*ret_client = TAKE(client);
	return RESULT_OK;
}

void ipc_client_free(struct ipc_client *client)
{
	if (client == NULL)
		return;
	handle_cleanup(&client->pipe);
	handle_cleanup(&client->sent);
	handle_cleanup(&client->received);
	buffer_done(&client->input);
	free(client);
}

/* The end of an operation that was started, in time or cancelled: nothing of ours stays with the kernel. */
static DWORD operation_end(struct ipc_client *client, OVERLAPPED *operation, DWORD wait_ms, DWORD *ret_length)
{
	if (WaitForSingleObject(operation->hEvent, wait_ms) != WAIT_OBJECT_0)
		CancelIoEx(client->pipe, operation);
	/* It may have ended just before the cancel: its own word counts. */
	return GetOverlappedResult(client->pipe, operation, ret_length, TRUE) ? ERROR_SUCCESS : GetLastError();
}

enum result ipc_client_send(struct ipc_client *client, struct text_view message, struct fault *fault)
{
	OVERLAPPED operation = { .hEvent = client->sent };
	DWORD error = ERROR_SUCCESS, length = 0;

	if (client->broken)
		return fault_set(fault, RESULT_NOT_RUNNING, FAULT_FERRY, 0, "send to the service");
	if (message.length > INT32_MAX)
		return fault_set(fault, RESULT_TOO_LARGE, FAULT_FERRY, 0, "send to the service");
	/* The kernel takes the identity of the thread that makes this call, hence never another thread (rule 5). */
	if (!WriteFile(client->pipe, message.bytes, (DWORD)message.length, NULL, &operation))
		error = GetLastError();
	if (error == ERROR_SUCCESS || error == ERROR_IO_PENDING)
		error = operation_end(client, &operation, INFINITE, &length);
	return error == ERROR_SUCCESS ? RESULT_OK : fault_win32(fault, error, "send to the service");
}

/* One piece of a message; RESULT_OK with *ret_last false: there is more. */
static enum result receive_piece(struct ipc_client *client, int64_t deadline_ms, bool *ret_last, struct fault *fault)
{
	OVERLAPPED operation = { .hEvent = client->received };
	DWORD error = ERROR_SUCCESS, length = 0;
	int64_t left = deadline_ms - clock_mono_ms();
	DWORD wait_ms = deadline_ms == INT64_MAX ? INFINITE : left <= 0 ? 0 : left < INT32_MAX ? (DWORD)left : INT32_MAX;

	if (!ReadFile(client->pipe, client->bytes, sizeof client->bytes, NULL, &operation))
		error = GetLastError();
	if (error == ERROR_SUCCESS || error == ERROR_IO_PENDING || error == ERROR_MORE_DATA)
		error = operation_end(client, &operation, wait_ms, &length);
	if (error == ERROR_OPERATION_ABORTED)
		return fault_set(fault, RESULT_TIMED_OUT, FAULT_FERRY, 0, "wait for the service");
	if (error != ERROR_SUCCESS && error != ERROR_MORE_DATA)
		return fault_win32(fault, error, "receive from the service");
	enum result result = buffer_append(&client->input, client->bytes, length);
	if (result != RESULT_OK) {
		client->broken = true;
		return fault_set(fault, result, FAULT_FERRY, 0, "receive from the service");
	}
	*ret_last = error == ERROR_SUCCESS;
	return RESULT_OK;
}

enum result ipc_client_receive(struct ipc_client *client, int64_t timeout_ms, struct buffer *to, struct fault *fault)
{
	int64_t deadline_ms = timeout_ms < 0 ? INT64_MAX : clock_mono_ms() + timeout_ms;
	bool last = false;

	if (client->broken)
		return fault_set(fault, RESULT_NOT_RUNNING, FAULT_FERRY, 0, "receive from the service");
	client->input.length_max = to->length_max;
	while (!last) {
		enum result result = receive_piece(client, deadline_ms, &last, fault);
		if (result != RESULT_OK)
			return result;
	}
	buffer_done(to);
	*to = client->input;
	client->input = BUFFER(0);
	return RESULT_OK;
}
