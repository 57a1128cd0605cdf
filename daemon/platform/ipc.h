/* platform/ipc - the only door: the message pipe \\.\pipe\Ferry (a seqpacket Unix socket on the Linux ground).
 *
 * One I/O thread of its own.  Connections are numbers, never pointers: a number that is gone answers RESULT_NOT_FOUND.
 * One read at a time per connection: after `message` nothing more is read from it until ipc_next(), and not before the
 * system has taken what was sent to it.  That bounds what a client can have in flight, whether it reads its answers or
 * not, and lets ipc_capture() speak of exactly the message that was delivered (rule 1).
 * The pipe's SDDL is in platform/win32/ipc_pipe.c, literally (rule 3).
 */
#ifndef FERRY_PLATFORM_IPC_H
#define FERRY_PLATFORM_IPC_H

#include "platform/identity.h"

#define IPC_MESSAGE_BYTES_MAX (1024u * 1024u)
#define IPC_CONNECTIONS_MAX_DEFAULT 128u
#define IPC_OUTPUT_BYTES_MAX_DEFAULT (2u * 1024u * 1024u) /* queued for one client that does not read */

struct ipc_server;

/* Called on the I/O thread; must not block. */
struct ipc_handler {
	void (*connected)(void *context, uint64_t connection);
	/* `bytes` (terminated, may hold anything) becomes the callee's: free() it. */
	void (*message)(void *context, uint64_t connection, char *bytes, size_t length);
	/* The client sent more than IPC_MESSAGE_BYTES_MAX in one message; what came is dropped.  Answer, then ipc_next(). */
	void (*oversized)(void *context, uint64_t connection);
	/* Last call for this connection, whoever ended it. */
	void (*disconnected)(void *context, uint64_t connection);
	void *context;
};

struct ipc_limits {
	uint32_t connections_max;  /* further clients wait for a place; who is closed and does not read gives up his */
	uint32_t output_bytes_max; /* exceeded: the connection is closed */
};

/* Listen on `address`: a pipe name or a socket path.  RESULT_ALREADY_RUNNING if somebody else does. */
enum result ipc_server_start(const char *address, const struct ipc_limits *limits, const struct ipc_handler *handler,
                             struct ipc_server **ret_server, struct fault *fault) MUST_CHECK;
/* Close the door and all connections (`disconnected` is called for each), then end the thread. */
void ipc_server_free(struct ipc_server *server);
DEFINE_CLEANUP(ipc_server)

/* Any thread.  The bytes are copied and sent in order; never blocks.  RESULT_NOT_FOUND | RESULT_TOO_LARGE (closed). */
enum result ipc_send(struct ipc_server *server, uint64_t connection, struct text_view message) MUST_CHECK;
/* Any thread.  How many bytes of what was sent the system has not taken yet, because the client does not read. */
size_t ipc_unread(struct ipc_server *server, uint64_t connection);
/* Any thread.  The last message is dealt with: read the next one. */
void ipc_next(struct ipc_server *server, uint64_t connection);
/* Any thread; close once what is queued has been sent (within a bound). */
void ipc_close(struct ipc_server *server, uint64_t connection);
/* Any thread.  The identity that wrote the last delivered message: between `message` and ipc_next() only.  Impersonates
 * and reverts inside this function, and ends the process if it cannot revert.  RESULT_NOT_LENT: the client's token may
 * not be used (below impersonation level).  RESULT_ACCESS_REFUSED: it cannot be had. */
enum result ipc_capture(struct ipc_server *server, uint64_t connection, struct identity **ret_identity,
                        struct fault *fault) MUST_CHECK;
/* The client's process, 0 if unknown, and its program's file, "" if unknown: for events and logs only, never for a decision
 * (rule 4).  Between `message` and ipc_next() only: another user's process is opened as that user. */
uint32_t ipc_client_process(struct ipc_server *server, uint64_t connection, char *image, size_t size);

#endif
