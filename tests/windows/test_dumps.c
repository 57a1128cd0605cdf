/* A process that crashes leaves no memory behind, also where the machine collects dumps (Windows Error Reporting, LocalDumps). */
#include "windows_only.h"

#include <stdlib.h>
#include <string.h>

#include "platform/service.h"

#define EXE L"test_windows_dumps.exe"
#define KEY L"SOFTWARE\\Microsoft\\Windows\\Windows Error Reporting\\LocalDumps\\" EXE
#define MARK_LENGTH 64

/* Made at run time, so that it lies in the heap alone. */
static char *make_mark(void)
{
	char *mark = malloc(MARK_LENGTH);
	assert_non_null(mark);
	for (int i = 0; i < MARK_LENGTH; i++)
		mark[i] = (char)('A' + (i * 7 + 3) % 26);
	return mark;
}

/* `bare`: as a program that does nothing about it, whose dump is awaited and holds the mark. */
static int crash(bool bare)
{
	struct fault fault;
	char *mark = make_mark();
	if ((!bare && service_harden_process(&fault) != RESULT_OK) || mark[0] == '\0')
		return 1;
	RaiseException(EXCEPTION_ACCESS_VIOLATION, 0, 0, NULL);
	return 2;
}

static bool holds_mark(const wchar_t *path)
{
	HANDLE file = CreateFileW(path, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_EXISTING, 0, NULL);
	char *mark = make_mark();
	LARGE_INTEGER size;
	DWORD length = 0;
	bool found = false;
	assert_true(file != INVALID_HANDLE_VALUE && GetFileSizeEx(file, &size));
	char *bytes = malloc((size_t)size.QuadPart + 1);
	assert_non_null(bytes);
	assert_true(ReadFile(file, bytes, (DWORD)size.QuadPart, &length, NULL));
	for (DWORD i = 0; i + MARK_LENGTH <= length && !found; i++)
		found = memcmp(bytes + i, mark, MARK_LENGTH) == 0;
	free(bytes);
	free(mark);
	CloseHandle(file);
	return found;
}

static DWORD run_to_its_crash(const wchar_t *how)
{
	wchar_t path[MAX_PATH], line[MAX_PATH + 16];
	STARTUPINFOW start = { .cb = sizeof(start) };
	PROCESS_INFORMATION process;
	DWORD code = 0;
	assert_true(GetModuleFileNameW(NULL, path, MAX_PATH) < MAX_PATH);
	swprintf(line, MAX_PATH + 16, L"\"%ls\" %ls", path, how);
	assert_true(CreateProcessW(path, line, NULL, NULL, FALSE, CREATE_DEFAULT_ERROR_MODE, NULL, NULL, &start, &process));
	assert_int_equal(WaitForSingleObject(process.hProcess, 60000), WAIT_OBJECT_0);
	assert_true(GetExitCodeProcess(process.hProcess, &code));
	assert_true(code > 2); /* it crashed */
	CloseHandle(process.hThread);
	CloseHandle(process.hProcess);
	return process.dwProcessId;
}

/* The dump of that process, which can be opened for reading alone once it is whole. */
static bool is_written(const wchar_t *folder, DWORD process)
{
	wchar_t path[2 * MAX_PATH];
	swprintf(path, 2 * MAX_PATH, L"%ls\\" EXE L".%lu.dmp", folder, process);
	HANDLE file = CreateFileW(path, GENERIC_READ, 0, NULL, OPEN_EXISTING, 0, NULL);
	if (file == INVALID_HANDLE_VALUE)
		return false;
	CloseHandle(file);
	return holds_mark(path);
}

static void process__hardened__says_so_to_error_reporting(void **state)
{
	struct fault fault;
	(void)state;
	assert_int_equal(service_harden_process(&fault), RESULT_OK);
	assert_int_equal(GetErrorMode() & (SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX),
	                 SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX);
	if (is_wine())
		return; /* main says so */
	HRESULT(WINAPI * get_flags)(HANDLE process, DWORD *flags);
	FARPROC found = GetProcAddress(GetModuleHandleW(L"kernel32.dll"), "WerGetFlags");
	DWORD flags = 0;
	assert_non_null(found);
	memcpy(&get_flags, &found, sizeof(get_flags));
	assert_int_equal(get_flags(GetCurrentProcess(), &flags), S_OK);
	assert_true(flags & 0x1); /* WER_FAULT_REPORTING_FLAG_NOHEAP */
}

static void process__crashes_where_dumps_are_collected__leaves_no_heap(void **state)
{
	(void)state;
	if (is_wine() || !is_elevated())
		return; /* main says so */
	wchar_t folder[MAX_PATH], pattern[MAX_PATH + 16], path[2 * MAX_PATH];
	DWORD type = 2, waited_ms = 0; /* whole ones, in which the heap is */
	WIN32_FIND_DATAW found;
	HKEY key;
	assert_true(GetTempPathW(MAX_PATH - 20, folder) > 0);
	wcscat_s(folder, MAX_PATH, L"ferry-dumps");
	assert_true(CreateDirectoryW(folder, NULL) || GetLastError() == ERROR_ALREADY_EXISTS);
	assert_int_equal(RegCreateKeyExW(HKEY_LOCAL_MACHINE, KEY, 0, NULL, 0, KEY_ALL_ACCESS, NULL, &key, NULL), ERROR_SUCCESS);
	assert_int_equal(RegSetValueExW(key, L"DumpFolder", 0, REG_EXPAND_SZ, (const BYTE *)folder,
	                                (DWORD)((wcslen(folder) + 1) * sizeof(wchar_t))), ERROR_SUCCESS);
	assert_int_equal(RegSetValueExW(key, L"DumpType", 0, REG_DWORD, (const BYTE *)&type, sizeof(type)), ERROR_SUCCESS);
	(void)run_to_its_crash(L"crash");
	/* The dump of who crashed after it is there: so would its own be. */
	DWORD bare = run_to_its_crash(L"bare");
	for (; !is_written(folder, bare) && waited_ms < 60000; waited_ms += 100)
		Sleep(100);
	assert_true(waited_ms < 60000);
	RegCloseKey(key);
	RegDeleteKeyW(HKEY_LOCAL_MACHINE, KEY);
	swprintf(pattern, MAX_PATH + 16, L"%ls\\*.dmp", folder);
	wchar_t of_bare[32];
	swprintf(of_bare, 32, L".%lu.dmp", bare);
	bool held = false;
	HANDLE search = FindFirstFileW(pattern, &found);
	for (BOOL more = search != INVALID_HANDLE_VALUE; more; more = FindNextFileW(search, &found)) {
		swprintf(path, 2 * MAX_PATH, L"%ls\\%ls", folder, found.cFileName);
		held |= wcsstr(found.cFileName, of_bare) == NULL && holds_mark(path);
		DeleteFileW(path);
	}
	if (search != INVALID_HANDLE_VALUE)
		FindClose(search);
	RemoveDirectoryW(folder);
	assert_false(held);
}

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "crash") == 0)
		return crash(false);
	if (argc > 1 && strcmp(argv[1], "bare") == 0)
		return crash(true);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(process__hardened__says_so_to_error_reporting),
		cmocka_unit_test(process__crashes_where_dumps_are_collected__leaves_no_heap),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	if (failed == 0 && must_skip("a crash where dumps are collected leaves none with what the heap held"))
		return SKIPPED_PROGRAM;
	return failed;
}
