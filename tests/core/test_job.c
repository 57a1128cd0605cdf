#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/job.h"

/* What is expected, written a second time and the other way round: a line per event, a column per state in the
 * order of the numbers.  '.' is refused. */
static const char *const columns[] = { "Q", "C", "T", "S", "E", "R", "F", "A", "X" };
static const struct {
	enum job_event event;
	const char *to; /* Q C T S E R F A X */
} expected[] = {
	{ JOB_EVENT_RESUME,       "Q C T Q Q Q Q . ." },
	{ JOB_EVENT_SUSPEND,      "S S S S S S S . ." },
	{ JOB_EVENT_SLOT,         "C . . . . . . . ." },
	{ JOB_EVENT_CONNECTED,    ". T T . . . . . ." },
	{ JOB_EVENT_SLICE_OVER,   ". Q Q . . . . . ." },
	{ JOB_EVENT_OWNER_LEFT,   "Q Q Q . . . . . ." },
	{ JOB_EVENT_TOKEN_LOST,   "E E E E E E F . ." },
	{ JOB_EVENT_FAILED_LATER, ". R R . . . F . ." },
	{ JOB_EVENT_FAILED,       "E E E . . E E . ." },
	{ JOB_EVENT_RETRY,        ". . . . . Q . . ." },
	{ JOB_EVENT_ALL_FETCHED,  "F F F . . . . . ." },
	{ JOB_EVENT_COMPLETE,     "A A A A A A A . ." },
	{ JOB_EVENT_CANCEL,       "X X X X X X X . ." },
	{ JOB_EVENT_RESTARTED,    "Q Q Q S E R F . ." },
};

static void job__every_state_and_event__is_as_expected(void **state)
{
	(void)state;
	assert_int_equal(sizeof(expected) / sizeof(expected[0]), JOB_EVENT_COUNT);
	for (unsigned event = 0; event < JOB_EVENT_COUNT; event++) {
		assert_int_equal(expected[event].event, event);
		for (unsigned from = 0; from < JOB_STATE_COUNT; from++) {
			enum job_state to = JOB_STATE_COUNT;
			bool allowed = job_next_state((enum job_state)from, (enum job_event)event, &to);
			char want = expected[event].to[from * 2];
			char got = allowed ? columns[to][0] : '.';
			if (got != want)
				fail_msg("%s in %s: %c instead of %c", job_event_name((enum job_event)event),
				         job_state_name((enum job_state)from), got, want);
			if (!allowed)
				assert_int_equal(to, JOB_STATE_COUNT); /* untouched */
		}
	}
}

static void job__final_states__refuse_every_event(void **state)
{
	(void)state;
	for (unsigned from = 0; from < JOB_STATE_COUNT; from++) {
		bool final = from == JOB_ACKNOWLEDGED || from == JOB_CANCELLED;
		assert_int_equal(job_state_is_final((enum job_state)from), final);
		bool any = false;
		for (unsigned event = 0; event < JOB_EVENT_COUNT; event++) {
			enum job_state to;
			any |= job_next_state((enum job_state)from, (enum job_event)event, &to);
		}
		assert_int_equal(any, !final);
	}
}

static void job__every_other_state__has_a_way_to_a_final_one_and_back_to_work(void **state)
{
	(void)state;
	for (unsigned from = 0; from < JOB_STATE_COUNT; from++) {
		bool reached[JOB_STATE_COUNT] = { false };
		if (job_state_is_final((enum job_state)from))
			continue;
		reached[from] = true;
		for (unsigned round = 0; round < JOB_STATE_COUNT; round++) {
			for (unsigned at = 0; at < JOB_STATE_COUNT; at++) {
				for (unsigned event = 0; reached[at] && event < JOB_EVENT_COUNT; event++) {
					enum job_state to;
					if (job_next_state((enum job_state)at, (enum job_event)event, &to))
						reached[to] = true;
				}
			}
		}
		for (unsigned to = 0; to < JOB_STATE_COUNT; to++)
			assert_true(reached[to]);
	}
}

