/* One file by several requests: only of a file that is proven to be one, and whatever the server does about it, the right
 * bytes come.  Each file is a row of one set, and its path says how the server behaves. */
#include "transfer_rig.h"

#include "platform/hash.h"

#define SIZE (3 * MIB)
#define PIECE 8191 /* parts end within one */
#define PIECE_MS 16 /* so fast is one connection: half a MiB a second */

static bool is(const struct http_request *request, const char *path)
{
	return strncmp(request->target, path, strlen(path)) == 0;
}

static bool send_slowly(struct rig *rig, struct http_connection *connection, unsigned version, uint64_t from, uint64_t to)
{
	for (uint64_t end; from < to; from = end) {
		end = from + PIECE < to ? from + PIECE : to;
		if (!send_content(connection, version, from, end))
			return false;
		mutex_lock(rig->mutex);
		if (!rig->is_released)
			condition_wait(rig->released, rig->mutex, PIECE_MS);
		mutex_unlock(rig->mutex);
	}
	return true;
}

/* "Range: bytes=FIRST-LAST"; 0: no such end. */
static uint64_t end_of_range(const struct http_request *request)
{
	const char *range = strstr(request->heads, "Range: bytes=");
	const char *dash = range ? strchr(range, '-') : NULL;
	return dash && dash[1] >= '0' && dash[1] <= '9' ? strtoull(dash + 1, NULL, 10) + 1 : 0;
}

static unsigned headers_missed;   /* requests without the line that a route has */
static unsigned parts_asked[ROWS]; /* by the path's last digit; under the rig's mutex */

static bool answer_whole_slowly(struct rig *rig, const struct http_request *request, struct http_connection *connection,
                                unsigned version)
{
	const char *ranges = is(request, "/no-ranges") ? "none" : "bytes";
	const char *weak = is(request, "/weak") ? "W/" : "";
	if (is(request, "/silent"))
		ranges = "";
	return http_print(connection, "HTTP/1.1 200 OK\r\nContent-Length: %llu\r\nAccept-Ranges: %s\r\nETag: %s\"v%u\"\r\n\r\n",
	                  (unsigned long long)rig->size, ranges, weak, version + 1) &&
	       send_slowly(rig, connection, version, 0, rig->size);
}

static bool answer_range_slowly(struct rig *rig, const struct http_request *request, struct http_connection *connection,
                                unsigned version)
{
	uint64_t end = end_of_range(request), cut;
	bool is_part = end > 0;
	unsigned tag = version + 1;
	if (!is_part)
		end = rig->size;
	cut = end;
	if (is_part && is(request, "/other-tag"))
		tag = 9;
	if (is_part && is(request, "/wrong-bytes"))
		version = 5;
	if (is_part && is(request, "/cut") && request->number % 2 == 0)
		cut = request->first + (end - request->first) / 3;
	if (!http_print(connection,
	                "HTTP/1.1 206 Partial Content\r\nContent-Length: %llu\r\nContent-Range: bytes %llu-%llu/%llu\r\n"
	                "ETag: \"v%u\"\r\n\r\n",
	                (unsigned long long)(end - request->first), (unsigned long long)request->first, (unsigned long long)end - 1,
	                (unsigned long long)rig->size, tag))
		return false;
	return send_slowly(rig, connection, version, request->first, cut) && cut == end;
}

static bool parts_server(void *context, const struct http_request *request, struct http_connection *connection)
{
	struct rig *rig = context;
	bool is_part = end_of_range(request) > 0;
	unsigned row = (unsigned)strtoul(strrchr(request->target, '/') + 1, NULL, 10);
	mutex_lock(rig->mutex);
	parts_asked[row] += is_part;
	headers_missed += rig->route && !strstr(request->heads, "X-Acme: 1\r\n");
	unsigned asked = parts_asked[row];
	mutex_unlock(rig->mutex);
	if (is_part && is(request, "/whole"))
		return answer_whole_slowly(rig, request, connection, 0);
	if (is_part && is(request, "/busy"))
		return http_print(connection, "HTTP/1.1 503 Busy\r\nContent-Length: 4\r\nRetry-After: 3600\r\n\r\nbusy");
	/* From the third part on the server has another file. */
	if (is(request, "/changes") && (asked >= 3 || (request->has_range && !is_part)))
		return answer_whole_slowly(rig, request, connection, 1);
	if (request->has_range)
		return answer_range_slowly(rig, request, connection, 0);
	return answer_whole_slowly(rig, request, connection, 0);
}

