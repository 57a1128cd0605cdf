/* A disk for SQLite that fails, or loses its power, at a chosen operation: a layer over SQLite's own file layer, for
 * tests of runtime/store.
 *
 * Writes go through at once, so that the process reads what it wrote; what a power cut would leave is kept beside it in
 * memory: the content at the last sync, and the changes since.  Syncs are counted, not done.
 */
#ifndef FERRY_TESTS_FAILING_DISK_H
#define FERRY_TESTS_FAILING_DISK_H

#include "runtime/store_fixture.h"

enum disk_fault { DISK_WELL, DISK_BROKEN, DISK_FULL, DISK_POWER_CUT };
/* What a power cut leaves of the changes since the last sync. */
enum disk_rest { REST_NOTHING, REST_ALL, REST_SOME };

struct disk_change {
	struct disk_change *next;
	bool truncate;
	size_t offset, length;
	unsigned char bytes[];
};

/* One file as the disk keeps it. */
struct disk_content {
	char name[STORE_PATH_BYTES_MAX + 16];
	bool exists, removed; /* durably there; removed since, perhaps not durably */
	unsigned char *bytes;
	size_t size, capacity;
	struct disk_change *changes, **changes_end;
};

struct disk_file {
	sqlite3_file base;
	struct disk_content *content;
	sqlite3_file *real; /* behind this struct */
};

static struct {
	sqlite3_vfs vfs, *real;
	enum disk_fault fault;
	unsigned operations, fault_at; /* fault_at: from this operation on; 0 never */
	unsigned syncs;
	struct disk_content contents[8];
	size_t count;
} disk;

/* --- what is durable --- */

static inline void disk_set_size(struct disk_content *content, size_t size)
{
	if (size > content->capacity) {
		content->capacity = 2 * size;
		content->bytes = realloc(content->bytes, content->capacity);
		assert_non_null(content->bytes);
	}
	if (size > content->size)
		memset(content->bytes + content->size, 0, size - content->size);
	content->size = size;
}

static inline void disk_settle(struct disk_content *content, enum disk_rest rest, uint64_t *seed)
{
	for (struct disk_change *change = content->changes, *next; change; change = next) {
		next = change->next;
		*seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
		if (rest == REST_ALL || (rest == REST_SOME && (*seed >> 40 & 1))) {
			if (change->truncate)
				disk_set_size(content, change->offset);
			else if (change->offset + change->length > content->size)
				disk_set_size(content, change->offset + change->length);
			if (!change->truncate)
				memcpy(content->bytes + change->offset, change->bytes, change->length);
		}
		free(change);
	}
	content->changes = NULL;
	content->changes_end = &content->changes;
}

static inline void disk_note(struct disk_content *content, bool truncate, size_t offset, const void *bytes,
                             size_t length)
{
	struct disk_change *change = calloc(1, sizeof(*change) + length);
	assert_non_null(change);
	change->truncate = truncate;
	change->offset = offset;
	change->length = length;
	if (length > 0)
		memcpy(change->bytes, bytes, length);
	*content->changes_end = change;
	content->changes_end = &change->next;
}

static inline struct disk_content *disk_content_of(const char *name)
{
	for (size_t i = 0; i < disk.count; i++) {
		if (strcmp(disk.contents[i].name, name) == 0)
			return &disk.contents[i];
	}
	assert_true(disk.count < sizeof(disk.contents) / sizeof(disk.contents[0]));
	struct disk_content *content = &disk.contents[disk.count++];
	text_to(content->name, sizeof(content->name), name);
	content->bytes = read_file(name, &content->size);
	content->capacity = content->size;
	content->exists = content->bytes != NULL;
	content->changes_end = &content->changes;
	return content;
}

/* --- operations --- */

/* Whether this operation, one of those that change the disk, is to fail. */
static inline bool disk_fails(bool needs_room)
{
	if (disk.fault == DISK_FULL && !needs_room)
		return false;
	disk.operations++;
	return disk.fault_at != 0 && disk.operations >= disk.fault_at;
}

static inline struct disk_file *disk_file(sqlite3_file *file)
{
	return (struct disk_file *)(void *)file;
}

static inline int disk_close(sqlite3_file *file)
{
	sqlite3_file *real = disk_file(file)->real;
	return real->pMethods ? real->pMethods->xClose(real) : SQLITE_OK;
}

static inline int disk_read(sqlite3_file *file, void *to, int length, sqlite3_int64 offset)
{
	sqlite3_file *real = disk_file(file)->real;
	return real->pMethods->xRead(real, to, length, offset);
}

static inline int disk_write(sqlite3_file *file, const void *bytes, int length, sqlite3_int64 offset)
{
	sqlite3_file *real = disk_file(file)->real;
	bool fails = disk_fails(true);

	if (fails && disk.fault == DISK_POWER_CUT)
		return SQLITE_IOERR_WRITE;
	if (fails)
		length /= 2; /* a torn write */
	disk_note(disk_file(file)->content, false, (size_t)offset, bytes, (size_t)length);
	int code = real->pMethods->xWrite(real, bytes, length, offset);
	if (code != SQLITE_OK || !fails)
		return code;
	return disk.fault == DISK_FULL ? SQLITE_FULL : SQLITE_IOERR_WRITE;
}

