#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/sources.h"
#include "cli/terminal.h"

#define LIST_LINE_BYTES_MAX 32768

/* --- what to fetch --- */

static int read_list(const struct cli *cli, FILE *list, struct sources *sources)
{
	char line[LIST_LINE_BYTES_MAX], problem[SOURCES_PROBLEM_BYTES_MAX];

	for (unsigned long number = 1; fgets(line, sizeof(line), list) != NULL; number++) {
		if (strchr(line, '\n') == NULL && !feof(list))
			return cli_problem(cli, CLI_USAGE, "line %lu of the list is too long", number);
		if (!sources_add_line(sources, line, terminal_absolute, problem))
			return cli_problem(cli, CLI_USAGE, "line %lu of the list: %s", number, problem);
	}
	return ferror(list) ? cli_problem(cli, CLI_FAILED, "the list cannot be read") : CLI_OK;
}

static int read_from(const struct cli *cli, const char *from, struct sources *sources)
{
	if (strcmp(from, "-") == 0)
		return read_list(cli, stdin, sources);
	FILE *list = terminal_open(from);
	if (list == NULL)
		return cli_problem(cli, CLI_USAGE, "the list %s cannot be opened", from);
	int code = read_list(cli, list, sources);
	fclose(list);
	return code;
}

/* The one file that the command line may say more about. */
static int add_one(const struct cli *cli, const struct ferry_source *file, struct sources *sources)
{
	const struct words *words = &cli->arguments->ranges;
	char problem[SOURCES_PROBLEM_BYTES_MAX];
	struct ferry_source one = *file;
	int code = CLI_OK;

	for (size_t i = 0; code == CLI_OK && i < words->count; i++)
		if (!sources_read_ranges(&one, words->words[i]))
			code = cli_problem(cli, CLI_USAGE, "--range takes FIRST-LAST, both of them included, or FIRST- for all from there on; "
			                                   "'%s' is neither, or has bytes twice", words->words[i]);
	if (code == CLI_OK && !sources_add(sources, &one, terminal_absolute, problem))
		code = cli_problem(cli, CLI_USAGE, "%s", problem);
	free((void *)(uintptr_t)one.ranges);
	return code;
}

static int read_sources(const struct cli *cli, struct sources *sources)
{
	static const struct {
		enum option option;
		const char *name;
	} of_one[] = {
		{ OPTION_DIGEST, "--digest" },
		{ OPTION_MIRROR, "--mirror" },
		{ OPTION_IF_NONE_MATCH, "--if-none-match" },
		{ OPTION_IF_MODIFIED_SINCE, "--if-modified-since" },
		{ OPTION_RANGE, "--range" },
	};
	const struct arguments *arguments = cli->arguments;
	int code = CLI_OK;

	if (arguments->operand_count % 2 != 0)
		return cli_problem(cli, CLI_USAGE, "every URL needs a destination: ferry submit URL DESTINATION");
	for (size_t i = 0; i < sizeof(of_one) / sizeof(of_one[0]); i++)
		if (arguments_has(arguments, of_one[i].option) && arguments->operand_count != 2)
			return cli_problem(cli, CLI_USAGE, "%s is for one URL; a list (--from) has them on each line", of_one[i].name);
	for (size_t i = 0; code == CLI_OK && i < arguments->operand_count; i += 2) {
		const struct ferry_source file = { .url = arguments->operands[i],
			                               .path = arguments->operands[i + 1],
			                               .size_bytes = FERRY_SIZE_UNKNOWN,
			                               .digest = arguments->digest,
			                               .mirrors = arguments->mirrors.words,
			                               .mirror_count = arguments->mirrors.count,
			                               .if_none_match = arguments->if_none_match,
			                               .if_modified_since_ms = arguments->if_modified_since_ms };
		code = add_one(cli, &file, sources);
	}
	if (code == CLI_OK && arguments->from != NULL)
		code = read_from(cli, arguments->from, sources);
	if (code == CLI_OK && sources->count == 0)
		return cli_problem(cli, CLI_USAGE, "there is nothing to fetch: ferry submit URL DESTINATION");
	return code;
}

/* --- the job --- */

/* A job without a name is called after its first file. */
static const char *name_of(const struct arguments *arguments, const struct sources *sources)
{
	if (arguments_has(arguments, OPTION_NAME))
		return arguments->name;
	const char *path = sources->files[0].path, *name = path;
	for (const char *at = path; *at != '\0'; at++) {
		if ((*at == '/' || *at == '\\') && at[1] != '\0')
			name = at + 1;
	}
	return name;
}

