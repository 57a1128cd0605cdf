/* platform/posix/fault - the border where errno becomes a result. */
#ifndef FERRY_PLATFORM_POSIX_FAULT_H
#define FERRY_PLATFORM_POSIX_FAULT_H

#include "core/result.h"

enum result result_from_errno(int error);

/* Fill `fault` with what `error` means, its number and the words of the format; the value is the result. */
#define fault_errno(fault, error, ...) fault_set((fault), result_from_errno(error), FAULT_ERRNO, (error), __VA_ARGS__)

#endif
