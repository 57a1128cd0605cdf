/* runtime/engine: with what a job answers servers and proxies that ask who it is.
 *
 * Users and passwords lie sealed in the store, bound to job and owner, and are open while the job runs: in its active, and in
 * the orders and transfers that need them.  A job with passwords has workers of its own, since a connection that was
 * authenticated with them is nobody else's (law 2); whoever answers as the network identity alone shares those.
 */
#include "runtime/engine_private.h"

#include <stdlib.h>
#include <string.h>

#include "core/headers.h"

/* "user\0password\0", as it is sealed. */
#define USER_AND_PASSWORD_BYTES_MAX (CREDENTIAL_USER_BYTES_MAX + CREDENTIAL_PASSWORD_BYTES_MAX + 2u)
#define BINDING_BYTES_MAX (JOB_ID_BYTES + JOB_OWNER_BYTES_MAX + 1)

/* --- workers --- */

struct answers engine_answers(const struct job *job, enum job_side side)
{
	if (side == JOB_SIDE_FILE)
		return (struct answers){ .implicit = 0 };
	const bool own = job->explicit != 0 || job->header_names[0] != '\0' || job->properties.client_certificate[0] != '\0';

	return (struct answers){ .implicit = job->implicit, .row = own ? job->row : 0 };
}

void engine_end_answers(struct engine *engine, int64_t row)
{
	for (struct crew *crew = engine->crews; crew != NULL; crew = crew->next)
		if (crew->answers.row == row)
			crew->dead = true;
}

/* --- sealing --- */

static void binding_of(const struct job *job, char to[BINDING_BYTES_MAX])
{
	text_display(to, BINDING_BYTES_MAX, "%s %s", job->id, job->owner);
}

static enum result keep_secret(struct engine *engine, const struct job *job, const struct credential *credential,
                               struct fault *fault)
{
	AUTO(buffer) struct buffer sealed = BUFFER(STORE_SEALED_BYTES_MAX);
	const struct engine_parts *parts = &engine->parts;
	size_t user = strlen(credential->user) + 1, password = strlen(credential->password) + 1;
	char secret[USER_AND_PASSWORD_BYTES_MAX], binding[BINDING_BYTES_MAX];

	if (parts->seal == NULL)
		return fault_set(fault, RESULT_NOT_SUPPORTED, FAULT_FERRY, 0, "keep a password: nothing can be sealed on this ground");
	memcpy(secret, credential->user, user);
	memcpy(secret + user, credential->password, password);
	binding_of(job, binding);
	enum result result = parts->seal(parts->secrets_context, binding, secret, user + password, &sealed, fault);
	text_wipe(secret, sizeof(secret));
	if (result == RESULT_OK)
		result = store_credential_save(parts->store, job->row, JOB_CREDENTIAL_SLOT(credential->target, credential->scheme),
		                               sealed.bytes, sealed.length, fault);
	return result;
}

static enum result split_secret(const struct buffer *secret, struct credential *credential)
{
	const char *end = secret->length > 0 ? memchr(secret->bytes, '\0', secret->length) : NULL;
	size_t user = end != NULL ? (size_t)(end - secret->bytes) : 0;

	if (end == NULL || secret->bytes[secret->length - 1] != '\0' || secret->length < user + 2)
		return RESULT_SECRET_UNREADABLE;
	enum result result = text_copy(credential->user, sizeof(credential->user), (struct text_view){ secret->bytes, user });
	if (result == RESULT_OK)
		result = text_copy(credential->password, sizeof(credential->password),
		                   (struct text_view){ end + 1, secret->length - user - 2 });
	return result == RESULT_OK ? RESULT_OK : RESULT_SECRET_UNREADABLE;
}

static enum result open_secret(struct engine *engine, const struct job *job, struct credential *credential,
                               struct fault *fault)
{
	AUTO(buffer) struct buffer sealed = BUFFER(STORE_SEALED_BYTES_MAX);
	AUTO(buffer) struct buffer secret = BUFFER(USER_AND_PASSWORD_BYTES_MAX);
	const struct engine_parts *parts = &engine->parts;
	unsigned slot = JOB_CREDENTIAL_SLOT(credential->target, credential->scheme);
	char binding[BINDING_BYTES_MAX];
	enum result result = store_credential(parts->store, job->row, slot, &sealed, fault);

