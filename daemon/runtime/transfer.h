/* runtime/transfer - the only libcurl: one multi handle and one connection pool, owned by one network worker.
 *
 * Moves bytes from a URL into an open file handle.  Does not know jobs, SQL, or whose identity its thread wears: SSPI
 * takes the thread's, which is why a transfer_set is never shared between identities (law 2).  All functions belong to
 * the worker's thread, except transfer_wake.
 */
#ifndef FERRY_RUNTIME_TRANSFER_H
#define FERRY_RUNTIME_TRANSFER_H

#include <stdlib.h>
#include <string.h>

#include "core/attempt.h"
#include "core/credentials.h"
#include "core/proxy.h"
#include "core/allow.h"
#include "core/resume.h"
#include "platform/clock.h"
#include "platform/file.h"
#include "platform/hash.h"
#include "runtime/revocation.h"
#include "runtime/throttle.h"

struct transfer_set;

/* By what servers are recognised (core/trust), beside what the system trusts: a private host's own authorities, instead of
 * the system's, and keys.  Of several entries that fit a host the first one counts.  Counted; any thread. */
#define TRANSFER_AUTHORITIES_MAX 8u
#define TRANSFER_PINS_MAX 32u
#define TRANSFER_HOSTS_MAX 64u
#define TRANSFER_URLS_MAX 32u
struct transfer_trust;
/* revocation: 0 not asked for, 1 as far as an answer comes, 2 no connection without one; version_min: 12 or 13. */
struct transfer_trust *transfer_trust_new(unsigned revocation, unsigned version_min); /* NULL: no memory */
enum result transfer_trust_authority(struct transfer_trust *trust, struct text_view host, struct text_view pem) MUST_CHECK;
/* Of a host whose certificates could not be had: nobody is believed to be it. */
enum result transfer_trust_nobody(struct transfer_trust *trust, struct text_view host) MUST_CHECK;
/* As `from` has it at its place `index`, in the order in which authorities were added. */
enum result transfer_trust_keep(struct transfer_trust *trust, struct text_view host, const struct transfer_trust *from,
                                uint32_t index) MUST_CHECK;
enum result transfer_trust_pins(struct transfer_trust *trust, struct text_view host, struct text_view pins) MUST_CHECK;
/* Which URLs are asked for at all; none is said: all are. */
/* Would servers be recognised alike, by the same bytes of authorities and pins?  What is allowed is not looked at. */
bool transfer_trust_same(const struct transfer_trust *a, const struct transfer_trust *b);
void transfer_trust_allow(struct transfer_trust *trust, const struct allowed *allowed);
/* NULL is fine.  RESULT_BLOCKED_BY_POLICY. */
enum result transfer_trust_allows(const struct transfer_trust *trust, const struct url *url, struct fault *fault) MUST_CHECK;
struct transfer_trust *transfer_trust_hold(struct transfer_trust *trust);
void transfer_trust_free(struct transfer_trust *trust);
DEFINE_CLEANUP(transfer_trust)

struct transfer_limits {
	uint64_t checkpoint_bytes;   /* at most this much of a file is written beyond what is recorded, by each request for it */
#define TRANSFER_CHECKPOINT_BYTES_MIN 65536
	uint32_t connect_timeout_ms; /* 30 s */
	uint32_t stall_timeout_s;    /* 60 s without a byte: RESULT_STALLED */
	uint32_t connections_per_host_max, connections_max;
	const char *user_agent;      /* "Ferry/1.0"; NULL: "Ferry".  Copied */
	struct throttle *throttle;   /* borrowed; NULL: nothing is limited */
	struct transfer_trust *trust; /* held by the set; NULL: what the system trusts */
	struct revocation *revocation; /* borrowed; NULL: nobody can be asked whether a certificate was taken back */
	struct identity *identity;     /* as whom that is asked; held by whoever has the set */
};

/* As whom a request answers whoever asks: struct login with the texts.  Wiped with its transfer. */
struct transfer_login {
	unsigned schemes, forbidden;
	bool implicit; /* as the identity that the thread wears */
	char user[CREDENTIAL_USER_BYTES_MAX + 1], password[CREDENTIAL_PASSWORD_BYTES_MAX + 1];
};
struct transfer_route {
	char proxy[PROXY_BYTES_MAX + 1]; /* "": directly */
	struct transfer_login logins[AUTH_TARGET_COUNT];
	char *headers; /* a block of core/headers for the origin that the URL names, no other; NULL: none */
	bool no_redirects;
	unsigned ignore;           /* TLS_IGNORE_...: nothing, HOST_NAME or ALL, of this origin's certificate */
	bool ignore_refused;       /* the job wanted to, and may not */
	char certificate[CLIENT_CERTIFICATE_BYTES_MAX]; /* that is shown to this origin, if it speaks https; "": none */
	bool certificate_withheld; /* but not by whoever fetches in the owner's place */
};
static inline void transfer_route_forget_headers(struct transfer_route *route)
{
	if (route->headers != NULL)
		text_wipe(route->headers, strlen(route->headers));
	free(TAKE(route->headers));
}
static inline void transfer_route_free(struct transfer_route *route) /* NULL is fine */
{
	if (route != NULL) {
		transfer_route_forget_headers(route);
		text_wipe(route, sizeof(*route));
	}
	free(route);
}

