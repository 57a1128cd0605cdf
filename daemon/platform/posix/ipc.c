#include "platform/ipc.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "platform/clock.h"
#include "platform/ipc_output.h"
#include "platform/posix/fault.h"
#include "platform/posix/identity_credentials.h"
#include "platform/posix/packet.h"
#include "platform/thread.h"

#define CLOSE_MS_MAX 5000 /* for a closed client to read what is queued */
#define RETRY_MS 1000     /* until the next look at who is closed, and try to accept if there was no descriptor */

struct connection {
	uint64_t number; /* 0: this place is free */
	int fd;
	struct ucred peer; /* who connected */
	/* The I/O thread's alone, until `delivered` is set. */
	struct buffer input;
	struct ucred sender; /* who wrote every packet of the message */
	bool oversized;
	nfds_t polled; /* its place there; 0: not polled */
	/* Under the server's mutex. */
	bool delivered;      /* a message is out: nothing is read until ipc_next() */
	bool broken;         /* to be ended by the I/O thread */
	int64_t close_by_ms; /* 0: not closing */
	struct ipc_outputs outputs;
};

struct ipc_server {
	struct ipc_limits limits;
	struct ipc_handler handler;
	struct sockaddr_un address; /* "" until it is ours to remove */
	int listener, wake;
	struct thread *thread;
	struct mutex *mutex;
	bool stopping;
	bool full, accept_later;        /* the I/O thread's own, and the next one */
	int poll_ms;
	struct connection *connections; /* places; the I/O thread alone fills and empties them, under the mutex */
	struct pollfd *polled;          /* listener, wake, who is waited for; poll refuses more than may be open */
	nfds_t polled_count;
	uint64_t last_number;
};

/* --- the I/O thread --- */

/* One at a time, as with packets: the poll comes back for the next when the others had their turn. */
static void accept_client(struct ipc_server *server)
{
	int fd = accept4(server->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct connection client = { .fd = fd, .input = BUFFER(IPC_MESSAGE_BYTES_MAX) }, *place = server->connections;
	socklen_t size = sizeof(client.peer);
	if (fd < 0 || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &client.peer, &size) != 0) {
		/* Whoever waits goes on waiting, and would be reported at once again. */
		server->accept_later = fd < 0 && errno != EAGAIN && errno != ECONNABORTED;
		close(fd);
		return;
	}
	while (place->number != 0) /* tend() has seen a free one */
		place++;
	client.number = ++server->last_number;
	mutex_lock(server->mutex);
	*place = client;
	mutex_unlock(server->mutex);
	server->handler.connected(server->handler.context, client.number);
}

static void deliver(struct ipc_server *server, struct connection *connection)
{
	const struct ipc_handler *handler = &server->handler;
	AUTO(buffer) struct buffer message = connection->input;
	bool oversized = connection->oversized;
	connection->input = BUFFER(IPC_MESSAGE_BYTES_MAX);
	connection->oversized = false;
	if (oversized)
		handler->oversized(handler->context, connection->number);
	else
		handler->message(handler->context, connection->number, TAKE(message.bytes), message.length);
}

/* Read a packet; the last one makes the message whole. */
static void read_packet(struct ipc_server *server, struct connection *connection)
{
	bool first = connection->input.bytes == NULL, last = false;
	struct ucred sender = { 0 };
	enum result result = packet_receive(connection->fd, &connection->input, &sender, &last);
	if (result == RESULT_TIMED_OUT)
		return;
	/* One message, one author: else a thread could finish what another identity began. */
	bool good = (first || memcmp(&sender, &connection->sender, sizeof(sender)) == 0) &&
	            (result == RESULT_OK || result == RESULT_TOO_LARGE);
	connection->sender = sender;
	connection->oversized |= result == RESULT_TOO_LARGE;
	if (connection->oversized)
		buffer_clear(&connection->input);
	mutex_lock(server->mutex);
	connection->broken |= !good;
	connection->delivered = good && last;
	mutex_unlock(server->mutex);
	if (good && last)
		deliver(server, connection);
}

/* Under the mutex: send what the socket takes, and say whether the connection is at its end. */
static bool flush(struct connection *connection)
{
	while (connection->outputs.first && !connection->broken) {
		struct ipc_output *output = connection->outputs.first;
		enum result result = packet_send(connection->fd, output->bytes, output->length, &output->sent);
		if (result == RESULT_TIMED_OUT)
			break;
		connection->broken = result != RESULT_OK;
		ipc_output_drop_first(&connection->outputs);
	}
	int64_t close_by_ms = connection->close_by_ms;
	return connection->broken || (close_by_ms > 0 && (!connection->outputs.first || clock_mono_ms() >= close_by_ms));
}

static void empty_place(struct connection *connection)
{
	close(connection->fd);
	buffer_done(&connection->input);
	while (connection->outputs.first)
		ipc_output_drop_first(&connection->outputs);
	*connection = (struct connection){ 0 };
}

