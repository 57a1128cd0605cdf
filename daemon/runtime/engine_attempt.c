/* runtime/engine: how attempts to fetch went, for whoever asks why.
 *
 * Those that went alike are one record, so a job of thousands of files has one, and so has a job that fails for hours; the
 * count is written with the next commit.
 */
#include "runtime/engine_private.h"

#include <stdlib.h>
#include <string.h>

static bool save(struct engine *engine, const struct active *active)
{
	struct fault fault;

	if (store_attempt_save(engine->parts.store, active->row, active->attempt, &fault) == RESULT_OK)
		return true;
	engine_break(engine, &fault);
	return false;
}

bool active_save_attempt(struct engine *engine, struct active *active)
{
	bool unsaved = active->attempt_unsaved;

	active->attempt_unsaved = false;
	return !unsaved || save(engine, active);
}

/* The job's last one; one with a count of 0 if it has none. */
static struct attempt *last_of(struct engine *engine, struct active *active)
{
	struct fault fault;

	if (active->attempt != NULL)
		return active->attempt;
	active->attempt = calloc(1, sizeof(*active->attempt));
	if (active->attempt == NULL) {
		engine_break_for_memory(engine, "keep how an attempt went");
		return NULL;
	}
	enum result result = store_attempt_last(engine->parts.store, active->row, active->attempt, &fault);
	if (result == RESULT_OK || result == RESULT_NOT_FOUND)
		return active->attempt;
	engine_break(engine, &fault);
	return NULL;
}

static bool begin(struct engine *engine, struct active *active, struct attempt *now)
{
	struct attempt *last = active->attempt;
	struct fault fault;

	if (!active_save_attempt(engine, active))
		return false;
	now->number = last->count > 0 ? last->number + 1 : 0;
	*last = *now;
	if (!save(engine, active))
		return false;
	if (now->number < ATTEMPTS_KEPT_MAX ||
	    store_attempts_forget(engine->parts.store, active->row, now->number - ATTEMPTS_KEPT_MAX + 1, &fault) == RESULT_OK)
		return true;
	engine_break(engine, &fault);
	return false;
}

static void go_on(struct engine *engine, struct active *active, const struct attempt *now)
{
	struct attempt *last = active->attempt;

	last->count += last->count < UINT32_MAX;
	last->file = now->file;
	last->last_ms = now->last_ms;
	memcpy(last->trace.url, now->trace.url, sizeof(last->trace.url));
	if (!active->attempt_unsaved)
		engine->waiting++;
	active->attempt_unsaved = true;
}

bool engine_note_attempt(struct engine *engine, struct flight *flight, const struct report *report)
{
	struct active *active = flight->active;
	struct attempt now = { .count = 1,
		               .file = flight->file.ordinal,
		               .first_ms = engine_now(engine),
		               .last_ms = engine_now(engine),
		               .proxy = flight->proxy,
		               .trace = report->trace };

	if (report->result == RESULT_CANCELLED)
		return true;
	engine->counts.fetches[report->result]++;
	if (report->result != RESULT_OK)
		now.fault = report->fault;
	text_display(now.sid, sizeof(now.sid), "%s", identity_caller(active->crews[JOB_SIDE_NETWORK]->identity)->owner);
	if (now.trace.url[0] == '\0')
		url_redact(text_view(flight->file.url), now.trace.url, sizeof(now.trace.url));
	const struct attempt *last = last_of(engine, active);
	if (last == NULL)
		return false;
	if (last->count == 0 || !attempt_is_like(&now, last))
		return begin(engine, active, &now);
	go_on(engine, active, &now);
	return true;
}

enum result engine_job_history(struct engine *engine, int64_t row, struct attempt ret_attempts[ATTEMPTS_KEPT_MAX],
                               size_t *ret_count, struct fault *fault)
{
	return store_attempts(engine->parts.store, row, ret_attempts, ret_count, fault);
}
