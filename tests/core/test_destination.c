#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "core/destination.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct accepted {
	const char *path, *folder, *name;
};

struct refused {
	const char *path;
	const char *rule; /* begins the fault's words */
};

static void accept_all(enum path_style style, const struct accepted *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct fault fault = { 0 };
		struct destination destination;
		if (destination_parse(style, text_view(cases[i].path), &destination, &fault) != RESULT_OK)
			fail_msg("%s: %s", cases[i].path, fault.what);
		if (!text_is(destination.folder, cases[i].folder) || !text_is(destination.name, cases[i].name))
			fail_msg("%s: folder %.*s, name %.*s", cases[i].path, (int)destination.folder.length,
			         destination.folder.bytes, (int)destination.name.length, destination.name.bytes);
	}
}

static void refuse_all(enum path_style style, const struct refused *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct fault fault = { 0 };
		struct destination destination = { .name = { "kept", 4 } };
		enum result result = destination_parse(style, text_view(cases[i].path), &destination, &fault);
		if (result != RESULT_BAD_DESTINATION || strncmp(fault.what, cases[i].rule, strlen(cases[i].rule)) != 0)
			fail_msg("%s: %s: %s", cases[i].path, result_name(result), fault.what);
		assert_true(text_is(destination.name, "kept"));
		assert_int_equal(destination_parse(style, text_view(cases[i].path), &destination, NULL),
		                 RESULT_BAD_DESTINATION);
	}
}

static void destination__good_windows_paths__are_split(void **state)
{
	(void)state;
	static const struct accepted cases[] = {
		{ "C:\\file", "C:\\", "file" },
		{ "c:\\f", "c:\\", "f" },
		{ "C:\\folder\\file.bin", "C:\\folder", "file.bin" },
		{ "Z:\\a\\b\\c\\d", "Z:\\a\\b\\c", "d" },
		{ "C:\\Program Files\\Acme\\a b.exe", "C:\\Program Files\\Acme", "a b.exe" },
		{ "C:\\PROGRA~1\\FILE~1.TXT", "C:\\PROGRA~1", "FILE~1.TXT" },
		{ "C:\\.hidden\\..file", "C:\\.hidden", "..file" },
		{ "C:\\a.b.c\\ leading", "C:\\a.b.c", " leading" },
		{ "C:\\J\xC3\xBCrgen\\\xE2\x82\xAC.txt", "C:\\J\xC3\xBCrgen", "\xE2\x82\xAC.txt" },
		{ "C:\\x\\[a]{b}(c)!@#$%^&+=;',`~-_", "C:\\x", "[a]{b}(c)!@#$%^&+=;',`~-_" },
		{ "\\\\server\\share\\file", "\\\\server\\share", "file" },
		{ "\\\\server\\share\\folder\\file", "\\\\server\\share\\folder", "file" },
		{ "\\\\192.0.2.1\\c$\\file", "\\\\192.0.2.1\\c$", "file" },
		{ "\\\\srv_1-a.example.com\\s\\f", "\\\\srv_1-a.example.com\\s", "f" },
		{ "\\\\server\\share\\pipe\\file", "\\\\server\\share\\pipe", "file" },
		/* Near misses of device names. */
		{ "C:\\CONSOLE", "C:\\", "CONSOLE" },
		{ "C:\\xCON", "C:\\", "xCON" },
		{ "C:\\CO", "C:\\", "CO" },
		{ "C:\\null", "C:\\", "null" },
		{ "C:\\a.NUL", "C:\\", "a.NUL" },
		{ "C:\\COM", "C:\\", "COM" },
		{ "C:\\COM0", "C:\\", "COM0" },
		{ "C:\\COM10", "C:\\", "COM10" },
		{ "C:\\COMA", "C:\\", "COMA" },
		{ "C:\\COM\xE2\x81\xB4", "C:\\", "COM\xE2\x81\xB4" }, /* superscript 4 is not of Latin-1 */
		{ "C:\\LPT0.txt", "C:\\", "LPT0.txt" },
		{ "C:\\CONIN", "C:\\", "CONIN" },
		{ "C:\\CON$", "C:\\", "CON$" },
		{ "C:\\_NUL.txt", "C:\\", "_NUL.txt" },
		{ "C:\\ NUL", "C:\\", " NUL" },
	};
	accept_all(PATH_WINDOWS, cases, COUNT(cases));
}

