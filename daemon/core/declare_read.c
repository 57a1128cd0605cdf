/* core/declare: a text of jobs.d, key by key.  What is wrong is noted, and the rest read, so that all of it is told at once. */
#include "core/declare_private.h"

#include <stdlib.h>
#include <string.h>

/* --- name, identity --- */

static void read_name(const struct reading *reading, struct json value)
{
	static const char allowed[] = "is not a name: 1 to 64 letters, digits, '.', '_' and '-'";
	struct text_view text = { .length = 0 };
	bool good = json_get_text(value, DECLARED_NAME_BYTES_MAX, &text, NULL) == RESULT_OK && text.length > 0;

	for (size_t i = 0; i < text.length && good; i++) {
		char c = text.bytes[i];

		good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
	}
	if (!good || text_copy(reading->job->name, sizeof(reading->job->name), text) != RESULT_OK)
		declare_refuse_value(reading, value, allowed);
}

static void read_identity(const struct reading *reading, struct json value)
{
	static const char *const members[] = { "helper", NULL };
	static const char *const words[] = { "service", NULL };
	static const char allowed[] = "is neither \"service\" nor { \"helper\": \"S-1-5-...\" }";
	struct json helper = json_member(value, "helper");
	struct text_view sid = { .length = 0 };

	if (json_is_string(value)) {
		(void)declare_read_choice(reading, value, words, allowed);
		return;
	}
	if (!declare_check_object(reading, value, members, allowed))
		return;
	if (helper.value == NULL) {
		declare_refuse_missing(reading, value, "helper");
		return;
	}
	bool good = json_get_text(helper, JOB_OWNER_BYTES_MAX - 1, &sid, NULL) == RESULT_OK && !text_has_control(sid) &&
	            sid.length > 4 && (memcmp(sid.bytes, "S-1-", 4) == 0 || memcmp(sid.bytes, "uid:", 4) == 0);

	if (!good || text_copy(reading->job->helper, sizeof(reading->job->helper), sid) != RESULT_OK)
		declare_refuse_value(reading, helper, "is not a SID, S-1-5-...");
}

/* --- files --- */

static char *read_url(struct reading *reading, struct json value)
{
	struct text_view text = { .length = 0 };
	struct fault why = { .result = RESULT_OK };

	if (json_get_text(value, URL_BYTES_MAX, &text, NULL) != RESULT_OK)
		declare_refuse_unseen(reading, value, "is not a URL of at most 2200 bytes");
	else if (url_is_share(text)) /* the service reads none, and a helper's token is lent for some by the owner alone */
		declare_refuse_unseen(reading, value, "shares are not for declared jobs yet: state an http or https URL");
	else if (url_parse(text, NULL, &why) != RESULT_OK)
		declare_refuse_unseen(reading, value, why.what);
	else
		return declare_keep_text(reading, text);
	return NULL;
}

/* The URL's last segment, if a file can be called so as it stands there. */
static struct text_view name_of(const char *url)
{
	struct text_view none = { .length = 0 };
	struct url parts;
	size_t length;

	if (url == NULL || url_parse(text_view(url), &parts, NULL) != RESULT_OK ||
	    (parts.path.length > 0 && memchr(parts.path.bytes, '%', parts.path.length) != NULL))
		return none;
	length = parts.path.length;
	while (length > 0 && parts.path.bytes[length - 1] != '/' && parts.path.bytes[length - 1] != '\\')
		length--;
	return (struct text_view){ parts.path.bytes + length, parts.path.length - length };
}

static void slashes(char *path)
{
	for (; *path != '\0'; path++)
		if (*path == '/')
			*path = '\\';
}

#define SHORT_NAME "has a '~' before a digit, as short names of Windows have: state the long one, by which two of one file are known"

/* Another spelling of some name, by which two destinations could be one. */
static bool has_short_name(const struct reading *reading, struct text_view path)
{
	bool found = false;

	for (size_t i = 1; i < path.length && reading->style == PATH_WINDOWS; i++)
		found |= path.bytes[i - 1] == '~' && path.bytes[i] >= '0' && path.bytes[i] <= '9';
	return found;
}

