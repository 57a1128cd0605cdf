/* runtime/store - the only SQL: the queue in SQLite, WAL, synchronous=FULL.
 *
 * Named operations on records; what states mean is core/job's business.  Belongs to the engine's thread.  Every change
 * happens between store_begin and store_commit: the engine commits once per turn, so concurrent submits share one
 * fsync.  Moves of state are compare-and-set and demand exactly one row.  Counters of a job (files_*, bytes_*) are
 * kept by triggers in schema/; there one file counts for 8 TiB at most, whatever a server claims.
 * A number that 63 bits cannot hold, or that schema/ forbids, is RESULT_INVALID_ARGUMENT; a row that holds what is
 * never written is RESULT_STORE_DAMAGED.  A visitor may read other things of the store, but neither change nor list.
 */
#ifndef FERRY_RUNTIME_STORE_H
#define FERRY_RUNTIME_STORE_H

#include "core/attempt.h"
#include "core/declare.h"
#include "core/job.h"

struct store;

/* Open or create `path`, check it, migrate it.  RESULT_STORE_DAMAGED | RESULT_STORE_TOO_NEW | RESULT_STORE_FOREIGN |
 * RESULT_STORE_BUSY | RESULT_DENIED | RESULT_IO_FAILED | RESULT_DISK_FULL | RESULT_NO_MEMORY.  Nothing is changed in a
 * database that is refused.  Who puts a damaged one aside moves `path`, `path`-wal and `path`-journal together. */
enum result store_open(const char *path, struct store **ret_store, struct fault *fault) MUST_CHECK;
void store_free(struct store *store);
DEFINE_CLEANUP(store)

/* Is it whole?  As when it was opened; asks now and then whether to go on.  RESULT_STORE_DAMAGED | RESULT_CANCELLED: not looked
 * through to its end. */
enum result store_check(struct store *store, bool (*go_on)(void *context), void *context, struct fault *fault) MUST_CHECK;

/* How the queries of URLs are sealed for the disk (platform/secrets). */
struct store_sealer {
	enum result (*seal)(void *context, const char *binding, const void *plain, size_t size, struct buffer *to,
	                    struct fault *fault);
	enum result (*unseal)(void *context, const char *binding, const void *sealed, size_t size, struct buffer *to,
	                      struct fault *fault);
	void *context;
};
/* From now on they are, and those that lie there in the clear are sealed at once; without it they stay in the clear.  Before
 * the first turn.  A failure leaves those as they are. */
enum result store_seal(struct store *store, const struct store_sealer *sealer, struct fault *fault) MUST_CHECK;

/* One transaction per turn, one savepoint per request inside it.  Any failure but those named means: roll back. */
enum result store_begin(struct store *store, struct fault *fault) MUST_CHECK;
enum result store_commit(struct store *store, struct fault *fault) MUST_CHECK; /* no-op cost if nothing was written */
/* Write what is there already, so that the turn's commit tells whether anything can be written. */
enum result store_probe(struct store *store, struct fault *fault) MUST_CHECK;
uint64_t store_commits(const struct store *store); /* that wrote something, since it was opened */
bool store_can_wait(const struct store *store); /* nothing was written but what may be lost: see store_file_save_soon */
void store_rollback(struct store *store);
enum result store_savepoint(struct store *store, struct fault *fault) MUST_CHECK; /* RESULT_STORE_BUSY: no transaction */
enum result store_release(struct store *store, struct fault *fault) MUST_CHECK;
void store_undo(struct store *store); /* back to the savepoint, which is gone then */

/* --- jobs; RESULT_NOT_FOUND where no row answers --- */
/* Sets row, a number that is never given again.  RESULT_EXISTS: the id, or the owner's key, is there already. */
enum result store_job_insert(struct store *store, struct job *job, struct fault *fault) MUST_CHECK;
enum result store_job_by_row(struct store *store, int64_t row, struct job *ret_job, struct fault *fault) MUST_CHECK;
enum result store_job_by_id(struct store *store, const char *id, struct job *ret_job, struct fault *fault) MUST_CHECK;
enum result store_job_by_key(struct store *store, const char *owner, const char *key, struct job *ret_job,
                             struct fault *fault) MUST_CHECK;
/* Write all of `job` that may change, its owner and its headers excepted, if the row's state still is `from`;
 * RESULT_INVALID_STATE if it is not.  A CANCELLED job gives up its key. */
enum result store_job_save(struct store *store, const struct job *job, enum job_state from, struct fault *fault) MUST_CHECK;
/* Make `job`'s owner (with integrity, elevation and `limited`) the row's, who loses its key and counts a takeover. */
enum result store_job_take(struct store *store, const struct job *job, struct fault *fault) MUST_CHECK;
/* Forget final jobs without work that finished before `before_ms`, at most `limit` at once. */
enum result store_jobs_forget(struct store *store, int64_t before_ms, uint32_t limit, uint32_t *ret_count,
                              struct fault *fault) MUST_CHECK;
