#include "ground.h"

#ifdef _WIN32
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

/* Names here are ASCII, so the A functions will do. */

static void must(bool fine, const char *what)
{
	if (fine)
		return;
	fprintf(stderr, "ground: %s: error %lu\n", what, GetLastError());
	abort();
}

/* Unique among the tests that run at the same time, and within one. */
static void unique_name(char to[GROUND_PATH_BYTES_MAX], const char *before)
{
	static volatile LONG count;
	enum result result = text_format(to, GROUND_PATH_BYTES_MAX, "%s-%lu-%ld-%llu", before, GetCurrentProcessId(),
	                                 InterlockedIncrement(&count), (unsigned long long)GetTickCount64());
	must(result == RESULT_OK, before);
}

void ground_set_up(char folder[GROUND_PATH_BYTES_MAX])
{
	char base[MAX_PATH + 1], name[GROUND_PATH_BYTES_MAX];
	DWORD length = GetTempPathA(sizeof(base), base); /* ends in a backslash */
	must(length > 0 && length < sizeof(base), "GetTempPath");
	unique_name(name, "ferry");
	must(text_format(folder, GROUND_PATH_BYTES_MAX, "%s%s", base, name) == RESULT_OK, base);
	ground_make_folder(folder);
}

void ground_tear_down(const char *folder)
{
	char pattern[GROUND_PATH_BYTES_MAX], path[GROUND_PATH_BYTES_MAX];
	WIN32_FIND_DATAA found;
	ground_path(pattern, folder, "*");
	HANDLE search = FindFirstFileA(pattern, &found);
	must(search != INVALID_HANDLE_VALUE, folder);
	do {
		if (strcmp(found.cFileName, ".") == 0 || strcmp(found.cFileName, "..") == 0)
			continue;
		ground_path(path, folder, found.cFileName);
		if (!(found.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY))
			must(DeleteFileA(path), path);
		else if (found.dwFileAttributes & FILE_ATTRIBUTE_REPARSE_POINT)
			must(RemoveDirectoryA(path), path);
		else
			ground_tear_down(path);
	} while (FindNextFileA(search, &found));
	FindClose(search);
	must(RemoveDirectoryA(folder), folder);
}

void ground_path(char to[GROUND_PATH_BYTES_MAX], const char *folder, const char *name)
{
	must(text_format(to, GROUND_PATH_BYTES_MAX, "%s\\%s", folder, name) == RESULT_OK, name);
}

void ground_make_folder(const char *path)
{
	must(CreateDirectoryA(path, NULL), path);
}

void ground_write(const char *path, const char *text)
{
	FILE *file = fopen(path, "wb");
	must(file != NULL, path);
	must(fputs(text, file) >= 0, path);
	must(fclose(file) == 0, path);
}

bool ground_holds(const char *path, const char *text)
{
	/* Shared for deletion too, or a file that Ferry holds could not be read: it holds it with the right to rename it. */
	HANDLE file = CreateFileA(path, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL,
	                          OPEN_EXISTING, 0, NULL);
	if (file == INVALID_HANDLE_VALUE)
		return false;
	DWORD length = (DWORD)strlen(text), got = 0;
	char *found = malloc(length + 1);
	must(found != NULL, path);
	bool same = ReadFile(file, found, length + 1, &got, NULL) && got == length && memcmp(found, text, length) == 0;
	free(found);
	CloseHandle(file);
	return same;
}

bool ground_exists(const char *path)
{
	return GetFileAttributesA(path) != INVALID_FILE_ATTRIBUTES;
}

void ground_set_read_only(const char *path, bool read_only)
{
	must(SetFileAttributesA(path, read_only ? FILE_ATTRIBUTE_READONLY : FILE_ATTRIBUTE_NORMAL), path);
}

bool ground_soft_link(const char *path, const char *target, bool to_folder)
{
	/* Wine answers TRUE and makes nothing; Windows asks for a privilege or developer mode. */
	DWORD flags = to_folder ? SYMBOLIC_LINK_FLAG_DIRECTORY : 0;
	if (!CreateSymbolicLinkA(path, target, flags | 0x2 /* unprivileged, where allowed */))
		return false;
	DWORD attributes = GetFileAttributesA(path);
	return attributes != INVALID_FILE_ATTRIBUTES && attributes & FILE_ATTRIBUTE_REPARSE_POINT;
}

bool ground_hard_link(const char *path, const char *existing)
{
	return CreateHardLinkA(path, existing, NULL);
}

bool ground_enforces_identities(void)
{
	return false; /* tests/windows: it takes a second account */
}

bool ground_file_owner(const char *path, char to[JOB_OWNER_BYTES_MAX])
{
	(void)path, (void)to;
	return false;
}

void ground_close_folder(const char *path)
{
	(void)path;
}

void ground_open_folder(const char *path)
{
	(void)path;
}

bool ground_thread_has_powers(void)
{
	return false;
}

void ground_address(char to[GROUND_PATH_BYTES_MAX], const char *folder)
{
	(void)folder;
	unique_name(to, "\\\\.\\pipe\\FerryTest");
}

bool ground_leave_dead_door(const char *address)
{
	(void)address;
	return false;
}

bool ground_send_half_message(const char *address)
{
	(void)address;
	return false;
}

bool ground_notices_second_server(void)
{
	return true; /* by FILE_FLAG_FIRST_PIPE_INSTANCE; Wine ignores it, and there asking for the name before has to do */
}

bool ground_be_not_the_service(const char *folder)
{
	(void)folder;
	return true; /* a test program is not NT SERVICE\Ferry */
}

uint32_t ground_process(void)
{
	return GetCurrentProcessId();
}

bool ground_ask_to_stop(void)
{
	return GenerateConsoleCtrlEvent(CTRL_BREAK_EVENT, 0);
}

bool ground_ask_to_reload(void)
{
	return false; /* in the foreground nobody does */
}

bool ground_tell_session(uint32_t session, bool ended)
{
	(void)session;
	(void)ended;
	return false;
}

bool ground_apart(bool (*body)(void *argument), void *argument)
{
	return body(argument);
}

bool ground_set_root(const char *folder)
{
	(void)folder;
	return false;
}
#endif
