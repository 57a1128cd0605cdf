#include "platform/eventlog.h"

#include "platform/win32/utf.h"
#include "platform/win32/win32.h"

#define EVENTLOG_INSERTS_MAX 24u

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

enum result eventlog_report(struct eventlog *log, enum eventlog_level level, uint32_t message_id, size_t count,
                            const char *const *inserts, struct fault *fault)
{
	AUTO(inserts) struct inserts texts = { .count = 0 };
	LPCWSTR borrowed[EVENTLOG_INSERTS_MAX];

	if (count > EVENTLOG_INSERTS_MAX)
		return fault_set(fault, RESULT_TOO_LONG, FAULT_FERRY, 0, "event with %zu inserts", count);
	while (texts.count < count) {
		enum result result =
			utf_to_wide(text_view(inserts[texts.count]), "event insert", &texts.wide[texts.count], fault);
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
