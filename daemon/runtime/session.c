#include "runtime/session_private.h"

#include <stdlib.h>
#include <string.h>

#include "platform/clock.h"

/* --- from the I/O thread to the engine's --- */

enum delivery_kind {
	DELIVERY_CONNECTED,
	DELIVERY_MESSAGE,
	DELIVERY_DISCONNECTED,
	DELIVERY_SERVE /* from the sessions to themselves: another turn */
};

struct delivery {
	struct letter letter;
	struct sessions *sessions;
	enum delivery_kind kind;
	uint64_t connection, number;
	char *bytes; /* of a message; NULL: it was too large */
	size_t length;
};

/* It may hold a password. */
static void message_free(char *bytes, size_t length)
{
	text_wipe(bytes, length);
	free(bytes);
}

static void delivery_free(struct delivery *delivery)
{
	if (delivery != NULL)
		message_free(delivery->bytes, delivery->length);
	free(delivery);
}

DEFINE_CLEANUP(delivery)

static void deliver(struct letter *letter, void *receiver);

static bool post(void *context, enum delivery_kind kind, uint64_t connection, char *bytes, size_t length)
{
	struct sessions *sessions = context;
	struct delivery *delivery = malloc(sizeof(*delivery));

	if (delivery == NULL) { /* the client sees its connection end, and no call half done */
		message_free(bytes, length);
		if (kind != DELIVERY_DISCONNECTED)
			ipc_close(sessions->server, connection);
		return false;
	}
	*delivery = (struct delivery){ .letter = { .deliver = deliver }, .sessions = sessions, .kind = kind,
		                       .connection = connection, .bytes = bytes, .length = length };
	engine_post(sessions->engine, &delivery->letter);
	return true;
}

static void on_connected(void *context, uint64_t connection)
{
	(void)post(context, DELIVERY_CONNECTED, connection, NULL, 0);
}

static void on_message(void *context, uint64_t connection, char *bytes, size_t length)
{
	(void)post(context, DELIVERY_MESSAGE, connection, bytes, length);
}

static void on_oversized(void *context, uint64_t connection)
{
	(void)post(context, DELIVERY_MESSAGE, connection, NULL, 0);
}

static void on_disconnected(void *context, uint64_t connection)
{
	(void)post(context, DELIVERY_DISCONNECTED, connection, NULL, 0);
}

/* --- sessions and handles --- */

static struct session *session_find(const struct sessions *sessions, uint64_t connection)
{
	struct session *session = sessions->first;

	while (session != NULL && session->connection != connection)
		session = session->next;
	return session;
}

static void session_dismiss(struct sessions *sessions, struct session *session)
{
	session->leaving = true;
	(void)!ipc_send(sessions->server, session->connection,
	                (struct text_view){ sessions->busy.bytes, sessions->busy.length });
	ipc_close(sessions->server, session->connection);
}

static void session_add(struct sessions *sessions, uint64_t connection)
{
	struct session *session = calloc(1, sizeof(*session)), *oldest = NULL;
	uint32_t silent = 0;

	if (session == NULL) {
		ipc_close(sessions->server, connection);
		return;
	}
	session->connection = connection;
	session->next = sessions->first;
	sessions->first = session;
	for (; session != NULL; session = session->next)
		if (!session->greeted && !session->leaving) {
			silent++;
			oldest = session;
		}
	if (silent > SILENT_MAX)
		session_dismiss(sessions, oldest);
}

static void handle_free(struct handle *handle)
{
	ticket_free(handle->ticket);
	free(handle);
}

static void session_remove(struct sessions *sessions, uint64_t connection)
{
	for (struct session **place = &sessions->first; *place != NULL; place = &(*place)->next) {
		struct session *session = *place;

		if (session->connection != connection)
			continue;
		*place = session->next;
		while (session->handles != NULL) {
			struct handle *handle = session->handles;

			session->handles = handle->next;
			handle_free(handle);
		}
		delivery_free(session->waiting);
		free(session);
		return;
	}
}

static void session_end(struct sessions *sessions, uint64_t connection)
{
	session_remove(sessions, connection);
	engine_connection_ended(sessions->engine, connection);
}

static void handle_drop(struct session *session, uint64_t number)
{
	for (struct handle **place = &session->handles; *place != NULL; place = &(*place)->next) {
		struct handle *handle = *place;

		if (handle->number != number)
			continue;
		*place = handle->next;
		session->handle_count--;
		handle_free(handle);
		return;
	}
}

