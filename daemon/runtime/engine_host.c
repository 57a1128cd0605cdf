/* runtime/engine: hosts that fail.  What one job learns of a host holds for all jobs that ask it as the same identity: they
 * leave it alone for a while, rather than each finding out by itself and holding a slot meanwhile.
 *
 * By identity, since what a host answers may be a matter of who asks; so nobody keeps somebody else from a host.
 */
#include "runtime/engine_private.h"

#include <stdlib.h>
#include <string.h>

#include "core/url.h"

#define HOSTS_MAX 256          /* that failed lately; the one that failed longest ago is forgotten */
#define HOST_FAILURES_MAX 5    /* in a row, without any good answer */
#define HOST_REST_MS_FIRST 10000
#define HOST_REST_MS_MAX 300000

struct host {
	struct host *next; /* the one that failed last comes first */
	char who[JOB_OWNER_BYTES_MAX], name[HOST_NAME_BYTES_MAX];
	unsigned failures;
	enum result last;
	int64_t rests_until_ms; /* monotonic */
};

static bool name_host(const char *text, char *to, size_t size)
{
	char host[HOST_NAME_BYTES_MAX];
	struct url url;

	return url_parse(text_view(text), &url, NULL) == RESULT_OK && url_print_host(url.host, host, sizeof(host)) == RESULT_OK &&
	       text_format(to, size, "%s:%u", host, (unsigned)url.port) == RESULT_OK;
}

static struct host **find(struct engine *engine, const char *who, const char *name)
{
	struct host **place = &engine->hosts;

	while (*place != NULL && (strcmp((*place)->who, who) != 0 || strcmp((*place)->name, name) != 0))
		place = &(*place)->next;
	return place;
}

static void forget(struct host **place)
{
	struct host *host = *place;

	*place = host->next;
	free(host);
}

uint32_t engine_host_connect_ms(struct crew *crew, const struct flight *flight, uint32_t measured_ms)
{
	char name[HOST_NAME_BYTES_MAX];

	if (crew == NULL || !name_host(flight->file.url, name, sizeof(name)))
		return measured_ms;
	if (measured_ms > 0) {
		text_display(crew->host, sizeof(crew->host), "%s", name);
		crew->connect_ms = measured_ms;
	}
	return strcmp(crew->host, name) == 0 ? crew->connect_ms : 0;
}

void engine_forget_hosts(struct engine *engine)
{
	while (engine->hosts != NULL)
		forget(&engine->hosts);
}

/* The network failed, and not the host.  What the host asked for itself holds. */
void engine_forget_lost_hosts(struct engine *engine)
{
	for (struct host **place = &engine->hosts; *place != NULL;) {
		if (network_explains((*place)->last))
			forget(place);
		else
			place = &(*place)->next;
	}
}

/* Whoever asks to go on knows better. */
void engine_forget_hosts_of(struct engine *engine, const struct job *job)
{
	struct identity *identity = NULL;

	(void)engine_side(engine, job, JOB_SIDE_NETWORK, &identity);
	for (struct host **place = &engine->hosts; *place != NULL && identity != NULL;) {
		if (strcmp((*place)->who, identity_caller(identity)->owner) == 0)
			forget(place);
		else
			place = &(*place)->next;
	}
}

static void forget_surplus(struct engine *engine)
{
	struct host **place = &engine->hosts;

	for (unsigned count = 0; *place != NULL && count < HOSTS_MAX; count++)
		place = &(*place)->next;
	while (*place != NULL)
		forget(place);
}

/* A status is of one URL, unless the server itself asks to be left alone. */
static bool is_trouble(enum result result, uint32_t retry_after_s)
{
	return result == RESULT_NAME_NOT_RESOLVED || result == RESULT_CONNECT_FAILED || result == RESULT_CONNECTION_CLOSED ||
	       result == RESULT_STALLED || result == RESULT_BAD_RESPONSE || (result == RESULT_HTTP_TRANSIENT && retry_after_s > 0);
}

static int64_t rest_ms(unsigned failures, uint32_t retry_after_s)
{
	int64_t asked_ms = (int64_t)retry_after_s * 1000, own_ms = 0;

	if (failures >= HOST_FAILURES_MAX)
		own_ms = HOST_REST_MS_FIRST;
	for (unsigned i = HOST_FAILURES_MAX; i < failures && own_ms < HOST_REST_MS_MAX; i++)
		own_ms *= 2;
	own_ms = own_ms < HOST_REST_MS_MAX ? own_ms : HOST_REST_MS_MAX;
	return asked_ms > own_ms ? asked_ms : own_ms;
}

void engine_host_answered(struct engine *engine, const struct flight *flight)
{
	const char *who = identity_caller(flight->active->crews[JOB_SIDE_NETWORK]->identity)->owner;
	char name[HOST_NAME_BYTES_MAX];

	if (!name_host(flight->file.url, name, sizeof(name)))
		return;
	struct host **place = find(engine, who, name);

	if (*place != NULL)
		forget(place);
}

void engine_host_failed(struct engine *engine, const struct flight *flight, enum result result)
{
	const char *who = identity_caller(flight->active->crews[JOB_SIDE_NETWORK]->identity)->owner;
	char name[HOST_NAME_BYTES_MAX];

	if (!is_trouble(result, flight->retry_after_s) || !name_host(flight->file.url, name, sizeof(name)))
		return;
	struct host **place = find(engine, who, name), *host = *place;

	if (host != NULL)
		*place = host->next;
	else
		host = calloc(1, sizeof(*host));
	if (host == NULL)
		return; /* each job finds out by itself */
	memcpy(host->who, who, sizeof(host->who));
	memcpy(host->name, name, sizeof(host->name));
	host->failures += host->failures < UINT16_MAX;
	host->last = result;
	host->rests_until_ms = engine_mono(engine) + rest_ms(host->failures, flight->retry_after_s);
	host->next = engine->hosts;
	engine->hosts = host;
	forget_surplus(engine);
}

uint32_t engine_host_rests_s(struct engine *engine, const struct active *active, const char *url, struct fault *fault)
{
	const char *who = identity_caller(active->crews[JOB_SIDE_NETWORK]->identity)->owner;
	char name[HOST_NAME_BYTES_MAX];

	if (engine->hosts == NULL || !name_host(url, name, sizeof(name)))
		return 0;
	const struct host *host = *find(engine, who, name);
	int64_t left_ms = host != NULL ? host->rests_until_ms - engine_mono(engine) : 0;

	if (left_ms <= 0)
		return 0;
	(void)fault_set(fault, host->last, FAULT_FERRY, 0, "%s is left alone for a while, after %u failures in a row",
	                name, host->failures);
	return (uint32_t)((left_ms + 999) / 1000);
}
