/* The configuration: what holds and where it is from, and having it read again.  What is declared. */
#include <string.h>

#include "ferry_private.h"

#define VALUE_BYTES_MAX PROTOCOL_MESSAGE_BYTES_MAX

static enum result get_word(struct json object, const char *name, char *to, size_t size, struct fault *fault)
{
	struct text_view text;
	enum result result = json_get_text(json_member(object, name), size - 1, &text, fault);

	return result == RESULT_OK ? text_copy(to, size, text) : result;
}

/* A number, a text, or a list of texts, written again. */
static enum result write_value(struct json value, struct buffer *to, struct fault *fault)
{
	struct json_writer writer = JSON_WRITER(to);
	struct text_view text;
	uint64_t number;
	enum result result = RESULT_OK;

	buffer_clear(to);
	if (json_is_number(value)) {
		result = json_get_u64(value, 0, UINT64_MAX, &number, fault);
		if (result == RESULT_OK)
			json_write_u64(&writer, NULL, number);
	} else if (json_is_array(value)) {
		json_write_begin(&writer, NULL, '[');
		for (size_t i = 0; i < json_length(value) && result == RESULT_OK; i++) {
			result = json_get_text(json_at(value, i), VALUE_BYTES_MAX, &text, fault);
			if (result == RESULT_OK)
				json_write_text(&writer, NULL, text);
		}
		json_write_end(&writer, ']');
	} else {
		result = json_get_text(value, VALUE_BYTES_MAX, &text, fault);
		if (result == RESULT_OK)
			json_write_text(&writer, NULL, text);
	}
	return result == RESULT_OK ? json_write_done(&writer) : result;
}

static enum result read_setting(struct json from, struct buffer *value, struct ferry_setting *setting, struct fault *fault)
{
	uint64_t line = 0;
	enum result result = get_word(from, "key", setting->key, sizeof(setting->key), fault);

	if (result == RESULT_OK)
		result = get_word(from, "layer", setting->layer, sizeof(setting->layer), fault);
	if (result == RESULT_OK && !json_is_null(json_member(from, "source")))
		result = get_word(from, "source", setting->source, sizeof(setting->source), fault);
	if (result == RESULT_OK)
		result = json_get_u64(json_member(from, "line"), 0, UINT32_MAX, &line, fault);
	if (result == RESULT_OK)
		result = write_value(json_member(from, "value"), value, fault);
	setting->line = (uint32_t)line;
	setting->value = value->bytes;
	return result;
}

enum ferry_result ferry_config_show(struct ferry *ferry, bool (*visit)(void *context, const struct ferry_setting *setting),
                                    void *context, struct ferry_error *error)
{
	AUTO(json_document) struct json_document *document = NULL;
	AUTO(buffer) struct buffer value = BUFFER(VALUE_BYTES_MAX);
	struct fault fault = { .result = RESULT_OK }, why = { .result = RESULT_OK };
	struct json answer;
	struct json_writer request = ferry_request(ferry, METHOD_CONFIG_SHOW);
	enum result result = ferry_call(ferry, &request, &document, &answer, &fault);
	struct json settings = result == RESULT_OK ? json_member(answer, "settings") : (struct json){ .value = NULL };
	bool more = result == RESULT_OK;

	for (size_t i = 0; more && i < json_length(settings); i++) {
		struct ferry_setting setting = { .value = NULL };

		if (read_setting(json_at(settings, i), &value, &setting, &why) != RESULT_OK)
			return ferry_report(ferry_not_understood(ferry, &why, &fault), &fault, error);
		more = visit(context, &setting);
	}
	return ferry_report(result, &fault, error);
}

/* A line each, as many as there is room for. */
static enum result read_errors(struct json errors, char *to, size_t size, struct fault *fault)
{
	struct text_view line;
	size_t used = 0;
	enum result result = RESULT_OK;

	to[0] = '\0';
	for (size_t i = 0; i < json_length(errors) && result == RESULT_OK; i++) {
		result = json_get_text(json_at(errors, i), size, &line, fault);
		if (result == RESULT_OK)
			text_display(to + used, size - used, "%s%.*s", used > 0 ? "\n" : "", (int)line.length, line.bytes);
		used = strlen(to);
	}
	return result;
}

static enum result read_reload(struct json answer, struct ferry_reload *reload, struct fault *fault)
{
	enum result result = json_get_bool(json_member(answer, "taken"), &reload->taken, fault);

