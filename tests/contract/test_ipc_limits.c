/* Clients that die, do not read, are too many: what each may cost, and that it costs nobody else. */
#include "contract/ipc_scene.h"

static void ipc__client_that_dies_mid_message__delivers_nothing(void **state)
{
	struct scene *scene = *state;
	start(scene, false);
	if (!ground_send_half_message(scene->address))
		GROUND_SKIP("half a message is dropped (they are written whole here)");
	await(scene, &scene->disconnected, 1);
	assert_int_equal(now(scene, &scene->messages), 0);
	assert_int_equal(now(scene, &scene->oversized), 0);
	AUTO(ipc_client) struct ipc_client *client = client_of(scene);
	say(scene, client, text_view("fine"));
	await(scene, &scene->messages, 1);
}

static void ipc__client_that_never_reads__is_closed_at_its_bound_alone(void **state)
{
	struct scene *scene = *state;
	uint64_t number, other_number;
	enum result result = RESULT_OK;
	assert_int_equal(serve_at(scene, 4, 300000, &scene->server), RESULT_OK);
	struct ipc_client *silent = next_client(scene, &number);
	AUTO(ipc_client) struct ipc_client *other = next_client(scene, &other_number);
	char *bytes = pattern(10000);
	unsigned sent = 0;
	for (; result == RESULT_OK && sent < 10000; sent++)
		result = ipc_send(scene->server, number, (struct text_view){ bytes, 10000 });
	assert_int_equal(result, RESULT_TOO_LARGE);
	assert_true(sent > 300000 / 10000); /* not before the bound */
	await(scene, &scene->disconnected, 1);
	assert_true(scene->last_disconnected == number);
	assert_int_equal(ipc_send(scene->server, number, text_view("late")), RESULT_NOT_FOUND);
	assert_int_equal(ipc_send(scene->server, other_number, text_view("fine")), RESULT_OK);
	hear(scene, other, text_view("fine"));
	assert_int_equal(ipc_send(scene->server, other_number, (struct text_view){ bytes, 10000 }), RESULT_OK);
	hear(scene, other, (struct text_view){ bytes, 10000 });
	ipc_client_free(silent);
	free(bytes);
}

static void ipc__closed__after_what_is_queued(void **state)
{
	struct scene *scene = *state;
	uint64_t number;
	start(scene, false);
	AUTO(ipc_client) struct ipc_client *client = next_client(scene, &number);
	char *bytes = pattern(IPC_MESSAGE_BYTES_MAX);
	say(scene, client, text_view("read"));
	say(scene, client, text_view("never read")); /* must not cost the client its answers */
	await(scene, &scene->messages, 1);
	struct text_view large = { bytes, IPC_MESSAGE_BYTES_MAX };
	assert_int_equal(ipc_send(scene->server, number, large), RESULT_OK);
	assert_int_equal(ipc_send(scene->server, number, text_view("last")), RESULT_OK);
	ipc_close(scene->server, number);
	assert_int_equal(ipc_send(scene->server, number, text_view("too late")), RESULT_NOT_FOUND);
	hear(scene, client, large);
	hear(scene, client, text_view("last"));
	hear_nothing_more(scene, client);
	await(scene, &scene->disconnected, 1);
	free(bytes);
}

static void ipc__closed_client_that_does_not_read__is_ended_within_a_bound(void **state)
{
	struct scene *scene = *state;
	uint64_t number;
	start(scene, false);
	struct ipc_client *client = next_client(scene, &number);
	char *bytes = pattern(IPC_MESSAGE_BYTES_MAX);
	for (int i = 0; i < 2; i++)
		assert_int_equal(ipc_send(scene->server, number, (struct text_view){ bytes, IPC_MESSAGE_BYTES_MAX }),
		                 RESULT_OK);
	ipc_close(scene->server, number);
	await(scene, &scene->disconnected, 1);
	ipc_client_free(client);
	free(bytes);
}

