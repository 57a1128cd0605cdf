/* The borders to Windows' own words: UTF-16, codes and SIDs.  They hold under Wine as well. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "platform/win32/security.h"
#include "platform/win32/utf.h"

static void assert_wide_path(const char *path, const wchar_t *expected)
{
	AUTO(memory) wchar_t *wide = NULL;
	assert_int_equal(utf_path_to_wide(path, &wide, NULL), RESULT_OK);
	assert_int_equal(wcscmp(wide, expected), 0);
}

static void utf__absolute_path__gets_its_prefix_once(void **state)
{
	(void)state;
	assert_wide_path("C:\\Acme\\f\xc3\xa4hre", L"\\\\?\\C:\\Acme\\f\x00e4hre");
	assert_wide_path("c:\\", L"\\\\?\\c:\\");
	assert_wide_path("\\\\server\\share\\a", L"\\\\?\\UNC\\server\\share\\a");
	assert_wide_path("C:\\\xf0\x9f\x9a\xa2", L"\\\\?\\C:\\\xd83d\xdea2");
}

static void utf__anything_else__is_no_path(void **state)
{
	(void)state;
	static const char *const refused[] = {
		"",     "a",       "\\a",        "C:", "C:a", "C:/a", "C:\\a/b", "\\\\?\\C:\\a", "\\\\.\\pipe\\x",
		"\\\\", "\\\\\\a", "\\??\\C:\\a"
	};
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		wchar_t *wide = NULL;
		assert_int_equal(utf_path_to_wide(refused[i], &wide, NULL), RESULT_BAD_DESTINATION);
		assert_null(wide);
	}
}

static void utf__invalid_input__is_an_error_in_both_directions(void **state)
{
	(void)state;
	static const char *const invalid[] = { "\x80", "a\xc3", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xff" };
	char text[16] = "untouched";
	wchar_t *wide = NULL;
	for (size_t i = 0; i < sizeof(invalid) / sizeof(invalid[0]); i++)
		assert_int_equal(utf_to_wide(text_view(invalid[i]), "text", &wide, NULL), RESULT_NOT_UTF8);
	assert_int_equal(utf_to_wide((struct text_view){ "a\0b", 3 }, "text", &wide, NULL), RESULT_NOT_UTF8);
	assert_null(wide);
	assert_int_equal(utf_from_wide(L"\xd83d", 1, text, sizeof(text), "text", NULL), RESULT_NOT_UTF8);
	assert_int_equal(utf_from_wide(L"\xdea2\xd83d", 2, text, sizeof(text), "text", NULL), RESULT_NOT_UTF8);
	assert_string_equal(text, "untouched");
}

static void utf__from_the_system__fits_or_is_refused(void **state)
{
	(void)state;
	char text[8];
	assert_int_equal(utf_from_wide(L"", 0, text, sizeof(text), "text", NULL), RESULT_OK);
	assert_string_equal(text, "");
	assert_int_equal(utf_from_wide(L"1234567", 7, text, sizeof(text), "text", NULL), RESULT_OK);
	assert_string_equal(text, "1234567");
	assert_int_equal(utf_from_wide(L"12345678", 8, text, sizeof(text), "text", NULL), RESULT_TOO_LONG);
	assert_int_equal(utf_from_wide(L"123456\x00e4", 7, text, sizeof(text), "text", NULL), RESULT_TOO_LONG);
	assert_int_equal(utf_path_from_wide(L"\\\\?\\C:\\a", 8, text, sizeof(text), NULL), RESULT_OK);
	assert_string_equal(text, "C:\\a");
	assert_int_equal(utf_path_from_wide(L"\\\\?\\UNC\\s\\h", 11, text, sizeof(text), NULL), RESULT_OK);
	assert_string_equal(text, "\\\\s\\h");
}

static void fault__codes__become_results(void **state)
{
	(void)state;
	struct fault fault;
	assert_int_equal(result_from_win32(ERROR_SUCCESS), RESULT_OK);
	assert_int_equal(result_from_win32(ERROR_DISK_FULL), RESULT_DISK_FULL);
	assert_int_equal(result_from_win32(ERROR_SHARING_VIOLATION), RESULT_LOCKED);
	assert_int_equal(result_from_win32(0xDEAD), RESULT_SYSTEM);
	assert_int_equal(result_from_ntstatus(0), RESULT_OK);
	assert_int_equal(result_from_ntstatus((int32_t)0xC000050B), RESULT_REPARSE_POINT);
	assert_int_equal(result_from_ntstatus((int32_t)0xC00000BA), RESULT_IS_FOLDER);
	assert_int_equal(result_from_ntstatus((int32_t)0xC0000035), RESULT_EXISTS);
	/* Failing without a reason is failing. */
	assert_int_equal(fault_win32(&fault, 0, "open %s", "x"), RESULT_SYSTEM);
	assert_string_equal(fault.what, "open x");
	assert_int_equal(fault_ntstatus(&fault, (int32_t)0xC0000022, "open"), RESULT_DENIED);
	assert_true(fault.source == FAULT_NTSTATUS && fault.raw == 0xC0000022);
}

/* Known from every Windows: HKLM and the system's files carry it. */
static void security__service_sid__is_what_windows_computes(void **state)
{
	(void)state;
	struct sid sid;
	char text[SID_TEXT_BYTES_MAX];
	static const wchar_t *const names[] = { L"TrustedInstaller", L"trustedinstaller" };
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(security_service_sid(names[i], &sid, NULL), RESULT_OK);
		assert_int_equal(security_sid_text(&sid.sid, text, NULL), RESULT_OK);
		assert_string_equal(text, "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(utf__absolute_path__gets_its_prefix_once),
		cmocka_unit_test(utf__anything_else__is_no_path),
		cmocka_unit_test(utf__invalid_input__is_an_error_in_both_directions),
		cmocka_unit_test(utf__from_the_system__fits_or_is_refused),
		cmocka_unit_test(fault__codes__become_results),
		cmocka_unit_test(security__service_sid__is_what_windows_computes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
