/* runtime/store: which files are opened, which are refused, and that what is refused is left alone. */
#include "runtime/store_fixture.h"
#include "core/access.h"
#include "schema_embedded.h"

#include <sys/stat.h>

#define HEADER_USER_VERSION 60
#define HEADER_APPLICATION_ID 68
#define PAGE_BYTES 4096

static char path[STORE_PATH_BYTES_MAX], other[STORE_PATH_BYTES_MAX];

static int set_up(void **state)
{
	(void)state;
	new_path(path);
	new_path(other);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	remove_store(path);
	remove_store(other);
	return 0;
}

/* --- what lies on the disk --- */

struct image {
	unsigned char *bytes[STORE_SUFFIX_COUNT]; /* NULL: no such file */
	size_t sizes[STORE_SUFFIX_COUNT];
};

static struct image image_of(const char *of)
{
	struct image image = { .sizes = { 0 } };
	for (size_t i = 0; i < STORE_SUFFIX_COUNT; i++)
		image.bytes[i] = read_file(beside(of, store_suffixes[i]), &image.sizes[i]);
	return image;
}

static void assert_unchanged(struct image *before, const char *of)
{
	struct image now = image_of(of);
	for (size_t i = 0; i < STORE_SUFFIX_COUNT; i++) {
		if (!before->bytes[i] != !now.bytes[i] || before->sizes[i] != now.sizes[i])
			print_error("%s%s: %lu bytes became %lu\n", of, store_suffixes[i], (unsigned long)before->sizes[i],
			            (unsigned long)now.sizes[i]);
		assert_int_equal(!before->bytes[i], !now.bytes[i]);
		assert_int_equal(before->sizes[i], now.sizes[i]);
		if (now.bytes[i])
			assert_memory_equal(before->bytes[i], now.bytes[i], now.sizes[i]);
		free(before->bytes[i]);
		free(now.bytes[i]);
	}
}

static void assert_refused(const char *which, enum result outcome)
{
	struct store *store = NULL;
	struct image before = image_of(which);

	expect_fault(store_open(which, &store, &seen), outcome);
	assert_null(store);
	assert_unchanged(&before, which);
}

/* --- what the tests begin with --- */

/* A queue of `jobs` jobs at `path`, closed. */
static void make_queue(unsigned jobs)
{
	AUTO(store) struct store *store = NULL;
	expect_ok(store_open(path, &store, &seen));
	expect_ok(store_begin(store, &seen));
	for (unsigned i = 0; i < jobs; i++) {
		struct job job = sample_job(OWNER, i);
		fill(job.properties.description, 200, 'd');
		int64_t row = insert_job(store, job);
		(void)insert_file(store, row, sample_file(i));
	}
	expect_ok(store_commit(store, &seen));
}

static int64_t count_jobs(const char *of)
{
	AUTO(store) struct store *store = NULL;
	uint64_t count = 0;
	expect_ok(store_open(of, &store, &seen));
	expect_ok(store_jobs_count(store, NULL, &count, &seen));
	return (int64_t)count;
}

/* A database made without the store.  `hot`: as its killed owner leaves it, with changes in its WAL only. */
static void make_raw(const char *sql, bool hot)
{
	sqlite3 *db = NULL;
	assert_int_equal(sqlite3_open(other, &db), SQLITE_OK);
	raw_run(db, sql);
	if (hot)
		copy_store(other, path);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	if (!hot)
		copy_store(other, path);
}

static void patch(const char *name, size_t offset, const void *bytes, size_t length)
{
	size_t size = 0;
	unsigned char *content = read_file(name, &size);
	assert_non_null(content);
	assert_true(offset + length <= size);
	memcpy(content + offset, bytes, length);
	write_file(name, content, size);
	free(content);
}

static uint32_t header_number(const char *name, size_t offset)
{
	size_t size = 0;
	unsigned char *bytes = read_file(name, &size);
	assert_non_null(bytes);
	assert_true(size >= 100);
	uint32_t number = (uint32_t)bytes[offset] << 24 | (uint32_t)bytes[offset + 1] << 16 |
	                  (uint32_t)bytes[offset + 2] << 8 | bytes[offset + 3];
	free(bytes);
	return number;
}

/* --- opened --- */

