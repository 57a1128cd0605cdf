/* runtime/events - the only voice: one event table, to the Windows Event Log and a JSON-lines log.
 *
 * The table is daemon/events.def.  Events are noted while the engine works and spoken only when its turn is committed, so
 * that the log never tells what did not happen.  Belongs to the engine's thread.  No secrets: URLs pass url_redact.
 */
#ifndef FERRY_RUNTIME_EVENTS_H
#define FERRY_RUNTIME_EVENTS_H

#include "core/text.h"
#include "platform/clock.h"
#include "platform/eventlog.h"

enum event_id {
#define EVENT(id, level, name, sentence, remedy) EVENT_##name = (id),
#include "events.def"
#undef EVENT
};

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

/* Remember event `id` with its inserts; their number is checked against the table by an assertion. */
void events_note(struct events *events, enum event_id id, size_t count, const char *const *inserts);
#define EVENTS_NOTE(events, id, ...) \
	events_note((events), (id), sizeof((const char *[]){ __VA_ARGS__ }) / sizeof(char *), (const char *const[]){ __VA_ARGS__ })
void events_speak(struct events *events); /* the turn is committed: write what was noted, with one write */
/* Since the start: what was spoken, by enum eventlog_level, and what of it is missing in the file. */
struct events_counts { uint64_t levels[EVENTLOG_ERROR + 1], lost; };
void events_counts(const struct events *events, struct events_counts *ret_counts);
void events_drop(struct events *events);  /* the turn was undone */

#endif
