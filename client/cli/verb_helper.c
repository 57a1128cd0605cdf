/* The verbs about a job's two identities: helper set, clear, flags and show, attach, preflight. */
#include <stdlib.h>

#include "cli/cli.h"
#include "cli/format.h"
#include "platform/ipc_client.h"

/* --- helper set: lend a token --- */

static int log_on(const struct cli *cli, struct ipc_speaker **ret_helper)
{
	char password[TERMINAL_SECRET_BYTES_MAX];
	struct fault fault = { .result = RESULT_OK };
	int code = cli_password(cli, password);

	if (code != CLI_OK)
		return code;
	enum result result = ipc_speaker_logon(cli->arguments->user, password, ret_helper, &fault);
	text_wipe(password, sizeof(password));
	if (result != RESULT_OK)
		return cli_fault(cli, result == RESULT_ACCESS_REFUSED ? CLI_REFUSED : CLI_FAILED, &fault,
		                 result == RESULT_ACCESS_REFUSED ? "Check the user's name and password, and that the user may "
		                                                   "log on to this machine." :
		                                                   NULL);
	return CLI_OK;
}

static const char *how_long(enum ferry_token_life life)
{
	switch (life) {
	case FERRY_LIFE_SESSION:
		return "until the session that it came from ends";
	case FERRY_LIFE_JOB:
		return "as long as the job needs it";
	case FERRY_LIFE_CONNECTION:
		return "as long as this command runs";
	case FERRY_LIFE_OTHER:
		break;
	}
	return "for a time that this program has no words for";
}

static void say_lent(const struct cli *cli, const char *id, const struct ferry_loan_terms *terms)
{
	const char *user = cli->arguments->user;
	char age[FORMAT_BYTES_MAX];

	if (cli->json) {
		AUTO(buffer) struct buffer line = BUFFER(OUTPUT_LINE_BYTES_MAX);
		struct json_writer writer = JSON_WRITER(&line);
		json_write_begin(&writer, NULL, '{');
		json_write_begin(&writer, "lent", '{');
		json_write_text(&writer, "id", text_view(id));
		json_write_text(&writer, "sid", text_view(terms->sid));
		json_write_text(&writer, "life", text_view(ferry_token_life_name(terms->life)));
		if (terms->warning[0] == '\0')
			json_write_raw(&writer, "warning", text_view("null"));
		else
			json_write_text(&writer, "warning", text_view(terms->warning));
		json_write_end(&writer, '}');
		json_write_end(&writer, '}');
		output_json_line(&writer);
		return;
	}
	format_duration(cli->arguments->max_age_s, age);
	output_text("%.8s: the token of %s%s%s%s is lent, and kept %s%s%s\n", id, user != NULL ? user : "",
	            user != NULL ? " (" : "", terms->sid, user != NULL ? ")" : "", how_long(terms->life),
	            cli->arguments->max_age_s > 0 ? ", at most " : "", cli->arguments->max_age_s > 0 ? age : "");
	if (terms->warning[0] != '\0')
		output_note("ferry: %s\n", terms->warning);
	if (terms->life == FERRY_LIFE_CONNECTION)
		output_note("ferry: the token is gone when this command ends: its logon belongs to no session\n"
		            "  what to do: say how long it may be kept, like --max-age 8h\n");
}

/* The job was opened as oneself; `helper` (NULL: oneself) is worn for the one message that lends it (rule 5). */
static int lend_as(struct cli *cli, struct ferry_job *job, const struct ipc_speaker *helper,
                   const struct ferry_loan *loan)
{
	AUTO(ipc_speaker) struct ipc_speaker *self = NULL;
	struct fault fault = { .result = RESULT_OK };
	struct ferry_loan_terms terms;
	struct ferry_error error;
	enum result result = ipc_speaker_current(&self, &fault);

	if (result == RESULT_OK && helper != NULL)
		result = ipc_speaker_wear(helper, &fault);
	if (result != RESULT_OK)
		return cli_fault(cli, CLI_FAILED, &fault, NULL);
	enum ferry_result lent = ferry_job_set_helper_token(job, loan, &terms, &error);
	/* As somebody else nothing more may be done, not even say what went wrong. */
	if (helper != NULL && ipc_speaker_wear(self, NULL) != RESULT_OK)
		abort();
	if (lent != FERRY_OK)
		return cli_fail(cli, lent, &error);
	say_lent(cli, ferry_job_id(job), &terms);
	return CLI_OK;
}

static int lend(struct cli *cli, struct ferry_job *job)
{
	static char folders[FERRY_ROOTS_MAX][FERRY_PATH_BYTES_MAX + 1];
	const char *roots[FERRY_ROOTS_MAX];
	const struct arguments *arguments = cli->arguments;
	const struct ferry_loan loan = { roots, arguments->roots.count, arguments->max_age_s };
	AUTO(ipc_speaker) struct ipc_speaker *helper = NULL;

	for (size_t i = 0; i < arguments->roots.count; i++) {
		if (!terminal_absolute(arguments->roots.words[i], folders[i], sizeof(folders[i])))
			return cli_problem(cli, CLI_USAGE, "--root %s is no folder that can be named", arguments->roots.words[i]);
		roots[i] = folders[i];
	}
	int code = arguments->user != NULL ? log_on(cli, &helper) : CLI_OK;
	return code == CLI_OK ? lend_as(cli, job, helper, &loan) : code;
}