static void open__of_nothing__makes_a_marked_queue(void **state)
{
	(void)state;
	make_queue(0);
	assert_int_equal(header_number(path, HEADER_APPLICATION_ID), 0x46455252);
	assert_int_equal(header_number(path, HEADER_USER_VERSION), store_schema_version());
	assert_int_equal(count_jobs(path), 0);
	size_t size = 0;
	for (size_t i = 1; i < STORE_SUFFIX_COUNT; i++) /* closed in good order, it is one file */
		assert_null(read_file(beside(path, store_suffixes[i]), &size));
}

static void open__of_an_empty_file__makes_a_queue(void **state)
{
	(void)state;
	write_file(path, "", 0);
	assert_int_equal(count_jobs(path), 0);
}

static void open__of_a_name_with_an_umlaut__works(void **state)
{
	(void)state;
	char name[STORE_PATH_BYTES_MAX];
	(void)snprintf(name, sizeof(name), "%.*sWarteschlange f\xC3\xBCr \xE2\x82\xAC.db",
	               (int)(strrchr(path, '/') - path + 1), path);
	assert_int_equal(count_jobs(name), 0);
	assert_int_equal(count_jobs(name), 0);
	sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);
	assert_int_equal(vfs->xDelete(vfs, name, 0), SQLITE_OK); /* under that very name */
}

static void open__puts_the_settings_in_force(void **state)
{
	(void)state;
	AUTO(store) struct store *store = NULL;
	size_t size = 0;
	make_queue(1);
	expect_ok(store_open(path, &store, &seen));
	assert_int_equal(raw_number(opened_db, "PRAGMA synchronous"), 2);
	assert_int_equal(raw_number(opened_db, "PRAGMA foreign_keys"), 1);
	assert_int_equal(raw_number(opened_db, "PRAGMA trusted_schema"), 0);
	assert_int_equal(raw_number(opened_db, "PRAGMA cell_size_check"), 1);
	assert_int_equal(raw_number(opened_db, "PRAGMA temp_store"), 2);
	assert_int_equal(raw_number(opened_db, "PRAGMA wal_autocheckpoint"), 1000);
	assert_int_equal(raw_number(opened_db, "PRAGMA journal_size_limit"), 8388608);
	assert_int_equal(raw_number(opened_db, "PRAGMA mmap_size"), 0);
	assert_int_equal(raw_number(opened_db, "SELECT journal_mode = 'wal' FROM pragma_journal_mode"), 1);
	assert_int_equal(raw_number(opened_db, "SELECT locking_mode = 'exclusive' FROM pragma_locking_mode"), 1);
	int on = 0;
	assert_int_equal(sqlite3_db_config(opened_db, SQLITE_DBCONFIG_DEFENSIVE, -1, &on), SQLITE_OK);
	assert_int_equal(on, 1);
	assert_null(read_file(beside(path, "-shm"), &size));
}

static void open__after_a_kill__finds_what_was_committed(void **state)
{
	(void)state;
	AUTO(store) struct store *store = NULL;
	expect_ok(store_open(path, &store, &seen));
	expect_ok(store_begin(store, &seen));
	(void)insert_job(store, sample_job(OWNER, 1));
	expect_ok(store_commit(store, &seen));
	expect_ok(store_begin(store, &seen));
	(void)insert_job(store, sample_job(OWNER, 2));
	copy_store(path, other);                                                   /* the second is not committed */
	assert_int_equal(header_number(other, HEADER_APPLICATION_ID), 0x46455252); /* marked, whatever the WAL holds */
	assert_int_equal(count_jobs(other), 1);
	assert_int_equal(count_jobs(other), 1);
}

/* --- refused --- */

static void open__of_no_database__is_foreign(void **state)
{
	(void)state;
	char text[3000];
	fill(text, sizeof(text), 'x');
	write_file(path, "hello", 5);
	assert_refused(path, RESULT_STORE_FOREIGN);
	write_file(path, text, sizeof(text));
	assert_refused(path, RESULT_STORE_FOREIGN);
	write_file(path, "SQLite format 3", 16);
	assert_refused(path, RESULT_STORE_FOREIGN);
}

static void open__of_anothers_database__is_foreign(void **state)
{
	(void)state;
	make_raw("CREATE TABLE note (text); INSERT INTO note VALUES ('keep me')", false);
	assert_refused(path, RESULT_STORE_FOREIGN);
}

