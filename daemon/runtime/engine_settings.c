/* runtime/engine: the configuration, read again while the service runs.
 *
 * That happens in a turn, on the thread of all who read the settings, so that they hold at once and for everybody.  What runs
 * keeps its slot and its tokens, but where somebody else is to serve it now.  Nothing of it is stored: a turn that is undone
 * takes none of it back.
 */
#include "runtime/engine_private.h"

#include <stdlib.h>
#include <string.h>

/* A file that somebody holds, or that is written just now, is told of as a change, and its end is not. */
#define AGAIN_MS 60000

/* Workers have these from their start on: who runs keeps his, and gets new ones with the next slot. */
static bool workers_differ(const struct settings *a, const struct settings *b, bool trust_differs)
{
	static const enum setting_key keys[] = {
		SETTING_KEY_transfer_checkpoint_bytes, SETTING_KEY_transfer_connections_per_host_max,
		SETTING_KEY_transfer_files_active_max, SETTING_KEY_transfer_connect_timeout_ms,
		SETTING_KEY_transfer_stall_timeout_s, SETTING_KEY_tls_version_min, SETTING_KEY_tls_revocation, SETTING_KEY_tls_pins,
		SETTING_KEY_authentication_implicit_servers, SETTING_KEY_authentication_implicit_proxies,
		SETTING_KEY_authentication_ntlm, SETTING_KEY_authentication_basic_in_clear,
		SETTING_KEY_authentication_schemes,
	};
	bool differ = trust_differs; /* tls.ca_files may name the same files, and these hold something else */

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		differ |= !settings_same(a, b, keys[i]);
	return differ;
}

/* What runs must not go on with what is not allowed any more. */
static bool allow_differently(const struct settings *a, const struct settings *b)
{
	bool servers = b->allow_hosts.count > 0 || b->allow_urls.count > 0;

	return !settings_same(a, b, SETTING_KEY_allow_hosts) || !settings_same(a, b, SETTING_KEY_allow_urls) ||
	       (servers && !settings_same(a, b, SETTING_KEY_proxy_table)) || /* which names proxies that may answer */
	       !settings_same(a, b, SETTING_KEY_allow_schemes) ||
	       !settings_same(a, b, SETTING_KEY_allow_destinations);
}

/* Somebody else may be to serve it now, the service may not write there any more, or nobody may. */
static void review(struct engine *engine, struct active *active, bool anew)
{
	struct job job;

	if (active->winding || engine->broken.result != RESULT_OK || !engine_load_job(engine, active->row, &job))
		return;

	enum job_state from = job.state;

	active->route_changed |= anew;
	engine_identities_changed(engine, &job);
	if (active->stale && engine_save_job(engine, &job, from))
		engine_wind_down_stale(engine, &job);
}

/* What may be wrong with servers' certificates goes along with each order, and an order lasts as long as its file: who has one by
 * the old list begins again. */
static void take_back_what_is_ignored(struct engine *engine)
{
	for (struct active *active = engine->actives; active != NULL; active = active->next)
		if (active->work == JOB_WORK_TRANSFER && active->tls_ignore != 0)
			active->route_changed = true;
}

static void apply(struct engine *engine, bool anew)
{
	engine_read_rates(engine);
	engine_review_held(engine);
	engine->forget_at_ms = engine->metrics_at_ms = 0;
	engine->schedule_due = true;
	for (struct active *active = engine->actives, *next; active != NULL; active = next) {
		next = active->next;
		review(engine, active, anew);
	}
}

static void tell(struct deferral *deferral, enum result committed, const struct fault *fault)
{
	const struct reload *reload = (struct reload *)deferral;
	struct events *events = reload->engine->parts.events;
	char why[SETTINGS_ERRORS_SHOWN_BYTES];

	(void)committed;
	(void)fault;
	settings_errors_show(&reload->errors, why, sizeof(why));
	if (!reload->silent && reload->errors.count > 0)
		EVENTS_NOTE(events, RELOAD_REFUSED, .why = why);
	else if (!reload->silent)
		EVENTS_NOTE(events, SETTINGS_RELOADED, .now = reload->change.now, .later = reload->change.later);
	events_speak(events);
}

