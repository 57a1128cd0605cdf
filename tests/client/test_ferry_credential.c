/* libferry: credentials, as they are sent and as a job's record tells of them. */
#include "client/ferry_scene.h"
#include "ferry_private.h"

static void ferry__credentials__are_sent_as_given_and_told_in_the_record(void **state)
{
	struct scene *scene = *state;
	struct ferry *ferry = connect_to(scene);
	struct ferry_job *job = open_job(ferry);
	struct ferry_status status;

	assert_int_equal(ferry_job_set_credentials(job, FERRY_AUTH_PROXY, FERRY_AUTH_DIGEST, "ACME\\\"anna\"", "p\xC3\xA4ss", NULL),
	                 FERRY_OK);
	assert_int_equal(scene->target, AUTH_PROXY);
	assert_int_equal(scene->scheme, AUTH_DIGEST);
	assert_string_equal(scene->user, "ACME\\\"anna\"");
	assert_string_equal(scene->password, "p\xC3\xA4ss");
	assert_int_equal(ferry_job_set_credentials(job, FERRY_AUTH_SERVER, FERRY_AUTH_NEGOTIATE, NULL, NULL, NULL), FERRY_OK);
	assert_string_equal(scene->user, "null");
	assert_string_equal(scene->password, "null");

	assert_int_equal(ferry_job_get(job, &status, NULL), FERRY_OK);
	assert_int_equal(status.credentials_count, 2);
	assert_int_equal(status.credentials[0].target, FERRY_AUTH_SERVER);
	assert_int_equal(status.credentials[0].scheme, FERRY_AUTH_NEGOTIATE);
	assert_true(status.credentials[0].implicit);
	assert_int_equal(status.credentials[1].target, FERRY_AUTH_PROXY);
	assert_int_equal(status.credentials[1].scheme, FERRY_AUTH_DIGEST);
	assert_false(status.credentials[1].implicit);

	assert_int_equal(ferry_job_remove_credentials(job, FERRY_AUTH_PROXY, FERRY_AUTH_DIGEST, NULL), FERRY_OK);
	assert_int_equal(ferry_job_remove_credentials(job, FERRY_AUTH_PROXY, FERRY_AUTH_DIGEST, NULL), FERRY_OK);
	assert_int_equal(ferry_job_get(job, &status, NULL), FERRY_OK);
	assert_int_equal(status.credentials_count, 1);
	ferry_job_close(job);
	ferry_close(ferry);
}

static void ferry__credentials__the_longest_are_sent_and_longer_ones_are_not(void **state)
{
	static char user[FERRY_USER_BYTES_MAX + 2], password[FERRY_PASSWORD_BYTES_MAX + 2];
	struct scene *scene = *state;
	struct ferry *ferry = connect_to(scene);
	struct ferry_job *job = open_job(ferry);
	struct ferry_error error;

	/* Each byte takes six in JSON. */
	memset(user, '\1', FERRY_USER_BYTES_MAX);
	memset(password, '\1', FERRY_PASSWORD_BYTES_MAX);
	assert_int_equal(ferry_job_set_credentials(job, FERRY_AUTH_SERVER, FERRY_AUTH_NTLM, user, password, NULL), FERRY_OK);
	assert_string_equal(scene->user, user);
	assert_string_equal(scene->password, password);
	user[FERRY_USER_BYTES_MAX] = password[FERRY_PASSWORD_BYTES_MAX] = '\1';
	assert_int_equal(ferry_job_set_credentials(job, FERRY_AUTH_SERVER, FERRY_AUTH_NTLM, user, "p", &error), FERRY_REFUSED);
	assert_string_equal(error.name, "TOO_LONG");
	assert_non_null(strstr(error.message, "user: is longer than 900 bytes"));
	assert_int_equal(ferry_job_set_credentials(job, FERRY_AUTH_SERVER, FERRY_AUTH_NTLM, "u", password, &error), FERRY_REFUSED);
	assert_non_null(strstr(error.message, "password: is longer than 2048 bytes"));
	assert_int_equal(scene->asked[METHOD_JOB_SET_CREDENTIALS], 1);
	ferry_job_close(job);
	ferry_close(ferry);
}

static void ferry__credentials__for_what_there_is_not__are_not_sent(void **state)
{
	struct scene *scene = *state;
	struct ferry *ferry = connect_to(scene);
	struct ferry_job *job = open_job(ferry);
	struct ferry_error error;
	enum ferry_auth_target target;
	enum ferry_auth_scheme scheme;

	assert_int_equal(ferry_job_set_credentials(job, (enum ferry_auth_target)2, FERRY_AUTH_NTLM, NULL, NULL, &error), FERRY_REFUSED);
	assert_non_null(strstr(error.message, "target: 2"));
	assert_int_equal(ferry_job_remove_credentials(job, FERRY_AUTH_SERVER, (enum ferry_auth_scheme)4, &error), FERRY_REFUSED);
	assert_non_null(strstr(error.message, "scheme: 4"));
	assert_int_equal(scene->asked[METHOD_JOB_SET_CREDENTIALS] + scene->asked[METHOD_JOB_REMOVE_CREDENTIALS], 0);
	assert_false(ferry_auth_target_from_name("Server", &target));
	assert_false(ferry_auth_scheme_from_name("passport", &scheme));
	assert_true(ferry_auth_scheme_from_name(ferry_auth_scheme_name(FERRY_AUTH_NEGOTIATE), &scheme));
	assert_int_equal(scheme, FERRY_AUTH_NEGOTIATE);
	assert_true(ferry_auth_target_from_name(ferry_auth_target_name(FERRY_AUTH_PROXY), &target));
	assert_int_equal(target, FERRY_AUTH_PROXY);
	ferry_job_close(job);
	ferry_close(ferry);
}

/* Whatever the answer is, the message that was sent is nowhere in the library's memory. */
static void ferry__credentials__are_wiped_from_what_was_sent(void **state)
{
	struct scene *scene = *state;
	struct ferry *ferry = connect_to(scene);
	struct ferry_job *job = open_job(ferry);

	for (unsigned refused = 0; refused < 2; refused++) {
		scene->refuse = refused * (METHOD_JOB_SET_CREDENTIALS + 1u);
		scene->refusal = (struct fault){ RESULT_NOT_SUPPORTED, FAULT_FERRY, 0, "keep a password" };
		assert_int_equal(ferry_job_set_credentials(job, FERRY_AUTH_SERVER, FERRY_AUTH_BASIC, "anna", "hunter2", NULL),
		                 refused ? FERRY_REFUSED : FERRY_OK);
		for (size_t i = 0; i < ferry->out.length; i++)
			assert_int_equal(ferry->out.bytes[i], 0);
	}
	ferry_job_close(job);
	ferry_close(ferry);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(ferry__credentials__are_sent_as_given_and_told_in_the_record),
		TEST(ferry__credentials__the_longest_are_sent_and_longer_ones_are_not),
		TEST(ferry__credentials__for_what_there_is_not__are_not_sent),
		TEST(ferry__credentials__are_wiped_from_what_was_sent),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
