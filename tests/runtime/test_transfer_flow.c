/* When things take long: silence, stopping, back pressure, many at once, a full disk. */
#include "transfer_rig.h"

/* --- no server, slow server --- */

static void transfer__nobody_listens__is_connect_failed(void **state)
{
	char url[128];
	(void)state;
	struct rig *rig = rig_new(NULL, 0);
	snprintf(url, sizeof(url), "http://127.0.0.1:%u/file?sig=" SECRET, http_closed_port());
	start_url(rig, 0, url, nothing_known);
	struct told *told = finish_all(rig, 1);
	assert_int_equal(told->result, RESULT_CONNECT_FAILED);
	assert_int_equal(told->fault.source, FAULT_CURL);
	assert_int_equal(told->status, 0);
	assert_non_null(strstr(told->fault.what, "/file?..."));
	rig_free(rig);
}

static bool stalls(void *context, const struct http_request *request, struct http_connection *connection)
{
	struct rig *rig = context;
	if (strncmp(request->target, "/body", 5) == 0) {
		http_print(connection, "HTTP/1.1 200 OK\r\nContent-Length: %llu\r\n\r\n", (unsigned long long)rig->size);
		send_content(connection, 0, 0, 5000);
	} else if (strncmp(request->target, "/redirect", 9) == 0) {
		http_print(connection, "HTTP/1.1 302 Found\r\nLocation: /file\r\nContent-Length: 5\r\n\r\nmov");
	} else if (strncmp(request->target, "/error", 6) == 0) {
		http_print(connection, "HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\nnop");
	}
	http_hold(connection);
	return false;
}

static void transfer__server_falls_silent__is_stalled_in_every_phase(void **state)
{
	static const char *const paths[] = { "/head", "/redirect", "/body", "/error" };
	(void)state;
	struct rig *rig = rig_new(stalls, 10000);
	rig->limits.stall_timeout_s = 1;
	for (unsigned i = 0; i < 4; i++)
		start(rig, i, paths[i], nothing_known);
	struct told *told = finish_all(rig, 4);
	assert_int_equal(told[0].result, RESULT_STALLED);
	assert_int_equal(told[1].result, RESULT_STALLED);
	assert_int_equal(told[2].result, RESULT_STALLED);
	assert_int_equal(told[2].written, 5000);
	assert_content(&rig->files[2], 0, 0, 5000);
	assert_int_equal(told[3].result, RESULT_HTTP_STATUS); /* known before the silence */
	rig_free(rig);
}

/* Of a job that is less or more patient than the settings; side by side with others. */
static void transfer__patience_of_its_own__is_for_the_first_byte_and_for_later_ones(void **state)
{
	(void)state;
	struct rig *rig = rig_new(stalls, 10000);
	rig->limits.stall_timeout_s = 3;
	start(rig, 0, "/head", nothing_known); /* as the settings say */
	rig->first_byte_s = 1;
	rig->stall_s = 60;
	start(rig, 1, "/head", nothing_known);
	start(rig, 2, "/body", nothing_known); /* the head came in time, and the body may take long */
	rig->first_byte_s = 60;
	rig->stall_s = 1;
	start(rig, 3, "/head", nothing_known);
	start(rig, 4, "/body", nothing_known);
	int64_t begun_ms = clock_mono_ms();
	while (rig->told[1].finished + rig->told[4].finished < 2)
		work(rig, 1000);
	assert_true(clock_mono_ms() - begun_ms < 2900);
	assert_int_equal(rig->told[0].finished, 0);
	struct told *told = rig->told;
	while (told[0].finished == 0)
		work(rig, 1000);
	assert_int_equal(told[0].result, RESULT_STALLED);
	assert_int_equal(told[1].result, RESULT_STALLED);
	assert_int_equal(told[4].result, RESULT_STALLED);
	assert_int_equal(told[4].written, 5000);
	assert_int_equal(told[2].finished + told[3].finished, 0);
	rig_free(rig);
}

/* --- stopping --- */

