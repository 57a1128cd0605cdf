/* runtime/worker - one thread wearing one identity: orders in, reports out.
 *
 * Four kinds: a network worker owns one transfer_set, a share worker one share_set, which blocks and would keep the
 * transfers waiting; a proxy worker asks
 * the system for proxies, which takes its time; a file worker does partfile's blocking work.  Orders for the network go to either of the former, as the
 * URL says.  A worker puts its
 * identity on at birth and ends when it cannot wear it (law 1).  It knows no SQL, no policy and no other identity.
 * The engine sees workers only through `struct worker_ops`, so that tests put fakes there.
 */
#ifndef FERRY_RUNTIME_WORKER_H
#define FERRY_RUNTIME_WORKER_H

#include <stdlib.h>

#include "platform/clock.h"
#include "platform/identity.h"
#include "platform/proxy.h"
#include "runtime/mailbox.h"
#include "runtime/partfile.h"
#include "runtime/syncs.h"
#include "runtime/transfer.h"

enum worker_kind { WORKER_NETWORK, WORKER_FILE, WORKER_SHARE, WORKER_PROXY, WORKER_KIND_COUNT };

enum order_kind {
	ORDER_OPEN,     /* file:    partfile_open; report has handle, tag, bytes = offset, and a hash if there is a digest */
	ORDER_SYNC,     /* file:    partfile_sync; report.bytes = order.bytes */
	ORDER_CLOSE,    /* file:    partfile_sync and close; report.bytes = order.bytes */
	ORDER_FINISH,   /* file:    partfile_finish */
	ORDER_PUBLISH,  /* file:    partfile_publish */
	ORDER_LOOK,     /* file:    what is at file.path, or where it has one at file.partial: bytes and digest, which is of
	                 *          file.digest's length, or sha256; length 0: its size is not the one that is stated */
	ORDER_CHECK,    /* file:    partfile_check of the paths in `list`; a failure's bytes = index of the path */
	ORDER_LIST,     /* file:    partfile_list of what begins with `list` in file.path's folder; report has the names */
	ORDER_SWEEP,    /* file:    partfile_sweep of the names in `list`, in file.path's folder; bytes = how many are gone */
	ORDER_ABANDON,  /* file:    close the handle if one is given, then partfile_abandon */
	ORDER_FETCH,    /* network: transfer_start with `handle` and `hash`, from bytes_recorded; `list`: the file's ranges */
	ORDER_RECORDED, /* network: transfer_recorded(bytes), 0 after a restart (see REPORT_ANSWERED); no report */
	ORDER_PRIORITY, /* network: transfer_set_priority; no report */
	ORDER_PROXY,    /* proxy:   proxy_ask in mode `bytes` for file.url's server.  report.names: what was in `list`, then
	                 * the list of proxies and that of bypasses; bytes = whose they are, bytes_total = the mode, fault = what was missed */
	ORDER_TRY,      /* network: a trial transfer of file.url by `route`; report has the trace */
	ORDER_STOP,     /* network: transfer_stop; file: an OPEN or LOOK that still reads.  Answered by the report of that */
};

/* An order carries copies of what it needs.  It is one malloc'ed block, given to the worker, whose memory becomes the
 * order's DONE report: what was accepted can always be answered. */
struct order {
	struct letter letter;
	enum order_kind kind;
	uint64_t flight; /* the engine's number for this file's activity; comes back in reports */
	struct file_handle *handle; /* borrowed; consumed by CLOSE, FINISH and ABANDON */
	struct hash *hash;          /* FETCH: see struct transfer_order; the order's own */
	uint64_t bytes;
	enum job_priority priority;     /* FETCH: see struct transfer_order */
	uint32_t connections_per_host_max, segments_max; /* likewise */
	uint32_t first_byte_s, stall_s; /* likewise */
	bool elsewhere, keep; /* FETCH: see struct resume_known */
	bool conditional;     /* FETCH: ask on the file's condition */
	struct transfer_route *route; /* FETCH: see struct transfer_order; the order's own */
	unsigned zone, versions; /* PUBLISH: see struct partfile */
	bool yields;             /* OPEN, PUBLISH: likewise */
	struct file file;   /* as recorded in the store; of CHECK: nothing */
	struct buffer list; /* texts, each with its end, or of FETCH one; the worker's once it is given the order */
};

