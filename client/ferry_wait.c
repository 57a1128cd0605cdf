#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "ferry_private.h"
#include "platform/clock.h"

#define TRY_DELAY_MS_MIN 200
#define TRY_DELAY_MS_MAX 5000
/* While the service is away, a try must not keep the caller's callback waiting. */
#define TRY_OPEN_TIMEOUT_MS 500
#define TICK_MS_DEFAULT 1000

/* A moment that never comes, and how long it is until one that may. */
#define NEVER INT64_MAX

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t moment_in(int64_t timeout_ms)
{
	int64_t now = clock_mono_ms();

	return timeout_ms < 0 || timeout_ms > NEVER - now ? NEVER : now + timeout_ms;
}

static int64_t until(int64_t moment)
{
	int64_t now = clock_mono_ms();

	return moment == NEVER ? -1 : moment > now ? moment - now : 0;
}

/* --- connecting again --- */

/* Speak as `speaker` from here to restore_speaker (rule 5). */
static enum result put_on(const struct ipc_speaker *speaker, struct ipc_speaker **ret_before, struct fault *fault)
{
	AUTO(ipc_speaker) struct ipc_speaker *before = NULL;
	enum result result = ipc_speaker_current(&before, fault);
	if (result == RESULT_OK)
		result = ipc_speaker_wear(speaker, fault);
	if (result == RESULT_OK)
		*ret_before = TAKE(before);
	return result;
}

/* The caller's thread must never come back from us as somebody else. */
static void put_back(struct ipc_speaker *before)
{
	if (ipc_speaker_wear(before, NULL) != RESULT_OK)
		abort();
	ipc_speaker_free(before);
}

static enum result hello_again(struct ferry *ferry, struct fault *fault)
{
	struct ipc_speaker *before = NULL;
	enum result result = put_on(ferry->speaker, &before, fault);
	if (result != RESULT_OK)
		return result;
	result = ferry_say_hello(ferry, earlier(ferry->open_timeout_ms, TRY_OPEN_TIMEOUT_MS), fault);
	put_back(before);
	return result;
}

/* A job that cannot be opened any more does not keep the others from going on: its own calls will tell. */
static enum result open_again(struct ferry_job *job, struct fault *fault)
{
	struct ipc_speaker *before = NULL;

	job->lost = (struct fault){ .result = RESULT_OK };
	enum result result = put_on(job->speaker, &before, &job->lost);
	if (result == RESULT_OK) {
		result = ferry_open_again(job, &job->lost);
		put_back(before);
	}
	if (result == RESULT_OK && job->subscribed)
		result = ferry_subscribe_to(job->ferry, job, &job->lost);
	if (result == RESULT_OK)
		return RESULT_OK;
	job->handle = 0;
	if (job->ferry->client == NULL) {
		*fault = job->lost;
		return result;
	}
	return RESULT_OK;
}

static enum result connect_again(struct ferry *ferry, struct fault *fault)
{
	enum result result = hello_again(ferry, fault);

	for (struct ferry_job *job = ferry->jobs; job != NULL && result == RESULT_OK; job = job->next)
		result = open_again(job, fault);
	if (result == RESULT_OK && ferry->subscribed)
		result = ferry_subscribe_to(ferry, NULL, fault);
	return result;
}

/* What a service that is starting, stopping or crowded answers: try again.  Anything else will not get better. */
static bool may_pass(enum result result)
{
	return result == RESULT_NOT_RUNNING || result == RESULT_BUSY || result == RESULT_TIMED_OUT;
}

/* Wait for the moment of the next try, but not beyond `deadline`, and try.  RESULT_TIMED_OUT: the deadline was first.
 * RESULT_NOT_RUNNING: tried in vain, there will be another try.  Others are for good. */
static enum result try_again(struct ferry *ferry, int64_t deadline, struct fault *fault)
{
	int64_t moment = earlier(ferry->next_try_ms, deadline), left;

	mutex_lock(ferry->mutex);
	while ((left = until(moment)) > 0)
		condition_wait(ferry->never, ferry->mutex, left);
	mutex_unlock(ferry->mutex);
	if (moment < ferry->next_try_ms)
		return fault_set(fault, RESULT_TIMED_OUT, FAULT_FERRY, 0, "wait for the service to come back");

