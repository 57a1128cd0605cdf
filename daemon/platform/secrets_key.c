/* platform/secrets: the key, and what it makes of a binding.
 *
 * The account's own scope is not Ferry's alone: other services run as NetworkService, too, and DPAPI would open for them
 * what it opens for Ferry, but for the entropy.  So that comes from a file which they may not read. */
#include <stdlib.h>
#include <string.h>

#include "platform/file.h"
#include "platform/hash.h"
#include "platform/identity.h"
#include "platform/secrets_dpapi.h"

#define KEY_NAME "secrets.key"
#define KEY_BYTES 32u

struct secrets {
	uint8_t key[KEY_BYTES];
};

/* A power cut between the making of the file and its sync may leave nothing in it, or zeros. */
static bool is_key(const struct buffer *found)
{
	static const uint8_t zeros[KEY_BYTES];

	return found->length == KEY_BYTES && memcmp(found->bytes, zeros, KEY_BYTES) != 0;
}

static enum result read_key(const char *path, uint8_t key[KEY_BYTES], struct fault *fault)
{
	AUTO(buffer) struct buffer found = BUFFER(2 * KEY_BYTES);
	struct fault why = { .source = FAULT_FERRY };
	enum result result = file_read_all(path, &found, &why);

	if (result == RESULT_TOO_LARGE || (result == RESULT_OK && !is_key(&found)))
		return fault_set(fault, RESULT_DATA_UNUSABLE, FAULT_FERRY, 0,
		                 "%s is not the key of %u bytes that it was: put it back, or remove it and give all jobs their "
		                 "secrets again",
		                 path, KEY_BYTES);
	if (result != RESULT_OK)
		return fault_set(fault, result, why.source, why.raw, "read the key %s", path);
	memcpy(key, found.bytes, KEY_BYTES);
	text_wipe(found.bytes, found.length);
	return RESULT_OK;
}

static enum result fill_key(struct file_handle *file, const uint8_t key[KEY_BYTES], struct fault *fault)
{
	enum result result = file_write(file, 0, key, KEY_BYTES, fault);

	return result == RESULT_OK ? file_sync(file, fault) : result;
}

static enum result make_key(const char *path, uint8_t key[KEY_BYTES], struct fault *fault)
{
	AUTO(file_handle) struct file_handle *file = NULL;
	struct fault why = { .source = FAULT_FERRY };
	char aside[DESTINATION_BYTES_MAX + sizeof(".bad")];
	enum result result = identity_random(key, KEY_BYTES, fault);

	if (result == RESULT_OK)
		result = file_create_private(path, &file, fault);
	if (result != RESULT_OK || (result = fill_key(file, key, &why)) == RESULT_OK)
		return result;
	/* Under its name it would be taken for a key that was damaged. */
	file_handle_free(TAKE(file));
	text_display(aside, sizeof(aside), "%s.bad", path);
	bool moved = file_move(path, aside, NULL) == RESULT_OK;
	return fault_set(fault, result, why.source, why.raw, "write the key %s%s", path,
	                 moved ? "" : ", which is to be removed");
}

enum result secrets_new(const char *data_folder, struct secrets **ret_secrets, struct fault *fault)
{
	AUTO(secrets) struct secrets *secrets = calloc(1, sizeof(*secrets));
	char path[DESTINATION_BYTES_MAX + 1];
	enum result result =
		text_format(path, sizeof(path), "%s%s" KEY_NAME, data_folder, file_path_style == PATH_WINDOWS ? "\\" : "/");

	if (secrets == NULL || result != RESULT_OK)
		return fault_set(fault, secrets == NULL ? RESULT_NO_MEMORY : result, FAULT_FERRY, 0, "keep the key of secrets");
	result = read_key(path, secrets->key, fault);
	if (result == RESULT_PATH_NOT_FOUND)
		result = make_key(path, secrets->key, fault);
	if (result == RESULT_EXISTS)
		result = read_key(path, secrets->key, fault); /* somebody else was faster */
	if (result == RESULT_OK)
		*ret_secrets = TAKE(secrets);
	return result;
}

void secrets_free(struct secrets *secrets)
{
	if (secrets != NULL)
		text_wipe(secrets, sizeof(*secrets));
	free(secrets);
}

bool secrets_can_seal(void)
{
	return secrets_dpapi != NULL;
}

/* The key has one length, so that nothing of a binding can be taken for a part of it. */
static enum result convert(bool seal, const struct secrets *secrets, const char *binding, const void *from, size_t size,
                           struct buffer *to, struct fault *fault)
{
	uint8_t entropy[DIGEST_SHA256_BYTES];

	if (secrets_dpapi == NULL)
		return fault_set(fault, RESULT_NOT_SUPPORTED, FAULT_FERRY, 0, "there is no DPAPI on this ground");
	struct hash *hash = hash_new(sizeof(entropy));
	hash_add(hash, secrets->key, KEY_BYTES);
	hash_add(hash, binding, strlen(binding));
	enum result result = hash_end(hash, entropy, fault);
	if (result == RESULT_OK)
		result = secrets_dpapi(seal, entropy, from, size, to, fault);
	text_wipe(entropy, sizeof(entropy));
	return result;
}

enum result secrets_seal(const struct secrets *secrets, const char *binding, const void *plain, size_t size,
                         struct buffer *to, struct fault *fault)
{
	if (size > SECRET_BYTES_MAX)
		return fault_set(fault, RESULT_TOO_LARGE, FAULT_FERRY, 0, "a secret of more than %u bytes", SECRET_BYTES_MAX);
	return convert(true, secrets, binding, plain, size, to, fault);
}

enum result secrets_unseal(const struct secrets *secrets, const char *binding, const void *sealed, size_t size,
                           struct buffer *to, struct fault *fault)
{
	if (size > SECRET_SEALED_BYTES_MAX)
		return fault_set(fault, RESULT_SECRET_UNREADABLE, FAULT_FERRY, 0, "more than %u bytes",
		                 SECRET_SEALED_BYTES_MAX);
	return convert(false, secrets, binding, sealed, size, to, fault);
}

