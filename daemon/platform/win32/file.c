#include "platform/win32/file_win32.h"

#include <string.h>
#include <winternl.h>

#include "platform/file_name.h"
#include "platform/hash.h"
#include "platform/win32/security.h"
#include "platform/win32/utf.h"

/* ntstatus.h and windows.h quarrel over their common names. */
#define NT_OBJECT_PATH_SYNTAX_BAD ((NTSTATUS)0xC000003B)
#define NT_OBJECT_NAME_INVALID ((NTSTATUS)0xC0000033)
#define NT_SHARING_VIOLATION ((NTSTATUS)0xC0000043)

/* MinGW-w64 shows these only to programs that give up older Windows, which answers ERROR_INVALID_PARAMETER. */
#define WIN32_DISPOSITION_INFO_EX ((FILE_INFO_BY_HANDLE_CLASS)21)
#define WIN32_DISPOSITION_DELETE_NOW 0x3u /* delete, with POSIX semantics */

#define TRANSFER_BYTES_MAX (1u << 30) /* of one ReadFile or WriteFile */
#define OWNER_HASH_BYTES 4u

/* What a partial file is held with from its creation to its publication: its owner is part of its tag, DELETE renames
 * and removes it. */
#define PARTIAL_ACCESS                                                                                                 \
	(FILE_READ_DATA | FILE_WRITE_DATA | FILE_READ_ATTRIBUTES | FILE_WRITE_ATTRIBUTES | READ_CONTROL | DELETE |         \
	 SYNCHRONIZE)
#define READ_ACCESS (FILE_READ_DATA | FILE_READ_ATTRIBUTES | READ_CONTROL | SYNCHRONIZE)
#define LOOK_ACCESS (FILE_READ_ATTRIBUTES | READ_CONTROL | SYNCHRONIZE)
#define SHARE_ALL (FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE)

const enum path_style file_path_style = PATH_WINDOWS;

enum result file_wrap(HANDLE handle, bool append, struct file_handle **ret_file, struct fault *fault)
{
	struct file_handle *file = malloc(sizeof *file);

	if (file == NULL) {
		CloseHandle(handle);
		return fault_set(fault, RESULT_NO_MEMORY, FAULT_FERRY, 0, "keep an open file");
	}
	*file = (struct file_handle){ .handle = handle, .append = append };
	*ret_file = file;
	return RESULT_OK;
}

/* --- names in a folder --- */

static enum result check_simple(const char *name, wchar_t **ret_wide, struct fault *fault)
{
	enum result result = file_check_simple(name, fault);

	return result == RESULT_OK ? utf_to_wide(text_view(name), "file name", ret_wide, fault) : result;
}

NTSTATUS file_open_name(struct folder *folder, wchar_t *name, ACCESS_MASK access, ULONG share, ULONG disposition,
                        ULONG options, HANDLE *ret_handle)
{
	USHORT bytes = (USHORT)(wcslen(name) * sizeof *name);
	UNICODE_STRING text = { .Length = bytes, .MaximumLength = bytes, .Buffer = name };
	OBJECT_ATTRIBUTES object = { .Length = sizeof object,
		                         .RootDirectory = folder->handle,
		                         .ObjectName = &text,
		                         .Attributes = OBJ_CASE_INSENSITIVE };
	IO_STATUS_BLOCK io;

	return NtCreateFile(ret_handle, access, &object, &io, NULL, FILE_ATTRIBUTE_NORMAL, share, disposition,
	                    FILE_OPEN_REPARSE_POINT | FILE_SYNCHRONOUS_IO_NONALERT | options, NULL, 0);
}

static enum result open_plain(struct folder *folder, const char *name, bool write, ULONG disposition, const char *what,
                              struct file_handle **ret_file, struct fault *fault)
{
	AUTO(memory) wchar_t *wide = NULL;
	HANDLE handle = NULL;
	enum result result = check_simple(name, &wide, fault);

	if (result != RESULT_OK)
		return result;
	NTSTATUS status = file_open_name(folder, wide, write ? PARTIAL_ACCESS : READ_ACCESS, write ? FILE_SHARE_READ : SHARE_ALL,
	                                 disposition, FILE_NON_DIRECTORY_FILE, &handle);
	if (!NT_SUCCESS(status))
		return fault_ntstatus(fault, status, "%s %s", what, name);
	return file_wrap(handle, false, ret_file, fault);
}

enum result file_create(struct folder *folder, const char *name, struct file_handle **ret_file, struct fault *fault)
{
	return open_plain(folder, name, true, FILE_CREATE, "create", ret_file, fault);
}

