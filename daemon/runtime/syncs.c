#include "runtime/syncs.h"

#include <stdlib.h>

#include "platform/thread.h"

#define THREADS_MAX (SYNCS_AT_ONCE - 1)

/* One call of syncs_run, on its caller's stack. */
struct task {
	struct task *next;
	void (*work)(void *context, size_t index);
	void *context;
	size_t begun, ended, count;
	struct condition *done;
};

struct syncs {
	struct mutex *mutex;
	struct condition *arrived;
	struct task *tasks; /* of which something is still to be begun */
	struct thread *threads[THREADS_MAX];
	size_t thread_count;
	bool stopping;
};

/* Under the lock, which is let go meanwhile.  The task may be gone afterwards, unless it is the caller's. */
static void do_next(struct syncs *syncs, struct task *task)
{
	size_t index = task->begun++;
	struct task **place = &syncs->tasks;
	if (task->begun == task->count) {
		while (*place != task)
			place = &(*place)->next;
		*place = task->next;
	}
	mutex_unlock(syncs->mutex);
	task->work(task->context, index);
	mutex_lock(syncs->mutex);
	if (++task->ended == task->count)
		condition_signal(task->done);
}

static void run(void *argument)
{
	struct syncs *syncs = argument;
	mutex_lock(syncs->mutex);
	while (!syncs->stopping)
		if (syncs->tasks)
			do_next(syncs, syncs->tasks);
		else
			condition_wait(syncs->arrived, syncs->mutex, -1);
	mutex_unlock(syncs->mutex);
}

struct syncs *syncs_new(void)
{
	AUTO(syncs) struct syncs *syncs = calloc(1, sizeof(*syncs));
	if (!syncs)
		return NULL;
	syncs->mutex = mutex_new();
	syncs->arrived = condition_new();
	if (!syncs->mutex || !syncs->arrived)
		return NULL;
	while (syncs->thread_count < THREADS_MAX &&
	       thread_start("syncs", run, syncs, &syncs->threads[syncs->thread_count], NULL) == RESULT_OK)
		syncs->thread_count++;
	return TAKE(syncs);
}

void syncs_free(struct syncs *syncs)
{
	if (!syncs)
		return;
	if (syncs->thread_count > 0) {
		mutex_lock(syncs->mutex);
		syncs->stopping = true;
		for (size_t i = 0; i < syncs->thread_count; i++)
			condition_signal(syncs->arrived);
		mutex_unlock(syncs->mutex);
	}
	for (size_t i = 0; i < syncs->thread_count; i++)
		thread_join(syncs->threads[i]);
	condition_free(syncs->arrived);
	mutex_free(syncs->mutex);
	free(syncs);
}

void syncs_run(struct syncs *syncs, size_t count, void (*work)(void *context, size_t index), void *context)
{
	struct task task = { .work = work, .context = context, .count = count };
	task.done = syncs && count > 1 ? condition_new() : NULL;
	if (!task.done) {
		for (size_t i = 0; i < count; i++)
			work(context, i);
		return;
	}
	mutex_lock(syncs->mutex);
	struct task **end = &syncs->tasks;
	while (*end)
		end = &(*end)->next;
	*end = &task;
	for (size_t i = 0; i < count - 1 && i < syncs->thread_count; i++)
		condition_signal(syncs->arrived);
	while (task.begun < task.count)
		do_next(syncs, &task);
	while (task.ended < task.count)
		condition_wait(task.done, syncs->mutex, -1);
	mutex_unlock(syncs->mutex);
	condition_free(task.done);
}
