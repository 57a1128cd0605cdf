/* runtime/engine: what clients ask for - jobs and files that are made, and looking at them. */
#include "runtime/engine_private.h"

#include <inttypes.h>
#include <string.h>

#include "core/access.h"
#include "core/destination.h"
#include "core/url.h"

/* --- files --- */

/* Whoever reads the events is told of this one, as of a policy. */
static enum result refuse_place(struct engine *engine, const char *field, const char *why, struct fault *fault)
{
	engine->by_rule = true;
	return fault_set(fault, RESULT_BAD_DESTINATION, FAULT_FERRY, 0, "%s: %s", field, why);
}

enum result engine_check_forbidden(struct engine *engine, struct text_view path, const char *field,
                                   struct fault *fault)
{
	for (const char *const *folder = engine->parts.forbidden_folders; folder != NULL && *folder != NULL; folder++)
		if (destination_is_below(engine->parts.path_style, path, text_view(*folder)))
			return refuse_place(engine, field, "lies in a folder of Ferry's own", fault);
	return RESULT_OK;
}

bool engine_allows_destination(const struct engine *engine, struct text_view path)
{
	const struct settings *settings = engine->parts.settings;
	bool inside = settings->allow_destinations.count == 0;

	for (uint32_t i = 0; i < settings->allow_destinations.count && !inside; i++)
		inside = destination_is_inside(engine->parts.path_style, path, text_view(settings->allow_destinations.items[i]));
	return inside;
}

enum result name_field(enum result result, const char *field, struct fault *fault)
{
	char what[FAULT_WHAT_BYTES_MAX];

	if (result != RESULT_OK && fault != NULL) {
		text_display(what, sizeof(what), "%s: %s", field, fault->what);
		memcpy(fault->what, what, sizeof(what));
	}
	return result;
}

static void fold_case(char *text)
{
	for (; *text != '\0'; text++)
		if (*text >= 'A' && *text <= 'Z')
			*text = (char)(*text - 'A' + 'a');
}

enum result engine_check_url(const struct engine *engine, struct text_view url, bool in_ranges, const char *field,
                             struct fault *fault)
{
	const struct allowed allowed = settings_allowed(engine->parts.settings);
	struct url parsed;
	enum result result = url_parse(url, &parsed, fault);

	if (result == RESULT_OK)
		result = allow_url(&allowed, &parsed, fault);
	if (result == RESULT_OK && url_is_share(url) && in_ranges)
		result = fault_set(fault, RESULT_INSUFFICIENT_RANGE_SUPPORT, FAULT_FERRY, 0, "a share's file comes whole, without ranges");
	if (result == RESULT_OK && url_is_share(url) && engine->parts.path_style != PATH_WINDOWS)
		result = fault_set(fault, RESULT_NOT_SUPPORTED, FAULT_FERRY, 0, "a share's file, and this system has no shares");
	return name_field(result, field, fault);
}

static enum result add_mirrors(struct engine *engine, const struct file *file, const struct file_request *wanted, uint32_t index,
                               struct fault *fault)
{
	char url[URL_BYTES_MAX + 1], field[64];
	enum result result = RESULT_OK;

	for (uint32_t i = 0; i < wanted->mirror_count && result == RESULT_OK; i++) {
		struct text_view mirror = request_mirror(wanted, i);

		text_display(field, sizeof(field), "params.files[%u].mirrors[%u]", (unsigned)index, (unsigned)i);
		result = engine_check_url(engine, mirror, file->ranges > 0, field, fault);
		if (result == RESULT_OK && text_copy(url, sizeof(url), mirror) != RESULT_OK)
			result = fault_set(fault, RESULT_TOO_LONG, FAULT_FERRY, 0, "%s", field);
		if (result == RESULT_OK)
			result = store_mirror_insert(engine->parts.store, file->row, i + 1, url, fault);
	}
	return result;
}

