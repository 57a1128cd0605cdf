/* libferry against a service that a test scripts: a real door, made-up jobs. */
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
	unsigned refuse;        /* the method that is refused with RESULT_INVALID_STATE, + 1 */
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
	char opened_as[JOB_OWNER_BYTES_MAX];
};

/* --- the scripted service --- */

static void must(enum result result)
{
	if (result != RESULT_OK) {
		fprintf(stderr, "scene: %s\n", result_name(result));
		abort();
	}
}

/* A client that has gone meanwhile is none of the service's business. */
static void say(struct scene *scene, uint64_t connection, const struct buffer *message)
{
	enum result result = ipc_send(scene->server, connection, (struct text_view){ message->bytes, message->length });

	must(result == RESULT_NOT_FOUND ? RESULT_OK : result);
}

static void notify(struct scene *scene, uint64_t connection, const char *method, enum job_state state)
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
static void write_jobs(struct scene *scene, struct json_writer *writer, const struct request *request)
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

static void write_files(struct json_writer *writer, const struct request *request)
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

static void write_hello(struct scene *scene, struct json_writer *writer)
{
	json_write_u64(writer, "protocol", scene->protocol);
	json_write_text(writer, "server", text_view("scene 1"));
	json_write_text(writer, "owner", text_view("S-1-5-21-1"));
	json_write_bool(writer, "elevated", true);
	json_write_u64(writer, "message_bytes_max", scene->message_bytes_max);
}

static void write_service(struct json_writer *writer)
{
	struct service_status service = { .version = "1", .jobs_queued = 5, .workers = 2 };

	protocol_write_service(writer, "service", &service);
}

/* What each method does to the scene's job, and the members of its answer. */
static void write_answer(struct scene *scene, struct json_writer *writer, const struct request *request)
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
	case METHOD_JOB_ADD_FILES:
	case METHOD_JOB_SET_PROPERTIES:
	case METHOD_COUNT:
		break;
	}
	protocol_write_job(writer, "job", &scene->job);
}

static void note_request(struct scene *scene, const struct request *request, size_t length)
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
	}
}

