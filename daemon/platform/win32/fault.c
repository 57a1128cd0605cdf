#include "platform/win32/win32.h"

#include <stdarg.h>
#include <stdio.h>
#include <winternl.h>

/* ntstatus.h and windows.h quarrel over their common names, so the few that Win32 codes blur are spelled here. */
#define NT_DELETE_PENDING ((int32_t)0xC0000056)
#define NT_FILE_IS_A_DIRECTORY ((int32_t)0xC00000BA)
#define NT_NOT_A_DIRECTORY ((int32_t)0xC0000103)
#define NT_REPARSE_POINT_ENCOUNTERED ((int32_t)0xC000050B)
#define NT_STOPPED_ON_SYMLINK ((int32_t)0x8000002D)

/* Not in MinGW-w64's winerror.h. */
#define WIN32_STOPPED_ON_SYMLINK 681
#define WIN32_DISK_QUOTA_EXCEEDED 1295
#define WIN32_REPARSE_POINT_ENCOUNTERED 4395

enum result result_from_win32(uint32_t error)
{
	switch (error) {
	case ERROR_SUCCESS:
		return RESULT_OK;
	case ERROR_FILE_NOT_FOUND:
	case ERROR_PATH_NOT_FOUND:
	case ERROR_INVALID_DRIVE:
	case ERROR_BAD_NETPATH:
	case ERROR_BAD_NET_NAME:
	case ERROR_DELETE_PENDING:
	case ERROR_DIRECTORY:
		return RESULT_PATH_NOT_FOUND;
	case ERROR_ACCESS_DENIED:
	case ERROR_WRITE_PROTECT:
	case ERROR_NETWORK_ACCESS_DENIED:
	case ERROR_PRIVILEGE_NOT_HELD:
	case ERROR_INVALID_OWNER:
		return RESULT_DENIED;
	case ERROR_SHARING_VIOLATION:
	case ERROR_LOCK_VIOLATION:
	case ERROR_USER_MAPPED_FILE:
		return RESULT_LOCKED;
	case ERROR_FILE_EXISTS:
	case ERROR_ALREADY_EXISTS:
		return RESULT_EXISTS;
	case ERROR_DISK_FULL:
	case ERROR_HANDLE_DISK_FULL:
	case WIN32_DISK_QUOTA_EXCEEDED:
		return RESULT_DISK_FULL;
	case ERROR_NOT_ENOUGH_MEMORY:
	case ERROR_OUTOFMEMORY:
	case ERROR_NO_SYSTEM_RESOURCES:
	case ERROR_COMMITMENT_LIMIT:
	case ERROR_WORKING_SET_QUOTA:
	case ERROR_PAGEFILE_QUOTA:
		return RESULT_NO_MEMORY;
	case ERROR_NO_UNICODE_TRANSLATION:
		return RESULT_NOT_UTF8;
	case ERROR_INVALID_NAME:
	case ERROR_BAD_PATHNAME:
	case ERROR_FILENAME_EXCED_RANGE:
		return RESULT_BAD_DESTINATION;
	case ERROR_CANT_ACCESS_FILE:
	case WIN32_REPARSE_POINT_ENCOUNTERED:
	case WIN32_STOPPED_ON_SYMLINK:
		return RESULT_REPARSE_POINT;
	case ERROR_NOT_READY:
	case ERROR_CRC:
	case ERROR_SEEK:
	case ERROR_WRITE_FAULT:
	case ERROR_READ_FAULT:
	case ERROR_GEN_FAILURE:
	case ERROR_DEV_NOT_EXIST:
	case ERROR_UNEXP_NET_ERR:
	case ERROR_NETNAME_DELETED:
	case ERROR_IO_DEVICE:
	case ERROR_DEVICE_NOT_CONNECTED:
		return RESULT_IO_FAILED;
	case ERROR_BROKEN_PIPE:
	case ERROR_NO_DATA:
	case ERROR_PIPE_NOT_CONNECTED:
		return RESULT_NOT_RUNNING;
	case ERROR_PIPE_BUSY:
		return RESULT_BUSY;
	case ERROR_SEM_TIMEOUT:
	case WAIT_TIMEOUT:
	case ERROR_TIMEOUT:
		return RESULT_TIMED_OUT;
	case ERROR_OPERATION_ABORTED:
	case ERROR_CANCELLED:
		return RESULT_CANCELLED;
	case ERROR_NOT_SUPPORTED:
	case ERROR_CALL_NOT_IMPLEMENTED:
	case ERROR_INVALID_LEVEL:
		return RESULT_NOT_SUPPORTED;
	default:
		return RESULT_SYSTEM;
	}
}

enum result result_from_ntstatus(int32_t status)
{
	switch (status) {
	case NT_DELETE_PENDING:
	case NT_NOT_A_DIRECTORY:
		return RESULT_PATH_NOT_FOUND;
	case NT_FILE_IS_A_DIRECTORY:
		return RESULT_IS_FOLDER;
	case NT_REPARSE_POINT_ENCOUNTERED:
	case NT_STOPPED_ON_SYMLINK:
		return RESULT_REPARSE_POINT;
	default:
		return status >= 0 ? RESULT_OK : result_from_win32(RtlNtStatusToDosError(status));
	}
}

static enum result PRINTF_LIKE(5, 0) fault_fill(struct fault *fault, enum result result, enum fault_source source,
                                                int64_t raw, const char *what, va_list arguments)
{
	char text[FAULT_WHAT_BYTES_MAX];

	/* A cut description is better than none. */
	if (vsnprintf(text, sizeof text, what, arguments) < 0)
		text[0] = '\0';
	return fault_set(fault, result, source, raw, "%s", text);
}

enum result fault_win32(struct fault *fault, uint32_t error, const char *what, ...)
{
	/* A call that failed without saying why has failed all the same. */
	enum result result = error != 0 ? result_from_win32(error) : RESULT_SYSTEM;
	va_list arguments;

	va_start(arguments, what);
	result = fault_fill(fault, result, FAULT_WIN32, error, what, arguments);
	va_end(arguments);
	return result;
}

enum result fault_ntstatus(struct fault *fault, int32_t status, const char *what, ...)
{
	enum result result = status < 0 ? result_from_ntstatus(status) : RESULT_SYSTEM;
	va_list arguments;

	va_start(arguments, what);
	result = fault_fill(fault, result, FAULT_NTSTATUS, (uint32_t)status, what, arguments);
	va_end(arguments);
	return result;
}
