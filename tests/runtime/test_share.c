/* Files from shares, as runtime/share copies them: what is gone on with, what is waited for, and what a server's failures
 * come to.  Server and disk are made up: this program defines what it calls of platform/file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "platform/clock.h"
#include "platform/file.h"
#include "runtime/share.h"

#define KIB ((uint64_t)1024)
#define MIB (1024 * KIB)
#define FILE_BYTES_MAX (8 * MIB)
#define PATIENCE_MS 60000
#define URL "\\\\server\\share\\folder\\file"
#define MODIFIED_S 784111777
#define MODIFIED "Sun, 06 Nov 1994 08:49:37 GMT"

/* --- a share, and a disk --- */

static struct server {
	uint64_t size, ends_at; /* SIZE_UNKNOWN: not before its size */
	unsigned version;
	enum result opens, reads, looks; /* RESULT_OK: well */
	unsigned interrupts; /* so many calls are interrupted first */
	unsigned opened, open, read;
	uint64_t changes_at; /* to version 2, once so much was read; SIZE_UNKNOWN: never */
} server;

struct file_handle {
	bool is_source;
	uint64_t end;
	unsigned writes, reserves;
	enum result refuses;
	uint8_t bytes[FILE_BYTES_MAX];
};
static struct file_handle disk, source;

static uint8_t content(unsigned version, uint64_t at)
{
	return (uint8_t)(at * 31 + (at >> 8) * 7 + (at >> 16) + version);
}

static enum result act(enum result how, struct fault *fault)
{
	if (server.interrupts > 0) {
		server.interrupts--;
		return fault_set(fault, RESULT_CANCELLED, FAULT_WIN32, 995, "made up");
	}
	return how == RESULT_OK ? how : fault_set(fault, how, FAULT_WIN32, 5, "made up");
}

static enum result open_made_up(const char *path, struct file_handle **ret_file, struct fault *fault)
{
	enum result result = act(server.opens, fault);
	assert_string_equal(path, URL);
	if (result)
		return result;
	server.opened++;
	server.open++;
	source.is_source = true;
	*ret_file = &source;
	return RESULT_OK;
}

static enum result look_made_up(struct file_handle *file, struct file_shared *ret_about, struct fault *fault)
{
	enum result result = act(server.looks, fault);
	assert_true(file == &source);
	*ret_about = (struct file_shared){ .bytes = server.size, .modified_s = MODIFIED_S };
	snprintf(ret_about->version, sizeof(ret_about->version), "v%u", server.version);
	return result;
}

static enum result read_made_up(struct file_handle *file, uint64_t offset, void *bytes, size_t size, size_t *ret_length,
                                struct fault *fault)
{
	uint8_t *to = bytes;
	enum result result = act(server.reads, fault);
	assert_true(file == &source);
	if (result)
		return result;
	server.read++;
	for (*ret_length = 0; *ret_length < size && offset < server.size && offset < server.ends_at; offset++)
		to[(*ret_length)++] = content(server.version, offset);
	if (offset >= server.changes_at)
		server.version = 2;
	return RESULT_OK;
}

static void interrupt_made_up(struct thread *thread, bool to_its_end)
{
	(void)thread;
	(void)to_its_end;
}

static const struct file_shares made_up = { open_made_up, look_made_up, read_made_up, interrupt_made_up };
const struct file_shares *const file_shares = &made_up;

/* What administrators allow is core/allow's and transfer's. */
struct transfer_trust *transfer_trust_hold(struct transfer_trust *trust)
{
	return trust;
}

void transfer_trust_free(struct transfer_trust *trust)
{
	(void)trust;
}

enum result transfer_trust_allows(const struct transfer_trust *trust, const struct url *url, struct fault *fault)
{
	(void)trust;
	(void)url;
	(void)fault;
	return RESULT_OK;
}

void file_handle_free(struct file_handle *file)
{
	if (file != NULL) {
		assert_true(file->is_source); /* the other one is borrowed */
		server.open--;
	}
}

enum result file_write(struct file_handle *file, uint64_t offset, const void *bytes, size_t length, struct fault *fault)
{
	if (file->refuses)
		return fault_set(fault, file->refuses, FAULT_FERRY, 0, "made up");
	assert_true(length > 0 && offset + length <= FILE_BYTES_MAX);
	memcpy(file->bytes + offset, bytes, length);
	file->end = offset + length > file->end ? offset + length : file->end;
	file->writes++;
	return RESULT_OK;
}

