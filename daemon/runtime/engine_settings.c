/* runtime/engine: the configuration, read again while the service runs.
 *
 * That happens in a turn, on the thread of all who read the settings, so that they hold at once and for everybody.  What runs
 * keeps its slot and its tokens, but where somebody else is to serve it now.  Nothing of it is stored: a turn that is undone
 * takes none of it back.
 */
#include "runtime/engine_private.h"

#include <string.h>

/* Workers have these from their start on: who runs keeps his, and gets new ones with the next slot. */
static bool workers_differ(const struct settings *a, const struct settings *b)
{
	return a->transfer_checkpoint_bytes != b->transfer_checkpoint_bytes ||
	       a->transfer_connections_per_host_max != b->transfer_connections_per_host_max ||
	       a->transfer_files_active_max != b->transfer_files_active_max ||
	       a->transfer_connect_timeout_ms != b->transfer_connect_timeout_ms ||
	       a->transfer_stall_timeout_s != b->transfer_stall_timeout_s || a->tls_version_min != b->tls_version_min ||
	       a->tls_revocation != b->tls_revocation || memcmp(&a->tls_pins, &b->tls_pins, sizeof(a->tls_pins)) != 0 ||
	       a->tls_ca_files.count + b->tls_ca_files.count > 0 || /* the files themselves may be others */
	       memcmp(&a->authentication_implicit_servers, &b->authentication_implicit_servers,
	              sizeof(a->authentication_implicit_servers)) != 0 ||
	       memcmp(&a->authentication_implicit_proxies, &b->authentication_implicit_proxies,
	              sizeof(a->authentication_implicit_proxies)) != 0 ||
	       memcmp(&a->authentication_ntlm, &b->authentication_ntlm, sizeof(a->authentication_ntlm)) != 0 ||
	       memcmp(&a->authentication_basic_in_clear, &b->authentication_basic_in_clear,
	              sizeof(a->authentication_basic_in_clear)) != 0;
}

/* Somebody else may be to serve it now, or the service may not write there any more. */
static void review(struct engine *engine, struct active *active)
{
	struct job job;

	if (active->winding || engine->broken.result != RESULT_OK || !engine_load_job(engine, active->row, &job))
		return;

	enum job_state from = job.state;

	engine_identities_changed(engine, &job);
	if (active->stale && engine_save_job(engine, &job, from))
		engine_wind_down_stale(engine, &job);
}

static void apply(struct engine *engine)
{
	engine_read_rates(engine);
	engine_review_held(engine);
	engine->forget_at_ms = 0;
	engine->schedule_due = true;
	for (struct active *active = engine->actives, *next; active != NULL; active = next) {
		next = active->next;
		review(engine, active);
	}
}

static void tell(struct deferral *deferral, enum result committed, const struct fault *fault)
{
	const struct reload *reload = (struct reload *)deferral;
	struct events *events = reload->engine->parts.events;

	(void)committed;
	(void)fault;
	if (reload->fault.result == RESULT_OK)
		EVENTS_NOTE(events, EVENT_SETTINGS_RELOADED, reload->change.now, reload->change.later);
	else
		EVENTS_NOTE(events, EVENT_RELOAD_REFUSED, reload->fault.what);
	events_speak(events);
}

static void deliver(struct letter *letter, void *receiver)
{
	struct engine *engine = receiver;
	struct settings wanted;
	struct identity *service = NULL;

	(void)letter;
	if (engine == NULL)
		return;

	struct reload *reload = &engine->reload;
	struct engine_parts *parts = &engine->parts;

	atomic_store(&reload->asked, false); /* before it is read: what changes after that is asked for again */
	reload->fault.result = parts->read_settings(parts->settings_context, &wanted, &service, &reload->fault);
	if (reload->fault.result == RESULT_OK) {
		if (workers_differ(parts->settings, &wanted))
			for (struct crew *crew = engine->crews; crew != NULL; crew = crew->next)
				crew->dead = true;
		settings_take(parts->settings, &wanted, &reload->change);
		parts->service = service;
		apply(engine);
	}
	engine_defer(engine, &reload->told);
}

void engine_reload(struct engine *engine)
{
	if (engine->parts.read_settings != NULL && !atomic_exchange(&engine->reload.asked, true))
		mailbox_post(engine->mailbox, &engine->reload.letter);
}

void engine_begin_settings(struct engine *engine)
{
	engine->reload.engine = engine;
	engine->reload.told.run = tell;
	engine->reload.letter.deliver = deliver;
	atomic_init(&engine->reload.asked, false);
}
