#include "ground.h"

#include <string.h>

#include "platform/clock.h"
#include "platform/proxy.h"

static struct url url_of(const char *text)
{
	struct url url;
	assert_int_equal(url_parse(text_view(text), &url, NULL), RESULT_OK);
	return url;
}

static enum result ask(enum proxy_mode mode, const char *url_text, struct proxy_answer *ret_answer)
{
	AUTO(identity) struct identity *self = NULL;
	struct fault fault = { .what = "" };
	struct url url = url_of(url_text);
	assert_int_equal(identity_self(&self, &fault), RESULT_OK);
	memset(ret_answer, 0x55, sizeof(*ret_answer));
	enum result result = proxy_ask(self, mode, &url, NULL, ret_answer, &fault);
	if (result != RESULT_OK)
		print_message("%s: %s\n", result_name(result), fault.what);
	return result;
}

#ifndef _WIN32

static void proxy__on_this_ground__nothing_is_configured(void **state)
{
	struct proxy_answer answer;
	(void)state;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(ask(i ? PROXY_AUTODETECT : PROXY_PRECONFIGURED, "http://a.example/", &answer), RESULT_OK);
		assert_int_equal(answer.source, PROXY_FROM_NOTHING);
		assert_string_equal(answer.list, "");
		assert_int_equal(answer.missed.result, RESULT_OK);
	}
	GROUND_CANNOT("settings of users and machines, scripts (shown on Wine and Windows)");
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(proxy__on_this_ground__nothing_is_configured) };
	return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

#include "platform/win32/win32.h"

#include <stdio.h>
#include <winhttp.h>

#include "http_server.h"
#include "platform/thread.h"
#include "windows/proxy_settings.h"

#define SCRIPT_IS(answer) "function FindProxyForURL(url, host) { return " answer "; }"
#define PATIENCE_MS 60000

/* --- settings of the test's own: the process's registry, not the user's --- */

static HKEY user, machine;
static struct http_server *server;
static char target[1024], heads[4096]; /* of what it was asked last */

static HKEY make_key(const wchar_t *kind)
{
	wchar_t path[128];
	HKEY key = NULL;
	_snwprintf(path, 128, L"Software\\FerryTest-proxy-%lu\\%ls", GetCurrentProcessId(), kind);
	assert_int_equal(RegCreateKeyExW(HKEY_CURRENT_USER, path, 0, NULL, 0, KEY_ALL_ACCESS, NULL, &key, NULL), ERROR_SUCCESS);
	return key;
}

static void set_user(DWORD flags, const char *list, const char *bypass, const char *script)
{
	assert_true(settings_write(user, flags, list, bypass, script));
}

static void set_script(DWORD flags, const char *list, const char *path)
{
	char url[128];
	http_server_url(server, path, url, sizeof(url));
	set_user(SETTINGS_SCRIPT | flags, list, "", url);
}

static void set_machine(wchar_t *list, wchar_t *bypass)
{
	WINHTTP_PROXY_INFO info = { list ? WINHTTP_ACCESS_TYPE_NAMED_PROXY : WINHTTP_ACCESS_TYPE_NO_PROXY, list, bypass };
	/* All of the machine's registry is made up for this moment, and while its settings are read: no script runs then. */
	assert_int_equal(RegOverridePredefKey(HKEY_LOCAL_MACHINE, machine), ERROR_SUCCESS);
	assert_true(WinHttpSetDefaultProxyConfiguration(&info));
}

/* --- a server of scripts --- */

static bool send_script(struct http_connection *connection, const char *text)
{
	(void)http_print(connection, "HTTP/1.1 200 OK\r\nContent-Type: application/x-ns-proxy-autoconfig\r\nConnection: close\r\n"
	                 "Content-Length: %zu\r\n\r\n", strlen(text));
	(void)http_send(connection, text, strlen(text));
	return false;
}

