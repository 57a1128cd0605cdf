/* Inside runtime/engine: what its files share.
 *
 *   engine.c          turns: letters, what is to be tended, commit, letting out
 *   engine_schedule.c the scheduler's pass: slots given, taken back, and when to look again
 *   engine_owner.c    who is present, and the workers of their identities
 *   engine_token.c    helper tokens: for which files, until when, and what their want means for a job
 *   engine_loan.c     lending and clearing them, and their flags
 *   engine_flight.c   jobs that run: their files' flights and orders
 *   engine_report.c   what the workers report of them
 *   engine_source.c   where a file is fetched from, and where next
 *   engine_rate.c     how fast which jobs may fetch now
 *   engine_network.c  who is held back by the network and the power, and what is tried again when the network is back
 *   engine_host.c     hosts that fail, and are left alone for a while
 *   engine_request.c  what clients ask for: making jobs and looking at them
 *   engine_change.c   how clients change a job
 *   engine_errand.c   a look at destinations before a resume; partial files without a job
 *   engine_credential.c with what a job answers whoever asks
 *   engine_header.c   header lines of a job's own
 *   engine_proxy.c    by which proxy a flight's source is asked
 *   engine_proxy_show.c the same, told to a client
 *   engine_attempt.c  how attempts went
 *   engine_try.c      a URL is asked for its head, to tell a client what it meets
 *   engine_settings.c the configuration, read again
 *   engine_tell.c     events that could come without end
 *   engine_declare.c  declared jobs: when they are compared with what there is
 *   engine_look.c     what is on disk of their files
 *   engine_declare_act.c, engine_declare_job.c  what follows from that
 *   engine_keep.c     what goes when its time is over: finished jobs, leases
 *   engine_doctor.c   what ferry doctor wants to know of queue and configuration
 *   engine_metrics.c  all that in numbers, for a client or a file
 *
 * The store says what is wanted; an `active` is what is still going on.  A job that is suspended while files are in
 * transfer is SUSPENDED in the store at once, and its active winds down behind that.
 */
#ifndef FERRY_RUNTIME_ENGINE_PRIVATE_H
#define FERRY_RUNTIME_ENGINE_PRIVATE_H

#include <stdatomic.h>

#include "core/network.h"
#include "core/rate.h"
#include "core/schedule.h"
#include "runtime/engine.h"

#define HOST_NAME_BYTES_MAX 272 /* longer ones are nobody's */
#define PROGRESS_INTERVAL_MS 500 /* BITS's MINIMUM_NOTIFICATION_INTERVAL_MS */
#define STOP_MS_MAX 1500         /* to close flights before the service ends; the manager expects 2 s */
#define WAITING_MS_MAX 100       /* for which what nothing relies on waits for a commit, */
#define WAITING_RECORDS_MAX 256  /* and how much of it: two events of each find room, too (events.c) */
#define FILES_ON_DISK_MAX 32     /* of a job, whole and waiting for the disk; no others begin before these have got on */
#define BAD_PROXIES_MAX 8        /* that could not be reached are remembered, the last ones, */
#define BAD_PROXY_MS 300000      /* for so long */
#define TROUBLE_PAUSE_MS 5000    /* before the store is tried again after a failed commit */
#define PRESENT_IDENTITIES_MAX 256 /* of all owners; superseded ones give way, then the one seen longest ago */
#define IDLE_CREWS_MAX 32 /* whoever shows many identities keeps no more threads than that; the first made end first */
#define ENDED_SESSIONS_MAX 256 /* the oldest are forgotten: nothing of a session lives on for so long */
#define RUNNABLE_MAX 32 /* jobs of an owner and a priority that are looked at in a pass, who waited longest first */
#define SWEPT_FOLDERS_MAX 1024 /* folders that are looked through for partial files without a job, in one run */
#define UNMARKED_FOLDERS_MAX 64 /* folders without the mark of the web that are told, in one run */
#define PROGRESS_GRAIN_MS 10000  /* how exactly progress_ms is kept: not worth a write for each file */
#define SWEEP_ATTEMPTS_MAX 10    /* to remove a partial file that somebody holds open */

/* An identity that some caller showed. */
struct present {
	struct present *next; /* newest first */
	struct identity *identity;
	int64_t since_ms; /* monotonic; since then its owner is here */
	bool declares;    /* the service itself, which owns the declared jobs: nobody showed it, and it does not leave */
};

/* A helper token that is lent to a job.  In memory only (law 4). */
struct lent {
	struct lent *next;
	int64_t row;
	struct identity *identity;
	enum token_life life;
	uint64_t connection;   /* whose end it does not outlive; 0: none */
	int64_t expires_ms;    /* monotonic; INT64_MAX: it does not */
	uint32_t files;        /* of the job when it was lent: ordinals below that are covered (rule 11) */
	unsigned agreed;       /* the flags that whoever lent it agreed to */
	bool by_owner;         /* the job's owner lent it */
	unsigned implicit;     /* credentials that the job had then, as whoever lent it could see */
	char *roots;           /* and local files below these, each with its end; NULL: none */
	size_t root_bytes;
	uint64_t turn;         /* in which it was lent */
	char owner[JOB_OWNER_BYTES_MAX]; /* the job's, who stays the same: with another one the token goes */
	uint32_t owner_integrity;
	bool owner_elevated;
};

