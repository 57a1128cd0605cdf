/* Files of ranges: one request after the other, each of the very same file or none of it.  Each file is a row of one set,
 * and has a server that does one thing wrong. */
#include "transfer_rig.h"

#include "core/ranges.h"
#include "platform/hash.h"

#define REMOTE 1000u
#define ANY 99u

/* Which validators the server gives, and what is wrong with one of its answers. */
enum tags { STRONG, WEAK_DATED, DATED, WEAK, NONE };
enum twist {
	WELL,
	WHOLE,        /* 200, of the same file */
	CHANGED,      /* from now on it has another version */
	CHANGES,      /* and another one with each request that follows */
	IGNORES_IF,   /* it has another version, and answers 206 all the same */
	WRONG_PLACE, MORE, OTHER_TOTAL, SMALLER, UNKNOWN_TOTAL, WRONG_LENGTH, MULTIPART, OTHER_TAG, NO_TAG, WEAK_TAG, ENCODED,
	SHORTER,        /* half of what was asked for */
	SHORTER_ALWAYS, /* seven bytes of it, each time */
	CUT,          /* the connection, in the middle of the body */
	ENDLESS,      /* more body than its head says */
	REFUSED,      /* 416 */
	REFUSED_ALWAYS, /* and each second request after it */
};
struct script {
	const char *ranges;
	enum tags tags;
	unsigned at; /* the request that is answered wrongly, from 0 */
	enum twist twist;
	bool digest; /* of version 0 */
	enum result result;
	unsigned requests; /* ANY: not looked at */
	unsigned version;  /* of what lands */
};
#define THREE "10-19,500-599,0-4"