static void open__of_anothers_database_with_a_hot_wal__is_foreign(void **state)
{
	(void)state;
	make_raw("PRAGMA journal_mode = WAL; CREATE TABLE note (text); PRAGMA wal_checkpoint; INSERT INTO note VALUES (1)",
	         true);
	size_t size = 0;
	unsigned char *wal = read_file(beside(path, "-wal"), &size);
	free(wal);
	assert_true(size > 0);
	assert_refused(path, RESULT_STORE_FOREIGN);
}

/* The first released schema, with a job in it: everything is kept, and what came later has its default. */
static void open__of_a_queue_of_the_first_version__migrates_it(void **state)
{
	(void)state;
	assert_int_equal(schema_migrations[0].number, 1);
	size_t size = strlen(schema_migrations[0].sql) + 2048;
	char *sql = malloc(size);
	assert_non_null(sql);
	(void)snprintf(sql, size, "PRAGMA application_id = 0x46455252; PRAGMA user_version = 1; %s %s",
	               schema_migrations[0].sql,
	               "INSERT INTO owner (row, name) VALUES (1, '" OWNER "');"
	               "INSERT INTO job (id, key, owner_row, owner_integrity, created_ms, name, description, priority,"
	               " auto_complete, retry_delay_s, no_progress_timeout_s, max_time_s, state, work, error, error_source,"
	               " error_raw, error_what, error_count, attempts, modified_ms, finished_ms, state_since_ms, next_try_ms,"
	               " progress_ms, active_ms) VALUES ('00000000-0000-4000-8000-000000000001', 'k', 1, 8192, 1, 'old', '', 2,"
	               " 0, 5, 0, 1, 7, 0, 'OK', 'ferry', 0, '', 0, 0, 1, 1, 1, 0, 1, 0);"
	               "INSERT INTO job SELECT NULL, '00000000-0000-4000-8000-000000000002', 'l', 1, 8192, 1, 'older', '', 2,"
	               " 0, 5, 0, 1, 3, 0, 'OK', 'ferry', 0, '', 0, 0, 1, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0;");
	make_raw(sql, false);
	free(sql);

	AUTO(store) struct store *store = NULL;
	struct job job;
	uint64_t count = 9;
	expect_ok(store_open(path, &store, &seen));
	expect_ok(store_job_by_key(store, OWNER, "l", &job, &seen));
	assert_string_equal(job.properties.name, "older");
	assert_string_equal(job.correlation, job.id);
	assert_string_equal(job.program, "");
	assert_int_equal(job.properties.lease_s, JOB_LEASE_S_DEFAULT);
	assert_false(job.limited);
	expect_ok(store_jobs_count(store, OWNER, &count, &seen));
	assert_int_equal(count, 1);
	uint32_t forgotten = 0;
	expect_ok(store_begin(store, &seen));
	expect_ok(store_jobs_forget_surplus(store, OWNER, 0, 10, &forgotten, &seen)); /* the finished one was counted */
	expect_fault(store_job_by_key(store, OWNER, "k", &job, &seen), RESULT_NOT_FOUND);
	expect_ok(store_commit(store, &seen));
}

/* A queue as the migrations up to `version` make it, with these jobs of ten owners in it: number i of owner i, and of the
 * first owner one that is finished. */
#define OLD_JOB "'00000000-0000-4000-8000-00000000000%u', 'key %u', %u, %u, 1, 'old %u', '', 2, 0, 5, 0, 1, %d, %d, 'OK', " \
	"'ferry', 0, '', 0, 0, 1, 1, 1, %d, 1, 0, 0, 0, 0, 0, 0, 0"

static const struct {
	const char *owner;
	uint32_t integrity;
	bool elevated; /* what 0003 makes of it */
} old_owners[] = {
	{ OWNER, 0x2000, false },
	{ "S-1-5-21-1000-2000-3000-1002", 0x3000, true },
	{ "S-1-5-21-1000-2000-3000-1003", 0x2FFF, false },
	{ "S-1-5-18", 0x4000, true },
	{ "S-1-5-19", 0x4000, false },
	{ "S-1-5-20", 0x4000, false },
	{ "S-1-5-20+S-1-5-80-1-2-3-4-5", 0x4000, false },
	{ "S-1-5-80-1-2-3-4-5", 0x3000, false },
};
#define OLD_OWNERS (sizeof(old_owners) / sizeof(old_owners[0]))

