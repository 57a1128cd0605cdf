/* What the tests of verbs share: each is run as the program runs it, against a service that answers by script. */
#ifndef FERRY_TESTS_CLIENT_CLI_SCENE_H
#define FERRY_TESTS_CLIENT_CLI_SCENE_H

#include "client/ferry_scene.h"

#include <fcntl.h>
#ifdef _WIN32
#include <io.h>
#define pipe(ends) _pipe(ends, 4096, _O_BINARY)
#define dup _dup
#define dup2 _dup2
#define read _read
#define write _write
#define close _close
#else
#include <unistd.h>
#endif

#include "cli/cli.h"
#include "cli/terminal.h"
#include "platform/ipc_client.h"

#define WORDS_MAX 16

struct run {
	int code;
	char out[8192]; /* stdout and stderr, as they came */
};

static int (*const verbs[VERB_NONE])(struct cli *cli) = {
#define X(name, text) [VERB_##name] = verb_##text,
	VERBS(X)
#undef X
};

/* stdout and stderr go to a pipe, which holds what a verb says; stdin comes from another, which ends. */
static inline void run_redirected(struct cli *cli, const char *input, struct run *ret_run)
{
	int in[2], out[2], saved[3];
	size_t length = 0;

	assert_int_equal(pipe(in), 0);
	assert_int_equal(pipe(out), 0);
	assert_int_equal(write(in[1], input, (unsigned)strlen(input)), (int)strlen(input));
	close(in[1]);
	fflush(stdout);
	fflush(stderr);
	for (int i = 0; i < 3; i++) {
		saved[i] = dup(i);
		assert_true(saved[i] >= 0 && dup2(i == 0 ? in[0] : out[1], i) >= 0);
	}
	ret_run->code = verbs[cli->arguments->verb](cli);
	ferry_close(cli->ferry);
	fflush(stdout);
	fflush(stderr);
	for (int i = 0; i < 3; i++) {
		dup2(saved[i], i);
		close(saved[i]);
	}
	close(in[0]);
	close(out[1]);
	for (int got; (got = (int)read(out[0], ret_run->out + length, (unsigned)(sizeof(ret_run->out) - 1 - length))) > 0;)
		length += (size_t)got;
	ret_run->out[length] = '\0';
	close(out[0]);
}

/* A command line of words with one space between, to the scene's service. */
static inline void run(struct scene *scene, const char *line, const char *input, struct run *ret_run)
{
	static struct arguments arguments;
	char text[512], problem[ARGUMENTS_PROBLEM_BYTES_MAX], *words[WORDS_MAX];
	struct cli cli = { .arguments = &arguments };
	int count = 0;

	must(text_copy(text, sizeof(text), text_view(line)));
	for (char *at = text; at != NULL; count++) {
		assert_true(count + 3 < WORDS_MAX);
		words[count] = at;
		at = strchr(at, ' ');
		if (at != NULL)
			*at++ = '\0';
	}
	words[count++] = (char[]){ "--console" };
	words[count++] = (char[]){ "--address" };
	words[count++] = scene->address;
	if (!arguments_read(count, words, &arguments, problem))
		fail_msg("%s", problem);
	cli.json = arguments_has(&arguments, OPTION_JSON);
	run_redirected(&cli, input, ret_run);
}

static inline void assert_said(const struct run *run, const char *words)
{
	if (strstr(run->out, words) == NULL)
		fail_msg("'%s' is not in: %s", words, run->out);
}

static inline void assert_exit(const struct run *run, int code)
{
	if (run->code != code)
		fail_msg("%d instead of %d: %s", run->code, code, run->out);
}

#endif
