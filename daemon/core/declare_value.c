/* core/declare: what is wrong in a file of jobs.d, and where; its small values, and moments. */
#include "core/declare_private.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/nearest.h"

#define REASON_BYTES_MAX 512

/* --- what is wrong, and where --- */

void declare_refuse(const struct reading *reading, struct json at, const char *reason)
{
	char line[DESTINATION_BYTES_MAX + REASON_BYTES_MAX];
	uint32_t row, column;

	if (reading->errors->count < SETTINGS_ERRORS_MAX && json_position(reading->document, at, &row, &column))
		text_display(line, sizeof(line), "%s: line %" PRIu32 ", column %" PRIu32 ": %s", reading->source, row, column, reason);
	else
		text_display(line, sizeof(line), "%s: %s", reading->source, reason);
	settings_error(reading->errors, line);
}

bool declare_may_hide_a_secret(struct text_view text)
{
	for (size_t i = 0; i < text.length; i++)
		if (strchr("?@", text.bytes[i]) != NULL || (i + 1 < text.length && memcmp(text.bytes + i, "//", 2) == 0) ||
		    (i + 1 < text.length && text.bytes[i] == '\\' && strchr("/u", text.bytes[i + 1]) != NULL))
			return true;
	return false;
}

/* "path: what stands there is not what is allowed". */
void declare_refuse_value(const struct reading *reading, struct json value, const char *allowed)
{
	char written[NEAREST_BYTES_MAX], reason[REASON_BYTES_MAX];
	struct text_view text = json_written(reading->document, value);

	if (declare_may_hide_a_secret(text))
		text = text_view("what stands there (not shown, it may have a secret in it)");
	nearest_show(written, text);
	text_display(reason, sizeof(reason), "%s: %s %s", value.path[0] != '\0' ? value.path : "the whole", written, allowed);
	declare_refuse(reading, value, reason);
}

/* The same of what may have a secret in it, and is not shown. */
void declare_refuse_unseen(const struct reading *reading, struct json value, const char *why)
{
	char reason[REASON_BYTES_MAX];

	text_display(reason, sizeof(reason), "%s: %s", value.path[0] != '\0' ? value.path : "the whole", why);
	declare_refuse(reading, value, reason);
}

void declare_refuse_missing(const struct reading *reading, struct json object, const char *name)
{
	char reason[REASON_BYTES_MAX];

	text_display(reason, sizeof(reason), "%s%s%s: is missing", object.path, object.path[0] != '\0' ? "." : "", name);
	declare_refuse(reading, object, reason);
}

static void refuse_key(const struct reading *reading, struct json at, struct text_view given, const char *const *known)
{
	char name[NEAREST_BYTES_MAX], reason[REASON_BYTES_MAX];
	const char *nearest = known[0];

	if (declare_may_hide_a_secret(given)) {
		text_display(reason, sizeof(reason), "a key that is none (not shown, it may have a secret in it)");
		declare_refuse(reading, at, reason);
		return;
	}
	nearest_show(name, given);
	for (size_t i = 1; known[i] != NULL; i++)
		if (nearest_distance(known[i], name) < nearest_distance(nearest, name))
			nearest = known[i];
	text_display(reason, sizeof(reason), "%s: there is no such key; the nearest is %s", at.path, nearest);
	declare_refuse(reading, at, reason);
}

/* Is it an object of no other members? */
bool declare_check_object(const struct reading *reading, struct json object, const char *const *known, const char *allowed)
{
	if (!json_is_object(object)) {
		declare_refuse_unseen(reading, object, allowed); /* a URL, as often as not */
		return false;
	}
	for (size_t i = 0; i < json_length(object); i++) {
		struct text_view name;
		struct json value = json_key_at(object, i, &name);
		size_t j = 0;

		while (known[j] != NULL && !text_is(name, known[j]))
			j++;
		if (known[j] == NULL)
			refuse_key(reading, value, name, known);
	}
	return true;
}

/* --- small values --- */

char *declare_keep_text(struct reading *reading, struct text_view text)
{
	char *kept = malloc(text.length + 1);

	if (kept == NULL) {
		reading->no_memory = true;
		return NULL;
	}
	memcpy(kept, text.bytes, text.length);
	kept[text.length] = '\0';
	return kept;
}

/* The place of a text in the list, which ends with NULL; of that length: it is none of them. */
size_t declare_read_choice(const struct reading *reading, struct json value, const char *const *choices, const char *allowed)
{
	struct text_view text = { .length = 0 };
	bool good = json_get_text(value, NEAREST_BYTES_MAX, &text, NULL) == RESULT_OK;
	size_t i = 0;

	while (choices[i] != NULL && !(good && text_is(text, choices[i])))
		i++;
	if (choices[i] == NULL)
		declare_refuse_value(reading, value, allowed);
	return i;
}

void declare_read_number(const struct reading *reading, struct json value, uint64_t minimum, uint64_t maximum, uint64_t *ret)
{
	char allowed[REASON_BYTES_MAX];

	text_display(allowed, sizeof(allowed), "is not a whole number from %" PRIu64 " to %" PRIu64, minimum, maximum);
	if (json_get_u64(value, minimum, maximum, ret, NULL) != RESULT_OK)
		declare_refuse_value(reading, value, allowed);
}

