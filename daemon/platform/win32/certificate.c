#include "platform/certificate.h"

#include "platform/tls.h"

#define CERT_CHAIN_PARA_HAS_EXTRA_FIELDS
#include "platform/win32/fault.h"
#include "platform/win32/utf.h"
#include "platform/win32/win32.h"

#include <string.h>
#include <wincrypt.h>

#define BEGIN "-----BEGIN CERTIFICATE-----"
#define END "-----END CERTIFICATE-----"
#define CERTIFICATE_BYTES_MAX 65536

/* What is no answer: a chain that was not found, or rests on nothing, has nobody's. */
#define NOT_ANSWERED                                                                                                   \
	(CERT_TRUST_REVOCATION_STATUS_UNKNOWN | CERT_TRUST_IS_OFFLINE_REVOCATION | CERT_TRUST_IS_PARTIAL_CHAIN |           \
	 CERT_TRUST_IS_UNTRUSTED_ROOT | CERT_TRUST_IS_NOT_SIGNATURE_VALID)

static void store_cleanup(HCERTSTORE *store)
{
	if (*store != NULL)
		CertCloseStore(*store, 0);
}

static void engine_cleanup(HCERTCHAINENGINE *engine)
{
	if (*engine != NULL)
		CertFreeCertificateChainEngine(*engine);
}

static const char *find(const char *at, const char *end, const char *what)
{
	size_t length = strlen(what);

	for (; (size_t)(end - at) >= length; at++)
		if (memcmp(at, what, length) == 0)
			return at;
	return NULL;
}

/* Of the configuration's file, which curl read before.  NULL: one of them is none. */
static HCERTSTORE read_pem(struct text_view pem)
{
	const char *at = pem.bytes, *end = pem.bytes + pem.length;
	HCERTSTORE store = CertOpenStore(CERT_STORE_PROV_MEMORY, 0, 0, 0, NULL);
	BYTE *der = malloc(CERTIFICATE_BYTES_MAX);
	bool fine = store != NULL && der != NULL;

	while (fine && (at = find(at, end, BEGIN)) != NULL) {
		const char *last = find(at, end, END);
		DWORD size = CERTIFICATE_BYTES_MAX;

		fine = last != NULL &&
		       CryptStringToBinaryA(at, (DWORD)(last + strlen(END) - at), CRYPT_STRING_BASE64HEADER, der, &size, NULL,
		                            NULL) &&
		       CertAddEncodedCertificateToStore(store, X509_ASN_ENCODING, der, size, CERT_STORE_ADD_ALWAYS, NULL);
		at = last;
	}
	free(der);
	if (fine)
		return store;
	store_cleanup(&store);
	return NULL;
}

/* The server's own.  Of the rest, what cannot be read is left out: it would make no chain.  NULL: its own cannot be. */
static const CERT_CONTEXT *read_sent(struct text_view sent, HCERTSTORE store)
{
	struct text_view der;
	const CERT_CONTEXT *own = NULL;

	if (!tls_certificate_next(&sent, &der) ||
	    !CertAddEncodedCertificateToStore(store, X509_ASN_ENCODING, (const BYTE *)der.bytes, (DWORD)der.length,
	                                      CERT_STORE_ADD_ALWAYS, &own))
		return NULL;
	while (tls_certificate_next(&sent, &der))
		(void)!CertAddEncodedCertificateToStore(store, X509_ASN_ENCODING, (const BYTE *)der.bytes, (DWORD)der.length,
		                                        CERT_STORE_ADD_ALWAYS, NULL);
	return own;
}

static enum certificate_verdict unanswered(struct fault *fault, DWORD error, const char *what)
{
	(void)fault_set(fault, RESULT_CERTIFICATE_UNCHECKED, FAULT_WIN32, error, "%s", what);
	return CERTIFICATE_UNANSWERED;
}

static enum certificate_verdict unasked(struct fault *fault, const char *what)
{
	(void)unanswered(fault, GetLastError(), what);
	return CERTIFICATE_UNASKED;
}

