/* runtime/engine: helper tokens that are lent - for which files, until when, and what the want of one means (docs/security.md,
 * rules 10 to 16).
 *
 * A token is kept in memory only.  It is dropped at once when its time is over, whatever becomes of the turn: who loses a
 * token by a turn that is undone finds his job waiting for one, and nobody keeps one that he should not have.
 */
#include "runtime/engine_private.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/destination.h"
#include "core/url.h"

#define LEFTOVERS_TOLD_MAX 16 /* partial files of one job that are named in events of their own */

static struct lent **find(struct engine *engine, int64_t row)
{
	struct lent **place = &engine->lent;

	while (*place != NULL && (*place)->row != row)
		place = &(*place)->next;
	return place;
}

const struct lent *engine_lent(const struct engine *engine, int64_t row)
{
	const struct lent *lent = engine->lent;

	while (lent != NULL && lent->row != row)
		lent = lent->next;
	return lent;
}

void lent_free(struct lent *lent)
{
	if (lent == NULL)
		return;
	identity_free(lent->identity);
	free(lent->roots);
	free(lent);
}

bool engine_is_lent(const struct engine *engine, const struct identity *identity)
{
	for (const struct lent *lent = engine->lent; lent != NULL; lent = lent->next)
		if (engine_same_identity(lent->identity, identity))
			return true;
	return false;
}

/* It is out of the list already. */
static void let_go(struct engine *engine, struct lent *lent)
{
	engine_identity_gone(engine, lent->identity);
	lent_free(lent);
}

static void forget(struct engine *engine, struct lent **place)
{
	struct lent *lent = *place;

	*place = lent->next;
	let_go(engine, lent);
}

static const struct caller *helper_of(const struct lent *lent)
{
	return identity_caller(lent->identity);
}

/* --- which files it is lent for (rule 11) --- */

static bool is_below_roots(const struct engine *engine, const char *roots, size_t root_bytes, const char *path)
{
	for (size_t at = 0; at < root_bytes; at += strlen(roots + at) + 1)
		if (destination_is_inside(engine->parts.path_style, text_view(path), text_view(roots + at)))
			return true;
	return false;
}

/* On another machine Windows logs on as the whole user, whatever was taken from the token (rule 10). */
static bool is_made_whole(const struct engine *engine, const struct lent *lent, unsigned flags, const struct file *file)
{
	const struct caller *helper = identity_caller(lent->identity);

	return (flags & HELPER_LOCAL_FILE) && (helper->restricted || helper->integrity < INTEGRITY_MEDIUM) &&
	       destination_is_remote(engine->parts.path_style, text_view(file->path));
}

/* To open a file on another machine Windows logs on there as the helper: that is for whoever chose the file, or names such
 * folders himself. */
static bool is_elsewhere(const struct engine *engine, const struct lent *lent, unsigned flags, const struct file *file)
{
	return (flags & HELPER_LOCAL_FILE) && !lent->by_owner &&
	       destination_is_remote(engine->parts.path_style, text_view(file->path));
}

bool engine_reads_share(const struct engine *engine, const struct file *file)
{
	char url[URL_BYTES_MAX + 1];
	bool reads = url_is_share(text_view(file->url));

	for (uint32_t source = 1; source <= file->mirrors && !reads; source++)
		reads = store_mirror_url(engine->parts.store, file->row, source, url, NULL) != RESULT_OK ||
		        url_is_share(text_view(url));
	return reads;
}

/* Roots bound where is written, not what is asked for: with them a file that comes later is covered only while no server is
 * asked as the helper. */
static bool covers(const struct engine *engine, const struct lent *lent, unsigned flags, const struct file *file)
{
	/* So it does to read from a share; but no root says which. */
	if (((flags & HELPER_NETWORK) && !lent->by_owner && engine_reads_share(engine, file)) ||
	    is_made_whole(engine, lent, flags, file))
		return false;
	if (lent->root_bytes == 0)
		return file->ordinal < lent->files && !is_elsewhere(engine, lent, flags, file);
	return is_below_roots(engine, lent->roots, lent->root_bytes, file->path) &&
	       (file->ordinal < lent->files || !(flags & HELPER_NETWORK));
}

