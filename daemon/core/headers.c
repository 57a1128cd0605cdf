#include "core/headers.h"

#include <string.h>

#define LINE_END_BYTES 2u /* on the wire */

/* Servers that make names of variables take '_' for '-'. */
static char lower(char c)
{
	if (c == '_')
		return '-';
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* `word` is in lower case. */
static bool begins(struct text_view text, const char *word)
{
	size_t length = strlen(word);

	for (size_t i = 0; i < length; i++)
		if (i >= text.length || lower(text.bytes[i]) != word[i])
			return false;
	return true;
}

static bool is_word(struct text_view text, const char *word)
{
	return text.length == strlen(word) && begins(text, word);
}

/* RFC 9110 section 5.6.2. */
static bool is_token(struct text_view text)
{
	for (size_t i = 0; i < text.length; i++) {
		char c = text.bytes[i], low = lower(c);

		if (!(low >= 'a' && low <= 'z') && !(c >= '0' && c <= '9') && (c == '\0' || strchr("!#$%&'*+-.^_`|~", c) == NULL))
			return false;
	}
	return text.length > 0;
}

static struct text_view name_of(struct text_view line)
{
	const char *colon = line.length > 0 ? memchr(line.bytes, ':', line.length) : NULL;

	return (struct text_view){ line.bytes, colon != NULL ? (size_t)(colon - line.bytes) : 0 };
}

static struct text_view value_of(struct text_view line)
{
	struct text_view value = line;

	value.bytes += name_of(line).length + 1;
	value.length -= name_of(line).length + 1;
	while (value.length > 0 && value.bytes[0] == ' ') {
		value.bytes++;
		value.length--;
	}
	return value;
}

/* What frames the message, chooses what is asked for, or belongs to the connection or the proxy. */
static bool is_transfers_own(struct text_view name)
{
	static const char *const words[] = { "host", "content-length", "transfer-encoding", "te", "trailer", "connection",
		                             "keep-alive", "upgrade", "expect", "range", "request-range", "accept-encoding" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (is_word(name, words[i]))
			return true;
	return begins(name, "if-") || begins(name, "proxy-");
}

static bool is_by_scheme(struct text_view value, const char *scheme)
{
	size_t length = 0;

	while (length < value.length && value.bytes[length] != ' ')
		length++;
	return is_word((struct text_view){ value.bytes, length }, scheme);
}

/* These authenticate the connection and not the request: whoever gets it next would be taken for this one (law 2). */
static bool authenticates_connection(struct text_view value)
{
	static const char *const schemes[] = { "ntlm", "negotiate", "kerberos" };

	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
		if (is_by_scheme(value, schemes[i]))
			return true;
	return false;
}

static enum result check(struct text_view line, const char *field, struct fault *fault)
{
	const struct text_view name = name_of(line);
	const char *why = NULL;

	if (!is_token(name))
		why = "must be \"Name: value\" with a name of letters, digits and !#$%&'*+-.^_`|~";
	else if (is_transfers_own(name) && name.length <= 64)
		return fault_set(fault, RESULT_INVALID_ARGUMENT, FAULT_FERRY, 0, "%s: %.*s is for Ferry to say", field, (int)name.length,
		                 name.bytes);
	else if (is_transfers_own(name))
		why = "has a name that is for Ferry to say";
	else if (text_has_control(line))
		why = "must not contain control characters or line breaks";
	else if (value_of(line).length == 0)
		why = "has no value";
	else if (is_word(name, "authorization") && authenticates_connection(value_of(line)))
		why = "NTLM and Negotiate are not for a header to say; job.setCredentials is for that";
	return why == NULL ? RESULT_OK : fault_set(fault, RESULT_INVALID_ARGUMENT, FAULT_FERRY, 0, "%s: %s", field, why);
}

bool headers_next(const char **block, struct text_view *ret_line)
{
	const char *end = *block != NULL ? strchr(*block, '\n') : NULL;

	if (end == NULL)
		return false;
	*ret_line = (struct text_view){ *block, (size_t)(end - *block) };
	*block = end + 1;
	return true;
}

enum result headers_add(struct buffer *block, struct text_view line, const char *field, struct fault *fault)
{
	size_t count = 1, bytes = line.length + LINE_END_BYTES, names = name_of(line).length + 1;
	const char *rest = block->bytes;
	struct text_view other;
	enum result result = check(line, field, fault);

	if (result != RESULT_OK)
		return result;
	for (; headers_next(&rest, &other); count++) {
		bytes += other.length + LINE_END_BYTES;
		names += name_of(other).length + 1;
	}
	if (count > HEADERS_MAX || bytes > HEADERS_BYTES_MAX || names > HEADERS_NAMES_BYTES_MAX)
		return fault_set(fault, RESULT_TOO_LONG, FAULT_FERRY, 0,
		                 "%s: a job may have %u headers of %u bytes together, and %u of names", field, HEADERS_MAX,
		                 HEADERS_BYTES_MAX, HEADERS_NAMES_BYTES_MAX);
	result = buffer_reserve(block, HEADERS_BYTES_MAX - block->length); /* at once: what grows leaves its old bytes behind */
	if (result == RESULT_OK)
		result = buffer_append(block, line.bytes, line.length);
	if (result == RESULT_OK)
		result = buffer_append(block, "\n", 1);
	return result == RESULT_OK ? RESULT_OK : fault_set(fault, result, FAULT_FERRY, 0, "%s", field);
}

bool headers_has(const char *block, const char *name)
{
	struct text_view line;

	while (headers_next(&block, &line))
		if (is_word(name_of(line), name))
			return true;
	return false;
}

bool headers_authorize_by(const char *block, const char *scheme)
{
	struct text_view line;

	while (headers_next(&block, &line))
		if (is_word(name_of(line), "authorization") && is_by_scheme(value_of(line), scheme))
			return true;
	return false;
}

void headers_names(const char *block, char to[HEADERS_NAMES_BYTES_MAX])
{
	size_t length = 0;
	struct text_view line;

	to[0] = '\0';
	while (headers_next(&block, &line) && length < HEADERS_NAMES_BYTES_MAX) {
		struct text_view name = name_of(line);

		text_display(to + length, HEADERS_NAMES_BYTES_MAX - length, "%s%.*s", length > 0 ? " " : "", (int)name.length, name.bytes);
		length += strlen(to + length);
	}
}
