/* client/cli/output - what is printed: JSON lines for programs, words for people.
 *
 * With --json every line on stdout is one object, whose first member says what it is: "job", "file", "service",
 * "event", "error" ... (docs/cli.md).  Their shapes are the protocol's.
 */
#ifndef FERRY_CLI_OUTPUT_H
#define FERRY_CLI_OUTPUT_H

#include "cli/table.h"
#include "core/json.h"
#include "ferry.h"

#define OUTPUT_LINE_BYTES_MAX 65536

/* --- JSON.  Members of an object that the caller has begun. --- */
void output_json_job(struct json_writer *writer, const char *name, const struct ferry_status *status);
void output_json_file(struct json_writer *writer, const char *name, const struct ferry_file *file);
void output_json_service(struct json_writer *writer, const char *name, const struct ferry_service *service,
                         const struct ferry_server *server);
void output_json_text(struct json_writer *writer, const char *name, const char *text); /* "": null */
void output_json_error(struct json_writer *writer, const char *name, const struct ferry_error *error);
void output_json_preflight(struct json_writer *writer, const char *name, const char *id,
                           const struct ferry_preflight *found);
/* From now on lines go there instead of to stdout, as long as they fit; NULL: to stdout again. */
void output_lines_to(struct buffer *buffer);
/* Print the finished object as a line, at once. */
void output_json_line(struct json_writer *writer);
/* A whole line of its own: what happened while waiting or watching. */
void output_json_change(const struct ferry_change *change);

/* --- words --- */
/* printf to stdout or stderr, with what could command the terminal made harmless. */
void output_text(const char *format, ...) PRINTF_LIKE(1, 2);
void output_note(const char *format, ...) PRINTF_LIKE(1, 2);
void output_long(const char *text); /* the same to stdout, of any length */

void output_table_begin(struct table *table);
void output_table_job(struct table *table, const struct ferry_status *status, int64_t wall_ms);
void output_table_end(struct table *table, unsigned columns); /* prints it */
void output_job(const struct ferry_status *status, int64_t wall_ms);
/* Who serves the job, and its helper token; if not `all`, without what is as it is without one. */
void output_identities(const struct ferry_status *status, bool all);
/* "local-file, network", or "none". */
#define OUTPUT_FLAGS_BYTES_MAX 64
void output_flags(unsigned flags, char to[OUTPUT_FLAGS_BYTES_MAX]);
/* "server by negotiate, as the one who fetches; proxy by basic, with a password", or "none". */
#define OUTPUT_CREDENTIALS_BYTES_MAX 512
void output_credentials(const struct ferry_status *status, char to[OUTPUT_CREDENTIALS_BYTES_MAX]);
void output_proxies(const struct ferry_proxies *proxies, bool json);
void output_preflight(const struct ferry_preflight *found);
/* "  error        ..." and "  what to do   ..." among the lines of a record. */
void output_job_error(const struct ferry_error *error);
void output_file(const struct ferry_file *file);
void output_service(const struct ferry_service *service, const struct ferry_server *server, int64_t wall_ms);
/* "ferry: what happened (NAME 0x80200056; http 404)" and "  what to do: ..." */
void output_error(const struct ferry_error *error);

#endif
