/* runtime/engine: declared jobs - when they are compared with what there is, and what that is about.
 *
 * What was applied last is in the store, and goes on whatever becomes of jobs.d: where one of its files is not good, nothing
 * changes.  Each declared job has at most one job of the queue, which fetches what is missing and is over then. */
#include <stdlib.h>
#include <string.h>

#include "runtime/engine_pass.h"

#define DUE_MS_MAX (3600 * 1000) /* looked at again after that, since the wall clock may be set */
#define FAILED_MS (60 * 1000)    /* before a pass that came to nothing is begun again */

/* --- a pass --- */

static void pass_free(struct engine *engine, struct pass *pass)
{
	for (size_t i = 0; i < pass->count; i++) {
		free(pass->entries[i].disk);
	}
	free(pass->entries);
	declared_set_done(&pass->wanted);
	declared_set_done(&pass->applied);
	crew_release(engine, pass->crew);
	free(pass);
}

static void answer(struct declare_question *questions, enum result result, const struct declare_step *steps, size_t count,
                   const struct settings_errors *errors, const struct fault *fault)
{
	while (questions != NULL) {
		struct declare_question *next = questions->next;

		questions->answer(questions, result, steps, count, errors, fault);
		questions = next;
	}
}

/* When the next is due of itself. */
static void set_due(struct engine *engine)
{
	struct declaring *declaring = &engine->declaring;
	int64_t due_ms = INT64_MAX, left;
	struct fault fault;

	if (store_declared_next_due(engine->parts.store, engine_now(engine), &due_ms, &fault) != RESULT_OK)
		engine_break(engine, &fault);
	left = due_ms == INT64_MAX ? INT64_MAX : due_ms - engine_now(engine);
	if (left == INT64_MAX)
		declaring->due_at_ms = INT64_MAX;
	else
		declaring->due_at_ms = engine_mono(engine) + (left < 0 ? 0 : left < DUE_MS_MAX ? left : DUE_MS_MAX);
}

/* It is over; what was to be done by itself is still owed if that was not done. */
static void pass_over(struct engine *engine, bool done)
{
	struct declaring *declaring = &engine->declaring;
	struct pass *pass = TAKE(declaring->pass);

	declaring->start |= !done && pass->kind == PASS_START;
	declaring->changed |= !done && pass->kind == PASS_CHANGED;
	declaring->ended |= !done && pass->kind == PASS_ENDED;
	pass_free(engine, pass);
	set_due(engine);
}

/* What it has read is not what is declared any more, perhaps, and what it looks at may take hours. */
static void pass_restart(struct engine *engine)
{
	struct declaring *declaring = &engine->declaring;
	struct declare_question **end = &declaring->pass->questions;

	pass_stop_look(engine);
	while (*end != NULL)
		end = &(*end)->next;
	*end = declaring->questions;
	declaring->questions = TAKE(declaring->pass->questions);
	pass_over(engine, false);
}

void pass_fail(struct engine *engine, const struct fault *fault)
{
	struct declare_question *questions = TAKE(engine->declaring.pass->questions);

	answer(questions, fault->result, NULL, 0, NULL, fault);
	engine->declaring.retry_at_ms = engine_mono(engine) + FAILED_MS;
	pass_over(engine, false);
}

void pass_set_due(struct engine *engine, struct store_declared *kept, int64_t due_ms)
{
	int64_t now_ms = engine_now(engine);

	if (kept->set_ms > now_ms)
		kept->since_ms = now_ms;
	kept->set_ms = now_ms;
	kept->due_ms = due_ms;
}

/* --- what it is about --- */

struct loading {
	struct engine *engine;
	struct pass *pass;
	bool no_memory;
};

