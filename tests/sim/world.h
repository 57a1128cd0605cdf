/* tests/sim/world - a made-up world for the real engine and the real store: a clock that stands until it is moved, workers
 * that answer orders in an order drawn from a seed, and a disk that forgets on a crash what was not synced. */
#ifndef FERRY_TESTS_SIM_WORLD_H
#define FERRY_TESTS_SIM_WORLD_H

#include "runtime/engine.h"

#define WORLD_FILES_MAX 64
#define WORLD_SOURCES 3
#define WORLD_SESSIONS 6 /* people come from sessions below that */
#define WORLD_NO_ANSWER RESULT_CANCELLED /* yet, to a resume; the engine never answers that */

/* Who shows up in it: made-up identities, each with a digest of its own. */
enum person {
	OWNER,          /* session 1 */
	OWNER_AGAIN,    /* the same owner, logged on once more, in session 2 */
	NEIGHBOUR,      /* another owner, session 3 */
	AGENT,          /* a service's account, session 0 */
	ADMINISTRATOR,  /* elevated, session 4 */
	HELPER,         /* session 5 */
	HELPER_HERE,    /* the same user in the owner's session */
	HELPER_REMOTE,  /* the same user by a network logon */
	HELPER_BATCH,   /* session 0, no service's */
	HELPER_SERVICE, /* a virtual service account's, session 0 */
	SERVICE,        /* Ferry's own */
	PERSON_COUNT
};

/* Where a file is had: its URL, or a mirror. */
struct world_source {
	bool dead;          /* nobody answers */
	enum result fails;  /* as every fetch from it ends; RESULT_OK: whole */
	uint64_t fails_at;  /* once so many bytes are there; 0: without an answer */
	uint32_t retry_after_s;
	unsigned version;   /* of the file that it has; 0 is the one that was meant */
	bool no_ranges;     /* it has nothing but whole files */
	bool other_size;    /* what it has is of another size */
	bool unchanged;     /* it has what the client has */
	unsigned asked;
	uint64_t sent;
};

/* One file of the made-up server and disk, found by the number at the end of its URL. */
struct world_file {
	uint64_t size;               /* on the server */
	uint64_t written, synced;    /* of the partial file */
	char partial[FILE_PARTIAL_BYTES_MAX], writer[JOB_WRITER_BYTES_MAX]; /* that file's name, and who made it */
	uint64_t fetched;            /* bytes that the server sent, over all attempts */
	unsigned published;          /* how often it got its name */
	enum result fail_next_fetch; /* RESULT_OK: none */
	uint32_t retry_after_s;      /* which its server then asks for */
	enum job_priority priority;  /* that the last order for a fetch of it spoke of */
	bool no_length;              /* no server announces its size */
	bool stuck;                  /* a fetch gets no byte until it is stopped */
	bool dead;                   /* nobody answers at all */
	struct world_source sources[WORLD_SOURCES];
	unsigned version;            /* of what is on disk; two in one is wrong, unless a digest finds it out */
	bool mixed;
	unsigned asked;              /* how often a fetch came to its end */
	bool there; /* something bears the destination's name */
	bool abandoned; /* its partial file was removed */
	bool exchanged; /* another file bears the partial file's name */
	bool exchanged_late; /* likewise, when it is to get its name; once */
	bool fail_next_sync;
	unsigned zone;  /* that it was to be marked with when it got its name */
	bool held;      /* open elsewhere: the partial file cannot be removed */
	const struct worker *fetcher; /* who has or had the last order for a fetch of it; not to be looked at */
	unsigned schemes;             /* which that order allowed for its server, and as whom */
	bool implicit;
	char user[32], password[32];
	char headers[128];            /* and the lines that went along */
	char certificate[64];         /* and which client certificate, if it is not withheld */
	bool withheld, ignore_refused;
	unsigned ignore;
	int64_t job; /* whose file it is, and which of its files */
	uint32_t ordinal;
	bool removed, altered; /* at its destination, after it landed */
	uint64_t vast;         /* likewise: it has so many bytes, and reading them has no end */
	unsigned landed;       /* the version that landed last */
	char named[FILE_PARTIAL_BYTES_MAX]; /* under which name it did */
	unsigned looked;       /* how often somebody looked what is there */
	enum result look_fails; /* as each look ends; RESULT_OK: it shows what is there */
	bool lost; /* a sync failed: what was not synced before is gone, and later syncs succeed without it */
};

