/* runtime/engine: errands - what a file worker is asked about folders, rather than about a file in transfer.
 *
 * Before a job is resumed its destinations are looked at, as the file identity (security rule 21): whoever resumes it is
 * told at once what could only fail.  And when a job first comes to a folder after a start, partial files that bear this
 * queue's mark but belong to no job are removed there.
 */
#include "runtime/engine_private.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/destination.h"

#define CHECK_FILES_AT_ONCE 64
#define SWEEP_AT_ONCE 256 /* removals that one listing leads to; what is left is found the next time */
#define PARTIAL_RANDOM_DIGITS 32
#define PARTIAL_PREFIX ".ferry-"
#define PARTIAL_SUFFIX ".part"

struct errand {
	struct errand *next;
	uint64_t number; /* a flight's, as far as the worker knows */
	struct crew *crew;
	int64_t row; /* the job's that it is for */
	/* A look at destinations */
	uint32_t takeovers; /* of the job when it was asked for */
	uint32_t ordinals[CHECK_FILES_AT_ONCE]; /* of the files that the present order asks about */
	uint32_t next_ordinal;
	struct resumption *resumption;       /* who waits for it; both NULL: the errand is a sweep */
	struct asker asker;                  /* who asked for the resume */
	struct preflight_question *question;
	/* A sweep */
	char path[DESTINATION_BYTES_MAX + 1]; /* of some destination in the folder */
	uint64_t key;
};

/* --- setting out and coming back --- */

/* As the identity, if it has a worker for files or there is room for one. */
static struct errand *errand_begin(struct engine *engine, struct identity *identity, struct fault *fault)
{
	struct crew *crew = crew_get(engine, identity, JOB_SIDE_FILE, (struct answers){ 0 }, fault);
	struct errand *errand = crew != NULL ? calloc(1, sizeof(*errand)) : NULL;

	if (errand == NULL) {
		if (crew != NULL)
			(void)!fault_set(fault, RESULT_NO_MEMORY, FAULT_FERRY, 0, "look at a folder");
		crew_release(engine, crew);
		return NULL;
	}
	errand->number = ++engine->flight_number;
	errand->crew = crew;
	errand->next = engine->errands;
	engine->errands = errand;
	return errand;
}

static void errand_end(struct engine *engine, struct errand *errand)
{
	struct errand **place = &engine->errands;

	while (*place != errand)
		place = &(*place)->next;
	*place = errand->next;
	crew_release(engine, errand->crew);
	free(errand);
	engine->schedule_due = true; /* somebody may wait for the threads */
}

/* Would the job's files be written as who set out?  Not if it has got another owner or helper meanwhile. */
static bool still_serves(const struct engine *engine, const struct errand *errand, const struct job *job)
{
	struct identity *identity = NULL;

	(void)engine_side(engine, job, JOB_SIDE_FILE, &identity);
	return identity != NULL && engine_same_identity(identity, errand->crew->identity);
}

static struct errand *errand_find(const struct engine *engine, uint64_t number)
{
	struct errand *errand = engine->errands;

	while (errand != NULL && errand->number != number)
		errand = errand->next;
	return errand;
}

void engine_drop_errands(struct engine *engine, const struct fault *fault)
{
	while (engine->errands != NULL) {
		struct errand *errand = engine->errands;
		struct resumption *resumption = errand->resumption;
		struct preflight_question *question = errand->question;

		engine->errands = errand->next;
		free(errand);
		if (resumption != NULL && fault != NULL)
			resumption->answer(resumption, fault->result, NULL, fault);
		else
			free(resumption);
		if (question != NULL && fault != NULL)
			question->answer(question, fault->result, NULL, fault);
		else
			free(question);
	}
}

/* --- a look at the destinations --- */

static void grant(struct engine *engine, int64_t row, const struct asker *asker, struct resumption *resumption)
{
	struct job_status status;
	struct fault fault = { 0 };

	engine_asked_by(engine, asker);
	enum result result = engine_resume_now(engine, row, &status, &fault);
	engine_asked_by(engine, NULL);
	resumption->answer(resumption, result, result == RESULT_OK ? &status : NULL, &fault);
}

