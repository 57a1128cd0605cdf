#include "runtime/engine_private.h"

#include <inttypes.h>
#include <string.h>

#include "core/access.h"
#include "core/destination.h"
#include "core/url.h"

/* A change that a client asked for: in a savepoint of its own, so that a refusal undoes just this one and leaves the
 * turn's other requests alone.  In memory nothing is touched before the store took it. */
static enum result change_begin(struct engine *engine, struct fault *fault)
{
	return store_savepoint(engine->parts.store, fault);
}

static enum result change_end(struct engine *engine, enum result result, struct fault *fault)
{
	if (result == RESULT_OK)
		result = store_release(engine->parts.store, fault);
	if (result == RESULT_OK)
		return RESULT_OK;
	store_undo(engine->parts.store);
	/* A store in trouble may have undone more than this savepoint: then the whole turn goes. */
	if (result_class(result) != RETRY_CALLER)
		engine_break(engine, fault);
	return result;
}

/* --- files --- */

static enum result check_forbidden(const struct engine *engine, struct text_view path, const char *field,
                                   struct fault *fault)
{
	for (const char *const *folder = engine->parts.forbidden_folders; folder != NULL && *folder != NULL; folder++)
		if (destination_is_below(engine->parts.path_style, path, text_view(*folder)))
			return fault_set(fault, RESULT_BAD_DESTINATION, FAULT_FERRY, 0,
			                 "%s: lies in a folder of Ferry's own", field);
	return RESULT_OK;
}

/* Prefix the field's name to what a check said of it. */
static enum result name_field(enum result result, const char *field, struct fault *fault)
{
	char what[FAULT_WHAT_BYTES_MAX];

	if (result != RESULT_OK && fault != NULL) {
		text_display(what, sizeof(what), "%s: %s", field, fault->what);
		memcpy(fault->what, what, sizeof(what));
	}
	return result;
}

static void fold_case(char *text)
{
	for (; *text != '\0'; text++)
		if (*text >= 'A' && *text <= 'Z')
			*text = (char)(*text - 'A' + 'a');
}

static enum result add_file(struct engine *engine, int64_t row, const struct request *request, uint32_t index,
                            struct fault *fault)
{
	struct file_request wanted;
	struct destination destination;
	struct file file = { .bytes_total = SIZE_UNKNOWN };
	char field[64], path_key[DESTINATION_BYTES_MAX + 1];
	enum result result = request_file(request, index, &wanted, fault);

	if (result != RESULT_OK)
		return result;
	text_display(field, sizeof(field), "params.files[%u].url", (unsigned)index);
	result = name_field(url_parse(wanted.url, NULL, fault), field, fault);
	if (result != RESULT_OK)
		return result;
	text_display(field, sizeof(field), "params.files[%u].path", (unsigned)index);
	result = name_field(destination_parse(engine->parts.path_style, wanted.path, &destination, fault), field, fault);
	if (result == RESULT_OK)
		result = check_forbidden(engine, wanted.path, field, fault);
	if (result != RESULT_OK)
		return result;
	file.bytes_total = wanted.bytes_total;
	if (text_copy(file.url, sizeof(file.url), wanted.url) != RESULT_OK ||
	    text_copy(file.path, sizeof(file.path), wanted.path) != RESULT_OK)
		return fault_set(fault, RESULT_TOO_LONG, FAULT_FERRY, 0, "params.files[%u]", (unsigned)index);
	memcpy(path_key, file.path, sizeof(path_key));
	if (engine->parts.path_style == PATH_WINDOWS)
		fold_case(path_key);
	result = store_file_insert(engine->parts.store, row, &file, path_key, fault);
	return result == RESULT_DUPLICATE_DESTINATION ? name_field(result, field, fault) : result;
}

static enum result add_files(struct engine *engine, const struct job *job, const struct request *request,
                             struct fault *fault)
{
	const struct settings *settings = engine->parts.settings;
	uint64_t files_max = job->limited ? settings->queue_files_per_job_max : settings->queue_exempt_files_per_job_max;

	if (job->files_total + (uint64_t)request->file_count > files_max)
		return fault_set(fault, RESULT_TOO_MANY_FILES, FAULT_FERRY, 0,
		                 "params.files: %u more than the job's %u would exceed queue.%s (%" PRIu64 ")",
		                 (unsigned)request->file_count, (unsigned)job->files_total,
		                 job->limited ? "files_per_job_max" : "exempt_files_per_job_max", files_max);
	for (uint32_t i = 0; i < request->file_count; i++) {
		enum result result = add_file(engine, job->row, request, i, fault);

		if (result != RESULT_OK)
			return result;
	}
	return RESULT_OK;
}

