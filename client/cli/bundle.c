#include "cli/bundle.h"

#include <stdlib.h>
#include <string.h>

#include "cli/tar.h"
#include "ferry_build.h"
#include "platform/clock.h"

#define SECTION_BYTES_MAX (64u << 20)
#define LOG_BYTES_MAX (64u << 20)  /* of one file of the log: its last bytes, */
#define LOGS_BYTES_MAX (256u << 20) /* and of all, the newest first */
#define JOBS_MAX 1000u             /* whose attempts are told, the first ones */

struct bundle {
	struct cli *cli;
	struct tar tar;
	struct fault fault;
	bool everyone; /* whoever asks may see other people's jobs */
};

static enum result check_interrupted(struct bundle *bundle)
{
	return terminal_interrupted() ? fault_set(&bundle->fault, RESULT_CANCELLED, FAULT_FERRY, 0, "Ctrl-C") : RESULT_OK;
}

/* --- what verbs say --- */

/* Its lines as --json prints them, errors too. */
static void run_verb(struct bundle *bundle, int (*verb)(struct cli *cli), const struct arguments *arguments, struct buffer *to)
{
	struct cli cli = { .arguments = arguments, .ferry = bundle->cli->ferry, .json = true };

	output_lines_to(to);
	(void)verb(&cli);
	output_lines_to(NULL);
}

static enum result add_verb(struct bundle *bundle, const char *name, int (*verb)(struct cli *cli), uint64_t options)
{
	AUTO(buffer) struct buffer text = BUFFER(SECTION_BYTES_MAX);
	const struct arguments arguments = { .given = options };
	enum result result = check_interrupted(bundle);

	if (result != RESULT_OK)
		return result;
	run_verb(bundle, verb, &arguments, &text);
	return tar_add(&bundle->tar, name, (struct text_view){ text.bytes, text.length }, &bundle->fault);
}

struct ids {
	char (*ids)[FERRY_ID_BYTES];
	uint32_t count;
};

static bool note_id(void *context, const struct ferry_status *status)
{
	struct ids *ids = context;

	memcpy(ids->ids[ids->count++], status->id, FERRY_ID_BYTES);
	return ids->count < JOBS_MAX;
}

static void run_history(struct bundle *bundle, char *id, struct buffer *to)
{
	AUTO(buffer) struct buffer head = BUFFER(128);
	struct json_writer writer = JSON_WRITER(&head);
	const struct arguments arguments = { .operands = &id, .operand_count = 1 };

	json_write_begin(&writer, NULL, '{');
	json_write_text(&writer, "history_of", text_view(id));
	json_write_end(&writer, '}');
	output_lines_to(to);
	output_json_line(&writer);
	run_verb(bundle, verb_history, &arguments, to);
}

static enum result add_histories(struct bundle *bundle)
{
	AUTO(buffer) struct buffer text = BUFFER(SECTION_BYTES_MAX);
	struct ids ids = { .ids = calloc(JOBS_MAX, sizeof(*ids.ids)) };
	unsigned flags = FERRY_LIST_FINISHED | (bundle->everyone ? FERRY_LIST_EVERYONE : 0u);
	enum result result = RESULT_OK;

	if (ids.ids == NULL)
		return fault_set(&bundle->fault, RESULT_NO_MEMORY, FAULT_FERRY, 0, "list the jobs");
	(void)!ferry_jobs(bundle->cli->ferry, flags, note_id, &ids, NULL);
	for (uint32_t i = 0; i < ids.count && result == RESULT_OK; i++) {
		result = check_interrupted(bundle);
		run_history(bundle, ids.ids[i], &text);
	}
	free(ids.ids);
	return result == RESULT_OK ? tar_add(&bundle->tar, "history.jsonl", (struct text_view){ text.bytes, text.length }, &bundle->fault) : result;
}

static enum result add_metrics(struct bundle *bundle)
{
	char *text = NULL;

	if (ferry_service_metrics(bundle->cli->ferry, &text, NULL) != FERRY_OK)
		return RESULT_OK; /* an older service has none */
	enum result result = tar_add(&bundle->tar, "metrics.prom", text_view(text), &bundle->fault);
	free(text);
	return result;
}

