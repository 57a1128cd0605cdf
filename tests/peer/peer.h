/* tests/peer - captures as Windows makes them, for Wine, which gives every server its own token: here the token is that
 * of the client's process or, where the client says which thread of its own writes, of that thread.
 *
 * A client can say anything, and a process's number is soon another's: none of this is in a release, which
 * tests/build/windows/test_peer.py proves.  The token is read when the server captures, not when the client writes: until
 * it has its answer, the thread must stay what it is.
 */
#ifndef FERRY_TESTS_PEER_H
#define FERRY_TESTS_PEER_H

#include <stdbool.h>
#include <stdio.h>
#include <windows.h>

/* A section that the client makes, with the number of its process; in it the number of the thread. */
#define PEER_MARK "FerryTestPeer"
#define PEER_NAME_BYTES_MAX 64

static inline void peer_name(DWORD process, char to[PEER_NAME_BYTES_MAX])
{
	snprintf(to, PEER_NAME_BYTES_MAX, "Local\\" PEER_MARK "-%lu", process);
}

/* The client's: what this process writes from now on is this thread's. */
static inline bool peer_speak(void)
{
	static volatile LONG *thread;
	if (!thread) {
		char name[PEER_NAME_BYTES_MAX];
		peer_name(GetCurrentProcessId(), name);
		/* Made by whoever the process is, even if the thread already wears another token; kept until the process ends. */
		HANDLE section = CreateFileMappingA(INVALID_HANDLE_VALUE, NULL, PAGE_READWRITE, 0, sizeof(*thread), name);
		thread = section ? MapViewOfFile(section, FILE_MAP_WRITE, 0, 0, sizeof(*thread)) : NULL;
	}
	if (thread)
		InterlockedExchange(thread, (LONG)GetCurrentThreadId());
	return thread != NULL;
}

#endif
