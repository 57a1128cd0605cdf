#include "core/allow.h"

#include <string.h>

static const char *const scheme_names[] = { "http", "https", "share" };
#define SCHEMES (sizeof(scheme_names) / sizeof(scheme_names[0]))

bool allow_scheme_from_name(struct text_view name, unsigned *ret_scheme)
{
	for (size_t i = 0; i < SCHEMES; i++)
		if (text_is(name, scheme_names[i])) {
			*ret_scheme = 1u << i;
			return true;
		}
	return false;
}

/* A whole share is no file, but above all of its files. */
static enum result parse_prefix(struct text_view text, struct url *ret_url, struct fault *fault)
{
	const bool ends = text.length > 0 && text.bytes[text.length - 1] == '\\';
	char below[ALLOW_URL_BYTES_MAX + sizeof("\\file")];

	if (!url_is_share(text))
		return url_parse(text, ret_url, fault);
	if (text_format(below, sizeof(below), "%.*s%sfile", (int)text.length, text.bytes, ends ? "" : "\\") != RESULT_OK)
		return fault_set(fault, RESULT_TOO_LONG, FAULT_FERRY, 0, "more than %u bytes", ALLOW_URL_BYTES_MAX);
	enum result result = url_parse(text_view(below), ret_url, fault);
	if (result != RESULT_OK)
		return result;
	ret_url->host.bytes = text.bytes + strlen("\\\\");
	ret_url->path.bytes = ret_url->host.bytes + ret_url->host.length;
	ret_url->path.length = text.length - strlen("\\\\") - ret_url->host.length;
	return RESULT_OK;
}

enum result allow_prefix_check(struct text_view prefix, struct fault *fault)
{
	struct url url;
	enum result result = parse_prefix(prefix, &url, fault);

	if (result == RESULT_OK && (url.has_query || !url_is_inside(&url, &url)))
		result = fault_set(fault, RESULT_BAD_URL, FAULT_FERRY, 0, "a query, or a path with dots or encoded separators in it");
	return result;
}

static bool is_inside_one(const struct url_prefixes *prefixes, const struct url *url)
{
	struct url prefix;

	for (uint32_t i = 0; i < prefixes->count; i++)
		if (parse_prefix(text_view(prefixes->items[i]), &prefix, NULL) == RESULT_OK && url_is_inside(url, &prefix))
			return true;
	return false;
}

enum result allow_url(const struct allowed *allowed, const struct url *url, struct fault *fault)
{
	size_t scheme = url->share ? 2 : url->secure ? 1 : 0;

	if (allowed->schemes != 0 && !(allowed->schemes & 1u << scheme))
		return fault_set(fault, RESULT_BLOCKED_BY_POLICY, FAULT_FERRY, 0, "allow.schemes does not have \"%s\"",
		                 scheme_names[scheme]);
	if (allowed->hosts.count > 0 && !host_patterns_fit(&allowed->hosts, url->host))
		return fault_set(fault, RESULT_BLOCKED_BY_POLICY, FAULT_FERRY, 0, "allow.hosts does not have %.*s",
		                 (int)url->host.length, url->host.bytes);
	if (allowed->urls.count > 0 && !is_inside_one(&allowed->urls, url))
		return fault_set(fault, RESULT_BLOCKED_BY_POLICY, FAULT_FERRY, 0, "it lies below none of allow.urls%s",
		                 url_is_ambiguous(url) ? ", as a path with dots or encoded separators may lead elsewhere" : "");
	return RESULT_OK;
}

/* Is it a server that may be asked? */
static bool is_named(const struct allowed *allowed, struct text_view host)
{
	struct url prefix;

	if (allowed->hosts.count > 0)
		return host_patterns_fit(&allowed->hosts, host);
	for (uint32_t i = 0; i < allowed->urls.count; i++)
		if (parse_prefix(text_view(allowed->urls.items[i]), &prefix, NULL) == RESULT_OK && url_same_host(prefix.host, host))
			return true;
	return allowed->urls.count == 0;
}

enum result allow_proxy(const struct allowed *allowed, const struct url *url, bool ignores, const char *proxy, struct fault *fault)
{
	struct url parsed;

	if ((url->secure && !ignores) || url->share)
		return RESULT_OK;
	enum result result = url_parse(text_view(proxy), &parsed, fault);
	if (result != RESULT_OK || is_named(allowed, parsed.host))
		return result;
	return fault_set(fault, RESULT_BLOCKED_BY_POLICY, FAULT_FERRY, 0,
	                 "neither allow.* nor proxy.table has the proxy %.*s, and %s it could answer as %.*s",
	                 (int)parsed.host.length, parsed.host.bytes,
	                 url->secure ? "with faults of the certificate ignored" : "over http", (int)url->host.length, url->host.bytes);
}
