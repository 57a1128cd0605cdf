/* core/declare: a text of jobs.d, key by key, and the same written.  What is wrong is noted, and the rest read, so that all of it
 * is told at once. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/declare.h"
#include "core/nearest.h"

#define REASON_BYTES_MAX 512

struct reading {
	const char *source;
	const struct json_document *document;
	enum path_style style;
	struct declared *job;
	struct settings_errors *errors;
	bool no_memory;
};

static const char *const day_names[] = { "mon", "tue", "wed", "thu", "fri", "sat", "sun" };

/* --- what is wrong, and where --- */

static void refuse(const struct reading *reading, struct json at, const char *reason)
{
	char line[DESTINATION_BYTES_MAX + REASON_BYTES_MAX];
	uint32_t row, column;

	if (reading->errors->count < SETTINGS_ERRORS_MAX && json_position(reading->document, at, &row, &column))
		text_display(line, sizeof(line), "%s: line %" PRIu32 ", column %" PRIu32 ": %s", reading->source, row, column, reason);
	else
		text_display(line, sizeof(line), "%s: %s", reading->source, reason);
	settings_error(reading->errors, line);
}

/* "path: what stands there is not what is allowed". */
static void refuse_value(const struct reading *reading, struct json value, const char *allowed)
{
	char written[NEAREST_BYTES_MAX], reason[REASON_BYTES_MAX];

	nearest_show(written, json_written(reading->document, value));
	text_display(reason, sizeof(reason), "%s: %s %s", value.path[0] != '\0' ? value.path : "the whole", written, allowed);
	refuse(reading, value, reason);
}

/* The same of what may have a secret in it, and is not shown. */
static void refuse_unseen(const struct reading *reading, struct json value, const char *why)
{
	char reason[REASON_BYTES_MAX];

	text_display(reason, sizeof(reason), "%s: %s", value.path, why);
	refuse(reading, value, reason);
}

static void refuse_missing(const struct reading *reading, struct json object, const char *name)
{
	char reason[REASON_BYTES_MAX];

	text_display(reason, sizeof(reason), "%s%s%s: is missing", object.path, object.path[0] != '\0' ? "." : "", name);
	refuse(reading, object, reason);
}

static void refuse_key(const struct reading *reading, struct json at, struct text_view given, const char *const *known)
{
	char name[NEAREST_BYTES_MAX], reason[REASON_BYTES_MAX];
	const char *nearest = known[0];

	nearest_show(name, given);
	for (size_t i = 1; known[i] != NULL; i++)
		if (nearest_distance(known[i], name) < nearest_distance(nearest, name))
			nearest = known[i];
	text_display(reason, sizeof(reason), "%s: there is no such key; the nearest is %s", at.path, nearest);
	refuse(reading, at, reason);
}

/* Is it an object of no other members? */
static bool check_object(const struct reading *reading, struct json object, const char *const *known, const char *allowed)
{
	if (!json_is_object(object)) {
		refuse_value(reading, object, allowed);
		return false;
	}
	for (size_t i = 0; i < json_length(object); i++) {
		struct text_view name;
		struct json value = json_key_at(object, i, &name);
		size_t j = 0;

		while (known[j] != NULL && !text_is(name, known[j]))
			j++;
		if (known[j] == NULL)
			refuse_key(reading, value, name, known);
	}
	return true;
}

/* --- small values --- */

static char *keep_text(struct reading *reading, struct text_view text)
{
	char *kept = malloc(text.length + 1);

	if (kept == NULL) {
		reading->no_memory = true;
		return NULL;
	}
	memcpy(kept, text.bytes, text.length);
	kept[text.length] = '\0';
	return kept;
}

