#include "ferry_private.h"

#include <assert.h>
#include <string.h>

#include "core/resume.h"

/* The public numbers are ours: a record is copied member by member, its enums by value. */
static_assert((int)FERRY_STATE_QUEUED == JOB_QUEUED && (int)FERRY_STATE_CONNECTING == JOB_CONNECTING &&
                  (int)FERRY_STATE_TRANSFERRING == JOB_TRANSFERRING && (int)FERRY_STATE_SUSPENDED == JOB_SUSPENDED &&
                  (int)FERRY_STATE_ERROR == JOB_ERROR && (int)FERRY_STATE_TRANSIENT_ERROR == JOB_TRANSIENT_ERROR &&
                  (int)FERRY_STATE_TRANSFERRED == JOB_TRANSFERRED &&
                  (int)FERRY_STATE_ACKNOWLEDGED == JOB_ACKNOWLEDGED && (int)FERRY_STATE_CANCELLED == JOB_CANCELLED &&
                  JOB_STATE_COUNT == 9,
              "states are numbered alike");
static_assert((int)FERRY_PRIORITY_FOREGROUND == JOB_FOREGROUND && (int)FERRY_PRIORITY_HIGH == JOB_HIGH &&
                  (int)FERRY_PRIORITY_NORMAL == JOB_NORMAL && (int)FERRY_PRIORITY_LOW == JOB_LOW &&
                  JOB_PRIORITY_COUNT == 4,
              "priorities are numbered alike");
static_assert((int)FERRY_WAIT_NONE == JOB_WAIT_NONE && (int)FERRY_WAIT_SLOT == JOB_WAIT_SLOT &&
                  (int)FERRY_WAIT_OWNER_ABSENT == JOB_WAIT_OWNER_ABSENT && (int)FERRY_WAIT_TOKEN == JOB_WAIT_TOKEN &&
                  (int)FERRY_WAIT_WORKERS == JOB_WAIT_WORKERS && (int)FERRY_WAIT_RETRY == JOB_WAIT_RETRY &&
                  (int)FERRY_WAIT_DISK_FULL == JOB_WAIT_DISK_FULL && (int)FERRY_WAIT_VOLUME_GONE == JOB_WAIT_VOLUME_GONE &&
                  (int)FERRY_WAIT_RATE == JOB_WAIT_RATE && (int)FERRY_WAIT_NO_NETWORK == JOB_WAIT_NO_NETWORK &&
                  (int)FERRY_WAIT_METERED == JOB_WAIT_METERED && (int)FERRY_WAIT_ROAMING == JOB_WAIT_ROAMING &&
                  (int)FERRY_WAIT_BATTERY_SAVER == JOB_WAIT_BATTERY_SAVER &&
                  (int)FERRY_WAIT_OTHER == JOB_WAIT_COUNT,
              "wait reasons are numbered alike");
static_assert((int)FERRY_FILE_PENDING == FILE_PENDING && (int)FERRY_FILE_TRANSFERRED == FILE_TRANSFERRED &&
                  (int)FERRY_FILE_PUBLISHED == FILE_PUBLISHED && (int)FERRY_FILE_ABANDONED == FILE_ABANDONED &&
                  (int)FERRY_FILE_NOT_MODIFIED == FILE_NOT_MODIFIED && FILE_STATE_COUNT == 5,
              "file states are numbered alike");
static_assert((int)FERRY_TOKEN_LOSS_ERROR == TOKEN_LOSS_ERROR && (int)FERRY_TOKEN_LOSS_WAIT == TOKEN_LOSS_WAIT &&
                  TOKEN_LOSS_COUNT == 2,
              "what a lost token means is numbered alike");
static_assert((int)FERRY_PROFILE_NONE == JOB_PROFILE_NONE && (int)FERRY_PROFILE_INTERACTIVE == JOB_PROFILE_INTERACTIVE &&
                  (int)FERRY_PROFILE_UPDATE == JOB_PROFILE_UPDATE && (int)FERRY_PROFILE_BULK == JOB_PROFILE_BULK &&
                  JOB_PROFILE_COUNT == 4,
              "profiles are numbered alike");
