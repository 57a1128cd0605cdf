/* The door, as far as Wine shows it too: who is believed to be the service (rule 4), and what captures leave behind. */
#include "windows_only.h"

#include "contract/ipc_scene.h"
#include "platform/win32/ipc_pipe.h"

#define CAPTURES 10000u

/* --- who is the service --- */

static HANDLE squat(const struct scene *scene)
{
	HANDLE squatter = CreateNamedPipeA(scene->address, PIPE_ACCESS_DUPLEX | FILE_FLAG_FIRST_PIPE_INSTANCE,
	                                   PIPE_TYPE_MESSAGE | PIPE_READMODE_MESSAGE | PIPE_NOWAIT, 1, 4096, 4096, 0, NULL);
	assert_true(squatter != INVALID_HANDLE_VALUE);
	return squatter;
}

static void ipc_client__squatter_on_the_name__gets_neither_bytes_nor_token(void **state)
{
	struct scene *scene = *state;
	struct ipc_client *client = NULL;
	AUTO(handle) HANDLE squatter = squat(scene);
	char byte;
	DWORD length = 0;
	assert_int_equal(ipc_client_open(scene->address, 0, LONG_MS, &client, &scene->fault), RESULT_NOT_THE_SERVICE);
	assert_null(client);
	assert_false(ReadFile(squatter, &byte, 1, &length, NULL));
	assert_int_equal(GetLastError(), ERROR_BROKEN_PIPE); /* somebody was here, and left without a word */
	assert_int_equal(length, 0);
	if (is_wine()) {
		GROUND_CANNOT("a squatter gets no token (Wine gives every server its own)");
		return;
	}
	bool impersonated = ImpersonateNamedPipeClient(squatter);
	RevertToSelf();
	assert_false(impersonated);
}

/* Windows would log on there first, and its answer could be any. */
static void ipc_client__address_of_another_machine__is_not_even_tried(void **state)
{
	struct scene *scene = *state;
	struct ipc_client *client = NULL;
	static const char *const addresses[] = { "\\\\server\\pipe\\Ferry", "\\\\127.0.0.1\\pipe\\Ferry",
		                                     "\\\\?\\UNC\\server\\pipe\\Ferry", "C:\\Ferry", "",
		                                     "\\\\.\\pipe\\..\\UNC\\server\\pipe\\Ferry", "\\\\.\\pipe\\../UNC/server/pipe/Ferry" };
	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++)
		assert_int_equal(ipc_client_open(addresses[i], 0, LONG_MS, &client, &scene->fault), RESULT_INVALID_ARGUMENT);
	assert_null(client);
}

/* The pipe as the service makes it, with a stranger's name on it or with its own. */
static enum result make_pipe(const struct scene *scene, HANDLE *ret_instance, struct fault *fault)
{
	AUTO(ipc_pipe) struct ipc_pipe pipe = { .name = NULL };
	enum result result = ipc_pipe_prepare(scene->address, &pipe, fault);
	return result == RESULT_OK ? ipc_pipe_instance(&pipe, true, ret_instance, fault) : result;
}

/* Last of all: the process says once and for all that it is the service. */
static void ipc_client__pipe_that_the_service_owns__is_believed(void **state)
{
	struct scene *scene = *state;
	AUTO(ipc_client) struct ipc_client *client = NULL;
	AUTO(handle) HANDLE instance = NULL;
	security_declare_service();
	/* The name is not for everybody to put on: it takes the service's own token, or the right to restore. */
	if (is_wine())
		GROUND_CANNOT("nobody else can make a pipe that the service owns (Wine lets everybody)");
	else
		assert_int_equal(make_pipe(scene, &instance, &scene->fault), RESULT_DENIED);
	allow_any_owner(true);
	enum result made = make_pipe(scene, &instance, &scene->fault);
	allow_any_owner(false);
	assert_int_equal(made, RESULT_OK);
	assert_int_equal(ipc_client_open(scene->address, 0, LONG_MS, &client, &scene->fault), RESULT_OK);
}

/* --- what stays --- */

/* Wine's own count is always 0; there as on Windows handles are multiples of four, given from the bottom. */
static DWORD handle_count(void)
{
	DWORD count = 0, flags;
	if (!is_wine()) {
		assert_true(GetProcessHandleCount(GetCurrentProcess(), &count));
		return count;
	}
	for (uintptr_t handle = 4; handle < 4 * 2 * CAPTURES; handle += 4)
		count += GetHandleInformation((HANDLE)handle, &flags) ? 1 : 0;
	assert_true(count > 0);
	return count;
}

static void ipc__captured_again_and_again__leaves_no_handle(void **state)
{
	struct scene *scene = *state;
	uint64_t number;
	DWORD before = 0;
	start(scene, false);
	AUTO(ipc_client) struct ipc_client *client = next_client(scene, &number);
	say(scene, client, text_view("{}"));
	await(scene, &scene->messages, 1);
	for (unsigned i = 0; i < CAPTURES; i++) {
		AUTO(identity) struct identity *captured = NULL;
		assert_int_equal(ipc_capture(scene->server, number, &captured, &scene->fault), RESULT_OK);
		if (i == 0)
			before = handle_count(); /* with the one that is held, and what the first call of anything loads */
	}
	assert_int_equal(handle_count(), before - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IPC_TEST(ipc_client__squatter_on_the_name__gets_neither_bytes_nor_token),
		IPC_TEST(ipc_client__address_of_another_machine__is_not_even_tried),
		IPC_TEST(ipc__captured_again_and_again__leaves_no_handle),
		IPC_TEST(ipc_client__pipe_that_the_service_owns__is_believed),
	};
	if (!is_elevated()) {
		printf("SKIPPED: needs an elevated administrator: who is believed to be the service, captures without end\n");
		return SKIPPED_PROGRAM;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
