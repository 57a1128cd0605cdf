#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "core/access.h"
#include "support/source_file.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define LOW 0x1000u
#define ALICE "S-1-5-21-1-2-3-1001"
#define BOB "S-1-5-21-1-2-3-1002"
#define CAROL "S-1-5-21-1-2-3-1003"
#define SYSTEM "S-1-5-18"
#define AGENT "S-1-5-20+S-1-5-80-1-2-3-4-5"
#define WATCH (ACCESS_QUERY | ACCESS_SUBSCRIBE)
#define STOP (WATCH | ACCESS_CONTROL)

/* A caller as the tables write one. */
struct who {
	const char *sid;
	uint32_t integrity;
	const char *flags; /* A: Administrators, R: restricted, C: app container, I: identification only, 0: session 0 */
	enum logon logon;
};
#define PLAIN(sid) { sid, INTEGRITY_MEDIUM, "", LOGON_INTERACTIVE }
#define ELEVATED(sid) { sid, INTEGRITY_HIGH, "A", LOGON_INTERACTIVE }
#define LOCAL_SYSTEM { SYSTEM, INTEGRITY_SYSTEM, "A0", LOGON_SERVICE }
#define SERVICE(sid) { sid, INTEGRITY_SYSTEM, "0", LOGON_SERVICE }

static struct caller caller(struct who who)
{
	struct caller caller = {
		.integrity = who.integrity,
		.session = strchr(who.flags, '0') == NULL,
		.logon_id = 0x3e7,
		.logon = who.logon,
		.administrator = strchr(who.flags, 'A') != NULL,
		.restricted = strchr(who.flags, 'R') != NULL,
		.app_container = strchr(who.flags, 'C') != NULL,
		.impersonation = strchr(who.flags, 'I') == NULL,
	};
	assert_int_equal(text_copy(caller.owner, sizeof(caller.owner), text_view(who.sid)), RESULT_OK);
	return caller;
}

static void set_job(struct job *job, struct who owner, const char *pin)
{
	memset(job, 0, sizeof(*job));
	assert_int_equal(text_copy(job->owner, sizeof(job->owner), text_view(owner.sid)), RESULT_OK);
	job->owner_integrity = owner.integrity;
	job->owner_elevated = strchr(owner.flags, 'A') != NULL;
	assert_int_equal(text_copy(job->properties.pinned_helper, sizeof(job->properties.pinned_helper), text_view(pin)),
	                 RESULT_OK);
}

/* --- refusals name their rule, and every rule refuses somebody --- */

static char rules_seen[64][48];
static size_t rules_seen_count;

static void note_rule(const char *what, const char *rule, size_t row)
{
	size_t length = strlen(rule);
	if (strncmp(what, rule, length) != 0 || what[length] != ':')
		fail_msg("row %d: \"%s\" instead of %s", (int)row, what, rule);
	for (size_t i = 0; i < rules_seen_count; i++)
		if (strcmp(rules_seen[i], rule) == 0)
			return;
	assert_true(rules_seen_count < COUNT(rules_seen));
	text_display(rules_seen[rules_seen_count++], sizeof(rules_seen[0]), "%s", rule);
}

/* RESULT_OK where no rule is expected; else a refusal by that rule. */
static void expect_rule(enum result result, const struct fault *fault, const char *rule, size_t row)
{
	enum result expected = RESULT_OK;
	if (rule)
		expected = strcmp(rule, "token-impersonation") == 0 ? RESULT_NOT_LENT : RESULT_ACCESS_REFUSED;
	if (result != expected)
		fail_msg("row %d: %s (%s)", (int)row, result_name(result), fault->what);
	if (rule)
		note_rule(fault->what, rule, row);
}

/* The last test: the rules that core/access.c speaks of are those that were seen. */
static void access__every_rule_of_the_source__refused_somebody(void **state)
{
	(void)state;
	AUTO(buffer) struct buffer text = BUFFER(1 << 18);
	size_t rules = 0;

	source_file_read("daemon/core/access.c", &text);
	for (const char *at = strchr(text.bytes, '"'); at != NULL; at = strchr(at + 1, '"')) {
		size_t length = strspn(at + 1, "abcdefghijklmnopqrstuvwxyz-");
		bool seen = false;
		if (length == 0 || strncmp(at + 1 + length, ": ", 2) != 0)
			continue;
		rules++;
		for (size_t i = 0; i < rules_seen_count; i++)
			seen |= strlen(rules_seen[i]) == length && strncmp(rules_seen[i], at + 1, length) == 0;
		if (!seen)
			fail_msg("no test is refused by %.*s", (int)length, at + 1);
	}
	assert_true(rules >= rules_seen_count && rules_seen_count >= 20);
}

/* --- owners --- */

static void access_own__table__only_whole_callers_of_medium_integrity_and_up(void **state)
{
	(void)state;
	static const struct {
		struct who who;
		const char *rule; /* NULL: may own */
	} cases[] = {
		{ PLAIN(ALICE), NULL },
		{ { ALICE, INTEGRITY_MEDIUM + 0x100, "", LOGON_OTHER }, NULL }, /* medium plus */
		{ ELEVATED(ALICE), NULL },
		{ LOCAL_SYSTEM, NULL },
		{ SERVICE(AGENT), NULL },
		{ { ALICE, INTEGRITY_MEDIUM - 1, "", LOGON_OTHER }, "owner-integrity" },
		{ { ALICE, LOW, "", LOGON_OTHER }, "owner-integrity" },
		{ { ALICE, LOW, "A", LOGON_OTHER }, "owner-integrity" },
		{ { ALICE, 0, "", LOGON_OTHER }, "owner-integrity" },
		{ { ALICE, INTEGRITY_MEDIUM, "R", LOGON_OTHER }, "caller-not-restricted" },
		{ { ALICE, INTEGRITY_HIGH, "AR", LOGON_OTHER }, "caller-not-restricted" },
		{ { ALICE, INTEGRITY_MEDIUM, "C", LOGON_OTHER }, "caller-not-app-container" },
		{ { ALICE, LOW, "C", LOGON_OTHER }, "caller-not-app-container" },
		{ { ALICE, INTEGRITY_MEDIUM, "I", LOGON_OTHER }, "caller-impersonation" },
		{ { SYSTEM, INTEGRITY_SYSTEM, "AI", LOGON_OTHER }, "caller-impersonation" },
		{ { "", INTEGRITY_SYSTEM, "A", LOGON_OTHER }, "caller-known" },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct fault fault = { 0 };
		struct caller who = caller(cases[i].who);
		enum result result = access_own(&who, &fault);
		expect_rule(result, &fault, cases[i].rule, i);
		assert_int_equal(access_own(&who, NULL), result);
	}
}

