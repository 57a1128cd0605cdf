#include "core/job.h"

#include <assert.h>
#include <string.h>

/* --- the table --- */

/* By event, in the order of JOB_EVENTS.  What is not listed is refused; an event that succeeds without
 * changing anything is listed as a transition to the same state. */
static const struct {
	enum job_state from;
	enum job_event event;
	enum job_state to;
} transitions[] = {
	{ JOB_SUSPENDED, JOB_EVENT_RESUME, JOB_QUEUED },
	{ JOB_ERROR, JOB_EVENT_RESUME, JOB_QUEUED },
	{ JOB_TRANSIENT_ERROR, JOB_EVENT_RESUME, JOB_QUEUED },
	{ JOB_TRANSFERRED, JOB_EVENT_RESUME, JOB_QUEUED }, /* files were added since, or another identity is to write them */
	{ JOB_QUEUED, JOB_EVENT_RESUME, JOB_QUEUED },
	{ JOB_CONNECTING, JOB_EVENT_RESUME, JOB_CONNECTING },
	{ JOB_TRANSFERRING, JOB_EVENT_RESUME, JOB_TRANSFERRING },

	{ JOB_QUEUED, JOB_EVENT_SUSPEND, JOB_SUSPENDED },
	{ JOB_CONNECTING, JOB_EVENT_SUSPEND, JOB_SUSPENDED },
	{ JOB_TRANSFERRING, JOB_EVENT_SUSPEND, JOB_SUSPENDED },
	{ JOB_SUSPENDED, JOB_EVENT_SUSPEND, JOB_SUSPENDED },
	{ JOB_ERROR, JOB_EVENT_SUSPEND, JOB_SUSPENDED },
	{ JOB_TRANSIENT_ERROR, JOB_EVENT_SUSPEND, JOB_SUSPENDED },
	{ JOB_TRANSFERRED, JOB_EVENT_SUSPEND, JOB_SUSPENDED },

	{ JOB_QUEUED, JOB_EVENT_SLOT, JOB_CONNECTING },

	{ JOB_CONNECTING, JOB_EVENT_CONNECTED, JOB_TRANSFERRING },
	{ JOB_TRANSFERRING, JOB_EVENT_CONNECTED, JOB_TRANSFERRING }, /* the next file's server */

	{ JOB_CONNECTING, JOB_EVENT_SLICE_OVER, JOB_QUEUED },
	{ JOB_TRANSFERRING, JOB_EVENT_SLICE_OVER, JOB_QUEUED },

	{ JOB_QUEUED, JOB_EVENT_OWNER_LEFT, JOB_QUEUED },
	{ JOB_CONNECTING, JOB_EVENT_OWNER_LEFT, JOB_QUEUED },
	{ JOB_TRANSFERRING, JOB_EVENT_OWNER_LEFT, JOB_QUEUED },

	{ JOB_QUEUED, JOB_EVENT_TOKEN_LOST, JOB_ERROR },
	{ JOB_CONNECTING, JOB_EVENT_TOKEN_LOST, JOB_ERROR },
	{ JOB_TRANSFERRING, JOB_EVENT_TOKEN_LOST, JOB_ERROR },
	{ JOB_SUSPENDED, JOB_EVENT_TOKEN_LOST, JOB_ERROR },
	{ JOB_ERROR, JOB_EVENT_TOKEN_LOST, JOB_ERROR },
	{ JOB_TRANSIENT_ERROR, JOB_EVENT_TOKEN_LOST, JOB_ERROR },
	{ JOB_TRANSFERRED, JOB_EVENT_TOKEN_LOST, JOB_TRANSFERRED }, /* everything is fetched: only names are missing */

	{ JOB_CONNECTING, JOB_EVENT_FAILED_LATER, JOB_TRANSIENT_ERROR },
	{ JOB_TRANSFERRING, JOB_EVENT_FAILED_LATER, JOB_TRANSIENT_ERROR },
	{ JOB_TRANSFERRED, JOB_EVENT_FAILED_LATER, JOB_TRANSFERRED }, /* publishing is tried again */

	{ JOB_QUEUED, JOB_EVENT_FAILED, JOB_ERROR },
	{ JOB_CONNECTING, JOB_EVENT_FAILED, JOB_ERROR },
	{ JOB_TRANSFERRING, JOB_EVENT_FAILED, JOB_ERROR },
	{ JOB_TRANSIENT_ERROR, JOB_EVENT_FAILED, JOB_ERROR },
	{ JOB_TRANSFERRED, JOB_EVENT_FAILED, JOB_ERROR },

	{ JOB_TRANSIENT_ERROR, JOB_EVENT_RETRY, JOB_QUEUED },

	{ JOB_QUEUED, JOB_EVENT_ALL_FETCHED, JOB_TRANSFERRED }, /* nothing was missing */
	{ JOB_CONNECTING, JOB_EVENT_ALL_FETCHED, JOB_TRANSFERRED },
	{ JOB_TRANSFERRING, JOB_EVENT_ALL_FETCHED, JOB_TRANSFERRED },

	{ JOB_QUEUED, JOB_EVENT_COMPLETE, JOB_ACKNOWLEDGED },
	{ JOB_CONNECTING, JOB_EVENT_COMPLETE, JOB_ACKNOWLEDGED },
	{ JOB_TRANSFERRING, JOB_EVENT_COMPLETE, JOB_ACKNOWLEDGED },
	{ JOB_SUSPENDED, JOB_EVENT_COMPLETE, JOB_ACKNOWLEDGED },
	{ JOB_ERROR, JOB_EVENT_COMPLETE, JOB_ACKNOWLEDGED },
	{ JOB_TRANSIENT_ERROR, JOB_EVENT_COMPLETE, JOB_ACKNOWLEDGED },
	{ JOB_TRANSFERRED, JOB_EVENT_COMPLETE, JOB_ACKNOWLEDGED },

	{ JOB_QUEUED, JOB_EVENT_CANCEL, JOB_CANCELLED },
	{ JOB_CONNECTING, JOB_EVENT_CANCEL, JOB_CANCELLED },
	{ JOB_TRANSFERRING, JOB_EVENT_CANCEL, JOB_CANCELLED },
	{ JOB_SUSPENDED, JOB_EVENT_CANCEL, JOB_CANCELLED },
	{ JOB_ERROR, JOB_EVENT_CANCEL, JOB_CANCELLED },
	{ JOB_TRANSIENT_ERROR, JOB_EVENT_CANCEL, JOB_CANCELLED },
	{ JOB_TRANSFERRED, JOB_EVENT_CANCEL, JOB_CANCELLED },

	{ JOB_QUEUED, JOB_EVENT_RESTARTED, JOB_QUEUED },
	{ JOB_CONNECTING, JOB_EVENT_RESTARTED, JOB_QUEUED },
	{ JOB_TRANSFERRING, JOB_EVENT_RESTARTED, JOB_QUEUED },
	{ JOB_SUSPENDED, JOB_EVENT_RESTARTED, JOB_SUSPENDED },
	{ JOB_ERROR, JOB_EVENT_RESTARTED, JOB_ERROR },
	{ JOB_TRANSIENT_ERROR, JOB_EVENT_RESTARTED, JOB_TRANSIENT_ERROR },
	{ JOB_TRANSFERRED, JOB_EVENT_RESTARTED, JOB_TRANSFERRED },
};
#define TRANSITION_COUNT (sizeof(transitions) / sizeof(transitions[0]))

