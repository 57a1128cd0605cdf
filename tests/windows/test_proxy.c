/* Whose proxy settings WinHTTP reads, and that nobody's credentials go to a server of scripts: Wine reads the
 * process's, and logs on nowhere.  The user's settings are changed for the time of the test, and set back. */
#include "windows_only.h"

#include <stdio.h>

#include "http_server.h"
#include "platform/proxy.h"
#include "windows/proxy_settings.h"

static struct http_server *server;
static char heads[65536]; /* of all requests */
static unsigned char saved[65536];
static DWORD saved_size;

static bool serve(void *context, const struct http_request *request, struct http_connection *connection)
{
	static const char script[] = "function FindProxyForURL(url, host) {"
								 " return 'PROXY u' + url.length + '.example:1; PROXY two.example:2; DIRECT'; }";
	(void)context;
	size_t length = strlen(heads);
	snprintf(heads + length, sizeof(heads) - length, "%s %s\n%s\n", request->method, request->target, request->heads);
	if (strcmp(request->target, "/script") == 0)
		(void)http_print(connection, "HTTP/1.1 200 OK\r\nContent-Type: application/x-ns-proxy-autoconfig\r\n"
		                 "Connection: close\r\nContent-Length: %zu\r\n\r\n%s", strlen(script), script);
	else
		(void)http_print(connection, "HTTP/1.1 401 Who?\r\nWWW-Authenticate: Negotiate\r\nWWW-Authenticate: NTLM\r\n"
		                 "Connection: close\r\nContent-Length: 0\r\n\r\n");
	return false;
}

static void set_script(const char *list, const char *path)
{
	char url[128];
	http_server_url(server, path, url, sizeof(url));
	assert_true(settings_write(HKEY_CURRENT_USER, SETTINGS_SCRIPT | (list[0] ? SETTINGS_PROXY : 0), list, "", url));
}

static void ask(struct identity *identity, enum proxy_mode mode, struct proxy_answer *ret_answer)
{
	struct fault fault = { .what = "" };
	struct url url;
	assert_int_equal(url_parse(text_view("http://a.example/secret?secret"), &url, NULL), RESULT_OK);
	if (proxy_ask(identity, mode, &url, NULL, ret_answer, &fault) != RESULT_OK)
		fail_msg("%s", fault.what);
}

static void proxy__settings_of_the_worn_identity__are_read(void **state)
{
	AUTO(identity) struct identity *lesser = lesser_identity(false); /* the same user, by another token */
	struct proxy_answer answer;
	(void)state;
	assert_true(settings_write(HKEY_CURRENT_USER, SETTINGS_PROXY, "http=user:1;https=user:2", "<local>;*.u", ""));
	ask(lesser, PROXY_PRECONFIGURED, &answer);
	assert_int_equal(answer.source, PROXY_FROM_IDENTITY);
	assert_string_equal(answer.list, "http=user:1;https=user:2");
	assert_string_equal(answer.bypass, "<local>;*.u");
}

static void proxy__a_token_that_may_not_read_the_users_settings__gets_the_machines(void **state)
{
	AUTO(identity) struct identity *lesser = lesser_identity(true);
	struct proxy_answer answer;
	(void)state;
	assert_true(settings_write(HKEY_CURRENT_USER, SETTINGS_PROXY, "user:1", "", ""));
	ask(lesser, PROXY_PRECONFIGURED, &answer);
	assert_true(answer.source == PROXY_FROM_MACHINE || answer.source == PROXY_FROM_NOTHING);
	assert_true(answer.missed.result != RESULT_OK);
}

static void proxy__a_script__learns_the_server_only_and_names_several(void **state)
{
	AUTO(identity) struct identity *self = NULL;
	struct proxy_answer answer;
	char first[64];
	(void)state;
	assert_int_equal(identity_self(&self, NULL), RESULT_OK);
	set_script("", "/script");
	ask(self, PROXY_PRECONFIGURED, &answer);
	assert_int_equal(answer.source, PROXY_FROM_SCRIPT);
	snprintf(first, sizeof(first), "u%zu.example:1", strlen("http://a.example/"));
	assert_non_null(strstr(answer.list, first));
	assert_non_null(strstr(answer.list, "two.example:2"));
	assert_null(strstr(heads, "secret"));
}

static void proxy__a_server_that_asks_who__is_told_nothing(void **state)
{
	AUTO(identity) struct identity *self = NULL;
	struct proxy_answer answer;
	(void)state;
	assert_int_equal(identity_self(&self, NULL), RESULT_OK);
	heads[0] = '\0';
	set_script("beside:1", "/who");
	ask(self, PROXY_PRECONFIGURED, &answer);
	assert_non_null(strstr(heads, "GET /who"));
	assert_null(strstr(heads, "Authorization"));
	assert_int_equal(answer.source, PROXY_FROM_IDENTITY);
	assert_true(answer.missed.result != RESULT_OK);
}

static void proxy__autodetection__ends_in_time(void **state)
{
	AUTO(identity) struct identity *self = NULL;
	struct proxy_answer answer;
	ULONGLONG began_ms = GetTickCount64();
	(void)state;
	assert_int_equal(identity_self(&self, NULL), RESULT_OK);
	ask(self, PROXY_AUTODETECT, &answer);
	assert_true(GetTickCount64() - began_ms < PROXY_ASK_MS_MAX + 2000);
	assert_true(answer.source == PROXY_FROM_AUTODETECT || answer.source == PROXY_FROM_NOTHING);
}

static int save_settings(void **state)
{
	(void)state;
	saved_size = sizeof(saved);
	if (RegGetValueW(HKEY_CURRENT_USER, SETTINGS_KEY, SETTINGS_VALUE, RRF_RT_REG_BINARY, NULL, saved, &saved_size) !=
	    ERROR_SUCCESS)
		saved_size = 0;
	server = http_server_start(serve, NULL);
	return 0;
}

static int put_settings_back(void **state)
{
	(void)state;
	http_server_stop(server);
	LSTATUS put = saved_size > 0 ? RegSetKeyValueW(HKEY_CURRENT_USER, SETTINGS_KEY, SETTINGS_VALUE, REG_BINARY, saved, saved_size)
	                             : RegDeleteKeyValueW(HKEY_CURRENT_USER, SETTINGS_KEY, SETTINGS_VALUE);
	return put == ERROR_SUCCESS ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(proxy__settings_of_the_worn_identity__are_read),
		cmocka_unit_test(proxy__a_token_that_may_not_read_the_users_settings__gets_the_machines),
		cmocka_unit_test(proxy__a_script__learns_the_server_only_and_names_several),
		cmocka_unit_test(proxy__a_server_that_asks_who__is_told_nothing),
		cmocka_unit_test(proxy__autodetection__ends_in_time),
	};
	if (must_skip("proxy settings of a worn identity"))
		return SKIPPED_PROGRAM;
	return cmocka_run_group_tests(tests, save_settings, put_settings_back);
}
