/* core/metrics - numbers as text that Prometheus reads: the exposition format 0.0.4.
 *
 * Names, types and words stand once, in metrics.def.  Knows the format, and not where the numbers come from.
 */
#ifndef FERRY_CORE_METRICS_H
#define FERRY_CORE_METRICS_H

#include "core/text.h"

enum metric {
#define METRIC(id, name, type, label, help) METRIC_##id,
#include "core/metrics.def"
#undef METRIC
	METRIC_COUNT
};

#define METRICS_BYTES_MAX 65536u /* every outcome in every metric that has them is a third of it */
#define METRICS_FILE "ferry.prom"

/* Samples, written one after the other, those of a metric together and metrics in the order of the table: it is an assertion. */
struct metrics {
	struct buffer *to;
	enum result result; /* RESULT_OK until something did not fit */
	unsigned begun;     /* metrics, up to the last one that was written */
};
#define METRICS(buffer) { .to = (buffer) }

/* `label` is the value of the metric's label, any UTF-8; NULL if it has none. */
void metrics_add(struct metrics *metrics, enum metric metric, const char *label, uint64_t value);
void metrics_add_ms(struct metrics *metrics, enum metric metric, int64_t ms); /* in seconds, as the name says */

#endif
