#include "cli/format.h"

#include <inttypes.h>
#include <string.h>

#include "core/text.h"

void format_bytes(uint64_t bytes, char to[FORMAT_BYTES_MAX])
{
	static const char *const units[] = { "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	uint64_t whole = bytes;
	unsigned rest = 0; /* in 1024ths of the unit */
	size_t unit = 0;

	if (bytes < 1024) {
		text_display(to, FORMAT_BYTES_MAX, "%" PRIu64 " B", bytes);
		return;
	}
	for (; whole >= 1024; unit++) {
		rest = (unsigned)(whole % 1024);
		whole /= 1024;
	}
	/* Rounded down, so that a transfer never shows its whole size before it has it. */
	if (whole < 100)
		text_display(to, FORMAT_BYTES_MAX, "%" PRIu64 ".%u %s", whole, rest * 10 / 1024, units[unit - 1]);
	else
		text_display(to, FORMAT_BYTES_MAX, "%" PRIu64 " %s", whole, units[unit - 1]);
}

void format_rate(uint64_t bytes_per_s, char to[FORMAT_BYTES_MAX])
{
	char bytes[FORMAT_BYTES_MAX];

	format_bytes(bytes_per_s, bytes);
	text_display(to, FORMAT_BYTES_MAX, "%s/s", bytes);
}

void format_duration(uint64_t seconds, char to[FORMAT_BYTES_MAX])
{
	uint64_t minutes = seconds / 60, hours = minutes / 60, days = hours / 24;

	if (hours == 0)
		text_display(to, FORMAT_BYTES_MAX, "%" PRIu64 ":%02" PRIu64, minutes, seconds % 60);
	else if (hours < 48)
		text_display(to, FORMAT_BYTES_MAX, "%" PRIu64 ":%02" PRIu64 ":%02" PRIu64, hours, minutes % 60, seconds % 60);
	else
		text_display(to, FORMAT_BYTES_MAX, "%" PRIu64 " d %" PRIu64 " h", days, hours % 24);
}

void format_moment(int64_t unix_ms, char to[FORMAT_BYTES_MAX])
{
	if (unix_ms <= 0) {
		text_display(to, FORMAT_BYTES_MAX, "-");
		return;
	}
	int64_t seconds = unix_ms / 1000, days = seconds / 86400, of_day = seconds % 86400;

	/* The civil calendar counted from 1 March of year 0, so that the leap day is a year's last; an era is 400 years
	 * (Howard Hinnant, "chrono-compatible low-level date algorithms"). */
	int64_t shifted = days + 719468, era = shifted / 146097, of_era = shifted % 146097;
	int64_t year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	int64_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int64_t month_from_march = (5 * of_year + 2) / 153;
	int64_t day = of_year - (153 * month_from_march + 2) / 5 + 1;
	int64_t month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
	int64_t year = year_of_era + era * 400 + (month <= 2 ? 1 : 0);

	text_display(to, FORMAT_BYTES_MAX, "%04d-%02d-%02d %02d:%02d:%02d UTC", (int)year, (int)month, (int)day,
	             (int)(of_day / 3600), (int)(of_day / 60 % 60), (int)(of_day % 60));
}

/* done * scale / total, rounded down and without overflow; a done that is larger than the total is the total. */
static unsigned share(uint64_t done, uint64_t total, unsigned scale)
{
	if (total == 0)
		return 0;
	if (done >= total)
		return scale;
	while (done > UINT64_MAX / scale) {
		done /= 2;
		total /= 2;
	}
	unsigned part = (unsigned)(done * scale / total);
	return part < scale ? part : scale - 1; /* halving may have made them equal, but not all is there */
}

unsigned format_percent(uint64_t done, uint64_t total)
{
	return share(done, total, 100);
}

void format_bar(uint64_t done, uint64_t total, unsigned width, char *to, size_t size)
{
	if (width < 3 || size < (size_t)width + 1) {
		to[0] = '\0';
		return;
	}
	unsigned inside = width - 2, filled = share(done, total, inside);

	to[0] = '[';
	memset(to + 1, ' ', inside);
	memset(to + 1, '=', filled);
	if (filled < inside && filled > 0)
		to[1 + filled] = '>';
	to[width - 1] = ']';
	to[width] = '\0';
}

/* --- texts on a terminal --- */

/* One character of valid UTF-8; a byte that begins none is taken by itself, as something unprintable. */
static uint32_t next_character(const char *text, size_t *ret_length)
{
	static const struct {
		unsigned char mask, lead, bits;
		size_t length;
	} forms[] = { { 0x80, 0x00, 0x7F, 1 }, { 0xE0, 0xC0, 0x1F, 2 }, { 0xF0, 0xE0, 0x0F, 3 }, { 0xF8, 0xF0, 0x07, 4 } };
	unsigned char first = (unsigned char)text[0];

	*ret_length = 1;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		if ((first & forms[i].mask) != forms[i].lead)
			continue;
		uint32_t value = first & forms[i].bits;
		for (size_t k = 1; k < forms[i].length; k++) {
			unsigned char more = (unsigned char)text[k];
			if ((more & 0xC0) != 0x80) /* the text's end too */
				return 0;
			value = value << 6 | (more & 0x3F);
		}
		*ret_length = forms[i].length;
		return value;
	}
	return 0;
}

