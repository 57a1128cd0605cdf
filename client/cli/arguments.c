#include "cli/arguments.h"

#include <stdint.h>
#include <string.h>

#include "core/text.h"

#define SECONDS_MAX (10u * 365u * 24u * 3600u) /* the service's maximum for a job's times */

#define BIT(name) (1u << OPTION_##name)
#define EVERYWHERE (BIT(HELP) | BIT(VERSION) | BIT(JSON) | BIT(ADDRESS) | BIT(CONSOLE))
#define SUBMITTING                                                                                                     \
	(BIT(NAME) | BIT(DESCRIPTION) | BIT(KEY) | BIT(PRIORITY) | BIT(NO_COMPLETE) | BIT(SUSPENDED) | BIT(WAIT) |         \
	 BIT(NO_WAIT) | BIT(RETRY_DELAY) | BIT(NO_PROGRESS_TIMEOUT) | BIT(MAX_TIME) | BIT(LEASE) | BIT(FROM))

static const struct {
	const char *name;
	uint32_t options; /* beside EVERYWHERE */
	bool takes_operands, needs_operand;
	uint32_t required; /* of the options */
} verbs[VERB_NONE] = {
	[VERB_SUBMIT] = { "submit", SUBMITTING | BIT(TIMEOUT) | BIT(QUIET), true, false, 0 },
	[VERB_LIST] = { "list", BIT(ALL) | BIT(EVERYONE), false, false, 0 },
	[VERB_SHOW] = { "show", BIT(EVERYONE) | BIT(FILES), true, true, 0 },
	[VERB_WAIT] = { "wait", BIT(TIMEOUT) | BIT(QUIET), true, true, 0 },
	[VERB_WATCH] = { "watch", BIT(TIMEOUT), true, false, 0 },
	[VERB_SUSPEND] = { "suspend", BIT(EVERYONE), true, true, 0 },
	[VERB_RESUME] = { "resume", BIT(EVERYONE), true, true, 0 },
	[VERB_CANCEL] = { "cancel", BIT(EVERYONE), true, true, 0 },
	[VERB_COMPLETE] = { "complete", BIT(WAIT) | BIT(NO_WAIT) | BIT(TIMEOUT) | BIT(QUIET), true, true, 0 },
	[VERB_RENEW] = { "renew", BIT(LEASE), true, true, 0 },
	[VERB_PURGE] = { "purge", BIT(OLDER_THAN) | BIT(NAME) | BIT(EVERYONE), false, false, BIT(OLDER_THAN) },
	[VERB_STATUS] = { "status", 0, false, false, 0 },
	[VERB_PIPE] = { "pipe", BIT(TIMEOUT), false, false, 0 },
};

enum kind { FLAG, TEXT, SECONDS, PRIORITY };

static const struct {
	const char *name;
	enum kind kind;
	size_t offset; /* of its value in struct arguments */
} options[OPTION_COUNT] = {
	[OPTION_HELP] = { "--help", FLAG, 0 },
	[OPTION_VERSION] = { "--version", FLAG, 0 },
	[OPTION_JSON] = { "--json", FLAG, 0 },
	[OPTION_QUIET] = { "--quiet", FLAG, 0 },
	[OPTION_ADDRESS] = { "--address", TEXT, offsetof(struct arguments, address) },
	[OPTION_CONSOLE] = { "--console", FLAG, 0 },
	[OPTION_TIMEOUT] = { "--timeout", SECONDS, offsetof(struct arguments, timeout_s) },
	[OPTION_NAME] = { "--name", TEXT, offsetof(struct arguments, name) },
	[OPTION_DESCRIPTION] = { "--description", TEXT, offsetof(struct arguments, description) },
	[OPTION_KEY] = { "--key", TEXT, offsetof(struct arguments, key) },
	[OPTION_PRIORITY] = { "--priority", PRIORITY, offsetof(struct arguments, priority) },
	[OPTION_NO_COMPLETE] = { "--no-complete", FLAG, 0 },
	[OPTION_SUSPENDED] = { "--suspended", FLAG, 0 },
	[OPTION_WAIT] = { "--wait", FLAG, 0 },
	[OPTION_NO_WAIT] = { "--no-wait", FLAG, 0 },
	[OPTION_RETRY_DELAY] = { "--retry-delay", SECONDS, offsetof(struct arguments, retry_delay_s) },
	[OPTION_NO_PROGRESS_TIMEOUT] = { "--no-progress-timeout", SECONDS,
	                                 offsetof(struct arguments, no_progress_timeout_s) },
	[OPTION_MAX_TIME] = { "--max-time", SECONDS, offsetof(struct arguments, max_time_s) },
	[OPTION_LEASE] = { "--lease", SECONDS, offsetof(struct arguments, lease_s) },
	[OPTION_OLDER_THAN] = { "--older-than", SECONDS, offsetof(struct arguments, older_than_s) },
	[OPTION_FROM] = { "--from", TEXT, offsetof(struct arguments, from) },
	[OPTION_ALL] = { "--all", FLAG, 0 },
	[OPTION_EVERYONE] = { "--everyone", FLAG, 0 },
	[OPTION_FILES] = { "--files", FLAG, 0 },
};

