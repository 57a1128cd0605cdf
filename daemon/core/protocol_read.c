/* Messages to structs, for clients.  Members that are not known are passed over: a newer service may have more. */
#include "core/protocol.h"

#include <string.h>

#include "core/resume.h"

/* Reads the members of one object.  The first failure sticks, so that a record is read in one run of lines; what
 * follows a failure leaves its target alone. */
struct reader {
	struct json object;
	struct fault *fault;
	enum result result;
};

static struct reader reader_of(struct json object, struct fault *fault)
{
	struct reader reader = { object, fault, RESULT_OK };
	if (!json_is_object(object))
		reader.result = fault_set(fault, RESULT_INVALID_ARGUMENT, FAULT_FERRY, 0, "%s: must be an object",
		                          object.path);
	return reader;
}

/* The member `name`; .value NULL if it is absent or an earlier member failed. */
static struct json member(const struct reader *reader, const char *name)
{
	if (reader->result != RESULT_OK)
		return (struct json){ .value = NULL };
	return json_member(reader->object, name);
}

static void read_text(struct reader *reader, const char *name, char *to, size_t size)
{
	struct text_view text;
	if (reader->result == RESULT_OK)
		reader->result = json_get_text(member(reader, name), size - 1, &text, reader->fault);
	if (reader->result == RESULT_OK)
		reader->result = text_copy(to, size, text);
}

static void read_u64(struct reader *reader, const char *name, uint64_t *ret_number)
{
	if (reader->result == RESULT_OK)
		reader->result = json_get_u64(member(reader, name), 0, UINT64_MAX, ret_number, reader->fault);
}

static void read_u32(struct reader *reader, const char *name, uint32_t *ret_number)
{
	uint64_t number;
	if (reader->result == RESULT_OK)
		reader->result = json_get_u64(member(reader, name), 0, UINT32_MAX, &number, reader->fault);
	if (reader->result == RESULT_OK)
		*ret_number = (uint32_t)number;
}

static void read_i64(struct reader *reader, const char *name, int64_t *ret_number)
{
	if (reader->result == RESULT_OK)
		reader->result = json_get_i64(member(reader, name), ret_number, reader->fault);
}

static void read_bool(struct reader *reader, const char *name, bool *ret_truth)
{
	if (reader->result == RESULT_OK)
		reader->result = json_get_bool(member(reader, name), ret_truth, reader->fault);
}

static void read_name(struct reader *reader, const char *name, struct text_view *ret_text)
{
	if (reader->result == RESULT_OK)
		reader->result = json_get_text(member(reader, name), SIZE_MAX, ret_text, reader->fault);
}

/* A word that must be one of ours: what else could be done with a state that is not known? */
static void unknown_word(struct reader *reader, const char *name)
{
	reader->result = fault_set(reader->fault, RESULT_INVALID_ARGUMENT, FAULT_FERRY, 0, "%s.%s: is not known here",
	                           reader->object.path, name);
}

static void read_digest(struct reader *reader, const char *name, struct digest *ret_digest)
{
	struct text_view text = { .length = 0 };
	read_name(reader, name, &text);
	if (reader->result == RESULT_OK && digest_parse(text, ret_digest, NULL) != RESULT_OK)
		unknown_word(reader, name);
}

/* --- faults --- */

/* An outcome that only a newer service has is shown as SYSTEM, with its own words. */
static enum result read_fault(struct json value, struct fault *ret_read, struct fault *fault)
{
	struct fault read = { .result = RESULT_SYSTEM };
	struct reader reader = reader_of(value, fault);
	char name[64], source[32];

	read_text(&reader, "result", name, sizeof(name));
	read_text(&reader, "what", read.what, sizeof(read.what));
	struct json native = member(&reader, "native");
	if (json_is_object(native)) {
		struct reader inner = reader_of(native, fault);
		read_text(&inner, "source", source, sizeof(source));
		read_i64(&inner, "code", &read.raw);
		reader.result = inner.result;
		if (reader.result == RESULT_OK && !fault_source_from_name(source, &read.source))
			read.source = FAULT_FERRY;
	}
	if (reader.result == RESULT_OK) {
		(void)result_from_name(name, &read.result);
		*ret_read = read;
	}
	return reader.result;
}

