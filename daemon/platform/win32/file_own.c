/* platform/file: Ferry's own folders and files, by path, as the service. */
#include "platform/win32/file_win32.h"

#include <string.h>

#include <aclapi.h>
#include <initguid.h>
#include <knownfolders.h>
#include <shlobj.h>

#include "platform/win32/security.h"
#include "platform/win32/utf.h"

#define LOCK_FILE "ferry.lock"

enum result file_data_folder(char *to, size_t size, struct fault *fault)
{
	char parent[DESTINATION_BYTES_MAX];
	wchar_t *wide = NULL;
	/* The known folder, since a service's %ProgramData% is only what its environment says. */
	HRESULT error = SHGetKnownFolderPath(&FOLDERID_ProgramData, 0, NULL, &wide);
	enum result result;

	if (FAILED(error)) {
		CoTaskMemFree(wide);
		return fault_set(fault, RESULT_SYSTEM, FAULT_WIN32, error, "find the folder ProgramData");
	}
	result = utf_path_from_wide(wide, wcslen(wide), parent, sizeof parent, fault);
	CoTaskMemFree(wide);
	if (result != RESULT_OK)
		return result;
	result = text_format(to, size, "%s\\Ferry", parent);
	return result == RESULT_OK ? result : fault_set(fault, result, FAULT_FERRY, 0, "the data folder's path");
}

enum result file_program_folder(char *to, size_t size, struct fault *fault)
{
	AUTO(memory) wchar_t *path = calloc(UTF_PATH_CHARS_MAX + 1, sizeof *path);

	if (path == NULL)
		return fault_set(fault, RESULT_NO_MEMORY, FAULT_FERRY, 0, "find the running program");
	DWORD length = GetModuleFileNameW(NULL, path, UTF_PATH_CHARS_MAX);
	if (length == 0 || length >= UTF_PATH_CHARS_MAX)
		return fault_win32(fault, GetLastError(), "find the running program");
	while (length > 0 && path[length - 1] != L'\\')
		length--;
	/* "C:\" keeps its backslash, every other folder loses it. */
	if (length > 3)
		length--;
	return utf_path_from_wide(path, length, to, size, fault);
}

/* --- who may open what is Ferry's own (rule 22) --- */

static bool is_administrator(void)
{
	struct sid administrators;
	DWORD size = sizeof administrators;
	bool is = false;

	return CreateWellKnownSid(WinBuiltinAdministratorsSid, NULL, &administrators.sid, &size) &&
	       security_process_is(&administrators, &is, NULL) == RESULT_OK && is;
}

/* The service owns what it makes.  An administrator (`ferryd configure`) may name no service as owner without
 * SeRestorePrivilege and gives it to the Administrators.  Anybody else is running `ferryd console` for himself.
 * `handed_on`: "OICI" of a folder, to what will lie in it; "" of a file. */
static enum result private_sddl(const char *handed_on, char sddl[SDDL_BYTES_MAX], struct fault *fault)
{
	struct sid ferry, own;
	char ferry_text[SID_TEXT_BYTES_MAX], own_text[SID_TEXT_BYTES_MAX], one_more[SID_TEXT_BYTES_MAX + 16] = "";
	enum result result = security_ferry_sid(&ferry, fault);

	if (result == RESULT_OK)
		result = security_own_sid(&own, fault);
	if (result == RESULT_OK)
		result = security_sid_text(&ferry.sid, ferry_text, fault);
	if (result == RESULT_OK)
		result = security_sid_text(&own.sid, own_text, fault);
	if (result != RESULT_OK)
		return result;
	bool is_service = EqualSid(&ferry.sid, &own.sid);
	bool administrator = !is_service && is_administrator();
	const char *owner = administrator ? "BA" : own_text;
	if (!is_service && !administrator)
		text_display(one_more, sizeof one_more, "(A;%s;FA;;;%s)", handed_on, own_text);
	return text_format(sddl, SDDL_BYTES_MAX, "O:%sG:%sD:PAI(A;%s;FA;;;%s)(A;%s;FA;;;SY)(A;%s;FA;;;BA)%s", owner, owner,
	                     handed_on, ferry_text, handed_on, handed_on, one_more);
}

struct look {
	const char *path;
	struct fault *fault;
	enum result result;
};