static bool serve(void *context, const struct http_request *request, struct http_connection *connection)
{
	static const char *const scripts[][2] = {
		{ "/one", SCRIPT_IS("\"PROXY one.example:8080\"") },
		{ "/direct", SCRIPT_IS("\"DIRECT\"") },
		{ "/url", SCRIPT_IS("\"PROXY u\" + url.length + \"-\" + host + \":1\"") },
		{ "/garbage", "\x01\xff not a script ((" },
		{ "/throws", SCRIPT_IS("nobody.knows") },
		{ "/long", "function FindProxyForURL(url, host) { var s = \"PROXY \"; while (s.length < 5000) s += \"a\"; return s; }" },
	};
	(void)context;
	memcpy(target, request->target, sizeof(target));
	memcpy(heads, request->heads, sizeof(heads));
	for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++)
		if (strcmp(request->target, scripts[i][0]) == 0)
			return send_script(connection, scripts[i][1]);
	if (strcmp(request->target, "/large") == 0) {
		static const char script[] = SCRIPT_IS("\"PROXY large:1\"");
		static char text[1000001]; /* one connection at a time asks for it */
		memset(text, ' ', sizeof(text) - 1);
		memcpy(text, script, sizeof(script) - 1);
		return send_script(connection, text);
	}
	if (strcmp(request->target, "/hang") == 0)
		http_hold(connection);
	else if (strcmp(request->target, "/who") == 0)
		(void)http_print(connection, "HTTP/1.1 401 Who?\r\nWWW-Authenticate: NTLM\r\nConnection: close\r\n"
		                 "Content-Length: 0\r\n\r\n");
	else
		(void)http_print(connection, "HTTP/1.1 404 No\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
	return false;
}

/* --- the cases --- */

static void expect(enum proxy_mode mode, enum proxy_source source, const char *list, enum result missed)
{
	struct proxy_answer answer;
	assert_int_equal(ask(mode, "http://a.example/secret?secret", &answer), RESULT_OK);
	if (answer.source != source || strcmp(answer.list, list) != 0 || answer.missed.result != missed)
		fail_msg("\"%s\" by %s, missed: %s %s %d", answer.list, proxy_source_name(answer.source),
		         result_name(answer.missed.result), answer.missed.what, (int)answer.missed.raw);
	assert_null(strstr(answer.missed.what, "http:"));
}

static void proxy__the_users_settings__come_before_the_machines(void **state)
{
	struct proxy_answer answer;
	(void)state;
	wchar_t list[] = L"machine:1;other:2", bypass[] = L"<local>;*.m";
	set_machine(list, bypass);
	set_user(0, "", "", "");
	expect(PROXY_PRECONFIGURED, PROXY_FROM_MACHINE, "machine:1;other:2", RESULT_OK);
	set_user(SETTINGS_PROXY, "http=user:1;https=user:2", "<local>;*.u", "");
	assert_int_equal(ask(PROXY_PRECONFIGURED, "https://a.example/", &answer), RESULT_OK);
	assert_int_equal(answer.source, PROXY_FROM_IDENTITY);
	assert_string_equal(answer.list, "http=user:1;https=user:2");
	assert_string_equal(answer.bypass, "<local>;*.u");
	set_user(0, "", "", "");
	assert_int_equal(ask(PROXY_PRECONFIGURED, "https://a.example/", &answer), RESULT_OK);
	assert_string_equal(answer.bypass, "<local>;*.m");
	set_machine(NULL, NULL);
	expect(PROXY_PRECONFIGURED, PROXY_FROM_NOTHING, "", RESULT_OK);
	assert_int_equal(RegOverridePredefKey(HKEY_LOCAL_MACHINE, NULL), ERROR_SUCCESS);
}

static void proxy__settings_too_long__are_refused(void **state)
{
	char list[PROXY_TEXT_BYTES_MAX + 2] = { 0 };
	struct proxy_answer answer;
	(void)state;
	memset(list, 'a', PROXY_TEXT_BYTES_MAX + 1);
	set_user(SETTINGS_PROXY, list, "", "");
	assert_int_equal(ask(PROXY_PRECONFIGURED, "http://a.example/", &answer), RESULT_BAD_PROXY);
	set_user(SETTINGS_PROXY, list + 1, "", "");
	expect(PROXY_PRECONFIGURED, PROXY_FROM_IDENTITY, list + 1, RESULT_OK);
	set_user(SETTINGS_PROXY, "a", list, "");
	assert_int_equal(ask(PROXY_PRECONFIGURED, "http://a.example/", &answer), RESULT_BAD_PROXY);
}

