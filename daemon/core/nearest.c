#include "core/nearest.h"

#include <string.h>

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* One row at a time. */
size_t nearest_distance(const char *a, const char *b)
{
	size_t a_length = smaller(strlen(a), NEAREST_BYTES_MAX);
	size_t b_length = smaller(strlen(b), NEAREST_BYTES_MAX);
	size_t row[NEAREST_BYTES_MAX + 1];

	for (size_t j = 0; j <= b_length; j++)
		row[j] = j;
	for (size_t i = 1; i <= a_length; i++) {
		size_t diagonal = row[0];
		row[0] = i;
		for (size_t j = 1; j <= b_length; j++) {
			size_t changed = diagonal + (a[i - 1] != b[j - 1]);
			diagonal = row[j];
			row[j] = smaller(changed, smaller(row[j], row[j - 1]) + 1);
		}
	}
	return row[b_length];
}

void nearest_show(char to[NEAREST_BYTES_MAX], struct text_view given)
{
	char plain[NEAREST_BYTES_MAX];
	size_t length = smaller(given.length, sizeof(plain));

	/* A user and a password, as they are written into addresses, wherever somebody put them. */
	if (given.length > 0 && memchr(given.bytes, '@', given.length) != NULL) {
		text_display(to, NEAREST_BYTES_MAX, "what stands there (not shown, it has an @)");
		return;
	}
	for (size_t i = 0; i < length; i++)
		plain[i] = text_has_control((struct text_view){ given.bytes + i, 1 }) ? '?' : given.bytes[i];
	text_display(to, NEAREST_BYTES_MAX, "%.*s", (int)length, plain);
}