/* With what a job's requests may be answered for, beside the policy's: what is authenticated with it is nobody else's. */
struct answers {
	unsigned implicit; /* JOB_CREDENTIAL(...) */
	int64_t row;       /* of the job whose passwords, headers, or client certificate they are; 0: none */
};

/* The workers of one identity with the same answers; those of a kind are started when they are needed first. */
struct crew {
	struct crew *next;
	struct identity *identity;
	struct known_proxies *proxies; /* that the system has for servers */
	struct bad_proxy { char address[PROXY_BYTES_MAX + 1]; int64_t until_ms; } bad_proxies[BAD_PROXIES_MAX]; /* monotonic */
	struct answers answers; /* none where it has a worker for files */
	struct worker *workers[WORKER_KIND_COUNT];
	unsigned jobs; /* actives and errands that use it, twice where they use it for both sides */
	int64_t idle_since_ms;
	uint64_t checkpoint_bytes; /* its workers', from when they were started */
	bool dead;
	char host[HOST_NAME_BYTES_MAX]; /* that it made a connection to last, and how long that took */
	uint32_t connect_ms;
};

enum flight_stage { FLIGHT_OPENING, FLIGHT_ASKING, FLIGHT_FETCHING, FLIGHT_CLOSING, FLIGHT_FINISHING, FLIGHT_PUBLISHING, FLIGHT_ABANDONING };

/* One file on its way: the order that is out for it, and what the reports said. */
struct flight {
	struct flight *next;
	struct active *active;
	uint64_t number;
	enum flight_stage stage;
	struct file file;           /* as recorded in the store, but for its URL, which is that of `source` */
	uint32_t source;            /* which is asked; file.source is the one that answered last */
	uint32_t tried;             /* a bit for each that failed */
	bool gives_up;              /* what is on disk may be given up for the whole of another source's */
	struct file_handle *handle; /* from OPEN's report until an order consumes it */
	struct hash *hash;          /* likewise; FETCH's */
	struct worker *fetcher;     /* has FETCH: the crew's worker for the network, or for shares */
	uint64_t written;
	bool syncing;
	bool sync_is_old; /* the file began anew meanwhile: what that sync is of counts for nothing */
	bool unsynced; /* a sync failed: what is not recorded yet may be lost, whatever a later one says */
	bool stop_sent;
	bool answered; /* what is on disk is this source's */
	bool restarted; /* it was asked to go on, and sent the whole */
	bool conditional; /* its destination is there: the source is asked whether that is still what it has */
	bool unchanged; /* and it is: the partial file goes */
	bool looked;    /* what is at its destination is not what is declared */
	bool looking;   /* what is about to get its name is read */
	bool moved;     /* its URL is not the file's any more; it only winds down */
	bool unsaved;   /* the store has an older record: flight_save_soon */
	struct proxy_choice proxy; /* by which it is fetched */
	struct fault fault; /* why it ends; result OK: it does not, or its job winds down */
	uint32_t retry_after_s; /* which the server asked for; 0: nothing */
	struct fault told; /* what tells best of the sources that were tried; with its own delay */
	uint32_t told_retry_after_s;
};

/* A job that has something going on. */
struct active {
	struct active *next;
	int64_t row;
	char owner[JOB_OWNER_BYTES_MAX];
	enum job_work work;
	enum job_priority priority, level; /* its own, and the one that it got its slot at */
	int64_t slice_since_ms; /* monotonic */
	const struct job_patience *patience; /* NULL: the settings' */
	uint64_t max_bytes; /* of the job; 0: any */
	bool no_segments; /* likewise */
	enum proxy_mode proxy_mode;
	struct attempt *attempt; /* the job's last one; NULL: not looked up yet */
	bool attempt_unsaved;    /* its count */
	bool no_redirects;                                     /* likewise, as those below */
	unsigned tls_ignore;
	char client_certificate[CLIENT_CERTIFICATE_BYTES_MAX];
	struct credential *credentials; /* of the job, open; wiped with this */
	uint32_t credential_count;
	struct buffer headers; /* likewise: a block of core/headers, empty where it has none */
	bool route_changed; /* these, its proxies, or what is allowed are others now */
	uint32_t connect_ms, fetch_ms; /* of its last connection, and of its files, the last ones counting most; 0: not known */
	int64_t created_ms;
	struct crew *crews[JOB_SIDE_COUNT]; /* without work for the network that side is NULL */
	enum identity_choice as[JOB_SIDE_COUNT];
	bool stale;     /* a side is to be served by somebody else, or a file is fetched from elsewhere */
	struct flight *flights;
	uint32_t flight_count, on_disk_count; /* of them on_disk: whole, and their file worker's alone */
	uint32_t next_ordinal;
	bool exhausted; /* nothing to start from next_ordinal on */
	bool winding;   /* no new flights; the active goes when the last one ended */
	bool changed_numbers;
	bool connected;      /* the job is told to be TRANSFERRING */
	int64_t progress_ms; /* wall; the job's, without attempts; 0: not known */
	int64_t told_ms;     /* last progress notification, monotonic */
	int64_t slot_since_ms; /* monotonic; counts towards max_time_s while it holds a slot */
	int64_t deadline_ms; /* monotonic; max_time_s is over then */
};

