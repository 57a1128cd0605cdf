#include "cli/arguments.h"

#include <stdint.h>
#include <string.h>

#include "core/resume.h"
#include "core/text.h"

#define SECONDS_MAX (10u * 365u * 24u * 3600u) /* the service's maximum for a job's times */

#define BIT(name) (UINT64_C(1) << OPTION_##name)
#define EVERYWHERE (BIT(HELP) | BIT(VERSION) | BIT(JSON) | BIT(ADDRESS) | BIT(CONSOLE))
#define SUBMITTING                                                                                                     \
	(BIT(NAME) | BIT(DESCRIPTION) | BIT(KEY) | BIT(CORRELATION) | BIT(PRIORITY) | BIT(NO_COMPLETE) | BIT(SUSPENDED) | BIT(WAIT) |         \
	 BIT(NO_WAIT) | BIT(RETRY_DELAY) | BIT(NO_PROGRESS_TIMEOUT) | BIT(MAX_TIME) | BIT(MAX_SIZE) | BIT(NO_SEGMENTS) | BIT(LEASE) | BIT(FROM) |              \
	 BIT(ON_TOKEN_LOSS) | BIT(PINNED_HELPER) | BIT(PROFILE) | BIT(DIGEST) |            \
	 BIT(MIRROR) | BIT(IF_NONE_MATCH) | BIT(IF_MODIFIED_SINCE) | BIT(RANGE) | BIT(AUTH) |            \
	 BIT(PROXY) | BIT(PROXY_BYPASS) | BIT(HEADERS_FROM) | BIT(NO_REDIRECTS) | BIT(CLIENT_CERTIFICATE))
#define LENDING (BIT(USER) | BIT(ROOT) | BIT(MAX_AGE) | BIT(EVERYONE))
#define AUTH (BIT(TARGET) | BIT(SCHEME))
#define MANY UINT32_MAX
_Static_assert(OPTION_COUNT <= 64, "every option has a bit");

