/* The layers of the configuration in their order, and the last one of them that was good. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ferry_build.h"
#include "main.h"
#include "platform/file.h"
#include "platform/policy.h"

#define FILE_BYTES_MAX (1024u * 1024u)
#define CONF_D_FILES_MAX 64u
#define MAIN_FILE "ferry.jsonc"
#define FOLDER "conf.d"
#define ENDING ".jsonc"
#define GOOD_FILE "ferry.good.jsonc"
#define NEW_FILE "ferry.good.new"

static void note(struct settings_errors *errors, const struct fault *fault)
{
	char line[FAULT_WHAT_BYTES_MAX + 128];

	text_display(line, sizeof(line), "%s (%s)", fault->what, result_name(fault->result));
	settings_error(errors, line);
}

/* --- one file --- */

enum result read_trusted(const char *folder, const char *name, char path[DESTINATION_BYTES_MAX + 1], struct buffer *text,
                         struct settings_errors *errors)
{
	struct fault fault = { 0 };
	enum result result = join_path(path, DESTINATION_BYTES_MAX + 1, folder, name, &fault);

	if (result == RESULT_OK)
		result = file_read_trusted(path, text, &fault);
	if (result != RESULT_OK && result != RESULT_PATH_NOT_FOUND) {
		result = own_folder_fault(result, path, &fault);
		note(errors, &fault);
	}
	return result;
}

/* RESULT_PATH_NOT_FOUND is nobody's error yet; all others are in `errors`. */
static enum result read_file(const char *folder, const char *name, enum setting_layer layer, struct settings *settings,
                             struct settings_errors *errors)
{
	AUTO(buffer) struct buffer text = BUFFER(FILE_BYTES_MAX);
	char path[DESTINATION_BYTES_MAX + 1];
	enum result result = read_trusted(folder, name, path, &text, errors);

	if (result != RESULT_OK)
		return result;
	return settings_read((struct text_view){ text.bytes, text.length }, &(struct settings_source){ layer, name, path }, settings,
	                     errors);
}

/* --- conf.d, jobs.d --- */

struct names {
	char *names[DECLARED_JOBS_MAX];
	size_t count, maximum;
	enum result result; /* RESULT_TOO_LARGE: there are more */
};

static void names_cleanup(struct names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->names[i]);
}

static bool ends_alike(const char *end, const char *ending)
{
	for (; *ending != '\0'; end++, ending++)
		if ((*end >= 'A' && *end <= 'Z' ? *end - 'A' + 'a' : *end) != *ending)
			return false;
	return true;
}