struct world {
	uint64_t seed;
	int64_t wall_ms, mono_ms;
	struct world_file files[WORLD_FILES_MAX];
	uint32_t first_file; /* of the next job's; jobs at the same time must not share files */
	struct settings settings;
	struct settings wanted; /* as the configuration says at the next reload */
	bool unreadable;        /* it is not good */
	const char *declared[8]; /* texts of jobs.d; NULL: no more */
	bool declared_lost;      /* there is no jobs.d */
	struct declare_step steps[16]; /* the answer to the last world_declare */
	size_t step_count;
	enum result declare_result; /* or WORLD_NO_ANSWER */
	bool trust_differs;     /* the files that it names are others */
	struct engine_parts parts;
	struct store *store;
	struct events *events;
	struct engine *engine;
	struct identity *people[PERSON_COUNT];
	char folder[512], database[600];
	struct worker *workers;
	bool real_handles; /* workers open real files, so that what nobody closes is found */
	enum result resumed;     /* the answer to the last submit or resume, or WORLD_NO_ANSWER */
	char refusal[FAULT_WHAT_BYTES_MAX];
	enum result preflight_result; /* the answer to the last preflight, or WORLD_NO_ANSWER */
	struct preflight preflight;
	const char *program;     /* by which clients ask from now on; NULL: none that is known */
	enum person client;      /* who asks for what no person is named for */
	const char *denied;      /* the destination that may not be written */
	char lying[64][64];      /* names of partial files in /sim that no job's file stands for */
	unsigned lying_count;
	struct network_state network; /* as the machine says it is; at first there is one that costs nothing */
	bool no_streams;   /* files land without the mark that they should have */
	bool same_tags;    /* all servers give the same entity tag to whatever they have */
	bool remote;       /* paths are Windows', and lie on another machine */
	bool break_turn;   /* the turn of the next answer, or of what the next client asks, cannot be committed */
	unsigned answers_behind; /* so many answers of workers come right behind what the next client asks */
	const char *proxies;   /* that the system has for all servers, from the next start on; NULL: it never has any */
	bool proxies_stuck;    /* whoever asks for them waits */
	enum result proxies_fail; /* as the question ends; RESULT_OK: with those */
	unsigned proxies_asked;
	char proxy[PROXY_BYTES_MAX + 1]; /* by which the last fetch went */
	enum result tried;       /* the answer to the last trial, or WORLD_NO_ANSWER */
	struct trial trial;
	bool trials_stuck; /* whoever tries waits */
	enum result trial_fails; /* as it ends */
	long trial_status;
	bool plain;        /* URLs have no query */
	bool secure;       /* they are of https */
	bool no_seal;      /* nothing can be sealed, from the next start on */
	bool seal_fails;   /* nothing can be sealed now */
	bool secrets_busy; /* nothing that was sealed can be opened now */
	bool secrets_lost; /* nothing that was sealed can be opened */
	bool no_chance;    /* random bytes cannot be had: the turn breaks where a file would get a name, late in it */
	unsigned tags_of_mirrors; /* how often a mirror was asked about the client's tag */
	bool ending;
	bool wrong; /* something that must never happen did; it was printed */
};

