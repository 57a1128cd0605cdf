#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "ferry_private.h"
#include "platform/clock.h"

#define OPEN_TIMEOUT_MS_DEFAULT 5000
#define ANSWER_TIMEOUT_MS_DEFAULT 60000
/* The smallest maximum that a service may state: room for any one file. */
#define MESSAGE_BYTES_MIN 65536

/* --- the connection --- */

static char *copy_text(const char *text)
{
	size_t size = strlen(text) + 1;
	char *copy = malloc(size);

	if (copy != NULL)
		memcpy(copy, text, size);
	return copy;
}

static enum result set_address(struct ferry *ferry, const char *address, struct fault *fault)
{
	char standard[1024];

	if (address == NULL) {
		enum result result = ipc_client_default_address(standard, sizeof(standard), fault);
		if (result != RESULT_OK)
			return result;
		address = standard;
	}
	ferry->address = copy_text(address);
	if (ferry->address == NULL)
		return fault_set(fault, RESULT_NO_MEMORY, FAULT_FERRY, 0, "connect");
	return RESULT_OK;
}

static enum result set_options(struct ferry *ferry, const struct ferry_options *options, struct fault *fault)
{
	const char *name = options->client != NULL ? options->client : "libferry";

	ferry->flags = options->accept_console ? IPC_CLIENT_ALLOW_CONSOLE : 0;
	ferry->open_timeout_ms = options->open_timeout_ms != 0 ? options->open_timeout_ms : OPEN_TIMEOUT_MS_DEFAULT;
	ferry->answer_timeout_ms = options->answer_timeout_ms != 0 ? options->answer_timeout_ms : ANSWER_TIMEOUT_MS_DEFAULT;
	ferry->out = BUFFER(PROTOCOL_MESSAGE_BYTES_MAX);
	ferry->in = BUFFER(PROTOCOL_MESSAGE_BYTES_MAX);
	if (text_copy(ferry->name, sizeof(ferry->name), text_view(name)) != RESULT_OK)
		return fault_set(fault, RESULT_TOO_LONG, FAULT_FERRY, 0, "the client's name");
	return set_address(ferry, options->address, fault);
}

static void ferry_free(struct ferry *ferry)
{
	if (ferry == NULL)
		return;
	ferry_drop_notes(ferry);
	ipc_client_free(ferry->client);
	ipc_speaker_free(ferry->speaker);
	mutex_free(ferry->mutex);
	condition_free(ferry->never);
	buffer_done(&ferry->out);
	buffer_done(&ferry->in);
	free(ferry->address);
	free(ferry);
}
DEFINE_CLEANUP(ferry)

static enum result connect_new(const struct ferry_options *options, struct ferry **ret_ferry, struct fault *fault)
{
	AUTO(ferry) struct ferry *ferry = calloc(1, sizeof(*ferry));

	if (ferry == NULL)
		return fault_set(fault, RESULT_NO_MEMORY, FAULT_FERRY, 0, "connect");
	enum result result = set_options(ferry, options, fault);
	if (result != RESULT_OK)
		return result;
	ferry->mutex = mutex_new();
	ferry->never = condition_new();
	if (ferry->mutex == NULL || ferry->never == NULL)
		return fault_set(fault, RESULT_NO_MEMORY, FAULT_FERRY, 0, "connect");
	result = ipc_speaker_current(&ferry->speaker, fault);
	if (result == RESULT_OK)
		result = ferry_say_hello(ferry, ferry->open_timeout_ms, fault);
	if (result == RESULT_OK)
		*ret_ferry = TAKE(ferry);
	return result;
}

enum ferry_result ferry_connect(const struct ferry_options *options, struct ferry **ret_ferry,
                                struct ferry_error *error)
{
	static const struct ferry_options standard = { .address = NULL };
	struct fault fault = { .result = RESULT_OK };
	enum result result = connect_new(options != NULL ? options : &standard, ret_ferry, &fault);

	return ferry_report(result, &fault, error);
}

void ferry_close(struct ferry *ferry)
{
	assert(ferry == NULL || ferry->jobs == NULL);
	ferry_free(ferry);
}

void ferry_get_server(const struct ferry *ferry, struct ferry_server *ret_server)
{
	*ret_server = ferry->server;
}

