#include "core/ranges.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

enum result ranges_new(uint32_t count, struct ranges *ret_ranges, struct fault *fault)
{
	struct range *at = calloc(count, sizeof(*at));

	if (at == NULL)
		return fault_set(fault, RESULT_NO_MEMORY, FAULT_FERRY, 0, "keep %u ranges", (unsigned)count);
	*ret_ranges = (struct ranges){ at, count };
	return RESULT_OK;
}

void ranges_done(struct ranges *ranges)
{
	free(ranges->at);
	*ranges = (struct ranges){ .at = NULL };
}

/* --- as text --- */

static bool take_number(struct text_view *text, uint64_t *ret_number)
{
	uint64_t number = 0;
	size_t length = 0;

	for (; length < text->length && text->bytes[length] >= '0' && text->bytes[length] <= '9'; length++) {
		uint64_t digit = (uint64_t)(text->bytes[length] - '0');

		if (number > (INT64_MAX - digit) / 10)
			return false;
		number = number * 10 + digit;
	}
	*text = (struct text_view){ text->bytes + length, text->length - length };
	*ret_number = number;
	return length > 0;
}

static bool take_byte(struct text_view *text, char byte)
{
	if (text->length == 0 || text->bytes[0] != byte)
		return false;
	*text = (struct text_view){ text->bytes + 1, text->length - 1 };
	return true;
}

static bool take_range(struct text_view *text, struct range *ret_range)
{
	uint64_t first, last;

	if (!take_number(text, &first) || !take_byte(text, '-'))
		return false;
	*ret_range = (struct range){ first, RANGE_TO_EOF };
	if (text->length == 0 || text->bytes[0] == ',')
		return true;
	if (!take_number(text, &last) || last < first)
		return false;
	ret_range->length = last - first + 1;
	return true;
}

bool range_parse(struct text_view text, struct range *ret_range)
{
	return take_range(&text, ret_range) && text.length == 0;
}

enum result ranges_parse(struct text_view text, struct ranges *ret_ranges, struct fault *fault)
{
	AUTO(ranges) struct ranges ranges = { .at = NULL };
	uint32_t count = 1;

	for (size_t i = 0; i < text.length && count <= RANGES_MAX; i++)
		count += text.bytes[i] == ',';
	enum result result = ranges_new(count, &ranges, fault);
	for (uint32_t i = 0; result == RESULT_OK && i < count; i++)
		if ((i > 0 && !take_byte(&text, ',')) || !take_range(&text, &ranges.at[i]))
			result = fault_set(fault, RESULT_INVALID_ARGUMENT, FAULT_FERRY, 0, "range %u is none", (unsigned)i);
	if (result == RESULT_OK && text.length > 0)
		result = fault_set(fault, RESULT_INVALID_ARGUMENT, FAULT_FERRY, 0, "something is behind the last range");
	if (result == RESULT_OK)
		result = ranges_check(&ranges, RANGES_MAX, "ranges", fault);
	if (result == RESULT_OK) {
		*ret_ranges = ranges;
		ranges = (struct ranges){ .at = NULL };
	}
	return result;
}

enum result ranges_print(const struct ranges *ranges, struct buffer *to)
{
	enum result result = RESULT_OK;

	for (uint32_t i = 0; result == RESULT_OK && i < ranges->count; i++) {
		const struct range *range = &ranges->at[i];
		const char *comma = i > 0 ? "," : "";

		if (range->length == RANGE_TO_EOF)
			result = buffer_print(to, "%s%" PRIu64 "-", comma, range->offset);
		else
			result = buffer_print(to, "%s%" PRIu64 "-%" PRIu64, comma, range->offset, range->offset + range->length - 1);
	}
	return result;
}

/* --- what is a list of ranges --- */

struct place {
	uint64_t offset, end;
	uint32_t index;
};

static int compare_places(const void *a, const void *b)
{
	uint64_t left = ((const struct place *)a)->offset, right = ((const struct place *)b)->offset;

	return (left > right) - (left < right);
}

/* To the end of the file is as far as a file can go: so there can be only one. */
static uint64_t end_of(const struct range *range)
{
	return range->length == RANGE_TO_EOF ? UINT64_MAX : range->offset + range->length;
}

static enum result check_overlaps(const struct ranges *ranges, const char *field, struct fault *fault)
{
	struct place *places = malloc(ranges->count * sizeof(*places));
	enum result result = RESULT_OK;

	if (places == NULL)
		return fault_set(fault, RESULT_NO_MEMORY, FAULT_FERRY, 0, "%s", field);
	for (uint32_t i = 0; i < ranges->count; i++)
		places[i] = (struct place){ ranges->at[i].offset, end_of(&ranges->at[i]), i };
	qsort(places, ranges->count, sizeof(*places), compare_places);
	for (uint32_t i = 1; result == RESULT_OK && i < ranges->count; i++) {
		uint32_t a = places[i - 1].index, b = places[i].index;

		if (places[i - 1].end > places[i].offset)
			result = fault_set(fault, RESULT_OVERLAPPING_RANGES, FAULT_FERRY, 0, "%s[%u]: overlaps %s[%u]", field,
			                   (unsigned)(a > b ? a : b), field, (unsigned)(a > b ? b : a));
	}
	free(places);
	return result;
}

