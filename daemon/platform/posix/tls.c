#include <openssl/ssl.h>
#include "platform/tls.h"
const char *tls_version(void *session) { return SSL_get_version(session); }

enum result tls_certificates(void *session, struct buffer *to)
{
	STACK_OF(X509) *sent = SSL_get_peer_cert_chain(session);
	enum result result = RESULT_SYSTEM;
	for (int i = 0; i == 0 || i < sk_X509_num(sent); i++) { /* the first of the chain is the server's own again */
		unsigned char *der = NULL;
		int length = i2d_X509(i == 0 ? SSL_get0_peer_certificate(session) : sk_X509_value(sent, i), &der);
		enum result added = length > 0 ? tls_certificate_add(to, der, (uint32_t)length) : RESULT_SYSTEM;
		result = i == 0 ? added : result;
		OPENSSL_free(der);
	}
	return result;
}
