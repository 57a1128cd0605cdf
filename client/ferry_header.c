/* Header lines of a job's own: setting, removing and reading them. */
#include <string.h>

#include "ferry_private.h"

/* The longest request, where every byte is escaped; so that the buffer does not move and leave a secret behind. */
#define REQUEST_BYTES_MAX (6u * FERRY_HEADERS_BYTES_MAX + 1024u)

/* What the service would refuse for its length is not sent. */
static enum result check_length(const char *const *headers, size_t count, struct fault *fault)
{
	size_t bytes = 0;

	for (size_t i = 0; i < count && bytes <= FERRY_HEADERS_BYTES_MAX; i++)
		bytes += strlen(headers[i]) + 2;
	if (count <= FERRY_HEADERS_MAX && bytes <= FERRY_HEADERS_BYTES_MAX)
		return RESULT_OK;
	return fault_set(fault, RESULT_TOO_LONG, FAULT_FERRY, 0, "headers: more than %d, or than %d bytes together", FERRY_HEADERS_MAX,
	                 FERRY_HEADERS_BYTES_MAX);
}

static enum result set(struct ferry_job *job, const char *const *headers, size_t count, bool write_only, struct fault *fault)
{
	AUTO(json_document) struct json_document *document = NULL;
	struct buffer *out = &job->ferry->out;
	struct json_writer request;
	struct json answer;
	enum result result = check_length(headers, count, fault);

	if (result == RESULT_OK)
		result = ferry_request_for(job, METHOD_JOB_SET_HEADERS, &request, fault);
	if (result == RESULT_OK && buffer_reserve(out, REQUEST_BYTES_MAX) != RESULT_OK)
		result = fault_set(fault, RESULT_NO_MEMORY, FAULT_FERRY, 0, "set headers");
	if (result != RESULT_OK)
		return result;
	json_write_begin(&request, "headers", '[');
	for (size_t i = 0; i < count; i++)
		json_write_text(&request, NULL, text_view(headers[i]));
	json_write_end(&request, ']');
	json_write_bool(&request, "write_only", write_only);
	result = ferry_call(job->ferry, &request, &document, &answer, fault);
	text_wipe(out->bytes, out->length);
	return result;
}

enum ferry_result ferry_job_set_headers(struct ferry_job *job, const char *const *headers, size_t count, bool write_only,
                                        struct ferry_error *error)
{
	struct fault fault = { .result = RESULT_OK };
	enum result result = set(job, headers, count, write_only, &fault);

	return ferry_report(result, &fault, error);
}

static enum result copy_lines(struct json lines, char to[FERRY_HEADERS_BYTES_MAX], struct fault *fault)
{
	size_t used = 0;
	enum result result = RESULT_OK;

	to[0] = '\0';
	for (size_t i = 0; i < json_length(lines) && result == RESULT_OK; i++) {
		struct text_view line;

		result = json_get_text(json_at(lines, i), FERRY_HEADERS_BYTES_MAX - used - 1, &line, fault);
		if (result == RESULT_OK)
			result = text_format(to + used, FERRY_HEADERS_BYTES_MAX - used, "%.*s\n", (int)line.length, line.bytes);
		used += strlen(to + used);
	}
	return result;
}

static enum result get(struct ferry_job *job, char to[FERRY_HEADERS_BYTES_MAX], struct fault *fault)
{
	AUTO(json_document) struct json_document *document = NULL;
	struct fault why = { .result = RESULT_OK };
	struct json_writer request;
	struct json answer;
	enum result result = ferry_request_for(job, METHOD_JOB_GET_HEADERS, &request, fault);

	if (result == RESULT_OK)
		result = ferry_call(job->ferry, &request, &document, &answer, fault);
	if (result == RESULT_OK && copy_lines(json_member(answer, "headers"), to, &why) != RESULT_OK)
		result = ferry_not_understood(job->ferry, &why, fault);
	if (job->ferry->in.bytes != NULL)
		text_wipe(job->ferry->in.bytes, job->ferry->in.length);
	return result;
}

enum ferry_result ferry_job_get_headers(struct ferry_job *job, char to[FERRY_HEADERS_BYTES_MAX], struct ferry_error *error)
{
	struct fault fault = { .result = RESULT_OK };
	enum result result = get(job, to, &fault);

	return ferry_report(result, &fault, error);
}
