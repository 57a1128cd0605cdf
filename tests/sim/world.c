#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "made_up_identity.h"
#include "platform/file.h"
#include "scratch.h"
#include "world_private.h"

uint64_t world_random(struct world *world, uint64_t below)
{
	world->seed ^= world->seed << 13; /* xorshift64: Marsaglia 2003 */
	world->seed ^= world->seed >> 7;
	world->seed ^= world->seed << 17;
	return world->seed % below;
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

	if (random_world->no_chance)
		return fault_set(fault, RESULT_SYSTEM, FAULT_FERRY, 0, "made up");
	for (size_t i = 0; i < size; i++)
		to[i] = (unsigned char)world_random(random_world, 256);
	return RESULT_OK;
}

static void read_network(struct network_state *ret_state)
{
	*ret_state = random_world->network;
}

static enum result read_settings(void *context, bool asked, struct settings_read *ret_read, struct settings_errors *errors)
{
	struct world *world = context;

	(void)asked;
	if (world->unreadable) {
		settings_error(errors, "line 1, column 1: made up");
		return RESULT_BAD_SETTING;
	}
	*ret_read = (struct settings_read){ world->wanted, world->people[SERVICE], world->trust_differs };
	return RESULT_OK;
}

static enum result read_declared(void *context, bool once_there, struct declared_set *set, struct settings_errors *errors)
{
	struct world *world = context;
	uint32_t before = errors->count;

	if (world->declared_lost && once_there)
		settings_error(errors, "made up");
	for (size_t i = 0; i < sizeof(world->declared) / sizeof(world->declared[0]) && !world->declared_lost && world->declared[i] != NULL; i++) {
		struct declared *declared = NULL;

		if (declare_read(text_view(world->declared[i]), "made up", world->remote ? PATH_WINDOWS : PATH_POSIX, &declared, errors) == RESULT_OK)
			assert_true(declared_set_add(set, declared));
	}
	if (errors->count == before)
		return declared_set_check(set, PATH_POSIX, errors);
	declared_set_done(set);
	return RESULT_BAD_SETTING;
}

static void answer_declare(struct declare_question *question, enum result result, const struct declare_step *steps, size_t count,
                           const struct settings_errors *errors, const struct fault *fault)
{
	struct world *world = random_world;

	(void)errors;
	(void)fault;
	assert_true(count <= sizeof(world->steps) / sizeof(world->steps[0]));
	world->declare_result = result;
	world->step_count = count;
	if (count > 0)
		memcpy(world->steps, steps, count * sizeof(*steps));
	free(question);
}

void world_declare(struct world *world, bool act)
{
	struct declare_question *question = calloc(1, sizeof(*question));

	assert_non_null(question);
	*question = (struct declare_question){ .act = act, .answer = answer_declare };
	world->declare_result = WORLD_NO_ANSWER;
	engine_declare_for(world->engine, question);
	for (unsigned steps = 0; world->declare_result == WORLD_NO_ANSWER; steps++) {
		(void)engine_turn(world->engine);
		(void)world_answer(world);
		assert_true(steps < 20000);
	}
}

struct search {
	const char *name;
	int64_t row;
};

static bool is_of_name(void *context, const struct job *job)
{
	struct search *search = context;

	if (strcmp(job->properties.name, search->name) == 0 && access_is_declared(job->owner))
		search->row = job->row;
	return true;
}

int64_t world_declared_job(struct world *world, const char *name)
{
	struct search search = { name, -1 };
	struct fault fault;

	assert_int_equal(store_jobs_list(world->store, NULL, true, 0, UINT32_MAX, is_of_name, &search, &fault), RESULT_OK);
	return search.row;
}

/* --- made-up secrets --- */

#define SEAL_MASK 0x5A

/* The binding is sealed along: what is another job's does not open. */
static enum result seal(void *context, const char *binding, const void *plain, size_t size, struct buffer *to,
                        struct fault *fault)
{
	const char *bytes = plain;
	enum result result = buffer_append(to, binding, strlen(binding) + 1);

	if (((struct world *)context)->seal_fails)
		return fault_set(fault, RESULT_SEAL_FAILED, FAULT_FERRY, 0, "made up");
	for (size_t i = 0; i < size && result == RESULT_OK; i++)
		result = buffer_append(to, &(char){ (char)(bytes[i] ^ SEAL_MASK) }, 1);
	return result;
}

static enum result unseal(void *context, const char *binding, const void *sealed, size_t size, struct buffer *to,
                          struct fault *fault)
{
	const char *bytes = sealed;
	size_t head = strlen(binding) + 1;
	enum result result = RESULT_OK;

	if (((struct world *)context)->secrets_busy)
		return fault_set(fault, RESULT_SECRET_BUSY, FAULT_FERRY, 0, "made up");
	if (((struct world *)context)->secrets_lost || size < head || memcmp(bytes, binding, head) != 0)
		return fault_set(fault, RESULT_SECRET_UNREADABLE, FAULT_FERRY, 0, "made up");
	for (size_t i = head; i < size && result == RESULT_OK; i++)
		result = buffer_append(to, &(char){ (char)(bytes[i] ^ SEAL_MASK) }, 1);
	return result;
}

