/* The door on real Windows: who is captured, who may open it, and who is believed to be the service (rules 1, 3, 4). */
#include "windows_only.h"

#include <stdlib.h>
#include <string.h>

#include "platform/clock.h"
#include "platform/ipc.h"
#include "platform/ipc_client.h"

#define LONG_MS 30000
#define CLIENT_ACCESS 0x12019b
#define DYNAMIC (SECURITY_SQOS_PRESENT | SECURITY_IMPERSONATION | SECURITY_CONTEXT_TRACKING)

struct scene {
	char address[64];
	wchar_t name[64];
	struct ipc_server *server;
	struct fault fault;
	struct mutex *mutex;
	struct condition *condition;
	uint64_t connection;
	unsigned messages;
};

static void on_connection(void *context, uint64_t connection)
{
	(void)context, (void)connection;
}

static void on_message(void *context, uint64_t connection, char *bytes, size_t length)
{
	struct scene *scene = context;
	(void)length;
	free(bytes);
	mutex_lock(scene->mutex);
	scene->connection = connection;
	scene->messages++;
	condition_signal(scene->condition);
	mutex_unlock(scene->mutex);
}

static int set_up(void **state)
{
	static unsigned count;
	struct scene *scene = calloc(1, sizeof(*scene));
	if (!scene)
		return -1;
	*state = scene;
	scene->mutex = mutex_new();
	scene->condition = condition_new();
	if (text_format(scene->address, sizeof(scene->address), "\\\\.\\pipe\\FerryTest-%lu-%u", GetCurrentProcessId(),
	                ++count) != RESULT_OK)
		return -1;
	for (size_t i = 0; i <= strlen(scene->address); i++)
		scene->name[i] = (wchar_t)scene->address[i];
	return scene->mutex && scene->condition ? 0 : -1;
}

static int tear_down(void **state)
{
	struct scene *scene = *state;
	ipc_server_free(scene->server);
	condition_free(scene->condition);
	mutex_free(scene->mutex);
	free(scene);
	return 0;
}

static enum result serve(struct scene *scene)
{
	struct ipc_limits limits = { IPC_CONNECTIONS_MAX_DEFAULT, IPC_OUTPUT_BYTES_MAX_DEFAULT };
	struct ipc_handler handler = { on_connection, on_message, on_connection, on_connection, scene };
	return ipc_server_start(scene->address, &limits, &handler, &scene->server, &scene->fault);
}

/* The identity of the next message; then the one after it may come. */
static enum result capture_message(struct scene *scene, unsigned number, struct identity **ret_identity)
{
	int64_t deadline_ms = clock_mono_ms() + LONG_MS;
	mutex_lock(scene->mutex);
	while (scene->messages < number && clock_mono_ms() < deadline_ms)
		condition_wait(scene->condition, scene->mutex, LONG_MS);
	bool came = scene->messages >= number;
	mutex_unlock(scene->mutex);
	assert_true(came);
	enum result result = ipc_capture(scene->server, scene->connection, ret_identity, &scene->fault);
	ipc_next(scene->server, scene->connection);
	return result;
}

struct opening {
	const wchar_t *name;
	DWORD access, quality; /* quality 0: as Ferry's clients */
	bool keep;
	HANDLE pipe; /* the caller's, if kept */
	DWORD error;
};

static void open_pipe(void *argument)
{
	struct opening *opening = argument;
	opening->pipe = CreateFileW(opening->name, opening->access, 0, NULL, OPEN_EXISTING,
	                            opening->quality ? opening->quality : DYNAMIC, NULL);
	opening->error = opening->pipe == INVALID_HANDLE_VALUE ? GetLastError() : ERROR_SUCCESS;
	if (!opening->keep)
		handle_cleanup(&opening->pipe);
}

static void make_instance(void *argument)
{
	struct opening *opening = argument;
	opening->pipe =
		CreateNamedPipeW(opening->name, PIPE_ACCESS_DUPLEX, PIPE_TYPE_MESSAGE, PIPE_UNLIMITED_INSTANCES, 0, 0, 0, NULL);
	opening->error = opening->pipe == INVALID_HANDLE_VALUE ? GetLastError() : ERROR_SUCCESS;
	handle_cleanup(&opening->pipe);
}

