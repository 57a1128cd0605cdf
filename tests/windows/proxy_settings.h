/* tests/windows/proxy_settings - write a user's proxy settings as Windows keeps them. */
#ifndef FERRY_TESTS_PROXY_SETTINGS_H
#define FERRY_TESTS_PROXY_SETTINGS_H

#include <windows.h>

#include <string.h>

#define SETTINGS_KEY L"Software\\Microsoft\\Windows\\CurrentVersion\\Internet Settings\\Connections"
#define SETTINGS_VALUE L"DefaultConnectionSettings"
#define SETTINGS_BYTES_MAX 8192

/* Bits of the value's third number. */
enum { SETTINGS_DIRECT = 1, SETTINGS_PROXY = 2, SETTINGS_SCRIPT = 4, SETTINGS_DETECT = 8 };

static inline size_t settings_number(unsigned char *to, size_t at, DWORD number)
{
	memcpy(to + at, &number, sizeof number);
	return at + sizeof number;
}

static inline size_t settings_text(unsigned char *to, size_t at, const char *text)
{
	at = settings_number(to, at, (DWORD)strlen(text));
	memcpy(to + at, text, strlen(text));
	return at + strlen(text);
}

/* True: written below the key `root`, HKEY_CURRENT_USER or what stands for it. */
static inline bool settings_write(HKEY root, DWORD flags, const char *list, const char *bypass, const char *script)
{
	unsigned char value[SETTINGS_BYTES_MAX] = { 0 };
	HKEY key = NULL;
	size_t at = settings_number(value, 0, 0x46);
	at = settings_number(value, at, 1); /* how often it was changed */
	at = settings_number(value, at, SETTINGS_DIRECT | flags);
	at = settings_text(value, at, list);
	at = settings_text(value, at, bypass);
	at = settings_text(value, at, script) + 32;
	if (RegCreateKeyExW(root, SETTINGS_KEY, 0, NULL, 0, KEY_SET_VALUE, NULL, &key, NULL) != ERROR_SUCCESS)
		return false;
	bool written = RegSetValueExW(key, SETTINGS_VALUE, 0, REG_BINARY, value, (DWORD)at) == ERROR_SUCCESS;
	RegCloseKey(key);
	return written;
}

#endif
