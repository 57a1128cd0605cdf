/* ferry.h - libferry, the client library of the Ferry download service.
 *
 * For update agents and other programs that let Ferry fetch files: create a job, add files, resume it, wait.  The job
 * belongs to the user the calling thread acts as, lives in the service's queue, and goes on when this program ends.
 * client/examples/submit.c is a whole agent on one page; docs/protocol.md tells what travels.
 *
 *   struct ferry *ferry;
 *   struct ferry_error error;
 *   if (ferry_connect(NULL, &ferry, &error) != FERRY_OK)
 *           fprintf(stderr, "%s (%s)\n%s\n", error.message, error.name, error.remedy);
 *
 * Threads: one thread at a time per connection; what it asks carries the identity that thread wears.  Several
 *     connections may be used by several threads.  The library starts no threads.
 * Memory: records (ferry_status, ferry_file, ferry_error ...) are plain data without pointers: copy them, free nothing.
 *     `struct ferry` and `struct ferry_job` are opaque and freed by ferry_close and ferry_job_close.
 * Texts are UTF-8, NUL-terminated.  Units are in the names: _ms, _s, _bytes.  Moments are Unix time in ms, 0 for none.
 * Outcomes: every function that can fail returns an enum ferry_result and fills `error`, which may be NULL.  A ret_
 *     argument is written on FERRY_OK only, unless its function says otherwise.
 * Blocking: every function that talks to the service blocks, at most for the time-out in struct ferry_options.
 *
 * In this order: outcomes, the connection, what a job is, making and opening jobs, looking, control, the helper token,
 * credentials, headers, waiting and watching.
 */
#ifndef FERRY_H
#define FERRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
#if defined(__GNUC__)
#define FERRY_MUST_CHECK __attribute__((warn_unused_result))
#else
#define FERRY_MUST_CHECK
#endif

/* ---- outcomes ---- */

/* What a program decides by.  The error's name says exactly what it was. */
enum ferry_result {
	FERRY_OK,
	FERRY_NOT_RUNNING,     /* no service answers, or it went away: nothing is known of the last request */
	FERRY_NOT_THE_SERVICE, /* somebody else serves its address; nothing was sent to them */
	FERRY_BUSY,            /* it serves as many clients as it may */
	FERRY_REFUSED,         /* bad input, a state that does not allow it, or a limit; nothing changed */
	FERRY_ACCESS_REFUSED,  /* you may not do this; nothing changed */
	FERRY_NOT_FOUND,       /* no such job for you */
	FERRY_TIMED_OUT,       /* it took longer than you allowed */
	FERRY_STOPPED,         /* your own callback said so */
	FERRY_FAILED           /* this machine or the service cannot: memory, disk, something unexpected */
};

/* An error in words and numbers; also why a job failed. */
struct ferry_error {
	uint32_t hresult;  /* BITS's or Windows' number; 0: no error */
	char name[32];     /* "TOKEN_REQUIRED": stable, to be compared; "" if there is no error */
	char message[512]; /* what happened, and to what; holds no secret */
	char remedy[256];  /* what a person should do about it; may be "" */
	char source[16];   /* whose `code` is: "http", "curl", "win32", "ntstatus", "errno", "sqlite"; "" if none */
	int64_t code;      /* the number that source gave, an HTTP status for one */
};

/* ---- the connection ---- */

struct ferry; /* one connection to the service */

#define FERRY_SID_BYTES 512 /* a SID as text, with its end; a service account's service SIDs are part of it */

/* All zero is a good choice, and so is NULL instead of it. */
struct ferry_options {
	const char *address;       /* NULL: the installed service */
	const char *client;        /* your program's name and version, for the service's log; NULL: "libferry" */
	bool accept_console;       /* also accept a server that you yourself run as `ferryd console` */
	int64_t open_timeout_ms;   /* for ferry_connect to get through; 0: 5000 */
	int64_t answer_timeout_ms; /* for the service to answer one request; 0: 60000; negative: for ever */
};

/* Connect, check that it is the service, and say hello: from now on you are present as an owner, and your jobs that
 * waited for you go on.  The options' texts are copied.  A connection is never made to a service that is not NT
 * SERVICE\Ferry (or, with accept_console, you): FERRY_NOT_THE_SERVICE.
 *   FERRY_NOT_RUNNING | FERRY_NOT_THE_SERVICE | FERRY_BUSY | FERRY_REFUSED (another protocol) | FERRY_FAILED */
enum ferry_result ferry_connect(const struct ferry_options *options, struct ferry **ret_ferry,
                                struct ferry_error *error) FERRY_MUST_CHECK;
/* Frees the connection.  Its jobs must be closed before; they go on in the service.  NULL is fine. */
void ferry_close(struct ferry *ferry);

/* What the service said to hello. */
struct ferry_server {
	char version[64];
	char owner[FERRY_SID_BYTES]; /* as whom it knows you */
	bool elevated;   /* as an administrator */
};
void ferry_get_server(const struct ferry *ferry, struct ferry_server *ret_server);

/* The connection was lost, or you gave up waiting: make it again within `timeout_ms` (negative: for ever), trying after
 * 0.2 s and then ever less often, up to every 5 s.  Says hello, opens every job that was open, under the identity saved
 * when you opened it, and subscribes again.  ferry_job_wait and ferry_next_change do this by themselves.
 * A helper token is not lent again: that is for its user to do (ferry_job_set_helper_token).
 *   FERRY_NOT_RUNNING (time is up) | what ferry_connect and ferry_job_open return */
enum ferry_result ferry_reconnect(struct ferry *ferry, int64_t timeout_ms, struct ferry_error *error) FERRY_MUST_CHECK;

/* ---- what a job is ---- */

