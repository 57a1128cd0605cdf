/* platform/proxy_system - the part of platform/proxy that a ground has of its own; for that room's files only. */
#ifndef FERRY_PLATFORM_PROXY_SYSTEM_H
#define FERRY_PLATFORM_PROXY_SYSTEM_H

#include "platform/proxy.h"

/* NULL: nothing is ever configured on this ground. */
extern const struct proxy_system {
	/* As proxy_ask; `origin` is all of the URL that anybody is told. */
	enum result (*ask)(struct identity *identity, enum proxy_mode mode, const char *origin, const atomic_bool *gives_up,
	                   struct proxy_answer *ret_answer, struct fault *fault);
} *const proxy_system;

#define PROXY_ORIGIN_BYTES_MAX 268 /* "https://" host ":65535/" */

#endif