struct range {
	uint32_t first, last;
};

static bool is_in(uint32_t character, const struct range *ranges, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (character >= ranges[i].first && character <= ranges[i].last)
			return true;
	}
	return false;
}

/* C0, DEL, C1, and what changes the direction of the text behind it. */
static bool is_control(uint32_t character)
{
	static const struct range ranges[] = {
		{ 0x00, 0x1F }, { 0x7F, 0x9F }, { 0x200E, 0x200F }, { 0x2028, 0x202E }, { 0x2066, 0x2069 },
	};
	return is_in(character, ranges, sizeof(ranges) / sizeof(ranges[0]));
}

/* Columns of one character: 0 for what combines with the one before, 2 for East Asian wide and emoji (the blocks of
 * Unicode's EastAsianWidth.txt that names are likely to come from). */
static unsigned columns_of(uint32_t character)
{
	static const struct range nothing[] = {
		{ 0x0300, 0x036F }, { 0x200B, 0x200D }, { 0x20D0, 0x20FF }, { 0xFE00, 0xFE0F }
	};
	static const struct range wide[] = {
		{ 0x1100, 0x115F },   { 0x2E80, 0x303E },   { 0x3041, 0xA4CF },   { 0xAC00, 0xD7A3 },
		{ 0xF900, 0xFAFF },   { 0xFE30, 0xFE6F },   { 0xFF00, 0xFF60 },   { 0xFFE0, 0xFFE6 },
		{ 0x1F300, 0x1F64F }, { 0x1F680, 0x1F6FF }, { 0x1F900, 0x1F9FF }, { 0x20000, 0x3FFFD },
	};

	if (is_in(character, nothing, sizeof(nothing) / sizeof(nothing[0])))
		return 0;
	return is_in(character, wide, sizeof(wide) / sizeof(wide[0])) ? 2 : 1;
}

unsigned format_columns(const char *text)
{
	unsigned columns = 0;

	for (size_t length; *text != '\0'; text += length)
		columns += columns_of(next_character(text, &length));
	return columns;
}

void format_fit(const char *text, unsigned columns, char *to, size_t size)
{
	bool cut = format_columns(text) > columns;
	unsigned room = cut && columns >= 3 ? columns - 3 : columns, used = 0;
	size_t at = 0;

	for (size_t length; *text != '\0'; text += length) {
		uint32_t character = next_character(text, &length);
		unsigned wants = columns_of(character);
		bool harmful = is_control(character);
		size_t bytes = harmful ? 1 : length;
		if (used + wants > room || at + bytes + sizeof("...") > size)
			break;
		if (harmful)
			to[at] = '?';
		else
			memcpy(to + at, text, bytes);
		at += bytes;
		used += wants;
	}
	if (cut && columns >= 3 && at + sizeof("...") <= size) {
		memcpy(to + at, "...", 3);
		at += 3;
	}
	to[at] = '\0';
}

void format_harmless(char *text)
{
	for (size_t length; *text != '\0'; text += length) {
		uint32_t character = next_character(text, &length);
		if (is_control(character) && character != '\n')
			memset(text, '?', length);
	}
}

/* --- errors --- */

void format_error(const struct ferry_error *error, char to[FORMAT_ERROR_BYTES_MAX])
{
	char native[sizeof(error->source) + 32] = "";

	if (error->source[0] != '\0')
		text_display(native, sizeof(native), "; %s %" PRId64, error->source, error->code);
	text_display(to, FORMAT_ERROR_BYTES_MAX, "%s (%s 0x%08" PRIX32 "%s)", error->message, error->name, error->hresult,
	             native);
}

#define WRAP_COLUMNS 100

void format_wrap(const char *text, unsigned indent, char *to, size_t size)
{
	unsigned column = indent;

	to[0] = '\0';
	for (size_t used = 0; *text != '\0' && used < size - 1; used = strlen(to)) {
		int length = (int)strcspn(text, " ");
		char word[256];
		text_display(word, sizeof(word), "%.*s", length, text);
		unsigned columns = format_columns(word);
		if (column > indent && column + 1 + columns > WRAP_COLUMNS) {
			text_display(to + used, size - used, "\n%*s%s", (int)indent, "", word);
			column = indent + columns;
		} else {
			text_display(to + used, size - used, "%s%s", column > indent ? " " : "", word);
			column += columns + (column > indent);
		}
		text += length;
		text += strspn(text, " ");
	}
}
