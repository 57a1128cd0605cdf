/* platform/identity - the only room that touches tokens (Windows) and uids (Linux ground).
 *
 * A `struct identity` is a counted, immutable handle on a captured identity; it lives in memory only and is never
 * written anywhere beyond its SID (law 4).  Windows: a duplicated primary-of-impersonation token, stripped to
 * SeChangeNotifyPrivilege (rule 17).  Linux ground: uid, gid and groups.
 */
#ifndef FERRY_PLATFORM_IDENTITY_H
#define FERRY_PLATFORM_IDENTITY_H

#include "core/access.h"

struct identity;

#define IDENTITY_DIGEST_BYTES 32

/* The process's own identity: for the service's own use and for the client's display. */
enum result identity_self(struct identity **ret_identity, struct fault *fault) MUST_CHECK;

struct identity *identity_hold(struct identity *identity); /* one more reference; any thread */
void identity_free(struct identity *identity);             /* one less; NULL is fine; any thread */
DEFINE_CLEANUP(identity)

/* What the rules need to know; valid as long as the identity. */
const struct caller *identity_caller(const struct identity *identity);

/* Equal digests mean: may share a worker (rule 6: logon id, user, groups with attributes, restricting SIDs, privileges,
 * integrity, AppContainer, session, default DACL; uid, gid and groups on the Linux ground). */
const uint8_t *identity_digest(const struct identity *identity);

/* Put the identity on the calling thread, for the rest of the thread's life, and check that it is worn.  On the Linux
 * ground the thread also drops its capabilities.  RESULT_IDENTITY_LOST: the thread must end at once without touching
 * anything. */
enum result identity_wear(const struct identity *identity, struct fault *fault) MUST_CHECK;

/* Strong random bytes from the system; for ids and names that must not be guessed. */
enum result identity_random(void *bytes, size_t size, struct fault *fault) MUST_CHECK;

#endif
