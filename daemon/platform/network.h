/* platform/network - how the machine is connected, what that costs, and whether it saves its battery. */
#ifndef FERRY_PLATFORM_NETWORK_H
#define FERRY_PLATFORM_NETWORK_H

#include "core/network.h"

/* As it is now, as far as the system says.  Any thread, quick, never fails. */
void network_read(struct network_state *ret_state);

/* Be told, on threads of the system's or its own, that it may have changed: read it again.  `changed` must be short.  One
 * watch at a time in a process.  What one part of a system cannot tell is not told; RESULT_* where nothing can. */
struct network_watch;
enum result network_watch_start(void (*changed)(void *context), void *context, struct network_watch **ret_watch,
                                struct fault *fault) MUST_CHECK;
void network_watch_free(struct network_watch *watch); /* nothing is told any more when it returns */
DEFINE_CLEANUP(network_watch)

#endif
