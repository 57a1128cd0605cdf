/* runtime/engine: declared jobs - what is done about a difference, and what is recorded when a job is over.
 *
 * Each is an ordinary job of the queue, made as a client would, but owned by the service itself (ACCESS_DECLARED_OWNER): all that
 * is checked of a client's request is checked of it, too. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/resume.h"
#include "runtime/engine_pass.h"

#define REQUEST_BYTES_MAX (2 * STORE_DECLARED_BYTES_MAX)

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
	int64_t now_ms = engine_now(engine);
	const struct declared_when *when = &entry->wanted->when;

	*ret_due_ms = due_after(engine, entry, entry->anew ? now_ms : entry->kept.since_ms, now_ms);
	if (kind == PASS_PLAN || kind == PASS_APPLY)
		return true;
	if (entry->anew) {
		int64_t first_ms = due_after(engine, entry, now_ms, now_ms - 1);

		*ret_due_ms = first_ms <= now_ms ? *ret_due_ms : first_ms;
		return first_ms <= now_ms;
	}
	if (when->kind == DECLARED_ONCE && (entry->kept.due_ms <= now_ms || entry->kept.due_ms == DECLARED_NEVER))
		return true;
	if (entry->kept.due_ms <= now_ms && kind == PASS_START && declare_offset_ms(when, entry->kept.seed) > 0) {
		*ret_due_ms = now_ms + declare_offset_ms(when, entry->kept.seed);
		return false;
	}
	if (entry->kept.due_ms > now_ms && entry->kept.due_ms < *ret_due_ms)
		*ret_due_ms = entry->kept.due_ms; /* it was put off */
	return entry->kept.due_ms <= now_ms;
}

/* --- a job --- */

static void write_condition(struct engine *engine, const struct entry *entry, const struct declared_file *file,
                            struct json_writer *writer)
{
	struct store_landed landed;
	struct fault fault;

	if (entry->kept.row == 0 || store_landed(engine->parts.store, entry->kept.row, file->path, &landed, &fault) != RESULT_OK)
		return;
	if (file_etag_is_valid(text_view(landed.condition.etag)))
		json_write_text(writer, "if_none_match", text_view(landed.condition.etag));
	if (landed.condition.modified_ms != 0)
		json_write_i64(writer, "if_modified_since_ms", landed.condition.modified_ms);
}

static void write_file(struct engine *engine, const struct entry *entry, uint32_t index, struct json_writer *writer)
{
	const struct declared_file *file = &entry->wanted->files[index];
	char digest[DIGEST_TEXT_BYTES_MAX];

	json_write_begin(writer, NULL, '{');
	json_write_text(writer, "url", text_view(file->url));
	json_write_text(writer, "path", text_view(file->path));
	if (file->bytes != SIZE_UNKNOWN)
		json_write_u64(writer, "size_bytes", file->bytes);
	digest_format(&file->digest, digest);
	if (digest[0] != '\0')
		json_write_text(writer, "digest", text_view(digest));
	if (file->mirror_count > 0) {
		json_write_begin(writer, "mirrors", '[');
		for (uint32_t i = 0; i < file->mirror_count; i++)
			json_write_text(writer, NULL, text_view(file->mirrors[i]));
		json_write_end(writer, ']');
	}
	/* What is there is what landed: it is asked for on that condition; by a digest it is judged without asking. */
	if (file->digest.length == 0 && (entry->disk[index] == DISK_RIGHT || entry->disk[index] == DISK_UNSEEN))
		write_condition(engine, entry, file, writer);
	json_write_end(writer, '}');
}

/* As a client would ask for it. */
static enum result write_request(struct engine *engine, const struct entry *entry, const struct declare_known *known,
                                 struct buffer *to, struct fault *fault)
{
	const struct declared *wanted = entry->wanted;
	struct json_writer writer = JSON_WRITER(to);

	protocol_request_begin(&writer, 1, METHOD_JOB_CREATE);
	json_write_text(&writer, "name", text_view(wanted->name));
	json_write_text(&writer, "priority", text_view(job_priority_name(wanted->priority)));
	json_write_bool(&writer, "auto_complete", true);
	if (wanted->helper[0] != '\0') {
		json_write_text(&writer, "pinned_helper", text_view(wanted->helper));
		json_write_text(&writer, "on_token_loss", text_view(token_loss_name(TOKEN_LOSS_WAIT)));
	}
	json_write_begin(&writer, "files", '[');
	for (uint32_t i = 0; i < wanted->file_count; i++)
		if (declare_fetches(wanted, known, i))
			write_file(engine, entry, i, &writer);
	json_write_end(&writer, ']');

