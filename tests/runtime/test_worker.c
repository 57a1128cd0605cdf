/* Real workers with the process's own identity, a real folder and a server inside this process. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "platform/hash.h"
#include "runtime/worker.h"
#include "support/http_server.h"
#include "support/landing.h"

#define PARTIAL ".ferry-0123456789abcdef.part"
#define PATIENCE_MS 60000
#define FILES_AT_ONCE 40
#define KIB ((uint64_t)1024)
#define MIB (1024 * KIB)
#define ETAG "\"v1\""

/* --- the server --- */

static uint8_t content[16 * 1024 * 1024 + 321];
static uint64_t size; /* how much of `content` the server's file has; set before it starts */

static bool answer(struct http_connection *connection, uint64_t first, bool partial)
{
	return http_print(connection, "HTTP/1.1 %s\r\nETag: " ETAG "\r\nContent-Length: %llu\r\n",
	                  partial ? "206 Partial Content" : "200 OK", (unsigned long long)(size - first)) &&
	       (!partial || http_print(connection, "Content-Range: bytes %llu-%llu/%llu\r\n", (unsigned long long)first,
	                               (unsigned long long)size - 1, (unsigned long long)size)) &&
	       http_print(connection, "\r\n") && http_send(connection, content + first, (size_t)(size - first));
}

static bool well(void *context, const struct http_request *request, struct http_connection *connection)
{
	(void)context;
	return answer(connection, request->first, request->has_range);
}

static bool ignores_ranges(void *context, const struct http_request *request, struct http_connection *connection)
{
	(void)context;
	(void)request;
	return answer(connection, 0, false);
}

static bool sends_half(void *context, const struct http_request *request, struct http_connection *connection)
{
	(void)context;
	if (request->has_range)
		return answer(connection, request->first, true);
	http_print(connection, "HTTP/1.1 200 OK\r\nETag: " ETAG "\r\nContent-Length: %llu\r\n\r\n",
	           (unsigned long long)size);
	http_send(connection, content, (size_t)(size / 2));
	http_hold(connection);
	return false;
}

/* Sends in parts: a little less than half a checkpoint; after a second one byte more, at which the block is old enough
 * to be written and reported; a few more, so that curl's pieces fit neither half nor whole; then the rest at once. */
static bool hesitates(void *context, const struct http_request *request, struct http_connection *connection)
{
	const uint64_t first = *(const uint64_t *)context;
	const uint64_t ends[] = { first, first + 1, first + 1 + 9 * KIB, size };
	static const int64_t waits_ms[] = { 1100, 50, 50, 0 };
	AUTO(mailbox) struct mailbox *nobody = mailbox_new(NULL, NULL);
	uint64_t at = 0;
	(void)request;
	http_print(connection, "HTTP/1.1 200 OK\r\nETag: " ETAG "\r\nContent-Length: %llu\r\n\r\n",
	           (unsigned long long)size);
	for (size_t i = 0; i < 4; at = ends[i++]) {
		if (!http_send(connection, content + at, (size_t)(ends[i] - at)))
			return false;
		mailbox_wait(nobody, waits_ms[i]);
	}
	return true;
}

/* --- the rig: two workers, and their reports one by one --- */

struct rig {
	struct landing landing;
	struct http_server *server;
	struct worker_settings settings;
	struct worker_ops ops;
	struct identity *identity;
	struct worker *network, *file;
	struct mailbox *mailbox;
	struct letter *letters;
	struct file record; /* as the store would have it */
	struct file_handle *handle;
	unsigned written_reports;
	unsigned zone; /* of the next PUBLISH */
	bool yields;   /* of the next OPEN or PUBLISH */
	uint64_t first_part; /* what `hesitates` sends first */
};

static void post_report(void *context, struct report *report)
{
	mailbox_post(context, &report->letter);
}

static struct rig *rig_new(http_handler *handler, uint64_t bytes, uint64_t checkpoint_bytes)
{
	struct rig *rig = calloc(1, sizeof(*rig));
	assert_non_null(rig);
	landing_make(&rig->landing);
	size = bytes;
	rig->first_part = checkpoint_bytes / 2 - 8 * KIB;
	rig->server = http_server_start(handler, &rig->first_part);
	rig->settings.transfer = (struct transfer_limits){ .checkpoint_bytes = checkpoint_bytes,
		                                               .connect_timeout_ms = 10000,
		                                               .stall_timeout_s = 30,
		                                               .connections_per_host_max = 4,
		                                               .connections_max = 8 };
	rig->settings.syncs = syncs_new();
	assert_non_null(rig->settings.syncs);
	rig->ops = worker_real_ops(&rig->settings);
	rig->mailbox = mailbox_new(NULL, NULL);
	assert_non_null(rig->mailbox);
	assert_int_equal(identity_self(&rig->identity, NULL), RESULT_OK);
	const struct report_sink sink = { post_report, rig->mailbox };
	void *context = rig->ops.context;
	assert_int_equal(rig->ops.start(context, WORKER_NETWORK, rig->identity, &sink, &rig->network, NULL), RESULT_OK);
	assert_int_equal(rig->ops.start(context, WORKER_FILE, rig->identity, &sink, &rig->file, NULL), RESULT_OK);
	rig->record.row = 42;
	rig->record.bytes_total = SIZE_UNKNOWN;
	http_server_url(rig->server, "/file", rig->record.url, sizeof(rig->record.url));
	snprintf(rig->record.path, sizeof(rig->record.path), "%s", landing_path(&rig->landing, "file"));
	snprintf(rig->record.partial, sizeof(rig->record.partial), "%s", PARTIAL);
	return rig;
}

