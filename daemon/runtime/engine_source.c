/* runtime/engine: where a file is fetched from.  What core/source decides, with the store, hosts that rest, and events. */
#include "runtime/engine_private.h"

#include <string.h>

#include "core/schedule.h"
#include "core/source.h"
#include "core/url.h"

#define NO_WORKER_S 10 /* until a file on a share is looked at again that there was no thread for */

/* The file as it is fetched from that source; false: the turn is broken. */
static bool take_source(struct engine *engine, struct file *file, uint32_t source)
{
	struct fault fault;
	struct file whole;
	enum result result = RESULT_OK;

	if (source > 0) {
		result = store_mirror_url(engine->parts.store, file->row, source, file->url, &fault);
	} else if (file->mirrors > 0) {
		result = store_file_by_row(engine->parts.store, file->row, &whole, &fault);
		if (result == RESULT_OK)
			memcpy(file->url, whole.url, sizeof(file->url));
	}
	if (result != RESULT_OK)
		engine_break(engine, &fault);
	return result == RESULT_OK;
}

enum result engine_source_open(struct engine *engine, struct file *file, uint32_t source, struct fault *fault)
{
	size_t length = strlen(file->url);
	struct fault why;

	if (length == 0 || file->url[length - 1] != '?') /* it is all there */
		return RESULT_OK;
	enum result result = store_source_url(engine->parts.store, file->row, source, file->url, &why);
	if (result == RESULT_OK)
		return RESULT_OK;
	if (result != RESULT_SECRET_UNREADABLE && result != RESULT_SECRET_BUSY)
		engine_break(engine, &why);
	return fault_set(fault, result, why.source, why.raw, "files[%u]: %s", (unsigned)file->ordinal, why.what);
}

static bool looks_on(const struct active *active)
{
	return active->patience == job_patience(JOB_PROFILE_INTERACTIVE);
}

/* For how long the file's host is left alone, where nobody looks on; or what it lies on has nobody to read it. */
static uint32_t host_rests_s(struct engine *engine, const struct active *active, const struct file *file, struct fault *fault)
{
	uint32_t s = looks_on(active) ? 0 : engine_host_rests_s(engine, active, file->url, fault);

	if (s == 0 && url_is_share(text_view(file->url)) &&
	    crew_share_worker(engine, active->crews[JOB_SIDE_NETWORK], fault) == NULL)
		s = NO_WORKER_S;
	return s;
}

/* But not for longer than the job may wait. */
static uint32_t rests_s(struct engine *engine, const struct active *active, const struct file *file, int64_t left_s,
                        struct fault *fault)
{
	uint32_t s = host_rests_s(engine, active, file, fault);

	return s < left_s || s == 0 ? s : left_s > 0 ? (uint32_t)left_s : 1;
}

static int64_t left_s(struct engine *engine, const struct active *active)
{
	struct job job;

	return engine_load_job(engine, active->row, &job) ? schedule_left_ms(&job, engine_now(engine)) / 1000 : 0;
}

/* The first source that is not left alone.  What is on disk goes on where it came from first, however that stands, unless
 * it could go on elsewhere or that would be too long a wait. */
static uint32_t choose(struct engine *engine, const struct active *active, struct file *file, struct source_choice *choice,
                       struct fault *fault)
{
	int64_t left = left_s(engine, active);
	bool has_beginning = source_has_beginning(file), provable = source_is_provable(file);
	uint32_t tried = 0, least_s = 0;

	for (uint32_t source = choice->source; source != SOURCE_NONE; source = source_next(file, source, tried)) {
		struct fault why;

		if (!take_source(engine, file, source))
			return 0;
		uint32_t s = rests_s(engine, active, file, left, &why);

		if (s == 0) {
			choice->source = source;
			return 0;
		}
		if (source == file->source)
			choice->gives_up |= source_gives_up(file, false, s, left);
		if (least_s == 0 || s < least_s) {
			least_s = s;
			*fault = why;
		}
		if (has_beginning && !provable && !choice->gives_up)
			return s;
		tried |= 1u << source;
	}
	return least_s;
}