static void read_proxy(const struct arguments *arguments, struct ferry_properties *properties)
{
	const char *proxy = arguments->proxy;

	if (strcmp(proxy, "none") == 0)
		properties->proxy = FERRY_PROXY_NONE;
	else if (strcmp(proxy, "autodetect") == 0)
		properties->proxy = FERRY_PROXY_AUTODETECT;
	else
		properties->proxy = FERRY_PROXY_EXPLICIT;
	properties->proxy_list = properties->proxy == FERRY_PROXY_EXPLICIT ? proxy : NULL;
	properties->proxy_bypass = arguments->proxy_bypass;
	properties->given |= FERRY_GIVE_PROXY;
}

static struct ferry_properties properties_of(const struct arguments *arguments, const struct sources *sources)
{
	static const struct {
		enum option option;
		unsigned given;
	} optional[] = {
		{ OPTION_DESCRIPTION, FERRY_GIVE_DESCRIPTION },
		{ OPTION_PRIORITY, FERRY_GIVE_PRIORITY },
		{ OPTION_RETRY_DELAY, FERRY_GIVE_RETRY_DELAY },
		{ OPTION_NO_PROGRESS_TIMEOUT, FERRY_GIVE_NO_PROGRESS_TIMEOUT },
		{ OPTION_MAX_TIME, FERRY_GIVE_MAX_TIME },
		{ OPTION_LEASE, FERRY_GIVE_LEASE },
		{ OPTION_ON_TOKEN_LOSS, FERRY_GIVE_ON_TOKEN_LOSS },
		{ OPTION_PINNED_HELPER, FERRY_GIVE_PINNED_HELPER },
		{ OPTION_PROFILE, FERRY_GIVE_PROFILE },
		{ OPTION_MAX_SIZE, FERRY_GIVE_MAX_BYTES },
		{ OPTION_NO_SEGMENTS, FERRY_GIVE_NO_SEGMENTS },
		{ OPTION_NO_REDIRECTS, FERRY_GIVE_NO_REDIRECTS },
		{ OPTION_CLIENT_CERTIFICATE, FERRY_GIVE_CLIENT_CERTIFICATE },
	};
	struct ferry_properties properties = {
		.given = FERRY_GIVE_NAME | FERRY_GIVE_AUTO_COMPLETE,
		.name = name_of(arguments, sources),
		.description = arguments->description,
		.priority = arguments->priority,
		.auto_complete = !arguments_has(arguments, OPTION_NO_COMPLETE),
		.retry_delay_s = arguments->retry_delay_s,
		.no_progress_timeout_s = arguments->no_progress_timeout_s,
		.max_time_s = arguments->max_time_s,
		.lease_s = arguments->lease_s,
		.on_token_loss = arguments->on_token_loss,
		.pinned_helper = arguments->pinned_helper,
		.profile = arguments->profile,
		.max_bytes = arguments->max_bytes,
		.no_segments = true,
		.no_redirects = true,
		.client_certificate = arguments->client_certificate,
	};

	for (size_t i = 0; i < sizeof(optional) / sizeof(optional[0]); i++) {
		if (arguments_has(arguments, optional[i].option))
			properties.given |= optional[i].given;
	}
	if (arguments_has(arguments, OPTION_PROXY))
		read_proxy(arguments, &properties);
	return properties;
}

static void say_submitted(const struct cli *cli, const struct ferry_status *status, bool created)
{
	if (cli->json) {
		AUTO(buffer) struct buffer line = BUFFER(OUTPUT_LINE_BYTES_MAX);
		struct json_writer writer = JSON_WRITER(&line);
		json_write_begin(&writer, NULL, '{');
		output_json_job(&writer, "job", status);
		json_write_bool(&writer, "created", created);
		json_write_end(&writer, '}');
		output_json_line(&writer);
	} else if (!arguments_has(cli->arguments, OPTION_QUIET)) {
		output_text("%s  %s%s\n", status->id, status->name, created ? "" : " (it was there already)");
	}
}

static int check_auth(const struct cli *cli)
{
	const struct words *words = &cli->arguments->auth;
	enum ferry_auth_target target;
	enum ferry_auth_scheme scheme;

	for (size_t i = 0; i < words->count; i++)
		if (!arguments_read_auth(words->words[i], &target, &scheme))
			return cli_problem(cli, CLI_USAGE, "--auth takes server:negotiate, server:ntlm, proxy:negotiate or proxy:ntlm, not "
			                                   "'%s'; 'ferry credentials set' takes passwords", words->words[i]);
	return CLI_OK;
}

