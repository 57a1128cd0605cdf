/* That Windows' chains of certificates tell what their authority took back, where it said so.  Nobody is asked over a network:
 * the list of what was revoked is put where Windows looks before it asks.  Wine looks for none.
 *
 * The certificates are of this test's own, with addresses of nobody, and good from 2020 to 2099.
 */
#include "windows_only.h"

#include <string.h>
#include <wincrypt.h>

#include "platform/certificate.h"

/* clang-format off */
#define AUTHORITY \
	"-----BEGIN CERTIFICATE-----\n" \
	"MIIBcDCCARegAwIBAgIBEDAKBggqhkjOPQQDAjAfMR0wGwYDVQQDDBRGZXJyeSB0\n" \
	"ZXN0IGF1dGhvcml0eTAgFw0yMDAxMDEwMDAwMDBaGA8yMDk5MDEwMTAwMDAwMFow\n" \
	"HzEdMBsGA1UEAwwURmVycnkgdGVzdCBhdXRob3JpdHkwWTATBgcqhkjOPQIBBggq\n" \
	"hkjOPQMBBwNCAARKIVfxKgD9r+LYAPhxcXYmyg3RrV///F05hFJWkK5eLV+SRrN4\n" \
	"1AI4MFNcMqfDhAJrsuHh61U44TGsrqIxXaG8o0IwQDAPBgNVHRMBAf8EBTADAQH/\n" \
	"MA4GA1UdDwEB/wQEAwIBBjAdBgNVHQ4EFgQUb1qx/HXdZ7CCCNl5u7s7XaS88Tgw\n" \
	"CgYIKoZIzj0EAwIDRwAwRAIgCiljiPm7UuvXQ+yskp26J2E6/XZjEW6q/1+2LbsP\n" \
	"9pICIHTrRrdoVo9/slddzKiAmFPEK1jpeqyKaA3WjJpnfzNi\n" \
	"-----END CERTIFICATE-----\n"

#define GOOD \
	"-----BEGIN CERTIFICATE-----\n" \
	"MIIBkjCCATegAwIBAgIBETAKBggqhkjOPQQDAjAfMR0wGwYDVQQDDBRGZXJyeSB0\n" \
	"ZXN0IGF1dGhvcml0eTAgFw0yMDAxMDEwMDAwMDBaGA8yMDk5MDEwMTAwMDAwMFow\n" \
	"FDESMBAGA1UEAwwJZ29vZC50ZXN0MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n" \
	"GGiPyMfCJHlWyHkGz9nSVak9sU9NxZrxxnE/OkF9vqIBgG1tIe2RCDC8n+Xs+Prc\n" \
	"32Rw0SSlg8Ve9c0gEIZ6iKNtMGswFAYDVR0RBA0wC4IJZ29vZC50ZXN0MBMGA1Ud\n" \
	"JQQMMAoGCCsGAQUFBwMBMB0GA1UdDgQWBBQCzGZ/a7FDjvblg9mxdLGweqxdrDAf\n" \
	"BgNVHSMEGDAWgBRvWrH8dd1nsIII2Xm7uztdpLzxODAKBggqhkjOPQQDAgNJADBG\n" \
	"AiEAvFWPKNGNRKNn4V2wiG9VsVaex38fUI+WMdYNJQgxzrYCIQCFeCPMzEY9KkpA\n" \
	"Flc7dl2sZchRwyVB0fqVwyaVvVnj4g==\n" \
	"-----END CERTIFICATE-----\n"

#define REVOKED \
	"-----BEGIN CERTIFICATE-----\n" \
	"MIIBmDCCAT2gAwIBAgIBEjAKBggqhkjOPQQDAjAfMR0wGwYDVQQDDBRGZXJyeSB0\n" \
	"ZXN0IGF1dGhvcml0eTAgFw0yMDAxMDEwMDAwMDBaGA8yMDk5MDEwMTAwMDAwMFow\n" \
	"FzEVMBMGA1UEAwwMcmV2b2tlZC50ZXN0MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcD\n" \
	"QgAETdno5xr1Nrmdk/mpaHouvThl/vXukjeT5E6wLL8TF1j0TSjg/du5X3TwXisD\n" \
	"+0Vw7OQRq8uRwj3N16hn1UokCqNwMG4wFwYDVR0RBBAwDoIMcmV2b2tlZC50ZXN0\n" \
	"MBMGA1UdJQQMMAoGCCsGAQUFBwMBMB0GA1UdDgQWBBQR1C01R2nwbv6D8whHIMo6\n" \
	"SxjClTAfBgNVHSMEGDAWgBRvWrH8dd1nsIII2Xm7uztdpLzxODAKBggqhkjOPQQD\n" \
	"AgNJADBGAiEA9uSFg/0HzfGA8GPR3tB/BU33KE8qoj0KUxBzkWxGWn4CIQDMMJJL\n" \
	"zFn1F9P4IbJd9LvUyvyHNBDjl+ZxYv3pBC8FOg==\n" \
	"-----END CERTIFICATE-----\n"

