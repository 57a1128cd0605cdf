#include "platform/clock.h"

#include <time.h>

static int64_t clock_ms(clockid_t id)
{
	struct timespec now;
	clock_gettime(id, &now); /* cannot fail: both clocks exist since Linux 2.6.39 */
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t clock_wall_ms(void) { return clock_ms(CLOCK_REALTIME); }
int64_t clock_mono_ms(void) { return clock_ms(CLOCK_BOOTTIME); }
