#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "platform/thread.h"
#include "runtime/syncs.h"

#define WORK_MAX 100
#define CALLERS 4
#define ROUNDS 200
#define PATIENCE 12000 /* times 5 ms */

static void count(void *context, size_t index)
{
	atomic_uint *counts = context;
	atomic_fetch_add(&counts[index], 1);
}

static void expect_each_once(struct syncs *syncs, size_t work)
{
	atomic_uint counts[WORK_MAX] = { 0 };
	syncs_run(syncs, work, count, counts);
	for (size_t i = 0; i < WORK_MAX; i++)
		assert_int_equal(atomic_load(&counts[i]), i < work ? 1 : 0);
}

static void syncs__any_number__are_each_done_once_before_it_returns(void **state)
{
	(void)state;
	AUTO(syncs) struct syncs *syncs = syncs_new();
	assert_non_null(syncs);
	for (size_t work = 0; work <= WORK_MAX; work++)
		expect_each_once(syncs, work);
	expect_each_once(NULL, WORK_MAX);
}

static void syncs__never_used__are_freed(void **state)
{
	(void)state;
	syncs_free(syncs_new());
	syncs_free(NULL);
}

struct meeting {
	struct mutex *mutex;
	struct condition *condition;
	unsigned here, met;
};

/* Returns when another one is under way, too. */
static void meet(void *context, size_t index)
{
	struct meeting *meeting = context;
	(void)index;
	mutex_lock(meeting->mutex);
	meeting->here++;
	for (unsigned i = 0; meeting->here < 2 && i < PATIENCE; i++)
		condition_wait(meeting->condition, meeting->mutex, 5);
	meeting->met += meeting->here >= 2;
	mutex_unlock(meeting->mutex);
}

static void syncs__two__are_under_way_at_the_same_time(void **state)
{
	(void)state;
	AUTO(syncs) struct syncs *syncs = syncs_new();
	struct meeting meeting = { .mutex = mutex_new(), .condition = condition_new() };
	syncs_run(syncs, 2, meet, &meeting);
	assert_int_equal(meeting.met, 2);
	condition_free(meeting.condition);
	mutex_free(meeting.mutex);
}

struct caller {
	struct syncs *syncs;
	struct thread *thread;
	atomic_uint counts[WORK_MAX];
};

static void call_often(void *argument)
{
	struct caller *caller = argument;
	for (size_t i = 0; i < ROUNDS; i++)
		syncs_run(caller->syncs, 1 + i % WORK_MAX, count, caller->counts);
}

static void syncs__several_callers__get_what_is_theirs(void **state)
{
	(void)state;
	static struct caller callers[CALLERS];
	AUTO(syncs) struct syncs *syncs = syncs_new();
	for (size_t i = 0; i < CALLERS; i++) {
		callers[i].syncs = syncs;
		assert_int_equal(thread_start("caller", call_often, &callers[i], &callers[i].thread, NULL), RESULT_OK);
	}
	for (size_t i = 0; i < CALLERS; i++) {
		thread_join(callers[i].thread);
		for (size_t k = 0; k < WORK_MAX; k++)
			assert_int_equal(atomic_load(&callers[i].counts[k]), (WORK_MAX - k) * (ROUNDS / WORK_MAX));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(syncs__any_number__are_each_done_once_before_it_returns),
		cmocka_unit_test(syncs__never_used__are_freed),
		cmocka_unit_test(syncs__two__are_under_way_at_the_same_time),
		cmocka_unit_test(syncs__several_callers__get_what_is_theirs),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
