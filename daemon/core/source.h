/* core/source - which of a file's URLs is asked: the one it was submitted with, or one of its mirrors.
 *
 * Pure.  The URL is source 0, its mirrors are 1 and on.  They are asked in turn; what is on disk goes on from another
 * source than it came from only where size and digest say in the end whether it fitted.
 */
#ifndef FERRY_CORE_SOURCE_H
#define FERRY_CORE_SOURCE_H

#include "core/job.h"

#define SOURCES_MAX (FILE_MIRRORS_MAX + 1u)
#define SOURCE_NONE UINT32_MAX
#define SOURCE_PATIENCE 3u /* failures in a row until a beginning that fits no other source is given up for one */

/* Is a failure one of the source, so that another one may do better?  Not of this machine, its disk or its identities. */
bool source_is_at_fault(enum result result);

/* Must the file go on where it came from?  A beginning that could not be proven to fit what another source has is worth
 * some patience: `attempts` is how often its job failed in a row. */
bool source_is_tied(const struct file *file, uint32_t attempts);

/* The first source from `from` on, in turn, that is neither in `tried` nor refused; a bit for each.  SOURCE_NONE: there is
 * none.  Where all are refused, which only a resume undoes, none counts as that. */
uint32_t source_next(const struct file *file, uint32_t from, uint32_t tried);

/* What a round of failures comes to: is `other` what tells best how things stand, rather than `best`?  A source that may be
 * asked again stands above one that may not, and one that may be asked sooner above one that asked to be left alone. */
bool source_tells_more(enum result best, uint32_t best_retry_after_s, enum result other, uint32_t other_retry_after_s);

#endif
