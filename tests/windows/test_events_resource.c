/* Every event's text is in ferryd.exe under the id that is reported, as the Event Viewer looks for it, and every event is
 * reported: build/windows/test_events_traced.py sees that. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <windows.h>

#include "platform/win32/utf.h"
#include "runtime/events_private.h"
#include "support/scratch.h"

static const enum event_id ids[] = {
#define EVENT(id, level, name, fields, sentence, remedy) EVENT_##name,
#include "events.def"
#undef EVENT
};

/* The sentence with the number of each insert, as in <3>, in its place: what the inserts below make of it. */
static void expected(const struct event *event, char *to, size_t size)
{
	text_display(to, size, "%s", event->sentence);
	for (size_t i = 0; i < event->insert_count; i++) {
		char name[64], number[8], before[2048];
		text_display(name, sizeof(name), "{%s}", event->inserts[i].name);
		text_display(number, sizeof(number), "<%u>", (unsigned)i + 1);
		for (char *at; (at = strstr(to, name)) != NULL;) {
			*at = '\0';
			text_display(before, sizeof(before), "%s%s%s", to, number, at + strlen(name));
			memcpy(to, before, size);
		}
	}
}

static HMODULE load_ferryd(void)
{
	const char *folder = getenv("FERRY_BIN");
	char path[1024];
	wchar_t *wide = NULL;
	if (!folder)
		fail_msg("%s must name the folder of ferryd.exe", "FERRY_BIN");
	assert_int_equal(text_format(path, sizeof(path), "%s/ferryd.exe", folder), RESULT_OK);
	assert_int_equal(utf_to_wide(text_view(path), "path", &wide, NULL), RESULT_OK);
	HMODULE module = LoadLibraryExW(wide, NULL, LOAD_LIBRARY_AS_DATAFILE | LOAD_LIBRARY_AS_IMAGE_RESOURCE);
	free(wide);
	return module;
}

static void ferryd_exe__every_event__has_its_text_in_the_message_table(void **state)
{
	(void)state;
	static wchar_t numbers[EVENT_INSERTS_MAX][8];
	const wchar_t *inserts[EVENT_INSERTS_MAX];
	HMODULE module = load_ferryd();
	assert_non_null(module);
	for (unsigned i = 0; i < EVENT_INSERTS_MAX; i++) {
		_snwprintf(numbers[i], 8, L"<%u>", i + 1);
		inserts[i] = numbers[i];
	}
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		wchar_t text[1024];
		char shown[2048], wanted[2048];
		DWORD length = FormatMessageW(FORMAT_MESSAGE_FROM_HMODULE | FORMAT_MESSAGE_ARGUMENT_ARRAY, module,
		                              events_message_id(ids[i]), 0, text, 1024, (va_list *)(ULONG_PTR)inserts);
		if (length == 0)
			fail_msg("event %u has no text: error %lu", (unsigned)ids[i], GetLastError());
		while (length > 0 && (text[length - 1] == L'\r' || text[length - 1] == L'\n'))
			length--; /* the message compiler ends each text so */
		text[length] = L'\0';
		assert_true(WideCharToMultiByte(CP_UTF8, 0, text, -1, shown, sizeof(shown), NULL, NULL) > 0);
		expected(event_of(ids[i]), wanted, sizeof(wanted));
		assert_string_equal(shown, wanted);
	}
	FreeLibrary(module);
}

/* --- each is reported --- */

static const struct job a_job = { .id = "0f8fad5b-d9cb-469f-a165-70867728950e", .owner = "S-1-5-18" };
static const struct asker an_asker = { .owner = "S-1-5-19", .process = 4711, .image = "50%, a%2Fb %%5 %{S-1-5-18}" };
static const struct fault a_fault = { RESULT_DISK_FULL, FAULT_WIN32, 112, "write" };

#define STRING(field) .field = #field,
#define NUMBER(field) .field = 7,
#define TIME(field) .field = 1795255200123,
#define JOB .job = &a_job,
#define CALLER .caller = &an_asker,
#define FAULT .fault = &a_fault,
static void note_all(struct events *events)
{
#define EVENT(id, level, name, fields, sentence, remedy) \
	events_note(events, EVENT_##name, &(const struct event_##name){ fields });
#include "events.def"
#undef EVENT
}

static void events_speak__every_event__is_reported(void **state)
{
	(void)state;
	char folder[MAX_PATH];
	struct events *events = NULL;
	scratch_make(folder, sizeof(folder));
	const struct events_settings settings = { .folder = folder, .file_bytes_max = 1 << 24, .files_max = 2, .eventlog = true };
	assert_int_equal(events_open(&settings, clock_system(), &events, NULL), RESULT_OK);
	note_all(events);
	events_speak(events);
	events_free(events);
	scratch_remove(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ferryd_exe__every_event__has_its_text_in_the_message_table),
		cmocka_unit_test(events_speak__every_event__is_reported),
	};
	return cmocka_run_group_tests_name("windows/events_resource", tests, NULL, NULL);
}
