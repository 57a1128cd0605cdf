#include "runtime/session_private.h"

#include <stdlib.h>
#include <string.h>

#include "core/metrics.h"

/* A reply stops taking more entries of a list here, so that the largest entry still fits. */
#define PAGE_BYTES_MAX (PROTOCOL_MESSAGE_BYTES_MAX - 65536u)

/* --- handles --- */

/* A handle of no job yet; if the call fails it is dropped with the reply's (session.c). */
static enum result handle_add(struct call *call, struct handle **ret_handle)
{
	struct session *session = call->session;
	uint64_t maximum = call->sessions->settings.settings->door_handles_per_connection_max;
	struct handle *handle;

	if (session->handle_count >= maximum)
		return fault_set(call->fault, RESULT_TOO_MANY_HANDLES, FAULT_FERRY, 0,
		                 "door.handles_per_connection_max is %llu", (unsigned long long)maximum);
	handle = calloc(1, sizeof(*handle));
	if (handle == NULL)
		return fault_set(call->fault, RESULT_NO_MEMORY, FAULT_FERRY, 0, "open a job");
	handle->number = ++session->handle_number;
	handle->next = session->handles;
	session->handles = handle;
	session->handle_count++;
	call->new_handle = handle->number;
	*ret_handle = handle;
	return RESULT_OK;
}

static void handle_open(struct handle *handle, const struct job *job, const struct caller *caller, unsigned rights)
{
	handle->row = job->row;
	handle->opener = (struct opener){ *caller, rights };
	handle->takeovers = job->takeovers;
	memcpy(handle->id, job->id, sizeof(handle->id));
}

static const struct {
	unsigned right;
	const char *name;
} right_names[] = { { ACCESS_QUERY, "query" },         { ACCESS_SUBSCRIBE, "subscribe" },
	            { ACCESS_CONTROL, "control" },     { ACCESS_EDIT, "edit" },
	            { ACCESS_SET_TOKEN, "set-token" }, { ACCESS_ATTACH, "attach" } };
#define RIGHTS (sizeof(right_names) / sizeof(right_names[0]))

static const char *right_name(unsigned rights)
{
	size_t i = 0;

	while (i < RIGHTS - 1 && !(rights & right_names[i].right))
		i++;
	return right_names[i].name;
}

void session_asked_by(const struct call *call, const struct caller *caller)
{
	struct asker *asker = &call->session->asker;

	memcpy(asker->owner, caller->owner, sizeof(asker->owner));
	asker->session = caller->session;
	engine_asked_by(call->sessions->engine, asker);
}

enum result session_handle(struct call *call, unsigned rights, struct handle **ret_handle)
{
	struct handle *handle = call->session->handles;
	uint64_t number = call->request->handle;
	struct job_status status;
	enum result result;

	while (handle != NULL && handle->number != number)
		handle = handle->next;
	if (handle == NULL)
		return fault_set(call->fault, RESULT_BAD_HANDLE, FAULT_FERRY, 0, "params.handle: %llu",
		                 (unsigned long long)number);
	result = engine_job_get(call->sessions->engine, handle->row, &status, call->fault);
	if (result == RESULT_OK && strcmp(status.job.id, handle->id) != 0)
		return fault_set(call->fault, RESULT_NOT_FOUND, FAULT_FERRY, 0, "params.handle: the job is forgotten");
	if (result == RESULT_OK && status.job.takeovers != handle->takeovers)
		return fault_set(call->fault, RESULT_BAD_HANDLE, FAULT_FERRY, 0,
		                 "params.handle: the job has another owner since it was opened");
	if (result != RESULT_OK)
		return result;
	*ret_handle = handle;
	session_asked_by(call, &handle->opener.caller);
	if ((handle->opener.rights & rights) == 0)
		return fault_set(call->fault, RESULT_ACCESS_REFUSED, FAULT_FERRY, 0,
		                 "params.handle: it does not give the right %s", right_name(rights));
	return RESULT_OK;
}

/* --- the methods --- */

enum result session_capture(struct call *call, struct identity **ret_identity)
{
	return ipc_capture(call->sessions->server, call->session->connection, ret_identity, call->fault);
}

/* Who may own jobs or open them: what is not to be impersonated is as little welcome there as a sandbox. */
enum result session_capture_owner(struct call *call, struct identity **ret_identity)
{
	enum result result = session_capture(call, ret_identity);

	if (result == RESULT_NOT_LENT)
		result = call->fault->result = RESULT_ACCESS_REFUSED;
	return result;
}

