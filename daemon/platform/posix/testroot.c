#include "platform/posix/testroot.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "core/text.h"

enum result testroot_path(const char *below, char *to, size_t size, uid_t *ret_owner, struct fault *fault)
{
	const char *root = getenv("FERRY_TEST_ROOT");
	struct stat status;
	if (!root || root[0] != '/' || stat(root, &status) != 0 || !S_ISDIR(status.st_mode))
		return fault_set(fault, RESULT_NOT_SUPPORTED, FAULT_FERRY, 0,
		                 "FERRY_TEST_ROOT must name an existing folder: on Linux Ferry runs for tests only");
	if (to && text_format(to, size, "%s%s", root, below) != RESULT_OK)
		return fault_set(fault, RESULT_TOO_LONG, FAULT_FERRY, 0, "FERRY_TEST_ROOT is too long");
	if (ret_owner)
		*ret_owner = status.st_uid;
	return RESULT_OK;
}
