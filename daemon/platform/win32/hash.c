#include "platform/hash.h"

#include "platform/win32/win32.h"

#include <bcrypt.h>

struct hash {
	BCRYPT_ALG_HANDLE algorithm;
	BCRYPT_HASH_HANDLE state;
	NTSTATUS status; /* the first failure sticks */
	ULONG bytes;
};

struct hash *hash_new(size_t length)
{
	struct hash *hash = calloc(1, sizeof *hash);

	if (hash == NULL)
		return NULL;
	hash->bytes = (ULONG)length;
	hash->status = BCryptOpenAlgorithmProvider(&hash->algorithm,
	                                           length == DIGEST_SHA1_BYTES     ? BCRYPT_SHA1_ALGORITHM
	                                           : length == DIGEST_SHA256_BYTES ? BCRYPT_SHA256_ALGORITHM
	                                           : length == DIGEST_SHA384_BYTES ? BCRYPT_SHA384_ALGORITHM
	                                                                           : BCRYPT_SHA512_ALGORITHM,
	                                           NULL, 0);
	if (hash->status >= 0)
		hash->status = BCryptCreateHash(hash->algorithm, &hash->state, NULL, 0, NULL, 0, 0);
	return hash;
}

void hash_add(struct hash *hash, const void *bytes, size_t length)
{
	if (hash == NULL || hash->status < 0 || length == 0)
		return;
	if (length > UINT32_MAX) {
		hash->status = (NTSTATUS)0xC000000D; /* STATUS_INVALID_PARAMETER */
		return;
	}
	/* BCrypt only reads; its prototype is from before const. */
	hash->status = BCryptHashData(hash->state, (PUCHAR)(uintptr_t)bytes, (ULONG)length, 0);
}

enum result hash_end(struct hash *hash, uint8_t *to, struct fault *fault)
{
	if (hash == NULL)
		return fault_set(fault, RESULT_NO_MEMORY, FAULT_FERRY, 0, "compute a hash");
	if (hash->status >= 0)
		hash->status = BCryptFinishHash(hash->state, to, hash->bytes, 0);
	NTSTATUS status = hash->status;
	hash_free(hash);
	return status >= 0 ? RESULT_OK : fault_ntstatus(fault, status, "compute a hash");
}

void hash_free(struct hash *hash)
{
	if (hash == NULL)
		return;
	if (hash->state != NULL)
		BCryptDestroyHash(hash->state);
	if (hash->algorithm != NULL)
		BCryptCloseAlgorithmProvider(hash->algorithm, 0);
	free(hash);
}
