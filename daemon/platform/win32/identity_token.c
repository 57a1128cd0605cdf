#include "platform/win32/identity_token.h"

#include <stdlib.h>
#include <string.h>

#include "platform/hash.h"
#include "platform/win32/security.h"

_Static_assert(IDENTITY_DIGEST_BYTES == DIGEST_SHA256_BYTES, "the digest is SHA-256");

#define SERVICE_SIDS_MAX 16u /* far more than fit in an owner key */

/* TOKEN_ACCESS_INFORMATION.Flags, by ntifs.h; others of its bits are no part of what a token may do. */
#define TOKEN_WRITE_RESTRICTED_FLAG 0x8u
#define TOKEN_RESTRICTED_FLAG 0x10u
#define TOKEN_INERT_FLAG 0x40u

/* --- reading a token --- */

/* What Wine does not implement in tokens because it has no such thing: there it reads as nothing, a zero count or a
 * null pointer.  Windows has all of them (since 8) and never gives this answer. */
static bool is_absent(TOKEN_INFORMATION_CLASS class, DWORD error)
{
	return error == ERROR_INVALID_FUNCTION && (class == TokenRestrictedSids || class == TokenAppContainerSid ||
	                                           class == TokenCapabilities || class == TokenAccessInformation);
}

enum result token_read(HANDLE token, TOKEN_INFORMATION_CLASS class, void *ret_information, struct fault *fault)
{
	DWORD size = 0, error = ERROR_SUCCESS;

	if (!GetTokenInformation(token, class, NULL, 0, &size))
		error = GetLastError();
	bool absent = is_absent(class, error);
	if (error != ERROR_SUCCESS && error != ERROR_INSUFFICIENT_BUFFER && error != ERROR_BAD_LENGTH && !absent)
		return fault_win32(fault, error, "read token information %d", (int)class);
	/* Never smaller than any of the structures, so that zeros can be read as one. */
	if (size < sizeof(TOKEN_ACCESS_INFORMATION))
		size = sizeof(TOKEN_ACCESS_INFORMATION);
	AUTO(memory) void *information = calloc(1, size);
	if (information == NULL)
		return fault_set(fault, RESULT_NO_MEMORY, FAULT_FERRY, 0, "read token information %d", (int)class);
	if (!absent && !GetTokenInformation(token, class, information, size, &size))
		return fault_win32(fault, GetLastError(), "read token information %d", (int)class);
	memcpy(ret_information, &information, sizeof information);
	information = NULL;
	return RESULT_OK;
}

static enum result token_read_number(HANDLE token, TOKEN_INFORMATION_CLASS class, DWORD *ret_number,
                                     struct fault *fault)
{
	DWORD number = 0, size;

	if (!GetTokenInformation(token, class, &number, sizeof number, &size))
		return fault_win32(fault, GetLastError(), "read token information %d", (int)class);
	*ret_number = number;
	return RESULT_OK;
}

enum result token_read_statistics(HANDLE token, TOKEN_STATISTICS *ret_statistics, struct fault *fault)
{
	DWORD size;

	if (!GetTokenInformation(token, TokenStatistics, ret_statistics, sizeof *ret_statistics, &size))
		return fault_win32(fault, GetLastError(), "read the token's statistics");
	return RESULT_OK;
}

/* --- the digest of rule 6 --- */

/* Each part goes in behind its kind and length, so that no two lists of parts read as the same bytes. */
static void digest_part(struct hash *hash, TOKEN_INFORMATION_CLASS class, const void *bytes, size_t length)
{
	const uint32_t head[2] = { (uint32_t) class, (uint32_t)length };

	hash_add(hash, head, sizeof head);
	hash_add(hash, bytes, length);
}

static void digest_sid(struct hash *hash, TOKEN_INFORMATION_CLASS class, PSID sid)
{
	digest_part(hash, class, sid, sid != NULL ? GetLengthSid(sid) : 0);
}

