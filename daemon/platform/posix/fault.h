/* platform/posix/fault - the border where errno becomes a result, and where this ground keeps everything. */
#ifndef FERRY_PLATFORM_POSIX_FAULT_H
#define FERRY_PLATFORM_POSIX_FAULT_H

#include <sys/types.h>

#include "core/text.h"

enum result result_from_errno(int error);

/* Fill `fault` with what `error` means, its number and the words of the format; the value is the result. */
#define fault_errno(fault, error, ...) fault_set((fault), result_from_errno(error), FAULT_ERRNO, (error), __VA_ARGS__)

/* The path of $FERRY_TEST_ROOT followed by `below`, and its owner; either out-parameter may be NULL.  There is no
 * default on purpose: it is for tests and must not be taken for an installation.
 * RESULT_NOT_SUPPORTED unless the variable names an existing folder by an absolute path. */
enum result testroot_path(const char *below, char *to, size_t size, uid_t *ret_owner, struct fault *fault) MUST_CHECK;

#endif
