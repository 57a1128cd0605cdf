#include "core/trust.h"

#include <string.h>

#define PIN_PREFIX "sha256//"
#define PIN_BASE64 44 /* of 32 bytes, with the one '=' that they leave */

bool trust_split(struct text_view entry, struct text_view *ret_host, struct text_view *ret_what)
{
	const char *space = entry.length > 0 ? memchr(entry.bytes, ' ', entry.length) : NULL;

	if (space == NULL)
		return false;
	*ret_host = (struct text_view){ entry.bytes, (size_t)(space - entry.bytes) };
	*ret_what = (struct text_view){ space + 1, entry.length - ret_host->length - 1 };
	return ret_what->length > 0 && host_pattern_is_valid(*ret_host);
}

static bool is_base64(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/';
}

static bool is_pin(struct text_view pin)
{
	size_t prefix = sizeof(PIN_PREFIX) - 1;

	if (pin.length != prefix + PIN_BASE64 || memcmp(pin.bytes, PIN_PREFIX, prefix) != 0)
		return false;
	for (size_t i = prefix; i < pin.length - 1; i++)
		if (!is_base64(pin.bytes[i]))
			return false;
	return pin.bytes[pin.length - 1] == '=';
}

bool trust_are_pins(struct text_view what)
{
	for (;;) {
		const char *end = what.length > 0 ? memchr(what.bytes, ';', what.length) : NULL;
		struct text_view pin = { what.bytes, end != NULL ? (size_t)(end - what.bytes) : what.length };

		if (!is_pin(pin))
			return false;
		if (end == NULL)
			return true;
		what = (struct text_view){ end + 1, what.length - pin.length - 1 };
	}
}