static enum result digest_groups(struct hash *hash, HANDLE token, TOKEN_INFORMATION_CLASS class, struct fault *fault)
{
	AUTO(memory) TOKEN_GROUPS *groups = NULL;
	enum result result = token_read(token, class, &groups, fault);

	if (result != RESULT_OK)
		return result;
	digest_part(hash, class, &groups->GroupCount, sizeof groups->GroupCount);
	for (DWORD i = 0; i < groups->GroupCount; i++) {
		digest_part(hash, class, &groups->Groups[i].Attributes, sizeof groups->Groups[i].Attributes);
		digest_sid(hash, class, groups->Groups[i].Sid);
	}
	return RESULT_OK;
}

/* Owner of new objects, primary group, integrity and AppContainer: each a structure that begins with a pointer to a SID,
 * the third followed by attributes that say nothing here. */
static enum result digest_single_sids(struct hash *hash, HANDLE token, struct fault *fault)
{
	static const TOKEN_INFORMATION_CLASS classes[] = { TokenOwner, TokenPrimaryGroup, TokenIntegrityLevel,
		                                               TokenAppContainerSid };
	enum result result = RESULT_OK;

	for (size_t i = 0; i < sizeof classes / sizeof classes[0] && result == RESULT_OK; i++) {
		AUTO(memory) PSID *first = NULL;
		result = token_read(token, classes[i], &first, fault);
		if (result == RESULT_OK)
			digest_sid(hash, classes[i], *first);
	}
	return result;
}

/* With its attributes: a user may be for deny only. */
static enum result digest_user(struct hash *hash, HANDLE token, struct fault *fault)
{
	AUTO(memory) TOKEN_USER *user = NULL;
	enum result result = token_read(token, TokenUser, &user, fault);

	if (result != RESULT_OK)
		return result;
	digest_part(hash, TokenUser, &user->User.Attributes, sizeof user->User.Attributes);
	digest_sid(hash, TokenUser, user->User.Sid);
	return RESULT_OK;
}

/* Whether restricting SIDs hold for writing only: two tokens may agree in all else. */
static enum result digest_restriction(struct hash *hash, HANDLE token, struct fault *fault)
{
	AUTO(memory) TOKEN_ACCESS_INFORMATION *information = NULL;
	enum result result = token_read(token, TokenAccessInformation, &information, fault);

	if (result != RESULT_OK)
		return result;
	const DWORD kind = information->Flags & (TOKEN_WRITE_RESTRICTED_FLAG | TOKEN_RESTRICTED_FLAG | TOKEN_INERT_FLAG);
	digest_part(hash, TokenAccessInformation, &kind, sizeof kind);
	return RESULT_OK;
}

static enum result digest_privileges(struct hash *hash, HANDLE token, struct fault *fault)
{
	AUTO(memory) TOKEN_PRIVILEGES *privileges = NULL;
	enum result result = token_read(token, TokenPrivileges, &privileges, fault);

	if (result == RESULT_OK)
		digest_part(hash, TokenPrivileges, privileges->Privileges,
		            privileges->PrivilegeCount * sizeof privileges->Privileges[0]);
	return result;
}

/* It shapes the files that the identity creates. */
static enum result digest_default_dacl(struct hash *hash, HANDLE token, struct fault *fault)
{
	AUTO(memory) TOKEN_DEFAULT_DACL *dacl = NULL;
	enum result result = token_read(token, TokenDefaultDacl, &dacl, fault);

	if (result == RESULT_OK)
		digest_part(hash, TokenDefaultDacl, dacl->DefaultDacl,
		            dacl->DefaultDacl != NULL ? dacl->DefaultDacl->AclSize : 0);
	return result;
}

enum result token_digest(HANDLE token, const struct caller *caller, uint8_t ret_digest[IDENTITY_DIGEST_BYTES],
                         struct fault *fault)
{
	struct hash *hash = hash_new(IDENTITY_DIGEST_BYTES);

