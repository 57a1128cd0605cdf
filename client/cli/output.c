#include "cli/output.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cli/format.h"
#include "cli/progress.h"
#include "core/resume.h"

#define PIECE_BYTES 4096u
#define ID_SHOWN 8 /* of an id in tables: as good as always enough, and accepted everywhere */

/* --- JSON --- */

static void write_moment(struct json_writer *writer, const char *name, int64_t moment_ms)
{
	if (moment_ms == 0)
		json_write_raw(writer, name, text_view("null"));
	else
		json_write_i64(writer, name, moment_ms);
}

void output_json_text(struct json_writer *writer, const char *name, const char *text)
{
	if (text[0] == '\0')
		json_write_raw(writer, name, text_view("null"));
	else
		json_write_text(writer, name, text_view(text));
}

void output_json_error(struct json_writer *writer, const char *name, const struct ferry_error *error)
{
	char hresult[sizeof("0x80070057")];

	if (error->name[0] == '\0') {
		json_write_raw(writer, name, text_view("null"));
		return;
	}
	text_display(hresult, sizeof(hresult), "0x%08" PRIX32, error->hresult);
	json_write_begin(writer, name, '{');
	json_write_text(writer, "result", text_view(error->name));
	json_write_text(writer, "hresult", text_view(hresult));
	json_write_text(writer, "message", text_view(error->message));
	json_write_text(writer, "remedy", text_view(error->remedy));
	if (error->source[0] == '\0') {
		json_write_raw(writer, "native", text_view("null"));
	} else {
		json_write_begin(writer, "native", '{');
		json_write_text(writer, "source", text_view(error->source));
		json_write_i64(writer, "code", error->code);
		json_write_end(writer, '}');
	}
	json_write_end(writer, '}');
}

static void write_wait(struct json_writer *writer, const struct ferry_status *status)
{
	if (status->wait == FERRY_WAIT_NONE) {
		json_write_raw(writer, "wait", text_view("null"));
		return;
	}
	json_write_begin(writer, "wait", '{');
	json_write_text(writer, "reason", text_view(ferry_wait_reason_name(status->wait)));
	write_moment(writer, "since_ms", status->wait_since_ms);
	write_moment(writer, "next_try_ms", status->next_try_ms);
	json_write_end(writer, '}');
}

static void write_numbers(struct json_writer *writer, const struct ferry_status *status)
{
	json_write_begin(writer, "files", '{');
	json_write_u64(writer, "total", status->files_total);
	json_write_u64(writer, "transferred", status->files_transferred);
	json_write_u64(writer, "published", status->files_published);
	json_write_end(writer, '}');
	json_write_begin(writer, "bytes", '{');
	json_write_u64(writer, "total", status->bytes_total);
	json_write_u64(writer, "transferred", status->bytes_transferred);
	json_write_bool(writer, "total_is_known", status->bytes_total_is_known);
	json_write_end(writer, '}');
}

static const unsigned helper_flags[] = { FERRY_HELPER_LOCAL_FILE, FERRY_HELPER_NETWORK };
#define HELPER_FLAG_COUNT (sizeof(helper_flags) / sizeof(helper_flags[0]))

/* An object that stays open: more may be known of the side. */
static void begin_side(struct json_writer *writer, const char *name, const struct ferry_side *side)
{
	json_write_begin(writer, name, '{');
	json_write_text(writer, "as", text_view(ferry_identity_name(side->as)));
	output_json_text(writer, "sid", side->sid);
}

static void write_side(struct json_writer *writer, const char *name, const struct ferry_side *side)
{
	begin_side(writer, name, side);
	output_json_text(writer, "last_sid", side->last_sid);
	json_write_end(writer, '}');
}

static void write_credentials(struct json_writer *writer, const struct ferry_status *status)
{
	json_write_begin(writer, "credentials", '[');
	for (uint32_t i = 0; i < status->credentials_count; i++) {
		json_write_begin(writer, NULL, '{');
		json_write_text(writer, "target", text_view(ferry_auth_target_name(status->credentials[i].target)));
		json_write_text(writer, "scheme", text_view(ferry_auth_scheme_name(status->credentials[i].scheme)));
		json_write_bool(writer, "implicit", status->credentials[i].implicit);
		json_write_end(writer, '}');
	}
	json_write_end(writer, ']');
}

