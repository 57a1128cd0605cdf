#include "cli/cli.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cli/format.h"
#include "cli/select.h"
#include "ferry_build.h"

#define DECLARED "declared:" /* before the name of a declared job */

enum ferry_result cli_try_connect(struct cli *cli, struct ferry_error *error)
{
	const struct ferry_options options = {
		.address = cli->arguments->address,
		.client = "ferry " FERRY_VERSION,
		.accept_console = arguments_has(cli->arguments, OPTION_CONSOLE),
	};

	return cli->ferry != NULL ? FERRY_OK : ferry_connect(&options, &cli->ferry, error);
}

int cli_connect(struct cli *cli)
{
	struct ferry_error error;
	enum ferry_result result = cli_try_connect(cli, &error);

	return result == FERRY_OK ? CLI_OK : cli_fail(cli, result, &error);
}

/* --- which job --- */

static bool look_at(void *context, const struct ferry_status *status)
{
	select_job(context, status);
	return true;
}

static int say_many(const struct cli *cli, const struct select *select)
{
	if (cli->json)
		return cli_problem(cli, CLI_NOT_FOUND, "'%s' may mean %u jobs", select->word, select->count);
	output_note("ferry: '%s' may mean %u jobs:\n", select->word, select->count);
	for (unsigned i = 0; i < select->shown_count; i++)
		output_note("  %s  %-15s  %s\n", select->shown[i].id, ferry_state_name(select->shown[i].state),
		            select->shown[i].name);
	if (select->count > select->shown_count)
		output_note("  and %u more\n", select->count - select->shown_count);
	output_note("  what to do: give more of the id\n");
	return CLI_NOT_FOUND;
}

/* Whose helper one is cannot be listed: it is asked for by its name. */
static int find_declared(struct cli *cli, const char *name, char ret_id[FERRY_ID_BYTES])
{
	struct ferry_error error;
	enum ferry_result result = ferry_declared_find(cli->ferry, name, ret_id, &error);

	if (result == FERRY_NOT_FOUND)
		return cli_problem(cli, CLI_NOT_FOUND, "nothing that is declared as '%s' is fetched now, or it is not yours to know", name);
	return result == FERRY_OK ? CLI_OK : cli_fail(cli, result, &error);
}

/* Lists only what the caller's own are, unless everybody's were asked for. */
static int find(struct cli *cli, const char *word, char ret_id[FERRY_ID_BYTES])
{
	static struct select select; /* too large for the stack; there is one search at a time */
	struct ferry_error error;
	unsigned flags = FERRY_LIST_FINISHED;

	if (select_is_id(word, ret_id))
		return CLI_OK;
	if (strncmp(word, DECLARED, strlen(DECLARED)) == 0)
		return find_declared(cli, word + strlen(DECLARED), ret_id);
	if (arguments_has(cli->arguments, OPTION_EVERYONE))
		flags |= FERRY_LIST_EVERYONE;
	select_begin(&select, word);
	enum ferry_result result = ferry_jobs(cli->ferry, flags, look_at, &select, &error);
	if (result != FERRY_OK)
		return cli_fail(cli, result, &error);
	switch (select_end(&select, ret_id)) {
	case SELECT_ONE:
		return CLI_OK;
	case SELECT_MANY:
		return say_many(cli, &select);
	case SELECT_NONE:
		break;
	}
	return cli_problem(cli, CLI_NOT_FOUND, "there is no job '%s' of yours", word);
}

int cli_open(struct cli *cli, const char *word, struct ferry_job **ret_job)
{
	char id[FERRY_ID_BYTES];
	struct ferry_error error;
	int code = find(cli, word, id);

	if (code != CLI_OK)
		return code;
	enum ferry_result result = ferry_job_open(cli->ferry, id, ret_job, &error);
	return result == FERRY_OK ? CLI_OK : cli_fail(cli, result, &error);
}

int cli_each_job(struct cli *cli, int (*work)(struct cli *cli, struct ferry_job *job))
{
	int first = cli_connect(cli);

	if (first != CLI_OK)
		return first;
	for (size_t i = 0; i < cli->arguments->operand_count; i++) {
		struct ferry_job *job;
		int code = cli_open(cli, cli->arguments->operands[i], &job);
		if (code == CLI_OK) {
			code = work(cli, job);
			ferry_job_close(job);
		}
		if (first == CLI_OK)
			first = code;
		if (code == CLI_INTERRUPTED)
			break;
	}
	return first;
}

