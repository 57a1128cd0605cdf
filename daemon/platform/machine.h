/* platform/machine - what the system says of this process and of the domain that the machine is in, for ferry doctor. */
#ifndef FERRY_PLATFORM_MACHINE_H
#define FERRY_PLATFORM_MACHINE_H

#include "core/text.h"

struct machine_system {
	/* The names of the process's own privileges, enabled or not, a space between. */
	enum result (*privileges)(char *to, size_t size, struct fault *fault) MUST_CHECK;
	/* The domain that the machine is a member of; "": none. */
	enum result (*domain)(char *to, size_t size, struct fault *fault) MUST_CHECK;
	/* The name of a domain controller that hands out Kerberos tickets.  Blocks, for up to a minute where the network is away. */
	enum result (*find_kdc)(char *to, size_t size, struct fault *fault) MUST_CHECK;
	/* That machine's clock, in Unix time.  Blocks likewise. */
	enum result (*ask_time)(const char *server, int64_t *ret_wall_ms, struct fault *fault) MUST_CHECK;
};
extern const struct machine_system *const machine_system; /* NULL: this system is not asked such things */

#endif
