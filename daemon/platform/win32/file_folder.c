/* platform/file: opening a folder component-safe, and where an open folder lies. */
#include "platform/win32/file_win32.h"

#include <string.h>
#include <winternl.h>

#include "platform/win32/utf.h"

/* What NtCreateFile says where it does not know an object attribute: Windows before 10, and perhaps Wine. */
#define NT_INVALID_PARAMETER ((NTSTATUS)0xC000000D)

#define LIST_CHUNK_BYTES 4096u
#define ROOT_CHARS_MAX 600u /* \??\UNC\ with a host and a share name */

/* The volume's root as an NT path, and what follows it. */
struct nt_path {
	wchar_t root[ROOT_CHARS_MAX];
	const wchar_t *rest; /* "" for the root itself */
};

static const wchar_t *after_component(const wchar_t *at)
{
	at += wcscspn(at, L"\\");
	return *at == L'\\' ? at + 1 : at;
}

/* From utf's form: \\?\C:\rest or \\?\UNC\server\share\rest.  The root ends in a backslash: it is the folder, not the
 * volume. */
static bool split(const wchar_t *path, struct nt_path *ret_split)
{
	static const wchar_t unc[] = L"\\\\?\\UNC\\";
	const size_t unc_length = sizeof unc / sizeof unc[0] - 1;
	const wchar_t *rest = after_component(path + 4);

	if (wcsncmp(path, unc, unc_length) == 0)
		rest = after_component(after_component(path + unc_length));
	size_t length = (size_t)(rest - path);
	if (length + 2 > ROOT_CHARS_MAX)
		return false;
	memcpy(ret_split->root, path, length * sizeof *path);
	if (ret_split->root[length - 1] != L'\\')
		ret_split->root[length++] = L'\\';
	ret_split->root[length] = L'\0';
	ret_split->root[1] = L'?'; /* \\?\ is \??\ to the kernel */
	ret_split->rest = rest;
	return true;
}

/* No backup intent anywhere: SeBackupPrivilege or SeRestorePrivilege must not open what the identity may not. */
static NTSTATUS open_directory(HANDLE parent, const wchar_t *name, size_t chars, ULONG attributes, ACCESS_MASK access,
                               ULONG options, HANDLE *ret_handle)
{
	UNICODE_STRING text = { .Length = (USHORT)(chars * sizeof *name),
		                    .MaximumLength = (USHORT)(chars * sizeof *name),
		                    .Buffer = (wchar_t *)(uintptr_t)name };
	OBJECT_ATTRIBUTES object = { .Length = sizeof object,
		                         .RootDirectory = parent,
		                         .ObjectName = &text,
		                         .Attributes = OBJ_CASE_INSENSITIVE | attributes };
	IO_STATUS_BLOCK io;

	return NtCreateFile(ret_handle, access | SYNCHRONIZE, &object, &io, NULL, 0,
	                    FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, FILE_OPEN,
	                    FILE_DIRECTORY_FILE | FILE_SYNCHRONOUS_IO_NONALERT | options, NULL, 0);
}

/* Without OBJ_DONT_REPARSE: one component after the other, each opened as itself and looked at. */
static enum result walk(HANDLE root, const wchar_t *rest, ACCESS_MASK access, const char *path, HANDLE *ret_handle,
                        struct fault *fault)
{
	AUTO(handle) HANDLE at = NULL;

	while (*rest != L'\0') {
		FILE_ATTRIBUTE_TAG_INFO tag;
		HANDLE next = NULL;
		NTSTATUS status = open_directory(at != NULL ? at : root, rest, wcscspn(rest, L"\\"), 0, access,
		                                 FILE_OPEN_REPARSE_POINT, &next);
		if (!NT_SUCCESS(status))
			return fault_ntstatus(fault, status, "open folder %s", path);
		handle_cleanup(&at);
		at = next;
		if (!GetFileInformationByHandleEx(at, FileAttributeTagInfo, &tag, sizeof tag))
			return fault_win32(fault, GetLastError(), "look at folder %s", path);
		if ((tag.FileAttributes & FILE_ATTRIBUTE_REPARSE_POINT) != 0)
			return fault_set(fault, RESULT_REPARSE_POINT, FAULT_FERRY, tag.ReparseTag, "open folder %s", path);
		rest = after_component(rest);
	}
	*ret_handle = TAKE(at);
	return RESULT_OK;
}

