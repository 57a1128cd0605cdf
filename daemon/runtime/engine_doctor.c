/* runtime/engine: what ferry doctor wants to know of the queue and the configuration. */
#include "core/doctor.h"
#include "runtime/engine_private.h"

#define LOOK_MS_MAX 200 /* through the queue's database, in which time nothing else is decided */

struct look {
	struct engine *engine;
	int64_t until_ms;
};

static bool go_on(void *context)
{
	const struct look *look = context;

	return engine_mono(look->engine) < look->until_ms;
}

static void look_at_queue(struct engine *engine, struct doctor_facts *facts)
{
	struct store *store = engine->parts.store;
	struct look look = { engine, engine_mono(engine) + LOOK_MS_MAX };

	facts->trouble = engine->trouble;
	facts->queue.result = store_check(store, go_on, &look, &facts->queue);
	if (facts->queue.result == RESULT_OK)
		facts->queue.result = store_jobs_newest(store, &facts->newest_ms, &facts->queue);
	if (facts->queue.result == RESULT_OK)
		facts->queue.result = store_jobs_count(store, NULL, &facts->jobs, &facts->queue);
}

void engine_examine(struct engine *engine, struct doctor_facts *facts)
{
	const struct settings_errors *errors = &engine->reload.errors;

	facts->now_ms = engine_now(engine);
	look_at_queue(engine, facts);
	facts->settings_good = errors->count == 0;
	settings_errors_show(errors, facts->settings_errors, SETTINGS_ERRORS_SHOWN_BYTES);
	/* Copied, as all facts: they are read on another thread. */
	text_display(facts->unwatched, sizeof(facts->unwatched), "%s", engine->parts.unwatched != NULL ? engine->parts.unwatched : "");
}
