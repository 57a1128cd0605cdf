/* runtime/session: by which proxies a URL would be asked for, what that would meet, and what a job's requests met. */
#include "runtime/session_private.h"

#include <stdlib.h>

struct waiting_proxies {
	struct proxy_question question;
	struct later later;
};

static void write_proxies(struct json_writer *out, const void *found)
{
	protocol_write_proxies(out, found);
}

static void answer_proxies(struct proxy_question *question, enum result result, const struct proxies_found *found,
                           const struct fault *fault)
{
	session_answer(&((struct waiting_proxies *)question)->later, result, write_proxies, found, fault);
	free(question);
}

/* A thread will wear who asks without a job: that is for those only who may own jobs. */
static enum result capture_asker(struct call *call, struct identity **ret_identity)
{
	enum result result = session_capture_owner(call, ret_identity);

	if (result == RESULT_OK)
		result = access_own(identity_caller(*ret_identity), call->fault);
	if (result == RESULT_OK)
		engine_owner_present(call->sessions->engine, *ret_identity);
	return result;
}

enum result do_proxy_show(struct call *call)
{
	AUTO(identity) struct identity *identity = NULL;
	struct proxy_wanted wanted = { .url = call->request->url };
	struct handle *handle = NULL;
	struct waiting_proxies *waiting;
	enum result result;

	if (call->request->handle != 0)
		result = session_handle(call, ACCESS_QUERY, &handle);
	else
		result = capture_asker(call, &identity);
	if (result != RESULT_OK)
		return result;
	waiting = calloc(1, sizeof(*waiting));
	if (waiting == NULL)
		return fault_set(call->fault, RESULT_NO_MEMORY, FAULT_FERRY, 0, "show proxies");
	*waiting = (struct waiting_proxies){ { answer_proxies }, session_later(call) };
	wanted.row = handle != NULL ? handle->row : 0;
	wanted.identity = identity;
	engine_proxy_show(call->sessions->engine, &wanted, &waiting->question);
	return RESULT_OK;
}

struct waiting_trial {
	struct trial_question question;
	struct later later;
};

static void write_trial(struct json_writer *out, const void *trial)
{
	protocol_write_trial(out, trial);
}

static void answer_trial(struct trial_question *question, enum result result, const struct trial *trial,
                         const struct fault *fault)
{
	session_answer(&((struct waiting_trial *)question)->later, result, write_trial, trial, fault);
	free(question);
}

enum result do_auth_test(struct call *call)
{
	AUTO(identity) struct identity *identity = NULL;
	struct waiting_trial *waiting;
	enum result result = capture_asker(call, &identity);

	if (result != RESULT_OK)
		return result;
	waiting = calloc(1, sizeof(*waiting));
	if (waiting == NULL)
		return fault_set(call->fault, RESULT_NO_MEMORY, FAULT_FERRY, 0, "try a URL");
	*waiting = (struct waiting_trial){ { answer_trial }, session_later(call) };
	engine_auth_test(call->sessions->engine,
	                 &(struct trial_wanted){ call->request->url, call->request->by_proxy, identity }, &waiting->question);
	return RESULT_OK;
}

enum result do_job_history(struct call *call)
{
	struct handle *handle = NULL;
	struct attempt *attempts = NULL;
	size_t count = 0;
	enum result result = session_handle(call, ACCESS_QUERY, &handle);

	if (result == RESULT_OK) {
		attempts = calloc(ATTEMPTS_KEPT_MAX, sizeof(*attempts));
		result = attempts != NULL ? engine_job_history(call->sessions->engine, handle->row, attempts, &count, call->fault)
		                          : fault_set(call->fault, RESULT_NO_MEMORY, FAULT_FERRY, 0, "show attempts");
	}
	if (result == RESULT_OK) {
		json_write_begin(call->out, "attempts", '[');
		for (size_t i = 0; i < count; i++)
			protocol_write_attempt(call->out, NULL, &attempts[i]);
		json_write_end(call->out, ']');
	}
	free(attempts);
	return result;
}
