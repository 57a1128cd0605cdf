/* runtime/store on a disk that fails or loses its power at every operation in turn; and how often it syncs. */
#include "runtime/failing_disk.h"

#include <stdlib.h>

#define STEPS 4
#define OPERATIONS_MAX 2000 /* no scenario comes near */

static char path[STORE_PATH_BYTES_MAX];

/* --- a small life of a queue: STEPS turns, each with a sum that tells how far it came --- */

static enum result insert_jobs(struct store *store, unsigned first, unsigned count, unsigned files)
{
	enum result result = RESULT_OK;
	for (unsigned i = first; result == RESULT_OK && i < first + count; i++) {
		struct job job = sample_job(OWNER, i);
		fill(job.properties.description, 3000, 'd'); /* some pages more than one */
		result = store_job_insert(store, &job, &seen);
		for (unsigned f = 0; result == RESULT_OK && f < files; f++) {
			struct file file = sample_file(f);
			result = store_file_insert(store, job.row, &file, file.path, &seen);
		}
	}
	return result;
}

static enum result finish_first_job(struct store *store)
{
	struct job job;
	struct file file;
	enum result result = store_job_by_id(store, sample_job(OWNER, 0).id, &job, &seen);
	for (uint32_t i = 0; result == RESULT_OK && i < 2; i++) {
		result = store_file_next(store, job.row, FILE_PENDING, i, &file, &seen);
		file.state = FILE_PUBLISHED;
		file.bytes_recorded = 50 + i;
		if (result == RESULT_OK)
			result = store_file_save(store, &file, &seen);
	}
	job.state = JOB_ACKNOWLEDGED;
	job.work = JOB_WORK_NONE;
	job.finished_ms = 5;
	return result == RESULT_OK ? store_job_save(store, &job, JOB_QUEUED, &seen) : result;
}

static enum result change(struct store *store, unsigned step)
{
	uint32_t count = 0;
	enum result result;

	switch (step) {
	case 0:
		return insert_jobs(store, 0, 1, 2);
	case 1:
		return insert_jobs(store, 1, 2, 1);
	case 2:
		result = store_savepoint(store, &seen);
		if (result == RESULT_OK) {
			result = insert_jobs(store, 90, 2, 1);
			store_undo(store);
		}
		return result == RESULT_OK ? finish_first_job(store) : result;
	default:
		result = insert_jobs(store, 10, 1, 1);
		return result == RESULT_OK ? store_jobs_forget(store, 6, 10, &count, &seen) : result;
	}
}

/* jobs, files, bytes recorded, after so many turns */
static const int64_t sums[STEPS + 1] = { 0, 1002000, 3004000, 3004101, 3003000 };

static enum result take_turn(struct store *store, unsigned step)
{
	enum result result = store_begin(store, &seen);
	if (result == RESULT_OK)
		result = change(store, step);
	if (result == RESULT_OK)
		result = store_commit(store, &seen);
	if (result != RESULT_OK)
		store_rollback(store);
	return result;
}

/* How many turns the database shows; it must be sound. */
static unsigned turns_in(sqlite3 *db)
{
	int64_t sum = raw_number(db, "SELECT (SELECT count(*) FROM job) * 1000000 + (SELECT count(*) FROM file) * 1000"
	                             " + (SELECT coalesce(sum(bytes_recorded), 0) FROM file)");
	assert_int_equal(raw_number(db, "SELECT integrity_check = 'ok' FROM pragma_integrity_check"), 1);
	assert_int_equal(raw_number(db, "SELECT count(*) FROM pragma_foreign_key_check"), 0);
	assert_int_equal(raw_number(db, "SELECT count(*) FROM job WHERE files_total <> "
	                                "(SELECT count(*) FROM file WHERE job_row = job.row) OR bytes_transferred <> "
	                                "(SELECT coalesce(sum(bytes_recorded), 0) FROM file WHERE job_row = job.row)"),
	                 0);
	for (unsigned turns = 0; turns <= STEPS; turns++) {
		if (sums[turns] == sum)
			return turns;
	}
	fail_msg("a database between two turns: %ld", (long)sum);
	return 0;
}

