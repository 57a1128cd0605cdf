/* runtime/engine: events that a client, a server or a disk could cause without end.  Of each job, and of each caller, the first
 * ones are told, and then as many in every TELL_WINDOW_MS; how many were not is told by the next one that is. */
#include "runtime/engine_private.h"

#include <string.h>

#define TELL_WINDOW_MS 600000 /* 10 minutes */
#define RETRIES_TOLD 1        /* of a job, within that */
#define TRIES_TOLD 16         /* of a job's files: that failed, and that began again after a failure */
#define REFUSALS_TOLD 8       /* of a caller */
#define CHANGES_TOLD 32       /* of properties, by a caller */
#define FILES_TOLD 16         /* that are added by one call; of the others the number is told */

/* FNV-1a; a collision only makes two share what is told. */
static uint64_t key_of(const void *bytes, size_t length)
{
	const unsigned char *at = bytes;
	uint64_t hash = 14695981039346656037u;

	for (size_t i = 0; i < length; i++)
		hash = (hash ^ at[i]) * 1099511628211u;
	return hash;
}

/* May one more be told?  Where somebody new comes and nobody's window is over, the one whose window ends first gives way. */
static bool may_tell(struct engine *engine, struct told told[TOLD_MAX], uint64_t key, uint32_t most, uint64_t *ret_untold)
{
	int64_t now_ms = engine_mono(engine);
	struct told *mine = &told[0];

	for (size_t i = 0; i < TOLD_MAX && mine->key != key; i++)
		if (told[i].key == key || told[i].until_ms < mine->until_ms)
			mine = &told[i];
	if (mine->key != key)
		*mine = (struct told){ .key = key };
	if (now_ms >= mine->until_ms)
		*mine = (struct told){ .key = key, .until_ms = now_ms + TELL_WINDOW_MS, .untold = mine->untold };
	if (mine->count >= most) {
		mine->untold++;
		return false;
	}
	mine->count++;
	*ret_untold = mine->untold;
	mine->untold = 0;
	return true;
}

void engine_note_retry(struct engine *engine, const struct job *job)
{
	struct job_status status;
	uint64_t untold;

	if (!may_tell(engine, engine->retries_told, key_of(&job->row, sizeof(job->row)), RETRIES_TOLD, &untold))
		return;
	engine_status_of(engine, job, &status);
	EVENTS_NOTE(engine->parts.events, JOB_RETRIES, .job = job, .fault = &job->error, .attempt = job->attempts,
	            .next_try = job->next_try_ms, .wait = job_wait_name(status.wait), .untold = untold);
}

/* Those of a try that may be one of ever so many. */
static bool may_tell_try(struct engine *engine, enum event_id id, const struct job *job, uint64_t *ret_untold)
{
	bool fails = id == EVENT_FILE_FAILED;

	*ret_untold = 0;
	if (!fails && (id != EVENT_FILE_STARTED || job->attempts == 0))
		return true;
	return may_tell(engine, fails ? engine->failures_told : engine->starts_told, key_of(&job->row, sizeof(job->row)),
	                TRIES_TOLD, ret_untold);
}

