/* What the tests of runtime/store share: a file name of their own, records filled to the brim, and a look past the
 * store into the database. */
#ifndef FERRY_TESTS_STORE_FIXTURE_H
#define FERRY_TESTS_STORE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "runtime/store.h"
#include "support/scratch.h"

#define STORE_PATH_BYTES_MAX 512
#define OWNER "S-1-5-21-1000-2000-3000-1001"

static struct fault seen; /* of the last call */

/* The call succeeds; if not, say why. */
#define expect_ok(call)                                                                                                \
	do {                                                                                                               \
		enum result expected_ = (call);                                                                                \
		if (expected_ != RESULT_OK)                                                                                    \
			print_error("%s: %s (%s)\n", #call, result_name(expected_), seen.what);                                    \
		assert_int_equal(expected_, RESULT_OK);                                                                        \
	} while (0)
/* The call fails like this, and the fault says the same. */
#define expect_fault(call, outcome)                                                                                    \
	do {                                                                                                               \
		seen.result = RESULT_OK;                                                                                       \
		enum result expected_ = (call);                                                                                \
		if (expected_ != (outcome))                                                                                    \
			print_error("%s: %s (%s)\n", #call, result_name(expected_), seen.what);                                    \
		assert_int_equal(expected_, outcome);                                                                          \
		assert_int_equal(seen.result, outcome);                                                                        \
	} while (0)

/* --- files --- */

/* A database's name in a new folder of its own. */
static inline void new_path(char path[STORE_PATH_BYTES_MAX])
{
	static const char name[] = "/queue.db";

	scratch_make(path, STORE_PATH_BYTES_MAX - sizeof(name));
	memcpy(path + strlen(path), name, sizeof(name));
}

/* The folder with all that lies beside the database. */
static inline void remove_store(const char *path)
{
	char folder[STORE_PATH_BYTES_MAX];

	(void)snprintf(folder, sizeof(folder), "%.*s", (int)(strrchr(path, '/') - path), path);
	scratch_remove(folder);
}

static const char *const store_suffixes[] = { "", "-wal", "-journal", "-shm" };
#define STORE_SUFFIX_COUNT (sizeof(store_suffixes) / sizeof(store_suffixes[0]))

static inline const char *beside(const char *path, const char *suffix)
{
	static char name[2][STORE_PATH_BYTES_MAX + 16];
	static unsigned turn;
	char *to = name[turn++ % 2];

	(void)snprintf(to, sizeof(name[0]), "%s%s", path, suffix);
	return to;
}

/* The whole file, or NULL if there is none. */
static inline unsigned char *read_file(const char *name, size_t *ret_size)
{
	FILE *file = fopen(name, "rb");
	if (!file)
		return NULL;
	assert_int_equal(fseek(file, 0, SEEK_END), 0);
	long size = ftell(file);
	assert_true(size >= 0);
	rewind(file);
	unsigned char *bytes = malloc((size_t)size + 1);
	assert_non_null(bytes);
	assert_int_equal(fread(bytes, 1, (size_t)size, file), (size_t)size);
	assert_int_equal(fclose(file), 0);
	*ret_size = (size_t)size;
	return bytes;
}

static inline void write_file(const char *name, const void *bytes, size_t size)
{
	FILE *file = fopen(name, "wb");
	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
}

/* The database as it is on disk now, open or not: what a killed process leaves. */
static inline void copy_store(const char *from, const char *to)
{
	for (size_t i = 0; i < STORE_SUFFIX_COUNT; i++) {
		size_t size = 0;
		unsigned char *bytes = read_file(beside(from, store_suffixes[i]), &size);
		if (bytes)
			write_file(beside(to, store_suffixes[i]), bytes, size);
		free(bytes);
	}
}

/* --- past the store --- */

static sqlite3 *opened_db; /* the connection that was opened last, by whomever */

static inline int remember_db(sqlite3 *db, char **error, const struct sqlite3_api_routines *api)
{
	(void)error;
	(void)api;
	opened_db = db;
	return SQLITE_OK;
}

static inline int watch_opens(void **state)
{
	(void)state;
	return sqlite3_auto_extension((void (*)(void))remember_db);
}

static inline void raw_run(sqlite3 *db, const char *sql)
{
	int code = sqlite3_exec(db, sql, NULL, NULL, NULL);
	if (code != SQLITE_OK)
		print_error("%s: %s\n", sql, sqlite3_errmsg(db));
	assert_int_equal(code, SQLITE_OK);
}

static inline int64_t raw_number(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *statement = NULL;
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
	int64_t number = sqlite3_column_int64(statement, 0);
	assert_int_equal(sqlite3_finalize(statement), SQLITE_OK);
	return number;
}

/* --- records --- */

static inline void fill(char *to, size_t size, char with)
{
	memset(to, with, size - 1);
	to[size - 1] = '\0';
}

static inline void text_to(char *to, size_t size, const char *from)
{
	assert_int_equal(text_copy(to, size, text_view(from)), RESULT_OK);
}

/* A queued job with work; `number` makes its id and its age. */
static inline struct job sample_job(const char *owner, unsigned number)
{
	struct job job = { .owner_integrity = 0x2000, .state = JOB_QUEUED, .work = JOB_WORK_TRANSFER };

	(void)snprintf(job.id, sizeof(job.id), "00000000-0000-4000-8000-%012x", number);
	text_to(job.owner, sizeof(job.owner), owner);
	text_to(job.properties.name, sizeof(job.properties.name), "sample");
	job.properties.priority = JOB_NORMAL;
	job.properties.retry_delay_s = 600;
	job.properties.lease_s = 3600;
	job.created_ms = 1000 + (int64_t)number;
	job.modified_ms = job.created_ms;
	job.state_since_ms = job.created_ms;
	return job;
}

/* Whose job sample_job makes. */
static inline struct job_owner sample_owner(const char *owner)
{
	return (struct job_owner){ owner, 0x2000, false };
}

static inline struct file sample_file(unsigned number)
{
	struct file file = { .state = FILE_PENDING, .bytes_total = SIZE_UNKNOWN };

	(void)snprintf(file.url, sizeof(file.url), "https://example.org/%u", number);
	(void)snprintf(file.path, sizeof(file.path), "C:\\Acme\\File%u", number);
	return file;
}

static inline int64_t insert_job(struct store *store, struct job job)
{
	expect_ok(store_job_insert(store, &job, &seen));
	return job.row;
}

static inline int64_t insert_file(struct store *store, int64_t job_row, struct file file)
{
	expect_ok(store_file_insert(store, job_row, &file, file.path, &seen));
	return file.row;
}

static inline struct job get_job(struct store *store, int64_t row)
{
	struct job job = { 0 };
	expect_ok(store_job_by_row(store, row, &job, &seen));
	return job;
}

static inline struct file get_file(struct store *store, int64_t row)
{
	struct file file = { 0 };
	expect_ok(store_file_by_row(store, row, &file, &seen));
	return file;
}

#endif
