/* The log's files and the Event Log are made up here: so every failure can be had at will, on every ground. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/json.h"
#include "platform/file.h"
#include "runtime/events.h"

/* --- made-up platform --- */

#define FAKE_FILES_MAX 8

struct fake_file {
	char path[64];
	struct buffer bytes;
};

static struct {
	struct fake_file files[FAKE_FILES_MAX];
	int64_t wall_ms, mono_ms;
	unsigned opens, writes, moves, open_handles;
	enum result open_fails, write_fails, move_fails; /* RESULT_OK: works */
	size_t tear_at;                                  /* a failing write leaves this much */
	char move_fails_from[64];                        /* "" every move */
	bool no_eventlog;
	unsigned reports;
	uint32_t report_id;
	enum eventlog_level report_level;
	size_t report_count;
	char report_insert[64]; /* the first one */
} fake;

struct file_handle {
	struct fake_file *file;
};
struct eventlog {
	char source[16];
};

const enum path_style file_path_style = PATH_POSIX;

static struct fake_file *fake_find(const char *path)
{
	for (size_t i = 0; i < FAKE_FILES_MAX; i++)
		if (strcmp(fake.files[i].path, path) == 0)
			return &fake.files[i];
	return NULL;
}

static struct fake_file *fake_make(const char *path)
{
	struct fake_file *file = fake_find("");
	if (!file)
		abort(); /* FAKE_FILES_MAX is too small for the test */
	assert_int_equal(text_copy(file->path, sizeof(file->path), text_view(path)), RESULT_OK);
	file->bytes = BUFFER(1 << 24);
	return file;
}

static void fake_remove(struct fake_file *file)
{
	buffer_done(&file->bytes);
	file->path[0] = '\0';
}

enum result file_open_append(const char *path, struct file_handle **ret_file, struct fault *fault)
{
	fake.opens++;
	if (fake.open_fails != RESULT_OK)
		return fault_set(fault, fake.open_fails, FAULT_FERRY, 0, "open %s", path);
	struct fake_file *file = fake_find(path);
	*ret_file = malloc(sizeof(**ret_file));
	assert_non_null(*ret_file);
	(*ret_file)->file = file ? file : fake_make(path);
	fake.open_handles++;
	return RESULT_OK;
}

void file_handle_free(struct file_handle *file)
{
	fake.open_handles -= file != NULL;
	free(file);
}

enum result file_size(struct file_handle *file, uint64_t *ret_bytes, struct fault *fault)
{
	(void)fault;
	*ret_bytes = file->file->bytes.length;
	return RESULT_OK;
}

enum result file_write(struct file_handle *file, uint64_t offset, const void *bytes, size_t length, struct fault *fault)
{
	(void)offset; /* appended */
	fake.writes++;
	if (fake.write_fails != RESULT_OK) {
		assert_int_equal(buffer_append(&file->file->bytes, bytes, fake.tear_at), RESULT_OK);
		return fault_set(fault, fake.write_fails, FAULT_FERRY, 0, "write");
	}
	assert_int_equal(buffer_append(&file->file->bytes, bytes, length), RESULT_OK);
	return RESULT_OK;
}

enum result file_move(const char *from, const char *to, struct fault *fault)
{
	fake.moves++;
	struct fake_file *source = fake_find(from), *target = fake_find(to);
	assert_int_equal(fake.open_handles, 0); /* Windows refuses to move an open file */
	if (fake.move_fails != RESULT_OK && (!fake.move_fails_from[0] || strcmp(fake.move_fails_from, from) == 0))
		return fault_set(fault, fake.move_fails, FAULT_FERRY, 0, "move");
	if (!source)
		return fault_set(fault, RESULT_PATH_NOT_FOUND, FAULT_FERRY, 0, "move");
	if (target)
		fake_remove(target);
	return text_copy(source->path, sizeof(source->path), text_view(to));
}

enum result eventlog_open(const char *source, struct eventlog **ret_log, struct fault *fault)
{
	if (fake.no_eventlog)
		return fault_set(fault, RESULT_NOT_SUPPORTED, FAULT_FERRY, 0, "open");
	*ret_log = calloc(1, sizeof(**ret_log));
	assert_non_null(*ret_log);
	return text_copy((*ret_log)->source, sizeof((*ret_log)->source), text_view(source));
}

void eventlog_free(struct eventlog *log)
{
	free(log);
}