static void job__no_number_beyond_the_enums__is_a_transition(void **state)
{
	(void)state;
	enum job_state to = JOB_ERROR;
	assert_false(job_next_state((enum job_state)JOB_STATE_COUNT, JOB_EVENT_CANCEL, &to));
	assert_false(job_next_state(JOB_QUEUED, (enum job_event)JOB_EVENT_COUNT, &to));
	assert_int_equal(to, JOB_ERROR);
}

static void job__only_connecting_and_transferring__hold_a_slot(void **state)
{
	(void)state;
	for (unsigned i = 0; i < JOB_STATE_COUNT; i++)
		assert_int_equal(job_state_is_active((enum job_state)i), i == JOB_CONNECTING || i == JOB_TRANSFERRING);
}

static void job__numbers__are_those_of_bits(void **state)
{
	(void)state;
	assert_int_equal(JOB_QUEUED, 0);
	assert_int_equal(JOB_CONNECTING, 1);
	assert_int_equal(JOB_TRANSFERRING, 2);
	assert_int_equal(JOB_SUSPENDED, 3);
	assert_int_equal(JOB_ERROR, 4);
	assert_int_equal(JOB_TRANSIENT_ERROR, 5);
	assert_int_equal(JOB_TRANSFERRED, 6);
	assert_int_equal(JOB_ACKNOWLEDGED, 7);
	assert_int_equal(JOB_CANCELLED, 8);
	assert_int_equal(JOB_FOREGROUND, 0);
	assert_int_equal(JOB_HIGH, 1);
	assert_int_equal(JOB_NORMAL, 2);
	assert_int_equal(JOB_LOW, 3);
	assert_int_equal(HELPER_LOCAL_FILE, 1);
	assert_int_equal(HELPER_NETWORK, 2);
	assert_int_equal(HELPER_ALL, HELPER_FLAG(JOB_SIDE_FILE) | HELPER_FLAG(JOB_SIDE_NETWORK));
}

static void job__names__read_back(void **state)
{
	(void)state;
	for (unsigned i = 0; i < JOB_STATE_COUNT; i++) {
		enum job_state read = JOB_STATE_COUNT;
		assert_true(job_state_from_name(text_view(job_state_name((enum job_state)i)), &read));
		assert_int_equal(read, i);
	}
	for (unsigned i = 0; i < JOB_PRIORITY_COUNT; i++) {
		enum job_priority read = JOB_PRIORITY_COUNT;
		assert_true(job_priority_from_name(text_view(job_priority_name((enum job_priority)i)), &read));
		assert_int_equal(read, i);
	}
	for (unsigned i = 0; i < JOB_WAIT_COUNT; i++) {
		enum job_wait read = JOB_WAIT_COUNT;
		assert_true(job_wait_from_name(text_view(job_wait_name((enum job_wait)i)), &read));
		assert_int_equal(read, i);
	}
	for (unsigned i = 0; i < FILE_STATE_COUNT; i++) {
		enum file_state read = FILE_STATE_COUNT;
		assert_true(file_state_from_name(text_view(file_state_name((enum file_state)i)), &read));
		assert_int_equal(read, i);
	}
	for (unsigned i = 0; i < TOKEN_LOSS_COUNT; i++) {
		enum token_loss read = TOKEN_LOSS_COUNT;
		assert_true(token_loss_from_name(text_view(token_loss_name((enum token_loss)i)), &read));
		assert_int_equal(read, i);
	}
	for (unsigned i = 0; i < JOB_PROFILE_COUNT; i++) {
		enum job_profile read = JOB_PROFILE_COUNT;
		assert_true(job_profile_from_name(text_view(job_profile_name((enum job_profile)i)), &read));
		assert_int_equal(read, i);
	}
	for (unsigned i = 0; i < IDENTITY_CHOICE_COUNT; i++) {
		enum identity_choice read = IDENTITY_CHOICE_COUNT;
		assert_true(identity_choice_from_name(text_view(identity_choice_name((enum identity_choice)i)), &read));
		assert_int_equal(read, i);
	}
	for (unsigned i = 0; i < JOB_SIDE_COUNT; i++) {
		unsigned read = 0;
		assert_true(helper_flag_from_name(text_view(job_side_flag_name((enum job_side)i)), &read));
		assert_int_equal(read, HELPER_FLAG(i));
	}
	for (unsigned i = 0; i < JOB_EVENT_COUNT; i++)
		assert_true(strlen(job_event_name((enum job_event)i)) > 0);
	assert_string_equal(job_state_name(JOB_TRANSIENT_ERROR), "TRANSIENT_ERROR");
	assert_string_equal(job_event_name(JOB_EVENT_ALL_FETCHED), "ALL_FETCHED");
	assert_string_equal(job_priority_name(JOB_FOREGROUND), "foreground");
	assert_string_equal(job_wait_name(JOB_WAIT_OWNER_ABSENT), "owner-absent");
	assert_string_equal(job_wait_name(JOB_WAIT_RETRY), "retry-at");
	assert_string_equal(job_wait_name(JOB_WAIT_TOKEN), "token-required");
	assert_string_equal(job_wait_name(JOB_WAIT_WORKERS), "identity-workers");
	assert_string_equal(token_loss_name(TOKEN_LOSS_ERROR), "error");
	assert_string_equal(token_loss_name(TOKEN_LOSS_WAIT), "wait");
	assert_string_equal(job_profile_name(JOB_PROFILE_INTERACTIVE), "interactive");
	assert_string_equal(job_profile_name(JOB_PROFILE_UPDATE), "update");
	assert_string_equal(job_profile_name(JOB_PROFILE_BULK), "bulk");
	assert_string_equal(identity_choice_name(IDENTITY_OWNER), "owner");
	assert_string_equal(identity_choice_name(IDENTITY_HELPER), "helper");
	assert_string_equal(identity_choice_name(IDENTITY_SERVICE), "service");
	assert_string_equal(job_side_flag_name(JOB_SIDE_FILE), "local-file");
	assert_string_equal(job_side_flag_name(JOB_SIDE_NETWORK), "network");
}

