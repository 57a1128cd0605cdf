/* runtime/store: by which proxies a job asks, and the sealed part of its credentials and headers. */
#include "runtime/store.h"

#include "runtime/store_private.h"

static enum result find_sealed(struct query *query, struct buffer *to, struct fault *fault)
{
	bool row = false;
	enum result result = query_step(query, &row, fault);

	if (result != RESULT_OK)
		return result;
	if (!row)
		return fault_set(fault, RESULT_NOT_FOUND, FAULT_FERRY, 0, "%s", query->doing);
	result = take_long_octets(query, to);
	return result == RESULT_OK ? query_taken(query, fault) : fault_set(fault, result, FAULT_FERRY, 0, "%s", query->doing);
}

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

	put_i64(&query, job_row);
	put_i64(&query, slot);
	return find_sealed(&query, to, fault);
}

enum result store_headers_save(struct store *store, int64_t job_row, const char *names, bool write_only, const void *sealed,
                               size_t size, struct fault *fault)
{
	AUTO(query) struct query query = query_start(store, HEADERS_SAVE, "keep headers");

	put_i64(&query, job_row);
	put_text(&query, names);
	put_i64(&query, write_only);
	put_sealed(&query, sealed, size);
	return query_run(&query, NULL, fault);
}

enum result store_headers_remove(struct store *store, int64_t job_row, struct fault *fault)
{
	AUTO(query) struct query query = query_start(store, HEADERS_REMOVE, "remove headers");

	put_i64(&query, job_row);
	return query_run(&query, NULL, fault);
}

enum result store_headers(struct store *store, int64_t job_row, struct buffer *to, struct fault *fault)
{
	AUTO(query) struct query query = query_start(store, HEADERS_OF_JOB, "find headers");

	put_i64(&query, job_row);
	return find_sealed(&query, to, fault);
}

enum result store_proxy_save(struct store *store, int64_t job_row, const char *list, const char *bypass, struct fault *fault)
{
	bool keep = list[0] != '\0';
	AUTO(query) struct query query = query_start(store, keep ? PROXY_SAVE : PROXY_REMOVE, "keep a job's proxies");

	put_i64(&query, job_row);
	if (keep) {
		put_text(&query, list);
		put_text(&query, bypass);
	}
	return query_run(&query, NULL, fault);
}

enum result store_proxy(struct store *store, int64_t job_row, char ret_list[PROXY_TEXT_BYTES_MAX + 1],
                        char ret_bypass[PROXY_TEXT_BYTES_MAX + 1], struct fault *fault)
{
	AUTO(query) struct query query = query_start(store, PROXY_OF_JOB, "find a job's proxies");
	bool row = false;

	put_i64(&query, job_row);
	enum result result = query_step(&query, &row, fault);
	if (result != RESULT_OK)
		return result;
	if (!row)
		return fault_set(fault, RESULT_STORE_DAMAGED, FAULT_FERRY, 0, "a job's proxies are missing");
	take_text(&query, ret_list, PROXY_TEXT_BYTES_MAX + 1);
	take_text(&query, ret_bypass, PROXY_TEXT_BYTES_MAX + 1);
	return query_taken(&query, fault);
}
