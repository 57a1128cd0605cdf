/* runtime/store: URLs, whose queries are sealed, by a sealing that is made up. */
#include "runtime/store_fixture.h"

#define MASK 0x5A
#define QUERY "sig=hunter2"

static char path[STORE_PATH_BYTES_MAX];
static struct store *store;
static bool fails;

/* The binding is sealed along. */
static enum result seal(void *context, const char *binding, const void *plain, size_t size, struct buffer *to, struct fault *fault)
{
	const char *bytes = plain;
	(void)context;
	if (fails)
		return fault_set(fault, RESULT_SYSTEM, FAULT_FERRY, 0, "no sealing today");
	enum result result = buffer_append(to, binding, strlen(binding) + 1);
	for (size_t i = 0; i < size && result == RESULT_OK; i++)
		result = buffer_append(to, &(char){ (char)(bytes[i] ^ MASK) }, 1);
	return result;
}

static enum result unseal(void *context, const char *binding, const void *sealed, size_t size, struct buffer *to, struct fault *fault)
{
	const char *bytes = sealed;
	size_t head = strlen(binding) + 1;
	enum result result = RESULT_OK;
	(void)context;
	if (size < head || memcmp(bytes, binding, head) != 0)
		return fault_set(fault, RESULT_SECRET_UNREADABLE, FAULT_FERRY, 0, "not his");
	for (size_t i = head; i < size && result == RESULT_OK; i++)
		result = buffer_append(to, &(char){ (char)(bytes[i] ^ MASK) }, 1);
	return result;
}

static const struct store_sealer sealer = { seal, unseal, NULL };

static int set_up(void **state)
{
	(void)state;
	fails = false;
	new_path(path);
	expect_ok(store_open(path, &store, &seen));
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	store_free(TAKE(store));
	remove_store(path);
	return 0;
}

static int64_t add_file(int64_t job, const char *url, const char *mirror)
{
	static unsigned number;
	struct file file = sample_file(++number);
	file.mirrors = mirror != NULL;
	text_to(file.url, sizeof(file.url), url);
	int64_t row = insert_file(store, job, file);
	if (mirror != NULL)
		expect_ok(store_mirror_insert(store, row, 1, mirror, &seen));
	return row;
}

static void check_url(int64_t row, uint32_t source, const char *whole, const char *shown)
{
	struct file file;
	char url[URL_BYTES_MAX + 1];
	expect_ok(store_source_url(store, row, source, url, &seen));
	assert_string_equal(url, whole);
	if (source > 0)
		expect_ok(store_mirror_url(store, row, source, url, &seen));
	else
		expect_ok(store_file_by_row(store, row, &file, &seen));
	assert_string_equal(source > 0 ? url : file.url, shown);
}

static bool is_on_disk(const char *word)
{
	bool found = false;
	for (size_t i = 0; i < STORE_SUFFIX_COUNT; i++) {
		size_t size = 0;
		unsigned char *bytes = read_file(beside(path, store_suffixes[i]), &size);
		for (size_t at = 0; bytes && at + strlen(word) <= size; at++)
			found |= memcmp(bytes + at, word, strlen(word)) == 0;
		free(bytes);
	}
	return found;
}

static void url__with_a_query__is_kept_in_two_pieces(void **state)
{
	char longest[URL_BYTES_MAX + 1];
	(void)state;
	expect_ok(store_seal(store, &sealer, &seen));
	expect_ok(store_begin(store, &seen));
	int64_t job = insert_job(store, sample_job(OWNER, 1)), row = add_file(job, "https://h/a?" QUERY "&b=?", "https://m/a?" QUERY);
	memset(longest, 'x', sizeof(longest) - 1);
	longest[URL_BYTES_MAX] = '\0';
	memcpy(longest, "https://h/b?", 12);
	int64_t largest = add_file(job, longest, NULL), plain = add_file(job, "https://h/c", NULL), empty = add_file(job, "https://h/d?", NULL);
	expect_ok(store_commit(store, &seen));
	check_url(row, 0, "https://h/a?" QUERY "&b=?", "https://h/a?");
	check_url(row, 1, "https://m/a?" QUERY, "https://m/a?");
	check_url(largest, 0, longest, "https://h/b?");
	check_url(plain, 0, "https://h/c", "https://h/c");
	check_url(empty, 0, "https://h/d?", "https://h/d?");
	assert_false(is_on_disk("hunter2"));
	expect_ok(store_begin(store, &seen));
	expect_ok(store_source_set_url(store, row, 0, "https://n/a", &seen));
	expect_ok(store_source_set_url(store, row, 1, "https://n/a?other", &seen));
	expect_ok(store_commit(store, &seen));
	check_url(row, 0, "https://n/a", "https://n/a");
	check_url(row, 1, "https://n/a?other", "https://n/a?");
}

