/* core/declare: all files of jobs.d together. */
#include <stdlib.h>
#include <string.h>

#include "core/declare.h"

void declared_set_done(struct declared_set *set)
{
	for (uint32_t i = 0; i < set->count; i++)
		declared_free(set->jobs[i]);
	set->count = 0;
}

bool declared_set_add(struct declared_set *set, struct declared *declared)
{
	if (set->count == DECLARED_JOBS_MAX) {
		declared_free(declared);
		return false;
	}
	set->jobs[set->count++] = declared;
	return true;
}

struct declared *declared_set_find(const struct declared_set *set, const char *name)
{
	for (uint32_t i = 0; i < set->count; i++)
		if (strcmp(set->jobs[i]->name, name) == 0)
			return set->jobs[i];
	return NULL;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp((*(struct declared *const *)a)->name, (*(struct declared *const *)b)->name);
}

static void check_names(const struct declared_set *set, struct settings_errors *errors)
{
	char line[2 * DESTINATION_BYTES_MAX + 256];

	for (uint32_t i = 1; i < set->count; i++)
		if (strcmp(set->jobs[i - 1]->name, set->jobs[i]->name) == 0) {
			text_display(line, sizeof(line), "%s: name: \"%s\" is declared by %s, too", set->jobs[i]->source,
			             set->jobs[i]->name, set->jobs[i - 1]->source);
			settings_error(errors, line);
		}
}

/* --- spellings --- */

/* Capitals, each `step`th of the range, and how far behind it its small letter is: of Latin, Greek, Cyrillic and Armenian, as far as
 * Windows takes them for one in names.  Of each pair both take as many bytes. */
static const struct {
	uint16_t first, last, step;
	int16_t apart;
} capitals[] = {
	{ 'A', 'Z', 1, 32 },        { 0xC0, 0xD6, 1, 32 },      { 0xD8, 0xDE, 1, 32 },      { 0x100, 0x12E, 2, 1 },
	{ 0x132, 0x136, 2, 1 },     { 0x139, 0x147, 2, 1 },     { 0x14A, 0x176, 2, 1 },     { 0x178, 0x178, 1, -121 },
	{ 0x179, 0x17D, 2, 1 },     { 0x386, 0x386, 1, 38 },    { 0x388, 0x38A, 1, 37 },    { 0x38C, 0x38C, 1, 64 },
	{ 0x38E, 0x38F, 1, 63 },    { 0x391, 0x3A1, 1, 32 },    { 0x3A3, 0x3AB, 1, 32 },    { 0x400, 0x40F, 1, 80 },
	{ 0x410, 0x42F, 1, 32 },    { 0x460, 0x480, 2, 1 },     { 0x48A, 0x4BE, 2, 1 },     { 0x4C1, 0x4CD, 2, 1 },
	{ 0x4D0, 0x52E, 2, 1 },     { 0x531, 0x556, 1, 48 },    { 0x1E00, 0x1E94, 2, 1 },   { 0x1EA0, 0x1EFE, 2, 1 },
};

static unsigned fold(unsigned letter)
{
	for (size_t i = 0; i < sizeof(capitals) / sizeof(capitals[0]); i++)
		if (letter >= capitals[i].first && letter <= capitals[i].last && (letter - capitals[i].first) % capitals[i].step == 0)
			return (unsigned)((int)letter + capitals[i].apart);
	return letter;
}

/* The next character of UTF-8, folded in its place; what takes four bytes has no case here. */
static char *fold_next(char *at)
{
	static const unsigned char marks[] = { 0, 0, 0xC0, 0xE0 }; /* of what takes so many */
	unsigned char *bytes = (unsigned char *)at;
	size_t length = bytes[0] < 0x80 ? 1 : bytes[0] < 0xE0 ? 2 : bytes[0] < 0xF0 ? 3 : 4;

	if (length == 4)
		return at + length;

	unsigned letter = bytes[0] ^ marks[length];

	for (size_t i = 1; i < length; i++)
		letter = letter << 6 | (bytes[i] & 0x3Fu);
	letter = fold(letter);
	for (size_t i = length; --i > 0; letter >>= 6)
		bytes[i] = (unsigned char)(0x80 | (letter & 0x3F));
	bytes[0] = (unsigned char)(marks[length] | letter);
	return at + length;
}

