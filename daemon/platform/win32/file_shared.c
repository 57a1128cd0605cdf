/* platform/file: files on other machines' shares, read as whoever the thread wears. */
#include "platform/win32/file_win32.h"

#include <string.h>
#include <wnnc.h>

#include "platform/win32/thread_win32.h"
#include "platform/win32/utf.h"

#define INTERRUPT_AGAIN_MS 50 /* what the thread begins to wait for in between is interrupted then */
#define UNIX_EPOCH_S INT64_C(11644473600) /* since 1601, where FILETIME begins */

/* What a code means of a file that is read from a server.  An account that the server does not let in is not tried again
 * and again: servers count that, and lock it. */
static enum result result_from_server(uint32_t error, enum result otherwise)
{
	switch (error) {
	case ERROR_FILE_NOT_FOUND:
	case ERROR_PATH_NOT_FOUND:
	case ERROR_INVALID_NAME:
	case ERROR_BAD_PATHNAME:
	case ERROR_DIRECTORY:
		return RESULT_SOURCE_NOT_FOUND;
	case ERROR_ACCESS_DENIED:
		if (otherwise == RESULT_PATH_NOT_FOUND) /* its name goes; it may be another file's in a moment */
			return RESULT_SOURCE_LOCKED;
		return otherwise == RESULT_IS_FOLDER ? RESULT_SOURCE_NOT_FOUND : RESULT_SOURCE_DENIED;
	case ERROR_NETWORK_ACCESS_DENIED:
	case ERROR_INVALID_PASSWORD:
	case ERROR_SESSION_CREDENTIAL_CONFLICT:
	case ERROR_LOGON_FAILURE:
	case ERROR_ACCOUNT_RESTRICTION:
	case ERROR_INVALID_LOGON_HOURS:
	case ERROR_INVALID_WORKSTATION:
	case ERROR_PASSWORD_EXPIRED:
	case ERROR_PASSWORD_MUST_CHANGE:
	case ERROR_ACCOUNT_DISABLED:
	case ERROR_ACCOUNT_EXPIRED:
	case ERROR_LOGON_TYPE_NOT_GRANTED:
	case ERROR_ACCOUNT_LOCKED_OUT:
		return RESULT_SOURCE_DENIED;
	case ERROR_SHARING_VIOLATION:
	case ERROR_LOCK_VIOLATION:
	case ERROR_DELETE_PENDING:
		return RESULT_SOURCE_LOCKED;
	case ERROR_BAD_NETPATH:
	case ERROR_BAD_NET_NAME:
	case ERROR_REM_NOT_LIST:
	case ERROR_NETWORK_BUSY:
	case ERROR_DEV_NOT_EXIST:
	case ERROR_TOO_MANY_SESS:
	case ERROR_REQ_NOT_ACCEP:
	case ERROR_NO_NET_OR_BAD_PATH:
	case ERROR_NO_NETWORK:
	case ERROR_CONNECTION_REFUSED:
	case ERROR_NETWORK_UNREACHABLE:
	case ERROR_HOST_UNREACHABLE:
	case ERROR_PORT_UNREACHABLE:
	case ERROR_HOST_DOWN:
	case ERROR_NO_LOGON_SERVERS:
	case ERROR_NETLOGON_NOT_STARTED:
	case ERROR_TIME_SKEW:
		return RESULT_CONNECT_FAILED;
	case ERROR_UNEXP_NET_ERR:
	case ERROR_BAD_NET_RESP:
	case ERROR_NETNAME_DELETED:
	case ERROR_GRACEFUL_DISCONNECT:
	case ERROR_CONNECTION_ABORTED:
	case ERROR_VC_DISCONNECTED:
		return RESULT_CONNECTION_CLOSED;
	case ERROR_SEM_TIMEOUT:
		return RESULT_STALLED;
	default:
		return otherwise == RESULT_CANCELLED || otherwise == RESULT_NO_MEMORY ? otherwise : RESULT_BAD_RESPONSE;
	}
}

/* A failure that the system told, of a file on a server. */
static enum result by_server(struct fault *why, struct fault *fault)
{
	if (why->result == RESULT_REPARSE_POINT)
		why->result = RESULT_REDIRECT_REFUSED;
	else if (why->source == FAULT_NTSTATUS)
		why->result = result_from_server(RtlNtStatusToDosError((NTSTATUS)why->raw), why->result);
	else if (why->source == FAULT_WIN32)
		why->result = result_from_server((uint32_t)why->raw, why->result);
	if (fault != NULL)
		*fault = *why;
	return why->result;
}

/* Wine, which has no redirector, opens folders of this machine as shares. */
static bool is_wine(void)
{
	HMODULE ntdll = GetModuleHandleW(L"ntdll.dll");

	return ntdll != NULL && GetProcAddress(ntdll, "wine_get_version") != NULL;
}

/* A link on the server, a redirector other than SMB's or somebody's device map could have led elsewhere: what counts is who
 * serves the open file.  Windows knows no such thing of a file of its own. */
static enum result check_remote(HANDLE handle, struct fault *why)
{
	FILE_REMOTE_PROTOCOL_INFO remote = { .StructureVersion = 0 };