/* The place of a text in the list, which ends with NULL; of that length: it is none of them. */
static size_t read_choice(const struct reading *reading, struct json value, const char *const *choices, const char *allowed)
{
	struct text_view text = { .length = 0 };
	bool good = json_get_text(value, NEAREST_BYTES_MAX, &text, NULL) == RESULT_OK;
	size_t i = 0;

	while (choices[i] != NULL && !(good && text_is(text, choices[i])))
		i++;
	if (choices[i] == NULL)
		refuse_value(reading, value, allowed);
	return i;
}

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
		refuse_value(reading, value, allowed);
}

static void read_number(const struct reading *reading, struct json value, uint64_t minimum, uint64_t maximum, uint64_t *ret)
{
	char allowed[REASON_BYTES_MAX];

	text_display(allowed, sizeof(allowed), "is not a whole number from %" PRIu64 " to %" PRIu64, minimum, maximum);
	if (json_get_u64(value, minimum, maximum, ret, NULL) != RESULT_OK)
		refuse_value(reading, value, allowed);
}

/* "90s", "30m", "24h", "7d". */
static void read_time(const struct reading *reading, struct json value, uint32_t minimum, uint32_t *ret_s)
{
	static const struct {
		char unit;
		uint32_t seconds;
	} units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 } };
	struct text_view text = { .length = 0 };
	uint64_t number = 0;
	bool good = json_get_text(value, 12, &text, NULL) == RESULT_OK && text.length > 1;

	for (size_t i = 0; good && i + 1 < text.length; i++) {
		good = text.bytes[i] >= '0' && text.bytes[i] <= '9';
		number = number * 10 + (uint64_t)(text.bytes[i] - '0');
	}
	for (size_t i = 0; good && i < sizeof(units) / sizeof(units[0]); i++)
		if (units[i].unit == text.bytes[text.length - 1] && number * units[i].seconds >= minimum &&
		    number * units[i].seconds <= DECLARED_TIME_S_MAX) {
			*ret_s = (uint32_t)(number * units[i].seconds);
			return;
		}
	refuse_value(reading, value, minimum > 0 ? "is not a time from \"60s\" to \"366d\": a number and s, m, h or d"
	                                         : "is not a time up to \"366d\": a number and s, m, h or d");
}

static bool two_digits(const char *at, unsigned below, unsigned *ret)
{
	if (at[0] < '0' || at[0] > '9' || at[1] < '0' || at[1] > '9')
		return false;
	*ret = (unsigned)(at[0] - '0') * 10 + (unsigned)(at[1] - '0');
	return *ret < below;
}

/* "02:00-05:00" */
static void read_window(const struct reading *reading, struct json value)
{
	struct declared_when *when = &reading->job->when;
	struct text_view text = { .length = 0 };
	unsigned hour, minute, to_hour, to_minute;
	bool good = json_get_text(value, 11, &text, NULL) == RESULT_OK && text.length == 11 && text.bytes[2] == ':' &&
	            text.bytes[5] == '-' && text.bytes[8] == ':' && two_digits(text.bytes, 24, &hour) &&
	            two_digits(text.bytes + 3, 60, &minute) && two_digits(text.bytes + 6, 24, &to_hour) &&
	            two_digits(text.bytes + 9, 60, &to_minute);

	if (good) {
		when->from_minute = (uint16_t)(hour * 60 + minute);
		when->to_minute = (uint16_t)(to_hour * 60 + to_minute);
	}
	if (!good || when->from_minute == when->to_minute)
		refuse_value(reading, value, "is not a window, as \"02:00-05:00\", by the machine's own clock");
}

static void read_days(const struct reading *reading, struct json value)
{
	static const char *const names[] = { "mon", "tue", "wed", "thu", "fri", "sat", "sun", NULL };

	if (!json_is_array(value) || json_length(value) == 0) {
		refuse_value(reading, value, "is not a list of days: [\"mon\", ...]");
		return;
	}
	reading->job->when.days = 0;
	for (size_t i = 0; i < json_length(value); i++) {
		size_t day = read_choice(reading, json_at(value, i), names, "is none of mon, tue, wed, thu, fri, sat and sun");

		reading->job->when.days |= (uint8_t)(day < 7 ? 1u << day : 0);
	}
}