bool job_next_state(enum job_state state, enum job_event event, enum job_state *ret_to)
{
	for (size_t i = 0; i < TRANSITION_COUNT; i++) {
		if (transitions[i].from == state && transitions[i].event == event) {
			*ret_to = transitions[i].to;
			return true;
		}
	}
	return false;
}

enum identity_choice job_identity(const struct job *job, enum job_side side, bool service)
{
	if (job->helper_flags & HELPER_FLAG(side))
		return IDENTITY_HELPER;
	return service ? IDENTITY_SERVICE : IDENTITY_OWNER;
}

unsigned job_helper_needed(const struct job *job)
{
	switch (job->work) {
	case JOB_WORK_NONE: return 0;
	case JOB_WORK_TRANSFER: return job->helper_flags;
	case JOB_WORK_PUBLISH:
	case JOB_WORK_SWEEP: break;
	}
	return job->helper_flags & HELPER_LOCAL_FILE;
}

bool file_etag_is_valid(struct text_view tag)
{
	size_t begin = tag.length >= 2 && memcmp(tag.bytes, "W/", 2) == 0 ? 2 : 0;

	if (tag.length < begin + 2 || tag.bytes[begin] != '"' || tag.bytes[tag.length - 1] != '"')
		return false;
	for (size_t i = begin + 1; i < tag.length - 1; i++) {
		unsigned char byte = (unsigned char)tag.bytes[i];
		if (byte < 0x21 || byte == '"' || byte == 0x7F)
			return false;
	}
	return true;
}