#define LIST \
	"-----BEGIN X509 CRL-----\n" \
	"MIHPMHYCAQEwCgYIKoZIzj0EAwIwHzEdMBsGA1UEAwwURmVycnkgdGVzdCBhdXRo\n" \
	"b3JpdHkXDTIwMDEwMTAwMDAwMFoYDzIwOTkwMTAxMDAwMDAwWjAUMBICARIXDTI2\n" \
	"MTEyODAzMTEyM1qgDjAMMAoGA1UdFAQDAgEBMAoGCCqGSM49BAMCA0kAMEYCIQCh\n" \
	"/wQUcHE/CEUe82yRCV4un2ATa2c+CkQVYvP4Qnv51gIhALeQaS5wjS8gOf9+XOG1\n" \
	"UhC1Ff5xqkR3dOJ9MCxmMnLP\n" \
	"-----END X509 CRL-----\n"
/* clang-format on */

static enum certificate_verdict ask(const char *chain, const char *roots)
{
	struct fault why = { .what = "" };
	enum certificate_verdict verdict = certificate_system->ask(text_view(chain), text_view(roots), &why);

	print_message("verdict %d: %s (%lld)\n", (int)verdict, why.what, (long long)why.raw);
	return verdict;
}

static void certificate__that_nobody_speaks_of__is_not_answered(void **state)
{
	(void)state;
	assert_int_equal(ask(GOOD, AUTHORITY), CERTIFICATE_UNANSWERED);
	assert_int_equal(ask(GOOD, ""), CERTIFICATE_UNANSWERED); /* rests on nothing that this machine trusts */
	assert_int_equal(ask(AUTHORITY, AUTHORITY), CERTIFICATE_UNANSWERED);
	assert_int_equal(ask("", AUTHORITY), CERTIFICATE_UNANSWERED);
	assert_int_equal(ask("-----BEGIN CERTIFICATE-----\nAAAA\n", AUTHORITY), CERTIFICATE_UNANSWERED);
	assert_int_equal(ask("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", AUTHORITY), CERTIFICATE_UNANSWERED);
}

static void certificate__in_its_authoritys_list__is_revoked_and_another_is_good(void **state)
{
	HCERTSTORE store = CertOpenSystemStoreW(0, L"CA");
	const CRL_CONTEXT *list = NULL;
	BYTE der[2048];
	DWORD size = sizeof(der);
	(void)state;

	assert_true(CryptStringToBinaryA(LIST, 0, CRYPT_STRING_BASE64X509CRLHEADER, der, &size, NULL, NULL));
	assert_true(CertAddEncodedCRLToStore(store, X509_ASN_ENCODING, der, size, CERT_STORE_ADD_REPLACE_EXISTING, &list));
	enum certificate_verdict good = ask(GOOD AUTHORITY, AUTHORITY);
	enum certificate_verdict revoked = ask(REVOKED, AUTHORITY);
	/* What a server sends beside its own does not hide it, in any order. */
	enum certificate_verdict both = ask(GOOD REVOKED AUTHORITY, AUTHORITY), turned = ask(AUTHORITY REVOKED GOOD, AUTHORITY);
	assert_true(CertDeleteCRLFromStore(list));
	CertCloseStore(store, 0);
	assert_int_equal(good, CERTIFICATE_GOOD);
	assert_int_equal(revoked, CERTIFICATE_REVOKED);
	assert_int_equal(both, CERTIFICATE_REVOKED);
	assert_int_equal(turned, CERTIFICATE_REVOKED);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(certificate__that_nobody_speaks_of__is_not_answered),
		                                cmocka_unit_test(certificate__in_its_authoritys_list__is_revoked_and_another_is_good) };
	if (must_skip("what an authority took back"))
		return SKIPPED_PROGRAM;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
