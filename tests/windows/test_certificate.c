/* That Windows' chains of certificates tell what their authority took back, where it said so.  Nobody is asked over a network:
 * the list of what was revoked is put where Windows looks before it asks.  Wine looks for none.
 *
 * The certificates are of this test's own, with addresses of nobody, and good from 2020 to 2099.
 */
#include "windows_only.h"

#include <string.h>
#include <wincrypt.h>

#include "platform/certificate.h"
#include "platform/tls.h"

/* clang-format off */
#define AUTHORITY \
	"-----BEGIN CERTIFICATE-----\n" \
	"MIIBcjCCARegAwIBAgIBEDAKBggqhkjOPQQDAjAfMR0wGwYDVQQDDBRGZXJyeSB0\n" \
	"ZXN0IGF1dGhvcml0eTAgFw0yMDAxMDEwMDAwMDBaGA8yMDk5MDEwMTAwMDAwMFow\n" \
	"HzEdMBsGA1UEAwwURmVycnkgdGVzdCBhdXRob3JpdHkwWTATBgcqhkjOPQIBBggq\n" \
	"hkjOPQMBBwNCAAQ+32kbTfhLgkd6sJwqEUHbnXoDx1i/p7vFetilV3j7/ZHp+cxD\n" \
	"a0zAqaQTn6SgERzMq/LxS9N0ZNzbBob5ntNZo0IwQDAPBgNVHRMBAf8EBTADAQH/\n" \
	"MA4GA1UdDwEB/wQEAwIBBjAdBgNVHQ4EFgQU1BaFN54UyOIyNhTfO/4BQN63dcAw\n" \
	"CgYIKoZIzj0EAwIDSQAwRgIhAPmOCeYs40XVkHiiA2s/5ZpQrfulCYgQBqRVer4P\n" \
	"p5bIAiEAlW8u+V331viHEZYHOppCmpxI91M51DI+VNfvLdjlsB8=\n" \
	"-----END CERTIFICATE-----\n"

#define GOOD \
	"-----BEGIN CERTIFICATE-----\n" \
	"MIIBkTCCATegAwIBAgIBETAKBggqhkjOPQQDAjAfMR0wGwYDVQQDDBRGZXJyeSB0\n" \
	"ZXN0IGF1dGhvcml0eTAgFw0yMDAxMDEwMDAwMDBaGA8yMDk5MDEwMTAwMDAwMFow\n" \
	"FDESMBAGA1UEAwwJZ29vZC50ZXN0MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n" \
	"by+3w5Sf9HmBzs/zFFAsP15XbGWFcxWnI9qMgcSF8n9FZCdS8WvHwbgJ57TcPm/a\n" \
	"cFytWjQTANyLua0ffms816NtMGswFAYDVR0RBA0wC4IJZ29vZC50ZXN0MBMGA1Ud\n" \
	"JQQMMAoGCCsGAQUFBwMBMB8GA1UdIwQYMBaAFNQWhTeeFMjiMjYU3zv+AUDet3XA\n" \
	"MB0GA1UdDgQWBBQGFRJt2DUzimyCB1h+BvHu8V3LnzAKBggqhkjOPQQDAgNIADBF\n" \
	"AiEAiGtnc5u6r6QGNy6VErj9xR31HvPQDLBQykkDA1nzgksCIBsnkaIuaR/xBi+J\n" \
	"kW0repf6yLC5v5d2JLQPuceGh3bI\n" \
	"-----END CERTIFICATE-----\n"

