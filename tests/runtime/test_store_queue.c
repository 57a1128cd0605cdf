/* runtime/store: which jobs, in which order, by which index; and rows that nobody wrote. */
#include "runtime/store_fixture.h"

#define OTHER "S-1-5-21-1000-2000-3000-1002"
#define INTEGRITY 0x2000u /* sample_job's */
#define LIST_MAX 64

static char path[STORE_PATH_BYTES_MAX];
static struct store *store;

static int set_up(void **state)
{
	(void)state;
	new_path(path);
	expect_ok(store_open(path, &store, &seen));
	expect_ok(store_begin(store, &seen));
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	store_rollback(store);
	store_free(TAKE(store));
	remove_store(path);
	return 0;
}

static int64_t insert(const char *owner, unsigned number, enum job_state state, enum job_work work)
{
	struct job job = sample_job(owner, number);
	job.state = state;
	job.work = work;
	return insert_job(store, job);
}

/* --- what runs next --- */

static size_t runnable(const char *owner, int64_t now_ms, size_t size, int64_t rows[LIST_MAX])
{
	static struct job jobs[LIST_MAX];
	size_t count = 0;

	struct job_owner of = sample_owner(owner);
	size_t all = 0;
	for (int priority = 0; priority < JOB_PRIORITY_COUNT; priority++) {
		expect_ok(store_jobs_runnable(store, &of, (enum job_priority)priority, JOB_WORK_TRANSFER, now_ms, jobs, size - all, &count, &seen));
		for (size_t i = 0; i < count; i++)
			rows[all++] = jobs[i].row;
	}
	return all;
}

static void runnable__are_the_owners_jobs_with_work__by_priority_and_wait(void **state)
{
	(void)state;
	static const struct {
		enum job_priority priority;
		int64_t state_since_ms;
	} kinds[] = { { JOB_LOW, 1 }, { JOB_NORMAL, 9 }, { JOB_NORMAL, 3 }, { JOB_FOREGROUND, 20 }, { JOB_NORMAL, 3 } };
	static const size_t expected[] = { 3, 2, 4, 1, 0 };
	int64_t rows[5], found[LIST_MAX];

	(void)insert(OTHER, 100, JOB_QUEUED, JOB_WORK_TRANSFER);
	(void)insert(OWNER, 101, JOB_SUSPENDED, JOB_WORK_NONE);
	struct job higher = sample_job(OWNER, 102);
	higher.owner_integrity = INTEGRITY + 1;
	int64_t higher_row = insert_job(store, higher);
	struct job elevated = sample_job(OWNER, 103);
	elevated.owner_elevated = true;
	int64_t elevated_row = insert_job(store, elevated);
	for (unsigned i = 0; i < 5; i++) {
		struct job job = sample_job(OWNER, i);
		job.properties.priority = kinds[i].priority;
		job.state_since_ms = kinds[i].state_since_ms;
		job.work = i % 2 ? JOB_WORK_SWEEP : JOB_WORK_PUBLISH;
		rows[i] = insert_job(store, job);
	}
	assert_int_equal(runnable(OWNER, 50, LIST_MAX, found), 5);
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(found[i], rows[expected[i]]);
	assert_int_equal(runnable(OWNER, 50, 2, found), 2);
	assert_int_equal(found[1], rows[expected[1]]);
	assert_int_equal(runnable(OWNER, 50, 0, found), 0);
	assert_int_equal(runnable("S-1-5-18", 50, LIST_MAX, found), 0);

	size_t count = 0;
	struct job job;
	struct job_owner of = { OWNER, INTEGRITY + 1, false };
	expect_ok(store_jobs_runnable(store, &of, JOB_NORMAL, JOB_WORK_TRANSFER, 50, &job, 1, &count, &seen));
	assert_int_equal(count, 1);
	assert_int_equal(job.row, higher_row);
	of = (struct job_owner){ OWNER, INTEGRITY, true };
	expect_ok(store_jobs_runnable(store, &of, JOB_NORMAL, JOB_WORK_TRANSFER, 50, &job, 1, &count, &seen));
	assert_int_equal(count, 1);
	assert_int_equal(job.row, elevated_row);
	of.integrity++;
	expect_ok(store_jobs_runnable(store, &of, JOB_NORMAL, JOB_WORK_TRANSFER, 50, &job, 1, &count, &seen));
	assert_int_equal(count, 0);
}

