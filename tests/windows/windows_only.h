/* tests/windows - what these programs share: the way out under Wine, and tokens that are less than the process's own.
 *
 * The process's user is enough: a token with SIDs made deny-only is another identity to the kernel.  Putting it on
 * wants SeImpersonatePrivilege, which an elevated administrator has.
 */
#ifndef FERRY_TESTS_WINDOWS_ONLY_H
#define FERRY_TESTS_WINDOWS_ONLY_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "platform/thread.h"
#include "platform/win32/identity_win32.h"
#include "platform/win32/security.h"

#define SKIPPED_PROGRAM 77

static inline bool is_wine(void)
{
	HMODULE ntdll = GetModuleHandleW(L"ntdll.dll");
	return ntdll != NULL && GetProcAddress(ntdll, "wine_get_version") != NULL;
}

static inline bool is_elevated(void)
{
	struct sid administrators;
	DWORD size = sizeof(administrators);
	bool is = false;
	return CreateWellKnownSid(WinBuiltinAdministratorsSid, NULL, &administrators.sid, &size) &&
	       security_process_is(&administrators, &is, NULL) == RESULT_OK && is;
}

/* Whether the program cannot prove anything here; said aloud. */
static inline bool must_skip(const char *what)
{
	if (is_wine()) {
		printf("SKIPPED: needs real Windows: %s\n", what);
		return true;
	}
	if (!is_elevated()) {
		printf("SKIPPED: needs an elevated administrator: %s\n", what);
		return true;
	}
	return false;
}

/* The process's user without Administrators and, with `not_even_the_user`, without its own SID: what such a token gets
 * it gets as one of the Authenticated Users.  A primary token; close it. */
static inline HANDLE lesser_token(bool not_even_the_user)
{
	HANDLE process = NULL, filtered = NULL;
	struct sid administrators, user;
	struct fault fault;
	DWORD size = sizeof(administrators);
	assert_true(CreateWellKnownSid(WinBuiltinAdministratorsSid, NULL, &administrators.sid, &size));
	assert_int_equal(security_process_user(&user, &fault), RESULT_OK);
	SID_AND_ATTRIBUTES disable[] = { { &administrators.sid, 0 }, { &user.sid, 0 } };
	assert_true(OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY | TOKEN_DUPLICATE | TOKEN_ASSIGN_PRIMARY, &process));
	assert_true(CreateRestrictedToken(process, 0, not_even_the_user ? 2 : 1, disable, 0, NULL, 0, NULL, &filtered));
	CloseHandle(process);
	return filtered;
}

static inline struct identity *lesser_identity(bool not_even_the_user)
{
	HANDLE filtered = lesser_token(not_even_the_user);
	struct identity *identity = NULL;
	struct fault fault = { .what = "" };
	if (identity_from_token(filtered, &identity, &fault) != RESULT_OK)
		fail_msg("%s", fault.what);
	CloseHandle(filtered);
	return identity;
}

/* Whether the process may make somebody else than itself an object's owner, by SeRestorePrivilege. */
static inline void allow_any_owner(bool allowed)
{
	AUTO(handle) HANDLE process = NULL;
	TOKEN_PRIVILEGES restore = { .PrivilegeCount = 1 };
	restore.Privileges[0].Attributes = allowed ? SE_PRIVILEGE_ENABLED : 0;
	assert_true(OpenProcessToken(GetCurrentProcess(), TOKEN_ADJUST_PRIVILEGES, &process));
	assert_true(LookupPrivilegeValueA(NULL, "SeRestorePrivilege", &restore.Privileges[0].Luid));
	assert_true(AdjustTokenPrivileges(process, FALSE, &restore, 0, NULL, NULL));
}

/* Run `act(argument)` on a thread of its own that wears the identity; false: it could not put it on. */
struct wearing {
	const struct identity *identity;
	void (*act)(void *argument);
	void *argument;
	enum result worn;
	struct fault fault;
};

static inline void wearing_main(void *argument)
{
	struct wearing *wearing = argument;
	wearing->worn = identity_wear(wearing->identity, &wearing->fault);
	if (wearing->worn == RESULT_OK)
		wearing->act(wearing->argument);
}

static inline void act_as(const struct identity *identity, void (*act)(void *argument), void *argument)
{
	struct wearing wearing = { .identity = identity, .act = act, .argument = argument };
	struct thread *thread = NULL;
	assert_int_equal(thread_start("another", wearing_main, &wearing, &thread, &wearing.fault), RESULT_OK);
	thread_join(thread);
	if (wearing.worn != RESULT_OK)
		fail_msg("cannot put the identity on: %s", wearing.fault.what);
}

#endif