/* "90s", "30m", "24h", "7d". */
static void read_time(const struct reading *reading, struct json value, uint32_t minimum, uint32_t *ret_s)
{
	static const struct {
		char unit;
		uint32_t seconds;
	} units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 } };
	struct text_view text = { .length = 0 };
	uint64_t number = 0;
	bool good = json_get_text(value, 12, &text, NULL) == RESULT_OK && text.length > 1;

	for (size_t i = 0; good && i + 1 < text.length; i++) {
		good = text.bytes[i] >= '0' && text.bytes[i] <= '9';
		number = number * 10 + (uint64_t)(text.bytes[i] - '0');
	}
	for (size_t i = 0; good && i < sizeof(units) / sizeof(units[0]); i++)
		if (units[i].unit == text.bytes[text.length - 1] && number * units[i].seconds >= minimum &&
		    number * units[i].seconds <= DECLARED_TIME_S_MAX) {
			*ret_s = (uint32_t)(number * units[i].seconds);
			return;
		}
	declare_refuse_value(reading, value, minimum > 0 ? "is not a time from \"60s\" to \"366d\": a number and s, m, h or d"
	                                         : "is not a time up to \"366d\": a number and s, m, h or d");
}

static bool two_digits(const char *at, unsigned below, unsigned *ret)
{
	if (at[0] < '0' || at[0] > '9' || at[1] < '0' || at[1] > '9')
		return false;
	*ret = (unsigned)(at[0] - '0') * 10 + (unsigned)(at[1] - '0');
	return *ret < below;
}

/* "02:00-05:00" */
static void read_window(const struct reading *reading, struct json value)
{
	struct declared_when *when = &reading->job->when;
	struct text_view text = { .length = 0 };
	unsigned hour, minute, to_hour, to_minute;
	bool good = json_get_text(value, 11, &text, NULL) == RESULT_OK && text.length == 11 && text.bytes[2] == ':' &&
	            text.bytes[5] == '-' && text.bytes[8] == ':' && two_digits(text.bytes, 24, &hour) &&
	            two_digits(text.bytes + 3, 60, &minute) && two_digits(text.bytes + 6, 24, &to_hour) &&
	            two_digits(text.bytes + 9, 60, &to_minute);

	if (good) {
		when->from_minute = (uint16_t)(hour * 60 + minute);
		when->to_minute = (uint16_t)(to_hour * 60 + to_minute);
	}
	if (!good || when->from_minute == when->to_minute)
		declare_refuse_value(reading, value, "is not a window, as \"02:00-05:00\", by the machine's own clock");
}

static void read_days(const struct reading *reading, struct json value)
{
	static const char *const names[] = { "mon", "tue", "wed", "thu", "fri", "sat", "sun", NULL };

	if (!json_is_array(value) || json_length(value) == 0) {
		declare_refuse_value(reading, value, "is not a list of days: [\"mon\", ...]");
		return;
	}
	reading->job->when.days = 0;
	for (size_t i = 0; i < json_length(value); i++) {
		size_t day = declare_read_choice(reading, json_at(value, i), names, "is none of mon, tue, wed, thu, fri, sat and sun");

		reading->job->when.days |= (uint8_t)(day < 7 ? 1u << day : 0);
	}
}

/* --- when --- */

void declare_read_when(const struct reading *reading, struct json value)
{
	static const char *const members[] = { "every", "window", "days", NULL };
	static const char *const words[] = { "once", NULL };
	struct declared_when *when = &reading->job->when;
	struct json every = json_member(value, "every"), window = json_member(value, "window"), days = json_member(value, "days");

	if (json_is_string(value)) {
		(void)declare_read_choice(reading, value, words, "is neither \"once\" nor an object with every or window");
		return;
	}
	if (!declare_check_object(reading, value, members, "is neither \"once\" nor an object with every or window"))
		return;
	if ((every.value != NULL) == (window.value != NULL)) {
		declare_refuse_unseen(reading, value, "has to have either every or window");
		return;
	}
	when->kind = every.value != NULL ? DECLARED_EVERY : DECLARED_WINDOW;
	when->days = window.value != NULL ? 0x7F : 0;
	if (every.value != NULL)
		read_time(reading, every, DECLARED_EVERY_S_MIN, &when->every_s);
	else
		read_window(reading, window);
	if (days.value != NULL && window.value == NULL)
		declare_refuse_value(reading, days, "is for a window only");
	else if (days.value != NULL)
		read_days(reading, days);
}

static uint32_t room_s(const struct declared_when *when)
{
	unsigned minutes = (when->to_minute + 1440u - when->from_minute) % 1440u;

	return when->kind == DECLARED_WINDOW ? minutes * 60 : when->kind == DECLARED_EVERY ? when->every_s : DECLARED_TIME_S_MAX;
}

void declare_read_spread(const struct reading *reading, struct json value)
{
	struct declared_when *when = &reading->job->when;
	uint32_t before = reading->errors->count;

	read_time(reading, value, 0, &when->spread_s);
	if (reading->errors->count == before && when->spread_s > room_s(when))
		declare_refuse_value(reading, value, "is longer than the window, or than every");
}
