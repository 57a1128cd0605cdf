#include "platform/win32/hash.h"

#include "platform/win32/win32.h"

#include <bcrypt.h>

struct hash hash_begin(enum hash_kind kind)
{
	struct hash hash = { .bytes = kind == HASH_SHA1 ? HASH_SHA1_BYTES : HASH_SHA256_BYTES };

	hash.status = BCryptOpenAlgorithmProvider(
		&hash.algorithm, kind == HASH_SHA1 ? BCRYPT_SHA1_ALGORITHM : BCRYPT_SHA256_ALGORITHM, NULL, 0);
	if (hash.status >= 0)
		hash.status = BCryptCreateHash(hash.algorithm, &hash.state, NULL, 0, NULL, 0, 0);
	return hash;
}

void hash_add(struct hash *hash, const void *bytes, size_t length)
{
	if (hash->status < 0 || length == 0)
		return;
	if (length > UINT32_MAX) {
		hash->status = (int32_t)0xC000000D; /* STATUS_INVALID_PARAMETER */
		return;
	}
	/* BCrypt only reads; its prototype is from before const. */
	hash->status = BCryptHashData(hash->state, (PUCHAR)(uintptr_t)bytes, (ULONG)length, 0);
}

enum result hash_end(struct hash *hash, uint8_t *to, struct fault *fault)
{
	if (hash->status >= 0)
		hash->status = BCryptFinishHash(hash->state, to, hash->bytes, 0);
	if (hash->state != NULL)
		BCryptDestroyHash(hash->state);
	if (hash->algorithm != NULL)
		BCryptCloseAlgorithmProvider(hash->algorithm, 0);
	hash->state = hash->algorithm = NULL;
	return hash->status >= 0 ? RESULT_OK : fault_ntstatus(fault, hash->status, "compute a hash");
}
