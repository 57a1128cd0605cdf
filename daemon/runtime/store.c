/* runtime/store: the statements, turns and jobs. */
#include "runtime/store.h"

#include <assert.h>

#include "core/access.h"
#include "core/network.h"
#include "runtime/store_private.h"

/* The schema's CHECKs and partial indexes have these numbers in them. */
_Static_assert(JOB_STATE_COUNT == 9 && JOB_CONNECTING == 1 && JOB_TRANSFERRING == 2, "schema/: job.state");
_Static_assert(JOB_ACKNOWLEDGED == 7 && JOB_CANCELLED == 8, "schema/: the final states");
_Static_assert(JOB_WORK_NONE == 0 && JOB_WORK_SWEEP == 3, "schema/: job.work");
_Static_assert(JOB_PRIORITY_COUNT == 4, "schema/: job.priority");
_Static_assert(FILE_TRANSFERRED == 1 && FILE_PUBLISHED == 2 && FILE_NOT_MODIFIED == 4 && FILE_STATE_COUNT == 5, "schema/: file.state");
_Static_assert(FILE_MODIFIED_MS_MAX == 253402300799999, "schema/: file.if_modified_since_ms");
_Static_assert(JOB_OWNER_BYTES_MAX == 512 && JOB_WRITER_BYTES_MAX == 544, "schema/: limits of texts");
_Static_assert(JOB_KEY_BYTES_MAX == 256 && JOB_RETRY_AFTER_S_MAX == 86400, "schema/: limits");
_Static_assert(JOB_ID_BYTES == 37 && JOB_PROGRAM_BYTES_MAX == 1024, "schema/: limits of texts");
_Static_assert(JOB_NAME_BYTES_MAX == 1024 && JOB_DESCRIPTION_BYTES_MAX == 4096, "schema/: limits of texts");
_Static_assert(FAULT_WHAT_BYTES_MAX == 320, "schema/: limits of texts");
_Static_assert(URL_BYTES_MAX == 2200 && DESTINATION_BYTES_MAX == 2048, "schema/: limits of texts");
_Static_assert(FILE_PARTIAL_BYTES_MAX == 64 && FILE_TAG_BYTES_MAX == 64, "schema/: limits of texts");
_Static_assert(HELPER_ALL == 3 && LOGON_COUNT == 5 && TOKEN_LOSS_COUNT == 2, "schema/: helper tokens");
_Static_assert(FILE_MIRRORS_MAX == 8, "schema/: mirrors");
_Static_assert(RANGES_MAX == 4096 && RANGES_TEXT_BYTES_MAX == 163840, "schema/: ranges");
_Static_assert(JOB_PROFILE_COUNT == 4, "schema/: job.profile");
_Static_assert(PROXY_MODE_COUNT == 4 && PROXY_TEXT_BYTES_MAX == 4000, "schema/: proxies");
_Static_assert(TLS_IGNORE_ALL == 15 && CLIENT_CERTIFICATE_BYTES_MAX == 528, "schema/: TLS");
_Static_assert(JOB_CREDENTIALS_ALL == 255 && CREDENTIALS_MAX == 8, "schema/: credentials");
_Static_assert(STORE_SEALED_BYTES_MAX == 16384, "schema/: credential.sealed");
_Static_assert(JOB_HEADER_NAMES_BYTES_MAX == 1024 && STORE_HEADERS_SEALED_BYTES_MAX == 17408, "schema/: headers");
_Static_assert(STORE_QUERY_SEALED_BYTES_MAX == 4096, "schema/: queries");
_Static_assert(FILE_ETAG_BYTES_MAX == 512 && FILE_MODIFIED_BYTES_MAX == 64, "schema/: limits of texts");

/* clang-format off */ /* SQL has lines of its own. */

/* What store_job_save writes, and what store_file_save writes; 41 and 11 columns. */
#define JOB_SAVED                                                                                      \
	"name, description, priority, auto_complete, retry_delay_s, no_progress_timeout_s, max_time_s, "   \
	"lease_s, state, work, error, error_source, error_raw, error_what, error_count, attempts, "                 \
	"modified_ms, finished_ms, state_since_ms, next_try_ms, progress_ms, active_ms, on_token_loss, "   \
	"pinned_helper, helper_flags, helper_sid, helper_logon, token_wait, file_sid, network_sid, file_writer, "       \
	"retry_after_s, profile, max_bytes, no_segments, implicit, explicit, proxy_mode, " \
	"no_redirects, tls_ignore, client_certificate"
#define FILE_SAVED "state, bytes_total, bytes_recorded, partial, tag, etag, modified, source, sources_refused, " \
	"source_failures, bytes_most"

#define JOB_SELECT                                                                                     \
	"SELECT row, id, key, (SELECT name FROM owner WHERE owner.row = job.owner_row), "                  \
	"owner_integrity, owner_elevated, takeovers, created_ms, limited, correlation, program, " JOB_SAVED ", files_total, files_transferred, files_published, "    \
	"files_size_unknown, bytes_total, bytes_transferred, "                                             \
	"coalesce((SELECT names FROM headers WHERE job_row = job.row), ''), "                              \
	"coalesce((SELECT write_only FROM headers WHERE job_row = job.row), 0) FROM job "
