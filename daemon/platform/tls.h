/* platform/tls - what the system's TLS tells of a connection. */
#ifndef FERRY_PLATFORM_TLS_H
#define FERRY_PLATFORM_TLS_H

/* The version that it speaks, "TLSv1.3"; "" if it cannot be told.  `session`: Schannel's CtxtHandle *, OpenSSL's SSL *.
 * The thread that drives it. */
const char *tls_version(void *session);

#endif
