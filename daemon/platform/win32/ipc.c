#include "platform/ipc.h"

#include <string.h>

#include "platform/clock.h"
#include "platform/ipc_output.h"
#include "platform/thread.h"
#include "platform/win32/identity_win32.h"
#include "platform/win32/ipc_pipe.h"

#define LISTENERS 8u /* instances that wait for clients, so that a burst of them is not turned away */
#define SLOT_BITS 16
#define CONNECTIONS_MAX (1u << SLOT_BITS)

#define READ_BYTES_FIRST 4096u
#define CLOSE_MS_MAX 5000 /* for a client to take what is queued when it is closed */
#define STOP_MS_MAX 1000  /* the same when the whole server ends */
#define RETRY_MS 1000     /* until another try to make an instance */

enum connection_state {
	CONNECTION_FREE,
	CONNECTION_LISTENING, /* an instance that waits for a client */
	CONNECTION_OPEN,
	CONNECTION_CLOSING, /* nothing is read any more, what is queued goes out until close_by_ms */
	CONNECTION_DYING,   /* waits for the ends of its cancelled operations */
};

/* The I/O thread's own, except where a comment says otherwise.  A slot is used again only when the kernel holds nothing
 * of it: its operations' OVERLAPPEDs live here. */
struct connection {
	enum connection_state state;
	HANDLE pipe;
	OVERLAPPED in, out;
	bool in_pending, out_pending;
	char *message; /* what has been read of the message under way */
	size_t length, capacity;
	bool discarding; /* the message is longer than allowed: its rest is read and dropped */
	int64_t close_by_ms;
	uint64_t connected; /* when, as a FILETIME; not changed while a message is delivered */

	/* under the server's lock: */
	uint64_t number; /* 0: not to be found */
	bool delivered;  /* a message is with the handler: it may be captured, and nothing is read */
	bool next_wanted, close_wanted, kill_wanted;
	struct ipc_outputs outputs;
	bool waits;
	struct connection *next_waiting;
};

struct ipc_server {
	struct ipc_pipe pipe;
	struct ipc_limits limits;
	struct ipc_handler handler;
	HANDLE port;
	struct thread *thread;
	struct mutex *lock;
	size_t slot_count, used_count, listening_count, closing_count;
	uint64_t serial;
	bool short_of_listeners;
	/* under the lock: */
	bool stopping;
	struct connection *waiting; /* those that other threads want something of */
	struct connection slots[];
};

/* --- what other threads may touch --- */

static struct connection *find(struct ipc_server *server, uint64_t number)
{
	size_t slot = number & ((1u << SLOT_BITS) - 1);

	if (number == 0 || slot >= server->slot_count || server->slots[slot].number != number)
		return NULL;
	return &server->slots[slot];
}

/* With the lock held: have the I/O thread look at the connection, or only at the server if it is NULL. */
static void wake(struct ipc_server *server, struct connection *connection)
{
	bool was_awake = server->waiting != NULL;

	if (connection != NULL && !connection->waits) {
		connection->waits = true;
		connection->next_waiting = server->waiting;
		server->waiting = connection;
	}
	/* It fails only without memory in the kernel; the next completion or wake looks at the list as well. */
	if (!was_awake || connection == NULL)
		PostQueuedCompletionStatus(server->port, 0, 0, NULL);
}

/* --- the I/O thread: one connection --- */

static void set_state(struct ipc_server *server, struct connection *connection, enum connection_state state)
{
	size_t *counts[] = {
		[CONNECTION_LISTENING] = &server->listening_count,
		[CONNECTION_OPEN] = NULL,
		[CONNECTION_CLOSING] = &server->closing_count,
		[CONNECTION_DYING] = NULL,
	};

	if (connection->state != CONNECTION_FREE && counts[connection->state] != NULL)
		--*counts[connection->state];
	connection->state = state;
	if (state != CONNECTION_FREE && counts[state] != NULL)
		++*counts[state];
}

static void begin_closing(struct ipc_server *server, struct connection *connection, int64_t within_ms)
{
	set_state(server, connection, CONNECTION_CLOSING);
	connection->close_by_ms = clock_mono_ms() + within_ms;
	if (connection->in_pending)
		CancelIoEx(connection->pipe, &connection->in);
}

