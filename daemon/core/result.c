#include "core/result.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *name;
	const char *sentence;
	const char *remedy;
	uint32_t hresult;
	enum retry_class class;
} results[RESULT_COUNT] = {
#define RESULT(name, class, hresult, symbol, sentence, remedy) \
	[RESULT_##name] = { #name, sentence, remedy, hresult, RETRY_##class },
#include "core/result.def"
#undef RESULT
};

static const char *const fault_sources[] = {
	[FAULT_FERRY] = "ferry",   [FAULT_WIN32] = "win32", [FAULT_NTSTATUS] = "ntstatus",
	[FAULT_ERRNO] = "errno",   [FAULT_SQLITE] = "sqlite", [FAULT_CURL] = "curl",
	[FAULT_HTTP] = "http",
};
#define FAULT_SOURCE_COUNT (sizeof(fault_sources) / sizeof(fault_sources[0]))

const char *result_name(enum result result)
{
	assert((unsigned)result < RESULT_COUNT);
	return results[result].name;
}

const char *result_sentence(enum result result)
{
	assert((unsigned)result < RESULT_COUNT);
	return results[result].sentence;
}

const char *result_remedy(enum result result)
{
	assert((unsigned)result < RESULT_COUNT);
	return results[result].remedy;
}

uint32_t result_hresult(enum result result)
{
	assert((unsigned)result < RESULT_COUNT);
	return results[result].hresult;
}

enum retry_class result_class(enum result result)
{
	assert((unsigned)result < RESULT_COUNT);
	return results[result].class;
}

bool result_from_name(const char *name, enum result *ret_result)
{
	for (unsigned i = 0; i < RESULT_COUNT; i++) {
		if (strcmp(results[i].name, name) == 0) {
			*ret_result = (enum result)i;
			return true;
		}
	}
	return false;
}

const char *fault_source_name(enum fault_source source)
{
	assert((unsigned)source < FAULT_SOURCE_COUNT);
	return fault_sources[source];
}

bool fault_source_from_name(const char *name, enum fault_source *ret_source)
{
	for (unsigned i = 0; i < FAULT_SOURCE_COUNT; i++) {
		if (strcmp(fault_sources[i], name) == 0) {
			*ret_source = (enum fault_source)i;
			return true;
		}
	}
	return false;
}

/* Drop the UTF-8 character that a cut at the end of `text` left incomplete.  core/text has the same for its
 * own cuts; this room stands below it. */
static void drop_half_character(char *text)
{
	size_t length = strlen(text);
	size_t start = length;
	while (start > 0 && length - start < 4) {
		unsigned char byte = (unsigned char)text[--start];
		if (byte < 0x80)
			return;
		if (byte >= 0xC0) {
			size_t whole = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : 2;
			if (length - start < whole)
				text[start] = '\0';
			return;
		}
	}
}

enum result fault_set(struct fault *fault, enum result result, enum fault_source source, int64_t raw,
                      const char *what, ...)
{
	if (!fault)
		return result;

	/* Formatted aside, since a caller may wrap what the fault said before: "%s" with fault->what. */
	char text[FAULT_WHAT_BYTES_MAX];
	va_list arguments;
	va_start(arguments, what);
	int length = vsnprintf(text, sizeof(text), what, arguments);
	va_end(arguments);
	if (length < 0)
		text[0] = '\0';
	else if ((size_t)length >= sizeof(text))
		drop_half_character(text);

	*fault = (struct fault){ .result = result, .source = source, .raw = raw };
	memcpy(fault->what, text, strlen(text) + 1);
	return result;
}

/* BITS and WinHTTP number an HTTP status as 0x80190000 + status; the table has the base. */
uint32_t fault_hresult(const struct fault *fault)
{
	uint32_t hresult = result_hresult(fault->result);
	if (hresult == 0x80190000u && fault->source == FAULT_HTTP && fault->raw > 0 && fault->raw <= 0xFFFF)
		hresult += (uint32_t)fault->raw;
	return hresult;
}

void fault_line(const struct fault *fault, char to[FAULT_LINE_BYTES_MAX])
{
	const char *sentence = result_sentence(fault->result), *remedy = result_remedy(fault->result);
	bool about = fault->what[0] != '\0';
	char native[64] = "";

	if (fault->raw != 0)
		(void)snprintf(native, sizeof(native), "; %s %" PRId64, fault_source_name(fault->source), fault->raw);
	int length = snprintf(to, FAULT_LINE_BYTES_MAX, "%.*s%s%s (%s 0x%08" PRIX32 "%s). %s", (int)strlen(sentence) - 1,
	                      sentence, about ? ": " : "", fault->what, result_name(fault->result),
	                      fault_hresult(fault), native, remedy);
	if (length >= FAULT_LINE_BYTES_MAX)
		drop_half_character(to);
}
