/* Header lines of a job's own: with every request to the origin that was asked, and to nobody else. */
#include "transfer_rig.h"

#define LINE "X-Acme: " SECRET

static char block[] = "Authorization: Bearer " SECRET "\n" LINE "\nUser-Agent: acme/1\n";
static struct transfer_route with_headers = { .proxy = "", .headers = block };

static struct http_server *elsewhere; /* another origin */
static unsigned asked, asked_with, elsewhere_with; /* under the rig's mutex */

static void count(struct rig *rig, const struct http_request *request)
{
	bool with = strstr(request->heads, LINE "\r\n") && strstr(request->heads, "Authorization: Bearer " SECRET "\r\n") &&
	            strstr(request->heads, "User-Agent: acme/1\r\n") && !strstr(request->heads, "Ferry/test");
	bool without = !strstr(request->heads, "X-Acme") && !strstr(request->heads, "Authorization") && !strstr(request->heads, SECRET);
	mutex_lock(rig->mutex);
	asked++;
	asked_with += with;
	if (!with && !without)
		asked_with += 1000;
	mutex_unlock(rig->mutex);
}

static bool redirect(struct http_connection *connection, const char *to)
{
	return http_print(connection, "HTTP/1.1 302 Found\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n", to);
}

/* "/near": this origin; "/far": the other one, where "/back" leads here again. */
static bool first_origin(void *context, const struct http_request *request, struct http_connection *connection)
{
	struct rig *rig = context;
	char url[128];
	count(rig, request);
	if (strncmp(request->target, "/near", 5) == 0)
		return redirect(connection, "/file");
	http_server_url(elsewhere, strncmp(request->target, "/far-back", 9) == 0 ? "/back" : "/file", url, sizeof(url));
	if (strncmp(request->target, "/far", 4) == 0)
		return redirect(connection, url);
	if (strncmp(request->target, "/name", 5) == 0) { /* the same server by another name is another origin */
		http_server_url(rig->server, "/file", url, sizeof(url));
		char *port = strrchr(url, ':'), named[160];
		snprintf(named, sizeof(named), "http://localhost%s", port);
		return redirect(connection, named);
	}
	if (strncmp(request->target, "/twice", 6) == 0)
		return http_print(connection, "HTTP/1.1 302 Found\r\nLocation: /file\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n", url);
	if (strncmp(request->target, "/empty", 6) == 0)
		return http_print(connection, "HTTP/1.1 302 Found\r\nLocation:\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n", url);
	if (strncmp(request->target, "/folded", 7) == 0)
		return http_print(connection, "HTTP/1.1 302 Found\r\nLocation: %s\r\n @127.0.0.1/\r\nContent-Length: 0\r\n\r\n", url);
	if (strncmp(request->target, "/nowhere", 8) == 0)
		return redirect(connection, "http://[::1/");
	if (strncmp(request->target, "/locked", 7) == 0)
		return http_print(connection, "HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n");
	return well(context, request, connection);
}

static bool other_origin(void *context, const struct http_request *request, struct http_connection *connection)
{
	struct rig *rig = context;
	char url[128];
	mutex_lock(rig->mutex);
	elsewhere_with += strstr(request->heads, "X-Acme") || strstr(request->heads, SECRET) || strstr(request->heads, "acme/1");
	mutex_unlock(rig->mutex);
	http_server_url(rig->server, "/file", url, sizeof(url));
	return strncmp(request->target, "/back", 5) == 0 ? redirect(connection, url) : well(context, request, connection);
}

static struct rig *rig_of_two(void)
{
	struct rig *rig = rig_new(first_origin, 50000);
	elsewhere = http_server_start(other_origin, rig);
	rig->route = &with_headers;
	asked = asked_with = elsewhere_with = 0;
	return rig;
}

static void end(struct rig *rig)
{
	transfer_set_free(TAKE(rig->set)); /* with its connections there */
	http_server_stop(elsewhere);
	rig_free(rig);
}

