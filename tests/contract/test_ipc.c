#include "contract/ipc_scene.h"

#define CLIENTS 16
#define MESSAGES_EACH 50

/* --- messages --- */

static void ipc__messages__arrive_whole_and_in_order(void **state)
{
	struct scene *scene = *state;
	start(scene, true);
	AUTO(ipc_client) struct ipc_client *client = client_of(scene);
	say_and_hear(scene, client, "{}");
	struct text_view with_zeros = { "a\0b\0", 4 };
	say(scene, client, with_zeros);
	hear(scene, client, with_zeros);
	say(scene, client, text_view("one"));
	say(scene, client, text_view("two"));
	hear(scene, client, text_view("one"));
	hear(scene, client, text_view("two"));
}

static void ipc__largest_message__goes_both_ways(void **state)
{
	struct scene *scene = *state;
	start(scene, true);
	AUTO(ipc_client) struct ipc_client *client = client_of(scene);
	size_t sizes[] = { 32767, 32768, 32769, 65536, IPC_MESSAGE_BYTES_MAX - 1, IPC_MESSAGE_BYTES_MAX };
	char *bytes = pattern(IPC_MESSAGE_BYTES_MAX);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		say(scene, client, (struct text_view){ bytes, sizes[i] });
		hear(scene, client, (struct text_view){ bytes, sizes[i] });
	}
	free(bytes);
}

static void ipc__oversized_message__is_dropped_and_the_next_one_served(void **state)
{
	struct scene *scene = *state;
	start(scene, true);
	AUTO(ipc_client) struct ipc_client *client = client_of(scene);
	char *bytes = pattern(3 * IPC_MESSAGE_BYTES_MAX);
	say(scene, client, (struct text_view){ bytes, IPC_MESSAGE_BYTES_MAX + 1 });
	hear(scene, client, text_view("too large"));
	say(scene, client, (struct text_view){ bytes, 3 * IPC_MESSAGE_BYTES_MAX });
	hear(scene, client, text_view("too large"));
	assert_int_equal(now(scene, &scene->oversized), 2);
	say(scene, client, (struct text_view){ bytes, IPC_MESSAGE_BYTES_MAX });
	hear(scene, client, (struct text_view){ bytes, IPC_MESSAGE_BYTES_MAX });
	free(bytes);
}

static void ipc__delivered_message__terminated_and_one_at_a_time(void **state)
{
	struct scene *scene = *state;
	uint64_t number, other_number;
	start(scene, false);
	AUTO(ipc_client) struct ipc_client *client = next_client(scene, &number);
	AUTO(ipc_client) struct ipc_client *other = next_client(scene, &other_number);
	say(scene, client, text_view("one"));
	say(scene, client, text_view("two"));
	await(scene, &scene->messages, 1);
	/* The I/O thread serves another one meanwhile, and has had every chance to read on. */
	say(scene, other, text_view("other"));
	await(scene, &scene->messages, 2);
	assert_true(scene->notes[0].connection == number && scene->notes[1].connection == other_number);
	assert_string_equal(scene->notes[0].bytes, "one");
	assert_int_equal(scene->notes[0].length, 3);
	assert_string_equal(scene->notes[1].bytes, "other");
	ipc_next(scene->server, number);
	await(scene, &scene->messages, 3);
	assert_string_equal(scene->notes[2].bytes, "two");
	assert_int_equal(now(scene, &scene->messages), 3);
}

struct talker {
	struct scene *scene;
	unsigned number, heard_well;
	struct thread *thread;
	struct ipc_client *client; /* listen_only's; talk makes its own */
};

