/* core/source - which of a file's URLs is asked: the one it was submitted with, or one of its mirrors.
 *
 * Pure.  The URL is source 0, its mirrors are 1 and on.  They are asked in turn.  What is on disk, the file's beginning,
 * goes on at another source than it came from only where size and digest say in the end whether it fitted; and it is not
 * given up before its own source was asked often enough.
 */
#ifndef FERRY_CORE_SOURCE_H
#define FERRY_CORE_SOURCE_H

#include "core/job.h"

#define SOURCES_MAX (FILE_MIRRORS_MAX + 1u)
#define SOURCE_NONE UINT32_MAX
#define SOURCE_PATIENCE 3u      /* failures in a row of the source of a beginning before that is given up */
#define SOURCE_WAIT_S_MAX 600u /* for which it is waited for, where another one could be asked from the start */

/* Is a failure one of the source, so that another one may do better?  Not of this machine, its disk or its identities. */
bool source_is_at_fault(enum result result);

/* Is there a beginning whose source may still be asked for the rest? */
bool source_has_beginning(const struct file *file);
/* Would the end tell whether it fits what another source has? */
bool source_is_provable(const struct file *file);
/* The source of the beginning was asked and failed, or is left alone, and has to be waited for so long: is the beginning to
 * be given up, if another one can be asked from the start?  `left_s`: for how long the job may still go on. */
bool source_gives_up(const struct file *file, bool asked, uint32_t wait_s, int64_t left_s);

/* The first source from `from` on, in turn, that is neither in `tried` nor refused; a bit for each.  SOURCE_NONE: none. */
uint32_t source_next(const struct file *file, uint32_t from, uint32_t tried);

/* What a round of failures comes to: is `other` what tells best how things stand, rather than `best`?  A source that may be
 * asked again stands above one that may not, and one that may be asked sooner above one that asked to be left alone. */
bool source_tells_more(enum result best, uint32_t best_retry_after_s, enum result other, uint32_t other_retry_after_s);

#endif
