/* The verb watch: all jobs or some, live.  On a terminal a table that is drawn over; elsewhere a line per change. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/format.h"
#include "cli/progress.h"
#include "cli/terminal.h"
#include "platform/clock.h"

#define TICK_MS 250
#define DRAW_EVERY_MS 500
#define JOBS_MAX 1000 /* more are not followed; no terminal shows them */
#define BAR_COLUMNS 16
#define BARS_FROM_COLUMNS 99 /* narrower terminals show the share as a number */
#define LINE_BYTES_MAX 4096
#define DRAWN_BYTES_MAX (4u * 1024u * 1024u)

struct watched {
	struct ferry_status status;
	struct progress progress;
};
struct watch {
	struct cli *cli;
	struct watched **jobs; /* in the order they were met */
	unsigned count, capacity;
	char (*wanted)[FERRY_ID_BYTES]; /* the named jobs; none: all */
	size_t wanted_count;
	bool live, away;
	unsigned rows_drawn;
	int64_t drawn_ms;
};

static void watch_done(struct watch *watch)
{
	for (unsigned i = 0; i < watch->count; i++)
		free(watch->jobs[i]);
	free(watch->jobs);
	free(watch->wanted);
}

/* --- what is known --- */

static bool is_wanted(const struct watch *watch, const char *id)
{
	for (size_t i = 0; i < watch->wanted_count; i++) {
		if (strcmp(watch->wanted[i], id) == 0)
			return true;
	}
	return watch->wanted_count == 0;
}

static struct watched *add(struct watch *watch)
{
	if (watch->count == watch->capacity) {
		unsigned capacity = watch->capacity > 0 ? 2 * watch->capacity : 16;
		struct watched **jobs = realloc(watch->jobs, capacity * sizeof(struct watched *));
		if (jobs == NULL)
			return NULL;
		watch->jobs = jobs;
		watch->capacity = capacity;
	}
	struct watched *job = watch->count < JOBS_MAX ? calloc(1, sizeof(*job)) : NULL;
	if (job != NULL)
		watch->jobs[watch->count++] = job;
	return job;
}

/* Take the news in.  True: it is about a job that is watched and says something new but numbers. */
static bool learn(struct watch *watch, const struct ferry_status *status)
{
	struct watched *job = NULL;

	if (!is_wanted(watch, status->id))
		return false;
	for (unsigned i = 0; i < watch->count && job == NULL; i++) {
		if (strcmp(watch->jobs[i]->status.id, status->id) == 0)
			job = watch->jobs[i];
	}
	bool news = job == NULL || job->status.state != status->state || job->status.wait != status->wait;
	if (job == NULL)
		job = add(watch);
	if (job == NULL)
		return false;
	job->status = *status;
	progress_note(&job->progress, clock_mono_ms(), status->bytes_transferred);
	return news;
}

static bool all_settled(const struct watch *watch)
{
	unsigned settled = 0;

	for (unsigned i = 0; i < watch->count; i++)
		settled += ferry_is_settled(&watch->jobs[i]->status);
	return watch->wanted_count > 0 && settled == watch->wanted_count;
}

/* --- as lines --- */

static void tell_line(const struct ferry_status *status)
{
	char moment[FORMAT_BYTES_MAX], title[CLI_TITLE_BYTES_MAX], done[FORMAT_BYTES_MAX], why[128];

	format_moment(clock_wall_ms(), moment);
	cli_title(status, title);
	format_bytes(status->bytes_transferred, done);
	progress_reason(status, clock_wall_ms(), why, sizeof(why));
	output_text("%s  %s  %s  %s%s%s\n", moment, title, ferry_state_name(status->state), done,
	            why[0] != '\0' ? "  " : "", why);
}

static void tell(struct watch *watch, const struct ferry_change *change)
{
	bool about_job = change->kind == FERRY_CHANGE_STATE || change->kind == FERRY_CHANGE_PROGRESS;
	bool was_away = watch->away;
	bool news = about_job && learn(watch, &change->status);

	watch->away = change->kind == FERRY_CHANGE_RECONNECTING;
	if (about_job && !is_wanted(watch, change->status.id))
		return;
	if (watch->cli->json)
		output_json_change(change);
	else if (!watch->live && news)
		tell_line(&change->status);
	else if (!watch->live && watch->away && !was_away)
		output_note("The service went away; connecting again\n");
}

