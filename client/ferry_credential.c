/* Credentials: setting and removing them. */
#include <string.h>

#include "ferry_private.h"

/* The longest request, where every byte is escaped; so that the buffer does not move and leave a password behind. */
#define REQUEST_BYTES_MAX (6u * (FERRY_USER_BYTES_MAX + FERRY_PASSWORD_BYTES_MAX) + 1024u)

static enum result begin(struct ferry_job *job, enum method method, enum ferry_auth_target target,
                         enum ferry_auth_scheme scheme, struct json_writer *ret_request, struct fault *fault)
{
	if ((unsigned)target >= AUTH_TARGET_COUNT)
		return fault_set(fault, RESULT_INVALID_ARGUMENT, FAULT_FERRY, 0, "target: %u", (unsigned)target);
	if ((unsigned)scheme >= AUTH_SCHEME_COUNT)
		return fault_set(fault, RESULT_INVALID_ARGUMENT, FAULT_FERRY, 0, "scheme: %u", (unsigned)scheme);
	enum result result = ferry_request_for(job, method, ret_request, fault);
	if (result == RESULT_OK) {
		json_write_text(ret_request, "target", text_view(ferry_auth_target_name(target)));
		json_write_text(ret_request, "scheme", text_view(ferry_auth_scheme_name(scheme)));
	}
	return result;
}

/* What the service would refuse for its length is not sent. */
static enum result check_length(const char *text, size_t length_max, const char *name, struct fault *fault)
{
	if (text == NULL || strlen(text) <= length_max)
		return RESULT_OK;
	return fault_set(fault, RESULT_TOO_LONG, FAULT_FERRY, 0, "%s: is longer than %zu bytes", name, length_max);
}

static void write_or_null(struct json_writer *request, const char *name, const char *text)
{
	if (text != NULL)
		json_write_text(request, name, text_view(text));
	else
		json_write_raw(request, name, text_view("null"));
}

static enum result set(struct ferry_job *job, enum ferry_auth_target target, enum ferry_auth_scheme scheme,
                       const char *user, const char *password, struct fault *fault)
{
	AUTO(json_document) struct json_document *document = NULL;
	struct buffer *out = &job->ferry->out;
	struct json_writer request;
	struct json answer;
	enum result result = check_length(user, FERRY_USER_BYTES_MAX, "user", fault);

	if (result == RESULT_OK)
		result = check_length(password, FERRY_PASSWORD_BYTES_MAX, "password", fault);
	if (result == RESULT_OK)
		result = begin(job, METHOD_JOB_SET_CREDENTIALS, target, scheme, &request, fault);
	if (result == RESULT_OK && buffer_reserve(out, REQUEST_BYTES_MAX) != RESULT_OK)
		result = fault_set(fault, RESULT_NO_MEMORY, FAULT_FERRY, 0, "set credentials");
	if (result != RESULT_OK)
		return result;
	write_or_null(&request, "user", user);
	write_or_null(&request, "password", password);
	result = ferry_call(job->ferry, &request, &document, &answer, fault);
	text_wipe(out->bytes, out->length);
	return result;
}

enum ferry_result ferry_job_set_credentials(struct ferry_job *job, enum ferry_auth_target target,
                                            enum ferry_auth_scheme scheme, const char *user, const char *password,
                                            struct ferry_error *error)
{
	struct fault fault = { .result = RESULT_OK };
	enum result result = set(job, target, scheme, user, password, &fault);

	return ferry_report(result, &fault, error);
}

enum ferry_result ferry_job_remove_credentials(struct ferry_job *job, enum ferry_auth_target target,
                                               enum ferry_auth_scheme scheme, struct ferry_error *error)
{
	AUTO(json_document) struct json_document *document = NULL;
	struct fault fault = { .result = RESULT_OK };
	struct json_writer request;
	struct json answer;
	enum result result = begin(job, METHOD_JOB_REMOVE_CREDENTIALS, target, scheme, &request, &fault);

	if (result == RESULT_OK)
		result = ferry_call(job->ferry, &request, &document, &answer, &fault);
	return ferry_report(result, &fault, error);
}