static enum result add_ranges(struct engine *engine, const struct file *file, const struct ranges *ranges, struct fault *fault)
{
	AUTO(buffer) struct buffer list = BUFFER(RANGES_TEXT_BYTES_MAX);
	enum result result = ranges_print(ranges, &list);

	if (result != RESULT_OK)
		return fault_set(fault, result, FAULT_FERRY, 0, "keep ranges");
	return store_ranges_insert(engine->parts.store, file->row, list.bytes, fault);
}

/* The size of a file of ranges, unless one goes to the end, is known before anybody asks for it. */
static enum result check_ranges(const struct engine *engine, const struct file_request *wanted, const struct ranges *ranges,
                                uint32_t index, struct file *file, struct fault *fault)
{
	char field[64];

	text_display(field, sizeof(field), "params.files[%u].ranges", (unsigned)index);
	enum result result = ranges_check(ranges, engine->parts.settings->queue_ranges_per_file_max, field, fault);

	if (result != RESULT_OK)
		return result;
	if (!ranges_allow_total(ranges, wanted->bytes_total))
		return fault_set(fault, RESULT_INVALID_ARGUMENT, FAULT_FERRY, 0,
		                 "params.files[%u].size_bytes: is not the size of these ranges together", (unsigned)index);
	if (file->bytes_total == SIZE_UNKNOWN)
		file->bytes_total = ranges_total(ranges, SIZE_UNKNOWN);
	file->ranges = ranges->count;
	return RESULT_OK;
}

static enum result add_file(struct engine *engine, const struct job *job, const struct request *request, uint32_t index,
                            struct fault *fault)
{
	struct file_request wanted;
	AUTO(ranges) struct ranges ranges = { .at = NULL };
	struct destination destination;
	struct file file = { .bytes_total = SIZE_UNKNOWN };
	char field[64], path_key[DESTINATION_BYTES_MAX + 1];
	enum result result = request_file(request, index, &wanted, fault);

	if (result != RESULT_OK)
		return result;
	text_display(field, sizeof(field), "params.files[%u].url", (unsigned)index);
	result = engine_check_url(engine, wanted.url, wanted.ranges.value != NULL, field, fault);
	if (result != RESULT_OK)
		return result;
	text_display(field, sizeof(field), "params.files[%u].path", (unsigned)index);
	result = name_field(destination_parse(engine->parts.path_style, wanted.path, &destination, fault), field, fault);
	if (result == RESULT_OK)
		result = engine_check_forbidden(engine, wanted.path, field, fault);
	if (result == RESULT_OK && !engine_allows_destination(engine, wanted.path))
		result = fault_set(fault, RESULT_BLOCKED_BY_POLICY, FAULT_FERRY, 0, "%s: lies below none of allow.destinations", field);
	if (result != RESULT_OK)
		return result;
	struct identity *ignored;

	if (engine_side(engine, job, JOB_SIDE_FILE, &ignored) == IDENTITY_SERVICE && !engine_service_writes(engine, wanted.path))
		return refuse_place(engine, field,
		                    "lies below none of identity.service_file_roots, and the service writes this job's files", fault);
	file.bytes_total = file.bytes_stated = wanted.bytes_total;
	file.is_size_stated = wanted.bytes_total != SIZE_UNKNOWN;
	file.digest = wanted.digest;
	file.condition = wanted.condition;
	file.mirrors = wanted.mirror_count;
	if (wanted.ranges.value != NULL)
		result = request_ranges(&wanted, &ranges, fault);
	if (result == RESULT_OK && wanted.ranges.value != NULL)
		result = check_ranges(engine, &wanted, &ranges, index, &file, fault);
	if (result != RESULT_OK)
		return result;
	if (text_copy(file.url, sizeof(file.url), wanted.url) != RESULT_OK ||
	    text_copy(file.path, sizeof(file.path), wanted.path) != RESULT_OK)
		return fault_set(fault, RESULT_TOO_LONG, FAULT_FERRY, 0, "params.files[%u]", (unsigned)index);
	memcpy(path_key, file.path, sizeof(path_key));
	if (engine->parts.path_style == PATH_WINDOWS)
		fold_case(path_key);
	result = store_file_insert(engine->parts.store, job->row, &file, path_key, fault);
	if (result == RESULT_DUPLICATE_DESTINATION)
		return name_field(result, field, fault);
	if (result == RESULT_OK)
		result = add_mirrors(engine, &file, &wanted, index, fault);
	return result == RESULT_OK && file.ranges > 0 ? add_ranges(engine, &file, &ranges, fault) : result;
}

