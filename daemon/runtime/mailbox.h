/* runtime/mailbox - letters from many threads to one.
 *
 * An intrusive first-in-first-out list behind a lock.  The owner sleeps until a letter or a time comes: no polling.
 */
#ifndef FERRY_RUNTIME_MAILBOX_H
#define FERRY_RUNTIME_MAILBOX_H

#include "platform/thread.h"

/* First member of whatever is sent.  `deliver`, where the receiver takes letters of many kinds (the engine), is called on
 * its thread and owns the letter. */
struct letter {
	struct letter *next;
	void (*deliver)(struct letter *letter, void *receiver);
};

struct mailbox;

/* `wake`, if not NULL, is called by the poster after the letter is in, when the box was empty: for an owner who sleeps
 * somewhere else than in mailbox_wait (curl_multi_poll).  It must be short and not use the box, which is locked: once a
 * letter is taken no wake for it is under way any more. */
struct mailbox *mailbox_new(void (*wake)(void *context), void *context);
/* Letters still inside are not freed: take them first. */
void mailbox_free(struct mailbox *mailbox);
DEFINE_CLEANUP(mailbox)

void mailbox_post(struct mailbox *mailbox, struct letter *letter); /* any thread; never fails */
/* All letters in order, as a list; NULL if there are none. */
struct letter *mailbox_take_all(struct mailbox *mailbox);
/* Put such a list, or what is left of it, back in front of what has come since: each poster's order stays. */
void mailbox_put_back(struct mailbox *mailbox, struct letter *letters);
/* Sleep until there is a letter or `timeout_ms` is over (negative: for ever). */
void mailbox_wait(struct mailbox *mailbox, int64_t timeout_ms);

#endif
