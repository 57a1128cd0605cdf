/* runtime/store: files. */
#include "runtime/store_private.h"

static void put_file_saved(struct query *query, const struct file *file)
{
	put_i64(query, file->state);
	put_size(query, "bytes_total", file->bytes_total);
	put_u64(query, "bytes_recorded", file->bytes_recorded);
	put_text(query, file->partial);
	put_text(query, file->tag);
	put_octets(query, file->etag);
	put_octets(query, file->modified);
	put_i64(query, file->source);
	put_i64(query, file->sources_refused);
	put_i64(query, file->source_failures);
	put_u64(query, "bytes_most", file->bytes_most);
}

static struct digest take_digest(struct query *query)
{
	char text[DIGEST_TEXT_BYTES_MAX];
	struct digest digest = { .length = 0 };

	take_text(query, text, sizeof(text));
	if (text[0] != '\0' && digest_parse(text_view(text), &digest, NULL) != RESULT_OK)
		query->damaged = true;
	return digest;
}

static enum result take_file(struct query *query, struct file *file, struct fault *fault)
{
	file->row = take_i64(query, 1, INT64_MAX);
	file->ordinal = take_u32(query);
	take_text(query, file->url, sizeof(file->url));
	take_text(query, file->path, sizeof(file->path));
	file->bytes_stated = take_size(query);
	file->is_size_stated = file->bytes_stated != SIZE_UNKNOWN;
	file->digest = take_digest(query);
	file->mirrors = (uint32_t)take_i64(query, 0, FILE_MIRRORS_MAX);
	take_text(query, file->condition.etag, sizeof(file->condition.etag));
	file->condition.modified_ms = take_i64(query, 0, FILE_MODIFIED_MS_MAX);
	file->ranges = (uint32_t)take_i64(query, 0, RANGES_MAX);
	file->state = (enum file_state)take_i64(query, 0, FILE_STATE_COUNT - 1);
	file->bytes_total = take_size(query);
	file->bytes_recorded = take_u64(query);
	take_text(query, file->partial, sizeof(file->partial));
	take_text(query, file->tag, sizeof(file->tag));
	take_text(query, file->etag, sizeof(file->etag));
	take_text(query, file->modified, sizeof(file->modified));
	file->source = (uint32_t)take_i64(query, 0, file->mirrors);
	file->sources_refused = take_u32(query);
	file->source_failures = take_u32(query);
	file->bytes_most = take_u64(query);
	return query_taken(query, fault);
}

static enum result find_file(struct query *query, struct file *ret_file, struct fault *fault)
{
	bool row = false;
	enum result result = query_step(query, &row, fault);

	if (result != RESULT_OK)
		return result;
	if (!row)
		return fault_set(fault, RESULT_NOT_FOUND, FAULT_FERRY, 0, "%s", query->doing);
	struct file file;
	result = take_file(query, &file, fault);
	if (result == RESULT_OK)
		*ret_file = file;
	return result;
}

static enum result next_ordinal(struct store *store, int64_t job_row, int64_t *ret_ordinal, struct fault *fault)
{
	AUTO(query) struct query query = query_start(store, FILE_NEXT_ORDINAL, "number a file");
	put_i64(&query, job_row);
	return query_number(&query, 0, ret_ordinal, fault);
}

enum result store_file_insert(struct store *store, int64_t job_row, struct file *file, const char *path_key,
                              struct fault *fault)
{
	AUTO(divided_url) struct divided_url divided;
	int64_t ordinal = 0;
	char digest[DIGEST_TEXT_BYTES_MAX];
	enum result result = url_divide(store, ID_OF_JOB, job_row, file->url, &divided, fault);
	if (result == RESULT_OK)
		result = next_ordinal(store, job_row, &ordinal, fault);
	if (result != RESULT_OK)
		return result;

	digest_format(&file->digest, digest);
	AUTO(query) struct query query = query_start(store, FILE_INSERT, "insert a file");
	put_i64(&query, job_row);
	put_i64(&query, ordinal);
	put_text(&query, path_key);
	put_sealed(&query, divided.query.bytes, divided.query.length);
	put_text(&query, divided.url);
	put_text(&query, file->path);
	put_size(&query, "bytes_stated", file->is_size_stated ? file->bytes_stated : SIZE_UNKNOWN);
	put_text(&query, digest);
	put_i64(&query, file->mirrors);
	put_text(&query, file->condition.etag);
	put_i64(&query, file->condition.modified_ms);
	put_i64(&query, file->ranges);
	put_file_saved(&query, file);
	result = query_run(&query, NULL, fault);
	if (result == RESULT_EXISTS) /* row and ordinal are fresh: only the path can be there already */
		return fault_set(fault, RESULT_DUPLICATE_DESTINATION, FAULT_FERRY, 0, "%s", file->path);
	if (result != RESULT_OK)
		return result;
	file->row = sqlite3_last_insert_rowid(store->db);
	file->ordinal = (uint32_t)ordinal;
	return RESULT_OK;
}

enum result store_file_by_row(struct store *store, int64_t row, struct file *ret_file, struct fault *fault)
{
	AUTO(query) struct query query = query_start(store, FILE_BY_ROW, "find a file by its row");
	put_i64(&query, row);
	return find_file(&query, ret_file, fault);
}

