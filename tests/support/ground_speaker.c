#include "ground_speaker.h"

#ifndef _WIN32
#include <sys/syscall.h>
#include <unistd.h>

/* Raw, so that it speaks of this thread alone; the saved id stays, so that there is a way back. */
bool ground_speak_as(unsigned id)
{
	return syscall(SYS_setresuid, id, -1, -1) == 0;
}

unsigned ground_speaker(void)
{
	return (unsigned)syscall(SYS_getuid);
}

bool ground_speaker_is_seen(void)
{
	return true;
}
#else
bool ground_speak_as(unsigned id)
{
	(void)id;
	return false;
}

unsigned ground_speaker(void)
{
	return 0;
}

bool ground_speaker_is_seen(void)
{
	return false;
}
#endif
