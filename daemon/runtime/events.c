#include "runtime/events.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/json.h"
#include "platform/file.h"

#define LOG_NAME "ferry"
#define LOG_PATH_BYTES_MAX 1024
#define LOG_RETRY_MS 10000 /* how long a log that failed is left alone */
#define INSERTS_MAX 9      /* %1 to %9 */
#define INSERT_BYTES_MAX 1024
#define ELLIPSIS "\xE2\x80\xA6"
/* What one turn may note.  A turn's letters are bounded, so this is only reached when something runs wild. */
#define NOTES_BYTES_MAX (2048u * 1024u)
#define MESSAGE_BYTES_MAX (16u * 1024u)
/* A note's text comes twice into its line, and a byte may become six. */
#define LINES_BYTES_MAX (16u * NOTES_BYTES_MAX)

static const struct event {
	enum event_id id;
	enum eventlog_level level;
	const char *name;
	const char *sentence;
} table[] = {
#define EVENT(id, level, name, sentence, remedy) { EVENT_##name, EVENTLOG_##level, #name, sentence },
#include "events.def"
#undef EVENT
};
#define EVENT_COUNT (sizeof(table) / sizeof(table[0]))

/* How a note lies in `notes`, followed by its inserts, each terminated. */
struct note {
	const struct event *event;
	int64_t time_ms;
	size_t count;
	size_t bytes; /* of the inserts with their terminators */
};

/* A note as it is spoken. */
struct spoken {
	struct note note;
	const char *inserts[INSERTS_MAX];
};

struct events {
	struct clock clock;
	char folder[LOG_PATH_BYTES_MAX];
	uint64_t file_bytes_max;
	uint32_t files_max;
	struct eventlog *eventlog; /* NULL: not wanted, or not on this ground */

	struct file_handle *file; /* NULL: cannot be written */
	uint64_t file_bytes;
	uint32_t gap;         /* rotation goes on with the move of file gap - 1 to gap */
	int64_t open_at_ms;   /* monotonic: not before */
	int64_t rotate_at_ms; /* monotonic: not before */
	bool torn;            /* the last write failed and may have left half a line */
	uint64_t lost;        /* events that did not reach the file since it failed */
	struct fault lost_because;
	struct events_counts counts;

	uint64_t noted; /* in this turn, also those that found no room in `notes` */
	struct buffer notes;
	struct buffer lines;
	struct buffer message;
};

/* --- the table --- */

static const struct event *event_of(enum event_id id)
{
	size_t i = 0;
	while (i < EVENT_COUNT && table[i].id != id)
		i++;
	assert(i < EVENT_COUNT);
	return &table[i];
}

/* The highest %N of the sentence. */
static size_t insert_count(const struct event *event)
{
	size_t count = 0;
	for (const char *at = event->sentence; (at = strchr(at, '%')) != NULL; at += 2) {
		size_t number = at[1] == '%' ? 0 : (size_t)(at[1] - '0');
		if (number > count)
			count = number;
	}
	return count;
}

static uint32_t message_id(const struct event *event)
{
	static const uint32_t severities[] = { [EVENTLOG_INFO] = 1, [EVENTLOG_WARN] = 2, [EVENTLOG_ERROR] = 3 };
	return severities[event->level] << 30 | (uint32_t)event->id;
}

uint32_t events_message_id(enum event_id id)
{
	return message_id(event_of(id));
}

/* --- the file --- */

static int64_t mono_ms(const struct events *events)
{
	return events->clock.mono_ms(events->clock.context);
}

static enum result log_path(const struct events *events, uint32_t number, char to[LOG_PATH_BYTES_MAX])
{
	const char *separator = file_path_style == PATH_WINDOWS ? "\\" : "/";
	if (number == 0)
		return text_format(to, LOG_PATH_BYTES_MAX, "%s%s" LOG_NAME ".jsonl", events->folder, separator);
	return text_format(to, LOG_PATH_BYTES_MAX, "%s%s" LOG_NAME ".%" PRIu32 ".jsonl", events->folder, separator,
	                   number);
}

static enum result log_open(struct events *events, struct fault *fault)
{
	AUTO(file_handle) struct file_handle *file = NULL;
	char path[LOG_PATH_BYTES_MAX];