/* The service does not even look elsewhere than where it may write. */
static enum result add_path(struct engine *engine, const struct job *job, const struct file *file, struct order *order,
                            struct fault *fault)
{
	struct identity *ignored;

	if (engine_side(engine, job, JOB_SIDE_FILE, &ignored) == IDENTITY_SERVICE &&
	    !engine_service_writes(engine, text_view(file->path)))
		return fault_set(fault, RESULT_DENIED, FAULT_FERRY, 0,
		                 "files[%" PRIu32 "].path: lies below none of identity.service_file_roots", file->ordinal);
	if (buffer_append(&order->list, file->path, strlen(file->path) + 1) != RESULT_OK)
		return fault_set(fault, RESULT_NO_MEMORY, FAULT_FERRY, 0, "look at a folder");
	return RESULT_OK;
}

/* What is still to be fetched, or to get its name. */
static enum result next_unfinished(struct engine *engine, int64_t row, uint32_t from, struct file *file, struct fault *fault)
{
	struct file whole;
	enum result result = store_file_next(engine->parts.store, row, FILE_PENDING, from, file, fault);
	enum result other = RESULT_NOT_FOUND;

	if (result == RESULT_OK || result == RESULT_NOT_FOUND)
		other = store_file_next(engine->parts.store, row, FILE_TRANSFERRED, from, &whole, fault);
	if (other == RESULT_NOT_FOUND)
		return result;
	if (other == RESULT_OK && (result == RESULT_NOT_FOUND || whole.ordinal < file->ordinal))
		*file = whole;
	return other;
}

/* Ask about the next files.  RESULT_NOT_FOUND: there are none; else what keeps it. */
static enum result ask(struct engine *engine, struct errand *errand, const struct job *job, struct fault *fault)
{
	struct order *order = calloc(1, sizeof(*order));
	struct job wanted = *job;
	struct file file;
	enum result result;

	if (order == NULL)
		return fault_set(fault, RESULT_NO_MEMORY, FAULT_FERRY, 0, "look at a folder");
	*order = (struct order){ .kind = ORDER_CHECK, .flight = errand->number,
		                 .list = BUFFER(CHECK_FILES_AT_ONCE * (DESTINATION_BYTES_MAX + 1)) };
	wanted.work = JOB_WORK_TRANSFER;
	result = engine_check_token(engine, &wanted, fault); /* files may have come since the last time */
	if (result == RESULT_OK && !still_serves(engine, errand, job))
		result = fault_set(fault, RESULT_IDENTITY_LOST, FAULT_FERRY, 0, "look at a folder");
	for (unsigned i = 0; result == RESULT_OK && i < CHECK_FILES_AT_ONCE; i++) {
		result = next_unfinished(engine, errand->row, errand->next_ordinal, &file, fault);
		if (result == RESULT_OK)
			result = add_path(engine, job, &file, order, fault);
		if (result == RESULT_OK) {
			errand->ordinals[i] = file.ordinal;
			errand->next_ordinal = file.ordinal + 1;
		}
	}
	if ((result == RESULT_OK || result == RESULT_NOT_FOUND) && order->list.length > 0) {
		engine_send(engine, crew_worker(errand->crew, JOB_SIDE_FILE), order);
		return RESULT_OK;
	}
	order_free(order);
	return result;
}

static void answer_preflight(struct engine *engine, int64_t row, struct preflight_question *question,
                             const struct fault *found)
{
	struct preflight preflight = { .file = *found };
	struct job_status status;
	struct fault fault = { 0 };
	enum result result = engine_job_get(engine, row, &status, &fault);

	memcpy(preflight.sides, status.sides, sizeof(preflight.sides));
	question->answer(question, result, result == RESULT_OK ? &preflight : NULL, &fault);
}

/* What may be otherwise in a moment, or cannot be asked for want of an identity or a token, the job meets by itself. */
static bool refuses(enum result result)
{
	return result != RESULT_OK && result != RESULT_BUSY && result != RESULT_IDENTITY_LOST &&
	       result != RESULT_TOKEN_REQUIRED &&
	       (result_class(result) != RETRY_LATER || result == RESULT_VOLUME_GONE);
}

