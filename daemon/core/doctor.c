#include "core/doctor.h"

#include <inttypes.h>
#include <string.h>

static const char *const check_names[DOCTOR_CHECK_COUNT] = {
#define X(name, text) text,
	DOCTOR_CHECKS(X)
#undef X
};

const char *doctor_check_name(enum doctor_check check)
{
	return check_names[check];
}

const char *verdict_name(enum verdict verdict)
{
	static const char *const names[VERDICT_COUNT] = { "ok", "warning", "problem", "unknown" };

	return names[verdict];
}

#define SAY(finding, is, remedy_text, ...)                                                  \
	do {                                                                                \
		(finding)->verdict = (is);                                                  \
		text_display((finding)->seen, sizeof((finding)->seen), __VA_ARGS__);        \
		text_display((finding)->remedy, sizeof((finding)->remedy), "%s", remedy_text); \
	} while (0)

/* --- who the service is --- */

static bool is_account(const char *key, const char *sid)
{
	size_t length = strlen(sid);

	return strncmp(key, sid, length) == 0 && (key[length] == '\0' || key[length] == '+');
}

#define ACCOUNT_REMEDY "If nobody meant that: sc config Ferry obj= \"NT AUTHORITY\\NetworkService\" password= \"\", then 'ferryd " \
	"configure', and restart the service."

static void judge_account(const struct doctor_facts *facts, struct finding *finding)
{
	const char *account = facts->account;

	if (account[0] == '\0')
		SAY(finding, VERDICT_UNKNOWN, "", "whom the service runs as could not be found out");
	else if (strncmp(account, "uid:", 4) == 0)
		SAY(finding, VERDICT_UNKNOWN, "", "%s; the Linux test ground has no accounts for services", account);
	else if (facts->by_hand)
		SAY(finding, VERDICT_WARNING, "Nothing, if it is a trial: 'ferryd install' makes a service of it.", "%s, who runs it by hand", account);
	else if (is_account(account, "S-1-5-20"))
		SAY(finding, VERDICT_OK, "", "NT AUTHORITY\\NetworkService");
	else if (is_account(account, "S-1-5-18") || facts->administrator)
		SAY(finding, VERDICT_PROBLEM, ACCOUNT_REMEDY, "%s, who may do anything on this machine: Ferry needs no more than NetworkService",
		    account);
	else if (strncmp(account, "S-1-5-21-", 9) == 0)
		SAY(finding, VERDICT_OK, "", "%s, an account that somebody chose for it, and no administrator's", account);
	else
		SAY(finding, VERDICT_WARNING, ACCOUNT_REMEDY, "%s instead of NT AUTHORITY\\NetworkService", account);
}

static bool has_word(const char *words, const char *word, size_t length)
{
	for (const char *at = words; *at != '\0'; at += strcspn(at, " "), at += *at == ' ')
		if (strcspn(at, " ") == length && strncmp(at, word, length) == 0)
			return true;
	return false;
}

/* Those of `words` that are not among `others`. */
static void subtract(const char *words, const char *others, char to[DOCTOR_PRIVILEGES_BYTES_MAX])
{
	size_t used = 0;

	to[0] = '\0';
	for (const char *at = words; *at != '\0'; at += *at == ' ') {
		size_t length = strcspn(at, " ");

		if (!has_word(others, at, length))
			text_display(to + used, DOCTOR_PRIVILEGES_BYTES_MAX - used, "%s%.*s", used > 0 ? " " : "", (int)length, at);
		used += strlen(to + used);
		at += length;
	}
}

#define PRIVILEGES_REMEDY "Run 'ferryd configure' as an administrator, then restart the service."

