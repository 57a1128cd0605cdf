/* What jobs.d says, what is wrong with it and where, and the difference to what there is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/declare.h"
#include "support/json_schema.h"
#include "support/mutate.h"
#include "support/source_file.h"

#define SHA "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define HEAD "{\"name\": \"n\", \"destination\": \"/d\", "
#define FILES "\"files\": [{\"url\": \"http://h/a\"}]"

static struct declared *read_good(const char *text)
{
	struct settings_errors errors = { .count = 0 };
	struct declared *job = NULL;
	if (declare_read(text_view(text), "n.jsonc", PATH_POSIX, &job, &errors) != RESULT_OK)
		fail_msg("%s: %s", text, errors.lines);
	assert_int_equal(errors.count, 0);
	return job;
}

static void declare_read__all_keys__are_kept(void **state)
{
	(void)state;
	AUTO(declared) struct declared *job = read_good(
		"{ // a comment\n\"name\": \"kiosk.app_1\", \"destination\": \"/srv/kiosk\", \"priority\": \"high\",\n"
		"\"identity\": {\"helper\": \"S-1-5-21-1\"}, \"when\": {\"window\": \"22:30-05:00\", \"days\": [\"mon\", \"sun\"]},\n"
		"\"spread\": \"90m\", \"on_change\": \"keep\", \"keep_versions\": 3,\n"
		"\"files\": [{\"url\": \"https://h/x/app.zip\", \"mirrors\": [\"http://m/app.zip\"], \"digest\": \"" SHA "\", \"size_bytes\": 7},\n"
		"{\"url\": \"https://h/b?sig=1\", \"path\": \"sub/b\"},],}");
	assert_string_equal(job->name, "kiosk.app_1");
	assert_string_equal(job->helper, "S-1-5-21-1");
	assert_int_equal(job->priority, JOB_HIGH);
	assert_true(job->keep);
	assert_int_equal(job->versions, 3);
	assert_int_equal(job->when.kind, DECLARED_WINDOW);
	assert_int_equal(job->when.from_minute, 22 * 60 + 30);
	assert_int_equal(job->when.to_minute, 5 * 60);
	assert_int_equal(job->when.days, 0x41);
	assert_int_equal(job->when.spread_s, 90 * 60);
	assert_int_equal(job->file_count, 2);
	assert_string_equal(job->files[0].path, "/srv/kiosk/app.zip");
	assert_string_equal(job->files[0].mirrors[0], "http://m/app.zip");
	assert_int_equal(job->files[0].bytes, 7);
	assert_int_equal(job->files[0].digest.length, 32);
	assert_string_equal(job->files[1].path, "/srv/kiosk/sub/b");
	assert_true(job->files[1].bytes == SIZE_UNKNOWN);
}

static void declare_read__what_is_left_out__has_its_default(void **state)
{
	(void)state;
	AUTO(declared) struct declared *job = read_good(HEAD FILES "}");
	assert_int_equal(job->priority, JOB_NORMAL);
	assert_string_equal(job->helper, "");
	assert_int_equal(job->when.kind, DECLARED_ONCE);
	assert_int_equal(job->when.spread_s, 0);
	assert_false(job->keep);
	assert_int_equal(job->versions, 0);
	assert_string_equal(job->files[0].path, "/d/a");
}

static void declare_read__windows_paths__either_slash_below_the_folder(void **state)
{
	struct settings_errors errors = { .count = 0 };
	AUTO(declared) struct declared *job = NULL;
	(void)state;
	assert_int_equal(declare_read(text_view("{\"name\": \"n\", \"destination\": \"C:\\\\k\", \"files\": [{\"url\": \"http://h/a\", "
	                                        "\"path\": \"x/y\"}, {\"url\": \"http://h/a\", \"path\": \"x\\\\z\"}]}"),
	                              "n", PATH_WINDOWS, &job, &errors), RESULT_OK);
	assert_string_equal(job->files[0].path, "C:\\k\\x\\y");
	assert_string_equal(job->files[1].path, "C:\\k\\x\\z");
}

/* What is for Windows alone: other spellings of a name, and other machines. */
static void declare_read__windows_destinations__in_one_spelling_and_of_this_machine(void **state)
{
	static const struct {
		const char *destination, *path, *told; /* NULL: it is good */
	} cases[] = {
		{ "C:\\\\Program Files", "a~b", NULL },
		{ "C:\\\\Progra~1", "a", "destination: \"C:\\\\Progra~1\" has a '~' before a digit" },
		{ "C:\\\\k", "sub/longna~2.dat", "files[0].path: has a '~' before a digit" },
		{ "\\\\\\\\server\\\\share\\\\k", "a", "is a folder on a share, which is not for declared jobs yet" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char text[512];
		struct settings_errors errors = { .count = 0 };
		AUTO(declared) struct declared *job = NULL;
		snprintf(text, sizeof(text), "{\"name\": \"n\", \"destination\": \"%s\", \"files\": [{\"url\": \"http://h/a\", \"path\": \"%s\"}]}",
		         cases[i].destination, cases[i].path);
		enum result result = declare_read(text_view(text), "n", PATH_WINDOWS, &job, &errors);
		if ((result == RESULT_OK) != (cases[i].told == NULL) || (cases[i].told && strstr(errors.lines, cases[i].told) == NULL))
			fail_msg("%s: %s", text, errors.lines);
	}
	AUTO(declared) struct declared *plain = read_good("{\"name\": \"n\", \"destination\": \"/d~1\", " FILES "}");
	assert_string_equal(plain->files[0].path, "/d~1/a");
}

static void declare_write__read_again__is_the_same(void **state)
{
	static const char *const texts[] = {
		HEAD FILES "}", HEAD FILES ", \"when\": {\"every\": \"24h\"}, \"spread\": \"30m\"}",
		HEAD FILES ", \"when\": {\"window\": \"02:00-05:00\"}, \"identity\": {\"helper\": \"uid:5\"}, \"keep_versions\": 99}",
		"{\"name\": \"n\", \"destination\": \"/\", \"files\": [{\"url\": \"http://h/a\", \"path\": \"s/a\", \"mirrors\": "
		"[\"http://m/a\", \"http://k/a\"], \"digest\": \"" SHA "\", \"size_bytes\": 0}]}",
	};
	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		AUTO(declared) struct declared *job = read_good(texts[i]);
		AUTO(buffer) struct buffer one = BUFFER(4096), other = BUFFER(4096);
		assert_int_equal(declare_write(job, &one), RESULT_OK);
		AUTO(declared) struct declared *again = read_good(one.bytes);
		assert_int_equal(declare_write(again, &other), RESULT_OK);
		assert_string_equal(one.bytes, other.bytes);
		enum declared_disk disk[] = { DISK_RIGHT };
		struct declare_known known = { .applied = job, .disk = disk, .now = true };
		struct declare_action action;
		declare_decide(again, &known, &action);
		assert_int_equal(action.act, DECLARE_NOTHING);
	}
}

