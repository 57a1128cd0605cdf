/* runtime/engine: events that a client, a server or a disk could cause without end.  Of each caller and each job so many of a
 * kind are told in TELL_WINDOW_MS; how many were not is told when that is over.
 */
#include "runtime/engine_private.h"

#include <string.h>

#define TELL_WINDOW_MS 600000 /* 10 minutes */
#define FILES_TOLD 16         /* that are added by one call; of the others the number is told */
#define PROPERTIES_OF_SAFETY (PROPERTY_PINNED_HELPER | PROPERTY_PROXY | PROPERTY_TLS_IGNORE | PROPERTY_CLIENT_CERTIFICATE)

static const struct {
	const char *name;
	uint32_t most; /* in TELL_WINDOW_MS */
} kinds[] = {
	[TELL_REQUESTS] = { "requests", 200 }, [TELL_FILES] = { "added files", 200 },    [TELL_CHANGES] = { "changes of safety", 200 },
	[TELL_RETRIES] = { "retries", 1 },     [TELL_STARTS] = { "files begun", 16 },    [TELL_FAILURES] = { "failed files", 16 },
	[TELL_ENDS] = { "failures", 16 },      [TELL_REFUSALS] = { "refusals", 200 },
};

static void tell(struct engine *engine, struct told *told)
{
	unsigned kind = told->kind < TELL_REFUSALS ? told->kind : TELL_REFUSALS;

	if (told->untold > 0)
		EVENTS_NOTE(engine->parts.events, NOT_TOLD, .about = told->about, .kind = kinds[kind].name, .count = told->untold);
	told->untold = 0;
}

/* Where somebody new comes and nobody's window is over, the one whose window ends first gives way. */
static struct told *find(struct engine *engine, struct told told[TOLD_MAX], const char *about, unsigned kind)
{
	struct told *oldest = &told[0];

	for (size_t i = 0; i < TOLD_MAX; i++) {
		if (told[i].kind == kind && strcmp(told[i].about, about) == 0)
			return &told[i];
		if (told[i].until_ms < oldest->until_ms)
			oldest = &told[i];
	}
	tell(engine, oldest);
	*oldest = (struct told){ .kind = kind };
	text_display(oldest->about, sizeof(oldest->about), "%s", about);
	return oldest;
}

static bool may_tell(struct engine *engine, struct told *mine, uint32_t most)
{
	int64_t now_ms = engine_mono(engine);

	if (now_ms >= mine->until_ms) {
		tell(engine, mine);
		mine->until_ms = now_ms + TELL_WINDOW_MS;
		mine->count = 0;
	}
	if (mine->count < most) {
		mine->count++;
		return true;
	}
	mine->untold++;
	if (mine->until_ms < engine->untold_at_ms)
		engine->untold_at_ms = mine->until_ms;
	return false;
}

static void tell_of(struct engine *engine, struct told told[TOLD_MAX], bool all)
{
	for (struct told *at = told; at < told + TOLD_MAX; at++) {
		if (all || engine_mono(engine) >= at->until_ms)
			tell(engine, at);
		if (at->untold > 0 && at->until_ms < engine->untold_at_ms)
			engine->untold_at_ms = at->until_ms;
	}
}

int64_t engine_tell_untold(struct engine *engine, bool all)
{
	if (all || engine_mono(engine) >= engine->untold_at_ms) {
		engine->untold_at_ms = INT64_MAX;
		tell_of(engine, engine->callers_told, all);
		tell_of(engine, engine->jobs_told, all);
	}
	return engine->untold_at_ms;
}

/* --- of a caller --- */

/* Who has not said who he is goes by his program, so that one such does not silence all. */
bool engine_may_tell(struct engine *engine, unsigned kind)
{
	const struct asker *asker = &engine->asker;
	char about[JOB_OWNER_BYTES_MAX];

	text_display(about, sizeof(about), "%s", asker->owner[0] != '\0' ? asker->owner : asker->image);
	return (about[0] == '\0' && asker->process == 0) ||
	       may_tell(engine, find(engine, engine->callers_told, about, kind),
	                kinds[kind < TELL_REFUSALS ? kind : TELL_REFUSALS].most);
}

bool engine_may_tell_refusal(struct engine *engine, enum result result)
{
	engine->refusal_told = true;
	return engine_may_tell(engine, TELL_REFUSALS + (unsigned)result);
}

void engine_refused(struct engine *engine, const char *method, const char *job, const char *correlation, const struct fault *fault)
{
	bool by_policy = engine->by_rule || fault->result == RESULT_ACCESS_REFUSED || fault->result == RESULT_NOT_LENT ||
	                 fault->result == RESULT_BLOCKED_BY_POLICY;

	if (by_policy && !engine->refusal_told && engine_may_tell_refusal(engine, fault->result))
		EVENTS_NOTE(engine->parts.events, REFUSED, .caller = &engine->asker, .method = method, .job = job,
		            .correlation = correlation, .fault = fault);
}

