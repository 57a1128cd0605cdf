#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/segments.h"

#define MIB ((uint64_t)1024 * 1024)

/* --- how many --- */

/* A line of which each request gets `each` bytes a second, and all together `whole`. */
static uint64_t carry(uint32_t requests, uint64_t each, uint64_t whole)
{
	return requests * each < whole ? requests * each : whole;
}

static void segments_look__lines__end_with_as_many_as_help(void **state)
{
	static const struct {
		uint64_t each, whole, left;
		uint32_t most, wanted;
		bool settled;
	} cases[] = {
		/* one fills the line: more are tried once, and given up */
		{ 10 * MIB, 10 * MIB, 1000 * MIB, 16, 1, true },
		/* four fill it: six are tried, and given up */
		{ MIB, 4 * MIB, 1000 * MIB, 16, 4, true },
		/* each has its own: as many as may be */
		{ MIB, 100 * MIB, 1000 * MIB, 16, 12, true }, /* 14 would be no fifth more */
		{ MIB, 100 * MIB, 1000 * MIB, 6, 6, false },
		{ MIB, 100 * MIB, 1000 * MIB, 3, 3, false },
		{ MIB, 100 * MIB, 1000 * MIB, 1, 1, false },
		/* soon over */
		{ MIB, 100 * MIB, 2 * MIB, 16, 1, false },
		/* nothing comes: that is not for lack of requests */
		{ 0, 0, 1000 * MIB, 16, 1, false },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct segments_pace pace = { .wanted = 1 };

		for (int second = 0; second < 40; second++) {
			segments_look(&pace, carry(pace.wanted, cases[i].each, cases[i].whole), 1000, cases[i].left, cases[i].most);
			assert_true(pace.wanted >= 1 && pace.wanted <= cases[i].most);
		}
		assert_int_equal(pace.wanted, cases[i].wanted);
		assert_int_equal(pace.settled, cases[i].settled);
	}
}

static void segments_look__a_new_number__has_one_look_to_get_going(void **state)
{
	struct segments_pace pace = { .wanted = 1 };
	(void)state;
	segments_look(&pace, MIB, 1000, 1000 * MIB, 16);
	assert_int_equal(pace.wanted, SEGMENTS_FIRST);
	segments_look(&pace, 0, 1000, 1000 * MIB, 16); /* they connect */
	assert_int_equal(pace.wanted, SEGMENTS_FIRST);
	segments_look(&pace, 4 * MIB, 1000, 1000 * MIB, 16);
	assert_int_equal(pace.wanted, SEGMENTS_FIRST + SEGMENTS_STEP);
	segments_settle(&pace, 2);
	assert_int_equal(pace.wanted, 2);
	segments_settle(&pace, 0);
	assert_int_equal(pace.wanted, 1);
	segments_look(&pace, 100 * MIB, 1000, 1000 * MIB, 16);
	assert_int_equal(pace.wanted, 1);
}

/* A long line is fast at first, until it loses something: what four bring is held against that, and found to be nothing. */
static void segments_look__line_that_became_slow__is_tried_anew(void **state)
{
	struct segments_pace pace = { .wanted = 1 };
	(void)state;
	segments_look(&pace, 6 * MIB, 1000, 1000 * MIB, 16);
	segments_look(&pace, 4 * MIB, 1000, 1000 * MIB, 16);
	segments_look(&pace, 4 * MIB, 1000, 1000 * MIB, 16);
	assert_int_equal(pace.wanted, 1);
	segments_look(&pace, 3 * MIB + 1000, 1000, 1000 * MIB, 16);
	assert_int_equal(pace.wanted, 1);
	segments_look(&pace, MIB, 1000, 1000 * MIB, 16);
	assert_int_equal(pace.wanted, SEGMENTS_FIRST);
	segments_look(&pace, 4 * MIB, 1000, 1000 * MIB, 16);
	segments_look(&pace, 4 * MIB, 1000, 1000 * MIB, 16);
	assert_int_equal(pace.wanted, SEGMENTS_FIRST + SEGMENTS_STEP);
}

/* --- far away --- */

static void segments_begin__far_and_large__has_several_at_once(void **state)
{
	static const struct {
		uint64_t answer_ms, left;
		uint32_t most, wanted;
	} cases[] = {
		{ SEGMENTS_FAR_MS, SEGMENTS_FAR_BYTES, 16, SEGMENTS_FIRST },
		{ SEGMENTS_FAR_MS - 1, SEGMENTS_FAR_BYTES, 16, 1 },
		{ SEGMENTS_FAR_MS, SEGMENTS_FAR_BYTES - 1, 16, 1 },
		{ SEGMENTS_FAR_MS, SEGMENTS_FAR_BYTES, 3, 3 },
		{ SEGMENTS_FAR_MS, SEGMENTS_FAR_BYTES, 1, 1 },
		{ SEGMENTS_FAR_MS, SEGMENTS_FAR_BYTES, 0, 1 },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct segments_pace pace = { 0 };
		segments_begin(&pace, cases[i].answer_ms, cases[i].left, cases[i].most);
		assert_int_equal(pace.wanted, cases[i].wanted);
		segments_begin(&pace, 1000, 1000 * MIB, 16); /* the file's next answer changes nothing */
		assert_int_equal(pace.wanted, cases[i].wanted);
	}
}

