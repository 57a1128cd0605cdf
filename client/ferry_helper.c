/* The helper token: lending it, its flags, tickets, and what else the two identities of a job bring with them. */
#include <inttypes.h>
#include <string.h>

#include "ferry_private.h"

/* --- lending --- */

static void write_loan(struct json_writer *request, const struct ferry_loan *loan)
{
	if (loan == NULL)
		return;
	if (loan->root_count > 0) {
		json_write_begin(request, "roots", '[');
		for (size_t i = 0; i < loan->root_count; i++)
			json_write_text(request, NULL, text_view(loan->roots[i] != NULL ? loan->roots[i] : ""));
		json_write_end(request, ']');
	}
	if (loan->max_age_s != 0)
		json_write_u64(request, "max_token_age_s", loan->max_age_s);
}

/* What the service is to find in the message (rule 2): who the calling thread is by its own account. */
static enum result write_claim(struct json_writer *request, struct ipc_claim *ret_claim, struct fault *fault)
{
	AUTO(ipc_speaker) struct ipc_speaker *speaker = NULL;
	char logon_id[sizeof("0x0123456789abcdef")];
	enum result result = ipc_speaker_current(&speaker, fault);
	if (result == RESULT_OK)
		result = ipc_speaker_claim(speaker, ret_claim, fault);
	if (result != RESULT_OK)
		return result;
	text_display(logon_id, sizeof(logon_id), "0x%" PRIx64, ret_claim->logon_id);
	json_write_text(request, "sid", text_view(ret_claim->sid));
	json_write_text(request, "logon_id", text_view(logon_id));
	return RESULT_OK;
}

/* A warning of a newer service may be longer than ours; its beginning will do. */
static enum result read_terms(struct json answer, struct text_view sid, struct ferry_loan_terms *ret_terms,
                              struct fault *fault)
{
	struct json warning = json_member(answer, "warning");
	struct ferry_loan_terms terms = { .warning = "" };
	struct text_view life, words;
	enum result result = json_get_text(json_member(answer, "life"), SIZE_MAX, &life, fault);
	if (result != RESULT_OK)
		return result;
	terms.life = ferry_token_life_from_name(life);
	if (!json_is_null(warning)) {
		result = json_get_text(warning, SIZE_MAX, &words, fault);
		if (result != RESULT_OK)
			return result;
		text_display(terms.warning, sizeof(terms.warning), "%.*s", (int)words.length, words.bytes);
	}
	result = text_copy(terms.sid, sizeof(terms.sid), sid);
	if (result == RESULT_OK)
		*ret_terms = terms;
	return result;
}

static enum result lend(struct ferry_job *job, const struct ferry_loan *loan, struct ferry_loan_terms *ret_terms,
                        struct fault *fault)
{
	AUTO(json_document) struct json_document *document = NULL;
	struct fault why = { .result = RESULT_OK };
	struct json_writer request;
	struct ipc_claim claim;
	struct json answer;
	enum result result = ferry_request_for(job, METHOD_JOB_SET_HELPER_TOKEN, &request, fault);
	if (result == RESULT_OK)
		result = write_claim(&request, &claim, fault);
	if (result != RESULT_OK)
		return result;
	write_loan(&request, loan);
	result = ferry_call(job->ferry, &request, &document, &answer, fault);
	if (result != RESULT_OK || ret_terms == NULL)
		return result;
	/* What was claimed is what was lent, or it would have been refused.  The answer's job would say it too, but who may
	 * only attach is not told of it. */
	if (read_terms(answer, text_view(claim.sid), ret_terms, &why) != RESULT_OK)
		return ferry_not_understood(job->ferry, &why, fault);
	return RESULT_OK;
}

enum ferry_result ferry_job_set_helper_token(struct ferry_job *job, const struct ferry_loan *loan,
                                             struct ferry_loan_terms *ret_terms, struct ferry_error *error)
{
	struct fault fault = { .result = RESULT_OK };
	enum result result = lend(job, loan, ret_terms, &fault);

	return ferry_report(result, &fault, error);
}

enum ferry_result ferry_job_clear_helper_token(struct ferry_job *job, struct ferry_error *error)
{
	return ferry_control(job, METHOD_JOB_CLEAR_HELPER_TOKEN, NULL, error);
}

/* --- the flags, and whose token it is --- */

enum ferry_result ferry_job_set_helper_token_flags(struct ferry_job *job, unsigned flags, struct ferry_error *error)
{
	AUTO(json_document) struct json_document *document = NULL;
	struct fault fault = { .result = RESULT_OK };
	struct json_writer request;
	struct json answer;
	enum result result;

	/* The message has names for the flags that there are, and would leave out any other unsaid. */
	if (flags & ~HELPER_ALL)
		result = fault_set(&fault, RESULT_INVALID_ARGUMENT, FAULT_FERRY, 0, "flags: 0x%x", flags);
	else
		result = ferry_request_for(job, METHOD_JOB_SET_HELPER_TOKEN_FLAGS, &request, &fault);
	if (result == RESULT_OK) {
		protocol_write_flags(&request, "flags", flags);
		result = ferry_call(job->ferry, &request, &document, &answer, &fault);
	}
	return ferry_report(result, &fault, error);
}

/* Ask about the job, and take one member of the answer. */
static enum result ask_for(struct ferry_job *job, enum method method, const char *member,
                           struct json_document **ret_document, struct json *ret_value, struct fault *fault)
{
	struct json_writer request;
	struct json answer;
	enum result result = ferry_request_for(job, method, &request, fault);
	if (result == RESULT_OK)
		result = ferry_call(job->ferry, &request, ret_document, &answer, fault);
	if (result == RESULT_OK)
		*ret_value = json_member(answer, member);
	return result;
}

