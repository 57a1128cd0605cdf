#include "platform/clock.h"

#include <time.h>

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

/* The C library's: a time zone that is set anew is seen by the next start only. */
static uint32_t local_minute(void *context, int64_t wall)
{
	time_t seconds = (time_t)(wall / 1000);
	const struct tm *local = localtime(&seconds);

	(void)context;
	return local == NULL ? 0 : (uint32_t)((local->tm_wday + 6) % 7 * 1440 + local->tm_hour * 60 + local->tm_min);
}

struct clock clock_system(void)
{
	return (struct clock){ .wall_ms = wall_ms, .mono_ms = mono_ms, .local_minute = local_minute };
}