	if (result == RESULT_OK)
		result = get_word(answer, "now", reload->now, sizeof(reload->now), fault);
	if (result == RESULT_OK)
		result = get_word(answer, "later", reload->later, sizeof(reload->later), fault);
	return result == RESULT_OK ? read_errors(json_member(answer, "errors"), reload->errors, sizeof(reload->errors), fault) : result;
}

enum ferry_result ferry_config_reload(struct ferry *ferry, struct ferry_reload *ret_reload, struct ferry_error *error)
{
	AUTO(json_document) struct json_document *document = NULL;
	struct fault fault = { .result = RESULT_OK }, why = { .result = RESULT_OK };
	struct json answer;
	struct json_writer request = ferry_request(ferry, METHOD_CONFIG_RELOAD);
	enum result result = ferry_call(ferry, &request, &document, &answer, &fault);

	*ret_reload = (struct ferry_reload){ .taken = false };
	if (result == RESULT_OK && read_reload(answer, ret_reload, &why) != RESULT_OK)
		result = ferry_not_understood(ferry, &why, &fault);
	return ferry_report(result, &fault, error);
}

static enum result read_declared(struct json from, struct ferry_declared *declared, struct fault *fault)
{
	enum result result = get_word(from, "name", declared->name, sizeof(declared->name), fault);

	if (result == RESULT_OK)
		result = get_word(from, "action", declared->action, sizeof(declared->action), fault);
	if (result == RESULT_OK)
		result = json_get_u64(json_member(from, "fetch"), 0, UINT32_MAX, &declared->fetch, fault);
	if (result == RESULT_OK)
		result = get_word(from, "reason", declared->reason, sizeof(declared->reason), fault);
	if (result == RESULT_OK && !json_is_null(json_member(from, "error")))
		result = get_word(from, "error", declared->error, sizeof(declared->error), fault);
	return result;
}

enum ferry_result ferry_declared(struct ferry *ferry, bool act,
                                 bool (*visit)(void *context, const struct ferry_declared *declared), void *context,
                                 char *ret_errors, struct ferry_error *error)
{
	AUTO(json_document) struct json_document *document = NULL;
	struct fault fault = { .result = RESULT_OK }, why = { .result = RESULT_OK };
	struct json answer;
	struct json_writer request = ferry_request(ferry, act ? METHOD_DECLARED_APPLY : METHOD_DECLARED_PLAN);
	int64_t usual_ms = ferry->answer_timeout_ms;

	ferry->answer_timeout_ms = -1; /* as long as its files take to be read */

	enum result result = ferry_call(ferry, &request, &document, &answer, &fault);

	ferry->answer_timeout_ms = usual_ms;

	struct json jobs = result == RESULT_OK ? json_member(answer, "jobs") : (struct json){ .value = NULL };
	bool more = result == RESULT_OK;

	ret_errors[0] = '\0';
	if (more && read_errors(json_member(answer, "errors"), ret_errors, FERRY_DECLARED_ERRORS_BYTES_MAX, &why) != RESULT_OK)
		return ferry_report(ferry_not_understood(ferry, &why, &fault), &fault, error);
	for (size_t i = 0; more && i < json_length(jobs); i++) {
		struct ferry_declared declared = { .fetch = 0 };

		if (read_declared(json_at(jobs, i), &declared, &why) != RESULT_OK)
			return ferry_report(ferry_not_understood(ferry, &why, &fault), &fault, error);
		more = visit(context, &declared);
	}
	return ferry_report(result, &fault, error);
}

enum ferry_result ferry_declared_find(struct ferry *ferry, const char *name, char ret_id[FERRY_ID_BYTES], struct ferry_error *error)
{
	AUTO(json_document) struct json_document *document = NULL;
	struct fault fault = { .result = RESULT_OK }, why = { .result = RESULT_OK };
	struct json answer;
	struct json_writer request = ferry_request(ferry, METHOD_DECLARED_FIND);

	json_write_text(&request, "name", text_view(name));

	enum result result = ferry_call(ferry, &request, &document, &answer, &fault);

	if (result == RESULT_OK && get_word(answer, "job", ret_id, FERRY_ID_BYTES, &why) != RESULT_OK)
		result = ferry_not_understood(ferry, &why, &fault);
	return ferry_report(result, &fault, error);
}