bool job_state_is_final(enum job_state state)
{
	return state == JOB_ACKNOWLEDGED || state == JOB_CANCELLED;
}

bool job_state_is_active(enum job_state state)
{
	return state == JOB_CONNECTING || state == JOB_TRANSFERRING;
}

/* --- names --- */

static const char *const state_names[JOB_STATE_COUNT] = {
#define X(name) [JOB_##name] = #name,
	JOB_STATES(X)
#undef X
};

static const char *const event_names[JOB_EVENT_COUNT] = {
#define X(name) [JOB_EVENT_##name] = #name,
	JOB_EVENTS(X)
#undef X
};

static const char *const priority_names[JOB_PRIORITY_COUNT] = {
	[JOB_FOREGROUND] = "foreground",
	[JOB_HIGH] = "high",
	[JOB_NORMAL] = "normal",
	[JOB_LOW] = "low",
};

static const char *const wait_names[JOB_WAIT_COUNT] = {
	[JOB_WAIT_NONE] = "none",
	[JOB_WAIT_SLOT] = "slot",
	[JOB_WAIT_OWNER_ABSENT] = "owner-absent",
	[JOB_WAIT_TOKEN] = "token-required",
	[JOB_WAIT_WORKERS] = "identity-workers",
	[JOB_WAIT_RETRY] = "retry-at",
	[JOB_WAIT_DISK_FULL] = "disk-full",
	[JOB_WAIT_VOLUME_GONE] = "volume-gone",
	[JOB_WAIT_RATE] = "rate-off",
	[JOB_WAIT_NO_NETWORK] = "no-network",
	[JOB_WAIT_METERED] = "metered",
	[JOB_WAIT_ROAMING] = "roaming",
	[JOB_WAIT_BATTERY_SAVER] = "battery-saver",
};

static const char *const file_state_names[FILE_STATE_COUNT] = {
	[FILE_PENDING] = "pending",
	[FILE_TRANSFERRED] = "transferred",
	[FILE_PUBLISHED] = "published",
	[FILE_ABANDONED] = "abandoned",
	[FILE_NOT_MODIFIED] = "not-modified",
};

static const char *const loss_names[TOKEN_LOSS_COUNT] = { [TOKEN_LOSS_ERROR] = "error", [TOKEN_LOSS_WAIT] = "wait" };

static const char *const profile_names[JOB_PROFILE_COUNT] = { [JOB_PROFILE_NONE] = "none",
	                                                      [JOB_PROFILE_INTERACTIVE] = "interactive",
	                                                      [JOB_PROFILE_UPDATE] = "update",
	                                                      [JOB_PROFILE_BULK] = "bulk" };

static const char *const choice_names[IDENTITY_CHOICE_COUNT] = { [IDENTITY_OWNER] = "owner", [IDENTITY_HELPER] = "helper",
	                                                         [IDENTITY_SERVICE] = "service" };

static const char *const flag_names[JOB_SIDE_COUNT] = { [JOB_SIDE_FILE] = "local-file", [JOB_SIDE_NETWORK] = "network" };

static bool find_name(const char *const *names, unsigned count, struct text_view name, unsigned *ret_index)
{
	for (unsigned i = 0; i < count; i++) {
		if (text_is(name, names[i])) {
			*ret_index = i;
			return true;
		}
	}
	return false;
}

