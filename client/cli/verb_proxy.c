/* The verb about proxies: proxy show. */
#include "cli/cli.h"

int verb_proxy_show(struct cli *cli)
{
	struct ferry_job *job = NULL;
	struct ferry_proxies proxies;
	struct ferry_error error;
	int code = cli_connect(cli);

	if (code == CLI_OK && arguments_has(cli->arguments, OPTION_JOB))
		code = cli_open(cli, cli->arguments->job, &job);
	if (code != CLI_OK)
		return code;
	enum ferry_result result = ferry_proxy_show(cli->ferry, job, cli->arguments->operands[0], &proxies, &error);

	ferry_job_close(job);
	if (result != FERRY_OK)
		return cli_fail(cli, result, &error);
	output_proxies(&proxies, cli->json);
	return CLI_OK;
}