#define FERRY_ID_BYTES 37         /* a UUID as text, with its end */
#define FERRY_URL_BYTES_MAX 2200  /* BITS's limit */
#define FERRY_PATH_BYTES_MAX 2048
#define FERRY_DIGEST_BYTES_MAX 136 /* "sha512:" and 128 digits, terminated */
#define FERRY_MIRRORS_MAX 8
#define FERRY_ETAG_BYTES_MAX 512 /* an entity tag, its quotes included, terminated */
#define FERRY_SIZE_UNKNOWN UINT64_MAX
#define FERRY_TO_EOF UINT64_MAX /* the length of a range: to the end of the server's file.  BG_LENGTH_TO_EOF */
#define FERRY_RANGES_MAX 4096   /* the service's settings may allow fewer */
#define FERRY_RANGES_TOLD_MAX 16

enum ferry_state { /* BG_JOB_STATE's numbers */
	FERRY_STATE_QUEUED = 0,          /* waits; see ferry_status.wait for what */
	FERRY_STATE_CONNECTING = 1,
	FERRY_STATE_TRANSFERRING = 2,
	FERRY_STATE_SUSPENDED = 3,       /* rests until it is resumed; every new job does */
	FERRY_STATE_ERROR = 4,           /* rests until somebody acts and resumes it */
	FERRY_STATE_TRANSIENT_ERROR = 5, /* goes on by itself */
	FERRY_STATE_TRANSFERRED = 6,     /* all files are whole; they get their names on ferry_job_complete */
	FERRY_STATE_ACKNOWLEDGED = 7,    /* final: the files have their names */
	FERRY_STATE_CANCELLED = 8        /* final */
};
enum ferry_priority { /* BG_JOB_PRIORITY's numbers */
	FERRY_PRIORITY_FOREGROUND = 0,
	FERRY_PRIORITY_HIGH = 1,
	FERRY_PRIORITY_NORMAL = 2,
	FERRY_PRIORITY_LOW = 3
};
enum ferry_wait_reason {
	FERRY_WAIT_NONE,
	FERRY_WAIT_SLOT,         /* other jobs come first */
	FERRY_WAIT_OWNER_ABSENT, /* none of the owner's programs has said hello since the service started */
	FERRY_WAIT_TOKEN,        /* it needs a helper token and has none; see ferry_status.on_token_loss */
	FERRY_WAIT_WORKERS,      /* as many identities are at work as may be */
	FERRY_WAIT_RETRY,        /* until next_try_ms */
	FERRY_WAIT_DISK_FULL,    /* until next_try_ms */
	FERRY_WAIT_VOLUME_GONE,  /* until next_try_ms */
	FERRY_WAIT_RATE,         /* nothing is fetched for its priority until next_try_ms */
	FERRY_WAIT_NO_NETWORK,   /* until next_try_ms, or until there is a network again */
	FERRY_WAIT_METERED,      /* the network is; docs/bits.md, 18 to 20 */
	FERRY_WAIT_ROAMING,      /* the network is somebody else's */
	FERRY_WAIT_BATTERY_SAVER, /* it is on */
	FERRY_WAIT_OTHER         /* a reason that a newer service has */
};
enum ferry_file_state {
	FERRY_FILE_PENDING,
	FERRY_FILE_TRANSFERRED, /* whole, still under its partial name */
	FERRY_FILE_PUBLISHED,   /* under its own name */
	FERRY_FILE_ABANDONED,   /* its partial file is gone */
	FERRY_FILE_NOT_MODIFIED /* you have what the server has: nothing was fetched, its destination is as it was */
};
enum ferry_profile { /* how patient a job is with servers: docs/protocol.md has the times */
	FERRY_PROFILE_NONE, /* as the service's settings say */
	FERRY_PROFILE_INTERACTIVE,
	FERRY_PROFILE_UPDATE,
	FERRY_PROFILE_BULK
};

/* BG_SSL_IGNORE_...: all of them together, or the name alone. */
#define FERRY_TLS_IGNORE_HOST_NAME 0x1u
#define FERRY_TLS_IGNORE_DATE 0x2u
#define FERRY_TLS_IGNORE_AUTHORITY 0x4u
#define FERRY_TLS_IGNORE_USAGE 0x8u
#define FERRY_TLS_IGNORE_ALL 0xfu
#define FERRY_CLIENT_CERTIFICATE_BYTES 528 /* with its end */
const char *ferry_tls_ignore_name(unsigned flag); /* "host-name", "date", "authority", "usage" */

enum ferry_proxy_mode { /* by which proxies a job asks; BG_JOB_PROXY_USAGE's numbers, whose OVERRIDE is EXPLICIT */
	FERRY_PROXY_PRECONFIGURED, /* those of the service's settings, else of whoever serves its network */
	FERRY_PROXY_NONE,
	FERRY_PROXY_EXPLICIT,      /* its own */
	FERRY_PROXY_AUTODETECT     /* those that the network names */
};

enum ferry_token_loss { /* what a job does that needs its helper token and has none */
	FERRY_TOKEN_LOSS_ERROR, /* goes to ERROR, TOKEN_REQUIRED */
	FERRY_TOKEN_LOSS_WAIT   /* waits until one is lent */
};
enum ferry_identity { /* who serves a side of a job */
	FERRY_AS_OWNER,
	FERRY_AS_HELPER, /* whose token is lent to it, with the side's flag */
	FERRY_AS_SERVICE /* by the service's configuration only */
};

enum ferry_auth_target { /* BG_AUTH_TARGET's numbers less one */
	FERRY_AUTH_SERVER,
	FERRY_AUTH_PROXY
};
enum ferry_auth_scheme { /* BG_AUTH_SCHEME's numbers less one */
	FERRY_AUTH_BASIC,
	FERRY_AUTH_DIGEST,
	FERRY_AUTH_NTLM,
	FERRY_AUTH_NEGOTIATE
};

