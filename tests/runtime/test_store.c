/* runtime/store: records in and out, turns, counters, the order of things. */
#include "runtime/store_fixture.h"

static char path[STORE_PATH_BYTES_MAX];
static struct store *store;

static int set_up(void **state)
{
	(void)state;
	new_path(path);
	expect_ok(store_open(path, &store, &seen));
	expect_ok(store_begin(store, &seen));
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	store_rollback(store);
	store_free(TAKE(store));
	remove_store(path);
	return 0;
}

static void next_turn(void)
{
	expect_ok(store_commit(store, &seen));
	expect_ok(store_begin(store, &seen));
}

/* Close and open: what is there now was on the disk. */
static void reopen(void)
{
	expect_ok(store_commit(store, &seen));
	store_free(TAKE(store));
	expect_ok(store_open(path, &store, &seen));
	expect_ok(store_begin(store, &seen));
}

static void savepoint__of_a_turn_that_could_not_begin__is_refused(void **state)
{
	(void)state;
	expect_ok(store_commit(store, &seen));
	expect_fault(store_savepoint(store, &seen), RESULT_STORE_BUSY);
	expect_ok(store_begin(store, &seen));
	expect_ok(store_savepoint(store, &seen));
	store_undo(store);
}

/* --- records --- */

static void assert_same_job(const struct job *a, const struct job *b)
{
	assert_int_equal(a->row, b->row);
	assert_string_equal(a->id, b->id);
	assert_string_equal(a->key, b->key);
	assert_string_equal(a->owner, b->owner);
	assert_int_equal(a->owner_integrity, b->owner_integrity);
	assert_int_equal(a->owner_elevated, b->owner_elevated);
	assert_int_equal(a->takeovers, b->takeovers);
	assert_string_equal(a->correlation, b->correlation);
	assert_string_equal(a->program, b->program);
	assert_int_equal(a->properties.on_token_loss, b->properties.on_token_loss);
	assert_string_equal(a->properties.pinned_helper, b->properties.pinned_helper);
	assert_int_equal(a->helper_flags, b->helper_flags);
	assert_string_equal(a->helper_sid, b->helper_sid);
	assert_int_equal(a->helper_logon, b->helper_logon);
	assert_int_equal(a->token_wait, b->token_wait);
	for (unsigned side = 0; side < JOB_SIDE_COUNT; side++)
		assert_string_equal(a->side_sid[side], b->side_sid[side]);
	assert_string_equal(a->file_writer, b->file_writer);
	assert_int_equal(a->retry_after_s, b->retry_after_s);
	assert_int_equal(a->properties.profile, b->properties.profile);
	assert_int_equal(a->properties.max_bytes, b->properties.max_bytes);
	assert_int_equal(a->properties.no_segments, b->properties.no_segments);
	assert_int_equal(a->properties.proxy_mode, b->properties.proxy_mode);
	assert_int_equal(a->properties.no_redirects, b->properties.no_redirects);
	assert_int_equal(a->properties.tls_ignore, b->properties.tls_ignore);
	assert_string_equal(a->properties.client_certificate, b->properties.client_certificate);
	assert_int_equal(a->implicit, b->implicit);
	assert_int_equal(a->explicit, b->explicit);
	assert_string_equal(a->properties.name, b->properties.name);
	assert_string_equal(a->properties.description, b->properties.description);
	assert_int_equal(a->properties.priority, b->properties.priority);
	assert_int_equal(a->properties.auto_complete, b->properties.auto_complete);
	assert_int_equal(a->properties.retry_delay_s, b->properties.retry_delay_s);
	assert_int_equal(a->properties.no_progress_timeout_s, b->properties.no_progress_timeout_s);
	assert_int_equal(a->properties.max_time_s, b->properties.max_time_s);
	assert_int_equal(a->properties.lease_s, b->properties.lease_s);
	assert_int_equal(a->limited, b->limited);
	assert_int_equal(a->state, b->state);
	assert_int_equal(a->work, b->work);
	assert_int_equal(a->error.result, b->error.result);
	assert_int_equal(a->error.source, b->error.source);
	assert_int_equal(a->error.raw, b->error.raw);
	assert_string_equal(a->error.what, b->error.what);
	assert_int_equal(a->error_count, b->error_count);
	assert_int_equal(a->created_ms, b->created_ms);
	assert_int_equal(a->modified_ms, b->modified_ms);
	assert_int_equal(a->finished_ms, b->finished_ms);
	assert_int_equal(a->state_since_ms, b->state_since_ms);
	assert_int_equal(a->next_try_ms, b->next_try_ms);
	assert_int_equal(a->progress_ms, b->progress_ms);
	assert_int_equal(a->active_ms, b->active_ms);
	assert_int_equal(a->attempts, b->attempts);
}

static void assert_same_file(const struct file *a, const struct file *b)
{
	assert_int_equal(a->row, b->row);
	assert_int_equal(a->ordinal, b->ordinal);
	assert_string_equal(a->url, b->url);
	assert_string_equal(a->path, b->path);
	assert_int_equal(a->state, b->state);
	assert_int_equal(a->bytes_total, b->bytes_total);
	assert_int_equal(a->is_size_stated, b->is_size_stated);
	if (a->is_size_stated)
		assert_int_equal(a->bytes_stated, b->bytes_stated);
	assert_int_equal(a->digest.length, b->digest.length);
	assert_memory_equal(a->digest.bytes, b->digest.bytes, sizeof(a->digest.bytes));
	assert_int_equal(a->bytes_recorded, b->bytes_recorded);
	assert_string_equal(a->partial, b->partial);
	assert_string_equal(a->tag, b->tag);
	assert_string_equal(a->etag, b->etag);
	assert_string_equal(a->modified, b->modified);
	assert_string_equal(a->condition.etag, b->condition.etag);
	assert_int_equal(a->condition.modified_ms, b->condition.modified_ms);
	assert_int_equal(a->mirrors, b->mirrors);
	assert_int_equal(a->ranges, b->ranges);
	assert_int_equal(a->source, b->source);
	assert_int_equal(a->sources_refused, b->sources_refused);
	assert_int_equal(a->source_failures, b->source_failures);
	assert_int_equal(a->bytes_most, b->bytes_most);
}

