#include "core/source.h"

_Static_assert(SOURCES_MAX <= 32, "every source has a bit");

bool source_is_at_fault(enum result result)
{
	static const enum result faults[] = {
		RESULT_HTTP_STATUS,       RESULT_INSUFFICIENT_HTTP, RESULT_SIZE_MISMATCH,  RESULT_DIGEST_MISMATCH,
		RESULT_REDIRECT_REFUSED,  RESULT_CERTIFICATE,       RESULT_HTTP_TRANSIENT, RESULT_NAME_NOT_RESOLVED,
		RESULT_CONNECT_FAILED,    RESULT_CONNECTION_CLOSED, RESULT_STALLED,        RESULT_BAD_RESPONSE,
		RESULT_REMOTE_CHANGED,    RESULT_RESTART,           RESULT_INVALID_RANGE,  RESULT_INSUFFICIENT_RANGE_SUPPORT,
		RESULT_SOURCE_NOT_FOUND,  RESULT_SOURCE_DENIED,     RESULT_SOURCE_LOCKED,
		RESULT_UNAUTHORIZED,      RESULT_AUTH_SCHEME,       RESULT_NO_TICKET,      RESULT_CERTIFICATE_REVOKED,
		RESULT_CERTIFICATE_UNCHECKED,
	};

	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		if (faults[i] == result)
			return true;
	return false;
}

bool source_has_beginning(const struct file *file)
{
	return file->bytes_recorded > 0 && (file->sources_refused & 1u << file->source) == 0;
}

bool source_is_provable(const struct file *file)
{
	return file->digest.length > 0 && file->bytes_total != SIZE_UNKNOWN;
}

bool source_gives_up(const struct file *file, bool asked, uint32_t wait_s, int64_t left_s)
{
	return (asked && file->source_failures >= SOURCE_PATIENCE) || wait_s > SOURCE_WAIT_S_MAX || wait_s >= left_s;
}

uint32_t source_next(const struct file *file, uint32_t from, uint32_t tried)
{
	uint32_t count = file->mirrors + 1;

	for (uint32_t i = 0; i < count; i++) {
		uint32_t source = (from + i) % count;

		if (((tried | file->sources_refused) & 1u << source) == 0)
			return source;
	}
	return SOURCE_NONE;
}

bool source_tells_more(enum result best, uint32_t best_retry_after_s, enum result other, uint32_t other_retry_after_s)
{
	bool best_later = result_class(best) == RETRY_LATER, other_later = result_class(other) == RETRY_LATER;

	if (best == RESULT_OK || best_later != other_later)
		return best == RESULT_OK || other_later;
	return other_later && other_retry_after_s < best_retry_after_s;
}