static bool sends_a_part(void *context, const struct http_request *request, struct http_connection *connection)
{
	struct rig *rig = context;
	(void)request;
	http_print(connection, "HTTP/1.1 200 OK\r\nContent-Length: %llu\r\n\r\n", (unsigned long long)rig->size);
	send_content(connection, 0, 0, 2 * MIB + 100000);
	release(rig);
	http_hold(connection);
	return false;
}

static void transfer__stopped_in_the_middle__has_written_what_came(void **state)
{
	(void)state;
	struct rig *rig = rig_new(sends_a_part, 8 * MIB);
	start(rig, 0, "/file", nothing_known);
	while (rig->told[0].written < 2 * MIB)
		work(rig, 1000);
	wait_for_release(rig); /* everything is in the sockets now */
	for (int i = 0; i < 20; i++)
		work(rig, 10);
	transfer_stop(rig->set, 0);
	struct told *told = finish_all(rig, 1);
	assert_int_equal(told->result, RESULT_CANCELLED);
	assert_int_equal(told->written, 2 * MIB + 100000);
	assert_int_equal(rig->files[0].end, told->written);
	assert_content(&rig->files[0], 0, 0, told->written);
	transfer_stop(rig->set, 0); /* nobody there: nothing */
	assert_int_equal(told->finished, 1);
	rig_free(rig);
}

static void transfer__stopped_before_it_began__has_what_it_had(void **state)
{
	(void)state;
	struct rig *rig = rig_new(well, 1000);
	start(rig, 0, "/file", have(rig, 500));
	transfer_stop(rig->set, 0);
	struct told *told = finish_all(rig, 1);
	assert_int_equal(told->result, RESULT_CANCELLED);
	assert_int_equal(told->written, 500);
	assert_int_equal(http_server_requests(rig->server), 0);
	rig_free(rig);
}

static void transfer__set_freed_in_the_middle__tells_nobody(void **state)
{
	(void)state;
	struct rig *rig = rig_new(sends_a_part, 8 * MIB);
	for (int64_t row = 0; row < 10; row++) /* six run, four wait */
		start(rig, row, "/file", nothing_known);
	while (rig->told[0].answered == 0)
		work(rig, 1000);
	transfer_set_free(rig->set);
	rig->set = NULL;
	assert_int_equal(rig->finished, 0);
	rig_free(rig);
}

/* --- back pressure --- */

static void transfer__nothing_recorded__waits_at_the_checkpoint_and_is_not_stalled(void **state)
{
	/* No multiple of curl's pieces or our blocks: what is in a block must be written before the wait. */
	const uint64_t checkpoint_bytes = 250 * KIB;
	(void)state;
	struct rig *rig = rig_new(well, 3 * MIB + 77);
	struct told *told = &rig->told[0];
	rig->limits.checkpoint_bytes = checkpoint_bytes;
	rig->limits.stall_timeout_s = 1;
	start(rig, 0, "/file", nothing_known);
	int64_t until_ms = clock_mono_ms() + 1500; /* longer than a stall may take */
	while (told->written < checkpoint_bytes - 16 * KIB || clock_mono_ms() < until_ms) {
		work(rig, 50);
		assert_true(rig->files[0].end <= checkpoint_bytes);
		assert_true(clock_mono_ms() < until_ms + PATIENCE_MS);
	}
	assert_int_equal(told->finished, 0);
	while (told->finished == 0) {
		uint64_t recorded = told->written;
		transfer_recorded(rig->set, 0, recorded);
		work(rig, 1000);
		assert_true(rig->files[0].end <= recorded + checkpoint_bytes);
	}
	assert_int_equal(told->result, RESULT_OK);
	assert_content(&rig->files[0], 0, 0, rig->size);
	rig_free(rig);
}

static void transfer__stopped_while_it_waits__has_written_what_it_took(void **state)
{
	(void)state;
	struct rig *rig = rig_new(well, 3 * MIB);
	rig->limits.checkpoint_bytes = 64 * KIB;
	start(rig, 0, "/file", nothing_known);
	while (rig->told[0].written < 48 * KIB)
		work(rig, 1000);
	transfer_stop(rig->set, 0);
	struct told *told = finish_all(rig, 1);
	assert_int_equal(told->result, RESULT_CANCELLED);
	assert_int_equal(told->written, rig->files[0].end);
	assert_content(&rig->files[0], 0, 0, told->written);
	rig_free(rig);
}

