#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <inttypes.h>
#include <string.h>

#include "core/settings.h"
#include "support/json_schema.h"
#include "support/source_file.h"

static const struct key {
	const char *group, *name;
	uint64_t minimum, standard, maximum;
	const char *why;
	bool at_start;
} keys[] = {
#define SETTING(group, name, minimum, standard, maximum, why) { #group, #name, minimum, standard, maximum, why, false },
#define SETTING_AT_START(group, name, minimum, standard, maximum, why) { #group, #name, minimum, standard, maximum, why, true },
#define SETTING_WHO(group, name, standard, why)
#define SETTING_LIST(group, name, item, count_max, bytes_max, why)
#include "core/settings.def"
#undef SETTING
#undef SETTING_WHO
#undef SETTING_LIST
};
#define KEY_COUNT (sizeof(keys) / sizeof(keys[0]))

static const struct who {
	const char *group, *name;
	uint64_t standard;
	const char *why;
} whos[] = {
#define SETTING(group, name, minimum, standard, maximum, why)
#define SETTING_WHO(group, name, standard, why) { #group, #name, standard, why },
#define SETTING_LIST(group, name, item, count_max, bytes_max, why)
#include "core/settings.def"
#undef SETTING
#undef SETTING_WHO
#undef SETTING_LIST
};
#define WHO_COUNT (sizeof(whos) / sizeof(whos[0]))
static const char *const who_names[] = { "none", "foreground", "high", "normal", "all" };