/* Every line of it is broken in several ways, one at a time, and it is that line which is told. */
static const char *const whole[] = {
	"{", "\"name\": \"n\",", "\"destination\": \"/d\",", "\"priority\": \"low\",", "\"identity\": \"service\",",
	"\"when\": {", "\"window\": \"02:00-05:00\",", "\"days\": [\"mon\"]", "},", "\"spread\": \"30m\",", "\"on_change\": \"keep\",",
	"\"keep_versions\": 2,", "\"files\": [ {", "\"url\": \"http://h/a\",", "\"path\": \"b/a\",", "\"mirrors\": [\"http://m/a\"],",
	"\"digest\": \"" SHA "\",", "\"size_bytes\": 7", "} ]", "}",
};
#define WHOLE (sizeof(whole) / sizeof(whole[0]))

static void print_whole(struct buffer *to, size_t broken, const char *instead)
{
	buffer_clear(to);
	for (size_t i = 0; i < WHOLE; i++)
		assert_int_equal(buffer_print(to, "%s\n", i == broken ? instead : whole[i]), RESULT_OK);
}

static void assert_line_told(const struct buffer *text, size_t line)
{
	struct settings_errors errors = { .count = 0 };
	struct declared *job = NULL;
	char told[32];
	snprintf(told, sizeof(told), "line %zu, column ", line + 1);
	assert_int_equal(declare_read((struct text_view){ text->bytes, text->length }, "n", PATH_POSIX, &job, &errors), RESULT_BAD_SETTING);
	if (strstr(errors.lines, told) == NULL)
		fail_msg("%zu: %s\n%s", line + 1, errors.lines, text->bytes);
}

static void declare_read__one_line_broken__it_is_that_line_which_is_told(void **state)
{
	AUTO(buffer) struct buffer text = BUFFER(8192);
	(void)state;
	print_whole(&text, WHOLE, "");
	AUTO(declared) struct declared *good = read_good(text.bytes);
	assert_non_null(good);
	for (size_t i = 0; i < WHOLE; i++) {
		const char *colon = strchr(whole[i], ':'), *comma = whole[i][strlen(whole[i]) - 1] == ',' ? "," : "";
		char line[256];
		if (whole[i][0] != '"' || !colon)
			continue;
		snprintf(line, sizeof(line), "\"x%s", whole[i] + 1); /* no such key */
		print_whole(&text, i, line);
		assert_line_told(&text, i);
		snprintf(line, sizeof(line), "%s \"twice\": 1, \"twice\": 1, %s", "", whole[i]);
		print_whole(&text, i, line);
		assert_line_told(&text, i);
		snprintf(line, sizeof(line), "%.*s ]", (int)(colon - whole[i]), whole[i]); /* no JSON any more */
		print_whole(&text, i, line);
		assert_line_told(&text, i);
		if (strchr(whole[i], '{'))
			continue; /* what opens on the line ends on another one */
		static const char *const wrong[] = { "true", "\"\"", "-1", "[[]]", "null", "{ \"a\": 1 }" };
		for (size_t j = 0; j < sizeof(wrong) / sizeof(wrong[0]); j++) {
			snprintf(line, sizeof(line), "%.*s: %s%s", (int)(colon - whole[i]), whole[i], wrong[j], comma);
			print_whole(&text, i, line);
			assert_line_told(&text, i);
		}
	}
}