/* --- as a table --- */

static void add_row(struct table *table, const struct watched *job, bool bars)
{
	const struct ferry_status *status = &job->status;
	char id[9], bar[BAR_COLUMNS + 1] = "", done[FORMAT_BYTES_MAX], rate[FORMAT_BYTES_MAX] = "",
								  left[FORMAT_BYTES_MAX] = "";
	char files[FORMAT_BYTES_MAX], why[128], state[192];
	int64_t now_ms = clock_mono_ms();
	uint64_t seconds;

	text_display(id, sizeof(id), "%s", status->id);
	if (status->bytes_total_is_known && status->bytes_total > 0 && !bars)
		text_display(bar, sizeof(bar), "%u%%", format_percent(status->bytes_transferred, status->bytes_total));
	else if (status->bytes_total_is_known && status->bytes_total > 0)
		format_bar(status->bytes_transferred, status->bytes_total, BAR_COLUMNS, bar, sizeof(bar));
	format_bytes(status->bytes_transferred, done);
	if (status->state == FERRY_STATE_TRANSFERRING) {
		format_rate(progress_rate(&job->progress, now_ms), rate);
		if (progress_left(&job->progress, now_ms, status, &seconds))
			format_duration(seconds, left);
	}
	text_display(files, sizeof(files), "%u/%u", status->files_transferred, status->files_total);
	progress_reason(status, clock_wall_ms(), why, sizeof(why));
	text_display(state, sizeof(state), "%s%s%s", ferry_state_name(status->state), why[0] != '\0' ? ", " : "", why);
	table_cell(table, id);
	table_cell(table, bar);
	table_cell(table, done);
	table_cell(table, rate);
	table_cell(table, left);
	table_cell(table, files);
	table_cell(table, status->name);
	table_cell(table, state);
}

/* As many rows as the terminal has: what still runs first, then the finished ones, newest first. */
static unsigned add_rows(struct table *table, const struct watch *watch, unsigned rows_max, bool bars)
{
	unsigned rows = 0;

	for (unsigned i = 0; i < watch->count && rows < rows_max; i++) {
		if (!ferry_state_is_final(watch->jobs[i]->status.state)) {
			add_row(table, watch->jobs[i], bars);
			rows++;
		}
	}
	for (unsigned i = watch->count; i > 0 && rows < rows_max; i--) {
		if (ferry_state_is_final(watch->jobs[i - 1]->status.state)) {
			add_row(table, watch->jobs[i - 1], bars);
			rows++;
		}
	}
	return rows;
}

/* Go up to where the last drawing began, draw over it, and clear what it had more of.  Lines are cut: one that the
 * terminal breaks in two would make the next drawing begin in the wrong place. */
static void print_over(struct watch *watch, char *text, unsigned rows, unsigned columns)
{
	char fitted[LINE_BYTES_MAX];

	if (watch->rows_drawn > 0)
		fprintf(stdout, "\x1b[%uA", watch->rows_drawn);
	for (char *line = text; *line != '\0';) {
		char *end = strchr(line, '\n');
		*end = '\0';
		format_fit(line, columns, fitted, sizeof(fitted));
		fprintf(stdout, "\r%s\x1b[K\n", fitted);
		line = end + 1;
	}
	fputs("\x1b[J", stdout);
	fflush(stdout);
	watch->rows_drawn = rows;
}