static_assert((int)FERRY_PROXY_PRECONFIGURED == PROXY_PRECONFIGURED && (int)FERRY_PROXY_NONE == PROXY_NONE &&
                  (int)FERRY_PROXY_EXPLICIT == PROXY_EXPLICIT && (int)FERRY_PROXY_AUTODETECT == PROXY_AUTODETECT &&
                  PROXY_MODE_COUNT == 4,
              "modes of proxies are numbered alike");
static_assert((int)FERRY_AS_OWNER == IDENTITY_OWNER && (int)FERRY_AS_HELPER == IDENTITY_HELPER &&
                  (int)FERRY_AS_SERVICE == IDENTITY_SERVICE && IDENTITY_CHOICE_COUNT == 3,
              "identities are numbered alike");
static_assert((int)FERRY_AUTH_SERVER == AUTH_SERVER && (int)FERRY_AUTH_PROXY == AUTH_PROXY && AUTH_TARGET_COUNT == 2 &&
                  (int)FERRY_AUTH_BASIC == AUTH_BASIC && (int)FERRY_AUTH_DIGEST == AUTH_DIGEST &&
                  (int)FERRY_AUTH_NTLM == AUTH_NTLM && (int)FERRY_AUTH_NEGOTIATE == AUTH_NEGOTIATE && AUTH_SCHEME_COUNT == 4 &&
                  FERRY_CREDENTIALS_MAX == CREDENTIALS_MAX && FERRY_USER_BYTES_MAX == CREDENTIAL_USER_BYTES_MAX &&
                  FERRY_PASSWORD_BYTES_MAX == CREDENTIAL_PASSWORD_BYTES_MAX,
              "targets and schemes are numbered alike");
static_assert(FERRY_HELPER_LOCAL_FILE == HELPER_LOCAL_FILE && FERRY_HELPER_NETWORK == HELPER_NETWORK,
              "flags are numbered alike");
static_assert(FERRY_ID_BYTES == JOB_ID_BYTES && FERRY_SID_BYTES == JOB_OWNER_BYTES_MAX &&
                  FERRY_TICKET_BYTES == PROTOCOL_TICKET_BYTES && FERRY_ROOTS_MAX == PROTOCOL_ROOTS_MAX &&
                  FERRY_URL_BYTES_MAX == URL_BYTES_MAX &&
                  FERRY_PATH_BYTES_MAX == DESTINATION_BYTES_MAX && FERRY_DIGEST_BYTES_MAX == DIGEST_TEXT_BYTES_MAX &&
                  FERRY_ETAG_BYTES_MAX == FILE_ETAG_BYTES_MAX &&
                  FERRY_SIZE_UNKNOWN == SIZE_UNKNOWN && FERRY_TO_EOF == RANGE_TO_EOF &&
                  FERRY_RANGES_MAX == RANGES_MAX && FERRY_RANGES_TOLD_MAX == FILE_RANGES_TOLD_MAX &&
                  sizeof((struct ferry_status *)0)->name == JOB_NAME_BYTES_MAX &&
                  sizeof((struct ferry_status *)0)->description == JOB_DESCRIPTION_BYTES_MAX &&
                  sizeof((struct ferry_status *)0)->key == JOB_KEY_BYTES_MAX,
              "texts fit");

/* --- names --- */

const char *ferry_state_name(enum ferry_state state)
{
	return (unsigned)state < JOB_STATE_COUNT ? job_state_name((enum job_state)state) : "UNKNOWN";
}

const char *ferry_priority_name(enum ferry_priority priority)
{
	return (unsigned)priority < JOB_PRIORITY_COUNT ? job_priority_name((enum job_priority)priority) : "unknown";
}

const char *ferry_wait_reason_name(enum ferry_wait_reason wait)
{
	return (unsigned)wait < JOB_WAIT_COUNT ? job_wait_name((enum job_wait)wait) : "other";
}

const char *ferry_file_state_name(enum ferry_file_state state)
{
	return (unsigned)state < FILE_STATE_COUNT ? file_state_name((enum file_state)state) : "unknown";
}

const char *ferry_token_loss_name(enum ferry_token_loss loss)
{
	return (unsigned)loss < TOKEN_LOSS_COUNT ? token_loss_name((enum token_loss)loss) : "unknown";
}

const char *ferry_identity_name(enum ferry_identity identity)
{
	return (unsigned)identity < IDENTITY_CHOICE_COUNT ? identity_choice_name((enum identity_choice)identity) : "unknown";
}

