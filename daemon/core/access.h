/* core/access - the rule table: who may own, open and control a job.
 *
 * Decides from facts about identities, which platform/identity states in these nouns.  Knows no tokens.  The check is
 * made once, when a job is opened or created; the handle that results is the capability (law 6).
 */
#ifndef FERRY_CORE_ACCESS_H
#define FERRY_CORE_ACCESS_H

#include "core/job.h"

/* Mandatory integrity levels, Windows' numbers (winnt.h SECURITY_MANDATORY_*_RID). */
#define INTEGRITY_MEDIUM 0x2000u
#define INTEGRITY_HIGH 0x3000u
#define INTEGRITY_SYSTEM 0x4000u

/* How a token came to be, by the well-known group that says so (S-1-5-2, -3, -4, -6).  A NEW_CREDENTIALS logon looks like
 * the one it was made from (rule 14). */
enum logon { LOGON_OTHER, LOGON_INTERACTIVE, LOGON_SERVICE, LOGON_BATCH, LOGON_NETWORK, LOGON_COUNT };

/* What the rules need to know of a caller. */
struct caller {
	char owner[JOB_OWNER_BYTES_MAX]; /* the owner key: the SID; for S-1-5-19/20 with service SIDs (rule 7) */
	uint32_t integrity;
	uint32_t session;    /* 0: the services' own */
	uint64_t logon_id;   /* the logon session's LUID; 0 on grounds that have none */
	enum logon logon;
	bool administrator;  /* Administrators is an enabled group: elevated */
	bool restricted;     /* has restricting SIDs */
	bool app_container;
	bool impersonation;  /* the token's level allows to act as the caller */
};

enum access_right {
	ACCESS_QUERY = 1 << 0,
	ACCESS_SUBSCRIBE = 1 << 1,
	ACCESS_CONTROL = 1 << 2, /* resume, suspend, cancel, complete */
	ACCESS_EDIT = 1 << 3,    /* add files, set properties */
	ACCESS_ALL = 0xF
};

/* Whom the limits of ordinary owners do not bind: elevated administrators, LocalSystem, LocalService, NetworkService and
 * virtual service accounts (docs/bits.md section 7). */
bool access_is_exempt(const struct caller *caller) MUST_CHECK;

/* May this caller own jobs?  RESULT_OK | RESULT_ACCESS_REFUSED, fault->what begins with the rule's name. */
enum result access_own(const struct caller *caller, struct fault *fault) MUST_CHECK;

/* Which rights an open of `owner`'s job gives.  A caller who may not know of the job gets RESULT_NOT_FOUND: existence is
 * not revealed (unlike BITS, docs/bits.md section 15).  Restricted, app container and identification-level callers get
 * RESULT_ACCESS_REFUSED whatever job they name: a sandbox has its user's SID, but not its user's rights. */
enum result access_open(const struct caller *caller, const char *owner, uint32_t owner_integrity,
                        unsigned *ret_rights, struct fault *fault) MUST_CHECK;

/* May this caller list everybody's jobs? */
bool access_list_all(const struct caller *caller);

#endif