static void runnable__follows_every_save(void **state)
{
	(void)state;
	int64_t found[LIST_MAX];
	struct job job = sample_job(OWNER, 1);
	job.row = insert_job(store, job);
	int64_t second = insert(OWNER, 2, JOB_QUEUED, JOB_WORK_TRANSFER);

	job.properties.priority = JOB_LOW;
	expect_ok(store_job_save(store, &job, JOB_QUEUED, &seen));
	assert_int_equal(runnable(OWNER, 50, LIST_MAX, found), 2);
	assert_int_equal(found[0], second);
	job.work = JOB_WORK_NONE;
	job.state = JOB_SUSPENDED;
	expect_ok(store_job_save(store, &job, JOB_QUEUED, &seen));
	assert_int_equal(runnable(OWNER, 50, LIST_MAX, found), 1);
	job.work = JOB_WORK_TRANSFER;
	job.state = JOB_QUEUED;
	expect_ok(store_job_save(store, &job, JOB_SUSPENDED, &seen));
	assert_int_equal(runnable(OWNER, 50, LIST_MAX, found), 2);
}

static void next_try__in_the_future__waits_for_its_time(void **state)
{
	(void)state;
	int64_t found[LIST_MAX], due = 0;
	struct job_owner of = sample_owner(OWNER), system = sample_owner("S-1-5-18");
	struct job job = sample_job(OWNER, 1);
	job.next_try_ms = 5000;
	int64_t soon = insert_job(store, job);
	job = sample_job(OWNER, 2);
	job.next_try_ms = 6000;
	(void)insert_job(store, job);
	job = sample_job(OWNER, 3);
	job.next_try_ms = 4500;
	job.work = JOB_WORK_NONE;
	(void)insert_job(store, job);
	job = sample_job(OWNER, 4);
	job.next_try_ms = 4600;
	job.owner_integrity++;
	(void)insert_job(store, job);
	job = sample_job(OTHER, 5);
	job.next_try_ms = 4700;
	(void)insert_job(store, job);
	job = sample_job(OWNER, 6);
	job.next_try_ms = 4800;
	job.owner_elevated = true;
	(void)insert_job(store, job);
	job = sample_job(OWNER, 7);
	job.next_try_ms = 4900;
	job.token_wait = true;
	(void)insert_job(store, job);

	assert_int_equal(runnable(OWNER, 4999, LIST_MAX, found), 0);
	expect_ok(store_jobs_next_try(store, &of, 4000, &due, &seen));
	assert_int_equal(due, 5000);
	assert_int_equal(runnable(OWNER, 5000, LIST_MAX, found), 1);
	assert_int_equal(found[0], soon);
	expect_ok(store_jobs_next_try(store, &of, 5000, &due, &seen));
	assert_int_equal(due, 6000);
	expect_ok(store_jobs_next_try(store, &of, 6000, &due, &seen));
	assert_true(due == INT64_MAX);
	expect_ok(store_jobs_next_try(store, &system, 0, &due, &seen));
	assert_true(due == INT64_MAX);
}

/* Of its owner, what a lost network explains and is not due so soon anyway, but for removals, which have few attempts. */
static void try_again__is_for_what_a_lost_network_explains__within_the_spread(void **state)
{
	(void)state;
	static const struct {
		const char *owner;
		enum result error;
		enum job_work work;
		int64_t next_try_ms;
		bool waits_for_token, moved;
	} cases[] = {
		{ OWNER, RESULT_CONNECT_FAILED, JOB_WORK_TRANSFER, 600000, false, true },
		{ OWNER, RESULT_NAME_NOT_RESOLVED, JOB_WORK_TRANSFER, 13001, false, true },
		{ OWNER, RESULT_VOLUME_GONE, JOB_WORK_PUBLISH, 600000, false, true },
		{ OWNER, RESULT_CONNECT_FAILED, JOB_WORK_TRANSFER, 13000, false, false },
		{ OWNER, RESULT_HTTP_TRANSIENT, JOB_WORK_TRANSFER, 600000, false, false },
		{ OWNER, RESULT_OK, JOB_WORK_TRANSFER, 600000, false, false },
		{ OWNER, RESULT_VOLUME_GONE, JOB_WORK_SWEEP, 600000, false, false },
		{ OWNER, RESULT_CONNECT_FAILED, JOB_WORK_NONE, 600000, false, false },
		{ OWNER, RESULT_CONNECT_FAILED, JOB_WORK_TRANSFER, 600000, true, false },
		{ OTHER, RESULT_CONNECT_FAILED, JOB_WORK_TRANSFER, 600000, false, false },
	};
	int64_t rows[sizeof(cases) / sizeof(cases[0])];
	struct job_owner of = sample_owner(OWNER);
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct job job = sample_job(cases[i].owner, i + 1);
		job.error.result = cases[i].error;
		job.work = cases[i].work;
		job.next_try_ms = cases[i].next_try_ms;
		job.token_wait = cases[i].waits_for_token;
		rows[i] = insert_job(store, job);
	}
	expect_ok(store_jobs_try_again(store, &of, 10000, 3000, UINT32_MAX, &seen));
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct job job;
		expect_ok(store_job_by_row(store, rows[i], &job, &seen));
		if (cases[i].moved)
			assert_in_range(job.next_try_ms, 10000, 12999);
		else
			assert_int_equal(job.next_try_ms, cases[i].next_try_ms);
	}
}

