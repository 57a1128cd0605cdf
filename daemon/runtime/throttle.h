/* runtime/throttle - the limits that all transfers share, whoever's they are.
 *
 * The engine sets what holds (core/rate).  Each transfer, of any network worker, joins while it wants bytes, is given its
 * share of what there is, and tells what came: so that many small files, each within its share, do not come too fast
 * together.  Any thread.
 */
#ifndef FERRY_RUNTIME_THROTTLE_H
#define FERRY_RUNTIME_THROTTLE_H

#include "core/rate.h"

struct throttle;

struct throttle *throttle_new(void); /* NULL when memory is short; nothing is limited at first */
void throttle_free(struct throttle *throttle);
DEFINE_CLEANUP(throttle)

void throttle_set(struct throttle *throttle, const struct rate_limits *limits);
/* For a job of that priority; each join is left once. */
void throttle_join(struct throttle *throttle, enum job_priority priority);
void throttle_leave(struct throttle *throttle, enum job_priority priority);
/* What one of those that joined may fetch in a second: RATE_UNLIMITED, or bytes, 1 at least.  It may change at any time;
 * who is limited looks again after THROTTLE_LOOK_MS. */
#define THROTTLE_LOOK_MS 1000
uint64_t throttle_share(struct throttle *throttle, enum job_priority priority);
void throttle_spend(struct throttle *throttle, enum job_priority priority, uint64_t bytes);
/* In how many ms another transfer may begin, since what came so far has to be paid for; 0: at once. */
int64_t throttle_wait_ms(struct throttle *throttle, enum job_priority priority);

#endif