#define FILE_GIVEN "url, path, bytes_stated, digest, mirrors, if_none_match, if_modified_since_ms, ranges"
#define FILE_SELECT "SELECT row, ordinal, " FILE_GIVEN ", " FILE_SAVED " FROM file "

#define LEASE_ENDS_MS "max(modified_ms, progress_ms) + lease_s * 1000" /* as in the index job_lease */
#define OWNER_1 "(SELECT row FROM owner WHERE name = ?1)"

#define WRITTEN(number) WRITTEN_(number)
#define WRITTEN_(number) #number

/* All the SQL there is after opening.  INDEXED BY where the planner, which knows no statistics, has a choice: if the
 * index could not serve, preparing would fail. */
const char *const store_statements[STATEMENT_COUNT] = {
	[TURN_BEGIN] = "BEGIN",
	[TURN_COMMIT] = "COMMIT",
	[TURN_ROLLBACK] = "ROLLBACK",
	[TURN_PROBE] = "PRAGMA application_id = " WRITTEN(APPLICATION_ID),
	[REQUEST_BEGIN] = "SAVEPOINT request",
	[REQUEST_COMMIT] = "RELEASE request",
	[REQUEST_ROLLBACK] = "ROLLBACK TO request",

	[OWNER_INSERT] = "INSERT INTO owner (name) VALUES (?1) ON CONFLICT (name) DO NOTHING",
	[JOB_INSERT] = "INSERT INTO job (owner_row, id, key, owner_integrity, owner_elevated, created_ms, limited, correlation, program, "
	               JOB_SAVED ") VALUES (" OWNER_1 ", ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, "
	               "?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?31, ?32, "
	               "?33, ?34, ?35, ?36, ?37, ?38, ?39, ?40, ?41, ?42, ?43, ?44, ?45, ?46, ?47, ?48, ?49, ?50)",
	[JOB_BY_ROW] = JOB_SELECT "WHERE row = ?1",
	[JOB_BY_ID] = JOB_SELECT "WHERE id = ?1",
	[JOB_BY_KEY] = JOB_SELECT "INDEXED BY job_key WHERE owner_row = " OWNER_1 " AND key = ?2 AND key <> ''",
	[JOB_EXISTS] = "SELECT 1 FROM job WHERE row = ?1",
	[JOB_SAVE] = "UPDATE job SET (" JOB_SAVED ") = (?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, "
	             "?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?31, ?32, ?33, ?34, ?35, ?36, ?37, "
	             "?38, ?39, ?40, ?41, ?42, ?43) "
	             "WHERE row = ?1 AND state = ?2",
	[JOB_TAKE] = "UPDATE job SET owner_row = " OWNER_1 ", key = '', owner_integrity = ?3, owner_elevated = ?4, "
	             "limited = ?5, takeovers = takeovers + 1 WHERE row = ?2",
	[JOBS_FORGET] = "DELETE FROM job WHERE row IN (SELECT row FROM job INDEXED BY job_finished "
	                "WHERE state IN (7, 8) AND work = 0 AND finished_ms < ?1 ORDER BY finished_ms LIMIT ?2)",
	[JOBS_FORGET_SURPLUS] =
		"DELETE FROM job WHERE row IN (SELECT row FROM job INDEXED BY job_finished_of_owner "
		"WHERE owner_row = " OWNER_1 " AND state IN (7, 8) AND work = 0 ORDER BY finished_ms "
		"LIMIT min(?3, max(0, coalesce((SELECT jobs_finished FROM owner WHERE name = ?1), 0) - ?2)))",
	[JOBS_EXPIRED] = "SELECT row FROM job INDEXED BY job_lease WHERE state < 7 AND work <> 2 "
	                 "AND " LEASE_ENDS_MS " <= ?1 ORDER BY " LEASE_ENDS_MS " LIMIT ?2",
	[JOBS_NEXT_EXPIRY] = "SELECT " LEASE_ENDS_MS " FROM job INDEXED BY job_lease WHERE state < 7 AND work <> 2 "
	                     "AND " LEASE_ENDS_MS " > ?1 ORDER BY " LEASE_ENDS_MS " LIMIT 1",
	[JOBS_RUNNABLE] = JOB_SELECT "INDEXED BY job_runnable WHERE owner_row = " OWNER_1 " AND owner_integrity = ?2 "
	                  "AND owner_elevated = ?3 AND priority = ?4 AND work <> 0 AND token_wait = 0 AND state NOT IN (1, 2) "
	                  "AND (next_try_ms <= ?5 OR next_try_ms - ?5 > max(retry_delay_s, retry_after_s * 11 / 10 + 1) * 1000) "
	                  "AND work >= ?7 ORDER BY state_since_ms, row LIMIT ?6",
	[JOBS_NEXT_TRY] = "SELECT next_try_ms FROM job INDEXED BY job_next_try WHERE owner_row = " OWNER_1
	                  " AND owner_integrity = ?2 AND owner_elevated = ?3 AND work <> 0 AND token_wait = 0 "
	                  "AND next_try_ms > ?4 ORDER BY next_try_ms LIMIT 1",
	[JOBS_TRY_AGAIN] = "UPDATE job INDEXED BY job_next_try SET next_try_ms = ?4 + (row % 65536 * 7919 + ?6) % ?5 "
	                   "WHERE owner_row = " OWNER_1 " AND owner_integrity = ?2 AND owner_elevated = ?3 AND work <> 0 AND token_wait = 0 "
	                   "AND next_try_ms > ?4 + ?5 AND work < 3 AND error IN (?7, ?8, ?9, ?10, ?11)",
	[JOBS_ACTIVE] = "SELECT row FROM job INDEXED BY job_active WHERE state IN (1, 2) LIMIT ?1",
	[JOBS_HELPED] = "SELECT row FROM job INDEXED BY job_helped WHERE work <> 0 AND helper_flags <> 0 AND row > ?1 "
	                "ORDER BY row LIMIT ?2",
	/* An administrator's questions: in the order of the table itself. */
	[JOBS_OF_ALL] = JOB_SELECT "WHERE row > ?1 ORDER BY row LIMIT ?2",
	[JOBS_OF_ALL_UNFINISHED] = JOB_SELECT "WHERE row > ?1 AND state < 7 ORDER BY row LIMIT ?2",
	[JOBS_OF_OWNER] = JOB_SELECT "INDEXED BY job_owner WHERE owner_row = " OWNER_1
	                  " AND row > ?2 ORDER BY row LIMIT ?3",
	[JOBS_OF_OWNER_UNFINISHED] = JOB_SELECT "INDEXED BY job_unfinished WHERE owner_row = " OWNER_1
	                             " AND row > ?2 AND state < 7 ORDER BY row LIMIT ?3",
	/* A monitor's question, asked seldom: nothing is kept in order for it. */
	[JOBS_ALIKE] = "SELECT min(row), count(*) FROM job GROUP BY state, work, owner_row, owner_integrity, owner_elevated, "
	               "priority, token_wait, helper_flags, implicit, next_try_ms > ?1, error",
	[JOBS_NEWEST] = "SELECT created_ms FROM job WHERE row > 0 ORDER BY row DESC LIMIT 1",
	[COUNT_OF_ALL] = "SELECT coalesce(sum(jobs_unfinished), 0) FROM owner",
	[COUNT_OF_OWNER] = "SELECT jobs_unfinished FROM owner WHERE name = ?1",
	[COUNT_LIMITED] = "SELECT coalesce(sum(jobs_limited), 0) FROM owner INDEXED BY owner_limited "
	                  "WHERE jobs_limited > 0",
	[COUNT_LIMITED_OF_OWNER] = "SELECT jobs_limited FROM owner WHERE name = ?1",
	[COUNT_FINISHED_OF_OWNER] = "SELECT jobs_finished FROM owner WHERE name = ?1",

	[FILE_NEXT_ORDINAL] = "SELECT coalesce(max(ordinal) + 1, 0) FROM file WHERE job_row = ?1",
	[FILE_INSERT] = "INSERT INTO file (job_row, ordinal, path_key, query, " FILE_GIVEN ", " FILE_SAVED ") "
	                "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23)",
	[FILE_BY_ROW] = FILE_SELECT "WHERE row = ?1",
	[FILE_NEXT_IN_STATE] = FILE_SELECT "INDEXED BY file_state WHERE job_row = ?1 AND state = ?2 AND ordinal >= ?3 "
	                                   "ORDER BY ordinal LIMIT 1",
	[FILE_NEXT_PARTIAL] = FILE_SELECT "INDEXED BY file_partial WHERE job_row = ?1 AND ordinal >= ?2 "
	                                  "AND partial <> '' AND state <> 2 ORDER BY ordinal LIMIT 1",
	[FILE_SAVE] = "UPDATE file SET (" FILE_SAVED ") = (?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12) WHERE row = ?1",
	[FILE_SET_URL] = "UPDATE file SET (url, query) = (?2, ?3) WHERE row = ?1",
	[FILE_WHOLE_URL] = "SELECT url, query FROM file WHERE row = ?1",
	[FILE_IN_CLEAR] = "SELECT row, 0, url FROM file WHERE row > ?1 AND 0 = ?2 AND query IS NULL AND url LIKE '%?_%' "
	                  "ORDER BY row LIMIT 1",
	[FILES_OF_JOB] = FILE_SELECT "INDEXED BY file_ordinal WHERE job_row = ?1 AND ordinal >= ?2 "
	                             "ORDER BY ordinal LIMIT ?3",
	[MIRROR_INSERT] = "INSERT INTO mirror (file_row, source, url, query) VALUES (?1, ?2, ?3, ?4)",
	[MIRROR_SET_URL] = "UPDATE mirror SET (url, query) = (?3, ?4) WHERE file_row = ?1 AND source = ?2",
	[MIRROR_URL] = "SELECT url FROM mirror WHERE file_row = ?1 AND source = ?2",
	[MIRROR_WHOLE_URL] = "SELECT url, query FROM mirror WHERE file_row = ?1 AND source = ?2",
	[MIRROR_IN_CLEAR] = "SELECT file_row, source, url FROM mirror WHERE (file_row, source) > (?1, ?2) AND query IS NULL "
	                    "AND url LIKE '%?_%' ORDER BY file_row, source LIMIT 1",
	[ID_OF_JOB] = "SELECT id FROM job WHERE row = ?1",
	[ID_OF_FILES_JOB] = "SELECT id FROM job WHERE row = (SELECT job_row FROM file WHERE row = ?1)",
	[RANGES_INSERT] = "INSERT INTO ranges (file_row, list) VALUES (?1, ?2)",
	[RANGES_OF_FILE] = "SELECT list FROM ranges WHERE file_row = ?1",
	[SOURCES_FORGIVE] = "UPDATE file INDEXED BY file_ordinal SET sources_refused = 0, source_failures = 0, "
	                    "bytes_most = bytes_recorded WHERE job_row = ?1 AND state = 0",
	[CREDENTIAL_SAVE] = "INSERT INTO credential (job_row, slot, sealed) VALUES (?1, ?2, ?3) "
	                    "ON CONFLICT (job_row, slot) DO UPDATE SET sealed = ?3",
	[CREDENTIAL_REMOVE] = "DELETE FROM credential WHERE job_row = ?1 AND slot = ?2",
	[CREDENTIALS_REMOVE] = "DELETE FROM credential WHERE job_row = ?1",
	[CREDENTIAL_OF_JOB] = "SELECT sealed FROM credential WHERE job_row = ?1 AND slot = ?2",
	[HEADERS_SAVE] = "INSERT INTO headers (job_row, names, write_only, sealed) VALUES (?1, ?2, ?3, ?4) "
	                 "ON CONFLICT (job_row) DO UPDATE SET (names, write_only, sealed) = (?2, ?3, ?4)",
	[HEADERS_REMOVE] = "DELETE FROM headers WHERE job_row = ?1",
	[HEADERS_OF_JOB] = "SELECT sealed FROM headers WHERE job_row = ?1",
	[PROXY_SAVE] = "INSERT INTO proxy (job_row, list, bypass) VALUES (?1, ?2, ?3) "
	               "ON CONFLICT (job_row) DO UPDATE SET (list, bypass) = (?2, ?3)",
	[PROXY_REMOVE] = "DELETE FROM proxy WHERE job_row = ?1",
	[PROXY_OF_JOB] = "SELECT list, bypass FROM proxy WHERE job_row = ?1",
#define ATTEMPT_KEPT "number, count, file, first_ms, last_ms, url, proxy, proxy_source, sid, tls, words, status, schemes, " \
	"error, error_source, error_raw, error_what"
	[ATTEMPT_SAVE] = "INSERT INTO attempt (job_row, " ATTEMPT_KEPT ") "
	                 "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18) "
	                 "ON CONFLICT (job_row, number) DO UPDATE SET (count, file, last_ms, url) = (?3, ?4, ?6, ?7)",
	[ATTEMPTS_FORGET] = "DELETE FROM attempt WHERE job_row = ?1 AND number < ?2",
	[ATTEMPTS_OF_JOB] = "SELECT " ATTEMPT_KEPT " FROM attempt WHERE job_row = ?1 ORDER BY number",
	[ATTEMPT_LAST] = "SELECT " ATTEMPT_KEPT " FROM attempt WHERE job_row = ?1 ORDER BY number DESC LIMIT 1",
#define DECLARED_SELECT "SELECT row, name, job_row, since_ms, due_ms, set_ms, owed, seed, versions, keep "
	[DECLARED_SAVE] = "INSERT INTO declared (name, spec, sealed, since_ms, due_ms, seed, versions, owed, set_ms, keep) "
	                  "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT (name) DO UPDATE SET "
	                  "(spec, sealed, since_ms, due_ms, versions, owed, set_ms, keep) = (?2, ?3, ?4, ?5, ?7, ?8, ?9, ?10)",
	[DECLARED_SET_JOB] = "UPDATE declared SET job_row = nullif(?2, 0) WHERE row = ?1",
	[DECLARED_SET_DUE] = "UPDATE declared SET (since_ms, due_ms, set_ms, owed) = (?2, ?3, ?4, ?5) WHERE row = ?1",
	[DECLARED_REMOVE] = "DELETE FROM declared WHERE row = ?1",
	[DECLARED_BY_NAME] = DECLARED_SELECT "FROM declared WHERE name = ?1",
	[DECLARED_OF_JOB] = DECLARED_SELECT "FROM declared INDEXED BY declared_job WHERE job_row = ?1",
	[DECLARED_LIST] = DECLARED_SELECT ", sealed, spec FROM declared ORDER BY name",
	[DECLARED_NEXT_DUE] = "SELECT coalesce(min(CASE WHEN set_ms > ?1 THEN 0 ELSE due_ms END), 9223372036854775807) FROM declared",
	[DECLARED_ANY] = "SELECT 1 FROM declared LIMIT 1",
	[DECLARED_ENDED] = "SELECT 1 FROM declared WHERE job_row IS NOT NULL "
	                   "AND (SELECT state FROM job WHERE job.row = declared.job_row) IN (7, 8) LIMIT 1",
	[LANDED_SAVE] = "INSERT INTO declared_file (declared_row, path, bytes, digest, etag, modified_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6) "
	                "ON CONFLICT (declared_row, path) DO UPDATE SET (bytes, digest, etag, modified_ms) = (?3, ?4, ?5, ?6)",
	[LANDED_REMOVE] = "DELETE FROM declared_file WHERE declared_row = ?1 AND path = ?2",
	[LANDED_OF_FILE] = "SELECT bytes, digest, etag, modified_ms FROM declared_file WHERE declared_row = ?1 AND path = ?2",
	[PARTIAL_EXISTS] = "SELECT 1 FROM file INDEXED BY file_of_partial WHERE partial = ?1 AND partial <> ''",
};

