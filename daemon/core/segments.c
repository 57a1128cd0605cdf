#include "core/segments.h"

#include <assert.h>

/* --- how many --- */

void segments_settle(struct segments_pace *pace, uint32_t most)
{
	if (pace->wanted > most)
		pace->wanted = most > 1 ? most : 1;
	pace->settled = true;
}

void segments_begin(struct segments_pace *pace, uint64_t answer_ms, uint64_t left, uint32_t most)
{
	bool far = answer_ms >= SEGMENTS_FAR_MS && left >= SEGMENTS_FAR_BYTES && most > 1;

	if (pace->wanted > 0)
		return;
	pace->wanted = !far ? 1 : most < SEGMENTS_FIRST ? most : SEGMENTS_FIRST;
	pace->before = pace->wanted;
	pace->too_many = far;
}

/* Two rates, with more and with fewer requests. */
static bool helps(uint64_t more, uint64_t fewer)
{
	return more / (100 + SEGMENTS_GAIN_PERCENT) >= fewer / 100;
}

static bool is_left(uint64_t left, uint64_t rate, uint64_t ms)
{
	return rate > 0 && left / ms >= rate / 1000;
}

static void try_number(struct segments_pace *pace, uint32_t number, uint64_t rate)
{
	pace->before = pace->wanted;
	pace->rate = rate;
	pace->wanted = number;
	pace->warm = pace->settled = false;
}

static void try_fewer(struct segments_pace *pace, uint64_t rate, uint64_t left)
{
	if (pace->too_many && pace->wanted > 1 && is_left(left, rate, SEGMENTS_FEWER_MS))
		try_number(pace, pace->wanted / 2, rate);
}

static void judge_fewer(struct segments_pace *pace, uint64_t rate)
{
	if (helps(pace->rate, rate)) {
		pace->wanted = pace->before;
		pace->too_many = false;
	} else {
		pace->rate = rate;
	}
	pace->settled = true;
}

void segments_look(struct segments_pace *pace, uint64_t bytes, uint64_t ms, uint64_t left, uint32_t most)
{
	uint64_t rate = ms > 0 ? bytes * 1000 / ms : 0;
	uint32_t more = pace->wanted == 1 ? SEGMENTS_FIRST : pace->wanted + SEGMENTS_STEP;

	if (pace->settled) {
		if (rate / SEGMENTS_DROP_PERCENT >= pace->rate / 100) {
			try_fewer(pace, rate, left);
			return;
		}
		pace->settled = false;
		pace->before = pace->wanted;
	} else if ((pace->wanted > 1 || pace->before > 1) && !pace->warm) {
		pace->warm = true;
		return;
	} else if (pace->wanted < pace->before) {
		judge_fewer(pace, rate);
		return;
	} else if (pace->wanted > 1 && !helps(rate, pace->rate)) {
		segments_settle(pace, pace->before);
		return;
	}
	if (pace->wanted > pace->before)
		pace->too_many = false;
	if (more > most)
		more = most;
	if (more <= pace->wanted)
		try_fewer(pace, rate, left);
	else if (is_left(left, rate, SEGMENTS_LEFT_MS))
		try_number(pace, more, rate);
}

/* --- which --- */

static struct segment *earliest_gap(struct segments_plan *plan)
{
	struct segment *earliest = NULL;

	for (uint32_t i = 0; i < plan->gap_count; i++)
		if (earliest == NULL || plan->gaps[i].first < earliest->first)
			earliest = &plan->gaps[i];
	return earliest;
}

/* Towards the end they get shorter, so that the last ones end together. */
static uint64_t part_length(const struct segments_plan *plan, uint32_t requests)
{
	uint64_t left = plan->total - plan->next, length = left / (2 * (uint64_t)requests);

	if (length < SEGMENTS_BYTES_MIN)
		length = SEGMENTS_BYTES_MIN;
	if (length > plan->length)
		length = plan->length;
	return length < left ? length : left;
}

bool segments_take(struct segments_plan *plan, uint64_t limit, uint32_t requests, struct segment *ret_part)
{
	struct segment *gap = earliest_gap(plan);

	if (gap != NULL) {
		*ret_part = *gap;
		*gap = plan->gaps[--plan->gap_count];
		return true;
	}
	uint64_t end = plan->next + part_length(plan, requests);
	if (plan->next == plan->total || end > limit)
		return false;
	*ret_part = (struct segment){ plan->next, end };
	plan->next = end;
	return true;
}

void segments_give_back(struct segments_plan *plan, struct segment part)
{
	assert(part.first < part.end && part.end <= plan->next && plan->gap_count < SEGMENTS_MAX);
	plan->gaps[plan->gap_count++] = part;
}

bool segments_all_taken(const struct segments_plan *plan)
{
	return plan->gap_count == 0 && plan->next == plan->total;
}

uint64_t segments_first_gap(const struct segments_plan *plan)
{
	uint64_t first = plan->next;

	for (uint32_t i = 0; i < plan->gap_count; i++)
		if (plan->gaps[i].first < first)
			first = plan->gaps[i].first;
	return first;
}
