/* tests/support/ground - what the contract tests need and the grounds set up differently.
 *
 * A ground that cannot prove something says so with GROUND_CANNOT and goes on or skips; it never passes it in silence.
 * Helpers that fail end the program: without its set-up a test proves nothing.
 */
#ifndef FERRY_TESTS_GROUND_H
#define FERRY_TESTS_GROUND_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>
#include <setjmp.h>
#include <cmocka.h>

#include "platform/identity.h"

#define GROUND_PATH_BYTES_MAX 512

#define GROUND_CANNOT(what) print_message("SKIPPED on this ground: %s\n", what)
#define GROUND_SKIP(what)                                                                                              \
	do {                                                                                                               \
		GROUND_CANNOT(what);                                                                                           \
		skip();                                                                                                        \
	} while (0)

/* --- a folder of the test's own --- */

/* Make a new folder that every identity may pass through; on Linux it becomes $FERRY_TEST_ROOT. */
void ground_set_up(char folder[GROUND_PATH_BYTES_MAX]);
/* Remove it with all that is in it. */
void ground_tear_down(const char *folder);
void ground_path(char to[GROUND_PATH_BYTES_MAX], const char *folder, const char *name);
void ground_make_folder(const char *path);
void ground_write(const char *path, const char *text);
/* Whether the file is there and holds exactly this. */
bool ground_holds(const char *path, const char *text);
bool ground_exists(const char *path);
/* By its mode, or its attribute. */
void ground_set_read_only(const char *path, bool read_only);
/* False: not on this ground. */
bool ground_soft_link(const char *path, const char *target, bool to_folder);
bool ground_hard_link(const char *path, const char *existing);

/* --- identities --- */

#define GROUND_NEEDS "needs CAP_SETUID and CAP_SETGID on Linux, a second account on Windows"
/* An identity with the given number, made up, that this process may put on; NULL if there is none here.  Where the
 * kernel does not enforce it (below), it may be another identity in its digest alone. */
struct identity *ground_identity(unsigned number);
/* Whether there are made-up identities, and the kernel refuses them what they may not do. */
bool ground_enforces_identities(void);
/* The owner of a file in the words of struct caller; false: not to be known here. */
bool ground_file_owner(const char *path, char to[JOB_OWNER_BYTES_MAX]);
/* Let nobody but the process's own identity in. */
void ground_close_folder(const char *path);
/* Give the folder to everybody. */
void ground_open_folder(const char *path);
/* Whether the calling thread holds any right by which it could become somebody else; always false where unknown. */
bool ground_thread_has_powers(void);

/* --- the door --- */

/* An address where nobody listens; it may depend on the test's folder. */
void ground_address(char to[GROUND_PATH_BYTES_MAX], const char *folder);
/* Leave behind at the address what a killed server leaves; false: nothing ever stays behind here. */
bool ground_leave_dead_door(const char *address);
/* Connect, write the beginning of a message, break off; false: a message is written whole or not at all here. */
bool ground_send_half_message(const char *address);
/* Whether a second server is noticed. */
bool ground_notices_second_server(void);
/* Make the installed service somebody else than this process; false: it may not. */
bool ground_be_not_the_service(const char *folder);
uint32_t ground_process(void);

/* --- the process --- */

/* What an administrator's stop or Ctrl-C does to a service in the foreground; false: cannot be done here. */
bool ground_ask_to_stop(void);
/* What has it read its configuration again, in the foreground; false: cannot be done here. */
bool ground_ask_to_reload(void);
/* What ends a session, or gives its number anew, to a service in the foreground; false: the service manager alone does. */
bool ground_tell_session(uint32_t session, bool ended);
/* Run `body` where it cannot change this process for good; its value. */
bool ground_apart(bool (*body)(void *argument), void *argument);
/* Take away or give back $FERRY_TEST_ROOT; false: this ground has none. */
bool ground_set_root(const char *folder);

#endif
