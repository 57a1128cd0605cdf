/* Files of ranges: what is asked for, and what of the answers is believed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/resume.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define UNKNOWN SIZE_UNKNOWN
#define DATE "Sun, 06 Nov 1994 08:49:37 GMT"
#define LATER "Sun, 06 Nov 1994 08:49:38 GMT"
#define TAG "\"a\""

static struct ranges parse(const char *text)
{
	struct ranges ranges = { .at = NULL };

	assert_int_equal(ranges_parse(text_view(text), &ranges, NULL), RESULT_OK);
	return ranges;
}

static void resume_plan__ranges__the_place_of_the_offset_with_a_validator_or_the_first(void **state)
{
	static const struct {
		const char *ranges;
		uint64_t offset, total;
		const char *etag, *modified;
		bool verified;
		uint64_t at, first, end; /* what is asked for; end 0: to the file's end */
		const char *validator;
	} cases[] = {
		{ "10-19,50-59", 0, 20, "", "", false, 0, 10, 20, "" },
		{ "10-19,50-59", 0, 20, TAG, DATE, false, 0, 10, 20, "" },
		{ "10-19,50-59", 5, 20, TAG, DATE, false, 5, 15, 20, TAG },
		{ "10-19,50-59", 10, 20, TAG, "", false, 10, 50, 60, TAG },
		{ "10-19,50-59", 10, 20, "W/\"a\"", DATE, false, 10, 50, 60, DATE },
		{ "10-19,50-59", 10, 20, "W/\"a\"", "", false, 0, 10, 20, "" },
		{ "10-19,50-59", 10, 20, "", "", false, 0, 10, 20, "" },
		{ "10-19,50-59", 10, 20, "", "", true, 10, 50, 60, "" },
		/* all is there: the last byte, again */
		{ "50-59,10-19", 20, 20, TAG, "", false, 19, 19, 20, TAG },
		/* to the end */
		{ "50-", 0, UNKNOWN, "", "", false, 0, 50, 0, "" },
		{ "50-", 0, 10, TAG, "", false, 0, 50, 0, "" }, /* what was known of an earlier version */
		{ "50-", 4, 10, TAG, "", false, 4, 54, 60, TAG },
		{ "50-,0-9", 10, 20, TAG, "", false, 10, 0, 10, TAG },
		{ "50-,0-9", 4, UNKNOWN, TAG, "", true, 0, 50, 0, "" }, /* where it goes on is not known */
		/* what cannot be is of no use */
		{ "10-19,50-59", 10, 21, TAG, "", false, 0, 10, 20, "" },
		{ "50-,0-9", 10, 10, TAG, "", false, 0, 50, 0, "" },
		{ "10-19", 11, 10, TAG, "", false, 0, 10, 20, "" },
		/* the whole, told as a range */
		{ "0-", 0, UNKNOWN, "", "", false, 0, 0, 0, "" },
	};
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO(ranges) struct ranges ranges = parse(cases[i].ranges);
		const struct resume_known known = { .offset = cases[i].offset, .total = cases[i].total, .etag = cases[i].etag,
			                                .modified = cases[i].modified, .verified = cases[i].verified, .ranges = &ranges };
		struct resume_request request;
		resume_plan(&known, &request);
		if (!request.is_range || request.conditional || request.offset != cases[i].at || request.first != cases[i].first ||
		    request.end != cases[i].end || strcmp(request.validator, cases[i].validator) != 0)
			fail_msg("case %zu: at %llu, %llu-%llu, '%s'", i, (unsigned long long)request.offset,
			         (unsigned long long)request.first, (unsigned long long)request.end, request.validator);
	}
}

/* What is known: of "10-19,50-59,70-", whose server's file had 100 bytes, everything up to `offset`. */
struct known {
	uint64_t offset;
	const char *etag, *modified;
	bool verified, elsewhere, keep;
	uint64_t remote_total;
};
#define FRESH { 0, "", "", false, false, false, 0 }
#define TAGGED { 10, TAG, DATE, false, false, false, 0 }
#define DATED { 10, "", DATE, false, false, false, 0 }
#define BARE { 10, "", "", true, false, false, 0 } /* the digest will tell */
#define PART(first, last, total, length, etag, modified) { 206, true, first, last, total, length, false, etag, modified }
#define OTHER(status, etag, modified) { status, false, 0, 0, 0, 7, false, etag, modified }

