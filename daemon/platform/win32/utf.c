#include "platform/win32/utf.h"

#include <string.h>

#include "platform/win32/win32.h"

/* Convert behind `prefix`, which the caller has measured; one allocation holds both. */
static enum result to_wide(const wchar_t *prefix, struct text_view text, const char *what, wchar_t **ret_wide,
                           struct fault *fault)
{
	size_t before = wcslen(prefix);
	int length = 0;

	if (text.length > 4u * UTF_PATH_CHARS_MAX * 16u) /* 2 MiB: the largest message and then some */
		return fault_set(fault, RESULT_TOO_LONG, FAULT_FERRY, 0, "%s", what);
	if (text.length > 0 && memchr(text.bytes, 0, text.length) != NULL)
		return fault_set(fault, RESULT_NOT_UTF8, FAULT_FERRY, 0, "%s", what);
	if (text.length > 0) {
		length = MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text.bytes, (int)text.length, NULL, 0);
		if (length <= 0)
			return fault_win32(fault, GetLastError(), "%s", what);
	}
	AUTO(memory) wchar_t *wide = malloc((before + (size_t)length + 1) * sizeof *wide);
	if (wide == NULL)
		return fault_set(fault, RESULT_NO_MEMORY, FAULT_FERRY, 0, "%s", what);
	memcpy(wide, prefix, before * sizeof *wide);
	if (length > 0 && MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text.bytes, (int)text.length, wide + before,
	                                      length) != length)
		return fault_win32(fault, GetLastError(), "%s", what);
	wide[before + (size_t)length] = L'\0';
	*ret_wide = TAKE(wide);
	return RESULT_OK;
}

enum result utf_to_wide(struct text_view text, const char *what, wchar_t **ret_wide, struct fault *fault)
{
	return to_wide(L"", text, what, ret_wide, fault);
}

static bool is_letter(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

enum result utf_path_to_wide(const char *path, wchar_t **ret_wide, struct fault *fault)
{
	struct text_view text = text_view(path);
	const wchar_t *prefix;

	/* Behind the prefix Windows neither turns slashes nor resolves "..": such a path would name something odd. */
	if (strchr(path, '/') != NULL)
		return fault_set(fault, RESULT_BAD_DESTINATION, FAULT_FERRY, 0, "path with '/': %s", path);
	if (is_letter(path[0]) && path[1] == ':' && path[2] == '\\') {
		prefix = L"\\\\?\\";
	} else if (path[0] == '\\' && path[1] == '\\' && path[2] != '\0' && strchr("?.\\", path[2]) == NULL) {
		prefix = L"\\\\?\\UNC\\";
		text.bytes += 2;
		text.length -= 2;
	} else {
		return fault_set(fault, RESULT_BAD_DESTINATION, FAULT_FERRY, 0, "path is not absolute: %s", path);
	}
	if (text.length > 3u * UTF_PATH_CHARS_MAX)
		return fault_set(fault, RESULT_TOO_LONG, FAULT_FERRY, 0, "path");
	return to_wide(prefix, text, "path", ret_wide, fault);
}

enum result utf_from_wide(const wchar_t *wide, size_t length, char *to, size_t size, const char *what,
                          struct fault *fault)
{
	int bytes = 0;

	if (length > UTF_PATH_CHARS_MAX || size == 0 || size > INT32_MAX)
		return fault_set(fault, RESULT_TOO_LONG, FAULT_FERRY, 0, "%s", what);
	if (length > 0) {
		bytes = WideCharToMultiByte(CP_UTF8, WC_ERR_INVALID_CHARS, wide, (int)length, NULL, 0, NULL, NULL);
		if (bytes <= 0)
			return fault_win32(fault, GetLastError(), "%s", what);
	}
	if ((size_t)bytes >= size)
		return fault_set(fault, RESULT_TOO_LONG, FAULT_FERRY, 0, "%s", what);
	if (bytes > 0 &&
	    WideCharToMultiByte(CP_UTF8, WC_ERR_INVALID_CHARS, wide, (int)length, to, bytes, NULL, NULL) != bytes)
		return fault_win32(fault, GetLastError(), "%s", what);
	to[bytes] = '\0';
	return RESULT_OK;
}

enum result utf_path_from_wide(const wchar_t *wide, size_t length, char *to, size_t size, struct fault *fault)
{
	static const wchar_t unc[] = L"\\\\?\\UNC\\";
	static const wchar_t local[] = L"\\\\?\\";
	const size_t unc_length = sizeof unc / sizeof unc[0] - 1;
	const size_t local_length = sizeof local / sizeof local[0] - 1;

	if (length >= unc_length && wcsncmp(wide, unc, unc_length) == 0) {
		if (size < 3)
			return fault_set(fault, RESULT_TOO_LONG, FAULT_FERRY, 0, "path");
		/* Keep one of the prefix's backslashes and put the other before it. */
		enum result result =
			utf_from_wide(wide + unc_length - 1, length - unc_length + 1, to + 1, size - 1, "path", fault);
		if (result == RESULT_OK)
			to[0] = '\\';
		return result;
	}
	if (length >= local_length && wcsncmp(wide, local, local_length) == 0) {
		wide += local_length;
		length -= local_length;
	}
	return utf_from_wide(wide, length, to, size, "path", fault);
}
