/* The verbs about the service's configuration: config show, config reload. */
#include <string.h>

#include "cli/cli.h"

#define LINE_BYTES_MAX (1024u * 1024u) /* lists may be long */

struct showing {
	bool json, origin;
};

static void print_json(const struct ferry_setting *setting)
{
	AUTO(buffer) struct buffer line = BUFFER(LINE_BYTES_MAX);
	struct json_writer writer = JSON_WRITER(&line);

	json_write_begin(&writer, NULL, '{');
	json_write_begin(&writer, "setting", '{');
	json_write_text(&writer, "key", text_view(setting->key));
	json_write_raw(&writer, "value", text_view(setting->value));
	json_write_text(&writer, "layer", text_view(setting->layer));
	if (setting->source[0] != '\0')
		json_write_text(&writer, "source", text_view(setting->source));
	else
		json_write_raw(&writer, "source", text_view("null"));
	json_write_u64(&writer, "line", setting->line);
	json_write_end(&writer, '}');
	json_write_end(&writer, '}');
	output_json_line(&writer);
}

static bool show(void *context, const struct ferry_setting *setting)
{
	const struct showing *showing = context;

	if (showing->json) {
		print_json(setting);
		return true;
	}
	output_text("%-40s ", setting->key);
	output_long(setting->value);
	if (!showing->origin)
		output_text("\n");
	else if (setting->line > 0)
		output_text("  [%s: %s, line %u]\n", setting->layer, setting->source, setting->line);
	else
		output_text("  [%s]\n", setting->layer);
	return true;
}

int verb_config_show(struct cli *cli)
{
	struct showing showing = { cli->json, arguments_has(cli->arguments, OPTION_ORIGIN) };
	struct ferry_error error;
	int code = cli_connect(cli);

	if (code != CLI_OK)
		return code;
	enum ferry_result result = ferry_config_show(cli->ferry, show, &showing, &error);
	return result == FERRY_OK ? CLI_OK : cli_fail(cli, result, &error);
}

static void print_reload(const struct ferry_reload *reload)
{
	AUTO(buffer) struct buffer line = BUFFER(LINE_BYTES_MAX);
	struct json_writer writer = JSON_WRITER(&line);
	const char *at = reload->errors;

	json_write_begin(&writer, NULL, '{');
	json_write_begin(&writer, "reload", '{');
	json_write_bool(&writer, "taken", reload->taken);
	json_write_text(&writer, "now", text_view(reload->now));
	json_write_text(&writer, "later", text_view(reload->later));
	json_write_begin(&writer, "errors", '[');
	while (*at != '\0') {
		size_t length = strcspn(at, "\n");

		json_write_text(&writer, NULL, (struct text_view){ at, length });
		at += length + (at[length] != '\0');
	}
	json_write_end(&writer, ']');
	json_write_end(&writer, '}');
	json_write_end(&writer, '}');
	output_json_line(&writer);
}

static void print_errors(const char *errors)
{
	output_note("ferry: the configuration is not good, and everything stays as it was:\n");
	while (*errors != '\0') {
		size_t length = strcspn(errors, "\n");

		output_note("%.*s\n", (int)length, errors);
		errors += length + (errors[length] != '\0');
	}
}

int verb_config_reload(struct cli *cli)
{
	struct ferry_reload reload;
	struct ferry_error error;
	int code = cli_connect(cli);

	if (code != CLI_OK)
		return code;
	enum ferry_result result = ferry_config_reload(cli->ferry, &reload, &error);
	if (result != FERRY_OK)
		return cli_fail(cli, result, &error);
	if (cli->json)
		print_reload(&reload);
	else if (reload.taken)
		output_text("In effect now: %s.\nFrom the next start on: %s.\n", reload.now, reload.later);
	else
		print_errors(reload.errors);
	return reload.taken ? CLI_OK : CLI_REFUSED;
}
