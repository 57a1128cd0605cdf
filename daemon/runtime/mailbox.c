#include "runtime/mailbox.h"

#include <stdlib.h>

#include "platform/clock.h"

struct mailbox {
	struct mutex *mutex;
	struct condition *arrived;
	struct letter *first;
	struct letter *last; /* meaningless while `first` is NULL */
	void (*wake)(void *context);
	void *context;
};

struct mailbox *mailbox_new(void (*wake)(void *context), void *context)
{
	AUTO(mailbox) struct mailbox *mailbox = calloc(1, sizeof(*mailbox));
	if (!mailbox)
		return NULL;
	mailbox->mutex = mutex_new();
	mailbox->arrived = condition_new();
	if (!mailbox->mutex || !mailbox->arrived)
		return NULL;
	mailbox->wake = wake;
	mailbox->context = context;
	return TAKE(mailbox);
}

void mailbox_free(struct mailbox *mailbox)
{
	if (!mailbox)
		return;
	condition_free(mailbox->arrived);
	mutex_free(mailbox->mutex);
	free(mailbox);
}

void mailbox_post(struct mailbox *mailbox, struct letter *letter)
{
	letter->next = NULL;
	mutex_lock(mailbox->mutex);
	bool was_empty = !mailbox->first;
	if (was_empty)
		mailbox->first = letter;
	else
		mailbox->last->next = letter;
	mailbox->last = letter;
	if (was_empty)
		condition_signal(mailbox->arrived);
	/* Inside the lock: who has taken a letter may then free what its wake would have touched. */
	if (was_empty && mailbox->wake)
		mailbox->wake(mailbox->context);
	mutex_unlock(mailbox->mutex);
}

struct letter *mailbox_take_all(struct mailbox *mailbox)
{
	mutex_lock(mailbox->mutex);
	struct letter *all = TAKE(mailbox->first);
	mutex_unlock(mailbox->mutex);
	return all;
}

void mailbox_put_back(struct mailbox *mailbox, struct letter *letters)
{
	struct letter *last = letters;

	if (!letters)
		return;
	while (last->next)
		last = last->next;
	mutex_lock(mailbox->mutex);
	last->next = mailbox->first;
	if (!mailbox->first)
		mailbox->last = last;
	mailbox->first = letters;
	mutex_unlock(mailbox->mutex);
}

void mailbox_wait(struct mailbox *mailbox, int64_t timeout_ms)
{
	int64_t until_ms = timeout_ms < 0 ? 0 : clock_mono_ms() + timeout_ms;
	mutex_lock(mailbox->mutex);
	while (!mailbox->first) {
		int64_t left_ms = timeout_ms < 0 ? -1 : until_ms - clock_mono_ms();
		if (timeout_ms >= 0 && left_ms <= 0)
			break;
		condition_wait(mailbox->arrived, mailbox->mutex, left_ms);
	}
	mutex_unlock(mailbox->mutex);
}
