/* runtime/engine - the single-threaded heart: an event comes in, core decides, the store commits, an order goes out.
 *
 * The engine works in turns.  A turn takes all letters that have come, handles each inside one transaction, lets the
 * scheduler decide, commits once, and only then lets out what was decided: replies, orders, events, notifications (law
 * 5: commit, then act; reply only after commit).  If the commit fails, nothing is let out, callers are told, and the
 * engine starts over from the store, exactly as after a crash.
 *
 * Knows no Win32, no curl, no bytes of files; an identity is an opaque handle, a worker what `worker_ops` gives.  The
 * clock, the workers and the random source are arguments: tests/sim puts fakes there.
 *
 * Unless said otherwise a function belongs to the engine's thread: the one that calls engine_turn or engine_run, which
 * includes everything called by a letter's `deliver`.
 */
#ifndef FERRY_RUNTIME_ENGINE_H
#define FERRY_RUNTIME_ENGINE_H

#include "core/access.h"
#include "core/declare.h"
#include "core/network.h"
#include "core/protocol.h"
#include "core/settings.h"
#include "runtime/events.h"
#include "runtime/store.h"
#include "runtime/worker.h"

struct engine;

#define QUEUE_MARK_DIGITS 16

struct settings_read {
	struct settings settings;
	struct identity *service; /* as in engine_parts */
	bool trust_differs; /* servers are recognised by something else than before: the files that settings name are others */
};

struct engine_parts {
	struct store *store;   /* borrowed */
	struct events *events; /* borrowed */
	struct settings *settings; /* borrowed; from the start on the engine's thread's alone, which a reload has them changed on */
	/* What the configuration says now, and who serves where it says that the service does; NULL: it is never read again.
	 * `asked`: somebody wants it as it is at this moment; else it has changed, and what of it has settled will do. */
	enum result (*read_settings)(void *context, bool asked, struct settings_read *ret_read, struct settings_errors *errors);
	void *settings_context;
	/* What is declared now, with the same context; `once_there`: something was, and to find no place where it would be is an error.
	 * NULL: nothing ever is. */
	enum result (*read_declared)(void *context, bool once_there, struct declared_set *set, struct settings_errors *errors);
	struct worker_ops workers;
	struct clock clock;
	enum result (*random)(void *bytes, size_t size, struct fault *fault);
	enum path_style path_style;
	const char *const *forbidden_folders; /* Ferry's own, NULL-terminated: no destination lies below them (rule 9) */
	const struct settings_errors *settings_errors; /* why `settings` are not what the configuration said at the start; NULL: they are */
	const char *unwatched;                /* why changes of the configuration are not noticed; "" or NULL: they are, or none could be here */
	const char *version;                  /* for the events */
	const char *queue_mark; /* QUEUE_MARK_DIGITS hex digits, in the names of partial files: whose they are */
	struct throttle *throttle; /* borrowed; that of the workers.  NULL: none is */
	bool has_certificates; /* this ground has stores of client certificates (platform/certificate) */
	bool asks_for_proxies; /* the system can have some configured (platform/proxy) */
	void (*read_network)(struct network_state *ret_state); /* platform/network's.  NULL: nothing is known of it */
	/* platform/secrets'.  NULL: nothing can be sealed here, and no passwords are taken. */
	enum result (*seal)(void *context, const char *binding, const void *plain, size_t size, struct buffer *to,
	                    struct fault *fault);
	enum result (*unseal)(void *context, const char *binding, const void *sealed, size_t size, struct buffer *to,
	                      struct fault *fault);
	void *secrets_context;
	struct identity *service; /* borrowed; what serves where the configuration says so (rule 8).  NULL: nothing does */
};

enum result engine_new(const struct engine_parts *parts, struct engine **ret_engine, struct fault *fault) MUST_CHECK;
void engine_free(struct engine *engine); /* stops the workers */
DEFINE_CLEANUP(engine)

/* --- turning --- */

/* Send the engine a letter: its `deliver` runs on the engine's thread, inside the turn's transaction, with the engine as
 * receiver, and owns the letter.  Any thread. */
void engine_post(struct engine *engine, struct letter *letter);

