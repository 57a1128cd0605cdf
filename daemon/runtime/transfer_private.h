/* Inside runtime/transfer - what its files share.  Nobody else includes it.
 *
 *   transfer.c         the set: who waits for a connection, who runs, who ended
 *   transfer_answer.c  one request and the judgement of its answer's head
 *   transfer_body.c    the body's way into the file: blocks, limits, back pressure
 *   transfer_segments.c  several requests for one file, where one stream does not fill the line
 *   transfer_revocation.c  whether the server's certificate was taken back
 *   transfer_fault.c   the border to CURLcode, and texts without secrets
 */
#ifndef FERRY_RUNTIME_TRANSFER_PRIVATE_H
#define FERRY_RUNTIME_TRANSFER_PRIVATE_H

#include <curl/curl.h>

#include "core/segments.h"
#include "core/url.h"
#include "runtime/transfer.h"

#define TRANSFER_BLOCK_BYTES_MAX (1024u * 1024u)   /* of one write to the file */
#define TRANSFER_BLOCK_AGE_MS 1000                 /* a block that fills slowly is written when it is so old */
#define TRANSFER_RESERVE_BYTES_MIN (1024u * 1024u) /* smaller files are not worth reserving for */
#define TRANSFER_DISCARD_BYTES_MAX (64u * 1024u)   /* of a refused answer, read to keep its connection */
#define TRANSFER_REDIRECTS_MAX 10
#define TRANSFER_TRIAL_MS 40000 /* from its start, with all redirects */

enum transfer_phase {
	TRANSFER_CONNECTING, /* no request is out; curl's connect timeout watches */
	TRANSFER_ASKED,      /* a request is out, nothing judged yet */
	TRANSFER_REDIRECTED, /* the last head sent us on; curl follows */
	TRANSFER_ANSWERED,   /* the final head was judged */
	TRANSFER_CHALLENGED, /* the last head asks who we are; curl may answer it */
};

#define TRANSFER_VERDICTS_MAX 64u              /* that a set remembers */
#define TRANSFER_VERDICT_AGE_MS 3600000        /* what an authority said is good for that long */
#define TRANSFER_UNANSWERED_AGE_MS 60000       /* before it is asked again where no answer came */
#define TRANSFER_WAITS_MAX 8u                  /* of one transfer, for verdicts, until a body begins */
#define TRANSFER_ASKS_LOOK_MS 1000             /* while a question is under way: is there a place for it now? */

/* What is known of a server's certificates. */
struct transfer_verdict {
	int64_t until_ms; /* 0: of none */
	uint8_t chain[DIGEST_SHA256_BYTES];
	struct question *question; /* NULL: the rest is known */
	enum certificate_verdict verdict;
	struct fault why;
};

/* How a transfer stands with its file's other requests. */
struct transfer_parts {
	struct transfer *lead; /* fetches a part of its file; NULL: it leads itself */

	/* Of one that leads */
	bool allowed;  /* by the answer */
	bool on;       /* there are others, and `written` is that of its own part only */
	bool over;     /* no more parts: what runs is stopped, and one request goes on from what is whole */
	bool used;     /* some of the file came in parts */
	bool proven;   /* the server answered with a range: before that the request that runs is not ended */
	bool rests;    /* its own part has ended */
	uint32_t most; /* requests at once: as ordered, until one is refused or breaks off */
	uint64_t stop_at; /* its own part's end; SIZE_UNKNOWN: it fetches all */
	uint64_t whole;   /* from the beginning on, and told */
	uint64_t hashed;
	uint64_t came;    /* bytes of all requests, since the last look */
	int64_t looked_ms;
	struct segments_pace pace;
	struct segments_plan plan;
};

struct transfer {
	struct transfer *next;
	struct transfer_set *set;
	struct transfer_parts parts;
	int64_t row;
	char *text;     /* the URL */
	struct url url; /* views of `text` */
	struct file_handle *file;
	struct resume_known known; /* points to the four below */
	char etag[FILE_ETAG_BYTES_MAX], modified[FILE_MODIFIED_BYTES_MAX];
	struct file_condition condition;
	struct ranges ranges;

