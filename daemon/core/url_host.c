/* core/url: hosts, and which of them are the same. */
#include "core/url_private.h"

#include <string.h>

#define HOST_BYTES_MAX 253 /* RFC 1035: 255 octets on the wire */
#define LABEL_BYTES_MAX 63
#define GROUPS 8 /* of an IPv6 address, of 16 bits each */
#define NO_GAP SIZE_MAX

/* --- addresses --- */

/* Four decimal numbers from 0 to 255, without leading zeros: some readers take those for octal. */
static bool read_ipv4(struct text_view host, uint32_t *ret_address)
{
	uint32_t address = 0;
	size_t at = 0;
	for (unsigned part = 0; part < 4; part++) {
		unsigned value = 0;
		size_t begin = at;
		if (part > 0) {
			if (at >= host.length || host.bytes[at] != '.')
				return false;
			begin = ++at;
		}
		while (at < host.length && is_digit(host.bytes[at]) && at - begin < 3)
			value = value * 10 + (unsigned)(host.bytes[at++] - '0');
		if (at == begin || value > 255 || (at - begin > 1 && host.bytes[begin] == '0'))
			return false;
		address = address << 8 | value;
	}
	*ret_address = address;
	return at == host.length;
}

struct groups {
	uint16_t values[GROUPS];
	size_t count, gap; /* before which of them "::" stands, or NO_GAP */
};

static uint16_t hex_value(struct text_view digits)
{
	unsigned value = 0;
	for (size_t i = 0; i < digits.length; i++) {
		char byte = lower(digits.bytes[i]);
		value = value * 16 + (unsigned)(is_digit(byte) ? byte - '0' : byte - 'a' + 10);
	}
	return (uint16_t)value;
}

/* The groups that are written.  An IPv4 address may stand for the last two. */
static bool read_groups(struct text_view host, struct groups *groups)
{
	size_t at = 0;
	if (host.length >= 2 && host.bytes[0] == ':' && host.bytes[1] == ':') {
		groups->gap = 0;
		at = 2;
	}
	while (at < host.length) {
		size_t begin = at;
		uint32_t last;
		while (at < host.length && is_hex(host.bytes[at]))
			at++;
		if (at < host.length && host.bytes[at] == '.') {
			if (groups->count > GROUPS - 2 || !read_ipv4((struct text_view){ host.bytes + begin, host.length - begin }, &last))
				return false;
			groups->values[groups->count++] = (uint16_t)(last >> 16);
			groups->values[groups->count++] = (uint16_t)last;
			return true;
		}
		if (at == begin || at - begin > 4 || groups->count == GROUPS)
			return false;
		groups->values[groups->count++] = hex_value((struct text_view){ host.bytes + begin, at - begin });
		if (at == host.length)
			return true;
		if (host.bytes[at++] != ':' || at == host.length)
			return false;
		if (host.bytes[at] == ':') {
			if (groups->gap != NO_GAP)
				return false;
			groups->gap = groups->count;
			at++;
		}
	}
	return true;
}

/* RFC 4291 section 2.2, in brackets.  Zones (%eth0) are refused: they name this machine's interfaces. */
static bool read_ipv6(struct text_view host, uint16_t ret_address[GROUPS])
{
	struct groups groups = { .gap = NO_GAP };
	if (host.length < 2 || host.bytes[0] != '[' || host.bytes[host.length - 1] != ']' ||
	    !read_groups((struct text_view){ host.bytes + 1, host.length - 2 }, &groups) ||
	    (groups.gap == NO_GAP) != (groups.count == GROUPS))
		return false;
	size_t missing = GROUPS - groups.count;
	for (size_t i = 0; i < GROUPS; i++)
		ret_address[i] = i < groups.gap ? groups.values[i] : i < groups.gap + missing ? 0 : groups.values[i - missing];
	return true;
}

bool url_is_address(struct text_view host)
{
	return read_ipv6(host, (uint16_t[GROUPS]){ 0 });
}