/* --- when, identity --- */

static void read_when(const struct reading *reading, struct json value)
{
	static const char *const members[] = { "every", "window", "days", NULL };
	static const char *const words[] = { "once", NULL };
	struct declared_when *when = &reading->job->when;
	struct json every = json_member(value, "every"), window = json_member(value, "window"), days = json_member(value, "days");

	if (json_is_string(value)) {
		(void)read_choice(reading, value, words, "is neither \"once\" nor an object with every or window");
		return;
	}
	if (!check_object(reading, value, members, "is neither \"once\" nor an object with every or window"))
		return;
	if ((every.value != NULL) == (window.value != NULL)) {
		refuse_unseen(reading, value, "has to have either every or window");
		return;
	}
	when->kind = every.value != NULL ? DECLARED_EVERY : DECLARED_WINDOW;
	when->days = window.value != NULL ? 0x7F : 0;
	if (every.value != NULL)
		read_time(reading, every, DECLARED_EVERY_S_MIN, &when->every_s);
	else
		read_window(reading, window);
	if (days.value != NULL && window.value == NULL)
		refuse_value(reading, days, "is for a window only");
	else if (days.value != NULL)
		read_days(reading, days);
}

static uint32_t room_s(const struct declared_when *when)
{
	unsigned minutes = (when->to_minute + 1440u - when->from_minute) % 1440u;

	return when->kind == DECLARED_WINDOW ? minutes * 60 : when->kind == DECLARED_EVERY ? when->every_s : DECLARED_TIME_S_MAX;
}

static void read_spread(const struct reading *reading, struct json value)
{
	struct declared_when *when = &reading->job->when;
	uint32_t before = reading->errors->count;

	read_time(reading, value, 0, &when->spread_s);
	if (reading->errors->count == before && when->spread_s > room_s(when))
		refuse_value(reading, value, "is longer than the window, or than every");
}

static void read_identity(const struct reading *reading, struct json value)
{
	static const char *const members[] = { "helper", NULL };
	static const char *const words[] = { "service", NULL };
	static const char allowed[] = "is neither \"service\" nor { \"helper\": \"S-1-5-...\" }";
	struct json helper = json_member(value, "helper");
	struct text_view sid = { .length = 0 };

	if (json_is_string(value)) {
		(void)read_choice(reading, value, words, allowed);
		return;
	}
	if (!check_object(reading, value, members, allowed))
		return;
	if (helper.value == NULL) {
		refuse_missing(reading, value, "helper");
		return;
	}
	bool good = json_get_text(helper, JOB_OWNER_BYTES_MAX - 1, &sid, NULL) == RESULT_OK && !text_has_control(sid) &&
	            sid.length > 4 && (memcmp(sid.bytes, "S-1-", 4) == 0 || memcmp(sid.bytes, "uid:", 4) == 0);

	if (!good || text_copy(reading->job->helper, sizeof(reading->job->helper), sid) != RESULT_OK)
		refuse_value(reading, helper, "is not a SID, S-1-5-...");
}

/* --- files --- */

static char *read_url(struct reading *reading, struct json value)
{
	struct text_view text = { .length = 0 };
	struct fault why = { .result = RESULT_OK };

	if (json_get_text(value, URL_BYTES_MAX, &text, NULL) != RESULT_OK)
		refuse_unseen(reading, value, "is not a URL of at most 2200 bytes");
	else if (url_parse(text, NULL, &why) != RESULT_OK)
		refuse_unseen(reading, value, why.what);
	else
		return keep_text(reading, text);
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
		refuse_unseen(reading, at, "is too long");
		return NULL;
	}
	if (reading->style == PATH_WINDOWS)
		slashes(relative);
	if (text_format(path, sizeof(path), "%s%.*s%s", folder, root ? 0 : 1, &separator, relative) != RESULT_OK)
		refuse_unseen(reading, at, "is too long, with the destination before it");
	else if (destination_parse(reading->style, text_view(path), &ignored, &why) != RESULT_OK)
		refuse_unseen(reading, at, why.what);
	else
		return keep_text(reading, text_view(path));
	return NULL;
}