enum result protocol_read_error(struct json value, struct fault *ret_error, struct fault *fault)
{
	struct json data = json_member(value, "data");
	if (data.value)
		return read_fault(data, ret_error, fault);

	/* Not from Ferry itself, but a JSON-RPC error all the same. */
	struct reader reader = reader_of(value, fault);
	struct text_view message = { .length = 0 };
	int64_t code = 0;
	read_i64(&reader, "code", &code);
	read_name(&reader, "message", &message);
	if (reader.result == RESULT_OK) {
		int shown = message.length < FAULT_WHAT_BYTES_MAX ? (int)message.length : FAULT_WHAT_BYTES_MAX;
		(void)fault_set(ret_error, RESULT_SYSTEM, FAULT_FERRY, code, "%.*s", shown, message.bytes);
	}
	return reader.result;
}

/* --- jobs --- */

/* A SID, or null for nobody's. */
static void read_sid(struct reader *reader, const char *name, char *to)
{
	to[0] = '\0';
	if (!json_is_null(member(reader, name)))
		read_text(reader, name, to, JOB_OWNER_BYTES_MAX);
}

enum result protocol_read_flags(struct json value, unsigned *ret_flags, struct fault *fault)
{
	unsigned flags = 0;

	if (!json_is_array(value))
		return fault_set(fault, RESULT_INVALID_ARGUMENT, FAULT_FERRY, 0, "%s: must be an array", value.path);
	for (size_t i = 0; i < json_length(value); i++) {
		struct text_view name;
		unsigned flag;
		enum result result = json_get_text(json_at(value, i), SIZE_MAX, &name, fault);
		if (result != RESULT_OK)
			return result;
		if (!helper_flag_from_name(name, &flag) || flags & flag)
			return fault_set(fault, RESULT_INVALID_ARGUMENT, FAULT_FERRY, 0,
			                 "%s: may hold \"local-file\" and \"network\", each once", value.path);
		flags |= flag;
	}
	*ret_flags = flags;
	return RESULT_OK;
}

static void read_side(struct reader *reader, const char *name, struct side_status *side, char *last)
{
	struct text_view as = { .length = 0 };
	struct json value = member(reader, name);

	if (reader->result != RESULT_OK)
		return;
	struct reader inner = reader_of(value, reader->fault);
	read_name(&inner, "as", &as);
	if (inner.result == RESULT_OK && !identity_choice_from_name(as, &side->as))
		unknown_word(&inner, "as");
	read_sid(&inner, "sid", side->sid);
	if (last != NULL)
		read_sid(&inner, "last_sid", last);
	reader->result = inner.result;
}

static void read_identities(struct reader *reader, struct job_status *status)
{
	struct job *job = &status->job;
	struct json helper = member(reader, "helper"), identities = member(reader, "identities");

	if (reader->result != RESULT_OK)
		return;
	struct reader inner = reader_of(helper, reader->fault);
	if (inner.result == RESULT_OK)
		inner.result = protocol_read_flags(member(&inner, "flags"), &job->helper_flags, inner.fault);
	read_sid(&inner, "sid", status->token_sid);
	read_sid(&inner, "last_sid", job->helper_sid);
	reader->result = inner.result;
	if (reader->result != RESULT_OK)
		return;
	inner = reader_of(identities, reader->fault);
	read_side(&inner, "file", &status->sides[JOB_SIDE_FILE], job->side_sid[JOB_SIDE_FILE]);
	read_side(&inner, "network", &status->sides[JOB_SIDE_NETWORK], job->side_sid[JOB_SIDE_NETWORK]);
	reader->result = inner.result;
}

enum result protocol_read_preflight(struct json value, struct preflight *ret_found, struct fault *fault)
{
	struct reader reader = reader_of(value, fault);
	struct preflight found = { .file = { .result = RESULT_OK } };

	read_side(&reader, "file", &found.sides[JOB_SIDE_FILE], NULL);
	read_side(&reader, "network", &found.sides[JOB_SIDE_NETWORK], NULL);
	struct json error = json_member(member(&reader, "file"), "error");
	if (json_is_object(error))
		reader.result = read_fault(error, &found.file, fault);
	if (reader.result == RESULT_OK)
		*ret_found = found;
	return reader.result;
}

