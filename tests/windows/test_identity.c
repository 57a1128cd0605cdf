/* What is read in a token and refused of one.  Runs under Wine too, where there is one user with one logon. */
#include "windows_only.h"

#include <string.h>

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(identity__logon__is_told_by_enabled_groups_only),
		cmocka_unit_test(identity__token_below_impersonation_level__is_not_lent),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