struct outgoing {
	struct outgoing *next;
	struct worker *worker;
	struct order *order;
};

/* The configuration, read again: once in a turn at most. */
struct reload {
	struct deferral told; /* the event, however the turn ends: what was read holds, even if the turn does not */
	struct letter letter;
	atomic_bool sent;  /* the letter is on its way */
	atomic_bool asked; /* by somebody who wants to know */
	struct engine *engine;
	struct reload_question *questions;
	bool silent; /* nothing is to be told of it */
	int64_t again_at_ms; /* monotonic; when a change that was refused is read again; INT64_MAX: none was */
	int64_t good_ms; /* wall; when it last was; 0: not since the start */
	struct settings_change change;
	struct settings_errors errors; /* of what was read last; none: it was good */
};

/* How many jobs there are of each kind, as engine_metrics counted them last. */
struct job_counts {
	uint64_t states[JOB_STATE_COUNT], waits[JOB_WAIT_COUNT];
	int64_t until_ms; /* monotonic; they are told until then */
};

/* What was done since the start. */
struct engine_counts {
	uint64_t jobs_created, jobs_acknowledged, jobs_cancelled;
	uint64_t job_retries[RESULT_COUNT], job_failures[RESULT_COUNT];
	uint64_t files_landed, files_not_modified;
	uint64_t file_failures[RESULT_COUNT];
	uint64_t fetches[RESULT_COUNT]; /* by how they ended, but those that were stopped */
	uint64_t fetched_bytes;
	uint64_t queue_failures;        /* turns that were undone */
};

/* Of which kinds events are that a client, a server or a disk could cause without end: each has a budget of its own, so that
 * dull ones hide nothing else.  Of a caller, of refusals one for each outcome: */
enum tell {
	TELL_REQUESTS,
	TELL_FILES,   /* that are added */
	TELL_CHANGES, /* of who a job is, and whom it asks and believes */
	/* of a job: */
	TELL_RETRIES,
	TELL_STARTS,   /* that follow a failure, or are more than it has files */
	TELL_FAILURES, /* of files */
	TELL_ENDS,     /* its own failures, and what comes behind the fetch */
	TELL_REFUSALS, /* + enum result */
};
#define TOLD_MAX 256
struct told {
	char about[JOB_OWNER_BYTES_MAX];
	unsigned kind;
	int64_t until_ms; /* monotonic; a new count begins then */
	uint32_t count;   /* that was told until then */
	uint64_t untold;
};

/* What is declared, and when it is looked at next: engine_declare.c. */
struct declaring {
	struct pass *pass;                  /* that is going on; NULL: none */
	struct declare_question *questions; /* that wait for theirs */
	bool start, changed, ended;         /* passes that are owed */
	bool stale;                         /* what is declared may be another thing than the pass has read */
	int64_t due_at_ms;                  /* monotonic; when one is due next; INT64_MAX: none is */
	int64_t retry_at_ms;                /* monotonic; until then nothing is done by itself, after a failure */
	int64_t again_at_ms;                /* monotonic; what is declared is read again then, since not all of it could be done */
};

struct engine {
	struct engine_parts parts;
	struct mailbox *mailbox;
	struct report_sink sink;
	struct engine_watcher watcher;
	atomic_bool stop_asked;
	struct letter stop_letter;

	struct present *present;
	struct lent *lent;
	uint64_t turn; /* numbers them */
	int64_t absent_since_ms; /* wall; the last time somebody left, or the start */
	uint32_t ended_sessions[ENDED_SESSIONS_MAX]; /* numbers that were not given anew, oldest first */
	size_t ended_session_count;
	struct crew *crews;
	struct active *actives;
	struct job titled; /* the last one whose files' events were noted: what they tell of it; row 0: none */
	struct asker asker; /* who asks for what is being done; "": nobody */
	bool refusal_told;  /* that it was refused */
	bool by_rule;       /* by one that no outcome of its own stands for */
	struct told callers_told[TOLD_MAX], jobs_told[TOLD_MAX];
	int64_t untold_at_ms; /* monotonic; when the first of them is to tell what was not told; INT64_MAX: none */
	struct errand *errands;
	struct proxy_ask *proxy_asks;
	struct trying *tries;
	struct host *hosts;
	uint64_t swept[SWEPT_FOLDERS_MAX];
	size_t swept_count;
	uint64_t unmarked[UNMARKED_FOLDERS_MAX];
	size_t unmarked_count;
	uint32_t flight_count, on_disk_count; /* of all actives */
	uint64_t flight_number;
	int64_t started_ms;

	/* This turn */
	struct fault broken; /* result OK: the turn is good so far */
	bool schedule_due;
	struct outgoing *outgoing, **outgoing_end;
	struct deferral *deferrals, **deferrals_end;
	int64_t *changed;
	size_t changed_count, changed_capacity;

