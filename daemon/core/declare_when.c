/* core/declare: moments. */
#include "core/declare.h"

#define MINUTE_MS 60000
#define DAY_MINUTES 1440u
#define WEEK_MINUTES (7u * DAY_MINUTES)

int64_t declare_offset_ms(const struct declared_when *when, uint32_t seed)
{
	return when->spread_s == 0 ? 0 : (int64_t)seed % ((int64_t)when->spread_s * 1000);
}

/* The next beginning of the window, and this machine's moment behind it.  A day of the change to or from summer time moves it
 * by an hour, once. */
static int64_t next_window(const struct declared_when *when, int64_t offset_ms, int64_t now_ms, uint32_t now_minute)
{
	int64_t began_ms = now_ms - now_ms % MINUTE_MS, next = DECLARED_NEVER;

	for (unsigned day = 0; day < 7; day++) {
		if (!(when->days & 1u << day))
			continue;

		uint32_t start = day * DAY_MINUTES + when->from_minute;
		int64_t at = began_ms + (int64_t)((start + WEEK_MINUTES - now_minute) % WEEK_MINUTES) * MINUTE_MS + offset_ms;

		/* A week before, it may lie ahead still: the window has begun, this machine's moment has not come. */
		if (at - (int64_t)WEEK_MINUTES * MINUTE_MS > now_ms)
			at -= (int64_t)WEEK_MINUTES * MINUTE_MS;
		if (at <= now_ms)
			at += (int64_t)WEEK_MINUTES * MINUTE_MS;
		next = at < next ? at : next;
	}
	return next;
}

int64_t declare_due(const struct declared_when *when, int64_t since_ms, uint32_t seed, int64_t now_ms, uint32_t now_minute)
{
	int64_t offset_ms = declare_offset_ms(when, seed), first_ms = since_ms + offset_ms;
	int64_t every_ms = (int64_t)when->every_s * 1000;

	if (when->kind == DECLARED_WINDOW)
		return next_window(when, offset_ms, now_ms, now_minute);
	if (first_ms > now_ms)
		return first_ms;
	return when->kind == DECLARED_ONCE ? DECLARED_NEVER : first_ms + ((now_ms - first_ms) / every_ms + 1) * every_ms;
}