void world_reload(struct world *world)
{
	engine_reload(world->engine, true);
	world_break_turn(world);
	(void)engine_turn(world->engine);
}

void world_network(struct world *world, struct network_state now)
{
	world->network = now;
	engine_network_changed(world->engine);
}

/* --- beginning, crashing, ending --- */

#define PLAIN(sid, in) { .owner = sid, .integrity = INTEGRITY_MEDIUM, .session = in, .logon = LOGON_INTERACTIVE, \
	                 .impersonation = true }
static const struct caller people[PERSON_COUNT] = {
	[OWNER] = PLAIN("S-1-5-21-1-1-1-1001", 1),
	[OWNER_AGAIN] = PLAIN("S-1-5-21-1-1-1-1001", 2),
	[NEIGHBOUR] = PLAIN("S-1-5-21-1-1-1-1002", 3),
	[AGENT] = { .owner = "S-1-5-20+S-1-5-80-1-2-3-4-5", .integrity = INTEGRITY_SYSTEM, .logon = LOGON_SERVICE,
	            .impersonation = true },
	[ADMINISTRATOR] = { .owner = "S-1-5-21-1-1-1-500", .integrity = INTEGRITY_HIGH, .session = 4,
	                    .logon = LOGON_INTERACTIVE, .administrator = true, .impersonation = true },
	[HELPER] = PLAIN("S-1-5-21-1-1-1-2001", 5),
	[HELPER_HERE] = PLAIN("S-1-5-21-1-1-1-2001", 1),
	[HELPER_REMOTE] = { .owner = "S-1-5-21-1-1-1-2001", .integrity = INTEGRITY_MEDIUM, .session = 5, .logon = LOGON_NETWORK,
	                    .impersonation = true },
	[HELPER_BATCH] = { .owner = "S-1-5-21-1-1-1-2002", .integrity = INTEGRITY_MEDIUM, .logon = LOGON_BATCH,
	                   .impersonation = true },
	[HELPER_SERVICE] = { .owner = "S-1-5-80-6-7-8-9-10", .integrity = INTEGRITY_SYSTEM, .logon = LOGON_SERVICE,
	                     .impersonation = true },
	[SERVICE] = { .owner = "S-1-5-20", .integrity = INTEGRITY_SYSTEM, .logon = LOGON_SERVICE, .impersonation = true },
};

/* In a zone without summer time, and with the day of Unix time: it began on a Thursday. */
static uint32_t local_minute(void *context, int64_t wall)
{
	(void)context;
	return (uint32_t)((wall / 60000 + 3 * 1440) % RATE_WEEK_MINUTES);
}

static void start(struct world *world)
{
	struct events_settings events = { world->folder, 1 << 20, 2, false };
	struct clock clock = { wall_ms, mono_ms, local_minute, world };
	const struct store_sealer sealer = { seal, unseal, world };
	struct fault fault = { 0 };

	random_world = world;
	assert_int_equal(store_open(world->database, &world->store, &fault), RESULT_OK);
	if (!world->no_seal)
		assert_int_equal(store_seal(world->store, &sealer, &fault), RESULT_OK);
	assert_int_equal(events_open(&events, clock, &world->events, &fault), RESULT_OK);
	world->parts = (struct engine_parts){ .store = world->store, .events = world->events,
		                              .settings = &world->settings, .clock = clock,
		                              .read_settings = read_settings, .read_declared = read_declared, .settings_context = world,
		                              .random = made_up_random, .path_style = world->remote ? PATH_WINDOWS : PATH_POSIX, .version = "sim",
		                              .queue_mark = "5ea5ea5ea5ea5ea5",
		                              .seal = world->no_seal ? NULL : seal, .unseal = world->no_seal ? NULL : unseal, .secrets_context = world,
		                              .asks_for_proxies = world->proxies != NULL, .has_certificates = !world->no_seal,
		                              .read_network = read_network, .workers = world_workers(world), .service = world->people[SERVICE] };
	assert_int_equal(engine_new(&world->parts, &world->engine, &fault), RESULT_OK);
	(void)engine_turn(world->engine);
}

static void stop(struct world *world)
{
	world->ending = true;
	engine_free(world->engine);
	world->ending = false;
	store_free(world->store);
	events_free(world->events);
	world->engine = NULL;
	if (world->resumed == WORLD_NO_ANSWER) /* the client sees its connection end */
		world->resumed = RESULT_NOT_RUNNING;
}

