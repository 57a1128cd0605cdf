/* client/cli/help - what --help says. */
#ifndef FERRY_CLI_HELP_H
#define FERRY_CLI_HELP_H

#include "cli/arguments.h"

/* VERB_NONE: about all of it. */
const char *help_text(enum verb verb);

#endif
