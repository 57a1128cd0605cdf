/* core/url: what its files share. */
#ifndef FERRY_CORE_URL_PRIVATE_H
#define FERRY_CORE_URL_PRIVATE_H

#include "core/url.h"

/* A name, or an IPv4 address in its one spelling.  RESULT_BAD_URL. */
enum result url_check_name(struct text_view host, struct fault *fault) MUST_CHECK;
/* An IPv6 address in brackets? */
bool url_is_address(struct text_view host);

#endif