/* --- replies: written now, sent when the turn is committed --- */

struct reply {
	struct deferral deferral;
	struct sessions *sessions;
	uint64_t connection;
	uint64_t new_handle; /* to be dropped if the turn is undone; 0: none */
	char id[PROTOCOL_REQUEST_ID_BYTES_MAX];
	struct buffer text;
};

static void reply_run(struct deferral *deferral, enum result committed, const struct fault *fault)
{
	struct reply *reply = (struct reply *)deferral;
	struct ipc_server *server = reply->sessions->server;
	struct session *session = session_find(reply->sessions, reply->connection);
	bool sent = false;

	if (committed != RESULT_OK) {
		if (session != NULL)
			handle_drop(session, reply->new_handle);
		buffer_clear(&reply->text);
		if (protocol_reply_error(&reply->text, reply->id, committed, fault) != RESULT_OK)
			buffer_clear(&reply->text);
	}
	if (reply->text.length > 0)
		sent = ipc_send(server, reply->connection,
		                (struct text_view){ reply->text.bytes, reply->text.length }) == RESULT_OK;
	if (sent && session != NULL && !session->leaving)
		ipc_next(server, reply->connection);
	else
		ipc_close(server, reply->connection); /* nor must an answer be waited for that cannot be given */
	if (reply->text.bytes != NULL)
		text_wipe(reply->text.bytes, reply->text.length); /* it may be a job's headers */
	buffer_done(&reply->text);
	free(reply);
}

void session_reply(struct sessions *sessions, uint64_t connection, const char *id, struct buffer *text,
                   enum result result, const struct fault *fault, uint64_t new_handle)
{
	struct reply *reply = calloc(1, sizeof(*reply));

	sessions->counts.requests++;
	sessions->counts.refused[result] += result != RESULT_OK;
	if (reply == NULL) {
		ipc_close(sessions->server, connection);
		return;
	}
	*reply = (struct reply){ .deferral = { .run = reply_run }, .sessions = sessions, .connection = connection,
		                 .new_handle = new_handle, .text = *text };
	*text = BUFFER(text->length_max); /* it is the reply's now */
	text_display(reply->id, sizeof(reply->id), "%s", id);
	if (result != RESULT_OK) {
		buffer_clear(&reply->text);
		/* An error that cannot be written leaves an empty text, which ends the connection. */
		if (protocol_reply_error(&reply->text, reply->id, result, fault) != RESULT_OK)
			buffer_clear(&reply->text);
	}
	engine_defer(sessions->engine, &reply->deferral);
}

struct later session_later(struct call *call)
{
	struct later later = { .sessions = call->sessions, .connection = call->session->connection,
		               .method = call->request->method, .asker = call->session->asker };

	memcpy(later.id, call->request->id, sizeof(later.id));
	call->answered_later = true;
	return later;
}

void session_answer(const struct later *later, enum result result, session_write *write, const void *what,
                    const struct fault *fault)
{
	AUTO(buffer) struct buffer text = BUFFER(PROTOCOL_MESSAGE_BYTES_MAX);
	struct json_writer out = JSON_WRITER(&text);
	struct fault broken = { 0 };

	if (result != RESULT_OK) {
		engine_refused_later(later->sessions->engine, &later->asker, method_name(later->method), fault);
	} else {
		protocol_reply_begin(&out, later->id);
		write(&out, what);
		result = protocol_reply_end(&out);
		if (result != RESULT_OK)
			(void)!fault_set(&broken, result, FAULT_FERRY, 0, "write the reply");
		fault = &broken;
	}
	session_reply(later->sessions, later->connection, later->id, &text, result, fault, 0);
}

/* --- one message --- */

static enum result answer(struct call *call, struct buffer *text)
{
	struct json_writer out = JSON_WRITER(text);
	enum result result;

	if (!call->session->greeted && call->request->method != METHOD_HELLO)
		return fault_set(call->fault, RESULT_HELLO_REQUIRED, FAULT_FERRY, 0, "%s",
		                 method_name(call->request->method));
	call->out = &out;
	protocol_reply_begin(&out, call->request->id);
	session_asked_by(call, &call->session->caller);
	result = session_methods[call->request->method](call);
	if (result != RESULT_OK)
		engine_refused(call->sessions->engine, method_name(call->request->method), call->request->job,
		               call->request->correlation, call->fault);
	engine_asked_by(call->sessions->engine, NULL);
	if (result != RESULT_OK)
		return result;
	result = protocol_reply_end(&out);
	return result == RESULT_OK ? result : fault_set(call->fault, result, FAULT_FERRY, 0, "write the reply");
}

