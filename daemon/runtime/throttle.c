#include "runtime/throttle.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "platform/clock.h"
#include "platform/thread.h"

/* More than so much is owed: curl keeps to a mean of some seconds, so that what it is let have more of comes in a burst. */
#define OWED_US 250000

struct throttle {
	atomic_bool limits_anything; /* else nobody needs the lock */
	struct mutex *lock;
	/* under the lock: */
	struct rate_limits limits;
	int64_t free_us[RATE_CLASS_COUNT];
	uint64_t members[RATE_CLASS_COUNT];
};

struct throttle *throttle_new(void)
{
	struct throttle *throttle = calloc(1, sizeof(*throttle));

	if (throttle == NULL || (throttle->lock = mutex_new()) == NULL) {
		free(throttle);
		return NULL;
	}
	atomic_init(&throttle->limits_anything, false);
	throttle->limits = rate_at(NULL, 0, 0);
	return throttle;
}

void throttle_free(struct throttle *throttle)
{
	if (throttle == NULL)
		return;
	mutex_free(throttle->lock);
	free(throttle);
}

void throttle_set(struct throttle *throttle, const struct rate_limits *limits)
{
	bool limits_anything = false;

	mutex_lock(throttle->lock);
	throttle->limits = *limits;
	for (int who = 0; who < RATE_CLASS_COUNT; who++) {
		throttle->free_us[who] = 0; /* what is owed to a lower limit would hold up a higher one */
		limits_anything |= limits->per_s[who] != RATE_UNLIMITED;
	}
	mutex_unlock(throttle->lock);
	atomic_store(&throttle->limits_anything, limits_anything);
}

static void count(struct throttle *throttle, enum job_priority priority, bool joins)
{
	enum rate_class classes[RATE_CLASSES_OF_JOB];

	rate_classes(priority, classes);
	mutex_lock(throttle->lock);
	for (unsigned i = 0; i < RATE_CLASSES_OF_JOB; i++)
		throttle->members[classes[i]] += joins ? 1 : UINT64_MAX;
	mutex_unlock(throttle->lock);
}

void throttle_join(struct throttle *throttle, enum job_priority priority)
{
	count(throttle, priority, true);
}

void throttle_leave(struct throttle *throttle, enum job_priority priority)
{
	count(throttle, priority, false);
}

uint64_t throttle_share(struct throttle *throttle, enum job_priority priority)
{
	enum rate_class classes[RATE_CLASSES_OF_JOB];
	uint64_t share = RATE_UNLIMITED;
	int64_t now_us = clock_mono_ms() * 1000;

	if (!atomic_load(&throttle->limits_anything))
		return RATE_UNLIMITED;
	rate_classes(priority, classes);
	mutex_lock(throttle->lock);
	for (unsigned i = 0; i < RATE_CLASSES_OF_JOB; i++) {
		uint64_t per_s = throttle->limits.per_s[classes[i]], members = throttle->members[classes[i]];
		uint64_t part = per_s == RATE_UNLIMITED || members == 0 ? per_s : per_s / members;
		int64_t owed_us = throttle->free_us[classes[i]] - now_us;

		if (per_s != RATE_UNLIMITED && owed_us > OWED_US)
			part /= owed_us > 4 * OWED_US ? 8 : 2;
		share = part < share ? part : share;
	}
	mutex_unlock(throttle->lock);
	return share > 0 ? share : 1; /* what is off is stopped by the engine */
}

static int64_t spend(struct throttle *throttle, enum job_priority priority, uint64_t bytes)
{
	enum rate_class classes[RATE_CLASSES_OF_JOB];
	int64_t wait_us = 0, now_us = clock_mono_ms() * 1000;

	if (!atomic_load(&throttle->limits_anything))
		return 0;
	rate_classes(priority, classes);
	mutex_lock(throttle->lock);
	for (unsigned i = 0; i < RATE_CLASSES_OF_JOB; i++) {
		int64_t us = rate_spend(&throttle->free_us[classes[i]], throttle->limits.per_s[classes[i]], bytes, now_us);
		wait_us = us > wait_us ? us : wait_us;
	}
	mutex_unlock(throttle->lock);
	return wait_us;
}

void throttle_spend(struct throttle *throttle, enum job_priority priority, uint64_t bytes)
{
	(void)spend(throttle, priority, bytes);
}

int64_t throttle_wait_ms(struct throttle *throttle, enum job_priority priority)
{
	return (spend(throttle, priority, 0) + 999) / 1000;
}
