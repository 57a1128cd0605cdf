/* core/access: what holds in every combination of facts, whichever rule sees to it. */
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

static const char *const sids[] = { ALICE, BOB, "S-1-5-18", "S-1-5-20+S-1-5-80-1-2-3-4-5", "" };
static const char *const owners[] = { ALICE, "S-1-5-18", "S-1-5-20+S-1-5-80-1-2-3-4-5" };
static const char *const pins[] = { "", ALICE, BOB };
static const uint32_t levels[] = { LOW, INTEGRITY_MEDIUM, INTEGRITY_HIGH, INTEGRITY_SYSTEM };

/* The facts of a case, told by the test itself and not by the code it tries. */
struct facts {
	struct opener opener;
	const char *sid, *owner, *pin;
	bool whole, elevated, owns, as_owner, pinned, of_service;
};

static void set_sid(char to[JOB_OWNER_BYTES_MAX], const char *sid)
{
	memcpy(to, sid, strlen(sid) + 1);
}

static void set_caller(struct caller *caller, const char *sid, uint32_t integrity, unsigned bits)
{
	set_sid(caller->owner, sid);
	caller->integrity = integrity;
	caller->administrator = bits & 1;
	caller->restricted = bits & 2;
	caller->app_container = bits & 4;
	caller->impersonation = !(bits & 8);
}

static void check_open(struct facts *facts, const struct job *job)
{
	const struct caller *caller = &facts->opener.caller;
	unsigned rights = 0;
	enum result result = access_open(caller, job, &rights, NULL);

	facts->opener.rights = rights;
	/* Who is not whole is told so; to all others a job is there or not. */
	assert_int_equal(result == RESULT_ACCESS_REFUSED, !facts->whole);
	assert_int_equal(result == RESULT_OK, rights != 0);
	assert_true(result == RESULT_OK || result == RESULT_NOT_FOUND || !facts->whole);
	if (rights != 0)
		assert_true(facts->whole && (facts->owns || facts->elevated || facts->pinned));
	assert_int_equal((rights & ACCESS_QUERY) != 0, facts->whole && (facts->owns || facts->elevated));
	assert_int_equal((rights & ACCESS_SUBSCRIBE) != 0, (rights & ACCESS_QUERY) != 0);
	assert_int_equal((rights & ACCESS_CONTROL) != 0, facts->whole && (facts->as_owner || facts->elevated));
	assert_int_equal((rights & ACCESS_EDIT) != 0, facts->whole && facts->as_owner);
	assert_int_equal((rights & ACCESS_ATTACH) != 0,
	                 facts->whole && facts->pinned && caller->integrity >= INTEGRITY_MEDIUM);
	if (rights & ACCESS_SET_TOKEN)
		assert_true(facts->as_owner ||
		            (facts->elevated && !facts->of_service && caller->integrity >= job->owner_integrity));
	assert_int_equal(access_list_all(caller), facts->whole && facts->elevated);
	if (access_take(caller, job, NULL) == RESULT_OK)
		assert_true(facts->whole && facts->elevated && !facts->of_service &&
		            caller->integrity >= job->owner_integrity);
}

/* What a loan that was granted must not be. */
static void check_loan(const struct facts *facts, const struct job *job, const struct caller *helper, bool roots)
{
	bool is_own = strcmp(helper->owner, facts->sid) == 0;

	assert_true(facts->whole && helper->impersonation && !helper->app_container && helper->owner[0] != '\0');
	assert_true(!helper->administrator || facts->elevated);
	assert_true(facts->as_owner || (facts->elevated && !facts->of_service) || facts->pinned);
	if (!facts->as_owner && !facts->elevated)
		assert_true(is_own && facts->pinned);
	if (facts->of_service && !facts->as_owner)
		assert_true(is_own && facts->pinned);
	if (facts->pin[0] != '\0')
		assert_string_equal(helper->owner, facts->pin);
	if (job->helper_flags & HELPER_NETWORK)
		assert_true(!helper->restricted && helper->integrity >= INTEGRITY_MEDIUM);
	if (roots && (facts->elevated || helper->administrator))
		assert_true(facts->owns);
	if (roots && helper->administrator)
		assert_true(job->owner_elevated);
}