/* Whoever began with several finds the way down to as few as do as well, where enough is left for it to matter. */
static void segments_look__began_with_several__ends_with_as_few_as_do(void **state)
{
	static const struct {
		uint64_t each, whole, left;
		uint32_t most, wanted;
	} cases[] = {
		{ 10 * MIB, 10 * MIB, 1000 * MIB, 16, 1 },
		{ 10 * MIB, 10 * MIB, 1000 * MIB, 4, 1 },
		{ 5 * MIB, 10 * MIB, 1000 * MIB, 16, 2 },
		{ 5 * MIB, 20 * MIB, 1000 * MIB, 16, 4 },
		{ MIB, 100 * MIB, 1000 * MIB, 6, 6 },
		{ MIB, 100 * MIB, 1000 * MIB, 4, 4 },
		{ 10 * MIB, 10 * MIB, 90 * MIB, 4, 4 }, /* soon over */
		{ 0, 0, 1000 * MIB, 16, 4 },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct segments_pace pace = { 0 };
		uint32_t changes = 0, before = 0;

		segments_begin(&pace, 100, cases[i].left, cases[i].most);
		for (int second = 0; second < 60; second++) {
			segments_look(&pace, carry(pace.wanted, cases[i].each, cases[i].whole), 1000, cases[i].left, cases[i].most);
			assert_true(pace.wanted >= 1 && pace.wanted <= cases[i].most);
			changes += pace.wanted != before;
			before = pace.wanted;
		}
		assert_int_equal(pace.wanted, cases[i].wanted);
		assert_true(changes <= 7); /* and stays there */
	}
}

/* --- which --- */

static void segments_take__all_of_them__are_the_file_in_order(void **state)
{
	static const uint64_t totals[] = { MIB, MIB + 1, 20 * MIB, 20 * MIB - 1, 333333333 };
	(void)state;
	for (size_t i = 0; i < sizeof(totals) / sizeof(totals[0]); i++) {
		struct segments_plan plan = { .total = totals[i], .next = 12345, .length = MIB };
		struct segment part;
		uint64_t at = plan.next;

		while (segments_take(&plan, UINT64_MAX, 4, &part)) {
			assert_int_equal(part.first, at);
			assert_true(part.end > part.first && part.end - part.first <= MIB);
			assert_true(part.end - part.first >= SEGMENTS_BYTES_MIN || part.end == totals[i]);
			at = part.end;
		}
		assert_int_equal(at, totals[i]);
		assert_true(segments_all_taken(&plan));
		assert_int_equal(segments_first_gap(&plan), totals[i]);
	}
}

static void segments_take__limit__is_kept(void **state)
{
	struct segments_plan plan = { .total = 100 * MIB, .next = 0, .length = MIB };
	struct segment part;
	(void)state;
	assert_false(segments_take(&plan, MIB - 1, 4, &part));
	assert_true(segments_take(&plan, MIB, 4, &part));
	assert_false(segments_take(&plan, 2 * MIB - 1, 4, &part));
	assert_false(segments_all_taken(&plan));
	assert_int_equal(segments_first_gap(&plan), MIB);
}

static void segments_give_back__gaps__are_handed_out_first_the_earliest_before(void **state)
{
	struct segments_plan plan = { .total = 100 * MIB, .next = 10 * MIB, .length = MIB };
	struct segment part;
	(void)state;
	segments_give_back(&plan, (struct segment){ 7 * MIB, 8 * MIB });
	segments_give_back(&plan, (struct segment){ 3 * MIB + 5, 4 * MIB });
	segments_give_back(&plan, (struct segment){ 9 * MIB, 10 * MIB });
	assert_int_equal(segments_first_gap(&plan), 3 * MIB + 5);
	for (uint64_t i = 0; i < 3; i++) {
		static const uint64_t firsts[] = { 3 * MIB + 5, 7 * MIB, 9 * MIB };
		assert_true(segments_take(&plan, 10 * MIB, 4, &part)); /* within the limit from before */
		assert_int_equal(part.first, firsts[i]);
	}
	assert_false(segments_take(&plan, 10 * MIB, 4, &part));
	assert_int_equal(segments_first_gap(&plan), 10 * MIB);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(segments_look__lines__end_with_as_many_as_help),
		cmocka_unit_test(segments_look__a_new_number__has_one_look_to_get_going),
		cmocka_unit_test(segments_look__line_that_became_slow__is_tried_anew),
		cmocka_unit_test(segments_begin__far_and_large__has_several_at_once),
		cmocka_unit_test(segments_look__began_with_several__ends_with_as_few_as_do),
		cmocka_unit_test(segments_take__all_of_them__are_the_file_in_order),
		cmocka_unit_test(segments_take__limit__is_kept),
		cmocka_unit_test(segments_give_back__gaps__are_handed_out_first_the_earliest_before),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