static unsigned turns_on_disk(void)
{
	AUTO(store) struct store *store = NULL;
	disk_put_in(DISK_WELL, 0); /* without the cost of real syncs */
	expect_ok(store_open(path, &store, &seen));
	unsigned turns = turns_in(opened_db);
	store_free(TAKE(store));
	disk_take_out(REST_ALL, 0);
	return turns;
}

/* --- a fault that passes: said once, and nothing is lost or half done --- */

static void assert_says(enum result result, enum disk_fault fault)
{
	enum result expected = fault == DISK_FULL ? RESULT_DISK_FULL : RESULT_IO_FAILED;
	if (result != expected)
		print_error("operation %u: %s (%s)\n", disk.operations, result_name(result), seen.what);
	assert_int_equal(result, expected);
	assert_int_equal(seen.result, expected);
	assert_int_equal(seen.source, FAULT_SQLITE);
}

/* Live through the scenario on a disk that fails from operation `at` until somebody is told.  False: it never did. */
static bool live_through(enum disk_fault fault, unsigned at)
{
	AUTO(store) struct store *store = NULL;

	disk_put_in(fault, at);
	enum result result = store_open(path, &store, &seen);
	if (result != RESULT_OK) {
		assert_says(result, fault);
		disk_heal();
		expect_ok(store_open(path, &store, &seen));
	}
	for (unsigned step = 0; step < STEPS; step++) {
		result = take_turn(store, step);
		if (result != RESULT_OK) {
			assert_says(result, fault);
			disk_heal();
			assert_int_equal(turns_in(opened_db), step); /* as if it had not been tried */
			expect_ok(take_turn(store, step));
		}
		if (step == 1) /* the WAL comes home and begins anew in the middle of life; a failure costs nothing */
			(void)sqlite3_wal_checkpoint_v2(opened_db, NULL, SQLITE_CHECKPOINT_RESTART, NULL, NULL);
	}
	store_free(TAKE(store)); /* the rest may fail here, unheard */
	bool failed = disk_failed() || disk.fault_at == 0;
	disk_take_out(REST_ALL, 0);
	assert_int_equal(turns_on_disk(), STEPS);
	return failed;
}

/* Each operation with ./check --long; else every twenty-third one, others in each scenario: most of them are migrations'. */
static unsigned stride(void)
{
	return getenv("FERRY_LONG") ? 1 : 23;
}

static void live_through_all(enum disk_fault fault)
{
	unsigned at = 1 + (unsigned)fault % stride();
	for (bool failed = true; failed; at += stride()) {
		assert_true(at < OPERATIONS_MAX);
		new_path(path);
		failed = live_through(fault, at);
		remove_store(path);
	}
	assert_true(at > 40); /* the scenario has not become trivial */
}

static void disk__that_breaks_at_any_operation__loses_nothing(void **state)
{
	(void)state;
	live_through_all(DISK_BROKEN);
}

static void disk__that_is_full_at_any_write__loses_nothing(void **state)
{
	(void)state;
	live_through_all(DISK_FULL);
}

/* --- a power cut: what was acknowledged is there, what was not is there wholly or not at all --- */

static bool cut_power(unsigned at, enum disk_rest rest)
{
	AUTO(store) struct store *store = NULL;
	unsigned acknowledged = 0;

	disk_put_in(DISK_POWER_CUT, at);
	bool alive = store_open(path, &store, &seen) == RESULT_OK;
	while (alive && acknowledged < STEPS) {
		alive = take_turn(store, acknowledged) == RESULT_OK;
		acknowledged += alive;
		if (alive && acknowledged == 2)
			(void)sqlite3_wal_checkpoint_v2(opened_db, NULL, SQLITE_CHECKPOINT_RESTART, NULL, NULL);
	}
	store_free(TAKE(store));
	bool failed = disk_failed();
	disk_take_out(rest, at);

	unsigned turns = turns_on_disk();
	if (turns < acknowledged || turns > acknowledged + 1)
		fail_msg("cut at operation %u: %u turns acknowledged, %u there", at, acknowledged, turns);
	return failed;
}

static void cut_power_everywhere(enum disk_rest rest)
{
	unsigned at = 1 + (unsigned)rest % stride();
	for (bool failed = true; failed; at += stride()) {
		assert_true(at < OPERATIONS_MAX);
		new_path(path);
		failed = cut_power(at, rest);
		remove_store(path);
	}
	assert_true(at > 60);
}

