#include "runtime/partfile_private.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* The folder held open, and the destination's own name in it. */
struct place {
	struct folder *folder;
	struct partfile_folder alone; /* holds it where nobody else does */
	char name[DESTINATION_BYTES_MAX + 1];
};

static void place_cleanup(struct place *place)
{
	partfile_folder_drop(&place->alone);
}

void partfile_folder_drop(struct partfile_folder *folder)
{
	assert(!folder->changed);
	folder_free(TAKE(folder->open));
}

bool partfile_folder_is(const struct partfile_folder *folder, const char *path)
{
	struct destination destination;
	return folder->open && destination_parse(file_path_style, text_view(path), &destination, NULL) == RESULT_OK &&
	       text_is(destination.folder, folder->path);
}

enum result partfile_folder_sync(struct partfile_folder *folder, struct fault *fault)
{
	bool changed = folder->changed;
	folder->changed = false;
	return changed ? folder_sync(folder->open, fault) : RESULT_OK;
}

static enum result sync_names(const struct partfile *part, struct folder *folder, struct fault *fault)
{
	if (!part->folder)
		return folder_sync(folder, fault);
	part->folder->changed = true;
	return RESULT_OK;
}

static enum result refuse_own_folders(const struct partfile *part, struct folder *folder, struct fault *fault)
{
	for (const char *const *forbidden = part->forbidden_folders; forbidden && *forbidden; forbidden++) {
		bool below = true;
		enum result result = folder_is_below(folder, *forbidden, &below, fault);
		if (result)
			return result;
		if (below)
			return fault_set(fault, RESULT_DENIED, FAULT_FERRY, 0, "the destination %s lies in a folder of Ferry's own",
			                 part->path);
	}
	return RESULT_OK;
}

/* Open the destination's folder, unless `last` is it. */
static enum result open_folder(const struct partfile *part, struct text_view path, struct partfile_folder *last,
                               struct fault *fault)
{
	AUTO(folder) struct folder *folder = NULL;
	if (last->open && text_is(path, last->path))
		return RESULT_OK;
	partfile_folder_drop(last);
	enum result result = text_copy(last->path, sizeof(last->path), path);
	if (result)
		return fault_set(fault, result, FAULT_FERRY, 0, "the destination %s", part->path);
	result = folder_open(last->path, &folder, fault);
	if (!result)
		result = refuse_own_folders(part, folder, fault);
	if (result)
		return result;
	last->open = TAKE(folder);
	last->writable = false;
	return RESULT_OK;
}

/* `place` is zeroed. */
static enum result place_open(const struct partfile *part, struct place *place, struct fault *fault)
{
	struct destination destination;
	struct partfile_folder *folder = part->folder ? part->folder : &place->alone;
	enum result result = destination_parse(file_path_style, text_view(part->path), &destination, fault);
	if (result)
		return result;
	result = text_copy(place->name, sizeof(place->name), destination.name);
	if (result)
		return fault_set(fault, result, FAULT_FERRY, 0, "the destination %s", part->path);
	result = open_folder(part, destination.folder, folder, fault);
	place->folder = folder->open;
	return result;
}

/* Remove whatever plain file bears the partial name, if its tag is `tag` (any, if "").  Gone already is success. */
static enum result remove_partial(const struct partfile *part, struct folder *folder, struct fault *fault)
{
	AUTO(file_handle) struct file_handle *file = NULL;
	enum result result = file_reopen(folder, part->partial, part->tag, &file, fault);
	if (result == RESULT_PATH_NOT_FOUND)
		return RESULT_OK;
	if (result)
		return result;
	return file_remove(folder, file, part->partial, fault);
}

static enum result create_partial(const struct partfile *part, struct folder *folder, struct file_handle **ret_file,
                                  struct fault *fault)
{
	enum result result = file_create(folder, part->partial, ret_file, fault);
	if (result != RESULT_EXISTS)
		return result;
	/* Nobody can have guessed the name: with no tag recorded it is ours from before a crash, and with one it has
	 * just been found too short.  Either way nothing in it is worth keeping. */
	result = remove_partial(part, folder, fault);
	if (result)
		return result;
	return file_create(folder, part->partial, ret_file, fault);
}

