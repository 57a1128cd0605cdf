/* core/settings - JSON with comments to checked settings, layer by layer, with line, column and key in every error.
 *
 * Each setting stands once, in settings.def: its name, unit, default, bounds and the reason for them.  Knows neither
 * files nor the registry.
 */
#ifndef FERRY_CORE_SETTINGS_H
#define FERRY_CORE_SETTINGS_H

#include "core/allow.h"
#include "core/json.h"

/* What the texts of a list are. */
enum setting_item {
	SETTING_OWNER,  /* an owner key: a SID; with service SIDs behind '+' for service accounts; uid:N on the Linux ground */
	SETTING_FOLDER, /* an absolute path of either ground */
	SETTING_LOCAL_FOLDER, /* the same, on this machine */
	SETTING_RATE,   /* a rule of core/rate */
	SETTING_HOST,   /* a pattern of core/credentials */
	SETTING_CA_FILE, /* such a pattern and an absolute path: core/trust */
	SETTING_PROXY,  /* a rule of core/proxy */
	SETTING_PIN,    /* such a pattern and pins: core/trust */
	SETTING_SCHEME, /* of core/allow */
	SETTING_URL,    /* a prefix of core/allow */
	SETTING_AUTH_SCHEME, /* of core/credentials */
};

/* Where values come from, each read over those before it. */
enum setting_layer {
	SETTINGS_BUILT_IN,
	SETTINGS_LAST_GOOD, /* what Ferry kept, in the place of files that cannot be used */
	SETTINGS_FILE,      /* ferry.jsonc */
	SETTINGS_CONF_D,    /* conf.d/NAME.jsonc, by their names */
	SETTINGS_POLICY,    /* Group Policy */
	SETTINGS_LAYER_COUNT
};
const char *setting_layer_name(enum setting_layer layer); /* "built-in" ... */

#define SETTING_SOURCE_BYTES_MAX 272 /* "conf.d/" and a file's name; "group.name" */
struct setting_origin {
	enum setting_layer layer;
	uint32_t line;                          /* 0: built-in and policy have none */
	char source[SETTING_SOURCE_BYTES_MAX]; /* the file, or the policy's value */
};

#define SETTING(group, name, minimum, standard, maximum, why) SETTING_KEY_##group##_##name,
#define SETTING_WHO(group, name, standard, why) SETTING_KEY_##group##_##name,
#define SETTING_LIST(group, name, item, count_max, bytes_max, why) SETTING_KEY_##group##_##name,
enum setting_key {
#include "core/settings.def"
	SETTING_COUNT
};
#undef SETTING
#undef SETTING_WHO
#undef SETTING_LIST

struct settings {
#define SETTING(group, name, minimum, standard, maximum, why) uint64_t group##_##name;
#define SETTING_WHO(group, name, standard, why) uint64_t group##_##name;
#define SETTING_LIST(group, name, item, count_max, bytes_max, why)  \
	struct {                                                    \
		uint32_t count;                                     \
		char items[count_max][(bytes_max) + 1];             \
	} group##_##name;
#include "core/settings.def"
#undef SETTING
#undef SETTING_WHO
#undef SETTING_LIST
	struct setting_origin origins[SETTING_COUNT];
};

void settings_default(struct settings *settings);

/* What is wrong, a line each: "C:\...\ferry.jsonc: line 12, column 7: transfer.checkpoint_bytes: 12 is not a number from
 * 1048576 to 1073741824". */
#define SETTINGS_ERRORS_MAX 100 /* more are counted, and nobody reads on */
#define SETTINGS_ERRORS_BYTES_MAX 16384
struct settings_errors {
	uint32_t count;
	char lines[SETTINGS_ERRORS_BYTES_MAX];
};
void settings_error(struct settings_errors *errors, const char *line);
/* As many as fit, the first one in any case, for one insert of an event or one text of a fault. */
#define SETTINGS_ERRORS_SHOWN_BYTES 1000
void settings_errors_show(const struct settings_errors *errors, char *to, size_t size);

/* One text to read: where it is from, as origins and as errors call it. */
struct settings_source {
	enum setting_layer layer; /* SETTINGS_POLICY: the text is { "group.name": value, ... } without nested groups */
	const char *name;
	const char *path;
};
/* Read it over `settings`: keys that are absent keep their value, a list takes the place of the one before.  All that is
 * wrong is added to `errors`; `settings` are then of no use.  An unknown key's error names the nearest known one.
 * RESULT_BAD_SETTING | RESULT_NO_MEMORY. */
enum result settings_read(struct text_view text, const struct settings_source *source, struct settings *settings,
                          struct settings_errors *errors) MUST_CHECK;

/* All that is not built in as the text of a file, a key to a line, with where it came from. */
enum result settings_write(const struct settings *settings, struct buffer *to) MUST_CHECK;
/* The elements of a list: { "key", "value", "layer", "source", "line" }, "source" null where it is built in. */
void settings_show(const struct settings *settings, struct json_writer *writer);

/* What allow.hosts, allow.urls and allow.schemes say; it borrows from the settings. */
struct allowed settings_allowed(const struct settings *settings);
unsigned settings_auth_schemes(const struct settings *settings); /* AUTH_FLAG(...); 0: all */

/* Have they the same value there? */
bool settings_same(const struct settings *a, const struct settings *b, enum setting_key key);

/* What a reload changes, key by key: "queue.slice_s 900 -> 60, rate.limits 0 -> 2 entries"; "nothing". */
#define SETTINGS_CHANGE_BYTES_MAX 1000
struct settings_change {
	bool any;
	char now[SETTINGS_CHANGE_BYTES_MAX];
	char later[SETTINGS_CHANGE_BYTES_MAX]; /* what the next start would, if `settings` were `wanted` then */
};
/* Take over from `wanted` what may change while the service runs; SETTING_AT_START keeps its value and where that is from. */
void settings_take(struct settings *settings, const struct settings *wanted, struct settings_change *ret_change);

#endif
