#include <stdlib.h>
#include <string.h>

#include "ferry_private.h"

/* The most that one file may take in a message: the longest URLs and path in JSON's longest escapes, and some more.
 * What is longer than they may be but still fits here, the service refuses with its own words. */
#define FILE_ENTRY_BYTES_MAX 163840
#define RANGE_BYTES_MAX 64u /* which come on top, for each */

/* Most answers hold a job. */
static enum result call_for_job(struct ferry *ferry, struct json_writer *request, struct ferry_status *ret_status,
                                struct fault *fault)
{
	AUTO(json_document) struct json_document *document = NULL;
	struct fault why = { .result = RESULT_OK };
	struct job_status status;
	struct json answer;
	enum result result = ferry_call(ferry, request, &document, &answer, fault);
	if (result != RESULT_OK || ret_status == NULL)
		return result;
	if (protocol_read_job(json_member(answer, "job"), &status, &why) != RESULT_OK)
		return ferry_not_understood(ferry, &why, fault);
	ferry_status_of(&status, ret_status);
	return RESULT_OK;
}

enum result ferry_request_for(struct ferry_job *job, enum method method, struct json_writer *ret_request,
                              struct fault *fault)
{
	struct ferry *ferry = job->ferry;

	if (ferry->client == NULL)
		return fault_set(fault, RESULT_NOT_RUNNING, FAULT_FERRY, 0, "the connection was lost");
	if (job->handle == 0) {
		*fault = job->lost;
		return job->lost.result;
	}
	*ret_request = ferry_request(ferry, method);
	json_write_u64(ret_request, "handle", job->handle);
	return RESULT_OK;
}

/* --- making and opening jobs --- */

static void job_free(struct ferry_job *job)
{
	if (job == NULL)
		return;
	ipc_speaker_free(job->speaker);
	free(job);
}

static void ferry_job_cleanup(struct ferry_job **job)
{
	job_free(*job);
}

static enum result job_new(struct ferry *ferry, struct ferry_job **ret_job, struct fault *fault)
{
	AUTO(ferry_job) struct ferry_job *job = calloc(1, sizeof(*job));

	if (job == NULL)
		return fault_set(fault, RESULT_NO_MEMORY, FAULT_FERRY, 0, "open a job");
	job->ferry = ferry;
	enum result result = ipc_speaker_current(&job->speaker, fault);
	if (result == RESULT_OK)
		*ret_job = TAKE(job);
	return result;
}

static void link_job(struct ferry_job *job)
{
	job->next = job->ferry->jobs;
	job->ferry->jobs = job;
}

static enum result read_handle(struct ferry_job *job, struct json answer, struct fault *fault)
{
	struct fault why = { .result = RESULT_OK };
	uint64_t handle;

	if (json_get_u64(json_member(answer, "handle"), 1, UINT64_MAX, &handle, &why) != RESULT_OK)
		return ferry_not_understood(job->ferry, &why, fault);
	job->handle = handle;
	return RESULT_OK;
}

/* A missing text is an empty one: the service says what is wrong with that. */
static struct text_view view(const char *text)
{
	return text_view(text != NULL ? text : "");
}

static void write_proxy(struct json_writer *request, const struct ferry_properties *properties)
{
	json_write_begin(request, "proxy", '{');
	json_write_text(request, "mode", text_view(ferry_proxy_mode_name(properties->proxy)));
	if (properties->proxy_list != NULL)
		json_write_text(request, "list", text_view(properties->proxy_list));
	if (properties->proxy_bypass != NULL)
		json_write_text(request, "bypass", text_view(properties->proxy_bypass));
	json_write_end(request, '}');
}

static void write_tls(struct json_writer *request, const struct ferry_properties *properties)
{
	unsigned given = properties->given;

	if (given & FERRY_GIVE_NO_REDIRECTS)
		json_write_text(request, "redirects", text_view(properties->no_redirects ? "refuse" : "follow"));
	if (given & FERRY_GIVE_TLS_IGNORE) {
		json_write_begin(request, "tls_ignore", '[');
		for (unsigned flag = 1; flag != 0 && flag <= properties->tls_ignore; flag <<= 1)
			if (properties->tls_ignore & flag)
				json_write_text(request, NULL, text_view(ferry_tls_ignore_name(flag)));
		json_write_end(request, ']');
	}
	if (given & FERRY_GIVE_CLIENT_CERTIFICATE && properties->client_certificate == NULL)
		json_write_raw(request, "client_certificate", text_view("null"));
	else if (given & FERRY_GIVE_CLIENT_CERTIFICATE)
		json_write_text(request, "client_certificate", text_view(properties->client_certificate));
}

