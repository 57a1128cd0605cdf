#include "scratch.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef _WIN32
#include <windows.h>
static int make(char *path, size_t size)
{
	char base[MAX_PATH];
	static unsigned count;
	BOOL made;

	if (GetTempPathA(sizeof(base), base) == 0)
		return -1;
	do { /* a test that was killed may have left a folder of this name: process ids come again */
		snprintf(path, size, "%sferry-test-%lu-%u", base, (unsigned long)GetCurrentProcessId(), ++count);
		made = CreateDirectoryA(path, NULL);
	} while (!made && GetLastError() == ERROR_ALREADY_EXISTS);
	return made ? 0 : -1;
}
#else
static int make(char *path, size_t size)
{
	const char *base = getenv("TMPDIR");

	snprintf(path, size, "%s/ferry-test-XXXXXX", base != NULL ? base : "/tmp");
	return mkdtemp(path) != NULL ? 0 : -1;
}
#endif

void scratch_make(char *path, size_t size)
{
	if (make(path, size) != 0) {
		perror(path);
		abort();
	}
}

void scratch_remove(const char *path)
{
	char name[1024];
	const struct dirent *entry;
	DIR *folder = opendir(path);

	if (folder == NULL)
		return;
	while ((entry = readdir(folder)) != NULL) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
		(void)!unlink(name);
	}
	closedir(folder);
	(void)!rmdir(path);
}