static struct report *take_report(struct rig *rig)
{
	int64_t until_ms = clock_mono_ms() + PATIENCE_MS;
	while (!rig->letters) {
		assert_true(clock_mono_ms() < until_ms);
		mailbox_wait(rig->mailbox, 1000);
		rig->letters = mailbox_take_all(rig->mailbox);
	}
	struct report *report = (struct report *)rig->letters;
	rig->letters = rig->letters->next;
	return report;
}

static bool has_report(struct rig *rig)
{
	if (!rig->letters)
		rig->letters = mailbox_take_all(rig->mailbox);
	return rig->letters != NULL;
}

static void stop_workers(struct rig *rig)
{
	rig->ops.stop(TAKE(rig->network));
	rig->ops.stop(TAKE(rig->file));
}

static void rig_free(struct rig *rig)
{
	stop_workers(rig);
	assert_false(has_report(rig)); /* every report was expected */
	file_handle_free(rig->handle);
	http_server_stop(rig->server);
	identity_free(rig->identity);
	mailbox_free(rig->mailbox);
	landing_remove(&rig->landing);
	syncs_free(rig->settings.syncs);
	free(rig);
}

static void order(struct rig *rig, uint64_t flight, enum order_kind kind, uint64_t bytes)
{
	bool network = kind == ORDER_FETCH || kind == ORDER_RECORDED || kind == ORDER_STOP;
	bool consumes = kind == ORDER_CLOSE || kind == ORDER_FINISH || kind == ORDER_ABANDON;
	struct order *made = calloc(1, sizeof(*made));
	assert_non_null(made);
	*made =
		(struct order){ .kind = kind, .flight = flight, .handle = rig->handle, .bytes = bytes, .file = rig->record,
			        .zone = rig->zone, .yields = rig->yields };
	if (consumes)
		rig->handle = NULL;
	rig->ops.order(network ? rig->network : rig->file, made);
}

/* The next report, which must be of this kind; to be freed. */
static struct report *expect(struct rig *rig, uint64_t flight, enum report_kind kind, enum order_kind of)
{
	struct report *report = take_report(rig);
	if (report->kind != kind || report->order != of)
		fail_msg("report %d of order %d instead of %d of %d: %s", (int)report->kind, (int)report->order, (int)kind,
		         (int)of, report->fault.what);
	bool network = of == ORDER_FETCH;
	assert_int_equal(report->flight, flight);
	assert_ptr_equal(report->worker, network ? rig->network : rig->file);
	return report;
}

static uint64_t expect_done(struct rig *rig, uint64_t flight, enum order_kind kind, enum result result)
{
	struct report *report = expect(rig, flight, REPORT_DONE, kind);
	uint64_t bytes = report->bytes;
	if (report->result != result)
		fail_msg("%s instead of %s: %s", result_name(report->result), result_name(result), report->fault.what);
	assert_int_equal(report->fault.result, result);
	free(report);
	return bytes;
}

static void open_file(struct rig *rig, uint64_t flight)
{
	order(rig, flight, ORDER_OPEN, 0);
	struct report *report = expect(rig, flight, REPORT_DONE, ORDER_OPEN);
	assert_int_equal(report->result, RESULT_OK);
	assert_non_null(report->handle);
	assert_true(report->tag[0] != '\0');
	rig->handle = report->handle;
	rig->record.bytes_recorded = report->bytes;
	memcpy(rig->record.tag, report->tag, sizeof(rig->record.tag));
	free(report);
}

static void expect_answered(struct rig *rig, uint64_t flight, uint64_t offset)
{
	struct report *report = expect(rig, flight, REPORT_ANSWERED, ORDER_FETCH);
	assert_int_equal(report->bytes, offset);
	assert_int_equal(report->bytes_total, size);
	assert_string_equal(report->etag, ETAG);
	rig->record.bytes_total = report->bytes_total;
	memcpy(rig->record.etag, report->etag, sizeof(rig->record.etag));
	free(report);
}

/* What the engine does while a file is fetched: a sync at half a checkpoint, then RECORDED.  Returns at DONE. */
static uint64_t tend_fetch(struct rig *rig, uint64_t flight, enum result result)
{
	uint64_t written = rig->record.bytes_recorded, half = rig->settings.transfer.checkpoint_bytes / 2;
	bool syncing = false, done = false;
	while (!done || syncing) {
		struct report *report = take_report(rig);
		assert_int_equal(report->flight, flight);
		if (report->kind == REPORT_WRITTEN) {
			assert_true(report->bytes > written); /* each says something new */
			written = report->bytes;
			rig->written_reports++;
		} else if (report->order == ORDER_SYNC) {
			assert_int_equal(report->result, RESULT_OK);
			rig->record.bytes_recorded = report->bytes;
			syncing = false;
			order(rig, flight, ORDER_RECORDED, report->bytes);
		} else {
			assert_int_equal(report->kind, REPORT_DONE);
			assert_int_equal(report->order, ORDER_FETCH);
			assert_int_equal(report->result, result);
			written = report->bytes;
			done = true;
		}
		/* The promise: never more than a checkpoint that a crash could cost. */
		assert_true(written <= rig->record.bytes_recorded + rig->settings.transfer.checkpoint_bytes);
		if (!done && !syncing && written - rig->record.bytes_recorded >= half) {
			syncing = true;
			order(rig, flight, ORDER_SYNC, written);
		}
		free(report);
	}
	return written;
}

static void land(struct rig *rig, uint64_t flight)
{
	order(rig, flight, ORDER_FINISH, size);
	expect_done(rig, flight, ORDER_FINISH, RESULT_OK);
	rig->record.bytes_recorded = size;
	order(rig, flight, ORDER_PUBLISH, 0);
	expect_done(rig, flight, ORDER_PUBLISH, RESULT_OK);
	assert_true(landing_holds(&rig->landing, "file", content, (size_t)size));
	assert_int_equal(landing_count(&rig->landing), 1);
}

/* --- the tests --- */

