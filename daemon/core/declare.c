#include "core/declare.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* A URL's query is often a secret. */
static void free_url(char *url)
{
	if (url != NULL)
		text_wipe(url, strlen(url));
	free(url);
}

void declared_free(struct declared *declared)
{
	if (declared == NULL)
		return;
	for (uint32_t i = 0; i < declared->file_count; i++) {
		struct declared_file *file = &declared->files[i];

		free_url(file->url);
		free(file->path);
		for (uint32_t j = 0; j < file->mirror_count; j++)
			free_url(file->mirrors[j]);
	}
	free(declared->files);
	free(declared->source);
	free(declared->destination);
	free(declared);
}

const char *declare_act_name(enum declare_act act)
{
	static const char *const names[DECLARE_ACT_COUNT] = { "nothing", "create", "update", "replace", "repair", "refresh", "drop" };

	return names[act];
}

/* --- what differs --- */

static bool same_digest(const struct digest *a, const struct digest *b)
{
	return a->length == b->length && memcmp(a->bytes, b->bytes, a->length) == 0;
}

/* What of a file cannot change without fetching it anew; NULL: nothing. */
static const char *differs(const struct declared_file *a, const struct declared_file *b)
{
	if (strcmp(a->path, b->path) != 0)
		return "path";
	if (strcmp(a->url, b->url) != 0)
		return "url";
	if (!same_digest(&a->digest, &b->digest))
		return "digest";
	return a->bytes != b->bytes ? "size_bytes" : NULL;
}

static bool same_mirrors(const struct declared *a, const struct declared *b)
{
	bool same = true;

	for (uint32_t i = 0; i < a->file_count && same; i++) {
		same = a->files[i].mirror_count == b->files[i].mirror_count;
		for (uint32_t j = 0; j < a->files[i].mirror_count && same; j++)
			same = strcmp(a->files[i].mirrors[j], b->files[i].mirrors[j]) == 0;
	}
	return same;
}

bool declare_same_when(const struct declared_when *a, const struct declared_when *b)
{
	return a->kind == b->kind && a->every_s == b->every_s && a->from_minute == b->from_minute &&
	       a->to_minute == b->to_minute && a->days == b->days && a->spread_s == b->spread_s;
}

/* Why a job that is under way cannot go on; false: it can. */
static bool must_replace(const struct declared *wanted, const struct declare_known *known, char *reason)
{
	const struct declared *applied = known->applied;
	const char *what = strcmp(wanted->destination, applied->destination) != 0 ? "destination" :
	                   strcmp(wanted->helper, applied->helper) != 0           ? "identity" : NULL;

	if (what != NULL) {
		text_display(reason, DECLARE_REASON_BYTES_MAX, "%s is another one now", what);
		return true;
	}
	if (wanted->file_count != applied->file_count) {
		text_display(reason, DECLARE_REASON_BYTES_MAX, "it has %" PRIu32 " files now instead of %" PRIu32, wanted->file_count,
		             applied->file_count);
		return true;
	}
	for (uint32_t i = 0; i < wanted->file_count; i++) {
		what = differs(&wanted->files[i], &applied->files[i]);
		if (what != NULL) {
			text_display(reason, DECLARE_REASON_BYTES_MAX, "files[%" PRIu32 "].%s is another one now", i, what);
			return true;
		}
	}
	if (known->unfinished && !same_mirrors(wanted, applied)) {
		text_display(reason, DECLARE_REASON_BYTES_MAX, "mirrors are others now, and its job is under way");
		return true;
	}
	return false;
}

/* What of it is another one now that changes nothing that is fetched; false: nothing. */
static bool must_update(const struct declared *wanted, const struct declared *applied, char *reason)
{
	const struct {
		bool same;
		const char *name;
	} parts[] = {
		{ wanted->priority == applied->priority, "priority" },
		{ same_mirrors(wanted, applied), "mirrors" },
		{ declare_same_when(&wanted->when, &applied->when), "when" },
		{ wanted->keep == applied->keep, "on_change" },
		{ wanted->versions == applied->versions, "keep_versions" },
	};
	bool any = false;

	text_display(reason, DECLARE_REASON_BYTES_MAX, "changed in place:");
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		size_t length = strlen(reason);

		if (!parts[i].same)
			text_display(reason + length, DECLARE_REASON_BYTES_MAX - length, "%s %s", any ? "," : "", parts[i].name);
		any |= !parts[i].same;
	}
	return any;
}

/* --- what is fetched --- */

