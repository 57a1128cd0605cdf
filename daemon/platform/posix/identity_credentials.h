/* platform/posix/identity_credentials - identities from what the kernel says of a peer; for platform/ipc and tests. */
#ifndef FERRY_PLATFORM_POSIX_IDENTITY_CREDENTIALS_H
#define FERRY_PLATFORM_POSIX_IDENTITY_CREDENTIALS_H

#include <sys/types.h>

#include "platform/identity.h"

#define IDENTITY_GROUPS_MAX 64 /* supplementary ones, in ascending order, as the kernel tells them */

/* `session`: 0 for the daemon's own, as the services' is on Windows.  RESULT_ACCESS_REFUSED: too many groups. */
enum result identity_from_credentials(uid_t uid, gid_t gid, pid_t session, const gid_t *groups, size_t group_count,
                                      struct identity **ret_identity, struct fault *fault) MUST_CHECK;

#endif
