/* The verb doctor: what may be wrong, and what to do; and all of it in an archive for a ticket. */
#include <string.h>

#include "cli/bundle.h"
#include "cli/cli.h"
#include "ferry_build.h"

#define REPORT_BYTES_MAX 65536u
#define PROXY_ASKED_FOR "http://example.com/" /* a name that is nobody's (RFC 2606); it is not asked itself */
#define NOT_REACHED "the service was not reached"

struct examining {
	struct cli *cli;
	struct buffer *report; /* the findings, as JSON lines */
	bool problem;
};

static void write_finding(struct buffer *to, const struct ferry_finding *finding)
{
	struct json_writer writer = JSON_WRITER(to);

	json_write_begin(&writer, NULL, '{');
	json_write_begin(&writer, "check", '{');
	json_write_text(&writer, "name", text_view(finding->name));
	json_write_text(&writer, "verdict", text_view(ferry_verdict_name(finding->verdict)));
	json_write_text(&writer, "seen", text_view(finding->seen));
	output_json_text(&writer, "remedy", finding->remedy);
	json_write_end(&writer, '}');
	json_write_end(&writer, '}');
	output_json_line(&writer);
}

static void say(struct examining *examining, const struct ferry_finding *finding)
{
	AUTO(buffer) struct buffer line = BUFFER(OUTPUT_LINE_BYTES_MAX);

	examining->problem |= finding->verdict == FERRY_VERDICT_PROBLEM;
	output_lines_to(examining->report);
	write_finding(&line, finding);
	output_lines_to(NULL);
	buffer_clear(&line);
	if (examining->cli->json) {
		write_finding(&line, finding);
		return;
	}
	output_text("%-14s %-8s %s\n", finding->name, ferry_verdict_name(finding->verdict), finding->seen);
	if (finding->remedy[0] != '\0')
		output_text("%-14s %-8s what to do: %s\n", "", "", finding->remedy);
}

static void tell(struct examining *examining, const char *name, enum ferry_verdict verdict, const char *seen, const char *remedy)
{
	struct ferry_finding finding = { .verdict = verdict };

	text_display(finding.name, sizeof(finding.name), "%s", name);
	text_display(finding.seen, sizeof(finding.seen), "%s", seen);
	text_display(finding.remedy, sizeof(finding.remedy), "%s", remedy);
	say(examining, &finding);
}

/* --- what is seen from here --- */

static bool check_pipe(struct examining *examining)
{
	struct ferry_error error;
	struct ferry_server server;
	char seen[256];
	enum ferry_result result = cli_try_connect(examining->cli, &error);

	if (result == FERRY_NOT_RUNNING)
		tell(examining, "pipe", FERRY_VERDICT_PROBLEM, error.message,
		     "Start it as an administrator: 'sc start Ferry'. 'sc query Ferry' says whether it is installed; why it did not start is in "
		     "the Event Log, event 16392.");
	else if (result != FERRY_OK)
		tell(examining, "pipe", FERRY_VERDICT_PROBLEM, error.message, error.remedy);
	if (result != FERRY_OK)
		return false;
	ferry_get_server(examining->cli->ferry, &server);
	text_display(seen, sizeof(seen), "%s answers, and the pipe is %s", server.version,
	             arguments_has(examining->cli->arguments, OPTION_CONSOLE) ? "the service's or yours" : "the service's own");
	tell(examining, "pipe", FERRY_VERDICT_OK, seen, "");
	if (strcmp(server.version, "ferryd " FERRY_VERSION) != 0)
		tell(examining, "version", FERRY_VERDICT_WARNING, "this is ferry " FERRY_VERSION ", and the service is another",
		     "Install both from the same package, then restart the service.");
	return true;
}

/* Whether it answers at all, whatever it says: it is asked for a page of its own. */
static void check_answer(struct examining *examining, const struct ferry_proxy *proxy)
{
	struct ferry_trial trial;
	struct ferry_error error;
	char url[FERRY_PROXY_BYTES + 8], seen[FERRY_PROXY_BYTES + 700];

	text_display(url, sizeof(url), "%s/", proxy->address);
	enum ferry_result result = ferry_auth_test(examining->cli->ferry, url, NULL, &trial, &error);
	if (result != FERRY_OK) {
		text_display(seen, sizeof(seen), "%s (%s), which may not be asked: %s", proxy->address, proxy->source, error.message);
		tell(examining, "proxy", FERRY_VERDICT_UNKNOWN, seen, error.remedy);
	} else if (trial.attempt.http_status != 0) {
		text_display(seen, sizeof(seen), "%s (%s) answers", proxy->address, proxy->source);
		tell(examining, "proxy", FERRY_VERDICT_OK, seen, "");
	} else {
		text_display(seen, sizeof(seen), "%s (%s) does not answer: %s", proxy->address, proxy->source, trial.attempt.error.message);
		tell(examining, "proxy", FERRY_VERDICT_PROBLEM, seen, trial.attempt.error.remedy);
	}
}

static void check_proxy(struct examining *examining)
{
	struct ferry_proxies proxies;
	struct ferry_error error;
	enum ferry_result result = ferry_proxy_show(examining->cli->ferry, NULL, PROXY_ASKED_FOR, &proxies, &error);

	if (result != FERRY_OK)
		tell(examining, "proxy", FERRY_VERDICT_UNKNOWN, error.message, error.remedy);
	else if (proxies.missed.name[0] != '\0')
		tell(examining, "proxy", FERRY_VERDICT_WARNING, proxies.missed.message, proxies.missed.remedy);
	if (result != FERRY_OK)
		return;
	if (proxies.count == 0 || proxies.proxies[0].address[0] == '\0')
		tell(examining, "proxy", FERRY_VERDICT_OK, "none: as you, servers are asked directly", "");
	else
		check_answer(examining, &proxies.proxies[0]);
}

/* --- what the service sees --- */

static bool pass_on(void *context, const struct ferry_finding *finding)
{
	say(context, finding);
	return true;
}

static void check_service(struct examining *examining, char data_folder[FERRY_PATH_BYTES_MAX + 1])
{
	struct ferry_error error;
	enum ferry_result result = ferry_doctor(examining->cli->ferry, data_folder, pass_on, examining, &error);

	if (result == FERRY_ACCESS_REFUSED)
		tell(examining, "service", FERRY_VERDICT_UNKNOWN,
		     "how its account, privileges, folder, queue, disk, clock, domain and configuration are is told to elevated administrators only",
		     "Run this again as an administrator.");
	else if (result != FERRY_OK)
		tell(examining, "service", FERRY_VERDICT_PROBLEM, error.message, error.remedy);
}

int verb_doctor(struct cli *cli)
{
	AUTO(buffer) struct buffer report = BUFFER(REPORT_BYTES_MAX);
	struct examining examining = { .cli = cli, .report = &report };
	char data_folder[FERRY_PATH_BYTES_MAX + 1] = "";
	int code = CLI_OK;

	if (check_pipe(&examining)) {
		check_proxy(&examining);
		check_service(&examining, data_folder);
	} else {
		tell(&examining, "service", FERRY_VERDICT_UNKNOWN, NOT_REACHED, "");
	}
	if (arguments_has(cli->arguments, OPTION_BUNDLE))
		code = bundle_write(cli, cli->arguments->bundle, (struct text_view){ report.bytes, report.length }, data_folder);
	return code != CLI_OK ? code : examining.problem ? CLI_JOB_FAILED : CLI_OK;
}
