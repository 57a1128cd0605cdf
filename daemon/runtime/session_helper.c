/* runtime/session: the methods of helper tokens, of looking ahead, and of taking a job over. */
#include "runtime/session_private.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "platform/clock.h"

/* The roots of the request, each with its end. */
static enum result collect_roots(struct call *call, struct buffer *roots)
{
	for (uint32_t i = 0; i < call->request->root_count; i++) {
		struct text_view root = request_root(call->request, i);
		enum result result = buffer_append(roots, root.bytes, root.length);

		if (result == RESULT_OK)
			result = buffer_append(roots, "", 1);
		if (result != RESULT_OK)
			return fault_set(call->fault, result, FAULT_FERRY, 0, "params.roots");
	}
	return RESULT_OK;
}
#define ROOTS_BYTES_MAX (PROTOCOL_ROOTS_MAX * (DESTINATION_BYTES_MAX + 1u))

static void write_terms(struct json_writer *out, const struct loan_terms *terms)
{
	json_write_text(out, "life", text_view(token_life_name(terms->life)));
	if (terms->warning != NULL)
		json_write_text(out, "warning", text_view(terms->warning));
	else
		json_write_raw(out, "warning", text_view("null"));
}

static void write_sid(struct json_writer *out, const char *name, const char *sid)
{
	if (sid[0] != '\0')
		json_write_text(out, name, text_view(sid));
	else
		json_write_raw(out, name, text_view("null"));
}

/* --- lending --- */

static void note_refused(struct call *call, const struct handle *handle)
{
	engine_helper_refused(call->sessions->engine, handle->row, "", call->fault);
}

static enum result capture_helper(struct call *call, const struct handle *handle, struct identity **ret_identity)
{
	enum result result = session_capture(call, ret_identity);

	if (result != RESULT_OK)
		note_refused(call, handle);
	return result;
}

enum result do_set_helper_token(struct call *call)
{
	AUTO(identity) struct identity *identity = NULL;
	AUTO(buffer) struct buffer roots = BUFFER(ROOTS_BYTES_MAX);
	struct handle *handle = NULL;
	struct loan_terms terms;
	struct job_status status;
	enum result result = session_handle(call, ACCESS_SET_TOKEN | ACCESS_ATTACH, &handle);

	if (result == RESULT_OK)
		result = capture_helper(call, handle, &identity);
	else if (handle != NULL)
		note_refused(call, handle);
	if (result == RESULT_OK)
		result = collect_roots(call, &roots);
	if (result != RESULT_OK)
		return result;
	const struct loan loan = { .opener = &handle->opener, .identity = identity, .connection = call->session->connection,
		                   .claimed_sid = text_view(call->request->sid), .claimed_logon_id = call->request->logon_id,
		                   .roots = roots.bytes, .root_bytes = roots.length, .age_s = call->request->token_age_s };

	result = engine_helper_set(call->sessions->engine, handle->row, &loan, &terms, &status, call->fault);
	if (result != RESULT_OK)
		return result;
	/* Who may only attach is shown nothing of the job. */
	if (handle->opener.rights & ACCESS_QUERY)
		protocol_write_job(call->out, "job", &status);
	write_terms(call->out, &terms);
	return RESULT_OK;
}

/* --- tickets: for clients whose messages cannot carry the identity of a thread --- */

void ticket_free(struct ticket *ticket)
{
	if (ticket == NULL)
		return;
	buffer_done(&ticket->roots);
	free(ticket);
}

static enum result draw_secret(struct call *call, char secret[PROTOCOL_TICKET_BYTES])
{
	uint64_t random[2];
	enum result result = identity_random(random, sizeof(random), call->fault);

	return result == RESULT_OK ?
		text_format(secret, PROTOCOL_TICKET_BYTES, "%016" PRIx64 "%016" PRIx64, random[0], random[1]) : result;
}

enum result do_helper_ticket(struct call *call)
{
	AUTO(ticket) struct ticket *ticket = calloc(1, sizeof(*ticket));
	struct handle *handle = NULL;
	enum result result = session_handle(call, ACCESS_SET_TOKEN | ACCESS_ATTACH, &handle);

	if (result != RESULT_OK)
		return result;
	if (ticket == NULL)
		return fault_set(call->fault, RESULT_NO_MEMORY, FAULT_FERRY, 0, "make a ticket");
	ticket->roots = BUFFER(ROOTS_BYTES_MAX);
	ticket->age_s = call->request->token_age_s;
	ticket->until_ms = clock_mono_ms() + TICKET_S * 1000;
	result = draw_secret(call, ticket->secret);
	if (result == RESULT_OK)
		result = collect_roots(call, &ticket->roots);
	if (result != RESULT_OK)
		return result;
	json_write_text(call->out, "ticket", text_view(ticket->secret));
	json_write_u64(call->out, "valid_s", TICKET_S);
	ticket_free(handle->ticket);
	handle->ticket = TAKE(ticket);
	return RESULT_OK;
}

/* The handle whose ticket it is, and that session; the ticket is used up, whatever becomes of it. */
static struct ticket *use_ticket(struct sessions *sessions, const char *secret, struct session **ret_session,
                                 struct handle **ret_handle)
{
	for (struct session *session = sessions->first; session != NULL; session = session->next)
		for (struct handle *handle = session->handles; handle != NULL; handle = handle->next)
			if (handle->ticket != NULL && strcmp(handle->ticket->secret, secret) == 0) {
				*ret_session = session;
				*ret_handle = handle;
				return TAKE(handle->ticket);
			}
	return NULL;
}

