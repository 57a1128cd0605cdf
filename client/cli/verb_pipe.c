/* The verb pipe: a bridge between stdio and the service, for programs whose runtime cannot open the pipe with the right
 * mask (docs/protocol.md), and for tests.  A line in is a message to the service, word for word; a message from it is a
 * line out.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/terminal.h"
#include "platform/clock.h"
#include "platform/ipc_client.h"
#include "platform/thread.h"

/* A little more than the service takes, so that it is the service that says what is too large. */
#define LINE_BYTES_MAX (1024u * 1024u + 65536u)
#define OPEN_TIMEOUT_MS 5000
#define LAST_ANSWERS_TIMEOUT_MS 60000

/* One thread reads lines and sends, the other receives and prints, and neither looks for the other. */
struct bridge {
	const struct cli *cli;
	struct ipc_client *client;
	struct mutex *mutex; /* around all below, and whatever is printed */
	struct condition *answered;
	uint64_t unanswered;
};

/* End the program, with the mutex held: no line stays half printed, and the other thread says nothing more.  Nothing
 * would wake that one where it waits for a line or a message; it ends with the program. */
static _Noreturn void leave(struct bridge *bridge, int code)
{
	mutex_lock(bridge->mutex);
	terminal_leave(code);
}

static _Noreturn void leave_disconnected(struct bridge *bridge, const struct fault *fault)
{
	mutex_lock(bridge->mutex);
	terminal_leave(cli_fault(bridge->cli, CLI_UNREACHABLE, fault, NULL));
}

/* --- the receiving thread --- */

/* The service answers every message, if only with an error; what it says unasked has a method. */
static bool is_answer(struct text_view message)
{
	AUTO(json_document) struct json_document *document = NULL;

	return json_parse(message, JSON_WIRE, &document, NULL) == RESULT_OK &&
	       json_member(json_root(document), "method").value == NULL;
}

static void print(struct bridge *bridge, const struct buffer *message)
{
	bool answer = is_answer((struct text_view){ message->bytes, message->length });

	mutex_lock(bridge->mutex);
	fwrite(message->bytes, 1, message->length, stdout);
	fputc('\n', stdout);
	fflush(stdout);
	if (answer && bridge->unanswered > 0 && --bridge->unanswered == 0)
		condition_signal(bridge->answered);
	mutex_unlock(bridge->mutex);
}

static void receive_messages(void *argument)
{
	struct bridge *bridge = argument;

	for (;;) {
		AUTO(buffer) struct buffer message = BUFFER(LINE_BYTES_MAX);
		struct fault fault = { .result = RESULT_OK };
		if (ipc_client_receive(bridge->client, -1, &message, &fault) != RESULT_OK)
			leave_disconnected(bridge, &fault);
		print(bridge, &message);
	}
}

/* --- the sending one --- */

/* One line without its end, byte for byte: what is wrong with it, a NUL too, is for the service to say.  False: there is
 * none, or it is too long. */
static bool read_line(struct buffer *line, bool *ret_too_long)
{
	int byte;

	while ((byte = getc(stdin)) != EOF && byte != '\n') {
		const char next = (char)byte;
		if (buffer_append(line, &next, 1) != RESULT_OK) {
			*ret_too_long = true;
			return false;
		}
	}
	while (line->length > 0 && line->bytes[line->length - 1] == '\r')
		line->length--;
	return byte == '\n' || line->length > 0;
}

static void send_line(struct bridge *bridge, const struct buffer *line)
{
	struct fault fault = { .result = RESULT_OK };

	mutex_lock(bridge->mutex);
	bridge->unanswered++; /* first, or the answer might be here before it is expected */
	mutex_unlock(bridge->mutex);
	if (ipc_client_send(bridge->client, (struct text_view){ line->bytes, line->length }, &fault) != RESULT_OK)
		leave_disconnected(bridge, &fault);
}

/* False: a line is longer than any message. */
static bool send_lines(struct bridge *bridge)
{
	for (bool too_long = false;;) {
		AUTO(buffer) struct buffer line = BUFFER(LINE_BYTES_MAX);
		if (!read_line(&line, &too_long))
			return !too_long;
		if (line.length > 0)
			send_line(bridge, &line);
	}
}

static bool await_answers(struct bridge *bridge)
{
	int64_t deadline_ms = clock_mono_ms() + LAST_ANSWERS_TIMEOUT_MS, left_ms = LAST_ANSWERS_TIMEOUT_MS;

	mutex_lock(bridge->mutex);
	while (bridge->unanswered > 0 && left_ms > 0) {
		condition_wait(bridge->answered, bridge->mutex, left_ms);
		left_ms = deadline_ms - clock_mono_ms();
	}
	bool all = bridge->unanswered == 0;
	mutex_unlock(bridge->mutex);
	return all;
}

static int bridge_open(struct bridge *bridge)
{
	const struct arguments *arguments = bridge->cli->arguments;
	struct fault fault = { .result = RESULT_OK };
	char standard[1024];
	const char *address = arguments->address;
	unsigned flags = arguments_has(arguments, OPTION_CONSOLE) ? IPC_CLIENT_ALLOW_CONSOLE : 0;
	int64_t timeout_ms = arguments->timeout_s > 0 ? (int64_t)arguments->timeout_s * 1000 : OPEN_TIMEOUT_MS;

	if (address == NULL) {
		if (ipc_client_default_address(standard, sizeof(standard), &fault) != RESULT_OK)
			return cli_fault(bridge->cli, CLI_UNREACHABLE, &fault, NULL);
		address = standard;
	}
	if (ipc_client_open(address, flags, timeout_ms, &bridge->client, &fault) != RESULT_OK)
		return cli_fault(bridge->cli, CLI_UNREACHABLE, &fault, NULL);
	return CLI_OK;
}

int verb_pipe(struct cli *cli)
{
	static struct bridge bridge; /* the receiving thread's too, which never ends by itself */
	struct fault fault = { .result = RESULT_OK };
	struct thread *receiver;

	bridge.cli = cli;
	int code = bridge_open(&bridge);
	if (code != CLI_OK)
		return code;
	bridge.mutex = mutex_new();
	bridge.answered = condition_new();
	if (bridge.mutex == NULL || bridge.answered == NULL ||
	    thread_start("ferry-pipe", receive_messages, &bridge, &receiver, &fault) != RESULT_OK)
		return cli_problem(cli, CLI_FAILED, "there is not enough memory for another thread");

	if (!send_lines(&bridge))
		code = cli_problem(cli, CLI_USAGE, "a line is longer than a message may be, 1 MiB");
	else if (!await_answers(&bridge))
		code = cli_problem(cli, CLI_TIMED_OUT, "the service did not answer every message");
	leave(&bridge, code);
}