	enum result result = protocol_notification_end(&writer);

	return result == RESULT_OK ? result : fault_set(fault, result, FAULT_FERRY, 0, "ask for what is declared");
}

static enum result apply_helped(struct engine *engine, struct job *job, const void *argument, struct fault *fault)
{
	(void)engine;
	(void)argument;
	(void)fault;
	job->helper_flags = HELPER_ALL;
	return RESULT_OK;
}

/* A helper's files are added once it is said that he writes them: they are judged as his. */
static enum result create_job(struct engine *engine, const struct request *request, bool helped, struct job_status *status,
                              struct fault *fault)
{
	const struct caller declarer = { .owner = ACCESS_DECLARED_OWNER, .integrity = INTEGRITY_SYSTEM, .impersonation = true };
	struct request bare = *request;
	const struct job_request wanted = { .caller = &declarer, .request = helped ? &bare : request };
	const struct change helped_change = { apply_helped, NULL, NULL };
	struct job_status ignored;
	struct fault why;
	bool created;

	bare.file_count = 0;
	enum result result = engine_job_create(engine, &wanted, status, &created, fault);

	if (result != RESULT_OK)
		return result;
	if (helped)
		result = change_job(engine, status->job.row, &helped_change, status, fault);
	if (result == RESULT_OK && helped)
		result = engine_job_add_files(engine, status->job.row, request, status, fault);
	if (result == RESULT_OK)
		result = engine_resume_now(engine, status->job.row, status, fault);
	if (result != RESULT_OK)
		(void)!engine_job_cancel(engine, status->job.row, &ignored, &why); /* or the turn is broken */
	return result;
}

/* A job that fetches what is missing. */
static enum result begin_job(struct engine *engine, struct entry *entry, const struct declare_known *known, struct fault *fault)
{
	AUTO(buffer) struct buffer text = BUFFER(REQUEST_BYTES_MAX);
	AUTO(request) struct request request = { .document = NULL };
	struct job_status status = { .job = { .row = 0 } };
	enum result result = write_request(engine, entry, known, &text, fault);

	if (result == RESULT_OK)
		result = request_decode((struct text_view){ text.bytes, text.length }, &request, fault);
	if (text.bytes != NULL)
		text_wipe(text.bytes, text.capacity);
	if (result == RESULT_OK)
		result = create_job(engine, &request, entry->wanted->helper[0] != '\0', &status, fault);
	if (result != RESULT_OK)
		return result;
	entry->kept.job_row = status.job.row;
	return store_declared_set_job(engine->parts.store, entry->kept.row, status.job.row, fault);
}

static enum result cancel_job(struct engine *engine, struct entry *entry, struct fault *fault)
{
	struct job_status status;

	enum result result = RESULT_OK;

	if (entry->unfinished && !entry->over)
		result = engine_job_cancel(engine, entry->kept.job_row, &status, fault);
	if (result == RESULT_OK && entry->kept.job_row != 0)
		result = store_declared_set_job(engine->parts.store, entry->kept.row, 0, fault);
	if (result == RESULT_OK) {
		entry->unfinished = entry->failed = entry->over = false;
		entry->kept.job_row = 0;
	}
	return result;
}

static enum result set_priority(struct engine *engine, const struct entry *entry, struct fault *fault)
{
	struct request request = { .properties_given = PROPERTY_PRIORITY, .properties = { .priority = entry->wanted->priority } };
	struct job_status status;

	if (!entry->unfinished || entry->over || entry->wanted->priority == entry->applied->priority)
		return RESULT_OK;
	return engine_job_set_properties(engine, entry->kept.job_row, &request, &status, fault);
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
	kept->versions = entry->wanted->versions;
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
	enum result result = cancel_job(engine, entry, fault);

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
		result = cancel_job(engine, entry, fault);
		if (result == RESULT_OK)
			result = keep(engine, entry, due_ms, fault);
		break;
	case DECLARE_UPDATE:
		result = set_priority(engine, entry, fault);
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
	return result == RESULT_OK && action->fetch > 0 ? begin_job(engine, entry, known, fault) : result;
}