static void kill_connection(struct ipc_server *server, struct connection *connection)
{
	if (connection->state == CONNECTION_DYING)
		return;
	set_state(server, connection, CONNECTION_DYING);
	if (connection->in_pending || connection->out_pending)
		CancelIoEx(connection->pipe, NULL);
}

/* There may be a password in it. */
static void message_free(char *bytes, size_t capacity)
{
	text_wipe(bytes, bytes != NULL ? capacity : 0);
	free(bytes);
}

/* The kernel holds nothing of it any more. */
static void finish(struct ipc_server *server, struct connection *connection)
{
	mutex_lock(server->lock);
	uint64_t number = connection->number;
	connection->number = 0;
	for (struct connection **at = &server->waiting; *at != NULL; at = &(*at)->next_waiting)
		if (*at == connection) {
			*at = connection->next_waiting;
			break;
		}
	mutex_unlock(server->lock);

	/* Closed and not disconnected: what has been written stays there for the client to read. */
	CloseHandle(connection->pipe);
	while (connection->outputs.first != NULL)
		ipc_output_drop_first(&connection->outputs);
	message_free(connection->message, connection->capacity);
	set_state(server, connection, CONNECTION_FREE);
	*connection = (struct connection){ .state = CONNECTION_FREE };
	server->used_count--;
	if (number != 0)
		server->handler.disconnected(server->handler.context, number);
}

/* Completions come for what succeeds at once as well, and for ERROR_MORE_DATA, which is a warning to the kernel. */
static void read_more(struct ipc_server *server, struct connection *connection)
{
	connection->in = (OVERLAPPED){ .hEvent = NULL };
	if (!ReadFile(connection->pipe, connection->message + connection->length,
	              (DWORD)(connection->capacity - connection->length), NULL, &connection->in) &&
	    GetLastError() != ERROR_IO_PENDING && GetLastError() != ERROR_MORE_DATA) {
		kill_connection(server, connection);
		return;
	}
	connection->in_pending = true;
}

/* Not by realloc, which would leave the old bytes behind. */
static bool resize(struct connection *connection, size_t capacity)
{
	char *bytes = malloc(capacity + 1); /* one more for the terminator */

	if (bytes == NULL)
		return false;
	if (connection->length > 0)
		memcpy(bytes, connection->message, connection->length);
	message_free(connection->message, connection->capacity);
	connection->message = bytes;
	connection->capacity = capacity;
	return true;
}

static void read_message(struct ipc_server *server, struct connection *connection)
{
	connection->length = 0;
	connection->discarding = false;
	if (connection->message == NULL && !resize(connection, READ_BYTES_FIRST))
		kill_connection(server, connection);
	else
		read_more(server, connection);
}

static void write_next(struct ipc_server *server, struct connection *connection, const struct ipc_output *output)
{
	connection->out = (OVERLAPPED){ .hEvent = NULL };
	if (!WriteFile(connection->pipe, output->bytes, (DWORD)output->length, NULL, &connection->out) &&
	    GetLastError() != ERROR_IO_PENDING) {
		kill_connection(server, connection);
		return;
	}
	connection->out_pending = true;
}

/* After anything has happened to a connection: start what can be started, end what is over. */
static void advance(struct ipc_server *server, struct connection *connection)
{
	mutex_lock(server->lock);
	bool kill = connection->kill_wanted, close = connection->close_wanted, next = connection->next_wanted;
	const struct ipc_output *output = connection->outputs.first;
	connection->next_wanted = next && output != NULL; /* who does not read what it is told is not listened to either */
	mutex_unlock(server->lock);

	if (kill && connection->state != CONNECTION_FREE)
		kill_connection(server, connection);
	if (close && connection->state == CONNECTION_OPEN)
		begin_closing(server, connection, CLOSE_MS_MAX);
	if (next && output == NULL && connection->state == CONNECTION_OPEN)
		read_message(server, connection);
	bool talks = connection->state == CONNECTION_OPEN || connection->state == CONNECTION_CLOSING;
	if (talks && output != NULL && !connection->out_pending)
		write_next(server, connection, output);
	if (connection->state == CONNECTION_CLOSING && output == NULL)
		kill_connection(server, connection);
	if (connection->state == CONNECTION_DYING && !connection->in_pending && !connection->out_pending)
		finish(server, connection);
}

