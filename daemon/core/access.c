#include "core/access.h"

#include <string.h>

/* What must hold of everybody who asks for anything.  It is judged without looking at a job, so that a
 * refusal tells nothing about one. */
static enum result check_caller(const struct caller *caller, struct fault *fault)
{
	const char *rule = NULL;
	if (caller->owner[0] == '\0')
		rule = "caller-known: the caller has no name";
	else if (!caller->impersonation)
		rule = "caller-impersonation: the connection does not allow the service to act as the caller";
	else if (caller->restricted)
		/* A sandbox has its user's SID; Ferry would act with the user's whole token. */
		rule = "caller-not-restricted: the caller's token has restricting SIDs";
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

/* A service's account: LocalSystem, LocalService, NetworkService, or a virtual one.  In an owner key a '+' and service
 * SIDs may follow (security rule 7). */
static bool is_service(const char *owner)
{
	struct text_view account = { owner, strcspn(owner, "+") };

	return text_is(account, "S-1-5-18") || text_is(account, "S-1-5-19") || text_is(account, "S-1-5-20") ||
	       strncmp(owner, "S-1-5-80-", strlen("S-1-5-80-")) == 0;
}

bool access_is_exempt(const struct caller *caller)
{
	return is_service(caller->owner) || is_elevated(caller);
}

enum result access_own(const struct caller *caller, struct fault *fault)
{
	enum result result = check_caller(caller, fault);
	if (result != RESULT_OK)
		return result;
	if (caller->integrity < INTEGRITY_MEDIUM)
		return fault_set(fault, RESULT_ACCESS_REFUSED, FAULT_FERRY, 0,
		                 "owner-integrity: the caller's integrity level is below medium");
	return RESULT_OK;
}

enum result access_open(const struct caller *caller, const char *owner, uint32_t owner_integrity,
                        unsigned *ret_rights, struct fault *fault)
{
	enum result result = check_caller(caller, fault);
	if (result != RESULT_OK)
		return result;

	unsigned rights = 0;
	if (strcmp(caller->owner, owner) == 0)
		rights |= caller->integrity >= owner_integrity ? ACCESS_ALL : ACCESS_QUERY | ACCESS_SUBSCRIBE;
	/* Administrators may stop what runs on their machine, but not make it fetch or write something else as
	 * its owner: that would be the owner's identity, lent without being asked (security rule 13). */
	if (is_elevated(caller))
		rights |= ACCESS_QUERY | ACCESS_SUBSCRIBE | ACCESS_CONTROL;

	if (rights == 0)
		return fault_set(fault, RESULT_NOT_FOUND, FAULT_FERRY, 0, "job");
	*ret_rights = rights;
	return RESULT_OK;
}

bool access_list_all(const struct caller *caller)
{
	return check_caller(caller, NULL) == RESULT_OK && is_elevated(caller);
}
