/* The verbs that act on jobs: wait, suspend, resume, cancel, complete, renew, take-ownership.  Each takes several jobs,
 * goes through all of them, and ends with the first code that is not 0.  And replace-prefix, which takes one. */
#include <inttypes.h>

#include "cli/cli.h"
#include "cli/format.h"

static int say(const struct cli *cli, enum ferry_result result, const struct ferry_status *status,
               const struct ferry_error *error)
{
	char title[CLI_TITLE_BYTES_MAX];

	if (result != FERRY_OK)
		return cli_fail(cli, result, error);
	cli_title(status, title);
	if (cli->json)
		cli_job_line(status);
	else
		output_text("%s: %s\n", title, ferry_state_name(status->state));
	return CLI_OK;
}

int verb_wait(struct cli *cli)
{
	return cli_each_job(cli, cli_wait);
}

static int suspend(struct cli *cli, struct ferry_job *job)
{
	struct ferry_status status;
	struct ferry_error error;
	enum ferry_result result = ferry_job_suspend(job, &status, &error);

	return say(cli, result, &status, &error);
}

int verb_suspend(struct cli *cli)
{
	return cli_each_job(cli, suspend);
}

static int resume(struct cli *cli, struct ferry_job *job)
{
	struct ferry_status status;
	struct ferry_error error;
	enum ferry_result result = ferry_job_resume(job, &status, &error);

	return say(cli, result, &status, &error);
}

int verb_resume(struct cli *cli)
{
	return cli_each_job(cli, resume);
}

static int cancel(struct cli *cli, struct ferry_job *job)
{
	struct ferry_status status;
	struct ferry_error error;
	enum ferry_result result = ferry_job_cancel(job, &status, &error);

	return say(cli, result, &status, &error);
}

int verb_cancel(struct cli *cli)
{
	return cli_each_job(cli, cancel);
}

/* Any change renews the lease; one without properties does nothing else. */
static int renew(struct cli *cli, struct ferry_job *job)
{
	const struct ferry_properties properties = {
		.given = arguments_has(cli->arguments, OPTION_LEASE) ? FERRY_GIVE_LEASE : 0,
		.lease_s = cli->arguments->lease_s,
	};
	struct ferry_status status;
	struct ferry_error error;
	char title[CLI_TITLE_BYTES_MAX], ends[FORMAT_BYTES_MAX];
	enum ferry_result result = ferry_job_set_properties(job, &properties, &error);

	if (result == FERRY_OK)
		result = ferry_job_get(job, &status, &error);
	if (result != FERRY_OK || cli->json)
		return say(cli, result, &status, &error);
	cli_title(&status, title);
	format_moment(status.lease_ends_ms, ends);
	output_text("%s: the lease ends %s\n", title, ends);
	return CLI_OK;
}

int verb_renew(struct cli *cli)
{
	return cli_each_job(cli, renew);
}

static int complete(struct cli *cli, struct ferry_job *job)
{
	struct ferry_status status;
	struct ferry_error error;
	enum ferry_result result = ferry_job_complete(job, &status, &error);

	if (result != FERRY_OK || arguments_has(cli->arguments, OPTION_NO_WAIT))
		return say(cli, result, &status, &error);
	return cli_wait(cli, job);
}

int verb_complete(struct cli *cli)
{
	return cli_each_job(cli, complete);
}

static int take_ownership(struct cli *cli, struct ferry_job *job)
{
	struct ferry_status status;
	struct ferry_error error;
	enum ferry_result result = ferry_job_take_ownership(job, &status, &error);

	return say(cli, result, &status, &error);
}

int verb_take_ownership(struct cli *cli)
{
	return cli_each_job(cli, take_ownership);
}

static int replace_prefix(struct cli *cli, struct ferry_job *job)
{
	char *const *operands = cli->arguments->operands;
	struct ferry_status status;
	struct ferry_error error;
	char title[CLI_TITLE_BYTES_MAX];
	uint32_t files = 0;
	enum ferry_result result = ferry_job_replace_remote_prefix(job, operands[1], operands[2], &files, &error);

	if (result == FERRY_OK)
		result = ferry_job_get(job, &status, &error);
	if (result != FERRY_OK || cli->json)
		return say(cli, result, &status, &error);
	cli_title(&status, title);
	output_text("%s: %" PRIu32 " file%s changed; %s\n", title, files, files == 1 ? "" : "s", ferry_state_name(status.state));
	return CLI_OK;
}

int verb_replace_prefix(struct cli *cli)
{
	struct ferry_job *job;
	int code = cli_connect(cli);

	if (code == CLI_OK)
		code = cli_open(cli, cli->arguments->operands[0], &job);
	if (code != CLI_OK)
		return code;
	code = replace_prefix(cli, job);
	ferry_job_close(job);
	return code;
}
