#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/resume.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define UNKNOWN SIZE_UNKNOWN
#define DATE "Sun, 06 Nov 1994 08:49:37 GMT"
#define LATER "Sun, 06 Nov 1994 08:49:38 GMT"

#define KNOWN(offset, total, etag, modified, verified) { offset, total, etag, modified, verified, false, false, NULL, NULL, 0 }

/* --- what to ask --- */

static void resume_plan__table__a_range_only_with_a_validator(void **state)
{
	(void)state;
	static const struct {
		struct resume_known known;
		uint64_t offset;
		const char *validator;
	} cases[] = {
		/* nothing on disk: no range, whatever is known */
		{ KNOWN(0, UNKNOWN, "", "", false), 0, "" },
		{ KNOWN(0, 100, "\"a\"", DATE, false), 0, "" },
		/* strong tags */
		{ KNOWN(50, 100, "\"a\"", DATE, false), 50, "\"a\"" },
		{ KNOWN(50, UNKNOWN, "\"a\"", "", false), 50, "\"a\"" },
		{ KNOWN(50, 100, "\"\"", "", false), 50, "\"\"" },
		{ KNOWN(50, 100, "\"\xC3\xA4-W/\"", "", false), 50, "\"\xC3\xA4-W/\"" },
		/* the date where there is no strong tag */
		{ KNOWN(50, 100, "", DATE, false), 50, DATE },
		{ KNOWN(50, 100, "W/\"a\"", DATE, false), 50, DATE },
		{ KNOWN(50, 100, "unquoted", DATE, false), 50, DATE },
		/* no usable validator */
		{ KNOWN(50, 100, "", "", false), 0, "" },
		{ KNOWN(50, 100, "W/\"a\"", "", false), 0, "" },
		{ KNOWN(50, 100, "w/\"a\"", "", false), 0, "" },
		{ KNOWN(50, 100, "\"", "", false), 0, "" },
		{ KNOWN(50, 100, "\"a", "", false), 0, "" },
		{ KNOWN(50, 100, "a\"", "", false), 0, "" },
		{ KNOWN(50, 100, "\"a\"b\"", "", false), 0, "" },
		{ KNOWN(50, 100, "\"a b\"", "", false), 0, "" },
		{ KNOWN(50, 100, "\"a\x7F\"", "", false), 0, "" },
		{ KNOWN(50, 100, "\"a\"\r\nX: \"", "", false), 0, "" },
		{ KNOWN(50, 100, "", "Sun\r\nX: y", false), 0, "" },
		/* all is there, though nobody recorded that it is whole: the last byte tells */
		{ KNOWN(100, 100, "\"a\"", "", false), 99, "\"a\"" },
		{ KNOWN(2, 2, "\"a\"", "", false), 1, "\"a\"" },
		{ KNOWN(1, 1, "\"a\"", "", false), 0, "" },
		{ KNOWN(100, 100, "", "", false), 0, "" },
		{ KNOWN(0, 0, "\"a\"", "", false), 0, "" },
		/* no validator, but a digest, and a size: the end tells */
		{ KNOWN(50, 100, "", "", true), 50, "" },
		{ KNOWN(50, 100, "W/\"a\"", "", true), 50, "" },
		{ KNOWN(50, 100, "\"a\"\r\nX: \"", "", true), 50, "" },
		{ KNOWN(100, 100, "", "", true), 99, "" },
		{ KNOWN(50, UNKNOWN, "", "", true), 0, "" },
		{ KNOWN(101, 100, "", "", true), 0, "" },
		{ KNOWN(0, 100, "", "", true), 0, "" },
		{ KNOWN(50, 100, "\"a\"", DATE, true), 50, "\"a\"" },
		{ KNOWN(50, 100, "", DATE, true), 50, DATE },
		/* more than all: what is on disk is something else */
		{ KNOWN(101, 100, "\"a\"", "", false), 0, "" },
		{ KNOWN(UNKNOWN - 1, UNKNOWN, "\"a\"", "", false), UNKNOWN - 1, "\"a\"" },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct resume_request request;
		resume_plan(&cases[i].known, &request);
		if (request.offset != cases[i].offset || strcmp(request.validator, cases[i].validator) != 0)
			fail_msg("case %d: %llu, %s", (int)i, (unsigned long long)request.offset, request.validator);
		if (!cases[i].known.verified)
			assert_int_equal(request.offset > 0, request.validator[0] != '\0');
	}
}

/* --- what came --- */

/* An answer in a line: status, Content-Range (NULL: none), Content-Length, tag, date. */
struct given {
	long status;
	const char *range;
	uint64_t length;
	const char *etag, *modified;
	bool encoded;
};