/* The answer is the one of whoever opened the job before it got another owner: nothing is told or granted. */
static void answer_void(struct resumption *resumption, struct preflight_question *question)
{
	struct fault fault;
	enum result result = fault_set(&fault, RESULT_BAD_HANDLE, FAULT_FERRY, 0, "the job was taken over");

	if (question != NULL)
		question->answer(question, result, NULL, &fault);
	else
		resumption->answer(resumption, result, NULL, &fault);
}

static void on_checked(struct engine *engine, struct errand *errand, const struct report *report)
{
	struct resumption *resumption = errand->resumption;
	struct preflight_question *question = errand->question;
	struct asker asker = errand->asker;
	int64_t row = errand->row;
	struct fault fault = { 0 };
	struct job job;
	enum result result = store_job_by_row(engine->parts.store, row, &job, &fault);
	bool taken = result == RESULT_OK && job.takeovers != errand->takeovers;

	if (result == RESULT_OK && report->result != RESULT_OK) {
		fault = report->fault;
		if (report->bytes < CHECK_FILES_AT_ONCE)
			text_display(fault.what, sizeof(fault.what), "files[%" PRIu32 "].path: %s",
			             errand->ordinals[report->bytes], report->fault.what);
	} else if (result == RESULT_OK && !taken) {
		result = ask(engine, errand, &job, &fault);
		if (result == RESULT_OK)
			return;
		if (result == RESULT_NOT_FOUND)
			fault = (struct fault){ 0 };
	}
	errand_end(engine, errand);
	if (taken)
		answer_void(resumption, question);
	else if (question != NULL)
		answer_preflight(engine, row, question, &fault);
	else if (refuses(fault.result))
		resumption->answer(resumption, fault.result, NULL, &fault);
	else
		grant(engine, row, &asker, resumption);
}

/* Set out to look at the job's destinations, as whoever will write there.  NULL: nobody is there, nothing is to be asked, or
 * `fault` tells what keeps it. */
static struct errand *look(struct engine *engine, const struct job *job, struct fault *fault)
{
	struct identity *identity = NULL;
	struct errand *errand;
	enum result result;

	(void)engine_side(engine, job, JOB_SIDE_FILE, &identity);
	errand = identity != NULL ? errand_begin(engine, identity, fault) : NULL;
	if (errand == NULL)
		return NULL;
	errand->row = job->row;
	errand->takeovers = job->takeovers;
	result = ask(engine, errand, job, fault);
	if (result == RESULT_OK)
		return errand;
	if (result == RESULT_NOT_FOUND)
		*fault = (struct fault){ 0 };
	errand_end(engine, errand);
	return NULL;
}

/* Only a job that rests can be told to stay as it was. */
static bool is_to_be_checked(const struct engine *engine, const struct job *job)
{
	return !job_state_is_final(job->state) && !job_state_is_active(job->state) && job->state != JOB_QUEUED &&
	       job->work != JOB_WORK_PUBLISH &&
	       (job->files_transferred < job->files_total || engine_written_by_another(engine, job));
}

void engine_job_resume(struct engine *engine, int64_t row, struct resumption *resumption)
{
	struct errand *errand = NULL;
	struct job job;
	struct fault fault = { 0 };
	enum result result = store_job_by_row(engine->parts.store, row, &job, &fault);

	if (result != RESULT_OK) {
		resumption->answer(resumption, result, NULL, &fault);
		return;
	}
	/* Nothing is looked at as a helper whose token is not lent for it: the grant refuses that. */
	struct job wanted = job;

	wanted.work = JOB_WORK_TRANSFER;
	if (is_to_be_checked(engine, &job) && engine_check_token(engine, &wanted, &fault) == RESULT_OK)
		errand = look(engine, &job, &fault);
	if (errand != NULL) {
		errand->resumption = resumption;
		errand->asker = engine->asker;
	} else if (refuses(fault.result)) {
		resumption->answer(resumption, fault.result, NULL, &fault);
	} else {
		grant(engine, row, &engine->asker, resumption);
	}
}

