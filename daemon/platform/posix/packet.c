#include "platform/posix/packet.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define PAYLOAD_BYTES_MAX 32768u
enum { PACKET_MORE, PACKET_LAST };

enum result packet_send(int fd, const char *bytes, size_t length, size_t *sent)
{
	do {
		size_t left = length - *sent, payload = left < PAYLOAD_BYTES_MAX ? left : PAYLOAD_BYTES_MAX;
		char packet[1 + PAYLOAD_BYTES_MAX];
		packet[0] = payload == left ? PACKET_LAST : PACKET_MORE;
		if (payload > 0)
			memcpy(packet + 1, bytes + *sent, payload);
		if (TEMP_FAILURE_RETRY(send(fd, packet, 1 + payload, MSG_NOSIGNAL)) < 0)
			return errno == EAGAIN || errno == ENOBUFS ? RESULT_TIMED_OUT : RESULT_NOT_RUNNING;
		*sent += payload;
	} while (*sent < length);
	return RESULT_OK;
}

enum result packet_receive(int fd, struct buffer *to, struct ucred *ret_sender, bool *ret_last)
{
	char packet[1 + PAYLOAD_BYTES_MAX];
	/* Room for the credentials and nothing else: descriptors that a client sends along are dropped by the kernel. */
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(struct ucred))];
	struct iovec part = { packet, sizeof(packet) };
	struct msghdr message;
	ssize_t got;
	do {
		message = (struct msghdr){ .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control) };
		got = recvmsg(fd, &message, 0);
		/* A peer that closed with something unread gives one ECONNRESET before what it sent and its end. */
	} while (got < 0 && (errno == EINTR || errno == ECONNRESET));
	if (got < 0)
		return errno == EAGAIN ? RESULT_TIMED_OUT : RESULT_NOT_RUNNING;
	if (got == 0 || message.msg_flags & MSG_TRUNC || (packet[0] != PACKET_MORE && packet[0] != PACKET_LAST))
		return RESULT_NOT_RUNNING;
	*ret_sender = (struct ucred){ .uid = (uid_t)-1, .gid = (gid_t)-1 };
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	if (header && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_CREDENTIALS)
		memcpy(ret_sender, CMSG_DATA(header), sizeof(*ret_sender));
	*ret_last = packet[0] == PACKET_LAST;
	return buffer_append(to, packet + 1, (size_t)got - 1);
}