/* Where files are to be marked, the worker has it done before a file gets its name, or says that it cannot be. */
static void worker__publish_with_a_zone__marks_the_file_or_says_so(void **state)
{
	(void)state;
	for (unsigned zone = 0; zone <= 3; zone += 3) {
		struct rig *rig = rig_new(well, 1000, 64 * MIB);
		open_file(rig, 1);
		order(rig, 1, ORDER_FETCH, 0);
		expect_answered(rig, 1, 0);
		assert_int_equal(tend_fetch(rig, 1, RESULT_OK), size);
		order(rig, 1, ORDER_FINISH, size);
		expect_done(rig, 1, ORDER_FINISH, RESULT_OK);
		rig->record.bytes_recorded = size;
		rig->zone = zone;
		order(rig, 1, ORDER_PUBLISH, 0);
		struct report *report = expect(rig, 1, REPORT_DONE, ORDER_PUBLISH);
		bool has_mark = landing_size(&rig->landing, "file:Zone.Identifier") > 0;
		assert_int_equal(report->result, RESULT_OK);
		assert_int_equal(report->unmarked, zone > 0 && !has_mark);
		assert_false(has_mark && zone == 0);
		free(report);
		assert_true(landing_holds(&rig->landing, "file", content, (size_t)size));
		rig_free(rig);
	}
}

/* What came while it was fetched stays; and before it is fetched it is said. */
static void worker__file_that_yields__leaves_what_is_there_and_says_so(void **state)
{
	(void)state;
	struct rig *rig = rig_new(well, 1000, 64 * MIB);
	rig->yields = true;
	open_file(rig, 1);
	order(rig, 1, ORDER_FETCH, 0);
	expect_answered(rig, 1, 0);
	assert_int_equal(tend_fetch(rig, 1, RESULT_OK), size);
	order(rig, 1, ORDER_FINISH, size);
	expect_done(rig, 1, ORDER_FINISH, RESULT_OK);
	rig->record.bytes_recorded = size;
	landing_write(&rig->landing, "file", "theirs", 6);
	static const enum order_kind kinds[] = { ORDER_PUBLISH, ORDER_OPEN };
	for (uint64_t i = 0; i < 2; i++) {
		order(rig, 2 + i, kinds[i], 0);
		struct report *report = expect(rig, 2 + i, REPORT_DONE, kinds[i]);
		assert_true(report->result == RESULT_OK && report->yielded && report->handle == NULL);
		free(report);
		assert_true(landing_holds(&rig->landing, "file", "theirs", 6));
		assert_int_equal(landing_count(&rig->landing), 1);
	}
	rig_free(rig);
}

static void worker__file_from_open_to_publish__lands(void **state)
{
	(void)state;
	struct rig *rig = rig_new(well, 300000, 64 * MIB);
	open_file(rig, 1);
	assert_int_equal(rig->record.bytes_recorded, 0);
	order(rig, 1, ORDER_FETCH, 0);
	expect_answered(rig, 1, 0);
	assert_int_equal(tend_fetch(rig, 1, RESULT_OK), size);
	assert_true(rig->written_reports <= 1); /* a small file is not worth one */
	land(rig, 1);
	rig_free(rig);
}

static void worker__many_checkpoints__are_each_reported_and_seldom_more(void **state)
{
	(void)state;
	struct rig *rig = rig_new(well, sizeof(content), 256 * KIB);
	open_file(rig, 1);
	order(rig, 1, ORDER_FETCH, 0);
	expect_answered(rig, 1, 0);
	int64_t begin_ms = clock_mono_ms();
	assert_int_equal(tend_fetch(rig, 1, RESULT_OK), size);
	int64_t intervals = (clock_mono_ms() - begin_ms) / WORKER_WRITTEN_INTERVAL_MS;
	/* At most one at half a checkpoint beyond the last report, one at half beyond the record, one per interval. */
	assert_true(rig->written_reports <= 2 * (size / (128 * KIB) + 1) + (uint64_t)intervals);
	assert_true(rig->written_reports >= size / (256 * KIB));
	land(rig, 1);
	rig_free(rig);
}

/* The last report may lie just below half a checkpoint, and the wait at the whole one less than half beyond it: unless
 * the half itself is told when it is passed, nobody ever asks for the sync that would end the wait. */
static void worker__half_a_checkpoint_passed__is_told_however_little_is_new(void **state)
{
	(void)state;
	struct rig *rig = rig_new(hesitates, MIB, 256 * KIB);
	open_file(rig, 1);
	order(rig, 1, ORDER_FETCH, 0);
	expect_answered(rig, 1, 0);
	assert_int_equal(tend_fetch(rig, 1, RESULT_OK), size);
	land(rig, 1);
	rig_free(rig);
}

static void worker__stopped_fetch__is_cancelled_closed_and_goes_on_later(void **state)
{
	char tag[FILE_TAG_BYTES_MAX];
	(void)state;
	struct rig *rig = rig_new(sends_half, 4 * MIB, 2 * MIB);
	open_file(rig, 1);
	order(rig, 1, ORDER_FETCH, 0);
	expect_answered(rig, 1, 0);
	struct report *report = expect(rig, 1, REPORT_WRITTEN, ORDER_FETCH);
	assert_true(report->bytes > 0);
	free(report);
	order(rig, 1, ORDER_STOP, 0);
	uint64_t written = tend_fetch(rig, 1, RESULT_CANCELLED);
	assert_true(written > 0 && written <= 2 * MIB);
	order(rig, 1, ORDER_CLOSE, written);
	assert_int_equal(expect_done(rig, 1, ORDER_CLOSE, RESULT_OK), written);
	rig->record.bytes_recorded = written;

	memcpy(tag, rig->record.tag, sizeof(tag));
	open_file(rig, 2);
	assert_string_equal(rig->record.tag, tag);
	assert_int_equal(rig->record.bytes_recorded, written);
	order(rig, 2, ORDER_FETCH, 0);
	expect_answered(rig, 2, written);
	assert_int_equal(tend_fetch(rig, 2, RESULT_OK), size);
	land(rig, 2);
	rig_free(rig);
}

