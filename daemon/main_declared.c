/* The declared jobs of jobs.d: all of them, or none. */
#include "main.h"
#include "platform/file.h"

#define FOLDER "jobs.d"

struct reading {
	const char *folder;
	struct declared_set *set;
	enum result result; /* other than what stands in the errors */
};

static enum result read_one(void *context, const char *name, struct settings_errors *errors)
{
	struct reading *reading = context;
	AUTO(buffer) struct buffer text = BUFFER(DECLARED_BYTES_MAX);
	char path[DESTINATION_BYTES_MAX + 1];
	struct declared *declared = NULL;
	enum result result = read_trusted(reading->folder, name, path, &text, errors);

	if (result != RESULT_OK)
		return result;
	result = declare_read((struct text_view){ text.bytes, text.length }, path, file_path_style, &declared, errors);
	if (text.bytes != NULL)
		text_wipe(text.bytes, text.capacity); /* queries of URLs are often secrets */
	if (result == RESULT_NO_MEMORY)
		reading->result = result;
	if (declared != NULL)
		(void)declared_set_add(reading->set, declared); /* there are no more files than that */
	return result;
}

enum result read_declared(const char *folder, bool once_there, struct declared_set *set, struct settings_errors *errors)
{
	struct reading reading = { folder, set, RESULT_OK };
	uint32_t before = errors->count;

	if (!read_folder(folder, FOLDER, DECLARED_JOBS_MAX, read_one, &reading, errors) && once_there)
		settings_error(errors, FOLDER ": the folder is gone; put it back, or make an empty one to have no declared jobs any more");
	if (reading.result == RESULT_OK)
		reading.result = declared_set_check(set, file_path_style, errors);
	if (reading.result == RESULT_NO_MEMORY)
		settings_error(errors, FOLDER ": there is not enough memory");
	if (errors->count == before)
		return RESULT_OK;
	declared_set_done(set);
	return reading.result == RESULT_NO_MEMORY ? RESULT_NO_MEMORY : RESULT_BAD_SETTING;
}