static void judge_privileges(const struct doctor_facts *facts, struct finding *finding)
{
	static const char needed[] = "SeChangeNotifyPrivilege SeImpersonatePrivilege";
	char missing[DOCTOR_PRIVILEGES_BYTES_MAX], surplus[DOCTOR_PRIVILEGES_BYTES_MAX];

	subtract(needed, facts->privileges, missing);
	subtract(facts->privileges, needed, surplus);
	if (!facts->knows_machine)
		SAY(finding, VERDICT_UNKNOWN, "", "the Linux test ground has none");
	else if (facts->privileges_missed.result != RESULT_OK)
		SAY(finding, VERDICT_UNKNOWN, "", "%s", facts->privileges_missed.what);
	else if (missing[0] != '\0')
		SAY(finding, VERDICT_PROBLEM, PRIVILEGES_REMEDY, "%s is missing: no job can run as its owner", missing);
	else if (surplus[0] != '\0')
		SAY(finding, VERDICT_WARNING, PRIVILEGES_REMEDY, "more than the two that are needed: %s", surplus);
	else
		SAY(finding, VERDICT_OK, "", "%s, and no others", facts->privileges);
}

/* --- what is the service's --- */

static void judge_folder(const struct doctor_facts *facts, struct finding *finding)
{
	static const char remedy[] = "See who could have put what there, then run 'ferryd configure' as an administrator, which sets owner "
				     "and access list again.";

	if (facts->folder.result == RESULT_OK)
		SAY(finding, VERDICT_OK, "", "nobody but administrators, the system and the service could have written to %s", facts->folder_path);
	else if (facts->folder.result == RESULT_ACCESS_REFUSED)
		SAY(finding, VERDICT_PROBLEM, remedy, "%s", facts->folder.what);
	else
		SAY(finding, VERDICT_PROBLEM, remedy, "%s %s", result_sentence(facts->folder.result), facts->folder.what);
}

static void judge_queue(const struct doctor_facts *facts, struct finding *finding)
{
	if (facts->trouble.result != RESULT_OK)
		SAY(finding, VERDICT_PROBLEM, "Free space on the disk that holds Ferry's data folder, or mend the disk.",
		    "it could not be written: %s %s", result_sentence(facts->trouble.result), facts->trouble.what);
	else if (facts->queue.result == RESULT_CANCELLED)
		SAY(finding, VERDICT_UNKNOWN, "To have all of it looked through, restart the service.",
		    "%" PRIu64 " unfinished jobs; it is too large to be looked through while it is in use, and was whole at the last start", facts->jobs);
	else if (facts->queue.result != RESULT_OK)
		SAY(finding, VERDICT_PROBLEM, "Restart the service: a damaged queue is kept aside, and Ferry goes on with an empty one. Check the disk.",
		    "%s", facts->queue.what);
	else
		SAY(finding, VERDICT_OK, "", "whole, %" PRIu64 " unfinished jobs", facts->jobs);
}

static void judge_disk(const struct doctor_facts *facts, struct finding *finding)
{
	static const char remedy[] = "Free space on the disk that holds Ferry's data folder, or see to it that the service may write there.";

	if (facts->disk_least.result != RESULT_OK)
		SAY(finding, VERDICT_PROBLEM, remedy, "%s %s", result_sentence(facts->disk_least.result), facts->disk_least.what);
	else if (facts->disk.result != RESULT_OK)
		SAY(finding, VERDICT_WARNING, remedy, "less than %" PRIu64 " MiB are free for queue and logs", (uint64_t)(DOCTOR_DISK_LOW >> 20));
	else
		SAY(finding, VERDICT_OK, "", "%" PRIu64 " MiB more can be written to %s", (uint64_t)(DOCTOR_DISK_LOW >> 20), facts->folder_path);
}

/* --- the machine --- */

