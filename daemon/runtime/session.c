#include "runtime/session.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* A reply stops taking more entries of a list here, so that the largest entry still fits. */
#define PAGE_BYTES_MAX (PROTOCOL_MESSAGE_BYTES_MAX - 65536u)

/* The capability: what this connection may do to one job.  The id is checked at each use beside the row, because a row's
 * number could be given again after the job was forgotten. */
struct handle {
	struct handle *next;
	uint64_t number;
	int64_t row;
	char id[JOB_ID_BYTES];
	unsigned rights;
	bool subscribed;
};

struct session {
	struct session *next;
	uint64_t connection;
	bool greeted;
	struct caller caller; /* who said hello */
	bool subscribed;      /* to all jobs of the caller */
	struct handle *handles;
	uint64_t handle_count, handle_number;
};

struct sessions {
	struct sessions_settings settings;
	struct engine *engine;
	struct ipc_server *server;
	struct session *first;
	uint32_t count;
};

/* --- from the I/O thread to the engine's --- */

enum delivery_kind { DELIVERY_CONNECTED, DELIVERY_MESSAGE, DELIVERY_OVERSIZED, DELIVERY_DISCONNECTED };

struct delivery {
	struct letter letter;
	struct sessions *sessions;
	enum delivery_kind kind;
	uint64_t connection;
	char *bytes;
	size_t length;
};

static void deliver(struct letter *letter, void *receiver);

static void post(void *context, enum delivery_kind kind, uint64_t connection, char *bytes, size_t length)
{
	struct sessions *sessions = context;
	struct delivery *delivery = malloc(sizeof(*delivery));

	if (delivery == NULL) { /* the client sees its connection end, and no call half done */
		free(bytes);
		if (kind != DELIVERY_DISCONNECTED)
			ipc_close(sessions->server, connection);
		return;
	}
	*delivery = (struct delivery){ .letter = { .deliver = deliver }, .sessions = sessions, .kind = kind,
		                       .connection = connection, .bytes = bytes, .length = length };
	engine_post(sessions->engine, &delivery->letter);
}

static void on_connected(void *context, uint64_t connection)
{
	post(context, DELIVERY_CONNECTED, connection, NULL, 0);
}

static void on_message(void *context, uint64_t connection, char *bytes, size_t length)
{
	post(context, DELIVERY_MESSAGE, connection, bytes, length);
}

static void on_oversized(void *context, uint64_t connection)
{
	post(context, DELIVERY_OVERSIZED, connection, NULL, 0);
}

static void on_disconnected(void *context, uint64_t connection)
{
	post(context, DELIVERY_DISCONNECTED, connection, NULL, 0);
}

/* --- sessions and handles --- */

static struct session *session_find(const struct sessions *sessions, uint64_t connection)
{
	struct session *session = sessions->first;

	while (session != NULL && session->connection != connection)
		session = session->next;
	return session;
}

static void session_add(struct sessions *sessions, uint64_t connection)
{
	struct session *session = calloc(1, sizeof(*session));

	if (session == NULL) {
		ipc_close(sessions->server, connection);
		return;
	}
	session->connection = connection;
	session->next = sessions->first;
	sessions->first = session;
	sessions->count++;
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
			free(handle);
		}
		free(session);
		sessions->count--;
		return;
	}
}

static void handle_drop(struct session *session, uint64_t number)
{
	for (struct handle **place = &session->handles; *place != NULL; place = &(*place)->next) {
		struct handle *handle = *place;

		if (handle->number != number)
			continue;
		*place = handle->next;
		session->handle_count--;
		free(handle);
		return;
	}
}

static enum result handle_add(const struct sessions *sessions, struct session *session, const struct job *job,
                              unsigned rights, uint64_t *ret_number, struct fault *fault)
{
	uint64_t maximum = sessions->settings.settings->door_handles_per_connection_max;
	struct handle *handle;

	if (session->handle_count >= maximum)
		return fault_set(fault, RESULT_TOO_MANY_HANDLES, FAULT_FERRY, 0,
		                 "door.handles_per_connection_max is %llu", (unsigned long long)maximum);
	handle = calloc(1, sizeof(*handle));
	if (handle == NULL)
		return fault_set(fault, RESULT_NO_MEMORY, FAULT_FERRY, 0, "open a job");
	handle->number = ++session->handle_number;
	handle->row = job->row;
	handle->rights = rights;
	memcpy(handle->id, job->id, sizeof(handle->id));
	handle->next = session->handles;
	session->handles = handle;
	session->handle_count++;
	*ret_number = handle->number;
	return RESULT_OK;
}

