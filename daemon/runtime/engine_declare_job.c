/* runtime/engine: declared jobs - the job of the queue that fetches what is missing.  It is made as a client would make it, but owned
 * by the service itself (ACCESS_DECLARED_OWNER): all that is checked of a client's request is checked of it, too. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/engine_pass.h"

#define REQUEST_BYTES_MAX (2 * STORE_DECLARED_BYTES_MAX)

static void write_condition(struct engine *engine, const struct entry *entry, const struct declared_file *file,
                            struct json_writer *writer)
{
	struct store_landed landed;
	struct fault fault;

	if (entry->kept.row == 0 || store_landed(engine->parts.store, entry->kept.row, file->path, &landed, &fault) != RESULT_OK)
		return;
	if (file_etag_is_valid(text_view(landed.condition.etag)) && text_is_utf8(text_view(landed.condition.etag)))
		json_write_text(writer, "if_none_match", text_view(landed.condition.etag));
	if (landed.condition.modified_ms != 0)
		json_write_i64(writer, "if_modified_since_ms", landed.condition.modified_ms);
}

static void write_file(struct engine *engine, const struct entry *entry, uint32_t index, struct json_writer *writer)
{
	const struct declared_file *file = &entry->wanted->files[index];
	char digest[DIGEST_TEXT_BYTES_MAX];

	json_write_begin(writer, NULL, '{');
	json_write_text(writer, "url", text_view(file->url));
	json_write_text(writer, "path", text_view(file->path));
	if (file->bytes != SIZE_UNKNOWN)
		json_write_u64(writer, "size_bytes", file->bytes);
	digest_format(&file->digest, digest);
	if (digest[0] != '\0')
		json_write_text(writer, "digest", text_view(digest));
	if (file->mirror_count > 0) {
		json_write_begin(writer, "mirrors", '[');
		for (uint32_t i = 0; i < file->mirror_count; i++)
			json_write_text(writer, NULL, text_view(file->mirrors[i]));
		json_write_end(writer, ']');
	}
	/* What is there is what landed: it is asked for on that condition; by a digest it is judged without asking. */
	if (file->digest.length == 0 && (entry->disk[index] == DISK_RIGHT || entry->disk[index] == DISK_UNSEEN))
		write_condition(engine, entry, file, writer);
	json_write_end(writer, '}');
}

/* As a client would ask for it. */
static enum result write_request(struct engine *engine, const struct entry *entry, const struct declare_known *known,
                                 struct buffer *to, struct fault *fault)
{
	const struct declared *wanted = entry->wanted;
	struct json_writer writer = JSON_WRITER(to);

	protocol_request_begin(&writer, 1, METHOD_JOB_CREATE);
	json_write_text(&writer, "name", text_view(wanted->name));
	json_write_text(&writer, "priority", text_view(job_priority_name(wanted->priority)));
	json_write_bool(&writer, "auto_complete", true);
	if (wanted->helper[0] != '\0') {
		json_write_text(&writer, "pinned_helper", text_view(wanted->helper));
		json_write_text(&writer, "on_token_loss", text_view(token_loss_name(TOKEN_LOSS_WAIT)));
	}
	json_write_begin(&writer, "files", '[');
	for (uint32_t i = 0; i < wanted->file_count; i++)
		if (declare_fetches(wanted, known, i))
			write_file(engine, entry, i, &writer);
	json_write_end(&writer, ']');

	enum result result = protocol_notification_end(&writer);

	return result == RESULT_OK ? result : fault_set(fault, result, FAULT_FERRY, 0, "ask for what is declared");
}

static enum result apply_helped(struct engine *engine, struct job *job, const void *argument, struct fault *fault)
{
	(void)engine;
	(void)argument;
	(void)fault;
	job->helper_flags = HELPER_ALL;
	return RESULT_OK;
}

/* A helper's files are added once it is said that he writes them: they are judged as his. */
static enum result create_job(struct engine *engine, const struct request *request, bool helped, struct job_status *status,
                              struct fault *fault)
{
	const struct caller declarer = { .owner = ACCESS_DECLARED_OWNER, .integrity = INTEGRITY_SYSTEM, .impersonation = true };
	struct request bare = *request;
	const struct job_request wanted = { .caller = &declarer, .request = helped ? &bare : request };
	const struct change helped_change = { apply_helped, NULL, NULL };
	struct job_status ignored;
	struct fault why;
	bool created;

	bare.file_count = 0;
	enum result result = engine_job_create(engine, &wanted, status, &created, fault);

	if (result != RESULT_OK)
		return result;
	if (helped)
		result = change_job(engine, status->job.row, &helped_change, status, fault);
	if (result == RESULT_OK && helped)
		result = engine_job_add_files(engine, status->job.row, request, status, fault);
	if (result == RESULT_OK)
		result = engine_resume_now(engine, status->job.row, status, fault);
	if (result != RESULT_OK)
		(void)!engine_job_cancel(engine, status->job.row, &ignored, &why); /* or the turn is broken */
	return result;
}

enum result pass_begin_job(struct engine *engine, struct entry *entry, const struct declare_known *known, struct fault *fault)
{
	AUTO(buffer) struct buffer text = BUFFER(REQUEST_BYTES_MAX);
	AUTO(request) struct request request = { .document = NULL };
	struct job_status status = { .job = { .row = 0 } };
	enum result result = write_request(engine, entry, known, &text, fault);

	if (result == RESULT_OK)
		result = request_decode((struct text_view){ text.bytes, text.length }, &request, fault);
	if (text.bytes != NULL)
		text_wipe(text.bytes, text.capacity);
	if (result == RESULT_OK)
		result = create_job(engine, &request, entry->wanted->helper[0] != '\0', &status, fault);
	if (result != RESULT_OK)
		return result;
	entry->kept.job_row = status.job.row;
	return store_declared_set_job(engine->parts.store, entry->kept.row, status.job.row, fault);
}

enum result pass_cancel_job(struct engine *engine, struct entry *entry, struct fault *fault)
{
	struct job_status status;

	enum result result = RESULT_OK;

	if (entry->unfinished && !entry->over)
		result = engine_job_cancel(engine, entry->kept.job_row, &status, fault);
	if (result == RESULT_OK && entry->kept.job_row != 0)
		result = store_declared_set_job(engine->parts.store, entry->kept.row, 0, fault);
	if (result == RESULT_OK) {
		entry->unfinished = entry->failed = entry->over = false;
		entry->kept.job_row = 0;
	}
	return result;
}

enum result pass_set_priority(struct engine *engine, const struct entry *entry, struct fault *fault)
{
	struct request request = { .properties_given = PROPERTY_PRIORITY, .properties = { .priority = entry->wanted->priority } };
	struct job_status status;

	if (!entry->unfinished || entry->over || entry->wanted->priority == entry->applied->priority)
		return RESULT_OK;
	return engine_job_set_properties(engine, entry->kept.job_row, &request, &status, fault);
}
