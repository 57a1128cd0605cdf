/* The verbs about how asking goes: history, auth test. */
#include <stdlib.h>

#include "cli/cli.h"
#include "cli/format.h"

#define TARGETS 2u
#define SCHEMES 4u
#define SCHEMES_BYTES_MAX 48

/* --- JSON --- */

static void write_schemes(struct json_writer *writer, const char *name, unsigned schemes)
{
	json_write_begin(writer, name, '[');
	for (unsigned i = SCHEMES; i-- > 0;)
		if (schemes & 1u << i)
			json_write_text(writer, NULL, text_view(ferry_auth_scheme_name((enum ferry_auth_scheme)i)));
	json_write_end(writer, ']');
}

static void write_targets(struct json_writer *writer, const char *name, const char *one, const unsigned *of_one,
                          const char *other, const unsigned *of_other)
{
	json_write_begin(writer, name, '{');
	for (unsigned target = 0; target < TARGETS; target++) {
		json_write_begin(writer, ferry_auth_target_name((enum ferry_auth_target)target), '{');
		write_schemes(writer, one, of_one[target]);
		write_schemes(writer, other, of_other[target]);
		json_write_end(writer, '}');
	}
	json_write_end(writer, '}');
}

static void write_attempt(struct json_writer *writer, const struct ferry_attempt *attempt)
{
	json_write_begin(writer, "attempt", '{');
	json_write_u64(writer, "count", attempt->count);
	json_write_u64(writer, "file", attempt->file);
	json_write_i64(writer, "first_ms", attempt->first_ms);
	json_write_i64(writer, "last_ms", attempt->last_ms);
	output_json_text(writer, "url", attempt->url);
	output_json_text(writer, "proxy", attempt->proxy.address);
	json_write_text(writer, "proxy_source", text_view(attempt->proxy.source));
	output_json_text(writer, "identity_sid", attempt->identity_sid);
	output_json_text(writer, "tls", attempt->tls);
	json_write_i64(writer, "http_status", attempt->http_status);
	write_targets(writer, "auth", "offers", attempt->offered, "answered_with", attempt->answered);
	output_json_text(writer, "words", attempt->words);
	output_json_error(writer, "error", &attempt->error);
	json_write_end(writer, '}');
}

static void print_json(const struct ferry_attempt *attempt, const struct ferry_trial *trial)
{
	AUTO(buffer) struct buffer line = BUFFER(OUTPUT_LINE_BYTES_MAX);
	struct json_writer writer = JSON_WRITER(&line);

	json_write_begin(&writer, NULL, '{');
	write_attempt(&writer, attempt);
	if (trial != NULL)
		write_targets(&writer, "policy", "allowed", trial->allowed, "forbidden", trial->forbidden);
	json_write_end(&writer, '}');
	output_json_line(&writer);
}

/* --- words --- */

static const char *names_of(unsigned schemes, char to[SCHEMES_BYTES_MAX])
{
	static const char *const names[SCHEMES] = { "Basic", "Digest", "NTLM", "Negotiate" };
	size_t used = 0;

	text_display(to, SCHEMES_BYTES_MAX, "nothing");
	for (unsigned i = SCHEMES; i-- > 0;) {
		if (!(schemes & 1u << i))
			continue;
		text_display(to + used, SCHEMES_BYTES_MAX - used, "%s%s", used > 0 ? ", " : "", names[i]);
		while (to[used] != '\0')
			used++;
	}
	return to;
}

/* Who did not ask is told by what might have been said to him. */
static void print_target(const char *who, unsigned offered, unsigned answered, const struct ferry_trial *trial, unsigned target)
{
	char one[SCHEMES_BYTES_MAX], other[SCHEMES_BYTES_MAX];

	if (offered == 0 && answered == 0 && trial == NULL)
		return;
	if (offered == 0 && answered == 0)
		output_text("  %-12s does not ask who you are\n", who);
	else if (offered == 0)
		output_text("  %-12s was told by %s before it asked\n", who, names_of(answered, one));
	else
		output_text("  %-12s offers %s; was answered with %s\n", who, names_of(offered, one), names_of(answered, other));
	if (trial != NULL && offered != 0)
		output_text("  %-12s may be answered with %s; the configuration forbids %s\n", "", names_of(trial->allowed[target], one),
		            names_of(trial->forbidden[target], other));
}