int verb_helper_set(struct cli *cli)
{
	/* The library takes 0 for "not stated". */
	if (arguments_has(cli->arguments, OPTION_MAX_AGE) && cli->arguments->max_age_s == 0)
		return cli_problem(cli, CLI_USAGE, "--max-age 0 would keep nothing");
	return cli_each_job(cli, lend);
}

/* --- helper clear, flags, show --- */

static int say_helper(struct cli *cli, struct ferry_job *job)
{
	char title[CLI_TITLE_BYTES_MAX], flags[OUTPUT_FLAGS_BYTES_MAX];
	struct ferry_status status;
	struct ferry_error error;
	enum ferry_result result = ferry_job_get(job, &status, &error);

	if (result != FERRY_OK)
		return cli_fail(cli, result, &error);
	cli_title(&status, title);
	output_flags(status.helper_flags, flags);
	if (cli->json)
		cli_job_line(&status);
	else
		output_text("%s: flags %s; %s%s\n", title, flags, status.helper_sid[0] != '\0' ? "the token of " : "no token",
		            status.helper_sid);
	return CLI_OK;
}

static int clear(struct cli *cli, struct ferry_job *job)
{
	struct ferry_error error;
	enum ferry_result result = ferry_job_clear_helper_token(job, &error);

	return result == FERRY_OK ? say_helper(cli, job) : cli_fail(cli, result, &error);
}

int verb_helper_clear(struct cli *cli)
{
	return cli_each_job(cli, clear);
}

int verb_helper_flags(struct cli *cli)
{
	const struct arguments *arguments = cli->arguments;
	struct ferry_job *job;
	struct ferry_error error;
	unsigned flags;

	if (!arguments_read_flags(arguments->operands[1], &flags))
		return cli_problem(cli, CLI_USAGE, "the flags are local-file, network, local-file,network or none, not '%s'",
		                   arguments->operands[1]);
	int code = cli_connect(cli);
	if (code == CLI_OK)
		code = cli_open(cli, arguments->operands[0], &job);
	if (code != CLI_OK)
		return code;
	enum ferry_result result = ferry_job_set_helper_token_flags(job, flags, &error);
	code = result == FERRY_OK ? say_helper(cli, job) : cli_fail(cli, result, &error);
	ferry_job_close(job);
	return code;
}

static int show(struct cli *cli, struct ferry_job *job)
{
	struct ferry_status status;
	struct ferry_error error;
	enum ferry_result result = ferry_job_get(job, &status, &error);

	if (result != FERRY_OK)
		return cli_fail(cli, result, &error);
	if (cli->json) {
		cli_job_line(&status);
		return CLI_OK;
	}
	output_text("%s  %s\n", status.id, status.name);
	output_identities(&status, true);
	return CLI_OK;
}

int verb_helper_show(struct cli *cli)
{
	return cli_each_job(cli, show);
}

/* --- attach: be there --- */

int verb_attach(struct cli *cli)
{
	struct ferry_server server;
	int code = cli_connect(cli);

	if (code != CLI_OK)
		return code;
	ferry_get_server(cli->ferry, &server);
	if (cli->json) {
		AUTO(buffer) struct buffer line = BUFFER(OUTPUT_LINE_BYTES_MAX);
		struct json_writer writer = JSON_WRITER(&line);
		json_write_begin(&writer, NULL, '{');
		json_write_begin(&writer, "attached", '{');
		json_write_text(&writer, "owner", text_view(server.owner));
		json_write_bool(&writer, "elevated", server.elevated);
		json_write_end(&writer, '}');
		json_write_end(&writer, '}');
		output_json_line(&writer);
	} else {
		output_text("The service knows you as %s%s\n", server.owner, server.elevated ? ", as an administrator" : "");
	}
	return CLI_OK;
}

/* --- preflight --- */

static int preflight(struct cli *cli, struct ferry_job *job)
{
	struct ferry_preflight found;
	struct ferry_error error;
	enum ferry_result result = ferry_job_preflight(job, &found, &error);

	if (result != FERRY_OK)
		return cli_fail(cli, result, &error);
	if (cli->json) {
		AUTO(buffer) struct buffer line = BUFFER(OUTPUT_LINE_BYTES_MAX);
		struct json_writer writer = JSON_WRITER(&line);
		json_write_begin(&writer, NULL, '{');
		output_json_preflight(&writer, "preflight", ferry_job_id(job), &found);
		json_write_end(&writer, '}');
		output_json_line(&writer);
	} else {
		output_text("%s\n", ferry_job_id(job));
		output_preflight(&found);
	}
	bool ready = found.file.sid[0] != '\0' && found.network.sid[0] != '\0' && found.file_error.name[0] == '\0';
	return ready ? CLI_OK : CLI_JOB_FAILED;
}

int verb_preflight(struct cli *cli)
{
	return cli_each_job(cli, preflight);
}