/* The destination of a file that is called so in the folder. */
static char *join(struct reading *reading, struct json at, struct text_view name)
{
	char path[DESTINATION_BYTES_MAX + 1], relative[DESTINATION_BYTES_MAX + 1];
	const char *folder = reading->job->destination;
	char separator = reading->style == PATH_WINDOWS ? '\\' : '/';
	struct destination ignored;
	struct fault why = { .result = RESULT_OK };

	if (folder == NULL)
		return NULL; /* which has been said */

	bool root = folder[strlen(folder) - 1] == separator;

	if (text_copy(relative, sizeof(relative), name) != RESULT_OK) {
		declare_refuse_unseen(reading, at, "is too long");
		return NULL;
	}
	if (has_short_name(reading, name)) {
		declare_refuse_unseen(reading, at, SHORT_NAME);
		return NULL;
	}
	if (reading->style == PATH_WINDOWS)
		slashes(relative);
	if (text_format(path, sizeof(path), "%s%.*s%s", folder, root ? 0 : 1, &separator, relative) != RESULT_OK)
		declare_refuse_unseen(reading, at, "is too long, with the destination before it");
	else if (destination_parse(reading->style, text_view(path), &ignored, &why) != RESULT_OK)
		declare_refuse_unseen(reading, at, why.what);
	else
		return declare_keep_text(reading, text_view(path));
	return NULL;
}

static void read_path(struct reading *reading, struct json object, struct declared_file *file)
{
	struct json value = json_member(object, "path");
	struct text_view name = { .length = 0 };

	if (value.value == NULL)
		name = name_of(file->url);
	else if (json_get_text(value, DESTINATION_BYTES_MAX, &name, NULL) != RESULT_OK || name.length == 0) {
		declare_refuse_value(reading, value, "is not a path below the destination");
		return;
	}
	if (name.length == 0 && file->url != NULL)
		declare_refuse_unseen(reading, object, "path: is missing, and the URL does not end in a name that could be the file's");
	if (name.length > 0)
		file->path = join(reading, value.value != NULL ? value : object, name);
}

static void read_mirrors(struct reading *reading, struct json value, struct declared_file *file)
{
	if (!json_is_array(value) || json_length(value) > FILE_MIRRORS_MAX) {
		declare_refuse_unseen(reading, value, "is not a list of at most 8 URLs");
		return;
	}
	for (size_t i = 0; i < json_length(value); i++) {
		char *mirror = read_url(reading, json_at(value, i));

		if (mirror != NULL)
			file->mirrors[file->mirror_count++] = mirror;
	}
}

static void read_file(struct reading *reading, struct json object, struct declared_file *file)
{
	static const char *const members[] = { "url", "mirrors", "path", "digest", "size_bytes", NULL };
	struct json url = json_member(object, "url"), mirrors = json_member(object, "mirrors");
	struct json digest = json_member(object, "digest"), size = json_member(object, "size_bytes");
	struct text_view text = { .length = 0 };
	struct fault why = { .result = RESULT_OK };

	file->bytes = SIZE_UNKNOWN;
	if (!declare_check_object(reading, object, members, "is not an object: { \"url\": ... }"))
		return;
	if (url.value != NULL)
		file->url = read_url(reading, url);
	else
		declare_refuse_missing(reading, object, "url");
	read_path(reading, object, file);
	if (mirrors.value != NULL)
		read_mirrors(reading, mirrors, file);
	if (digest.value != NULL && (json_get_text(digest, DIGEST_TEXT_BYTES_MAX, &text, NULL) != RESULT_OK ||
	                             digest_parse(text, &file->digest, &why) != RESULT_OK))
		declare_refuse_value(reading, digest, "is not a digest: \"sha256:\" and 64 hexadecimal digits, or sha384, sha512");
	if (size.value != NULL)
		declare_read_number(reading, size, 0, INT64_MAX, &file->bytes);
}

static void read_files(struct reading *reading, struct json value)
{
	struct declared *job = reading->job;
	size_t count = json_length(value);

	if (!json_is_array(value) || count == 0 || count > DECLARED_FILES_MAX) {
		declare_refuse_unseen(reading, value, "is not a list of 1 to 1000 files: [{ \"url\": ... }]");
		return;
	}
	job->files = calloc(count, sizeof(*job->files));
	reading->no_memory |= job->files == NULL;
	if (job->files == NULL)
		return;
	job->file_count = (uint32_t)count;
	for (size_t i = 0; i < count && reading->errors->count < SETTINGS_ERRORS_MAX; i++)
		read_file(reading, json_at(value, i), &job->files[i]);
}

