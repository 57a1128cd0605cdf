#include "http_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "platform/thread.h"

#ifdef _WIN32
#include <winsock2.h>
#include <ws2tcpip.h>
typedef SOCKET socket_type;
#define SHUT_RDWR SD_BOTH
#define MSG_NOSIGNAL 0
static void close_socket(socket_type fd)
{
	closesocket(fd);
}
#else
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>
typedef int socket_type;
#define INVALID_SOCKET (-1)
static void close_socket(socket_type fd)
{
	close(fd);
}
#endif

#define HEAD_BYTES_MAX 8192
#define CONNECTIONS_MAX 512

struct http_connection {
	struct http_server *server;
	struct thread *thread;
	socket_type fd; /* closed by http_server_stop only, so that it can be shut down from there */
	unsigned number;
	char head[HEAD_BYTES_MAX + 1];
	size_t length; /* of what was read ahead into `head` */
};

struct http_server {
	http_handler *handler;
	void *context;
	struct mutex *mutex;
	struct thread *thread;
	socket_type listener;
	unsigned port;
	bool stopping;
	struct http_connection *connections[CONNECTIONS_MAX];
	unsigned connection_count, open_count, open_max, request_count;
	uint64_t bytes_sent;
};

static void start_sockets(void)
{
#ifdef _WIN32
	WSADATA data;
	assert_int_equal(WSAStartup(MAKEWORD(2, 2), &data), 0);
#endif
}

static struct sockaddr_in loopback(unsigned port)
{
	struct sockaddr_in address;
	memset(&address, 0, sizeof(address));
	address.sin_family = AF_INET;
	address.sin_port = htons((uint16_t)port);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return address;
}