static void write_properties(struct json_writer *request, const struct ferry_properties *properties)
{
	unsigned given = properties->given;

	if (given & FERRY_GIVE_NAME)
		json_write_text(request, "name", view(properties->name));
	if (given & FERRY_GIVE_DESCRIPTION)
		json_write_text(request, "description", view(properties->description));
	if (given & FERRY_GIVE_PRIORITY)
		json_write_text(request, "priority", text_view(ferry_priority_name(properties->priority)));
	if (given & FERRY_GIVE_AUTO_COMPLETE)
		json_write_bool(request, "auto_complete", properties->auto_complete);
	if (given & FERRY_GIVE_RETRY_DELAY)
		json_write_u64(request, "retry_delay_s", properties->retry_delay_s);
	if (given & FERRY_GIVE_NO_PROGRESS_TIMEOUT)
		json_write_u64(request, "no_progress_timeout_s", properties->no_progress_timeout_s);
	if (given & FERRY_GIVE_MAX_TIME)
		json_write_u64(request, "max_time_s", properties->max_time_s);
	if (given & FERRY_GIVE_LEASE)
		json_write_u64(request, "lease_s", properties->lease_s);
	if (given & FERRY_GIVE_ON_TOKEN_LOSS)
		json_write_text(request, "on_token_loss", text_view(ferry_token_loss_name(properties->on_token_loss)));
	if (given & FERRY_GIVE_PINNED_HELPER && properties->pinned_helper == NULL)
		json_write_raw(request, "pinned_helper", text_view("null"));
	else if (given & FERRY_GIVE_PINNED_HELPER)
		json_write_text(request, "pinned_helper", text_view(properties->pinned_helper));
	if (given & FERRY_GIVE_NO_SEGMENTS)
		json_write_bool(request, "no_segments", properties->no_segments);
	if (given & FERRY_GIVE_MAX_BYTES && properties->max_bytes == 0)
		json_write_raw(request, "max_bytes", text_view("null"));
	else if (given & FERRY_GIVE_MAX_BYTES)
		json_write_u64(request, "max_bytes", properties->max_bytes);
	if (given & FERRY_GIVE_PROFILE && properties->profile == FERRY_PROFILE_NONE)
		json_write_raw(request, "profile", text_view("null"));
	else if (given & FERRY_GIVE_PROFILE)
		json_write_text(request, "profile", text_view(ferry_profile_name(properties->profile)));
	if (given & FERRY_GIVE_PROXY)
		write_proxy(request, properties);
	write_tls(request, properties);
}

static void write_mirrors(struct json_writer *writer, const struct ferry_source *file)
{
	if (file->mirror_count == 0)
		return;
	json_write_begin(writer, "mirrors", '[');
	for (size_t i = 0; i < file->mirror_count; i++)
		json_write_text(writer, NULL, view(file->mirrors[i]));
	json_write_end(writer, ']');
}

static void write_ranges(struct json_writer *writer, const struct ferry_source *file)
{
	if (file->ranges == NULL)
		return;
	json_write_begin(writer, "ranges", '[');
	for (size_t i = 0; i < file->range_count; i++) {
		json_write_begin(writer, NULL, '{');
		json_write_u64(writer, "offset", file->ranges[i].offset);
		if (file->ranges[i].length != FERRY_TO_EOF)
			json_write_u64(writer, "length", file->ranges[i].length);
		json_write_end(writer, '}');
	}
	json_write_end(writer, ']');
}

