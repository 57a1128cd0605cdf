/* core/url: what its files share. */
#ifndef FERRY_CORE_URL_PRIVATE_H
#define FERRY_CORE_URL_PRIVATE_H

#include "core/url.h"

static inline enum result refuse(struct fault *fault, const char *rule)
{
	return fault_set(fault, RESULT_BAD_URL, FAULT_FERRY, 0, "%s", rule);
}

static inline bool is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

static inline bool is_hex(char byte)
{
	return is_digit(byte) || (byte >= 'a' && byte <= 'f') || (byte >= 'A' && byte <= 'F');
}

static inline char lower(char byte)
{
	return byte >= 'A' && byte <= 'Z' ? (char)(byte | 0x20) : byte;
}

static inline bool is_letter(char byte)
{
	return lower(byte) >= 'a' && lower(byte) <= 'z';
}

/* A name, or an IPv4 address in its one spelling.  RESULT_BAD_URL. */
enum result url_check_name(struct text_view host, struct fault *fault) MUST_CHECK;
/* An IPv6 address in brackets? */
bool url_is_address(struct text_view host);

#endif