/* clang-format on */

/* --- turns --- */

static enum result run_plain(struct store *store, enum statement which, const char *doing, struct fault *fault)
{
	AUTO(query) struct query query = query_start(store, which, doing);
	return query_run(&query, NULL, fault);
}

enum result store_begin(struct store *store, struct fault *fault)
{
	assert(!store->turn);
	enum result result = run_plain(store, TURN_BEGIN, "begin a transaction", fault);
	store->turn = result == RESULT_OK;
	store->lasting = false;
	return result;
}

bool store_can_wait(const struct store *store)
{
	return store->turn && !store->lasting;
}

enum result store_commit(struct store *store, struct fault *fault)
{
	assert(store->turn && !store->request);
	bool wrote = sqlite3_txn_state(store->db, NULL) == SQLITE_TXN_WRITE;
	enum result result = run_plain(store, TURN_COMMIT, "commit", fault);
	store->commits += wrote && result == RESULT_OK;
	store->turn = result != RESULT_OK; /* after a failure store_rollback ends it */
	return result;
}

enum result store_probe(struct store *store, struct fault *fault)
{
	return run_plain(store, TURN_PROBE, "write to the database", fault);
}

uint64_t store_commits(const struct store *store)
{
	return store->commits;
}

void store_rollback(struct store *store)
{
	store->turn = false;
	store->request = false;
	/* Nothing is left to do where SQLite rolled back on its own.  ROLLBACK itself gives back memory, no more: the
	 * database is as it was whatever it answers, and if it could not end the transaction, the next BEGIN says so. */
	if (!sqlite3_get_autocommit(store->db))
		(void)run_plain(store, TURN_ROLLBACK, "roll back", NULL);
}

