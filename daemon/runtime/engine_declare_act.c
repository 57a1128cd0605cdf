/* runtime/engine: declared jobs - what is done about a difference, and what is recorded when a job is over. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/resume.h"
#include "runtime/engine_pass.h"

/* --- what is told; nowhere else --- */

void engine_note_declared_refused(struct engine *engine, const struct settings_errors *errors)
{
	char why[SETTINGS_ERRORS_SHOWN_BYTES];

	settings_errors_show(errors, why, sizeof(why));
	EVENTS_NOTE(engine->parts.events, DECLARED_REFUSED, .why = why);
}

void engine_note_declared_applied(struct engine *engine, uint32_t done, uint32_t failed, uint32_t right)
{
	EVENTS_NOTE(engine->parts.events, DECLARED_APPLIED, .done = done, .failed = failed, .right = right);
}

static void note_step(struct engine *engine, const struct declare_step *step)
{
	struct events *events = engine->parts.events;
	const char *action = declare_act_name(step->action.act);

	if (step->fault.result != RESULT_OK)
		EVENTS_NOTE(events, DECLARED_FAILED, .declared = step->name, .action = action, .fault = &step->fault);
	else if (step->action.act == DECLARE_REPAIR)
		EVENTS_NOTE(events, DECLARED_REPAIRED, .declared = step->name, .reason = step->action.reason);
	else if (step->action.act != DECLARE_NOTHING)
		EVENTS_NOTE(events, DECLARED_CHANGED, .declared = step->name, .action = action, .reason = step->action.reason);
}

static void note_landed(struct engine *engine, const struct job *job)
{
	EVENTS_NOTE(engine->parts.events, DECLARED_LANDED, .job = job, .files = job->files_total);
}

/* --- moments --- */

static uint32_t local_minute(const struct engine *engine, int64_t wall_ms)
{
	return engine->parts.clock.local_minute(engine->parts.clock.context, wall_ms);
}

static int64_t due_after(const struct engine *engine, const struct entry *entry, int64_t since_ms, int64_t after_ms)
{
	return declare_due(&entry->wanted->when, since_ms, entry->kept.seed, after_ms, local_minute(engine, after_ms));
}

/* May it be acted on?  What was due while the machine was off has its moment within the spread from now, or all of a place that
 * lost its power would ask at once. */
static bool is_time(const struct engine *engine, enum pass_kind kind, const struct entry *entry, int64_t *ret_due_ms)
{
	bool asked = kind == PASS_PLAN || kind == PASS_APPLY;
	int64_t now_ms = engine_now(engine), due_ms = entry->kept.due_ms;
	int64_t offset_ms = declare_offset_ms(&entry->wanted->when, entry->kept.seed);

	*ret_due_ms = due_after(engine, entry, entry->anew ? now_ms : entry->kept.since_ms, now_ms);
	if (entry->anew) {
		int64_t first_ms = due_after(engine, entry, now_ms, now_ms - 1);

		*ret_due_ms = asked || first_ms <= now_ms ? *ret_due_ms : first_ms;
		return asked || first_ms <= now_ms;
	}
	if (due_ms <= now_ms && kind == PASS_START && offset_ms > 0) {
		*ret_due_ms = now_ms + offset_ms;
		return false;
	}
	if (due_ms > now_ms && due_ms < *ret_due_ms)
		*ret_due_ms = due_ms; /* it was put off, and is so whoever asks meanwhile */
	return asked || due_ms <= now_ms || (entry->wanted->when.kind == DECLARED_ONCE && due_ms == DECLARED_NEVER);
}

/* --- what is kept --- */

/* What landed from another URL, or is not declared any more, says nothing of what is declared now. */
static enum result forget_landed(struct engine *engine, const struct entry *entry, struct fault *fault)
{
	enum result result = RESULT_OK;

	for (uint32_t i = 0; entry->applied != NULL && i < entry->applied->file_count && result == RESULT_OK; i++) {
		const struct declared_file *file = &entry->applied->files[i];
		bool same = false;

		for (uint32_t j = 0; j < entry->wanted->file_count && !same; j++)
			same = strcmp(entry->wanted->files[j].path, file->path) == 0 && strcmp(entry->wanted->files[j].url, file->url) == 0;
		if (!same)
			result = store_landed_remove(engine->parts.store, entry->kept.row, file->path, fault);
	}
	return result;
}

/* In a savepoint of its own: what cannot be sealed is refused alone. */
static enum result keep(struct engine *engine, struct entry *entry, int64_t due_ms, struct fault *fault)
{
	AUTO(buffer) struct buffer text = BUFFER(STORE_DECLARED_BYTES_MAX);
	struct store_declared *kept = &entry->kept;
	int64_t job_row = kept->job_row;
	enum result result = declare_write(entry->wanted, &text);

