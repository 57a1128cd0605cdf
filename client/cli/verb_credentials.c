/* The verbs about credentials: credentials set, credentials remove. */
#include "cli/cli.h"

static int say(const struct cli *cli, struct ferry_job *job)
{
	char title[CLI_TITLE_BYTES_MAX], credentials[OUTPUT_CREDENTIALS_BYTES_MAX];
	struct ferry_status status;
	struct ferry_error error;
	enum ferry_result result = ferry_job_get(job, &status, &error);

	if (result != FERRY_OK)
		return cli_fail(cli, result, &error);
	cli_title(&status, title);
	output_credentials(&status, credentials);
	if (cli->json)
		cli_job_line(&status);
	else
		output_text("%s: credentials: %s\n", title, credentials);
	return CLI_OK;
}

static int set(struct cli *cli, struct ferry_job *job)
{
	const struct arguments *arguments = cli->arguments;
	char password[TERMINAL_SECRET_BYTES_MAX];
	struct ferry_error error;
	int code = arguments->user != NULL ? cli_password(cli, password) : CLI_OK;

	if (code != CLI_OK)
		return code;
	enum ferry_result result = ferry_job_set_credentials(job, arguments->target, arguments->scheme, arguments->user,
	                                                     arguments->user != NULL ? password : NULL, &error);
	text_wipe(password, sizeof(password));
	return result == FERRY_OK ? say(cli, job) : cli_fail(cli, result, &error);
}

int verb_credentials_set(struct cli *cli)
{
	return cli_each_job(cli, set);
}

static int remove_credentials(struct cli *cli, struct ferry_job *job)
{
	struct ferry_error error;
	enum ferry_result result = ferry_job_remove_credentials(job, cli->arguments->target, cli->arguments->scheme, &error);

	return result == FERRY_OK ? say(cli, job) : cli_fail(cli, result, &error);
}

int verb_credentials_remove(struct cli *cli)
{
	return cli_each_job(cli, remove_credentials);
}
