/* platform/posix/packet - how a message travels on a seqpacket socket: as packets of one flag byte and up to 32 KiB,
 * since the kernel takes no packet beyond the socket's buffer.  For both ends of the door. */
#ifndef FERRY_PLATFORM_POSIX_PACKET_H
#define FERRY_PLATFORM_POSIX_PACKET_H

#include <sys/socket.h>

#include "core/text.h"

/* Send what is left of a message from *sent on.  RESULT_TIMED_OUT: the socket takes no more now; go on later. */
enum result packet_send(int fd, const char *bytes, size_t length, size_t *sent) MUST_CHECK;

/* Receive one packet, append it to `to` and say who sent it (uid -1 if the kernel was not asked to) and whether its
 * message ends here.  RESULT_TIMED_OUT: nothing there yet.  RESULT_NOT_RUNNING: the peer is gone or sends what is none.
 * RESULT_TOO_LARGE | RESULT_NO_MEMORY: the packet is lost, but the out-parameters are written. */
enum result packet_receive(int fd, struct buffer *to, struct ucred *ret_sender, bool *ret_last) MUST_CHECK;

#endif