static struct rig *parts_rig(uint64_t size)
{
	struct rig *rig = rig_new(parts_server, size);
	memset(parts_asked, 0, sizeof(parts_asked));
	rig->limits.checkpoint_bytes = 8 * MIB;
	rig->limits.connections_per_host_max = 64;
	rig->limits.connections_max = 128;
	rig->segments_max = 4;
	return rig;
}

static void give_digest(struct rig *rig, unsigned version)
{
	struct hash *hash = hash_new(32);
	uint8_t *content = malloc((size_t)rig->size);
	struct fault fault;
	assert_non_null(content);
	for (uint64_t at = 0; at < rig->size; at++)
		content[at] = content_byte(version, at);
	hash_add(hash, content, (size_t)rig->size);
	rig->digest.length = 32;
	assert_int_equal(hash_end(hash, rig->digest.bytes, &fault), RESULT_OK);
	rig->hash = hash_new(32);
	free(content);
}

static bool is_changing(const char *path)
{
	return strcmp(path, "/changes") == 0;
}

static void transfer__in_parts__whatever_the_server_does_the_right_bytes_come(void **state)
{
	static const struct {
		const char *path;
		bool digest;
		unsigned version; /* of the digest */
		enum { NONE, SOME, MANY } parts;
	} cases[] = {
		{ "/well", false, 0, MANY },        { "/well", true, 0, MANY },    { "/cut", true, 0, MANY },
		{ "/one", false, 0, NONE },
		{ "/no-ranges", false, 0, NONE },   { "/weak", false, 0, NONE },   { "/silent", false, 0, NONE },
		{ "/whole", false, 0, SOME },       { "/busy", false, 0, SOME },   { "/other-tag", false, 0, SOME },
		{ "/wrong-bytes", true, 0, SOME },  { "/changes", false, 0, SOME }, { "/changes", true, 1, SOME },
	};
	enum { COUNT = sizeof(cases) / sizeof(cases[0]) };
	(void)state;
	struct rig *rig = parts_rig(SIZE);
	for (unsigned row = 0; row < COUNT; row++) {
		char path[64];
		snprintf(path, sizeof(path), "%s/%u", cases[row].path, row);
		rig->digest.length = 0;
		if (cases[row].digest)
			give_digest(rig, cases[row].version);
		rig->segments_max = strcmp(cases[row].path, "/one") == 0 ? 1 : 4;
		start(rig, row, path, nothing_known);
	}
	int64_t until_ms = clock_mono_ms() + 2 * PATIENCE_MS;
	while (rig->finished < COUNT) {
		assert_true(clock_mono_ms() < until_ms);
		work(rig, 50);
		for (unsigned row = 0; row < COUNT; row++) {
			const struct told *told = &rig->told[row];
			if (told->answered > 1 && told->offset == 0 && told->finished == 0)
				transfer_recorded(rig->set, row, 0); /* it began anew */
		}
	}
	for (unsigned row = 0; row < COUNT; row++) {
		const struct told *told = &rig->told[row];
		if (told->result != RESULT_OK)
			fail_msg("%s: %s", cases[row].path, told->fault.what);
		assert_int_equal(told->written, SIZE);
		/* Where it changes meanwhile it is one or the other, but never both; with a digest the one that was meant. */
		unsigned version = strstr(told->etag, "v2") != NULL;
		assert_int_equal(version, is_changing(cases[row].path) && !cases[row].digest ? version : cases[row].version);
		assert_content(&rig->files[row], version, 0, SIZE);
		if (cases[row].parts == MANY ? parts_asked[row] < 4 : (parts_asked[row] > 0) != (cases[row].parts == SOME))
			fail_msg("%s: %u parts were asked for", cases[row].path, parts_asked[row]);
	}
	rig_free(rig);
}