enum result engine_add_files(struct engine *engine, const struct job *job, const struct request *request,
                             struct fault *fault)
{
	const struct settings *settings = engine->parts.settings;
	uint64_t files_max = job->limited ? settings->queue_files_per_job_max : settings->queue_exempt_files_per_job_max;

	if (job->files_total + (uint64_t)request->file_count > files_max)
		return fault_set(fault, RESULT_TOO_MANY_FILES, FAULT_FERRY, 0,
		                 "params.files: %u more than the job's %u would exceed queue.%s (%" PRIu64 ")",
		                 (unsigned)request->file_count, (unsigned)job->files_total,
		                 job->limited ? "files_per_job_max" : "exempt_files_per_job_max", files_max);
	for (uint32_t i = 0; i < request->file_count; i++) {
		enum result result = add_file(engine, job, request, i, fault);

		if (result != RESULT_OK)
			return result;
	}
	return RESULT_OK;
}

/* --- creating --- */

static enum result new_id(struct engine *engine, char id[JOB_ID_BYTES], struct fault *fault)
{
	uint8_t b[16];
	enum result result = engine->parts.random(b, sizeof(b), fault);

	if (result != RESULT_OK)
		return result;
	b[6] = (uint8_t)((b[6] & 0x0F) | 0x40); /* a random UUID: RFC 9562 section 5.4 */
	b[8] = (uint8_t)((b[8] & 0x3F) | 0x80);
	return text_format(id, JOB_ID_BYTES, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0],
	                   b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14], b[15]);
}

static enum result check_room(uint64_t count, uint64_t maximum, enum result refusal, const char *setting,
                              struct fault *fault)
{
	if (count < maximum)
		return RESULT_OK;
	return fault_set(fault, refusal, FAULT_FERRY, 0, "%s is %" PRIu64, setting, maximum);
}

/* Services and elevated administrators have a limit of their own: docs/bits.md section 7. */
enum result engine_check_quota(struct engine *engine, const char *owner, bool limited, struct fault *fault)
{
	const struct settings *settings = engine->parts.settings;
	uint64_t of_owner = 0, of_all = 0, all = 0;
	enum result result = store_jobs_limited(engine->parts.store, owner, &of_owner, fault);

	if (result == RESULT_OK)
		result = store_jobs_limited(engine->parts.store, NULL, &of_all, fault);
	if (result == RESULT_OK && !limited)
		result = store_jobs_count(engine->parts.store, NULL, &all, fault);
	if (result != RESULT_OK)
		return result;
	if (!limited)
		return check_room(all - of_all, settings->queue_exempt_jobs_max, RESULT_TOO_MANY_JOBS_PER_MACHINE,
		                  "queue.exempt_jobs_max", fault);
	result = check_room(of_owner, settings->queue_jobs_per_owner_max, RESULT_TOO_MANY_JOBS,
	                    "queue.jobs_per_owner_max", fault);
	return result != RESULT_OK ? result :
	                             check_room(of_all, settings->queue_jobs_per_machine_max,
	                                        RESULT_TOO_MANY_JOBS_PER_MACHINE, "queue.jobs_per_machine_max", fault);
}

