#include "platform/file_name.h"

#include <string.h>

enum result file_check_simple(const char *name, struct fault *fault)
{
	const char *leading_elsewhere = file_path_style == PATH_WINDOWS ? "\\/:" : "/";
	if (name[0] && !strpbrk(name, leading_elsewhere) && strcmp(name, ".") != 0 && strcmp(name, "..") != 0 &&
	    strlen(name) <= DESTINATION_BYTES_MAX)
		return RESULT_OK;
	return fault_set(fault, RESULT_BAD_DESTINATION, FAULT_FERRY, 0, "not a simple file name: %s", name);
}
