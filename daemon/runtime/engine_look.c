/* runtime/engine: what is on disk of declared files.  A file worker reads them, as the service and a block at a time; one file
 * after the other, since nobody waits for it in a hurry.  Nothing is looked at where the service may not write either, nor in the
 * place of a helper: when he has come, a flight looks before it fetches (engine_flight.c). */
#include <stdlib.h>
#include <string.h>

#include "runtime/engine_pass.h"

static bool is_to_be_seen(const struct engine *engine, const struct pass *pass, const struct entry *entry, uint32_t file)
{
	const struct declared *wanted = entry->wanted;

	if (!entry->concerned || wanted == NULL || wanted->helper[0] != '\0' || pass->kind == PASS_ENDED)
		return false;
	return engine_service_writes(engine, text_view(wanted->files[file].path));
}

/* The next one from where the pass is; false: there is none. */
static bool find_next(const struct engine *engine, struct pass *pass)
{
	for (; pass->at < pass->count; pass->at++, pass->file = 0) {
		const struct entry *entry = &pass->entries[pass->at];

		for (; entry->wanted != NULL && pass->file < entry->wanted->file_count; pass->file++)
			if (is_to_be_seen(engine, pass, entry, pass->file))
				return true;
	}
	return false;
}

/* --- what it must be --- */

static bool same_digest(const struct digest *a, const struct digest *b)
{
	return a->length == b->length && memcmp(a->bytes, b->bytes, a->length) == 0;
}

/* What was there when it landed counts only for the URL that it came from. */
static bool landed_of(struct engine *engine, const struct entry *entry, const struct declared_file *file,
                      struct store_landed *ret_landed)
{
	struct fault fault;
	enum result result = RESULT_NOT_FOUND;

	for (uint32_t i = 0; entry->applied != NULL && i < entry->applied->file_count; i++)
		if (strcmp(entry->applied->files[i].path, file->path) == 0 && strcmp(entry->applied->files[i].url, file->url) == 0)
			result = store_landed(engine->parts.store, entry->kept.row, file->path, ret_landed, &fault);
	if (result != RESULT_OK && result != RESULT_NOT_FOUND)
		engine_break(engine, &fault);
	return result == RESULT_OK;
}

/* The size that it must have; SIZE_UNKNOWN: any. */
static uint64_t bytes_of(struct engine *engine, const struct entry *entry, const struct declared_file *file)
{
	struct store_landed landed;

	if (file->bytes != SIZE_UNKNOWN || !landed_of(engine, entry, file, &landed))
		return file->bytes;
	return file->digest.length == 0 || same_digest(&file->digest, &landed.digest) ? landed.bytes : SIZE_UNKNOWN;
}

/* --- looking --- */

static bool send(struct engine *engine, struct pass *pass, struct fault *fault)
{
	const struct entry *entry = &pass->entries[pass->at];
	const struct declared_file *file = &entry->wanted->files[pass->file];
	struct order *order;

	if (engine->parts.service == NULL) {
		(void)!fault_set(fault, RESULT_IDENTITY_LOST, FAULT_FERRY, 0, "the service has no identity to look at files with");
		return false;
	}
	if (pass->crew == NULL)
		pass->crew = crew_get(engine, engine->parts.service, JOB_SIDE_FILE, (struct answers){ 0 }, fault);
	if (pass->crew == NULL)
		return false;
	order = calloc(1, sizeof(*order));
	if (order == NULL) {
		(void)!fault_set(fault, RESULT_NO_MEMORY, FAULT_FERRY, 0, "look at a declared file");
		return false;
	}
	pass->number = ++engine->flight_number;
	*order = (struct order){ .kind = ORDER_LOOK, .flight = pass->number, .list = BUFFER(0) };
	text_display(order->file.path, sizeof(order->file.path), "%s", file->path);
	order->file.digest.length = file->digest.length;
	order->file.bytes_stated = bytes_of(engine, entry, file);
	order->file.is_size_stated = order->file.bytes_stated != SIZE_UNKNOWN;
	pass->given_up = false;
	pass->look_until_ms = order->file.is_size_stated ? INT64_MAX : engine_mono(engine) + DECLARE_LOOK_MS;
	engine_send(engine, crew_worker(pass->crew, JOB_SIDE_FILE), order);
	return true;
}