static void next_try__farther_away_than_the_retry_delay__is_a_clock_set_back(void **state)
{
	(void)state;
	int64_t found[LIST_MAX];
	struct job job = sample_job(OWNER, 1);
	job.next_try_ms = 1000000;
	job.properties.retry_delay_s = 60;
	(void)insert_job(store, job);
	assert_int_equal(runnable(OWNER, 1000000 - 60000, LIST_MAX, found), 0);
	assert_int_equal(runnable(OWNER, 1000000 - 60001, LIST_MAX, found), 1);

	/* A server may ask for longer, and gets a tenth on top. */
	job = sample_job("S-1-5-21-7", 3);
	job.next_try_ms = 10000000;
	job.properties.retry_delay_s = 60;
	job.retry_after_s = 7200;
	(void)insert_job(store, job);
	assert_int_equal(runnable("S-1-5-21-7", 10000000 - 7921000, LIST_MAX, found), 0);
	assert_int_equal(runnable("S-1-5-21-7", 10000000 - 7921001, LIST_MAX, found), 1);

	job = sample_job(OTHER, 2); /* the largest numbers do not overflow */
	job.next_try_ms = INT64_MAX;
	job.properties.retry_delay_s = UINT32_MAX;
	(void)insert_job(store, job);
	assert_int_equal(runnable(OTHER, 0, LIST_MAX, found), 1);
}

static void active__are_jobs_in_connecting_and_transferring(void **state)
{
	(void)state;
	int64_t rows[LIST_MAX] = { 0 };
	size_t count = 0;
	for (unsigned i = 0; i < JOB_STATE_COUNT; i++)
		(void)insert(OWNER, i, (enum job_state)i, JOB_WORK_NONE);
	expect_ok(store_jobs_active(store, rows, LIST_MAX, &count, &seen));
	assert_int_equal(count, 2);
	for (size_t i = 0; i < count; i++)
		assert_true(job_state_is_active(get_job(store, rows[i]).state));
	expect_ok(store_jobs_active(store, rows, 1, &count, &seen));
	assert_int_equal(count, 1);

	struct job job = get_job(store, rows[0]); /* as a restart does: handle what comes until nothing comes */
	enum job_state from = job.state;
	job.state = JOB_QUEUED;
	expect_ok(store_job_save(store, &job, from, &seen));
	expect_ok(store_jobs_active(store, rows, LIST_MAX, &count, &seen));
	assert_int_equal(count, 1);
	assert_true(rows[0] != job.row);
}

/* --- lists --- */

struct rows {
	int64_t rows[LIST_MAX];
	size_t count, stop_at;
};

static bool note_row(void *context, const struct job *job)
{
	struct rows *rows = context;
	rows->rows[rows->count++] = job->row;
	return rows->count != rows->stop_at;
}

static size_t list(const char *owner, bool finished, int64_t after, uint32_t limit, struct rows *rows)
{
	*rows = (struct rows){ .count = 0 };
	expect_ok(store_jobs_list(store, owner, finished, after, limit, note_row, rows, &seen));
	return rows->count;
}

static void list__by_owner_and_by_end__is_in_order_of_age(void **state)
{
	(void)state;
	struct rows rows;
	for (unsigned i = 0; i < 18; i++)
		(void)insert(i % 2 ? OTHER : OWNER, i, (enum job_state)(i / 2), JOB_WORK_NONE);

	assert_int_equal(list(NULL, true, 0, LIST_MAX, &rows), 18);
	for (size_t i = 1; i < rows.count; i++)
		assert_true(rows.rows[i - 1] < rows.rows[i]);
	assert_int_equal(list(NULL, false, 0, LIST_MAX, &rows), 14);
	assert_int_equal(list(OWNER, true, 0, LIST_MAX, &rows), 9);
	assert_int_equal(list(OWNER, false, 0, LIST_MAX, &rows), 7);
	for (size_t i = 0; i < rows.count; i++) {
		struct job job = get_job(store, rows.rows[i]);
		assert_string_equal(job.owner, OWNER);
		assert_false(job_state_is_final(job.state));
		assert_true(i == 0 || rows.rows[i - 1] < rows.rows[i]);
	}
	assert_int_equal(list("S-1-5-18", true, 0, LIST_MAX, &rows), 0);
}