/* Sizes from a few bytes to several packets; cmocka's assertions belong to the main thread, so this one counts. */
static void talk(void *argument)
{
	struct talker *talker = argument;
	AUTO(ipc_client) struct ipc_client *client = NULL;
	AUTO(buffer) struct buffer said = BUFFER(IPC_MESSAGE_BYTES_MAX);
	AUTO(buffer) struct buffer heard = BUFFER(IPC_MESSAGE_BYTES_MAX);
	struct fault fault;
	if (ipc_client_open(talker->scene->address, IPC_CLIENT_ALLOW_CONSOLE, LONG_MS, &client, &fault) != RESULT_OK)
		return;
	for (unsigned i = 0; i < MESSAGES_EACH; i++) {
		buffer_clear(&said);
		buffer_clear(&heard);
		unsigned copies = 1 + (i % 10 == 0 ? 5000 : i);
		for (unsigned j = 0; j < copies; j++)
			if (buffer_print(&said, "client %u message %u;", talker->number, i) != RESULT_OK)
				return;
		struct text_view message = { said.bytes, said.length };
		if (ipc_client_send(client, message, &fault) != RESULT_OK ||
		    ipc_client_receive(client, LONG_MS, &heard, &fault) != RESULT_OK)
			return;
		if (heard.length == said.length && memcmp(heard.bytes, said.bytes, said.length) == 0)
			talker->heard_well++;
	}
}

static void ipc__many_clients_at_once__each_hears_its_own(void **state)
{
	struct scene *scene = *state;
	struct talker talkers[CLIENTS];
	start(scene, true);
	for (unsigned i = 0; i < CLIENTS; i++) {
		talkers[i] = (struct talker){ .scene = scene, .number = i };
		assert_int_equal(thread_start("talker", talk, &talkers[i], &talkers[i].thread, &scene->fault), RESULT_OK);
	}
	for (unsigned i = 0; i < CLIENTS; i++)
		thread_join(talkers[i].thread);
	for (unsigned i = 0; i < CLIENTS; i++)
		assert_int_equal(talkers[i].heard_well, MESSAGES_EACH);
	await(scene, &scene->disconnected, CLIENTS);
	assert_int_equal(now(scene, &scene->connected), CLIENTS);
}

#define ECHOES 100

static void listen_only(void *argument)
{
	struct talker *talker = argument;
	struct fault fault;
	for (unsigned i = 0; i < ECHOES; i++) {
		AUTO(buffer) struct buffer heard = BUFFER(IPC_MESSAGE_BYTES_MAX);
		if (ipc_client_receive(talker->client, LONG_MS, &heard, &fault) != RESULT_OK)
			return;
		if (heard.length == 100 * i + 1 && heard.bytes[0] == (char)i)
			talker->heard_well++;
	}
}

static void ipc_client__one_thread_sends_while_another_receives__all_comes_back(void **state)
{
	struct scene *scene = *state;
	start(scene, true);
	AUTO(ipc_client) struct ipc_client *client = client_of(scene);
	char *bytes = calloc(1, 100 * ECHOES + 1);
	struct talker talker = { .scene = scene, .client = client };
	assert_non_null(bytes);
	assert_int_equal(thread_start("listener", listen_only, &talker, &talker.thread, &scene->fault), RESULT_OK);
	for (unsigned i = 0; i < ECHOES; i++) {
		bytes[0] = (char)i;
		say(scene, client, (struct text_view){ bytes, 100 * i + 1 });
	}
	thread_join(talker.thread);
	free(bytes);
	assert_int_equal(talker.heard_well, ECHOES);
}

/* --- the server's side of a connection --- */

static void ipc__client_that_leaves__is_reported_once_and_its_number_is_stale(void **state)
{
	char image[1024];
	struct scene *scene = *state;
	uint64_t number, next_number;
	struct identity *identity = NULL;
	start(scene, false);
	struct ipc_client *client = next_client(scene, &number);
	ipc_client_free(client);
	await(scene, &scene->disconnected, 1);
	assert_true(scene->last_disconnected == number);
	assert_int_equal(ipc_send(scene->server, number, text_view("late")), RESULT_NOT_FOUND);
	assert_int_equal(ipc_capture(scene->server, number, &identity, &scene->fault), RESULT_NOT_FOUND);
	assert_int_equal(ipc_client_process(scene->server, number, image, sizeof(image)), 0);
	assert_string_equal(image, "");
	ipc_next(scene->server, number);
	ipc_close(scene->server, number);
	assert_int_equal(ipc_send(scene->server, 0, text_view("nobody")), RESULT_NOT_FOUND);
	assert_int_equal(ipc_send(scene->server, UINT64_MAX, text_view("nobody")), RESULT_NOT_FOUND);
	client = next_client(scene, &next_number);
	assert_true(next_number != number);
	assert_int_equal(now(scene, &scene->disconnected), 1);
	ipc_client_free(client);
}

