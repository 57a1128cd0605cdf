/* runtime/session - the connected clients: decode, check what handles they hold, answer, notify.
 *
 * All sessions together; they live on the engine's thread and get what platform/ipc delivers as letters.  A handle is a
 * capability (law 6): the access check is made when a job is created or opened, the handle carries the rights, is bound
 * to its connection and gone with it.  A session does not know how jobs run.
 */
#ifndef FERRY_RUNTIME_SESSION_H
#define FERRY_RUNTIME_SESSION_H

#include "platform/ipc.h"
#include "runtime/doctor.h"
#include "runtime/engine.h"

struct sessions;

struct sessions_settings {
	const char *address;
	const struct service_status *program; /* version, curl and sqlite, for hello and service.status */
	const struct settings *settings;
	const char *data_folder; /* Ferry's own */
	bool by_hand;            /* somebody runs it in the foreground */
};

/* Open the door: from now on clients are served.  RESULT_ALREADY_RUNNING. */
enum result sessions_start(const struct sessions_settings *settings, struct engine *engine, struct sessions **ret_sessions,
                           struct fault *fault) MUST_CHECK;
/* Close the door; blocks until the I/O thread is gone.  Call before engine_free, while the engine does not turn. */
void sessions_free(struct sessions *sessions);
DEFINE_CLEANUP(sessions)

#endif