/* What store_job_save writes, all different from sample_job and from each other, at their upper limits. */
static void fill_saved(struct job *job)
{
	fill(job->properties.name, sizeof(job->properties.name), 'n');
	fill(job->properties.description, sizeof(job->properties.description), 'd');
	job->properties.priority = JOB_LOW;
	job->properties.auto_complete = true;
	job->properties.retry_delay_s = UINT32_MAX;
	job->properties.no_progress_timeout_s = UINT32_MAX - 1;
	job->properties.max_time_s = UINT32_MAX - 2;
	job->properties.lease_s = UINT32_MAX - 5;
	job->state = JOB_ACKNOWLEDGED;
	job->work = JOB_WORK_SWEEP;
	job->error = (struct fault){ .result = RESULT_SYSTEM, .source = FAULT_HTTP, .raw = INT64_MIN };
	fill(job->error.what, sizeof(job->error.what), 'w');
	job->error_count = UINT32_MAX - 3;
	job->attempts = UINT32_MAX - 4;
	job->modified_ms = INT64_MAX;
	job->finished_ms = INT64_MAX - 1;
	job->state_since_ms = INT64_MAX - 2;
	job->next_try_ms = INT64_MAX - 3;
	job->progress_ms = INT64_MAX - 4;
	job->active_ms = INT64_MAX - 5;
	job->properties.on_token_loss = TOKEN_LOSS_WAIT;
	fill(job->properties.pinned_helper, sizeof(job->properties.pinned_helper), 'P');
	job->helper_flags = HELPER_ALL;
	fill(job->helper_sid, sizeof(job->helper_sid), 'H');
	job->helper_logon = 4;
	job->token_wait = true;
	fill(job->side_sid[JOB_SIDE_FILE], sizeof(job->side_sid[0]), 'F');
	fill(job->side_sid[JOB_SIDE_NETWORK], sizeof(job->side_sid[0]), 'N');
	fill(job->file_writer, sizeof(job->file_writer), 'W');
	job->retry_after_s = JOB_RETRY_AFTER_S_MAX;
	job->properties.profile = JOB_PROFILE_BULK;
	job->properties.max_bytes = INT64_MAX;
	job->properties.no_segments = true;
	job->properties.proxy_mode = PROXY_AUTODETECT;
	job->properties.no_redirects = true;
	job->properties.tls_ignore = TLS_IGNORE_ALL;
	fill(job->properties.client_certificate, sizeof(job->properties.client_certificate), 'C');
	job->implicit = JOB_CREDENTIAL(AUTH_PROXY, AUTH_NEGOTIATE);
	job->explicit = JOB_CREDENTIAL(AUTH_SERVER, AUTH_BASIC);
}

static void job__inserted_with_every_field_at_its_limit__comes_back(void **state)
{
	(void)state;
	struct job job = sample_job(OWNER, 1), back;
	fill(job.key, sizeof(job.key), 'k');
	fill(job.owner, sizeof(job.owner), 'o');
	fill(job.correlation, sizeof(job.correlation), 'c');
	fill(job.program, sizeof(job.program), 'p');
	job.owner_integrity = UINT32_MAX;
	job.owner_elevated = true;
	job.created_ms = INT64_MAX - 6;
	job.limited = true;
	fill_saved(&job);
	expect_ok(store_job_insert(store, &job, &seen));
	assert_true(job.row > 0);
	reopen();

	expect_ok(store_job_by_row(store, job.row, &back, &seen));
	assert_same_job(&job, &back);
	expect_ok(store_job_by_id(store, job.id, &back, &seen));
	assert_same_job(&job, &back);
	expect_ok(store_job_by_key(store, job.owner, job.key, &back, &seen));
	assert_same_job(&job, &back);
	assert_int_equal(back.files_total, 0);
	assert_int_equal(back.bytes_total, 0);
}

static void job__saved_with_every_field_at_its_limit__comes_back(void **state)
{
	(void)state;
	struct job job = sample_job(OWNER, 1);
	expect_ok(store_job_insert(store, &job, &seen));
	struct job back = get_job(store, job.row);
	assert_same_job(&job, &back);
	fill_saved(&job);
	expect_ok(store_job_save(store, &job, JOB_QUEUED, &seen));
	reopen();
	back = get_job(store, job.row);
	assert_true(job_state_is_final(job.state));
	job.implicit = job.explicit = 0; /* gone with the job */
	assert_same_job(&job, &back);
}

static void job__every_outcome_and_source__comes_back(void **state)
{
	(void)state;
	struct job job = sample_job(OWNER, 1);
	expect_ok(store_job_insert(store, &job, &seen));
	for (int result = 0; result < RESULT_COUNT; result++) {
		job.error.result = (enum result)result;
		job.error.source = (enum fault_source)(result % (FAULT_HTTP + 1));
		expect_ok(store_job_save(store, &job, JOB_QUEUED, &seen));
		struct job back = get_job(store, job.row);
		assert_int_equal(back.error.result, job.error.result);
		assert_int_equal(back.error.source, job.error.source);
	}
}