static void ipc__client_that_leaves_while_served__is_reported_after_its_messages(void **state)
{
	struct scene *scene = *state;
	uint64_t number, other_number;
	start(scene, false);
	struct ipc_client *client = next_client(scene, &number);
	AUTO(ipc_client) struct ipc_client *other = next_client(scene, &other_number);
	say(scene, client, text_view("one"));
	say(scene, client, text_view("two"));
	await(scene, &scene->messages, 1);
	/* It leaves with something unread, too; by the other's second message that has been sent. */
	assert_int_equal(ipc_send(scene->server, number, text_view("unread")), RESULT_OK);
	for (unsigned i = 0; i < 2; i++) {
		say(scene, other, text_view("other"));
		await(scene, &scene->messages, 2 + i);
		ipc_next(scene->server, other_number);
	}
	ipc_client_free(client);
	ipc_next(scene->server, number);
	await(scene, &scene->messages, 4);
	assert_string_equal(scene->notes[3].bytes, "two");
	assert_int_equal(now(scene, &scene->disconnected), 0);
	ipc_next(scene->server, number);
	await(scene, &scene->disconnected, 1);
}

/* --- who speaks --- */

static void ipc__capture__is_the_clients_identity(void **state)
{
	char image[1024];
	struct scene *scene = *state;
	uint64_t number;
	AUTO(identity) struct identity *own = NULL;
	AUTO(identity) struct identity *captured = NULL;
	assert_int_equal(identity_self(&own, &scene->fault), RESULT_OK);
	start(scene, false);
	AUTO(ipc_client) struct ipc_client *client = next_client(scene, &number);
	say(scene, client, text_view("hello"));
	await(scene, &scene->messages, 1);
	assert_int_equal(ipc_capture(scene->server, number, &captured, &scene->fault), RESULT_OK);
	assert_string_equal(identity_caller(captured)->owner, identity_caller(own)->owner);
	assert_int_equal(identity_caller(captured)->integrity, identity_caller(own)->integrity);
	assert_true(identity_caller(captured)->impersonation);
	assert_int_equal(ipc_client_process(scene->server, number, image, sizeof(image)), ground_process());
	assert_non_null(strstr(image, "test_contract_ipc")); /* this program is its own client */
}

struct speaker {
	struct ipc_client *client;
	struct identity *identity;
	enum result worn, sent;
	struct fault fault;
};

static void speak(void *argument)
{
	struct speaker *speaker = argument;
	speaker->worn = identity_wear(speaker->identity, &speaker->fault);
	if (speaker->worn == RESULT_OK)
		speaker->sent = ipc_client_send(speaker->client, text_view("as another"), &speaker->fault);
}