struct writing {
	HANDLE pipe;
	struct ipc_client *client;
	bool written;
};

static void write_message(void *argument)
{
	struct writing *writing = argument;
	DWORD length;
	if (writing->client)
		writing->written = ipc_client_send(writing->client, text_view("{}"), NULL) == RESULT_OK;
	else
		writing->written = WriteFile(writing->pipe, "{}", 2, &length, NULL);
}

/* --- who is captured --- */

static void ipc__dynamic_tracking__each_message_carries_its_threads_token(void **state)
{
	struct scene *scene = *state;
	struct identity *captured[3] = { NULL };
	AUTO(ipc_client) struct ipc_client *client = NULL;
	AUTO(identity) struct identity *lesser = lesser_identity(false);
	assert_int_equal(serve(scene), RESULT_OK);
	assert_int_equal(ipc_client_open(scene->address, IPC_CLIENT_ALLOW_CONSOLE, LONG_MS, &client, &scene->fault),
	                 RESULT_OK);
	struct writing writing = { .client = client };
	for (unsigned i = 0; i < 3; i++) {
		if (i == 1)
			act_as(lesser, write_message, &writing);
		else
			write_message(&writing);
		assert_true(writing.written);
		assert_int_equal(capture_message(scene, i + 1, &captured[i]), RESULT_OK);
	}
	assert_true(identity_caller(captured[0])->administrator);
	assert_false(identity_caller(captured[1])->administrator);
	assert_true(identity_caller(captured[2])->administrator);
	assert_memory_equal(identity_digest(captured[1]), identity_digest(lesser), IDENTITY_DIGEST_BYTES);
	assert_memory_equal(identity_digest(captured[0]), identity_digest(captured[2]), IDENTITY_DIGEST_BYTES);
	assert_memory_not_equal(identity_digest(captured[0]), identity_digest(captured[1]), IDENTITY_DIGEST_BYTES);
	for (unsigned i = 0; i < 3; i++)
		identity_free(captured[i]);
}

/* Why job.setHelperToken carries the SID that the client believes it lends (rule 2). */
static void ipc__static_tracking__every_message_carries_the_connecting_token(void **state)
{
	struct scene *scene = *state;
	AUTO(identity) struct identity *lesser = lesser_identity(false);
	assert_int_equal(serve(scene), RESULT_OK);
	for (unsigned i = 0; i < 2; i++) {
		bool lesser_connects = i == 1;
		struct identity *captured[2] = { NULL };
		struct opening opening = { .name = scene->name, .access = CLIENT_ACCESS, .keep = true,
			                       .quality = SECURITY_SQOS_PRESENT | SECURITY_IMPERSONATION };
		if (lesser_connects)
			act_as(lesser, open_pipe, &opening);
		else
			open_pipe(&opening);
		assert_int_equal(opening.error, ERROR_SUCCESS);
		struct writing writing = { .pipe = opening.pipe };
		act_as(lesser, write_message, &writing);
		assert_true(writing.written);
		assert_int_equal(capture_message(scene, 2 * i + 1, &captured[0]), RESULT_OK);
		write_message(&writing);
		assert_true(writing.written);
		assert_int_equal(capture_message(scene, 2 * i + 2, &captured[1]), RESULT_OK);
		for (unsigned j = 0; j < 2; j++) {
			assert_int_equal(identity_caller(captured[j])->administrator, !lesser_connects);
			identity_free(captured[j]);
		}
		CloseHandle(opening.pipe);
	}
}