/* --- limits --- */

static struct rate_limits limits_of(const char *rule)
{
	struct rate_rule read;

	assert_int_equal(rate_parse(text_view(rule), &read, NULL), RESULT_OK);
	return rate_at(&read, 1, 0);
}

/* Never faster than that: how much slower a busy machine is says nothing. */
static void transfer__limited__all_of_its_class_share_what_there_is(void **state)
{
	(void)state;
	AUTO(throttle) struct throttle *throttle = throttle_new();
	struct rig *rig = rig_new(well, 150000);
	struct rate_limits limits = limits_of("background 200kB/s");
	rig->limits.throttle = throttle;
	rig->limits.stall_timeout_s = 1;
	throttle_set(throttle, &limits);
	int64_t begun_ms = clock_mono_ms();
	rig->priority = JOB_LOW;
	start(rig, 0, "/file", nothing_known);
	start(rig, 1, "/file", nothing_known);
	rig->priority = JOB_FOREGROUND;
	start(rig, 2, "/file", nothing_known);
	while (rig->told[2].finished == 0)
		work(rig, 1000);
	assert_int_equal(rig->told[2].result, RESULT_OK);
	struct told *told = finish_all(rig, 3);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(told[i].result, RESULT_OK);
		assert_content(&rig->files[i], 0, 0, rig->size);
	}
	/* 300,000 bytes, less a burst of 0.1 s, and curl's last piece of each, which nobody waits for. */
	assert_true(clock_mono_ms() - begun_ms >= (300000 - 20000 - 2 * 16384) / 200);
	rig_free(rig);
}

static void transfer__comes_while_others_use_all_there_is__gets_its_share(void **state)
{
	(void)state;
	AUTO(throttle) struct throttle *throttle = throttle_new();
	struct rig *rig = rig_new(well, 3 * MIB);
	struct rate_limits limits = limits_of("all 400kB/s");
	rig->limits.throttle = throttle;
	throttle_set(throttle, &limits);
	start(rig, 0, "/file", nothing_known);
	start(rig, 1, "/file", nothing_known);
	for (int64_t until_ms = clock_mono_ms() + 1000; clock_mono_ms() < until_ms;)
		work(rig, 100);
	start(rig, 2, "/file", nothing_known);
	for (int64_t until_ms = clock_mono_ms() + PATIENCE_MS; rig->told[2].written < 100000;) {
		work(rig, 100);
		assert_true(clock_mono_ms() < until_ms);
	}
	assert_int_equal(rig->finished, 0);
	for (int64_t row = 0; row < 3; row++)
		transfer_stop(rig->set, row);
	(void)finish_all(rig, 3);
	rig_free(rig);
}

/* Nobody waits out what an old limit asked for, nor is the server blamed for it. */
static void transfer__off_for_longer_than_a_stall__goes_on_when_it_may(void **state)
{
	(void)state;
	AUTO(throttle) struct throttle *throttle = throttle_new();
	struct rig *rig = rig_new(well, 150000);
	struct rate_limits off = limits_of("all off"), slow = limits_of("all 1B/s"), none = rate_at(NULL, 0, 0);
	const struct rate_limits *const each[] = { &off, &slow };
	rig->limits.throttle = throttle;
	rig->limits.stall_timeout_s = 1;
	for (int64_t row = 0; row < 2; row++) {
		throttle_set(throttle, each[row]);
		start(rig, row, "/file", nothing_known);
		for (int64_t until_ms = clock_mono_ms() + 2500; clock_mono_ms() < until_ms;)
			work(rig, 100);
		assert_int_equal(rig->told[row].finished, 0);
		assert_true(rig->files[row].end <= 16384);
		throttle_set(throttle, &none);
		while (rig->told[row].finished == 0)
			work(rig, 1000);
		assert_int_equal(rig->told[row].result, RESULT_OK);
		assert_content(&rig->files[row], 0, 0, rig->size);
	}
	rig_free(rig);
}