static const struct list {
	const char *group, *name;
	enum setting_item item;
	uint32_t count_max;
	size_t bytes_max;
	const char *why;
} lists[] = {
#define SETTING(group, name, minimum, standard, maximum, why)
#define SETTING_WHO(group, name, standard, why)
#define SETTING_LIST(group, name, item, count_max, bytes_max, why) \
	{ #group, #name, SETTING_##item, count_max, bytes_max, why },
#include "core/settings.def"
#undef SETTING
#undef SETTING_WHO
#undef SETTING_LIST
};
#define LIST_COUNT (sizeof(lists) / sizeof(lists[0]))

#define FILE_SOURCE &(struct settings_source){ SETTINGS_FILE, "ferry.jsonc", "F" }

/* One file; the first error without the file's name, and nothing changed by a bad one. */
static enum result settings_parse(struct text_view text, struct settings *settings, struct fault *fault)
{
	static struct settings read;
	static struct settings_errors errors;
	read = *settings;
	errors.count = 0;
	enum result result = settings_read(text, FILE_SOURCE, &read, &errors);
	if (result == RESULT_OK) {
		*settings = read;
		return RESULT_OK;
	}
	const char *line = errors.lines + strlen("F: ");
	assert_memory_equal(errors.lines, "F: ", strlen("F: "));
	return fault_set(fault, result, FAULT_FERRY, 0, "%.*s", (int)strcspn(line, "\n"), line);
}

static void assert_equal_settings(const struct settings *a, const struct settings *b)
{
#define SETTING(group, name, minimum, standard, maximum, why) \
	assert_int_equal(a->group##_##name, b->group##_##name);
#define SETTING_WHO(group, name, standard, why) assert_int_equal(a->group##_##name, b->group##_##name);
#define SETTING_LIST(group, name, item, count_max, bytes_max, why)                      \
	assert_int_equal(a->group##_##name.count, b->group##_##name.count);             \
	for (uint32_t i = 0; i < a->group##_##name.count && i < (count_max); i++)       \
		assert_string_equal(a->group##_##name.items[i], b->group##_##name.items[i]);
#include "core/settings.def"
#undef SETTING
#undef SETTING_WHO
#undef SETTING_LIST
}

/* Refused, in exactly these words, and nothing changed. */
static void assert_refused(const char *text, const char *what)
{
	struct settings settings, untouched;
	struct fault fault = { .result = RESULT_OK };
	memset(&settings, 0x55, sizeof(settings));
#define SETTING(group, name, minimum, standard, maximum, why)
#define SETTING_WHO(group, name, standard, why)
#define SETTING_LIST(group, name, item, count_max, bytes_max, why) settings.group##_##name.count = 0;
#include "core/settings.def"
#undef SETTING
#undef SETTING_WHO
#undef SETTING_LIST
	untouched = settings;
	assert_int_equal(settings_parse(text_view(text), &settings, &fault), RESULT_BAD_SETTING);
	assert_int_equal(fault.result, RESULT_BAD_SETTING);
	assert_string_equal(fault.what, what);
	assert_equal_settings(&settings, &untouched);
}

static void settings_default__every_key__has_the_tables_default(void **state)
{
	(void)state;
	struct settings settings;
	memset(&settings, 0x55, sizeof(settings));
	settings_default(&settings);
#define SETTING(group, name, minimum, standard, maximum, why) assert_int_equal(settings.group##_##name, standard);
#define SETTING_WHO(group, name, standard, why) assert_int_equal(settings.group##_##name, standard);
#define SETTING_LIST(group, name, item, count_max, bytes_max, why) assert_int_equal(settings.group##_##name.count, 0);
#include "core/settings.def"
#undef SETTING
#undef SETTING_WHO
#undef SETTING_LIST
}

static void settings_def__every_row__has_its_default_within_bounds_and_a_reason(void **state)
{
	(void)state;
	for (size_t i = 0; i < KEY_COUNT; i++) {
		assert_true(keys[i].minimum <= keys[i].standard && keys[i].standard <= keys[i].maximum);
		assert_true(strlen(keys[i].why) > 10);
		for (size_t j = 0; j < i; j++)
			assert_false(strcmp(keys[i].group, keys[j].group) == 0 && strcmp(keys[i].name, keys[j].name) == 0);
	}
}

static void settings_parse__absent_keys__keep_their_value(void **state)
{
	(void)state;
	struct settings settings, expected;
	settings_default(&settings);
	expected = settings;
	expected.log_files_max = 7;
	expected.transfer_connect_timeout_ms = 1000;
	assert_int_equal(settings_parse(text_view("{ \"log\": { \"files_max\": 7, }, // a comment\n"
	                                          " \"transfer\": {\"connect_timeout_ms\": 1000} }"),
	                                &settings, NULL), RESULT_OK);
	assert_equal_settings(&settings, &expected);
	assert_int_equal(settings_parse(text_view("{}"), &settings, NULL), RESULT_OK);
	assert_int_equal(settings_parse(text_view("\xEF\xBB\xBF{}"), &settings, NULL), RESULT_OK);
	assert_equal_settings(&settings, &expected);
}

static void settings_parse__every_key_at_its_bounds__is_taken_and_one_beyond_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < KEY_COUNT; i++) {
		const struct key *key = &keys[i];
		const struct { uint64_t number; bool good; } cases[] = {
			{ key->minimum, true }, { key->maximum, true },
			{ key->minimum - 1, false }, /* below 0: 2^64 - 1 */
			{ key->maximum + 1, false },
		};
		for (size_t j = 0; j < sizeof(cases) / sizeof(cases[0]); j++) {
			struct settings settings;
			struct fault fault = { .result = RESULT_OK };
			char text[256], bound[64];
			settings_default(&settings);
			text_display(text, sizeof(text), "{\"%s\": {\"%s\": %" PRIu64 "}}", key->group, key->name,
			             cases[j].number);
			enum result result = settings_parse(text_view(text), &settings, &fault);
			assert_int_equal(result, cases[j].good ? RESULT_OK : RESULT_BAD_SETTING);
			if (result == RESULT_OK)
				continue;
			text_display(bound, sizeof(bound), "from %" PRIu64 " to %" PRIu64, key->minimum, key->maximum);
			assert_non_null(strstr(fault.what, bound));
			assert_non_null(strstr(fault.what, key->name));
		}
	}
}

static void settings_parse__wrong_number__names_line_column_key_and_bound(void **state)
{
	(void)state;
	assert_refused("{\n  // how files are fetched\n  \"transfer\": {\n    \"checkpoint_bytes\": 12,\n  },\n}",
	               "line 4, column 25: transfer.checkpoint_bytes: 12 is not a whole number from 1048576 to 1073741824");
	assert_refused("{\"log\": {\"files_max\": 101}}", "line 1, column 23: log.files_max: 101 is not a whole number from 2 to 100");
	assert_refused("{\"log\": {\"files_max\": -1}}", "line 1, column 23: log.files_max: -1 is not a whole number from 2 to 100");
	assert_refused("{\"log\": {\"files_max\": 5.0}}",
	               "line 1, column 23: log.files_max: 5.0 is not a whole number from 2 to 100");
	assert_refused("{\"log\": {\"files_max\": \"5\"}}", "line 1, column 23: log.files_max: \"5\" is not a whole number from 2 to 100");
	assert_refused("{\"log\": {\"files_max\": {}}}", "line 1, column 23: log.files_max: { ... } is not a whole number from 2 to 100");
}

static void settings_parse__unknown_key__names_the_nearest(void **state)
{
	(void)state;
	assert_refused("{\"transfer\": {\"checkpoint_byte\": 8388608}}",
	               "line 1, column 34: transfer.checkpoint_byte: there is no such key; "
	               "the nearest is transfer.checkpoint_bytes");
	assert_refused("{\"queue\": {\n\"files_max\": 3}}",
	               "line 2, column 14: queue.files_max: there is no such key; the nearest is log.files_max");
	assert_refused("{\"dor\": {}}", "line 1, column 9: dor: there is no such group of keys; the nearest is door");
	assert_refused("{\"log\": {\"files\\n_max\": 3}}",
	               "line 1, column 25: log.files?_max: there is no such key; the nearest is log.files_max");
}

static void settings_parse__wrong_shape__is_refused(void **state)
{
	(void)state;
	assert_refused("[]", "line 1, column 1: the configuration must be one object: { \"group\": { \"key\": value } }");
	assert_refused("{\"log\": 5}", "line 1, column 9: log: 5 is not an object: { \"key\": value }");
	assert_refused("{\"log\": {\"files_max\": 3, \"files_max\": 4}}", "line 1, column 26: log.files_max: stands there twice");
	assert_refused("{\"log\": {},\n\"log\": {}}", "line 2, column 1: log: stands there twice");
	assert_refused("{\"log\": {\"files_max\\u0000\": 3}}", "line 1, column 29: log.files_max?: there is no such key; the nearest is log.files_max");
}

static void settings_parse__broken_text__names_line_and_column(void **state)
{
	(void)state;
	struct settings settings;
	struct fault fault = { .result = RESULT_OK };
	settings_default(&settings);
	assert_int_equal(settings_parse(text_view("{\n  \"log\": {\n    \"files_max\" 5\n"), &settings, &fault),
	                 RESULT_BAD_SETTING);
	assert_memory_equal(fault.what, "line 3, column 17: ", strlen("line 3, column 17: "));
	assert_int_equal(settings_parse(text_view(""), &settings, &fault), RESULT_BAD_SETTING);
	assert_int_equal(settings_parse(text_view("{\"log\": {}} // \xFF"), &settings, &fault), RESULT_BAD_SETTING);
	assert_non_null(strstr(fault.what, "line 1, column 16"));
}

static void settings_parse__lists__are_taken_in_order_up_to_their_limits(void **state)
{
	(void)state;
	AUTO(buffer) struct buffer text = BUFFER(65536);
	struct settings settings;
	struct fault fault = { .result = RESULT_OK };

	settings_default(&settings);
	assert_int_equal(settings_parse(text_view("{\"identity\": {\"service_network_owners\": [\"S-1-5-20+S-1-5-80-1-2\", "
	                                          "\"uid:7\"], \"service_file_roots\": [\"C:\\\\Acme\", \"/srv/acme\", "
	                                          "\"\\\\\\\\host\\\\share\"]}}"), &settings, &fault), RESULT_OK);
	assert_int_equal(settings.identity_service_network_owners.count, 2);
	assert_string_equal(settings.identity_service_network_owners.items[0], "S-1-5-20+S-1-5-80-1-2");
	assert_string_equal(settings.identity_service_network_owners.items[1], "uid:7");
	assert_int_equal(settings.identity_service_file_roots.count, 3);
	assert_string_equal(settings.identity_service_file_roots.items[0], "C:\\Acme");
	assert_string_equal(settings.identity_service_file_roots.items[2], "\\\\host\\share");
	/* A later file replaces a list, it does not add to it. */
	assert_int_equal(settings_parse(text_view("{\"identity\": {\"service_network_owners\": []}}"), &settings, &fault), RESULT_OK);
	assert_int_equal(settings.identity_service_network_owners.count, 0);

	for (uint32_t count = 16; count <= 17; count++) {
		buffer_clear(&text);
		assert_int_equal(buffer_print(&text, "{\"identity\": {\"service_file_owners\": ["), RESULT_OK);
		for (uint32_t i = 0; i < count; i++)
			assert_int_equal(buffer_print(&text, "%s\"uid:%" PRIu32 "\"", i > 0 ? "," : "", i), RESULT_OK);
		assert_int_equal(buffer_print(&text, "]}}"), RESULT_OK);
		assert_int_equal(settings_parse((struct text_view){ text.bytes, text.length }, &settings, &fault),
		                 count == 16 ? RESULT_OK : RESULT_BAD_SETTING);
	}
	assert_non_null(strstr(fault.what, "identity.service_file_owners: has 17 entries, of at most 16"));
	for (int length = 511; length <= 512; length++) {
		buffer_clear(&text);
		assert_int_equal(buffer_print(&text, "{\"identity\": {\"service_file_owners\": [\"uid:%0*d\"]}}", length - 4, 1), RESULT_OK);
		assert_int_equal(settings_parse((struct text_view){ text.bytes, text.length }, &settings, &fault),
		                 length == 511 ? RESULT_OK : RESULT_BAD_SETTING);
	}
}

static void settings_parse__who__is_one_of_five_words(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(who_names) / sizeof(who_names[0]); i++) {
		struct settings settings;
		char text[64];
		settings_default(&settings);
		text_display(text, sizeof(text), "{\"power\": {\"battery_saver\": \"%s\"}}", who_names[i]);
		assert_int_equal(settings_parse(text_view(text), &settings, NULL), RESULT_OK);
		assert_int_equal(settings.power_battery_saver, i);
		assert_int_equal(settings.network_metered, 1);
	}
	assert_refused("{\"network\": {\n \"metered\": \"low\"}}", "line 2, column 13: network.metered: \"low\" is none of \"all\", "
	               "\"normal\", \"high\", \"foreground\" and \"none\"");
	assert_refused("{\"network\": {\"metered\": 1}}", "line 1, column 25: network.metered: 1 is none of \"all\", "
	               "\"normal\", \"high\", \"foreground\" and \"none\"");
}

static void settings_parse__wrong_list__names_line_column_key_and_entry(void **state)
{
	(void)state;
	assert_refused("{\"identity\": {\n \"service_file_roots\": 5}}",
	               "line 2, column 24: identity.service_file_roots: 5 is not a list: [\"...\", ...]");
	assert_refused("{\"identity\": {\"service_file_roots\": [\"/a\",\n \"b\"]}}",
	               "line 2, column 2: identity.service_file_roots[1]: \"b\" must be an absolute path");
	assert_refused("{\"identity\": {\"service_file_roots\": [\"/a/\"]}}",
	               "line 1, column 38: identity.service_file_roots[0]: \"/a/\" must not end in a separator");
	assert_refused("{ \"metrics\": { \"textfile_folder\": [\"\\\\\\\\server\\\\share\"] } }",
	               "line 1, column 36: metrics.textfile_folder[0]: \"\\\\\\\\server\\\\share\" must be on this machine");
	assert_refused("{\"identity\": {\"service_file_roots\": [\"/a\", \"/a\"]}}",
	               "line 1, column 44: identity.service_file_roots[1]: \"/a\" stands there twice");
	assert_refused("{\"identity\": {\"service_file_roots\": [\"/a\\u0007\"]}}",
	               "line 1, column 38: identity.service_file_roots[0]: \"/a\\u0007\" must not contain control characters");
	assert_refused("{\"identity\": {\"service_file_owners\": [\"\"]}}",
	               "line 1, column 39: identity.service_file_owners[0]: \"\" must be a SID, S-1-5-...");
	assert_refused("{\"identity\": {\"service_file_owners\": [\"BUILTIN\\\\Users\"]}}",
	               "line 1, column 39: identity.service_file_owners[0]: \"BUILTIN\\\\Users\" must be a SID, S-1-5-...");
}

static void settings_read__proxy_with_a_password__is_not_repeated(void **state)
{
	(void)state;
	static struct settings settings;
	static struct settings_errors errors;
	settings_default(&settings);
	assert_int_equal(settings_read(text_view("{\"proxy\": {\"table\": [\"* http://anna:secret@proxy:3128\"]}}"), FILE_SOURCE,
	                               &settings, &errors), RESULT_BAD_SETTING);
	assert_null(strstr(errors.lines, "secret"));
	assert_non_null(strstr(errors.lines, "line 1, column 22: proxy.table[0]: "));
	/* Nor where it was not meant to stand. */
	static const char *const wrong[] = {
		"{\"proxy\": \"http://anna:secret@proxy:3128\"}",
		"{\"authentication\": {\"implicit_proxies\": [\"http://anna:secret@proxy:3128\"]}}",
		"{\"proxy\": {\"http://anna:secret@proxy\": 1}}",
		"{\"http://anna:secret@proxy\": {}}",
		"{\"queue\": {\"slice_s\": \"anna:secret@proxy\"}}",
	};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		errors.count = 0;
		assert_int_equal(settings_read(text_view(wrong[i]), FILE_SOURCE, &settings, &errors), RESULT_BAD_SETTING);
		if (strstr(errors.lines, "secret"))
			fail_msg("%s", errors.lines);
	}
}

/* --- layers --- */

static void read_layer(struct settings *settings, enum setting_layer layer, const char *name, const char *text)
{
	static struct settings_errors errors;
	errors.count = 0;
	if (settings_read(text_view(text), &(struct settings_source){ layer, name, name }, settings, &errors) != RESULT_OK)
		fail_msg("%s", errors.lines);
}

static void assert_origin(const struct settings *settings, enum setting_key key, enum setting_layer layer, const char *source,
                          uint32_t line)
{
	assert_int_equal(settings->origins[key].layer, layer);
	assert_string_equal(settings->origins[key].source, source);
	assert_int_equal(settings->origins[key].line, line);
}

static void settings_read__layers__the_last_one_counts_and_each_value_knows_its_own(void **state)
{
	(void)state;
	static struct settings settings, again;
	AUTO(buffer) struct buffer text = BUFFER(65536);
	settings_default(&settings);
	assert_origin(&settings, SETTING_KEY_queue_slice_s, SETTINGS_BUILT_IN, "", 0);
	read_layer(&settings, SETTINGS_FILE, "ferry.jsonc",
	           "{ // first\n \"queue\": {\"slice_s\": 60,\n\"ageing_s\": 61},\n \"rate\": {\"limits\": [\"low off\", \"high off\"]} }");
	read_layer(&settings, SETTINGS_CONF_D, "conf.d/10.jsonc", "{\"queue\": {\"slice_s\": 70}}");
	read_layer(&settings, SETTINGS_POLICY, "policy", "{\"queue.slice_s\": 80, \"rate.limits\": [\"low 1kB/s\"], \"power.battery_saver\": \"all\"}");
	assert_int_equal(settings.queue_slice_s, 80);
	assert_int_equal(settings.queue_ageing_s, 61);
	assert_int_equal(settings.power_battery_saver, 4);
	assert_int_equal(settings.rate_limits.count, 1); /* not three: it takes the place of the one below */
	assert_origin(&settings, SETTING_KEY_queue_slice_s, SETTINGS_POLICY, "queue.slice_s", 0);
	assert_origin(&settings, SETTING_KEY_queue_ageing_s, SETTINGS_FILE, "ferry.jsonc", 3);
	assert_origin(&settings, SETTING_KEY_rate_limits, SETTINGS_POLICY, "rate.limits", 0);
	assert_origin(&settings, SETTING_KEY_log_files_max, SETTINGS_BUILT_IN, "", 0);

	/* What is kept of it reads the same, and is of no layer but its own. */
	assert_int_equal(settings_write(&settings, &text), RESULT_OK);
	assert_string_equal(text.bytes, "{\n  \"rate\": {\n    \"limits\":[\"low 1kB/s\"], // policy: rate.limits\n  },\n"
	                                "  \"power\": {\n    \"battery_saver\":\"all\", // policy: power.battery_saver\n  },\n"
	                                "  \"queue\": {\n    \"slice_s\":80, // policy: queue.slice_s\n"
	                                "    \"ageing_s\":61, // ferry.jsonc, line 3\n  },\n}\n");
	settings_default(&again);
	read_layer(&again, SETTINGS_LAST_GOOD, "kept", text.bytes);
	assert_equal_settings(&again, &settings);
	assert_origin(&again, SETTING_KEY_queue_ageing_s, SETTINGS_LAST_GOOD, "kept", 10);
}

/* All keys, each at something else than its default: groups must not come twice. */
static void settings_write__every_key__reads_back(void **state)
{
	(void)state;
	static struct settings settings, again;
	AUTO(buffer) struct buffer text = BUFFER(65536);
	settings_default(&settings);
#define SETTING(group, name, minimum, standard, maximum, why) settings.group##_##name = maximum;
#define SETTING_WHO(group, name, standard, why) settings.group##_##name = 0;
#define SETTING_LIST(group, name, item, count_max, bytes_max, why)
#include "core/settings.def"
#undef SETTING
#undef SETTING_WHO
#undef SETTING_LIST
	for (size_t i = 0; i < SETTING_COUNT; i++)
		settings.origins[i] = (struct setting_origin){ SETTINGS_FILE, 1, "ferry.jsonc" };
	assert_int_equal(settings_write(&settings, &text), RESULT_OK);
	settings_default(&again);
	read_layer(&again, SETTINGS_LAST_GOOD, "kept", text.bytes);
	assert_equal_settings(&again, &settings);
}

static void settings_read__several_slips__are_all_told(void **state)
{
	(void)state;
	static struct settings settings;
	static struct settings_errors errors;
	char shown[SETTINGS_ERRORS_SHOWN_BYTES];
	settings_default(&settings);
	assert_int_equal(settings_read(text_view("{\"log\": {\"files_max\": 1, \"filesmax\": 3},\n\"dor\": 5,\n"
	                                         "\"rate\": {\"limits\": [\"low 1\", \"low off\", \"high 2\"]}}"), FILE_SOURCE, &settings, &errors),
	                 RESULT_BAD_SETTING);
	assert_int_equal(errors.count, 5);
	for (const char *line = errors.lines; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
		assert_memory_equal(line, "F: line ", strlen("F: line "));
	assert_int_equal(settings_read(text_view("{\"log.file_max\": 1, \"log.files_max\": \"3\"}"),
	                               &(struct settings_source){ SETTINGS_POLICY, "", "P" }, &settings, &errors), RESULT_BAD_SETTING);
	assert_int_equal(errors.count, 7);
	assert_non_null(strstr(errors.lines, "\nP: log.file_max: there is no such key; the nearest is log.files_max\n"
	                                     "P: log.files_max: \"3\" is not a whole number from 2 to 100"));
	settings_errors_show(&errors, shown, sizeof(shown));
	assert_non_null(strstr(shown, " | P: log.file_max: there"));
	settings_errors_show(&errors, shown, 200);
	assert_non_null(strstr(shown, " | and 5 more"));
	assert_true(strlen(shown) < 200);
}

static void settings_read__more_slips_than_anybody_reads__are_counted(void **state)
{
	(void)state;
	static struct settings settings;
	static struct settings_errors errors;
	AUTO(buffer) struct buffer text = BUFFER(65536);
	settings_default(&settings);
	assert_int_equal(buffer_print(&text, "{\"log\": {"), RESULT_OK);
	for (unsigned i = 0; i < 200; i++)
		assert_int_equal(buffer_print(&text, "%s\"key%u\": 1", i > 0 ? "," : "", i), RESULT_OK);
	assert_int_equal(buffer_print(&text, "}}"), RESULT_OK);
	for (unsigned i = 1; i <= 2; i++) {
		assert_int_equal(settings_read((struct text_view){ text.bytes, text.length }, FILE_SOURCE, &settings, &errors), RESULT_BAD_SETTING);
		assert_int_equal(errors.count, SETTINGS_ERRORS_MAX);
	}
}

/* --- a reload --- */

static void take(struct settings *settings, const char *text, const char *now, const char *later)
{
	struct settings wanted;
	struct settings_change change;
	struct fault fault = { .result = RESULT_OK };
	settings_default(&wanted);
	if (settings_parse(text_view(text), &wanted, &fault) != RESULT_OK)
		fail_msg("%s", fault.what);
	settings_take(settings, &wanted, &change);
	assert_string_equal(change.now, now);
	assert_string_equal(change.later, later);
}

static void settings_take__what_differs__is_named_with_old_and_new(void **state)
{
	(void)state;
	struct settings settings;
	settings_default(&settings);
	take(&settings, "{}", "nothing", "nothing");
	take(&settings, "{\"queue\": {\"slice_s\": 60}, \"power\": {\"battery_saver\": \"all\"}, \"rate\": {\"limits\": [\"low off\"]}}",
	     "rate.limits 0 -> 1 entries, power.battery_saver foreground -> all, queue.slice_s 900 -> 60", "nothing");
	assert_int_equal(settings.queue_slice_s, 60);
	assert_int_equal(settings.power_battery_saver, 4);
	assert_string_equal(settings.rate_limits.items[0], "low off");
	/* Keys that are left out are at their default again. */
	take(&settings, "{\"rate\": {\"limits\": [\"low 1kB/s\"]}}",
	     "rate.limits other entries, power.battery_saver all -> foreground, queue.slice_s 60 -> 900", "nothing");
	take(&settings, "{}", "rate.limits 1 -> 0 entries", "nothing");
}

static void settings_take__read_at_the_start_only__stays_and_is_told_until_it_is_as_it_was(void **state)
{
	(void)state;
	struct settings settings;
	settings_default(&settings);
	for (unsigned i = 0; i < 2; i++)
		take(&settings, "{\"door\": {\"connections_max\": 64}}", "nothing", "door.connections_max 128 -> 64");
	assert_int_equal(settings.door_connections_max, 128);
	take(&settings, "{}", "nothing", "nothing");
}

static void settings_take__everything__is_taken_and_told_as_far_as_there_is_room(void **state)
{
	(void)state;
	struct settings settings, wanted;
	struct settings_change change;
	settings_default(&settings);
	settings_default(&wanted);
#define SETTING(group, name, minimum, standard, maximum, why) wanted.group##_##name = maximum;
#define SETTING_AT_START(group, name, minimum, standard, maximum, why) /* it stays */
#define SETTING_WHO(group, name, standard, why) wanted.group##_##name = 4; /* all */
#define SETTING_LIST(group, name, item, count_max, bytes_max, why)              \
	wanted.group##_##name.count = count_max;                                \
	for (uint32_t i = 0; i < (count_max); i++)                              \
		memset(wanted.group##_##name.items[i], 'a', bytes_max),         \
			wanted.group##_##name.items[i][bytes_max] = '\0';
#include "core/settings.def"
#undef SETTING
#undef SETTING_WHO
#undef SETTING_LIST
	settings_take(&settings, &wanted, &change);
	assert_equal_settings(&settings, &wanted);
	assert_true(strlen(change.now) > SETTINGS_CHANGE_BYTES_MAX - 120);
	assert_string_equal(change.now + strlen(change.now) - 5, ", ...");
}

/* --- the papers --- */

/* Who reads the comment of a key, or its reason, learns whether a reload changes it. */
static void setting_at_start__in_all_papers__says_so(void **state)
{
	static const char said[] = "Read at the start only.";
	(void)state;
	AUTO(buffer) struct buffer text = BUFFER(65536);
	source_file_read("config/ferry.jsonc", &text);
	for (size_t i = 0; i < KEY_COUNT; i++) {
		char quoted[128];
		text_display(quoted, sizeof(quoted), "\"%s\":", keys[i].name);
		char *at = strstr(text.bytes, quoted), *comment = at;
		assert_non_null(at);
		while (comment > text.bytes && memcmp(comment, "\n\n", 2) != 0 && comment[-1] != '{')
			comment--;
		*at = '\0';
		if ((strstr(comment, said) != NULL) != keys[i].at_start || (strstr(keys[i].why, said) != NULL) != keys[i].at_start)
			fail_msg("%s.%s: is it read at the start only?", keys[i].group, keys[i].name);
		*at = '"';
	}
}

static void ferry_jsonc__as_shipped__equals_the_built_in_defaults(void **state)
{
	(void)state;
	AUTO(buffer) struct buffer text = BUFFER(65536);
	struct settings read, standard;
	struct fault fault = { .result = RESULT_OK };

	source_file_read("config/ferry.jsonc", &text);
	memset(&read, 0x55, sizeof(read)); /* a key that the file leaves out would show */
	settings_default(&standard);
	if (settings_parse((struct text_view){ text.bytes, text.length }, &read, &fault) != RESULT_OK)
		fail_msg("%s", fault.what);
	assert_equal_settings(&read, &standard);

	/* The key's bounds stand in the comment before it. */
	for (size_t i = 0; i < KEY_COUNT; i++) {
		char quoted[128], bounds[2][32];
		text_display(quoted, sizeof(quoted), "\"%s\":", keys[i].name);
		text_display(bounds[0], sizeof(bounds[0]), "rom %" PRIu64, keys[i].minimum);
		text_display(bounds[1], sizeof(bounds[1]), "to %" PRIu64, keys[i].maximum);
		char *at = strstr(text.bytes, quoted);
		assert_non_null(at);
		char *comment = at;
		while (comment > text.bytes && memcmp(comment, "\n\n", 2) != 0 && comment[-1] != '{')
			comment--;
		*at = '\0';
		const char *low = strstr(comment, bounds[0]);
		if (!low || !strstr(low, bounds[1]))
			fail_msg("the comment of %s.%s does not name the bounds", keys[i].group, keys[i].name);
		*at = '"';
	}
	for (size_t i = 0; i < LIST_COUNT; i++) {
		char quoted[128], bound[32];
		text_display(quoted, sizeof(quoted), "\"%s\": []", lists[i].name);
		text_display(bound, sizeof(bound), "At most %" PRIu32 ".", lists[i].count_max);
		char *at = strstr(text.bytes, quoted);
		assert_non_null(at);
		assert_non_null(strstr(at - 100, bound));
	}
}

static void assert_number(struct json object, const char *name, uint64_t expected)
{
	uint64_t number = 0;
	assert_int_equal(json_get_u64(json_member(object, name), 0, UINT64_MAX, &number, NULL), RESULT_OK);
	assert_int_equal(number, expected);
}

static void settings_schema__every_key__agrees_with_the_table(void **state)
{
	(void)state;
	AUTO(buffer) struct buffer text = BUFFER(262144);
	AUTO(json_document) struct json_document *document = NULL;
	source_file_read("schema/settings.schema.json", &text);
	assert_int_equal(json_parse((struct text_view){ text.bytes, text.length }, JSON_WIRE, &document, NULL), RESULT_OK);
	struct json groups = json_member(json_root(document), "properties");
	size_t count = 0;

	for (size_t i = 0; i < KEY_COUNT; i++) {
		struct json group = json_member(groups, keys[i].group);
		struct json key = json_member(json_member(group, "properties"), keys[i].name);
		struct text_view why;
		bool more = true;
		assert_number(key, "minimum", keys[i].minimum);
		assert_number(key, "default", keys[i].standard);
		assert_number(key, "maximum", keys[i].maximum);
		assert_int_equal(json_get_text(json_member(key, "description"), SIZE_MAX, &why, NULL), RESULT_OK);
		assert_true(text_is(why, keys[i].why));
		assert_int_equal(json_get_bool(json_member(group, "additionalProperties"), &more, NULL), RESULT_OK);
		assert_false(more);
	}
	for (size_t i = 0; i < LIST_COUNT; i++) {
		struct json group = json_member(groups, lists[i].group);
		struct json key = json_member(json_member(group, "properties"), lists[i].name);
		struct text_view why;
		assert_number(key, "maxItems", lists[i].count_max);
		assert_number(json_member(key, "items"), "maxLength", lists[i].bytes_max);
		assert_int_equal(json_length(json_member(key, "default")), 0);
		assert_int_equal(json_get_text(json_member(key, "description"), SIZE_MAX, &why, NULL), RESULT_OK);
		assert_true(text_is(why, lists[i].why));
	}
	for (size_t i = 0; i < WHO_COUNT; i++) {
		struct json key = json_member(json_member(json_member(groups, whos[i].group), "properties"), whos[i].name);
		struct text_view text_of;
		assert_int_equal(json_length(json_member(key, "enum")), sizeof(who_names) / sizeof(who_names[0]));
		for (uint32_t j = 0; j < sizeof(who_names) / sizeof(who_names[0]); j++) {
			assert_int_equal(json_get_text(json_at(json_member(key, "enum"), j), SIZE_MAX, &text_of, NULL), RESULT_OK);
			assert_true(text_is(text_of, who_names[j]));
		}
		assert_int_equal(json_get_text(json_member(key, "default"), SIZE_MAX, &text_of, NULL), RESULT_OK);
		assert_true(text_is(text_of, who_names[whos[i].standard]));
		assert_int_equal(json_get_text(json_member(key, "description"), SIZE_MAX, &text_of, NULL), RESULT_OK);
		assert_true(text_is(text_of, whos[i].why));
	}
	for (size_t i = 0; i < json_length(groups); i++) {
		struct text_view name;
		count += json_length(json_member(json_key_at(groups, i, &name), "properties"));
	}
	assert_int_equal(count, KEY_COUNT + WHO_COUNT + LIST_COUNT);
}

static void settings_schema__good_and_bad_configurations__judges_as_the_parser(void **state)
{
	(void)state;
	static const char *const texts[] = {
		"{}", "{\"log\": {}}", "{\"log\": {\"files_max\": 5}}", "{\"log\": {\"files_max\": 1}}",
		"{\"log\": {\"files_max\": 101}}", "{\"log\": {\"files_max\": \"5\"}}", "{\"log\": {\"file_max\": 5}}",
		"{\"identity\": {\"service_file_owners\": []}}", "{\"identity\": {\"service_file_owners\": [\"S-1-5-18\"]}}",
		"{\"identity\": {\"service_file_owners\": 5}}", "{\"identity\": {\"service_file_owners\": [5]}}",
		"{\"identity\": {\"service_file_owners\": [\"uid:1\", \"uid:1\"]}}",
		"{\"power\": {\"battery_saver\": \"all\"}}", "{\"power\": {\"battery_saver\": \"low\"}}", "{\"power\": {\"battery_saver\": 1}}",
		"{\"logs\": {\"files_max\": 5}}", "{\"log\": []}", "[]", "{\"log\": {\"files_max\": null}}",
	};
	AUTO(buffer) struct buffer text = BUFFER(262144);
	AUTO(json_document) struct json_document *schema = NULL;
	source_file_read("schema/settings.schema.json", &text);
	assert_int_equal(json_parse((struct text_view){ text.bytes, text.length }, JSON_WIRE, &schema, NULL), RESULT_OK);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		AUTO(json_document) struct json_document *document = NULL;
		struct settings settings;
		char why[JSON_SCHEMA_WHY_BYTES_MAX];
		settings_default(&settings);
		assert_int_equal(json_parse(text_view(texts[i]), JSON_WIRE, &document, NULL), RESULT_OK);
		bool obeyed = json_schema_obeyed(json_root(schema), json_root(schema), json_root(document), why);
		if (obeyed != (settings_parse(text_view(texts[i]), &settings, NULL) == RESULT_OK))
			fail_msg("%s: the schema and the parser disagree (%s)", texts[i], why);
	}
}

/* --- hostile texts: no outcome but the two, and the sanitizers watch --- */

static void parse_any(struct text_view text)
{
	struct settings settings, before;
	struct fault fault = { .result = RESULT_OK };
	settings_default(&settings);
	before = settings;
	enum result result = settings_parse(text, &settings, &fault);
	assert_true(result == RESULT_OK || result == RESULT_BAD_SETTING);
	if (result == RESULT_OK)
		return;
	assert_equal_settings(&settings, &before);
	assert_true(fault.what[0] != '\0');
	assert_false(text_has_control(text_view(fault.what)));
	assert_true(text_is_utf8(text_view(fault.what)));
}

static void settings_parse__truncated_and_mutated_texts__never_crash(void **state)
{
	(void)state;
	AUTO(buffer) struct buffer text = BUFFER(65536);
	uint32_t random = 12345;
	source_file_read("config/ferry.jsonc", &text);
	for (size_t length = 0; length < text.length; length += 31)
		parse_any((struct text_view){ text.bytes, length });
	for (unsigned round = 0; round < 1000; round++) {
		random = random * 1664525u + 1013904223u;
		size_t at = (random >> 8) % text.length;
		char kept = text.bytes[at];
		text.bytes[at] = (char)(random >> 3);
		parse_any((struct text_view){ text.bytes, text.length });
		text.bytes[at] = kept;
	}
}

static void settings_parse__huge_key__is_named_in_part(void **state)
{
	(void)state;
	AUTO(buffer) struct buffer text = BUFFER(262144);
	assert_int_equal(buffer_print(&text, "{\"log\":{\""), RESULT_OK);
	for (unsigned i = 0; i < 60000; i++)
		assert_int_equal(buffer_append(&text, "\xC3\xA4", 2), RESULT_OK);
	assert_int_equal(buffer_print(&text, "\":1}}"), RESULT_OK);
	parse_any((struct text_view){ text.bytes, text.length });
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(settings_default__every_key__has_the_tables_default),
		cmocka_unit_test(settings_def__every_row__has_its_default_within_bounds_and_a_reason),
		cmocka_unit_test(settings_parse__absent_keys__keep_their_value),
		cmocka_unit_test(settings_parse__every_key_at_its_bounds__is_taken_and_one_beyond_is_refused),
		cmocka_unit_test(settings_parse__wrong_number__names_line_column_key_and_bound),
		cmocka_unit_test(settings_parse__unknown_key__names_the_nearest),
		cmocka_unit_test(settings_parse__wrong_shape__is_refused),
		cmocka_unit_test(settings_parse__broken_text__names_line_and_column),
		cmocka_unit_test(settings_parse__lists__are_taken_in_order_up_to_their_limits),
		cmocka_unit_test(settings_parse__who__is_one_of_five_words),
		cmocka_unit_test(settings_parse__wrong_list__names_line_column_key_and_entry),
		cmocka_unit_test(settings_read__proxy_with_a_password__is_not_repeated),
		cmocka_unit_test(settings_read__layers__the_last_one_counts_and_each_value_knows_its_own),
		cmocka_unit_test(settings_write__every_key__reads_back),
		cmocka_unit_test(settings_read__several_slips__are_all_told),
		cmocka_unit_test(settings_read__more_slips_than_anybody_reads__are_counted),
		cmocka_unit_test(settings_take__what_differs__is_named_with_old_and_new),
		cmocka_unit_test(settings_take__read_at_the_start_only__stays_and_is_told_until_it_is_as_it_was),
		cmocka_unit_test(settings_take__everything__is_taken_and_told_as_far_as_there_is_room),
		cmocka_unit_test(setting_at_start__in_all_papers__says_so),
		cmocka_unit_test(ferry_jsonc__as_shipped__equals_the_built_in_defaults),
		cmocka_unit_test(settings_schema__every_key__agrees_with_the_table),
		cmocka_unit_test(settings_schema__good_and_bad_configurations__judges_as_the_parser),
		cmocka_unit_test(settings_parse__truncated_and_mutated_texts__never_crash),
		cmocka_unit_test(settings_parse__huge_key__is_named_in_part),
	};
	return cmocka_run_group_tests_name("core/settings", tests, NULL, NULL);
}
