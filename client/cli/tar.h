/* client/cli/tar - writes a ustar archive (POSIX.1-1988) of texts and files, into a new file.
 *
 * Why not a library's: docs/decisions/0006-tar.md.
 */
#ifndef FERRY_CLI_TAR_H
#define FERRY_CLI_TAR_H

#include "platform/file.h"

#define TAR_NAME_BYTES_MAX 99
#define TAR_BLOCK_BYTES 512u

struct tar {
	struct folder *folder;
	struct file_handle *file;
	char name[DESTINATION_SEGMENT_BYTES_MAX * 3 + 1];
	uint64_t length;
	int64_t modified_s; /* of all that is put in */
};

/* Make the file, `path` being absolute.  RESULT_EXISTS: something has that name, and stays as it is. */
enum result tar_begin(struct tar *tar, const char *path, int64_t modified_s, struct fault *fault) MUST_CHECK;
enum result tar_add(struct tar *tar, const char *name, struct text_view content, struct fault *fault) MUST_CHECK;
/* The last bytes of what the file has now, at most so many.  RESULT_IO_FAILED, too: it has become shorter meanwhile. */
enum result tar_add_file(struct tar *tar, const char *name, struct file_handle *from, uint64_t bytes_max,
                         struct fault *fault) MUST_CHECK;
/* Whole and on disk; or, where `result` or that is a failure, gone. */
enum result tar_end(struct tar *tar, enum result result, struct fault *fault) MUST_CHECK;

#endif