static void url__with_the_query_of_another_job__is_not_opened(void **state)
{
	char url[URL_BYTES_MAX + 1];
	(void)state;
	expect_ok(store_seal(store, &sealer, &seen));
	expect_ok(store_begin(store, &seen));
	int64_t a = add_file(insert_job(store, sample_job(OWNER, 1)), "https://h/a?" QUERY, NULL), b = add_file(insert_job(store, sample_job(OWNER, 2)), "https://h/a?other", NULL);
	expect_ok(store_commit(store, &seen));
	char sql[160];
	(void)snprintf(sql, sizeof(sql), "UPDATE file SET query = (SELECT query FROM file WHERE row = %d) WHERE row = %d", (int)a, (int)b);
	raw_run(opened_db, sql);
	expect_fault(store_source_url(store, b, 0, url, &seen), RESULT_SECRET_UNREADABLE);
	assert_string_equal(seen.what, "the query of a URL");
	expect_ok(store_source_url(store, a, 0, url, &seen));
}

static void url__where_nothing_can_be_sealed__is_in_the_clear_until_it_can(void **state)
{
	(void)state;
	expect_ok(store_begin(store, &seen));
	int64_t row = add_file(insert_job(store, sample_job(OWNER, 1)), "https://h/a?" QUERY, "https://m/a?" QUERY);
	expect_ok(store_commit(store, &seen));
	check_url(row, 0, "https://h/a?" QUERY, "https://h/a?" QUERY);
	assert_true(is_on_disk("hunter2"));
	store_free(TAKE(store));
	expect_ok(store_open(path, &store, &seen));
	expect_ok(store_seal(store, &sealer, &seen));
	assert_false(is_on_disk("hunter2"));
	check_url(row, 0, "https://h/a?" QUERY, "https://h/a?");
	check_url(row, 1, "https://m/a?" QUERY, "https://m/a?");
}

static void url__that_cannot_be_sealed__is_not_kept(void **state)
{
	(void)state;
	expect_ok(store_seal(store, &sealer, &seen));
	expect_ok(store_begin(store, &seen));
	int64_t job = insert_job(store, sample_job(OWNER, 1)), row = add_file(job, "https://h/a", NULL);
	struct file file = sample_file(1000);
	text_to(file.url, sizeof(file.url), "https://h/b?" QUERY);
	fails = true;
	expect_fault(store_file_insert(store, job, &file, "/b", &seen), RESULT_SYSTEM);
	expect_fault(store_mirror_insert(store, row, 1, "https://h/b?" QUERY, &seen), RESULT_SYSTEM);
	expect_fault(store_source_set_url(store, row, 0, "https://h/b?" QUERY, &seen), RESULT_SYSTEM);
	expect_ok(store_commit(store, &seen));
	assert_false(is_on_disk("hunter2"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(url__with_a_query__is_kept_in_two_pieces),
		TEST(url__with_the_query_of_another_job__is_not_opened),
		TEST(url__where_nothing_can_be_sealed__is_in_the_clear_until_it_can),
		TEST(url__that_cannot_be_sealed__is_not_kept),
	};
	return cmocka_run_group_tests_name("store URLs", tests, watch_opens, NULL);
}
