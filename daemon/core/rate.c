#include "core/rate.h"

#include <string.h>

#define DAY_MINUTES 1440u

static const char *const class_names[RATE_CLASS_COUNT] = { "all", "foreground", "background", "high", "normal", "low" };

/* --- reading a rule --- */

static enum result refuse(struct fault *fault, const char *why)
{
	return fault_set(fault, RESULT_INVALID_ARGUMENT, FAULT_FERRY, 0, "%s", why);
}

/* What stands before the next `end`, which is passed over; all of it where there is none. */
static struct text_view cut(struct text_view *rest, char end)
{
	const char *at = rest->length > 0 ? memchr(rest->bytes, end, rest->length) : NULL;
	size_t length = at != NULL ? (size_t)(at - rest->bytes) : rest->length, passed = at != NULL ? length + 1 : length;
	struct text_view word = { rest->bytes, length };

	rest->bytes += passed;
	rest->length -= passed;
	return word;
}

static bool read_number(struct text_view text, uint64_t maximum, uint64_t *ret_number)
{
	uint64_t number = 0;

	for (size_t i = 0; i < text.length; i++) {
		if (text.bytes[i] < '0' || text.bytes[i] > '9')
			return false;
		number = number * 10 + (uint64_t)(text.bytes[i] - '0');
		if (number > maximum)
			return false;
	}
	*ret_number = number;
	return text.length > 0;
}

static bool read_day(struct text_view text, unsigned *ret_day)
{
	static const char *const names[] = { "mon", "tue", "wed", "thu", "fri", "sat", "sun" };

	for (*ret_day = 0; *ret_day < 7; ++*ret_day)
		if (text_is(text, names[*ret_day]))
			return true;
	return false;
}

/* "mon-fri,sun"; a range may go over the end of the week. */
static bool read_days(struct text_view text, uint8_t *ret_days)
{
	uint8_t days = 0;

	if (text.length > 0 && text.bytes[text.length - 1] == ',')
		return false;
	while (text.length > 0) {
		struct text_view part = cut(&text, ','), last = part, first = cut(&last, '-');
		unsigned day, end;

		if (!read_day(first, &day) || !read_day(first.length < part.length ? last : first, &end))
			return false;
		days |= (uint8_t)(1u << end);
		for (; day != end; day = (day + 1) % 7)
			days |= (uint8_t)(1u << day);
	}
	*ret_days = days;
	return days != 0;
}

static bool read_time(struct text_view text, uint16_t *ret_minute)
{
	struct text_view minutes = text, hours = cut(&minutes, ':');
	uint64_t hour, minute;

	if (hours.length != 2 || minutes.length != 2 || !read_number(hours, 24, &hour) || !read_number(minutes, 59, &minute))
		return false;
	*ret_minute = (uint16_t)(hour * 60 + minute);
	return *ret_minute <= DAY_MINUTES;
}

static bool read_rate(struct text_view text, uint64_t *ret_per_s)
{
	static const struct {
		const char *name;
		uint64_t factor;
	} units[] = { { "B/s", 1 }, { "kB/s", 1000 }, { "MB/s", 1000000 }, { "GB/s", 1000000000 } };
	size_t digits = 0;
	uint64_t number;

	*ret_per_s = 0;
	if (text_is(text, "off"))
		return true;
	while (digits < text.length && text.bytes[digits] >= '0' && text.bytes[digits] <= '9')
		digits++;
	struct text_view unit = { text.bytes + digits, text.length - digits };
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (text_is(unit, units[i].name) &&
		    read_number((struct text_view){ text.bytes, digits }, RATE_PER_S_MAX / units[i].factor, &number))
			*ret_per_s = number * units[i].factor;
	return *ret_per_s > 0;
}

static enum result read_window(struct text_view days, struct text_view times, struct rate_rule *rule, struct fault *fault)
{
	struct text_view to = times, from = cut(&to, '-');

	if (!read_days(days, &rule->days))
		return refuse(fault, "days are mon to sun, with \"-\" and \",\": mon-fri,sun");
	if (!read_time(from, &rule->from) || !read_time(to, &rule->to) || rule->from == rule->to || rule->from == DAY_MINUTES)
		return refuse(fault, "a time is FROM-TO, from 00:00 to 24:00: 08:00-18:00");
	return RESULT_OK;
}

enum result rate_parse(struct text_view text, struct rate_rule *ret_rule, struct fault *fault)
{
	struct text_view words[4];
	struct rate_rule rule = { .days = 0x7F, .from = 0, .to = DAY_MINUTES, .who = RATE_CLASS_COUNT };
	enum result result = RESULT_OK;
	bool ends_well = text.length > 0 && text.bytes[text.length - 1] != ' ';
	size_t count = 0;

