/* What the tests of client/ferry share: a service that answers by script, over the real door. */
#ifndef FERRY_TESTS_FERRY_SCENE_H
#define FERRY_TESTS_FERRY_SCENE_H

#include "ground.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/protocol.h"
#include "ferry.h"
#include "ground_speaker.h"
#include "platform/ipc.h"
#include "platform/thread.h"

#define JOB_ID "2a1b3c4d-0000-4000-8000-000000000001"
#define OTHER_ID "2a1b3c4d-0000-4000-8000-000000000002"
#define MESSAGE_BYTES_SMALL 65536
#define STATES_MAX 8

/* The service: what it answers with, and what it saw.  `mutex` guards what both threads use. */
struct scene {
	char folder[GROUND_PATH_BYTES_MAX], address[GROUND_PATH_BYTES_MAX];
	struct ipc_server *server;
	struct mutex *mutex;

	struct job_status job;
	uint64_t message_bytes_max, protocol;
	bool existed;           /* job.create finds the job by its key */
	unsigned refuse;        /* the method that is refused with `refusal`, + 1 */
	struct fault refusal;
	unsigned forget;        /* the method during which the connection is closed, + 1 */
	unsigned notify_method; /* the method after whose answer `told` are notified, + 1 */
	unsigned unasked;       /* notifications sent before every answer */
	bool gone;              /* job.open finds nothing */
	enum job_state told[STATES_MAX];
	unsigned told_count;

	unsigned asked[METHOD_COUNT];
	unsigned subscribed_all, subscribed_job;
	uint32_t files_seen;
	size_t longest_message;
	char client[PROTOCOL_CLIENT_BYTES_MAX], key[JOB_KEY_BYTES_MAX];
	struct job_properties properties;
	unsigned properties_given;
	char proxy_list[64], proxy_bypass[64];
	char opened_as[JOB_OWNER_BYTES_MAX];

	bool answer_nothing;   /* the helper token's methods answer without a member */
	bool attach_only;      /* job.open answers no job */
	const char *life, *warning;
	struct request asked_helper; /* the last one about a helper token, without its document */
	char asked_roots[PROTOCOL_ROOTS_MAX][64];
	char lent_as[JOB_OWNER_BYTES_MAX];
	struct preflight preflight;
	struct proxies_found proxies;
	struct trial trial;
	bool unreadable; /* the configuration */
	const char *data_folder; /* that the doctor tells; NULL: "" */
	size_t attempt_count; /* that job.history tells, all like the trial's */
	char shown_url[64], shown_proxy[64]; /* of proxy.show and auth.test, and the handle */
	uint64_t shown_handle;

	uint32_t files_changed; /* by job.replaceRemotePrefix, and what was asked */
	char prefixes[2][64];

	char headers[32768];     /* as they were set last, each with its line's end */
	enum auth_target target; /* of the last request about credentials; "null" for null */
	enum auth_scheme scheme;
	char user[CREDENTIAL_USER_BYTES_MAX + 1], password[CREDENTIAL_PASSWORD_BYTES_MAX + 1];
};

/* --- the scripted service --- */

static inline void must(enum result result)
{
	if (result != RESULT_OK) {
		fprintf(stderr, "scene: %s\n", result_name(result));
		abort();
	}
}

/* A client that has gone meanwhile is none of the service's business. */
static inline void say(struct scene *scene, uint64_t connection, const struct buffer *message)
{
	enum result result = ipc_send(scene->server, connection, (struct text_view){ message->bytes, message->length });

	must(result == RESULT_NOT_FOUND ? RESULT_OK : result);
}

static inline void notify(struct scene *scene, uint64_t connection, const char *method, enum job_state state)
{
	AUTO(buffer) struct buffer message = BUFFER(PROTOCOL_MESSAGE_BYTES_MAX);
	struct json_writer writer = JSON_WRITER(&message);
	struct job_status told = scene->job;

	told.job.state = state;
	protocol_notification_begin(&writer, method);
	protocol_write_job(&writer, "job", &told);
	must(protocol_notification_end(&writer));
	say(scene, connection, &message);
}

/* The jobs and files of the lists are numbered; 150 of each make three pages. */
static inline void write_jobs(struct scene *scene, struct json_writer *writer, const struct request *request)
{
	uint64_t at = request->from;

	json_write_begin(writer, "jobs", '[');
	for (; at < 150 && at < request->from + request->limit; at++) {
		struct job_status listed = scene->job;
		must(text_format(listed.job.id, sizeof(listed.job.id), "2a1b3c4d-0000-4000-8000-%012u", (unsigned)at));
		protocol_write_job(writer, NULL, &listed);
	}
	json_write_end(writer, ']');
	if (at < 150)
		json_write_u64(writer, "next", at);
}

