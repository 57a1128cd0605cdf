#include "platform/proxy_system.h"
const struct proxy_system *const proxy_system = NULL;
