/* platform/eventlog - the Windows Event Log; nothing on the Linux ground, which has none. */
#ifndef FERRY_PLATFORM_EVENTLOG_H
#define FERRY_PLATFORM_EVENTLOG_H

#include "core/text.h"

enum eventlog_level { EVENTLOG_INFO, EVENTLOG_WARN, EVENTLOG_ERROR };

struct eventlog;

/* RESULT_NOT_SUPPORTED on the Linux ground. */
enum result eventlog_open(const char *source, struct eventlog **ret_log, struct fault *fault) MUST_CHECK;
void eventlog_free(struct eventlog *log);
DEFINE_CLEANUP(eventlog)
/* Report event `id` with its inserts (UTF-8).  `message_id` is the full id of the message resource. */
enum result eventlog_report(struct eventlog *log, enum eventlog_level level, uint32_t message_id, size_t count,
                            const char *const *inserts, struct fault *fault) MUST_CHECK;

#endif
