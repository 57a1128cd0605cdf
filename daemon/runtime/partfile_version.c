/* runtime/partfile: former contents.  There is a file of the destination's name at any time: what has it gets NAME.1 beside it,
 * and then the new one replaces it; but where no file can have two names, it is renamed, and for a moment there is none. */
#include "runtime/partfile_private.h"

#include <stdlib.h>
#include <string.h>

#define VERSION_NAME_BYTES_MAX (DESTINATION_BYTES_MAX + 8)

struct versions {
	struct folder *folder;
	const char *name;
	unsigned wanted;
};

/* Of the file itself: 0. */
static enum result version_name(const struct versions *versions, unsigned version, char to[VERSION_NAME_BYTES_MAX],
                                struct fault *fault)
{
	enum result result = version == 0 ? text_copy(to, VERSION_NAME_BYTES_MAX, text_view(versions->name))
	                                  : text_format(to, VERSION_NAME_BYTES_MAX, "%s.%u", versions->name, version);
	return result ? fault_set(fault, result, FAULT_FERRY, 0, "keep what was at %s", versions->name) : RESULT_OK;
}

/* RESULT_PATH_NOT_FOUND: nothing has its name.  RESULT_FILE_CHANGED: no plain file with one name has it. */
static enum result open_version(const struct versions *versions, unsigned version, char name[VERSION_NAME_BYTES_MAX],
                                struct file_handle **ret_file, struct fault *fault)
{
	enum result result = version_name(versions, version, name, fault);
	return result ? result : file_reopen(versions->folder, name, "", ret_file, fault);
}

/* The content of that version becomes the one before it. */
static enum result age(const struct versions *versions, unsigned version, struct fault *fault)
{
	AUTO(file_handle) struct file_handle *file = NULL;
	char from[VERSION_NAME_BYTES_MAX], to[VERSION_NAME_BYTES_MAX];
	enum result result = open_version(versions, version, from, &file, fault);
	if (!result)
		result = version_name(versions, version + 1, to, fault);
	return result ? result : file_rename(versions->folder, file, from, to, fault);
}

/* How many there are from NAME.1 on, up to the first number that is free. */
static enum result count(const struct versions *versions, unsigned *ret_count, struct fault *fault)
{
	enum result result = RESULT_OK;
	for (*ret_count = 0; *ret_count < versions->wanted; (*ret_count)++) {
		AUTO(file_handle) struct file_handle *file = NULL;
		char name[VERSION_NAME_BYTES_MAX];
		result = open_version(versions, *ret_count + 1, name, &file, fault);
		if (result)
			break;
	}
	return result == RESULT_PATH_NOT_FOUND ? RESULT_OK : result;
}

/* A link replaces nothing: where one version alone is kept, it goes first. */
static enum result remove_only(const struct versions *versions, struct fault *fault)
{
	AUTO(file_handle) struct file_handle *file = NULL;
	char name[VERSION_NAME_BYTES_MAX];
	enum result result = open_version(versions, 1, name, &file, fault);
	return result ? result : file_remove(versions->folder, file, name, fault);
}

/* From the first free number on, so that after a crash nothing that has moved already is moved twice. */
static enum result make_room(const struct versions *versions, struct fault *fault)
{
	unsigned version = 0;
	enum result result = count(versions, &version, fault);
	if (!result && version == 1 && versions->wanted == 1)
		return remove_only(versions, fault);
	if (version == versions->wanted)
		version--;
	for (; !result && version > 0; version--)
		result = age(versions, version, fault);
	return result;
}

/* What cannot be read is not the same. */
static bool same_content(struct file_handle *one, struct file_handle *other)
{
	uint64_t bytes = 0, other_bytes = 0;
	size_t length = 0, other_length = 0;
	bool same = file_size(one, &bytes, NULL) == RESULT_OK && file_size(other, &other_bytes, NULL) == RESULT_OK &&
	            bytes == other_bytes;
	struct {
		char one[PARTFILE_HASH_BYTES], other[PARTFILE_HASH_BYTES];
	} *blocks = same ? malloc(sizeof(*blocks)) : NULL;
	same = blocks;
	for (uint64_t at = 0; same && at < bytes; at += length)
		same = file_read(one, at, blocks->one, sizeof(blocks->one), &length, NULL) == RESULT_OK && length > 0 &&
		       file_read(other, at, blocks->other, length, &other_length, NULL) == RESULT_OK && other_length == length &&
		       memcmp(blocks->one, blocks->other, length) == 0;
	free(blocks);
	return same;
}

/* Have NAME and NAME.1 one file?  A crash came before the new one replaced the former, which is kept already. */
static bool is_kept(const struct versions *versions, const char *to)
{
	char tag[FILE_TAG_BYTES_MAX], kept_tag[FILE_TAG_BYTES_MAX];
	uint64_t bytes;
	struct fault ignored;
	return file_tag_at(versions->folder, versions->name, tag, &bytes, &ignored) == RESULT_OK &&
	       file_tag_at(versions->folder, to, kept_tag, &bytes, &ignored) == RESULT_OK && strcmp(tag, kept_tag) == 0;
}

static enum result keep(const struct versions *versions, struct file_handle *new_file, struct fault *fault)
{
	AUTO(file_handle) struct file_handle *former = NULL;
	char from[VERSION_NAME_BYTES_MAX], to[VERSION_NAME_BYTES_MAX];
	enum result result = version_name(versions, 1, to, fault);
	if (result || is_kept(versions, to))
		return result;
	result = open_version(versions, 0, from, &former, fault);
	if (result || same_content(former, new_file))
		return result == RESULT_PATH_NOT_FOUND ? RESULT_OK : result;
	result = make_room(versions, fault);
	if (!result && file_give_name(versions->folder, former, from, to, FILE_LINKS, NULL) != RESULT_OK)
		result = file_rename(versions->folder, former, from, to, fault);
	return result;
}

enum result partfile_keep_former(struct folder *folder, const char *name, unsigned versions, struct file_handle *new_file,
                                 struct fault *fault)
{
	const struct versions wanted = { folder, name, versions };
	enum result result = versions > 0 ? keep(&wanted, new_file, fault) : RESULT_OK;
	/* What is in the way of that keeps the new file from nothing. */
	bool in_the_way = result == RESULT_FILE_CHANGED || result == RESULT_IS_FOLDER || result == RESULT_TOO_LONG;
	return in_the_way ? RESULT_OK : result;
}