static void make_old(int version)
{
	AUTO(buffer) struct buffer sql = BUFFER(1 << 20);

	assert_int_equal(buffer_print(&sql, "PRAGMA application_id = 0x46455252; PRAGMA user_version = %d; BEGIN;", version),
	                 RESULT_OK);
	for (int i = 0; i < version; i++) {
		assert_int_equal(schema_migrations[i].number, i + 1);
		assert_int_equal(buffer_append(&sql, schema_migrations[i].sql, strlen(schema_migrations[i].sql)), RESULT_OK);
	}
	for (unsigned i = 0; i < OLD_OWNERS; i++) {
		assert_int_equal(buffer_print(&sql, "INSERT INTO owner (row, name) VALUES (%u, '%s'); INSERT INTO job SELECT NULL, "
		                              OLD_JOB "%s;", i + 1, old_owners[i].owner, i, i, i + 1, old_owners[i].integrity, i,
		                              JOB_QUEUED, JOB_WORK_TRANSFER, 70 + (int)i, version > 1 ? ", 1, 3600" : ""),
		                 RESULT_OK);
	}
	assert_int_equal(buffer_print(&sql, "INSERT INTO job SELECT NULL, " OLD_JOB "%s;"
	                              "INSERT INTO file (job_row, ordinal, url, path, path_key, state, bytes_total, "
	                              "bytes_recorded, partial, tag, etag, modified) VALUES (1, 0, 'https://h/a', 'C:\\a', "
	                              "'C:\\A', 0, 9, 4, 'p', 't', x'', x''); COMMIT", 9u, 9u, 1u, 0x2000u, 9u,
	                              JOB_ACKNOWLEDGED, JOB_WORK_NONE, 0, version > 1 ? ", 1, 3600" : ""), RESULT_OK);
	make_raw(sql.bytes, false);
}

static void open__of_each_older_version__makes_owners_elevated_and_loses_nothing(void **state)
{
	(void)state;
	for (int version = 1; version < 3; version++) { /* what 0004 and 0005 change is below */
		AUTO(store) struct store *store = NULL;
		make_old(version);
		expect_ok(store_open(path, &store, &seen));
		assert_int_equal(raw_number(opened_db, "PRAGMA user_version"), store_schema_version());
		assert_int_equal(raw_number(opened_db, "SELECT count(*) FROM job"), OLD_OWNERS + 1);
		for (unsigned i = 0; i < OLD_OWNERS; i++) {
			struct job job, runnable;
			size_t count = 0;
			uint64_t unfinished = 9, finished = 9, limited = 9;
			struct job_owner of = { old_owners[i].owner, old_owners[i].integrity, old_owners[i].elevated };
			char key[16];
			(void)snprintf(key, sizeof(key), "key %u", i);
			expect_ok(store_job_by_key(store, of.sid, key, &job, &seen));
			assert_int_equal(job.owner_integrity, of.integrity);
			if (job.owner_elevated != of.elevated)
				fail_msg("%s of version %d: elevated %d", of.sid, version, job.owner_elevated);
			assert_int_equal(job.next_try_ms, 70 + (int)i);
			assert_int_equal(job.properties.lease_s, version > 1 ? 3600 : JOB_LEASE_S_DEFAULT);
			assert_int_equal(job.limited, version > 1);
			assert_int_equal(job.takeovers, 0);
			assert_int_equal(job.helper_flags, 0);
			assert_int_equal(job.helper_logon, 0);
			assert_false(job.token_wait);
			assert_int_equal(job.properties.on_token_loss, TOKEN_LOSS_ERROR);
			assert_string_equal(job.properties.pinned_helper, "");
			assert_string_equal(job.helper_sid, "");
			assert_string_equal(job.side_sid[JOB_SIDE_FILE], "");
			assert_string_equal(job.side_sid[JOB_SIDE_NETWORK], "");
			struct caller owner = { .integrity = of.integrity, .administrator = of.elevated };
			char writer[JOB_WRITER_BYTES_MAX];
			(void)snprintf(owner.owner, sizeof(owner.owner), "%s", of.sid);
			access_writer(&owner, writer);
			assert_string_equal(job.file_writer, writer); /* what lies there is the owner's, who goes on with it */
			/* Such an owner finds it to run. */
			expect_ok(store_jobs_runnable(store, &of, JOB_NORMAL, JOB_WORK_TRANSFER, 100, &runnable, 1, &count, &seen));
			assert_int_equal(count, 1);
			assert_int_equal(runnable.row, job.row);
			expect_ok(store_jobs_count(store, of.sid, &unfinished, &seen));
			expect_ok(store_jobs_finished(store, of.sid, &finished, &seen));
			expect_ok(store_jobs_limited(store, of.sid, &limited, &seen));
			assert_int_equal(unfinished, 1);
			assert_int_equal(finished, i == 0);
			assert_int_equal(limited, version > 1);
		}
		struct file file = get_file(store, 1);
		assert_int_equal(file.bytes_recorded, 4);
		assert_int_equal(get_job(store, 1).files_total, 1);
		expect_ok(store_begin(store, &seen)); /* and the new triggers are there */
		struct job job = get_job(store, 1);
		text_to(job.owner, sizeof(job.owner), "S-1-5-18");
		expect_ok(store_job_take(store, &job, &seen));
		assert_int_equal(raw_number(opened_db, "SELECT jobs_unfinished FROM owner WHERE name = 'S-1-5-18'"), 2);
		expect_ok(store_commit(store, &seen));
		store_free(TAKE(store));
		remove_store(path);
		remove_store(other);
		new_path(path);
		new_path(other);
	}
}

