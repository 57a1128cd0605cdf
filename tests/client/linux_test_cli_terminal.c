/* A password at a terminal: not shown, and the terminal afterwards as it was. */
#include "ground.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "cli/terminal.h"

/* Who sits before the terminal: types as soon as nothing is shown any more. */
struct person {
	int master;
	const char *types; /* NULL: Ctrl-C */
	pthread_t reader;
};

static bool is_silent(int terminal)
{
	struct termios mode;

	return tcgetattr(terminal, &mode) == 0 && !(mode.c_lflag & ECHO);
}

static void *sit_before_it(void *argument)
{
	const struct person *person = argument;
	bool typed = false;

	for (unsigned waited_ms = 0; waited_ms < 5000 && !is_silent(STDIN_FILENO); waited_ms++)
		usleep(1000);
	if (person->types != NULL)
		typed = write(person->master, person->types, strlen(person->types)) == (ssize_t)strlen(person->types);
	/* It may come just before the line is waited for: again, until that ends and the terminal is as it was. */
	while (!typed && is_silent(STDIN_FILENO)) {
		pthread_kill(person->reader, SIGINT);
		usleep(10000);
	}
	return NULL;
}

/* What the terminal showed of it goes to `shown`. */
static bool ask(const char *types, char to[TERMINAL_SECRET_BYTES_MAX], char *shown, size_t size)
{
	struct person person = { posix_openpt(O_RDWR | O_NOCTTY), types, pthread_self() };
	int saved = dup(STDIN_FILENO), slave;
	ssize_t got = 0;
	pthread_t thread;

	assert_true(person.master >= 0 && grantpt(person.master) == 0 && unlockpt(person.master) == 0);
	slave = open(ptsname(person.master), O_RDWR | O_NOCTTY);
	assert_true(slave >= 0 && dup2(slave, STDIN_FILENO) >= 0);
	assert_false(is_silent(STDIN_FILENO));
	assert_int_equal(pthread_create(&thread, NULL, sit_before_it, &person), 0);
	bool good = terminal_read_secret("Password: ", to);
	pthread_join(thread, NULL);
	assert_false(is_silent(STDIN_FILENO));
	struct pollfd ready = { .fd = person.master, .events = POLLIN };
	if (poll(&ready, 1, 100) > 0 && ready.revents & POLLIN)
		got = read(person.master, shown, size - 1);
	shown[got > 0 ? got : 0] = '\0';
	dup2(saved, STDIN_FILENO);
	close(saved);
	close(slave);
	close(person.master);
	return good;
}

static void terminal_read_secret__a_terminal__shows_nothing_of_it(void **state)
{
	char password[TERMINAL_SECRET_BYTES_MAX], shown[256];

	(void)state;
	assert_true(ask("Tr0ub4dor\n", password, shown, sizeof(shown)));
	assert_string_equal(password, "Tr0ub4dor");
	assert_null(strstr(shown, "Tr0"));
	assert_false(terminal_interrupted());
}

static void terminal_read_secret__ctrl_c__ends_it_and_is_told(void **state)
{
	char password[TERMINAL_SECRET_BYTES_MAX], shown[256];
	struct sigaction before, after;

	(void)state;
	sigaction(SIGINT, NULL, &before);
	assert_false(ask(NULL, password, shown, sizeof(shown)));
	assert_true(terminal_interrupted());
	sigaction(SIGINT, NULL, &after);
	assert_true(after.sa_handler == before.sa_handler);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(terminal_read_secret__a_terminal__shows_nothing_of_it),
		cmocka_unit_test(terminal_read_secret__ctrl_c__ends_it_and_is_told), /* last: it stays interrupted */
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
