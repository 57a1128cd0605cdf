/* Who may read, write and clear the Event Log's log, by the list that is registered; build.msi and whole.install see that it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "platform/win32/security.h"

#include <sddl.h>

#define READ 1u
#define WRITE 2u
#define CLEAR 4u

/* What the list allows to one who is that SID and nobody else. */
static DWORD allowed(PACL list, PSID sid)
{
	DWORD rights = 0;

	for (DWORD i = 0; i < list->AceCount; i++) {
		ACCESS_ALLOWED_ACE *entry = NULL;
		assert_true(GetAce(list, i, (void **)&entry));
		assert_int_equal(entry->Header.AceType, ACCESS_ALLOWED_ACE_TYPE);
		if (EqualSid(&entry->SidStart, sid))
			rights |= entry->Mask;
	}
	return rights;
}

static DWORD allowed_to(PACL list, const wchar_t *text)
{
	PSID sid = NULL;
	assert_true(ConvertStringSidToSidW(text, &sid));
	DWORD rights = allowed(list, sid);
	LocalFree(sid);
	return rights;
}

static void event_log__is_read_by_administrators_and_readers_and_written_by_ferry(void **state)
{
	(void)state;
	PSECURITY_DESCRIPTOR descriptor = NULL;
	PACL list = NULL;
	BOOL present = FALSE, by_default = FALSE;
	struct sid ferry;
	struct fault fault;
	assert_true(ConvertStringSecurityDescriptorToSecurityDescriptorW(SECURITY_EVENT_LOG, SDDL_REVISION_1, &descriptor, NULL));
	assert_true(GetSecurityDescriptorDacl(descriptor, &present, &list, &by_default));
	assert_true(present);
	assert_int_equal(list->AceCount, 4);
	assert_int_equal(security_ferry_sid(&ferry, &fault), RESULT_OK);
	assert_int_equal(allowed(list, &ferry.sid), WRITE);
	assert_int_equal(allowed_to(list, L"S-1-5-32-573"), READ);
	assert_int_equal(allowed_to(list, L"S-1-5-32-544"), READ | WRITE | CLEAR);
	assert_int_equal(allowed_to(list, L"S-1-5-18") & 0xffff, READ | WRITE | CLEAR);
	assert_int_equal(allowed_to(list, L"S-1-5-4") | allowed_to(list, L"S-1-5-11") |
	                         allowed_to(list, L"S-1-1-0") | allowed_to(list, L"S-1-5-6") |
	                         allowed_to(list, L"S-1-5-20") | allowed_to(list, L"S-1-5-32-545"),
	                 0);
	LocalFree(descriptor);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(event_log__is_read_by_administrators_and_readers_and_written_by_ferry),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
