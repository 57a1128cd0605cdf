#include "platform/proxy_system.h"

#include "platform/thread.h"
#include "platform/win32/utf.h"
#include "platform/win32/win32.h"

#include <winhttp.h>

#define STEP_MS 5000            /* resolving a name, connecting, sending, receiving: each */
#define SXS_KEY_NOT_FOUND 14007 /* what Wine says of a script that does not run */

#define LOOK_MS 50 /* at whether whoever asks gives up */

/* A question under way.  On the heap, since whoever asks may not wait for its end. */
struct asking {
	struct identity *identity;
	enum proxy_mode mode;
	char origin[PROXY_ORIGIN_BYTES_MAX + 1];
	struct thread *thread;
	/* guarded by `all.lock` */
	bool awaited, over;
	enum result result; /* OK as soon as there is an answer */
	struct proxy_answer answer;
	struct fault fault;
};

static struct {
	SRWLOCK lock;
	CONDITION_VARIABLE is_over;
	struct asking *askings[PROXY_ASKS_MAX];
} all = { .lock = SRWLOCK_INIT, .is_over = CONDITION_VARIABLE_INIT };

static void global_cleanup(LPWSTR *text)
{
	GlobalFree(*text);
}

static void session_cleanup(HINTERNET *session)
{
	if (*session != NULL)
		WinHttpCloseHandle(*session);
}

/* --- what is had from WinHTTP --- */

static enum result fault_winhttp(struct fault *fault, DWORD error, const char *what)
{
	switch (error) {
	case ERROR_WINHTTP_TIMEOUT:
		return fault_set(fault, RESULT_TIMED_OUT, FAULT_WIN32, error, "%s", what);
	case ERROR_WINHTTP_LOGIN_FAILURE:
		return fault_set(fault, RESULT_DENIED, FAULT_WIN32, error, "%s", what);
	case ERROR_WINHTTP_UNABLE_TO_DOWNLOAD_SCRIPT:
		return fault_set(fault, RESULT_CONNECT_FAILED, FAULT_WIN32, error, "%s", what);
	case ERROR_WINHTTP_BAD_AUTO_PROXY_SCRIPT:
	case ERROR_WINHTTP_SCRIPT_EXECUTION_ERROR:
	case ERROR_WINHTTP_UNHANDLED_SCRIPT_TYPE:
	case SXS_KEY_NOT_FOUND:
		return fault_set(fault, RESULT_BAD_RESPONSE, FAULT_WIN32, error, "%s", what);
	default:
		return fault_win32(fault, error, "%s", what);
	}
}

/* Take over a list and a bypass list; either may be NULL. */
static enum result set_answer(struct proxy_answer *answer, const wchar_t *list, const wchar_t *bypass,
                              enum proxy_source source, struct fault *fault)
{
	answer->source = source;
	answer->list[0] = answer->bypass[0] = '\0';
	if ((list == NULL || utf_from_wide(list, wcslen(list), answer->list, sizeof answer->list, "", NULL) == RESULT_OK) &&
	    (bypass == NULL ||
	     utf_from_wide(bypass, wcslen(bypass), answer->bypass, sizeof answer->bypass, "", NULL) == RESULT_OK))
		return RESULT_OK;
	return fault_set(fault, RESULT_BAD_PROXY, FAULT_FERRY, 0, "a list of more than %d bytes, or no text, by %s",
	                 PROXY_TEXT_BYTES_MAX, proxy_source_name(source));
}

static enum result read_machine(struct proxy_answer *answer, struct fault *fault)
{
	WINHTTP_PROXY_INFO info = { 0 };
	/* Not set at all is a success.  What cannot be read is told, unless there is something to tell already. */
	if (!WinHttpGetDefaultProxyConfiguration(&info)) {
		DWORD error = GetLastError();
		if (answer->missed.result == RESULT_OK)
			(void)fault_win32(&answer->missed, error, "read the machine's proxy settings");
		return set_answer(answer, NULL, NULL, PROXY_FROM_NOTHING, fault);
	}
	AUTO(global) LPWSTR list = info.lpszProxy;
	AUTO(global) LPWSTR bypass = info.lpszProxyBypass;
	if (info.dwAccessType != WINHTTP_ACCESS_TYPE_NAMED_PROXY || list == NULL)
		return set_answer(answer, NULL, NULL, PROXY_FROM_NOTHING, fault);
	return set_answer(answer, list, bypass, PROXY_FROM_MACHINE, fault);
}