static void destination__bad_windows_paths__are_refused_by_their_rule(void **state)
{
	(void)state;
	static const struct refused cases[] = {
		{ "", "no path" },
		/* not absolute */
		{ "file", "not an absolute" },
		{ "folder\\file", "not an absolute" },
		{ "\\file", "not an absolute" },
		{ "\\", "not an absolute" },
		{ ".\\file", "not an absolute" },
		{ "..\\file", "not an absolute" },
		{ "\\??\\C:\\file", "not an absolute" },
		{ "CON", "not an absolute" },
		{ "1:\\file", "not an absolute" },
		{ "CC:\\file", "not an absolute" },
		{ ":\\file", "not an absolute" },
		{ "\xC3\x84:\\file", "not an absolute" },
		{ "%TEMP%\\file", "not an absolute" },
		{ "file.txt:stream", "not an absolute" },
		{ "C", "not an absolute" },
		{ "C:", "a path relative" },
		{ "C:file", "a path relative" },
		{ "C:..\\file", "a path relative" },
		{ "C:folder\\file", "a path relative" },
		{ "C:.", "a path relative" },
		/* forward slashes */
		{ "C:/x", "a forward slash" },
		{ "C:\\a/b", "a forward slash" },
		{ "//server/share/file", "a forward slash" },
		{ "//?/C:/file", "a forward slash" },
		{ "/file", "a forward slash" },
		{ "\\\\server/share\\file", "a forward slash" },
		/* device paths */
		{ "\\\\?\\C:\\file", "a device path" },
		{ "\\\\?\\UNC\\server\\share\\file", "a device path" },
		{ "\\\\.\\C:\\file", "a device path" },
		{ "\\\\.\\PhysicalDrive0", "a device path" },
		{ "\\\\.\\pipe\\ferry", "a device path" },
		{ "\\\\?\\GLOBALROOT\\Device\\x", "a device path" },
		{ "\\\\?", "a device path" },
		{ "\\\\.", "a device path" },
		{ "\\\\?\\", "a device path" },
		/* folders */
		{ "C:\\", "a folder" },
		{ "C:\\folder\\", "a folder" },
		{ "\\\\", "a folder" },
		{ "\\\\server\\", "a folder" },
		{ "\\\\server\\share\\", "a folder" },
		{ "\\\\server", "a share without" },
		{ "\\\\server\\share", "a share without" },
		/* segments */
		{ "C:\\\\file", "two separators" },
		{ "C:\\a\\\\file", "two separators" },
		{ "\\\\\\share\\file", "two separators" },
		{ "\\\\server\\\\file", "two separators" },
		{ "C:\\.", "'.' or '..'" },
		{ "C:\\..", "'.' or '..'" },
		{ "C:\\a\\..\\b", "'.' or '..'" },
		{ "C:\\a\\.\\b", "'.' or '..'" },
		{ "\\\\server\\..\\file", "'.' or '..'" },
		{ "\\\\..\\share\\file", "'.' or '..'" },
		{ "C:\\...", "a name that ends" },
		{ "C:\\a.", "a name that ends" },
		{ "C:\\a ", "a name that ends" },
		{ "C:\\a. ", "a name that ends" },
		{ "C:\\a .", "a name that ends" },
		{ "C:\\.. \\file", "a name that ends" },
		{ "C:\\folder.\\file", "a name that ends" },
		{ "C:\\folder \\file", "a name that ends" },
		{ "C:\\ ", "a name that ends" },
		{ "\\\\server.\\share\\file", "a name that ends" },
		{ "\\\\server\\share \\file", "a name that ends" },
		/* streams */
		{ "C:\\file:stream", "':' after" },
		{ "C:\\file::$DATA", "':' after" },
		{ "C:\\folder:x\\file", "':' after" },
		{ "C:\\folder::$INDEX_ALLOCATION\\file", "':' after" },
		{ "C:\\C:\\file", "':' after" },
		{ "\\\\server\\C:\\file", "':' after" },
		{ "\\\\fe80::1\\share\\file", "':' after" },
		{ "C:\\:", "':' after" },
		/* characters */
		{ "C:\\a<b", "one of" },
		{ "C:\\a>b", "one of" },
		{ "C:\\a\"b", "one of" },
		{ "C:\\a|b", "one of" },
		{ "C:\\a?b", "one of" },
		{ "C:\\*.txt", "one of" },
		{ "C:\\fol?der\\file", "one of" },
		{ "\\\\?server\\share\\file", "one of" },
		{ "C:\\a\tb", "a control" },
		{ "C:\\a\nb", "a control" },
		{ "C:\\a\x01", "a control" },
		{ "C:\\a\x1F", "a control" },
		{ "C:\\a\x7F", "a control" },
		/* devices */
		{ "C:\\CON", "a device's name" },
		{ "C:\\con", "a device's name" },
		{ "C:\\Prn", "a device's name" },
		{ "C:\\AUX", "a device's name" },
		{ "C:\\NUL", "a device's name" },
		{ "C:\\NUL.txt", "a device's name" },
		{ "C:\\nul.tar.gz", "a device's name" },
		{ "C:\\NUL .txt", "a device's name" },
		{ "C:\\NUL  .x", "a device's name" },
		{ "C:\\folder\\COM1", "a device's name" },
		{ "C:\\com9.log", "a device's name" },
		{ "C:\\COM\xC2\xB9", "a device's name" },
		{ "C:\\COM\xC2\xB2.txt", "a device's name" },
		{ "C:\\com\xC2\xB3", "a device's name" },
		{ "C:\\LPT\xC2\xB9", "a device's name" },
		{ "C:\\LPT1", "a device's name" },
		{ "C:\\lpt9.x", "a device's name" },
		{ "C:\\CONIN$", "a device's name" },
		{ "C:\\conout$", "a device's name" },
		{ "C:\\CONOUT$.txt", "a device's name" },
		{ "C:\\aux\\file", "a device's name" },
		{ "C:\\aux.d\\file", "a device's name" },
		{ "\\\\server\\NUL\\file", "a device's name" },
		{ "\\\\server\\share\\COM1.txt", "a device's name" },
		{ "\\\\con\\share\\file", "a device's name" },
		/* servers and shares */
		{ "\\\\server@8080\\share\\file", "a server name" },
		{ "\\\\server@SSL\\DavWWWRoot\\file", "a server name" },
		{ "\\\\ser ver\\share\\file", "a server name" },
		{ "\\\\ser$ver\\share\\file", "a server name" },
		{ "\\\\server\\pipe\\ferry", "a share that" },
		{ "\\\\server\\PIPE\\a\\b", "a share that" },
		{ "\\\\server\\mailslot\\x", "a share that" },
		{ "\\\\server\\IPC$\\x", "a share that" },
	};
	refuse_all(PATH_WINDOWS, cases, COUNT(cases));
}

