/* runtime/engine: how clients change a job. */
#include "runtime/engine_private.h"

#include <inttypes.h>
#include <string.h>

#include "core/access.h"

/* A change that a client asked for: in a savepoint of its own, so that a refusal undoes just this one and leaves the
 * turn's other requests alone.  In memory nothing is touched before the store took it. */
enum result change_begin(struct engine *engine, struct fault *fault)
{
	return store_savepoint(engine->parts.store, fault);
}

/* Is it the request alone that cannot be? */
static bool is_refusal(enum result result)
{
	return result_class(result) == RETRY_CALLER || result == RESULT_TOKEN_REQUIRED || result == RESULT_NOT_SUPPORTED ||
	       result == RESULT_SECRET_UNREADABLE || result == RESULT_SECRET_BUSY || result == RESULT_BLOCKED_BY_POLICY ||
	       result == RESULT_INSUFFICIENT_RANGE_SUPPORT;
}

enum result change_end(struct engine *engine, enum result result, struct fault *fault)
{
	if (result == RESULT_OK)
		result = store_release(engine->parts.store, fault);
	if (result == RESULT_OK)
		return RESULT_OK;
	store_undo(engine->parts.store);
	/* A store in trouble may have undone more than this savepoint: then the whole turn goes. */
	if (!is_refusal(result))
		engine_break(engine, fault);
	return result;
}

enum result change_job(struct engine *engine, int64_t row, const struct change *change, struct job_status *ret_status,
                       struct fault *fault)
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
	if (result != RESULT_OK)
		return result;
	result = store_job_by_row(engine->parts.store, row, &job, fault);
	if (result != RESULT_OK) { /* it is changed, and nobody will act on that */
		engine_break(engine, fault);
		return result;
	}
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
	return engine_add_files(engine, job, argument, fault);
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
	enum result result = change_job(engine, row, &change, ret_status, fault);

	if (result == RESULT_OK)
		engine_note_files(engine, &ret_status->job, request);
	return result;
}

static enum result apply_prefix(struct engine *engine, struct job *job, const void *argument, struct fault *fault)
{
	struct replacement *replacement = *(struct replacement *const *)argument;
	enum result result;

	if (job_state_is_final(job->state) || job->work == JOB_WORK_PUBLISH)
		return fault_set(fault, RESULT_INVALID_STATE, FAULT_FERRY, 0, "replace a prefix while the job is %s",
		                 job->work == JOB_WORK_PUBLISH ? "completing" : job_state_name(job->state));
	result = engine_source_replace(engine, job->row, replacement, fault);
	if (result == RESULT_OK && replacement->files == 0)
		return fault_set(fault, RESULT_INVALID_ARGUMENT, FAULT_FERRY, 0,
		                 "params.old_prefix: no URL of the job begins with it; case counts, and a prefix does not end inside "
		                 "a host or a port");
	if (result == RESULT_OK)
		result = engine_source_move_flights(engine, job->row, replacement, fault);
	if (result != RESULT_OK)
		return result;
	/* What it waits for is the old server. */
	if (job->state == JOB_TRANSIENT_ERROR) {
		job->attempts = 0;
		job->next_try_ms = 0;
	}
	/* A file from elsewhere is another one than a token was lent for (rule 11). */
	engine_limit_token(engine, job->row, replacement->first);
	engine_identities_changed(engine, job);
	return RESULT_OK;
}

enum result engine_job_replace_prefix(struct engine *engine, int64_t row, const struct request *request,
                                      struct job_status *ret_status, uint32_t *ret_files, struct fault *fault)
{
	struct replacement replacement = { .from = request->old_prefix, .to = request->new_prefix }, *argument = &replacement;
	const struct change change = { apply_prefix, engine_wind_down_stale, &argument };
	char from[URL_BYTES_MAX + 1], to[URL_BYTES_MAX + 1];
	enum result result = change_job(engine, row, &change, ret_status, fault);

	if (result != RESULT_OK)
		return result;
	*ret_files = replacement.files;
	url_redact(replacement.from, from, sizeof(from));
	url_redact(replacement.to, to, sizeof(to));
	ENGINE_TELL(engine, TELL_CHANGES, PREFIX_REPLACED, .job = &ret_status->job, .caller = &engine->asker,
	            .files = replacement.files, .from = from, .to = to);
	return RESULT_OK;
}

