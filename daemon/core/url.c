#include "core/url_private.h"

#include <string.h>

#include "core/destination.h"

#define SHARE_PORT 445 /* SMB's */

/* Take `literal` (lower case) from the front, whatever its case. */
static bool take(struct text_view *text, const char *literal)
{
	size_t length = strlen(literal);
	if (text->length < length)
		return false;
	for (size_t i = 0; i < length; i++)
		if (lower(text->bytes[i]) != literal[i])
			return false;
	text->bytes += length;
	text->length -= length;
	return true;
}

/* --- bytes --- */

/* The text goes to the server as it is, so it must be what may stand on a request line.  '[', ']', '|' and
 * '^' are let by in path and query, where RFC 3986 would have them escaped: browsers send them, servers
 * take them. */
static enum result check_bytes(struct text_view text, struct fault *fault)
{
	for (size_t i = 0; i < text.length; i++) {
		unsigned char byte = (unsigned char)text.bytes[i];
		if (byte < 0x20 || byte == 0x7F)
			return refuse(fault, "a control character");
		if (byte == ' ')
			return refuse(fault, "a space: write it as %20");
		if (byte >= 0x80)
			return refuse(fault, "a character beyond ASCII: percent-encode it, "
			                     "or write the host in punycode (xn--...)");
		if (byte == '\\')
			return refuse(fault, "a backslash: URLs have forward slashes");
		if (byte == '#')
			return refuse(fault, "a fragment: '#' and what follows is not part of a file's URL");
		if (strchr("\"<>`{}", byte))
			return refuse(fault, "a character that must be percent-encoded (one of \"<>`{})");
		if (byte == '%' &&
		    !(i + 2 < text.length && is_hex(text.bytes[i + 1]) && is_hex(text.bytes[i + 2])))
			return refuse(fault, "a '%' that is not followed by two hexadecimal digits");
	}
	return RESULT_OK;
}

/* --- the parts --- */

static enum result check_port(struct text_view digits, uint16_t *ret_port, struct fault *fault)
{
	unsigned long port = 0;
	if (digits.length == 0)
		return refuse(fault, "a ':' without a port");
	if (digits.length > 5)
		return refuse(fault, "a port that is not between 1 and 65535");
	for (size_t i = 0; i < digits.length; i++) {
		if (!is_digit(digits.bytes[i]))
			return refuse(fault, "a port that is not a number");
		port = port * 10 + (unsigned long)(digits.bytes[i] - '0');
	}
	if (port < 1 || port > 65535)
		return refuse(fault, "a port that is not between 1 and 65535");
	*ret_port = (uint16_t)port;
	return RESULT_OK;
}

/* host[:port], with url->port holding the scheme's own. */
static enum result parse_authority(struct text_view authority, struct url *url, struct fault *fault)
{
	if (authority.length > 0 && memchr(authority.bytes, '@', authority.length))
		return refuse(fault, "a user name or password");

	size_t end = 0;
	if (authority.length > 0 && authority.bytes[0] == '[') {
		while (end < authority.length && authority.bytes[end] != ']')
			end++;
		if (end == authority.length)
			return refuse(fault, "a '[' without ']' in the host");
		end++;
		url->host = (struct text_view){ authority.bytes, end };
		if (!url_is_address(url->host))
			return refuse(fault, "a host in brackets that is no IPv6 address");
		if (end < authority.length && authority.bytes[end] != ':')
			return refuse(fault, "something between the host's ']' and the port");
	} else {
		while (end < authority.length && authority.bytes[end] != ':')
			end++;
		url->host = (struct text_view){ authority.bytes, end };
		if (url->host.length == 0)
			return refuse(fault, "no host");
		enum result result = url_check_name(url->host, fault);
		if (result != RESULT_OK)
			return result;
	}
	if (end == authority.length)
		return RESULT_OK;
	struct text_view digits = { authority.bytes + end + 1, authority.length - end - 1 };
	return check_port(digits, &url->port, fault);
}

/* --- shares --- */

static size_t up_to(struct text_view text, size_t begin, char byte)
{
	while (begin < text.length && text.bytes[begin] != byte)
		begin++;
	return begin;
}

/* What holds of a path that is written holds of one that is read: pipes, devices, streams and other spellings of a name are
 * no files there either.  By '@' and DavWWWRoot Windows reaches its WebDAV client, which is HTTP with proxies and credentials
 * that are not ours to judge. */
static enum result parse_share(struct text_view text, struct url *ret_url, struct fault *fault)
{
	struct url url = { .share = true, .port = SHARE_PORT };
	struct destination file;
	struct fault why;
	size_t server_end = up_to(text, 2, '\\');

	if (memchr(text.bytes, '@', server_end))
		return refuse(fault, "a server of Windows' WebDAV client ('@'): give its http or https URL");
	enum result result = destination_parse(PATH_WINDOWS, text, &file, &why);
	if (result != RESULT_OK)
		return fault_set(fault, result == RESULT_TOO_LONG ? result : RESULT_BAD_URL, FAULT_FERRY, 0, "%s", why.what);
	struct text_view share = { text.bytes + server_end + 1, up_to(text, server_end + 1, '\\') - server_end - 1 };
	if (share.length == sizeof("davwwwroot") - 1 && take(&share, "davwwwroot"))
		return refuse(fault, "a share of Windows' WebDAV client (DavWWWRoot): give its http or https URL");
	url.host = (struct text_view){ text.bytes + 2, server_end - 2 };
	url.path = (struct text_view){ text.bytes + server_end, text.length - server_end };
	if (ret_url)
		*ret_url = url;
	return RESULT_OK;
}

