#include "platform/file.h"

static enum result write_new(struct folder *folder, const char *name, struct text_view text, struct file_handle **ret_file,
                             struct fault *fault)
{
	enum result result = file_create(folder, name, ret_file, fault);

	if (result == RESULT_EXISTS)
		result = file_reopen(folder, name, "", ret_file, fault);
	if (result == RESULT_OK)
		result = file_truncate(*ret_file, 0, fault);
	if (result == RESULT_OK)
		result = file_write(*ret_file, 0, text.bytes, text.length, fault);
	return result == RESULT_OK ? file_sync(*ret_file, fault) : result;
}

enum result file_replace(const char *path, const char *name, const char *new_name, struct text_view text, struct fault *fault)
{
	AUTO(folder) struct folder *folder = NULL;
	AUTO(file_handle) struct file_handle *file = NULL;
	enum result result = folder_open(path, &folder, fault);

	if (result == RESULT_OK)
		result = write_new(folder, new_name, text, &file, fault);
	if (result == RESULT_OK)
		result = file_rename(folder, file, new_name, name, fault);
	return result == RESULT_OK ? folder_sync(folder, fault) : result;
}