static void serve(struct sessions *sessions, struct session *session, struct text_view message)
{
	AUTO(request) struct request request = { 0 };
	AUTO(buffer) struct buffer text = BUFFER(PROTOCOL_MESSAGE_BYTES_MAX);
	struct fault fault = { 0 };
	struct call call = { .sessions = sessions, .session = session, .request = &request, .fault = &fault };
	enum result result;

	if (message.bytes == NULL)
		result = fault_set(&fault, RESULT_TOO_LARGE, FAULT_FERRY, 0, "a message may have %u bytes",
		                   PROTOCOL_MESSAGE_BYTES_MAX);
	else
		result = request_decode(message, &request, &fault);
	if (result == RESULT_OK)
		result = answer(&call, &text);
	if (call.answered_later)
		return;
	if (result != RESULT_OK) {
		handle_drop(session, call.new_handle);
		call.new_handle = 0;
	}
	session_reply(sessions, session->connection, request.id[0] != '\0' ? request.id : "null", &text, result, &fault,
	              call.new_handle);
}

/* --- whose turn it is --- */

static void mark_served(struct sessions *sessions, const struct session *served)
{
	for (struct session *session = sessions->first; session != NULL; session = session->next)
		if (strcmp(session->caller.owner, served->caller.owner) == 0)
			session->served = sessions->served;
}

static void serve_waiting(struct sessions *sessions, struct session *session)
{
	AUTO(delivery) struct delivery *message = TAKE(session->waiting);

	sessions->served++;
	mark_served(sessions, session);
	serve(sessions, session, (struct text_view){ message->bytes, message->length });
	mark_served(sessions, session); /* a hello may have made it another owner's */
	if (session->gone)
		session_end(sessions, session->connection);
}

/* A newcomer has not waited yet: what an owner asks over ever new connections must not go before what others wait for. */
static void join_turns(const struct sessions *sessions, struct session *newcomer)
{
	newcomer->served = sessions->served;
	for (const struct session *session = sessions->first; session != NULL; session = session->next)
		if (session != newcomer && session->greeted && strcmp(session->caller.owner, newcomer->caller.owner) == 0)
			newcomer->served = session->served;
}

/* The one whose owner has waited longest, and of an owner's the one who asked first. */
static struct session *next_to_serve(const struct sessions *sessions)
{
	struct session *next = NULL;

	for (struct session *session = sessions->first; session != NULL; session = session->next)
		if (session->waiting != NULL &&
		    (next == NULL || session->served < next->served ||
		     (session->served == next->served && session->waiting->number < next->waiting->number)))
			next = session;
	return next;
}

static void serve_next_turn(struct sessions *sessions)
{
	if (!sessions->serving) /* without memory for the letter the next message brings it */
		sessions->serving = post(sessions, DELIVERY_SERVE, 0, NULL, 0);
}

static void serve_some(struct sessions *sessions)
{
	struct session *session = next_to_serve(sessions);
	int64_t until_ms = clock_mono_ms() + SERVE_MS_MAX;

	sessions->serving = false;
	while (session != NULL && clock_mono_ms() < until_ms) {
		serve_waiting(sessions, session);
		session = next_to_serve(sessions);
	}
	if (session != NULL)
		serve_next_turn(sessions);
}

static void deliver(struct letter *letter, void *receiver)
{
	struct delivery *delivery = (struct delivery *)letter;
	struct sessions *sessions = delivery->sessions;
	struct session *session;

	if (receiver != NULL) { /* NULL: the engine is going, and the sessions are gone already */
		session = session_find(sessions, delivery->connection);
		switch (delivery->kind) {
		case DELIVERY_CONNECTED: session_add(sessions, delivery->connection); break;
		case DELIVERY_DISCONNECTED:
			if (session == NULL || session->waiting == NULL) {
				session_end(sessions, delivery->connection);
				break;
			}
			session->gone = true; /* what it said counts, but who hangs up does not go before the others */
			serve_next_turn(sessions);
			break;
		case DELIVERY_MESSAGE:
			if (session == NULL || session->leaving)
				break;
			if (!session->greeted) { /* it costs little, and a place of those that have not said hello */
				serve(sessions, session, (struct text_view){ delivery->bytes, delivery->length });
				if (session->greeted)
					join_turns(sessions, session);
				break;
			}
			delivery->number = ++sessions->arrived;
			session->waiting = TAKE(delivery); /* nothing was: one message at a time */
			serve_next_turn(sessions);
			break;
		case DELIVERY_SERVE: serve_some(sessions); break;
		}
	}
	delivery_free(delivery);
}