static void access_is_owner__table__name_integrity_and_elevation_agree(void **state)
{
	(void)state;
	struct caller who = caller((struct who)ELEVATED(ALICE));
	assert_true(access_is_owner(&who, &(struct job_owner){ ALICE, INTEGRITY_HIGH, true }));
	assert_false(access_is_owner(&who, &(struct job_owner){ ALICE, INTEGRITY_HIGH, false }));
	assert_false(access_is_owner(&who, &(struct job_owner){ ALICE, INTEGRITY_MEDIUM, true }));
	assert_false(access_is_owner(&who, &(struct job_owner){ BOB, INTEGRITY_HIGH, true }));
	assert_false(access_is_owner(&who, &(struct job_owner){ ALICE "0", INTEGRITY_HIGH, true }));
	who = caller((struct who)SERVICE(AGENT));
	assert_true(access_is_owner(&who, &(struct job_owner){ AGENT, INTEGRITY_SYSTEM, false }));
	assert_false(access_is_owner(&who, &(struct job_owner){ "S-1-5-20", INTEGRITY_SYSTEM, false }));
}

static void access_is_exempt__services_and_elevated_administrators__nobody_else(void **state)
{
	(void)state;
	static const struct {
		struct who who;
		bool exempt;
	} cases[] = {
		{ PLAIN(ALICE), false },
		{ { ALICE, INTEGRITY_HIGH, "", LOGON_OTHER }, false },
		{ { ALICE, INTEGRITY_MEDIUM, "A", LOGON_OTHER }, false }, /* an administrator who is not elevated */
		{ ELEVATED(ALICE), true },
		{ LOCAL_SYSTEM, true },
		{ SERVICE("S-1-5-19"), true },
		{ SERVICE(AGENT), true },
		{ { "S-1-5-80-1-2-3-4-5", INTEGRITY_HIGH, "", LOGON_SERVICE }, true },
		{ SERVICE("S-1-5-181"), false }, /* only begins like one */
		{ SERVICE("S-1-5-8-1"), false },
		{ PLAIN("S-1-5-21-1-2-3-18"), false },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct caller who = caller(cases[i].who);
		assert_int_equal(access_is_exempt(&who), cases[i].exempt);
	}
}

/* --- opening --- */