static enum certificate_verdict ask_after(HCERTCHAINENGINE engine, const CERT_CONTEXT *certificate, struct fault *ret_why)
{
	CERT_CHAIN_PARA wanted = { .cbSize = sizeof wanted, .dwUrlRetrievalTimeout = CERTIFICATE_ASK_MS_MAX };
	const CERT_CHAIN_CONTEXT *chain = NULL;
	const DWORD flags = CERT_CHAIN_REVOCATION_CHECK_CHAIN_EXCLUDE_ROOT | CERT_CHAIN_REVOCATION_ACCUMULATIVE_TIMEOUT;

	if (!CertGetCertificateChain(engine, certificate, NULL, certificate->hCertStore, &wanted, flags, NULL, &chain))
		return unasked(ret_why, "ask whether the certificate was revoked");
	DWORD status = chain->TrustStatus.dwErrorStatus;
	CertFreeCertificateChain(chain);
	if (status & CERT_TRUST_IS_REVOKED) {
		(void)fault_set(ret_why, RESULT_CERTIFICATE_REVOKED, FAULT_WIN32, status,
		                "the certificate, or an authority's above it, was revoked");
		return CERTIFICATE_REVOKED;
	}
	if (status & NOT_ANSWERED)
		return unanswered(ret_why, status, "no authority said whether the certificate was revoked");
	return CERTIFICATE_GOOD;
}

static enum certificate_verdict ask(struct text_view sent, struct text_view roots, struct fault *ret_why)
{
	__attribute__((cleanup(store_cleanup))) HCERTSTORE store = CertOpenStore(CERT_STORE_PROV_MEMORY, 0, 0, 0, NULL), trusted = NULL;
	__attribute__((cleanup(engine_cleanup))) HCERTCHAINENGINE engine = NULL;
	const CERT_CONTEXT *own = store != NULL ? read_sent(sent, store) : NULL;
	enum certificate_verdict verdict;

	if (own == NULL)
		return unasked(ret_why, "the server's certificate cannot be read");
	if (roots.length > 0) {
		/* As Windows 7 had it: what came after that is not set here, and Wine knows no more. */
		CERT_CHAIN_ENGINE_CONFIG config = { .cbSize = offsetof(CERT_CHAIN_ENGINE_CONFIG, dwExclusiveFlags),
			                                .hExclusiveRoot = trusted = read_pem(roots) };

		if (trusted == NULL || !CertCreateCertificateChainEngine(&config, &engine)) {
			CertFreeCertificateContext(own);
			return unasked(ret_why, "the host's private authority cannot be read");
		}
	}
	verdict = ask_after(engine, own, ret_why);
	CertFreeCertificateContext(own);
	return verdict;
}

/* --- an identity's own --- */

static HCERTSTORE open_store(const struct client_certificate *wanted, struct fault *fault)
{
	const DWORD place = wanted->machine ? CERT_SYSTEM_STORE_LOCAL_MACHINE : CERT_SYSTEM_STORE_CURRENT_USER;
	wchar_t *name = NULL;
	HCERTSTORE store;

	if (utf_to_wide(wanted->store, "store of certificates", &name, fault) != RESULT_OK)
		return NULL;
	store = CertOpenStore(CERT_STORE_PROV_SYSTEM_W, 0, 0,
	                      CERT_STORE_OPEN_EXISTING_FLAG | CERT_STORE_READONLY_FLAG | place, name);
	if (store == NULL)
		(void)fault_set(fault, RESULT_CLIENT_CERTIFICATE, FAULT_WIN32, GetLastError(), "open the store %.*s of %s",
		                (int)wanted->store.length, wanted->store.bytes,
		                wanted->machine ? "the machine" : "whoever fetches");
	free(name);
	return store;
}

static bool thumbprint_of(const CERT_CONTEXT *certificate, char to[CERTIFICATE_THUMBPRINT_BYTES])
{
	BYTE hash[20];
	DWORD size = sizeof hash;

	if (!CertGetCertificateContextProperty(certificate, CERT_SHA1_HASH_PROP_ID, hash, &size) || size != sizeof hash)
		return false;
	for (size_t i = 0; i < sizeof hash; i++)
		text_display(to + 2 * i, 3, "%02x", hash[i]);
	return true;
}