/* Forget the owner's oldest final jobs without work beyond the `keep` newest, at most `limit` at once.  None while there
 * are more than `keep`: all of them have work. */
enum result store_jobs_forget_surplus(struct store *store, const char *owner, uint64_t keep, uint32_t limit,
                                      uint32_t *ret_count, struct fault *fault) MUST_CHECK;
/* How many final jobs the owner has, with work or without. */
enum result store_jobs_finished(struct store *store, const char *owner, uint64_t *ret_count, struct fault *fault) MUST_CHECK;
/* Rows of unfinished jobs whose lease (job_lease_ends_ms) is over, the longest over first; jobs at work 2, PUBLISH, are
 * left out.  At most `size` a call. */
enum result store_jobs_expired(struct store *store, int64_t now_ms, int64_t *rows, size_t size, size_t *ret_count,
                               struct fault *fault) MUST_CHECK;
/* When the next lease of such a job ends after that moment; INT64_MAX: none does. */
enum result store_jobs_next_expiry(struct store *store, int64_t after_ms, int64_t *ret_ms, struct fault *fault) MUST_CHECK;
/* Jobs of that priority made by such an owner that do not run, with work to do that waits for no token, `from` being the
 * first kind of it that is asked for, and next_try_ms <= now; those first whose state is the oldest.  A next_try_ms farther away than the job's retry_delay_s means that the wall clock was set back: such a job is
 * runnable too. */
enum result store_jobs_runnable(struct store *store, const struct job_owner *of, enum job_priority priority, enum job_work from,
                                int64_t now_ms, struct job *jobs, size_t size, size_t *ret_count, struct fault *fault) MUST_CHECK;
/* Jobs of such an owner that wait because of what a lost network explains (core/network) are due within `spread_ms` from
 * now, each at a moment of its own that is drawn from `random`. */
enum result store_jobs_try_again(struct store *store, const struct job_owner *of, int64_t now_ms, int64_t spread_ms,
                                 uint32_t random, struct fault *fault) MUST_CHECK;
/* The earliest next_try_ms beyond now among the same jobs; INT64_MAX if none. */
enum result store_jobs_next_try(struct store *store, const struct job_owner *of, int64_t now_ms, int64_t *ret_ms,
                                struct fault *fault) MUST_CHECK;
/* Rows, beyond `after_row`, of jobs with work to do and flags of a helper token; at most `size` a call. */
enum result store_jobs_helped(struct store *store, int64_t after_row, int64_t *rows, size_t size, size_t *ret_count,
                              struct fault *fault) MUST_CHECK;
/* Rows of jobs in CONNECTING or TRANSFERRING, for the restart; at most `size` a call. */
enum result store_jobs_active(struct store *store, int64_t *rows, size_t size, size_t *ret_count,
                              struct fault *fault) MUST_CHECK;
/* Oldest first after `after_row`; owner NULL: everybody's; finished: final jobs too.  `visit` false: stop. */
enum result store_jobs_list(struct store *store, const char *owner, bool finished, int64_t after_row, uint32_t limit,
                            bool (*visit)(void *context, const struct job *job), void *context,
                            struct fault *fault) MUST_CHECK;
/* Jobs that are not final; owner NULL: everybody's. */
enum result store_jobs_count(struct store *store, const char *owner, uint64_t *ret_count, struct fault *fault) MUST_CHECK;
/* All jobs, in lots that are alike in what says why one waits (core/schedule) at that moment: one of each, and how many they are.
 * Reads the whole table.  `visit` false: stop. */
enum result store_jobs_alike(struct store *store, int64_t now_ms, bool (*visit)(void *context, int64_t row, uint64_t count),
                             void *context, struct fault *fault) MUST_CHECK;
/* When the newest job was made; 0: there is none. */
enum result store_jobs_newest(struct store *store, int64_t *ret_created_ms, struct fault *fault) MUST_CHECK;
/* Those of them that count towards the limits of ordinary owners (job.limited). */
enum result store_jobs_limited(struct store *store, const char *owner, uint64_t *ret_count, struct fault *fault) MUST_CHECK;

/* --- files.  What they have of a URL ends behind its '?' if the rest is sealed: store_source_url has all of it. --- */
/* Adds with the next ordinal; sets row and ordinal.  RESULT_DUPLICATE_DESTINATION; fault->what has the path.
 * `path_key` is the path as compared (core/destination), unique within the job. */