	/* Across turns */
	bool recover;          /* start over from the store at the next turn */
	bool announced;
	int64_t commit_at_ms;     /* monotonic; when what waits for a commit has it; INT64_MAX: nothing does */
	uint32_t waiting;         /* records that do */
	uint64_t waiting_bytes;   /* of whole files among them */
	int64_t trouble_until_ms; /* monotonic; 0: none */
	int64_t trouble_since_ms; /* monotonic */
	struct fault trouble;     /* and why */
	int64_t next_try_ms;      /* monotonic; when a waiting job is due */
	int64_t next_slot_ms;     /* monotonic; when slots are to be given anew, though nothing else happens */
	struct rate_rule rate_rules[RATE_RULES_MAX];
	size_t rate_rule_count;
	struct rate_limits rates; /* that hold now */
	int64_t rates_at_ms;      /* monotonic; when they are looked at again */
	int64_t on_at_ms[JOB_PRIORITY_COUNT];    /* wall; when jobs of a priority that is off may fetch again; 0: never */
	enum job_wait held[JOB_PRIORITY_COUNT];  /* why nothing is fetched for that priority; JOB_WAIT_NONE: it is */
	int64_t on_since_ms[JOB_PRIORITY_COUNT]; /* monotonic; since then they may */
	struct network_state network;
	atomic_bool network_asked;   /* the letter is on its way */
	struct letter network_letter;
	int64_t network_at_ms;       /* monotonic; when what failed for want of a network is tried again; INT64_MAX: never */
	int64_t network_back_ms;     /* monotonic; when it was last */
	uint64_t network_turn;       /* in which that was */
	struct reload reload;
	struct engine_counts counts;
	struct job_counts job_counts;
	int64_t metrics_at_ms;    /* monotonic; when the file is written next, where one is wanted */
	unsigned metrics_failures; /* in a row */
	struct declaring declaring;
	int64_t forget_at_ms;     /* monotonic */
	int64_t lease_at_ms;      /* monotonic; when the next lease may end */
	int64_t token_at_ms;      /* monotonic; when the next lent token expires */
	int64_t clock_offset_ms;  /* wall less monotonic, when last looked at */
	int64_t steady_since_ms;  /* monotonic; since then that has not moved */
	bool stopping;
};

/* --- engine.c --- */
int64_t engine_now(const struct engine *engine);  /* wall ms */
int64_t engine_mono(const struct engine *engine);
/* The turn cannot be committed any more: the first reason counts. */
void engine_break(struct engine *engine, const struct fault *fault);
void engine_break_for_memory(struct engine *engine, const char *what);
void engine_changed(struct engine *engine, int64_t row);
void engine_send(struct engine *engine, struct worker *worker, struct order *order);
/* Take back the flight's order of that kind, if it is not let out yet. */
bool engine_take_back(struct engine *engine, uint64_t flight, enum order_kind kind);
void engine_status_of(struct engine *engine, const struct job *job, struct job_status *ret_status);
/* Move the job by `event` in memory; RESULT_INVALID_STATE if the table refuses.  The caller saves. */
enum result engine_move(struct engine *engine, struct job *job, enum job_event event, struct fault *fault) MUST_CHECK;

/* Load and save as the store has it; false: the turn is broken. */
bool engine_load_job(struct engine *engine, int64_t row, struct job *job);
bool engine_save_job(struct engine *engine, const struct job *job, enum job_state from);

/* --- engine_schedule.c --- */
void engine_schedule(struct engine *engine);
/* End jobs that used up their maximum time; when the next would. */
int64_t engine_check_deadlines(struct engine *engine);

/* --- engine_owner.c --- */
/* Whom the identity is there for. */
struct job_owner engine_owner_of(const struct present *present);
/* The service owns the declared jobs for as long as it has an identity. */
void engine_declarer_present(struct engine *engine);
/* The newest identity of such an owner; NULL: absent. */
const struct present *engine_present(const struct engine *engine, const struct job_owner *owner);
bool engine_is_present(const struct engine *engine, const struct identity *identity);
/* The newest that serves the same jobs as this one; itself, if it is that. */
const struct present *engine_present_like(const struct engine *engine, const struct present *present);
bool engine_same_identity(const struct identity *a, const struct identity *b);
bool engine_session_is_over(const struct engine *engine, uint32_t session);
/* One who kept the identity keeps it no more: if nobody else does, its workers end as soon as they are free. */
void engine_identity_gone(struct engine *engine, const struct identity *identity);
/* The identity cannot be worn: it is dropped, and its jobs wait. */
void engine_forget_identity(struct engine *engine, struct identity *identity);
/* Who serves that side of the job; *ret_identity NULL: nobody is there. */
enum identity_choice engine_side(const struct engine *engine, const struct job *job, enum job_side side,
                                 struct identity **ret_identity);
/* A side's crew with its worker, used once more until crew_release.  NULL with RESULT_BUSY: as many threads as may be are at
 * work. */
struct crew *crew_get(struct engine *engine, struct identity *identity, enum job_side side, struct answers answers,
                      struct fault *fault);
