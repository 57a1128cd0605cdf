/* platform/service: what the process gives up before it does anything (rules 17 and 22). */
#include "platform/service.h"

#include <string.h>

#include "platform/win32/security.h"

struct mitigation {
	PROCESS_MITIGATION_POLICY policy;
	DWORD flags;
	const char *name;
};

/* Each is one DWORD of bits, whatever its structure is called.  Not among them: a ban on dynamic code (proxy scripts)
 * and on foreign images (security packages, client certificates' providers), which Ferry loads on purpose. */
static const struct mitigation mitigations[] = {
	{ ProcessExtensionPointDisablePolicy, 0x1, "no extension points" },
	/* no images from the network or of low integrity; system32 first */
	{ ProcessImageLoadPolicy, 0x7, "image load policy" },
	/* links made by others than administrators are not followed */
	{ ProcessRedirectionTrustPolicy, 0x1, "redirection trust" },
};

static enum result set_mitigations(struct fault *fault)
{
	for (size_t i = 0; i < sizeof mitigations / sizeof mitigations[0]; i++) {
		DWORD flags = mitigations[i].flags;
		if (SetProcessMitigationPolicy(mitigations[i].policy, &flags, sizeof flags))
			continue;
		/* A Windows from before the policy does not know its number; defence in depth may be thinner there. */
		DWORD error = GetLastError();
		if (error != ERROR_INVALID_PARAMETER && error != ERROR_NOT_SUPPORTED && error != ERROR_CALL_NOT_IMPLEMENTED)
			return fault_win32(fault, error, "harden the process: %s", mitigations[i].name);
	}
	return RESULT_OK;
}

/* Predefined keys are bound to whoever used them first: under impersonation that would be somebody else's.  Looked up,
 * since Wine has no such function and nothing to keep apart. */
static enum result separate_registry_keys(struct fault *fault)
{
	typedef LONG(WINAPI * disable_cache)(void);
	HMODULE advapi = GetModuleHandleW(L"advapi32.dll");
	FARPROC found = advapi != NULL ? GetProcAddress(advapi, "RegDisablePredefinedCacheEx") : NULL;
	disable_cache disable;

	if (found == NULL)
		return RESULT_OK;
	memcpy(&disable, &found, sizeof disable);
	LONG error = disable();
	return error == ERROR_SUCCESS ? RESULT_OK
	                              : fault_win32(fault, (uint32_t)error, "keep predefined registry keys apart");
}

/* A service's token has its account for that, which is every NetworkService process: to the files that SQLite and others make
 * it could give itself rights, and the next start would refuse them as a stranger's.  The service SID may be an owner
 * (SERVICE_SID_TYPE_UNRESTRICTED). */
static enum result own_what_is_made(struct fault *fault)
{
	AUTO(handle) HANDLE token = NULL;
	struct sid ferry;
	bool is_service = false;
	enum result result = security_ferry_sid(&ferry, fault);

	if (result == RESULT_OK)
		result = security_process_is(&ferry, &is_service, fault);
	if (result != RESULT_OK || !is_service)
		return result;
	if (!OpenProcessToken(GetCurrentProcess(), TOKEN_ADJUST_DEFAULT, &token))
		return fault_win32(fault, GetLastError(), "open the process's token");
	return security_own_what_is_made(token, &ferry, fault);
}

#define REPORT_NO_HEAP 0x1 /* WER_FAULT_REPORTING_FLAG_NOHEAP of werapi.h, which MinGW's cannot be compiled */

/* What crashes leaves nothing of its memory behind, which has passwords and others' files in it.  An exception that nobody
 * handles ends the process without a report; what ends it otherwise (a broken heap, abort) is reported without the heap.  Looked
 * up, since Wine need not have it, and makes no dumps. */
static void leave_no_dump(void)
{
	typedef HRESULT(WINAPI * set_flags)(DWORD flags);
	HMODULE kernel = GetModuleHandleW(L"kernel32.dll");
	FARPROC found = kernel != NULL ? GetProcAddress(kernel, "WerSetFlags") : NULL;
	set_flags set;

	(void)SetErrorMode(GetErrorMode() | SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX);
	if (found == NULL)
		return;
	memcpy(&set, &found, sizeof set);
	(void)set(REPORT_NO_HEAP);
}

enum result service_harden_process(struct fault *fault)
{
	leave_no_dump();
	/* A heap that is broken must not be used to go on. */
	(void)HeapSetInformation(NULL, HeapEnableTerminationOnCorruption, NULL, 0);
	if (!SetDefaultDllDirectories(LOAD_LIBRARY_SEARCH_SYSTEM32))
		return fault_win32(fault, GetLastError(), "limit the search for libraries");
	enum result result = separate_registry_keys(fault);
	if (result == RESULT_OK)
		result = set_mitigations(fault);
	if (result == RESULT_OK)
		result = own_what_is_made(fault);
	if (result == RESULT_OK)
		result = security_close_object(GetCurrentProcess(), PROCESS_ALL_ACCESS, fault);
	return result == RESULT_OK ? security_close_object(GetCurrentThread(), THREAD_ALL_ACCESS, fault) : result;
}
