/* platform/win32/negotiate, in a program that has libcurl as ferryd.exe has it: with an account that no Kerberos knows and
 * a host that has no name, Windows' Negotiate takes NTLM, and libcurl is not given that. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <windows.h>
#define SECURITY_WIN32
#include <security.h>

#include "runtime/transfer.h"

#define BLOCKED ((SECURITY_STATUS)0x80070791) /* HRESULT_FROM_WIN32(ERROR_NTLM_BLOCKED) */

extern PSecurityFunctionTableW Curl_pSecFn;

static WCHAR user[] = L"nobody", domain[] = L"NOWHERE", password[] = L"sesame", host[] = L"HTTP/no-such-host.invalid";
static char token[65536];

static SECURITY_STATUS acquire(const SecurityFunctionTableW *table, const WCHAR *package, CredHandle *ret_credential)
{
	SEC_WINNT_AUTH_IDENTITY_W who = { .User = user, .UserLength = 6, .Domain = domain, .DomainLength = 7,
		                              .Password = password, .PasswordLength = 6, .Flags = SEC_WINNT_AUTH_IDENTITY_UNICODE };
	WCHAR name[16];
	TimeStamp expiry;

	swprintf(name, ARRAYSIZE(name), L"%ls", package);
	return table->AcquireCredentialsHandleW(NULL, name, SECPKG_CRED_OUTBOUND, NULL, &who, NULL, NULL, ret_credential, &expiry);
}

/* The status of the first message, which is in `token` then. */
static SECURITY_STATUS speak(const SecurityFunctionTableW *table, CredHandle *credential)
{
	CtxtHandle context = { 0, 0 };
	SecBuffer buffer = { sizeof(token), SECBUFFER_TOKEN, token };
	SecBufferDesc output = { SECBUFFER_VERSION, 1, &buffer };
	ULONG got = 0;
	TimeStamp expiry;

	memset(token, 0, sizeof(token));
	SECURITY_STATUS status = table->InitializeSecurityContextW(credential, NULL, host, ISC_REQ_CONFIDENTIALITY, 0,
	                                                           SECURITY_NATIVE_DREP, NULL, 0, &context, &output, &got, &expiry);
	table->DeleteSecurityContext(&context);
	return status;
}

static bool has_ntlm(void)
{
	for (size_t at = 0; at + sizeof("NTLMSSP") <= sizeof(token); at++)
		if (memcmp(token + at, "NTLMSSP", sizeof("NTLMSSP")) == 0)
			return true;
	return false;
}

static void negotiate__is_not_ntlm_to_libcurl(void **state)
{
	CredHandle windows, one, two;
	(void)state;
	/* What is kept out would be there. */
	assert_int_equal(acquire(InitSecurityInterfaceW(), L"Negotiate", &windows), SEC_E_OK);
	SECURITY_STATUS status = speak(InitSecurityInterfaceW(), &windows);
	InitSecurityInterfaceW()->FreeCredentialsHandle(&windows);
	if (status != SEC_I_CONTINUE_NEEDED || !has_ntlm()) {
		printf("SKIPPED: this machine's Negotiate takes no NTLM by itself (0x%08lX)\n", (unsigned long)status);
		skip();
	}

	assert_int_equal(acquire(Curl_pSecFn, L"Negotiate", &one), SEC_E_OK);
	assert_int_equal(acquire(Curl_pSecFn, L"negotiate", &two), SEC_E_OK);
	assert_int_equal(speak(Curl_pSecFn, &one), BLOCKED);
	assert_false(has_ntlm());
	Curl_pSecFn->FreeCredentialsHandle(&one);
	assert_int_equal(speak(Curl_pSecFn, &two), BLOCKED);
	assert_false(has_ntlm());
	Curl_pSecFn->FreeCredentialsHandle(&two);
}

static void ntlm__is_spoken_as_ntlm(void **state)
{
	CredHandle negotiate, ntlm;
	(void)state;
	for (int i = 0; i < 20; i++) {
		/* A handle that is given back and given out again is what it is now. */
		assert_int_equal(acquire(Curl_pSecFn, L"Negotiate", &negotiate), SEC_E_OK);
		Curl_pSecFn->FreeCredentialsHandle(&negotiate);
		assert_int_equal(acquire(Curl_pSecFn, L"NTLM", &ntlm), SEC_E_OK);
		assert_int_equal(speak(Curl_pSecFn, &ntlm), SEC_I_CONTINUE_NEEDED);
		assert_true(has_ntlm());
		Curl_pSecFn->FreeCredentialsHandle(&ntlm);
	}
}

static int start(void **state)
{
	struct fault fault;
	(void)state;
	return transfer_global_init(&fault) == RESULT_OK ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(negotiate__is_not_ntlm_to_libcurl),
		cmocka_unit_test(ntlm__is_spoken_as_ntlm),
	};
	return cmocka_run_group_tests(tests, start, NULL);
}
