#include "world.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>
#include <cmocka.h>

#include "platform/file.h"
#include "runtime/engine_private.h"
#include "scratch.h"

/* An order that waits for its answer; a fetch stays until it is whole, stopped or failed. */
struct pending {
	struct pending *next;
	struct order *order;
	struct worker *worker;
	bool answered, stopped;
};

struct worker {
	struct worker *next;
	struct world *world;
	enum worker_kind kind;
	struct report_sink sink;
	struct pending *pending;
};

uint64_t world_random(struct world *world, uint64_t below)
{
	world->seed ^= world->seed << 13; /* xorshift64: Marsaglia 2003 */
	world->seed ^= world->seed >> 7;
	world->seed ^= world->seed << 17;
	return world->seed % below;
}

static struct world_file *file_of(struct world *world, const struct file *file)
{
	const char *number = strrchr(file->url, '/');

	assert_non_null(number);
	return &world->files[strtoul(number + 1, NULL, 10) % WORLD_FILES_MAX];
}

static void wrong(struct world *world, const char *what, const struct file *file)
{
	fprintf(stderr, "wrong: %s: %s\n", what, file->url);
	world->wrong = true;
}

/* --- made-up workers --- */

static enum result start_worker(void *context, enum worker_kind kind, struct identity *identity,
                                const struct report_sink *sink, struct worker **ret_worker, struct fault *fault)
{
	struct world *world = context;
	struct worker *worker = calloc(1, sizeof(*worker));

	(void)identity;
	(void)fault;
	assert_non_null(worker);
	worker->world = world;
	worker->kind = kind;
	worker->sink = *sink;
	worker->next = world->workers;
	world->workers = worker;
	*ret_worker = worker;
	return RESULT_OK;
}

static void give_order(struct worker *worker, struct order *order)
{
	struct pending **end = &worker->pending, *pending;

	if (order->kind == ORDER_STOP || order->kind == ORDER_RECORDED) {
		for (pending = worker->pending; pending != NULL; pending = pending->next)
			if (pending->order->flight == order->flight && order->kind == ORDER_STOP)
				pending->stopped = true;
		free(order);
		return;
	}
	pending = calloc(1, sizeof(*pending));
	assert_non_null(pending);
	pending->order = order;
	pending->worker = worker;
	while (*end != NULL)
		end = &(*end)->next;
	*end = pending;
}

static bool consumes_handle(const struct order *order)
{
	return order->kind == ORDER_CLOSE || order->kind == ORDER_FINISH;
}

static void stop_worker(struct worker *worker)
{
	struct worker **place = &worker->world->workers;

	while (*place != worker)
		place = &(*place)->next;
	*place = worker->next;
	while (worker->pending != NULL) {
		struct pending *pending = worker->pending;

		worker->pending = pending->next;
		if (consumes_handle(pending->order))
			file_handle_free(pending->order->handle);
		order_free(pending->order);
		free(pending);
	}
	free(worker);
}

static struct report *new_report(const struct pending *pending, enum report_kind kind)
{
	struct report *report = calloc(1, sizeof(*report));

	assert_non_null(report);
	report->kind = kind;
	report->order = pending->order->kind;
	report->worker = pending->worker;
	report->flight = pending->order->flight;
	return report;
}

static void finish(struct pending *pending, struct report *report)
{
	struct worker *worker = pending->worker;
	struct pending **place = &worker->pending;

	while (*place != pending)
		place = &(*place)->next;
	*place = pending->next;
	order_free(pending->order);
	free(pending);
	worker->sink.post(worker->sink.context, report);
}

static struct file_handle *open_handle(const struct world *world, uint64_t flight)
{
	struct file_handle *handle = NULL;
	struct fault fault = { 0 };
	char path[600];

	snprintf(path, sizeof(path), "%s%cflight-%" PRIu64, world->folder, file_path_style == PATH_WINDOWS ? '\\' : '/',
	         flight);
	if (file_open_append(path, &handle, &fault) != RESULT_OK)
		fail_msg("%s: %s", path, fault.what);
	return handle;
}