static void read_path(struct reading *reading, struct json object, struct declared_file *file)
{
	struct json value = json_member(object, "path");
	struct text_view name = { .length = 0 };

	if (value.value == NULL)
		name = name_of(file->url);
	else if (json_get_text(value, DESTINATION_BYTES_MAX, &name, NULL) != RESULT_OK || name.length == 0) {
		refuse_value(reading, value, "is not a path below the destination");
		return;
	}
	if (name.length == 0 && file->url != NULL)
		refuse_unseen(reading, object, "path: is missing, and the URL does not end in a name that could be the file's");
	if (name.length > 0)
		file->path = join(reading, value.value != NULL ? value : object, name);
}

static void read_mirrors(struct reading *reading, struct json value, struct declared_file *file)
{
	if (!json_is_array(value) || json_length(value) > FILE_MIRRORS_MAX) {
		refuse_unseen(reading, value, "is not a list of at most 8 URLs");
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
	if (!check_object(reading, object, members, "is not an object: { \"url\": ... }"))
		return;
	if (url.value != NULL)
		file->url = read_url(reading, url);
	else
		refuse_missing(reading, object, "url");
	read_path(reading, object, file);
	if (mirrors.value != NULL)
		read_mirrors(reading, mirrors, file);
	if (digest.value != NULL && (json_get_text(digest, DIGEST_TEXT_BYTES_MAX, &text, NULL) != RESULT_OK ||
	                             digest_parse(text, &file->digest, &why) != RESULT_OK))
		refuse_value(reading, digest, "is not a digest: \"sha256:\" and 64 hexadecimal digits, or sha384, sha512");
	if (size.value != NULL)
		read_number(reading, size, 0, INT64_MAX, &file->bytes);
}

static void read_files(struct reading *reading, struct json value)
{
	struct declared *job = reading->job;
	size_t count = json_length(value);

	if (!json_is_array(value) || count == 0 || count > DECLARED_FILES_MAX) {
		refuse_unseen(reading, value, "is not a list of 1 to 1000 files: [{ \"url\": ... }]");
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
		refuse_value(reading, value, "is not the absolute path of a folder");
		return;
	}
	bool root = text.bytes[text.length - 1] == separator;

	text_display(path, sizeof(path), "%.*s%s%s", (int)text.length, text.bytes,
	             root ? "" : separator == '/' ? "/" : "\\", "f");
	if (destination_parse(reading->style, text_view(path), &ignored, &why) != RESULT_OK)
		refuse_value(reading, value, "is not the absolute path of a folder, without a separator at its end");
	else
		reading->job->destination = keep_text(reading, text);
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

	if (!check_object(reading, root, members, "is not one object: { \"name\": ..., \"files\": [...] }"))
		return;
	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
		if (json_member(root, needed[i]).value == NULL)
			refuse_missing(reading, root, needed[i]);
	if ((at = json_member(root, "name")).value != NULL)
		read_name(reading, at);
	if ((at = json_member(root, "destination")).value != NULL)
		read_destination(reading, at);
	if ((at = json_member(root, "files")).value != NULL)
		read_files(reading, at);
	if ((at = json_member(root, "priority")).value != NULL)
		job->priority = (enum job_priority)read_choice(reading, at, priorities,
		                                               "is none of \"foreground\", \"high\", \"normal\" and \"low\"");
	if ((at = json_member(root, "identity")).value != NULL)
		read_identity(reading, at);
	if ((at = json_member(root, "when")).value != NULL)
		read_when(reading, at);
	if ((at = json_member(root, "spread")).value != NULL)
		read_spread(reading, at);
	if ((at = json_member(root, "on_change")).value != NULL)
		job->keep = read_choice(reading, at, changes, "is neither \"replace\" nor \"keep\"") == 1;
	if ((at = json_member(root, "keep_versions")).value != NULL)
		read_number(reading, at, 0, DECLARED_VERSIONS_MAX, &versions);
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

	if (job == NULL || (job->source = keep_text(&reading, text_view(source))) == NULL)
		return RESULT_NO_MEMORY;
	job->priority = JOB_NORMAL;

	enum result result = json_parse(text, JSON_CONFIG, &document, &malformed);

	if (result != RESULT_OK) {
		refuse(&reading, (struct json){ .value = NULL }, malformed.what);
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

/* --- writing --- */

static void write_file(struct json_writer *writer, const struct declared *job, const struct declared_file *file)
{
	char digest[DIGEST_TEXT_BYTES_MAX];
	size_t folder = strlen(job->destination);
	const char *relative = file->path + folder;

	relative += relative[0] == '/' || relative[0] == '\\'; /* a root has one of its own */
	json_write_begin(writer, NULL, '{');
	json_write_text(writer, "url", text_view(file->url));
	json_write_text(writer, "path", text_view(relative));
	if (file->mirror_count > 0) {
		json_write_begin(writer, "mirrors", '[');
		for (uint32_t i = 0; i < file->mirror_count; i++)
			json_write_text(writer, NULL, text_view(file->mirrors[i]));
		json_write_end(writer, ']');
	}
	digest_format(&file->digest, digest);
	if (digest[0] != '\0')
		json_write_text(writer, "digest", text_view(digest));
	if (file->bytes != SIZE_UNKNOWN)
		json_write_u64(writer, "size_bytes", file->bytes);
	json_write_end(writer, '}');
}

static void write_when(struct json_writer *writer, const struct declared_when *when)
{
	char text[24];

	if (when->kind == DECLARED_ONCE) {
		json_write_text(writer, "when", text_view("once"));
	} else {
		json_write_begin(writer, "when", '{');
		if (when->kind == DECLARED_EVERY)
			text_display(text, sizeof(text), "%" PRIu32 "s", when->every_s);
		else
			text_display(text, sizeof(text), "%02u:%02u-%02u:%02u", when->from_minute / 60u, when->from_minute % 60u,
			             when->to_minute / 60u, when->to_minute % 60u);
		json_write_text(writer, when->kind == DECLARED_EVERY ? "every" : "window", text_view(text));
		if (when->kind == DECLARED_WINDOW) {
			json_write_begin(writer, "days", '[');
			for (unsigned day = 0; day < 7; day++)
				if (when->days & 1u << day)
					json_write_text(writer, NULL, text_view(day_names[day]));
			json_write_end(writer, ']');
		}
		json_write_end(writer, '}');
	}
	text_display(text, sizeof(text), "%" PRIu32 "s", when->spread_s);
	json_write_text(writer, "spread", text_view(text));
}

enum result declare_write(const struct declared *job, struct buffer *to)
{
	struct json_writer writer = JSON_WRITER(to);

	json_write_begin(&writer, NULL, '{');
	json_write_text(&writer, "name", text_view(job->name));
	json_write_text(&writer, "destination", text_view(job->destination));
	json_write_text(&writer, "priority", text_view(job_priority_name(job->priority)));
	if (job->helper[0] != '\0') {
		json_write_begin(&writer, "identity", '{');
		json_write_text(&writer, "helper", text_view(job->helper));
		json_write_end(&writer, '}');
	}
	write_when(&writer, &job->when);
	json_write_text(&writer, "on_change", text_view(job->keep ? "keep" : "replace"));
	json_write_u64(&writer, "keep_versions", job->versions);
	json_write_begin(&writer, "files", '[');
	for (uint32_t i = 0; i < job->file_count; i++)
		write_file(&writer, job, &job->files[i]);
	json_write_end(&writer, ']');
	json_write_end(&writer, '}');
	return json_write_done(&writer);
}