enum result store_file_insert(struct store *store, int64_t job_row, struct file *file, const char *path_key,
                              struct fault *fault) MUST_CHECK;
enum result store_file_by_row(struct store *store, int64_t row, struct file *ret_file, struct fault *fault) MUST_CHECK;
/* The first file of the job in `state` with ordinal >= `from_ordinal`. RESULT_NOT_FOUND: no more. */
enum result store_file_next(struct store *store, int64_t job_row, enum file_state state, uint32_t from_ordinal,
                            struct file *ret_file, struct fault *fault) MUST_CHECK;
/* The first file of the job whose `partial` is not "" and that is not published, ordinal >= `from_ordinal`. */
enum result store_file_next_partial(struct store *store, int64_t job_row, uint32_t from_ordinal, struct file *ret_file,
                                    struct fault *fault) MUST_CHECK;
/* Writes all but row, ordinal, url, path, the stated size, the digest, the mirrors, the condition and the ranges. */
enum result store_file_save(struct store *store, const struct file *file, struct fault *fault) MUST_CHECK;
/* The same of what a crash may take back, since nothing relies on it: it is no reason to commit now. */
enum result store_file_save_soon(struct store *store, const struct file *file, struct fault *fault) MUST_CHECK;
enum result store_files_list(struct store *store, int64_t job_row, uint32_t from_ordinal, uint32_t limit,
                             bool (*visit)(void *context, const struct file *file), void *context,
                             struct fault *fault) MUST_CHECK;
/* The n-th mirror of a file whose `mirrors` counts it, from 1. */
enum result store_mirror_insert(struct store *store, int64_t file_row, uint32_t source, const char *url,
                                struct fault *fault) MUST_CHECK;
enum result store_mirror_url(struct store *store, int64_t file_row, uint32_t source, char to[URL_BYTES_MAX + 1],
                             struct fault *fault) MUST_CHECK;
/* Might it begin with that?  Told without opening what is sealed. */
enum result store_source_may_begin(struct store *store, int64_t file_row, uint32_t source, struct text_view prefix, bool *ret_may,
                                   struct fault *fault) MUST_CHECK;
/* The whole URL of a file's source: 0 its own, n that of its n-th mirror.  RESULT_SECRET_UNREADABLE: its query is not to be
 * opened; SECRET_BUSY: not now. */
enum result store_source_url(struct store *store, int64_t file_row, uint32_t source, char to[URL_BYTES_MAX + 1],
                             struct fault *fault) MUST_CHECK;
/* The ranges of a file whose `ranges` counts them, as core/ranges prints them. */
enum result store_ranges_insert(struct store *store, int64_t file_row, const char *list, struct fault *fault) MUST_CHECK;
enum result store_ranges(struct store *store, int64_t file_row, struct buffer *to, struct fault *fault) MUST_CHECK;
/* Give a file's source another URL: 0 its own, n that of its n-th mirror. */
enum result store_source_set_url(struct store *store, int64_t file_row, uint32_t source, const char *url,
                                 struct fault *fault) MUST_CHECK;
/* Of the job's unfinished files no source is refused any more, nor did any fail, and whatever comes is progress. */
enum result store_sources_forgive(struct store *store, int64_t job_row, struct fault *fault) MUST_CHECK;
/* Whether any file of any job has a partial file of that name. */
enum result store_partial_exists(struct store *store, const char *partial, bool *ret_exists, struct fault *fault) MUST_CHECK;

/* --- the explicit proxies of a job; list "": none --- */
enum result store_proxy_save(struct store *store, int64_t job_row, const char *list, const char *bypass,
                             struct fault *fault) MUST_CHECK;
/* RESULT_STORE_DAMAGED: there are none. */
enum result store_proxy(struct store *store, int64_t job_row, char ret_list[PROXY_TEXT_BYTES_MAX + 1],
                        char ret_bypass[PROXY_TEXT_BYTES_MAX + 1], struct fault *fault) MUST_CHECK;

/* --- the sealed part of a job's explicit credentials, by slot (JOB_CREDENTIAL_SLOT) --- */
#define STORE_SEALED_BYTES_MAX 16384u
/* Instead of what was there. */
enum result store_credential_save(struct store *store, int64_t job_row, unsigned slot, const void *sealed, size_t size,
                                  struct fault *fault) MUST_CHECK;
enum result store_credential_remove(struct store *store, int64_t job_row, unsigned slot, struct fault *fault) MUST_CHECK;
enum result store_credentials_remove(struct store *store, int64_t job_row, struct fault *fault) MUST_CHECK; /* all of it */
/* RESULT_NOT_FOUND: there is none. */
enum result store_credential(struct store *store, int64_t job_row, unsigned slot, struct buffer *to, struct fault *fault) MUST_CHECK;

