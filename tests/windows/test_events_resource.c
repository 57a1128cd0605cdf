/* Every event's text is in ferryd.exe under the id that is reported, as the Event Viewer looks for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <windows.h>

#include "platform/win32/utf.h"
#include "runtime/events.h"

static const struct { enum event_id id; const char *sentence; } table[] = {
#define EVENT(id, level, name, sentence, remedy) { EVENT_##name, sentence },
#include "events.def"
#undef EVENT
};

/* The sentence with "<1>" for %1 and so on: what the inserts below make of it. */
static void expected(const char *sentence, char *to, size_t size)
{
	size_t length = 0;
	for (const char *at = sentence; *at && length + 4 < size; at++) {
		if (*at == '%' && at[1] != '%') {
			to[length++] = '<';
			to[length++] = *++at;
			to[length++] = '>';
		} else {
			to[length++] = *at;
			at += *at == '%';
		}
	}
	to[length] = '\0';
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
	static const wchar_t *const inserts[] = { L"<1>", L"<2>", L"<3>", L"<4>", L"<5>", L"<6>", L"<7>", L"<8>", L"<9>" };
	HMODULE module = load_ferryd();
	assert_non_null(module);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		wchar_t text[1024];
		char shown[2048], wanted[2048];
		DWORD length = FormatMessageW(FORMAT_MESSAGE_FROM_HMODULE | FORMAT_MESSAGE_ARGUMENT_ARRAY, module,
		                              events_message_id(table[i].id), 0, text, 1024, (va_list *)(ULONG_PTR)inserts);
		if (length == 0)
			fail_msg("event %u has no text: error %lu", (unsigned)table[i].id, GetLastError());
		while (length > 0 && (text[length - 1] == L'\r' || text[length - 1] == L'\n'))
			length--; /* the message compiler ends each text so */
		text[length] = L'\0';
		assert_true(WideCharToMultiByte(CP_UTF8, 0, text, -1, shown, sizeof(shown), NULL, NULL) > 0);
		expected(table[i].sentence, wanted, sizeof(wanted));
		assert_string_equal(shown, wanted);
	}
	FreeLibrary(module);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ferryd_exe__every_event__has_its_text_in_the_message_table),
	};
	return cmocka_run_group_tests_name("windows/events_resource", tests, NULL, NULL);
}
