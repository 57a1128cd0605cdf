/* Inside runtime/engine: one comparison of what is declared with what there is, a pass.
 *
 *   engine_declare.c      which pass is due, what it is about, its end
 *   engine_look.c         what is on disk of the files, asked of a file worker
 *   engine_declare_act.c  what follows from it
 *   engine_declare_job.c  the job that fetches what is missing
 *
 * A pass lives in memory only, one at a time: a turn that is undone drops it, and all is compared anew.
 */
#ifndef FERRY_RUNTIME_ENGINE_PASS_H
#define FERRY_RUNTIME_ENGINE_PASS_H

#include "core/declare.h"
#include "runtime/engine_private.h"

#define DECLARE_LOOK_MS (3600 * 1000)  /* for a file whose size nobody has stated and that has not landed: longer, and it is altered */
#define DECLARE_RETRY_MS (3600 * 1000) /* before what could not be done about a declared job is tried again */

enum pass_kind {
	PASS_START,   /* all of them; those that were due meanwhile have their moment now */
	PASS_CHANGED, /* those that are declared otherwise than before */
	PASS_DUE,     /* those whose moment has come */
	PASS_ENDED,   /* those whose job is over */
	PASS_PLAN,    /* all of them, and nothing is done */
	PASS_APPLY,   /* all of them, whatever their moments */
};

/* One name of it. */
struct entry {
	const char *name;
	struct declared *wanted, *applied; /* the pass's; NULL: none */
	struct store_declared kept;        /* row 0: the store has nothing of it */
	bool unfinished, failed, over;     /* it has a job; that is in ERROR; that is over */
	enum declared_disk *disk;          /* of each of wanted's files */
	bool concerned;                    /* the pass is about it */
	bool anew;                         /* its moments count from now */
	bool owed;                         /* see struct declare_known */
	struct fault fault;                /* why some file could not be looked at; RESULT_OK: each could */
};

struct pass {
	enum pass_kind kind;
	struct declare_question *questions; /* who waits for it */
	struct declared_set wanted, applied; /* by name; `wanted` is empty where what was applied is to be */
	bool as_applied; /* it is about what was applied alone */
	struct entry *entries;
	size_t count;
	size_t at;       /* the entry, and its file, that is looked at */
	uint32_t file;
	uint64_t number; /* of the look that is out; 0: none */
	int64_t look_until_ms; /* monotonic; INT64_MAX: however long it takes */
	bool given_up;
	struct crew *crew; /* the service's */
};

/* --- engine_declare.c --- */
void pass_fail(struct engine *engine, const struct fault *fault); /* it is over, and nothing was done */
void pass_end(struct engine *engine);                             /* everything was looked at */

/* Its next moment; by a clock that was set right since, its moments count from now. */
void pass_set_due(struct engine *engine, struct store_declared *kept, int64_t due_ms);

/* --- engine_look.c --- */
/* Look at the next file, or end the pass. */
void pass_look(struct engine *engine);
void pass_stop_look(struct engine *engine); /* if one is out; it is answered, unless the pass is over */
/* Give up one that takes too long.  When that is, on the monotonic clock. */
int64_t pass_tend_look(struct engine *engine);

/* --- engine_declare_job.c --- */
/* A job that fetches what is missing. */
enum result pass_begin_job(struct engine *engine, struct entry *entry, const struct declare_known *known,
                           struct fault *fault) MUST_CHECK;
enum result pass_cancel_job(struct engine *engine, struct entry *entry, struct fault *fault) MUST_CHECK; /* if it has one */
enum result pass_set_priority(struct engine *engine, const struct entry *entry, struct fault *fault) MUST_CHECK; /* of that */

/* --- engine_declare_act.c --- */
/* Decide about one entry, and do it unless that is only to be shown. */
void pass_act(struct engine *engine, struct entry *entry, struct declare_step *step);
void engine_note_declared_refused(struct engine *engine, const struct settings_errors *errors);
void engine_note_declared_applied(struct engine *engine, uint32_t done, uint32_t failed, uint32_t right);
/* Its job is over: another may be made. */
void pass_record(struct engine *engine, struct entry *entry);

#endif