	if (events->file)
		return RESULT_OK;
	enum result result = log_path(events, 0, path);
	if (result == RESULT_OK)
		result = file_open_append(path, &file, fault);
	if (result == RESULT_OK)
		result = file_size(file, &events->file_bytes, fault);
	if (result == RESULT_OK)
		events->file = TAKE(file);
	return result;
}

/* Leave the file alone for a while; `fault` is what the events that are lost meanwhile are lost for. */
static void log_failed(struct events *events, const struct fault *fault)
{
	file_handle_free(TAKE(events->file));
	events->open_at_ms = mono_ms(events) + LOG_RETRY_MS;
	events->lost_because = *fault;
}

static enum result log_move(const struct events *events, uint32_t number)
{
	char from[LOG_PATH_BYTES_MAX], to[LOG_PATH_BYTES_MAX];
	enum result result = log_path(events, number - 1, from);
	if (result == RESULT_OK)
		result = log_path(events, number, to);
	if (result == RESULT_OK)
		result = file_move(from, to, NULL);
	return result == RESULT_PATH_NOT_FOUND ? RESULT_OK : result;
}

/* Move every file one number up, from the last one down; the oldest one goes.  A file that somebody holds stops it: the
 * log grows on, and `gap` remembers how far it came, so that another attempt moves no file twice. */
static void log_rotate(struct events *events)
{
	if (mono_ms(events) < events->rotate_at_ms)
		return;
	file_handle_free(TAKE(events->file)); /* an open file cannot be moved everywhere */
	while (events->gap > 0 && log_move(events, events->gap) == RESULT_OK)
		events->gap--;
	if (events->gap == 0)
		events->gap = events->files_max - 1;
	else
		events->rotate_at_ms = mono_ms(events) + LOG_RETRY_MS;
}

static enum result log_write(struct events *events, struct fault *fault)
{
	enum result result = RESULT_OK;
	if (events->file_bytes > 0 && events->file_bytes + events->lines.length > events->file_bytes_max) {
		log_rotate(events);
		result = log_open(events, fault);
	}
	if (result != RESULT_OK)
		return result;
	result = file_write(events->file, events->file_bytes, events->lines.bytes, events->lines.length, fault);
	if (result == RESULT_OK)
		events->file_bytes += events->lines.length;
	events->torn = result != RESULT_OK;
	return result;
}

/* --- the words --- */

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

static void write_time(struct json_writer *writer, int64_t time_ms)
{
	int64_t known_ms = time_ms < 0 ? 0 : time_ms, year;
	unsigned month, day, of_day_ms = (unsigned)(known_ms % 86400000);
	char text[40];

	date_of(known_ms / 86400000, &year, &month, &day);
	text_display(text, sizeof(text), "%04" PRId64 "-%02u-%02uT%02u:%02u:%02u.%03uZ", year, month, day,
	             of_day_ms / 3600000, of_day_ms / 60000 % 60, of_day_ms / 1000 % 60, of_day_ms % 1000);
	json_write_text(writer, "time", text_view(text));
}

/* JOB_CREATED as "job-created". */
static void write_name(struct json_writer *writer, const char *name)
{
	char shown[64];
	text_display(shown, sizeof(shown), "%s", name);
	for (char *at = shown; *at; at++) {
		if (*at == '_')
			*at = '-';
		else if (*at >= 'A' && *at <= 'Z')
			*at = (char)(*at - 'A' + 'a');
	}
	json_write_text(writer, "event", text_view(shown));
}

/* The sentence with its inserts in their places. */
static enum result expand(struct buffer *to, const struct spoken *spoken)
{
	const char *at = spoken->note.event->sentence;
	enum result result = RESULT_OK;

	buffer_clear(to);
	while (*at && result == RESULT_OK) {
		size_t plain = strcspn(at, "%");
		result = buffer_append(to, at, plain);
		at += plain;
		if (!*at || result != RESULT_OK)
			break;
		if (at[1] == '%')
			result = buffer_append(to, "%", 1);
		else
			result = buffer_print(to, "%s", spoken->inserts[at[1] - '1']);
		at += 2;
	}
	return result;
}

/* Append the line of one event; nothing is left of it on failure. */
static enum result append_line(struct events *events, const struct spoken *spoken)
{
	static const char *const levels[] = {
		[EVENTLOG_INFO] = "info", [EVENTLOG_WARN] = "warn", [EVENTLOG_ERROR] = "error",
	};
	const struct event *event = spoken->note.event;
	size_t length_before = events->lines.length;
	struct json_writer writer = JSON_WRITER(&events->lines);