/* --- creating --- */

static enum result new_id(struct engine *engine, char id[JOB_ID_BYTES], struct fault *fault)
{
	uint8_t b[16];
	enum result result = engine->parts.random(b, sizeof(b), fault);

	if (result != RESULT_OK)
		return result;
	b[6] = (uint8_t)((b[6] & 0x0F) | 0x40); /* a random UUID: RFC 9562 section 5.4 */
	b[8] = (uint8_t)((b[8] & 0x3F) | 0x80);
	return text_format(id, JOB_ID_BYTES, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0],
	                   b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
}

static enum result check_room(uint64_t count, uint64_t maximum, enum result refusal, const char *setting,
                              struct fault *fault)
{
	if (count < maximum)
		return RESULT_OK;
	return fault_set(fault, refusal, FAULT_FERRY, 0, "%s is %" PRIu64, setting, maximum);
}

/* Services and elevated administrators have a limit of their own: docs/bits.md section 7. */
static enum result check_quota(struct engine *engine, const char *owner, bool limited, struct fault *fault)
{
	const struct settings *settings = engine->parts.settings;
	uint64_t of_owner = 0, of_all = 0, all = 0;
	enum result result = store_jobs_limited(engine->parts.store, owner, &of_owner, fault);

	if (result == RESULT_OK)
		result = store_jobs_limited(engine->parts.store, NULL, &of_all, fault);
	if (result == RESULT_OK && !limited)
		result = store_jobs_count(engine->parts.store, NULL, &all, fault);
	if (result != RESULT_OK)
		return result;
	if (!limited)
		return check_room(all - of_all, settings->queue_exempt_jobs_max, RESULT_TOO_MANY_JOBS_PER_MACHINE,
		                  "queue.exempt_jobs_max", fault);
	result = check_room(of_owner, settings->queue_jobs_per_owner_max, RESULT_TOO_MANY_JOBS,
	                    "queue.jobs_per_owner_max", fault);
	return result != RESULT_OK ? result :
	                             check_room(of_all, settings->queue_jobs_per_machine_max,
	                                        RESULT_TOO_MANY_JOBS_PER_MACHINE, "queue.jobs_per_machine_max", fault);
}

/* Two finished jobs go for the one that comes, so that what an owner once had too many of gets less.  A cancelled one stays
 * until its partial files are removed, which may have to wait for a slot: nobody must pile those up. */
static enum result forget_surplus(struct engine *engine, const char *owner, struct fault *fault)
{
	uint64_t keep = engine->parts.settings->queue_finished_per_owner_max, finished = 0;
	uint32_t forgotten = 0;
	enum result result = store_jobs_forget_surplus(engine->parts.store, owner, keep, 2, &forgotten, fault);

	if (result == RESULT_OK && forgotten == 0)
		result = store_jobs_finished(engine->parts.store, owner, &finished, fault);
	if (result != RESULT_OK || finished <= keep)
		return result;
	return fault_set(fault, RESULT_TOO_MANY_JOBS, FAULT_FERRY, 0,
	                 "%" PRIu64 " cancelled jobs wait for the removal of their files; "
	                 "queue.finished_per_owner_max is %" PRIu64, finished, keep);
}

static enum result create_job(struct engine *engine, const struct job_request *wanted, struct job *job,
                              struct fault *fault)
{
	const struct request *request = wanted->request;
	const struct settings *settings = engine->parts.settings;
	bool limited = !access_is_exempt(wanted->caller);
	enum result result = check_quota(engine, wanted->caller->owner, limited, fault);

	*job = (struct job){ .state = JOB_SUSPENDED, .properties = request->properties, .limited = limited,
		             .owner_integrity = wanted->caller->integrity };
	job->created_ms = job->modified_ms = job->state_since_ms = job->progress_ms = engine_now(engine);
	memcpy(job->owner, wanted->caller->owner, sizeof(job->owner));
	memcpy(job->key, request->key, sizeof(job->key));
	if (!(request->properties_given & PROPERTY_LEASE))
		job->properties.lease_s = (uint32_t)settings->queue_lease_s;
	if (result == RESULT_OK)
		result = job_properties_check(&job->properties, fault);
	if (result == RESULT_OK)
		result = new_id(engine, job->id, fault);
	if (result == RESULT_OK)
		result = forget_surplus(engine, job->owner, fault);
	if (result == RESULT_OK)
		result = store_job_insert(engine->parts.store, job, fault);
	if (result == RESULT_OK)
		result = add_files(engine, job, request, fault);
	return result;
}

