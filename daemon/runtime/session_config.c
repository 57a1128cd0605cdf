/* runtime/session: the configuration, shown and read again; what is declared, compared and applied.  For administrators: it names
 * hosts, folders and people. */
#include "runtime/session_private.h"

#include <stdlib.h>
#include <string.h>

enum result session_check_administrator(struct call *call)
{
	if (access_list_all(&call->session->caller))
		return RESULT_OK;
	return fault_set(call->fault, RESULT_ACCESS_REFUSED, FAULT_FERRY, 0, "%s: for elevated administrators only",
	                 method_name(call->request->method));
}

enum result do_config_show(struct call *call)
{
	enum result result = session_check_administrator(call);

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

static void write_errors(struct json_writer *out, const struct settings_errors *errors)
{
	const char *line = errors != NULL && errors->count > 0 ? errors->lines : "";

	json_write_begin(out, "errors", '[');
	while (*line != '\0') {
		size_t length = strcspn(line, "\n");

		json_write_text(out, NULL, (struct text_view){ line, length });
		line += length + (line[length] != '\0');
	}
	json_write_end(out, ']');
}

static void write_reloaded(struct json_writer *out, const void *what)
{
	const struct reloaded *reloaded = what;

	json_write_bool(out, "taken", reloaded->errors->count == 0);
	json_write_text(out, "now", text_view(reloaded->change->now));
	json_write_text(out, "later", text_view(reloaded->change->later));
	write_errors(out, reloaded->errors);
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
	enum result result = session_check_administrator(call);

	if (result != RESULT_OK)
		return result;
	waiting = calloc(1, sizeof(*waiting));
	if (waiting == NULL)
		return fault_set(call->fault, RESULT_NO_MEMORY, FAULT_FERRY, 0, "read the configuration again");
	*waiting = (struct waiting_reload){ { .answer = answer_reload }, session_later(call) };
	engine_reload_for(call->sessions->engine, &waiting->question);
	return RESULT_OK;
}

/* --- what is declared --- */

struct waiting_declared {
	struct declare_question question;
	struct later later;
};

struct declared_answer {
	const struct declare_step *steps;
	size_t count;
	const struct settings_errors *errors; /* NULL: none */
};

static void write_step(struct json_writer *out, const struct declare_step *step)
{
	char why[FAULT_LINE_BYTES_MAX];

	json_write_begin(out, NULL, '{');
	json_write_text(out, "name", text_view(step->name));
	json_write_text(out, "action", text_view(declare_act_name(step->action.act)));
	json_write_u64(out, "fetch", step->action.fetch);
	json_write_text(out, "reason", text_view(step->action.reason));
	fault_line(&step->fault, why);
	if (step->fault.result == RESULT_OK)
		json_write_raw(out, "error", text_view("null"));
	else
		json_write_text(out, "error", text_view(why));
	json_write_end(out, '}');
}

static void write_declared(struct json_writer *out, const void *what)
{
	const struct declared_answer *answer = what;

	json_write_bool(out, "taken", answer->errors == NULL);
	json_write_begin(out, "jobs", '[');
	for (size_t i = 0; i < answer->count; i++)
		write_step(out, &answer->steps[i]);
	json_write_end(out, ']');
	write_errors(out, answer->errors);
}

static void answer_declared(struct declare_question *question, enum result result, const struct declare_step *steps, size_t count,
                            const struct settings_errors *errors, const struct fault *fault)
{
	const struct declared_answer answer = { steps, count, errors };

	/* What is wrong in jobs.d is what was asked for: it is told whole, and is no failure of the call. */
	session_answer(&((struct waiting_declared *)question)->later, errors != NULL ? RESULT_OK : result, write_declared, &answer,
	               fault);
	free(question);
}

enum result do_declared(struct call *call)
{
	struct waiting_declared *waiting;
	enum result result = session_check_administrator(call);

	if (result != RESULT_OK)
		return result;
	waiting = calloc(1, sizeof(*waiting));
	if (waiting == NULL)
		return fault_set(call->fault, RESULT_NO_MEMORY, FAULT_FERRY, 0, "compare what is declared");
	*waiting = (struct waiting_declared){ { .act = call->request->method == METHOD_DECLARED_APPLY, .answer = answer_declared },
		                              session_later(call) };
	engine_declare_for(call->sessions->engine, &waiting->question);
	return RESULT_OK;
}

/* Whoever may open the job that fetches it now is told its id: a pinned helper, so that he can attach, knows its name alone. */
enum result do_declared_find(struct call *call)
{
	AUTO(identity) struct identity *identity = NULL;
	struct job_status status;
	unsigned rights = 0;
	enum result result = session_capture_owner(call, &identity);

	if (result == RESULT_OK)
		result = access_ask(identity_caller(identity), call->fault);
	if (result != RESULT_OK)
		return result;
	result = engine_declared_find(call->sessions->engine, call->request->properties.name, &status, call->fault);
	if (result == RESULT_OK)
		result = access_open(identity_caller(identity), &status.job, &rights, call->fault);
	if (result == RESULT_NOT_FOUND) /* unknown, not yours, or at rest: existence is not revealed */
		return fault_set(call->fault, RESULT_NOT_FOUND, FAULT_FERRY, 0, "params.name");
	if (result == RESULT_OK)
		json_write_text(call->out, "job", text_view(status.job.id));
	return result;
}