static void access_open__table__owner_administrator_pinned_helper_or_nothing_there(void **state)
{
	(void)state;
	static const struct {
		struct who who, owner;
		const char *pin;
		enum result result;
		unsigned rights;
	} cases[] = {
		/* the owner */
		{ PLAIN(ALICE), PLAIN(ALICE), "", RESULT_OK, ACCESS_OWNER },
		{ ELEVATED(ALICE), PLAIN(ALICE), "", RESULT_OK, ACCESS_OWNER },
		{ ELEVATED(ALICE), ELEVATED(ALICE), "", RESULT_OK, ACCESS_OWNER },
		{ { ALICE, INTEGRITY_HIGH, "", LOGON_OTHER }, { ALICE, INTEGRITY_HIGH, "", LOGON_OTHER }, "", RESULT_OK, ACCESS_OWNER },
		{ LOCAL_SYSTEM, LOCAL_SYSTEM, "", RESULT_OK, ACCESS_OWNER },
		{ SERVICE(AGENT), SERVICE(AGENT), "", RESULT_OK, ACCESS_OWNER },
		/* the owner, but not elevated or below: integrity and elevation count each for itself */
		{ PLAIN(ALICE), ELEVATED(ALICE), "", RESULT_OK, WATCH },
		{ { ALICE, INTEGRITY_HIGH, "", LOGON_OTHER }, ELEVATED(ALICE), "", RESULT_OK, WATCH },
		{ { ALICE, INTEGRITY_HIGH - 1, "A", LOGON_OTHER }, ELEVATED(ALICE), "", RESULT_OK, WATCH },
		{ PLAIN(ALICE), { ALICE, INTEGRITY_MEDIUM, "A", LOGON_OTHER }, "", RESULT_OK, WATCH },
		{ PLAIN(ALICE), { ALICE, INTEGRITY_HIGH, "", LOGON_OTHER }, "", RESULT_OK, WATCH },
		{ { ALICE, LOW, "", LOGON_OTHER }, PLAIN(ALICE), "", RESULT_OK, WATCH },
		{ { ALICE, LOW, "A", LOGON_OTHER }, PLAIN(ALICE), "", RESULT_OK, WATCH },
		/* the owner and an administrator, below the job's integrity: what both give */
		{ ELEVATED(SYSTEM), LOCAL_SYSTEM, "", RESULT_OK, STOP },
		{ ELEVATED(ALICE), { ALICE, INTEGRITY_SYSTEM, "A", LOGON_OTHER }, "", RESULT_OK, STOP },
		/* administrators: look, stop, lend their own; the last not to services and not upwards */
		{ ELEVATED(BOB), PLAIN(ALICE), "", RESULT_OK, STOP | ACCESS_SET_TOKEN },
		{ ELEVATED(BOB), ELEVATED(ALICE), "", RESULT_OK, STOP | ACCESS_SET_TOKEN },
		{ LOCAL_SYSTEM, PLAIN(ALICE), "", RESULT_OK, STOP | ACCESS_SET_TOKEN },
		{ ELEVATED(BOB), LOCAL_SYSTEM, "", RESULT_OK, STOP },
		{ ELEVATED(BOB), { ALICE, INTEGRITY_SYSTEM, "", LOGON_OTHER }, "", RESULT_OK, STOP },
		{ ELEVATED(BOB), PLAIN("S-1-5-19"), "", RESULT_OK, STOP },
		{ ELEVATED(BOB), PLAIN(AGENT), "", RESULT_OK, STOP },
		{ ELEVATED(BOB), PLAIN("S-1-5-80-1-2-3-4-5"), "", RESULT_OK, STOP },
		{ LOCAL_SYSTEM, SERVICE(AGENT), "", RESULT_OK, STOP },
		/* the pinned helper */
		{ PLAIN(BOB), PLAIN(ALICE), BOB, RESULT_OK, ACCESS_ATTACH },
		{ PLAIN(BOB), ELEVATED(ALICE), BOB, RESULT_OK, ACCESS_ATTACH },
		{ PLAIN(BOB), LOCAL_SYSTEM, BOB, RESULT_OK, ACCESS_ATTACH },
		{ SERVICE(AGENT), PLAIN(ALICE), AGENT, RESULT_OK, ACCESS_ATTACH },
		{ ELEVATED(BOB), LOCAL_SYSTEM, BOB, RESULT_OK, STOP | ACCESS_ATTACH },
		{ PLAIN(ALICE), PLAIN(ALICE), ALICE, RESULT_OK, ACCESS_OWNER | ACCESS_ATTACH },
		{ { BOB, LOW, "", LOGON_OTHER }, PLAIN(ALICE), BOB, RESULT_NOT_FOUND, 0 },
		{ { BOB, INTEGRITY_MEDIUM - 1, "A", LOGON_OTHER }, PLAIN(ALICE), BOB, RESULT_NOT_FOUND, 0 },
		{ PLAIN(CAROL), PLAIN(ALICE), BOB, RESULT_NOT_FOUND, 0 },
		{ PLAIN(BOB "0"), PLAIN(ALICE), BOB, RESULT_NOT_FOUND, 0 },
		{ SERVICE("S-1-5-20"), PLAIN(ALICE), AGENT, RESULT_NOT_FOUND, 0 },
		/* neither */
		{ PLAIN(BOB), PLAIN(ALICE), "", RESULT_NOT_FOUND, 0 },
		{ { BOB, INTEGRITY_MEDIUM, "A", LOGON_OTHER }, PLAIN(ALICE), "", RESULT_NOT_FOUND, 0 },
		{ { BOB, INTEGRITY_SYSTEM, "", LOGON_OTHER }, PLAIN(ALICE), "", RESULT_NOT_FOUND, 0 },
		{ { BOB, INTEGRITY_HIGH - 1, "A", LOGON_OTHER }, { ALICE, 0, "", LOGON_OTHER }, "", RESULT_NOT_FOUND, 0 },
		{ PLAIN(ALICE "0"), PLAIN(ALICE), "", RESULT_NOT_FOUND, 0 },
		{ PLAIN("S-1-5-21-1-2-3-100"), PLAIN(ALICE), "", RESULT_NOT_FOUND, 0 },
		/* NetworkService with another service's SID, or with none, is another owner (security rule 7) */
		{ SERVICE("S-1-5-20+S-1-5-80-1"), SERVICE("S-1-5-20+S-1-5-80-2"), "", RESULT_NOT_FOUND, 0 },
		{ SERVICE("S-1-5-20"), SERVICE(AGENT), "", RESULT_NOT_FOUND, 0 },
		/* declared jobs are the service's alone: administrators look, a pinned helper attaches, and no account is their owner */
		{ ELEVATED(BOB), SERVICE(ACCESS_DECLARED_OWNER), "", RESULT_OK, WATCH },
		{ LOCAL_SYSTEM, SERVICE(ACCESS_DECLARED_OWNER), "", RESULT_OK, WATCH },
		{ PLAIN(BOB), SERVICE(ACCESS_DECLARED_OWNER), BOB, RESULT_OK, ACCESS_ATTACH },
		{ ELEVATED(BOB), SERVICE(ACCESS_DECLARED_OWNER), BOB, RESULT_OK, WATCH | ACCESS_ATTACH },
		{ PLAIN(ALICE), SERVICE(ACCESS_DECLARED_OWNER), BOB, RESULT_NOT_FOUND, 0 },
		{ SERVICE("S-1-5-20"), SERVICE(ACCESS_DECLARED_OWNER), "", RESULT_NOT_FOUND, 0 },
		{ SERVICE(AGENT), SERVICE(ACCESS_DECLARED_OWNER), "", RESULT_NOT_FOUND, 0 },
		{ SERVICE("S-1-5-80-1-2-3-4-5"), SERVICE(ACCESS_DECLARED_OWNER), "", RESULT_NOT_FOUND, 0 },
		/* those who may ask for nothing, whoever's the job is */
		{ { ALICE, INTEGRITY_MEDIUM, "R", LOGON_OTHER }, PLAIN(ALICE), ALICE, RESULT_ACCESS_REFUSED, 0 },
		{ { BOB, INTEGRITY_MEDIUM, "R", LOGON_OTHER }, PLAIN(ALICE), BOB, RESULT_ACCESS_REFUSED, 0 },
		{ { BOB, INTEGRITY_HIGH, "AR", LOGON_OTHER }, PLAIN(ALICE), "", RESULT_ACCESS_REFUSED, 0 },
		{ { ALICE, LOW, "C", LOGON_OTHER }, PLAIN(ALICE), "", RESULT_ACCESS_REFUSED, 0 },
		{ { BOB, INTEGRITY_MEDIUM, "C", LOGON_OTHER }, PLAIN(ALICE), BOB, RESULT_ACCESS_REFUSED, 0 },
		{ { ALICE, INTEGRITY_MEDIUM, "I", LOGON_OTHER }, PLAIN(ALICE), "", RESULT_ACCESS_REFUSED, 0 },
		{ { BOB, INTEGRITY_HIGH, "AI", LOGON_OTHER }, PLAIN(ALICE), BOB, RESULT_ACCESS_REFUSED, 0 },
		{ { "", INTEGRITY_SYSTEM, "A", LOGON_OTHER }, PLAIN(ALICE), "", RESULT_ACCESS_REFUSED, 0 },
		{ PLAIN(""), PLAIN(""), "", RESULT_ACCESS_REFUSED, 0 },
	};
	static struct job job;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct caller who = caller(cases[i].who);
		unsigned rights = 0xDEAD;
		struct fault fault = { 0 };
		set_job(&job, cases[i].owner, cases[i].pin);
		enum result result = access_open(&who, &job, &rights, &fault);
		if (result != cases[i].result)
			fail_msg("row %d: %s", (int)i, result_name(result));
		if (rights != (result == RESULT_OK ? cases[i].rights : 0xDEAD))
			fail_msg("row %d: rights 0x%x", (int)i, rights);
		assert_int_equal(access_open(&who, &job, &rights, NULL), result);
	}
}