const char *job_state_name(enum job_state state)
{
	assert((unsigned)state < JOB_STATE_COUNT);
	return state_names[state];
}

const char *job_event_name(enum job_event event)
{
	assert((unsigned)event < JOB_EVENT_COUNT);
	return event_names[event];
}

const char *job_priority_name(enum job_priority priority)
{
	assert((unsigned)priority < JOB_PRIORITY_COUNT);
	return priority_names[priority];
}

const char *job_wait_name(enum job_wait wait)
{
	assert((unsigned)wait < JOB_WAIT_COUNT);
	return wait_names[wait];
}

const char *file_state_name(enum file_state state)
{
	assert((unsigned)state < FILE_STATE_COUNT);
	return file_state_names[state];
}

const char *job_profile_name(enum job_profile profile)
{
	assert((unsigned)profile < JOB_PROFILE_COUNT);
	return profile_names[profile];
}

bool job_profile_from_name(struct text_view name, enum job_profile *ret_profile)
{
	unsigned index;
	if (!find_name(profile_names, JOB_PROFILE_COUNT, name, &index))
		return false;
	*ret_profile = (enum job_profile)index;
	return true;
}

/* Somebody looks on; a machine is to be brought up to date today; it comes when it comes. */
const struct job_patience *job_patience(enum job_profile profile)
{
	static const struct job_patience patiences[JOB_PROFILE_COUNT] = {
		[JOB_PROFILE_INTERACTIVE] = { 10, 20, 2 * 60 },
		[JOB_PROFILE_UPDATE] = { 30, 60, 24 * 3600 },
		[JOB_PROFILE_BULK] = { 60, 5 * 60, 14 * 24 * 3600 },
	};

	assert((unsigned)profile < JOB_PROFILE_COUNT);
	return profile == JOB_PROFILE_NONE ? NULL : &patiences[profile];
}

const char *token_loss_name(enum token_loss loss)
{
	assert((unsigned)loss < TOKEN_LOSS_COUNT);
	return loss_names[loss];
}

const char *identity_choice_name(enum identity_choice choice)
{
	assert((unsigned)choice < IDENTITY_CHOICE_COUNT);
	return choice_names[choice];
}

const char *job_side_flag_name(enum job_side side)
{
	assert((unsigned)side < JOB_SIDE_COUNT);
	return flag_names[side];
}

bool token_loss_from_name(struct text_view name, enum token_loss *ret_loss)
{
	unsigned index;
	if (!find_name(loss_names, TOKEN_LOSS_COUNT, name, &index))
		return false;
	*ret_loss = (enum token_loss)index;
	return true;
}

bool identity_choice_from_name(struct text_view name, enum identity_choice *ret_choice)
{
	unsigned index;
	if (!find_name(choice_names, IDENTITY_CHOICE_COUNT, name, &index))
		return false;
	*ret_choice = (enum identity_choice)index;
	return true;
}

bool helper_flag_from_name(struct text_view name, unsigned *ret_flag)
{
	unsigned index;
	if (!find_name(flag_names, JOB_SIDE_COUNT, name, &index))
		return false;
	*ret_flag = HELPER_FLAG(index);
	return true;
}

bool job_state_from_name(struct text_view name, enum job_state *ret_state)
{
	unsigned index;
	if (!find_name(state_names, JOB_STATE_COUNT, name, &index))
		return false;
	*ret_state = (enum job_state)index;
	return true;
}

bool job_priority_from_name(struct text_view name, enum job_priority *ret_priority)
{
	unsigned index;
	if (!find_name(priority_names, JOB_PRIORITY_COUNT, name, &index))
		return false;
	*ret_priority = (enum job_priority)index;
	return true;
}

bool job_wait_from_name(struct text_view name, enum job_wait *ret_wait)
{
	unsigned index;
	if (!find_name(wait_names, JOB_WAIT_COUNT, name, &index))
		return false;
	*ret_wait = (enum job_wait)index;
	return true;
}

bool file_state_from_name(struct text_view name, enum file_state *ret_state)
{
	unsigned index;
	if (!find_name(file_state_names, FILE_STATE_COUNT, name, &index))
		return false;
	*ret_state = (enum file_state)index;
	return true;
}

