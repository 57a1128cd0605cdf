/* runtime/events: an event as a line of the log. */
#include <stdlib.h>
#include <string.h>

#include "core/json.h"
#include "runtime/events_private.h"

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

static const char *insert_named(const struct spoken *spoken, struct text_view name)
{
	size_t i = 0;
	while (strlen(spoken->event->inserts[i].name) != name.length ||
	       memcmp(spoken->event->inserts[i].name, name.bytes, name.length) != 0)
		i++; /* cmake/events.cmake has seen that it is there */
	return spoken->inserts[i];
}

/* The sentence with its fields in their places. */
static enum result expand(const struct spoken *spoken, struct buffer *to)
{
	enum result result = RESULT_OK;

	buffer_clear(to);
	for (const char *at = spoken->event->sentence; *at && result == RESULT_OK;) {
		size_t plain = strcspn(at, "{");
		result = buffer_append(to, at, plain);
		at += plain;
		if (*at != '{' || result != RESULT_OK)
			continue;
		size_t name = strcspn(++at, "}");
		result = buffer_print(to, "%s", insert_named(spoken, (struct text_view){ at, name }));
		at += name + 1;
	}
	return result;
}

static void write_inserts(struct json_writer *writer, const struct spoken *spoken)
{
	const struct event *event = spoken->event;

	for (size_t i = 0; i < event->insert_count; i++)
		if (event->inserts[i].is_number)
			json_write_u64(writer, event->inserts[i].name, strtoull(spoken->inserts[i], NULL, 10));
		else
			json_write_text(writer, event->inserts[i].name, text_view(spoken->inserts[i]));
}

enum result event_append_line(const struct spoken *spoken, struct buffer *message, struct buffer *lines)
{
	static const char *const levels[] = {
		[EVENTLOG_INFO] = "info", [EVENTLOG_WARN] = "warn", [EVENTLOG_ERROR] = "error",
	};
	size_t length_before = lines->length;
	struct json_writer writer = JSON_WRITER(lines);
	char time[EVENT_TIME_BYTES];

	enum result result = expand(spoken, message);
	if (result != RESULT_OK)
		return result;
	event_time(spoken->time_ms, time);
	json_write_begin(&writer, NULL, '{');
	json_write_text(&writer, "time", text_view(time));
	json_write_u64(&writer, "id", (uint64_t)spoken->event->id);
	write_name(&writer, spoken->event->name);
	json_write_text(&writer, "level", text_view(levels[spoken->event->level]));
	json_write_text(&writer, "message", (struct text_view){ message->bytes, message->length });
	write_inserts(&writer, spoken);
	json_write_end(&writer, '}');
	result = json_write_done(&writer);
	if (result == RESULT_OK)
		result = buffer_append(lines, "\n", 1);
	if (result != RESULT_OK)
		lines->length = length_before;
	return result;
}