static enum result open_root(struct nt_path *split_path, ACCESS_MASK access, const char *path, HANDLE *ret_root,
                             struct fault *fault)
{
	size_t chars = wcslen(split_path->root);
	/* A client's logon session can map C: to a folder of its own (rule 22): ask the global map. */
	NTSTATUS status =
		open_directory(NULL, split_path->root, chars, OBJ_IGNORE_IMPERSONATED_DEVICEMAP, access, 0, ret_root);

	if (status == NT_INVALID_PARAMETER)
		status = open_directory(NULL, split_path->root, chars, 0, access, 0, ret_root);
	return NT_SUCCESS(status) ? RESULT_OK : fault_ntstatus(fault, status, "open the volume of %s", path);
}

enum result file_open_folder_handle(const char *path, ACCESS_MASK access, bool follow, HANDLE *ret_handle,
                                    struct fault *fault)
{
	AUTO(memory) wchar_t *wide = NULL;
	AUTO(handle) HANDLE root = NULL;
	struct nt_path at;
	enum result result = utf_path_to_wide(path, &wide, fault);

	if (result != RESULT_OK)
		return result;
	/* A trailing backslash would be an empty last component. */
	size_t length = wcslen(wide);
	if (!split(wide, &at) || length > UTF_PATH_CHARS_MAX - 1)
		return fault_set(fault, RESULT_TOO_LONG, FAULT_FERRY, 0, "open folder %s", path);
	if (*at.rest != L'\0' && wide[length - 1] == L'\\')
		wide[length - 1] = L'\0';
	/* The drive's name is itself a link of the object manager's, so only what follows can refuse links. */
	result = open_root(&at, *at.rest != L'\0' ? FILE_READ_ATTRIBUTES : access, path, &root, fault);
	if (result != RESULT_OK)
		return result;
	if (*at.rest == L'\0') {
		*ret_handle = TAKE(root);
		return RESULT_OK;
	}
	NTSTATUS status =
		open_directory(root, at.rest, wcslen(at.rest), follow ? 0 : OBJ_DONT_REPARSE, access, 0, ret_handle);
	if (status == NT_INVALID_PARAMETER && !follow)
		return walk(root, at.rest, access, path, ret_handle, fault);
	return NT_SUCCESS(status) ? RESULT_OK : fault_ntstatus(fault, status, "open folder %s", path);
}

#define NT_BAD_NETWORK_PATH ((int32_t)0xC00000BE) /* ntstatus.h and windows.h quarrel over their common names */

/* A drive that is not there now, or a server that does not answer: what lies on it may come back.  Whether there is such a
 * share or folder only the one who has it can say. */
static bool volume_is_gone(const char *path, int64_t error)
{
	char root[] = "?:\\";

	if (path[0] == '\\')
		return error == ERROR_BAD_NETPATH || error == NT_BAD_NETWORK_PATH;
	root[0] = path[0];
	return GetDriveTypeA(root) == DRIVE_NO_ROOT_DIR;
}

enum result folder_open(const char *path, struct folder **ret_folder, struct fault *fault)
{
	AUTO(folder) struct folder *folder = calloc(1, sizeof *folder);

	if (folder == NULL)
		return fault_set(fault, RESULT_NO_MEMORY, FAULT_FERRY, 0, "open folder %s", path);
	/* Nothing more is asked for: a folder that may be written in need not be readable, and what is made in it is
	 * checked by itself. */
	struct fault why = { .result = RESULT_OK };
	enum result result = file_open_folder_handle(path, FILE_READ_ATTRIBUTES, false, &folder->handle, &why);
	if (result == RESULT_PATH_NOT_FOUND && volume_is_gone(path, why.raw))
		result = why.result = RESULT_VOLUME_GONE;
	if (result != RESULT_OK && fault != NULL)
		*fault = why;
	if (result == RESULT_OK)
		*ret_folder = TAKE(folder);
	return result;
}