	if (result != RESULT_OK && result != RESULT_NOT_FOUND)
		return result;
	binding_of(job, binding);
	if (result == RESULT_OK && parts->unseal != NULL)
		result = parts->unseal(parts->secrets_context, binding, sealed.bytes, sealed.length, &secret, fault);
	if (result_class(result) != RETRY_LATER &&
	    (result != RESULT_OK || parts->unseal == NULL || split_secret(&secret, credential) != RESULT_OK))
		result = fault_set(fault, RESULT_SECRET_UNREADABLE, FAULT_FERRY, 0, "the credentials for the %s by %s",
		                   auth_target_name(credential->target), auth_scheme_name(credential->scheme));
	if (secret.bytes != NULL)
		text_wipe(secret.bytes, secret.capacity);
	return result;
}

/* --- of a job that runs --- */

void active_wipe_credentials(struct active *active)
{
	if (active->credentials != NULL)
		text_wipe(active->credentials, active->credential_count * sizeof(*active->credentials));
	free(TAKE(active->credentials));
	active->credential_count = 0;
}

/* An owner may not present whom he is not wherever he points: not the computer's account, and nobody whose token he did not
 * lend himself, unless its lender saw that he would. */
static bool presents_his_own(const struct engine *engine, const struct active *active)
{
	const struct lent *lent = engine_lent(engine, active->row);

	switch (active->as[JOB_SIDE_NETWORK]) {
	case IDENTITY_OWNER: return true;
	case IDENTITY_HELPER: return lent != NULL && lent->by_owner;
	case IDENTITY_SERVICE:
	case IDENTITY_CHOICE_COUNT: break;
	}
	return false;
}

static unsigned implicit_of(const struct engine *engine, const struct active *active, const struct job *job)
{
	const struct lent *lent = engine_lent(engine, job->row);

	if (presents_his_own(engine, active))
		return job->implicit;
	return active->as[JOB_SIDE_NETWORK] == IDENTITY_HELPER && lent != NULL ? job->implicit & lent->implicit : 0;
}

enum result active_open_credentials(struct engine *engine, struct active *active, const struct job *job, struct fault *fault)
{
	const unsigned implicit = implicit_of(engine, active, job), all = implicit | job->explicit;

	if (all == 0)
		return RESULT_OK;
	active->credentials = calloc(CREDENTIALS_MAX, sizeof(*active->credentials));
	if (active->credentials == NULL)
		return fault_set(fault, RESULT_NO_MEMORY, FAULT_FERRY, 0, "start the job");
	for (unsigned slot = 0; slot < CREDENTIALS_MAX; slot++) {
		if (!(all & 1u << slot))
			continue;
		struct credential *credential = &active->credentials[active->credential_count++];

		credential->target = JOB_CREDENTIAL_TARGET(slot);
		credential->scheme = JOB_CREDENTIAL_SCHEME(slot);
		credential->implicit = (implicit & 1u << slot) != 0;
		enum result result = credential->implicit ? RESULT_OK : open_secret(engine, job, credential, fault);
		if (result != RESULT_OK) {
			active_wipe_credentials(active);
			return result;
		}
	}
	return RESULT_OK;
}

#define PATTERNS(list) { (list).count, (const char(*)[HOST_PATTERN_BYTES_MAX + 1])(list).items }

static void fill_login(const struct engine *engine, const struct route_wanted *wanted, enum auth_target target,
                       struct text_view host, bool secure, struct transfer_login *ret_login)
{
	const struct settings *settings = engine->parts.settings;
	const struct auth_policy policy = {
		.implicit = { [AUTH_SERVER] = PATTERNS(settings->authentication_implicit_servers),
		              [AUTH_PROXY] = PATTERNS(settings->authentication_implicit_proxies) },
		.ntlm = PATTERNS(settings->authentication_ntlm),
		.schemes = settings_auth_schemes(settings),
		.basic = PATTERNS(settings->authentication_basic_in_clear),
	};
	const struct login login = credentials_login(wanted->credentials, wanted->credential_count, &policy, target, host, secure);

