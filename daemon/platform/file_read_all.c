#include "platform/file.h"

#define READ_CHUNK_BYTES 16384

static enum result read_to_end(struct file_handle *file, const char *path, struct buffer *to, struct fault *fault)
{
	enum result result = RESULT_OK;
	uint64_t offset = 0;
	for (size_t length = 1; result == RESULT_OK && length > 0; offset += length) {
		char chunk[READ_CHUNK_BYTES];
		result = file_read(file, offset, chunk, sizeof(chunk), &length, fault);
		if (result == RESULT_OK && (result = buffer_append(to, chunk, length)) != RESULT_OK)
			fault_set(fault, result, FAULT_FERRY, 0, "read %s", path);
	}
	if (result == RESULT_LOCKED) /* a part of it, by who may no more than read */
		fault_set(fault, result, FAULT_FERRY, 0, FILE_IS_HELD, path);
	if (result != RESULT_OK)
		buffer_clear(to);
	return result;
}

enum result file_read_all(const char *path, struct buffer *to, struct fault *fault)
{
	AUTO(file_handle) struct file_handle *file = NULL;
	enum result result = file_open_read(path, &file, fault);
	return result == RESULT_OK ? read_to_end(file, path, to, fault) : result;
}

enum result file_read_trusted(const char *path, struct buffer *to, struct fault *fault)
{
	AUTO(file_handle) struct file_handle *file = NULL;
	enum result result = file_open_trusted(path, &file, fault);
	return result == RESULT_OK ? read_to_end(file, path, to, fault) : result;
}
