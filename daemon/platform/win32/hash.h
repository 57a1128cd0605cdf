/* platform/win32/hash - SHA-256 and SHA-1 by BCrypt, for digests of identities, file tags and service SIDs. */
#ifndef FERRY_WIN32_HASH_H
#define FERRY_WIN32_HASH_H

#include "core/text.h"

#define HASH_SHA256_BYTES 32u
#define HASH_SHA1_BYTES 20u

enum hash_kind { HASH_SHA256, HASH_SHA1 };

/* A hash under way.  The first failure sticks, so that a row of additions is checked once, at the end. */
struct hash {
	void *algorithm, *state;
	int32_t status;
	uint32_t bytes;
};

struct hash hash_begin(enum hash_kind kind);
void hash_add(struct hash *hash, const void *bytes, size_t length);
/* Frees in any case; `to` holds HASH_*_BYTES of the kind. */
enum result hash_end(struct hash *hash, uint8_t *to, struct fault *fault) MUST_CHECK;

#endif
