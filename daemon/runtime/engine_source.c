/* runtime/engine: where a file is fetched from.  What core/source decides, with the store, hosts that rest, and events. */
#include "runtime/engine_private.h"

#include <string.h>

#include "core/source.h"

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

static bool is_tied(struct engine *engine, const struct active *active, const struct file *file)
{
	struct job job;

	return file->mirrors > 0 && file->bytes_recorded > 0 && engine_load_job(engine, active->row, &job) &&
	       source_is_tied(file, job.attempts);
}

uint32_t engine_source_choose(struct engine *engine, const struct active *active, struct file *file, uint32_t *ret_source,
                              struct fault *fault)
{
	uint32_t tried = 0, least_s = 0, first = source_next(file, file->source, 0), source = first;
	bool tied = is_tied(engine, active, file);

	while (source != SOURCE_NONE && take_source(engine, file, source)) {
		struct fault why;
		uint32_t rests_s = engine_host_rests_s(engine, active, file->url, &why);

		*ret_source = source;
		if (rests_s == 0)
			return 0;
		if (least_s == 0 || rests_s < least_s) {
			least_s = rests_s;
			*fault = why;
		}
		tried |= 1u << source;
		source = tied ? SOURCE_NONE : source_next(file, source, tried);
	}
	/* Who asks all the same asks the first. */
	*ret_source = first;
	(void)take_source(engine, file, first);
	return least_s;
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
static bool find_next(struct engine *engine, struct flight *flight)
{
	uint32_t source = flight->source;

	while ((source = source_next(&flight->file, source, flight->tried)) != SOURCE_NONE) {
		struct fault why;
		uint32_t rests_s;

		if (!take_source(engine, &flight->file, source))
			return false;
		rests_s = engine_host_rests_s(engine, flight->active, flight->file.url, &why);
		flight->source = source;
		if (rests_s == 0)
			return true;
		flight->tried |= 1u << source;
		tell(flight, &why, rests_s);
	}
	return false;
}

bool engine_source_try_next(struct engine *engine, struct flight *flight)
{
	if (flight->file.mirrors == 0 || flight->active->winding || engine->stopping ||
	    !source_is_at_fault(flight->fault.result))
		return false;

	bool for_good = result_class(flight->fault.result) != RETRY_LATER;

	tell(flight, &flight->fault, flight->retry_after_s);
	flight->tried |= 1u << flight->source;
	if (for_good) {
		flight->file.sources_refused |= 1u << flight->source;
		if (!flight_save(engine, flight))
			return true; /* the turn is undone */
	}
	if ((for_good || !is_tied(engine, flight->active, &flight->file)) && find_next(engine, flight)) {
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
