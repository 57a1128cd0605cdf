/* platform/certificate - what only the system can say of certificates: whether their authority took them back, and which of its
 * stores' are an identity's own.
 *
 * Windows: its chains and stores of certificates.  The Linux ground has neither.
 */
#ifndef FERRY_PLATFORM_CERTIFICATE_H
#define FERRY_PLATFORM_CERTIFICATE_H

#include "core/credentials.h"

#define CERTIFICATE_ASK_MS_MAX 10000 /* what one question takes at most */

#define CERTIFICATE_THUMBPRINT_BYTES 41

enum certificate_verdict {
	CERTIFICATE_GOOD,
	CERTIFICATE_REVOKED,
	CERTIFICATE_UNANSWERED, /* nobody said so or otherwise */
	CERTIFICATE_UNASKED,    /* nobody could be asked: not for a server to bring about, and never good enough */
};

extern const struct certificate_system {
	/* Ask after a server's certificate, and those that it rests on but for the root.  `sent`: as tls_certificates tells; of what
	 * is not the server's own only what a chain is made of matters.  `roots`: PEM of what counts instead of the machine's roots,
	 * or nothing.  Blocks, and asks as whom the thread wears: not for a thread that others wait for.  `ret_why` is of what is
	 * not GOOD. */
	enum certificate_verdict (*ask)(struct text_view sent, struct text_view roots, struct fault *ret_why);
	/* The thumbprint of what `wanted` names, in the stores of whom the thread wears: of several of the name the one that is valid
	 * longest, among those that are for clients.  RESULT_CLIENT_CERTIFICATE: there is none that is valid now and has a private
	 * key. */
	enum result (*find_own)(const struct client_certificate *wanted, char ret_thumbprint[CERTIFICATE_THUMBPRINT_BYTES],
	                        struct fault *fault);
} *const certificate_system; /* NULL: this ground cannot */

#endif