static void write_headers(struct json_writer *writer, const struct ferry_status *status)
{
	const char *name = status->header_names;

	json_write_begin(writer, "headers", '{');
	json_write_begin(writer, "names", '[');
	for (size_t length; *name != '\0'; name += length + (name[length] == ' ')) {
		length = strcspn(name, " ");
		json_write_text(writer, NULL, (struct text_view){ name, length });
	}
	json_write_end(writer, ']');
	json_write_bool(writer, "write_only", status->headers_write_only);
	json_write_end(writer, '}');
}

static void write_identities(struct json_writer *writer, const struct ferry_status *status)
{
	json_write_begin(writer, "helper", '{');
	json_write_begin(writer, "flags", '[');
	for (size_t i = 0; i < HELPER_FLAG_COUNT; i++) {
		if (status->helper_flags & helper_flags[i])
			json_write_text(writer, NULL, text_view(ferry_helper_flag_name(helper_flags[i])));
	}
	json_write_end(writer, ']');
	output_json_text(writer, "sid", status->helper_sid);
	output_json_text(writer, "last_sid", status->helper_last_sid);
	json_write_end(writer, '}');
	json_write_begin(writer, "identities", '{');
	write_side(writer, "file", &status->file);
	write_side(writer, "network", &status->network);
	json_write_end(writer, '}');
	write_credentials(writer, status);
	write_headers(writer, status);
	json_write_text(writer, "on_token_loss", text_view(ferry_token_loss_name(status->on_token_loss)));
	output_json_text(writer, "pinned_helper", status->pinned_helper);
	json_write_bool(writer, "no_segments", status->no_segments);
	if (status->max_bytes == 0)
		json_write_raw(writer, "max_bytes", text_view("null"));
	else
		json_write_u64(writer, "max_bytes", status->max_bytes);
	json_write_begin(writer, "proxy", '{');
	json_write_text(writer, "mode", text_view(ferry_proxy_mode_name(status->proxy)));
	json_write_end(writer, '}');
	json_write_text(writer, "redirects", text_view(status->no_redirects ? "refuse" : "follow"));
	json_write_begin(writer, "tls_ignore", '[');
	for (unsigned flag = 1; flag <= FERRY_TLS_IGNORE_ALL; flag <<= 1)
		if (status->tls_ignore & flag)
			json_write_text(writer, NULL, text_view(ferry_tls_ignore_name(flag)));
	json_write_end(writer, ']');
	output_json_text(writer, "client_certificate", status->client_certificate);
	output_json_text(writer, "profile", status->profile == FERRY_PROFILE_NONE ? "" : ferry_profile_name(status->profile));
}

void output_json_job(struct json_writer *writer, const char *name, const struct ferry_status *status)
{
	json_write_begin(writer, name, '{');
	json_write_text(writer, "id", text_view(status->id));
	json_write_text(writer, "name", text_view(status->name));
	json_write_text(writer, "state", text_view(ferry_state_name(status->state)));
	write_wait(writer, status);
	write_numbers(writer, status);
	output_json_error(writer, "error", &status->error);
	json_write_u64(writer, "error_count", status->error_count);
	json_write_bool(writer, "completing", status->completing);
	json_write_text(writer, "description", text_view(status->description));
	output_json_text(writer, "key", status->key);
	output_json_text(writer, "correlation", status->correlation);
	json_write_text(writer, "owner", text_view(status->owner));
	json_write_text(writer, "priority", text_view(ferry_priority_name(status->priority)));
	json_write_bool(writer, "auto_complete", status->auto_complete);
	json_write_u64(writer, "retry_delay_s", status->retry_delay_s);
	json_write_u64(writer, "no_progress_timeout_s", status->no_progress_timeout_s);
	json_write_u64(writer, "max_time_s", status->max_time_s);
	json_write_u64(writer, "lease_s", status->lease_s);
	write_moment(writer, "created_ms", status->created_ms);
	write_moment(writer, "modified_ms", status->modified_ms);
	write_moment(writer, "finished_ms", status->finished_ms);
	write_moment(writer, "lease_ends_ms", status->lease_ends_ms);
	write_identities(writer, status);
	json_write_end(writer, '}');
}

