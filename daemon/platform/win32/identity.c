#include "platform/identity_head.h"

#include <stdlib.h>
#include <string.h>

#include "platform/win32/identity_token.h"
#include "platform/win32/identity_win32.h"
#include "platform/win32/security.h"

#include <bcrypt.h>

struct identity {
	struct identity_head head;
	HANDLE token;
	LUID authentication, modified; /* TokenStatistics of `token`: what a thread must show when it wears it */
};

/* --- making one --- */

/* Rule 17: what a captured token could do beyond its user's rights is not needed for a download. */
static enum result strip_privileges(HANDLE token, struct fault *fault)
{
	AUTO(memory) TOKEN_PRIVILEGES *privileges = NULL;
	LUID kept;
	enum result result = token_read(token, TokenPrivileges, &privileges, fault);

	if (result != RESULT_OK)
		return result;
	if (!LookupPrivilegeValueW(NULL, L"SeChangeNotifyPrivilege", &kept))
		return fault_win32(fault, GetLastError(), "look up SeChangeNotifyPrivilege");
	for (DWORD i = 0; i < privileges->PrivilegeCount; i++)
		if (memcmp(&privileges->Privileges[i].Luid, &kept, sizeof kept) != 0)
			privileges->Privileges[i].Attributes = SE_PRIVILEGE_REMOVED;
	if (!AdjustTokenPrivileges(token, FALSE, privileges, 0, NULL, NULL))
		return fault_win32(fault, GetLastError(), "strip the token");

	/* The call also succeeds when it did only part of it. */
	free(TAKE(privileges));
	result = token_read(token, TokenPrivileges, &privileges, fault);
	for (DWORD i = 0; result == RESULT_OK && i < privileges->PrivilegeCount; i++)
		if (memcmp(&privileges->Privileges[i].Luid, &kept, sizeof kept) != 0)
			result = fault_set(fault, RESULT_ACCESS_REFUSED, FAULT_FERRY, 0, "a privilege stayed in the token");
	return result;
}

static enum result duplicate(HANDLE token, HANDLE *ret_duplicate, struct fault *fault)
{
	AUTO(local) PSECURITY_DESCRIPTOR descriptor = NULL;
	AUTO(handle) HANDLE copy = NULL;
	enum result result = security_private_object(TOKEN_ALL_ACCESS, &descriptor, fault);

	if (result != RESULT_OK)
		return result;
	SECURITY_ATTRIBUTES attributes = { .nLength = sizeof attributes, .lpSecurityDescriptor = descriptor };
	if (!DuplicateTokenEx(token, TOKEN_QUERY | TOKEN_DUPLICATE | TOKEN_IMPERSONATE | TOKEN_ADJUST_PRIVILEGES,
	                      &attributes, SecurityImpersonation, TokenImpersonation, &copy))
		return fault_win32(fault, GetLastError(), "duplicate the token");
	result = strip_privileges(copy, fault);
	if (result == RESULT_OK)
		*ret_duplicate = TAKE(copy);
	return result;
}

static enum result require_impersonation(HANDLE token, struct fault *fault)
{
	TOKEN_STATISTICS statistics;
	enum result result = token_read_statistics(token, &statistics, fault);

	if (result != RESULT_OK || statistics.TokenType == TokenPrimary ||
	    statistics.ImpersonationLevel >= SecurityImpersonation)
		return result;
	return fault_set(fault, RESULT_NOT_LENT, FAULT_FERRY, (int64_t)statistics.ImpersonationLevel,
	                 "token-impersonation: the token is below impersonation level");
}

/* An identity that wears a duplicate of `token` and is described by `described`. */
static enum result make(HANDLE token, HANDLE described, struct identity **ret_identity, struct fault *fault)
{
	AUTO(identity) struct identity *identity = calloc(1, sizeof *identity);
	TOKEN_STATISTICS statistics;

	if (identity == NULL)
		return fault_set(fault, RESULT_NO_MEMORY, FAULT_FERRY, 0, "keep an identity");
	atomic_init(&identity->head.references, 1);
	enum result result = require_impersonation(token, fault);
	if (result == RESULT_OK)
		result = duplicate(token, &identity->token, fault);
	if (result == RESULT_OK)
		result = token_describe(described != NULL ? described : identity->token, &identity->head.caller, fault);
	if (result == RESULT_OK)
		result = token_read_statistics(identity->token, &statistics, fault);
	if (result != RESULT_OK)
		return result;
	identity->head.caller.impersonation = true;
	identity->authentication = statistics.AuthenticationId;
	identity->modified = statistics.ModifiedId;
	result = token_digest(identity->token, &identity->head.caller, identity->head.digest, fault);
	if (result == RESULT_OK)
		*ret_identity = TAKE(identity);
	return result;
}

enum result identity_from_token(HANDLE token, struct identity **ret_identity, struct fault *fault)
{
	return make(token, NULL, ret_identity, fault);
}

