/* Waiting for a job with something to look at: a line that moves on a terminal, a line per change of state elsewhere,
 * events with --json. */
#include <stdio.h>

#include "cli/cli.h"
#include "cli/format.h"
#include "cli/progress.h"
#include "cli/terminal.h"
#include "platform/clock.h"

#define TICK_MS 250

struct view {
	const struct cli *cli;
	struct progress progress;
	bool live, quiet;
	unsigned drawn;         /* columns of the line that is on the terminal; 0: none */
	bool away;              /* the service is */
	bool told;              /* at least one state was */
	enum ferry_state state; /* the last one that was told */
	enum ferry_wait_reason wait;
};

/* --- on a terminal --- */

/* Write the line over the one before.  Blanks wipe what is left of that: unlike the sequence for it, every console knows
 * them, Wine's too.  In one piece, or the line would flicker. */
static void draw_over(struct view *view, const char *line)
{
	char piece[2 * PROGRESS_LINE_BYTES_MAX];
	unsigned columns = format_columns(line);
	int blanks = view->drawn > columns ? (int)(view->drawn - columns) : 0;

	text_display(piece, sizeof(piece), "\r%s%*s", line, blanks, "");
	fputs(piece, stderr);
	fflush(stderr);
	view->drawn = columns;
}

static void clear(struct view *view)
{
	if (view->drawn == 0)
		return;
	draw_over(view, "");
	fputs("\r", stderr);
}

static void draw(struct view *view, const struct ferry_change *change)
{
	char line[PROGRESS_LINE_BYTES_MAX];
	/* The last column stays free: writing there may wrap. */
	unsigned columns = terminal_columns(TERMINAL_ERROR) - 1;

	if (view->away)
		format_fit("The service went away; connecting again (the job is safe with it) ...", columns, line,
		           sizeof(line));
	else
		progress_line(&view->progress, clock_mono_ms(), clock_wall_ms(), &change->status, columns, line);
	draw_over(view, line);
}

/* --- elsewhere --- */

static void tell_state(struct view *view, const struct ferry_status *status)
{
	char why[128];

	if (view->told && view->state == status->state && view->wait == status->wait)
		return;
	view->told = true;
	view->state = status->state;
	view->wait = status->wait;
	progress_reason(status, clock_wall_ms(), why, sizeof(why));
	output_note("%.8s %s%s%s\n", status->id, ferry_state_name(status->state), why[0] != '\0' ? ", " : "", why);
}

static bool on_change(void *context, const struct ferry_change *change)
{
	struct view *view = context;
	bool was_away = view->away;

	if (change->kind != FERRY_CHANGE_TICK)
		view->away = change->kind == FERRY_CHANGE_RECONNECTING;
	if (change->kind == FERRY_CHANGE_STATE || change->kind == FERRY_CHANGE_PROGRESS)
		progress_note(&view->progress, clock_mono_ms(), change->status.bytes_transferred);
	if (view->cli->json && change->kind != FERRY_CHANGE_TICK)
		output_json_change(change);
	if (view->cli->json || view->quiet)
		return !terminal_interrupted();
	if (view->live)
		draw(view, change);
	else if (view->away && !was_away)
		output_note("The service went away; connecting again\n");
	else if (change->kind == FERRY_CHANGE_STATE)
		tell_state(view, &change->status);
	return !terminal_interrupted();
}

/* --- how it ended --- */

/* The code of a job that is waited for no more. */
static int say_end(const struct cli *cli, const struct ferry_status *status)
{
	char title[CLI_TITLE_BYTES_MAX], bytes[FORMAT_BYTES_MAX];
	bool quiet = cli->json || arguments_has(cli->arguments, OPTION_QUIET);

	cli_title(status, title);
	format_bytes(status->bytes_transferred, bytes);
	if (status->state == FERRY_STATE_ERROR) {
		if (!cli->json) {
			output_note("ferry: the job %s failed\n", title);
			output_error(&status->error);
			output_note("  then: ferry resume %.8s, or give it up: ferry cancel %.8s\n", status->id, status->id);
		}
		return CLI_JOB_FAILED;
	}
	if (status->state == FERRY_STATE_CANCELLED) {
		if (!cli->json)
			output_note("ferry: the job %s was cancelled\n", title);
		return CLI_CANCELLED;
	}
	if (!quiet && status->state == FERRY_STATE_TRANSFERRED)
		output_text("%s: all %u files are here, %s; give them their names: ferry complete %.8s\n", title,
		            status->files_total, bytes, status->id);
	else if (!quiet)
		output_text("%s: done, %u of %u files, %s\n", title, status->files_published, status->files_total, bytes);
	return CLI_OK;
}

/* Whatever stopped us, the job goes on: say so, and how to come back to it. */
static int say_left(const struct cli *cli, int code, const struct ferry_job *job)
{
	const char *id = ferry_job_id(job);

	if (cli->json) {
		AUTO(buffer) struct buffer line = BUFFER(OUTPUT_LINE_BYTES_MAX);
		struct json_writer writer = JSON_WRITER(&line);
		json_write_begin(&writer, NULL, '{');
		json_write_text(&writer, "event", text_view(code == CLI_TIMED_OUT ? "timed-out" : "interrupted"));
		json_write_text(&writer, "id", text_view(id));
		json_write_end(&writer, '}');
		output_json_line(&writer);
		return code;
	}
	output_note("%s; the job goes on in the service.\n  wait again:  ferry wait %s\n  give it up:  ferry cancel %s\n",
	            code == CLI_TIMED_OUT ? "The time is over" : "Stopped waiting", id, id);
	return code;
}

int cli_wait(struct cli *cli, struct ferry_job *job)
{
	bool quiet = arguments_has(cli->arguments, OPTION_QUIET);
	struct view view = {
		.cli = cli,
		.quiet = quiet,
		.live = !quiet && !cli->json && terminal_is_live(TERMINAL_ERROR),
	};
	const struct ferry_wait wait = {
		.timeout_ms = (int64_t)cli->arguments->timeout_s * 1000,
		.tick_ms = TICK_MS,
		.on_change = on_change,
		.context = &view,
	};
	struct ferry_status status;
	struct ferry_error error;

	terminal_catch_interrupt();
	enum ferry_result result = ferry_job_wait(job, &wait, &status, &error);
	clear(&view);
	if (result == FERRY_TIMED_OUT)
		return say_left(cli, CLI_TIMED_OUT, job);
	if (result == FERRY_STOPPED)
		return say_left(cli, CLI_INTERRUPTED, job);
	if (result != FERRY_OK)
		return cli_fail(cli, result, &error);
	if (cli->json)
		cli_job_line(&status);
	return say_end(cli, &status);
}