/* Do one turn.  Returns when the next is due (monotonic ms, INT64_MAX: only when a letter comes). */
int64_t engine_turn(struct engine *engine);
/* Turn until engine_stop, sleeping in between; then checkpoint what is in transfer and return. */
void engine_run(struct engine *engine);
void engine_stop(struct engine *engine); /* any thread */

/* Something to be done when the turn is committed (RESULT_OK) or was undone (the failure). */
struct deferral {
	struct deferral *next;
	void (*run)(struct deferral *deferral, enum result committed, const struct fault *fault); /* owns the deferral */
};
void engine_defer(struct engine *engine, struct deferral *deferral);

/* The network or the power may have changed.  Any thread. */
void engine_network_changed(struct engine *engine);

/* The configuration is read again, and if it is good holds from then on; either is told by an event, but not that nothing
 * changed, unless `asked`: by somebody rather than by a sign that it might have.  Any thread. */
void engine_reload(struct engine *engine, bool asked);
/* The same, answered in a turn to come; the engine's thread. */
struct reload_question {
	struct reload_question *next;
	/* Called once; owns the question.  Without errors what is told of the change holds.  An engine that is freed free()s
	 * the question without a call. */
	void (*answer)(struct reload_question *question, const struct settings_change *change, const struct settings_errors *errors);
};
void engine_reload_for(struct engine *engine, struct reload_question *question);

/* --- declared jobs (core/declare) --- */
/* What is done, or would be, about one of them. */
struct declare_step {
	char name[DECLARED_NAME_BYTES_MAX + 1];
	struct declare_action action;
	struct fault fault; /* why it could not be done; RESULT_OK: it could */
};
/* What is declared is read again and compared with what there is; then it is done (`act`) or only told.  Answered in a turn to
 * come. */
struct declare_question {
	struct declare_question *next;
	bool act;
	/* Called once; owns the question.  RESULT_BAD_SETTING: `errors` has all that is wrong, and nothing was done.  An engine that
	 * is freed free()s the question without a call. */
	void (*answer)(struct declare_question *question, enum result result, const struct declare_step *steps, size_t count,
	               const struct settings_errors *errors, const struct fault *fault);
};
void engine_declare_for(struct engine *engine, struct declare_question *question);
/* The job that fetches what is declared by that name.  RESULT_NOT_FOUND: there is none now. */
enum result engine_declared_find(struct engine *engine, const char *name, struct job_status *ret_status,
                                 struct fault *fault) MUST_CHECK;

/* --- who is here --- */

/* A caller showed an identity: from now on its owner is present (rule 16).  Held while needed.  A job runs only under an
 * identity of its owner with the integrity level it was created at, so that no job of a plain token gets an elevated one. */
void engine_owner_present(struct engine *engine, struct identity *identity);
/* The session ended: identities that came from it are dropped, their jobs wait, and what is still shown from there is not
 * taken (rule 15) until its number is given anew. */
void engine_session_ended(struct engine *engine, uint32_t session);
void engine_session_began(struct engine *engine, uint32_t session);

/* --- requests.  RESULT_* of the caller's class change nothing. --- */
/* Who asks for what comes from now on, as events tell it; copied.  NULL: nobody any more. */
void engine_asked_by(struct engine *engine, const struct asker *asker);
/* What was asked for is refused; if by a rule or a policy it is told.  `job` and `correlation` are those of the request, or "". */
void engine_refused(struct engine *engine, const char *method, const char *job, const char *correlation,
                    const struct fault *fault);
/* The same of what that one asked for a while ago; who asks now goes on to. */
void engine_refused_later(struct engine *engine, const struct asker *asker, const char *method, const struct fault *fault);
struct job_request { /* who asks, for job.create */
	const struct caller *caller;
	const struct request *request;
};
/* Create the job with its files, or find the owner's job of the same key (ret_created false, nothing changed). */
enum result engine_job_create(struct engine *engine, const struct job_request *request, struct job_status *ret_status,
                              bool *ret_created, struct fault *fault) MUST_CHECK;
enum result engine_job_find(struct engine *engine, const char *id, struct job_status *ret_status, struct fault *fault) MUST_CHECK;
enum result engine_job_get(struct engine *engine, int64_t row, struct job_status *ret_status, struct fault *fault) MUST_CHECK;
enum result engine_job_add_files(struct engine *engine, int64_t row, const struct request *request,
                                 struct job_status *ret_status, struct fault *fault) MUST_CHECK;
