/* A security package for tests under Wine, whose Kerberos and NTLM speak for the one Unix user whatever token a thread
 * wears.  This one says which token that is.
 *
 * With a key Control\Lsa\00ssp every program that loads secur32 loads it, before Wine's own; it stands in for
 * $FERRY_SSP_NAME (Negotiate or NTLM), and without that it is not there.  A client's messages, $FERRY_SSP_LEGS of them, are
 * "FERRY-SSP LEFT WHO": how many are to follow, and the made-up SID in the default DACL of the thread's token
 * (ground_identity).
 */
#define SECURITY_WIN32
#include <windows.h>

#include <ntsecapi.h>
#include <sspi.h>

#include <ntsecpkg.h> /* whose names are as the others' macros have made them */
#include <sddl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MADE_UP "S-1-5-21-99-"
#define MESSAGE_BYTES_MAX 256
#define WHO_BYTES_MAX 64

static wchar_t package_name[32];

static void thread_identity(char who[WHO_BYTES_MAX])
{
	union {
		TOKEN_DEFAULT_DACL dacl;
		BYTE bytes[4096];
	} known = { .dacl = { NULL } };
	HANDLE token = NULL;
	DWORD size = 0;
	strcpy(who, "nobody");
	if (OpenThreadToken(GetCurrentThread(), TOKEN_QUERY, TRUE, &token)) {
		GetTokenInformation(token, TokenDefaultDacl, &known, sizeof(known), &size);
		CloseHandle(token);
	}
	for (DWORD i = 0; known.dacl.DefaultDacl != NULL && i < known.dacl.DefaultDacl->AceCount; i++) {
		void *ace = NULL;
		char *sid = NULL;
		if (GetAce(known.dacl.DefaultDacl, i, &ace) &&
		    ConvertSidToStringSidA(&((ACCESS_ALLOWED_ACE *)ace)->SidStart, &sid) &&
		    strncmp(sid, MADE_UP, strlen(MADE_UP)) == 0)
			snprintf(who, WHO_BYTES_MAX, "%s", sid);
		LocalFree(sid);
	}
}

static NTSTATUS NTAPI acquire(PUNICODE_STRING principal, ULONG use, PLUID logon, PVOID data, PVOID get_key,
                              PVOID argument, PLSA_SEC_HANDLE ret_credential, PTimeStamp ret_expiry)
{
	(void)principal, (void)use, (void)logon, (void)data, (void)get_key, (void)argument;
	*ret_credential = 1; /* the thread will be asked */
	ret_expiry->QuadPart = INT64_MAX;
	return SEC_E_OK;
}

/* A context is the number of messages that are to follow, and 1: none is 0. */
static NTSTATUS NTAPI speak(LSA_SEC_HANDLE credential, LSA_SEC_HANDLE context, PUNICODE_STRING target, ULONG asked,
                            ULONG representation, PSecBufferDesc input, PLSA_SEC_HANDLE ret_context,
                            PSecBufferDesc output, PULONG ret_got, PTimeStamp ret_expiry, PBOOLEAN ret_mapped,
                            PSecBuffer data)
{
	const char *legs = getenv("FERRY_SSP_LEGS");
	int left = (context != 0 ? (int)context - 1 : legs != NULL ? atoi(legs) : 1) - 1;
	char who[WHO_BYTES_MAX];
	(void)credential, (void)target, (void)asked, (void)representation, (void)input, (void)data;
	thread_identity(who);
	for (ULONG i = 0; i < output->cBuffers; i++)
		if (output->pBuffers[i].BufferType == SECBUFFER_TOKEN)
			output->pBuffers[i].cbBuffer = (ULONG)snprintf(output->pBuffers[i].pvBuffer, output->pBuffers[i].cbBuffer,
			                                               "FERRY-SSP %d %s", left, who);
	*ret_context = (LSA_SEC_HANDLE)left + 1;
	*ret_got = 0;
	*ret_mapped = FALSE;
	ret_expiry->QuadPart = INT64_MAX;
	return left > 0 ? SEC_I_CONTINUE_NEEDED : SEC_E_OK;
}

static NTSTATUS NTAPI release(LSA_SEC_HANDLE handle)
{
	(void)handle;
	return SEC_E_OK;
}

static NTSTATUS NTAPI initialize_package(ULONG id, PLSA_DISPATCH_TABLE calls, PLSA_STRING database,
                                         PLSA_STRING confidentiality, PLSA_STRING *ret_name)
{
	LSA_STRING *name = calls->AllocateLsaHeap(sizeof(*name) + sizeof(package_name));
	(void)id, (void)database, (void)confidentiality;
	name->Buffer = (char *)(name + 1);
	name->MaximumLength = sizeof(package_name);
	name->Length = (USHORT)snprintf(name->Buffer, sizeof(package_name), "%ls", package_name);
	*ret_name = name;
	return SEC_E_OK;
}

static NTSTATUS NTAPI initialize(ULONG_PTR id, PSECPKG_PARAMETERS parameters, PLSA_SECPKG_FUNCTION_TABLE calls)
{
	(void)id, (void)parameters, (void)calls;
	return SEC_E_OK;
}

static NTSTATUS NTAPI tell_about(PSecPkgInfoW info)
{
	*info = (SecPkgInfoW){ .fCapabilities = SECPKG_FLAG_CONNECTION, .wVersion = 1, .wRPCID = SECPKG_ID_NONE,
		                   .cbMaxToken = MESSAGE_BYTES_MAX, .Name = package_name, .Comment = package_name };
	return SEC_E_OK;
}

__declspec(dllexport) NTSTATUS NTAPI SpLsaModeInitialize(ULONG, PULONG, PSECPKG_FUNCTION_TABLE *, PULONG);
NTSTATUS NTAPI SpLsaModeInitialize(ULONG version, PULONG ret_version, PSECPKG_FUNCTION_TABLE *ret_packages,
                                   PULONG ret_count)
{
	static SECPKG_FUNCTION_TABLE package = { .InitializePackage = initialize_package, .Initialize = initialize,
		                                     .GetInfo = tell_about, .AcquireCredentialsHandle = acquire,
		                                     .FreeCredentialsHandle = release, .InitLsaModeContext = speak,
		                                     .DeleteContext = release };
	(void)version;
	*ret_version = SECPKG_INTERFACE_VERSION;
	*ret_packages = &package;
	*ret_count = 1;
	return GetEnvironmentVariableW(L"FERRY_SSP_NAME", package_name, ARRAYSIZE(package_name)) != 0
	           ? SEC_E_OK
	           : SEC_E_SECPKG_NOT_FOUND;
}
