/* core/result - the one list of outcomes.
 *
 * Every fallible function of the house returns an `enum result`.  A foreign code (Win32, errno, SQLite,
 * CURLcode, an HTTP status) becomes one of these inside the room that met it; the raw number travels beside it
 * in a `struct fault`.  This room knows no system header and no foreign enum.
 *
 * The table gives, for each outcome: its name, its class, BITS's or Windows' HRESULT, the sentence a person
 * reads, and what that person should do.  docs/errors.md is printed from it.
 */
#ifndef FERRY_CORE_RESULT_H
#define FERRY_CORE_RESULT_H

#include <stdbool.h>
#include <stdint.h>

#define MUST_CHECK __attribute__((warn_unused_result))
/* The formats are C11's on every ground; what GCC for Windows calls plain printf is msvcrt's, without %zu. */
#ifdef __clang__
#define PRINTF_LIKE(nth, first) __attribute__((format(printf, nth, first)))
#else
#define PRINTF_LIKE(nth, first) __attribute__((format(gnu_printf, nth, first)))
#endif

/* What the scheduler does with an outcome. */
enum retry_class {
	RETRY_NONE,   /* not a failure */
	RETRY_CALLER, /* the request was wrong: nothing changed, answer the caller */
	RETRY_NEVER,  /* fatal for the job until a person or program acts: state ERROR */
	RETRY_LATER,  /* transient: state TRANSIENT_ERROR, again after a delay */
};

enum result {
#define RESULT(name, class, hresult, symbol, sentence, remedy) RESULT_##name,
#include "core/result.def"
#undef RESULT
	RESULT_COUNT
};

/* Whose number `raw` is. */
enum fault_source {
	FAULT_FERRY,
	FAULT_WIN32,
	FAULT_NTSTATUS,
	FAULT_ERRNO,
	FAULT_SQLITE,
	FAULT_CURL,
	FAULT_HTTP,
};

#define FAULT_WHAT_BYTES_MAX 320

/* One failure with its context.  Plain data: copy it, no destructor.
 * `what` names the operation and its object ("open folder C:\Acme"), never a secret: URLs pass url_redact. */
struct fault {
	enum result result;
	enum fault_source source;
	int64_t raw; /* 0 where no foreign code was involved */
	char what[FAULT_WHAT_BYTES_MAX];
};

const char *result_name(enum result result);     /* "TOKEN_REQUIRED" */
const char *result_sentence(enum result result); /* "The job needs a helper token that ..." */
const char *result_remedy(enum result result);   /* what the reader should do; "" for OK */
uint32_t result_hresult(enum result result);
enum retry_class result_class(enum result result);
bool result_from_name(const char *name, enum result *ret_result);
const char *fault_source_name(enum fault_source source);
bool fault_source_from_name(const char *name, enum fault_source *ret_source);

/* The HRESULT of what happened: the result's, and for an HTTP status BITS's BG_E_HTTP_ERROR_nnn. */
uint32_t fault_hresult(const struct fault *fault);
/* All of it as one line for a log: "Sentence: what (NAME 0x80070003; win32 3).  Remedy". */
#define FAULT_LINE_BYTES_MAX 768
void fault_line(const struct fault *fault, char to[FAULT_LINE_BYTES_MAX]);

/* Fill `fault` (may be NULL) and return `result`, so that a border reads `return fault_set(...)`. */
enum result fault_set(struct fault *fault, enum result result, enum fault_source source, int64_t raw,
                      const char *what, ...) PRINTF_LIKE(5, 6);

#endif
