/* The queue's mark: a random number in a file of the data folder, and in the names of the partial files of this queue.  It
 * is kept apart from the database, so that a queue that was lost or damaged still knows its own partial files again. */
#include <inttypes.h>
#include <string.h>

#include "main.h"
#include "platform/file.h"
#include "platform/identity.h"

#define MARK_FILE_BYTES_MAX 64

static bool is_mark(const struct buffer *text)
{
	return text->length == QUEUE_MARK_DIGITS && strspn(text->bytes, "0123456789abcdef") == QUEUE_MARK_DIGITS;
}

static enum result make_mark(const char *path, char mark[QUEUE_MARK_DIGITS + 1], struct fault *fault)
{
	AUTO(file_handle) struct file_handle *file = NULL;
	uint64_t random = 0;
	enum result result = identity_random(&random, sizeof(random), fault);

	if (result == RESULT_OK)
		text_display(mark, QUEUE_MARK_DIGITS + 1, "%016" PRIx64, random);
	if (result == RESULT_OK)
		result = file_open_append(path, &file, fault);
	if (result == RESULT_OK)
		result = file_write(file, 0, mark, QUEUE_MARK_DIGITS, fault);
	return result == RESULT_OK ? file_sync(file, fault) : result;
}

enum result read_mark(const char *path, char mark[QUEUE_MARK_DIGITS + 1], struct fault *fault)
{
	AUTO(buffer) struct buffer text = BUFFER(MARK_FILE_BYTES_MAX);
	enum result result = file_read_all(path, &text, fault);

	if (result == RESULT_OK && is_mark(&text)) {
		memcpy(mark, text.bytes, QUEUE_MARK_DIGITS + 1);
		return RESULT_OK;
	}
	/* One that is no mark, as a power cut may leave it, is put aside: what it named is left to people. */
	if (result == RESULT_OK || result == RESULT_TOO_LARGE) {
		char aside[DESTINATION_BYTES_MAX + 1];

		text_display(aside, sizeof(aside), "%s.bad", path);
		result = file_move(path, aside, fault);
		if (result == RESULT_OK)
			result = RESULT_PATH_NOT_FOUND;
	}
	return result == RESULT_PATH_NOT_FOUND ? make_mark(path, mark, fault) : result;
}