static void deliver(struct ipc_server *server, struct connection *connection)
{
	const struct ipc_handler *handler = &server->handler;
	uint64_t number = connection->number;
	size_t length = connection->length;

	mutex_lock(server->lock);
	connection->delivered = true;
	mutex_unlock(server->lock);
	if (!connection->discarding)
		(void)resize(connection, length);
	char *bytes = TAKE(connection->message);
	size_t capacity = connection->capacity;
	connection->capacity = 0;
	if (connection->discarding) {
		message_free(bytes, capacity);
		handler->oversized(handler->context, number);
		return;
	}
	bytes[length] = '\0';
	handler->message(handler->context, number, bytes, length);
}

static void read_done(struct ipc_server *server, struct connection *connection, DWORD error, size_t length)
{
	if (connection->state != CONNECTION_OPEN)
		return; /* cancelled, or too late */
	if (error != ERROR_SUCCESS && error != ERROR_MORE_DATA) {
		kill_connection(server, connection);
		return;
	}
	connection->length += length;
	if (error == ERROR_SUCCESS) {
		deliver(server, connection);
		return;
	}
	if (connection->capacity >= IPC_MESSAGE_BYTES_MAX)
		connection->discarding = true;
	if (connection->discarding)
		connection->length = 0;
	else if (connection->length == connection->capacity &&
	         !resize(connection, connection->capacity * 4 < IPC_MESSAGE_BYTES_MAX ? connection->capacity * 4
	                                                                            : IPC_MESSAGE_BYTES_MAX)) {
		kill_connection(server, connection);
		return;
	}
	read_more(server, connection);
}

static void write_done(struct ipc_server *server, struct connection *connection, DWORD error)
{
	mutex_lock(server->lock);
	ipc_output_drop_first(&connection->outputs);
	mutex_unlock(server->lock);
	if (error != ERROR_SUCCESS)
		kill_connection(server, connection);
}

/* --- the I/O thread: instances --- */

static enum result listen_once(struct ipc_server *server, bool first, struct fault *fault)
{
	size_t slot = 0;
	AUTO(handle) HANDLE pipe = NULL;
	enum result result = ipc_pipe_instance(&server->pipe, first, &pipe, fault);

	if (result != RESULT_OK)
		return result;
	while (server->slots[slot].state != CONNECTION_FREE)
		slot++;
	struct connection *connection = &server->slots[slot];
	ULONG_PTR key = (ULONG_PTR)connection;
	if (CreateIoCompletionPort(pipe, server->port, key, 0) == NULL)
		return fault_win32(fault, GetLastError(), "wait for clients");
	*connection = (struct connection){ .state = CONNECTION_FREE, .pipe = pipe };
	if (!ConnectNamedPipe(pipe, &connection->in) && GetLastError() != ERROR_IO_PENDING) {
		/* A client was faster than we, and may even be gone again: no completion comes, so here is one. */
		if ((GetLastError() != ERROR_PIPE_CONNECTED && GetLastError() != ERROR_NO_DATA) ||
		    !PostQueuedCompletionStatus(server->port, 0, key, &connection->in))
			return fault_win32(fault, GetLastError(), "wait for clients");
	}
	(void)TAKE(pipe);
	connection->in_pending = true;
	set_state(server, connection, CONNECTION_LISTENING);
	server->used_count++;
	return RESULT_OK;
}

/* Who is closed and does not read keeps its slot while nobody else needs one. */
static void make_room(struct ipc_server *server)
{
	for (size_t i = 0; i < server->slot_count && server->closing_count > 0; i++)
		if (server->slots[i].state == CONNECTION_CLOSING) {
			kill_connection(server, &server->slots[i]);
			advance(server, &server->slots[i]);
		}
}

static void top_up(struct ipc_server *server)
{
	server->short_of_listeners = false;
	if (server->used_count == server->slot_count && server->listening_count == 0)
		make_room(server);
	while (server->listening_count < LISTENERS && server->used_count < server->slot_count)
		if (listen_once(server, false, NULL) != RESULT_OK) {
			server->short_of_listeners = true;
			return;
		}
}

static void accept_client(struct ipc_server *server, struct connection *connection)
{
	FILETIME now;

	GetSystemTimePreciseAsFileTime(&now);
	connection->connected = (uint64_t)now.dwHighDateTime << 32 | now.dwLowDateTime;
	set_state(server, connection, CONNECTION_OPEN);
	mutex_lock(server->lock);
	connection->number = ++server->serial << SLOT_BITS | (uint64_t)(connection - server->slots);
	mutex_unlock(server->lock);
	server->handler.connected(server->handler.context, connection->number);
	read_message(server, connection);
}

