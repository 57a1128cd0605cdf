/* runtime/store: jobs that change their owner, and jobs that need helper tokens. */
#include "runtime/store_fixture.h"

#define OTHER "S-1-5-21-1000-2000-3000-1002"
#define THIRD "S-1-5-18"
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

#define OWNERS_JOBS(condition) "(SELECT count(*) FROM job WHERE owner_row = owner.row AND " condition ")"

/* Owners whose counters are not what their jobs say, or who have no jobs. */
static int64_t wrong_owners(void)
{
	return raw_number(opened_db,
	                  "SELECT count(*) FROM owner WHERE jobs_unfinished <> " OWNERS_JOBS("state < 7")
	                  " OR jobs_limited <> " OWNERS_JOBS("state < 7 AND limited = 1")
	                  " OR jobs_finished <> " OWNERS_JOBS("state >= 7") " OR " OWNERS_JOBS("1") " = 0");
}

static uint64_t limited_of(const char *owner)
{
	uint64_t count = 99;
	expect_ok(store_jobs_limited(store, owner, &count, &seen));
	return count;
}

/* --- taking over --- */

static void take__a_job__is_anothers_with_all_that_it_was(void **state)
{
	(void)state;
	struct job job = sample_job(OWNER, 1), back;
	text_to(job.key, sizeof(job.key), "update-7");
	text_to(job.properties.pinned_helper, sizeof(job.properties.pinned_helper), "S-1-5-19");
	job.limited = true;
	job.row = insert_job(store, job);
	(void)insert_file(store, job.row, sample_file(1));

	struct job taken = get_job(store, job.row);
	text_to(taken.owner, sizeof(taken.owner), OTHER);
	text_to(taken.key, sizeof(taken.key), "not written");
	text_to(taken.properties.name, sizeof(taken.properties.name), "not written");
	taken.owner_integrity = UINT32_MAX;
	taken.owner_elevated = true;
	taken.limited = false;
	taken.takeovers = 77; /* counted by the store, not taken from here */
	expect_ok(store_job_take(store, &taken, &seen));

	back = get_job(store, job.row);
	assert_string_equal(back.owner, OTHER);
	assert_int_equal(back.owner_integrity, UINT32_MAX);
	assert_true(back.owner_elevated);
	assert_false(back.limited);
	assert_int_equal(back.takeovers, 1);
	assert_string_equal(back.key, "");
	assert_string_equal(back.id, job.id);
	assert_string_equal(back.properties.name, "sample");
	assert_string_equal(back.properties.pinned_helper, "S-1-5-19");
	assert_int_equal(back.files_total, 1);
	assert_int_equal(back.state, JOB_QUEUED);
	/* The former owner may submit it again under its key, and a job of the new one's with that key is no obstacle. */
	expect_fault(store_job_by_key(store, OWNER, "update-7", &back, &seen), RESULT_NOT_FOUND);
	expect_fault(store_job_by_key(store, OTHER, "update-7", &back, &seen), RESULT_NOT_FOUND);
	struct job again = sample_job(OWNER, 2);
	text_to(again.key, sizeof(again.key), "update-7");
	again.row = insert_job(store, again);
	struct job others = sample_job(OTHER, 3);
	text_to(others.key, sizeof(others.key), "update-7");
	(void)insert_job(store, others);
	text_to(again.owner, sizeof(again.owner), OTHER);
	expect_ok(store_job_take(store, &again, &seen));
	assert_int_equal(wrong_owners(), 0);
}

static void take__again_and_by_its_own_owner__counts_each_time(void **state)
{
	(void)state;
	static const char *const owners[] = { OTHER, OTHER, OWNER, THIRD };
	struct job job = sample_job(OWNER, 1);
	job.row = insert_job(store, job);
	for (uint32_t i = 0; i < 4; i++) {
		text_to(job.owner, sizeof(job.owner), owners[i]);
		job.owner_elevated = i % 2;
		job.limited = i % 2 == 0;
		expect_ok(store_job_take(store, &job, &seen));
		struct job back = get_job(store, job.row);
		assert_int_equal(back.takeovers, i + 1);
		assert_string_equal(back.owner, owners[i]);
		assert_int_equal(back.owner_elevated, i % 2);
		assert_int_equal(wrong_owners(), 0);
		assert_int_equal(raw_number(opened_db, "SELECT count(*) FROM owner"), 1); /* the former one had no other */
		assert_int_equal(limited_of(NULL), job.limited);
	}
}

