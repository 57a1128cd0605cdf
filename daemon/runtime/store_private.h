/* Inside runtime/store: what its files share.
 *
 *   store_open.c   which files are ours, checking, migrating, settings
 *   store.c        the statements, turns and jobs
 *   store_file.c   files
 *   store_url.c    URLs, whose queries are sealed
 *   store_network.c  proxies, and sealed credentials and headers
 *   store_attempt.c  how attempts to fetch went
 *   store_declared.c what is declared, and what landed of it
 *   store_query.c  running one statement: arguments in, columns out, SQLite's codes into results
 */
#ifndef FERRY_RUNTIME_STORE_PRIVATE_H
#define FERRY_RUNTIME_STORE_PRIVATE_H

#include <sqlite3.h>

#include "runtime/store.h"

#define APPLICATION_ID 0x46455252 /* "FERR"; SQLite's header keeps it for file(1) and for us */

enum statement {
	TURN_BEGIN,
	TURN_COMMIT,
	TURN_ROLLBACK,
	TURN_PROBE,
	REQUEST_BEGIN,
	REQUEST_COMMIT,
	REQUEST_ROLLBACK,

	OWNER_INSERT,
	JOB_INSERT,
	JOB_BY_ROW,
	JOB_BY_ID,
	JOB_BY_KEY,
	JOB_EXISTS,
	JOB_SAVE,
	JOB_TAKE,
	JOBS_FORGET,
	JOBS_FORGET_SURPLUS,
	JOBS_EXPIRED,
	JOBS_NEXT_EXPIRY,
	JOBS_RUNNABLE,
	JOBS_NEXT_TRY,
	JOBS_TRY_AGAIN,
	JOBS_ACTIVE,
	JOBS_HELPED,
	JOBS_OF_ALL,
	JOBS_OF_ALL_UNFINISHED,
	JOBS_OF_OWNER,
	JOBS_OF_OWNER_UNFINISHED,
	JOBS_ALIKE,
	JOBS_NEWEST,
	COUNT_OF_ALL,
	COUNT_OF_OWNER,
	COUNT_LIMITED,
	COUNT_LIMITED_OF_OWNER,
	COUNT_FINISHED_OF_OWNER,

	FILE_NEXT_ORDINAL,
	FILE_INSERT,
	FILE_BY_ROW,
	FILE_NEXT_IN_STATE,
	FILE_NEXT_PARTIAL,
	FILE_SAVE,
	FILE_SET_URL,
	FILE_WHOLE_URL,
	FILE_IN_CLEAR,
	FILES_OF_JOB,
	MIRROR_INSERT,
	MIRROR_SET_URL,
	MIRROR_URL,
	MIRROR_WHOLE_URL,
	MIRROR_IN_CLEAR,
	ID_OF_JOB,
	ID_OF_FILES_JOB,
	RANGES_INSERT,
	RANGES_OF_FILE,
	SOURCES_FORGIVE,
	CREDENTIAL_SAVE,
	CREDENTIAL_REMOVE,
	CREDENTIALS_REMOVE,
	CREDENTIAL_OF_JOB,
	HEADERS_SAVE,
	HEADERS_REMOVE,
	HEADERS_OF_JOB,
	PROXY_SAVE,
	PROXY_REMOVE,
	PROXY_OF_JOB,
	PARTIAL_EXISTS,
	ATTEMPT_SAVE,
	ATTEMPTS_FORGET,
	ATTEMPTS_OF_JOB,
	ATTEMPT_LAST,
	DECLARED_SAVE,
	DECLARED_SET_JOB,
	DECLARED_SET_DUE,
	DECLARED_REMOVE,
	DECLARED_BY_NAME,
	DECLARED_OF_JOB,
	DECLARED_LIST,
	DECLARED_NEXT_DUE,
	DECLARED_ANY,
	DECLARED_ENDED,
	LANDED_SAVE,
	LANDED_REMOVE,
	LANDED_OF_FILE,
	STATEMENT_COUNT
};

