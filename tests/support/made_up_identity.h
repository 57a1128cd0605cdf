/* Identities of nobody: with whatever facts a test states, where the engine alone looks at them.  They cannot be worn. */
#ifndef FERRY_TESTS_MADE_UP_IDENTITY_H
#define FERRY_TESTS_MADE_UP_IDENTITY_H

#include "platform/identity.h"

/* `number` tells it from all others: those with the same one may share workers. */
struct identity *made_up_identity(const struct caller *caller, unsigned number);

#endif
