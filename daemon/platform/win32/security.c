#include "platform/win32/security.h"

#include <sddl.h>
#include <stdatomic.h>
#include <string.h>

#include "platform/hash.h"
#include "platform/win32/utf.h"

enum result security_service_sid(const wchar_t *service, struct sid *ret_sid, struct fault *fault)
{
	SID_IDENTIFIER_AUTHORITY authority = SECURITY_NT_AUTHORITY;
	uint8_t digest[DIGEST_SHA1_BYTES];
	wchar_t name[257]; /* a service's name has at most 256 characters */
	size_t length = wcslen(service);

	if (length >= sizeof name / sizeof name[0])
		return fault_set(fault, RESULT_TOO_LONG, FAULT_FERRY, 0, "service name");
	memcpy(name, service, (length + 1) * sizeof name[0]);
	CharUpperBuffW(name, (DWORD)length);
	struct hash *hash = hash_new(sizeof digest);
	hash_add(hash, name, length * sizeof name[0]);
	enum result result = hash_end(hash, digest, fault);
	if (result != RESULT_OK)
		return result;

	if (!InitializeSid(&ret_sid->sid, &authority, 6))
		return fault_win32(fault, GetLastError(), "initialise a service SID");
	*GetSidSubAuthority(&ret_sid->sid, 0) = SECURITY_SERVICE_ID_BASE_RID;
	for (DWORD i = 0; i < 5; i++)
		memcpy(GetSidSubAuthority(&ret_sid->sid, i + 1), digest + 4 * i, 4);
	return RESULT_OK;
}

enum result security_ferry_sid(struct sid *ret_sid, struct fault *fault)
{
	return security_service_sid(SECURITY_SERVICE_NAME, ret_sid, fault);
}

enum result security_token_user(HANDLE token, struct sid *ret_sid, struct fault *fault)
{
	union {
		TOKEN_USER user;
		BYTE bytes[sizeof(TOKEN_USER) + SECURITY_MAX_SID_SIZE];
	} information;
	DWORD size;

	if (!GetTokenInformation(token, TokenUser, &information, sizeof information, &size) ||
	    !CopySid(sizeof *ret_sid, &ret_sid->sid, information.user.User.Sid))
		return fault_win32(fault, GetLastError(), "read a token's user");
	return RESULT_OK;
}

enum result security_process_user(struct sid *ret_sid, struct fault *fault)
{
	AUTO(handle) HANDLE token = NULL;

	if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token))
		return fault_win32(fault, GetLastError(), "open the process's token");
	return security_token_user(token, ret_sid, fault);
}

enum result security_process_is(const struct sid *sid, bool *ret_is, struct fault *fault)
{
	AUTO(handle) HANDLE process = NULL;
	AUTO(handle) HANDLE token = NULL;
	struct sid copy = *sid;
	BOOL member = FALSE;

	/* CheckTokenMembership(NULL) would ask the thread's token, and of a given one it wants an impersonation token. */
	if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY | TOKEN_DUPLICATE, &process) ||
	    !DuplicateTokenEx(process, TOKEN_QUERY, NULL, SecurityIdentification, TokenImpersonation, &token) ||
	    !CheckTokenMembership(token, &copy.sid, &member))
		return fault_win32(fault, GetLastError(), "ask for a group of the process");
	*ret_is = member;
	return RESULT_OK;
}

enum result security_own_what_is_made(HANDLE token, const struct sid *owner, struct fault *fault)
{
	struct sid copy = *owner;
	TOKEN_OWNER information = { &copy.sid };

	if (!SetTokenInformation(token, TokenOwner, &information, sizeof information))
		return fault_win32(fault, GetLastError(), "set the owner of what is made");
	return RESULT_OK;
}

static atomic_bool declared_service;

void security_declare_service(void)
{
	atomic_store(&declared_service, true);
}

bool security_is_declared_service(void)
{
	return atomic_load(&declared_service);
}

enum result security_own_sid(struct sid *ret_sid, struct fault *fault)
{
	struct sid ferry;
	bool is_service = false;
	enum result result = security_ferry_sid(&ferry, fault);

	if (result == RESULT_OK)
		result = security_process_is(&ferry, &is_service, fault);
	if (result != RESULT_OK)
		return result;
	if (!is_service)
		return security_process_user(ret_sid, fault);
	*ret_sid = ferry;
	return RESULT_OK;
}

enum result security_sid_text(PSID sid, char to[SID_TEXT_BYTES_MAX], struct fault *fault)
{
	AUTO(local) wchar_t *wide = NULL;

	if (!ConvertSidToStringSidW(sid, &wide))
		return fault_win32(fault, GetLastError(), "write a SID");
	return utf_from_wide(wide, wcslen(wide), to, SID_TEXT_BYTES_MAX, "SID", fault);
}

enum result security_descriptor(const char *sddl, PSECURITY_DESCRIPTOR *ret_descriptor, struct fault *fault)
{
	AUTO(memory) wchar_t *wide = NULL;
	enum result result = utf_to_wide(text_view(sddl), "security descriptor", &wide, fault);

	if (result != RESULT_OK)
		return result;
	if (!ConvertStringSecurityDescriptorToSecurityDescriptorW(wide, SDDL_REVISION_1, ret_descriptor, NULL))
		return fault_win32(fault, GetLastError(), "build the security descriptor %s", sddl);
	return RESULT_OK;
}

enum result security_private_object(DWORD access, PSECURITY_DESCRIPTOR *ret_descriptor, struct fault *fault)
{
	struct sid own;
	char text[SID_TEXT_BYTES_MAX], sddl[SDDL_BYTES_MAX];
	unsigned long mask = access;
	enum result result = security_own_sid(&own, fault);

	if (result == RESULT_OK)
		result = security_sid_text(&own.sid, text, fault);
	if (result == RESULT_OK)
		result = text_format(sddl, sizeof sddl, "D:P(A;;0x%lx;;;%s)(A;;0x%lx;;;SY)(A;;0x%lx;;;BA)(A;;RC;;;OW)", mask,
		                     text, mask, mask);
	if (result != RESULT_OK)
		return result;
	return security_descriptor(sddl, ret_descriptor, fault);
}

enum result security_close_object(HANDLE object, DWORD access, struct fault *fault)
{
	AUTO(local) PSECURITY_DESCRIPTOR descriptor = NULL;
	enum result result = security_private_object(access, &descriptor, fault);

	if (result != RESULT_OK)
		return result;
	if (!SetKernelObjectSecurity(object, DACL_SECURITY_INFORMATION | PROTECTED_DACL_SECURITY_INFORMATION, descriptor))
		return fault_win32(fault, GetLastError(), "close an object to others");
	return RESULT_OK;
}

enum result security_owner(HANDLE object, struct sid *ret_owner, struct fault *fault)
{
	union {
		SECURITY_DESCRIPTOR descriptor;
		BYTE bytes[sizeof(SECURITY_DESCRIPTOR) + SECURITY_MAX_SID_SIZE];
	} buffer;
	PSID owner = NULL;
	BOOL defaulted;
	DWORD size;

	if (!GetKernelObjectSecurity(object, OWNER_SECURITY_INFORMATION, &buffer, sizeof buffer, &size) ||
	    !GetSecurityDescriptorOwner(&buffer, &owner, &defaulted))
		return fault_win32(fault, GetLastError(), "read the owner");
	if (owner == NULL || !CopySid(sizeof *ret_owner, &ret_owner->sid, owner))
		return fault_set(fault, RESULT_SYSTEM, FAULT_FERRY, 0, "the object has no owner");
	return RESULT_OK;
}