void engine_note_file(struct engine *engine, enum event_id id, const struct flight *flight, uint64_t bytes,
                      const struct fault *fault)
{
	char url[URL_BYTES_MAX + 1];
	uint64_t untold;
	struct job *job = &engine->titled;
	struct events *events = engine->parts.events;
	const char *path = flight->file.path, *proxy = flight->proxy.address;

	if (id == EVENT_FILE_FAILED || id == EVENT_PUBLISH_FAILED)
		engine->counts.file_failures[fault->result]++; /* told or not */
	if ((job->row != flight->active->row && !engine_load_job(engine, flight->active->row, job)) ||
	    !may_tell_try(engine, id, job, &untold))
		return;
	url_redact(text_view(flight->file.url), url, sizeof(url));
	if (id == EVENT_FILE_STARTED)
		EVENTS_NOTE(events, FILE_STARTED, .job = job, .url = url, .path = path, .offset = bytes, .untold = untold);
	else if (id == EVENT_FILE_STOPPED)
		EVENTS_NOTE(events, FILE_STOPPED, .job = job, .url = url, .path = path, .bytes = bytes, .proxy = proxy);
	else if (id == EVENT_FILE_NOT_MODIFIED)
		EVENTS_NOTE(events, FILE_NOT_MODIFIED, .job = job, .url = url, .path = path);
	else if (id == EVENT_FILE_FAILED)
		EVENTS_NOTE(events, FILE_FAILED, .job = job, .url = url, .path = path, .bytes = bytes, .proxy = proxy,
		            .fault = fault, .untold = untold);
	else if (id == EVENT_FILE_PUBLISHED)
		EVENTS_NOTE(events, FILE_PUBLISHED, .job = job, .path = path, .bytes = bytes);
	else if (id == EVENT_PUBLISH_FAILED)
		EVENTS_NOTE(events, PUBLISH_FAILED, .job = job, .path = path, .fault = fault);
	else if (id == EVENT_LEFTOVER)
		EVENTS_NOTE(events, LEFTOVER, .job = job, .partial = flight->file.partial, .path = path, .why = fault->what);
}

static uint64_t key_of_asker(const struct engine *engine)
{
	return key_of(engine->asker.owner, strlen(engine->asker.owner));
}

bool engine_may_tell_refusal(struct engine *engine, uint64_t *ret_untold)
{
	engine->refusal_told = true;
	return may_tell(engine, engine->refusals_told, key_of_asker(engine), REFUSALS_TOLD, ret_untold);
}

void engine_refused(struct engine *engine, const char *method, const char *job, const char *correlation, const struct fault *fault)
{
	bool by_policy = fault->result == RESULT_ACCESS_REFUSED || fault->result == RESULT_NOT_LENT ||
	                 fault->result == RESULT_BLOCKED_BY_POLICY;
	uint64_t untold;

	if (by_policy && !engine->refusal_told && engine_may_tell_refusal(engine, &untold))
		EVENTS_NOTE(engine->parts.events, REFUSED, .caller = &engine->asker, .method = method, .job = job,
		            .correlation = correlation, .fault = fault, .untold = untold);
}

void engine_note_files(struct engine *engine, const struct job *job, const struct request *request)
{
	struct file_request file;
	char url[URL_BYTES_MAX + 1], path[DESTINATION_BYTES_MAX + 1];
	struct fault fault;

	for (uint32_t i = 0; i < request->file_count && i < FILES_TOLD; i++) {
		if (request_file(request, i, &file, &fault) != RESULT_OK)
			return; /* it was, a moment ago */
		url_redact(file.url, url, sizeof(url));
		text_display(path, sizeof(path), "%.*s", (int)file.path.length, file.path.bytes);
		EVENTS_NOTE(engine->parts.events, FILE_ADDED, .job = job, .caller = &engine->asker, .url = url, .path = path);
	}
	if (request->file_count > FILES_TOLD)
		EVENTS_NOTE(engine->parts.events, FILES_ADDED, .job = job, .caller = &engine->asker,
		            .files = request->file_count - FILES_TOLD);
}

void engine_note_properties(struct engine *engine, const struct job *job, unsigned given)
{
	char names[512] = "";
	uint64_t untold;

	if (given == 0 || !may_tell(engine, engine->changes_told, key_of_asker(engine), CHANGES_TOLD, &untold))
		return;
	for (unsigned bit = 0; bit < PROPERTY_COUNT; bit++)
		if (given & 1u << bit) {
			size_t length = strlen(names);

			text_display(names + length, sizeof(names) - length, "%s%s", length > 0 ? " " : "", property_name(bit));
		}
	EVENTS_NOTE(engine->parts.events, JOB_CHANGED, .job = job, .caller = &engine->asker, .properties = names,
	            .untold = untold);
}
