/* runtime/engine: what asking for a URL would meet, told to whoever wants to know before a job does it.
 *
 * As the one who asks, on workers of his own for this: with what he may present by himself, to servers and proxies, wherever the
 * configuration allows it.  That is his to want, since it is himself that he shows; no job is involved.
 */
#include "runtime/engine_private.h"

#include <stdlib.h>
#include <string.h>

#define TRIES_MAX 16u          /* at once, of all clients */
#define TRIES_PER_OWNER_MAX 4u /* and of one owner's */
#define TRY_S 15u /* for a connection, and again for an answer: with the proxies' 15 s within what clients wait */
#define IMPLICIT_OF(target) (JOB_CREDENTIAL(target, AUTH_NTLM) | JOB_CREDENTIAL(target, AUTH_NEGOTIATE))

struct trying {
	struct trying *next;
	uint64_t number; /* a flight's, as far as the worker knows */
	struct crew *crew;
	struct trial_question *question;
	bool asked; /* the order is out */
	struct fault over; /* why it is to end before its answer; RESULT_OK: it is not */
	struct trial trial;
	char url[URL_BYTES_MAX + 1];
};

/* Which of them waits to hear by which proxies. */
struct proxies_wanted {
	struct proxy_question question;
	struct engine *engine;
	uint64_t number;
};

static struct trying **find(struct engine *engine, uint64_t number)
{
	struct trying **place = &engine->tries;

	while (*place != NULL && (*place)->number != number)
		place = &(*place)->next;
	return place;
}

static void forget(struct trying *trying)
{
	text_wipe(trying->url, sizeof(trying->url)); /* its query */
	free(trying);
}

static void end(struct engine *engine, struct trying **place, enum result result, const struct fault *fault)
{
	struct trying *trying = *place;

	*place = trying->next;
	crew_release(engine, trying->crew);
	engine->schedule_due = true; /* somebody may wait for the threads */
	trying->question->answer(trying->question, result, result == RESULT_OK ? &trying->trial : NULL, fault);
	forget(trying);
}

void engine_drop_tries(struct engine *engine, const struct fault *fault)
{
	for (struct trying *trying = TAKE(engine->tries), *next; trying != NULL; trying = next) {
		next = trying->next;
		if (fault != NULL)
			trying->question->answer(trying->question, fault->result, NULL, fault);
		else
			free(trying->question);
		forget(trying);
	}
}

static void end_over(struct engine *engine, struct trying **place)
{
	const struct fault over = (*place)->over;

	end(engine, place, over.result, &over);
}

/* As soon as its worker lets go of it. */
static void stop(struct engine *engine, struct trying *trying)
{
	if (!trying->asked)
		return; /* on_proxies ends it */
	if (engine_take_back(engine, trying->number, ORDER_TRY)) {
		end_over(engine, find(engine, trying->number));
		return;
	}
	struct order *order = calloc(1, sizeof(*order));
	if (order != NULL)
		*order = (struct order){ .kind = ORDER_STOP, .flight = trying->number };
	engine_send(engine, crew_worker(trying->crew, JOB_SIDE_NETWORK), order);
}

/* Nobody is to be asked any more as somebody who has gone. */
void engine_stop_tries(struct engine *engine, const struct identity *identity)
{
	for (struct trying *trying = engine->tries, *next; trying != NULL; trying = next) {
		next = trying->next;
		if (trying->over.result != RESULT_OK || !engine_same_identity(trying->crew->identity, identity))
			continue;
		(void)!fault_set(&trying->over, RESULT_IDENTITY_LOST, FAULT_FERRY, 0, "the session ended while the URL was tried");
		stop(engine, trying);
	}
}

static enum result check_again(const struct engine *engine, struct trying *trying)
{
	struct url url;
	enum result result = engine_check_url(engine, text_view(trying->url), false, "params.url", &trying->over);

	if (result == RESULT_OK)
		result = url_parse(text_view(trying->url), &url, &trying->over);
	if (result == RESULT_OK)
		result = engine_check_proxy(engine, &url, false, &trying->trial.attempt.proxy, &trying->over);
	return result;
}

