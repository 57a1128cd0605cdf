/* runtime/store: how a job's attempts to fetch went. */
#include "runtime/store.h"

#include "runtime/store_private.h"

_Static_assert(AUTH_SCHEME_COUNT == 4 && AUTH_TARGET_COUNT == 2, "schema/: attempt.schemes");
_Static_assert(PROXY_BYTES_MAX == 266 && PROXY_SOURCE_COUNT == 7, "schema/: attempt.proxy");
_Static_assert(ATTEMPT_URL_BYTES == 256 && ATTEMPT_WORDS_BYTES == 200, "schema/: limits of texts");
_Static_assert(ATTEMPT_TLS_BYTES == 16 && ATTEMPT_SID_BYTES == JOB_OWNER_BYTES_MAX, "schema/: limits of texts");

static int64_t schemes_of(const struct attempt_trace *trace)
{
	return (int64_t)(trace->offered[AUTH_SERVER] | trace->offered[AUTH_PROXY] << 4 | trace->used[AUTH_SERVER] << 8 |
	                 trace->used[AUTH_PROXY] << 12);
}

static void put_schemes(struct attempt_trace *trace, unsigned schemes)
{
	trace->offered[AUTH_SERVER] = schemes & 15;
	trace->offered[AUTH_PROXY] = schemes >> 4 & 15;
	trace->used[AUTH_SERVER] = schemes >> 8 & 15;
	trace->used[AUTH_PROXY] = schemes >> 12 & 15;
}

enum result store_attempt_save(struct store *store, int64_t job_row, const struct attempt *attempt, struct fault *fault)
{
	const struct attempt_trace *trace = &attempt->trace;
	bool lasting = store->lasting;
	AUTO(query) struct query query = query_start(store, ATTEMPT_SAVE, "keep how an attempt went");

	put_i64(&query, job_row);
	put_i64(&query, attempt->number);
	put_i64(&query, attempt->count);
	put_i64(&query, attempt->file);
	put_i64(&query, attempt->first_ms);
	put_i64(&query, attempt->last_ms);
	put_text(&query, trace->url);
	put_text(&query, attempt->proxy.address);
	put_i64(&query, attempt->proxy.source);
	put_text(&query, attempt->sid);
	put_text(&query, trace->tls);
	put_text(&query, trace->words);
	put_i64(&query, trace->status >= 0 && trace->status <= 999 ? trace->status : 0);
	put_i64(&query, schemes_of(trace));
	put_fault(&query, &attempt->fault);
	enum result result = query_run(&query, NULL, fault);
	store->lasting = lasting;
	return result;
}

enum result store_attempts_forget(struct store *store, int64_t job_row, uint32_t before, struct fault *fault)
{
	AUTO(query) struct query query = query_start(store, ATTEMPTS_FORGET, "forget how attempts went");

	put_i64(&query, job_row);
	put_i64(&query, before);
	return query_run(&query, NULL, fault);
}

static enum result take_attempt(struct query *query, struct attempt *attempt, struct fault *fault)
{
	struct attempt_trace *trace = &attempt->trace;

	attempt->number = take_u32(query);
	attempt->count = take_u32(query);
	attempt->file = take_u32(query);
	attempt->first_ms = take_i64(query, 0, INT64_MAX);
	attempt->last_ms = take_i64(query, 0, INT64_MAX);
	take_text(query, trace->url, sizeof(trace->url));
	take_text(query, attempt->proxy.address, sizeof(attempt->proxy.address));
	attempt->proxy.source = (enum proxy_source)take_i64(query, 0, PROXY_SOURCE_COUNT - 1);
	take_text(query, attempt->sid, sizeof(attempt->sid));
	take_text(query, trace->tls, sizeof(trace->tls));
	take_text(query, trace->words, sizeof(trace->words));
	trace->status = (long)take_i64(query, 0, 999);
	put_schemes(trace, (unsigned)take_i64(query, 0, UINT16_MAX));
	take_fault(query, &attempt->fault);
	return query_taken(query, fault);
}

enum result store_attempt_last(struct store *store, int64_t job_row, struct attempt *ret_attempt, struct fault *fault)
{
	AUTO(query) struct query query = query_start(store, ATTEMPT_LAST, "look how an attempt went");
	bool row = false;

	put_i64(&query, job_row);
	enum result result = query_step(&query, &row, fault);
	if (result == RESULT_OK && !row)
		return fault_set(fault, RESULT_NOT_FOUND, FAULT_FERRY, 0, "%s", query.doing);
	return result == RESULT_OK ? take_attempt(&query, ret_attempt, fault) : result;
}

enum result store_attempts(struct store *store, int64_t job_row, struct attempt ret_attempts[ATTEMPTS_KEPT_MAX],
                           size_t *ret_count, struct fault *fault)
{
	AUTO(query) struct query query = query_start(store, ATTEMPTS_OF_JOB, "look how attempts went");
	enum result result;
	bool row = false;

	*ret_count = 0;
	put_i64(&query, job_row);
	while ((result = query_step(&query, &row, fault)) == RESULT_OK && row && *ret_count < ATTEMPTS_KEPT_MAX) {
		result = take_attempt(&query, &ret_attempts[*ret_count], fault);
		if (result != RESULT_OK)
			return result;
		++*ret_count;
	}
	return result;
}