/* Nothing but a takeover changes an owner or counts one. */
static void save__of_a_job_with_another_owner__keeps_the_owner(void **state)
{
	(void)state;
	struct job job = sample_job(OWNER, 1);
	job.row = insert_job(store, job);
	struct job changed = job;
	text_to(changed.owner, sizeof(changed.owner), OTHER);
	changed.owner_elevated = true;
	changed.owner_integrity = 0x4000;
	changed.takeovers = 9;
	expect_ok(store_job_save(store, &changed, JOB_QUEUED, &seen));
	struct job back = get_job(store, job.row);
	assert_string_equal(back.owner, OWNER);
	assert_false(back.owner_elevated);
	assert_int_equal(back.owner_integrity, 0x2000);
	assert_int_equal(back.takeovers, 0);
}

static void take__undone__leaves_owners_as_they_were(void **state)
{
	(void)state;
	struct job job = sample_job(OWNER, 1);
	job.row = insert_job(store, job);
	expect_ok(store_savepoint(store, &seen));
	struct job taken = job;
	text_to(taken.owner, sizeof(taken.owner), OTHER);
	expect_ok(store_job_take(store, &taken, &seen));
	store_undo(store);
	assert_string_equal(get_job(store, job.row).owner, OWNER);
	assert_int_equal(get_job(store, job.row).takeovers, 0);
	assert_int_equal(raw_number(opened_db, "SELECT count(*) FROM owner WHERE name = '" OWNER "'"), 1);
	assert_int_equal(wrong_owners(), 0);
}

/* A refusal must not leave the owner without jobs whom it had inserted: who undoes the request gets rid of him. */
static void take__of_nothing__is_not_found(void **state)
{
	(void)state;
	struct job job = sample_job(OTHER, 1);
	job.row = 77;
	expect_ok(store_savepoint(store, &seen));
	expect_fault(store_job_take(store, &job, &seen), RESULT_NOT_FOUND);
	store_undo(store);
	assert_int_equal(raw_number(opened_db, "SELECT count(*) FROM owner"), 0);
}

static uint32_t random_below(uint64_t *seed, uint32_t limit)
{
	*seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(*seed >> 33) % limit;
}

static void owners_counters__after_random_changes__are_what_a_recount_gives(void **state)
{
	(void)state;
	enum { JOBS = 40, STEPS = 2000 };
	static const char *const owners[] = { OWNER, OTHER, THIRD, "S-1-5-20+S-1-5-80-1" };
	int64_t rows[JOBS] = { 0 };
	uint64_t seed = 20250311;

	for (unsigned step = 0; step < STEPS; step++) {
		unsigned which = random_below(&seed, JOBS);
		if (rows[which] == 0) {
			struct job job = sample_job(owners[random_below(&seed, 4)], step);
			job.limited = random_below(&seed, 2);
			job.state = (enum job_state)random_below(&seed, JOB_STATE_COUNT);
			rows[which] = insert_job(store, job);
			continue;
		}
		struct job job = get_job(store, rows[which]);
		uint32_t dice = random_below(&seed, 8);
		if (dice == 0) {
			char sql[64];
			(void)snprintf(sql, sizeof(sql), "DELETE FROM job WHERE row = %lld", (long long)rows[which]);
			raw_run(opened_db, sql);
			rows[which] = 0;
		} else if (dice < 4) {
			text_to(job.owner, sizeof(job.owner), owners[random_below(&seed, 4)]);
			job.limited = random_below(&seed, 2);
			expect_ok(store_job_take(store, &job, &seen));
		} else {
			enum job_state from = job.state;
			job.state = (enum job_state)random_below(&seed, JOB_STATE_COUNT);
			expect_ok(store_job_save(store, &job, from, &seen));
		}
		if (step % 20 == 0)
			assert_int_equal(wrong_owners(), 0);
	}
	assert_int_equal(wrong_owners(), 0);
	assert_int_equal(limited_of(NULL), raw_number(opened_db, "SELECT count(*) FROM job WHERE state < 7 AND limited = 1"));
}

/* --- helper tokens --- */

