#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "core/metrics.h"

static void metrics_add__samples_of_a_metric__share_its_head(void **state)
{
	AUTO(buffer) struct buffer text = BUFFER(METRICS_BYTES_MAX);
	struct metrics metrics = METRICS(&text);
	(void)state;
	metrics_add_ms(&metrics, METRIC_START_TIME, 1795255200007);
	metrics_add(&metrics, METRIC_JOBS_WAITING, "slot", 0);
	metrics_add(&metrics, METRIC_JOBS_WAITING, "retry", UINT64_MAX);
	metrics_add(&metrics, METRIC_JOBS_CREATED, NULL, 12);
	assert_int_equal(metrics.result, RESULT_OK);
	assert_string_equal(text.bytes, "# HELP ferry_start_time_seconds When the service started, in Unix time.\n"
	                                "# TYPE ferry_start_time_seconds gauge\n"
	                                "ferry_start_time_seconds 1795255200.007\n"
	                                "# HELP ferry_jobs_waiting Jobs that wait, by what for.\n"
	                                "# TYPE ferry_jobs_waiting gauge\n"
	                                "ferry_jobs_waiting{reason=\"slot\"} 0\n"
	                                "ferry_jobs_waiting{reason=\"retry\"} 18446744073709551615\n"
	                                "# HELP ferry_jobs_created_total Jobs that were created.\n"
	                                "# TYPE ferry_jobs_created_total counter\n"
	                                "ferry_jobs_created_total 12\n");
}

static void label__with_what_would_end_it__is_escaped(void **state)
{
	AUTO(buffer) struct buffer text = BUFFER(METRICS_BYTES_MAX);
	struct metrics metrics = METRICS(&text);
	(void)state;
	metrics_add(&metrics, METRIC_BUILD_INFO, "a\\b\"c\nd \xC3\xA4}", 1);
	assert_non_null(strstr(text.bytes, "\nferry_build_info{version=\"a\\\\b\\\"c\\nd \xC3\xA4}\"} 1\n"));
}

static void buffer__too_small__is_told(void **state)
{
	AUTO(buffer) struct buffer text = BUFFER(40);
	struct metrics metrics = METRICS(&text);
	(void)state;
	metrics_add(&metrics, METRIC_WORKERS, NULL, 1);
	assert_int_equal(metrics.result, RESULT_TOO_LARGE);
}

/* What promtool check metrics wants of names, and what the format wants of help. */
static void table__every_row__follows_the_conventions(void **state)
{
	static const struct {
		const char *name, *type, *label, *help;
	} rows[] = {
#define METRIC(id, name, type, label, help) { name, type, label, help },
#include "core/metrics.def"
#undef METRIC
	};
	(void)state;
	for (size_t i = 0; i < METRIC_COUNT; i++) {
		const char *name = rows[i].name;
		size_t length = strlen(name);
		bool total = length > 6 && strcmp(name + length - 6, "_total") == 0;
		assert_memory_equal(name, "ferry_", 6);
		assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz_"), length);
		assert_int_equal(total, strcmp(rows[i].type, "counter") == 0);
		assert_true(total || strcmp(rows[i].type, "gauge") == 0);
		assert_int_equal(strspn(rows[i].label, "abcdefghijklmnopqrstuvwxyz_"), strlen(rows[i].label));
		assert_null(strpbrk(rows[i].help, "\\\n"));
		assert_null(strstr(name, "_ms"));
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(name, rows[j].name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(metrics_add__samples_of_a_metric__share_its_head),
		cmocka_unit_test(label__with_what_would_end_it__is_escaped),
		cmocka_unit_test(buffer__too_small__is_told),
		cmocka_unit_test(table__every_row__follows_the_conventions),
	};
	return cmocka_run_group_tests_name("core/metrics", tests, NULL, NULL);
}