enum result store_savepoint(struct store *store, struct fault *fault)
{
	assert(!store->request);
	if (!store->turn) /* it could not begin: nothing that would be written now could be undone */
		return fault_set(fault, RESULT_STORE_BUSY, FAULT_FERRY, 0, "begin a request");
	enum result result = run_plain(store, REQUEST_BEGIN, "begin a request", fault);
	store->request = result == RESULT_OK;
	return result;
}

enum result store_release(struct store *store, struct fault *fault)
{
	assert(store->turn && store->request);
	enum result result = run_plain(store, REQUEST_COMMIT, "end a request", fault);
	store->request = result != RESULT_OK;
	return result;
}

void store_undo(struct store *store)
{
	assert(store->turn && store->request);
	store->request = false;
	if (sqlite3_get_autocommit(store->db))
		return; /* all of the turn is undone already, and what follows in it will be told so */
	if (run_plain(store, REQUEST_ROLLBACK, "undo a request", NULL) == RESULT_OK &&
	    run_plain(store, REQUEST_COMMIT, "undo a request", NULL) == RESULT_OK)
		return;
	/* What cannot be undone alone must not be committed with the rest: end the transaction under the turn. */
	(void)run_plain(store, TURN_ROLLBACK, "undo a turn", NULL);
}

/* --- jobs --- */