#define REVOKED \
	"-----BEGIN CERTIFICATE-----\n" \
	"MIIBlzCCAT2gAwIBAgIBEjAKBggqhkjOPQQDAjAfMR0wGwYDVQQDDBRGZXJyeSB0\n" \
	"ZXN0IGF1dGhvcml0eTAgFw0yMDAxMDEwMDAwMDBaGA8yMDk5MDEwMTAwMDAwMFow\n" \
	"FzEVMBMGA1UEAwwMcmV2b2tlZC50ZXN0MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcD\n" \
	"QgAEdGvUehDI86QFMF49nchwTIh9oXVIUlAHGzPpny5wrLFkIKbNjCEqhLS2Mv5p\n" \
	"iHSld7YNGpL/M7bN6wSIX9v5raNwMG4wFwYDVR0RBBAwDoIMcmV2b2tlZC50ZXN0\n" \
	"MBMGA1UdJQQMMAoGCCsGAQUFBwMBMB8GA1UdIwQYMBaAFNQWhTeeFMjiMjYU3zv+\n" \
	"AUDet3XAMB0GA1UdDgQWBBShxnKvvd82QWTF1W9cGqAmqMNT/TAKBggqhkjOPQQD\n" \
	"AgNIADBFAiBpzdRYyrnCajU/Q5RzlIB6Oog2fEH2+INYklNxTPt9UwIhAKvvrFiG\n" \
	"m9zwyPO3FoWx5bvIAAvPHVIu9G/vyaUE27A/\n" \
	"-----END CERTIFICATE-----\n"

#define REVOKED_AS_AUTHORITY \
	"-----BEGIN CERTIFICATE-----\n" \
	"MIIBojCCAUigAwIBAgIBEzAKBggqhkjOPQQDAjAfMR0wGwYDVQQDDBRGZXJyeSB0\n" \
	"ZXN0IGF1dGhvcml0eTAgFw0yMDAxMDEwMDAwMDBaGA8yMDk5MDEwMTAwMDAwMFow\n" \
	"FDESMBAGA1UEAwwJYm90aC50ZXN0MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n" \
	"D/pLAKLy1UoPZPpRFgFPM1KEhEtZIxQI37cMisQOILWhR1rsXrIbvXcXh5s6OesU\n" \
	"WPSzO+yx3k0jD+bBxw+cd6N+MHwwDwYDVR0TAQH/BAUwAwEB/zAUBgNVHREEDTAL\n" \
	"gglib3RoLnRlc3QwEwYDVR0lBAwwCgYIKwYBBQUHAwEwHwYDVR0jBBgwFoAU1BaF\n" \
	"N54UyOIyNhTfO/4BQN63dcAwHQYDVR0OBBYEFIlM3G9EVOBDG0Edzvf2V2Apv1+H\n" \
	"MAoGCCqGSM49BAMCA0gAMEUCIQD/LNxSBfUPG8vyFMzXVrc9Qjmog9NZL2dDVjho\n" \
	"erirjQIgNCtN4bUW9ZRqpMdMU6pvTHmYMcy/aVhxqM9Y/R6yiNU=\n" \
	"-----END CERTIFICATE-----\n"

#define LIST \
	"-----BEGIN X509 CRL-----\n" \
	"MIIBBDCBqwIBATAKBggqhkjOPQQDAjAfMR0wGwYDVQQDDBRGZXJyeSB0ZXN0IGF1\n" \
	"dGhvcml0eRcNMjAwMTAxMDAwMDAwWhgPMjA5OTAxMDEwMDAwMDBaMCgwEgIBEhcN\n" \
	"MjAwMTAxMDAwMDAwWjASAgETFw0yMDAxMDEwMDAwMDBaoC8wLTAKBgNVHRQEAwIB\n" \
	"ATAfBgNVHSMEGDAWgBTUFoU3nhTI4jI2FN87/gFA3rd1wDAKBggqhkjOPQQDAgNI\n" \
	"ADBFAiEAooWPZZOhh/BPpeuxeZO8e8CXig0N3Yg+7JFRzyB+K0wCIEEKDo4t07du\n" \
	"U1qZWh9jlWtMBxh1JmNYO1YJukOkEYnF\n" \
	"-----END X509 CRL-----\n"
/* clang-format on */

#define SENT_MAX 64
#define JUNK "junk"

/* As tls_certificates would tell what a server sent: NULL ends it; JUNK is no certificate. */
static enum certificate_verdict ask(const char *const sent[], const char *roots)
{
	AUTO(buffer) struct buffer list = BUFFER(TLS_CERTIFICATES_BYTES_MAX);
	struct fault why = { .what = "" };
	BYTE der[2048];

