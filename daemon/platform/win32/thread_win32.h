/* platform/win32: what a thread is, for whoever interrupts its waiting. */
#ifndef FERRY_WIN32_THREAD_WIN32_H
#define FERRY_WIN32_THREAD_WIN32_H

#include "platform/thread.h"
#include "platform/win32/win32.h"

struct thread {
	HANDLE handle;
	void (*run)(void *argument);
	void *argument;
};

#endif
