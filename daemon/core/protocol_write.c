/* Structs to messages, for both ends. */
#include "core/protocol.h"

#include <inttypes.h>
#include <string.h>

#include "core/resume.h"

/* JSON-RPC's own numbers; all of ours are SERVER_ERROR, and data.result tells them apart. */
enum {
	NOT_JSON = -32700,
	NOT_A_REQUEST = -32600,
	UNKNOWN_METHOD = -32601,
	WRONG_PARAMS = -32602,
	SERVER_ERROR = -32000,
};

static int64_t rpc_code(enum result result)
{
	static const struct {
		enum result result;
		int64_t code;
	} codes[] = {
		{ RESULT_NOT_JSON, NOT_JSON },
		{ RESULT_NOT_UTF8, NOT_JSON },
		{ RESULT_MALFORMED, NOT_A_REQUEST },
		{ RESULT_TOO_DEEP, NOT_A_REQUEST },
		{ RESULT_TOO_LARGE, NOT_A_REQUEST },
		{ RESULT_UNKNOWN_METHOD, UNKNOWN_METHOD },
		{ RESULT_INVALID_ARGUMENT, WRONG_PARAMS },
		{ RESULT_UNKNOWN_FIELD, WRONG_PARAMS },
		{ RESULT_MISSING_FIELD, WRONG_PARAMS },
		{ RESULT_DUPLICATE_FIELD, WRONG_PARAMS },
		{ RESULT_TOO_LONG, WRONG_PARAMS },
		{ RESULT_BAD_URL, WRONG_PARAMS },
		{ RESULT_BAD_DESTINATION, WRONG_PARAMS },
		{ RESULT_DUPLICATE_DESTINATION, WRONG_PARAMS },
	};
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (codes[i].result == result)
			return codes[i].code;
	return SERVER_ERROR;
}

/* --- faults --- */

/* An error must get through whatever its words were made of. */
static struct text_view fault_words(const struct fault *fault)
{
	struct text_view what = text_view(fault->what);
	return text_is_utf8(what) ? what : text_view("");
}

static void write_null(struct json_writer *writer, const char *name)
{
	json_write_raw(writer, name, text_view("null"));
}

static void write_fault(struct json_writer *writer, const char *name, enum result result, const struct fault *fault)
{
	char hresult[sizeof("0x80070057")];
	text_display(hresult, sizeof(hresult), "0x%08" PRIX32,
	             fault_hresult(&(struct fault){ .result = result, .source = fault->source, .raw = fault->raw }));

	json_write_begin(writer, name, '{');
	json_write_text(writer, "result", text_view(result_name(result)));
	json_write_text(writer, "hresult", text_view(hresult));
	json_write_text(writer, "what", fault_words(fault));
	if (fault->raw == 0) {
		write_null(writer, "native");
	} else {
		json_write_begin(writer, "native", '{');
		json_write_text(writer, "source", text_view(fault_source_name(fault->source)));
		json_write_i64(writer, "code", fault->raw);
		json_write_end(writer, '}');
	}
	json_write_text(writer, "remedy", text_view(result_remedy(result)));
	json_write_end(writer, '}');
}

/* --- envelopes --- */

static void write_version(struct json_writer *writer)
{
	json_write_begin(writer, NULL, '{');
	json_write_text(writer, "jsonrpc", text_view("2.0"));
}

static enum result end_twice(struct json_writer *writer)
{
	json_write_end(writer, '}');
	json_write_end(writer, '}');
	return json_write_done(writer);
}

void protocol_reply_begin(struct json_writer *writer, const char *id)
{
	write_version(writer);
	json_write_raw(writer, "id", text_view(id));
	json_write_begin(writer, "result", '{');
}

enum result protocol_reply_end(struct json_writer *writer)
{
	return end_twice(writer);
}

enum result protocol_reply_error(struct buffer *to, const char *id, enum result result, const struct fault *fault)
{
	static const struct fault nothing_known = { .result = RESULT_OK };
	struct json_writer writer = JSON_WRITER(to);
	char message[2 * FAULT_WHAT_BYTES_MAX];

	if (!fault)
		fault = &nothing_known;
	struct text_view what = fault_words(fault);
	text_display(message, sizeof(message), "%s%s%.*s", result_sentence(result), what.length > 0 ? " " : "",
	             (int)what.length, what.bytes);