static const struct script scripts[] = {
	{ THREE, STRONG, 0, WELL, false, RESULT_OK, 3, 0 },
	{ THREE, WEAK_DATED, 0, WELL, false, RESULT_OK, 3, 0 },
	{ THREE, DATED, 0, WELL, false, RESULT_OK, 3, 0 },
	{ THREE, WEAK, 0, WELL, false, RESULT_INSUFFICIENT_HTTP, 1, 0 },
	{ THREE, NONE, 0, WELL, false, RESULT_INSUFFICIENT_HTTP, 1, 0 },
	{ THREE, NONE, 0, WELL, true, RESULT_OK, 3, 0 },
	{ "10-19", NONE, 0, WELL, false, RESULT_OK, 1, 0 },
	{ "990-", NONE, 0, WELL, false, RESULT_OK, 1, 0 },
	{ "0-", NONE, 0, WELL, false, RESULT_OK, 1, 0 },
	{ "900-,0-99", STRONG, 0, WELL, false, RESULT_OK, 2, 0 },
	{ "0-99,100-199,200-", NONE, 0, WELL, false, RESULT_OK, 1, 0 }, /* one request brings what is one */
	/* 200 */
	{ THREE, STRONG, 0, WHOLE, false, RESULT_INSUFFICIENT_RANGE_SUPPORT, 1, 0 },
	{ "0-", STRONG, 0, WHOLE, false, RESULT_INSUFFICIENT_RANGE_SUPPORT, 1, 0 },
	{ THREE, STRONG, 1, WHOLE, false, RESULT_OK, 5, 0 }, /* begun anew, and then it did */
	{ THREE, NONE, 1, WHOLE, true, RESULT_INSUFFICIENT_RANGE_SUPPORT, 2, 0 },
	/* the file changes between two ranges */
	{ THREE, STRONG, 1, CHANGED, false, RESULT_OK, 5, 1 },
	{ THREE, STRONG, 2, CHANGED, false, RESULT_OK, 6, 1 },
	{ THREE, WEAK_DATED, 1, CHANGED, false, RESULT_OK, 5, 1 },
	{ THREE, DATED, 2, CHANGED, false, RESULT_OK, 6, 1 },
	{ THREE, STRONG, 1, CHANGED, true, RESULT_DIGEST_MISMATCH, 5, 1 },
	{ THREE, NONE, 1, CHANGED, true, RESULT_DIGEST_MISMATCH, 3, 0 },
	{ THREE, STRONG, 1, CHANGES, false, RESULT_REMOTE_CHANGED, ANY, 0 },
	{ THREE, STRONG, 1, IGNORES_IF, false, RESULT_OK, 5, 1 },
	{ THREE, WEAK_DATED, 2, IGNORES_IF, false, RESULT_OK, 6, 1 },
	{ THREE, DATED, 1, IGNORES_IF, false, RESULT_OK, 5, 1 },
	/* heads that are not to be believed */
	{ THREE, STRONG, 0, WRONG_PLACE, false, RESULT_INSUFFICIENT_HTTP, 1, 0 },
	{ THREE, STRONG, 1, WRONG_PLACE, false, RESULT_INSUFFICIENT_HTTP, 2, 0 },
	{ THREE, STRONG, 0, MORE, false, RESULT_INSUFFICIENT_HTTP, 1, 0 },
	{ THREE, STRONG, 1, MORE, false, RESULT_INSUFFICIENT_HTTP, 2, 0 },
	{ THREE, STRONG, 1, OTHER_TOTAL, false, RESULT_OK, 5, 0 },
	{ THREE, DATED, 1, OTHER_TOTAL, false, RESULT_OK, 5, 0 },
	{ THREE, NONE, 1, OTHER_TOTAL, true, RESULT_OK, 5, 0 },
	{ THREE, STRONG, 0, SMALLER, false, RESULT_INVALID_RANGE, 1, 0 },
	{ THREE, STRONG, 0, UNKNOWN_TOTAL, false, RESULT_OK, 3, 0 },
	{ THREE, STRONG, 1, UNKNOWN_TOTAL, false, RESULT_OK, 3, 0 },
	{ "900-", STRONG, 0, UNKNOWN_TOTAL, false, RESULT_INSUFFICIENT_RANGE_SUPPORT, 1, 0 },
	{ THREE, STRONG, 1, WRONG_LENGTH, false, RESULT_INSUFFICIENT_HTTP, 2, 0 },
	{ THREE, STRONG, 0, MULTIPART, false, RESULT_INSUFFICIENT_HTTP, 1, 0 },
	{ THREE, STRONG, 1, MULTIPART, false, RESULT_INSUFFICIENT_HTTP, 2, 0 },
	{ THREE, STRONG, 1, OTHER_TAG, false, RESULT_OK, 5, 0 },
	{ THREE, STRONG, 1, NO_TAG, false, RESULT_INSUFFICIENT_HTTP, 2, 0 },
	{ THREE, STRONG, 1, WEAK_TAG, false, RESULT_OK, 5, 0 },
	{ THREE, DATED, 1, NO_TAG, false, RESULT_OK, 3, 0 },
	{ THREE, STRONG, 1, ENCODED, false, RESULT_INSUFFICIENT_HTTP, 2, 0 },
	/* less than was asked for */
	{ THREE, STRONG, 1, SHORTER, false, RESULT_OK, 4, 0 },
	{ THREE, DATED, 0, SHORTER, false, RESULT_OK, 4, 0 },
	{ "10-19", NONE, 0, SHORTER, false, RESULT_INSUFFICIENT_HTTP, 1, 0 },
	{ "900-", STRONG, 0, SHORTER_ALWAYS, false, RESULT_OK, 15, 0 },
	{ THREE, STRONG, 1, CUT, false, RESULT_CONNECTION_CLOSED, 2, 0 },
	{ THREE, STRONG, 1, ENDLESS, false, RESULT_OK, ANY, 0 },
	/* 416 */
	{ THREE, STRONG, 0, REFUSED, false, RESULT_INVALID_RANGE, 1, 0 },
	{ "1000-", STRONG, 0, REFUSED, false, RESULT_INVALID_RANGE, 1, 0 },
	{ THREE, STRONG, 1, REFUSED, false, RESULT_OK, 5, 0 },
	{ THREE, STRONG, 1, REFUSED_ALWAYS, false, RESULT_INVALID_RANGE, 4, 0 },
};
#define SCRIPTS (sizeof(scripts) / sizeof(scripts[0]))
_Static_assert(SCRIPTS <= ROWS, "each has a row");

static struct {
	unsigned requests, version;
	bool unasked; /* something else than a range, or more than was wanted */
} served[ROWS]; /* under the rig's mutex */

/* --- the server --- */

