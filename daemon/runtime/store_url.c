/* runtime/store: URLs.  What stands behind the '?' is often a secret (rule 29): the rows have the URL up to there, and beside
 * it the rest, sealed for the job, whoever owns it.
 */
#include <string.h>

#include "runtime/store_private.h"

#define BINDING_BYTES_MAX (sizeof("url ") + JOB_ID_BYTES)

/* The binding of a job's URLs, by its row or by a file's. */
static enum result bind_to(struct store *store, enum statement which, int64_t row, char to[BINDING_BYTES_MAX], struct fault *fault)
{
	AUTO(query) struct query query = query_start(store, which, "find a URL's job");
	char id[JOB_ID_BYTES];
	bool found = false;

	put_i64(&query, row);
	enum result result = query_step(&query, &found, fault);
	if (result != RESULT_OK)
		return result;
	if (!found)
		return fault_set(fault, RESULT_NOT_FOUND, FAULT_FERRY, 0, "%s", query.doing);
	take_text(&query, id, sizeof(id));
	text_display(to, BINDING_BYTES_MAX, "url %s", id);
	return query_taken(&query, fault);
}

enum result url_divide(struct store *store, enum statement which, int64_t row, const char *url, struct divided_url *ret_divided,
                       struct fault *fault)
{
	const char *mark = strchr(url, '?');
	size_t length = mark != NULL ? (size_t)(mark - url) + 1 : 0;
	char binding[BINDING_BYTES_MAX];
	bool whole = store->sealer.seal == NULL || length == 0 || url[length] == '\0';

	*ret_divided = (struct divided_url){ .query = BUFFER(STORE_QUERY_SEALED_BYTES_MAX) };
	enum result result =
		text_copy(ret_divided->url, sizeof(ret_divided->url), (struct text_view){ url, whole ? strlen(url) : length });
	if (result != RESULT_OK)
		return fault_set(fault, result, FAULT_FERRY, 0, "keep a URL");
	if (whole)
		return RESULT_OK;
	result = bind_to(store, which, row, binding, fault);
	if (result == RESULT_OK)
		result = store->sealer.seal(store->sealer.context, binding, url + length, strlen(url + length), &ret_divided->query, fault);
	return result;
}

/* The query goes behind the '?' that `to` ends with. */
static enum result join(struct store *store, int64_t file_row, const struct buffer *sealed, char to[URL_BYTES_MAX + 1],
                        struct fault *fault)
{
	AUTO(buffer) struct buffer plain = BUFFER(URL_BYTES_MAX);
	char binding[BINDING_BYTES_MAX];
	size_t length = strlen(to);
	enum result result = bind_to(store, ID_OF_FILES_JOB, file_row, binding, fault);

	if (result != RESULT_OK)
		return result;
	if (store->sealer.unseal != NULL)
		result = store->sealer.unseal(store->sealer.context, binding, sealed->bytes, sealed->length, &plain, fault);
	if (result_class(result) == RETRY_LATER)
		return result;
	if (result != RESULT_OK || store->sealer.unseal == NULL || memchr(plain.bytes, '\0', plain.length) != NULL ||
	    text_copy(to + length, URL_BYTES_MAX + 1 - length, (struct text_view){ plain.bytes, plain.length }) != RESULT_OK)
		result = fault_set(fault, RESULT_SECRET_UNREADABLE, FAULT_FERRY, 0, "the query of a URL");
	if (plain.bytes != NULL)
		text_wipe(plain.bytes, plain.capacity);
	return result;
}

static enum result find_parts(struct store *store, int64_t file_row, uint32_t source, char to[URL_BYTES_MAX + 1],
                              struct buffer *sealed, struct fault *fault)
{
	AUTO(query) struct query query = query_start(store, source == 0 ? FILE_WHOLE_URL : MIRROR_WHOLE_URL, "find a URL");
	bool row = false;

	put_i64(&query, file_row);
	if (source > 0)
		put_i64(&query, source);
	enum result result = query_step(&query, &row, fault);
	if (result != RESULT_OK)
		return result;
	if (!row)
		return fault_set(fault, RESULT_STORE_DAMAGED, FAULT_FERRY, 0, "a URL is missing");
	take_text(&query, to, URL_BYTES_MAX + 1);
	if (!take_null(&query))
		result = take_long_octets(&query, sealed);
	return result == RESULT_OK ? query_taken(&query, fault) : fault_set(fault, result, FAULT_FERRY, 0, "%s", query.doing);
}