	if (result != RESULT_OK)
		return fault_set(fault, result, FAULT_FERRY, 0, "keep what is declared");
	result = change_begin(engine, fault);
	if (result != RESULT_OK)
		return result;
	memcpy(kept->name, entry->wanted->name, sizeof(kept->name));
	kept->due_ms = due_ms;
	kept->set_ms = engine_now(engine);
	kept->owed = entry->owed;
	kept->versions = entry->wanted->versions;
	kept->keep = entry->wanted->keep;
	if (entry->anew)
		kept->since_ms = engine_now(engine);
	result = kept->row != 0 ? forget_landed(engine, entry, fault) : RESULT_OK;
	if (result == RESULT_OK)
		result = store_declared_save(engine->parts.store, kept, (struct text_view){ text.bytes, text.length }, fault);
	if (text.bytes != NULL)
		text_wipe(text.bytes, text.capacity);
	kept->job_row = result == RESULT_OK ? kept->job_row : job_row;
	return change_end(engine, result, fault);
}

/* --- one step --- */

static enum result drop(struct engine *engine, struct entry *entry, struct fault *fault)
{
	enum result result = pass_cancel_job(engine, entry, fault);

	return result == RESULT_OK ? store_declared_remove(engine->parts.store, entry->kept.row, fault) : result;
}

static enum result carry_out(struct engine *engine, struct entry *entry, const struct declare_known *known,
                             const struct declare_action *action, int64_t due_ms, struct fault *fault)
{
	struct job_status status;
	enum result result = RESULT_OK;

	switch (action->act) {
	case DECLARE_DROP: return drop(engine, entry, fault);
	case DECLARE_CREATE:
	case DECLARE_REPLACE:
		/* In this order: what cannot be kept leaves the old job as it was. */
		result = keep(engine, entry, due_ms, fault);
		if (result == RESULT_OK)
			result = pass_cancel_job(engine, entry, fault);
		break;
	case DECLARE_UPDATE:
		result = pass_set_priority(engine, entry, fault);
		if (result == RESULT_OK)
			result = keep(engine, entry, due_ms, fault);
		break;
	case DECLARE_REPAIR:
		if (entry->failed)
			return engine_resume_now(engine, entry->kept.job_row, &status, fault);
		break;
	case DECLARE_REFRESH:
	case DECLARE_NOTHING:
	case DECLARE_ACT_COUNT: break;
	}
	return result == RESULT_OK && action->fetch > 0 ? pass_begin_job(engine, entry, known, fault) : result;
}

/* A failure of the store breaks the turn; any other is the declared job's own, and is tried again. */
static void keep_due(struct engine *engine, const struct entry *entry, const struct declare_step *step, bool now, int64_t due_ms)
{
	int64_t now_ms = engine_now(engine), again_ms = now_ms + DECLARE_RETRY_MS;
	struct store_declared there = { .row = 0 }, then;
	struct fault fault;
	enum result result = store_declared_find(engine->parts.store, entry->name, &there, &fault);

	then = there;
	then.owed = entry->owed && (!now || step->fault.result != RESULT_OK);
	pass_set_due(engine, &then, step->fault.result != RESULT_OK && again_ms < due_ms ? again_ms : due_ms);
	if (result == RESULT_OK && (there.due_ms != then.due_ms || there.owed != then.owed || there.set_ms > now_ms))
		result = store_declared_set_due(engine->parts.store, &then, &fault);
	if (result != RESULT_OK && result != RESULT_NOT_FOUND)
		engine_break(engine, &fault);
}

static void draw_seed(struct engine *engine, struct entry *entry)
{
	if (entry->kept.row == 0)
		entry->kept.seed = engine_random(engine);
}

void pass_act(struct engine *engine, struct entry *entry, struct declare_step *step)
{
	enum pass_kind kind = engine->declaring.pass->kind;
	struct declare_known known = { .applied = entry->applied, .disk = entry->disk, .unfinished = entry->unfinished,
		                       .failed = entry->failed, .owed = entry->owed };
	int64_t due_ms = DECLARED_NEVER;

	*step = (struct declare_step){ .fault = { .result = RESULT_OK } };
	text_display(step->name, sizeof(step->name), "%s", entry->name);
	draw_seed(engine, entry);
	if (entry->wanted != NULL) {
		known.now = is_time(engine, kind, entry, &due_ms);
		known.due = known.now && entry->kept.row != 0 && !entry->anew && entry->kept.due_ms <= engine_now(engine);
	}
	declare_decide(entry->wanted, &known, &step->action);
	if (step->action.act == DECLARE_REPLACE && !known.owed) { /* for its mirrors, while it is under way */
		known.owed = entry->owed = true;
		declare_decide(entry->wanted, &known, &step->action);
	}
	if (kind == PASS_PLAN) {
		step->fault = entry->fault;
		return;
	}

	enum result result = carry_out(engine, entry, &known, &step->action, due_ms, &step->fault);

	step->fault.result = result; /* a call that went well may leave words behind */
	note_step(engine, step);
	if (result == RESULT_OK && entry->fault.result != RESULT_OK) { /* done, but for what could not be looked at */
		step->fault = entry->fault;
		note_step(engine, step);
	}
	if (entry->wanted != NULL && engine->broken.result == RESULT_OK)
		keep_due(engine, entry, step, known.now, due_ms);
}

