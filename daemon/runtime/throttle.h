/* runtime/throttle - the limits that all transfers share, whoever's they are.
 *
 * The engine sets what holds (core/rate); every network worker spends.  Any thread.
 */
#ifndef FERRY_RUNTIME_THROTTLE_H
#define FERRY_RUNTIME_THROTTLE_H

#include "core/rate.h"

struct throttle;

struct throttle *throttle_new(void); /* NULL when memory is short; nothing is limited at first */
void throttle_free(struct throttle *throttle);
DEFINE_CLEANUP(throttle)

void throttle_set(struct throttle *throttle, const struct rate_limits *limits);
/* So many bytes, or 0, came for a job of that priority: for how many ms nothing more may come for it; 0: go on.  Other
 * limits may be set before that is over: ask again after THROTTLE_LOOK_MS. */
#define THROTTLE_LOOK_MS 1000
int64_t throttle_spend(struct throttle *throttle, enum job_priority priority, uint64_t bytes);

#endif
