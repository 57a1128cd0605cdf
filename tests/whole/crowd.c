/* A crowd of clients in one process, which says what it is told to: for tests that need more connections, and worse
 * manners, than `ferry pipe` has.  Reads commands from standard input, one a line:
 *
 *   open COUNT [TEXT]              that many connections more, numbered on; each says TEXT at once
 *   say FIRST COUNT TIMES TEXT     each of these says TEXT so often, and reads nothing
 *   ask FIRST COUNT TIMES TEXT     the same, but each reads one message before the next is said
 *   hear FIRST COUNT               each reads one message, which is printed: "-" if the connection is gone
 *   drop FIRST COUNT               these are closed
 *   storm COUNT [TEXT]             connect, say TEXT, be gone; so often
 *   mark TEXT                      print TEXT
 *
 * Prints "ready" when it listens to them.  TEXT goes to the end of the line; @N is N blanks, # is an empty message.  What fails is passed over: being thrown out
 * is what a crowd expects.  The address is the only argument. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/ipc_client.h"

#define CLIENTS_MAX 8192
#define LINE_BYTES_MAX (2u * 1024u * 1024u)
#define PATIENCE_MS 20000

static const char *address;
static struct ipc_client *clients[CLIENTS_MAX];
static unsigned opened;
static char line[LINE_BYTES_MAX];

static struct ipc_client *connect_one(void)
{
	struct ipc_client *client = NULL;
	struct fault fault;

	return ipc_client_open(address, IPC_CLIENT_ALLOW_CONSOLE, PATIENCE_MS, &client, &fault) == RESULT_OK ? client : NULL;
}

static void gone(unsigned number)
{
	ipc_client_free(clients[number]);
	clients[number] = NULL;
}

static void say(unsigned number, struct text_view text)
{
	struct fault fault;

	if (clients[number] != NULL)
		(void)!ipc_client_send(clients[number], text, &fault);
}

static bool hear(unsigned number, bool print)
{
	AUTO(buffer) struct buffer heard = BUFFER(2 * 1024 * 1024);
	struct fault fault;
	bool fine = clients[number] != NULL &&
	            ipc_client_receive(clients[number], PATIENCE_MS, &heard, &fault) == RESULT_OK;

	if (print)
		printf("%s\n", fine ? heard.bytes : "-");
	return fine;
}

static struct text_view text_of(char *rest)
{
	if (rest[0] == '#')
		return text_view("");
	if (rest[0] != '@')
		return text_view(rest);
	size_t length = strtoul(rest + 1, NULL, 10);
	char *blanks = malloc(length);

	if (blanks == NULL)
		abort();
	memset(blanks, ' ', length); /* lives as long as the process: a line or two has it */
	return (struct text_view){ blanks, length };
}

static void obey(char *command, char *rest)
{
	unsigned long first = strtoul(rest, &rest, 10), count = 1, times = 1;
	bool ask = strcmp(command, "ask") == 0, storm = strcmp(command, "storm") == 0;

	if (strcmp(command, "open") == 0 || storm) {
		struct text_view text = text_of(rest + (rest[0] == ' '));

		for (unsigned long i = 0; i < first; i++) {
			unsigned number = storm ? CLIENTS_MAX - 1 : opened++;

			clients[number] = connect_one();
			if (text.length > 0)
				say(number, text);
			if (storm)
				gone(number);
		}
		return;
	}
	count = strtoul(rest, &rest, 10);
	if (ask || strcmp(command, "say") == 0) {
		times = strtoul(rest, &rest, 10);

		struct text_view text = text_of(rest + (rest[0] == ' '));

		for (unsigned long i = 0; i < times; i++) {
			for (unsigned long n = first; n < first + count; n++)
				say((unsigned)n, text);
			for (unsigned long n = first; ask && n < first + count; n++)
				(void)hear((unsigned)n, false);
		}
		return;
	}
	for (unsigned long n = first; n < first + count; n++)
		if (strcmp(command, "hear") == 0)
			(void)hear((unsigned)n, true);
		else if (strcmp(command, "drop") == 0)
			gone((unsigned)n);
}

int main(int argc, char **argv)
{
	if (argc != 2)
		return 2;
	address = argv[1];
	puts("ready");
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin) != NULL) {
		char *rest = strchr(line, ' ');

		line[strcspn(line, "\r\n")] = '\0';
		if (rest == NULL)
			continue;
		*rest++ = '\0';
		if (strcmp(line, "mark") == 0)
			puts(rest);
		else
			obey(line, rest);
		fflush(stdout);
	}
	for (unsigned i = 0; i < CLIENTS_MAX; i++)
		gone(i);
	return 0;
}
