/* runtime/share - files that come from shares: what a share worker has instead of a transfer_set.
 *
 * Copies a file from \\server\share\... into an open file handle, in the words of runtime/transfer: its orders, its handler,
 * its rules.  Reading from a share keeps its thread waiting, so there is nothing at once here: one block of one file, then
 * one of the next.  Does not know jobs, SQL, or whose identity its thread wears: the system asks the server as that.  All
 * functions belong to the worker's thread.
 */
#ifndef FERRY_RUNTIME_SHARE_H
#define FERRY_RUNTIME_SHARE_H

#include "runtime/transfer.h"

struct share_set;

enum result share_set_new(const struct transfer_limits *limits, const struct transfer_handler *handler,
                          struct share_set **ret_set, struct fault *fault) MUST_CHECK;
void share_set_free(struct share_set *set); /* ends all without further calls */
DEFINE_CLEANUP(share_set)

/* As transfer_start and its sisters.  Connections, parts and times to wait are HTTP's; a server that says nothing is given
 * up by the system. */
enum result share_start(struct share_set *set, const struct transfer_order *order, struct fault *fault) MUST_CHECK;
void share_recorded(struct share_set *set, int64_t file_row, uint64_t recorded);
void share_set_priority(struct share_set *set, int64_t file_row, enum job_priority priority);
void share_stop(struct share_set *set, int64_t file_row);

/* Open one file or copy one block.  In how many ms there is more to do: 0 at once, negative not before one of the calls
 * above. */
int64_t share_work(struct share_set *set);

#endif