static void list__taken_up_at_a_cursor__misses_and_repeats_nothing(void **state)
{
	(void)state;
	struct rows all, page;
	for (unsigned i = 0; i < 14; i++)
		(void)insert(i % 3 ? OWNER : OTHER, i, JOB_QUEUED, JOB_WORK_NONE);
	for (unsigned kind = 0; kind < 4; kind++) {
		const char *owner = kind & 1 ? OWNER : NULL;
		bool finished = kind & 2;
		size_t count = list(owner, finished, 0, LIST_MAX, &all), at = 0;
		for (int64_t after = 0; list(owner, finished, after, 4, &page) > 0; after = page.rows[page.count - 1]) {
			assert_true(page.count <= 4);
			for (size_t i = 0; i < page.count; i++)
				assert_int_equal(page.rows[i], all.rows[at++]);
		}
		assert_int_equal(at, count);
	}
	all = (struct rows){ .stop_at = 3 };
	expect_ok(store_jobs_list(store, NULL, true, 0, LIST_MAX, note_row, &all, &seen));
	assert_int_equal(all.count, 3);
}

static uint64_t count_of(const char *owner)
{
	uint64_t count = UINT64_MAX;
	expect_ok(store_jobs_count(store, owner, &count, &seen));
	return count;
}

static void count__is_of_jobs_that_are_not_final(void **state)
{
	(void)state;
	assert_int_equal(count_of(NULL), 0);
	assert_int_equal(count_of(OWNER), 0);
	for (unsigned i = 0; i < JOB_STATE_COUNT; i++)
		(void)insert(OWNER, i, (enum job_state)i, JOB_WORK_NONE);
	int64_t row = insert(OTHER, 20, JOB_TRANSFERRED, JOB_WORK_NONE);
	assert_int_equal(count_of(OWNER), 7);
	assert_int_equal(count_of(OTHER), 1);
	assert_int_equal(count_of(NULL), 8);

	struct job job = get_job(store, row);
	job.state = JOB_ACKNOWLEDGED;
	expect_ok(store_job_save(store, &job, JOB_TRANSFERRED, &seen));
	assert_int_equal(count_of(OTHER), 0);
	job.state = JOB_CANCELLED; /* from final to final: no change */
	expect_ok(store_job_save(store, &job, JOB_ACKNOWLEDGED, &seen));
	assert_int_equal(count_of(OTHER), 0);
	assert_int_equal(count_of(NULL), 7);
}

/* --- forgetting --- */

static int64_t insert_finished(const char *owner, unsigned number, enum job_state state, enum job_work work,
                               int64_t finished_ms)
{
	struct job job = sample_job(owner, number);
	job.state = state;
	job.work = work;
	job.finished_ms = finished_ms;
	int64_t row = insert_job(store, job);
	for (unsigned i = 0; i < 3; i++)
		(void)insert_file(store, row, sample_file(i));
	return row;
}

static void forget__takes_old_final_jobs_without_work_and_their_files(void **state)
{
	(void)state;
	uint32_t count = 0;
	struct rows rows;
	int64_t last = 0;
	(void)insert_finished(OWNER, 1, JOB_ACKNOWLEDGED, JOB_WORK_NONE, 100);
	(void)insert_finished(OTHER, 2, JOB_CANCELLED, JOB_WORK_NONE, 50);
	int64_t sweeping = insert_finished(OWNER, 3, JOB_CANCELLED, JOB_WORK_SWEEP, 10);
	int64_t young = insert_finished(OWNER, 4, JOB_ACKNOWLEDGED, JOB_WORK_NONE, 200);
	int64_t alive = insert_finished(OWNER, 5, JOB_ERROR, JOB_WORK_NONE, 0);
	last = insert_finished(OTHER, 6, JOB_CANCELLED, JOB_WORK_NONE, 60);

	expect_ok(store_jobs_forget(store, 200, 1, &count, &seen)); /* the oldest first */
	assert_int_equal(count, 1);
	assert_int_equal(list(OTHER, true, 0, LIST_MAX, &rows), 1);
	expect_ok(store_jobs_forget(store, 200, 100, &count, &seen));
	assert_int_equal(count, 2);
	assert_int_equal(list(NULL, true, 0, LIST_MAX, &rows), 3);
	assert_int_equal(rows.rows[0], sweeping);
	assert_int_equal(rows.rows[1], young);
	assert_int_equal(rows.rows[2], alive);
	assert_int_equal(raw_number(opened_db, "SELECT count(*) FROM file"), 9);
	assert_int_equal(raw_number(opened_db, "SELECT count(*) FROM owner"), 1);
	expect_ok(store_jobs_forget(store, 200, 100, &count, &seen));
	assert_int_equal(count, 0);

	assert_true(insert(OWNER, 7, JOB_QUEUED, JOB_WORK_NONE) > last); /* a row's number is never given again */
}

