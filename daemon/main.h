/* daemon/main - wires all rooms once and decides nothing.
 *
 *   main.c        the verbs of ferryd
 *   main_serve.c  one run of the service: data folder, settings, queue, engine, door
 *   main_config.c the layers of the configuration
 *   main_declared.c the declared jobs
 *   main_trust.c  by what servers are recognised
 *   main_mark.c   the queue's mark
 *   main_setup.c  install and configure
 */
#ifndef FERRY_DAEMON_MAIN_H
#define FERRY_DAEMON_MAIN_H

#include "core/declare.h"
#include "core/settings.h"
#include "runtime/engine.h"

struct serve_options {
	bool console;        /* in the foreground rather than under the service manager */
	const char *data;    /* data folder; NULL: the known one.  Console only. */
	const char *address; /* of the door; NULL: the known one.  Console only. */
};

/* Run until asked to stop. */
enum result serve(const struct serve_options *options, struct fault *fault) MUST_CHECK;

/* What is wrong with Ferry's own folder or the file `object` in it, told as such: RESULT_DATA_UNUSABLE for all that is
 * wrong with a file. */
enum result own_folder_fault(enum result result, const char *object, struct fault *fault) MUST_CHECK;

enum result join_path(char *to, size_t size, const char *folder, const char *name, struct fault *fault) MUST_CHECK;

/* What is wrong where ferry.jsonc is not there, and once was: built-in defaults would lift what it forbade. */
#define CONFIGURATION_LOST                                                                                             \
	"ferry.jsonc is not there any more. Put it back, or write what ferry.good.jsonc has into a new one; for the "      \
	"built-in defaults put one there that holds {}"
struct policy_watch;
/* Where the configuration is read from. */
struct configuration {
	const char *folder;
	struct policy_watch *watch; /* NULL: there is none */
	bool at_once;               /* the policy as it is at this moment; else as it had settled, where there is a watch */
	bool once_there;            /* ferry.jsonc was; from then on its want is an error */
};
/* The configuration: the built-in defaults, over them ferry.jsonc and conf.d in the folder, and the policy.  None of them
 * need be there, but ferry.jsonc if it ever was, or one was kept.  RESULT_BAD_SETTING: all that is wrong is in `errors`. */
enum result read_configuration(struct configuration *from, struct settings *settings, struct settings_errors *errors) MUST_CHECK;
bool configuration_was_kept(const char *folder);
/* Keep it, as a good one, in a file of its own.  Not where there is no ferry.jsonc: that would seem to be lost. */
enum result keep_configuration(const char *folder, const struct settings *settings, struct fault *fault) MUST_CHECK;
/* What was kept, and the policy as it is now over it, if that is good.  RESULT_PATH_NOT_FOUND: nothing was. */
enum result read_last_good(const struct configuration *from, struct settings *settings, struct settings_errors *errors) MUST_CHECK;

/* A file of the folder that nobody but administrators could have written, and its path for errors.  RESULT_PATH_NOT_FOUND is
 * nobody's error yet; all others are in `errors`. */
enum result read_trusted(const char *folder, const char *name, char path[DESTINATION_BYTES_MAX + 1], struct buffer *text,
                         struct settings_errors *errors) MUST_CHECK;
/* All *.jsonc in a trusted folder below that one, by their names.  False: there is no such folder. */
typedef enum result config_visit(void *context, const char *name, struct settings_errors *errors);
bool read_folder(const char *folder, const char *below, size_t maximum, config_visit *visit, void *context,
                 struct settings_errors *errors);

/* The declared jobs, of jobs.d in the folder; `once_there`: without one it has got lost, and does not declare that there are none.
 * RESULT_BAD_SETTING: all that is wrong is in `errors`, and `set` is empty. */
enum result read_declared(const char *folder, bool once_there, struct declared_set *set, struct settings_errors *errors) MUST_CHECK;

/* What settings say of trust, read together, and what of it was kept since a file could not be opened. */
struct transfer_trust;
struct trusted_before {
	const struct settings *settings;
	const struct transfer_trust *trust; /* of those settings */
	struct fault kept;                  /* why, RESULT_LOCKED; RESULT_OK: nothing was */
};
/* By what servers are recognised, and what may be asked.  All that is wrong is in `errors`; what fails of it, the rest is there: a
 * host whose authority could not be read is not believed by anything else, and all pins hold.  Where somebody holds an
 * authority's file that `before` (NULL: there is none) has, that one is kept.  RESULT_BAD_SETTING | RESULT_NO_MEMORY. */
enum result read_trust(const struct settings *settings, struct trusted_before *before, struct transfer_trust **ret_trust,
                       struct settings_errors *errors) MUST_CHECK;

/* The queue's mark from the file at `path`, which is made if there is none. */
enum result read_mark(const char *path, char mark[QUEUE_MARK_DIGITS + 1], struct fault *fault) MUST_CHECK;

/* service_install or service_configure, then the first configuration if there is none.  Warnings go to stderr, a
 * failure to the Event Log, too. */
enum result set_up(enum result (*verb)(struct buffer *warnings, struct fault *fault), struct fault *fault) MUST_CHECK;

#endif