static void resume_judge__ranges__only_the_very_range_of_the_same_version(void **state)
{
	static const struct {
		struct known known;
		struct resume_answer answer;
		enum resume_verdict verdict;
		enum result result; /* of what is refused, or is if it was begun anew already */
	} cases[] = {
		/* the first: 10-19 */
		{ FRESH, PART(10, 19, 100, 10, TAG, ""), RESUME_RESTART, RESULT_OK },
		{ FRESH, PART(10, 19, 100, UNKNOWN, TAG, ""), RESUME_RESTART, RESULT_OK },
		{ FRESH, PART(10, 19, 100, 10, "", DATE), RESUME_RESTART, RESULT_OK },
		{ FRESH, PART(10, 12, 100, 3, TAG, ""), RESUME_RESTART, RESULT_OK }, /* shorter */
		{ FRESH, PART(10, 19, 100, 10, "", ""), RESUME_REFUSE, RESULT_INSUFFICIENT_HTTP },
		{ FRESH, PART(10, 19, 100, 10, "W/\"a\"", ""), RESUME_REFUSE, RESULT_INSUFFICIENT_HTTP },
		{ FRESH, PART(10, 20, 100, 11, TAG, ""), RESUME_REFUSE, RESULT_INSUFFICIENT_HTTP }, /* more */
		{ FRESH, PART(9, 19, 100, 11, TAG, ""), RESUME_REFUSE, RESULT_INSUFFICIENT_HTTP },
		{ FRESH, PART(0, 9, 100, 10, TAG, ""), RESUME_REFUSE, RESULT_INSUFFICIENT_HTTP },
		{ FRESH, PART(11, 19, 100, 9, TAG, ""), RESUME_REFUSE, RESULT_INSUFFICIENT_HTTP },
		{ FRESH, PART(10, 19, 100, 9, TAG, ""), RESUME_REFUSE, RESULT_INSUFFICIENT_HTTP }, /* Content-Length */
		{ FRESH, PART(10, 19, 70, 10, TAG, ""), RESUME_REFUSE, RESULT_INVALID_RANGE },     /* 70- is not there */
		{ FRESH, PART(10, 19, 59, 10, TAG, ""), RESUME_REFUSE, RESULT_INVALID_RANGE },
		{ FRESH, PART(10, 19, 71, 10, TAG, ""), RESUME_RESTART, RESULT_OK },
		{ FRESH, PART(10, 19, UNKNOWN, 10, TAG, ""), RESUME_REFUSE, RESULT_INSUFFICIENT_RANGE_SUPPORT },
		{ FRESH, OTHER(206, TAG, ""), RESUME_REFUSE, RESULT_INSUFFICIENT_HTTP }, /* several parts */
		{ FRESH, OTHER(200, TAG, ""), RESUME_REFUSE, RESULT_INSUFFICIENT_RANGE_SUPPORT },
		{ FRESH, OTHER(416, "", ""), RESUME_REFUSE, RESULT_INVALID_RANGE },
		{ FRESH, OTHER(304, TAG, ""), RESUME_REFUSE, RESULT_HTTP_STATUS },
		{ FRESH, OTHER(404, "", ""), RESUME_REFUSE, RESULT_HTTP_STATUS },
		{ FRESH, OTHER(503, "", ""), RESUME_REFUSE, RESULT_HTTP_TRANSIENT },
		{ FRESH, { 206, true, 10, 19, 100, 10, true, TAG, "" }, RESUME_REFUSE, RESULT_INSUFFICIENT_HTTP }, /* encoded */
		/* the second: 50-59 */
		{ TAGGED, PART(50, 59, 100, 10, TAG, DATE), RESUME_CONTINUE, RESULT_OK },
		{ TAGGED, PART(50, 59, 100, 10, TAG, ""), RESUME_CONTINUE, RESULT_OK },
		{ TAGGED, PART(50, 59, UNKNOWN, 10, TAG, ""), RESUME_CONTINUE, RESULT_OK },
		{ TAGGED, PART(50, 50, 100, 1, TAG, ""), RESUME_CONTINUE, RESULT_OK },
		{ TAGGED, PART(50, 59, 100, 10, "\"b\"", DATE), RESUME_AGAIN, RESULT_REMOTE_CHANGED },
		{ TAGGED, PART(50, 59, 100, 10, "W/\"a\"", DATE), RESUME_AGAIN, RESULT_REMOTE_CHANGED },
		{ TAGGED, PART(50, 59, 100, 10, "", DATE), RESUME_REFUSE, RESULT_INSUFFICIENT_HTTP },
		{ TAGGED, PART(50, 59, 101, 10, TAG, DATE), RESUME_AGAIN, RESULT_REMOTE_CHANGED },
		{ TAGGED, PART(50, 59, 60, 10, TAG, DATE), RESUME_AGAIN, RESULT_REMOTE_CHANGED },
		{ TAGGED, PART(10, 19, 100, 10, TAG, ""), RESUME_REFUSE, RESULT_INSUFFICIENT_HTTP },
		{ TAGGED, PART(50, 60, 100, 11, TAG, ""), RESUME_REFUSE, RESULT_INSUFFICIENT_HTTP },
		{ TAGGED, OTHER(206, TAG, ""), RESUME_REFUSE, RESULT_INSUFFICIENT_HTTP },
		{ TAGGED, OTHER(200, "\"b\"", LATER), RESUME_AGAIN, RESULT_REMOTE_CHANGED },
		{ TAGGED, OTHER(200, TAG, DATE), RESUME_AGAIN, RESULT_INSUFFICIENT_RANGE_SUPPORT }, /* knows no If-Range */
		{ TAGGED, OTHER(200, "", ""), RESUME_AGAIN, RESULT_REMOTE_CHANGED },
		{ TAGGED, OTHER(416, "", ""), RESUME_AGAIN, RESULT_INVALID_RANGE },
		{ TAGGED, OTHER(404, "", ""), RESUME_REFUSE, RESULT_HTTP_STATUS },
		{ DATED, PART(50, 59, 100, 10, "", DATE), RESUME_CONTINUE, RESULT_OK },
		{ DATED, PART(50, 59, 100, 10, "", ""), RESUME_CONTINUE, RESULT_OK }, /* RFC 9110 15.3.7: it need not repeat it */
		{ DATED, PART(50, 59, 100, 10, "", LATER), RESUME_AGAIN, RESULT_REMOTE_CHANGED },
		{ DATED, PART(50, 59, 99, 10, "", DATE), RESUME_AGAIN, RESULT_REMOTE_CHANGED },
		{ DATED, OTHER(200, "", DATE), RESUME_AGAIN, RESULT_INSUFFICIENT_RANGE_SUPPORT },
		{ { 10, "W/\"a\"", DATE, false, false, false, 0 }, PART(50, 59, 100, 10, "W/\"b\"", DATE), RESUME_AGAIN, RESULT_REMOTE_CHANGED },
		{ BARE, PART(50, 59, 100, 10, "", ""), RESUME_CONTINUE, RESULT_OK },
		{ BARE, PART(50, 59, 99, 10, "", ""), RESUME_AGAIN, RESULT_REMOTE_CHANGED },
		{ BARE, OTHER(200, "", ""), RESUME_REFUSE, RESULT_INSUFFICIENT_RANGE_SUPPORT },
		{ BARE, OTHER(416, "", ""), RESUME_AGAIN, RESULT_INVALID_RANGE },
		/* the size that this transfer was told goes before what the record implies */
		{ { 10, TAG, "", false, false, false, 101 }, PART(50, 59, 100, 10, TAG, ""), RESUME_AGAIN, RESULT_REMOTE_CHANGED },
		/* the last of the last: nothing follows it that needed proof */
		{ { 49, "", "", true, false, false, 0 }, PART(99, 99, 100, 1, "", ""), RESUME_CONTINUE, RESULT_OK },
		/* what came from another source */
		{ { 10, "", "", true, true, true, 0 }, PART(50, 59, 100, 10, "\"z\"", ""), RESUME_CONTINUE, RESULT_OK },
		{ { 10, "", "", true, true, true, 0 }, PART(50, 59, 90, 10, "\"z\"", ""), RESUME_AGAIN, RESULT_REMOTE_CHANGED },
		{ { 10, "", "", false, true, true, 0 }, PART(10, 19, 100, 10, TAG, ""), RESUME_REFUSE, RESULT_RESTART },
		{ { 10, "", "", false, true, false, 0 }, PART(10, 19, 100, 10, TAG, ""), RESUME_RESTART, RESULT_OK },
		{ { 10, "", "", false, true, false, 0 }, PART(10, 19, 90, 10, TAG, ""), RESUME_REFUSE, RESULT_SIZE_MISMATCH },
	};
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO(ranges) struct ranges ranges = parse("10-19,50-59,70-");
		const struct known *is = &cases[i].known;
		const struct resume_known known = { .offset = is->offset, .total = is->offset > 0 ? 50 : UNKNOWN, .etag = is->etag,
			                                .modified = is->modified, .verified = is->verified, .elsewhere = is->elsewhere,
			                                .keep = is->keep, .ranges = &ranges, .remote_total = is->remote_total };
		struct resume_request request;
		struct fault fault = { .result = RESULT_OK };
		uint64_t total = 0;
		resume_plan(&known, &request);
		enum resume_verdict verdict = resume_judge(&known, &request, &cases[i].answer, &total, &fault);
		if (verdict != cases[i].verdict || fault.result != cases[i].result)
			fail_msg("case %zu: verdict %d, %s: %s", i, (int)verdict, result_name(fault.result), fault.what);
		if (verdict == RESUME_CONTINUE)
			assert_int_equal(total, 50);
		if (verdict == RESUME_RESTART)
			assert_int_equal(total, ranges_total(&ranges, cases[i].answer.range_total));
	}
}