static void forget_surplus__keeps_the_owners_newest(void **state)
{
	(void)state;
	struct rows rows;
	uint32_t count = 99;
	uint64_t finished = 99;
	for (unsigned i = 0; i < 5; i++)
		(void)insert_finished(OWNER, i, i % 2 ? JOB_ACKNOWLEDGED : JOB_CANCELLED, JOB_WORK_NONE, 500 - i);
	int64_t sweeping = insert_finished(OWNER, 5, JOB_CANCELLED, JOB_WORK_SWEEP, 1);
	(void)insert_finished(OTHER, 6, JOB_CANCELLED, JOB_WORK_NONE, 1);
	int64_t alive = insert(OWNER, 7, JOB_ERROR, JOB_WORK_NONE);

	expect_ok(store_jobs_forget_surplus(store, OWNER, 6, 10, &count, &seen));
	assert_int_equal(list(OWNER, true, 0, LIST_MAX, &rows), 7);
	expect_ok(store_jobs_forget_surplus(store, OWNER, 2, 1, &count, &seen)); /* no more than the limit at once */
	assert_int_equal(list(OWNER, true, 0, LIST_MAX, &rows), 6);
	expect_ok(store_jobs_forget_surplus(store, OWNER, 2, 10, &count, &seen));
	/* Two are kept: the one that still has work, and the newest of the others. */
	assert_int_equal(list(OWNER, true, 0, LIST_MAX, &rows), 3);
	assert_int_equal(get_job(store, rows.rows[0]).finished_ms, 500);
	assert_int_equal(rows.rows[1], sweeping);
	assert_int_equal(rows.rows[2], alive);
	assert_int_equal(count, 3);
	assert_int_equal(list(OTHER, true, 0, LIST_MAX, &rows), 1);
	expect_ok(store_jobs_forget_surplus(store, OWNER, 0, 10, &count, &seen));
	expect_ok(store_jobs_forget_surplus(store, OWNER, 0, 10, &count, &seen));
	assert_int_equal(count, 0);
	expect_ok(store_jobs_finished(store, OWNER, &finished, &seen));
	assert_int_equal(finished, 1); /* the one with work */
	expect_ok(store_jobs_forget_surplus(store, "S-1-0", 0, 10, &count, &seen));
	expect_ok(store_jobs_finished(store, "S-1-0", &finished, &seen));
	assert_int_equal(finished, 0);
}

/* --- limits and leases --- */

static uint64_t limited_of(const char *owner)
{
	uint64_t count = 99;
	expect_ok(store_jobs_limited(store, owner, &count, &seen));
	return count;
}

static void limited__are_unfinished_jobs_that_count(void **state)
{
	(void)state;
	struct job job = sample_job(OWNER, 1);
	assert_int_equal(limited_of(OWNER), 0);
	assert_int_equal(limited_of(NULL), 0);
	(void)insert_job(store, job);
	assert_int_equal(limited_of(OWNER), 0);
	job = sample_job(OWNER, 2);
	job.limited = true;
	job.row = insert_job(store, job);
	struct job other = sample_job(OTHER, 3);
	other.limited = true;
	(void)insert_job(store, other);
	assert_int_equal(limited_of(OWNER), 1);
	assert_int_equal(limited_of(NULL), 2);
	assert_int_equal(count_of(NULL), 3);
	job.state = JOB_CANCELLED;
	job.work = JOB_WORK_NONE;
	expect_ok(store_job_save(store, &job, JOB_QUEUED, &seen));
	assert_int_equal(limited_of(OWNER), 0);
	assert_int_equal(limited_of(NULL), 1);
	raw_run(opened_db, "DELETE FROM job WHERE limited = 1");
	assert_int_equal(limited_of(NULL), 0);
	assert_int_equal(raw_number(opened_db, "SELECT jobs_finished FROM owner"), 0);
}