static inline int disk_truncate(sqlite3_file *file, sqlite3_int64 size)
{
	sqlite3_file *real = disk_file(file)->real;
	if (disk_fails(false))
		return SQLITE_IOERR_TRUNCATE;
	disk_note(disk_file(file)->content, true, (size_t)size, NULL, 0);
	return real->pMethods->xTruncate(real, size);
}

static inline int disk_sync(sqlite3_file *file, int flags)
{
	struct disk_content *content = disk_file(file)->content;
	uint64_t seed = 0;

	(void)flags;
	if (disk_fails(false))
		return SQLITE_IOERR_FSYNC;
	disk.syncs++;
	disk_settle(content, REST_ALL, &seed);
	content->exists = true;
	return SQLITE_OK;
}

static inline int disk_file_size(sqlite3_file *file, sqlite3_int64 *ret_size)
{
	sqlite3_file *real = disk_file(file)->real;
	return real->pMethods->xFileSize(real, ret_size);
}

static inline int disk_lock(sqlite3_file *file, int level)
{
	sqlite3_file *real = disk_file(file)->real;
	return real->pMethods->xLock(real, level);
}

static inline int disk_unlock(sqlite3_file *file, int level)
{
	sqlite3_file *real = disk_file(file)->real;
	return real->pMethods->xUnlock(real, level);
}

static inline int disk_check_reserved_lock(sqlite3_file *file, int *ret_locked)
{
	sqlite3_file *real = disk_file(file)->real;
	return real->pMethods->xCheckReservedLock(real, ret_locked);
}

static inline int disk_file_control(sqlite3_file *file, int operation, void *argument)
{
	sqlite3_file *real = disk_file(file)->real;
	return real->pMethods->xFileControl(real, operation, argument);
}

static inline int disk_sector_size(sqlite3_file *file)
{
	sqlite3_file *real = disk_file(file)->real;
	return real->pMethods->xSectorSize(real);
}

static inline int disk_characteristics(sqlite3_file *file)
{
	sqlite3_file *real = disk_file(file)->real;
	return real->pMethods->xDeviceCharacteristics(real);
}

/* Version 1: no shared memory and no mapped files, which the store does without. */
static const sqlite3_io_methods disk_methods = { 1,
	                                             disk_close,
	                                             disk_read,
	                                             disk_write,
	                                             disk_truncate,
	                                             disk_sync,
	                                             disk_file_size,
	                                             disk_lock,
	                                             disk_unlock,
	                                             disk_check_reserved_lock,
	                                             disk_file_control,
	                                             disk_sector_size,
	                                             disk_characteristics,
	                                             NULL,
	                                             NULL,
	                                             NULL,
	                                             NULL,
	                                             NULL,
	                                             NULL };

static inline int disk_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *ret_flags)
{
	struct disk_file *opened = disk_file(file);

	(void)vfs;
	assert_non_null(name); /* the store makes no temporary files */
	opened->base.pMethods = NULL;
	opened->real = (sqlite3_file *)(void *)(opened + 1);
	opened->content = disk_content_of(name);
	if (opened->content->removed) {
		opened->content->removed = false;
		disk_note(opened->content, true, 0, NULL, 0);
	}
	int code = disk.real->xOpen(disk.real, name, opened->real, flags, ret_flags);
	if (code == SQLITE_OK)
		opened->base.pMethods = &disk_methods;
	return code;
}

static inline int disk_delete(sqlite3_vfs *vfs, const char *name, int sync_folder)
{
	struct disk_content *content = disk_content_of(name);

	(void)vfs;
	if (disk_fails(false))
		return SQLITE_IOERR_DELETE;
	content->removed = true;
	if (sync_folder)
		content->exists = false;
	return disk.real->xDelete(disk.real, name, sync_folder);
}

/* --- for the tests --- */

static inline void disk_put_in(enum disk_fault fault, unsigned fault_at)
{
	memset(&disk, 0, sizeof(disk));
	disk.real = sqlite3_vfs_find(NULL);
	disk.vfs = *disk.real;
	disk.vfs.zName = "failing";
	disk.vfs.szOsFile = (int)sizeof(struct disk_file) + disk.real->szOsFile;
	disk.vfs.xOpen = disk_open;
	disk.vfs.xDelete = disk_delete;
	disk.fault = fault;
	disk.fault_at = fault_at;
	assert_int_equal(sqlite3_vfs_register(&disk.vfs, 1), SQLITE_OK);
}

/* Whether the fault came. */
static inline bool disk_failed(void)
{
	return disk.fault_at != 0 && disk.operations >= disk.fault_at;
}

static inline void disk_heal(void)
{
	disk.fault_at = 0;
}

/* Take the disk out.  After a power cut the files become what it left. */
static inline void disk_take_out(enum disk_rest rest, uint64_t seed)
{
	bool cut = disk.fault == DISK_POWER_CUT && disk_failed();

	assert_int_equal(sqlite3_vfs_unregister(&disk.vfs), SQLITE_OK);
	for (size_t i = 0; i < disk.count; i++) {
		struct disk_content *content = &disk.contents[i];
		bool changed = content->changes != NULL;
		disk_settle(content, rest, &seed);
		bool there = content->exists || (changed && rest != REST_NOTHING);
		if (content->removed && (rest == REST_ALL || (rest == REST_SOME && (seed >> 41 & 1))))
			there = false;
		if (cut && there)
			write_file(content->name, content->bytes ? (const void *)content->bytes : "", content->size);
		else if (cut)
			(void)remove(content->name);
		free(content->bytes);
		content->bytes = NULL;
	}
}

#endif