/* Have a script asked: that at `at`, or, NULL, one that the network names. */
static enum result run_script(const wchar_t *url, const wchar_t *at, struct proxy_answer *answer, struct fault *fault)
{
	const char *what = at != NULL ? "ask the proxy script of the user's settings" : "ask the network's proxy script";
	/* fAutoLogonIfChallenged stays FALSE: whoever serves the script, or claims to, is not shown who asks (rule 27). */
	WINHTTP_AUTOPROXY_OPTIONS options = { .dwFlags = WINHTTP_AUTOPROXY_CONFIG_URL, .lpszAutoConfigUrl = at };
	WINHTTP_PROXY_INFO info = { 0 };
	AUTO(session)
	HINTERNET session =
		WinHttpOpen(L"Ferry", WINHTTP_ACCESS_TYPE_NO_PROXY, WINHTTP_NO_PROXY_NAME, WINHTTP_NO_PROXY_BYPASS, 0);

	if (session == NULL || !WinHttpSetTimeouts(session, STEP_MS, STEP_MS, STEP_MS, STEP_MS))
		return fault_winhttp(fault, GetLastError(), what);
	if (at == NULL) {
		options.dwFlags = WINHTTP_AUTOPROXY_AUTO_DETECT;
		options.dwAutoDetectFlags = WINHTTP_AUTO_DETECT_TYPE_DHCP | WINHTTP_AUTO_DETECT_TYPE_DNS_A;
	}
	if (!WinHttpGetProxyForUrl(session, url, &options, &info)) {
		DWORD error = GetLastError();
		return error == ERROR_WINHTTP_AUTODETECTION_FAILED ? RESULT_NOT_FOUND : fault_winhttp(fault, error, what);
	}
	AUTO(global) LPWSTR list = info.lpszProxy;
	AUTO(global) LPWSTR bypass = info.lpszProxyBypass;
	enum proxy_source source = at != NULL ? PROXY_FROM_SCRIPT : PROXY_FROM_AUTODETECT;
	if (info.dwAccessType != WINHTTP_ACCESS_TYPE_NAMED_PROXY)
		return set_answer(answer, NULL, NULL, source, fault);
	return set_answer(answer, list, bypass, source, fault);
}

/* --- on the thread that wears the identity --- */

/* The best answer so far. */
static void publish(struct asking *asking, const struct proxy_answer *answer)
{
	AcquireSRWLockExclusive(&all.lock);
	asking->answer = *answer;
	asking->result = RESULT_OK;
	ReleaseSRWLockExclusive(&all.lock);
}

/* Whether the script answered; if not, that is told with the answer that is there. */
static bool prefer_script(struct asking *asking, const wchar_t *url, const wchar_t *at, struct proxy_answer *answer)
{
	struct proxy_answer by_script = { .missed = answer->missed };
	struct fault missed;
	enum result result = run_script(url, at, &by_script, &missed);

	if (result != RESULT_OK && result != RESULT_NOT_FOUND)
		answer->missed = missed;
	publish(asking, result == RESULT_OK ? &by_script : answer);
	return result == RESULT_OK;
}

static enum result answer_all(struct asking *asking, struct fault *fault)
{
	struct proxy_answer answer = { .source = PROXY_FROM_NOTHING };
	WINHTTP_CURRENT_USER_IE_PROXY_CONFIG user = { .fAutoDetect = asking->mode == PROXY_AUTODETECT };
	AUTO(memory) wchar_t *url = NULL;
	enum result result = utf_to_wide(text_view(asking->origin), "a server", &url, fault);

	if (result == RESULT_OK && asking->mode == PROXY_PRECONFIGURED && !WinHttpGetIEProxyConfigForCurrentUser(&user)) {
		(void)fault_win32(&answer.missed, GetLastError(), "read the user's proxy settings");
		user = (WINHTTP_CURRENT_USER_IE_PROXY_CONFIG){ 0 };
	}
	AUTO(global) LPWSTR list = user.lpszProxy;
	AUTO(global) LPWSTR bypass = user.lpszProxyBypass;
	AUTO(global) LPWSTR script = user.lpszAutoConfigUrl;
	/* What takes no time comes first, to be the answer if the scripts take too long. */
	if (result == RESULT_OK && list != NULL)
		result = set_answer(&answer, list, bypass, PROXY_FROM_IDENTITY, fault);
	else if (result == RESULT_OK && asking->mode == PROXY_PRECONFIGURED)
		result = read_machine(&answer, fault);
	if (result != RESULT_OK)
		return result;
	publish(asking, &answer);
	if (!(user.fAutoDetect && prefer_script(asking, url, NULL, &answer)) && script != NULL)
		(void)prefer_script(asking, url, script, &answer);
	return RESULT_OK;
}