/* The partial file the store knows, if it is there and holds what was recorded; else RESULT_PATH_NOT_FOUND. */
static enum result reopen_partial(const struct partfile *part, struct folder *folder, struct file_handle **ret_file,
                                  struct fault *fault)
{
	if (!part->tag[0])
		return RESULT_PATH_NOT_FOUND;
	AUTO(file_handle) struct file_handle *file = NULL;
	enum result result = file_reopen(folder, part->partial, part->tag, &file, fault);
	if (result)
		return result;
	uint64_t bytes = 0;
	result = file_size(file, &bytes, fault);
	if (result)
		return result;
	if (bytes < part->bytes_recorded)
		return RESULT_PATH_NOT_FOUND;
	*ret_file = TAKE(file);
	return RESULT_OK;
}

static bool is_there(const struct place *place)
{
	char tag[FILE_TAG_BYTES_MAX];
	uint64_t bytes;
	struct fault ignored;
	return file_tag_at(place->folder, place->name, tag, &bytes, &ignored) == RESULT_OK;
}

enum result partfile_open(const struct partfile *part, struct partfile_opened *ret_opened, struct fault *fault)
{
	AUTO(place) struct place place = { .folder = NULL };
	enum result result = place_open(part, &place, fault);
	if (!result && part->yields && is_there(&place)) {
		*ret_opened = (struct partfile_opened){ .file = NULL };
		return RESULT_OK;
	}
	/* A destination that cannot be replaced is better known before the transfer than after it, where the rename has the
	 * last word. */
	if (!result)
		result = folder_check_name(place.folder, place.name, fault);
	if (result)
		return result;

	struct partfile_opened opened = { .offset = part->bytes_recorded };
	AUTO(file_handle) struct file_handle *file = NULL;
	result = reopen_partial(part, place.folder, &file, fault);
	if (result == RESULT_PATH_NOT_FOUND) {
		opened.offset = 0;
		result = create_partial(part, place.folder, &file, fault);
	}
	if (!result)
		result = file_tag(file, opened.tag, fault);
	if (result)
		return result;
	opened.file = TAKE(file);
	*ret_opened = opened;
	return RESULT_OK;
}

enum result partfile_hash(struct file_handle *file, struct hash *hash, uint64_t *at, uint64_t end, struct fault *fault)
{
	size_t length = 0, wanted = end - *at < PARTFILE_HASH_BYTES ? (size_t)(end - *at) : PARTFILE_HASH_BYTES;
	char *block = malloc(wanted);
	if (!block)
		return fault_set(fault, RESULT_NO_MEMORY, FAULT_FERRY, 0, "hash the partial file");
	enum result result = file_read(file, *at, block, wanted, &length, fault);
	if (!result && length < wanted)
		result = fault_set(fault, RESULT_FILE_CHANGED, FAULT_FERRY, 0, "the partial file became shorter");
	if (!result) {
		hash_add(hash, block, length);
		*at += length;
	}
	free(block);
	return result;
}

enum result partfile_keep(const struct partfile *part, struct fault *fault)
{
	AUTO(place) struct place place = { .folder = NULL };
	if (!folder_is_to_be_synced)
		return RESULT_OK;
	enum result result = place_open(part, &place, fault);
	return result ? result : sync_names(part, place.folder, fault);
}

enum result partfile_sync(struct file_handle *file, struct fault *fault)
{
	return file_sync(file, fault);
}

enum result partfile_finish(struct file_handle *consumed, uint64_t bytes, struct fault *fault)
{
	AUTO(file_handle) struct file_handle *file = consumed;
	enum result result = file_truncate(file, bytes, fault);
	return result ? result : file_sync(file, fault);
}

static uint64_t whole_bytes(const struct partfile *part)
{
	return part->bytes_total == SIZE_UNKNOWN ? part->bytes_recorded : part->bytes_total;
}

/* Does the destination already bear our file, published before a crash? */
static bool is_published(const struct partfile *part, const struct place *place)
{
	char tag[FILE_TAG_BYTES_MAX];
	uint64_t bytes;
	struct fault ignored;
	return file_tag_at(place->folder, place->name, tag, &bytes, &ignored) == RESULT_OK &&
	       text_is(text_view(tag), part->tag) && bytes == whole_bytes(part);
}

/* Before the file has its name, so that nobody opens it by that without the mark; and before it gets its time, which the
 * mark changes. */
