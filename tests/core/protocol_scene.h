/* What the tests of requests share: each is decoded, and judged as schema/protocol.schema.json does. */
#ifndef FERRY_TESTS_CORE_PROTOCOL_SCENE_H
#define FERRY_TESTS_CORE_PROTOCOL_SCENE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "core/protocol.h"
#include "support/protocol_schema.h"

/* Decode and hold the verdict against the schema's: both take a message or both refuse it. */
static inline enum result decode(const char *text, struct request *request, struct fault *fault)
{
	AUTO(json_document) struct json_document *document = NULL;
	char why[JSON_SCHEMA_WHY_BYTES_MAX] = "not JSON";
	memset(fault, 0, sizeof(*fault));
	enum result result = request_decode(text_view(text), request, fault);
	for (uint32_t i = 0; result == RESULT_OK && i < request->file_count; i++) {
		struct file_request file;
		result = request_file(request, i, &file, fault);
	}
	bool parsed = json_parse(text_view(text), JSON_WIRE, &document, NULL) == RESULT_OK;
	bool obeyed = parsed && protocol_schema_obeyed("request", json_root(document), why);
	if (obeyed != (result == RESULT_OK))
		fail_msg("%s\nthe decoder says %s (%s), the schema %s (%s)", text, result_name(result), fault->what,
		         obeyed ? "yes" : "no", why);
	return result;
}

static inline void assert_decodes(const char *text, struct request *request)
{
	struct fault fault;
	if (decode(text, request, &fault) != RESULT_OK)
		fail_msg("%s: %s: %s", text, result_name(fault.result), fault.what);
}

static inline void assert_refused(const char *text, enum result expected, const char *what)
{
	AUTO(request) struct request request;
	struct fault fault;
	enum result result = decode(text, &request, &fault);
	if (result != expected)
		fail_msg("%s: %s instead of %s", text, result_name(result), result_name(expected));
	assert_int_equal(fault.result, expected);
	if (strncmp(fault.what, what, strlen(what)) != 0)
		fail_msg("%s: \"%s\" instead of \"%s\"", text, fault.what, what);
}

/* The request `method` with these params. */
static inline const char *message(const char *method, const char *params)
{
	static char text[8192];
	assert_int_equal(text_format(text, sizeof(text), "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\",\"params\":%s}",
	                             method, params), RESULT_OK);
	return text;
}

#endif