static bool add_name(void *context, const char *name)
{
	struct names *names = context;
	size_t length = strlen(name);

	/* In any case of letters: Windows' names have none. */
	if (length < sizeof(ENDING) || !ends_alike(name + length - strlen(ENDING), ENDING))
		return true; /* what editors leave, a README */
	if (names->count == names->maximum) {
		names->result = RESULT_TOO_LARGE;
		return false;
	}
	names->names[names->count] = malloc(length + 1);
	if (names->names[names->count] == NULL) {
		names->result = RESULT_NO_MEMORY;
		return false;
	}
	memcpy(names->names[names->count++], name, length + 1);
	return true;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static enum result list_names(const char *path, struct names *names, struct fault *fault)
{
	AUTO(folder) struct folder *folder = NULL;
	enum result result = file_check_trusted(path, fault);

	if (result == RESULT_OK)
		result = folder_open(path, &folder, fault);
	if (result == RESULT_OK)
		result = folder_names(folder, "", add_name, names, fault);
	if (result == RESULT_OK && names->result != RESULT_OK)
		return fault_set(fault, names->result, FAULT_FERRY, 0, "%s: of at most %zu files", path, names->maximum);
	if (result == RESULT_OK && names->count > 0)
		qsort(names->names, names->count, sizeof(names->names[0]), compare_names);
	return result;
}

bool read_folder(const char *folder, const char *below, size_t maximum, config_visit *visit, void *context,
                 struct settings_errors *errors)
{
	AUTO(names) struct names names = { .maximum = maximum, .result = RESULT_OK };
	char path[DESTINATION_BYTES_MAX + 1], name[SETTING_SOURCE_BYTES_MAX], line[128];
	struct fault fault = { 0 };
	enum result result = join_path(path, sizeof(path), folder, below, &fault);

	if (result == RESULT_OK)
		result = list_names(path, &names, &fault);
	if (result == RESULT_PATH_NOT_FOUND)
		return false;
	if (result != RESULT_OK) {
		(void)!own_folder_fault(result, path, &fault);
		note(errors, &fault);
	}
	for (size_t i = 0; i < names.count && result == RESULT_OK; i++) {
		bool good = !text_has_control(text_view(names.names[i])) &&
		            join_path(name, sizeof(name), below, names.names[i], NULL) == RESULT_OK;

		text_display(line, sizeof(line), "%s: %s", below, good ? "a file went while it was read" /* who took it away is not done yet */
		                                                    : "a file's name is too long, or has control characters");
		if (!good || visit(context, name, errors) == RESULT_PATH_NOT_FOUND)
			settings_error(errors, line);
	}
	return true;
}

struct layers {
	const char *folder;
	struct settings *settings;
};

static enum result read_layer(void *context, const char *name, struct settings_errors *errors)
{
	const struct layers *layers = context;

	return read_file(layers->folder, name, SETTINGS_CONF_D, layers->settings, errors);
}

/* --- all of them --- */

static void read_policy(const struct configuration *from, struct settings *settings, struct settings_errors *errors)
{
	AUTO(buffer) struct buffer text = BUFFER(POLICY_TEXT_BYTES_MAX);
	struct fault fault = { 0 };

	if (policy_system == NULL)
		return;
	if (policy_system->read(from->watch, from->at_once, &text, &fault) != RESULT_OK) {
		note(errors, &fault);
		return;
	}
	(void)!settings_read((struct text_view){ text.bytes, text.length },
	                     &(struct settings_source){ SETTINGS_POLICY, "", policy_system->place }, settings, errors);
}

bool configuration_was_kept(const char *folder)
{
	char path[DESTINATION_BYTES_MAX + 1];
	struct fault fault;

	return join_path(path, sizeof(path), folder, GOOD_FILE, &fault) == RESULT_OK &&
	       file_check_trusted(path, &fault) != RESULT_PATH_NOT_FOUND;
}

static void note_lost(const char *folder, struct settings_errors *errors)
{
	char line[DESTINATION_BYTES_MAX + sizeof(CONFIGURATION_LOST) + 2];

	text_display(line, sizeof(line), "%s: " CONFIGURATION_LOST, folder);
	settings_error(errors, line);
}

enum result read_configuration(struct configuration *from, struct settings *settings, struct settings_errors *errors)
{
	settings_default(settings);
	if (read_file(from->folder, MAIN_FILE, SETTINGS_FILE, settings, errors) != RESULT_PATH_NOT_FOUND)
		from->once_there = true;
	else if (from->once_there || configuration_was_kept(from->folder))
		note_lost(from->folder, errors);
	(void)read_folder(from->folder, FOLDER, CONF_D_FILES_MAX, read_layer, &(struct layers){ from->folder, settings }, errors);
	read_policy(from, settings, errors);
	return errors->count == 0 ? RESULT_OK : RESULT_BAD_SETTING;
}

enum result read_last_good(const struct configuration *from, struct settings *settings, struct settings_errors *errors)
{
	struct settings kept;
	enum result result;

	settings_default(settings);
	result = read_file(from->folder, GOOD_FILE, SETTINGS_LAST_GOOD, settings, errors);
	if (result != RESULT_OK)
		return result;
	kept = *settings;
	read_policy(from, settings, errors);
	if (errors->count > 0)
		*settings = kept; /* in which the policy is as it was when it was good */
	return RESULT_OK;
}

/* What is there already need not be made durable once more. */
static bool is_kept(const char *folder, const struct buffer *text)
{
	AUTO(buffer) struct buffer kept = BUFFER(FILE_BYTES_MAX);
	char path[DESTINATION_BYTES_MAX + 1];
	struct fault fault;

	return join_path(path, sizeof(path), folder, GOOD_FILE, &fault) == RESULT_OK &&
	       file_read_trusted(path, &kept, &fault) == RESULT_OK && kept.length == text->length &&
	       memcmp(kept.bytes, text->bytes, text->length) == 0;
}

enum result keep_configuration(const char *path, const struct settings *settings, struct fault *fault)
{
	AUTO(buffer) struct buffer text = BUFFER(FILE_BYTES_MAX);
	enum result result = buffer_print(&text, "// Made by Ferry " FERRY_VERSION ", to begin with where the configuration is not "
	                                         "good: it as it was last good.\n");

	if (result == RESULT_OK)
		result = settings_write(settings, &text);
	if (result != RESULT_OK)
		return fault_set(fault, result, FAULT_FERRY, 0, "write " GOOD_FILE);
	return is_kept(path, &text) ? RESULT_OK : file_replace(path, GOOD_FILE, NEW_FILE, (struct text_view){ text.bytes, text.length }, fault);
}
