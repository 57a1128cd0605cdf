/* core/declare - declared jobs: what a file of jobs.d says, and what is to be done so that the machine is as it says.
 *
 *   declare.c        the difference: what is declared, what the store has of it, what is on disk -> what is to be done
 *   declare_when.c   moments
 *   declare_read.c, declare_value.c, declare_write.c  a text, and the same written
 *   declare_set.c    all files of jobs.d together
 *
 * Pure: knows neither files nor clocks, nor who writes what is declared.
 */
#ifndef FERRY_CORE_DECLARE_H
#define FERRY_CORE_DECLARE_H

#include "core/job.h"
#include "core/settings.h"

#define DECLARED_NAME_BYTES_MAX 64u       /* letters, digits, '.', '_' and '-' */
#define DECLARED_JOBS_MAX 256u            /* files of jobs.d */
#define DECLARED_FILES_MAX 1000u          /* of one job */
#define DECLARED_BYTES_MAX (384u * 1024u) /* of one file of jobs.d; written again, it fits into the store */
#define DECLARED_VERSIONS_MAX 99u
#define DECLARED_EVERY_S_MIN 60u
#define DECLARED_TIME_S_MAX (366u * 24u * 3600u)
#define DECLARED_NEVER INT64_MAX

struct declared_file {
	char *url, *path; /* where it is had, and its destination: an absolute path */
	char *mirrors[FILE_MIRRORS_MAX];
	uint32_t mirror_count;
	uint64_t bytes;       /* SIZE_UNKNOWN: not stated */
	struct digest digest; /* length 0: not stated */
};

enum declared_kind { DECLARED_ONCE, DECLARED_EVERY, DECLARED_WINDOW };
struct declared_when {
	enum declared_kind kind;
	uint32_t every_s;            /* of EVERY */
	uint16_t from_minute, to_minute; /* of WINDOW: of the day; `to` before `from` is on the next day */
	uint8_t days;                /* likewise; bit 0: Monday */
	uint32_t spread_s;           /* within which each machine has a moment of its own */
};

struct declared {
	char name[DECLARED_NAME_BYTES_MAX + 1];
	char *source;      /* the file that declares it, for errors */
	char *destination; /* a folder */
	struct declared_file *files;
	uint32_t file_count;
	enum job_priority priority;
	char helper[JOB_OWNER_BYTES_MAX]; /* whose token it waits for; "": the service fetches and writes it itself */
	struct declared_when when;
	bool keep;         /* on_change: a file that is there is never replaced */
	uint32_t versions; /* former contents that are kept beside a file */
};
void declared_free(struct declared *declared); /* NULL is fine */
DEFINE_CLEANUP(declared)

/* --- reading and writing --- */

/* One text.  All that is wrong is added to `errors`, with file, line and column, what was found and what is allowed; then
 * *ret_declared stays NULL.  RESULT_BAD_SETTING | RESULT_NO_MEMORY. */
enum result declare_read(struct text_view text, const char *source, enum path_style style, struct declared **ret_declared,
                         struct settings_errors *errors) MUST_CHECK;
/* All of it as a text that declare_read takes, whatever comments and spelling the file had. */
enum result declare_write(const struct declared *declared, struct buffer *to) MUST_CHECK;

/* All files of jobs.d, by name. */
struct declared_set {
	struct declared *jobs[DECLARED_JOBS_MAX];
	uint32_t count;
};
void declared_set_done(struct declared_set *set);
static inline void declared_set_cleanup(struct declared_set *set)
{
	declared_set_done(set);
}
/* Takes it in any case.  False: there are DECLARED_JOBS_MAX. */
bool declared_set_add(struct declared_set *set, struct declared *declared);
struct declared *declared_set_find(const struct declared_set *set, const char *name);
/* Sort them by name, and refuse two files with one name or one destination, naming both. */
enum result declared_set_check(struct declared_set *set, enum path_style style, struct settings_errors *errors) MUST_CHECK;

/* --- moments: Unix time in ms, minutes of the local week from Monday 00:00 --- */

/* When it is due next after `now_ms`, of a job that was declared at `since_ms` on a machine whose `seed` says where it lies
 * within the spread.  DECLARED_NEVER: it was due once. */
int64_t declare_due(const struct declared_when *when, int64_t since_ms, uint32_t seed, int64_t now_ms, uint32_t now_minute);
/* How long this machine's moment lies behind the beginning of the spread, in ms. */
int64_t declare_offset_ms(const struct declared_when *when, uint32_t seed);

bool declare_same_when(const struct declared_when *a, const struct declared_when *b);

/* --- the difference --- */

enum declared_disk {
	DISK_UNSEEN, /* nobody has looked */
	DISK_RIGHT,  /* it has the size and digest that are declared, or those that it had when it landed */
	DISK_ALTERED,
	DISK_MISSING,
	DISK_UNKNOWN, /* somebody looked and could not tell: left as it is until he can */
};

/* What is known of a declared job beside what is declared now. */
struct declare_known {
	const struct declared *applied;   /* what was declared when it was last applied; NULL: nothing of that name */
	const enum declared_disk *disk;   /* of each file that is declared now */
	bool unfinished;                  /* a job of it is under way, */
	bool failed;                      /* or in ERROR */
	bool now;                         /* it may be acted on now: it is due, or somebody says so */
	bool due;                         /* its moment has come: files without a digest are asked for anew */
	bool owed;                        /* no job has been made of what is declared now: what nobody can look at is fetched */
};

enum declare_act {
	DECLARE_NOTHING,
	DECLARE_CREATE,
	DECLARE_UPDATE,  /* in place: nothing that is fetched changes */
	DECLARE_REPLACE, /* other files, or another destination or identity: what is under way is cancelled */
	DECLARE_REPAIR,  /* files are missing or altered, or its job is in error */
	DECLARE_REFRESH, /* it is due, and servers are asked whether they have something newer */
	DECLARE_DROP,    /* no file declares it any more */
	DECLARE_ACT_COUNT
};
const char *declare_act_name(enum declare_act act); /* "create" ... */

#define DECLARE_REASON_BYTES_MAX 256
struct declare_action {
	enum declare_act act;
	uint32_t fetch; /* how many of its files are to be fetched, by a new job */
	char reason[DECLARE_REASON_BYTES_MAX];
};
/* `wanted` NULL: it is not declared any more. */
void declare_decide(const struct declared *wanted, const struct declare_known *known, struct declare_action *ret_action);
/* Is that file to be fetched? */
bool declare_fetches(const struct declared *wanted, const struct declare_known *known, uint32_t file);

#endif