/* The names used in messages and on the command line: "TRANSFERRING", "normal", "owner-absent", "pending" ... */
const char *ferry_state_name(enum ferry_state state);
const char *ferry_priority_name(enum ferry_priority priority);
const char *ferry_wait_reason_name(enum ferry_wait_reason wait);
const char *ferry_file_state_name(enum ferry_file_state state);
const char *ferry_token_loss_name(enum ferry_token_loss loss); /* "error", "wait" */
const char *ferry_profile_name(enum ferry_profile profile);    /* "none", "interactive", "update", "bulk" */
const char *ferry_proxy_mode_name(enum ferry_proxy_mode mode); /* "preconfigured", "none", "explicit", "autodetect" */
bool ferry_profile_from_name(const char *name, enum ferry_profile *ret_profile);
const char *ferry_identity_name(enum ferry_identity identity); /* "owner", "helper", "service" */
bool ferry_token_loss_from_name(const char *name, enum ferry_token_loss *ret_loss);
bool ferry_priority_from_name(const char *name, enum ferry_priority *ret_priority);
const char *ferry_auth_target_name(enum ferry_auth_target target); /* "server", "proxy" */
bool ferry_auth_target_from_name(const char *name, enum ferry_auth_target *ret_target);
const char *ferry_auth_scheme_name(enum ferry_auth_scheme scheme); /* "basic", "digest", "ntlm", "negotiate" */
bool ferry_auth_scheme_from_name(const char *name, enum ferry_auth_scheme *ret_scheme);
bool ferry_state_is_final(enum ferry_state state); /* ACKNOWLEDGED, CANCELLED */

/* One side of a job, files or network: who serves it from now on, and who did last. */
struct ferry_side {
	enum ferry_identity as;
	char sid[FERRY_SID_BYTES];      /* "": nobody is there */
	char last_sid[FERRY_SID_BYTES]; /* "": nobody yet */
};

/* What a job has to answer with; users and passwords are never told. */
struct ferry_credentials {
	enum ferry_auth_target target;
	enum ferry_auth_scheme scheme;
	bool implicit; /* as the one who fetches; else with a user and a password */
};
#define FERRY_CREDENTIALS_MAX 8 /* one for each target and scheme */

/* A job as the service last told it. */
struct ferry_status {
	char id[FERRY_ID_BYTES];
	char name[1024];
	char description[4096];
	char key[256];   /* "": none */
	char correlation[FERRY_ID_BYTES]; /* a UUID that all events about the job have: yours, or the service's */
	char owner[FERRY_SID_BYTES];
	enum ferry_state state;
	enum ferry_wait_reason wait;
	enum ferry_priority priority;
	bool auto_complete;             /* completes by itself when every file is whole */
	uint32_t retry_delay_s, no_progress_timeout_s, max_time_s, lease_s;
	bool completing;                /* its files are getting their names */
	int64_t created_ms, modified_ms, finished_ms, wait_since_ms, next_try_ms;
	int64_t lease_ends_ms;          /* the job is cancelled then, unless something changes it before; 0: it is final */
	uint32_t files_total, files_transferred, files_published;
	bool bytes_total_is_known;      /* false: bytes_total counts only the files whose size is known */
	uint64_t bytes_total, bytes_transferred;
	uint32_t error_count;           /* over the job's life */
	struct ferry_error error;       /* the last one; hresult 0: none */
	unsigned helper_flags;          /* FERRY_HELPER_... */
	char helper_sid[FERRY_SID_BYTES];      /* whose token is lent to it now; "": none is */
	char helper_last_sid[FERRY_SID_BYTES]; /* whose was lent last; "": none ever was */
	char pinned_helper[FERRY_SID_BYTES];   /* whose token alone it takes; "": anybody's */
	enum ferry_token_loss on_token_loss;
	enum ferry_profile profile;
	uint64_t max_bytes;             /* 0: any */
	bool no_segments;               /* each file by one request at a time */
	enum ferry_proxy_mode proxy;
	bool no_redirects;
	unsigned tls_ignore;            /* FERRY_TLS_IGNORE_... */
	char client_certificate[FERRY_CLIENT_CERTIFICATE_BYTES]; /* "": none */
	struct ferry_side file, network;
	uint32_t credentials_count;
	struct ferry_credentials credentials[FERRY_CREDENTIALS_MAX];
	char header_names[1024]; /* of its header lines, with blanks between; "": none.  What they say ferry_job_get_headers tells */
	bool headers_write_only;
};

/* A part of a server's file.  BITS: BG_FILE_RANGE. */
struct ferry_range {
	uint64_t offset, length; /* FERRY_TO_EOF */
};

struct ferry_file {
	uint32_t ordinal; /* place in the job, from 0 */
	char url[FERRY_URL_BYTES_MAX + 1]; /* for showing: without its query */
	char path[FERRY_PATH_BYTES_MAX + 1];
	enum ferry_file_state state;
	uint64_t bytes_total; /* FERRY_SIZE_UNKNOWN until the server or you say */
	uint64_t bytes_transferred;
	char digest[FERRY_DIGEST_BYTES_MAX]; /* that it must have; "": any */
	uint32_t mirrors; /* how many it has */
	uint32_t source;  /* where what is on disk came from: 0 its URL, n its n-th mirror */
	uint32_t range_count; /* of the server's file, that make it up; 0: all of it */
	struct ferry_range ranges[FERRY_RANGES_TOLD_MAX]; /* the first of them */
	char etag[FERRY_ETAG_BYTES_MAX]; /* what the server said of it last, for the next time; "": nothing */
	int64_t last_modified_ms;        /* likewise; 0: nothing */
};

/* ---- making and opening jobs ---- */

struct ferry_job; /* an open job: the right to do what you may do with it, on this connection */