static void destination__every_numbered_device__is_refused(void **state)
{
	(void)state;
	for (char digit = '0'; digit <= '9'; digit++) {
		char com[] = "C:\\COM?";
		char lpt[] = "C:\\x\\lPt?.y";
		struct destination destination;
		enum result expected = digit == '0' ? RESULT_OK : RESULT_BAD_DESTINATION;
		*strchr(com, '?') = digit;
		*strchr(lpt, '?') = digit;
		assert_int_equal(destination_parse(PATH_WINDOWS, text_view(com), &destination, NULL), expected);
		assert_int_equal(destination_parse(PATH_WINDOWS, text_view(lpt), &destination, NULL), expected);
	}
}

static void destination__good_posix_paths__are_split(void **state)
{
	(void)state;
	static const struct accepted cases[] = {
		{ "/f", "/", "f" },
		{ "/tmp/file", "/tmp", "file" },
		{ "/a/b/c/d.e", "/a/b/c", "d.e" },
		{ "/a b/c ", "/a b", "c " },
		{ "/.a/..b", "/.a", "..b" },
		{ "/a/...", "/a", "..." },
		{ "/NUL/CON", "/NUL", "CON" },
		{ "/a\\b:c*?\"<>|", "/", "a\\b:c*?\"<>|" },
		{ "/\xE2\x82\xAC", "/", "\xE2\x82\xAC" },
	};
	accept_all(PATH_POSIX, cases, COUNT(cases));
}

static void destination__bad_posix_paths__are_refused_by_their_rule(void **state)
{
	(void)state;
	static const struct refused cases[] = {
		{ "", "no path" },
		{ "file", "not an absolute" },
		{ "a/b", "not an absolute" },
		{ "./a", "not an absolute" },
		{ "~/a", "not an absolute" },
		{ "C:\\file", "not an absolute" },
		{ "/", "a folder" },
		{ "//", "a folder" },
		{ "/a/", "a folder" },
		{ "//a", "two separators" },
		{ "/a//b", "two separators" },
		{ "/.", "'.' or '..'" },
		{ "/..", "'.' or '..'" },
		{ "/a/../b", "'.' or '..'" },
		{ "/a/./b", "'.' or '..'" },
		{ "/a/..", "'.' or '..'" },
		{ "/a\nb", "a control" },
		{ "/a\x7F", "a control" },
	};
	refuse_all(PATH_POSIX, cases, COUNT(cases));
}