static void file__every_field_at_its_limit__comes_back(void **state)
{
	(void)state;
	int64_t job = insert_job(store, sample_job(OWNER, 1));
	struct file file = { .state = FILE_ABANDONED, .bytes_total = INT64_MAX, .bytes_recorded = INT64_MAX,
		                 .is_size_stated = true, .bytes_stated = INT64_MAX,
		                 .digest = { .length = DIGEST_SHA512_BYTES },
		                 .mirrors = FILE_MIRRORS_MAX, .source = FILE_MIRRORS_MAX, .sources_refused = 0x1ff,
		                 .source_failures = UINT32_MAX, .bytes_most = INT64_MAX, .ranges = RANGES_MAX };
	memset(file.digest.bytes, 0xAF, sizeof(file.digest.bytes));
	fill(file.url, sizeof(file.url), 'u');
	fill(file.path, sizeof(file.path), 'p');
	fill(file.partial, sizeof(file.partial), 'q');
	fill(file.tag, sizeof(file.tag), 't');
	fill(file.etag, sizeof(file.etag), '\xFF'); /* a server's bytes need not be UTF-8 */
	fill(file.modified, sizeof(file.modified), '\x80');
	fill(file.condition.etag, sizeof(file.condition.etag), 'c');
	file.condition.modified_ms = FILE_MODIFIED_MS_MAX;
	expect_ok(store_file_insert(store, job, &file, file.path, &seen));
	reopen();
	struct file back = get_file(store, file.row);
	assert_same_file(&file, &back);

	struct file saved = sample_file(0);
	saved.row = file.row;
	saved.state = FILE_NOT_MODIFIED;
	saved.bytes_recorded = 7;
	text_to(saved.partial, sizeof(saved.partial), "partial");
	text_to(saved.tag, sizeof(saved.tag), "tag");
	text_to(saved.etag, sizeof(saved.etag), "\"etag\"");
	text_to(saved.modified, sizeof(saved.modified), "modified");
	expect_ok(store_file_save(store, &saved, &seen));
	text_to(saved.url, sizeof(saved.url), file.url); /* nor are these among what is saved */
	saved.is_size_stated = true;
	saved.bytes_stated = file.bytes_stated;
	saved.digest = file.digest;
	saved.mirrors = file.mirrors;
	saved.ranges = file.ranges;
	saved.condition = file.condition;
	saved.source = 3;
	saved.sources_refused = 4;
	saved.source_failures = 5;
	saved.bytes_most = 8;
	expect_ok(store_file_save(store, &saved, &seen));
	text_to(saved.path, sizeof(saved.path), file.path);
	back = get_file(store, file.row);
	assert_same_file(&saved, &back);
}

static void mirrors__of_a_file__are_kept_with_it_and_forgiven_by_the_job(void **state)
{
	(void)state;
	char url[URL_BYTES_MAX + 1], longest[URL_BYTES_MAX + 1];
	int64_t job = insert_job(store, sample_job(OWNER, 1)), other = insert_job(store, sample_job(OWNER, 2));
	struct file file = sample_file(0), others = sample_file(1);
	file.mirrors = 2;
	file.sources_refused = others.sources_refused = file.source_failures = 5;
	file.bytes_recorded = 7;
	file.bytes_most = 9;
	expect_ok(store_file_insert(store, job, &file, "key", &seen));
	expect_ok(store_file_insert(store, other, &others, "key", &seen));
	fill(longest, sizeof(longest), 'u');
	expect_ok(store_mirror_insert(store, file.row, 1, longest, &seen));
	expect_ok(store_mirror_insert(store, file.row, 2, "http://b/", &seen));
	reopen();
	expect_ok(store_mirror_url(store, file.row, 1, url, &seen));
	assert_string_equal(url, longest);
	expect_ok(store_mirror_url(store, file.row, 2, url, &seen));
	assert_string_equal(url, "http://b/");
	expect_fault(store_mirror_url(store, file.row, 3, url, &seen), RESULT_STORE_DAMAGED);
	expect_fault(store_mirror_insert(store, 77, 1, "http://b/", &seen), RESULT_NOT_FOUND);
	expect_ok(store_sources_forgive(store, job, &seen));
	assert_int_equal(get_file(store, file.row).sources_refused, 0);
	assert_int_equal(get_file(store, file.row).source_failures, 0);
	assert_int_equal(get_file(store, file.row).bytes_most, 7);
	assert_int_equal(get_file(store, others.row).sources_refused, 5);
}

static void ranges__of_a_file__are_kept_with_it(void **state)
{
	(void)state;
	AUTO(buffer) struct buffer text = BUFFER(RANGES_TEXT_BYTES_MAX), longest = BUFFER(RANGES_TEXT_BYTES_MAX);
	int64_t job = insert_job(store, sample_job(OWNER, 1));
	struct file file = sample_file(0), whole = sample_file(1);
	for (unsigned i = 0; i < RANGES_MAX; i++) /* the ranges of the longest text that there can be */
		assert_int_equal(buffer_print(&longest, "%s900000000000000%04u-900000000000000%04u", i > 0 ? "," : "", i, i), RESULT_OK);
	file.ranges = RANGES_MAX;
	expect_ok(store_file_insert(store, job, &file, "a", &seen));
	expect_ok(store_file_insert(store, job, &whole, "b", &seen));
	expect_ok(store_ranges_insert(store, file.row, longest.bytes, &seen));
	reopen();
	assert_int_equal(get_file(store, file.row).ranges, RANGES_MAX);
	expect_ok(store_ranges(store, file.row, &text, &seen));
	assert_string_equal(text.bytes, longest.bytes);
	expect_fault(store_ranges(store, whole.row, &text, &seen), RESULT_STORE_DAMAGED);
	expect_fault(store_ranges_insert(store, 77, "0-9", &seen), RESULT_NOT_FOUND);
}