/* As many of `files` as fit into the message that is being written, at least one. */
static enum result write_files(struct ferry *ferry, struct json_writer *request, const struct ferry_source *files,
                               size_t count, size_t *ret_written, struct fault *fault)
{
	AUTO(buffer) struct buffer entry = BUFFER(FILE_ENTRY_BYTES_MAX);
	size_t written = 0;

	json_write_begin(request, "files", '[');
	for (; written < count; written++) {
		const struct ferry_source *file = &files[written];
		struct json_writer writer = JSON_WRITER(&entry);
		buffer_clear(&entry);
		entry.length_max = FILE_ENTRY_BYTES_MAX +
		                   RANGE_BYTES_MAX * (file->range_count < FERRY_RANGES_MAX ? file->range_count : FERRY_RANGES_MAX);
		json_write_begin(&writer, NULL, '{');
		json_write_text(&writer, "url", view(file->url));
		json_write_text(&writer, "path", view(file->path));
		if (file->size_bytes != FERRY_SIZE_UNKNOWN)
			json_write_u64(&writer, "size_bytes", file->size_bytes);
		if (file->digest != NULL)
			json_write_text(&writer, "digest", view(file->digest));
		if (file->if_none_match != NULL)
			json_write_text(&writer, "if_none_match", view(file->if_none_match));
		if (file->if_modified_since_ms != 0)
			json_write_i64(&writer, "if_modified_since_ms", file->if_modified_since_ms);
		write_mirrors(&writer, file);
		write_ranges(&writer, file);
		json_write_end(&writer, '}');
		enum result result = json_write_done(&writer);
		if (result == RESULT_TOO_LARGE)
			result = RESULT_TOO_LONG;
		if (result != RESULT_OK)
			return fault_set(fault, result, FAULT_FERRY, 0, "files[%zu]", written);
		/* Behind it come a comma and the closing brackets. */
		if (written > 0 && request->to->length + entry.length + 16 > ferry->message_bytes_max)
			break;
		json_write_raw(request, NULL, (struct text_view){ entry.bytes, entry.length });
	}
	json_write_end(request, ']');
	*ret_written = written;
	return RESULT_OK;
}

static enum result add_files(struct ferry_job *job, const struct ferry_source *files, size_t count, size_t *ret_added,
                             struct fault *fault)
{
	for (*ret_added = 0; *ret_added < count;) {
		AUTO(json_document) struct json_document *document = NULL;
		struct json_writer request;
		struct json answer;
		size_t written;
		enum result result = ferry_request_for(job, METHOD_JOB_ADD_FILES, &request, fault);
		if (result == RESULT_OK)
			result = write_files(job->ferry, &request, files + *ret_added, count - *ret_added, &written, fault);
		if (result == RESULT_OK)
			result = ferry_call(job->ferry, &request, &document, &answer, fault);
		if (result != RESULT_OK)
			return result;
		*ret_added += written;
	}
	return RESULT_OK;
}

/* Send job.create with the files that fit. */
static enum result create(struct ferry_job *job, const struct ferry_new_job *wanted, struct ferry_status *ret_status,
                          bool *ret_created, struct fault *fault)
{
	AUTO(json_document) struct json_document *document = NULL;
	struct fault why = { .result = RESULT_OK };
	struct job_status status;
	struct json answer;
	size_t written;

	struct json_writer request = ferry_request(job->ferry, METHOD_JOB_CREATE);
	if (wanted->key != NULL)
		json_write_text(&request, "key", text_view(wanted->key));
	if (wanted->correlation != NULL)
		json_write_text(&request, "correlation", text_view(wanted->correlation));
	write_properties(&request, &wanted->properties);
	enum result result = RESULT_OK;
	if (wanted->file_count > 0)
		result = write_files(job->ferry, &request, wanted->files, wanted->file_count, &written, fault);
	if (result == RESULT_OK)
		result = ferry_call(job->ferry, &request, &document, &answer, fault);
	if (result == RESULT_OK)
		result = read_handle(job, answer, fault);
	if (result != RESULT_OK)
		return result;
	if (protocol_read_job(json_member(answer, "job"), &status, &why) != RESULT_OK ||
	    json_get_bool(json_member(answer, "created"), ret_created, &why) != RESULT_OK)
		return ferry_not_understood(job->ferry, &why, fault);
	ferry_status_of(&status, ret_status);
	memcpy(job->id, ret_status->id, sizeof(job->id));
	return RESULT_OK;
}

static enum result create_with_files(struct ferry *ferry, const struct ferry_new_job *wanted,
                                     struct ferry_job **ret_job, bool *ret_created, struct fault *fault)
{
	AUTO(ferry_job) struct ferry_job *job = NULL;
	struct ferry_status status;
	bool created;
	size_t added;
	enum result result = job_new(ferry, &job, fault);
	if (result == RESULT_OK)
		result = create(job, wanted, &status, &created, fault);
	if (result != RESULT_OK)
		return result;

	/* A job in any other state was resumed, so it had all the files that it should have. */
	size_t has = status.files_total;
	if (has < wanted->file_count && status.state == FERRY_STATE_SUSPENDED)
		result = add_files(job, wanted->files + has, wanted->file_count - has, &added, fault);
	if (result != RESULT_OK)
		return result;
	link_job(job);
	*ret_job = TAKE(job);
	*ret_created = created;
	return RESULT_OK;
}

