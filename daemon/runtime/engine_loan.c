/* runtime/engine: lending a helper token to a job, clearing it, and the flags that say what it is for.
 *
 * Who may do so is core/access's to say, about whoever opened the job (rule 10).
 */
#include "runtime/engine_private.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/destination.h"

/* --- what a lender may ask for --- */

/* The folders that a lender states: like destinations, each of them named in what is said of it. */
static enum result check_roots(struct engine *engine, const struct loan *loan, struct fault *fault)
{
	unsigned index = 0;

	for (size_t at = 0; at < loan->root_bytes; at += strlen(loan->roots + at) + 1, index++) {
		struct text_view root = text_view(loan->roots + at);
		struct destination ignored;
		char field[32];

		text_display(field, sizeof(field), "params.roots[%u]", index);
		enum result result =
			name_field(destination_parse(engine->parts.path_style, root, &ignored, fault), field, fault);
		if (result == RESULT_OK)
			result = engine_check_forbidden(engine, root, field, fault);
		if (result != RESULT_OK)
			return result;
	}
	return RESULT_OK;
}

static enum result check_age(struct engine *engine, const struct loan *loan, struct fault *fault)
{
	uint64_t maximum = engine->parts.settings->identity_token_age_max_s;

	if (loan->age_s <= maximum)
		return RESULT_OK;
	return fault_set(fault, RESULT_INVALID_ARGUMENT, FAULT_FERRY, 0,
	                 "params.max_token_age_s: %" PRIu32 " is above identity.token_age_max_s (%" PRIu64 ")", loan->age_s,
	                 maximum);
}

static enum result check_count(struct engine *engine, int64_t row, struct fault *fault)
{
	uint64_t maximum = engine->parts.settings->identity_tokens_max, count = 0;

	for (const struct lent *lent = engine->lent; lent != NULL; lent = lent->next)
		count += lent->row != row;
	if (count < maximum)
		return RESULT_OK;
	return fault_set(fault, RESULT_TOO_MANY_TOKENS, FAULT_FERRY, 0, "identity.tokens_max is %" PRIu64, maximum);
}

static enum result check_loan(struct engine *engine, const struct job *job, const struct loan *loan, struct fault *fault)
{
	const struct caller *helper = identity_caller(loan->identity);
	enum result result = RESULT_OK;

	if (loan->claimed_sid.bytes != NULL)
		result = access_check_claim(helper, loan->claimed_sid, loan->claimed_logon_id, fault);
	if (result != RESULT_OK)
		return result;
	if (job_state_is_final(job->state))
		return fault_set(fault, RESULT_INVALID_STATE, FAULT_FERRY, 0, "set a helper token while the job is %s",
		                 loan->opener->rights & ACCESS_QUERY ? job_state_name(job->state) : "over");
	if (engine_session_is_over(engine, helper->session))
		return fault_set(fault, RESULT_ACCESS_REFUSED, FAULT_FERRY, 0,
		                 "lend-session: the session that the token came from has ended");
	result = access_lend(loan->opener, job, helper, loan->root_bytes > 0, fault);
	if (result == RESULT_OK)
		result = check_roots(engine, loan, fault);
	if (result == RESULT_OK)
		result = check_age(engine, loan, fault);
	return result == RESULT_OK ? check_count(engine, job->row, fault) : result;
}

/* --- lending --- */

static enum result lent_new(struct engine *engine, const struct job *job, const struct loan *loan, struct lent **ret_lent,
                            struct fault *fault)
{
	AUTO(lent) struct lent *lent = calloc(1, sizeof(*lent));

