#include "platform/file_name.h"

/* glibc has a struct of that name too, for name_to_handle_at(), which nobody calls here. */
#define file_handle glibc_file_handle
#include <fcntl.h>
#undef file_handle

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "platform/posix/fault.h"

struct folder {
	int fd;
};

struct file_handle {
	int fd;
};

const enum path_style file_path_style = PATH_POSIX;
const bool folder_is_to_be_synced = true;
const struct file_shares *const file_shares = NULL;

static void fd_cleanup(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static enum result done(int answer, const char *act, const char *object, struct fault *fault)
{
	return answer >= 0 ? RESULT_OK : fault_errno(fault, errno, "%s %s", act, object);
}

/* --- a download's folder and partial file --- */

/* Asked for a folder and no link, the kernel answers ENOTDIR for a link and for a file alike: find out which. */
static int open_step(int parent, const char *name, int flags)
{
	struct stat status;
	int fd = openat(parent, name, flags | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0 || errno != ENOTDIR)
		return fd;
	errno = fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(status.st_mode) ? ELOOP : ENOTDIR;
	return -1;
}

/* Step by step, so that a link anywhere is noticed.  openat2() would do it in one call, but many containers refuse it,
 * and one way that is always taken is worth more on this ground than a fast one and a fallback. */
static int open_without_links(const char *path)
{
	AUTO(fd) int at = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	while (at >= 0 && *(path += strspn(path, "/"))) {
		char name[DESTINATION_SEGMENT_BYTES_MAX + 1];
		size_t length = strcspn(path, "/");
		int parent = at;
		errno = ENAMETOOLONG;
		bool fits = text_copy(name, sizeof(name), (struct text_view){ path, length }) == RESULT_OK;
		at = fits ? open_step(parent, name, O_PATH) : -1;
		close(parent);
		path += length;
	}
	/* O_PATH is enough to pass through, but not to be synced. */
	return at >= 0 ? open_step(at, ".", O_RDONLY) : -1;
}

enum result folder_open(const char *path, struct folder **ret_folder, struct fault *fault)
{
	assert(path[0] == '/');
	AUTO(folder) struct folder *folder = malloc(sizeof(*folder));
	if (!folder || (folder->fd = open_without_links(path)) < 0)
		return fault_errno(fault, errno, "open folder %s", path);
	*ret_folder = TAKE(folder);
	return RESULT_OK;
}

void folder_free(struct folder *folder)
{
	if (folder)
		fd_cleanup(&folder->fd);
	free(folder);
}

enum result folder_sync(struct folder *folder, struct fault *fault)
{
	return done(fsync(folder->fd), "sync", "the folder", fault);
}

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* Climbs from the handle to the root and compares what it meets: no path of the folder's is believed. */
enum result folder_is_below(struct folder *folder, const char *ancestor_path, bool *ret_below, struct fault *fault)
{
	struct stat ancestor = { 0 }, here = { 0 }, child; /* nothing has the device and number 0 */
	char up[PATH_MAX + sizeof("/..")] = ".";           /* the kernel refuses PATH_MAX and more */
	if (stat(ancestor_path, &ancestor) != 0 && errno != ENOENT)
		return fault_errno(fault, errno, "look at %s", ancestor_path);
	size_t length = 1;
	do {
		child = here;
		if (fstatat(folder->fd, up, &here, 0) != 0)
			return fault_errno(fault, errno, "look above the folder");
		memcpy(up + length, "/..", sizeof("/.."));
		length += strlen("/..");
	} while (!same_file(&here, &ancestor) && !same_file(&here, &child));
	*ret_below = same_file(&here, &ancestor);
	return RESULT_OK;
}

static enum result look_at(struct folder *folder, const char *name, struct stat *ret_status, struct fault *fault)
{
	enum result result = file_check_simple(name, fault);
	return result ? result : done(fstatat(folder->fd, name, ret_status, AT_SYMLINK_NOFOLLOW), "look at", name, fault);
}

/* faccessat() without flags asks for the thread's real ids, and whoever wears an identity has no others.  What it says
 * of effective ones glibc may have worked out from the process's. */
enum result folder_check_writable(struct folder *folder, struct fault *fault)
{
	return done(faccessat(folder->fd, ".", W_OK | X_OK, 0), "make files in", "the folder", fault);
}

/* Linux would replace a file that is read-only, but whoever made it so does not expect that, and Windows would not. */
enum result folder_check_name(struct folder *folder, const char *name, struct fault *fault)
{
	struct stat status = { 0 };
	enum result result = look_at(folder, name, &status, fault);
	if (S_ISDIR(status.st_mode))
		return fault_errno(fault, EISDIR, "replace %s", name);
	if (S_ISREG(status.st_mode))
		return done(faccessat(folder->fd, name, W_OK, 0), "replace", name, fault);
	return result == RESULT_PATH_NOT_FOUND ? RESULT_OK : result;
}

enum result folder_names(struct folder *folder, const char *prefix, bool (*visit)(void *context, const char *name),
                         void *context, struct fault *fault)
{
	const struct dirent *entry;
	bool more = true;
	AUTO(fd) int fd = open_step(folder->fd, ".", O_RDONLY); /* with a position of its own */
	DIR *names = fd >= 0 ? fdopendir(fd) : NULL;
	if (!names)
		return fault_errno(fault, errno, "list the folder");
	fd = -1; /* closed with the names */
	while (errno = 0, more && (entry = readdir(names)) != NULL)
		if (strncmp(entry->d_name, prefix, strlen(prefix)) == 0 &&
		    file_check_simple(entry->d_name, NULL) == RESULT_OK && text_is_utf8(text_view(entry->d_name)))
			more = visit(context, entry->d_name);
	int error = errno;
	closedir(names);
	return error ? fault_errno(fault, error, "list the folder") : RESULT_OK;
}

static enum result wrap(int opened, const char *name, struct file_handle **ret_file, struct fault *fault)
{
	AUTO(fd) int fd = opened;
	struct file_handle *file = fd >= 0 ? malloc(sizeof(*file)) : NULL;
	if (!file)
		return fault_errno(fault, errno, "open %s", name);
	file->fd = fd;
	fd = -1;
	*ret_file = file;
	return RESULT_OK;
}

enum result file_create(struct folder *folder, const char *name, struct file_handle **ret_file, struct fault *fault)
{
	/* Readable by its owner alone: neither the network identity nor the daemon has business with landed files. */
	const int flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	enum result result = file_check_simple(name, fault);
	return result ? result : wrap(openat(folder->fd, name, flags, 0600), name, ret_file, fault);
}

static void format_tag(const struct stat *status, char to[FILE_TAG_BYTES_MAX])
{
	text_display(to, FILE_TAG_BYTES_MAX, "%jx:%jx:%x", (uintmax_t)status->st_dev, (uintmax_t)status->st_ino,
	             status->st_uid);
}

enum result file_reopen(struct folder *folder, const char *name, const char *tag, struct file_handle **ret_file,
                        struct fault *fault)
{
	/* Looked at before it is opened, since opening a pipe or a device does things. */
	struct stat before, after;
	char found[FILE_TAG_BYTES_MAX];
	enum result result = look_at(folder, name, &before, fault);
	if (result != RESULT_OK)
		return result;
	format_tag(&before, found);
	if (!S_ISREG(before.st_mode) || (tag && (before.st_nlink != 1 || (tag[0] && strcmp(found, tag) != 0))))
		return fault_set(fault, RESULT_FILE_CHANGED, FAULT_FERRY, 0, "%s is not the plain file it was", name);
	AUTO(file_handle) struct file_handle *file = NULL;
	result = wrap(openat(folder->fd, name, (tag ? O_RDWR : O_RDONLY) | O_NOFOLLOW | O_CLOEXEC), name, &file, fault);
	if (result == RESULT_OK && (fstat(file->fd, &after) != 0 || !same_file(&before, &after)))
		result = fault_set(fault, RESULT_FILE_CHANGED, FAULT_FERRY, 0, "%s was exchanged meanwhile", name);
	if (result == RESULT_OK)
		*ret_file = TAKE(file);
	return result;
}

void file_handle_free(struct file_handle *file)
{
	if (file)
		fd_cleanup(&file->fd);
	free(file);
}

enum result file_tag(struct file_handle *file, char to[FILE_TAG_BYTES_MAX], struct fault *fault)
{
	struct stat status;
	enum result result = done(fstat(file->fd, &status), "look at", "the open file", fault);
	if (result == RESULT_OK)
		format_tag(&status, to);
	return result;
}

enum result file_tag_at(struct folder *folder, const char *name, char to[FILE_TAG_BYTES_MAX], uint64_t *ret_bytes,
                        struct fault *fault)
{
	struct stat status;
	enum result result = look_at(folder, name, &status, fault);
	if (result == RESULT_OK) {
		format_tag(&status, to);
		*ret_bytes = S_ISREG(status.st_mode) ? (uint64_t)status.st_size : SIZE_UNKNOWN;
	}
	return result;
}

enum result file_size(struct file_handle *file, uint64_t *ret_bytes, struct fault *fault)
{
	off_t end = lseek(file->fd, 0, SEEK_END); /* nobody reads or writes where it points */
	*ret_bytes = (uint64_t)end;
	return done(end < 0 ? -1 : 0, "look at", "the open file", fault);
}

enum result file_reserve(struct file_handle *file, uint64_t bytes, struct fault *fault)
{
	struct stat status;
	struct statvfs volume;
	if (fstat(file->fd, &status) != 0 || fstatvfs(file->fd, &volume) != 0)
		return fault_errno(fault, errno, "ask for free space");
	uint64_t present = (uint64_t)status.st_blocks * S_BLKSIZE, missing = bytes > present ? bytes - present : 0;
	if (missing / volume.f_frsize >= volume.f_bavail)
		return fault_errno(fault, ENOSPC, "reserve %ju bytes", (uintmax_t)bytes);
	return file_truncate(file, bytes, fault);
}

enum result file_truncate(struct file_handle *file, uint64_t bytes, struct fault *fault)
{
	return done(ftruncate(file->fd, (off_t)bytes), "set the size of", "the open file", fault);
}

enum result file_write(struct file_handle *file, uint64_t offset, const void *bytes, size_t length, struct fault *fault)
{
	ssize_t written;
	for (size_t at = 0; at < length; at += (size_t)written) {
		const char *from = (const char *)bytes + at;
		written = TEMP_FAILURE_RETRY(pwrite(file->fd, from, length - at, (off_t)(offset + at)));
		if (written < 0)
			return fault_errno(fault, errno, "write %zu bytes at %ju", length - at, (uintmax_t)(offset + at));
	}
	return RESULT_OK;
}

enum result file_read(struct file_handle *file, uint64_t offset, void *bytes, size_t size, size_t *ret_length,
                      struct fault *fault)
{
	ssize_t got = TEMP_FAILURE_RETRY(pread(file->fd, bytes, size, (off_t)offset)); /* less only at the file's end */
	*ret_length = got > 0 ? (size_t)got : 0;
	return got >= 0 ? RESULT_OK : fault_errno(fault, errno, "read %zu bytes at %ju", size, (uintmax_t)offset);
}

enum result file_sync(struct file_handle *file, struct fault *fault)
{
	return done(fdatasync(file->fd), "sync", "the open file", fault);
}

enum result file_set_modified(struct file_handle *file, int64_t unix_s, struct fault *fault)
{
	const struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, { .tv_sec = unix_s } };
	return done(futimens(file->fd, times), "set the time of", "the open file", fault);
}