static void put_job_saved(struct query *query, const struct job *job)
{
	const struct job_properties *properties = &job->properties;

	put_text(query, properties->name);
	put_text(query, properties->description);
	put_i64(query, properties->priority);
	put_i64(query, properties->auto_complete);
	put_i64(query, properties->retry_delay_s);
	put_i64(query, properties->no_progress_timeout_s);
	put_i64(query, properties->max_time_s);
	put_i64(query, properties->lease_s);
	put_i64(query, job->state);
	put_i64(query, job->work);
	put_fault(query, &job->error);
	put_i64(query, job->error_count);
	put_i64(query, job->attempts);
	put_i64(query, job->modified_ms);
	put_i64(query, job->finished_ms);
	put_i64(query, job->state_since_ms);
	put_i64(query, job->next_try_ms);
	put_i64(query, job->progress_ms);
	put_u64(query, "active_ms", job->active_ms);
	put_i64(query, properties->on_token_loss);
	put_text(query, properties->pinned_helper);
	put_i64(query, job->helper_flags);
	put_text(query, job->helper_sid);
	put_i64(query, job->helper_logon);
	put_i64(query, job->token_wait);
	put_text(query, job->side_sid[JOB_SIDE_FILE]);
	put_text(query, job->side_sid[JOB_SIDE_NETWORK]);
	put_text(query, job->file_writer);
	put_i64(query, job->retry_after_s);
	put_i64(query, properties->profile);
	put_u64(query, "max_bytes", properties->max_bytes);
	put_i64(query, properties->no_segments);
	put_i64(query, job->implicit);
	put_i64(query, job->explicit);
	put_i64(query, properties->proxy_mode);
	put_i64(query, properties->no_redirects);
	put_i64(query, properties->tls_ignore);
	put_text(query, properties->client_certificate);
}

static enum result take_job(struct query *query, struct job *job, struct fault *fault)
{
	struct job_properties *properties = &job->properties;

	job->row = take_i64(query, 1, INT64_MAX);
	take_text(query, job->id, sizeof(job->id));
	take_text(query, job->key, sizeof(job->key));
	take_text(query, job->owner, sizeof(job->owner));
	job->owner_integrity = take_u32(query);
	job->owner_elevated = take_i64(query, 0, 1) == 1;
	job->takeovers = take_u32(query);
	job->created_ms = take_i64(query, 0, INT64_MAX);
	job->limited = take_i64(query, 0, 1) == 1;
	take_text(query, job->correlation, sizeof(job->correlation));
	take_text(query, job->program, sizeof(job->program));

