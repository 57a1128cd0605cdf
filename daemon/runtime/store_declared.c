/* runtime/store: what was declared when it was last applied, and what landed of it. */
#include "runtime/store.h"

#include <string.h>

#include "core/declare.h"
#include "runtime/store_private.h"

#define BINDING_BYTES_MAX (sizeof("declared ") + DECLARED_NAME_BYTES_MAX)

_Static_assert(DECLARED_NAME_BYTES_MAX == 64 && DECLARED_VERSIONS_MAX == 99, "schema/: declared");
_Static_assert(STORE_DECLARED_BYTES_MAX == 1048576 && DIGEST_TEXT_BYTES_MAX == 136, "schema/: limits of texts");
_Static_assert(DECLARED_NEVER == INT64_MAX, "schema/: declared.due_ms");

static void binding_of(const struct store_declared *declared, char to[BINDING_BYTES_MAX])
{
	text_display(to, BINDING_BYTES_MAX, "declared %s", declared->name);
}

/* Has it secrets?  Only a URL's query is one; the name of a file with a question mark is sealed for nothing. */
static bool is_sealed(const struct store *store, struct text_view text)
{
	return store->sealer.seal != NULL && memchr(text.bytes, '?', text.length) != NULL;
}

/* Seal the text, where it has secrets and that can be done. */
static enum result seal(struct store *store, const struct store_declared *declared, struct text_view text, struct buffer *to,
                        struct fault *fault)
{
	char binding[BINDING_BYTES_MAX];
	enum result result;

	binding_of(declared, binding);
	if (is_sealed(store, text))
		return store->sealer.seal(store->sealer.context, binding, text.bytes, text.length, to, fault);
	result = buffer_append(to, text.bytes, text.length);
	return result == RESULT_OK ? result : fault_set(fault, result, FAULT_FERRY, 0, "keep what is declared");
}

enum result store_declared_save(struct store *store, struct store_declared *declared, struct text_view spec, struct fault *fault)
{
	AUTO(buffer) struct buffer kept = BUFFER(STORE_DECLARED_BYTES_MAX);
	AUTO(query) struct query query = query_start(store, DECLARED_SAVE, "keep what is declared");
	enum result result = seal(store, declared, spec, &kept, fault);

	if (result != RESULT_OK)
		return result;
	put_text(&query, declared->name);
	put_sealed(&query, kept.bytes, kept.length);
	put_i64(&query, is_sealed(store, spec));
	put_i64(&query, declared->since_ms);
	put_i64(&query, declared->due_ms);
	put_i64(&query, declared->seed);
	put_i64(&query, declared->versions);
	put_i64(&query, declared->owed);
	put_i64(&query, declared->set_ms);
	put_i64(&query, declared->keep);
	result = query_run(&query, NULL, fault);
	return result == RESULT_OK ? store_declared_find(store, declared->name, declared, fault) : result;
}

enum result store_declared_set_job(struct store *store, int64_t row, int64_t job_row, struct fault *fault)
{
	AUTO(query) struct query query = query_start(store, DECLARED_SET_JOB, "keep a declared job's job");

	put_i64(&query, row);
	put_i64(&query, job_row);
	return query_run(&query, NULL, fault);
}

enum result store_declared_set_due(struct store *store, const struct store_declared *declared, struct fault *fault)
{
	AUTO(query) struct query query = query_start(store, DECLARED_SET_DUE, "keep when a declared job is due");

	put_i64(&query, declared->row);
	put_i64(&query, declared->since_ms);
	put_i64(&query, declared->due_ms);
	put_i64(&query, declared->set_ms);
	put_i64(&query, declared->owed);
	return query_run(&query, NULL, fault);
}

enum result store_declared_remove(struct store *store, int64_t row, struct fault *fault)
{
	AUTO(query) struct query query = query_start(store, DECLARED_REMOVE, "forget a declared job");

	put_i64(&query, row);
	return query_run(&query, NULL, fault);
}

/* --- finding --- */

static void take_declared(struct query *query, struct store_declared *declared)
{
	declared->row = take_i64(query, 1, INT64_MAX);
	take_text(query, declared->name, sizeof(declared->name));
	declared->job_row = take_null(query) ? 0 : take_i64(query, 1, INT64_MAX);
	declared->since_ms = take_i64(query, 0, INT64_MAX);
	declared->due_ms = take_i64(query, 0, INT64_MAX);
	declared->set_ms = take_i64(query, 0, INT64_MAX);
	declared->owed = take_i64(query, 0, 1) == 1;
	declared->seed = take_u32(query);
	declared->versions = (uint32_t)take_i64(query, 0, DECLARED_VERSIONS_MAX);
	declared->keep = take_i64(query, 0, 1) == 1;
}

static enum result find(struct query *query, struct store_declared *ret_declared, struct fault *fault)
{
	bool row = false;
	enum result result = query_step(query, &row, fault);

	if (result == RESULT_OK && !row)
		return fault_set(fault, RESULT_NOT_FOUND, FAULT_FERRY, 0, "%s", query->doing);
	if (result != RESULT_OK)
		return result;
	take_declared(query, ret_declared);
	return query_taken(query, fault);
}

enum result store_declared_find(struct store *store, const char *name, struct store_declared *ret_declared, struct fault *fault)
{
	AUTO(query) struct query query = query_start(store, DECLARED_BY_NAME, "find a declared job");

	put_text(&query, name);
	return find(&query, ret_declared, fault);
}

