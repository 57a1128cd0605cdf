#include "core/credentials.h"

#include <string.h>

/* --- names --- */

static const char *const target_names[AUTH_TARGET_COUNT] = { [AUTH_SERVER] = "server", [AUTH_PROXY] = "proxy" };
static const struct {
	const char *name, *on_the_wire;
} schemes[AUTH_SCHEME_COUNT] = {
	[AUTH_BASIC] = { "basic", "Basic" },
	[AUTH_DIGEST] = { "digest", "Digest" },
	[AUTH_NTLM] = { "ntlm", "NTLM" },
	[AUTH_NEGOTIATE] = { "negotiate", "Negotiate" },
};

const char *auth_target_name(enum auth_target target)
{
	return target_names[target];
}

const char *auth_scheme_name(enum auth_scheme scheme)
{
	return schemes[scheme].name;
}

bool auth_target_from_name(struct text_view name, enum auth_target *ret_target)
{
	for (unsigned i = 0; i < AUTH_TARGET_COUNT; i++) {
		if (text_is(name, target_names[i])) {
			*ret_target = (enum auth_target)i;
			return true;
		}
	}
	return false;
}

bool auth_scheme_from_name(struct text_view name, enum auth_scheme *ret_scheme)
{
	for (unsigned i = 0; i < AUTH_SCHEME_COUNT; i++) {
		if (text_is(name, schemes[i].name)) {
			*ret_scheme = (enum auth_scheme)i;
			return true;
		}
	}
	return false;
}

void auth_schemes_display(unsigned flags, char *to, size_t size)
{
	size_t length = 0;

	text_display(to, size, "nothing");
	for (unsigned i = AUTH_SCHEME_COUNT; i-- > 0;) {
		if (!(flags & AUTH_FLAG(i)) || length >= size)
			continue;
		text_display(to + length, size - length, "%s%s", length > 0 ? ", " : "", schemes[i].on_the_wire);
		length += strlen(to + length);
	}
}

/* --- credentials --- */

enum result credential_check(const struct credential *credential, struct fault *fault)
{
	const char *why = NULL;

	if (credential->implicit && !(AUTH_FLAG(credential->scheme) & AUTH_IMPLICIT))
		why = "user: is missing; only negotiate and ntlm can do without, as the one who fetches";
	else if (!credential->implicit && credential->user[0] == '\0')
		why = "user: must not be empty; null stands for the one who fetches";
	else if (text_has_control(text_view(credential->user)))
		why = "user: must not contain control characters";
	else if (text_has_control(text_view(credential->password)))
		why = "password: must not contain control characters";
	else if (credential->scheme == AUTH_BASIC && strchr(credential->user, ':') != NULL)
		why = "user: must not contain ':', behind which basic sends the password";
	return why == NULL ? RESULT_OK : fault_set(fault, RESULT_INVALID_ARGUMENT, FAULT_FERRY, 0, "params.%s", why);
}

/* --- hosts --- */

/* A host as URLs have it; so what is a valid pattern can be met. */
static bool is_host(struct text_view host)
{
	char url[HOST_PATTERN_BYTES_MAX + 16];
	struct url parsed;
	struct fault ignored;

	return host.length > 0 && host.length <= HOST_PATTERN_BYTES_MAX &&
	       text_format(url, sizeof(url), "http://%.*s/", (int)host.length, host.bytes) == RESULT_OK &&
	       url_parse(text_view(url), &parsed, &ignored) == RESULT_OK && text_equal(parsed.host, host);
}

static bool is_below(struct text_view pattern)
{
	return pattern.length > 2 && pattern.bytes[0] == '*' && pattern.bytes[1] == '.';
}

bool host_pattern_is_valid(struct text_view pattern)
{
	if (text_is(pattern, "*"))
		return true;
	if (is_below(pattern))
		pattern = (struct text_view){ pattern.bytes + 2, pattern.length - 2 };
	return is_host(pattern);
}

bool host_pattern_fits(struct text_view pattern, struct text_view host)
{
	if (text_is(pattern, "*"))
		return true;
	if (!is_below(pattern))
		return url_same_host(pattern, host);

	struct text_view below = { pattern.bytes + 1, pattern.length - 1 }; /* with its dot */

	return host.length > below.length &&
	       url_same_host(below, (struct text_view){ host.bytes + host.length - below.length, below.length });
}

bool host_patterns_fit(const struct host_patterns *patterns, struct text_view host)
{
	for (uint32_t i = 0; i < patterns->count; i++)
		if (host_pattern_fits(text_view(patterns->items[i]), host))
			return true;
	return false;
}

/* --- who answers --- */

