/* platform/proxy - which proxies the system has configured for a user, for the machine, or lets the network name.
 *
 * Windows: the settings of the user, the machine's ("netsh winhttp"), scripts (PAC) and their discovery (WPAD) by
 * WinHTTP. The Linux ground has none of these: nothing is ever configured there.  How lists are read is core/proxy's.
 */
#ifndef FERRY_PLATFORM_PROXY_H
#define FERRY_PLATFORM_PROXY_H

#include <stdatomic.h>

#include "core/proxy.h"
#include "platform/identity.h"

#define PROXY_ASK_MS_MAX 15000 /* what one question takes at most */
#define PROXY_ASKS_MAX 16u     /* under way at once, with those whose answer nobody waits for any more */

struct proxy_answer {
	char list[PROXY_TEXT_BYTES_MAX + 1]; /* for proxy_choose; "": direct */
	char bypass[PROXY_TEXT_BYTES_MAX + 1];
	enum proxy_source source; /* NOTHING, IDENTITY, SCRIPT, MACHINE or AUTODETECT */
	struct fault missed;      /* .result OK; or why something that comes before that source does not count */
};

/* Ask, as that identity, which proxies are for the URL: PROXY_PRECONFIGURED or PROXY_AUTODETECT.
 *
 * Blocks for up to PROXY_ASK_MS_MAX: not for a thread that others wait for.  It is done on a thread of its own that
 * wears the identity (law 1); if a script is not had in that time the answer is what the settings name beside it, and
 * the thread ends by itself later.  In this order the first that is there counts: a script that the network names,
 * where the user's settings want that looked for, the script that they name, their proxies, the machine's.  Settings
 * of a user who is not logged on cannot be read: the machine's count then.  A script that cannot be had or run is
 * passed over, as browsers do, and told in `missed`; that the network names none is nothing missed.
 *
 * A script learns scheme, host and port, never path or query (rule 27), so an answer is good for all of that server.
 * No credentials are sent to get one.  Nor does it wait when `gives_up`, which may be NULL, becomes true: RESULT_TIMED_OUT,
 * or what is known by then.  RESULT_NO_WORKER, RESULT_IDENTITY_LOST, RESULT_BAD_PROXY: settings longer than
 * Ferry takes, RESULT_TIMED_OUT: not even settings were had. */
enum result proxy_ask(struct identity *identity, enum proxy_mode mode, const struct url *url, const atomic_bool *gives_up,
                      struct proxy_answer *ret_answer, struct fault *fault) MUST_CHECK;
/* False: on this ground nothing is ever configured. */
bool proxy_is_configurable(void);

#endif
