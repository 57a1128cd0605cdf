/* How attempts to fetch went, and what one would meet. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "ferry_private.h"

static_assert(FERRY_ATTEMPTS_MAX == ATTEMPTS_KEPT_MAX && AUTH_TARGET_COUNT == 2, "what is kept fits");
static_assert(sizeof(((struct ferry_attempt *)NULL)->url) == ATTEMPT_URL_BYTES &&
                      sizeof(((struct ferry_attempt *)NULL)->words) == ATTEMPT_WORDS_BYTES &&
                      sizeof(((struct ferry_attempt *)NULL)->tls) == ATTEMPT_TLS_BYTES && FERRY_SID_BYTES == ATTEMPT_SID_BYTES,
              "its texts, too");

static void attempt_of(const struct attempt *from, struct ferry_attempt *to)
{
	const struct attempt_trace *trace = &from->trace;

	*to = (struct ferry_attempt){ .count = from->count,
		                      .file = from->file,
		                      .first_ms = from->first_ms,
		                      .last_ms = from->last_ms,
		                      .http_status = (int)trace->status };
	memcpy(to->url, trace->url, sizeof(to->url));
	memcpy(to->words, trace->words, sizeof(to->words));
	memcpy(to->tls, trace->tls, sizeof(to->tls));
	memcpy(to->identity_sid, from->sid, sizeof(to->identity_sid));
	memcpy(to->proxy.address, from->proxy.address, sizeof(to->proxy.address));
	text_display(to->proxy.source, sizeof(to->proxy.source), "%s", proxy_source_name(from->proxy.source));
	memcpy(to->offered, trace->offered, sizeof(to->offered));
	memcpy(to->answered, trace->used, sizeof(to->answered));
	ferry_error_of(&from->fault, &to->error);
}

static enum result read_attempts(struct json list, struct ferry_attempt *ret_attempts, uint32_t *ret_count, struct fault *fault)
{
	struct attempt attempt;
	enum result result = RESULT_OK;

	*ret_count = 0;
	for (size_t i = 0; result == RESULT_OK && i < json_length(list) && i < FERRY_ATTEMPTS_MAX; i++) {
		result = protocol_read_attempt(json_at(list, i), &attempt, fault);
		if (result == RESULT_OK)
			attempt_of(&attempt, &ret_attempts[(*ret_count)++]);
	}
	return result;
}

enum ferry_result ferry_job_history(struct ferry_job *job, struct ferry_attempt ret_attempts[FERRY_ATTEMPTS_MAX],
                                    uint32_t *ret_count, struct ferry_error *error)
{
	AUTO(json_document) struct json_document *document = NULL;
	struct fault fault = { .result = RESULT_OK }, why = { .result = RESULT_OK };
	struct json_writer request;
	struct json answer;
	enum result result = ferry_request_for(job, METHOD_JOB_HISTORY, &request, &fault);

	if (result == RESULT_OK)
		result = ferry_call(job->ferry, &request, &document, &answer, &fault);
	if (result == RESULT_OK &&
	    read_attempts(json_member(answer, "attempts"), ret_attempts, ret_count, &why) != RESULT_OK)
		result = ferry_not_understood(job->ferry, &why, &fault);
	return ferry_report(result, &fault, error);
}

enum ferry_result ferry_auth_test(struct ferry *ferry, const char *url, const char *proxy, struct ferry_trial *ret_trial,
                                  struct ferry_error *error)
{
	AUTO(json_document) struct json_document *document = NULL;
	struct fault fault = { .result = RESULT_OK }, why = { .result = RESULT_OK };
	struct json_writer request = ferry_request(ferry, METHOD_AUTH_TEST);
	struct trial trial;
	struct json answer;

	json_write_text(&request, "url", text_view(url));
	if (proxy != NULL)
		json_write_text(&request, "by_proxy", text_view(proxy));
	enum result result = ferry_call(ferry, &request, &document, &answer, &fault);
	if (result == RESULT_OK && protocol_read_trial(answer, &trial, &why) != RESULT_OK)
		result = ferry_not_understood(ferry, &why, &fault);
	if (result == RESULT_OK) {
		attempt_of(&trial.attempt, &ret_trial->attempt);
		memcpy(ret_trial->allowed, trial.allowed, sizeof(ret_trial->allowed));
		memcpy(ret_trial->forbidden, trial.forbidden, sizeof(ret_trial->forbidden));
	}
	return ferry_report(result, &fault, error);
}