	take_text(query, properties->name, sizeof(properties->name));
	take_text(query, properties->description, sizeof(properties->description));
	properties->priority = (enum job_priority)take_i64(query, 0, JOB_PRIORITY_COUNT - 1);
	properties->auto_complete = take_i64(query, 0, 1) == 1;
	properties->retry_delay_s = take_u32(query);
	properties->no_progress_timeout_s = take_u32(query);
	properties->max_time_s = take_u32(query);
	properties->lease_s = take_u32(query);
	job->state = (enum job_state)take_i64(query, 0, JOB_STATE_COUNT - 1);
	job->work = (enum job_work)take_i64(query, 0, JOB_WORK_SWEEP);
	take_fault(query, &job->error);
	job->error_count = take_u32(query);
	job->attempts = take_u32(query);
	job->modified_ms = take_i64(query, 0, INT64_MAX);
	job->finished_ms = take_i64(query, 0, INT64_MAX);
	job->state_since_ms = take_i64(query, 0, INT64_MAX);
	job->next_try_ms = take_i64(query, 0, INT64_MAX);
	job->progress_ms = take_i64(query, 0, INT64_MAX);
	job->active_ms = take_u64(query);
	properties->on_token_loss = (enum token_loss)take_i64(query, 0, TOKEN_LOSS_COUNT - 1);
	take_text(query, properties->pinned_helper, sizeof(properties->pinned_helper));
	job->helper_flags = (unsigned)take_i64(query, 0, HELPER_ALL);
	take_text(query, job->helper_sid, sizeof(job->helper_sid));
	job->helper_logon = (unsigned)take_i64(query, 0, LOGON_COUNT - 1);
	job->token_wait = take_i64(query, 0, 1) == 1;
	take_text(query, job->side_sid[JOB_SIDE_FILE], sizeof(job->side_sid[JOB_SIDE_FILE]));
	take_text(query, job->side_sid[JOB_SIDE_NETWORK], sizeof(job->side_sid[JOB_SIDE_NETWORK]));
	take_text(query, job->file_writer, sizeof(job->file_writer));
	job->retry_after_s = (uint32_t)take_i64(query, 0, JOB_RETRY_AFTER_S_MAX);
	properties->profile = (enum job_profile)take_i64(query, 0, JOB_PROFILE_COUNT - 1);
	properties->max_bytes = take_u64(query);
	properties->no_segments = take_i64(query, 0, 1) == 1;
	job->implicit = (unsigned)take_i64(query, 0, JOB_CREDENTIALS_ALL);
	job->explicit = (unsigned)take_i64(query, 0, JOB_CREDENTIALS_ALL);
	properties->proxy_mode = (enum proxy_mode)take_i64(query, 0, PROXY_MODE_COUNT - 1);
	properties->no_redirects = take_i64(query, 0, 1) == 1;
	properties->tls_ignore = (unsigned)take_i64(query, 0, TLS_IGNORE_ALL);
	take_text(query, properties->client_certificate, sizeof(properties->client_certificate));

	job->files_total = take_u32(query);
	job->files_transferred = take_u32(query);
	job->files_published = take_u32(query);
	job->files_size_unknown = take_u32(query);
	job->bytes_total = take_u64(query);
	job->bytes_transferred = take_u64(query);
	take_text(query, job->header_names, sizeof(job->header_names));
	job->headers_write_only = take_i64(query, 0, 1) == 1;
	return query_taken(query, fault);
}

/* The one job that the query finds. */
static enum result find_job(struct query *query, struct job *ret_job, struct fault *fault)
{
	bool row = false;
	enum result result = query_step(query, &row, fault);

	if (result != RESULT_OK)
		return result;
	if (!row)
		return fault_set(fault, RESULT_NOT_FOUND, FAULT_FERRY, 0, "%s", query->doing);
	struct job job;
	result = take_job(query, &job, fault);
	if (result == RESULT_OK)
		*ret_job = job;
	return result;
}

static enum result insert_owner(struct store *store, const struct job *job, struct fault *fault)
{
	AUTO(query) struct query query = query_start(store, OWNER_INSERT, "insert an owner");
	put_text(&query, job->owner);
	return query_run(&query, NULL, fault);
}

enum result store_job_insert(struct store *store, struct job *job, struct fault *fault)
{
	enum result result = insert_owner(store, job, fault);
	if (result != RESULT_OK)
		return result;

	AUTO(query) struct query query = query_start(store, JOB_INSERT, "insert a job");
	put_text(&query, job->owner);
	put_text(&query, job->id);
	put_text(&query, job->key);
	put_i64(&query, job->owner_integrity);
	put_i64(&query, job->owner_elevated);
	put_i64(&query, job->created_ms);
	put_i64(&query, job->limited);
	put_text(&query, job->correlation);
	put_text(&query, job->program);
	put_job_saved(&query, job);
	result = query_run(&query, NULL, fault);
	if (result == RESULT_OK)
		job->row = sqlite3_last_insert_rowid(store->db);
	return result;
}

