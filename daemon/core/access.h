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
	bool restricted;     /* has restricting SIDs, or its own user for deny only */
	bool app_container;
	bool impersonation;  /* the token's level allows to act as the caller */
};

/* Who asks for something, as events tell it: nothing is decided by the program (rule 4). */
struct asker {
	char owner[JOB_OWNER_BYTES_MAX];
	uint32_t session, process;         /* 0: not known */
	char image[JOB_PROGRAM_BYTES_MAX]; /* its program's file; "": not known */
};

enum access_right {
	ACCESS_QUERY = 1 << 0,
	ACCESS_SUBSCRIBE = 1 << 1,
	ACCESS_CONTROL = 1 << 2,   /* resume, suspend, cancel, complete */
	ACCESS_EDIT = 1 << 3,      /* add files, set properties */
	ACCESS_SET_TOKEN = 1 << 4, /* set and clear the helper token and its flags */
	ACCESS_ATTACH = 1 << 5,    /* lend one's own token, which the job is pinned to, and nothing else (rule 12) */
};
/* The owner key of declared jobs.  No account has it, NetworkService neither: nobody but the service itself acts for them, and
 * nobody opens one as its owner. */
#define ACCESS_DECLARED_OWNER "ferry"
bool access_is_declared(const char *owner);

#define ACCESS_OWNER (ACCESS_QUERY | ACCESS_SUBSCRIBE | ACCESS_CONTROL | ACCESS_EDIT | ACCESS_SET_TOKEN)

/* Whom the limits of ordinary owners do not bind: elevated administrators, LocalSystem, LocalService, NetworkService and
 * virtual service accounts (docs/bits.md section 7). */
bool access_is_exempt(const struct caller *caller) MUST_CHECK;

/* May this caller own jobs?  RESULT_OK | RESULT_ACCESS_REFUSED, fault->what begins with the rule's name. */
enum result access_own(const struct caller *caller, struct fault *fault) MUST_CHECK;

/* Is this caller such an owner? */
bool access_is_owner(const struct caller *caller, const struct job_owner *owner) MUST_CHECK;

/* Who makes files as this caller, apart from all who make others: the same person's elevated, low or restricted token is
 * another one (rule 19). */
void access_writer(const struct caller *caller, char to[JOB_WRITER_BYTES_MAX]);

/* May this caller ask for anything?  Judged without looking at a job, so that a refusal tells nothing about one. */
enum result access_ask(const struct caller *caller, struct fault *fault) MUST_CHECK;

/* Which rights an open of the job gives.  A caller who may not know of the job gets RESULT_NOT_FOUND: existence is
 * not revealed (unlike BITS, docs/bits.md section 15).  Restricted, app container and identification-level callers get
 * RESULT_ACCESS_REFUSED whatever job they name: a sandbox has its user's SID, but not its user's rights. */
enum result access_open(const struct caller *caller, const struct job *job, unsigned *ret_rights,
                        struct fault *fault) MUST_CHECK;

/* May this caller list everybody's jobs? */
bool access_list_all(const struct caller *caller);

/* May this caller make somebody else's job his own?  Elevated administrators, but not jobs of services (rule 13). */
enum result access_take(const struct caller *caller, const struct job *job, struct fault *fault) MUST_CHECK;

/* --- helper tokens: docs/bits.md section 17.  Refusals are RESULT_ACCESS_REFUSED or RESULT_NOT_LENT; fault->what begins
 * with the rule's name. --- */

/* Who asks: the caller who opened the job, never the one whom a thread impersonates by now (rule 10), and the rights that
 * gave. */
struct opener {
	struct caller caller;
	unsigned rights;
};

/* May the opener lend `helper` to the job?  `roots`: also for files to come, below folders that the lender states. */
enum result access_lend(const struct opener *opener, const struct job *job, const struct caller *helper, bool roots,
                        struct fault *fault) MUST_CHECK;
/* May the opener set these flags while `helper` (NULL: nobody) is lent to the job, by somebody who agreed to `agreed` of
 * them?  The owner who lends agrees to all; anybody else, to what the job had then. */
enum result access_set_flags(const struct opener *opener, const struct job *job, const struct caller *helper,
                             unsigned agreed, unsigned flags, struct fault *fault) MUST_CHECK;
unsigned access_agreed_flags(const struct opener *lender, const struct job *job);
/* Is what was captured what the client says its thread wears (rule 2)?  `sid` is the account alone. */
enum result access_check_claim(const struct caller *helper, struct text_view sid, uint64_t logon_id,
                               struct fault *fault) MUST_CHECK;

/* How long a lent token may be kept (rule 15), beside the age that the lender may state. */
enum token_life {
	TOKEN_LIFE_SESSION,    /* until the end of the session it came from */
	TOKEN_LIFE_JOB,        /* as long as the job needs it */
	TOKEN_LIFE_CONNECTION, /* as long as the connection that lent it */
	TOKEN_LIFE_COUNT
};
enum token_life access_token_life(const struct caller *helper, bool age_stated);
const char *token_life_name(enum token_life life); /* "session" ... */
const char *logon_name(enum logon logon);          /* "interactive" ... */

#endif