	*ret_login = (struct transfer_login){ .schemes = login.schemes, .forbidden = login.forbidden, .implicit = login.implicit };
	text_display(ret_login->user, sizeof(ret_login->user), "%s", login.user);
	text_display(ret_login->password, sizeof(ret_login->password), "%s", login.password);
}

/* A proxy that somebody chose who has no right to the identity, be it whoever runs the network that this machine happens to be
 * in, is answered only if the configuration knows it by name. */
static bool may_answer_proxy(const struct engine *engine, const struct route_wanted *wanted, struct text_view host)
{
	const struct settings *settings = engine->parts.settings;
	enum proxy_source source = wanted->proxy->source;

	for (uint32_t i = 0; i < settings->authentication_implicit_proxies.count; i++) {
		struct text_view pattern = text_view(settings->authentication_implicit_proxies.items[i]);

		if (!text_is(pattern, "*") && host_pattern_fits(pattern, host))
			return true;
	}
	return source != PROXY_FROM_AUTODETECT && (source != PROXY_FROM_JOB || wanted->his_own);
}

enum result engine_check_certificate(const struct engine *engine, const char *certificate, unsigned helper_flags,
                                     struct fault *fault)
{
	struct client_certificate parsed;

	if (certificate[0] == '\0')
		return RESULT_OK;
	if (!engine->parts.has_certificates)
		return fault_set(fault, RESULT_NOT_SUPPORTED, FAULT_FERRY, 0, "client certificates: this ground has no stores of them");
	enum result result = client_certificate_parse(text_view(certificate), &parsed, fault);

	if (result == RESULT_OK && helper_flags & HELPER_NETWORK && !parsed.machine)
		result = fault_set(fault, RESULT_INVALID_STATE, FAULT_FERRY, 0,
		                   "a client certificate of current-user with a helper token for the network: the owner's is not the "
		                   "helper's to show; name one of local-machine");
	return result;
}

unsigned engine_may_ignore(const struct engine *engine, const struct url *url, unsigned wanted)
{
	const struct host_patterns may_ignore = PATTERNS(engine->parts.settings->tls_may_ignore);

	return host_patterns_fit(&may_ignore, url->host) ? wanted : 0;
}

/* What the job asks for, as far as the configuration and the identity that fetches let it. */
static void fill_tls(const struct engine *engine, const struct active *active, const struct url *url, struct transfer_route *route)
{
	route->no_redirects = active->no_redirects;
	route->ignore = engine_may_ignore(engine, url, active->tls_ignore);
	route->ignore_refused = route->ignore != active->tls_ignore;
	memcpy(route->certificate, active->client_certificate, sizeof(route->certificate));
	route->certificate_withheld = !presents_his_own(engine, active);
}

enum result engine_route(const struct engine *engine, const struct route_wanted *wanted, struct transfer_route **ret_route)
{
	struct url url, proxy;
	struct fault ignored;
	struct transfer_route *route = calloc(1, sizeof(*route));

	if (route == NULL)
		return RESULT_NO_MEMORY;
	memcpy(route->proxy, wanted->proxy->address, sizeof(route->proxy));
	if (wanted->headers != NULL && wanted->headers->length > 0) {
		route->headers = malloc(wanted->headers->length + 1);
		if (route->headers == NULL) {
			transfer_route_free(route);
			return RESULT_NO_MEMORY;
		}
		memcpy(route->headers, wanted->headers->bytes, wanted->headers->length + 1);
	}
	/* Who says itself who asks is not answered for. */
	if (url_parse(text_view(wanted->url), &url, &ignored) == RESULT_OK && !url.share && !headers_has(route->headers, "authorization"))
		fill_login(engine, wanted, AUTH_SERVER, url.host, url.secure, &route->logins[AUTH_SERVER]);
	/* What the owner has said in his own words is not said as somebody else. */
	if (route->headers != NULL && !wanted->his_own && route->logins[AUTH_SERVER].implicit)
		route->logins[AUTH_SERVER] = (struct transfer_login){ .schemes = 0 };
	if (url_parse(text_view(route->proxy), &proxy, &ignored) == RESULT_OK && may_answer_proxy(engine, wanted, proxy.host))
		fill_login(engine, wanted, AUTH_PROXY, proxy.host, false, &route->logins[AUTH_PROXY]);
	*ret_route = route;
	return RESULT_OK;
}

