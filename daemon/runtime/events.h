/* runtime/events - the only voice: one event table, to the Windows Event Log and a JSON-lines log.
 *
 * The table is daemon/events.def.  Events are noted while the engine works and spoken only when its turn is committed, so
 * that the log never tells what did not happen.  Belongs to the engine's thread.  No secrets: URLs pass url_redact.
 */
#ifndef FERRY_RUNTIME_EVENTS_H
#define FERRY_RUNTIME_EVENTS_H

#include "core/access.h"
#include "core/text.h"
#include "platform/clock.h"
#include "platform/eventlog.h"

enum event_id {
#define EVENT(id, level, name, fields, sentence, remedy) EVENT_##name = (id),
#include "events.def"
#undef EVENT
};

/* struct event_JOB_CREATED and so on: the event's fields, each in a place of eight bytes.  Texts and pointers are borrowed for
 * the call that notes them; texts are not NULL.  TIME is Unix time in ms, 0: none. */
#define EVENT_FIELD_BYTES 8
#define STRING(field) _Alignas(EVENT_FIELD_BYTES) const char *field;
#define NUMBER(field) uint64_t field;
#define TIME(field) int64_t field;
#define JOB _Alignas(EVENT_FIELD_BYTES) const struct job *job;         /* job name owner correlation network_sid file_sid program */
#define CALLER _Alignas(EVENT_FIELD_BYTES) const struct asker *caller; /* caller image pid session */
#define FAULT _Alignas(EVENT_FIELD_BYTES) const struct fault *fault;   /* error native http_status why */
#define EVENT(id, level, name, fields, sentence, remedy) struct event_##name { fields };
#include "events.def"
#undef EVENT
#undef STRING
#undef NUMBER
#undef TIME
#undef JOB
#undef CALLER
#undef FAULT

struct events;

struct events_settings {
	const char *folder;      /* ferry.jsonl lies here; rotated to ferry.1.jsonl ... */
	uint64_t file_bytes_max;
	uint32_t files_max;      /* with the one that is written to; at least 2 */
	bool eventlog;           /* also speak to the Windows Event Log */
};

/* The log file is made if needed.  A log that cannot be written is no reason to stop: it is tried again later. */
enum result events_open(const struct events_settings *settings, struct clock clock, struct events **ret_events,
                        struct fault *fault) MUST_CHECK;
void events_free(struct events *events);
DEFINE_CLEANUP(events)

/* The event's full id in the message resource: severity << 30 | id, with facility 0 (cmake/events.cmake). */
uint32_t events_message_id(enum event_id id);

/* Remember an event: EVENTS_NOTE(events, FILE_STARTED, .job = &job, .url = url, .path = path, .offset = 0).  Every field of the
 * event has to be there, and no other, or it does not compile. */
#define EVENTS_NOTE(events, name, ...)                                                                                \
	do {                                                                                                          \
		_Static_assert(sizeof(struct event_##name) == EVENT_FIELDS_GIVEN(__VA_ARGS__) * EVENT_FIELD_BYTES, \
		               "every field of the event is given");                                                  \
		events_note((events), EVENT_##name, &(struct event_##name){ __VA_ARGS__ });                           \
	} while (0)
#define EVENT_FIELDS_GIVEN(...) EVENT_COUNTED(__VA_ARGS__, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0)
#define EVENT_COUNTED(a, b, c, d, e, f, g, h, i, count, ...) count
/* `fields` is the event's struct. */
void events_note(struct events *events, enum event_id id, const void *fields);
void events_speak(struct events *events); /* the turn is committed: write what was noted, with one write */
/* Since the start: what was spoken, by enum eventlog_level, and what of it is missing in the file. */
struct events_counts { uint64_t levels[EVENTLOG_ERROR + 1], lost; };
void events_counts(const struct events *events, struct events_counts *ret_counts);
void events_drop(struct events *events);  /* the turn was undone */

#endif