static void take(struct engine *engine, const struct settings_read *read)
{
	struct engine_parts *parts = &engine->parts;
	const struct settings *wanted = &read->settings;

	bool anew = allow_differently(parts->settings, wanted);

	if (anew || workers_differ(parts->settings, wanted, read->trust_differs))
		for (struct crew *crew = engine->crews; crew != NULL; crew = crew->next)
			crew->dead = true;
	if (!settings_same(parts->settings, wanted, SETTING_KEY_tls_may_ignore))
		take_back_what_is_ignored(engine);
	settings_take(parts->settings, wanted, &engine->reload.change);
	parts->service = read->service;
	engine_declarer_present(engine);
	apply(engine, anew);
	if (anew)
		engine_review_tries(engine);
}

/* What nobody asked for is told if it is another news. */
static void read_anew(struct engine *engine, bool asked)
{
	struct reload *reload = &engine->reload;
	const struct engine_parts *parts = &engine->parts;
	const struct settings_errors before = reload->errors;
	struct settings_read read = { .service = NULL };

	reload->errors.count = 0;
	reload->change = (struct settings_change){ .any = false };
	if (parts->read_settings(parts->settings_context, asked, &read, &reload->errors) == RESULT_OK) {
		take(engine, &read);
		reload->good_ms = engine_now(engine);
		reload->again_at_ms = INT64_MAX;
		reload->silent = !asked && !reload->change.any;
	} else {
		if (!asked)
			reload->again_at_ms = engine_mono(engine) + AGAIN_MS;
		reload->silent = !asked && before.count == reload->errors.count && strcmp(before.lines, reload->errors.lines) == 0;
	}
}

static void deliver(struct letter *letter, void *receiver)
{
	struct engine *engine = receiver;

	(void)letter;
	if (engine == NULL)
		return;

	struct reload *reload = &engine->reload;

	atomic_store(&reload->sent, false); /* before it is read: what changes after that is asked for again */
	read_anew(engine, atomic_exchange(&reload->asked, false));
	engine_declare_changed(engine);
	while (reload->questions != NULL) {
		struct reload_question *question = reload->questions;

		reload->questions = question->next;
		question->answer(question, &reload->change, &reload->errors);
	}
	engine_defer(engine, &reload->told);
}

void engine_reload(struct engine *engine, bool asked)
{
	if (asked)
		atomic_store(&engine->reload.asked, true);
	if (engine->parts.read_settings != NULL && !atomic_exchange(&engine->reload.sent, true))
		mailbox_post(engine->mailbox, &engine->reload.letter);
}

int64_t engine_tend_settings(struct engine *engine)
{
	struct reload *reload = &engine->reload;

	if (engine_mono(engine) >= reload->again_at_ms) {
		reload->again_at_ms = INT64_MAX;
		engine_reload(engine, false);
	}
	return reload->again_at_ms;
}

void engine_reload_for(struct engine *engine, struct reload_question *question)
{
	question->next = engine->reload.questions;
	engine->reload.questions = question;
	engine_reload(engine, true);
}

void engine_begin_settings(struct engine *engine)
{
	engine->reload.engine = engine;
	if (engine->parts.settings_errors != NULL)
		engine->reload.errors = *engine->parts.settings_errors;
	else
		engine->reload.good_ms = engine->started_ms;
	engine->reload.again_at_ms = INT64_MAX;
	engine->reload.told.run = tell;
	engine->reload.letter.deliver = deliver;
	atomic_init(&engine->reload.sent, false);
	atomic_init(&engine->reload.asked, false);
}

void engine_end_settings(struct engine *engine)
{
	while (engine->reload.questions != NULL) {
		struct reload_question *question = engine->reload.questions;

		engine->reload.questions = question->next;
		free(question);
	}
}
