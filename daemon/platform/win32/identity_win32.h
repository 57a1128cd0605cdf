/* platform/win32: what ipc needs of platform/identity beyond its contract. */
#ifndef FERRY_WIN32_IDENTITY_WIN32_H
#define FERRY_WIN32_IDENTITY_WIN32_H

#include "platform/identity.h"
#include "platform/win32/win32.h"

/* An identity from a token with TOKEN_QUERY | TOKEN_DUPLICATE; the token stays the caller's.
 * RESULT_NOT_LENT: below impersonation level.  RESULT_ACCESS_REFUSED: more service SIDs than an owner key holds. */
enum result identity_from_token(HANDLE token, struct identity **ret_identity, struct fault *fault) MUST_CHECK;

#endif
