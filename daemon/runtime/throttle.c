#include "runtime/throttle.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "platform/clock.h"
#include "platform/thread.h"

struct throttle {
	atomic_bool limits_anything; /* else nobody needs the lock */
	struct mutex *lock;
	/* under the lock: */
	struct rate_limits limits;
	int64_t free_us[RATE_CLASS_COUNT];
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

int64_t throttle_spend(struct throttle *throttle, enum job_priority priority, uint64_t bytes)
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
	return (wait_us + 999) / 1000;
}