bool url_is_share(struct text_view text)
{
	return text.length >= 2 && text.bytes[0] == '\\' && text.bytes[1] == '\\';
}

enum result url_parse(struct text_view text, struct url *ret_url, struct fault *fault)
{
	struct url url = { .port = 80 };
	if (text.length > URL_BYTES_MAX)
		return fault_set(fault, RESULT_TOO_LONG, FAULT_FERRY, 0, "a URL of more than %d bytes",
		                 URL_BYTES_MAX);
	if (url_is_share(text))
		return parse_share(text, ret_url, fault);
	if (text.length >= 3 && is_letter(text.bytes[0]) && text.bytes[1] == ':' && strchr("\\/", text.bytes[2]))
		return refuse(fault, "a path of this machine: files come from http, https or \\\\server\\share");
	enum result result = check_bytes(text, fault);
	if (result != RESULT_OK)
		return result;

	struct text_view rest = text;
	if (take(&rest, "https://")) {
		url.secure = true;
		url.port = 443;
	} else if (!take(&rest, "http://")) {
		return refuse(fault, "not an absolute http or https URL, nor \\\\server\\share\\file");
	}

	struct text_view authority = { rest.bytes, 0 };
	while (authority.length < rest.length && !strchr("/?", rest.bytes[authority.length]))
		authority.length++;
	result = parse_authority(authority, &url, fault);
	if (result != RESULT_OK)
		return result;

	url.path = (struct text_view){ rest.bytes + authority.length, rest.length - authority.length };
	const char *query = url.path.length > 0 ? memchr(url.path.bytes, '?', url.path.length) : NULL;
	if (query) {
		url.has_query = true;
		url.path.length = (size_t)(query - url.path.bytes);
	}
	if (ret_url)
		*ret_url = url;
	return RESULT_OK;
}

bool url_begins_with(struct text_view text, struct text_view prefix)
{
	struct url url;
	if (prefix.length == 0 || prefix.length > text.length || memcmp(text.bytes, prefix.bytes, prefix.length) != 0 ||
	    url_parse(text, &url, NULL) != RESULT_OK)
		return false;
	const char *end = text.bytes + prefix.length;
	return end <= url.host.bytes || end == url.host.bytes + url.host.length || end >= url.path.bytes;
}

enum result url_replace_prefix(struct text_view text, struct text_view from, struct text_view to,
                               char ret_text[URL_BYTES_MAX + 1], struct fault *fault)
{
	size_t rest = text.length - from.length;
	if (to.length > URL_BYTES_MAX || rest > URL_BYTES_MAX - to.length)
		return fault_set(fault, RESULT_TOO_LONG, FAULT_FERRY, 0, "a URL of more than %d bytes", URL_BYTES_MAX);
	char whole[URL_BYTES_MAX + 1];
	memcpy(whole, to.bytes, to.length);
	memcpy(whole + to.length, text.bytes + from.length, rest);
	whole[to.length + rest] = '\0';
	enum result result = url_parse((struct text_view){ whole, to.length + rest }, NULL, fault);
	if (result == RESULT_OK)
		memcpy(ret_text, whole, to.length + rest + 1);
	return result;
}

/* --- below a prefix --- */

/* Encoded separators, and segments of dots, which some servers take for such with a ';' behind them too. */
static bool has_ambiguity(struct text_view path)
{
	for (size_t i = 0; i < path.length; i++) {
		struct text_view rest = { path.bytes + i, path.length - i };
		unsigned dots = 0;

		if (take(&rest, "%2f") || take(&rest, "%5c"))
			return true;
		if (!take(&rest, "/"))
			continue;
		while (take(&rest, ".") || take(&rest, "%2e"))
			dots++;
		if ((dots == 1 || dots == 2) && (rest.length == 0 || rest.bytes[0] == '/' || rest.bytes[0] == ';'))
			return true;
	}
	return false;
}

bool url_is_ambiguous(const struct url *url)
{
	return !url->share && has_ambiguity(url->path);
}

static bool same_bytes(const char *a, const char *b, size_t length, bool any_case)
{
	for (size_t i = 0; i < length; i++) {
		bool letters = any_case && is_letter(a[i]) && is_letter(b[i]);

		if (letters ? (a[i] | 0x20) != (b[i] | 0x20) : a[i] != b[i])
			return false;
	}
	return true;
}

bool url_is_inside(const struct url *url, const struct url *prefix)
{
	char separator = prefix->share ? '\\' : '/';
	size_t length = prefix->path.length;

	if (url->secure != prefix->secure || url->share != prefix->share || url->port != prefix->port ||
	    !url_same_host(url->host, prefix->host))
		return false;
	if (length <= 1) /* the whole host */
		return true;
	if (prefix->path.bytes[length - 1] == separator)
		length--;
	return url->path.length >= length && same_bytes(url->path.bytes, prefix->path.bytes, length, prefix->share) &&
	       (url->path.length == length || url->path.bytes[length] == separator) &&
	       !url_is_ambiguous(url);
}

void url_redact(struct text_view text, char *to, size_t size)
{
	struct url url;
	if (url_parse(text, &url, NULL) != RESULT_OK) {
		text_display(to, size, "(not a URL)");
		return;
	}
	/* There is no userinfo in what parses: all up to the path's end may be shown. */
	int length = (int)(url.path.bytes + url.path.length - text.bytes);
	text_display(to, size, "%.*s%s", length, text.bytes, url.has_query ? "?..." : "");
}
