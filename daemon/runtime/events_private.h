/* Inside runtime/events: what its files share.
 *
 *   events.c       noting, and speaking what was noted
 *   events_table.c the table, and how an event's fields become texts
 *   events_line.c  an event as a line of the log
 *   events_file.c  the log's files
 */
#ifndef FERRY_RUNTIME_EVENTS_PRIVATE_H
#define FERRY_RUNTIME_EVENTS_PRIVATE_H

#include "platform/file.h"
#include "runtime/events.h"

#define EVENT_FIELDS_MAX 9
#define EVENT_INSERTS_MAX 24 /* EVENTLOG_INSERTS_MAX, too */
#define LOG_PATH_BYTES_MAX 1024

/* --- events_table.c --- */
struct event_insert {
	const char *name;
	bool is_number;
};
struct event {
	enum event_id id;
	enum eventlog_level level;
	const char *name;
	const char *sentence;
	const unsigned char *kinds; /* of its fields */
	size_t field_count;
	const struct event_insert *inserts;
	size_t insert_count;
};
const struct event *event_of(enum event_id id);
/* Append the inserts that the fields, the event's struct, give, each terminated.  On failure some may be there. */
enum result event_append_inserts(const struct event *event, const void *fields, struct buffer *to) MUST_CHECK;
#define EVENT_TIME_BYTES 40
void event_time(int64_t time_ms, char to[EVENT_TIME_BYTES]); /* "2026-11-21T10:00:00.123Z" */

/* A note as it is spoken. */
struct spoken {
	const struct event *event;
	int64_t time_ms;
	const char *inserts[EVENT_INSERTS_MAX];
};

/* --- events_line.c --- */
/* Append the event's line.  `message` is room for its sentence.  Nothing is left of it on failure. */
enum result event_append_line(const struct spoken *spoken, struct buffer *message, struct buffer *lines) MUST_CHECK;

/* --- events_file.c --- */
struct log_file {
	struct clock clock;
	char folder[LOG_PATH_BYTES_MAX];
	uint64_t file_bytes_max;
	uint32_t files_max;
	struct file_handle *file; /* NULL: cannot be written */
	uint64_t file_bytes;
	uint32_t gap;         /* rotation goes on with the move of file gap - 1 to gap */
	int64_t open_at_ms;   /* monotonic: not before */
	int64_t rotate_at_ms; /* monotonic: not before */
	bool torn;            /* the last write failed and may have left half a line */
};
enum result log_file_init(struct log_file *log, const struct events_settings *settings, struct clock clock,
                          struct fault *fault) MUST_CHECK;
/* Is it left alone for a while, because it failed? */
bool log_file_rests(const struct log_file *log);
enum result log_file_open(struct log_file *log, struct fault *fault) MUST_CHECK;
/* Rotates before, where the lines would make the file too long. */
enum result log_file_write(struct log_file *log, const struct buffer *lines, struct fault *fault) MUST_CHECK;
void log_file_failed(struct log_file *log); /* leave it alone for a while */

#endif
