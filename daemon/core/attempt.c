#include "core/attempt.h"

#include <string.h>

static bool went_alike(const struct attempt_trace *a, const struct attempt_trace *b)
{
	return a->status == b->status && strcmp(a->tls, b->tls) == 0 && strcmp(a->words, b->words) == 0 &&
	       memcmp(a->offered, b->offered, sizeof(a->offered)) == 0 && memcmp(a->used, b->used, sizeof(a->used)) == 0;
}

bool attempt_is_like(const struct attempt *a, const struct attempt *b)
{
	return a->fault.result == b->fault.result && (a->fault.result == RESULT_OK || a->file == b->file) &&
	       a->proxy.source == b->proxy.source && strcmp(a->proxy.address, b->proxy.address) == 0 &&
	       strcmp(a->sid, b->sid) == 0 && went_alike(&a->trace, &b->trace);
}