	write_version(&writer);
	json_write_raw(&writer, "id", text_view(id));
	json_write_begin(&writer, "error", '{');
	json_write_i64(&writer, "code", rpc_code(result));
	json_write_text(&writer, "message", text_view(message));
	write_fault(&writer, "data", result, fault);
	return end_twice(&writer);
}

/* --- what the service tells --- */

static void write_wait(struct json_writer *writer, const struct job_status *status)
{
	if (status->wait == JOB_WAIT_NONE) {
		write_null(writer, "wait");
		return;
	}
	json_write_begin(writer, "wait", '{');
	json_write_text(writer, "reason", text_view(job_wait_name(status->wait)));
	json_write_i64(writer, "since_ms", status->wait_since_ms);
	bool timed = status->wait == JOB_WAIT_RETRY || status->wait == JOB_WAIT_DISK_FULL || status->wait == JOB_WAIT_VOLUME_GONE ||
	             status->wait == JOB_WAIT_RATE || status->wait == JOB_WAIT_NO_NETWORK;
	if (timed && status->job.next_try_ms != 0)
		json_write_i64(writer, "next_try_ms", status->job.next_try_ms);
	json_write_end(writer, '}');
}

static void write_progress(struct json_writer *writer, const struct job *job)
{
	json_write_begin(writer, "files", '{');
	json_write_u64(writer, "total", job->files_total);
	json_write_u64(writer, "transferred", job->files_transferred);
	json_write_u64(writer, "published", job->files_published);
	json_write_end(writer, '}');
	json_write_begin(writer, "bytes", '{');
	json_write_u64(writer, "total", job->bytes_total);
	json_write_u64(writer, "transferred", job->bytes_transferred);
	json_write_bool(writer, "total_is_known", job->files_size_unknown == 0);
	json_write_end(writer, '}');
}

static void write_or_null(struct json_writer *writer, const char *name, const char *text)
{
	if (text[0] == '\0')
		write_null(writer, name);
	else
		json_write_text(writer, name, text_view(text));
}

void protocol_write_flags(struct json_writer *writer, const char *name, unsigned flags)
{
	json_write_begin(writer, name, '[');
	for (unsigned side = 0; side < JOB_SIDE_COUNT; side++)
		if (flags & HELPER_FLAG(side))
			json_write_text(writer, NULL, text_view(job_side_flag_name((enum job_side)side)));
	json_write_end(writer, ']');
}

/* What they are for, and never a user or a password. */
static void write_credentials(struct json_writer *writer, const struct job *job)
{
	json_write_begin(writer, "credentials", '[');
	for (unsigned slot = 0; slot < CREDENTIALS_MAX; slot++) {
		if (!((job->implicit | job->explicit) & 1u << slot))
			continue;
		json_write_begin(writer, NULL, '{');
		json_write_text(writer, "target", text_view(auth_target_name(JOB_CREDENTIAL_TARGET(slot))));
		json_write_text(writer, "scheme", text_view(auth_scheme_name(JOB_CREDENTIAL_SCHEME(slot))));
		json_write_bool(writer, "implicit", (job->implicit & 1u << slot) != 0);
		json_write_end(writer, '}');
	}
	json_write_end(writer, ']');
}

/* What they are called, and never what they say. */
static void write_headers(struct json_writer *writer, const struct job *job)
{
	const char *name = job->header_names;

	json_write_begin(writer, "headers", '{');
	json_write_begin(writer, "names", '[');
	while (*name != '\0') {
		size_t length = strcspn(name, " ");

		json_write_text(writer, NULL, (struct text_view){ name, length });
		name += length + (name[length] == ' ');
	}
	json_write_end(writer, ']');
	json_write_bool(writer, "write_only", job->headers_write_only);
	json_write_end(writer, '}');
}

static const char *const side_names[JOB_SIDE_COUNT] = { [JOB_SIDE_FILE] = "file", [JOB_SIDE_NETWORK] = "network" };

static void write_identities(struct json_writer *writer, const struct job_status *status)
{
	const struct job *job = &status->job;

	json_write_begin(writer, "helper", '{');
	protocol_write_flags(writer, "flags", job->helper_flags);
	write_or_null(writer, "sid", status->token_sid);
	write_or_null(writer, "last_sid", job->helper_sid);
	json_write_end(writer, '}');
	json_write_begin(writer, "identities", '{');
	for (unsigned side = 0; side < JOB_SIDE_COUNT; side++) {
		json_write_begin(writer, side_names[side], '{');
		json_write_text(writer, "as", text_view(identity_choice_name(status->sides[side].as)));
		write_or_null(writer, "sid", status->sides[side].sid);
		write_or_null(writer, "last_sid", job->side_sid[side]);
		json_write_end(writer, '}');
	}
	json_write_end(writer, '}');
}