enum result file_reopen(struct folder *folder, const char *name, const char *tag, struct file_handle **ret_file,
                        struct fault *fault)
{
	AUTO(file_handle) struct file_handle *file = NULL;
	BY_HANDLE_FILE_INFORMATION about;
	char found[FILE_TAG_BYTES_MAX];
	enum result result = open_plain(folder, name, tag != NULL, FILE_OPEN, "re-open", &file, fault);

	if (result == RESULT_IS_FOLDER)
		return fault_set(fault, RESULT_FILE_CHANGED, FAULT_FERRY, 0, "%s is not a plain file", name);
	if (result != RESULT_OK)
		return result;
	if (!GetFileInformationByHandle(file->handle, &about))
		return fault_win32(fault, GetLastError(), "look at %s", name);
	if ((about.dwFileAttributes & (FILE_ATTRIBUTE_REPARSE_POINT | FILE_ATTRIBUTE_DIRECTORY)) != 0)
		return fault_set(fault, RESULT_FILE_CHANGED, FAULT_FERRY, 0, "%s is not a plain file", name);
	if (tag != NULL && about.nNumberOfLinks != 1)
		return fault_set(fault, RESULT_FILE_CHANGED, FAULT_FERRY, 0, "%s has other links", name);
	result = file_tag(file, found, fault);
	if (result != RESULT_OK)
		return result;
	if (tag != NULL && tag[0] != '\0' && strcmp(found, tag) != 0)
		return fault_set(fault, RESULT_FILE_CHANGED, FAULT_FERRY, 0, "%s is another file", name);
	*ret_file = TAKE(file);
	return RESULT_OK;
}

void file_handle_free(struct file_handle *file)
{
	if (file == NULL)
		return;
	handle_cleanup(&file->handle);
	free(file);
}

/* --- what a file is --- */

bool file_read_number(HANDLE handle, struct file_number *ret_number)
{
	FILE_ID_INFO wide;
	BY_HANDLE_FILE_INFORMATION narrow;
	struct file_number number = { .volume = 0 };

	if (GetFileInformationByHandleEx(handle, FileIdInfo, &wide, sizeof wide)) {
		number.volume = wide.VolumeSerialNumber;
		memcpy(number.id, &wide.FileId, sizeof number.id);
	} else if (GetFileInformationByHandle(handle, &narrow)) {
		number.volume = narrow.dwVolumeSerialNumber;
		memcpy(number.id, &narrow.nFileIndexLow, 4);
		memcpy(number.id + 4, &narrow.nFileIndexHigh, 4);
	} else {
		return false;
	}
	*ret_number = number;
	return true;
}

static enum result handle_tag(HANDLE handle, char to[FILE_TAG_BYTES_MAX], struct fault *fault)
{
	uint8_t digest[DIGEST_SHA256_BYTES];
	struct file_number number;
	struct sid owner;
	uint64_t halves[2];

	if (!file_read_number(handle, &number))
		return fault_win32(fault, GetLastError(), "read a file's id");
	enum result result = security_owner(handle, &owner, fault);
	if (result != RESULT_OK)
		return result;
	struct hash *hash = hash_new(sizeof digest);
	hash_add(hash, &owner, GetLengthSid(&owner.sid));
	result = hash_end(hash, digest, fault);
	if (result != RESULT_OK)
		return result;
	memcpy(halves, number.id, sizeof halves);
	result = text_format(to, FILE_TAG_BYTES_MAX, "%llx:%llx%016llx:%02x%02x%02x%02x", (unsigned long long)number.volume,
	                     (unsigned long long)halves[1], (unsigned long long)halves[0], digest[0], digest[1], digest[2],
	                     digest[3]);
	return result == RESULT_OK ? result : fault_set(fault, result, FAULT_FERRY, 0, "write a file's tag");
}

enum result file_tag(struct file_handle *file, char to[FILE_TAG_BYTES_MAX], struct fault *fault)
{
	return handle_tag(file->handle, to, fault);
}

enum result file_tag_at(struct folder *folder, const char *name, char to[FILE_TAG_BYTES_MAX], uint64_t *ret_bytes,
                        struct fault *fault)
{
	AUTO(memory) wchar_t *wide = NULL;
	AUTO(handle) HANDLE handle = NULL;
	FILE_STANDARD_INFO about;
	FILE_ATTRIBUTE_TAG_INFO kind;
	enum result result = check_simple(name, &wide, fault);

