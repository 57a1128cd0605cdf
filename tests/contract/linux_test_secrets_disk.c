/* A disk that takes no byte: the limit on files' sizes is one that a test may set. */
#include "ground.h"

#include <signal.h>
#include <string.h>
#include <sys/resource.h>

#include "platform/secrets.h"

static void limit_files(rlim_t bytes)
{
	struct rlimit limit;
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = bytes;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void key__that_could_not_be_written__is_in_nobodys_way(void **state)
{
	(void)state;
	char folder[GROUND_PATH_BYTES_MAX], key[GROUND_PATH_BYTES_MAX];
	struct secrets *refused = NULL;
	AUTO(secrets) struct secrets *secrets = NULL;
	struct fault fault = { 0 };
	ground_set_up(folder);
	ground_path(key, folder, "secrets.key");
	signal(SIGXFSZ, SIG_IGN);
	limit_files(0);
	enum result full = secrets_new(folder, &refused, &fault);
	limit_files(RLIM_INFINITY);
	assert_int_equal(full, RESULT_DISK_FULL);
	assert_null(refused);
	assert_non_null(strstr(fault.what, key));
	assert_false(ground_exists(key));
	assert_int_equal(secrets_new(folder, &secrets, &fault), RESULT_OK);
	ground_tear_down(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(key__that_could_not_be_written__is_in_nobodys_way),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
