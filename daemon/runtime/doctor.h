/* runtime/doctor - looks at what the service stands on: its account, its folder, its disk, its machine.
 *
 * On a thread of its own that wears nobody, since disks and domain controllers take their time.  What the facts mean is
 * core/doctor's; of jobs and the queue it knows what it is told.
 */
#ifndef FERRY_RUNTIME_DOCTOR_H
#define FERRY_RUNTIME_DOCTOR_H

#include "core/doctor.h"

#define DOCTOR_END_MS 1000 /* that the end waits for an examination */

struct doctor; /* one thread's, which may be another than the one that examines */

/* First member of whatever asks; one malloc'ed block.  The engine's facts are filled in by whoever asks. */
struct examination {
	struct doctor_facts facts;
	struct finding findings[DOCTOR_CHECK_COUNT];
	/* All is found out, and judged; called once, on the doctor's thread; owns the examination. */
	void (*done)(struct examination *examination);
};

struct doctor *doctor_new(const char *data_folder); /* copied; NULL: no memory */
/* One that is under way is not `done` any more, but free()d, at the latest with the process. */
void doctor_free(struct doctor *doctor); /* NULL is fine */
DEFINE_CLEANUP(doctor)

bool doctor_is_busy(struct doctor *doctor); /* one is under way: another would be refused */
/* RESULT_BUSY: another one is under way | RESULT_NO_MEMORY | RESULT_SYSTEM: the examination is still the caller's. */
enum result doctor_examine(struct doctor *doctor, struct examination *examination, struct fault *fault) MUST_CHECK;

#endif
