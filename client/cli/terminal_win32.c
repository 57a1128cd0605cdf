#include "cli/terminal.h"

#ifdef _WIN32
#include <fcntl.h>
#include <io.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <windows.h>

#include <shellapi.h>

#ifndef ENABLE_VIRTUAL_TERMINAL_PROCESSING
#define ENABLE_VIRTUAL_TERMINAL_PROCESSING 0x0004
#endif

static atomic_bool interrupted;
static UINT code_page_before;

/* --- UTF-8 and UTF-16.  Invalid text is an error, as in the service. --- */

static char *to_utf8(const wchar_t *wide)
{
	int size = WideCharToMultiByte(CP_UTF8, WC_ERR_INVALID_CHARS, wide, -1, NULL, 0, NULL, NULL);
	char *text = size > 0 ? malloc((size_t)size) : NULL;

	if (text != NULL && WideCharToMultiByte(CP_UTF8, WC_ERR_INVALID_CHARS, wide, -1, text, size, NULL, NULL) == 0) {
		free(text);
		return NULL;
	}
	return text;
}

static wchar_t *to_wide(const char *text)
{
	int count = MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text, -1, NULL, 0);
	wchar_t *wide = count > 0 ? malloc((size_t)count * sizeof(*wide)) : NULL;

	if (wide != NULL && MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text, -1, wide, count) == 0) {
		free(wide);
		return NULL;
	}
	return wide;
}

/* What the C library gives is in the system's code page, which not every name fits.  Never freed: they are the
 * program's arguments. */
static bool read_arguments(int *argc, char ***argv)
{
	int count;
	wchar_t **wide = CommandLineToArgvW(GetCommandLineW(), &count);
	char **arguments = wide != NULL ? calloc((size_t)count + 1, sizeof(*arguments)) : NULL;
	bool good = arguments != NULL;

	for (int i = 0; good && i < count; i++)
		good = (arguments[i] = to_utf8(wide[i])) != NULL;
	LocalFree(wide);
	*argc = count;
	*argv = arguments;
	return good;
}

/* The code page belongs to the console, not to us: whoever comes after us finds it as it was. */
static void restore_code_page(void)
{
	SetConsoleOutputCP(code_page_before);
}

bool terminal_start(int *argc, char ***argv)
{
	code_page_before = GetConsoleOutputCP();
	if (code_page_before != 0 && code_page_before != CP_UTF8 && SetConsoleOutputCP(CP_UTF8))
		atexit(restore_code_page);
	_setmode(_fileno(stdin), _O_BINARY);
	_setmode(_fileno(stdout), _O_BINARY);
	_setmode(_fileno(stderr), _O_BINARY);
	/* The C library would write character by character, which a UTF-8 console shows torn. */
	setvbuf(stdout, NULL, _IOFBF, 65536);
	return read_arguments(argc, argv);
}

/* --- the console --- */

static HANDLE console(enum terminal_stream stream)
{
	return GetStdHandle(stream == TERMINAL_OUT ? STD_OUTPUT_HANDLE : STD_ERROR_HANDLE);
}

bool terminal_is_live(enum terminal_stream stream)
{
	DWORD mode;

	return GetConsoleMode(console(stream), &mode) &&
	       ((mode & ENABLE_VIRTUAL_TERMINAL_PROCESSING) != 0 ||
	        SetConsoleMode(console(stream), mode | ENABLE_VIRTUAL_TERMINAL_PROCESSING));
}

unsigned terminal_columns(enum terminal_stream stream)
{
	CONSOLE_SCREEN_BUFFER_INFO info;

	if (!GetConsoleScreenBufferInfo(console(stream), &info) || info.srWindow.Right <= info.srWindow.Left)
		return 80;
	return (unsigned)(info.srWindow.Right - info.srWindow.Left) + 1;
}

unsigned terminal_rows(enum terminal_stream stream)
{
	CONSOLE_SCREEN_BUFFER_INFO info;

	if (!GetConsoleScreenBufferInfo(console(stream), &info) || info.srWindow.Bottom <= info.srWindow.Top)
		return 24;
	return (unsigned)(info.srWindow.Bottom - info.srWindow.Top) + 1;
}