/* What is wrong, and with which words, line and column it is told. */
static void declare_read__what_is_wrong__is_told_with_its_place(void **state)
{
	static const struct {
		const char *text, *told;
	} bad[] = {
		{ "[]", "n.jsonc: line 1, column 1: the whole: is not one object" },
		{ "{\n \"name\": \"n\",\n \"destination\": \"/d\",\n \"file\": []}", "n.jsonc: line 4, column 10: file: there is no such key; the nearest is files" },
		{ "{\"destination\": \"/d\", " FILES "}", "name: is missing" },
		{ "{\"name\": \"n\", " FILES "}", "destination: is missing" },
		{ "{\"name\": \"n\", \"destination\": \"/d\"}", "files: is missing" },
		{ "{\"name\": \"n m\", \"destination\": \"/d\", " FILES "}", "name: \"n m\" is not a name" },
		{ "{\"name\": \"\", \"destination\": \"/d\", " FILES "}", "is not a name" },
		{ "{\"name\": \"n\", \"destination\": \"d\", " FILES "}", "destination: \"d\" is not the absolute path" },
		{ HEAD "\"files\": []}", "files: is not a list of 1 to 1000 files" },
		{ HEAD "\"files\": [{}]}", "files[0].url: is missing" },
		{ HEAD "\"files\": [{\"url\": \"http://h/a\", \"diges\": \"\"}]}", "there is no such key; the nearest is digest" },
		{ HEAD "\"files\": [{\"url\": \"ftp://h/a\"}]}", "files[0].url: " },
		{ HEAD "\"files\": [{\"url\": \"\\\\\\\\s\\\\d\\\\a\"}]}", "files[0].url: shares are not for declared jobs yet" },
		{ HEAD "\"files\": [{\"url\": \"http://h/a\", \"mirrors\": [\"\\\\\\\\s\\\\d\\\\a\"]}]}", "files[0].mirrors[0]: shares are not for declared jobs yet" },
		{ HEAD "\"files\": [{\"url\": \"http://h/\"}]}", "path: is missing, and the URL does not end in a name" },
		{ HEAD "\"files\": [{\"url\": \"http://h/a%20b\"}]}", "path: is missing, and the URL does not end in a name" },
		{ HEAD "\"files\": [{\"url\": \"http://h/a\", \"path\": \"../a\"}]}", "files[0].path: " },
		{ HEAD "\"files\": [{\"url\": \"http://h/a\", \"path\": \"/a\"}]}", "files[0].path: " },
		{ HEAD "\"files\": [{\"url\": \"http://h/a\", \"digest\": \"md5:00\"}]}", "files[0].digest: \"md5:00\" is not a digest" },
		{ HEAD "\"files\": [{\"url\": \"http://h/a\", \"size_bytes\": -1}]}", "is not a whole number from 0 to" },
		{ HEAD "\"files\": [{\"url\": \"http://h/a\", \"mirrors\": [\"x\"]}]}", "files[0].mirrors[0]: " },
		{ HEAD FILES ", \"priority\": \"urgent\"}", "priority: \"urgent\" is none of" },
		{ HEAD FILES ", \"identity\": \"system\"}", "identity: \"system\" is neither" },
		{ HEAD FILES ", \"identity\": {\"helper\": \"me\"}}", "identity.helper: \"me\" is not a SID" },
		{ HEAD FILES ", \"identity\": {}}", "identity.helper: is missing" },
		{ HEAD FILES ", \"when\": \"always\"}", "when: \"always\" is neither" },
		{ HEAD FILES ", \"when\": {}}", "when: has to have either every or window" },
		{ HEAD FILES ", \"when\": {\"every\": \"59s\"}}", "when.every: \"59s\" is not a time from" },
		{ HEAD FILES ", \"when\": {\"every\": \"367d\"}}", "is not a time from" },
		{ HEAD FILES ", \"when\": {\"every\": \"24\"}}", "is not a time from" },
		{ HEAD FILES ", \"when\": {\"every\": \"24h\", \"days\": [\"mon\"]}}", "is for a window only" },
		{ HEAD FILES ", \"when\": {\"window\": \"25:00-05:00\"}}", "is not a window" },
		{ HEAD FILES ", \"when\": {\"window\": \"05:00-05:00\"}}", "is not a window" },
		{ HEAD FILES ", \"when\": {\"window\": \"02:00-05:00\", \"days\": [\"mo\"]}}", "is none of mon, tue" },
		{ HEAD FILES ", \"when\": {\"window\": \"23:00-01:00\"}, \"spread\": \"121m\"}", "is longer than the window" },
		{ HEAD FILES ", \"when\": {\"every\": \"1h\"}, \"spread\": \"61m\"}", "is longer than the window, or than every" },
		{ HEAD FILES ", \"on_change\": \"ask\"}", "on_change: \"ask\" is neither" },
		{ HEAD FILES ", \"keep_versions\": 100}", "is not a whole number from 0 to 99" },
		{ HEAD FILES ", \"name\": \"m\"}", "stands there twice" },
		{ HEAD FILES, "line 1" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct settings_errors errors = { .count = 0 };
		struct declared *job = NULL;
		assert_int_equal(declare_read(text_view(bad[i].text), "n.jsonc", PATH_POSIX, &job, &errors), RESULT_BAD_SETTING);
		assert_null(job);
		if (strstr(errors.lines, bad[i].told) == NULL)
			fail_msg("%s: %s", bad[i].text, errors.lines);
	}
}

/* No outcome but the two; what is good can be written and read again, and the sanitizers watch. */
static void read_any(struct text_view text)
{
	AUTO(declared) struct declared *job = NULL;
	AUTO(buffer) struct buffer written = BUFFER(65536);
	struct settings_errors errors = { .count = 0 };
	enum result result = declare_read(text, "n", PATH_POSIX, &job, &errors);
	assert_true(result == RESULT_OK || result == RESULT_BAD_SETTING);
	assert_int_equal(result == RESULT_OK, job != NULL && errors.count == 0);
	assert_true(text_is_utf8(text_view(errors.lines)));
	if (!job)
		return;
	assert_int_equal(declare_write(job, &written), RESULT_OK);
	AUTO(declared) struct declared *again = read_good(written.bytes);
	assert_non_null(again);
}

static void declare_read__truncated_and_mutated_texts__never_crash(void **state)
{
	AUTO(buffer) struct buffer text = BUFFER(8192);
	(void)state;
	print_whole(&text, WHOLE, "");
	mutate_text(text.bytes, read_any);
}

static void declare_read__several_things_wrong__all_are_told_and_no_secret(void **state)
{
	struct settings_errors errors = { .count = 0 };
	struct declared *job = NULL;
	(void)state;
	assert_int_equal(declare_read(text_view("{\"name\": 1, \"destination\": 2, \"files\": [{\"url\": \"http://u:pw@h/a\"}], \"when\": 3}"), "n",
	                              PATH_POSIX, &job, &errors), RESULT_BAD_SETTING);
	assert_int_equal(errors.count, 4);
	assert_null(strstr(errors.lines, "pw"));
}

/* Where a slip puts a URL, none of it is told. */
static void declare_read__url_in_a_wrong_place__is_not_shown(void **state)
{
	static const char *const urls[] = { "https://h/x?sig=S3cret", "http:\\/\\/h\\/S3cret", "https:\\u002f\\u002fh\\u003fS3cret", "me:S3cret@h", "//h/S3cret" };
	static const char *const texts[] = {
		"\"%s\"", HEAD "\"files\": [\"%s\"]}", HEAD "\"files\": \"%s\"}", HEAD "\"files\": {\"%s\": 1}}", "{\"name\": \"%s\", \"destination\": \"/d\", " FILES "}",
		"{\"name\": \"n\", \"destination\": \"%s/\", " FILES "}", HEAD "\"files\": [{\"url\": [\"%s\"]}]}",
		HEAD "\"files\": [{\"url\": \"http://h/a\", \"digest\": \"%s\"}]}", HEAD "\"files\": [{\"url\": \"http://h/a\", \"size_bytes\": \"%s\"}]}",
		HEAD "\"files\": [{\"url\": \"http://h/a\", \"path\": \"/%s\"}]}", HEAD "\"files\": [{\"url\": \"http://h/a\", \"mirrors\": \"%s\"}]}",
		HEAD "\"files\": [{\"url\": \"http://h/a\", \"%s\": 1}]}", HEAD FILES ", \"identity\": \"%s\"}", HEAD FILES ", \"identity\": {\"helper\": \"%s\"}}",
		HEAD FILES ", \"when\": \"%s\"}", HEAD FILES ", \"when\": {\"every\": \"%s\"}}", HEAD FILES ", \"when\": {\"window\": \"1\", \"days\": [\"%s\"]}}",
		HEAD FILES ", \"spread\": \"%s\"}", HEAD FILES ", \"on_change\": \"%s\"}", HEAD FILES ", \"priority\": \"%s\"}", HEAD FILES ", \"keep_versions\": \"%s\"}",
		HEAD FILES ", \"%s\": 1}", "{\"%s\": 1, \"https://h/x?sig=S3cret\": 2, \"https://h/x?sig=S3cret\": 3}",
	};
	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]) * 5; i++) {
		AUTO(buffer) struct buffer text = BUFFER(1024);
		struct settings_errors errors = { .count = 0 };
		AUTO(declared) struct declared *job = NULL;
		const char *at = strstr(texts[i / 5], "%s");
		assert_int_equal(buffer_print(&text, "%.*s%s%s", (int)(at - texts[i / 5]), texts[i / 5], urls[i % 5], at + 2), RESULT_OK);
		if (declare_read((struct text_view){ text.bytes, text.length }, "n", PATH_POSIX, &job, &errors) != RESULT_BAD_SETTING ||
		    strstr(errors.lines, "S3cret") != NULL)
			fail_msg("%s: %s", text.bytes, errors.lines);
	}
}