static inline void write_files(struct json_writer *writer, const struct request *request)
{
	uint64_t at = request->from;

	json_write_begin(writer, "files", '[');
	for (; at < 150 && at < request->from + request->limit; at++) {
		struct file file = { .ordinal = (uint32_t)at, .bytes_total = SIZE_UNKNOWN };
		must(text_format(file.url, sizeof(file.url), "https://host/%u?secret", (unsigned)at));
		must(text_format(file.path, sizeof(file.path), "/there/%u", (unsigned)at));
		protocol_write_file(writer, &file);
	}
	json_write_end(writer, ']');
	if (at < 150)
		json_write_u64(writer, "next", at);
}

static inline void write_hello(struct scene *scene, struct json_writer *writer)
{
	json_write_u64(writer, "protocol", scene->protocol);
	json_write_text(writer, "server", text_view("scene 1"));
	json_write_text(writer, "owner", text_view("S-1-5-21-1"));
	json_write_bool(writer, "elevated", true);
	json_write_u64(writer, "message_bytes_max", scene->message_bytes_max);
}

static inline void write_service(struct json_writer *writer)
{
	struct service_status service = { .version = "1", .jobs_queued = 5, .workers = 2 };

	protocol_write_service(writer, "service", &service);
}

static inline void write_null_or(struct json_writer *writer, const char *name, const char *text)
{
	if (text == NULL || text[0] == '\0')
		json_write_raw(writer, name, text_view("null"));
	else
		json_write_text(writer, name, text_view(text));
}

#define TICKET "0123456789abcdef0123456789abcdef"

/* The helper token's methods; true: the answer has no job. */
static inline bool write_helper(struct scene *scene, struct json_writer *writer, const struct request *request)
{
	if (scene->answer_nothing)
		return true;
	switch ((unsigned)request->method) {
	case METHOD_JOB_SET_HELPER_TOKEN:
	case METHOD_HELPER_PRESENT:
		if (request->method == METHOD_HELPER_PRESENT)
			json_write_text(writer, "sid", text_view("S-1-5-21-9"));
		json_write_text(writer, "life", text_view(scene->life));
		write_null_or(writer, "warning", scene->warning);
		return request->method == METHOD_HELPER_PRESENT || scene->attach_only;
	case METHOD_JOB_CLEAR_HELPER_TOKEN:
		scene->job.token_sid[0] = '\0';
		return false;
	case METHOD_JOB_SET_HELPER_TOKEN_FLAGS:
		scene->job.job.helper_flags = request->flags;
		return false;
	case METHOD_JOB_GET_HELPER_TOKEN_FLAGS:
		protocol_write_flags(writer, "flags", scene->job.job.helper_flags);
		return true;
	case METHOD_JOB_GET_HELPER_TOKEN_SID:
		write_null_or(writer, "sid", scene->job.token_sid);
		return true;
	case METHOD_JOB_HELPER_TICKET:
		json_write_text(writer, "ticket", text_view(TICKET));
		json_write_u64(writer, "valid_s", 30);
		return true;
	case METHOD_JOB_PREFLIGHT:
		protocol_write_preflight(writer, "preflight", &scene->preflight);
		return true;
	default:
		return false;
	}
}

static inline void note_credentials(struct scene *scene, const struct request *request)
{
	const struct text_view null = text_view("null");
	const unsigned flag = JOB_CREDENTIAL(request->target, request->scheme);
	const bool set = request->method == METHOD_JOB_SET_CREDENTIALS;

	scene->target = request->target;
	scene->scheme = request->scheme;
	must(text_copy(scene->user, sizeof(scene->user), request->user.bytes != NULL ? request->user : null));
	must(text_copy(scene->password, sizeof(scene->password), request->password.bytes != NULL ? request->password : null));
	scene->job.job.implicit &= ~flag;
	scene->job.job.explicit &= ~flag;
	if (set)
		*(request->user.bytes == NULL ? &scene->job.job.implicit : &scene->job.job.explicit) |= flag;
}

static inline void note_headers(struct scene *scene, const struct request *request)
{
	char *names = scene->job.job.header_names;

	scene->headers[0] = names[0] = '\0';
	for (uint32_t i = 0; i < request->header_count; i++) {
		struct text_view line = request_header(request, i);
		size_t used = strlen(scene->headers), named = strlen(names);

		text_display(scene->headers + used, sizeof(scene->headers) - used, "%.*s\n", (int)line.length, line.bytes);
		text_display(names + named, JOB_HEADER_NAMES_BYTES_MAX - named, "%s%.*s", named > 0 ? " " : "",
		             (int)strcspn(scene->headers + used, ":"), line.bytes);
	}
	scene->job.job.headers_write_only = request->write_only;
}

