/* client/cli/select - which job a word means: its id, an unambiguous beginning of its id of at least four digits, or its name. */
#ifndef FERRY_CLI_SELECT_H
#define FERRY_CLI_SELECT_H

#include "ferry.h"

#define SELECT_SHOWN_MAX 10 /* candidates that are kept for the message */
#define SELECT_ID_DIGITS_MIN 4 /* fewer mean no id: ids are random, and a job named "c" would be found on some days only */

struct select_candidate {
	char id[FERRY_ID_BYTES];
	char name[1024];
	enum ferry_state state;
};
/* One search: made by select_begin, fed with every job, then asked. */
struct select {
	const char *word;
	unsigned count, unfinished; /* of all that matched; of those that are not final */
	unsigned by_id;             /* of those whose id matched */
	struct select_candidate shown[SELECT_SHOWN_MAX];
	unsigned shown_count;
	struct select_candidate last_unfinished;
};

/* Whether the word is a whole id already, in any case of letters, so that nothing need be searched.  If so it is
 * written in lower case. */
bool select_is_id(const char *word, char ret_id[FERRY_ID_BYTES]);

void select_begin(struct select *select, const char *word); /* the word is borrowed */
void select_job(struct select *select, const struct ferry_status *status);

enum select_verdict { SELECT_ONE, SELECT_NONE, SELECT_MANY };
/* A name that several jobs bear means the only unfinished one of them, if there is one: yesterday's run of the same
 * update is not what is meant. */
enum select_verdict select_end(const struct select *select, char ret_id[FERRY_ID_BYTES]);

#endif
