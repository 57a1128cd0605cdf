/* tests/support/protocol_schema - schema/protocol.schema.json, ready to judge messages. */
#ifndef FERRY_TESTS_SUPPORT_PROTOCOL_SCHEMA_H
#define FERRY_TESTS_SUPPORT_PROTOCOL_SCHEMA_H

#include "json_schema.h"

#define SAMPLE_UUID "0f8fad5b-d9cb-469f-a165-70867728950e"

extern struct json_document *protocol_schema;

/* A test group's setup and teardown. */
int protocol_schema_load(void **state);
int protocol_schema_free(void **state);

/* `definition` is one of the schema's $defs: "request", "job", "hello.params" ... */
bool protocol_schema_obeyed(const char *definition, struct json value, char why[JSON_SCHEMA_WHY_BYTES_MAX]);
/* The text is JSON and obeys it; the test fails otherwise. */
void protocol_schema_assert(const char *definition, struct text_view text);

#endif
