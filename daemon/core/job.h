/* core/job - what a job and a file are, and the one table of states.
 *
 * States are BITS's nine (docs/bits.md section 2).  Absent from the table means refused.  This room does not know who
 * calls, what time it is, or where jobs are kept.
 */
#ifndef FERRY_CORE_JOB_H
#define FERRY_CORE_JOB_H

#include "core/credentials.h"
#include "core/destination.h"
#include "core/digest.h"
#include "core/proxy.h"
#include "core/ranges.h"
#include "core/url.h"

#define JOB_NAME_CHARACTERS_MAX 256 /* BITS's, counted as it counts: text_utf16_length() */
#define JOB_DESCRIPTION_CHARACTERS_MAX 1024
#define JOB_NAME_BYTES_MAX 1024 /* such a name as UTF-8, terminated, always fits */
#define JOB_DESCRIPTION_BYTES_MAX 4096
#define JOB_KEY_BYTES_MAX 256
#define JOB_OWNER_BYTES_MAX 512 /* a SID, for service accounts with service SIDs (security rule 7) */
#define JOB_WRITER_BYTES_MAX (JOB_OWNER_BYTES_MAX + 32)
#define JOB_RETRY_AFTER_S_MAX 86400 /* no server has a job wait longer than a day by a single word */
#define JOB_ID_BYTES 37         /* a UUID as text, terminated */
#define JOB_PROGRAM_BYTES_MAX 1024
#define JOB_HEADER_NAMES_BYTES_MAX 1024
#define FILE_ETAG_BYTES_MAX 512
#define FILE_MODIFIED_BYTES_MAX 64
#define FILE_PARTIAL_BYTES_MAX 64
#define FILE_TAG_BYTES_MAX 64
#define FILE_MIRRORS_MAX 8u
#define FILE_RANGES_TOLD_MAX 16u

#define JOB_STATES(X)                                                      \
	X(QUEUED) X(CONNECTING) X(TRANSFERRING) X(SUSPENDED) X(ERROR)      \
	X(TRANSIENT_ERROR) X(TRANSFERRED) X(ACKNOWLEDGED) X(CANCELLED)
enum job_state { /* BG_JOB_STATE's numbers */
#define X(name) JOB_##name,
	JOB_STATES(X)
#undef X
	JOB_STATE_COUNT
};

#define JOB_EVENTS(X)                                                                    \
	X(RESUME)        /* its owner wants it to run, or it is to be fetched anew */ \
	X(SUSPEND)       /* the owner wants it to rest */                                \
	X(SLOT)          /* the scheduler gives it a slot */                             \
	X(CONNECTED)     /* a server answered */                                         \
	X(SLICE_OVER)    /* the scheduler takes the slot back */                         \
	X(OWNER_LEFT)    /* no token of the owner is left */                             \
	X(TOKEN_LOST)    /* it needs a helper token and has none */                      \
	X(FAILED_LATER)  /* a failure that is tried again */                             \
	X(FAILED)        /* a failure that needs somebody */                             \
	X(RETRY)         /* the retry delay is over */                                   \
	X(ALL_FETCHED)   /* every file is whole */                                       \
	X(COMPLETE)      /* every file that is whole has its name */                     \
	X(CANCEL)        /* the owner wants it gone */                                   \
	X(RESTARTED)     /* the service starts: what ran does not run now */
enum job_event {
#define X(name) JOB_EVENT_##name,
	JOB_EVENTS(X)
#undef X
	JOB_EVENT_COUNT
};

/* What the engine owes the job besides its state; kept in the store so that a restart goes on with it. */
enum job_work {
	JOB_WORK_NONE,
	JOB_WORK_TRANSFER, /* fetch what is missing */
	JOB_WORK_PUBLISH,  /* give whole files their names, abandon the others, then COMPLETE */
	JOB_WORK_SWEEP,    /* final: remove what is left on disk */
};

enum job_priority { JOB_FOREGROUND, JOB_HIGH, JOB_NORMAL, JOB_LOW, JOB_PRIORITY_COUNT }; /* BG_JOB_PRIORITY */

