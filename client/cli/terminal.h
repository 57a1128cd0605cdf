/* client/cli/terminal - the only place of the command line that knows the system: arguments and paths in UTF-8, what
 * kind of terminal this is, a password's line, and Ctrl-C.
 */
#ifndef FERRY_CLI_TERMINAL_H
#define FERRY_CLI_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* First of all: output in UTF-8 without translated line ends, until the program ends, and main's arguments in UTF-8.
 * False: they cannot be read. */
bool terminal_start(int *argc, char ***argv);

enum terminal_stream { TERMINAL_OUT, TERMINAL_ERROR };
/* Whether lines can be drawn over: a person's terminal that understands ANSI's sequences. */
bool terminal_is_live(enum terminal_stream stream);
unsigned terminal_columns(enum terminal_stream stream); /* 80 where nothing is known */
unsigned terminal_rows(enum terminal_stream stream);    /* 24 */

/* From now on Ctrl-C does not end the program but is told by the second. */
void terminal_catch_interrupt(void);
bool terminal_interrupted(void);

/* A line that is not shown, without its end: where stdin is a terminal `prompt` asks for it, else it is stdin's next.
 * It is nowhere in memory but in `to`, whatever is returned.  False: there is none, it does not fit or is not text; or
 * Ctrl-C came while the terminal was asked, which terminal_interrupted() tells. */
#define TERMINAL_SECRET_BYTES_MAX 1024
bool terminal_read_secret(const char *prompt, char to[TERMINAL_SECRET_BYTES_MAX]);

/* End the program at once, even while another thread reads stdin, which exit() may wait for.  stdout is flushed. */
_Noreturn void terminal_leave(int code);

/* The absolute path of one that may be relative to the current folder; only text, nothing need exist. */
bool terminal_absolute(const char *path, char *to, size_t size);
/* Open a file for reading; NULL: cannot. */
FILE *terminal_open(const char *path);

#endif
