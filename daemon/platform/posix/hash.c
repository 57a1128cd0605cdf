#include "platform/hash.h"

#include <openssl/evp.h>

struct hash *hash_new(size_t length)
{
	EVP_MD_CTX *hash = EVP_MD_CTX_new();
	const EVP_MD *algorithm = length == DIGEST_SHA1_BYTES ? EVP_sha1() : length == DIGEST_SHA256_BYTES ? EVP_sha256() :
	                          length == DIGEST_SHA384_BYTES ? EVP_sha384() : EVP_sha512();
	if (hash && EVP_DigestInit_ex(hash, algorithm, NULL) != 1)
		EVP_MD_CTX_free(TAKE(hash));
	return (struct hash *)hash;
}

void hash_add(struct hash *hash, const void *bytes, size_t length)
{
	if (hash)
		EVP_DigestUpdate((EVP_MD_CTX *)hash, bytes, length); /* cannot fail once it has begun */
}

enum result hash_end(struct hash *hash, uint8_t *to, struct fault *fault)
{
	bool ended = hash && EVP_DigestFinal_ex((EVP_MD_CTX *)hash, to, NULL) == 1;
	hash_free(hash);
	return ended ? RESULT_OK : fault_set(fault, RESULT_NO_MEMORY, FAULT_FERRY, 0, "compute a hash");
}

void hash_free(struct hash *hash) { EVP_MD_CTX_free((EVP_MD_CTX *)hash); }