enum job_wait {
	JOB_WAIT_NONE,
	JOB_WAIT_SLOT,           /* other jobs come first */
	JOB_WAIT_OWNER_ABSENT,   /* no token of the owner (security rule 16) */
	JOB_WAIT_TOKEN,          /* no helper token; the job's on_token_loss is wait */
	JOB_WAIT_WORKERS,        /* as many identities are at work as may be */
	JOB_WAIT_RETRY,          /* until next_try_ms */
	JOB_WAIT_DISK_FULL,      /* until next_try_ms, because of RESULT_DISK_FULL */
	JOB_WAIT_VOLUME_GONE,    /* likewise, because of RESULT_VOLUME_GONE */
	JOB_WAIT_RATE,           /* nothing is fetched for its priority now, by the configuration */
	JOB_WAIT_NO_NETWORK,     /* until next_try_ms, or until there is a network again */
	JOB_WAIT_METERED,        /* nothing is fetched for its priority on such a network, by the configuration */
	JOB_WAIT_ROAMING,        /* likewise */
	JOB_WAIT_BATTERY_SAVER,  /* likewise, while it is on */
	JOB_WAIT_COUNT
};

/* --- identities: docs/bits.md section 17 --- */

/* What an identity is used for.  The flags of a job's helper token say for which of them it takes the owner's place. */
enum job_side { JOB_SIDE_FILE, JOB_SIDE_NETWORK, JOB_SIDE_COUNT };
#define HELPER_LOCAL_FILE 0x1u /* BG_TOKEN_LOCAL_FILE: opens, creates, names, removes */
#define HELPER_NETWORK 0x2u    /* BG_TOKEN_NETWORK: asks servers and proxies */
#define HELPER_ALL 0x3u
#define HELPER_FLAG(side) (1u << (unsigned)(side))

/* What a job does that needs its helper token and has none. */
enum token_loss { TOKEN_LOSS_ERROR, TOKEN_LOSS_WAIT, TOKEN_LOSS_COUNT };

/* How patient a job is with servers. */
enum job_profile {
	JOB_PROFILE_NONE, /* as the settings say */
	JOB_PROFILE_INTERACTIVE,
	JOB_PROFILE_UPDATE,
	JOB_PROFILE_BULK,
	JOB_PROFILE_COUNT
};
struct job_patience {
	uint32_t first_byte_s;          /* from the request to the first byte of the answer's head */
	uint32_t stall_s;               /* without a byte after that */
	uint32_t no_progress_timeout_s; /* the job's, unless it is stated */
};
const struct job_patience *job_patience(enum job_profile profile); /* NULL for NONE */

enum identity_choice { IDENTITY_OWNER, IDENTITY_HELPER, IDENTITY_SERVICE, IDENTITY_CHOICE_COUNT };

/* What a client chooses; job.create and job.setProperties. */
struct job_properties {
	char name[JOB_NAME_BYTES_MAX];
	char description[JOB_DESCRIPTION_BYTES_MAX];
	enum job_priority priority;
	bool auto_complete;
	uint32_t retry_delay_s;         /* at least 5; BITS: MinimumRetryDelay */
	uint32_t no_progress_timeout_s; /* 0: the first transient error is final */
	uint32_t max_time_s;            /* of CONNECTING and TRANSFERRING together */
	uint32_t lease_s;               /* without any change for so long, the job is cancelled; BITS: JobInactivityTimeout */
	enum job_profile profile;
	bool no_segments;               /* one request at a time for each of its files (core/segments) */
	enum proxy_mode proxy_mode;     /* by which proxy it asks; of EXPLICIT the store has the lists */
	bool no_redirects;              /* a server that sends it elsewhere is refused */
	unsigned tls_ignore;            /* TLS_IGNORE_...: of what is wrong with a server's certificate, where the settings allow it */
	char client_certificate[CLIENT_CERTIFICATE_BYTES_MAX]; /* that it shows its servers (core/credentials); "": none */
	uint64_t max_bytes;             /* of all its files together; 0: any.  BITS: MAX_DOWNLOAD_SIZE */
	enum token_loss on_token_loss;
	char pinned_helper[JOB_OWNER_BYTES_MAX]; /* whose token alone may be its helper's (security rule 12), "" for anybody's */
};
#define JOB_RETRY_DELAY_S_MIN 5
/* What job.create takes where a property is not given: BITS's own (docs/bits.md section 5). */
#define JOB_RETRY_DELAY_S_DEFAULT 600u
#define JOB_NO_PROGRESS_TIMEOUT_S_DEFAULT (14u * 24u * 3600u)
#define JOB_MAX_TIME_S_DEFAULT (90u * 24u * 3600u)
#define JOB_LEASE_S_MIN 60u
#define JOB_LEASE_S_DEFAULT (90u * 24u * 3600u) /* the setting queue.lease_s is what counts in the service */
#define JOB_TIME_S_MAX (10u * 365u * 24u * 3600u)

/* BG_SSL_IGNORE_... in their order.  libcurl can do without the name, or without all of them. */
#define TLS_IGNORE_HOST_NAME 0x1u
#define TLS_IGNORE_COUNT 4u /* host name, date, authority, usage */
#define TLS_IGNORE_ALL 0xfu
const char *tls_ignore_name(unsigned bit); /* of 0 to 3: "host-name", "date", "authority", "usage" */
bool tls_ignore_from_name(struct text_view name, unsigned *ret_flag);

