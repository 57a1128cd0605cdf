#include "platform/certificate.h"
const struct certificate_system *const certificate_system = NULL;