	/* The request; `easy` is NULL while the transfer waits for a connection. */
	CURL *easy;
	struct curl_slist *headers;
	struct transfer_route *route; /* as in the order; of a part its lead's */
	bool folded;       /* a line of the head goes on in the next: curl and we read it differently */
	char *moved;       /* a redirect's URL that is to be asked anew */
	unsigned moves;
	bool proxy_failed; /* it could not be reached */
	struct attempt_trace trace; /* `words`: what SSPI or GSSAPI said last */
	bool trial; /* see struct transfer_order */
	int64_t ends_ms; /* of one, monotonic; 0: none */
	const struct transfer_verdict *awaited; /* it asks as soon as that is known; curl does not have it */
	unsigned waits; /* since a body began */
	struct resume_request request;
	enum transfer_phase phase;
	int64_t heard_ms; /* when the last byte came, or the request went out */
	bool heard;       /* a byte of this request's answer came */
	int64_t first_byte_ms, stall_ms; /* how long that may take */
	bool asked_again; /* the one time that is allowed */
	bool ask_again;   /* this answer was useless: ask for it from the beginning */
	bool goes_on;     /* of a file of ranges, with the next one */
	bool discard;     /* this answer's body goes nowhere */
	bool unchanged;   /* it says that the client has the file; etag and modified are what it says of that */
	uint64_t discarded;

	/* The body.  What was received is written + block_length. */
	uint64_t total;    /* of the file; SIZE_UNKNOWN */
	uint64_t stated;   /* what it must have; SIZE_UNKNOWN: anything */
	struct digest digest; /* likewise */
	struct hash *hash; /* of all that was received; before an answer, of what comes before its range */
	uint64_t end;      /* of this body: less than total if the server sends less than the rest; SIZE_UNKNOWN */
	uint64_t recorded; /* as transfer_recorded told */
	uint64_t written;
	char *block;
	size_t block_length, block_size;
	int64_t block_since_ms;
	bool reserved;
	bool anew;        /* the body began at 0, whatever was asked for */
	enum job_priority priority;
	uint32_t connections_per_host_max;
	bool joined;      /* the throttle counts it */
	uint64_t share;   /* that curl keeps to; RATE_UNLIMITED */
	int64_t free_us;  /* of core/rate: until then what came is not paid for, and nothing more is missed */
	bool held;        /* restarted: the store must forget the old bytes first */
	bool paused;      /* curl waits until we take the next bytes */
	bool unpause;     /* wanted at the next transfer_work */
	bool file_broken; /* the file took no more: nothing further is written */

	uint32_t retry_after_s;
	/* Our own verdict, which goes before curl's. */
	struct fault fault;
	char curl_text[CURL_ERROR_SIZE];
};

struct transfer_set {
	CURLM *multi;
	struct transfer_limits limits;
	struct transfer_handler handler;
	char user_agent[64];
	struct transfer *waiting, *active; /* both in order of arrival */
	size_t count, active_count;
	bool may_begin; /* something changed since the waiting ones were looked at */
	bool may_unpause;
	int64_t look_ms;  /* when the limits are looked at again; INT64_MAX: nothing is limited */
	int64_t begin_ms; /* when those who wait for a limit are; INT64_MAX: nobody does */
	int64_t stall_check_ms; /* no active transfer can stall before */
	struct transfer_verdict verdicts[TRANSFER_VERDICTS_MAX];
	bool asks; /* one of them has a question */
	int64_t parts_ms; /* when parts are looked at again; INT64_MAX: there are none */
};

/* --- transfer.c --- */
enum result transfer_new(struct transfer_set *set, const char *url, struct transfer **ret_transfer,
                         struct fault *fault) MUST_CHECK;
void transfer_free(struct transfer *transfer);
DEFINE_CLEANUP(transfer)
void transfer_join(struct transfer *transfer, enum job_priority priority); /* the throttle, until it is freed */
/* Ask, and be among the active.  Sets transfer->fault. */
enum result transfer_activate(struct transfer *transfer) MUST_CHECK;
void transfer_leave_active(struct transfer *transfer);
/* The end of an active one that curl does not have any more, by its own verdict or curl's. */
void transfer_conclude(struct transfer *transfer, CURLcode code);
void transfer_end_active(struct transfer *transfer, CURLcode code); /* or have it go on with another request */
bool transfer_has_room(const struct transfer_set *set, const struct transfer *transfer);
bool transfer_others_wait(const struct transfer_set *set, const struct transfer *transfer);