enum result store_file_next(struct store *store, int64_t job_row, enum file_state state, uint32_t from_ordinal,
                            struct file *ret_file, struct fault *fault)
{
	AUTO(query) struct query query = query_start(store, FILE_NEXT_IN_STATE, "find the next file");
	put_i64(&query, job_row);
	put_i64(&query, state);
	put_i64(&query, from_ordinal);
	return find_file(&query, ret_file, fault);
}

enum result store_file_next_partial(struct store *store, int64_t job_row, uint32_t from_ordinal, struct file *ret_file,
                                    struct fault *fault)
{
	AUTO(query) struct query query = query_start(store, FILE_NEXT_PARTIAL, "find the next partial file");
	put_i64(&query, job_row);
	put_i64(&query, from_ordinal);
	return find_file(&query, ret_file, fault);
}

enum result store_file_save(struct store *store, const struct file *file, struct fault *fault)
{
	AUTO(query) struct query query = query_start(store, FILE_SAVE, "save a file");
	uint32_t changes = 0;

	put_i64(&query, file->row);
	put_file_saved(&query, file);
	enum result result = query_run(&query, &changes, fault);
	if (result == RESULT_OK && changes == 0)
		return fault_set(fault, RESULT_NOT_FOUND, FAULT_FERRY, 0, "save a file");
	return result;
}

enum result store_file_save_soon(struct store *store, const struct file *file, struct fault *fault)
{
	bool lasting = store->lasting;
	enum result result = store_file_save(store, file, fault);

	if (result == RESULT_OK)
		store->lasting = lasting;
	return result;
}

enum result store_files_list(struct store *store, int64_t job_row, uint32_t from_ordinal, uint32_t limit,
                             bool (*visit)(void *context, const struct file *file), void *context, struct fault *fault)
{
	AUTO(query) struct query query = query_start(store, FILES_OF_JOB, "list files");
	put_i64(&query, job_row);
	put_i64(&query, from_ordinal);
	put_i64(&query, limit);
	for (;;) {
		struct file file;
		bool row = false;
		enum result result = query_step(&query, &row, fault);
		if (result != RESULT_OK || !row)
			return result;
		result = take_file(&query, &file, fault);
		if (result != RESULT_OK || !visit(context, &file))
			return result;
	}
}

enum result store_partial_exists(struct store *store, const char *partial, bool *ret_exists, struct fault *fault)
{
	AUTO(query) struct query query = query_start(store, PARTIAL_EXISTS, "find a partial file");
	put_text(&query, partial);
	return query_step(&query, ret_exists, fault);
}

/* --- mirrors --- */

enum result store_mirror_insert(struct store *store, int64_t file_row, uint32_t source, const char *url,
                                struct fault *fault)
{
	AUTO(divided_url) struct divided_url divided;
	enum result result = url_divide(store, ID_OF_FILES_JOB, file_row, url, &divided, fault);
	if (result != RESULT_OK)
		return result;

	AUTO(query) struct query query = query_start(store, MIRROR_INSERT, "insert a mirror");
	put_i64(&query, file_row);
	put_i64(&query, source);
	put_text(&query, divided.url);
	put_sealed(&query, divided.query.bytes, divided.query.length);
	return query_run(&query, NULL, fault);
}

enum result store_mirror_url(struct store *store, int64_t file_row, uint32_t source, char to[URL_BYTES_MAX + 1],
                             struct fault *fault)
{
	AUTO(query) struct query query = query_start(store, MIRROR_URL, "find a mirror");
	bool row = false;

	put_i64(&query, file_row);
	put_i64(&query, source);
	enum result result = query_step(&query, &row, fault);
	if (result != RESULT_OK)
		return result;
	if (!row)
		return fault_set(fault, RESULT_STORE_DAMAGED, FAULT_FERRY, 0, "a mirror is missing");
	take_text(&query, to, URL_BYTES_MAX + 1);
	return query_taken(&query, fault);
}

/* --- ranges --- */

enum result store_ranges_insert(struct store *store, int64_t file_row, const char *list, struct fault *fault)
{
	AUTO(query) struct query query = query_start(store, RANGES_INSERT, "insert ranges");
	put_i64(&query, file_row);
	put_text(&query, list);
	return query_run(&query, NULL, fault);
}

enum result store_ranges(struct store *store, int64_t file_row, struct buffer *to, struct fault *fault)
{
	AUTO(query) struct query query = query_start(store, RANGES_OF_FILE, "find ranges");
	bool row = false;

	put_i64(&query, file_row);
	enum result result = query_step(&query, &row, fault);
	if (result != RESULT_OK)
		return result;
	if (!row)
		return fault_set(fault, RESULT_STORE_DAMAGED, FAULT_FERRY, 0, "a file's ranges are missing");
	result = take_long_text(&query, to);
	return result == RESULT_OK ? query_taken(&query, fault) : fault_set(fault, result, FAULT_FERRY, 0, "find ranges");
}

enum result store_sources_forgive(struct store *store, int64_t job_row, struct fault *fault)
{
	AUTO(query) struct query query = query_start(store, SOURCES_FORGIVE, "begin a job's sources anew");
	put_i64(&query, job_row);
	return query_run(&query, NULL, fault);
}