static int64_t insert_leased(unsigned number, enum job_work work, int64_t modified_ms, int64_t progress_ms,
                             uint32_t lease_s)
{
	struct job job = sample_job(OWNER, number);
	job.work = work;
	job.modified_ms = modified_ms;
	job.progress_ms = progress_ms;
	job.properties.lease_s = lease_s;
	return insert_job(store, job);
}

static void expired__are_jobs_that_nothing_changed_for_their_lease(void **state)
{
	(void)state;
	int64_t rows[8], next = 0;
	size_t count = 7;
	expect_ok(store_jobs_next_expiry(store, 0, &next, &seen));
	assert_int_equal(next, INT64_MAX);
	int64_t second = insert_leased(1, JOB_WORK_NONE, 1000, 5000, 60);
	int64_t first = insert_leased(2, JOB_WORK_TRANSFER, 4000, 1000, 60);
	(void)insert_leased(3, JOB_WORK_PUBLISH, 0, 0, 60);
	(void)insert_leased(4, JOB_WORK_NONE, 4000, 0, 70);
	(void)insert_finished(OWNER, 5, JOB_CANCELLED, JOB_WORK_NONE, 1);

	expect_ok(store_jobs_next_expiry(store, 0, &next, &seen));
	assert_int_equal(next, 64000);
	expect_ok(store_jobs_next_expiry(store, 64000, &next, &seen));
	assert_int_equal(next, 65000);
	expect_ok(store_jobs_expired(store, 63999, rows, 8, &count, &seen));
	assert_int_equal(count, 0);
	expect_ok(store_jobs_expired(store, 65000, rows, 8, &count, &seen));
	assert_int_equal(count, 2);
	assert_int_equal(rows[0], first);
	assert_int_equal(rows[1], second);
	expect_ok(store_jobs_expired(store, INT64_MAX, rows, 1, &count, &seen));
	assert_int_equal(count, 1);
	struct job job = get_job(store, first);
	assert_int_equal(job_lease_ends_ms(&job), 64000);
}

static void partial__exists_while_a_file_of_some_job_has_it(void **state)
{
	(void)state;
	bool exists = true;
	int64_t job = insert(OWNER, 1, JOB_QUEUED, JOB_WORK_TRANSFER);
	struct file file = sample_file(1);
	file.row = insert_file(store, job, file);
	expect_ok(store_partial_exists(store, "", &exists, &seen));
	assert_false(exists);
	text_to(file.partial, sizeof(file.partial), ".ferry-1.part");
	expect_ok(store_file_save(store, &file, &seen));
	expect_ok(store_partial_exists(store, ".ferry-1.part", &exists, &seen));
	assert_true(exists);
	expect_ok(store_partial_exists(store, ".ferry-1.par", &exists, &seen));
	assert_false(exists);
	raw_run(opened_db, "DELETE FROM job");
	expect_ok(store_partial_exists(store, ".ferry-1.part", &exists, &seen));
	assert_false(exists);
}

/* --- by which way --- */

/* Every statement that the store holds ready, asked for its plan. */
static void statements__never_scan_jobs_or_files(void **state)
{
	(void)state;
	unsigned statements = 0, searches = 0;
	char sql[4096];

	for (sqlite3_stmt *held = sqlite3_next_stmt(opened_db, NULL); held; held = sqlite3_next_stmt(opened_db, held)) {
		sqlite3_stmt *plan = NULL;
		statements++;
		assert_true(snprintf(sql, sizeof(sql), "EXPLAIN QUERY PLAN %s", sqlite3_sql(held)) < (int)sizeof(sql));
		if (strncmp(sqlite3_sql(held), "SELECT", 6) != 0 && strncmp(sqlite3_sql(held), "UPDATE", 6) != 0 &&
		    strncmp(sqlite3_sql(held), "DELETE", 6) != 0 && strncmp(sqlite3_sql(held), "INSERT", 6) != 0)
			continue; /* a transaction's */
		if (strstr(sqlite3_sql(held), "GROUP BY"))
			continue; /* JOBS_ALIKE, which reads the whole table */
		assert_int_equal(sqlite3_prepare_v2(opened_db, sql, -1, &plan, NULL), SQLITE_OK);
		while (sqlite3_step(plan) == SQLITE_ROW) {
			const char *step = (const char *)sqlite3_column_text(plan, 3);
			bool bad = strncmp(step, "SCAN job", 8) == 0 || strncmp(step, "SCAN file", 9) == 0 ||
			           strstr(step, "TEMP B-TREE") || strstr(step, "AUTOMATIC");
			if (bad)
				print_error("%s\n\t%s\n", sqlite3_sql(held), step);
			assert_false(bad);
			searches += strncmp(step, "SEARCH", 6) == 0;
		}
		(void)sqlite3_finalize(plan);
	}
	assert_true(statements >= 30);
	assert_true(searches >= 20);
}