/* Do for every connection what other threads asked for, and say what to poll.  False: all have been ended. */
static bool tend(struct ipc_server *server)
{
	mutex_lock(server->mutex);
	bool full = true, stopping = server->stopping;
	server->polled_count = 2;
	server->poll_ms = server->accept_later ? RETRY_MS : -1;
	for (uint32_t i = 0; i < server->limits.connections_max; i++) {
		struct connection *connection = &server->connections[i];
		uint64_t number = connection->number;
		/* Who is closed and does not read keeps its place while nobody else needs one. */
		bool over = number != 0 && (flush(connection) || stopping || (server->full && connection->close_by_ms > 0));
		if (over)
			empty_place(connection);
		full &= connection->number != 0;
		if (connection->close_by_ms > 0)
			server->poll_ms = RETRY_MS;
		bool writes = connection->outputs.first != NULL;
		bool reads = !connection->delivered && connection->close_by_ms == 0 && !writes;
		short events = (short)((reads ? POLLIN : 0) | (writes ? POLLOUT : 0));
		/* If nothing is wanted it is left out: a hang-up would be reported again and again, whatever the events. */
		connection->polled = connection->number != 0 && events ? server->polled_count++ : 0;
		if (connection->polled)
			server->polled[connection->polled] = (struct pollfd){ .fd = connection->fd, .events = events };
		if (over) {
			mutex_unlock(server->mutex);
			server->handler.disconnected(server->handler.context, number);
			mutex_lock(server->mutex);
		}
	}
	mutex_unlock(server->mutex);
	server->polled->fd = full || server->accept_later ? -1 : server->listener;
	server->full = full;
	server->accept_later = false;
	return !stopping;
}

static void serve(void *argument)
{
	struct ipc_server *server = argument;
	struct pollfd *listener = server->polled, *wake = listener + 1;
	listener->events = POLLIN;
	*wake = (struct pollfd){ .fd = server->wake, .events = POLLIN };
	while (tend(server)) {
		if (poll(server->polled, server->polled_count, server->poll_ms) <= 0)
			continue;
		if (wake->revents)
			(void)eventfd_read(server->wake, &(eventfd_t){ 0 });
		for (uint32_t i = 0; i < server->limits.connections_max; i++) {
			const struct pollfd *polled = &server->polled[server->connections[i].polled];
			if (polled != listener && polled->events & POLLIN && polled->revents)
				read_packet(server, &server->connections[i]);
		}
		if (listener->revents)
			accept_client(server);
	}
}

/* --- the door --- */

/* Bind, over a killed server's socket file, where nobody answers; the data folder's lock keeps others out meanwhile. */
static enum result listen_at(struct ipc_server *server, const char *path, struct fault *fault)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const struct sockaddr *name = (const struct sockaddr *)&address;
	int listener = server->listener, yes = 1;
	struct stat status;
	if (text_copy(address.sun_path, sizeof(address.sun_path), text_view(path)) != RESULT_OK)
		return fault_set(fault, RESULT_TOO_LONG, FAULT_FERRY, 0, "listen at %s", path);
	if (bind(listener, name, sizeof(address)) != 0) {
		if (errno != EADDRINUSE || lstat(path, &status) != 0)
			return fault_errno(fault, errno, "listen at %s", path);
		if (!S_ISSOCK(status.st_mode))
			return fault_set(fault, RESULT_EXISTS, FAULT_FERRY, 0, "%s is no socket", path);
		if (connect(listener, name, sizeof(address)) == 0 || errno != ECONNREFUSED)
			return fault_set(fault, RESULT_ALREADY_RUNNING, FAULT_FERRY, 0, "%s is served", path);
		if (unlink(path) != 0 || bind(listener, name, sizeof(address)) != 0)
			return fault_errno(fault, errno, "take over %s", path);
	}
	server->address = address;
	/* Every user may knock; accepted sockets inherit that the kernel says who sends each packet. */
	if (setsockopt(listener, SOL_SOCKET, SO_PASSCRED, &yes, sizeof(yes)) != 0 || chmod(path, 0666) != 0 ||
	    listen(listener, SOMAXCONN) != 0)
		return fault_errno(fault, errno, "listen at %s", path);
	return RESULT_OK;
}

