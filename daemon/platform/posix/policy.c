#include "platform/policy.h"
const struct policy_system *const policy_system = NULL;