static enum ferry_result set_auth(const struct cli *cli, struct ferry_job *job, struct ferry_error *error)
{
	const struct words *words = &cli->arguments->auth;
	enum ferry_result result = FERRY_OK;

	for (size_t i = 0; result == FERRY_OK && i < words->count; i++) {
		enum ferry_auth_target target;
		enum ferry_auth_scheme scheme;

		if (arguments_read_auth(words->words[i], &target, &scheme))
			result = ferry_job_set_credentials(job, target, scheme, NULL, NULL, error);
	}
	return result;
}

static enum ferry_result set_headers(struct ferry_job *job, const struct header_lines *headers, struct ferry_error *error)
{
	return headers->count > 0 ? ferry_job_set_headers(job, headers->lines, headers->count, false, error) : FERRY_OK;
}

/* Let it run, unless it is to rest; a job found by its key may be anywhere in its life already. */
static int start(const struct cli *cli, struct ferry_job *job, const struct header_lines *headers, struct ferry_status *ret_status)
{
	struct ferry_error error;
	enum ferry_result result = ferry_job_get(job, ret_status, &error);
	bool rests = result == FERRY_OK && ret_status->state == FERRY_STATE_SUSPENDED;

	if (rests)
		result = set_auth(cli, job, &error);
	if (result == FERRY_OK && rests)
		result = set_headers(job, headers, &error);
	if (result == FERRY_OK && rests)
		result = arguments_has(cli->arguments, OPTION_SUSPENDED) ? ferry_job_get(job, ret_status, &error) :
		                                                           ferry_job_resume(job, ret_status, &error);
	return result == FERRY_OK ? CLI_OK : cli_fail(cli, result, &error);
}

/* A new job that cannot even start is not left behind: the next try would only add another. */
static void give_up(const struct cli *cli, struct ferry_job *job)
{
	struct ferry_error error;

	if (ferry_job_cancel(job, NULL, &error) != FERRY_OK)
		output_note("ferry: the job %s was made, but not resumed, and is still there\n", ferry_job_id(job));
	else if (!cli->json) /* the remedies speak of resuming it */
		output_note("  no job was kept: submit it again then\n");
}

static int submit(struct cli *cli, const struct sources *sources, const struct header_lines *headers)
{
	const struct arguments *arguments = cli->arguments;
	struct ferry_job *job;
	struct ferry_status status;
	struct ferry_error error;
	bool created;
	const struct ferry_new_job request = {
		.key = arguments->key,
		.correlation = arguments->correlation,
		.properties = properties_of(arguments, sources),
		.files = sources->files,
		.file_count = sources->count,
	};
	enum ferry_result result = ferry_job_create(cli->ferry, &request, &job, &created, &error);
	if (result != FERRY_OK)
		return cli_fail(cli, result, &error);

	int code = start(cli, job, headers, &status);
	if (code == CLI_OK)
		say_submitted(cli, &status, created);
	else if (created)
		give_up(cli, job);
	if (code == CLI_OK && !arguments_has(arguments, OPTION_NO_WAIT) && !arguments_has(arguments, OPTION_SUSPENDED))
		code = cli_wait(cli, job);
	ferry_job_close(job);
	return code;
}

static bool is_stdin(const char *from)
{
	return from != NULL && strcmp(from, "-") == 0;
}

int verb_submit(struct cli *cli)
{
	const struct arguments *arguments = cli->arguments;
	AUTO(sources) struct sources sources = { .files = NULL };
	struct header_lines headers = { .count = 0 };
	int code;

	if (is_stdin(arguments->from) && is_stdin(arguments->headers_from))
		return cli_problem(cli, CLI_USAGE, "--from and --headers-from cannot both be stdin");
	code = read_sources(cli, &sources);
	if (code == CLI_OK)
		code = check_auth(cli);
	if (code == CLI_OK && arguments->headers_from != NULL)
		code = cli_read_headers(cli, arguments->headers_from, &headers);
	if (code == CLI_OK)
		code = cli_connect(cli);
	if (code == CLI_OK)
		code = submit(cli, &sources, &headers);
	text_wipe(&headers, sizeof(headers));
	return code;
}