	if (result != RESULT_OK)
		return result;
	/* No access to the data, so that no share mode can stand in the way. */
	NTSTATUS status = file_open_name(folder, wide, LOOK_ACCESS, SHARE_ALL, FILE_OPEN, 0, &handle);
	if (!NT_SUCCESS(status))
		return fault_ntstatus(fault, status, "look at %s", name);
	if (!GetFileInformationByHandleEx(handle, FileStandardInfo, &about, sizeof about) ||
	    !GetFileInformationByHandleEx(handle, FileAttributeTagInfo, &kind, sizeof kind))
		return fault_win32(fault, GetLastError(), "look at %s", name);
	bool plain = (kind.FileAttributes & (FILE_ATTRIBUTE_REPARSE_POINT | FILE_ATTRIBUTE_DIRECTORY)) == 0;
	result = handle_tag(handle, to, fault);
	if (result == RESULT_OK)
		*ret_bytes = plain ? (uint64_t)about.EndOfFile.QuadPart : SIZE_UNKNOWN;
	return result;
}

enum result file_size(struct file_handle *file, uint64_t *ret_bytes, struct fault *fault)
{
	LARGE_INTEGER size;

	if (!GetFileSizeEx(file->handle, &size))
		return fault_win32(fault, GetLastError(), "read the file's size");
	*ret_bytes = (uint64_t)size.QuadPart;
	return RESULT_OK;
}

/* --- its size and bytes --- */

/* What the volume has left for this identity (quotas count), or UINT64_MAX where a file system does not say. */
static uint64_t free_bytes(HANDLE handle)
{
	FILE_FS_FULL_SIZE_INFORMATION space;
	IO_STATUS_BLOCK io;
	uint64_t unit, bytes;

	if (!NT_SUCCESS(NtQueryVolumeInformationFile(handle, &io, &space, sizeof space, FileFsFullSizeInformation)))
		return UINT64_MAX;
	unit = (uint64_t)space.SectorsPerAllocationUnit * space.BytesPerSector;
	if (__builtin_mul_overflow((uint64_t)space.CallerAvailableAllocationUnits.QuadPart, unit, &bytes))
		return UINT64_MAX;
	return bytes;
}

enum result file_reserve(struct file_handle *file, uint64_t bytes, struct fault *fault)
{
	FILE_STANDARD_INFO about;

	if (!GetFileInformationByHandleEx(file->handle, FileStandardInfo, &about, sizeof about))
		return fault_win32(fault, GetLastError(), "look at the file");
	uint64_t present = (uint64_t)about.AllocationSize.QuadPart;
	if (bytes > present && bytes - present > free_bytes(file->handle))
		return fault_set(fault, RESULT_DISK_FULL, FAULT_FERRY, 0, "reserve %llu bytes", (unsigned long long)bytes);
	/* The size alone: valid data still ends where it was written to, so that nobody reads what the disk held before.
	 * SetFileValidData would change that and is never used (rule 20). */
	return file_truncate(file, bytes, fault);
}

enum result file_truncate(struct file_handle *file, uint64_t bytes, struct fault *fault)
{
	FILE_END_OF_FILE_INFO end = { .EndOfFile.QuadPart = (LONGLONG)bytes };

	if (bytes > INT64_MAX)
		return fault_set(fault, RESULT_DISK_FULL, FAULT_FERRY, 0, "set the size to %llu", (unsigned long long)bytes);
	if (!SetFileInformationByHandle(file->handle, FileEndOfFileInfo, &end, sizeof end))
		return fault_win32(fault, GetLastError(), "set the size to %llu", (unsigned long long)bytes);
	return RESULT_OK;
}

static DWORD chunk(size_t length)
{
	return length < TRANSFER_BYTES_MAX ? (DWORD)length : TRANSFER_BYTES_MAX;
}

/* An offset in the OVERLAPPED of a synchronous handle: no file pointer that two threads could fight over. */
static OVERLAPPED at_offset(uint64_t offset)
{
	return (OVERLAPPED){ .Offset = (DWORD)offset, .OffsetHigh = (DWORD)(offset >> 32) };
}

enum result file_write(struct file_handle *file, uint64_t offset, const void *bytes, size_t length, struct fault *fault)
{
	const char *from = bytes;

	if (offset > (uint64_t)INT64_MAX - length)
		return fault_set(fault, RESULT_IO_FAILED, FAULT_FERRY, 0, "write at %llu", (unsigned long long)offset);
	while (length > 0) {
		OVERLAPPED at = at_offset(file->append ? UINT64_MAX : offset); /* all ones: at the end */
		DWORD written = 0;
		if (!WriteFile(file->handle, from, chunk(length), &written, &at))
			return fault_win32(fault, GetLastError(), "write %zu bytes at %llu", length, (unsigned long long)offset);
		if (written == 0)
			return fault_set(fault, RESULT_IO_FAILED, FAULT_FERRY, 0, "write: nothing was taken");
		from += written;
		offset += written;
		length -= written;
	}
	return RESULT_OK;
}

