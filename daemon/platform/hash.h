/* platform/hash - SHA-1 and SHA-2 by the system's library: of files, of identities, of services' names.
 *
 * A hash under way belongs to one thread at a time and may be handed on.
 */
#ifndef FERRY_PLATFORM_HASH_H
#define FERRY_PLATFORM_HASH_H

#include "core/digest.h"

struct hash;

/* `length`: how many bytes the digest will have, DIGEST_*_BYTES, which says the algorithm. */
struct hash *hash_new(size_t length);
/* What fails, the beginning included, is told at the end; NULL is fine. */
void hash_add(struct hash *hash, const void *bytes, size_t length);
/* The digest of all that was added.  Frees in any case; NULL is RESULT_NO_MEMORY. */
enum result hash_end(struct hash *hash, uint8_t *to, struct fault *fault) MUST_CHECK;
void hash_free(struct hash *hash);
DEFINE_CLEANUP(hash)

#endif
