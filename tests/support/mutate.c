#include "mutate.h"

#include <assert.h>
#include <string.h>

void mutate_text(const char *seed, void (*take)(struct text_view text))
{
	char text[4096];
	size_t length = strlen(seed);
	uint32_t random = 4711;
	assert(length < sizeof(text));
	for (size_t cut = 0; cut <= length; cut++)
		take((struct text_view){ seed, cut });
	for (unsigned round = 0; round < 4000; round++) {
		memcpy(text, seed, length);
		for (unsigned changes = 1 + round % 3; changes > 0; changes--) {
			random = random * 1664525u + 1013904223u;
			/* Half of the new bytes come from the message itself: those keep it JSON more often. */
			size_t from = (random >> 20) % length;
			text[(random >> 8) % length] = random & 0x10000 ? seed[from] : (char)(random >> 24);
		}
		take((struct text_view){ text, length });
	}
}