static void credentials__are_kept_by_slot_until_the_job_ends(void **state)
{
	static const char sealed[] = "s\0ealed";
	(void)state;
	AUTO(buffer) struct buffer back = BUFFER(STORE_SEALED_BYTES_MAX);
	struct job job = sample_job(OWNER, 1), other = sample_job(OWNER, 2);
	char *largest = calloc(1, STORE_SEALED_BYTES_MAX + 1);
	assert_non_null(largest);
	expect_ok(store_job_insert(store, &job, &seen));
	expect_ok(store_job_insert(store, &other, &seen));
	expect_fault(store_credential(store, job.row, 3, &back, &seen), RESULT_NOT_FOUND);
	expect_ok(store_credential_save(store, job.row, 3, "first", 5, &seen));
	expect_ok(store_credential_save(store, job.row, 3, sealed, sizeof(sealed), &seen));
	expect_ok(store_credential_save(store, job.row, 7, largest, STORE_SEALED_BYTES_MAX, &seen));
	expect_ok(store_credential_save(store, other.row, 3, "others", 6, &seen));
	expect_fault(store_credential_save(store, job.row, 8, "x", 1, &seen), RESULT_INVALID_ARGUMENT);
	expect_fault(store_credential_save(store, job.row, 1, largest, STORE_SEALED_BYTES_MAX + 1, &seen), RESULT_INVALID_ARGUMENT);
	job.implicit = JOB_CREDENTIAL(AUTH_PROXY, AUTH_NTLM);
	job.explicit = JOB_CREDENTIALS_ALL;
	expect_ok(store_job_save(store, &job, JOB_QUEUED, &seen));
	reopen();
	struct job read = get_job(store, job.row);
	assert_same_job(&job, &read);
	expect_ok(store_credential(store, job.row, 3, &back, &seen));
	assert_int_equal(back.length, sizeof(sealed));
	assert_memory_equal(back.bytes, sealed, sizeof(sealed));
	expect_ok(store_credential_remove(store, job.row, 3, &seen));
	expect_ok(store_credential_remove(store, job.row, 3, &seen));
	expect_fault(store_credential(store, job.row, 3, &back, &seen), RESULT_NOT_FOUND);

	job.state = JOB_ACKNOWLEDGED;
	expect_ok(store_job_save(store, &job, JOB_QUEUED, &seen));
	read = get_job(store, job.row);
	assert_int_equal(read.implicit | read.explicit, 0);
	expect_fault(store_credential(store, job.row, 7, &back, &seen), RESULT_NOT_FOUND);
	expect_ok(store_credential(store, other.row, 3, &back, &seen));
	expect_ok(store_credentials_remove(store, other.row, &seen));
	expect_fault(store_credential(store, other.row, 3, &back, &seen), RESULT_NOT_FOUND);
	free(largest);
}

static void numbers__beyond_63_bits__are_refused(void **state)
{
	(void)state;
	struct job job = sample_job(OWNER, 1);
	expect_ok(store_job_insert(store, &job, &seen));
	job.active_ms = UINT64_C(1) << 63;
	expect_fault(store_job_save(store, &job, JOB_QUEUED, &seen), RESULT_INVALID_ARGUMENT);
	assert_non_null(strstr(seen.what, "active_ms"));

	struct file file = sample_file(0);
	file.bytes_total = SIZE_UNKNOWN - 1;
	expect_fault(store_file_insert(store, job.row, &file, file.path, &seen), RESULT_INVALID_ARGUMENT);
	assert_non_null(strstr(seen.what, "bytes_total"));
	file.bytes_total = 0;
	file.bytes_recorded = UINT64_MAX;
	expect_fault(store_file_insert(store, job.row, &file, file.path, &seen), RESULT_INVALID_ARGUMENT);
	assert_non_null(strstr(seen.what, "bytes_recorded"));
}

static void numbers__that_the_schema_forbids__are_refused(void **state)
{
	(void)state;
	struct job job = sample_job(OWNER, 1);
	job.created_ms = -1;
	expect_fault(store_job_insert(store, &job, &seen), RESULT_INVALID_ARGUMENT);
	job = sample_job("", 1);
	expect_fault(store_job_insert(store, &job, &seen), RESULT_INVALID_ARGUMENT);
	job = sample_job(OWNER, 1);
	job.state = JOB_STATE_COUNT;
	expect_fault(store_job_insert(store, &job, &seen), RESULT_INVALID_ARGUMENT);
	for (unsigned i = 0; i < 3; i++) {
		job = sample_job(OWNER, 1);
		if (i == 0)
			job.helper_flags = HELPER_ALL + 1;
		else if (i == 1)
			job.helper_logon = 5;
		else
			job.properties.on_token_loss = TOKEN_LOSS_COUNT;
		expect_fault(store_job_insert(store, &job, &seen), RESULT_INVALID_ARGUMENT);
	}
	int64_t row = insert_job(store, sample_job(OWNER, 1));
	struct file file = sample_file(0);
	file.state = FILE_STATE_COUNT;
	expect_fault(store_file_insert(store, row, &file, file.path, &seen), RESULT_INVALID_ARGUMENT);
	file = sample_file(0);
	file.condition.modified_ms = FILE_MODIFIED_MS_MAX + 1;
	expect_fault(store_file_insert(store, row, &file, file.path, &seen), RESULT_INVALID_ARGUMENT);
}