void output_json_preflight(struct json_writer *writer, const char *name, const char *id,
                           const struct ferry_preflight *found)
{
	json_write_begin(writer, name, '{');
	json_write_text(writer, "id", text_view(id));
	begin_side(writer, "file", &found->file);
	output_json_error(writer, "error", &found->file_error);
	json_write_end(writer, '}');
	begin_side(writer, "network", &found->network);
	json_write_end(writer, '}');
	json_write_end(writer, '}');
}

static void write_ranges(struct json_writer *writer, const struct ferry_file *file)
{
	json_write_u64(writer, "range_count", file->range_count);
	json_write_begin(writer, "ranges", '[');
	for (uint32_t i = 0; i < file->range_count && i < FERRY_RANGES_TOLD_MAX; i++) {
		json_write_begin(writer, NULL, '{');
		json_write_u64(writer, "offset", file->ranges[i].offset);
		if (file->ranges[i].length == FERRY_TO_EOF)
			json_write_raw(writer, "length", text_view("null"));
		else
			json_write_u64(writer, "length", file->ranges[i].length);
		json_write_end(writer, '}');
	}
	json_write_end(writer, ']');
}

void output_json_file(struct json_writer *writer, const char *name, const struct ferry_file *file)
{
	json_write_begin(writer, name, '{');
	json_write_u64(writer, "ordinal", file->ordinal);
	json_write_text(writer, "url", text_view(file->url));
	json_write_text(writer, "path", text_view(file->path));
	json_write_text(writer, "state", text_view(ferry_file_state_name(file->state)));
	if (file->bytes_total == FERRY_SIZE_UNKNOWN)
		json_write_raw(writer, "size_bytes", text_view("null"));
	else
		json_write_u64(writer, "size_bytes", file->bytes_total);
	if (file->digest[0] != '\0')
		json_write_text(writer, "digest", text_view(file->digest));
	if (file->mirrors > 0) {
		json_write_u64(writer, "mirrors", file->mirrors);
		json_write_u64(writer, "source", file->source);
	}
	if (file->range_count > 0)
		write_ranges(writer, file);
	json_write_u64(writer, "transferred_bytes", file->bytes_transferred);
	if (file->etag[0] != '\0')
		json_write_text(writer, "etag", text_view(file->etag));
	if (file->last_modified_ms != 0)
		json_write_i64(writer, "last_modified_ms", file->last_modified_ms);
	json_write_end(writer, '}');
}

void output_json_service(struct json_writer *writer, const char *name, const struct ferry_service *service,
                         const struct ferry_server *server)
{
	json_write_begin(writer, name, '{');
	json_write_text(writer, "version", text_view(service->version));
	json_write_text(writer, "curl", text_view(service->curl));
	json_write_text(writer, "sqlite", text_view(service->sqlite));
	write_moment(writer, "started_ms", service->started_ms);
	json_write_u64(writer, "jobs_queued", service->jobs_queued);
	json_write_u64(writer, "jobs_active", service->jobs_active);
	json_write_u64(writer, "files_active", service->files_active);
	json_write_u64(writer, "workers", service->workers);
	json_write_u64(writer, "owners_present", service->owners_present);
	json_write_u64(writer, "connections", service->connections);
	json_write_text(writer, "owner", text_view(server->owner));
	json_write_bool(writer, "elevated", server->elevated);
	json_write_end(writer, '}');
}

static struct buffer *lines_to; /* NULL: stdout */

void output_lines_to(struct buffer *buffer)
{
	lines_to = buffer;
}