enum ferry_result ferry_job_create(struct ferry *ferry, const struct ferry_new_job *request, struct ferry_job **ret_job,
                                   bool *ret_created, struct ferry_error *error)
{
	struct fault fault = { .result = RESULT_OK };
	enum result result = create_with_files(ferry, request, ret_job, ret_created, &fault);

	return ferry_report(result, &fault, error);
}

enum result ferry_open_again(struct ferry_job *job, struct fault *fault)
{
	AUTO(json_document) struct json_document *document = NULL;
	struct json answer;

	struct json_writer request = ferry_request(job->ferry, METHOD_JOB_OPEN);
	json_write_text(&request, "job", text_view(job->id));
	enum result result = ferry_call(job->ferry, &request, &document, &answer, fault);
	if (result == RESULT_OK)
		result = read_handle(job, answer, fault);
	return result;
}

static enum result open_job(struct ferry *ferry, const char *id, struct ferry_job **ret_job, struct fault *fault)
{
	AUTO(ferry_job) struct ferry_job *job = NULL;
	enum result result = job_new(ferry, &job, fault);
	if (result != RESULT_OK)
		return result;
	if (text_copy(job->id, sizeof(job->id), text_view(id)) != RESULT_OK)
		return fault_set(fault, RESULT_NOT_FOUND, FAULT_FERRY, 0, "open a job: this is no job's id");
	result = ferry_open_again(job, fault);
	if (result != RESULT_OK)
		return result;
	link_job(job);
	*ret_job = TAKE(job);
	return RESULT_OK;
}

enum ferry_result ferry_job_open(struct ferry *ferry, const char *id, struct ferry_job **ret_job,
                                 struct ferry_error *error)
{
	struct fault fault = { .result = RESULT_OK };
	enum result result = open_job(ferry, id, ret_job, &fault);

	return ferry_report(result, &fault, error);
}

void ferry_job_close(struct ferry_job *job)
{
	if (job == NULL)
		return;
	struct ferry_job **at = &job->ferry->jobs;
	while (*at != job)
		at = &(*at)->next;
	*at = job->next;
	job_free(job);
}

const char *ferry_job_id(const struct ferry_job *job)
{
	return job->id;
}

enum ferry_result ferry_job_add_files(struct ferry_job *job, const struct ferry_source *files, size_t count,
                                      size_t *ret_added, struct ferry_error *error)
{
	struct fault fault = { .result = RESULT_OK };
	size_t added;
	enum result result = add_files(job, files, count, &added, &fault);

	if (ret_added != NULL)
		*ret_added = added;
	return ferry_report(result, &fault, error);
}

static enum result replace_prefix(struct ferry_job *job, const char *from, const char *to, uint32_t *ret_files,
                                  struct fault *fault)
{
	AUTO(json_document) struct json_document *document = NULL;
	struct fault why = { .result = RESULT_OK };
	struct json_writer request;
	struct json answer;
	uint64_t files;
	enum result result = ferry_request_for(job, METHOD_JOB_REPLACE_REMOTE_PREFIX, &request, fault);
	if (result != RESULT_OK)
		return result;
	json_write_text(&request, "old_prefix", view(from));
	json_write_text(&request, "new_prefix", view(to));
	result = ferry_call(job->ferry, &request, &document, &answer, fault);
	if (result != RESULT_OK)
		return result;
	if (json_get_u64(json_member(answer, "files_changed"), 1, UINT32_MAX, &files, &why) != RESULT_OK)
		return ferry_not_understood(job->ferry, &why, fault);
	*ret_files = (uint32_t)files;
	return RESULT_OK;
}

enum ferry_result ferry_job_replace_remote_prefix(struct ferry_job *job, const char *old_prefix, const char *new_prefix,
                                                  uint32_t *ret_files, struct ferry_error *error)
{
	struct fault fault = { .result = RESULT_OK };
	uint32_t files = 0;
	enum result result = replace_prefix(job, old_prefix, new_prefix, &files, &fault);

	if (result == RESULT_OK && ret_files != NULL)
		*ret_files = files;
	return ferry_report(result, &fault, error);
}

enum ferry_result ferry_job_set_properties(struct ferry_job *job, const struct ferry_properties *properties,
                                           struct ferry_error *error)
{
	struct fault fault = { .result = RESULT_OK };
	struct json_writer request;
	enum result result = ferry_request_for(job, METHOD_JOB_SET_PROPERTIES, &request, &fault);