static void asking_main(void *argument)
{
	struct asking *asking = argument;
	struct fault fault;
	enum result result = identity_wear(asking->identity, &fault);

	if (result == RESULT_OK)
		result = answer_all(asking, &fault);
	AcquireSRWLockExclusive(&all.lock);
	asking->result = result;
	if (result != RESULT_OK)
		asking->fault = fault;
	asking->over = true;
	ReleaseSRWLockExclusive(&all.lock);
	WakeAllConditionVariable(&all.is_over);
}

/* --- on the thread that asks --- */

static void free_asking(struct asking *asking)
{
	thread_join(asking->thread);
	identity_free(asking->identity);
	free(asking);
}

/* Clear away what is over and awaited by nobody; a free place, or NULL.  With the lock: who is over does not take it
 * again. */
static struct asking **clear(void)
{
	struct asking **place = NULL;

	for (size_t i = 0; i < PROXY_ASKS_MAX; i++) {
		struct asking *asking = all.askings[i];
		if (asking != NULL && asking->over && !asking->awaited) {
			free_asking(asking);
			all.askings[i] = NULL;
		}
		if (all.askings[i] == NULL)
			place = &all.askings[i];
	}
	return place;
}

static enum result await(struct asking *asking, const atomic_bool *gives_up, struct proxy_answer *ret_answer,
                         struct fault *fault)
{
	ULONGLONG now_ms = GetTickCount64(), until_ms = now_ms + PROXY_ASK_MS_MAX;

	while (!asking->over && now_ms < until_ms && !(gives_up != NULL && atomic_load(gives_up))) {
		ULONGLONG look_ms = gives_up != NULL && until_ms - now_ms > LOOK_MS ? LOOK_MS : until_ms - now_ms;

		(void)SleepConditionVariableSRW(&all.is_over, &all.lock, (DWORD)look_ms, 0);
		now_ms = GetTickCount64();
	}
	asking->awaited = false;
	if (asking->result != RESULT_OK && !asking->over)
		return fault_set(fault, RESULT_TIMED_OUT, FAULT_FERRY, 0, "read the proxy settings");
	if (asking->result != RESULT_OK) {
		if (fault != NULL)
			*fault = asking->fault;
		return asking->result;
	}
	*ret_answer = asking->answer;
	if (!asking->over)
		(void)fault_set(&ret_answer->missed, RESULT_TIMED_OUT, FAULT_FERRY, 0, "ask a proxy script");
	return RESULT_OK;
}

static enum result ask(struct identity *identity, enum proxy_mode mode, const char *origin, const atomic_bool *gives_up,
                       struct proxy_answer *ret_answer, struct fault *fault)
{
	struct asking *asking = calloc(1, sizeof *asking);
	if (asking == NULL)
		return fault_set(fault, RESULT_NO_MEMORY, FAULT_FERRY, 0, "ask for proxies");
	*asking = (struct asking){
		.mode = mode, .awaited = true, .result = RESULT_TIMED_OUT, .identity = identity_hold(identity)
	};
	enum result result = text_copy(asking->origin, sizeof asking->origin, text_view(origin));

	AcquireSRWLockExclusive(&all.lock);
	struct asking **place = clear();
	if (result == RESULT_OK && place == NULL)
		result = fault_set(fault, RESULT_NO_WORKER, FAULT_FERRY, 0, "%u questions for proxies are under way",
		                   PROXY_ASKS_MAX);
	if (result == RESULT_OK)
		result = thread_start("proxy", asking_main, asking, &asking->thread, fault);
	if (result == RESULT_OK) {
		*place = asking;
		result = await(asking, gives_up, ret_answer, fault);
		(void)clear();
	} else {
		free_asking(asking);
	}
	ReleaseSRWLockExclusive(&all.lock);
	return result;
}

static const struct proxy_system system_asks = { ask };
const struct proxy_system *const proxy_system = &system_asks;