enum result file_reserve(struct file_handle *file, uint64_t bytes, struct fault *fault)
{
	(void)bytes;
	assert_int_equal(file->writes, 0);
	file->reserves++;
	return file->refuses ? fault_set(fault, file->refuses, FAULT_FERRY, 0, "made up") : RESULT_OK;
}

static void check_content(unsigned version, uint64_t from, uint64_t to)
{
	for (uint64_t at = from; at < to; at++)
		if (disk.bytes[at] != content(version, at))
			fail_msg("byte %llu is wrong", (unsigned long long)at);
}

/* --- one fetch --- */

struct rig {
	struct transfer_limits limits;
	struct transfer_order order;
	struct share_set *set;
	unsigned answered, finished;
	uint64_t offset, total, written;
	char etag[FILE_ETAG_BYTES_MAX], modified[FILE_MODIFIED_BYTES_MAX];
	struct transfer_end end;
};

static void on_answered(void *context, int64_t row, uint64_t offset, uint64_t total, const char *etag, const char *modified)
{
	struct rig *rig = context;
	assert_int_equal(row, 7);
	rig->answered++;
	rig->offset = rig->written = offset;
	rig->total = total;
	snprintf(rig->etag, sizeof(rig->etag), "%s", etag);
	snprintf(rig->modified, sizeof(rig->modified), "%s", modified);
}

static void on_written(void *context, int64_t row, uint64_t written)
{
	struct rig *rig = context;
	assert_int_equal(row, 7);
	assert_true(written > rig->written);
	rig->written = written;
}

static void on_finished(void *context, int64_t row, const struct transfer_end *end)
{
	struct rig *rig = context;
	assert_int_equal(row, 7);
	rig->finished++;
	rig->end = *end;
}

static int set_up(void **state)
{
	static struct rig rig;
	server = (struct server){ .size = 3 * MIB + 17, .ends_at = SIZE_UNKNOWN, .version = 1, .changes_at = SIZE_UNKNOWN };
	memset(&disk, 0, sizeof(disk));
	rig = (struct rig){ .limits = { .checkpoint_bytes = 64 * MIB },
		                .order = { .file_row = 7, .url = URL, .file = &disk, .priority = JOB_NORMAL,
		                           .known = { .total = SIZE_UNKNOWN, .etag = "", .modified = "" } } };
	*state = &rig;
	return 0;
}

static int tear_down(void **state)
{
	struct rig *rig = *state;
	share_set_free(rig->set);
	assert_int_equal(server.open, 0);
	return 0;
}

static void start(struct rig *rig)
{
	const struct transfer_handler handler = { on_answered, on_written, on_finished, rig };
	struct fault fault;
	if (rig->set == NULL)
		assert_int_equal(share_set_new(&rig->limits, &handler, &rig->set, &fault), RESULT_OK);
	rig->answered = rig->finished = disk.writes = 0;
	assert_int_equal(share_start(rig->set, &rig->order, &fault), RESULT_OK);
}

/* Until it is over or waits for more than time. */
static void work(struct rig *rig)
{
	int64_t until_ms = clock_mono_ms() + PATIENCE_MS;
	while (rig->finished == 0 && share_work(rig->set) >= 0)
		assert_true(clock_mono_ms() < until_ms);
}

static const struct transfer_end *fetch(struct rig *rig)
{
	start(rig);
	work(rig);
	assert_int_equal(rig->finished, 1);
	assert_int_equal(share_work(rig->set), -1); /* nothing wakes */
	return &rig->end;
}

static void have(struct rig *rig, uint64_t bytes)
{
	for (uint64_t at = 0; at < bytes; at++)
		disk.bytes[at] = content(1, at);
	disk.end = bytes;
	rig->order.known = (struct resume_known){ .offset = bytes, .total = server.size, .etag = "\"v1\"", .modified = MODIFIED };
}

