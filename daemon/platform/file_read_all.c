#include "platform/file.h"

#define READ_CHUNK_BYTES 16384

enum result file_read_all(const char *path, struct buffer *to, struct fault *fault)
{
	AUTO(file_handle) struct file_handle *file = NULL;
	enum result result = file_open_read(path, &file, fault);
	uint64_t offset = 0;
	for (size_t length = 1; result == RESULT_OK && length > 0; offset += length) {
		char chunk[READ_CHUNK_BYTES];
		result = file_read(file, offset, chunk, sizeof(chunk), &length, fault);
		if (result == RESULT_OK && (result = buffer_append(to, chunk, length)) != RESULT_OK)
			fault_set(fault, result, FAULT_FERRY, 0, "read %s", path);
	}
	if (result != RESULT_OK)
		buffer_clear(to);
	return result;
}
