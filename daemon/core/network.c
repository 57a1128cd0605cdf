#include "core/network.h"

const enum result network_losses[NETWORK_LOSSES] = {
	RESULT_NAME_NOT_RESOLVED, RESULT_CONNECT_FAILED, RESULT_CONNECTION_CLOSED, RESULT_STALLED,
	RESULT_VOLUME_GONE, /* another machine's, it may be */
};

bool network_explains(enum result result)
{
	for (size_t i = 0; i < NETWORK_LOSSES; i++)
		if (network_losses[i] == result)
			return true;
	return false;
}

void network_add_way(struct network_state *state, const void *bytes, size_t length)
{
	uint64_t way = UINT64_C(14695981039346656037); /* FNV-1a; their sum does not know their order */

	for (size_t i = 0; i < length; i++)
		way = (way ^ ((const unsigned char *)bytes)[i]) * UINT64_C(1099511628211);
	state->ways += way;
}

enum job_wait network_holds(const struct network_state *state, const struct network_policy *policy, enum job_priority priority)
{
	uint64_t place = (uint64_t)priority;

	if (state->roaming && place >= policy->roaming)
		return JOB_WAIT_ROAMING;
	if (state->metered && place >= policy->metered)
		return JOB_WAIT_METERED;
	return state->battery_saver && place >= policy->battery_saver ? JOB_WAIT_BATTERY_SAVER : JOB_WAIT_NONE;
}

/* One of several ways that went makes others of the rest, too: trying for nothing costs little. */
bool network_is_back(const struct network_state *before, const struct network_state *now)
{
	return now->reach == NETWORK_CONNECTED && before->reach != NETWORK_UNKNOWN &&
	       (before->reach == NETWORK_NONE || before->ways != now->ways);
}
