#include <errno.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "platform/ipc_client.h"

/* A message carries its thread's real ids.  Raw system calls, as in identity.c: they speak of this one thread. */
struct ipc_speaker {
	uid_t uid;
	gid_t gid;
};

enum result ipc_speaker_current(struct ipc_speaker **ret_speaker, struct fault *fault)
{
	struct ipc_speaker *speaker = malloc(sizeof(*speaker));
	if (!speaker)
		return fault_set(fault, RESULT_NO_MEMORY, FAULT_FERRY, 0, "remember who speaks");
	speaker->uid = (uid_t)syscall(SYS_getuid);
	speaker->gid = (gid_t)syscall(SYS_getgid);
	*ret_speaker = speaker;
	return RESULT_OK;
}

void ipc_speaker_free(struct ipc_speaker *speaker)
{
	free(speaker);
}

enum result ipc_speaker_wear(const struct ipc_speaker *speaker, struct fault *fault)
{
	gid_t before = (gid_t)syscall(SYS_getgid);
	if (syscall(SYS_setresgid, speaker->gid, -1, -1) != 0)
		return fault_set(fault, RESULT_IDENTITY_LOST, FAULT_ERRNO, errno, "speak as gid %u", speaker->gid);
	if (syscall(SYS_setresuid, speaker->uid, -1, -1) == 0)
		return RESULT_OK;
	int error = errno;
	if (syscall(SYS_setresgid, before, -1, -1) != 0)
		abort(); /* half of one and half of another must not go on */
	return fault_set(fault, RESULT_IDENTITY_LOST, FAULT_ERRNO, error, "speak as uid %u", speaker->uid);
}