	enum result result = expand(&events->message, spoken);
	if (result != RESULT_OK)
		return result;
	json_write_begin(&writer, NULL, '{');
	write_time(&writer, spoken->note.time_ms);
	json_write_u64(&writer, "id", (uint64_t)event->id);
	write_name(&writer, event->name);
	json_write_text(&writer, "level", text_view(levels[event->level]));
	json_write_text(&writer, "message", (struct text_view){ events->message.bytes, events->message.length });
	json_write_begin(&writer, "inserts", '[');
	for (size_t i = 0; i < spoken->note.count; i++)
		json_write_text(&writer, NULL, text_view(spoken->inserts[i]));
	json_write_end(&writer, ']');
	json_write_end(&writer, '}');
	result = json_write_done(&writer);
	if (result == RESULT_OK)
		result = buffer_append(&events->lines, "\n", 1);
	if (result != RESULT_OK)
		events->lines.length = length_before;
	return result;
}

/* --- noting --- */

/* An insert as it is kept: UTF-8 of a bounded length. */
static void trim(char to[INSERT_BYTES_MAX + sizeof(ELLIPSIS)], const char *insert)
{
	const char *shown = text_is_utf8(text_view(insert)) ? insert : "(not UTF-8)";
	text_display(to, INSERT_BYTES_MAX + 1, "%s", shown);
	if (strlen(shown) > INSERT_BYTES_MAX)
		memcpy(to + strlen(to), ELLIPSIS, sizeof(ELLIPSIS));
}

static enum result keep_note(struct buffer *notes, struct note note, const char *const *inserts)
{
	size_t begin = notes->length;
	enum result result = buffer_append(notes, &note, sizeof(note));

	for (size_t i = 0; i < note.count && result == RESULT_OK; i++) {
		char text[INSERT_BYTES_MAX + sizeof(ELLIPSIS)];
		trim(text, inserts[i]);
		result = buffer_append(notes, text, strlen(text) + 1);
	}
	if (result != RESULT_OK) {
		notes->length = begin;
		return result;
	}
	note.bytes = notes->length - begin - sizeof(note);
	memcpy(notes->bytes + begin, &note, sizeof(note));
	return RESULT_OK;
}

/* Takes the note at `*at` apart; false at the end. */
static bool next_note(const struct buffer *notes, size_t *at, struct spoken *ret_spoken)
{
	if (*at >= notes->length)
		return false;
	memcpy(&ret_spoken->note, notes->bytes + *at, sizeof(ret_spoken->note));
	const char *insert = notes->bytes + *at + sizeof(ret_spoken->note);
	for (size_t i = 0; i < ret_spoken->note.count; i++) {
		ret_spoken->inserts[i] = insert;
		insert += strlen(insert) + 1;
	}
	*at += sizeof(ret_spoken->note) + ret_spoken->note.bytes;
	return true;
}

/* --- speaking --- */

/* A report that fails is not repeated: the Event Log is not the only place where the event is said. */
static void report(const struct events *events, const struct spoken *spoken)
{
	if (events->eventlog)
		(void)!eventlog_report(events->eventlog, spoken->note.event->level,
		                       message_id(spoken->note.event), spoken->note.count, spoken->inserts, NULL);
}

static void report_all(struct events *events)
{
	struct spoken spoken;
	for (size_t at = 0; next_note(&events->notes, &at, &spoken);) {
		report(events, &spoken);
		events->counts.levels[spoken.note.event->level]++;
	}
}

/* The event that tells how many are missing, and why the first of them is; its texts live in the arguments. */
static struct spoken about_lost(const struct events *events, char count[24], char why[FAULT_LINE_BYTES_MAX])
{
	text_display(count, 24, "%" PRIu64, events->lost);
	fault_line(&events->lost_because, why);
	return (struct spoken){
		.note = { .event = event_of(EVENT_EVENTS_LOST), .count = 2,
		          .time_ms = events->clock.wall_ms(events->clock.context) },
		.inserts = { count, why },
	};
}