/* --- rows that nobody of ours wrote --- */

static void damage(const char *sql)
{
	raw_run(opened_db, "PRAGMA ignore_check_constraints = ON");
	raw_run(opened_db, sql);
}

static void row__with_a_value_out_of_range__is_reported_as_damage(void **state)
{
	(void)state;
	/* clang-format off */
	static const char *const job_columns[] = {
		"owner_integrity = -1", "owner_integrity = 4294967296", "created_ms = -1",
		"priority = 4", "priority = -1", "auto_complete = 2", "retry_delay_s = -1", "no_progress_timeout_s = 1 << 32",
		"max_time_s = -7", "lease_s = -1", "limited = 2", "state = 9", "state = -1", "work = 4", "error_count = -1", "attempts = -1",
		"modified_ms = -1", "finished_ms = -1", "state_since_ms = -1", "next_try_ms = -1", "progress_ms = -1",
		"active_ms = -1", "files_total = -1", "files_transferred = 1 << 40", "files_published = -1",
		"files_size_unknown = -1", "bytes_total = -1", "bytes_transferred = -1", "id = id || 'x'",
		"key = hex(zeroblob(128))", "name = hex(zeroblob(512))", "name = 'a' || char(0) || 'b'",
		"description = hex(zeroblob(2048))", "error_what = hex(zeroblob(160))", "error = hex(zeroblob(33))",
		"error_source = hex(zeroblob(33))", "owner_elevated = 2", "owner_elevated = -1", "takeovers = -1",
		"takeovers = 1 << 32", "on_token_loss = 2", "pinned_helper = hex(zeroblob(256))", "helper_flags = 4",
		"helper_flags = -1", "helper_sid = hex(zeroblob(256))", "helper_logon = -1", "helper_logon = 5", "token_wait = 2",
		"file_sid = hex(zeroblob(256))", "network_sid = hex(zeroblob(256))", "network_sid = 'a' || char(0)",
		"file_writer = hex(zeroblob(272))", "retry_after_s = 86401", "retry_after_s = -1", "profile = 4",
	};
	static const char *const file_columns[] = {
		"ordinal = -1", "state = 5", "state = -1", "bytes_total = -1",
		"bytes_recorded = -1", "url = hex(zeroblob(1101))", "path = hex(zeroblob(1025))",
		"partial = hex(zeroblob(32))", "tag = hex(zeroblob(32))", "etag = zeroblob(1)", "etag = randomblob(600)",
		"modified = zeroblob(64)",
	};
	/* clang-format on */
	int64_t job_row = insert_job(store, sample_job(OWNER, 1));
	int64_t file_row = insert_file(store, job_row, sample_file(0));
	struct job job;
	struct file file;
	char sql[256];

	for (size_t i = 0; i < sizeof(job_columns) / sizeof(job_columns[0]); i++) {
		raw_run(opened_db, "SAVEPOINT damage");
		(void)snprintf(sql, sizeof(sql), "UPDATE job SET %s", job_columns[i]);
		damage(sql);
		if (store_job_by_row(store, job_row, &job, &seen) != RESULT_STORE_DAMAGED)
			fail_msg("not noticed: %s", job_columns[i]);
		raw_run(opened_db, "ROLLBACK TO damage; RELEASE damage");
	}
	for (size_t i = 0; i < sizeof(file_columns) / sizeof(file_columns[0]); i++) {
		raw_run(opened_db, "SAVEPOINT damage");
		(void)snprintf(sql, sizeof(sql), "UPDATE file SET %s", file_columns[i]);
		damage(sql);
		if (store_file_by_row(store, file_row, &file, &seen) != RESULT_STORE_DAMAGED)
			fail_msg("not noticed: %s", file_columns[i]);
		raw_run(opened_db, "ROLLBACK TO damage; RELEASE damage");
	}
	assert_int_equal(get_job(store, job_row).files_total, 1);
	assert_int_equal(get_file(store, file_row).ordinal, 0);
}