	for (; *sent != NULL; sent++) {
		DWORD size = sizeof(der);

		if (strcmp(*sent, JUNK) == 0)
			memset(der, 'x', size = 100);
		else
			assert_true(CryptStringToBinaryA(*sent, 0, CRYPT_STRING_BASE64HEADER, der, &size, NULL, NULL));
		assert_int_equal(tls_certificate_add(&list, der, size), RESULT_OK);
	}
	enum certificate_verdict verdict =
		certificate_system->ask((struct text_view){ list.bytes, list.length }, text_view(roots), &why);

	print_message("verdict %d: %s (%lld)\n", (int)verdict, why.what, (long long)why.raw);
	return verdict;
}

#define ASK(roots, ...) ask((const char *const[]){ __VA_ARGS__, NULL }, roots)

static void certificate__that_nobody_speaks_of__is_not_answered(void **state)
{
	(void)state;
	assert_int_equal(ASK(AUTHORITY, GOOD), CERTIFICATE_UNANSWERED);
	assert_int_equal(ASK("", GOOD), CERTIFICATE_UNANSWERED); /* rests on nothing that this machine trusts */
}

static void certificate__that_cannot_be_read__is_refused_whatever_else_is_there(void **state)
{
	(void)state;
	assert_int_equal(ask((const char *const[]){ NULL }, AUTHORITY), CERTIFICATE_UNASKED);
	assert_int_equal(ASK(AUTHORITY, JUNK, GOOD), CERTIFICATE_UNASKED);
	assert_int_equal(ASK("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", GOOD), CERTIFICATE_UNASKED);
}

static void certificate__in_its_authoritys_list__is_revoked_and_another_is_good(void **state)
{
	HCERTSTORE store = CertOpenSystemStoreW(0, L"CA");
	const CRL_CONTEXT *list = NULL;
	const char *many[SENT_MAX + 1] = { REVOKED };
	BYTE der[2048];
	DWORD size = sizeof(der);
	(void)state;

	assert_true(CryptStringToBinaryA(LIST, 0, CRYPT_STRING_BASE64X509CRLHEADER, der, &size, NULL, NULL));
	assert_true(CertAddEncodedCRLToStore(store, X509_ASN_ENCODING, der, size, CERT_STORE_ADD_REPLACE_EXISTING, &list));
	enum certificate_verdict good = ASK(AUTHORITY, GOOD, AUTHORITY), revoked = ASK(AUTHORITY, REVOKED);
	/* One that could be an authority's is the server's all the same. */
	enum certificate_verdict as_authority = ASK(AUTHORITY, REVOKED_AS_AUTHORITY, AUTHORITY);
	/* What a server sends beside its own neither hides nor harms it. */
	enum certificate_verdict beside = ASK(AUTHORITY, GOOD, REVOKED, JUNK, AUTHORITY);
	for (size_t i = 1; i < SENT_MAX; i++)
		many[i] = i % 2 ? GOOD : JUNK;
	enum certificate_verdict hidden = ask(many, AUTHORITY);
	many[0] = GOOD;
	enum certificate_verdict harmless = ask(many, AUTHORITY);
	assert_true(CertDeleteCRLFromStore(list));
	CertCloseStore(store, 0);
	assert_int_equal(good, CERTIFICATE_GOOD);
	assert_int_equal(revoked, CERTIFICATE_REVOKED);
	assert_int_equal(as_authority, CERTIFICATE_REVOKED);
	assert_int_equal(beside, CERTIFICATE_GOOD);
	assert_int_equal(hidden, CERTIFICATE_REVOKED);
	assert_int_equal(harmless, CERTIFICATE_GOOD);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(certificate__that_nobody_speaks_of__is_not_answered),
		                                cmocka_unit_test(certificate__that_cannot_be_read__is_refused_whatever_else_is_there),
		                                cmocka_unit_test(certificate__in_its_authoritys_list__is_revoked_and_another_is_good) };
	if (must_skip("what an authority took back"))
		return SKIPPED_PROGRAM;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