/* One that one request brings needs nothing to go on by. */
static void resume_judge__one_request__needs_no_validator(void **state)
{
	static const struct {
		const char *ranges;
		struct resume_answer answer;
		enum resume_verdict verdict;
		uint64_t total;
	} cases[] = {
		{ "10-19", PART(10, 19, 100, 10, "", ""), RESUME_RESTART, 10 },
		{ "10-19", PART(10, 19, UNKNOWN, 10, "", ""), RESUME_RESTART, 10 },
		{ "10-19", PART(10, 18, 100, 9, "", ""), RESUME_REFUSE, 0 },
		{ "10-19,20-29", PART(10, 29, 100, 20, "", ""), RESUME_RESTART, 20 },
		{ "90-", PART(90, 99, 100, 10, "", ""), RESUME_RESTART, 10 },
		{ "90-", PART(90, 98, 100, 9, "", ""), RESUME_REFUSE, 0 },
		{ "80-89,90-", PART(80, 99, 100, 20, "", ""), RESUME_RESTART, 20 },
		{ "0-", PART(0, 99, 100, 100, "", ""), RESUME_RESTART, 100 },
		{ "0-", OTHER(200, "", ""), RESUME_REFUSE, 0 },
	};
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO(ranges) struct ranges ranges = parse(cases[i].ranges);
		const struct resume_known known = { .total = UNKNOWN, .etag = "", .modified = "", .ranges = &ranges };
		struct resume_request request;
		struct fault fault;
		uint64_t total = 0;
		resume_plan(&known, &request);
		enum resume_verdict verdict = resume_judge(&known, &request, &cases[i].answer, &total, &fault);
		if (verdict != cases[i].verdict || (verdict == RESUME_RESTART && total != cases[i].total))
			fail_msg("case %zu: verdict %d, total %llu", i, (int)verdict, (unsigned long long)total);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(resume_plan__ranges__the_place_of_the_offset_with_a_validator_or_the_first),
		cmocka_unit_test(resume_judge__ranges__only_the_very_range_of_the_same_version),
		cmocka_unit_test(resume_judge__one_request__needs_no_validator),
	};
	return cmocka_run_group_tests_name("resume ranges", tests, NULL, NULL);
}