	unsigned attempt = ferry->attempt;
	enum result result = connect_again(ferry, fault);
	if (result == RESULT_OK) {
		ferry_drop_notes(ferry);
		ferry->epoch++;
		return RESULT_OK;
	}
	ipc_client_free(ferry->client);
	ferry->client = NULL;
	if (!may_pass(result))
		return result;
	int64_t delay = TRY_DELAY_MS_MIN;
	for (unsigned i = 1; i < attempt && delay < TRY_DELAY_MS_MAX; i++)
		delay *= 2;
	ferry->attempt = attempt + 1;
	ferry->announce = true;
	ferry->next_try_ms = moment_in(earlier(delay, TRY_DELAY_MS_MAX));
	fault->result = RESULT_NOT_RUNNING;
	return RESULT_NOT_RUNNING;
}

enum ferry_result ferry_reconnect(struct ferry *ferry, int64_t timeout_ms, struct ferry_error *error)
{
	struct fault fault = { .result = RESULT_OK };
	int64_t deadline = moment_in(timeout_ms);
	enum result result = RESULT_NOT_RUNNING;

	if (ferry->client != NULL)
		ferry_lose(ferry);
	while (result == RESULT_NOT_RUNNING && (deadline == NEVER || until(deadline) > 0))
		result = try_again(ferry, deadline, &fault);
	if (result == RESULT_TIMED_OUT)
		result = fault_set(&fault, RESULT_NOT_RUNNING, FAULT_FERRY, 0, "it did not come back in time");
	return ferry_report(result, &fault, error);
}

/* --- the next change, of one job or of all --- */

static struct ferry_note *take_note(struct ferry *ferry, const char *id)
{
	for (struct ferry_note **at = &ferry->notes; *at != NULL; at = &(*at)->next) {
		struct ferry_note *note = *at;
		if (id == NULL || strcmp(note->status.id, id) == 0) {
			*at = note->next;
			ferry->note_count--;
			return note;
		}
	}
	return NULL;
}

/* Wait until `deadline` for something to tell about the job with this id, or any if NULL; keep connected meanwhile.
 * `seen` is the epoch that the caller knows of.  RESULT_TIMED_OUT; other failures mean that the service is out of reach
 * for good. */
static enum result next_change(struct ferry *ferry, const char *id, unsigned *seen, int64_t deadline,
                               struct ferry_change *change, struct fault *fault)
{
	for (;;) {
		enum result result;
		if (ferry->client == NULL && ferry->announce) {
			ferry->announce = false;
			change->kind = FERRY_CHANGE_RECONNECTING;
			change->attempt = ferry->attempt;
			return RESULT_OK;
		}
		if (ferry->client == NULL) {
			result = try_again(ferry, deadline, fault);
			if (result != RESULT_OK && result != RESULT_NOT_RUNNING)
				return result;
			continue;
		}
		if (*seen != ferry->epoch) {
			*seen = ferry->epoch;
			change->kind = FERRY_CHANGE_REFRESH;
			return RESULT_OK;
		}
		struct ferry_note *note = take_note(ferry, id);
		if (note != NULL) {
			change->kind = note->progress ? FERRY_CHANGE_PROGRESS : FERRY_CHANGE_STATE;
			change->status = note->status;
			free(note);
			return RESULT_OK;
		}
		result = ferry_receive_note(ferry, until(deadline), fault);
		if (result != RESULT_OK && result != RESULT_NOT_RUNNING)
			return result;
	}
}

enum ferry_result ferry_subscribe(struct ferry *ferry, struct ferry_error *error)
{
	struct fault fault = { .result = RESULT_OK };
	enum result result = ferry_subscribe_to(ferry, NULL, &fault);

	if (result == RESULT_OK) {
		ferry->subscribed = true;
		ferry->epoch_seen = ferry->epoch;
	}
	return ferry_report(result, &fault, error);
}

enum ferry_result ferry_next_change(struct ferry *ferry, int64_t timeout_ms, struct ferry_change *ret_change,
                                    struct ferry_error *error)
{
	struct fault fault = { .result = RESULT_OK };
	enum result result = next_change(ferry, NULL, &ferry->epoch_seen, moment_in(timeout_ms), ret_change, &fault);

	return ferry_report(result, &fault, error);
}

/* --- waiting for one job --- */

bool ferry_is_settled(const struct ferry_status *status)
{
	if (ferry_state_is_final(status->state))
		return true;
	if (status->completing)
		return false;
	return status->state == FERRY_STATE_ERROR || (status->state == FERRY_STATE_TRANSFERRED && !status->auto_complete);
}