static enum result mark(const struct partfile *part, struct file_handle *file, bool *ret_unmarked, struct fault *fault)
{
	enum result result = part->zone > 0 ? file_mark_zone(file, part->zone, fault) : RESULT_OK;
	*ret_unmarked = result == RESULT_NOT_SUPPORTED;
	return *ret_unmarked ? RESULT_OK : result;
}

/* The partial file is gone, or not ours: a crash may have come when it had its name, or had yielded. */
static enum result find_published(const struct partfile *part, const struct place *place, enum result found,
                                  struct partfile_published *published, struct fault *fault)
{
	if (is_published(part, place))
		return RESULT_OK;
	published->yielded = part->yields && is_there(place);
	return published->yielded ? RESULT_OK
	                          : fault_set(fault, RESULT_FILE_CHANGED, FAULT_FERRY, 0, "publish %s: the partial file %s is %s",
	                                      part->path, part->partial, found == RESULT_FILE_CHANGED ? "not ours" : "gone");
}

static enum result check_whole(const struct partfile *part, const struct place *place, struct file_handle *file,
                               struct fault *fault)
{
	uint64_t bytes = 0;
	enum result result = file_size(file, &bytes, fault);
	if (result || bytes == whole_bytes(part))
		return result;
	/* Ours but good for nothing, and nobody will know its name any more. */
	(void)!file_remove(place->folder, file, part->partial, NULL);
	return fault_set(fault, RESULT_FILE_CHANGED, FAULT_FERRY, 0, "publish %s: the partial file has %llu bytes instead of %llu",
	                 part->path, (unsigned long long)bytes, (unsigned long long)whole_bytes(part));
}

/* One handle from the check to the rename: what was checked is what gets the name. */
static enum result give_name(const struct partfile *part, const struct place *place, struct file_handle *file,
                             struct partfile_published *published, struct fault *fault)
{
	enum result result = mark(part, file, &published->unmarked, fault);
	if (result)
		return result;
	/* Where a file system keeps no such times, that is no reason to have no file. */
	if (part->modified_s != PARTFILE_NOW)
		(void)!file_set_modified(file, part->modified_s, NULL);
	if (part->yields) {
		result = file_give_name(place->folder, file, part->partial, place->name, FILE_YIELDS, fault);
		published->yielded = result == RESULT_EXISTS;
		return published->yielded ? file_remove(place->folder, file, part->partial, fault) : result;
	}
	result = partfile_keep_former(place->folder, place->name, part->versions, file, fault);
	return result ? result : file_rename(place->folder, file, part->partial, place->name, fault);
}

enum result partfile_publish(const struct partfile *part, struct partfile_published *ret_published, struct fault *fault)
{
	AUTO(file_handle) struct file_handle *file = NULL;
	AUTO(place) struct place place = { .folder = NULL };
	struct partfile_published published = { .unmarked = false };
	/* Without a tag anything under the partial name would do, and no file has become whole without one. */
	if (!part->tag[0])
		return fault_set(fault, RESULT_FILE_CHANGED, FAULT_FERRY, 0, "publish %s: no tag is recorded", part->path);
	enum result result = place_open(part, &place, fault);
	if (result)
		return result;
	result = file_reopen(place.folder, part->partial, part->tag, &file, fault);
	if (result == RESULT_PATH_NOT_FOUND || result == RESULT_FILE_CHANGED) {
		result = find_published(part, &place, result, &published, fault);
	} else if (!result) {
		result = check_whole(part, &place, file, fault);
		if (!result)
			result = give_name(part, &place, file, &published, fault);
	}
	if (!result && ret_published)
		*ret_published = published;
	/* The crash may have come between the rename and the folder's sync: sync it again. */
	return result ? result : sync_names(part, place.folder, fault);
}

enum result partfile_abandon(const struct partfile *part, struct fault *fault)
{
	if (!part->partial[0])
		return RESULT_OK;
	AUTO(place) struct place place = { .folder = NULL };
	enum result result = place_open(part, &place, fault);
	if (result == RESULT_PATH_NOT_FOUND)
		return RESULT_OK;
	if (!result)
		result = remove_partial(part, place.folder, fault);
	if (result == RESULT_FILE_CHANGED)
		return RESULT_OK; /* somebody else's: nothing of ours is left to remove */
	return result ? result : sync_names(part, place.folder, fault);
}