/* Is there a place for this caller?  An owner has a share of them, so that none shuts the others out; beyond all shares
 * a 32nd of the places is kept for elevated administrators, since somebody must get in to see what is going on. */
static enum result admit(struct call *call, const struct caller *caller)
{
	const struct settings *settings = call->sessions->settings.settings;
	uint64_t all_max = settings->door_connections_max, own_max = settings->door_connections_per_owner_max;
	uint64_t kept = (all_max + 31) / 32, all = 0, own = 0;

	for (const struct session *other = call->sessions->first; other != NULL; other = other->next)
		if (other != call->session && other->greeted && !other->leaving) {
			all++;
			own += strcmp(other->caller.owner, caller->owner) == 0;
		}
	if (access_list_all(caller))
		own_max += kept;
	else
		all_max -= kept;
	if (all < all_max && own < own_max)
		return RESULT_OK;
	call->session->leaving = true;
	if (own >= own_max)
		return fault_set(call->fault, RESULT_BUSY, FAULT_FERRY, 0, "door.connections_per_owner_max is %llu",
		                 (unsigned long long)settings->door_connections_per_owner_max);
	return fault_set(call->fault, RESULT_BUSY, FAULT_FERRY, 0,
	                 "door.connections_max is %llu, and %llu of them are for elevated administrators",
	                 (unsigned long long)settings->door_connections_max, (unsigned long long)kept);
}

static enum result do_hello(struct call *call)
{
	AUTO(identity) struct identity *identity = NULL;
	enum result result;

	call->session->asker.process = ipc_client_process(call->sessions->server, call->session->connection,
	                                                  call->session->asker.image, sizeof(call->session->asker.image));
	session_asked_by(call, &call->session->caller); /* nobody yet, but by that program */
	if (call->request->protocol != PROTOCOL_VERSION)
		return fault_set(call->fault, RESULT_INVALID_ARGUMENT, FAULT_FERRY, 0,
		                 "params.protocol: this service speaks version %d", PROTOCOL_VERSION);
	result = session_capture_owner(call, &identity);
	if (result == RESULT_OK)
		result = admit(call, identity_caller(identity));
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
	json_write_begin(out, "rights", '[');
	for (size_t i = 0; i < RIGHTS; i++)
		if (rights & right_names[i].right)
			json_write_text(out, NULL, text_view(right_names[i].name));
	json_write_end(out, ']');
}

static enum result do_create(struct call *call)
{
	AUTO(identity) struct identity *identity = NULL;
	struct handle *handle = NULL;
	struct job_status status;
	bool created = false;
	enum result result = session_capture_owner(call, &identity);
	struct job_request wanted;
	unsigned rights = 0;

	if (result != RESULT_OK)
		return result;
	wanted = (struct job_request){ .caller = identity_caller(identity), .request = call->request };
	session_asked_by(call, wanted.caller);
	result = access_own(wanted.caller, call->fault);
	if (result != RESULT_OK)
		return result;
	engine_owner_present(call->sessions->engine, identity);
	/* The handle comes first: for want of one no job must be made that its caller is told does not exist. */
	result = handle_add(call, &handle);
	if (result == RESULT_OK)
		result = engine_job_create(call->sessions->engine, &wanted, &status, &created, call->fault);
	/* A job found by its key may have been made at a higher integrity level: the rule decides what is given. */
	if (result == RESULT_OK)
		result = access_open(wanted.caller, &status.job, &rights, call->fault);
	if (result != RESULT_OK)
		return result;
	handle_open(handle, &status.job, wanted.caller, rights);
	protocol_write_job(call->out, "job", &status);
	json_write_u64(call->out, "handle", call->new_handle);
	json_write_bool(call->out, "created", created);
	return RESULT_OK;
}

/* What its client is not told, whoever reads the events is. */
static void refuse_open(const struct call *call, const struct caller *caller)
{
	struct fault fault;

	session_asked_by(call, caller);
	(void)!fault_set(&fault, RESULT_ACCESS_REFUSED, FAULT_FERRY, 0, "open: the job is somebody else's");
	engine_refused(call->sessions->engine, method_name(call->request->method), call->request->job, "", &fault);
}

static enum result do_open(struct call *call)
{
	AUTO(identity) struct identity *identity = NULL;
	struct handle *handle = NULL;
	struct job_status status;
	unsigned rights = 0;
	enum result result = session_capture_owner(call, &identity);