/* As whom a job was made.  It runs under nothing but an identity that agrees in all three. */
struct job_owner {
	const char *sid; /* the owner key */
	uint32_t integrity;
	bool elevated;
};

struct job {
	int64_t row; /* the store's key; 0 before insert */
	char id[JOB_ID_BYTES];
	char key[JOB_KEY_BYTES_MAX]; /* idempotency key, "" for none */
	char correlation[JOB_ID_BYTES];      /* of the submit that it came from: in all that is told of it */
	char program[JOB_PROGRAM_BYTES_MAX]; /* that made it, as the system told; "": it did not.  Shown, never trusted */
	char owner[JOB_OWNER_BYTES_MAX];
	uint32_t owner_integrity; /* of the token that created it (core/access) */
	bool owner_elevated;      /* so was that token: Administrators was enabled */
	uint32_t takeovers;       /* how often it got another owner: what was opened before is void */
	bool limited; /* counts towards the limits of ordinary owners: its creator was not exempt (core/access) */
	struct job_properties properties;
	enum job_state state;
	enum job_work work;
	struct fault error; /* RESULT_OK: none */
	uint32_t error_count;
	unsigned helper_flags;    /* HELPER_...; the token itself is kept in memory only */
	char helper_sid[JOB_OWNER_BYTES_MAX]; /* whose token was lent last, "" if none was */
	unsigned helper_logon;    /* enum logon (core/access) of that token */
	bool token_wait;          /* its work waits for a helper token */
	unsigned implicit, explicit; /* credentials that it has: JOB_CREDENTIAL(...) */
	char header_names[JOB_HEADER_NAMES_BYTES_MAX]; /* of its header lines (core/headers), "": none; store_headers_save's */
	bool headers_write_only;
	char side_sid[JOB_SIDE_COUNT][JOB_OWNER_BYTES_MAX]; /* who served last; "" if nobody did */
	char file_writer[JOB_WRITER_BYTES_MAX]; /* whose the partial files are (core/access); "" if there never were any */
	int64_t created_ms, modified_ms, finished_ms; /* Unix time; 0: not yet */
	int64_t state_since_ms;
	int64_t next_try_ms;     /* 0: at once */
	uint32_t retry_after_s;  /* the server asked to stay away for so long; 0: it is the job's own delay */
	int64_t progress_ms;     /* last time a byte was recorded or the job was resumed */
	uint64_t active_ms;      /* time spent in CONNECTING and TRANSFERRING since the last resume */
	uint32_t attempts;       /* consecutive transient failures without progress */
	uint32_t files_total, files_transferred, files_published, files_size_unknown;
	uint64_t bytes_total;       /* of the files whose size is known */
	uint64_t bytes_transferred; /* recorded in the store */
};

#define JOB_CREDENTIAL_SLOT(target, scheme) ((unsigned)(target) * AUTH_SCHEME_COUNT + (unsigned)(scheme))
#define JOB_CREDENTIAL_TARGET(slot) ((enum auth_target)((slot) / AUTH_SCHEME_COUNT))
#define JOB_CREDENTIAL_SCHEME(slot) ((enum auth_scheme)((slot) % AUTH_SCHEME_COUNT))
#define JOB_CREDENTIAL(target, scheme) (1u << JOB_CREDENTIAL_SLOT(target, scheme))
#define JOB_CREDENTIALS_ALL ((1u << CREDENTIALS_MAX) - 1)

static inline struct job_owner job_owner(const struct job *job)
{
	return (struct job_owner){ job->owner, job->owner_integrity, job->owner_elevated };
}

/* When the job is given up, unless it gets on or somebody changes it before: every change renews the lease. */
static inline int64_t job_lease_ends_ms(const struct job *job)
{
	int64_t changed_ms = job->modified_ms > job->progress_ms ? job->modified_ms : job->progress_ms;
	int64_t lease_ms = (int64_t)job->properties.lease_s * 1000;

	return changed_ms < INT64_MAX - lease_ms ? changed_ms + lease_ms : INT64_MAX;
}

enum file_state {
	FILE_PENDING,     /* not whole; `partial` may name a partial file */
	FILE_TRANSFERRED, /* whole and synced under its partial name */
	FILE_PUBLISHED,   /* under its own name */
	FILE_ABANDONED,   /* its partial file is gone */
	FILE_NOT_MODIFIED, /* what the client has of it is what the server has: nothing was fetched, its destination is as it was */
	FILE_STATE_COUNT
};

