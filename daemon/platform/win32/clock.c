#include "platform/clock.h"

#include "platform/win32/win32.h"

/* FILETIME counts 100 ns since 1601; Unix time begins 11644473600 s later. */
#define FILETIME_PER_MS 10000
#define UNIX_EPOCH_MS INT64_C(11644473600000)

int64_t clock_wall_ms(void)
{
	FILETIME now;
	ULARGE_INTEGER ticks;

	GetSystemTimePreciseAsFileTime(&now);
	ticks.LowPart = now.dwLowDateTime;
	ticks.HighPart = now.dwHighDateTime;
	return (int64_t)(ticks.QuadPart / FILETIME_PER_MS) - UNIX_EPOCH_MS;
}

/* Documented to include the time spent in sleep and hibernation
 * (learn.microsoft.com/windows/win32/api/sysinfoapi/nf-sysinfoapi-gettickcount64). */
int64_t clock_mono_ms(void)
{
	return (int64_t)GetTickCount64();
}
