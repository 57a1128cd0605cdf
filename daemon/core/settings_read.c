/* core/settings: a text, key by key.  What is wrong is noted, and the rest read, so that all of it is told at once. */
#include "core/settings_private.h"

#include <inttypes.h>
#include <string.h>

#include "core/nearest.h"
#include "core/proxy.h"
#include "core/rate.h"
#include "core/trust.h"

#define REASON_BYTES_MAX 512

struct reading {
	const struct settings_source *source;
	const struct json_document *document;
	struct settings *settings;
	struct settings_errors *errors;
};

/* --- what is wrong, and where --- */

static void refuse(const struct reading *reading, struct json at, const char *reason)
{
	char line[DESTINATION_BYTES_MAX + REASON_BYTES_MAX];
	uint32_t row, column;

	/* A policy has no lines. */
	if (reading->source->layer != SETTINGS_POLICY && reading->errors->count < SETTINGS_ERRORS_MAX &&
	    json_position(reading->document, at, &row, &column))
		text_display(line, sizeof(line), "%s: line %" PRIu32 ", column %" PRIu32 ": %s", reading->source->path, row, column,
		             reason);
	else
		text_display(line, sizeof(line), "%s: %s", reading->source->path, reason);
	settings_error(reading->errors, line);
}

/* A known key in the wrong group counts as nearly right: people remember names better than groups. */
static size_t key_distance(const struct setting *key, const char *given)
{
	char known[2 * SETTING_KEY_BYTES_MAX];
	const char *name = strchr(given, '.');

	text_display(known, sizeof(known), "%s.%s", key->group, key->name);
	size_t whole = nearest_distance(known, given);
	size_t alone = nearest_distance(key->name, name != NULL ? name + 1 : given) + 1;
	return whole < alone ? whole : alone;
}

static void refuse_key(const struct reading *reading, struct json at, const char *given)
{
	char reason[REASON_BYTES_MAX];
	const struct setting *nearest = &setting_table[0];
	size_t least = SIZE_MAX;

	for (size_t i = 0; i < SETTING_COUNT; i++) {
		size_t distance = key_distance(&setting_table[i], given);
		if (distance < least) {
			least = distance;
			nearest = &setting_table[i];
		}
	}
	text_display(reason, sizeof(reason), "%s: there is no such key; the nearest is %s.%s", given, nearest->group,
	             nearest->name);
	refuse(reading, at, reason);
}

static void refuse_group(const struct reading *reading, struct json at, struct text_view given)
{
	char name[SETTING_KEY_BYTES_MAX], reason[REASON_BYTES_MAX];
	const char *nearest = setting_table[0].group;
	size_t least = SIZE_MAX;

	nearest_show(name, given);
	for (size_t i = 0; i < SETTING_COUNT; i++) {
		size_t distance = nearest_distance(setting_table[i].group, name);
		if (distance < least) {
			least = distance;
			nearest = setting_table[i].group;
		}
	}
	text_display(reason, sizeof(reason), "%s: there is no such group of keys; the nearest is %s", name, nearest);
	refuse(reading, at, reason);
}

/* "path: what stands there is not what is allowed".  Secrets do not belong here, but proxies get them written into them. */
static void refuse_value(const struct reading *reading, struct json value, const char *allowed, bool quoted)
{
	char written[SETTING_KEY_BYTES_MAX], reason[REASON_BYTES_MAX];

	nearest_show(written, json_written(reading->document, value));
	text_display(reason, sizeof(reason), "%s: %s%s%s", value.path, quoted ? written : "", quoted ? " " : "", allowed);
	refuse(reading, value, reason);
}

/* --- values --- */

