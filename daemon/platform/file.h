/* platform/file - folders held open, files relative to them, and the little that logs and configuration need.
 *
 * The security of a download rests here: the folder is opened once, following no link, and everything else is relative
 * to its handle (rule 19).  What a thread may do is decided by the identity it wears.  A `struct file` may be handed to
 * another thread, which then writes through it with the access granted at open (rule 20).
 */
#ifndef FERRY_PLATFORM_FILE_H
#define FERRY_PLATFORM_FILE_H

#include "core/job.h"

struct folder;
struct file_handle;
struct thread;

extern const enum path_style file_path_style;

/* --- a download's folder and partial file; blocking; RESULT_* from the table, fault filled --- */

/* Open a folder by its absolute path.  RESULT_PATH_NOT_FOUND | RESULT_VOLUME_GONE: nor is its drive or server there; Linux
 * cannot tell | RESULT_REPARSE_POINT | RESULT_DENIED. */
enum result folder_open(const char *path, struct folder **ret_folder, struct fault *fault) MUST_CHECK;
void folder_free(struct folder *folder);
DEFINE_CLEANUP(folder)
/* Make the names made and removed so far durable (no-op where the file system's journal does). */
enum result folder_sync(struct folder *folder, struct fault *fault) MUST_CHECK;
extern const bool folder_is_to_be_synced; /* false: it is a no-op, and the folder need not be opened for it */
/* Is this one of the folders of Ferry itself or below one (rule 9), judged by what the handle resolves to? */
enum result folder_is_below(struct folder *folder, const char *ancestor_path, bool *ret_below,
                            struct fault *fault) MUST_CHECK;

/* May the calling thread make files in the folder?  Asks and makes nothing; the kernel has its last word at file_create.
 * RESULT_DENIED. */
enum result folder_check_writable(struct folder *folder, struct fault *fault) MUST_CHECK;
/* Could file_rename() put something in place of what bears `name`, if anything does?  Follows no link.
 * RESULT_IS_FOLDER | RESULT_DENIED: it is read-only | RESULT_LOCKED: somebody has it open without sharing. */
enum result folder_check_name(struct folder *folder, const char *name, struct fault *fault) MUST_CHECK;
/* The names in the folder that begin with `prefix`, in any order; `visit` false: stop. */
enum result folder_names(struct folder *folder, const char *prefix, bool (*visit)(void *context, const char *name),
                         void *context, struct fault *fault) MUST_CHECK;

/* Create a new file `name` in the folder; others may read it meanwhile.  RESULT_EXISTS if anything has that name. */
enum result file_create(struct folder *folder, const char *name, struct file_handle **ret_file,
                        struct fault *fault) MUST_CHECK;
/* Re-open it for writing: a plain file with exactly one link whose tag equals `tag` (or any, if "").  `tag` NULL: any plain
 * file, to read it, and nobody is kept from it meanwhile.
 * RESULT_PATH_NOT_FOUND: gone.  RESULT_FILE_CHANGED: something else bears the name. */
enum result file_reopen(struct folder *folder, const char *name, const char *tag, struct file_handle **ret_file,
                        struct fault *fault) MUST_CHECK;
void file_handle_free(struct file_handle *file);
DEFINE_CLEANUP(file_handle)

/* The file's id and owner as short text, the same after a rename and a restart: recognises our own file. */
enum result file_tag(struct file_handle *file, char to[FILE_TAG_BYTES_MAX], struct fault *fault) MUST_CHECK;
/* Tag and size of whatever bears `name`, following no link; SIZE_UNKNOWN if that is no plain file.  RESULT_PATH_NOT_FOUND if
 * nothing does. */
enum result file_tag_at(struct folder *folder, const char *name, char to[FILE_TAG_BYTES_MAX], uint64_t *ret_bytes,
                        struct fault *fault) MUST_CHECK;
enum result file_size(struct file_handle *file, uint64_t *ret_bytes, struct fault *fault) MUST_CHECK;
/* Set aside `bytes` for the file: checks the volume's free space, then sets the size.  RESULT_DISK_FULL. */
enum result file_reserve(struct file_handle *file, uint64_t bytes, struct fault *fault) MUST_CHECK;
enum result file_truncate(struct file_handle *file, uint64_t bytes, struct fault *fault) MUST_CHECK;
enum result file_write(struct file_handle *file, uint64_t offset, const void *bytes, size_t length,
                       struct fault *fault) MUST_CHECK; /* all of it or a failure */
enum result file_read(struct file_handle *file, uint64_t offset, void *bytes, size_t size, size_t *ret_length,
                      struct fault *fault) MUST_CHECK;
/* When it was made and last changed, on Windows, or last changed, on Linux; a write changes that again. */
enum result file_set_modified(struct file_handle *file, int64_t unix_s, struct fault *fault) MUST_CHECK;
/* Write the mark of the web beside the data: the stream Zone.Identifier, as browsers do, which says that the file comes from
 * that zone of Windows' (3: the internet).  Reaches the disk; done again, it is the same; changes the file's time.
 * RESULT_NOT_SUPPORTED: the file system has no streams. */
enum result file_mark_zone(struct file_handle *file, unsigned zone, struct fault *fault) MUST_CHECK;
/* Data and size reach the disk. */
enum result file_sync(struct file_handle *file, struct fault *fault) MUST_CHECK;
/* What becomes of the names when an open file gets one. */
enum file_naming {
	FILE_REPLACES, /* it is renamed, and replaces a plain file */
	FILE_YIELDS,   /* it is renamed, unless anything has the name: RESULT_EXISTS */
	FILE_LINKS,    /* it has the name beside its own, unless anything has it: RESULT_EXISTS.  Not all file systems can */
};
/* Give the open file a new simple name in the folder it lies in, atomically.  RESULT_IS_FOLDER | RESULT_LOCKED | RESULT_DENIED. */
enum result file_give_name(struct folder *folder, struct file_handle *file, const char *old_name, const char *new_name,
                           enum file_naming naming, struct fault *fault) MUST_CHECK;
