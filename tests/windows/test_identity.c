/* What is read in a token and refused of one.  Runs under Wine too, where there is one user with one logon. */
#include "windows_only.h"

#include <string.h>

#include "core/access.h"
#include "ground.h"

/* The process's token without the groups that say how it came to be. */
static HANDLE token_of_no_logon(void)
{
	static const WELL_KNOWN_SID_TYPE kinds[] = { WinInteractiveSid, WinBatchSid, WinServiceSid, WinNetworkSid };
	struct sid sids[4];
	SID_AND_ATTRIBUTES disable[4] = { { .Sid = NULL } };
	HANDLE process = NULL, filtered = NULL;
	for (unsigned i = 0; i < 4; i++) {
		DWORD size = sizeof(sids[i]);
		assert_true(CreateWellKnownSid(kinds[i], NULL, &sids[i].sid, &size));
		disable[i].Sid = &sids[i].sid;
	}
	assert_true(OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY | TOKEN_DUPLICATE | TOKEN_ASSIGN_PRIMARY, &process));
	assert_true(CreateRestrictedToken(process, 0, 4, disable, 0, NULL, 0, NULL, &filtered));
	CloseHandle(process);
	return filtered;
}

static void identity__logon__is_told_by_enabled_groups_only(void **state)
{
	(void)state;
	AUTO(handle) HANDLE token = token_of_no_logon();
	AUTO(identity) struct identity *own = NULL;
	AUTO(identity) struct identity *none = NULL;
	struct fault fault;
	assert_int_equal(identity_self(&own, &fault), RESULT_OK);
	assert_int_equal(identity_from_token(token, &none, &fault), RESULT_OK);
	if (is_wine())
		assert_int_equal(identity_caller(own)->logon, LOGON_INTERACTIVE);
	assert_int_equal(identity_caller(none)->logon, LOGON_OTHER);
	assert_true(identity_caller(none)->logon_id == identity_caller(own)->logon_id);
	assert_memory_not_equal(identity_digest(none), identity_digest(own), IDENTITY_DIGEST_BYTES);
}

static void identity__token_below_impersonation_level__is_not_lent(void **state)
{
	(void)state;
	static const SECURITY_IMPERSONATION_LEVEL levels[] = { SecurityAnonymous, SecurityIdentification };
	AUTO(handle) HANDLE process = NULL;
	assert_true(OpenProcessToken(GetCurrentProcess(), TOKEN_DUPLICATE, &process));
	for (unsigned i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
		AUTO(handle) HANDLE token = NULL;
		struct identity *identity = NULL;
		struct fault fault = { .what = "" };
		assert_true(
			DuplicateTokenEx(process, TOKEN_QUERY | TOKEN_DUPLICATE, NULL, levels[i], TokenImpersonation, &token));
		assert_int_equal(identity_from_token(token, &identity, &fault), RESULT_NOT_LENT);
		assert_null(identity);
		assert_memory_equal(fault.what, "token-impersonation: ", strlen("token-impersonation: "));
		assert_int_equal(fault.raw, levels[i]);
	}
}

/* Rule 10.  Wine's tokens cannot be restricted, nor lowered, nor denied their own user. */
static void identity__sandboxes_of_the_same_user__are_told_and_are_others(void **state)
{
	(void)state;
	enum { USER_DENIED, RESTRICTED, WRITE_RESTRICTED_TOO, LOWERED, COUNT };
	AUTO(handle) HANDLE process = NULL;
	AUTO(identity) struct identity *own = NULL;
	struct identity *made[COUNT] = { NULL };
	struct sid user, low;
	struct fault fault = { .what = "" };
	DWORD size = sizeof(low);
	if (is_wine())
		GROUND_SKIP("restricted, lowered and user-denied tokens are told, and own nothing (Wine makes none)");
	assert_int_equal(security_process_user(&user, &fault), RESULT_OK);
	assert_true(CreateWellKnownSid(WinLowLabelSid, NULL, &low.sid, &size));
	TOKEN_MANDATORY_LABEL label = { .Label = { &low.sid, SE_GROUP_INTEGRITY } };
	SID_AND_ATTRIBUTES self = { &user.sid, 0 };
	assert_int_equal(identity_self(&own, &fault), RESULT_OK);
	assert_true(OpenProcessToken(GetCurrentProcess(), TOKEN_ALL_ACCESS, &process));
	for (int i = 0; i < COUNT; i++) {
		AUTO(handle) HANDLE token = NULL;
		assert_true(CreateRestrictedToken(process, i == WRITE_RESTRICTED_TOO ? WRITE_RESTRICTED : 0, i == USER_DENIED, &self, 0,
		                                  NULL, i == RESTRICTED || i == WRITE_RESTRICTED_TOO, &self, &token));
		if (i == LOWERED)
			assert_true(SetTokenInformation(token, TokenIntegrityLevel, &label, sizeof(label)));
		assert_int_equal(identity_from_token(token, &made[i], &fault), RESULT_OK);
		const struct caller *caller = identity_caller(made[i]);
		assert_int_equal(caller->restricted, i != LOWERED);
		assert_int_equal(access_own(caller, NULL), RESULT_ACCESS_REFUSED);
		assert_string_equal(caller->owner, identity_caller(own)->owner);
		assert_memory_not_equal(identity_digest(made[i]), identity_digest(own), IDENTITY_DIGEST_BYTES);
		for (int j = 0; j < i; j++)
			assert_memory_not_equal(identity_digest(made[i]), identity_digest(made[j]), IDENTITY_DIGEST_BYTES);
	}
	for (int i = 0; i < COUNT; i++)
		identity_free(made[i]);
}