bool engine_token_covers(const struct engine *engine, const struct active *active, const struct file *file)
{
	const struct lent *lent = engine_lent(engine, active->row);
	unsigned flags = 0;

	for (unsigned side = 0; side < JOB_SIDE_COUNT; side++)
		flags |= active->as[side] == IDENTITY_HELPER ? HELPER_FLAG(side) : 0;
	return flags == 0 || (lent != NULL && covers(engine, lent, flags, file));
}

struct coverage {
	const struct engine *engine;
	const struct lent *lent;
	unsigned flags;
	enum job_work work; /* NONE: published files matter, too */
	int64_t uncovered;  /* ordinal; -1: none */
};

static bool look_at(void *context, const struct file *file)
{
	struct coverage *coverage = context;
	bool unfinished = file->state == FILE_PENDING || file->state == FILE_TRANSFERRED;
	/* What is to be fetched, and by who touches files what lies on disk. */
	bool touched = (coverage->work == JOB_WORK_TRANSFER && file->state == FILE_PENDING) ||
	               (file->partial[0] != '\0' && (coverage->flags & HELPER_LOCAL_FILE));

	if ((coverage->work == JOB_WORK_NONE || (unfinished && touched)) &&
	    !covers(coverage->engine, coverage->lent, coverage->flags, file))
		coverage->uncovered = file->ordinal;
	return coverage->uncovered < 0;
}

static enum result missing(struct fault *fault, const char *what)
{
	return fault_set(fault, RESULT_TOKEN_REQUIRED, FAULT_FERRY, 0, "%s", what);
}

enum result engine_check_loan_files(struct engine *engine, const struct lent *lent, const struct opener *opener,
                                    struct fault *fault)
{
	struct coverage coverage = { engine, lent, lent->agreed, JOB_WORK_NONE, -1 };
	const char *why = lent->root_bytes > 0 ? "lies below none of them, or comes from a share, for which its owner lends" :
	                                         "lies on another machine or comes from a share: its owner lends for that, or who "
	                                         "states folders for the former; an administrator takes the job over first";
	char which[32] = "some file of the job"; /* who may only attach is shown no more */
	enum result result;

	if (lent->root_bytes == 0 && lent->by_owner)
		return RESULT_OK;
	result = store_files_list(engine->parts.store, lent->row, 0, UINT32_MAX, look_at, &coverage, fault);
	if (result != RESULT_OK || coverage.uncovered < 0)
		return result;
	if (opener->rights & ACCESS_QUERY)
		text_display(which, sizeof(which), "files[%" PRId64 "]", coverage.uncovered);
	return fault_set(fault, RESULT_INVALID_ARGUMENT, FAULT_FERRY, 0, "params.roots: %s %s", which, why);
}

enum result engine_check_token(struct engine *engine, const struct job *job, struct fault *fault)
{
	unsigned needed = job_helper_needed(job);
	const struct lent *lent = engine_lent(engine, job->row);
	struct coverage coverage = { engine, lent, needed, job->work, -1 };

	if (needed == 0)
		return RESULT_OK;
	if (lent == NULL)
		return missing(fault, "no helper token is lent to the job");
	/* All files were looked at when it was lent; and what a sweep may not touch, it leaves, file by file. */
	if (lent->files >= job->files_total || job->work == JOB_WORK_SWEEP)
		return RESULT_OK;
	enum result result = store_files_list(engine->parts.store, job->row, 0, UINT32_MAX, look_at, &coverage, fault);
	if (result != RESULT_OK || coverage.uncovered < 0)
		return result;
	return fault_set(fault, RESULT_TOKEN_REQUIRED, FAULT_FERRY, 0,
	                 "files[%" PRId64 "]: the helper token was not lent for this file", coverage.uncovered);
}