enum result eventlog_report(struct eventlog *log, enum eventlog_level level, uint32_t message_id, size_t count,
                            const char *const *inserts, struct fault *fault)
{
	(void)fault;
	assert_string_equal(log->source, "Ferry");
	fake.reports++;
	fake.report_level = level;
	fake.report_id = message_id;
	fake.report_count = count;
	if (count > 0)
		text_display(fake.report_insert, sizeof(fake.report_insert), "%s", inserts[0]);
	return RESULT_OK;
}

static int64_t fake_wall_ms(void *context)
{
	(void)context;
	return fake.wall_ms;
}

static int64_t fake_mono_ms(void *context)
{
	(void)context;
	return fake.mono_ms;
}

/* --- helpers --- */

static struct events *open_events(uint64_t file_bytes_max, uint32_t files_max)
{
	const struct events_settings settings = { .folder = "/d", .file_bytes_max = file_bytes_max,
		                                  .files_max = files_max, .eventlog = true };
	const struct clock clock = { .wall_ms = fake_wall_ms, .mono_ms = fake_mono_ms };
	struct events *events = NULL;
	assert_int_equal(events_open(&settings, clock, &events, NULL), RESULT_OK);
	return events;
}

static int setup(void **state)
{
	(void)state;
	memset(&fake, 0, sizeof(fake));
	fake.wall_ms = 1795255200123; /* 2026-11-21T10:00:00.123Z */
	fake.mono_ms = 1000000;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	for (size_t i = 0; i < FAKE_FILES_MAX; i++)
		fake_remove(&fake.files[i]);
	assert_int_equal(fake.open_handles, 0);
	return 0;
}

static const char *content(const char *path)
{
	const struct fake_file *file = fake_find(path);
	return file && file->bytes.bytes ? file->bytes.bytes : "";
}

static const struct job a_job = { .id = "id-1", .owner = "S-1-5-18", .correlation = "c-1", .program = "C:\\b.exe",
	                          .properties.name = "Up\"date", .side_sid[JOB_SIDE_NETWORK] = "S-1-5-20" };
static const struct asker an_asker = { .owner = "S-1-5-19", .session = 3, .process = 4711, .image = "C:\\a.exe" };

/* Notes and speaks one event whose line is recognised by `owner`. */
static void say(struct events *events, const char *owner)
{
	EVENTS_NOTE(events, OWNER_PRESENT, .identity = owner);
	events_speak(events);
}

/* Every line is a JSON object that begins as all do; how many there are.  Empty lines are passed over, as readers do. */
static size_t check_lines(const char *text)
{
	size_t count = 0;
	while (*text) {
		AUTO(json_document) struct json_document *document = NULL;
		const char *end = strchr(text, '\n');
		assert_non_null(end);
		if (end > text) {
			struct text_view line = { text, (size_t)(end - text) };
			assert_int_equal(json_parse(line, JSON_WIRE, &document, NULL), RESULT_OK);
			assert_memory_equal(text, "{\"time\":\"", 9);
			assert_true(json_length(json_root(document)) >= 6); /* time id event level message, and its fields */
			count++;
		}
		text = end + 1;
	}
	return count;
}

/* --- words --- */

static void events_speak__an_event__is_one_line(void **state)
{
	(void)state;
	AUTO(events) struct events *events = open_events(65536, 5);
	EVENTS_NOTE(events, JOB_CREATED, .job = &a_job, .caller = &an_asker, .files = 2);
	assert_string_equal(content("/d/ferry.jsonl"), ""); /* nothing before it is committed */
	events_speak(events);
	assert_string_equal(content("/d/ferry.jsonl"),
		"{\"time\":\"2026-11-21T10:00:00.123Z\",\"id\":3,\"event\":\"job-created\",\"level\":\"info\","
		"\"message\":\"Job Up\\\"date (id-1) was created by S-1-5-19, program C:\\\\a.exe, process 4711, with 2 files.\","
		"\"job\":\"id-1\",\"name\":\"Up\\\"date\",\"owner\":\"S-1-5-18\",\"correlation\":\"c-1\","
		"\"network_sid\":\"S-1-5-20\",\"file_sid\":\"\",\"program\":\"C:\\\\b.exe\","
		"\"caller\":\"S-1-5-19\",\"image\":\"C:\\\\a.exe\",\"pid\":4711,\"session\":3,\"files\":2}\n");
}