/* A spec that cannot be read, of another Ferry or with its key lost, is as if nothing had been applied. */
static bool load_one(void *context, const struct store_declared *kept, struct text_view spec)
{
	struct loading *loading = context;
	struct pass *pass = loading->pass;
	struct settings_errors ignored = { .count = 0 };
	struct declared *applied = NULL;
	struct entry *entry = &pass->entries[pass->count];

	if (pass->count == DECLARED_JOBS_MAX)
		return false;
	if (spec.length > 0 && declare_read(spec, kept->name, loading->engine->parts.path_style, &applied, &ignored) == RESULT_NO_MEMORY)
		loading->no_memory = true;
	entry->kept = *kept;
	entry->name = entry->kept.name;
	entry->applied = applied;
	pass->count++;
	if (applied != NULL)
		(void)declared_set_add(&pass->applied, applied); /* there are no more than entries */
	return !loading->no_memory;
}

static struct entry *find_entry(struct pass *pass, const char *name)
{
	for (size_t i = 0; i < pass->count; i++)
		if (strcmp(pass->entries[i].name, name) == 0)
			return &pass->entries[i];
	return NULL;
}

/* What was applied, and beside it what is declared now. */
static enum result load(struct engine *engine, struct pass *pass, struct fault *fault)
{
	struct loading loading = { engine, pass, false };
	enum result result;

	pass->entries = calloc(2 * (size_t)DECLARED_JOBS_MAX, sizeof(*pass->entries));
	if (pass->entries == NULL)
		return fault_set(fault, RESULT_NO_MEMORY, FAULT_FERRY, 0, "compare what is declared");
	result = store_declared_list(engine->parts.store, load_one, &loading, fault);
	for (uint32_t i = 0; result == RESULT_OK && !pass->as_applied && i < pass->wanted.count; i++) {
		struct entry *entry = find_entry(pass, pass->wanted.jobs[i]->name);

		if (entry == NULL)
			entry = &pass->entries[pass->count++];
		entry->wanted = pass->wanted.jobs[i];
		entry->name = entry->wanted->name;
	}
	for (size_t i = 0; result == RESULT_OK && i < pass->count; i++) {
		struct entry *entry = &pass->entries[i];

		if (pass->as_applied)
			entry->wanted = entry->applied;
		if (entry->wanted == NULL)
			continue;
		entry->disk = calloc(entry->wanted->file_count, sizeof(*entry->disk));
		loading.no_memory |= entry->disk == NULL;
	}
	return loading.no_memory ? fault_set(fault, RESULT_NO_MEMORY, FAULT_FERRY, 0, "compare what is declared") : result;
}

/* Its job, as it is now. */
static void find_job(struct engine *engine, struct entry *entry)
{
	struct job job;

	entry->unfinished = entry->failed = entry->over = false;
	if (entry->kept.job_row == 0 || !engine_load_job(engine, entry->kept.job_row, &job))
		return;
	entry->over = job_state_is_final(job.state);
	entry->unfinished = true;
	entry->failed = job.state == JOB_ERROR;
}

/* Or its moments were reckoned by a clock that was ahead, and may lie anywhere. */
static bool is_due(const struct engine *engine, const struct entry *entry)
{
	return entry->kept.due_ms <= engine_now(engine) || entry->kept.set_ms > engine_now(engine);
}

/* As the service, who need not be waited for. */
static bool is_under_way(const struct entry *entry)
{
	return entry->unfinished && !entry->failed && entry->wanted->helper[0] == '\0';
}

/* Those whose job is under way; and where the words cannot be opened, they are read again from where they are declared. */
static void put_off(struct engine *engine, struct pass *pass)
{
	for (size_t i = 0; i < pass->count && engine->broken.result == RESULT_OK; i++) {
		struct entry *entry = &pass->entries[i];
		struct fault fault;

		if (!is_due(engine, entry) || (entry->wanted != NULL && !is_under_way(entry)))
			continue;
		pass_set_due(engine, &entry->kept, engine_now(engine) + DECLARE_RETRY_MS);
		if (store_declared_set_due(engine->parts.store, &entry->kept, &fault) != RESULT_OK)
			engine_break(engine, &fault);
		engine->declaring.changed |= entry->wanted == NULL;
	}
}

