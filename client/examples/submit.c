/* A minimal update agent: fetch one file through Ferry and wait until it is in place, whatever happens meanwhile.
 *
 *   submit URL PATH
 *
 * The key makes it safe to be started again at any time: after a crash, a reboot, or by an impatient scheduler it finds
 * the job that is there.  Exit codes: 0 in place, 1 not.
 *
 *   cc submit.c -I<prefix>/include -L<prefix>/lib -lferry ...
 */
#include <inttypes.h>
#include <stdio.h>

#include "ferry.h"

static int complain(const char *doing, const struct ferry_error *error)
{
	fprintf(stderr, "%s: %s (%s 0x%08" PRIX32 ")\n%s\n", doing, error->message, error->name, error->hresult,
	        error->remedy);
	return 1;
}

static bool on_change(void *context, const struct ferry_change *change)
{
	(void)context;
	if (change->kind == FERRY_CHANGE_STATE || change->kind == FERRY_CHANGE_PROGRESS)
		printf("%s, %" PRIu64 " bytes\n", ferry_state_name(change->status.state), change->status.bytes_transferred);
	else if (change->kind == FERRY_CHANGE_RECONNECTING)
		printf("the service went away, try %u\n", change->attempt);
	return true;
}

static int fetch(struct ferry *ferry, const char *url, const char *path)
{
	const struct ferry_source file = { .url = url, .path = path, .size_bytes = FERRY_SIZE_UNKNOWN };
	const struct ferry_new_job request = {
		.key = path,
		.properties = { .given = FERRY_GIVE_NAME | FERRY_GIVE_AUTO_COMPLETE, .name = "example", .auto_complete = true },
		.files = &file,
		.file_count = 1,
	};
	const struct ferry_wait wait = { .on_change = on_change };
	struct ferry_job *job;
	struct ferry_status status;
	struct ferry_error error;
	bool created;

	if (ferry_job_create(ferry, &request, &job, &created, &error) != FERRY_OK)
		return complain("make the job", &error);
	enum ferry_result result = ferry_job_get(job, &status, &error);
	if (result == FERRY_OK && status.state == FERRY_STATE_SUSPENDED)
		result = ferry_job_resume(job, &status, &error);
	if (result == FERRY_OK)
		result = ferry_job_wait(job, &wait, &status, &error);
	ferry_job_close(job);
	if (result != FERRY_OK)
		return complain("wait for the job", &error);
	if (status.state == FERRY_STATE_ACKNOWLEDGED)
		return 0;
	if (status.state == FERRY_STATE_ERROR)
		return complain("the job failed", &status.error);
	fprintf(stderr, "the job is %s\n", ferry_state_name(status.state));
	return 1;
}

int main(int argc, char **argv)
{
	const struct ferry_options options = { .client = "example-submit 1.0" };
	struct ferry *ferry;
	struct ferry_error error;

	if (argc != 3) {
		fprintf(stderr, "usage: submit URL PATH\n");
		return 1;
	}
	if (ferry_connect(&options, &ferry, &error) != FERRY_OK)
		return complain("connect", &error);
	int code = fetch(ferry, argv[1], argv[2]);
	ferry_close(ferry);
	return code;
}