void engine_review_tries(struct engine *engine)
{
	for (struct trying *trying = engine->tries, *next; trying != NULL; trying = next) {
		next = trying->next;
		if (trying->over.result == RESULT_OK && check_again(engine, trying) != RESULT_OK)
			stop(engine, trying);
	}
}

static enum result route_of(const struct engine *engine, struct trying *trying, struct transfer_route **ret_route)
{
	static const struct credential himself[] = {
		{ .target = AUTH_SERVER, .scheme = AUTH_NTLM, .implicit = true },
		{ .target = AUTH_SERVER, .scheme = AUTH_NEGOTIATE, .implicit = true },
		{ .target = AUTH_PROXY, .scheme = AUTH_NTLM, .implicit = true },
		{ .target = AUTH_PROXY, .scheme = AUTH_NEGOTIATE, .implicit = true },
	};
	const struct route_wanted wanted = { trying->url, &trying->trial.attempt.proxy, himself,
		                             sizeof(himself) / sizeof(himself[0]), true, NULL };
	enum result result = engine_route(engine, &wanted, ret_route);

	for (unsigned target = 0; result == RESULT_OK && target < AUTH_TARGET_COUNT; target++) {
		trying->trial.allowed[target] = (*ret_route)->logins[target].schemes;
		trying->trial.forbidden[target] = (*ret_route)->logins[target].forbidden;
	}
	return result;
}

static void ask(struct engine *engine, struct trying *trying, const struct proxy_choice *proxy)
{
	struct order *order = calloc(1, sizeof(*order));

	trying->trial.attempt.proxy = *proxy;
	if (order != NULL) {
		*order = (struct order){ .kind = ORDER_TRY, .flight = trying->number, .first_byte_s = TRY_S, .stall_s = TRY_S };
		order->file.row = -(int64_t)trying->number; /* no file's */
		memcpy(order->file.url, trying->url, sizeof(order->file.url));
		if (route_of(engine, trying, &order->route) != RESULT_OK) {
			order_free(order);
			order = NULL; /* engine_send breaks the turn */
		}
	}
	trying->asked = true;
	engine_send(engine, crew_worker(trying->crew, JOB_SIDE_NETWORK), order);
}

static void on_proxies(struct proxy_question *question, enum result result, const struct proxies_found *found,
                       const struct fault *fault)
{
	struct proxies_wanted *wanted = (struct proxies_wanted *)question;
	struct engine *engine = wanted->engine;
	struct trying **place = find(engine, wanted->number);

	free(wanted);
	if (*place == NULL)
		return; /* dropped meanwhile */
	if ((*place)->over.result != RESULT_OK)
		end_over(engine, place);
	else if (result != RESULT_OK)
		end(engine, place, result, fault);
	else
		ask(engine, *place, &found->choices[0]);
}

static void ask_by_system(struct engine *engine, struct trying *trying, struct identity *identity)
{
	struct proxies_wanted *wanted = malloc(sizeof(*wanted));
	struct fault fault;

	if (wanted == NULL) {
		enum result result = fault_set(&fault, RESULT_NO_MEMORY, FAULT_FERRY, 0, "ask for proxies");

		end(engine, find(engine, trying->number), result, &fault);
		return;
	}
	*wanted = (struct proxies_wanted){ { on_proxies }, engine, trying->number };
	engine_proxy_show(engine, &(struct proxy_wanted){ text_view(trying->url), 0, identity }, &wanted->question);
}

static enum result begin(struct engine *engine, const struct trial_wanted *wanted, struct trial_question *question,
                         struct trying **ret_trying, struct fault *fault)
{
	const struct answers answers = { .implicit = IMPLICIT_OF(AUTH_SERVER) | IMPLICIT_OF(AUTH_PROXY) };
	struct trying *trying = calloc(1, sizeof(*trying));
	struct attempt *attempt;

