/* runtime/engine: what is going on, in numbers, for whoever asks, and for a file that a collector reads.
 *
 * Counters count what was done, as it is done, and are not taken back with a turn that is undone: what such a turn did to
 * files and servers is done, and will be done and counted again.
 */
#include "runtime/engine_private.h"

#include <string.h>

#include "core/metrics.h"
#include "platform/file.h"

/* --- jobs, as the store has them --- */

#define TALLY_SHARE 20 /* anybody may ask: looking at all jobs takes no more than this part of the engine's time */

struct tally {
	struct engine *engine;
	struct job_counts counts;
	enum result result;
};

static bool tally(void *context, int64_t row, uint64_t count)
{
	struct tally *tally = context;
	struct job_status status;
	struct fault fault;

	tally->result = engine_job_get(tally->engine, row, &status, &fault);
	if (tally->result != RESULT_OK)
		return false;
	tally->counts.states[status.job.state] += count;
	tally->counts.waits[status.wait] += count;
	return true;
}

static bool count_jobs(struct engine *engine)
{
	struct tally all = { .engine = engine };
	struct fault fault;
	int64_t begun_ms = engine_mono(engine);

	if (begun_ms < engine->job_counts.until_ms)
		return true;
	if (store_jobs_alike(engine->parts.store, engine_now(engine), tally, &all, &fault) != RESULT_OK || all.result != RESULT_OK)
		return false;
	all.counts.until_ms = begun_ms + (engine_mono(engine) - begun_ms) * TALLY_SHARE;
	engine->job_counts = all.counts;
	return true;
}

/* A queue that cannot be read is told by its own metric, and jobs are not. */
static void add_jobs(struct engine *engine, struct metrics *metrics)
{
	if (!count_jobs(engine))
		return;
	for (unsigned state = 0; state < JOB_STATE_COUNT; state++)
		metrics_add(metrics, METRIC_JOBS, job_state_name((enum job_state)state), engine->job_counts.states[state]);
	for (unsigned wait = JOB_WAIT_NONE + 1; wait < JOB_WAIT_COUNT; wait++)
		metrics_add(metrics, METRIC_JOBS_WAITING, job_wait_name((enum job_wait)wait), engine->job_counts.waits[wait]);
}

/* --- the rest --- */

/* Of an outcome that did not come there is no sample. */
static void add_results(struct metrics *metrics, enum metric metric, const uint64_t counts[RESULT_COUNT])
{
	for (unsigned result = 0; result < RESULT_COUNT; result++)
		if (counts[result] > 0)
			metrics_add(metrics, metric, result_name((enum result)result), counts[result]);
}

static void add_work(const struct engine *engine, struct metrics *metrics, const struct service_status *status)
{
	const struct engine_counts *counts = &engine->counts;

	metrics_add(metrics, METRIC_JOBS_CREATED, NULL, counts->jobs_created);
	metrics_add(metrics, METRIC_JOBS_ENDED, job_state_name(JOB_ACKNOWLEDGED), counts->jobs_acknowledged);
	metrics_add(metrics, METRIC_JOBS_ENDED, job_state_name(JOB_CANCELLED), counts->jobs_cancelled);
	add_results(metrics, METRIC_JOB_RETRIES, counts->job_retries);
	add_results(metrics, METRIC_JOB_FAILURES, counts->job_failures);
	metrics_add(metrics, METRIC_FILES_ACTIVE, NULL, status->files_active);
	metrics_add(metrics, METRIC_FILES_LANDED, NULL, counts->files_landed);
	metrics_add(metrics, METRIC_FILES_NOT_MODIFIED, NULL, counts->files_not_modified);
	add_results(metrics, METRIC_FILE_FAILURES, counts->file_failures);
	add_results(metrics, METRIC_FETCHES, counts->fetches);
	metrics_add(metrics, METRIC_FETCHED_BYTES, NULL, counts->fetched_bytes);
}

static void add_clients(const struct engine *engine, struct metrics *metrics)
{
	struct client_counts counts = { 0 };

	if (engine->watcher.count == NULL)
		return;
	engine->watcher.count(engine->watcher.context, &counts);
	metrics_add(metrics, METRIC_REQUESTS, NULL, counts.requests);
	add_results(metrics, METRIC_REQUESTS_REFUSED, counts.refused);
	metrics_add(metrics, METRIC_CONNECTIONS, NULL, counts.connections);
}