static inline void write_headers(struct scene *scene, struct json_writer *writer)
{
	json_write_begin(writer, "headers", '[');
	for (const char *line = scene->headers; *line != '\0'; line += strcspn(line, "\n") + 1)
		json_write_text(writer, NULL, (struct text_view){ line, strcspn(line, "\n") });
	json_write_end(writer, ']');
}

#define SCENE_METRICS "# TYPE ferry_jobs gauge\nferry_jobs{state=\"QUEUED\"} 3\n"

/* What each method does to the scene's job, and the members of its answer. */
static inline void write_answer(struct scene *scene, struct json_writer *writer, const struct request *request)
{
	switch (request->method) {
	case METHOD_HELLO:
		write_hello(scene, writer);
		return;
	case METHOD_JOB_LIST:
		write_jobs(scene, writer, request);
		return;
	case METHOD_SERVICE_STATUS:
		write_service(writer);
		return;
	case METHOD_EVENTS_SUBSCRIBE:
		*(request->handle == 0 ? &scene->subscribed_all : &scene->subscribed_job) += 1;
		return;
	case METHOD_JOB_CREATE:
		json_write_u64(writer, "handle", 7);
		json_write_bool(writer, "created", !scene->existed);
		break;
	case METHOD_JOB_OPEN:
		json_write_u64(writer, "handle", 7);
		if (scene->attach_only)
			return;
		break;
	case METHOD_JOB_GET:
		if (request->limit > 0)
			write_files(writer, request);
		break;
	case METHOD_JOB_RESUME:
		scene->job.job.state = JOB_QUEUED;
		break;
	case METHOD_JOB_SUSPEND:
		scene->job.job.state = JOB_SUSPENDED;
		break;
	case METHOD_JOB_CANCEL:
		scene->job.job.state = JOB_CANCELLED;
		break;
	case METHOD_JOB_COMPLETE:
		scene->job.job.work = JOB_WORK_PUBLISH;
		break;
	case METHOD_JOB_TAKE_OWNERSHIP:
		must(text_copy(scene->job.job.owner, JOB_OWNER_BYTES_MAX, text_view("S-1-5-21-500")));
		break;
	case METHOD_PROXY_SHOW:
		must(text_copy(scene->shown_url, sizeof(scene->shown_url), request->url));
		scene->shown_handle = request->handle;
		protocol_write_proxies(writer, &scene->proxies);
		return;
	case METHOD_JOB_HISTORY:
		json_write_begin(writer, "attempts", '[');
		for (size_t i = 0; i < scene->attempt_count; i++)
			protocol_write_attempt(writer, NULL, &scene->trial.attempt);
		json_write_end(writer, ']');
		return;
	case METHOD_AUTH_TEST:
		must(text_copy(scene->shown_url, sizeof(scene->shown_url), request->url));
		must(text_copy(scene->shown_proxy, sizeof(scene->shown_proxy), request->by_proxy));
		protocol_write_trial(writer, &scene->trial);
		return;
	case METHOD_CONFIG_SHOW:
		json_write_raw(writer, "settings", text_view(
			"[{\"key\":\"queue.slice_s\",\"value\":60,\"layer\":\"file\",\"source\":\"ferry.jsonc\",\"line\":3},"
			"{\"key\":\"power.battery_saver\",\"value\":\"all\",\"layer\":\"built-in\",\"source\":null,\"line\":0},"
			"{\"key\":\"rate.limits\",\"value\":[\"low off\",\"a\\\"b\"],\"layer\":\"policy\",\"source\":\"rate.limits\",\"line\":0}]"));
		return;
	case METHOD_SERVICE_METRICS:
		json_write_text(writer, "text", text_view(SCENE_METRICS));
		return;
	case METHOD_SERVICE_DOCTOR:
		json_write_text(writer, "data_folder", text_view(scene->data_folder != NULL ? scene->data_folder : ""));
		json_write_raw(writer, "checks", text_view(
			"[{\"name\":\"disk\",\"verdict\":\"ok\",\"seen\":\"room enough\",\"remedy\":null},"
			"{\"name\":\"clock\",\"verdict\":\"problem\",\"seen\":\"it is slow\",\"remedy\":\"Set it.\"}]"));
		return;
	case METHOD_CONFIG_RELOAD:
		json_write_raw(writer, "taken", text_view(scene->unreadable ? "false" : "true"));
		json_write_text(writer, "now", text_view(scene->unreadable ? "" : "queue.slice_s 900 -> 60"));
		json_write_text(writer, "later", text_view(scene->unreadable ? "" : "nothing"));
		json_write_raw(writer, "errors", text_view(scene->unreadable ? "[\"one\",\"two\"]" : "[]"));
		return;
	case METHOD_DECLARED_FIND:
		json_write_text(writer, "job", text_view(scene->job.job.id));
		return;
	case METHOD_DECLARED_PLAN:
	case METHOD_DECLARED_APPLY:
		json_write_raw(writer, "taken", text_view(scene->unreadable ? "false" : "true"));
		json_write_raw(writer, "jobs", text_view(scene->unreadable ? "[]" :
			"[{\"name\":\"app\",\"action\":\"repair\",\"fetch\":2,\"reason\":\"2 files missing\",\"error\":null},"
			"{\"name\":\"b\",\"action\":\"create\",\"fetch\":0,\"reason\":\"r\",\"error\":\"e\"}]"));
		json_write_raw(writer, "errors", text_view(scene->unreadable ? "[\"one\",\"two\"]" : "[]"));
		return;
	case METHOD_JOB_PREFLIGHT:
	case METHOD_JOB_SET_HELPER_TOKEN:
	case METHOD_JOB_CLEAR_HELPER_TOKEN:
	case METHOD_JOB_SET_HELPER_TOKEN_FLAGS:
	case METHOD_JOB_GET_HELPER_TOKEN_FLAGS:
	case METHOD_JOB_GET_HELPER_TOKEN_SID:
	case METHOD_JOB_HELPER_TICKET:
	case METHOD_HELPER_PRESENT:
		if (write_helper(scene, writer, request))
			return;
		break;
	case METHOD_JOB_REPLACE_REMOTE_PREFIX:
		must(text_copy(scene->prefixes[0], sizeof(scene->prefixes[0]), request->old_prefix));
		must(text_copy(scene->prefixes[1], sizeof(scene->prefixes[1]), request->new_prefix));
		json_write_u64(writer, "files_changed", scene->files_changed);
		break;
	case METHOD_JOB_SET_CREDENTIALS:
	case METHOD_JOB_REMOVE_CREDENTIALS:
		note_credentials(scene, request);
		break;
	case METHOD_JOB_SET_HEADERS:
		note_headers(scene, request);
		break;
	case METHOD_JOB_GET_HEADERS:
		write_headers(scene, writer);
		return;
	case METHOD_JOB_ADD_FILES:
	case METHOD_JOB_SET_PROPERTIES:
	case METHOD_COUNT:
		break;
	}
	protocol_write_job(writer, "job", &scene->job);
}

