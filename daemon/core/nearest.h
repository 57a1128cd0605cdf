/* core/nearest - for messages about what somebody wrote into a configuration: which known word it is nearest to, and how it
 * is shown. */
#ifndef FERRY_CORE_NEAREST_H
#define FERRY_CORE_NEAREST_H

#include "core/text.h"

/* What a word may weigh in the search for a similar one; longer ones are compared, and shown, by their beginning. */
#define NEAREST_BYTES_MAX 64

/* Levenshtein's distance. */
size_t nearest_distance(const char *a, const char *b);
/* What somebody wrote, fit for one line of a log; no two texts that differ by a control character look alike.  With an '@'
 * it is not shown: it may have a password. */
void nearest_show(char to[NEAREST_BYTES_MAX], struct text_view given);

#endif