static void open__of_a_newer_queue__is_too_new(void **state)
{
	(void)state;
	make_raw("PRAGMA application_id = 0x46455252; CREATE TABLE wonder (text); PRAGMA user_version = 1000000", false);
	assert_refused(path, RESULT_STORE_TOO_NEW);
	patch(path, HEADER_USER_VERSION, "\xFF\xFF\xFF\xFF", 4);
	assert_refused(path, RESULT_STORE_TOO_NEW);
}

/* A newer Ferry migrated and was killed: the header still says the old version. */
static void open__of_a_queue_that_is_newer_in_its_wal__is_too_new(void **state)
{
	(void)state;
	make_raw("PRAGMA application_id = 0x46455252; PRAGMA user_version = 1; PRAGMA journal_mode = WAL;"
	         "BEGIN; CREATE TABLE wonder (text); PRAGMA user_version = 1000000; COMMIT",
	         true);
	assert_int_equal(header_number(path, HEADER_USER_VERSION), 1);
	assert_refused(path, RESULT_STORE_TOO_NEW);
}

static void open__of_a_queue_with_a_broken_page__is_damaged(void **state)
{
	(void)state;
	unsigned char noise[PAGE_BYTES];
	make_queue(300);
	copy_store(path, other);
	size_t size = 0;
	free(read_file(path, &size));
	size_t pages = size / PAGE_BYTES, noticed = 0;
	assert_true(pages > 20);
	memset(noise, 0xA5, sizeof(noise));
	for (size_t page = 1; page < pages; page += 7) {
		patch(path, page * PAGE_BYTES, noise, sizeof(noise));
		assert_refused(path, RESULT_STORE_DAMAGED);
		noticed++;
		copy_store(other, path);
	}
	assert_true(noticed > 3);
	assert_int_equal(count_jobs(path), 300);
}

static void open__of_a_queue_cut_short__is_damaged(void **state)
{
	(void)state;
	size_t size = 0;
	make_queue(100);
	unsigned char *bytes = read_file(path, &size);
	write_file(path, bytes, size / 2 / PAGE_BYTES * PAGE_BYTES);
	assert_refused(path, RESULT_STORE_DAMAGED);
	write_file(path, bytes, 100); /* the header alone */
	assert_refused(path, RESULT_STORE_DAMAGED);
	free(bytes);
}

static void open__of_a_damaged_queue_with_a_hot_wal__is_damaged_and_keeps_its_wal(void **state)
{
	(void)state;
	AUTO(store) struct store *store = NULL;
	unsigned char noise[PAGE_BYTES];
	make_queue(300);
	expect_ok(store_open(path, &store, &seen));
	expect_ok(store_begin(store, &seen));
	(void)insert_job(store, sample_job(OWNER, 1000));
	expect_ok(store_commit(store, &seen));
	copy_store(path, other);
	memset(noise, 0xA5, sizeof(noise));
	/* The root of `file`: the last commit did not touch it, so the WAL has no good copy. */
	int64_t root = raw_number(opened_db, "SELECT rootpage FROM sqlite_schema WHERE name = 'file'");
	patch(other, (size_t)(root - 1) * PAGE_BYTES, noise, sizeof(noise));
	size_t size = 0;
	free(read_file(beside(other, "-wal"), &size));
	assert_true(size > 0);
	assert_refused(other, RESULT_STORE_DAMAGED);
}