static enum result add_service(struct bundle *bundle)
{
	uint64_t everyone = bundle->everyone ? UINT64_C(1) << OPTION_EVERYONE : 0;
	enum result result = add_verb(bundle, "status.jsonl", verb_status, 0);

	if (result == RESULT_OK)
		result = add_verb(bundle, "configuration.jsonl", verb_config_show, UINT64_C(1) << OPTION_ORIGIN);
	if (result == RESULT_OK)
		result = add_verb(bundle, "jobs.jsonl", verb_list, UINT64_C(1) << OPTION_ALL | everyone);
	if (result == RESULT_OK)
		result = add_histories(bundle);
	return result == RESULT_OK ? add_metrics(bundle) : result;
}

/* --- the log --- */

/* True: it is in, or the archive has failed; false: there is none, or whoever asks may not read it. */
static bool add_log(struct bundle *bundle, const char *folder, unsigned number, uint64_t *left, enum result *ret_result)
{
	AUTO(file_handle) struct file_handle *file = NULL;
	char name[40], path[FERRY_PATH_BYTES_MAX + 48];
	uint64_t size = 0;

	text_display(name, sizeof(name), number == 0 ? "ferry.jsonl" : "ferry.%u.jsonl", number);
	text_display(path, sizeof(path), "%s%c%s", folder, file_path_style == PATH_WINDOWS ? '\\' : '/', name);
	if (*left == 0 || file_open_read(path, &file, NULL) != RESULT_OK || file_size(file, &size, NULL) != RESULT_OK)
		return false;
	uint64_t most = *left < LOG_BYTES_MAX ? *left : LOG_BYTES_MAX;
	*ret_result = tar_add_file(&bundle->tar, name, file, most, &bundle->fault);
	*left -= size < most ? size : most;
	return true;
}

static enum result add_logs(struct bundle *bundle, const char *folder)
{
	char known[FERRY_PATH_BYTES_MAX + 1];
	uint64_t left = LOGS_BYTES_MAX;
	enum result result = RESULT_OK;

	if (folder[0] == '\0' && file_data_folder(known, sizeof(known), NULL) == RESULT_OK)
		folder = known;
	for (unsigned number = 0; result == RESULT_OK && add_log(bundle, folder, number, &left, &result); number++)
		if (result == RESULT_OK)
			result = check_interrupted(bundle);
	return result;
}

/* --- the whole --- */

static enum result fill(struct bundle *bundle, struct text_view report, const char *data_folder)
{
	static const char about[] = "Made by ferry " FERRY_VERSION " --bundle. Secrets are in none of these files, but names of people, hosts, "
				    "folders and jobs are:\nlook through them before you pass them on.\n";
	enum result result = tar_add(&bundle->tar, "about.txt", text_view(about), &bundle->fault);

	if (result == RESULT_OK)
		result = tar_add(&bundle->tar, "doctor.jsonl", report, &bundle->fault);
	if (result == RESULT_OK && bundle->cli->ferry != NULL)
		result = add_service(bundle);
	return result == RESULT_OK ? add_logs(bundle, data_folder) : result;
}

int bundle_write(struct cli *cli, const char *path, struct text_view report, const char *data_folder)
{
	struct bundle bundle = { .cli = cli };
	struct ferry_server server = { .elevated = false };
	char absolute[FERRY_PATH_BYTES_MAX + 1];

	if (!terminal_absolute(path, absolute, sizeof(absolute)))
		return cli_problem(cli, CLI_USAGE, "'%s' is no path of a file", path);
	if (cli->ferry != NULL)
		ferry_get_server(cli->ferry, &server);
	bundle.everyone = server.elevated;
	terminal_catch_interrupt();
	enum result result = tar_begin(&bundle.tar, absolute, clock_wall_ms() / 1000, &bundle.fault);
	if (result == RESULT_OK)
		result = tar_end(&bundle.tar, fill(&bundle, report, data_folder), &bundle.fault);
	if (result == RESULT_CANCELLED)
		return CLI_INTERRUPTED;
	return result == RESULT_OK ? CLI_OK :
	       cli_fault(cli, CLI_FAILED, &bundle.fault, result == RESULT_EXISTS ? "Give another name: nothing is overwritten." : NULL);
}
