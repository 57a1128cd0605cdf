/* platform/posix/testroot - where this ground keeps everything: $FERRY_TEST_ROOT.  There is no default on purpose: it is
 * for tests and must not be taken for an installation. */
#ifndef FERRY_PLATFORM_POSIX_TESTROOT_H
#define FERRY_PLATFORM_POSIX_TESTROOT_H

#include <sys/types.h>

#include "core/result.h"

/* The test root's path followed by `below`, and its owner; either out-parameter may be NULL.
 * RESULT_NOT_SUPPORTED unless the variable names an existing folder by an absolute path. */
enum result testroot_path(const char *below, char *to, size_t size, uid_t *ret_owner, struct fault *fault) MUST_CHECK;

#endif
