/* client/cli/sources - the files to fetch, from the command line or from a list. */
#ifndef FERRY_CLI_SOURCES_H
#define FERRY_CLI_SOURCES_H

#include "core/text.h"
#include "ferry.h"

#define SOURCES_PROBLEM_BYTES_MAX 512
#define SOURCES_MAX 1000000

/* A growing list; its texts are its own.  All zero at the start. */
struct sources {
	struct ferry_source *files;
	size_t count, capacity;
};
void sources_done(struct sources *sources);
static inline void sources_cleanup(struct sources *sources)
{
	sources_done(sources);
}

/* The name that a URL's last segment gives a file: percent-decoded where that is a plain file name, as written
 * otherwise.  False: it has none ("https://host/", "https://host/folder/"). */
bool sources_name_of(const char *url, char *to, size_t size);

/* Ranges as HTTP writes them, "0-99,200-", behind those that the file has.  False: they are none, or there is no memory.
 * They are to be freed. */
bool sources_read_ranges(struct ferry_source *file, const char *text);

/* Add one file, whose texts and ranges are copied; `path` is its destination.  A destination that ends in a separator is a
 * folder: the URL names the file.
 * `absolute` makes an absolute path of one that may be relative (client/cli/terminal.h has the system's).
 * False: `problem` says why, without the URL's query. */
bool sources_add(struct sources *sources, const struct ferry_source *file,
                 bool (*absolute)(const char *path, char *to, size_t size), char problem[SOURCES_PROBLEM_BYTES_MAX]);
/* Add what one line of a list says: URL<TAB>PATH[<TAB>SIZE[<TAB>DIGEST[<TAB>MORE]...]], where size and digest may be empty,
 * and more is a mirror's URL, "if-none-match=TAG", "if-modified-since=DATE" or "ranges=0-99,200-"; changed in place.  Empty
 * lines and those that begin with '#' say nothing. */
bool sources_add_line(struct sources *sources, char *line, bool (*absolute)(const char *path, char *to, size_t size),
                      char problem[SOURCES_PROBLEM_BYTES_MAX]);

#endif
