/* libferry: waiting for jobs, watching them, and connections that are lost meanwhile. */
#include "client/ferry_scene.h"

/* --- waiting --- */

struct seen {
	struct scene *scene;
	unsigned kinds[5];
	enum ferry_state states[STATES_MAX];
	unsigned state_count;
	unsigned stop_at_tick;    /* stop waiting at this tick */
	bool end_server_at_state; /* at the first state */
	unsigned start_server_at_attempt;
};

static bool on_change(void *context, const struct ferry_change *change)
{
	struct seen *seen = context;

	seen->kinds[change->kind]++;
	if (change->kind == FERRY_CHANGE_STATE && seen->state_count < STATES_MAX)
		seen->states[seen->state_count++] = change->status.state;
	if (change->kind == FERRY_CHANGE_STATE && seen->end_server_at_state) {
		seen->end_server_at_state = false;
		stop(seen->scene);
	}
	if (change->kind == FERRY_CHANGE_RECONNECTING && change->attempt == seen->start_server_at_attempt) {
		seen->scene->job.job.state = JOB_ACKNOWLEDGED;
		start(seen->scene);
	}
	return change->kind != FERRY_CHANGE_TICK || seen->kinds[FERRY_CHANGE_TICK] != seen->stop_at_tick;
}

static void ferry__a_settled_job__is_not_waited_for(void **state)
{
	struct scene *scene = *state;
	struct ferry *ferry = connect_to(scene);
	struct ferry_job *job = open_job(ferry);
	struct ferry_status status;

	scene->job.job.state = JOB_ACKNOWLEDGED;
	assert_int_equal(ferry_job_wait(job, NULL, &status, NULL), FERRY_OK);
	assert_int_equal(status.state, FERRY_STATE_ACKNOWLEDGED);
	ferry_job_close(job);
	ferry_close(ferry);
}

static void ferry__waiting__ends_with_the_change_that_settles(void **state)
{
	struct scene *scene = *state;
	struct ferry *ferry = connect_to(scene);
	struct ferry_job *job = open_job(ferry);
	struct seen seen = { .scene = scene };
	const struct ferry_wait wait = { .on_change = on_change, .context = &seen };
	struct ferry_status status;

	/* TRANSFERRED settles nothing: the job completes by itself. */
	scene->job.job.state = JOB_TRANSFERRED;
	scene->notify_method = METHOD_JOB_GET + 1;
	scene->told[0] = JOB_TRANSFERRED;
	scene->told[1] = JOB_ACKNOWLEDGED;
	scene->told_count = 2;
	assert_int_equal(ferry_job_wait(job, &wait, &status, NULL), FERRY_OK);
	assert_int_equal(status.state, FERRY_STATE_ACKNOWLEDGED);
	assert_int_equal(scene->subscribed_job, 1);
	assert_int_equal(seen.states[0], FERRY_STATE_TRANSFERRED);
	assert_int_equal(seen.states[seen.state_count - 1], FERRY_STATE_ACKNOWLEDGED);
	ferry_job_close(job);
	ferry_close(ferry);
}

static void ferry__waiting__can_be_for_certain_states(void **state)
{
	struct scene *scene = *state;
	struct ferry *ferry = connect_to(scene);
	struct ferry_job *job = open_job(ferry);
	const struct ferry_wait wait = { .states = FERRY_STATE_BIT(FERRY_STATE_TRANSFERRED) };
	struct ferry_status status;

	scene->notify_method = METHOD_JOB_GET + 1;
	scene->told[0] = JOB_TRANSFERRED;
	scene->told_count = 1;
	assert_int_equal(ferry_job_wait(job, &wait, &status, NULL), FERRY_OK);
	assert_int_equal(status.state, FERRY_STATE_TRANSFERRED);
	ferry_job_close(job);
	ferry_close(ferry);
}

static void ferry__what_settles__depends_on_who_completes(void **state)
{
	struct ferry_status status = { .state = FERRY_STATE_TRANSFERRED };

	(void)state;
	assert_true(ferry_is_settled(&status));
	status.auto_complete = true;
	assert_false(ferry_is_settled(&status));
	status.auto_complete = false;
	status.completing = true;
	assert_false(ferry_is_settled(&status));
	status.state = FERRY_STATE_ERROR;
	assert_false(ferry_is_settled(&status));
	status.completing = false;
	assert_true(ferry_is_settled(&status));
	status.state = FERRY_STATE_SUSPENDED;
	assert_false(ferry_is_settled(&status));
	status.state = FERRY_STATE_CANCELLED;
	assert_true(ferry_is_settled(&status));
}