void output_json_line(struct json_writer *writer)
{
	if (json_write_done(writer) != RESULT_OK || writer->to->length == 0)
		return;
	if (lines_to != NULL) {
		(void)!buffer_print(lines_to, "%s\n", writer->to->bytes);
	} else {
		fwrite(writer->to->bytes, 1, writer->to->length, stdout);
		fputc('\n', stdout);
		fflush(stdout);
	}
}

void output_json_change(const struct ferry_change *change)
{
	static const char *const names[] = {
		[FERRY_CHANGE_STATE] = "state",
		[FERRY_CHANGE_PROGRESS] = "progress",
		[FERRY_CHANGE_RECONNECTING] = "reconnecting",
		[FERRY_CHANGE_REFRESH] = "connected",
	};
	AUTO(buffer) struct buffer line = BUFFER(OUTPUT_LINE_BYTES_MAX);
	struct json_writer writer = JSON_WRITER(&line);

	json_write_begin(&writer, NULL, '{');
	json_write_text(&writer, "event", text_view(names[change->kind]));
	if (change->kind == FERRY_CHANGE_RECONNECTING)
		json_write_u64(&writer, "attempt", change->attempt);
	if (change->kind == FERRY_CHANGE_STATE || change->kind == FERRY_CHANGE_PROGRESS)
		output_json_job(&writer, "of", &change->status);
	json_write_end(&writer, '}');
	output_json_line(&writer);
}

/* --- words --- */

static void print(FILE *stream, const char *format, va_list arguments) __attribute__((format(printf, 2, 0)));
static void print(FILE *stream, const char *format, va_list arguments)
{
	char text[16384];

	vsnprintf(text, sizeof(text), format, arguments);
	format_harmless(text);
	fputs(text, stream);
	fflush(stream);
}

void output_text(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	print(stdout, format, arguments);
	va_end(arguments);
}

/* In pieces, cut between characters. */
void output_long(const char *text)
{
	for (size_t left = strlen(text), length; left > 0; text += length, left -= length) {
		length = left < PIECE_BYTES ? left : PIECE_BYTES;
		while (length < left && ((unsigned char)text[length] & 0xC0) == 0x80)
			length++;
		output_text("%.*s", (int)length, text);
	}
}

void output_note(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	print(stderr, format, arguments);
	va_end(arguments);
}

void output_table_begin(struct table *table)
{
	static const struct table_column columns[] = {
		{ .title = "ID" },
		{ .title = "STATE" },
		{ .title = "DONE", .right = true },
		{ .title = "SIZE", .right = true },
		{ .title = "FILES", .right = true },
		{ .title = "NAME", .flexible = true },
		{ .title = "WHY" },
	};

	table_begin(table, columns, sizeof(columns) / sizeof(columns[0]));
}

void output_table_job(struct table *table, const struct ferry_status *status, int64_t wall_ms)
{
	char id[ID_SHOWN + 1], done[FORMAT_BYTES_MAX] = "-", size[FORMAT_BYTES_MAX] = "?", files[FORMAT_BYTES_MAX];
	char why[128];

	text_display(id, sizeof(id), "%s", status->id);
	if (status->bytes_total_is_known)
		format_bytes(status->bytes_total, size);
	if (status->bytes_total_is_known && status->bytes_total > 0)
		text_display(done, sizeof(done), "%u%%", format_percent(status->bytes_transferred, status->bytes_total));
	else if (status->bytes_transferred > 0)
		format_bytes(status->bytes_transferred, done);
	text_display(files, sizeof(files), "%u/%u", status->files_transferred, status->files_total);
	progress_reason(status, wall_ms, why, sizeof(why));
	table_cell(table, id);
	table_cell(table, ferry_state_name(status->state));
	table_cell(table, done);
	table_cell(table, size);
	table_cell(table, files);
	table_cell(table, status->name);
	table_cell(table, why);
}

void output_table_end(struct table *table, unsigned columns)
{
	AUTO(buffer) struct buffer text = BUFFER(TABLE_BYTES_MAX);

	if (table_render(table, columns, &text) != RESULT_OK)
		output_note("ferry: there is not enough memory to show the table\n");
	else
		fwrite(text.bytes, 1, text.length, stdout);
	fflush(stdout);
}