static enum result read_choice(struct json value, struct proxy_choice *choice, struct fault *fault)
{
	struct reader reader = reader_of(value, fault);
	struct text_view source = { .length = 0 };

	if (!json_is_null(member(&reader, "address")))
		read_text(&reader, "address", choice->address, sizeof(choice->address));
	read_name(&reader, "source", &source);
	if (reader.result == RESULT_OK && !proxy_source_from_name(source, &choice->source))
		unknown_word(&reader, "source");
	read_bool(&reader, "bypassed", &choice->bypassed);
	return reader.result;
}

enum result protocol_read_proxies(struct json value, struct proxies_found *ret_found, struct fault *fault)
{
	struct proxies_found found = { .count = 0 };
	struct json list = json_member(value, "proxies"), missed = json_member(value, "missed");
	enum result result = RESULT_OK;

	if (!json_is_array(list) || json_length(list) > PROXY_LIST_MAX)
		return fault_set(fault, RESULT_INVALID_ARGUMENT, FAULT_FERRY, 0, "%s: must be an array of up to %u", list.path,
		                 PROXY_LIST_MAX);
	for (; result == RESULT_OK && found.count < json_length(list); found.count++)
		result = read_choice(json_at(list, found.count), &found.choices[found.count], fault);
	if (result == RESULT_OK && json_is_object(missed))
		result = read_fault(missed, &found.missed, fault);
	if (result == RESULT_OK)
		*ret_found = found;
	return result;
}

/* Schemes that only a newer service knows are passed over. */
static void read_schemes(struct reader *reader, const char *name, unsigned *ret_schemes)
{
	struct json list = member(reader, name);

	for (size_t i = 0; reader->result == RESULT_OK && i < json_length(list); i++) {
		struct text_view text;
		enum auth_scheme scheme;

		reader->result = json_get_text(json_at(list, i), SIZE_MAX, &text, reader->fault);
		if (reader->result == RESULT_OK && auth_scheme_from_name(text, &scheme))
			*ret_schemes |= AUTH_FLAG(scheme);
	}
}

/* What both targets have two lists of. */
static void read_targets(struct reader *reader, const char *name, const char *one, unsigned *ret_one, const char *other,
                         unsigned *ret_other)
{
	struct json targets = member(reader, name);

	for (unsigned target = 0; target < AUTH_TARGET_COUNT && reader->result == RESULT_OK; target++) {
		struct reader inner = reader_of(json_member(targets, auth_target_name((enum auth_target)target)), reader->fault);

		read_schemes(&inner, one, &ret_one[target]);
		read_schemes(&inner, other, &ret_other[target]);
		reader->result = inner.result;
	}
}

static void read_text_or_null(struct reader *reader, const char *name, char *to, size_t size)
{
	if (!json_is_null(member(reader, name)))
		read_text(reader, name, to, size);
}

enum result protocol_read_attempt(struct json value, struct attempt *ret_attempt, struct fault *fault)
{
	struct attempt attempt = { .count = 0 };
	struct attempt_trace *trace = &attempt.trace;
	struct reader reader = reader_of(value, fault);
	struct text_view source = { .length = 0 };
	int64_t status = 0;

	read_u32(&reader, "count", &attempt.count);
	read_u32(&reader, "file", &attempt.file);
	read_i64(&reader, "first_ms", &attempt.first_ms);
	read_i64(&reader, "last_ms", &attempt.last_ms);
	read_text_or_null(&reader, "url", trace->url, sizeof(trace->url));
	read_text_or_null(&reader, "proxy", attempt.proxy.address, sizeof(attempt.proxy.address));
	read_name(&reader, "proxy_source", &source);
	if (reader.result == RESULT_OK && !proxy_source_from_name(source, &attempt.proxy.source))
		unknown_word(&reader, "proxy_source");
	read_text_or_null(&reader, "identity_sid", attempt.sid, sizeof(attempt.sid));
	read_text_or_null(&reader, "tls", trace->tls, sizeof(trace->tls));
	read_i64(&reader, "http_status", &status);
	read_targets(&reader, "auth", "offers", trace->offered, "answered_with", trace->used);
	read_text_or_null(&reader, "words", trace->words, sizeof(trace->words));
	trace->status = (long)status;
	struct json error = member(&reader, "error");
	if (json_is_object(error))
		reader.result = read_fault(error, &attempt.fault, fault);
	if (reader.result == RESULT_OK)
		*ret_attempt = attempt;
	return reader.result;
}