static void make_digest(struct rig *rig, unsigned version, uint64_t from)
{
	struct hash *all = hash_new(DIGEST_SHA256_BYTES);
	struct fault fault;
	rig->order.hash = hash_new(DIGEST_SHA256_BYTES);
	for (uint64_t at = 0; at < server.size; at++) {
		uint8_t byte = content(version, at);
		hash_add(all, &byte, 1);
		if (at < from)
			hash_add(rig->order.hash, &disk.bytes[at], 1);
	}
	rig->order.digest.length = DIGEST_SHA256_BYTES;
	rig->order.known.verified = true;
	assert_int_equal(hash_end(all, rig->order.digest.bytes, &fault), RESULT_OK);
}

/* --- what comes --- */

static void share__a_file__is_copied_whole_with_its_version_and_time(void **state)
{
	struct rig *rig = *state;
	const struct transfer_end *end = fetch(rig);
	assert_int_equal(end->result, RESULT_OK);
	assert_int_equal(end->written, server.size);
	assert_false(end->unchanged);
	assert_int_equal(rig->answered, 1);
	assert_int_equal(rig->total, server.size);
	assert_string_equal(rig->etag, "\"v1\"");
	assert_string_equal(rig->modified, MODIFIED);
	assert_int_equal(disk.end, server.size);
	assert_int_equal(disk.reserves, 1);
	assert_int_equal(disk.writes, 4);
	check_content(1, 0, server.size);
}

static void share__an_empty_file__is_whole_at_once(void **state)
{
	struct rig *rig = *state;
	server.size = 0;
	assert_int_equal(fetch(rig)->result, RESULT_OK);
	assert_int_equal(rig->answered, 1);
	assert_int_equal(rig->total, 0);
	assert_int_equal(disk.writes, 0);
}

static void share__what_is_interrupted_for_another__is_done_again(void **state)
{
	struct rig *rig = *state;
	server.interrupts = 2;
	assert_int_equal(fetch(rig)->result, RESULT_OK);
	server.interrupts = 1;
	start(rig);
	for (unsigned i = 0; rig->finished == 0 && i < 100; i++) {
		(void)share_work(rig->set);
		server.interrupts = i % 2;
	}
	assert_int_equal(rig->end.result, RESULT_OK);
	check_content(1, 0, server.size);
}

/* --- what is gone on with --- */

static void share__the_very_file__is_gone_on_with(void **state)
{
	struct rig *rig = *state;
	have(rig, 2 * MIB);
	assert_int_equal(fetch(rig)->result, RESULT_OK);
	assert_int_equal(rig->offset, 2 * MIB);
	assert_int_equal(server.read, 2);
	check_content(1, 0, server.size);
	have(rig, server.size); /* all of it is there */
	server.read = 0;
	assert_int_equal(fetch(rig)->result, RESULT_OK);
	assert_int_equal(rig->offset, server.size - 1);
	assert_int_equal(server.read, 1);
}

static void share__another_version__is_held_until_the_old_bytes_are_forgotten(void **state)
{
	struct rig *rig = *state;
	have(rig, 2 * MIB);
	server.version = 2;
	start(rig);
	work(rig);
	assert_int_equal(rig->finished, 0);
	assert_int_equal(rig->answered, 1);
	assert_int_equal(rig->offset, 0);
	assert_int_equal(disk.writes, 0);
	share_recorded(rig->set, 7, 2 * MIB); /* of the old ones */
	work(rig);
	assert_int_equal(disk.writes, 0);
	share_recorded(rig->set, 7, 0);
	work(rig);
	assert_int_equal(rig->end.result, RESULT_OK);
	check_content(2, 0, server.size);
}

/* A date alone is of another source, or of another kind of one. */
static void share__of_which_only_the_date_is_known__begins_anew(void **state)
{
	struct rig *rig = *state;
	have(rig, 2 * MIB);
	rig->order.known.etag = "";
	start(rig);
	work(rig);
	assert_int_equal(rig->offset, 0);
	share_recorded(rig->set, 7, 0);
	work(rig);
	assert_int_equal(rig->end.result, RESULT_OK);
}

