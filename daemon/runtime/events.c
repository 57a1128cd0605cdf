#include "runtime/events.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/events_private.h"

/* What one turn may note.  A turn's letters are bounded, so this is only reached when something runs wild. */
#define NOTES_BYTES_MAX (4096u * 1024u)
#define MESSAGE_BYTES_MAX (16u * 1024u)
/* A note's text comes twice into its line, and a byte may become six. */
#define LINES_BYTES_MAX (16u * NOTES_BYTES_MAX)

/* How a note lies in `notes`, followed by its inserts, each terminated. */
struct note {
	const struct event *event;
	int64_t time_ms;
	size_t bytes; /* of the inserts with their terminators */
};

struct events {
	struct clock clock;
	struct log_file log;
	struct eventlog *eventlog; /* NULL: not wanted, or not on this ground */
	uint64_t lost;             /* events that did not reach the file since it failed */
	struct fault lost_because;
	struct events_counts counts;

	uint64_t noted; /* in this turn, also those that found no room in `notes` */
	struct buffer notes;
	struct buffer lines;
	struct buffer message;
};

/* --- noting --- */

static enum result keep_note(struct buffer *notes, struct note note, const void *fields)
{
	size_t begin = notes->length;
	enum result result = buffer_append(notes, &note, sizeof(note));

	if (result == RESULT_OK)
		result = event_append_inserts(note.event, fields, notes);
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
	struct note note;

	if (*at >= notes->length)
		return false;
	memcpy(&note, notes->bytes + *at, sizeof(note));
	ret_spoken->event = note.event;
	ret_spoken->time_ms = note.time_ms;
	const char *insert = notes->bytes + *at + sizeof(note);
	for (size_t i = 0; i < note.event->insert_count; i++) {
		ret_spoken->inserts[i] = insert;
		insert += strlen(insert) + 1;
	}
	*at += sizeof(note) + note.bytes;
	return true;
}

void events_note(struct events *events, enum event_id id, const void *fields)
{
	struct note note = { .event = event_of(id), .time_ms = events->clock.wall_ms(events->clock.context) };
	events->noted++;
	(void)!keep_note(&events->notes, note, fields); /* without room it is counted as lost */
}

/* --- speaking --- */

/* A report that fails is not repeated: the Event Log is not the only place where the event is said. */
static void report_all(struct events *events, const struct buffer *notes)
{
	struct spoken spoken;
	for (size_t at = 0; next_note(notes, &at, &spoken);) {
		if (events->eventlog != NULL)
			(void)!eventlog_report(events->eventlog, spoken.event->level, events_message_id(spoken.event->id),
			                       spoken.event->insert_count, spoken.inserts, NULL);
		events->counts.levels[spoken.event->level]++;
	}
}

/* How many of the notes become lines: all, unless memory is short. */
static uint64_t append_lines(struct events *events, const struct buffer *notes)
{
	uint64_t count = 0;
	struct spoken spoken;

	for (size_t at = 0; next_note(notes, &at, &spoken); count++)
		if (event_append_line(&spoken, &events->message, &events->lines) != RESULT_OK)
			break;
	return count;
}

/* The event that tells how many are missing, and why the first of them is. */
static void note_lost(const struct events *events, struct buffer *to)
{
	const struct note note = { .event = event_of(EVENT_EVENTS_LOST),
		                   .time_ms = events->clock.wall_ms(events->clock.context) };
	const struct event_EVENTS_LOST fields = { .count = events->lost, .fault = &events->lost_because };

	if (events->lost > 0)
		(void)!keep_note(to, note, &fields);
}

static void lose(struct events *events, uint64_t count)
{
	events->lost += count;
	events->counts.lost += count;
}

static void write_all(struct events *events)
{
	AUTO(buffer) struct buffer lost = BUFFER(MESSAGE_BYTES_MAX);
	struct fault fault = { .result = RESULT_NO_MEMORY, .what = "write the log" };
	uint64_t written = 0;

	if (log_file_rests(&events->log)) {
		lose(events, events->noted);
		return;
	}
	note_lost(events, &lost);
	enum result result = log_file_open(&events->log, &fault);
	buffer_clear(&events->lines);
	if (result == RESULT_OK && events->log.torn)
		result = buffer_append(&events->lines, "\n", 1);
	if (result == RESULT_OK) {
		(void)append_lines(events, &lost);
		written = append_lines(events, &events->notes);
		result = events->lines.length > 0 ? log_file_write(&events->log, &events->lines, &fault) : RESULT_NO_MEMORY;
	}
	if (result != RESULT_OK) {
		log_file_failed(&events->log);
		events->lost_because = fault;
		lose(events, events->noted);
		return;
	}
	report_all(events, &lost);
	events->lost = 0;
	lose(events, events->noted - written);
	events->lost_because = (struct fault){ .result = RESULT_NO_MEMORY, .what = "write the log" };
}

void events_speak(struct events *events)
{
	if (events->noted == 0)
		return;
	report_all(events, &events->notes);
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

/* --- the room --- */

enum result events_open(const struct events_settings *settings, struct clock clock, struct events **ret_events,
                        struct fault *fault)
{
	AUTO(events) struct events *events = calloc(1, sizeof(*events));
	if (!events)
		return fault_set(fault, RESULT_NO_MEMORY, FAULT_FERRY, 0, "open the log");
	events->clock = clock;
	events->notes = BUFFER(NOTES_BYTES_MAX);
	events->lines = BUFFER(LINES_BYTES_MAX);
	events->message = BUFFER(MESSAGE_BYTES_MAX);
	enum result result = log_file_init(&events->log, settings, clock, fault);
	if (result != RESULT_OK)
		return result;
	if (settings->eventlog && eventlog_open("Ferry", &events->eventlog, NULL) != RESULT_OK)
		events->eventlog = NULL;
	struct fault not_now = { .result = RESULT_OK };
	if (log_file_open(&events->log, &not_now) != RESULT_OK) {
		log_file_failed(&events->log);
		events->lost_because = not_now;
	}
	*ret_events = TAKE(events);
	return RESULT_OK;
}

void events_free(struct events *events)
{
	if (!events)
		return;
	file_handle_free(events->log.file);
	eventlog_free(events->eventlog);
	buffer_done(&events->notes);
	buffer_done(&events->lines);
	buffer_done(&events->message);
	free(events);
}