static void destination__bytes_that_are_no_text__are_refused(void **state)
{
	(void)state;
	static const struct {
		struct text_view path;
		enum result result;
	} cases[] = {
		{ { "C:\\a\xFF", 5 }, RESULT_NOT_UTF8 },
		{ { "C:\\a\xC3", 5 }, RESULT_NOT_UTF8 },
		{ { "C:\\\xED\xA0\x80", 6 }, RESULT_NOT_UTF8 },
		{ { "C:\\\xC0\xAE\xC0\xAE\\a", 9 }, RESULT_NOT_UTF8 }, /* overlong ".." */
		{ { "C:\\a\0b", 6 }, RESULT_BAD_DESTINATION },
		{ { "C:\\a\0", 5 }, RESULT_BAD_DESTINATION },
		{ { "\0", 1 }, RESULT_BAD_DESTINATION },
		{ { NULL, 0 }, RESULT_BAD_DESTINATION },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct destination destination;
		assert_int_equal(destination_parse(PATH_WINDOWS, cases[i].path, &destination, NULL), cases[i].result);
	}
}

static void destination__limits__are_exact(void **state)
{
	(void)state;
	static const struct {
		enum path_style style;
		const char *root;
		char separator;
	} styles[] = { { PATH_WINDOWS, "C:\\", '\\' }, { PATH_WINDOWS, "\\\\s\\h\\", '\\' }, { PATH_POSIX, "/", '/' } };
	for (size_t i = 0; i < COUNT(styles); i++) {
		char path[DESTINATION_BYTES_MAX + 2];
		struct destination destination;
		size_t root = strlen(styles[i].root);
		memset(path, 'a', sizeof(path));
		memcpy(path, styles[i].root, root);

		struct text_view view = { path, root + DESTINATION_SEGMENT_BYTES_MAX };
		assert_int_equal(destination_parse(styles[i].style, view, &destination, NULL), RESULT_OK);
		assert_int_equal(destination.name.length, DESTINATION_SEGMENT_BYTES_MAX);
		view.length++;
		assert_int_equal(destination_parse(styles[i].style, view, &destination, NULL), RESULT_TOO_LONG);

		for (size_t at = root + 100; at < DESTINATION_BYTES_MAX - 1; at += 101)
			path[at] = styles[i].separator;
		view.length = DESTINATION_BYTES_MAX;
		assert_int_equal(destination_parse(styles[i].style, view, &destination, NULL), RESULT_OK);
		assert_int_equal(destination.folder.length + 1 + destination.name.length, DESTINATION_BYTES_MAX);
		view.length++;
		assert_int_equal(destination_parse(styles[i].style, view, &destination, NULL), RESULT_TOO_LONG);
	}
}

/* Whatever prefix of a path is given, nothing behind its end is read (the address sanitizer watches). */
static void destination__prefixes__are_not_read_beyond(void **state)
{
	(void)state;
	static const char *const paths[] = { "\\\\server\\share\\folder\\file", "C:\\folder\\NUL.txt", "/a/b/c",
		"\\\\?\\C:\\a" };
	for (size_t i = 0; i < COUNT(paths); i++) {
		for (size_t length = 0; length <= strlen(paths[i]); length++) {
			char *exact = malloc(length > 0 ? length : 1);
			struct destination destination;
			assert_non_null(exact);
			memcpy(exact, paths[i], length);
			struct text_view view = { exact, length };
			if (destination_parse(PATH_WINDOWS, view, &destination, NULL) == RESULT_OK)
				assert_true(destination.name.bytes + destination.name.length == view.bytes + length);
			if (destination_parse(PATH_POSIX, view, &destination, NULL) == RESULT_OK)
				assert_true(destination.name.bytes + destination.name.length == view.bytes + length);
			free(exact);
		}
	}
}

