/* The verb metrics: numbers for monitoring, as the service wrote them. */
#include <stdlib.h>

#include "cli/cli.h"

#define LINE_BYTES_MAX (512u * 1024u) /* a byte of the text may become six */

static void print_json(const char *text)
{
	AUTO(buffer) struct buffer line = BUFFER(LINE_BYTES_MAX);
	struct json_writer writer = JSON_WRITER(&line);

	json_write_begin(&writer, NULL, '{');
	json_write_text(&writer, "metrics", text_view(text));
	json_write_end(&writer, '}');
	output_json_line(&writer);
}

int verb_metrics(struct cli *cli)
{
	struct ferry_error error;
	char *text = NULL;
	int code = cli_connect(cli);

	if (code != CLI_OK)
		return code;
	enum ferry_result result = ferry_service_metrics(cli->ferry, &text, &error);
	if (result != FERRY_OK)
		return cli_fail(cli, result, &error);
	if (cli->json)
		print_json(text);
	else
		output_long(text);
	free(text);
	return CLI_OK;
}