/* What a file has that is declared without a digest, a server knows: it is asked whether that is still the newest. */
static bool is_asked_for(const struct declared *wanted, const struct declare_known *known, uint32_t file)
{
	return known->due && !wanted->keep && wanted->when.kind != DECLARED_ONCE && wanted->files[file].digest.length == 0;
}

bool declare_fetches(const struct declared *wanted, const struct declare_known *known, uint32_t file)
{
	switch (known->disk[file]) {
	case DISK_MISSING: return known->now;
	case DISK_ALTERED: return known->now && !wanted->keep;
	case DISK_UNSEEN: return known->now && (wanted->helper[0] == '\0' || known->due || known->owed);
	case DISK_UNKNOWN: return false;
	case DISK_RIGHT: break;
	}
	return is_asked_for(wanted, known, file);
}

struct tally {
	uint32_t fetch, missing, altered, unknown, asked, wrong; /* wrong: missing or altered, whether or not it is fetched now */
};

static struct tally count(const struct declared *wanted, const struct declare_known *known)
{
	struct tally tally = { 0 };

	for (uint32_t i = 0; i < wanted->file_count; i++) {
		bool missing = known->disk[i] == DISK_MISSING, altered = known->disk[i] == DISK_ALTERED && !wanted->keep;

		tally.missing += missing;
		tally.altered += altered;
		tally.unknown += known->disk[i] == DISK_UNKNOWN;
		tally.wrong += missing || altered;
		tally.fetch += declare_fetches(wanted, known, i);
		tally.asked += !missing && !altered && declare_fetches(wanted, known, i);
	}
	return tally;
}

static void say_fetch(char *reason, const struct tally *tally, const struct declare_known *known)
{
	size_t length = strlen(reason);

	if (tally->wrong > 0)
		text_display(reason + length, DECLARE_REASON_BYTES_MAX - length, "%s%" PRIu32 " files missing, %" PRIu32 " altered%s",
		             length > 0 ? "; " : "", tally->missing, tally->altered, known->now ? "" : ", which waits until it is due");
}

/* --- what is done --- */

static void decide_known(const struct declared *wanted, const struct declare_known *known, struct declare_action *action)
{
	struct tally tally = count(wanted, known);

	if (must_replace(wanted, known, action->reason)) {
		action->act = DECLARE_REPLACE;
		action->fetch = tally.fetch;
		say_fetch(action->reason, &tally, known);
		return;
	}
	if (must_update(wanted, known->applied, action->reason)) {
		action->act = DECLARE_UPDATE;
		action->fetch = known->unfinished ? 0 : tally.fetch;
		return;
	}
	action->reason[0] = '\0';
	if (known->failed && known->now) {
		action->act = DECLARE_REPAIR;
		text_display(action->reason, sizeof(action->reason), "its job is in error, and is resumed");
	} else if (known->unfinished) {
		text_display(action->reason, sizeof(action->reason), "its job is under way");
	} else if (tally.wrong > 0) {
		action->act = known->now ? DECLARE_REPAIR : DECLARE_NOTHING;
		action->fetch = tally.fetch;
		say_fetch(action->reason, &tally, known);
	} else if (tally.asked > 0) {
		action->act = DECLARE_REFRESH;
		action->fetch = tally.fetch;
		text_display(action->reason, sizeof(action->reason), "it is due: %" PRIu32 " files are asked for", tally.asked);
	} else if (tally.unknown > 0) {
		text_display(action->reason, sizeof(action->reason), "%" PRIu32 " files could not be looked at", tally.unknown);
	} else {
		text_display(action->reason, sizeof(action->reason), "all of it is there and right");
	}
}

void declare_decide(const struct declared *wanted, const struct declare_known *known, struct declare_action *ret_action)
{
	*ret_action = (struct declare_action){ .act = DECLARE_NOTHING };
	if (wanted == NULL) {
		ret_action->act = DECLARE_DROP;
		text_display(ret_action->reason, sizeof(ret_action->reason), "no file declares it any more; %s",
		             known->unfinished ? "its job is cancelled, and what has landed stays" : "what has landed stays");
		return;
	}
	if (known->applied != NULL) {
		decide_known(wanted, known, ret_action);
		return;
	}
	struct tally tally = count(wanted, known);

	ret_action->act = DECLARE_CREATE;
	ret_action->fetch = tally.fetch;
	text_display(ret_action->reason, sizeof(ret_action->reason), "it is declared anew, with %" PRIu32 " files", wanted->file_count);
	say_fetch(ret_action->reason, &tally, known);
}