	if (is_wine())
		return RESULT_OK;
	if (!GetFileInformationByHandleEx(handle, FileRemoteProtocolInfo, &remote, sizeof remote))
		return fault_set(why, RESULT_REDIRECT_REFUSED, FAULT_WIN32, GetLastError(), "it does not lie on another machine");
	if (remote.Protocol != WNNC_NET_SMB)
		return fault_set(why, RESULT_REDIRECT_REFUSED, FAULT_FERRY, remote.Protocol, "it is not reached by SMB");
	return RESULT_OK;
}

/* The folder first, which refuses links on the way to it; then the file as itself. */
static enum result open_handle(const char *path, HANDLE *ret_handle, struct fault *why)
{
	const char *name = strrchr(path, '\\') + 1;
	char parent[DESTINATION_BYTES_MAX + 1];
	AUTO(memory) wchar_t *wide = NULL;
	AUTO(handle) HANDLE folder = NULL;
	enum result result = text_copy(parent, sizeof parent, (struct text_view){ path, (size_t)(name - 1 - path) });

	if (result != RESULT_OK)
		return fault_set(why, result, FAULT_FERRY, 0, "open the file");
	result = utf_to_wide(text_view(name), "file name", &wide, why);
	if (result == RESULT_OK)
		result = file_open_folder_handle(parent, FILE_READ_ATTRIBUTES, false, &folder, why);
	if (result != RESULT_OK)
		return result;
	NTSTATUS status = file_open_name(&(struct folder){ folder }, wide, FILE_READ_DATA | FILE_READ_ATTRIBUTES | SYNCHRONIZE,
	                                 FILE_SHARE_READ, FILE_OPEN, FILE_NON_DIRECTORY_FILE | FILE_SEQUENTIAL_ONLY, ret_handle);
	return NT_SUCCESS(status) ? RESULT_OK : fault_ntstatus(why, status, "open the file");
}

static enum result open_shared(const char *path, struct file_handle **ret_file, struct fault *fault)
{
	AUTO(handle) HANDLE handle = NULL;
	FILE_ATTRIBUTE_TAG_INFO tag;
	struct fault why;

	if (open_handle(path, &handle, &why) != RESULT_OK)
		return by_server(&why, fault);
	enum result result = check_remote(handle, fault);
	if (result != RESULT_OK)
		return result;
	if (!GetFileInformationByHandleEx(handle, FileAttributeTagInfo, &tag, sizeof tag)) {
		(void)!fault_win32(&why, GetLastError(), "look at the file");
		return by_server(&why, fault);
	}
	if ((tag.FileAttributes & FILE_ATTRIBUTE_REPARSE_POINT) != 0)
		return fault_set(fault, RESULT_REDIRECT_REFUSED, FAULT_FERRY, tag.ReparseTag, "it is a link, or stored elsewhere");
	return file_wrap(TAKE(handle), false, ret_file, fault);
}

static enum result look_shared(struct file_handle *file, struct file_shared *ret_about, struct fault *fault)
{
	struct fault why;
	FILE_BASIC_INFO basic;
	FILE_STANDARD_INFO standard;
	struct file_number number;
	uint64_t halves[2];

	if (!GetFileInformationByHandleEx(file->handle, FileBasicInfo, &basic, sizeof basic) ||
	    !GetFileInformationByHandleEx(file->handle, FileStandardInfo, &standard, sizeof standard) ||
	    !file_read_number(file->handle, &number)) {
		(void)!fault_win32(&why, GetLastError(), "look at the file");
		return by_server(&why, fault);
	}
	memcpy(halves, number.id, sizeof halves);
	ret_about->bytes = (uint64_t)standard.EndOfFile.QuadPart;
	ret_about->modified_s = basic.LastWriteTime.QuadPart / 10000000 - UNIX_EPOCH_S;
	/* ChangeTime knows of a copy that gave itself the old one's time. */
	enum result result = text_format(ret_about->version, sizeof ret_about->version, "%llx-%llx-%llx-%llx-%llx-%llx",
	                                 (unsigned long long)number.volume, (unsigned long long)halves[1],
	                                 (unsigned long long)halves[0], (unsigned long long)ret_about->bytes,
	                                 (unsigned long long)basic.LastWriteTime.QuadPart,
	                                 (unsigned long long)basic.ChangeTime.QuadPart);
	return result == RESULT_OK ? result : fault_set(fault, result, FAULT_FERRY, 0, "tell the file's version");
}

static enum result read_shared(struct file_handle *file, uint64_t offset, void *bytes, size_t size, size_t *ret_length,
                               struct fault *fault)
{
	struct fault why;

	return file_read(file, offset, bytes, size, ret_length, &why) == RESULT_OK ? RESULT_OK : by_server(&why, fault);
}

static void interrupt_thread(struct thread *thread, bool to_its_end)
{
	do
		(void)CancelSynchronousIo(thread->handle); /* it need not wait for anything */
	while (to_its_end && WaitForSingleObject(thread->handle, INTERRUPT_AGAIN_MS) == WAIT_TIMEOUT);
}

static const struct file_shares shares = { open_shared, look_shared, read_shared, interrupt_thread };
const struct file_shares *const file_shares = &shares;