/* One file to fetch.  Everything is copied but `file`, which is borrowed until `finished`. */
struct transfer_order {
	int64_t file_row;
	const char *url;
	struct file_handle *file;
	enum job_priority priority; /* for the throttle */
	uint32_t connections_per_host_max; /* while it begins; 0: the set's */
	uint32_t segments_max; /* requests for it at once, where that helps; 0 and 1: one */
	uint32_t first_byte_s; /* longest wait for the first byte of an answer; 0: the set's stall_timeout_s */
	uint32_t stall_s;      /* and for any later one; 0: likewise */
	bool is_size_stated;   /* the file must have `stated` bytes: RESULT_SIZE_MISMATCH */
	uint64_t stated;
	struct digest digest;  /* that the file must have: RESULT_DIGEST_MISMATCH */
	struct hash *hash;     /* of what lies before the first byte that is asked for; the transfer's once it started */
	const char *ranges;    /* of the server's file, that make it up, as core/ranges prints them; NULL: the whole */
	struct resume_known known; /* but for its ranges */
	const struct transfer_route *route; /* NULL: directly, and whoever asks gets no answer */
	bool trial; /* ask for the head alone: there is no file, nothing is told but the end, and any answer is one */
};

struct transfer_end;

/* Called on the worker's thread from transfer_work (`written` and `finished` also from transfer_stop), and must not call
 * back into the set. */
struct transfer_handler {
	/* The answer's head was judged good.  `offset` is where the body begins: 0 after a restart.
	 * Restart of a file that had recorded bytes: nothing is written before transfer_recorded(set, row, 0) says that
	 * the store has forgotten them and knows the new validators.  A crash could otherwise leave new bytes before old
	 * ones, and a server that flips between two versions of a file would never notice. */
	void (*answered)(void *context, int64_t file_row, uint64_t offset, uint64_t total, const char *etag,
	                 const char *modified);
	/* `written` bytes of the file are in its handle (not synced).  Often; cheap. */
	void (*written)(void *context, int64_t file_row, uint64_t written);
	/* The end.  Nothing touches the file handle after this. */
	void (*finished)(void *context, int64_t file_row, const struct transfer_end *end);
	void *context;
};

struct transfer_end {
	enum result result; /* OK: whole, `written` == total, or unchanged.  CANCELLED after transfer_stop: what was buffered has been written */
	uint64_t written;
	long http_status;
	uint32_t retry_after_s; /* how long the server asked to stay away, if it may be asked again; 0: it said nothing */
	uint32_t connect_ms; /* a round trip to the server, as far as a connection was made for it; else 0 */
	uint32_t fetch_ms;   /* from the request to the end of the body; 0: there was none */
	struct fault fault;     /* of a failure */
	bool proxy_failed;      /* which is that its proxy could not be reached */
	struct attempt_trace trace; /* of its requests, those for parts aside */
	bool unchanged; /* what `known.condition` says is what the server has: nothing came, and `answered` was not called */
	char etag[FILE_ETAG_BYTES_MAX], modified[FILE_MODIFIED_BYTES_MAX]; /* of an unchanged file; "": the server did not say */
};

enum result transfer_set_new(const struct transfer_limits *limits, const struct transfer_handler *handler,
                             struct transfer_set **ret_set, struct fault *fault) MUST_CHECK;
void transfer_set_free(struct transfer_set *set); /* ends all transfers without further calls */
DEFINE_CLEANUP(transfer_set)

enum result transfer_start(struct transfer_set *set, const struct transfer_order *order, struct fault *fault) MUST_CHECK;
/* Bytes up to `recorded` are safe: the transfer may go `checkpoint_bytes` beyond.  0 releases a restart, see above. */
void transfer_recorded(struct transfer_set *set, int64_t file_row, uint64_t recorded);
/* Its job's priority is another one now; nothing if the row is not here. */
void transfer_set_priority(struct transfer_set *set, int64_t file_row, enum job_priority priority);
/* Write out what is buffered and finish with RESULT_CANCELLED; nothing if the row is not here. */
void transfer_stop(struct transfer_set *set, int64_t file_row);
size_t transfer_count(const struct transfer_set *set);
/* Sleep until a socket, a timer of curl's or transfer_wake, at most `timeout_ms`, then do what is to be done. */
enum result transfer_work(struct transfer_set *set, int64_t timeout_ms, struct fault *fault) MUST_CHECK;
void transfer_wake(struct transfer_set *set); /* any thread */

/* Once per process, before any identity is worn (rule 22). */
enum result transfer_global_init(struct fault *fault) MUST_CHECK;
const char *transfer_engine_version(void); /* curl_version() */

#endif
