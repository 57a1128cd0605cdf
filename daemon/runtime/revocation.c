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
	char *texts; /* the chain, then the roots */
	size_t chain, roots;
	void (*answered)(void *context); /* NULL: nobody waits */
	void *context;
	bool over, dropped;
	enum certificate_verdict verdict;
	struct fault why;
};

/* The lock is for the questions, too, but for what their threads only read. */
struct revocation {
	const struct certificate_system *system;
	struct mutex *lock;
	struct condition *is_over;
	struct question *questions;
	unsigned count;
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

/* Those that are over, and that nobody will look at. */
static void clear(struct revocation *revocation)
{
	for (struct question **place = &revocation->questions; *place;) {
		struct question *question = *place;

		if (!question->over || !question->dropped) {
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
	enum certificate_verdict verdict = CERTIFICATE_UNANSWERED;
	struct fault why = { .result = RESULT_OK };

	if (identity_wear(question->identity, &why) == RESULT_OK)
		verdict =
			revocation->system->ask((struct text_view){ question->texts, question->chain },
		                            (struct text_view){ question->texts + question->chain, question->roots }, &why);
	mutex_lock(revocation->lock);
	question->verdict = verdict;
	question->why = why;
	question->over = true;
	if (!question->dropped)
		question->answered(question->context); /* under the lock: whoever asked is there */
	condition_signal(revocation->is_over);
	mutex_unlock(revocation->lock);
}

struct question *revocation_ask(struct revocation *revocation, struct identity *identity, struct text_view chain,
                                struct text_view roots, void (*answered)(void *context), void *context)
{
	struct question *question = calloc(1, sizeof(*question));
	char *texts = malloc(chain.length + roots.length + 1);
	bool begun = false;

	if (!question || !texts) {
		free(question);
		free(texts);
		return NULL;
	}
	memcpy(texts, chain.bytes, chain.length);
	if (roots.length > 0)
		memcpy(texts + chain.length, roots.bytes, roots.length);
	*question = (struct question){ .of = revocation,
		                           .identity = identity_hold(identity),
		                           .texts = texts,
		                           .chain = chain.length,
		                           .roots = roots.length,
		                           .answered = answered,
		                           .context = context };
	mutex_lock(revocation->lock);
	clear(revocation);
	begun = revocation->count < REVOCATION_ASKS_MAX &&
	        thread_start("revocation", run, question, &question->thread, NULL) == RESULT_OK;
	if (begun) {
		question->next = revocation->questions;
		revocation->questions = question;
		revocation->count++;
	}
	mutex_unlock(revocation->lock);
	if (begun)
		return question;
	free_question(question);
	return NULL;
}

bool question_answered(struct question *question, enum certificate_verdict *ret_verdict, struct fault *ret_why)
{
	mutex_lock(question->of->lock);
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
