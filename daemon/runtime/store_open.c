/* runtime/store: which files are ours, checking, migrating, settings.  docs/decisions/0001-sqlite-settings.md. */
#include "runtime/store_private.h"

#include <stdlib.h>
#include <string.h>

#include "schema_embedded.h"

#define HEADER_BYTES 100          /* https://sqlite.org/fileformat2.html section 1.3 */
#define HEADER_USER_VERSION 60
#define HEADER_APPLICATION_ID 68
#define STEPS_BETWEEN 1000        /* of SQLite's, between questions whether to go on */
#define BUSY_TIMEOUT_MS 1000      /* a predecessor's last breath, a virus scanner; then it is somebody's */
#define VALUE_BYTES_MAX (1 << 20) /* no text of ours comes near; a forged length does not get memory */

int store_schema_version(void)
{
	return schema_migrations[schema_migration_count - 1].number;
}

const char *store_engine_version(void)
{
	static char version[128];

	text_display(version, sizeof(version), "%s %s", sqlite3_libversion(), sqlite3_sourceid());
	return version;
}

void store_free(struct store *store)
{
	if (!store)
		return;
	for (size_t i = 0; i < STATEMENT_COUNT; i++)
		(void)sqlite3_finalize(store->statements[i]); /* repeats the last step's code */
	/* With all statements gone this cannot be busy; it rolls back what is open and brings the WAL home. */
	(void)sqlite3_close(store->db);
	free(store);
}

/* --- small statements that run once --- */

/* The first column of the first row: as a number, and compared with `expected` if that is not NULL. */
static enum result ask(sqlite3 *db, const char *sql, const char *expected, int64_t *ret_number, struct fault *fault)
{
	sqlite3_stmt *statement = NULL;
	int code = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);
	if (code != SQLITE_OK)
		return store_fault(db, code, sql, fault);

	enum result result = RESULT_OK;
	code = sqlite3_step(statement);
	if (code != SQLITE_ROW) {
		result = code == SQLITE_DONE ? fault_set(fault, RESULT_SYSTEM, FAULT_SQLITE, code, "%s: no answer", sql)
		                             : store_fault(db, code, sql, fault);
	} else {
		const unsigned char *text = sqlite3_column_text(statement, 0);
		int64_t number = sqlite3_column_int64(statement, 0);

		if (expected && (!text || strcmp((const char *)text, expected) != 0))
			result = fault_set(fault, RESULT_SYSTEM, FAULT_FERRY, 0, "%s: %s", sql,
			                   text ? (const char *)text : "out of memory");
		if (result == RESULT_OK && ret_number)
			*ret_number = number;
	}
	(void)sqlite3_finalize(statement);
	return result;
}

static enum result execute(sqlite3 *db, const char *sql, const char *doing, struct fault *fault)
{
	int code = sqlite3_exec(db, sql, NULL, NULL, NULL);
	return code == SQLITE_OK ? RESULT_OK : store_fault(db, code, doing, fault);
}

/* --- whose file is this? --- */

