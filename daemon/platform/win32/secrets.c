/* platform/secrets: DPAPI, in the scope of the account.
 *
 * Not of the machine: with CRYPTPROTECT_LOCAL_MACHINE any account of this machine could open what is sealed once it had the
 * entropy, with the account's scope it must be this account as well.  Neither keeps other NetworkService processes out;
 * the entropy does (rule 26).  The price: what was sealed is lost when Ferry is given another account. */
#include "platform/secrets_dpapi.h"
#include "platform/win32/win32.h"

#include <wincrypt.h>

/* DPAPI takes the keys of whomever the thread wears: what it sealed there would be that one's to open, and not ours. */
static enum result check_bare(const char *what, struct fault *fault)
{
	AUTO(handle) HANDLE worn = NULL;

	if (OpenThreadToken(GetCurrentThread(), TOKEN_QUERY, TRUE, &worn) || GetLastError() != ERROR_NO_TOKEN)
		return fault_set(fault, RESULT_INVALID_STATE, FAULT_FERRY, 0, "%s: the thread wears an identity", what);
	return RESULT_OK;
}

/* The Local Security Authority could not be asked, which passes.  What is wrong with the secret has too many numbers to be
 * listed. */
static bool is_passing(DWORD error)
{
	switch (error) {
	case RPC_S_SERVER_UNAVAILABLE:
	case RPC_S_SERVER_TOO_BUSY:
	case RPC_S_CALL_FAILED:
	case RPC_S_CALL_FAILED_DNE:
	case ERROR_SHUTDOWN_IN_PROGRESS:
	case ERROR_SERVICE_NOT_ACTIVE:
	case ERROR_NOT_READY:
	case ERROR_BUSY:
	case ERROR_TIMEOUT: return true;
	default: return false;
	}
}

static enum result convert(bool seal, const uint8_t *entropy, const void *from, size_t size, struct buffer *to,
                           struct fault *fault)
{
	const char *what = seal ? "seal a secret" : "open a secret";
	/* DPAPI only reads both, and of nothing it wants a place, too. */
	DATA_BLOB in = { (DWORD)size, (BYTE *)(uintptr_t)(size > 0 ? from : "") };
	DATA_BLOB salt = { DIGEST_SHA256_BYTES, (BYTE *)(uintptr_t)entropy }, out = { 0, NULL };
	enum result result = check_bare(what, fault);

	if (result != RESULT_OK)
		return result;
	/* Nobody sees a window of a service's, and it would wait for its answer for ever. */
	if (seal ? !CryptProtectData(&in, NULL, &salt, NULL, NULL, CRYPTPROTECT_UI_FORBIDDEN, &out)
	         : !CryptUnprotectData(&in, NULL, &salt, NULL, NULL, CRYPTPROTECT_UI_FORBIDDEN, &out)) {
		DWORD error = GetLastError();
		if (seal || result_from_win32(error) == RESULT_NO_MEMORY)
			return fault_win32(fault, error, "%s", what);
		return fault_set(fault, is_passing(error) ? RESULT_SECRET_BUSY : RESULT_SECRET_UNREADABLE, FAULT_WIN32, error, "%s", what);
	}
	result = buffer_append(to, out.pbData, out.cbData);
	text_wipe(out.pbData, out.cbData);
	LocalFree(out.pbData);
	return result == RESULT_OK ? result : fault_set(fault, result, FAULT_FERRY, 0, "%s", what);
}

enum result (*const secrets_dpapi)(bool, const uint8_t *, const void *, size_t, struct buffer *,
                                   struct fault *) = convert;
