#include "cli/sources.h"

#include <stdlib.h>
#include <string.h>

#include "cli/arguments.h"
#include "core/ranges.h"
#include "core/url.h"

#define PATH_BYTES_MAX 4096

void sources_done(struct sources *sources)
{
	for (size_t i = 0; i < sources->count; i++) {
		free((void *)(uintptr_t)sources->files[i].mirrors); /* one block, with all texts */
		free((void *)(uintptr_t)sources->files[i].ranges);
	}
	free(sources->files);
	*sources = (struct sources){ .files = NULL };
}

/* --- a file's name from its URL --- */

static int hexadecimal(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* False: what comes out is no text, or longer than `size`, or a '%' is followed by something else than two digits. */
static bool decode(struct text_view text, char *to, size_t size)
{
	size_t length = 0;

	for (size_t i = 0; i < text.length; i++) {
		char c = text.bytes[i];
		if (c == '%') {
			bool two = text.length - i > 2;
			int high = two ? hexadecimal(text.bytes[i + 1]) : -1;
			int low = two ? hexadecimal(text.bytes[i + 2]) : -1;
			if (high < 0 || low < 0)
				return false;
			c = (char)(high << 4 | low);
			i += 2;
		}
		if (c == '\0' || length + 1 >= size)
			return false;
		to[length++] = c;
	}
	to[length] = '\0';
	return true;
}

/* A name that means a file and nothing else, on Windows too. */
static bool is_plain_name(struct text_view name)
{
	if (name.length == 0 || !text_is_utf8(name) || text_has_control(name) || text_is(name, ".") || text_is(name, ".."))
		return false;
	for (size_t i = 0; i < name.length; i++) {
		if (strchr("/\\:*?\"<>|", name.bytes[i]) != NULL)
			return false;
	}
	return true;
}

bool sources_name_of(const char *url, char *to, size_t size)
{
	struct url parts;

	if (url_parse(text_view(url), &parts, NULL) != RESULT_OK || parts.path.length == 0)
		return false;
	size_t start = parts.path.length;
	while (start > 0 && parts.path.bytes[start - 1] != (parts.share ? '\\' : '/'))
		start--;
	struct text_view segment = { parts.path.bytes + start, parts.path.length - start };
	if (!parts.share && decode(segment, to, size) && is_plain_name(text_view(to)))
		return true;
	return is_plain_name(segment) && text_copy(to, size, segment) == RESULT_OK;
}

/* --- the list --- */

static bool complain(char *problem, const char *url, const char *what)
{
	char shown[256];

	url_redact(text_view(url), shown, sizeof(shown));
	text_display(problem, SOURCES_PROBLEM_BYTES_MAX, "%s: %s", shown, what);
	return false;
}

/* The path and, where it is a folder, the URL's name behind it. */
static bool complete_path(const char *url, const char *destination,
                          bool (*absolute)(const char *path, char *to, size_t size), char path[PATH_BYTES_MAX],
                          char *problem)
{
	char name[512] = "", joined[PATH_BYTES_MAX];
	size_t length = strlen(destination);

	if (length == 0)
		return complain(problem, url, "its destination is empty");
	bool folder = destination[length - 1] == '/' || destination[length - 1] == '\\';
	if (folder && !sources_name_of(url, name, sizeof(name)))
		return complain(problem, url, "the URL gives the file no name; put one behind the folder");
	if (text_format(joined, sizeof(joined), "%s%s", destination, name) != RESULT_OK ||
	    !absolute(joined, path, PATH_BYTES_MAX))
		return complain(problem, url, "its destination cannot be made an absolute path");
	return true;
}

static bool grow(struct sources *sources)
{
	if (sources->count < sources->capacity)
		return true;
	if (sources->capacity >= SOURCES_MAX)
		return false;
	size_t capacity = sources->capacity > 0 ? 2 * sources->capacity : 16;
	struct ferry_source *files = realloc(sources->files, capacity * sizeof(*files));
	if (files == NULL)
		return false;
	sources->files = files;
	sources->capacity = capacity;
	return true;
}

/* What does not parse cannot be shown without what may be secret in it: so the number says which it is. */
static bool check_urls(const struct sources *sources, const struct ferry_source *file, char *problem)
{
	struct fault fault = { .result = RESULT_OK };

	if (url_parse(text_view(file->url), NULL, &fault) != RESULT_OK) {
		text_display(problem, SOURCES_PROBLEM_BYTES_MAX, "URL %zu is not acceptable: %s", sources->count + 1, fault.what);
		return false;
	}
	for (size_t i = 0; i < file->mirror_count; i++)
		if (url_parse(text_view(file->mirrors[i]), NULL, &fault) != RESULT_OK) {
			text_display(problem, SOURCES_PROBLEM_BYTES_MAX, "mirror %zu of URL %zu is not acceptable: %s", i + 1,
			             sources->count + 1, fault.what);
			return false;
		}
	return true;
}

/* Let all texts be in one block, the list of mirrors first. */
static bool copy_texts(struct ferry_source *file)
{
	enum { FIXED = 4 };
	const char *texts[FIXED + FERRY_MIRRORS_MAX] = { file->url, file->path, file->digest, file->if_none_match };
	size_t mirrors = file->mirror_count < FERRY_MIRRORS_MAX ? file->mirror_count : FERRY_MIRRORS_MAX;
	size_t size = mirrors * sizeof(const char *), count = FIXED + mirrors;

	if (mirrors > 0)
		memcpy(texts + FIXED, file->mirrors, size);
	for (size_t i = 0; i < count; i++)
		size += texts[i] != NULL ? strlen(texts[i]) + 1 : 0;
	const char **block = malloc(size);
	if (block == NULL)
		return false;
	char *to = (char *)(block + mirrors);
	for (size_t i = 0; i < count; i++) {
		if (texts[i] == NULL)
			continue;
		size_t length = strlen(texts[i]) + 1;
		memcpy(to, texts[i], length);
		texts[i] = to;
		to += length;
	}
	memcpy(block, texts + FIXED, mirrors * sizeof(const char *));
	file->url = texts[0];
	file->path = texts[1];
	file->digest = texts[2];
	file->if_none_match = texts[3];
	file->mirrors = block;
	file->mirror_count = mirrors;
	return true;
}

bool sources_read_ranges(struct ferry_source *file, const char *text)
{
	AUTO(ranges) struct ranges more = { .at = NULL };

	if (ranges_parse(text_view(text), &more, NULL) != RESULT_OK)
		return false;
	struct ferry_range *ranges =
		realloc((void *)(uintptr_t)file->ranges, (file->range_count + more.count) * sizeof(*ranges));
	if (ranges == NULL)
		return false;
	for (uint32_t i = 0; i < more.count; i++)
		ranges[file->range_count++] = (struct ferry_range){ more.at[i].offset, more.at[i].length };
	file->ranges = ranges;
	return true;
}

static bool copy_ranges(struct ferry_source *file)
{
	size_t size = file->range_count * sizeof(*file->ranges);
	struct ferry_range *ranges = size > 0 ? malloc(size) : NULL;

	if (ranges != NULL)
		memcpy(ranges, file->ranges, size);
	file->ranges = ranges;
	return size == 0 || ranges != NULL;
}

bool sources_add(struct sources *sources, const struct ferry_source *file,
                 bool (*absolute)(const char *path, char *to, size_t size), char problem[SOURCES_PROBLEM_BYTES_MAX])
{
	char path[PATH_BYTES_MAX];
	struct ferry_source copy = *file;

	if (!check_urls(sources, file, problem) || !complete_path(file->url, file->path, absolute, path, problem))
		return false;
	copy.path = path;
	if (!grow(sources) || !copy_ranges(&copy) || !copy_texts(&copy)) {
		if (copy.ranges != file->ranges)
			free((void *)(uintptr_t)copy.ranges);
		return complain(problem, file->url, "there is not enough memory for the list");
	}
	sources->files[sources->count++] = copy;
	return true;
}

/* Cut the text at the next tab and return what is behind it; NULL: no more. */
static char *cut(char *text)
{
	char *tab = strchr(text, '\t');

	if (tab == NULL)
		return NULL;
	*tab = '\0';
	return tab + 1;
}

static bool read_size(const char *text, uint64_t *ret_size)
{
	uint64_t size = 0;

	for (size_t i = 0; text[i] != '\0'; i++) {
		if (text[i] < '0' || text[i] > '9' || size > (uint64_t)INT64_MAX / 10 - 1)
			return false;
		size = size * 10 + (uint64_t)(text[i] - '0');
	}
	*ret_size = size;
	return text[0] != '\0';
}

/* What stands behind the digest: mirrors, what one has of the file already, and what one wants of it. */
static bool read_more(struct ferry_source *file, const char *mirrors[FERRY_MIRRORS_MAX], char *more, const char **ret_wrong)
{
	static const char tag[] = "if-none-match=", since[] = "if-modified-since=", ranges[] = "ranges=";

	for (char *next; more != NULL; more = next) {
		next = cut(more);
		if (strncmp(more, tag, sizeof(tag) - 1) == 0) {
			file->if_none_match = more + sizeof(tag) - 1;
		} else if (strncmp(more, since, sizeof(since) - 1) == 0) {
			*ret_wrong = "what is behind if-modified-since= is no date";
			if (!arguments_read_moment(more + sizeof(since) - 1, &file->if_modified_since_ms))
				return false;
		} else if (strncmp(more, ranges, sizeof(ranges) - 1) == 0) {
			*ret_wrong = "what is behind ranges= are no ranges like 0-99,200-";
			if (!sources_read_ranges(file, more + sizeof(ranges) - 1))
				return false;
		} else {
			*ret_wrong = "more than 8 mirrors are behind the digest";
			if (file->mirror_count == FERRY_MIRRORS_MAX)
				return false;
			mirrors[file->mirror_count++] = more;
		}
	}
	return true;
}

bool sources_add_line(struct sources *sources, char *line, bool (*absolute)(const char *path, char *to, size_t size),
                      char problem[SOURCES_PROBLEM_BYTES_MAX])
{
	struct ferry_source file = { .url = line, .size_bytes = FERRY_SIZE_UNKNOWN };
	const char *mirrors[FERRY_MIRRORS_MAX];
	size_t length = strlen(line);

	while (length > 0 && (line[length - 1] == '\n' || line[length - 1] == '\r'))
		line[--length] = '\0';
	if (line[0] == '\0' || line[0] == '#')
		return true;

	char *path = cut(line);
	char *size = path != NULL ? cut(path) : NULL;
	if (path == NULL)
		return complain(problem, line, "a tab and the destination are missing behind the URL");
	char *digest = size != NULL ? cut(size) : NULL;
	if (size != NULL && (digest == NULL || size[0] != '\0') && !read_size(size, &file.size_bytes))
		return complain(problem, line, "what is behind the second tab is not a size in bytes");
	char *more = digest != NULL ? cut(digest) : NULL;
	const char *wrong;
	bool read = read_more(&file, mirrors, more, &wrong);
	file.path = path;
	file.digest = digest != NULL && (digest[0] != '\0' || more == NULL) ? digest : NULL;
	file.mirrors = mirrors;
	bool added = read ? sources_add(sources, &file, absolute, problem) : complain(problem, line, wrong);
	free((void *)(uintptr_t)file.ranges);
	return added;
}
_Static_assert(FERRY_MIRRORS_MAX == 8, "read_more says so");
