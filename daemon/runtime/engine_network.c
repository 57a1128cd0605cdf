/* runtime/engine: the machine's network and power.  Who is held back by them, beside the limits of the rate; and jobs that
 * failed while there was no network, which are tried as soon as it is back.
 *
 * That it is back may be wrong, and may come again and again: the count of a job's attempts stays, and NETWORK_TRIES_MS lie
 * between two such rounds.  The later one is not left out: first an address comes, then names can be resolved.
 */
#include "runtime/engine_private.h"

#define NETWORK_TRIES_MS 30000 /* between two rounds of tries because the network is back */
#define NETWORK_SPREAD_MS 3000 /* those of one round come within that, or all machines of a place would ask at once */

void engine_review_held(struct engine *engine)
{
	const struct settings *settings = engine->parts.settings;
	const struct network_policy policy = { settings->network_metered, settings->network_roaming,
		                               settings->power_battery_saver };

	for (int i = 0; i < JOB_PRIORITY_COUNT; i++) {
		enum job_priority priority = (enum job_priority)i;
		enum job_wait held = rate_is_off(&engine->rates, priority) ? JOB_WAIT_RATE :
		                                                             network_holds(&engine->network, &policy, priority);

		if (engine->held[i] != JOB_WAIT_NONE)
			engine->on_since_ms[i] = engine_mono(engine);
		engine->schedule_due |= held != engine->held[i];
		engine->held[i] = held;
	}
}

static void note_cost(struct engine *engine)
{
	const struct network_state *network = &engine->network;

	EVENTS_NOTE(engine->parts.events, NETWORK_COST, .metered = network->metered ? "is" : "is not",
	            .roaming = network->roaming ? "is" : "is not", .battery_saver = network->battery_saver ? "on" : "off");
}

static void deliver_changed(struct letter *letter, void *receiver)
{
	struct engine *engine = receiver;

	(void)letter;
	if (engine == NULL)
		return;
	atomic_store(&engine->network_asked, false); /* before it is read: what changes after that is asked for again */

	const struct network_state before = engine->network;
	struct network_state *now = &engine->network;

	engine->parts.read_network(now);
	if (now->reach == NETWORK_NONE)
		engine->network_at_ms = INT64_MAX;
	else if (network_is_back(&before, now) && engine->network_at_ms == INT64_MAX)
		engine->network_at_ms = engine->network_back_ms + NETWORK_TRIES_MS;
	if (now->reach != before.reach)
		EVENTS_NOTE(engine->parts.events, NETWORK_REACH,
		            .reach = now->reach == NETWORK_NONE ? "gone" : now->reach == NETWORK_CONNECTED ? "there" : "not known");
	if (now->metered != before.metered || now->roaming != before.roaming || now->battery_saver != before.battery_saver)
		note_cost(engine);
	engine_review_held(engine);
	engine_forget_proxies(engine);
}

void engine_network_changed(struct engine *engine)
{
	if (engine->parts.read_network != NULL && !atomic_exchange(&engine->network_asked, true))
		mailbox_post(engine->mailbox, &engine->network_letter);
}

void engine_begin_network(struct engine *engine)
{
	engine->network_letter.deliver = deliver_changed;
	atomic_init(&engine->network_asked, false);
	engine->network_at_ms = INT64_MAX;
	engine->network_back_ms = engine_mono(engine) - NETWORK_TRIES_MS;
	engine_network_changed(engine);
}

int64_t engine_network_delay_ms(struct engine *engine)
{
	return engine_random(engine) % NETWORK_SPREAD_MS;
}

void engine_try_again(struct engine *engine)
{
	int64_t now_ms = engine_now(engine);
	uint32_t random = engine_random(engine);
	struct fault fault;

	engine->network_at_ms = INT64_MAX;
	engine->network_back_ms = engine_mono(engine);
	engine->network_turn = engine->turn;
	engine_forget_lost_hosts(engine);
	for (const struct present *present = engine->present; present != NULL; present = present->next) {
		const struct job_owner owner = engine_owner_of(present);

		if (engine_present(engine, &owner) == present &&
		    store_jobs_try_again(engine->parts.store, &owner, now_ms, NETWORK_SPREAD_MS, random, &fault) != RESULT_OK) {
			engine_break(engine, &fault);
			return;
		}
	}
	engine->schedule_due = true; /* and with it when the next of them is due */
}