const char *ferry_profile_name(enum ferry_profile profile)
{
	return (unsigned)profile < JOB_PROFILE_COUNT ? job_profile_name((enum job_profile)profile) : "unknown";
}

static_assert(FERRY_TLS_IGNORE_ALL == TLS_IGNORE_ALL && FERRY_TLS_IGNORE_HOST_NAME == TLS_IGNORE_HOST_NAME &&
                  FERRY_CLIENT_CERTIFICATE_BYTES == CLIENT_CERTIFICATE_BYTES_MAX,
              "what is wrong with certificates is numbered alike");

const char *ferry_tls_ignore_name(unsigned flag)
{
	for (unsigned bit = 0; bit < TLS_IGNORE_COUNT; bit++)
		if (flag == 1u << bit)
			return tls_ignore_name(bit);
	return "unknown";
}

const char *ferry_proxy_mode_name(enum ferry_proxy_mode mode)
{
	return (unsigned)mode < PROXY_MODE_COUNT ? proxy_mode_name((enum proxy_mode)mode) : "unknown";
}

bool ferry_profile_from_name(const char *name, enum ferry_profile *ret_profile)
{
	enum job_profile profile;

	if (!job_profile_from_name(text_view(name), &profile))
		return false;
	*ret_profile = (enum ferry_profile)profile;
	return true;
}

bool ferry_token_loss_from_name(const char *name, enum ferry_token_loss *ret_loss)
{
	enum token_loss loss;

	if (!token_loss_from_name(text_view(name), &loss))
		return false;
	*ret_loss = (enum ferry_token_loss)loss;
	return true;
}

const char *ferry_helper_flag_name(unsigned flag)
{
	for (unsigned side = 0; side < JOB_SIDE_COUNT; side++)
		if (HELPER_FLAG(side) == flag)
			return job_side_flag_name((enum job_side)side);
	return "unknown";
}

bool ferry_helper_flag_from_name(const char *name, unsigned *ret_flag)
{
	return helper_flag_from_name(text_view(name), ret_flag);
}

/* core/access has them too, but its rules are the service's alone. */
const char *ferry_token_life_name(enum ferry_token_life life)
{
	static const char *const names[] = { "session", "job", "connection" };

	return (unsigned)life < FERRY_LIFE_OTHER ? names[life] : "other";
}

enum ferry_token_life ferry_token_life_from_name(struct text_view name)
{
	unsigned life = 0;

	while (life < FERRY_LIFE_OTHER && !text_is(name, ferry_token_life_name((enum ferry_token_life)life)))
		life++;
	return (enum ferry_token_life)life;
}

bool ferry_priority_from_name(const char *name, enum ferry_priority *ret_priority)
{
	enum job_priority priority;

	if (!job_priority_from_name(text_view(name), &priority))
		return false;
	*ret_priority = (enum ferry_priority)priority;
	return true;
}

const char *ferry_auth_target_name(enum ferry_auth_target target)
{
	return (unsigned)target < AUTH_TARGET_COUNT ? auth_target_name((enum auth_target)target) : "unknown";
}

bool ferry_auth_target_from_name(const char *name, enum ferry_auth_target *ret_target)
{
	enum auth_target target;

	if (!auth_target_from_name(text_view(name), &target))
		return false;
	*ret_target = (enum ferry_auth_target)target;
	return true;
}

const char *ferry_auth_scheme_name(enum ferry_auth_scheme scheme)
{
	return (unsigned)scheme < AUTH_SCHEME_COUNT ? auth_scheme_name((enum auth_scheme)scheme) : "unknown";
}

bool ferry_auth_scheme_from_name(const char *name, enum ferry_auth_scheme *ret_scheme)
{
	enum auth_scheme scheme;

	if (!auth_scheme_from_name(text_view(name), &scheme))
		return false;
	*ret_scheme = (enum ferry_auth_scheme)scheme;
	return true;
}

bool ferry_state_is_final(enum ferry_state state)
{
	return state == FERRY_STATE_ACKNOWLEDGED || state == FERRY_STATE_CANCELLED;
}

/* --- records --- */

