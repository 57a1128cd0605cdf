/* platform/win32: what is to be read in a token; identity.c makes identities of tokens and wears them. */
#ifndef FERRY_WIN32_IDENTITY_TOKEN_H
#define FERRY_WIN32_IDENTITY_TOKEN_H

#include "platform/identity.h"
#include "platform/win32/win32.h"

/* One class of its information; *ret_information is a pointer to the structure of that class, to be freed. */
enum result token_read(HANDLE token, TOKEN_INFORMATION_CLASS class, void *ret_information,
                       struct fault *fault) MUST_CHECK;
enum result token_read_statistics(HANDLE token, TOKEN_STATISTICS *ret_statistics, struct fault *fault) MUST_CHECK;
/* The facts that the rules need, but for `impersonation`: a duplicate's level is not what the caller lent.
 * RESULT_ACCESS_REFUSED: more service SIDs than an owner key holds. */
enum result token_describe(HANDLE token, struct caller *caller, struct fault *fault) MUST_CHECK;
/* The digest of rule 6, `caller` being the same token's. */
enum result token_digest(HANDLE token, const struct caller *caller, uint8_t ret_digest[IDENTITY_DIGEST_BYTES],
                         struct fault *fault) MUST_CHECK;

#endif