	if (trying == NULL)
		return fault_set(fault, RESULT_NO_MEMORY, FAULT_FERRY, 0, "ask for the head");
	struct crew *crew = crew_get(engine, wanted->identity, JOB_SIDE_NETWORK, answers, fault);
	if (crew == NULL) {
		free(trying);
		return fault->result;
	}
	*trying = (struct trying){ .next = engine->tries, .number = ++engine->flight_number, .crew = crew, .question = question,
		                     .trial.attempt.count = 1 };
	(void)!text_copy(trying->url, sizeof(trying->url), wanted->url); /* it was parsed */
	attempt = &trying->trial.attempt;
	text_display(attempt->sid, sizeof(attempt->sid), "%s", identity_caller(wanted->identity)->owner);
	engine->tries = *ret_trying = trying;
	return RESULT_OK;
}

static enum result check_room(const struct engine *engine, const char *owner, struct fault *fault)
{
	uint32_t all = 0, his = 0;

	for (const struct trying *trying = engine->tries; trying != NULL; trying = trying->next) {
		all++;
		his += strcmp(identity_caller(trying->crew->identity)->owner, owner) == 0;
	}
	if (all < TRIES_MAX && his < TRIES_PER_OWNER_MAX)
		return RESULT_OK;
	return fault_set(fault, RESULT_BUSY, FAULT_FERRY, 0, "%u URLs are being tried; at most %u are, and %u of one account's", all,
	                 TRIES_MAX, TRIES_PER_OWNER_MAX);
}

static enum result check(const struct engine *engine, const struct trial_wanted *wanted, struct proxy_choice *ret_proxy,
                         struct fault *fault)
{
	struct url url = { .port = 0 };
	enum result result = engine_check_url(engine, wanted->url, false, "params.url", fault);

	if (result == RESULT_OK && !engine_is_present(engine, wanted->identity))
		return fault_set(fault, RESULT_IDENTITY_LOST, FAULT_FERRY, 0, "try a URL: the session has ended");
	if (result == RESULT_OK)
		result = check_room(engine, identity_caller(wanted->identity)->owner, fault);
	if (result == RESULT_OK)
		result = url_parse(wanted->url, &url, fault);
	if (result == RESULT_OK && url.share)
		return fault_set(fault, RESULT_INVALID_ARGUMENT, FAULT_FERRY, 0, "params.url: a share asks nobody by http");
	*ret_proxy = (struct proxy_choice){ .source = PROXY_FROM_JOB };
	if (result == RESULT_OK && wanted->proxy.length > 0)
		result = name_field(proxy_parse(wanted->proxy, ret_proxy->address, fault), "params.by_proxy", fault);
	if (result == RESULT_OK)
		result = name_field(engine_check_proxy(engine, &url, false, ret_proxy, fault), "params.by_proxy", fault);
	return result;
}

void engine_auth_test(struct engine *engine, const struct trial_wanted *wanted, struct trial_question *question)
{
	struct fault fault = { 0 };
	struct proxy_choice proxy;
	struct trying *trying;
	enum result result = check(engine, wanted, &proxy, &fault);

	if (result == RESULT_OK)
		result = begin(engine, wanted, question, &trying, &fault);
	if (result != RESULT_OK)
		question->answer(question, result, NULL, &fault);
	else if (wanted->proxy.length > 0)
		ask(engine, trying, &proxy);
	else
		ask_by_system(engine, trying, wanted->identity);
}

/* Who does not take HEAD has let us in all the same. */
static void judge(const struct report *report, struct attempt *attempt)
{
	long status = report->trace.status;

	if (report->result != RESULT_OK)
		attempt->fault = report->fault;
	else if (status >= 400 && status != 405 && status != 501)
		(void)!fault_set(&attempt->fault, resume_status_result(status), FAULT_HTTP, status,
		                 "the server answers with status %ld", status);
}

void engine_tried(struct engine *engine, const struct report *report)
{
	struct trying **place = find(engine, report->flight);

	if (*place == NULL)
		return;
	if ((*place)->over.result != RESULT_OK) {
		end_over(engine, place);
		return;
	}
	struct attempt *attempt = &(*place)->trial.attempt;

	attempt->first_ms = attempt->last_ms = engine_now(engine);
	attempt->trace = report->trace;
	if (attempt->trace.url[0] == '\0')
		url_redact(text_view((*place)->url), attempt->trace.url, sizeof(attempt->trace.url));
	judge(report, attempt);
	end(engine, place, RESULT_OK, NULL);
}
