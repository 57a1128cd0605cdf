/* core/digest - the digest that a file must have: "sha256:" and 64 hexadecimal digits, or sha384, sha512.
 *
 * Knows how digests are written and compared; platform/hash computes them.
 */
#ifndef FERRY_CORE_DIGEST_H
#define FERRY_CORE_DIGEST_H

#include "core/text.h"

#define DIGEST_SHA1_BYTES 20u /* of names only: no file is judged by it */
#define DIGEST_SHA256_BYTES 32u
#define DIGEST_SHA384_BYTES 48u
#define DIGEST_SHA512_BYTES 64u
#define DIGEST_TEXT_BYTES_MAX (sizeof("sha512:") + 2 * DIGEST_SHA512_BYTES)

/* The length says the algorithm; 0: no digest. */
struct digest {
	uint8_t length;
	uint8_t bytes[DIGEST_SHA512_BYTES];
};

/* RESULT_INVALID_ARGUMENT: fault->what says what is wrong, and how a digest is written. */
enum result digest_parse(struct text_view text, struct digest *ret_digest, struct fault *fault) MUST_CHECK;
/* As it is parsed, in lower case; "" for none. */
void digest_format(const struct digest *digest, char to[DIGEST_TEXT_BYTES_MAX]);
/* Is what came what was meant?  `found` is of the same algorithm.  RESULT_OK | RESULT_DIGEST_MISMATCH; the fault has
 * both. */
enum result digest_check(const struct digest *stated, const struct digest *found, struct fault *fault) MUST_CHECK;

#endif
