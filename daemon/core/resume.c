#include "core/resume.h"

#include <string.h>

/* --- what to ask --- */

/* RFC 9110 section 8.8.3: "..." with visible characters inside; W/"..." only promises that the meaning is the
 * same, which is no base for splicing bytes. */
bool resume_is_strong_etag(const char *etag)
{
	return etag[0] == '"' && file_etag_is_valid(text_view(etag));
}

/* A date is only as good as its second: a file that changed twice within one keeps it.  RFC 9110 section
 * 13.1.5 would use it only where no entity tag is known at all and the date is known to be strong.  Servers
 * that send weak tags for plain files are common, and BITS itself has nothing but size and date; so the
 * date serves, and resume_judge holds size, date and even the weak tag of the answer against what is known. */
static bool is_usable_date(const char *modified)
{
	return modified[0] != '\0' && !text_has_control(text_view(modified));
}

/* As much of a file of ranges as one request can have.  Where it begins anew, nothing that was known of its size counts. */
static void plan_range(const struct resume_known *known, uint64_t offset, const char *validator,
                       struct resume_request *ret_request)
{
	struct range_place place = ranges_find(known->ranges, offset, offset > 0 ? known->total : SIZE_UNKNOWN);

	*ret_request = (struct resume_request){ .offset = offset, .validator = validator, .is_range = true, .first = place.first,
		                                .end = place.end == RANGE_TO_EOF ? 0 : place.end };
}

/* Bytes that came of one source say that the file has changed: another one, which may be behind, is not asked whether. */
void resume_plan_whole(const struct resume_known *known, struct resume_request *ret_request)
{
	if (known->ranges != NULL)
		plan_range(known, 0, "", ret_request);
	else
		*ret_request = (struct resume_request){ .offset = 0, .validator = "",
			                                .conditional = known->condition != NULL && !known->elsewhere };
}

void resume_plan(const struct resume_known *known, struct resume_request *ret_request)
{
	const char *validator = "";
	if (resume_is_strong_etag(known->etag))
		validator = known->etag;
	else if (is_usable_date(known->modified))
		validator = known->modified;

	/* With all bytes there, a range from the end would be refused with 416, whatever the server has.  Asking
	 * for the last byte again lets the validator be checked at the price of one byte. */
	uint64_t offset = known->offset;
	if (known->total != SIZE_UNKNOWN && offset > 0 && offset == known->total)
		offset--;
	if (offset > known->total)
		offset = 0;
	if (known->ranges != NULL && (known->total == SIZE_UNKNOWN || !ranges_allow_total(known->ranges, known->total)))
		offset = 0;

	/* Without a validator only the digest says that the rest belongs to the beginning; without a size it could not even
	 * be seen that the answer is of another one. */
	bool provable = validator[0] != '\0' || (known->verified && known->total != SIZE_UNKNOWN);
	if (offset == 0 || !provable)
		resume_plan_whole(known, ret_request);
	else if (known->ranges != NULL)
		plan_range(known, offset, validator, ret_request);
	else
		*ret_request = (struct resume_request){ .offset = offset, .validator = validator };
}

/* --- what came --- */

static enum resume_verdict refuse(struct fault *fault, enum result result, long status, const char *why)
{
	(void)fault_set(fault, result, FAULT_HTTP, status, "%s", why);
	return RESUME_REFUSE;
}

/* Whether the validators that came are those that are known.  Strong tags decide alone: behind a load
 * balancer equal files may have different dates. */
static bool is_same_file(const struct resume_known *known, const struct resume_answer *answer)
{
	if (known->etag[0] != '\0' && answer->etag[0] != '\0') {
		if (strcmp(known->etag, answer->etag) != 0)
			return false;
		if (resume_is_strong_etag(known->etag))
			return true;
	}
	return known->modified[0] == '\0' || answer->modified[0] == '\0' ||
	       strcmp(known->modified, answer->modified) == 0;
}