/* Of an order that no worker was given; its handle stays whose it is.  NULL is fine. */
static inline void order_free(struct order *order)
{
	if (order != NULL) {
		buffer_done(&order->list);
		hash_free(order->hash);
		transfer_route_free(order->route);
		text_wipe(order->file.url, sizeof(order->file.url)); /* its query is often a secret */
	}
	free(order);
}

enum report_kind {
	REPORT_DONE,     /* the order's end: result, fault, and what its kind says */
	REPORT_ANSWERED, /* FETCH: head judged; bytes = offset, bytes_total/etag/modified.  bytes = 0 where the file had
	                  * recorded ones: commit that, then send ORDER_RECORDED 0; nothing is written before */
	REPORT_WRITTEN,  /* FETCH: bytes = written so far; at most every WORKER_WRITTEN_INTERVAL_MS, and at checkpoints */
	REPORT_DEAD,     /* the worker could not put its identity on, or broke: it does nothing any more */
};
#define WORKER_WRITTEN_INTERVAL_MS 200

struct worker;

struct report {
	struct letter letter;
	enum report_kind kind;
	enum order_kind order;
	struct worker *worker;
	uint64_t flight;
	enum result result;
	struct fault fault;
	struct file_handle *handle; /* OPEN: now the engine's to pass on */
	struct hash *hash;          /* OPEN: likewise; of what lies before the first byte that FETCH will ask for */
	uint64_t bytes;
	bool conditional; /* OPEN: the file has a condition, and a destination that would stay */
	bool unchanged;   /* FETCH: see struct transfer_end; with etag and modified */
	uint64_t bytes_total; /* ANSWERED */
	long http_status;
	uint32_t retry_after_s; /* FETCH: see struct transfer_end */
	bool proxy_failed; /* likewise */
	uint32_t connect_ms, fetch_ms; /* likewise */
	struct attempt_trace trace; /* FETCH, TRY: likewise */
	bool unmarked; /* PUBLISH: see partfile_publish */
	bool yielded;  /* OPEN, PUBLISH: something has the destination's name, and stays; OPEN then made no file */
	char tag[FILE_TAG_BYTES_MAX];           /* OPEN */
	struct digest digest;                   /* LOOK */
	char etag[FILE_ETAG_BYTES_MAX];         /* ANSWERED */
	char modified[FILE_MODIFIED_BYTES_MAX]; /* ANSWERED */
	struct buffer names; /* LIST, PROXY: texts, each with its end; the sink's with the report */
};

/* Where reports go: called on the worker's thread; the report is the sink's (free()). */
struct report_sink {
	void (*post)(void *context, struct report *report);
	void *context;
};

struct worker_settings {
	struct transfer_limits transfer;
	const char *const *forbidden_folders; /* lives as long as the workers */
	struct syncs *syncs;                  /* likewise; NULL: one after the other */
};

/* start: the identity is held by the worker while it lives.
 * order: takes ownership.
 * stop: no more orders; finishes what is running at once, then ends.  Blocks until the thread is gone; reports may still
 * arrive meanwhile.  Frees the worker. */
struct worker_ops {
	enum result (*start)(void *context, enum worker_kind kind, struct identity *identity,
	                     const struct report_sink *sink, struct worker **ret_worker, struct fault *fault);
	void (*order)(struct worker *worker, struct order *order);
	void (*stop)(struct worker *worker);
	void *context; /* const struct worker_settings * for the real ones */
};
struct worker_ops worker_real_ops(const struct worker_settings *settings);

#endif
