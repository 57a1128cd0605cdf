/* platform/clock - what time it is.
 *
 * The engine takes a `struct clock`, so that tests give it a made-up one.  The monotonic clock counts while the
 * machine sleeps where the system offers it.
 */
#ifndef FERRY_PLATFORM_CLOCK_H
#define FERRY_PLATFORM_CLOCK_H

#include <stdint.h>

struct clock {
	int64_t (*wall_ms)(void *context); /* Unix time in ms */
	int64_t (*mono_ms)(void *context); /* never goes back; the origin is arbitrary */
	/* The minute of the week, from Monday 00:00, that the machine's clocks on the wall show at that Unix time.  One
	 * thread's alone. */
	uint32_t (*local_minute)(void *context, int64_t wall_ms);
	void *context;
};

int64_t clock_wall_ms(void);
int64_t clock_mono_ms(void);
/* The system's as a struct clock. */
struct clock clock_system(void);

#endif