static void worker__restarted_fetch__waits_for_the_store_to_forget(void **state)
{
	(void)state;
	struct rig *rig = rig_new(ignores_ranges, 100000, 64 * MIB);
	open_file(rig, 1);
	rig->record.bytes_recorded = 5000;
	snprintf(rig->record.etag, sizeof(rig->record.etag), "\"v0\"");
	order(rig, 1, ORDER_FETCH, 0);
	expect_answered(rig, 1, 0);
	order(rig, 1, ORDER_RECORDED, 5000); /* of the old bytes: too late to matter */
	order(rig, 1, ORDER_SYNC, 0);        /* passes the time: nothing is written meanwhile */
	expect_done(rig, 1, ORDER_SYNC, RESULT_OK);
	assert_int_equal(landing_size(&rig->landing, PARTIAL), 0);
	rig->record.bytes_recorded = 0;
	order(rig, 1, ORDER_RECORDED, 0);
	assert_int_equal(tend_fetch(rig, 1, RESULT_OK), size);
	land(rig, 1);
	rig_free(rig);
}

static void worker__orders_of_an_ended_flight__are_ignored(void **state)
{
	(void)state;
	struct rig *rig = rig_new(well, 1000, 64 * MIB);
	open_file(rig, 1);
	order(rig, 1, ORDER_FETCH, 0);
	expect_answered(rig, 1, 0);
	assert_int_equal(tend_fetch(rig, 1, RESULT_OK), size);
	order(rig, 1, ORDER_RECORDED, 1000);
	order(rig, 1, ORDER_STOP, 0);
	order(rig, 7, ORDER_STOP, 0);
	/* The same file again, under another flight: what is said of the old one does not touch it. */
	order(rig, 2, ORDER_FETCH, 0);
	order(rig, 1, ORDER_STOP, 0);
	expect_answered(rig, 2, 0);
	assert_int_equal(tend_fetch(rig, 2, RESULT_OK), size);
	rig_free(rig);
}

static void worker__failures__are_reported_with_their_faults(void **state)
{
	(void)state;
	struct rig *rig = rig_new(well, 1000, 64 * MIB);
	struct file good = rig->record;
	snprintf(rig->record.path, sizeof(rig->record.path), "%s", landing_path(&rig->landing, "none/file"));
	order(rig, 1, ORDER_OPEN, 0);
	struct report *report = expect(rig, 1, REPORT_DONE, ORDER_OPEN);
	assert_int_equal(report->result, RESULT_PATH_NOT_FOUND);
	assert_int_equal(report->fault.result, RESULT_PATH_NOT_FOUND);
	assert_true(report->fault.what[0] != '\0');
	assert_null(report->handle);
	free(report);

	rig->record = good;
	open_file(rig, 2);
	snprintf(rig->record.url, sizeof(rig->record.url), "http://127.0.0.1:%u/x?sig=hunter2", http_closed_port());
	order(rig, 2, ORDER_FETCH, 0);
	report = expect(rig, 2, REPORT_DONE, ORDER_FETCH);
	assert_int_equal(report->result, RESULT_CONNECT_FAILED);
	assert_null(strstr(report->fault.what, "hunter2"));
	free(report);

	snprintf(rig->record.url, sizeof(rig->record.url), "gopher://x/");
	order(rig, 3, ORDER_FETCH, 0);
	expect_done(rig, 3, ORDER_FETCH, RESULT_BAD_URL);
	rig->record = good;
	order(rig, 4, ORDER_PUBLISH, 0);
	expect_done(rig, 4, ORDER_PUBLISH, RESULT_FILE_CHANGED);
	rig_free(rig);
}

/* What a share holds is for its own kind of worker, as far as there are shares. */
static void worker__a_file_on_a_share__is_for_share_workers(void **state)
{
	(void)state;
	struct rig *rig = rig_new(well, MIB, 64 * MIB);
	const struct report_sink sink = { post_report, rig->mailbox };
	open_file(rig, 1);
	snprintf(rig->record.url, sizeof(rig->record.url), "\\\\ferry.invalid\\share\\file");
	order(rig, 1, ORDER_FETCH, 0);
	expect_done(rig, 1, ORDER_FETCH, RESULT_NOT_SUPPORTED);
	rig->ops.stop(TAKE(rig->network));
	assert_int_equal(rig->ops.start(rig->ops.context, WORKER_SHARE, rig->identity, &sink, &rig->network, NULL), RESULT_OK);
	order(rig, 2, ORDER_FETCH, 0);
	struct report *report = expect(rig, 2, REPORT_DONE, ORDER_FETCH);
	assert_int_equal(report->result == RESULT_NOT_SUPPORTED, file_shares == NULL);
	assert_int_not_equal(report->result, RESULT_OK);
	free(report);
	order(rig, 2, ORDER_STOP, 0); /* of nobody, and nobody is kept waiting by it */
	rig_free(rig);
}

static bool knows_the_file(void *context, const struct http_request *request, struct http_connection *connection)
{
	if (strstr(request->heads, "\r\nIf-None-Match: " ETAG "\r\n"))
		return http_print(connection, "HTTP/1.1 304 Not Modified\r\nETag: " ETAG "\r\n\r\n");
	return well(context, request, connection);
}