enum result file_read(struct file_handle *file, uint64_t offset, void *bytes, size_t size, size_t *ret_length,
                      struct fault *fault)
{
	char *to = bytes;
	size_t length = 0;

	if (offset > (uint64_t)INT64_MAX - size)
		return fault_set(fault, RESULT_IO_FAILED, FAULT_FERRY, 0, "read at %llu", (unsigned long long)offset);
	while (length < size) {
		OVERLAPPED at = at_offset(offset + length);
		DWORD got = 0;
		if (!ReadFile(file->handle, to + length, chunk(size - length), &got, &at) && GetLastError() != ERROR_HANDLE_EOF)
			return fault_win32(fault, GetLastError(), "read %zu bytes at %llu", size, (unsigned long long)offset);
		if (got == 0)
			break;
		length += got;
	}
	*ret_length = length;
	return RESULT_OK;
}

enum result file_sync(struct file_handle *file, struct fault *fault)
{
	return FlushFileBuffers(file->handle) ? RESULT_OK : fault_win32(fault, GetLastError(), "sync the file");
}

/* FILETIME counts 100 ns since 1601; Unix time begins 11644473600 s later. */
enum result file_set_modified(struct file_handle *file, int64_t unix_s, struct fault *fault)
{
	ULARGE_INTEGER ticks = { .QuadPart = (ULONGLONG)(unix_s + INT64_C(11644473600)) * 10000000 };
	FILETIME time = { ticks.LowPart, ticks.HighPart };

	return SetFileTime(file->handle, &time, NULL, &time) ? RESULT_OK :
	                                                       fault_win32(fault, GetLastError(), "set the time of the file");
}

/* --- where it came from --- */

/* Opened relative to the file's handle, a name that begins with a colon is a stream of that very file: no path is walked,
 * whatever bears the file's name by now. */
static enum result open_stream(struct file_handle *file, wchar_t *name, struct file_handle *ret_stream, struct fault *fault)
{
	struct folder root = { file->handle };
	DWORD flags;

	if (GetVolumeInformationByHandleW(file->handle, NULL, 0, NULL, NULL, &flags, NULL, 0) &&
	    (flags & FILE_NAMED_STREAMS) == 0)
		return fault_set(fault, RESULT_NOT_SUPPORTED, FAULT_FERRY, 0, "mark the file: its file system has no streams");
	NTSTATUS status = file_open_name(&root, name, FILE_WRITE_DATA | SYNCHRONIZE, FILE_SHARE_READ, FILE_OPEN_IF,
	                            FILE_NON_DIRECTORY_FILE, &ret_stream->handle);
	/* Servers say that they have streams for folders that lie where there are none. */
	if (status == NT_OBJECT_NAME_INVALID || result_from_ntstatus(status) == RESULT_NOT_SUPPORTED)
		return fault_set(fault, RESULT_NOT_SUPPORTED, FAULT_NTSTATUS, (uint32_t)status, "mark the file");
	return NT_SUCCESS(status) ? RESULT_OK : fault_ntstatus(fault, status, "mark the file");
}

enum result file_mark_zone(struct file_handle *file, unsigned zone, struct fault *fault)
{
	wchar_t name[] = L":Zone.Identifier";
	struct file_handle stream = { .append = false };
	char text[40];
	enum result result = open_stream(file, name, &stream, fault);

	if (result != RESULT_OK)
		return result;
	text_display(text, sizeof text, "[ZoneTransfer]\r\nZoneId=%u\r\n", zone);
	result = file_write(&stream, 0, text, strlen(text), fault);
	if (result == RESULT_OK)
		result = file_truncate(&stream, strlen(text), fault);
	if (result == RESULT_OK)
		result = file_sync(&stream, fault);
	handle_cleanup(&stream.handle);
	return result;
}

/* --- its name --- */

/* The documented rename within a folder is a simple name without a root: the file system resolves no path at all.  Wine
 * wants the root, and there it may be the folder we hold (rule 19). */
static NTSTATUS set_name(HANDLE file, HANDLE root, const wchar_t *name, enum file_naming naming)
{
	size_t bytes = wcslen(name) * sizeof *name;
	size_t size = sizeof(FILE_RENAME_INFORMATION) + bytes;
	AUTO(memory) FILE_RENAME_INFORMATION *rename = calloc(1, size);
	IO_STATUS_BLOCK io;

	if (rename == NULL)
		return (NTSTATUS)0xC0000017; /* STATUS_NO_MEMORY */
	rename->ReplaceIfExists = naming == FILE_REPLACES;
	rename->RootDirectory = root;
	rename->FileNameLength = (ULONG)bytes;
	memcpy(rename->FileName, name, bytes);
	/* What makes a link has the same members. */
	return NtSetInformationFile(file, &io, rename, (ULONG)size, naming == FILE_LINKS ? FileLinkInformation : FileRenameInformation);
}

