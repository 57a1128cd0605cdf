/* Inside core/settings: the table of keys, and how a value lies in struct settings.
 *
 *   settings.c       the table, what differs, what is shown and written
 *   settings_read.c  a text, key by key
 */
#ifndef FERRY_CORE_SETTINGS_PRIVATE_H
#define FERRY_CORE_SETTINGS_PRIVATE_H

#include <stddef.h>

#include "core/job.h"
#include "core/nearest.h"
#include "core/settings.h"

#define SETTING_KEY_BYTES_MAX NEAREST_BYTES_MAX

struct setting {
	const char *group, *name;
	uint64_t minimum, standard, maximum;
	size_t offset;
	/* Of a list: */
	uint32_t count_max; /* 0: it is none */
	size_t bytes_max;
	enum setting_item item;
	bool is_who, at_start;
};
extern const struct setting setting_table[SETTING_COUNT]; /* by enum setting_key */
extern const char *const setting_who_names[JOB_PRIORITY_COUNT + 1];

/* Every list begins with its count, and its items follow at once. */
size_t setting_item_offset(const struct setting *key, uint32_t index);
const char *setting_item(const struct settings *settings, const struct setting *key, uint32_t index);
void setting_set_count(struct settings *settings, const struct setting *key, uint32_t count);
void setting_set(struct settings *settings, const struct setting *key, uint64_t number);

#endif
