/* Inside runtime/engine: what its files share.
 *
 *   engine.c          turns: letters, what is to be tended, commit, letting out
 *   engine_schedule.c the scheduler's pass: slots given, taken back, and when to look again
 *   engine_owner.c    who is present, and the workers of their identities
 *   engine_flight.c   jobs that run: their files' flights and orders
 *   engine_report.c   what the workers report of them
 *   engine_request.c  what clients ask for
 *   engine_errand.c   a look at destinations before a resume; partial files without a job
 *   engine_keep.c     what goes when its time is over: finished jobs, leases
 *
 * The store says what is wanted; an `active` is what is still going on.  A job that is suspended while files are in
 * transfer is SUSPENDED in the store at once, and its active winds down behind that.
 */
#ifndef FERRY_RUNTIME_ENGINE_PRIVATE_H
#define FERRY_RUNTIME_ENGINE_PRIVATE_H

#include <stdatomic.h>

#include "core/schedule.h"
#include "runtime/engine.h"

#define PROGRESS_INTERVAL_MS 500 /* BITS's MINIMUM_NOTIFICATION_INTERVAL_MS */
#define STOP_MS_MAX 1500         /* to close flights before the service ends; the manager expects 2 s */
#define TROUBLE_PAUSE_MS 5000    /* before the store is tried again after a failed commit */
#define PRESENT_IDENTITIES_MAX 256 /* of all owners; superseded ones give way, then the one seen longest ago */
#define IDLE_CREWS_MAX 32 /* whoever shows many identities keeps no more threads than that; the first made end first */
#define ENDED_SESSIONS_MAX 256 /* the oldest are forgotten: nothing of a session lives on for so long */
#define RUNNABLE_PER_OWNER_MAX 32
#define SWEPT_FOLDERS_MAX 1024 /* folders that are looked through for partial files without a job, in one run */
#define PROGRESS_GRAIN_MS 10000  /* how exactly progress_ms is kept: not worth a write for each file */
#define SWEEP_ATTEMPTS_MAX 10    /* to remove a partial file that somebody holds open */

/* An identity that some caller showed. */
struct present {
	struct present *next; /* newest first */
	struct identity *identity;
};

/* The two workers of one identity. */
struct crew {
	struct crew *next;
	struct identity *identity;
	struct worker *network, *file;
	unsigned jobs; /* actives and errands that use it */
	int64_t idle_since_ms;
	bool dead;
};

enum flight_stage { FLIGHT_OPENING, FLIGHT_FETCHING, FLIGHT_CLOSING, FLIGHT_FINISHING, FLIGHT_PUBLISHING, FLIGHT_ABANDONING };

/* One file on its way: the order that is out for it, and what the reports said. */
struct flight {
	struct flight *next;
	struct active *active;
	uint64_t number;
	enum flight_stage stage;
	struct file file;           /* as recorded in the store */
	struct file_handle *handle; /* from OPEN's report until an order consumes it */
	uint64_t written;
	bool syncing;
	bool unsynced; /* a sync failed: what is not recorded yet may be lost, whatever a later one says */
	bool stop_sent;
	struct fault fault; /* why it ends; result OK: it does not, or its job winds down */
};

/* A job that has something going on. */
struct active {
	struct active *next;
	int64_t row;
	enum job_work work;
	enum job_priority priority;
	int64_t created_ms;
	struct crew *crew;
	struct flight *flights;
	uint32_t flight_count;
	uint32_t next_ordinal;
	bool exhausted; /* nothing to start from next_ordinal on */
	bool winding;   /* no new flights; the active goes when the last one ended */
	bool changed_numbers;
	int64_t told_ms;     /* last progress notification, monotonic */
	int64_t slot_since_ms; /* monotonic; counts towards max_time_s while it holds a slot */
	int64_t deadline_ms; /* monotonic; max_time_s is over then */
};

struct outgoing {
	struct outgoing *next;
	struct worker *worker;
	struct order *order;
};

struct engine {
	struct engine_parts parts;
	struct mailbox *mailbox;
	struct report_sink sink;
	struct engine_watcher watcher;
	atomic_bool stop_asked;
	struct letter stop_letter;

	struct present *present;
	int64_t absent_since_ms; /* wall; the last time somebody left, or the start */
	uint32_t ended_sessions[ENDED_SESSIONS_MAX]; /* numbers that were not given anew, oldest first */
	size_t ended_session_count;
	struct crew *crews;
	struct active *actives;
	struct errand *errands;
	uint64_t swept[SWEPT_FOLDERS_MAX];
	size_t swept_count;
	uint32_t flight_count;
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
	int64_t trouble_until_ms; /* monotonic; 0: none */
	int64_t next_try_ms;      /* monotonic; when a waiting job is due */
	int64_t forget_at_ms;     /* monotonic */
	int64_t lease_at_ms;      /* monotonic; when the next lease may end */
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
/* The owner's newest identity of that integrity level; NULL: absent. */
const struct present *engine_present(const struct engine *engine, const char *owner, uint32_t integrity);
/* The identity cannot be worn: it is dropped, and its jobs wait. */
void engine_forget_identity(struct engine *engine, struct identity *identity);
struct crew *crew_get(struct engine *engine, struct identity *identity, struct fault *fault);
void crew_free(struct engine *engine, struct crew **place);
/* End the workers that nobody needs; when the next could end. */
int64_t crew_end_idle(struct engine *engine);

/* --- engine_flight.c --- */
struct active *active_find(struct engine *engine, int64_t row);
/* Begin what the job's `work` asks for; its state is moved and saved. */
void active_begin(struct engine *engine, struct job *job, struct identity *identity);
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
struct flight *flight_find(struct engine *engine, uint64_t number);
bool flight_save(struct engine *engine, const struct flight *flight); /* false: the turn is broken */
void flight_order(struct engine *engine, struct flight *flight, enum order_kind kind, uint64_t bytes);
/* For the orders that consume the handle: it is the worker's once the turn is let out. */
void flight_last_order(struct engine *engine, struct flight *flight, enum order_kind kind, uint64_t bytes);
/* The flight is over.  With a failure its job fails, without one the job goes on or winds down. */
void flight_end(struct engine *engine, struct flight *flight);

/* --- engine_request.c --- */
/* Grant the resume, without a look at the destinations. */
enum result engine_resume_now(struct engine *engine, int64_t row, struct job_status *ret_status,
                              struct fault *fault) MUST_CHECK;

/* --- engine_errand.c --- */
enum result partial_name(const struct engine *engine, const uint64_t random[2], char to[FILE_PARTIAL_BYTES_MAX]) MUST_CHECK;
/* The job comes to the folder of that destination: once in a run, remove what lies there and belongs to no job. */
void engine_sweep_folder(struct engine *engine, const struct active *active, const char *path);
/* False: the report is of no errand. */
bool engine_errand_report(struct engine *engine, const struct report *report);
/* Resumes that wait are answered with the fault; NULL: not at all. */
void engine_drop_errands(struct engine *engine, const struct fault *fault);

/* --- engine_keep.c --- */
void engine_forget_finished(struct engine *engine);
void engine_end_leases(struct engine *engine);

/* --- engine_report.c --- */
void engine_report(struct letter *letter, void *receiver); /* a report's deliver */
void report_discard(struct report *report);

/* The job's name for an event. */
static inline const char *job_title(const struct job *job)
{
	return job->properties.name[0] != '\0' ? job->properties.name : "(unnamed)";
}

#endif
