/* runtime/engine: by which proxy a file is fetched.  What a job says goes before the configuration's table, and that before
 * what the system has for the network identity, which is asked by a worker of its own: scripts take their time.
 */
#include "runtime/engine_private.h"

#include <stdlib.h>
#include <string.h>

#define KEEP_MS 600000    /* what the system said of a server */
#define KNOWN_MAX 32      /* servers of a crew; the one that was asked for longest ago is forgotten */

/* Or what is being asked for. */
struct known_proxies {
	struct known_proxies *next; /* the last one comes first */
	char server[HOST_NAME_BYTES_MAX];
	enum proxy_mode mode;
	bool answered;
	int64_t until_ms; /* monotonic */
	struct proxies_found found;
};

/* --- proxies that cannot be reached --- */

static bool is_bad(const struct engine *engine, const struct flight *flight, const char *address)
{
	const struct bad_proxy *bad = flight->active->crews[JOB_SIDE_NETWORK]->bad_proxies;

	for (unsigned i = 0; i < BAD_PROXIES_MAX; i++)
		if (bad[i].until_ms > engine_mono(engine) && strcmp(bad[i].address, address) == 0)
			return true;
	return false;
}

void engine_proxy_failed(struct engine *engine, const struct flight *flight)
{
	struct bad_proxy *bad = flight->active->crews[JOB_SIDE_NETWORK]->bad_proxies, *oldest = &bad[0];

	for (unsigned i = 1; i < BAD_PROXIES_MAX; i++)
		if (bad[i].until_ms < oldest->until_ms)
			oldest = &bad[i];
	memcpy(oldest->address, flight->proxy.address, sizeof(oldest->address));
	oldest->until_ms = engine_mono(engine) + BAD_PROXY_MS;
}

/* The first that is not known to be bad; of bad ones the first. */
static struct proxy_choice best_of(const struct engine *engine, const struct flight *flight,
                                   const struct proxies_found *found)
{
	for (size_t i = 0; i < found->count; i++)
		if (found->choices[i].address[0] == '\0' || !is_bad(engine, flight, found->choices[i].address))
			return found->choices[i];
	return found->choices[0];
}

/* --- what the job says --- */

enum result engine_save_proxy(struct engine *engine, const struct job *job, const struct request *request, struct fault *fault)
{
	char list[PROXY_TEXT_BYTES_MAX + 1], bypass[PROXY_TEXT_BYTES_MAX + 1];

	if (text_copy(list, sizeof(list), request->proxy_list) != RESULT_OK ||
	    text_copy(bypass, sizeof(bypass), request->proxy_bypass) != RESULT_OK)
		return fault_set(fault, RESULT_TOO_LONG, FAULT_FERRY, 0, "params.proxy");
	return store_proxy_save(engine->parts.store, job->row, list, bypass, fault);
}

_Static_assert(sizeof(((struct settings *)NULL)->proxy_table.items) / sizeof(((struct settings *)NULL)->proxy_table.items[0]) ==
                       PROXY_RULES_MAX, "the table of the configuration fits");

static size_t read_table(const struct engine *engine, struct proxy_rule rules[PROXY_RULES_MAX])
{
	const struct settings *settings = engine->parts.settings;
	size_t count = 0;
	struct fault ignored;

	for (uint32_t i = 0; i < settings->proxy_table.count; i++)
		if (proxy_rule_parse(text_view(settings->proxy_table.items[i]), &rules[count], &ignored) == RESULT_OK)
			count++;
	return count;
}

enum result engine_check_proxy(const struct engine *engine, const struct url *url, bool ignores, const struct proxy_choice *choice,
                               struct fault *fault)
{
	const struct allowed allowed = settings_allowed(engine->parts.settings);
	struct proxy_rule rules[PROXY_RULES_MAX];
	size_t count = read_table(engine, rules);

	if (choice->source != PROXY_FROM_JOB || choice->address[0] == '\0')
		return RESULT_OK;
	for (size_t i = 0; i < count; i++)
		if (strcmp(rules[i].address, choice->address) == 0)
			return RESULT_OK;
	return allow_proxy(&allowed, url, ignores, choice->address, fault);
}

static enum result of_job(struct engine *engine, const struct job_proxies *wanted, const struct url *url,
                          struct proxies_found *found, struct fault *fault)
{
	const bool ignores = engine_may_ignore(engine, url, wanted->tls_ignore) != 0;
	char list[PROXY_TEXT_BYTES_MAX + 1], bypass[PROXY_TEXT_BYTES_MAX + 1];
	enum result result = store_proxy(engine->parts.store, wanted->row, list, bypass, fault);

	if (result == RESULT_OK)
		result = proxy_choose(text_view(list), text_view(bypass), url, PROXY_FROM_JOB, found->choices, &found->count,
		                      fault);
	for (size_t i = 0; result == RESULT_OK && i < found->count; i++)
		result = engine_check_proxy(engine, url, ignores, &found->choices[i], fault);
	return result;
}

