/* client/cli/format - numbers and moments as a person reads them, and texts that are safe on a terminal. */
#ifndef FERRY_CLI_FORMAT_H
#define FERRY_CLI_FORMAT_H

#include <stddef.h>
#include <stdint.h>

#include "core/text.h"
#include "ferry.h"

#define FORMAT_BYTES_MAX 32

/* "0 B", "1023 B", "1.0 KiB", "12.3 MiB", "123 GiB": three digits that matter. */
void format_bytes(uint64_t bytes, char to[FORMAT_BYTES_MAX]);
void format_rate(uint64_t bytes_per_s, char to[FORMAT_BYTES_MAX]); /* "12.3 MiB/s" */
void format_duration(uint64_t seconds, char to[FORMAT_BYTES_MAX]); /* "0:05", "1:02:03", "3 d 4 h" */
/* "2026-02-28 17:05:09 UTC"; "-" for 0, which is never. */
void format_moment(int64_t unix_ms, char to[FORMAT_BYTES_MAX]);
/* `width` characters: [=====>    ]; all empty if the total is 0. */
void format_bar(uint64_t done, uint64_t total, unsigned width, char *to, size_t size);
unsigned format_percent(uint64_t done, uint64_t total); /* rounded down: 100 is said only when all is there */

/* How many columns of a terminal the text takes; what is not printable counts as one. */
unsigned format_columns(const char *text);
/* Copy what fits into `columns` and `size`; a cut shows as "..."; control characters become '?', so that no name can
 * command the terminal. */
void format_fit(const char *text, unsigned columns, char *to, size_t size);
/* "What happened (NAME 0x80200056; http 404)": message, code and native code of an error. */
#define FORMAT_ERROR_BYTES_MAX 640
void format_error(const struct ferry_error *error, char to[FORMAT_ERROR_BYTES_MAX]);
/* Break a text that begins in column `indent` at spaces, so that no line is longer than 100 columns if it can be, and
 * indent what follows. */
void format_wrap(const char *text, unsigned indent, char *to, size_t size);
/* Make the control characters of a text harmless in place; '\n' stays. */
void format_harmless(char *text);

#endif
