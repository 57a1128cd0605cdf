/* core/protocol - JSON-RPC 2.0 messages to and from structs, with maxima.
 *
 * One object per pipe message, UTF-8, member names in snake_case with their unit as suffix, methods as noun.verb
 * (docs/protocol.md, schema/protocol.schema.json).  Both ends use this room, so there is one spelling of each message.
 * Knows no pipes and no rights.
 */
#ifndef FERRY_CORE_PROTOCOL_H
#define FERRY_CORE_PROTOCOL_H

#include "core/attempt.h"
#include "core/job.h"
#include "core/json.h"

#define PROTOCOL_VERSION 1
#define PROTOCOL_MESSAGE_BYTES_MAX (1024u * 1024u)
#define PROTOCOL_ID_TEXT_BYTES_MAX 64
#define PROTOCOL_REQUEST_ID_BYTES_MAX (2 * PROTOCOL_ID_TEXT_BYTES_MAX + 3) /* such an id quoted and escaped, terminated */
#define PROTOCOL_INTEGER_MAX 9007199254740991 /* 2^53 - 1: of ids, handles and cursors, exact in every JSON reader */
#define PROTOCOL_CLIENT_BYTES_MAX 128
#define PROTOCOL_ROOTS_MAX 16 /* folders of one loan */
#define PROTOCOL_TICKET_BYTES 33 /* 128 bits in hex, terminated */
#define PROTOCOL_PAGE_MAX 64 /* jobs or files in one reply: at their longest they still fit into one message */

#define PROTOCOL_METHODS(X)                                                                                        \
	X(HELLO, "hello") X(JOB_CREATE, "job.create") X(JOB_OPEN, "job.open") X(JOB_ADD_FILES, "job.addFiles")     \
	X(JOB_GET, "job.get") X(JOB_LIST, "job.list") X(JOB_SET_PROPERTIES, "job.setProperties")                   \
	X(JOB_REPLACE_REMOTE_PREFIX, "job.replaceRemotePrefix")                                                    \
	X(JOB_RESUME, "job.resume") X(JOB_SUSPEND, "job.suspend") X(JOB_CANCEL, "job.cancel")                      \
	X(JOB_COMPLETE, "job.complete") X(JOB_PREFLIGHT, "job.preflight")                                          \
	X(JOB_TAKE_OWNERSHIP, "job.takeOwnership") X(JOB_SET_HELPER_TOKEN, "job.setHelperToken")                   \
	X(JOB_CLEAR_HELPER_TOKEN, "job.clearHelperToken") X(JOB_SET_HELPER_TOKEN_FLAGS, "job.setHelperTokenFlags") \
	X(JOB_GET_HELPER_TOKEN_FLAGS, "job.getHelperTokenFlags")                                                   \
	X(JOB_GET_HELPER_TOKEN_SID, "job.getHelperTokenSid") X(JOB_HELPER_TICKET, "job.helperTicket")              \
	X(JOB_SET_CREDENTIALS, "job.setCredentials") X(JOB_REMOVE_CREDENTIALS, "job.removeCredentials")            \
	X(JOB_SET_HEADERS, "job.setHeaders") X(JOB_GET_HEADERS, "job.getHeaders")                                  \
	X(JOB_HISTORY, "job.history") X(HELPER_PRESENT, "helper.present") X(PROXY_SHOW, "proxy.show")              \
	X(AUTH_TEST, "auth.test") X(CONFIG_SHOW, "config.show") X(CONFIG_RELOAD, "config.reload")                  \
	X(DECLARED_PLAN, "declared.plan") X(DECLARED_APPLY, "declared.apply") X(DECLARED_FIND, "declared.find")    \
	X(EVENTS_SUBSCRIBE, "events.subscribe") X(SERVICE_STATUS, "service.status")    \
	X(SERVICE_METRICS, "service.metrics") X(SERVICE_DOCTOR, "service.doctor")
enum method {
#define X(name, text) METHOD_##name,
	PROTOCOL_METHODS(X)
#undef X
	METHOD_COUNT
};
const char *method_name(enum method method);