static void tag_of(enum tags tags, unsigned version, char etag[32], char date[64])
{
	snprintf(etag, 32, "%s\"v%u\"", tags == STRONG ? "" : "W/", version + 1);
	if (tags == DATED || tags == NONE)
		etag[0] = '\0';
	snprintf(date, 64, "Sat, 01 Feb 2025 10:00:%02u GMT", version);
	if (tags == STRONG || tags == WEAK || tags == NONE)
		date[0] = '\0';
}

static bool send_head(struct http_connection *connection, const char *status, const char *etag, const char *date)
{
	return http_print(connection, "HTTP/1.1 %s\r\n", status) && (!etag[0] || http_print(connection, "ETag: %s\r\n", etag)) &&
	       (!date[0] || http_print(connection, "Last-Modified: %s\r\n", date));
}

static bool send_part(struct http_connection *connection, enum twist twist, unsigned version, uint64_t first, uint64_t end,
                      const char *etag, const char *date)
{
	uint64_t from = first, to = end, total = REMOTE, length;
	char size[24];

	from += twist == WRONG_PLACE;
	to += twist == WRONG_PLACE || twist == MORE;
	to -= twist == SHORTER ? (end - first) / 2 : 0;
	to = twist == SHORTER_ALWAYS && first + 7 < end ? first + 7 : to;
	total = twist == OTHER_TOTAL ? REMOTE + 1 : twist == SMALLER ? 599 : REMOTE;
	length = to - from + (twist == WRONG_LENGTH);
	snprintf(size, sizeof(size), twist == UNKNOWN_TOTAL ? "*" : "%llu", (unsigned long long)total);
	if (!send_head(connection, "206 Partial Content", twist == NO_TAG ? "" : etag, twist == NO_TAG ? "" : date))
		return false;
	if (twist == MULTIPART)
		return http_print(connection, "Content-Type: multipart/byteranges; boundary=x\r\nContent-Length: 10\r\n\r\n0123456789");
	if (!http_print(connection, "%sContent-Range: bytes %llu-%llu/%s\r\nContent-Length: %llu\r\n\r\n",
	                twist == ENCODED ? "Content-Encoding: gzip\r\n" : "", (unsigned long long)from, (unsigned long long)to - 1,
	                size, (unsigned long long)length))
		return false;
	if (twist == CUT)
		return send_content(connection, version, from, from + (to - from) / 2) && false;
	return send_content(connection, version, from, twist == ENDLESS ? to + 5 : to) &&
	       twist != ENDLESS && twist != WRONG_LENGTH;
}

static bool scripted(void *context, const struct http_request *request, struct http_connection *connection)
{
	struct rig *rig = context;
	unsigned row = (unsigned)strtoul(request->target + 1, NULL, 10), number, version;
	const struct script *script = &scripts[row];
	const char *range = strstr(request->heads, "\r\nRange: bytes="), *if_range = strstr(request->heads, "\r\nIf-Range: ");
	char etag[32], date[64], *dash;

	if (range == NULL)
		range = strncmp(request->heads, "Range: bytes=", 13) == 0 ? request->heads - 2 : NULL;
	mutex_lock(rig->mutex);
	number = served[row].requests++;
	served[row].unasked |= range == NULL;
	if ((number == script->at && (script->twist == CHANGED || script->twist == IGNORES_IF)) ||
	    (number >= script->at && script->twist == CHANGES))
		served[row].version++;
	version = served[row].version;
	mutex_unlock(rig->mutex);

	bool always = script->twist == SHORTER_ALWAYS || (script->twist == REFUSED_ALWAYS && number % 2 == 1);
	enum twist twist = number == script->at || always ? script->twist : WELL;
	tag_of(script->tags, version, etag, date);
	if (twist == OTHER_TAG || twist == WEAK_TAG)
		snprintf(etag, sizeof(etag), twist == OTHER_TAG ? "\"other\"" : "W/\"v1\"");
	uint64_t first = range ? strtoull(range + 15, &dash, 10) : 0;
	uint64_t end = range && dash[1] >= '0' && dash[1] <= '9' ? strtoull(dash + 1, NULL, 10) + 1 : REMOTE;
	if (twist == REFUSED || twist == REFUSED_ALWAYS)
		return http_print(connection, "HTTP/1.1 416 No\r\nContent-Range: bytes */%u\r\nContent-Length: 0\r\n\r\n", REMOTE);
	bool same = if_range == NULL || twist == IGNORES_IF || twist == OTHER_TAG || twist == WEAK_TAG ||
	            (etag[0] && strncmp(if_range + 12, etag, strlen(etag)) == 0) ||
	            (date[0] && strncmp(if_range + 12, date, strlen(date)) == 0);
	if (range == NULL || twist == WHOLE || !same)
		return send_head(connection, "200 OK", etag, date) &&
		       http_print(connection, "Content-Length: %u\r\n\r\n", REMOTE) && send_content(connection, version, 0, REMOTE);
	return send_part(connection, twist, version, first, end, etag, date);
}

