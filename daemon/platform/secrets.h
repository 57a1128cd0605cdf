/* platform/secrets - what people entrust to a job (credentials, headers), sealed for the queue on disk.
 *
 * By DPAPI, which the Linux ground has not.  A secret is opened again only under the account that sealed it, with the key
 * in Ferry's data folder, and for the binding that it was sealed for (rule 26).  What is sealed, and when it is opened, is
 * the callers'; so is wiping what was opened.
 */
#ifndef FERRY_PLATFORM_SECRETS_H
#define FERRY_PLATFORM_SECRETS_H

#include "core/text.h"

#define SECRET_BYTES_MAX 16384u
#define SECRET_SEALED_BYTES_MAX (SECRET_BYTES_MAX + 1024u) /* with what DPAPI adds: some 300 bytes */

struct secrets; /* any thread, also several at once */

/* Read the key, or make one if there is no such file, and only then: a new key opens nothing that is sealed.  The caller
 * holds the lock of the data folder.  The fault names the file.  RESULT_DATA_UNUSABLE: it is no key. */
enum result secrets_new(const char *data_folder, struct secrets **ret_secrets, struct fault *fault) MUST_CHECK;
void secrets_free(struct secrets *secrets); /* NULL is fine */
DEFINE_CLEANUP(secrets)

bool secrets_can_seal(void); /* has the ground DPAPI? */

/* Append the sealed bytes.  `binding`: a text that must be the same when they are opened, as job and owner.
 * RESULT_TOO_LARGE: more than SECRET_BYTES_MAX | RESULT_INVALID_STATE: the thread wears an identity |
 * RESULT_NOT_SUPPORTED: the ground has no DPAPI. */
enum result secrets_seal(const struct secrets *secrets, const char *binding, const void *plain, size_t size,
                         struct buffer *to, struct fault *fault) MUST_CHECK;
/* Append what was sealed; wiping it is the caller's, so `to` is best empty: a buffer that grows leaves its old bytes behind.
 * RESULT_SECRET_UNREADABLE: another key, binding, account or machine, or the bytes are not as they were |
 * RESULT_INVALID_STATE | RESULT_NOT_SUPPORTED. */
enum result secrets_unseal(const struct secrets *secrets, const char *binding, const void *sealed, size_t size,
                           struct buffer *to, struct fault *fault) MUST_CHECK;

#endif
