/* The verbs that only look: list, show, status. */
#include "cli/cli.h"
#include "cli/terminal.h"
#include "platform/clock.h"

#define FILES_SHOWN 20

/* --- list --- */

struct listing {
	const struct cli *cli;
	struct table table;
	unsigned count;
};

static bool list_job(void *context, const struct ferry_status *status)
{
	struct listing *listing = context;

	listing->count++;
	if (listing->cli->json)
		cli_job_line(status);
	else
		output_table_job(&listing->table, status, clock_wall_ms());
	return true;
}

int verb_list(struct cli *cli)
{
	struct listing listing = { .cli = cli };
	struct ferry_error error;
	unsigned flags = 0;
	int code = cli_connect(cli);

	if (code != CLI_OK)
		return code;
	if (arguments_has(cli->arguments, OPTION_ALL))
		flags |= FERRY_LIST_FINISHED;
	if (arguments_has(cli->arguments, OPTION_EVERYONE))
		flags |= FERRY_LIST_EVERYONE;
	output_table_begin(&listing.table);
	enum ferry_result result = ferry_jobs(cli->ferry, flags, list_job, &listing, &error);
	if (result != FERRY_OK)
		code = cli_fail(cli, result, &error);
	else if (!cli->json && listing.count == 0)
		output_text("There are no jobs%s.\n",
		            flags & FERRY_LIST_FINISHED ? "" : " at work; --all shows finished ones too");
	else if (!cli->json)
		output_table_end(&listing.table, terminal_is_live(TERMINAL_OUT) ? terminal_columns(TERMINAL_OUT) : 0);
	table_done(&listing.table);
	return code;
}

/* --- show --- */

struct showing {
	const struct cli *cli;
	uint32_t shown, shown_max;
};

static bool show_file(void *context, const struct ferry_file *file)
{
	struct showing *showing = context;

	if (showing->shown == showing->shown_max)
		return false;
	showing->shown++;
	if (showing->cli->json) {
		AUTO(buffer) struct buffer line = BUFFER(OUTPUT_LINE_BYTES_MAX);
		struct json_writer writer = JSON_WRITER(&line);
		json_write_begin(&writer, NULL, '{');
		output_json_file(&writer, "file", file);
		json_write_end(&writer, '}');
		output_json_line(&writer);
	} else {
		output_file(file);
	}
	return true;
}

static int show(struct cli *cli, struct ferry_job *job)
{
	bool all_files = cli->json || arguments_has(cli->arguments, OPTION_FILES);
	struct showing showing = { .cli = cli, .shown_max = all_files ? UINT32_MAX : FILES_SHOWN };
	struct ferry_status status;
	struct ferry_error error;
	enum ferry_result result = ferry_job_get(job, &status, &error);

	if (result != FERRY_OK)
		return cli_fail(cli, result, &error);
	if (cli->json)
		cli_job_line(&status);
	else
		output_job(&status, clock_wall_ms());
	result = ferry_job_files(job, 0, show_file, &showing, &error);
	if (result != FERRY_OK)
		return cli_fail(cli, result, &error);
	if (!all_files && status.files_total > showing.shown)
		output_text("  and %u more; --files shows them all\n", status.files_total - showing.shown);
	return CLI_OK;
}

int verb_show(struct cli *cli)
{
	int code = cli_connect(cli);

	for (size_t i = 0; i < cli->arguments->operand_count && code == CLI_OK; i++) {
		struct ferry_job *job;
		code = cli_open(cli, cli->arguments->operands[i], &job);
		if (code == CLI_OK) {
			code = show(cli, job);
			ferry_job_close(job);
		}
	}
	return code;
}

/* --- status --- */

int verb_status(struct cli *cli)
{
	struct ferry_service service;
	struct ferry_server server;
	struct ferry_error error;
	int code = cli_connect(cli);

	if (code != CLI_OK)
		return code;
	enum ferry_result result = ferry_service_status(cli->ferry, &service, &error);
	if (result != FERRY_OK)
		return cli_fail(cli, result, &error);
	ferry_get_server(cli->ferry, &server);
	if (cli->json) {
		AUTO(buffer) struct buffer line = BUFFER(OUTPUT_LINE_BYTES_MAX);
		struct json_writer writer = JSON_WRITER(&line);
		json_write_begin(&writer, NULL, '{');
		output_json_service(&writer, "service", &service, &server);
		json_write_end(&writer, '}');
		output_json_line(&writer);
	} else {
		output_service(&service, &server, clock_wall_ms());
	}
	return CLI_OK;
}