/* The longest run of two zeros or more, the first of equals. */
static void find_zeros(const uint16_t address[GROUPS], size_t *ret_begin, size_t *ret_length)
{
	*ret_begin = GROUPS;
	*ret_length = 0;
	for (size_t begin = 0; begin < GROUPS; begin++) {
		size_t length = 0;
		while (begin + length < GROUPS && address[begin + length] == 0)
			length++;
		if (length > 1 && length > *ret_length) {
			*ret_begin = begin;
			*ret_length = length;
		}
	}
}

/* RFC 5952: lower case, no leading zeros, the longest run of zeros short, an IPv4 address as such where it is one. */
static void print_ipv6(const uint16_t address[GROUPS], char to[URL_ADDRESS_BYTES])
{
	static const uint16_t mapped[GROUPS - 2] = { [5] = 0xffff };
	size_t zeros, length, used = 1;
	if (memcmp(address, mapped, sizeof(mapped)) == 0) {
		text_display(to, URL_ADDRESS_BYTES, "[::ffff:%u.%u.%u.%u]", address[6] >> 8, address[6] & 255u, address[7] >> 8,
		             address[7] & 255u);
		return;
	}
	find_zeros(address, &zeros, &length);
	text_display(to, URL_ADDRESS_BYTES, "[");
	for (size_t i = 0; i < GROUPS; i++, used = strlen(to)) {
		if (i == zeros) {
			text_display(to + used, URL_ADDRESS_BYTES - used, "::");
			i += length - 1;
		} else {
			text_display(to + used, URL_ADDRESS_BYTES - used, "%s%x", used > 1 && to[used - 1] != ':' ? ":" : "", address[i]);
		}
	}
	text_display(to + used, URL_ADDRESS_BYTES - used, "]");
}

/* --- which are the same --- */

bool url_same_host(struct text_view a, struct text_view b)
{
	uint16_t one[GROUPS], other[GROUPS];
	if (read_ipv6(a, one) && read_ipv6(b, other))
		return memcmp(one, other, sizeof(one)) == 0;
	if (a.length != b.length)
		return false;
	for (size_t i = 0; i < a.length; i++)
		if (lower(a.bytes[i]) != lower(b.bytes[i]))
			return false;
	return true;
}

enum result url_print_host(struct text_view host, char *to, size_t size)
{
	uint16_t address[GROUPS];
	char spelling[URL_ADDRESS_BYTES];
	bool is_address = read_ipv6(host, address);
	if (is_address)
		print_ipv6(address, spelling);
	enum result result = text_copy(to, size, is_address ? text_view(spelling) : host);
	for (; result == RESULT_OK && *to != '\0'; to++)
		*to = lower(*to);
	return result;
}

/* --- names --- */

/* Whether the last label reads as a number.  Such a name is an address to some resolvers ("127.1",
 * "0x7f000001"), so only the plain spelling of an address is let by. */
static bool ends_in_number(struct text_view label)
{
	if (label.length >= 2 && label.bytes[0] == '0' && (label.bytes[1] | 0x20) == 'x') {
		for (size_t i = 2; i < label.length; i++) {
			if (!is_hex(label.bytes[i]))
				return false;
		}
		return true;
	}
	for (size_t i = 0; i < label.length; i++) {
		if (!is_digit(label.bytes[i]))
			return false;
	}
	return true;
}

enum result url_check_name(struct text_view host, struct fault *fault)
{
	if (host.length > HOST_BYTES_MAX)
		return refuse(fault, "a host name of more than 253 characters");
	size_t begin = 0;
	for (size_t i = 0; i <= host.length; i++) {
		char byte = i < host.length ? host.bytes[i] : '.';
		if (byte == '.') {
			if (i == begin)
				return refuse(fault, "an empty part of the host name");
			if (i - begin > LABEL_BYTES_MAX)
				return refuse(fault, "a part of the host name with more than 63 characters");
			if (i < host.length)
				begin = i + 1;
		} else if (!is_letter(byte) && !is_digit(byte) && byte != '-' && byte != '_') {
			return refuse(fault, "a host name with other characters than a-z, 0-9, '-', '_' and '.'");
		}
	}
	struct text_view last = { host.bytes + begin, host.length - begin };
	if (ends_in_number(last) && !read_ipv4(host, &(uint32_t){ 0 }))
		return refuse(fault, "a host that ends in a number but is no IPv4 address");
	return RESULT_OK;
}