void folder_free(struct folder *folder)
{
	if (folder == NULL)
		return;
	handle_cleanup(&folder->handle);
	free(folder);
}

/* NTFS and ReFS order names in their journals; file_rename() forces its own to the disk. */
const bool folder_is_to_be_synced = false;

enum result folder_sync(struct folder *folder, struct fault *fault)
{
	(void)folder;
	(void)fault;
	return RESULT_OK;
}

/* --- what may be done in a folder, and what lies in it --- */

/* The open folder itself, once more and with more access: an empty name below it. */
static NTSTATUS open_again(struct folder *folder, ACCESS_MASK access, HANDLE *ret_handle)
{
	return open_directory(folder->handle, L"", 0, 0, access, 0, ret_handle);
}

enum result folder_check_writable(struct folder *folder, struct fault *fault)
{
	AUTO(handle) HANDLE again = NULL;
	NTSTATUS status = open_again(folder, FILE_ADD_FILE, &again);

	return NT_SUCCESS(status) ? RESULT_OK : fault_ntstatus(fault, status, "make files in the folder");
}

enum result file_list_handle(HANDLE folder, bool (*visit)(void *context, const wchar_t *name, size_t chars),
                             void *context, struct fault *fault)
{
	union {
		FILE_ID_BOTH_DIR_INFO first;
		BYTE bytes[LIST_CHUNK_BYTES];
	} list;

	while (GetFileInformationByHandleEx(folder, FileIdBothDirectoryInfo, &list, sizeof list)) {
		const BYTE *at = list.bytes;
		const FILE_ID_BOTH_DIR_INFO *entry;
		do {
			entry = (const void *)at;
			size_t chars = entry->FileNameLength / sizeof entry->FileName[0];
			bool dots = chars <= 2 && wcsncmp(entry->FileName, L"..", chars) == 0;
			if (!dots && !visit(context, entry->FileName, chars))
				return RESULT_OK;
			at += entry->NextEntryOffset;
		} while (entry->NextEntryOffset != 0);
	}
	if (GetLastError() == ERROR_NO_MORE_FILES || GetLastError() == ERROR_HANDLE_EOF)
		return RESULT_OK;
	return fault_win32(fault, GetLastError(), "list the folder");
}

struct listing {
	const char *prefix;
	bool (*visit)(void *context, const char *name);
	void *context;
};

static bool visit_name(void *context, const wchar_t *wide, size_t chars)
{
	const struct listing *listing = context;
	char name[DESTINATION_SEGMENT_BYTES_MAX * 3 + 1]; /* of UTF-8 for as many characters */

	/* What is no Unicode is no name of Ferry's. */
	if (utf_from_wide(wide, chars, name, sizeof name, "file name", NULL) != RESULT_OK ||
	    strncmp(name, listing->prefix, strlen(listing->prefix)) != 0)
		return true;
	return listing->visit(listing->context, name);
}

enum result folder_names(struct folder *folder, const char *prefix, bool (*visit)(void *context, const char *name),
                         void *context, struct fault *fault)
{
	struct listing listing = { .prefix = prefix, .visit = visit, .context = context };
	AUTO(handle) HANDLE again = NULL;
	NTSTATUS status = open_again(folder, FILE_LIST_DIRECTORY, &again);

	if (!NT_SUCCESS(status))
		return fault_ntstatus(fault, status, "list the folder");
	return file_list_handle(again, visit_name, &listing, fault);
}

/* --- where a folder lies --- */

static enum result object_name(HANDLE handle, wchar_t **ret_name, struct fault *fault)
{
	const ULONG size = sizeof(UNICODE_STRING) + (UTF_PATH_CHARS_MAX + 1) * sizeof(wchar_t);
	AUTO(memory) UNICODE_STRING *text = calloc(1, size);
	ULONG used;

