#include "platform/thread.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "platform/posix/fault.h"

struct thread {
	pthread_t id;
	void (*run)(void *argument);
	void *argument;
};

/* A struct mutex is a pthread_mutex_t, and a struct condition a pthread_cond_t: there is nothing to add. */

/* What can fail only by a mistake of ours. */
static void must(int error)
{
	assert(error == 0), (void)error;
}

static void *thread_body(void *argument)
{
	struct thread *thread = argument;
	return thread->run(thread->argument), NULL;
}

enum result thread_start(const char *name, void (*run)(void *argument), void *argument, struct thread **ret_thread,
                         struct fault *fault)
{
	struct thread *thread = calloc(1, sizeof(*thread));
	if (thread)
		*thread = (struct thread){ .run = run, .argument = argument };
	int error = thread ? pthread_create(&thread->id, NULL, thread_body, thread) : ENOMEM;
	if (error != 0) {
		free(thread);
		return fault_errno(fault, error, "start thread %s", name);
	}
	pthread_setname_np(thread->id, name); /* for debuggers: failing is fine */
	*ret_thread = thread;
	return RESULT_OK;
}

void thread_join(struct thread *thread)
{
	if (thread)
		must(pthread_join(thread->id, NULL));
	free(thread);
}

/* All zero is PTHREAD_MUTEX_INITIALIZER on Linux; below likewise. */
struct mutex *mutex_new(void) { return calloc(1, sizeof(pthread_mutex_t)); }

void mutex_free(struct mutex *mutex)
{
	if (mutex)
		must(pthread_mutex_destroy((pthread_mutex_t *)mutex));
	free(mutex);
}

void mutex_lock(struct mutex *mutex) { must(pthread_mutex_lock((pthread_mutex_t *)mutex)); }
void mutex_unlock(struct mutex *mutex) { must(pthread_mutex_unlock((pthread_mutex_t *)mutex)); }

struct condition *condition_new(void) { return calloc(1, sizeof(pthread_cond_t)); }

void condition_free(struct condition *condition)
{
	if (condition)
		must(pthread_cond_destroy((pthread_cond_t *)condition));
	free(condition);
}

void condition_signal(struct condition *condition) { must(pthread_cond_signal((pthread_cond_t *)condition)); }

void condition_wait(struct condition *condition, struct mutex *mutex, int64_t timeout_ms)
{
	/* On the monotonic clock, so that setting the time wakes nobody and delays nobody. */
	struct timespec until;
	int64_t wait_ms = timeout_ms < 0 ? INT64_MAX / 1000000 : timeout_ms; /* 292 years */
	clock_gettime(CLOCK_MONOTONIC, &until);
	int64_t at_ns = until.tv_nsec + wait_ms % 1000 * 1000000;
	until = (struct timespec){ until.tv_sec + wait_ms / 1000 + at_ns / 1000000000, at_ns % 1000000000 };
	int error = pthread_cond_clockwait((pthread_cond_t *)condition, (pthread_mutex_t *)mutex, CLOCK_MONOTONIC, &until);
	must(error == ETIMEDOUT ? 0 : error);
}
