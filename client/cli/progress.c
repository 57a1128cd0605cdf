#include "cli/progress.h"

#include <string.h>

#include "cli/format.h"
#include "core/text.h"

#define BAR_COLUMNS_MAX 30
#define BAR_COLUMNS_MIN 10
#define PERCENT_COLUMNS 6u /* "100%  " */
/* Shorter than this, two samples say more about the clock than about the line. */
#define RATE_SPAN_MS_MIN 400
#define FRESH_MS 2000 /* the service tells numbers every half second */
/* Samples closer than this are one: the window must reach back far enough. */
#define SAMPLE_DISTANCE_MS (PROGRESS_WINDOW_MS / (PROGRESS_SAMPLES_MAX - 2))

void progress_note(struct progress *progress, int64_t now_ms, uint64_t bytes)
{
	if (progress->count > 0) {
		unsigned newest = progress->newest;
		if (bytes < progress->samples[newest].bytes)
			progress->count = 0;
		else if (progress->count > 1 &&
		         now_ms - progress->samples[(newest + PROGRESS_SAMPLES_MAX - 1) % PROGRESS_SAMPLES_MAX].at_ms <
		             SAMPLE_DISTANCE_MS) {
			progress->samples[newest].at_ms = now_ms;
			progress->samples[newest].bytes = bytes;
			return;
		}
	}
	progress->newest = (progress->newest + 1) % PROGRESS_SAMPLES_MAX;
	progress->samples[progress->newest].at_ms = now_ms;
	progress->samples[progress->newest].bytes = bytes;
	if (progress->count < PROGRESS_SAMPLES_MAX)
		progress->count++;
}

uint64_t progress_rate(const struct progress *progress, int64_t now_ms)
{
	if (progress->count < 2)
		return 0;

	/* From the oldest sample inside the window to the newest; to now where that is long ago, so that a line that has
	 * fallen silent gets slower with time. */
	int64_t end_ms = progress->samples[progress->newest].at_ms;
	if (now_ms - end_ms > FRESH_MS)
		end_ms = now_ms;
	unsigned oldest = progress->newest;
	for (unsigned back = 1; back < progress->count; back++) {
		unsigned at = (progress->newest + PROGRESS_SAMPLES_MAX - back) % PROGRESS_SAMPLES_MAX;
		if (now_ms - progress->samples[at].at_ms > PROGRESS_WINDOW_MS)
			break;
		oldest = at;
	}
	int64_t span_ms = end_ms - progress->samples[oldest].at_ms;
	uint64_t bytes = progress->samples[progress->newest].bytes - progress->samples[oldest].bytes;
	if (span_ms < RATE_SPAN_MS_MIN || bytes > UINT64_MAX / 1000)
		return 0;
	return bytes * 1000 / (uint64_t)span_ms;
}

bool progress_left(const struct progress *progress, int64_t now_ms, const struct ferry_status *status,
                   uint64_t *ret_seconds)
{
	uint64_t rate = progress_rate(progress, now_ms);

	if (rate == 0 || !status->bytes_total_is_known || status->bytes_transferred > status->bytes_total)
		return false;
	uint64_t left = status->bytes_total - status->bytes_transferred;
	*ret_seconds = left / rate + (left % rate != 0);
	return true;
}

void progress_reason(const struct ferry_status *status, int64_t wall_ms, char *to, size_t size)
{
	char duration[FORMAT_BYTES_MAX];
	int64_t left_ms = status->next_try_ms - wall_ms;

	to[0] = '\0';
	switch (status->wait) {
	case FERRY_WAIT_SLOT:
		text_display(to, size, "other jobs come first");
		return;
	case FERRY_WAIT_OWNER_ABSENT:
		text_display(to, size, "owner absent");
		return;
	case FERRY_WAIT_TOKEN:
		text_display(to, size, "no helper token%s%s", status->pinned_helper[0] != '\0' ? " of " : "", status->pinned_helper);
		return;
	case FERRY_WAIT_WORKERS:
		text_display(to, size, "other identities come first");
		return;
	case FERRY_WAIT_METERED:
		text_display(to, size, "metered network");
		return;
	case FERRY_WAIT_ROAMING:
		text_display(to, size, "roaming network");
		return;
	case FERRY_WAIT_BATTERY_SAVER:
		text_display(to, size, "battery saver");
		return;
	case FERRY_WAIT_OTHER:
		text_display(to, size, "waits");
		return;
	case FERRY_WAIT_RETRY:
	case FERRY_WAIT_DISK_FULL:
	case FERRY_WAIT_VOLUME_GONE:
	case FERRY_WAIT_NO_NETWORK:
		format_duration(left_ms > 0 ? (uint64_t)(left_ms + 999) / 1000 : 0, duration);
		text_display(to, size, "%sretry in %s%s%s%s", status->wait == FERRY_WAIT_NO_NETWORK ? "no network, " : "", duration, status->error.name[0] != '\0' ? " (" : "",
		             status->error.name, status->error.name[0] != '\0' ? ")" : "");
		return;
	case FERRY_WAIT_RATE:
		format_duration(left_ms > 0 ? (uint64_t)(left_ms + 999) / 1000 : 0, duration);
		/* A rule without hours tells no time when it ends. */
		text_display(to, size, "off by rate.limits%s%s", status->next_try_ms > 0 ? ", for " : "",
		             status->next_try_ms > 0 ? duration : "");
		return;
	case FERRY_WAIT_NONE:
		break;
	}
	if (status->state == FERRY_STATE_ERROR || status->state == FERRY_STATE_TRANSIENT_ERROR)
		text_display(to, size, "%s", status->error.name);
}

