#include "protocol_schema.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "source_file.h"

struct json_document *protocol_schema;

int protocol_schema_load(void **state)
{
	(void)state;
	AUTO(buffer) struct buffer text = BUFFER(1 << 20);
	source_file_read("schema/protocol.schema.json", &text);
	struct text_view view = { text.bytes, text.length };
	return json_parse(view, JSON_WIRE, &protocol_schema, NULL) == RESULT_OK ? 0 : -1;
}

int protocol_schema_free(void **state)
{
	(void)state;
	json_document_free(protocol_schema);
	return 0;
}

bool protocol_schema_obeyed(const char *definition, struct json value, char why[JSON_SCHEMA_WHY_BYTES_MAX])
{
	struct json root = json_root(protocol_schema);
	struct json part = json_member(json_member(root, "$defs"), definition);
	if (!part.value)
		fail_msg("the schema has no definition %s", definition);
	return json_schema_obeyed(root, part, value, why);
}

void protocol_schema_assert(const char *definition, struct text_view text)
{
	AUTO(json_document) struct json_document *document = NULL;
	char why[JSON_SCHEMA_WHY_BYTES_MAX];
	struct fault fault = { .result = RESULT_OK };
	if (json_parse(text, JSON_WIRE, &document, &fault) != RESULT_OK)
		fail_msg("%.*s: %s", (int)text.length, text.bytes, fault.what);
	if (!protocol_schema_obeyed(definition, json_root(document), why))
		fail_msg("%.*s: %s", (int)text.length, text.bytes, why);
}
