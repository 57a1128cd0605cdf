/* runtime/engine: by which proxies a URL would be asked for, told to whoever wants to know.  The system is asked anew: what
 * fetches go by may be as old as KEEP_MS in engine_proxy.c.
 */
#include "runtime/engine_private.h"

#include <stdlib.h>
#include <string.h>

/* What a worker is asked. */
struct proxy_ask {
	struct proxy_ask *next;
	uint64_t number; /* a flight's, as far as the worker knows */
	struct crew *crew;
	int64_t row;        /* of the job that it is about; 0: none */
	uint32_t takeovers; /* the job's, then */
	struct proxy_question *question;
};

static void answer(struct proxy_question *question, enum result result, const struct proxies_found *found,
                   const struct fault *fault)
{
	question->answer(question, result, result == RESULT_OK ? found : NULL, fault);
}

void engine_drop_proxy_asks(struct engine *engine, const struct fault *fault)
{
	for (struct proxy_ask *ask = TAKE(engine->proxy_asks), *next; ask != NULL; ask = next) {
		next = ask->next;
		if (fault != NULL)
			answer(ask->question, fault->result, NULL, fault);
		else
			free(ask->question);
		free(ask);
	}
}

static enum result send(struct engine *engine, const struct proxy_ask *ask, enum proxy_mode mode, struct text_view url,
                        const char *server, struct fault *fault)
{
	struct worker *worker = crew_proxy_worker(engine, ask->crew, fault);
	struct order *order = worker != NULL ? calloc(1, sizeof(*order)) : NULL;

	if (worker == NULL)
		return fault->result;
	if (order != NULL) {
		*order = (struct order){ .kind = ORDER_PROXY, .flight = ask->number, .bytes = mode,
			                 .list = BUFFER(HOST_NAME_BYTES_MAX) };
		if (text_copy(order->file.url, sizeof(order->file.url), url) != RESULT_OK ||
		    buffer_append(&order->list, server, strlen(server) + 1) != RESULT_OK) {
			order_free(order);
			order = NULL; /* engine_send breaks the turn */
		}
	}
	engine_send(engine, worker, order);
	return RESULT_OK;
}

/* As that identity, on a thread that is its own for this. */
static enum result ask_system(struct engine *engine, struct identity *identity, const struct job *job, struct text_view url,
                              const char *server, struct proxy_question *question, struct fault *fault)
{
	const struct answers answers = engine_answers(job, JOB_SIDE_NETWORK);
	struct proxy_ask *ask = calloc(1, sizeof(*ask));
	struct crew *crew = ask != NULL ? crew_get(engine, identity, JOB_SIDE_NETWORK, answers, fault) : NULL;
	enum result result = crew != NULL ? RESULT_OK : fault->result;

	if (ask == NULL)
		result = fault_set(fault, RESULT_NO_MEMORY, FAULT_FERRY, 0, "ask for proxies");
	if (result == RESULT_OK) {
		*ask = (struct proxy_ask){ engine->proxy_asks, ++engine->flight_number, crew, job->row, job->takeovers, question };
		result = send(engine, ask, job->properties.proxy_mode, url, server, fault);
	}
	if (result != RESULT_OK) {
		crew_release(engine, crew);
		free(ask);
		return result;
	}
	engine->proxy_asks = ask;
	return RESULT_OK;
}

void engine_proxy_show(struct engine *engine, const struct proxy_wanted *wanted, struct proxy_question *question)
{
	struct identity *identity = wanted->identity;
	struct job job = { .row = 0 }; /* none: preconfigured, and nobody is answered */
	struct proxies_found found = { .count = 0 };
	struct fault fault = { 0 };
	struct url url;
	char server[HOST_NAME_BYTES_MAX];
	enum result result = engine_check_url(engine, wanted->url, false, "params.url", &fault);

	if (result == RESULT_OK && wanted->row != 0)
		result = store_job_by_row(engine->parts.store, wanted->row, &job, &fault);
	if (result == RESULT_OK)
		result = url_parse(wanted->url, &url, &fault);
	if (result == RESULT_OK && url.share)
		result = fault_set(&fault, RESULT_INVALID_ARGUMENT, FAULT_FERRY, 0, "params.url: a share's file comes by no proxy");
	const struct job_proxies of_job = { wanted->row, job.properties.proxy_mode, job.properties.tls_ignore };
	if (result == RESULT_OK)
		result = engine_proxies_said(engine, &of_job, &url, &found, server, &fault);
	if (result != RESULT_OK || server[0] == '\0') {
		answer(question, result, &found, &fault);
		return;
	}
	if (wanted->row != 0 && engine_side(engine, &job, JOB_SIDE_NETWORK, &identity) == IDENTITY_HELPER && identity == NULL)
		result = fault_set(&fault, RESULT_TOKEN_REQUIRED, FAULT_FERRY, 0, "ask for proxies");
	else if (identity == NULL || (wanted->row == 0 && !engine_is_present(engine, identity)))
		result = fault_set(&fault, RESULT_IDENTITY_LOST, FAULT_FERRY, 0, "ask for proxies: nobody is there");
	if (result == RESULT_OK)
		result = ask_system(engine, identity, &job, wanted->url, server, question, &fault);
	if (result != RESULT_OK)
		answer(question, result, NULL, &fault);
}

bool engine_proxy_shown(struct engine *engine, const struct report *report)
{
	struct proxy_ask **place = &engine->proxy_asks, *ask;
	struct proxies_found found = { .count = 0 };
	struct fault fault = report->fault;
	enum result result = report->result;
	struct job job;

	while (*place != NULL && (*place)->number != report->flight)
		place = &(*place)->next;
	ask = *place;
	if (ask == NULL)
		return false;
	*place = ask->next;
	if (result == RESULT_OK)
		result = engine_read_proxies(report, &found, &fault);
	/* Whoever opened the job before it got another owner is told nothing. */
	if (ask->row != 0 && (store_job_by_row(engine->parts.store, ask->row, &job, &fault) != RESULT_OK ||
	                      job.takeovers != ask->takeovers))
		result = fault_set(&fault, RESULT_BAD_HANDLE, FAULT_FERRY, 0, "the job was taken over");
	crew_release(engine, ask->crew);
	engine->schedule_due = true; /* somebody may wait for the threads */
	answer(ask->question, result, &found, &fault);
	free(ask);
	return true;
}