enum result store_job_by_row(struct store *store, int64_t row, struct job *ret_job, struct fault *fault)
{
	AUTO(query) struct query query = query_start(store, JOB_BY_ROW, "find a job by its row");
	put_i64(&query, row);
	return find_job(&query, ret_job, fault);
}

enum result store_job_by_id(struct store *store, const char *id, struct job *ret_job, struct fault *fault)
{
	AUTO(query) struct query query = query_start(store, JOB_BY_ID, "find a job by its id");
	put_text(&query, id);
	return find_job(&query, ret_job, fault);
}

enum result store_job_by_key(struct store *store, const char *owner, const char *key, struct job *ret_job,
                             struct fault *fault)
{
	AUTO(query) struct query query = query_start(store, JOB_BY_KEY, "find a job by its key");
	put_text(&query, owner);
	put_text(&query, key);
	return find_job(&query, ret_job, fault);
}

/* Why no row answered to a compare-and-set. */
static enum result missed(struct store *store, int64_t row, struct fault *fault)
{
	AUTO(query) struct query query = query_start(store, JOB_EXISTS, "save a job");
	bool exists = false;

	put_i64(&query, row);
	enum result result = query_step(&query, &exists, fault);
	if (result != RESULT_OK)
		return result;
	return fault_set(fault, exists ? RESULT_INVALID_STATE : RESULT_NOT_FOUND, FAULT_FERRY, 0, "save a job");
}

enum result store_job_save(struct store *store, const struct job *job, enum job_state from, struct fault *fault)
{
	AUTO(query) struct query query = query_start(store, JOB_SAVE, "save a job");
	uint32_t changes = 0;

	put_i64(&query, job->row);
	put_i64(&query, from);
	put_job_saved(&query, job);
	enum result result = query_run(&query, &changes, fault);
	if (result != RESULT_OK)
		return result;
	return changes == 1 ? RESULT_OK : missed(store, job->row, fault);
}

enum result store_job_take(struct store *store, const struct job *job, struct fault *fault)
{
	enum result result = insert_owner(store, job, fault);
	if (result != RESULT_OK)
		return result;

	AUTO(query) struct query query = query_start(store, JOB_TAKE, "take a job over");
	uint32_t changes = 0;

	put_text(&query, job->owner);
	put_i64(&query, job->row);
	put_i64(&query, job->owner_integrity);
	put_i64(&query, job->owner_elevated);
	put_i64(&query, job->limited);
	result = query_run(&query, &changes, fault);
	if (result != RESULT_OK)
		return result;
	return changes == 1 ? RESULT_OK : missed(store, job->row, fault);
}

enum result store_jobs_forget(struct store *store, int64_t before_ms, uint32_t limit, uint32_t *ret_count,
                              struct fault *fault)
{
	AUTO(query) struct query query = query_start(store, JOBS_FORGET, "forget jobs");
	put_i64(&query, before_ms);
	put_i64(&query, limit);
	return query_run(&query, ret_count, fault);
}

enum result store_jobs_forget_surplus(struct store *store, const char *owner, uint64_t keep, uint32_t limit,
                                      uint32_t *ret_count, struct fault *fault)
{
	AUTO(query) struct query query = query_start(store, JOBS_FORGET_SURPLUS, "forget surplus jobs");
	put_text(&query, owner);
	put_u64(&query, "keep", keep);
	put_i64(&query, limit);
	return query_run(&query, ret_count, fault);
}

static void put_owner(struct query *query, const struct job_owner *of)
{
	put_text(query, of->sid);
	put_i64(query, of->integrity);
	put_i64(query, of->elevated);
}

enum result store_jobs_runnable(struct store *store, const struct job_owner *of, enum job_priority priority, enum job_work from,
                                int64_t now_ms, struct job *jobs, size_t size, size_t *ret_count, struct fault *fault)
{
	AUTO(query) struct query query = query_start(store, JOBS_RUNNABLE, "find runnable jobs");
	put_owner(&query, of);
	put_i64(&query, priority);
	put_i64(&query, now_ms);
	put_u64(&query, "size", size);
	put_i64(&query, from);
	for (size_t count = 0;; count++) {
		bool row = false;
		enum result result = query_step(&query, &row, fault);
		if (result == RESULT_OK && !row) {
			*ret_count = count;
			return RESULT_OK;
		}
		if (result == RESULT_OK)
			result = take_job(&query, &jobs[count], fault);
		if (result != RESULT_OK)
			return result;
	}
}

enum result store_jobs_next_try(struct store *store, const struct job_owner *of, int64_t now_ms, int64_t *ret_ms,
                                struct fault *fault)
{
	AUTO(query) struct query query = query_start(store, JOBS_NEXT_TRY, "find the next try");
	put_owner(&query, of);
	put_i64(&query, now_ms);
	return query_number(&query, INT64_MAX, ret_ms, fault);
}

enum result store_jobs_try_again(struct store *store, const struct job_owner *of, int64_t now_ms, int64_t spread_ms,
                                 uint32_t random, struct fault *fault)
{
	AUTO(query) struct query query = query_start(store, JOBS_TRY_AGAIN, "try jobs again");
	put_owner(&query, of);
	put_i64(&query, now_ms);
	put_i64(&query, spread_ms);
	put_i64(&query, random);
	for (size_t i = 0; i < NETWORK_LOSSES; i++)
		put_text(&query, result_name(network_losses[i]));
	return query_run(&query, NULL, fault);
}

