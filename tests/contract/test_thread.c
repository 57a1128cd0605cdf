#include "ground.h"

#include "platform/clock.h"
#include "platform/thread.h"

#define THREADS 8
#define ROUNDS 2000

struct shared {
	struct mutex *mutex;
	struct condition *condition;
	int count;
	bool asked, answered;
};

static void set_up(struct shared *shared)
{
	*shared = (struct shared){ .mutex = mutex_new(), .condition = condition_new() };
	assert_non_null(shared->mutex);
	assert_non_null(shared->condition);
}

static void tear_down(struct shared *shared)
{
	condition_free(shared->condition);
	mutex_free(shared->mutex);
}

static struct thread *start(void (*run)(void *argument), void *argument)
{
	struct thread *thread = NULL;
	struct fault fault;
	assert_int_equal(thread_start("test", run, argument, &thread, &fault), RESULT_OK);
	return thread;
}

static void write_once(void *argument)
{
	*(int *)argument = 42;
}

static void thread__join__waits_for_its_end(void **state)
{
	(void)state;
	int written = 0; /* without a lock: the join itself orders it */
	thread_join(start(write_once, &written));
	assert_int_equal(written, 42);
	thread_join(NULL);
}

static void count_up(void *argument)
{
	struct shared *shared = argument;
	for (int i = 0; i < ROUNDS; i++) {
		mutex_lock(shared->mutex);
		shared->count++;
		mutex_unlock(shared->mutex);
	}
}

static void mutex__many_threads__one_at_a_time(void **state)
{
	(void)state;
	struct shared shared;
	struct thread *threads[THREADS];
	set_up(&shared);
	for (int i = 0; i < THREADS; i++)
		threads[i] = start(count_up, &shared);
	for (int i = 0; i < THREADS; i++)
		thread_join(threads[i]);
	assert_int_equal(shared.count, THREADS * ROUNDS);
	tear_down(&shared);
}

static void answer(void *argument)
{
	struct shared *shared = argument;
	mutex_lock(shared->mutex);
	while (!shared->asked)
		condition_wait(shared->condition, shared->mutex, -1);
	shared->answered = true;
	condition_signal(shared->condition);
	mutex_unlock(shared->mutex);
}

static void condition__signalled__wakes_who_waits_for_ever(void **state)
{
	(void)state;
	struct shared shared;
	set_up(&shared);
	struct thread *thread = start(answer, &shared);
	mutex_lock(shared.mutex);
	shared.asked = true;
	condition_signal(shared.condition);
	while (!shared.answered)
		condition_wait(shared.condition, shared.mutex, 60000);
	mutex_unlock(shared.mutex);
	thread_join(thread);
	tear_down(&shared);
}

static void wait_for_timeout(struct shared *shared, int64_t timeout_ms)
{
	int64_t begin = clock_mono_ms();
	do /* it may wake early */
		condition_wait(shared->condition, shared->mutex, timeout_ms);
	while (clock_mono_ms() < begin + timeout_ms);
}

static void condition__not_signalled__wakes_after_the_time_with_the_mutex_held(void **state)
{
	(void)state;
	struct shared shared;
	set_up(&shared);
	struct thread *thread = NULL;
	mutex_lock(shared.mutex);
	thread = start(count_up, &shared); /* cannot count before the wait gives the mutex away */
	assert_int_equal(shared.count, 0);
	while (shared.count < ROUNDS)
		wait_for_timeout(&shared, 10);
	wait_for_timeout(&shared, 0);
	mutex_unlock(shared.mutex);
	thread_join(thread);
	tear_down(&shared);
}

static void nothing__to_free__is_fine(void **state)
{
	(void)state;
	mutex_free(NULL);
	condition_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(thread__join__waits_for_its_end),
		cmocka_unit_test(mutex__many_threads__one_at_a_time),
		cmocka_unit_test(condition__signalled__wakes_who_waits_for_ever),
		cmocka_unit_test(condition__not_signalled__wakes_after_the_time_with_the_mutex_held),
		cmocka_unit_test(nothing__to_free__is_fine),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