static inline void note_request(struct scene *scene, const struct request *request, size_t length)
{
	scene->asked[request->method]++;
	scene->files_seen += request->file_count;
	if (!scene->existed || request->method == METHOD_JOB_ADD_FILES)
		scene->job.job.files_total += request->file_count;
	if (length > scene->longest_message)
		scene->longest_message = length;
	if (request->method == METHOD_HELLO)
		memcpy(scene->client, request->client, sizeof(scene->client));
	if (request->method == METHOD_JOB_CREATE)
		memcpy(scene->key, request->key, sizeof(scene->key));
	if (request->properties_given != 0) {
		scene->properties = request->properties;
		scene->properties_given = request->properties_given;
		must(text_copy(scene->proxy_list, sizeof(scene->proxy_list), request->proxy_list));
		must(text_copy(scene->proxy_bypass, sizeof(scene->proxy_bypass), request->proxy_bypass));
	}
}

static inline bool is_loan(enum method method)
{
	return method == METHOD_JOB_SET_HELPER_TOKEN || method == METHOD_JOB_HELPER_TICKET || method == METHOD_HELPER_PRESENT;
}

static inline void note_loan(struct scene *scene, const struct request *request)
{
	memset(scene->asked_roots, 0, sizeof(scene->asked_roots));
	for (uint32_t i = 0; i < request->root_count; i++)
		must(text_copy(scene->asked_roots[i], sizeof(scene->asked_roots[i]), request_root(request, i)));
	scene->asked_helper = *request;
	scene->asked_helper.document = NULL;
}

/* Whom the message shows, as the service would find it. */
static inline void capture(struct scene *scene, uint64_t connection, char *to)
{
	AUTO(identity) struct identity *identity = NULL;

	if (ipc_capture(scene->server, connection, &identity, NULL) == RESULT_OK)
		memcpy(to, identity_caller(identity)->owner, JOB_OWNER_BYTES_MAX);
}

