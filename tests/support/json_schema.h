/* tests/support/json_schema - does a value obey a JSON Schema?
 *
 * As much of draft 2020-12 as the schemas in schema/ use.  A keyword or a pattern that is not known here fails the
 * test, so that nothing passes because it was overlooked.
 */
#ifndef FERRY_TESTS_SUPPORT_JSON_SCHEMA_H
#define FERRY_TESTS_SUPPORT_JSON_SCHEMA_H

#include "core/json.h"

#define JSON_SCHEMA_WHY_BYTES_MAX 512

/* `root` holds the "$defs" that "$ref" names; `schema` is it or a part of it.  `why` says what is wrong where. */
bool json_schema_obeyed(struct json root, struct json schema, struct json value, char why[JSON_SCHEMA_WHY_BYTES_MAX]);

#endif