static bool is_concerned(struct engine *engine, const struct pass *pass, struct entry *entry)
{
	const struct declare_known unseen = { .applied = entry->applied, .disk = entry->disk };
	struct declare_action action;

	find_job(engine, entry);
	declare_decide(entry->wanted, &unseen, &action);
	entry->owed = action.act == DECLARE_CREATE || action.act == DECLARE_REPLACE;
	entry->anew = entry->owed || entry->kept.set_ms > engine_now(engine) ||
	              (action.act == DECLARE_UPDATE && !declare_same_when(&entry->wanted->when, &entry->applied->when));
	entry->owed |= entry->kept.owed;
	switch (pass->kind) {
	case PASS_CHANGED: return action.act != DECLARE_NOTHING;
	case PASS_DUE: return entry->wanted != NULL && is_due(engine, entry) && !is_under_way(entry);
	case PASS_ENDED: return entry->over;
	case PASS_START:
	case PASS_PLAN:
	case PASS_APPLY: break;
	}
	/* What was applied and is not to be read any more is gone only if what is declared says so. */
	return !(pass->as_applied && entry->wanted == NULL);
}

/* What is declared now.  Where that is not good, a start goes on with what was applied; anything else does nothing: false. */
static bool read_wanted(struct engine *engine, struct pass *pass)
{
	const struct engine_parts *parts = &engine->parts;
	struct settings_errors errors = { .count = 0 };
	struct fault fault;
	bool any = false;

	pass->as_applied = pass->kind == PASS_DUE || pass->kind == PASS_ENDED || parts->read_declared == NULL;
	if (!pass->as_applied && store_declared_any(parts->store, &any, &fault) != RESULT_OK)
		engine_break(engine, &fault);
	if (pass->as_applied || parts->read_declared(parts->settings_context, any, &pass->wanted, &errors) == RESULT_OK)
		return true;
	if (pass->kind != PASS_PLAN)
		engine_note_declared_refused(engine, &errors);
	pass->as_applied = pass->kind == PASS_START;
	if (!pass->as_applied)
		answer(TAKE(pass->questions), RESULT_BAD_SETTING, NULL, 0, &errors, NULL);
	return pass->as_applied;
}

static void pass_begin(struct engine *engine, enum pass_kind kind, struct declare_question *questions)
{
	struct pass *pass = calloc(1, sizeof(*pass));
	struct fault fault = { .result = RESULT_OK };
	enum result result;

	if (pass == NULL) {
		engine_break_for_memory(engine, "compare what is declared");
		answer(questions, engine->broken.result, NULL, 0, NULL, &engine->broken);
		return;
	}
	engine->declaring.pass = pass;
	*pass = (struct pass){ .kind = kind, .questions = questions };
	engine->declaring.stale = false;
	if (!read_wanted(engine, pass)) {
		pass_over(engine, true);
		return;
	}
	result = load(engine, pass, &fault);
	if (result == RESULT_SECRET_BUSY) { /* which nobody else need wait for */
		pass_fail(engine, &fault);
		return;
	}
	if (result != RESULT_OK) {
		engine_break(engine, &fault); /* the turn is undone, and with it the pass dropped */
		return;
	}
	for (size_t i = 0; i < pass->count; i++)
		pass->entries[i].concerned = is_concerned(engine, pass, &pass->entries[i]);
	if (pass->kind == PASS_DUE)
		put_off(engine, pass);
	if (engine->broken.result == RESULT_OK)
		pass_look(engine);
}

/* --- its end --- */

struct tally {
	uint32_t done, failed, right;
};

static struct tally act(struct engine *engine, struct pass *pass, struct declare_step *steps, size_t *ret_count)
{
	struct tally tally = { 0 };
	size_t count = 0;