void engine_refused_later(struct engine *engine, const struct asker *asker, const char *method, const struct fault *fault)
{
	const struct asker now = engine->asker;
	const bool told = engine->refusal_told, by_rule = engine->by_rule;

	engine_asked_by(engine, asker);
	engine_refused(engine, method, "", "", fault);
	engine_asked_by(engine, &now);
	engine->refusal_told = told;
	engine->by_rule = by_rule;
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
		ENGINE_TELL(engine, TELL_FILES, FILE_ADDED, .job = job, .caller = &engine->asker, .url = url, .path = path);
	}
	if (request->file_count > FILES_TOLD)
		ENGINE_TELL(engine, TELL_FILES, FILES_ADDED, .job = job, .caller = &engine->asker,
		            .files = request->file_count - FILES_TOLD);
}

void engine_note_properties(struct engine *engine, const struct job *job, unsigned given)
{
	char names[512] = "";

	if (given == 0 || !engine_may_tell(engine, given & PROPERTIES_OF_SAFETY ? TELL_CHANGES : TELL_REQUESTS))
		return;
	for (unsigned bit = 0; bit < PROPERTY_COUNT; bit++)
		if (given & 1u << bit) {
			size_t length = strlen(names);

			text_display(names + length, sizeof(names) - length, "%s%s", length > 0 ? " " : "", property_name(bit));
		}
	EVENTS_NOTE(engine->parts.events, JOB_CHANGED, .job = job, .caller = &engine->asker, .properties = names);
}

/* --- of a job --- */

bool engine_may_tell_job(struct engine *engine, enum tell kind, const struct job *job)
{
	return may_tell(engine, find(engine, engine->jobs_told, job->id, kind), kinds[kind].most);
}

void engine_note_retry(struct engine *engine, const struct job *job)
{
	struct job_status status;

	if (!engine_may_tell_job(engine, TELL_RETRIES, job))
		return;
	engine_status_of(engine, job, &status);
	EVENTS_NOTE(engine->parts.events, JOB_RETRIES, .job = job, .fault = &job->error, .attempt = job->attempts,
	            .next_try = job->next_try_ms, .wait = job_wait_name(status.wait));
}

/* May the event be one of ever so many?  A job that begins anew and anew, without failing, has a start for each of its files. */
static bool may_tell_file(struct engine *engine, enum event_id id, const struct job *job)
{
	if (id == EVENT_FILE_FAILED)
		return engine_may_tell_job(engine, TELL_FAILURES, job);
	if (id == EVENT_PUBLISH_FAILED || id == EVENT_LEFTOVER)
		return engine_may_tell_job(engine, TELL_ENDS, job);
	return id != EVENT_FILE_STARTED || may_tell(engine, find(engine, engine->jobs_told, job->id, TELL_STARTS),
	                                            kinds[TELL_STARTS].most + job->files_total);
}

void engine_note_file(struct engine *engine, enum event_id id, const struct flight *flight, uint64_t bytes,
                      const struct fault *fault)
{
	char url[URL_BYTES_MAX + 1];
	struct job *job = &engine->titled;
	struct events *events = engine->parts.events;
	const char *path = flight->file.path, *proxy = flight->proxy.address;

	if (id == EVENT_FILE_FAILED || id == EVENT_PUBLISH_FAILED)
		engine->counts.file_failures[fault->result]++; /* told or not */
	if ((job->row != flight->active->row && !engine_load_job(engine, flight->active->row, job)) ||
	    !may_tell_file(engine, id, job))
		return;
	url_redact(text_view(flight->file.url), url, sizeof(url));
	if (id == EVENT_FILE_STARTED)
		EVENTS_NOTE(events, FILE_STARTED, .job = job, .url = url, .path = path, .offset = bytes);
	else if (id == EVENT_FILE_STOPPED)
		EVENTS_NOTE(events, FILE_STOPPED, .job = job, .url = url, .path = path, .bytes = bytes, .proxy = proxy);
	else if (id == EVENT_FILE_NOT_MODIFIED)
		EVENTS_NOTE(events, FILE_NOT_MODIFIED, .job = job, .url = url, .path = path);
	else if (id == EVENT_FILE_FAILED)
		EVENTS_NOTE(events, FILE_FAILED, .job = job, .url = url, .path = path, .bytes = bytes, .proxy = proxy,
		            .fault = fault);
	else if (id == EVENT_FILE_PUBLISHED)
		EVENTS_NOTE(events, FILE_PUBLISHED, .job = job, .path = path, .bytes = bytes);
	else if (id == EVENT_PUBLISH_FAILED)
		EVENTS_NOTE(events, PUBLISH_FAILED, .job = job, .path = path, .fault = fault);
	else if (id == EVENT_LEFTOVER)
		EVENTS_NOTE(events, LEFTOVER, .job = job, .partial = flight->file.partial, .path = path, .why = fault->what);
}
