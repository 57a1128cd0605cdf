#include "runtime/engine_private.h"

#include <stdlib.h>
#include <string.h>

#include "core/access.h"
#include "core/destination.h"

static struct job_owner owner_of(const struct identity *identity)
{
	const struct caller *caller = identity_caller(identity);

	return (struct job_owner){ caller->owner, caller->integrity, caller->administrator };
}

struct job_owner engine_owner_of(const struct present *present)
{
	const struct job_owner declarer = { ACCESS_DECLARED_OWNER, INTEGRITY_SYSTEM, false };

	return present->declares ? declarer : owner_of(present->identity);
}

const struct present *engine_present(const struct engine *engine, const struct job_owner *owner)
{
	for (const struct present *present = engine->present; present != NULL; present = present->next) {
		const struct job_owner here = engine_owner_of(present);

		if (here.integrity == owner->integrity && here.elevated == owner->elevated && strcmp(here.sid, owner->sid) == 0)
			return present;
	}
	return NULL;
}

const struct present *engine_present_like(const struct engine *engine, const struct present *present)
{
	const struct job_owner owner = engine_owner_of(present);

	return engine_present(engine, &owner);
}

bool engine_same_identity(const struct identity *a, const struct identity *b)
{
	return memcmp(identity_digest(a), identity_digest(b), IDENTITY_DIGEST_BYTES) == 0;
}

bool engine_is_present(const struct engine *engine, const struct identity *identity)
{
	for (const struct present *present = engine->present; present != NULL; present = present->next)
		if (engine_same_identity(present->identity, identity))
			return true;
	return false;
}

static void present_remove(struct engine *engine, struct present **place)
{
	struct present *present = *place;
	const struct job_owner owner = engine_owner_of(present);

	*place = present->next;
	if (engine_present(engine, &owner) == NULL && !present->declares) {
		engine->absent_since_ms = engine_now(engine);
		EVENTS_NOTE(engine->parts.events, OWNER_ABSENT, .identity = owner.sid);
	}
	engine_identity_gone(engine, present->identity);
	identity_free(present->identity);
	free(present);
}

void engine_owner_present(struct engine *engine, struct identity *identity)
{
	const struct caller *caller = identity_caller(identity);
	const struct job_owner owner = owner_of(identity);
	const struct present *known = engine_present(engine, &owner);
	int64_t since_ms = known != NULL ? known->since_ms : engine_mono(engine);

	if (engine_session_is_over(engine, caller->session))
		return; /* a straggler: it would be present for ever */
	struct present **oldest = NULL, **superseded = NULL;
	unsigned count = 0;

	for (struct present **place = &engine->present; *place != NULL; place = &(*place)->next) {
		struct present *present = *place;

		if (present->declares)
			continue;
		if (engine_same_identity(present->identity, identity)) { /* known: it moves to the front */
			*place = present->next;
			present->next = engine->present;
			engine->present = present;
			return;
		}
		count++;
		oldest = place;
		if (engine_present_like(engine, present) != present)
			superseded = place;
	}
	/* First goes what its owner has shown something newer than: who shows many of his own displaces nobody else. */
	if (count >= PRESENT_IDENTITIES_MAX)
		present_remove(engine, superseded != NULL ? superseded : oldest);

	struct present *present = malloc(sizeof(*present));

	if (present == NULL)
		return; /* the owner stays absent, which the job's wait reason says */
	*present = (struct present){ engine->present, identity_hold(identity), since_ms, false };
	engine->present = present;
	engine->schedule_due = true;
	if (known == NULL)
		EVENTS_NOTE(engine->parts.events, OWNER_PRESENT, .identity = caller->owner);
}

void engine_declarer_present(struct engine *engine)
{
	struct identity *service = engine->parts.service;
	const struct job_owner declarer = { ACCESS_DECLARED_OWNER, INTEGRITY_SYSTEM, false };
	struct present *present;

	if (service == NULL || engine_present(engine, &declarer) != NULL || (present = malloc(sizeof(*present))) == NULL)
		return; /* its jobs wait */
	*present = (struct present){ engine->present, identity_hold(service), engine_mono(engine), true };
	engine->present = present;
	engine->schedule_due = true;
}

/* Its workers end as soon as they are free (rule 18). */
static void end_crews(struct engine *engine, const struct identity *identity)
{
	for (struct crew *crew = engine->crews; crew != NULL; crew = crew->next)
		if (engine_same_identity(crew->identity, identity))
			crew->dead = true;
	engine_stop_tries(engine, identity);
}