/* What is said to those who may not know of a job does not depend on the job. */
static void access_open__refusals__do_not_tell_one_job_from_another(void **state)
{
	(void)state;
	static const struct who owners[] = { PLAIN(ALICE), ELEVATED(ALICE), LOCAL_SYSTEM, SERVICE("S-1-5-80-1"), PLAIN("") };
	static const char *const pins[] = { "", CAROL };
	static const char *const flags[] = { "", "A", "R", "I", "C" };
	static struct job job;
	for (size_t f = 0; f < COUNT(flags); f++) {
		struct caller who = caller((struct who){ BOB, INTEGRITY_MEDIUM, flags[f], LOGON_OTHER });
		struct fault first = { 0 };
		unsigned rights;
		set_job(&job, owners[0], "");
		enum result result = access_open(&who, &job, &rights, &first);
		assert_int_not_equal(result, RESULT_OK);
		assert_null(strstr(first.what, "S-1-"));
		for (size_t i = 0; i < COUNT(owners) * COUNT(pins); i++) {
			struct fault other = { 0 };
			set_job(&job, owners[i / COUNT(pins)], pins[i % COUNT(pins)]);
			assert_int_equal(access_open(&who, &job, &rights, &other), result);
			assert_int_equal(other.result, first.result);
			assert_int_equal(other.raw, first.raw);
			assert_string_equal(first.what, other.what);
		}
	}
}

/* --- taking over --- */

static void access_take__table__elevated_administrators_take_what_is_no_services(void **state)
{
	(void)state;
	static const struct {
		struct who who, owner;
		const char *rule;
	} cases[] = {
		{ ELEVATED(BOB), PLAIN(ALICE), NULL },
		{ ELEVATED(BOB), ELEVATED(ALICE), NULL },
		{ ELEVATED(ALICE), PLAIN(ALICE), NULL },
		{ LOCAL_SYSTEM, ELEVATED(ALICE), NULL },
		{ LOCAL_SYSTEM, { ALICE, INTEGRITY_SYSTEM, "", LOGON_OTHER }, NULL },
		{ PLAIN(BOB), PLAIN(ALICE), "take-elevated" },
		{ PLAIN(ALICE), PLAIN(ALICE), "take-elevated" },
		{ { BOB, INTEGRITY_MEDIUM, "A", LOGON_OTHER }, PLAIN(ALICE), "take-elevated" },
		{ { BOB, INTEGRITY_HIGH, "", LOGON_OTHER }, PLAIN(ALICE), "take-elevated" },
		{ SERVICE(AGENT), PLAIN(ALICE), "take-elevated" },
		{ ELEVATED(BOB), LOCAL_SYSTEM, "take-not-services" },
		{ ELEVATED(BOB), SERVICE(ACCESS_DECLARED_OWNER), "take-not-services" },
		{ ELEVATED(BOB), PLAIN("S-1-5-18"), "take-not-services" },
		{ ELEVATED(BOB), PLAIN("S-1-5-19"), "take-not-services" },
		{ ELEVATED(BOB), PLAIN(AGENT), "take-not-services" },
		{ ELEVATED(BOB), PLAIN("S-1-5-80-1-2-3-4-5"), "take-not-services" },
		{ LOCAL_SYSTEM, SERVICE(AGENT), "take-not-services" },
		{ ELEVATED(BOB), { ALICE, INTEGRITY_HIGH + 1, "A", LOGON_OTHER }, "take-not-services" },
		{ { BOB, INTEGRITY_HIGH, "AR", LOGON_OTHER }, PLAIN(ALICE), "caller-not-restricted" },
		{ { BOB, INTEGRITY_HIGH, "AI", LOGON_OTHER }, PLAIN(ALICE), "caller-impersonation" },
		{ { BOB, LOW, "A", LOGON_OTHER }, PLAIN(ALICE), "owner-integrity" },
	};
	static struct job job;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct fault fault = { 0 };
		struct caller who = caller(cases[i].who);
		set_job(&job, cases[i].owner, "");
		expect_rule(access_take(&who, &job, &fault), &fault, cases[i].rule, i);
	}
}

/* --- lending --- */

/* What the opener's rights are: those that access_open gives, unless a row says otherwise. */
#define AS_OPENED UINT32_MAX