enum result file_mark_zone(struct file_handle *file, unsigned zone, struct fault *fault)
{
	return fault_set(fault, RESULT_NOT_SUPPORTED, FAULT_FERRY, 0, "mark file %d as of zone %u", file->fd, zone);
}

/* Linux renames and unlinks names, never handles: make sure that the name is the handle's.  Who could exchange it
 * between this look and the act may write in the folder, and could as well do it after. */
static enum result check_named(struct folder *folder, struct file_handle *file, const char *name, struct fault *fault)
{
	struct stat open_file, named;
	enum result result = look_at(folder, name, &named, fault);
	if (result == RESULT_OK && (fstat(file->fd, &open_file) != 0 || !same_file(&open_file, &named)))
		return fault_set(fault, RESULT_FILE_CHANGED, FAULT_FERRY, 0, "%s is another file", name);
	return result;
}

enum result file_give_name(struct folder *folder, struct file_handle *file, const char *old_name, const char *new_name,
                           enum file_naming naming, struct fault *fault)
{
	const int fd = folder->fd;
	enum result result = file_check_simple(new_name, fault);
	result = result ? result : check_named(folder, file, old_name, fault);
	if (result || naming == FILE_LINKS)
		return result ? result : done(linkat(fd, old_name, fd, new_name, 0), "link to", new_name, fault);
	return done(renameat2(fd, old_name, fd, new_name, naming == FILE_YIELDS ? RENAME_NOREPLACE : 0), "rename to", new_name, fault);
}

