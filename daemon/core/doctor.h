/* core/doctor - what facts about an installation mean: a verdict, what was seen, and what to do.
 *
 * Decides and looks at nothing itself; runtime/doctor and the engine find the facts.
 */
#ifndef FERRY_CORE_DOCTOR_H
#define FERRY_CORE_DOCTOR_H

#include "core/job.h"

#define DOCTOR_CHECKS(X)                                                                                             \
	X(ACCOUNT, "account") X(PRIVILEGES, "privileges") X(DATA_FOLDER, "data-folder") X(QUEUE, "queue") X(DISK, "disk") \
	X(CLOCK, "clock") X(KDC, "kdc") X(CONFIGURATION, "configuration")
enum doctor_check {
#define X(name, text) DOCTOR_##name,
	DOCTOR_CHECKS(X)
#undef X
	DOCTOR_CHECK_COUNT
};
const char *doctor_check_name(enum doctor_check check);

/* Not known: it cannot be told here, or was not to be found out in time. */
enum verdict { VERDICT_OK, VERDICT_WARNING, VERDICT_PROBLEM, VERDICT_UNKNOWN, VERDICT_COUNT };
const char *verdict_name(enum verdict verdict); /* "ok", "warning", "problem", "unknown" */

#define DOCTOR_SEEN_BYTES_MAX 1280
#define DOCTOR_REMEDY_BYTES_MAX 512
struct finding {
	enum verdict verdict;
	char seen[DOCTOR_SEEN_BYTES_MAX];
	char remedy[DOCTOR_REMEDY_BYTES_MAX]; /* "": there is nothing to do */
};

#define DOCTOR_MADE_MS 1793491200000 /* 2026-11-01: no clock that is right was before this source */
#define DOCTOR_SKEW_MS 300000        /* beyond that Kerberos lets nobody in */
#define DOCTOR_DISK_LOW (256ull << 20)
#define DOCTOR_DISK_LEAST (16ull << 20)
#define DOCTOR_PRIVILEGES_BYTES_MAX 1024
#define DOCTOR_NAME_BYTES_MAX 256

struct doctor_facts {
	/* The engine's. */
	int64_t now_ms, newest_ms;  /* wall; the last job's creation, 0: there is none */
	struct fault trouble;       /* why the queue cannot be written now; RESULT_OK: it can */
	struct fault queue;         /* RESULT_OK: whole | RESULT_CANCELLED: too large to be looked through | else what is wrong */
	uint64_t jobs;              /* unfinished */
	bool settings_good;
	char settings_errors[1024]; /* if they are not */
	char unwatched[FAULT_WHAT_BYTES_MAX]; /* why changes of it are not noticed; "": they are, or nobody notices them here */
	/* runtime/doctor's. */
	char account[JOB_OWNER_BYTES_MAX]; /* the process's owner key */
	bool administrator;                /* it is one */
	bool by_hand;                      /* somebody runs it in the foreground; whoever asks knows it */
	char folder_path[DESTINATION_BYTES_MAX + 1];
	struct fault folder;               /* why the data folder is not Ferry's alone */
	struct fault disk, disk_least;     /* why so much could not be set aside in it: DOCTOR_DISK_LOW, DOCTOR_DISK_LEAST */
	bool knows_machine;                /* platform/machine is there; else nothing of what follows is known */
	struct fault privileges_missed;    /* why they are not known */
	char privileges[DOCTOR_PRIVILEGES_BYTES_MAX]; /* the process's, a space between */
	char domain[DOCTOR_NAME_BYTES_MAX];           /* that the machine is in; "": none */
	char kdc[DOCTOR_NAME_BYTES_MAX];
	struct fault kdc_missed;                      /* why none was found */
	int64_t kdc_ahead_ms;                         /* of our clock */
	struct fault kdc_time_missed;                 /* why its clock is not known */
};

void doctor_judge(const struct doctor_facts *facts, struct finding ret_findings[DOCTOR_CHECK_COUNT]);

#endif