static void ferry__waiting__ends_when_time_is_up_or_the_callback_says_so(void **state)
{
	struct scene *scene = *state;
	struct ferry *ferry = connect_to(scene);
	struct ferry_job *job = open_job(ferry);
	struct seen seen = { .scene = scene, .stop_at_tick = 2 };
	struct ferry_wait wait = { .timeout_ms = 20 };
	struct ferry_status status = { .state = FERRY_STATE_CANCELLED };
	struct ferry_error error;

	scene->job.job.state = JOB_QUEUED;
	assert_int_equal(ferry_job_wait(job, &wait, &status, &error), FERRY_TIMED_OUT);
	assert_int_equal(status.state, FERRY_STATE_QUEUED); /* the last that is known */
	wait = (struct ferry_wait){ .tick_ms = 5, .on_change = on_change, .context = &seen };
	assert_int_equal(ferry_job_wait(job, &wait, &status, &error), FERRY_STOPPED);
	assert_int_equal(seen.kinds[FERRY_CHANGE_TICK], 2);
	ferry_job_close(job);
	ferry_close(ferry);
}

static void ferry__a_service_that_goes_away__is_waited_for_and_asked_again(void **state)
{
	struct scene *scene = *state;
	struct ferry *ferry = connect_to(scene);
	struct ferry_job *job = open_job(ferry);
	struct seen seen = { .scene = scene, .end_server_at_state = true, .start_server_at_attempt = 2 };
	const struct ferry_wait wait = { .on_change = on_change, .context = &seen };
	struct ferry_status status;

	scene->job.job.state = JOB_TRANSFERRING;
	assert_int_equal(ferry_job_wait(job, &wait, &status, NULL), FERRY_OK);
	assert_int_equal(status.state, FERRY_STATE_ACKNOWLEDGED);
	assert_int_equal(seen.kinds[FERRY_CHANGE_RECONNECTING], 2);
	assert_int_equal(seen.kinds[FERRY_CHANGE_REFRESH], 1);
	assert_int_equal(scene->asked[METHOD_HELLO], 2);
	assert_int_equal(scene->asked[METHOD_JOB_OPEN], 2);
	assert_int_equal(scene->subscribed_job, 2);
	ferry_job_close(job);
	ferry_close(ferry);
}

static void ferry__a_service_that_stays_away__is_given_up_in_time(void **state)
{
	struct scene *scene = *state;
	struct ferry *ferry = connect_to(scene);
	struct ferry_job *job = open_job(ferry);
	struct seen seen = { .scene = scene, .end_server_at_state = true };
	const struct ferry_wait wait = { .reconnect_timeout_ms = 30, .on_change = on_change, .context = &seen };
	struct ferry_error error;

	scene->job.job.state = JOB_TRANSFERRING;
	assert_int_equal(ferry_job_wait(job, &wait, NULL, &error), FERRY_NOT_RUNNING);
	assert_true(seen.kinds[FERRY_CHANGE_RECONNECTING] >= 1);
	/* Later it is there again, and so is the job. */
	start(scene);
	assert_int_equal(ferry_reconnect(ferry, -1, &error), FERRY_OK);
	assert_int_equal(ferry_job_get(job, NULL, &error), FERRY_OK);
	ferry_job_close(job);
	ferry_close(ferry);
}

static void ferry__a_job_that_is_gone_after_a_restart__is_not_found(void **state)
{
	struct scene *scene = *state;
	struct ferry *ferry = connect_to(scene);
	struct ferry_job *job = open_job(ferry);
	struct ferry_error error;

	scene->gone = true;
	assert_int_equal(ferry_reconnect(ferry, -1, &error), FERRY_OK);
	assert_int_equal(ferry_job_wait(job, NULL, NULL, &error), FERRY_NOT_FOUND);
	ferry_job_close(job);
	ferry_close(ferry);
}