enum result file_remove(struct folder *folder, struct file_handle *file, const char *name, struct fault *fault)
{
	enum result result = check_named(folder, file, name, fault);
	return result == RESULT_OK ? done(unlinkat(folder->fd, name, 0), "remove", name, fault) : result;
}

/* --- Ferry's own folders and files: opened so that a pipe among them keeps nobody waiting --- */

enum result file_data_folder(char *to, size_t size, struct fault *fault)
{
	return testroot_path("/data", to, size, NULL, fault);
}

enum result file_program_folder(char *to, size_t size, struct fault *fault)
{
	ssize_t length = readlink("/proc/self/exe", to, size);
	if (length < 0 || (size_t)length >= size)
		return fault_errno(fault, length < 0 ? errno : ENAMETOOLONG, "find the running program");
	*(char *)memrchr(to, '/', (size_t)length) = '\0';
	return RESULT_OK;
}

enum result file_make_private_folder(const char *path, struct fault *fault)
{
	if (mkdir(path, 0700) != 0 && errno != EEXIST)
		return fault_errno(fault, errno, "make folder %s", path);
	AUTO(fd) int fd = open_step(AT_FDCWD, path, O_RDONLY);
	enum result result = fd >= 0 ? file_check_trusted(path, fault) : RESULT_OK;
	if (fd < 0 || (result == RESULT_OK && fchmod(fd, 0700) != 0))
		return fault_errno(fault, errno == ENOTDIR ? EEXIST : errno, "make folder %s private", path);
	/* What others could put in it would stay theirs: only an empty one is made anew. */
	return result != RESULT_OK && rmdir(path) == 0 ? file_make_private_folder(path, fault) : result;
}