static void ipc__capture__is_that_of_the_thread_that_wrote_the_message(void **state)
{
	struct scene *scene = *state;
	uint64_t number;
	if (!ground_enforces_identities())
		GROUND_SKIP("each message carries its thread's identity (" GROUND_NEEDS ")");
	start(scene, false);
	AUTO(ipc_client) struct ipc_client *client = next_client(scene, &number);
	struct identity *captured[3] = { NULL };
	for (unsigned i = 0; i < 3; i++) {
		if (i == 1) {
			struct speaker speaker = { .client = client, .identity = ground_identity(1) };
			struct thread *thread = NULL;
			assert_int_equal(thread_start("speaker", speak, &speaker, &thread, &scene->fault), RESULT_OK);
			thread_join(thread);
			assert_int_equal(speaker.worn, RESULT_OK);
			assert_int_equal(speaker.sent, RESULT_OK);
			identity_free(speaker.identity);
		} else {
			say(scene, client, text_view("as myself"));
		}
		await(scene, &scene->messages, i + 1);
		assert_int_equal(ipc_capture(scene->server, number, &captured[i], &scene->fault), RESULT_OK);
		ipc_next(scene->server, number);
	}
	AUTO(identity) struct identity *other = ground_identity(1);
	assert_string_equal(identity_caller(captured[1])->owner, identity_caller(other)->owner);
	assert_string_equal(identity_caller(captured[0])->owner, identity_caller(captured[2])->owner);
	assert_string_not_equal(identity_caller(captured[0])->owner, identity_caller(captured[1])->owner);
	assert_false(identity_caller(captured[1])->administrator);
	for (unsigned i = 0; i < 3; i++)
		identity_free(captured[i]);
}

/* What a client says of its thread is what the service finds in the message: rule 2 compares them. */
static void check_claim(struct scene *scene, struct ipc_client *client, uint64_t number, unsigned message)
{
	AUTO(ipc_speaker) struct ipc_speaker *speaker = NULL;
	AUTO(identity) struct identity *captured = NULL;
	struct ipc_claim claim;
	assert_int_equal(ipc_speaker_current(&speaker, &scene->fault), RESULT_OK);
	assert_int_equal(ipc_speaker_claim(speaker, &claim, &scene->fault), RESULT_OK);
	say(scene, client, text_view("as I say"));
	await(scene, &scene->messages, message);
	assert_int_equal(ipc_capture(scene->server, number, &captured, &scene->fault), RESULT_OK);
	ipc_next(scene->server, number);
	assert_int_equal(access_check_claim(identity_caller(captured), text_view(claim.sid), claim.logon_id, &scene->fault),
	                 RESULT_OK);
}

static void ipc_speaker__claim__is_what_the_service_captures(void **state)
{
	struct scene *scene = *state;
	uint64_t number;
	start(scene, false);
	AUTO(ipc_client) struct ipc_client *client = next_client(scene, &number);
	check_claim(scene, client, number, 1);
	if (!ground_enforces_identities())
		GROUND_SKIP("a claim made as somebody else (" GROUND_NEEDS ")");
	AUTO(ipc_speaker) struct ipc_speaker *before = NULL;
	AUTO(ipc_speaker) struct ipc_speaker *other = NULL;
	struct ipc_claim mine, again, others;
	assert_int_equal(ipc_speaker_current(&before, &scene->fault), RESULT_OK);
	assert_int_equal(ipc_speaker_claim(before, &mine, &scene->fault), RESULT_OK);
	assert_int_equal(ipc_speaker_logon("uid:65170", "", &other, &scene->fault), RESULT_OK);
	assert_int_equal(ipc_speaker_claim(other, &others, &scene->fault), RESULT_OK);
	assert_string_equal(others.sid, "uid:65170");
	assert_int_equal(ipc_speaker_wear(other, &scene->fault), RESULT_OK);
	check_claim(scene, client, number, 2);
	assert_int_equal(ipc_speaker_wear(before, &scene->fault), RESULT_OK);
	check_claim(scene, client, number, 3);
	assert_int_equal(ipc_speaker_claim(before, &again, &scene->fault), RESULT_OK);
	assert_string_equal(again.sid, mine.sid);
	AUTO(ipc_speaker) struct ipc_speaker *nobody = NULL;
	assert_int_equal(ipc_speaker_logon("Alice", "secret", &nobody, &scene->fault), RESULT_ACCESS_REFUSED);
	assert_null(strstr(scene->fault.what, "secret"));
}