enum result store_declared_of_job(struct store *store, int64_t job_row, struct store_declared *ret_declared, struct fault *fault)
{
	AUTO(query) struct query query = query_start(store, DECLARED_OF_JOB, "find a job's declaration");

	put_i64(&query, job_row);
	return find(&query, ret_declared, fault);
}

/* What cannot be opened any more is told as "". */
static enum result unseal(struct store *store, const struct store_declared *declared, struct buffer *spec, struct fault *fault)
{
	AUTO(buffer) struct buffer plain = BUFFER(STORE_DECLARED_BYTES_MAX);
	char binding[BINDING_BYTES_MAX];
	enum result result = RESULT_SECRET_UNREADABLE;

	binding_of(declared, binding);
	if (store->sealer.unseal != NULL)
		result = store->sealer.unseal(store->sealer.context, binding, spec->bytes, spec->length, &plain, fault);
	if (result != RESULT_OK && result != RESULT_SECRET_UNREADABLE)
		return result;
	buffer_clear(spec);
	if (result == RESULT_OK)
		result = buffer_append(spec, plain.bytes, plain.length);
	else
		result = RESULT_OK;
	if (plain.bytes != NULL)
		text_wipe(plain.bytes, plain.capacity);
	return result == RESULT_OK ? result : fault_set(fault, result, FAULT_FERRY, 0, "open what is declared");
}

enum result store_declared_list(struct store *store,
                                bool (*visit)(void *context, const struct store_declared *declared, struct text_view spec),
                                void *context, struct fault *fault)
{
	AUTO(query) struct query query = query_start(store, DECLARED_LIST, "list declared jobs");
	AUTO(buffer) struct buffer spec = BUFFER(STORE_DECLARED_BYTES_MAX);

	for (;;) {
		struct store_declared declared;
		bool row = false;
		enum result result = query_step(&query, &row, fault);

		if (result != RESULT_OK || !row)
			return result;
		take_declared(&query, &declared);

		bool sealed = take_i64(&query, 0, 1) == 1;

		if (take_long_octets(&query, &spec) != RESULT_OK)
			return fault_set(fault, RESULT_NO_MEMORY, FAULT_FERRY, 0, "%s", query.doing);
		result = query_taken(&query, fault);
		if (result == RESULT_OK && sealed)
			result = unseal(store, &declared, &spec, fault);

		bool more = result == RESULT_OK && visit(context, &declared, (struct text_view){ spec.bytes, spec.length });

		text_wipe(spec.bytes, spec.length);
		if (!more)
			return result;
	}
}

enum result store_declared_next_due(struct store *store, int64_t now_ms, int64_t *ret_ms, struct fault *fault)
{
	AUTO(query) struct query query = query_start(store, DECLARED_NEXT_DUE, "find when a declared job is due");

	put_i64(&query, now_ms);
	return query_number(&query, INT64_MAX, ret_ms, fault);
}

enum result store_declared_any(struct store *store, bool *ret_any, struct fault *fault)
{
	AUTO(query) struct query query = query_start(store, DECLARED_ANY, "find declared jobs");

	return query_step(&query, ret_any, fault);
}

enum result store_declared_ended(struct store *store, bool *ret_any, struct fault *fault)
{
	AUTO(query) struct query query = query_start(store, DECLARED_ENDED, "find declared jobs that ended");

	return query_step(&query, ret_any, fault);
}

/* --- what landed --- */

enum result store_landed_save(struct store *store, int64_t declared_row, const char *path, const struct store_landed *landed,
                              struct fault *fault)
{
	AUTO(query) struct query query = query_start(store, LANDED_SAVE, "keep what landed");
	char digest[DIGEST_TEXT_BYTES_MAX];

	digest_format(&landed->digest, digest);
	put_i64(&query, declared_row);
	put_text(&query, path);
	put_u64(&query, "bytes", landed->bytes);
	put_text(&query, digest);
	put_octets(&query, landed->condition.etag);
	put_i64(&query, landed->condition.modified_ms);
	return query_run(&query, NULL, fault);
}

enum result store_landed_remove(struct store *store, int64_t declared_row, const char *path, struct fault *fault)
{
	AUTO(query) struct query query = query_start(store, LANDED_REMOVE, "forget what landed");

	put_i64(&query, declared_row);
	put_text(&query, path);
	return query_run(&query, NULL, fault);
}

enum result store_landed(struct store *store, int64_t declared_row, const char *path, struct store_landed *ret_landed,
                         struct fault *fault)
{
	AUTO(query) struct query query = query_start(store, LANDED_OF_FILE, "find what landed");
	struct store_landed landed = { .bytes = 0 };
	char digest[DIGEST_TEXT_BYTES_MAX];
	bool row = false;

	put_i64(&query, declared_row);
	put_text(&query, path);
	enum result result = query_step(&query, &row, fault);
	if (result == RESULT_OK && !row)
		return fault_set(fault, RESULT_NOT_FOUND, FAULT_FERRY, 0, "%s", query.doing);
	if (result != RESULT_OK)
		return result;
	landed.bytes = take_u64(&query);
	take_text(&query, digest, sizeof(digest));
	take_text(&query, landed.condition.etag, sizeof(landed.condition.etag));
	landed.condition.modified_ms = take_i64(&query, 0, FILE_MODIFIED_MS_MAX);
	query.damaged |= digest[0] != '\0' && digest_parse(text_view(digest), &landed.digest, NULL) != RESULT_OK;
	result = query_taken(&query, fault);
	if (result == RESULT_OK)
		*ret_landed = landed;
	return result;
}