static const struct {
	const char *name;
	uint64_t options; /* beside EVERYWHERE */
	uint32_t operands_min, operands_max;
	uint64_t required; /* of the options */
} verbs[VERB_NONE] = {
	[VERB_SUBMIT] = { "submit", SUBMITTING | BIT(TIMEOUT) | BIT(QUIET), 0, MANY, 0 },
	[VERB_LIST] = { "list", BIT(ALL) | BIT(EVERYONE), 0, 0, 0 },
	[VERB_SHOW] = { "show", BIT(EVERYONE) | BIT(FILES), 1, MANY, 0 },
	[VERB_WAIT] = { "wait", BIT(TIMEOUT) | BIT(QUIET), 1, MANY, 0 },
	[VERB_WATCH] = { "watch", BIT(TIMEOUT), 0, MANY, 0 },
	[VERB_SUSPEND] = { "suspend", BIT(EVERYONE), 1, MANY, 0 },
	[VERB_RESUME] = { "resume", BIT(EVERYONE), 1, MANY, 0 },
	[VERB_CANCEL] = { "cancel", BIT(EVERYONE), 1, MANY, 0 },
	[VERB_COMPLETE] = { "complete", BIT(WAIT) | BIT(NO_WAIT) | BIT(TIMEOUT) | BIT(QUIET), 1, MANY, 0 },
	[VERB_RENEW] = { "renew", BIT(LEASE), 1, MANY, 0 },
	[VERB_PURGE] = { "purge", BIT(OLDER_THAN) | BIT(NAME) | BIT(EVERYONE), 0, 0, BIT(OLDER_THAN) },
	[VERB_STATUS] = { "status", 0, 0, 0, 0 },
	[VERB_PIPE] = { "pipe", BIT(TIMEOUT), 0, 0, 0 },
	[VERB_HELPER_SET] = { "helper set", LENDING, 1, 1, 0 },
	[VERB_HELPER_CLEAR] = { "helper clear", BIT(EVERYONE), 1, MANY, 0 },
	[VERB_HELPER_FLAGS] = { "helper flags", BIT(EVERYONE), 2, 2, 0 },
	[VERB_HELPER_SHOW] = { "helper show", BIT(EVERYONE), 1, MANY, 0 },
	[VERB_CREDENTIALS_SET] = { "credentials set", AUTH | BIT(USER), 1, 1, AUTH },
	[VERB_CREDENTIALS_REMOVE] = { "credentials remove", AUTH, 1, MANY, AUTH },
	[VERB_HEADERS_SET] = { "headers set", BIT(WRITE_ONLY), 1, 1, 0 },
	[VERB_HEADERS_SHOW] = { "headers show", 0, 1, 1, 0 },
	[VERB_HEADERS_REMOVE] = { "headers remove", 0, 1, MANY, 0 },
	[VERB_ATTACH] = { "attach", 0, 0, 0, 0 },
	[VERB_PREFLIGHT] = { "preflight", BIT(EVERYONE), 1, MANY, 0 },
	[VERB_TAKE_OWNERSHIP] = { "take-ownership", BIT(EVERYONE), 1, MANY, 0 },
	[VERB_REPLACE_PREFIX] = { "replace-prefix", 0, 3, 3, 0 },
	[VERB_PROXY_SHOW] = { "proxy show", BIT(JOB) | BIT(EVERYONE), 1, 1, 0 },
	[VERB_AUTH_TEST] = { "auth test", BIT(PROXY), 1, 1, 0 },
	[VERB_HISTORY] = { "history", BIT(EVERYONE), 1, MANY, 0 },
	[VERB_CONFIG_SHOW] = { "config show", BIT(ORIGIN), 0, 0, 0 },
	[VERB_CONFIG_RELOAD] = { "config reload", 0, 0, 0, 0 },
	[VERB_METRICS] = { "metrics", 0, 0, 0, 0 },
	[VERB_PLAN] = { "plan", 0, 0, 0, 0 },
	[VERB_APPLY] = { "apply", 0, 0, 0, 0 },
	[VERB_DOCTOR] = { "doctor", BIT(BUNDLE), 0, 0, 0 },
};

enum kind { FLAG, TEXT, SECONDS, BYTES, MOMENT, PRIORITY, TOKEN_LOSS, PROFILE, TARGET, SCHEME, WORDS };