static struct resume_answer answer_of(const struct given *given)
{
	struct resume_answer answer = {
		.status = given->status,
		.content_length = given->length,
		.encoded = given->encoded,
	};
	if (given->range)
		answer.has_content_range = resume_parse_content_range(text_view(given->range), &answer.range_first,
		                                                      &answer.range_last, &answer.range_total);
	assert_int_equal(text_copy(answer.etag, sizeof(answer.etag), text_view(given->etag)), RESULT_OK);
	assert_int_equal(text_copy(answer.modified, sizeof(answer.modified), text_view(given->modified)), RESULT_OK);
	return answer;
}

static void resume_judge__table__continues_only_the_same_file_at_the_same_place(void **state)
{
	(void)state;
	static const struct resume_known tagged = KNOWN(50, 100, "\"a\"", DATE, false);
	static const struct resume_known weak = KNOWN(50, 100, "W/\"a\"", DATE, false);
	static const struct resume_known dated = KNOWN(50, 100, "", DATE, false);
	static const struct resume_known sizeless = KNOWN(50, UNKNOWN, "\"a\"", "", false);
	static const struct resume_known fresh = KNOWN(0, UNKNOWN, "", "", false);
	static const struct resume_known bare = KNOWN(50, 100, "", "", true);
	static const struct resume_known bare_weak = KNOWN(50, 100, "W/\"a\"", "", true);
	static const struct resume_known whole = KNOWN(100, 100, "\"a\"", "", false);
	static const struct resume_known others = { 50, 100, "", "", false, true, false, NULL, NULL, 0 };
	static const struct resume_known others_kept = { 50, 100, "", "", true, true, true, NULL, NULL, 0 };
	static const struct resume_known others_sizeless = { 50, UNKNOWN, "", "", false, true, false, NULL, NULL, 0 };
	static const struct {
		const struct resume_known *known;
		struct given given;
		enum resume_verdict verdict;
		uint64_t total;     /* CONTINUE, RESTART */
		enum result result; /* REFUSE */
	} cases[] = {
		/* 206 as asked for */
		{ &tagged, { 206, "bytes 50-99/100", 50, "\"a\"", DATE, false }, RESUME_CONTINUE, 100, 0 },
		{ &tagged, { 206, "bytes 50-99/100", UNKNOWN, "", "", false }, RESUME_CONTINUE, 100, 0 },
		{ &tagged, { 206, "bytes 50-99/*", 50, "\"a\"", "", false }, RESUME_CONTINUE, 100, 0 },
		{ &tagged, { 206, "bytes 50-69/100", 20, "\"a\"", "", false }, RESUME_CONTINUE, 100, 0 },
		{ &tagged, { 206, "bytes 50-99/100", 50, "\"a\"", LATER, false }, RESUME_CONTINUE, 100, 0 },
		{ &sizeless, { 206, "bytes 50-99/100", 50, "\"a\"", "", false }, RESUME_CONTINUE, 100, 0 },
		{ &sizeless, { 206, "bytes 50-99/*", 50, "\"a\"", "", false }, RESUME_AGAIN, 0, 0 },
		{ &dated, { 206, "bytes 50-99/100", 50, "", DATE, false }, RESUME_CONTINUE, 100, 0 },
		{ &dated, { 206, "bytes 50-99/100", 50, "\"new\"", DATE, false }, RESUME_CONTINUE, 100, 0 },
		{ &weak, { 206, "bytes 50-99/100", 50, "W/\"a\"", DATE, false }, RESUME_CONTINUE, 100, 0 },
		{ &whole, { 206, "bytes 99-99/100", 1, "\"a\"", "", false }, RESUME_CONTINUE, 100, 0 },
		{ &bare, { 206, "bytes 50-99/100", 50, "\"new\"", LATER, false }, RESUME_CONTINUE, 100, 0 },
		{ &bare, { 206, "bytes 50-99/*", 50, "", "", false }, RESUME_CONTINUE, 100, 0 },
		{ &bare_weak, { 206, "bytes 50-99/100", 50, "W/\"a\"", "", false }, RESUME_CONTINUE, 100, 0 },
		/* 206 of another place or another file */
		{ &bare, { 206, "bytes 50-100/101", 51, "", "", false }, RESUME_AGAIN, 0, 0 },
		{ &bare, { 206, "bytes 0-99/100", 100, "", "", false }, RESUME_AGAIN, 0, 0 },
		{ &bare_weak, { 206, "bytes 50-99/100", 50, "W/\"b\"", "", false }, RESUME_AGAIN, 0, 0 },
		{ &tagged, { 206, "bytes 49-99/100", 51, "\"a\"", "", false }, RESUME_AGAIN, 0, 0 },
		{ &tagged, { 206, "bytes 51-99/100", 49, "\"a\"", "", false }, RESUME_AGAIN, 0, 0 },
		{ &tagged, { 206, "bytes 0-99/100", 100, "\"a\"", "", false }, RESUME_AGAIN, 0, 0 },
		{ &tagged, { 206, "bytes 50-100/101", 51, "\"a\"", "", false }, RESUME_AGAIN, 0, 0 },
		{ &tagged, { 206, "bytes 50-98/99", 49, "\"a\"", "", false }, RESUME_AGAIN, 0, 0 },
		{ &tagged, { 206, "bytes 50-100/*", 51, "\"a\"", "", false }, RESUME_AGAIN, 0, 0 },
		{ &tagged, { 206, "bytes 50-99/100", 50, "\"b\"", DATE, false }, RESUME_AGAIN, 0, 0 },
		{ &tagged, { 206, "bytes 50-99/100", 50, "W/\"a\"", DATE, false }, RESUME_AGAIN, 0, 0 },
		{ &tagged, { 206, "bytes 50-99/100", 50, "", LATER, false }, RESUME_AGAIN, 0, 0 },
		{ &dated, { 206, "bytes 50-99/100", 50, "", LATER, false }, RESUME_AGAIN, 0, 0 },
		{ &weak, { 206, "bytes 50-99/100", 50, "W/\"b\"", DATE, false }, RESUME_AGAIN, 0, 0 },
		{ &weak, { 206, "bytes 50-99/100", 50, "W/\"a\"", LATER, false }, RESUME_AGAIN, 0, 0 },
		/* 206 that breaks the rules */
		{ &tagged, { 206, NULL, 50, "\"a\"", "", false }, RESUME_REFUSE, 0, RESULT_INSUFFICIENT_HTTP },
		{ &tagged, { 206, "bytes 50-99/99", 50, "\"a\"", "", false }, RESUME_REFUSE, 0, RESULT_INSUFFICIENT_HTTP },
		{ &tagged, { 206, "items 50-99/100", 50, "", "", false }, RESUME_REFUSE, 0, RESULT_INSUFFICIENT_HTTP },
		{ &tagged, { 206, "bytes 50-99/100", 49, "", "", false }, RESUME_REFUSE, 0, RESULT_INSUFFICIENT_HTTP },
		{ &tagged, { 206, "bytes 50-99/100", 0, "", "", false }, RESUME_REFUSE, 0, RESULT_INSUFFICIENT_HTTP },
		{ &tagged, { 206, "bytes 50-99/100", 50, "", "", true }, RESUME_REFUSE, 0, RESULT_INSUFFICIENT_HTTP },
		{ &fresh, { 206, "bytes 0-99/100", 100, "", "", false }, RESUME_REFUSE, 0, RESULT_INSUFFICIENT_HTTP },
		{ &fresh, { 206, NULL, 100, "", "", false }, RESUME_REFUSE, 0, RESULT_INSUFFICIENT_HTTP },
		/* 200: the whole file */
		{ &fresh, { 200, NULL, 100, "\"a\"", DATE, false }, RESUME_RESTART, 100, 0 },
		{ &fresh, { 200, NULL, UNKNOWN, "", "", false }, RESUME_RESTART, UNKNOWN, 0 },
		{ &fresh, { 200, NULL, 0, "", "", false }, RESUME_RESTART, 0, 0 },
		{ &tagged, { 200, NULL, 100, "\"a\"", DATE, false }, RESUME_RESTART, 100, 0 },
		{ &tagged, { 200, NULL, 70, "\"b\"", LATER, false }, RESUME_RESTART, 70, 0 },
		{ &tagged, { 200, NULL, UNKNOWN, "", "", false }, RESUME_RESTART, UNKNOWN, 0 },
		{ &tagged, { 200, "bytes 50-99/100", 100, "", "", false }, RESUME_RESTART, 100, 0 },
		{ &fresh, { 200, NULL, 100, "", "", true }, RESUME_REFUSE, 0, RESULT_INSUFFICIENT_HTTP },
		/* of another source than what is on disk: that is not given up for what is another file, nor lightly */
		{ &others, { 200, NULL, 100, "\"a\"", "", false }, RESUME_RESTART, 100, 0 },
		{ &others, { 200, NULL, UNKNOWN, "", "", false }, RESUME_RESTART, UNKNOWN, 0 },
		{ &others, { 200, NULL, 70, "\"a\"", "", false }, RESUME_REFUSE, 0, RESULT_SIZE_MISMATCH },
		{ &others_sizeless, { 200, NULL, 70, "\"a\"", "", false }, RESUME_RESTART, 70, 0 },
		{ &others_kept, { 206, "bytes 50-99/100", 50, "\"a\"", "", false }, RESUME_CONTINUE, 100, 0 },
		{ &others_kept, { 200, NULL, 100, "\"a\"", "", false }, RESUME_REFUSE, 0, RESULT_RESTART },
		{ &others_kept, { 200, NULL, UNKNOWN, "\"a\"", "", false }, RESUME_REFUSE, 0, RESULT_RESTART },
		{ &others_kept, { 200, NULL, 70, "\"a\"", "", false }, RESUME_REFUSE, 0, RESULT_SIZE_MISMATCH },
		{ &tagged, { 200, NULL, 100, "", "", true }, RESUME_REFUSE, 0, RESULT_INSUFFICIENT_HTTP },
		/* 416 */
		{ &tagged, { 416, "bytes */70", 0, "", "", false }, RESUME_AGAIN, 0, 0 },
		{ &tagged, { 416, NULL, UNKNOWN, "", "", true }, RESUME_AGAIN, 0, 0 },
		{ &fresh, { 416, "bytes */0", 0, "", "", false }, RESUME_REFUSE, 0, RESULT_HTTP_STATUS },
		/* successes that are not the file */
		{ &fresh, { 201, NULL, 5, "", "", false }, RESUME_REFUSE, 0, RESULT_INSUFFICIENT_HTTP },
		{ &fresh, { 202, NULL, 5, "", "", false }, RESUME_REFUSE, 0, RESULT_INSUFFICIENT_HTTP },
		{ &fresh, { 203, NULL, 100, "", "", false }, RESUME_REFUSE, 0, RESULT_INSUFFICIENT_HTTP },
		{ &fresh, { 204, NULL, 0, "", "", false }, RESUME_REFUSE, 0, RESULT_INSUFFICIENT_HTTP },
		{ &tagged, { 205, NULL, 0, "", "", false }, RESUME_REFUSE, 0, RESULT_INSUFFICIENT_HTTP },
		/* the rest goes by status, encoded error pages too */
		{ &tagged, { 304, NULL, UNKNOWN, "\"a\"", "", false }, RESUME_REFUSE, 0, RESULT_HTTP_STATUS },
		{ &fresh, { 302, NULL, 0, "", "", false }, RESUME_REFUSE, 0, RESULT_HTTP_STATUS },
		{ &fresh, { 404, NULL, 10, "", "", true }, RESUME_REFUSE, 0, RESULT_HTTP_STATUS },
		{ &tagged, { 412, NULL, 0, "", "", false }, RESUME_REFUSE, 0, RESULT_HTTP_STATUS },
		{ &tagged, { 503, NULL, 0, "", "", true }, RESUME_REFUSE, 0, RESULT_HTTP_TRANSIENT },
		{ &tagged, { 429, NULL, 0, "", "", false }, RESUME_REFUSE, 0, RESULT_HTTP_TRANSIENT },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct resume_request request;
		struct resume_answer answer = answer_of(&cases[i].given);
		struct fault fault = { 0 };
		uint64_t total = 4711;
		resume_plan(cases[i].known, &request);
		enum resume_verdict verdict = resume_judge(cases[i].known, &request, &answer, &total, &fault);
		if (verdict != cases[i].verdict)
			fail_msg("case %d: verdict %d", (int)i, (int)verdict);
		if (verdict == RESUME_CONTINUE || verdict == RESUME_RESTART)
			assert_int_equal(total, cases[i].total);
		else
			assert_int_equal(total, 4711);
		assert_int_equal(fault.result, verdict == RESUME_REFUSE ? cases[i].result : RESULT_OK);
		if (verdict == RESUME_REFUSE) {
			assert_int_equal(fault.source, FAULT_HTTP);
			assert_int_equal(fault.raw, cases[i].given.status);
			assert_true(strlen(fault.what) > 0);
		}
		(void)resume_judge(cases[i].known, &request, &answer, &total, NULL);
	}
}

