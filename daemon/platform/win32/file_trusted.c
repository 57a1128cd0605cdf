/* platform/file: whether anybody could have written what is Ferry's own (rule 22). */
#include "platform/win32/file_win32.h"

#include <aclapi.h>

#include "platform/win32/utf.h"

/* It was opened, and whoever has the oplock is still being told.  ntstatus.h and windows.h quarrel over their common names. */
#define NT_OPLOCK_BREAK_IN_PROGRESS ((NTSTATUS)0x00000108)

/* What changes a file's or folder's content, what it is, or who may: by FILE_WRITE_ATTRIBUTES it could become a link. */
#define CHANGES                                                                                                        \
	(FILE_WRITE_DATA | FILE_APPEND_DATA | FILE_WRITE_EA | FILE_WRITE_ATTRIBUTES | FILE_DELETE_CHILD | DELETE | WRITE_DAC | \
	 WRITE_OWNER | GENERIC_WRITE | GENERIC_ALL)

static enum result is_trusted(PSID sid, bool *ret_trusted, struct fault *fault)
{
	struct sid own, ferry;
	enum result result = security_own_sid(&own, fault);

	if (result == RESULT_OK)
		result = security_ferry_sid(&ferry, fault);
	if (result == RESULT_OK)
		*ret_trusted = EqualSid(sid, &own.sid) || EqualSid(sid, &ferry.sid) ||
		               IsWellKnownSid(sid, WinBuiltinAdministratorsSid) || IsWellKnownSid(sid, WinLocalSystemSid);
	return result;
}

enum result file_check_owner(HANDLE object, bool *ret_trusted, char text[SID_TEXT_BYTES_MAX], struct fault *fault)
{
	struct sid owner;
	enum result result = security_owner(object, &owner, fault);

	if (result == RESULT_OK)
		result = is_trusted(&owner.sid, ret_trusted, fault);
	if (result == RESULT_OK && security_sid_text(&owner.sid, text, NULL) != RESULT_OK)
		text[0] = '\0';
	return result;
}

/* Does this entry allow somebody who is not trusted to change it?  Of kinds that are not known here nothing good is assumed;
 * OWNER RIGHTS are those of the owner, who was looked at, and what is for entries below is theirs. */
static enum result check_ace(void *entry, bool *ret_trusted, char text[SID_TEXT_BYTES_MAX], struct fault *fault)
{
	const ACE_HEADER *header = entry;
	ACCESS_ALLOWED_ACE *allowed = entry;
	PSID sid = &allowed->SidStart;

	*ret_trusted = true;
	if ((header->AceFlags & INHERIT_ONLY_ACE) != 0 || header->AceType == ACCESS_DENIED_ACE_TYPE)
		return RESULT_OK;
	text_display(text, SID_TEXT_BYTES_MAX, "an entry of kind %u", header->AceType);
	*ret_trusted = false;
	if (header->AceType != ACCESS_ALLOWED_ACE_TYPE && header->AceType != ACCESS_ALLOWED_CALLBACK_ACE_TYPE)
		return RESULT_OK;
	*ret_trusted = (allowed->Mask & CHANGES) == 0 || IsWellKnownSid(sid, WinCreatorOwnerRightsSid);
	if (*ret_trusted)
		return RESULT_OK;
	if (security_sid_text(sid, text, NULL) != RESULT_OK)
		text[0] = '\0';
	return is_trusted(sid, ret_trusted, fault);
}

static enum result check_list(HANDLE object, bool *ret_trusted, char text[SID_TEXT_BYTES_MAX], struct fault *fault)
{
	AUTO(local) PSECURITY_DESCRIPTOR descriptor = NULL;
	PACL list = NULL;
	DWORD error = GetSecurityInfo(object, SE_FILE_OBJECT, DACL_SECURITY_INFORMATION, NULL, NULL, &list, NULL, &descriptor);