struct worker *crew_worker(const struct crew *crew, enum job_side side);
/* The same crew's for files on shares, started when the first of those is fetched.  NULL: RESULT_NO_WORKER, or why not. */
struct worker *crew_share_worker(struct engine *engine, struct crew *crew, struct fault *fault);
struct worker *crew_proxy_worker(struct engine *engine, struct crew *crew, struct fault *fault); /* likewise */
void crew_release(struct engine *engine, struct crew *crew); /* NULL is fine */
void crew_free(struct engine *engine, struct crew **place);
/* Are there workers for all sides of the job, or room for them? */
bool engine_has_workers(const struct engine *engine, const struct job *job);
/* Below the folders in which files may be written as the service? */
bool engine_service_writes(const struct engine *engine, struct text_view path);
/* End the workers that nobody needs; when the next could end. */
int64_t crew_end_idle(struct engine *engine);

/* --- engine_token.c --- */
void lent_free(struct lent *lent); /* NULL is fine */
DEFINE_CLEANUP(lent)
void engine_keep_token(struct engine *engine, struct lent *lent); /* instead of the one that the job has */
/* A file that is in the job already and is not covered would wait for a token that will not do.  `opener` is told no more
 * of it than he may know. */
enum result engine_check_loan_files(struct engine *engine, const struct lent *lent, const struct opener *opener,
                                    struct fault *fault) MUST_CHECK;
const struct lent *engine_lent(const struct engine *engine, int64_t row);
bool engine_is_lent(const struct engine *engine, const struct identity *identity);
/* May the job's work go on, as far as helper tokens are concerned?  RESULT_TOKEN_REQUIRED: it needs one that is not there,
 * or that is not lent for one of its unfinished files. */
enum result engine_check_token(struct engine *engine, const struct job *job, struct fault *fault) MUST_CHECK;
/* Is any of its sources on a share?  What cannot be looked up counts as one. */
bool engine_reads_share(const struct engine *engine, const struct file *file);
/* Is the token lent for that file?  True where no side is the helper's. */
bool engine_token_covers(const struct engine *engine, const struct active *active, const struct file *file);
/* Hold the job's work against the tokens that are there: it waits, goes on, or is in ERROR.  In memory; the caller saves. */
void engine_review_token(struct engine *engine, struct job *job);
/* A partial file stays behind: it is told, unless as many were told already, and no job's any more.  False: the turn is
 * broken. */
void engine_note_leftover(struct engine *engine, const struct job *job, const struct file *file, const char *why,
                          unsigned *told);
bool engine_leave_file(struct engine *engine, struct file *file);
/* The job's work needs a token that is not lent for it; `what` says so. */
void active_token_missing(struct engine *engine, struct active *active, const char *what);
/* Unfinished files are to be fetched anew, under new names; what lies on disk of them is told as left over. */
void engine_disown_files(struct engine *engine, struct job *job);
/* Who serves the job may have changed.  In memory: the slot of what runs under others is given back, and the job is held
 * against its tokens; the caller saves, and then lets what is stale wind down, to begin again as it is now. */
void engine_identities_changed(struct engine *engine, struct job *job);
void engine_wind_down_stale(struct engine *engine, const struct job *job);
/* Drop tokens that satisfy the condition, telling why. */
typedef bool lent_condition(struct engine *engine, const struct lent *lent, const void *argument);
void engine_drop_tokens(struct engine *engine, lent_condition *condition, const void *argument, const char *why);
void engine_forget_token(struct engine *engine, int64_t row); /* silently */
/* Files from that ordinal on are others than those that the job's token was lent for. */
void engine_limit_token(struct engine *engine, int64_t row, uint32_t files);
void engine_drop_fresh_tokens(struct engine *engine); /* of a turn that is undone */
void engine_forget_final_tokens(struct engine *engine); /* of jobs that are over, once that is committed */
void engine_expire_tokens(struct engine *engine);
/* After a start: jobs whose tokens are gone wait or are in ERROR. */
bool engine_recover_tokens(struct engine *engine);

/* --- engine_flight.c --- */
uint32_t engine_random(struct engine *engine);
struct active *active_find(struct engine *engine, int64_t row);
/* Did somebody else write the job's files than who would go on with them now? */
bool engine_written_by_another(const struct engine *engine, const struct job *job);
/* Begin what the job's `work` asks for, under the identities that serve it; its state is moved and saved.  Without room for
 * their workers nothing happens. */
void active_begin(struct engine *engine, struct job *job);
/* Start as many flights as allowed, and end the work when nothing is left to do. */
void active_advance(struct engine *engine, struct active *active);
void active_wind_down(struct engine *engine, struct active *active);
void active_free(struct engine *engine, struct active *active);
/* The job holds a slot no more: what it used is added to its time. */
void active_leave_slot(struct engine *engine, const struct active *active, struct job *job);
/* A failure of the job: moves it to TRANSIENT_ERROR, ERROR or QUEUED as its class says, and winds it down.  The active may be
 * gone afterwards, as after active_wind_down. */
void active_fail(struct engine *engine, struct active *active, const struct fault *fault);
uint64_t active_live_bytes(const struct active *active);
/* Are the job's files larger together than it may be, as far as their sizes are known?  What no server announced counts as
 * it comes.  `active` may be NULL. */
enum result job_check_size(const struct job *job, const struct active *active, struct fault *fault) MUST_CHECK;
struct flight *flight_find(struct engine *engine, uint64_t number);
bool flight_save(struct engine *engine, struct flight *flight); /* false: the turn is broken */
/* The same of what a crash may take back: nothing that is let out may rely on it (store_file_save_soon).  It is written once,
 * however often it changes until the commit, until somebody may look at it, or until the flight ends. */