/* A token of somebody else's must not stay behind the pin. */
static enum result pin_helper(struct engine *engine, struct job *job, const char *pin, struct fault *fault)
{
	const struct lent *lent = engine_lent(engine, job->row);

	if (pin[0] != '\0' && lent != NULL && strcmp(identity_caller(lent->identity)->owner, pin) != 0)
		return fault_set(fault, RESULT_INVALID_STATE, FAULT_FERRY, 0,
		                 "params.pinned_helper: a helper token of %s is lent to the job; clear it first",
		                 identity_caller(lent->identity)->owner);
	memcpy(job->properties.pinned_helper, pin, sizeof(job->properties.pinned_helper));
	return RESULT_OK;
}

void engine_try_soon(struct job *job)
{
	if (job->state == JOB_TRANSIENT_ERROR && job->work == JOB_WORK_TRANSFER && job->retry_after_s == 0)
		job->next_try_ms = 0;
}

/* What runs is asked for otherwise, from where it is. */
static enum result change_proxy(struct engine *engine, struct job *job, const struct request *request, struct fault *fault)
{
	struct active *active = active_find(engine, job->row);
	enum proxy_mode from = job->properties.proxy_mode, to = request->properties.proxy_mode;
	enum result result = engine_save_proxy(engine, job, request, fault);

	if (result != RESULT_OK)
		return result;
	job->properties.proxy_mode = to;
	if (to == from && to != PROXY_EXPLICIT)
		return RESULT_OK;
	if (active != NULL && active->work == JOB_WORK_TRANSFER)
		active->route_changed = true;
	engine_try_soon(job);
	return RESULT_OK;
}

/* What runs is asked for otherwise, from where it is. */
static enum result change_tls(struct engine *engine, struct job *job, const struct request *request, struct fault *fault)
{
	const struct job_properties *from = &request->properties;
	struct job_properties *to = &job->properties;
	struct active *active = active_find(engine, job->row);
	unsigned given = request->properties_given;
	enum result result = given & PROPERTY_CLIENT_CERTIFICATE
	                         ? engine_check_certificate(engine, from->client_certificate, job->helper_flags, fault)
	                         : RESULT_OK;

	if (result != RESULT_OK)
		return result;
	if (given & PROPERTY_REDIRECTS)
		to->no_redirects = from->no_redirects;
	if (given & PROPERTY_TLS_IGNORE)
		to->tls_ignore = from->tls_ignore;
	if (given & PROPERTY_CLIENT_CERTIFICATE)
		memcpy(to->client_certificate, from->client_certificate, sizeof(to->client_certificate));
	if (active != NULL && active->work == JOB_WORK_TRANSFER &&
	    (active->no_redirects != to->no_redirects || active->tls_ignore != to->tls_ignore ||
	     strcmp(active->client_certificate, to->client_certificate) != 0))
		active->route_changed = true;
	return RESULT_OK;
}

static enum result apply_properties(struct engine *engine, struct job *job, const void *argument, struct fault *fault)
{
	const struct request *request = argument;
	const struct job_properties *from = &request->properties;
	struct job_properties *to = &job->properties;
	unsigned given = request->properties_given;
	enum result result = RESULT_OK;

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
	if (given & PROPERTY_PROFILE)
		to->profile = from->profile;
	if (given & PROPERTY_NO_SEGMENTS)
		to->no_segments = from->no_segments;
	if (given & PROPERTY_MAX_BYTES)
		to->max_bytes = from->max_bytes;
	if (given & PROPERTY_ON_TOKEN_LOSS)
		to->on_token_loss = from->on_token_loss;
	if (given & PROPERTY_PINNED_HELPER)
		result = pin_helper(engine, job, from->pinned_helper, fault);
	if (result == RESULT_OK)
		result = job_properties_check(to, fault);
	if (result == RESULT_OK && given & PROPERTY_PROXY)
		result = change_proxy(engine, job, request, fault);
	if (result == RESULT_OK)
		result = change_tls(engine, job, request, fault);
	if (result != RESULT_OK)
		return result;
	if (job->state == JOB_TRANSFERRED && to->auto_complete && job->files_transferred == job->files_total)
		job->work = JOB_WORK_PUBLISH;
	engine_identities_changed(engine, job);
	return RESULT_OK;
}

