/* Whom a thread speaks as, as the client sees it: claims and logging on.  Runs under Wine too, where everybody has one
 * SID and one logon, and nobody can log on. */
#include "windows_only.h"

#include <string.h>

#include "platform/ipc_client.h"

/* What the system itself says of the process's token. */
static void assert_claims_the_process(const struct ipc_claim *claim)
{
	char text[SID_TEXT_BYTES_MAX];
	HANDLE process = NULL;
	TOKEN_STATISTICS statistics;
	struct sid user;
	DWORD size;
	assert_int_equal(security_process_user(&user, NULL), RESULT_OK);
	assert_int_equal(security_sid_text(&user.sid, text, NULL), RESULT_OK);
	assert_true(OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &process));
	assert_true(GetTokenInformation(process, TokenStatistics, &statistics, sizeof(statistics), &size));
	CloseHandle(process);
	assert_string_equal(claim->sid, text);
	assert_true(claim->logon_id ==
	            ((uint64_t)(uint32_t)statistics.AuthenticationId.HighPart << 32 | statistics.AuthenticationId.LowPart));
}

static void speaker__bare_thread__claims_the_process(void **state)
{
	(void)state;
	AUTO(ipc_speaker) struct ipc_speaker *speaker = NULL;
	struct ipc_claim claim = { .sid = "", .logon_id = 99 };
	struct fault fault;
	assert_int_equal(ipc_speaker_current(&speaker, &fault), RESULT_OK);
	assert_int_equal(ipc_speaker_claim(speaker, &claim, &fault), RESULT_OK);
	assert_claims_the_process(&claim);
}

struct speaking {
	const struct ipc_speaker *of_the_process;
	enum result remembered, claimed, claimed_process;
	struct ipc_claim claim, process;
	struct fault fault;
};

static void speak(void *argument)
{
	struct speaking *speaking = argument;
	AUTO(ipc_speaker) struct ipc_speaker *speaker = NULL;
	speaking->remembered = ipc_speaker_current(&speaker, &speaking->fault);
	if (speaking->remembered != RESULT_OK)
		return;
	speaking->claimed = ipc_speaker_claim(speaker, &speaking->claim, &speaking->fault);
	speaking->claimed_process = ipc_speaker_claim(speaking->of_the_process, &speaking->process, &speaking->fault);
}

/* The lesser token has the process's user and logon; the process's token is not for it to open. */
static void speaker__thread_that_wears_less__claims_both_what_it_wears_and_the_process(void **state)
{
	(void)state;
	AUTO(ipc_speaker) struct ipc_speaker *process = NULL;
	AUTO(identity) struct identity *lesser = lesser_identity(true);
	struct fault fault;
	assert_int_equal(ipc_speaker_current(&process, &fault), RESULT_OK);
	struct speaking speaking = { .of_the_process = process, .remembered = RESULT_SYSTEM };
	act_as(lesser, speak, &speaking);
	assert_int_equal(speaking.remembered, RESULT_OK);
	assert_int_equal(speaking.claimed, RESULT_OK);
	assert_string_equal(speaking.claim.sid, identity_caller(lesser)->owner);
	assert_true(speaking.claim.logon_id == identity_caller(lesser)->logon_id);
	assert_int_equal(speaking.claimed_process, RESULT_OK);
	assert_claims_the_process(&speaking.process);
}

#define PASSWORD "not-the-p\xc3\xa4ssword"

static void logon__account_that_is_not_there__is_told_by_name_without_the_password(void **state)
{
	(void)state;
	static const char *const users[] = { "ferry-nobody", ".\\ferry-nobody", "ferry-nobody@ferry.invalid", "" };
	for (size_t i = 0; i < sizeof(users) / sizeof(users[0]); i++) {
		struct ipc_speaker *speaker = NULL;
		struct fault fault = { .what = "" };
		enum result result = ipc_speaker_logon(users[i], PASSWORD, &speaker, &fault);
		assert_null(speaker);
		assert_int_equal(fault.result, result);
		/* Wine logs everybody on, and gives a token that is none. */
		assert_int_equal(result, is_wine() ? result_from_win32(ERROR_INVALID_HANDLE) : RESULT_ACCESS_REFUSED);
		assert_non_null(strstr(fault.what, users[i]));
		assert_null(strstr(fault.what, PASSWORD));
	}
	if (is_wine())
		print_message("SKIPPED on this ground: who may not log on is refused (Wine asks nobody)\n");
}

static void logon__words_that_are_not_text__are_refused(void **state)
{
	(void)state;
	struct ipc_speaker *speaker = NULL;
	struct fault fault;
	assert_int_equal(ipc_speaker_logon("\xff", PASSWORD, &speaker, &fault), RESULT_NOT_UTF8);
	assert_int_equal(ipc_speaker_logon("a\\\xff", PASSWORD, &speaker, &fault), RESULT_NOT_UTF8);
	assert_int_equal(ipc_speaker_logon("a", "secret\xff", &speaker, &fault), RESULT_NOT_UTF8);
	assert_null(strstr(fault.what, "secret"));
	assert_null(speaker);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(speaker__bare_thread__claims_the_process),
		cmocka_unit_test(speaker__thread_that_wears_less__claims_both_what_it_wears_and_the_process),
		cmocka_unit_test(logon__account_that_is_not_there__is_told_by_name_without_the_password),
		cmocka_unit_test(logon__words_that_are_not_text__are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
