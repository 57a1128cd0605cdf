/* libferry: header lines, as they are sent, told in the record and given back. */
#include "client/ferry_scene.h"
#include "ferry_private.h"

static void ferry__headers__are_sent_as_given_and_given_back(void **state)
{
	static const char *const lines[] = { "Authorization: Bearer \"a\\b\"", "X-Acme: p\xC3\xA4ss" };
	struct scene *scene = *state;
	struct ferry *ferry = connect_to(scene);
	struct ferry_job *job = open_job(ferry);
	char back[FERRY_HEADERS_BYTES_MAX];
	struct ferry_status status;

	assert_int_equal(ferry_job_set_headers(job, lines, 2, true, NULL), FERRY_OK);
	assert_string_equal(scene->headers, "Authorization: Bearer \"a\\b\"\nX-Acme: p\xC3\xA4ss\n");
	assert_int_equal(ferry_job_get(job, &status, NULL), FERRY_OK);
	assert_string_equal(status.header_names, "Authorization X-Acme");
	assert_true(status.headers_write_only);
	assert_int_equal(ferry_job_get_headers(job, back, NULL), FERRY_OK);
	assert_string_equal(back, scene->headers);
	assert_int_equal(ferry_job_set_headers(job, NULL, 0, false, NULL), FERRY_OK);
	assert_int_equal(ferry_job_get_headers(job, back, NULL), FERRY_OK);
	assert_string_equal(back, "");
	assert_int_equal(ferry_job_get(job, &status, NULL), FERRY_OK);
	assert_string_equal(status.header_names, "");
	ferry_job_close(job);
	ferry_close(ferry);
}

static void ferry__headers__the_longest_are_sent_and_longer_ones_are_not(void **state)
{
	static char line[FERRY_HEADERS_BYTES_MAX];
	static char back[FERRY_HEADERS_BYTES_MAX];
	const char *many[FERRY_HEADERS_MAX + 1], *one = line;
	struct scene *scene = *state;
	struct ferry *ferry = connect_to(scene);
	struct ferry_job *job = open_job(ferry);
	struct ferry_error error;

	memset(line, '"', FERRY_HEADERS_BYTES_MAX - 2);
	memcpy(line, "X: ", 3);
	assert_int_equal(ferry_job_set_headers(job, &one, 1, false, NULL), FERRY_OK);
	assert_int_equal(ferry_job_get_headers(job, back, NULL), FERRY_OK);
	assert_int_equal(strlen(back), FERRY_HEADERS_BYTES_MAX - 1);
	line[FERRY_HEADERS_BYTES_MAX - 2] = 'x';
	assert_int_equal(ferry_job_set_headers(job, &one, 1, false, &error), FERRY_REFUSED);
	assert_string_equal(error.name, "TOO_LONG");
	for (size_t i = 0; i <= FERRY_HEADERS_MAX; i++)
		many[i] = "X: 1";
	assert_int_equal(ferry_job_set_headers(job, many, FERRY_HEADERS_MAX + 1, false, &error), FERRY_REFUSED);
	assert_non_null(strstr(error.message, "headers: more than 64, or than 16384 bytes together"));
	assert_int_equal(ferry_job_set_headers(job, many, FERRY_HEADERS_MAX, false, NULL), FERRY_OK);
	assert_int_equal(scene->asked[METHOD_JOB_SET_HEADERS], 2);
	ferry_job_close(job);
	ferry_close(ferry);
}

/* Whatever the answer is, what was sent and what came back is nowhere in the library's buffers. */
static void ferry__headers__are_wiped_from_what_was_sent_and_received(void **state)
{
	static const char *const lines[] = { "Authorization: Bearer hunter2" };
	struct scene *scene = *state;
	struct ferry *ferry = connect_to(scene);
	struct ferry_job *job = open_job(ferry);
	char back[FERRY_HEADERS_BYTES_MAX];

	for (unsigned refused = 0; refused < 2; refused++) {
		scene->refuse = refused * (METHOD_JOB_SET_HEADERS + 1u);
		scene->refusal = (struct fault){ RESULT_NOT_SUPPORTED, FAULT_FERRY, 0, "keep headers" };
		assert_int_equal(ferry_job_set_headers(job, lines, 1, false, NULL), refused ? FERRY_REFUSED : FERRY_OK);
		for (size_t i = 0; i < ferry->out.length; i++)
			assert_int_equal(ferry->out.bytes[i], 0);
	}
	assert_int_equal(ferry_job_get_headers(job, back, NULL), FERRY_OK);
	assert_string_equal(back, "Authorization: Bearer hunter2\n");
	for (size_t i = 0; i < ferry->in.length; i++)
		assert_int_equal(ferry->in.bytes[i], 0);
	ferry_job_close(job);
	ferry_close(ferry);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(ferry__headers__are_sent_as_given_and_given_back),
		TEST(ferry__headers__the_longest_are_sent_and_longer_ones_are_not),
		TEST(ferry__headers__are_wiped_from_what_was_sent_and_received),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
