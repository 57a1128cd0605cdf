/* core/trust - entries of the configuration that say by what a server is recognised: "HOST WHAT".
 *
 * HOST is a pattern of core/credentials; WHAT is a file of certificates, or pins, by the list that the entry stands in.
 */
#ifndef FERRY_CORE_TRUST_H
#define FERRY_CORE_TRUST_H

#include "core/credentials.h"

/* Split at the first space.  False: there is none, or what is before it is no pattern. */
bool trust_split(struct text_view entry, struct text_view *ret_host, struct text_view *ret_what);

/* "sha256//" and 44 characters of base64 (the digest of a key's SubjectPublicKeyInfo), several joined by ';'. */
bool trust_are_pins(struct text_view what);

#endif