/* --- many --- */

static void transfer__fifty_at_once__share_a_few_connections(void **state)
{
	(void)state;
	struct rig *rig = rig_new(well, 150000);
	rig->limits.connections_per_host_max = 4;
	for (int64_t row = 0; row < 50; row++)
		start(rig, row, "/file", nothing_known);
	struct told *told = finish_all(rig, 50);
	for (size_t i = 0; i < 50; i++) {
		assert_int_equal(told[i].result, RESULT_OK);
		assert_int_equal(rig->files[i].writes, 1);
		assert_content(&rig->files[i], 0, 0, rig->size);
	}
	assert_true(http_server_connections_open_max(rig->server) <= 4);
	assert_true(http_server_connections(rig->server) <= 4);
	rig_free(rig);
}

static bool first_waits(void *context, const struct http_request *request, struct http_connection *connection)
{
	if (request->number == 0)
		wait_for_release(context);
	return well(context, request, connection);
}

static void transfer__waiting_for_a_connection__does_not_time_out(void **state)
{
	(void)state;
	struct rig *rig = rig_new(first_waits, 1000);
	rig->limits.connections_per_host_max = 1;
	rig->limits.connect_timeout_ms = 300;
	start(rig, 0, "/file", nothing_known);
	start(rig, 1, "/file", nothing_known);
	int64_t until_ms = clock_mono_ms() + 700;
	while (clock_mono_ms() < until_ms)
		work(rig, 50);
	assert_int_equal(rig->finished, 0);
	release(rig);
	struct told *told = finish_all(rig, 2);
	assert_int_equal(told[0].result, RESULT_OK);
	assert_int_equal(told[1].result, RESULT_OK);
	rig_free(rig);
}

/* --- the disk --- */

static void transfer__file_larger_than_the_disk__fails_before_the_first_write(void **state)
{
	(void)state;
	struct rig *rig = rig_new(well, 8 * MIB);
	rig->files[0].room = 4 * MIB;
	struct told *told = fetch(rig, nothing_known);
	assert_int_equal(told->result, RESULT_DISK_FULL);
	assert_int_equal(told->written, 0);
	assert_int_equal(rig->files[0].writes, 0);
	rig_free(rig);
}

static void transfer__disk_full_in_the_middle__tells_how_much_was_written(void **state)
{
	(void)state;
	struct rig *rig = rig_new(until_close, 8 * MIB);
	rig->files[0].room = 4 * MIB;
	struct told *told = fetch(rig, nothing_known);
	assert_int_equal(told->result, RESULT_DISK_FULL);
	assert_int_equal(told->written, 4 * MIB);
	assert_int_equal(rig->files[0].end, 4 * MIB);
	rig_free(rig);
}

/* --- the rest --- */

static void transfer__woken__returns_from_work_without_a_transfer(void **state)
{
	(void)state;
	struct rig *rig = rig_new(well, 10);
	assert_int_equal(fetch(rig, nothing_known)->result, RESULT_OK);
	int64_t begin_ms = clock_mono_ms();
	transfer_wake(rig->set);
	work(rig, PATIENCE_MS);
	assert_true(clock_mono_ms() - begin_ms < PATIENCE_MS / 2);
	rig_free(rig);
}