static enum result hello_done(struct ferry *ferry, struct json answer, struct fault *fault)
{
	uint64_t protocol, bytes_max;
	struct text_view version, owner;
	bool elevated;
	enum result result = json_get_u64(json_member(answer, "protocol"), 0, UINT64_MAX, &protocol, fault);
	if (result == RESULT_OK && protocol != PROTOCOL_VERSION)
		return fault_set(fault, RESULT_NOT_SUPPORTED, FAULT_FERRY, 0, "the service speaks another protocol");
	if (result == RESULT_OK)
		result = json_get_text(json_member(answer, "server"), sizeof(ferry->server.version) - 1, &version, fault);
	if (result == RESULT_OK)
		result = json_get_text(json_member(answer, "owner"), sizeof(ferry->server.owner) - 1, &owner, fault);
	if (result == RESULT_OK)
		result = json_get_bool(json_member(answer, "elevated"), &elevated, fault);
	if (result == RESULT_OK)
		result =
			json_get_u64(json_member(answer, "message_bytes_max"), MESSAGE_BYTES_MIN, UINT64_MAX, &bytes_max, fault);
	if (result == RESULT_OK)
		result = text_copy(ferry->server.version, sizeof(ferry->server.version), version);
	if (result == RESULT_OK)
		result = text_copy(ferry->server.owner, sizeof(ferry->server.owner), owner);
	if (result != RESULT_OK)
		return result;
	ferry->server.elevated = elevated;
	ferry->message_bytes_max = bytes_max < PROTOCOL_MESSAGE_BYTES_MAX ? (size_t)bytes_max : PROTOCOL_MESSAGE_BYTES_MAX;
	return RESULT_OK;
}

enum result ferry_say_hello(struct ferry *ferry, int64_t open_timeout_ms, struct fault *fault)
{
	AUTO(json_document) struct json_document *document = NULL;
	struct json answer;
	enum result result = ipc_client_open(ferry->address, ferry->flags, open_timeout_ms, &ferry->client, fault);
	if (result != RESULT_OK)
		return result;

	struct json_writer request = ferry_request(ferry, METHOD_HELLO);
	json_write_u64(&request, "protocol", PROTOCOL_VERSION);
	json_write_text(&request, "client", text_view(ferry->name));
	result = ferry_call(ferry, &request, &document, &answer, fault);
	if (result == RESULT_OK)
		result = hello_done(ferry, answer, fault);
	if (result != RESULT_OK) {
		ipc_client_free(ferry->client);
		ferry->client = NULL;
	}
	return result;
}

void ferry_lose(struct ferry *ferry)
{
	ipc_client_free(ferry->client);
	ferry->client = NULL;
	ferry->attempt = 1;
	ferry->announce = true;
	ferry->next_try_ms = clock_mono_ms();
	for (struct ferry_job *job = ferry->jobs; job != NULL; job = job->next)
		job->handle = 0;
}

/* --- notifications --- */

void ferry_drop_notes(struct ferry *ferry)
{
	while (ferry->notes != NULL) {
		struct ferry_note *note = ferry->notes;
		ferry->notes = note->next;
		free(note);
	}
	ferry->note_count = 0;
}

/* Only the newest of a job is of interest; it keeps its place in the row. */
static void keep_note(struct ferry *ferry, bool progress, const struct job_status *status)
{
	struct ferry_note **at = &ferry->notes;

	while (*at != NULL && strcmp((*at)->status.id, status->job.id) != 0)
		at = &(*at)->next;
	if (*at == NULL) {
		if (ferry->note_count < FERRY_NOTES_MAX)
			*at = calloc(1, sizeof(**at));
		if (*at == NULL) {
			ferry->epoch++;
			return;
		}
		ferry->note_count++;
		(*at)->progress = true;
	}
	(*at)->progress = (*at)->progress && progress;
	ferry_status_of(status, &(*at)->status);
}

/* A notification of a kind that this library does not know is no error: a newer service may have more. */
static enum result take_notification(struct ferry *ferry, struct json root, struct text_view method,
                                     struct fault *fault)
{
	struct job_status status;
	bool progress = text_is(method, "job.progress");

	if (!progress && !text_is(method, "job.changed"))
		return RESULT_OK;
	enum result result = protocol_read_job(json_member(json_member(root, "params"), "job"), &status, fault);
	if (result == RESULT_OK)
		keep_note(ferry, progress, &status);
	return result;
}

/* --- asking and being answered --- */

struct json_writer ferry_request(struct ferry *ferry, enum method method)
{
	struct json_writer writer = JSON_WRITER(&ferry->out);

	buffer_clear(&ferry->out);
	protocol_request_begin(&writer, ++ferry->last_id, method);
	return writer;
}

/* A service whose words make no sense is no partner for the next request either. */
enum result ferry_not_understood(struct ferry *ferry, const struct fault *why, struct fault *fault)
{
	ferry_lose(ferry);
	return fault_set(fault, RESULT_SYSTEM, FAULT_FERRY, 0, "understand the service: %s", why->what);
}

