/* client/cli/progress - how fast a job is, how long it will take, and the line that shows it. */
#ifndef FERRY_CLI_PROGRESS_H
#define FERRY_CLI_PROGRESS_H

#include "ferry.h"

#define PROGRESS_SAMPLES_MAX 32
#define PROGRESS_WINDOW_MS 10000
#define PROGRESS_LINE_BYTES_MAX 512

/* What was seen lately, a ring; all zero at the start. */
struct progress {
	struct {
		int64_t at_ms;
		uint64_t bytes;
	} samples[PROGRESS_SAMPLES_MAX];
	unsigned count, newest;
};

/* `now_ms` is monotonic.  A number of bytes that goes back, after a restart, begins anew. */
void progress_note(struct progress *progress, int64_t now_ms, uint64_t bytes);
/* Bytes per second over the last ten seconds; 0 if nothing came or too little is known. */
uint64_t progress_rate(const struct progress *progress, int64_t now_ms);
/* How long the rest takes at the present rate.  False: cannot be told. */
bool progress_left(const struct progress *progress, int64_t now_ms, const struct ferry_status *status,
                   uint64_t *ret_seconds);

/* One line of at most `columns`: bar, percent, bytes, rate, time left and files; or why nothing moves. */
void progress_line(const struct progress *progress, int64_t now_ms, int64_t wall_ms, const struct ferry_status *status,
                   unsigned columns, char to[PROGRESS_LINE_BYTES_MAX]);
/* Why the job is where it is, in a few words: "retry in 0:30 (CONNECT_FAILED)", "owner absent"; "" if it runs. */
void progress_reason(const struct ferry_status *status, int64_t wall_ms, char *to, size_t size);

#endif
