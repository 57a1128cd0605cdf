#include "core/settings_private.h"

#include <inttypes.h>
#include <string.h>

#define CHANGE_BYTES_MAX 256

const struct setting setting_table[SETTING_COUNT] = {
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

const char *const setting_who_names[JOB_PRIORITY_COUNT + 1] = { "none", "foreground", "high", "normal", "all" };

const char *setting_layer_name(enum setting_layer layer)
{
	static const char *const names[SETTINGS_LAYER_COUNT] = { "built-in", "last-good", "file", "conf.d", "policy" };

	return names[layer];
}

size_t setting_item_offset(const struct setting *key, uint32_t index)
{
	return key->offset + sizeof(uint32_t) + index * (key->bytes_max + 1);
}

const char *setting_item(const struct settings *settings, const struct setting *key, uint32_t index)
{
	return (const char *)settings + setting_item_offset(key, index);
}

static uint32_t count_of(const struct settings *settings, const struct setting *key)
{
	uint32_t count;

	memcpy(&count, (const char *)settings + key->offset, sizeof(count));
	return count;
}

static uint64_t number_of(const struct settings *settings, const struct setting *key)
{
	uint64_t number;

	memcpy(&number, (const char *)settings + key->offset, sizeof(number));
	return number;
}

void setting_set_count(struct settings *settings, const struct setting *key, uint32_t count)
{
	memcpy((char *)settings + key->offset, &count, sizeof(count));
}

void setting_set(struct settings *settings, const struct setting *key, uint64_t number)
{
	memcpy((char *)settings + key->offset, &number, sizeof(number));
}

void settings_default(struct settings *settings)
{
	for (size_t i = 0; i < SETTING_COUNT; i++) {
		if (setting_table[i].count_max > 0)
			setting_set_count(settings, &setting_table[i], 0);
		else
			setting_set(settings, &setting_table[i], setting_table[i].standard);
		settings->origins[i] = (struct setting_origin){ .layer = SETTINGS_BUILT_IN };
	}
}

/* --- errors --- */

void settings_error(struct settings_errors *errors, const char *line)
{
	size_t length = errors->count > 0 ? strlen(errors->lines) : 0;

	if (errors->count < SETTINGS_ERRORS_MAX)
		text_display(errors->lines + length, sizeof(errors->lines) - length, "%s%s", length > 0 ? "\n" : "", line);
	errors->count++;
}

void settings_errors_show(const struct settings_errors *errors, char *to, size_t size)
{
	const char *line = errors->count > 0 ? errors->lines : "";
	size_t used = 0;
	uint32_t shown = 0;

	to[0] = '\0';
	while (*line != '\0') {
		size_t length = strcspn(line, "\n");

		if (shown > 0 && used + length + sizeof(" | and 4294967295 more") > size)
			break;
		text_display(to + used, size - used, "%s%.*s", shown > 0 ? " | " : "", (int)length, line);
		used = strlen(to);
		line += length + (line[length] != '\0');
		shown++;
	}
	if (errors->count > shown)
		text_display(to + used, size - used, " | and %" PRIu32 " more", errors->count - shown);
}

/* --- shown and written --- */

static void write_value(struct json_writer *writer, const char *name, const struct settings *settings, const struct setting *key)
{
	if (key->count_max == 0 && key->is_who) {
		json_write_text(writer, name, text_view(setting_who_names[number_of(settings, key)]));
	} else if (key->count_max == 0) {
		json_write_u64(writer, name, number_of(settings, key));
	} else {
		json_write_begin(writer, name, '[');
		for (uint32_t i = 0; i < count_of(settings, key); i++)
			json_write_text(writer, NULL, text_view(setting_item(settings, key, i)));
		json_write_end(writer, ']');
	}
}

void settings_show(const struct settings *settings, struct json_writer *writer)
{
	for (size_t i = 0; i < SETTING_COUNT; i++) {
		const struct setting *key = &setting_table[i];
		const struct setting_origin *origin = &settings->origins[i];
		char name[2 * SETTING_KEY_BYTES_MAX];

		text_display(name, sizeof(name), "%s.%s", key->group, key->name);
		json_write_begin(writer, NULL, '{');
		json_write_text(writer, "key", text_view(name));
		write_value(writer, "value", settings, key);
		json_write_text(writer, "layer", text_view(setting_layer_name(origin->layer)));
		if (origin->layer == SETTINGS_BUILT_IN)
			json_write_raw(writer, "source", text_view("null"));
		else
			json_write_text(writer, "source", text_view(origin->source));
		json_write_u64(writer, "line", origin->line);
		json_write_end(writer, '}');
	}
}

static void describe_origin(const struct setting_origin *origin, char *to, size_t size)
{
	if (origin->line > 0)
		text_display(to, size, "%s, line %" PRIu32, origin->source, origin->line);
	else
		text_display(to, size, "%s: %s", setting_layer_name(origin->layer), origin->source);
}

enum result settings_write(const struct settings *settings, struct buffer *to)
{
	const char *group = NULL;
	enum result result = buffer_print(to, "{\n");

	for (size_t i = 0; i < SETTING_COUNT && result == RESULT_OK; i++) {
		const struct setting *key = &setting_table[i];
		struct json_writer writer = JSON_WRITER(to);
		char from[SETTING_SOURCE_BYTES_MAX + 32];

		if (settings->origins[i].layer == SETTINGS_BUILT_IN)
			continue;
		if (group == NULL || strcmp(group, key->group) != 0)
			result = buffer_print(to, "%s  \"%s\": {\n", group != NULL ? "  },\n" : "", key->group);
		group = key->group;
		if (result == RESULT_OK)
			result = buffer_print(to, "    ");
		write_value(&writer, key->name, settings, key);
		if (result == RESULT_OK)
			result = json_write_done(&writer);
		describe_origin(&settings->origins[i], from, sizeof(from));
		if (result == RESULT_OK)
			result = buffer_print(to, ", // %s\n", from);
	}
	return result == RESULT_OK ? buffer_print(to, "%s}\n", group != NULL ? "  },\n" : "") : result;
}

struct allowed settings_allowed(const struct settings *settings)
{
	struct allowed allowed = { .hosts = { settings->allow_hosts.count, settings->allow_hosts.items },
	                           .urls = { settings->allow_urls.count, settings->allow_urls.items } };

	for (uint32_t i = 0; i < settings->allow_schemes.count; i++) {
		unsigned scheme = 0;

		if (allow_scheme_from_name(text_view(settings->allow_schemes.items[i]), &scheme))
			allowed.schemes |= scheme;
	}
	return allowed;
}

unsigned settings_auth_schemes(const struct settings *settings)
{
	unsigned schemes = 0;

	for (uint32_t i = 0; i < settings->authentication_schemes.count; i++) {
		enum auth_scheme scheme;

		if (auth_scheme_from_name(text_view(settings->authentication_schemes.items[i]), &scheme))
			schemes |= AUTH_FLAG(scheme);
	}
	return schemes;
}

/* --- what differs --- */

#define MORE ", ..."

bool settings_same(const struct settings *a, const struct settings *b, enum setting_key of)
{
	const struct setting *key = &setting_table[of];

	if (key->count_max == 0)
		return number_of(a, key) == number_of(b, key);
	if (count_of(a, key) != count_of(b, key))
		return false;
	for (uint32_t i = 0; i < count_of(a, key); i++)
		if (strcmp(setting_item(a, key, i), setting_item(b, key, i)) != 0)
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

static void describe(char to[CHANGE_BYTES_MAX], const struct setting *key, const struct settings *old, const struct settings *new)
{
	if (key->count_max > 0 && count_of(old, key) == count_of(new, key))
		text_display(to, CHANGE_BYTES_MAX, "%s.%s other entries", key->group, key->name);
	else if (key->count_max > 0)
		text_display(to, CHANGE_BYTES_MAX, "%s.%s %" PRIu32 " -> %" PRIu32 " entries", key->group, key->name,
		             count_of(old, key), count_of(new, key));
	else if (key->is_who)
		text_display(to, CHANGE_BYTES_MAX, "%s.%s %s -> %s", key->group, key->name, setting_who_names[number_of(old, key)],
		             setting_who_names[number_of(new, key)]);
	else
		text_display(to, CHANGE_BYTES_MAX, "%s.%s %" PRIu64 " -> %" PRIu64, key->group, key->name, number_of(old, key),
		             number_of(new, key));
}

void settings_take(struct settings *settings, const struct settings *wanted, struct settings_change *ret_change)
{
	char text[CHANGE_BYTES_MAX];

	ret_change->now[0] = ret_change->later[0] = '\0';
	for (size_t i = 0; i < SETTING_COUNT; i++) {
		const struct setting *key = &setting_table[i];

		if (settings_same(settings, wanted, (enum setting_key)i)) {
			settings->origins[i] = wanted->origins[i];
			continue;
		}
		describe(text, key, settings, wanted);
		add_change(key->at_start ? ret_change->later : ret_change->now, text);
		if (key->at_start)
			continue;
		settings->origins[i] = wanted->origins[i];
		memcpy((char *)settings + key->offset, (const char *)wanted + key->offset,
		       key->count_max > 0 ? setting_item_offset(key, key->count_max) - key->offset : sizeof(uint64_t));
	}
	ret_change->any = ret_change->now[0] != '\0' || ret_change->later[0] != '\0';
	if (ret_change->now[0] == '\0')
		add_change(ret_change->now, "nothing");
	if (ret_change->later[0] == '\0')
		add_change(ret_change->later, "nothing");
}