/* Rule 8: as the service, what is worn is not the bare process token, whose NT SERVICE\Ferry opens the queue, the
 * configuration and the secrets, but one where that SID and the logon's are deny-only. */
static enum result filter_service_token(HANDLE process, HANDLE *ret_filtered, struct fault *fault)
{
	AUTO(memory) TOKEN_GROUPS *groups = NULL;
	SID_AND_ATTRIBUTES disable[2] = { { .Sid = NULL } };
	DWORD count = 0;
	struct sid ferry, user;
	enum result result = security_ferry_sid(&ferry, fault);

	if (result == RESULT_OK)
		result = security_token_user(process, &user, fault);
	if (result == RESULT_OK)
		result = token_read(process, TokenGroups, &groups, fault);
	if (result != RESULT_OK)
		return result;
	disable[count++].Sid = &ferry.sid;
	for (DWORD i = 0; i < groups->GroupCount && count < 2; i++)
		if ((groups->Groups[i].Attributes & SE_GROUP_LOGON_ID) == SE_GROUP_LOGON_ID)
			disable[count++].Sid = groups->Groups[i].Sid;
	if (!CreateRestrictedToken(process, 0, count, disable, 0, NULL, 0, NULL, ret_filtered))
		return fault_win32(fault, GetLastError(), "filter the service's token");
	/* What it makes for jobs is not Ferry's own. */
	return security_own_what_is_made(*ret_filtered, &user, fault);
}

enum result identity_self(struct identity **ret_identity, struct fault *fault)
{
	AUTO(handle) HANDLE process = NULL;
	AUTO(handle) HANDLE described = NULL;
	AUTO(handle) HANDLE filtered = NULL;
	struct sid ferry;
	bool is_service = false;

	if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY | TOKEN_DUPLICATE | TOKEN_ASSIGN_PRIMARY | TOKEN_ADJUST_DEFAULT,
	                      &process))
		return fault_win32(fault, GetLastError(), "open the process's token");
	enum result result = security_ferry_sid(&ferry, fault);
	if (result == RESULT_OK)
		result = security_process_is(&ferry, &is_service, fault);
	if (result != RESULT_OK)
		return result;
	if (!is_service)
		return make(process, NULL, ret_identity, fault);
	/* Who it is stays NT SERVICE\Ferry in the owner key; only what it may do is less. */
	if (!DuplicateTokenEx(process, TOKEN_QUERY, NULL, SecurityImpersonation, TokenImpersonation, &described))
		return fault_win32(fault, GetLastError(), "duplicate the process's token");
	result = filter_service_token(process, &filtered, fault);
	return result == RESULT_OK ? make(filtered, described, ret_identity, fault) : result;
}

void identity_done(struct identity *identity)
{
	handle_cleanup(&identity->token);
	free(identity);
}

static bool same_luid(LUID a, LUID b)
{
	return a.LowPart == b.LowPart && a.HighPart == b.HighPart;
}

/* SetThreadToken() succeeds with an identification-level copy where the process may not impersonate that user, so what
 * the thread really wears is read back. */
enum result identity_wear(const struct identity *identity, struct fault *fault)
{
	AUTO(handle) HANDLE worn = NULL;
	AUTO(memory) TOKEN_USER *user = NULL;
	AUTO(memory) TOKEN_USER *wanted = NULL;
	TOKEN_STATISTICS statistics;

	if (!SetThreadToken(NULL, identity->token) || !OpenThreadToken(GetCurrentThread(), TOKEN_QUERY, TRUE, &worn))
		return fault_set(fault, RESULT_IDENTITY_LOST, FAULT_WIN32, GetLastError(), "put on %s",
		                 identity->head.caller.owner);
	if (token_read_statistics(worn, &statistics, fault) != RESULT_OK ||
	    token_read(worn, TokenUser, &user, fault) != RESULT_OK ||
	    token_read(identity->token, TokenUser, &wanted, fault) != RESULT_OK)
		return fault_set(fault, RESULT_IDENTITY_LOST, FAULT_WIN32, GetLastError(), "look at what the thread wears");
	if (statistics.TokenType != TokenImpersonation || statistics.ImpersonationLevel < SecurityImpersonation ||
	    !same_luid(statistics.AuthenticationId, identity->authentication) ||
	    !same_luid(statistics.ModifiedId, identity->modified) || !EqualSid(user->User.Sid, wanted->User.Sid))
		return fault_set(fault, RESULT_IDENTITY_LOST, FAULT_FERRY, 0, "the thread does not wear %s",
		                 identity->head.caller.owner);
	return RESULT_OK;
}

enum result identity_random(void *bytes, size_t size, struct fault *fault)
{
	if (size > UINT32_MAX)
		return fault_set(fault, RESULT_TOO_LARGE, FAULT_FERRY, 0, "random bytes");
	NTSTATUS status = BCryptGenRandom(NULL, bytes, (ULONG)size, BCRYPT_USE_SYSTEM_PREFERRED_RNG);
	return status >= 0 ? RESULT_OK : fault_ntstatus(fault, status, "get random bytes");
}