void world_begin(struct world *world, uint64_t seed);
void world_end(struct world *world);
/* The power goes: whatever was not synced or committed is lost; then everything starts again. */
void world_crash(struct world *world);
/* A client's process of that person says hello. */
void world_hello_as(struct world *world, enum person person);
void world_hello(struct world *world); /* the owner's */
#define WORLD_QUERY "?sig=0pen/s3same" /* of every URL */
struct world_order {
	enum person owner;
	uint32_t files;
	bool auto_complete;
	enum token_loss on_token_loss;
	const char *folder; /* below /sim; "/low".  NULL: /sim itself */
	uint32_t mirrors;   /* of each file */
	unsigned shares;    /* a bit for each source that is a share; in a remote world only */
	const char *name;   /* NULL: "sim" */
	const char *correlation; /* of the submit; NULL: the service makes one */
	bool conditional;   /* each is stated to be there already: a tag and a date, of version 1 */
	bool digest;        /* each has one to be judged by */
	bool ranges;        /* each is two of the server's file, which is twice as large; sizes are from 2 on */
};
/* Create the job; its row, or -1. */
int64_t world_create(struct world *world, const struct world_order *order);
/* Create a job of the owner's and resume it.  A refusal of the create is told as one of the resume. */
int64_t world_submit(struct world *world, uint32_t count, bool auto_complete);
void world_resume(struct world *world, int64_t row);
void world_preflight(struct world *world, int64_t row);
void world_try(struct world *world, enum person person, const char *url, const char *proxy); /* "": as the system says */
/* What these return is what a client is told; `refusal` has the words. */
enum result world_suspend(struct world *world, int64_t row);
enum result world_cancel(struct world *world, int64_t row);
enum result world_complete(struct world *world, int64_t row);
enum result world_set(struct world *world, int64_t row, unsigned given, const struct job_properties *properties);
enum result world_set_proxy(struct world *world, int64_t row, enum proxy_mode mode, const char *list);
enum result world_add(struct world *world, int64_t row, uint32_t count, const char *folder);
/* *ret_files: how many were changed; only of a success. */
enum result world_replace(struct world *world, int64_t row, const char *from, const char *to, uint32_t *ret_files);
enum result world_take(struct world *world, int64_t row, enum person person);
enum result world_set_credentials(struct world *world, int64_t row, const struct credential *credential);
enum result world_set_headers(struct world *world, int64_t row, const char *block, bool write_only);
/* Append them to `to`. */
enum result world_get_headers(struct world *world, int64_t row, struct buffer *to);
enum result world_remove_credentials(struct world *world, int64_t row, enum auth_target target, enum auth_scheme scheme);
struct world_loan {
	enum person helper;
	uint64_t connection;
	const char *root; /* NULL: none */
	uint32_t age_s;
	bool attached; /* lent by the helper himself, to a job that is pinned to him; else by the job's owner */
};
enum result world_lend(struct world *world, int64_t row, const struct world_loan *loan);
enum result world_clear(struct world *world, int64_t row);
enum result world_flags(struct world *world, int64_t row, unsigned flags);
void world_session_ended(struct world *world, uint32_t session);
void world_session_began(struct world *world, uint32_t session);
/* The machine says so, and that it changed. */
void world_network(struct world *world, struct network_state now);
/* Have it read again, in a turn of its own. */
void world_reload(struct world *world);
/* Have what is declared compared, and acted upon, until that is answered. */
void world_declare(struct world *world, bool act);
/* The row of the one job of that name that is not over, or that is; -1: there is none. */
int64_t world_declared_job(struct world *world, const char *name);
void world_connection_ended(struct world *world, uint64_t connection);

/* Let one thing happen: an answer of a worker, or the passing of time up to what the engine waits for.  False: nothing is
 * left to happen. */
bool world_step(struct world *world);
/* Some worker gets on with one of its orders, and says so in the same turn as what comes next; false: none has any. */
bool world_answer(struct world *world);
/* Has some worker anything to do? */
bool world_is_at_work(struct world *world);
/* Let so much time go by, and all that happens meanwhile. */
void world_wait(struct world *world, int64_t seconds);
/* Let all happen that happens by itself. */
void world_settle(struct world *world);
enum job_state world_state(struct world *world, int64_t row);
void world_job(struct world *world, int64_t row, struct job_status *ret_status);
bool world_is_lent(const struct world *world, int64_t row);
/* How many threads there are of that kind. */
unsigned world_threads(const struct world *world, enum worker_kind kind);
/* Is there a thread of that person? */
bool world_wears(const struct world *world, enum person person);
/* With nothing left to happen: no thread is held by a job, and no token by one that is over. */
void world_check_rest(struct world *world);
/* How often the event was told. */
unsigned world_events(struct world *world, enum event_id id);
uint64_t world_random(struct world *world, uint64_t below);

#endif
