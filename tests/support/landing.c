#include "landing.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef _WIN32
#include <windows.h>

#include <fcntl.h>
#include <io.h>
#define SEPARATOR '\\'
#define READ_ONLY S_IREAD
#define TEMPORARY "TEMP"
static int make_folder(const char *path)
{
	return mkdir(path);
}
/* Unlike fopen: a partial file is held with the right to rename it, which whoever reads it must share. */
static FILE *open_to_read(const char *path)
{
	HANDLE handle = CreateFileA(path, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL,
	                            OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, NULL);
	return handle == INVALID_HANDLE_VALUE ? NULL : fdopen(_open_osfhandle((intptr_t)handle, _O_RDONLY), "rb");
}
#else
#define SEPARATOR '/'
#define READ_ONLY S_IRUSR
#define TEMPORARY "TMPDIR"
static int make_folder(const char *path)
{
	return mkdir(path, 0777);
}
static FILE *open_to_read(const char *path)
{
	return fopen(path, "rb");
}
#endif

static void must(bool done, const char *path)
{
	if (!done) {
		perror(path);
		abort();
	}
}

void landing_make(struct landing *landing)
{
	static unsigned count;
	const char *base = getenv(TEMPORARY);
	do {
		/* Taken, if the process's number was another's before, whose test was killed. */
		snprintf(landing->folder, sizeof(landing->folder), "%s%cferry-landing-%ld-%u", base ? base : "/tmp", SEPARATOR,
		         (long)getpid(), ++count);
	} while (make_folder(landing->folder) != 0 && errno == EEXIST);
	must(access(landing->folder, W_OK) == 0, landing->folder);
}

static bool is_dots(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static void remove_tree(const char *path)
{
	DIR *folder = opendir(path);
	const struct dirent *entry;
	if (folder) {
		while ((entry = readdir(folder)) != NULL) {
			char below[LANDING_PATH_BYTES_MAX];
			if (is_dots(entry->d_name))
				continue;
			int length = snprintf(below, sizeof(below), "%s%c%s", path, SEPARATOR, entry->d_name);
			must(length > 0 && (size_t)length < sizeof(below), path);
			remove_tree(below);
		}
		closedir(folder);
		(void)!rmdir(path);
		return;
	}
	(void)!chmod(path, S_IRUSR | S_IWUSR); /* Windows removes nothing that is read-only */
	(void)!unlink(path);
}

void landing_remove(struct landing *landing)
{
	remove_tree(landing->folder);
}

const char *landing_path(const struct landing *landing, const char *name)
{
	static char paths[4][LANDING_PATH_BYTES_MAX];
	static unsigned next;
	char *path = paths[next++ % 4];
	int length = snprintf(path, sizeof(paths[0]), "%s%c%s", landing->folder, SEPARATOR, name);
	must(length > 0 && (size_t)length < sizeof(paths[0]), name);
	for (char *at = path; *at; at++)
		if (*at == '/')
			*at = SEPARATOR;
	return path;
}

void landing_make_folder(const struct landing *landing, const char *name)
{
	const char *path = landing_path(landing, name);
	must(make_folder(path) == 0, path);
}

void landing_write(const struct landing *landing, const char *name, const void *bytes, size_t length)
{
	const char *path = landing_path(landing, name);
	FILE *file = fopen(path, "wb");
	must(file != NULL, path);
	must(fwrite(bytes, 1, length, file) == length, path);
	must(fclose(file) == 0, path);
}

void landing_make_read_only(const struct landing *landing, const char *name)
{
	const char *path = landing_path(landing, name);
	must(chmod(path, READ_ONLY) == 0, path);
}

bool landing_may_write(const struct landing *landing, const char *name)
{
	FILE *file = fopen(landing_path(landing, name), "r+b");
	if (!file)
		return false;
	fclose(file);
	return true;
}

long landing_size(const struct landing *landing, const char *name)
{
	FILE *file = open_to_read(landing_path(landing, name));
	long size = -1;
	if (!file)
		return -1;
	if (fseek(file, 0, SEEK_END) == 0)
		size = ftell(file);
	fclose(file);
	return size;
}

bool landing_holds(const struct landing *landing, const char *name, const void *bytes, size_t length)
{
	const unsigned char *expected = bytes;
	FILE *file = open_to_read(landing_path(landing, name));
	size_t same = 0;
	int byte;
	if (!file)
		return false;
	while ((byte = fgetc(file)) != EOF) {
		if (same == length || expected[same] != byte) {
			same = (size_t)-1;
			break;
		}
		same++;
	}
	fclose(file);
	return same == length;
}

size_t landing_count(const struct landing *landing)
{
	DIR *folder = opendir(landing->folder);
	const struct dirent *entry;
	size_t count = 0;
	must(folder != NULL, landing->folder);
	while ((entry = readdir(folder)) != NULL)
		count += !is_dots(entry->d_name);
	closedir(folder);
	return count;
}
