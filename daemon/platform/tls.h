/* platform/tls - what the system's TLS tells of a connection.
 *
 * `session`: Schannel's CtxtHandle *, OpenSSL's SSL *.  The thread that drives it.
 */
#ifndef FERRY_PLATFORM_TLS_H
#define FERRY_PLATFORM_TLS_H

#include <string.h>

#include "core/text.h"

/* More than either takes in a handshake (OpenSSL 100 KiB, Schannel less): nothing that a chain was made of is left out. */
#define TLS_CERTIFICATES_BYTES_MAX (256u * 1024u)

/* The version that it speaks, "TLSv1.3"; "" if it cannot be told. */
const char *tls_version(void *session);

/* Append the server's own certificate, the one whose key it has shown, and behind it what else it sent, as far as there is room.
 * Anything but RESULT_OK: its own cannot be had. */
enum result tls_certificates(void *session, struct buffer *to) MUST_CHECK;

/* Each is DER behind its length, so that no two lists are the same bytes. */
static inline enum result tls_certificate_add(struct buffer *to, const void *der, uint32_t length)
{
	enum result result = buffer_reserve(to, sizeof(length) + length);

	if (result == RESULT_OK)
		result = buffer_append(to, &length, sizeof(length));
	return result == RESULT_OK ? buffer_append(to, der, length) : result;
}

static inline bool tls_certificate_next(struct text_view *rest, struct text_view *ret_der)
{
	uint32_t length;

	if (rest->length < sizeof(length))
		return false;
	memcpy(&length, rest->bytes, sizeof(length));
	if (rest->length - sizeof(length) < length)
		return false;
	*ret_der = (struct text_view){ rest->bytes + sizeof(length), length };
	*rest = (struct text_view){ ret_der->bytes + length, rest->length - sizeof(length) - length };
	return true;
}

#endif