	if (result == RESULT_OK)
		result = access_ask(identity_caller(identity), call->fault);
	if (result != RESULT_OK)
		return result;
	result = engine_job_find(call->sessions->engine, call->request->job, &status, call->fault);
	bool found = result == RESULT_OK;
	if (found)
		result = access_open(identity_caller(identity), &status.job, &rights, call->fault);
	/* Unknown and not yours are answered alike, as is what is no id (core/protocol): existence is not revealed. */
	if (found && result == RESULT_NOT_FOUND)
		refuse_open(call, identity_caller(identity));
	if (result == RESULT_NOT_FOUND)
		return fault_set(call->fault, RESULT_NOT_FOUND, FAULT_FERRY, 0, "params.job");
	if (result != RESULT_OK)
		return result;
	if (access_own(identity_caller(identity), NULL) == RESULT_OK)
		engine_owner_present(call->sessions->engine, identity);
	result = handle_add(call, &handle);
	if (result != RESULT_OK)
		return result;
	handle_open(handle, &status.job, identity_caller(identity), rights);
	json_write_u64(call->out, "handle", call->new_handle);
	write_rights(call->out, rights);
	if (rights & ACCESS_QUERY) /* who may only attach is shown nothing of the job */
		protocol_write_job(call->out, "job", &status);
	return RESULT_OK;
}

struct page {
	struct json_writer *out;
	uint64_t next; /* where the following page begins */
	uint32_t count;
	bool cut;
};

static bool page_has_room(struct page *page)
{
	page->cut = page->out->to->length >= PAGE_BYTES_MAX;
	return !page->cut;
}

static bool write_file_entry(void *context, const struct file *file)
{
	struct page *page = context;

	if (!page_has_room(page))
		return false;
	protocol_write_file(page->out, file);
	page->next = (uint64_t)file->ordinal + 1;
	page->count++;
	return true;
}

static bool write_job_entry(void *context, const struct job_status *status)
{
	struct page *page = context;

	if (!page_has_room(page))
		return false;
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
	enum result result = session_handle(call, ACCESS_QUERY, &handle);

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
	enum result result = session_handle(call, ACCESS_EDIT, &handle);

	if (result == RESULT_OK)
		result = engine_job_add_files(call->sessions->engine, handle->row, call->request, &status, call->fault);
	if (result == RESULT_OK)
		protocol_write_job(call->out, "job", &status);
	return result;
}

static enum result do_set_properties(struct call *call)
{
	struct handle *handle = NULL;
	struct job_status status;
	enum result result = session_handle(call, ACCESS_EDIT, &handle);

	if (result == RESULT_OK)
		result = engine_job_set_properties(call->sessions->engine, handle->row, call->request, &status, call->fault);
	if (result == RESULT_OK)
		protocol_write_job(call->out, "job", &status);
	return result;
}

static enum result do_replace_prefix(struct call *call)
{
	struct handle *handle = NULL;
	struct job_status status;
	uint32_t files = 0;
	enum result result = session_handle(call, ACCESS_EDIT, &handle);

	if (result == RESULT_OK)
		result = engine_job_replace_prefix(call->sessions->engine, handle->row, call->request, &status, &files, call->fault);
	if (result != RESULT_OK)
		return result;
	protocol_write_job(call->out, "job", &status);
	json_write_u64(call->out, "files_changed", files);
	return RESULT_OK;
}

static enum result do_control(struct call *call)
{
	typedef enum result control(struct engine *engine, int64_t row, struct job_status *ret_status,
	                            struct fault *fault);
	static control *const controls[METHOD_COUNT] = { [METHOD_JOB_SUSPEND] = engine_job_suspend,
		                                         [METHOD_JOB_CANCEL] = engine_job_cancel,
		                                         [METHOD_JOB_COMPLETE] = engine_job_complete };
	struct handle *handle = NULL;
	struct job_status status;
	enum result result = session_handle(call, ACCESS_CONTROL, &handle);

	if (result == RESULT_OK)
		result = controls[call->request->method](call->sessions->engine, handle->row, &status, call->fault);
	if (result == RESULT_OK)
		protocol_write_job(call->out, "job", &status);
	return result;
}

/* A resume that the engine answers when the destinations were looked at. */
struct waiting_resume {
	struct resumption resumption;
	struct later later;
};

static void write_job(struct json_writer *out, const void *status)
{
	protocol_write_job(out, "job", status);
}

static void answer_resume(struct resumption *resumption, enum result result, const struct job_status *status,
                          const struct fault *fault)
{
	session_answer(&((struct waiting_resume *)resumption)->later, result, write_job, status, fault);
	free(resumption);
}