/* Two finished jobs go for the one that comes, so that what an owner once had too many of gets less.  A cancelled one stays
 * until its partial files are removed, which may have to wait for a slot: nobody must pile those up. */
static enum result forget_surplus(struct engine *engine, const char *owner, struct fault *fault)
{
	uint64_t keep = engine->parts.settings->queue_finished_per_owner_max, finished = 0;
	uint32_t forgotten = 0;
	enum result result = store_jobs_forget_surplus(engine->parts.store, owner, keep, 2, &forgotten, fault);

	if (result == RESULT_OK && forgotten == 0)
		result = store_jobs_finished(engine->parts.store, owner, &finished, fault);
	if (result != RESULT_OK || finished <= keep)
		return result;
	return fault_set(fault, RESULT_TOO_MANY_JOBS, FAULT_FERRY, 0,
	                 "%" PRIu64 " cancelled jobs wait for the removal of their files; "
	                 "queue.finished_per_owner_max is %" PRIu64, finished, keep);
}

static enum result create_job(struct engine *engine, const struct job_request *wanted, struct job *job,
                              struct fault *fault)
{
	const struct request *request = wanted->request;
	const struct settings *settings = engine->parts.settings;
	bool limited = !access_is_exempt(wanted->caller);
	enum result result = engine_check_quota(engine, wanted->caller->owner, limited, fault);

	*job = (struct job){ .state = JOB_SUSPENDED, .properties = request->properties, .limited = limited,
		             .owner_integrity = wanted->caller->integrity,
		             .owner_elevated = wanted->caller->administrator };
	job->created_ms = job->modified_ms = job->state_since_ms = job->progress_ms = engine_now(engine);
	memcpy(job->owner, wanted->caller->owner, sizeof(job->owner));
	memcpy(job->key, request->key, sizeof(job->key));
	memcpy(job->correlation, request->correlation, sizeof(job->correlation));
	memcpy(job->program, engine->asker.image, sizeof(job->program));
	if (!(request->properties_given & PROPERTY_LEASE))
		job->properties.lease_s = (uint32_t)settings->queue_lease_s;
	if (result == RESULT_OK)
		result = job_properties_check(&job->properties, fault);
	if (result == RESULT_OK)
		result = engine_check_certificate(engine, job->properties.client_certificate, 0, fault);
	if (result == RESULT_OK)
		result = new_id(engine, job->id, fault);
	if (result == RESULT_OK && job->correlation[0] == '\0')
		result = new_id(engine, job->correlation, fault);
	if (result == RESULT_OK)
		result = forget_surplus(engine, job->owner, fault);
	if (result == RESULT_OK)
		result = store_job_insert(engine->parts.store, job, fault);
	if (result == RESULT_OK && request->properties_given & PROPERTY_PROXY)
		result = engine_save_proxy(engine, job, request, fault);
	if (result == RESULT_OK)
		result = engine_add_files(engine, job, request, fault);
	return result;
}

enum result engine_job_create(struct engine *engine, const struct job_request *wanted, struct job_status *ret_status,
                              bool *ret_created, struct fault *fault)
{
	const char *key = wanted->request->key;
	struct job job;
	enum result result;

	if (key[0] != '\0') {
		result = store_job_by_key(engine->parts.store, wanted->caller->owner, key, &job, fault);
		if (result == RESULT_OK) {
			engine_status_of(engine, &job, ret_status);
			*ret_created = false;
			return RESULT_OK;
		}
		if (result != RESULT_NOT_FOUND)
			return result;
	}
	result = change_begin(engine, fault);
	if (result == RESULT_OK)
		result = change_end(engine, create_job(engine, wanted, &job, fault), fault);
	if (result == RESULT_OK) /* with the counters of its files */
		result = store_job_by_row(engine->parts.store, job.row, &job, fault);
	if (result != RESULT_OK)
		return result;
	engine->lease_at_ms = 0; /* it may be the first to end */
	ENGINE_TELL(engine, TELL_REQUESTS, JOB_CREATED, .job = &job, .caller = &engine->asker, .files = job.files_total);
	engine_note_files(engine, &job, wanted->request);
	engine_status_of(engine, &job, ret_status);
	*ret_created = true;
	engine->counts.jobs_created++;
	return RESULT_OK;
}