	if (text == NULL)
		return fault_set(fault, RESULT_NO_MEMORY, FAULT_FERRY, 0, "name an open folder");
	NTSTATUS status = NtQueryObject(handle, (OBJECT_INFORMATION_CLASS)1 /* ObjectNameInformation */, text, size, &used);
	if (!NT_SUCCESS(status))
		return fault_ntstatus(fault, status, "name an open folder");
	wchar_t *name = calloc(text->Length / sizeof *name + 1, sizeof *name);
	if (name == NULL)
		return fault_set(fault, RESULT_NO_MEMORY, FAULT_FERRY, 0, "name an open folder");
	memcpy(name, text->Buffer, text->Length);
	*ret_name = name;
	return RESULT_OK;
}

/* The name the system gives an open folder: links resolved, short names made long. */
static enum result final_name(HANDLE handle, DWORD volume_name, wchar_t **ret_name, struct fault *fault)
{
	AUTO(memory) wchar_t *name = calloc(UTF_PATH_CHARS_MAX + 1, sizeof *name);

	if (name == NULL)
		return fault_set(fault, RESULT_NO_MEMORY, FAULT_FERRY, 0, "name an open folder");
	DWORD length = GetFinalPathNameByHandleW(handle, name, UTF_PATH_CHARS_MAX + 1, FILE_NAME_NORMALIZED | volume_name);
	/* Wine's buffer inside is MAX_PATH long.  What it keeps as the object's name serves the same there. */
	if (length == 0 && GetLastError() == ERROR_MORE_DATA)
		return object_name(handle, ret_name, fault);
	if (length == 0 || length > UTF_PATH_CHARS_MAX)
		return fault_win32(fault, GetLastError(), "name an open folder");
	*ret_name = TAKE(name);
	return RESULT_OK;
}

static bool name_is_below(const wchar_t *name, const wchar_t *ancestor)
{
	size_t length = wcslen(ancestor);

	while (length > 0 && ancestor[length - 1] == L'\\')
		length--;
	return wcslen(name) >= length &&
	       CompareStringOrdinal(name, (int)length, ancestor, (int)length, TRUE) == CSTR_EQUAL &&
	       (name[length] == L'\0' || name[length] == L'\\');
}

/* Names of both in the same manner, or the comparison means nothing. */
static enum result names_of_both(HANDLE folder, HANDLE ancestor, wchar_t **ret_folder, wchar_t **ret_ancestor,
                                 struct fault *fault)
{
	AUTO(memory) wchar_t *first = NULL;
	AUTO(memory) wchar_t *second = NULL;
	enum result result = final_name(folder, VOLUME_NAME_NT, &first, NULL);

	if (result == RESULT_OK)
		result = final_name(ancestor, VOLUME_NAME_NT, &second, NULL);
	if (result != RESULT_OK || wcsncmp(first, second, 5) != 0) {
		free(TAKE(first));
		free(TAKE(second));
		result = object_name(folder, &first, fault);
		if (result == RESULT_OK)
			result = object_name(ancestor, &second, fault);
	}
	if (result != RESULT_OK)
		return result;
	*ret_folder = TAKE(first);
	*ret_ancestor = TAKE(second);
	return RESULT_OK;
}

enum result folder_is_below(struct folder *folder, const char *ancestor_path, bool *ret_below, struct fault *fault)
{
	AUTO(handle) HANDLE ancestor = NULL;
	AUTO(memory) wchar_t *name = NULL;
	AUTO(memory) wchar_t *ancestor_name = NULL;
	enum result result = file_open_folder_handle(ancestor_path, FILE_READ_ATTRIBUTES, true, &ancestor, fault);

	if (result == RESULT_PATH_NOT_FOUND) {
		*ret_below = false; /* nothing lies below what is not there */
		return RESULT_OK;
	}
	if (result == RESULT_DENIED) {
		/* The identity may not even look at Ferry's folder.  Its path is compared as text, with the name of the folder
		 * that is open: that one is resolved. */
		result = utf_path_to_wide(ancestor_path, &ancestor_name, fault);
		if (result == RESULT_OK)
			result = final_name(folder->handle, VOLUME_NAME_DOS, &name, fault);
	} else if (result == RESULT_OK) {
		result = names_of_both(folder->handle, ancestor, &name, &ancestor_name, fault);
	}
	if (result == RESULT_OK)
		*ret_below = name_is_below(name, ancestor_name);
	return result;
}
