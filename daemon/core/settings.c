#include "core/settings.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#include "core/proxy.h"
#include "core/rate.h"
#include "core/trust.h"

/* What a configuration's key may weigh in the search for a similar one; longer keys are compared by their beginning. */
#define KEY_BYTES_MAX 64
#define REASON_BYTES_MAX 256

static const struct key {
	const char *group, *name;
	uint64_t minimum, standard, maximum;
	size_t offset;
	/* Of a list: */
	uint32_t count_max; /* 0: it is none */
	size_t bytes_max;
	enum setting_item item;
	bool is_who, at_start;
} keys[] = {
#define SETTING(group, name, minimum, standard, maximum, why) \
	{ #group, #name, minimum, standard, maximum, offsetof(struct settings, group##_##name), 0, 0, SETTING_OWNER, false, false },
#define SETTING_AT_START(group, name, minimum, standard, maximum, why) \
	{ #group, #name, minimum, standard, maximum, offsetof(struct settings, group##_##name), 0, 0, SETTING_OWNER, false, true },
#define SETTING_WHO(group, name, standard, why) \
	{ #group, #name, 0, standard, 0, offsetof(struct settings, group##_##name), 0, 0, SETTING_OWNER, true, false },
#define SETTING_LIST(group, name, item, count_max, bytes_max, why) \
	{ #group, #name, 0, 0, 0, offsetof(struct settings, group##_##name), count_max, bytes_max, SETTING_##item, false, false },
#include "core/settings.def"
#undef SETTING
#undef SETTING_WHO
#undef SETTING_LIST
};
#define KEY_COUNT (sizeof(keys) / sizeof(keys[0]))

static const char *const who_names[JOB_PRIORITY_COUNT + 1] = { "none", "foreground", "high", "normal", "all" };

/* Every list begins with its count, and its items follow at once. */
static size_t item_offset(const struct key *key, uint32_t index)
{
	return key->offset + sizeof(uint32_t) + index * (key->bytes_max + 1);
}

static char *list_item(struct settings *settings, const struct key *key, uint32_t index)
{
	return (char *)settings + item_offset(key, index);
}

static uint32_t count_of(const struct settings *settings, const struct key *key)
{
	uint32_t count;

	memcpy(&count, (const char *)settings + key->offset, sizeof(count));
	return count;
}

static uint64_t number_of(const struct settings *settings, const struct key *key)
{
	uint64_t number;

	memcpy(&number, (const char *)settings + key->offset, sizeof(number));
	return number;
}

static void set_count(struct settings *settings, const struct key *key, uint32_t count)
{
	memcpy((char *)settings + key->offset, &count, sizeof(count));
}

static void set(struct settings *settings, const struct key *key, uint64_t number)
{
	memcpy((char *)settings + key->offset, &number, sizeof(number));
}

void settings_default(struct settings *settings)
{
	for (size_t i = 0; i < KEY_COUNT; i++) {
		if (keys[i].count_max > 0)
			set_count(settings, &keys[i], 0);
		else
			set(settings, &keys[i], keys[i].standard);
	}
}

/* --- what is wrong, and where --- */

static enum result refuse(const struct json_document *document, struct json at, const char *reason,
                          struct fault *fault)
{
	uint32_t line, column;
	if (json_position(document, at, &line, &column))
		return fault_set(fault, RESULT_BAD_SETTING, FAULT_FERRY, 0,
		                 "line %" PRIu32 ", column %" PRIu32 ": %s", line, column, reason);
	return fault_set(fault, RESULT_BAD_SETTING, FAULT_FERRY, 0, "%s", reason);
}

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Levenshtein's distance, one row at a time. */
static size_t edit_distance(const char *a, const char *b)
{
	size_t a_length = smaller(strlen(a), KEY_BYTES_MAX);
	size_t b_length = smaller(strlen(b), KEY_BYTES_MAX);
	size_t row[KEY_BYTES_MAX + 1];

	for (size_t j = 0; j <= b_length; j++)
		row[j] = j;
	for (size_t i = 1; i <= a_length; i++) {
		size_t diagonal = row[0];
		row[0] = i;
		for (size_t j = 1; j <= b_length; j++) {
			size_t changed = diagonal + (a[i - 1] != b[j - 1]);
			diagonal = row[j];
			row[j] = smaller(changed, smaller(row[j], row[j - 1]) + 1);
		}
	}
	return row[b_length];
}

/* What somebody wrote, fit for one line of a log. */
static void show_name(char to[KEY_BYTES_MAX], struct text_view given)
{
	text_display(to, KEY_BYTES_MAX, "%.*s", (int)smaller(given.length, KEY_BYTES_MAX), given.bytes);
	for (; *to; to++)
		if (text_has_control((struct text_view){ to, 1 }))
			*to = '?';
}

/* A known key in the wrong group counts as nearly right: people remember names better than groups. */
static size_t key_distance(const struct key *key, const char *group, const char *name)
{
	char known[2 * KEY_BYTES_MAX], given[2 * KEY_BYTES_MAX];
	text_display(known, sizeof(known), "%s.%s", key->group, key->name);
	text_display(given, sizeof(given), "%s.%s", group, name);
	return smaller(edit_distance(known, given), edit_distance(key->name, name) + 1);
}

static enum result refuse_key(const struct json_document *document, struct json at, const char *group,
                              struct text_view given, struct fault *fault)
{
	char name[KEY_BYTES_MAX], reason[REASON_BYTES_MAX];
	const struct key *nearest = &keys[0];
	size_t least = SIZE_MAX;

	show_name(name, given);
	for (size_t i = 0; i < KEY_COUNT; i++) {
		size_t distance = key_distance(&keys[i], group, name);
		if (distance < least) {
			least = distance;
			nearest = &keys[i];
		}
	}
	text_display(reason, sizeof(reason), "%s.%s: there is no such key; the nearest is %s.%s", group, name,
	             nearest->group, nearest->name);
	return refuse(document, at, reason, fault);
}

static enum result refuse_group(const struct json_document *document, struct json at, struct text_view given,
                                struct fault *fault)
{
	char name[KEY_BYTES_MAX], reason[REASON_BYTES_MAX];
	const char *nearest = keys[0].group;
	size_t least = SIZE_MAX;

	show_name(name, given);
	for (size_t i = 0; i < KEY_COUNT; i++) {
		size_t distance = edit_distance(keys[i].group, name);
		if (distance < least) {
			least = distance;
			nearest = keys[i].group;
		}
	}
	text_display(reason, sizeof(reason), "%s: there is no such group of keys; the nearest is %s", name, nearest);
	return refuse(document, at, reason, fault);
}

/* --- reading --- */

static enum result read_number(const struct json_document *document, const struct key *key, struct json value,
                               struct settings *settings, struct fault *fault)
{
	struct fault wrong = { .result = RESULT_OK };
	uint64_t number;

	if (json_get_u64(value, key->minimum, key->maximum, &number, &wrong) != RESULT_OK)
		return refuse(document, value, wrong.what, fault);
	set(settings, key, number);
	return RESULT_OK;
}

static enum result read_who(const struct json_document *document, const struct key *key, struct json value,
                            struct settings *settings, struct fault *fault)
{
	char reason[REASON_BYTES_MAX];
	struct text_view text;

	for (uint64_t who = 0; who <= JOB_PRIORITY_COUNT; who++)
		if (json_get_text(value, KEY_BYTES_MAX, &text, NULL) == RESULT_OK && text_is(text, who_names[who])) {
			set(settings, key, who);
			return RESULT_OK;
		}
	text_display(reason, sizeof(reason), "%s: must be \"all\", \"normal\", \"high\", \"foreground\" or \"none\"", value.path);
	return refuse(document, value, reason, fault);
}

static bool all_of(struct text_view text, const char *characters)
{
	for (size_t i = 0; i < text.length; i++)
		if (text.bytes[i] == '\0' || !strchr(characters, text.bytes[i]))
			return false;
	return text.length > 0;
}

static bool begins_with(struct text_view text, const char *beginning, struct text_view *ret_rest)
{
	size_t length = strlen(beginning);
	if (text.length < length || memcmp(text.bytes, beginning, length) != 0)
		return false;
	*ret_rest = (struct text_view){ text.bytes + length, text.length - length };
	return true;
}

static const char *wrong_owner(struct text_view text)
{
	struct text_view rest;
	bool good = (begins_with(text, "S-1-", &rest) && all_of(rest, "0123456789-+S")) ||
	            (begins_with(text, "uid:", &rest) && all_of(rest, "0123456789"));
	return good ? NULL : "must be a SID, S-1-5-...";
}

/* That it is a folder's path by all rules is destination's to say; here a relative one is a slip, which would match nothing. */
static const char *wrong_folder(struct text_view text)
{
	struct text_view rest;
	bool good = begins_with(text, "/", &rest) || begins_with(text, "\\\\", &rest) ||
	            (text.length >= 3 && text.bytes[1] == ':' && text.bytes[2] == '\\');
	char last = text.length > 0 ? text.bytes[text.length - 1] : '\0';
	if (!good)
		return "must be an absolute path";
	return last == '\\' || last == '/' ? "must not end in a separator" : NULL;
}

/* NULL: nothing; what it says may lie in `fault`. */
static const char *wrong_item(enum setting_item item, struct text_view text, struct fault *fault)
{
	struct rate_rule rule;
	struct proxy_rule proxy;
	struct text_view host, what;

	switch (item) {
	case SETTING_OWNER: return wrong_owner(text);
	case SETTING_FOLDER: return wrong_folder(text);
	case SETTING_HOST:
		return host_pattern_is_valid(text) ? NULL : "must be a host without port, \"*.\" and a domain, or \"*\"";
	case SETTING_CA_FILE:
		return trust_split(text, &host, &what) ? wrong_folder(what) : "must be a host without port, a space, and a path";
	case SETTING_PIN:
		return trust_split(text, &host, &what) && trust_are_pins(what)
		               ? NULL
		               : "must be a host without port, a space, and sha256//BASE64, several joined by ';'";
	case SETTING_PROXY: return proxy_rule_parse(text, &proxy, fault) == RESULT_OK ? NULL : fault->what;
	case SETTING_RATE: return rate_parse(text, &rule, fault) == RESULT_OK ? NULL : fault->what;
	}
	return NULL;
}

static enum result read_item(const struct json_document *document, const struct key *key, struct json value, uint32_t index,
                             struct settings *settings, struct fault *fault)
{
	char reason[REASON_BYTES_MAX];
	struct fault wrong = { .result = RESULT_OK };
	struct text_view text;

	if (json_get_text(value, key->bytes_max, &text, &wrong) != RESULT_OK)
		return refuse(document, value, wrong.what, fault);
	const char *why = text_has_control(text) ? "must not contain control characters" : wrong_item(key->item, text, &wrong);
	for (uint32_t i = 0; i < index && !why; i++)
		if (text_is(text, list_item(settings, key, i)))
			why = "stands there twice";
	if (!why)
		return text_copy(list_item(settings, key, index), key->bytes_max + 1, text);
	text_display(reason, sizeof(reason), "%s: %s", value.path, why);
	return refuse(document, value, reason, fault);
}

static enum result read_list(const struct json_document *document, const struct key *key, struct json value,
                             struct settings *settings, struct fault *fault)
{
	char reason[REASON_BYTES_MAX];
	size_t count = json_length(value);

	if (!json_is_array(value)) {
		text_display(reason, sizeof(reason), "%s: must be a list: [\"...\", ...]", value.path);
		return refuse(document, value, reason, fault);
	}
	if (count > key->count_max) {
		text_display(reason, sizeof(reason), "%s: has more than %" PRIu32 " entries", value.path, key->count_max);
		return refuse(document, value, reason, fault);
	}
	for (uint32_t i = 0; i < count; i++) {
		enum result result = read_item(document, key, json_at(value, i), i, settings, fault);
		if (result != RESULT_OK)
			return result;
	}
	set_count(settings, key, (uint32_t)count);
	return RESULT_OK;
}

static enum result read_group(const struct json_document *document, const char *group, struct json members,
                              struct settings *settings, struct fault *fault)
{
	if (!json_is_object(members)) {
		char reason[REASON_BYTES_MAX];
		text_display(reason, sizeof(reason), "%s: must be an object: { \"key\": value }", group);
		return refuse(document, members, reason, fault);
	}
	for (size_t i = 0; i < json_length(members); i++) {
		struct text_view name;
		struct json value = json_key_at(members, i, &name);
		const struct key *key = NULL;
		for (size_t k = 0; k < KEY_COUNT && !key; k++)
			if (strcmp(keys[k].group, group) == 0 && text_is(name, keys[k].name))
				key = &keys[k];
		if (!key)
			return refuse_key(document, value, group, name, fault);
		enum result result = key->count_max > 0 ? read_list(document, key, value, settings, fault) :
		                     key->is_who        ? read_who(document, key, value, settings, fault) :
		                                          read_number(document, key, value, settings, fault);
		if (result != RESULT_OK)
			return result;
	}
	return RESULT_OK;
}

static const char *known_group(struct text_view name)
{
	for (size_t i = 0; i < KEY_COUNT; i++)
		if (text_is(name, keys[i].group))
			return keys[i].group;
	return NULL;
}

enum result settings_parse(struct text_view text, struct settings *settings, struct fault *fault)
{
	AUTO(json_document) struct json_document *document = NULL;
	struct fault malformed = { .result = RESULT_OK };
	struct settings read = *settings;

	enum result result = json_parse(text, JSON_CONFIG, &document, &malformed);
	if (result == RESULT_NO_MEMORY)
		return fault_set(fault, result, FAULT_FERRY, 0, "read the configuration");
	if (result != RESULT_OK)
		return fault_set(fault, RESULT_BAD_SETTING, FAULT_FERRY, 0, "%s", malformed.what);

	struct json root = json_root(document);
	if (!json_is_object(root))
		return refuse(document, root, "the configuration must be one object: { \"group\": { \"key\": value } }",
		              fault);
	for (size_t i = 0; i < json_length(root); i++) {
		struct text_view name;
		struct json members = json_key_at(root, i, &name);
		const char *group = known_group(name);
		if (!group)
			return refuse_group(document, members, name, fault);
		result = read_group(document, group, members, &read, fault);
		if (result != RESULT_OK)
			return result;
	}
	*settings = read;
	return RESULT_OK;
}

/* --- what differs --- */

#define MORE ", ..."

static bool is_same(const struct settings *a, const struct settings *b, const struct key *key)
{
	if (key->count_max == 0)
		return number_of(a, key) == number_of(b, key);
	if (count_of(a, key) != count_of(b, key))
		return false;
	for (uint32_t i = 0; i < count_of(a, key); i++)
		if (strcmp((const char *)a + item_offset(key, i), (const char *)b + item_offset(key, i)) != 0)
			return false;
	return true;
}

/* As many as there is room for. */
static void add_change(char to[SETTINGS_CHANGE_BYTES_MAX], const char *text)
{
	size_t length = strlen(to), more = strlen(MORE);

	if (length >= more && strcmp(to + length - more, MORE) == 0)
		return;
	if (length + strlen(text) + 2 + more >= SETTINGS_CHANGE_BYTES_MAX)
		text = &MORE[2];
	text_display(to + length, SETTINGS_CHANGE_BYTES_MAX - length, "%s%s", length > 0 ? ", " : "", text);
}

static void describe(char to[REASON_BYTES_MAX], const struct key *key, const struct settings *old, const struct settings *new)
{
	if (key->count_max > 0 && count_of(old, key) == count_of(new, key))
		text_display(to, REASON_BYTES_MAX, "%s.%s other entries", key->group, key->name);
	else if (key->count_max > 0)
		text_display(to, REASON_BYTES_MAX, "%s.%s %" PRIu32 " -> %" PRIu32 " entries", key->group, key->name,
		             count_of(old, key), count_of(new, key));
	else if (key->is_who)
		text_display(to, REASON_BYTES_MAX, "%s.%s %s -> %s", key->group, key->name, who_names[number_of(old, key)],
		             who_names[number_of(new, key)]);
	else
		text_display(to, REASON_BYTES_MAX, "%s.%s %" PRIu64 " -> %" PRIu64, key->group, key->name, number_of(old, key),
		             number_of(new, key));
}

void settings_take(struct settings *settings, const struct settings *wanted, struct settings_change *ret_change)
{
	char text[REASON_BYTES_MAX];

	ret_change->now[0] = ret_change->later[0] = '\0';
	for (size_t i = 0; i < KEY_COUNT; i++) {
		const struct key *key = &keys[i];

		if (is_same(settings, wanted, key))
			continue;
		describe(text, key, settings, wanted);
		add_change(key->at_start ? ret_change->later : ret_change->now, text);
		if (!key->at_start)
			memcpy((char *)settings + key->offset, (const char *)wanted + key->offset,
			       key->count_max > 0 ? item_offset(key, key->count_max) - key->offset : sizeof(uint64_t));
	}
	if (ret_change->now[0] == '\0')
		add_change(ret_change->now, "nothing");
	if (ret_change->later[0] == '\0')
		add_change(ret_change->later, "nothing");
}