static inline MUST_CHECK enum result file_rename(struct folder *folder, struct file_handle *file, const char *old_name,
                                                 const char *new_name, struct fault *fault)
{
	return file_give_name(folder, file, old_name, new_name, FILE_REPLACES, fault);
}
/* Remove the open file's name. */
enum result file_remove(struct folder *folder, struct file_handle *file, const char *name, struct fault *fault) MUST_CHECK;

/* --- a file on another machine's share, as whoever the thread wears; blocking, for as long as a server says nothing --- */

#define FILE_VERSION_BYTES_MAX 112
struct file_shared {
	uint64_t bytes;
	int64_t modified_s; /* Unix time */
	char version[FILE_VERSION_BYTES_MAX]; /* of its id, size and times of change: another one, if its content is */
};
struct file_shares {
	/* Open \\server\share\...\file to read, as long as nobody writes to it, and so that nobody can.  No link is followed,
	 * and what turns out to lie anywhere but with an SMB server is not read.
	 * RESULT_SOURCE_NOT_FOUND | RESULT_SOURCE_DENIED: logons that fail, too | RESULT_SOURCE_LOCKED |
	 * RESULT_REDIRECT_REFUSED | RESULT_CONNECT_FAILED | RESULT_CONNECTION_CLOSED | RESULT_STALLED | RESULT_BAD_RESPONSE |
	 * RESULT_CANCELLED: interrupted. */
	enum result (*open)(const char *path, struct file_handle **ret_file, struct fault *fault) MUST_CHECK;
	enum result (*look)(struct file_handle *file, struct file_shared *ret_about, struct fault *fault) MUST_CHECK;
	enum result (*read)(struct file_handle *file, uint64_t offset, void *bytes, size_t size, size_t *ret_length,
	                    struct fault *fault) MUST_CHECK; /* as file_read */
	/* What the thread waits for in these and in other functions of this room ends with RESULT_CANCELLED; any thread.
	 * `to_its_end`: until it is over. */
	void (*interrupt)(struct thread *thread, bool to_its_end);
};
extern const struct file_shares *const file_shares; /* NULL: this system has none */

/* --- Ferry's own folders and files, by path, as the service --- */

/* Ferry's data folder: the known folder ProgramData\Ferry; $FERRY_TEST_ROOT/data on the Linux ground. */
enum result file_data_folder(char *to, size_t size, struct fault *fault) MUST_CHECK;
/* The folder of the running program. */
enum result file_program_folder(char *to, size_t size, struct fault *fault) MUST_CHECK;
/* Make the folder if needed and give it the owner and DACL (mode 0700) of Ferry's data: service, SYSTEM and
 * administrators only.  Refuses links and a plain file of that name (rule 22). */
enum result file_make_private_folder(const char *path, struct fault *fault) MUST_CHECK;
/* Could nobody but administrators, the system and the service have written what bears that name, a link included, or
 * exchange it where the folder above is such, too?  By owner and DACL; uid and mode on Linux.  RESULT_ACCESS_REFUSED. */
enum result file_check_trusted(const char *path, struct fault *fault) MUST_CHECK;
/* Open to read what passes that, as it is and follow no link, as long as nobody has it open to write, and so that nobody can:
 * what was looked at is what is read.  Handles from before its owner and list were mended show, too; what was mapped, or opened
 * to change its list, does not.  RESULT_ACCESS_REFUSED | RESULT_LOCKED | RESULT_REPARSE_POINT | RESULT_PATH_NOT_FOUND. */
enum result file_open_trusted(const char *path, struct file_handle **ret_file, struct fault *fault) MUST_CHECK;
#define FILE_IS_HELD                                                                                                   \
	"%s: somebody has it open for writing, or shared with nobody. Have it closed, or put a copy of it in its place"
/* Make a new file for the same few as that folder, whatever list the one hands on in which it lies; nobody else opens it as
 * long as it is open.  RESULT_EXISTS: something has the name. */
enum result file_create_private(const char *path, struct file_handle **ret_file, struct fault *fault) MUST_CHECK;
/* Open to read. */
enum result file_open_read(const char *path, struct file_handle **ret_file, struct fault *fault) MUST_CHECK;
/* Read a whole small file.  RESULT_PATH_NOT_FOUND | RESULT_TOO_LARGE. */
enum result file_read_all(const char *path, struct buffer *to, struct fault *fault) MUST_CHECK;
/* The same of what file_open_trusted opens. */
enum result file_read_trusted(const char *path, struct buffer *to, struct fault *fault) MUST_CHECK;
/* Put a file of that content in the place of `name`, or of nothing, in one step: who reads it reads the old one or the new one,
 * whole, and so it is after a crash.  It is written beside it as `new_name`, where what a crash left is written over.  Follows
 * no link. */
enum result file_replace(const char *folder, const char *name, const char *new_name, struct text_view text,
                         struct fault *fault) MUST_CHECK;
/* Open for appending (created if needed), for logs; file_write's offset is ignored on it. */
enum result file_open_append(const char *path, struct file_handle **ret_file, struct fault *fault) MUST_CHECK;
/* Rename by path, replacing: for log rotation and for keeping a damaged database aside. */
enum result file_move(const char *from, const char *to, struct fault *fault) MUST_CHECK;
/* Take the lock of the data folder for this process's life.  RESULT_ALREADY_RUNNING. */
enum result file_lock_folder(const char *path, struct file_handle **ret_lock, struct fault *fault) MUST_CHECK;

#endif