uint32_t engine_source_choose(struct engine *engine, const struct active *active, struct file *file,
                              struct source_choice *ret_choice, struct fault *fault)
{
	uint32_t first;

	*ret_choice = (struct source_choice){ .source = 0 };
	if (file->mirrors == 0)
		return host_rests_s(engine, active, file, fault);
	if (source_next(file, file->source, 0) == SOURCE_NONE)
		file->sources_refused = 0; /* nobody resumed it, and yet it is to be fetched */
	ret_choice->source = first = source_next(file, file->source, 0);

	uint32_t s = choose(engine, active, file, ret_choice, fault);

	if (s > 0)
		(void)take_source(engine, file, first);
	return s;
}

enum result engine_source_forgive(struct engine *engine, int64_t row, struct fault *fault)
{
	struct active *active = active_find(engine, row);

	for (struct flight *flight = active != NULL ? active->flights : NULL; flight != NULL; flight = flight->next) {
		flight->file.sources_refused = flight->file.source_failures = 0;
		flight->file.bytes_most = flight->file.bytes_recorded;
	}
	return store_sources_forgive(engine->parts.store, row, fault);
}

/* --- other servers have the files from now on --- */

/* Another URL is another source: what the old one said of its file says nothing of the new one's, whatever tags they give,
 * and what is on disk goes on only where size and digest tell in the end (core/resume). */
static void forget_moved(struct file *file, uint32_t moved)
{
	file->sources_refused &= ~moved;
	if (file->state != FILE_PENDING || (moved & 1u << file->source) == 0)
		return;
	file->source_failures = 0;
	file->etag[0] = file->modified[0] = '\0';
}

static enum result replace_source(struct engine *engine, const struct file *file, uint32_t source,
                                  const struct replacement *replacement, uint32_t *moved, struct fault *fault)
{
	char url[URL_BYTES_MAX + 1], field[64];

	if (source > 0)
		text_display(field, sizeof(field), "params.new_prefix: files[%u].mirrors[%u]", (unsigned)file->ordinal,
		             (unsigned)source - 1);
	else
		text_display(field, sizeof(field), "params.new_prefix: files[%u].url", (unsigned)file->ordinal);
	bool may = false;
	enum result result = store_source_may_begin(engine->parts.store, file->row, source, replacement->from, &may, fault);
	if (result != RESULT_OK || !may)
		return result;
	result = name_field(store_source_url(engine->parts.store, file->row, source, url, fault), field, fault);
	if (result != RESULT_OK || !url_begins_with(text_view(url), replacement->from))
		return result;
	result = name_field(url_replace_prefix(text_view(url), replacement->from, replacement->to, url, fault), field, fault);
	if (result == RESULT_OK)
		result = engine_check_url(engine, text_view(url), file->ranges > 0, field, fault);
	if (result == RESULT_OK)
		result = store_source_set_url(engine->parts.store, file->row, source, url, fault);
	*moved |= 1u << source;
	return result;
}

static enum result replace_in_file(struct engine *engine, struct file *file, struct replacement *replacement,
                                   struct fault *fault)
{
	uint32_t moved = 0;
	enum result result = RESULT_OK;

	for (uint32_t source = 0; source <= file->mirrors && result == RESULT_OK; source++)
		result = replace_source(engine, file, source, replacement, &moved, fault);
	if (result != RESULT_OK || moved == 0)
		return result;
	replacement->files++;
	if (replacement->first == UINT32_MAX && (file->state == FILE_PENDING || file->state == FILE_TRANSFERRED))
		replacement->first = file->ordinal;
	forget_moved(file, moved);
	return store_file_save(engine->parts.store, file, fault);
}

static bool keep_file(void *context, const struct file *file)
{
	*(struct file *)context = *file;
	return false;
}

