#include "cli/tar.h"

#include <inttypes.h>
#include <string.h>

#define CHUNK_BYTES 65536u
#define OCTAL_MAX 077777777777ull /* eleven digits: 8 GiB less one byte */

/* Its fields in their order; all are text, and what is not used is zero. */
struct header {
	char name[100], mode[8], uid[8], gid[8], size[12], modified[12], checksum[8], type, link[100];
	char magic[6], version[2], owner[32], group[32], device[16], prefix[155], rest[12];
};
_Static_assert(sizeof(struct header) == TAR_BLOCK_BYTES, "a header is a block");

static enum result append(struct tar *tar, const void *bytes, size_t size, struct fault *fault)
{
	enum result result = file_write(tar->file, tar->length, bytes, size, fault);

	tar->length += size;
	return result;
}

/* With zeros to the end of the block. */
static enum result pad(struct tar *tar, struct fault *fault)
{
	static const char zeros[TAR_BLOCK_BYTES];
	size_t over = tar->length % TAR_BLOCK_BYTES;

	return over == 0 ? RESULT_OK : append(tar, zeros, TAR_BLOCK_BYTES - over, fault);
}

static enum result begin_entry(struct tar *tar, const char *name, uint64_t size, struct fault *fault)
{
	struct header header = { .mode = "0000600", .uid = "0000000", .gid = "0000000", .type = '0', .magic = "ustar", .version = "00" };
	unsigned checksum = 0;

	if (size > OCTAL_MAX || text_copy(header.name, TAR_NAME_BYTES_MAX + 1, text_view(name)) != RESULT_OK)
		return fault_set(fault, RESULT_TOO_LARGE, FAULT_FERRY, 0, "put %s into an archive", name);
	text_display(header.size, sizeof(header.size), "%011" PRIo64, size);
	text_display(header.modified, sizeof(header.modified), "%011" PRIo64, (uint64_t)tar->modified_s);
	memset(header.checksum, ' ', sizeof(header.checksum));
	for (size_t i = 0; i < sizeof(header); i++)
		checksum += ((const unsigned char *)&header)[i];
	text_display(header.checksum, sizeof(header.checksum) - 1, "%06o", checksum); /* a zero and the blank end it */
	return append(tar, &header, sizeof(header), fault);
}

static enum result split(const char *path, char folder[DESTINATION_BYTES_MAX + 1], struct tar *tar, struct fault *fault)
{
	size_t length = strlen(path);

	while (length > 0 && path[length - 1] != '/' && path[length - 1] != '\\')
		length--;
	enum result result = text_copy(tar->name, sizeof(tar->name), text_view(path + length));
	if (length > 1 && path[length - 2] != ':')
		length--; /* a root keeps its separator */
	if (result == RESULT_OK)
		result = text_copy(folder, DESTINATION_BYTES_MAX + 1, (struct text_view){ path, length });
	return result == RESULT_OK ? result : fault_set(fault, result, FAULT_FERRY, 0, "create %s", path);
}

enum result tar_begin(struct tar *tar, const char *path, int64_t modified_s, struct fault *fault)
{
	char folder[DESTINATION_BYTES_MAX + 1];

	*tar = (struct tar){ .modified_s = modified_s };
	enum result result = split(path, folder, tar, fault);
	if (result == RESULT_OK)
		result = folder_open(folder, &tar->folder, fault);
	if (result == RESULT_OK)
		result = file_create(tar->folder, tar->name, &tar->file, fault);
	if (result != RESULT_OK)
		folder_free(TAKE(tar->folder));
	return result;
}

enum result tar_add(struct tar *tar, const char *name, struct text_view content, struct fault *fault)
{
	enum result result = begin_entry(tar, name, content.length, fault);

	if (result == RESULT_OK && content.length > 0)
		result = append(tar, content.bytes, content.length, fault);
	return result == RESULT_OK ? pad(tar, fault) : result;
}

enum result tar_add_file(struct tar *tar, const char *name, struct file_handle *from, uint64_t bytes_max, struct fault *fault)
{
	char chunk[CHUNK_BYTES];
	uint64_t end = 0;
	enum result result = file_size(from, &end, fault);
	uint64_t at = end > bytes_max ? end - bytes_max : 0;

	if (result == RESULT_OK)
		result = begin_entry(tar, name, end - at, fault);
	while (result == RESULT_OK && at < end) {
		size_t got = 0, wanted = end - at < CHUNK_BYTES ? (size_t)(end - at) : CHUNK_BYTES;

		result = file_read(from, at, chunk, wanted, &got, fault);
		if (result == RESULT_OK && got == 0)
			result = fault_set(fault, RESULT_IO_FAILED, FAULT_FERRY, 0, "%s has become shorter", name);
		if (result == RESULT_OK)
			result = append(tar, chunk, got, fault);
		at += got;
	}
	return result == RESULT_OK ? pad(tar, fault) : result;
}

enum result tar_end(struct tar *tar, enum result result, struct fault *fault)
{
	static const char zeros[2 * TAR_BLOCK_BYTES];

	if (result == RESULT_OK)
		result = append(tar, zeros, sizeof(zeros), fault);
	if (result == RESULT_OK)
		result = file_sync(tar->file, fault);
	if (result != RESULT_OK)
		(void)!file_remove(tar->folder, tar->file, tar->name, NULL);
	file_handle_free(TAKE(tar->file));
	folder_free(TAKE(tar->folder));
	return result;
}