static void check_helpers(const struct facts *facts, struct job *job, uint64_t *loans)
{
	static const uint32_t helper_levels[] = { LOW, INTEGRITY_MEDIUM, INTEGRITY_HIGH };
	struct caller helper = { .integrity = 0 };

	for (unsigned i = 0; i < COUNT(sids) * COUNT(helper_levels) * 16; i++) {
		set_caller(&helper, sids[i % COUNT(sids)], helper_levels[i / COUNT(sids) % COUNT(helper_levels)],
		           i / (unsigned)(COUNT(sids) * COUNT(helper_levels)));
		for (unsigned flags = 0; flags <= HELPER_ALL; flags++) {
			enum result of_flags = access_set_flags(&facts->opener, job, &helper, HELPER_ALL, flags, NULL);
			if (of_flags == RESULT_OK) {
				assert_true(facts->opener.rights & ACCESS_SET_TOKEN);
				assert_true(facts->elevated || (facts->as_owner && !helper.administrator));
				assert_true(!(flags & HELPER_NETWORK) ||
				            (!helper.restricted && helper.integrity >= INTEGRITY_MEDIUM));
			}
			job->helper_flags = flags;
			enum result sealed = access_lend(&facts->opener, job, &helper, false, NULL);
			enum result rooted = access_lend(&facts->opener, job, &helper, true, NULL);
			if (sealed == RESULT_OK)
				check_loan(facts, job, &helper, false);
			if (rooted == RESULT_OK)
				check_loan(facts, job, &helper, true);
			assert_true(rooted != RESULT_OK || sealed == RESULT_OK); /* roots never give what is not had without */
			*loans += sealed == RESULT_OK;
		}
	}
}

static void access__every_combination__keeps_the_promises(void **state)
{
	(void)state;
	static struct job job;
	struct facts facts;
	uint64_t loans = 0;

	for (unsigned of = 0; of < COUNT(owners) * COUNT(levels) * 2 * COUNT(pins); of++) {
		facts.owner = owners[of % COUNT(owners)];
		facts.pin = pins[of / COUNT(owners) % COUNT(pins)];
		facts.of_service = facts.owner != owners[0];
		set_sid(job.owner, facts.owner);
		set_sid(job.properties.pinned_helper, facts.pin);
		job.owner_integrity = levels[of / (COUNT(owners) * COUNT(pins)) % COUNT(levels)];
		job.owner_elevated = of >= COUNT(owners) * COUNT(pins) * COUNT(levels);
		for (unsigned by = 0; by < COUNT(sids) * COUNT(levels) * 16; by++) {
			struct caller *caller = &facts.opener.caller;
			facts.opener = (struct opener){ .rights = 0 };
			facts.sid = sids[by % COUNT(sids)];
			set_caller(caller, facts.sid, levels[by / COUNT(sids) % COUNT(levels)],
			           by / (unsigned)(COUNT(sids) * COUNT(levels)));
			facts.whole = caller->impersonation && !caller->restricted && !caller->app_container && facts.sid[0] != '\0';
			facts.elevated = caller->administrator && caller->integrity >= INTEGRITY_HIGH;
			facts.owns = strcmp(facts.sid, facts.owner) == 0;
			facts.as_owner = facts.owns && caller->integrity >= job.owner_integrity &&
			                 (caller->administrator || !job.owner_elevated);
			facts.pinned = facts.pin[0] != '\0' && strcmp(facts.sid, facts.pin) == 0;
			check_open(&facts, &job);
			if (facts.opener.rights != 0 || by % 97 == 0) /* who has no right is asked now and then */
				check_helpers(&facts, &job, &loans);
		}
	}
	assert_true(loans > 10000); /* the promises were tried, not only kept by refusing all */
}

/* Two make files as the same exactly if they agree in all that says who may change these afterwards. */
static void access_writer__every_two__are_one_only_if_they_are_alike(void **state)
{
	(void)state;
	enum { CASES = COUNT(sids) * COUNT(levels) * 4 };
	static char writers[CASES][JOB_WRITER_BYTES_MAX];
	for (unsigned i = 0; i < CASES; i++) {
		struct caller caller = { .logon_id = i, .session = i }; /* of any logon */
		set_caller(&caller, sids[i % COUNT(sids)], levels[i / COUNT(sids) % COUNT(levels)],
		           i / (unsigned)(COUNT(sids) * COUNT(levels)));
		access_writer(&caller, writers[i]);
		for (unsigned j = 0; j < i; j++)
			assert_string_not_equal(writers[i], writers[j]);
		caller.session++;
		caller.logon_id++;
		char again[JOB_WRITER_BYTES_MAX];
		access_writer(&caller, again);
		assert_string_equal(again, writers[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(access_writer__every_two__are_one_only_if_they_are_alike),
		cmocka_unit_test(access__every_combination__keeps_the_promises),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
