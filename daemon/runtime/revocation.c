#include "runtime/revocation.h"

#include <stdlib.h>
#include <string.h>

#include "platform/clock.h"
#include "platform/identity.h"
#include "platform/thread.h"

struct question {
	struct question *next;
	struct revocation *of;
	struct identity *identity;
	struct thread *thread;
	char *texts; /* what the server sent, then the roots */
	size_t sent, roots;
	int64_t until_ms; /* that it waits for a place */
	void (*answered)(void *context); /* NULL: nobody waits */
	void *context;
	bool over, dropped; /* without a thread and not over: it waits for a place */
	enum certificate_verdict verdict;
	struct fault why;
};

/* The lock is for the questions, too, but for what their threads only read. */
struct revocation {
	const struct certificate_system *system;
	struct mutex *lock;
	struct condition *is_over;
	struct question *questions;
	unsigned count; /* of all */
};

struct revocation *revocation_new(const struct certificate_system *system)
{
	struct revocation *revocation = calloc(1, sizeof(*revocation));

	if (!revocation)
		return NULL;
	revocation->system = system;
	revocation->lock = mutex_new();
	revocation->is_over = condition_new();
	if (revocation->lock && revocation->is_over)
		return revocation;
	mutex_free(revocation->lock);
	condition_free(revocation->is_over);
	free(revocation);
	return NULL;
}

static void free_question(struct question *question)
{
	thread_join(question->thread); /* it has said its last word, or never began */
	identity_free(question->identity);
	free(question->texts);
	free(question);
}

/* Those that have no thread at work, and that nobody will look at. */
static void clear(struct revocation *revocation)
{
	for (struct question **place = &revocation->questions; *place;) {
		struct question *question = *place;

		if ((question->thread && !question->over) || !question->dropped) {
			place = &question->next;
			continue;
		}
		*place = question->next;
		revocation->count--;
		free_question(question);
	}
}

void revocation_free(struct revocation *revocation)
{
	if (!revocation)
		return;
	int64_t until_ms = clock_mono_ms() + REVOCATION_END_MS;

	mutex_lock(revocation->lock);
	clear(revocation);
	while (revocation->count > 0 && clock_mono_ms() < until_ms) {
		condition_wait(revocation->is_over, revocation->lock, until_ms - clock_mono_ms());
		clear(revocation);
	}
	bool done = revocation->count == 0;
	mutex_unlock(revocation->lock);
	if (!done)
		return; /* the process ends, and with it whoever still waits for a server */
	mutex_free(revocation->lock);
	condition_free(revocation->is_over);
	free(revocation);
}

static void run(void *argument)
{
	struct question *question = argument;
	struct revocation *revocation = question->of;
	enum certificate_verdict verdict = CERTIFICATE_UNASKED;
	struct fault why = { .result = RESULT_OK };

	if (identity_wear(question->identity, &why) == RESULT_OK)
		verdict =
			revocation->system->ask((struct text_view){ question->texts, question->sent },
		                            (struct text_view){ question->texts + question->sent, question->roots }, &why);
	mutex_lock(revocation->lock);
	question->verdict = verdict;
	question->why = why;
	question->over = true;
	if (!question->dropped)
		question->answered(question->context); /* under the lock: whoever asked is there */
	condition_signal(revocation->is_over);
	mutex_unlock(revocation->lock);
}

static bool has_place(const struct question *wanted)
{
	const char *owner = identity_caller(wanted->identity)->owner;
	unsigned all = 0, own = 0;

	for (const struct question *question = wanted->of->questions; question; question = question->next)
		if (question->thread && !question->over) {
			all++;
			own += strcmp(identity_caller(question->identity)->owner, owner) == 0;
		}
	return all < REVOCATION_ASKS_MAX && own < REVOCATION_SHARE;
}

/* By a thread that wears the question's identity, as nobody else may have its thread. */
static void try_to_begin(struct question *question)
{
	if (question->thread || question->over)
		return;
	if (has_place(question)) {
		question->over = thread_start("revocation", run, question, &question->thread, &question->why) != RESULT_OK;
	} else if (clock_mono_ms() >= question->until_ms) {
		(void)fault_set(&question->why, RESULT_CERTIFICATE_UNCHECKED, FAULT_FERRY, 0,
		                "too many certificates are being asked after");
		question->over = true;
	}
}

struct question *revocation_ask(struct revocation *revocation, struct identity *identity, struct text_view sent,
                                struct text_view roots, void (*answered)(void *context), void *context)
{
	struct question *question = calloc(1, sizeof(*question));
	char *texts = malloc(sent.length + roots.length + 1);

	if (!question || !texts) {
		free(question);
		free(texts);
		return NULL;
	}
	memcpy(texts, sent.bytes, sent.length);
	if (roots.length > 0)
		memcpy(texts + sent.length, roots.bytes, roots.length);
	*question = (struct question){ .of = revocation,
		                           .identity = identity_hold(identity),
		                           .texts = texts,
		                           .sent = sent.length,
		                           .roots = roots.length,
		                           .until_ms = clock_mono_ms() + REVOCATION_PLACE_MS,
		                           .answered = answered,
		                           .context = context,
		                           .verdict = CERTIFICATE_UNASKED };
	mutex_lock(revocation->lock);
	clear(revocation);
	question->next = revocation->questions;
	revocation->questions = question;
	revocation->count++;
	try_to_begin(question);
	mutex_unlock(revocation->lock);
	return question;
}

bool question_answered(struct question *question, enum certificate_verdict *ret_verdict, struct fault *ret_why)
{
	mutex_lock(question->of->lock);
	try_to_begin(question);
	bool over = question->over;

	if (over) {
		*ret_verdict = question->verdict;
		*ret_why = question->why;
	}
	mutex_unlock(question->of->lock);
	return over;
}

void question_free(struct question *question)
{
	if (!question)
		return;
	struct revocation *revocation = question->of;

	mutex_lock(revocation->lock);
	question->dropped = true;
	clear(revocation);
	mutex_unlock(revocation->lock);
}