/* False: there is no entry for the host. */
static bool of_table(const struct engine *engine, const struct url *url, struct proxy_choice *ret_choice)
{
	struct proxy_rule rules[PROXY_RULES_MAX];
	const struct proxy_rule *rule = proxy_rule_for(rules, read_table(engine, rules), url);

	if (rule == NULL)
		return false;
	*ret_choice = (struct proxy_choice){ .source = PROXY_FROM_TABLE };
	memcpy(ret_choice->address, rule->address, sizeof(ret_choice->address));
	return true;
}

/* --- what the system has --- */

static bool name_server(const struct url *url, char to[HOST_NAME_BYTES_MAX])
{
	return text_format(to, HOST_NAME_BYTES_MAX, "%s%.*s:%u", url->secure ? "s:" : "", (int)url->host.length, url->host.bytes,
	                   (unsigned)url->port) == RESULT_OK;
}

void crew_forget_proxies(struct crew *crew)
{
	for (struct known_proxies *known = TAKE(crew->proxies), *next; known != NULL; known = next) {
		next = known->next;
		free(known);
	}
}

static struct known_proxies **find_known(struct crew *crew, const char *server, enum proxy_mode mode)
{
	struct known_proxies **place = &crew->proxies;

	while (*place != NULL && ((*place)->mode != mode || strcmp((*place)->server, server) != 0))
		place = &(*place)->next;
	return place;
}

static void forget(struct known_proxies **place)
{
	struct known_proxies *known = *place;

	*place = known->next;
	free(known);
}

static void forget_surplus(struct crew *crew)
{
	struct known_proxies **place = &crew->proxies;

	for (unsigned i = 0; i < KNOWN_MAX && *place != NULL; i++)
		place = &(*place)->next;
	while (*place != NULL)
		forget(place);
}

/* One question for all that wait for its answer. */
static enum result ask_system(struct engine *engine, struct flight *flight, const char *server, struct fault *fault)
{
	struct crew *crew = flight->active->crews[JOB_SIDE_NETWORK];
	struct worker *worker = crew_proxy_worker(engine, crew, fault);
	struct known_proxies *known = worker != NULL ? calloc(1, sizeof(*known)) : NULL;
	struct order *order = known != NULL ? calloc(1, sizeof(*order)) : NULL;

	if (order == NULL) {
		free(known);
		return worker == NULL ? fault->result : fault_set(fault, RESULT_NO_MEMORY, FAULT_FERRY, 0, "ask for proxies");
	}
	*known = (struct known_proxies){ .next = crew->proxies, .mode = flight->active->proxy_mode };
	text_display(known->server, sizeof(known->server), "%s", server);
	crew->proxies = known;
	forget_surplus(crew);
	*order = (struct order){ .kind = ORDER_PROXY, .flight = flight->number, .bytes = flight->active->proxy_mode,
		                 .file = flight->file, .list = BUFFER(HOST_NAME_BYTES_MAX) };
	if (buffer_append(&order->list, server, strlen(server) + 1) != RESULT_OK) {
		order_free(order);
		order = NULL; /* engine_send breaks the turn */
	}
	engine_send(engine, worker, order);
	return RESULT_OK;
}

/* RESULT_OK with *ret_waits: an answer is waited for. */
static enum result of_system(struct engine *engine, struct flight *flight, const char *server, bool *ret_waits,
                             struct fault *fault)
{
	struct known_proxies **place = find_known(flight->active->crews[JOB_SIDE_NETWORK], server, flight->active->proxy_mode);

	if (*place != NULL && (*place)->answered && (*place)->until_ms <= engine_mono(engine))
		forget(place);
	else if (*place != NULL && (*place)->answered) {
		flight->proxy = best_of(engine, flight, &(*place)->found);
		return RESULT_OK;
	} else if (*place != NULL) {
		*ret_waits = true;
		return RESULT_OK;
	}
	*ret_waits = true;
	return ask_system(engine, flight, server, fault);
}

/* --- all together --- */

enum result engine_proxies_said(struct engine *engine, const struct job_proxies *wanted, const struct url *url,
                                struct proxies_found *ret_found, char ret_server[HOST_NAME_BYTES_MAX], struct fault *fault)
{
	ret_server[0] = '\0';
	*ret_found = (struct proxies_found){ .count = 1, .choices = { { .source = PROXY_FROM_NOTHING } } };
	if (wanted->mode == PROXY_EXPLICIT)
		return of_job(engine, wanted, url, ret_found, fault);
	if (wanted->mode == PROXY_NONE)
		ret_found->choices[0].source = PROXY_FROM_JOB;
	else if (!of_table(engine, url, &ret_found->choices[0]) && engine->parts.asks_for_proxies && !name_server(url, ret_server))
		ret_server[0] = '\0'; /* too long for anybody's */
	return RESULT_OK;
}

/* --- a flight --- */

static enum result choose(struct engine *engine, struct flight *flight, bool *ret_waits, struct fault *fault)
{
	struct url url;
	struct proxies_found found;
	char server[HOST_NAME_BYTES_MAX];
	enum result result = url_parse(text_view(flight->file.url), &url, fault);

