#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "platform/ipc_client.h"

/* A message carries its thread's real ids.  Raw system calls, as in identity.c: they speak of this one thread. */
struct ipc_speaker {
	uid_t uid;
	gid_t gid;
};

static enum result speaker_new(uid_t uid, gid_t gid, struct ipc_speaker **ret_speaker, struct fault *fault)
{
	struct ipc_speaker *speaker = malloc(sizeof(*speaker));
	if (!speaker)
		return fault_set(fault, RESULT_NO_MEMORY, FAULT_FERRY, 0, "remember who speaks");
	*speaker = (struct ipc_speaker){ uid, gid };
	*ret_speaker = speaker;
	return RESULT_OK;
}

enum result ipc_speaker_current(struct ipc_speaker **ret_speaker, struct fault *fault)
{
	return speaker_new((uid_t)syscall(SYS_getuid), (gid_t)syscall(SYS_getgid), ret_speaker, fault);
}

/* Accounts are numbers here, and have no passwords: it is wearing one that takes a right. */
enum result ipc_speaker_logon(const char *user, const char *password, struct ipc_speaker **ret_speaker,
                              struct fault *fault)
{
	char *end = NULL;
	bool number = strncmp(user, "uid:", 4) == 0 && user[4] >= '0' && user[4] <= '9';
	unsigned long uid = number ? strtoul(user + 4, &end, 10) : 0;
	(void)password;
	if (!number || *end != '\0' || uid > INT32_MAX)
		return fault_set(fault, RESULT_ACCESS_REFUSED, FAULT_FERRY, 0, "log on as %s: accounts are uid:N here", user);
	return speaker_new((uid_t)uid, (gid_t)uid, ret_speaker, fault);
}

enum result ipc_speaker_claim(const struct ipc_speaker *speaker, struct ipc_claim *ret_claim, struct fault *fault)
{
	*ret_claim = (struct ipc_claim){ .logon_id = 0 };
	text_display(ret_claim->sid, sizeof(ret_claim->sid), "uid:%u", speaker->uid);
	(void)fault;
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