static void transfer__codes_of_curl__become_results(void **state)
{
	static const struct {
		CURLcode code;
		enum transfer_phase phase;
		enum result result;
	} cases[] = {
		{ CURLE_OK, TRANSFER_ANSWERED, RESULT_OK },
		{ CURLE_COULDNT_RESOLVE_HOST, TRANSFER_CONNECTING, RESULT_NAME_NOT_RESOLVED },
		{ CURLE_COULDNT_CONNECT, TRANSFER_CONNECTING, RESULT_CONNECT_FAILED },
		{ CURLE_OPERATION_TIMEDOUT, TRANSFER_CONNECTING, RESULT_CONNECT_FAILED },
		{ CURLE_OPERATION_TIMEDOUT, TRANSFER_REDIRECTED, RESULT_CONNECT_FAILED },
		{ CURLE_OPERATION_TIMEDOUT, TRANSFER_ANSWERED, RESULT_STALLED },
		{ CURLE_SSL_CONNECT_ERROR, TRANSFER_CONNECTING, RESULT_CONNECT_FAILED },
		{ CURLE_PEER_FAILED_VERIFICATION, TRANSFER_CONNECTING, RESULT_CERTIFICATE },
		{ CURLE_RECV_ERROR, TRANSFER_ANSWERED, RESULT_CONNECTION_CLOSED },
		{ CURLE_PARTIAL_FILE, TRANSFER_ANSWERED, RESULT_CONNECTION_CLOSED },
		{ CURLE_GOT_NOTHING, TRANSFER_ASKED, RESULT_CONNECTION_CLOSED },
		{ CURLE_TOO_MANY_REDIRECTS, TRANSFER_REDIRECTED, RESULT_REDIRECT_REFUSED },
		{ CURLE_UNSUPPORTED_PROTOCOL, TRANSFER_REDIRECTED, RESULT_REDIRECT_REFUSED },
		{ CURLE_UNSUPPORTED_PROTOCOL, TRANSFER_ASKED, RESULT_BAD_RESPONSE },
		{ CURLE_URL_MALFORMAT, TRANSFER_CONNECTING, RESULT_NOT_SUPPORTED },
		{ CURLE_WEIRD_SERVER_REPLY, TRANSFER_ASKED, RESULT_BAD_RESPONSE },
		{ CURLE_OUT_OF_MEMORY, TRANSFER_ASKED, RESULT_NO_MEMORY },
		{ CURLE_LDAP_CANNOT_BIND, TRANSFER_ASKED, RESULT_SYSTEM },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(result_from_curl(cases[i].code, cases[i].phase), cases[i].result);
}

static void transfer__bad_url__is_refused_at_the_start(void **state)
{
	struct fault fault;
	(void)state;
	struct rig *rig = rig_new(NULL, 0);
	const struct transfer_handler handler = { on_answered, on_written, on_finished, rig };
	assert_int_equal(transfer_set_new(&rig->limits, &handler, &rig->set, &fault), RESULT_OK);
	const struct transfer_order order = { .url = "file:///etc/passwd", .file = &rig->files[0], .known = nothing_known };
	assert_int_equal(transfer_start(rig->set, &order, &fault), RESULT_BAD_URL);
	assert_int_equal(transfer_count(rig->set), 0);
	rig_free(rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(transfer__nobody_listens__is_connect_failed),
		cmocka_unit_test(transfer__server_falls_silent__is_stalled_in_every_phase),
		cmocka_unit_test(transfer__patience_of_its_own__is_for_the_first_byte_and_for_later_ones),
		cmocka_unit_test(transfer__stopped_in_the_middle__has_written_what_came),
		cmocka_unit_test(transfer__stopped_before_it_began__has_what_it_had),
		cmocka_unit_test(transfer__set_freed_in_the_middle__tells_nobody),
		cmocka_unit_test(transfer__nothing_recorded__waits_at_the_checkpoint_and_is_not_stalled),
		cmocka_unit_test(transfer__stopped_while_it_waits__has_written_what_it_took),
		cmocka_unit_test(transfer__limited__all_of_its_class_share_what_there_is),
		cmocka_unit_test(transfer__comes_while_others_use_all_there_is__gets_its_share),
		cmocka_unit_test(transfer__off_for_longer_than_a_stall__goes_on_when_it_may),
		cmocka_unit_test(transfer__fifty_at_once__share_a_few_connections),
		cmocka_unit_test(transfer__waiting_for_a_connection__does_not_time_out),
		cmocka_unit_test(transfer__file_larger_than_the_disk__fails_before_the_first_write),
		cmocka_unit_test(transfer__disk_full_in_the_middle__tells_how_much_was_written),
		cmocka_unit_test(transfer__woken__returns_from_work_without_a_transfer),
		cmocka_unit_test(transfer__codes_of_curl__become_results),
		cmocka_unit_test(transfer__bad_url__is_refused_at_the_start),
	};
	return cmocka_run_group_tests_name("transfer_flow", tests, set_up_curl, NULL);
}