static struct opener opener_of(struct who who, const struct job *job, unsigned rights)
{
	struct opener opener = { .caller = caller(who), .rights = rights };
	if (rights == AS_OPENED) {
		opener.rights = 0;
		(void)!access_open(&opener.caller, job, &opener.rights, NULL);
	}
	return opener;
}

static void access_lend__table__who_opened_the_job_and_whose_the_token_is(void **state)
{
	(void)state;
	static const struct {
		struct who who, owner, helper;
		const char *pin;
		bool roots;
		unsigned rights; /* AS_OPENED */
		const char *rule;
	} cases[] = {
		/* 1607: the owner lends whomever, but no administrator, unless he is an elevated one */
		{ PLAIN(ALICE), PLAIN(ALICE), PLAIN(BOB), "", false, AS_OPENED, NULL },
		{ PLAIN(ALICE), PLAIN(ALICE), PLAIN(ALICE), "", true, AS_OPENED, NULL },
		{ PLAIN(ALICE), PLAIN(ALICE), SERVICE(AGENT), "", true, AS_OPENED, NULL },
		{ SERVICE(AGENT), SERVICE(AGENT), PLAIN(BOB), "", true, AS_OPENED, NULL },
		{ PLAIN(ALICE), PLAIN(ALICE), ELEVATED(BOB), "", false, AS_OPENED, "lend-not-administrators" },
		{ PLAIN(ALICE), PLAIN(ALICE), ELEVATED(ALICE), "", false, AS_OPENED, "lend-not-administrators" },
		{ PLAIN(ALICE), PLAIN(ALICE), LOCAL_SYSTEM, "", false, AS_OPENED, "lend-not-administrators" },
		{ SERVICE(AGENT), SERVICE(AGENT), ELEVATED(BOB), "", false, AS_OPENED, "lend-not-administrators" },
		/* Administrators without high integrity are none, as openers; as helpers they are: the group is enabled */
		{ { ALICE, INTEGRITY_MEDIUM, "A", LOGON_OTHER }, PLAIN(ALICE), ELEVATED(BOB), "", false, AS_OPENED,
		  "lend-not-administrators" },
		{ PLAIN(ALICE), PLAIN(ALICE), { BOB, INTEGRITY_MEDIUM, "A", LOGON_OTHER }, "", false, AS_OPENED,
		  "lend-not-administrators" },
		{ ELEVATED(ALICE), ELEVATED(ALICE), ELEVATED(BOB), "", false, AS_OPENED, NULL },
		{ ELEVATED(ALICE), ELEVATED(ALICE), ELEVATED(BOB), "", true, AS_OPENED, NULL },
		{ LOCAL_SYSTEM, LOCAL_SYSTEM, LOCAL_SYSTEM, "", true, AS_OPENED, NULL },
		/* an elevated administrator, to others: sealed; to his own plain programs' job his elevated token likewise */
		{ ELEVATED(BOB), PLAIN(ALICE), ELEVATED(BOB), "", false, AS_OPENED, NULL },
		{ ELEVATED(BOB), PLAIN(ALICE), PLAIN(CAROL), "", false, AS_OPENED, NULL },
		{ ELEVATED(BOB), PLAIN(ALICE), PLAIN(CAROL), "", true, AS_OPENED, "lend-sealed" },
		{ ELEVATED(BOB), PLAIN(ALICE), ELEVATED(BOB), "", true, AS_OPENED, "lend-sealed" },
		{ ELEVATED(BOB), ELEVATED(ALICE), ELEVATED(BOB), "", true, AS_OPENED, "lend-sealed" },
		{ LOCAL_SYSTEM, PLAIN(ALICE), LOCAL_SYSTEM, "", true, AS_OPENED, "lend-sealed" },
		{ ELEVATED(ALICE), PLAIN(ALICE), ELEVATED(ALICE), "", false, AS_OPENED, NULL },
		{ ELEVATED(ALICE), PLAIN(ALICE), ELEVATED(ALICE), "", true, AS_OPENED, "lend-sealed" },
		{ ELEVATED(ALICE), PLAIN(ALICE), PLAIN(CAROL), "", true, AS_OPENED, NULL },
		/* services and what is above keep administrators out */
		{ ELEVATED(BOB), LOCAL_SYSTEM, ELEVATED(BOB), "", false, AS_OPENED, "set-token" },
		{ LOCAL_SYSTEM, SERVICE(AGENT), LOCAL_SYSTEM, "", false, AS_OPENED, "set-token" },
		{ ELEVATED(BOB), { ALICE, INTEGRITY_SYSTEM, "", LOGON_OTHER }, PLAIN(BOB), "", false, AS_OPENED, "set-token" },
		/* the plain owner of an elevated job, and who is nobody to it */
		{ PLAIN(ALICE), ELEVATED(ALICE), PLAIN(BOB), "", false, AS_OPENED, "set-token" },
		{ { ALICE, LOW, "", LOGON_OTHER }, PLAIN(ALICE), PLAIN(BOB), "", false, AS_OPENED, "set-token" },
		{ PLAIN(BOB), PLAIN(ALICE), PLAIN(BOB), "", false, AS_OPENED, "set-token" },
		{ PLAIN(ALICE), PLAIN(ALICE), PLAIN(BOB), "", false, ACCESS_OWNER & ~(unsigned)ACCESS_SET_TOKEN, "set-token" },
		/* a handle whose job is somebody else's by now */
		{ PLAIN(BOB), PLAIN(ALICE), PLAIN(BOB), "", false, ACCESS_OWNER, "lend-opened-as-owner" },
		/* the pin holds for everybody */
		{ PLAIN(ALICE), PLAIN(ALICE), PLAIN(BOB), BOB, true, AS_OPENED, NULL },
		{ PLAIN(ALICE), PLAIN(ALICE), PLAIN(CAROL), BOB, false, AS_OPENED, "helper-pinned" },
		{ PLAIN(ALICE), PLAIN(ALICE), PLAIN(ALICE), BOB, false, AS_OPENED, "helper-pinned" },
		{ PLAIN(ALICE), PLAIN(ALICE), PLAIN(BOB "0"), BOB, false, AS_OPENED, "helper-pinned" },
		{ ELEVATED(CAROL), PLAIN(ALICE), ELEVATED(CAROL), BOB, false, AS_OPENED, "helper-pinned" },
		{ SERVICE(AGENT), SERVICE(AGENT), SERVICE("S-1-5-20"), AGENT, false, AS_OPENED, "helper-pinned" },
		/* who attaches: his own token, and no administrator's from his plain programs */
		{ PLAIN(BOB), PLAIN(ALICE), PLAIN(BOB), BOB, false, AS_OPENED, NULL },
		{ PLAIN(BOB), PLAIN(ALICE), PLAIN(BOB), BOB, true, AS_OPENED, NULL },
		{ PLAIN(BOB), LOCAL_SYSTEM, PLAIN(BOB), BOB, false, AS_OPENED, NULL },
		{ PLAIN(BOB), PLAIN(ALICE), PLAIN(CAROL), BOB, false, AS_OPENED, "helper-pinned" },
		{ PLAIN(BOB), PLAIN(ALICE), ELEVATED(BOB), BOB, false, AS_OPENED, "lend-not-administrators" },
		{ PLAIN(ALICE), ELEVATED(ALICE), ELEVATED(ALICE), ALICE, false, AS_OPENED, "lend-not-administrators" },
		{ PLAIN(BOB), PLAIN(ALICE), ELEVATED(BOB), BOB, true, AS_OPENED, "lend-sealed" },
		{ ELEVATED(BOB), LOCAL_SYSTEM, ELEVATED(BOB), BOB, false, AS_OPENED, NULL },
		{ ELEVATED(BOB), LOCAL_SYSTEM, ELEVATED(BOB), BOB, true, AS_OPENED, "lend-sealed" },
		{ PLAIN(BOB), PLAIN(ALICE), PLAIN(CAROL), CAROL, false, ACCESS_ATTACH, "set-token" }, /* pinned anew */
		{ PLAIN(BOB), PLAIN(ALICE), PLAIN(BOB), "", false, ACCESS_ATTACH, "set-token" },      /* not any more */
		/* Helper and opener both are the pin; only a handle that no open gives shows that it is asked for. */
		{ PLAIN(""), PLAIN(ALICE), PLAIN(BOB), "", false, ACCESS_ATTACH, "attach-own" },
	};
	static struct job job;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct fault fault = { 0 };
		set_job(&job, cases[i].owner, cases[i].pin);
		struct opener opener = opener_of(cases[i].who, &job, cases[i].rights);
		struct caller helper = caller(cases[i].helper);
		enum result result = access_lend(&opener, &job, &helper, cases[i].roots, &fault);
		expect_rule(result, &fault, cases[i].rule, i);
		assert_int_equal(access_lend(&opener, &job, &helper, cases[i].roots, NULL), result);
	}
}

