#include "core/metrics.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

static const struct {
	const char *name, *type, *label, *help;
} table[METRIC_COUNT] = {
#define METRIC(id, name, type, label, help) { name, type, label, help },
#include "core/metrics.def"
#undef METRIC
};

static void write(struct metrics *metrics, const char *text)
{
	if (metrics->result == RESULT_OK)
		metrics->result = buffer_append(metrics->to, text, strlen(text));
}

/* As the format has it between quotes. */
static void write_escaped(struct metrics *metrics, const char *text)
{
	for (; *text != '\0'; text++)
		if (*text == '\n')
			write(metrics, "\\n");
		else if (*text == '\\' || *text == '"')
			write(metrics, (const char[]){ '\\', *text, '\0' });
		else
			write(metrics, (const char[]){ *text, '\0' });
}

static void begin(struct metrics *metrics, enum metric metric, const char *label)
{
	assert(metric + 1u >= metrics->begun && (label != NULL) == (table[metric].label[0] != '\0'));
	if (metrics->begun <= metric && metrics->result == RESULT_OK)
		metrics->result = buffer_print(metrics->to, "# HELP %s %s\n# TYPE %s %s\n", table[metric].name, table[metric].help,
		                               table[metric].name, table[metric].type);
	metrics->begun = metric + 1u;
	write(metrics, table[metric].name);
	if (label != NULL) {
		write(metrics, "{");
		write(metrics, table[metric].label);
		write(metrics, "=\"");
		write_escaped(metrics, label);
		write(metrics, "\"}");
	}
}

void metrics_add(struct metrics *metrics, enum metric metric, const char *label, uint64_t value)
{
	begin(metrics, metric, label);
	if (metrics->result == RESULT_OK)
		metrics->result = buffer_print(metrics->to, " %" PRIu64 "\n", value);
}

void metrics_add_ms(struct metrics *metrics, enum metric metric, int64_t ms)
{
	assert(ms >= 0);
	begin(metrics, metric, NULL);
	if (metrics->result == RESULT_OK)
		metrics->result = buffer_print(metrics->to, " %" PRId64 ".%03" PRId64 "\n", ms / 1000, ms % 1000);
}
