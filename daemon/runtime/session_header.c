/* runtime/session: the methods of header lines. */
#include "runtime/session_private.h"

#include "core/headers.h"

static void wipe(struct buffer *block)
{
	if (block->bytes != NULL)
		text_wipe(block->bytes, block->capacity);
}

static enum result read_block(const struct request *request, struct buffer *block, struct fault *fault)
{
	enum result result = RESULT_OK;
	char field[48];

	for (uint32_t i = 0; i < request->header_count && result == RESULT_OK; i++) {
		text_display(field, sizeof(field), "params.headers[%u]", (unsigned)i);
		result = headers_add(block, request_header(request, i), field, fault);
	}
	return result;
}

enum result do_set_headers(struct call *call)
{
	AUTO(buffer) struct buffer block = BUFFER(HEADERS_BYTES_MAX);
	struct handle *handle = NULL;
	struct job_status status;
	enum result result = session_handle(call, ACCESS_EDIT, &handle);

	if (result == RESULT_OK)
		result = read_block(call->request, &block, call->fault);
	if (result == RESULT_OK)
		result = engine_headers_set(call->sessions->engine, handle->row, &block, call->request->write_only, &status, call->fault);
	wipe(&block);
	if (result == RESULT_OK)
		protocol_write_job(call->out, "job", &status);
	return result;
}

/* For the owner: whoever may only look, and an administrator, is told the names. */
enum result do_get_headers(struct call *call)
{
	AUTO(buffer) struct buffer block = BUFFER(HEADERS_BYTES_MAX);
	struct handle *handle = NULL;
	struct text_view line;
	enum result result = session_handle(call, ACCESS_EDIT, &handle);

	if (result == RESULT_OK)
		result = engine_headers_get(call->sessions->engine, handle->row, &block, call->fault);
	if (result == RESULT_OK) {
		const char *rest = block.bytes;

		(void)!buffer_reserve(call->out->to, 6 * HEADERS_BYTES_MAX); /* so that what is written need not move */
		json_write_begin(call->out, "headers", '[');
		while (headers_next(&rest, &line))
			json_write_text(call->out, NULL, line);
		json_write_end(call->out, ']');
	}
	wipe(&block);
	return result;
}