/* --- what its want means --- */

void engine_note_leftover(struct engine *engine, const struct job *job, const struct file *file, const char *why,
                          unsigned *told)
{
	if ((*told)++ < LEFTOVERS_TOLD_MAX && engine_may_tell_job(engine, TELL_ENDS, job))
		EVENTS_NOTE(engine->parts.events, LEFTOVER, .job = job, .partial = file->partial, .path = file->path, .why = why);
	engine_sweep_again(engine, job, file->path);
}

bool engine_leave_file(struct engine *engine, struct file *file)
{
	struct fault fault;

	file->state = FILE_ABANDONED;
	file->bytes_recorded = 0;
	file->partial[0] = file->tag[0] = '\0';
	if (store_file_save(engine->parts.store, file, &fault) == RESULT_OK)
		return true;
	engine_break(engine, &fault);
	return false;
}

/* Nobody may remove what the helper's files left: it is named, and no job's any more, so that the sweep of a folder's
 * orphans finds it. */
static void leave_behind(struct engine *engine, struct job *job)
{
	const struct active *active = active_find(engine, job->row);
	struct file file;
	struct fault fault;
	unsigned told = 0;
	enum result result;

	job->token_wait = false;
	if (active != NULL && active->flights != NULL)
		return; /* they end first, and save what they know; the next begin comes here again */
	job->work = JOB_WORK_NONE;
	engine_changed(engine, job->row);
	while ((result = store_file_next_partial(engine->parts.store, job->row, 0, &file, &fault)) == RESULT_OK) {
		engine_note_leftover(engine, job, &file, "no helper token is lent to the job", &told);
		if (!engine_leave_file(engine, &file))
			return;
	}
	if (result != RESULT_NOT_FOUND)
		engine_break(engine, &fault);
}

void engine_disown_files(struct engine *engine, struct job *job)
{
	struct file file;
	struct fault fault;
	unsigned told = 0;
	enum result result;

	while ((result = store_file_next_partial(engine->parts.store, job->row, 0, &file, &fault)) == RESULT_OK) {
		engine_note_leftover(engine, job, &file, "another identity writes the job's files from now on", &told);
		file.state = FILE_PENDING;
		file.bytes_recorded = file.bytes_most = 0;
		file.partial[0] = file.tag[0] = file.etag[0] = file.modified[0] = '\0';
		if (store_file_save(engine->parts.store, &file, &fault) != RESULT_OK) {
			engine_break(engine, &fault);
			return;
		}
	}
	if (result != RESULT_NOT_FOUND)
		engine_break(engine, &fault);
}

static void fail_for_token(struct engine *engine, struct job *job, const char *what)
{
	enum job_state to;

	if (!job_next_state(job->state, JOB_EVENT_TOKEN_LOST, &to))
		return;
	(void)!engine_move(engine, job, JOB_EVENT_TOKEN_LOST, NULL);
	(void)!missing(&job->error, what);
	job->error_count++;
	job->work = JOB_WORK_NONE;
	job->token_wait = false;
	job_note_failed(engine, job);
}

/* The job's work has no token: it waits or is in error, as it chose.  One that is only to get its names waits. */
static void want(struct engine *engine, struct job *job, const char *what)
{
	enum job_state to;

	if (job->work == JOB_WORK_SWEEP) {
		leave_behind(engine, job);
	} else if (job->properties.on_token_loss == TOKEN_LOSS_ERROR && job->state != JOB_TRANSFERRED) {
		fail_for_token(engine, job, what);
	} else {
		job->token_wait = true;
		if (job_next_state(job->state, JOB_EVENT_SLICE_OVER, &to))
			(void)!engine_move(engine, job, JOB_EVENT_SLICE_OVER, NULL);
		engine_changed(engine, job->row);
	}
}

