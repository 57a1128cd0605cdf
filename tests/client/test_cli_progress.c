#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cli/format.h"
#include "cli/progress.h"

#define WALL_MS 1000000

static struct progress at_rate(uint64_t bytes_per_s, int64_t until_ms)
{
	struct progress progress = { .count = 0 };

	for (int64_t now_ms = 0; now_ms <= until_ms; now_ms += 250)
		progress_note(&progress, now_ms, bytes_per_s * (uint64_t)now_ms / 1000);
	return progress;
}

static void progress__a_steady_line__has_its_rate(void **state)
{
	struct progress progress = at_rate(1000, 60000);
	uint64_t rate = progress_rate(&progress, 60000);

	(void)state;
	assert_in_range(rate, 990, 1010);
}

static void progress__a_silent_line__gets_slower_until_nothing_is_left(void **state)
{
	struct progress progress = at_rate(1000, 60000);

	(void)state;
	assert_in_range(progress_rate(&progress, 65000), 300, 700);
	assert_int_equal(progress_rate(&progress, 80000), 0);
}

static void progress__too_little_is_known__gives_no_rate(void **state)
{
	struct progress progress = { .count = 0 };

	(void)state;
	assert_int_equal(progress_rate(&progress, 0), 0);
	progress_note(&progress, 0, 5000);
	assert_int_equal(progress_rate(&progress, 5000), 0);
	progress_note(&progress, 100, 6000);
	assert_int_equal(progress_rate(&progress, 100), 0);
}

static void progress__bytes_that_go_back__begin_anew(void **state)
{
	struct progress progress = at_rate(1000, 10000);

	(void)state;
	progress_note(&progress, 10250, 0);
	assert_int_equal(progress_rate(&progress, 11000), 0);
	progress_note(&progress, 11250, 2000);
	assert_int_equal(progress_rate(&progress, 11250), 2000);
}

static struct ferry_status running(void)
{
	return (struct ferry_status){ .state = FERRY_STATE_TRANSFERRING,
		                          .files_total = 7,
		                          .files_transferred = 3,
		                          .bytes_total = 40960,
		                          .bytes_transferred = 10240,
		                          .bytes_total_is_known = true };
}

static void check_line(const struct progress *progress, const struct ferry_status *status, unsigned columns,
                       const char *expected)
{
	char line[PROGRESS_LINE_BYTES_MAX];

	progress_line(progress, 10000, WALL_MS, status, columns, line);
	assert_string_equal(line, expected);
	assert_true(format_columns(line) <= columns);
}

static void progress__the_line__says_more_on_a_wider_terminal(void **state)
{
	struct progress progress = at_rate(1024, 10000);
	struct ferry_status status = running();

	(void)state;
	check_line(&progress, &status, 100,
	           "[=======>                    ]  25%  10.0 KiB/40.0 KiB  1.0 KiB/s  0:30 left  3/7 files");
	check_line(&progress, &status, 75, "[====>           ]  25%  10.0 KiB/40.0 KiB  1.0 KiB/s  0:30 left  3/7 files");
	check_line(&progress, &status, 65, " 25%  10.0 KiB/40.0 KiB  1.0 KiB/s  0:30 left  3/7 files");
	check_line(&progress, &status, 50, " 25%  10.0 KiB/40.0 KiB  1.0 KiB/s  0:30 left");
	check_line(&progress, &status, 39, "[==>       ]  25%  1.0 KiB/s  0:30 left");
	check_line(&progress, &status, 20, " 25%  1.0 KiB/s  ...");
	status.bytes_total_is_known = false;
	check_line(&progress, &status, 100, "10.0 KiB  1.0 KiB/s  3/7 files");
	check_line(&progress, &status, 25, "10.0 KiB  1.0 KiB/s");
}

static void check_reason(enum ferry_wait_reason wait, enum ferry_state at, const char *error, const char *expected)
{
	struct ferry_status status = { .state = at, .wait = wait, .next_try_ms = WALL_MS + 29001 };
	char reason[96];

	memcpy(status.error.name, error, strlen(error) + 1);
	progress_reason(&status, WALL_MS, reason, sizeof(reason));
	assert_string_equal(reason, expected);
}

static void progress__why_nothing_moves__is_told(void **state)
{
	(void)state;
	check_reason(FERRY_WAIT_NONE, FERRY_STATE_TRANSFERRING, "", "");
	check_reason(FERRY_WAIT_SLOT, FERRY_STATE_QUEUED, "", "other jobs come first");
	check_reason(FERRY_WAIT_OWNER_ABSENT, FERRY_STATE_QUEUED, "", "owner absent");
	check_reason(FERRY_WAIT_TOKEN, FERRY_STATE_QUEUED, "", "no helper token");
	check_reason(FERRY_WAIT_WORKERS, FERRY_STATE_QUEUED, "", "other identities come first");
	check_reason(FERRY_WAIT_RETRY, FERRY_STATE_TRANSIENT_ERROR, "CONNECT_FAILED", "retry in 0:30 (CONNECT_FAILED)");
	check_reason(FERRY_WAIT_NONE, FERRY_STATE_ERROR, "DENIED", "DENIED");
	check_reason(FERRY_WAIT_OTHER, FERRY_STATE_QUEUED, "", "waits");
	check_reason(FERRY_WAIT_RATE, FERRY_STATE_QUEUED, "", "off by rate.limits, for 0:30");
	check_reason(FERRY_WAIT_NO_NETWORK, FERRY_STATE_TRANSIENT_ERROR, "CONNECT_FAILED", "no network, retry in 0:30 (CONNECT_FAILED)");
	check_reason(FERRY_WAIT_METERED, FERRY_STATE_QUEUED, "", "metered network");
	check_reason(FERRY_WAIT_ROAMING, FERRY_STATE_QUEUED, "", "roaming network");
	check_reason(FERRY_WAIT_BATTERY_SAVER, FERRY_STATE_QUEUED, "", "battery saver");

	struct ferry_status for_ever = { .state = FERRY_STATE_QUEUED, .wait = FERRY_WAIT_RATE };
	char reason[96];

	progress_reason(&for_ever, WALL_MS, reason, sizeof(reason));
	assert_string_equal(reason, "off by rate.limits");
}

static void progress__a_job_that_waits__shows_why_instead_of_a_rate(void **state)
{
	struct progress progress = { .count = 0 };
	struct ferry_status status = running();

	(void)state;
	status.state = FERRY_STATE_QUEUED;
	status.wait = FERRY_WAIT_OWNER_ABSENT;
	check_line(&progress, &status, 65, " 25%  10.0 KiB/40.0 KiB  QUEUED, owner absent  3/7 files");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(progress__a_steady_line__has_its_rate),
		cmocka_unit_test(progress__a_silent_line__gets_slower_until_nothing_is_left),
		cmocka_unit_test(progress__too_little_is_known__gives_no_rate),
		cmocka_unit_test(progress__bytes_that_go_back__begin_anew),
		cmocka_unit_test(progress__the_line__says_more_on_a_wider_terminal),
		cmocka_unit_test(progress__why_nothing_moves__is_told),
		cmocka_unit_test(progress__a_job_that_waits__shows_why_instead_of_a_rate),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
