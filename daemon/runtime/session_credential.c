/* runtime/session: the methods of credentials. */
#include "runtime/session_private.h"

/* The request's own copies are wiped with its message. */
static enum result read_credential(const struct request *request, struct credential *ret_credential)
{
	enum result result = RESULT_OK;

	ret_credential->target = request->target;
	ret_credential->scheme = request->scheme;
	ret_credential->implicit = request->user.bytes == NULL;
	if (!ret_credential->implicit)
		result = text_copy(ret_credential->user, sizeof(ret_credential->user), request->user);
	if (result == RESULT_OK && !ret_credential->implicit)
		result = text_copy(ret_credential->password, sizeof(ret_credential->password), request->password);
	return result;
}

enum result do_set_credentials(struct call *call)
{
	struct handle *handle = NULL;
	struct job_status status;
	struct credential credential = { .implicit = true };
	enum result result = session_handle(call, ACCESS_EDIT, &handle);

	if (result == RESULT_OK)
		result = read_credential(call->request, &credential);
	if (result == RESULT_OK)
		result = engine_credential_set(call->sessions->engine, handle->row, &credential, &status, call->fault);
	text_wipe(&credential, sizeof(credential));
	if (result == RESULT_OK)
		protocol_write_job(call->out, "job", &status);
	return result;
}

enum result do_remove_credentials(struct call *call)
{
	const struct request *request = call->request;
	struct handle *handle = NULL;
	struct job_status status;
	enum result result = session_handle(call, ACCESS_EDIT, &handle);

	if (result == RESULT_OK)
		result = engine_credential_remove(call->sessions->engine, handle->row, request->target, request->scheme, &status,
		                                  call->fault);
	if (result == RESULT_OK)
		protocol_write_job(call->out, "job", &status);
	return result;
}
