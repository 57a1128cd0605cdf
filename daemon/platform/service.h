/* platform/service - the service control manager and this process's place in it.
 *
 * Windows: install, configure, uninstall and run as a service.  The Linux ground has no service manager: its
 * install verbs answer RESULT_NOT_SUPPORTED, and service_run runs in the foreground until SIGTERM or SIGINT.
 */
#ifndef FERRY_PLATFORM_SERVICE_H
#define FERRY_PLATFORM_SERVICE_H

#include "core/text.h"

#define SERVICE_NAME "Ferry"

/* What the manager tells the daemon; called on a thread of the manager's, must not block. */
struct service_handler {
	void (*stop)(void *context);                              /* stop, preshutdown, shutdown, Ctrl-C */
	void (*session_ended)(void *context, uint32_t session);   /* logoff or terminate of that session */
	void (*session_began)(void *context, uint32_t session);   /* its number is somebody else's from now on */
	void (*reload)(void *context);                            /* the configuration changed: PARAMCHANGE, SIGHUP */
	void *context;
};

/* Run `body` as the service (SCM dispatcher) or, with `console`, in the foreground.  `body` starts everything, calls
 * service_running() once it serves, and returns when it has been asked to stop; its result becomes the exit code. */
enum result service_run(bool console, const struct service_handler *handler, enum result (*body)(void *context),
                        void *context, struct fault *fault) MUST_CHECK;
void service_running(void);

/* Register, as NT AUTHORITY\NetworkService: delayed automatic start, unrestricted service SID, required privileges,
 * failure actions, preshutdown time, event source, data folder with its DACL.  Needs an administrator.
 * `service_configure` sets the same again on an existing service. Steps that this system refuses but that are not vital
 * (Wine, docs/testing.md) are named in `warnings`, one a line. */
enum result service_install(struct buffer *warnings, struct fault *fault) MUST_CHECK;
enum result service_configure(struct buffer *warnings, struct fault *fault) MUST_CHECK;
enum result service_uninstall(struct fault *fault) MUST_CHECK;

/* Once, first thing in main(): no memory is left in crash dumps; DLL search limited to system32, process mitigations, RegDisablePredefinedCacheEx,
 * DACLs of the process (rules 17 and 22).  On the Linux ground: refuse to run without $FERRY_TEST_ROOT. */
enum result service_harden_process(struct fault *fault) MUST_CHECK;

#endif
