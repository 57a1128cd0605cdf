/* core/network - what the machine's network and power mean for jobs: who fetches nothing for their sake, which failures a
 * lost network explains, and when it is back.
 *
 * Pure: what the system says of them comes in, and what it does not say holds nobody back.
 */
#ifndef FERRY_CORE_NETWORK_H
#define FERRY_CORE_NETWORK_H

#include "core/job.h"

enum network_reach { NETWORK_UNKNOWN, NETWORK_NONE, NETWORK_CONNECTED };

struct network_state {
	enum network_reach reach;
	uint64_t ways; /* of its addresses and gateways: another number, and they are others */
	bool metered, roaming, battery_saver; /* false also where nobody knows */
};
/* Count an address or a gateway among the ways, in whatever order they come. */
void network_add_way(struct network_state *state, const void *bytes, size_t length);

/* How many of the priorities, from the foreground down, fetch all the same: from 0, nobody, to JOB_PRIORITY_COUNT. */
struct network_policy {
	uint64_t metered, roaming, battery_saver;
};
/* Why nothing is fetched for jobs of that priority now: JOB_WAIT_ROAMING, _METERED or _BATTERY_SAVER; _NONE: it is. */
enum job_wait network_holds(const struct network_state *state, const struct network_policy *policy, enum job_priority priority);

/* Has a way to somewhere come up, so that what failed for want of one may work now? */
bool network_is_back(const struct network_state *before, const struct network_state *now);

/* The outcomes that a lost network may explain. */
#define NETWORK_LOSSES 5
extern const enum result network_losses[NETWORK_LOSSES];
bool network_explains(enum result result);

#endif