/* A token that is only shown is not lent: nothing is captured, and the outcome says what to do. */
static void ipc__below_impersonation_level__is_not_lent(void **state)
{
	struct scene *scene = *state;
	static const DWORD levels[] = { SECURITY_IDENTIFICATION, SECURITY_IDENTIFICATION | SECURITY_CONTEXT_TRACKING,
		                            SECURITY_ANONYMOUS };
	assert_int_equal(serve(scene), RESULT_OK);
	for (unsigned i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
		struct identity *captured = NULL;
		struct opening opening = { .name = scene->name, .access = CLIENT_ACCESS, .keep = true,
			                       .quality = SECURITY_SQOS_PRESENT | levels[i] };
		open_pipe(&opening);
		assert_int_equal(opening.error, ERROR_SUCCESS);
		struct writing writing = { .pipe = opening.pipe };
		write_message(&writing);
		assert_true(writing.written);
		assert_int_equal(capture_message(scene, i + 1, &captured), RESULT_NOT_LENT);
		assert_null(captured);
		assert_memory_equal(scene->fault.what, "token-impersonation: ", strlen("token-impersonation: "));
		/* And this thread is what it was. */
		HANDLE worn = NULL;
		assert_false(OpenThreadToken(GetCurrentThread(), TOKEN_QUERY, TRUE, &worn));
		assert_int_equal(GetLastError(), ERROR_NO_TOKEN);
		CloseHandle(writing.pipe);
	}
}

static void identity__captured__has_no_privilege_but_one(void **state)
{
	struct scene *scene = *state;
	AUTO(identity) struct identity *own = NULL;
	assert_int_equal(identity_self(&own, &scene->fault), RESULT_OK);
	struct {
		TOKEN_PRIVILEGES privileges;
		LUID_AND_ATTRIBUTES more[64];
	} worn = { .privileges.PrivilegeCount = 99 };
	assert_int_equal(identity_wear(own, &scene->fault), RESULT_OK);
	HANDLE token = NULL;
	DWORD size;
	bool read = OpenThreadToken(GetCurrentThread(), TOKEN_QUERY, TRUE, &token) &&
	            GetTokenInformation(token, TokenPrivileges, &worn, sizeof(worn), &size);
	assert_true(RevertToSelf());
	CloseHandle(token);
	assert_true(read);
	assert_int_equal(worn.privileges.PrivilegeCount, 1);
}

/* --- who may open --- */

static void sddl__authenticated_user__may_talk_and_nothing_more(void **state)
{
	struct scene *scene = *state;
	AUTO(identity) struct identity *stranger = lesser_identity(true);
	assert_int_equal(serve(scene), RESULT_OK);
	struct opening talk = { .name = scene->name, .access = CLIENT_ACCESS };
	act_as(stranger, open_pipe, &talk);
	assert_int_equal(talk.error, ERROR_SUCCESS);
	/* GENERIC_WRITE includes FILE_CREATE_PIPE_INSTANCE, and owning nothing here it may not change the list either. */
	struct opening generic = { .name = scene->name, .access = GENERIC_READ | GENERIC_WRITE };
	act_as(stranger, open_pipe, &generic);
	assert_int_equal(generic.error, ERROR_ACCESS_DENIED);
	struct opening rights = { .name = scene->name, .access = CLIENT_ACCESS | WRITE_DAC };
	act_as(stranger, open_pipe, &rights);
	assert_int_equal(rights.error, ERROR_ACCESS_DENIED);
	struct opening instance = { .name = scene->name };
	act_as(stranger, make_instance, &instance);
	assert_int_equal(instance.error, ERROR_ACCESS_DENIED);
}

static void sddl__low_integrity_and_anonymous__are_kept_out(void **state)
{
	struct scene *scene = *state;
	HANDLE process = NULL, low = NULL;
	struct sid label;
	DWORD size = sizeof(label);
	assert_int_equal(serve(scene), RESULT_OK);
	assert_true(CreateWellKnownSid(WinLowLabelSid, NULL, &label.sid, &size));
	TOKEN_MANDATORY_LABEL mandatory = { .Label = { &label.sid, SE_GROUP_INTEGRITY } };
	assert_true(OpenProcessToken(GetCurrentProcess(), TOKEN_DUPLICATE, &process));
	assert_true(DuplicateTokenEx(process, TOKEN_QUERY | TOKEN_IMPERSONATE | TOKEN_ADJUST_DEFAULT, NULL,
	                             SecurityImpersonation, TokenImpersonation, &low));
	assert_true(SetTokenInformation(low, TokenIntegrityLevel, &mandatory, sizeof(mandatory)));
	struct opening opening = { .name = scene->name, .access = CLIENT_ACCESS };
	assert_true(SetThreadToken(NULL, low));
	open_pipe(&opening);
	assert_true(RevertToSelf());
	assert_int_equal(opening.error, ERROR_ACCESS_DENIED);
	assert_true(ImpersonateAnonymousToken(GetCurrentThread()));
	open_pipe(&opening);
	assert_true(RevertToSelf());
	assert_int_equal(opening.error, ERROR_ACCESS_DENIED);
	CloseHandle(low);
	CloseHandle(process);
}