static void judge_clock(const struct doctor_facts *facts, struct finding *finding)
{
	static const char remedy[] = "Set the clock ('w32tm /resync' in a domain): certificates and Kerberos are judged by it, and jobs wait by it.";
	int64_t behind_ms = facts->newest_ms - facts->now_ms;
	int64_t off_ms = facts->kdc_ahead_ms < 0 ? -facts->kdc_ahead_ms : facts->kdc_ahead_ms;
	bool compared = facts->knows_machine && facts->kdc[0] != '\0' && facts->kdc_time_missed.result == RESULT_OK;

	if (facts->now_ms < DOCTOR_MADE_MS)
		SAY(finding, VERDICT_PROBLEM, remedy, "it is before this version of Ferry was made");
	else if (behind_ms > DOCTOR_SKEW_MS)
		SAY(finding, VERDICT_PROBLEM, remedy, "it is %" PRId64 " s behind the last job that was made: it was set back, or was wrong then",
		    behind_ms / 1000);
	else if (compared && off_ms > DOCTOR_SKEW_MS)
		SAY(finding, VERDICT_PROBLEM, remedy, "%s is %" PRId64 " s %s; beyond %d s Kerberos lets nobody in", facts->kdc, off_ms / 1000,
		    facts->kdc_ahead_ms > 0 ? "ahead" : "behind", DOCTOR_SKEW_MS / 1000);
	else if (compared)
		SAY(finding, VERDICT_OK, "", "within %" PRId64 " s of %s", off_ms / 1000 + 1, facts->kdc);
	else
		SAY(finding, VERDICT_OK, "", "not before this version or the last job; there is no domain controller to compare it with");
}

static void judge_kdc(const struct doctor_facts *facts, struct finding *finding)
{
	if (!facts->knows_machine)
		SAY(finding, VERDICT_UNKNOWN, "", "not asked on the Linux test ground");
	else if (facts->kdc[0] != '\0')
		SAY(finding, VERDICT_OK, "", "%s answers for the domain %s", facts->kdc, facts->domain);
	else if (facts->domain[0] != '\0')
		SAY(finding, VERDICT_PROBLEM, "See whether this machine reaches a domain controller: 'nltest /dsgetdc: /kdc'. Without one nobody "
		    "answers servers and proxies by Negotiate.", "none answers for the domain %s: %s", facts->domain, facts->kdc_missed.what);
	else if (facts->kdc_missed.result != RESULT_OK)
		SAY(finding, VERDICT_UNKNOWN, "", "%s", facts->kdc_missed.what);
	else
		SAY(finding, VERDICT_OK, "", "this machine is in no domain, so there is none to ask");
}

static void judge_configuration(const struct doctor_facts *facts, struct finding *finding)
{
	if (!facts->settings_good)
		SAY(finding, VERDICT_PROBLEM, "Correct it ('ferryd check-config' tells more) and have it read again: 'ferry config reload'.",
		    "it is not good, and what was good before holds: %s", facts->settings_errors);
	else if (facts->unwatched[0] != '\0')
		SAY(finding, VERDICT_WARNING, "After a change say 'ferry config reload'. Restart the service; if it lasts, report it.",
		    "good, but changes are not noticed: %s", facts->unwatched);
	else
		SAY(finding, VERDICT_OK, "", "good as it was last read");
}

void doctor_judge(const struct doctor_facts *facts, struct finding ret_findings[DOCTOR_CHECK_COUNT])
{
	static void (*const judges[DOCTOR_CHECK_COUNT])(const struct doctor_facts *facts, struct finding *finding) = {
		[DOCTOR_ACCOUNT] = judge_account,         [DOCTOR_PRIVILEGES] = judge_privileges,
		[DOCTOR_DATA_FOLDER] = judge_folder,      [DOCTOR_QUEUE] = judge_queue,
		[DOCTOR_DISK] = judge_disk,               [DOCTOR_CLOCK] = judge_clock,
		[DOCTOR_KDC] = judge_kdc,                 [DOCTOR_CONFIGURATION] = judge_configuration,
	};

	for (unsigned check = 0; check < DOCTOR_CHECK_COUNT; check++)
		judges[check](facts, &ret_findings[check]);
}