struct waiting {
	struct ferry_job *job;
	const struct ferry_wait *how;
	int64_t deadline, tick_ms;
	int64_t away_until; /* the service must be back; NEVER while it is here */
	unsigned epoch;     /* of the connection that is known of */
	bool known;         /* `change.status` is what the service said on this connection */
	struct ferry_change change;
};

static bool is_reached(const struct waiting *waiting)
{
	const struct ferry_status *status = &waiting->change.status;

	if (waiting->how->states == 0)
		return ferry_is_settled(status);
	return (waiting->how->states & FERRY_STATE_BIT(status->state)) != 0;
}

static enum result tell(const struct waiting *waiting, struct fault *fault)
{
	if (waiting->how->on_change == NULL || waiting->how->on_change(waiting->how->context, &waiting->change))
		return RESULT_OK;
	return fault_set(fault, RESULT_CANCELLED, FAULT_FERRY, 0, "the waiting");
}

/* Subscribe first and look then, so that no change falls between the two. */
static enum result look(struct waiting *waiting, struct fault *fault)
{
	struct ferry_job *job = waiting->job;

	if (!job->subscribed) {
		enum result result = ferry_subscribe_to(job->ferry, job, fault);
		if (result != RESULT_OK)
			return result;
		job->subscribed = true;
	}
	enum result result = ferry_get(job, &waiting->change.status, fault);
	if (result == RESULT_OK) {
		waiting->known = true;
		waiting->change.kind = FERRY_CHANGE_STATE;
	}
	return result;
}

/* Something came for us: know what it means, and tell it. */
static enum result heed(struct waiting *waiting, struct fault *fault)
{
	if (waiting->change.kind == FERRY_CHANGE_RECONNECTING) {
		waiting->known = false;
		if (waiting->away_until == NEVER && waiting->how->reconnect_timeout_ms > 0)
			waiting->away_until = moment_in(waiting->how->reconnect_timeout_ms);
	} else if (waiting->change.kind == FERRY_CHANGE_REFRESH) {
		waiting->known = false;
		waiting->away_until = NEVER;
	}
	return tell(waiting, fault);
}

/* One round: look, or wait until something comes or a tick is over. */
static enum result wait_round(struct waiting *waiting, struct fault *fault)
{
	struct ferry *ferry = waiting->job->ferry;
	enum result result;

	if (!waiting->known && ferry->client != NULL && waiting->epoch == ferry->epoch) {
		result = look(waiting, fault);
		if (result == RESULT_NOT_RUNNING && ferry->client == NULL)
			return RESULT_OK; /* the next round connects again */
		return result == RESULT_OK ? tell(waiting, fault) : result;
	}
	int64_t round_end = earlier(earlier(waiting->deadline, waiting->away_until), moment_in(waiting->tick_ms));
	result = next_change(ferry, waiting->job->id, &waiting->epoch, round_end, &waiting->change, fault);
	if (result == RESULT_OK)
		return heed(waiting, fault);
	if (result != RESULT_TIMED_OUT)
		return result;
	if (until(waiting->away_until) == 0)
		return fault_set(fault, RESULT_NOT_RUNNING, FAULT_FERRY, 0, "it did not come back in time");
	if (until(waiting->deadline) == 0)
		return fault_set(fault, RESULT_TIMED_OUT, FAULT_FERRY, 0, "wait for the job");
	waiting->change.kind = FERRY_CHANGE_TICK;
	return tell(waiting, fault);
}

enum ferry_result ferry_job_wait(struct ferry_job *job, const struct ferry_wait *wait, struct ferry_status *ret_status,
                                 struct ferry_error *error)
{
	static const struct ferry_wait standard = { .states = 0 };
	struct fault fault = { .result = RESULT_OK };
	const struct ferry_wait *how = wait != NULL ? wait : &standard;
	struct waiting waiting = {
		.job = job,
		.how = how,
		.deadline = moment_in(how->timeout_ms > 0 ? how->timeout_ms : -1),
		.tick_ms = how->tick_ms > 0 ? how->tick_ms : TICK_MS_DEFAULT,
		.away_until = NEVER,
		.epoch = job->ferry->epoch,
	};
	enum result result = RESULT_OK;

	memcpy(waiting.change.status.id, job->id, sizeof(job->id));
	while (result == RESULT_OK && !(waiting.known && is_reached(&waiting)))
		result = wait_round(&waiting, &fault);
	if (ret_status != NULL && (result == RESULT_OK || result == RESULT_TIMED_OUT || result == RESULT_CANCELLED))
		*ret_status = waiting.change.status;
	return ferry_report(result, &fault, error);
}