void protocol_write_preflight(struct json_writer *writer, const char *name, const struct preflight *found)
{
	json_write_begin(writer, name, '{');
	for (unsigned side = 0; side < JOB_SIDE_COUNT; side++) {
		json_write_begin(writer, side_names[side], '{');
		json_write_text(writer, "as", text_view(identity_choice_name(found->sides[side].as)));
		write_or_null(writer, "sid", found->sides[side].sid);
		if (side == JOB_SIDE_FILE && found->file.result != RESULT_OK)
			write_fault(writer, "error", found->file.result, &found->file);
		else if (side == JOB_SIDE_FILE)
			write_null(writer, "error");
		json_write_end(writer, '}');
	}
	json_write_end(writer, '}');
}

void protocol_write_proxies(struct json_writer *writer, const struct proxies_found *found)
{
	json_write_begin(writer, "proxies", '[');
	for (size_t i = 0; i < found->count; i++) {
		const struct proxy_choice *choice = &found->choices[i];

		json_write_begin(writer, NULL, '{');
		write_or_null(writer, "address", choice->address);
		json_write_text(writer, "source", text_view(proxy_source_name(choice->source)));
		json_write_bool(writer, "bypassed", choice->bypassed);
		json_write_end(writer, '}');
	}
	json_write_end(writer, ']');
	if (found->missed.result == RESULT_OK)
		write_null(writer, "missed");
	else
		write_fault(writer, "missed", found->missed.result, &found->missed);
}

static void write_schemes(struct json_writer *writer, const char *name, unsigned schemes)
{
	json_write_begin(writer, name, '[');
	for (unsigned i = AUTH_SCHEME_COUNT; i-- > 0;)
		if (schemes & AUTH_FLAG(i))
			json_write_text(writer, NULL, text_view(auth_scheme_name((enum auth_scheme)i)));
	json_write_end(writer, ']');
}

static void write_targets(struct json_writer *writer, const char *name, const char *one, const unsigned *of_one,
                          const char *other, const unsigned *of_other)
{
	json_write_begin(writer, name, '{');
	for (unsigned target = 0; target < AUTH_TARGET_COUNT; target++) {
		json_write_begin(writer, auth_target_name((enum auth_target)target), '{');
		write_schemes(writer, one, of_one[target]);
		write_schemes(writer, other, of_other[target]);
		json_write_end(writer, '}');
	}
	json_write_end(writer, '}');
}

/* What came from a server or the system need not be UTF-8. */
static void write_words(struct json_writer *writer, const char *name, const char *words)
{
	write_or_null(writer, name, text_is_utf8(text_view(words)) ? words : "");
}

void protocol_write_attempt(struct json_writer *writer, const char *name, const struct attempt *attempt)
{
	const struct attempt_trace *trace = &attempt->trace;

	json_write_begin(writer, name, '{');
	json_write_u64(writer, "count", attempt->count);
	json_write_u64(writer, "file", attempt->file);
	json_write_i64(writer, "first_ms", attempt->first_ms);
	json_write_i64(writer, "last_ms", attempt->last_ms);
	write_words(writer, "url", trace->url);
	write_or_null(writer, "proxy", attempt->proxy.address);
	json_write_text(writer, "proxy_source", text_view(proxy_source_name(attempt->proxy.source)));
	write_or_null(writer, "identity_sid", attempt->sid);
	write_or_null(writer, "tls", trace->tls);
	json_write_i64(writer, "http_status", trace->status);
	write_targets(writer, "auth", "offers", trace->offered, "answered_with", trace->used);
	write_words(writer, "words", trace->words);
	if (attempt->fault.result == RESULT_OK)
		write_null(writer, "error");
	else
		write_fault(writer, "error", attempt->fault.result, &attempt->fault);
	json_write_end(writer, '}');
}

void protocol_write_trial(struct json_writer *writer, const struct trial *trial)
{
	protocol_write_attempt(writer, "attempt", &trial->attempt);
	write_targets(writer, "policy", "allowed", trial->allowed, "forbidden", trial->forbidden);
}