	if (error != ERROR_SUCCESS)
		return fault_win32(fault, error, "read an access list");
	text_display(text, SID_TEXT_BYTES_MAX, "everybody, by having no access list");
	*ret_trusted = list != NULL;
	for (DWORD i = 0; *ret_trusted && i < list->AceCount; i++) {
		void *ace;

		if (!GetAce(list, i, &ace))
			return fault_win32(fault, GetLastError(), "read an entry of an access list");
		enum result result = check_ace(ace, ret_trusted, text, fault);
		if (result != RESULT_OK)
			return result;
	}
	return RESULT_OK;
}

/* As itself, if it is a link.  Whoever may read a file may have a lock of it that others' opening waits for (an oplock), as long
 * as he pleases: nothing is waited for here. */
static enum result open_itself(const char *path, ACCESS_MASK access, ULONG share, ULONG options, HANDLE *ret_object, struct fault *fault)
{
	AUTO(memory) wchar_t *wide = NULL;
	struct folder nowhere = { NULL };
	enum result result = utf_path_to_wide(path, &wide, fault);

	if (result != RESULT_OK)
		return result;
	wide[1] = L'?'; /* \\?\ is \??\ to the kernel */
	NTSTATUS status = file_open_name(&nowhere, wide, access | READ_CONTROL | FILE_READ_ATTRIBUTES | SYNCHRONIZE,
	                                 share | FILE_SHARE_READ | FILE_SHARE_DELETE, FILE_OPEN, options | FILE_COMPLETE_IF_OPLOCKED, ret_object);
	if (status == NT_OPLOCK_BREAK_IN_PROGRESS) {
		CloseHandle(TAKE(*ret_object));
		return fault_set(fault, RESULT_LOCKED, FAULT_FERRY, 0, FILE_IS_HELD, path);
	}
	return NT_SUCCESS(status) ? RESULT_OK : fault_ntstatus(fault, status, "look at %s", path);
}

static enum result check_object(HANDLE object, const char *path, struct fault *fault)
{
	FILE_ATTRIBUTE_TAG_INFO about;
	char who[SID_TEXT_BYTES_MAX];
	bool trusted = false;

	if (!GetFileInformationByHandleEx(object, FileAttributeTagInfo, &about, sizeof about))
		return fault_win32(fault, GetLastError(), "look at %s", path);
	if ((about.FileAttributes & FILE_ATTRIBUTE_REPARSE_POINT) != 0)
		return fault_set(fault, RESULT_REPARSE_POINT, FAULT_FERRY, about.ReparseTag, "look at %s", path);
	enum result result = file_check_owner(object, &trusted, who, fault);
	if (result == RESULT_OK && trusted)
		result = check_list(object, &trusted, who, fault);
	if (result != RESULT_OK || trusted)
		return result;
	/* Its list could be mended, but whoever has it open would keep his rights: a copy is a new file. */
	return fault_set(fault, RESULT_ACCESS_REFUSED, FAULT_FERRY, 0,
	                 "%s: %s could write to it. As an administrator put a copy of it in its place", path, who);
}

enum result file_check_trusted(const char *path, struct fault *fault)
{
	AUTO(handle) HANDLE object = NULL;
	enum result result = open_itself(path, 0, FILE_SHARE_WRITE, 0, &object, fault);

	return result == RESULT_OK ? check_object(object, path, fault) : result;
}

enum result file_open_trusted(const char *path, struct file_handle **ret_file, struct fault *fault)
{
	AUTO(handle) HANDLE object = NULL;
	enum result result = open_itself(path, FILE_READ_DATA, 0, FILE_NON_DIRECTORY_FILE, &object, fault);

	if (result == RESULT_LOCKED)
		return fault_set(fault, result, FAULT_FERRY, 0, FILE_IS_HELD, path);
	if (result == RESULT_OK)
		result = check_object(object, path, fault);
	return result == RESULT_OK ? file_wrap(TAKE(object), false, ret_file, fault) : result;
}
