#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/doctor.h"

#define NOW (DOCTOR_MADE_MS + INT64_C(86400000) * 100)

/* As it should be, on a member of a domain. */
static struct doctor_facts healthy(void)
{
	return (struct doctor_facts){ .now_ms = NOW, .newest_ms = NOW - 1000, .jobs = 3, .settings_good = true,
		                      .account = "S-1-5-20+S-1-5-80-1-2-3-4-5", .folder_path = "C:\\ProgramData\\Ferry",
		                      .knows_machine = true, .privileges = "SeChangeNotifyPrivilege SeImpersonatePrivilege",
		                      .domain = "CORP", .kdc = "dc1.corp.example", .kdc_ahead_ms = -2500 };
}

static struct finding judge(const struct doctor_facts *facts, enum doctor_check check)
{
	struct finding findings[DOCTOR_CHECK_COUNT];
	doctor_judge(facts, findings);
	for (unsigned i = 0; i < DOCTOR_CHECK_COUNT; i++) {
		assert_true(findings[i].verdict < VERDICT_COUNT && findings[i].seen[0] != '\0');
		if (findings[i].verdict == VERDICT_PROBLEM || findings[i].verdict == VERDICT_WARNING)
			assert_true(findings[i].remedy[0] != '\0');
		else if (findings[i].verdict == VERDICT_OK)
			assert_string_equal(findings[i].remedy, "");
	}
	return findings[check];
}

static void expect(const struct doctor_facts *facts, enum doctor_check check, enum verdict verdict, const char *words)
{
	struct finding finding = judge(facts, check);
	if (finding.verdict != verdict || strstr(finding.seen, words) == NULL)
		fail_msg("%s: '%s' expected of: %s, %s", doctor_check_name(check), words, verdict_name(finding.verdict), finding.seen);
}

static void judge__all_is_well__is_ok_everywhere(void **state)
{
	struct doctor_facts facts = healthy();
	(void)state;
	expect(&facts, DOCTOR_ACCOUNT, VERDICT_OK, "NT AUTHORITY\\NetworkService");
	expect(&facts, DOCTOR_PRIVILEGES, VERDICT_OK, "SeImpersonatePrivilege, and no others");
	expect(&facts, DOCTOR_DATA_FOLDER, VERDICT_OK, "C:\\ProgramData\\Ferry");
	expect(&facts, DOCTOR_QUEUE, VERDICT_OK, "whole, 3 unfinished");
	expect(&facts, DOCTOR_DISK, VERDICT_OK, "256 MiB");
	expect(&facts, DOCTOR_CLOCK, VERDICT_OK, "within 3 s of dc1.corp.example");
	expect(&facts, DOCTOR_KDC, VERDICT_OK, "dc1.corp.example answers for the domain CORP");
	expect(&facts, DOCTOR_CONFIGURATION, VERDICT_OK, "good");
}

static void account__that_is_another__is_told_by_what_it_may(void **state)
{
	static const struct {
		const char *account;
		bool administrator;
		enum verdict verdict;
	} rows[] = {
		{ "S-1-5-18", false, VERDICT_PROBLEM },         { "S-1-5-18+S-1-5-80-1", false, VERDICT_PROBLEM },
		{ "S-1-5-21-1-2-3-1001", true, VERDICT_PROBLEM }, { "S-1-5-21-1-2-3-1001", false, VERDICT_OK },
		{ "S-1-5-19", false, VERDICT_WARNING },         { "S-1-5-20", false, VERDICT_OK },
		{ "S-1-5-201", false, VERDICT_WARNING },        { "uid:0", true, VERDICT_UNKNOWN },
		{ "", false, VERDICT_UNKNOWN },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct doctor_facts facts = healthy();
		text_display(facts.account, sizeof(facts.account), "%s", rows[i].account);
		facts.administrator = rows[i].administrator;
		expect(&facts, DOCTOR_ACCOUNT, rows[i].verdict, "");
	}
}

static void account__of_somebody_who_runs_it_by_hand__is_no_problem(void **state)
{
	struct doctor_facts facts = healthy();
	(void)state;
	text_display(facts.account, sizeof(facts.account), "S-1-5-21-1-2-3-1001");
	facts.administrator = facts.by_hand = true;
	expect(&facts, DOCTOR_ACCOUNT, VERDICT_WARNING, "S-1-5-21-1-2-3-1001, who runs it by hand");
}

