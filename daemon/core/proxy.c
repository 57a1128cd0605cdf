#include "core/proxy.h"

#include <assert.h>
#include <string.h>

#define PROXY_PORT 80

static const char *const mode_names[PROXY_MODE_COUNT] = { "preconfigured", "none", "explicit", "autodetect" };
static const char *const source_names[PROXY_SOURCE_COUNT] = {
	"none", "table", "job", "identity-settings", "identity-script", "machine-settings", "autodetect",
};

const char *proxy_mode_name(enum proxy_mode mode)
{
	return mode_names[mode];
}

bool proxy_mode_from_name(struct text_view name, enum proxy_mode *ret_mode)
{
	for (int mode = 0; mode < PROXY_MODE_COUNT; mode++) {
		if (text_is(name, mode_names[mode])) {
			*ret_mode = (enum proxy_mode)mode;
			return true;
		}
	}
	return false;
}

const char *proxy_source_name(enum proxy_source source)
{
	return source_names[source];
}

bool proxy_source_from_name(struct text_view name, enum proxy_source *ret_source)
{
	for (int source = 0; source < PROXY_SOURCE_COUNT; source++) {
		if (text_is(name, source_names[source])) {
			*ret_source = (enum proxy_source)source;
			return true;
		}
	}
	return false;
}

/* --- words --- */

static enum result refuse(struct fault *fault, const char *why)
{
	return fault_set(fault, RESULT_INVALID_ARGUMENT, FAULT_FERRY, 0, "%s", why);
}

static char lower(char byte)
{
	return byte >= 'A' && byte <= 'Z' ? (char)(byte | 0x20) : byte;
}

static bool begins_with(struct text_view text, const char *literal)
{
	size_t length = strlen(literal);
	if (text.length < length)
		return false;
	for (size_t i = 0; i < length; i++) {
		if (lower(text.bytes[i]) != literal[i])
			return false;
	}
	return true;
}

/* Whether the text is `literal` (lower case), whatever its case. */
static bool says(struct text_view text, const char *literal)
{
	return text.length == strlen(literal) && begins_with(text, literal);
}

static struct text_view without(struct text_view text, size_t bytes)
{
	return (struct text_view){ text.bytes + bytes, text.length - bytes };
}

/* Take `literal` from the front, whatever its case. */
static bool take(struct text_view *text, const char *literal)
{
	bool taken = begins_with(*text, literal);
	if (taken)
		*text = without(*text, strlen(literal));
	return taken;
}

/* Where `end` stands, or behind the text. */
static size_t find(struct text_view text, char end)
{
	const char *at = text.length > 0 ? memchr(text.bytes, end, text.length) : NULL;
	return at ? (size_t)(at - text.bytes) : text.length;
}

