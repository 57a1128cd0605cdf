/* runtime/engine: by which proxy a file is fetched.  What a job says goes before the configuration's table. */
#include "runtime/engine_private.h"

#include <string.h>

static bool is_bad(const struct engine *engine, const char *address)
{
	for (unsigned i = 0; i < BAD_PROXIES_MAX; i++)
		if (engine->bad_proxies[i].until_ms > engine_mono(engine) && strcmp(engine->bad_proxies[i].address, address) == 0)
			return true;
	return false;
}

void engine_proxy_failed(struct engine *engine, const struct flight *flight, enum result result)
{
	struct bad_proxy *oldest = &engine->bad_proxies[0];

	if (flight->proxy.address[0] == '\0' || (result != RESULT_CONNECT_FAILED && result != RESULT_NAME_NOT_RESOLVED))
		return;
	for (unsigned i = 1; i < BAD_PROXIES_MAX; i++)
		if (engine->bad_proxies[i].until_ms < oldest->until_ms)
			oldest = &engine->bad_proxies[i];
	memcpy(oldest->address, flight->proxy.address, sizeof(oldest->address));
	oldest->until_ms = engine_mono(engine) + BAD_PROXY_MS;
}

/* The first that is not known to be bad; of bad ones the first. */
static struct proxy_choice best_of(const struct engine *engine, const struct proxy_choice *choices, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (choices[i].address[0] == '\0' || !is_bad(engine, choices[i].address))
			return choices[i];
	return choices[0];
}

static enum result of_job(struct engine *engine, struct flight *flight, const struct url *url, struct fault *fault)
{
	struct proxy_choice choices[PROXY_LIST_MAX];
	size_t count = 0;
	char list[PROXY_TEXT_BYTES_MAX + 1], bypass[PROXY_TEXT_BYTES_MAX + 1];
	enum result result = store_proxy(engine->parts.store, flight->active->row, list, bypass, fault);

	if (result == RESULT_OK)
		result = proxy_choose(text_view(list), text_view(bypass), url, PROXY_FROM_JOB, choices, &count, fault);
	if (result == RESULT_OK)
		flight->proxy = best_of(engine, choices, count);
	return result;
}

/* False: there is no entry for the host. */
static bool of_table(const struct engine *engine, const struct url *url, struct proxy_choice *ret_choice)
{
	const struct settings *settings = engine->parts.settings;
	struct proxy_rule rules[PROXY_RULES_MAX];
	size_t count = 0;
	struct fault ignored;

	for (uint32_t i = 0; i < settings->proxy_table.count; i++)
		if (proxy_rule_parse(text_view(settings->proxy_table.items[i]), &rules[count], &ignored) == RESULT_OK)
			count++;
	const struct proxy_rule *rule = proxy_rule_for(rules, count, url);
	if (rule == NULL)
		return false;
	*ret_choice = (struct proxy_choice){ .source = PROXY_FROM_TABLE };
	memcpy(ret_choice->address, rule->address, sizeof(ret_choice->address));
	return true;
}

enum result flight_choose_proxy(struct engine *engine, struct flight *flight, struct fault *fault)
{
	struct url url;
	enum result result = url_parse(text_view(flight->file.url), &url, fault);

	flight->proxy = (struct proxy_choice){ .source = PROXY_FROM_NOTHING };
	if (result != RESULT_OK || url.share)
		return result;
	switch (flight->active->proxy_mode) {
	case PROXY_NONE:
		flight->proxy.source = PROXY_FROM_JOB;
		return RESULT_OK;
	case PROXY_EXPLICIT: return of_job(engine, flight, &url, fault);
	case PROXY_PRECONFIGURED:
	case PROXY_AUTODETECT:
	case PROXY_MODE_COUNT: break;
	}
	(void)of_table(engine, &url, &flight->proxy);
	return RESULT_OK;
}
