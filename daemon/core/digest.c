#include "core/digest.h"

#include <string.h>

static const struct {
	const char *prefix;
	uint8_t length;
} algorithms[] = {
	{ "sha256:", DIGEST_SHA256_BYTES },
	{ "sha384:", DIGEST_SHA384_BYTES },
	{ "sha512:", DIGEST_SHA512_BYTES },
};
#define ALGORITHM_COUNT (sizeof(algorithms) / sizeof(algorithms[0]))

/* The value of a hexadecimal digit, or -1. */
static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static enum result read_digits(struct text_view digits, struct digest *digest, const char *prefix, struct fault *fault)
{
	bool good = digits.length == 2 * (size_t)digest->length;

	for (size_t i = 0; good && i < digest->length; i++) {
		int high = digit(digits.bytes[2 * i]), low = digit(digits.bytes[2 * i + 1]);
		good = high >= 0 && low >= 0;
		digest->bytes[i] = (uint8_t)(good ? high << 4 | low : 0);
	}
	return good ? RESULT_OK
	            : fault_set(fault, RESULT_INVALID_ARGUMENT, FAULT_FERRY, 0,
	                        "must have %u hexadecimal digits behind \"%s\", and nothing else", 2u * digest->length, prefix);
}

enum result digest_parse(struct text_view text, struct digest *ret_digest, struct fault *fault)
{
	for (size_t i = 0; i < ALGORITHM_COUNT; i++) {
		const char *prefix = algorithms[i].prefix;
		size_t length = strlen(prefix);
		struct digest digest = { .length = algorithms[i].length };
		if (text.length < length || memcmp(text.bytes, prefix, length) != 0)
			continue;
		struct text_view digits = { text.bytes + length, text.length - length };
		enum result result = read_digits(digits, &digest, prefix, fault);
		if (result == RESULT_OK)
			*ret_digest = digest;
		return result;
	}
	return fault_set(fault, RESULT_INVALID_ARGUMENT, FAULT_FERRY, 0,
	                 "must be \"sha256:\", \"sha384:\" or \"sha512:\" and the digest in hexadecimal digits");
}

void digest_format(const struct digest *digest, char to[DIGEST_TEXT_BYTES_MAX])
{
	static const char digits[] = "0123456789abcdef";
	char *at = to;

	for (size_t i = 0; i < ALGORITHM_COUNT; i++) {
		if (algorithms[i].length == digest->length) {
			memcpy(at, algorithms[i].prefix, strlen(algorithms[i].prefix));
			at += strlen(algorithms[i].prefix);
		}
	}
	for (size_t i = 0; i < digest->length; i++) {
		*at++ = digits[digest->bytes[i] >> 4];
		*at++ = digits[digest->bytes[i] & 15];
	}
	*at = '\0';
}

enum result digest_check(const struct digest *stated, const struct digest *found, struct fault *fault)
{
	char meant[DIGEST_TEXT_BYTES_MAX], came[DIGEST_TEXT_BYTES_MAX];

	if (found->length == stated->length && memcmp(found->bytes, stated->bytes, stated->length) == 0)
		return RESULT_OK;
	digest_format(stated, meant);
	digest_format(found, came);
	return fault_set(fault, RESULT_DIGEST_MISMATCH, FAULT_FERRY, 0, "it has %s instead of %s", came,
	                 strchr(meant, ':') + 1);
}