enum result engine_source_replace(struct engine *engine, int64_t row, struct replacement *replacement, struct fault *fault)
{
	replacement->files = 0;
	replacement->first = UINT32_MAX;
	for (uint32_t ordinal = 0;;) { /* one by one: what is listed must not be changed meanwhile */
		struct file file = { .row = 0 };
		enum result result = store_files_list(engine->parts.store, row, ordinal, 1, keep_file, &file, fault);

		if (result != RESULT_OK || file.row == 0)
			return result;
		result = replace_in_file(engine, &file, replacement, fault);
		if (result != RESULT_OK)
			return result;
		ordinal = file.ordinal + 1;
	}
}

enum result engine_source_move_flights(struct engine *engine, int64_t row, const struct replacement *replacement,
                                       struct fault *fault)
{
	struct active *active = active_find(engine, row);
	struct flight *flight = active != NULL ? active->flights : NULL;

	for (; flight != NULL; flight = flight->next) {
		struct file file;

		if (flight->stage == FLIGHT_FINISHING)
			continue; /* it has all there is */
		enum result result = store_file_by_row(engine->parts.store, flight->file.row, &file, fault);
		if (result != RESULT_OK)
			return result;
		flight->moved |= url_begins_with(text_view(flight->file.url), replacement->from);
		flight->file.sources_refused = file.sources_refused;
		flight->file.source_failures = file.source_failures;
		memcpy(flight->file.etag, file.etag, sizeof(flight->file.etag));
		memcpy(flight->file.modified, file.modified, sizeof(flight->file.modified));
	}
	return RESULT_OK;
}

bool engine_source_got_on(struct flight *flight)
{
	struct file *file = &flight->file;

	if (file->bytes_recorded <= file->bytes_most)
		return false;
	file->bytes_most = file->bytes_recorded;
	file->source_failures = 0;
	return true;
}

/* The failure of one source, or that it is left alone, joins those of the others. */
static void tell(struct flight *flight, const struct fault *fault, uint32_t retry_after_s)
{
	if (!source_tells_more(flight->told.result, flight->told_retry_after_s, fault->result, retry_after_s))
		return;
	flight->told = *fault;
	flight->told_retry_after_s = retry_after_s;
}

/* The next one whose host may be asked; its URL is the flight's then. */
static bool find_next(struct engine *engine, struct flight *flight, int64_t left)
{
	uint32_t source = flight->source;

	while ((source = source_next(&flight->file, source, flight->tried)) != SOURCE_NONE) {
		struct fault why;

		if (!take_source(engine, &flight->file, source))
			return false;
		flight->source = source;
		uint32_t s = rests_s(engine, flight->active, &flight->file, left, &why);

		if (s == 0 && engine_source_open(engine, &flight->file, source, &why) == RESULT_OK)
			return true;
		flight->tried |= 1u << source;
		tell(flight, &why, s);
	}
	return false;
}

/* What the source did is remembered.  False: the turn is broken. */
static bool blame(struct engine *engine, struct flight *flight, int64_t left)
{
	struct file *file = &flight->file;
	bool is_beginnings = flight->source == file->source;

	tell(flight, &flight->fault, flight->retry_after_s);
	flight->tried |= 1u << flight->source;
	if (result_class(flight->fault.result) != RETRY_LATER)
		file->sources_refused |= 1u << flight->source;
	else if (is_beginnings)
		file->source_failures++;
	flight->gives_up |= is_beginnings && source_gives_up(file, true, flight->retry_after_s, left);
	return flight_save(engine, flight);
}

bool engine_source_try_next(struct engine *engine, struct flight *flight)
{
	if (flight->file.mirrors == 0 || flight->active->winding || engine->stopping ||
	    !source_is_at_fault(flight->fault.result))
		return false;

	int64_t left = left_s(engine, flight->active);

	if (!blame(engine, flight, left))
		return true; /* nothing more is done in a turn that is undone */
	bool is_free = flight->gives_up || source_is_provable(&flight->file) || !source_has_beginning(&flight->file);

	if (is_free && find_next(engine, flight, left)) {
		flight->fault = (struct fault){ 0 };
		flight->retry_after_s = 0;
		flight->written = 0;
		flight->answered = flight->syncing = flight->stop_sent = false;
		flight_open(engine, flight);
		return true;
	}
	flight->fault = flight->told;
	flight->retry_after_s = flight->told_retry_after_s;
	return false;
}