/* A job of so many files, each with so many mirrors. */
static enum result read_large(unsigned files, unsigned mirrors, unsigned name)
{
	AUTO(buffer) struct buffer text = BUFFER(DECLARED_BYTES_MAX);
	AUTO(declared) struct declared *job = NULL;
	struct settings_errors errors = { .count = 0 };
	assert_int_equal(buffer_print(&text, "{\"name\": \"%0*d\", \"destination\": \"/d\", \"files\": [", (int)name, 0), RESULT_OK);
	for (unsigned i = 0; i < files; i++) {
		assert_int_equal(buffer_print(&text, "{\"url\": \"http://h/%u\", \"mirrors\": [", i), RESULT_OK);
		for (unsigned j = 0; j < mirrors; j++)
			assert_int_equal(buffer_print(&text, "\"http://m%u/\",", j), RESULT_OK);
		assert_int_equal(buffer_print(&text, "]},"), RESULT_OK);
	}
	assert_int_equal(buffer_print(&text, "]}"), RESULT_OK);
	return declare_read((struct text_view){ text.bytes, text.length }, "n", PATH_POSIX, &job, &errors);
}

static void declare_read__limits__hold_to_the_last_one(void **state)
{
	(void)state;
	assert_int_equal(read_large(DECLARED_FILES_MAX, 0, DECLARED_NAME_BYTES_MAX), RESULT_OK);
	assert_int_equal(read_large(DECLARED_FILES_MAX + 1, 0, 1), RESULT_BAD_SETTING);
	assert_int_equal(read_large(1, FILE_MIRRORS_MAX, 1), RESULT_OK);
	assert_int_equal(read_large(1, FILE_MIRRORS_MAX + 1, 1), RESULT_BAD_SETTING);
	assert_int_equal(read_large(1, 0, DECLARED_NAME_BYTES_MAX + 1), RESULT_BAD_SETTING);
}