/* Which members of struct job_properties a message gave. */
enum {
	PROPERTY_NAME = 1 << 0,
	PROPERTY_DESCRIPTION = 1 << 1,
	PROPERTY_PRIORITY = 1 << 2,
	PROPERTY_AUTO_COMPLETE = 1 << 3,
	PROPERTY_RETRY_DELAY = 1 << 4,
	PROPERTY_NO_PROGRESS_TIMEOUT = 1 << 5,
	PROPERTY_MAX_TIME = 1 << 6,
	PROPERTY_LEASE = 1 << 7,
	PROPERTY_ON_TOKEN_LOSS = 1 << 8,
	PROPERTY_PINNED_HELPER = 1 << 9,
	PROPERTY_PROFILE = 1 << 10,
	PROPERTY_MAX_BYTES = 1 << 11,
	PROPERTY_NO_SEGMENTS = 1 << 12,
	PROPERTY_PROXY = 1 << 13,
	PROPERTY_REDIRECTS = 1 << 14,
	PROPERTY_TLS_IGNORE = 1 << 15,
	PROPERTY_CLIENT_CERTIFICATE = 1 << 16,
	PROPERTY_COUNT = 17,
	PROPERTY_ALL = (1 << PROPERTY_COUNT) - 1,
};
const char *property_name(unsigned bit); /* as messages have it: "retry_delay_s"; below PROPERTY_COUNT */

/* A decoded request.  Views point into `document`. */
struct request {
	struct json_document *document;
	char id[PROTOCOL_REQUEST_ID_BYTES_MAX]; /* the id as JSON, to be sent back; "null" if it could not be read */
	enum method method;
	uint64_t protocol;                       /* hello */
	char client[PROTOCOL_CLIENT_BYTES_MAX];  /* hello */
	uint64_t handle;                         /* methods on an open job; events.subscribe: 0 = all jobs of the owner;
	                                          * proxy.show: 0 = of no job */
	char job[JOB_ID_BYTES];                  /* job.open */
	char key[JOB_KEY_BYTES_MAX];             /* job.create */
	char correlation[JOB_ID_BYTES];          /* job.create; "": the service makes one */
	struct job_properties properties;        /* job.create, job.setProperties */
	unsigned properties_given;
	struct text_view proxy_list, proxy_bypass; /* with PROPERTY_PROXY; of EXPLICIT alone there are some */
	struct json files;   /* job.addFiles, job.create: an array or absent */
	uint32_t file_count;
	bool all;            /* job.list: finished jobs too */
	bool everyone;       /* job.list: other owners' too, for administrators */
	uint64_t from;       /* job.list: rows after it; job.get: files from this ordinal */
	uint32_t limit;      /* page size; job.get: 0 = no files */
	struct text_view old_prefix, new_prefix; /* job.replaceRemotePrefix */
	char sid[JOB_OWNER_BYTES_MAX]; /* job.setHelperToken: whom the thread wears, and its logon session */
	uint64_t logon_id;
	unsigned flags;                /* job.setHelperTokenFlags: HELPER_... */
	struct json roots;             /* job.setHelperToken, job.helperTicket: an array or absent */
	uint32_t root_count;
	uint32_t token_age_s;          /* the same; 0: not stated */
	char ticket[PROTOCOL_TICKET_BYTES]; /* helper.present */
	enum auth_target target;            /* job.setCredentials, job.removeCredentials */
	enum auth_scheme scheme;
	struct text_view url;               /* proxy.show, auth.test */
	struct text_view by_proxy;          /* auth.test; NULL bytes: by which it would be asked */
	struct json headers;                /* job.setHeaders: an array of texts */
	uint32_t header_count;
	bool write_only;
	struct text_view user, password;    /* job.setCredentials; both NULL bytes: implicit */
};

/* Decode one message.  On failure `ret_request->id` still is what to answer to ("null" if unknown), and fault->what names
 * the field.  request_done() is needed in either case. */
enum result request_decode(struct text_view message, struct request *ret_request, struct fault *fault) MUST_CHECK;
void request_done(struct request *request);
static inline void request_cleanup(struct request *request)
{
	request_done(request);
}
/* The index-th file of job.create or job.addFiles: url, path, optional size_bytes, digest, condition, mirrors and ranges;
 * checked for form only. */
struct file_request {
	struct text_view url, path;
	uint64_t bytes_total;
	struct digest digest;
	struct file_condition condition;
	struct json mirrors; /* an array, or absent */
	uint32_t mirror_count;
	struct json ranges; /* an array, or absent */
};
struct text_view request_mirror(const struct file_request *file, uint32_t index); /* a URL */
/* Its ranges, where it has some, as they were given.  RESULT_OK | RESULT_NO_MEMORY. */
enum result request_ranges(const struct file_request *file, struct ranges *ret_ranges, struct fault *fault) MUST_CHECK;
enum result request_file(const struct request *request, uint32_t index, struct file_request *ret_file,
                         struct fault *fault) MUST_CHECK;

/* The index-th of the roots, a text that was checked for form only. */
struct text_view request_root(const struct request *request, uint32_t index);

/* The index-th of the headers, a text that was checked for form only. */
struct text_view request_header(const struct request *request, uint32_t index);

