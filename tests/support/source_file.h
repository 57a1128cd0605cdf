/* tests/support/source_file - files of the repository, for tests that hold papers and code together. */
#ifndef FERRY_TESTS_SUPPORT_SOURCE_FILE_H
#define FERRY_TESTS_SUPPORT_SOURCE_FILE_H

#include "core/text.h"

/* Append the file `name` ("config/ferry.jsonc") below $FERRY_SOURCE; fails the test if it cannot. */
void source_file_read(const char *name, struct buffer *to);

#endif