/* "Ask again without a range" would go round for ever if it were the verdict on a request without one. */
static void resume_judge__without_a_range__never_asks_again(void **state)
{
	(void)state;
	static const struct resume_known known[] = {
		KNOWN(0, UNKNOWN, "", "", false), KNOWN(0, 100, "\"a\"", DATE, false), KNOWN(50, 100, "", "", false),
		KNOWN(101, 100, "\"a\"", "", false),
	};
	static const char *const ranges[] = { NULL, "bytes 0-99/100", "bytes 50-99/100", "bytes 0-0/*" };
	for (size_t k = 0; k < COUNT(known); k++) {
		struct resume_request request;
		resume_plan(&known[k], &request);
		assert_int_equal(request.offset, 0);
		for (long status = 0; status < 1000; status++) {
			for (size_t r = 0; r < COUNT(ranges); r++) {
				struct given given = { status, ranges[r], UNKNOWN, "\"b\"", LATER, false };
				struct resume_answer answer = answer_of(&given);
				uint64_t total;
				struct fault fault = { 0 };
				enum resume_verdict verdict = resume_judge(&known[k], &request, &answer, &total, &fault);
				assert_int_equal(verdict, status == 200 ? RESUME_RESTART : RESUME_REFUSE);
				assert_true(verdict == RESUME_RESTART || result_class(fault.result) == RETRY_NEVER ||
				            result_class(fault.result) == RETRY_LATER);
			}
		}
	}
}