/* What is wrong with a 206 whatever is known of the file, or NULL. */
static const char *broken_partial(const struct resume_request *request, const struct resume_answer *answer)
{
	if (request->offset == 0 && !request->is_range)
		return "206 without a range asked for";
	if (!answer->has_content_range)
		return "206 without one Content-Range (several parts?)";
	if (answer->range_last < answer->range_first || answer->range_last >= answer->range_total)
		return "206 with an impossible Content-Range";
	if (answer->content_length != SIZE_UNKNOWN &&
	    answer->content_length - 1 != answer->range_last - answer->range_first)
		return "206 whose Content-Length is not that of its Content-Range";
	return NULL;
}

static enum resume_verdict judge_partial(const struct resume_known *known,
                                         const struct resume_request *request,
                                         const struct resume_answer *answer, uint64_t *ret_total,
                                         struct fault *fault)
{
	const char *broken = broken_partial(request, answer);
	if (broken)
		return refuse(fault, RESULT_INSUFFICIENT_HTTP, answer->status, broken);

	if (answer->range_first != request->offset)
		return RESUME_AGAIN;
	uint64_t total = answer->range_total != SIZE_UNKNOWN ? answer->range_total : known->total;
	if (known->total != SIZE_UNKNOWN && total != known->total)
		return RESUME_AGAIN;
	if (answer->range_last >= total)
		return RESUME_AGAIN; /* "/ *", and more than the file had */
	if (!is_same_file(known, answer))
		return RESUME_AGAIN;
	if (total == SIZE_UNKNOWN)
		return RESUME_AGAIN; /* nobody could tell at its end whether that was all */

	/* A server may send less than the rest: the body ends early, and the next request goes on from there. */
	*ret_total = total;
	return RESUME_CONTINUE;
}

/* --- what came of a file of ranges --- */

/* What is there already may be of another version of the file, whose ranges are begun anew, once. */
static enum resume_verdict begin_anew(const struct resume_request *request, enum result result,
                                      const struct resume_answer *answer, const char *why, struct fault *fault)
{
	(void)refuse(fault, result, answer->status, why);
	return request->offset > 0 ? RESUME_AGAIN : RESUME_REFUSE;
}

/* No body can be used.  Who answers the question whether it still is the same file with all of it, and the same tag, does
 * not know such questions. */
static enum resume_verdict judge_no_range(const struct resume_known *known, const struct resume_request *request,
                                          const struct resume_answer *answer, struct fault *fault)
{
	bool changed = (answer->etag[0] == '\0' && answer->modified[0] == '\0') || !is_same_file(known, answer);

	if (answer->status == 416)
		return begin_anew(request, RESULT_INVALID_RANGE, answer, "the file has no such range", fault);
	if (request->validator[0] == '\0')
		return refuse(fault, RESULT_INSUFFICIENT_RANGE_SUPPORT, answer->status, "the whole file instead of a range");
	if (changed)
		return begin_anew(request, RESULT_REMOTE_CHANGED, answer, "the file changed between two requests", fault);
	return begin_anew(request, RESULT_INSUFFICIENT_RANGE_SUPPORT, answer, "the whole file instead of a range that it still has",
	                  fault);
}

/* Whether the next request could tell that it is of the same file as this answer. */
static bool can_go_on(const struct resume_known *known, const struct resume_request *request, const struct resume_answer *answer)
{
	return known->verified || request->validator[0] != '\0' || resume_is_strong_etag(answer->etag) ||
	       is_usable_date(answer->modified);
}

/* Against what is known of the file: RESUME_CONTINUE, if it is of the same. */
static enum resume_verdict compare_range(const struct resume_known *known, const struct resume_request *request,
                                         const struct resume_answer *answer, uint64_t remote_total, struct fault *fault)
{
	if (remote_total != SIZE_UNKNOWN && answer->range_total != SIZE_UNKNOWN && remote_total != answer->range_total)
		return begin_anew(request, RESULT_REMOTE_CHANGED, answer, "the file has another size than before", fault);
	/* RFC 9110 section 15.3.7: it would have it where the whole has it, and the ranges before had it. */
	if (resume_is_strong_etag(known->etag) && answer->etag[0] == '\0')
		return refuse(fault, RESULT_INSUFFICIENT_HTTP, answer->status, "206 without the ETag that it had before");
	if (!is_same_file(known, answer))
		return begin_anew(request, RESULT_REMOTE_CHANGED, answer, "the file changed between two requests", fault);
	return RESUME_CONTINUE;
}

