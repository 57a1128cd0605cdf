/* runtime/events: the table, and how an event's fields become texts. */
#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "runtime/events_private.h"

#define INSERT_BYTES_MAX 1024
#define ELLIPSIS "\xE2\x80\xA6"

enum kind { KIND_STRING, KIND_NUMBER, KIND_TIME, KIND_JOB, KIND_CALLER, KIND_FAULT };

/* Once the kinds of fields, and once the inserts that they give: cmake/events.cmake knows these, too. */
#define STRING(field) KIND_STRING,
#define NUMBER(field) KIND_NUMBER,
#define TIME(field) KIND_TIME,
#define JOB KIND_JOB,
#define CALLER KIND_CALLER,
#define FAULT KIND_FAULT,
#define EVENT(id, level, name, fields, sentence, remedy) static const unsigned char kinds_of_##name[] = { fields };
#include "events.def"
#undef EVENT
#undef STRING
#undef NUMBER
#undef TIME
#undef JOB
#undef CALLER
#undef FAULT

#define STRING(field) { #field, false },
#define NUMBER(field) { #field, true },
#define TIME(field) { #field, false },
#define JOB STRING(job) STRING(name) STRING(owner) STRING(correlation) STRING(network_sid) STRING(file_sid) STRING(program)
#define CALLER STRING(caller) STRING(image) NUMBER(pid) NUMBER(session)
#define FAULT STRING(error) STRING(native) NUMBER(http_status) STRING(why)
#define EVENT(id, level, name, fields, sentence, remedy) \
	static const struct event_insert inserts_of_##name[] = { fields };