/* The same for all spellings of a path that the system takes for one; NULL: no memory. */
static char *key_of(enum path_style style, const char *path)
{
	size_t size = strlen(path) + 1;
	char *key = malloc(size);

	if (key == NULL)
		return NULL;
	memcpy(key, path, size);
	for (char *at = key; style == PATH_WINDOWS && *at != '\0';)
		at = fold_next(at);
	return key;
}

/* --- destinations --- */

struct landing {
	char *key;
	const char *path;
	const struct declared *job;
	uint32_t file;
};

static int compare_landings(const void *a, const void *b)
{
	const struct landing *one = a, *other = b;
	int order = strcmp(one->key, other->key);

	return order != 0 ? order : strcmp(one->path, other->path);
}

static void refuse_landing(const struct landing *a, const struct landing *b, const char *why, struct settings_errors *errors)
{
	char line[3 * DESTINATION_BYTES_MAX + 256];

	text_display(line, sizeof(line), "%s: files[%u].path: %s: %s files[%u] of %s", b->job->source, (unsigned)b->file, b->path,
	             why, (unsigned)a->file, a->job->source);
	settings_error(errors, line);
}

/* The number of the former content of the file `key` that would have that name; 0: none would. */
static unsigned long version_of(const char *key, const char *name)
{
	const char *number = name + strlen(key) + 1;
	bool good = strlen(name) > strlen(key) + 1 && number[-1] == '.' && *number >= '1' && *number <= '9' &&
	            strspn(number, "0123456789") == strlen(number);

	return good ? strtoul(number, NULL, 10) : 0;
}

/* What is kept beside a file must not take the place of another.  Names that begin with one follow it at once. */
static void check_versions(const struct landing *landings, size_t count, struct settings_errors *errors)
{
	for (size_t i = 0; i < count; i++) {
		const struct landing *kept = &landings[i];

		for (size_t j = i + 1; kept->job->versions > 0 && j < count && strncmp(landings[j].key, kept->key, strlen(kept->key)) == 0; j++) {
			unsigned long version = version_of(kept->key, landings[j].key);

			if (version > 0 && version <= kept->job->versions)
				refuse_landing(kept, &landings[j], "keep_versions makes it a former content of", errors);
		}
	}
}

static void check_landings(struct landing *landings, size_t count, struct settings_errors *errors)
{
	if (count > 0)
		qsort(landings, count, sizeof(*landings), compare_landings);
	for (size_t at = 1; at < count; at++)
		if (strcmp(landings[at - 1].key, landings[at].key) == 0)
			refuse_landing(&landings[at - 1], &landings[at], "it is also the destination of", errors);
	check_versions(landings, count, errors);
}

static enum result check_destinations(const struct declared_set *set, enum path_style style, struct settings_errors *errors)
{
	size_t count = 0, at = 0;
	bool no_memory = false;

	for (uint32_t i = 0; i < set->count; i++)
		count += set->jobs[i]->file_count;

	struct landing *landings = calloc(count + 1, sizeof(*landings));

	if (landings == NULL)
		return RESULT_NO_MEMORY;
	for (uint32_t i = 0; i < set->count; i++)
		for (uint32_t j = 0; j < set->jobs[i]->file_count; j++, at++) {
			const char *path = set->jobs[i]->files[j].path;

			landings[at] = (struct landing){ key_of(style, path), path, set->jobs[i], j };
			no_memory |= landings[at].key == NULL;
		}
	if (!no_memory)
		check_landings(landings, count, errors);
	while (at-- > 0)
		free(landings[at].key);
	free(landings);
	return no_memory ? RESULT_NO_MEMORY : RESULT_OK;
}

enum result declared_set_check(struct declared_set *set, enum path_style style, struct settings_errors *errors)
{
	uint32_t before = errors->count;

	if (set->count > 0)
		qsort(set->jobs, set->count, sizeof(set->jobs[0]), compare_names);
	check_names(set, errors);

	enum result result = check_destinations(set, style, errors);

	return result == RESULT_OK && errors->count > before ? RESULT_BAD_SETTING : result;
}