static void share__a_beginning_from_elsewhere__goes_on_where_a_digest_tells(void **state)
{
	struct rig *rig = *state;
	have(rig, 2 * MIB);
	rig->order.known.etag = rig->order.known.modified = "";
	rig->order.known.elsewhere = rig->order.known.keep = true;
	assert_int_equal(fetch(rig)->result, RESULT_RESTART);
	assert_int_equal(rig->end.written, 2 * MIB);
	make_digest(rig, 1, 2 * MIB);
	assert_int_equal(fetch(rig)->result, RESULT_OK);
	assert_int_equal(rig->offset, 2 * MIB);
	/* What does not fit is the joint's fault before it is the server's. */
	disk.bytes[5]++;
	make_digest(rig, 1, 2 * MIB);
	assert_int_equal(fetch(rig)->result, RESULT_REMOTE_CHANGED);
	rig->order.known.total = server.size + 1;
	make_digest(rig, 1, 2 * MIB);
	assert_int_equal(fetch(rig)->result, RESULT_SIZE_MISMATCH);
}

static void share__what_the_client_has__is_not_copied(void **state)
{
	static const struct {
		struct file_condition condition;
		bool unchanged;
	} cases[] = {
		{ { "\"v1\"", 0 }, true },
		{ { "\"v1\"", 1 }, true }, /* beside a tag the date says nothing */
		{ { "\"v0\"", MODIFIED_S * INT64_C(1000) }, false },
		{ { "", MODIFIED_S * INT64_C(1000) }, true },
		{ { "", MODIFIED_S * INT64_C(1000) + 999 }, true },
		{ { "", MODIFIED_S * INT64_C(1000) - 1 }, false },
	};
	struct rig *rig = *state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		rig->order.known.condition = &cases[i].condition;
		server.read = disk.writes = 0;
		const struct transfer_end *end = fetch(rig);
		if (end->result != RESULT_OK || end->unchanged != cases[i].unchanged)
			fail_msg("case %zu: %s", i, result_name(end->result));
		assert_int_equal(rig->answered, !end->unchanged);
		assert_int_equal(server.read > 0, !end->unchanged);
		if (end->unchanged) {
			assert_int_equal(end->written, 0);
			assert_string_equal(end->etag, "\"v1\"");
			assert_string_equal(end->modified, MODIFIED);
		}
	}
}

/* --- what is wrong --- */

static void share__failures__are_told_with_the_path(void **state)
{
	static const enum result results[] = { RESULT_SOURCE_NOT_FOUND, RESULT_SOURCE_DENIED, RESULT_SOURCE_LOCKED,
		                                   RESULT_CONNECT_FAILED, RESULT_CONNECTION_CLOSED, RESULT_REDIRECT_REFUSED };
	struct rig *rig = *state;
	for (size_t i = 0; i < sizeof(results) / sizeof(results[0]); i++) {
		enum result *const places[] = { &server.opens, &server.looks, &server.reads };
		for (size_t place = 0; place < 3; place++) {
			*places[place] = results[i];
			const struct transfer_end *end = fetch(rig);
			assert_int_equal(end->result, results[i]);
			assert_int_equal(end->fault.raw, 5);
			assert_non_null(strstr(end->fault.what, URL));
			assert_int_equal(rig->answered, place == 2);
			*places[place] = RESULT_OK;
			assert_int_equal(server.open, 0);
		}
	}
}

static void share__changes_meanwhile__is_noticed(void **state)
{
	struct rig *rig = *state;
	server.changes_at = 2 * MIB;
	assert_int_equal(fetch(rig)->result, RESULT_REMOTE_CHANGED);
	server.changes_at = SIZE_UNKNOWN;
	server.ends_at = 2 * MIB + 1;
	assert_int_equal(fetch(rig)->result, RESULT_REMOTE_CHANGED);
	assert_int_equal(rig->end.written, 2 * MIB);
}

static void share__another_size_or_digest_than_stated__is_refused(void **state)
{
	struct rig *rig = *state;
	rig->order.is_size_stated = true;
	rig->order.stated = server.size - 1;
	assert_int_equal(fetch(rig)->result, RESULT_SIZE_MISMATCH);
	assert_int_equal(rig->answered, 0);
	rig->order.stated = server.size;
	make_digest(rig, 1, 0);
	assert_int_equal(fetch(rig)->result, RESULT_OK);
	make_digest(rig, 2, 0);
	assert_int_equal(fetch(rig)->result, RESULT_DIGEST_MISMATCH);
}

static void share__a_disk_that_takes_no_more__is_told(void **state)
{
	struct rig *rig = *state;
	disk.refuses = RESULT_DISK_FULL;
	assert_int_equal(fetch(rig)->result, RESULT_DISK_FULL);
	assert_int_equal(server.read, 0);
	server.size = 100; /* not worth reserving for */
	assert_int_equal(fetch(rig)->result, RESULT_DISK_FULL);
}