static void open__of_a_queue_without_one_of_its_indexes__is_damaged(void **state)
{
	(void)state;
	sqlite3 *db = NULL;
	make_queue(3);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	raw_run(db, "DROP INDEX job_runnable");
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	assert_refused(path, RESULT_STORE_DAMAGED);
}

/* What a power cut leaves of a file system's promises. */
static void open__of_zeros__is_damaged(void **state)
{
	(void)state;
	static const unsigned char zeros[2 * PAGE_BYTES];
	write_file(path, zeros, sizeof(zeros));
	assert_refused(path, RESULT_STORE_DAMAGED);
}

static void open__of_a_wal_that_lost_its_database__is_damaged(void **state)
{
	(void)state;
	write_file(path, "", 0);
	write_file(beside(path, "-wal"), "anything", 8);
	assert_refused(path, RESULT_STORE_DAMAGED);
}

static void open__of_a_queue_in_use__is_busy_and_harmless(void **state)
{
	(void)state;
	AUTO(store) struct store *store = NULL;
	make_queue(1);
	expect_ok(store_open(path, &store, &seen));
	assert_refused(path, RESULT_STORE_BUSY);
	expect_ok(store_begin(store, &seen));
	(void)insert_job(store, sample_job(OWNER, 50));
	assert_refused(path, RESULT_STORE_BUSY);
	expect_ok(store_commit(store, &seen));
	store_free(TAKE(store));
	assert_int_equal(count_jobs(path), 2);
}

static void open__of_a_folder_or_in_no_folder__is_denied(void **state)
{
	(void)state;
	struct store *store = NULL;
	char folder[STORE_PATH_BYTES_MAX];
	(void)snprintf(folder, sizeof(folder), "%.*s", (int)(strrchr(path, '/') - path), path);
	expect_fault(store_open(folder, &store, &seen), RESULT_DENIED);
	expect_fault(store_open(beside(path, "/absent.db"), &store, &seen), RESULT_DENIED);
	assert_null(store);
}

static void open__of_a_read_only_file__is_denied(void **state)
{
	(void)state;
	make_queue(1);
	assert_int_equal(chmod(path, S_IRUSR), 0);
	FILE *file = fopen(path, "r+b");
	if (file) { /* the superuser of a Unix may write anything */
		(void)fclose(file);
		print_message("SKIPPED on this ground: nothing is read-only to this user\n");
	} else {
		assert_refused(path, RESULT_DENIED);
	}
	assert_int_equal(chmod(path, S_IRUSR | S_IWUSR), 0);
	if (!file)
		assert_int_equal(count_jobs(path), 1);
	else
		skip();
}

static void versions__are_those_of_the_parts(void **state)
{
	(void)state;
	assert_int_equal(strncmp(store_engine_version(), sqlite3_libversion(), strlen(sqlite3_libversion())), 0);
	assert_non_null(strstr(store_engine_version(), sqlite3_sourceid()));
	assert_true(store_schema_version() >= 1);
	store_free(NULL);
}