	if (result == RESULT_OK) {
		write_properties(&request, properties);
		result = call_for_job(job->ferry, &request, NULL, &fault);
	}
	return ferry_report(result, &fault, error);
}

/* --- looking --- */

enum result ferry_get(struct ferry_job *job, struct ferry_status *ret_status, struct fault *fault)
{
	struct json_writer request;
	enum result result = ferry_request_for(job, METHOD_JOB_GET, &request, fault);
	if (result != RESULT_OK)
		return result;
	json_write_u64(&request, "limit", 0);
	return call_for_job(job->ferry, &request, ret_status, fault);
}

enum ferry_result ferry_job_get(struct ferry_job *job, struct ferry_status *ret_status, struct ferry_error *error)
{
	struct fault fault = { .result = RESULT_OK };
	enum result result = ferry_get(job, ret_status, &fault);

	return ferry_report(result, &fault, error);
}

/* One page of a walk: what it is asked with, and how one of its members is read and shown. */
struct page {
	const char *list;
	bool (*show)(struct json value, void *walk, bool *ret_go_on, struct fault *why);
	void *walk;
};

/* Call, show each member of the answer's list, and say where the next page begins. */
static enum result show_page(struct ferry *ferry, struct json_writer *request, const struct page *page, bool *ret_more,
                             uint64_t *ret_next, struct fault *fault)
{
	AUTO(json_document) struct json_document *document = NULL;
	struct fault why = { .result = RESULT_OK };
	struct json answer;
	bool go_on = true;
	enum result result = ferry_call(ferry, request, &document, &answer, fault);
	if (result != RESULT_OK)
		return result;

	struct json list = json_member(answer, page->list), next = json_member(answer, "next");
	for (size_t i = 0; go_on && i < json_length(list); i++) {
		if (!page->show(json_at(list, i), page->walk, &go_on, &why))
			return ferry_not_understood(ferry, &why, fault);
	}
	*ret_more = go_on && next.value != NULL;
	if (*ret_more && json_get_u64(next, 0, UINT64_MAX, ret_next, &why) != RESULT_OK)
		return ferry_not_understood(ferry, &why, fault);
	return RESULT_OK;
}

struct file_walk {
	bool (*visit)(void *context, const struct ferry_file *file);
	void *context;
};

static bool show_file(struct json value, void *walk, bool *ret_go_on, struct fault *why)
{
	const struct file_walk *files = walk;
	struct ferry_file shown;
	struct file file;

	if (protocol_read_file(value, &file, why) != RESULT_OK)
		return false;
	ferry_file_of(&file, &shown);
	*ret_go_on = files->visit(files->context, &shown);
	return true;
}

enum ferry_result ferry_job_files(struct ferry_job *job, uint32_t from_ordinal,
                                  bool (*visit)(void *context, const struct ferry_file *file), void *context,
                                  struct ferry_error *error)
{
	struct file_walk walk = { .visit = visit, .context = context };
	const struct page page = { .list = "files", .show = show_file, .walk = &walk };
	struct fault fault = { .result = RESULT_OK };
	uint64_t from = from_ordinal;
	bool more = true;
	enum result result = RESULT_OK;

	while (more && result == RESULT_OK) {
		struct json_writer request;
		result = ferry_request_for(job, METHOD_JOB_GET, &request, &fault);
		if (result != RESULT_OK)
			break;
		json_write_u64(&request, "from", from);
		json_write_u64(&request, "limit", PROTOCOL_PAGE_MAX);
		result = show_page(job->ferry, &request, &page, &more, &from, &fault);
	}
	return ferry_report(result, &fault, error);
}

struct job_walk {
	bool (*visit)(void *context, const struct ferry_status *status);
	void *context;
};

static bool show_job(struct json value, void *walk, bool *ret_go_on, struct fault *why)
{
	const struct job_walk *jobs = walk;
	struct ferry_status shown;
	struct job_status status;

	if (protocol_read_job(value, &status, why) != RESULT_OK)
		return false;
	ferry_status_of(&status, &shown);
	*ret_go_on = jobs->visit(jobs->context, &shown);
	return true;
}

enum ferry_result ferry_jobs(struct ferry *ferry, unsigned flags,
                             bool (*visit)(void *context, const struct ferry_status *status), void *context,
                             struct ferry_error *error)
{
	struct job_walk walk = { .visit = visit, .context = context };
	const struct page page = { .list = "jobs", .show = show_job, .walk = &walk };
	struct fault fault = { .result = RESULT_OK };
	uint64_t from = 0;
	bool more = true;
	enum result result = RESULT_OK;

