/* The program of whoever opened the pipe is told, and not that of a later process which got its number. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "platform/win32/ipc_pipe.h"

struct ends {
	HANDLE server, client;
};

/* A client must have written before it can be impersonated. */
static void open_ends(struct ends *ends)
{
	char byte = 'x';
	DWORD count;
	wchar_t name[64];

	swprintf(name, 64, L"\\\\.\\pipe\\FerryTest-image-%lu", GetCurrentProcessId());
	ends->server = CreateNamedPipeW(name, PIPE_ACCESS_DUPLEX, PIPE_TYPE_BYTE, 1, 64, 64, 0, NULL);
	assert_true(ends->server != INVALID_HANDLE_VALUE);
	ends->client = CreateFileW(name, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING,
	                           SECURITY_SQOS_PRESENT | SECURITY_IMPERSONATION, NULL);
	assert_true(ends->client != INVALID_HANDLE_VALUE);
	assert_true(WriteFile(ends->client, &byte, 1, &count, NULL));
	assert_true(ReadFile(ends->server, &byte, 1, &count, NULL));
}

static void close_ends(struct ends *ends)
{
	CloseHandle(ends->client);
	CloseHandle(ends->server);
}

static void image__of_a_process_that_is_older_than_its_connection__is_told(void **state)
{
	(void)state;
	struct ends ends;
	char image[1024];
	FILETIME now;
	open_ends(&ends);
	GetSystemTimePreciseAsFileTime(&now);
	assert_int_equal(ipc_pipe_process(ends.server, (uint64_t)now.dwHighDateTime << 32 | now.dwLowDateTime, image, sizeof(image)),
	                 GetCurrentProcessId());
	assert_string_not_equal(image, "");
	close_ends(&ends);
}

static void image__of_a_process_that_began_later__is_not(void **state)
{
	(void)state;
	struct ends ends;
	char image[1024];
	FILETIME began, other[3];
	open_ends(&ends);
	assert_true(GetProcessTimes(GetCurrentProcess(), &began, &other[0], &other[1], &other[2]));
	uint64_t before = ((uint64_t)began.dwHighDateTime << 32 | began.dwLowDateTime) - 1;
	assert_int_equal(ipc_pipe_process(ends.server, before, image, sizeof(image)), GetCurrentProcessId());
	assert_string_equal(image, "");
	close_ends(&ends);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(image__of_a_process_that_is_older_than_its_connection__is_told),
		cmocka_unit_test(image__of_a_process_that_began_later__is_not),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