static void print_words(const struct ferry_attempt *attempt, const struct ferry_trial *trial)
{
	const char *proxy = attempt->proxy.address, *source = attempt->proxy.source;

	output_text("  url          %s\n", attempt->url);
	output_text("  proxy        %s  %s\n", proxy[0] != '\0' ? proxy : "direct", source);
	output_text("  as           %s\n", attempt->identity_sid);
	if (attempt->tls[0] != '\0')
		output_text("  tls          %s\n", attempt->tls);
	if (proxy[0] != '\0')
		print_target("the proxy", attempt->offered[FERRY_AUTH_PROXY], attempt->answered[FERRY_AUTH_PROXY], trial,
		             FERRY_AUTH_PROXY);
	print_target("the server", attempt->offered[FERRY_AUTH_SERVER], attempt->answered[FERRY_AUTH_SERVER], trial,
	             FERRY_AUTH_SERVER);
	if (attempt->http_status != 0)
		output_text("  status       %d\n", attempt->http_status);
	if (attempt->words[0] != '\0')
		output_text("  it was said  %s\n", attempt->words);
	if (attempt->error.name[0] != '\0')
		output_job_error(&attempt->error);
}

/* --- the verbs --- */

static void print_history(const struct ferry_attempt *attempt)
{
	char first[FORMAT_BYTES_MAX], last[FORMAT_BYTES_MAX];

	format_moment(attempt->first_ms, first);
	format_moment(attempt->last_ms, last);
	if (attempt->count == 1)
		output_text("%s, file %u\n", first, attempt->file);
	else
		output_text("%s, %u times until %s, last file %u\n", first, attempt->count, last, attempt->file);
	print_words(attempt, NULL);
}

static int show_history(struct cli *cli, struct ferry_job *job)
{
	struct ferry_attempt *attempts = calloc(FERRY_ATTEMPTS_MAX, sizeof(*attempts));
	struct fault fault;
	struct ferry_error error;
	uint32_t count = 0;

	if (attempts == NULL) {
		(void)!fault_set(&fault, RESULT_NO_MEMORY, FAULT_FERRY, 0, "show attempts");
		return cli_fault(cli, CLI_FAILED, &fault, NULL);
	}
	enum ferry_result result = ferry_job_history(job, attempts, &count, &error);
	for (uint32_t i = 0; result == FERRY_OK && i < count; i++) {
		if (cli->json)
			print_json(&attempts[i], NULL);
		else
			print_history(&attempts[i]);
	}
	if (result == FERRY_OK && count == 0 && !cli->json)
		output_text("Nothing was asked for yet.\n");
	free(attempts);
	return result == FERRY_OK ? CLI_OK : cli_fail(cli, result, &error);
}

int verb_history(struct cli *cli)
{
	return cli_each_job(cli, show_history);
}

int verb_auth_test(struct cli *cli)
{
	struct ferry_trial trial;
	struct ferry_error error;
	int code = cli_connect(cli);

	if (code != CLI_OK)
		return code;
	enum ferry_result result = ferry_auth_test(cli->ferry, cli->arguments->operands[0], cli->arguments->proxy, &trial, &error);
	if (result != FERRY_OK)
		return cli_fail(cli, result, &error);
	if (cli->json)
		print_json(&trial.attempt, &trial);
	else
		print_words(&trial.attempt, &trial);
	return trial.attempt.error.name[0] == '\0' ? CLI_OK : CLI_JOB_FAILED;
}