void engine_review_token(struct engine *engine, struct job *job)
{
	struct fault fault;

	if (job->work == JOB_WORK_NONE || engine_check_token(engine, job, &fault) == RESULT_OK) {
		engine->schedule_due |= job->token_wait;
		job->token_wait = false;
		return;
	}
	if (fault.result == RESULT_TOKEN_REQUIRED)
		want(engine, job, fault.what);
	else
		engine_break(engine, &fault);
}

void active_token_missing(struct engine *engine, struct active *active, const char *what)
{
	struct job job;

	if (!engine_load_job(engine, active->row, &job))
		return;

	enum job_state from = job.state;

	active_leave_slot(engine, active, &job);
	want(engine, &job, what);
	if (engine_save_job(engine, &job, from))
		active_wind_down(engine, active);
}

/* Is this not who may serve the side?  Of an owner's identities any that is present may go on. */
static bool is_replaced(const struct engine *engine, const struct job *job, enum job_side side, enum identity_choice as,
                        const struct identity *worn)
{
	struct identity *identity = NULL;

	if (engine_side(engine, job, side, &identity) != as || identity == NULL)
		return true;
	return as == IDENTITY_OWNER ? !engine_is_present(engine, worn) : !engine_same_identity(identity, worn);
}

static bool is_stale(const struct engine *engine, const struct active *active, const struct job *job)
{
	if (active->route_changed)
		return true;
	for (unsigned side = 0; side < JOB_SIDE_COUNT; side++) {
		const struct crew *crew = active->crews[side];

		if (crew != NULL && is_replaced(engine, job, (enum job_side)side, active->as[side], crew->identity))
			return true;
	}
	for (const struct flight *flight = active->flights; flight != NULL; flight = flight->next)
		if (flight->moved || (active->as[JOB_SIDE_FILE] == IDENTITY_SERVICE &&
		                      !engine_service_writes(engine, text_view(flight->file.path))))
			return true;
	return false;
}

void engine_identities_changed(struct engine *engine, struct job *job)
{
	struct active *active = active_find(engine, job->row);
	struct fault ignored;
	enum job_state to;

	if (active != NULL && !active->winding) {
		active->stale = is_stale(engine, active, job) ||
		                (job->work != JOB_WORK_NONE && engine_check_token(engine, job, &ignored) != RESULT_OK);
		if (active->stale) {
			active_leave_slot(engine, active, job);
			if (job_next_state(job->state, JOB_EVENT_SLICE_OVER, &to))
				(void)!engine_move(engine, job, JOB_EVENT_SLICE_OVER, NULL);
		}
	}
	engine_review_token(engine, job);
}

void engine_wind_down_stale(struct engine *engine, const struct job *job)
{
	struct active *active = active_find(engine, job->row);

	if (active != NULL && active->stale && !active->winding)
		active_wind_down(engine, active);
}

/* --- losing it --- */

/* The job is not at work and no client asked for this: BITS puts it in error all the same. */
static void lose(struct engine *engine, struct job *job, const char *why)
{
	bool rests = job->work == JOB_WORK_NONE && job->state == JOB_SUSPENDED;

	if (rests && job->helper_flags != 0 && job->properties.on_token_loss == TOKEN_LOSS_ERROR)
		fail_for_token(engine, job, why);
	else
		engine_identities_changed(engine, job);
}

static void drop(struct engine *engine, struct lent **place, const char *why)
{
	struct lent *lent = *place;
	struct job job;
	struct fault fault;
	enum result result = store_job_by_row(engine->parts.store, lent->row, &job, &fault);

	*place = lent->next;
	if (engine->broken.result != RESULT_OK) {
		; /* the turn will be undone, and every job held against its tokens then */
	} else if (result == RESULT_OK) {
		enum job_state from = job.state;

		EVENTS_NOTE(engine->parts.events, HELPER_LOST, .job = &job, .helper = helper_of(lent)->owner, .why = why);
		lose(engine, &job, why);
		engine_changed(engine, job.row);
		if (engine_save_job(engine, &job, from))
			engine_wind_down_stale(engine, &job);
	} else if (result != RESULT_NOT_FOUND) {
		engine_break(engine, &fault);
	}
	let_go(engine, lent);
}