/* One beyond each limit, by a hand that does not go through the store. */
static void columns__of_helper_tokens__refuse_what_is_beyond_their_limits(void **state)
{
	(void)state;
	static const char *const refused[] = {
		"correlation = 'x'", "correlation = NULL", "program = hex(zeroblob(512))", "program = NULL", "owner_elevated = 2", "owner_elevated = -1", "owner_elevated = NULL", "takeovers = -1", "takeovers = 4294967296",
		"on_token_loss = 2", "on_token_loss = -1", "helper_flags = 4", "helper_flags = -1", "helper_logon = 5",
		"helper_logon = -1", "token_wait = 2", "token_wait = -1", "pinned_helper = hex(zeroblob(256))",
		"helper_sid = hex(zeroblob(256))", "file_sid = hex(zeroblob(256))", "network_sid = hex(zeroblob(256))",
		"file_writer = hex(zeroblob(272))", "retry_after_s = 86401", "retry_after_s = -1", "profile = 4", "profile = -1", "max_bytes = -1", "max_bytes = NULL", "no_segments = 2", "implicit = 256", "explicit = -1", "proxy_mode = 4", "no_redirects = 2", "tls_ignore = 16", "client_certificate = hex(zeroblob(264))", "pinned_helper = NULL", "file_sid = replace(hex(zeroblob(86)), '00', char(0x20AC))", /* 258 bytes: taken */
	};
	char sql[256];
	(void)insert_job(store, sample_job(OWNER, 1));
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		(void)snprintf(sql, sizeof(sql), "UPDATE job SET %s", refused[i]);
		int code = sqlite3_exec(opened_db, sql, NULL, NULL, NULL);
		if ((code == SQLITE_OK) != (i == sizeof(refused) / sizeof(refused[0]) - 1))
			fail_msg("%s: %d", sql, code);
	}
}

static void nothing__answers__not_found(void **state)
{
	(void)state;
	struct job job = sample_job(OWNER, 1);
	struct file file = sample_file(0);
	int64_t row = insert_job(store, sample_job(OWNER, 2));

	expect_fault(store_job_by_row(store, 77, &job, &seen), RESULT_NOT_FOUND);
	expect_fault(store_job_by_id(store, job.id, &job, &seen), RESULT_NOT_FOUND);
	expect_fault(store_job_by_key(store, OWNER, "k", &job, &seen), RESULT_NOT_FOUND);
	expect_fault(store_job_by_key(store, OWNER, "", &job, &seen), RESULT_NOT_FOUND);
	job.row = 77;
	expect_fault(store_job_take(store, &job, &seen), RESULT_NOT_FOUND);
	expect_fault(store_job_save(store, &job, JOB_QUEUED, &seen), RESULT_NOT_FOUND);
	expect_fault(store_file_by_row(store, 77, &file, &seen), RESULT_NOT_FOUND);
	expect_fault(store_file_next(store, row, FILE_PENDING, 0, &file, &seen), RESULT_NOT_FOUND);
	expect_fault(store_file_next_partial(store, row, 0, &file, &seen), RESULT_NOT_FOUND);
	expect_fault(store_file_insert(store, 77, &file, "key", &seen), RESULT_NOT_FOUND);
	file.row = 77;
	expect_fault(store_file_save(store, &file, &seen), RESULT_NOT_FOUND);
}

/* --- ids and keys --- */

static void key__of_the_same_owner_twice__exists(void **state)
{
	(void)state;
	struct job job = sample_job(OWNER, 1);
	text_to(job.key, sizeof(job.key), "update-7");
	expect_ok(store_job_insert(store, &job, &seen));

	struct job again = sample_job(OWNER, 2);
	expect_ok(store_job_insert(store, &again, &seen)); /* without a key: as many as you like */
	again = sample_job(OWNER, 3);
	expect_ok(store_job_insert(store, &again, &seen));
	text_to(again.key, sizeof(again.key), "update-7");
	(void)snprintf(again.id, sizeof(again.id), "%s", sample_job(OWNER, 4).id);
	expect_fault(store_job_insert(store, &again, &seen), RESULT_EXISTS);
	text_to(again.owner, sizeof(again.owner), "S-1-5-18"); /* somebody else's key is somebody else's */
	expect_ok(store_job_insert(store, &again, &seen));

	struct job same_id = sample_job(OWNER, 1);
	expect_fault(store_job_insert(store, &same_id, &seen), RESULT_EXISTS);
}

static void key__of_a_cancelled_job__is_free(void **state)
{
	(void)state;
	struct job job = sample_job(OWNER, 1), back;
	text_to(job.key, sizeof(job.key), "update-7");
	expect_ok(store_job_insert(store, &job, &seen));
	job.state = JOB_ACKNOWLEDGED;
	expect_ok(store_job_save(store, &job, JOB_QUEUED, &seen));
	expect_ok(store_job_by_key(store, OWNER, "update-7", &back, &seen));

	job.state = JOB_CANCELLED;
	expect_ok(store_job_save(store, &job, JOB_ACKNOWLEDGED, &seen));
	expect_fault(store_job_by_key(store, OWNER, "update-7", &back, &seen), RESULT_NOT_FOUND);
	back = get_job(store, job.row);
	assert_string_equal(back.key, "");
	struct job again = sample_job(OWNER, 2);
	text_to(again.key, sizeof(again.key), "update-7");
	expect_ok(store_job_insert(store, &again, &seen));
}

/* --- turns --- */