static void draw(struct watch *watch)
{
	static const struct table_column columns[] = {
		{ .title = "ID" },
		{ .title = "" },
		{ .title = "DONE", .right = true },
		{ .title = "RATE", .right = true },
		{ .title = "LEFT", .right = true },
		{ .title = "FILES", .right = true },
		{ .title = "NAME", .flexible = true },
		{ .title = "STATE" },
	};
	AUTO(buffer) struct buffer text = BUFFER(DRAWN_BYTES_MAX);
	AUTO(table) struct table table;
	/* The last column stays free: writing there may wrap. */
	unsigned rows_max = terminal_rows(TERMINAL_OUT), columns_max = terminal_columns(TERMINAL_OUT) - 1;
	char last[160];

	table_begin(&table, columns, sizeof(columns) / sizeof(columns[0]));
	unsigned shown = add_rows(&table, watch, rows_max > 4 ? rows_max - 4 : 1, columns_max >= BARS_FROM_COLUMNS);
	if (watch->away)
		text_display(last, sizeof(last), "The service went away; connecting again ...");
	else if (watch->count > shown)
		text_display(last, sizeof(last), "%u more jobs.  Ctrl-C stops watching; the jobs go on.", watch->count - shown);
	else
		text_display(last, sizeof(last), "%sCtrl-C stops watching; the jobs go on.",
		             watch->count == 0 ? "There are no jobs at work.  " : "");
	if (table_render(&table, columns_max, &text) != RESULT_OK ||
	    buffer_print(&text, "%s\n", last) != RESULT_OK)
		return;
	print_over(watch, text.bytes, shown + 2, columns_max);
	watch->drawn_ms = clock_mono_ms();
}

/* --- the verb --- */

static bool meet(void *context, const struct ferry_status *status)
{
	struct watch *watch = context;
	const struct ferry_change change = { .kind = FERRY_CHANGE_STATE, .status = *status };

	if (watch->wanted_count > 0 || !ferry_state_is_final(status->state))
		tell(watch, &change);
	return true;
}

/* The list as it is now: at the start, and whenever changes may have been missed. */
static int look(struct watch *watch)
{
	struct ferry_error error;
	enum ferry_result result = ferry_jobs(watch->cli->ferry, FERRY_LIST_FINISHED, meet, watch, &error);

	/* Gone again: the next change is that it is being reached for. */
	if (result == FERRY_OK || result == FERRY_NOT_RUNNING)
		return CLI_OK;
	return cli_fail(watch->cli, result, &error);
}

static int find_wanted(struct watch *watch)
{
	const struct arguments *arguments = watch->cli->arguments;

	if (arguments->operand_count == 0)
		return CLI_OK;
	watch->wanted = calloc(arguments->operand_count, sizeof(*watch->wanted));
	if (watch->wanted == NULL)
		return cli_problem(watch->cli, CLI_FAILED, "there is not enough memory");
	for (size_t i = 0; i < arguments->operand_count; i++) {
		struct ferry_job *job;
		int code = cli_open(watch->cli, arguments->operands[i], &job);
		if (code != CLI_OK)
			return code;
		memcpy(watch->wanted[watch->wanted_count++], ferry_job_id(job), FERRY_ID_BYTES);
		ferry_job_close(job);
	}
	return CLI_OK;
}

static int follow(struct watch *watch)
{
	const struct arguments *arguments = watch->cli->arguments;
	int64_t end_ms = clock_mono_ms() + (int64_t)arguments->timeout_s * 1000;
	int code = look(watch);

	while (code == CLI_OK && !terminal_interrupted() && !all_settled(watch)) {
		struct ferry_change change;
		struct ferry_error error;
		if (watch->live && clock_mono_ms() - watch->drawn_ms >= DRAW_EVERY_MS)
			draw(watch);
		enum ferry_result result = ferry_next_change(watch->cli->ferry, TICK_MS, &change, &error);
		if (result == FERRY_OK)
			tell(watch, &change);
		else if (result != FERRY_TIMED_OUT)
			return cli_fail(watch->cli, result, &error);
		if (result == FERRY_OK && change.kind == FERRY_CHANGE_REFRESH)
			code = look(watch);
		if (arguments->timeout_s > 0 && clock_mono_ms() >= end_ms)
			return arguments->operand_count > 0 ? CLI_TIMED_OUT : CLI_OK;
	}
	if (watch->live)
		draw(watch);
	return code;
}

int verb_watch(struct cli *cli)
{
	struct watch watch = { .cli = cli, .live = !cli->json && terminal_is_live(TERMINAL_OUT) };
	struct ferry_error error;
	int code = cli_connect(cli);

	if (code != CLI_OK)
		return code;
	terminal_catch_interrupt();
	code = find_wanted(&watch);
	if (code == CLI_OK) {
		enum ferry_result result = ferry_subscribe(cli->ferry, &error);
		code = result == FERRY_OK ? follow(&watch) : cli_fail(cli, result, &error);
	}
	watch_done(&watch);
	return code;
}
