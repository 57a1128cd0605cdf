#include "platform/machine.h"

#include <stdlib.h>
#include <string.h>

#include "platform/win32/fault.h"
#include "platform/win32/utf.h"
#include "platform/win32/win32.h"

#include <dsgetdc.h>
#include <lm.h>

#define PRIVILEGE_CHARS_MAX 64

/* --- privileges --- */

static enum result read_privileges(HANDLE token, TOKEN_PRIVILEGES **ret_privileges, struct fault *fault)
{
	DWORD size = 0;

	(void)GetTokenInformation(token, TokenPrivileges, NULL, 0, &size);
	TOKEN_PRIVILEGES *privileges = size > 0 ? malloc(size) : NULL;
	if (privileges == NULL)
		return fault_win32(fault, size > 0 ? ERROR_OUTOFMEMORY : GetLastError(), "read the process's privileges");
	if (!GetTokenInformation(token, TokenPrivileges, privileges, size, &size)) {
		free(privileges);
		return fault_win32(fault, GetLastError(), "read the process's privileges");
	}
	*ret_privileges = privileges;
	return RESULT_OK;
}

static enum result add_name(LUID privilege, char *to, size_t size, struct fault *fault)
{
	wchar_t wide[PRIVILEGE_CHARS_MAX];
	char name[3 * PRIVILEGE_CHARS_MAX];
	DWORD chars = PRIVILEGE_CHARS_MAX;
	size_t used = strlen(to);

	if (!LookupPrivilegeNameW(NULL, &privilege, wide, &chars))
		return fault_win32(fault, GetLastError(), "name the privilege %lu", privilege.LowPart);
	enum result result = utf_from_wide(wide, chars, name, sizeof name, "privilege", fault);
	if (result == RESULT_OK && text_format(to + used, size - used, "%s%s", used > 0 ? " " : "", name) != RESULT_OK)
		result = fault_set(fault, RESULT_TOO_LONG, FAULT_FERRY, 0, "name all privileges");
	return result;
}

static enum result list_privileges(char *to, size_t size, struct fault *fault)
{
	AUTO(handle) HANDLE token = NULL;
	AUTO(memory) TOKEN_PRIVILEGES *privileges = NULL;
	enum result result = RESULT_OK;

	to[0] = '\0';
	if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token))
		return fault_win32(fault, GetLastError(), "open the process's token");
	result = read_privileges(token, &privileges, fault);
	for (DWORD i = 0; result == RESULT_OK && i < privileges->PrivilegeCount; i++)
		result = add_name(privileges->Privileges[i].Luid, to, size, fault);
	return result;
}

/* --- the domain --- */

/* Loaded when it is asked for: nothing else needs the library. */
static enum result find(const char *name, void *to, struct fault *fault)
{
	HMODULE module = LoadLibraryExW(L"netapi32.dll", NULL, LOAD_LIBRARY_SEARCH_SYSTEM32);
	FARPROC found = module != NULL ? GetProcAddress(module, name) : NULL;

	memcpy(to, &found, sizeof found);
	return found != NULL ? RESULT_OK : fault_win32(fault, GetLastError(), "find %s in netapi32.dll", name);
}

static void free_buffer(void *buffer)
{
	NET_API_STATUS(WINAPI *release)(void *buffer);

	if (buffer != NULL && find("NetApiBufferFree", &release, NULL) == RESULT_OK)
		(void)release(buffer);
}

static enum result read_domain(char *to, size_t size, struct fault *fault)
{
	NET_API_STATUS(WINAPI *get)(const wchar_t *server, wchar_t **ret_name, NETSETUP_JOIN_STATUS *ret_status);
	NETSETUP_JOIN_STATUS status = NetSetupUnknownStatus;
	wchar_t *name = NULL;
	enum result result = find("NetGetJoinInformation", &get, fault);

	to[0] = '\0';
	if (result != RESULT_OK)
		return result;
	NET_API_STATUS error = get(NULL, &name, &status);
	if (error != NERR_Success)
		return fault_win32(fault, error, "ask which domain this machine is in");
	if (status == NetSetupDomainName)
		result = utf_from_wide(name, wcslen(name), to, size, "domain", fault);
	free_buffer(name);
	return result;
}

static enum result find_kdc(char *to, size_t size, struct fault *fault)
{
	DWORD(WINAPI *get)(const wchar_t *computer, const wchar_t *domain, GUID *guid, const wchar_t *site, ULONG flags,
	                   DOMAIN_CONTROLLER_INFOW **ret_info);
	DOMAIN_CONTROLLER_INFOW *info = NULL;
	enum result result = find("DsGetDcNameW", &get, fault);

	if (result != RESULT_OK)
		return result;
	DWORD error = get(NULL, NULL, NULL, NULL, DS_KDC_REQUIRED | DS_RETURN_DNS_NAME, &info);
	if (error != ERROR_SUCCESS)
		return fault_win32(fault, error, "find a domain controller");
	const wchar_t *name = info->DomainControllerName;
	name += wcsncmp(name, L"\\\\", 2) == 0 ? 2 : 0;
	result = utf_from_wide(name, wcslen(name), to, size, "domain controller", fault);
	free_buffer(info);
	return result;
}

static enum result ask_time(const char *server, int64_t *ret_wall_ms, struct fault *fault)
{
	NET_API_STATUS(WINAPI *get)(const wchar_t *server, BYTE **ret_time);
	AUTO(memory) wchar_t *wide = NULL;
	char path[272];
	TIME_OF_DAY_INFO *time = NULL;
	enum result result = text_format(path, sizeof path, "\\\\%s", server);

	if (result == RESULT_OK)
		result = utf_to_wide(text_view(path), "domain controller", &wide, fault);
	if (result == RESULT_OK)
		result = find("NetRemoteTOD", &get, fault);
	if (result != RESULT_OK)
		return result;
	NET_API_STATUS error = get(wide, (BYTE **)&time);
	if (error != NERR_Success)
		return fault_win32(fault, error, "ask %s for the time", server);
	*ret_wall_ms = (int64_t)time->tod_elapsedt * 1000 + (int64_t)time->tod_hunds * 10;
	free_buffer(time);
	return RESULT_OK;
}

static const struct machine_system windows = { list_privileges, read_domain, find_kdc, ask_time };
const struct machine_system *const machine_system = &windows;