static bool is_blank(char byte)
{
	return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

/* The next entry of a list, without what separates it; false: there is none.  `ret_ended`: a semicolon stands behind
 * it. */
static bool next_word(struct text_view *rest, struct text_view *ret_word, bool *ret_ended)
{
	size_t begin = 0;
	while (begin < rest->length && (is_blank(rest->bytes[begin]) || rest->bytes[begin] == ';'))
		begin++;
	size_t end = begin;
	while (end < rest->length && !is_blank(rest->bytes[end]) && rest->bytes[end] != ';')
		end++;
	*ret_word = (struct text_view){ rest->bytes + begin, end - begin };
	while (end < rest->length && is_blank(rest->bytes[end]))
		end++;
	*ret_ended = end == rest->length || rest->bytes[end] == ';';
	*rest = without(*rest, end);
	return ret_word->length > 0;
}

/* --- a proxy's address --- */

static bool has(struct text_view text, char byte)
{
	return find(text, byte) < text.length;
}

/* host[:port], by the rules of URLs; `ret_url` has views of `spelling`, which is in lower case. */
static enum result read_host(struct text_view text, char spelling[PROXY_BYTES_MAX + 1], struct url *ret_url,
                             struct fault *fault)
{
	struct fault why = { .what = "" };
	if (has(text, '/') || has(text, '?'))
		return refuse(fault, "a path or query");
	if (text.length == 0)
		return refuse(fault, "no host");
	if (text.length + sizeof("http://") > PROXY_BYTES_MAX + 1)
		return refuse(fault, "a host name of more than 253 characters");
	memcpy(spelling, "http://", sizeof("http://"));
	for (size_t i = 0; i < text.length; i++)
		spelling[sizeof("http://") - 1 + i] = lower(text.bytes[i]);
	struct text_view whole = { spelling, sizeof("http://") - 1 + text.length };
	return url_parse(whole, ret_url, &why) == RESULT_OK ? RESULT_OK : refuse(fault, why.what);
}

enum result proxy_parse(struct text_view text, char ret_address[PROXY_BYTES_MAX + 1], struct fault *fault)
{
	char spelling[PROXY_BYTES_MAX + 1];
	struct url url;
	if (has(text, '@'))
		return refuse(fault, "a user name or password in a proxy's address: job.setCredentials takes them");
	if (!take(&text, "http://")) {
		size_t scheme = find(text, ':');
		if (begins_with(without(text, scheme), "://"))
			return refuse(fault, "a proxy of another kind than http, which Ferry speaks for https URLs too");
	}
	if (text.length > 0 && text.bytes[text.length - 1] == '/') /* as many people write it */
		text.length--;
	enum result result = read_host(text, spelling, &url, fault);
	if (result != RESULT_OK)
		return result;
	char host[PROXY_BYTES_MAX + 1];
	result = url_print_host(url.host, host, sizeof(host));
	return result == RESULT_OK ? text_format(ret_address, PROXY_BYTES_MAX + 1, "http://%s:%u", host, url.port) : result;
}

/* --- bypass lists --- */

/* One entry of a bypass list. */
struct exempt {
	enum { EXEMPT_HOST, EXEMPT_LOCAL, EXEMPT_NOT_LOOPBACK } kind;
	bool http, https;
	uint16_t port; /* 0: any */
	struct text_view host;
};

static bool is_host_byte(char byte)
{
	byte = lower(byte);
	return (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || (byte != '\0' && strchr("-_.*", byte));
}

static bool read_port(struct text_view digits, uint16_t *ret_port)
{
	unsigned port = 0;
	if (digits.length == 0 || digits.length > 5)
		return false;
	for (size_t i = 0; i < digits.length; i++) {
		if (digits.bytes[i] < '0' || digits.bytes[i] > '9')
			return false;
		port = port * 10 + (unsigned)(digits.bytes[i] - '0');
	}
	*ret_port = (uint16_t)port;
	return port > 0 && port <= UINT16_MAX;
}

/* What Windows does not read is not read: ".suffix", "10.0.0.0/8", an address without its brackets. */
static bool read_exempt(struct text_view word, struct exempt *ret_exempt)
{
	*ret_exempt = (struct exempt){ .http = true, .https = true };
	if (says(word, "<local>") || says(word, "<-loopback>")) {
		ret_exempt->kind = says(word, "<local>") ? EXEMPT_LOCAL : EXEMPT_NOT_LOOPBACK;
		return true;
	}
	if (take(&word, "http://"))
		ret_exempt->https = false;
	else if (take(&word, "https://"))
		ret_exempt->http = false;
	size_t end = 0;
	if (word.length > 0 && word.bytes[0] == '[') {
		struct url url;
		char spelling[PROXY_BYTES_MAX + 1];
		end = find(word, ']') + 1;
		if (end > word.length || read_host((struct text_view){ word.bytes, end }, spelling, &url, NULL) != RESULT_OK)
			return false;
	} else {
		while (end < word.length && is_host_byte(word.bytes[end]))
			end++;
		if (end == 0 || word.bytes[0] == '.')
			return false;
	}
	ret_exempt->host = (struct text_view){ word.bytes, end };
	return end == word.length || (word.bytes[end] == ':' && read_port(without(word, end + 1), &ret_exempt->port));
}

/* '*' is any bytes, none too.  Only the last '*' is ever gone back to, so it takes no more steps than both are long,
 * multiplied. */
static bool matches(struct text_view pattern, struct text_view host)
{
	size_t at = 0, star = SIZE_MAX, from = 0;
	for (size_t i = 0; i < host.length;) {
		if (at < pattern.length && pattern.bytes[at] == '*') {
			star = at++;
			from = i;
		} else if (at < pattern.length && lower(pattern.bytes[at]) == lower(host.bytes[i])) {
			at++;
			i++;
		} else if (star != SIZE_MAX) {
			at = star + 1;
			i = ++from;
		} else {
			return false;
		}
	}
	while (at < pattern.length && pattern.bytes[at] == '*')
		at++;
	return at == pattern.length;
}

/* An address in brackets is one however it is written, and there is no '*' in it. */
static bool matches_host(struct text_view pattern, struct text_view host)
{
	return url_same_host(pattern, host) || matches(pattern, host);
}

bool proxy_bypasses(struct text_view bypass, const struct url *url)
{
	struct text_view word;
	bool ended;
	while (next_word(&bypass, &word, &ended)) {
		struct exempt exempt;
		if (!read_exempt(word, &exempt) || !(url->secure ? exempt.https : exempt.http))
			continue;
		if (exempt.kind == EXEMPT_LOCAL && !has(url->host, '.') && !has(url->host, ':'))
			return true;
		if (exempt.kind == EXEMPT_HOST && (exempt.port == 0 || exempt.port == url->port) &&
		    matches_host(exempt.host, url->host))
			return true;
	}
	return false;
}

static bool is_this_machine(struct text_view host)
{
	bool address = begins_with(host, "127.");
	for (size_t i = 0; i < host.length; i++)
		address = address && (host.bytes[i] == '.' || (host.bytes[i] >= '0' && host.bytes[i] <= '9'));
	return address || url_same_host(host, text_view("[::1]")) || says(host, "localhost") || matches(text_view("*.localhost"), host);
}

/* With what is exempt without being in the list. */
static bool bypasses_from(enum proxy_source source, struct text_view bypass, const struct url *url)
{
	struct text_view word, rest = bypass;
	bool ended, loopback = source == PROXY_FROM_IDENTITY || source == PROXY_FROM_MACHINE;
	while (loopback && next_word(&rest, &word, &ended))
		loopback = !says(word, "<-loopback>");
	return (loopback && is_this_machine(url->host)) || proxy_bypasses(bypass, url);
}

/* --- lists --- */

/* One entry of a list; of a script's "PROXY host" both words. */
struct entry {
	enum { FOR_BOTH, FOR_HTTP, FOR_HTTPS, FOR_OTHERS } scheme;
	bool direct;
	enum result usable;
	char address[PROXY_BYTES_MAX + 1];
};

/* A script's words for kinds of proxies; `ret_http`: one that Ferry can use. */
static bool is_kind(struct text_view word, bool *ret_http)
{
	*ret_http = says(word, "proxy") || says(word, "http");
	return *ret_http || says(word, "https") || says(word, "socks") || says(word, "socks4") || says(word, "socks5");
}

static bool next_entry(struct text_view *rest, struct entry *entry, struct fault *fault)
{
	struct text_view word;
	bool ended, http;
	*entry = (struct entry){ .usable = RESULT_OK };
	if (!next_word(rest, &word, &ended))
		return false;
	/* "proxy" may be a host's name too, but not before a second word. */
	if (!ended && is_kind(word, &http)) {
		next_word(rest, &word, &ended);
		if (!http) {
			entry->usable = refuse(fault, "a proxy of another kind than http");
			return true;
		}
	}
	entry->direct = says(word, "direct");
	size_t equals = find(word, '=');
	if (equals < word.length) {
		struct text_view scheme = { word.bytes, equals };
		word = without(word, equals + 1);
		entry->scheme = says(scheme, "http") ? FOR_HTTP : says(scheme, "https") ? FOR_HTTPS : FOR_OTHERS;
		if (says(scheme, "socks")) { /* as a scheme it is for all that have no entry of their own */
			entry->scheme = FOR_BOTH;
			entry->usable = refuse(fault, "a SOCKS proxy: Ferry uses http ones only");
			return true;
		}
	}
	if (!entry->direct)
		entry->usable = proxy_parse(word, entry->address, fault);
	return true;
}

enum result proxy_choose(struct text_view list, struct text_view bypass, const struct url *url,
                         enum proxy_source source, struct proxy_choice ret_choices[PROXY_LIST_MAX], size_t *ret_count,
                         struct fault *fault)
{
	struct proxy_choice direct = { .source = source };
	struct entry entry;
	size_t count = 0;
	bool wanted = false;

	assert(!url->share);
	direct.bypassed = list.length > 0 && bypasses_from(source, bypass, url);
	while (!direct.bypassed && count < PROXY_LIST_MAX && next_entry(&list, &entry, NULL)) {
		if (entry.scheme == FOR_OTHERS || entry.scheme == (url->secure ? FOR_HTTP : FOR_HTTPS))
			continue;
		wanted = true;
		if (entry.usable != RESULT_OK)
			continue;
		ret_choices[count] = (struct proxy_choice){ .source = source };
		memcpy(ret_choices[count++].address, entry.address, sizeof(entry.address));
	}
	if (count == 0 && wanted)
		return fault_set(fault, RESULT_BAD_PROXY, FAULT_FERRY, 0, "proxies by %s", proxy_source_name(source));
	if (count == 0)
		ret_choices[count++] = direct;
	*ret_count = count;
	return RESULT_OK;
}

enum result proxy_check(enum proxy_mode mode, struct text_view list, struct text_view bypass, struct fault *fault)
{
	struct entry entry;
	struct text_view word;
	size_t count = 0;
	bool ended;

	if (list.length > PROXY_TEXT_BYTES_MAX || bypass.length > PROXY_TEXT_BYTES_MAX)
		return fault_set(fault, RESULT_TOO_LONG, FAULT_FERRY, 0, "a list of more than %d bytes", PROXY_TEXT_BYTES_MAX);
	if (mode != PROXY_EXPLICIT)
		return list.length == 0 && bypass.length == 0 ? RESULT_OK
		                                              : refuse(fault, "a list is for explicit proxies only");
	for (; next_entry(&list, &entry, fault); count++) {
		if (entry.usable != RESULT_OK)
			return entry.usable;
		if (entry.scheme == FOR_OTHERS)
			return refuse(fault, "a proxy for another scheme than http and https");
	}
	if (count == 0 || count > PROXY_LIST_MAX)
		return refuse(fault, count == 0 ? "explicit proxies without a list of them" : "a list of more than 8 proxies");
	while (next_word(&bypass, &word, &ended)) {
		struct exempt exempt;
		if (!read_exempt(word, &exempt))
			return refuse(fault, "a bypass list has [SCHEME://]HOST[:PORT] with '*' for any part, and <local>");
	}
	return RESULT_OK;
}

/* --- the configuration's table --- */

static enum result read_rule_host(struct text_view host, struct proxy_rule *rule, struct fault *fault)
{
	char spelling[PROXY_BYTES_MAX + 1] = "";
	struct url url;
	struct text_view name = host;
	if (host.length == 0)
		return refuse(fault, "an entry is HOST PROXY, with one blank between");
	if (says(host, "*"))
		return text_copy(rule->host, sizeof(rule->host), host);
	bool suffix = take(&name, "*.");
	if (has(name, '*'))
		return refuse(fault, "a host with '*' elsewhere than in \"*.suffix\" or alone");
	enum result result = read_host(name, spelling, &url, fault);
	if (result != RESULT_OK)
		return result;
	if (url.host.length != name.length)
		return refuse(fault, "a host with a port");
	size_t begin = suffix ? strlen("*.") : 0;
	memcpy(rule->host, "*.", begin);
	return url_print_host(url.host, rule->host + begin, sizeof(rule->host) - begin);
}

enum result proxy_rule_parse(struct text_view text, struct proxy_rule *ret_rule, struct fault *fault)
{
	struct proxy_rule rule = { .host = "" };
	size_t blank = find(text, ' ');
	struct text_view host = { text.bytes, blank }, proxy = without(text, blank < text.length ? blank + 1 : blank);
	if (proxy.length == 0 || has(proxy, ' '))
		return refuse(fault, "an entry is HOST PROXY, with one blank between");
	enum result result = read_rule_host(host, &rule, fault);
	if (result == RESULT_OK && !says(proxy, "direct"))
		result = proxy_parse(proxy, rule.address, fault);
	if (result == RESULT_OK)
		*ret_rule = rule;
	return result;
}

const struct proxy_rule *proxy_rule_for(const struct proxy_rule *rules, size_t count, const struct url *url)
{
	const struct proxy_rule *best = NULL;
	size_t best_rank = 0;
	for (size_t i = 0; i < count && !url->share; i++) {
		struct text_view host = text_view(rules[i].host);
		size_t rank = host.bytes[0] == '*' ? host.length : SIZE_MAX;
		if (rank > best_rank && matches_host(host, url->host)) {
			best = &rules[i];
			best_rank = rank;
		}
	}
	return best;
}