/* --- notifications --- */

static bool watches(const struct session *session, const struct job *job)
{
	if (session->subscribed && strcmp(session->caller.owner, job->owner) == 0)
		return true;
	for (const struct handle *handle = session->handles; handle != NULL; handle = handle->next)
		if (handle->subscribed && handle->row == job->row && handle->takeovers == job->takeovers &&
		    strcmp(handle->id, job->id) == 0)
			return true;
	return false;
}

static void notify(struct sessions *sessions, const char *method, const struct job_status *status, size_t unread_max)
{
	AUTO(buffer) struct buffer text = BUFFER(PROTOCOL_MESSAGE_BYTES_MAX);

	for (const struct session *session = sessions->first; session != NULL; session = session->next) {
		if (!watches(session, &status->job) || ipc_unread(sessions->server, session->connection) > unread_max)
			continue;
		if (text.length == 0) { /* written for the first who wants it, sent to all */
			struct json_writer out = JSON_WRITER(&text);

			protocol_notification_begin(&out, method);
			protocol_write_job(&out, "job", status);
			if (protocol_notification_end(&out) != RESULT_OK)
				return;
		}
		/* Whoever does not read is disconnected by ipc at its output bound; others do not notice. */
		(void)!ipc_send(sessions->server, session->connection, (struct text_view){ text.bytes, text.length });
	}
}

static void on_changed(void *context, const struct job_status *status)
{
	notify(context, "job.changed", status, SIZE_MAX);
}

static void on_progress(void *context, const struct job_status *status)
{
	notify(context, "job.progress", status, PROGRESS_UNREAD_MAX);
}

uint32_t sessions_connected(const struct sessions *sessions)
{
	uint32_t count = 0;

	for (const struct session *session = sessions->first; session != NULL; session = session->next)
		count += session->greeted && !session->leaving;
	return count;
}

static void on_count(void *context, struct client_counts *ret_counts)
{
	const struct sessions *sessions = context;

	*ret_counts = sessions->counts;
	ret_counts->connections = sessions_connected(sessions);
}

/* --- open and close --- */

enum result sessions_start(const struct sessions_settings *settings, struct engine *engine, struct sessions **ret_sessions,
                           struct fault *fault)
{
	struct sessions *sessions = calloc(1, sizeof(*sessions));
	uint32_t connections_max = (uint32_t)settings->settings->door_connections_max + SILENT_MAX + LEAVING_MAX;
	struct ipc_limits limits = { .connections_max = connections_max,
		                     .output_bytes_max = (uint32_t)settings->settings->door_output_bytes_max };
	struct fault busy;
	struct ipc_handler handler = { on_connected, on_message, on_oversized, on_disconnected, sessions };
	struct engine_watcher watcher = { on_changed, on_progress, on_count, sessions };
	enum result result;

	if (sessions == NULL)
		return fault_set(fault, RESULT_NO_MEMORY, FAULT_FERRY, 0, "open the door");
	sessions->settings = *settings;
	sessions->engine = engine;
	sessions->busy = BUFFER(4096);
	(void)!fault_set(&busy, RESULT_BUSY, FAULT_FERRY, 0,
	                 "%u connections have not said hello, and the oldest of them gave way", SILENT_MAX);
	result = protocol_reply_error(&sessions->busy, "null", RESULT_BUSY, &busy);
	sessions->doctor = doctor_new(settings->data_folder);
	if (result == RESULT_OK && sessions->doctor == NULL)
		result = fault_set(fault, RESULT_NO_MEMORY, FAULT_FERRY, 0, "open the door");
	if (result == RESULT_OK)
		result = ipc_server_start(settings->address, &limits, &handler, &sessions->server, fault);
	if (result != RESULT_OK) {
		doctor_free(sessions->doctor);
		buffer_done(&sessions->busy);
		free(sessions);
		return result;
	}
	engine_watch(engine, &watcher);
	*ret_sessions = sessions;
	return RESULT_OK;
}

void sessions_free(struct sessions *sessions)
{
	if (sessions == NULL)
		return;
	engine_watch(sessions->engine, NULL);
	doctor_free(sessions->doctor);
	ipc_server_free(sessions->server);
	while (sessions->first != NULL)
		session_remove(sessions, sessions->first->connection);
	buffer_done(&sessions->busy);
	free(sessions);
}