void output_job_error(const struct ferry_error *error)
{
	char line[FORMAT_ERROR_BYTES_MAX], remedy[2 * sizeof(error->remedy)];

	format_error(error, line);
	output_text("  error        %s\n", line);
	format_wrap(error->remedy, sizeof("  what to do   ") - 1, remedy, sizeof(remedy));
	if (remedy[0] != '\0')
		output_text("  what to do   %s\n", remedy);
}

void output_job(const struct ferry_status *status, int64_t wall_ms)
{
	char why[128], moment[FORMAT_BYTES_MAX], done[FORMAT_BYTES_MAX], total[FORMAT_BYTES_MAX];
	char retry[FORMAT_BYTES_MAX], no_progress[FORMAT_BYTES_MAX], max_time[FORMAT_BYTES_MAX];
	char lease[FORMAT_BYTES_MAX], credentials[OUTPUT_CREDENTIALS_BYTES_MAX];

	progress_reason(status, wall_ms, why, sizeof(why));
	output_text("%s  %s\n", status->id, status->name);
	output_text("  state        %s%s%s%s\n", ferry_state_name(status->state), status->completing ? ", completing" : "",
	            why[0] != '\0' ? ", " : "", why);
	format_bytes(status->bytes_transferred, done);
	format_bytes(status->bytes_total, total);
	if (status->bytes_total_is_known)
		output_text("  bytes        %s of %s (%u%%)\n", done, total,
		            format_percent(status->bytes_transferred, status->bytes_total));
	else
		output_text("  bytes        %s; the total is not known yet\n", done);
	output_text("  files        %u, %u whole, %u under their names\n", status->files_total, status->files_transferred,
	            status->files_published);
	if (status->error.name[0] != '\0')
		output_job_error(&status->error);
	if (status->description[0] != '\0')
		output_text("  description  %s\n", status->description);
	if (status->key[0] != '\0')
		output_text("  key          %s\n", status->key);
	if (status->correlation[0] != '\0')
		output_text("  correlation  %s\n", status->correlation);
	output_text("  owner        %s\n", status->owner);
	output_identities(status, false);
	output_credentials(status, credentials);
	if (status->credentials_count > 0)
		output_text("  credentials  %s\n", credentials);
	if (status->header_names[0] != '\0')
		output_text("  headers      %s%s\n", status->header_names, status->headers_write_only ? ", write-only" : "");
	output_text("  priority     %s\n", ferry_priority_name(status->priority));
	output_text("  completes    %s\n", status->auto_complete ? "by itself" : "when told to");
	if (status->proxy != FERRY_PROXY_PRECONFIGURED)
		output_text("  proxy        %s\n", ferry_proxy_mode_name(status->proxy));
	if (status->no_redirects)
		output_text("  redirects    refused\n");
	if (status->tls_ignore != 0)
		output_text("  ignores      %s, where tls.may_ignore names the server\n",
		            status->tls_ignore == FERRY_TLS_IGNORE_ALL ? "what is wrong with certificates" : "names in certificates");
	if (status->client_certificate[0] != '\0')
		output_text("  certificate  %s\n", status->client_certificate);
	if (status->no_segments)
		output_text("  segments     never\n");
	if (status->max_bytes != 0) {
		format_bytes(status->max_bytes, total);
		output_text("  at most      %s\n", total);
	}
	format_duration(status->retry_delay_s, retry);
	format_duration(status->no_progress_timeout_s, no_progress);
	format_duration(status->max_time_s, max_time);
	output_text("  retry        within %s; fails after %s without progress, or %s of transferring\n", retry, no_progress,
	            max_time);
	format_moment(status->created_ms, moment);
	output_text("  created      %s\n", moment);
	if (status->finished_ms != 0) {
		format_moment(status->finished_ms, moment);
		output_text("  finished     %s\n", moment);
	}
	if (status->lease_ends_ms != 0) {
		format_moment(status->lease_ends_ms, moment);
		format_duration(status->lease_s, lease);
		output_text("  lease        ends %s; every change renews it for %s\n", moment, lease);
	}
}

