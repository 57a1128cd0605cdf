#include "runtime/doctor.h"

#include <stdlib.h>
#include <string.h>

#include "platform/clock.h"
#include "platform/file.h"
#include "platform/identity.h"
#include "platform/machine.h"
#include "platform/thread.h"

#define TRIAL_FILE "doctor.tmp"

/* The lock is for all but the folder; while it is under way the examination is the thread's. */
struct doctor {
	char folder[DESTINATION_BYTES_MAX + 1];
	struct mutex *lock;
	struct condition *over;
	struct thread *thread; /* the last one; to be joined */
	struct examination *examination; /* that is under way; NULL: none */
	bool dropped;
};

/* --- what is looked at --- */

static void look_at_account(struct doctor_facts *facts)
{
	AUTO(identity) struct identity *self = NULL;

	if (identity_self(&self, NULL) != RESULT_OK)
		return;
	memcpy(facts->account, identity_caller(self)->owner, sizeof(facts->account));
	facts->administrator = identity_caller(self)->administrator;
}

/* The folder, and what in it decides who may do what. */
static void look_at_folder(struct doctor_facts *facts)
{
	static const char *const names[] = { "ferry.jsonc", "conf.d", "queue.sqlite3", "queue.mark", "secrets.key" };
	char path[DESTINATION_BYTES_MAX + 64];
	enum result result = file_check_trusted(facts->folder_path, &facts->folder);

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && result == RESULT_OK; i++) {
		text_display(path, sizeof(path), "%s%c%s", facts->folder_path, file_path_style == PATH_WINDOWS ? '\\' : '/', names[i]);
		result = file_check_trusted(path, &facts->folder);
		if (result == RESULT_PATH_NOT_FOUND)
			result = RESULT_OK;
	}
	facts->folder.result = result;
}

static enum result set_aside(struct folder *folder, uint64_t bytes, struct fault *fault)
{
	AUTO(file_handle) struct file_handle *file = NULL;
	enum result result = file_create(folder, TRIAL_FILE, &file, fault);

	if (result == RESULT_EXISTS) /* a crash left it */
		result = file_reopen(folder, TRIAL_FILE, "", &file, fault);
	if (result != RESULT_OK)
		return result;
	result = file_reserve(file, bytes, fault);
	if (result == RESULT_OK)
		result = file_write(file, 0, "", 1, fault);
	if (result == RESULT_OK)
		result = file_sync(file, fault);
	return file_remove(folder, file, TRIAL_FILE, NULL) == RESULT_OK ? result :
	       fault_set(fault, RESULT_IO_FAILED, FAULT_FERRY, 0, "remove " TRIAL_FILE);
}

static void look_at_disk(struct doctor_facts *facts)
{
	AUTO(folder) struct folder *folder = NULL;
	enum result result = folder_open(facts->folder_path, &folder, &facts->disk_least);

	if (result == RESULT_OK)
		result = set_aside(folder, DOCTOR_DISK_LEAST, &facts->disk_least);
	facts->disk_least.result = result;
	if (result == RESULT_OK)
		facts->disk.result = set_aside(folder, DOCTOR_DISK_LOW, &facts->disk);
}

static void look_at_machine(struct doctor_facts *facts)
{
	const struct machine_system *system = machine_system;
	int64_t theirs_ms = 0, before_ms;

	facts->knows_machine = system != NULL;
	if (system == NULL)
		return;
	facts->privileges_missed.result = system->privileges(facts->privileges, sizeof(facts->privileges), &facts->privileges_missed);
	facts->kdc_missed.result = system->domain(facts->domain, sizeof(facts->domain), &facts->kdc_missed);
	if (facts->domain[0] == '\0')
		return;
	facts->kdc_missed.result = system->find_kdc(facts->kdc, sizeof(facts->kdc), &facts->kdc_missed);
	if (facts->kdc_missed.result != RESULT_OK)
		return;
	before_ms = clock_wall_ms();
	facts->kdc_time_missed.result = system->ask_time(facts->kdc, &theirs_ms, &facts->kdc_time_missed);
	facts->kdc_ahead_ms = theirs_ms - (before_ms + clock_wall_ms()) / 2;
}

/* --- the thread --- */

static void run(void *argument)
{
	struct doctor *doctor = argument;
	struct examination *examination = doctor->examination;

	look_at_account(&examination->facts);
	look_at_folder(&examination->facts);
	look_at_disk(&examination->facts);
	look_at_machine(&examination->facts);
	doctor_judge(&examination->facts, examination->findings);
	mutex_lock(doctor->lock);
	doctor->examination = NULL;
	if (doctor->dropped)
		free(examination);
	else
		examination->done(examination); /* under the lock: whoever asked is there */
	condition_signal(doctor->over);
	mutex_unlock(doctor->lock);
}

bool doctor_is_busy(struct doctor *doctor)
{
	mutex_lock(doctor->lock);
	bool busy = doctor->examination != NULL;
	mutex_unlock(doctor->lock);
	return busy;
}

enum result doctor_examine(struct doctor *doctor, struct examination *examination, struct fault *fault)
{
	enum result result;

	mutex_lock(doctor->lock);
	if (doctor->examination != NULL) {
		result = fault_set(fault, RESULT_BUSY, FAULT_FERRY, 0, "an examination is under way");
	} else {
		thread_join(TAKE(doctor->thread)); /* it has said its last word, and lets go of the lock */
		doctor->examination = examination;
		memcpy(examination->facts.folder_path, doctor->folder, sizeof(doctor->folder));
		result = thread_start("doctor", run, doctor, &doctor->thread, fault);
		if (result != RESULT_OK)
			doctor->examination = NULL;
	}
	mutex_unlock(doctor->lock);
	return result;
}

struct doctor *doctor_new(const char *data_folder)
{
	struct doctor *doctor = calloc(1, sizeof(*doctor));

	if (doctor == NULL)
		return NULL;
	text_display(doctor->folder, sizeof(doctor->folder), "%s", data_folder);
	doctor->lock = mutex_new();
	doctor->over = condition_new();
	if (doctor->lock != NULL && doctor->over != NULL)
		return doctor;
	mutex_free(doctor->lock);
	condition_free(doctor->over);
	free(doctor);
	return NULL;
}

void doctor_free(struct doctor *doctor)
{
	if (doctor == NULL)
		return;
	int64_t until_ms = clock_mono_ms() + DOCTOR_END_MS;

	mutex_lock(doctor->lock);
	doctor->dropped = true;
	while (doctor->examination != NULL && clock_mono_ms() < until_ms)
		condition_wait(doctor->over, doctor->lock, until_ms - clock_mono_ms());
	bool done = doctor->examination == NULL;
	mutex_unlock(doctor->lock);
	if (!done)
		return; /* the process ends, and with it whoever still waits for a domain controller */
	thread_join(doctor->thread);
	mutex_free(doctor->lock);
	condition_free(doctor->over);
	free(doctor);
}