/* What lies in the folder /sim: an orphan, where the test put one, and every partial file that was written to. */
static void answer_list(struct world *world, const struct order *order, struct report *report)
{
	report->names = BUFFER(65536);
	for (unsigned i = 0; i < world->lying_count; i++)
		assert_int_equal(buffer_append(&report->names, world->lying[i], strlen(world->lying[i]) + 1), RESULT_OK);
	assert_string_equal(order->list.bytes, ".ferry-5ea5ea5ea5ea5ea5-");
}

static void answer_check(struct world *world, const struct order *order, struct report *report)
{
	const char *path = order->list.bytes, *end = path + order->list.length;

	for (report->bytes = 0; path < end; path += strlen(path) + 1, report->bytes++)
		if (strcmp(path, world->denied) == 0) {
			report->result = fault_set(&report->fault, RESULT_DENIED, FAULT_FERRY, 0, "%s", path);
			return;
		}
}

static void answer_sweep(struct world *world, const struct order *order, struct report *report)
{
	const char *name = order->list.bytes, *end = name + order->list.length;

	for (report->bytes = 0; name < end; name += strlen(name) + 1)
		for (unsigned i = 0; i < world->lying_count; i++)
			if (strcmp(world->lying[i], name) == 0) {
				memcpy(world->lying[i], world->lying[--world->lying_count], sizeof(world->lying[i]));
				report->bytes++;
			}
}

static void answer_file_order(struct pending *pending)
{
	struct world *world = pending->worker->world;
	const struct order *order = pending->order;
	struct world_file *file = order->file.url[0] != '\0' ? file_of(world, &order->file) : NULL;
	struct report *report = new_report(pending, REPORT_DONE);

	report->bytes = order->bytes;
	if (order->kind == ORDER_CHECK) {
		answer_check(world, order, report);
	} else if (order->kind == ORDER_LIST) {
		answer_list(world, order, report);
	} else if (order->kind == ORDER_SWEEP) {
		answer_sweep(world, order, report);
	} else if (order->kind == ORDER_OPEN) {
		if (file->synced < order->file.bytes_recorded)
			wrong(world, "recorded more than is on disk", &order->file);
		if (file->exchanged && order->file.tag[0] != '\0') {
			report->result = fault_set(&report->fault, RESULT_FILE_CHANGED, FAULT_FERRY, 0, "made up");
			finish(pending, report);
			return;
		}
		report->bytes = order->file.bytes_recorded;
		file->written = file->written < report->bytes ? report->bytes : file->written;
		(void)!text_copy(report->tag, sizeof(report->tag), text_view("tag"));
		if (world->real_handles)
			report->handle = open_handle(world, order->flight);
	} else if (order->kind == ORDER_SYNC || order->kind == ORDER_CLOSE || order->kind == ORDER_FINISH) {
		if (order->bytes > file->written)
			wrong(world, "synced more than was written", &order->file);
		if (file->fail_next_sync) {
			file->fail_next_sync = false;
			file->lost = true;
			report->result = fault_set(&report->fault, RESULT_IO_FAILED, FAULT_FERRY, 0, "made up");
		}
		if (!file->lost)
			file->synced = file->written;
	} else if (order->kind == ORDER_PUBLISH) {
		if (file->synced != file->size)
			wrong(world, "published before it was whole", &order->file);
		file->published++;
	} else if (order->kind == ORDER_ABANDON && file->held) {
		report->result = fault_set(&report->fault, RESULT_LOCKED, FAULT_FERRY, 0, "made up");
	} else if (order->kind == ORDER_ABANDON) {
		file->written = file->synced = 0;
	}
	if (consumes_handle(order))
		file_handle_free(order->handle);
	finish(pending, report);
}

