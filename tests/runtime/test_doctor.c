/* The doctor's thread, on a made-up machine whose domain controller takes its time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/doctor.h"
#include "platform/clock.h"
#include "platform/file.h"
#include "platform/machine.h"
#include "platform/thread.h"
#include "runtime/doctor.h"
#include "support/scratch.h"

static struct {
	struct mutex *lock;
	struct condition *changed;
	bool asked, may_answer; /* the controller */
	unsigned done;
	struct finding findings[DOCTOR_CHECK_COUNT];
} scene;

/* --- the machine --- */

static enum result privileges(char *to, size_t size, struct fault *fault)
{
	(void)fault;
	return text_copy(to, size, text_view("SeChangeNotifyPrivilege SeImpersonatePrivilege"));
}

static enum result domain(char *to, size_t size, struct fault *fault)
{
	(void)fault;
	return text_copy(to, size, text_view("CORP"));
}

static enum result find_kdc(char *to, size_t size, struct fault *fault)
{
	(void)fault;
	mutex_lock(scene.lock);
	scene.asked = true;
	condition_signal(scene.changed);
	while (!scene.may_answer)
		condition_wait(scene.changed, scene.lock, -1);
	mutex_unlock(scene.lock);
	return text_copy(to, size, text_view("dc1.corp.example"));
}

static enum result ask_time(const char *server, int64_t *ret_wall_ms, struct fault *fault)
{
	(void)fault;
	*ret_wall_ms = strcmp(server, "dc1.corp.example") == 0 ? clock_wall_ms() + 600000 : 0;
	return RESULT_OK;
}

static const struct machine_system made_up = { privileges, domain, find_kdc, ask_time };
const struct machine_system *const machine_system = &made_up;

/* --- whoever asks --- */

static void on_done(struct examination *examination)
{
	mutex_lock(scene.lock);
	scene.done++;
	memcpy(scene.findings, examination->findings, sizeof(scene.findings));
	condition_signal(scene.changed);
	mutex_unlock(scene.lock);
	free(examination);
}

static struct examination *examination_new(void)
{
	struct examination *examination = calloc(1, sizeof(*examination));
	assert_non_null(examination);
	examination->done = on_done;
	examination->facts.now_ms = clock_wall_ms();
	examination->facts.settings_good = true;
	return examination;
}

static void wait_for(const bool *what)
{
	mutex_lock(scene.lock);
	while (!*what)
		condition_wait(scene.changed, scene.lock, -1);
	mutex_unlock(scene.lock);
}

static void let_it_answer(void)
{
	mutex_lock(scene.lock);
	scene.may_answer = true;
	condition_signal(scene.changed);
	mutex_unlock(scene.lock);
}

static void wait_until_done(unsigned count)
{
	mutex_lock(scene.lock);
	while (scene.done < count)
		condition_wait(scene.changed, scene.lock, -1);
	mutex_unlock(scene.lock);
}

static int set_up(void **state)
{
	(void)state;
	memset(&scene, 0, sizeof(scene));
	scene.lock = mutex_new();
	scene.changed = condition_new();
	return scene.lock != NULL && scene.changed != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	condition_free(scene.changed);
	mutex_free(scene.lock);
	return 0;
}

static void examination__takes_its_time__and_another_one_is_busy_meanwhile(void **state)
{
	char folder[512];
	struct fault fault;
	(void)state;
	scratch_make(folder, sizeof(folder));
	struct doctor *doctor = doctor_new(folder);
	struct examination *second = examination_new();
	assert_int_equal(doctor_examine(doctor, examination_new(), &fault), RESULT_OK);
	wait_for(&scene.asked);
	assert_true(doctor_is_busy(doctor));
	assert_int_equal(doctor_examine(doctor, second, &fault), RESULT_BUSY);
	let_it_answer();
	wait_until_done(1);
	assert_int_equal(scene.findings[DOCTOR_PRIVILEGES].verdict, VERDICT_OK);
	assert_int_equal(scene.findings[DOCTOR_KDC].verdict, VERDICT_OK);
	assert_int_equal(scene.findings[DOCTOR_CLOCK].verdict, VERDICT_PROBLEM);
	assert_non_null(strstr(scene.findings[DOCTOR_CLOCK].seen, "dc1.corp.example is "));
	assert_int_equal(scene.findings[DOCTOR_DISK].verdict, VERDICT_OK);
	assert_non_null(strstr(scene.findings[DOCTOR_DISK].seen, folder));
	assert_int_equal(doctor_examine(doctor, second, &fault), RESULT_OK);
	wait_until_done(2);
	doctor_free(doctor);
	scratch_remove(folder);
}

static void folder__that_is_not_there__is_a_problem_of_folder_and_disk(void **state)
{
	char folder[512], missing[600];
	struct fault fault;
	(void)state;
	scratch_make(folder, sizeof(folder));
	text_display(missing, sizeof(missing), "%s%cmissing", folder, file_path_style == PATH_WINDOWS ? '\\' : '/');
	struct doctor *doctor = doctor_new(missing);
	scene.may_answer = true;
	assert_int_equal(doctor_examine(doctor, examination_new(), &fault), RESULT_OK);
	wait_until_done(1);
	assert_int_equal(scene.findings[DOCTOR_DATA_FOLDER].verdict, VERDICT_PROBLEM);
	assert_int_equal(scene.findings[DOCTOR_DISK].verdict, VERDICT_PROBLEM);
	doctor_free(doctor);
	scratch_remove(folder);
}

/* After doctor_free has begun, and before it gives up. */
static void answer_late(void *argument)
{
	(void)argument;
	mutex_lock(scene.lock);
	for (int64_t until_ms = clock_mono_ms() + 200; clock_mono_ms() < until_ms;)
		condition_wait(scene.changed, scene.lock, until_ms - clock_mono_ms());
	mutex_unlock(scene.lock);
	let_it_answer();
}

static void doctor__freed_while_it_examines__tells_nobody(void **state)
{
	char folder[512];
	struct fault fault;
	struct thread *thread = NULL;
	(void)state;
	scratch_make(folder, sizeof(folder));
	struct doctor *doctor = doctor_new(folder);
	assert_int_equal(doctor_examine(doctor, examination_new(), &fault), RESULT_OK);
	wait_for(&scene.asked);
	assert_int_equal(thread_start("answer", answer_late, NULL, &thread, &fault), RESULT_OK);
	doctor_free(doctor);
	thread_join(thread);
	assert_int_equal(scene.done, 0);
	scratch_remove(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(examination__takes_its_time__and_another_one_is_busy_meanwhile, set_up, tear_down),
		cmocka_unit_test_setup_teardown(folder__that_is_not_there__is_a_problem_of_folder_and_disk, set_up, tear_down),
		cmocka_unit_test_setup_teardown(doctor__freed_while_it_examines__tells_nobody, set_up, tear_down),
	};
	return cmocka_run_group_tests_name("runtime/doctor", tests, NULL, NULL);
}