	flight->proxy = (struct proxy_choice){ .source = PROXY_FROM_NOTHING };
	if (result != RESULT_OK || url.share)
		return result;
	result = active_check_headers(engine, flight->active, fault);
	if (result != RESULT_OK)
		return result;
	const struct active *active = flight->active;
	const struct job_proxies wanted = { active->row, active->proxy_mode, active->tls_ignore };
	result = engine_proxies_said(engine, &wanted, &url, &found, server, fault);
	if (result == RESULT_OK && server[0] != '\0')
		return of_system(engine, flight, server, ret_waits, fault);
	if (result == RESULT_OK)
		flight->proxy = best_of(engine, flight, &found);
	return result;
}

static void give_up(struct engine *engine, struct flight *flight, const struct fault *fault)
{
	flight->fault = *fault;
	flight->stage = FLIGHT_CLOSING;
	flight_last_order(engine, flight, ORDER_CLOSE, flight->file.bytes_recorded);
}

void flight_fetch(struct engine *engine, struct flight *flight)
{
	struct fault fault;
	bool waits = false;

	if (choose(engine, flight, &waits, &fault) != RESULT_OK) {
		give_up(engine, flight, &fault);
		return;
	}
	flight->stage = waits ? FLIGHT_ASKING : FLIGHT_FETCHING;
	if (!waits)
		flight_order(engine, flight, ORDER_FETCH, 0);
}

void engine_forget_proxies(struct engine *engine)
{
	for (struct crew *crew = engine->crews; crew != NULL; crew = crew->next) {
		for (struct known_proxies **place = &crew->proxies; *place != NULL;)
			if ((*place)->answered)
				forget(place);
			else
				place = &(*place)->next;
		memset(crew->bad_proxies, 0, sizeof(crew->bad_proxies));
	}
}

/* Those that waited for it go on, or not. */
static void go_on(struct engine *engine, const struct crew *crew, const char *server, enum proxy_mode mode,
                  const struct fault *fault)
{
	for (struct active *active = engine->actives; active != NULL; active = active->next) {
		if (active->crews[JOB_SIDE_NETWORK] != crew || active->proxy_mode != mode)
			continue;
		for (struct flight *flight = active->flights; flight != NULL; flight = flight->next) {
			char of_flight[HOST_NAME_BYTES_MAX];
			struct url url;

			if (flight->stage != FLIGHT_ASKING || url_parse(text_view(flight->file.url), &url, NULL) != RESULT_OK ||
			    !name_server(&url, of_flight) || strcmp(of_flight, server) != 0)
				continue;
			if (fault != NULL)
				give_up(engine, flight, fault);
			else
				flight_fetch(engine, flight);
		}
	}
}

static struct crew *crew_of(const struct engine *engine, const struct worker *worker)
{
	struct crew *crew = engine->crews;

	while (crew != NULL && crew->workers[WORKER_PROXY] != worker)
		crew = crew->next;
	return crew;
}

enum result engine_read_proxies(const struct report *report, struct proxies_found *ret_found, struct fault *fault)
{
	const char *server = report->names.bytes, *list = server + strlen(server) + 1, *bypass = list + strlen(list) + 1;
	char text[HOST_NAME_BYTES_MAX + 16];
	bool secure = strncmp(server, "s:", 2) == 0;
	struct url url;

	text_display(text, sizeof(text), "%s://%s/", secure ? "https" : "http", server + (secure ? 2 : 0));
	enum result result = url_parse(text_view(text), &url, fault);
	if (result == RESULT_OK)
		result = proxy_choose(text_view(list), text_view(bypass), &url, (enum proxy_source)report->bytes,
		                      ret_found->choices, &ret_found->count, fault);
	ret_found->missed = report->fault;
	return result;
}

void engine_proxies_answered(struct engine *engine, const struct report *report)
{
	struct crew *crew = crew_of(engine, report->worker);
	const char *server = report->names.bytes;
	struct known_proxies **place = crew != NULL && server != NULL
	                                       ? find_known(crew, server, (enum proxy_mode)report->bytes_total)
	                                       : NULL;
	struct fault fault = report->fault;
	enum result result = report->result;

	if (place == NULL)
		return; /* its crew is gone */
	if (*place == NULL) { /* forgotten for others meanwhile: whoever waits asks anew */
		go_on(engine, crew, server, (enum proxy_mode)report->bytes_total, NULL);
		return;
	}
	struct known_proxies *known = *place;
	if (result == RESULT_OK)
		result = engine_read_proxies(report, &known->found, &fault);
	known->answered = true;
	known->until_ms = engine_mono(engine) + KEEP_MS;
	go_on(engine, crew, server, known->mode, result == RESULT_OK ? NULL : &fault);
	if (result != RESULT_OK) {
		place = find_known(crew, server, (enum proxy_mode)report->bytes_total);
		if (*place != NULL)
			forget(place); /* it is asked for anew */
	}
}