/* --- properties --- */

static enum result check_text(const char *field, const char *text, size_t size, struct fault *fault)
{
	/* The arrays are filled by text_copy; one without an end is our own mistake. */
	assert(memchr(text, '\0', size));
	(void)size;
	if (!text_is_utf8(text_view(text)))
		return fault_set(fault, RESULT_NOT_UTF8, FAULT_FERRY, 0, "%s", field);
	return RESULT_OK;
}

static enum result check_seconds(const char *field, uint32_t seconds, uint32_t minimum, struct fault *fault)
{
	if (seconds >= minimum && seconds <= JOB_TIME_S_MAX)
		return RESULT_OK;
	return fault_set(fault, RESULT_INVALID_ARGUMENT, FAULT_FERRY, 0, "%s: %lu is %s %lu", field,
	                 (unsigned long)seconds, seconds < minimum ? "below" : "above",
	                 (unsigned long)(seconds < minimum ? minimum : JOB_TIME_S_MAX));
}

static const char *const tls_ignores[TLS_IGNORE_COUNT] = { "host-name", "date", "authority", "usage" };

const char *tls_ignore_name(unsigned bit)
{
	return tls_ignores[bit];
}

bool tls_ignore_from_name(struct text_view name, unsigned *ret_flag)
{
	for (unsigned bit = 0; bit < TLS_IGNORE_COUNT; bit++) {
		if (!text_is(name, tls_ignores[bit]))
			continue;
		*ret_flag = 1u << bit;
		return true;
	}
	return false;
}

enum result job_properties_check(struct job_properties *properties, struct fault *fault)
{
	enum result result = check_text("name", properties->name, sizeof(properties->name), fault);
	if (result == RESULT_OK)
		result = check_text("description", properties->description, sizeof(properties->description),
		                    fault);
	if (result == RESULT_OK)
		result = check_text("pinned_helper", properties->pinned_helper, sizeof(properties->pinned_helper), fault);
	if (result != RESULT_OK)
		return result;

	if ((unsigned)properties->priority >= JOB_PRIORITY_COUNT)
		return fault_set(fault, RESULT_INVALID_ARGUMENT, FAULT_FERRY, 0,
		                 "priority: there is no level %d", (int)properties->priority);
	if ((unsigned)properties->profile >= JOB_PROFILE_COUNT)
		return fault_set(fault, RESULT_INVALID_ARGUMENT, FAULT_FERRY, 0, "profile: there is no profile %d",
		                 (int)properties->profile);
	if ((unsigned)properties->on_token_loss >= TOKEN_LOSS_COUNT)
		return fault_set(fault, RESULT_INVALID_ARGUMENT, FAULT_FERRY, 0,
		                 "on_token_loss: there is no policy %d", (int)properties->on_token_loss);

	result = check_seconds("retry_delay_s", properties->retry_delay_s, 0, fault);
	if (result == RESULT_OK)
		result = check_seconds("no_progress_timeout_s", properties->no_progress_timeout_s, 0, fault);
	/* A job that may take no time at all could only fail. */
	if (result == RESULT_OK)
		result = check_seconds("max_time_s", properties->max_time_s, 1, fault);
	if (result == RESULT_OK)
		result = check_seconds("lease_s", properties->lease_s, JOB_LEASE_S_MIN, fault);
	if (result != RESULT_OK)
		return result;

	if (properties->retry_delay_s < JOB_RETRY_DELAY_S_MIN)
		properties->retry_delay_s = JOB_RETRY_DELAY_S_MIN;
	return RESULT_OK;
}

/* --- docs/states.md --- */

static const char *const state_meanings[JOB_STATE_COUNT] = {
	[JOB_QUEUED] = "waits for a slot, its owner, or its helper token",
	[JOB_CONNECTING] = "holds a slot; no server has answered yet",
	[JOB_TRANSFERRING] = "holds a slot; bytes are coming",
	[JOB_SUSPENDED] = "rests until somebody resumes it; every job begins here",
	[JOB_ERROR] = "failed; waits for somebody to mend the cause and resume it",
	[JOB_TRANSIENT_ERROR] = "failed; is tried again by itself after a delay",
	[JOB_TRANSFERRED] = "every file is whole under its partial name, or not modified; waits for `complete`",
	[JOB_ACKNOWLEDGED] = "final: the whole files have their names",
	[JOB_CANCELLED] = "final: nothing of it is left",
};

