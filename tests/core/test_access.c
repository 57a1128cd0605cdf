#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "core/access.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define LOW 0x1000u
#define ALICE "S-1-5-21-1-2-3-1001"
#define BOB "S-1-5-21-1-2-3-1002"
#define SYSTEM "S-1-5-18"
#define WATCH (ACCESS_QUERY | ACCESS_SUBSCRIBE)

/* A caller as the tables write one: the flags are letters. */
static struct caller caller(const char *owner, uint32_t integrity, const char *flags)
{
	struct caller caller = {
		.integrity = integrity,
		.session = 1,
		.administrator = strchr(flags, 'A') != NULL,
		.restricted = strchr(flags, 'R') != NULL,
		.app_container = strchr(flags, 'C') != NULL,
		.impersonation = strchr(flags, 'I') == NULL, /* I: identification only */
	};
	assert_int_equal(text_copy(caller.owner, sizeof(caller.owner), text_view(owner)), RESULT_OK);
	return caller;
}

static void access_own__table__only_whole_callers_of_medium_integrity_and_up(void **state)
{
	(void)state;
	static const struct {
		const char *owner;
		uint32_t integrity;
		const char *flags;
		const char *rule; /* NULL: may own */
	} cases[] = {
		{ ALICE, INTEGRITY_MEDIUM, "", NULL },
		{ ALICE, INTEGRITY_MEDIUM + 0x100, "", NULL }, /* medium plus */
		{ ALICE, INTEGRITY_HIGH, "A", NULL },
		{ SYSTEM, INTEGRITY_SYSTEM, "A", NULL },
		{ ALICE, INTEGRITY_MEDIUM - 1, "", "owner-integrity" },
		{ ALICE, LOW, "", "owner-integrity" },
		{ ALICE, LOW, "A", "owner-integrity" },
		{ ALICE, 0, "", "owner-integrity" },
		{ ALICE, INTEGRITY_MEDIUM, "R", "caller-not-restricted" },
		{ ALICE, INTEGRITY_HIGH, "AR", "caller-not-restricted" },
		{ ALICE, INTEGRITY_MEDIUM, "C", "caller-not-app-container" },
		{ ALICE, LOW, "C", "caller-not-app-container" },
		{ ALICE, INTEGRITY_MEDIUM, "I", "caller-impersonation" },
		{ SYSTEM, INTEGRITY_SYSTEM, "AI", "caller-impersonation" },
		{ "", INTEGRITY_SYSTEM, "A", "caller-known" },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct fault fault = { 0 };
		struct caller who = caller(cases[i].owner, cases[i].integrity, cases[i].flags);
		enum result result = access_own(&who, &fault);
		assert_int_equal(result, cases[i].rule ? RESULT_ACCESS_REFUSED : RESULT_OK);
		assert_int_equal(access_own(&who, NULL), result);
		if (cases[i].rule) {
			assert_memory_equal(fault.what, cases[i].rule, strlen(cases[i].rule));
			assert_int_equal(fault.what[strlen(cases[i].rule)], ':');
		}
	}
}