/* The handle of the request, if it is this connection's and gives the right. */
static enum result handle_use(struct sessions *sessions, struct session *session, uint64_t number, unsigned right,
                              struct handle **ret_handle, struct fault *fault)
{
	struct handle *handle = session->handles;
	struct job_status status;
	enum result result;

	while (handle != NULL && handle->number != number)
		handle = handle->next;
	if (handle == NULL)
		return fault_set(fault, RESULT_BAD_HANDLE, FAULT_FERRY, 0, "params.handle: %llu",
		                 (unsigned long long)number);
	if ((handle->rights & right) != right)
		return fault_set(fault, RESULT_ACCESS_REFUSED, FAULT_FERRY, 0,
		                 "params.handle: it does not give the right to do this");
	result = engine_job_get(sessions->engine, handle->row, &status, fault);
	if (result == RESULT_OK && strcmp(status.job.id, handle->id) != 0)
		return fault_set(fault, RESULT_NOT_FOUND, FAULT_FERRY, 0, "params.handle: the job is forgotten");
	if (result == RESULT_OK)
		*ret_handle = handle;
	return result;
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
	bool sent = false;

	if (committed != RESULT_OK) {
		struct session *session = session_find(reply->sessions, reply->connection);

		if (session != NULL)
			handle_drop(session, reply->new_handle);
		buffer_clear(&reply->text);
		if (protocol_reply_error(&reply->text, reply->id, committed, fault) != RESULT_OK)
			buffer_clear(&reply->text);
	}
	if (reply->text.length > 0)
		sent = ipc_send(server, reply->connection,
		                (struct text_view){ reply->text.bytes, reply->text.length }) == RESULT_OK;
	if (sent)
		ipc_next(server, reply->connection);
	else
		ipc_close(server, reply->connection); /* an answer that cannot be given must not be waited for */
	buffer_done(&reply->text);
	free(reply);
}

/* --- the methods --- */

/* One call: what it works on and what it answers. */
struct call {
	struct sessions *sessions;
	struct session *session;
	const struct request *request;
	struct json_writer *out; /* inside the reply's result object */
	struct fault *fault;
	uint64_t new_handle;
};

static enum result capture(struct call *call, struct identity **ret_identity)
{
	return ipc_capture(call->sessions->server, call->session->connection, ret_identity, call->fault);
}

static enum result do_hello(struct call *call)
{
	AUTO(identity) struct identity *identity = NULL;
	enum result result;

	if (call->request->protocol != PROTOCOL_VERSION)
		return fault_set(call->fault, RESULT_INVALID_ARGUMENT, FAULT_FERRY, 0,
		                 "params.protocol: this service speaks version %d", PROTOCOL_VERSION);
	result = capture(call, &identity);
	if (result != RESULT_OK)
		return result;
	call->session->caller = *identity_caller(identity);
	call->session->greeted = true;
	/* Whoever may not own jobs may still ask what the service is doing. */
	if (access_own(&call->session->caller, NULL) == RESULT_OK)
		engine_owner_present(call->sessions->engine, identity);
	json_write_u64(call->out, "protocol", PROTOCOL_VERSION);
	json_write_text(call->out, "server", text_view(call->sessions->settings.program->version));
	json_write_text(call->out, "owner", text_view(call->session->caller.owner));
	json_write_bool(call->out, "elevated", call->session->caller.administrator);
	json_write_u64(call->out, "message_bytes_max", PROTOCOL_MESSAGE_BYTES_MAX);
	return RESULT_OK;
}

static void write_rights(struct json_writer *out, unsigned rights)
{
	static const struct {
		unsigned right;
		const char *name;
	} names[] = { { ACCESS_QUERY, "query" },
		      { ACCESS_SUBSCRIBE, "subscribe" },
		      { ACCESS_CONTROL, "control" },
		      { ACCESS_EDIT, "edit" } };

	json_write_begin(out, "rights", '[');
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (rights & names[i].right)
			json_write_text(out, NULL, text_view(names[i].name));
	json_write_end(out, ']');
}

static enum result do_create(struct call *call)
{
	AUTO(identity) struct identity *identity = NULL;
	struct job_status status;
	bool created = false;
	enum result result = capture(call, &identity);
	struct job_request wanted;
	unsigned rights = 0;