static void row__that_is_damaged__stops_a_list(void **state)
{
	(void)state;
	struct rows rows = { .count = 0 };
	struct job jobs[2];
	size_t count = 7;
	(void)insert(OWNER, 1, JOB_QUEUED, JOB_WORK_TRANSFER);
	(void)insert(OWNER, 2, JOB_QUEUED, JOB_WORK_TRANSFER);
	damage("UPDATE job SET attempts = -1 WHERE row = 2");
	expect_fault(store_jobs_list(store, OWNER, true, 0, LIST_MAX, note_row, &rows, &seen), RESULT_STORE_DAMAGED);
	assert_int_equal(rows.count, 1);
	struct job_owner of = sample_owner(OWNER);
	expect_fault(store_jobs_runnable(store, &of, JOB_NORMAL, JOB_WORK_TRANSFER, 0, jobs, 2, &count, &seen), RESULT_STORE_DAMAGED);
	assert_int_equal(count, 7);
}

static bool count_down(void *context)
{
	return (*(int *)context)-- > 0;
}

static void check__of_a_queue_in_use__finds_damage_and_ends_when_it_is_told_to(void **state)
{
	(void)state;
	int patience = 1000000;
	for (unsigned i = 0; i < 500; i++)
		insert(OWNER, i, JOB_SUSPENDED, JOB_WORK_NONE);
	expect_ok(store_check(store, count_down, &patience, &seen));
	assert_true(patience < 1000000);
	patience = 0;
	expect_fault(store_check(store, count_down, &patience, &seen), RESULT_CANCELLED);
	damage("UPDATE job SET priority = 17 WHERE row = 3");
	raw_run(opened_db, "PRAGMA ignore_check_constraints = OFF");
	patience = 1000000;
	expect_fault(store_check(store, count_down, &patience, &seen), RESULT_STORE_DAMAGED);
	insert(OWNER, 501, JOB_SUSPENDED, JOB_WORK_NONE); /* and the transaction goes on */
}

static void newest__is_when_the_last_job_was_made(void **state)
{
	(void)state;
	int64_t created_ms = -1;
	expect_ok(store_jobs_newest(store, &created_ms, &seen));
	assert_int_equal(created_ms, 0);
	struct job job = get_job(store, insert(OWNER, 1, JOB_SUSPENDED, JOB_WORK_NONE));
	expect_ok(store_jobs_newest(store, &created_ms, &seen));
	assert_int_equal(created_ms, job.created_ms);
}

/* A newer Ferry with the same schema may know outcomes that we don't. */
static void error__of_an_unknown_name__is_read_as_a_system_error(void **state)
{
	(void)state;
	int64_t row = insert(OWNER, 1, JOB_ERROR, JOB_WORK_NONE);
	raw_run(opened_db, "UPDATE job SET error = 'OF_TOMORROW', error_source = 'tomorrow', error_raw = 5");
	struct job job = get_job(store, row);
	assert_int_equal(job.error.result, RESULT_SYSTEM);
	assert_int_equal(job.error.source, FAULT_FERRY);
	assert_int_equal(job.error.raw, 5);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(runnable__are_the_owners_jobs_with_work__by_priority_and_wait),
		TEST(runnable__follows_every_save),
		TEST(next_try__in_the_future__waits_for_its_time),
		TEST(try_again__is_for_what_a_lost_network_explains__within_the_spread),
		TEST(next_try__farther_away_than_the_retry_delay__is_a_clock_set_back),
		TEST(active__are_jobs_in_connecting_and_transferring),
		TEST(list__by_owner_and_by_end__is_in_order_of_age),
		TEST(list__taken_up_at_a_cursor__misses_and_repeats_nothing),
		TEST(count__is_of_jobs_that_are_not_final),
		TEST(forget__takes_old_final_jobs_without_work_and_their_files),
		TEST(forget_surplus__keeps_the_owners_newest),
		TEST(limited__are_unfinished_jobs_that_count),
		TEST(expired__are_jobs_that_nothing_changed_for_their_lease),
		TEST(partial__exists_while_a_file_of_some_job_has_it),
		TEST(statements__never_scan_jobs_or_files),
		TEST(row__with_a_value_out_of_range__is_reported_as_damage),
		TEST(row__that_is_damaged__stops_a_list),
		TEST(error__of_an_unknown_name__is_read_as_a_system_error),
		TEST(check__of_a_queue_in_use__finds_damage_and_ends_when_it_is_told_to),
		TEST(newest__is_when_the_last_job_was_made),
	};
	return cmocka_run_group_tests(tests, watch_opens, NULL);
}