static void access_lend__table__what_token_it_is_and_for_what(void **state)
{
	(void)state;
	static const struct {
		struct who helper;
		unsigned flags;
		const char *pin;
		const char *last;
		enum logon last_logon;
		const char *rule;
	} cases[] = {
		{ { BOB, INTEGRITY_MEDIUM, "I", LOGON_OTHER }, 0, "", "", LOGON_OTHER, "token-impersonation" },
		{ { "", INTEGRITY_MEDIUM, "I", LOGON_OTHER }, 0, "", "", LOGON_OTHER, "token-impersonation" },
		{ PLAIN(""), 0, "", "", LOGON_OTHER, "helper-known" },
		{ { BOB, LOW, "C", LOGON_OTHER }, HELPER_LOCAL_FILE, "", "", LOGON_OTHER, "helper-not-app-container" },
		{ { BOB, INTEGRITY_MEDIUM, "C", LOGON_OTHER }, 0, BOB, "", LOGON_OTHER, "helper-not-app-container" },
		/* sandboxes: for files, and before it is said for what; not for the network */
		{ { BOB, INTEGRITY_MEDIUM, "R", LOGON_OTHER }, HELPER_LOCAL_FILE, "", "", LOGON_OTHER, NULL },
		{ { BOB, LOW, "", LOGON_OTHER }, HELPER_LOCAL_FILE, "", "", LOGON_OTHER, NULL },
		{ { BOB, LOW, "R", LOGON_OTHER }, 0, "", "", LOGON_OTHER, NULL },
		{ { BOB, INTEGRITY_MEDIUM, "R", LOGON_OTHER }, HELPER_NETWORK, "", "", LOGON_OTHER, "helper-network-whole" },
		{ { BOB, INTEGRITY_MEDIUM, "R", LOGON_OTHER }, HELPER_ALL, "", "", LOGON_OTHER, "helper-network-whole" },
		{ { BOB, INTEGRITY_MEDIUM - 1, "", LOGON_OTHER }, HELPER_NETWORK, "", "", LOGON_OTHER, "helper-network-whole" },
		{ PLAIN(BOB), HELPER_ALL, "", "", LOGON_OTHER, NULL },
		/* the kind of logon is pinned with the SID (rule 14), once it is known, and only there */
		{ { BOB, INTEGRITY_MEDIUM, "", LOGON_NETWORK }, 0, BOB, "", LOGON_OTHER, NULL },
		{ { BOB, INTEGRITY_MEDIUM, "", LOGON_NETWORK }, 0, BOB, BOB, LOGON_NETWORK, NULL },
		{ { BOB, INTEGRITY_MEDIUM, "", LOGON_NETWORK }, 0, BOB, BOB, LOGON_INTERACTIVE, "helper-pinned-logon" },
		{ { BOB, INTEGRITY_MEDIUM, "", LOGON_INTERACTIVE }, 0, BOB, BOB, LOGON_OTHER, "helper-pinned-logon" },
		{ { BOB, INTEGRITY_MEDIUM, "", LOGON_NETWORK }, 0, BOB, CAROL, LOGON_INTERACTIVE, NULL },
		{ { BOB, INTEGRITY_MEDIUM, "", LOGON_NETWORK }, 0, "", BOB, LOGON_INTERACTIVE, NULL },
	};
	static struct job job;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct fault fault = { 0 };
		set_job(&job, (struct who)PLAIN(ALICE), cases[i].pin);
		job.helper_flags = cases[i].flags;
		job.helper_logon = cases[i].last_logon;
		assert_int_equal(text_copy(job.helper_sid, sizeof(job.helper_sid), text_view(cases[i].last)), RESULT_OK);
		struct opener opener = opener_of((struct who)PLAIN(ALICE), &job, AS_OPENED);
		struct caller helper = caller(cases[i].helper);
		expect_rule(access_lend(&opener, &job, &helper, false, &fault), &fault, cases[i].rule, i);
	}
}

