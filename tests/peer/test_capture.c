/* Whose message it was, by the peer's token: capture, keep and wear, judged by a kernel object that only administrators
 * may open.  Wine enforces that; the same holds on Windows. */
#include "contract/ipc_scene.h"
#include "peer/canary.h"
#include "peer/peer.h"
#include "windows/windows_only.h"

#define ANSWER "heard"

/* --- clients --- */

/* This program as a client: it says who it believes to be, waits for an answer, and ends. */
static int be_client(const char *address)
{
	AUTO(ipc_client) struct ipc_client *client = NULL;
	AUTO(ipc_speaker) struct ipc_speaker *speaker = NULL;
	AUTO(buffer) struct buffer message = BUFFER(1000);
	AUTO(buffer) struct buffer answer = BUFFER(1000);
	struct ipc_claim claim;
	struct fault fault;
	bool served = ipc_client_open(address, IPC_CLIENT_ALLOW_CONSOLE, LONG_MS, &client, &fault) == RESULT_OK &&
	              ipc_speaker_current(&speaker, &fault) == RESULT_OK &&
	              ipc_speaker_claim(speaker, &claim, &fault) == RESULT_OK &&
	              buffer_print(&message, "%s %llu", claim.sid, (unsigned long long)claim.logon_id) == RESULT_OK &&
	              ipc_client_send(client, (struct text_view){ message.bytes, message.length }, &fault) == RESULT_OK &&
	              ipc_client_receive(client, LONG_MS, &answer, &fault) == RESULT_OK;
	if (!served)
		fprintf(stderr, "client: %s\n", fault.what);
	return served ? 0 : 1;
}

static HANDLE start_client(const struct scene *scene, HANDLE token)
{
	char program[MAX_PATH + 1], command[MAX_PATH + GROUND_PATH_BYTES_MAX + 32];
	wchar_t wide[sizeof(command)];
	STARTUPINFOW startup = { .cb = sizeof(startup) };
	PROCESS_INFORMATION started;
	assert_true(GetModuleFileNameA(NULL, program, sizeof(program)) > 0);
	assert_int_equal(text_format(command, sizeof(command), "\"%s\" client %s", program, scene->address), RESULT_OK);
	for (size_t i = 0; i <= strlen(command); i++)
		wide[i] = (wchar_t)(unsigned char)command[i];
	assert_true(CreateProcessAsUserW(token, NULL, wide, NULL, NULL, FALSE, 0, NULL, NULL, &startup, &started));
	CloseHandle(started.hThread);
	return started.hProcess;
}

static HANDLE full_token(void)
{
	HANDLE token = NULL;
	assert_true(OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY | TOKEN_DUPLICATE | TOKEN_ASSIGN_PRIMARY, &token));
	return token;
}

/* Capture the next message's author, and let him go on. */
static struct identity *capture_next(struct scene *scene)
{
	unsigned number = scene->messages;
	struct identity *captured = NULL;
	await(scene, &scene->messages, number + 1);
	uint64_t connection = scene->notes[number].connection;
	if (ipc_capture(scene->server, connection, &captured, &scene->fault) != RESULT_OK)
		fail_msg("%s", scene->fault.what);
	assert_int_equal(ipc_send(scene->server, connection, text_view(ANSWER)), RESULT_OK);
	ipc_next(scene->server, connection);
	return captured;
}

/* The identity of a client process that has ended, captured while it was there; it is who it said it was. */
static struct identity *capture_process(struct scene *scene, HANDLE token)
{
	char claimed[300];
	DWORD code = 99;
	unsigned number = scene->messages;
	AUTO(handle) HANDLE process = start_client(scene, token);
	CloseHandle(token);
	struct identity *captured = capture_next(scene);
	const struct caller *caller = identity_caller(captured);
	assert_int_equal(
		text_format(claimed, sizeof(claimed), "%s %llu", caller->owner, (unsigned long long)caller->logon_id),
		RESULT_OK);
	assert_string_equal(scene->notes[number].bytes, claimed);
	assert_int_equal(WaitForSingleObject(process, LONG_MS), WAIT_OBJECT_0);
	assert_true(GetExitCodeProcess(process, &code));
	assert_int_equal(code, 0);
	return captured;
}

struct speaking {
	struct ipc_client *client;
	enum result spoken;
};

/* Stays what it is until it has its answer. */
static void speak(void *argument)
{
	struct speaking *speaking = argument;
	AUTO(buffer) struct buffer answer = BUFFER(1000);
	struct fault fault;
	speaking->spoken = peer_speak() ? ipc_client_send(speaking->client, text_view("{}"), &fault) : RESULT_SYSTEM;
	if (speaking->spoken == RESULT_OK)
		speaking->spoken = ipc_client_receive(speaking->client, LONG_MS, &answer, &fault);
}

/* What is captured of a message that a thread wrote which wears `identity`; NULL: which wears nothing. */
static struct identity *capture_thread(struct scene *scene, struct ipc_client *client, const struct identity *identity)
{
	struct speaking speaking = { .client = client };
	struct wearing wearing = { .identity = identity, .act = speak, .argument = &speaking };
	struct thread *thread = NULL;
	assert_int_equal(thread_start("client", identity ? wearing_main : speak, identity ? (void *)&wearing : &speaking,
	                              &thread, &scene->fault),
	                 RESULT_OK);
	struct identity *captured = capture_next(scene);
	thread_join(thread);
	assert_int_equal(wearing.worn, RESULT_OK);
	assert_int_equal(speaking.spoken, RESULT_OK);
	return captured;
}

