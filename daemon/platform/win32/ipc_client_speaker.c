#include "platform/ipc_client.h"

#include <string.h>

#include "platform/win32/security.h"
#include "platform/win32/utf.h"

_Static_assert(IPC_SID_BYTES_MAX >= SID_TEXT_BYTES_MAX, "a claim holds every SID");

struct ipc_speaker {
	HANDLE token; /* an impersonation token; NULL: none but the process's */
};

static enum result make(HANDLE *token, struct ipc_speaker **ret_speaker, struct fault *fault)
{
	struct ipc_speaker *speaker = malloc(sizeof(*speaker));

	if (!speaker)
		return fault_set(fault, RESULT_NO_MEMORY, FAULT_FERRY, 0, "remember who speaks");
	speaker->token = TAKE(*token);
	*ret_speaker = speaker;
	return RESULT_OK;
}

enum result ipc_speaker_current(struct ipc_speaker **ret_speaker, struct fault *fault)
{
	AUTO(handle) HANDLE token = NULL;

	/* As self: the token that is worn need not be allowed to open itself. */
	if (!OpenThreadToken(GetCurrentThread(), TOKEN_IMPERSONATE | TOKEN_QUERY, TRUE, &token) &&
	    GetLastError() != ERROR_NO_TOKEN)
		return fault_win32(fault, GetLastError(), "remember who speaks");
	return make(&token, ret_speaker, fault);
}

void ipc_speaker_free(struct ipc_speaker *speaker)
{
	if (!speaker)
		return;
	if (speaker->token)
		CloseHandle(speaker->token);
	free(speaker);
}

enum result ipc_speaker_claim(const struct ipc_speaker *speaker, struct ipc_claim *ret_claim, struct fault *fault)
{
	/* The process's own token without opening it: what the thread wears now need not be allowed to. */
	HANDLE token = speaker->token ? speaker->token : GetCurrentProcessToken();
	TOKEN_STATISTICS statistics;
	struct ipc_claim claim;
	struct sid sid;
	DWORD size;
	enum result result = security_token_user(token, &sid, fault);

	if (result == RESULT_OK)
		result = security_sid_text(&sid.sid, claim.sid, fault);
	if (result != RESULT_OK)
		return result;
	if (!GetTokenInformation(token, TokenStatistics, &statistics, sizeof(statistics), &size))
		return fault_win32(fault, GetLastError(), "read the logon of who speaks");
	claim.logon_id = security_luid_number(statistics.AuthenticationId);
	*ret_claim = claim;
	return RESULT_OK;
}

/* --- logging on --- */

struct credentials {
	wchar_t *domain, *name, *password; /* domain NULL: the name tells it */
};

static void credentials_cleanup(struct credentials *credentials)
{
	if (credentials->password)
		SecureZeroMemory(credentials->password, wcslen(credentials->password) * sizeof(*credentials->password));
	free(credentials->password);
	free(credentials->name);
	free(credentials->domain);
}

/* DOMAIN\name; name@domain, which goes in whole; a bare name is an account of this machine. */
static enum result split_user(const char *user, struct credentials *logon, struct fault *fault)
{
	const char *backslash = strchr(user, '\\');
	struct text_view domain = text_view(".");
	struct text_view name = text_view(user);

	if (backslash) {
		domain = (struct text_view){ user, (size_t)(backslash - user) };
		name = text_view(backslash + 1);
	}
	if (!backslash && strchr(user, '@'))
		return utf_to_wide(name, "user name", &logon->name, fault);
	enum result result = utf_to_wide(domain, "user's domain", &logon->domain, fault);
	return result == RESULT_OK ? utf_to_wide(name, "user name", &logon->name, fault) : result;
}

/* What is wrong with the account or the password; anything else is wrong with the system. */
static bool is_refusal(DWORD error)
{
	switch (error) {
	case ERROR_ACCESS_DENIED:
	case ERROR_NO_SUCH_USER:
	case ERROR_NO_SUCH_DOMAIN:
	case ERROR_WRONG_PASSWORD:
	case ERROR_LOGON_FAILURE:
	case ERROR_ACCOUNT_RESTRICTION:
	case ERROR_INVALID_LOGON_HOURS:
	case ERROR_INVALID_WORKSTATION:
	case ERROR_PASSWORD_EXPIRED:
	case ERROR_PASSWORD_MUST_CHANGE:
	case ERROR_ACCOUNT_DISABLED:
	case ERROR_ACCOUNT_EXPIRED:
	case ERROR_ACCOUNT_LOCKED_OUT:
	case ERROR_LOGON_TYPE_NOT_GRANTED:
		return true;
	default:
		return false;
	}
}

enum result ipc_speaker_logon(const char *user, const char *password, struct ipc_speaker **ret_speaker,
                              struct fault *fault)
{
	AUTO(credentials) struct credentials logon = { .domain = NULL };
	AUTO(handle) HANDLE primary = NULL;
	AUTO(handle) HANDLE token = NULL;
	enum result result = split_user(user, &logon, fault);

	if (result == RESULT_OK)
		result = utf_to_wide(text_view(password), "password", &logon.password, fault);
	if (result != RESULT_OK)
		return result;
	BOOL logged_on = LogonUserW(logon.name, logon.domain, logon.password, LOGON32_LOGON_INTERACTIVE,
	                            LOGON32_PROVIDER_DEFAULT, &primary);
	if (!logged_on && GetLastError() == ERROR_LOGON_TYPE_NOT_GRANTED)
		logged_on = LogonUserW(logon.name, logon.domain, logon.password, LOGON32_LOGON_BATCH, LOGON32_PROVIDER_DEFAULT,
		                       &primary);
	DWORD error = logged_on ? ERROR_SUCCESS : GetLastError();
	if (is_refusal(error))
		return fault_set(fault, RESULT_ACCESS_REFUSED, FAULT_WIN32, error, "log on as %s", user);
	if (error != ERROR_SUCCESS)
		return fault_win32(fault, error, "log on as %s", user);
	/* A thread wears impersonation tokens only.  Here Wine, which lets anybody log on, has nothing to give. */
	if (!DuplicateTokenEx(primary, TOKEN_IMPERSONATE | TOKEN_QUERY | TOKEN_DUPLICATE, NULL, SecurityImpersonation,
	                      TokenImpersonation, &token))
		return fault_win32(fault, GetLastError(), "use the token of %s", user);
	return make(&token, ret_speaker, fault);
}

enum result ipc_speaker_wear(const struct ipc_speaker *speaker, struct fault *fault)
{
	/* A thread without a token speaks as its process. */
	if (SetThreadToken(NULL, speaker->token))
		return RESULT_OK;
	return fault_set(fault, RESULT_IDENTITY_LOST, FAULT_WIN32, (int64_t)GetLastError(), "speak as before");
}
