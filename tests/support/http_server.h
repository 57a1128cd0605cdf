/* tests/support/http_server - a small scripted HTTP/1.1 server inside the test's process.
 *
 * A handler decides, byte by byte, what a request is answered with: well, badly or not at all.  Each connection has a
 * thread of its own, on 127.0.0.1 and a free port.
 */
#ifndef FERRY_TESTS_HTTP_SERVER_H
#define FERRY_TESTS_HTTP_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/result.h"

struct http_server;
struct http_connection;

struct http_request {
	char method[16];
	char target[1024];
	char heads[4096]; /* all header lines, as sent */
	bool has_range;
	uint64_t first;      /* of "Range: bytes=first-" */
	unsigned number;     /* of the server's requests, from 0 */
	unsigned connection; /* of the server's connections, from 0 */
};

/* Answer one request; false: close the connection. */
typedef bool http_handler(void *context, const struct http_request *request, struct http_connection *connection);

/* Fails the test if it cannot start. */
struct http_server *http_server_start(http_handler *handler, void *context);
/* Breaks off all connections and waits for their threads. */
void http_server_stop(struct http_server *server);

/* "http://127.0.0.1:PORT" + path */
void http_server_url(const struct http_server *server, const char *path, char *to, size_t size);
unsigned http_server_requests(struct http_server *server);
unsigned http_server_connections(struct http_server *server);
unsigned http_server_connections_open_max(struct http_server *server); /* at the same time */

/* For handlers.  False: the peer or the server is gone. */
bool http_send(struct http_connection *connection, const void *bytes, size_t length);
bool http_print(struct http_connection *connection, const char *format, ...) PRINTF_LIKE(2, 3);
/* Send nothing until the peer closes or the server stops. */
void http_hold(struct http_connection *connection);
/* How much http_send has taken, over all connections. */
uint64_t http_server_bytes_sent(struct http_server *server);

/* A port on which nobody listens. */
unsigned http_closed_port(void);

#endif