static void proxy__a_script__comes_before_what_stands_beside_it(void **state)
{
	(void)state;
	set_script(SETTINGS_PROXY, "beside:1", "/one");
	expect(PROXY_PRECONFIGURED, PROXY_FROM_SCRIPT, "one.example:8080", RESULT_OK);
	set_script(SETTINGS_PROXY, "beside:1", "/direct");
	expect(PROXY_PRECONFIGURED, PROXY_FROM_SCRIPT, "", RESULT_OK);
	set_script(0, "", "/large"); /* Windows' limit is a megabyte; Wine has none */
	expect(PROXY_PRECONFIGURED, PROXY_FROM_SCRIPT, "large:1", RESULT_OK);
}

static void proxy__a_script__learns_the_server_only(void **state)
{
	static const char *const urls[][2] = {
		{ "http://a.example:80/path?query", "http://a.example/" },
		{ "https://a.example:443", "https://a.example/" },
		{ "http://a.example:443?query", "http://a.example:443/" },
	};
	(void)state;
	set_script(0, "", "/url");
	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
		struct proxy_answer answer;
		char list[64];
		snprintf(list, sizeof(list), "u%zu-a.example:1", strlen(urls[i][1]));
		assert_int_equal(ask(PROXY_PRECONFIGURED, urls[i][0], &answer), RESULT_OK);
		assert_string_equal(answer.list, list);
	}
	assert_string_equal(target, "/url");
}

static void proxy__a_script_that_is_none__is_passed_over_and_told(void **state)
{
	static const struct {
		const char *path;
		enum result missed;
	} cases[] = {
		{ "/garbage", RESULT_BAD_RESPONSE },
		{ "/throws", RESULT_BAD_RESPONSE },
		{ "/not-there", RESULT_CONNECT_FAILED },
		{ "/long", RESULT_BAD_PROXY },
		{ "/who", RESULT_CONNECT_FAILED },
	};
	char url[64];
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		set_script(SETTINGS_PROXY, "beside:1", cases[i].path);
		expect(PROXY_PRECONFIGURED, PROXY_FROM_IDENTITY, "beside:1", cases[i].missed);
		assert_string_equal(target, cases[i].path);
		assert_null(strstr(heads, "Authorization"));
		set_script(0, "", cases[i].path);
		expect(PROXY_PRECONFIGURED, PROXY_FROM_NOTHING, "", cases[i].missed);
	}
	snprintf(url, sizeof(url), "http://127.0.0.1:%u/", http_closed_port());
	set_user(SETTINGS_SCRIPT | SETTINGS_PROXY, "beside:1", "", url);
	expect(PROXY_PRECONFIGURED, PROXY_FROM_IDENTITY, "beside:1", RESULT_CONNECT_FAILED);
	set_user(SETTINGS_SCRIPT, "", "", "\\\\not a url");
	struct proxy_answer answer;
	assert_int_equal(ask(PROXY_PRECONFIGURED, "http://a.example/", &answer), RESULT_OK);
	assert_int_equal(answer.source, PROXY_FROM_NOTHING);
	assert_true(answer.missed.result != RESULT_OK);
}

static void proxy__the_network_names_no_script__is_direct_and_nothing_missed(void **state)
{
	(void)state;
	set_user(SETTINGS_DETECT | SETTINGS_PROXY, "beside:1", "", "");
	expect(PROXY_PRECONFIGURED, PROXY_FROM_IDENTITY, "beside:1", RESULT_OK);
	expect(PROXY_AUTODETECT, PROXY_FROM_NOTHING, "", RESULT_OK); /* what the user has set does not count */
	set_script(SETTINGS_DETECT, "", "/one");
	expect(PROXY_PRECONFIGURED, PROXY_FROM_SCRIPT, "one.example:8080", RESULT_OK);
}