/* What you ask for.  Only the members named in `given` are looked at. */
struct ferry_properties {
	unsigned given; /* FERRY_GIVE_... */
	const char *name, *description; /* up to 256 and 1,024 characters, counted in UTF-16 as BITS does */
	enum ferry_priority priority;
	bool auto_complete;
	uint32_t retry_delay_s;         /* raised to 5 */
	uint32_t no_progress_timeout_s; /* 0: the first passing error is final */
	uint32_t max_time_s;            /* of transferring, waiting not counted */
	uint32_t lease_s;               /* without any change for so long, the job is cancelled; at least 60 */
	enum ferry_token_loss on_token_loss;
	const char *pinned_helper;      /* the SID whose token alone may be its helper token; NULL: anybody's */
	enum ferry_profile profile;     /* brings a no_progress_timeout_s, unless that is given */
	uint64_t max_bytes;             /* all files together may be no larger: MAX_SIZE; 0: any size */
	bool no_segments;               /* never several requests for parts of one file at once */
	enum ferry_proxy_mode proxy;    /* given with its lists, or none */
	const char *proxy_list;         /* of FERRY_PROXY_EXPLICIT: "proxy:3128; DIRECT", tried in turn; else NULL */
	const char *proxy_bypass;       /* likewise: hosts that are asked directly, "*.example.com; <local>"; NULL: none */
	bool no_redirects;              /* a server that sends the job elsewhere is refused: REDIRECT_REFUSED */
	unsigned tls_ignore;            /* of what is wrong with certificates of servers that tls.may_ignore names: 0, HOST_NAME or ALL */
	const char *client_certificate; /* of a store of Windows', shown to the job's own https servers: "LOCATION\\STORE\\WHO", where
	                                 * LOCATION is current-user (whoever fetches) or local-machine, and WHO a thumbprint or the name
	                                 * that it is issued to; NULL: none */
};
#define FERRY_GIVE_NAME 0x01u
#define FERRY_GIVE_DESCRIPTION 0x02u
#define FERRY_GIVE_PRIORITY 0x04u
#define FERRY_GIVE_AUTO_COMPLETE 0x08u
#define FERRY_GIVE_RETRY_DELAY 0x10u
#define FERRY_GIVE_NO_PROGRESS_TIMEOUT 0x20u
#define FERRY_GIVE_MAX_TIME 0x40u
#define FERRY_GIVE_LEASE 0x80u
#define FERRY_GIVE_ON_TOKEN_LOSS 0x100u
#define FERRY_GIVE_PINNED_HELPER 0x200u
#define FERRY_GIVE_PROFILE 0x400u
#define FERRY_GIVE_MAX_BYTES 0x800u
#define FERRY_GIVE_NO_SEGMENTS 0x1000u
#define FERRY_GIVE_PROXY 0x2000u
#define FERRY_GIVE_NO_REDIRECTS 0x4000u
#define FERRY_GIVE_TLS_IGNORE 0x8000u
#define FERRY_GIVE_CLIENT_CERTIFICATE 0x10000u

/* One file to fetch.  The URL is absolute http or https, or \\server\share\folder\file; the path absolute, in a folder that
 * exists. */
struct ferry_source {
	const char *url;
	const char *path;
	uint64_t size_bytes; /* what it must have, or the job fails with SIZE_MISMATCH; FERRY_SIZE_UNKNOWN: any */
	const char *digest;  /* likewise, with DIGEST_MISMATCH: "sha256:", "sha384:" or "sha512:" and hexadecimal digits; NULL: any */
	const char *const *mirrors; /* other URLs of the same file, asked in turn where this one fails; NULL: none */
	size_t mirror_count;        /* up to FERRY_MIRRORS_MAX */
	/* What you have at `path` already: only another file is fetched, and this one becomes FERRY_FILE_NOT_MODIFIED.  Not
	 * with a digest; and where nothing is at `path`, or something of another size than `size_bytes`, it is fetched anyway. */
	const char *if_none_match;    /* the ETag that the server sent with it; NULL: not asked */
	int64_t if_modified_since_ms; /* its Last-Modified; 0: not asked */
	/* Fetch only these parts of the server's file, none of them twice: one behind the other, in this order, they are the file
	 * at `path`, of which `size_bytes` and `digest` speak.  Not with a condition.  BITS: AddFileWithRanges. */
	const struct ferry_range *ranges; /* NULL: all of it */
	size_t range_count;               /* up to FERRY_RANGES_MAX */
};

/* A job to be made. */
struct ferry_new_job {
	const char *key; /* NULL, or what makes this job the same one when it is asked for again */
	const char *correlation; /* a UUID of yours, for all that is told of the job; NULL: the service makes one */
	struct ferry_properties properties; /* a name must be given */
	const struct ferry_source *files;   /* may be NULL; more can be added later */
	size_t file_count;
};
/* Create a suspended job.  With a key this can safely be tried again after any failure: if you have a job of that key,
 * it is opened instead and *ret_created is false.  Nothing of it is changed then, except that files are added which an
 * earlier try, cut off in the middle, did not get to: the job is still suspended and has fewer files than you give.
 *   FERRY_REFUSED | FERRY_NOT_RUNNING | FERRY_TIMED_OUT | FERRY_FAILED: without a key, a job with part of the files may
 *   have been left behind if they did not fit into one message of 1 MiB. */
enum ferry_result ferry_job_create(struct ferry *ferry, const struct ferry_new_job *request, struct ferry_job **ret_job,
                                   bool *ret_created, struct ferry_error *error) FERRY_MUST_CHECK;
/* Open a job by its id.  Its pinned helper may open it too, and do nothing with it but lend a token.
 * FERRY_NOT_FOUND: there is none, or it is not yours. */
enum ferry_result ferry_job_open(struct ferry *ferry, const char *id, struct ferry_job **ret_job,
                                 struct ferry_error *error) FERRY_MUST_CHECK;
/* Forget the job here; in the service it goes on.  A connection may have a few hundred open at once.  NULL is fine. */
void ferry_job_close(struct ferry_job *job);
const char *ferry_job_id(const struct ferry_job *job); /* valid as long as the job is open */

