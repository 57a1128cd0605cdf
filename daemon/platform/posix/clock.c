#include "platform/clock.h"

#include <time.h>

static int64_t clock_ms(clockid_t id)
{
	struct timespec now;
	clock_gettime(id, &now); /* cannot fail: both clocks exist since Linux 2.6.39 */
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t clock_wall_ms(void)
{
	return clock_ms(CLOCK_REALTIME);
}

int64_t clock_mono_ms(void)
{
	return clock_ms(CLOCK_BOOTTIME);
}

static int64_t wall_ms(void *context)
{
	(void)context;
	return clock_wall_ms();
}

static int64_t mono_ms(void *context)
{
	(void)context;
	return clock_mono_ms();
}

struct clock clock_system(void)
{
	return (struct clock){ .wall_ms = wall_ms, .mono_ms = mono_ms };
}
