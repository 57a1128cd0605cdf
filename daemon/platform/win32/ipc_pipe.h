/* platform/win32: the pipe itself, its name, its security and its instances; ipc.c does the talking. */
#ifndef FERRY_WIN32_IPC_PIPE_H
#define FERRY_WIN32_IPC_PIPE_H

#include "platform/ipc.h"
#include "platform/win32/win32.h"

struct ipc_pipe {
	wchar_t *name;
	PSECURITY_DESCRIPTOR descriptor;
};

/* RESULT_ALREADY_RUNNING if the name is taken. */
enum result ipc_pipe_prepare(const char *address, struct ipc_pipe *ret_pipe, struct fault *fault) MUST_CHECK;
void ipc_pipe_done(struct ipc_pipe *pipe);
static inline void ipc_pipe_cleanup(struct ipc_pipe *pipe)
{
	ipc_pipe_done(pipe);
}
/* One more instance; the first makes the name ours or answers RESULT_ALREADY_RUNNING. */
enum result ipc_pipe_instance(const struct ipc_pipe *pipe, bool first, HANDLE *ret_instance,
                              struct fault *fault) MUST_CHECK;
/* The identity that wrote the message last read from the instance.  Nobody may read from it meanwhile. */
enum result ipc_pipe_capture(HANDLE instance, HANDLE *ret_token, struct fault *fault) MUST_CHECK;
/* The process that opened the pipe, and its program's file: of a path that is not to be had, or too long, or of a process that
 * began after `connected`, a FILETIME, image is "". */
uint32_t ipc_pipe_process(HANDLE instance, uint64_t connected, char *image, size_t size);

#endif
