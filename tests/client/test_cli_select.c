#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cli/select.h"

#define ID_A "2a1b0000-0000-4000-8000-000000000001"
#define ID_B "2a1c0000-0000-4000-8000-000000000002"
#define ID_C "77f00000-0000-4000-8000-000000000003"
#define ID_D "2a1e0000-0000-4000-8000-000000000004"
#define ID_E "2a1e0000-0000-4000-8000-000000000005"

static const struct {
	const char *id, *name;
	enum ferry_state state;
} jobs[] = {
	{ ID_A, "Nightly", FERRY_STATE_ACKNOWLEDGED },
	{ ID_B, "Nightly", FERRY_STATE_TRANSFERRING },
	{ ID_C, "Acme", FERRY_STATE_CANCELLED },
	{ ID_D, "77f0", FERRY_STATE_QUEUED },
	{ ID_E, "7", FERRY_STATE_QUEUED },
};

static enum select_verdict search(const char *word, char id[FERRY_ID_BYTES])
{
	static struct select select;

	select_begin(&select, word);
	for (size_t i = 0; i < sizeof(jobs) / sizeof(jobs[0]); i++) {
		static struct ferry_status status;
		memcpy(status.id, jobs[i].id, sizeof(status.id));
		memcpy(status.name, jobs[i].name, strlen(jobs[i].name) + 1);
		status.state = jobs[i].state;
		select_job(&select, &status);
	}
	return select_end(&select, id);
}

static void check(const char *word, enum select_verdict verdict, const char *expected)
{
	char id[FERRY_ID_BYTES] = "";

	assert_int_equal(search(word, id), verdict);
	assert_string_equal(id, expected);
}

static void select__the_beginning_of_one_id__means_it(void **state)
{
	(void)state;
	check("2a1b", SELECT_ONE, ID_A);
	check("2A1C", SELECT_ONE, ID_B);
	check("77f00", SELECT_ONE, ID_C);
	check(ID_C, SELECT_ONE, ID_C);
}

static void select__the_beginning_of_several_ids__means_none(void **state)
{
	(void)state;
	check("2a1e", SELECT_MANY, "");
}

static void select__fewer_than_four_digits__mean_a_name(void **state)
{
	(void)state;
	check("2a1", SELECT_NONE, "");
	check("7", SELECT_ONE, ID_E);
}

static void select__a_name__means_its_only_unfinished_job(void **state)
{
	(void)state;
	check("Acme", SELECT_ONE, ID_C);
	check("Nightly", SELECT_ONE, ID_B);
	check("nightly", SELECT_NONE, "");
	check("Night", SELECT_NONE, "");
}

static void select__an_id_and_a_name_that_agree__are_too_many(void **state)
{
	(void)state;
	check("77f0", SELECT_MANY, "");
}

static void select__the_empty_word__means_nothing(void **state)
{
	(void)state;
	check("", SELECT_NONE, "");
}

static void select__a_whole_id__needs_no_search(void **state)
{
	char id[FERRY_ID_BYTES];

	(void)state;
	assert_true(select_is_id("2A1B0000-0000-4000-8000-000000000001", id));
	assert_string_equal(id, ID_A);
	assert_false(select_is_id("2a1b0000-0000-4000-8000-00000000000", id));
	assert_false(select_is_id("2a1b0000-0000-4000-8000-0000000000011", id));
	assert_false(select_is_id("2a1b0000x0000-4000-8000-000000000001", id));
	assert_false(select_is_id("2a1g0000-0000-4000-8000-000000000001", id));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(select__the_beginning_of_one_id__means_it),
		cmocka_unit_test(select__the_beginning_of_several_ids__means_none),
		cmocka_unit_test(select__fewer_than_four_digits__mean_a_name),
		cmocka_unit_test(select__a_name__means_its_only_unfinished_job),
		cmocka_unit_test(select__an_id_and_a_name_that_agree__are_too_many),
		cmocka_unit_test(select__the_empty_word__means_nothing),
		cmocka_unit_test(select__a_whole_id__needs_no_search),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