static void answer(struct scene *scene, uint64_t connection, const struct request *request)
{
	AUTO(buffer) struct buffer reply = BUFFER(PROTOCOL_MESSAGE_BYTES_MAX);
	struct json_writer writer = JSON_WRITER(&reply);
	struct fault fault = { .source = FAULT_HTTP, .raw = 404, .what = "the scene" };

	for (unsigned i = 0; i < scene->unasked; i++)
		notify(scene, connection, i % 2 == 0 ? "job.changed" : "job.progress", JOB_CONNECTING);
	if (scene->refuse == request->method + 1u) {
		must(protocol_reply_error(&reply, request->id, RESULT_INVALID_STATE, &fault));
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

static void on_message(void *context, uint64_t connection, char *bytes, size_t length)
{
	struct scene *scene = context;
	AUTO(request) struct request request;
	AUTO(identity) struct identity *identity = NULL;

	must(request_decode((struct text_view){ bytes, length }, &request, NULL));
	free(bytes);
	mutex_lock(scene->mutex);
	note_request(scene, &request, length);
	if (request.method == METHOD_JOB_OPEN && ipc_capture(scene->server, connection, &identity, NULL) == RESULT_OK)
		memcpy(scene->opened_as, identity_caller(identity)->owner, sizeof(scene->opened_as));
	if (scene->forget == request.method + 1u) {
		scene->forget = 0;
		ipc_close(scene->server, connection);
	} else {
		answer(scene, connection, &request);
	}
	mutex_unlock(scene->mutex);
	ipc_next(scene->server, connection);
}

static void on_connection(void *context, uint64_t connection)
{
	(void)context;
	(void)connection;
}

static void start(struct scene *scene)
{
	const struct ipc_limits limits = { 8, IPC_OUTPUT_BYTES_MAX_DEFAULT };
	const struct ipc_handler handler = { on_connection, on_message, on_connection, on_connection, scene };
	struct ipc_server *server = NULL;

	must(ipc_server_start(scene->address, &limits, &handler, &server, NULL));
	scene->server = server;
}

static void stop(struct scene *scene)
{
	ipc_server_free(scene->server);
	scene->server = NULL;
}

static int set_up(void **state)
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
	start(scene);
	*state = scene;
	return scene->mutex != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
	struct scene *scene = *state;

	stop(scene);
	mutex_free(scene->mutex);
	ground_tear_down(scene->folder);
	free(scene);
	return 0;
}

/* --- the client --- */

static struct ferry *connect_to(struct scene *scene)
{
	const struct ferry_options options = { .address = scene->address, .client = "test 1", .accept_console = true };
	struct ferry *ferry = NULL;
	struct ferry_error error;

	if (ferry_connect(&options, &ferry, &error) != FERRY_OK)
		fail_msg("%s", error.message);
	return ferry;
}

static struct ferry_job *open_job(struct ferry *ferry)
{
	struct ferry_job *job = NULL;
	struct ferry_error error;

	if (ferry_job_open(ferry, JOB_ID, &job, &error) != FERRY_OK)
		fail_msg("%s", error.message);
	return job;
}

static void ferry__hello__says_who_is_there(void **state)
{
	struct scene *scene = *state;
	struct ferry *ferry = connect_to(scene);
	struct ferry_server server;

	ferry_get_server(ferry, &server);
	assert_string_equal(server.version, "scene 1");
	assert_string_equal(server.owner, "S-1-5-21-1");
	assert_true(server.elevated);
	assert_string_equal(scene->client, "test 1");
	ferry_close(ferry);
}

static void ferry__nobody_there__is_not_running(void **state)
{
	struct scene *scene = *state;
	const struct ferry_options options = { .address = scene->address, .open_timeout_ms = 1 };
	struct ferry *ferry = NULL;
	struct ferry_error error;

	stop(scene);
	assert_int_equal(ferry_connect(&options, &ferry, &error), FERRY_NOT_RUNNING);
	assert_null(ferry);
	assert_string_equal(error.name, "NOT_RUNNING");
	assert_int_equal(error.hresult, 0x80070426);
	assert_string_not_equal(error.remedy, "");
}

static void ferry__another_protocol__is_refused(void **state)
{
	struct scene *scene = *state;
	const struct ferry_options options = { .address = scene->address, .accept_console = true };
	struct ferry *ferry = NULL;
	struct ferry_error error;

	scene->protocol = 2;
	assert_int_equal(ferry_connect(&options, &ferry, &error), FERRY_REFUSED);
	assert_string_equal(error.name, "NOT_SUPPORTED");
}

static void ferry__a_stranger__is_told_nothing(void **state)
{
	struct scene *scene = *state;
	const struct ferry_options options = { .address = scene->address };
	struct ferry *ferry = NULL;
	struct ferry_error error;

	if (!ground_be_not_the_service(scene->folder))
		GROUND_SKIP("a server that is not the service");
	assert_int_equal(ferry_connect(&options, &ferry, &error), FERRY_NOT_THE_SERVICE);
	assert_int_equal(scene->asked[METHOD_HELLO], 0);
}

/* --- jobs --- */

static void ferry__a_new_job__carries_its_properties_and_files(void **state)
{
	struct scene *scene = *state;
	struct ferry *ferry = connect_to(scene);
	const struct ferry_source files[] = { { "https://host/a", "/there/a", 7 },
		                                  { "https://host/b", "/there/b", FERRY_SIZE_UNKNOWN } };
	const struct ferry_new_job request = {
		.key = "k1",
		.properties = { .given = FERRY_GIVE_NAME | FERRY_GIVE_PRIORITY | FERRY_GIVE_MAX_TIME,
		                .name = "Nightly",
		                .description = "not given",
		                .priority = FERRY_PRIORITY_HIGH,
		                .max_time_s = 60 },
		.files = files,
		.file_count = 2,
	};
	struct ferry_job *job = NULL;
	bool created = false;

	assert_int_equal(ferry_job_create(ferry, &request, &job, &created, NULL), FERRY_OK);
	assert_true(created);
	assert_string_equal(ferry_job_id(job), JOB_ID);
	assert_int_equal(scene->files_seen, 2);
	assert_string_equal(scene->key, "k1");
	assert_int_equal(scene->properties_given, PROPERTY_NAME | PROPERTY_PRIORITY | PROPERTY_MAX_TIME);
	assert_string_equal(scene->properties.name, "Nightly");
	assert_int_equal(scene->properties.priority, JOB_HIGH);
	assert_int_equal(scene->properties.max_time_s, 60);
	ferry_job_close(job);
	ferry_close(ferry);
}

#define MANY 3000
static void many_files(struct ferry_source files[MANY])
{
	static char urls[MANY][64], paths[MANY][64];

	for (unsigned i = 0; i < MANY; i++) {
		must(text_format(urls[i], sizeof(urls[i]), "https://host/%u", i));
		must(text_format(paths[i], sizeof(paths[i]), "/there/%u", i));
		files[i] = (struct ferry_source){ urls[i], paths[i], i };
	}
}

static void ferry__many_files__are_split_below_the_maximum(void **state)
{
	struct scene *scene = *state;
	static struct ferry_source files[MANY];
	const struct ferry_new_job request = { .properties = { .given = FERRY_GIVE_NAME, .name = "Many" },
		                                   .files = files,
		                                   .file_count = MANY };
	struct ferry_job *job = NULL;
	bool created;
	size_t added = 0;

	many_files(files);
	scene->message_bytes_max = MESSAGE_BYTES_SMALL;
	struct ferry *ferry = connect_to(scene);
	assert_int_equal(ferry_job_create(ferry, &request, &job, &created, NULL), FERRY_OK);
	assert_int_equal(scene->files_seen, MANY);
	assert_true(scene->asked[METHOD_JOB_ADD_FILES] >= 2);
	assert_true(scene->longest_message <= MESSAGE_BYTES_SMALL);

	assert_int_equal(ferry_job_add_files(job, files, MANY, &added, NULL), FERRY_OK);
	assert_int_equal(added, MANY);
	assert_int_equal(scene->files_seen, 2 * MANY);
	assert_true(scene->longest_message <= MESSAGE_BYTES_SMALL);
	ferry_job_close(job);
	ferry_close(ferry);
}

static void ferry__a_submit_that_was_cut_off__goes_on_where_it_stopped(void **state)
{
	struct scene *scene = *state;
	static struct ferry_source files[MANY];
	const struct ferry_new_job request = {
		.key = "k", .properties = { .given = FERRY_GIVE_NAME, .name = "Many" }, .files = files, .file_count = MANY
	};
	struct ferry *ferry = connect_to(scene);
	struct ferry_job *job = NULL;
	bool created = true;

	many_files(files);
	scene->existed = true;
	scene->job.job.files_total = MANY - 10;
	assert_int_equal(ferry_job_create(ferry, &request, &job, &created, NULL), FERRY_OK);
	assert_false(created);
	assert_int_equal(scene->job.job.files_total, MANY);
	ferry_job_close(job);

	/* One that was resumed had all it should have. */
	scene->job.job.files_total = MANY - 10;
	scene->job.job.state = JOB_QUEUED;
	assert_int_equal(ferry_job_create(ferry, &request, &job, &created, NULL), FERRY_OK);
	assert_int_equal(scene->job.job.files_total, MANY - 10);
	ferry_job_close(job);
	ferry_close(ferry);
}

static void ferry__a_file_beyond_all_measure__is_refused_by_its_number(void **state)
{
	struct scene *scene = *state;
	struct ferry *ferry = connect_to(scene);
	struct ferry_job *job = open_job(ferry);
	static char url[40000];
	const struct ferry_source files[] = { { "https://host/a", "/there/a", 1 }, { url, "/there/b", 1 } };
	struct ferry_error error;
	size_t added = 9;

	memset(url, 'a', sizeof(url) - 1);
	assert_int_equal(ferry_job_add_files(job, files, 2, &added, &error), FERRY_REFUSED);
	assert_string_equal(error.name, "TOO_LONG");
	assert_non_null(strstr(error.message, "files[1]"));
	assert_int_equal(added, 0);
	assert_int_equal(scene->asked[METHOD_JOB_ADD_FILES], 0);
	ferry_job_close(job);
	ferry_close(ferry);
}

static bool count_file(void *context, const struct ferry_file *file)
{
	unsigned *count = context;

	assert_int_equal(file->ordinal, *count);
	assert_null(strstr(file->url, "secret"));
	assert_true(file->bytes_total == FERRY_SIZE_UNKNOWN);
	*count += 1;
	return true;
}

static bool count_to_100(void *context, const struct ferry_status *status)
{
	unsigned *count = context;

	assert_string_equal(status->name, "Nightly");
	*count += 1;
	return *count < 100;
}

static void ferry__lists__are_walked_page_by_page(void **state)
{
	struct scene *scene = *state;
	struct ferry *ferry = connect_to(scene);
	struct ferry_job *job = open_job(ferry);
	unsigned count = 0;

	assert_int_equal(ferry_job_files(job, 0, count_file, &count, NULL), FERRY_OK);
	assert_int_equal(count, 150);
	assert_int_equal(scene->asked[METHOD_JOB_GET], 3);
	count = 0;
	assert_int_equal(ferry_jobs(ferry, FERRY_LIST_FINISHED, count_to_100, &count, NULL), FERRY_OK);
	assert_int_equal(count, 100); /* the visitor had enough */
	assert_int_equal(scene->asked[METHOD_JOB_LIST], 2);
	ferry_job_close(job);
	ferry_close(ferry);
}

static void ferry__control__tells_the_new_state(void **state)
{
	struct scene *scene = *state;
	struct ferry *ferry = connect_to(scene);
	struct ferry_job *job = open_job(ferry);
	struct ferry_status status;
	struct ferry_service service;

	assert_int_equal(ferry_job_resume(job, &status, NULL), FERRY_OK);
	assert_int_equal(status.state, FERRY_STATE_QUEUED);
	assert_int_equal(ferry_job_suspend(job, &status, NULL), FERRY_OK);
	assert_int_equal(status.state, FERRY_STATE_SUSPENDED);
	assert_int_equal(ferry_job_complete(job, &status, NULL), FERRY_OK);
	assert_true(status.completing);
	assert_int_equal(ferry_job_cancel(job, NULL, NULL), FERRY_OK);
	assert_int_equal(ferry_job_get(job, &status, NULL), FERRY_OK);
	assert_int_equal(status.state, FERRY_STATE_CANCELLED);
	assert_int_equal(ferry_service_status(ferry, &service, NULL), FERRY_OK);
	assert_int_equal(service.jobs_queued, 5);
	ferry_job_close(job);
	ferry_close(ferry);
}

static void ferry__a_refusal__comes_with_name_number_and_native_code(void **state)
{
	struct scene *scene = *state;
	struct ferry *ferry = connect_to(scene);
	struct ferry_job *job = open_job(ferry);
	struct ferry_status status = { .id = "untouched" };
	struct ferry_error error;

	scene->refuse = METHOD_JOB_RESUME + 1;
	assert_int_equal(ferry_job_resume(job, &status, &error), FERRY_REFUSED);
	assert_string_equal(error.name, "INVALID_STATE");
	assert_int_equal(error.hresult, 0x80200002);
	assert_string_equal(error.source, "http");
	assert_int_equal(error.code, 404);
	assert_string_equal(error.message, "The job's state does not allow this: the scene");
	assert_string_equal(status.id, "untouched");
	ferry_job_close(job);

	scene->gone = true;
	assert_int_equal(ferry_job_open(ferry, OTHER_ID, &job, &error), FERRY_NOT_FOUND);
	ferry_close(ferry);
}

/* --- waiting --- */

struct seen {
	struct scene *scene;
	unsigned kinds[5];
	enum ferry_state states[STATES_MAX];
	unsigned state_count;
	unsigned stop_at_tick;    /* stop waiting at this tick */
	bool end_server_at_state; /* at the first state */
	unsigned start_server_at_attempt;
};

static bool on_change(void *context, const struct ferry_change *change)
{
	struct seen *seen = context;

	seen->kinds[change->kind]++;
	if (change->kind == FERRY_CHANGE_STATE && seen->state_count < STATES_MAX)
		seen->states[seen->state_count++] = change->status.state;
	if (change->kind == FERRY_CHANGE_STATE && seen->end_server_at_state) {
		seen->end_server_at_state = false;
		stop(seen->scene);
	}
	if (change->kind == FERRY_CHANGE_RECONNECTING && change->attempt == seen->start_server_at_attempt) {
		seen->scene->job.job.state = JOB_ACKNOWLEDGED;
		start(seen->scene);
	}
	return change->kind != FERRY_CHANGE_TICK || seen->kinds[FERRY_CHANGE_TICK] != seen->stop_at_tick;
}

static void ferry__a_settled_job__is_not_waited_for(void **state)
{
	struct scene *scene = *state;
	struct ferry *ferry = connect_to(scene);
	struct ferry_job *job = open_job(ferry);
	struct ferry_status status;

	scene->job.job.state = JOB_ACKNOWLEDGED;
	assert_int_equal(ferry_job_wait(job, NULL, &status, NULL), FERRY_OK);
	assert_int_equal(status.state, FERRY_STATE_ACKNOWLEDGED);
	ferry_job_close(job);
	ferry_close(ferry);
}

static void ferry__waiting__ends_with_the_change_that_settles(void **state)
{
	struct scene *scene = *state;
	struct ferry *ferry = connect_to(scene);
	struct ferry_job *job = open_job(ferry);
	struct seen seen = { .scene = scene };
	const struct ferry_wait wait = { .on_change = on_change, .context = &seen };
	struct ferry_status status;

	/* TRANSFERRED settles nothing: the job completes by itself. */
	scene->job.job.state = JOB_TRANSFERRED;
	scene->notify_method = METHOD_JOB_GET + 1;
	scene->told[0] = JOB_TRANSFERRED;
	scene->told[1] = JOB_ACKNOWLEDGED;
	scene->told_count = 2;
	assert_int_equal(ferry_job_wait(job, &wait, &status, NULL), FERRY_OK);
	assert_int_equal(status.state, FERRY_STATE_ACKNOWLEDGED);
	assert_int_equal(scene->subscribed_job, 1);
	assert_int_equal(seen.states[0], FERRY_STATE_TRANSFERRED);
	assert_int_equal(seen.states[seen.state_count - 1], FERRY_STATE_ACKNOWLEDGED);
	ferry_job_close(job);
	ferry_close(ferry);
}

static void ferry__waiting__can_be_for_certain_states(void **state)
{
	struct scene *scene = *state;
	struct ferry *ferry = connect_to(scene);
	struct ferry_job *job = open_job(ferry);
	const struct ferry_wait wait = { .states = FERRY_STATE_BIT(FERRY_STATE_TRANSFERRED) };
	struct ferry_status status;

	scene->notify_method = METHOD_JOB_GET + 1;
	scene->told[0] = JOB_TRANSFERRED;
	scene->told_count = 1;
	assert_int_equal(ferry_job_wait(job, &wait, &status, NULL), FERRY_OK);
	assert_int_equal(status.state, FERRY_STATE_TRANSFERRED);
	ferry_job_close(job);
	ferry_close(ferry);
}

static void ferry__what_settles__depends_on_who_completes(void **state)
{
	struct ferry_status status = { .state = FERRY_STATE_TRANSFERRED };

	(void)state;
	assert_true(ferry_is_settled(&status));
	status.auto_complete = true;
	assert_false(ferry_is_settled(&status));
	status.auto_complete = false;
	status.completing = true;
	assert_false(ferry_is_settled(&status));
	status.state = FERRY_STATE_ERROR;
	assert_false(ferry_is_settled(&status));
	status.completing = false;
	assert_true(ferry_is_settled(&status));
	status.state = FERRY_STATE_SUSPENDED;
	assert_false(ferry_is_settled(&status));
	status.state = FERRY_STATE_CANCELLED;
	assert_true(ferry_is_settled(&status));
}

static void ferry__waiting__ends_when_time_is_up_or_the_callback_says_so(void **state)
{
	struct scene *scene = *state;
	struct ferry *ferry = connect_to(scene);
	struct ferry_job *job = open_job(ferry);
	struct seen seen = { .scene = scene, .stop_at_tick = 2 };
	struct ferry_wait wait = { .timeout_ms = 20 };
	struct ferry_status status = { .state = FERRY_STATE_CANCELLED };
	struct ferry_error error;

	scene->job.job.state = JOB_QUEUED;
	assert_int_equal(ferry_job_wait(job, &wait, &status, &error), FERRY_TIMED_OUT);
	assert_int_equal(status.state, FERRY_STATE_QUEUED); /* the last that is known */
	wait = (struct ferry_wait){ .tick_ms = 5, .on_change = on_change, .context = &seen };
	assert_int_equal(ferry_job_wait(job, &wait, &status, &error), FERRY_STOPPED);
	assert_int_equal(seen.kinds[FERRY_CHANGE_TICK], 2);
	ferry_job_close(job);
	ferry_close(ferry);
}

static void ferry__a_service_that_goes_away__is_waited_for_and_asked_again(void **state)
{
	struct scene *scene = *state;
	struct ferry *ferry = connect_to(scene);
	struct ferry_job *job = open_job(ferry);
	struct seen seen = { .scene = scene, .end_server_at_state = true, .start_server_at_attempt = 2 };
	const struct ferry_wait wait = { .on_change = on_change, .context = &seen };
	struct ferry_status status;

	scene->job.job.state = JOB_TRANSFERRING;
	assert_int_equal(ferry_job_wait(job, &wait, &status, NULL), FERRY_OK);
	assert_int_equal(status.state, FERRY_STATE_ACKNOWLEDGED);
	assert_int_equal(seen.kinds[FERRY_CHANGE_RECONNECTING], 2);
	assert_int_equal(seen.kinds[FERRY_CHANGE_REFRESH], 1);
	assert_int_equal(scene->asked[METHOD_HELLO], 2);
	assert_int_equal(scene->asked[METHOD_JOB_OPEN], 2);
	assert_int_equal(scene->subscribed_job, 2);
	ferry_job_close(job);
	ferry_close(ferry);
}

static void ferry__a_service_that_stays_away__is_given_up_in_time(void **state)
{
	struct scene *scene = *state;
	struct ferry *ferry = connect_to(scene);
	struct ferry_job *job = open_job(ferry);
	struct seen seen = { .scene = scene, .end_server_at_state = true };
	const struct ferry_wait wait = { .reconnect_timeout_ms = 30, .on_change = on_change, .context = &seen };
	struct ferry_error error;

	scene->job.job.state = JOB_TRANSFERRING;
	assert_int_equal(ferry_job_wait(job, &wait, NULL, &error), FERRY_NOT_RUNNING);
	assert_true(seen.kinds[FERRY_CHANGE_RECONNECTING] >= 1);
	/* Later it is there again, and so is the job. */
	start(scene);
	assert_int_equal(ferry_reconnect(ferry, -1, &error), FERRY_OK);
	assert_int_equal(ferry_job_get(job, NULL, &error), FERRY_OK);
	ferry_job_close(job);
	ferry_close(ferry);
}

static void ferry__a_job_that_is_gone_after_a_restart__is_not_found(void **state)
{
	struct scene *scene = *state;
	struct ferry *ferry = connect_to(scene);
	struct ferry_job *job = open_job(ferry);
	struct ferry_error error;

	scene->gone = true;
	assert_int_equal(ferry_reconnect(ferry, -1, &error), FERRY_OK);
	assert_int_equal(ferry_job_wait(job, NULL, NULL, &error), FERRY_NOT_FOUND);
	ferry_job_close(job);
	ferry_close(ferry);
}

static void ferry__a_connection_lost_in_a_request__says_so_until_it_is_made_again(void **state)
{
	struct scene *scene = *state;
	struct ferry *ferry = connect_to(scene);
	struct ferry_job *job = open_job(ferry);
	struct ferry_error error;

	scene->forget = METHOD_JOB_RESUME + 1;
	assert_int_equal(ferry_job_resume(job, NULL, &error), FERRY_NOT_RUNNING);
	assert_int_equal(ferry_job_resume(job, NULL, &error), FERRY_NOT_RUNNING);
	assert_int_equal(ferry_reconnect(ferry, -1, &error), FERRY_OK);
	assert_int_equal(ferry_job_resume(job, NULL, &error), FERRY_OK);
	ferry_job_close(job);
	ferry_close(ferry);
}

static void ferry__a_reconnect__opens_jobs_as_those_who_opened_them(void **state)
{
	struct scene *scene = *state;
	unsigned before = ground_speaker();
	const unsigned somebody = 65010, somebody_else = 65011;
	char expected[32];
	struct ferry_error error;

	if (!ground_speaker_is_seen())
		GROUND_SKIP("two identities of one client");
	struct ferry *ferry = connect_to(scene);
	if (!ground_speak_as(somebody)) {
		ferry_close(ferry);
		GROUND_SKIP(GROUND_NEEDS);
	}
	struct ferry_job *job = open_job(ferry);
	must(text_format(expected, sizeof(expected), "uid:%u", somebody));
	assert_string_equal(scene->opened_as, expected);

	assert_true(ground_speak_as(somebody_else));
	scene->opened_as[0] = '\0';
	assert_int_equal(ferry_reconnect(ferry, -1, &error), FERRY_OK);
	assert_string_equal(scene->opened_as, expected);
	assert_int_equal(ground_speaker(), somebody_else);

	assert_true(ground_speak_as(before));
	ferry_job_close(job);
	ferry_close(ferry);
}

/* --- watching --- */

static void ferry__changes_that_come_unasked__are_kept_for_who_wants_them(void **state)
{
	struct scene *scene = *state;
	struct ferry *ferry = connect_to(scene);
	struct ferry_change change;
	struct ferry_service service;
	struct ferry_error error;

	scene->unasked = 5; /* of one job: only what is newest counts, and that it was more than numbers */
	assert_int_equal(ferry_subscribe(ferry, &error), FERRY_OK);
	assert_int_equal(ferry_service_status(ferry, &service, &error), FERRY_OK);
	assert_int_equal(scene->subscribed_all, 1);
	assert_int_equal(ferry_next_change(ferry, 0, &change, &error), FERRY_OK);
	assert_int_equal(change.kind, FERRY_CHANGE_STATE);
	assert_int_equal(change.status.state, FERRY_STATE_CONNECTING);
	assert_int_equal(ferry_next_change(ferry, 0, &change, &error), FERRY_TIMED_OUT);
	ferry_close(ferry);
}

static void ferry__watching__survives_a_restart_and_says_to_look_again(void **state)
{
	struct scene *scene = *state;
	struct ferry *ferry = connect_to(scene);
	struct ferry_change change;
	struct ferry_error error;

	assert_int_equal(ferry_subscribe(ferry, &error), FERRY_OK);
	stop(scene);
	assert_int_equal(ferry_next_change(ferry, -1, &change, &error), FERRY_OK);
	assert_int_equal(change.kind, FERRY_CHANGE_RECONNECTING);
	assert_int_equal(change.attempt, 1);
	start(scene);
	assert_int_equal(ferry_next_change(ferry, -1, &change, &error), FERRY_OK);
	assert_int_equal(change.kind, FERRY_CHANGE_REFRESH);
	assert_int_equal(scene->subscribed_all, 2);
	ferry_close(ferry);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(ferry__hello__says_who_is_there),
		TEST(ferry__nobody_there__is_not_running),
		TEST(ferry__another_protocol__is_refused),
		TEST(ferry__a_stranger__is_told_nothing),
		TEST(ferry__a_new_job__carries_its_properties_and_files),
		TEST(ferry__many_files__are_split_below_the_maximum),
		TEST(ferry__a_submit_that_was_cut_off__goes_on_where_it_stopped),
		TEST(ferry__a_file_beyond_all_measure__is_refused_by_its_number),
		TEST(ferry__lists__are_walked_page_by_page),
		TEST(ferry__control__tells_the_new_state),
		TEST(ferry__a_refusal__comes_with_name_number_and_native_code),
		TEST(ferry__a_settled_job__is_not_waited_for),
		TEST(ferry__waiting__ends_with_the_change_that_settles),
		TEST(ferry__waiting__can_be_for_certain_states),
		TEST(ferry__what_settles__depends_on_who_completes),
		TEST(ferry__waiting__ends_when_time_is_up_or_the_callback_says_so),
		TEST(ferry__a_service_that_goes_away__is_waited_for_and_asked_again),
		TEST(ferry__a_service_that_stays_away__is_given_up_in_time),
		TEST(ferry__a_job_that_is_gone_after_a_restart__is_not_found),
		TEST(ferry__a_connection_lost_in_a_request__says_so_until_it_is_made_again),
		TEST(ferry__a_reconnect__opens_jobs_as_those_who_opened_them),
		TEST(ferry__changes_that_come_unasked__are_kept_for_who_wants_them),
		TEST(ferry__watching__survives_a_restart_and_says_to_look_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