/* What the client has of a file already, so that only another one is fetched: RFC 9110 section 13.1. */
struct file_condition {
	char etag[FILE_ETAG_BYTES_MAX]; /* for If-None-Match; "": not stated */
	int64_t modified_ms;            /* Unix time, for If-Modified-Since; 0: not stated */
};
#define FILE_MODIFIED_MS_MAX 253402300799999 /* the last moment that an HTTP date can tell */

struct file {
	int64_t row;
	uint32_t ordinal; /* place in the job, from 0 */
	char url[URL_BYTES_MAX + 1];
	char path[DESTINATION_BYTES_MAX + 1];
	enum file_state state;
	uint32_t mirrors;         /* other URLs of the same file; the store has them */
	uint32_t ranges;          /* of which of the server's file it is made up; the store has them.  0: all of it */
	struct range ranges_told[FILE_RANGES_TOLD_MAX]; /* the first of them, where it is told about the file */
	uint32_t source;          /* what the record says of the server's file is that source's: 0 `url`, n the n-th mirror */
	uint32_t sources_refused; /* a bit for each that gave what no retry mends, since the last resume */
	uint32_t source_failures; /* of `source`, in a row, since the file got on */
	uint64_t bytes_total; /* of this file, as all that follow; SIZE_UNKNOWN until a server or the client says */
	uint64_t bytes_stated; /* the size that it must have, if the client said one */
	bool is_size_stated;
	struct digest digest; /* that it must have, if the client said one */
	struct file_condition condition;
	uint64_t bytes_recorded; /* the checkpoint: synced to disk, then recorded */
	uint64_t bytes_most;     /* the most that ever was, since the last resume: only more than that is progress */
	char partial[FILE_PARTIAL_BYTES_MAX]; /* name beside the destination, "" before it is made */
	char tag[FILE_TAG_BYTES_MAX];         /* file_tag() of the partial file, "" before it is known */
	char etag[FILE_ETAG_BYTES_MAX];
	char modified[FILE_MODIFIED_BYTES_MAX]; /* Last-Modified as sent */
};

static inline bool file_is_conditional(const struct file *file)
{
	return file->condition.etag[0] != '\0' || file->condition.modified_ms != 0;
}
/* Is it an entity tag, strong or weak?  RFC 9110 section 8.8.3. */
bool file_etag_is_valid(struct text_view tag);

/* Who serves that side of the job: the helper if its flag is set, else the owner, in whose place the configuration may put
 * the service (security rule 8). */
enum identity_choice job_identity(const struct job *job, enum job_side side, bool service);
/* The flags of the sides for which the work that the job has needs its helper token: names need no network. */
unsigned job_helper_needed(const struct job *job);

/* The table.  False: the event is refused in this state, `ret_to` is untouched. */
bool job_next_state(enum job_state state, enum job_event event, enum job_state *ret_to);
bool job_state_is_final(enum job_state state);
bool job_state_is_active(enum job_state state); /* holds a slot: CONNECTING, TRANSFERRING */

const char *job_state_name(enum job_state state);
const char *job_event_name(enum job_event event);
const char *job_priority_name(enum job_priority priority); /* "foreground" ... */
const char *job_wait_name(enum job_wait wait);             /* "owner-absent" ... */
const char *file_state_name(enum file_state state);
const char *job_profile_name(enum job_profile profile);        /* "none", "interactive", "update", "bulk" */
bool job_profile_from_name(struct text_view name, enum job_profile *ret_profile);
const char *token_loss_name(enum token_loss loss);             /* "error", "wait" */
const char *identity_choice_name(enum identity_choice choice); /* "owner", "helper", "service" */
const char *job_side_flag_name(enum job_side side);            /* "local-file", "network" */
bool token_loss_from_name(struct text_view name, enum token_loss *ret_loss);
bool identity_choice_from_name(struct text_view name, enum identity_choice *ret_choice);
bool helper_flag_from_name(struct text_view name, unsigned *ret_flag); /* one of HELPER_... */
bool job_state_from_name(struct text_view name, enum job_state *ret_state);
bool job_priority_from_name(struct text_view name, enum job_priority *ret_priority);
bool job_wait_from_name(struct text_view name, enum job_wait *ret_wait);
bool file_state_from_name(struct text_view name, enum file_state *ret_state);

/* Clamp or refuse out-of-range numbers (retry delay is raised to its minimum as BITS does); the field in fault->what. */
enum result job_properties_check(struct job_properties *properties, struct fault *fault) MUST_CHECK;

/* Print the table as the markdown of docs/states.md. */
enum result job_states_markdown(struct buffer *to) MUST_CHECK;

#endif
