/* runtime/syncs - what waits for the disk, several at once.
 *
 * A disk takes hardly longer for some syncs than for one, if they come together.  The threads are everybody's and wear no
 * identity: they may touch what is open, and must never name a file.
 */
#ifndef FERRY_RUNTIME_SYNCS_H
#define FERRY_RUNTIME_SYNCS_H

#include "core/text.h"

#define SYNCS_AT_ONCE 8 /* of one caller, whose thread does its part */

struct syncs;

/* Not on a thread that wears an identity, which the new ones would inherit on Linux.  NULL: no memory.  If there are fewer
 * threads than wanted, those do. */
struct syncs *syncs_new(void);
void syncs_free(struct syncs *syncs); /* nothing may be under way; NULL is fine */
DEFINE_CLEANUP(syncs)
/* Call work(context, 0) to work(context, count - 1), on several threads in any order, and return when all have returned.
 * Any thread.  `syncs` NULL: one after the other, on the caller's. */
void syncs_run(struct syncs *syncs, size_t count, void (*work)(void *context, size_t index), void *context);

#endif