/* --- questions --- */

bool partfile_has_destination(const struct partfile *part, uint64_t bytes)
{
	AUTO(place) struct place place = { .folder = NULL };
	char tag[FILE_TAG_BYTES_MAX];
	uint64_t found = SIZE_UNKNOWN;
	struct fault ignored;
	return place_open(part, &place, &ignored) == RESULT_OK &&
	       file_tag_at(place.folder, place.name, tag, &found, &ignored) == RESULT_OK && found != SIZE_UNKNOWN &&
	       (bytes == SIZE_UNKNOWN || bytes == found);
}

enum result partfile_open_destination(const struct partfile *part, struct file_handle **ret_file, uint64_t *ret_bytes,
                                      struct fault *fault)
{
	AUTO(place) struct place place = { .folder = NULL };
	AUTO(file_handle) struct file_handle *file = NULL;
	enum result result = place_open(part, &place, fault);
	if (!result)
		result = file_reopen(place.folder, part->partial[0] ? part->partial : place.name, NULL, &file, fault);
	if (!result)
		result = file_size(file, ret_bytes, fault);
	if (!result)
		*ret_file = TAKE(file);
	return result;
}

static enum result check_path(const struct partfile *part, struct fault *fault)
{
	AUTO(place) struct place place = { .folder = NULL };
	struct fault found;
	enum result result = place_open(part, &place, &found);
	if (!result && !part->folder->writable) {
		result = folder_check_writable(place.folder, &found);
		part->folder->writable = !result;
	}
	if (!result)
		result = folder_check_name(place.folder, place.name, &found);
	/* What may look otherwise when the time comes is no answer.  But a drive that is not there may be a slip, and somebody is
	 * there to mend it. */
	if (!result || (result_class(result) == RETRY_LATER && result != RESULT_VOLUME_GONE))
		return RESULT_OK;
	return fault_set(fault, result, found.source, found.raw, "%s: %s", part->path, found.what);
}

enum result partfile_check(const char *paths, size_t bytes, const char *const *forbidden_folders, uint64_t *ret_index,
                           struct fault *fault)
{
	struct partfile_folder folder = { .open = NULL };
	enum result result = RESULT_OK;
	uint64_t index = 0;
	for (size_t at = 0; at < bytes; at += strlen(paths + at) + 1, index++) {
		const struct partfile part = { .path = paths + at, .forbidden_folders = forbidden_folders, .folder = &folder };
		result = check_path(&part, fault);
		if (result)
			break;
	}
	if (result)
		*ret_index = index;
	partfile_folder_drop(&folder);
	return result;
}

struct listing {
	struct buffer *names;
	size_t count;
	enum result result;
};

static bool list_name(void *context, const char *name)
{
	struct listing *listing = context;
	size_t size = strlen(name) + 1;
	if (size > FILE_PARTIAL_BYTES_MAX)
		return true; /* Ferry makes no such names */
	listing->result = buffer_append(listing->names, name, size);
	return !listing->result && ++listing->count < PARTFILE_NAMES_MAX;
}

enum result partfile_list(const struct partfile *part, const char *prefix, struct buffer *names, struct fault *fault)
{
	AUTO(place) struct place place = { .folder = NULL };
	struct listing listing = { .names = names };
	enum result result = place_open(part, &place, fault);
	if (result == RESULT_PATH_NOT_FOUND)
		return RESULT_OK;
	if (!result)
		result = folder_names(place.folder, prefix, list_name, &listing, fault);
	if (!result && listing.result)
		return fault_set(fault, listing.result, FAULT_FERRY, 0, "list the folder of %s", part->path);
	return result;
}

enum result partfile_sweep(const struct partfile *part, const char *names, size_t bytes, uint64_t *ret_removed,
                           struct fault *fault)
{
	AUTO(place) struct place place = { .folder = NULL };
	enum result result = place_open(part, &place, fault);
	uint64_t removed = 0;
	if (result)
		return result;
	for (size_t at = 0; at < bytes; at += strlen(names + at) + 1) {
		const struct partfile orphan = { .path = part->path, .partial = names + at, .tag = "" };
		struct fault ignored;
		removed += remove_partial(&orphan, place.folder, &ignored) == RESULT_OK;
	}
	*ret_removed = removed;
	return RESULT_OK;
}