static uint32_t big_endian(const unsigned char *bytes)
{
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

/* What a predecessor left beside the database. */
struct leftovers {
	bool wal, journal;
};

static enum result judge_header(const unsigned char header[HEADER_BYTES], sqlite3_int64 size,
                                const struct leftovers *left, const char *path, struct fault *fault)
{
	static const unsigned char zeros[HEADER_BYTES];
	static const char magic[16] = "SQLite format 3";

	/* Zeros are nobody's data: what a power cut leaves of a file that was being made.  Its journal undoes that. */
	if (memcmp(header, zeros, HEADER_BYTES) == 0 && left->journal)
		return RESULT_OK;
	if (memcmp(header, zeros, HEADER_BYTES) == 0)
		return fault_set(fault, RESULT_STORE_DAMAGED, FAULT_FERRY, 0, "%s begins with zeros", path);
	if (size < HEADER_BYTES || memcmp(header, magic, sizeof(magic)) != 0)
		return fault_set(fault, RESULT_STORE_FOREIGN, FAULT_FERRY, 0, "%s is not an SQLite database", path);
	if (big_endian(header + HEADER_APPLICATION_ID) != APPLICATION_ID)
		return fault_set(fault, RESULT_STORE_FOREIGN, FAULT_FERRY, 0, "%s is another program's database", path);
	uint32_t version = big_endian(header + HEADER_USER_VERSION);
	if (version > INT32_MAX || (int)version > store_schema_version())
		return fault_set(fault, RESULT_STORE_TOO_NEW, FAULT_FERRY, 0, "%s has schema version %u", path,
		                 (unsigned)version);
	return RESULT_OK;
}

/* Judge the file by its first bytes, read past SQLite: it would begin with recovering what is perhaps not ours. */
static enum result recognise(sqlite3 *db, const struct leftovers *left, const char *path, struct fault *fault)
{
	unsigned char header[HEADER_BYTES] = { 0 };
	sqlite3_file *file = NULL;
	sqlite3_int64 size = 0;

	int code = sqlite3_file_control(db, "main", SQLITE_FCNTL_FILE_POINTER, &file);
	if (code == SQLITE_OK)
		code = file->pMethods->xFileSize(file, &size);
	if (code == SQLITE_OK && size == 0) {
		/* A queue gets its WAL after its first pages: a WAL beside nothing has lost its database. */
		if (left->wal)
			return fault_set(fault, RESULT_STORE_DAMAGED, FAULT_FERRY, 0, "%s is empty beside its WAL", path);
		return RESULT_OK;
	}
	if (code == SQLITE_OK)
		code = file->pMethods->xRead(file, header, HEADER_BYTES, 0);
	if (code != SQLITE_OK && code != SQLITE_IOERR_SHORT_READ)
		return fault_set(fault, result_from_sqlite(code), FAULT_SQLITE, code, "read %s", path);
	return judge_header(header, size, left, path, fault);
}

/* --- what must hold before the first page is read --- */

static enum result confine(sqlite3 *db, bool keep_wal, struct fault *fault)
{
	static const struct {
		int option, value;
	} options[] = {
		{ SQLITE_DBCONFIG_DEFENSIVE, 1 },      /* no SQL damages the file, not even ours by mistake */
		{ SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0 }, /* a doctored schema runs no functions with side effects */
		{ SQLITE_DBCONFIG_ENABLE_FKEY, 1 },
		{ SQLITE_DBCONFIG_ENABLE_TRIGGER, 1 },
	};

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		int code = sqlite3_db_config(db, options[i].option, options[i].value, NULL);
		if (code != SQLITE_OK)
			return store_fault(db, code, "configure the database", fault);
	}
	/* Closing would bring a WAL home, into a file that is perhaps refused. */
	int code = sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, keep_wal ? 1 : 0, NULL);
	if (code == SQLITE_OK)
		code = sqlite3_busy_timeout(db, BUSY_TIMEOUT_MS);
	if (code != SQLITE_OK)
		return store_fault(db, code, "configure the database", fault);
	(void)sqlite3_limit(db, SQLITE_LIMIT_LENGTH, VALUE_BYTES_MAX);
	(void)sqlite3_limit(db, SQLITE_LIMIT_ATTACHED, 0);

	/* Exclusive before the first access: the WAL's index then lives in our memory, there is no -shm file. */
	enum result result = ask(db, "PRAGMA locking_mode = EXCLUSIVE", "exclusive", NULL, fault);
	if (result == RESULT_OK)
		result = execute(db, "PRAGMA cell_size_check = ON", "configure the database", fault);
	if (result == RESULT_OK)
		result = execute(db, "PRAGMA temp_store = MEMORY", "configure the database", fault);
	return result;
}

/* --- is it whole? --- */

static enum result check_pages(sqlite3 *db, struct fault *fault)
{
	enum result result = ask(db, "PRAGMA quick_check(1)", "ok", NULL, fault);

	if (result != RESULT_SYSTEM)
		return result;
	if (fault) /* an answer, but not "ok" */
		fault->result = RESULT_STORE_DAMAGED;
	return RESULT_STORE_DAMAGED;
}

struct patience {
	bool (*go_on)(void *context);
	void *context;
};

static int is_over(void *context)
{
	const struct patience *patience = context;

	return !patience->go_on(patience->context);
}

enum result store_check(struct store *store, bool (*go_on)(void *context), void *context, struct fault *fault)
{
	struct patience patience = { go_on, context };

	sqlite3_progress_handler(store->db, STEPS_BETWEEN, is_over, &patience);
	enum result result = check_pages(store->db, fault);
	sqlite3_progress_handler(store->db, 0, NULL, NULL);
	return result;
}

static enum result check(sqlite3 *db, const char *path, int *ret_version, struct fault *fault)
{
	int64_t version = 0, pages = 0, id = 0;
	enum result result = ask(db, "PRAGMA user_version", NULL, &version, fault);

	if (result == RESULT_OK)
		result = ask(db, "PRAGMA page_count", NULL, &pages, fault);
	if (result == RESULT_OK)
		result = ask(db, "PRAGMA application_id", NULL, &id, fault);
	if (result != RESULT_OK)
		return result;
	/* Once more: a WAL may know a newer version than the header, a journal may have brought back what was there. */
	if (pages > 0 && id != APPLICATION_ID)
		return fault_set(fault, RESULT_STORE_FOREIGN, FAULT_FERRY, 0, "%s is another program's database", path);
	if (version > store_schema_version())
		return fault_set(fault, RESULT_STORE_TOO_NEW, FAULT_FERRY, 0, "%s has schema version %d", path, (int)version);
	result = check_pages(db, fault);
	if (result == RESULT_OK)
		*ret_version = (int)version;
	return result;
}

/* --- the schema --- */

static enum result migrate_by(sqlite3 *db, const struct schema_migration *migration, struct fault *fault)
{
	char stamp[96];
	enum result result = text_format(stamp, sizeof(stamp), "PRAGMA application_id = %d; PRAGMA user_version = %d",
	                                 APPLICATION_ID, migration->number);