static unsigned allowed_schemes(const struct auth_policy *policy, struct text_view host, bool secure)
{
	unsigned allowed = AUTH_FLAG(AUTH_DIGEST) | AUTH_FLAG(AUTH_NEGOTIATE);
	unsigned spoken = policy->schemes ? policy->schemes : AUTH_ALL;

	if (host_patterns_fit(&policy->ntlm, host))
		allowed |= AUTH_FLAG(AUTH_NTLM);
	if (secure || host_patterns_fit(&policy->basic, host))
		allowed |= AUTH_FLAG(AUTH_BASIC);
	return allowed & spoken;
}

static bool is_same_user(const struct login *login, const struct credential *credential)
{
	return strcmp(login->user, credential->user) == 0 && strcmp(login->password, credential->password) == 0;
}

struct login credentials_login(const struct credential *credentials, uint32_t count, const struct auth_policy *policy,
                               enum auth_target target, struct text_view host, bool secure)
{
	unsigned allowed = allowed_schemes(policy, host, secure), has = 0;
	unsigned implicit = host_patterns_fit(&policy->implicit[target], host) ? AUTH_IMPLICIT : 0;
	struct login login = { .user = "", .password = "" };
	int strongest = -1;

	for (uint32_t i = 0; i < count; i++) {
		const struct credential *credential = &credentials[i];

		if (credential->target != target)
			continue;
		has |= AUTH_FLAG(credential->scheme);
		if (credential->implicit)
			implicit |= AUTH_FLAG(credential->scheme);
		else if (AUTH_FLAG(credential->scheme) & allowed && (int)credential->scheme > strongest) {
			strongest = (int)credential->scheme;
			login.user = credential->user;
			login.password = credential->password;
		}
	}
	login.forbidden = has & ~allowed;
	login.implicit = strongest < 0;
	login.schemes = login.implicit ? implicit & allowed : 0;
	if (login.implicit && login.schemes == 0)
		login.forbidden |= implicit; /* by hosts of the policy's own, too */
	for (uint32_t i = 0; i < count && !login.implicit; i++)
		if (credentials[i].target == target && !credentials[i].implicit && is_same_user(&login, &credentials[i]))
			login.schemes |= AUTH_FLAG(credentials[i].scheme) & allowed;
	return login;
}

/* --- a client's certificate --- */

static bool is_thumbprint(struct text_view text)
{
	for (size_t i = 0; i < text.length; i++)
		if (!strchr("0123456789abcdefABCDEF", text.bytes[i]))
			return false;
	return text.length == 40;
}

static bool is_store(struct text_view name)
{
	return text_is(name, "MY") || text_is(name, "CA") || text_is(name, "ROOT") || text_is(name, "SPC");
}

static struct text_view cut(struct text_view *rest)
{
	const char *end = memchr(rest->bytes, '\\', rest->length);
	struct text_view part = { rest->bytes, end ? (size_t)(end - rest->bytes) : rest->length };
	size_t used = part.length + (end != NULL);

	*rest = (struct text_view){ rest->bytes + used, rest->length - used };
	return part;
}

enum result client_certificate_parse(struct text_view text, struct client_certificate *ret_certificate, struct fault *fault)
{
	struct text_view rest = text, location = cut(&rest), part = cut(&rest);
	bool has_store = part.bytes + part.length < text.bytes + text.length;
	const struct client_certificate certificate = {
		.machine = text_is(location, "local-machine"),
		.store = has_store ? part : text_view("MY"),
		.who = has_store ? rest : part,
		.thumbprint = is_thumbprint(has_store ? rest : part),
	};

	if (!certificate.machine && !text_is(location, "current-user"))
		return fault_set(fault, RESULT_INVALID_ARGUMENT, FAULT_FERRY, 0, "begins with current-user\\ or local-machine\\");
	if (certificate.store.length == 0 || certificate.who.length == 0 || text_has_control(text))
		return fault_set(fault, RESULT_INVALID_ARGUMENT, FAULT_FERRY, 0, "is LOCATION\\STORE\\THUMBPRINT, or a name in the place of it");
	if (text.length >= CLIENT_CERTIFICATE_BYTES_MAX || certificate.store.length > CLIENT_CERTIFICATE_PART_BYTES_MAX ||
	    certificate.who.length > CLIENT_CERTIFICATE_PART_BYTES_MAX)
		return fault_set(fault, RESULT_INVALID_ARGUMENT, FAULT_FERRY, 0, "has a part of more than %u bytes",
		                 CLIENT_CERTIFICATE_PART_BYTES_MAX);
	if (!is_store(certificate.store))
		return fault_set(fault, RESULT_INVALID_ARGUMENT, FAULT_FERRY, 0, "has a store that is not MY, CA, ROOT or SPC");
	*ret_certificate = certificate;
	return RESULT_OK;
}