enum result do_present(struct call *call)
{
	AUTO(identity) struct identity *identity = NULL;
	struct session *lender = NULL;
	struct handle *handle = NULL;
	struct loan_terms terms;
	struct job_status status;
	AUTO(ticket) struct ticket *ticket = use_ticket(call->sessions, call->request->ticket, &lender, &handle);
	enum result result = RESULT_OK;

	if (ticket == NULL || lender->gone || lender->leaving || clock_mono_ms() >= ticket->until_ms)
		return fault_set(call->fault, RESULT_BAD_TICKET, FAULT_FERRY, 0, "params.ticket");
	result = engine_job_get(call->sessions->engine, handle->row, &status, call->fault);
	if (result == RESULT_OK && (strcmp(status.job.id, handle->id) != 0 || status.job.takeovers != handle->takeovers))
		return fault_set(call->fault, RESULT_BAD_TICKET, FAULT_FERRY, 0, "params.ticket");
	if (result == RESULT_OK)
		result = capture_helper(call, handle, &identity);
	if (result != RESULT_OK)
		return result;
	const struct loan loan = { .opener = &handle->opener, .identity = identity, .connection = lender->connection,
		                   .roots = ticket->roots.bytes, .root_bytes = ticket->roots.length, .age_s = ticket->age_s };

	session_asked_by(call, &handle->opener.caller);
	result = engine_helper_set(call->sessions->engine, handle->row, &loan, &terms, &status, call->fault);
	if (result != RESULT_OK)
		return result;
	json_write_text(call->out, "sid", text_view(identity_caller(identity)->owner));
	write_terms(call->out, &terms);
	return RESULT_OK;
}

/* --- clearing and flags --- */

enum result do_clear_helper_token(struct call *call)
{
	struct handle *handle = NULL;
	struct job_status status;
	enum result result = session_handle(call, ACCESS_SET_TOKEN, &handle);

	if (result == RESULT_OK)
		result = engine_helper_clear(call->sessions->engine, handle->row, &handle->opener, &status, call->fault);
	if (result == RESULT_OK)
		protocol_write_job(call->out, "job", &status);
	return result;
}

enum result do_set_helper_flags(struct call *call)
{
	struct handle *handle = NULL;
	struct job_status status;
	enum result result = session_handle(call, ACCESS_SET_TOKEN, &handle);

	if (result == RESULT_OK)
		result = engine_helper_set_flags(call->sessions->engine, handle->row, &handle->opener, call->request->flags,
		                                 &status, call->fault);
	if (result == RESULT_OK)
		protocol_write_job(call->out, "job", &status);
	return result;
}

static enum result look(struct call *call, struct job_status *ret_status)
{
	struct handle *handle = NULL;
	enum result result = session_handle(call, ACCESS_QUERY, &handle);

	return result == RESULT_OK ? engine_job_get(call->sessions->engine, handle->row, ret_status, call->fault) : result;
}

enum result do_get_helper_flags(struct call *call)
{
	struct job_status status;
	enum result result = look(call, &status);

	if (result == RESULT_OK)
		protocol_write_flags(call->out, "flags", status.job.helper_flags);
	return result;
}

enum result do_get_helper_sid(struct call *call)
{
	struct job_status status;
	enum result result = look(call, &status);

	if (result == RESULT_OK)
		write_sid(call->out, "sid", status.token_sid);
	return result;
}

/* --- looking ahead --- */

struct waiting_preflight {
	struct preflight_question question;
	struct later later;
};

static void write_preflight(struct json_writer *out, const void *found)
{
	protocol_write_preflight(out, "preflight", found);
}

static void answer_preflight(struct preflight_question *question, enum result result, const struct preflight *found,
                             const struct fault *fault)
{
	session_answer(&((struct waiting_preflight *)question)->later, result, write_preflight, found, fault);
	free(question);
}

enum result do_preflight(struct call *call)
{
	struct handle *handle = NULL;
	struct waiting_preflight *waiting;
	enum result result = session_handle(call, ACCESS_QUERY, &handle);

	if (result != RESULT_OK)
		return result;
	waiting = calloc(1, sizeof(*waiting));
	if (waiting == NULL)
		return fault_set(call->fault, RESULT_NO_MEMORY, FAULT_FERRY, 0, "look ahead");
	*waiting = (struct waiting_preflight){ { answer_preflight }, session_later(call) };
	engine_job_preflight(call->sessions->engine, handle->row, &waiting->question);
	return RESULT_OK;
}

/* --- taking over --- */

enum result do_take(struct call *call)
{
	AUTO(identity) struct identity *identity = NULL;
	struct handle *handle = NULL;
	struct job_status status;
	enum result result = session_handle(call, ACCESS_CONTROL, &handle);

	if (result == RESULT_OK)
		result = session_capture(call, &identity);
	if (result != RESULT_OK)
		return result;
	const struct caller *caller = identity_caller(identity);

	session_asked_by(call, caller);
	result = engine_job_take(call->sessions->engine, handle->row, caller, &status, call->fault);
	if (result != RESULT_OK)
		return result;
	engine_owner_present(call->sessions->engine, identity);
	/* Of all that was opened before, this handle alone goes on, with its new owner's rights: if the turn is committed. */
	handle->opener = (struct opener){ *caller, ACCESS_OWNER };
	handle->takeovers = status.job.takeovers;
	call->new_handle = handle->number;
	protocol_write_job(call->out, "job", &status);
	return RESULT_OK;
}
