/* runtime/store: the sealed part of credentials. */
#include "runtime/store.h"

#include "runtime/store_private.h"

enum result store_credential_save(struct store *store, int64_t job_row, unsigned slot, const void *sealed, size_t size,
                                  struct fault *fault)
{
	AUTO(query) struct query query = query_start(store, CREDENTIAL_SAVE, "keep a credential");

	put_i64(&query, job_row);
	put_i64(&query, slot);
	put_sealed(&query, sealed, size);
	return query_run(&query, NULL, fault);
}

enum result store_credential_remove(struct store *store, int64_t job_row, unsigned slot, struct fault *fault)
{
	AUTO(query) struct query query = query_start(store, CREDENTIAL_REMOVE, "remove a credential");

	put_i64(&query, job_row);
	put_i64(&query, slot);
	return query_run(&query, NULL, fault);
}

enum result store_credentials_remove(struct store *store, int64_t job_row, struct fault *fault)
{
	AUTO(query) struct query query = query_start(store, CREDENTIALS_REMOVE, "remove credentials");

	put_i64(&query, job_row);
	return query_run(&query, NULL, fault);
}

enum result store_credential(struct store *store, int64_t job_row, unsigned slot, struct buffer *to, struct fault *fault)
{
	AUTO(query) struct query query = query_start(store, CREDENTIAL_OF_JOB, "find a credential");
	bool row = false;

	put_i64(&query, job_row);
	put_i64(&query, slot);
	enum result result = query_step(&query, &row, fault);
	if (result != RESULT_OK)
		return result;
	if (!row)
		return fault_set(fault, RESULT_NOT_FOUND, FAULT_FERRY, 0, "%s", query.doing);
	result = take_long_octets(&query, to);
	return result == RESULT_OK ? query_taken(&query, fault) : fault_set(fault, result, FAULT_FERRY, 0, "%s", query.doing);
}
