#include "platform/service.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "platform/posix/fault.h"

struct listener {
	const struct service_handler *handler;
	sigset_t signals;
	atomic_bool over;
};

/* Sessions end and begin by a test's word: sigqueue() of the first and second real-time signal with the number. */
static void *listen_for_signals(void *argument)
{
	struct listener *listener = argument;
	const struct service_handler *handler = listener->handler;
	siginfo_t told;
	while (sigwaitinfo(&listener->signals, &told) >= 0 && !atomic_load(&listener->over)) {
		if (told.si_signo >= SIGRTMIN)
			(told.si_signo == SIGRTMIN ? handler->session_ended :
			                             handler->session_began)(handler->context, (uint32_t)told.si_value.sival_int);
		else
			(told.si_signo == SIGHUP ? handler->reload : handler->stop)(handler->context);
	}
	return NULL;
}

enum result service_run(bool console, const struct service_handler *handler, enum result (*body)(void *context),
                        void *context, struct fault *fault)
{
	(void)console; /* there is only the foreground */
	const int signals[] = { SIGTERM, SIGINT, SIGHUP, SIGRTMIN, SIGRTMIN + 1 };
	struct listener listener = { .handler = handler };
	sigemptyset(&listener.signals);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaddset(&listener.signals, signals[i]);
	/* Threads inherit this.  It stays so: another Ctrl-C must not turn the end of a stop into a kill. */
	pthread_sigmask(SIG_BLOCK, &listener.signals, NULL);
	pthread_t thread;
	int error = pthread_create(&thread, NULL, listen_for_signals, &listener);
	if (error != 0)
		return fault_errno(fault, error, "listen for signals");
	enum result result = body(context);
	atomic_store(&listener.over, true);
	pthread_kill(thread, SIGTERM); /* to that thread alone: wakes it */
	pthread_join(thread, NULL);
	return result;
}

void service_running(void) { }
/* None of the three is possible. */
enum result service_install(struct buffer *warnings, struct fault *fault) { return (void)warnings, service_uninstall(fault); }
enum result service_configure(struct buffer *warnings, struct fault *fault) { return service_install(warnings, fault); }
enum result service_uninstall(struct fault *fault)
{
	return fault_set(fault, RESULT_NOT_SUPPORTED, FAULT_FERRY, 0, "there is no service manager on this ground");
}

enum result service_harden_process(struct fault *fault)
{
	umask(077);
	/* No core file and no debugger of the same uid.  The limit too: whoever changes his uid may be dumpable again. */
	if (signal(SIGPIPE, SIG_IGN) == SIG_ERR || prctl(PR_SET_DUMPABLE, 0) != 0 || setrlimit(RLIMIT_CORE, &(struct rlimit){ 0 }) != 0)
		return fault_errno(fault, errno, "harden the process");
	return testroot_path("", NULL, 0, NULL, fault);
}