static void events_speak__a_fault__is_its_name_its_numbers_and_a_sentence(void **state)
{
	(void)state;
	AUTO(events) struct events *events = open_events(65536, 5);
	struct fault fault = { RESULT_DENIED, FAULT_WIN32, 5, "open C:\\x" };
	EVENTS_NOTE(events, NETWORK_UNWATCHED, .fault = &fault);
	fault = (struct fault){ RESULT_NOT_FOUND, FAULT_HTTP, 404, "GET http://a.org/" };
	EVENTS_NOTE(events, NETWORK_UNWATCHED, .fault = &fault);
	events_speak(events);
	const char *text = content("/d/ferry.jsonl");
	assert_non_null(strstr(text, "\"error\":\"DENIED\",\"native\":\"win32 5\",\"http_status\":0,\"why\":\""));
	assert_non_null(strstr(text, "\"error\":\"NOT_FOUND\",\"native\":\"\",\"http_status\":404,\"why\":\""));
}

static void events_speak__an_unnamed_job__is_called_so(void **state)
{
	(void)state;
	AUTO(events) struct events *events = open_events(65536, 5);
	const struct job job = { .id = "id-1" };
	EVENTS_NOTE(events, JOB_COMPLETED, .job = &job, .files = 1, .bytes = UINT64_MAX);
	events_speak(events);
	assert_non_null(strstr(content("/d/ferry.jsonl"), "\"name\":\"(unnamed)\""));
	assert_non_null(strstr(content("/d/ferry.jsonl"), "\"bytes\":18446744073709551615}"));
}

static void events_speak__many_events__are_one_write(void **state)
{
	(void)state;
	AUTO(events) struct events *events = open_events(1 << 20, 5);
	for (unsigned i = 0; i < 100; i++)
		EVENTS_NOTE(events, OWNER_PRESENT, .identity = "S-1");
	events_speak(events);
	assert_int_equal(fake.writes, 1);
	assert_int_equal(check_lines(content("/d/ferry.jsonl")), 100);
	events_speak(events); /* nothing new */
	assert_int_equal(fake.writes, 1);
}

static void events_drop__an_undone_turn__is_never_told(void **state)
{
	(void)state;
	AUTO(events) struct events *events = open_events(65536, 5);
	EVENTS_NOTE(events, OWNER_PRESENT, .identity = "undone");
	events_drop(events);
	say(events, "done");
	assert_null(strstr(content("/d/ferry.jsonl"), "undone"));
	assert_int_equal(check_lines(content("/d/ferry.jsonl")), 1);
	assert_int_equal(fake.reports, 1);
}

static void events_speak__the_time__is_the_notes_in_utc(void **state)
{
	(void)state;
	static const struct { int64_t ms; const char *text; } times[] = {
		{ 0, "1970-01-01T00:00:00.000Z" },
		{ 951782399999, "2000-02-28T23:59:59.999Z" },
		{ 951868799001, "2000-02-29T23:59:59.001Z" },
		{ 1709164800000, "2024-02-29T00:00:00.000Z" },
		{ 1735689599999, "2024-12-31T23:59:59.999Z" },
		{ 4107542400000, "2100-03-01T00:00:00.000Z" },
		{ -5, "1970-01-01T00:00:00.000Z" },
	};
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		AUTO(events) struct events *events = open_events(65536, 5);
		fake.wall_ms = times[i].ms;
		EVENTS_NOTE(events, OWNER_PRESENT, .identity = "S");
		fake.wall_ms = 1;
		events_speak(events);
		if (!strstr(content("/d/ferry.jsonl"), times[i].text))
			fail_msg("no %s in %s", times[i].text, content("/d/ferry.jsonl"));
	}
}

static void events_note__long_and_strange_inserts__are_bounded(void **state)
{
	(void)state;
	AUTO(events) struct events *events = open_events(1 << 20, 5);
	char longest[3001], exact[1025];
	for (size_t i = 0; i < 3000; i += 3)
		memcpy(longest + i, "\xE2\x82\xAC", 4); /* 1024 bytes end within one */
	memset(exact, 'x', 1024);
	exact[1024] = '\0';
	say(events, longest);
	say(events, exact);
	say(events, "bad \xFF bytes");
	say(events, "with %1, 100% and\na line");
	const char *text = content("/d/ferry.jsonl");
	assert_int_equal(check_lines(text), 4);
	assert_non_null(strstr(text, "\xE2\x82\xAC\xE2\x80\xA6\"}")); /* cut at a character, then an ellipsis */
	assert_non_null(strstr(text, "xxx\"}"));
	assert_non_null(strstr(text, "(not UTF-8)"));
	assert_non_null(strstr(text, "\"with %1, 100% and\\na line is present"));
}

