#include "cli/select.h"

#include <string.h>

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool is_digit(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

bool select_is_id(const char *word, char ret_id[FERRY_ID_BYTES])
{
	static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

	if (strlen(word) != sizeof(form) - 1)
		return false;
	for (size_t i = 0; i < sizeof(form) - 1; i++) {
		char c = lower(word[i]);
		if (form[i] == 'x' ? !is_digit(c) : c != '-')
			return false;
	}
	for (size_t i = 0; i < sizeof(form); i++)
		ret_id[i] = lower(word[i]);
	return true;
}

void select_begin(struct select *select, const char *word)
{
	memset(select, 0, sizeof(*select));
	select->word = word;
}

static bool begins_with(const char *id, const char *word)
{
	size_t i = 0;

	while (word[i] != '\0' && id[i] == lower(word[i]))
		i++;
	return i >= SELECT_ID_DIGITS_MIN && word[i] == '\0';
}

void select_job(struct select *select, const struct ferry_status *status)
{
	struct select_candidate candidate = { .state = status->state };
	bool by_id = begins_with(status->id, select->word);

	if (!by_id && strcmp(status->name, select->word) != 0)
		return;
	memcpy(candidate.id, status->id, sizeof(candidate.id));
	memcpy(candidate.name, status->name, sizeof(candidate.name));
	select->count++;
	if (by_id)
		select->by_id++;
	if (!ferry_state_is_final(status->state)) {
		select->unfinished++;
		select->last_unfinished = candidate;
	}
	if (select->shown_count < SELECT_SHOWN_MAX)
		select->shown[select->shown_count++] = candidate;
}

enum select_verdict select_end(const struct select *select, char ret_id[FERRY_ID_BYTES])
{
	const struct select_candidate *one;

	if (select->count == 0)
		return SELECT_NONE;
	if (select->count == 1)
		one = &select->shown[0];
	else if (select->by_id == 0 && select->unfinished == 1)
		one = &select->last_unfinished;
	else
		return SELECT_MANY;
	memcpy(ret_id, one->id, FERRY_ID_BYTES);
	return SELECT_ONE;
}