	digest_part(hash, TokenStatistics, &caller->logon_id, sizeof caller->logon_id);
	digest_part(hash, TokenSessionId, &caller->session, sizeof caller->session);
	digest_part(hash, TokenIsAppContainer, &caller->app_container, sizeof caller->app_container);
	enum result result = digest_user(hash, token, fault);
	if (result == RESULT_OK)
		result = digest_restriction(hash, token, fault);
	if (result == RESULT_OK)
		result = digest_single_sids(hash, token, fault);
	if (result == RESULT_OK)
		result = digest_groups(hash, token, TokenGroups, fault);
	if (result == RESULT_OK)
		result = digest_groups(hash, token, TokenRestrictedSids, fault);
	if (result == RESULT_OK && caller->app_container)
		result = digest_groups(hash, token, TokenCapabilities, fault);
	if (result == RESULT_OK)
		result = digest_privileges(hash, token, fault);
	if (result == RESULT_OK)
		result = digest_default_dacl(hash, token, fault);
	enum result hashed = hash_end(hash, ret_digest, result == RESULT_OK ? fault : NULL);
	return result != RESULT_OK ? result : hashed;
}

/* --- the facts of struct caller --- */

/* NT SERVICE\name, but not S-1-5-80-0, the group of all of them. */
static bool is_service_sid(PSID sid)
{
	static const SID_IDENTIFIER_AUTHORITY nt = SECURITY_NT_AUTHORITY;

	return memcmp(GetSidIdentifierAuthority(sid), &nt, sizeof nt) == 0 && *GetSidSubAuthorityCount(sid) == 6 &&
	       *GetSidSubAuthority(sid, 0) == SECURITY_SERVICE_ID_BASE_RID;
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* All NetworkService and LocalService services are one user: their enabled service SIDs tell them apart (rule 7). */
static enum result append_service_sids(HANDLE token, char owner[JOB_OWNER_BYTES_MAX], struct fault *fault)
{
	AUTO(memory) TOKEN_GROUPS *groups = NULL;
	char texts[SERVICE_SIDS_MAX][SID_TEXT_BYTES_MAX];
	size_t count = 0;
	enum result result = token_read(token, TokenGroups, &groups, fault);

	for (DWORD i = 0; result == RESULT_OK && i < groups->GroupCount; i++) {
		const SID_AND_ATTRIBUTES *group = &groups->Groups[i];
		if ((group->Attributes & SE_GROUP_ENABLED) == 0 || !is_service_sid(group->Sid))
			continue;
		if (count == SERVICE_SIDS_MAX)
			return fault_set(fault, RESULT_ACCESS_REFUSED, FAULT_FERRY, 0, "caller with too many service SIDs");
		result = security_sid_text(group->Sid, texts[count++], fault);
	}
	if (result != RESULT_OK)
		return result;
	qsort(texts, count, sizeof texts[0], compare_texts);
	size_t length = strlen(owner);
	for (size_t i = 0; i < count; i++) {
		size_t more = strlen(texts[i]) + 1;
		if (text_format(owner + length, JOB_OWNER_BYTES_MAX - length, "+%s", texts[i]) != RESULT_OK)
			return fault_set(fault, RESULT_ACCESS_REFUSED, FAULT_FERRY, 0, "caller with too many service SIDs");
		length += more;
	}
	return RESULT_OK;
}

static enum result describe_owner(HANDLE token, char owner[JOB_OWNER_BYTES_MAX], struct fault *fault)
{
	AUTO(memory) TOKEN_USER *user = NULL;
	char text[SID_TEXT_BYTES_MAX];
	enum result result = token_read(token, TokenUser, &user, fault);

	if (result == RESULT_OK)
		result = security_sid_text(user->User.Sid, text, fault);
	if (result == RESULT_OK)
		result = text_copy(owner, JOB_OWNER_BYTES_MAX, text_view(text));
	if (result != RESULT_OK)
		return result;
	if (!IsWellKnownSid(user->User.Sid, WinLocalServiceSid) && !IsWellKnownSid(user->User.Sid, WinNetworkServiceSid))
		return RESULT_OK;
	return append_service_sids(token, owner, fault);
}

static enum result describe_integrity(HANDLE token, uint32_t *ret_integrity, struct fault *fault)
{
	AUTO(memory) TOKEN_MANDATORY_LABEL *label = NULL;
	enum result result = token_read(token, TokenIntegrityLevel, &label, fault);

	if (result != RESULT_OK)
		return result;
	UCHAR count = *GetSidSubAuthorityCount(label->Label.Sid);
	*ret_integrity = count > 0 ? *GetSidSubAuthority(label->Label.Sid, (DWORD)count - 1) : 0;
	return RESULT_OK;
}

static bool has_group(const TOKEN_GROUPS *groups, WELL_KNOWN_SID_TYPE kind)
{
	for (DWORD i = 0; i < groups->GroupCount; i++)
		if ((groups->Groups[i].Attributes & SE_GROUP_ENABLED) != 0 && IsWellKnownSid(groups->Groups[i].Sid, kind))
			return true;
	return false;
}

/* What the enabled groups say.  Administrators for deny only, as in the filtered token of one who is not elevated, is no
 * membership.  CheckTokenMembership would take it for none in a restricted token either, which may be lent.  Of the kinds of
 * logon the first counts: network logons have no outbound credentials, whatever else they are: ssh and WinRM (rule 14). */
static enum result describe_groups(HANDLE token, struct caller *caller, struct fault *fault)
{
	static const struct {
		WELL_KNOWN_SID_TYPE sid;
		enum logon logon;
	} kinds[] = { { WinNetworkSid, LOGON_NETWORK },
		          { WinServiceSid, LOGON_SERVICE },
		          { WinBatchSid, LOGON_BATCH },
		          { WinInteractiveSid, LOGON_INTERACTIVE } };
	AUTO(memory) TOKEN_GROUPS *groups = NULL;
	enum result result = token_read(token, TokenGroups, &groups, fault);

	if (result != RESULT_OK)
		return result;
	caller->administrator = has_group(groups, WinBuiltinAdministratorsSid);
	caller->logon = LOGON_OTHER;
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0] && caller->logon == LOGON_OTHER; i++)
		if (has_group(groups, kinds[i].sid))
			caller->logon = kinds[i].logon;
	return RESULT_OK;
}

