/* runtime/engine: how fast which jobs may fetch now.  What core/rate says of the configuration's rules, by the machine's
 * own clock, goes to the throttle that all workers share; who is off is held back. */
#include "runtime/engine_private.h"

#include <inttypes.h>
#include <string.h>

#define MINUTE_MS 60000

void engine_read_rates(struct engine *engine)
{
	const struct settings *settings = engine->parts.settings;

	_Static_assert(sizeof(settings->rate_limits.items) / sizeof(settings->rate_limits.items[0]) == RATE_RULES_MAX,
	               "every rule has room");
	engine->rates_at_ms = 0;
	engine->rate_rule_count = 0;
	for (uint32_t i = 0; i < settings->rate_limits.count; i++) /* core/settings has read each */
		if (rate_parse(text_view(settings->rate_limits.items[i]), &engine->rate_rules[engine->rate_rule_count], NULL) ==
		    RESULT_OK)
			engine->rate_rule_count++;
}

static void describe(uint64_t per_s, char to[32])
{
	if (per_s == RATE_UNLIMITED)
		text_display(to, 32, "no limit");
	else if (per_s == 0)
		text_display(to, 32, "off");
	else
		text_display(to, 32, "%" PRIu64 " B/s", per_s);
}

static void note_rates(struct engine *engine)
{
	char texts[RATE_CLASS_COUNT][32];

	for (int who = 0; who < RATE_CLASS_COUNT; who++)
		describe(engine->rates.per_s[who], texts[who]);
	EVENTS_NOTE(engine->parts.events, RATES, .all = texts[RATE_ALL], .foreground = texts[RATE_FOREGROUND],
	            .background = texts[RATE_BACKGROUND], .high = texts[RATE_HIGH], .normal = texts[RATE_NORMAL],
	            .low = texts[RATE_LOW]);
}

void engine_set_rates(struct engine *engine)
{
	int64_t now_ms = engine_now(engine);
	uint32_t minute = engine->parts.clock.local_minute(engine->parts.clock.context, now_ms);
	struct rate_limits limits = rate_at(engine->rate_rules, engine->rate_rule_count, minute);
	bool has_windows = rate_has_windows(engine->rate_rules, engine->rate_rule_count);

	/* Each minute, since the clock may be set and summer begin between two changes. */
	engine->rates_at_ms = has_windows ? engine_mono(engine) + MINUTE_MS - now_ms % MINUTE_MS : INT64_MAX;
	for (int priority = 0; priority < JOB_PRIORITY_COUNT; priority++) {
		int64_t off_for = rate_off_for(engine->rate_rules, engine->rate_rule_count, minute, (enum job_priority)priority);

		engine->on_at_ms[priority] = off_for > 0 ? now_ms - now_ms % MINUTE_MS + off_for * MINUTE_MS : 0;
	}
	if (memcmp(&limits, &engine->rates, sizeof(limits)) == 0)
		return;
	engine->rates = limits;
	engine_review_held(engine);
	engine->schedule_due = true;
	if (engine->parts.throttle != NULL)
		throttle_set(engine->parts.throttle, &limits);
	note_rates(engine);
}