/* --- the table --- */

/* Each is noted with fields of its own kind. */
static const struct fault a_fault = { RESULT_DISK_FULL, FAULT_WIN32, 112, "write" };
#define STRING(field) .field = #field,
#define NUMBER(field) .field = 7,
#define TIME(field) .field = 1795255200123,
#define JOB .job = &a_job,
#define CALLER .caller = &an_asker,
#define FAULT .fault = &a_fault,
#define EVENT(id, level, name, fields, sentence, remedy)                                        \
	static void note_##name(struct events *events)                                          \
	{                                                                                       \
		events_note(events, EVENT_##name, &(const struct event_##name){ fields });      \
	}
#include "events.def"
#undef EVENT

static const struct {
	enum event_id id;
	const char *remedy;
	enum eventlog_level level;
	void (*note)(struct events *events);
} table[] = {
#define EVENT(id, level, name, fields, sentence, remedy) { EVENT_##name, remedy, EVENTLOG_##level, note_##name },
#include "events.def"
#undef EVENT
};
#define EVENTS (sizeof(table) / sizeof(table[0]))

static void events_message_id__every_event__has_its_severity_and_id(void **state)
{
	(void)state;
	for (size_t i = 0; i < EVENTS; i++) {
		uint32_t id = events_message_id(table[i].id);
		assert_int_equal(id & 0xFFFF, table[i].id);
		assert_int_equal(id >> 16 & 0x3FFF, 0); /* facility 0, not customer, not reserved */
		assert_int_equal(id >> 30, (uint32_t)table[i].level + 1);
		for (size_t j = 0; j < i; j++)
			assert_int_not_equal(table[i].id, table[j].id);
	}
	assert_int_equal(events_message_id(EVENT_JOB_CREATED), 0x40000003);
	assert_int_equal(events_message_id(EVENT_FILE_FAILED), 0x8000003D);
	assert_int_equal(events_message_id(EVENT_JOB_FAILED), 0xC00000D3);
}

static void events_def__every_event__can_be_spoken_and_says_what_to_do(void **state)
{
	(void)state;
	AUTO(events) struct events *events = open_events(1 << 20, 5);
	for (size_t i = 0; i < EVENTS; i++) {
		assert_true(strlen(table[i].remedy) > 0);
		table[i].note(events);
	}
	events_speak(events);
	const char *text = content("/d/ferry.jsonl");
	assert_int_equal(check_lines(text), EVENTS);
	assert_null(strpbrk(strstr(text, "\"message\""), "%")); /* nor a field that was not put in its place */
	for (const char *at = text; (at = strstr(at, "\"message\":\"")) != NULL; at++)
		assert_true(strcspn(at, "{") > strcspn(at, "}"));
	assert_int_equal(fake.reports, EVENTS);
}

/* --- the Event Log --- */

static void events_speak__to_the_event_log__reports_id_level_and_inserts(void **state)
{
	(void)state;
	AUTO(events) struct events *events = open_events(65536, 5);
	EVENTS_NOTE(events, JOB_FAILED, .job = &a_job, .fault = &a_fault, .attempt = 3);
	assert_int_equal(fake.reports, 0);
	events_speak(events);
	assert_int_equal(fake.reports, 1);
	assert_int_equal(fake.report_id, 0xC00000D3);
	assert_int_equal(fake.report_level, EVENTLOG_ERROR);
	assert_int_equal(fake.report_count, 12);
	assert_string_equal(fake.report_insert, "id-1");
}

static void events_open__without_an_event_log__still_writes_the_file(void **state)
{
	(void)state;
	fake.no_eventlog = true;
	AUTO(events) struct events *events = open_events(65536, 5);
	say(events, "S");
	assert_int_equal(fake.reports, 0);
	assert_int_equal(check_lines(content("/d/ferry.jsonl")), 1);
}

/* --- rotation --- */

/* Each line of say() is about 120 bytes: with 150 a second one does not fit. */
static void events_speak__a_full_file__is_rotated_before_the_write(void **state)
{
	(void)state;
	AUTO(events) struct events *events = open_events(150, 3);
	say(events, "first");
	say(events, "second");
	say(events, "third");
	assert_non_null(strstr(content("/d/ferry.jsonl"), "third"));
	assert_non_null(strstr(content("/d/ferry.1.jsonl"), "second"));
	assert_non_null(strstr(content("/d/ferry.2.jsonl"), "first"));
	say(events, "fourth");
	assert_non_null(strstr(content("/d/ferry.jsonl"), "fourth"));
	assert_non_null(strstr(content("/d/ferry.2.jsonl"), "second"));
	assert_null(fake_find("/d/ferry.3.jsonl"));
}

static void events_open__an_existing_file__is_continued(void **state)
{
	(void)state;
	struct events *before = open_events(150, 3);
	say(before, "first");
	events_free(before);
	AUTO(events) struct events *events = open_events(150, 3);
	say(events, "second");
	assert_non_null(strstr(content("/d/ferry.1.jsonl"), "first"));
	assert_non_null(strstr(content("/d/ferry.jsonl"), "second"));
}

static void events_speak__a_write_larger_than_a_file__is_written_whole(void **state)
{
	(void)state;
	AUTO(events) struct events *events = open_events(150, 3);
	for (unsigned i = 0; i < 10; i++)
		EVENTS_NOTE(events, OWNER_PRESENT, .identity = "S");
	events_speak(events);
	assert_int_equal(check_lines(content("/d/ferry.jsonl")), 10);
	assert_int_equal(fake.moves, 0);
}

static void events_speak__a_file_that_cannot_be_moved__grows_on_and_none_is_lost(void **state)
{
	(void)state;
	AUTO(events) struct events *events = open_events(150, 3);
	say(events, "first");
	say(events, "second");
	fake.move_fails = RESULT_LOCKED;
	memcpy(fake.move_fails_from, "/d/ferry.jsonl", sizeof("/d/ferry.jsonl"));
	say(events, "third");
	assert_int_equal(check_lines(content("/d/ferry.jsonl")), 2);
	unsigned moves = fake.moves;
	say(events, "fourth"); /* not tried again at once */
	assert_int_equal(fake.moves, moves);
	fake.mono_ms += 10000;
	say(events, "fifth"); /* tried again; what was moved before is left where it is */
	assert_non_null(strstr(content("/d/ferry.2.jsonl"), "first"));
	fake.mono_ms += 10000;
	fake.move_fails = RESULT_OK;
	say(events, "sixth");
	assert_non_null(strstr(content("/d/ferry.jsonl"), "sixth"));
	assert_int_equal(check_lines(content("/d/ferry.1.jsonl")), 4);
	assert_non_null(strstr(content("/d/ferry.2.jsonl"), "first"));
}

/* --- a log that cannot be written --- */

static void events_open__a_folder_that_is_not_there__is_tried_again_later(void **state)
{
	(void)state;
	fake.open_fails = RESULT_PATH_NOT_FOUND;
	AUTO(events) struct events *events = open_events(65536, 3);
	assert_int_equal(fake.opens, 1);
	say(events, "one");
	say(events, "two");
	assert_int_equal(fake.opens, 1);
	assert_int_equal(fake.reports, 2); /* the Event Log has them */
	fake.open_fails = RESULT_OK;
	fake.mono_ms += 10000;
	say(events, "three");
	const char *text = content("/d/ferry.jsonl");
	assert_int_equal(check_lines(text), 2);
	assert_non_null(strstr(text, "\"event\":\"events-lost\",\"level\":\"warn\","
	                             "\"message\":\"2 events are missing in the log before this one: "));
	assert_non_null(strstr(text, "open /d/ferry.jsonl"));
	assert_true(strstr(text, "events-lost") < strstr(text, "three"));
	assert_int_equal(fake.reports, 4);
	say(events, "four"); /* told once */
	assert_int_equal(check_lines(content("/d/ferry.jsonl")), 3);
	struct events_counts counts;
	events_counts(events, &counts);
	assert_int_equal(counts.lost, 2);
	assert_int_equal(counts.levels[EVENTLOG_INFO], 4);
	assert_int_equal(counts.levels[EVENTLOG_WARN], 1); /* that which tells it */
}

static void events_speak__a_torn_write__costs_no_later_line(void **state)
{
	(void)state;
	AUTO(events) struct events *events = open_events(65536, 3);
	say(events, "one");
	fake.write_fails = RESULT_DISK_FULL;
	fake.tear_at = 20;
	EVENTS_NOTE(events, OWNER_PRESENT, .identity = "two");
	EVENTS_NOTE(events, OWNER_PRESENT, .identity = "three");
	events_speak(events);
	assert_int_equal(fake.open_handles, 0);
	fake.mono_ms += 9999;
	say(events, "four"); /* left alone for a while */
	assert_int_equal(fake.writes, 2);
	fake.mono_ms += 1;
	fake.tear_at = 0;
	say(events, "five"); /* still full */
	assert_int_equal(fake.writes, 3);
	fake.write_fails = RESULT_OK;
	fake.mono_ms += 10000;
	say(events, "six");
	const char *text = content("/d/ferry.jsonl");
	const char *torn = strchr(text, '\n') + 1;
	const char *rest = strchr(torn, '\n');
	assert_int_equal(rest - torn, 20);
	assert_int_equal(check_lines(rest), 2);
	assert_non_null(strstr(rest, "4 events are missing in the log before this one: The disk is full"));
	assert_non_null(strstr(rest, "six"));
}

static void events_speak__a_failing_log_while_rotating__is_tried_again_later(void **state)
{
	(void)state;
	AUTO(events) struct events *events = open_events(150, 3);
	say(events, "one");
	fake.open_fails = RESULT_DENIED;
	say(events, "two");
	fake.open_fails = RESULT_OK;
	fake.mono_ms += 10000;
	say(events, "three");
	assert_non_null(strstr(content("/d/ferry.1.jsonl"), "one"));
	assert_non_null(strstr(content("/d/ferry.jsonl"), "1 events are missing"));
	assert_non_null(strstr(content("/d/ferry.jsonl"), "three"));
}

/* A turn that notes without end is cut off, and says so. */
static void events_note__beyond_all_bounds__is_counted_as_lost(void **state)
{
	(void)state;
	AUTO(events) struct events *events = open_events(1 << 24, 3);
	char insert[1001];
	memset(insert, 'x', 1000);
	insert[1000] = '\0';
	for (unsigned i = 0; i < 8000; i++)
		EVENTS_NOTE(events, OWNER_PRESENT, .identity = insert);
	events_speak(events);
	size_t kept = check_lines(content("/d/ferry.jsonl"));
	assert_true(kept > 3600 && kept < 4400);
	assert_int_equal(fake.writes, 1);
	say(events, "after");
	char told[64];
	text_display(told, sizeof(told), "\"message\":\"%zu events are missing", 8000 - kept);
	assert_non_null(strstr(content("/d/ferry.jsonl"), told));
}

static void events_open__a_folder_name_without_end__is_refused(void **state)
{
	(void)state;
	struct events *events = NULL;
	struct fault fault;
	char folder[2000];
	memset(folder, 'f', sizeof(folder) - 1);
	folder[sizeof(folder) - 1] = '\0';
	const struct events_settings settings = { .folder = folder, .file_bytes_max = 65536, .files_max = 2 };
	const struct clock clock = { .wall_ms = fake_wall_ms, .mono_ms = fake_mono_ms };
	assert_int_equal(events_open(&settings, clock, &events, &fault), RESULT_TOO_LONG);
	assert_null(events);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(events_speak__an_event__is_one_line),
		TEST(events_speak__a_fault__is_its_name_its_numbers_and_a_sentence),
		TEST(events_speak__an_unnamed_job__is_called_so),
		TEST(events_speak__many_events__are_one_write),
		TEST(events_drop__an_undone_turn__is_never_told),
		TEST(events_speak__the_time__is_the_notes_in_utc),
		TEST(events_note__long_and_strange_inserts__are_bounded),
		TEST(events_message_id__every_event__has_its_severity_and_id),
		TEST(events_def__every_event__can_be_spoken_and_says_what_to_do),
		TEST(events_speak__to_the_event_log__reports_id_level_and_inserts),
		TEST(events_open__without_an_event_log__still_writes_the_file),
		TEST(events_speak__a_full_file__is_rotated_before_the_write),
		TEST(events_open__an_existing_file__is_continued),
		TEST(events_speak__a_write_larger_than_a_file__is_written_whole),
		TEST(events_speak__a_file_that_cannot_be_moved__grows_on_and_none_is_lost),
		TEST(events_open__a_folder_that_is_not_there__is_tried_again_later),
		TEST(events_speak__a_torn_write__costs_no_later_line),
		TEST(events_speak__a_failing_log_while_rotating__is_tried_again_later),
		TEST(events_note__beyond_all_bounds__is_counted_as_lost),
		TEST(events_open__a_folder_name_without_end__is_refused),
	};
	return cmocka_run_group_tests_name("runtime/events", tests, NULL, NULL);
}
