#include "platform/machine.h"
const struct machine_system *const machine_system = NULL;
