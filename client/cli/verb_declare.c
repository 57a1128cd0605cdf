/* The verbs about declared jobs: plan, apply. */
#include <string.h>

#include "cli/cli.h"

#define LINE_BYTES_MAX (64u * 1024u)

struct showing {
	bool json;
	unsigned different, failed, right;
};

static void print_json(const struct ferry_declared *declared)
{
	AUTO(buffer) struct buffer line = BUFFER(LINE_BYTES_MAX);
	struct json_writer writer = JSON_WRITER(&line);

	json_write_begin(&writer, NULL, '{');
	json_write_begin(&writer, "declared", '{');
	json_write_text(&writer, "name", text_view(declared->name));
	json_write_text(&writer, "action", text_view(declared->action));
	json_write_u64(&writer, "fetch", declared->fetch);
	json_write_text(&writer, "reason", text_view(declared->reason));
	if (declared->error[0] != '\0')
		json_write_text(&writer, "error", text_view(declared->error));
	else
		json_write_raw(&writer, "error", text_view("null"));
	json_write_end(&writer, '}');
	json_write_end(&writer, '}');
	output_json_line(&writer);
}

static bool show(void *context, const struct ferry_declared *declared)
{
	struct showing *showing = context;
	bool right = strcmp(declared->action, "nothing") == 0, failed = declared->error[0] != '\0';

	showing->different += !right;
	showing->failed += failed;
	showing->right += right && !failed;
	if (showing->json) {
		print_json(declared);
	} else if (!right || failed) {
		output_text("%-8s %s: %s\n", declared->action, declared->name, declared->reason);
		if (failed)
			output_text("         could not be: %s\n", declared->error);
	}
	return true;
}

static int refuse(struct cli *cli, const char *errors)
{
	AUTO(buffer) struct buffer line = BUFFER(LINE_BYTES_MAX);
	struct json_writer writer = JSON_WRITER(&line);

	if (!cli->json) {
		output_note("ferry: what is declared is not good, and everything stays as it was:\n%s\n", errors);
		return CLI_REFUSED;
	}
	json_write_begin(&writer, NULL, '{');
	json_write_begin(&writer, "refused", '[');
	while (*errors != '\0') {
		size_t length = strcspn(errors, "\n");

		json_write_text(&writer, NULL, (struct text_view){ errors, length });
		errors += length + (errors[length] != '\0');
	}
	json_write_end(&writer, ']');
	json_write_end(&writer, '}');
	output_json_line(&writer);
	return CLI_REFUSED;
}

static int ask(struct cli *cli, bool act)
{
	char errors[FERRY_DECLARED_ERRORS_BYTES_MAX];
	struct showing showing = { .json = cli->json };
	struct ferry_error error;
	int code = cli_connect(cli);

	if (code != CLI_OK)
		return code;
	enum ferry_result result = ferry_declared(cli->ferry, act, show, &showing, errors, &error);
	if (result != FERRY_OK)
		return cli_fail(cli, result, &error);
	if (errors[0] != '\0')
		return refuse(cli, errors);
	if (!cli->json)
		output_text("%u %s, %u as declared.\n", showing.different, act ? "acted on" : "to be acted on", showing.right);
	if (showing.failed > 0)
		return CLI_JOB_FAILED;
	return !act && showing.different > 0 ? CLI_DIFFERENT : CLI_OK;
}

int verb_plan(struct cli *cli)
{
	return ask(cli, false);
}

int verb_apply(struct cli *cli)
{
	return ask(cli, true);
}