static void ferry__a_connection_lost_in_a_request__says_so_until_it_is_made_again(void **state)
{
	struct scene *scene = *state;
	struct ferry *ferry = connect_to(scene);
	struct ferry_job *job = open_job(ferry);
	struct ferry_error error;

	scene->forget = METHOD_JOB_RESUME + 1;
	assert_int_equal(ferry_job_resume(job, NULL, &error), FERRY_NOT_RUNNING);
	assert_int_equal(ferry_job_resume(job, NULL, &error), FERRY_NOT_RUNNING);
	assert_int_equal(ferry_reconnect(ferry, -1, &error), FERRY_OK);
	assert_int_equal(ferry_job_resume(job, NULL, &error), FERRY_OK);
	ferry_job_close(job);
	ferry_close(ferry);
}

static void ferry__a_reconnect__opens_jobs_as_those_who_opened_them(void **state)
{
	struct scene *scene = *state;
	unsigned before = ground_speaker();
	const unsigned somebody = 65010, somebody_else = 65011;
	char expected[32];
	struct ferry_error error;

	if (!ground_speaker_is_seen())
		GROUND_SKIP("two identities of one client");
	struct ferry *ferry = connect_to(scene);
	if (!ground_speak_as(somebody)) {
		ferry_close(ferry);
		GROUND_SKIP(GROUND_NEEDS);
	}
	struct ferry_job *job = open_job(ferry);
	must(text_format(expected, sizeof(expected), "uid:%u", somebody));
	assert_string_equal(scene->opened_as, expected);

	assert_true(ground_speak_as(somebody_else));
	scene->opened_as[0] = '\0';
	assert_int_equal(ferry_reconnect(ferry, -1, &error), FERRY_OK);
	assert_string_equal(scene->opened_as, expected);
	assert_int_equal(ground_speaker(), somebody_else);

	assert_true(ground_speak_as(before));
	ferry_job_close(job);
	ferry_close(ferry);
}

/* --- watching --- */

static void ferry__changes_that_come_unasked__are_kept_for_who_wants_them(void **state)
{
	struct scene *scene = *state;
	struct ferry *ferry = connect_to(scene);
	struct ferry_change change;
	struct ferry_service service;
	struct ferry_error error;

	scene->unasked = 5; /* of one job: only what is newest counts, and that it was more than numbers */
	assert_int_equal(ferry_subscribe(ferry, &error), FERRY_OK);
	assert_int_equal(ferry_service_status(ferry, &service, &error), FERRY_OK);
	assert_int_equal(scene->subscribed_all, 1);
	assert_int_equal(ferry_next_change(ferry, 0, &change, &error), FERRY_OK);
	assert_int_equal(change.kind, FERRY_CHANGE_STATE);
	assert_int_equal(change.status.state, FERRY_STATE_CONNECTING);
	assert_int_equal(ferry_next_change(ferry, 0, &change, &error), FERRY_TIMED_OUT);
	ferry_close(ferry);
}

static void ferry__watching__survives_a_restart_and_says_to_look_again(void **state)
{
	struct scene *scene = *state;
	struct ferry *ferry = connect_to(scene);
	struct ferry_change change;
	struct ferry_error error;

	assert_int_equal(ferry_subscribe(ferry, &error), FERRY_OK);
	stop(scene);
	assert_int_equal(ferry_next_change(ferry, -1, &change, &error), FERRY_OK);
	assert_int_equal(change.kind, FERRY_CHANGE_RECONNECTING);
	assert_int_equal(change.attempt, 1);
	start(scene);
	assert_int_equal(ferry_next_change(ferry, -1, &change, &error), FERRY_OK);
	assert_int_equal(change.kind, FERRY_CHANGE_REFRESH);
	assert_int_equal(scene->subscribed_all, 2);
	ferry_close(ferry);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(ferry__a_settled_job__is_not_waited_for),
		TEST(ferry__waiting__ends_with_the_change_that_settles),
		TEST(ferry__waiting__can_be_for_certain_states),
		TEST(ferry__what_settles__depends_on_who_completes),
		TEST(ferry__waiting__ends_when_time_is_up_or_the_callback_says_so),
		TEST(ferry__a_service_that_goes_away__is_waited_for_and_asked_again),
		TEST(ferry__a_service_that_stays_away__is_given_up_in_time),
		TEST(ferry__a_job_that_is_gone_after_a_restart__is_not_found),
		TEST(ferry__a_connection_lost_in_a_request__says_so_until_it_is_made_again),
		TEST(ferry__a_reconnect__opens_jobs_as_those_who_opened_them),
		TEST(ferry__changes_that_come_unasked__are_kept_for_who_wants_them),
		TEST(ferry__watching__survives_a_restart_and_says_to_look_again),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