static enum resume_verdict judge_range(const struct resume_known *known, const struct resume_request *request,
                                       const struct resume_answer *answer, uint64_t *ret_total, struct fault *fault)
{
	const char *broken = broken_partial(request, answer);
	uint64_t remote_total =
		known->remote_total > 0 ? known->remote_total : ranges_remote_total(known->ranges, known->total);

	if (!broken && (answer->range_first != request->first || (request->end > 0 && answer->range_last >= request->end)))
		broken = "206 with another range than was asked for";
	if (broken)
		return refuse(fault, RESULT_INSUFFICIENT_HTTP, answer->status, broken);
	if (request->offset > 0) {
		enum resume_verdict verdict = compare_range(known, request, answer, remote_total, fault);

		if (verdict != RESUME_CONTINUE)
			return verdict;
	}
	if (ranges_check_remote(known->ranges, answer->range_total, fault) != RESULT_OK)
		return RESUME_REFUSE;

	uint64_t total = request->offset > 0 ? known->total : ranges_total(known->ranges, answer->range_total);
	uint64_t end = request->offset + (answer->range_last - answer->range_first) + 1;

	if (total == SIZE_UNKNOWN)
		return refuse(fault, RESULT_INSUFFICIENT_RANGE_SUPPORT, answer->status, "where the file ends is not told");
	if (request->offset == 0 && known->elsewhere && total != known->total)
		return refuse(fault, RESULT_SIZE_MISMATCH, answer->status, "another size than another source said");
	if (request->offset == 0 && known->elsewhere && known->keep)
		return refuse(fault, RESULT_RESTART, answer->status, "all ranges, where only the rest was wanted");
	if (end < total && !can_go_on(known, request, answer))
		return refuse(fault, RESULT_INSUFFICIENT_HTTP, answer->status,
		              "no ETag or date tells that several ranges are of one version; a digest could");
	*ret_total = total;
	return request->offset > 0 ? RESUME_CONTINUE : RESUME_RESTART;
}

enum resume_verdict resume_judge(const struct resume_known *known, const struct resume_request *request,
                                 const struct resume_answer *answer, uint64_t *ret_total, struct fault *fault)
{
	bool has_file = answer->status == 200 || answer->status == 206;
	if (has_file && answer->encoded)
		return refuse(fault, RESULT_INSUFFICIENT_HTTP, answer->status,
		              "a Content-Encoding that was not asked for");

	if (known->ranges != NULL && (answer->status == 200 || answer->status == 416))
		return judge_no_range(known, request, answer, fault);
	if (known->ranges != NULL && answer->status == 206)
		return judge_range(known, request, answer, ret_total, fault);
	if (answer->status == 200) {
		/* Two sources disagree, or this one cannot do what it is wanted for: what is there stays. */
		if (known->elsewhere && resume_check_size(known->total, answer->content_length, NULL) != RESULT_OK)
			return refuse(fault, RESULT_SIZE_MISMATCH, answer->status, "another size than another source said");
		if (known->elsewhere && known->keep)
			return refuse(fault, RESULT_RESTART, answer->status, "the whole file, where only the rest was wanted");
		*ret_total = answer->content_length;
		return RESUME_RESTART;
	}
	if (answer->status == 206)
		return judge_partial(known, request, answer, ret_total, fault);
	if (answer->status == 304 && request->conditional)
		return RESUME_UNCHANGED;
	/* The file is shorter than what we have.  Without a range there is nothing to be unsatisfied with. */
	if (answer->status == 416 && request->offset > 0)
		return RESUME_AGAIN;
	(void)fault_set(fault, resume_status_result(answer->status), FAULT_HTTP, answer->status, "HTTP status %ld",
	                (long)answer->status);
	return RESUME_REFUSE;
}

