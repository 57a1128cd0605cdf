#include "platform/ipc_client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "platform/posix/fault.h"
#include "platform/posix/packet.h"

struct ipc_client {
	int fd;
	struct buffer input; /* a message that has not come to its end */
};

enum result ipc_client_default_address(char *to, size_t size, struct fault *fault)
{
	return testroot_path("/ferry.sock", to, size, NULL, fault);
}

/* Negative: for ever.  To the kernel that is 0, so 0 becomes the shortest wait there is. */
static bool set_timeout(int fd, int option, int64_t timeout_ms)
{
	int64_t us = timeout_ms == 0 ? 1 : timeout_ms % 1000 * 1000;
	struct timeval limit = timeout_ms < 0 ? (struct timeval){ 0 } : (struct timeval){ timeout_ms / 1000, us };
	return setsockopt(fd, SOL_SOCKET, option, &limit, sizeof(limit)) == 0;
}

static enum result connect_within(int fd, const char *address, int64_t timeout_ms, struct fault *fault)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	if (text_copy(name.sun_path, sizeof(name.sun_path), text_view(address)) != RESULT_OK)
		return fault_set(fault, RESULT_TOO_LONG, FAULT_FERRY, 0, "connect to %s", address);
	/* connect() waits for a place in the server's queue as long as a send may take; EAGAIN: there was none. */
	if (set_timeout(fd, SO_SNDTIMEO, timeout_ms) && connect(fd, (const struct sockaddr *)&name, sizeof(name)) == 0 &&
	    set_timeout(fd, SO_SNDTIMEO, -1))
		return RESULT_OK;
	bool nobody = errno == ENOENT || errno == ENOTDIR || errno == ECONNREFUSED;
	enum result result = nobody ? RESULT_NOT_RUNNING : errno == EAGAIN ? RESULT_BUSY : result_from_errno(errno);
	return fault_set(fault, result, FAULT_ERRNO, errno, "connect to %s", address);
}

static enum result check_server(int fd, const char *address, unsigned flags, struct fault *fault)
{
	struct ucred peer = { .uid = (uid_t)-1 };
	socklen_t size = sizeof(peer);
	uid_t owner;
	enum result result = testroot_path("", NULL, 0, &owner, fault);
	if (result != RESULT_OK || (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
	    (peer.uid == owner || (flags & IPC_CLIENT_ALLOW_CONSOLE && peer.uid == geteuid()))))
		return result;
	return fault_set(fault, RESULT_NOT_THE_SERVICE, FAULT_FERRY, 0, "uid %u serves %s", peer.uid, address);
}

enum result ipc_client_open(const char *address, unsigned flags, int64_t timeout_ms, struct ipc_client **ret_client,
                            struct fault *fault)
{
	AUTO(ipc_client) struct ipc_client *client = calloc(1, sizeof(*client));
	if (!client || (client->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0)) < 0)
		return fault_errno(fault, errno, "connect to %s", address);
	enum result result = connect_within(client->fd, address, timeout_ms, fault);
	result = result ? result : check_server(client->fd, address, flags, fault);
	if (result == RESULT_OK)
		*ret_client = TAKE(client);
	return result;
}

void ipc_client_free(struct ipc_client *client)
{
	if (!client)
		return;
	close(client->fd); /* -1, where it was never opened, is refused, and no harm is done */
	buffer_done(&client->input);
	free(client);
}

enum result ipc_client_send(struct ipc_client *client, struct text_view message, struct fault *fault)
{
	size_t sent = 0;
	enum result result = packet_send(client->fd, message.bytes, message.length, &sent);
	return result == RESULT_OK ? result : fault_set(fault, result, FAULT_ERRNO, errno, "send to the service");
}

/* A message that is half there when the time is over stays in `input`, and the next call goes on with it. */
enum result ipc_client_receive(struct ipc_client *client, int64_t timeout_ms, struct buffer *to, struct fault *fault)
{
	client->input.length_max = to->length_max;
	if (!set_timeout(client->fd, SO_RCVTIMEO, timeout_ms))
		return fault_errno(fault, errno, "receive from the service");
	for (bool last = false; !last;) {
		struct ucred unasked;
		enum result result = packet_receive(client->fd, &client->input, &unasked, &last);
		if (result == RESULT_OK)
			continue;
		if (result != RESULT_TIMED_OUT)
			shutdown(client->fd, SHUT_RDWR); /* what follows has no beginning any more */
		return fault_set(fault, result, FAULT_ERRNO, errno, "receive from the service");
	}
	buffer_done(to);
	*to = client->input;
	client->input = BUFFER(0);
	return RESULT_OK;
}

/* --- who speaks --- */

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

void ipc_speaker_free(struct ipc_speaker *speaker) { free(speaker); }

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