static void privileges__missing_or_too_many__are_named(void **state)
{
	static const struct {
		const char *privileges;
		enum verdict verdict;
		const char *words;
	} rows[] = {
		{ "SeImpersonatePrivilege SeChangeNotifyPrivilege", VERDICT_OK, "" },
		{ "SeChangeNotifyPrivilege", VERDICT_PROBLEM, "SeImpersonatePrivilege is missing" },
		{ "SeImpersonatePrivilegeX SeChangeNotifyPrivilege", VERDICT_PROBLEM, "SeImpersonatePrivilege is missing" },
		{ "", VERDICT_PROBLEM, "SeChangeNotifyPrivilege SeImpersonatePrivilege is missing" },
		{ "SeDebugPrivilege SeChangeNotifyPrivilege SeImpersonatePrivilege SeTcbPrivilege", VERDICT_WARNING,
		  "needed: SeDebugPrivilege SeTcbPrivilege" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct doctor_facts facts = healthy();
		text_display(facts.privileges, sizeof(facts.privileges), "%s", rows[i].privileges);
		expect(&facts, DOCTOR_PRIVILEGES, rows[i].verdict, rows[i].words);
	}
	struct doctor_facts facts = healthy();
	facts.knows_machine = false;
	expect(&facts, DOCTOR_PRIVILEGES, VERDICT_UNKNOWN, "");
	expect(&facts, DOCTOR_KDC, VERDICT_UNKNOWN, "");
}

static struct fault fault_of(enum result result, const char *what)
{
	struct fault fault;
	(void)!fault_set(&fault, result, FAULT_FERRY, 0, "%s", what);
	return fault;
}

static void folder_queue_and_disk__that_are_not_well__say_why(void **state)
{
	struct doctor_facts facts = healthy();
	(void)state;
	facts.folder = fault_of(RESULT_ACCESS_REFUSED, "C:\\ProgramData\\Ferry is open to others");
	expect(&facts, DOCTOR_DATA_FOLDER, VERDICT_PROBLEM, "is open to others");
	facts.queue = fault_of(RESULT_CANCELLED, "");
	expect(&facts, DOCTOR_QUEUE, VERDICT_UNKNOWN, "too large");
	facts.queue = fault_of(RESULT_STORE_DAMAGED, "row 3 is wrong");
	expect(&facts, DOCTOR_QUEUE, VERDICT_PROBLEM, "row 3 is wrong");
	facts.trouble = fault_of(RESULT_STORE_BUSY, "the disk is full");
	expect(&facts, DOCTOR_QUEUE, VERDICT_PROBLEM, "the disk is full");
	facts.disk = fault_of(RESULT_DISK_FULL, "x");
	expect(&facts, DOCTOR_DISK, VERDICT_WARNING, "less than 256 MiB");
	facts.disk_least = fault_of(RESULT_DISK_FULL, "reserve 16777216 bytes");
	expect(&facts, DOCTOR_DISK, VERDICT_PROBLEM, "reserve 16777216 bytes");
}

static void clock__that_is_wrong__is_a_problem(void **state)
{
	struct doctor_facts facts = healthy();
	(void)state;
	facts.kdc_ahead_ms = DOCTOR_SKEW_MS + 1000;
	expect(&facts, DOCTOR_CLOCK, VERDICT_PROBLEM, "dc1.corp.example is 301 s ahead");
	facts.kdc_ahead_ms = -DOCTOR_SKEW_MS - 1000;
	expect(&facts, DOCTOR_CLOCK, VERDICT_PROBLEM, "dc1.corp.example is 301 s behind");
	facts.kdc_time_missed = fault_of(RESULT_DENIED, "no");
	expect(&facts, DOCTOR_CLOCK, VERDICT_OK, "no domain controller");
	facts.newest_ms = NOW + DOCTOR_SKEW_MS;
	expect(&facts, DOCTOR_CLOCK, VERDICT_OK, "");
	facts.newest_ms = NOW + 86400000;
	expect(&facts, DOCTOR_CLOCK, VERDICT_PROBLEM, "86400 s behind the last job");
	facts.now_ms = DOCTOR_MADE_MS - 1;
	expect(&facts, DOCTOR_CLOCK, VERDICT_PROBLEM, "before this version");
}

static void domain__without_a_controller_or_none__is_told_apart(void **state)
{
	struct doctor_facts facts = healthy();
	(void)state;
	facts.kdc[0] = '\0';
	facts.kdc_missed = fault_of(RESULT_SYSTEM, "find a domain controller");
	expect(&facts, DOCTOR_KDC, VERDICT_PROBLEM, "none answers for the domain CORP: find a domain controller");
	facts.domain[0] = '\0';
	expect(&facts, DOCTOR_KDC, VERDICT_UNKNOWN, "find a domain controller");
	facts.kdc_missed.result = RESULT_OK;
	expect(&facts, DOCTOR_KDC, VERDICT_OK, "in no domain");
}

static void configuration__refused_or_unwatched__is_told(void **state)
{
	struct doctor_facts facts = healthy();
	(void)state;
	text_display(facts.unwatched, sizeof(facts.unwatched), "no handle");
	expect(&facts, DOCTOR_CONFIGURATION, VERDICT_WARNING, "not noticed: no handle");
	facts.settings_good = false;
	text_display(facts.settings_errors, sizeof(facts.settings_errors), "ferry.jsonc: line 3");
	expect(&facts, DOCTOR_CONFIGURATION, VERDICT_PROBLEM, "ferry.jsonc: line 3");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(judge__all_is_well__is_ok_everywhere),
		cmocka_unit_test(account__that_is_another__is_told_by_what_it_may),
		cmocka_unit_test(account__of_somebody_who_runs_it_by_hand__is_no_problem),
		cmocka_unit_test(privileges__missing_or_too_many__are_named),
		cmocka_unit_test(folder_queue_and_disk__that_are_not_well__say_why),
		cmocka_unit_test(clock__that_is_wrong__is_a_problem),
		cmocka_unit_test(domain__without_a_controller_or_none__is_told_apart),
		cmocka_unit_test(configuration__refused_or_unwatched__is_told),
	};
	return cmocka_run_group_tests_name("core/doctor", tests, NULL, NULL);
}