void protocol_write_job(struct json_writer *writer, const char *name, const struct job_status *status)
{
	const struct job *job = &status->job;

	json_write_begin(writer, name, '{');
	json_write_text(writer, "id", text_view(job->id));
	if (job->key[0] != '\0')
		json_write_text(writer, "key", text_view(job->key));
	if (job->correlation[0] != '\0')
		json_write_text(writer, "correlation", text_view(job->correlation));
	json_write_text(writer, "owner", text_view(job->owner));
	json_write_text(writer, "state", text_view(job_state_name(job->state)));
	write_wait(writer, status);
	protocol_write_properties(writer, &job->properties, PROPERTY_ALL);
	if (job->error.result == RESULT_OK)
		write_null(writer, "error");
	else
		write_fault(writer, "error", job->error.result, &job->error);
	json_write_u64(writer, "error_count", job->error_count);
	json_write_bool(writer, "completing", job->work == JOB_WORK_PUBLISH);
	json_write_i64(writer, "created_ms", job->created_ms);
	json_write_i64(writer, "modified_ms", job->modified_ms);
	if (job->finished_ms != 0)
		json_write_i64(writer, "finished_ms", job->finished_ms);
	if (status->lease_ends_ms != 0)
		json_write_i64(writer, "lease_ends_ms", status->lease_ends_ms);
	write_identities(writer, status);
	write_credentials(writer, job);
	write_headers(writer, job);
	write_progress(writer, job);
	json_write_end(writer, '}');
}

/* What is kept of them is whatever the server sent. */
static void write_validators(struct json_writer *writer, const struct file *file)
{
	struct text_view tag = text_view(file->etag);
	int64_t modified_s;

	if (file_etag_is_valid(tag) && text_is_utf8(tag))
		json_write_text(writer, "etag", tag);
	if (resume_parse_date(text_view(file->modified), &modified_s) && modified_s > 0)
		json_write_i64(writer, "last_modified_ms", modified_s * 1000);
}

static void write_ranges(struct json_writer *writer, const struct file *file)
{
	json_write_u64(writer, "range_count", file->ranges);
	json_write_begin(writer, "ranges", '[');
	for (uint32_t i = 0; i < file->ranges && i < FILE_RANGES_TOLD_MAX; i++) {
		const struct range *range = &file->ranges_told[i];

		json_write_begin(writer, NULL, '{');
		json_write_u64(writer, "offset", range->offset);
		if (range->length == RANGE_TO_EOF)
			write_null(writer, "length");
		else
			json_write_u64(writer, "length", range->length);
		json_write_end(writer, '}');
	}
	json_write_end(writer, ']');
}

void protocol_write_file(struct json_writer *writer, const struct file *file)
{
	char url[URL_BYTES_MAX + sizeof("?...")], digest[DIGEST_TEXT_BYTES_MAX];
	url_redact(text_view(file->url), url, sizeof(url));

	json_write_begin(writer, NULL, '{');
	json_write_u64(writer, "ordinal", file->ordinal);
	json_write_text(writer, "url", text_view(url));
	json_write_text(writer, "path", text_view(file->path));
	json_write_text(writer, "state", text_view(file_state_name(file->state)));
	if (file->bytes_total == SIZE_UNKNOWN)
		write_null(writer, "size_bytes");
	else
		json_write_u64(writer, "size_bytes", file->bytes_total);
	digest_format(&file->digest, digest);
	if (digest[0])
		json_write_text(writer, "digest", text_view(digest));
	if (file->mirrors > 0) {
		json_write_u64(writer, "mirrors", file->mirrors);
		json_write_u64(writer, "source", file->source);
	}
	if (file->ranges > 0)
		write_ranges(writer, file);
	json_write_u64(writer, "transferred_bytes", file->bytes_recorded);
	write_validators(writer, file);
	json_write_end(writer, '}');
}

void protocol_write_service(struct json_writer *writer, const char *name, const struct service_status *status)
{
	json_write_begin(writer, name, '{');
	json_write_text(writer, "version", text_view(status->version));
	json_write_text(writer, "curl", text_view(status->curl));
	json_write_text(writer, "sqlite", text_view(status->sqlite));
	json_write_i64(writer, "started_ms", status->started_ms);
	json_write_u64(writer, "jobs_queued", status->jobs_queued);
	json_write_u64(writer, "jobs_active", status->jobs_active);
	json_write_u64(writer, "files_active", status->files_active);
	json_write_u64(writer, "workers", status->workers);
	json_write_u64(writer, "owners_present", status->owners_present);
	json_write_u64(writer, "connections", status->connections);
	json_write_end(writer, '}');
}

