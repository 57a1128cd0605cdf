#include "platform/tls.h"

#define SECURITY_WIN32
#include <windows.h>

#include <schannel.h>
#include <security.h>
#include <wincrypt.h>

const char *tls_version(void *session)
{
	/* Microsoft's SP_PROT_..._CLIENT; older headers do not have the last. */
	static const struct {
		DWORD protocol;
		const char *name;
	} versions[] = { { 0x2000, "TLSv1.3" }, { 0x800, "TLSv1.2" }, { 0x200, "TLSv1.1" }, { 0x80, "TLSv1.0" } };
	SecPkgContext_ConnectionInfo info = { 0 };

	if (QueryContextAttributesW(session, SECPKG_ATTR_CONNECTION_INFO, &info) != SEC_E_OK)
		return "";
	for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++)
		if (info.dwProtocol & versions[i].protocol)
			return versions[i].name;
	return "";
}

enum result tls_certificates(void *session, struct buffer *to)
{
	const CERT_CONTEXT *own = NULL, *other = NULL;

	if (QueryContextAttributesW(session, SECPKG_ATTR_REMOTE_CERT_CONTEXT, &own) != SEC_E_OK || own == NULL)
		return RESULT_SYSTEM;
	enum result result = tls_certificate_add(to, own->pbCertEncoded, own->cbCertEncoded);

	while (own->hCertStore != NULL && (other = CertEnumCertificatesInStore(own->hCertStore, other)) != NULL)
		if (!CertCompareCertificate(X509_ASN_ENCODING, own->pCertInfo, other->pCertInfo))
			(void)!tls_certificate_add(to, other->pbCertEncoded, other->cbCertEncoded);
	CertFreeCertificateContext(own);
	return result;
}