int cli_password(const struct cli *cli, char to[TERMINAL_SECRET_BYTES_MAX])
{
	char name[96], prompt[128];

	format_fit(cli->arguments->user, 80, name, sizeof(name));
	text_display(prompt, sizeof(prompt), "Password of %s: ", name);
	if (terminal_read_secret(prompt, to))
		return CLI_OK;
	text_wipe(to, TERMINAL_SECRET_BYTES_MAX);
	if (terminal_interrupted())
		return CLI_INTERRUPTED;
	return cli_problem(cli, CLI_USAGE, "--user needs a password: typed, or as one line on stdin");
}

/* --- saying --- */

static int code_of(enum ferry_result result)
{
	switch (result) {
	case FERRY_OK:
		return CLI_OK;
	case FERRY_NOT_RUNNING:
	case FERRY_NOT_THE_SERVICE:
	case FERRY_BUSY:
		return CLI_UNREACHABLE;
	case FERRY_REFUSED:
	case FERRY_ACCESS_REFUSED:
		return CLI_REFUSED;
	case FERRY_NOT_FOUND:
		return CLI_NOT_FOUND;
	case FERRY_TIMED_OUT:
		return CLI_TIMED_OUT;
	case FERRY_STOPPED:
		return CLI_INTERRUPTED;
	case FERRY_FAILED:
		break;
	}
	return CLI_FAILED;
}

int cli_fail(const struct cli *cli, enum ferry_result result, const struct ferry_error *error)
{
	if (cli->json) {
		AUTO(buffer) struct buffer line = BUFFER(OUTPUT_LINE_BYTES_MAX);
		struct json_writer writer = JSON_WRITER(&line);
		json_write_begin(&writer, NULL, '{');
		output_json_error(&writer, "error", error);
		json_write_end(&writer, '}');
		output_json_line(&writer);
	} else {
		output_error(error);
	}
	return code_of(result);
}

/* What failed here, not in the service. */
int cli_fault(const struct cli *cli, int code, const struct fault *fault, const char *remedy)
{
	struct ferry_error error = { .hresult = fault_hresult(fault), .code = fault->raw };

	text_display(error.name, sizeof(error.name), "%s", result_name(fault->result));
	text_display(error.message, sizeof(error.message), "%s %s", result_sentence(fault->result), fault->what);
	text_display(error.remedy, sizeof(error.remedy), "%s", remedy != NULL ? remedy : result_remedy(fault->result));
	if (fault->raw != 0)
		text_display(error.source, sizeof(error.source), "%s", fault_source_name(fault->source));
	cli_fail(cli, FERRY_FAILED, &error);
	return code;
}

/* The service was not asked, so the name is the command line's own. */
int cli_problem(const struct cli *cli, int code, const char *format, ...)
{
	struct ferry_error error = { .name = "FAILED", .hresult = 0x80004005u };
	const char *verb = verb_name(cli->arguments->verb);
	va_list arguments;

	if (code == CLI_USAGE) {
		error = (struct ferry_error){ .name = "USAGE", .hresult = 0x80070057u };
		text_display(error.remedy, sizeof(error.remedy), "See 'ferry %s%s--help'.", verb, verb[0] != '\0' ? " " : "");
	} else if (code == CLI_NOT_FOUND) {
		error = (struct ferry_error){ .name = "NOT_FOUND", .hresult = 0x80200001u,
			                      .remedy = "List your jobs with 'ferry list --all'." };
	}
	va_start(arguments, format);
	vsnprintf(error.message, sizeof(error.message), format, arguments);
	va_end(arguments);
	cli_fail(cli, FERRY_FAILED, &error);
	return code;
}

void cli_job_line(const struct ferry_status *status)
{
	AUTO(buffer) struct buffer line = BUFFER(OUTPUT_LINE_BYTES_MAX);
	struct json_writer writer = JSON_WRITER(&line);

	json_write_begin(&writer, NULL, '{');
	output_json_job(&writer, "job", status);
	json_write_end(&writer, '}');
	output_json_line(&writer);
}

void cli_title(const struct ferry_status *status, char to[CLI_TITLE_BYTES_MAX])
{
	char name[64];

	format_fit(status->name, 40, name, sizeof(name));
	text_display(to, CLI_TITLE_BYTES_MAX, "%.8s '%s'", status->id, name);
}
