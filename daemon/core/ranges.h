/* core/ranges - the parts of a server's file that make up a local one: one behind the other, in the order given.
 *
 * Pure.  BITS: BG_FILE_RANGE.  As text they are written as in HTTP, both ends included: "0-99,200-" are the first hundred
 * bytes, and all from the two hundredth on.
 */
#ifndef FERRY_CORE_RANGES_H
#define FERRY_CORE_RANGES_H

#include "core/text.h"

#define SIZE_UNKNOWN UINT64_MAX
#define RANGES_MAX 4096u /* of one file, whatever the settings say */
#define RANGES_TEXT_BYTES_MAX (RANGES_MAX * 40u)
#define RANGE_TO_EOF UINT64_MAX /* a length: to the end of the server's file.  BG_LENGTH_TO_EOF */

struct range {
	uint64_t offset, length;
};
struct ranges {
	struct range *at;
	uint32_t count; /* 0: the file is the server's whole one */
};
enum result ranges_new(uint32_t count, struct ranges *ret_ranges, struct fault *fault) MUST_CHECK; /* all of them empty */
void ranges_done(struct ranges *ranges);
static inline void ranges_cleanup(struct ranges *ranges)
{
	ranges_done(ranges);
}

/* "0-99" or "200-". */
bool range_parse(struct text_view text, struct range *ret_range);
/* RESULT_INVALID_ARGUMENT | RESULT_NO_MEMORY.  What ranges_check refuses is refused here, but for its number. */
enum result ranges_parse(struct text_view text, struct ranges *ret_ranges, struct fault *fault) MUST_CHECK;
enum result ranges_print(const struct ranges *ranges, struct buffer *to) MUST_CHECK;

/* Are they some of a file, none twice, and at most `most`?  RESULT_INVALID_ARGUMENT | RESULT_INVALID_RANGE |
 * RESULT_OVERLAPPING_RANGES | RESULT_TOO_MANY_RANGES | RESULT_NO_MEMORY.  The fault begins with `field` and names the one. */
enum result ranges_check(const struct ranges *ranges, uint64_t most, const char *field, struct fault *fault) MUST_CHECK;
/* Does the server's file have them, if it has so many bytes?  RESULT_OK | RESULT_INVALID_RANGE. */
enum result ranges_check_remote(const struct ranges *ranges, uint64_t remote_total, struct fault *fault) MUST_CHECK;

/* The size of the local file, if the server's has so many bytes; either may be SIZE_UNKNOWN. */
uint64_t ranges_total(const struct ranges *ranges, uint64_t remote_total);
/* The other way round: known only where a range goes to the end. */
uint64_t ranges_remote_total(const struct ranges *ranges, uint64_t total);
/* Can the local file have that size?  SIZE_UNKNOWN: yes. */
bool ranges_allow_total(const struct ranges *ranges, uint64_t total);

/* Where the local file goes on at `offset`, which is below `total`: bytes of the server's file from `first` up to before
 * `end`; RANGE_TO_EOF: to its end, which is only so where `total` is not known.  Ranges that follow each other in the
 * server's file too are one place. */
struct range_place {
	uint64_t first, end;
};
struct range_place ranges_find(const struct ranges *ranges, uint64_t offset, uint64_t total);

#endif