/* Add files, in as many messages as it takes: each adds all of its files or none.  *ret_added (may be NULL) is always
 * written: the files of the messages that were acknowledged come first, and the rest can be added again. */
enum ferry_result ferry_job_add_files(struct ferry_job *job, const struct ferry_source *files, size_t count,
                                      size_t *ret_added, struct ferry_error *error) FERRY_MUST_CHECK;
/* The files' server moved: put `new_prefix` in place of `old_prefix` in all URLs of the job, of files and of their mirrors,
 * that begin with it, case included.  All are changed or none.  What runs goes on at the new place: with what is on disk
 * where size and digest were stated, else from the start; whole files stay.  A helper token that is lent does not cover
 * the files that are left to be put in their place: lend it again.  *ret_files (may be NULL): how many files it was.
 *   FERRY_REFUSED: INVALID_ARGUMENT (no URL begins with it) | BAD_URL, TOO_LONG (what would come out, with the file) |
 *   INVALID_STATE */
enum ferry_result ferry_job_replace_remote_prefix(struct ferry_job *job, const char *old_prefix, const char *new_prefix,
                                                  uint32_t *ret_files, struct ferry_error *error) FERRY_MUST_CHECK;
/* Every change renews the job's lease.  With `given` 0 that is all it does: for programs that keep a job for longer. */
enum ferry_result ferry_job_set_properties(struct ferry_job *job, const struct ferry_properties *properties,
                                           struct ferry_error *error) FERRY_MUST_CHECK;

/* ---- looking ---- */

/* Visitors are called on the calling thread and must not use the connection; false ends the walk, which is no error. */
enum ferry_result ferry_job_get(struct ferry_job *job, struct ferry_status *ret_status,
                                struct ferry_error *error) FERRY_MUST_CHECK;
enum ferry_result ferry_job_files(struct ferry_job *job, uint32_t from_ordinal,
                                  bool (*visit)(void *context, const struct ferry_file *file), void *context,
                                  struct ferry_error *error) FERRY_MUST_CHECK;
/* Your jobs in the order of their making. */
#define FERRY_LIST_FINISHED 0x1u /* those in a final state too */
#define FERRY_LIST_EVERYONE 0x2u /* everybody's: for elevated administrators */
enum ferry_result ferry_jobs(struct ferry *ferry, unsigned flags,
                             bool (*visit)(void *context, const struct ferry_status *status), void *context,
                             struct ferry_error *error) FERRY_MUST_CHECK;

struct ferry_service {
	char version[64], curl[128], sqlite[128];
	int64_t started_ms;
	uint64_t jobs_queued; /* not final */
	uint32_t jobs_active, files_active;
	uint32_t workers;        /* threads that wear an identity */
	uint32_t owners_present; /* whose jobs can run */
	uint32_t connections;
};
enum ferry_result ferry_service_status(struct ferry *ferry, struct ferry_service *ret_service,
                                       struct ferry_error *error) FERRY_MUST_CHECK;

/* ---- the configuration, for elevated administrators ---- */

/* One setting as it holds, and where its value comes from. */
struct ferry_setting {
	char key[128];         /* "queue.slice_s" */
	const char *value;     /* as JSON: a number, a text in quotes, or a list of texts; as long as the visit */
	char layer[16];        /* "built-in", "last-good", "file", "conf.d" or "policy" */
	char source[304];      /* the file in Ferry's folder, or the policy's value; "" where it is built in */
	uint32_t line;         /* of the file; 0: it is none */
};
/* All of them, until `visit` says false. */
enum ferry_result ferry_config_show(struct ferry *ferry, bool (*visit)(void *context, const struct ferry_setting *setting),
                                    void *context, struct ferry_error *error) FERRY_MUST_CHECK;
/* What reading the configuration again came to, in words. */
struct ferry_reload {
	bool taken;         /* false: everything stays as it was */
	char now[1024];     /* what changed */
	char later[1024];   /* what the next start would change */
	char errors[16384]; /* what was wrong, a line each */
};
enum ferry_result ferry_config_reload(struct ferry *ferry, struct ferry_reload *ret_reload,
                                      struct ferry_error *error) FERRY_MUST_CHECK;

/* The owner of jobs that are declared.  No account has that key; such jobs go with what declares them. */
#define FERRY_OWNER_DECLARED "ferry"
/* The declared jobs of the service's jobs.d, read again and compared with what there is; for elevated administrators.  With
 * `act` what differs is acted on, and `visit` is told what was done; else what would be.  False: stop.  *ret_errors, of
 * FERRY_DECLARED_ERRORS_BYTES_MAX bytes, gets a line for each thing that is wrong in jobs.d: then nothing is done, and `visit` is
 * not called; "": nothing is.  Blocks for as long as the files take to be read, without a time limit. */
#define FERRY_DECLARED_ERRORS_BYTES_MAX 16384
struct ferry_declared {
	char name[72];
	char action[16];   /* "nothing", "create", "update", "replace", "repair", "refresh", "drop" */
	uint64_t fetch;    /* how many files are fetched */
	char reason[264];
	char error[768];   /* why it could not be done; "": it could */
};
enum ferry_result ferry_declared(struct ferry *ferry, bool act,
                                 bool (*visit)(void *context, const struct ferry_declared *declared), void *context,
                                 char *ret_errors, struct ferry_error *error) FERRY_MUST_CHECK;
/* The id of the job that fetches what is declared by that name now, for ferry_job_open: for administrators, and for the helper
 * whose token it waits for.  FERRY_NOT_FOUND: nothing of it is fetched, or it is not yours to know. */
enum ferry_result ferry_declared_find(struct ferry *ferry, const char *name, char ret_id[FERRY_ID_BYTES],
                                      struct ferry_error *error) FERRY_MUST_CHECK;

/* ---- control ---- */

/* `ret_status` may be NULL.  FERRY_REFUSED with the name INVALID_STATE where the job's state forbids it. */