/* Anything else than what was meant is not worth understanding here: the one request that knows all cases follows. */
enum result resume_judge_part(const struct resume_known *known, const struct resume_request *request,
                              const struct resume_answer *answer, struct fault *fault)
{
	uint64_t length = request->end - request->offset;

	if (answer->status == 206 && !answer->encoded && answer->has_content_range &&
	    answer->range_first == request->offset && answer->range_last == request->end - 1 &&
	    answer->range_total == known->total &&
	    (answer->content_length == SIZE_UNKNOWN || answer->content_length == length) &&
	    resume_is_strong_etag(known->etag) && strcmp(answer->etag, known->etag) == 0)
		return RESULT_OK;
	return fault_set(fault, RESULT_INSUFFICIENT_HTTP, FAULT_HTTP, answer->status, "not the part that was asked for");
}

enum result resume_check_size(uint64_t stated, uint64_t bytes, struct fault *fault)
{
	if (stated == SIZE_UNKNOWN || bytes == SIZE_UNKNOWN || bytes == stated)
		return RESULT_OK;
	return fault_set(fault, RESULT_SIZE_MISMATCH, FAULT_FERRY, 0, "it has %llu bytes instead of %llu",
	                 (unsigned long long)bytes, (unsigned long long)stated);
}

enum result resume_finish(uint64_t received, uint64_t total, struct fault *fault)
{
	if (total == SIZE_UNKNOWN || received == total)
		return RESULT_OK;
	if (received < total)
		return fault_set(fault, RESULT_CONNECTION_CLOSED, FAULT_FERRY, 0, "%llu of %llu bytes came",
		                 (unsigned long long)received, (unsigned long long)total);
	return fault_set(fault, RESULT_REMOTE_CHANGED, FAULT_FERRY, 0, "%llu bytes came instead of %llu",
	                 (unsigned long long)received, (unsigned long long)total);
}

/* --- reading --- */

/* Take a number from the front.  Files have at most 2^63 - 1 bytes, so larger numbers are refused. */
static bool take_number(struct text_view *text, uint64_t *ret_number)
{
	uint64_t number = 0;
	size_t length = 0;
	while (length < text->length && text->bytes[length] >= '0' && text->bytes[length] <= '9') {
		uint64_t digit = (uint64_t)(text->bytes[length++] - '0');
		if (number > (INT64_MAX - digit) / 10)
			return false;
		number = number * 10 + digit;
	}
	text->bytes += length;
	text->length -= length;
	*ret_number = number;
	return length > 0;
}

static bool take_byte(struct text_view *text, char byte)
{
	if (text->length == 0 || text->bytes[0] != byte)
		return false;
	text->bytes++;
	text->length--;
	return true;
}

bool resume_parse_content_range(struct text_view value, uint64_t *ret_first, uint64_t *ret_last,
                                uint64_t *ret_total)
{
	/* The unit's name knows no case: RFC 9110 section 14.1. */
	static const char unit[] = "bytes";
	for (size_t i = 0; i < sizeof(unit) - 1; i++) {
		if (!take_byte(&value, unit[i]) && !take_byte(&value, (char)(unit[i] & ~0x20)))
			return false;
	}

	uint64_t first;
	uint64_t last;
	uint64_t total = SIZE_UNKNOWN;
	if (!take_byte(&value, ' ') || !take_number(&value, &first) || !take_byte(&value, '-') ||
	    !take_number(&value, &last) || !take_byte(&value, '/'))
		return false;
	if (!take_byte(&value, '*') && !take_number(&value, &total))
		return false;
	if (value.length > 0 || last < first || last >= total)
		return false;
	*ret_first = first;
	*ret_last = last;
	*ret_total = total;
	return true;
}

/* Exactly so many digits. */
static bool take_digits(struct text_view *text, size_t count, int64_t maximum, int64_t *ret_number)
{
	struct text_view digits = { text->bytes, count < text->length ? count : text->length };
	uint64_t number;

	if (!take_number(&digits, &number) || digits.length > 0 || text->length < count || number > (uint64_t)maximum)
		return false;
	text->bytes += count;
	text->length -= count;
	*ret_number = (int64_t)number;
	return true;
}

static bool take_text(struct text_view *text, const char *expected)
{
	while (*expected != '\0')
		if (!take_byte(text, *expected++))
			return false;
	return true;
}