struct store {
	sqlite3 *db;
	sqlite3_stmt *statements[STATEMENT_COUNT];
	struct store_sealer sealer; /* without functions: nothing is sealed */
	bool turn;    /* between store_begin and store_commit or store_rollback */
	bool request; /* between store_savepoint and store_release or store_undo */
	uint64_t commits; /* that wrote something */
	bool lasting; /* the turn has written what must not be lost */
};

/* --- store.c --- */
extern const char *const store_statements[STATEMENT_COUNT];

/* --- store_url.c --- */

#define STORE_QUERY_SEALED_BYTES_MAX 4096u

/* A URL as it is put into a row. */
struct divided_url {
	char url[URL_BYTES_MAX + 1];
	struct buffer query; /* sealed; empty: `url` is all of it */
};
static inline void divided_url_cleanup(struct divided_url *divided)
{
	buffer_done(&divided->query);
}
/* Of the job that ID_OF_JOB or ID_OF_FILES_JOB finds by the row.  *ret_divided is set in any case. */
enum result url_divide(struct store *store, enum statement which, int64_t row, const char *url, struct divided_url *ret_divided,
                       struct fault *fault) MUST_CHECK;

/* --- store_query.c --- */

/* The border: an SQLite result code, extended or not, as an outcome of the house. */
enum result result_from_sqlite(int code);
/* The fault of the database's last failed call.  `doing` names what was being done. */
enum result store_fault(sqlite3 *db, int code, const char *doing, struct fault *fault) MUST_CHECK;

/* One run of a prepared statement.  Arguments are put and columns taken in the order in which they stand in the SQL;
 * what goes wrong on the way is kept and told by the next query_step or query_taken. */
struct query {
	struct store *store;
	sqlite3_stmt *statement;
	const char *doing;
	int arguments, columns; /* put and taken so far */
	int code;               /* SQLite's first refusal of an argument */
	const char *unfit;      /* the first number that SQLite's 64 bits cannot hold */
	bool damaged;           /* a column held what we never write */
};

struct query query_start(struct store *store, enum statement which, const char *doing);
void query_cleanup(struct query *query); /* ready for the next run; for AUTO(query) */

void put_i64(struct query *query, int64_t number);
void put_u64(struct query *query, const char *name, uint64_t number);
void put_size(struct query *query, const char *name, uint64_t bytes); /* SIZE_UNKNOWN as NULL */
void put_text(struct query *query, const char *text);                 /* must live until the last step */
void put_octets(struct query *query, const char *text);               /* the same, not necessarily UTF-8 */
void put_sealed(struct query *query, const void *bytes, size_t size); /* the same, any bytes; NULL as NULL */

void put_fault(struct query *query, const struct fault *fault); /* four columns, as take_fault */

/* Run to the next row (*ret_row true) or to the end. */
enum result query_step(struct query *query, bool *ret_row, struct fault *fault) MUST_CHECK;
/* Run a statement that gives no rows; `ret_changes` may be NULL. */
enum result query_run(struct query *query, uint32_t *ret_changes, struct fault *fault) MUST_CHECK;

int64_t take_i64(struct query *query, int64_t minimum, int64_t maximum);
uint64_t take_u64(struct query *query);
uint32_t take_u32(struct query *query);
uint64_t take_size(struct query *query); /* NULL as SIZE_UNKNOWN */
bool take_null(struct query *query); /* is it NULL?  Then it is taken */
void take_text(struct query *query, char *to, size_t size);
enum result take_long_text(struct query *query, struct buffer *to) MUST_CHECK; /* RESULT_NO_MEMORY */
enum result take_long_octets(struct query *query, struct buffer *to) MUST_CHECK; /* the same, of any bytes */
/* An outcome that this Ferry does not know was written by a newer one with the same schema: no damage. */
void take_fault(struct query *query, struct fault *ret_fault);
/* The number in the first column of the first row, or `otherwise` if there is none. */
enum result query_number(struct query *query, int64_t otherwise, int64_t *ret_number, struct fault *fault) MUST_CHECK;
/* RESULT_STORE_DAMAGED if a column taken of this row was not what it can be. */
enum result query_taken(struct query *query, struct fault *fault) MUST_CHECK;

#endif
