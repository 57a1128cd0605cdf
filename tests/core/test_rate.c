#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/rate.h"

#define AT(day, hour, minute) ((day) * 1440u + (hour) * 60u + (minute))
enum { MON, TUE, WED, THU, FRI, SAT, SUN };

static struct rate_rule rule(const char *text)
{
	struct rate_rule parsed;
	struct fault fault;

	if (rate_parse(text_view(text), &parsed, &fault) != RESULT_OK)
		fail_msg("%s: %s", text, fault.what);
	return parsed;
}

static void rate_parse__what_it_reads__is_what_was_meant(void **state)
{
	static const struct {
		const char *text;
		struct rate_rule rule;
	} cases[] = {
		{ "all 1B/s", { 0x7F, 0, 1440, RATE_ALL, 1 } },
		{ "background 2MB/s", { 0x7F, 0, 1440, RATE_BACKGROUND, 2000000 } },
		{ "low off", { 0x7F, 0, 1440, RATE_LOW, 0 } },
		{ "mon-fri 08:00-18:30 high 500kB/s", { 0x1F, 480, 1110, RATE_HIGH, 500000 } },
		{ "sat,sun 00:00-24:00 normal 1000GB/s", { 0x60, 0, 1440, RATE_NORMAL, RATE_PER_S_MAX } },
		{ "sat-mon,wed 22:00-06:00 foreground 7B/s", { 0x65, 1320, 360, RATE_FOREGROUND, 7 } },
		{ "mon-mon 23:59-00:00 all 7B/s", { 0x01, 1439, 0, RATE_ALL, 7 } },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct rate_rule got = rule(cases[i].text);
		const struct rate_rule *expected = &cases[i].rule;

		assert_int_equal(got.days, expected->days);
		assert_int_equal(got.from, expected->from);
		assert_int_equal(got.to, expected->to);
		assert_int_equal(got.who, expected->who);
		assert_int_equal(got.per_s, expected->per_s);
	}
}