enum ferry_result ferry_job_get_helper_token_flags(struct ferry_job *job, unsigned *ret_flags,
                                                   struct ferry_error *error)
{
	AUTO(json_document) struct json_document *document = NULL;
	struct fault fault = { .result = RESULT_OK }, why = { .result = RESULT_OK };
	struct json value;
	enum result result = ask_for(job, METHOD_JOB_GET_HELPER_TOKEN_FLAGS, "flags", &document, &value, &fault);

	if (result == RESULT_OK && protocol_read_flags(value, ret_flags, &why) != RESULT_OK)
		result = ferry_not_understood(job->ferry, &why, &fault);
	return ferry_report(result, &fault, error);
}

enum ferry_result ferry_job_get_helper_token_sid(struct ferry_job *job, char ret_sid[FERRY_SID_BYTES],
                                                 struct ferry_error *error)
{
	AUTO(json_document) struct json_document *document = NULL;
	struct fault fault = { .result = RESULT_OK }, why = { .result = RESULT_OK };
	struct text_view sid = text_view("");
	struct json value;
	enum result result = ask_for(job, METHOD_JOB_GET_HELPER_TOKEN_SID, "sid", &document, &value, &fault);

	if (result == RESULT_OK && !json_is_null(value) &&
	    json_get_text(value, FERRY_SID_BYTES - 1, &sid, &why) != RESULT_OK)
		result = ferry_not_understood(job->ferry, &why, &fault);
	if (result == RESULT_OK)
		result = text_copy(ret_sid, FERRY_SID_BYTES, sid);
	return ferry_report(result, &fault, error);
}

/* --- tickets --- */

static enum result get_ticket(struct ferry_job *job, const struct ferry_loan *loan, char ret_ticket[FERRY_TICKET_BYTES],
                              struct fault *fault)
{
	AUTO(json_document) struct json_document *document = NULL;
	struct fault why = { .result = RESULT_OK };
	struct json_writer request;
	struct text_view ticket;
	struct json answer;
	enum result result = ferry_request_for(job, METHOD_JOB_HELPER_TICKET, &request, fault);
	if (result != RESULT_OK)
		return result;
	write_loan(&request, loan);
	result = ferry_call(job->ferry, &request, &document, &answer, fault);
	if (result != RESULT_OK)
		return result;
	if (json_get_text(json_member(answer, "ticket"), FERRY_TICKET_BYTES - 1, &ticket, &why) != RESULT_OK)
		return ferry_not_understood(job->ferry, &why, fault);
	return text_copy(ret_ticket, FERRY_TICKET_BYTES, ticket);
}

enum ferry_result ferry_job_helper_ticket(struct ferry_job *job, const struct ferry_loan *loan,
                                          char ret_ticket[FERRY_TICKET_BYTES], struct ferry_error *error)
{
	struct fault fault = { .result = RESULT_OK };
	enum result result = get_ticket(job, loan, ret_ticket, &fault);

	return ferry_report(result, &fault, error);
}

static enum result present(struct ferry *ferry, const char *ticket, struct ferry_loan_terms *ret_terms,
                           struct fault *fault)
{
	AUTO(json_document) struct json_document *document = NULL;
	struct fault why = { .result = RESULT_OK };
	struct text_view sid;
	struct json answer;
	struct json_writer request = ferry_request(ferry, METHOD_HELPER_PRESENT);
	json_write_text(&request, "ticket", text_view(ticket));
	enum result result = ferry_call(ferry, &request, &document, &answer, fault);
	if (result != RESULT_OK || ret_terms == NULL)
		return result;
	if (json_get_text(json_member(answer, "sid"), FERRY_SID_BYTES - 1, &sid, &why) != RESULT_OK ||
	    read_terms(answer, sid, ret_terms, &why) != RESULT_OK)
		return ferry_not_understood(ferry, &why, fault);
	return RESULT_OK;
}

enum ferry_result ferry_present_ticket(struct ferry *ferry, const char *ticket, struct ferry_loan_terms *ret_terms,
                                       struct ferry_error *error)
{
	struct fault fault = { .result = RESULT_OK };
	enum result result = present(ferry, ticket, ret_terms, &fault);

	return ferry_report(result, &fault, error);
}

/* --- whether it would work, and whose it is --- */

enum ferry_result ferry_job_preflight(struct ferry_job *job, struct ferry_preflight *ret_preflight,
                                      struct ferry_error *error)
{
	AUTO(json_document) struct json_document *document = NULL;
	struct fault fault = { .result = RESULT_OK }, why = { .result = RESULT_OK };
	struct preflight found;
	struct json value;
	enum result result = ask_for(job, METHOD_JOB_PREFLIGHT, "preflight", &document, &value, &fault);

	if (result == RESULT_OK && protocol_read_preflight(value, &found, &why) != RESULT_OK)
		result = ferry_not_understood(job->ferry, &why, &fault);
	if (result == RESULT_OK)
		ferry_preflight_of(&found, ret_preflight);
	return ferry_report(result, &fault, error);
}

enum ferry_result ferry_job_take_ownership(struct ferry_job *job, struct ferry_status *ret_status,
                                           struct ferry_error *error)
{
	return ferry_control(job, METHOD_JOB_TAKE_OWNERSHIP, ret_status, error);
}