	for (size_t i = 0; i < pass->count && engine->broken.result == RESULT_OK; i++) {
		struct entry *entry = &pass->entries[i];
		struct declare_step *step = &steps[count];

		if (!entry->concerned)
			continue;
		if (pass->kind == PASS_ENDED) {
			pass_record(engine, entry);
			continue;
		}
		find_job(engine, entry); /* it may have got on meanwhile */
		pass_act(engine, entry, step);
		count++;
		tally.failed += step->fault.result != RESULT_OK;
		tally.done += step->fault.result == RESULT_OK && step->action.act != DECLARE_NOTHING;
		tally.right += step->fault.result == RESULT_OK && step->action.act == DECLARE_NOTHING;
	}
	*ret_count = count;
	return tally;
}

void pass_end(struct engine *engine)
{
	struct pass *pass = engine->declaring.pass;
	struct declare_step *steps = calloc(pass->count + 1, sizeof(*steps));
	struct tally tally;
	size_t count = 0;

	if (steps == NULL) {
		engine_break_for_memory(engine, "compare what is declared");
		return;
	}
	tally = act(engine, pass, steps, &count);
	if (engine->broken.result == RESULT_OK) { /* else the pass is dropped with the turn */
		if (pass->kind != PASS_PLAN && tally.done + tally.failed > 0)
			engine_note_declared_applied(engine, tally.done, tally.failed, tally.right);
		answer(TAKE(pass->questions), RESULT_OK, steps, count, NULL, NULL);
		engine->declaring.start &= pass->kind != PASS_APPLY; /* which has done more */
		engine->declaring.changed &= pass->kind != PASS_APPLY;
		if (!pass->as_applied && pass->kind != PASS_PLAN)
			engine->declaring.again_at_ms = tally.failed > 0 ? engine_mono(engine) + DECLARE_RETRY_MS : INT64_MAX;
		pass_over(engine, true);
	}
	free(steps);
}

/* --- which is due --- */

/* Those who ask for the same as the first one. */
static struct declare_question *take_questions(struct declaring *declaring)
{
	struct declare_question *taken = NULL, **end = &taken, **place = &declaring->questions;
	bool act = declaring->questions->act;

	while (*place != NULL) {
		struct declare_question *question = *place;

		if (question->act != act) {
			place = &question->next;
			continue;
		}
		*place = question->next;
		question->next = NULL;
		*end = question;
		end = &question->next;
	}
	return taken;
}

static void begin_next(struct engine *engine)
{
	struct declaring *declaring = &engine->declaring;
	struct fault fault;
	bool any = false;

	/* First those that are over, or they would seem to be under way. */
	if (declaring->ended && engine_mono(engine) >= declaring->retry_at_ms) {
		declaring->ended = false;
		if (store_declared_ended(engine->parts.store, &any, &fault) != RESULT_OK)
			engine_break(engine, &fault);
		else if (any)
			pass_begin(engine, PASS_ENDED, NULL);
	} else if (declaring->questions != NULL) {
		enum pass_kind kind = declaring->questions->act ? PASS_APPLY : PASS_PLAN;

		pass_begin(engine, kind, take_questions(declaring));
	} else if (engine_mono(engine) < declaring->retry_at_ms) {
		return;
	} else if (declaring->start) {
		declaring->start = declaring->changed = false;
		pass_begin(engine, PASS_START, NULL);
	} else if (declaring->changed || engine_mono(engine) >= declaring->again_at_ms) {
		declaring->changed = false;
		declaring->again_at_ms = INT64_MAX;
		pass_begin(engine, PASS_CHANGED, NULL);
	} else if (engine_mono(engine) >= declaring->due_at_ms) {
		set_due(engine);
		if (engine_mono(engine) >= declaring->due_at_ms)
			pass_begin(engine, PASS_DUE, NULL);
	}
}

static bool is_owed(const struct declaring *declaring)
{
	return declaring->start || declaring->changed || declaring->ended;
}