/* --- looking --- */

enum result engine_job_find(struct engine *engine, const char *id, struct job_status *ret_status, struct fault *fault)
{
	struct job job;
	enum result result = store_job_by_id(engine->parts.store, id, &job, fault);

	if (result == RESULT_OK)
		engine_status_of(engine, &job, ret_status);
	return result;
}

enum result engine_job_get(struct engine *engine, int64_t row, struct job_status *ret_status, struct fault *fault)
{
	struct job job;
	enum result result = store_job_by_row(engine->parts.store, row, &job, fault);

	if (result == RESULT_OK)
		engine_status_of(engine, &job, ret_status);
	return result;
}

struct list {
	struct engine *engine;
	bool (*visit)(void *context, const struct job_status *status);
	void *context;
};

static bool visit_job(void *context, const struct job *job)
{
	const struct list *list = context;
	struct job_status status;

	engine_status_of(list->engine, job, &status);
	return list->visit(list->context, &status);
}

enum result engine_jobs_list(struct engine *engine, const char *owner, bool finished, int64_t after_row, uint32_t limit,
                             bool (*visit)(void *context, const struct job_status *status), void *context,
                             struct fault *fault)
{
	struct list list = { engine, visit, context };

	return store_jobs_list(engine->parts.store, owner, finished, after_row, limit, visit_job, &list, fault);
}

struct file_list {
	struct engine *engine;
	struct fault fault;          /* RESULT_OK: none */
	const struct active *active; /* NULL: nothing is going on */
	bool (*visit)(void *context, const struct file *file);
	void *context;
};

static bool tell_ranges(struct file_list *list, struct file *file)
{
	AUTO(buffer) struct buffer text = BUFFER(RANGES_TEXT_BYTES_MAX);
	AUTO(ranges) struct ranges ranges = { .at = NULL };
	enum result result = store_ranges(list->engine->parts.store, file->row, &text, &list->fault);

	if (result == RESULT_OK)
		result = ranges_parse(text_view(text.bytes), &ranges, &list->fault);
	for (uint32_t i = 0; i < ranges.count && i < FILE_RANGES_TOLD_MAX; i++)
		file->ranges_told[i] = ranges.at[i];
	return result == RESULT_OK;
}

/* The record says what is safe on disk; who looks wants to see what has come. */
static bool visit_file(void *context, const struct file *file)
{
	struct file_list *list = context;
	const struct flight *flight = list->active != NULL ? list->active->flights : NULL;
	struct file live;

	while (flight != NULL && flight->file.row != file->row)
		flight = flight->next;
	if (file->ranges == 0 && (flight == NULL || flight->written <= file->bytes_recorded))
		return list->visit(list->context, file);
	live = *file;
	if (flight != NULL && flight->written > file->bytes_recorded)
		live.bytes_recorded = flight->written;
	return (file->ranges == 0 || tell_ranges(list, &live)) && list->visit(list->context, &live);
}

enum result engine_files_list(struct engine *engine, int64_t row, uint32_t from_ordinal, uint32_t limit,
                              bool (*visit)(void *context, const struct file *file), void *context, struct fault *fault)
{
	struct file_list list = { .engine = engine, .active = active_find(engine, row), .visit = visit, .context = context };
	enum result result = store_files_list(engine->parts.store, row, from_ordinal, limit, visit_file, &list, fault);

	if (result == RESULT_OK && list.fault.result != RESULT_OK && fault != NULL)
		*fault = list.fault;
	return result == RESULT_OK ? list.fault.result : result;
}