/* --- what landed --- */

/* The declaration whose job the flight is of; row 0: none is any more. */
static bool find_declared(struct engine *engine, const struct flight *flight, struct store_declared *ret_declared)
{
	struct fault fault;
	enum result result = RESULT_NOT_FOUND;

	ret_declared->row = 0;
	if (access_is_declared(flight->active->owner))
		result = store_declared_of_job(engine->parts.store, flight->active->row, ret_declared, &fault);
	if (result != RESULT_OK && result != RESULT_NOT_FOUND)
		engine_break(engine, &fault);
	return engine->broken.result == RESULT_OK;
}

/* What its server said; a mirror's tag means nothing to it. */
static void renew_condition(const struct file *file, struct file_condition *condition)
{
	int64_t modified_s;

	if (file->source == 0 && file_etag_is_valid(text_view(file->etag)))
		memcpy(condition->etag, file->etag, sizeof(condition->etag));
	if (resume_parse_date(text_view(file->modified), &modified_s) && modified_s > 0)
		condition->modified_ms = modified_s * 1000;
}

bool engine_declared_lands(struct engine *engine, const struct flight *flight, uint64_t bytes, const struct digest *digest)
{
	struct store_landed landed = { .bytes = bytes, .digest = *digest };
	struct store_declared declared;
	struct fault fault;
	enum result result;

	if (!find_declared(engine, flight, &declared))
		return false;
	if (declared.row == 0)
		return true;
	renew_condition(&flight->file, &landed.condition);
	result = digest->length > 0
	             ? store_landed_save(engine->parts.store, declared.row, flight->file.path, &landed, &fault)
	             : store_landed_remove(engine->parts.store, declared.row, flight->file.path, &fault);
	if (result != RESULT_OK)
		engine_break(engine, &fault);
	return result == RESULT_OK;
}

bool engine_declared_stays(struct engine *engine, const struct flight *flight)
{
	struct store_landed landed;
	struct store_declared declared;
	struct fault fault;

	if (!find_declared(engine, flight, &declared))
		return false;

	enum result result = declared.row == 0 ? RESULT_NOT_FOUND
	                                       : store_landed(engine->parts.store, declared.row, flight->file.path, &landed, &fault);

	if (result == RESULT_NOT_FOUND)
		return true;
	if (result == RESULT_OK) {
		renew_condition(&flight->file, &landed.condition);
		result = store_landed_save(engine->parts.store, declared.row, flight->file.path, &landed, &fault);
	}
	if (result != RESULT_OK)
		engine_break(engine, &fault);
	return result == RESULT_OK;
}

/* A job that was cancelled by its lease is wanted all the same. */
static enum result record(struct engine *engine, struct entry *entry, const struct job *job, struct fault *fault)
{
	int64_t again_ms = engine_now(engine) + DECLARE_RETRY_MS;
	enum result result = RESULT_OK;

	if (job->state == JOB_ACKNOWLEDGED) {
		note_landed(engine, job);
	} else {
		entry->kept.owed = true;
		pass_set_due(engine, &entry->kept, entry->kept.due_ms < again_ms ? entry->kept.due_ms : again_ms);
		result = store_declared_set_due(engine->parts.store, &entry->kept, fault);
	}
	return result == RESULT_OK ? store_declared_set_job(engine->parts.store, entry->kept.row, 0, fault) : result;
}

void pass_record(struct engine *engine, struct entry *entry)
{
	struct fault fault;
	struct job job;

	if (engine_load_job(engine, entry->kept.job_row, &job) && record(engine, entry, &job, &fault) != RESULT_OK)
		engine_break(engine, &fault);
}

void engine_name_declared(struct engine *engine, const struct active *active, struct order *order)
{
	struct store_declared declared;
	struct fault fault;

	if (!access_is_declared(active->owner) || store_declared_of_job(engine->parts.store, active->row, &declared, &fault) != RESULT_OK)
		return;
	order->versions = declared.versions;
	order->yields = declared.keep;
}