/* Whether the file is to be asked for on its condition, as the OPEN's report says. */
static bool opens_on_condition(struct rig *rig, uint64_t flight)
{
	order(rig, flight, ORDER_OPEN, 0);
	struct report *report = expect(rig, flight, REPORT_DONE, ORDER_OPEN);
	bool conditional = report->conditional;
	assert_int_equal(report->result, RESULT_OK);
	rig->handle = report->handle;
	memcpy(rig->record.tag, report->tag, sizeof(rig->record.tag));
	free(report);
	return conditional;
}

static void close_file(struct rig *rig, uint64_t flight)
{
	order(rig, flight, ORDER_CLOSE, 0);
	expect_done(rig, flight, ORDER_CLOSE, RESULT_OK);
}

static void worker__file_that_the_client_has__is_asked_about_only_if_it_is_there(void **state)
{
	(void)state;
	struct rig *rig = rig_new(knows_the_file, 1000, 64 * MIB);
	snprintf(rig->record.condition.etag, sizeof(rig->record.condition.etag), "%s", ETAG);
	assert_false(opens_on_condition(rig, 1));
	close_file(rig, 1);
	landing_write(&rig->landing, "file", "mine", 4);
	rig->record.is_size_stated = true;
	rig->record.bytes_stated = 5;
	assert_false(opens_on_condition(rig, 2)); /* that is not the one which is wanted */
	close_file(rig, 2);
	rig->record.bytes_stated = 4;
	assert_true(opens_on_condition(rig, 3));

	/* It is the engine that says whether it is asked. */
	rig->record.bytes_stated = 1000;
	order(rig, 3, ORDER_FETCH, 0);
	expect_answered(rig, 3, 0);
	assert_int_equal(tend_fetch(rig, 3, RESULT_OK), 1000);
	struct order *made = calloc(1, sizeof(*made));
	assert_non_null(made);
	*made = (struct order){ .kind = ORDER_FETCH, .flight = 4, .handle = rig->handle, .conditional = true, .file = rig->record };
	rig->ops.order(rig->network, made);
	struct report *report = expect(rig, 4, REPORT_DONE, ORDER_FETCH);
	assert_int_equal(report->result, RESULT_OK);
	assert_true(report->unchanged);
	assert_int_equal(report->bytes, 0);
	assert_string_equal(report->etag, ETAG);
	free(report);
	order(rig, 4, ORDER_ABANDON, 0);
	expect_done(rig, 4, ORDER_ABANDON, RESULT_OK);
	assert_int_equal(landing_size(&rig->landing, PARTIAL), -1);
	assert_true(landing_holds(&rig->landing, "file", "mine", 4));
	rig_free(rig);
}

/* With `list` of two texts, or one where the second is NULL. */
static void order_with_list(struct rig *rig, enum order_kind kind, const char *first, const char *second)
{
	struct order *made = calloc(1, sizeof(*made));
	assert_non_null(made);
	*made = (struct order){ .kind = kind, .flight = 9, .file = rig->record, .list = BUFFER(4096) };
	assert_int_equal(buffer_append(&made->list, first, strlen(first) + 1), RESULT_OK);
	if (second)
		assert_int_equal(buffer_append(&made->list, second, strlen(second) + 1), RESULT_OK);
	rig->ops.order(rig->file, made);
}

/* What a worker keeps of a folder while orders follow one another is nothing that anybody notices between them. */
static void worker__folder_removed_and_made_again__is_opened_anew(void **state)
{
	(void)state;
	struct rig *rig = rig_new(well, 1000, 64 * MIB);
	char root[DESTINATION_BYTES_MAX + 1];
	memcpy(root, rig->record.path, sizeof(root));
	for (uint64_t flight = 1; flight <= 3; flight++) {
		landing_make_folder(&rig->landing, "sub");
		snprintf(rig->record.path, sizeof(rig->record.path), "%s", landing_path(&rig->landing, "sub/file"));
		rig->record.tag[0] = '\0';
		open_file(rig, flight);
		order(rig, flight, ORDER_ABANDON, 0);
		expect_done(rig, flight, ORDER_ABANDON, RESULT_OK);
		order_with_list(rig, ORDER_CHECK, root, NULL); /* comes when the orders before it are over */
		expect_done(rig, 9, ORDER_CHECK, RESULT_OK);
		assert_int_equal(rmdir(landing_path(&rig->landing, "sub")), 0);
	}
	rig_free(rig);
}

static void worker__asked_about_files__answers_and_keeps_no_list(void **state)
{
	(void)state;
	struct rig *rig = rig_new(well, 1000, 64 * MIB);
	char good[DESTINATION_BYTES_MAX + 1];
	memcpy(good, rig->record.path, sizeof(good));
	landing_write(&rig->landing, ".ferry-a-1", "", 0);
	landing_write(&rig->landing, ".ferry-b-1", "", 0);
	rig->record = (struct file){ .row = 0 }; /* of CHECK: nothing */
	order_with_list(rig, ORDER_CHECK, good, landing_path(&rig->landing, "other"));
	expect_done(rig, 9, ORDER_CHECK, RESULT_OK);
	order_with_list(rig, ORDER_CHECK, good, landing_path(&rig->landing, "none/file"));
	assert_int_equal(expect_done(rig, 9, ORDER_CHECK, RESULT_PATH_NOT_FOUND), 1);

	snprintf(rig->record.path, sizeof(rig->record.path), "%s", good);
	order_with_list(rig, ORDER_LIST, ".ferry-a-", NULL);
	struct report *report = expect(rig, 9, REPORT_DONE, ORDER_LIST);
	assert_int_equal(report->result, RESULT_OK);
	assert_int_equal(report->names.length, sizeof(".ferry-a-1"));
	assert_string_equal(report->names.bytes, ".ferry-a-1");
	buffer_done(&report->names);
	free(report);
	assert_int_equal(landing_count(&rig->landing), 2);
	rig_free(rig);
}