void flight_save_soon(struct engine *engine, struct flight *flight);
bool engine_save_flights(struct engine *engine);
void flight_order(struct engine *engine, struct flight *flight, enum order_kind kind, uint64_t bytes);
/* For the orders that consume the handle: it is the worker's once the turn is let out. */
void flight_leave_to_disk(struct engine *engine, struct flight *flight, enum flight_stage stage);
void flight_last_order(struct engine *engine, struct flight *flight, enum order_kind kind, uint64_t bytes);
/* Open the flight's file, under a new name if it has none. */
void flight_open(struct engine *engine, struct flight *flight);
/* The flight is over.  With a failure its job fails, without one the job goes on or winds down. */
void flight_end(struct engine *engine, struct flight *flight);

void job_note_failed(struct engine *engine, const struct job *job);

/* --- engine_source.c --- */
struct source_choice {
	uint32_t source;
	bool gives_up;
};
/* Choose where the file comes from, whose URL is put into it.  For how long all that could be asked are left alone, in
 * seconds, with why; 0: not. */
uint32_t engine_source_choose(struct engine *engine, const struct active *active, struct file *file,
                              struct source_choice *ret_choice, struct fault *fault);
/* The file's URL, which is that of `source`, with its query: it is open while the file is fetched.  RESULT_SECRET_UNREADABLE. */
enum result engine_source_open(struct engine *engine, struct file *file, uint32_t source, struct fault *fault) MUST_CHECK;
/* A client resumes the job: what its files' sources did is forgiven, in flights that are still out as well. */
enum result engine_source_forgive(struct engine *engine, int64_t row, struct fault *fault) MUST_CHECK;
/* All URLs of the job that begin with `from` begin with `to` instead.  In the store; a failure leaves what it did to a
 * savepoint.  RESULT_BAD_URL | RESULT_TOO_LONG: the fault names the file. */
struct replacement {
	struct text_view from, to;
	uint32_t files; /* that have another URL now */
	uint32_t first; /* ordinal of the first of them that is not in its place yet; UINT32_MAX: none */
};
enum result engine_source_replace(struct engine *engine, int64_t row, struct replacement *replacement,
                                  struct fault *fault) MUST_CHECK;
/* And the flights that are out know it, once nothing else can refuse it. */
enum result engine_source_move_flights(struct engine *engine, int64_t row, const struct replacement *replacement,
                                       struct fault *fault) MUST_CHECK;
/* Has the file more than it ever had? */
bool engine_source_got_on(struct flight *flight);
/* What the flight's source did ended it: open it anew with the next one that may be asked.  False: there is none, and
 * flight->fault tells best what happened with all of them. */
bool engine_source_try_next(struct engine *engine, struct flight *flight);

/* --- engine_rate.c --- */
void engine_read_rates(struct engine *engine); /* from the settings; they hold from when they are set */
void engine_set_rates(struct engine *engine);  /* as they hold now */

/* --- engine_network.c --- */
void engine_begin_network(struct engine *engine); /* once: it is read in the first turn */
void engine_review_held(struct engine *engine);   /* the limits of the rate, the network or the power have changed */
/* The network is back: what failed for want of one is tried again. */
void engine_try_again(struct engine *engine);
int64_t engine_network_delay_ms(struct engine *engine); /* until one job is, which failed too late for that */

/* --- engine_settings.c --- */
void engine_begin_settings(struct engine *engine);
void engine_end_settings(struct engine *engine);
int64_t engine_tend_settings(struct engine *engine); /* when there is something to do again, monotonic */

/* --- engine_host.c --- */
void engine_host_answered(struct engine *engine, const struct flight *flight);
/* How long a connection to the flight's host takes; 0: not known.  One that is kept tells nothing: then it is what a connection
 * to this host took last, if the crew has made none to another one since. */
uint32_t engine_host_connect_ms(struct crew *crew, const struct flight *flight, uint32_t measured_ms);
void engine_host_failed(struct engine *engine, const struct flight *flight, enum result result);
/* For how long the URL's host is left alone by who would ask it; 0: it may be asked.  `fault` says why. */
uint32_t engine_host_rests_s(struct engine *engine, const struct active *active, const char *url, struct fault *fault);
/* A client resumes a job that failed: whom it asks is asked at once. */
void engine_forget_hosts_of(struct engine *engine, const struct job *job);
void engine_forget_lost_hosts(struct engine *engine);
void engine_forget_hosts(struct engine *engine);

/* --- engine_change.c --- */
enum result change_begin(struct engine *engine, struct fault *fault) MUST_CHECK;
enum result change_end(struct engine *engine, enum result result, struct fault *fault) MUST_CHECK;
/* One change of a job: what it does to the record, and what to what is going on.  `apply` refuses before it touches
 * anything but the record. */
struct change {
	enum result (*apply)(struct engine *engine, struct job *job, const void *argument, struct fault *fault);
	void (*after)(struct engine *engine, const struct job *job); /* NULL: nothing; once the store took it */
	const void *argument;
};
enum result change_job(struct engine *engine, int64_t row, const struct change *change, struct job_status *ret_status,
                       struct fault *fault) MUST_CHECK;