enum ferry_result ferry_job_resume(struct ferry_job *job, struct ferry_status *ret_status,
                                   struct ferry_error *error) FERRY_MUST_CHECK;
enum ferry_result ferry_job_suspend(struct ferry_job *job, struct ferry_status *ret_status,
                                    struct ferry_error *error) FERRY_MUST_CHECK;
/* Give up the job and remove what was fetched. */
enum ferry_result ferry_job_cancel(struct ferry_job *job, struct ferry_status *ret_status,
                                   struct ferry_error *error) FERRY_MUST_CHECK;
/* Give whole files their names and give up the others.  Answers at once: see ferry_job_wait.  INVALID_STATE also where
 * another identity wrote them than would name them now: resume first. */
enum ferry_result ferry_job_complete(struct ferry_job *job, struct ferry_status *ret_status,
                                     struct ferry_error *error) FERRY_MUST_CHECK;

/* ---- two identities: the helper token ---- */

/* A job reads and writes files and asks servers as its owner.  Who may impersonate somebody else, the helper, can lend
 * that user's token to the job, and the flags say for which side of it the helper takes the owner's place.  The flags
 * stay with the job; the token never does: the service keeps it in memory only.  Token and flags may come in any order,
 * before or after the files; a job whose flags are set runs only with a token.
 *
 * In BITS's order: open the job as yourself, impersonate the helper, lend, stop impersonating.
 *
 *   ferry_job_open(ferry, id, &job, &error);
 *   ImpersonateLoggedOnUser(helper);
 *   result = ferry_job_set_helper_token(job, NULL, NULL, &error);
 *   RevertToSelf();
 *   ...
 *   ferry_job_set_helper_token_flags(job, FERRY_HELPER_LOCAL_FILE, &error);
 *
 * These functions never change as whom the thread acts.  The service judges by who opened the job, not by the helper:
 * FERRY_ACCESS_REFUSED, with the rule in the message.  Who lends to a job of somebody else does so for the flags that
 * it has then: set them first. */
#define FERRY_HELPER_LOCAL_FILE 0x1u /* BG_TOKEN_LOCAL_FILE: files are made, named and removed as the helper */
#define FERRY_HELPER_NETWORK 0x2u    /* BG_TOKEN_NETWORK: servers and proxies meet the helper */
const char *ferry_helper_flag_name(unsigned flag); /* of one: "local-file", "network" */
bool ferry_helper_flag_from_name(const char *name, unsigned *ret_flag);
#define FERRY_ROOTS_MAX 16

/* How a token is lent; all zero, and so NULL: for the files that the job has now.  Files added later need it lent
 * again. */
struct ferry_loan {
	/* Absolute folders, below which all files of the job must lie: then also for those to come, as long as the flags are
	 * without FERRY_HELPER_NETWORK. */
	const char *const *roots;
	size_t root_count;        /* up to FERRY_ROOTS_MAX */
	uint32_t max_age_s;       /* the token is dropped at this age, at least 60; 0: by the rules of its life alone */
};
enum ferry_token_life {
	FERRY_LIFE_SESSION,    /* until the logon session that it came from ends */
	FERRY_LIFE_JOB,        /* as long as the job needs it */
	FERRY_LIFE_CONNECTION, /* as long as the job's connection here: of logons without a session, like batch and ssh */
	FERRY_LIFE_OTHER       /* what a newer service has */
};
const char *ferry_token_life_name(enum ferry_token_life life); /* "session", "job", "connection" */
/* On what terms it was taken. */
struct ferry_loan_terms {
	char sid[FERRY_SID_BYTES]; /* whose token it is */
	enum ferry_token_life life; /* FERRY_LIFE_CONNECTION becomes FERRY_LIFE_JOB where the loan states an age */
	char warning[256];          /* what may not work with it; "": nothing is known */
};

/* Lend the identity that the calling thread wears to the job, instead of one that was lent before.  `loan` and
 * `ret_terms` may be NULL.  After a restart of the service or a lost connection the library does not lend it again:
 * whoever may impersonate the helper does so.  A job with FERRY_TOKEN_LOSS_WAIT waits for it, any other goes to ERROR.
 *   FERRY_ACCESS_REFUSED (with the rule; or the message carried another identity than the thread's) | FERRY_REFUSED
 *   (NOT_LENT: the token is below impersonation level; TOO_MANY_TOKENS; INVALID_STATE) */
enum ferry_result ferry_job_set_helper_token(struct ferry_job *job, const struct ferry_loan *loan,
                                             struct ferry_loan_terms *ret_terms,
                                             struct ferry_error *error) FERRY_MUST_CHECK;
/* Take it back; the flags stay, so that the job needs one again.  None being lent is fine. */
enum ferry_result ferry_job_clear_helper_token(struct ferry_job *job, struct ferry_error *error) FERRY_MUST_CHECK;
/* `flags` are FERRY_HELPER_...; 0 returns the job to its owner alone. */
enum ferry_result ferry_job_set_helper_token_flags(struct ferry_job *job, unsigned flags,
                                                   struct ferry_error *error) FERRY_MUST_CHECK;
enum ferry_result ferry_job_get_helper_token_flags(struct ferry_job *job, unsigned *ret_flags,
                                                   struct ferry_error *error) FERRY_MUST_CHECK;
/* Whose token is lent now; "" if none is. */
enum ferry_result ferry_job_get_helper_token_sid(struct ferry_job *job, char ret_sid[FERRY_SID_BYTES],
                                                 struct ferry_error *error) FERRY_MUST_CHECK;

/* For programs that cannot impersonate per call: a ticket, good once and for 30 s as long as the job is open here.  A
 * program that runs as the helper presents it on a connection of its own, and thereby lends its token to the job.  A
 * ticket is a secret. */
#define FERRY_TICKET_BYTES 33 /* with its end */
enum ferry_result ferry_job_helper_ticket(struct ferry_job *job, const struct ferry_loan *loan,
                                          char ret_ticket[FERRY_TICKET_BYTES],
                                          struct ferry_error *error) FERRY_MUST_CHECK;
