#include "runtime/engine_private.h"

#include <stdlib.h>
#include <string.h>

const struct present *engine_present(const struct engine *engine, const char *owner, uint32_t integrity)
{
	for (const struct present *present = engine->present; present != NULL; present = present->next) {
		const struct caller *caller = identity_caller(present->identity);

		if (caller->integrity == integrity && strcmp(caller->owner, owner) == 0)
			return present;
	}
	return NULL;
}

static bool same_digest(const struct identity *a, const struct identity *b)
{
	return memcmp(identity_digest(a), identity_digest(b), IDENTITY_DIGEST_BYTES) == 0;
}

static void present_remove(struct engine *engine, struct present **place)
{
	struct present *present = *place;
	const struct caller *caller = identity_caller(present->identity);

	*place = present->next;
	if (engine_present(engine, caller->owner, caller->integrity) == NULL) {
		engine->absent_since_ms = engine_now(engine);
		EVENTS_NOTE(engine->parts.events, EVENT_OWNER_ABSENT, caller->owner);
	}
	identity_free(present->identity);
	free(present);
}

void engine_owner_present(struct engine *engine, struct identity *identity)
{
	const struct caller *caller = identity_caller(identity);
	bool known = engine_present(engine, caller->owner, caller->integrity) != NULL;

	if (engine_session_is_over(engine, caller->session))
		return; /* a straggler: it would be present for ever */
	struct present **oldest = NULL, **superseded = NULL;
	unsigned count = 0;

	for (struct present **place = &engine->present; *place != NULL; place = &(*place)->next) {
		struct present *present = *place;
		const struct caller *other = identity_caller(present->identity);

		if (same_digest(present->identity, identity)) { /* known: it moves to the front */
			*place = present->next;
			present->next = engine->present;
			engine->present = present;
			return;
		}
		count++;
		oldest = place;
		if (engine_present(engine, other->owner, other->integrity) != present)
			superseded = place;
	}
	/* First goes what its owner has shown something newer than: who shows many of his own displaces nobody else. */
	if (count >= PRESENT_IDENTITIES_MAX)
		present_remove(engine, superseded != NULL ? superseded : oldest);

	struct present *present = malloc(sizeof(*present));

	if (present == NULL)
		return; /* the owner stays absent, which the job's wait reason says */
	*present = (struct present){ .next = engine->present, .identity = identity_hold(identity) };
	engine->present = present;
	engine->schedule_due = true;
	if (!known)
		EVENTS_NOTE(engine->parts.events, EVENT_OWNER_PRESENT, caller->owner);
}

/* Jobs that run as this identity stop and wait; its workers end as soon as they are free. */
static void abandon_identity(struct engine *engine, const struct identity *identity)
{
	struct fault fault;

	(void)!fault_set(&fault, RESULT_IDENTITY_LOST, FAULT_FERRY, 0, "the owner's session ended");
	for (struct active *active = engine->actives, *next; active != NULL; active = next) {
		next = active->next;
		if (!active->winding && same_digest(active->crew->identity, identity))
			active_fail(engine, active, &fault);
	}
	for (struct crew *crew = engine->crews; crew != NULL; crew = crew->next)
		if (same_digest(crew->identity, identity))
			crew->dead = true;
}

void engine_forget_identity(struct engine *engine, struct identity *identity)
{
	AUTO(identity) struct identity *held = identity_hold(identity);

	for (struct present **place = &engine->present; *place != NULL; place = &(*place)->next) {
		if (same_digest((*place)->identity, held)) {
			present_remove(engine, place);
			break;
		}
	}
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

void engine_session_ended(struct engine *engine, uint32_t session)
{
	engine_session_began(engine, session); /* once is enough */
	if (engine->ended_session_count == ENDED_SESSIONS_MAX)
		engine_session_began(engine, engine->ended_sessions[0]);
	engine->ended_sessions[engine->ended_session_count++] = session;
	for (struct present **place = &engine->present; *place != NULL;) {
		if (identity_caller((*place)->identity)->session != session) {
			place = &(*place)->next;
			continue;
		}
		AUTO(identity) struct identity *identity = identity_hold((*place)->identity);

		present_remove(engine, place);
		abandon_identity(engine, identity);
	}
}

/* --- workers --- */

void crew_free(struct engine *engine, struct crew **place)
{
	struct crew *crew = *place;

	*place = crew->next;
	engine->parts.workers.stop(crew->network);
	engine->parts.workers.stop(crew->file);
	identity_free(crew->identity);
	free(crew);
}

struct crew *crew_get(struct engine *engine, struct identity *identity, struct fault *fault)
{
	for (struct crew *crew = engine->crews; crew != NULL; crew = crew->next)
		if (!crew->dead && same_digest(crew->identity, identity))
			return crew;

	struct crew *crew = calloc(1, sizeof(*crew));
	const struct worker_ops *ops = &engine->parts.workers;

	if (crew == NULL) {
		(void)!fault_set(fault, RESULT_NO_MEMORY, FAULT_FERRY, 0, "start workers");
		return NULL;
	}
	if (ops->start(ops->context, WORKER_NETWORK, identity, &engine->sink, &crew->network, fault) != RESULT_OK) {
		free(crew);
		return NULL;
	}
	if (ops->start(ops->context, WORKER_FILE, identity, &engine->sink, &crew->file, fault) != RESULT_OK) {
		ops->stop(crew->network);
		free(crew);
		return NULL;
	}
	crew->identity = identity_hold(identity);
	crew->next = engine->crews;
	engine->crews = crew;
	return crew;
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