enum result engine_job_create(struct engine *engine, const struct job_request *wanted, struct job_status *ret_status,
                              bool *ret_created, struct fault *fault)
{
	const char *key = wanted->request->key;
	struct job job;
	char process[16];
	enum result result;

	if (key[0] != '\0') {
		result = store_job_by_key(engine->parts.store, wanted->caller->owner, key, &job, fault);
		if (result == RESULT_OK) {
			engine_status_of(engine, &job, ret_status);
			*ret_created = false;
			return RESULT_OK;
		}
		if (result != RESULT_NOT_FOUND)
			return result;
	}
	result = change_begin(engine, fault);
	if (result == RESULT_OK)
		result = change_end(engine, create_job(engine, wanted, &job, fault), fault);
	if (result == RESULT_OK) /* with the counters of its files */
		result = store_job_by_row(engine->parts.store, job.row, &job, fault);
	if (result != RESULT_OK)
		return result;
	engine->lease_at_ms = 0; /* it may be the first to end */
	text_display(process, sizeof(process), "%u", (unsigned)wanted->process);
	EVENTS_NOTE(engine->parts.events, EVENT_JOB_CREATED, job_title(&job), job.id, job.owner, process);
	engine_status_of(engine, &job, ret_status);
	*ret_created = true;
	return RESULT_OK;
}

/* --- looking --- */

enum result engine_job_find(struct engine *engine, const char *id, struct job_status *ret_status, struct fault *fault)
{
	struct job job;
	enum result result = store_job_by_id(engine->parts.store, id, &job, fault);

	if (result == RESULT_OK)
		engine_status_of(engine, &job, ret_status);
	return result;
}

enum result engine_job_get(struct engine *engine, int64_t row, struct job_status *ret_status, struct fault *fault)
{
	struct job job;
	enum result result = store_job_by_row(engine->parts.store, row, &job, fault);

	if (result == RESULT_OK)
		engine_status_of(engine, &job, ret_status);
	return result;
}

struct list {
	struct engine *engine;
	bool (*visit)(void *context, const struct job_status *status);
	void *context;
};

static bool visit_job(void *context, const struct job *job)
{
	const struct list *list = context;
	struct job_status status;

	engine_status_of(list->engine, job, &status);
	return list->visit(list->context, &status);
}

enum result engine_jobs_list(struct engine *engine, const char *owner, bool finished, int64_t after_row, uint32_t limit,
                             bool (*visit)(void *context, const struct job_status *status), void *context,
                             struct fault *fault)
{
	struct list list = { engine, visit, context };

	return store_jobs_list(engine->parts.store, owner, finished, after_row, limit, visit_job, &list, fault);
}

struct file_list {
	const struct active *active; /* NULL: nothing is going on */
	bool (*visit)(void *context, const struct file *file);
	void *context;
};

/* The record says what is safe on disk; who looks wants to see what has come. */
static bool visit_file(void *context, const struct file *file)
{
	const struct file_list *list = context;
	const struct flight *flight = list->active != NULL ? list->active->flights : NULL;
	struct file live;

	while (flight != NULL && flight->file.row != file->row)
		flight = flight->next;
	if (flight == NULL || flight->written <= file->bytes_recorded)
		return list->visit(list->context, file);
	live = *file;
	live.bytes_recorded = flight->written;
	return list->visit(list->context, &live);
}

enum result engine_files_list(struct engine *engine, int64_t row, uint32_t from_ordinal, uint32_t limit,
                              bool (*visit)(void *context, const struct file *file), void *context, struct fault *fault)
{
	struct file_list list = { active_find(engine, row), visit, context };

	return store_files_list(engine->parts.store, row, from_ordinal, limit, visit_file, &list, fault);
}

/* --- changing --- */

/* One change of a job: what it does to the record, and what to what is going on.  `apply` refuses before it touches
 * anything but the record. */
struct change {
	enum result (*apply)(struct engine *engine, struct job *job, const void *argument, struct fault *fault);
	void (*after)(struct engine *engine, const struct job *job); /* NULL: nothing; once the store took it */
	const void *argument;
};

static enum result change_job(struct engine *engine, int64_t row, const struct change *change,
                              struct job_status *ret_status, struct fault *fault)
{
	struct job job;
	enum result result = store_job_by_row(engine->parts.store, row, &job, fault);

	if (result != RESULT_OK)
		return result;
	result = change_begin(engine, fault);
	if (result != RESULT_OK)
		return result;

	enum job_state from = job.state;

