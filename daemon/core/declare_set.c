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

/* --- destinations --- */

struct landing {
	const char *path;
	const struct declared *job;
	uint32_t file;
};

static int fold(char c)
{
	return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : (unsigned char)c;
}

/* Those that are alike but for the case of letters stand together, and among them those that are the same. */
static int compare_landings(const void *a, const void *b)
{
	const char *one = ((const struct landing *)a)->path, *other = ((const struct landing *)b)->path;
	size_t i = 0;

	while (one[i] != '\0' && fold(one[i]) == fold(other[i]))
		i++;
	return fold(one[i]) != fold(other[i]) ? fold(one[i]) - fold(other[i]) : strcmp(one, other);
}

static void refuse_landing(const struct landing *a, const struct landing *b, const char *why, struct settings_errors *errors)
{
	char line[3 * DESTINATION_BYTES_MAX + 256];

	text_display(line, sizeof(line), "%s: files[%u].path: %s: %s files[%u] of %s", b->job->source, (unsigned)b->file, b->path,
	             why, (unsigned)a->file, a->job->source);
	settings_error(errors, line);
}

/* Names that begin with one follow it at once. */
static bool begins_with(const char *name, const char *path)
{
	size_t i = 0;

	while (path[i] != '\0' && fold(path[i]) == fold(name[i]))
		i++;
	return path[i] == '\0';
}

/* The number of the former content of the file at `path` that would have that name; 0: none would. */
static unsigned long version_of(enum path_style style, const char *path, const char *name)
{
	const char *number = name + strlen(path) + 1;
	bool good = destination_same(style, text_view(path), (struct text_view){ name, strlen(path) }) && number[-1] == '.' &&
	            *number >= '1' && *number <= '9' && strspn(number, "0123456789") == strlen(number);

	return good ? strtoul(number, NULL, 10) : 0;
}

/* What is kept beside a file must not take the place of another. */
static void check_versions(const struct landing *landings, size_t count, enum path_style style, struct settings_errors *errors)
{
	for (size_t i = 0; i < count; i++) {
		const struct landing *kept = &landings[i];

		for (size_t j = i + 1; kept->job->versions > 0 && j < count && begins_with(landings[j].path, kept->path); j++) {
			unsigned long version = strlen(landings[j].path) > strlen(kept->path)
			                            ? version_of(style, kept->path, landings[j].path)
			                            : 0;

			if (version > 0 && version <= kept->job->versions)
				refuse_landing(kept, &landings[j], "keep_versions makes it a former content of", errors);
		}
	}
}

static enum result check_destinations(const struct declared_set *set, enum path_style style, struct settings_errors *errors)
{
	size_t count = 0;

	for (uint32_t i = 0; i < set->count; i++)
		count += set->jobs[i]->file_count;

	struct landing *landings = calloc(count + 1, sizeof(*landings));
	size_t at = 0;

	if (landings == NULL)
		return RESULT_NO_MEMORY;
	for (uint32_t i = 0; i < set->count; i++)
		for (uint32_t j = 0; j < set->jobs[i]->file_count; j++)
			landings[at++] = (struct landing){ set->jobs[i]->files[j].path, set->jobs[i], j };
	if (count > 0)
		qsort(landings, count, sizeof(*landings), compare_landings);
	for (at = 1; at < count; at++)
		if (destination_same(style, text_view(landings[at - 1].path), text_view(landings[at].path)))
			refuse_landing(&landings[at - 1], &landings[at], "it is also the destination of", errors);
	check_versions(landings, count, style, errors);
	free(landings);
	return RESULT_OK;
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