static void access_open__table__owner_administrator_or_nothing_there(void **state)
{
	(void)state;
	static const struct {
		const char *caller;
		uint32_t integrity;
		const char *flags;
		const char *owner;
		uint32_t owner_integrity;
		enum result result;
		unsigned rights;
	} cases[] = {
		/* the owner */
		{ ALICE, INTEGRITY_MEDIUM, "", ALICE, INTEGRITY_MEDIUM, RESULT_OK, ACCESS_ALL },
		{ ALICE, INTEGRITY_HIGH, "A", ALICE, INTEGRITY_MEDIUM, RESULT_OK, ACCESS_ALL },
		{ ALICE, INTEGRITY_HIGH, "", ALICE, INTEGRITY_HIGH, RESULT_OK, ACCESS_ALL },
		{ SYSTEM, INTEGRITY_SYSTEM, "A", SYSTEM, INTEGRITY_SYSTEM, RESULT_OK, ACCESS_ALL },
		/* the owner, not elevated, on a job made elevated */
		{ ALICE, INTEGRITY_MEDIUM, "", ALICE, INTEGRITY_HIGH, RESULT_OK, WATCH },
		{ ALICE, INTEGRITY_HIGH - 1, "A", ALICE, INTEGRITY_HIGH, RESULT_OK, WATCH },
		{ ALICE, LOW, "", ALICE, INTEGRITY_MEDIUM, RESULT_OK, WATCH },
		{ ALICE, LOW, "A", ALICE, INTEGRITY_MEDIUM, RESULT_OK, WATCH },
		/* the owner and an administrator, below the job's integrity: what both give */
		{ SYSTEM, INTEGRITY_HIGH, "A", SYSTEM, INTEGRITY_SYSTEM, RESULT_OK, WATCH | ACCESS_CONTROL },
		/* administrators */
		{ BOB, INTEGRITY_HIGH, "A", ALICE, INTEGRITY_MEDIUM, RESULT_OK, WATCH | ACCESS_CONTROL },
		{ BOB, INTEGRITY_HIGH, "A", SYSTEM, INTEGRITY_SYSTEM, RESULT_OK, WATCH | ACCESS_CONTROL },
		{ SYSTEM, INTEGRITY_SYSTEM, "A", ALICE, INTEGRITY_MEDIUM, RESULT_OK, WATCH | ACCESS_CONTROL },
		/* neither */
		{ BOB, INTEGRITY_MEDIUM, "", ALICE, INTEGRITY_MEDIUM, RESULT_NOT_FOUND, 0 },
		{ BOB, INTEGRITY_MEDIUM, "A", ALICE, INTEGRITY_MEDIUM, RESULT_NOT_FOUND, 0 },
		{ BOB, INTEGRITY_HIGH, "", ALICE, INTEGRITY_MEDIUM, RESULT_NOT_FOUND, 0 },
		{ BOB, INTEGRITY_SYSTEM, "", ALICE, INTEGRITY_MEDIUM, RESULT_NOT_FOUND, 0 },
		{ BOB, INTEGRITY_HIGH - 1, "A", ALICE, 0, RESULT_NOT_FOUND, 0 },
		{ ALICE "0", INTEGRITY_MEDIUM, "", ALICE, INTEGRITY_MEDIUM, RESULT_NOT_FOUND, 0 },
		{ "S-1-5-21-1-2-3-100", INTEGRITY_MEDIUM, "", ALICE, INTEGRITY_MEDIUM, RESULT_NOT_FOUND, 0 },
		/* NetworkService with another service's SID is another owner (security rule 7) */
		{ "S-1-5-20 S-1-5-80-1", INTEGRITY_SYSTEM, "", "S-1-5-20 S-1-5-80-2", INTEGRITY_SYSTEM,
		  RESULT_NOT_FOUND, 0 },
		/* those who may ask for nothing, whoever's the job is */
		{ ALICE, INTEGRITY_MEDIUM, "R", ALICE, INTEGRITY_MEDIUM, RESULT_ACCESS_REFUSED, 0 },
		{ BOB, INTEGRITY_MEDIUM, "R", ALICE, INTEGRITY_MEDIUM, RESULT_ACCESS_REFUSED, 0 },
		{ BOB, INTEGRITY_HIGH, "AR", ALICE, INTEGRITY_MEDIUM, RESULT_ACCESS_REFUSED, 0 },
		{ ALICE, LOW, "C", ALICE, INTEGRITY_MEDIUM, RESULT_ACCESS_REFUSED, 0 },
		{ BOB, LOW, "C", ALICE, INTEGRITY_MEDIUM, RESULT_ACCESS_REFUSED, 0 },
		{ ALICE, INTEGRITY_MEDIUM, "I", ALICE, INTEGRITY_MEDIUM, RESULT_ACCESS_REFUSED, 0 },
		{ BOB, INTEGRITY_HIGH, "AI", ALICE, INTEGRITY_MEDIUM, RESULT_ACCESS_REFUSED, 0 },
		{ "", INTEGRITY_SYSTEM, "A", ALICE, INTEGRITY_MEDIUM, RESULT_ACCESS_REFUSED, 0 },
		{ "", INTEGRITY_MEDIUM, "", "", INTEGRITY_MEDIUM, RESULT_ACCESS_REFUSED, 0 },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct caller who = caller(cases[i].caller, cases[i].integrity, cases[i].flags);
		unsigned rights = 0xDEAD;
		struct fault fault = { 0 };
		enum result result = access_open(&who, cases[i].owner, cases[i].owner_integrity, &rights, &fault);
		if (result != cases[i].result)
			fail_msg("case %d: %s", (int)i, result_name(result));
		assert_int_equal(rights, result == RESULT_OK ? cases[i].rights : 0xDEAD);
		assert_int_equal(access_open(&who, cases[i].owner, cases[i].owner_integrity, &rights, NULL), result);
	}
}