void output_flags(unsigned flags, char to[OUTPUT_FLAGS_BYTES_MAX])
{
	text_display(to, OUTPUT_FLAGS_BYTES_MAX, "%s", flags == 0 ? "none" : "");
	for (size_t i = 0; i < HELPER_FLAG_COUNT; i++) {
		size_t used = strlen(to);
		if (flags & helper_flags[i])
			text_display(to + used, OUTPUT_FLAGS_BYTES_MAX - used, "%s%s", used > 0 ? ", " : "",
			             ferry_helper_flag_name(helper_flags[i]));
	}
}

/* A SID, or the word for nobody's. */
static const char *or_word(const char *sid, const char *word)
{
	return sid[0] != '\0' ? sid : word;
}

void output_identities(const struct ferry_status *status, bool all)
{
	char flags[OUTPUT_FLAGS_BYTES_MAX];

	output_text("  files as     %s: %s; last: %s\n", ferry_identity_name(status->file.as),
	            or_word(status->file.sid, "nobody is there"), or_word(status->file.last_sid, "nobody"));
	output_text("  network as   %s: %s; last: %s\n", ferry_identity_name(status->network.as),
	            or_word(status->network.sid, "nobody is there"), or_word(status->network.last_sid, "nobody"));
	if (!all && status->helper_flags == 0 && status->helper_last_sid[0] == '\0' && status->pinned_helper[0] == '\0' &&
	    status->on_token_loss == FERRY_TOKEN_LOSS_ERROR)
		return;
	output_flags(status->helper_flags, flags);
	output_text("  helper flags %s\n", flags);
	output_text("  helper token %s; last: %s\n", or_word(status->helper_sid, "none"),
	            or_word(status->helper_last_sid, "none"));
	output_text("  pinned to    %s\n", or_word(status->pinned_helper, "nobody: anybody's token may be lent"));
	output_text("  no token     %s\n", status->on_token_loss == FERRY_TOKEN_LOSS_WAIT ?
	                                       "the job waits until one is lent" :
	                                       "the job goes to ERROR");
}

void output_credentials(const struct ferry_status *status, char to[OUTPUT_CREDENTIALS_BYTES_MAX])
{
	text_display(to, OUTPUT_CREDENTIALS_BYTES_MAX, "%s", status->credentials_count == 0 ? "none" : "");
	for (uint32_t i = 0; i < status->credentials_count; i++) {
		const struct ferry_credentials *one = &status->credentials[i];
		size_t used = strlen(to);

		text_display(to + used, OUTPUT_CREDENTIALS_BYTES_MAX - used, "%s%s by %s, %s", used > 0 ? "; " : "",
		             ferry_auth_target_name(one->target), ferry_auth_scheme_name(one->scheme),
		             one->implicit ? "as the one who fetches" : "with a password");
	}
}

static void print_proxies(const struct ferry_proxies *proxies)
{
	for (uint32_t i = 0; i < proxies->count; i++) {
		const struct ferry_proxy *proxy = &proxies->proxies[i];

		output_text("%s  %s%s\n", or_word(proxy->address, "direct"), proxy->source,
		            proxy->bypassed ? ", which exempts the host" : "");
	}
	if (proxies->missed.name[0] != '\0')
		output_job_error(&proxies->missed);
}

void output_proxies(const struct ferry_proxies *proxies, bool json)
{
	AUTO(buffer) struct buffer line = BUFFER(OUTPUT_LINE_BYTES_MAX);
	struct json_writer writer = JSON_WRITER(&line);

	if (!json) {
		print_proxies(proxies);
		return;
	}
	json_write_begin(&writer, NULL, '{');
	json_write_begin(&writer, "proxies", '[');
	for (uint32_t i = 0; i < proxies->count; i++) {
		json_write_begin(&writer, NULL, '{');
		output_json_text(&writer, "address", proxies->proxies[i].address);
		json_write_text(&writer, "source", text_view(proxies->proxies[i].source));
		json_write_bool(&writer, "bypassed", proxies->proxies[i].bypassed);
		json_write_end(&writer, '}');
	}
	json_write_end(&writer, ']');
	output_json_error(&writer, "missed", &proxies->missed);
	json_write_end(&writer, '}');
	output_json_line(&writer);
}