	if (lent != NULL && loan->root_bytes > 0)
		lent->roots = malloc(loan->root_bytes);
	if (lent == NULL || (loan->root_bytes > 0 && lent->roots == NULL))
		return fault_set(fault, RESULT_NO_MEMORY, FAULT_FERRY, 0, "keep a helper token");
	lent->row = job->row;
	lent->identity = identity_hold(loan->identity);
	lent->life = access_token_life(identity_caller(lent->identity), loan->age_s > 0);
	lent->connection = loan->connection;
	lent->expires_ms = loan->age_s > 0 ? engine_mono(engine) + (int64_t)loan->age_s * 1000 : INT64_MAX;
	lent->files = job->files_total;
	lent->agreed = access_agreed_flags(loan->opener, job);
	lent->implicit = loan->opener->rights & ACCESS_QUERY ? job->implicit : 0;
	lent->by_owner = strcmp(loan->opener->caller.owner, job->owner) == 0;
	lent->turn = engine->turn;
	memcpy(lent->owner, job->owner, sizeof(lent->owner));
	lent->owner_integrity = job->owner_integrity;
	lent->owner_elevated = job->owner_elevated;
	lent->root_bytes = loan->root_bytes;
	if (loan->root_bytes > 0)
		memcpy(lent->roots, loan->roots, loan->root_bytes);
	*ret_lent = TAKE(lent);
	return RESULT_OK;
}

struct helper_change {
	const struct opener *opener;
	const struct loan *loan;
	unsigned flags;
	bool kept;  /* the token is in the engine's list */
	bool again; /* one was lent before, and lost */
	char cleared[JOB_OWNER_BYTES_MAX]; /* whose token was cleared */
};

/* The token goes into the engine's list before the job is held against it, so nothing may fail after that but the store. */
static enum result apply_set(struct engine *engine, struct job *job, const void *argument, struct fault *fault)
{
	struct helper_change *change = *(struct helper_change *const *)argument;
	const struct caller *helper = identity_caller(change->loan->identity);
	AUTO(lent) struct lent *lent = NULL;
	enum result result = check_loan(engine, job, change->loan, fault);

	if (result == RESULT_OK)
		result = lent_new(engine, job, change->loan, &lent, fault);
	if (result == RESULT_OK)
		result = engine_check_loan_files(engine, lent, change->loan->opener, fault);
	if (result != RESULT_OK)
		return result;
	change->again = engine_lent(engine, job->row) == NULL && job->helper_sid[0] != '\0';
	change->kept = true;
	memcpy(job->helper_sid, helper->owner, sizeof(job->helper_sid));
	job->helper_logon = helper->logon;
	engine_keep_token(engine, TAKE(lent));
	engine_identities_changed(engine, job);
	return RESULT_OK;
}

void engine_helper_refused(struct engine *engine, int64_t row, const char *helper, const struct fault *fault)
{
	struct job job;

	if ((fault->result != RESULT_ACCESS_REFUSED && fault->result != RESULT_NOT_LENT) ||
	    !engine_load_job(engine, row, &job))
		return;
	if (engine_may_tell_refusal(engine, fault->result))
		EVENTS_NOTE(engine->parts.events, HELPER_REFUSED, .job = &job, .caller = &engine->asker, .helper = helper,
		            .fault = fault);
}

static void note_set(struct engine *engine, const struct job *job, const struct loan *loan, bool again)
{
	const struct caller *helper = identity_caller(loan->identity);
	const char *logon = logon_name(helper->logon), *life = token_life_name(access_token_life(helper, loan->age_s > 0));

	if (again)
		ENGINE_TELL(engine, TELL_CHANGES, HELPER_REATTACHED, .job = job, .caller = &engine->asker, .helper = helper->owner,
		            .logon = logon, .life = life);
	else
		ENGINE_TELL(engine, TELL_CHANGES, HELPER_SET, .job = job, .caller = &engine->asker, .helper = helper->owner, .logon = logon,
		            .life = life);
	if ((job->helper_flags & HELPER_NETWORK) && helper->logon == LOGON_NETWORK)
		ENGINE_TELL(engine, TELL_CHANGES, HELPER_NO_CREDENTIALS, .job = job, .helper = helper->owner);
}