	if (result != RESULT_OK)
		return result;
	wanted = (struct job_request){ .caller = identity_caller(identity), .request = call->request,
		.process = ipc_client_process(call->sessions->server, call->session->connection) };
	result = access_own(wanted.caller, call->fault);
	if (result != RESULT_OK)
		return result;
	engine_owner_present(call->sessions->engine, identity);
	result = engine_job_create(call->sessions->engine, &wanted, &status, &created, call->fault);
	/* A job found by its key may have been made at a higher integrity level: the rule decides what is given. */
	if (result == RESULT_OK)
		result = access_open(wanted.caller, status.job.owner, status.job.owner_integrity, &rights, call->fault);
	if (result == RESULT_OK)
		result = handle_add(call->sessions, call->session, &status.job, rights, &call->new_handle, call->fault);
	if (result != RESULT_OK)
		return result;
	protocol_write_job(call->out, "job", &status);
	json_write_u64(call->out, "handle", call->new_handle);
	json_write_bool(call->out, "created", created);
	return RESULT_OK;
}

static enum result do_open(struct call *call)
{
	AUTO(identity) struct identity *identity = NULL;
	struct job_status status;
	unsigned rights = 0;
	enum result result = capture(call, &identity);

	if (result != RESULT_OK)
		return result;
	result = engine_job_find(call->sessions->engine, call->request->job, &status, call->fault);
	if (result == RESULT_OK)
		result = access_open(identity_caller(identity), status.job.owner, status.job.owner_integrity, &rights,
		                     call->fault);
	/* Unknown and not yours are answered alike, as is what is no id (core/protocol): existence is not revealed. */
	if (result == RESULT_NOT_FOUND)
		return fault_set(call->fault, RESULT_NOT_FOUND, FAULT_FERRY, 0, "params.job");
	if (result != RESULT_OK)
		return result;
	if (access_own(identity_caller(identity), NULL) == RESULT_OK)
		engine_owner_present(call->sessions->engine, identity);
	result = handle_add(call->sessions, call->session, &status.job, rights, &call->new_handle, call->fault);
	if (result != RESULT_OK)
		return result;
	json_write_u64(call->out, "handle", call->new_handle);
	write_rights(call->out, rights);
	protocol_write_job(call->out, "job", &status);
	return RESULT_OK;
}

static bool page_has_room(const struct json_writer *out)
{
	return out->to->length < PAGE_BYTES_MAX;
}

struct page {
	struct json_writer *out;
	uint64_t next; /* where the following page begins */
	uint32_t count;
	bool cut;
};

static bool write_file_entry(void *context, const struct file *file)
{
	struct page *page = context;

	if (!page_has_room(page->out)) {
		page->cut = true;
		return false;
	}
	protocol_write_file(page->out, file);
	page->next = (uint64_t)file->ordinal + 1;
	page->count++;
	return true;
}

static bool write_job_entry(void *context, const struct job_status *status)
{
	struct page *page = context;

	if (!page_has_room(page->out)) {
		page->cut = true;
		return false;
	}
	protocol_write_job(page->out, NULL, status);
	page->next = (uint64_t)status->job.row;
	page->count++;
	return true;
}

static void write_next(struct page *page, uint32_t limit)
{
	if (page->cut || page->count == limit)
		json_write_u64(page->out, "next", page->next);
}

static enum result do_get(struct call *call)
{
	const struct request *request = call->request;
	struct handle *handle = NULL;
	struct job_status status;
	struct page page = { .out = call->out, .next = request->from };
	enum result result =
		handle_use(call->sessions, call->session, request->handle, ACCESS_QUERY, &handle, call->fault);

	if (result == RESULT_OK)
		result = engine_job_get(call->sessions->engine, handle->row, &status, call->fault);
	if (result != RESULT_OK)
		return result;
	protocol_write_job(call->out, "job", &status);
	if (request->limit == 0)
		return RESULT_OK;
	if (request->from > UINT32_MAX)
		return fault_set(call->fault, RESULT_INVALID_ARGUMENT, FAULT_FERRY, 0, "params.from: beyond every file");
	json_write_begin(call->out, "files", '[');
	result = engine_files_list(call->sessions->engine, handle->row, (uint32_t)request->from, request->limit,
	                           write_file_entry, &page, call->fault);
	json_write_end(call->out, ']');
	write_next(&page, request->limit);
	return result;
}