/* Jobs that run as this identity, as their owner's or the service's, stop and wait; its workers end as soon as they are
 * free. */
static void abandon_identity(struct engine *engine, const struct identity *identity)
{
	struct fault fault;

	(void)!fault_set(&fault, RESULT_IDENTITY_LOST, FAULT_FERRY, 0, "the owner's session ended");
	for (struct active *active = engine->actives, *next; active != NULL; active = next) {
		bool uses = false;

		next = active->next;
		for (unsigned side = 0; side < JOB_SIDE_COUNT; side++)
			uses |= active->crews[side] != NULL && active->as[side] != IDENTITY_HELPER &&
			        engine_same_identity(active->crews[side]->identity, identity);
		/* A turn that is undone drops all that runs anyway. */
		if (!active->winding && uses && engine->broken.result == RESULT_OK)
			active_fail(engine, active, &fault);
	}
	end_crews(engine, identity);
}

void engine_identity_gone(struct engine *engine, const struct identity *identity)
{
	bool service = engine->parts.service != NULL && engine_same_identity(engine->parts.service, identity);

	if (!service && !engine_is_present(engine, identity) && !engine_is_lent(engine, identity))
		end_crews(engine, identity);
}

static bool is_identity(struct engine *engine, const struct lent *lent, const void *identity)
{
	(void)engine;
	return engine_same_identity(lent->identity, identity);
}

void engine_forget_identity(struct engine *engine, struct identity *identity)
{
	AUTO(identity) struct identity *held = identity_hold(identity);

	for (struct present **place = &engine->present; *place != NULL;) {
		if (engine_same_identity((*place)->identity, held))
			present_remove(engine, place);
		else
			place = &(*place)->next;
	}
	if (engine->parts.service != NULL && engine_same_identity(engine->parts.service, held))
		engine->parts.service = NULL; /* jobs that it is to serve wait; their owners' identities were not meant for that */
	engine_drop_tokens(engine, is_identity, held, "it could not be put on");
	abandon_identity(engine, held);
}

bool engine_session_is_over(const struct engine *engine, uint32_t session)
{
	for (size_t i = 0; i < engine->ended_session_count; i++)
		if (engine->ended_sessions[i] == session)
			return true;
	return false;
}

void engine_session_began(struct engine *engine, uint32_t session)
{
	size_t kept = 0;

	for (size_t i = 0; i < engine->ended_session_count; i++)
		if (engine->ended_sessions[i] != session)
			engine->ended_sessions[kept++] = engine->ended_sessions[i];
	engine->ended_session_count = kept;
}

static bool is_of_session(struct engine *engine, const struct lent *lent, const void *session)
{
	(void)engine;
	return identity_caller(lent->identity)->session == *(const uint32_t *)session;
}

/* With the last identity of an owner go all helper tokens of his jobs: docs/bits.md section 17. */
static bool is_of_owner(struct engine *engine, const struct lent *lent, const void *identity)
{
	const struct job_owner gone = owner_of(identity);
	const struct job_owner owner = { lent->owner, lent->owner_integrity, lent->owner_elevated };

	return engine_present(engine, &gone) == NULL && access_is_owner(identity_caller(identity), &owner);
}

void engine_session_ended(struct engine *engine, uint32_t session)
{
	if (session == 0)
		return; /* the services' own: nobody logs off there */
	engine_session_began(engine, session); /* once is enough */
	if (engine->ended_session_count == ENDED_SESSIONS_MAX)
		engine_session_began(engine, engine->ended_sessions[0]);
	engine->ended_sessions[engine->ended_session_count++] = session;
	engine_drop_tokens(engine, is_of_session, &session, "the session it came from ended");
	for (struct present **place = &engine->present; *place != NULL;) {
		if ((*place)->declares || identity_caller((*place)->identity)->session != session) {
			place = &(*place)->next;
			continue;
		}
		AUTO(identity) struct identity *identity = identity_hold((*place)->identity);

		present_remove(engine, place);
		engine_drop_tokens(engine, is_of_owner, identity, "the session of the job's owner ended");
	}
	for (struct crew *crew = engine->crews; crew != NULL; crew = crew->next)
		if (identity_caller(crew->identity)->session == session)
			abandon_identity(engine, crew->identity);
}

/* --- who serves a job --- */

static bool is_listed(const char *owner, const char (*items)[512], uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		if (strcmp(items[i], owner) == 0)
			return true;
	return false;
}