static void job_patience__of_each_profile__is_as_documented(void **state)
{
	(void)state;
	static const struct job_patience documented[] = { { 10, 20, 120 }, { 30, 60, 86400 }, { 60, 300, 1209600 } };
	assert_null(job_patience(JOB_PROFILE_NONE));
	for (unsigned i = 0; i < 3; i++)
		assert_memory_equal(job_patience((enum job_profile)(JOB_PROFILE_INTERACTIVE + i)), &documented[i],
		                    sizeof(documented[i]));
}

static void job__unknown_names__are_refused_and_nothing_written(void **state)
{
	(void)state;
	static const char *const names[] = { "", "queued", "QUEUED ", "Foreground", "slot ", "FILE_PENDING", "PENDING",
		"Error", "waits", "owner ", "HELPER", "local_file", "Network", "none " };
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		enum job_state job_state = JOB_STATE_COUNT;
		enum job_priority priority = JOB_PRIORITY_COUNT;
		enum job_wait wait = JOB_WAIT_COUNT;
		enum file_state file_state = FILE_STATE_COUNT;
		enum token_loss loss = TOKEN_LOSS_COUNT;
		enum identity_choice choice = IDENTITY_CHOICE_COUNT;
		unsigned flag = 0xDEAD;
		assert_false(job_state_from_name(text_view(names[i]), &job_state));
		assert_false(job_priority_from_name(text_view(names[i]), &priority));
		assert_false(job_wait_from_name(text_view(names[i]), &wait));
		assert_false(file_state_from_name(text_view(names[i]), &file_state));
		assert_int_equal(job_state, JOB_STATE_COUNT);
		assert_int_equal(priority, JOB_PRIORITY_COUNT);
		assert_int_equal(wait, JOB_WAIT_COUNT);
		assert_int_equal(file_state, FILE_STATE_COUNT);
		assert_false(token_loss_from_name(text_view(names[i]), &loss));
		assert_false(identity_choice_from_name(text_view(names[i]), &choice));
		assert_false(helper_flag_from_name(text_view(names[i]), &flag));
		assert_int_equal(loss, TOKEN_LOSS_COUNT);
		assert_int_equal(choice, IDENTITY_CHOICE_COUNT);
		assert_int_equal(flag, 0xDEAD);
	}
}

/* --- properties --- */