#include "events.def"
#undef EVENT

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
static const struct event table[] = {
#define EVENT(id, level, name, fields, sentence, remedy)                                           \
	{ EVENT_##name, EVENTLOG_##level, #name, sentence, kinds_of_##name, COUNT_OF(kinds_of_##name), \
	  inserts_of_##name, COUNT_OF(inserts_of_##name) },
#include "events.def"
#undef EVENT
};
#define EVENT(id, level, name, fields, sentence, remedy)                                                           \
	_Static_assert(COUNT_OF(kinds_of_##name) <= EVENT_FIELDS_MAX && COUNT_OF(inserts_of_##name) <= EVENT_INSERTS_MAX, \
	               "an event's fields fit");                                                                   \
	_Static_assert(sizeof(struct event_##name) == COUNT_OF(kinds_of_##name) * EVENT_FIELD_BYTES, "and lie side by side");
#include "events.def"
#undef EVENT

const struct event *event_of(enum event_id id)
{
	size_t i = 0;
	while (i < COUNT_OF(table) && table[i].id != id)
		i++;
	assert(i < COUNT_OF(table));
	return &table[i];
}

uint32_t events_message_id(enum event_id id)
{
	static const uint32_t severities[] = { [EVENTLOG_INFO] = 1, [EVENTLOG_WARN] = 2, [EVENTLOG_ERROR] = 3 };
	return severities[event_of(id)->level] << 30 | (uint32_t)id;
}

/* --- time --- */

/* Days since 1970-01-01 as a date of the Gregorian calendar, by years that begin in March. */
static void date_of(int64_t days, int64_t *ret_year, unsigned *ret_month, unsigned *ret_day)
{
	int64_t shifted = days + 719468; /* since 0000-03-01 */
	int64_t era = shifted / 146097;
	int64_t day_of_era = shifted % 146097;
	int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int64_t march_month = (5 * day_of_year + 2) / 153;

	*ret_day = (unsigned)(day_of_year - (153 * march_month + 2) / 5 + 1);
	*ret_month = (unsigned)(march_month < 10 ? march_month + 3 : march_month - 9);
	*ret_year = era * 400 + year_of_era + (*ret_month <= 2);
}

void event_time(int64_t time_ms, char to[EVENT_TIME_BYTES])
{
	int64_t known_ms = time_ms < 0 ? 0 : time_ms, year;
	unsigned month, day, of_day_ms = (unsigned)(known_ms % 86400000);

	date_of(known_ms / 86400000, &year, &month, &day);
	text_display(to, EVENT_TIME_BYTES, "%04" PRId64 "-%02u-%02uT%02u:%02u:%02u.%03uZ", year, month, day,
	             of_day_ms / 3600000, of_day_ms / 60000 % 60, of_day_ms / 1000 % 60, of_day_ms % 1000);
}

/* --- fields --- */

/* An insert as it is kept: UTF-8 of a bounded length. */
static enum result append_text(struct buffer *to, const char *text)
{
	char kept[INSERT_BYTES_MAX + sizeof(ELLIPSIS)];
	const char *shown = text_is_utf8(text_view(text)) ? text : "(not UTF-8)";

	text_display(kept, INSERT_BYTES_MAX + 1, "%s", shown);
	if (strlen(shown) > INSERT_BYTES_MAX)
		memcpy(kept + strlen(kept), ELLIPSIS, sizeof(ELLIPSIS));
	return buffer_append(to, kept, strlen(kept) + 1);
}

static enum result append_texts(struct buffer *to, const char *const *texts, size_t count)
{
	enum result result = RESULT_OK;

	for (size_t i = 0; i < count && result == RESULT_OK; i++)
		result = append_text(to, texts[i]);
	return result;
}

static enum result append_job(struct buffer *to, const struct job *job)
{
	const char *const texts[] = { job->id, job->properties.name[0] != '\0' ? job->properties.name : "(unnamed)", job->owner,
		                      job->correlation, job->side_sid[JOB_SIDE_NETWORK], job->side_sid[JOB_SIDE_FILE],
		                      job->program };

	return append_texts(to, texts, COUNT_OF(texts));
}

static enum result append_caller(struct buffer *to, const struct asker *caller)
{
	char pid[24], session[24];
	const char *const texts[] = { caller->owner, caller->image, pid, session };

	text_display(pid, sizeof(pid), "%" PRIu32, caller->process);
	text_display(session, sizeof(session), "%" PRIu32, caller->session);
	return append_texts(to, texts, COUNT_OF(texts));
}

static enum result append_fault(struct buffer *to, const struct fault *fault)
{
	bool http = fault->source == FAULT_HTTP;
	char native[48] = "", status[24], why[FAULT_LINE_BYTES_MAX];
	const char *const texts[] = { result_name(fault->result), native, status, why };

	if (fault->raw != 0 && !http)
		text_display(native, sizeof(native), "%s %" PRId64, fault_source_name(fault->source), fault->raw);
	text_display(status, sizeof(status), "%" PRId64, http ? fault->raw : 0);
	fault_line(fault, why);
	return append_texts(to, texts, COUNT_OF(texts));
}

enum result event_append_inserts(const struct event *event, const void *fields, struct buffer *to)
{
	enum result result = RESULT_OK;

	for (size_t i = 0; i < event->field_count && result == RESULT_OK; i++) {
		union {
			const char *text;
			uint64_t number;
			int64_t time_ms;
			const struct job *job;
			const struct asker *caller;
			const struct fault *fault;
		} field;
		char text[EVENT_TIME_BYTES] = "";

		_Static_assert(sizeof(field) == EVENT_FIELD_BYTES, "a field is what the event's struct has there");
		memcpy(&field, (const char *)fields + i * EVENT_FIELD_BYTES, sizeof(field));
		switch ((enum kind)event->kinds[i]) {
		case KIND_STRING: result = append_text(to, field.text); break;
		case KIND_NUMBER:
			text_display(text, sizeof(text), "%" PRIu64, field.number);
			result = append_text(to, text);
			break;
		case KIND_TIME:
			if (field.time_ms != 0)
				event_time(field.time_ms, text);
			result = append_text(to, text);
			break;
		case KIND_JOB: result = append_job(to, field.job); break;
		case KIND_CALLER: result = append_caller(to, field.caller); break;
		case KIND_FAULT: result = append_fault(to, field.fault); break;
		}
	}
	return result;
}
