#include "platform/certificate.h"

#define CERT_CHAIN_PARA_HAS_EXTRA_FIELDS
#include "platform/win32/fault.h"
#include "platform/win32/utf.h"
#include "platform/win32/win32.h"

#include <string.h>
#include <wincrypt.h>

#define BEGIN "-----BEGIN CERTIFICATE-----"
#define END "-----END CERTIFICATE-----"
#define CERTIFICATE_BYTES_MAX 65536
#define CERTIFICATES_MAX 32
#define ASKED_AFTER_MAX 4 /* one, unless the server sends what it need not */

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

/* NULL: it is none, or too many. */
static HCERTSTORE read_pem(struct text_view pem)
{
	const char *at = pem.bytes, *end = pem.bytes + pem.length;
	HCERTSTORE store = CertOpenStore(CERT_STORE_PROV_MEMORY, 0, 0, 0, NULL);
	BYTE *der = malloc(CERTIFICATE_BYTES_MAX);
	bool fine = store != NULL && der != NULL;

	for (unsigned count = 0; fine && (at = find(at, end, BEGIN)) != NULL; count++) {
		const char *last = find(at, end, END);
		DWORD size = CERTIFICATE_BYTES_MAX;

		fine = last != NULL && count < CERTIFICATES_MAX &&
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

/* Of what the server sent it is not known which one is its own, but that is no authority's. */
static bool is_of_an_authority(const CERT_CONTEXT *certificate)
{
	const CERT_EXTENSION *extension = CertFindExtension(szOID_BASIC_CONSTRAINTS2, certificate->pCertInfo->cExtension,
	                                                    certificate->pCertInfo->rgExtension);
	CERT_BASIC_CONSTRAINTS2_INFO constraints;
	DWORD size = sizeof constraints;

	return extension != NULL &&
	       CryptDecodeObject(X509_ASN_ENCODING, X509_BASIC_CONSTRAINTS2, extension->Value.pbData,
	                         extension->Value.cbData, 0, &constraints, &size) &&
	       constraints.fCA;
}

static enum certificate_verdict unanswered(struct fault *fault, DWORD error, const char *what)
{
	(void)fault_set(fault, RESULT_CERTIFICATE_UNCHECKED, FAULT_WIN32, error, "%s", what);
	return CERTIFICATE_UNANSWERED;
}

static enum certificate_verdict ask_after(HCERTCHAINENGINE engine, const CERT_CONTEXT *certificate, DWORD wait_ms,
                                          struct fault *ret_why)
{
	CERT_CHAIN_PARA wanted = { .cbSize = sizeof wanted, .dwUrlRetrievalTimeout = wait_ms };
	const CERT_CHAIN_CONTEXT *chain = NULL;
	const DWORD flags = CERT_CHAIN_REVOCATION_CHECK_CHAIN_EXCLUDE_ROOT | CERT_CHAIN_REVOCATION_ACCUMULATIVE_TIMEOUT;

	if (!CertGetCertificateChain(engine, certificate, NULL, certificate->hCertStore, &wanted, flags, NULL, &chain))
		return unanswered(ret_why, GetLastError(), "ask whether the certificate was revoked");
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

/* All of what could be the server's: the worst counts. */
static enum certificate_verdict ask_after_all(HCERTCHAINENGINE engine, HCERTSTORE sent, struct fault *ret_why)
{
	const ULONGLONG until_ms = GetTickCount64() + CERTIFICATE_ASK_MS_MAX;
	const CERT_CONTEXT *certificate = NULL;
	enum certificate_verdict worst = CERTIFICATE_GOOD;
	unsigned asked = 0;
	struct fault why;

	while (worst != CERTIFICATE_REVOKED && (certificate = CertEnumCertificatesInStore(sent, certificate)) != NULL) {
		ULONGLONG now_ms = GetTickCount64();
		enum certificate_verdict verdict;

		if (is_of_an_authority(certificate))
			continue;
		if (asked++ >= ASKED_AFTER_MAX || now_ms >= until_ms)
			verdict = unanswered(&why, ERROR_TIMEOUT, "too many certificates to ask after");
		else
			verdict = ask_after(engine, certificate, (DWORD)(until_ms - now_ms), &why);
		if (verdict == CERTIFICATE_GOOD || (worst != CERTIFICATE_GOOD && verdict != CERTIFICATE_REVOKED))
			continue;
		worst = verdict;
		*ret_why = why;
	}
	if (worst == CERTIFICATE_REVOKED)
		CertFreeCertificateContext(certificate);
	return asked > 0 ? worst : unanswered(ret_why, 0, "the server sent no certificate of its own");
}

static enum certificate_verdict ask(struct text_view chain, struct text_view roots, struct fault *ret_why)
{
	__attribute__((cleanup(store_cleanup))) HCERTSTORE sent = read_pem(chain), trusted = NULL;
	__attribute__((cleanup(engine_cleanup))) HCERTCHAINENGINE engine = NULL;

	if (sent == NULL)
		return unanswered(ret_why, 0, "the server's certificates cannot be read");
	if (roots.length > 0) {
		CERT_CHAIN_ENGINE_CONFIG config = { .cbSize = sizeof config, .hExclusiveRoot = trusted = read_pem(roots) };

		if (trusted == NULL || !CertCreateCertificateChainEngine(&config, &engine))
			return unanswered(ret_why, GetLastError(), "the host's private authority cannot be asked");
	}
	return ask_after_all(engine, sent, ret_why);
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

static bool is_usable(const CERT_CONTEXT *certificate)
{
	DWORD size = 0;

	return CertVerifyTimeValidity(NULL, certificate->pCertInfo) == 0 &&
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
		unusable |= !is_usable(certificate);
		if (!is_usable(certificate) || CompareFileTime(&certificate->pCertInfo->NotAfter, &latest) <= 0)
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
	                       unusable ? "not valid now, or without a private key" : "there is none");
}

static const struct certificate_system system_asks = { ask, find_own };
const struct certificate_system *const certificate_system = &system_asks;