static socket_type bind_free_port(unsigned *ret_port)
{
	struct sockaddr_in address = loopback(0);
	socklen_t size = sizeof(address);
	socket_type fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_true(fd != INVALID_SOCKET);
	assert_int_equal(bind(fd, (const struct sockaddr *)&address, size), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	*ret_port = ntohs(address.sin_port);
	return fd;
}

/* --- one connection --- */

bool http_send(struct http_connection *connection, const void *bytes, size_t length)
{
	const char *from = bytes;
	while (length > 0) {
		int part = length > 65536 ? 65536 : (int)length;
#ifdef _WIN32
		int sent = send(connection->fd, from, part, 0);
#else
		int sent = (int)send(connection->fd, from, (size_t)part, MSG_NOSIGNAL);
#endif
		if (sent <= 0)
			return false;
		mutex_lock(connection->server->mutex);
		connection->server->bytes_sent += (uint64_t)sent;
		mutex_unlock(connection->server->mutex);
		from += sent;
		length -= (size_t)sent;
	}
	return true;
}

bool http_print(struct http_connection *connection, const char *format, ...)
{
	char text[4096];
	va_list arguments;
	va_start(arguments, format);
	int length = vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	return length >= 0 && (size_t)length < sizeof(text) && http_send(connection, text, (size_t)length);
}

static int receive(struct http_connection *connection, char *to, size_t size)
{
#ifdef _WIN32
	return recv(connection->fd, to, (int)size, 0);
#else
	return (int)recv(connection->fd, to, size, 0);
#endif
}

void http_hold(struct http_connection *connection)
{
	char ignored[256];
	while (receive(connection, ignored, sizeof(ignored)) > 0)
		;
}

static const char *find_head_end(const struct http_connection *connection)
{
	const char *end = strstr(connection->head, "\r\n\r\n");
	return end ? end + 4 : NULL;
}

/* One request's head; whatever follows stays in the buffer. */
static bool read_request(struct http_connection *connection, struct http_request *ret_request)
{
	const char *end;
	memset(ret_request, 0, sizeof(*ret_request));
	while ((end = find_head_end(connection)) == NULL) {
		size_t room = HEAD_BYTES_MAX - connection->length;
		int got = room > 0 ? receive(connection, connection->head + connection->length, room) : 0;
		if (got <= 0)
			return false;
		connection->length += (size_t)got;
		connection->head[connection->length] = '\0';
	}
	size_t size = (size_t)(end - connection->head);
	if (sscanf(connection->head, "%15s %1023s", ret_request->method, ret_request->target) != 2)
		return false;
	snprintf(ret_request->heads, sizeof(ret_request->heads), "%.*s", (int)size, connection->head);
	const char *range = strstr(ret_request->heads, "\r\nRange: bytes=");
	if (range) {
		ret_request->has_range = true;
		ret_request->first = strtoull(range + strlen("\r\nRange: bytes="), NULL, 10);
	}
	memmove(connection->head, end, connection->length - size + 1);
	connection->length -= size;
	return true;
}

static void serve_connection(void *argument)
{
	struct http_connection *connection = argument;
	struct http_server *server = connection->server;
	struct http_request request;
	bool more = true;
	while (more && read_request(connection, &request)) {
		mutex_lock(server->mutex);
		request.number = server->request_count++;
		mutex_unlock(server->mutex);
		request.connection = connection->number;
		more = server->handler(server->context, &request, connection);
	}
	shutdown(connection->fd, SHUT_RDWR);
	mutex_lock(server->mutex);
	server->open_count--;
	mutex_unlock(server->mutex);
}

/* --- the server --- */

static void take_connection(struct http_server *server, socket_type fd)
{
	struct http_connection *connection = calloc(1, sizeof(*connection));
	int yes = 1;
	if (!connection) {
		close_socket(fd);
		return;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, (const char *)&yes, sizeof(yes));
	connection->server = server;
	connection->fd = fd;
	mutex_lock(server->mutex);
	bool welcome = !server->stopping && server->connection_count < CONNECTIONS_MAX;
	if (welcome) {
		connection->number = server->connection_count;
		server->connections[server->connection_count++] = connection;
		if (++server->open_count > server->open_max)
			server->open_max = server->open_count;
		if (thread_start("http", serve_connection, connection, &connection->thread, NULL) != RESULT_OK)
			abort();
	}
	mutex_unlock(server->mutex);
	if (!welcome) {
		close_socket(fd);
		free(connection);
	}
}

static void serve(void *argument)
{
	struct http_server *server = argument;
	bool stopping = false;
	while (!stopping) {
		socket_type fd = accept(server->listener, NULL, NULL);
		if (fd != INVALID_SOCKET)
			take_connection(server, fd);
		mutex_lock(server->mutex);
		stopping = server->stopping;
		mutex_unlock(server->mutex);
	}
}

struct http_server *http_server_start(http_handler *handler, void *context)
{
	start_sockets();
	struct http_server *server = calloc(1, sizeof(*server));
	assert_non_null(server);
	server->handler = handler;
	server->context = context;
	server->mutex = mutex_new();
	assert_non_null(server->mutex);
	server->listener = bind_free_port(&server->port);
	assert_int_equal(listen(server->listener, 64), 0);
	assert_int_equal(thread_start("http-listen", serve, server, &server->thread, NULL), RESULT_OK);
	return server;
}

void http_server_stop(struct http_server *server)
{
	if (!server)
		return;
	mutex_lock(server->mutex);
	server->stopping = true;
	for (unsigned i = 0; i < server->connection_count; i++)
		shutdown(server->connections[i]->fd, SHUT_RDWR);
	mutex_unlock(server->mutex);
	/* The one way to end accept() that every system knows: connect. */
	struct sockaddr_in address = loopback(server->port);
	socket_type fd = socket(AF_INET, SOCK_STREAM, 0);
	connect(fd, (const struct sockaddr *)&address, sizeof(address));
	thread_join(server->thread);
	close_socket(fd);
	for (unsigned i = 0; i < server->connection_count; i++) {
		thread_join(server->connections[i]->thread);
		close_socket(server->connections[i]->fd);
		free(server->connections[i]);
	}
	close_socket(server->listener);
	mutex_free(server->mutex);
	free(server);
}

void http_server_url(const struct http_server *server, const char *path, char *to, size_t size)
{
	snprintf(to, size, "http://127.0.0.1:%u%s", server->port, path);
}

static unsigned read_count(struct http_server *server, const unsigned *count)
{
	mutex_lock(server->mutex);
	unsigned value = *count;
	mutex_unlock(server->mutex);
	return value;
}

unsigned http_server_requests(struct http_server *server)
{
	return read_count(server, &server->request_count);
}

unsigned http_server_connections(struct http_server *server)
{
	return read_count(server, &server->connection_count);
}

unsigned http_server_connections_open_max(struct http_server *server)
{
	return read_count(server, &server->open_max);
}

uint64_t http_server_bytes_sent(struct http_server *server)
{
	mutex_lock(server->mutex);
	uint64_t value = server->bytes_sent;
	mutex_unlock(server->mutex);
	return value;
}

unsigned http_closed_port(void)
{
	unsigned port;
	start_sockets();
	(void)bind_free_port(&port); /* stays bound while the process lives, so that nobody else can listen there */
	return port;
}
