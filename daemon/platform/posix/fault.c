#include "platform/posix/fault.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

static const struct {
	int error;
	enum result result;
} meanings[] = {
	{ ENOMEM, RESULT_NO_MEMORY },      { EMFILE, RESULT_NO_MEMORY },       { ENFILE, RESULT_NO_MEMORY },
	{ EAGAIN, RESULT_NO_MEMORY }, /* of pthread_create */ { ESPIPE, RESULT_IO_FAILED }, /* of a pipe, read as a file */
	{ EACCES, RESULT_DENIED },         { EPERM, RESULT_DENIED },           { EROFS, RESULT_DENIED },
	{ ENOENT, RESULT_PATH_NOT_FOUND }, { ENOTDIR, RESULT_PATH_NOT_FOUND }, { ELOOP, RESULT_REPARSE_POINT },
	{ EISDIR, RESULT_IS_FOLDER },      { EEXIST, RESULT_EXISTS },          { ENAMETOOLONG, RESULT_TOO_LONG },
	{ ENOSPC, RESULT_DISK_FULL },      { EDQUOT, RESULT_DISK_FULL },       { EFBIG, RESULT_DISK_FULL },
	{ EBUSY, RESULT_LOCKED },          { ETXTBSY, RESULT_LOCKED },         { EIO, RESULT_IO_FAILED },
};

enum result result_from_errno(int error)
{
	for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++)
		if (meanings[i].error == error)
			return meanings[i].result;
	return RESULT_SYSTEM;
}

enum result testroot_path(const char *below, char *to, size_t size, uid_t *ret_owner, struct fault *fault)
{
	const char *root = getenv("FERRY_TEST_ROOT");
	struct stat status;
	if (!root || root[0] != '/' || stat(root, &status) != 0 || !S_ISDIR(status.st_mode))
		return fault_set(fault, RESULT_NOT_SUPPORTED, FAULT_FERRY, 0,
		                 "FERRY_TEST_ROOT must name an existing folder: on Linux Ferry runs for tests only");
	if (to && text_format(to, size, "%s%s", root, below) != RESULT_OK)
		return fault_set(fault, RESULT_TOO_LONG, FAULT_FERRY, 0, "FERRY_TEST_ROOT is too long");
	*(ret_owner ? ret_owner : &(uid_t){ 0 }) = status.st_uid;
	return RESULT_OK;
}
