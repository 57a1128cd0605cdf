/* runtime/session: an examination of the service, for administrators: it names folders and accounts. */
#include "runtime/session_private.h"

#include <stdlib.h>
#include <string.h>

/* It is answered in a turn: `done` comes on another thread. */
struct waiting_examination {
	struct examination examination;
	struct letter letter;
	struct later later;
};
_Static_assert(offsetof(struct waiting_examination, examination) == 0, "the doctor free()s it as that");

struct examined {
	const struct sessions *sessions;
	const struct examination *examination;
};

static void write_finding(struct json_writer *out, enum doctor_check check, const struct finding *finding)
{
	json_write_begin(out, NULL, '{');
	json_write_text(out, "name", text_view(doctor_check_name(check)));
	json_write_text(out, "verdict", text_view(verdict_name(finding->verdict)));
	json_write_text(out, "seen", text_view(finding->seen));
	if (finding->remedy[0] == '\0')
		json_write_raw(out, "remedy", text_view("null"));
	else
		json_write_text(out, "remedy", text_view(finding->remedy));
	json_write_end(out, '}');
}

static void write_examined(struct json_writer *out, const void *what)
{
	const struct examined *examined = what;

	json_write_text(out, "data_folder", text_view(examined->sessions->settings.data_folder));
	json_write_begin(out, "checks", '[');
	for (unsigned check = 0; check < DOCTOR_CHECK_COUNT; check++)
		write_finding(out, (enum doctor_check)check, &examined->examination->findings[check]);
	json_write_end(out, ']');
}

static void deliver(struct letter *letter, void *receiver)
{
	struct waiting_examination *waiting =
		(struct waiting_examination *)(void *)((char *)letter - offsetof(struct waiting_examination, letter));

	if (receiver != NULL)
		session_answer(&waiting->later, RESULT_OK, write_examined,
		               &(struct examined){ waiting->later.sessions, &waiting->examination }, NULL);
	free(waiting);
}

static void on_done(struct examination *examination)
{
	struct waiting_examination *waiting = (struct waiting_examination *)examination;

	waiting->letter.deliver = deliver;
	engine_post(waiting->later.sessions->engine, &waiting->letter);
}

enum result do_doctor(struct call *call)
{
	struct waiting_examination *waiting;
	enum result result = session_check_administrator(call);

	if (result != RESULT_OK)
		return result;
	if (doctor_is_busy(call->sessions->doctor)) /* before the engine looks, which stops everybody else */
		return fault_set(call->fault, RESULT_BUSY, FAULT_FERRY, 0, "an examination is under way");
	waiting = calloc(1, sizeof(*waiting));
	if (waiting == NULL)
		return fault_set(call->fault, RESULT_NO_MEMORY, FAULT_FERRY, 0, "examine the service");
	waiting->examination.done = on_done;
	waiting->later = session_later(call);
	waiting->examination.facts.by_hand = call->sessions->settings.by_hand;
	engine_examine(call->sessions->engine, &waiting->examination.facts);
	result = doctor_examine(call->sessions->doctor, &waiting->examination, call->fault);
	if (result != RESULT_OK) {
		call->answered_later = false;
		free(waiting);
	}
	return result;
}
