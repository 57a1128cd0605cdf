/* purge: cancel the jobs that nothing has changed for long.  Programs leak jobs, and the queue has limits. */
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "platform/clock.h"

/* The ids of what is to go: while the list is walked, the connection cannot be used for anything else. */
struct purge {
	const struct arguments *arguments;
	int64_t now_ms;
	char (*ids)[FERRY_ID_BYTES];
	size_t count, capacity;
	bool no_memory;
};

static void purge_cleanup(struct purge *purge)
{
	free(purge->ids);
}

/* A lease begins with the last change, so its end tells when that was. */
static bool is_old(const struct purge *purge, const struct ferry_status *status)
{
	int64_t changed_ms = status->lease_ends_ms - (int64_t)status->lease_s * 1000;

	return !ferry_state_is_final(status->state) && status->lease_ends_ms != 0 && strcmp(status->owner, FERRY_OWNER_DECLARED) != 0 &&
	       purge->now_ms - changed_ms >= (int64_t)purge->arguments->older_than_s * 1000;
}

static bool note_old(void *context, const struct ferry_status *status)
{
	struct purge *purge = context;
	const char *name = purge->arguments->name;

	if (!is_old(purge, status) || (name != NULL && strcmp(name, status->name) != 0))
		return true;
	if (purge->count == purge->capacity) {
		size_t capacity = purge->capacity > 0 ? 2 * purge->capacity : 64;
		void *ids = realloc(purge->ids, capacity * sizeof(purge->ids[0]));
		purge->no_memory = ids == NULL;
		if (ids == NULL)
			return false;
		purge->ids = ids;
		purge->capacity = capacity;
	}
	memcpy(purge->ids[purge->count++], status->id, FERRY_ID_BYTES);
	return true;
}

/* The service counts the jobs that a connection opened, closed here or not; a new connection has opened none. */
static enum ferry_result open_one(struct cli *cli, const char *id, struct ferry_job **ret_job, int *ret_code)
{
	struct ferry_error error;
	enum ferry_result result = ferry_job_open(cli->ferry, id, ret_job, &error);

	if (result == FERRY_REFUSED && strcmp(error.name, "TOO_MANY_HANDLES") == 0) {
		ferry_close(cli->ferry);
		cli->ferry = NULL;
		*ret_code = cli_connect(cli);
		if (*ret_code != CLI_OK)
			return result;
		result = ferry_job_open(cli->ferry, id, ret_job, &error);
	}
	*ret_code = result == FERRY_OK || result == FERRY_NOT_FOUND ? CLI_OK : cli_fail(cli, result, &error);
	return result;
}

static int purge_job(struct cli *cli, const struct purge *purge, const char *id, unsigned *purged)
{
	struct ferry_job *job;
	struct ferry_status status;
	struct ferry_error error;
	char title[CLI_TITLE_BYTES_MAX];
	int code;

	if (open_one(cli, id, &job, &code) != FERRY_OK)
		return code;
	/* Whatever changed since it was listed renewed it, or ended it. */
	enum ferry_result result = ferry_job_get(job, &status, &error);
	bool old = result == FERRY_OK && is_old(purge, &status);
	if (old)
		result = ferry_job_cancel(job, &status, &error);
	ferry_job_close(job);
	if (result != FERRY_OK)
		return cli_fail(cli, result, &error);
	if (!old)
		return CLI_OK;
	*purged += 1;
	cli_title(&status, title);
	if (cli->json)
		cli_job_line(&status);
	else
		output_text("%s: %s\n", title, ferry_state_name(status.state));
	return CLI_OK;
}

int verb_purge(struct cli *cli)
{
	AUTO(purge) struct purge purge = { .arguments = cli->arguments, .now_ms = clock_wall_ms() };
	unsigned flags = arguments_has(cli->arguments, OPTION_EVERYONE) ? FERRY_LIST_EVERYONE : 0, purged = 0;
	struct ferry_error error;
	int first = cli_connect(cli);

	if (first != CLI_OK)
		return first;
	enum ferry_result result = ferry_jobs(cli->ferry, flags, note_old, &purge, &error);
	if (result != FERRY_OK)
		return cli_fail(cli, result, &error);
	if (purge.no_memory)
		return cli_problem(cli, CLI_FAILED, "there is not enough memory for so many jobs");
	for (size_t i = 0; i < purge.count && cli->ferry != NULL; i++) {
		int code = purge_job(cli, &purge, purge.ids[i], &purged);
		if (first == CLI_OK)
			first = code;
		if (code == CLI_UNREACHABLE)
			break;
	}
	if (!cli->json)
		output_text(purged == 1 ? "%u job was cancelled.\n" : "%u jobs were cancelled.\n", purged);
	return first;
}