/* --- the sealed block of a job's header lines (core/headers), and the names in it --- */
#define STORE_HEADERS_SEALED_BYTES_MAX 17408u
/* Instead of what was there. */
enum result store_headers_save(struct store *store, int64_t job_row, const char *names, bool write_only, const void *sealed,
                               size_t size, struct fault *fault) MUST_CHECK;
enum result store_headers_remove(struct store *store, int64_t job_row, struct fault *fault) MUST_CHECK;
/* RESULT_NOT_FOUND: there is none. */
enum result store_headers(struct store *store, int64_t job_row, struct buffer *to, struct fault *fault) MUST_CHECK;

/* --- how a job's attempts to fetch went, by their numbers; a crash may take the last ones back --- */
enum result store_attempt_save(struct store *store, int64_t job_row, const struct attempt *attempt, struct fault *fault) MUST_CHECK;
enum result store_attempt_last(struct store *store, int64_t job_row, struct attempt *ret_attempt,
                               struct fault *fault) MUST_CHECK; /* RESULT_NOT_FOUND: there is none */
enum result store_attempts_forget(struct store *store, int64_t job_row, uint32_t before, struct fault *fault) MUST_CHECK;
enum result store_attempts(struct store *store, int64_t job_row, struct attempt ret_attempts[ATTEMPTS_KEPT_MAX],
                           size_t *ret_count, struct fault *fault) MUST_CHECK; /* oldest first */

/* --- declared jobs (core/declare), as they were applied last --- */
#define STORE_DECLARED_BYTES_MAX 1048576u
struct store_declared {
	int64_t row;
	char name[DECLARED_NAME_BYTES_MAX + 1];
	int64_t job_row;          /* that fetches it; 0: none */
	int64_t since_ms, due_ms; /* Unix time; see declare_due */
	int64_t set_ms;           /* when those were reckoned */
	bool owed;                /* see struct declare_known */
	uint32_t seed, versions;
	bool keep;
};
/* Make it, or change it: all but its row, its job and, of one that there is, its seed.  `spec` is what core/declare wrote, and is
 * sealed.  Sets all of `declared` as it is then.  RESULT_SEAL_FAILED. */
enum result store_declared_save(struct store *store, struct store_declared *declared, struct text_view spec,
                                struct fault *fault) MUST_CHECK;
enum result store_declared_set_job(struct store *store, int64_t row, int64_t job_row, struct fault *fault) MUST_CHECK; /* 0: none */
/* Its moments and owed. */
enum result store_declared_set_due(struct store *store, const struct store_declared *declared, struct fault *fault) MUST_CHECK;
enum result store_declared_remove(struct store *store, int64_t row, struct fault *fault) MUST_CHECK;
enum result store_declared_find(struct store *store, const char *name, struct store_declared *ret_declared,
                                struct fault *fault) MUST_CHECK;
enum result store_declared_of_job(struct store *store, int64_t job_row, struct store_declared *ret_declared,
                                  struct fault *fault) MUST_CHECK;
/* By name.  A spec that cannot be opened any more is told as one of no bytes; it is wiped when `visit` returns, false: stop. */
enum result store_declared_list(struct store *store,
                                bool (*visit)(void *context, const struct store_declared *declared, struct text_view spec),
                                void *context, struct fault *fault) MUST_CHECK;
/* INT64_MAX: never; 0: what was reckoned by a clock that was ahead is to be reckoned anew. */
enum result store_declared_next_due(struct store *store, int64_t now_ms, int64_t *ret_ms, struct fault *fault) MUST_CHECK;
enum result store_declared_any(struct store *store, bool *ret_any, struct fault *fault) MUST_CHECK;
/* Is any of their jobs over? */
enum result store_declared_ended(struct store *store, bool *ret_any, struct fault *fault) MUST_CHECK;
/* What landed of a file that is declared without a digest. */
struct store_landed {
	uint64_t bytes;
	struct digest digest;
	struct file_condition condition; /* by which its server is asked for a newer one */
};
enum result store_landed_save(struct store *store, int64_t declared_row, const char *path, const struct store_landed *landed,
                              struct fault *fault) MUST_CHECK;
enum result store_landed_remove(struct store *store, int64_t declared_row, const char *path, struct fault *fault) MUST_CHECK;
enum result store_landed(struct store *store, int64_t declared_row, const char *path, struct store_landed *ret_landed,
                         struct fault *fault) MUST_CHECK; /* RESULT_NOT_FOUND */

/* "3.46.1 <source id>" of the linked SQLite. */
const char *store_engine_version(void);
int store_schema_version(void); /* the newest migration this program has */

#endif