static void add_identities(const struct engine *engine, struct metrics *metrics, const struct service_status *status)
{
	uint64_t tokens = 0;

	for (const struct lent *lent = engine->lent; lent != NULL; lent = lent->next)
		tokens++;
	metrics_add(metrics, METRIC_OWNERS_PRESENT, NULL, status->owners_present);
	metrics_add(metrics, METRIC_WORKERS, NULL, status->workers);
	metrics_add(metrics, METRIC_HELPER_TOKENS, NULL, tokens);
}

static void add_service(const struct engine *engine, struct metrics *metrics)
{
	struct events_counts events;

	events_counts(engine->parts.events, &events);
	metrics_add(metrics, METRIC_QUEUE_WRITABLE, NULL, engine->trouble_until_ms == 0);
	metrics_add(metrics, METRIC_QUEUE_COMMITS, NULL, store_commits(engine->parts.store));
	metrics_add(metrics, METRIC_QUEUE_FAILURES, NULL, engine->counts.queue_failures);
	metrics_add(metrics, METRIC_EVENTS, "info", events.levels[EVENTLOG_INFO]);
	metrics_add(metrics, METRIC_EVENTS, "warn", events.levels[EVENTLOG_WARN]);
	metrics_add(metrics, METRIC_EVENTS, "error", events.levels[EVENTLOG_ERROR]);
	metrics_add(metrics, METRIC_EVENTS_LOST, NULL, events.lost);
	metrics_add(metrics, METRIC_CONFIG_GOOD, NULL, engine->reload.errors.count == 0);
	metrics_add_ms(metrics, METRIC_CONFIG_TIME, engine->reload.good_ms);
}

enum result engine_metrics(struct engine *engine, struct buffer *to)
{
	struct metrics metrics = METRICS(to);
	struct service_status status;

	engine_service_status(engine, &status);
	metrics_add(&metrics, METRIC_BUILD_INFO, engine->parts.version, 1);
	metrics_add_ms(&metrics, METRIC_START_TIME, engine->started_ms);
	add_jobs(engine, &metrics);
	add_work(engine, &metrics, &status);
	add_clients(engine, &metrics);
	add_identities(engine, &metrics, &status);
	add_service(engine, &metrics);
	return metrics.result;
}

/* --- the file --- */

#define LOCKED_TURNS 2 /* a collector may be reading the file just now */

static enum result write_file(struct engine *engine, const char *folder, struct fault *fault)
{
	AUTO(buffer) struct buffer text = BUFFER(METRICS_BYTES_MAX);
	enum result result = engine_metrics(engine, &text);

	if (result != RESULT_OK)
		return fault_set(fault, result, FAULT_FERRY, 0, "write " METRICS_FILE);
	/* Who may exchange what lies there while it is written could keep this thread, which everybody's downloads need. */
	result = file_check_trusted(folder, fault);
	if (result != RESULT_OK)
		return result;
	return file_replace(folder, METRICS_FILE, METRICS_FILE ".new", (struct text_view){ text.bytes, text.length }, fault);
}

/* What goes wrong is told once, until it goes well again. */
static void write_and_tell(struct engine *engine, const char *folder)
{
	struct fault fault;
	enum result result = write_file(engine, folder, &fault);

	engine->metrics_failures = result == RESULT_OK ? 0 : engine->metrics_failures + 1;
	if (engine->metrics_failures != (result == RESULT_LOCKED ? LOCKED_TURNS : 1))
		return;
	EVENTS_NOTE(engine->parts.events, METRICS_NOT_WRITTEN, .folder = folder, .fault = &fault);
	events_speak(engine->parts.events);
}

int64_t engine_tend_metrics(struct engine *engine)
{
	const struct settings *settings = engine->parts.settings;

	if (settings->metrics_textfile_folder.count == 0)
		return INT64_MAX;
	if (engine_mono(engine) >= engine->metrics_at_ms) {
		write_and_tell(engine, settings->metrics_textfile_folder.items[0]);
		engine->metrics_at_ms = engine_mono(engine) + (int64_t)settings->metrics_interval_s * 1000;
	}
	return engine->metrics_at_ms;
}