/* Whom core/access takes for an administrator, the system lets at what is theirs alone, and nobody else. */
static void identity__administrator__is_what_the_systems_own_check_says(void **state)
{
	(void)state;
	static GENERIC_MAPPING mapping = { 1, 2, 4, 7 };
	AUTO(local) PSECURITY_DESCRIPTOR descriptor = NULL;
	struct fault fault = { .what = "" };
	assert_int_equal(security_descriptor("O:BAG:BAD:(A;;0x1;;;BA)", &descriptor, &fault), RESULT_OK);
	for (unsigned lesser = 0; lesser < 2; lesser++) {
		AUTO(handle) HANDLE token = lesser ? lesser_token(false) : NULL;
		AUTO(handle) HANDLE copy = NULL;
		AUTO(identity) struct identity *identity = NULL;
		PRIVILEGE_SET privileges;
		DWORD size = sizeof(privileges), granted = 0;
		BOOL allowed = FALSE;
		if (!lesser)
			assert_true(OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY | TOKEN_DUPLICATE, &token));
		assert_int_equal(identity_from_token(token, &identity, &fault), RESULT_OK);
		assert_true(
			DuplicateTokenEx(token, TOKEN_QUERY, NULL, SecurityIdentification, TokenImpersonation, &copy));
		assert_true(AccessCheck(descriptor, copy, 1, &mapping, &privileges, &size, &granted, &allowed));
		assert_int_equal(identity_caller(identity)->administrator, allowed);
		assert_int_equal(access_list_all(identity_caller(identity)), allowed);
		if (is_wine())
			assert_int_equal(allowed, !lesser);
	}
}

/* Run as NetworkService (psexec, a scheduled task) it shows that account, with the services' own SIDs or without. */
static void identity__of_any_account__is_no_owner_of_declared_jobs(void **state)
{
	AUTO(identity) struct identity *self = NULL;
	struct job job = { .owner = ACCESS_DECLARED_OWNER, .owner_integrity = INTEGRITY_SYSTEM };
	struct fault fault = { .result = RESULT_OK };
	unsigned rights = 0;
	(void)state;
	assert_int_equal(identity_self(&self, &fault), RESULT_OK);
	const struct caller *caller = identity_caller(self);
	assert_int_equal(strncmp(caller->owner, "S-1-", strlen("S-1-")), 0);
	assert_false(access_is_declared(caller->owner));
	enum result result = access_open(caller, &job, &rights, &fault);
	assert_int_equal(result, access_list_all(caller) ? RESULT_OK : RESULT_NOT_FOUND);
	assert_int_equal(rights & ~(unsigned)(ACCESS_QUERY | ACCESS_SUBSCRIBE), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(identity__sandboxes_of_the_same_user__are_told_and_are_others),
		cmocka_unit_test(identity__administrator__is_what_the_systems_own_check_says),
		cmocka_unit_test(identity__logon__is_told_by_enabled_groups_only),
		cmocka_unit_test(identity__token_below_impersonation_level__is_not_lent),
		cmocka_unit_test(identity__of_any_account__is_no_owner_of_declared_jobs),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