static void jobs_schema__good_and_bad_jobs__judges_as_the_parser(void **state)
{
	static const char *const texts[] = {
		HEAD FILES "}", "{}", "[]", HEAD "\"files\": []}", HEAD "\"files\": [{}]}", HEAD "\"files\": 1}", HEAD FILES ", \"nam\": 1}",
		"{\"name\": \"a b\", \"destination\": \"/d\", " FILES "}", "{\"name\": \"\", \"destination\": \"/d\", " FILES "}",
		HEAD FILES ", \"priority\": \"low\"}", HEAD FILES ", \"priority\": \"lowest\"}",
		HEAD FILES ", \"identity\": \"service\"}", HEAD FILES ", \"identity\": {\"helper\": \"S-1-5-21-7\"}}",
		HEAD FILES ", \"identity\": {\"helper\": \"x\"}}", HEAD FILES ", \"identity\": {}}", HEAD FILES ", \"identity\": 1}",
		HEAD FILES ", \"when\": \"once\"}", HEAD FILES ", \"when\": \"never\"}", HEAD FILES ", \"when\": {\"every\": \"24h\"}}",
		HEAD FILES ", \"when\": {\"every\": \"h\"}}", HEAD FILES ", \"when\": {\"window\": \"02:00-05:00\", \"days\": [\"tue\"]}}",
		HEAD FILES ", \"when\": {\"window\": \"24:00-05:00\"}}", HEAD FILES ", \"when\": {\"window\": \"02:00-05:00\", \"days\": []}}",
		HEAD FILES ", \"when\": {\"every\": \"24h\", \"window\": \"02:00-05:00\"}}", HEAD FILES ", \"when\": {}}",
		HEAD FILES ", \"spread\": \"5m\"}", HEAD FILES ", \"spread\": 5}", HEAD FILES ", \"on_change\": \"keep\"}",
		HEAD FILES ", \"on_change\": true}", HEAD FILES ", \"keep_versions\": 99}", HEAD FILES ", \"keep_versions\": 100}",
		HEAD "\"files\": [{\"url\": \"http://h/a\", \"digest\": \"" SHA "\", \"size_bytes\": 1, \"mirrors\": [], \"path\": \"b\"}]}",
		HEAD "\"files\": [{\"url\": \"\\\\\\\\s\\\\d\\\\a\"}]}", HEAD "\"files\": [{\"url\": \"HTTPS://h/a\", \"mirrors\": [\"\\\\\\\\s\\\\d\\\\a\"]}]}",
		HEAD "\"files\": [{\"url\": \"http://h/a\", \"digest\": \"" SHA "0\"}]}", HEAD "\"files\": [{\"url\": \"http://h/a\", \"size\": 1}]}",
	};
	AUTO(buffer) struct buffer text = BUFFER(65536);
	AUTO(json_document) struct json_document *schema = NULL;
	(void)state;
	source_file_read("schema/jobs.schema.json", &text);
	assert_int_equal(json_parse((struct text_view){ text.bytes, text.length }, JSON_WIRE, &schema, NULL), RESULT_OK);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		AUTO(json_document) struct json_document *document = NULL;
		AUTO(declared) struct declared *job = NULL;
		struct settings_errors errors = { .count = 0 };
		char why[JSON_SCHEMA_WHY_BYTES_MAX];
		assert_int_equal(json_parse(text_view(texts[i]), JSON_WIRE, &document, NULL), RESULT_OK);
		bool obeyed = json_schema_obeyed(json_root(schema), json_root(schema), json_root(document), why);
		if (obeyed != (declare_read(text_view(texts[i]), "n", PATH_POSIX, &job, &errors) == RESULT_OK))
			fail_msg("%s: the schema and the parser disagree (%s; %s)", texts[i], why, errors.lines);
	}
}

/* --- all of jobs.d --- */

static struct declared *job_of(const char *name, const char *destination, const char *file, const char *source, enum path_style style)
{
	char text[512];
	struct settings_errors errors = { .count = 0 };
	struct declared *job = NULL;
	snprintf(text, sizeof(text), "{\"name\": \"%s\", \"destination\": \"%s\", \"files\": [{\"url\": \"http://h/%s\"}]}", name, destination, file);
	assert_int_equal(declare_read(text_view(text), source, style, &job, &errors), RESULT_OK);
	return job;
}

static void declared_set_check__one_name_or_one_destination__names_both_files(void **state)
{
	static const struct {
		enum path_style style;
		const char *names[2], *folders[2], *files[2], *told;
	} cases[] = {
		{ PATH_POSIX, { "a", "b" }, { "/d", "/e" }, { "f", "f" }, NULL },
		{ PATH_POSIX, { "a", "b" }, { "/d", "/d" }, { "f", "F" }, NULL },
		{ PATH_POSIX, { "a", "a" }, { "/d", "/e" }, { "f", "f" }, "name: \"a\" is declared by " },
		{ PATH_POSIX, { "a", "b" }, { "/d", "/d" }, { "f", "f" }, "files[0].path: /d/f: it is also the destination of files[0] of " },
		{ PATH_WINDOWS, { "a", "b" }, { "C:\\\\d", "c:\\\\D" }, { "f", "F" }, "it is also the destination of files[0] of " },
		{ PATH_WINDOWS, { "a", "b" }, { "C:\\\\Übung", "C:\\\\übung" }, { "f", "f" }, "it is also the destination of files[0] of " },
		{ PATH_WINDOWS, { "a", "b" }, { "C:\\\\ŸČŽÞŁ", "C:\\\\ÿčžþł" }, { "f", "f" }, "it is also the destination of files[0] of " },
		{ PATH_WINDOWS, { "a", "b" }, { "C:\\\\ДОМЁЂ", "C:\\\\домёђ" }, { "f", "f" }, "it is also the destination of files[0] of " },
		{ PATH_WINDOWS, { "a", "b" }, { "C:\\\\ΆΈΌΎΩẤԱ", "C:\\\\άέόύωấա" }, { "f", "f" }, "it is also the destination of files[0] of " },
		{ PATH_WINDOWS, { "a", "b" }, { "C:\\\\東京", "C:\\\\大阪" }, { "f", "f" }, NULL },
		{ PATH_WINDOWS, { "a", "b" }, { "C:\\\\дом", "C:\\\\мир" }, { "f", "f" }, NULL },
		{ PATH_WINDOWS, { "a", "b" }, { "C:\\\\×", "C:\\\\÷" }, { "f", "f" }, NULL },
		{ PATH_WINDOWS, { "a", "b" }, { "C:\\\\😀a", "C:\\\\😀A" }, { "f", "f" }, "it is also the destination of files[0] of " },
		{ PATH_POSIX, { "a", "b" }, { "/Übung", "/übung" }, { "f", "f" }, NULL },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		AUTO(declared_set) struct declared_set set = { .count = 0 };
		struct settings_errors errors = { .count = 0 };
		for (unsigned j = 0; j < 2; j++)
			assert_true(declared_set_add(&set, job_of(cases[i].names[j], cases[i].folders[j], cases[i].files[j], j ? "two" : "one",
			                                          cases[i].style)));
		enum result result = declared_set_check(&set, cases[i].style, &errors);
		assert_int_equal(result, cases[i].told ? RESULT_BAD_SETTING : RESULT_OK);
		if (cases[i].told)
			assert_true(strstr(errors.lines, cases[i].told) && strstr(errors.lines, "one") && strstr(errors.lines, "two"));
	}
}