/* "The sentence: what it was about", where there is such a thing. */
static void write_message(char *to, size_t size, const struct fault *fault)
{
	const char *sentence = result_sentence(fault->result);
	size_t length = strlen(sentence);

	if (fault->what[0] == '\0')
		text_display(to, size, "%s", sentence);
	else if (length > 0 && sentence[length - 1] == '.')
		text_display(to, size, "%.*s: %s", (int)(length - 1), sentence, fault->what);
	else
		text_display(to, size, "%s: %s", sentence, fault->what);
}

void ferry_error_of(const struct fault *from, struct ferry_error *to)
{
	*to = (struct ferry_error){ 0 };
	if (from->result == RESULT_OK)
		return;
	to->hresult = fault_hresult(from);
	text_display(to->name, sizeof(to->name), "%s", result_name(from->result));
	write_message(to->message, sizeof(to->message), from);
	text_display(to->remedy, sizeof(to->remedy), "%s", result_remedy(from->result));
	if (from->source != FAULT_FERRY && from->raw != 0) {
		text_display(to->source, sizeof(to->source), "%s", fault_source_name(from->source));
		to->code = from->raw;
	}
}

static void side_of(const struct side_status *from, const char *last_sid, struct ferry_side *to)
{
	to->as = (enum ferry_identity)from->as;
	memcpy(to->sid, from->sid, sizeof(to->sid));
	memcpy(to->last_sid, last_sid, sizeof(to->last_sid));
}

static void identities_of(const struct job_status *from, struct ferry_status *to)
{
	const struct job *job = &from->job;

	to->helper_flags = job->helper_flags;
	memcpy(to->helper_sid, from->token_sid, sizeof(to->helper_sid));
	memcpy(to->helper_last_sid, job->helper_sid, sizeof(to->helper_last_sid));
	memcpy(to->pinned_helper, job->properties.pinned_helper, sizeof(to->pinned_helper));
	to->on_token_loss = (enum ferry_token_loss)job->properties.on_token_loss;
	to->profile = (enum ferry_profile)job->properties.profile;
	to->max_bytes = job->properties.max_bytes;
	to->no_segments = job->properties.no_segments;
	to->proxy = (enum ferry_proxy_mode)job->properties.proxy_mode;
	to->no_redirects = job->properties.no_redirects;
	to->tls_ignore = job->properties.tls_ignore;
	memcpy(to->client_certificate, job->properties.client_certificate, sizeof(to->client_certificate));
	side_of(&from->sides[JOB_SIDE_FILE], job->side_sid[JOB_SIDE_FILE], &to->file);
	side_of(&from->sides[JOB_SIDE_NETWORK], job->side_sid[JOB_SIDE_NETWORK], &to->network);
}

static void credentials_of(const struct job *from, struct ferry_status *to)
{
	to->credentials_count = 0;
	for (unsigned slot = 0; slot < CREDENTIALS_MAX; slot++)
		if ((from->implicit | from->explicit) & 1u << slot)
			to->credentials[to->credentials_count++] = (struct ferry_credentials){
				.target = (enum ferry_auth_target)JOB_CREDENTIAL_TARGET(slot),
				.scheme = (enum ferry_auth_scheme)JOB_CREDENTIAL_SCHEME(slot),
				.implicit = (from->implicit & 1u << slot) != 0,
			};
}

void ferry_status_of(const struct job_status *from, struct ferry_status *to)
{
	const struct job *job = &from->job;
	const struct job_properties *properties = &job->properties;

	memcpy(to->id, job->id, sizeof(to->id));
	memcpy(to->name, properties->name, sizeof(to->name));
	memcpy(to->description, properties->description, sizeof(to->description));
	memcpy(to->key, job->key, sizeof(to->key));
	memcpy(to->correlation, job->correlation, sizeof(to->correlation));
	memcpy(to->owner, job->owner, sizeof(to->owner));
	to->state = (enum ferry_state)job->state;
	to->wait = (enum ferry_wait_reason)from->wait;
	to->priority = (enum ferry_priority)properties->priority;
	to->auto_complete = properties->auto_complete;
	to->completing = job->work == JOB_WORK_PUBLISH;
	to->retry_delay_s = properties->retry_delay_s;
	to->no_progress_timeout_s = properties->no_progress_timeout_s;
	to->max_time_s = properties->max_time_s;
	to->lease_s = properties->lease_s;
	to->created_ms = job->created_ms;
	to->modified_ms = job->modified_ms;
	to->finished_ms = job->finished_ms;
	to->wait_since_ms = from->wait_since_ms;
	to->next_try_ms = job->next_try_ms;
	to->lease_ends_ms = from->lease_ends_ms;
	to->files_total = job->files_total;
	to->files_transferred = job->files_transferred;
	to->files_published = job->files_published;
	to->bytes_total_is_known = job->files_size_unknown == 0;
	to->bytes_total = job->bytes_total;
	to->bytes_transferred = job->bytes_transferred;
	to->error_count = job->error_count;
	ferry_error_of(&job->error, &to->error);
	identities_of(from, to);
	credentials_of(job, to);
	memcpy(to->header_names, job->header_names, sizeof(to->header_names));
	to->headers_write_only = job->headers_write_only;
}