/* 0005 makes the table of files anew: all of each is kept, mirrors too, and counters still follow. */
static void open__of_a_queue_before_conditions__keeps_files_with_their_mirrors(void **state)
{
	AUTO(buffer) struct buffer sql = BUFFER(1 << 20);
	AUTO(store) struct store *store = NULL;
	char url[URL_BYTES_MAX + 1];

	(void)state;
	assert_int_equal(schema_migrations[4].number, 5);
	assert_int_equal(buffer_print(&sql, "PRAGMA application_id = 0x46455252; PRAGMA user_version = 4; BEGIN;"), RESULT_OK);
	for (int i = 0; i < 4; i++)
		assert_int_equal(buffer_append(&sql, schema_migrations[i].sql, strlen(schema_migrations[i].sql)), RESULT_OK);
	assert_int_equal(buffer_print(&sql, "%s",
		"INSERT INTO owner (row, name) VALUES (1, '" OWNER "');"
		"INSERT INTO job (row, id, key, owner_row, owner_integrity, created_ms, name, description, priority,"
		" auto_complete, retry_delay_s, no_progress_timeout_s, max_time_s, state, work, error, error_source,"
		" error_raw, error_what, error_count, attempts, modified_ms, finished_ms, state_since_ms, next_try_ms,"
		" progress_ms, active_ms) VALUES (7, '00000000-0000-4000-8000-000000000001', 'k', 1, 8192, 1, 'old', '', 2,"
		" 0, 5, 0, 1, 0, 1, 'OK', 'ferry', 0, '', 0, 0, 1, 1, 1, 0, 1, 0);"
		"INSERT INTO file VALUES (11, 7, 0, 'https://h/a', 'C:\\a', 'c:\\a', 0, 9, 4, 'p', 't', x'2261ff22', x'6d', 9,"
		" 'sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad', 2, 1, 4, 3, 8),"
		" (12, 7, 1, 'https://h/b', 'C:\\b', 'c:\\b', 2, NULL, 0, '', '', x'', x'', NULL, '', 0, 0, 0, 0, 0);"
		"INSERT INTO mirror VALUES (11, 1, 'https://m/a'), (11, 2, 'https://n/a'); COMMIT"), RESULT_OK);
	make_raw(sql.bytes, false);
	expect_ok(store_open(path, &store, &seen));
	struct file file = get_file(store, 11);
	assert_true(file.ordinal == 0 && file.state == FILE_PENDING && file.bytes_total == 9 && file.bytes_recorded == 4);
	assert_true(file.is_size_stated && file.bytes_stated == 9 && file.digest.length == DIGEST_SHA256_BYTES);
	assert_true(file.mirrors == 2 && file.source == 1 && file.sources_refused == 4 && file.source_failures == 3);
	assert_int_equal(file.bytes_most, 8);
	assert_string_equal(file.partial, "p");
	assert_string_equal(file.etag, "\"a\xFF\"");
	assert_false(file_is_conditional(&file));
	expect_ok(store_mirror_url(store, 11, 2, url, &seen));
	assert_string_equal(url, "https://n/a");
	assert_int_equal(get_file(store, 12).state, FILE_PUBLISHED);
	struct job job = get_job(store, 7);
	assert_true(job.files_total == 2 && job.files_transferred == 1 && job.files_published == 1);
	assert_true(job.files_size_unknown == 1 && job.bytes_total == 9 && job.bytes_transferred == 4);

	expect_ok(store_begin(store, &seen));
	file.state = FILE_NOT_MODIFIED;
	file.bytes_total = file.bytes_recorded = 0;
	expect_ok(store_file_save(store, &file, &seen));
	job = get_job(store, 7);
	assert_true(job.files_transferred == 2 && job.files_published == 2 && job.bytes_total == 0);
	raw_run(opened_db, "DELETE FROM job WHERE row = 7"); /* and everything still goes with its job */
	assert_int_equal(raw_number(opened_db, "SELECT (SELECT count(*) FROM file) + (SELECT count(*) FROM mirror)"), 0);
	expect_ok(store_commit(store, &seen));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(open__of_nothing__makes_a_marked_queue),
		TEST(open__of_an_empty_file__makes_a_queue),
		TEST(open__of_a_name_with_an_umlaut__works),
		TEST(open__puts_the_settings_in_force),
		TEST(open__after_a_kill__finds_what_was_committed),
		TEST(open__of_no_database__is_foreign),
		TEST(open__of_anothers_database__is_foreign),
		TEST(open__of_anothers_database_with_a_hot_wal__is_foreign),
		TEST(open__of_a_queue_of_the_first_version__migrates_it),
		TEST(open__of_each_older_version__makes_owners_elevated_and_loses_nothing),
		TEST(open__of_a_queue_before_conditions__keeps_files_with_their_mirrors),
		TEST(open__of_a_newer_queue__is_too_new),
		TEST(open__of_a_queue_that_is_newer_in_its_wal__is_too_new),
		TEST(open__of_a_queue_with_a_broken_page__is_damaged),
		TEST(open__of_a_queue_cut_short__is_damaged),
		TEST(open__of_a_damaged_queue_with_a_hot_wal__is_damaged_and_keeps_its_wal),
		TEST(open__of_a_queue_without_one_of_its_indexes__is_damaged),
		TEST(open__of_zeros__is_damaged),
		TEST(open__of_a_wal_that_lost_its_database__is_damaged),
		TEST(open__of_a_queue_in_use__is_busy_and_harmless),
		TEST(open__of_a_folder_or_in_no_folder__is_denied),
		TEST(open__of_a_read_only_file__is_denied),
		TEST(versions__are_those_of_the_parts),
	};
	return cmocka_run_group_tests(tests, watch_opens, NULL);
}