/* How it asks has changed, so a job that waits to ask again need not: but what a server asked for holds. */
void engine_try_soon(struct job *job);
/* Grant the resume, without a look at the destinations. */
enum result engine_resume_now(struct engine *engine, int64_t row, struct job_status *ret_status,
                              struct fault *fault) MUST_CHECK;

/* --- engine_request.c --- */
enum result engine_add_files(struct engine *engine, const struct job *job, const struct request *request,
                             struct fault *fault) MUST_CHECK;
enum result engine_check_quota(struct engine *engine, const char *owner, bool limited, struct fault *fault) MUST_CHECK;
bool engine_allows_destination(const struct engine *engine, struct text_view path); /* allow.destinations */
enum result engine_check_forbidden(struct engine *engine, struct text_view path, const char *field,
                                   struct fault *fault) MUST_CHECK;
/* Is it one that files can be fetched from here?  The fault names the field. */
enum result engine_check_url(const struct engine *engine, struct text_view url, bool in_ranges, const char *field,
                             struct fault *fault) MUST_CHECK;
/* Prefix the field's name to what a check said of it. */
enum result name_field(enum result result, const char *field, struct fault *fault);

/* --- engine_errand.c --- */
enum result partial_name(const struct engine *engine, const uint64_t random[2], char to[FILE_PARTIAL_BYTES_MAX]) MUST_CHECK;
/* Are partial files without a job found in the folder of that destination?  Not where another machine may have made them. */
bool engine_may_sweep(const struct engine *engine, const char *path);
/* The job comes to the folder of that destination: once in a run, remove what lies there and belongs to no job. */
void engine_sweep_folder(struct engine *engine, const struct active *active, const char *path);
/* Something was left there: whoever of the job comes to the folder next looks again. */
void engine_sweep_again(struct engine *engine, const struct job *job, const char *path);
/* A file landed there without the mark that it should have: once for a folder in a run it is told. */
void engine_note_unmarked(struct engine *engine, const struct job *job, const char *path);
/* False: the report is of no errand. */
bool engine_errand_report(struct engine *engine, const struct report *report);
/* Resumes that wait are answered with the fault; NULL: not at all. */
void engine_drop_errands(struct engine *engine, const struct fault *fault);

/* --- engine_keep.c --- */
void engine_forget_finished(struct engine *engine);
void engine_end_leases(struct engine *engine);

/* --- engine_metrics.c --- */
int64_t engine_tend_metrics(struct engine *engine); /* when the file is due next; INT64_MAX: none is wanted */

/* --- engine_declare.c, engine_look.c: declared jobs --- */
/* Do what is owed.  When the next is due, on the monotonic clock. */
int64_t engine_declare_tend(struct engine *engine);
void engine_declare_changed(struct engine *engine); /* what is declared may be */
void engine_declare_ended(struct engine *engine, const struct job *job); /* the job is over */
/* What goes on is dropped, and all is compared anew.  Who waits is answered with the fault; NULL: not at all. */
void engine_drop_pass(struct engine *engine, const struct fault *fault);
void engine_looked(struct engine *engine, const struct report *report); /* ORDER_LOOK's, of no flight */
bool engine_is_as_declared(const struct file *file, const struct report *report); /* by its digest */
/* How a file of the job gets its name, where that is a declared one: for an OPEN or PUBLISH. */
void engine_name_declared(struct engine *engine, const struct active *active, struct order *order);
/* Record what of a declared job's file is about to get its name (bytes 0, no digest: that is not known), or that its server has
 * nothing newer.  What lies there when the job is over may be anybody's.  False: the turn is broken. */
bool engine_declared_lands(struct engine *engine, const struct flight *flight, uint64_t bytes, const struct digest *digest);
bool engine_declared_stays(struct engine *engine, const struct flight *flight);

/* --- engine_report.c --- */
void engine_report(struct letter *letter, void *receiver); /* a report's deliver */
void report_discard(struct report *report);

/* The job's name for an event. */
/* --- engine_credential.c: with what a job answers whoever asks --- */

/* Of the side's crew: the network's alone is ever asked. */
struct answers engine_answers(const struct job *job, enum job_side side);
/* Open the job's credentials for its active.  RESULT_SECRET_UNREADABLE | RESULT_NO_MEMORY | the store's. */
enum result active_open_credentials(struct engine *engine, struct active *active, const struct job *job,
                                    struct fault *fault) MUST_CHECK;
void active_wipe_credentials(struct active *active);
/* How a URL is to be asked. */
struct route_wanted {
	const char *url;
	const struct proxy_choice *proxy;
	const struct credential *credentials;
	uint32_t credential_count;
	bool his_own; /* who asks presents nobody but himself */
	const struct buffer *headers; /* header lines; NULL: none */
};
/* What of the TLS_IGNORE_... that a job wants tls.may_ignore lets it ignore of the URL's host. */
unsigned engine_may_ignore(const struct engine *engine, const struct url *url, unsigned wanted);
enum result engine_route(const struct engine *engine, const struct route_wanted *wanted,
                         struct transfer_route **ret_route) MUST_CHECK; /* RESULT_NO_MEMORY */