enum result engine_job_set_properties(struct engine *engine, int64_t row, const struct request *request,
                                      struct job_status *ret_status, struct fault *fault) MUST_CHECK;
/* Put the request's new prefix in place of the old one in all URLs of the job's files, mirrors too, that begin with it
 * (url_begins_with); all of them, or none if one would be no URL.  What runs from such a URL stops, and goes on at the new
 * one with no more than size and digest can prove.  RESULT_INVALID_ARGUMENT: none begins with it. */
enum result engine_job_replace_prefix(struct engine *engine, int64_t row, const struct request *request,
                                      struct job_status *ret_status, uint32_t *ret_files, struct fault *fault) MUST_CHECK;
/* A resume is granted once the destinations of a job that rests were looked at, as the file identity if it is present
 * (rule 21); what could only fail refuses it, with "files[3].path: ..." in fault->what, and changes nothing.
 * RESULT_BAD_HANDLE: the job got another owner meanwhile, for whom somebody else may not resume it. */
struct resumption {
	/* Called once, in this turn or in a later one; owns the resumption.  `status` is there if `result` is RESULT_OK.  An
	 * engine that is freed free()s the resumption without a call. */
	void (*answer)(struct resumption *resumption, enum result result, const struct job_status *status,
	               const struct fault *fault);
};
void engine_job_resume(struct engine *engine, int64_t row, struct resumption *resumption);
enum result engine_job_suspend(struct engine *engine, int64_t row, struct job_status *ret_status, struct fault *fault) MUST_CHECK;
enum result engine_job_cancel(struct engine *engine, int64_t row, struct job_status *ret_status, struct fault *fault) MUST_CHECK;
/* Publish what is whole, abandon the rest.  The answer comes at once; the job is ACKNOWLEDGED when it is done. */
enum result engine_job_complete(struct engine *engine, int64_t row, struct job_status *ret_status, struct fault *fault) MUST_CHECK;
/* owner NULL: everybody's. */
enum result engine_jobs_list(struct engine *engine, const char *owner, bool finished, int64_t after_row, uint32_t limit,
                             bool (*visit)(void *context, const struct job_status *status), void *context,
                             struct fault *fault) MUST_CHECK;
enum result engine_files_list(struct engine *engine, int64_t row, uint32_t from_ordinal, uint32_t limit,
                              bool (*visit)(void *context, const struct file *file), void *context,
                              struct fault *fault) MUST_CHECK;
/* Make the job the caller's (core/access, access_take): without helper token, flags and pin, and SUSPENDED, so that its new
 * owner looks at it before it runs as him.  What others opened of it is void: job.takeovers counts. */
enum result engine_job_take(struct engine *engine, int64_t row, const struct caller *caller, struct job_status *ret_status,
                            struct fault *fault) MUST_CHECK;
/* Whether the job could be served now; what a resume would ask, and nothing is changed.  Answered like a resume. */
struct preflight_question {
	void (*answer)(struct preflight_question *question, enum result result, const struct preflight *found,
	               const struct fault *fault);
};
void engine_job_preflight(struct engine *engine, int64_t row, struct preflight_question *question);

/* By which proxies that URL would be asked for now, and who says so.  Answered like a resume. */
struct proxy_wanted {
	struct text_view url;
	int64_t row;               /* as the job would; 0: as `identity`, of which none is said but what is configured */
	struct identity *identity; /* borrowed for the call */
};
struct proxy_question {
	void (*answer)(struct proxy_question *question, enum result result, const struct proxies_found *found,
	               const struct fault *fault);
};
void engine_proxy_show(struct engine *engine, const struct proxy_wanted *wanted, struct proxy_question *question);

/* What asking for that URL would meet, as whom, and by which proxy; its head is asked for, as `identity`, with what that may
 * present by itself wherever the configuration allows.  Answered like a resume. */
struct trial_wanted {
	struct text_view url, proxy; /* "" : by which it would be asked now */
	struct identity *identity;   /* borrowed for the call */
};
struct trial_question {
	void (*answer)(struct trial_question *question, enum result result, const struct trial *trial, const struct fault *fault);
};
void engine_auth_test(struct engine *engine, const struct trial_wanted *wanted, struct trial_question *question);