static void save__from_another_state__is_refused_and_changes_nothing(void **state)
{
	(void)state;
	struct job job = sample_job(OWNER, 1);
	expect_ok(store_job_insert(store, &job, &seen));
	struct job changed = job;
	fill_saved(&changed);
	for (int from = JOB_QUEUED + 1; from < JOB_STATE_COUNT; from++)
		expect_fault(store_job_save(store, &changed, (enum job_state)from, &seen), RESULT_INVALID_STATE);
	struct job back = get_job(store, job.row);
	assert_same_job(&job, &back);
}

static void request__undone__leaves_the_rest_of_the_turn(void **state)
{
	(void)state;
	struct job found;
	expect_ok(store_savepoint(store, &seen));
	int64_t first = insert_job(store, sample_job(OWNER, 1));
	expect_ok(store_release(store, &seen));

	expect_ok(store_savepoint(store, &seen));
	int64_t second = insert_job(store, sample_job("S-1-5-18", 2));
	(void)insert_file(store, second, sample_file(0));
	(void)insert_file(store, first, sample_file(0));
	store_undo(store);

	expect_ok(store_savepoint(store, &seen));
	int64_t third = insert_job(store, sample_job(OWNER, 3));
	expect_ok(store_release(store, &seen));
	reopen();

	assert_int_equal(get_job(store, first).files_total, 0);
	assert_string_equal(get_job(store, third).id, sample_job(OWNER, 3).id);
	expect_fault(store_job_by_id(store, sample_job(OWNER, 2).id, &found, &seen), RESULT_NOT_FOUND);
	assert_int_equal(raw_number(opened_db, "SELECT count(*) FROM owner"), 1);
	assert_int_equal(raw_number(opened_db, "SELECT count(*) FROM file"), 0);
}

static void turn__rolled_back__leaves_nothing(void **state)
{
	(void)state;
	struct job found;
	int64_t kept = insert_job(store, sample_job(OWNER, 1));
	next_turn();
	(void)insert_file(store, kept, sample_file(0));
	expect_ok(store_savepoint(store, &seen));
	(void)insert_job(store, sample_job(OWNER, 2));
	store_rollback(store); /* in the middle of a request, too */
	store_rollback(store); /* and once more than needed */
	expect_ok(store_begin(store, &seen));
	assert_int_equal(get_job(store, kept).files_total, 0);
	expect_fault(store_job_by_id(store, sample_job(OWNER, 2).id, &found, &seen), RESULT_NOT_FOUND);
}

static void turn__that_wrote_only_what_may_be_lost__can_wait(void **state)
{
	(void)state;
	int64_t job = insert_job(store, sample_job(OWNER, 1));
	struct file file = sample_file(0);

	file.row = insert_file(store, job, file);
	assert_false(store_can_wait(store));
	next_turn();
	assert_true(store_can_wait(store));
	expect_ok(store_file_save_soon(store, &file, &seen));
	assert_true(store_can_wait(store));
	(void)get_job(store, job);
	assert_true(store_can_wait(store));
	expect_ok(store_file_save(store, &file, &seen));
	assert_false(store_can_wait(store));
	expect_ok(store_file_save_soon(store, &file, &seen)); /* what is there already is no less */
	assert_false(store_can_wait(store));
	next_turn();
	expect_ok(store_file_save_soon(store, &file, &seen));
	store_rollback(store);
	assert_false(store_can_wait(store));
	expect_ok(store_begin(store, &seen));
}

/* SQLite may end a transaction by itself after a failed write.  What follows must not be committed change by change. */
static void turn__that_sqlite_ended__takes_no_further_change(void **state)
{
	(void)state;
	struct job job = sample_job(OWNER, 1), found;
	expect_ok(store_savepoint(store, &seen));
	expect_ok(store_job_insert(store, &job, &seen));
	raw_run(opened_db, "ROLLBACK");

	struct job late = sample_job(OWNER, 2);
	expect_fault(store_job_insert(store, &late, &seen), RESULT_STORE_BUSY);
	store_undo(store);
	expect_fault(store_job_insert(store, &late, &seen), RESULT_STORE_BUSY);
	expect_fault(store_commit(store, &seen), RESULT_STORE_BUSY);
	store_rollback(store);
	expect_ok(store_begin(store, &seen));
	expect_fault(store_job_by_id(store, late.id, &found, &seen), RESULT_NOT_FOUND);
	expect_ok(store_job_insert(store, &late, &seen));
	next_turn();
}

/* --- files of a job --- */

static void files__are_numbered_in_order_and_unique_by_their_compared_path(void **state)
{
	(void)state;
	int64_t job = insert_job(store, sample_job(OWNER, 1)), other = insert_job(store, sample_job(OWNER, 2));
	for (unsigned i = 0; i < 3; i++) {
		struct file file = sample_file(i);
		char key[32];
		(void)snprintf(key, sizeof(key), "key %u", i);
		expect_ok(store_file_insert(store, job, &file, key, &seen));
		assert_int_equal(file.ordinal, i);
	}
	struct file same = sample_file(9);
	expect_fault(store_file_insert(store, job, &same, "key 1", &seen), RESULT_DUPLICATE_DESTINATION);
	assert_string_equal(seen.what, same.path);
	expect_ok(store_file_insert(store, other, &same, "key 1", &seen));
	assert_int_equal(same.ordinal, 0);
	expect_ok(store_file_insert(store, job, &same, "key 9", &seen));
	assert_int_equal(same.ordinal, 3);
	assert_int_equal(get_job(store, job).files_total, 4);
}