const char *verb_name(enum verb verb)
{
	return verb < VERB_NONE ? verbs[verb].name : "";
}

/* --- values --- */

bool arguments_read_seconds(const char *text, uint32_t *ret_seconds)
{
	static const char units[] = "smhd";
	static const uint32_t factors[] = { 1, 60, 3600, 86400 };
	uint64_t number = 0;
	size_t i = 0;

	for (; text[i] >= '0' && text[i] <= '9'; i++) {
		number = number * 10 + (uint64_t)(text[i] - '0');
		if (number > SECONDS_MAX)
			return false;
	}
	if (i == 0)
		return false;
	if (text[i] != '\0') {
		const char *unit = strchr(units, text[i]);
		if (unit == NULL || text[i + 1] != '\0')
			return false;
		number *= factors[unit - units];
	}
	if (number > SECONDS_MAX)
		return false;
	*ret_seconds = (uint32_t)number;
	return true;
}

static bool read_value(enum option option, const char *value, struct arguments *arguments, char *problem)
{
	const char *name = options[option].name;
	char *at = (char *)arguments + options[option].offset;

	switch (options[option].kind) {
	case TEXT:
		memcpy(at, &value, sizeof(value));
		return true;
	case SECONDS: {
		uint32_t seconds;
		if (arguments_read_seconds(value, &seconds)) {
			memcpy(at, &seconds, sizeof(seconds));
			return true;
		}
		text_display(problem, ARGUMENTS_PROBLEM_BYTES_MAX, "%s takes a time like 90, 90s, 5m, 2h or 3d, not '%s'", name,
		             value);
		return false;
	}
	case PRIORITY:
		if (ferry_priority_from_name(value, &arguments->priority))
			return true;
		text_display(problem, ARGUMENTS_PROBLEM_BYTES_MAX, "%s takes foreground, high, normal or low, not '%s'", name,
		             value);
		return false;
	case FLAG:
		break;
	}
	text_display(problem, ARGUMENTS_PROBLEM_BYTES_MAX, "%s takes no value", name);
	return false;
}

/* --- options --- */

static enum option find_option(const char *word, size_t length)
{
	for (unsigned i = 0; i < OPTION_COUNT; i++) {
		if (strlen(options[i].name) == length && memcmp(options[i].name, word, length) == 0)
			return (enum option)i;
	}
	return OPTION_COUNT;
}

/* The option at argv[*at], and its value there or in the next word. */
static bool read_option(int argc, char **argv, int *at, struct arguments *arguments, char *problem)
{
	const char *word = argv[*at], *value = strchr(word, '=');
	size_t length = value != NULL ? (size_t)(value - word) : strlen(word);
	enum option option = strcmp(word, "-h") == 0 ? OPTION_HELP : find_option(word, length);

	if (option == OPTION_COUNT) {
		text_display(problem, ARGUMENTS_PROBLEM_BYTES_MAX, "there is no option %.*s", length < 64 ? (int)length : 64,
		             word);
		return false;
	}
	if (arguments_has(arguments, option)) {
		text_display(problem, ARGUMENTS_PROBLEM_BYTES_MAX, "%s is given twice", options[option].name);
		return false;
	}
	arguments->given |= 1u << option;
	if (value != NULL)
		return read_value(option, value + 1, arguments, problem);
	if (options[option].kind == FLAG)
		return true;
	if (*at + 1 >= argc) {
		text_display(problem, ARGUMENTS_PROBLEM_BYTES_MAX, "%s needs a value", options[option].name);
		return false;
	}
	*at += 1;
	return read_value(option, argv[*at], arguments, problem);
}

