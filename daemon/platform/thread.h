/* platform/thread - threads, locks and waiting.
 *
 * A thread that puts an identity on wears it all its life (law 1), so threads are started, never pooled.
 */
#ifndef FERRY_PLATFORM_THREAD_H
#define FERRY_PLATFORM_THREAD_H

#include "core/text.h"

struct thread;
struct mutex;
struct condition;

/* Start `run(argument)`.  `name` (at most 15 bytes) shows in debuggers.  RESULT_NO_MEMORY | RESULT_SYSTEM. */
enum result thread_start(const char *name, void (*run)(void *argument), void *argument, struct thread **ret_thread,
                         struct fault *fault) MUST_CHECK;
/* Wait for the thread's end and free it; NULL is fine. */
void thread_join(struct thread *thread);

/* NULL when memory is short. Not recursive. */
struct mutex *mutex_new(void);
void mutex_free(struct mutex *mutex);
void mutex_lock(struct mutex *mutex);
void mutex_unlock(struct mutex *mutex);

struct condition *condition_new(void);
void condition_free(struct condition *condition);
void condition_signal(struct condition *condition);
/* Wait up to `timeout_ms` (negative: for ever) with the mutex held on entry and return; may wake early. */
void condition_wait(struct condition *condition, struct mutex *mutex, int64_t timeout_ms);

#endif