static const char *const event_meanings[JOB_EVENT_COUNT] = {
	[JOB_EVENT_RESUME] = "its owner wants it to run, or it is to be fetched anew",
	[JOB_EVENT_SUSPEND] = "the owner wants it to rest",
	[JOB_EVENT_SLOT] = "the scheduler gives it a slot",
	[JOB_EVENT_CONNECTED] = "a server answered",
	[JOB_EVENT_SLICE_OVER] = "the scheduler takes the slot back",
	[JOB_EVENT_OWNER_LEFT] = "no token of the owner is left",
	[JOB_EVENT_TOKEN_LOST] = "it needs a helper token, has none, and is not to wait for one",
	[JOB_EVENT_FAILED_LATER] = "a failure that is tried again",
	[JOB_EVENT_FAILED] = "a failure that needs somebody",
	[JOB_EVENT_RETRY] = "the retry delay is over",
	[JOB_EVENT_ALL_FETCHED] = "every file is whole, or not modified",
	[JOB_EVENT_COMPLETE] = "every file that is whole has its name",
	[JOB_EVENT_CANCEL] = "the owner wants it gone",
	[JOB_EVENT_RESTARTED] = "the service starts: what ran does not run now",
};

static enum result print_meanings(struct buffer *to)
{
	enum result result = buffer_print(to, "| state | number | a job in it |\n|---|---|---|\n");
	for (unsigned state = 0; state < JOB_STATE_COUNT && result == RESULT_OK; state++)
		result = buffer_print(to, "| %s | %u | %s |\n", state_names[state], state,
		                      state_meanings[state]);
	if (result == RESULT_OK)
		result = buffer_print(to, "\n| event | what happened |\n|---|---|\n");
	for (unsigned event = 0; event < JOB_EVENT_COUNT && result == RESULT_OK; event++)
		result = buffer_print(to, "| %s | %s |\n", event_names[event], event_meanings[event]);
	return result;
}

/* One row of the transition table.  The final states have no column: they would be empty. */
static enum result print_event(struct buffer *to, enum job_event event)
{
	enum result result = buffer_print(to, "| %s |", event_names[event]);
	for (unsigned from = 0; from < JOB_STATE_COUNT && result == RESULT_OK; from++) {
		enum job_state next;
		if (job_state_is_final((enum job_state)from))
			continue;
		if (!job_next_state((enum job_state)from, event, &next))
			result = buffer_print(to, " |");
		else if (next == (enum job_state)from)
			result = buffer_print(to, " stays |");
		else
			result = buffer_print(to, " %s |", state_names[next]);
	}
	return result == RESULT_OK ? buffer_print(to, "\n") : result;
}

enum result job_states_markdown(struct buffer *to)
{
	enum result result = buffer_print(to,
		"# The states of a job\n\n"
		"Printed from the table in daemon/core/job.c; `test_job` compares. "
		"The states and their numbers are BITS's.\n\n");
	if (result == RESULT_OK)
		result = print_meanings(to);
	if (result == RESULT_OK)
		result = buffer_print(to,
			"\n## Transitions\n\n"
			"From the state of the column, by the event of the row. An empty cell is refused; "
			"the final states, ACKNOWLEDGED and CANCELLED, refuse every event.\n\n| event |");
	for (unsigned from = 0; from < JOB_STATE_COUNT && result == RESULT_OK; from++) {
		if (!job_state_is_final((enum job_state)from))
			result = buffer_print(to, " %s |", state_names[from]);
	}
	if (result == RESULT_OK)
		result = buffer_print(to, "\n|---|---|---|---|---|---|---|---|\n");
	for (unsigned event = 0; event < JOB_EVENT_COUNT && result == RESULT_OK; event++)
		result = print_event(to, (enum job_event)event);
	return result;
}