/* --- flags --- */

#define NOBODY { NULL, 0, "", LOGON_OTHER }

static void access_set_flags__table__who_opened_the_job_and_whose_token_is_lent(void **state)
{
	(void)state;
	static const struct {
		struct who who, owner, helper;
		unsigned flags, rights;
		const char *rule;
	} cases[] = {
		{ PLAIN(ALICE), PLAIN(ALICE), NOBODY, HELPER_ALL, AS_OPENED, NULL },
		{ PLAIN(ALICE), PLAIN(ALICE), PLAIN(BOB), HELPER_ALL, AS_OPENED, NULL },
		{ PLAIN(ALICE), PLAIN(ALICE), ELEVATED(BOB), HELPER_LOCAL_FILE, AS_OPENED, "flags-not-administrators" },
		{ PLAIN(ALICE), PLAIN(ALICE), ELEVATED(BOB), 0, AS_OPENED, "flags-not-administrators" },
		{ { ALICE, INTEGRITY_MEDIUM, "A", LOGON_OTHER }, PLAIN(ALICE), ELEVATED(BOB), 0, AS_OPENED,
		  "flags-not-administrators" },
		{ ELEVATED(ALICE), PLAIN(ALICE), ELEVATED(BOB), HELPER_ALL, AS_OPENED, NULL },
		{ ELEVATED(CAROL), PLAIN(ALICE), ELEVATED(BOB), HELPER_ALL, AS_OPENED, NULL },
		{ ELEVATED(CAROL), LOCAL_SYSTEM, NOBODY, 0, AS_OPENED, "set-token" },
		{ PLAIN(ALICE), ELEVATED(ALICE), NOBODY, 0, AS_OPENED, "set-token" },
		{ PLAIN(BOB), PLAIN(ALICE), PLAIN(BOB), HELPER_ALL, ACCESS_ATTACH, "set-token" },
		{ PLAIN(BOB), PLAIN(ALICE), NOBODY, 0, ACCESS_OWNER, "flags-opened-as-owner" },
		{ PLAIN(ALICE), PLAIN(ALICE), { BOB, INTEGRITY_MEDIUM, "R", LOGON_OTHER }, HELPER_LOCAL_FILE, AS_OPENED, NULL },
		{ PLAIN(ALICE), PLAIN(ALICE), { BOB, INTEGRITY_MEDIUM, "R", LOGON_OTHER }, HELPER_NETWORK, AS_OPENED,
		  "helper-network-whole" },
		{ ELEVATED(CAROL), PLAIN(ALICE), { BOB, LOW, "", LOGON_OTHER }, HELPER_ALL, AS_OPENED, "helper-network-whole" },
	};
	static struct job job;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct fault fault = { 0 };
		struct caller helper = { .integrity = 0 };
		set_job(&job, cases[i].owner, "");
		if (cases[i].helper.sid)
			helper = caller(cases[i].helper);
		struct opener opener = opener_of(cases[i].who, &job, cases[i].rights);
		expect_rule(access_set_flags(&opener, &job, cases[i].helper.sid ? &helper : NULL, HELPER_ALL, cases[i].flags,
		                             &fault), &fault, cases[i].rule, i);
	}
}

/* Whoever lent the token, but for the owner, lent it for what the job's flags were then: the owner may take some away and
 * give them back, but not add any (rule 11). */
static void access_set_flags__token_lent_by_somebody_else__no_flag_is_added_to_those_he_agreed_to(void **state)
{
	(void)state;
	static struct job job;
	const struct caller helper = caller((struct who)PLAIN(BOB));

	for (unsigned agreed = 0; agreed <= HELPER_ALL; agreed++) {
		for (unsigned flags = 0; flags <= HELPER_ALL; flags++) {
			struct fault fault = { 0 };
			set_job(&job, (struct who)PLAIN(ALICE), BOB);
			job.helper_flags = agreed;
			struct opener owner = opener_of((struct who)PLAIN(ALICE), &job, AS_OPENED);
			struct opener holder = opener_of((struct who)PLAIN(BOB), &job, AS_OPENED);
			struct opener administrator = opener_of((struct who)ELEVATED(CAROL), &job, AS_OPENED);
			assert_int_equal(access_agreed_flags(&owner, &job), HELPER_ALL);
			assert_int_equal(access_agreed_flags(&holder, &job), agreed);
			assert_int_equal(access_agreed_flags(&administrator, &job), agreed);
			expect_rule(access_set_flags(&owner, &job, &helper, agreed, flags, &fault), &fault,
			            (flags & ~agreed) != 0 ? "flags-agreed" : NULL, flags);
			expect_rule(access_set_flags(&owner, &job, NULL, agreed, flags, &fault), &fault, NULL, flags);
		}
	}
}

/* --- claims and lives --- */

