/* platform/ipc_output - what was sent to a client and was not taken by the system yet; for the room's own files, which hold
 * their server's lock.
 */
#ifndef FERRY_PLATFORM_IPC_OUTPUT_H
#define FERRY_PLATFORM_IPC_OUTPUT_H

#include "core/text.h"

struct ipc_output {
	struct ipc_output *next;
	size_t length, sent;
	char bytes[];
};

struct ipc_outputs { /* all zero: none */
	struct ipc_output *first, *last;
	size_t bytes;
};

/* RESULT_TOO_LARGE: then they would be more than `bytes_max`.  RESULT_NO_MEMORY. */
enum result ipc_output_add(struct ipc_outputs *outputs, struct text_view message, size_t bytes_max) MUST_CHECK;
void ipc_output_drop_first(struct ipc_outputs *outputs); /* there is one */

#endif