/* Does the configuration let the service serve that side of the owner's jobs (rule 8)? */
static bool service_serves(const struct engine *engine, const char *owner, enum job_side side)
{
	const struct settings *settings = engine->parts.settings;

	if (access_is_declared(owner))
		return true;
	if (side == JOB_SIDE_FILE)
		return is_listed(owner, settings->identity_service_file_owners.items,
		                 settings->identity_service_file_owners.count);
	return is_listed(owner, settings->identity_service_network_owners.items,
	                 settings->identity_service_network_owners.count);
}

bool engine_service_writes(const struct engine *engine, struct text_view path)
{
	const struct settings *settings = engine->parts.settings;

	for (uint32_t i = 0; i < settings->identity_service_file_roots.count; i++)
		if (destination_is_inside(engine->parts.path_style, path,
		                         text_view(settings->identity_service_file_roots.items[i])))
			return true;
	return false;
}

enum identity_choice engine_side(const struct engine *engine, const struct job *job, enum job_side side,
                                 struct identity **ret_identity)
{
	const struct job_owner owner = job_owner(job);
	const struct present *present = engine_present(engine, &owner);
	const struct lent *lent = engine_lent(engine, job->row);
	enum identity_choice choice = job_identity(job, side, service_serves(engine, job->owner, side));

	switch (choice) {
	case IDENTITY_HELPER: *ret_identity = lent != NULL ? lent->identity : NULL; break;
	case IDENTITY_SERVICE: *ret_identity = engine->parts.service; break;
	case IDENTITY_OWNER:
	case IDENTITY_CHOICE_COUNT: *ret_identity = present != NULL ? present->identity : NULL; break;
	}
	return choice;
}

/* --- workers --- */

static const enum worker_kind kinds[JOB_SIDE_COUNT] = { [JOB_SIDE_FILE] = WORKER_FILE, [JOB_SIDE_NETWORK] = WORKER_NETWORK };

void crew_free(struct engine *engine, struct crew **place)
{
	struct crew *crew = *place;

	*place = crew->next;
	for (unsigned kind = 0; kind < WORKER_KIND_COUNT; kind++)
		if (crew->workers[kind] != NULL)
			engine->parts.workers.stop(crew->workers[kind]);
	identity_free(crew->identity);
	crew_forget_proxies(crew);
	free(crew);
}

static unsigned count_workers(const struct crew *crew)
{
	unsigned count = 0;

	for (unsigned kind = 0; kind < WORKER_KIND_COUNT; kind++)
		count += crew->workers[kind] != NULL;
	return count;
}

/* Of the crews that are at work, and of these two. */
static uint64_t count_busy(const struct engine *engine, const struct crew *one, const struct crew *other)
{
	uint64_t count = 0;

	for (const struct crew *crew = engine->crews; crew != NULL; crew = crew->next)
		if (crew->jobs > 0 || crew == one || crew == other)
			count += count_workers(crew);
	return count;
}

static uint64_t count_all(const struct engine *engine)
{
	uint64_t count = 0;

	for (const struct crew *crew = engine->crews; crew != NULL; crew = crew->next)
		count += count_workers(crew);
	return count;
}

/* End the workers without work that were made first, until there is room for one more. */
static bool make_room(struct engine *engine, const struct crew *but)
{
	while (count_all(engine) >= engine->parts.settings->identity_workers_max) {
		struct crew **oldest = NULL;

		for (struct crew **place = &engine->crews; *place != NULL; place = &(*place)->next)
			if (*place != but && (*place)->jobs == 0)
				oldest = place;
		if (oldest == NULL)
			return false;
		crew_free(engine, oldest);
	}
	return true;
}

static bool has_answers(const struct crew *crew, struct answers answers)
{
	return crew->answers.implicit == answers.implicit && crew->answers.row == answers.row;
}

static struct crew *crew_find(const struct engine *engine, const struct identity *identity, struct answers answers)
{
	struct crew *crew = engine->crews;

	while (crew != NULL &&
	       (crew->dead || !has_answers(crew, answers) || !engine_same_identity(crew->identity, identity)))
		crew = crew->next;
	return crew;
}

struct worker *crew_worker(const struct crew *crew, enum job_side side)
{
	return crew->workers[kinds[side]];
}

/* Of the crew, which may be still to be made.  NULL: there is no room (RESULT_BUSY), or it cannot be. */
static struct worker *start_worker(struct engine *engine, const struct crew *crew, struct identity *identity,
                                   enum worker_kind kind, struct fault *fault)
{
	const struct worker_ops *ops = &engine->parts.workers;
	struct worker *worker = NULL;