/* --- files that the client has --- */

static const struct file_condition had = { "\"had\"", 784111777000 };

static void resume_plan__a_condition__is_asked_with_the_whole_only(void **state)
{
	(void)state;
	static const struct {
		struct resume_known known;
		uint64_t offset;
		bool conditional;
	} cases[] = {
		{ { 0, UNKNOWN, "", "", false, false, false, &had, NULL, 0 }, 0, true },
		{ { 0, 100, "\"a\"", DATE, false, false, false, &had, NULL, 0 }, 0, true },
		/* what has begun to come is another file, known already */
		{ { 50, 100, "\"a\"", DATE, false, false, false, &had, NULL, 0 }, 50, false },
		{ { 50, 100, "", DATE, false, false, false, &had, NULL, 0 }, 50, false },
		{ { 100, 100, "\"a\"", "", false, false, false, &had, NULL, 0 }, 99, false },
		/* but where it is of no use, it may have become again what the client has */
		{ { 50, 100, "", "", false, false, false, &had, NULL, 0 }, 0, true },
		{ { 101, 100, "\"a\"", "", false, false, false, &had, NULL, 0 }, 0, true },
		/* unless somebody else said so */
		{ { 50, 100, "", "", false, true, false, &had, NULL, 0 }, 0, false },
		{ { 50, 100, "", "", false, true, true, &had, NULL, 0 }, 0, false },
		{ { 0, UNKNOWN, "", "", false, false, false, NULL, NULL, 0 }, 0, false },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct resume_request request;
		resume_plan(&cases[i].known, &request);
		if (request.offset != cases[i].offset || request.conditional != cases[i].conditional)
			fail_msg("case %d: %llu, %d", (int)i, (unsigned long long)request.offset, request.conditional);
		resume_plan_whole(&cases[i].known, &request);
		assert_int_equal(request.offset, 0);
		assert_string_equal(request.validator, "");
		assert_int_equal(request.conditional, cases[i].known.condition && !cases[i].known.elsewhere);
	}
}