static unsigned asked(struct rig *rig, unsigned row)
{
	mutex_lock(rig->mutex);
	unsigned count = parts_asked[row];
	mutex_unlock(rig->mutex);
	return count;
}

/* Nothing is written beyond a checkpoint for each request from what is recorded; and what is told is whole. */
static void transfer__in_parts__keeps_to_the_checkpoint(void **state)
{
	(void)state;
	struct rig *rig = parts_rig(8 * MIB);
	rig->limits.checkpoint_bytes = MIB;
	start(rig, 0, "/well/0", nothing_known);
	uint64_t recorded = 0;
	int64_t until_ms = clock_mono_ms() + 2 * PATIENCE_MS;
	while (rig->finished < 1) {
		assert_true(clock_mono_ms() < until_ms);
		work(rig, 1000);
		assert_true(rig->files[0].end <= recorded + rig->segments_max * MIB);
		assert_content(&rig->files[0], 0, recorded, rig->told[0].written);
		if (rig->told[0].written >= recorded + MIB / 2)
			transfer_recorded(rig->set, 0, recorded = rig->told[0].written);
	}
	assert_int_equal(rig->told[0].result, RESULT_OK);
	assert_true(asked(rig, 0) > 8);
	assert_content(&rig->files[0], 0, 0, 8 * MIB);
	rig_free(rig);
}

static void transfer__stopped_or_without_room_among_parts__has_told_what_is_whole(void **state)
{
	(void)state;
	struct rig *rig = parts_rig(8 * MIB);
	start(rig, 0, "/well/0", nothing_known);
	while (asked(rig, 0) < 3)
		work(rig, 1000);
	for (int i = 0; i < 20; i++)
		work(rig, 20);
	transfer_stop(rig->set, 0);
	struct told *told = finish_all(rig, 1);
	assert_int_equal(told->result, RESULT_CANCELLED);
	assert_true(told->written > 0 && told->written <= rig->files[0].end);
	assert_content(&rig->files[0], 0, 0, told->written);
	/* The disk fills up in spite of what was reserved. */
	start(rig, 1, "/well/1", nothing_known);
	while (asked(rig, 1) < 3)
		work(rig, 1000);
	rig->files[1].room = rig->files[1].end + 100000;
	told = finish_all(rig, 2) + 1;
	assert_int_equal(told->result, RESULT_DISK_FULL);
	assert_content(&rig->files[1], 0, 0, told->written);
	rig_free(rig);
}

static void transfer__set_freed_among_parts__tells_nobody(void **state)
{
	(void)state;
	struct rig *rig = parts_rig(8 * MIB);
	start(rig, 0, "/well/0", nothing_known);
	while (asked(rig, 0) < 3)
		work(rig, 1000);
	transfer_set_free(rig->set);
	rig->set = NULL;
	assert_int_equal(rig->finished, 0);
	rig_free(rig);
}

/* Who waits for a connection comes before another part of a file that is under way. */
static void transfer__others_wait__get_the_connections(void **state)
{
	(void)state;
	struct rig *rig = parts_rig(8 * MIB);
	rig->limits.connections_per_host_max = 4;
	start(rig, 0, "/well/0", nothing_known);
	while (asked(rig, 0) < 3)
		work(rig, 1000);
	for (unsigned row = 1; row < 4; row++)
		start(rig, row, "/well/1", nothing_known);
	while (rig->told[1].answered + rig->told[2].answered + rig->told[3].answered < 3)
		work(rig, 1000);
	assert_int_equal(rig->told[0].finished, 0);
	release(rig); /* at full speed */
	finish_all(rig, 4);
	for (unsigned row = 0; row < 4; row++) {
		assert_int_equal(rig->told[row].result, RESULT_OK);
		assert_content(&rig->files[row], 0, 0, 8 * MIB);
	}
	rig_free(rig);
}