static bool is_named(const CERT_CONTEXT *certificate, const struct client_certificate *wanted, const char *thumbprint)
{
	wchar_t wide[CLIENT_CERTIFICATE_PART_BYTES_MAX + 1];
	char name[4 * CLIENT_CERTIFICATE_PART_BYTES_MAX];

	if (wanted->thumbprint)
		return _strnicmp(wanted->who.bytes, thumbprint, 40) == 0;
	DWORD length =
		CertGetNameStringW(certificate, CERT_NAME_SIMPLE_DISPLAY_TYPE, 0, NULL, wide, sizeof wide / sizeof wide[0]);

	return length > 1 && utf_from_wide(wide, length - 1, name, sizeof name, "", NULL) == RESULT_OK &&
	       text_is(wanted->who, name);
}

/* By its extension and by what the store says of it; without either it is for everything. */
static bool is_for_clients(const CERT_CONTEXT *certificate)
{
	union {
		CERT_ENHKEY_USAGE usage;
		BYTE bytes[4096];
	} read;
	DWORD size = sizeof read;

	SetLastError(ERROR_SUCCESS);
	if (!CertGetEnhancedKeyUsage(certificate, 0, &read.usage, &size))
		return GetLastError() == (DWORD)CRYPT_E_NOT_FOUND;
	if (read.usage.cUsageIdentifier == 0)
		return GetLastError() == (DWORD)CRYPT_E_NOT_FOUND;
	for (DWORD i = 0; i < read.usage.cUsageIdentifier; i++)
		if (strcmp(read.usage.rgpszUsageIdentifier[i], szOID_PKIX_KP_CLIENT_AUTH) == 0)
			return true;
	return false;
}

/* Who says by its thumbprint which one it is has looked at it. */
static bool is_usable(const CERT_CONTEXT *certificate, const struct client_certificate *wanted)
{
	DWORD size = 0;

	return (wanted->thumbprint || is_for_clients(certificate)) && CertVerifyTimeValidity(NULL, certificate->pCertInfo) == 0 &&
	       CertGetCertificateContextProperty(certificate, CERT_KEY_PROV_INFO_PROP_ID, NULL, &size);
}

static enum result find_own(const struct client_certificate *wanted, char ret_thumbprint[CERTIFICATE_THUMBPRINT_BYTES],
                            struct fault *fault)
{
	__attribute__((cleanup(store_cleanup))) HCERTSTORE store = open_store(wanted, fault);
	const CERT_CONTEXT *certificate = NULL;
	char thumbprint[CERTIFICATE_THUMBPRINT_BYTES];
	FILETIME latest = { 0, 0 };
	bool found = false, unusable = false;

	while (store != NULL && (certificate = CertEnumCertificatesInStore(store, certificate)) != NULL) {
		if (!thumbprint_of(certificate, thumbprint) || !is_named(certificate, wanted, thumbprint))
			continue;
		bool usable = is_usable(certificate, wanted);

		unusable |= !usable;
		if (!usable || CompareFileTime(&certificate->pCertInfo->NotAfter, &latest) <= 0)
			continue;
		latest = certificate->pCertInfo->NotAfter;
		memcpy(ret_thumbprint, thumbprint, sizeof thumbprint);
		found = true;
	}
	if (found)
		return RESULT_OK;
	return store == NULL
	           ? fault->result
	           : fault_set(fault, RESULT_CLIENT_CERTIFICATE, FAULT_FERRY, 0, "%.*s in the store %.*s of %s: %s",
	                       (int)wanted->who.length, wanted->who.bytes, (int)wanted->store.length, wanted->store.bytes,
	                       wanted->machine ? "the machine" : "whoever fetches",
	                       unusable ? "not valid now, not for clients, or without a private key" : "there is none");
}

static const struct certificate_system system_asks = { ask, find_own };
const struct certificate_system *const certificate_system = &system_asks;
