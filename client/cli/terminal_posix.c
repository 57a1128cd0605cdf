#ifndef _WIN32
#define _POSIX_C_SOURCE 200809L
#endif
#include "cli/terminal.h"

#ifndef _WIN32
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

static volatile sig_atomic_t interrupted;

bool terminal_start(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	return true;
}

static int descriptor(enum terminal_stream stream)
{
	return stream == TERMINAL_OUT ? STDOUT_FILENO : STDERR_FILENO;
}

bool terminal_is_live(enum terminal_stream stream)
{
	const char *kind = getenv("TERM");

	return isatty(descriptor(stream)) && kind != NULL && strcmp(kind, "dumb") != 0;
}

unsigned terminal_columns(enum terminal_stream stream)
{
	struct winsize size;

	return ioctl(descriptor(stream), TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

unsigned terminal_rows(enum terminal_stream stream)
{
	struct winsize size;

	return ioctl(descriptor(stream), TIOCGWINSZ, &size) == 0 && size.ws_row > 0 ? size.ws_row : 24;
}

static void on_interrupt(int number)
{
	(void)number;
	interrupted = 1;
}

void terminal_catch_interrupt(void)
{
	struct sigaction action = { .sa_handler = on_interrupt };

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

bool terminal_interrupted(void)
{
	return interrupted != 0;
}

/* --- a line that is not shown --- */

/* Byte by byte: a buffer of the C library would keep it.  To the line's end even where it is too long, or the rest
 * would be the next program's input. */
static bool read_secret_line(char to[TERMINAL_SECRET_BYTES_MAX])
{
	size_t length = 0;
	bool fits = true;
	char c;
	ssize_t got;

	while ((got = read(STDIN_FILENO, &c, 1)) == 1 && c != '\n') {
		fits = fits && c != '\0' && length + 1 < TERMINAL_SECRET_BYTES_MAX;
		if (fits)
			to[length++] = c;
	}
	if (length > 0 && to[length - 1] == '\r')
		length--;
	to[length] = '\0';
	return fits && (got == 1 || (got == 0 && length > 0));
}

bool terminal_read_secret(const char *prompt, char to[TERMINAL_SECRET_BYTES_MAX])
{
	const struct sigaction action = { .sa_handler = on_interrupt };
	struct sigaction interrupt, terminate;
	struct termios before;

	if (tcgetattr(STDIN_FILENO, &before) != 0)
		return read_secret_line(to);
	struct termios quiet = before;
	quiet.c_lflag &= ~(tcflag_t)ECHO;
	quiet.c_cc[VSUSP] = _POSIX_VDISABLE; /* whoever came to the front would find a silent terminal */
	sigaction(SIGINT, &action, &interrupt);
	sigaction(SIGTERM, &action, &terminate);
	fputs(prompt, stderr);
	bool good = tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet) == 0 && read_secret_line(to);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
	fputs("\n", stderr);
	sigaction(SIGINT, &interrupt, NULL);
	sigaction(SIGTERM, &terminate, NULL);
	return good;
}

_Noreturn void terminal_leave(int code)
{
	fflush(stdout);
	_exit(code);
}

/* Take the next segment of `path` into account: "." is nothing, ".." goes up. */
static bool add_segment(char *to, size_t size, size_t *length, const char *segment, size_t segment_length)
{
	if (segment_length == 0 || (segment_length == 1 && segment[0] == '.'))
		return true;
	if (segment_length == 2 && segment[0] == '.' && segment[1] == '.') {
		while (*length > 0 && to[*length - 1] != '/')
			*length -= 1;
		if (*length > 0)
			*length -= 1;
		return true;
	}
	if (*length + 1 + segment_length >= size)
		return false;
	to[*length] = '/';
	memcpy(to + *length + 1, segment, segment_length);
	*length += 1 + segment_length;
	return true;
}

static bool add_segments(char *to, size_t size, size_t *length, const char *path)
{
	while (*path != '\0') {
		size_t segment = strcspn(path, "/");
		if (!add_segment(to, size, length, path, segment))
			return false;
		path += segment + (path[segment] == '/');
	}
	return true;
}

bool terminal_absolute(const char *path, char *to, size_t size)
{
	char folder[4096] = "";
	size_t length = 0;

	if (path[0] != '/' && getcwd(folder, sizeof(folder)) == NULL)
		return false;
	if (!add_segments(to, size, &length, folder) || !add_segments(to, size, &length, path))
		return false;
	if (length == 0)
		to[length++] = '/';
	to[length] = '\0';
	return true;
}

FILE *terminal_open(const char *path)
{
	return fopen(path, "r");
}
#endif
