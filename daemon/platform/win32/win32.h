/* platform/win32 - what every file of this folder begins with: the Windows headers, chosen once, and scope cleanup for
 * handles and for memory of the system's. */
#ifndef FERRY_WIN32_WIN32_H
#define FERRY_WIN32_WIN32_H

#ifndef _WIN32_WINNT
#define _WIN32_WINNT 0x0A00
#endif
#ifndef WIN32_LEAN_AND_MEAN
#define WIN32_LEAN_AND_MEAN
#endif
#ifndef UNICODE
#define UNICODE
#endif
#include <stdlib.h>
#include <string.h>
#include <windows.h>

#include "core/text.h"
#include "platform/win32/fault.h"

/* AUTO(handle) HANDLE h = NULL; */
static inline void handle_cleanup(HANDLE *handle)
{
	if (*handle != NULL && *handle != INVALID_HANDLE_VALUE)
		CloseHandle(*handle);
}

/* AUTO(memory) char *p = NULL; for malloc's memory of any type. */
static inline void memory_cleanup(void *pointer)
{
	void *memory;

	memcpy(&memory, pointer, sizeof memory); /* a pointer of any type, read as none of them */
	free(memory);
}

/* AUTO(local) void *p = NULL; for what the system allocated with LocalAlloc. */
static inline void local_cleanup(void *pointer)
{
	void *memory;

	memcpy(&memory, pointer, sizeof memory);
	LocalFree(memory);
}

#endif