static void advance_fetch(struct pending *pending)
{
	struct world *world = pending->worker->world;
	struct world_file *file = file_of(world, &pending->order->file);
	struct report *report;

	if (!pending->answered) {
		pending->answered = true;
		file->lost = false; /* what was lost is written again */
		file->written = pending->order->file.bytes_recorded;
		report = new_report(pending, REPORT_ANSWERED);
		report->bytes = file->written;
		report->bytes_total = file->size;
		pending->worker->sink.post(pending->worker->sink.context, report);
		return;
	}
	if (!pending->stopped && file->fail_next_fetch == RESULT_OK && file->written < file->size) {
		uint64_t some = 1 + world_random(world, file->size - file->written);

		file->written += some;
		file->fetched += some;
		report = new_report(pending, REPORT_WRITTEN);
		report->bytes = file->written;
		pending->worker->sink.post(pending->worker->sink.context, report);
		return;
	}
	report = new_report(pending, REPORT_DONE);
	report->bytes = file->written;
	report->result = pending->stopped && file->written < file->size ? RESULT_CANCELLED : file->fail_next_fetch;
	(void)!fault_set(&report->fault, report->result, FAULT_FERRY, 0, "made up");
	file->fail_next_fetch = RESULT_OK;
	finish(pending, report);
}

/* A file worker answers in the order it was told; of the fetches any one may get on. */
static struct pending *choose(struct world *world)
{
	struct pending *chosen = NULL;
	uint64_t seen = 0;

	for (struct worker *worker = world->workers; worker != NULL; worker = worker->next) {
		for (struct pending *pending = worker->pending; pending != NULL; pending = pending->next) {
			if (worker->kind == WORKER_NETWORK && !pending->stopped && file_of(world, &pending->order->file)->stuck)
				continue;
			if (world_random(world, ++seen) == 0)
				chosen = pending;
			if (worker->kind == WORKER_FILE)
				break;
		}
	}
	return chosen;
}

/* --- made-up clock and chance --- */

static int64_t wall_ms(void *context)
{
	return ((struct world *)context)->wall_ms;
}

static int64_t mono_ms(void *context)
{
	return ((struct world *)context)->mono_ms;
}

static struct world *random_world; /* the engine's random source has no context: it is the system's */

static enum result made_up_random(void *bytes, size_t size, struct fault *fault)
{
	unsigned char *to = bytes;

	(void)fault;
	for (size_t i = 0; i < size; i++)
		to[i] = (unsigned char)world_random(random_world, 256);
	return RESULT_OK;
}

/* --- beginning, crashing, ending --- */

static void start(struct world *world)
{
	struct events_settings events = { world->folder, 1 << 20, 2, false };
	struct clock clock = { wall_ms, mono_ms, world };
	struct fault fault = { 0 };

	random_world = world;
	assert_int_equal(store_open(world->database, &world->store, &fault), RESULT_OK);
	assert_int_equal(events_open(&events, clock, &world->events, &fault), RESULT_OK);
	world->parts = (struct engine_parts){ .store = world->store, .events = world->events,
		                              .settings = &world->settings, .clock = clock,
		                              .random = made_up_random, .path_style = PATH_POSIX, .version = "sim",
		                              .queue_mark = "5ea5ea5ea5ea5ea5",
		                              .workers = { start_worker, give_order, stop_worker, world } };
	assert_int_equal(engine_new(&world->parts, &world->engine, &fault), RESULT_OK);
	(void)engine_turn(world->engine);
}

static void stop(struct world *world)
{
	engine_free(world->engine);
	store_free(world->store);
	events_free(world->events);
	world->engine = NULL;
	if (world->resumed == WORLD_NO_ANSWER) /* the client sees its connection end */
		world->resumed = RESULT_NOT_RUNNING;
}

void world_begin(struct world *world, uint64_t seed)
{
	struct fault fault = { 0 };

	*world = (struct world){ .seed = seed * 2 + 1, .wall_ms = 1795000000000, .mono_ms = 1000, .denied = "" };
	settings_default(&world->settings);
	world->settings.transfer_checkpoint_bytes = 1000;
	for (unsigned i = 0; i < WORLD_FILES_MAX; i++)
		world->files[i].size = i % 7 == 0 ? 20000 + i : 1 + i;
	scratch_make(world->folder, sizeof(world->folder));
	snprintf(world->database, sizeof(world->database), "%s/queue.sqlite3", world->folder);
	assert_int_equal(identity_self(&world->identity, &fault), RESULT_OK);
	start(world);
}