static void rate_parse__what_is_wrong__is_said(void **state)
{
	static const struct {
		const char *text, *why;
	} cases[] = {
		{ "", "a rule is" },
		{ "all", "a rule is" },
		{ "all  1B/s", "a rule is" },
		{ "all 1B/s ", "a rule is" },
		{ "mon, 00:00-24:00 all 1B/s", "days are" },
		{ " all 1B/s", "a rule is" },
		{ "mon 1B/s all", "a rule is" },
		{ "mon 00:00-24:00 all 1B/s ever", "a rule is" },
		{ "everybody 1B/s", "who is limited" },
		{ "ALL 1B/s", "who is limited" },
		{ "all 1", "a rate is" },
		{ "all 0B/s", "a rate is" },
		{ "all -1B/s", "a rate is" },
		{ "all 1.5MB/s", "a rate is" },
		{ "all 1mb/s", "a rate is" },
		{ "all kB/s", "a rate is" },
		{ "all 1001GB/s", "a rate is" },
		{ "all 99999999999999999999B/s", "a rate is" },
		{ "monday 00:00-24:00 all 1B/s", "days are" },
		{ "mon- 00:00-24:00 all 1B/s", "days are" },
		{ "-mon 00:00-24:00 all 1B/s", "days are" },
		{ ",mon 00:00-24:00 all 1B/s", "days are" },
		{ "mon 0:00-24:00 all 1B/s", "a time is" },
		{ "mon 00:00-24:01 all 1B/s", "a time is" },
		{ "mon 00:60-24:00 all 1B/s", "a time is" },
		{ "mon 08:00-08:00 all 1B/s", "a time is" },
		{ "mon 24:00-08:00 all 1B/s", "a time is" },
		{ "mon 08:00 all 1B/s", "a time is" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct rate_rule parsed;
		struct fault fault;

		if (rate_parse(text_view(cases[i].text), &parsed, &fault) == RESULT_OK)
			fail_msg("\"%s\" was read", cases[i].text);
		assert_non_null(strstr(fault.what, cases[i].why));
	}
}

static void rate_at__windows__hold_within_their_times(void **state)
{
	struct rate_rule rules[4];
	static const struct {
		uint32_t minute;
		uint64_t background, low, change;
	} cases[] = {
		{ AT(MON, 7, 59), 9000, RATE_UNLIMITED, 1 },
		{ AT(MON, 8, 0), 1000, RATE_UNLIMITED, 600 },
		{ AT(MON, 17, 59), 1000, RATE_UNLIMITED, 1 },
		{ AT(MON, 18, 0), 9000, RATE_UNLIMITED, 840 },
		{ AT(FRI, 21, 59), 9000, RATE_UNLIMITED, 1 },
		{ AT(FRI, 22, 0), 9000, 0, 480 },
		{ AT(SAT, 5, 59), 9000, 0, 1 },
		{ AT(SAT, 6, 0), 9000, RATE_UNLIMITED, 2 * 1440 + 120 },
		{ AT(SUN, 23, 59), 9000, RATE_UNLIMITED, 481 },
		{ AT(SAT, 23, 0), 9000, RATE_UNLIMITED, 1440 + 540 },
	};
	(void)state;
	rules[0] = rule("background 9kB/s");
	rules[1] = rule("mon-fri 08:00-18:00 background 1kB/s");
	rules[2] = rule("mon-fri 08:00-18:00 background 5kB/s"); /* the lowest counts */
	rules[3] = rule("fri 22:00-06:00 low off");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct rate_limits limits = rate_at(rules, 4, cases[i].minute);

		assert_int_equal(limits.per_s[RATE_BACKGROUND], cases[i].background);
		assert_int_equal(limits.per_s[RATE_LOW], cases[i].low);
		assert_int_equal(limits.per_s[RATE_ALL], RATE_UNLIMITED);
		assert_int_equal(rate_next_change(rules, 4, cases[i].minute), cases[i].change);
		assert_int_equal(rate_is_off(&limits, JOB_LOW), cases[i].low == 0);
		assert_false(rate_is_off(&limits, JOB_NORMAL));
	}
	rules[0] = rule("sun 22:00-06:00 all off"); /* over the end of the week */
	struct rate_limits limits = rate_at(rules, 1, AT(MON, 5, 0));
	assert_true(rate_is_off(&limits, JOB_FOREGROUND));
	assert_int_equal(rate_next_change(rules, 1, AT(SUN, 23, 0)), 420);
	assert_int_equal(rate_next_change(rules, 0, 0), RATE_WEEK_MINUTES);
	assert_int_equal(rate_off_for(rules, 1, AT(MON, 5, 0), JOB_LOW), 60);
	assert_int_equal(rate_off_for(rules, 1, AT(MON, 6, 0), JOB_LOW), 0);
	rules[1] = rule("low off");
	assert_int_equal(rate_off_for(rules, 2, AT(MON, 5, 0), JOB_LOW), 0); /* never */
	assert_int_equal(rate_off_for(rules, 2, AT(MON, 5, 0), JOB_HIGH), 60);
	assert_true(rate_has_windows(rules, 2));
	assert_false(rate_has_windows(rules + 1, 1));
}

static void rate_spend__whoever_takes_turns__keeps_to_the_limit(void **state)
{
	int64_t free_us = INT64_MIN / 2, now_us = 1000000;
	uint64_t bytes = 0;

	(void)state;
	for (unsigned i = 0; i < 10000; i++) { /* 16 KiB each, as curl brings them */
		int64_t wait_us = rate_spend(&free_us, 1000000, 16384, now_us);

		bytes += 16384;
		now_us += wait_us;
	}
	/* A burst of a tenth of a second, and no more. */
	assert_in_range(bytes, (uint64_t)(now_us - 1000000), (uint64_t)(now_us - 1000000) + 100000 + 16384);
	/* Quiet is not saved up. */
	now_us += 3600 * INT64_C(1000000);
	assert_int_equal(rate_spend(&free_us, 1000000, 100000, now_us), 0);
	assert_int_equal(rate_spend(&free_us, 1000000, 16384, now_us), 16384);
	assert_int_equal(rate_spend(&free_us, RATE_UNLIMITED, 16384, now_us), 0);
	/* The extremes: nothing overflows. */
	free_us = 0;
	assert_int_equal(rate_spend(&free_us, 1, 1048576, 0), INT64_C(1048576) * 1000000);
	free_us = 0;
	assert_int_equal(rate_spend(&free_us, 0, 16384, 0), RATE_OFF_US);
	assert_int_equal(free_us, 0);
	assert_int_equal(rate_spend(&(int64_t){ 0 }, RATE_PER_S_MAX, 16384, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rate_parse__what_it_reads__is_what_was_meant),
		cmocka_unit_test(rate_parse__what_is_wrong__is_said),
		cmocka_unit_test(rate_at__windows__hold_within_their_times),
		cmocka_unit_test(rate_spend__whoever_takes_turns__keeps_to_the_limit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