static void declared_set_check__what_is_kept_beside_a_file__takes_no_other_s_place(void **state)
{
	static const struct {
		const char *name;
		bool bad;
	} cases[] = { { "f.1", true }, { "f.3", true }, { "f.4", false }, { "f.0", false }, { "f.01", false }, { "f.1x", false },
		      { "f.", false },  { "ff", false },  { "F.1", false }, { "e.1", false } };
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		AUTO(declared_set) struct declared_set set = { .count = 0 };
		struct settings_errors errors = { .count = 0 };
		struct declared *keeps = job_of("a", "/d", "f", "one", PATH_POSIX);
		keeps->versions = 3;
		assert_true(declared_set_add(&set, keeps));
		assert_true(declared_set_add(&set, job_of("b", "/d", cases[i].name, "two", PATH_POSIX)));
		if ((declared_set_check(&set, PATH_POSIX, &errors) == RESULT_BAD_SETTING) != cases[i].bad)
			fail_msg("%s: %s", cases[i].name, errors.lines);
	}
}

static void declared_set_add__one_too_many__is_refused(void **state)
{
	AUTO(declared_set) struct declared_set set = { .count = 0 };
	char name[16];
	(void)state;
	for (unsigned i = 0; i < DECLARED_JOBS_MAX; i++) {
		snprintf(name, sizeof(name), "n%u", i);
		assert_true(declared_set_add(&set, job_of(name, "/d", name, name, PATH_POSIX)));
	}
	assert_false(declared_set_add(&set, job_of("more", "/d", "more", "more", PATH_POSIX)));
	assert_non_null(declared_set_find(&set, "n7"));
	assert_null(declared_set_find(&set, "more"));
}

/* --- the difference --- */

static const char base[] = HEAD "\"files\": [{\"url\": \"http://h/a\", \"digest\": \"" SHA "\"}, {\"url\": \"http://h/b\"}]}";

struct expectation {
	const char *wanted; /* NULL: not declared */
	const char *applied;
	enum declared_disk disk[2];
	bool unfinished, failed, now, due, owed;
	enum declare_act act;
	uint32_t fetch;
	const char *reason;
};

static void assert_decides(const struct expectation *expected, size_t i)
{
	AUTO(declared) struct declared *wanted = expected->wanted ? read_good(expected->wanted) : NULL;
	AUTO(declared) struct declared *applied = expected->applied ? read_good(expected->applied) : NULL;
	const struct declare_known known = { .applied = applied, .disk = expected->disk, .unfinished = expected->unfinished,
		.failed = expected->failed, .now = expected->now, .due = expected->due, .owed = expected->owed };
	struct declare_action action;
	declare_decide(wanted, &known, &action);
	if (action.act != expected->act || action.fetch != expected->fetch || strstr(action.reason, expected->reason) == NULL)
		fail_msg("%zu: %s, %u files: %s", i, declare_act_name(action.act), action.fetch, action.reason);
}

