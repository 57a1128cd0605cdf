/* runtime/transfer: by what servers are recognised. */
#include "runtime/transfer_private.h"

#include <assert.h>
#include <stdatomic.h>
#include <string.h>

struct trusted {
	char host[HOST_PATTERN_BYTES_MAX + 1];
	char *what; /* pins, or certificates */
	size_t length;
};

/* Never changed once workers have it; each set holds it, since a reload brings another one. */
struct transfer_trust {
	atomic_uint holders;
	unsigned revocation, version_min;
	struct trusted authorities[TRANSFER_AUTHORITIES_MAX], pins[TRANSFER_PINS_MAX];
	uint32_t authority_count, pin_count;
	char hosts[TRANSFER_HOSTS_MAX][HOST_PATTERN_BYTES_MAX + 1];
	char urls[TRANSFER_URLS_MAX][ALLOW_URL_BYTES_MAX + 1];
	struct allowed allowed; /* of these hosts and URLs */
};

struct transfer_trust *transfer_trust_new(unsigned revocation, unsigned version_min)
{
	struct transfer_trust *trust = calloc(1, sizeof(*trust));

	if (trust) {
		atomic_init(&trust->holders, 1);
		trust->revocation = revocation;
		trust->version_min = version_min;
	}
	return trust;
}

struct transfer_trust *transfer_trust_hold(struct transfer_trust *trust)
{
	if (trust)
		atomic_fetch_add(&trust->holders, 1);
	return trust;
}

void transfer_trust_free(struct transfer_trust *trust)
{
	if (!trust || atomic_fetch_sub(&trust->holders, 1) > 1)
		return;
	for (uint32_t i = 0; i < trust->authority_count; i++)
		free(trust->authorities[i].what);
	for (uint32_t i = 0; i < trust->pin_count; i++)
		free(trust->pins[i].what);
	free(trust);
}

static enum result add(struct trusted *to, struct text_view host, struct text_view what)
{
	enum result result = text_copy(to->host, sizeof(to->host), host);

	to->what = result == RESULT_OK ? malloc(what.length + 1) : NULL;
	if (!to->what)
		return result == RESULT_OK ? RESULT_NO_MEMORY : result;
	memcpy(to->what, what.bytes, what.length);
	to->what[what.length] = '\0';
	to->length = what.length;
	return RESULT_OK;
}

enum result transfer_trust_authority(struct transfer_trust *trust, struct text_view host, struct text_view certificates)
{
	enum result result = trust->authority_count == TRANSFER_AUTHORITIES_MAX
	                             ? RESULT_TOO_LARGE
	                             : add(&trust->authorities[trust->authority_count], host, certificates);

	trust->authority_count += result == RESULT_OK;
	return result;
}

enum result transfer_trust_pins(struct transfer_trust *trust, struct text_view host, struct text_view pins)
{
	enum result result = trust->pin_count == TRANSFER_PINS_MAX ? RESULT_TOO_LARGE : add(&trust->pins[trust->pin_count], host, pins);

	trust->pin_count += result == RESULT_OK;
	return result;
}

/* Its place is taken by one that nobody is signed by. */
enum result transfer_trust_nobody(struct transfer_trust *trust, struct text_view host)
{
	return transfer_trust_authority(trust, host, (struct text_view){ "", 0 });
}

enum result transfer_trust_keep(struct transfer_trust *trust, struct text_view host, const struct transfer_trust *from, uint32_t index)
{
	const struct trusted *kept = &from->authorities[index];

	assert(index < from->authority_count);
	return transfer_trust_authority(trust, host, (struct text_view){ kept->what, kept->length });
}

static bool is_same_list(const struct trusted *a, uint32_t a_count, const struct trusted *b, uint32_t b_count)
{
	bool same = a_count == b_count;

	for (uint32_t i = 0; i < a_count && same; i++)
		same = strcmp(a[i].host, b[i].host) == 0 && a[i].length == b[i].length && memcmp(a[i].what, b[i].what, a[i].length) == 0;
	return same;
}

bool transfer_trust_same(const struct transfer_trust *a, const struct transfer_trust *b)
{
	return a->revocation == b->revocation && a->version_min == b->version_min &&
	       is_same_list(a->authorities, a->authority_count, b->authorities, b->authority_count) &&
	       is_same_list(a->pins, a->pin_count, b->pins, b->pin_count);
}

void transfer_trust_allow(struct transfer_trust *trust, const struct allowed *allowed)
{
	assert(allowed->hosts.count <= TRANSFER_HOSTS_MAX && allowed->urls.count <= TRANSFER_URLS_MAX);
	if (allowed->hosts.count > 0)
		memcpy(trust->hosts, allowed->hosts.items, allowed->hosts.count * sizeof(trust->hosts[0]));
	if (allowed->urls.count > 0)
		memcpy(trust->urls, allowed->urls.items, allowed->urls.count * sizeof(trust->urls[0]));
	trust->allowed = *allowed;
	trust->allowed.urls.items = (const char(*)[ALLOW_URL_BYTES_MAX + 1])trust->urls;
	trust->allowed.hosts.items = (const char(*)[HOST_PATTERN_BYTES_MAX + 1])trust->hosts;
}

