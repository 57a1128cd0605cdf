/* client/cli/cli - what the verbs share: the connection, finding a job, and saying what went wrong.
 *
 * A verb is a function that returns the program's exit code.  The codes are a contract (docs/cli.md).
 */
#ifndef FERRY_CLI_CLI_H
#define FERRY_CLI_CLI_H

#include "cli/arguments.h"
#include "cli/output.h"
#include "cli/terminal.h"

enum exit_code {
	CLI_OK = 0,
	CLI_USAGE = 1,        /* the command line is wrong; nothing was done */
	CLI_JOB_FAILED = 2,   /* the job is in ERROR, or would be: preflight; something is wrong: doctor */
	CLI_UNREACHABLE = 3,  /* no service, a stranger in its place, or it is crowded */
	CLI_REFUSED = 4,      /* the service will not: bad input, state, limit or access */
	CLI_NOT_FOUND = 5,    /* no such job, or several that could be meant */
	CLI_TIMED_OUT = 6,    /* --timeout is over; the job goes on */
	CLI_CANCELLED = 7,    /* somebody cancelled the job that was waited for */
	CLI_FAILED = 8,       /* this machine or the service cannot: memory, files, something unexpected */
	CLI_DIFFERENT = 9,    /* plan: something is not as it is declared */
	CLI_INTERRUPTED = 130 /* Ctrl-C; the job goes on */
};

struct cli {
	const struct arguments *arguments;
	struct ferry *ferry; /* cli_connect */
	bool json;
};

/* One function per verb, each in its verb_*.c. */
#define X(name, text) int verb_##text(struct cli *cli);
VERBS(X)
#undef X

/* Connect as the options say, if it is not done yet, and say nothing. */
enum ferry_result cli_try_connect(struct cli *cli, struct ferry_error *error);
/* Connect as the options say.  CLI_OK, or the code after saying why not. */
int cli_connect(struct cli *cli);
/* Open the job that a word means.  CLI_OK, or the code after saying why not. */
int cli_open(struct cli *cli, const char *word, struct ferry_job **ret_job);
/* Connect, open each operand as a job and work on it.  The first code that is not CLI_OK, but all are gone through. */
int cli_each_job(struct cli *cli, int (*work)(struct cli *cli, struct ferry_job *job));
/* Wait until the job is settled, showing how it goes on, and say how it ended. */
int cli_wait(struct cli *cli, struct ferry_job *job);

/* The password of --user: CLI_OK, and the caller wipes it; or the code after saying that there is none. */
int cli_password(const struct cli *cli, char to[TERMINAL_SECRET_BYTES_MAX]);

/* Header lines from a file, or from stdin if `from` is NULL or "-": CLI_OK, or the code after saying why not.  The caller wipes
 * them in any case. */
struct header_lines {
	size_t count;
	const char *lines[FERRY_HEADERS_MAX];
	char text[FERRY_HEADERS_BYTES_MAX + 1];
};
int cli_read_headers(const struct cli *cli, const char *from, struct header_lines *lines);

/* Say it, as the options want it said, and give the code to exit with. */
int cli_fail(const struct cli *cli, enum ferry_result result, const struct ferry_error *error);
int cli_fault(const struct cli *cli, int code, const struct fault *fault, const char *remedy); /* NULL: the usual one */
int cli_problem(const struct cli *cli, int code, const char *format, ...) PRINTF_LIKE(3, 4);
/* The result line of a job: {"job":{...}}, or nothing in words, which are the verb's own. */
void cli_job_line(const struct ferry_status *status);
/* "2a1b3c4d 'Name'", as jobs are called in sentences. */
#define CLI_TITLE_BYTES_MAX 96
void cli_title(const struct ferry_status *status, char to[CLI_TITLE_BYTES_MAX]);

#endif