static void destination_same__table__ignores_ascii_case_on_windows_only(void **state)
{
	(void)state;
	static const struct {
		const char *a, *b;
		bool windows, posix;
	} cases[] = {
		{ "C:\\a", "C:\\a", true, true },
		{ "C:\\a", "c:\\A", true, false },
		{ "C:\\a", "C:\\b", false, false },
		{ "C:\\a", "C:\\ab", false, false },
		{ "/a", "/A", true, false },
		{ "C:\\\xC3\xA4", "C:\\\xC3\x84", false, false }, /* beyond ASCII the file system decides */
		{ "C:\\[", "C:\\{", false, false },                /* differ in the case bit, but are no letters */
		{ "C:\\@", "C:\\`", false, false },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct text_view a = text_view(cases[i].a);
		struct text_view b = text_view(cases[i].b);
		assert_int_equal(destination_same(PATH_WINDOWS, a, b), cases[i].windows);
		assert_int_equal(destination_same(PATH_WINDOWS, b, a), cases[i].windows);
		assert_int_equal(destination_same(PATH_POSIX, a, b), cases[i].posix);
	}
}

static void destination_is_below__table__goes_by_whole_segments(void **state)
{
	(void)state;
	static const struct {
		enum path_style style;
		const char *path, *folder;
		bool below;
	} cases[] = {
		{ PATH_WINDOWS, "C:\\a\\b", "C:\\a", true },
		{ PATH_WINDOWS, "C:\\a\\b", "c:\\A", true },
		{ PATH_WINDOWS, "C:\\a\\b", "C:\\a\\", true },
		{ PATH_WINDOWS, "C:\\a", "C:\\a", true },
		{ PATH_WINDOWS, "C:\\a", "C:\\", true },
		{ PATH_WINDOWS, "C:\\a\\b\\c", "C:\\a", true },
		{ PATH_WINDOWS, "C:\\ab", "C:\\a", false },
		{ PATH_WINDOWS, "C:\\ab\\c", "C:\\a", false },
		{ PATH_WINDOWS, "C:\\a", "C:\\a\\b", false },
		{ PATH_WINDOWS, "C:\\a", "C:\\a\\", false },
		{ PATH_WINDOWS, "D:\\a", "C:\\", false },
		{ PATH_WINDOWS, "C:\\a/b", "C:\\a", false },
		{ PATH_WINDOWS, "C:\\a", "", false },
		{ PATH_WINDOWS, "\\\\s\\h\\a", "\\\\s\\h", true },
		{ PATH_WINDOWS, "\\\\s\\ha", "\\\\s\\h", false },
		{ PATH_POSIX, "/a/b", "/a", true },
		{ PATH_POSIX, "/a/b", "/A", false },
		{ PATH_POSIX, "/a", "/", true },
		{ PATH_POSIX, "/ab", "/a", false },
		{ PATH_POSIX, "/a\\b", "/a", false },
		{ PATH_POSIX, "", "", false },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		bool below = destination_is_below(cases[i].style, text_view(cases[i].path), text_view(cases[i].folder));
		if (below != cases[i].below)
			fail_msg("%s below %s: %d", cases[i].path, cases[i].folder, below);
		bool itself = strlen(cases[i].path) == strlen(cases[i].folder);
		assert_int_equal(
			destination_is_inside(cases[i].style, text_view(cases[i].path), text_view(cases[i].folder)), below && !itself);
	}
}

static void destination_is_remote__table__is_of_unc_paths(void **state)
{
	(void)state;
	assert_true(destination_is_remote(PATH_WINDOWS, text_view("\\\\server\\share\\folder")));
	assert_false(destination_is_remote(PATH_WINDOWS, text_view("C:\\folder")));
	assert_false(destination_is_remote(PATH_POSIX, text_view("/folder")));
	assert_false(destination_is_remote(PATH_POSIX, text_view("\\\\server\\share")));
	assert_false(destination_is_remote(PATH_WINDOWS, text_view("")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(destination__good_windows_paths__are_split),
		cmocka_unit_test(destination__bad_windows_paths__are_refused_by_their_rule),
		cmocka_unit_test(destination__every_numbered_device__is_refused),
		cmocka_unit_test(destination__good_posix_paths__are_split),
		cmocka_unit_test(destination__bad_posix_paths__are_refused_by_their_rule),
		cmocka_unit_test(destination__bytes_that_are_no_text__are_refused),
		cmocka_unit_test(destination__limits__are_exact),
		cmocka_unit_test(destination__prefixes__are_not_read_beyond),
		cmocka_unit_test(destination_same__table__ignores_ascii_case_on_windows_only),
		cmocka_unit_test(destination_is_remote__table__is_of_unc_paths),
		cmocka_unit_test(destination_is_below__table__goes_by_whole_segments),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