static bool read_number(const struct reading *reading, const struct setting *key, struct json value)
{
	char allowed[REASON_BYTES_MAX];
	uint64_t number;

	if (json_get_u64(value, key->minimum, key->maximum, &number, NULL) == RESULT_OK) {
		setting_set(reading->settings, key, number);
		return true;
	}
	text_display(allowed, sizeof(allowed), "is not a whole number from %" PRIu64 " to %" PRIu64, key->minimum, key->maximum);
	refuse_value(reading, value, allowed, true);
	return false;
}

static bool read_who(const struct reading *reading, const struct setting *key, struct json value)
{
	struct text_view text;

	for (uint64_t who = 0; who <= JOB_PRIORITY_COUNT; who++)
		if (json_get_text(value, SETTING_KEY_BYTES_MAX, &text, NULL) == RESULT_OK && text_is(text, setting_who_names[who])) {
			setting_set(reading->settings, key, who);
			return true;
		}
	refuse_value(reading, value, "is none of \"all\", \"normal\", \"high\", \"foreground\" and \"none\"", true);
	return false;
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
	enum auth_scheme answer;
	unsigned scheme;

	switch (item) {
	case SETTING_OWNER: return wrong_owner(text);
	case SETTING_FOLDER: return wrong_folder(text);
	case SETTING_LOCAL_FOLDER: return begins_with(text, "\\\\", &what) ? "must be on this machine" : wrong_folder(text);
	case SETTING_HOST:
		return host_pattern_is_valid(text) ? NULL : "must be a host without port, \"*.\" and a domain, or \"*\"";
	case SETTING_CA_FILE:
		return trust_split(text, &host, &what) ? wrong_folder(what) : "must be a host without port, a space, and a path";
	case SETTING_PIN:
		return trust_split(text, &host, &what) && trust_are_pins(what)
		               ? NULL
		               : "must be a host without port, a space, and sha256//BASE64, several joined by ';'";
	case SETTING_SCHEME: return allow_scheme_from_name(text, &scheme) ? NULL : "must be \"http\", \"https\" or \"share\"";
	case SETTING_AUTH_SCHEME:
		return auth_scheme_from_name(text, &answer) ? NULL : "must be \"basic\", \"digest\", \"ntlm\" or \"negotiate\"";
	case SETTING_URL: return allow_prefix_check(text, fault) == RESULT_OK ? NULL : fault->what;
	case SETTING_PROXY: return proxy_rule_parse(text, &proxy, fault) == RESULT_OK ? NULL : fault->what;
	case SETTING_RATE: return rate_parse(text, &rule, fault) == RESULT_OK ? NULL : fault->what;
	}
	return NULL;
}

static bool read_item(const struct reading *reading, const struct setting *key, struct json value, uint32_t index)
{
	char reason[REASON_BYTES_MAX];
	struct fault wrong = { .result = RESULT_OK };
	struct text_view text;

	if (json_get_text(value, key->bytes_max, &text, &wrong) != RESULT_OK) {
		refuse(reading, value, wrong.what); /* which has the path */
		return false;
	}
	const char *why = text_has_control(text) ? "must not contain control characters" : wrong_item(key->item, text, &wrong);
	for (uint32_t i = 0; i < index && !why; i++)
		if (text_is(text, setting_item(reading->settings, key, i)))
			why = "stands there twice";
	if (!why)
		return text_copy((char *)reading->settings + setting_item_offset(key, index), key->bytes_max + 1, text) == RESULT_OK;
	text_display(reason, sizeof(reason), "%s", why);
	refuse_value(reading, value, reason, key->item != SETTING_PROXY);
	return false;
}

static bool read_list(const struct reading *reading, const struct setting *key, struct json value)
{
	char allowed[REASON_BYTES_MAX];
	size_t count = json_length(value);
	uint32_t good = 0;

	if (!json_is_array(value)) {
		refuse_value(reading, value, "is not a list: [\"...\", ...]", key->item != SETTING_PROXY);
		return false;
	}
	if (count > key->count_max) {
		text_display(allowed, sizeof(allowed), "has %zu entries, of at most %" PRIu32, count, key->count_max);
		refuse_value(reading, value, allowed, false);
		return false;
	}
	for (uint32_t i = 0; i < count; i++)
		good += read_item(reading, key, json_at(value, i), good);
	setting_set_count(reading->settings, key, good);
	return good == count;
}

