/* runtime/store: declared jobs, and what landed of them; by a sealing that is made up, and without one. */
#include "runtime/store_fixture.h"

#define SPEC "{\"name\":\"app\",\"url\":\"http://h/?sig=hunter2\"}"

static char path[STORE_PATH_BYTES_MAX];
static struct store *store;
static bool lost;

static enum result seal(void *context, const char *binding, const void *plain, size_t size, struct buffer *to, struct fault *fault)
{
	const char *bytes = plain;
	(void)context;
	(void)fault;
	enum result result = buffer_append(to, binding, strlen(binding) + 1);
	for (size_t i = 0; i < size && result == RESULT_OK; i++)
		result = buffer_append(to, &(char){ (char)(bytes[i] ^ 0x5A) }, 1);
	return result;
}

static enum result unseal(void *context, const char *binding, const void *sealed, size_t size, struct buffer *to, struct fault *fault)
{
	const char *bytes = sealed;
	size_t head = strlen(binding) + 1;
	enum result result = RESULT_OK;
	(void)context;
	if (lost || size < head || memcmp(bytes, binding, head) != 0)
		return fault_set(fault, RESULT_SECRET_UNREADABLE, FAULT_FERRY, 0, "not his");
	for (size_t i = head; i < size && result == RESULT_OK; i++)
		result = buffer_append(to, &(char){ (char)(bytes[i] ^ 0x5A) }, 1);
	return result;
}

static int set_up(void **state)
{
	(void)state;
	lost = false;
	new_path(path);
	expect_ok(store_open(path, &store, &seen));
	expect_ok(store_begin(store, &seen));
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	store_free(TAKE(store));
	remove_store(path);
	return 0;
}

static struct store_declared save(const char *name, const char *spec)
{
	struct store_declared declared = { .since_ms = 5, .due_ms = 7, .seed = UINT32_MAX, .versions = 3, .keep = true };
	text_display(declared.name, sizeof(declared.name), "%s", name);
	expect_ok(store_declared_save(store, &declared, text_view(spec), &seen));
	return declared;
}

static bool add(void *context, const struct store_declared *declared, struct text_view spec)
{
	char *to = context;
	text_display(to + strlen(to), 512 - strlen(to), "%s %d %d %.*s\n", declared->name, (int)declared->due_ms, (int)declared->job_row,
	             (int)spec.length, spec.length > 0 ? spec.bytes : "");
	return true;
}

static void store_declared__saved_changed_and_removed__is_listed_by_name(void **state)
{
	char listed[512] = "";
	struct store_declared b, found;
	bool any = true;
	int64_t due = 0;
	(void)state;
	expect_ok(store_declared_next_due(store, 0, &due, &seen));
	assert_true(due == INT64_MAX);
	expect_ok(store_declared_any(store, &any, &seen));
	assert_false(any);
	b = save("b", "two");
	expect_ok(store_declared_any(store, &any, &seen));
	assert_true(any);
	assert_true(b.row > 0 && b.seed == UINT32_MAX && b.versions == 3 && b.keep && b.job_row == 0);
	(void)save("a", "one");
	b.due_ms = INT64_MAX;
	b.keep = false;
	b.seed = 0; /* what a machine has drawn stays */
	expect_ok(store_declared_save(store, &b, text_view("three"), &seen));
	assert_true(b.seed == UINT32_MAX && !b.keep);
	b.due_ms = 3;
	b.owed = true;
	expect_ok(store_declared_set_due(store, &b, &seen));
	expect_ok(store_declared_find(store, "b", &found, &seen));
	assert_true(found.owed);
	expect_ok(store_declared_next_due(store, 2, &due, &seen));
	assert_int_equal(due, 3);
	b.set_ms = 2; /* by a clock that has gone back */
	expect_ok(store_declared_set_due(store, &b, &seen));
	expect_ok(store_declared_next_due(store, 1, &due, &seen));
	assert_int_equal(due, 0);
	expect_ok(store_declared_list(store, add, listed, &seen));
	assert_string_equal(listed, "a 7 0 one\nb 3 0 three\n");
	expect_ok(store_declared_ended(store, &any, &seen));
	assert_false(any);
	expect_ok(store_declared_remove(store, b.row, &seen));
	expect_fault(store_declared_find(store, "b", &found, &seen), RESULT_NOT_FOUND);
}

