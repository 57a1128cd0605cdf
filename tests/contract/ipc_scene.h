/* What the tests of platform/ipc share: a server whose handler echoes or notes down, and clients of it. */
#ifndef FERRY_TESTS_IPC_SCENE_H
#define FERRY_TESTS_IPC_SCENE_H

#include "ground.h"

#include <stdlib.h>
#include <string.h>

#include "platform/clock.h"
#include "platform/ipc.h"
#include "platform/ipc_client.h"
#include "platform/thread.h"

#define LONG_MS 60000 /* longer than anything here takes; a test that waits as long has failed */
#define NOTES_MAX 8

/* A server whose handler echoes, or notes down what comes and leaves the rest to the test. */
struct scene {
	char folder[GROUND_PATH_BYTES_MAX], address[GROUND_PATH_BYTES_MAX];
	struct ipc_server *server;
	bool echoes;
	struct fault fault;

	struct mutex *mutex;
	struct condition *condition;
	uint64_t last_connected, last_disconnected;
	unsigned connected, disconnected, messages, oversized;
	struct note {
		uint64_t connection;
		char *bytes;
		size_t length;
	} notes[NOTES_MAX]; /* the first messages, unless it echoes */
};

static inline void on_connected(void *context, uint64_t connection)
{
	struct scene *scene = context;
	mutex_lock(scene->mutex);
	scene->connected++;
	scene->last_connected = connection;
	condition_signal(scene->condition);
	mutex_unlock(scene->mutex);
}

static inline void on_message(void *context, uint64_t connection, char *bytes, size_t length)
{
	struct scene *scene = context;
	if (scene->echoes) {
		if (ipc_send(scene->server, connection, (struct text_view){ bytes, length }) == RESULT_OK)
			ipc_next(scene->server, connection);
		free(bytes);
		return;
	}
	mutex_lock(scene->mutex);
	if (scene->messages < NOTES_MAX)
		scene->notes[scene->messages] = (struct note){ connection, bytes, length };
	else
		free(bytes);
	scene->messages++;
	condition_signal(scene->condition);
	mutex_unlock(scene->mutex);
}

static inline void on_oversized(void *context, uint64_t connection)
{
	struct scene *scene = context;
	mutex_lock(scene->mutex);
	scene->oversized++;
	mutex_unlock(scene->mutex);
	if (ipc_send(scene->server, connection, text_view("too large")) == RESULT_OK)
		ipc_next(scene->server, connection);
}

static inline void on_disconnected(void *context, uint64_t connection)
{
	struct scene *scene = context;
	mutex_lock(scene->mutex);
	scene->disconnected++;
	scene->last_disconnected = connection;
	condition_signal(scene->condition);
	mutex_unlock(scene->mutex);
}

static inline enum result serve_at(struct scene *scene, uint32_t connections_max, uint32_t output_bytes_max,
                            struct ipc_server **ret_server)
{
	struct ipc_limits limits = { connections_max, output_bytes_max };
	struct ipc_handler handler = { on_connected, on_message, on_oversized, on_disconnected, scene };
	return ipc_server_start(scene->address, &limits, &handler, ret_server, &scene->fault);
}

static inline int set_up(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));
	if (!scene)
		return -1;
	ground_set_up(scene->folder);
	ground_address(scene->address, scene->folder);
	scene->mutex = mutex_new();
	scene->condition = condition_new();
	*state = scene;
	return scene->mutex && scene->condition ? 0 : -1;
}

static inline int tear_down(void **state)
{
	struct scene *scene = *state;
	ipc_server_free(scene->server);
	for (unsigned i = 0; i < NOTES_MAX; i++)
		free(scene->notes[i].bytes);
	condition_free(scene->condition);
	mutex_free(scene->mutex);
	ground_tear_down(scene->folder);
	free(scene);
	return 0;
}

static inline void start(struct scene *scene, bool echoes)
{
	scene->echoes = echoes;
	assert_int_equal(serve_at(scene, IPC_CONNECTIONS_MAX_DEFAULT, IPC_OUTPUT_BYTES_MAX_DEFAULT, &scene->server),
	                 RESULT_OK);
}

/* Wait until a count of the scene's has reached `wanted`. */
static inline void await(struct scene *scene, const unsigned *count, unsigned wanted)
{
	int64_t deadline_ms = clock_mono_ms() + LONG_MS;
	mutex_lock(scene->mutex);
	while (*count < wanted && clock_mono_ms() < deadline_ms)
		condition_wait(scene->condition, scene->mutex, LONG_MS);
	unsigned reached = *count;
	mutex_unlock(scene->mutex);
	assert_true(reached >= wanted);
}

static inline unsigned now(struct scene *scene, const unsigned *count)
{
	mutex_lock(scene->mutex);
	unsigned value = *count;
	mutex_unlock(scene->mutex);
	return value;
}

static inline enum result open_client(struct scene *scene, struct ipc_client **ret_client)
{
	return ipc_client_open(scene->address, IPC_CLIENT_ALLOW_CONSOLE, LONG_MS, ret_client, &scene->fault);
}

static inline struct ipc_client *client_of(struct scene *scene)
{
	struct ipc_client *client = NULL;
	assert_int_equal(open_client(scene, &client), RESULT_OK);
	return client;
}

/* A client and the number that the server knows it by. */
static inline struct ipc_client *next_client(struct scene *scene, uint64_t *ret_number)
{
	unsigned before = now(scene, &scene->connected);
	struct ipc_client *client = client_of(scene);
	await(scene, &scene->connected, before + 1);
	mutex_lock(scene->mutex);
	*ret_number = scene->last_connected;
	mutex_unlock(scene->mutex);
	return client;
}

static inline void say(struct scene *scene, struct ipc_client *client, struct text_view message)
{
	assert_int_equal(ipc_client_send(client, message, &scene->fault), RESULT_OK);
}

static inline void hear(struct scene *scene, struct ipc_client *client, struct text_view expected)
{
	AUTO(buffer) struct buffer heard = BUFFER(2 * IPC_MESSAGE_BYTES_MAX);
	assert_int_equal(ipc_client_receive(client, LONG_MS, &heard, &scene->fault), RESULT_OK);
	assert_int_equal(heard.length, expected.length);
	assert_memory_equal(heard.bytes, expected.bytes, expected.length);
}

static inline void hear_nothing_more(struct scene *scene, struct ipc_client *client)
{
	AUTO(buffer) struct buffer heard = BUFFER(IPC_MESSAGE_BYTES_MAX);
	assert_int_equal(ipc_client_receive(client, LONG_MS, &heard, &scene->fault), RESULT_NOT_RUNNING);
}

static inline void say_and_hear(struct scene *scene, struct ipc_client *client, const char *text)
{
	say(scene, client, text_view(text));
	hear(scene, client, text_view(text));
}

static inline char *pattern(size_t length)
{
	char *bytes = malloc(length);
	assert_non_null(bytes);
	for (size_t i = 0; i < length; i++)
		bytes[i] = (char)(i * 31 + i / 251);
	return bytes;
}

#define IPC_TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

#endif