/* What is said to those who may not know of a job does not depend on the job. */
static void access_open__refusals__do_not_tell_one_job_from_another(void **state)
{
	(void)state;
	static const char *const owners[] = { ALICE, SYSTEM, "S-1-5-80-1", "" };
	static const char *const flags[] = { "", "R", "I", "C" };
	for (size_t f = 0; f < COUNT(flags); f++) {
		struct caller who = caller(BOB, INTEGRITY_MEDIUM, flags[f]);
		struct fault first = { 0 };
		unsigned rights;
		enum result result = access_open(&who, owners[0], INTEGRITY_MEDIUM, &rights, &first);
		for (size_t i = 1; i < COUNT(owners); i++) {
			struct fault other = { 0 };
			assert_int_equal(access_open(&who, owners[i], INTEGRITY_SYSTEM, &rights, &other), result);
			assert_string_equal(first.what, other.what);
		}
		assert_null(strstr(first.what, "S-1-"));
	}
}

/* EDIT on a job is its owner's alone, in every combination of facts (security rules 10 and 13). */
static void access_open__every_combination__edit_needs_the_owner_s_name_and_integrity(void **state)
{
	(void)state;
	static const uint32_t levels[] = { 0, LOW, INTEGRITY_MEDIUM, INTEGRITY_HIGH, INTEGRITY_SYSTEM };
	for (unsigned bits = 0; bits < 16; bits++) {
		for (size_t a = 0; a < COUNT(levels); a++) {
			for (size_t b = 0; b < COUNT(levels); b++) {
				struct caller who = caller(ALICE, levels[a], "");
				who.administrator = bits & 1;
				who.restricted = bits & 2;
				who.app_container = bits & 4;
				who.impersonation = bits & 8;
				bool whole = who.impersonation && !who.restricted && !who.app_container;
				unsigned own = 0;
				unsigned other = 0;
				(void)!access_open(&who, ALICE, levels[b], &own, NULL);
				(void)!access_open(&who, BOB, levels[b], &other, NULL);
				assert_int_equal(other & ACCESS_EDIT, 0);
				assert_int_equal((own & ACCESS_EDIT) != 0, whole && levels[a] >= levels[b]);
				assert_int_equal((other & ACCESS_CONTROL) != 0,
				                 whole && who.administrator && levels[a] >= INTEGRITY_HIGH);
				assert_int_equal(own & other, other); /* one's own job never gives less */
				assert_int_equal(access_list_all(&who), (other & ACCESS_CONTROL) != 0);
			}
		}
	}
}

static void access_is_exempt__services_and_elevated_administrators__nobody_else(void **state)
{
	(void)state;
	static const struct {
		const char *owner;
		uint32_t integrity;
		const char *flags;
		bool exempt;
	} cases[] = {
		{ ALICE, INTEGRITY_MEDIUM, "", false },
		{ ALICE, INTEGRITY_HIGH, "", false },
		{ ALICE, INTEGRITY_MEDIUM, "A", false }, /* an administrator who is not elevated */
		{ ALICE, INTEGRITY_HIGH, "A", true },
		{ SYSTEM, INTEGRITY_SYSTEM, "A", true },
		{ "S-1-5-19", INTEGRITY_SYSTEM, "", true },
		{ "S-1-5-20+S-1-5-80-1-2-3-4-5", INTEGRITY_SYSTEM, "", true },
		{ "S-1-5-80-1-2-3-4-5", INTEGRITY_HIGH, "", true },
		{ "S-1-5-181", INTEGRITY_SYSTEM, "", false }, /* only begins like one */
		{ "S-1-5-8-1", INTEGRITY_SYSTEM, "", false },
		{ "S-1-5-21-1-2-3-18", INTEGRITY_MEDIUM, "", false },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct caller who = caller(cases[i].owner, cases[i].integrity, cases[i].flags);
		assert_int_equal(access_is_exempt(&who), cases[i].exempt);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(access_own__table__only_whole_callers_of_medium_integrity_and_up),
		cmocka_unit_test(access_open__table__owner_administrator_or_nothing_there),
		cmocka_unit_test(access_open__refusals__do_not_tell_one_job_from_another),
		cmocka_unit_test(access_open__every_combination__edit_needs_the_owner_s_name_and_integrity),
		cmocka_unit_test(access_is_exempt__services_and_elevated_administrators__nobody_else),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
