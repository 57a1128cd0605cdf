/* What is left of a password in the process's memory when the transfer that used it is over: nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <windows.h>

#include "platform/file.h"
#include "runtime/transfer.h"
#include "ground.h"
#include "support/http_server.h"

#define PASSWORD_BYTES 24

/* So that the program itself has it nowhere: each is one less. */
static const char disguised[PASSWORD_BYTES + 1] = "L3qj2c.o044`.C0rftd0d3L.";

static void reveal(char password[PASSWORD_BYTES + 1])
{
	for (size_t i = 0; i < PASSWORD_BYTES; i++)
		password[i] = (char)(disguised[i] + 1);
	password[PASSWORD_BYTES] = '\0';
}

static bool is_it(const unsigned char *bytes)
{
	size_t i = 0;

	while (i < PASSWORD_BYTES && bytes[i] == (unsigned char)(disguised[i] + 1))
		i++;
	return i == PASSWORD_BYTES;
}

/* In all that the process has of its own and may read. */
static unsigned count_copies(void)
{
	MEMORY_BASIC_INFORMATION region;
	unsigned count = 0;

	for (const unsigned char *at = NULL; VirtualQuery(at, &region, sizeof(region)) == sizeof(region);
	     at = (const unsigned char *)region.BaseAddress + region.RegionSize) {
		const unsigned char *bytes = region.BaseAddress;
		bool readable = region.State == MEM_COMMIT && (region.Protect == PAGE_READWRITE || region.Protect == PAGE_WRITECOPY ||
		                                               region.Protect == PAGE_EXECUTE_READWRITE);

		for (size_t i = 0; readable && i + PASSWORD_BYTES <= region.RegionSize; i++)
			count += is_it(bytes + i);
	}
	return count;
}

static bool asks_for_basic(void *context, const struct http_request *request, struct http_connection *connection)
{
	(void)context;
	return strstr(request->heads, "Authorization: Basic ") != NULL
	           ? http_print(connection, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
	           : http_print(connection, "HTTP/1.1 401 Who\r\nContent-Length: 0\r\nWWW-Authenticate: Basic realm=\"x\"\r\n\r\n");
}

static void on_answered(void *context, int64_t row, uint64_t offset, uint64_t total, const char *etag, const char *modified)
{
	(void)context, (void)row, (void)offset, (void)total, (void)etag, (void)modified;
}

static void on_written(void *context, int64_t row, uint64_t written)
{
	(void)context, (void)row, (void)written;
}

static void on_finished(void *context, int64_t row, const struct transfer_end *end)
{
	(void)row;
	*(enum result *)context = end->result;
}

static enum result fetch(const char *folder, const char *url)
{
	AUTO(transfer_set) struct transfer_set *set = NULL;
	AUTO(file_handle) struct file_handle *file = NULL;
	static struct transfer_route route;
	enum result found = RESULT_SYSTEM;
	const struct transfer_limits limits = { .checkpoint_bytes = 1024 * 1024, .connect_timeout_ms = 10000,
		                                    .stall_timeout_s = 30, .connections_per_host_max = 2, .connections_max = 2 };
	const struct transfer_handler handler = { on_answered, on_written, on_finished, &found };
	const struct transfer_order order = { .url = url, .route = &route, .known = { .total = SIZE_UNKNOWN, .etag = "", .modified = "" } };
	struct transfer_order own = order;
	char path[GROUND_PATH_BYTES_MAX];
	struct fault fault;

	ground_path(path, folder, "landed");
	assert_int_equal(file_create_private(path, &file, &fault), RESULT_OK);
	own.file = file;
	route.logins[AUTH_SERVER] = (struct transfer_login){ .schemes = AUTH_FLAG(AUTH_BASIC), .user = "alice" };
	reveal(route.logins[AUTH_SERVER].password);
	assert_int_equal(count_copies(), 1); /* it is found where it is */
	assert_int_equal(transfer_set_new(&limits, &handler, &set, &fault), RESULT_OK);
	assert_int_equal(transfer_start(set, &own, &fault), RESULT_OK);
	text_wipe(&route, sizeof(route));
	while (transfer_count(set) > 0)
		assert_int_equal(transfer_work(set, 1000, &fault), RESULT_OK);
	return found;
}

static void password__of_a_transfer_that_is_over__is_nowhere(void **state)
{
	char folder[GROUND_PATH_BYTES_MAX], url[256];
	struct fault fault;
	struct http_server *server = http_server_start(asks_for_basic, NULL);

	(void)state;
	ground_set_up(folder);
	assert_int_equal(transfer_global_init(&fault), RESULT_OK);
	http_server_url(server, "/file", url, sizeof(url));
	assert_int_equal(fetch(folder, url), RESULT_OK);
	http_server_stop(server);
	assert_int_equal(count_copies(), 0);
	ground_tear_down(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(password__of_a_transfer_that_is_over__is_nowhere),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