/* The services' own session is the server's; others have numbers, and are other identities (rule 6). */
static void ipc__capture__tells_the_session_of_the_author(void **state)
{
	struct scene *scene = *state;
	uint64_t number;
	AUTO(identity) struct identity *captured = NULL;
	AUTO(identity) struct identity *own = NULL;
	start(scene, false);
	AUTO(ipc_client) struct ipc_client *client = next_client(scene, &number);
	say(scene, client, text_view("from here"));
	await(scene, &scene->messages, 1);
	assert_int_equal(ipc_capture(scene->server, number, &captured, &scene->fault), RESULT_OK);
	assert_int_equal(identity_self(&own, &scene->fault), RESULT_OK);
	assert_int_equal(identity_caller(captured)->session, identity_caller(own)->session);
}

static void ipc_client__server_that_is_not_the_service__is_refused(void **state)
{
	struct scene *scene = *state;
	struct ipc_client *client = NULL;
	start(scene, true);
	if (!ground_be_not_the_service(scene->folder))
		GROUND_SKIP("a squatter is not believed (needs CAP_CHOWN)");
	assert_int_equal(ipc_client_open(scene->address, 0, LONG_MS, &client, &scene->fault), RESULT_NOT_THE_SERVICE);
	assert_null(client);
	client = client_of(scene); /* with IPC_CLIENT_ALLOW_CONSOLE, since the own user runs it */
	say_and_hear(scene, client, "hello");
	ipc_client_free(client);
}

/* --- coming and going --- */

static void ipc_client__nothing_to_hear__times_out_and_goes_on(void **state)
{
	struct scene *scene = *state;
	AUTO(buffer) struct buffer heard = BUFFER(1000);
	start(scene, true);
	AUTO(ipc_client) struct ipc_client *client = client_of(scene);
	int64_t before_ms = clock_mono_ms();
	assert_int_equal(ipc_client_receive(client, 30, &heard, &scene->fault), RESULT_TIMED_OUT);
	assert_true(clock_mono_ms() >= before_ms + 25);
	assert_int_equal(ipc_client_receive(client, 0, &heard, &scene->fault), RESULT_TIMED_OUT);
	say(scene, client, text_view("hello"));
	assert_int_equal(ipc_client_receive(client, -1, &heard, &scene->fault), RESULT_OK);
	assert_int_equal(heard.length, 5);
	assert_string_equal(heard.bytes, "hello");
}

static void ipc_client__no_server__is_not_running(void **state)
{
	struct scene *scene = *state;
	struct ipc_client *client = NULL;
	assert_int_equal(open_client(scene, &client), RESULT_NOT_RUNNING);
	assert_null(client);
	if (!ground_leave_dead_door(scene->address)) {
		GROUND_CANNOT("a killed server leaves a door behind (nothing stays behind here)");
		return;
	}
	assert_int_equal(open_client(scene, &client), RESULT_NOT_RUNNING);
}

static void ipc__freed__ends_every_connection(void **state)
{
	struct scene *scene = *state;
	uint64_t number;
	start(scene, true);
	AUTO(ipc_client) struct ipc_client *one = next_client(scene, &number);
	AUTO(ipc_client) struct ipc_client *two = next_client(scene, &number);
	ipc_server_free(TAKE(scene->server));
	assert_int_equal(scene->disconnected, 2); /* no thread is left that could change it */
	hear_nothing_more(scene, one);
	assert_int_equal(ipc_client_send(two, text_view("anybody?"), &scene->fault), RESULT_NOT_RUNNING);
	struct ipc_client *client = NULL;
	assert_int_equal(open_client(scene, &client), RESULT_NOT_RUNNING);
	start(scene, true);
	client = client_of(scene);
	say_and_hear(scene, client, "again");
	ipc_client_free(client);
	ipc_server_free(NULL);
	ipc_client_free(NULL);
}

