#include "platform/eventlog.h"

#include <string.h>

#include "platform/win32/utf.h"
#include "platform/win32/win32.h"

#define EVENTLOG_INSERTS_MAX 24u
#define INSERT_BYTES_MAX (8u * 1024u) /* runtime/events keeps 1,024 of one, and a byte becomes four at most */

struct eventlog {
	HANDLE source;
};

enum result eventlog_open(const char *source, struct eventlog **ret_log, struct fault *fault)
{
	AUTO(memory) wchar_t *name = NULL;
	enum result result = utf_to_wide(text_view(source), "event source", &name, fault);

	if (result != RESULT_OK)
		return result;
	AUTO(eventlog) struct eventlog *log = calloc(1, sizeof *log);
	if (log == NULL)
		return fault_set(fault, RESULT_NO_MEMORY, FAULT_FERRY, 0, "open the event log");
	log->source = RegisterEventSourceW(NULL, name);
	if (log->source == NULL)
		return fault_win32(fault, GetLastError(), "open the event source %s", source);
	*ret_log = TAKE(log);
	return RESULT_OK;
}

void eventlog_free(struct eventlog *log)
{
	if (log == NULL)
		return;
	if (log->source != NULL)
		DeregisterEventSource(log->source);
	free(log);
}

static WORD event_type(enum eventlog_level level)
{
	switch (level) {
	case EVENTLOG_ERROR:
		return EVENTLOG_ERROR_TYPE;
	case EVENTLOG_WARN:
		return EVENTLOG_WARNING_TYPE;
	case EVENTLOG_INFO:
		break;
	}
	return EVENTLOG_INFORMATION_TYPE;
}

struct inserts {
	wchar_t *wide[EVENTLOG_INSERTS_MAX];
	size_t count;
};

static void inserts_cleanup(struct inserts *inserts)
{
	for (size_t i = 0; i < inserts->count; i++)
		free(inserts->wide[i]);
}

/* Readers expand %3, %%5 and %{S-1-5-18} in inserts, too (MS-EVEN 3.2.4.1.5): a space of no width keeps what somebody else
 * wrote, a URL's %2F or a job's name, as it is. */
static enum result keep_apart(const char *insert, struct buffer *to)
{
	enum result result = RESULT_OK;

	buffer_clear(to);
	for (const char *at = insert; *at != '\0' && result == RESULT_OK; at++) {
		result = buffer_append(to, at, 1);
		if (result == RESULT_OK && *at == '%' && at[1] != '\0' && strchr("0123456789%{", at[1]) != NULL)
			result = buffer_append(to, "\xE2\x80\x8B", 3);
	}
	return result == RESULT_OK ? buffer_append(to, "", 1) : result;
}

static enum result widen(const char *insert, struct buffer *room, wchar_t **ret_wide, struct fault *fault)
{
	enum result result = keep_apart(insert, room);

	return result == RESULT_OK ? utf_to_wide(text_view(room->bytes), "event insert", ret_wide, fault)
	                           : fault_set(fault, result, FAULT_FERRY, 0, "write an event's insert");
}

enum result eventlog_report(struct eventlog *log, enum eventlog_level level, uint32_t message_id, size_t count,
                            const char *const *inserts, struct fault *fault)
{
	AUTO(inserts) struct inserts texts = { .count = 0 };
	AUTO(buffer) struct buffer room = BUFFER(INSERT_BYTES_MAX);
	LPCWSTR borrowed[EVENTLOG_INSERTS_MAX];

	if (count > EVENTLOG_INSERTS_MAX)
		return fault_set(fault, RESULT_TOO_LONG, FAULT_FERRY, 0, "event with %zu inserts", count);
	while (texts.count < count) {
		enum result result = widen(inserts[texts.count], &room, &texts.wide[texts.count], fault);
		if (result != RESULT_OK)
			return result;
		borrowed[texts.count] = texts.wide[texts.count];
		texts.count++;
	}
	if (!ReportEventW(log->source, event_type(level), 0, message_id, NULL, (WORD)count, 0, count > 0 ? borrowed : NULL,
	                  NULL))
		return fault_win32(fault, GetLastError(), "report event 0x%08x", message_id);
	return RESULT_OK;
}