void engine_job_preflight(struct engine *engine, int64_t row, struct preflight_question *question)
{
	struct errand *errand = NULL;
	struct job job;
	struct fault found = { 0 };
	enum result result = store_job_by_row(engine->parts.store, row, &job, &found);

	if (result != RESULT_OK) {
		question->answer(question, result, NULL, &found);
		return;
	}
	job.work = JOB_WORK_TRANSFER;
	if (engine_check_token(engine, &job, &found) == RESULT_OK)
		errand = look(engine, &job, &found);
	if (errand != NULL)
		errand->question = question;
	else
		answer_preflight(engine, row, question, &found);
}

/* --- partial files without a job --- */

enum result partial_name(const struct engine *engine, const uint64_t random[2], char to[FILE_PARTIAL_BYTES_MAX])
{
	return text_format(to, FILE_PARTIAL_BYTES_MAX, PARTIAL_PREFIX "%s-%016" PRIx64 "%016" PRIx64 PARTIAL_SUFFIX,
	                   engine->parts.queue_mark, random[0], random[1]);
}

/* Only what could be a name that partial_name makes. */
static bool is_partial(const struct engine *engine, const char *name)
{
	size_t prefix = strlen(PARTIAL_PREFIX) + strlen(engine->parts.queue_mark) + 1;
	size_t length = strlen(name);

	return length == prefix + PARTIAL_RANDOM_DIGITS + strlen(PARTIAL_SUFFIX) &&
	       strspn(name + prefix, "0123456789abcdef") == PARTIAL_RANDOM_DIGITS &&
	       strcmp(name + prefix + PARTIAL_RANDOM_DIGITS, PARTIAL_SUFFIX) == 0;
}

/* FNV-1a; a collision only leaves a folder to the next start. */
static uint64_t mix(uint64_t hash, struct text_view text)
{
	for (size_t i = 0; i < text.length; i++)
		hash = (hash ^ (unsigned char)text.bytes[i]) * 1099511628211u;
	return hash;
}

static uint64_t sweep_key(const char *sid, const struct destination *destination)
{
	return mix(mix(14695981039346656037u, text_view(sid)), destination->folder);
}

void engine_note_unmarked(struct engine *engine, const struct job *job, const char *path)
{
	struct destination destination;
	char folder[DESTINATION_BYTES_MAX + 1];

	if (engine->unmarked_count == UNMARKED_FOLDERS_MAX ||
	    destination_parse(engine->parts.path_style, text_view(path), &destination, NULL) != RESULT_OK)
		return;
	uint64_t key = sweep_key("", &destination);

	for (size_t i = 0; i < engine->unmarked_count; i++)
		if (engine->unmarked[i] == key)
			return;
	engine->unmarked[engine->unmarked_count++] = key;
	text_display(folder, sizeof(folder), "%.*s", (int)destination.folder.length, destination.folder.bytes);
	EVENTS_NOTE(engine->parts.events, UNMARKED, .job = job, .folder = folder);
}

bool engine_may_sweep(const struct engine *engine, const char *path)
{
	struct destination destination;

	/* Another machine may write there that was made as a copy of this one, with the same mark. */
	return destination_parse(engine->parts.path_style, text_view(path), &destination, NULL) == RESULT_OK &&
	       !destination_is_remote(engine->parts.path_style, destination.folder);
}

void engine_sweep_folder(struct engine *engine, const struct active *active, const char *path)
{
	struct destination destination;
	struct errand *errand;
	struct order *order;
	struct fault fault;
	struct identity *identity = active->crews[JOB_SIDE_FILE]->identity;
	uint64_t key;

	if (!engine_may_sweep(engine, path) ||
	    destination_parse(engine->parts.path_style, text_view(path), &destination, NULL) != RESULT_OK)
		return;
	key = sweep_key(identity_caller(identity)->owner, &destination);
	for (size_t i = 0; i < engine->swept_count; i++)
		if (engine->swept[i] == key)
			return;
	if (engine->swept_count == SWEPT_FOLDERS_MAX)
		return;
	errand = errand_begin(engine, identity, &fault);
	order = errand != NULL ? calloc(1, sizeof(*order)) : NULL;
	if (order == NULL) {
		if (errand != NULL)
			errand_end(engine, errand);
		return; /* rubbish can wait */
	}
	*order = (struct order){ .kind = ORDER_LIST, .flight = errand->number, .list = BUFFER(FILE_PARTIAL_BYTES_MAX) };
	text_display(order->file.path, sizeof(order->file.path), "%s", path);
	memcpy(errand->path, order->file.path, sizeof(errand->path));
	errand->row = active->row;
	errand->key = key;
	if (buffer_print(&order->list, PARTIAL_PREFIX "%s-", engine->parts.queue_mark) != RESULT_OK) {
		order_free(order);
		errand_end(engine, errand);
		return;
	}
	engine->swept[engine->swept_count++] = key;
	engine_send(engine, crew_worker(errand->crew, JOB_SIDE_FILE), order);
}