static void file_next__goes_by_state_and_ordinal(void **state)
{
	(void)state;
	static const enum file_state states[] = { FILE_PENDING, FILE_TRANSFERRED, FILE_PENDING, FILE_PUBLISHED,
		                                      FILE_TRANSFERRED };
	int64_t other = insert_job(store, sample_job(OWNER, 1)), job = insert_job(store, sample_job(OWNER, 2));
	struct file found;

	(void)insert_file(store, other, sample_file(0));
	for (unsigned i = 0; i < 5; i++) {
		struct file file = sample_file(i);
		file.state = states[i];
		(void)insert_file(store, job, file);
	}
	expect_ok(store_file_next(store, job, FILE_PENDING, 0, &found, &seen));
	assert_int_equal(found.ordinal, 0);
	expect_ok(store_file_next(store, job, FILE_PENDING, 1, &found, &seen));
	assert_int_equal(found.ordinal, 2);
	expect_fault(store_file_next(store, job, FILE_PENDING, 3, &found, &seen), RESULT_NOT_FOUND);
	expect_ok(store_file_next(store, job, FILE_TRANSFERRED, 2, &found, &seen));
	assert_int_equal(found.ordinal, 4);
	expect_ok(store_file_next(store, job, FILE_PUBLISHED, 0, &found, &seen));
	assert_int_equal(found.ordinal, 3);
	expect_fault(store_file_next(store, job, FILE_ABANDONED, 0, &found, &seen), RESULT_NOT_FOUND);
}

static void file_next_partial__passes_over_published_and_bare_files(void **state)
{
	(void)state;
	int64_t job = insert_job(store, sample_job(OWNER, 1));
	struct file found;

	for (unsigned i = 0; i < 4; i++) {
		struct file file = sample_file(i);
		file.state = i == 1 ? FILE_PUBLISHED : FILE_PENDING;
		if (i != 0)
			text_to(file.partial, sizeof(file.partial), "partial");
		(void)insert_file(store, job, file);
	}
	expect_ok(store_file_next_partial(store, job, 0, &found, &seen));
	assert_int_equal(found.ordinal, 2);
	expect_ok(store_file_next_partial(store, job, 3, &found, &seen));
	assert_int_equal(found.ordinal, 3);
	expect_fault(store_file_next_partial(store, job, 4, &found, &seen), RESULT_NOT_FOUND);
	found.state = FILE_PUBLISHED;
	expect_ok(store_file_save(store, &found, &seen));
	expect_fault(store_file_next_partial(store, job, 3, &found, &seen), RESULT_NOT_FOUND);
}

struct ordinals {
	uint32_t ordinals[8];
	size_t count, stop_at;
};

static bool note_ordinal(void *context, const struct file *file)
{
	struct ordinals *ordinals = context;
	ordinals->ordinals[ordinals->count++] = file->ordinal;
	return ordinals->count != ordinals->stop_at;
}

static void files_list__takes_up_at_the_ordinal_and_stops_when_told(void **state)
{
	(void)state;
	int64_t job = insert_job(store, sample_job(OWNER, 1));
	for (unsigned i = 0; i < 6; i++)
		(void)insert_file(store, job, sample_file(i));

	struct ordinals all = { .count = 0 };
	expect_ok(store_files_list(store, job, 0, 100, note_ordinal, &all, &seen));
	assert_int_equal(all.count, 6);
	struct ordinals page = { .count = 0 };
	expect_ok(store_files_list(store, job, 2, 3, note_ordinal, &page, &seen));
	assert_int_equal(page.count, 3);
	assert_int_equal(page.ordinals[0], 2);
	assert_int_equal(page.ordinals[2], 4);
	struct ordinals stopped = { .stop_at = 2 };
	expect_ok(store_files_list(store, job, 0, 100, note_ordinal, &stopped, &seen));
	assert_int_equal(stopped.count, 2);
	expect_ok(store_files_list(store, job, 0, 0, note_ordinal, &stopped, &seen));
	assert_int_equal(stopped.count, 2);
}

/* --- a job's counters --- */

#define COUNTED(expression) "(SELECT coalesce(" expression ", 0) FROM file WHERE job_row = job.row)"

/* clang-format off */
/* Jobs whose counters are not what their files say. */
static int64_t wrong_counters(void)
{
	return raw_number(opened_db, "SELECT count(*) FROM job WHERE files_total <> " COUNTED("count(*)")
	                  " OR files_transferred <> " COUNTED("sum(state IN (1, 2, 4))")
	                  " OR files_published <> " COUNTED("sum(state IN (2, 4))")
	                  " OR files_size_unknown <> " COUNTED("sum(bytes_total IS NULL)")
	                  " OR bytes_total <> " COUNTED("sum(min(bytes_total, 1 << 43))")
	                  " OR bytes_transferred <> " COUNTED("sum(min(bytes_recorded, 1 << 43))"));
}
/* clang-format on */

static uint32_t random_below(uint64_t *seed, uint32_t limit)
{
	*seed = *seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(*seed >> 33) % limit;
}