static bool is_verb(const char *word, enum verb *ret_verb)
{
	for (unsigned i = 0; i < VERB_NONE; i++) {
		if (strcmp(verbs[i].name, word) == 0) {
			*ret_verb = (enum verb)i;
			return true;
		}
	}
	return false;
}

/* --- what goes together --- */

static bool check_together(const struct arguments *arguments, char *problem)
{
	static const enum option excluding[][2] = {
		{ OPTION_WAIT, OPTION_NO_WAIT },
		{ OPTION_WAIT, OPTION_SUSPENDED },
	};

	for (size_t i = 0; i < sizeof(excluding) / sizeof(excluding[0]); i++) {
		if (arguments_has(arguments, excluding[i][0]) && arguments_has(arguments, excluding[i][1])) {
			text_display(problem, ARGUMENTS_PROBLEM_BYTES_MAX, "%s and %s exclude each other",
			             options[excluding[i][0]].name, options[excluding[i][1]].name);
			return false;
		}
	}
	return true;
}

static bool check_verb(const struct arguments *arguments, char *problem)
{
	const char *name = verbs[arguments->verb].name;
	uint32_t strange = arguments->given & ~(verbs[arguments->verb].options | EVERYWHERE);

	for (unsigned i = 0; i < OPTION_COUNT; i++) {
		if (strange & 1u << i) {
			text_display(problem, ARGUMENTS_PROBLEM_BYTES_MAX, "'ferry %s' has no option %s", name, options[i].name);
			return false;
		}
	}
	if (arguments_has(arguments, OPTION_HELP))
		return true;
	if (arguments->operand_count > 0 && !verbs[arguments->verb].takes_operands) {
		text_display(problem, ARGUMENTS_PROBLEM_BYTES_MAX, "'ferry %s' takes no '%s'", name, arguments->operands[0]);
		return false;
	}
	if (arguments->operand_count == 0 && verbs[arguments->verb].needs_operand) {
		text_display(problem, ARGUMENTS_PROBLEM_BYTES_MAX,
		             "'ferry %s' needs a job: its id, the beginning of "
		             "its id, or its name",
		             name);
		return false;
	}
	for (unsigned i = 0; i < OPTION_COUNT; i++) {
		if (verbs[arguments->verb].required & ~arguments->given & 1u << i) {
			text_display(problem, ARGUMENTS_PROBLEM_BYTES_MAX, "'ferry %s' needs %s", name, options[i].name);
			return false;
		}
	}
	return check_together(arguments, problem);
}

bool arguments_read(int argc, char **argv, struct arguments *ret_arguments, char problem[ARGUMENTS_PROBLEM_BYTES_MAX])
{
	struct arguments arguments = { .verb = VERB_NONE, .operands = argv };
	bool ended = false;

	for (int i = 1; i < argc; i++) {
		char *word = argv[i];
		if (!ended && strcmp(word, "--") == 0) {
			ended = true;
		} else if (!ended && word[0] == '-' && word[1] != '\0') {
			if (!read_option(argc, argv, &i, &arguments, problem))
				return false;
		} else if (arguments.verb == VERB_NONE) {
			if (strcmp(word, "help") == 0) {
				arguments.given |= BIT(HELP); /* as many other programs have it */
			} else if (!is_verb(word, &arguments.verb)) {
				text_display(problem, ARGUMENTS_PROBLEM_BYTES_MAX, "there is no verb '%s'", word);
				return false;
			}
		} else {
			/* The verb made room: the row never catches up with the words that are read. */
			argv[arguments.operand_count++] = word;
		}
	}
	if (arguments.verb != VERB_NONE && !check_verb(&arguments, problem))
		return false;
	*ret_arguments = arguments;
	return true;
}
