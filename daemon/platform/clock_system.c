#include "platform/clock.h"

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
