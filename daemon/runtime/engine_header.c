/* runtime/engine: header lines of a job's own (core/headers), which go to its files' own servers.
 *
 * They lie sealed in the store, bound to job and owner, like its passwords (engine_credential.c), and are open while the job
 * runs: in its active, and in the orders and transfers that need them.  They are the owner's words and nobody's identity, so
 * they go along whoever serves the network.  A job with headers has network workers of its own.
 */
#include "runtime/engine_private.h"

#include <stdlib.h>
#include <string.h>

#include "core/headers.h"

_Static_assert(JOB_HEADER_NAMES_BYTES_MAX == HEADERS_NAMES_BYTES_MAX, "the names fit");

#define BINDING_BYTES_MAX (sizeof("headers ") + JOB_ID_BYTES + JOB_OWNER_BYTES_MAX)

static void binding_of(const struct job *job, char to[BINDING_BYTES_MAX])
{
	text_display(to, BINDING_BYTES_MAX, "headers %s %s", job->id, job->owner);
}

/* `block` is empty at first; wiping it is the caller's. */
static enum result open_headers(struct engine *engine, const struct job *job, struct buffer *block, struct fault *fault)
{
	AUTO(buffer) struct buffer sealed = BUFFER(STORE_HEADERS_SEALED_BYTES_MAX);
	const struct engine_parts *parts = &engine->parts;
	char binding[BINDING_BYTES_MAX];
	enum result result = store_headers(parts->store, job->row, &sealed, fault);

	if (result != RESULT_OK && result != RESULT_NOT_FOUND)
		return result;
	binding_of(job, binding);
	if (result == RESULT_OK && parts->unseal != NULL)
		result = parts->unseal(parts->secrets_context, binding, sealed.bytes, sealed.length, block, fault);
	if (result_class(result) == RETRY_LATER)
		return result;
	if (result != RESULT_OK || parts->unseal == NULL || memchr(block->bytes, '\0', block->length) != NULL)
		return fault_set(fault, RESULT_SECRET_UNREADABLE, FAULT_FERRY, 0, "the job's headers");
	return RESULT_OK;
}

enum result active_open_headers(struct engine *engine, struct active *active, const struct job *job, struct fault *fault)
{
	active->headers = BUFFER(HEADERS_BYTES_MAX);
	return job->header_names[0] != '\0' ? open_headers(engine, job, &active->headers, fault) : RESULT_OK;
}

void active_wipe_headers(struct active *active)
{
	if (active->headers.bytes != NULL)
		text_wipe(active->headers.bytes, active->headers.capacity);
	buffer_done(&active->headers);
}

/* By the list as it is when the server is asked.  What is no scheme of the list's, a Bearer's token, it says nothing of. */
enum result active_check_headers(const struct engine *engine, const struct active *active, struct fault *fault)
{
	const unsigned listed = settings_auth_schemes(engine->parts.settings);

	for (enum auth_scheme scheme = 0; listed != 0 && scheme < AUTH_SCHEME_COUNT; scheme++)
		if (!(listed & AUTH_FLAG(scheme)) && headers_authorize_by(active->headers.bytes, auth_scheme_name(scheme)))
			return fault_set(fault, RESULT_AUTH_SCHEME, FAULT_FERRY, 0,
			                 "authentication.schemes does not have \"%s\", by which the job's header Authorization says who asks",
			                 auth_scheme_name(scheme));
	return RESULT_OK;
}

/* --- what clients ask for --- */

struct header_change {
	const struct buffer *block; /* without lines: there are to be none */
	bool write_only;
};

static enum result keep(struct engine *engine, struct job *job, const struct header_change *change, struct fault *fault)
{
	AUTO(buffer) struct buffer sealed = BUFFER(STORE_HEADERS_SEALED_BYTES_MAX);
	const struct engine_parts *parts = &engine->parts;
	char binding[BINDING_BYTES_MAX];

	if (parts->seal == NULL)
		return fault_set(fault, RESULT_NOT_SUPPORTED, FAULT_FERRY, 0, "keep headers: nothing can be sealed on this ground");
	headers_names(change->block->bytes, job->header_names);
	binding_of(job, binding);
	enum result result =
		parts->seal(parts->secrets_context, binding, change->block->bytes, change->block->length, &sealed, fault);
	if (result == RESULT_OK)
		result = store_headers_save(parts->store, job->row, job->header_names, change->write_only, sealed.bytes, sealed.length,
		                            fault);
	return result;
}

static enum result apply_headers(struct engine *engine, struct job *job, const void *argument, struct fault *fault)
{
	const struct header_change *change = argument;
	struct active *active = active_find(engine, job->row);

	if (job_state_is_final(job->state))
		return fault_set(fault, RESULT_INVALID_STATE, FAULT_FERRY, 0, "set headers while the job is %s", job_state_name(job->state));
	job->header_names[0] = '\0';
	enum result result = change->block->length > 0 ? keep(engine, job, change, fault)
	                                               : store_headers_remove(engine->parts.store, job->row, fault);
	if (result != RESULT_OK)
		return result;
	engine_try_soon(job);
	if (active != NULL && active->work == JOB_WORK_TRANSFER)
		active->route_changed = true;
	engine_identities_changed(engine, job);
	return RESULT_OK;
}

static void after_headers(struct engine *engine, const struct job *job)
{
	engine_end_answers(engine, job->row);
	engine_wind_down_stale(engine, job);
}

enum result engine_headers_set(struct engine *engine, int64_t row, const struct buffer *block, bool write_only,
                               struct job_status *ret_status, struct fault *fault)
{
	const struct header_change argument = { block, write_only };
	const struct change change = { apply_headers, after_headers, &argument };
	enum result result = engine_job_get(engine, row, ret_status, fault);
	struct job *job = &ret_status->job;

	if (result != RESULT_OK || (block->length == 0 && job->header_names[0] == '\0'))
		return result;
	result = change_job(engine, row, &change, ret_status, fault);
	if (result != RESULT_OK)
		return result;
	if (block->length > 0)
		ENGINE_TELL(engine, TELL_CHANGES, HEADERS_SET, .job = job, .caller = &engine->asker, .headers = job->header_names);
	else
		ENGINE_TELL(engine, TELL_CHANGES, HEADERS_REMOVED, .job = job, .caller = &engine->asker);
	return RESULT_OK;
}

enum result engine_headers_get(struct engine *engine, int64_t row, struct buffer *block, struct fault *fault)
{
	struct job job;
	enum result result = store_job_by_row(engine->parts.store, row, &job, fault);

	if (result != RESULT_OK || job.header_names[0] == '\0')
		return result;
	if (job.headers_write_only)
		return fault_set(fault, RESULT_ACCESS_REFUSED, FAULT_FERRY, 0, "the job's headers are write-only: nobody is given them back");
	return open_headers(engine, &job, block, fault);
}