static void ipc__closed_client_that_does_not_read__gives_way_to_who_waits(void **state)
{
	struct scene *scene = *state;
	uint64_t number, other_number;
	assert_int_equal(serve_at(scene, 2, IPC_OUTPUT_BYTES_MAX_DEFAULT, &scene->server), RESULT_OK);
	struct ipc_client *deaf = next_client(scene, &number);
	struct ipc_client *other = next_client(scene, &other_number);
	char *bytes = pattern(IPC_MESSAGE_BYTES_MAX);
	assert_int_equal(ipc_send(scene->server, number, (struct text_view){ bytes, IPC_MESSAGE_BYTES_MAX }), RESULT_OK);
	int64_t before_ms = clock_mono_ms();
	ipc_close(scene->server, number);
	struct ipc_client *third = next_client(scene, &number);
	assert_true(clock_mono_ms() < before_ms + 4000); /* it would have had 5 s to read */
	ipc_client_free(third);
	ipc_client_free(other);
	ipc_client_free(deaf);
	free(bytes);
}

static void ipc__client_that_does_not_read_its_answer__is_not_read_from(void **state)
{
	struct scene *scene = *state;
	uint64_t number, other_number;
	start(scene, false);
	AUTO(ipc_client) struct ipc_client *client = next_client(scene, &number);
	AUTO(ipc_client) struct ipc_client *other = next_client(scene, &other_number);
	char *bytes = pattern(IPC_MESSAGE_BYTES_MAX);
	struct text_view large = { bytes, IPC_MESSAGE_BYTES_MAX };
	say(scene, client, text_view("one"));
	say(scene, client, text_view("two"));
	await(scene, &scene->messages, 1);
	assert_int_equal(ipc_send(scene->server, number, large), RESULT_OK);
	ipc_next(scene->server, number);
	for (unsigned i = 0; i < 3; i++) { /* by then it has had every chance to be read */
		say(scene, other, text_view("other"));
		await(scene, &scene->messages, 2 + i);
		assert_true(scene->notes[1 + i].connection == other_number);
		ipc_next(scene->server, other_number);
	}
	assert_true(ipc_unread(scene->server, number) > 0);
	assert_int_equal(ipc_unread(scene->server, other_number), 0);
	assert_int_equal(ipc_unread(scene->server, 0), 0);
	hear(scene, client, large);
	await(scene, &scene->messages, 5);
	assert_string_equal(scene->notes[4].bytes, "two");
	assert_int_equal(ipc_unread(scene->server, number), 0);
	free(bytes);
}

static void ipc__one_client_too_many__waits_until_another_leaves(void **state)
{
	struct scene *scene = *state;
	uint64_t number;
	assert_int_equal(serve_at(scene, 2, 1000000, &scene->server), RESULT_OK);
	scene->echoes = true;
	struct ipc_client *first = next_client(scene, &number);
	AUTO(ipc_client) struct ipc_client *second = next_client(scene, &number);
	AUTO(ipc_client) struct ipc_client *third = NULL;
	AUTO(buffer) struct buffer heard = BUFFER(1000);
	enum result result = ipc_client_open(scene->address, IPC_CLIENT_ALLOW_CONSOLE, 100, &third, &scene->fault);
	if (result == RESULT_OK) { /* the system's queue took it */
		say(scene, third, text_view("is anybody there?"));
		assert_int_equal(ipc_client_receive(third, 100, &heard, &scene->fault), RESULT_TIMED_OUT);
	} else {
		assert_int_equal(result, RESULT_BUSY);
	}
	assert_int_equal(now(scene, &scene->connected), 2);
	say_and_hear(scene, second, "still served");
	ipc_client_free(first);
	await(scene, &scene->disconnected, 1);
	if (third != NULL)
		hear(scene, third, text_view("is anybody there?"));
	else
		third = next_client(scene, &number);
	say_and_hear(scene, third, "served now");
	assert_int_equal(now(scene, &scene->connected), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IPC_TEST(ipc__client_that_dies_mid_message__delivers_nothing),
		IPC_TEST(ipc__client_that_never_reads__is_closed_at_its_bound_alone),
		IPC_TEST(ipc__closed__after_what_is_queued),
		IPC_TEST(ipc__closed_client_that_does_not_read__is_ended_within_a_bound),
		IPC_TEST(ipc__closed_client_that_does_not_read__gives_way_to_who_waits),
		IPC_TEST(ipc__client_that_does_not_read_its_answer__is_not_read_from),
		IPC_TEST(ipc__one_client_too_many__waits_until_another_leaves),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