static void headers__go_with_every_request__of_a_whole_file_and_of_a_rest(void **state)
{
	(void)state;
	struct rig *rig = rig_of_two();
	assert_int_equal(fetch(rig, nothing_known)->result, RESULT_OK);
	assert_int_equal(asked_with, 1);
	free(rig->files[0].bytes);
	rig->files[0] = (struct file_handle){ .room = UINT64_MAX };
	assert_int_equal(fetch(rig, have(rig, 20000))->result, RESULT_OK);
	assert_int_equal(asked_with, 2);
	assert_int_equal(asked, 2);
	assert_non_null(strstr(rig->heads, "Range: bytes=20000-"));
	assert_non_null(strstr(rig->heads, "Accept-Encoding: identity"));
	end(rig);
}

static void headers__redirect_within_the_origin__go_along(void **state)
{
	(void)state;
	struct rig *rig = rig_of_two();
	start(rig, 0, "/near", nothing_known);
	assert_int_equal(finish_all(rig, 1)->result, RESULT_OK);
	assert_int_equal(asked, 2);
	assert_int_equal(asked_with, 2);
	end(rig);
}

static void headers__redirect_to_another_origin__stay_behind_for_good(void **state)
{
	static const struct {
		const char *path;
		unsigned asked; /* of the first origin, and the first of them with headers */
	} cases[] = { { "/far", 1 }, { "/far-back", 2 }, { "/name", 2 } };
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct rig *rig = rig_of_two();
		start(rig, 0, cases[i].path, nothing_known);
		assert_int_equal(finish_all(rig, 1)->result, RESULT_OK);
		assert_int_equal(rig->files[0].end, 50000);
		assert_int_equal(asked, cases[i].asked);
		assert_int_equal(asked_with, 1);
		assert_int_equal(elsewhere_with, 0);
		end(rig);
	}
}

/* What curl and we may read differently leads nowhere. */
static void headers__redirect_in_unclear_words__goes_nowhere(void **state)
{
	static const char *const paths[] = { "/twice", "/empty", "/folded", "/nowhere" };
	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		struct rig *rig = rig_of_two();
		start(rig, 0, paths[i], nothing_known);
		if (finish_all(rig, 1)->result != RESULT_REDIRECT_REFUSED)
			fail_msg("%s: %s", paths[i], rig->told[0].fault.what);
		assert_int_equal(asked, 1);
		assert_int_equal(elsewhere_with, 0);
		end(rig);
	}
}

static void headers__of_an_authorization_that_is_refused__say_so(void **state)
{
	(void)state;
	struct rig *rig = rig_of_two();
	start(rig, 0, "/locked", nothing_known);
	struct told *told = finish_all(rig, 1);
	assert_int_equal(told->result, RESULT_UNAUTHORIZED);
	assert_non_null(strstr(told->fault.what, "the server refused what the job's own Authorization header says; it asks for Basic"));
	assert_int_equal(asked, 1);
	end(rig);
}

static bool proxy(void *context, const struct http_request *request, struct http_connection *connection)
{
	struct rig *rig = context;
	count(rig, request);
	if (strcmp(request->method, "CONNECT") == 0)
		return http_print(connection, "HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n");
	return well(context, request, connection);
}

static void headers__through_a_proxy__are_for_the_server_and_not_in_a_tunnels_making(void **state)
{
	(void)state;
	struct rig *rig = rig_new(proxy, 1000);
	struct transfer_route route = with_headers;
	asked = asked_with = 0;
	http_server_url(rig->server, "", route.proxy, sizeof(route.proxy));
	rig->route = &route;
	start_url(rig, 0, "http://origin.invalid/file", nothing_known);
	assert_int_equal(finish_all(rig, 1)->result, RESULT_OK);
	assert_int_equal(asked_with, 1);
	start_url(rig, 1, "https://origin.invalid/file", nothing_known);
	finish_all(rig, 2);
	assert_int_not_equal(rig->told[1].result, RESULT_OK);
	assert_int_equal(asked, 2);
	assert_int_equal(asked_with, 1);
	rig_free(rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(headers__go_with_every_request__of_a_whole_file_and_of_a_rest),
		cmocka_unit_test(headers__redirect_within_the_origin__go_along),
		cmocka_unit_test(headers__redirect_to_another_origin__stay_behind_for_good),
		cmocka_unit_test(headers__redirect_in_unclear_words__goes_nowhere),
		cmocka_unit_test(headers__of_an_authorization_that_is_refused__say_so),
		cmocka_unit_test(headers__through_a_proxy__are_for_the_server_and_not_in_a_tunnels_making),
	};
	return cmocka_run_group_tests_name("transfer headers", tests, set_up_curl, NULL);
}