void output_preflight(const struct ferry_preflight *found)
{
	output_text("  files        as %s, %s%s\n", ferry_identity_name(found->file.as),
	            or_word(found->file.sid, "but nobody is there"),
	            found->file_error.name[0] == '\0' && found->file.sid[0] != '\0' ? ": can be written" : "");
	if (found->file_error.name[0] != '\0')
		output_job_error(&found->file_error);
	output_text("  network      as %s, %s\n", ferry_identity_name(found->network.as),
	            or_word(found->network.sid, "but nobody is there"));
}

static void print_ranges(const struct ferry_file *file)
{
	char text[FERRY_RANGES_TOLD_MAX * 48] = "";
	uint32_t told = file->range_count < FERRY_RANGES_TOLD_MAX ? file->range_count : FERRY_RANGES_TOLD_MAX;

	for (uint32_t i = 0; i < told; i++) {
		const struct ferry_range *range = &file->ranges[i];
		size_t used = strlen(text);
		char last[24] = "";

		if (range->length != FERRY_TO_EOF)
			text_display(last, sizeof(last), "%" PRIu64, range->offset + range->length - 1);
		text_display(text + used, sizeof(text) - used, "%s%" PRIu64 "-%s", i > 0 ? ", " : "", range->offset, last);
	}
	output_text("        of it: %s", text);
	output_text(file->range_count > told ? " and %u more\n" : "\n", file->range_count - told);
}

void output_file(const struct ferry_file *file)
{
	char done[FORMAT_BYTES_MAX], total[FORMAT_BYTES_MAX] = "?", date[RESUME_DATE_BYTES];

	format_bytes(file->bytes_transferred, done);
	if (file->bytes_total != FERRY_SIZE_UNKNOWN)
		format_bytes(file->bytes_total, total);
	output_text("  %4u  %-12s  %s of %s\n        %s\n        %s\n", file->ordinal, ferry_file_state_name(file->state),
	            done, total, file->path, file->url);
	if (file->range_count > 0)
		print_ranges(file);
	if (file->etag[0] != '\0')
		output_text("        ETag: %s\n", file->etag);
	if (file->last_modified_ms == 0)
		return;
	resume_format_date(file->last_modified_ms / 1000, date);
	output_text("        Last-Modified: %s\n", date);
}

void output_service(const struct ferry_service *service, const struct ferry_server *server, int64_t wall_ms)
{
	char since[FORMAT_BYTES_MAX], duration[FORMAT_BYTES_MAX];
	int64_t up_ms = wall_ms - service->started_ms;

	format_moment(service->started_ms, since);
	format_duration(up_ms > 0 ? (uint64_t)up_ms / 1000 : 0, duration);
	output_text("Ferry (%s), up %s since %s\n", service->version, duration, since);
	output_text("  jobs         %" PRIu64 " in the queue, %u running\n", service->jobs_queued, service->jobs_active);
	output_text("  files        %u in transfer\n", service->files_active);
	output_text("  workers      %u threads that wear an identity\n", service->workers);
	output_text("  owners       %u present\n", service->owners_present);
	output_text("  clients      %u connected\n", service->connections);
	output_text("  you          %s%s\n", server->owner, server->elevated ? ", as an administrator" : "");
	output_text("  built with   curl %s, SQLite %s\n", service->curl, service->sqlite);
}

void output_error(const struct ferry_error *error)
{
	char line[FORMAT_ERROR_BYTES_MAX], remedy[2 * sizeof(error->remedy)];

	format_error(error, line);
	output_note("ferry: %s\n", line);
	format_wrap(error->remedy, sizeof("  what to do: ") - 1, remedy, sizeof(remedy));
	if (remedy[0] != '\0')
		output_note("  what to do: %s\n", remedy);
}
