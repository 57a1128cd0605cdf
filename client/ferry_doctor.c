/* What may be wrong with the service, as it sees it itself. */
#include <string.h>

#include "ferry_private.h"

#define VERDICTS 4u

const char *ferry_verdict_name(enum ferry_verdict verdict)
{
	static const char *const names[VERDICTS] = { "ok", "warning", "problem", "unknown" };

	return names[verdict];
}

/* One of a newer service is as good as unknown. */
static enum ferry_verdict verdict_from_name(struct text_view name)
{
	unsigned verdict = 0;

	while (verdict < FERRY_VERDICT_UNKNOWN && !text_is(name, ferry_verdict_name((enum ferry_verdict)verdict)))
		verdict++;
	return (enum ferry_verdict)verdict;
}

static enum result get_words(struct json object, const char *name, char *to, size_t size, struct fault *fault)
{
	struct text_view text;
	enum result result = json_get_text(json_member(object, name), PROTOCOL_MESSAGE_BYTES_MAX, &text, fault);

	if (result == RESULT_OK)
		text_display(to, size, "%.*s", (int)text.length, text.bytes);
	return result;
}

static enum result read_finding(struct json value, struct ferry_finding *finding, struct fault *fault)
{
	struct text_view verdict;
	enum result result = get_words(value, "name", finding->name, sizeof(finding->name), fault);

	if (result == RESULT_OK)
		result = json_get_text(json_member(value, "verdict"), sizeof(finding->name), &verdict, fault);
	if (result == RESULT_OK)
		result = get_words(value, "seen", finding->seen, sizeof(finding->seen), fault);
	finding->remedy[0] = '\0';
	if (result == RESULT_OK && !json_is_null(json_member(value, "remedy")))
		result = get_words(value, "remedy", finding->remedy, sizeof(finding->remedy), fault);
	if (result == RESULT_OK)
		finding->verdict = verdict_from_name(verdict);
	return result;
}

enum ferry_result ferry_doctor(struct ferry *ferry, char ret_data_folder[FERRY_PATH_BYTES_MAX + 1],
                               bool (*visit)(void *context, const struct ferry_finding *finding), void *context,
                               struct ferry_error *error)
{
	AUTO(json_document) struct json_document *document = NULL;
	struct fault fault = { .result = RESULT_OK }, why = { .result = RESULT_OK };
	struct ferry_finding finding;
	struct json answer;
	struct json_writer request = ferry_request(ferry, METHOD_SERVICE_DOCTOR);
	enum result result = ferry_call(ferry, &request, &document, &answer, &fault);

	if (result != RESULT_OK)
		return ferry_report(result, &fault, error);

	struct json checks = json_member(answer, "checks");
	bool more = true;

	if (get_words(answer, "data_folder", ret_data_folder, FERRY_PATH_BYTES_MAX + 1, &why) != RESULT_OK)
		return ferry_report(ferry_not_understood(ferry, &why, &fault), &fault, error);
	for (size_t i = 0; more && i < json_length(checks); i++) {
		if (read_finding(json_at(checks, i), &finding, &why) != RESULT_OK)
			return ferry_report(ferry_not_understood(ferry, &why, &fault), &fault, error);
		more = visit(context, &finding);
	}
	return ferry_report(RESULT_OK, &fault, error);
}