/* --- who is the service (and test_door.c) --- */

static void ipc__name_taken_or_held__has_one_server(void **state)
{
	struct scene *scene = *state;
	HANDLE squatter =
		CreateNamedPipeW(scene->name, PIPE_ACCESS_DUPLEX, PIPE_TYPE_MESSAGE, PIPE_UNLIMITED_INSTANCES, 0, 0, 0, NULL);
	assert_true(squatter != INVALID_HANDLE_VALUE);
	assert_int_equal(serve(scene), RESULT_ALREADY_RUNNING);
	CloseHandle(squatter);
	assert_int_equal(serve(scene), RESULT_OK);
	squatter = CreateNamedPipeW(scene->name, PIPE_ACCESS_DUPLEX | FILE_FLAG_FIRST_PIPE_INSTANCE, PIPE_TYPE_MESSAGE,
	                            PIPE_UNLIMITED_INSTANCES, 0, 0, 0, NULL);
	assert_true(squatter == INVALID_HANDLE_VALUE);
	assert_int_equal(GetLastError(), ERROR_ACCESS_DENIED);
}

/* After a crash, or while some client does not hang up: the name is still there, and nobody serves it. */
static void ipc__name_kept_by_a_client__is_taken_over_if_it_was_ours(void **state)
{
	struct scene *scene = *state;
	HANDLE client, strangers, held;
	assert_int_equal(serve(scene), RESULT_OK);
	client = CreateFileW(scene->name, CLIENT_ACCESS, 0, NULL, OPEN_EXISTING, 0, NULL);
	assert_true(client != INVALID_HANDLE_VALUE);
	ipc_server_free(TAKE(scene->server));
	strangers = CreateNamedPipeW(scene->name, PIPE_ACCESS_DUPLEX | FILE_FLAG_FIRST_PIPE_INSTANCE, PIPE_TYPE_MESSAGE,
	                             PIPE_UNLIMITED_INSTANCES, 0, 0, 0, NULL);
	assert_true(strangers == INVALID_HANDLE_VALUE); /* it is kept */
	assert_int_equal(serve(scene), RESULT_OK);
	ipc_server_free(TAKE(scene->server));
	CloseHandle(client);
	/* The same of a pipe that everybody may make instances of, and that is somebody else's. */
	strangers = CreateNamedPipeW(scene->name, PIPE_ACCESS_DUPLEX | FILE_FLAG_FIRST_PIPE_INSTANCE, PIPE_TYPE_MESSAGE,
	                             PIPE_UNLIMITED_INSTANCES, 0, 0, 0, NULL);
	assert_true(strangers != INVALID_HANDLE_VALUE);
	held = CreateFileW(scene->name, CLIENT_ACCESS, 0, NULL, OPEN_EXISTING, 0, NULL);
	assert_true(held != INVALID_HANDLE_VALUE);
	CloseHandle(strangers);
	assert_int_equal(serve(scene), RESULT_ALREADY_RUNNING);
	CloseHandle(held);
}

#define PIPE_TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		PIPE_TEST(ipc__dynamic_tracking__each_message_carries_its_threads_token),
		PIPE_TEST(ipc__static_tracking__every_message_carries_the_connecting_token),
		PIPE_TEST(ipc__below_impersonation_level__is_not_lent),
		PIPE_TEST(identity__captured__has_no_privilege_but_one),
		PIPE_TEST(sddl__authenticated_user__may_talk_and_nothing_more),
		PIPE_TEST(sddl__low_integrity_and_anonymous__are_kept_out),
		PIPE_TEST(ipc__name_taken_or_held__has_one_server),
		PIPE_TEST(ipc__name_kept_by_a_client__is_taken_over_if_it_was_ours),
	};
	if (must_skip("tokens captured from the pipe, its access list, the first instance"))
		return SKIPPED_PROGRAM;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