/* A failure of the store breaks the turn; any other is the declared job's own, and is tried again. */
static void keep_due(struct engine *engine, const struct entry *entry, const struct declare_step *step, int64_t due_ms)
{
	int64_t again_ms = engine_now(engine) + DECLARE_RETRY_MS;
	struct store_declared there;
	struct fault fault;
	enum result result = store_declared_find(engine->parts.store, entry->name, &there, &fault);

	if (result == RESULT_OK && step->fault.result != RESULT_OK && again_ms < due_ms)
		due_ms = again_ms;
	if (result == RESULT_OK && there.due_ms != due_ms)
		result = store_declared_set_due(engine->parts.store, there.row, due_ms, &fault);
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
		                       .failed = entry->failed };
	int64_t due_ms = DECLARED_NEVER;

	*step = (struct declare_step){ .fault = entry->fault };
	text_display(step->name, sizeof(step->name), "%s", entry->name);
	draw_seed(engine, entry);
	if (entry->wanted != NULL) {
		known.now = is_time(engine, kind, entry, &due_ms);
		known.due = known.now && entry->kept.row != 0 && !entry->anew && entry->kept.due_ms <= engine_now(engine);
	}
	declare_decide(entry->wanted, &known, &step->action);
	if (kind == PASS_PLAN)
		return;
	if (step->fault.result == RESULT_OK) {
		enum result result = carry_out(engine, entry, &known, &step->action, due_ms, &step->fault);

		step->fault.result = result; /* a call that went well may leave words behind */
	}
	note_step(engine, step);
	if (entry->wanted != NULL && engine->broken.result == RESULT_OK)
		keep_due(engine, entry, step, due_ms);
}

/* --- what landed --- */

struct recording {
	struct engine *engine;
	struct entry *entry;
	struct fault fault;
};

static int64_t modified_ms(const struct file *file)
{
	int64_t modified_s;

	return resume_parse_date(text_view(file->modified), &modified_s) && modified_s > 0 ? modified_s * 1000
	                                                                                     : file->condition.modified_ms;
}

static bool record_file(void *context, const struct file *file)
{
	struct recording *recording = context;
	const struct declared *wanted = recording->entry->wanted;
	uint32_t i = 0;

	while (i < wanted->file_count && strcmp(wanted->files[i].path, file->path) != 0)
		i++;
	if (i == wanted->file_count || wanted->files[i].digest.length > 0 || (file->state != FILE_PUBLISHED && file->state != FILE_NOT_MODIFIED))
		return true;

	struct store_landed landed = recording->entry->seen[i];

	if (landed.digest.length == 0 && wanted->helper[0] == '\0')
		return true; /* it could not be looked at */
	text_display(landed.condition.etag, sizeof(landed.condition.etag), "%s",
	             file->etag[0] != '\0' ? file->etag : file->condition.etag);
	if (!file_etag_is_valid(text_view(landed.condition.etag)))
		landed.condition.etag[0] = '\0';
	landed.condition.modified_ms = modified_ms(file);
	return store_landed_save(recording->engine->parts.store, recording->entry->kept.row, file->path, &landed,
	                         &recording->fault) == RESULT_OK;
}

/* A job that was cancelled by its lease is wanted all the same. */
static enum result record(struct engine *engine, struct entry *entry, const struct job *job, struct fault *fault)
{
	struct recording recording = { engine, entry, { .result = RESULT_OK } };
	int64_t again_ms = engine_now(engine) + DECLARE_RETRY_MS;
	enum result result = RESULT_OK;

	if (job->state == JOB_ACKNOWLEDGED && entry->wanted != NULL) {
		result = store_files_list(engine->parts.store, job->row, 0, UINT32_MAX, record_file, &recording, fault);
		if (result == RESULT_OK && recording.fault.result != RESULT_OK) {
			*fault = recording.fault;
			result = fault->result;
		}
		note_landed(engine, job);
	} else if (entry->kept.due_ms > again_ms) {
		result = store_declared_set_due(engine->parts.store, entry->kept.row, again_ms, fault);
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

uint32_t engine_versions_of(struct engine *engine, const struct active *active)
{
	struct store_declared declared;
	struct fault fault;

	if (!access_is_declared(active->owner) || store_declared_of_job(engine->parts.store, active->row, &declared, &fault) != RESULT_OK)
		return 0;
	return declared.versions;
}