/* --- what lands --- */

static uint64_t local_total(const char *text)
{
	AUTO(ranges) struct ranges ranges = { .at = NULL };
	assert_int_equal(ranges_parse(text_view(text), &ranges, NULL), RESULT_OK);
	return ranges_total(&ranges, REMOTE);
}

static uint8_t local_byte(const struct ranges *ranges, unsigned version, uint64_t at)
{
	return content_byte(version, ranges_find(ranges, at, ranges_total(ranges, REMOTE)).first);
}

static void assert_local(const struct file_handle *file, const char *text, unsigned version, uint64_t to)
{
	AUTO(ranges) struct ranges ranges = { .at = NULL };
	assert_int_equal(ranges_parse(text_view(text), &ranges, NULL), RESULT_OK);
	assert_true(file->end >= to);
	for (uint64_t at = 0; at < to; at++)
		if (file->bytes[at] != local_byte(&ranges, version, at))
			fail_msg("%s: byte %llu is wrong", text, (unsigned long long)at);
}

static void give_digest(struct rig *rig, const char *text)
{
	AUTO(ranges) struct ranges ranges = { .at = NULL };
	struct hash *hash = hash_new(32);
	struct fault fault;
	assert_int_equal(ranges_parse(text_view(text), &ranges, NULL), RESULT_OK);
	for (uint64_t at = 0; at < ranges_total(&ranges, REMOTE); at++) {
		uint8_t byte = local_byte(&ranges, 0, at);
		hash_add(hash, &byte, 1);
	}
	rig->digest.length = 32;
	assert_int_equal(hash_end(hash, rig->digest.bytes, &fault), RESULT_OK);
	rig->hash = hash_new(32);
}

/* As the engine does it: what began anew waits until the store has forgotten the old bytes. */
static void release_restarts(struct rig *rig, unsigned rows, unsigned *answered)
{
	for (unsigned row = 0; row < rows; row++) {
		const struct told *told = &rig->told[row];
		if (told->answered == answered[row] || told->finished > 0)
			continue;
		if (answered[row]++ > 0) {
			assert_int_equal(told->offset, 0);
			assert_int_equal(told->written, 0);
			transfer_recorded(rig->set, (int64_t)row, 0);
		}
	}
}

static void transfer__ranges__land_right_or_not_whatever_the_server_does(void **state)
{
	(void)state;
	struct rig *rig = rig_new(scripted, REMOTE);
	unsigned answered[ROWS] = { 0 };
	memset(served, 0, sizeof(served));
	rig->segments_max = 6; /* which are not used */
	for (unsigned row = 0; row < SCRIPTS; row++) {
		char path[16];
		snprintf(path, sizeof(path), "/%u", row);
		rig->digest.length = 0;
		if (scripts[row].digest)
			give_digest(rig, scripts[row].ranges);
		rig->ranges = scripts[row].ranges;
		struct resume_known known = nothing_known;
		if (strstr(rig->ranges, "-,") == NULL && rig->ranges[strlen(rig->ranges) - 1] != '-')
			known.total = local_total(rig->ranges); /* as it is from the submit on */
		known.verified = scripts[row].digest;
		start(rig, row, path, known);
	}
	int64_t until_ms = clock_mono_ms() + 2 * PATIENCE_MS;
	while (rig->finished < SCRIPTS) {
		assert_true(clock_mono_ms() < until_ms);
		work(rig, 50);
		release_restarts(rig, SCRIPTS, answered);
	}
	for (unsigned row = 0; row < SCRIPTS; row++) {
		const struct script *script = &scripts[row];
		const struct told *told = &rig->told[row];
		if (told->result != script->result)
			fail_msg("script %u: %s, %s", row, result_name(told->result), told->fault.what);
		if (script->requests != ANY && served[row].requests != script->requests)
			fail_msg("script %u: %u requests", row, served[row].requests);
		if (served[row].unasked)
			fail_msg("script %u: asked for the whole", row);
		assert_null(strstr(told->fault.what, SECRET));
		if (script->result != RESULT_OK)
			continue;
		assert_int_equal(told->written, local_total(script->ranges));
		assert_int_equal(told->total, told->written);
		assert_local(&rig->files[row], script->ranges, script->version, told->written);
	}
	rig_free(rig);
}