/* What is there, by its size and digest, also while somebody else has it open; a large file and one of no bytes. */
static void worker__looks__tells_size_and_digest_of_what_is_there(void **state)
{
	(void)state;
	struct rig *rig = rig_new(well, 1000, 64 * MIB);
	static char large[1000000];
	const struct {
		const char *name, *bytes;
		size_t length;
	} files[] = { { "small", "content", 7 }, { "empty", "", 0 }, { "large", large, sizeof(large) } };
	for (size_t i = 0; i < sizeof(large); i++)
		large[i] = (char)(i * 31);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		struct digest wanted = { .length = i == 0 ? DIGEST_SHA512_BYTES : DIGEST_SHA256_BYTES };
		struct hash *hash = hash_new(wanted.length);
		hash_add(hash, files[i].bytes, files[i].length);
		assert_int_equal(hash_end(hash, wanted.bytes, NULL), RESULT_OK);
		landing_write(&rig->landing, files[i].name, files[i].bytes, files[i].length);
		rig->record = (struct file){ .digest = { .length = i == 0 ? DIGEST_SHA512_BYTES : 0 } };
		snprintf(rig->record.path, sizeof(rig->record.path), "%s", landing_path(&rig->landing, files[i].name));
		FILE *held = fopen(rig->record.path, "r+b");
		order(rig, 9, ORDER_LOOK, 0);
		struct report *report = expect(rig, 9, REPORT_DONE, ORDER_LOOK);
		assert_int_equal(report->result, RESULT_OK);
		assert_int_equal(report->bytes, files[i].length);
		assert_int_equal(report->digest.length, wanted.length);
		assert_memory_equal(report->digest.bytes, wanted.bytes, wanted.length);
		assert_null(report->handle);
		free(report);
		fclose(held);
	}
	/* Of another size than it should have, it is not read. */
	rig->record.is_size_stated = true;
	rig->record.bytes_stated = files[2].length + 1;
	snprintf(rig->record.path, sizeof(rig->record.path), "%s", landing_path(&rig->landing, files[2].name));
	order(rig, 9, ORDER_LOOK, 0);
	struct report *other = expect(rig, 9, REPORT_DONE, ORDER_LOOK);
	assert_int_equal(other->result, RESULT_OK);
	assert_int_equal(other->bytes, files[2].length);
	assert_int_equal(other->digest.length, 0);
	assert_null(other->handle);
	free(other);
	/* One that is about to get its name is looked at under the name that it has. */
	rig->record.bytes_stated = files[2].length;
	snprintf(rig->record.path, sizeof(rig->record.path), "%s", landing_path(&rig->landing, "none"));
	snprintf(rig->record.partial, sizeof(rig->record.partial), "%s", files[2].name);
	order(rig, 9, ORDER_LOOK, 0);
	other = expect(rig, 9, REPORT_DONE, ORDER_LOOK);
	assert_int_equal(other->result, RESULT_OK);
	assert_int_equal(other->digest.length, DIGEST_SHA256_BYTES);
	free(other);
	rig->record.partial[0] = '\0';
	order(rig, 9, ORDER_LOOK, 0);
	expect_done(rig, 9, ORDER_LOOK, RESULT_PATH_NOT_FOUND);
	snprintf(rig->record.path, sizeof(rig->record.path), "%s", landing_path(&rig->landing, "none/file"));
	order(rig, 9, ORDER_LOOK, 0);
	expect_done(rig, 9, ORDER_LOOK, RESULT_PATH_NOT_FOUND);
	landing_make_folder(&rig->landing, "folder");
	snprintf(rig->record.path, sizeof(rig->record.path), "%s", landing_path(&rig->landing, "folder"));
	order(rig, 9, ORDER_LOOK, 0);
	expect_done(rig, 9, ORDER_LOOK, RESULT_FILE_CHANGED);
	rig_free(rig);
}

static void worker__abandon__closes_and_removes(void **state)
{
	(void)state;
	struct rig *rig = rig_new(well, 1000, 64 * MIB);
	open_file(rig, 1);
	assert_int_equal(landing_count(&rig->landing), 1);
	order(rig, 1, ORDER_ABANDON, 0);
	expect_done(rig, 1, ORDER_ABANDON, RESULT_OK);
	assert_int_equal(landing_count(&rig->landing), 0);
	order(rig, 2, ORDER_ABANDON, 0); /* without a handle, and gone already */
	expect_done(rig, 2, ORDER_ABANDON, RESULT_OK);
	rig_free(rig);
}

/* The next files: in two folders by turns, so that neither's sync can be taken for the other's. */
static void next_file(struct rig *rig, const struct landing *other, unsigned number)
{
	char name[16];
	snprintf(name, sizeof(name), "%u", number);
	snprintf(rig->record.path, sizeof(rig->record.path), "%s",
	         landing_path(number / 3 % 2 == 0 ? &rig->landing : other, name));
	snprintf(rig->record.partial, sizeof(rig->record.partial), ".ferry-%u.part", number);
}