/* In its slot too it counts as what it is now. */
static void change_priority(struct engine *engine, struct active *active, enum job_priority priority)
{
	active->priority = active->level = priority;
	for (struct flight *flight = active->flights; flight != NULL; flight = flight->next)
		if (flight->stage == FLIGHT_FETCHING && !flight->stop_sent)
			flight_order(engine, flight, ORDER_PRIORITY, 0);
}

static void after_properties(struct engine *engine, const struct job *job)
{
	struct active *active;
	uint64_t max_ms = (uint64_t)job->properties.max_time_s * 1000;

	engine->lease_at_ms = 0; /* it may be the first to end now */
	active = active_find(engine, job->row);
	if (active != NULL && strcmp(active->client_certificate, job->properties.client_certificate) != 0)
		engine_end_answers(engine, job->row);
	engine_wind_down_stale(engine, job);
	active = active_find(engine, job->row);
	if (active == NULL)
		return;
	if (active->priority != job->properties.priority)
		change_priority(engine, active, job->properties.priority);
	active->patience = job_patience(job->properties.profile);
	active->max_bytes = job->properties.max_bytes;
	active->no_segments = job->properties.no_segments; /* of what begins from now on */
	active->deadline_ms = active->slot_since_ms + (job->active_ms < max_ms ? (int64_t)(max_ms - job->active_ms) : 0);
}

enum result engine_job_set_properties(struct engine *engine, int64_t row, const struct request *request,
                                      struct job_status *ret_status, struct fault *fault)
{
	const struct change change = { apply_properties, after_properties, request };
	enum result result = change_job(engine, row, &change, ret_status, fault);

	if (result == RESULT_OK)
		engine_note_properties(engine, &ret_status->job, request->properties_given);
	return result;
}

/* The work that a client asks for may need a helper token: without one it is refused, or waits if that is the job's way. */
static enum result require_token(struct engine *engine, struct job *job, struct fault *fault)
{
	enum result result = RESULT_OK;

	if (job->properties.on_token_loss == TOKEN_LOSS_ERROR)
		result = engine_check_token(engine, job, fault);
	if (result == RESULT_OK)
		engine_identities_changed(engine, job);
	return result;
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
	if (job->state == JOB_TRANSFERRED && job->files_transferred == job->files_total &&
	    !engine_written_by_another(engine, job)) {
		/* Nothing to fetch; what may be left to do is the publishing that failed. */
		if (job->properties.auto_complete)
			job->work = JOB_WORK_PUBLISH;
		return require_token(engine, job, fault);
	}
	if (job->work == JOB_WORK_PUBLISH)
		return fault_set(fault, RESULT_INVALID_STATE, FAULT_FERRY, 0, "resume while the job is completing");

	bool rested = !job_state_is_active(job->state) && job->state != JOB_QUEUED;

	if (job->state == JOB_TRANSIENT_ERROR || job->state == JOB_ERROR)
		engine_forget_hosts_of(engine, job);

	enum result result = engine_source_forgive(engine, job->row, fault);
	if (result == RESULT_OK)
		result = engine_move(engine, job, JOB_EVENT_RESUME, fault);

	if (result != RESULT_OK)
		return result;
	job->work = JOB_WORK_TRANSFER;
	result = require_token(engine, job, fault);
	if (result == RESULT_OK && rested)
		ENGINE_TELL(engine, TELL_REQUESTS, JOB_RESUMED, .job = job, .caller = &engine->asker);
	return result;
}

