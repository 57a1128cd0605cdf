/* The real engine with the real store and workers, without the service: many jobs of one owner, each fetched as the identity
 * that is lent to it for the network.  The servers' logs and the files that land tell whom each request was made as.
 *
 *   fetch_jobs FOLDER OWNER
 *
 * FOLDER has `ferry.jsonc`, and `jobs`: a line IDENTITY TAB job.create's message for each, in whose order they are begun.
 * OWNER: a uid on Linux, who owns FOLDER; 0 is the process's own.  Under Wine identities have one SID and differ by the
 * token, which is why they are helpers here: that is whom the network's workers wear.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "identity_of.h"
#include "platform/file.h"
#include "runtime/engine.h"

#define TEXT_BYTES_MAX (16u * 1024 * 1024)
#define JOBS_MAX 1024
#define IDENTITIES_MAX 16

struct scene {
	struct letter letter;
	struct engine *engine;
	struct settings settings;
	struct worker_ops real;
	struct identity *owner;
	struct identity *lent[IDENTITIES_MAX];
	unsigned numbers[IDENTITIES_MAX], lent_count;
	struct worker *network[IDENTITIES_MAX]; /* workers, in the order in which they were started */
	unsigned started, running, most;
	char *jobs;
	int64_t left[JOBS_MAX]; /* rows of those that are not over */
	unsigned left_count, failed;
};

static void must(bool fine, const char *what)
{
	if (fine)
		return;
	fprintf(stderr, "fetch_jobs: %s\n", what);
	exit(1);
}

static void must_be_ok(enum result result, const struct fault *fault)
{
	must(result == RESULT_OK, fault->what);
}

/* --- workers: the real ones, counted --- */

static enum result start_worker(void *context, enum worker_kind kind, struct identity *identity,
                                const struct report_sink *sink, struct worker **ret_worker, struct fault *fault)
{
	struct scene *scene = context;
	enum result result = scene->real.start(scene->real.context, kind, identity, sink, ret_worker, fault);

	if (result == RESULT_OK && kind == WORKER_NETWORK) {
		must(scene->started < IDENTITIES_MAX, "too many workers for the network");
		scene->network[scene->started++] = *ret_worker;
		scene->running++;
		scene->most = scene->running > scene->most ? scene->running : scene->most;
	}
	return result;
}

static struct scene scene;

static void stop_worker(struct worker *worker)
{
	for (unsigned i = 0; i < scene.started; i++)
		if (scene.network[i] == worker) {
			scene.network[i] = NULL;
			scene.running--;
		}
	scene.real.stop(worker);
}

/* --- jobs, on the engine's thread --- */

static void note_resumed(struct resumption *resumption, enum result result, const struct job_status *status,
                         const struct fault *fault)
{
	(void)status;
	must_be_ok(result, fault);
	free(resumption);
}

static struct identity *lent_as(unsigned number)
{
	for (unsigned i = 0; i < scene.lent_count; i++)
		if (scene.numbers[i] == number)
			return scene.lent[i];
	must(scene.lent_count < IDENTITIES_MAX, "too many identities");
	scene.numbers[scene.lent_count] = number;
	scene.lent[scene.lent_count] = identity_of(number);
	return scene.lent[scene.lent_count++];
}

static void begin_job(const char *message, struct identity *helper)
{
	AUTO(request) struct request request = { 0 };
	const struct caller *owner = identity_caller(scene.owner);
	const struct opener opener = { *owner, ACCESS_OWNER };
	const struct job_request wanted = { .caller = owner, .request = &request };
	const struct loan loan = { .opener = &opener, .identity = helper };
	struct resumption *resumption = malloc(sizeof(*resumption));
	struct job_status status;
	struct loan_terms terms;
	struct fault fault = { .what = "" };
	bool created;

	must(resumption != NULL && scene.left_count < JOBS_MAX, "too many jobs");
	must_be_ok(request_decode(text_view(message), &request, &fault), &fault);
	must_be_ok(engine_job_create(scene.engine, &wanted, &status, &created, &fault), &fault);
	int64_t row = status.job.row;
	must_be_ok(engine_helper_set_flags(scene.engine, row, &opener, HELPER_NETWORK, &status, &fault), &fault);
	must_be_ok(engine_helper_set(scene.engine, row, &loan, &terms, &status, &fault), &fault);
	scene.left[scene.left_count++] = row;
	resumption->answer = note_resumed;
	engine_job_resume(scene.engine, row, resumption);
}

