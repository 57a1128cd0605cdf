/* platform/file - what is a simple name, on either ground; for the room's own files. */
#ifndef FERRY_PLATFORM_FILE_NAME_H
#define FERRY_PLATFORM_FILE_NAME_H

#include "platform/file.h"

/* One component: from a folder's handle the system would walk into more, and on Windows ':' would open a stream. */
enum result file_check_simple(const char *name, struct fault *fault) MUST_CHECK;

#endif
