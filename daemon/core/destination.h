/* core/destination - what is an acceptable local path for a downloaded file.
 *
 * Decides from the text alone; whether the path exists is the file worker's question.  Windows' rules and the Linux
 * ground's differ, so the style is an argument: no #ifdef here, and both are tested on every ground.
 */
#ifndef FERRY_CORE_DESTINATION_H
#define FERRY_CORE_DESTINATION_H

#include "core/text.h"

#define DESTINATION_BYTES_MAX 2048
#define DESTINATION_SEGMENT_BYTES_MAX 255

enum path_style {
	PATH_WINDOWS, /* C:\folder\file or \\server\share\folder\file */
	PATH_POSIX,   /* /folder/file */
};

/* Views of the path's folder (without a trailing separator, but "C:\" and "/" keep theirs) and its file name. */
struct destination {
	struct text_view folder;
	struct text_view name;
};

/* Refused, each with its own words in fault->what: relative and drive-relative paths, '.', '..' and empty segments,
 * "\\?\" and "\\.\" prefixes, forward slashes and any of <>"|?* in Windows paths, ':' beyond the drive (alternate
 * streams), control characters, trailing dots and spaces, reserved device names with or without an extension
 * (CON, PRN, AUX, NUL, COM1-9, LPT1-9 with the superscript digits, CONIN$, CONOUT$), over-long segments, a path that
 * ends in a separator, servers with a WebDAV port (\\server@8080) and the shares PIPE, MAILSLOT and IPC$, which hold no
 * files.  RESULT_BAD_DESTINATION | RESULT_TOO_LONG | RESULT_NOT_UTF8. */
enum result destination_parse(enum path_style style, struct text_view path, struct destination *ret_destination,
                              struct fault *fault) MUST_CHECK;

/* Whether an accepted path is on another machine, or says so: \\server\share. */
bool destination_is_remote(enum path_style style, struct text_view path);
/* Whether two accepted paths name the same file as text: ASCII case is ignored in PATH_WINDOWS. */
bool destination_same(enum path_style style, struct text_view a, struct text_view b);
/* Whether `path` is `folder` or lies below it, compared the same way. */
bool destination_is_below(enum path_style style, struct text_view path, struct text_view folder);
/* Whether it lies below it and is not `folder` itself, whose own name lies elsewhere. */
bool destination_is_inside(enum path_style style, struct text_view path, struct text_view folder);

#endif