static const struct {
	const char *name;
	enum kind kind;
	size_t offset; /* of its value in struct arguments */
	size_t most;   /* WORDS: how often it may be given */
} options[OPTION_COUNT] = {
	[OPTION_HELP] = { "--help", FLAG, 0, 0 },
	[OPTION_VERSION] = { "--version", FLAG, 0, 0 },
	[OPTION_JSON] = { "--json", FLAG, 0, 0 },
	[OPTION_QUIET] = { "--quiet", FLAG, 0, 0 },
	[OPTION_ADDRESS] = { "--address", TEXT, offsetof(struct arguments, address), 0 },
	[OPTION_CONSOLE] = { "--console", FLAG, 0, 0 },
	[OPTION_TIMEOUT] = { "--timeout", SECONDS, offsetof(struct arguments, timeout_s), 0 },
	[OPTION_NAME] = { "--name", TEXT, offsetof(struct arguments, name), 0 },
	[OPTION_DESCRIPTION] = { "--description", TEXT, offsetof(struct arguments, description), 0 },
	[OPTION_KEY] = { "--key", TEXT, offsetof(struct arguments, key), 0 },
	[OPTION_CORRELATION] = { "--correlation", TEXT, offsetof(struct arguments, correlation), 0 },
	[OPTION_PRIORITY] = { "--priority", PRIORITY, offsetof(struct arguments, priority), 0 },
	[OPTION_NO_COMPLETE] = { "--no-complete", FLAG, 0, 0 },
	[OPTION_SUSPENDED] = { "--suspended", FLAG, 0, 0 },
	[OPTION_WAIT] = { "--wait", FLAG, 0, 0 },
	[OPTION_NO_WAIT] = { "--no-wait", FLAG, 0, 0 },
	[OPTION_RETRY_DELAY] = { "--retry-delay", SECONDS, offsetof(struct arguments, retry_delay_s), 0 },
	[OPTION_NO_PROGRESS_TIMEOUT] = { "--no-progress-timeout", SECONDS,
	                                 offsetof(struct arguments, no_progress_timeout_s), 0 },
	[OPTION_MAX_TIME] = { "--max-time", SECONDS, offsetof(struct arguments, max_time_s), 0 },
	[OPTION_NO_SEGMENTS] = { "--no-segments", FLAG, 0, 0 },
	[OPTION_MAX_SIZE] = { "--max-size", BYTES, offsetof(struct arguments, max_bytes), 0 },
	[OPTION_LEASE] = { "--lease", SECONDS, offsetof(struct arguments, lease_s), 0 },
	[OPTION_OLDER_THAN] = { "--older-than", SECONDS, offsetof(struct arguments, older_than_s), 0 },
	[OPTION_FROM] = { "--from", TEXT, offsetof(struct arguments, from), 0 },
	[OPTION_ALL] = { "--all", FLAG, 0, 0 },
	[OPTION_EVERYONE] = { "--everyone", FLAG, 0, 0 },
	[OPTION_FILES] = { "--files", FLAG, 0, 0 },
	[OPTION_ON_TOKEN_LOSS] = { "--on-token-loss", TOKEN_LOSS, 0, 0 },
	[OPTION_PINNED_HELPER] = { "--pinned-helper", TEXT, offsetof(struct arguments, pinned_helper), 0 },
	[OPTION_PROFILE] = { "--profile", PROFILE, 0, 0 },
	[OPTION_DIGEST] = { "--digest", TEXT, offsetof(struct arguments, digest), 0 },
	[OPTION_MIRROR] = { "--mirror", WORDS, offsetof(struct arguments, mirrors), FERRY_MIRRORS_MAX },
	[OPTION_IF_NONE_MATCH] = { "--if-none-match", TEXT, offsetof(struct arguments, if_none_match), 0 },
	[OPTION_IF_MODIFIED_SINCE] = { "--if-modified-since", MOMENT, offsetof(struct arguments, if_modified_since_ms), 0 },
	[OPTION_RANGE] = { "--range", WORDS, offsetof(struct arguments, ranges), FERRY_ROOTS_MAX },
	[OPTION_USER] = { "--user", TEXT, offsetof(struct arguments, user), 0 },
	[OPTION_ROOT] = { "--root", WORDS, offsetof(struct arguments, roots), FERRY_ROOTS_MAX },
	[OPTION_MAX_AGE] = { "--max-age", SECONDS, offsetof(struct arguments, max_age_s), 0 },
	[OPTION_TARGET] = { "--target", TARGET, 0, 0 },
	[OPTION_SCHEME] = { "--scheme", SCHEME, 0, 0 },
	[OPTION_AUTH] = { "--auth", WORDS, offsetof(struct arguments, auth), 4 }, /* all that there are */
	[OPTION_PROXY] = { "--proxy", TEXT, offsetof(struct arguments, proxy), 0 },
	[OPTION_PROXY_BYPASS] = { "--proxy-bypass", TEXT, offsetof(struct arguments, proxy_bypass), 0 },
	[OPTION_NO_REDIRECTS] = { "--no-redirects", FLAG, 0, 0 },
	[OPTION_CLIENT_CERTIFICATE] = { "--client-certificate", TEXT, offsetof(struct arguments, client_certificate), 0 },
	[OPTION_JOB] = { "--job", TEXT, offsetof(struct arguments, job), 0 },
	[OPTION_WRITE_ONLY] = { "--write-only", FLAG, 0, 0 },
	[OPTION_HEADERS_FROM] = { "--headers-from", TEXT, offsetof(struct arguments, headers_from), 0 },
	[OPTION_ORIGIN] = { "--origin", FLAG, 0, 0 },
	[OPTION_BUNDLE] = { "--bundle", TEXT, offsetof(struct arguments, bundle), 0 },
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

/* "500", "500kB", "20MB", "4GB". */
static bool read_bytes(const char *text, uint64_t *ret_bytes)
{
	static const struct {
		const char *name;
		uint64_t factor;
	} units[] = { { "", 1 }, { "kB", 1000 }, { "MB", 1000000 }, { "GB", 1000000000 } };
	uint64_t number = 0;
	size_t digits = 0;

	for (; text[digits] >= '0' && text[digits] <= '9'; digits++) {
		if (number > INT64_MAX / 10 - 1)
			return false;
		number = number * 10 + (uint64_t)(text[digits] - '0');
	}
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (strcmp(text + digits, units[i].name) == 0 && number <= INT64_MAX / units[i].factor)
			*ret_bytes = number * units[i].factor;
	return *ret_bytes > 0;
}

bool arguments_read_moment(const char *text, int64_t *ret_unix_ms)
{
	int64_t number = 0;
	size_t digits = 0;

	for (; text[digits] >= '0' && text[digits] <= '9' && digits < 15; digits++)
		number = number * 10 + (text[digits] - '0');
	if (digits == 0 && resume_parse_date(text_view(text), &number))
		number *= 1000;
	else if (text[digits] != '\0')
		return false;
	*ret_unix_ms = number;
	return number > 0;
}

bool arguments_read_auth(const char *text, enum ferry_auth_target *ret_target, enum ferry_auth_scheme *ret_scheme)
{
	size_t length = strcspn(text, ":");
	char target[16];

	return text[length] == ':' && text_copy(target, sizeof(target), (struct text_view){ text, length }) == RESULT_OK &&
	       ferry_auth_target_from_name(target, ret_target) && ferry_auth_scheme_from_name(text + length + 1, ret_scheme) &&
	       (*ret_scheme == FERRY_AUTH_NEGOTIATE || *ret_scheme == FERRY_AUTH_NTLM);
}

bool arguments_read_flags(const char *text, unsigned *ret_flags)
{
	unsigned flags = 0, flag;

	if (strcmp(text, "none") == 0) {
		*ret_flags = 0;
		return true;
	}
	for (;;) {
		char name[32];
		size_t length = strcspn(text, ",");
		if (text_copy(name, sizeof(name), (struct text_view){ text, length }) != RESULT_OK ||
		    !ferry_helper_flag_from_name(name, &flag))
			return false;
		flags |= flag;
		if (text[length] == '\0')
			break;
		text += length + 1;
	}
	*ret_flags = flags;
	return true;
}

/* A value that is one of few words. */
static bool read_word(bool known, const char *name, const char *words, const char *value, char *problem)
{
	if (!known)
		text_display(problem, ARGUMENTS_PROBLEM_BYTES_MAX, "%s takes %s, not '%s'", name, words, value);
	return known;
}

static bool add_word(enum option option, const char *value, struct words *words, char *problem)
{
	if (words->count == options[option].most) {
		text_display(problem, ARGUMENTS_PROBLEM_BYTES_MAX, "%s is given more than %zu times", options[option].name,
		             words->count);
		return false;
	}
	words->words[words->count++] = value;
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
	case BYTES: {
		uint64_t bytes = 0;
		if (read_bytes(value, &bytes)) {
			memcpy(at, &bytes, sizeof(bytes));
			return true;
		}
		text_display(problem, ARGUMENTS_PROBLEM_BYTES_MAX, "%s takes a size like 500, 500kB, 20MB or 4GB, not '%s'", name,
		             value);
		return false;
	}
	case MOMENT: {
		int64_t unix_ms;
		if (arguments_read_moment(value, &unix_ms)) {
			memcpy(at, &unix_ms, sizeof(unix_ms));
			return true;
		}
		text_display(problem, ARGUMENTS_PROBLEM_BYTES_MAX,
		             "%s takes a date like \"Sun, 06 Nov 1994 08:49:37 GMT\", or Unix time in milliseconds, not '%s'", name,
		             value);
		return false;
	}
	case PRIORITY:
		return read_word(ferry_priority_from_name(value, &arguments->priority), name, "foreground, high, normal or low",
		                 value, problem);
	case TOKEN_LOSS:
		return read_word(ferry_token_loss_from_name(value, &arguments->on_token_loss), name, "error or wait", value,
		                 problem);
	case PROFILE:
		return read_word(ferry_profile_from_name(value, &arguments->profile), name, "interactive, update, bulk or none",
		                 value, problem);
	case TARGET:
		return read_word(ferry_auth_target_from_name(value, &arguments->target), name, "server or proxy", value, problem);
	case SCHEME:
		return read_word(ferry_auth_scheme_from_name(value, &arguments->scheme), name, "negotiate, ntlm, digest or basic",
		                 value, problem);
	case WORDS:
		return add_word(option, value, (struct words *)(void *)at, problem);
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
	if (arguments_has(arguments, option) && options[option].kind != WORDS) {
		text_display(problem, ARGUMENTS_PROBLEM_BYTES_MAX, "%s is given twice", options[option].name);
		return false;
	}
	arguments->given |= UINT64_C(1) << option;
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

/* --- verbs --- */

/* The first verb of which `word` is the whole name, or of a verb of two words behind `first` the second. */
static enum verb find_verb(const char *first, const char *word)
{
	char name[64];
	unsigned i = 0;

	text_display(name, sizeof(name), "%s%s%s", first != NULL ? first : "", first != NULL ? " " : "", word);
	while (i < VERB_NONE && strcmp(verbs[i].name, name) != 0)
		i++;
	return (enum verb)i;
}

/* The first verb of two words that begins with this one. */
static enum verb find_family(const char *first)
{
	size_t length = strlen(first);
	unsigned i = 0;

	while (i < VERB_NONE && (strncmp(verbs[i].name, first, length) != 0 || verbs[i].name[length] != ' '))
		i++;
	return (enum verb)i;
}

static bool miss_second_word(const char *first, char *problem)
{
	char words[128] = "";
	size_t length = strlen(first);

	for (unsigned i = 0; i < VERB_NONE; i++) {
		size_t used = strlen(words);
		if (strncmp(verbs[i].name, first, length) == 0 && verbs[i].name[length] == ' ')
			text_display(words + used, sizeof(words) - used, "%s%s", used > 0 ? ", " : "", verbs[i].name + length + 1);
	}
	text_display(problem, ARGUMENTS_PROBLEM_BYTES_MAX, "'ferry %s' needs a second word: %s", first, words);
	return false;
}

/* The next word, while there is no verb yet.  *first is the one before, of a verb that has two. */
static bool read_verb(const char *word, const char **first, struct arguments *arguments, char *problem)
{
	arguments->verb = find_verb(*first, word);
	if (arguments->verb != VERB_NONE)
		return true;
	if (*first != NULL)
		return miss_second_word(*first, problem);
	if (strcmp(word, "help") == 0) {
		arguments->given |= BIT(HELP); /* as many other programs have it */
	} else if (find_family(word) != VERB_NONE) {
		*first = word;
	} else {
		text_display(problem, ARGUMENTS_PROBLEM_BYTES_MAX, "there is no verb '%s'", word);
		return false;
	}
	return true;
}

/* --- what goes together --- */

static bool check_together(const struct arguments *arguments, char *problem)
{
	static const enum option excluding[][2] = {
		{ OPTION_WAIT, OPTION_NO_WAIT },
		{ OPTION_WAIT, OPTION_SUSPENDED },
	};

	if (arguments_has(arguments, OPTION_PROXY_BYPASS) && !arguments_has(arguments, OPTION_PROXY)) {
		text_display(problem, ARGUMENTS_PROBLEM_BYTES_MAX, "--proxy-bypass is for a list of proxies: --proxy LIST");
		return false;
	}
	for (size_t i = 0; i < sizeof(excluding) / sizeof(excluding[0]); i++) {
		if (arguments_has(arguments, excluding[i][0]) && arguments_has(arguments, excluding[i][1])) {
			text_display(problem, ARGUMENTS_PROBLEM_BYTES_MAX, "%s and %s exclude each other",
			             options[excluding[i][0]].name, options[excluding[i][1]].name);
			return false;
		}
	}
	return true;
}

static bool check_operands(const struct arguments *arguments, char *problem)
{
	const char *name = verbs[arguments->verb].name;
	size_t count = arguments->operand_count, most = verbs[arguments->verb].operands_max;

	if (count > most) {
		text_display(problem, ARGUMENTS_PROBLEM_BYTES_MAX, "'ferry %s' takes no '%s'", name, arguments->operands[most]);
		return false;
	}
	if (count >= verbs[arguments->verb].operands_min)
		return true;
	if (arguments->verb == VERB_PROXY_SHOW || arguments->verb == VERB_AUTH_TEST)
		text_display(problem, ARGUMENTS_PROBLEM_BYTES_MAX, "'ferry %s' needs a URL", name);
	else if (count == 0)
		text_display(problem, ARGUMENTS_PROBLEM_BYTES_MAX,
		             "'ferry %s' needs a job: its id, the beginning of "
		             "its id, or its name",
		             name);
	else if (arguments->verb == VERB_REPLACE_PREFIX)
		text_display(problem, ARGUMENTS_PROBLEM_BYTES_MAX,
		             "'ferry %s' needs a job, the beginning of its URLs, and what is to stand there instead", name);
	else
		text_display(problem, ARGUMENTS_PROBLEM_BYTES_MAX,
		             "'ferry %s' needs flags: local-file, network, local-file,network or none", name);
	return false;
}

static bool check_verb(const struct arguments *arguments, char *problem)
{
	const char *name = verbs[arguments->verb].name;
	uint64_t strange = arguments->given & ~(verbs[arguments->verb].options | EVERYWHERE);

	for (unsigned i = 0; i < OPTION_COUNT; i++) {
		if (strange & UINT64_C(1) << i) {
			text_display(problem, ARGUMENTS_PROBLEM_BYTES_MAX, "'ferry %s' has no option %s", name, options[i].name);
			return false;
		}
	}
	if (arguments_has(arguments, OPTION_HELP))
		return true;
	if (!check_operands(arguments, problem))
		return false;
	for (unsigned i = 0; i < OPTION_COUNT; i++) {
		if (verbs[arguments->verb].required & ~arguments->given & UINT64_C(1) << i) {
			text_display(problem, ARGUMENTS_PROBLEM_BYTES_MAX, "'ferry %s' needs %s", name, options[i].name);
			return false;
		}
	}
	return check_together(arguments, problem);
}

bool arguments_read(int argc, char **argv, struct arguments *ret_arguments, char problem[ARGUMENTS_PROBLEM_BYTES_MAX])
{
	struct arguments arguments = { .verb = VERB_NONE, .operands = argv };
	const char *first = NULL;
	bool ended = false;

	for (int i = 1; i < argc; i++) {
		char *word = argv[i];
		if (!ended && strcmp(word, "--") == 0) {
			ended = true;
		} else if (!ended && word[0] == '-' && word[1] != '\0') {
			if (!read_option(argc, argv, &i, &arguments, problem))
				return false;
		} else if (arguments.verb == VERB_NONE) {
			if (!read_verb(word, &first, &arguments, problem))
				return false;
		} else {
			/* The verb made room: the row never catches up with the words that are read. */
			argv[arguments.operand_count++] = word;
		}
	}
	if (arguments.verb == VERB_NONE && first != NULL) {
		if (!arguments_has(&arguments, OPTION_HELP))
			return miss_second_word(first, problem);
		arguments.verb = find_family(first); /* they share one text */
	}
	if (arguments.verb != VERB_NONE && !check_verb(&arguments, problem))
		return false;
	*ret_arguments = arguments;
	return true;
}