static bool check_entry(void *context, const wchar_t *name, size_t chars)
{
	struct look *look = context;
	AUTO(memory) wchar_t *wide = NULL;
	AUTO(handle) HANDLE entry = NULL;
	char text[DESTINATION_SEGMENT_BYTES_MAX * 3 + 1], path[DESTINATION_BYTES_MAX + 1], owner[SID_TEXT_BYTES_MAX];
	bool trusted = false;

	look->result = utf_from_wide(name, chars, text, sizeof text, "file name", look->fault);
	if (look->result == RESULT_OK && text_format(path, sizeof path, "%s\\%s", look->path, text) != RESULT_OK)
		look->result = fault_set(look->fault, RESULT_TOO_LONG, FAULT_FERRY, 0, "look into %s", look->path);
	if (look->result == RESULT_OK)
		look->result = utf_path_to_wide(path, &wide, look->fault);
	if (look->result != RESULT_OK)
		return false;
	entry = CreateFileW(wide, READ_CONTROL, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL,
	                    OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT, NULL);
	if (entry == INVALID_HANDLE_VALUE) {
		look->result = fault_win32(look->fault, GetLastError(), "look at %s", path);
		if (look->result == RESULT_PATH_NOT_FOUND)
			look->result = RESULT_OK; /* gone meanwhile: a second daemon sees the files of the first come and go */
		return look->result == RESULT_OK;
	}
	look->result = file_check_owner(entry, &trusted, owner, look->fault);
	if (look->result == RESULT_OK && !trusted)
		look->result = fault_set(look->fault, RESULT_ACCESS_REFUSED, FAULT_FERRY, 0, "%s belongs to %s: remove it first",
		                         path, owner);
	return look->result == RESULT_OK;
}

/* In a folder that an administrator made by hand everybody may put files, as ProgramData hands that on: each must be of
 * somebody trusted, or a queue in it, with jobs of anybody's, would be a stranger's. */
static enum result check_entries(HANDLE folder, const char *path, struct fault *fault)
{
	struct look look = { .path = path, .fault = fault };
	enum result result = file_list_handle(folder, check_entry, &look, fault);

	return result == RESULT_OK ? look.result : result;
}

/* A folder that somebody else made before us, even an empty one: its list could be replaced, but not taken from handles that
 * are open, by which its maker could give himself rights to all that will lie in it. */
static enum result check_previous_owner(HANDLE folder, const char *path, struct fault *fault)
{
	char text[SID_TEXT_BYTES_MAX];
	bool trusted = false;
	enum result result = file_check_owner(folder, &trusted, text, fault);

	if (result != RESULT_OK || trusted)
		return result;
	return fault_set(fault, RESULT_ACCESS_REFUSED, FAULT_FERRY, 0, "the folder %s belongs to %s: remove it first", path, text);
}

static enum result apply_descriptor(HANDLE folder, PSECURITY_DESCRIPTOR descriptor, const char *path,
                                    struct fault *fault)
{
	PSID owner = NULL, group = NULL;
	PACL dacl = NULL;
	BOOL present = FALSE, defaulted;

	if (!GetSecurityDescriptorOwner(descriptor, &owner, &defaulted) ||
	    !GetSecurityDescriptorGroup(descriptor, &group, &defaulted) ||
	    !GetSecurityDescriptorDacl(descriptor, &present, &dacl, &defaulted) || !present)
		return fault_win32(fault, GetLastError(), "take the security descriptor apart");
	DWORD error = SetSecurityInfo(folder, SE_FILE_OBJECT,
	                              OWNER_SECURITY_INFORMATION | GROUP_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION |
	                                  PROTECTED_DACL_SECURITY_INFORMATION,
	                              owner, group, dacl, NULL);
	return error == ERROR_SUCCESS ? RESULT_OK : fault_win32(fault, error, "set owner and rights of %s", path);
}

enum result file_make_private_folder(const char *path, struct fault *fault)
{
	AUTO(local) PSECURITY_DESCRIPTOR descriptor = NULL;
	AUTO(memory) wchar_t *wide = NULL;
	AUTO(handle) HANDLE folder = NULL;
	char sddl[SDDL_BYTES_MAX];
	enum result result = private_sddl("OICI", sddl, fault);

	if (result == RESULT_OK)
		result = security_descriptor(sddl, &descriptor, fault);
	if (result == RESULT_OK)
		result = utf_path_to_wide(path, &wide, fault);
	if (result != RESULT_OK)
		return result;
	SECURITY_ATTRIBUTES attributes = { .nLength = sizeof attributes, .lpSecurityDescriptor = descriptor };
	bool made = CreateDirectoryW(wide, &attributes);
	if (!made && GetLastError() != ERROR_ALREADY_EXISTS)
		return fault_win32(fault, GetLastError(), "make folder %s", path);

	result = file_open_folder_handle(
		path, FILE_LIST_DIRECTORY | FILE_READ_ATTRIBUTES | READ_CONTROL | WRITE_DAC | WRITE_OWNER, false, &folder,
		fault);
	if (result == RESULT_PATH_NOT_FOUND && !made)
		return fault_set(fault, RESULT_EXISTS, FAULT_FERRY, 0, "a file has the name of the folder %s", path);
	if (result == RESULT_OK && !made)
		result = check_previous_owner(folder, path, fault);
	if (result == RESULT_OK)
		result = apply_descriptor(folder, descriptor, path, fault);
	/* Now that nobody else can add to it. */
	return result == RESULT_OK && !made ? check_entries(folder, path, fault) : result;
}