void pass_look(struct engine *engine)
{
	struct pass *pass = engine->declaring.pass;
	struct fault fault;

	if (!find_next(engine, pass))
		pass_end(engine);
	else if (!send(engine, pass, &fault))
		pass_fail(engine, &fault);
}

void pass_stop_look(struct engine *engine)
{
	const struct pass *pass = engine->declaring.pass;
	struct order *order = pass->number != 0 ? calloc(1, sizeof(*order)) : NULL;

	if (order == NULL) /* without memory it goes on to its end */
		return;
	*order = (struct order){ .kind = ORDER_STOP, .flight = pass->number, .list = BUFFER(0) };
	engine_send(engine, crew_worker(pass->crew, JOB_SIDE_FILE), order);
}

int64_t pass_tend_look(struct engine *engine)
{
	struct pass *pass = engine->declaring.pass;

	if (engine_mono(engine) < pass->look_until_ms)
		return pass->look_until_ms;
	pass->look_until_ms = INT64_MAX;
	pass->given_up = true;
	pass_stop_look(engine);
	return INT64_MAX;
}

/* --- what was seen --- */

bool engine_is_as_declared(const struct file *file, const struct report *report)
{
	return report->result == RESULT_OK && same_digest(&file->digest, &report->digest) &&
	       (!file->is_size_stated || file->bytes_stated == report->bytes);
}

/* What has a digest and lies there right is found out once without its size. */
static enum declared_disk keep_size(struct engine *engine, const struct entry *entry, const struct declared_file *file,
                                    const struct report *seen)
{
	const struct store_landed landed = { .bytes = seen->bytes, .digest = seen->digest };
	struct fault fault;

	if (entry->kept.row != 0 && engine->declaring.pass->kind != PASS_PLAN && bytes_of(engine, entry, file) == SIZE_UNKNOWN &&
	    store_landed_save(engine->parts.store, entry->kept.row, file->path, &landed, &fault) != RESULT_OK)
		engine_break(engine, &fault);
	return DISK_RIGHT;
}

static enum declared_disk judge(struct engine *engine, const struct entry *entry, const struct declared_file *file,
                                const struct report *seen)
{
	struct store_landed landed;

	if (file->bytes != SIZE_UNKNOWN && file->bytes != seen->bytes)
		return DISK_ALTERED;
	if (file->digest.length > 0)
		return same_digest(&file->digest, &seen->digest) ? keep_size(engine, entry, file, seen) : DISK_ALTERED;
	if (!landed_of(engine, entry, file, &landed))
		return DISK_ALTERED; /* whoever put it there */
	return landed.bytes == seen->bytes && same_digest(&landed.digest, &seen->digest) ? DISK_RIGHT : DISK_ALTERED;
}

void engine_looked(struct engine *engine, const struct report *report)
{
	struct pass *pass = engine->declaring.pass;
	struct entry *entry;

	if (pass == NULL || pass->number != report->flight)
		return;
	entry = &pass->entries[pass->at];
	pass->number = 0;
	if (report->result == RESULT_OK) {
		entry->disk[pass->file] = judge(engine, entry, &entry->wanted->files[pass->file], report);
	} else if (report->result == RESULT_PATH_NOT_FOUND) {
		entry->disk[pass->file] = DISK_MISSING;
	} else if (report->result == RESULT_FILE_CHANGED || report->result == RESULT_IS_FOLDER || pass->given_up) {
		entry->disk[pass->file] = DISK_ALTERED; /* no plain file has the name, or one that may have no end */
	} else {
		entry->disk[pass->file] = DISK_UNKNOWN; /* and nothing is done about that file */
		entry->fault = report->fault;
	}
	pass->file++;
	if (engine->broken.result == RESULT_OK) /* else the pass is dropped with the turn */
		pass_look(engine);
}
