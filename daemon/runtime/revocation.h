/* runtime/revocation - has an authority taken a certificate back?  Asked on threads of their own, since an answer takes its time.
 *
 * Each thread wears the identity that asks, from its birth to its end (law 1).  Whoever asked may go before the answer comes.
 */
#ifndef FERRY_RUNTIME_REVOCATION_H
#define FERRY_RUNTIME_REVOCATION_H

#include "platform/certificate.h"

#define REVOCATION_ASKS_MAX 16u  /* under way at once, with those that nobody waits for any more */
#define REVOCATION_SHARE 4u      /* of them, as one account: whose server is slow to be told of waits behind nobody but itself */
#define REVOCATION_PLACE_MS 30000 /* that a question waits for a place; then it is UNASKED */
#define REVOCATION_END_MS 1000   /* that the end waits for them */

struct identity;
struct revocation; /* one of the process; any thread */
struct question;   /* belongs to whoever asked */

/* `ask`: as that of platform/certificate.  Lives as long as threads ask, which may be until the process ends. */
struct revocation *revocation_new(const struct certificate_system *system); /* NULL: no memory */
void revocation_free(struct revocation *revocation); /* NULL is fine; nobody asks any more */
DEFINE_CLEANUP(revocation)

/* As soon as there is a place: that is looked for here, and by question_answered.  `answered` is called once, on the question's
 * thread, unless the question is freed before, or none came.  NULL: no memory. */
struct question *revocation_ask(struct revocation *revocation, struct identity *identity, struct text_view sent,
                                struct text_view roots, void (*answered)(void *context), void *context);
bool question_answered(struct question *question, enum certificate_verdict *ret_verdict, struct fault *ret_why);
void question_free(struct question *question); /* NULL is fine */

#endif
