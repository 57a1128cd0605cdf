#include "platform/identity_head.h"

#include <errno.h>
#include <linux/capability.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "platform/posix/fault.h"
#include "platform/posix/identity_credentials.h"

_Static_assert(IDENTITY_DIGEST_BYTES == SHA256_DIGEST_LENGTH, "the digest is SHA-256");

struct identity {
	struct identity_head head;
	size_t group_count;
	/* Equal identities are equal bytes up to the last of the groups: the kernel keeps and tells them ascending. */
	struct {
		uint32_t uid, gid, session, groups[IDENTITY_GROUPS_MAX];
	} ids;
};

/* Linux has capabilities per thread; glibc offers no call for them. */
static bool may_change_ids(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];
	uint32_t needed = 1u << CAP_SETUID | 1u << CAP_SETGID;
	return syscall(SYS_capget, &header, sets) == 0 && (sets[0].effective & needed) == needed;
}

/* Whether the calling thread has all ids of the identity: real, effective, saved, filesystem and supplementary.  Raw
 * system calls here and below: they speak of this one thread, glibc's wrappers of all. */
static bool has_ids(const struct identity *identity)
{
	uint32_t groups[IDENTITY_GROUPS_MAX], uids[4], gids[4];
	long count = syscall(SYS_getgroups, IDENTITY_GROUPS_MAX, groups);
	if (count != (long)identity->group_count || syscall(SYS_getresuid, &uids[0], &uids[1], &uids[2]) != 0 ||
	    syscall(SYS_getresgid, &gids[0], &gids[1], &gids[2]) != 0)
		return false;
	/* Asked for an id that cannot be, these change nothing and answer with the present one. */
	uids[3] = (uint32_t)syscall(SYS_setfsuid, -1);
	gids[3] = (uint32_t)syscall(SYS_setfsgid, -1);
	for (int i = 0; i < 4; i++)
		if (uids[i] != identity->ids.uid || gids[i] != identity->ids.gid)
			return false;
	return memcmp(groups, identity->ids.groups, identity->group_count * sizeof(groups[0])) == 0;
}

enum result identity_from_credentials(uid_t uid, gid_t gid, pid_t session, const gid_t *groups, size_t group_count,
                                      struct identity **ret_identity, struct fault *fault)
{
	if (group_count > IDENTITY_GROUPS_MAX)
		return fault_set(fault, RESULT_ACCESS_REFUSED, FAULT_FERRY, 0, "uid %u has too many groups", uid);
	struct identity *identity = calloc(1, sizeof(*identity));
	if (!identity)
		return fault_set(fault, RESULT_NO_MEMORY, FAULT_FERRY, 0, "capture uid %u", uid);
	*identity = (struct identity){ { .references = 1 }, group_count, { uid, gid, (uint32_t)session, { 0 } } };
	for (size_t i = 0; i < group_count; i++)
		identity->ids.groups[i] = groups[i];
	SHA256((const unsigned char *)&identity->ids, (3 + group_count) * sizeof(uint32_t), identity->head.digest);
	struct caller *caller = &identity->head.caller;
	*caller = (struct caller){ .session = identity->ids.session, .logon = session ? LOGON_INTERACTIVE : LOGON_OTHER,
		                       .administrator = uid == 0, .integrity = uid == 0 ? INTEGRITY_HIGH : INTEGRITY_MEDIUM,
		                       .impersonation = may_change_ids() || has_ids(identity) };
	text_display(caller->owner, sizeof(caller->owner), "uid:%u", uid);
	*ret_identity = identity;
	return RESULT_OK;
}

enum result identity_self(struct identity **ret_identity, struct fault *fault)
{
	gid_t groups[IDENTITY_GROUPS_MAX];
	int count = getgroups(IDENTITY_GROUPS_MAX, groups);
	return count < 0 ? fault_errno(fault, errno, "read the process's groups") :
	       identity_from_credentials(geteuid(), getegid(), 0, groups, (size_t)count, ret_identity, fault);
}

void identity_done(struct identity *identity) { free(identity); }

enum result identity_wear(const struct identity *identity, struct fault *fault)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	const struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { 0 };
	uint32_t uid = identity->ids.uid, gid = identity->ids.gid;
	/* The groups first: the right to change them may go with the uid.  Who has the ids already needs no right. */
	bool has = has_ids(identity) || (syscall(SYS_setgroups, identity->group_count, identity->ids.groups) == 0 &&
	           syscall(SYS_setresgid, gid, gid, gid) == 0 && syscall(SYS_setresuid, uid, uid, uid) == 0);
	/* Nothing may let this thread become somebody else again: between uids that are not 0 the kernel takes no
	 * capability away, and on the way to 0 it gives some.  Ambient ones follow the permitted set. */
	if (!has || syscall(SYS_capset, &header, none) != 0)
		return fault_set(fault, RESULT_IDENTITY_LOST, FAULT_ERRNO, errno, "become uid %u", uid);
	return has_ids(identity) ? RESULT_OK :
	       fault_set(fault, RESULT_IDENTITY_LOST, FAULT_FERRY, 0, "uid %u is not worn", uid);
}

enum result identity_random(void *bytes, size_t size, struct fault *fault)
{
	return getentropy(bytes, size) == 0 ? RESULT_OK : fault_errno(fault, errno, "get %zu random bytes", size);
}
