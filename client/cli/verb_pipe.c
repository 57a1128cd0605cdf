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
#define QUEUE_MAX 64
#define OPEN_TIMEOUT_MS 5000
#define LAST_ANSWERS_TIMEOUT_MS 60000
/* One thread uses the connection, so it looks to both sides in turn; while messages come it hardly waits. */
#define LOOK_MS 15

/* Lines that were read and not yet sent.  The reading thread fills it, the other empties it. */
struct queue {
	struct mutex *mutex;
	struct condition *room;
	struct buffer lines[QUEUE_MAX];
	unsigned first, count;
	bool ended;    /* no more will come */
	bool too_long; /* because of a line that no message can be */
};

/* --- the reading thread --- */

/* One line without its end.  False: there is none, or it is too long. */
static bool read_line(struct buffer *line, bool *ret_too_long)
{
	char part[65536];

	while (fgets(part, sizeof(part), stdin) != NULL) {
		size_t length = strlen(part);
		bool whole = length > 0 && part[length - 1] == '\n';
		while (length > 0 && (part[length - 1] == '\n' || part[length - 1] == '\r'))
			length--;
		if (buffer_append(line, part, length) != RESULT_OK) {
			*ret_too_long = true;
			return false;
		}
		if (whole)
			return true;
	}
	return line->length > 0;
}

static void read_lines(void *argument)
{
	struct queue *queue = argument;
	bool more = true, too_long = false;

	while (more) {
		struct buffer line = BUFFER(LINE_BYTES_MAX);
		more = read_line(&line, &too_long);
		mutex_lock(queue->mutex);
		while (more && queue->count == QUEUE_MAX)
			condition_wait(queue->room, queue->mutex, -1);
		if (more && line.length > 0) {
			queue->lines[(queue->first + queue->count) % QUEUE_MAX] = line;
			queue->count++;
		} else {
			buffer_done(&line);
		}
		queue->ended = !more;
		queue->too_long = too_long;
		mutex_unlock(queue->mutex);
	}
}

/* --- the other one --- */

struct bridge {
	struct cli *cli;
	struct ipc_client *client;
	struct queue queue;
	uint64_t unanswered;
};

/* Take the next line out.  False: there is none now; *ret_ended tells whether there will be. */
static bool take_line(struct queue *queue, struct buffer *ret_line, bool *ret_ended)
{
	mutex_lock(queue->mutex);
	bool taken = queue->count > 0;
	*ret_ended = queue->ended;
	if (taken) {
		*ret_line = queue->lines[queue->first];
		queue->first = (queue->first + 1) % QUEUE_MAX;
		queue->count--;
		condition_signal(queue->room);
	}
	mutex_unlock(queue->mutex);
	return taken;
}

/* The service answers every message, if only with an error; what it says unasked has a method. */
static bool is_answer(struct text_view message)
{
	AUTO(json_document) struct json_document *document = NULL;

	return json_parse(message, JSON_WIRE, &document, NULL) == RESULT_OK &&
	       json_member(json_root(document), "method").value == NULL;
}

static int fail(const struct bridge *bridge, const struct fault *fault, int code)
{
	return cli_problem(bridge->cli, code, "%s (%s) %s", result_sentence(fault->result), result_name(fault->result),
	                   fault->what);
}

/* Receive what there is, waiting shortly.  CLI_OK, or the code to end with. */
static int pump_out(struct bridge *bridge, int64_t timeout_ms)
{
	AUTO(buffer) struct buffer message = BUFFER(LINE_BYTES_MAX);
	struct fault fault = { .result = RESULT_OK };
	enum result result = ipc_client_receive(bridge->client, timeout_ms, &message, &fault);

	if (result == RESULT_TIMED_OUT)
		return CLI_OK;
	if (result != RESULT_OK)
		return fail(bridge, &fault, CLI_UNREACHABLE);
	if (bridge->unanswered > 0 && is_answer((struct text_view){ message.bytes, message.length }))
		bridge->unanswered--;
	fwrite(message.bytes, 1, message.length, stdout);
	fputc('\n', stdout);
	fflush(stdout);
	return CLI_OK;
}

static int pump(struct bridge *bridge)
{
	int64_t ended_ms = 0;
	bool ended = false;
	int code = CLI_OK;

	while (code == CLI_OK && !terminal_interrupted()) {
		AUTO(buffer) struct buffer line = BUFFER(LINE_BYTES_MAX);
		struct fault fault = { .result = RESULT_OK };
		if (take_line(&bridge->queue, &line, &ended)) {
			struct text_view message = { line.bytes, line.length };
			if (ipc_client_send(bridge->client, message, &fault) != RESULT_OK)
				return fail(bridge, &fault, CLI_UNREACHABLE);
			bridge->unanswered++;
			continue;
		}
		if (ended && bridge->queue.too_long)
			return cli_problem(bridge->cli, CLI_USAGE, "a line is longer than a message may be, 1 MiB");
		if (ended && bridge->unanswered == 0)
			return CLI_OK;
		if (ended && ended_ms == 0)
			ended_ms = clock_mono_ms();
		if (ended && clock_mono_ms() - ended_ms > LAST_ANSWERS_TIMEOUT_MS)
			return cli_problem(bridge->cli, CLI_TIMED_OUT, "the service did not answer every message");
		code = pump_out(bridge, LOOK_MS);
	}
	return code;
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
			return fail(bridge, &fault, CLI_UNREACHABLE);
		address = standard;
	}
	if (ipc_client_open(address, flags, timeout_ms, &bridge->client, &fault) != RESULT_OK)
		return fail(bridge, &fault, CLI_UNREACHABLE);
	return CLI_OK;
}

int verb_pipe(struct cli *cli)
{
	static struct bridge bridge; /* the reading thread's too, and too large for the stack */
	struct fault fault = { .result = RESULT_OK };
	struct thread *reader;

	bridge.cli = cli;
	int code = bridge_open(&bridge);
	if (code != CLI_OK)
		return code;
	bridge.queue.mutex = mutex_new();
	bridge.queue.room = condition_new();
	if (bridge.queue.mutex == NULL || bridge.queue.room == NULL ||
	    thread_start("ferry-pipe", read_lines, &bridge.queue, &reader, &fault) != RESULT_OK)
		return cli_problem(cli, CLI_FAILED, "there is not enough memory for another thread");
	terminal_catch_interrupt();
	code = pump(&bridge);
	ipc_client_free(bridge.client);

	mutex_lock(bridge.queue.mutex);
	bool ended = bridge.queue.ended;
	mutex_unlock(bridge.queue.mutex);
	/* Nothing wakes a thread that waits for a line; it ends with the program. */
	if (!ended)
		terminal_leave(code);
	thread_join(reader);
	mutex_free(bridge.queue.mutex);
	condition_free(bridge.queue.room);
	return code;
}