static void counters__after_random_changes__are_what_a_recount_gives(void **state)
{
	(void)state;
	enum { JOBS = 4, FILES = 30, STEPS = 3000 };
	uint64_t seed = 20240607;
	int64_t jobs[JOBS], files[JOBS * FILES];
	size_t count = 0;

	for (unsigned i = 0; i < JOBS; i++)
		jobs[i] = insert_job(store, sample_job(OWNER, i));
	for (unsigned step = 0; step < STEPS; step++) {
		uint32_t dice = random_below(&seed, 20);
		if (dice == 0)
			expect_ok(store_savepoint(store, &seen));
		size_t before = count;
		if (dice < 2 && count < sizeof(files) / sizeof(files[0]))
			files[count++] = insert_file(store, jobs[random_below(&seed, JOBS)], sample_file(step));
		if (count > 0) {
			struct file file = get_file(store, files[random_below(&seed, (uint32_t)count)]);
			file.state = (enum file_state)random_below(&seed, FILE_STATE_COUNT);
			file.bytes_recorded = random_below(&seed, 1000);
			file.bytes_total = random_below(&seed, 3) == 0 ? SIZE_UNKNOWN : random_below(&seed, 5000);
			expect_ok(store_file_save(store, &file, &seen));
		}
		if (dice == 0 && random_below(&seed, 2) == 0) {
			store_undo(store);
			count = before;
		} else if (dice == 0) {
			expect_ok(store_release(store, &seen));
		}
		if (dice == 19 && count > 0) { /* no operation of ours yet, but the triggers know it */
			char sql[64];
			(void)snprintf(sql, sizeof(sql), "DELETE FROM file WHERE row = %lld", (long long)files[--count]);
			raw_run(opened_db, sql);
		}
		if (step % 50 == 0)
			assert_int_equal(wrong_counters(), 0);
	}
	assert_true(count > JOBS);
	assert_int_equal(wrong_counters(), 0);
	assert_int_equal(raw_number(opened_db, "SELECT sum(files_total) FROM job"), (int64_t)count);

	struct job job = get_job(store, jobs[0]); /* and they are read from where they stand */
	assert_int_equal(job.files_total, raw_number(opened_db, "SELECT files_total FROM job WHERE row = 1"));
	assert_int_equal(job.files_transferred, raw_number(opened_db, "SELECT files_transferred FROM job WHERE row = 1"));
	assert_int_equal(job.files_published, raw_number(opened_db, "SELECT files_published FROM job WHERE row = 1"));
	assert_int_equal(job.files_size_unknown, raw_number(opened_db, "SELECT files_size_unknown FROM job WHERE row = 1"));
	assert_int_equal(job.bytes_total, raw_number(opened_db, "SELECT bytes_total FROM job WHERE row = 1"));
	assert_int_equal(job.bytes_transferred, raw_number(opened_db, "SELECT bytes_transferred FROM job WHERE row = 1"));
}

/* A server may claim any size: that must neither wrap a sum nor make a save fail. */
static void counters__with_absurd_sizes__hold(void **state)
{
	(void)state;
	int64_t job = insert_job(store, sample_job(OWNER, 1));
	const uint64_t most = UINT64_C(1) << 43;
	struct file files[3];

	for (unsigned i = 0; i < 3; i++) {
		files[i] = sample_file(i);
		files[i].bytes_total = INT64_MAX;
		files[i].bytes_recorded = INT64_MAX - i;
		files[i].row = insert_file(store, job, files[i]);
	}
	assert_int_equal(get_job(store, job).bytes_total, 3 * most);
	assert_int_equal(get_job(store, job).bytes_transferred, 3 * most);
	assert_int_equal(get_file(store, files[2].row).bytes_total, INT64_MAX); /* the file itself says what was said */
	files[0].bytes_total = 7;
	files[0].bytes_recorded = 5;
	expect_ok(store_file_save(store, &files[0], &seen));
	files[1].bytes_total = SIZE_UNKNOWN;
	expect_ok(store_file_save(store, &files[1], &seen));
	assert_int_equal(get_job(store, job).bytes_total, most + 7);
	assert_int_equal(get_job(store, job).bytes_transferred, 2 * most + 5);
	assert_int_equal(wrong_counters(), 0);

	/* A million such files, the most that settings allow. */
	raw_run(opened_db, "UPDATE job SET bytes_total = 999999 * (1 << 43), bytes_transferred = bytes_total");
	files[0].bytes_total = INT64_MAX;
	expect_ok(store_file_save(store, &files[0], &seen));
	assert_int_equal(get_job(store, job).bytes_total, 1000000 * most - 7);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(job__inserted_with_every_field_at_its_limit__comes_back),
		TEST(job__saved_with_every_field_at_its_limit__comes_back),
		TEST(job__every_outcome_and_source__comes_back),
		TEST(file__every_field_at_its_limit__comes_back),
		TEST(ranges__of_a_file__are_kept_with_it),
		TEST(mirrors__of_a_file__are_kept_with_it_and_forgiven_by_the_job),
		TEST(credentials__are_kept_by_slot_until_the_job_ends),
		TEST(numbers__beyond_63_bits__are_refused),
		TEST(numbers__that_the_schema_forbids__are_refused),
		TEST(columns__of_helper_tokens__refuse_what_is_beyond_their_limits),
		TEST(nothing__answers__not_found),
		TEST(key__of_the_same_owner_twice__exists),
		TEST(key__of_a_cancelled_job__is_free),
		TEST(save__from_another_state__is_refused_and_changes_nothing),
		TEST(request__undone__leaves_the_rest_of_the_turn),
		TEST(turn__rolled_back__leaves_nothing),
		TEST(turn__that_wrote_only_what_may_be_lost__can_wait),
		TEST(turn__that_sqlite_ended__takes_no_further_change),
		TEST(files__are_numbered_in_order_and_unique_by_their_compared_path),
		TEST(savepoint__of_a_turn_that_could_not_begin__is_refused),
		TEST(file_next__goes_by_state_and_ordinal),
		TEST(file_next_partial__passes_over_published_and_bare_files),
		TEST(files_list__takes_up_at_the_ordinal_and_stops_when_told),
		TEST(counters__after_random_changes__are_what_a_recount_gives),
		TEST(counters__with_absurd_sizes__hold),
	};
	return cmocka_run_group_tests(tests, watch_opens, NULL);
}
