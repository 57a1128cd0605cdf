/* Digest with a user and a password, by whatever speaks it here: libcurl itself on Linux, WDigest on Windows, which Wine has
 * not.  The server computes what RFC 7616 says, with MD5 and qop=auth. */
#include "transfer_rig.h"

#ifdef _WIN32
#include <windows.h>

#include <bcrypt.h>
#else
#include <openssl/evp.h>
#endif

#define SKIPPED_PROGRAM 77
#define USER "alice"
#define REALM "ferry"
#define NONCE "dcd98b7102dd2f0e8b11d0f600bfb0c0"
#define HEX_BYTES 33
#define FIELD_BYTES 300

static bool has_digest(void)
{
#ifdef _WIN32
	HMODULE ntdll = GetModuleHandleW(L"ntdll.dll");
	return ntdll == NULL || GetProcAddress(ntdll, "wine_get_version") == NULL;
#else
	return true;
#endif
}

static void md5(const char *text, char hex[HEX_BYTES])
{
	unsigned char digest[16];
#ifdef _WIN32
	BCRYPT_ALG_HANDLE algorithm = NULL;
	bool done = BCryptOpenAlgorithmProvider(&algorithm, BCRYPT_MD5_ALGORITHM, NULL, 0) == 0 &&
	            BCryptHash(algorithm, NULL, 0, (PUCHAR)(uintptr_t)text, (ULONG)strlen(text), digest, sizeof(digest)) == 0;
	BCryptCloseAlgorithmProvider(algorithm, 0);
#else
	bool done = EVP_Digest(text, strlen(text), digest, NULL, EVP_md5(), NULL) == 1;
#endif
	for (size_t i = 0; i < sizeof(digest); i++)
		snprintf(hex + 2 * i, HEX_BYTES - 2 * i, "%02x", done ? digest[i] : 0u);
}

/* Of `name=value` or `name="value"` behind a blank or a comma; "" if there is none. */
static void field(const char *line, const char *name, char to[FIELD_BYTES])
{
	size_t length = strlen(name), used = 0;

	to[0] = '\0';
	for (const char *at = strstr(line, name); at != NULL; at = strstr(at + 1, name)) {
		if (strchr(" ,", at[-1]) == NULL || at[length] != '=')
			continue;
		at += length + 1;
		const char *ends = *at == '"' ? "\"" : ",\r";
		for (at += *at == '"'; strchr(ends, *at) == NULL && used < FIELD_BYTES - 1; at++)
			to[used++] = *at;
		to[used] = '\0';
		return;
	}
}

static bool is_proven(const char *line)
{
	char user[FIELD_BYTES], uri[FIELD_BYTES], nc[FIELD_BYTES], cnonce[FIELD_BYTES], qop[FIELD_BYTES], response[FIELD_BYTES];
	char text[4 * FIELD_BYTES], first[HEX_BYTES], second[HEX_BYTES], expected[HEX_BYTES];

	field(line, "username", user);
	field(line, "uri", uri);
	field(line, "nc", nc);
	field(line, "cnonce", cnonce);
	field(line, "qop", qop);
	field(line, "response", response);
	md5(USER ":" REALM ":" SECRET, first);
	snprintf(text, sizeof(text), "GET:%s", uri);
	md5(text, second);
	snprintf(text, sizeof(text), "%s:" NONCE ":%s:%s:%s:%s", first, nc, cnonce, qop, second);
	md5(text, expected);
	return strcmp(user, USER) == 0 && strcmp(qop, "auth") == 0 && strcmp(response, expected) == 0;
}

static bool asks_for_digest(void *context, const struct http_request *request, struct http_connection *connection)
{
	struct rig *rig = context;
	const char *line = strstr(request->heads, "Authorization: Digest ");

	if (line != NULL && is_proven(line))
		return answer_whole(connection, 0, rig->size);
	return http_print(connection, "HTTP/1.1 401 Who\r\nContent-Length: 0\r\nWWW-Authenticate: Digest realm=\"" REALM
	                              "\", qop=\"auth\", nonce=\"" NONCE "\", algorithm=MD5\r\n\r\n");
}

static struct told fetch_with(const char *password)
{
	struct transfer_route route = { .proxy = "", .logins[AUTH_SERVER] = { .schemes = AUTH_FLAG(AUTH_DIGEST), .user = USER } };
	struct rig *rig = rig_new(asks_for_digest, 3000);
	const struct transfer_handler handler = { on_answered, on_written, on_finished, rig };
	struct fault fault;
	char url[256];

	snprintf(route.logins[AUTH_SERVER].password, sizeof(route.logins[AUTH_SERVER].password), "%s", password);
	http_server_url(rig->server, "/file", url, sizeof(url));
	const struct transfer_order order = { .url = url, .file = &rig->files[0], .known = nothing_known, .route = &route };
	assert_int_equal(transfer_set_new(&rig->limits, &handler, &rig->set, &fault), RESULT_OK);
	assert_int_equal(transfer_start(rig->set, &order, &fault), RESULT_OK);
	struct told told = *finish_all(rig, 1);
	if (told.result == RESULT_OK)
		assert_content(&rig->files[0], 0, 0, rig->size);
	rig_free(rig);
	return told;
}

static void digest__the_right_password__lets_in(void **state)
{
	(void)state;
	struct told told = fetch_with(SECRET);
	assert_int_equal(told.result, RESULT_OK);
	assert_int_equal(told.written, 3000);
}

static void digest__another_password__is_refused_and_said(void **state)
{
	(void)state;
	struct told told = fetch_with("another");
	assert_int_equal(told.result, RESULT_UNAUTHORIZED);
	assert_non_null(strstr(told.fault.what, "the server refused Digest as the job's user"));
	assert_null(strstr(told.fault.what, "another"));
}

static int set_up(void **state)
{
	struct fault fault;
	(void)state;
	return transfer_global_init(&fault) == RESULT_OK ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(digest__the_right_password__lets_in),
		cmocka_unit_test(digest__another_password__is_refused_and_said),
	};
	if (!has_digest()) {
		printf("SKIPPED: Wine has no WDigest: Windows shows this, and Linux libcurl's own Digest\n");
		return SKIPPED_PROGRAM;
	}
	return cmocka_run_group_tests(tests, set_up, NULL);
}