static void ipc__second_server__is_already_running(void **state)
{
	struct scene *scene = *state;
	struct ipc_server *second = NULL;
	if (!ground_notices_second_server())
		GROUND_SKIP("a second server is refused (Wine ignores FILE_FLAG_FIRST_PIPE_INSTANCE)");
	start(scene, true);
	assert_int_equal(serve_at(scene, 1, 1000, &second), RESULT_ALREADY_RUNNING);
	assert_null(second);
	AUTO(ipc_client) struct ipc_client *client = client_of(scene);
	say_and_hear(scene, client, "not disturbed");
}

static void ipc__door_of_a_killed_server__is_taken_over(void **state)
{
	struct scene *scene = *state;
	if (!ground_leave_dead_door(scene->address))
		GROUND_SKIP("a killed server's door is taken over (nothing stays behind here)");
	start(scene, true);
	AUTO(ipc_client) struct ipc_client *client = client_of(scene);
	say_and_hear(scene, client, "alive");
}

/* On Windows a name lives as long as any handle to it. */
static void ipc__client_of_the_server_before__does_not_keep_the_door_shut(void **state)
{
	struct scene *scene = *state;
	start(scene, true);
	AUTO(ipc_client) struct ipc_client *lingering = client_of(scene);
	say_and_hear(scene, lingering, "alive");
	ipc_server_free(TAKE(scene->server));
	start(scene, true);
	AUTO(ipc_client) struct ipc_client *client = client_of(scene);
	say_and_hear(scene, client, "alive again");
}

static void ipc__file_at_the_address__is_left_alone(void **state)
{
	struct scene *scene = *state;
	char path[GROUND_PATH_BYTES_MAX];
	ground_path(path, scene->folder, "ferry.sock");
	if (strcmp(path, scene->address) != 0)
		GROUND_SKIP("a file that has the door's name stays (addresses are no files here)");
	ground_write(path, "precious");
	struct ipc_server *server = NULL;
	assert_int_equal(serve_at(scene, 1, 1000, &server), RESULT_EXISTS);
	assert_true(ground_holds(path, "precious"));
}

static void ipc_client__default_address__is_the_services(void **state)
{
	struct scene *scene = *state;
	char address[GROUND_PATH_BYTES_MAX], tiny[4];
	assert_int_equal(ipc_client_default_address(address, sizeof(address), &scene->fault), RESULT_OK);
	assert_true(strlen(address) > 4);
	assert_int_equal(ipc_client_default_address(tiny, sizeof(tiny), &scene->fault), RESULT_TOO_LONG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IPC_TEST(ipc__messages__arrive_whole_and_in_order),
		IPC_TEST(ipc__largest_message__goes_both_ways),
		IPC_TEST(ipc__oversized_message__is_dropped_and_the_next_one_served),
		IPC_TEST(ipc__delivered_message__terminated_and_one_at_a_time),
		IPC_TEST(ipc__many_clients_at_once__each_hears_its_own),
		IPC_TEST(ipc__client_that_leaves__is_reported_once_and_its_number_is_stale),
		IPC_TEST(ipc__client_that_leaves_while_served__is_reported_after_its_messages),
		IPC_TEST(ipc__capture__is_the_clients_identity),
		IPC_TEST(ipc__capture__is_that_of_the_thread_that_wrote_the_message),
		IPC_TEST(ipc_speaker__claim__is_what_the_service_captures),
		IPC_TEST(ipc__capture__tells_the_session_of_the_author),
		IPC_TEST(ipc_client__server_that_is_not_the_service__is_refused),
		IPC_TEST(ipc_client__one_thread_sends_while_another_receives__all_comes_back),
		IPC_TEST(ipc_client__nothing_to_hear__times_out_and_goes_on),
		IPC_TEST(ipc_client__no_server__is_not_running),
		IPC_TEST(ipc__freed__ends_every_connection),
		IPC_TEST(ipc__second_server__is_already_running),
		IPC_TEST(ipc__door_of_a_killed_server__is_taken_over),
		IPC_TEST(ipc__client_of_the_server_before__does_not_keep_the_door_shut),
		IPC_TEST(ipc__file_at_the_address__is_left_alone),
		IPC_TEST(ipc_client__default_address__is_the_services),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