static void transfer__in_parts__each_request_has_the_jobs_headers(void **state)
{
	char block[] = "X-Acme: 1\n";
	const struct transfer_route route = { .headers = block };
	(void)state;
	struct rig *rig = parts_rig(SIZE);
	rig->route = &route;
	headers_missed = 0;
	start(rig, 0, "/well/0", nothing_known);
	assert_int_equal(finish_all(rig, 1)->result, RESULT_OK);
	assert_in_range(parts_asked[0], 1, 1000);
	assert_int_equal(headers_missed, 0);
	rig_free(rig);
}

/* A limit that appears while there are several requests holds for them together. */
static void transfer__limited_among_parts__keeps_to_the_limit(void **state)
{
	(void)state;
	AUTO(throttle) struct throttle *throttle = throttle_new();
	struct rate_rule rule;
	struct rig *rig = parts_rig(8 * MIB);
	rig->limits.throttle = throttle;
	start(rig, 0, "/well/0", nothing_known);
	while (asked(rig, 0) < 6)
		work(rig, 1000);
	assert_int_equal(rate_parse(text_view("all 40kB/s"), &rule, NULL), RESULT_OK);
	const struct rate_limits limits = rate_at(&rule, 1, 0);
	throttle_set(throttle, &limits);
	for (int i = 0; i < 20; i++) {
		uint64_t shares = 0;
		work(rig, 100);
		for (const struct transfer *transfer = rig->set->active; transfer; transfer = transfer->next)
			if (!transfer->parts.rests)
				shares += transfer->share;
		assert_in_range(shares, 1, 40000);
	}
	assert_int_equal(rig->told[0].finished, 0);
	const struct rate_limits none = rate_at(NULL, 0, 0);
	throttle_set(throttle, &none);
	release(rig);
	assert_int_equal(finish_all(rig, 1)->result, RESULT_OK);
	assert_content(&rig->files[0], 0, 0, 8 * MIB);
	rig_free(rig);
}

/* It divides itself, and then no second request gets a connection: it goes on as it was. */
static void transfer__no_room_for_a_part__goes_on_as_one(void **state)
{
	(void)state;
	struct rig *rig = parts_rig(SIZE);
	rig->limits.connections_max = 2;
	for (unsigned row = 0; row < 2; row++) {
		char path[16];
		snprintf(path, sizeof(path), "/well/%u", row);
		start(rig, row, path, nothing_known);
	}
	finish_all(rig, 2);
	for (unsigned row = 0; row < 2; row++) {
		assert_int_equal(rig->told[row].result, RESULT_OK);
		assert_content(&rig->files[row], 0, 0, SIZE);
		assert_int_equal(asked(rig, row), 0);
	}
	rig_free(rig);
}

/* Its end was set, and the one that was to prove that there are ranges finds the whole coming: nothing is fetched twice. */
static void transfer__server_without_ranges_behind_all__gives_it_once(void **state)
{
	(void)state;
	struct rig *rig = parts_rig(SIZE);
	start(rig, 0, "/whole/0", nothing_known);
	assert_int_equal(finish_all(rig, 1)->result, RESULT_OK);
	assert_content(&rig->files[0], 0, 0, SIZE);
	assert_int_equal(rig->told[0].answered, 1);
	rig_free(rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(transfer__in_parts__whatever_the_server_does_the_right_bytes_come),
		cmocka_unit_test(transfer__in_parts__keeps_to_the_checkpoint),
		cmocka_unit_test(transfer__stopped_or_without_room_among_parts__has_told_what_is_whole),
		cmocka_unit_test(transfer__set_freed_among_parts__tells_nobody),
		cmocka_unit_test(transfer__others_wait__get_the_connections),
		cmocka_unit_test(transfer__in_parts__each_request_has_the_jobs_headers),
		cmocka_unit_test(transfer__limited_among_parts__keeps_to_the_limit),
		cmocka_unit_test(transfer__no_room_for_a_part__goes_on_as_one),
		cmocka_unit_test(transfer__server_without_ranges_behind_all__gives_it_once),
	};
	return cmocka_run_group_tests(tests, set_up_curl, NULL);
}