/* `ret_terms` may be NULL; FERRY_LIFE_CONNECTION means the connection that the ticket is from.  FERRY_REFUSED with the
 * name BAD_TICKET: there is none, or its time is over. */
enum ferry_result ferry_present_ticket(struct ferry *ferry, const char *ticket, struct ferry_loan_terms *ret_terms,
                                       struct ferry_error *error) FERRY_MUST_CHECK;

/* By which proxies that URL would be asked for now, tried in turn: as the job would, or with NULL as you without one.  A script
 * that is asked for it may take 15 s. */
#define FERRY_PROXIES_MAX 8
#define FERRY_PROXY_BYTES 267 /* "http://host:port", with its end */
struct ferry_proxies {
	uint32_t count;
	struct ferry_proxy {
		char address[FERRY_PROXY_BYTES]; /* "": none, the server is asked directly */
		char source[24]; /* who says so: "job", "table", "identity-settings", "identity-script", "machine-settings",
		                  * "autodetect", or "none" */
		bool bypassed;   /* direct, since that source exempts the host */
	} proxies[FERRY_PROXIES_MAX];
	struct ferry_error missed; /* why what would come before does not count: a script that is not to be had; hresult 0: no */
};
enum ferry_result ferry_proxy_show(struct ferry *ferry, struct ferry_job *job, const char *url,
                                   struct ferry_proxies *ret_proxies, struct ferry_error *error) FERRY_MUST_CHECK;

/* How the service is doing, as text in Prometheus' format 0.0.4, for monitoring: docs/monitoring.md.  free() it. */
enum ferry_result ferry_service_metrics(struct ferry *ferry, char **ret_text, struct ferry_error *error) FERRY_MUST_CHECK;

/* What may be wrong with the service, each with what was seen and what to do; for elevated administrators.  `visit` false: stop.
 * Takes up to a minute where the network is away. */
enum ferry_verdict { FERRY_VERDICT_OK, FERRY_VERDICT_WARNING, FERRY_VERDICT_PROBLEM, FERRY_VERDICT_UNKNOWN };
const char *ferry_verdict_name(enum ferry_verdict verdict); /* "ok" ...; unknown: it cannot be told, not here or not in time */
struct ferry_finding {
	char name[32]; /* of what was looked at: "account", "data-folder" ... */
	enum ferry_verdict verdict;
	char seen[1280], remedy[512]; /* for a person; remedy "": there is nothing to do */
};
/* `ret_data_folder`: Ferry's own. */
enum ferry_result ferry_doctor(struct ferry *ferry, char ret_data_folder[FERRY_PATH_BYTES_MAX + 1],
                               bool (*visit)(void *context, const struct ferry_finding *finding), void *context,
                               struct ferry_error *error) FERRY_MUST_CHECK;

/* How asking for files went; attempts that went alike are one.  Schemes are bits, 1u << FERRY_AUTH_..., by who asks:
 * [FERRY_AUTH_SERVER] and [FERRY_AUTH_PROXY]. */
#define FERRY_ATTEMPTS_MAX 32 /* of a job; the service keeps the last ones */
struct ferry_attempt {
	uint32_t count, file; /* how many, and the ordinal of the last one's file */
	int64_t first_ms, last_ms;
	char url[256];        /* that was asked last, after redirects, without what could be a secret */
	struct ferry_proxy proxy;
	char identity_sid[FERRY_SID_BYTES]; /* as whom */
	char tls[16];         /* "TLSv1.3"; "": in the clear, or there was no connection */
	int http_status;      /* of the last answer, be it the proxy's; 0: none came */
	unsigned offered[2], answered[2]; /* schemes */
	char words[200];      /* what the security package said last; "": nothing */
	struct ferry_error error; /* hresult 0: the file came */
};
/* Oldest first.  `ret_attempts` may be written to on failure, too. */
enum ferry_result ferry_job_history(struct ferry_job *job, struct ferry_attempt ret_attempts[FERRY_ATTEMPTS_MAX],
                                    uint32_t *ret_count, struct ferry_error *error) FERRY_MUST_CHECK;

/* What asking for that URL meets now: its head is asked for as you, with what you are known as to servers and proxies, wherever
 * the configuration allows it.  `proxy`: "host:port", or NULL: the one by which it would be asked.  That the server or the
 * proxy refuses is no failure of this call but `attempt.error`. */
struct ferry_trial {
	struct ferry_attempt attempt;
	unsigned allowed[2], forbidden[2]; /* schemes, by the configuration, for that server and proxy */
};
enum ferry_result ferry_auth_test(struct ferry *ferry, const char *url, const char *proxy, struct ferry_trial *ret_trial,
                                  struct ferry_error *error) FERRY_MUST_CHECK;

/* Whether the job could be served now.  Nothing is made and no server is asked. */
struct ferry_preflight {
	struct ferry_side file, network; /* last_sid is not told here */
	struct ferry_error file_error;   /* why its files could not be written; hresult 0: they could, as far as can be told */
};
enum ferry_result ferry_job_preflight(struct ferry_job *job, struct ferry_preflight *ret_preflight,
                                      struct ferry_error *error) FERRY_MUST_CHECK;

/* Make somebody else's job yours; for elevated administrators, and not with jobs of services.  It is SUSPENDED then,
 * without helper token, flags and pinned helper; you have an owner's rights on it, and what others opened of it is
 * void. */
enum ferry_result ferry_job_take_ownership(struct ferry_job *job, struct ferry_status *ret_status,
                                           struct ferry_error *error) FERRY_MUST_CHECK;

/* ---- credentials ---- */