enum result file_create_private(const char *path, struct file_handle **ret_file, struct fault *fault)
{
	AUTO(local) PSECURITY_DESCRIPTOR descriptor = NULL;
	AUTO(memory) wchar_t *wide = NULL;
	char sddl[SDDL_BYTES_MAX];
	enum result result = private_sddl("", sddl, fault);

	if (result == RESULT_OK)
		result = security_descriptor(sddl, &descriptor, fault);
	if (result == RESULT_OK)
		result = utf_path_to_wide(path, &wide, fault);
	if (result != RESULT_OK)
		return result;
	SECURITY_ATTRIBUTES attributes = { .nLength = sizeof attributes, .lpSecurityDescriptor = descriptor };
	/* A link has the name, too, wherever it leads. */
	HANDLE handle = CreateFileW(wide, GENERIC_READ | GENERIC_WRITE, 0, &attributes, CREATE_NEW,
	                            FILE_ATTRIBUTE_NORMAL | FILE_FLAG_OPEN_REPARSE_POINT, NULL);
	if (handle == INVALID_HANDLE_VALUE)
		return fault_win32(fault, GetLastError(), "create %s", path);
	return file_wrap(handle, false, ret_file, fault);
}

/* --- plain files --- */

static enum result open_path(const char *path, DWORD access, DWORD share, DWORD disposition, bool append,
                             struct file_handle **ret_file, struct fault *fault)
{
	AUTO(memory) wchar_t *wide = NULL;
	enum result result = utf_path_to_wide(path, &wide, fault);

	if (result != RESULT_OK)
		return result;
	/* A link is opened as itself and then refused: Ferry's own files are nobody's to redirect. */
	HANDLE handle = CreateFileW(wide, access | FILE_READ_ATTRIBUTES, share, NULL, disposition,
	                            FILE_ATTRIBUTE_NORMAL | FILE_FLAG_OPEN_REPARSE_POINT, NULL);
	if (handle == INVALID_HANDLE_VALUE)
		return fault_win32(fault, GetLastError(), "open %s", path);
	FILE_ATTRIBUTE_TAG_INFO about;
	if (GetFileInformationByHandleEx(handle, FileAttributeTagInfo, &about, sizeof about) &&
	    (about.FileAttributes & FILE_ATTRIBUTE_REPARSE_POINT) != 0) {
		CloseHandle(handle);
		return fault_set(fault, RESULT_REPARSE_POINT, FAULT_FERRY, about.ReparseTag, "open %s", path);
	}
	return file_wrap(handle, append, ret_file, fault);
}

enum result file_open_read(const char *path, struct file_handle **ret_file, struct fault *fault)
{
	return open_path(path, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, OPEN_EXISTING, false,
	                 ret_file, fault);
}

/* Without FILE_WRITE_DATA the system itself makes every write an append. */
enum result file_open_append(const char *path, struct file_handle **ret_file, struct fault *fault)
{
	return open_path(path, FILE_APPEND_DATA | SYNCHRONIZE, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
	                 OPEN_ALWAYS, true, ret_file, fault);
}

enum result file_move(const char *from, const char *to, struct fault *fault)
{
	AUTO(memory) wchar_t *wide_from = NULL;
	AUTO(memory) wchar_t *wide_to = NULL;
	enum result result = utf_path_to_wide(from, &wide_from, fault);

	if (result == RESULT_OK)
		result = utf_path_to_wide(to, &wide_to, fault);
	if (result != RESULT_OK)
		return result;
	if (!MoveFileExW(wide_from, wide_to, MOVEFILE_REPLACE_EXISTING | MOVEFILE_WRITE_THROUGH))
		return fault_win32(fault, GetLastError(), "rename %s to %s", from, to);
	return RESULT_OK;
}

/* A file that is shared with nobody: the system lets go of it when the process ends, however it ends. */
enum result file_lock_folder(const char *path, struct file_handle **ret_lock, struct fault *fault)
{
	char name[DESTINATION_BYTES_MAX + sizeof LOCK_FILE + 1];
	enum result result = text_format(name, sizeof name, "%s\\" LOCK_FILE, path);

	if (result != RESULT_OK)
		return fault_set(fault, result, FAULT_FERRY, 0, "lock %s", path);
	result = open_path(name, GENERIC_WRITE, 0, OPEN_ALWAYS, false, ret_lock, fault);
	if (result == RESULT_LOCKED)
		return fault_set(fault, RESULT_ALREADY_RUNNING, FAULT_WIN32, ERROR_SHARING_VIOLATION, "lock %s", path);
	return result;
}