/* --- how far, how fast, how long --- */

static void share__more_than_a_checkpoint_beyond_what_is_recorded__is_not_copied(void **state)
{
	struct rig *rig = *state;
	rig->limits.checkpoint_bytes = 100000;
	start(rig);
	for (uint64_t recorded = 0; rig->finished == 0; share_recorded(rig->set, 7, recorded)) {
		work(rig);
		assert_true(rig->written <= recorded + 100000);
		if (rig->finished == 0)
			assert_int_equal(rig->written, recorded + 100000);
		recorded += 50001;
	}
	assert_int_equal(rig->end.result, RESULT_OK);
	check_content(1, 0, server.size);
}

static void share__a_limit__is_kept_to_and_its_end_noticed(void **state)
{
	struct rig *rig = *state;
	struct throttle *throttle = throttle_new();
	struct rate_limits limits = rate_at(NULL, 0, 0);
	assert_non_null(throttle);
	for (int i = 0; i < RATE_CLASS_COUNT; i++)
		limits.per_s[i] = 64 * KIB;
	throttle_set(throttle, &limits);
	rig->limits.throttle = throttle;
	start(rig);
	int64_t ms = 0;
	while (rig->written < 128 * KIB && (ms = share_work(rig->set)) <= 0) /* what was saved up comes at once */
		assert_int_equal(ms, 0);
	assert_true(ms > 0 && ms <= THROTTLE_LOOK_MS);
	assert_true(rig->written <= 64 * KIB);
	share_set_priority(rig->set, 7, JOB_LOW);
	limits = rate_at(NULL, 0, 0);
	throttle_set(throttle, &limits);
	work(rig);
	assert_int_equal(rig->end.result, RESULT_OK);
	share_set_free(TAKE(rig->set));
	throttle_free(throttle);
}

static void share__a_server_that_cancels_whatever_it_is_asked__is_left(void **state)
{
	struct rig *rig = *state;
	server.interrupts = 1000;
	start(rig);
	for (unsigned i = 0; i < 100 && rig->finished == 0; i++)
		(void)share_work(rig->set);
	assert_int_equal(rig->finished, 1);
	assert_int_equal(rig->end.result, RESULT_CONNECTION_CLOSED);
	server.interrupts = 0;
}

static void share__a_stop__keeps_what_came(void **state)
{
	struct rig *rig = *state;
	start(rig);
	share_stop(rig->set, 7); /* nobody was asked yet */
	assert_int_equal(rig->end.result, RESULT_CANCELLED);
	assert_int_equal(server.opened, 0);
	start(rig);
	while (rig->written == 0)
		(void)share_work(rig->set);
	share_stop(rig->set, 7);
	share_stop(rig->set, 7); /* which is gone */
	assert_int_equal(rig->finished, 1);
	assert_int_equal(rig->end.result, RESULT_CANCELLED);
	assert_int_equal(rig->end.written, MIB);
	assert_int_equal(server.open, 0);
	check_content(1, 0, MIB);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(share__a_file__is_copied_whole_with_its_version_and_time),
		TEST(share__an_empty_file__is_whole_at_once),
		TEST(share__what_is_interrupted_for_another__is_done_again),
		TEST(share__the_very_file__is_gone_on_with),
		TEST(share__another_version__is_held_until_the_old_bytes_are_forgotten),
		TEST(share__of_which_only_the_date_is_known__begins_anew),
		TEST(share__a_beginning_from_elsewhere__goes_on_where_a_digest_tells),
		TEST(share__what_the_client_has__is_not_copied),
		TEST(share__failures__are_told_with_the_path),
		TEST(share__changes_meanwhile__is_noticed),
		TEST(share__another_size_or_digest_than_stated__is_refused),
		TEST(share__a_disk_that_takes_no_more__is_told),
		TEST(share__more_than_a_checkpoint_beyond_what_is_recorded__is_not_copied),
		TEST(share__a_limit__is_kept_to_and_its_end_noticed),
		TEST(share__a_server_that_cancels_whatever_it_is_asked__is_left),
		TEST(share__a_stop__keeps_what_came),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