void world_end(struct world *world)
{
	stop(world);
	identity_free(world->identity);
	scratch_remove(world->folder);
}

void world_crash(struct world *world)
{
	stop(world);
	for (unsigned i = 0; i < WORLD_FILES_MAX; i++)
		world->files[i].written = world->files[i].synced;
	start(world);
}

/* --- what clients would do --- */

struct deed {
	struct letter letter;
	struct world *world;
	void (*act)(struct world *world, struct engine *engine);
};

static void deliver_deed(struct letter *letter, void *receiver)
{
	struct deed *deed = (struct deed *)letter;

	if (receiver != NULL)
		deed->act(deed->world, receiver);
}

static void perform(struct world *world, void (*act)(struct world *world, struct engine *engine))
{
	struct deed deed = { { .deliver = deliver_deed }, world, act };

	engine_post(world->engine, &deed.letter);
	(void)engine_turn(world->engine);
}

static void say_hello(struct world *world, struct engine *engine)
{
	engine_owner_present(engine, world->identity);
}

void world_hello(struct world *world)
{
	perform(world, say_hello);
}

/* A client that waits for the answer to its resume, which comes after the commit. */
struct granting {
	struct resumption resumption;
	struct deferral deferral;
	struct world *world;
	enum result result;
};

static void let_out_answer(struct deferral *deferral, enum result committed, const struct fault *fault)
{
	struct granting *granting = (struct granting *)((char *)deferral - offsetof(struct granting, deferral));

	(void)fault;
	granting->world->resumed = committed == RESULT_OK ? granting->result : committed;
	free(granting);
}

static void note_answer(struct resumption *resumption, enum result result, const struct job_status *status,
                        const struct fault *fault)
{
	struct granting *granting = (struct granting *)resumption;

	assert_int_equal(status != NULL, result == RESULT_OK);
	granting->result = result;
	memcpy(granting->world->refusal, fault->what, sizeof(granting->world->refusal));
	engine_defer(granting->world->engine, &granting->deferral);
}

static void ask_to_resume(struct world *world, struct engine *engine, int64_t row)
{
	struct granting *granting = calloc(1, sizeof(*granting));

	assert_non_null(granting);
	*granting = (struct granting){ .resumption = { note_answer }, .deferral = { .run = let_out_answer }, .world = world };
	world->resumed = WORLD_NO_ANSWER;
	engine_job_resume(engine, row, &granting->resumption);
}

static char submit_message[65536];
static int64_t submit_row;

static void submit(struct world *world, struct engine *engine)
{
	AUTO(request) struct request request = { 0 };
	struct job_request wanted = { .caller = identity_caller(world->identity), .request = &request };
	struct job_status status;
	struct fault fault = { 0 };
	bool created = false;

	submit_row = -1;
	if (request_decode(text_view(submit_message), &request, &fault) != RESULT_OK)
		fail_msg("submit: %s", fault.what);
	world->resumed = engine_job_create(engine, &wanted, &status, &created, &fault);
	if (world->resumed != RESULT_OK) {
		memcpy(world->refusal, fault.what, sizeof(world->refusal));
		return;
	}
	submit_row = status.job.row;
	ask_to_resume(world, engine, submit_row);
}

int64_t world_submit(struct world *world, uint32_t count, bool auto_complete)
{
	AUTO(buffer) struct buffer text = BUFFER(sizeof(submit_message) - 1);

	assert_int_equal(buffer_print(&text, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"job.create\",\"params\":{"
	                              "\"name\":\"sim\",\"auto_complete\":%s,\"retry_delay_s\":60,\"files\":[",
	                              auto_complete ? "true" : "false"), RESULT_OK);
	for (uint32_t i = 0; i < count; i++)
		assert_int_equal(buffer_print(&text, "%s{\"url\":\"http://sim.test/%" PRIu32 "\",\"path\":\"/sim/%" PRIu32 "\"}",
		                              i == 0 ? "" : ",", i, i), RESULT_OK);
	assert_int_equal(buffer_print(&text, "]}}"), RESULT_OK);
	memcpy(submit_message, text.bytes, text.length + 1);
	perform(world, submit);
	return submit_row;
}