static void read_value(const struct reading *reading, const char *name, struct json value)
{
	const struct settings_source *source = reading->source;
	struct setting_origin *origin;
	uint32_t column;
	size_t i = 0;
	bool good;

	for (; i < SETTING_COUNT; i++) {
		size_t length = strlen(setting_table[i].group);
		if (strncmp(name, setting_table[i].group, length) == 0 && name[length] == '.' &&
		    strcmp(name + length + 1, setting_table[i].name) == 0)
			break;
	}
	if (i == SETTING_COUNT) {
		refuse_key(reading, value, name);
		return;
	}
	good = setting_table[i].count_max > 0 ? read_list(reading, &setting_table[i], value) :
	       setting_table[i].is_who        ? read_who(reading, &setting_table[i], value) :
	                                        read_number(reading, &setting_table[i], value);
	if (!good)
		return;
	origin = &reading->settings->origins[i];
	*origin = (struct setting_origin){ .layer = source->layer };
	text_display(origin->source, sizeof(origin->source), "%s", source->layer == SETTINGS_POLICY ? name : source->name);
	if (source->layer != SETTINGS_POLICY)
		(void)!json_position(reading->document, value, &origin->line, &column);
}

/* --- the whole --- */

static const char *known_group(struct text_view name)
{
	for (size_t i = 0; i < SETTING_COUNT; i++)
		if (text_is(name, setting_table[i].group))
			return setting_table[i].group;
	return NULL;
}

/* `group` "": the names are "group.name". */
static void read_group(const struct reading *reading, const char *group, struct json members)
{
	if (!json_is_object(members)) {
		refuse_value(reading, members, "is not an object: { \"key\": value }", true);
		return;
	}
	for (size_t i = 0; i < json_length(members) && reading->errors->count < SETTINGS_ERRORS_MAX; i++) {
		char given[SETTING_KEY_BYTES_MAX], name[2 * SETTING_KEY_BYTES_MAX];
		struct text_view member;
		struct json value = json_key_at(members, i, &member);

		nearest_show(given, member);
		text_display(name, sizeof(name), "%s%s%s", group, group[0] != '\0' ? "." : "", given);
		read_value(reading, name, value);
	}
}

static void read_groups(const struct reading *reading, struct json root)
{
	for (size_t i = 0; i < json_length(root) && reading->errors->count < SETTINGS_ERRORS_MAX; i++) {
		struct text_view name;
		struct json members = json_key_at(root, i, &name);
		const char *group = known_group(name);

		if (group)
			read_group(reading, group, members);
		else
			refuse_group(reading, members, name);
	}
}

enum result settings_read(struct text_view text, const struct settings_source *source, struct settings *settings,
                          struct settings_errors *errors)
{
	AUTO(json_document) struct json_document *document = NULL;
	struct reading reading = { source, NULL, settings, errors };
	struct fault malformed = { .result = RESULT_OK };
	uint32_t before = errors->count;
	enum result result = json_parse(text, JSON_CONFIG, &document, &malformed);

	if (result != RESULT_OK) {
		refuse(&reading, (struct json){ .value = NULL }, malformed.what);
		return result == RESULT_NO_MEMORY ? result : RESULT_BAD_SETTING;
	}
	reading.document = document;
	struct json root = json_root(document);
	if (!json_is_object(root))
		refuse(&reading, root, "the configuration must be one object: { \"group\": { \"key\": value } }");
	else if (source->layer == SETTINGS_POLICY)
		read_group(&reading, "", root);
	else
		read_groups(&reading, root);
	return errors->count == before && before < SETTINGS_ERRORS_MAX ? RESULT_OK : RESULT_BAD_SETTING;
}
