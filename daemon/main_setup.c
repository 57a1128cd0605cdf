#include <stdio.h>
#include <stdlib.h>

#include "main.h"
#include "platform/file.h"
#include "platform/service.h"
#include "runtime/events.h"

/* Without keys: one that is written down would keep the default of this version when a later one has a better. */
static const char first_settings[] =
	"// The configuration of Ferry. What is not said here has its default; ferry-defaults.jsonc in the\n"
	"// program's folder has every key and what it means. After a change:\n"
	"//   ferryd check-config\n"
	"//   ferry config reload\n"
	"{\n"
	"}\n";

/* Whatever has the name is an administrator's, and stays.  Where one was kept this is no first installation: it got lost, and
 * this one would lift what it forbade. */
static enum result put_settings(struct fault *fault)
{
	AUTO(file_handle) struct file_handle *file = NULL;
	char folder[DESTINATION_BYTES_MAX + 1], path[DESTINATION_BYTES_MAX + 1];
	enum result result = file_data_folder(folder, sizeof(folder), fault);

	if (result == RESULT_OK)
		result = join_path(path, sizeof(path), folder, "ferry.jsonc", fault);
	if (result != RESULT_OK)
		return result;
	if (configuration_was_kept(folder)) {
		if (file_check_trusted(path, fault) == RESULT_PATH_NOT_FOUND)
			fprintf(stderr, "ferryd: %s: " CONFIGURATION_LOST "\n", folder);
		return RESULT_OK;
	}
	result = file_create_private(path, &file, fault);
	if (result == RESULT_EXISTS)
		return RESULT_OK;
	if (result == RESULT_OK)
		result = file_write(file, 0, first_settings, sizeof(first_settings) - 1, fault);
	if (result == RESULT_OK)
		result = file_sync(file, fault);
	return own_folder_fault(result, path, fault);
}

/* The installer shows nobody what its actions print. */
static void tell_failure(const struct fault *fault)
{
	AUTO(eventlog) struct eventlog *log = NULL;
	char why[FAULT_LINE_BYTES_MAX];
	const char *const inserts[] = { why };
	struct fault unheard = { 0 };

	fault_line(fault, why);
	enum result result = eventlog_open(SERVICE_NAME, &log, &unheard);
	if (result == RESULT_OK)
		result = eventlog_report(log, EVENTLOG_ERROR, events_message_id(EVENT_SETUP_FAILED), 1, inserts, &unheard);
	if (result != RESULT_OK && result != RESULT_NOT_SUPPORTED)
		fprintf(stderr, "ferryd: the Event Log was not told: %s\n", unheard.what);
}

enum result set_up(enum result (*verb)(struct buffer *warnings, struct fault *fault), struct fault *fault)
{
	AUTO(buffer) struct buffer warnings = BUFFER(8192);
	enum result result = verb(&warnings, fault);

	if (warnings.length > 0)
		fprintf(stderr, "ferryd: not available on this system, done without:\n%s", warnings.bytes);
	if (result == RESULT_OK)
		result = put_settings(fault);
	if (result != RESULT_OK)
		tell_failure(fault);
	return result;
}
