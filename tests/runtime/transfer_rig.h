/* tests/runtime/transfer_rig.h - a server, a set of transfers, and what its handler was told.
 *
 * The files here are in memory: this header defines the two functions of platform/file that transfer calls, so that
 * writes can be counted and refused.  Included once by each program that tests runtime/transfer.
 */
#ifndef FERRY_TESTS_TRANSFER_RIG_H
#define FERRY_TESTS_TRANSFER_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "platform/clock.h"
#include "platform/thread.h"
#include "runtime/transfer_private.h"
#include "support/http_server.h"

#define KIB ((uint64_t)1024)
#define MIB (1024 * KIB)
#define ROWS 64
#define PATIENCE_MS 60000
#define SECRET "hunter2"
#define ETAG "\"v1\""
#define MODIFIED "Sat, 01 Feb 2025 10:00:00 GMT"

/* --- platform/file, in memory --- */

struct file_handle {
	uint8_t *bytes;
	size_t capacity;
	uint64_t end; /* of what was written */
	unsigned writes, reserves;
	uint64_t reserved;
	uint64_t room; /* bytes beyond are refused */
};

enum result file_write(struct file_handle *file, uint64_t offset, const void *bytes, size_t length, struct fault *fault)
{
	if (offset + length > file->room)
		return fault_set(fault, RESULT_DISK_FULL, FAULT_FERRY, 0, "no room");
	if (offset + length > file->capacity) {
		size_t capacity = (size_t)(offset + length) * 2;
		uint8_t *grown = realloc(file->bytes, capacity);
		assert_non_null(grown);
		file->bytes = grown;
		file->capacity = capacity;
	}
	memcpy(file->bytes + offset, bytes, length);
	file->writes++;
	if (offset + length > file->end)
		file->end = offset + length;
	return RESULT_OK;
}

enum result file_reserve(struct file_handle *file, uint64_t bytes, struct fault *fault)
{
	assert_int_equal(file->writes, 0);
	file->reserves++;
	file->reserved = bytes;
	return bytes <= file->room ? RESULT_OK : fault_set(fault, RESULT_DISK_FULL, FAULT_FERRY, 0, "no room");
}

enum result file_read(struct file_handle *file, uint64_t offset, void *bytes, size_t length, size_t *ret_length,
                      struct fault *fault)
{
	(void)fault;
	size_t left = offset < file->end ? (size_t)(file->end - offset) : 0;
	*ret_length = length < left ? length : left;
	if (*ret_length > 0)
		memcpy(bytes, file->bytes + offset, *ret_length);
	return RESULT_OK;
}

/* --- what the files on the server hold --- */

static inline uint8_t content_byte(unsigned version, uint64_t at)
{
	return (uint8_t)(at * 31 + (at >> 8) * 7 + (at >> 16) + version);
}

static inline void assert_content(const struct file_handle *file, unsigned version, uint64_t from, uint64_t to)
{
	for (uint64_t at = from; at < to; at++)
		if (file->bytes[at] != content_byte(version, at))
			fail_msg("byte %llu is wrong", (unsigned long long)at);
}

static inline bool send_content(struct http_connection *connection, unsigned version, uint64_t from, uint64_t to)
{
	static _Thread_local uint8_t chunk[65536];
	while (from < to) {
		size_t part = to - from < sizeof(chunk) ? (size_t)(to - from) : sizeof(chunk);
		for (size_t i = 0; i < part; i++)
			chunk[i] = content_byte(version, from + i);
		if (!http_send(connection, chunk, part))
			return false;
		from += part;
	}
	return true;
}

static inline bool send_chunk(struct http_connection *connection, uint64_t from, uint64_t to)
{
	return http_print(connection, "%llx\r\n", (unsigned long long)(to - from)) &&
	       send_content(connection, 0, from, to) && http_print(connection, "\r\n");
}

static inline bool answer_whole(struct http_connection *connection, unsigned version, uint64_t size)
{
	return http_print(connection,
	                  "HTTP/1.1 200 OK\r\nContent-Length: %llu\r\nETag: \"v%u\"\r\nLast-Modified: " MODIFIED "\r\n\r\n",
	                  (unsigned long long)size, version + 1) &&
	       send_content(connection, version, 0, size);
}