static void worker__many_orders_at_once_in_two_folders__are_each_done(void **state)
{
	(void)state;
	struct rig *rig = rig_new(well, 1, 64 * MIB);
	struct landing other;
	struct file records[FILES_AT_ONCE];
	struct file_handle *handles[FILES_AT_ONCE];
	landing_make(&other);
	rig->record.bytes_total = 0;
	for (unsigned i = 0; i < FILES_AT_ONCE; i++) {
		next_file(rig, &other, i);
		rig->record.tag[0] = '\0';
		open_file(rig, i);
		records[i] = rig->record;
		handles[i] = TAKE(rig->handle);
	}
	const enum order_kind kinds[] = { ORDER_SYNC, ORDER_FINISH, ORDER_PUBLISH };
	for (unsigned k = 0; k < 3; k++) {
		bool seen[FILES_AT_ONCE] = { false };
		for (unsigned i = 0; i < FILES_AT_ONCE; i++) {
			rig->record = records[i];
			rig->handle = k < 2 ? handles[i] : NULL;
			order(rig, i, kinds[k], 0);
			rig->handle = NULL;
		}
		for (unsigned i = 0; i < FILES_AT_ONCE; i++) {
			struct report *report = take_report(rig);
			assert_int_equal(report->order, kinds[k]);
			assert_int_equal(report->result, RESULT_OK);
			assert_false(seen[report->flight]);
			seen[report->flight] = true;
			free(report);
		}
	}
	assert_int_equal(landing_count(&rig->landing) + landing_count(&other), FILES_AT_ONCE);
	for (unsigned i = 0; i < FILES_AT_ONCE; i++) {
		char name[16];
		snprintf(name, sizeof(name), "%u", i);
		assert_int_equal(landing_size(i / 3 % 2 == 0 ? &rig->landing : &other, name), 0);
	}
	landing_remove(&other);
	rig_free(rig);
}

/* Syncs run side by side, but a file is closed when nobody is at it any more: TSan judges. */
static void worker__the_last_order_behind_a_sync_of_its_file__waits_for_it(void **state)
{
	(void)state;
	struct rig *rig = rig_new(well, 1, 64 * MIB);
	struct file records[FILES_AT_ONCE];
	struct file_handle *handles[FILES_AT_ONCE];
	bool synced[FILES_AT_ONCE] = { false };
	rig->record.bytes_total = 0;
	for (unsigned i = 0; i < FILES_AT_ONCE; i++) {
		next_file(rig, &rig->landing, i);
		rig->record.tag[0] = '\0';
		open_file(rig, i);
		records[i] = rig->record;
		handles[i] = TAKE(rig->handle);
	}
	for (unsigned i = 0; i < FILES_AT_ONCE; i++) {
		rig->record = records[i];
		rig->handle = handles[i];
		order(rig, i, ORDER_SYNC, 0);
		order(rig, i, i % 2 ? ORDER_FINISH : ORDER_CLOSE, 0);
	}
	for (unsigned i = 0; i < 2 * FILES_AT_ONCE; i++) {
		struct report *report = take_report(rig);
		assert_int_equal(report->result, RESULT_OK);
		assert_true(synced[report->flight] == (report->order != ORDER_SYNC));
		synced[report->flight] = true;
		free(report);
	}
	rig_free(rig);
}

static void worker__stopped_with_work_left__answers_every_order(void **state)
{
	(void)state;
	struct rig *rig = rig_new(sends_half, 4 * MIB, 64 * MIB);
	open_file(rig, 1);
	for (uint64_t flight = 10; flight < 20; flight++) { /* four run, six wait for a connection */
		rig->record.row = (int64_t)flight;
		order(rig, flight, ORDER_FETCH, 0);
	}
	for (unsigned i = 0; i < 50; i++)
		order(rig, 1, ORDER_SYNC, i);
	stop_workers(rig);
	unsigned cancelled = 0, synced = 0;
	while (has_report(rig)) {
		struct report *report = take_report(rig);
		if (report->kind == REPORT_DONE && report->order == ORDER_FETCH) {
			assert_int_equal(report->result, RESULT_CANCELLED);
			cancelled++;
		} else if (report->kind == REPORT_DONE) {
			assert_int_equal(report->order, ORDER_SYNC);
			assert_int_equal(report->result, RESULT_OK);
			assert_int_equal(report->bytes, synced); /* in the order they were given */
			synced++;
		}
		free(report);
	}
	assert_int_equal(cancelled, 10);
	assert_int_equal(synced, 50);
	rig_free(rig);
}

#ifdef __linux__
#include <dirent.h>

/* How often the workers' threads went to sleep; each wake-up ends in another time. */
static unsigned long count_sleeps(void)
{
	unsigned long sum = 0;
	DIR *tasks = opendir("/proc/self/task");
	const struct dirent *entry;
	assert_non_null(tasks);
	while ((entry = readdir(tasks)) != NULL) {
		char path[300], line[128];
		bool ours = false;
		snprintf(path, sizeof(path), "/proc/self/task/%s/status", entry->d_name);
		FILE *file = fopen(path, "r");
		while (file && fgets(line, sizeof(line), file)) {
			unsigned long count;
			if (strncmp(line, "Name:\tferry-", 12) == 0)
				ours = true;
			if (ours && sscanf(line, "voluntary_ctxt_switches: %lu", &count) == 1)
				sum += count;
		}
		if (file)
			fclose(file);
	}
	closedir(tasks);
	return sum;
}

static void worker__idle__never_wakes(void **state)
{
	(void)state;
	struct rig *rig = rig_new(well, 100000, 64 * MIB);
	open_file(rig, 1);
	order(rig, 1, ORDER_FETCH, 0);
	expect_answered(rig, 1, 0);
	assert_int_equal(tend_fetch(rig, 1, RESULT_OK), size); /* its connection stays open */
	mailbox_wait(rig->mailbox, 300);
	unsigned long before = count_sleeps();
	assert_true(before > 0);
	mailbox_wait(rig->mailbox, 1500);
	assert_int_equal(count_sleeps(), before);
	rig_free(rig);
}
#else
static void worker__idle__never_wakes(void **state)
{
	(void)state;
	print_message("SKIPPED on this ground: nothing counts the wake-ups of a thread\n");
	skip();
}
#endif

static int set_up(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(content); i++)
		content[i] = (uint8_t)(i * 31 + (i >> 8) * 7 + (i >> 16));
	return transfer_global_init(NULL) == RESULT_OK ? 0 : -1;
}

/* --- what is on disk is read again for a digest --- */