enum result ipc_server_start(const char *address, const struct ipc_limits *limits, const struct ipc_handler *handler,
                             struct ipc_server **ret_server, struct fault *fault)
{
	AUTO(ipc_server) struct ipc_server *server = calloc(1, sizeof(*server));
	if (!server)
		return fault_errno(fault, errno, "listen at %s", address);
	*server = (struct ipc_server){ .limits = *limits, .handler = *handler, .mutex = mutex_new() };
	server->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	server->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	server->connections = calloc(limits->connections_max, sizeof(*server->connections));
	server->polled = calloc((size_t)limits->connections_max + 2, sizeof(*server->polled));
	if (!server->mutex || server->wake < 0 || server->listener < 0 || !server->connections || !server->polled)
		return fault_errno(fault, errno, "listen at %s", address);
	enum result result = listen_at(server, address, fault);
	result = result ? result : thread_start("ipc", serve, server, &server->thread, fault);
	if (result == RESULT_OK)
		*ret_server = TAKE(server);
	return result;
}

static void unlock_and_wake(struct ipc_server *server)
{
	mutex_unlock(server->mutex);
	(void)eventfd_write(server->wake, 1); /* full means that it wakes anyway */
}

void ipc_server_free(struct ipc_server *server)
{
	if (!server)
		return;
	if (server->thread) {
		mutex_lock(server->mutex);
		server->stopping = true;
		unlock_and_wake(server);
		thread_join(server->thread);
	}
	unlink(server->address.sun_path); /* where these are still "" and -1 they are refused, and no harm is done */
	close(server->listener);
	close(server->wake);
	mutex_free(server->mutex);
	free(server->connections);
	free(server->polled);
	free(server);
}

/* The mutex is taken, also if the answer is NULL: no such connection, or it is being ended. */
static struct connection *lock_and_find(struct ipc_server *server, uint64_t number)
{
	mutex_lock(server->mutex);
	struct connection *at = server->connections, *end = at + server->limits.connections_max;
	while (at < end && at->number != number)
		at++;
	return number == 0 || at == end || at->broken || at->close_by_ms > 0 ? NULL : at;
}

enum result ipc_send(struct ipc_server *server, uint64_t number, struct text_view message)
{
	struct connection *connection = lock_and_find(server, number);
	enum result result = RESULT_NOT_FOUND;
	if (connection) {
		result = ipc_output_add(&connection->outputs, message, server->limits.output_bytes_max);
		/* A client that misses a message would wait for it for ever: better it finds its connection gone. */
		connection->broken = result != RESULT_OK;
	}
	unlock_and_wake(server);
	return result;
}

size_t ipc_unread(struct ipc_server *server, uint64_t number)
{
	const struct connection *connection = lock_and_find(server, number);
	size_t bytes = connection ? connection->outputs.bytes : 0;
	mutex_unlock(server->mutex);
	return bytes;
}

void ipc_next(struct ipc_server *server, uint64_t number)
{
	struct connection *connection = lock_and_find(server, number);
	if (connection)
		connection->delivered = false;
	unlock_and_wake(server);
}

void ipc_close(struct ipc_server *server, uint64_t number)
{
	struct connection *connection = lock_and_find(server, number);
	if (connection)
		connection->close_by_ms = clock_mono_ms() + CLOSE_MS_MAX;
	unlock_and_wake(server);
}

static enum result capture(const struct connection *connection, struct identity **ret_identity, struct fault *fault)
{
	const struct ucred *sender = &connection->sender, *peer = &connection->peer;
	gid_t groups[IDENTITY_GROUPS_MAX];
	socklen_t size = sizeof(groups);
	pid_t session = getsid(sender->pid);
	if (session < 0)
		return fault_set(fault, RESULT_ACCESS_REFUSED, FAULT_ERRNO, errno, "the program that wrote has ended");
	/* The kernel tells only the groups of the one who connected; another sender is taken to have none. */
	if (sender->uid != peer->uid || sender->gid != peer->gid)
		size = 0;
	else if (getsockopt(connection->fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size) != 0)
		return fault_set(fault, RESULT_ACCESS_REFUSED, FAULT_ERRNO, errno, "more groups than %d", IDENTITY_GROUPS_MAX);
	return identity_from_credentials(sender->uid, sender->gid, session == getsid(0) ? 0 : session, groups,
	                                 size / sizeof(groups[0]), ret_identity, fault);
}

enum result ipc_capture(struct ipc_server *server, uint64_t number, struct identity **ret_identity, struct fault *fault)
{
	struct connection *connection = lock_and_find(server, number);
	enum result result = connection && connection->delivered ? capture(connection, ret_identity, fault) :
	                     fault_set(fault, RESULT_NOT_FOUND, FAULT_FERRY, 0, "the message is gone");
	mutex_unlock(server->mutex);
	return result;
}

uint32_t ipc_client_process(struct ipc_server *server, uint64_t number, char *image, size_t size)
{
	struct connection *connection = lock_and_find(server, number);
	uint32_t process = connection ? (uint32_t)connection->peer.pid : 0;
	char link[32];
	mutex_unlock(server->mutex);
	text_display(link, sizeof(link), "/proc/%u/exe", process);
	ssize_t length = readlink(link, image, size - 1);
	image[length > 0 ? length : 0] = '\0';
	return process;
}