void engine_drop_tokens(struct engine *engine, lent_condition *condition, const void *argument, const char *why)
{
	for (struct lent **place = &engine->lent; *place != NULL;) {
		if (condition(engine, *place, argument))
			drop(engine, place, why);
		else
			place = &(*place)->next;
	}
}

void engine_limit_token(struct engine *engine, int64_t row, uint32_t files)
{
	struct lent *lent = *find(engine, row);

	if (lent != NULL && lent->files > files)
		lent->files = files;
}

void engine_keep_token(struct engine *engine, struct lent *lent)
{
	struct lent **place = find(engine, lent->row), *before = *place;

	if (before != NULL)
		*place = before->next;
	lent->next = engine->lent;
	engine->lent = lent;
	if (before != NULL)
		let_go(engine, before); /* after the new one is there, which may be the same identity */
	if (lent->expires_ms < engine->token_at_ms)
		engine->token_at_ms = lent->expires_ms;
}

void engine_forget_token(struct engine *engine, int64_t row)
{
	struct lent **place = find(engine, row);

	if (*place != NULL)
		forget(engine, place);
}

void engine_forget_final_tokens(struct engine *engine)
{
	for (size_t i = 0; i < engine->changed_count; i++) {
		struct job job;
		struct fault fault;

		if (engine_lent(engine, engine->changed[i]) != NULL &&
		    store_job_by_row(engine->parts.store, engine->changed[i], &job, &fault) == RESULT_OK &&
		    job_state_is_final(job.state) && job_helper_needed(&job) == 0)
			engine_forget_token(engine, job.row);
	}
}

void engine_drop_fresh_tokens(struct engine *engine)
{
	for (struct lent **place = &engine->lent; *place != NULL;) {
		if ((*place)->turn == engine->turn)
			forget(engine, place);
		else
			place = &(*place)->next;
	}
}

static bool is_lent_by(struct engine *engine, const struct lent *lent, const void *connection)
{
	(void)engine;
	return lent->life == TOKEN_LIFE_CONNECTION && lent->connection == *(const uint64_t *)connection;
}

void engine_connection_ended(struct engine *engine, uint64_t connection)
{
	engine_drop_tokens(engine, is_lent_by, &connection, "the connection that lent it ended");
}

static bool is_expired(struct engine *engine, const struct lent *lent, const void *mono)
{
	(void)engine;
	return lent->expires_ms <= *(const int64_t *)mono;
}

void engine_expire_tokens(struct engine *engine)
{
	int64_t mono = engine_mono(engine);

	engine_drop_tokens(engine, is_expired, &mono, "the age that its lender stated is over");
	engine->token_at_ms = INT64_MAX;
	for (const struct lent *lent = engine->lent; lent != NULL; lent = lent->next)
		if (lent->expires_ms < engine->token_at_ms)
			engine->token_at_ms = lent->expires_ms;
}

bool engine_recover_tokens(struct engine *engine)
{
	int64_t rows[64], after = 0;
	size_t count = 0;
	struct fault fault;

	do {
		if (store_jobs_helped(engine->parts.store, after, rows, sizeof(rows) / sizeof(rows[0]), &count, &fault) !=
		    RESULT_OK) {
			engine_break(engine, &fault);
			return false;
		}
		for (size_t i = 0; i < count; i++) {
			struct job job;

			if (!engine_load_job(engine, rows[i], &job))
				return false;
			enum job_state from = job.state;

			engine_review_token(engine, &job);
			if (engine->broken.result != RESULT_OK || !engine_save_job(engine, &job, from))
				return false;
			after = rows[i];
		}
	} while (count > 0);
	return true;
}
