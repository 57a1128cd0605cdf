/* core/resume - continue, restart or refuse, from sizes and validators.
 *
 * The request side says what to ask a server for; the answer side judges what came.  How bytes travel is
 * runtime/transfer's business.  RFC 9110 sections 8.8, 13.1.5, 14 and 15.3.7.
 */
#ifndef FERRY_CORE_RESUME_H
#define FERRY_CORE_RESUME_H

#include "core/job.h"

/* What is known of a file before the request. */
struct resume_known {
	uint64_t offset; /* bytes on disk that are synced and recorded */
	uint64_t total;  /* SIZE_UNKNOWN if not known */
	const char *etag, *modified; /* "" if not known */
	bool verified; /* its digest is compared when it is whole */
	bool elsewhere; /* what is on disk came from another source than is asked now */
	bool keep;      /* and is not given up for the whole of this one's */
	const struct file_condition *condition; /* what the client has of it, if that is to be asked about; else NULL */
	const struct ranges *ranges; /* of the server's file, that make it up; NULL: the whole.  `offset` and `total` are its own */
	uint64_t remote_total;       /* where there are ranges: the server's file's size; 0: not known */
};

/* What to ask: a range from `offset` (0: none) with If-Range `validator`.  The validator is a strong ETag, else
 * Last-Modified.  Without either, it is "" and the digest will tell whether the rest belonged to the beginning, where
 * that and the size are known; else the file is fetched from 0.  If all bytes are there already, `offset` is that of
 * the last one: the answer then tells whether they still are the server's file.
 *
 * Of a file of ranges always a range is asked for, and never the whole; one after the other, from `offset` on. */
struct resume_request {
	uint64_t offset;
	const char *validator; /* points into `known` */
	uint64_t end;          /* of a part of the file (core/segments); 0: all from `offset` on */
	bool is_range;         /* of a file of ranges: what is asked for is from `first` up to before `end` */
	uint64_t first;
	bool conditional;      /* the whole, but only if it is not what `known->condition` says; never with a range */
};
void resume_plan(const struct resume_known *known, struct resume_request *ret_request);
/* Where what is on disk turned out to be of no use. */
void resume_plan_whole(const struct resume_known *known, struct resume_request *ret_request);
/* A file may be fetched in parts under such a tag only. */
bool resume_is_strong_etag(const char *etag);

/* What a server answered, as far as the rules need it. */
struct resume_answer {
	long status;
	bool has_content_range;
	uint64_t range_first, range_last, range_total; /* of Content-Range; range_total may be SIZE_UNKNOWN */
	uint64_t content_length;                       /* SIZE_UNKNOWN if not sent */
	bool encoded;                                  /* a Content-Encoding other than identity */
	char etag[FILE_ETAG_BYTES_MAX];
	char modified[FILE_MODIFIED_BYTES_MAX];
};

enum resume_verdict {
	RESUME_CONTINUE, /* body goes to `offset` of the request */
	RESUME_RESTART,  /* body goes to 0: the whole file comes, or the first of its ranges */
	RESUME_AGAIN,    /* no usable body: ask again by resume_plan_whole; never the verdict on such a request */
	RESUME_UNCHANGED, /* no body: the client has the server's file; never the verdict on a request without a condition */
	RESUME_REFUSE,   /* fault says why */
};
/* On CONTINUE and RESTART `ret_total` is the file's whole size or SIZE_UNKNOWN.  On AGAIN the fault says what it is if that
 * was done already. */
enum resume_verdict resume_judge(const struct resume_known *known, const struct resume_request *request,
                                 const struct resume_answer *answer, uint64_t *ret_total, struct fault *fault);

/* Is it exactly the part that was asked for, of the very file that is known?  RESULT_OK | RESULT_INSUFFICIENT_HTTP. */
enum result resume_judge_part(const struct resume_known *known, const struct resume_request *request,
                              const struct resume_answer *answer, struct fault *fault) MUST_CHECK;

/* After the body ended cleanly: is the file whole?  RESULT_OK | RESULT_CONNECTION_CLOSED | RESULT_REMOTE_CHANGED. */
enum result resume_finish(uint64_t received, uint64_t total, struct fault *fault) MUST_CHECK;

/* A file of any other size than the client stated is not the one that was meant.  Either may be SIZE_UNKNOWN.
 * RESULT_OK | RESULT_SIZE_MISMATCH; the fault has both. */
enum result resume_check_size(uint64_t stated, uint64_t bytes, struct fault *fault) MUST_CHECK;

/* Parse "bytes 5-9/10" or "bytes 5-9/ *" (without the space).  False for anything else, overflow included. */
bool resume_parse_content_range(struct text_view value, uint64_t *ret_first, uint64_t *ret_last, uint64_t *ret_total);
/* Parse the date that servers send, "Sun, 06 Nov 1994 08:49:37 GMT", to Unix time; RFC 9110 section 5.6.7.  False for anything
 * else, the two forms that nobody has sent for thirty years included. */
bool resume_parse_date(struct text_view value, int64_t *ret_unix_s);
/* The same the other way round, for the years 1601 to 9999. */
#define RESUME_DATE_BYTES 30
void resume_format_date(int64_t unix_s, char to[RESUME_DATE_BYTES]);
/* The retry class and outcome of an HTTP status that is not a success; docs/bits.md section 5.1. */
enum result resume_status_result(long status);

#endif