static void completed(struct ipc_server *server, struct connection *connection, const OVERLAPPED *operation,
                      DWORD error, size_t length)
{
	if (operation == &connection->out) {
		connection->out_pending = false;
		write_done(server, connection, error);
	} else {
		connection->in_pending = false;
		if (connection->state != CONNECTION_LISTENING)
			read_done(server, connection, error, length);
		else if (error == ERROR_SUCCESS)
			accept_client(server, connection);
		else
			kill_connection(server, connection);
	}
	advance(server, connection);
}

/* --- the I/O thread: the whole --- */

static void begin_stop(struct ipc_server *server)
{
	for (size_t i = 0; i < server->slot_count; i++) {
		struct connection *connection = &server->slots[i];
		if (connection->state == CONNECTION_LISTENING)
			kill_connection(server, connection);
		if (connection->state == CONNECTION_OPEN)
			begin_closing(server, connection, STOP_MS_MAX);
		if (connection->state == CONNECTION_CLOSING) {
			int64_t latest = clock_mono_ms() + STOP_MS_MAX;
			if (connection->close_by_ms > latest)
				connection->close_by_ms = latest;
		}
		if (connection->state != CONNECTION_FREE)
			advance(server, connection);
	}
}

static void attend(struct ipc_server *server)
{
	for (;;) {
		mutex_lock(server->lock);
		struct connection *connection = server->waiting;
		if (connection != NULL) {
			server->waiting = connection->next_waiting;
			connection->waits = false;
		}
		mutex_unlock(server->lock);
		if (connection == NULL)
			return;
		advance(server, connection);
	}
}

/* Ends those whose time is over; how long until the next. */
static DWORD expire(struct ipc_server *server)
{
	int64_t now = clock_mono_ms(), wait = INT64_MAX;

	for (size_t i = 0; i < server->slot_count && server->closing_count > 0; i++) {
		struct connection *connection = &server->slots[i];
		if (connection->state != CONNECTION_CLOSING)
			continue;
		if (connection->close_by_ms <= now) {
			kill_connection(server, connection);
			advance(server, connection);
		} else if (connection->close_by_ms - now < wait) {
			wait = connection->close_by_ms - now;
		}
	}
	if (server->short_of_listeners && wait > RETRY_MS)
		wait = RETRY_MS;
	return wait == INT64_MAX ? INFINITE : (DWORD)wait;
}

static void serve(void *argument)
{
	struct ipc_server *server = argument;
	bool stopping = false;

	for (;;) {
		if (!stopping)
			top_up(server);
		DWORD wait = expire(server);
		if (stopping && server->used_count == 0)
			return;
		ULONG_PTR key = 0;
		OVERLAPPED *operation = NULL;
		DWORD length = 0;
		BOOL fine = GetQueuedCompletionStatus(server->port, &length, &key, &operation, wait);
		if (operation != NULL)
			completed(server, (struct connection *)key, operation, fine ? ERROR_SUCCESS : GetLastError(),
			          length); /* NOLINT(performance-no-int-to-ptr): keys are how a port names things */
		attend(server);
		mutex_lock(server->lock);
		bool stop = server->stopping;
		mutex_unlock(server->lock);
		if (stop && !stopping)
			begin_stop(server);
		stopping = stop;
	}
}

/* --- the contract --- */

static void server_release(struct ipc_server *server)
{
	if (server->port != NULL)
		CloseHandle(server->port);
	ipc_pipe_done(&server->pipe);
	mutex_free(server->lock);
	free(server);
}

static void server_release_cleanup(struct ipc_server **server)
{
	if (*server == NULL)
		return;
	/* Never served: at most the first instance is there.  Its end is waited for, since its OVERLAPPED goes now. */
	for (size_t i = 0; i < (*server)->slot_count; i++)
		if ((*server)->slots[i].state != CONNECTION_FREE) {
			struct connection *connection = &(*server)->slots[i];
			DWORD length;
			CancelIoEx(connection->pipe, &connection->in);
			GetOverlappedResult(connection->pipe, &connection->in, &length, TRUE);
			CloseHandle(connection->pipe);
		}
	server_release(*server);
}