/* Receive one message; notifications are kept.  *ret_document stays NULL if it was one. */
static enum result receive(struct ferry *ferry, int64_t timeout_ms, struct json_document **ret_document,
                           struct fault *fault)
{
	AUTO(json_document) struct json_document *document = NULL;
	struct fault why = { .result = RESULT_OK };
	struct text_view method;

	if (ferry->client == NULL)
		return fault_set(fault, RESULT_NOT_RUNNING, FAULT_FERRY, 0, "the connection was lost");
	buffer_clear(&ferry->in);
	enum result result = ipc_client_receive(ferry->client, timeout_ms, &ferry->in, fault);
	if (result == RESULT_TIMED_OUT)
		return result;
	if (result != RESULT_OK) {
		ferry_lose(ferry);
		return result;
	}
	struct text_view message = { ferry->in.bytes, ferry->in.length };
	if (json_parse(message, JSON_WIRE, &document, &why) != RESULT_OK)
		return ferry_not_understood(ferry, &why, fault);
	struct json root = json_root(document);
	if (json_member(root, "method").value == NULL) {
		*ret_document = TAKE(document);
		return RESULT_OK;
	}
	if (json_get_text(json_member(root, "method"), SIZE_MAX, &method, &why) != RESULT_OK ||
	    take_notification(ferry, root, method, &why) != RESULT_OK)
		return ferry_not_understood(ferry, &why, fault);
	return RESULT_OK;
}

enum result ferry_receive_note(struct ferry *ferry, int64_t timeout_ms, struct fault *fault)
{
	AUTO(json_document) struct json_document *late = NULL;

	/* A reply that nobody waits for any more is dropped. */
	return receive(ferry, timeout_ms, &late, fault);
}

/* Whether this is what we wait for.  An error without an id is: the service could not read the request, or has no place
 * for one more client. */
static bool is_answer(const struct ferry *ferry, struct json root)
{
	uint64_t id;

	if (json_get_u64(json_member(root, "id"), 0, UINT64_MAX, &id, NULL) == RESULT_OK)
		return id == ferry->last_id;
	return json_member(root, "error").value != NULL;
}

static enum result read_answer(struct ferry *ferry, struct json root, struct json *ret_result, struct fault *fault)
{
	struct fault why = { .result = RESULT_OK }, theirs;
	struct json failure = json_member(root, "error"), answer = json_member(root, "result");

	if (failure.value != NULL) {
		if (protocol_read_error(failure, &theirs, &why) != RESULT_OK)
			return ferry_not_understood(ferry, &why, fault);
		*fault = theirs;
		return theirs.result;
	}
	if (!json_is_object(answer)) {
		fault_set(&why, RESULT_MALFORMED, FAULT_FERRY, 0, "result: is not an object");
		return ferry_not_understood(ferry, &why, fault);
	}
	*ret_result = answer;
	return RESULT_OK;
}

static enum result await_answer(struct ferry *ferry, struct json_document **ret_document, struct json *ret_result,
                                struct fault *fault)
{
	int64_t now = clock_mono_ms();
	int64_t deadline = ferry->answer_timeout_ms < 0 ? INT64_MAX : now + ferry->answer_timeout_ms;

	for (;;) {
		AUTO(json_document) struct json_document *document = NULL;
		int64_t left = deadline == INT64_MAX ? -1 : deadline > now ? deadline - now : 0;
		enum result result = receive(ferry, left, &document, fault);
		if (result != RESULT_OK)
			return result;
		if (document != NULL && is_answer(ferry, json_root(document))) {
			result = read_answer(ferry, json_root(document), ret_result, fault);
			if (result == RESULT_OK)
				*ret_document = TAKE(document);
			return result;
		}
		now = clock_mono_ms();
	}
}

enum result ferry_call(struct ferry *ferry, struct json_writer *request, struct json_document **ret_document,
                       struct json *ret_result, struct fault *fault)
{
	enum result result = protocol_notification_end(request);
	if (result != RESULT_OK)
		return fault_set(fault, result, FAULT_FERRY, 0, "write the request");
	if (ferry->client == NULL)
		return fault_set(fault, RESULT_NOT_RUNNING, FAULT_FERRY, 0, "the connection was lost");
	struct text_view message = { ferry->out.bytes, ferry->out.length };
	result = ipc_client_send(ferry->client, message, fault);
	/* Who was turned away finds the connection closed, and the reason still in it. */
	if (result != RESULT_OK && result != RESULT_NOT_RUNNING) {
		ferry_lose(ferry);
		return result;
	}
	return await_answer(ferry, ret_document, ret_result, fault);
}
