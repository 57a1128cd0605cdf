/* runtime/session: the configuration, shown and read again.  For administrators: it names hosts, folders and people. */
#include "runtime/session_private.h"

#include <stdlib.h>
#include <string.h>

static enum result check_asker(struct call *call)
{
	if (access_list_all(&call->session->caller))
		return RESULT_OK;
	return fault_set(call->fault, RESULT_ACCESS_REFUSED, FAULT_FERRY, 0, "%s: for elevated administrators only",
	                 method_name(call->request->method));
}

enum result do_config_show(struct call *call)
{
	enum result result = check_asker(call);

	if (result != RESULT_OK)
		return result;
	json_write_begin(call->out, "settings", '[');
	settings_show(call->sessions->settings.settings, call->out);
	json_write_end(call->out, ']');
	return RESULT_OK;
}

struct waiting_reload {
	struct reload_question question;
	struct later later;
};

struct reloaded {
	const struct settings_change *change;
	const struct settings_errors *errors;
};

static void write_reloaded(struct json_writer *out, const void *what)
{
	const struct reloaded *reloaded = what;
	const char *line = reloaded->errors->count > 0 ? reloaded->errors->lines : "";

	json_write_bool(out, "taken", reloaded->errors->count == 0);
	json_write_text(out, "now", text_view(reloaded->change->now));
	json_write_text(out, "later", text_view(reloaded->change->later));
	json_write_begin(out, "errors", '[');
	while (*line != '\0') {
		size_t length = strcspn(line, "\n");

		json_write_text(out, NULL, (struct text_view){ line, length });
		line += length + (line[length] != '\0');
	}
	json_write_end(out, ']');
}

static void answer_reload(struct reload_question *question, const struct settings_change *change,
                          const struct settings_errors *errors)
{
	session_answer(&((struct waiting_reload *)question)->later, RESULT_OK, write_reloaded, &(struct reloaded){ change, errors },
	               NULL);
	free(question);
}

enum result do_config_reload(struct call *call)
{
	struct waiting_reload *waiting;
	enum result result = check_asker(call);

	if (result != RESULT_OK)
		return result;
	waiting = calloc(1, sizeof(*waiting));
	if (waiting == NULL)
		return fault_set(call->fault, RESULT_NO_MEMORY, FAULT_FERRY, 0, "read the configuration again");
	*waiting = (struct waiting_reload){ { .answer = answer_reload }, session_later(call) };
	engine_reload_for(call->sessions->engine, &waiting->question);
	return RESULT_OK;
}
