/* platform/win32: what the files of platform/file share. */
#ifndef FERRY_WIN32_FILE_WIN32_H
#define FERRY_WIN32_FILE_WIN32_H

#include "platform/file.h"
#include "platform/win32/security.h"
#include "platform/win32/win32.h"

#include <winternl.h>

struct folder {
	HANDLE handle;
};

struct file_handle {
	HANDLE handle;
	bool append; /* writes go to the end, whatever the offset */
};

/* Open the folder that an absolute path names, from the root of its volume and past the device map of whoever the
 * thread impersonates.  With `follow` false a reparse point anywhere in the path is refused. */
enum result file_open_folder_handle(const char *path, ACCESS_MASK access, bool follow, HANDLE *ret_handle,
                                    struct fault *fault) MUST_CHECK;
/* Open what bears a simple name in the folder, or what lies below it; a link as itself. */
NTSTATUS file_open_name(struct folder *folder, wchar_t *name, ACCESS_MASK access, ULONG share, ULONG disposition,
                        ULONG options, HANDLE *ret_handle);
/* 128 bits where the file system has them (ReFS needs them), else the old 64. */
struct file_number {
	ULONGLONG volume;
	BYTE id[16];
};
bool file_read_number(HANDLE handle, struct file_number *ret_number);
/* The entries of an open folder but for the dots, to the end or until `visit` says false.  FILE_LIST_DIRECTORY. */
enum result file_list_handle(HANDLE folder, bool (*visit)(void *context, const wchar_t *name, size_t chars), void *context,
                             struct fault *fault) MUST_CHECK;
/* Is the owner of the open object one who is trusted with Ferry's own: us, Ferry, the system or the administrators?
 * READ_CONTROL. */
enum result file_check_owner(HANDLE object, bool *ret_trusted, char text[SID_TEXT_BYTES_MAX], struct fault *fault) MUST_CHECK;
/* Wrap an open handle; it is closed if that fails. */
enum result file_wrap(HANDLE handle, bool append, struct file_handle **ret_file, struct fault *fault) MUST_CHECK;

#endif