/* --- transfer_segments.c --- */
static inline struct transfer *transfer_lead(struct transfer *transfer)
{
	return transfer->parts.lead != NULL ? transfer->parts.lead : transfer;
}
/* The body of a file begins: may it be fetched in parts? */
void transfer_parts_answered(struct transfer *lead, bool takes_ranges);
void transfer_parts_proven(struct transfer *lead);      /* such a part came */
void transfer_parts_written(struct transfer *transfer); /* tell how far the file is whole */
/* One of several requests has ended.  False: it is not one of several. */
bool transfer_parts_ended(struct transfer *transfer);
/* Stop the others.  The lead goes on if it has not ended its own part; `written` is what is whole, in any case. */
void transfer_parts_join(struct transfer *lead);
void transfer_parts_tend(struct transfer_set *set);
uint64_t transfer_parts_limit(const struct transfer *lead); /* how far its file may be taken */

/* --- transfer_auth.c --- */
bool transfer_set_route(struct transfer *transfer) MUST_CHECK; /* false: no memory */
/* If it ended because Negotiate could not even begin, and NTLM will do: ask once more, with that alone. */
bool transfer_ask_by_ntlm(struct transfer *transfer, CURLcode code) MUST_CHECK;
/* If what ended it is that somebody asked who we are, fail with the reason. */
bool transfer_fail_auth(struct transfer *transfer, CURLcode code);
/* A head that asks who we are: what it offers. */
void transfer_note_challenge(struct transfer *transfer, bool by_proxy);
/* The end: what curl knows of the requests. */
void transfer_end_trace(struct transfer *transfer);

/* --- transfer_answer.c --- */
/* Hand the request to curl: with the range `request` says. */
enum result transfer_ask(struct transfer *transfer) MUST_CHECK; /* sets transfer->fault */

void transfer_free_headers(struct transfer *transfer); /* wiped */

/* --- transfer_body.c --- */
size_t transfer_on_body(char *bytes, size_t one, size_t length, void *context); /* curl's write callback */
/* Have curl keep to the transfer's share of what there is. */
void transfer_follow_limit(struct transfer *transfer);
/* Write what is buffered.  Sets transfer->fault. */
enum result transfer_flush(struct transfer *transfer) MUST_CHECK;

/* --- transfer_fault.c --- */
/* Set the transfer's own verdict; the URL is added, redacted. */
enum result transfer_fail(struct transfer *transfer, enum result result, enum fault_source source, int64_t raw,
                          const char *what);
/* The fault of a transfer that curl ended with `code`. */
enum result transfer_fail_curl(struct transfer *transfer, CURLcode code);
enum result result_from_curl(CURLcode code, enum transfer_phase phase);

/* --- transfer_redirect.c --- */
/* Judge where the last head leads.  False: the request is to end: it failed, or goes on by transfer_follow. */
bool transfer_redirected(struct transfer *transfer, const char *location) MUST_CHECK; /* NULL: to several places */
bool transfer_follow(struct transfer *transfer) MUST_CHECK; /* ask there; false: it leads nowhere, or could not be asked */

/* --- transfer_trust.c --- */
bool transfer_set_trust(struct transfer *transfer) MUST_CHECK; /* false: no memory */
/* Which certificate of the thread's identity is shown.  Sets transfer->fault. */
enum result transfer_set_certificate(struct transfer *transfer) MUST_CHECK;
unsigned transfer_ignores(const struct transfer *transfer); /* TLS_IGNORE_... */
bool transfer_trusts_nobody(const struct transfer *transfer);
/* Is the host recognised by the same as the one that was asked? */
bool transfer_trusts_alike(const struct transfer *transfer, struct text_view host);
struct text_view transfer_authority(const struct transfer *transfer); /* PEM; empty: the system's */
unsigned transfer_asks_after(const struct transfer *transfer);        /* transfer_trust_new's `revocation` */

/* --- transfer_revocation.c --- */
/* The connection is there; `session`: its TLS, or NULL.  False: the request must not go out; the fault is set, or the transfer
 * waits. */
bool transfer_may_request(struct transfer *transfer, void *session) MUST_CHECK;
bool transfer_waits(struct transfer *transfer); /* curl has given up a request: does it wait for a verdict? */
void transfer_ask_who_waited(struct transfer_set *set);
void transfer_forget_verdicts(struct transfer_set *set);

#endif