static void access_check_claim__table__account_and_logon_agree_to_the_byte(void **state)
{
	(void)state;
	static const struct {
		const char *owner, *sid;
		uint64_t logon_id; /* the helper's is 0x3e7 */
		bool good;
	} cases[] = {
		{ BOB, BOB, 0x3e7, true },
		{ AGENT, "S-1-5-20", 0x3e7, true }, /* the account alone: service SIDs are no client's business */
		{ AGENT, AGENT, 0x3e7, false },
		{ AGENT, "S-1-5-20+", 0x3e7, false },
		{ AGENT, "S-1-5-2", 0x3e7, false },
		{ BOB, BOB, 0x3e8, false },
		{ BOB, BOB, 0, false },
		{ BOB, BOB, UINT64_C(0x1000003e7), false },
		{ BOB, ALICE, 0x3e7, false },
		{ BOB, BOB "0", 0x3e7, false },
		{ BOB, "S-1-5-21-1-2-3-100", 0x3e7, false },
		{ BOB, "s-1-5-21-1-2-3-1002", 0x3e7, false },
		{ BOB, " " BOB, 0x3e7, false },
		{ BOB, "", 0x3e7, false },
		{ "", "", 0x3e7, false },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct fault fault = { 0 };
		struct caller helper = caller((struct who)PLAIN(cases[i].owner));
		expect_rule(access_check_claim(&helper, text_view(cases[i].sid), cases[i].logon_id, &fault), &fault,
		            cases[i].good ? NULL : "claim", i);
	}
	/* A NUL in the claim ends nothing. */
	struct caller helper = caller((struct who)PLAIN(BOB));
	assert_int_equal(access_check_claim(&helper, (struct text_view){ BOB, sizeof(BOB) }, 0x3e7, NULL),
	                 RESULT_ACCESS_REFUSED);
}

static void access_token_life__table__session_then_service_then_what_was_stated(void **state)
{
	(void)state;
	static const struct {
		struct who who;
		bool age_stated;
		enum token_life life;
	} cases[] = {
		{ PLAIN(ALICE), false, TOKEN_LIFE_SESSION },
		{ PLAIN(ALICE), true, TOKEN_LIFE_SESSION },
		{ ELEVATED(ALICE), true, TOKEN_LIFE_SESSION },
		{ { SYSTEM, INTEGRITY_SYSTEM, "A", LOGON_OTHER }, false, TOKEN_LIFE_SESSION }, /* SYSTEM in a user's session */
		{ LOCAL_SYSTEM, false, TOKEN_LIFE_JOB },
		{ SERVICE("S-1-5-19"), false, TOKEN_LIFE_JOB },
		{ SERVICE(AGENT), false, TOKEN_LIFE_JOB },
		{ SERVICE("S-1-5-80-1-2-3-4-5"), true, TOKEN_LIFE_JOB },
		{ { ALICE, INTEGRITY_MEDIUM, "0", LOGON_BATCH }, false, TOKEN_LIFE_CONNECTION },
		{ { ALICE, INTEGRITY_MEDIUM, "0", LOGON_BATCH }, true, TOKEN_LIFE_JOB },
		{ { ALICE, INTEGRITY_MEDIUM, "0", LOGON_NETWORK }, false, TOKEN_LIFE_CONNECTION },
		{ { ALICE, INTEGRITY_MEDIUM, "0", LOGON_INTERACTIVE }, false, TOKEN_LIFE_CONNECTION }, /* LogonUser */
		{ { ALICE, INTEGRITY_HIGH, "A0", LOGON_OTHER }, false, TOKEN_LIFE_CONNECTION },
		/* A service that runs as a domain account, or as a group managed one. */
		{ { ALICE, INTEGRITY_HIGH, "0", LOGON_SERVICE }, false, TOKEN_LIFE_JOB },
		{ { "S-1-5-201", INTEGRITY_SYSTEM, "0", LOGON_OTHER }, false, TOKEN_LIFE_CONNECTION },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct caller helper = caller(cases[i].who);
		enum token_life life = access_token_life(&helper, cases[i].age_stated);
		if (life != cases[i].life)
			fail_msg("row %d: %s", (int)i, token_life_name(life));
	}
	assert_string_equal(token_life_name(TOKEN_LIFE_SESSION), "session");
	assert_string_equal(token_life_name(TOKEN_LIFE_JOB), "job");
	assert_string_equal(token_life_name(TOKEN_LIFE_CONNECTION), "connection");
	static const char *const logons[LOGON_COUNT] = { "other", "interactive", "service", "batch", "network" };
	for (unsigned i = 0; i < LOGON_COUNT; i++)
		assert_string_equal(logon_name((enum logon)i), logons[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(access_own__table__only_whole_callers_of_medium_integrity_and_up),
		cmocka_unit_test(access_is_owner__table__name_integrity_and_elevation_agree),
		cmocka_unit_test(access_is_exempt__services_and_elevated_administrators__nobody_else),
		cmocka_unit_test(access_open__table__owner_administrator_pinned_helper_or_nothing_there),
		cmocka_unit_test(access_open__refusals__do_not_tell_one_job_from_another),
		cmocka_unit_test(access_take__table__elevated_administrators_take_what_is_no_services),
		cmocka_unit_test(access_lend__table__who_opened_the_job_and_whose_the_token_is),
		cmocka_unit_test(access_lend__table__what_token_it_is_and_for_what),
		cmocka_unit_test(access_set_flags__table__who_opened_the_job_and_whose_token_is_lent),
		cmocka_unit_test(access_set_flags__token_lent_by_somebody_else__no_flag_is_added_to_those_he_agreed_to),
		cmocka_unit_test(access_check_claim__table__account_and_logon_agree_to_the_byte),
		cmocka_unit_test(access_token_life__table__session_then_service_then_what_was_stated),
		cmocka_unit_test(access__every_rule_of_the_source__refused_somebody),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
