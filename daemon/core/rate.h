/* core/rate - how fast which jobs may fetch, and when: rules with weekly windows, and the arithmetic of a limit.
 *
 * A rule is "WHO RATE" or "DAYS FROM-TO WHO RATE":
 *
 *   "background 2MB/s"                     always
 *   "mon-fri 08:00-18:00 background off"   by the machine's own clock; FROM later than TO goes on into the next day
 *
 * DAYS are mon to sun, with "-" and ","; WHO is all, foreground, background, high, normal or low; RATE is "off", or bytes
 * per second in B/s, kB/s, MB/s or GB/s.  Of the rules that hold, the lowest limits.  Pure: no clock, no threads.
 */
#ifndef FERRY_CORE_RATE_H
#define FERRY_CORE_RATE_H

#include "core/job.h"

enum rate_class { RATE_ALL, RATE_FOREGROUND, RATE_BACKGROUND, RATE_HIGH, RATE_NORMAL, RATE_LOW, RATE_CLASS_COUNT };
#define RATE_UNLIMITED UINT64_MAX
#define RATE_RULES_MAX 32u
#define RATE_PER_S_MAX UINT64_C(1000000000000)
#define RATE_WEEK_MINUTES (7u * 1440u) /* minutes of a week count from Monday, 00:00 */

struct rate_rule {
	uint8_t days; /* bit 0: Monday */
	uint16_t from, to; /* minutes of the day, up to 1440 */
	enum rate_class who;
	uint64_t per_s; /* bytes; 0: off */
};
/* RESULT_INVALID_ARGUMENT: fault->what says what is wrong. */
enum result rate_parse(struct text_view text, struct rate_rule *ret_rule, struct fault *fault) MUST_CHECK;

struct rate_limits {
	uint64_t per_s[RATE_CLASS_COUNT]; /* RATE_UNLIMITED, or bytes; 0: off */
};
/* What holds in that minute of the week. */
struct rate_limits rate_at(const struct rate_rule *rules, size_t count, uint32_t minute);
/* In how many minutes that may change; at most a week. */
uint32_t rate_next_change(const struct rate_rule *rules, size_t count, uint32_t minute);
/* In how many minutes jobs of that priority may fetch again; 0: they may, or never will. */
uint32_t rate_off_for(const struct rate_rule *rules, size_t count, uint32_t minute, enum job_priority priority);
/* Does any of them hold at some times only? */
bool rate_has_windows(const struct rate_rule *rules, size_t count);

/* The classes that a job of that priority is limited by: all, the foreground or the background, its level's own. */
#define RATE_CLASSES_OF_JOB 3u
void rate_classes(enum job_priority priority, enum rate_class ret_classes[RATE_CLASSES_OF_JOB]);
/* May nothing be fetched for jobs of that priority? */
bool rate_is_off(const struct rate_limits *limits, enum job_priority priority);

/* Account for bytes that came, against a limit: *free_us is the moment at which what came so far is paid for.  For how long
 * it is not, in microseconds; 0: it is.  Quiet is saved up for RATE_BURST_US. */
#define RATE_BURST_US 100000
#define RATE_OFF_US 1000000 /* the answer where nothing may come at all */
int64_t rate_spend(int64_t *free_us, uint64_t per_s, uint64_t bytes, int64_t now_us);

#endif
