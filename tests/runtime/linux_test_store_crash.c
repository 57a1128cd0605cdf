/* runtime/store: a process that is killed while it commits.  Linux only, for fork; what a kill leaves between any two
 * writes, on both grounds, is test_store_faults.c's. */
#include "runtime/store_fixture.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROUNDS 25

static char path[STORE_PATH_BYTES_MAX];

static void must(bool holds)
{
	if (!holds)
		_exit(1); /* in the child: cmocka's assertions belong to the parent */
}

/* Submit jobs from number `next` on for ever, and say the number of each after its commit. */
static void submit_until_killed(unsigned next, int acknowledge)
{
	struct store *store = NULL;

	must(store_open(path, &store, &seen) == RESULT_OK);
	for (;; next++) {
		struct job job = sample_job(OWNER, next);
		must(store_begin(store, &seen) == RESULT_OK);
		must(store_job_insert(store, &job, &seen) == RESULT_OK);
		for (unsigned i = 0; i < 3; i++) {
			struct file file = sample_file(i);
			must(store_file_insert(store, job.row, &file, file.path, &seen) == RESULT_OK);
		}
		must(store_commit(store, &seen) == RESULT_OK);
		must(write(acknowledge, &next, sizeof(next)) == (ssize_t)sizeof(next));
	}
}

/* Let a child submit, and kill it after `patience` acknowledgements, wherever it then is.  The last that it gave. */
static unsigned kill_after(unsigned next, unsigned patience)
{
	int ends[2];
	unsigned last = 0;

	assert_int_equal(pipe(ends), 0);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		(void)close(ends[0]);
		submit_until_killed(next, ends[1]);
	}
	assert_int_equal(close(ends[1]), 0);
	for (unsigned i = 0; i < patience; i++)
		assert_int_equal(read(ends[0], &last, sizeof(last)), sizeof(last));
	assert_int_equal(kill(child, SIGKILL), 0);
	while (read(ends[0], &last, sizeof(last)) == (ssize_t)sizeof(last)) /* what it said before it died */
		;
	assert_int_equal(close(ends[0]), 0);
	int status = 0;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	return last;
}

static void process__killed_while_it_commits__keeps_what_it_acknowledged(void **state)
{
	(void)state;
	unsigned next = 0, unheard = 0;

	new_path(path);
	for (unsigned round = 0; round < ROUNDS; round++) {
		AUTO(store) struct store *store = NULL;
		uint64_t count = 0;
		unsigned last = kill_after(next, 1 + round * 7 % 12);

		expect_ok(store_open(path, &store, &seen));
		expect_ok(store_jobs_count(store, OWNER, &count, &seen));
		assert_true(count == last + 1 || count == last + 2); /* one may be committed and not yet said */
		unheard += count == last + 2;
		assert_int_equal(raw_number(opened_db, "SELECT count(*) FROM job WHERE files_total <> 3"), 0);
		assert_int_equal(raw_number(opened_db, "SELECT count(*) FROM file"), 3 * (int64_t)count);
		assert_int_equal(raw_number(opened_db, "SELECT count(*) FROM pragma_integrity_check "
		                                       "WHERE integrity_check <> 'ok'"),
		                 0);
		for (unsigned i = next; i <= last; i++) {
			struct job job;
			expect_ok(store_job_by_id(store, sample_job(OWNER, i).id, &job, &seen));
		}
		next = (unsigned)count;
	}
	print_message("%u jobs survived %u kills, %u of them committed but not yet acknowledged\n", next, ROUNDS, unheard);
	remove_store(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(process__killed_while_it_commits__keeps_what_it_acknowledged),
	};
	return cmocka_run_group_tests(tests, watch_opens, NULL);
}
