#include "source_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

void source_file_read(const char *name, struct buffer *to)
{
	const char *folder = getenv("FERRY_SOURCE");
	char path[1024], block[4096];
	size_t length;

	if (!folder)
		fail_msg("%s must name the repository's folder", "FERRY_SOURCE");
	assert_int_equal(text_format(path, sizeof(path), "%s/%s", folder, name), RESULT_OK);
	FILE *file = fopen(path, "rb");
	if (!file)
		fail_msg("cannot open %s", path);
	while ((length = fread(block, 1, sizeof(block), file)) > 0)
		assert_int_equal(buffer_append(to, block, length), RESULT_OK);
	assert_false(ferror(file));
	(void)fclose(file);
}