static inline void answer(struct scene *scene, uint64_t connection, const struct request *request)
{
	AUTO(buffer) struct buffer reply = BUFFER(PROTOCOL_MESSAGE_BYTES_MAX);
	struct json_writer writer = JSON_WRITER(&reply);

	for (unsigned i = 0; i < scene->unasked; i++)
		notify(scene, connection, i % 2 == 0 ? "job.changed" : "job.progress", JOB_CONNECTING);
	if (scene->refuse == request->method + 1u) {
		must(protocol_reply_error(&reply, request->id, scene->refusal.result, &scene->refusal));
	} else if (scene->gone && request->method == METHOD_JOB_OPEN) {
		must(protocol_reply_error(&reply, request->id, RESULT_NOT_FOUND, NULL));
	} else {
		protocol_reply_begin(&writer, request->id);
		write_answer(scene, &writer, request);
		must(protocol_reply_end(&writer));
	}
	say(scene, connection, &reply);
	if (scene->notify_method == request->method + 1u) {
		for (unsigned i = 0; i < scene->told_count; i++)
			notify(scene, connection, "job.changed", scene->told[i]);
	}
}

static inline void on_message(void *context, uint64_t connection, char *bytes, size_t length)
{
	struct scene *scene = context;
	AUTO(request) struct request request;

	must(request_decode((struct text_view){ bytes, length }, &request, NULL));
	free(bytes);
	mutex_lock(scene->mutex);
	note_request(scene, &request, length);
	if (request.method == METHOD_JOB_OPEN)
		capture(scene, connection, scene->opened_as);
	if (is_loan(request.method)) {
		note_loan(scene, &request);
		capture(scene, connection, scene->lent_as);
	}
	if (scene->forget == request.method + 1u) {
		scene->forget = 0;
		ipc_close(scene->server, connection);
	} else {
		answer(scene, connection, &request);
	}
	mutex_unlock(scene->mutex);
	ipc_next(scene->server, connection);
}

static inline void on_connection(void *context, uint64_t connection)
{
	(void)context;
	(void)connection;
}

static inline void start(struct scene *scene)
{
	const struct ipc_limits limits = { 8, IPC_OUTPUT_BYTES_MAX_DEFAULT };
	const struct ipc_handler handler = { on_connection, on_message, on_connection, on_connection, scene };
	struct ipc_server *server = NULL;

	must(ipc_server_start(scene->address, &limits, &handler, &server, NULL));
	scene->server = server;
}

static inline void stop(struct scene *scene)
{
	ipc_server_free(scene->server);
	scene->server = NULL;
}

static inline int set_up(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));

	if (scene == NULL)
		return -1;
	ground_set_up(scene->folder);
	ground_address(scene->address, scene->folder);
	scene->mutex = mutex_new();
	scene->message_bytes_max = PROTOCOL_MESSAGE_BYTES_MAX;
	scene->protocol = PROTOCOL_VERSION;
	must(text_copy(scene->job.job.id, sizeof(scene->job.job.id), text_view(JOB_ID)));
	must(text_copy(scene->job.job.properties.name, JOB_NAME_BYTES_MAX, text_view("Nightly")));
	must(text_copy(scene->job.job.owner, JOB_OWNER_BYTES_MAX, text_view("S-1-5-21-1")));
	scene->job.job.state = JOB_SUSPENDED;
	scene->job.job.properties.auto_complete = true;
	scene->life = "session";
	start(scene);
	*state = scene;
	return scene->mutex != NULL ? 0 : -1;
}

static inline int tear_down(void **state)
{
	struct scene *scene = *state;

	stop(scene);
	mutex_free(scene->mutex);
	ground_tear_down(scene->folder);
	free(scene);
	return 0;
}

/* --- the client --- */

static inline struct ferry *connect_to(struct scene *scene)
{
	const struct ferry_options options = { .address = scene->address, .client = "test 1", .accept_console = true };
	struct ferry *ferry = NULL;
	struct ferry_error error;

	if (ferry_connect(&options, &ferry, &error) != FERRY_OK)
		fail_msg("%s", error.message);
	return ferry;
}

static inline struct ferry_job *open_job(struct ferry *ferry)
{
	struct ferry_job *job = NULL;
	struct ferry_error error;

	if (ferry_job_open(ferry, JOB_ID, &job, &error) != FERRY_OK)
		fail_msg("%s", error.message);
	return job;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