static void begin_jobs(struct letter *letter, void *engine)
{
	(void)letter;
	if (engine == NULL)
		return;
	engine_owner_present(engine, scene.owner);
	for (char *line = scene.jobs, *end; *line != '\0'; line = end) {
		end = strchr(line, '\n');
		char *tab = strchr(line, '\t');
		must(end != NULL && tab != NULL && tab < end, "jobs: a line without a tab or an end");
		*end++ = '\0';
		begin_job(tab + 1, lent_as((unsigned)strtoul(line, NULL, 10)));
	}
}

/* Each is over once: it is done, or in ERROR and says why. */
static void watch(void *context, const struct job_status *status)
{
	const struct job *job = &status->job;
	unsigned i = 0;

	(void)context;
	while (i < scene.left_count && scene.left[i] != job->row)
		i++;
	if (i == scene.left_count || (job->state != JOB_ERROR && job->state != JOB_ACKNOWLEDGED))
		return;
	if (job->state == JOB_ERROR) {
		fprintf(stderr, "%s: %s\n", job->properties.name, job->error.what);
		scene.failed++;
	}
	scene.left[i] = scene.left[--scene.left_count];
	if (scene.left_count == 0)
		engine_stop(scene.engine);
}

static void overlook(void *context, const struct job_status *status)
{
	(void)context, (void)status;
}

/* --- the world around --- */

static void read_text(const char *folder, const char *name, struct buffer *text)
{
	char path[GROUND_PATH_BYTES_MAX];
	struct fault fault = { .what = "" };

	ground_path(path, folder, name);
	must_be_ok(file_read_all(path, text, &fault), &fault);
}

static void run(const char *folder)
{
	const struct events_settings log = { folder, 1 << 24, 2, false };
	const struct worker_settings workers = {
		.transfer = { .checkpoint_bytes = scene.settings.transfer_checkpoint_bytes,
		              .connect_timeout_ms = (uint32_t)scene.settings.transfer_connect_timeout_ms,
		              .stall_timeout_s = (uint32_t)scene.settings.transfer_stall_timeout_s,
		              .connections_per_host_max = (uint32_t)scene.settings.transfer_connections_per_host_max,
		              .connections_max = (uint32_t)scene.settings.transfer_files_active_max },
	};
	const struct engine_watcher watcher = { .changed = watch, .progress = overlook };
	AUTO(store) struct store *store = NULL;
	AUTO(events) struct events *events = NULL;
	char database[GROUND_PATH_BYTES_MAX];
	struct fault fault = { .what = "" };

	scene.real = worker_real_ops(&workers);
	ground_path(database, folder, "queue.sqlite3");
	must_be_ok(store_open(database, &store, &fault), &fault);
	must_be_ok(events_open(&log, clock_system(), &events, &fault), &fault);
	const struct engine_parts parts = { .store = store, .events = events, .settings = &scene.settings,
		                                .clock = clock_system(), .random = identity_random,
		                                .path_style = file_path_style, .version = "test",
		                                .queue_mark = "5ea5ea5ea5ea5ea5",
		                                .workers = { start_worker, scene.real.order, stop_worker, &scene } };
	must_be_ok(engine_new(&parts, &scene.engine, &fault), &fault);
	engine_watch(scene.engine, &watcher);
	scene.letter.deliver = begin_jobs;
	engine_post(scene.engine, &scene.letter);
	engine_run(scene.engine);
	engine_free(scene.engine);
}

int main(int argc, char **argv)
{
	AUTO(buffer) struct buffer configuration = BUFFER(TEXT_BYTES_MAX);
	AUTO(buffer) struct buffer jobs = BUFFER(TEXT_BYTES_MAX);
	struct fault fault = { .what = "" };
	static struct settings_errors errors;

	must(argc == 3, "FOLDER OWNER");
	must_be_ok(transfer_global_init(&fault), &fault); /* before anybody is somebody else */
	read_text(argv[1], "ferry.jsonc", &configuration);
	read_text(argv[1], "jobs", &jobs);
	scene.jobs = jobs.bytes;
	settings_default(&scene.settings);
	must(settings_read((struct text_view){ configuration.bytes, configuration.length },
	                   &(struct settings_source){ SETTINGS_FILE, "ferry.jsonc", "ferry.jsonc" }, &scene.settings, &errors) == RESULT_OK,
	     errors.lines);
	unsigned owner = (unsigned)strtoul(argv[2], NULL, 10);
	if (owner == 0)
		must_be_ok(identity_self(&scene.owner, &fault), &fault);
	else
		scene.owner = identity_of(owner);
	run(argv[1]);
	printf("network workers: %u started, %u at once; jobs: %u failed\n", scene.started, scene.most, scene.failed);
	for (unsigned i = 0; i < scene.lent_count; i++)
		identity_free(scene.lent[i]);
	identity_free(scene.owner);
	return scene.failed > 0;
}
