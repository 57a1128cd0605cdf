#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/digest.h"

#define ABC256 "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define D32 "0123456789abcdef0123456789ABCDEF"
#define D64 D32 D32

static void digest_parse__what_it_reads__is_written_in_lower_case(void **state)
{
	static const struct {
		const char *text, *written;
		unsigned length;
	} cases[] = {
		{ "sha256:" ABC256, "sha256:" ABC256, 32 },
		{ "sha256:BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD", "sha256:" ABC256, 32 },
		{ "sha384:" D64 D32,
		  "sha384:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", 48 },
		{ "sha512:" ABC256 ABC256, "sha512:" ABC256 ABC256, 64 },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct digest digest = { .length = 0 };
		char text[DIGEST_TEXT_BYTES_MAX];
		assert_int_equal(digest_parse(text_view(cases[i].text), &digest, NULL), RESULT_OK);
		assert_int_equal(digest.length, cases[i].length);
		digest_format(&digest, text);
		assert_string_equal(text, cases[i].written);
	}
	struct digest none = { .length = 0 };
	char text[DIGEST_TEXT_BYTES_MAX];
	digest_format(&none, text);
	assert_string_equal(text, "");
}

static void digest_parse__anything_else__is_refused_with_how_it_is_written(void **state)
{
	static const struct {
		const char *text, *says;
	} cases[] = {
		{ "", "must be \"sha256:\"" },
		{ ABC256, "must be \"sha256:\"" },
		{ "sha256", "must be \"sha256:\"" },
		{ "SHA256:" ABC256, "must be \"sha256:\"" },
		{ "md5:0123456789abcdef0123456789abcdef", "must be \"sha256:\"" },
		{ "sha1:0123456789abcdef0123456789abcdef01234567", "must be \"sha256:\"" },
		{ "sha256:", "must have 64 hexadecimal digits behind \"sha256:\"" },
		{ "sha256:" D32, "must have 64" },
		{ "sha256:" D64 "0", "must have 64" },
		{ "sha256:" D64 " ", "must have 64" },
		{ "sha256: " ABC256, "must have 64" },
		{ "sha384:" D64, "must have 96" },
		{ "sha512:" D64, "must have 128" },
		{ "sha256:g123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", "must have 64" },
		{ "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde/", "must have 64" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct digest digest = { .length = 7 };
		struct fault fault = { .what = "" };
		assert_int_equal(digest_parse(text_view(cases[i].text), &digest, &fault), RESULT_INVALID_ARGUMENT);
		assert_int_equal(digest.length, 7);
		if (strstr(fault.what, cases[i].says) == NULL)
			fail_msg("%s: %s", cases[i].text, fault.what);
	}
}

static void digest_check__table__only_the_same_bytes_of_the_same_algorithm(void **state)
{
	(void)state;
	struct digest stated = { .length = 0 }, found;
	struct fault fault;
	assert_int_equal(digest_parse(text_view("sha256:" ABC256), &stated, NULL), RESULT_OK);
	found = stated;
	assert_int_equal(digest_check(&stated, &found, &fault), RESULT_OK);
	for (unsigned at = 0; at < stated.length; at++) {
		found = stated;
		found.bytes[at] ^= 1;
		assert_int_equal(digest_check(&stated, &found, &fault), RESULT_DIGEST_MISMATCH);
	}
	found = stated;
	found.length = DIGEST_SHA512_BYTES;
	assert_int_equal(digest_check(&stated, &found, &fault), RESULT_DIGEST_MISMATCH);
	found = stated;
	found.bytes[0] = 0;
	assert_int_equal(digest_check(&stated, &found, &fault), RESULT_DIGEST_MISMATCH);
	assert_string_equal(fault.what, "it has sha256:007816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad instead of "
	                                ABC256);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(digest_parse__what_it_reads__is_written_in_lower_case),
		cmocka_unit_test(digest_parse__anything_else__is_refused_with_how_it_is_written),
		cmocka_unit_test(digest_check__table__only_the_same_bytes_of_the_same_algorithm),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
