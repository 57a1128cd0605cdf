/* core/settings - JSON with comments to checked settings, with line, column and key in every error.
 *
 * Each setting stands once, in settings.def: its name, unit, default, bounds and the reason for them.  Knows neither
 * files nor the registry.
 */
#ifndef FERRY_CORE_SETTINGS_H
#define FERRY_CORE_SETTINGS_H

#include "core/json.h"

/* What the texts of a list are. */
enum setting_item {
	SETTING_OWNER,  /* an owner key: a SID; with service SIDs behind '+' for service accounts; uid:N on the Linux ground */
	SETTING_FOLDER, /* an absolute path of either ground */
	SETTING_RATE,   /* a rule of core/rate */
	SETTING_HOST,   /* a pattern of core/credentials */
	SETTING_CA_FILE, /* such a pattern and an absolute path: core/trust */
	SETTING_PROXY,  /* a rule of core/proxy */
	SETTING_PIN,    /* such a pattern and pins: core/trust */
};

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
};

void settings_default(struct settings *settings);
/* Read a configuration over `settings` (keys that are absent keep their value).  On failure `settings` is unchanged and
 * fault->what reads "line 12, column 7: transfer.checkpoint_bytes: 12 is below 1048576"; an unknown key names the nearest
 * known one.  RESULT_BAD_SETTING. */
enum result settings_parse(struct text_view text, struct settings *settings, struct fault *fault) MUST_CHECK;

/* What a reload changes, key by key: "queue.slice_s 900 -> 60, rate.limits 0 -> 2 entries"; "nothing". */
#define SETTINGS_CHANGE_BYTES_MAX 1000
struct settings_change {
	char now[SETTINGS_CHANGE_BYTES_MAX];
	char later[SETTINGS_CHANGE_BYTES_MAX]; /* what the next start would, if `settings` were `wanted` then */
};
/* Take over from `wanted` what may change while the service runs; SETTING_AT_START keeps its value. */
void settings_take(struct settings *settings, const struct settings *wanted, struct settings_change *ret_change);

#endif