#define TWO "{\"url\": \"http://h/a\", \"digest\": \"" SHA "\"}, {\"url\": \"http://h/b\"}"
static void declare_decide__each_difference__has_its_action(void **state)
{
	static const char keep[] = HEAD "\"on_change\": \"keep\", \"files\": [" TWO "]}";
	static const char daily[] = HEAD "\"when\": {\"every\": \"24h\"}, \"files\": [" TWO "]}";
	static const char low[] = HEAD "\"priority\": \"low\", \"keep_versions\": 2, \"files\": [" TWO "]}";
	static const char mirrored[] = HEAD "\"files\": [{\"url\": \"http://h/a\", \"mirrors\": [\"http://m/a\"], \"digest\": \"" SHA
	                               "\"}, {\"url\": \"http://h/b\"}]}";
	static const char moved[] = "{\"name\": \"n\", \"destination\": \"/e\", \"files\": [" TWO "]}";
	static const char other[] = HEAD "\"files\": [{\"url\": \"http://h/a\", \"digest\": \"" SHA "\"}, {\"url\": \"http://h/c\", \"path\": \"b\"}]}";
	static const char more[] = HEAD "\"files\": [" TWO ", {\"url\": \"http://h/c\"}]}";
	static const char helped[] = HEAD "\"identity\": {\"helper\": \"S-1-5-9\"}, \"files\": [" TWO "]}";
	const struct expectation cases[] = {
		/* created */
		{ base, NULL, { DISK_MISSING, DISK_MISSING }, .now = true, .act = DECLARE_CREATE, .fetch = 2, .reason = "2 files missing" },
		{ base, NULL, { DISK_RIGHT, DISK_ALTERED }, .now = true, .act = DECLARE_CREATE, .fetch = 1, .reason = "1 altered" },
		{ base, NULL, { DISK_RIGHT, DISK_RIGHT }, .now = true, .act = DECLARE_CREATE, .reason = "declared anew" },
		{ base, NULL, { DISK_MISSING, DISK_MISSING }, .act = DECLARE_CREATE, .reason = "waits until it is due" },
		{ helped, NULL, { DISK_UNSEEN, DISK_UNSEEN }, .now = true, .owed = true, .act = DECLARE_CREATE, .fetch = 2, .reason = "declared anew" },
		/* there and right */
		{ base, base, { DISK_RIGHT, DISK_RIGHT }, .now = true, .act = DECLARE_NOTHING, .reason = "there and right" },
		{ base, base, { DISK_RIGHT, DISK_RIGHT }, .now = true, .due = true, .act = DECLARE_NOTHING, .reason = "there and right" },
		{ daily, daily, { DISK_RIGHT, DISK_RIGHT }, .now = true, .act = DECLARE_NOTHING, .reason = "there and right" },
		{ helped, helped, { DISK_UNSEEN, DISK_UNSEEN }, .now = true, .act = DECLARE_NOTHING, .reason = "there and right" },
		/* due: what has a digest is known without asking */
		{ daily, daily, { DISK_RIGHT, DISK_RIGHT }, .now = true, .due = true, .act = DECLARE_REFRESH, .fetch = 1, .reason = "1 files are asked for" },
		/* repaired */
		{ base, base, { DISK_RIGHT, DISK_ALTERED }, .now = true, .act = DECLARE_REPAIR, .fetch = 1, .reason = "0 files missing, 1 altered" },
		{ base, base, { DISK_MISSING, DISK_ALTERED }, .now = true, .act = DECLARE_REPAIR, .fetch = 2, .reason = "1 files missing, 1 altered" },
		{ base, base, { DISK_MISSING, DISK_RIGHT }, .act = DECLARE_NOTHING, .reason = "waits until it is due" },
		{ base, base, { DISK_MISSING, DISK_MISSING }, .unfinished = true, .now = true, .act = DECLARE_NOTHING, .reason = "under way" },
		{ base, base, { DISK_MISSING, DISK_MISSING }, .unfinished = true, .failed = true, .now = true, .act = DECLARE_REPAIR, .reason = "in error" },
		{ base, base, { DISK_MISSING, DISK_MISSING }, .unfinished = true, .failed = true, .act = DECLARE_NOTHING, .reason = "under way" },
		/* kept as it is there */
		{ keep, keep, { DISK_ALTERED, DISK_RIGHT }, .now = true, .due = true, .act = DECLARE_NOTHING, .reason = "there and right" },
		{ keep, keep, { DISK_ALTERED, DISK_MISSING }, .now = true, .act = DECLARE_REPAIR, .fetch = 1, .reason = "1 files missing, 0 altered" },
		/* in place */
		{ low, base, { DISK_RIGHT, DISK_RIGHT }, .now = true, .act = DECLARE_UPDATE, .reason = "priority, keep_versions" },
		{ low, base, { DISK_MISSING, DISK_RIGHT }, .now = true, .act = DECLARE_UPDATE, .fetch = 1, .reason = "priority" },
		{ low, base, { DISK_MISSING, DISK_RIGHT }, .unfinished = true, .now = true, .act = DECLARE_UPDATE, .reason = "priority" },
		{ daily, base, { DISK_RIGHT, DISK_RIGHT }, .now = true, .act = DECLARE_UPDATE, .reason = "when" },
		{ keep, base, { DISK_RIGHT, DISK_RIGHT }, .now = true, .act = DECLARE_UPDATE, .reason = "on_change" },
		{ mirrored, base, { DISK_RIGHT, DISK_RIGHT }, .now = true, .act = DECLARE_UPDATE, .reason = "mirrors" },
		/* replaced */
		{ mirrored, base, { DISK_MISSING, DISK_MISSING }, .unfinished = true, .now = true, .act = DECLARE_REPLACE, .fetch = 2, .reason = "mirrors" },
		{ moved, base, { DISK_MISSING, DISK_MISSING }, .now = true, .act = DECLARE_REPLACE, .fetch = 2, .reason = "destination is another" },
		{ other, base, { DISK_RIGHT, DISK_ALTERED }, .unfinished = true, .now = true, .act = DECLARE_REPLACE, .fetch = 1, .reason = "files[1].url is another" },
		{ helped, helped, { DISK_UNSEEN, DISK_UNSEEN }, .now = true, .owed = true, .act = DECLARE_REFRESH, .fetch = 2, .reason = "2 files" },
		{ base, base, { DISK_UNKNOWN, DISK_RIGHT }, .now = true, .due = true, .owed = true, .act = DECLARE_NOTHING, .reason = "1 files could not be looked at" },
		{ helped, base, { DISK_UNSEEN, DISK_UNSEEN }, .now = true, .owed = true, .act = DECLARE_REPLACE, .fetch = 2, .reason = "identity is another" },
		{ base, more, { DISK_RIGHT, DISK_RIGHT }, .now = true, .act = DECLARE_REPLACE, .reason = "2 files now instead of 3" },
		/* dropped */
		{ NULL, base, { DISK_RIGHT, DISK_RIGHT }, .now = true, .act = DECLARE_DROP, .reason = "what has landed stays" },
		{ NULL, base, { DISK_RIGHT, DISK_RIGHT }, .unfinished = true, .act = DECLARE_DROP, .reason = "its job is cancelled" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_decides(&cases[i], i);
}

/* --- moments --- */

#define HOUR INT64_C(3600000)
#define DAY (24 * HOUR)
#define MONDAY (INT64_C(2950) * 7 * DAY + 4 * DAY) /* 00:00 */

static uint32_t minute_at(int64_t ms)
{
	return (uint32_t)((ms - MONDAY) / 60000 % (7 * 1440));
}

static int64_t due(const struct declared_when *when, int64_t since_ms, uint32_t seed, int64_t now_ms)
{
	return declare_due(when, since_ms, seed, now_ms, minute_at(now_ms));
}

static void declare_due__once_and_every__on_its_grid(void **state)
{
	const struct declared_when once = { .kind = DECLARED_ONCE }, spread = { .kind = DECLARED_ONCE, .spread_s = 3600 };
	const struct declared_when every = { .kind = DECLARED_EVERY, .every_s = 86400, .spread_s = 3600 };
	const int64_t since = MONDAY + 7 * HOUR;
	(void)state;
	assert_int_equal(due(&once, since, 5, since - 1), since);
	assert_true(due(&once, since, 5, since) == DECLARED_NEVER);
	assert_int_equal(due(&spread, since, 1000, since), since + 1000);
	assert_int_equal(due(&every, since, 1000, since), since + 1000);
	assert_int_equal(due(&every, since, 1000, since + 1000), since + 1000 + DAY);
	/* Three days off: once, and then where it was. */
	assert_int_equal(due(&every, since, 1000, since + 3 * DAY + HOUR), since + 1000 + 4 * DAY);
}

static void declare_due__window__at_its_beginning_on_its_days(void **state)
{
	const struct declared_when nightly = { .kind = DECLARED_WINDOW, .from_minute = 120, .to_minute = 300, .days = 0x7F };
	const struct declared_when weekly = { .kind = DECLARED_WINDOW, .from_minute = 23 * 60, .to_minute = 60, .days = 0x10, .spread_s = 7200 };
	(void)state;
	assert_int_equal(due(&nightly, 0, 9, MONDAY), MONDAY + 2 * HOUR);
	assert_int_equal(due(&nightly, 0, 9, MONDAY + 2 * HOUR), MONDAY + DAY + 2 * HOUR);
	assert_int_equal(due(&nightly, 0, 9, MONDAY + 6 * DAY + 5 * HOUR), MONDAY + 7 * DAY + 2 * HOUR);
	/* Friday 23:00 and an hour and a half: that is Saturday, and it is this week's until then. */
	const uint32_t seed = 5400000;
	const int64_t moment = MONDAY + 4 * DAY + 24 * HOUR + HOUR / 2;
	assert_int_equal(due(&weekly, 0, seed, MONDAY), moment);
	assert_int_equal(due(&weekly, 0, seed, moment - 1), moment);
	assert_int_equal(due(&weekly, 0, seed, moment), moment + 7 * DAY);
}

/* Ten thousand machines with seeds of their own: in no twelfth of the spread are there many more than in another. */
static void declare_offset__many_machines__do_not_ask_at_once(void **state)
{
	const struct declared_when when = { .kind = DECLARED_EVERY, .every_s = 86400, .spread_s = 3600 };
	unsigned counts[12] = { 0 };
	uint64_t random = 88172645463325252u;
	(void)state;
	for (unsigned i = 0; i < 10000; i++) {
		random ^= random << 13;
		random ^= random >> 7;
		random ^= random << 17;
		int64_t offset = declare_offset_ms(&when, (uint32_t)random);
		assert_in_range(offset, 0, 3600000 - 1);
		counts[offset / 300000]++;
	}
	for (unsigned i = 0; i < 12; i++)
		assert_in_range(counts[i], 700, 970);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(declare_read__all_keys__are_kept),
		cmocka_unit_test(declare_read__what_is_left_out__has_its_default),
		cmocka_unit_test(declare_read__windows_paths__either_slash_below_the_folder),
		cmocka_unit_test(declare_read__windows_destinations__in_one_spelling_and_of_this_machine),
		cmocka_unit_test(declare_write__read_again__is_the_same),
		cmocka_unit_test(declare_read__one_line_broken__it_is_that_line_which_is_told),
		cmocka_unit_test(declare_read__what_is_wrong__is_told_with_its_place),
		cmocka_unit_test(declare_read__truncated_and_mutated_texts__never_crash),
		cmocka_unit_test(declare_read__url_in_a_wrong_place__is_not_shown),
		cmocka_unit_test(declare_read__several_things_wrong__all_are_told_and_no_secret),
		cmocka_unit_test(declare_read__limits__hold_to_the_last_one),
		cmocka_unit_test(jobs_schema__good_and_bad_jobs__judges_as_the_parser),
		cmocka_unit_test(declared_set_check__one_name_or_one_destination__names_both_files),
		cmocka_unit_test(declared_set_check__what_is_kept_beside_a_file__takes_no_other_s_place),
		cmocka_unit_test(declared_set_add__one_too_many__is_refused),
		cmocka_unit_test(declare_decide__each_difference__has_its_action),
		cmocka_unit_test(declare_due__once_and_every__on_its_grid),
		cmocka_unit_test(declare_due__window__at_its_beginning_on_its_days),
		cmocka_unit_test(declare_offset__many_machines__do_not_ask_at_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