	while (more && result == RESULT_OK) {
		struct json_writer request = ferry_request(ferry, METHOD_JOB_LIST);
		json_write_bool(&request, "all", (flags & FERRY_LIST_FINISHED) != 0);
		json_write_bool(&request, "everyone", (flags & FERRY_LIST_EVERYONE) != 0);
		json_write_u64(&request, "from", from);
		json_write_u64(&request, "limit", PROTOCOL_PAGE_MAX);
		result = show_page(ferry, &request, &page, &more, &from, &fault);
	}
	return ferry_report(result, &fault, error);
}

enum ferry_result ferry_service_status(struct ferry *ferry, struct ferry_service *ret_service,
                                       struct ferry_error *error)
{
	AUTO(json_document) struct json_document *document = NULL;
	struct fault fault = { .result = RESULT_OK }, why = { .result = RESULT_OK };
	struct service_status status;
	struct json answer;
	struct json_writer request = ferry_request(ferry, METHOD_SERVICE_STATUS);
	enum result result = ferry_call(ferry, &request, &document, &answer, &fault);

	if (result == RESULT_OK && protocol_read_service(json_member(answer, "service"), &status, &why) != RESULT_OK)
		result = ferry_not_understood(ferry, &why, &fault);
	if (result == RESULT_OK)
		ferry_service_of(&status, ret_service);
	return ferry_report(result, &fault, error);
}

enum ferry_result ferry_service_metrics(struct ferry *ferry, char **ret_text, struct ferry_error *error)
{
	AUTO(json_document) struct json_document *document = NULL;
	AUTO(buffer) struct buffer copy = BUFFER(PROTOCOL_MESSAGE_BYTES_MAX);
	struct fault fault = { .result = RESULT_OK }, why = { .result = RESULT_OK };
	struct text_view text;
	struct json answer;
	struct json_writer request = ferry_request(ferry, METHOD_SERVICE_METRICS);
	enum result result = ferry_call(ferry, &request, &document, &answer, &fault);

	if (result == RESULT_OK && json_get_text(json_member(answer, "text"), PROTOCOL_MESSAGE_BYTES_MAX, &text, &why) != RESULT_OK)
		result = ferry_not_understood(ferry, &why, &fault);
	else if (result == RESULT_OK && (result = buffer_append(&copy, text.bytes, text.length)) != RESULT_OK)
		(void)!fault_set(&fault, result, FAULT_FERRY, 0, "read the metrics");
	if (result == RESULT_OK)
		*ret_text = TAKE(copy.bytes);
	return ferry_report(result, &fault, error);
}

/* --- control --- */

enum ferry_result ferry_control(struct ferry_job *job, enum method method, struct ferry_status *ret_status,
                                struct ferry_error *error)
{
	struct fault fault = { .result = RESULT_OK };
	struct json_writer request;
	enum result result = ferry_request_for(job, method, &request, &fault);

	if (result == RESULT_OK)
		result = call_for_job(job->ferry, &request, ret_status, &fault);
	return ferry_report(result, &fault, error);
}

enum ferry_result ferry_job_resume(struct ferry_job *job, struct ferry_status *ret_status, struct ferry_error *error)
{
	return ferry_control(job, METHOD_JOB_RESUME, ret_status, error);
}

enum ferry_result ferry_job_suspend(struct ferry_job *job, struct ferry_status *ret_status, struct ferry_error *error)
{
	return ferry_control(job, METHOD_JOB_SUSPEND, ret_status, error);
}

enum ferry_result ferry_job_cancel(struct ferry_job *job, struct ferry_status *ret_status, struct ferry_error *error)
{
	return ferry_control(job, METHOD_JOB_CANCEL, ret_status, error);
}

enum ferry_result ferry_job_complete(struct ferry_job *job, struct ferry_status *ret_status, struct ferry_error *error)
{
	return ferry_control(job, METHOD_JOB_COMPLETE, ret_status, error);
}

enum result ferry_subscribe_to(struct ferry *ferry, struct ferry_job *job, struct fault *fault)
{
	AUTO(json_document) struct json_document *document = NULL;
	struct json_writer request;
	struct json answer;

	if (job == NULL) {
		request = ferry_request(ferry, METHOD_EVENTS_SUBSCRIBE);
	} else {
		enum result result = ferry_request_for(job, METHOD_EVENTS_SUBSCRIBE, &request, fault);
		if (result != RESULT_OK)
			return result;
	}
	return ferry_call(ferry, &request, &document, &answer, fault);
}