static enum result do_resume(struct call *call)
{
	struct handle *handle = NULL;
	struct waiting_resume *waiting;
	enum result result = session_handle(call, ACCESS_CONTROL, &handle);

	if (result != RESULT_OK)
		return result;
	waiting = calloc(1, sizeof(*waiting));
	if (waiting == NULL)
		return fault_set(call->fault, RESULT_NO_MEMORY, FAULT_FERRY, 0, "resume a job");
	*waiting = (struct waiting_resume){ { answer_resume }, session_later(call) };
	engine_job_resume(call->sessions->engine, handle->row, &waiting->resumption);
	return RESULT_OK;
}

static enum result do_subscribe(struct call *call)
{
	struct handle *handle = NULL;
	enum result result;

	if (call->request->handle == 0) {
		call->session->subscribed = true;
		return RESULT_OK;
	}
	result = session_handle(call, ACCESS_SUBSCRIBE, &handle);
	if (result == RESULT_OK)
		handle->subscribed = true;
	return result;
}

static enum result do_status(struct call *call)
{
	struct service_status status = *call->sessions->settings.program;

	engine_service_status(call->sessions->engine, &status);
	status.connections = sessions_connected(call->sessions);
	protocol_write_service(call->out, "service", &status);
	return RESULT_OK;
}

/* Counts, as service.status has them, and for whoever may ask for that. */
static enum result do_metrics(struct call *call)
{
	AUTO(buffer) struct buffer text = BUFFER(METRICS_BYTES_MAX);
	enum result result = engine_metrics(call->sessions->engine, &text);

	if (result != RESULT_OK)
		return fault_set(call->fault, result, FAULT_FERRY, 0, "write the metrics");
	json_write_text(call->out, "text", (struct text_view){ text.bytes, text.length });
	return RESULT_OK;
}

session_method *const session_methods[METHOD_COUNT] = {
	[METHOD_HELLO] = do_hello,
	[METHOD_JOB_CREATE] = do_create,
	[METHOD_JOB_OPEN] = do_open,
	[METHOD_JOB_ADD_FILES] = do_add_files,
	[METHOD_JOB_GET] = do_get,
	[METHOD_JOB_LIST] = do_list,
	[METHOD_JOB_SET_PROPERTIES] = do_set_properties,
	[METHOD_JOB_REPLACE_REMOTE_PREFIX] = do_replace_prefix,
	[METHOD_JOB_RESUME] = do_resume,
	[METHOD_JOB_SUSPEND] = do_control,
	[METHOD_JOB_CANCEL] = do_control,
	[METHOD_JOB_COMPLETE] = do_control,
	[METHOD_JOB_PREFLIGHT] = do_preflight,
	[METHOD_JOB_TAKE_OWNERSHIP] = do_take,
	[METHOD_JOB_SET_HELPER_TOKEN] = do_set_helper_token,
	[METHOD_JOB_CLEAR_HELPER_TOKEN] = do_clear_helper_token,
	[METHOD_JOB_SET_HELPER_TOKEN_FLAGS] = do_set_helper_flags,
	[METHOD_JOB_GET_HELPER_TOKEN_FLAGS] = do_get_helper_flags,
	[METHOD_JOB_GET_HELPER_TOKEN_SID] = do_get_helper_sid,
	[METHOD_JOB_HELPER_TICKET] = do_helper_ticket,
	[METHOD_JOB_SET_CREDENTIALS] = do_set_credentials,
	[METHOD_JOB_REMOVE_CREDENTIALS] = do_remove_credentials,
	[METHOD_JOB_SET_HEADERS] = do_set_headers,
	[METHOD_JOB_GET_HEADERS] = do_get_headers,
	[METHOD_HELPER_PRESENT] = do_present,
	[METHOD_PROXY_SHOW] = do_proxy_show,
	[METHOD_AUTH_TEST] = do_auth_test,
	[METHOD_JOB_HISTORY] = do_job_history,
	[METHOD_CONFIG_SHOW] = do_config_show,
	[METHOD_CONFIG_RELOAD] = do_config_reload,
	[METHOD_DECLARED_PLAN] = do_declared,
	[METHOD_DECLARED_APPLY] = do_declared,
	[METHOD_DECLARED_FIND] = do_declared_find,
	[METHOD_EVENTS_SUBSCRIBE] = do_subscribe,
	[METHOD_SERVICE_STATUS] = do_status,
	[METHOD_SERVICE_METRICS] = do_metrics,
	[METHOD_SERVICE_DOCTOR] = do_doctor,
};