enum result protocol_read_trial(struct json value, struct trial *ret_trial, struct fault *fault)
{
	struct trial trial = { .attempt.count = 0 };
	struct reader reader = reader_of(value, fault);

	read_targets(&reader, "policy", "allowed", trial.allowed, "forbidden", trial.forbidden);
	if (reader.result == RESULT_OK)
		reader.result = protocol_read_attempt(json_member(value, "attempt"), &trial.attempt, fault);
	if (reader.result == RESULT_OK)
		*ret_trial = trial;
	return reader.result;
}

/* What only a newer service has credentials for is passed over. */
static void read_credentials(struct reader *reader, struct job *job)
{
	struct json list = member(reader, "credentials");

	for (size_t i = 0; reader->result == RESULT_OK && i < json_length(list); i++) {
		struct reader inner = reader_of(json_at(list, i), reader->fault);
		struct text_view target = { .length = 0 }, scheme = { .length = 0 };
		enum auth_target to;
		enum auth_scheme by;
		bool implicit = false;

		read_name(&inner, "target", &target);
		read_name(&inner, "scheme", &scheme);
		read_bool(&inner, "implicit", &implicit);
		reader->result = inner.result;
		if (inner.result == RESULT_OK && auth_target_from_name(target, &to) && auth_scheme_from_name(scheme, &by))
			*(implicit ? &job->implicit : &job->explicit) |= JOB_CREDENTIAL(to, by);
	}
}

/* What does not fit is passed over. */
static void read_headers(struct reader *reader, struct job *job)
{
	struct json headers = member(reader, "headers"), names;
	char *to = job->header_names;
	size_t left = sizeof(job->header_names);
	struct text_view name;

	if (reader->result != RESULT_OK || !headers.value)
		return;
	struct reader inner = reader_of(headers, reader->fault);
	names = member(&inner, "names");
	for (size_t i = 0; inner.result == RESULT_OK && i < json_length(names); i++) {
		inner.result = json_get_text(json_at(names, i), JOB_HEADER_NAMES_BYTES_MAX, &name, reader->fault);
		if (inner.result != RESULT_OK || name.length + 2 > left || text_has_control(name) || memchr(name.bytes, ' ', name.length))
			continue;
		text_display(to, left, "%s%.*s", to != job->header_names ? " " : "", (int)name.length, name.bytes);
		left -= strlen(to);
		to += strlen(to);
	}
	read_bool(&inner, "write_only", &job->headers_write_only);
	reader->result = inner.result;
}

static void read_proxy(struct reader *reader, struct job_properties *properties)
{
	struct text_view mode = { .length = 0 };
	struct json proxy = member(reader, "proxy");

	if (reader->result != RESULT_OK)
		return;
	struct reader inner = reader_of(proxy, reader->fault);
	read_name(&inner, "mode", &mode);
	if (inner.result == RESULT_OK && !proxy_mode_from_name(mode, &properties->proxy_mode))
		unknown_word(&inner, "mode");
	reader->result = inner.result;
}

static void read_tls(struct reader *reader, struct job_properties *properties)
{
	struct text_view redirects = { .length = 0 };
	struct json ignore = member(reader, "tls_ignore"), certificate = member(reader, "client_certificate");

	read_name(reader, "redirects", &redirects);
	properties->no_redirects = text_is(redirects, "refuse");
	properties->tls_ignore = 0;
	properties->client_certificate[0] = '\0';
	for (size_t i = 0; reader->result == RESULT_OK && i < json_length(ignore); i++) {
		struct text_view name;
		unsigned flag = 0;

		if (json_get_text(json_at(ignore, i), PROTOCOL_ID_TEXT_BYTES_MAX, &name, reader->fault) == RESULT_OK &&
		    tls_ignore_from_name(name, &flag))
			properties->tls_ignore |= flag;
	}
	if (reader->result == RESULT_OK && !json_is_null(certificate))
		read_text(reader, "client_certificate", properties->client_certificate, sizeof(properties->client_certificate));
}