	job.modified_ms = engine_now(engine);
	result = change->apply(engine, &job, change->argument, fault);
	if (result == RESULT_OK)
		result = store_job_save(engine->parts.store, &job, from, fault);
	result = change_end(engine, result, fault);
	if (result == RESULT_OK)
		result = store_job_by_row(engine->parts.store, row, &job, fault);
	if (result != RESULT_OK)
		return result;
	engine_changed(engine, row);
	engine->schedule_due = true;
	if (change->after != NULL)
		change->after(engine, &job);
	engine_status_of(engine, &job, ret_status);
	return RESULT_OK;
}

static void wind_down_job(struct engine *engine, const struct job *job)
{
	struct active *active = active_find(engine, job->row);

	if (active != NULL && !active->winding)
		active_wind_down(engine, active);
}

static void leave_slot(struct engine *engine, struct job *job)
{
	const struct active *active = active_find(engine, job->row);

	if (active != NULL && !active->winding)
		active_leave_slot(engine, active, job);
}

static enum result apply_add(struct engine *engine, struct job *job, const void *argument, struct fault *fault)
{
	if (job_state_is_final(job->state) || job->work == JOB_WORK_PUBLISH)
		return fault_set(fault, RESULT_INVALID_STATE, FAULT_FERRY, 0, "add files while the job is %s",
		                 job->work == JOB_WORK_PUBLISH ? "completing" : job_state_name(job->state));
	return add_files(engine, job, argument, fault);
}

static void after_add(struct engine *engine, const struct job *job)
{
	struct active *active = active_find(engine, job->row);

	if (active != NULL && active->work == JOB_WORK_TRANSFER)
		active->exhausted = false;
}

enum result engine_job_add_files(struct engine *engine, int64_t row, const struct request *request,
                                 struct job_status *ret_status, struct fault *fault)
{
	const struct change change = { apply_add, after_add, request };

	return change_job(engine, row, &change, ret_status, fault);
}

struct properties_change {
	const struct job_properties *properties;
	unsigned given;
};

static enum result apply_properties(struct engine *engine, struct job *job, const void *argument, struct fault *fault)
{
	const struct properties_change *change = argument;
	const struct job_properties *from = change->properties;
	struct job_properties *to = &job->properties;
	unsigned given = change->given;

	(void)engine;
	if (job_state_is_final(job->state))
		return fault_set(fault, RESULT_INVALID_STATE, FAULT_FERRY, 0, "set properties while the job is %s",
		                 job_state_name(job->state));
	if (given & PROPERTY_NAME)
		memcpy(to->name, from->name, sizeof(to->name));
	if (given & PROPERTY_DESCRIPTION)
		memcpy(to->description, from->description, sizeof(to->description));
	if (given & PROPERTY_PRIORITY)
		to->priority = from->priority;
	if (given & PROPERTY_AUTO_COMPLETE)
		to->auto_complete = from->auto_complete;
	if (given & PROPERTY_RETRY_DELAY)
		to->retry_delay_s = from->retry_delay_s;
	if (given & PROPERTY_NO_PROGRESS_TIMEOUT)
		to->no_progress_timeout_s = from->no_progress_timeout_s;
	if (given & PROPERTY_MAX_TIME)
		to->max_time_s = from->max_time_s;
	if (given & PROPERTY_LEASE)
		to->lease_s = from->lease_s;
	if (job->state == JOB_TRANSFERRED && to->auto_complete)
		job->work = JOB_WORK_PUBLISH;
	return job_properties_check(to, fault);
}

static void after_properties(struct engine *engine, const struct job *job)
{
	struct active *active = active_find(engine, job->row);
	uint64_t max_ms = (uint64_t)job->properties.max_time_s * 1000;

	engine->lease_at_ms = 0; /* it may be the first to end now */
	if (active == NULL)
		return;
	active->priority = job->properties.priority;
	active->deadline_ms = active->slot_since_ms + (job->active_ms < max_ms ? (int64_t)(max_ms - job->active_ms) : 0);
}

enum result engine_job_set_properties(struct engine *engine, int64_t row, const struct job_properties *properties,
                                      unsigned given, struct job_status *ret_status, struct fault *fault)
{
	const struct properties_change wanted = { properties, given };
	const struct change change = { apply_properties, after_properties, &wanted };

	return change_job(engine, row, &change, ret_status, fault);
}

static void note_job(struct engine *engine, enum event_id id, const struct job *job)
{
	const char *const inserts[] = { job_title(job), job->id, job->owner };

	events_note(engine->parts.events, id, sizeof(inserts) / sizeof(inserts[0]), inserts);
}

