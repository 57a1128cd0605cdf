#include "core/protocol.h"

#include <assert.h>

static const char *const methods[METHOD_COUNT] = {
#define X(name, text) [METHOD_##name] = text,
	PROTOCOL_METHODS(X)
#undef X
};

const char *method_name(enum method method)
{
	assert((unsigned)method < METHOD_COUNT);
	return methods[method];
}
