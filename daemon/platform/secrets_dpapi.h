/* platform/secrets: what Windows alone has, for the room's own files. */
#ifndef FERRY_PLATFORM_SECRETS_DPAPI_H
#define FERRY_PLATFORM_SECRETS_DPAPI_H

#include "core/digest.h"
#include "platform/secrets.h"

/* CryptProtectData() or CryptUnprotectData(), which differ in nothing but their direction.  NULL: the ground has none. */
extern enum result (*const secrets_dpapi)(bool seal, const uint8_t entropy[DIGEST_SHA256_BYTES], const void *from,
                                          size_t size, struct buffer *to, struct fault *fault);

#endif
