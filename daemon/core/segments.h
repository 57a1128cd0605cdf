/* core/segments - which parts of one file are asked for at once, and how many.
 *
 * Several requests help where one stream cannot fill the line: far away and with loss.  Where they do not help they are a
 * burden on both ends, so they are tried, measured and given up again.  Parts are small and handed out in order, so that
 * what is whole from the beginning on, which is all that the store remembers, is never far behind.
 */
#ifndef FERRY_CORE_SEGMENTS_H
#define FERRY_CORE_SEGMENTS_H

#include "core/job.h"

#define SEGMENTS_MAX 16
#define SEGMENTS_FIRST 4       /* at once, when it is first tried */
#define SEGMENTS_STEP 2        /* more, as long as that helps */
#define SEGMENTS_GAIN_PERCENT 20 /* that more of them must bring, or it stays at fewer */
#define SEGMENTS_DROP_PERCENT 50 /* of the rate then, at which it is tried anew: it was a good moment, or the line changed */
#define SEGMENTS_LOOK_MS 500   /* between two looks; the first one after a change sees connections that are still starting */
#define SEGMENTS_LEFT_MS 3000  /* what would be over by then is not worth it */
#define SEGMENTS_FAR_MS 20     /* from a request to its answer: so far away several are tried before one was measured, */
#define SEGMENTS_FAR_BYTES (4u * 1024u * 1024u) /* for so much, */
#define SEGMENTS_FEWER_MS 10000 /* and whether fewer do as well is found out when so much is left */
#define SEGMENTS_BYTES_MIN (256u * 1024u) /* of a part, but for a file's last */

/* Bytes [first, end) of the file. */
struct segment {
	uint64_t first, end;
};

/* --- how many --- */

struct segments_pace {
	uint32_t wanted; /* requests at once, at least 1 */
	uint32_t before; /* what it was when `rate` was measured */
	uint64_t rate;   /* bytes a second with so many */
	bool warm;       /* the present number has had its first look */
	bool too_many;   /* perhaps: it began with several, and whether fewer would do is not known */
	bool settled;    /* more did not help */
};

/* An answer began after `answer_ms`; `left` bytes are to come. */
void segments_begin(struct segments_pace *pace, uint64_t answer_ms, uint64_t left, uint32_t most);
/* `bytes` came in `ms`, `left` are still to come; at most `most` at once. */
void segments_look(struct segments_pace *pace, uint64_t bytes, uint64_t ms, uint64_t left, uint32_t most);
/* No more than so many, at least 1, as long as they get on. */
void segments_settle(struct segments_pace *pace, uint32_t most);

/* --- which --- */

struct segments_plan {
	uint64_t total, next; /* from `next` on nothing was handed out */
	uint64_t length;      /* of a part */
	struct segment gaps[SEGMENTS_MAX]; /* handed out and given back, in no order */
	uint32_t gap_count;
};

/* A part that ends at `limit` at most, the earliest first.  False: there is none now. */
bool segments_take(struct segments_plan *plan, uint64_t limit, uint32_t requests, struct segment *ret_part);
/* What its request did not bring.  Of each request at most one, and of at most SEGMENTS_MAX in all. */
void segments_give_back(struct segments_plan *plan, struct segment part);
/* Nothing is left to be handed out. */
bool segments_all_taken(const struct segments_plan *plan);
/* Up to here everything was handed out and not given back. */
uint64_t segments_first_gap(const struct segments_plan *plan);

#endif