enum result ranges_check(const struct ranges *ranges, uint64_t most, const char *field, struct fault *fault)
{
	if (ranges->count == 0)
		return fault_set(fault, RESULT_INVALID_ARGUMENT, FAULT_FERRY, 0, "%s: there is none", field);
	if (ranges->count > most)
		return fault_set(fault, RESULT_TOO_MANY_RANGES, FAULT_FERRY, 0, "%s: %u would exceed queue.ranges_per_file_max (%" PRIu64 ")",
		                 field, (unsigned)ranges->count, most);
	for (uint32_t i = 0; i < ranges->count; i++) {
		const struct range *range = &ranges->at[i];

		if (range->offset >= INT64_MAX)
			return fault_set(fault, RESULT_INVALID_RANGE, FAULT_FERRY, 0, "%s[%u].offset: no file has so many bytes", field,
			                 (unsigned)i);
		if (range->length == 0)
			return fault_set(fault, RESULT_INVALID_RANGE, FAULT_FERRY, 0, "%s[%u].length: must be at least 1", field,
			                 (unsigned)i);
		if (range->length != RANGE_TO_EOF && range->length > INT64_MAX - range->offset)
			return fault_set(fault, RESULT_INVALID_RANGE, FAULT_FERRY, 0, "%s[%u].length: no file has so many bytes", field,
			                 (unsigned)i);
	}
	return check_overlaps(ranges, field, fault);
}

enum result ranges_check_remote(const struct ranges *ranges, uint64_t remote_total, struct fault *fault)
{
	for (uint32_t i = 0; remote_total != SIZE_UNKNOWN && i < ranges->count; i++) {
		const struct range *range = &ranges->at[i];

		if (range->offset >= remote_total || (range->length != RANGE_TO_EOF && range->length > remote_total - range->offset))
			return fault_set(fault, RESULT_INVALID_RANGE, FAULT_FERRY, 0, "ranges[%u]: the file has %" PRIu64 " bytes",
			                 (unsigned)i, remote_total);
	}
	return RESULT_OK;
}

/* --- sizes and places --- */

/* The bytes of all others, and the one that goes to the end, if there is one. */
static uint64_t add_up(const struct ranges *ranges, const struct range **ret_last)
{
	uint64_t bytes = 0;

	*ret_last = NULL;
	for (uint32_t i = 0; i < ranges->count; i++) {
		if (ranges->at[i].length == RANGE_TO_EOF)
			*ret_last = &ranges->at[i];
		else
			bytes += ranges->at[i].length;
	}
	return bytes;
}

uint64_t ranges_total(const struct ranges *ranges, uint64_t remote_total)
{
	const struct range *last;
	uint64_t bytes = add_up(ranges, &last);

	if (last == NULL)
		return bytes;
	if (remote_total == SIZE_UNKNOWN || remote_total <= last->offset)
		return SIZE_UNKNOWN;
	return bytes + (remote_total - last->offset);
}

uint64_t ranges_remote_total(const struct ranges *ranges, uint64_t total)
{
	const struct range *last;
	uint64_t bytes = add_up(ranges, &last);

	if (last == NULL || total == SIZE_UNKNOWN || total <= bytes)
		return SIZE_UNKNOWN;
	return last->offset + (total - bytes);
}

bool ranges_allow_total(const struct ranges *ranges, uint64_t total)
{
	const struct range *last;
	uint64_t bytes = add_up(ranges, &last);

	return total == SIZE_UNKNOWN || (last == NULL ? total == bytes : total > bytes && total - bytes <= INT64_MAX - last->offset);
}

struct range_place ranges_find(const struct ranges *ranges, uint64_t offset, uint64_t total)
{
	uint64_t remote_total = ranges_remote_total(ranges, total), begin = 0;
	struct range_place place = { 0, 0 };

	for (uint32_t i = 0; i < ranges->count; i++) {
		const struct range *range = &ranges->at[i];
		uint64_t end = range->length == RANGE_TO_EOF ? remote_total : range->offset + range->length;

		if (place.end == 0 && (end == RANGE_TO_EOF || offset - begin < end - range->offset))
			place = (struct range_place){ range->offset + (offset - begin), end };
		else if (place.end != 0 && place.end == range->offset)
			place.end = end;
		else if (place.end != 0)
			break;
		begin += end - range->offset;
	}
	assert(place.end > place.first);
	return place;
}
_Static_assert(RANGE_TO_EOF == SIZE_UNKNOWN, "a size that is not known is a range's end that is not");