static inline bool answer_rest(struct http_connection *connection, unsigned version, uint64_t first, uint64_t size)
{
	return http_print(connection,
	                  "HTTP/1.1 206 Partial Content\r\nContent-Length: %llu\r\n"
	                  "Content-Range: bytes %llu-%llu/%llu\r\nETag: \"v%u\"\r\n\r\n",
	                  (unsigned long long)(size - first), (unsigned long long)first, (unsigned long long)size - 1,
	                  (unsigned long long)size, version + 1) &&
	       send_content(connection, version, first, size);
}

/* --- the rig: a server, a set, and what the handler was told --- */

struct told {
	unsigned answered, finished;
	uint64_t offset, total, written;
	char etag[FILE_ETAG_BYTES_MAX], modified[FILE_MODIFIED_BYTES_MAX];
	enum result result;
	long status;
	uint32_t retry_after_s;
	struct fault fault;
	bool unchanged;
};

struct rig {
	struct http_server *server;
	struct transfer_set *set;
	struct transfer_limits limits;
	uint32_t first_byte_s, stall_s; /* of the next transfers */
	enum job_priority priority;
	uint32_t segments_max;
	bool is_size_stated;
	uint64_t stated;
	struct digest digest;
	struct hash *hash; /* the next transfer's */
	const char *ranges; /* of the next transfers */
	const struct transfer_route *route; /* likewise; NULL: directly */
	struct file_handle files[ROWS];
	struct told told[ROWS];
	unsigned finished;
	/* For the server's handlers, under `mutex` */
	struct mutex *mutex;
	struct condition *released;
	bool is_released;
	uint64_t size;    /* set before the server starts */
	char heads[4096]; /* of the last request */
};

static inline void on_answered(void *context, int64_t row, uint64_t offset, uint64_t total, const char *etag,
                               const char *modified)
{
	struct rig *rig = context;
	struct told *told = &rig->told[row];
	told->answered++;
	told->offset = told->written = offset;
	told->total = total;
	snprintf(told->etag, sizeof(told->etag), "%s", etag);
	snprintf(told->modified, sizeof(told->modified), "%s", modified);
}

static inline void on_written(void *context, int64_t row, uint64_t written)
{
	struct rig *rig = context;
	rig->told[row].written = written;
}

static inline void on_finished(void *context, int64_t row, const struct transfer_end *end)
{
	struct rig *rig = context;
	struct told *told = &rig->told[row];
	told->finished++;
	told->result = end->result;
	told->written = end->written;
	told->status = end->http_status;
	told->retry_after_s = end->retry_after_s;
	told->fault = end->fault;
	told->unchanged = end->unchanged;
	if (end->unchanged) {
		snprintf(told->etag, sizeof(told->etag), "%s", end->etag);
		snprintf(told->modified, sizeof(told->modified), "%s", end->modified);
	}
	rig->finished++;
}

static inline void remember_heads(struct rig *rig, const struct http_request *request)
{
	mutex_lock(rig->mutex);
	snprintf(rig->heads, sizeof(rig->heads), "%s", request->heads);
	mutex_unlock(rig->mutex);
}

static inline void wait_for_release(struct rig *rig)
{
	mutex_lock(rig->mutex);
	while (!rig->is_released)
		condition_wait(rig->released, rig->mutex, PATIENCE_MS);
	mutex_unlock(rig->mutex);
}

static inline void release(struct rig *rig)
{
	mutex_lock(rig->mutex);
	rig->is_released = true;
	condition_signal(rig->released);
	mutex_unlock(rig->mutex);
}

static inline struct rig *rig_new(http_handler *handler, uint64_t size)
{
	struct rig *rig = calloc(1, sizeof(*rig));
	assert_non_null(rig);
	rig->size = size;
	rig->mutex = mutex_new();
	rig->released = condition_new();
	assert_true(rig->mutex && rig->released);
	for (size_t i = 0; i < ROWS; i++)
		rig->files[i].room = UINT64_MAX;
	rig->limits = (struct transfer_limits){ .checkpoint_bytes = 64 * MIB,
		                                    .connect_timeout_ms = 10000,
		                                    .stall_timeout_s = 30,
		                                    .connections_per_host_max = 6,
		                                    .connections_max = 32,
		                                    .user_agent = "Ferry/test" };
	if (handler)
		rig->server = http_server_start(handler, rig);
	return rig;
}