static void resume_judge__not_modified__is_a_success_only_if_it_was_asked_for(void **state)
{
	(void)state;
	static const struct resume_known fresh = { 0, UNKNOWN, "", "", false, false, false, &had, NULL, 0 };
	static const struct resume_known begun = { 50, 100, "\"a\"", DATE, false, false, false, &had, NULL, 0 };
	static const struct resume_known useless = { 50, 100, "", "", false, false, false, &had, NULL, 0 };
	static const struct resume_known elsewhere = { 50, 100, "", "", false, true, false, &had, NULL, 0 };
	static const struct resume_known plain = KNOWN(0, UNKNOWN, "", "", false);
	static const struct {
		const struct resume_known *known;
		struct given given;
		enum resume_verdict verdict;
	} cases[] = {
		{ &fresh, { 304, NULL, UNKNOWN, "\"had\"", "", false }, RESUME_UNCHANGED },
		{ &fresh, { 304, NULL, UNKNOWN, "", "", false }, RESUME_UNCHANGED },
		{ &fresh, { 304, NULL, 100, "\"other\"", LATER, true }, RESUME_UNCHANGED }, /* of the file that it does not send */
		{ &useless, { 304, NULL, UNKNOWN, "\"had\"", "", false }, RESUME_UNCHANGED },
		{ &begun, { 304, NULL, UNKNOWN, "\"a\"", "", false }, RESUME_REFUSE },
		{ &elsewhere, { 304, NULL, UNKNOWN, "\"had\"", "", false }, RESUME_REFUSE },
		{ &plain, { 304, NULL, UNKNOWN, "\"had\"", "", false }, RESUME_REFUSE },
		/* a server that knows no conditions sends the file: it is taken */
		{ &fresh, { 200, NULL, 100, "\"had\"", DATE, false }, RESUME_RESTART },
		{ &fresh, { 206, "bytes 0-99/100", 100, "\"had\"", "", false }, RESUME_REFUSE },
		{ &fresh, { 412, NULL, 0, "", "", false }, RESUME_REFUSE },
		{ &fresh, { 404, NULL, 0, "", "", false }, RESUME_REFUSE },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct resume_request request;
		struct resume_answer answer = answer_of(&cases[i].given);
		struct fault fault = { 0 };
		uint64_t total = 4711;
		resume_plan(cases[i].known, &request);
		enum resume_verdict verdict = resume_judge(cases[i].known, &request, &answer, &total, &fault);
		if (verdict != cases[i].verdict)
			fail_msg("case %d: verdict %d", (int)i, (int)verdict);
		if (verdict == RESUME_REFUSE && cases[i].given.status == 304)
			assert_int_equal(fault.result, RESULT_HTTP_STATUS);
		if (verdict == RESUME_UNCHANGED)
			assert_true(total == 4711 && fault.result == RESULT_OK);
	}
}

/* --- the end --- */

/* --- one of several --- */

