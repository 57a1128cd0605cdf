/* client/ferry_private - what the files of libferry share, and nobody else sees.
 *
 * ferry.c connects, asks and is answered; ferry_job.c, ferry_helper.c, ferry_credential.c, ferry_header.c, ferry_proxy.c, ferry_attempt.c, ferry_config.c and ferry_doctor.c know each request; ferry_wait.c keeps
 * connected and waits; ferry_record.c makes public records of ours.
 */
#ifndef FERRY_CLIENT_FERRY_PRIVATE_H
#define FERRY_CLIENT_FERRY_PRIVATE_H

#include "core/protocol.h"
#include "ferry.h"
#include "platform/ipc_client.h"
#include "platform/thread.h"

/* Changes kept until somebody asks for them; one per job, so this bounds the jobs. */
#define FERRY_NOTES_MAX 1000

/* A notification that came while something else was waited for. */
struct ferry_note {
	struct ferry_note *next;
	bool progress; /* numbers only */
	struct ferry_status status;
};

struct ferry_job {
	struct ferry_job *next; /* of the connection's open jobs */
	struct ferry *ferry;
	char id[FERRY_ID_BYTES];
	uint64_t handle;             /* 0: could not be opened again, see `lost` */
	struct fault lost;           /* why there is no handle */
	struct ipc_speaker *speaker; /* who opened it (rule 5) */
	bool subscribed;
};

struct ferry {
	struct ipc_client *client; /* NULL: the connection is lost */
	struct ipc_speaker *speaker;
	char *address;
	char name[PROTOCOL_CLIENT_BYTES_MAX];
	unsigned flags;
	int64_t open_timeout_ms, answer_timeout_ms;
	struct ferry_server server;
	size_t message_bytes_max;
	uint64_t last_id;       /* of the last request */
	struct buffer out, in;  /* one message each */
	struct ferry_job *jobs;
	bool subscribed;        /* to all jobs */

	struct ferry_note *notes; /* oldest first */
	unsigned note_count;
	/* Counts what may have hidden changes: a new connection, too many notes.  Who has seen less looks anew. */
	unsigned epoch, epoch_seen;

	unsigned attempt;         /* lost: the next try's number, from 1 */
	bool announce;            /* lost: it is not yet told */
	int64_t next_try_ms;      /* lost: monotonic */
	struct mutex *mutex;      /* with `never`, for sleeping */
	struct condition *never;
};

/* --- ferry.c --- */
/* Start a request in ferry->out; the caller writes its params and hands it to ferry_call. */
struct json_writer ferry_request(struct ferry *ferry, enum method method);
/* Send it, and wait for the reply; notifications that come first are kept.  A lost connection is noted and
 * RESULT_NOT_RUNNING.  `ret_result` points into `ret_document`. */
enum result ferry_call(struct ferry *ferry, struct json_writer *request, struct json_document **ret_document,
                       struct json *ret_result, struct fault *fault) MUST_CHECK;
/* Receive one message that is no reply, at most until `timeout_ms` have passed, and keep it.  RESULT_TIMED_OUT. */
enum result ferry_receive_note(struct ferry *ferry, int64_t timeout_ms, struct fault *fault) MUST_CHECK;
/* The service's words make no sense: drop the connection, for they would make none next time.  RESULT_SYSTEM. */
enum result ferry_not_understood(struct ferry *ferry, const struct fault *why, struct fault *fault);
/* Connect and say hello, once. */
enum result ferry_say_hello(struct ferry *ferry, int64_t open_timeout_ms, struct fault *fault) MUST_CHECK;
void ferry_lose(struct ferry *ferry); /* drop the connection: from now on it is lost */
void ferry_drop_notes(struct ferry *ferry);

/* --- ferry_job.c --- */
/* A request about an open job, up to its handle. */
enum result ferry_request_for(struct ferry_job *job, enum method method, struct json_writer *ret_request,
                              struct fault *fault) MUST_CHECK;
/* Ask what needs no more than the handle, and is answered with a job.  `ret_status` may be NULL. */
enum ferry_result ferry_control(struct ferry_job *job, enum method method, struct ferry_status *ret_status,
                                struct ferry_error *error);
/* job.open for `job` on the present connection. */
enum result ferry_open_again(struct ferry_job *job, struct fault *fault) MUST_CHECK;
enum result ferry_get(struct ferry_job *job, struct ferry_status *ret_status, struct fault *fault) MUST_CHECK;
/* events.subscribe: of one job, or of all if NULL. */
enum result ferry_subscribe_to(struct ferry *ferry, struct ferry_job *job, struct fault *fault) MUST_CHECK;

/* --- ferry_record.c --- */
void ferry_status_of(const struct job_status *from, struct ferry_status *to);
void ferry_file_of(const struct file *from, struct ferry_file *to);
void ferry_service_of(const struct service_status *from, struct ferry_service *to);
void ferry_preflight_of(const struct preflight *from, struct ferry_preflight *to);
enum ferry_token_life ferry_token_life_from_name(struct text_view name);
void ferry_error_of(const struct fault *from, struct ferry_error *to);
/* The border to the program: words into `error` (may be NULL), and what to decide by. */
enum ferry_result ferry_report(enum result result, const struct fault *fault, struct ferry_error *error);

#endif