static void store_declared__its_job__is_found_and_forgotten_with_it(void **state)
{
	struct store_declared declared = save("a", "one"), found;
	struct job job = sample_job(OWNER, 1);
	uint32_t count = 0;
	bool any = true;
	(void)state;
	expect_ok(store_job_insert(store, &job, &seen));
	expect_ok(store_declared_set_job(store, declared.row, job.row, &seen));
	expect_ok(store_declared_of_job(store, job.row, &found, &seen));
	assert_string_equal(found.name, "a");
	expect_ok(store_declared_ended(store, &any, &seen));
	assert_false(any);
	job.work = JOB_WORK_NONE;
	job.state = JOB_ACKNOWLEDGED;
	job.finished_ms = 10;
	expect_ok(store_job_save(store, &job, JOB_QUEUED, &seen));
	expect_ok(store_declared_ended(store, &any, &seen));
	assert_true(any);
	expect_ok(store_jobs_forget(store, INT64_MAX, 10, &count, &seen));
	assert_int_equal(count, 1);
	expect_ok(store_declared_find(store, "a", &found, &seen));
	assert_int_equal(found.job_row, 0);
	expect_fault(store_declared_of_job(store, job.row, &found, &seen), RESULT_NOT_FOUND);
}

static void store_landed__kept_for_each_file__goes_with_its_declaration(void **state)
{
	struct store_declared declared = save("a", "one");
	struct store_landed landed = { .bytes = 9, .condition = { .etag = "\"v\xff\"", .modified_ms = 5000 } }, found;
	(void)state;
	expect_ok(digest_parse(text_view("sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"), &landed.digest, &seen));
	expect_fault(store_landed(store, declared.row, "/d/f", &found, &seen), RESULT_NOT_FOUND);
	expect_ok(store_landed_save(store, declared.row, "/d/f", &landed, &seen));
	landed.bytes = 10;
	expect_ok(store_landed_save(store, declared.row, "/d/f", &landed, &seen));
	expect_ok(store_landed(store, declared.row, "/d/f", &found, &seen));
	assert_int_equal(found.bytes, 10);
	assert_memory_equal(&found.digest, &landed.digest, sizeof(found.digest));
	assert_string_equal(found.condition.etag, "\"v\xff\"");
	assert_int_equal(found.condition.modified_ms, 5000);
	expect_ok(store_landed_remove(store, declared.row, "/d/f", &seen));
	expect_fault(store_landed(store, declared.row, "/d/f", &found, &seen), RESULT_NOT_FOUND);
	expect_ok(store_landed_save(store, declared.row, "/d/f", &landed, &seen));
	expect_ok(store_declared_remove(store, declared.row, &seen));
	expect_fault(store_landed(store, declared.row, "/d/f", &found, &seen), RESULT_NOT_FOUND);
}

/* Is that in any of the database's files? */
static bool is_on_disk(const char *text)
{
	bool found = false;
	for (size_t i = 0; i < STORE_SUFFIX_COUNT; i++) {
		size_t size = 0, length = strlen(text);
		unsigned char *bytes = read_file(beside(path, store_suffixes[i]), &size);
		for (size_t at = 0; bytes && at + length <= size && !found; at++)
			found = memcmp(bytes + at, text, length) == 0;
		free(bytes);
	}
	return found;
}

static void store_declared__with_a_sealer__is_sealed_for_its_name(void **state)
{
	const struct store_sealer sealer = { seal, unseal, NULL };
	char listed[512] = "";
	(void)state;
	(void)save("open", SPEC); /* of a time when nothing could be sealed */
	expect_ok(store_commit(store, &seen));
	assert_true(is_on_disk("hunter2"));
	expect_ok(store_seal(store, &sealer, &seen));
	expect_ok(store_begin(store, &seen));
	(void)save("open", SPEC);
	(void)save("app", SPEC);
	(void)save("plain", "no secret");
	expect_ok(store_commit(store, &seen));
	expect_ok(store_begin(store, &seen));
	expect_ok(store_declared_list(store, add, listed, &seen));
	assert_string_equal(listed, "app 7 0 " SPEC "\nopen 7 0 " SPEC "\nplain 7 0 no secret\n");
	lost = true;
	listed[0] = '\0';
	expect_ok(store_declared_list(store, add, listed, &seen));
	assert_string_equal(listed, "app 7 0 \nopen 7 0 \nplain 7 0 no secret\n");
	store_rollback(store);
	store_free(TAKE(store));
	expect_ok(store_open(path, &store, &seen)); /* the log is emptied */
	assert_false(is_on_disk("hunter2"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(store_declared__saved_changed_and_removed__is_listed_by_name),
		TEST(store_declared__its_job__is_found_and_forgotten_with_it),
		TEST(store_landed__kept_for_each_file__goes_with_its_declaration),
		TEST(store_declared__with_a_sealer__is_sealed_for_its_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
