/* platform/win32/negotiate: Negotiate is Kerberos (rule 31).
 *
 * Windows' package of that name takes NTLM by itself where Kerberos cannot be had, and libcurl hands it no list of what it
 * may take.  So libcurl gets a table of SSPI's functions in which a message of Negotiate that has NTLM in it is an error,
 * and is never sent.  No room names this one: the linker leads calls of curl_global_init here (cmake/rooms.cmake), and with a
 * libcurl that keeps these elsewhere no program links that makes one.  There it also gets a heap that forgets.
 *
 * Not by SEC_WINNT_AUTH_IDENTITY_EX's list of packages ("!ntlm"): libcurl fills the older structure, a package that does not
 * know the newer one would read past it, and what the bytes say would still have to be looked at to know.
 */
#include "platform/win32/win32.h"

#define SECURITY_WIN32
#include <malloc.h>
#include <security.h>
#include <stddef.h>

#ifndef ERROR_NTLM_BLOCKED
#define ERROR_NTLM_BLOCKED 1937L /* "The authentication failed since NTLM was blocked", as by the machine's policy */
#endif

#define CURLE_FAILED_INIT 2 /* libcurl's header is another room's */

/* libcurl's, which sets them when it is initialised */
extern PSecurityFunctionTableW Curl_pSecFn;
extern void (*Curl_cfree)(void *);
extern void *(*Curl_crealloc)(void *, size_t);
int __real_curl_global_init(long flags); /* CURLcode */
int __wrap_curl_global_init(long flags);

static PSecurityFunctionTableW windows;
static SecurityFunctionTableW guarded;

/* The credentials that Negotiate gave out: NTLM's own speak NTLM.  One may be given out twice. */
struct given {
	struct given *next;
	CredHandle handle;
};
static SRWLOCK lock = SRWLOCK_INIT;
static struct given *list;

static struct given **find(const CredHandle *handle)
{
	struct given **at = &list;

	while (*at != NULL && ((*at)->handle.dwLower != handle->dwLower || (*at)->handle.dwUpper != handle->dwUpper))
		at = &(*at)->next;
	return at;
}

static SECURITY_STATUS SEC_ENTRY acquire(SEC_WCHAR *principal, SEC_WCHAR *package, ULONG use, void *logon, void *identity,
                                         SEC_GET_KEY_FN get_key, void *argument, PCredHandle ret_handle, PTimeStamp ret_expiry)
{
	bool negotiate = package != NULL && _wcsicmp(package, L"Negotiate") == 0;
	struct given *given = negotiate ? malloc(sizeof(*given)) : NULL;

	if (negotiate && given == NULL)
		return SEC_E_INSUFFICIENT_MEMORY;
	SECURITY_STATUS status = windows->AcquireCredentialsHandleW(principal, package, use, logon, identity, get_key, argument,
	                                                            ret_handle, ret_expiry);
	if (!negotiate || FAILED(status)) {
		free(given);
		return status;
	}
	given->handle = *ret_handle;
	AcquireSRWLockExclusive(&lock);
	given->next = list;
	list = given;
	ReleaseSRWLockExclusive(&lock);
	return status;
}

static SECURITY_STATUS SEC_ENTRY release(PCredHandle handle)
{
	struct given *found = NULL;

	AcquireSRWLockExclusive(&lock);
	if (handle != NULL) {
		struct given **at = find(handle);

		found = *at;
		if (found != NULL)
			*at = found->next;
	}
	ReleaseSRWLockExclusive(&lock);
	free(found);
	return windows->FreeCredentialsHandle(handle);
}

/* All of NTLM's messages begin with this, and SPNEGO carries them as they are. */
static bool has_ntlm(const SecBuffer *buffer)
{
	static const char signature[] = "NTLMSSP"; /* with its zero */
	const char *bytes = buffer->pvBuffer;

	for (ULONG at = 0; bytes != NULL && at + sizeof(signature) <= buffer->cbBuffer; at++)
		if (memcmp(bytes + at, signature, sizeof(signature)) == 0)
			return true;
	return false;
}

/* libcurl deletes the context of what failed. */
static SECURITY_STATUS SEC_ENTRY speak(PCredHandle credential, PCtxtHandle context, SEC_WCHAR *target, ULONG asked,
                                       ULONG zero, ULONG representation, PSecBufferDesc input, ULONG nought,
                                       PCtxtHandle ret_context, PSecBufferDesc output, ULONG *ret_got, PTimeStamp ret_expiry)
{
	SECURITY_STATUS status = windows->InitializeSecurityContextW(credential, context, target, asked, zero, representation,
	                                                             input, nought, ret_context, output, ret_got, ret_expiry);
	bool negotiate = true, ntlm = false;

	if (credential != NULL) {
		AcquireSRWLockShared(&lock);
		negotiate = *find(credential) != NULL;
		ReleaseSRWLockShared(&lock);
	}
	if (FAILED(status) || !negotiate || output == NULL)
		return status;
	for (ULONG i = 0; i < output->cBuffers; i++)
		ntlm |= has_ntlm(&output->pBuffers[i]);
	for (ULONG i = 0; ntlm && i < output->cBuffers; i++) {
		SecBuffer *buffer = &output->pBuffers[i];

		text_wipe(buffer->pvBuffer, buffer->pvBuffer != NULL ? buffer->cbBuffer : 0);
		buffer->cbBuffer = 0;
	}
	return ntlm ? HRESULT_FROM_WIN32(ERROR_NTLM_BLOCKED) : status;
}

/* libcurl frees its copies of passwords as they are. */
static void forget(void *bytes)
{
	if (bytes != NULL)
		text_wipe(bytes, _msize(bytes));
	free(bytes);
}

static void *move(void *bytes, size_t size)
{
	size_t old = bytes != NULL ? _msize(bytes) : 0;

	if (bytes != NULL && size <= old && size > old / 2)
		return bytes;
	void *moved = malloc(size);
	if (moved == NULL || bytes == NULL)
		return moved;
	memcpy(moved, bytes, old < size ? old : size);
	forget(bytes);
	return moved;
}

int __wrap_curl_global_init(long flags)
{
	int code = __real_curl_global_init(flags);

	if (code != 0 || Curl_pSecFn == &guarded)
		return code;
	if (Curl_pSecFn != InitSecurityInterfaceW()) /* a libcurl that is not built for UTF-16 has another table */
		return CURLE_FAILED_INIT;
	windows = Curl_pSecFn;
	/* What every version of the table has; libcurl calls nothing else. */
	memcpy(&guarded, windows, offsetof(SecurityFunctionTableW, SetContextAttributesW));
	guarded.AcquireCredentialsHandleW = acquire;
	guarded.FreeCredentialsHandle = release;
	guarded.InitializeSecurityContextW = speak;
	Curl_pSecFn = &guarded;
	Curl_cfree = forget;
	Curl_crealloc = move;
	return code;
}