static void runnable__a_job_that_waits_for_a_token__is_left_out_until_it_does_not(void **state)
{
	(void)state;
	struct job_owner of = sample_owner(OWNER);
	struct job job = sample_job(OWNER, 1), found;
	size_t count = 9;
	int64_t due = 0;
	job.token_wait = true;
	job.row = insert_job(store, job);
	expect_ok(store_jobs_runnable(store, &of, JOB_NORMAL, JOB_WORK_TRANSFER, 50, &found, 1, &count, &seen));
	assert_int_equal(count, 0);
	job.token_wait = false;
	job.next_try_ms = 100;
	expect_ok(store_job_save(store, &job, JOB_QUEUED, &seen));
	expect_ok(store_jobs_next_try(store, &of, 50, &due, &seen));
	assert_int_equal(due, 100);
	expect_ok(store_jobs_runnable(store, &of, JOB_NORMAL, JOB_WORK_TRANSFER, 100, &found, 1, &count, &seen));
	assert_int_equal(count, 1);
	job.token_wait = true;
	expect_ok(store_job_save(store, &job, JOB_QUEUED, &seen));
	expect_ok(store_jobs_next_try(store, &of, 50, &due, &seen));
	assert_true(due == INT64_MAX);
}

/* What a takeover makes of an owner is whom the job runs as. */
static void runnable__a_job_that_was_taken__is_its_new_owners(void **state)
{
	(void)state;
	struct job_owner former = sample_owner(OWNER);
	struct job job = sample_job(OWNER, 1), found;
	size_t count = 9;
	job.row = insert_job(store, job);
	text_to(job.owner, sizeof(job.owner), OTHER);
	job.owner_integrity = 0x3000;
	job.owner_elevated = true;
	expect_ok(store_job_take(store, &job, &seen));
	expect_ok(store_jobs_runnable(store, &former, JOB_NORMAL, JOB_WORK_TRANSFER, 50, &found, 1, &count, &seen));
	assert_int_equal(count, 0);
	struct job_owner now = job_owner(&job);
	expect_ok(store_jobs_runnable(store, &now, JOB_NORMAL, JOB_WORK_TRANSFER, 50, &found, 1, &count, &seen));
	assert_int_equal(count, 1);
	assert_int_equal(found.row, job.row);
}

static void helped__are_jobs_with_work_and_flags__page_by_page(void **state)
{
	(void)state;
	int64_t expected[LIST_MAX], rows[LIST_MAX];
	size_t expected_count = 0, at = 0, count = 0;
	for (unsigned i = 0; i < 40; i++) {
		struct job job = sample_job(i % 3 ? OWNER : OTHER, i);
		job.helper_flags = i % 4;
		job.work = (enum job_work)(i / 4 % 4);
		job.token_wait = i % 5 == 0;
		job.state = job.work == JOB_WORK_SWEEP ? JOB_CANCELLED : JOB_QUEUED;
		int64_t row = insert_job(store, job);
		if (job.helper_flags != 0 && job.work != JOB_WORK_NONE)
			expected[expected_count++] = row;
	}
	assert_true(expected_count > 20);
	for (int64_t after = 0;; after = rows[count - 1]) {
		expect_ok(store_jobs_helped(store, after, rows, 7, &count, &seen));
		assert_true(count <= 7);
		if (count == 0)
			break;
		for (size_t i = 0; i < count; i++)
			assert_int_equal(rows[i], expected[at++]);
	}
	assert_int_equal(at, expected_count);
	expect_ok(store_jobs_helped(store, 0, rows, 0, &count, &seen));
	assert_int_equal(count, 0);
	expect_ok(store_jobs_helped(store, INT64_MAX, rows, 7, &count, &seen));
	assert_int_equal(count, 0);

	struct job job = get_job(store, expected[0]); /* without flags it needs none any more */
	enum job_state from = job.state;
	job.helper_flags = 0;
	expect_ok(store_job_save(store, &job, from, &seen));
	expect_ok(store_jobs_helped(store, 0, rows, 1, &count, &seen));
	assert_int_equal(count, 1);
	assert_int_equal(rows[0], expected[1]);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(take__a_job__is_anothers_with_all_that_it_was),
		TEST(take__again_and_by_its_own_owner__counts_each_time),
		TEST(save__of_a_job_with_another_owner__keeps_the_owner),
		TEST(take__undone__leaves_owners_as_they_were),
		TEST(take__of_nothing__is_not_found),
		TEST(owners_counters__after_random_changes__are_what_a_recount_gives),
		TEST(runnable__a_job_that_waits_for_a_token__is_left_out_until_it_does_not),
		TEST(runnable__a_job_that_was_taken__is_its_new_owners),
		TEST(helped__are_jobs_with_work_and_flags__page_by_page),
	};
	return cmocka_run_group_tests(tests, watch_opens, NULL);
}