static void read_properties(struct reader *reader, struct job_properties *properties)
{
	struct text_view priority = { .length = 0 }, loss = { .length = 0 }, profile = { .length = 0 };

	read_text(reader, "name", properties->name, sizeof(properties->name));
	read_text(reader, "description", properties->description, sizeof(properties->description));
	read_name(reader, "priority", &priority);
	if (reader->result == RESULT_OK && !job_priority_from_name(priority, &properties->priority))
		unknown_word(reader, "priority");
	read_bool(reader, "auto_complete", &properties->auto_complete);
	read_u32(reader, "retry_delay_s", &properties->retry_delay_s);
	read_u32(reader, "no_progress_timeout_s", &properties->no_progress_timeout_s);
	read_u32(reader, "max_time_s", &properties->max_time_s);
	read_u32(reader, "lease_s", &properties->lease_s);
	read_name(reader, "on_token_loss", &loss);
	if (reader->result == RESULT_OK && !token_loss_from_name(loss, &properties->on_token_loss))
		unknown_word(reader, "on_token_loss");
	read_sid(reader, "pinned_helper", properties->pinned_helper);
	read_bool(reader, "no_segments", &properties->no_segments);
	read_tls(reader, properties);
	properties->max_bytes = 0;
	if (json_is_number(member(reader, "max_bytes")))
		read_u64(reader, "max_bytes", &properties->max_bytes);
	read_proxy(reader, properties);
	properties->profile = JOB_PROFILE_NONE;
	if (reader->result != RESULT_OK || json_is_null(member(reader, "profile")))
		return;
	read_name(reader, "profile", &profile);
	if (reader->result == RESULT_OK && !job_profile_from_name(profile, &properties->profile))
		unknown_word(reader, "profile");
}

static void read_wait(struct reader *reader, struct job_status *status)
{
	struct json wait = member(reader, "wait");
	struct text_view reason = { .length = 0 };

	if (!json_is_object(wait))
		return;
	struct reader inner = reader_of(wait, reader->fault);
	read_name(&inner, "reason", &reason);
	/* A reason that only a newer service has: the job waits all the same. */
	if (inner.result == RESULT_OK && !job_wait_from_name(reason, &status->wait))
		status->wait = JOB_WAIT_COUNT;
	read_i64(&inner, "since_ms", &status->wait_since_ms);
	if (member(&inner, "next_try_ms").value)
		read_i64(&inner, "next_try_ms", &status->job.next_try_ms);
	reader->result = inner.result;
}

static void read_progress(struct reader *reader, struct job *job)
{
	bool total_is_known = true;
	if (reader->result != RESULT_OK)
		return;
	struct reader files = reader_of(member(reader, "files"), reader->fault);
	read_u32(&files, "total", &job->files_total);
	read_u32(&files, "transferred", &job->files_transferred);
	read_u32(&files, "published", &job->files_published);
	reader->result = files.result;
	if (reader->result != RESULT_OK)
		return;
	struct reader bytes = reader_of(member(reader, "bytes"), reader->fault);
	read_u64(&bytes, "total", &job->bytes_total);
	read_u64(&bytes, "transferred", &job->bytes_transferred);
	read_bool(&bytes, "total_is_known", &total_is_known);
	job->files_size_unknown = total_is_known ? 0 : 1; /* how many is not told */
	reader->result = bytes.result;
}

enum result protocol_read_job(struct json value, struct job_status *ret_status, struct fault *fault)
{
	struct reader reader = reader_of(value, fault);
	struct job_status status = { .wait = JOB_WAIT_NONE };
	struct job *job = &status.job;
	struct text_view state = { .length = 0 };
	bool completing = false;