/* Restricting SIDs, counted: whether IsTokenRestricted() tells of write-restricted tokens is not documented; or a user who is for deny only: both are sandboxes that bear their user's SID and have not their user's rights. */
static enum result describe_restriction(HANDLE token, bool *ret_restricted, struct fault *fault)
{
	AUTO(memory) TOKEN_GROUPS *restricting = NULL;
	AUTO(memory) TOKEN_USER *user = NULL;
	enum result result = token_read(token, TokenRestrictedSids, &restricting, fault);

	if (result == RESULT_OK)
		result = token_read(token, TokenUser, &user, fault);
	if (result == RESULT_OK)
		*ret_restricted = restricting->GroupCount > 0 || (user->User.Attributes & SE_GROUP_USE_FOR_DENY_ONLY) != 0;
	return result;
}

enum result token_describe(HANDLE token, struct caller *caller, struct fault *fault)
{
	TOKEN_STATISTICS statistics;
	DWORD session = 0, container = 0;
	enum result result = describe_owner(token, caller->owner, fault);

	if (result == RESULT_OK)
		result = describe_groups(token, caller, fault);
	if (result == RESULT_OK)
		result = token_read_statistics(token, &statistics, fault);
	if (result == RESULT_OK)
		result = describe_integrity(token, &caller->integrity, fault);
	if (result == RESULT_OK)
		result = token_read_number(token, TokenSessionId, &session, fault);
	if (result == RESULT_OK)
		result = token_read_number(token, TokenIsAppContainer, &container, fault);
	if (result == RESULT_OK)
		result = describe_restriction(token, &caller->restricted, fault);
	if (result != RESULT_OK)
		return result;
	caller->session = session;
	caller->logon_id = security_luid_number(statistics.AuthenticationId);
	caller->app_container = container != 0;
	return RESULT_OK;
}