void protocol_notification_begin(struct json_writer *writer, const char *method)
{
	write_version(writer);
	json_write_text(writer, "method", text_view(method));
	json_write_begin(writer, "params", '{');
}

enum result protocol_notification_end(struct json_writer *writer)
{
	return end_twice(writer);
}

/* --- what a client asks --- */

void protocol_request_begin(struct json_writer *writer, uint64_t id, enum method method)
{
	write_version(writer);
	json_write_u64(writer, "id", id);
	json_write_text(writer, "method", text_view(method_name(method)));
	json_write_begin(writer, "params", '{');
}

const char *property_name(unsigned bit)
{
	static const char *const names[PROPERTY_COUNT] = {
		"name", "description", "priority", "auto_complete", "retry_delay_s", "no_progress_timeout_s", "max_time_s", "lease_s",
		"on_token_loss", "pinned_helper", "profile", "max_bytes", "no_segments", "proxy", "redirects", "tls_ignore",
		"client_certificate",
	};

	return names[bit];
}

void protocol_write_properties(struct json_writer *writer, const struct job_properties *properties, unsigned given)
{
	if (given & PROPERTY_NAME)
		json_write_text(writer, "name", text_view(properties->name));
	if (given & PROPERTY_DESCRIPTION)
		json_write_text(writer, "description", text_view(properties->description));
	if (given & PROPERTY_PRIORITY)
		json_write_text(writer, "priority", text_view(job_priority_name(properties->priority)));
	if (given & PROPERTY_AUTO_COMPLETE)
		json_write_bool(writer, "auto_complete", properties->auto_complete);
	if (given & PROPERTY_RETRY_DELAY)
		json_write_u64(writer, "retry_delay_s", properties->retry_delay_s);
	if (given & PROPERTY_NO_PROGRESS_TIMEOUT)
		json_write_u64(writer, "no_progress_timeout_s", properties->no_progress_timeout_s);
	if (given & PROPERTY_MAX_TIME)
		json_write_u64(writer, "max_time_s", properties->max_time_s);
	if (given & PROPERTY_LEASE)
		json_write_u64(writer, "lease_s", properties->lease_s);
	if (given & PROPERTY_ON_TOKEN_LOSS)
		json_write_text(writer, "on_token_loss", text_view(token_loss_name(properties->on_token_loss)));
	if (given & PROPERTY_PINNED_HELPER)
		write_or_null(writer, "pinned_helper", properties->pinned_helper);
	if (given & PROPERTY_PROFILE && properties->profile == JOB_PROFILE_NONE)
		write_null(writer, "profile");
	else if (given & PROPERTY_PROFILE)
		json_write_text(writer, "profile", text_view(job_profile_name(properties->profile)));
	if (given & PROPERTY_NO_SEGMENTS)
		json_write_bool(writer, "no_segments", properties->no_segments);
	if (given & PROPERTY_MAX_BYTES && properties->max_bytes == 0)
		write_null(writer, "max_bytes");
	else if (given & PROPERTY_MAX_BYTES)
		json_write_u64(writer, "max_bytes", properties->max_bytes);
	if (given & PROPERTY_PROXY) {
		json_write_begin(writer, "proxy", '{');
		json_write_text(writer, "mode", text_view(proxy_mode_name(properties->proxy_mode)));
		json_write_end(writer, '}');
	}
	if (given & PROPERTY_REDIRECTS)
		json_write_text(writer, "redirects", text_view(properties->no_redirects ? "refuse" : "follow"));
	if (given & PROPERTY_TLS_IGNORE) {
		json_write_begin(writer, "tls_ignore", '[');
		for (unsigned bit = 0; bit < TLS_IGNORE_COUNT; bit++)
			if (properties->tls_ignore & 1u << bit)
				json_write_text(writer, NULL, text_view(tls_ignore_name(bit)));
		json_write_end(writer, ']');
	}
	if (given & PROPERTY_CLIENT_CERTIFICATE)
		write_or_null(writer, "client_certificate", properties->client_certificate);
}