	read_text(&reader, "id", job->id, sizeof(job->id));
	if (member(&reader, "key").value)
		read_text(&reader, "key", job->key, sizeof(job->key));
	if (member(&reader, "correlation").value)
		read_text(&reader, "correlation", job->correlation, sizeof(job->correlation));
	read_text(&reader, "owner", job->owner, sizeof(job->owner));
	read_name(&reader, "state", &state);
	if (reader.result == RESULT_OK && !job_state_from_name(state, &job->state))
		unknown_word(&reader, "state");
	read_wait(&reader, &status);
	read_properties(&reader, &job->properties);
	struct json error = member(&reader, "error");
	if (json_is_object(error))
		reader.result = read_fault(error, &job->error, fault);
	read_u32(&reader, "error_count", &job->error_count);
	read_bool(&reader, "completing", &completing);
	job->work = completing ? JOB_WORK_PUBLISH : JOB_WORK_NONE; /* other work is the service's own business */
	read_i64(&reader, "created_ms", &job->created_ms);
	read_i64(&reader, "modified_ms", &job->modified_ms);
	if (member(&reader, "finished_ms").value)
		read_i64(&reader, "finished_ms", &job->finished_ms);
	if (member(&reader, "lease_ends_ms").value)
		read_i64(&reader, "lease_ends_ms", &status.lease_ends_ms);
	read_identities(&reader, &status);
	read_credentials(&reader, job);
	read_headers(&reader, job);
	read_progress(&reader, job);
	if (reader.result == RESULT_OK)
		*ret_status = status;
	return reader.result;
}

static void read_ranges(struct reader *reader, struct file *file)
{
	struct json ranges = member(reader, "ranges");

	if (!ranges.value)
		return;
	read_u32(reader, "range_count", &file->ranges);
	for (uint32_t i = 0; reader->result == RESULT_OK && i < json_length(ranges) && i < FILE_RANGES_TOLD_MAX; i++) {
		struct reader range = reader_of(json_at(ranges, i), reader->fault);

		file->ranges_told[i].length = RANGE_TO_EOF;
		read_u64(&range, "offset", &file->ranges_told[i].offset);
		if (json_is_number(member(&range, "length")))
			read_u64(&range, "length", &file->ranges_told[i].length);
		reader->result = range.result;
	}
}

enum result protocol_read_file(struct json value, struct file *ret_file, struct fault *fault)
{
	struct reader reader = reader_of(value, fault);
	struct file file = { .bytes_total = SIZE_UNKNOWN };
	uint64_t modified_ms = 0;
	struct text_view state = { .length = 0 };

	read_u32(&reader, "ordinal", &file.ordinal);
	read_text(&reader, "url", file.url, sizeof(file.url));
	read_text(&reader, "path", file.path, sizeof(file.path));
	read_name(&reader, "state", &state);
	if (reader.result == RESULT_OK && !file_state_from_name(state, &file.state))
		unknown_word(&reader, "state");
	if (json_is_number(member(&reader, "size_bytes")))
		read_u64(&reader, "size_bytes", &file.bytes_total);
	if (member(&reader, "digest").value)
		read_digest(&reader, "digest", &file.digest);
	if (member(&reader, "mirrors").value) {
		read_u32(&reader, "mirrors", &file.mirrors);
		read_u32(&reader, "source", &file.source);
	}
	read_ranges(&reader, &file);
	read_u64(&reader, "transferred_bytes", &file.bytes_recorded);
	if (member(&reader, "etag").value)
		read_text(&reader, "etag", file.etag, sizeof(file.etag));
	if (member(&reader, "last_modified_ms").value)
		read_u64(&reader, "last_modified_ms", &modified_ms);
	if (modified_ms > 0 && modified_ms <= FILE_MODIFIED_MS_MAX)
		resume_format_date((int64_t)modified_ms / 1000, file.modified);
	if (reader.result == RESULT_OK)
		*ret_file = file;
	return reader.result;
}

enum result protocol_read_service(struct json value, struct service_status *ret_status, struct fault *fault)
{
	struct reader reader = reader_of(value, fault);
	struct service_status status = { .started_ms = 0 };

	read_text(&reader, "version", status.version, sizeof(status.version));
	read_text(&reader, "curl", status.curl, sizeof(status.curl));
	read_text(&reader, "sqlite", status.sqlite, sizeof(status.sqlite));
	read_i64(&reader, "started_ms", &status.started_ms);
	read_u64(&reader, "jobs_queued", &status.jobs_queued);
	read_u32(&reader, "jobs_active", &status.jobs_active);
	read_u32(&reader, "files_active", &status.files_active);
	read_u32(&reader, "workers", &status.workers);
	read_u32(&reader, "owners_present", &status.owners_present);
	read_u32(&reader, "connections", &status.connections);
	if (reader.result == RESULT_OK)
		*ret_status = status;
	return reader.result;
}