/* What stands in the way of putting a file in place of what bears the name, as far as it can be seen. */
static enum result find_obstacle(struct folder *folder, wchar_t *wide, const char *name, struct fault *fault)
{
	AUTO(handle) HANDLE look = NULL;
	AUTO(handle) HANDLE take = NULL;
	AUTO(handle) HANDLE write = NULL;
	FILE_BASIC_INFO about;
	NTSTATUS status = file_open_name(folder, wide, FILE_READ_ATTRIBUTES | SYNCHRONIZE, SHARE_ALL, FILE_OPEN, 0, &look);

	if (result_from_ntstatus(status) == RESULT_PATH_NOT_FOUND)
		return RESULT_OK;
	if (NT_SUCCESS(status) && GetFileInformationByHandleEx(look, FileBasicInfo, &about, sizeof about)) {
		if ((about.FileAttributes & FILE_ATTRIBUTE_DIRECTORY) != 0)
			return fault_set(fault, RESULT_IS_FOLDER, FAULT_FERRY, 0, "replace %s", name);
		if ((about.FileAttributes & FILE_ATTRIBUTE_READONLY) != 0)
			return fault_set(fault, RESULT_DENIED, FAULT_FERRY, 0, "replace %s, which is read-only", name);
	}
	status = file_open_name(folder, wide, DELETE | SYNCHRONIZE, SHARE_ALL, FILE_OPEN, FILE_NON_DIRECTORY_FILE, &take);
	/* A program that runs can be opened for that, and still not be replaced: it shows when it is to be written.  Other
	 * refusals to write say nothing, as replacing takes no right to write. */
	if (NT_SUCCESS(status) && file_open_name(folder, wide, FILE_WRITE_DATA | SYNCHRONIZE, SHARE_ALL, FILE_OPEN,
	                                    FILE_NON_DIRECTORY_FILE, &write) == NT_SHARING_VIOLATION)
		status = NT_SHARING_VIOLATION;
	if (NT_SUCCESS(status) || result_from_ntstatus(status) == RESULT_PATH_NOT_FOUND)
		return RESULT_OK;
	return fault_ntstatus(fault, status, "replace %s", name);
}

enum result folder_check_name(struct folder *folder, const char *name, struct fault *fault)
{
	AUTO(memory) wchar_t *wide = NULL;
	enum result result = check_simple(name, &wide, fault);

	return result == RESULT_OK ? find_obstacle(folder, wide, name, fault) : result;
}

enum result file_give_name(struct folder *folder, struct file_handle *file, const char *old_name, const char *new_name,
                           enum file_naming naming, struct fault *fault)
{
	AUTO(memory) wchar_t *wide = NULL;
	enum result result = check_simple(new_name, &wide, fault);

	(void)old_name; /* the handle is renamed, whatever its name */
	if (result != RESULT_OK)
		return result;
	NTSTATUS status = set_name(file->handle, NULL, wide, naming);
	if (status == NT_OBJECT_PATH_SYNTAX_BAD)
		status = set_name(file->handle, folder->handle, wide, naming);
	if (!NT_SUCCESS(status)) {
		/* "Access denied" may be a folder in the way, a program that runs, a missing right: look again to say which. */
		result = naming == FILE_REPLACES ? find_obstacle(folder, wide, new_name, fault) : RESULT_OK;
		return result != RESULT_OK ? result : fault_ntstatus(fault, status, "rename to %s", new_name);
	}
	/* Forces the file system's journal, and with it the new name, to the disk. */
	return file_sync(file, fault);
}

/* With POSIX semantics the name is gone at once, else when the last handle is closed. */
enum result file_remove(struct folder *folder, struct file_handle *file, const char *name, struct fault *fault)
{
	struct {
		ULONG flags;
	} now = { .flags = WIN32_DISPOSITION_DELETE_NOW };
	FILE_DISPOSITION_INFO later = { .DeleteFile = TRUE };

	(void)folder;
	if (SetFileInformationByHandle(file->handle, WIN32_DISPOSITION_INFO_EX, &now, sizeof now) ||
	    SetFileInformationByHandle(file->handle, FileDispositionInfo, &later, sizeof later))
		return RESULT_OK;
	return fault_win32(fault, GetLastError(), "remove %s", name);
}
