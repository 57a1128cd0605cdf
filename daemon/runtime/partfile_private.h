/* Inside runtime/partfile.
 *
 *   partfile.c          the partial file, its folder and its name
 *   partfile_version.c  former contents, kept beside a file that is replaced
 */
#ifndef FERRY_RUNTIME_PARTFILE_PRIVATE_H
#define FERRY_RUNTIME_PARTFILE_PRIVATE_H

#include "runtime/partfile.h"

/* Before `new_file` replaces what bears `name` in the folder, that is kept as NAME.1, and what has that as NAME.2, up to
 * `versions`.  Nothing is where that holds the same as the new one, is no plain file with one name, or where something that is
 * none has one of those names.  May be done again after a crash at any point. */
enum result partfile_keep_former(struct folder *folder, const char *name, unsigned versions, struct file_handle *new_file,
                                 struct fault *fault) MUST_CHECK;

#endif