enum result flight_route(const struct engine *engine, const struct flight *flight, struct transfer_route **ret_route)
{
	const struct active *active = flight->active;

	const struct route_wanted wanted = { flight->file.url, &flight->proxy, active->credentials, active->credential_count,
		                             presents_his_own(engine, active), &active->headers };
	struct fault ignored;
	struct url url;
	enum result result = engine_route(engine, &wanted, ret_route);

	if (result == RESULT_OK && url_parse(text_view(flight->file.url), &url, &ignored) == RESULT_OK && !url.share)
		fill_tls(engine, active, &url, *ret_route);
	return result;
}

/* --- what clients change --- */

struct credential_change {
	const struct credential *credential; /* NULL: it is removed */
	enum auth_target target;
	enum auth_scheme scheme;
};

static enum result apply_credential(struct engine *engine, struct job *job, const void *argument, struct fault *fault)
{
	const struct credential_change *change = argument;
	const unsigned flag = JOB_CREDENTIAL(change->target, change->scheme);
	const bool explicit = change->credential != NULL && !change->credential->implicit;
	struct active *active = active_find(engine, job->row);
	enum result result = RESULT_OK;

	if (job_state_is_final(job->state))
		return fault_set(fault, RESULT_INVALID_STATE, FAULT_FERRY, 0, "set credentials while the job is %s",
		                 job_state_name(job->state));
	if (explicit)
		result = keep_secret(engine, job, change->credential, fault);
	else if (job->explicit & flag)
		result = store_credential_remove(engine->parts.store, job->row, JOB_CREDENTIAL_SLOT(change->target, change->scheme),
		                                 fault);
	if (result != RESULT_OK)
		return result;
	job->implicit &= ~flag;
	job->explicit &= ~flag;
	if (explicit)
		job->explicit |= flag;
	else if (change->credential != NULL)
		job->implicit |= flag;
	if (active != NULL && active->work == JOB_WORK_TRANSFER)
		active->route_changed = true;
	engine_try_soon(job);
	engine_identities_changed(engine, job);
	return RESULT_OK;
}

static void after_credential(struct engine *engine, const struct job *job)
{
	engine_end_answers(engine, job->row);
	engine_wind_down_stale(engine, job);
}

static enum result change_credential(struct engine *engine, int64_t row, const struct credential_change *argument,
                                     struct job_status *ret_status, struct fault *fault)
{
	const struct change change = { apply_credential, after_credential, argument };

	return change_job(engine, row, &change, ret_status, fault);
}

enum result engine_credential_set(struct engine *engine, int64_t row, const struct credential *credential,
                                  struct job_status *ret_status, struct fault *fault)
{
	const struct credential_change change = { credential, credential->target, credential->scheme };
	enum result result = credential_check(credential, fault);

	if (result == RESULT_OK)
		result = change_credential(engine, row, &change, ret_status, fault);
	if (result == RESULT_OK)
		ENGINE_TELL(engine, TELL_CHANGES, CREDENTIALS_SET, .job = &ret_status->job, .caller = &engine->asker,
		            .target = auth_target_name(credential->target), .scheme = auth_scheme_name(credential->scheme),
		            .credentials = credential->implicit ? "as the one who fetches" : "with a user and a password");
	return result;
}

enum result engine_credential_remove(struct engine *engine, int64_t row, enum auth_target target, enum auth_scheme scheme,
                                     struct job_status *ret_status, struct fault *fault)
{
	const struct credential_change change = { NULL, target, scheme };
	enum result result = engine_job_get(engine, row, ret_status, fault);

	if (result != RESULT_OK || !((ret_status->job.implicit | ret_status->job.explicit) & JOB_CREDENTIAL(target, scheme)))
		return result;
	result = change_credential(engine, row, &change, ret_status, fault);
	if (result == RESULT_OK)
		ENGINE_TELL(engine, TELL_CHANGES, CREDENTIALS_REMOVED, .job = &ret_status->job, .caller = &engine->asker,
		            .target = auth_target_name(target), .scheme = auth_scheme_name(scheme));
	return result;
}