static enum result do_list(struct call *call)
{
	const struct request *request = call->request;
	struct page page = { .out = call->out, .next = request->from };
	const char *owner = call->session->caller.owner;
	enum result result;

	if (request->everyone) {
		if (!access_list_all(&call->session->caller))
			return fault_set(call->fault, RESULT_ACCESS_REFUSED, FAULT_FERRY, 0,
			                 "params.everyone: for elevated administrators only");
		owner = NULL;
	}
	if (request->from > INT64_MAX)
		return fault_set(call->fault, RESULT_INVALID_ARGUMENT, FAULT_FERRY, 0, "params.from: beyond every job");
	json_write_begin(call->out, "jobs", '[');
	result = engine_jobs_list(call->sessions->engine, owner, request->all, (int64_t)request->from, request->limit,
	                          write_job_entry, &page, call->fault);
	json_write_end(call->out, ']');
	write_next(&page, request->limit);
	return result;
}

static enum result do_add_files(struct call *call)
{
	struct handle *handle = NULL;
	struct job_status status;
	enum result result =
		handle_use(call->sessions, call->session, call->request->handle, ACCESS_EDIT, &handle, call->fault);

	if (result == RESULT_OK)
		result = engine_job_add_files(call->sessions->engine, handle->row, call->request, &status, call->fault);
	if (result == RESULT_OK)
		protocol_write_job(call->out, "job", &status);
	return result;
}

static enum result do_set_properties(struct call *call)
{
	const struct request *request = call->request;
	struct handle *handle = NULL;
	struct job_status status;
	enum result result =
		handle_use(call->sessions, call->session, request->handle, ACCESS_EDIT, &handle, call->fault);

	if (result == RESULT_OK)
		result = engine_job_set_properties(call->sessions->engine, handle->row, &request->properties,
		                                   request->properties_given, &status, call->fault);
	if (result == RESULT_OK)
		protocol_write_job(call->out, "job", &status);
	return result;
}

static enum result do_control(struct call *call)
{
	typedef enum result control(struct engine *engine, int64_t row, struct job_status *ret_status,
	                            struct fault *fault);
	static control *const controls[METHOD_COUNT] = { [METHOD_JOB_RESUME] = engine_job_resume,
		                                         [METHOD_JOB_SUSPEND] = engine_job_suspend,
		                                         [METHOD_JOB_CANCEL] = engine_job_cancel,
		                                         [METHOD_JOB_COMPLETE] = engine_job_complete };
	struct handle *handle = NULL;
	struct job_status status;
	enum result result =
		handle_use(call->sessions, call->session, call->request->handle, ACCESS_CONTROL, &handle, call->fault);

	if (result == RESULT_OK)
		result = controls[call->request->method](call->sessions->engine, handle->row, &status, call->fault);
	if (result == RESULT_OK)
		protocol_write_job(call->out, "job", &status);
	return result;
}

static enum result do_subscribe(struct call *call)
{
	struct handle *handle = NULL;
	enum result result;

	if (call->request->handle == 0) {
		call->session->subscribed = true;
		return RESULT_OK;
	}
	result = handle_use(call->sessions, call->session, call->request->handle, ACCESS_SUBSCRIBE, &handle, call->fault);
	if (result == RESULT_OK)
		handle->subscribed = true;
	return result;
}

static enum result do_status(struct call *call)
{
	struct service_status status = *call->sessions->settings.program;

	engine_service_status(call->sessions->engine, &status);
	status.connections = call->sessions->count;
	protocol_write_service(call->out, "service", &status);
	return RESULT_OK;
}

typedef enum result method_function(struct call *call);
static method_function *const methods[METHOD_COUNT] = {
	[METHOD_HELLO] = do_hello,
	[METHOD_JOB_CREATE] = do_create,
	[METHOD_JOB_OPEN] = do_open,
	[METHOD_JOB_ADD_FILES] = do_add_files,
	[METHOD_JOB_GET] = do_get,
	[METHOD_JOB_LIST] = do_list,
	[METHOD_JOB_SET_PROPERTIES] = do_set_properties,
	[METHOD_JOB_RESUME] = do_control,
	[METHOD_JOB_SUSPEND] = do_control,
	[METHOD_JOB_CANCEL] = do_control,
	[METHOD_JOB_COMPLETE] = do_control,
	[METHOD_EVENTS_SUBSCRIBE] = do_subscribe,
	[METHOD_SERVICE_STATUS] = do_status,
};

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
	result = methods[call->request->method](call);
	if (result != RESULT_OK)
		return result;
	result = protocol_reply_end(&out);
	return result == RESULT_OK ? result : fault_set(call->fault, result, FAULT_FERRY, 0, "write the reply");
}