/* "12.3 MiB/40.0 MiB", or "12.3 MiB" while a size is unknown. */
static void write_bytes(const struct ferry_status *status, char *to, size_t size)
{
	char done[FORMAT_BYTES_MAX], total[FORMAT_BYTES_MAX];

	format_bytes(status->bytes_transferred, done);
	format_bytes(status->bytes_total, total);
	if (!status->bytes_total_is_known)
		text_display(to, size, "%s", done);
	else
		text_display(to, size, "%s/%s", done, total);
}

/* The moving part behind the bytes: rate and time left, or why nothing moves. */
static void write_pace(const struct progress *progress, int64_t now_ms, int64_t wall_ms,
                       const struct ferry_status *status, char *to, size_t size)
{
	char rate[FORMAT_BYTES_MAX], left[FORMAT_BYTES_MAX];
	uint64_t seconds;

	if (status->state != FERRY_STATE_TRANSFERRING) {
		char reason[96];
		progress_reason(status, wall_ms, reason, sizeof(reason));
		text_display(to, size, "%s%s%s", ferry_state_name(status->state), reason[0] != '\0' ? ", " : "", reason);
		return;
	}
	format_rate(progress_rate(progress, now_ms), rate);
	if (progress_left(progress, now_ms, status, &seconds)) {
		format_duration(seconds, left);
		text_display(to, size, "%s  %s left", rate, left);
	} else {
		text_display(to, size, "%s", rate);
	}
}

/* As much as fits: on a narrow line the time left is worth more than the files, and where the share is shown, than the
 * bytes. */
static void write_rest(const char *bytes, const char *pace, const char *files, unsigned columns, bool share_is_shown,
                       char *to, size_t size)
{
	text_display(to, size, "%s  %s  %s", bytes, pace, files);
	if (strlen(to) > columns)
		text_display(to, size, "%s  %s", bytes, pace);
	if (strlen(to) > columns && share_is_shown)
		text_display(to, size, "%s", pace);
}

void progress_line(const struct progress *progress, int64_t now_ms, int64_t wall_ms, const struct ferry_status *status,
                   unsigned columns, char to[PROGRESS_LINE_BYTES_MAX])
{
	char bytes[2 * FORMAT_BYTES_MAX], pace[160], files[FORMAT_BYTES_MAX], rest[384], bar[BAR_COLUMNS_MAX + 1] = "";
	char whole[PROGRESS_LINE_BYTES_MAX];
	bool known = status->bytes_total_is_known && status->bytes_total > 0;

	write_bytes(status, bytes, sizeof(bytes));
	write_pace(progress, now_ms, wall_ms, status, pace, sizeof(pace));
	text_display(files, sizeof(files), "%u/%u files", status->files_transferred, status->files_total);
	write_rest(bytes, pace, files, columns > PERCENT_COLUMNS && known ? columns - PERCENT_COLUMNS : columns, known, rest,
	           sizeof(rest));
	if (known) {
		unsigned taken = (unsigned)strlen(rest) + 1 + PERCENT_COLUMNS;
		unsigned room = columns > taken ? columns - taken : 0;
		if (room >= BAR_COLUMNS_MIN)
			format_bar(status->bytes_transferred, status->bytes_total, room < BAR_COLUMNS_MAX ? room : BAR_COLUMNS_MAX,
			           bar, sizeof(bar));
		text_display(whole, sizeof(whole), "%s%s%3u%%  %s", bar, bar[0] != '\0' ? " " : "",
		             format_percent(status->bytes_transferred, status->bytes_total), rest);
	} else {
		text_display(whole, sizeof(whole), "%s", rest);
	}
	format_fit(whole, columns, to, PROGRESS_LINE_BYTES_MAX);
}