/* The rows in the first column. */
static enum result collect_rows(struct query *query, int64_t *rows, size_t *ret_count, struct fault *fault)
{
	for (size_t count = 0;; count++) {
		bool row = false;
		enum result result = query_step(query, &row, fault);
		if (result == RESULT_OK && !row) {
			*ret_count = count;
			return RESULT_OK;
		}
		if (result == RESULT_OK) {
			rows[count] = take_i64(query, 1, INT64_MAX);
			result = query_taken(query, fault);
		}
		if (result != RESULT_OK)
			return result;
	}
}

enum result store_jobs_active(struct store *store, int64_t *rows, size_t size, size_t *ret_count, struct fault *fault)
{
	AUTO(query) struct query query = query_start(store, JOBS_ACTIVE, "find active jobs");
	put_u64(&query, "size", size);
	return collect_rows(&query, rows, ret_count, fault);
}

enum result store_jobs_helped(struct store *store, int64_t after_row, int64_t *rows, size_t size, size_t *ret_count,
                              struct fault *fault)
{
	AUTO(query) struct query query = query_start(store, JOBS_HELPED, "find jobs that need helper tokens");
	put_i64(&query, after_row);
	put_u64(&query, "size", size);
	return collect_rows(&query, rows, ret_count, fault);
}

enum result store_jobs_expired(struct store *store, int64_t now_ms, int64_t *rows, size_t size, size_t *ret_count,
                               struct fault *fault)
{
	AUTO(query) struct query query = query_start(store, JOBS_EXPIRED, "find leases that ended");
	put_i64(&query, now_ms);
	put_u64(&query, "size", size);
	return collect_rows(&query, rows, ret_count, fault);
}

enum result store_jobs_next_expiry(struct store *store, int64_t after_ms, int64_t *ret_ms, struct fault *fault)
{
	AUTO(query) struct query query = query_start(store, JOBS_NEXT_EXPIRY, "find the next end of a lease");
	put_i64(&query, after_ms);
	return query_number(&query, INT64_MAX, ret_ms, fault);
}

enum result store_jobs_list(struct store *store, const char *owner, bool finished, int64_t after_row, uint32_t limit,
                            bool (*visit)(void *context, const struct job *job), void *context, struct fault *fault)
{
	enum statement of_all = finished ? JOBS_OF_ALL : JOBS_OF_ALL_UNFINISHED;
	enum statement of_owner = finished ? JOBS_OF_OWNER : JOBS_OF_OWNER_UNFINISHED;
	AUTO(query) struct query query = query_start(store, owner ? of_owner : of_all, "list jobs");
	if (owner)
		put_text(&query, owner);
	put_i64(&query, after_row);
	put_i64(&query, limit);
	for (;;) {
		struct job job;
		bool row = false;
		enum result result = query_step(&query, &row, fault);
		if (result != RESULT_OK || !row)
			return result;
		result = take_job(&query, &job, fault);
		if (result != RESULT_OK || !visit(context, &job))
			return result;
	}
}

/* A number of jobs that is kept for each owner; `owner` NULL: of all. */
static enum result count_jobs(struct store *store, enum statement which, const char *owner, uint64_t *ret_count,
                              struct fault *fault)
{
	AUTO(query) struct query query = query_start(store, which, "count jobs");
	int64_t count = 0;

	if (owner)
		put_text(&query, owner);
	enum result result = query_number(&query, 0, &count, fault);
	if (result == RESULT_OK)
		*ret_count = (uint64_t)count;
	return result;
}

enum result store_jobs_count(struct store *store, const char *owner, uint64_t *ret_count, struct fault *fault)
{
	return count_jobs(store, owner ? COUNT_OF_OWNER : COUNT_OF_ALL, owner, ret_count, fault);
}

enum result store_jobs_alike(struct store *store, int64_t now_ms, bool (*visit)(void *context, int64_t row, uint64_t count),
                             void *context, struct fault *fault)
{
	AUTO(query) struct query query = query_start(store, JOBS_ALIKE, "count the jobs");
	enum result result;
	bool more = true;

	put_i64(&query, now_ms);
	do {
		result = query_step(&query, &more, fault);
		if (result == RESULT_OK && more) {
			int64_t row = take_i64(&query, 1, INT64_MAX);
			uint64_t count = take_u64(&query);

			result = query_taken(&query, fault);
			more = result == RESULT_OK && visit(context, row, count);
		}
	} while (result == RESULT_OK && more);
	return result;
}

enum result store_jobs_newest(struct store *store, int64_t *ret_created_ms, struct fault *fault)
{
	AUTO(query) struct query query = query_start(store, JOBS_NEWEST, "look at the newest job");

	return query_number(&query, 0, ret_created_ms, fault);
}

enum result store_jobs_limited(struct store *store, const char *owner, uint64_t *ret_count, struct fault *fault)
{
	return count_jobs(store, owner ? COUNT_LIMITED_OF_OWNER : COUNT_LIMITED, owner, ret_count, fault);
}

enum result store_jobs_finished(struct store *store, const char *owner, uint64_t *ret_count, struct fault *fault)
{
	return count_jobs(store, COUNT_FINISHED_OF_OWNER, owner, ret_count, fault);
}
