/* The verbs about header lines: headers set, headers show, headers remove; and reading them for submit. */
#include <string.h>

#include "cli/cli.h"

static bool end_line(char *line, struct header_lines *lines)
{
	size_t length = strlen(line);

	if (length > 0 && line[length - 1] == '\r')
		line[--length] = '\0';
	if (length == 0)
		return true;
	if (lines->count == FERRY_HEADERS_MAX)
		return false;
	lines->lines[lines->count++] = line;
	return true;
}

/* Unbuffered, so that they are nowhere else in memory. */
static int read_lines(const struct cli *cli, FILE *file, struct header_lines *lines)
{
	size_t length;

	(void)setvbuf(file, NULL, _IONBF, 0);
	length = fread(lines->text, 1, sizeof(lines->text) - 1, file);
	if (ferror(file))
		return cli_problem(cli, CLI_FAILED, "the headers cannot be read");
	if (length == sizeof(lines->text) - 1 || memchr(lines->text, '\0', length) != NULL)
		return cli_problem(cli, CLI_USAGE, "headers may be %d bytes of text together", FERRY_HEADERS_BYTES_MAX);
	lines->text[length] = '\0';
	for (char *line = lines->text, *end; line != NULL; line = end) {
		end = strchr(line, '\n');
		if (end != NULL)
			*end++ = '\0';
		if (!end_line(line, lines))
			return cli_problem(cli, CLI_USAGE, "there are more than %d headers", FERRY_HEADERS_MAX);
	}
	if (lines->count == 0)
		return cli_problem(cli, CLI_USAGE, "there is no header: one \"Name: value\" a line is read; 'ferry headers remove' takes "
		                                   "them away");
	return CLI_OK;
}

int cli_read_headers(const struct cli *cli, const char *from, struct header_lines *lines)
{
	bool is_stdin = from == NULL || strcmp(from, "-") == 0;
	FILE *file = is_stdin ? stdin : terminal_open(from);

	lines->count = 0;
	if (file == NULL)
		return cli_problem(cli, CLI_USAGE, "the headers' file %s cannot be opened", from);
	int code = read_lines(cli, file, lines);
	if (!is_stdin)
		fclose(file);
	return code;
}

static int say(const struct cli *cli, struct ferry_job *job)
{
	char title[CLI_TITLE_BYTES_MAX];
	struct ferry_status status;
	struct ferry_error error;
	enum ferry_result result = ferry_job_get(job, &status, &error);

	if (result != FERRY_OK)
		return cli_fail(cli, result, &error);
	cli_title(&status, title);
	if (cli->json)
		cli_job_line(&status);
	else
		output_text("%s: headers: %s%s\n", title, status.header_names[0] != '\0' ? status.header_names : "none",
		            status.headers_write_only ? ", write-only" : "");
	return CLI_OK;
}

static int set(struct cli *cli, struct ferry_job *job)
{
	struct header_lines lines;
	struct ferry_error error;
	enum ferry_result result = FERRY_OK;
	int code = cli_read_headers(cli, NULL, &lines);

	if (code == CLI_OK)
		result = ferry_job_set_headers(job, lines.lines, lines.count, arguments_has(cli->arguments, OPTION_WRITE_ONLY), &error);
	text_wipe(&lines, sizeof(lines));
	if (code != CLI_OK)
		return code;
	return result == FERRY_OK ? say(cli, job) : cli_fail(cli, result, &error);
}

int verb_headers_set(struct cli *cli)
{
	return cli_each_job(cli, set);
}

static void print(const struct cli *cli, const char *text)
{
	AUTO(buffer) struct buffer line = BUFFER(OUTPUT_LINE_BYTES_MAX);
	struct json_writer writer = JSON_WRITER(&line);

	if (!cli->json) {
		output_text("%s", text);
		return;
	}
	json_write_begin(&writer, NULL, '{');
	json_write_begin(&writer, "headers", '[');
	for (size_t length; *text != '\0'; text += length + 1) {
		length = strcspn(text, "\n");
		json_write_text(&writer, NULL, (struct text_view){ text, length });
	}
	json_write_end(&writer, ']');
	json_write_end(&writer, '}');
	output_json_line(&writer);
}

static int show(struct cli *cli, struct ferry_job *job)
{
	char text[FERRY_HEADERS_BYTES_MAX];
	struct ferry_error error;
	enum ferry_result result = ferry_job_get_headers(job, text, &error);

	if (result == FERRY_OK)
		print(cli, text);
	text_wipe(text, sizeof(text));
	return result == FERRY_OK ? CLI_OK : cli_fail(cli, result, &error);
}

int verb_headers_show(struct cli *cli)
{
	return cli_each_job(cli, show);
}

static int take_away(struct cli *cli, struct ferry_job *job)
{
	struct ferry_error error;
	enum ferry_result result = ferry_job_set_headers(job, NULL, 0, false, &error);

	return result == FERRY_OK ? say(cli, job) : cli_fail(cli, result, &error);
}

int verb_headers_remove(struct cli *cli)
{
	return cli_each_job(cli, take_away);
}