/* How the flight's source is to be asked.  `ret_route` NULL: directly, and nobody is answered. */
enum result flight_route(const struct engine *engine, const struct flight *flight, struct transfer_route **ret_route) MUST_CHECK;
/* May the job have that client certificate while its helper token has these flags (rule 28)? */
enum result engine_check_certificate(const struct engine *engine, const char *certificate, unsigned helper_flags,
                                     struct fault *fault) MUST_CHECK;
/* The job's credentials are gone, and what was authenticated with them. */
void engine_end_answers(struct engine *engine, int64_t row);

/* --- engine_header.c: header lines of a job's own --- */

/* RESULT_SECRET_UNREADABLE | RESULT_NO_MEMORY | the store's. */
enum result active_open_headers(struct engine *engine, struct active *active, const struct job *job,
                                struct fault *fault) MUST_CHECK;
void active_wipe_headers(struct active *active);
/* RESULT_AUTH_SCHEME: they say who asks by a scheme that authentication.schemes does not have. */
enum result active_check_headers(const struct engine *engine, const struct active *active, struct fault *fault) MUST_CHECK;

/* --- engine_proxy.c: by which proxy a flight's source is asked --- */

/* FETCH, once it is known by which proxy; or close it, with the reason. */
void flight_fetch(struct engine *engine, struct flight *flight);
void engine_proxies_answered(struct engine *engine, const struct report *report); /* ORDER_PROXY's */
/* It could not be reached: for a while another one comes first, where there is one. */
void engine_proxy_failed(struct engine *engine, const struct flight *flight);
void crew_forget_proxies(struct crew *crew);
void engine_forget_proxies(struct engine *engine); /* in another network others may be told */
/* Is it allowed for the URL?  `ignores`: something of the server's certificate is ignored.  RESULT_BLOCKED_BY_POLICY: the job
 * named it, and neither allow.hosts nor the table does. */
enum result engine_check_proxy(const struct engine *engine, const struct url *url, bool ignores, const struct proxy_choice *choice,
                               struct fault *fault) MUST_CHECK;
/* What a job has of its own to say about it. */
struct job_proxies {
	int64_t row; /* 0: none */
	enum proxy_mode mode;
	unsigned tls_ignore; /* as the job has it */
};
/* What the job, the table, or a ground without proxies says; or in `ret_server` the server of which the system is to be asked,
 * "": it is not. */
enum result engine_proxies_said(struct engine *engine, const struct job_proxies *wanted, const struct url *url,
                                struct proxies_found *ret_found, char ret_server[HOST_NAME_BYTES_MAX],
                                struct fault *fault) MUST_CHECK;
/* Of ORDER_PROXY's report, which went well. */
enum result engine_read_proxies(const struct report *report, struct proxies_found *ret_found, struct fault *fault) MUST_CHECK;
/* Keep what the request says of the job's proxies, which its properties have the mode of. */
enum result engine_save_proxy(struct engine *engine, const struct job *job, const struct request *request,
                              struct fault *fault) MUST_CHECK;

/* --- engine_proxy_show.c --- */
bool engine_proxy_shown(struct engine *engine, const struct report *report); /* false: nobody has asked for it */
/* Who waits is answered with the fault; NULL: not at all. */
void engine_drop_proxy_asks(struct engine *engine, const struct fault *fault);

/* --- engine_attempt.c --- */
/* A fetch has ended: keep how.  False: the turn is broken. */
bool engine_note_attempt(struct engine *engine, struct flight *flight, const struct report *report);
bool active_save_attempt(struct engine *engine, struct active *active); /* likewise */

/* --- engine_tell.c --- */
void engine_note_retry(struct engine *engine, const struct job *job); /* it failed, and is tried again */
/* An event about a flight's file; `bytes` and `fault` as far as it has them. */
void engine_note_file(struct engine *engine, enum event_id id, const struct flight *flight, uint64_t bytes,
                      const struct fault *fault);
/* May one more event of that kind be told of whoever asks?  Of what Ferry does by itself all are. */
bool engine_may_tell(struct engine *engine, unsigned kind);
#define ENGINE_TELL(engine, kind, name, ...)                                           \
	do {                                                                           \
		if (engine_may_tell((engine), (kind)))                                 \
			EVENTS_NOTE((engine)->parts.events, name, __VA_ARGS__);        \
	} while (0)
bool engine_may_tell_refusal(struct engine *engine, enum result result); /* the same, of an event of whatever kind */
bool engine_may_tell_job(struct engine *engine, enum tell kind, const struct job *job);
/* Tell how many events were not told by those whose time is over, or by all; returns when it is to be done again. */
int64_t engine_tell_untold(struct engine *engine, bool all);
void engine_note_files(struct engine *engine, const struct job *job, const struct request *request); /* they were added */
void engine_note_properties(struct engine *engine, const struct job *job, unsigned given); /* PROPERTY_... were set */

/* --- engine_try.c --- */
void engine_tried(struct engine *engine, const struct report *report); /* ORDER_TRY's */
void engine_stop_tries(struct engine *engine, const struct identity *identity); /* that has gone */
void engine_review_tries(struct engine *engine); /* what the configuration allows is something else now */
void engine_drop_tries(struct engine *engine, const struct fault *fault); /* as engine_drop_proxy_asks, and before it */

#endif
