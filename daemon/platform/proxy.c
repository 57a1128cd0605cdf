#include "platform/proxy_system.h"

#include <assert.h>

bool proxy_is_configurable(void)
{
	return proxy_system != NULL;
}

enum result proxy_ask(struct identity *identity, enum proxy_mode mode, const struct url *url, const atomic_bool *gives_up,
                      struct proxy_answer *ret_answer, struct fault *fault)
{
	char origin[PROXY_ORIGIN_BYTES_MAX + 1], port[sizeof(":65535")] = "";
	assert((mode == PROXY_PRECONFIGURED || mode == PROXY_AUTODETECT) && !url->share);
	/* Scripts compare texts, and are used to those of browsers: a scheme's own port is not written. */
	if (url->port != (url->secure ? 443 : 80))
		text_display(port, sizeof(port), ":%u", url->port);
	enum result result = text_format(origin, sizeof(origin), "%s://%.*s%s/", url->secure ? "https" : "http",
	                                 (int)url->host.length, url->host.bytes, port);
	assert(result == RESULT_OK); /* url_parse let by no longer host */
	if (result == RESULT_OK && proxy_system)
		return proxy_system->ask(identity, mode, origin, gives_up, ret_answer, fault);
	*ret_answer = (struct proxy_answer){ .source = PROXY_FROM_NOTHING };
	return result;
}