static struct job_properties usual_properties(void)
{
	return (struct job_properties){
		.name = "Acme update",
		.priority = JOB_NORMAL,
		.retry_delay_s = 600,
		.no_progress_timeout_s = 1209600,
		.max_time_s = 7776000,
		.lease_s = 7776000,
	};
}

static void job_properties_check__numbers__are_clamped_or_refused(void **state)
{
	(void)state;
	static const struct {
		uint32_t retry, no_progress, max_time, lease;
		enum result result;
		uint32_t retry_after;
		const char *field;
	} cases[] = {
		{ 600, 0, 1, 60, RESULT_OK, 600, "" },
		{ 0, 0, 1, 60, RESULT_OK, 5, "" },
		{ 4, 1, 1, 60, RESULT_OK, 5, "" },
		{ 5, 1, 1, 60, RESULT_OK, 5, "" },
		{ JOB_TIME_S_MAX, JOB_TIME_S_MAX, JOB_TIME_S_MAX, 60, RESULT_OK, JOB_TIME_S_MAX, "" },
		{ JOB_TIME_S_MAX + 1, 1, 1, 60, RESULT_INVALID_ARGUMENT, JOB_TIME_S_MAX + 1, "retry_delay_s" },
		{ UINT32_MAX, 1, 1, 60, RESULT_INVALID_ARGUMENT, UINT32_MAX, "retry_delay_s" },
		{ 0, JOB_TIME_S_MAX + 1, 1, 60, RESULT_INVALID_ARGUMENT, 0, "no_progress_timeout_s" },
		{ 600, 1, JOB_TIME_S_MAX + 1, 60, RESULT_INVALID_ARGUMENT, 600, "max_time_s" },
		{ 600, 1, 0, 60, RESULT_INVALID_ARGUMENT, 600, "max_time_s" },
		{ 600, 1, 1, 59, RESULT_INVALID_ARGUMENT, 600, "lease_s: 59 is below 60" },
		{ 600, 1, 1, JOB_TIME_S_MAX, RESULT_OK, 600, "" },
		{ 600, 1, 1, JOB_TIME_S_MAX + 1, RESULT_INVALID_ARGUMENT, 600, "lease_s" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fault fault = { 0 };
		struct job_properties properties = usual_properties();
		properties.retry_delay_s = cases[i].retry;
		properties.no_progress_timeout_s = cases[i].no_progress;
		properties.max_time_s = cases[i].max_time;
		properties.lease_s = cases[i].lease;
		assert_int_equal(job_properties_check(&properties, &fault), cases[i].result);
		assert_int_equal(properties.retry_delay_s, cases[i].retry_after);
		assert_int_equal(properties.no_progress_timeout_s, cases[i].no_progress);
		assert_int_equal(properties.max_time_s, cases[i].max_time);
		assert_int_equal(properties.lease_s, cases[i].lease);
		assert_memory_equal(fault.what, cases[i].field, strlen(cases[i].field));
	}
}

static void job_properties_check__texts_and_priority__are_checked(void **state)
{
	(void)state;
	struct fault fault = { 0 };
	struct job_properties properties = usual_properties();
	properties.name[0] = '\xFF';
	assert_int_equal(job_properties_check(&properties, &fault), RESULT_NOT_UTF8);
	assert_string_equal(fault.what, "name");

	properties = usual_properties();
	memcpy(properties.description, "\xC3", 2);
	assert_int_equal(job_properties_check(&properties, &fault), RESULT_NOT_UTF8);
	assert_string_equal(fault.what, "description");

	properties = usual_properties();
	properties.priority = JOB_PRIORITY_COUNT;
	assert_int_equal(job_properties_check(&properties, &fault), RESULT_INVALID_ARGUMENT);
	assert_memory_equal(fault.what, "priority", 8);

	properties = usual_properties();
	properties.profile = JOB_PROFILE_COUNT;
	assert_int_equal(job_properties_check(&properties, &fault), RESULT_INVALID_ARGUMENT);
	assert_memory_equal(fault.what, "profile", 7);
	properties.profile = JOB_PROFILE_BULK;
	properties.on_token_loss = TOKEN_LOSS_WAIT;
	assert_int_equal(job_properties_check(&properties, &fault), RESULT_OK);
	properties.on_token_loss = TOKEN_LOSS_COUNT;
	assert_int_equal(job_properties_check(&properties, &fault), RESULT_INVALID_ARGUMENT);
	assert_memory_equal(fault.what, "on_token_loss", 13);
	properties = usual_properties();
	memcpy(properties.pinned_helper, "S-1\xC3", 5);
	assert_int_equal(job_properties_check(&properties, &fault), RESULT_NOT_UTF8);
	assert_string_equal(fault.what, "pinned_helper");
}

/* --- identities --- */

static void job_identity__table__the_flag_before_the_configuration(void **state)
{
	(void)state;
	static const struct {
		unsigned flags;
		bool service;
		enum identity_choice file, network;
	} cases[] = {
		{ 0, false, IDENTITY_OWNER, IDENTITY_OWNER },
		{ HELPER_LOCAL_FILE, false, IDENTITY_HELPER, IDENTITY_OWNER },
		{ HELPER_NETWORK, false, IDENTITY_OWNER, IDENTITY_HELPER },
		{ HELPER_ALL, false, IDENTITY_HELPER, IDENTITY_HELPER },
		{ 0, true, IDENTITY_SERVICE, IDENTITY_SERVICE },
		{ HELPER_LOCAL_FILE, true, IDENTITY_HELPER, IDENTITY_SERVICE },
		{ HELPER_NETWORK, true, IDENTITY_SERVICE, IDENTITY_HELPER },
		{ HELPER_ALL, true, IDENTITY_HELPER, IDENTITY_HELPER },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct job job = { .helper_flags = cases[i].flags };
		assert_int_equal(job_identity(&job, JOB_SIDE_FILE, cases[i].service), cases[i].file);
		assert_int_equal(job_identity(&job, JOB_SIDE_NETWORK, cases[i].service), cases[i].network);
	}
}

static void job_helper_needed__table__names_need_no_network(void **state)
{
	(void)state;
	static const struct {
		enum job_work work;
		unsigned flags, needed;
	} cases[] = {
		{ JOB_WORK_NONE, HELPER_ALL, 0 },
		{ JOB_WORK_TRANSFER, 0, 0 },
		{ JOB_WORK_TRANSFER, HELPER_NETWORK, HELPER_NETWORK },
		{ JOB_WORK_TRANSFER, HELPER_ALL, HELPER_ALL },
		{ JOB_WORK_PUBLISH, HELPER_NETWORK, 0 },
		{ JOB_WORK_PUBLISH, HELPER_ALL, HELPER_LOCAL_FILE },
		{ JOB_WORK_SWEEP, HELPER_NETWORK, 0 },
		{ JOB_WORK_SWEEP, HELPER_LOCAL_FILE, HELPER_LOCAL_FILE },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct job job = { .work = cases[i].work, .helper_flags = cases[i].flags };
		assert_int_equal(job_helper_needed(&job), cases[i].needed);
	}
}

static void job_owner__a_job__tells_as_whom_it_was_made(void **state)
{
	(void)state;
	static struct job job = { .owner = "S-1-5-18", .owner_integrity = 0x4000, .owner_elevated = true };
	struct job_owner owner = job_owner(&job);
	assert_string_equal(owner.sid, "S-1-5-18");
	assert_int_equal(owner.integrity, 0x4000);
	assert_true(owner.elevated);
}

static void job_lease_ends_ms__the_later_of_change_and_progress__begins_it(void **state)
{
	(void)state;
	struct job job = { .modified_ms = 5000, .progress_ms = 3000, .properties = { .lease_s = 60 } };
	assert_int_equal(job_lease_ends_ms(&job), 65000);
	job.progress_ms = 7000;
	assert_int_equal(job_lease_ends_ms(&job), 67000);
	job.properties.lease_s = JOB_TIME_S_MAX;
	assert_true(job_lease_ends_ms(&job) == 7000 + (int64_t)315360000 * 1000);
}

/* --- docs/states.md --- */

/* The repository, wherever the tests run: under Wine and on Windows it is not where they were compiled. */
static const char *source_folder(void)
{
	const char *folder = getenv("FERRY_SOURCE_DIR");
	if (!folder)
		folder = getenv("FERRY_SOURCE");
#ifdef FERRY_SOURCE_DIR
	if (!folder)
		folder = FERRY_SOURCE_DIR;
#endif
	return folder;
}

static void job_states_markdown__the_table__is_what_docs_states_md_shows(void **state)
{
	(void)state;
	AUTO(buffer) struct buffer printed = BUFFER(65536);
	AUTO(buffer) struct buffer shown = BUFFER(65536);
	char path[1024];
	assert_int_equal(job_states_markdown(&printed), RESULT_OK);
	assert_non_null(source_folder());
	assert_int_equal(text_format(path, sizeof(path), "%s/docs/states.md", source_folder()), RESULT_OK);
	FILE *file = fopen(path, "rb");
	if (!file)
		fail_msg("cannot open %s", path);
	for (int byte; (byte = fgetc(file)) != EOF;) {
		char one = (char)byte;
		if (one != '\r') /* a checkout on Windows may have made line ends its own */
			assert_int_equal(buffer_append(&shown, &one, 1), RESULT_OK);
	}
	(void)fclose(file);
	assert_string_equal(shown.bytes, printed.bytes);
}

static void job_states_markdown__no_room__is_told(void **state)
{
	(void)state;
	AUTO(buffer) struct buffer whole = BUFFER(65536);
	assert_int_equal(job_states_markdown(&whole), RESULT_OK);
	for (size_t room = 0; room < whole.length; room++) {
		AUTO(buffer) struct buffer little = BUFFER(room);
		assert_int_equal(job_states_markdown(&little), RESULT_TOO_LARGE);
	}
}

static void file_etag_is_valid__table__is_rfc_9110s(void **state)
{
	static const char *const good[] = { "\"\"", "\"a\"", "W/\"a\"", "W/\"\"", "\"W/\"", "\"\xC3\xA4!#\\,*\"" };
	static const char *const bad[] = { "", "\"", "a", "*", "\"a", "a\"", "W/", "W/\"", "W/a", "w/\"a\"", "W\"a\"", "/\"a\"",
		                               "\"a b\"", "\"a\"b\"", "\"a\x7F\"", "\"a\t\"", "\"a\r\nX: y\"", "\"a\", \"b\"",
		                               " \"a\"", "\"a\" ", "'a'" };
	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (!file_etag_is_valid(text_view(good[i])))
			fail_msg("refused: %s", good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (file_etag_is_valid(text_view(bad[i])))
			fail_msg("taken: %s", bad[i]);
	assert_false(file_etag_is_valid((struct text_view){ NULL, 0 }));
	assert_false(file_etag_is_valid((struct text_view){ "\"a\"", 2 }));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(file_etag_is_valid__table__is_rfc_9110s),
		cmocka_unit_test(job__every_state_and_event__is_as_expected),
		cmocka_unit_test(job__final_states__refuse_every_event),
		cmocka_unit_test(job__every_other_state__has_a_way_to_a_final_one_and_back_to_work),
		cmocka_unit_test(job__no_number_beyond_the_enums__is_a_transition),
		cmocka_unit_test(job__only_connecting_and_transferring__hold_a_slot),
		cmocka_unit_test(job__numbers__are_those_of_bits),
		cmocka_unit_test(job__names__read_back),
		cmocka_unit_test(job_patience__of_each_profile__is_as_documented),
		cmocka_unit_test(job__unknown_names__are_refused_and_nothing_written),
		cmocka_unit_test(job_properties_check__numbers__are_clamped_or_refused),
		cmocka_unit_test(job_properties_check__texts_and_priority__are_checked),
		cmocka_unit_test(job_identity__table__the_flag_before_the_configuration),
		cmocka_unit_test(job_helper_needed__table__names_need_no_network),
		cmocka_unit_test(job_owner__a_job__tells_as_whom_it_was_made),
		cmocka_unit_test(job_lease_ends_ms__the_later_of_change_and_progress__begins_it),
		cmocka_unit_test(job_states_markdown__the_table__is_what_docs_states_md_shows),
		cmocka_unit_test(job_states_markdown__no_room__is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