static void resume_judge_part__table__only_exactly_what_was_asked(void **state)
{
	(void)state;
	const struct resume_known known = KNOWN(50, 1000, "\"a\"", DATE, false), weak = KNOWN(50, 1000, "W/\"a\"", DATE, false);
	const struct resume_request request = { .offset = 100, .end = 200, .validator = "\"a\"" };
	static const struct {
		bool good;
		struct resume_answer answer;
	} cases[] = {
		{ true, { 206, true, 100, 199, 1000, 100, false, "\"a\"", DATE } },
		{ true, { 206, true, 100, 199, 1000, UNKNOWN, false, "\"a\"", LATER } },
		{ false, { 200, false, 0, 0, 0, 1000, false, "\"a\"", DATE } },
		{ false, { 200, true, 100, 199, 1000, 100, false, "\"a\"", DATE } },
		{ false, { 416, true, 100, 199, 1000, 100, false, "\"a\"", DATE } },
		{ false, { 503, false, 0, 0, 0, 4, false, "", "" } },
		{ false, { 206, false, 100, 199, 1000, 100, false, "\"a\"", DATE } },
		{ false, { 206, true, 99, 199, 1000, 101, false, "\"a\"", DATE } },
		{ false, { 206, true, 101, 199, 1000, 99, false, "\"a\"", DATE } },
		{ false, { 206, true, 100, 198, 1000, 99, false, "\"a\"", DATE } },
		{ false, { 206, true, 100, 200, 1000, 101, false, "\"a\"", DATE } },
		{ false, { 206, true, 100, 199, 1001, 100, false, "\"a\"", DATE } },
		{ false, { 206, true, 100, 199, UNKNOWN, 100, false, "\"a\"", DATE } },
		{ false, { 206, true, 100, 199, 1000, 99, false, "\"a\"", DATE } },
		{ false, { 206, true, 100, 199, 1000, 100, true, "\"a\"", DATE } },
		{ false, { 206, true, 100, 199, 1000, 100, false, "\"b\"", DATE } },
		{ false, { 206, true, 100, 199, 1000, 100, false, "W/\"a\"", DATE } },
		{ false, { 206, true, 100, 199, 1000, 100, false, "", DATE } },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct fault fault = { 0 };

		assert_int_equal(resume_judge_part(&known, &request, &cases[i].answer, &fault),
		                 cases[i].good ? RESULT_OK : RESULT_INSUFFICIENT_HTTP);
		assert_int_equal(fault.raw, cases[i].good ? 0 : cases[i].answer.status);
		assert_int_equal(resume_judge_part(&weak, &request, &cases[i].answer, &fault), RESULT_INSUFFICIENT_HTTP);
	}
}

static void resume_finish__table__counts(void **state)
{
	(void)state;
	static const struct {
		uint64_t received, total;
		enum result result;
	} cases[] = {
		{ 100, 100, RESULT_OK },
		{ 0, 0, RESULT_OK },
		{ 0, UNKNOWN, RESULT_OK },
		{ 100, UNKNOWN, RESULT_OK },
		{ 99, 100, RESULT_CONNECTION_CLOSED },
		{ 0, 1, RESULT_CONNECTION_CLOSED },
		{ 101, 100, RESULT_REMOTE_CHANGED },
		{ 1, 0, RESULT_REMOTE_CHANGED },
		{ UNKNOWN - 1, 100, RESULT_REMOTE_CHANGED },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct fault fault = { 0 };
		assert_int_equal(resume_finish(cases[i].received, cases[i].total, &fault), cases[i].result);
		assert_int_equal(fault.result, cases[i].result);
		assert_int_equal(resume_finish(cases[i].received, cases[i].total, NULL), cases[i].result);
	}
}

/* --- reading --- */

