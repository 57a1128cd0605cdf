/* By which proxies a URL would be asked for. */
#include <assert.h>
#include <string.h>

#include "ferry_private.h"

static_assert(FERRY_PROXIES_MAX == PROXY_LIST_MAX && FERRY_PROXY_BYTES == PROXY_BYTES_MAX + 1, "what is found fits");

static void proxies_of(const struct proxies_found *from, struct ferry_proxies *to)
{
	to->count = (uint32_t)from->count;
	for (size_t i = 0; i < from->count; i++) {
		const struct proxy_choice *choice = &from->choices[i];

		memcpy(to->proxies[i].address, choice->address, sizeof(choice->address));
		text_display(to->proxies[i].source, sizeof(to->proxies[i].source), "%s", proxy_source_name(choice->source));
		to->proxies[i].bypassed = choice->bypassed;
	}
	ferry_error_of(&from->missed, &to->missed);
}

static enum result show(struct ferry *ferry, struct ferry_job *job, const char *url, struct proxies_found *found,
                        struct fault *fault)
{
	AUTO(json_document) struct json_document *document = NULL;
	struct fault why = { .result = RESULT_OK };
	struct json_writer request;
	struct json answer;
	enum result result = RESULT_OK;

	if (job != NULL)
		result = ferry_request_for(job, METHOD_PROXY_SHOW, &request, fault);
	else
		request = ferry_request(ferry, METHOD_PROXY_SHOW);
	if (result != RESULT_OK)
		return result;
	json_write_text(&request, "url", text_view(url));
	result = ferry_call(ferry, &request, &document, &answer, fault);
	if (result == RESULT_OK && protocol_read_proxies(answer, found, &why) != RESULT_OK)
		result = ferry_not_understood(ferry, &why, fault);
	return result;
}

enum ferry_result ferry_proxy_show(struct ferry *ferry, struct ferry_job *job, const char *url,
                                   struct ferry_proxies *ret_proxies, struct ferry_error *error)
{
	struct fault fault = { .result = RESULT_OK };
	struct proxies_found found;
	enum result result = show(ferry, job, url, &found, &fault);

	if (result == RESULT_OK)
		proxies_of(&found, ret_proxies);
	return ferry_report(result, &fault, error);
}