static int64_t resume_row;

static void resume(struct world *world, struct engine *engine)
{
	ask_to_resume(world, engine, resume_row);
}

void world_resume(struct world *world, int64_t row)
{
	resume_row = row;
	perform(world, resume);
}

static void cancel(struct world *world, struct engine *engine)
{
	struct job_status status;
	struct fault fault = { 0 };

	(void)world;
	if (engine_job_cancel(engine, resume_row, &status, &fault) != RESULT_OK)
		fail_msg("cancel: %s", fault.what);
}

void world_cancel(struct world *world, int64_t row)
{
	resume_row = row;
	perform(world, cancel);
}

static struct {
	int64_t row;
	unsigned given;
	const struct job_properties *properties;
} setting;

static void set(struct world *world, struct engine *engine)
{
	struct job_status status;
	struct fault fault = { 0 };

	(void)world;
	if (engine_job_set_properties(engine, setting.row, setting.properties, setting.given, &status, &fault) != RESULT_OK)
		fail_msg("set: %s", fault.what);
}

void world_set(struct world *world, int64_t row, unsigned given, const struct job_properties *properties)
{
	setting.row = row;
	setting.given = given;
	setting.properties = properties;
	perform(world, set);
}

/* --- the passing of things --- */

static void break_turn(struct world *world, struct engine *engine)
{
	struct fault fault;

	(void)world;
	(void)!fault_set(&fault, RESULT_STORE_BUSY, FAULT_FERRY, 0, "made up");
	engine_break(engine, &fault);
}

static void pass_time(struct world *world, int64_t until_ms)
{
	world->wall_ms += until_ms - world->mono_ms;
	world->mono_ms = until_ms;
}

bool world_step(struct world *world)
{
	struct deed breaking = { { .deliver = deliver_deed }, world, break_turn };
	struct pending *pending = choose(world);
	int64_t due;

	if (pending != NULL) {
		if (pending->worker->kind == WORKER_NETWORK)
			advance_fetch(pending);
		else
			answer_file_order(pending);
		world->mono_ms += 1;
		world->wall_ms += 1;
		if (world->break_turn)
			engine_post(world->engine, &breaking.letter);
		world->break_turn = false;
		(void)engine_turn(world->engine);
		return true;
	}
	due = engine_turn(world->engine);
	if (choose(world) != NULL)
		return true;
	if (due == INT64_MAX || due - world->mono_ms > 1800 * 1000) /* only the hourly cleaning is left */
		return false;
	if (due > world->mono_ms)
		pass_time(world, due);
	return true;
}

void world_wait(struct world *world, int64_t seconds)
{
	int64_t until_ms = world->mono_ms + seconds * 1000, due;

	for (;;) {
		due = engine_turn(world->engine);
		while (choose(world) != NULL) {
			(void)world_step(world);
			due = engine_turn(world->engine);
		}
		if (world->mono_ms >= until_ms)
			return;
		pass_time(world, due < until_ms ? due : until_ms);
	}
}

enum job_state world_state(struct world *world, int64_t row)
{
	struct job_status status;
	struct fault fault = { 0 };

	if (engine_job_get(world->engine, row, &status, &fault) != RESULT_OK)
		fail_msg("job %lld: %s", (long long)row, fault.what);
	return status.job.state;
}

unsigned world_events(struct world *world, enum event_id id)
{
	AUTO(buffer) struct buffer log = BUFFER(1 << 24);
	char path[600], wanted[32];
	struct fault fault = { 0 };
	unsigned count = 0;

	snprintf(path, sizeof(path), "%s%cferry.jsonl", world->folder, file_path_style == PATH_WINDOWS ? '\\' : '/');
	snprintf(wanted, sizeof(wanted), "\"id\":%u,", (unsigned)id);
	assert_int_equal(file_read_all(path, &log, &fault), RESULT_OK);
	for (const char *at = log.bytes; at != NULL && (at = strstr(at, wanted)) != NULL; at++)
		count++;
	return count;
}