/* One of the names, three letters each; its number from 0. */
static bool take_name(struct text_view *text, const char *names, int64_t *ret_number)
{
	for (*ret_number = 0; *names != '\0' && text->length >= 3; names += 3, ++*ret_number)
		if (memcmp(text->bytes, names, 3) == 0) {
			text->bytes += 3;
			text->length -= 3;
			return true;
		}
	return false;
}

bool resume_parse_date(struct text_view value, int64_t *ret_unix_s)
{
	static const int64_t days_before[12] = { 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334 };
	int64_t weekday, day, month, year, hour, minute, second;

	if (!take_name(&value, "MonTueWedThuFriSatSun", &weekday) || !take_text(&value, ", ") ||
	    !take_digits(&value, 2, 31, &day) || !take_text(&value, " ") ||
	    !take_name(&value, "JanFebMarAprMayJunJulAugSepOctNovDec", &month) || !take_text(&value, " ") ||
	    !take_digits(&value, 4, 9999, &year) || !take_text(&value, " ") || !take_digits(&value, 2, 23, &hour) ||
	    !take_text(&value, ":") || !take_digits(&value, 2, 59, &minute) || !take_text(&value, ":") ||
	    !take_digits(&value, 2, 60, &second) || !take_text(&value, " GMT") || value.length > 0 || day == 0 || year < 1601)
		return false;
	/* Leap days up to the end of the year before, and this year's if February is over. */
	int64_t past = month > 1 ? year : year - 1, leap_days = past / 4 - past / 100 + past / 400 - 477;
	int64_t days = (year - 1970) * 365 + leap_days + days_before[month] + day - 1;
	*ret_unix_s = ((days * 24 + hour) * 60 + minute) * 60 + second;
	return true;
}

#define RESUME_DATE_MIN_S INT64_C(-11644473600) /* 1601, where Windows' time begins */
#define RESUME_DATE_MAX_S INT64_C(253402300799)  /* the end of the year 9999 */

void resume_format_date(int64_t unix_s, char to[RESUME_DATE_BYTES])
{
	static const char weekdays[] = "ThuFriSatSunMonTueWed", months[] = "MarAprMayJunJulAugSepOctNovDecJanFeb";
	/* Counted from 1 March of the year 0, so that the leap day is the last one of a year. */
	if (unix_s < RESUME_DATE_MIN_S || unix_s > RESUME_DATE_MAX_S) /* a server may say anything */
		unix_s = unix_s < RESUME_DATE_MIN_S ? RESUME_DATE_MIN_S : RESUME_DATE_MAX_S;
	int64_t days = unix_s / 86400 - (unix_s % 86400 < 0), second = unix_s - days * 86400, day = days + 719468;
	int64_t era = day / 146097, of_era = day % 146097;
	int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	int64_t of_year = of_era - (365 * year + year / 4 - year / 100), month = (5 * of_year + 2) / 153;

	text_display(to, RESUME_DATE_BYTES, "%.3s, %02d %.3s %04d %02d:%02d:%02d GMT", weekdays + (days % 7 + 7) % 7 * 3,
	             (int)(of_year - (153 * month + 2) / 5 + 1), months + month * 3, (int)(era * 400 + year + (month >= 10)),
	             (int)(second / 3600), (int)(second / 60 % 60), (int)(second % 60));
}

/* BITS's table, with three additions that are younger than it: 308 is a redirect like 307 (RFC 9110), and 425
 * (RFC 8470) and 429 (RFC 6585) say in so many words that the same request will do later. */
enum result resume_status_result(long status)
{
	switch (status) {
	case 300: case 301: case 302: case 303: case 304: case 305: case 307: case 308:
	case 501: case 505:
		return RESULT_HTTP_STATUS;
	case 408: case 409: case 425: case 429:
		return RESULT_HTTP_TRANSIENT;
	default:
		break;
	}
	if (status >= 200 && status <= 299)
		return RESULT_INSUFFICIENT_HTTP; /* a success, but not the file */
	if (status >= 400 && status <= 499)
		return RESULT_HTTP_STATUS;
	return RESULT_HTTP_TRANSIENT;
}