/* A folder is judged as what a file in it would be. */
static void read_destination(struct reading *reading, struct json value)
{
	struct text_view text = { .length = 0 };
	struct destination ignored;
	struct fault why = { .result = RESULT_OK };
	char path[DESTINATION_BYTES_MAX + 1];
	char separator = reading->style == PATH_WINDOWS ? '\\' : '/';

	if (json_get_text(value, DESTINATION_BYTES_MAX - 2, &text, NULL) != RESULT_OK || text.length == 0) {
		declare_refuse_value(reading, value, "is not the absolute path of a folder");
		return;
	}
	bool root = text.bytes[text.length - 1] == separator;

	text_display(path, sizeof(path), "%.*s%s%s", (int)text.length, text.bytes,
	             root ? "" : separator == '/' ? "/" : "\\", "f");
	if (destination_parse(reading->style, text_view(path), &ignored, &why) != RESULT_OK)
		declare_refuse_value(reading, value, "is not the absolute path of a folder, without a separator at its end");
	else if (destination_is_remote(reading->style, text))
		declare_refuse_value(reading, value, "is a folder on a share, which is not for declared jobs yet: state one of this machine");
	else if (has_short_name(reading, text))
		declare_refuse_value(reading, value, SHORT_NAME);
	else
		reading->job->destination = declare_keep_text(reading, text);
}

/* --- the whole --- */

static void read_job(struct reading *reading, struct json root)
{
	static const char *const members[] = { "name", "files", "destination", "priority", "identity", "when", "spread", "on_change",
		                               "keep_versions", NULL };
	static const char *const changes[] = { "replace", "keep", NULL };
	static const char *const priorities[] = { "foreground", "high", "normal", "low", NULL };
	static const char *const needed[] = { "name", "destination", "files" };
	struct declared *job = reading->job;
	struct json at;
	uint64_t versions = 0;

	if (!declare_check_object(reading, root, members, "is not one object: { \"name\": ..., \"files\": [...] }"))
		return;
	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
		if (json_member(root, needed[i]).value == NULL)
			declare_refuse_missing(reading, root, needed[i]);
	if ((at = json_member(root, "name")).value != NULL)
		read_name(reading, at);
	if ((at = json_member(root, "destination")).value != NULL)
		read_destination(reading, at);
	if ((at = json_member(root, "files")).value != NULL)
		read_files(reading, at);
	if ((at = json_member(root, "priority")).value != NULL)
		job->priority = (enum job_priority)declare_read_choice(reading, at, priorities,
		                                               "is none of \"foreground\", \"high\", \"normal\" and \"low\"");
	if ((at = json_member(root, "identity")).value != NULL)
		read_identity(reading, at);
	if ((at = json_member(root, "when")).value != NULL)
		declare_read_when(reading, at);
	if ((at = json_member(root, "spread")).value != NULL)
		declare_read_spread(reading, at);
	if ((at = json_member(root, "on_change")).value != NULL)
		job->keep = declare_read_choice(reading, at, changes, "is neither \"replace\" nor \"keep\"") == 1;
	if ((at = json_member(root, "keep_versions")).value != NULL)
		declare_read_number(reading, at, 0, DECLARED_VERSIONS_MAX, &versions);
	job->versions = (uint32_t)versions;
}

enum result declare_read(struct text_view text, const char *source, enum path_style style, struct declared **ret_declared,
                         struct settings_errors *errors)
{
	AUTO(json_document) struct json_document *document = NULL;
	AUTO(declared) struct declared *job = calloc(1, sizeof(*job));
	struct reading reading = { source, NULL, style, job, errors, job == NULL };
	struct fault malformed = { .result = RESULT_OK };
	uint32_t before = errors->count;

	if (job == NULL || (job->source = declare_keep_text(&reading, text_view(source))) == NULL)
		return RESULT_NO_MEMORY;
	job->priority = JOB_NORMAL;

	enum result result = json_parse(text, JSON_CONFIG, &document, &malformed);

	if (result != RESULT_OK) {
		bool shows = malformed.result == RESULT_DUPLICATE_FIELD && declare_may_hide_a_secret(text_view(malformed.what));

		declare_refuse(&reading, (struct json){ .value = NULL },
		               shows ? "a key stands there twice (not shown, it may have a secret in it)" : malformed.what);
		return result == RESULT_NO_MEMORY ? result : RESULT_BAD_SETTING;
	}
	reading.document = document;
	read_job(&reading, json_root(document));
	if (reading.no_memory)
		return RESULT_NO_MEMORY;
	if (errors->count > before || before >= SETTINGS_ERRORS_MAX)
		return RESULT_BAD_SETTING;
	*ret_declared = TAKE(job);
	return RESULT_OK;
}