/* Who serves a side of a job from now on; the record's side_sid tells who did last. */
struct side_status {
	enum identity_choice as;
	char sid[JOB_OWNER_BYTES_MAX]; /* "": nobody is there */
};

/* What is shown of a job: the record with live numbers, why it waits, and who serves it. */
struct job_status {
	struct job job;
	enum job_wait wait;
	int64_t wait_since_ms;
	int64_t lease_ends_ms; /* job_lease_ends_ms(); 0: the job is final, nothing ends it */
	struct side_status sides[JOB_SIDE_COUNT];
	char token_sid[JOB_OWNER_BYTES_MAX]; /* of the helper token that is lent, "" for none */
};

/* What job.preflight found. */
struct preflight {
	struct side_status sides[JOB_SIDE_COUNT];
	struct fault file; /* why the file identity could not write; RESULT_OK: it could, as far as can be told */
};

/* What proxy.show found: the ways to try, in order. */
struct proxies_found {
	size_t count;
	struct proxy_choice choices[PROXY_LIST_MAX];
	struct fault missed; /* why what comes before their source does not count; RESULT_OK: nothing was missed */
};

/* Everything a client needs to say what the service is doing. */
struct service_status {
	char version[64], curl[128], sqlite[128];
	int64_t started_ms;
	uint64_t jobs_queued; /* not final */
	uint32_t jobs_active, files_active, workers, owners_present, connections;
};

/* --- writing.  Each reply goes into an empty buffer of PROTOCOL_MESSAGE_BYTES_MAX. --- */
void protocol_reply_begin(struct json_writer *writer, const char *id); /* {"jsonrpc":"2.0","id":..,"result":{ */
enum result protocol_reply_end(struct json_writer *writer) MUST_CHECK; /* }} */
enum result protocol_reply_error(struct buffer *to, const char *id, enum result result, const struct fault *fault) MUST_CHECK;
void protocol_write_job(struct json_writer *writer, const char *name, const struct job_status *status);
/* The URL is written redacted (rule 29), and of what the server said of its file what can be sent back to it. */
void protocol_write_file(struct json_writer *writer, const struct file *file);
void protocol_write_flags(struct json_writer *writer, const char *name, unsigned flags); /* of HELPER_..., by their names */
void protocol_write_preflight(struct json_writer *writer, const char *name, const struct preflight *found);
void protocol_write_proxies(struct json_writer *writer, const struct proxies_found *found); /* members of the result */
/* Members of the result: job.history's, oldest first, begun and ended by the caller; auth.test's. */
void protocol_write_attempt(struct json_writer *writer, const char *name, const struct attempt *attempt);
void protocol_write_trial(struct json_writer *writer, const struct trial *trial);
void protocol_write_service(struct json_writer *writer, const char *name, const struct service_status *status);
void protocol_notification_begin(struct json_writer *writer, const char *method); /* {"jsonrpc":..,"method":..,"params":{ */
enum result protocol_notification_end(struct json_writer *writer) MUST_CHECK;
/* A client's request up to its params: {"jsonrpc":"2.0","id":N,"method":..,"params":{ ; end as a notification. */
void protocol_request_begin(struct json_writer *writer, uint64_t id, enum method method);
/* Of the proxies the mode alone. */
void protocol_write_properties(struct json_writer *writer, const struct job_properties *properties, unsigned given);

/* --- reading, for clients; tolerant of members that a newer service adds.  A wait reason that is not known here becomes
 * JOB_WAIT_COUNT. --- */
enum result protocol_read_job(struct json value, struct job_status *ret_status, struct fault *fault) MUST_CHECK;
enum result protocol_read_file(struct json value, struct file *ret_file, struct fault *fault) MUST_CHECK;
enum result protocol_read_flags(struct json value, unsigned *ret_flags, struct fault *fault) MUST_CHECK;
enum result protocol_read_preflight(struct json value, struct preflight *ret_found, struct fault *fault) MUST_CHECK;
enum result protocol_read_proxies(struct json value, struct proxies_found *ret_found, struct fault *fault) MUST_CHECK;
enum result protocol_read_attempt(struct json value, struct attempt *ret_attempt, struct fault *fault) MUST_CHECK;
enum result protocol_read_trial(struct json value, struct trial *ret_trial, struct fault *fault) MUST_CHECK;
enum result protocol_read_service(struct json value, struct service_status *ret_status, struct fault *fault) MUST_CHECK;
/* The "error" member of a reply as the fault that the service had. */
enum result protocol_read_error(struct json value, struct fault *ret_error, struct fault *fault) MUST_CHECK;

#endif
