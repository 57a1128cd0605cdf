/* An identity that this process may put on, by number: a uid on Linux, what a made-up SID ends with on Windows. */
#ifndef FERRY_TESTS_RIG_IDENTITY_OF_H
#define FERRY_TESTS_RIG_IDENTITY_OF_H

#include <stdio.h>
#include <stdlib.h>

#include "ground.h"
#ifndef _WIN32
#include "platform/posix/identity_credentials.h"
#endif

static inline struct identity *identity_of(unsigned number)
{
#ifdef _WIN32
	return ground_identity(number);
#else
	struct identity *identity = NULL;
	struct fault fault = { .what = "" };

	if (identity_from_credentials(number, number, 0, NULL, 0, &identity, &fault) != RESULT_OK) {
		fprintf(stderr, "identity_of: %s\n", fault.what);
		exit(1);
	}
	return identity;
#endif
}

#endif
