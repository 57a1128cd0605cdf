/* tests/support/mutate - hostile variants of a good text: the fuzzers' little brother, the same in every run. */
#ifndef FERRY_TESTS_SUPPORT_MUTATE_H
#define FERRY_TESTS_SUPPORT_MUTATE_H

#include "core/text.h"

/* Give `take` every beginning of `seed` (at most 4 KiB), then some thousand copies with one to three bytes changed. */
void mutate_text(const char *seed, void (*take)(struct text_view text));

#endif