enum result engine_helper_set(struct engine *engine, int64_t row, const struct loan *loan, struct loan_terms *ret_terms,
                              struct job_status *ret_status, struct fault *fault)
{
	const struct caller *helper = identity_caller(loan->identity);
	struct helper_change wanted = { .loan = loan }, *argument = &wanted;
	const struct change change = { apply_set, engine_wind_down_stale, &argument };
	enum result result = change_job(engine, row, &change, ret_status, fault);

	if (result != RESULT_OK) {
		if (wanted.kept)
			engine_forget_token(engine, row);
		engine_helper_refused(engine, row, helper->owner, fault);
		return result;
	}
	ret_terms->life = access_token_life(helper, loan->age_s > 0);
	ret_terms->warning = helper->logon == LOGON_NETWORK ?
		"the token came from a network logon, which has no credentials for other servers" : NULL;
	note_set(engine, &ret_status->job, loan, wanted.again);
	return RESULT_OK;
}

/* --- clearing --- */

static enum result apply_clear(struct engine *engine, struct job *job, const void *argument, struct fault *fault)
{
	struct helper_change *change = *(struct helper_change *const *)argument;
	const struct lent *lent = engine_lent(engine, job->row);

	if (!(change->opener->rights & ACCESS_SET_TOKEN))
		return fault_set(fault, RESULT_ACCESS_REFUSED, FAULT_FERRY, 0,
		                 "set-token: the handle does not give the right to clear the token");
	if (lent == NULL)
		return RESULT_OK;
	memcpy(change->cleared, identity_caller(lent->identity)->owner, sizeof(change->cleared));
	engine_forget_token(engine, job->row);
	engine_identities_changed(engine, job);
	return RESULT_OK;
}

enum result engine_helper_clear(struct engine *engine, int64_t row, const struct opener *opener,
                                struct job_status *ret_status, struct fault *fault)
{
	struct helper_change wanted = { .opener = opener }, *argument = &wanted;
	const struct change change = { apply_clear, engine_wind_down_stale, &argument };
	enum result result = change_job(engine, row, &change, ret_status, fault);

	if (result == RESULT_OK && wanted.cleared[0] != '\0')
		ENGINE_TELL(engine, TELL_CHANGES, HELPER_CLEARED, .job = &ret_status->job, .caller = &engine->asker,
		            .helper = wanted.cleared);
	return result;
}

/* --- flags --- */

static enum result apply_flags(struct engine *engine, struct job *job, const void *argument, struct fault *fault)
{
	const struct helper_change *change = argument;
	const struct lent *lent = engine_lent(engine, job->row);
	enum result result = lent == NULL ? access_set_flags(change->opener, job, NULL, HELPER_ALL, change->flags, fault) :
		access_set_flags(change->opener, job, identity_caller(lent->identity), lent->agreed, change->flags, fault);

	if (result != RESULT_OK)
		return result;
	if (job_state_is_final(job->state))
		return fault_set(fault, RESULT_INVALID_STATE, FAULT_FERRY, 0, "set the helper token's flags while the job is %s",
		                 job_state_name(job->state));
	result = engine_check_certificate(engine, job->properties.client_certificate, change->flags, fault);
	if (result != RESULT_OK)
		return result;
	job->helper_flags = change->flags;
	engine_identities_changed(engine, job);
	return RESULT_OK;
}

enum result engine_helper_set_flags(struct engine *engine, int64_t row, const struct opener *opener, unsigned flags,
                                    struct job_status *ret_status, struct fault *fault)
{
	static const char *const names[] = { "none", "local-file", "network", "local-file, network" };
	const struct helper_change wanted = { .opener = opener, .flags = flags };
	const struct change change = { apply_flags, engine_wind_down_stale, &wanted };
	enum result result = change_job(engine, row, &change, ret_status, fault);
	const struct lent *lent = engine_lent(engine, row);

	if (result == RESULT_OK)
		ENGINE_TELL(engine, TELL_CHANGES, HELPER_FLAGS, .job = &ret_status->job, .caller = &engine->asker,
		            .flags = names[flags & HELPER_ALL]);
	else if (lent != NULL)
		engine_helper_refused(engine, row, identity_caller(lent->identity)->owner, fault);
	return result;
}
