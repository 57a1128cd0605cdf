/* platform/ipc_client - the client's end of the door.
 *
 * The client authenticates the server before its first write: the pipe's owner must be the service NT SERVICE\Ferry
 * (rule 4); on the Linux ground the socket's peer must be the owner of the test root.  Requests are written on the
 * calling thread, so that each carries the identity the thread wears (rule 5).  A client takes one thread that sends and
 * one that receives, at the same time; they may be the same.
 */
#ifndef FERRY_PLATFORM_IPC_CLIENT_H
#define FERRY_PLATFORM_IPC_CLIENT_H

#include "core/text.h"

struct ipc_client;

#define IPC_CLIENT_ALLOW_CONSOLE 0x1u /* also accept a server that the own user runs as `ferryd console` */

/* The address of the installed service: \\.\pipe\Ferry, or $FERRY_TEST_ROOT/ferry.sock. */
enum result ipc_client_default_address(char *to, size_t size, struct fault *fault) MUST_CHECK;
/* Waits up to `timeout_ms` for a free place.  RESULT_NOT_RUNNING | RESULT_NOT_THE_SERVICE | RESULT_BUSY. */
enum result ipc_client_open(const char *address, unsigned flags, int64_t timeout_ms, struct ipc_client **ret_client,
                            struct fault *fault) MUST_CHECK;
void ipc_client_free(struct ipc_client *client);
DEFINE_CLEANUP(ipc_client)
/* RESULT_NOT_RUNNING: the connection is gone. */
enum result ipc_client_send(struct ipc_client *client, struct text_view message, struct fault *fault) MUST_CHECK;
/* One message, appended to an empty `to`.  RESULT_TIMED_OUT | RESULT_NOT_RUNNING.  Negative timeout: wait for ever. */
enum result ipc_client_receive(struct ipc_client *client, int64_t timeout_ms, struct buffer *to,
                               struct fault *fault) MUST_CHECK;

/* --- who speaks: the identity of the calling thread, to be put on again for a reconnect (rule 5) --- */
struct ipc_speaker;
/* The identity that the thread wears now, or that it wears none but the process's. */
enum result ipc_speaker_current(struct ipc_speaker **ret_speaker, struct fault *fault) MUST_CHECK;
void ipc_speaker_free(struct ipc_speaker *speaker);
DEFINE_CLEANUP(ipc_speaker)
/* Who that is, as the service is to find it in the message (rule 2): the account's SID (uid:N on the Linux ground) and the
 * logon session's LUID (0 there). */
#define IPC_SID_BYTES_MAX 192
struct ipc_claim {
	char sid[IPC_SID_BYTES_MAX];
	uint64_t logon_id;
};
enum result ipc_speaker_claim(const struct ipc_speaker *speaker, struct ipc_claim *ret_claim, struct fault *fault) MUST_CHECK;
/* Log on as "DOMAIN\name" or "name@domain" (interactive, for the local console or, where that right is missing, a new
 * batch logon); on the Linux ground "uid:N", with the right to change identities and any password.  The password is not
 * kept.  RESULT_ACCESS_REFUSED: the system does not accept them. */
enum result ipc_speaker_logon(const char *user, const char *password, struct ipc_speaker **ret_speaker,
                              struct fault *fault) MUST_CHECK;
/* From now on the calling thread speaks as `speaker`.  RESULT_IDENTITY_LOST: it cannot, and nothing is changed. */
enum result ipc_speaker_wear(const struct ipc_speaker *speaker, struct fault *fault) MUST_CHECK;

#endif