int64_t engine_declare_tend(struct engine *engine)
{
	struct declaring *declaring = &engine->declaring;
	struct pass *before = NULL;
	int64_t next_ms;

	if (declaring->pass != NULL && declaring->stale && !engine->stopping)
		pass_restart(engine);
	do {
		before = declaring->pass;
		if (before == NULL && !engine->stopping && engine->broken.result == RESULT_OK)
			begin_next(engine);
	} while (before == NULL && declaring->pass == NULL && engine->broken.result == RESULT_OK && !engine->stopping &&
	         (declaring->questions != NULL || (is_owed(declaring) && engine_mono(engine) >= declaring->retry_at_ms)));
	if (declaring->pass != NULL)
		return pass_tend_look(engine); /* or a report comes */
	if (is_owed(declaring))
		return declaring->retry_at_ms;
	next_ms = declaring->due_at_ms < declaring->again_at_ms ? declaring->due_at_ms : declaring->again_at_ms;
	return next_ms > declaring->retry_at_ms ? next_ms : declaring->retry_at_ms;
}

/* --- what others tell --- */

void engine_declare_for(struct engine *engine, struct declare_question *question)
{
	struct declare_question **end = &engine->declaring.questions;

	while (*end != NULL)
		end = &(*end)->next;
	question->next = NULL;
	*end = question;
}

enum result engine_declared_find(struct engine *engine, const char *name, struct job_status *ret_status, struct fault *fault)
{
	struct store_declared declared;
	enum result result = store_declared_find(engine->parts.store, name, &declared, fault);

	if (result == RESULT_OK && declared.job_row == 0)
		return fault_set(fault, RESULT_NOT_FOUND, FAULT_FERRY, 0, "nothing of it is fetched now");
	return result == RESULT_OK ? engine_job_get(engine, declared.job_row, ret_status, fault) : result;
}

void engine_declare_changed(struct engine *engine)
{
	engine->declaring.changed = engine->declaring.stale = true;
}

/* One in ERROR is tried again by itself, if not soon: servers come back, and what is declared is still wanted. */
void engine_declare_ended(struct engine *engine, const struct job *job)
{
	int64_t again_ms = engine_now(engine) + DECLARE_RETRY_MS;
	struct store_declared declared;
	struct fault fault;

	engine->declaring.ended |= job_state_is_final(job->state);
	if (job->state != JOB_ERROR)
		return;
	enum result result = store_declared_of_job(engine->parts.store, job->row, &declared, &fault);

	if (result == RESULT_OK && declared.due_ms > again_ms) {
		pass_set_due(engine, &declared, again_ms);
		result = store_declared_set_due(engine->parts.store, &declared, &fault);
	}
	if (result != RESULT_OK && result != RESULT_NOT_FOUND)
		engine_break(engine, &fault);
	engine->declaring.due_at_ms = engine_mono(engine) + DECLARE_RETRY_MS < engine->declaring.due_at_ms
	                                  ? engine_mono(engine) + DECLARE_RETRY_MS
	                                  : engine->declaring.due_at_ms;
}

void engine_drop_pass(struct engine *engine, const struct fault *fault)
{
	struct declaring *declaring = &engine->declaring;
	struct pass *pass = TAKE(declaring->pass);
	struct declare_question *lists[] = { pass != NULL ? pass->questions : NULL, TAKE(declaring->questions) };

	if (pass != NULL) {
		pass->crew = NULL; /* which is gone, or goes */
		pass_free(engine, pass);
	}
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		while (fault == NULL && lists[i] != NULL) {
			struct declare_question *next = lists[i]->next;

			free(lists[i]);
			lists[i] = next;
		}
		answer(lists[i], fault != NULL ? fault->result : RESULT_OK, NULL, 0, NULL, fault);
	}
	declaring->start = declaring->ended = true;
	declaring->due_at_ms = INT64_MAX;
}