enum result ipc_server_start(const char *address, const struct ipc_limits *limits, const struct ipc_handler *handler,
                             struct ipc_server **ret_server, struct fault *fault)
{
	if (limits->connections_max == 0 || limits->connections_max > CONNECTIONS_MAX)
		return fault_set(fault, RESULT_INVALID_ARGUMENT, FAULT_FERRY, limits->connections_max, "connections");
	size_t slot_count = limits->connections_max;
	AUTO(server_release) struct ipc_server *server = calloc(1, sizeof *server + slot_count * sizeof server->slots[0]);
	if (server == NULL)
		return fault_set(fault, RESULT_NO_MEMORY, FAULT_FERRY, 0, "listen on %s", address);
	server->limits = *limits;
	server->handler = *handler;
	server->slot_count = slot_count;
	server->lock = mutex_new();
	if (server->lock == NULL)
		return fault_set(fault, RESULT_NO_MEMORY, FAULT_FERRY, 0, "listen on %s", address);
	enum result result = ipc_pipe_prepare(address, &server->pipe, fault);
	if (result != RESULT_OK)
		return result;
	server->port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 1);
	if (server->port == NULL)
		return fault_win32(fault, GetLastError(), "listen on %s", address);
	result = listen_once(server, true, fault);
	if (result == RESULT_OK)
		result = thread_start("ipc", serve, server, &server->thread, fault);
	if (result == RESULT_OK)
		*ret_server = TAKE(server);
	return result;
}

void ipc_server_free(struct ipc_server *server)
{
	if (server == NULL)
		return;
	mutex_lock(server->lock);
	server->stopping = true;
	wake(server, NULL);
	mutex_unlock(server->lock);
	thread_join(server->thread);
	server_release(server);
}

enum result ipc_send(struct ipc_server *server, uint64_t number, struct text_view message)
{
	enum result result = RESULT_OK;

	mutex_lock(server->lock);
	struct connection *connection = find(server, number);
	if (connection == NULL || connection->close_wanted || connection->kill_wanted) {
		result = RESULT_NOT_FOUND;
	} else {
		result = ipc_output_add(&connection->outputs, message, server->limits.output_bytes_max);
		/* A client that misses a message would wait for it for ever: better it finds its connection gone. */
		connection->kill_wanted = result != RESULT_OK;
		wake(server, connection);
	}
	mutex_unlock(server->lock);
	return result;
}

size_t ipc_unread(struct ipc_server *server, uint64_t number)
{
	mutex_lock(server->lock);
	const struct connection *connection = find(server, number);
	size_t bytes = connection != NULL ? connection->outputs.bytes : 0;
	mutex_unlock(server->lock);
	return bytes;
}

void ipc_next(struct ipc_server *server, uint64_t number)
{
	mutex_lock(server->lock);
	struct connection *connection = find(server, number);
	if (connection != NULL && connection->delivered) {
		connection->delivered = false;
		connection->next_wanted = true;
		wake(server, connection);
	}
	mutex_unlock(server->lock);
}

void ipc_close(struct ipc_server *server, uint64_t number)
{
	mutex_lock(server->lock);
	struct connection *connection = find(server, number);
	if (connection != NULL) {
		connection->close_wanted = true;
		wake(server, connection);
	}
	mutex_unlock(server->lock);
}

/* The lock is held while the pipe speaks for its last message: no ipc_next() can slip another read in between. */
enum result ipc_capture(struct ipc_server *server, uint64_t number, struct identity **ret_identity, struct fault *fault)
{
	AUTO(handle) HANDLE token = NULL;
	enum result result;

	mutex_lock(server->lock);
	struct connection *connection = find(server, number);
	if (connection == NULL)
		result = fault_set(fault, RESULT_NOT_FOUND, FAULT_FERRY, 0, "the connection is gone");
	else if (!connection->delivered)
		result = fault_set(fault, RESULT_INVALID_STATE, FAULT_FERRY, 0, "no message to speak of");
	else
		result = ipc_pipe_capture(connection->pipe, &token, fault);
	mutex_unlock(server->lock);
	return result == RESULT_OK ? identity_from_token(token, ret_identity, fault) : result;
}

uint32_t ipc_client_process(struct ipc_server *server, uint64_t number, char *image, size_t size)
{
	uint32_t process = 0;

	image[0] = '\0';
	mutex_lock(server->lock);
	struct connection *connection = find(server, number);
	if (connection != NULL && connection->delivered)
		process = ipc_pipe_process(connection->pipe, connection->connected, image, size);
	mutex_unlock(server->lock);
	return process;
}
