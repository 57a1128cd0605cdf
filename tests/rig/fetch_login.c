/* runtime/transfer answers with a user and a password, on the ground that cannot seal one: without queue and service.
 *
 *   fetch_login SCHEME[,SCHEME...] USER URL FILE [PROXY]      the password is the first line of the standard input
 *
 * Prints the result's name and what the fault says.  With PROXY it is the proxy that is answered.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/transfer.h"

static struct transfer_set *set;

static void must(bool fine, const char *what)
{
	if (!fine) {
		fprintf(stderr, "fetch_login: %s\n", what);
		exit(2);
	}
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
	(void)context, (void)row;
	printf("%s %s\n", result_name(end->result), end->result == RESULT_OK ? "" : end->fault.what);
}

static void read_login(struct transfer_login *login, char *schemes, const char *user)
{
	for (char *name = schemes, *next; name != NULL; name = next) {
		enum auth_scheme scheme;
		next = strchr(name, ',');
		if (next != NULL)
			*next++ = '\0';
		must(auth_scheme_from_name(text_view(name), &scheme), "no such scheme");
		login->schemes |= AUTH_FLAG(scheme);
	}
	must(text_copy(login->user, sizeof(login->user), text_view(user)) == RESULT_OK &&
	     fgets(login->password, sizeof(login->password), stdin) != NULL, "user or password");
	login->password[strcspn(login->password, "\r\n")] = '\0';
}

int main(int argc, char **argv)
{
	AUTO(file_handle) struct file_handle *file = NULL;
	struct transfer_route route = { .proxy = "" };
	struct fault fault = { .what = "" };
	const struct transfer_limits limits = { .checkpoint_bytes = 64 * 1024 * 1024, .connect_timeout_ms = 10000,
		                                    .stall_timeout_s = 30, .connections_per_host_max = 6, .connections_max = 6 };
	const struct transfer_handler handler = { on_answered, on_written, on_finished, NULL };
	struct transfer_order order = { .file_row = 1, .route = &route, .known = { .total = SIZE_UNKNOWN, .etag = "", .modified = "" } };

	must(argc == 5 || argc == 6, "SCHEMES USER URL FILE [PROXY]");
	read_login(&route.logins[argc == 6 ? AUTH_PROXY : AUTH_SERVER], argv[1], argv[2]);
	if (argc == 6)
		must(text_copy(route.proxy, sizeof(route.proxy), text_view(argv[5])) == RESULT_OK, "PROXY");
	must(transfer_global_init(&fault) == RESULT_OK && file_create_private(argv[4], &file, &fault) == RESULT_OK &&
	     transfer_set_new(&limits, &handler, &set, &fault) == RESULT_OK, fault.what);
	order.url = argv[3];
	order.file = file;
	must(transfer_start(set, &order, &fault) == RESULT_OK, fault.what);
	while (transfer_count(set) > 0)
		must(transfer_work(set, 1000, &fault) == RESULT_OK, fault.what);
	transfer_set_free(set);
	return 0;
}