static inline void rig_free(struct rig *rig)
{
	transfer_set_free(rig->set);
	release(rig);
	http_server_stop(rig->server);
	for (size_t i = 0; i < ROWS; i++)
		free(rig->files[i].bytes);
	condition_free(rig->released);
	mutex_free(rig->mutex);
	free(rig);
}

/* A rig whose limits are settled gets its set with the first transfer. */
static inline void start_url(struct rig *rig, int64_t row, const char *url, struct resume_known known)
{
	struct fault fault;
	const struct transfer_handler handler = { on_answered, on_written, on_finished, rig };
	if (!rig->set)
		assert_int_equal(transfer_set_new(&rig->limits, &handler, &rig->set, &fault), RESULT_OK);
	rig->told[row] = (struct told){ .finished = 0 };
	const struct transfer_order order = { .file_row = row, .url = url, .file = &rig->files[row],
		                                  .priority = rig->priority, .segments_max = rig->segments_max,
		                                  .first_byte_s = rig->first_byte_s, .stall_s = rig->stall_s,
		                                  .is_size_stated = rig->is_size_stated, .stated = rig->stated,
		                                  .digest = rig->digest, .hash = TAKE(rig->hash), .ranges = rig->ranges, .known = known,
		                                  .route = rig->route };
	assert_int_equal(transfer_start(rig->set, &order, &fault), RESULT_OK);
}

static const struct resume_known nothing_known = { .total = SIZE_UNKNOWN, .etag = "", .modified = "" };

/* Every URL bears a secret, and no test's fault may show it. */
static inline void start(struct rig *rig, int64_t row, const char *path, struct resume_known known)
{
	char url[256], with_secret[300];
	http_server_url(rig->server, path, url, sizeof(url));
	snprintf(with_secret, sizeof(with_secret), "%s?sig=" SECRET, url);
	start_url(rig, row, with_secret, known);
}

static inline void work(struct rig *rig, int64_t timeout_ms)
{
	struct fault fault;
	assert_int_equal(transfer_work(rig->set, timeout_ms, &fault), RESULT_OK);
}

static inline struct told *finish_all(struct rig *rig, unsigned count)
{
	int64_t until_ms = clock_mono_ms() + PATIENCE_MS;
	while (rig->finished < count) {
		assert_true(clock_mono_ms() < until_ms);
		work(rig, 1000);
	}
	assert_int_equal(transfer_count(rig->set), 0);
	for (size_t i = 0; i < ROWS; i++) {
		assert_null(strstr(rig->told[i].fault.what, SECRET));
		assert_true(rig->told[i].finished <= 1);
	}
	return &rig->told[0];
}

static inline struct told *fetch(struct rig *rig, struct resume_known known)
{
	start(rig, 0, "/file", known);
	return finish_all(rig, rig->finished + 1);
}

/* The first `bytes` of version 0 lie in the file already. */
static inline struct resume_known have(struct rig *rig, uint64_t bytes)
{
	struct file_handle *file = &rig->files[0];
	file->bytes = malloc((size_t)bytes);
	assert_non_null(file->bytes);
	file->capacity = (size_t)bytes;
	for (uint64_t at = 0; at < bytes; at++)
		file->bytes[at] = content_byte(0, at);
	file->end = bytes;
	return (struct resume_known){ .offset = bytes, .total = rig->size, .etag = ETAG, .modified = "" };
}

/* --- servers that many tests use --- */

static inline bool well(void *context, const struct http_request *request, struct http_connection *connection)
{
	struct rig *rig = context;
	remember_heads(rig, request);
	if (request->has_range)
		return answer_rest(connection, 0, request->first, rig->size);
	return answer_whole(connection, 0, rig->size);
}

static inline bool until_close(void *context, const struct http_request *request, struct http_connection *connection)
{
	struct rig *rig = context;
	(void)request;
	http_print(connection, "HTTP/1.0 200 OK\r\n\r\n");
	send_content(connection, 0, 0, rig->size);
	return false;
}

static inline int set_up_curl(void **state)
{
	(void)state;
	return transfer_global_init(NULL) == RESULT_OK ? 0 : -1;
}

#endif