/* How its attempts went, the last ATTEMPTS_KEPT_MAX. */
enum result engine_job_history(struct engine *engine, int64_t row, struct attempt ret_attempts[ATTEMPTS_KEPT_MAX],
                               size_t *ret_count, struct fault *fault) MUST_CHECK;

/* --- helper tokens (docs/security.md, rules 10 to 16) --- */
struct loan {
	const struct opener *opener; /* who asks */
	struct identity *identity;   /* what was captured; held while it is lent */
	struct text_view claimed_sid; /* what the client says it is (rule 2); NULL bytes: a ticket says enough */
	uint64_t claimed_logon_id;
	uint64_t connection;         /* that lends it */
	const char *roots;           /* folders, each with its end, in `root_bytes` bytes; 0 of them: the present files */
	size_t root_bytes;
	uint32_t age_s;              /* 0: not stated */
};
struct loan_terms {
	enum token_life life;
	const char *warning; /* NULL: none */
};
enum result engine_helper_set(struct engine *engine, int64_t row, const struct loan *loan, struct loan_terms *ret_terms,
                              struct job_status *ret_status, struct fault *fault) MUST_CHECK;
/* Tell that a token, whose is told if it is known, was refused to whoever asks. */
void engine_helper_refused(struct engine *engine, int64_t row, const char *helper, const struct fault *fault);
enum result engine_helper_clear(struct engine *engine, int64_t row, const struct opener *opener,
                                struct job_status *ret_status, struct fault *fault) MUST_CHECK;
enum result engine_helper_set_flags(struct engine *engine, int64_t row, const struct opener *opener, unsigned flags,
                                    struct job_status *ret_status, struct fault *fault) MUST_CHECK;
/* --- credentials (core/credentials); what the job runs with is asked for anew --- */
/* In place of what it has for that target and scheme. */
enum result engine_credential_set(struct engine *engine, int64_t row, const struct credential *credential,
                                  struct job_status *ret_status, struct fault *fault) MUST_CHECK;
/* Where it has none, nothing changes. */
enum result engine_credential_remove(struct engine *engine, int64_t row, enum auth_target target, enum auth_scheme scheme,
                                     struct job_status *ret_status, struct fault *fault) MUST_CHECK;

/* --- header lines (core/headers): a block, of which the caller wipes what it has; what runs is asked for anew --- */
/* In place of what the job has; an empty block takes them away. */
enum result engine_headers_set(struct engine *engine, int64_t row, const struct buffer *block, bool write_only,
                               struct job_status *ret_status, struct fault *fault) MUST_CHECK;
/* Append them.  RESULT_ACCESS_REFUSED: they are write-only | RESULT_SECRET_UNREADABLE. */
enum result engine_headers_get(struct engine *engine, int64_t row, struct buffer *block, struct fault *fault) MUST_CHECK;

/* Tokens that were lent for as long as that connection are dropped. */
void engine_connection_ended(struct engine *engine, uint64_t connection);

/* The engine's facts for core/doctor.  Looks through the queue's database, for 0.2 s at most. */
struct doctor_facts;
void engine_examine(struct engine *engine, struct doctor_facts *facts);

void engine_service_status(struct engine *engine, struct service_status *ret_status);
/* The same and more as core/metrics has it, in a buffer of METRICS_BYTES_MAX.  Looks at all jobs, 0.3 s for
 * 100,000, and at most a twentieth of the time: in between it tells what it found last. */
enum result engine_metrics(struct engine *engine, struct buffer *to) MUST_CHECK;

/* --- who watches.  Called after a commit, once per changed job and turn. --- */
struct client_counts { /* for engine_metrics */
	uint32_t connections; /* now */
	uint64_t requests, refused[RESULT_COUNT]; /* that were answered since the start, and with which errors */
};
struct engine_watcher {
	void (*changed)(void *context, const struct job_status *status);  /* state, error or properties */
	void (*progress)(void *context, const struct job_status *status); /* numbers only; at most every 500 ms a job */
	void (*count)(void *context, struct client_counts *ret_counts); /* at any time; NULL: there are no clients */
	void *context;
};
void engine_watch(struct engine *engine, const struct engine_watcher *watcher); /* one; NULL: none */

#endif
