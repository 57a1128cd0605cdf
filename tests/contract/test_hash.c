#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "platform/hash.h"

/* FIPS 180-4's own example, and nothing at all. */
static const struct {
	const char *text, *digest; /* of the algorithm of that length */
} known[] = {
	{ "abc", "a9993e364706816aba3e25717850c26c9cd0d89d" },
	{ "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
	{ "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
	{ "abc", "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7" },
	{ "abc", "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd"
	         "454d4423643ce80e2a9ac94fa54ca49f" },
};

static void hash__known_texts__have_their_digests_in_parts_or_whole(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		size_t digest_bytes = strlen(known[i].digest) / 2, length = strlen(known[i].text);
		for (size_t cut = 0; cut <= length; cut++) {
			uint8_t digest[DIGEST_SHA512_BYTES];
			char written[2 * DIGEST_SHA512_BYTES + 1] = "";
			struct hash *hash = hash_new(digest_bytes);
			hash_add(hash, known[i].text, cut);
			hash_add(hash, NULL, 0);
			hash_add(hash, known[i].text + cut, length - cut);
			assert_int_equal(hash_end(hash, digest, NULL), RESULT_OK);
			for (size_t at = 0; at < digest_bytes; at++)
				text_display(written + 2 * at, 3, "%02x", digest[at]);
			assert_string_equal(written, known[i].digest);
		}
	}
}

static void hash__none_or_given_up__harms_nothing(void **state)
{
	(void)state;
	uint8_t digest[DIGEST_SHA256_BYTES];
	struct fault fault;
	hash_add(NULL, "a", 1);
	hash_free(NULL);
	assert_int_equal(hash_end(NULL, digest, &fault), RESULT_NO_MEMORY);
	struct hash *hash = hash_new(DIGEST_SHA256_BYTES);
	hash_add(hash, "a", 1);
	hash_free(hash);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hash__known_texts__have_their_digests_in_parts_or_whole),
		cmocka_unit_test(hash__none_or_given_up__harms_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