static void ask_in_vain(void *context)
{
	struct proxy_answer answer;
	bool *as_expected = context;
	int64_t began_ms = clock_mono_ms();
	enum result result = ask(PROXY_PRECONFIGURED, "http://a.example/", &answer);
	int64_t took_ms = clock_mono_ms() - began_ms;
	*as_expected = result == RESULT_OK && answer.missed.result == RESULT_TIMED_OUT &&
	               answer.source == PROXY_FROM_IDENTITY && strcmp(answer.list, "beside:1") == 0 &&
	               took_ms >= PROXY_ASK_MS_MAX - 100 && took_ms < PROXY_ASK_MS_MAX + 5000;
	if (!*as_expected)
		print_message("%s: %s, %s, \"%s\", %lld ms\n", result_name(result), proxy_source_name(answer.source),
		              result_name(answer.missed.result), answer.list, (long long)took_ms);
}

static void proxy__scripts_that_hang__keep_nobody_longer_and_are_counted(void **state)
{
	struct http_server *normal = server;
	struct thread *threads[PROXY_ASKS_MAX];
	bool as_expected[PROXY_ASKS_MAX];
	struct proxy_answer answer;
	struct fault fault;
	(void)state;
	server = http_server_start(serve, NULL);
	set_script(SETTINGS_PROXY, "beside:1", "/hang");
	for (unsigned i = 0; i < PROXY_ASKS_MAX; i++)
		assert_int_equal(thread_start("asks", ask_in_vain, &as_expected[i], &threads[i], &fault), RESULT_OK);
	int64_t until_ms = clock_mono_ms() + PATIENCE_MS;
	while (http_server_requests(server) < PROXY_ASKS_MAX && clock_mono_ms() < until_ms)
		Sleep(10);
	assert_int_equal(ask(PROXY_PRECONFIGURED, "http://a.example/", &answer), RESULT_NO_WORKER);
	for (unsigned i = 0; i < PROXY_ASKS_MAX; i++) {
		thread_join(threads[i]);
		assert_true(as_expected[i]);
	}
	assert_int_equal(ask(PROXY_PRECONFIGURED, "http://a.example/", &answer), RESULT_NO_WORKER); /* they hang still */
	http_server_stop(server);
	server = normal;
	set_user(SETTINGS_PROXY, "beside:1", "", "");
	while (ask(PROXY_PRECONFIGURED, "http://a.example/", &answer) == RESULT_NO_WORKER && clock_mono_ms() < until_ms)
		Sleep(100);
	expect(PROXY_PRECONFIGURED, PROXY_FROM_IDENTITY, "beside:1", RESULT_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(proxy__the_users_settings__come_before_the_machines),
		cmocka_unit_test(proxy__settings_too_long__are_refused),
		cmocka_unit_test(proxy__a_script__comes_before_what_stands_beside_it),
		cmocka_unit_test(proxy__a_script__learns_the_server_only),
		cmocka_unit_test(proxy__a_script_that_is_none__is_passed_over_and_told),
		cmocka_unit_test(proxy__the_network_names_no_script__is_direct_and_nothing_missed),
		cmocka_unit_test(proxy__scripts_that_hang__keep_nobody_longer_and_are_counted),
	};
	if (GetProcAddress(GetModuleHandleW(L"ntdll.dll"), "wine_get_version") == NULL) {
		printf("SKIPPED on this ground: settings of the test's own (Windows reads a worn identity's; shown by windows.proxy)\n");
		return 77;
	}
	wchar_t path[64];
	_snwprintf(path, 64, L"Software\\FerryTest-proxy-%lu", GetCurrentProcessId());
	user = make_key(L"user");
	machine = make_key(L"machine");
	SetEnvironmentVariableW(L"http_proxy", NULL); /* which Wine takes for the machine's settings */
	server = http_server_start(serve, NULL);
	if (RegOverridePredefKey(HKEY_CURRENT_USER, user) != ERROR_SUCCESS)
		return 1;
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	http_server_stop(server);
	RegOverridePredefKey(HKEY_LOCAL_MACHINE, NULL);
	RegOverridePredefKey(HKEY_CURRENT_USER, NULL);
	RegDeleteTreeW(HKEY_CURRENT_USER, path);
	return failed;
}

#endif