/* Of the names in a listing, as many as are removed at once. */
static bool find_orphans(struct engine *engine, const struct buffer *names, struct buffer *orphans)
{
	const char *name = names->bytes, *end = name != NULL ? name + names->length : NULL;
	unsigned count = 0;

	for (; name < end && count < SWEEP_AT_ONCE; name += strlen(name) + 1) {
		bool exists = true;
		struct fault fault;

		if (!is_partial(engine, name))
			continue;
		if (store_partial_exists(engine->parts.store, name, &exists, &fault) != RESULT_OK) {
			engine_break(engine, &fault);
			return false;
		}
		if (exists)
			continue;
		if (buffer_append(orphans, name, strlen(name) + 1) != RESULT_OK)
			break; /* rubbish can wait */
		count++;
	}
	return count > 0;
}

/* The next file that comes to the folder looks again. */
static void unmark(struct engine *engine, uint64_t key)
{
	for (size_t i = 0; i < engine->swept_count; i++)
		if (engine->swept[i] == key) {
			engine->swept[i] = engine->swept[--engine->swept_count];
			return;
		}
}

void engine_sweep_again(struct engine *engine, const struct job *job, const char *path)
{
	const char *const sids[] = { job->owner, job->helper_sid, job->side_sid[JOB_SIDE_FILE] };
	struct destination destination;

	if (destination_parse(engine->parts.path_style, text_view(path), &destination, NULL) != RESULT_OK)
		return;
	for (size_t i = 0; i < sizeof(sids) / sizeof(sids[0]); i++)
		unmark(engine, sweep_key(sids[i], &destination));
}

static void on_listed(struct engine *engine, struct errand *errand, const struct report *report)
{
	struct order *order;
	struct job job;
	struct fault fault;

	if (store_job_by_row(engine->parts.store, errand->row, &job, &fault) != RESULT_OK ||
	    !still_serves(engine, errand, &job)) {
		unmark(engine, errand->key);
		errand_end(engine, errand);
		return;
	}
	order = calloc(1, sizeof(*order));
	if (order != NULL)
		*order = (struct order){ .kind = ORDER_SWEEP, .flight = errand->number,
			                 .list = BUFFER(SWEEP_AT_ONCE * FILE_PARTIAL_BYTES_MAX) };
	if (order == NULL || !find_orphans(engine, &report->names, &order->list)) {
		order_free(order);
		errand_end(engine, errand);
		return;
	}
	memcpy(order->file.path, errand->path, sizeof(errand->path));
	engine_send(engine, crew_worker(errand->crew, JOB_SIDE_FILE), order);
}

static void on_swept(struct engine *engine, struct errand *errand, const struct report *report)
{
	uint64_t removed = report->result == RESULT_OK ? report->bytes : 0;

	/* There may be more; but where some cannot be removed it would not come to an end. */
	if (removed == SWEEP_AT_ONCE)
		unmark(engine, errand->key);
	if (removed > 0) {
		EVENTS_NOTE(engine->parts.events, ORPHANS_REMOVED, .count = removed, .path = errand->path,
		            .identity = identity_caller(errand->crew->identity)->owner);
	}
	errand_end(engine, errand);
}

bool engine_errand_report(struct engine *engine, const struct report *report)
{
	struct errand *errand = errand_find(engine, report->flight);

	if (errand == NULL)
		return false;
	if (errand->resumption != NULL || errand->question != NULL)
		on_checked(engine, errand, report);
	else if (report->order == ORDER_LIST)
		on_listed(engine, errand, report);
	else
		on_swept(engine, errand, report);
	return true;
}