	while (count < 4 && text.length > 0)
		words[count++] = cut(&text, ' ');
	if (!ends_well || text.length > 0 || (count != 2 && count != 4))
		return refuse(fault, "a rule is WHO RATE or DAYS FROM-TO WHO RATE, with one blank between");
	if (count == 4)
		result = read_window(words[0], words[1], &rule, fault);
	if (result != RESULT_OK)
		return result;
	for (int who = 0; who < RATE_CLASS_COUNT; who++)
		if (text_is(words[count - 2], class_names[who]))
			rule.who = (enum rate_class)who;
	if (rule.who == RATE_CLASS_COUNT)
		return refuse(fault, "who is limited is all, foreground, background, high, normal or low");
	if (!read_rate(words[count - 1], &rule.per_s))
		return refuse(fault, "a rate is off, or up to 1000GB/s: 500kB/s, 2MB/s");
	*ret_rule = rule;
	return RESULT_OK;
}

/* --- what holds when --- */

static bool holds(const struct rate_rule *rule, uint32_t minute)
{
	uint32_t day = minute / DAY_MINUTES, at = minute % DAY_MINUTES, before = (day + 6) % 7;
	bool today = (rule->days & 1u << day) != 0, yesterday = (rule->days & 1u << before) != 0;

	if (rule->from < rule->to)
		return today && at >= rule->from && at < rule->to;
	return (today && at >= rule->from) || (yesterday && at < rule->to);
}

struct rate_limits rate_at(const struct rate_rule *rules, size_t count, uint32_t minute)
{
	struct rate_limits limits;

	for (int who = 0; who < RATE_CLASS_COUNT; who++)
		limits.per_s[who] = RATE_UNLIMITED;
	for (size_t i = 0; i < count; i++)
		if (holds(&rules[i], minute) && rules[i].per_s < limits.per_s[rules[i].who])
			limits.per_s[rules[i].who] = rules[i].per_s;
	return limits;
}

uint32_t rate_next_change(const struct rate_rule *rules, size_t count, uint32_t minute)
{
	for (uint32_t ahead = 1; ahead < RATE_WEEK_MINUTES; ahead++)
		for (size_t i = 0; i < count; i++)
			if (holds(&rules[i], (minute + ahead) % RATE_WEEK_MINUTES) != holds(&rules[i], minute))
				return ahead;
	return RATE_WEEK_MINUTES;
}

bool rate_has_windows(const struct rate_rule *rules, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (rules[i].days != 0x7F || rules[i].from != 0 || rules[i].to != DAY_MINUTES)
			return true;
	return false;
}

/* --- who is limited by what --- */

void rate_classes(enum job_priority priority, enum rate_class ret_classes[RATE_CLASSES_OF_JOB])
{
	static const enum rate_class own[JOB_PRIORITY_COUNT] = { RATE_FOREGROUND, RATE_HIGH, RATE_NORMAL, RATE_LOW };

	ret_classes[0] = RATE_ALL;
	ret_classes[1] = priority == JOB_FOREGROUND ? RATE_FOREGROUND : RATE_BACKGROUND;
	ret_classes[2] = own[priority];
}

bool rate_is_off(const struct rate_limits *limits, enum job_priority priority)
{
	enum rate_class classes[RATE_CLASSES_OF_JOB];

	rate_classes(priority, classes);
	for (unsigned i = 0; i < RATE_CLASSES_OF_JOB; i++)
		if (limits->per_s[classes[i]] == 0)
			return true;
	return false;
}

uint32_t rate_off_for(const struct rate_rule *rules, size_t count, uint32_t minute, enum job_priority priority)
{
	for (uint32_t ahead = 0; ahead < RATE_WEEK_MINUTES; ahead++) {
		struct rate_limits limits = rate_at(rules, count, (minute + ahead) % RATE_WEEK_MINUTES);

		if (!rate_is_off(&limits, priority))
			return ahead;
	}
	return 0;
}

int64_t rate_spend(int64_t *free_us, uint64_t per_s, uint64_t bytes, int64_t now_us)
{
	if (per_s == RATE_UNLIMITED)
		return 0;
	if (per_s == 0)
		return RATE_OFF_US;
	int64_t from_us = *free_us > now_us - RATE_BURST_US ? *free_us : now_us - RATE_BURST_US;

	*free_us = from_us + (int64_t)(bytes * 1000000 / per_s);
	return *free_us > now_us ? *free_us - now_us : 0;
}