	if (!make_room(engine, crew)) {
		(void)!fault_set(fault, RESULT_BUSY, FAULT_FERRY, 0, "identity.workers_max is %llu",
		                 (unsigned long long)engine->parts.settings->identity_workers_max);
		return NULL;
	}
	return ops->start(ops->context, kind, identity, &engine->sink, &worker, fault) == RESULT_OK ? worker : NULL;
}

static struct worker *further_worker(struct engine *engine, struct crew *crew, enum worker_kind kind, struct fault *fault)
{
	if (crew->workers[kind] == NULL)
		crew->workers[kind] = start_worker(engine, crew, crew->identity, kind, fault);
	if (crew->workers[kind] == NULL && fault->result == RESULT_BUSY)
		fault->result = RESULT_NO_WORKER; /* its job runs, so it cannot wait for one like those that do not */
	return crew->workers[kind];
}

struct worker *crew_share_worker(struct engine *engine, struct crew *crew, struct fault *fault)
{
	return further_worker(engine, crew, WORKER_SHARE, fault);
}

struct worker *crew_proxy_worker(struct engine *engine, struct crew *crew, struct fault *fault)
{
	return further_worker(engine, crew, WORKER_PROXY, fault);
}

struct crew *crew_get(struct engine *engine, struct identity *identity, enum job_side side, struct answers answers,
                      struct fault *fault)
{
	struct crew *crew = crew_find(engine, identity, answers);

	if (crew != NULL && crew_worker(crew, side) != NULL) {
		crew->jobs++;
		return crew;
	}
	struct worker *worker = start_worker(engine, crew, identity, kinds[side], fault);

	if (worker == NULL)
		return NULL;
	if (crew == NULL) {
		crew = calloc(1, sizeof(*crew));
		if (crew == NULL) {
			engine->parts.workers.stop(worker);
			(void)!fault_set(fault, RESULT_NO_MEMORY, FAULT_FERRY, 0, "start workers");
			return NULL;
		}
		crew->identity = identity_hold(identity);
		crew->answers = answers;
		crew->checkpoint_bytes = engine->parts.settings->transfer_checkpoint_bytes;
		crew->next = engine->crews;
		engine->crews = crew;
	}
	crew->workers[kinds[side]] = worker;
	crew->jobs++;
	return crew;
}

void crew_release(struct engine *engine, struct crew *crew)
{
	if (crew != NULL && --crew->jobs == 0)
		crew->idle_since_ms = engine_mono(engine);
}

bool engine_has_workers(const struct engine *engine, const struct job *job)
{
	bool sides[JOB_SIDE_COUNT] = { [JOB_SIDE_FILE] = true, [JOB_SIDE_NETWORK] = job->work == JOB_WORK_TRANSFER };
	const struct crew *crews[JOB_SIDE_COUNT] = { NULL };
	uint64_t missing = 0;

	for (unsigned side = 0; side < JOB_SIDE_COUNT; side++) {
		struct identity *identity = NULL;

		if (!sides[side])
			continue;
		if (engine_side(engine, job, (enum job_side)side, &identity) == IDENTITY_SERVICE && identity == NULL)
			return false; /* event 1003 has told why */
		if (identity == NULL)
			continue;
		crews[side] = crew_find(engine, identity, engine_answers(job, (enum job_side)side));
		missing += crews[side] == NULL || crew_worker(crews[side], (enum job_side)side) == NULL;
	}
	return missing + count_busy(engine, crews[JOB_SIDE_FILE], crews[JOB_SIDE_NETWORK]) <=
	       engine->parts.settings->identity_workers_max;
}

int64_t crew_end_idle(struct engine *engine)
{
	int64_t keep_ms = (int64_t)engine->parts.settings->worker_idle_s * 1000;
	int64_t due = INT64_MAX, mono = engine_mono(engine);
	unsigned idle = 0;

	for (struct crew **place = &engine->crews; *place != NULL;) {
		struct crew *crew = *place;

		if (crew->jobs == 0 &&
		    (crew->dead || mono - crew->idle_since_ms >= keep_ms || ++idle > IDLE_CREWS_MAX)) {
			crew_free(engine, place);
			continue;
		}
		if (crew->jobs == 0 && crew->idle_since_ms + keep_ms < due)
			due = crew->idle_since_ms + keep_ms;
		place = &crew->next;
	}
	return due;
}