static void power__cut_at_any_operation_losing_all_that_was_not_synced__keeps_what_was_acknowledged(void **state)
{
	(void)state;
	cut_power_everywhere(REST_NOTHING);
}

static void power__cut_at_any_operation_losing_some_of_what_was_not_synced__keeps_what_was_acknowledged(void **state)
{
	(void)state;
	cut_power_everywhere(REST_SOME);
}

/* Nothing written is lost: the same as a kill of the process between two writes. */
static void process__killed_at_any_operation__keeps_what_was_acknowledged(void **state)
{
	(void)state;
	cut_power_everywhere(REST_ALL);
}

/* --- the price --- */

static void submit(struct store *store, unsigned number)
{
	expect_ok(store_savepoint(store, &seen));
	expect_ok(insert_jobs(store, number, 1, 1));
	expect_ok(store_release(store, &seen));
}

static unsigned syncs_of_turn(struct store *store, unsigned first, unsigned submits)
{
	unsigned before = disk.syncs;
	expect_ok(store_begin(store, &seen));
	for (unsigned i = 0; i < submits; i++)
		submit(store, first + i);
	expect_ok(store_commit(store, &seen));
	return disk.syncs - before;
}

static void turn__of_any_number_of_submits__costs_one_sync(void **state)
{
	(void)state;
	AUTO(store) struct store *store = NULL;
	uint64_t count = 0;

	new_path(path);
	disk_put_in(DISK_WELL, 0);
	expect_ok(store_open(path, &store, &seen));
	(void)syncs_of_turn(store, 0, 1); /* the WAL's first turn syncs its header as well */
	for (unsigned i = 1; i < 20; i++)
		assert_int_equal(syncs_of_turn(store, i, 1), 1);
	assert_int_equal(syncs_of_turn(store, 100, 16), 1);
	assert_int_equal(syncs_of_turn(store, 200, 0), 0);

	unsigned operations = disk.operations; /* a turn that only reads, and one that is undone, touch nothing */
	expect_ok(store_begin(store, &seen));
	expect_ok(store_jobs_count(store, OWNER, &count, &seen));
	expect_ok(store_commit(store, &seen));
	assert_int_equal(count, 36);
	expect_ok(store_begin(store, &seen));
	submit(store, 300);
	store_rollback(store);
	assert_int_equal(disk.operations, operations);
	store_free(TAKE(store));
	disk_take_out(REST_ALL, 0);
	remove_store(path);
}

/* The WAL comes home every 1000 pages, so it stays small however long the service runs. */
static void wal__over_many_turns__stays_within_its_limit(void **state)
{
	(void)state;
	AUTO(store) struct store *store = NULL;
	unsigned checkpoints = 0;

	new_path(path);
	disk_put_in(DISK_WELL, 0);
	expect_ok(store_open(path, &store, &seen));
	for (unsigned i = 0; i < 1000; i++)
		checkpoints += syncs_of_turn(store, i, 1) > 1;
	assert_true(checkpoints >= 3);
	for (size_t i = 0; i < disk.count; i++) {
		if (strstr(disk.contents[i].name, "-wal"))
			assert_true(disk.contents[i].size < 8388608);
	}
	store_free(TAKE(store));
	disk_take_out(REST_ALL, 0);
	remove_store(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(disk__that_breaks_at_any_operation__loses_nothing),
		cmocka_unit_test(disk__that_is_full_at_any_write__loses_nothing),
		cmocka_unit_test(power__cut_at_any_operation_losing_all_that_was_not_synced__keeps_what_was_acknowledged),
		cmocka_unit_test(power__cut_at_any_operation_losing_some_of_what_was_not_synced__keeps_what_was_acknowledged),
		cmocka_unit_test(process__killed_at_any_operation__keeps_what_was_acknowledged),
		cmocka_unit_test(turn__of_any_number_of_submits__costs_one_sync),
		cmocka_unit_test(wal__over_many_turns__stays_within_its_limit),
	};
	return cmocka_run_group_tests(tests, watch_opens, NULL);
}