static BOOL WINAPI on_control(DWORD kind)
{
	if (kind != CTRL_C_EVENT && kind != CTRL_BREAK_EVENT)
		return FALSE;
	atomic_store(&interrupted, true);
	return TRUE;
}

void terminal_catch_interrupt(void)
{
	SetConsoleCtrlHandler(on_control, TRUE);
}

bool terminal_interrupted(void)
{
	return atomic_load(&interrupted);
}

/* --- a line that is not shown.  One unit at a time: a buffer of the C library would keep it.  To the line's end even
 * where it is too long, or the rest would be the next program's input. --- */

static bool read_secret_piped(char to[TERMINAL_SECRET_BYTES_MAX])
{
	size_t length = 0;
	bool fits = true;
	char c;
	int got;

	while ((got = _read(_fileno(stdin), &c, 1)) == 1 && c != '\n') {
		fits = fits && c != '\0' && length + 1 < TERMINAL_SECRET_BYTES_MAX;
		if (fits)
			to[length++] = c;
	}
	if (length > 0 && to[length - 1] == '\r')
		length--;
	to[length] = '\0';
	return fits && (got == 1 || (got == 0 && length > 0));
}

static bool read_secret_typed(HANDLE input, char to[TERMINAL_SECRET_BYTES_MAX])
{
	wchar_t line[TERMINAL_SECRET_BYTES_MAX], c;
	size_t length = 0;
	bool fits = true;
	DWORD got;
	bool read;

	/* Nothing is read after Ctrl-C. */
	while ((read = ReadConsoleW(input, &c, 1, &got, NULL) && got == 1) && c != L'\n') {
		fits = fits && c != L'\0' && length + 1 < TERMINAL_SECRET_BYTES_MAX;
		if (fits && c != L'\r')
			line[length++] = c;
	}
	line[length] = L'\0';
	int size = WideCharToMultiByte(CP_UTF8, WC_ERR_INVALID_CHARS, line, -1, to, TERMINAL_SECRET_BYTES_MAX, NULL, NULL);
	bool good = read && fits && size > 0 && !atomic_load(&interrupted);
	SecureZeroMemory(line, sizeof(line));
	return good;
}

bool terminal_read_secret(const char *prompt, char to[TERMINAL_SECRET_BYTES_MAX])
{
	HANDLE input = GetStdHandle(STD_INPUT_HANDLE);
	DWORD mode;

	if (!GetConsoleMode(input, &mode))
		return read_secret_piped(to);
	DWORD quiet = (mode & ~(DWORD)ENABLE_ECHO_INPUT) | ENABLE_LINE_INPUT | ENABLE_PROCESSED_INPUT;
	SetConsoleCtrlHandler(on_control, TRUE);
	fputs(prompt, stderr);
	fflush(stderr);
	bool good = SetConsoleMode(input, quiet) && read_secret_typed(input, to);
	SetConsoleMode(input, mode);
	fputs("\n", stderr);
	SetConsoleCtrlHandler(on_control, FALSE);
	return good;
}

_Noreturn void terminal_leave(int code)
{
	fflush(stdout);
	if (code_page_before != 0)
		restore_code_page();
	_exit(code);
}

/* --- paths --- */

bool terminal_absolute(const char *path, char *to, size_t size)
{
	static wchar_t full[32768];
	wchar_t *wide = to_wide(path);
	DWORD length = wide != NULL ? GetFullPathNameW(wide, 32768, full, NULL) : 0;

	free(wide);
	if (length == 0 || length >= 32768 || size > INT32_MAX)
		return false;
	return WideCharToMultiByte(CP_UTF8, WC_ERR_INVALID_CHARS, full, -1, to, (int)size, NULL, NULL) > 0;
}

FILE *terminal_open(const char *path)
{
	wchar_t *wide = to_wide(path);
	FILE *file = wide != NULL ? _wfopen(wide, L"rb") : NULL;

	free(wide);
	return file;
}
#endif
