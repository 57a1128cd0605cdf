/* platform/identity - what an identity begins with on both grounds; for the room's own files. */
#ifndef FERRY_PLATFORM_IDENTITY_HEAD_H
#define FERRY_PLATFORM_IDENTITY_HEAD_H

#include <stdatomic.h>

#include "platform/identity.h"

/* The first member of a ground's `struct identity`. */
struct identity_head {
	atomic_uint references;
	struct caller caller;
	uint8_t digest[IDENTITY_DIGEST_BYTES];
};

/* The ground's: free what nobody holds any more. */
void identity_done(struct identity *identity);

#endif