static void serve(struct sessions *sessions, struct session *session, struct text_view message)
{
	AUTO(request) struct request request = { 0 };
	struct fault fault = { 0 };
	struct call call = { .sessions = sessions, .session = session, .request = &request, .fault = &fault };
	struct reply *reply = calloc(1, sizeof(*reply));
	enum result result;

	if (reply == NULL) {
		ipc_close(sessions->server, session->connection);
		return;
	}
	*reply = (struct reply){ .deferral = { .run = reply_run }, .sessions = sessions,
		                 .connection = session->connection, .text = BUFFER(PROTOCOL_MESSAGE_BYTES_MAX) };
	if (message.bytes == NULL)
		result = fault_set(&fault, RESULT_TOO_LARGE, FAULT_FERRY, 0, "a message may have %u bytes",
		                   PROTOCOL_MESSAGE_BYTES_MAX);
	else
		result = request_decode(message, &request, &fault);
	memcpy(reply->id, request.id[0] != '\0' ? request.id : "null", request.id[0] != '\0' ? sizeof(reply->id) : 5);
	if (result == RESULT_OK)
		result = answer(&call, &reply->text);
	reply->new_handle = call.new_handle;
	if (result != RESULT_OK) {
		handle_drop(session, call.new_handle);
		buffer_clear(&reply->text);
		/* An error that cannot be written leaves an empty text, which ends the connection. */
		if (protocol_reply_error(&reply->text, reply->id, result, &fault) != RESULT_OK)
			buffer_clear(&reply->text);
	}
	engine_defer(sessions->engine, &reply->deferral);
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
		case DELIVERY_DISCONNECTED: session_remove(sessions, delivery->connection); break;
		case DELIVERY_MESSAGE:
		case DELIVERY_OVERSIZED:
			if (session != NULL)
				serve(sessions, session, (struct text_view){ delivery->bytes, delivery->length });
			break;
		}
	}
	free(delivery->bytes);
	free(delivery);
}

/* --- notifications --- */

static bool watches(const struct session *session, const struct job *job)
{
	if (session->subscribed && strcmp(session->caller.owner, job->owner) == 0)
		return true;
	for (const struct handle *handle = session->handles; handle != NULL; handle = handle->next)
		if (handle->subscribed && handle->row == job->row && strcmp(handle->id, job->id) == 0)
			return true;
	return false;
}

static void notify(struct sessions *sessions, const char *method, const struct job_status *status)
{
	AUTO(buffer) struct buffer text = BUFFER(PROTOCOL_MESSAGE_BYTES_MAX);

	for (const struct session *session = sessions->first; session != NULL; session = session->next) {
		if (!watches(session, &status->job))
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
	notify(context, "job.changed", status);
}

static void on_progress(void *context, const struct job_status *status)
{
	notify(context, "job.progress", status);
}

/* --- open and close --- */

enum result sessions_start(const struct sessions_settings *settings, struct engine *engine, struct sessions **ret_sessions,
                           struct fault *fault)
{
	struct sessions *sessions = calloc(1, sizeof(*sessions));
	struct ipc_limits limits = { .connections_max = (uint32_t)settings->settings->door_connections_max,
		                     .output_bytes_max = (uint32_t)settings->settings->door_output_bytes_max };
	struct ipc_handler handler = { on_connected, on_message, on_oversized, on_disconnected, sessions };
	struct engine_watcher watcher = { on_changed, on_progress, sessions };
	enum result result;

	if (sessions == NULL)
		return fault_set(fault, RESULT_NO_MEMORY, FAULT_FERRY, 0, "open the door");
	sessions->settings = *settings;
	sessions->engine = engine;
	result = ipc_server_start(settings->address, &limits, &handler, &sessions->server, fault);
	if (result != RESULT_OK) {
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
	ipc_server_free(sessions->server);
	while (sessions->first != NULL)
		session_remove(sessions, sessions->first->connection);
	free(sessions);
}
