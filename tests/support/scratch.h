/* tests/support/scratch - a folder of the test's own, on either ground. */
#ifndef FERRY_TESTS_SUPPORT_SCRATCH_H
#define FERRY_TESTS_SUPPORT_SCRATCH_H

#include <stddef.h>

/* Make a new empty folder; its absolute path.  Ends the test if it cannot. */
void scratch_make(char *path, size_t size);
/* Remove it with the files in it (no folders within). */
void scratch_remove(const char *path);

#endif