static enum result check_status(int answer, const struct stat *status, const char *path, struct fault *fault)
{
	enum result result = done(answer, "look at", path, fault);
	return result || (!(status->st_mode & 022) && (status->st_uid == 0 || status->st_uid == geteuid())) ? result :
	       fault_set(fault, RESULT_ACCESS_REFUSED, FAULT_FERRY, 0, "%s is of uid %u, mode %03o, and open to others: close or remove it",
	                 path, status->st_uid, status->st_mode & 0777);
}

enum result file_check_trusted(const char *path, struct fault *fault)
{
	struct stat status = { 0 };
	return check_status(lstat(path, &status), &status, path, fault);
}

/* A lease is had only where nobody has it open to write, and whoever would waits; it is asked back by a signal, here by one
 * that is ignored.  Not all file systems have them. */
enum result file_open_trusted(const char *path, struct file_handle **ret_file, struct fault *fault)
{
	AUTO(file_handle) struct file_handle *file = NULL;
	struct stat status = { 0 };
	enum result result = wrap(open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC), path, &file, fault);
	result = result ? result : check_status(fstat(file->fd, &status), &status, path, fault);
	if (!result && !fcntl(file->fd, F_SETSIG, SIGURG) && fcntl(file->fd, F_SETLEASE, F_RDLCK) != 0 && errno == EAGAIN)
		result = fault_set(fault, RESULT_LOCKED, FAULT_FERRY, 0, FILE_IS_HELD, path);
	*ret_file = result ? NULL : TAKE(file);
	return result;
}

enum result file_create_private(const char *path, struct file_handle **ret_file, struct fault *fault)
{
	return wrap(open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600), path, ret_file, fault);
}

enum result file_open_read(const char *path, struct file_handle **ret_file, struct fault *fault)
{
	return wrap(open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC), path, ret_file, fault);
}

enum result file_open_append(const char *path, struct file_handle **ret_file, struct fault *fault)
{
	return wrap(open(path, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600), path, ret_file, fault);
}

enum result file_move(const char *from, const char *to, struct fault *fault)
{
	return done(rename(from, to), "rename", from, fault);
}

enum result file_lock_folder(const char *path, struct file_handle **ret_lock, struct fault *fault)
{
	AUTO(file_handle) struct file_handle *lock = NULL;
	enum result result = wrap(open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), path, &lock, fault);
	if (result == RESULT_OK && flock(lock->fd, LOCK_EX | LOCK_NB) != 0)
		result = fault_set(fault, errno == EWOULDBLOCK ? RESULT_ALREADY_RUNNING : result_from_errno(errno), FAULT_ERRNO,
		                   errno, "lock %s", path);
	if (result == RESULT_OK)
		*ret_lock = TAKE(lock);
	return result;
}
