#include "core/access.h"

#include <string.h>

enum result access_ask(const struct caller *caller, struct fault *fault)
{
	const char *rule = NULL;
	if (caller->owner[0] == '\0')
		rule = "caller-known: the caller has no name";
	else if (!caller->impersonation)
		rule = "caller-impersonation: the connection does not allow the service to act as the caller";
	else if (caller->restricted)
		/* A sandbox has its user's SID; Ferry would act with the user's whole token. */
		rule = "caller-not-restricted: the caller's token is restricted";
	else if (caller->app_container)
		rule = "caller-not-app-container: the caller runs in an app container";
	if (!rule)
		return RESULT_OK;
	return fault_set(fault, RESULT_ACCESS_REFUSED, FAULT_FERRY, 0, "%s", rule);
}

/* Elevated: the group alone is not enough, since a token may be lowered after that. */
static bool is_elevated(const struct caller *caller)
{
	return caller->administrator && caller->integrity >= INTEGRITY_HIGH;
}

bool access_is_declared(const char *owner)
{
	return strcmp(owner, ACCESS_DECLARED_OWNER) == 0;
}

/* A service's account: LocalSystem, LocalService, NetworkService, or a virtual one.  In an owner key a '+' and service
 * SIDs may follow (security rule 7). */
static bool is_service(const char *owner)
{
	struct text_view account = { owner, strcspn(owner, "+") };

	return access_is_declared(owner) || text_is(account, "S-1-5-18") || text_is(account, "S-1-5-19") ||
	       text_is(account, "S-1-5-20") || strncmp(owner, "S-1-5-80-", strlen("S-1-5-80-")) == 0;
}

bool access_is_exempt(const struct caller *caller)
{
	return is_service(caller->owner) || is_elevated(caller);
}

enum result access_own(const struct caller *caller, struct fault *fault)
{
	enum result result = access_ask(caller, fault);
	if (result != RESULT_OK)
		return result;
	if (caller->integrity < INTEGRITY_MEDIUM)
		return fault_set(fault, RESULT_ACCESS_REFUSED, FAULT_FERRY, 0,
		                 "owner-integrity: the caller's integrity level is below medium");
	return RESULT_OK;
}

bool access_is_owner(const struct caller *caller, const struct job_owner *owner)
{
	return caller->integrity == owner->integrity && caller->administrator == owner->elevated &&
	       strcmp(caller->owner, owner->sid) == 0;
}

void access_writer(const struct caller *caller, char to[JOB_WRITER_BYTES_MAX])
{
	text_display(to, JOB_WRITER_BYTES_MAX, "%s 0x%x%s%s", caller->owner, (unsigned)caller->integrity,
	             caller->administrator ? " elevated" : "", caller->restricted ? " restricted" : "");
}

static bool is_same(const struct caller *caller, const char *owner)
{
	return strcmp(caller->owner, owner) == 0;
}

/* Out of the reach of administrators, but for looking and stopping (security rule 13). */
static bool is_out_of_reach(const struct caller *caller, const struct job *job)
{
	return is_service(job->owner) || caller->integrity < job->owner_integrity;
}

enum result access_open(const struct caller *caller, const struct job *job, unsigned *ret_rights, struct fault *fault)
{
	enum result result = access_ask(caller, fault);
	if (result != RESULT_OK)
		return result;

	/* A program with high integrity need not be elevated (uiAccess): both count. */
	bool as_high = caller->integrity >= job->owner_integrity && (caller->administrator || !job->owner_elevated);
	unsigned rights = 0;
	if (is_same(caller, job->owner))
		rights |= as_high ? ACCESS_OWNER : ACCESS_QUERY | ACCESS_SUBSCRIBE;
	/* Administrators may stop what runs on their machine, but not make it fetch or write something else as
	 * its owner: that would be the owner's identity, lent without being asked (security rule 13).  What they lend
	 * of their own is another thing, but for the jobs of services. */
	if (is_elevated(caller))
		rights |= ACCESS_QUERY | ACCESS_SUBSCRIBE;
	/* Who wants a declared job otherwise changes what is declared: Ferry would only make it again. */
	if (is_elevated(caller) && !access_is_declared(job->owner))
		rights |= ACCESS_CONTROL | (is_out_of_reach(caller, job) ? 0 : ACCESS_SET_TOKEN);
	if (is_same(caller, job->properties.pinned_helper) && caller->integrity >= INTEGRITY_MEDIUM)
		rights |= ACCESS_ATTACH;

	if (rights == 0)
		return fault_set(fault, RESULT_NOT_FOUND, FAULT_FERRY, 0, "job");
	*ret_rights = rights;
	return RESULT_OK;
}

bool access_list_all(const struct caller *caller)
{
	return access_ask(caller, NULL) == RESULT_OK && is_elevated(caller);
}

static enum result refuse(struct fault *fault, const char *rule)
{
	return fault_set(fault, RESULT_ACCESS_REFUSED, FAULT_FERRY, 0, "%s", rule);
}

enum result access_take(const struct caller *caller, const struct job *job, struct fault *fault)
{
	enum result result = access_own(caller, fault);
	if (result != RESULT_OK)
		return result;
	if (!is_elevated(caller))
		return refuse(fault, "take-elevated: only an elevated administrator takes a job over");
	if (is_out_of_reach(caller, job))
		return refuse(fault, "take-not-services: jobs of services, and those above the caller's integrity, are not taken over");
	return RESULT_OK;
}

/* --- helper tokens --- */

/* What may act for nobody but its own sandbox must not speak for its whole user on the network; what it may write is
 * for the system to decide, and a write-restricted token is the ideal one for one folder (rule 10). */