static void after_resume(struct engine *engine, const struct job *job)
{
	struct active *active;

	engine_wind_down_stale(engine, job);
	active = active_find(engine, job->row);
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
		job->token_wait = false;
		if (from != JOB_SUSPENDED)
			ENGINE_TELL(engine, TELL_REQUESTS, JOB_SUSPENDED, .job = job, .caller = &engine->asker);
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
	ENGINE_TELL(engine, TELL_REQUESTS, JOB_CANCELLED, .job = job, .caller = &engine->asker);
	engine_review_token(engine, job);
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
	if (job->files_transferred > job->files_published && engine_written_by_another(engine, job))
		return fault_set(fault, RESULT_INVALID_STATE, FAULT_FERRY, 0,
		                 "complete: the files were written as %s, who writes them no more; resume the job to fetch them anew",
		                 job->file_writer);
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
	return require_token(engine, job, fault);
}

static void after_complete(struct engine *engine, const struct job *job)
{
	struct active *active;

	engine_wind_down_stale(engine, job);
	active = active_find(engine, job->row);
	if (active != NULL && active->work == JOB_WORK_TRANSFER && !active->winding)
		active_wind_down(engine, active);
}

enum result engine_job_complete(struct engine *engine, int64_t row, struct job_status *ret_status, struct fault *fault)
{
	const struct change change = { apply_complete, after_complete, NULL };
	enum result result = change_job(engine, row, &change, ret_status, fault);

	if (result == RESULT_OK)
		ENGINE_TELL(engine, TELL_REQUESTS, JOB_COMPLETING, .job = &ret_status->job, .caller = &engine->asker);
	return result;
}

/* --- taking over --- */

struct taking {
	const struct caller *caller;
	char from[JOB_OWNER_BYTES_MAX];
};

static enum result apply_take(struct engine *engine, struct job *job, const void *argument, struct fault *fault)
{
	struct taking *taking = *(struct taking *const *)argument;
	const struct caller *caller = taking->caller;
	enum result result = access_take(caller, job, fault);

	if (result != RESULT_OK)
		return result;
	if (job_state_is_final(job->state) || job->work == JOB_WORK_PUBLISH)
		return fault_set(fault, RESULT_INVALID_STATE, FAULT_FERRY, 0, "take the job over while it is %s",
		                 job->work == JOB_WORK_PUBLISH ? "completing" : job_state_name(job->state));
	result = engine_check_quota(engine, caller->owner, false, fault);
	if (result != RESULT_OK)
		return result;
	leave_slot(engine, job);
	result = engine_move(engine, job, JOB_EVENT_SUSPEND, fault);
	memcpy(taking->from, job->owner, sizeof(taking->from));
	memcpy(job->owner, caller->owner, sizeof(job->owner));
	job->owner_integrity = caller->integrity;
	job->owner_elevated = caller->administrator;
	job->limited = false;
	job->work = JOB_WORK_NONE;
	job->helper_flags = 0;
	job->helper_sid[0] = job->properties.pinned_helper[0] = '\0';
	job->helper_logon = 0;
	job->token_wait = false;
	job->implicit = job->explicit = 0;
	job->properties.proxy_mode = PROXY_PRECONFIGURED;
	job->properties.tls_ignore = 0;
	job->properties.client_certificate[0] = '\0';
	if (result == RESULT_OK)
		result = store_credentials_remove(engine->parts.store, job->row, fault);
	if (result == RESULT_OK)
		result = store_headers_remove(engine->parts.store, job->row, fault);
	if (result == RESULT_OK)
		result = store_proxy_save(engine->parts.store, job->row, "", "", fault);
	return result == RESULT_OK ? store_job_take(engine->parts.store, job, fault) : result;
}

static void after_take(struct engine *engine, const struct job *job)
{
	engine_forget_token(engine, job->row);
	engine_end_answers(engine, job->row);
	wind_down_job(engine, job);
}

enum result engine_job_take(struct engine *engine, int64_t row, const struct caller *caller, struct job_status *ret_status,
                            struct fault *fault)
{
	struct taking taking = { .caller = caller }, *argument = &taking;
	const struct change change = { apply_take, after_take, &argument };
	enum result result = change_job(engine, row, &change, ret_status, fault);

	if (result != RESULT_OK)
		return result;
	ENGINE_TELL(engine, TELL_CHANGES, JOB_TAKEN, .job = &ret_status->job, .caller = &engine->asker,
	            .previous_owner = taking.from);
	return RESULT_OK;
}