static void resume_parse_date__as_servers_send_it__is_read(void **state)
{
	static const struct {
		const char *text;
		int64_t unix_s;
	} cases[] = {
		{ "Sun, 06 Nov 1994 08:49:37 GMT", INT64_C(784111777) },
		{ "Thu, 01 Jan 1970 00:00:00 GMT", INT64_C(0) },
		{ "Wed, 31 Dec 1969 23:59:59 GMT", INT64_C(-1) },
		{ "Tue, 29 Feb 2000 12:00:00 GMT", INT64_C(951825600) },
		{ "Wed, 01 Mar 2000 00:00:00 GMT", INT64_C(951868800) },
		{ "Thu, 29 Feb 2024 00:00:00 GMT", INT64_C(1709164800) },
		{ "Fri, 27 Nov 2026 17:32:21 GMT", INT64_C(1795800741) },
		{ "Mon, 01 Mar 2100 00:00:00 GMT", INT64_C(4107542400) },
		{ "Fri, 31 Dec 9999 23:59:59 GMT", INT64_C(253402300799) },
		{ "Mon, 01 Jan 1601 00:00:00 GMT", INT64_C(-11644473600) },
	};
	static const char *const others[] = {
		"", "Sun", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 GMT ", " Sun, 06 Nov 1994 08:49:37 GMT",
		"Sun, 6 Nov 1994 08:49:37 GMT", "Sun, 00 Nov 1994 08:49:37 GMT", "Sun, 32 Nov 1994 08:49:37 GMT",
		"Sun, 06 nov 1994 08:49:37 GMT", "Sun, 06 Nov 94 08:49:37 GMT", "Sun, 06 Nov 1994 24:49:37 GMT",
		"Sun, 06 Nov 1994 08:60:37 GMT", "Sun, 06 Nov 1994 08:49:61 GMT", "Sun, 06 Nov 1994 08:49:37 UTC",
		"Sun, 06 Nov 1600 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994", "\xFF\xFF\xFF",
	};
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		int64_t unix_s = 4711;
		if (!resume_parse_date(text_view(cases[i].text), &unix_s) || unix_s != cases[i].unix_s)
			fail_msg("%s: %lld", cases[i].text, (long long)unix_s);
		char written[RESUME_DATE_BYTES];
		resume_format_date(unix_s, written);
		assert_string_equal(written, cases[i].text);
		/* Nothing behind the view is looked at. */
		for (size_t length = 0; length < strlen(cases[i].text); length++)
			assert_false(resume_parse_date((struct text_view){ cases[i].text, length }, &unix_s));
	}
	for (size_t i = 0; i < COUNT(others); i++) {
		int64_t unix_s = 4711;
		if (resume_parse_date(text_view(others[i]), &unix_s) || unix_s != 4711)
			fail_msg("%s: %lld", others[i], (long long)unix_s);
	}
}

/* Every day that a date can tell, and then some second of it. */
static void resume_format_date__every_day__is_read_as_it_was_written(void **state)
{
	(void)state;
	for (int64_t day = -134774; day <= 2932896; day++) {
		char text[RESUME_DATE_BYTES];
		int64_t unix_s = day * 86400 + (day * 7919 % 86400 + 86400) % 86400, back = 0;
		resume_format_date(unix_s, text);
		if (!resume_parse_date(text_view(text), &back) || back != unix_s)
			fail_msg("%lld: %s", (long long)unix_s, text);
	}
	/* A server's clock may say what no date can. */
	static const int64_t beyond[] = { INT64_MIN, INT64_MIN / 10000000 - 11644473600, -62135596801, INT64_MAX };
	for (size_t i = 0; i < COUNT(beyond); i++) {
		char text[RESUME_DATE_BYTES];
		int64_t back;
		resume_format_date(beyond[i], text);
		assert_true(resume_parse_date(text_view(text), &back));
		assert_int_equal(back, beyond[i] < 0 ? -11644473600 : 253402300799);
	}
}

static void resume_parse_content_range__good__is_read(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		uint64_t first, last, total;
	} cases[] = {
		{ "bytes 5-9/10", 5, 9, 10 },
		{ "bytes 5-9/*", 5, 9, UNKNOWN },
		{ "BYTES 5-9/10", 5, 9, 10 },
		{ "Bytes 0-0/1", 0, 0, 1 },
		{ "bytes 0-0/*", 0, 0, UNKNOWN },
		{ "bytes 005-009/0010", 5, 9, 10 },
		{ "bytes 9223372036854775805-9223372036854775806/9223372036854775807", INT64_MAX - 2, INT64_MAX - 1,
		  INT64_MAX },
		{ "bytes 0-9223372036854775807/*", 0, INT64_MAX, UNKNOWN },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		uint64_t first;
		uint64_t last;
		uint64_t total;
		assert_true(resume_parse_content_range(text_view(cases[i].text), &first, &last, &total));
		assert_int_equal(first, cases[i].first);
		assert_int_equal(last, cases[i].last);
		assert_int_equal(total, cases[i].total);
	}
}

static void resume_parse_content_range__anything_else__is_refused_and_nothing_written(void **state)
{
	(void)state;
	static const char *const texts[] = {
		"", " ", "b", "bytes", "bytes ", "bytes 5", "bytes 5-", "bytes 5-9", "bytes 5-9/", "bytes -9/10",
		"bytes */10", "bytes */*", "bytes 9-5/10", "bytes 5-10/10", "bytes 5-9/9", "bytes 5-9/0", "bytes 0-0/0",
		"bytes  5-9/10", "bytes\t5-9/10", "bytes=5-9/10", "bytes5-9/10", " bytes 5-9/10", "bytes 5-9/10 ",
		"bytes 5-9/10,", "bytes 5-9/10, 20-29/30", "bytes 5 - 9/10", "bytes 5-9 /10", "bytes 5-9/ 10",
		"bytes 5-9/**", "bytes 5-9/*0", "bytes 5-9/10*", "bytes +5-9/10", "bytes 5--9/10", "bytes 0x5-9/10",
		"bytes 5-9/-1", "bytes 5-9/1e9", "octets 5-9/10", "bytez 5-9/10", "byte 5-9/10", "\x02ytes 5-9/10",
		"bytes 0-9223372036854775808/*", "bytes 0-1/9223372036854775808", "bytes 0-1/18446744073709551615",
		"bytes 0-1/18446744073709551617", "bytes 18446744073709551616-18446744073709551617/*",
		"bytes 0-99999999999999999999999999999999999999999/*",
	};
	for (size_t i = 0; i < COUNT(texts); i++) {
		uint64_t first = 1;
		uint64_t last = 2;
		uint64_t total = 3;
		if (resume_parse_content_range(text_view(texts[i]), &first, &last, &total))
			fail_msg("accepted: '%s'", texts[i]);
		assert_true(first == 1 && last == 2 && total == 3);
	}
	uint64_t any;
	assert_false(resume_parse_content_range((struct text_view){ NULL, 0 }, &any, &any, &any));
	assert_false(resume_parse_content_range((struct text_view){ "bytes 5-9/10\0", 13 }, &any, &any, &any));
}