static enum result apply_resume(struct engine *engine, struct job *job, const void *argument, struct fault *fault)
{
	(void)argument;
	if (job->files_total == 0 && !job_state_is_final(job->state))
		return fault_set(fault, RESULT_EMPTY, FAULT_FERRY, 0, "resume");
	job->attempts = 0;
	job->next_try_ms = 0;
	job->active_ms = 0; /* the clock of max_time_s starts anew: docs/bits.md section 2 */
	job->progress_ms = engine_now(engine);
	if (job->state == JOB_TRANSFERRED && job->files_transferred == job->files_total) {
		/* Nothing to fetch; what may be left to do is the publishing that failed. */
		if (job->properties.auto_complete)
			job->work = JOB_WORK_PUBLISH;
		return RESULT_OK;
	}
	if (job->work == JOB_WORK_PUBLISH)
		return fault_set(fault, RESULT_INVALID_STATE, FAULT_FERRY, 0, "resume while the job is completing");

	bool rested = !job_state_is_active(job->state) && job->state != JOB_QUEUED;
	enum result result = engine_move(engine, job, JOB_EVENT_RESUME, fault);

	if (result == RESULT_OK) {
		job->work = JOB_WORK_TRANSFER;
		if (rested)
			note_job(engine, EVENT_JOB_RESUMED, job);
	}
	return result;
}

static void after_resume(struct engine *engine, const struct job *job)
{
	struct active *active = active_find(engine, job->row);

	if (active != NULL && !active->winding) {
		active->slot_since_ms = engine_mono(engine);
		active->deadline_ms = active->slot_since_ms + (int64_t)job->properties.max_time_s * 1000;
	}
}

enum result engine_resume_now(struct engine *engine, int64_t row, struct job_status *ret_status, struct fault *fault)
{
	const struct change change = { apply_resume, after_resume, NULL };

	return change_job(engine, row, &change, ret_status, fault);
}

static enum result apply_suspend(struct engine *engine, struct job *job, const void *argument, struct fault *fault)
{
	(void)argument;
	leave_slot(engine, job);

	enum job_state from = job->state;
	enum result result = engine_move(engine, job, JOB_EVENT_SUSPEND, fault);

	if (result == RESULT_OK) {
		job->work = JOB_WORK_NONE;
		if (from != JOB_SUSPENDED)
			note_job(engine, EVENT_JOB_SUSPENDED, job);
	}
	return result;
}

enum result engine_job_suspend(struct engine *engine, int64_t row, struct job_status *ret_status, struct fault *fault)
{
	const struct change change = { apply_suspend, wind_down_job, NULL };

	return change_job(engine, row, &change, ret_status, fault);
}

static enum result apply_cancel(struct engine *engine, struct job *job, const void *argument, struct fault *fault)
{
	enum result result = engine_move(engine, job, JOB_EVENT_CANCEL, fault);

	(void)argument;
	if (result != RESULT_OK)
		return result;
	job->work = JOB_WORK_SWEEP;
	job->attempts = 0;
	job->next_try_ms = 0;
	note_job(engine, EVENT_JOB_CANCELLED, job);
	return RESULT_OK;
}

enum result engine_job_cancel(struct engine *engine, int64_t row, struct job_status *ret_status, struct fault *fault)
{
	const struct change change = { apply_cancel, wind_down_job, NULL };

	return change_job(engine, row, &change, ret_status, fault);
}

static enum result apply_complete(struct engine *engine, struct job *job, const void *argument, struct fault *fault)
{
	enum job_state to;

	(void)argument;
	if (!job_next_state(job->state, JOB_EVENT_COMPLETE, &to))
		return fault_set(fault, RESULT_INVALID_STATE, FAULT_FERRY, 0, "complete while the job is %s",
		                 job_state_name(job->state));
	leave_slot(engine, job);
	/* What runs stops; the state stays until every whole file is in its place. */
	if (job_state_is_active(job->state) || job->state == JOB_QUEUED || job->state == JOB_TRANSIENT_ERROR) {
		enum result result = engine_move(engine, job, JOB_EVENT_SUSPEND, fault);

		if (result != RESULT_OK)
			return result;
	}
	job->work = JOB_WORK_PUBLISH;
	job->attempts = 0;
	job->next_try_ms = 0;
	job->progress_ms = engine_now(engine);
	return RESULT_OK;
}

static void after_complete(struct engine *engine, const struct job *job)
{
	struct active *active = active_find(engine, job->row);

	if (active != NULL && active->work == JOB_WORK_TRANSFER && !active->winding)
		active_wind_down(engine, active);
}

enum result engine_job_complete(struct engine *engine, int64_t row, struct job_status *ret_status, struct fault *fault)
{
	const struct change change = { apply_complete, after_complete, NULL };

	return change_job(engine, row, &change, ret_status, fault);
}
