/* platform/win32/fault - the border where Win32 and NT codes become results of the house. */
#ifndef FERRY_WIN32_FAULT_H
#define FERRY_WIN32_FAULT_H

#include "core/result.h"

/* The general meaning of a code; a room that knows better (5 on a pipe's first instance) says so itself. */
enum result result_from_win32(uint32_t error);
enum result result_from_ntstatus(int32_t status);

/* Translate, fill and return in one word; `error` is GetLastError()'s, taken before anything else is called. */
enum result fault_win32(struct fault *fault, uint32_t error, const char *what, ...) PRINTF_LIKE(3, 4);
enum result fault_ntstatus(struct fault *fault, int32_t status, const char *what, ...) PRINTF_LIKE(3, 4);

#endif
