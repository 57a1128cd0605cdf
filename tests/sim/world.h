/* tests/sim/world - a made-up world for the real engine and the real store: a clock that stands until it is moved, workers
 * that answer orders in an order drawn from a seed, and a disk that forgets on a crash what was not synced. */
#ifndef FERRY_TESTS_SIM_WORLD_H
#define FERRY_TESTS_SIM_WORLD_H

#include "runtime/engine.h"

#define WORLD_FILES_MAX 64
#define WORLD_NO_ANSWER RESULT_CANCELLED /* yet, to a resume; the engine never answers that */

/* One file of the made-up server and disk, found by the number at the end of its URL. */
struct world_file {
	uint64_t size;               /* on the server */
	uint64_t written, synced;    /* of the partial file */
	uint64_t fetched;            /* bytes that the server sent, over all attempts */
	unsigned published;          /* how often it got its name */
	enum result fail_next_fetch; /* RESULT_OK: none */
	bool stuck;                  /* a fetch gets no byte until it is stopped */
	bool exchanged; /* another file bears the partial file's name */
	bool fail_next_sync;
	bool held;      /* open elsewhere: the partial file cannot be removed */
	bool lost; /* a sync failed: what was not synced before is gone, and later syncs succeed without it */
};

struct world {
	uint64_t seed;
	int64_t wall_ms, mono_ms;
	struct world_file files[WORLD_FILES_MAX];
	struct settings settings;
	struct engine_parts parts;
	struct store *store;
	struct events *events;
	struct engine *engine;
	struct identity *identity;
	char folder[512], database[600];
	struct worker *workers;
	bool real_handles; /* workers open real files, so that what nobody closes is found */
	enum result resumed;     /* the answer to the last submit or resume, or WORLD_NO_ANSWER */
	char refusal[FAULT_WHAT_BYTES_MAX];
	const char *denied;      /* the destination that may not be written */
	char lying[8][64];       /* names of partial files in /sim that no job's file stands for */
	unsigned lying_count;
	bool break_turn;   /* the next answer's turn cannot be committed */
	bool wrong; /* something that must never happen did; it was printed */
};

void world_begin(struct world *world, uint64_t seed);
void world_end(struct world *world);
/* The power goes: whatever was not synced or committed is lost; then everything starts again. */
void world_crash(struct world *world);
/* The owner says hello, as a client's process would. */
void world_hello(struct world *world);
/* Create a job of `count` files and resume it; its row.  A refusal of the create is told as one of the resume. */
int64_t world_submit(struct world *world, uint32_t count, bool auto_complete);
void world_resume(struct world *world, int64_t row);
void world_cancel(struct world *world, int64_t row);
void world_set(struct world *world, int64_t row, unsigned given, const struct job_properties *properties);
/* Let one thing happen: an answer of a worker, or the passing of time up to what the engine waits for.  False: nothing is
 * left to happen. */
bool world_step(struct world *world);
/* Let so much time go by, and all that happens meanwhile. */
void world_wait(struct world *world, int64_t seconds);
enum job_state world_state(struct world *world, int64_t row);
/* How often the event was told. */
unsigned world_events(struct world *world, enum event_id id);
uint64_t world_random(struct world *world, uint64_t below);

#endif