/* With what the job answers servers or proxies that ask who it is by `scheme`, in place of what it has for that target and
 * scheme: with `user` ("DOMAIN\\name" or "name@domain" where the server wants that) and `password`; or, both NULL, as whoever
 * serves its network, its owner or helper, which FERRY_AUTH_NEGOTIATE and FERRY_AUTH_NTLM can do.  What is set for the proxy
 * says nothing of servers.  Only the owner may, until the job is final; what is being fetched begins again with it.
 * The texts are the caller's, who wipes the password; the library's copies are wiped before it returns.  The service keeps
 * them sealed, and tells them to nobody; they go with the job, and when it is taken over.
 *   FERRY_REFUSED: TOO_LONG (above the maxima), INVALID_ARGUMENT, INVALID_STATE, NOT_SUPPORTED (passwords cannot be sealed
 *   on that machine) | FERRY_ACCESS_REFUSED */
#define FERRY_USER_BYTES_MAX 900
#define FERRY_PASSWORD_BYTES_MAX 2048
enum ferry_result ferry_job_set_credentials(struct ferry_job *job, enum ferry_auth_target target,
                                            enum ferry_auth_scheme scheme, const char *user, const char *password,
                                            struct ferry_error *error) FERRY_MUST_CHECK;
/* Having none there is fine. */
enum ferry_result ferry_job_remove_credentials(struct ferry_job *job, enum ferry_auth_target target,
                                               enum ferry_auth_scheme scheme,
                                               struct ferry_error *error) FERRY_MUST_CHECK;

/* ---- header lines ---- */

/* Send these lines, "Name: value" each, with every request to the job's own servers, those of its files' URLs and mirrors, in
 * place of the lines that it has; `count` 0 takes them away.  A redirect to another scheme, host or port is followed without
 * them.  What Ferry says itself is refused: Host, Range, If-..., Proxy-..., Accept-Encoding and the like; NTLM and Negotiate too.
 * Only the owner may, until the job is final; what is being fetched begins again with them.  The texts are the caller's, who
 * wipes them; the library's copies are wiped before it returns.  The service keeps them sealed; a job's record tells their
 * names; they go with the job, and when it is taken over.
 *   FERRY_REFUSED: TOO_LONG, INVALID_ARGUMENT, INVALID_STATE, NOT_SUPPORTED (nothing can be sealed on that machine) |
 *   FERRY_ACCESS_REFUSED */
#define FERRY_HEADERS_MAX 64
#define FERRY_HEADERS_BYTES_MAX 16384 /* together, with two bytes for the end of each */
enum ferry_result ferry_job_set_headers(struct ferry_job *job, const char *const *headers, size_t count, bool write_only,
                                        struct ferry_error *error) FERRY_MUST_CHECK;
/* The owner's own lines, each with a '\n'; "": there are none.  Wiping them is the caller's.
 *   FERRY_ACCESS_REFUSED: they are write-only, or somebody else's. */
enum ferry_result ferry_job_get_headers(struct ferry_job *job, char to[FERRY_HEADERS_BYTES_MAX],
                                        struct ferry_error *error) FERRY_MUST_CHECK;

/* ---- waiting and watching ---- */

enum ferry_change_kind {
	FERRY_CHANGE_STATE,        /* `status`: state, error or properties changed */
	FERRY_CHANGE_PROGRESS,     /* `status`: numbers only */
	FERRY_CHANGE_TICK,         /* nothing; so that a program can move its display and look at its own signals */
	FERRY_CHANGE_RECONNECTING, /* the service went away; `attempt` counts up from 1 with each try to reach it again */
	FERRY_CHANGE_REFRESH       /* connected again, or too slow: changes may have been missed, read anew */
};
struct ferry_change {
	enum ferry_change_kind kind;
	unsigned attempt;
	struct ferry_status status;
};

#define FERRY_STATE_BIT(state) (1u << (unsigned)(state))

/* How to wait; all zero: until the job is settled, for ever, silently. */
struct ferry_wait {
	unsigned states;       /* FERRY_STATE_BITs to wait for; 0: settled, see ferry_is_settled */
	int64_t timeout_ms;    /* 0: for ever */
	int64_t reconnect_timeout_ms; /* how long the service may be away; 0: for ever */
	int64_t tick_ms;       /* at most this long between calls of on_change; 0: 1000 */
	/* May be NULL; must not use the connection.  False: stop waiting. */
	bool (*on_change)(void *context, const struct ferry_change *change);
	void *context;
};
/* Nothing more happens to the job by itself: it is ACKNOWLEDGED or CANCELLED, or it is in ERROR or TRANSFERRED and not
 * on its way to be completed.  So this is what to wait for after ferry_job_complete, too. */
bool ferry_is_settled(const struct ferry_status *status);
/* Wait until the job is in one of the states, across restarts of the service.  *ret_status is also written on
 * FERRY_TIMED_OUT and FERRY_STOPPED, with the last that is known.
 *   FERRY_TIMED_OUT | FERRY_STOPPED | FERRY_NOT_RUNNING (away for too long) | FERRY_NOT_FOUND (gone meanwhile) */
enum ferry_result ferry_job_wait(struct ferry_job *job, const struct ferry_wait *wait, struct ferry_status *ret_status,
                                 struct ferry_error *error) FERRY_MUST_CHECK;

/* From now on ferry_next_change tells about all your jobs. */
enum ferry_result ferry_subscribe(struct ferry *ferry, struct ferry_error *error) FERRY_MUST_CHECK;
/* The next change, waiting up to `timeout_ms` (negative: for ever) and making a lost connection again meanwhile: each
 * try is a FERRY_CHANGE_RECONNECTING, and FERRY_CHANGE_REFRESH follows.  FERRY_TIMED_OUT | what ferry_connect returns,
 * but FERRY_NOT_RUNNING. */
enum ferry_result ferry_next_change(struct ferry *ferry, int64_t timeout_ms, struct ferry_change *ret_change,
                                    struct ferry_error *error) FERRY_MUST_CHECK;

#ifdef __cplusplus
}
#endif
#endif