/* --- cut anywhere, and gone on with --- */

static size_t budget; /* bytes that the server may still send before the line breaks; under the rig's mutex */
static bool broken;    /* it did; likewise */
static bool until_end; /* its answers have no length: their body ends with the connection */

static bool breaks(void *context, const struct http_request *request, struct http_connection *connection)
{
	struct rig *rig = context;
	const char *range = strstr(request->heads, "Range: bytes=");
	const char *if_range = strstr(request->heads, "If-Range: ");
	char answer[1024], *dash;
	assert_non_null(range);
	uint64_t first = strtoull(range + 13, &dash, 10);
	uint64_t end = dash[1] >= '0' && dash[1] <= '9' ? strtoull(dash + 1, NULL, 10) + 1 : REMOTE;
	int head = snprintf(answer, sizeof(answer), "HTTP/1.1 206 Partial Content\r\nETag: " ETAG "\r\nContent-Range: bytes %llu-%llu/%u\r\n",
	                    (unsigned long long)first, (unsigned long long)end - 1, REMOTE);
	assert_true(if_range == NULL || strncmp(if_range + 10, ETAG, strlen(ETAG)) == 0);
	head += until_end ? snprintf(answer + head, sizeof(answer) - (size_t)head, "Connection: close\r\n\r\n")
	                  : snprintf(answer + head, sizeof(answer) - (size_t)head, "Content-Length: %llu\r\n\r\n",
	                             (unsigned long long)(end - first));
	size_t length = (size_t)head;
	for (uint64_t at = first; at < end; at++)
		answer[length++] = (char)content_byte(0, at);
	mutex_lock(rig->mutex);
	bool breaks_now = budget < length;
	length = breaks_now ? budget : length;
	budget = breaks_now ? SIZE_MAX / 2 : budget - length;
	broken |= breaks_now;
	mutex_unlock(rig->mutex);
	return http_send(connection, answer, length) && !breaks_now && !until_end;
}

/* False: the answers were shorter than that. */
static bool cut_at(size_t at, bool has_length)
{
	static const char ranges[] = "10-19,500-529,990-";
	struct rig *rig = rig_new(breaks, REMOTE);
	char etag[FILE_ETAG_BYTES_MAX];
	until_end = !has_length;
	rig->ranges = ranges;
	budget = at;
	broken = false;
	const struct told *told = fetch(rig, nothing_known);
	mutex_lock(rig->mutex);
	bool broke = broken;
	mutex_unlock(rig->mutex);
	assert_local(&rig->files[0], ranges, 0, told->written);
	if (told->result != RESULT_OK) { /* curl asks again by itself where nothing came on an old connection */
		assert_true(broke && result_class(told->result) == RETRY_LATER);
		snprintf(etag, sizeof(etag), "%s", told->etag);
		uint64_t before = told->written;
		told = fetch(rig, (struct resume_known){ .offset = before, .total = told->answered ? told->total : SIZE_UNKNOWN,
		                                         .etag = etag, .modified = "" });
		assert_int_equal(told->offset, before);
	}
	if (told->result != RESULT_OK)
		fail_msg("cut at %zu: %s", at, told->fault.what);
	assert_int_equal(told->written, 50);
	assert_int_equal(rig->files[0].end, 50);
	assert_local(&rig->files[0], ranges, 0, 50);
	rig_free(rig);
	return broke;
}

static void transfer__ranges__cut_at_any_byte__go_on_from_there(void **state)
{
	(void)state;
	for (unsigned has_length = 0; has_length < 2; has_length++) {
		size_t at = 0;
		while (cut_at(at, has_length != 0))
			at++;
		assert_true(at > 300);
	}
}