/* Fill `lines`.  How many of the notes are in it: all, unless memory is short. */
static uint64_t append_all(struct events *events, const struct spoken *lost)
{
	uint64_t count = 0;
	struct spoken spoken;
	enum result result = RESULT_OK;

	buffer_clear(&events->lines);
	if (events->torn)
		result = buffer_append(&events->lines, "\n", 1);
	if (result == RESULT_OK && lost)
		result = append_line(events, lost);
	for (size_t at = 0; result == RESULT_OK && next_note(&events->notes, &at, &spoken);) {
		result = append_line(events, &spoken);
		if (result == RESULT_OK)
			count++;
	}
	return count;
}

static void lose(struct events *events, uint64_t count)
{
	events->lost += count;
	events->counts.lost += count;
}

static void write_all(struct events *events)
{
	char count[24], why[FAULT_LINE_BYTES_MAX];
	struct fault fault = { .result = RESULT_NO_MEMORY, .what = "write the log" };
	struct spoken lost = { .note.count = 0 };
	uint64_t written = 0;

	if (!events->file && mono_ms(events) < events->open_at_ms) {
		lose(events, events->noted);
		return;
	}
	if (events->lost > 0)
		lost = about_lost(events, count, why);
	enum result result = log_open(events, &fault);
	if (result == RESULT_OK) {
		written = append_all(events, events->lost > 0 ? &lost : NULL);
		result = events->lines.length > 0 ? log_write(events, &fault) : RESULT_NO_MEMORY;
	}
	if (result != RESULT_OK) {
		log_failed(events, &fault);
		lose(events, events->noted);
		return;
	}
	if (events->lost > 0)
		report(events, &lost);
	events->lost = 0;
	lose(events, events->noted - written);
	events->lost_because = (struct fault){ .result = RESULT_NO_MEMORY, .what = "write the log" };
}

/* --- the room --- */

enum result events_open(const struct events_settings *settings, struct clock clock, struct events **ret_events,
                        struct fault *fault)
{
	AUTO(events) struct events *events = calloc(1, sizeof(*events));
	if (!events)
		return fault_set(fault, RESULT_NO_MEMORY, FAULT_FERRY, 0, "open the log");
	events->clock = clock;
	events->file_bytes_max = settings->file_bytes_max;
	events->files_max = settings->files_max < 2 ? 2 : settings->files_max;
	events->gap = events->files_max - 1;
	events->open_at_ms = INT64_MIN;
	events->rotate_at_ms = INT64_MIN;
	events->notes = BUFFER(NOTES_BYTES_MAX);
	events->lines = BUFFER(LINES_BYTES_MAX);
	events->message = BUFFER(MESSAGE_BYTES_MAX);

	char longest[LOG_PATH_BYTES_MAX];
	enum result result = text_copy(events->folder, sizeof(events->folder), text_view(settings->folder));
	if (result == RESULT_OK)
		result = log_path(events, UINT32_MAX, longest);
	if (result != RESULT_OK)
		return fault_set(fault, result, FAULT_FERRY, 0, "the log's folder");

	if (settings->eventlog && eventlog_open("Ferry", &events->eventlog, NULL) != RESULT_OK)
		events->eventlog = NULL;
	struct fault not_now = { .result = RESULT_OK };
	if (log_open(events, &not_now) != RESULT_OK)
		log_failed(events, &not_now);
	*ret_events = TAKE(events);
	return RESULT_OK;
}

void events_free(struct events *events)
{
	if (!events)
		return;
	file_handle_free(events->file);
	eventlog_free(events->eventlog);
	buffer_done(&events->notes);
	buffer_done(&events->lines);
	buffer_done(&events->message);
	free(events);
}

void events_note(struct events *events, enum event_id id, size_t count, const char *const *inserts)
{
	const struct event *event = event_of(id);
	assert(event && count == insert_count(event) && count <= INSERTS_MAX);
	struct note note = { .event = event, .time_ms = events->clock.wall_ms(events->clock.context), .count = count };
	events->noted++;
	(void)!keep_note(&events->notes, note, inserts); /* without room it is counted as lost */
}

void events_speak(struct events *events)
{
	if (events->noted == 0)
		return;
	report_all(events);
	write_all(events);
	buffer_done(&events->lines); /* a wild turn's memory is not kept */
	events_drop(events);
}

void events_counts(const struct events *events, struct events_counts *ret_counts)
{
	*ret_counts = events->counts;
}

void events_drop(struct events *events)
{
	buffer_clear(&events->notes);
	events->noted = 0;
}