enum result transfer_trust_allows(const struct transfer_trust *trust, const struct url *url, struct fault *fault)
{
	return trust ? allow_url(&trust->allowed, url, fault) : RESULT_OK;
}

static const struct trusted *find(const struct trusted *list, uint32_t count, struct text_view host)
{
	for (uint32_t i = 0; i < count; i++)
		if (host_pattern_fits(text_view(list[i].host), host))
			return &list[i];
	return NULL;
}

static const struct trusted *authority_of(const struct transfer_trust *trust, struct text_view host)
{
	return trust ? find(trust->authorities, trust->authority_count, host) : NULL;
}

static const struct trusted *pins_of(const struct transfer_trust *trust, struct text_view host)
{
	return trust ? find(trust->pins, trust->pin_count, host) : NULL;
}

bool transfer_trusts_alike(const struct transfer *transfer, struct text_view host)
{
	const struct transfer_trust *trust = transfer->set->limits.trust;

	return authority_of(trust, host) == authority_of(trust, transfer->url.host) &&
	       pins_of(trust, host) == pins_of(trust, transfer->url.host);
}

bool transfer_trusts_nobody(const struct transfer *transfer)
{
	const struct trusted *authority = authority_of(transfer->set->limits.trust, transfer->url.host);

	return authority != NULL && authority->length == 0 && transfer->url.secure;
}

struct text_view transfer_authority(const struct transfer *transfer)
{
	const struct trusted *authority = authority_of(transfer->set->limits.trust, transfer->url.host);

	return authority ? (struct text_view){ authority->what, authority->length } : text_view("");
}

unsigned transfer_asks_after(const struct transfer *transfer)
{
	const struct transfer_trust *trust = transfer->set->limits.trust;

	return trust ? trust->revocation : 1;
}

unsigned transfer_ignores(const struct transfer *transfer)
{
	return transfer->route && transfer->url.secure ? transfer->route->ignore : 0;
}

enum result transfer_set_certificate(struct transfer *transfer)
{
	const struct transfer_route *route = transfer->route;
	char thumbprint[CERTIFICATE_THUMBPRINT_BYTES], path[CLIENT_CERTIFICATE_BYTES_MAX + 64];
	struct client_certificate wanted;
	struct fault why;

	if (!route || route->certificate[0] == '\0' || !transfer->url.secure)
		return RESULT_OK;
	if (route->certificate_withheld)
		return transfer_fail(transfer, RESULT_CLIENT_CERTIFICATE, FAULT_FERRY, 0,
		                     "whoever fetches in the owner's place does not show it");
	enum result result = client_certificate_parse(text_view(route->certificate), &wanted, &why);

	if (result == RESULT_OK)
		result = certificate_system ? certificate_system->find_own(&wanted, thumbprint, &why)
		                            : fault_set(&why, RESULT_NOT_SUPPORTED, FAULT_FERRY, 0, "show a client certificate");
	if (result != RESULT_OK)
		return transfer_fail(transfer, result, why.source, why.raw, why.what);
	text_display(path, sizeof(path), "%s\\%.*s\\%s", wanted.machine ? "LocalMachine" : "CurrentUser", (int)wanted.store.length,
	             wanted.store.bytes, thumbprint);
	if (curl_easy_setopt(transfer->easy, CURLOPT_SSLCERT, path) != CURLE_OK)
		return transfer_fail(transfer, RESULT_NO_MEMORY, FAULT_FERRY, 0, "show a client certificate");
	return RESULT_OK;
}

bool transfer_set_trust(struct transfer *transfer)
{
	const struct transfer_trust *trust = transfer->set->limits.trust;
	const struct trusted *authority = authority_of(trust, transfer->url.host);
	const struct trusted *pins = pins_of(trust, transfer->url.host);
	long version = trust && trust->version_min == 13 ? (long)CURL_SSLVERSION_TLSv1_3 : (long)CURL_SSLVERSION_TLSv1_2;
	CURL *easy = transfer->easy;

	if (authority) {
		struct curl_blob blob = { authority->what, authority->length, CURL_BLOB_NOCOPY }; /* the set holds it */

		if (curl_easy_setopt(easy, CURLOPT_CAINFO_BLOB, &blob) != CURLE_OK)
			return false;
	}
	return curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, transfer_ignores(transfer) & TLS_IGNORE_HOST_NAME ? 0L : 2L) == CURLE_OK &&
	       curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, transfer_ignores(transfer) == TLS_IGNORE_ALL ? 0L : 1L) == CURLE_OK &&
	       (!pins || curl_easy_setopt(easy, CURLOPT_PINNEDPUBLICKEY, pins->what) == CURLE_OK) &&
	       curl_easy_setopt(easy, CURLOPT_SSLVERSION, version) == CURLE_OK &&
	       /* It would ask inside of the handshake: transfer_revocation.c does. */
	       curl_easy_setopt(easy, CURLOPT_SSL_OPTIONS, (long)CURLSSLOPT_NO_REVOKE) == CURLE_OK;
}