static bool same(const struct identity *a, const struct identity *b)
{
	return memcmp(identity_digest(a), identity_digest(b), IDENTITY_DIGEST_BYTES) == 0;
}

/* --- who is captured --- */

static void capture__client_without_administrators__is_told_from_the_full_one(void **state)
{
	struct scene *scene = *state;
	start(scene, false);
	AUTO(identity) struct identity *full = capture_process(scene, full_token());
	AUTO(identity) struct identity *lesser = capture_process(scene, lesser_token(false));
	AUTO(identity) struct identity *lesser_again = capture_process(scene, lesser_token(false));
	assert_true(identity_caller(full)->administrator);
	assert_false(identity_caller(lesser)->administrator);
	assert_true(identity_caller(lesser)->impersonation);
	assert_false(same(full, lesser));
	assert_true(same(lesser, lesser_again));
}

static void capture__threads_of_one_connection__are_each_their_own(void **state)
{
	struct scene *scene = *state;
	start(scene, false);
	AUTO(ipc_client) struct ipc_client *client = client_of(scene);
	AUTO(identity) struct identity *own = NULL;
	AUTO(identity) struct identity *one = ground_identity(1);
	AUTO(identity) struct identity *two = ground_identity(2);
	AUTO(identity) struct identity *lesser = lesser_identity(false);
	assert_int_equal(identity_self(&own, &scene->fault), RESULT_OK);
	const struct identity *const authors[] = { one, two, lesser, NULL, two, one };
	const struct identity *const expected[] = { one, two, lesser, own, two, one };
	for (size_t i = 0; i < sizeof(authors) / sizeof(authors[0]); i++) {
		AUTO(identity) struct identity *captured = capture_thread(scene, client, authors[i]);
		for (size_t j = 0; j < sizeof(expected) / sizeof(expected[0]); j++)
			assert_int_equal(same(captured, expected[j]), expected[j] == expected[i]);
		assert_int_equal(identity_caller(captured)->administrator, authors[i] != lesser);
	}
}

/* --- what is worn --- */

static void capture__kept_after_the_client_ended__is_worn_by_one_thread_alone(void **state)
{
	struct scene *scene = *state;
	struct canary canary;
	start(scene, false);
	make_canary(&canary);
	AUTO(identity) struct identity *full = capture_process(scene, full_token());
	AUTO(identity) struct identity *lesser = capture_process(scene, lesser_token(false));
	for (unsigned i = 0; i < 20; i++) {
		assert_int_equal(touch_as(&canary, lesser), ERROR_ACCESS_DENIED);
		assert_int_equal(touch_as(&canary, NULL), ERROR_SUCCESS);
		assert_int_equal(touch_as(&canary, full), ERROR_SUCCESS);
	}
	touch(&canary);
	assert_int_equal(canary.error, ERROR_SUCCESS);
	CloseHandle(canary.event);
}

struct toucher {
	struct canary canary; /* its own answer */
	struct wearing wearing;
	struct thread *thread;
};

#define TOUCHERS 8

static void capture__several_worn_at_once__do_not_mix(void **state)
{
	struct scene *scene = *state;
	struct canary canary;
	struct toucher touchers[TOUCHERS] = { { .thread = NULL } };
	start(scene, false);
	make_canary(&canary);
	AUTO(identity) struct identity *full = capture_process(scene, full_token());
	AUTO(identity) struct identity *lesser = capture_process(scene, lesser_token(false));
	for (unsigned i = 0; i < TOUCHERS; i++) {
		touchers[i].canary = canary;
		touchers[i].wearing =
			(struct wearing){ .identity = i % 2 ? lesser : full, .act = touch, .argument = &touchers[i].canary };
		assert_int_equal(
			thread_start("toucher", wearing_main, &touchers[i].wearing, &touchers[i].thread, &scene->fault), RESULT_OK);
	}
	for (unsigned i = 0; i < TOUCHERS; i++)
		thread_join(touchers[i].thread);
	for (unsigned i = 0; i < TOUCHERS; i++) {
		assert_int_equal(touchers[i].wearing.worn, RESULT_OK);
		assert_int_equal(touchers[i].canary.error, i % 2 ? ERROR_ACCESS_DENIED : ERROR_SUCCESS);
	}
	CloseHandle(canary.event);
}

int main(int count, char **arguments)
{
	const struct CMUnitTest tests[] = {
		IPC_TEST(capture__client_without_administrators__is_told_from_the_full_one),
		IPC_TEST(capture__threads_of_one_connection__are_each_their_own),
		IPC_TEST(capture__kept_after_the_client_ended__is_worn_by_one_thread_alone),
		IPC_TEST(capture__several_worn_at_once__do_not_mix),
	};
	if (count == 3 && strcmp(arguments[1], "client") == 0)
		return be_client(arguments[2]);
	if (!is_elevated()) {
		printf("SKIPPED: needs an elevated administrator: full and lesser tokens captured and worn\n");
		return SKIPPED_PROGRAM;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
