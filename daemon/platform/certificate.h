/* platform/certificate - what only the system can say of certificates: whether their authority took them back.
 *
 * Windows: its chains of certificates.  The Linux ground cannot ask.
 */
#ifndef FERRY_PLATFORM_CERTIFICATE_H
#define FERRY_PLATFORM_CERTIFICATE_H

#include "core/text.h"

#define CERTIFICATE_ASK_MS_MAX 10000 /* what one question takes at most */

enum certificate_verdict {
	CERTIFICATE_GOOD,
	CERTIFICATE_REVOKED,
	CERTIFICATE_UNANSWERED, /* nobody said so or otherwise */
};

extern const struct certificate_system {
	/* Ask after a server's certificate, and those that it rests on but for the root.  `chain`: what the server sent, as PEM, in
	 * any order; `roots`: PEM of what counts instead of the machine's roots, or nothing.  Blocks, and asks as whom the thread
	 * wears: not for a thread that others wait for.  `ret_why` is of what is not GOOD. */
	enum certificate_verdict (*ask)(struct text_view chain, struct text_view roots, struct fault *ret_why);
} *const certificate_system; /* NULL: this ground cannot */

#endif