/* 12 MiB of the file are there and recorded. */
static struct rig *rig_with_a_beginning(void)
{
	struct rig *rig = rig_new(well, sizeof(content), 64 * MIB);
	struct hash *hash = hash_new(DIGEST_SHA256_BYTES);
	hash_add(hash, content, sizeof(content));
	rig->record.digest.length = DIGEST_SHA256_BYTES;
	assert_int_equal(hash_end(hash, rig->record.digest.bytes, NULL), RESULT_OK);
	open_file(rig, 1);
	assert_int_equal(file_write(rig->handle, 0, content, 12 * MIB, NULL), RESULT_OK);
	order(rig, 1, ORDER_CLOSE, 12 * MIB);
	rig->record.bytes_recorded = expect_done(rig, 1, ORDER_CLOSE, RESULT_OK);
	rig->record.bytes_total = sizeof(content);
	snprintf(rig->record.etag, sizeof(rig->record.etag), "%s", ETAG);
	return rig;
}

/* A busy machine may have read all of it before the next order came: then once more. */
#define TRIES_MAX 100

static void give_stop(struct rig *rig, uint64_t flight)
{
	struct order *stop = calloc(1, sizeof(*stop));
	assert_non_null(stop);
	*stop = (struct order){ .kind = ORDER_STOP, .flight = flight };
	rig->ops.order(rig->file, stop);
}

static void drop_opened(struct report *report)
{
	file_handle_free(report->handle);
	hash_free(report->hash);
	free(report);
}

/* OPEN and behind it CHECK; the OPEN's report, once the CHECK's came before it. */
static struct report *open_overtaken(struct rig *rig)
{
	for (unsigned i = 0; i < TRIES_MAX; i++) {
		order(rig, 2, ORDER_OPEN, 0);
		order(rig, 3, ORDER_CHECK, 0);
		struct report *first = take_report(rig), *second = take_report(rig);
		bool overtaken = first->order == ORDER_CHECK;
		free(overtaken ? first : second);
		if (overtaken)
			return second;
		drop_opened(first);
	}
	fail_msg("what came later was never answered before");
	return NULL;
}

static void worker__open_with_a_digest__reads_what_is_there_and_nobody_waits(void **state)
{
	(void)state;
	struct rig *rig = rig_with_a_beginning();
	struct report *report = open_overtaken(rig);
	assert_int_equal(report->result, RESULT_OK);
	assert_int_equal(report->bytes, 12 * MIB);
	assert_non_null(report->hash);
	rig->handle = report->handle;
	struct order *fetch = calloc(1, sizeof(*fetch));
	assert_non_null(fetch);
	*fetch = (struct order){ .kind = ORDER_FETCH, .flight = 2, .handle = rig->handle, .hash = report->hash,
		                     .file = rig->record };
	free(report);
	rig->ops.order(rig->network, fetch);
	expect_answered(rig, 2, 12 * MIB);
	assert_int_equal(tend_fetch(rig, 2, RESULT_OK), size);
	land(rig, 2);
	rig_free(rig);
}

static void worker__open_that_reads__can_be_stopped(void **state)
{
	(void)state;
	struct rig *rig = rig_with_a_beginning();
	bool stopped = false;
	for (unsigned i = 0; i < TRIES_MAX && !stopped; i++) {
		order(rig, 2, ORDER_OPEN, 0);
		give_stop(rig, 4); /* of nobody */
		give_stop(rig, 2);
		struct report *report = take_report(rig);
		assert_int_equal(report->flight, 2);
		stopped = report->result == RESULT_CANCELLED;
		assert_int_equal(report->handle == NULL, stopped);
		drop_opened(report);
	}
	assert_true(stopped);
	/* And when its worker ends it is answered too, whatever was read. */
	order(rig, 3, ORDER_OPEN, 0);
	stop_workers(rig);
	struct report *report = take_report(rig);
	assert_int_equal(report->flight, 3);
	assert_int_equal(report->handle == NULL, report->result == RESULT_CANCELLED);
	drop_opened(report);
	rig_free(rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(worker__a_file_on_a_share__is_for_share_workers),
		cmocka_unit_test(worker__open_with_a_digest__reads_what_is_there_and_nobody_waits),
		cmocka_unit_test(worker__open_that_reads__can_be_stopped),
		cmocka_unit_test(worker__file_from_open_to_publish__lands),
		cmocka_unit_test(worker__publish_with_a_zone__marks_the_file_or_says_so),
		cmocka_unit_test(worker__file_that_yields__leaves_what_is_there_and_says_so),
		cmocka_unit_test(worker__many_checkpoints__are_each_reported_and_seldom_more),
		cmocka_unit_test(worker__half_a_checkpoint_passed__is_told_however_little_is_new),
		cmocka_unit_test(worker__stopped_fetch__is_cancelled_closed_and_goes_on_later),
		cmocka_unit_test(worker__restarted_fetch__waits_for_the_store_to_forget),
		cmocka_unit_test(worker__orders_of_an_ended_flight__are_ignored),
		cmocka_unit_test(worker__failures__are_reported_with_their_faults),
		cmocka_unit_test(worker__file_that_the_client_has__is_asked_about_only_if_it_is_there),
		cmocka_unit_test(worker__folder_removed_and_made_again__is_opened_anew),
		cmocka_unit_test(worker__asked_about_files__answers_and_keeps_no_list),
		cmocka_unit_test(worker__looks__tells_size_and_digest_of_what_is_there),
		cmocka_unit_test(worker__abandon__closes_and_removes),
		cmocka_unit_test(worker__many_orders_at_once_in_two_folders__are_each_done),
		cmocka_unit_test(worker__the_last_order_behind_a_sync_of_its_file__waits_for_it),
		cmocka_unit_test(worker__stopped_with_work_left__answers_every_order),
		cmocka_unit_test(worker__idle__never_wakes),
	};
	return cmocka_run_group_tests_name("worker", tests, set_up, NULL);
}
