/* runtime/partfile - the partial file beside the destination: begin, sync, publish, abandon.
 *
 * Runs on a file worker, as the file identity, and is the only one who names files.  Knows no URLs and no HTTP.
 * Blocking.  Crash rule: each step can be done again.
 */
#ifndef FERRY_RUNTIME_PARTFILE_H
#define FERRY_RUNTIME_PARTFILE_H

#include "core/destination.h"
#include "platform/file.h"
#include "platform/hash.h"

/* The folder that was looked at last, held open: consecutive files in one folder cost one look at it.  What may be done in
 * it the system still decides each time.  Its owner drops it within moments, as nobody else could remove or rename it.
 * Zeroed to begin with. */
struct partfile_folder {
	struct folder *open; /* NULL: none; else it is none of the forbidden ones */
	bool writable;       /* partfile_check has asked */
	bool changed;        /* names in it, since partfile_folder_sync */
	char path[DESTINATION_BYTES_MAX + 1];
};
void partfile_folder_drop(struct partfile_folder *folder);
/* Is it that of the destination? */
bool partfile_folder_is(const struct partfile_folder *folder, const char *path);
/* What was done to names in it lasts: one sync for all of it.  Before the next folder is opened, and before it is dropped. */
enum result partfile_folder_sync(struct partfile_folder *folder, struct fault *fault) MUST_CHECK;

/* What the store knows of the file; texts are borrowed for the call. */
struct partfile {
	const char *path;          /* the destination */
	const char *partial;       /* the partial file's name in the same folder */
	const char *tag;           /* "" if none was recorded: whatever bears the partial name is ours from before a crash */
	uint64_t bytes_recorded;
	uint64_t bytes_total;      /* SIZE_UNKNOWN */
	int64_t modified_s;        /* Unix time that the file gets with its name; PARTFILE_NOW: none of its own */
#define PARTFILE_NOW INT64_MIN
	unsigned zone;             /* that it is marked as coming from, before it gets its name; 0: no mark */
	unsigned versions;         /* former contents that are kept beside it, as NAME.1, the newest, to NAME.N */
	bool yields;               /* whatever has the destination's name stays, and the file does not get it */
	const char *const *forbidden_folders; /* Ferry's own, NULL-terminated (rule 9) */
	struct partfile_folder *folder;       /* its owner syncs it; NULL: opened, and synced, for this call alone */
};

/* Where a transfer may begin. */
struct partfile_opened {
	struct file_handle *file; /* NULL: something has the destination's name, and the file yields to it */
	char tag[FILE_TAG_BYTES_MAX];
	uint64_t offset; /* bytes that are really there: bytes_recorded, or 0 if the partial file was gone or too short */
};

/* Create or re-open.  What is created may have lost its name after a crash, see partfile_keep.  A folder, a read-only or locked file at the destination is found now rather than at the end.
 * RESULT_FILE_CHANGED: something else bears the partial file's name.
 * RESULT_DENIED | RESULT_PATH_NOT_FOUND | RESULT_IS_FOLDER | RESULT_REPARSE_POINT | RESULT_DISK_FULL ... */
enum result partfile_open(const struct partfile *part, struct partfile_opened *ret_opened, struct fault *fault) MUST_CHECK;
/* Is the destination a plain file, of `bytes` bytes unless that is SIZE_UNKNOWN?  What cannot be looked at is not. */
bool partfile_has_destination(const struct partfile *part, uint64_t bytes);
/* Open what bears the partial file's name or, without one, the destination's, to read it: RESULT_PATH_NOT_FOUND if nothing does, RESULT_FILE_CHANGED if that is no
 * plain file.  *ret_bytes: its size. */
enum result partfile_open_destination(const struct partfile *part, struct file_handle **ret_file, uint64_t *ret_bytes,
                                      struct fault *fault) MUST_CHECK;
/* Could the files be made and get their names?  `paths` holds `bytes` bytes of destinations, each with its end.  Asks, and
 * makes nothing; what has its outcome only later (a full disk, a file in use) is no failure here.  On failure *ret_index
 * says which path it was, from 0.  Consecutive paths in one folder cost one look at that folder. */
enum result partfile_check(const char *paths, size_t bytes, const char *const *forbidden_folders, uint64_t *ret_index,
                           struct fault *fault) MUST_CHECK;
/* The names in the destination's folder that begin with `prefix` and are no longer than a partial file's, each with its end,
 * appended to `names`; at most PARTFILE_NAMES_MAX of them.  No folder, no names.  It is partfile_sweep that looks what
 * bears them. */
#define PARTFILE_NAMES_MAX 4096
enum result partfile_list(const struct partfile *part, const char *prefix, struct buffer *names, struct fault *fault) MUST_CHECK;
/* Remove those of the names that plain files bear in the destination's folder; of no job, so without a tag.  `names` holds
 * `bytes` bytes, each name with its end.  *ret_removed: how many of them are gone. */
enum result partfile_sweep(const struct partfile *part, const char *names, size_t bytes, uint64_t *ret_removed,
                           struct fault *fault) MUST_CHECK;
/* Add what is on disk of the file from *at on to the hash: up to `end`, and at most PARTFILE_HASH_BYTES of it.
 * RESULT_FILE_CHANGED: it has become shorter. */
#define PARTFILE_HASH_BYTES (256u * 1024u)
enum result partfile_hash(struct file_handle *file, struct hash *hash, uint64_t *at, uint64_t end, struct fault *fault) MUST_CHECK;
/* Before anything is recorded of a partial file, its name is to last, too, or all of it would be fetched again. */
enum result partfile_keep(const struct partfile *part, struct fault *fault) MUST_CHECK;
/* The bytes written so far reach the disk. */
enum result partfile_sync(struct file_handle *file, struct fault *fault) MUST_CHECK;
/* The file is whole at `bytes`: cut to size, sync, close.  `file` is consumed in any case. */
enum result partfile_finish(struct file_handle *file, uint64_t bytes, struct fault *fault) MUST_CHECK;
struct partfile_published {
	bool unmarked; /* it should have been marked, and lies where nothing can be */
	bool yielded;  /* something had the name and stays; the partial file is gone */
};
/* Give the whole file its name: re-open the partial file, check tag and size, mark it, keep what it replaces, rename, sync the
 * folder.  If the destination already is our file (same tag: published before a crash), that is success.  A former content is
 * kept where it is a plain file with one name, other than the new one, and where no other kind of thing has one of the names
 * NAME.1 to NAME.N; else it is replaced as if none were wanted.  *ret_published: may be NULL. */
enum result partfile_publish(const struct partfile *part, struct partfile_published *ret_published, struct fault *fault) MUST_CHECK;
/* Remove the partial file if it is ours; gone already is success. */
enum result partfile_abandon(const struct partfile *part, struct fault *fault) MUST_CHECK;

#endif