/* --- much of it --- */

static bool serves_ranges(void *context, const struct http_request *request, struct http_connection *connection)
{
	struct rig *rig = context;
	char *dash;
	const char *range = strstr(request->heads, "Range: bytes=");
	assert_non_null(range);
	uint64_t first = strtoull(range + 13, &dash, 10), end = strtoull(dash + 1, NULL, 10) + 1;
	return http_print(connection,
	                  "HTTP/1.1 206 Partial Content\r\nETag: " ETAG "\r\nContent-Range: bytes %llu-%llu/%llu\r\n"
	                  "Content-Length: %llu\r\n\r\n", (unsigned long long)first, (unsigned long long)end - 1,
	                  (unsigned long long)rig->size, (unsigned long long)(end - first)) &&
	       send_content(connection, 0, first, end);
}

/* Five hundred on one connection; nothing is written beyond a checkpoint from what is recorded, and room is reserved for
 * what lands and not for what the server has. */
static void transfer__many_ranges__one_connection_and_the_checkpoint(void **state)
{
	(void)state;
	AUTO(buffer) struct buffer text = BUFFER(RANGES_TEXT_BYTES_MAX);
	struct rig *rig = rig_new(serves_ranges, 64 * MIB);
	enum { COUNT = 500 };
	uint64_t length = 5000, recorded = 0;
	for (unsigned i = 0; i < COUNT; i++) {
		uint64_t first = (uint64_t)(i * 77 % COUNT) * 100000;
		assert_int_equal(buffer_print(&text, "%s%llu-%llu", i > 0 ? "," : "", (unsigned long long)first,
		                              (unsigned long long)(first + length - 1)), RESULT_OK);
	}
	rig->ranges = text.bytes;
	rig->limits.checkpoint_bytes = 256 * KIB;
	struct resume_known known = nothing_known;
	known.total = COUNT * length;
	start(rig, 0, "/file", known);
	int64_t until_ms = clock_mono_ms() + 2 * PATIENCE_MS;
	while (rig->finished < 1) {
		assert_true(clock_mono_ms() < until_ms);
		work(rig, 1000);
		assert_true(rig->files[0].end <= recorded + 256 * KIB);
		recorded = rig->told[0].written;
		transfer_recorded(rig->set, 0, recorded);
	}
	assert_int_equal(rig->told[0].result, RESULT_OK);
	assert_int_equal(rig->told[0].answered, 1);
	assert_int_equal(http_server_requests(rig->server), COUNT);
	assert_int_equal(http_server_connections(rig->server), 1);
	assert_int_equal(rig->files[0].end, COUNT * length);
	assert_int_equal(rig->files[0].reserved, COUNT * length);
	for (unsigned i = 0; i < COUNT; i++)
		for (uint64_t at = 0; at < length; at += 499)
			assert_int_equal(rig->files[0].bytes[i * length + at], content_byte(0, (uint64_t)(i * 77 % COUNT) * 100000 + at));
	rig_free(rig);
}

/* A size that was stated is that of what lands. */
static void transfer__ranges_with_a_stated_size__it_is_that_of_the_local_file(void **state)
{
	(void)state;
	struct rig *rig = rig_new(breaks, REMOTE);
	until_end = false;
	budget = SIZE_MAX / 2;
	rig->ranges = "0-9,900-";
	rig->is_size_stated = true;
	rig->stated = 110;
	struct resume_known known = nothing_known;
	known.total = 110;
	assert_int_equal(fetch(rig, known)->result, RESULT_OK);
	assert_int_equal(rig->told[0].written, 110);
	rig->stated = known.total = 111;
	assert_int_equal(fetch(rig, known)->result, RESULT_SIZE_MISMATCH);
	rig_free(rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(transfer__ranges__land_right_or_not_whatever_the_server_does),
		cmocka_unit_test(transfer__ranges__cut_at_any_byte__go_on_from_there),
		cmocka_unit_test(transfer__many_ranges__one_connection_and_the_checkpoint),
		cmocka_unit_test(transfer__ranges_with_a_stated_size__it_is_that_of_the_local_file),
	};
	return cmocka_run_group_tests_name("transfer ranges", tests, set_up_curl, NULL);
}
