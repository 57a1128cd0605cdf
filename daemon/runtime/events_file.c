/* runtime/events: the log's files. */
#include <inttypes.h>

#include "runtime/events_private.h"

#define LOG_NAME "ferry"
#define LOG_RETRY_MS 10000 /* how long a log that failed is left alone */

static int64_t mono_ms(const struct log_file *log)
{
	return log->clock.mono_ms(log->clock.context);
}

static enum result log_path(const struct log_file *log, uint32_t number, char to[LOG_PATH_BYTES_MAX])
{
	const char *separator = file_path_style == PATH_WINDOWS ? "\\" : "/";
	if (number == 0)
		return text_format(to, LOG_PATH_BYTES_MAX, "%s%s" LOG_NAME ".jsonl", log->folder, separator);
	return text_format(to, LOG_PATH_BYTES_MAX, "%s%s" LOG_NAME ".%" PRIu32 ".jsonl", log->folder, separator, number);
}

enum result log_file_init(struct log_file *log, const struct events_settings *settings, struct clock clock, struct fault *fault)
{
	char longest[LOG_PATH_BYTES_MAX];
	uint32_t files_max = settings->files_max < 2 ? 2 : settings->files_max;

	*log = (struct log_file){ .clock = clock, .file_bytes_max = settings->file_bytes_max, .files_max = files_max,
		                  .gap = files_max - 1, .open_at_ms = INT64_MIN, .rotate_at_ms = INT64_MIN };
	enum result result = text_copy(log->folder, sizeof(log->folder), text_view(settings->folder));
	if (result == RESULT_OK)
		result = log_path(log, UINT32_MAX, longest);
	return result == RESULT_OK ? RESULT_OK : fault_set(fault, result, FAULT_FERRY, 0, "the log's folder");
}

bool log_file_rests(const struct log_file *log)
{
	return log->file == NULL && mono_ms(log) < log->open_at_ms;
}

enum result log_file_open(struct log_file *log, struct fault *fault)
{
	AUTO(file_handle) struct file_handle *file = NULL;
	char path[LOG_PATH_BYTES_MAX];

	if (log->file)
		return RESULT_OK;
	enum result result = log_path(log, 0, path);
	if (result == RESULT_OK)
		result = file_open_append(path, &file, fault);
	if (result == RESULT_OK)
		result = file_size(file, &log->file_bytes, fault);
	if (result == RESULT_OK)
		log->file = TAKE(file);
	return result;
}

void log_file_failed(struct log_file *log)
{
	file_handle_free(TAKE(log->file));
	log->open_at_ms = mono_ms(log) + LOG_RETRY_MS;
}

static enum result move_up(const struct log_file *log, uint32_t number)
{
	char from[LOG_PATH_BYTES_MAX], to[LOG_PATH_BYTES_MAX];
	enum result result = log_path(log, number - 1, from);
	if (result == RESULT_OK)
		result = log_path(log, number, to);
	if (result == RESULT_OK)
		result = file_move(from, to, NULL);
	return result == RESULT_PATH_NOT_FOUND ? RESULT_OK : result;
}

/* Move every file one number up, from the last one down; the oldest one goes.  A file that somebody holds stops it: the
 * log grows on, and `gap` remembers how far it came, so that another attempt moves no file twice. */
static void rotate(struct log_file *log)
{
	if (mono_ms(log) < log->rotate_at_ms)
		return;
	file_handle_free(TAKE(log->file)); /* an open file cannot be moved everywhere */
	while (log->gap > 0 && move_up(log, log->gap) == RESULT_OK)
		log->gap--;
	if (log->gap == 0)
		log->gap = log->files_max - 1;
	else
		log->rotate_at_ms = mono_ms(log) + LOG_RETRY_MS;
}

enum result log_file_write(struct log_file *log, const struct buffer *lines, struct fault *fault)
{
	enum result result = RESULT_OK;
	if (log->file_bytes > 0 && log->file_bytes + lines->length > log->file_bytes_max) {
		rotate(log);
		result = log_file_open(log, fault);
	}
	if (result != RESULT_OK)
		return result;
	result = file_write(log->file, log->file_bytes, lines->bytes, lines->length, fault);
	if (result == RESULT_OK)
		log->file_bytes += lines->length;
	log->torn = result != RESULT_OK;
	return result;
}