static enum result check_network(const struct caller *helper, unsigned flags, struct fault *fault)
{
	if ((flags & HELPER_NETWORK) && (helper->restricted || helper->integrity < INTEGRITY_MEDIUM))
		return refuse(fault, "helper-network-whole: a restricted token or one of low integrity is taken for "
		                     "local files only");
	return RESULT_OK;
}

static enum result check_helper(const struct caller *helper, const struct job *job, struct fault *fault)
{
	const char *pin = job->properties.pinned_helper;

	if (!helper->impersonation)
		return fault_set(fault, RESULT_NOT_LENT, FAULT_FERRY, 0,
		                 "token-impersonation: the token is below impersonation level");
	if (helper->owner[0] == '\0')
		return refuse(fault, "helper-known: the token has no user");
	if (helper->app_container)
		return refuse(fault, "helper-not-app-container: the token is an app container's");
	if (pin[0] != '\0' && !is_same(helper, pin))
		return refuse(fault, "helper-pinned: the job takes the token of its pinned helper only");
	if (pin[0] != '\0' && is_same(helper, job->helper_sid) && helper->logon != (enum logon)job->helper_logon)
		return refuse(fault, "helper-pinned-logon: the pinned helper's token came from another kind of logon before");
	return check_network(helper, job->helper_flags, fault);
}

/* Holds for who attaches too: his plain programs must not lend what only his elevated ones have. */
static enum result check_administrators(const struct caller *caller, const struct caller *helper, struct fault *fault)
{
	if (helper->administrator && !is_elevated(caller))
		return refuse(fault, "lend-not-administrators: only an elevated administrator lends a token with "
		                     "Administrators enabled");
	return RESULT_OK;
}

enum result access_lend(const struct opener *opener, const struct job *job, const struct caller *helper, bool roots,
                        struct fault *fault)
{
	const struct caller *caller = &opener->caller;
	bool owns = is_same(caller, job->owner);
	enum result result = check_helper(helper, job, fault);
	if (result != RESULT_OK)
		return result;

	/* An administrator's token in a job to which others, or the same user's plain programs, may add files: for what is
	 * there now, which can be looked at (rule 11). */
	if (roots && ((is_elevated(caller) && !owns) || (helper->administrator && !(owns && job->owner_elevated))))
		return refuse(fault, "lend-sealed: an administrator lends for files to come to an elevated job of his own only");
	if (opener->rights & ACCESS_SET_TOKEN) {
		/* The rule of Windows 10 1607: whose SID opened the job, and whether the token is an administrator's. */
		if (!is_elevated(caller) && !owns)
			return refuse(fault, "lend-opened-as-owner: the job was not opened as its owner");
		return check_administrators(caller, helper, fault);
	}
	if ((opener->rights & ACCESS_ATTACH) && is_same(caller, job->properties.pinned_helper)) {
		if (!is_same(helper, caller->owner))
			return refuse(fault, "attach-own: who attaches lends his own token");
		return check_administrators(caller, helper, fault);
	}
	return refuse(fault, "set-token: the handle does not give the right to lend a token");
}

unsigned access_agreed_flags(const struct opener *lender, const struct job *job)
{
	return is_same(&lender->caller, job->owner) ? HELPER_ALL : job->helper_flags;
}

enum result access_set_flags(const struct opener *opener, const struct job *job, const struct caller *helper,
                             unsigned agreed, unsigned flags, struct fault *fault)
{
	if (!(opener->rights & ACCESS_SET_TOKEN))
		return refuse(fault, "set-token: the handle does not give the right to set the flags");
	if (!is_elevated(&opener->caller)) {
		if (!is_same(&opener->caller, job->owner))
			return refuse(fault, "flags-opened-as-owner: the job was not opened as its owner");
		if (helper != NULL && helper->administrator)
			return refuse(fault, "flags-not-administrators: the helper token is an administrator's");
	}
	if (helper != NULL && (flags & ~agreed) != 0)
		return refuse(fault, "flags-agreed: somebody else lent the token for the flags that the job had then; it is to be "
		                     "lent again");
	return helper != NULL ? check_network(helper, flags, fault) : RESULT_OK;
}

enum result access_check_claim(const struct caller *helper, struct text_view sid, uint64_t logon_id, struct fault *fault)
{
	const struct text_view account = { helper->owner, strcspn(helper->owner, "+") };

	if (sid.length > 0 && account.length == sid.length && memcmp(account.bytes, sid.bytes, sid.length) == 0 &&
	    helper->logon_id == logon_id)
		return RESULT_OK;
	return fault_set(fault, RESULT_ACCESS_REFUSED, FAULT_FERRY, 0,
	                 "claim: the message shows %.*s, logon 0x%llx, which is not what params.sid and params.logon_id say",
	                 (int)account.length, account.bytes, (unsigned long long)helper->logon_id);
}

enum token_life access_token_life(const struct caller *helper, bool age_stated)
{
	if (helper->session != 0)
		return TOKEN_LIFE_SESSION;
	/* A service may run as any account, a group managed one for example: then its kind of logon tells. */
	bool service = is_service(helper->owner) || helper->logon == LOGON_SERVICE;
	return age_stated || service ? TOKEN_LIFE_JOB : TOKEN_LIFE_CONNECTION;
}

const char *token_life_name(enum token_life life)
{
	static const char *const names[TOKEN_LIFE_COUNT] = { "session", "job", "connection" };

	return names[life];
}

const char *logon_name(enum logon logon)
{
	static const char *const names[LOGON_COUNT] = { "other", "interactive", "service", "batch", "network" };

	return names[logon];
}
