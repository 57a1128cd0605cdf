/* tests/support/landing - a scratch folder to download into, and what lies in it. */
#ifndef FERRY_TESTS_LANDING_H
#define FERRY_TESTS_LANDING_H

#include <stdbool.h>
#include <stddef.h>

#define LANDING_PATH_BYTES_MAX 1024

struct landing {
	char folder[LANDING_PATH_BYTES_MAX];
};

void landing_make(struct landing *landing);
void landing_remove(struct landing *landing); /* with all that is in it, folders too */

/* The absolute path of `name`, which may lead through folders ("sub/file"), in the system's spelling.  Four paths are
 * kept; the fifth call overwrites the first. */
const char *landing_path(const struct landing *landing, const char *name);
void landing_make_folder(const struct landing *landing, const char *name);
void landing_write(const struct landing *landing, const char *name, const void *bytes, size_t length);
void landing_make_read_only(const struct landing *landing, const char *name);
bool landing_may_write(const struct landing *landing, const char *name); /* root may, whatever the mode */
/* Its size in bytes, -1 if there is no such file. */
long landing_size(const struct landing *landing, const char *name);
bool landing_holds(const struct landing *landing, const char *name, const void *bytes, size_t length);
/* How many files and folders lie in the folder itself. */
size_t landing_count(const struct landing *landing);

#endif
