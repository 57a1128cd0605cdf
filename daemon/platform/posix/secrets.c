#include "platform/secrets_dpapi.h"
enum result (*const secrets_dpapi)(bool, const uint8_t *, const void *, size_t, struct buffer *, struct fault *) = NULL;
