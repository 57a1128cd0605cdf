/* ferry - the command line of the Ferry download service. */
#include <stdio.h>

#include "cli/cli.h"
#include "cli/help.h"
#include "cli/terminal.h"
#include "ferry_build.h"

static int (*const verbs[VERB_NONE])(struct cli *cli) = {
#define X(name, text) [VERB_##name] = verb_##text,
	VERBS(X)
#undef X
};

static int print(const char *text, FILE *stream, int code)
{
	fputs(text, stream);
	return fflush(stream) == 0 ? code : CLI_FAILED;
}

/* --json is looked for by itself, where the rest could not be read. */
static bool wants_json(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (text_is(text_view(argv[i]), "--json"))
			return true;
	}
	return false;
}

int main(int argc, char **argv)
{
	struct arguments arguments = { .verb = VERB_NONE };
	struct cli cli = { .arguments = &arguments };
	char problem[ARGUMENTS_PROBLEM_BYTES_MAX];

	if (!terminal_start(&argc, &argv)) {
		output_note("ferry: the command line is not valid Unicode\n");
		return CLI_USAGE;
	}
	cli.json = wants_json(argc, argv);
	if (!arguments_read(argc, argv, &arguments, problem))
		return cli_problem(&cli, CLI_USAGE, "%s", problem);
	if (arguments_has(&arguments, OPTION_HELP))
		return print(help_text(arguments.verb), stdout, CLI_OK);
	if (arguments_has(&arguments, OPTION_VERSION))
		return print("ferry " FERRY_VERSION "\n", stdout, CLI_OK);
	if (arguments.verb == VERB_NONE)
		return print(help_text(VERB_NONE), stderr, CLI_USAGE);

	int code = verbs[arguments.verb](&cli);
	ferry_close(cli.ferry);
	return code;
}