enum result store_source_url(struct store *store, int64_t file_row, uint32_t source, char to[URL_BYTES_MAX + 1],
                             struct fault *fault)
{
	AUTO(buffer) struct buffer sealed = BUFFER(STORE_QUERY_SEALED_BYTES_MAX);
	enum result result = find_parts(store, file_row, source, to, &sealed, fault);

	return result == RESULT_OK && sealed.length > 0 ? join(store, file_row, &sealed, to, fault) : result;
}

/* Of a URL with a query what stands before that is enough to know, unless the prefix reaches into it. */
enum result store_source_may_begin(struct store *store, int64_t file_row, uint32_t source, struct text_view prefix, bool *ret_may,
                                   struct fault *fault)
{
	AUTO(buffer) struct buffer sealed = BUFFER(STORE_QUERY_SEALED_BYTES_MAX);
	char url[URL_BYTES_MAX + 1];
	enum result result = find_parts(store, file_row, source, url, &sealed, fault);

	if (result != RESULT_OK)
		return result;
	size_t length = strlen(url) < prefix.length ? strlen(url) : prefix.length;
	*ret_may = memcmp(url, prefix.bytes, length) == 0 && (length == prefix.length || sealed.length > 0);
	return RESULT_OK;
}

enum result store_source_set_url(struct store *store, int64_t file_row, uint32_t source, const char *url,
                                 struct fault *fault)
{
	AUTO(divided_url) struct divided_url divided;
	uint32_t changes = 0;
	enum result result = url_divide(store, ID_OF_FILES_JOB, file_row, url, &divided, fault);

	if (result != RESULT_OK)
		return result;
	AUTO(query) struct query query = query_start(store, source == 0 ? FILE_SET_URL : MIRROR_SET_URL, "move a source");
	put_i64(&query, file_row);
	if (source > 0)
		put_i64(&query, source);
	put_text(&query, divided.url);
	put_sealed(&query, divided.query.bytes, divided.query.length);
	result = query_run(&query, &changes, fault);
	if (result == RESULT_OK && changes == 0)
		return fault_set(fault, RESULT_NOT_FOUND, FAULT_FERRY, 0, "move a source");
	return result;
}

/* --- of a queue that was made before there was sealing --- */

static enum result next_in_clear(struct store *store, bool mirrors, int64_t *file_row, int64_t *source, char url[URL_BYTES_MAX + 1],
                                 bool *ret_found, struct fault *fault)
{
	AUTO(query) struct query query = query_start(store, mirrors ? MIRROR_IN_CLEAR : FILE_IN_CLEAR, "find a query in the clear");

	put_i64(&query, *file_row);
	put_i64(&query, *source);
	enum result result = query_step(&query, ret_found, fault);
	if (result != RESULT_OK || !*ret_found)
		return result;
	*file_row = take_i64(&query, 1, INT64_MAX);
	*source = take_i64(&query, 0, FILE_MIRRORS_MAX);
	take_text(&query, url, URL_BYTES_MAX + 1);
	return query_taken(&query, fault);
}

static enum result seal_all(struct store *store, bool mirrors, struct fault *fault)
{
	int64_t file_row = 0, source = 0;

	for (;;) {
		char url[URL_BYTES_MAX + 1];
		bool found = false;
		enum result result = next_in_clear(store, mirrors, &file_row, &source, url, &found, fault);

		if (result == RESULT_OK && found)
			result = store_source_set_url(store, file_row, (uint32_t)source, url, fault);
		if (result != RESULT_OK || !found)
			return result;
	}
}

/* What stood there in the clear is to be nowhere: freed bytes are overwritten (SQLITE_SECURE_DELETE), and the log is emptied. */
static enum result empty_log(struct store *store, struct fault *fault)
{
	int code = sqlite3_wal_checkpoint_v2(store->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);

	return code == SQLITE_OK ? RESULT_OK : store_fault(store->db, code, "empty the log", fault);
}

enum result store_seal(struct store *store, const struct store_sealer *sealer, struct fault *fault)
{
	enum result result = store_begin(store, fault);

	store->sealer = *sealer;
	if (result == RESULT_OK)
		result = seal_all(store, false, fault);
	if (result == RESULT_OK)
		result = seal_all(store, true, fault);
	if (result == RESULT_OK)
		result = store_commit(store, fault);
	else
		store_rollback(store);
	/* Also what an earlier start that was broken off left there. */
	return result == RESULT_OK ? empty_log(store, fault) : result;
}