void world_begin(struct world *world, uint64_t seed)
{
	*world = (struct world){ .seed = seed * 2 + 1, .wall_ms = 1795000000000, .mono_ms = 1000, .denied = "",
		                 .preflight_result = WORLD_NO_ANSWER, .tried = WORLD_NO_ANSWER, .network = { .reach = NETWORK_CONNECTED, .ways = 1 } };
	settings_default(&world->settings);
	world->settings.transfer_checkpoint_bytes = 1000;
	for (unsigned i = 0; i < WORLD_FILES_MAX; i++)
		world->files[i].size = i % 7 == 0 ? 20000 + i : 1 + i;
	scratch_make(world->folder, sizeof(world->folder));
	snprintf(world->database, sizeof(world->database), "%s/queue.sqlite3", world->folder);
	for (unsigned i = 0; i < PERSON_COUNT; i++)
		world->people[i] = made_up_identity(&people[i], i + 1);
	start(world);
}

void world_end(struct world *world)
{
	stop(world);
	for (unsigned i = 0; i < PERSON_COUNT; i++)
		identity_free(world->people[i]);
	scratch_remove(world->folder);
}

/* Is the partial file there, and nobody knows its name any more? */
static bool lies_about(struct world *world, const struct world_file *file)
{
	bool known = true;
	struct fault fault = { 0 };

	if (file->partial[0] == '\0' || file->published > 0 || file->abandoned)
		return false;
	for (unsigned i = 0; i < world->lying_count; i++)
		if (strcmp(world->lying[i], file->partial) == 0)
			return false;
	assert_int_equal(store_partial_exists(world->store, file->partial, &known, &fault), RESULT_OK);
	return !known;
}

void world_crash(struct world *world)
{
	stop(world);
	for (unsigned i = 0; i < WORLD_FILES_MAX; i++)
		world->files[i].written = world->files[i].synced;
	start(world);
	for (unsigned i = 0; i < WORLD_FILES_MAX; i++)
		if (lies_about(world, &world->files[i])) {
			assert_true(world->lying_count < sizeof(world->lying) / sizeof(world->lying[0]));
			memcpy(world->lying[world->lying_count++], world->files[i].partial, sizeof(world->lying[0]));
			world->files[i].partial[0] = '\0';
		}
}

/* --- the passing of things --- */

static void break_turn(struct letter *letter, void *engine)
{
	struct fault fault;

	(void)letter;
	(void)!fault_set(&fault, RESULT_STORE_BUSY, FAULT_FERRY, 0, "made up");
	if (engine != NULL)
		engine_break(engine, &fault);
}

static void pass_time(struct world *world, int64_t until_ms)
{
	world->wall_ms += until_ms - world->mono_ms;
	world->mono_ms = until_ms;
}

void world_break_turn(struct world *world)
{
	static struct letter breaking = { .deliver = break_turn };

	if (world->break_turn)
		engine_post(world->engine, &breaking);
	world->break_turn = false;
}

bool world_step(struct world *world)
{
	int64_t due;

	if (world_answer(world)) {
		world->mono_ms += 1;
		world->wall_ms += 1;
		world_break_turn(world);
		(void)engine_turn(world->engine);
		return true;
	}
	due = engine_turn(world->engine);
	if (world_is_at_work(world))
		return true;
	if (due == INT64_MAX || due - world->mono_ms > 1800 * 1000) /* only the hourly cleaning is left */
		return false;
	if (due > world->mono_ms)
		pass_time(world, due);
	return true;
}

void world_settle(struct world *world)
{
	for (unsigned steps = 0; world_step(world); steps++)
		assert_true(steps < 20000);
}

void world_wait(struct world *world, int64_t seconds)
{
	int64_t until_ms = world->mono_ms + seconds * 1000, due;

	for (;;) {
		due = engine_turn(world->engine);
		while (world_is_at_work(world)) {
			(void)world_step(world);
			due = engine_turn(world->engine);
		}
		if (world->mono_ms >= until_ms)
			return;
		pass_time(world, due < until_ms ? due : until_ms);
	}
}

void world_job(struct world *world, int64_t row, struct job_status *ret_status)
{
	struct fault fault = { 0 };

	if (engine_job_get(world->engine, row, ret_status, &fault) != RESULT_OK)
		fail_msg("job %lld: %s", (long long)row, fault.what);
}

enum job_state world_state(struct world *world, int64_t row)
{
	struct job_status status;

	world_job(world, row, &status);
	return status.job.state;
}

bool world_is_lent(const struct world *world, int64_t row)
{
	return engine_lent(world->engine, row) != NULL;
}

void world_check_rest(struct world *world)
{
	const struct engine *engine = world->engine;

	assert_null(engine->actives);
	assert_null(engine->errands);
	assert_int_equal(engine->flight_count, 0);
	for (const struct crew *crew = engine->crews; crew != NULL; crew = crew->next)
		assert_int_equal(crew->jobs, 0);
	for (const struct lent *lent = engine->lent; lent != NULL; lent = lent->next) {
		struct job_status status;

		world_job(world, lent->row, &status);
		/* A sweep that waits for its owner needs it still. */
		assert_false(job_state_is_final(status.job.state) && job_helper_needed(&status.job) == 0);
		assert_false(engine_session_is_over(engine, identity_caller(lent->identity)->session));
	}
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
