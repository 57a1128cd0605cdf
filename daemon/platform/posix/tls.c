#include <openssl/ssl.h>
#include "platform/tls.h"
const char *tls_version(void *session) { return SSL_get_version(session); }