static void resume_parse_content_range__prefixes__are_not_read_beyond(void **state)
{
	(void)state;
	static const char text[] = "bytes 50-99/100";
	for (size_t length = 0; length < sizeof(text); length++) {
		char *exact = malloc(length > 0 ? length : 1);
		uint64_t any;
		assert_non_null(exact);
		memcpy(exact, text, length);
		/* The terminator, too, is refused as a byte of the value. */
		assert_int_equal(resume_parse_content_range((struct text_view){ exact, length }, &any, &any, &any),
		                 length == sizeof(text) - 1);
		free(exact);
	}
}

static void resume_status_result__every_status__is_bits_class(void **state)
{
	(void)state;
	/* The exceptions; the rest goes by hundreds. */
	static const long fatal[] = { 300, 301, 302, 303, 304, 305, 307, 308, 501, 505 };
	static const long transient[] = { 408, 409, 425, 429 };
	for (long status = -1; status < 1100; status++) {
		enum result expected = RESULT_HTTP_TRANSIENT;
		if (status >= 200 && status < 300)
			expected = RESULT_INSUFFICIENT_HTTP;
		else if (status >= 400 && status < 500)
			expected = RESULT_HTTP_STATUS;
		for (size_t i = 0; i < COUNT(fatal); i++)
			expected = fatal[i] == status ? RESULT_HTTP_STATUS : expected;
		for (size_t i = 0; i < COUNT(transient); i++)
			expected = transient[i] == status ? RESULT_HTTP_TRANSIENT : expected;
		assert_int_equal(resume_status_result(status), expected);
	}
}

static void resume_check_size__table__only_what_was_stated(void **state)
{
	(void)state;
	static const struct {
		uint64_t stated, bytes;
		enum result result;
	} cases[] = {
		{ SIZE_UNKNOWN, 5, RESULT_OK }, { 5, SIZE_UNKNOWN, RESULT_OK }, { SIZE_UNKNOWN, SIZE_UNKNOWN, RESULT_OK },
		{ 5, 5, RESULT_OK },            { 0, 0, RESULT_OK },            { 5, 4, RESULT_SIZE_MISMATCH },
		{ 5, 6, RESULT_SIZE_MISMATCH }, { 0, 1, RESULT_SIZE_MISMATCH }, { INT64_MAX, 0, RESULT_SIZE_MISMATCH },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fault fault = { .what = "" };
		assert_int_equal(resume_check_size(cases[i].stated, cases[i].bytes, &fault), cases[i].result);
	}
	struct fault fault;
	assert_int_equal(resume_check_size(17, 42, &fault), RESULT_SIZE_MISMATCH);
	assert_non_null(strstr(fault.what, "42"));
	assert_non_null(strstr(fault.what, "17"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(resume_plan__table__a_range_only_with_a_validator),
		cmocka_unit_test(resume_judge__table__continues_only_the_same_file_at_the_same_place),
		cmocka_unit_test(resume_judge__without_a_range__never_asks_again),
		cmocka_unit_test(resume_judge_part__table__only_exactly_what_was_asked),
		cmocka_unit_test(resume_plan__a_condition__is_asked_with_the_whole_only),
		cmocka_unit_test(resume_judge__not_modified__is_a_success_only_if_it_was_asked_for),
		cmocka_unit_test(resume_finish__table__counts),
		cmocka_unit_test(resume_check_size__table__only_what_was_stated),
		cmocka_unit_test(resume_parse_date__as_servers_send_it__is_read),
		cmocka_unit_test(resume_format_date__every_day__is_read_as_it_was_written),
		cmocka_unit_test(resume_parse_content_range__good__is_read),
		cmocka_unit_test(resume_parse_content_range__anything_else__is_refused_and_nothing_written),
		cmocka_unit_test(resume_parse_content_range__prefixes__are_not_read_beyond),
		cmocka_unit_test(resume_status_result__every_status__is_bits_class),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