	if (result == RESULT_OK)
		result = execute(db, "BEGIN EXCLUSIVE", migration->name, fault);
	if (result == RESULT_OK)
		result = execute(db, migration->sql, migration->name, fault);
	if (result == RESULT_OK)
		result = execute(db, stamp, migration->name, fault);
	if (result == RESULT_OK)
		result = execute(db, "COMMIT", migration->name, fault);
	return result; /* closing the database rolls back what failed */
}

static enum result migrate(sqlite3 *db, int version, struct fault *fault)
{
	/* EXTRA: a new database is made with a rollback journal, and that one's removal must be on the disk before the
	 * WAL is used: if a power cut brought it back, it would be played into a database that has gone on since. */
	enum result result = execute(db, "PRAGMA synchronous = EXTRA", "configure the database", fault);

	for (size_t i = 0; result == RESULT_OK && i < schema_migration_count; i++) {
		if (schema_migrations[i].number > version)
			result = migrate_by(db, &schema_migrations[i], fault);
	}
	return result;
}

/* --- what the queue works with --- */

static enum result prepare(struct store *store, struct fault *fault)
{
	for (size_t i = 0; i < STATEMENT_COUNT; i++) {
		int code = sqlite3_prepare_v3(store->db, store_statements[i], -1, SQLITE_PREPARE_PERSISTENT,
		                              &store->statements[i], NULL);
		if (code == SQLITE_ERROR) /* a table, column or index is missing: the version lies */
			return fault_set(fault, RESULT_STORE_DAMAGED, FAULT_SQLITE, code, "prepare: %s", sqlite3_errmsg(store->db));
		if (code != SQLITE_OK)
			return store_fault(store->db, code, "prepare", fault);
	}
	return RESULT_OK;
}

/* The last step: from here on the database is ours to change. */
static enum result settle(sqlite3 *db, struct fault *fault)
{
	/* After the first migration, so that the main file bears our mark before anything can be in a WAL. */
	enum result result = ask(db, "PRAGMA journal_mode = WAL", "wal", NULL, fault);

	if (result == RESULT_OK)
		result = execute(db, "PRAGMA synchronous = FULL", "configure the database", fault);
	if (result == RESULT_OK)
		result = ask(db, "PRAGMA wal_autocheckpoint = 1000", "1000", NULL, fault); /* pages: 4 MiB */
	if (result == RESULT_OK)
		result = ask(db, "PRAGMA journal_size_limit = 8388608", "8388608", NULL, fault);
	if (result != RESULT_OK)
		return result;
	int code = sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
	return code == SQLITE_OK ? RESULT_OK : store_fault(db, code, "configure the database", fault);
}

/* --- opening --- */

static int exists(sqlite3_vfs *vfs, const char *name, bool *ret_exists)
{
	int answer = 0;
	int code = vfs->xAccess(vfs, name, SQLITE_ACCESS_EXISTS, &answer);

	*ret_exists = answer != 0;
	return code;
}

static enum result open_file(struct store *store, const char *path, struct leftovers *ret_left, struct fault *fault)
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_EXRESCODE;
	int code = sqlite3_open_v2(path, &store->db, flags, NULL);
	if (code != SQLITE_OK)
		return fault_set(fault, result_from_sqlite(code), FAULT_SQLITE, code, "open %s: %s", path,
		                 store->db ? sqlite3_errmsg(store->db) : "out of memory");
	if (sqlite3_db_readonly(store->db, "main") != 0)
		return fault_set(fault, RESULT_DENIED, FAULT_FERRY, 0, "%s may not be written", path);

	/* Nothing has been read yet, so this is how our predecessor left it. */
	const char *name = sqlite3_db_filename(store->db, "main");
	sqlite3_vfs *vfs = NULL;
	code = sqlite3_file_control(store->db, "main", SQLITE_FCNTL_VFS_POINTER, &vfs);
	if (code == SQLITE_OK)
		code = exists(vfs, sqlite3_filename_wal(name), &ret_left->wal);
	if (code == SQLITE_OK)
		code = exists(vfs, sqlite3_filename_journal(name), &ret_left->journal);
	if (code != SQLITE_OK)
		return fault_set(fault, result_from_sqlite(code), FAULT_SQLITE, code, "open %s", path);
	return RESULT_OK;
}

enum result store_open(const char *path, struct store **ret_store, struct fault *fault)
{
	AUTO(store) struct store *store = calloc(1, sizeof(*store));
	struct leftovers left = { false, false };
	int version = 0;

	if (!store)
		return fault_set(fault, RESULT_NO_MEMORY, FAULT_FERRY, 0, "open %s", path);
	enum result result = open_file(store, path, &left, fault);
	if (result == RESULT_OK)
		result = recognise(store->db, &left, path, fault);
	if (result == RESULT_OK)
		result = confine(store->db, left.wal, fault);
	if (result == RESULT_OK)
		result = check(store->db, path, &version, fault);
	if (result == RESULT_OK)
		result = migrate(store->db, version, fault);
	if (result == RESULT_OK)
		result = prepare(store, fault);
	if (result == RESULT_OK)
		result = settle(store->db, fault);
	if (result == RESULT_OK)
		*ret_store = TAKE(store);
	return result;
}
