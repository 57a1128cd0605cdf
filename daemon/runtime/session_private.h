/* Inside runtime/session: what its files share.
 *
 *   session.c         connections, messages in, replies and notifications out
 *   session_method.c  what each method does, and the handles it needs for that
 *   session_helper.c  the methods of helper tokens
 *   session_credential.c  the methods of credentials
 *   session_header.c  the methods of header lines
 *   session_proxy.c   which proxies there are
 *   session_config.c  the configuration, and what is declared
 *   session_doctor.c  what may be wrong
 */
#ifndef FERRY_RUNTIME_SESSION_PRIVATE_H
#define FERRY_RUNTIME_SESSION_PRIVATE_H

#include "core/access.h"
#include "runtime/session.h"

/* Connections that have not said hello, beside door.connections_max: whose they are is not known, so they have no share
 * but this one, and the oldest gives way to the newest.  A client says hello at once. */
#define SILENT_MAX 32u
/* Connections that have been told to go and have not gone yet; what comes meanwhile waits in the system's queue. */
#define LEAVING_MAX 32u
/* How long messages are served in one turn of the engine before the rest has to wait for the next one.  Owners take
 * turns, so whoever asks for little is not delayed by how much others ask for, and on how many connections. */
#define SERVE_MS_MAX 20
/* Who leaves more unread than this is told no progress; a later one says the same and more. */
#define PROGRESS_UNREAD_MAX 65536u

/* The capability: what this connection may do to one job.  The row alone would do, since its number is never given again
 * (schema/0001); that the id is checked beside it at each use keeps a mistake there from opening somebody else's job. */
struct handle {
	struct handle *next;
	uint64_t number;
	int64_t row;
	char id[JOB_ID_BYTES];
	struct opener opener; /* who opened it, and with which rights: rule 10 */
	uint32_t takeovers;   /* the job's: one with another owner is to be opened anew */
	bool subscribed;
	struct ticket *ticket; /* for a helper on another connection; NULL: none */
};

/* Presented once, on any connection, it lends that caller's token as this handle may (rule 2). */
struct ticket {
	char secret[PROTOCOL_TICKET_BYTES];
	int64_t until_ms; /* monotonic */
	struct buffer roots;
	uint32_t age_s;
};
#define TICKET_S 30
void ticket_free(struct ticket *ticket); /* NULL is fine */
DEFINE_CLEANUP(ticket)

struct delivery;

struct session {
	struct session *next;
	uint64_t connection;
	struct delivery *waiting; /* what it said and what is not served yet; NULL: nothing */
	uint64_t served;          /* the last serving of anybody of its owner */
	bool greeted;
	bool leaving; /* refused, and being closed: nothing it says counts any more */
	bool gone;    /* its client hung up; it goes too, and gives its place back, when what waits is served */
	struct caller caller; /* who said hello */
	struct asker asker;   /* the same and by which program, as events tell it */
	bool subscribed;      /* to all jobs of the caller */
	struct handle *handles;
	uint64_t handle_count, handle_number;
};

struct sessions {
	struct sessions_settings settings;
	struct engine *engine;
	struct ipc_server *server;
	struct buffer busy;    /* what a connection that has to give way is told */
	struct session *first; /* newest first */
	bool serving;          /* the letter is under way that has those served who wait */
	uint64_t served, arrived; /* servings and messages are numbered */
	struct doctor *doctor;
	struct client_counts counts; /* but for the connections */
};

/* One call: what it works on and what it answers. */
struct call {
	struct sessions *sessions;
	struct session *session;
	const struct request *request;
	struct json_writer *out; /* inside the reply's result object */
	struct fault *fault;
	uint64_t new_handle; /* made, or given rights, by this call: dropped if that comes to nothing; 0: none */
	bool answered_later; /* by session_reply in a turn to come, or already */
};

/* A call that is answered in a turn to come. */
struct later {
	struct sessions *sessions;
	uint64_t connection;
	char id[PROTOCOL_REQUEST_ID_BYTES_MAX];
	enum method method;
	struct asker asker; /* who called, should it be refused */
};

/* --- session.c --- */
/* Send the reply when the turn is committed, and read the connection's next message: `text`, which is taken, or the fault
 * if `result` is a failure.  `new_handle` is dropped if the turn is undone; 0: none. */
void session_reply(struct sessions *sessions, uint64_t connection, const char *id, struct buffer *text,
                   enum result result, const struct fault *fault, uint64_t new_handle);

uint32_t sessions_connected(const struct sessions *sessions);
struct later session_later(struct call *call);
/* Answer it: with what `write` makes of `what`, or with the fault if `result` is a failure. */
typedef void session_write(struct json_writer *out, const void *what);
void session_answer(const struct later *later, enum result result, session_write *write, const void *what,
                    const struct fault *fault);

/* --- session_method.c --- */
/* The identity that wrote this call's message. */
enum result session_capture(struct call *call, struct identity **ret_identity) MUST_CHECK;
/* Of somebody who would own jobs or open them. */
enum result session_capture_owner(struct call *call, struct identity **ret_identity) MUST_CHECK;
/* It is this caller who asks, by the connection's program. */
void session_asked_by(const struct call *call, const struct caller *caller);
/* The handle of the request, if it is this connection's and gives one of the rights.  *ret_handle is set also if only the
 * right is missing. */
enum result session_handle(struct call *call, unsigned rights, struct handle **ret_handle) MUST_CHECK;
typedef enum result session_method(struct call *call);
extern session_method *const session_methods[METHOD_COUNT];

/* --- session_helper.c --- */
session_method do_set_helper_token, do_clear_helper_token, do_set_helper_flags, do_get_helper_flags, do_get_helper_sid,
	do_helper_ticket, do_present, do_take, do_preflight;

/* --- session_credential.c --- */
session_method do_set_credentials, do_remove_credentials;

/* --- session_header.c --- */
session_method do_set_headers, do_get_headers;

/* --- session_proxy.c --- */
session_method do_proxy_show;
session_method do_auth_test;
session_method do_job_history;

/* --- session_config.c --- */
session_method do_config_show, do_config_reload, do_declared, do_declared_find;
/* RESULT_ACCESS_REFUSED for all but elevated administrators. */
enum result session_check_administrator(struct call *call) MUST_CHECK;

/* --- session_doctor.c --- */
session_method do_doctor;

#endif