void ferry_file_of(const struct file *from, struct ferry_file *to)
{
	int64_t modified_s;

	to->ordinal = from->ordinal;
	memcpy(to->url, from->url, sizeof(to->url));
	memcpy(to->path, from->path, sizeof(to->path));
	to->state = (enum ferry_file_state)from->state;
	to->bytes_total = from->bytes_total;
	to->bytes_transferred = from->bytes_recorded;
	digest_format(&from->digest, to->digest);
	to->mirrors = from->mirrors;
	to->source = from->source;
	to->range_count = from->ranges;
	for (size_t i = 0; i < FERRY_RANGES_TOLD_MAX; i++)
		to->ranges[i] = (struct ferry_range){ from->ranges_told[i].offset, from->ranges_told[i].length };
	memcpy(to->etag, from->etag, sizeof(to->etag));
	to->last_modified_ms = resume_parse_date(text_view(from->modified), &modified_s) ? modified_s * 1000 : 0;
}

void ferry_service_of(const struct service_status *from, struct ferry_service *to)
{
	memcpy(to->version, from->version, sizeof(to->version));
	memcpy(to->curl, from->curl, sizeof(to->curl));
	memcpy(to->sqlite, from->sqlite, sizeof(to->sqlite));
	to->started_ms = from->started_ms;
	to->jobs_queued = from->jobs_queued;
	to->jobs_active = from->jobs_active;
	to->files_active = from->files_active;
	to->workers = from->workers;
	to->owners_present = from->owners_present;
	to->connections = from->connections;
}

void ferry_preflight_of(const struct preflight *from, struct ferry_preflight *to)
{
	static const char nobody[FERRY_SID_BYTES] = "";

	side_of(&from->sides[JOB_SIDE_FILE], nobody, &to->file);
	side_of(&from->sides[JOB_SIDE_NETWORK], nobody, &to->network);
	ferry_error_of(&from->file, &to->file_error);
}

/* --- the border --- */

static enum ferry_result outcome(enum result result)
{
	static const struct {
		enum result from;
		enum ferry_result to;
	} exact[] = {
		{ RESULT_OK, FERRY_OK },
		{ RESULT_NOT_RUNNING, FERRY_NOT_RUNNING },
		{ RESULT_NOT_THE_SERVICE, FERRY_NOT_THE_SERVICE },
		{ RESULT_BUSY, FERRY_BUSY },
		{ RESULT_ACCESS_REFUSED, FERRY_ACCESS_REFUSED },
		{ RESULT_NOT_FOUND, FERRY_NOT_FOUND },
		{ RESULT_TIMED_OUT, FERRY_TIMED_OUT },
		{ RESULT_CANCELLED, FERRY_STOPPED },
		{ RESULT_SYSTEM, FERRY_FAILED },
	};

	for (size_t i = 0; i < sizeof(exact) / sizeof(exact[0]); i++) {
		if (exact[i].from == result)
			return exact[i].to;
	}
	/* What the service will not do however often it is asked is a refusal; what may pass is a failure. */
	return result_class(result) == RETRY_LATER ? FERRY_FAILED : FERRY_REFUSED;
}

enum ferry_result ferry_report(enum result result, const struct fault *fault, struct ferry_error *error)
{
	if (error != NULL) {
		struct fault told = { .result = RESULT_OK };

		/* A failure without details, like a full buffer, is told by its name alone. */
		if (result != RESULT_OK) {
			told.result = result;
			if (fault->result == result)
				told = *fault;
		}
		ferry_error_of(&told, error);
	}
	return outcome(result);
}
