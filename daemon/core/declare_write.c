/* core/declare: what is declared, written so that declare_read takes it. */
#include <inttypes.h>
#include <string.h>

#include "core/declare.h"

static const char *const day_names[] = { "mon", "tue", "wed", "thu", "fri", "sat", "sun" };

static void write_file(struct json_writer *writer, const struct declared *job, const struct declared_file *file)
{
	char digest[DIGEST_TEXT_BYTES_MAX];
	size_t folder = strlen(job->destination);
	const char *relative = file->path + folder;

	relative += relative[0] == '/' || relative[0] == '\\'; /* a root has one of its own */
	json_write_begin(writer, NULL, '{');
	json_write_text(writer, "url", text_view(file->url));
	json_write_text(writer, "path", text_view(relative));
	if (file->mirror_count > 0) {
		json_write_begin(writer, "mirrors", '[');
		for (uint32_t i = 0; i < file->mirror_count; i++)
			json_write_text(writer, NULL, text_view(file->mirrors[i]));
		json_write_end(writer, ']');
	}
	digest_format(&file->digest, digest);
	if (digest[0] != '\0')
		json_write_text(writer, "digest", text_view(digest));
	if (file->bytes != SIZE_UNKNOWN)
		json_write_u64(writer, "size_bytes", file->bytes);
	json_write_end(writer, '}');
}

static void write_when(struct json_writer *writer, const struct declared_when *when)
{
	char text[24];

	if (when->kind == DECLARED_ONCE) {
		json_write_text(writer, "when", text_view("once"));
	} else {
		json_write_begin(writer, "when", '{');
		if (when->kind == DECLARED_EVERY)
			text_display(text, sizeof(text), "%" PRIu32 "s", when->every_s);
		else
			text_display(text, sizeof(text), "%02u:%02u-%02u:%02u", when->from_minute / 60u, when->from_minute % 60u,
			             when->to_minute / 60u, when->to_minute % 60u);
		json_write_text(writer, when->kind == DECLARED_EVERY ? "every" : "window", text_view(text));
		if (when->kind == DECLARED_WINDOW) {
			json_write_begin(writer, "days", '[');
			for (unsigned day = 0; day < 7; day++)
				if (when->days & 1u << day)
					json_write_text(writer, NULL, text_view(day_names[day]));
			json_write_end(writer, ']');
		}
		json_write_end(writer, '}');
	}
	text_display(text, sizeof(text), "%" PRIu32 "s", when->spread_s);
	json_write_text(writer, "spread", text_view(text));
}

enum result declare_write(const struct declared *job, struct buffer *to)
{
	struct json_writer writer = JSON_WRITER(to);

	json_write_begin(&writer, NULL, '{');
	json_write_text(&writer, "name", text_view(job->name));
	json_write_text(&writer, "destination", text_view(job->destination));
	json_write_text(&writer, "priority", text_view(job_priority_name(job->priority)));
	if (job->helper[0] != '\0') {
		json_write_begin(&writer, "identity", '{');
		json_write_text(&writer, "helper", text_view(job->helper));
		json_write_end(&writer, '}');
	}
	write_when(&writer, &job->when);
	json_write_text(&writer, "on_change", text_view(job->keep ? "keep" : "replace"));
	json_write_u64(&writer, "keep_versions", job->versions);
	json_write_begin(&writer, "files", '[');
	for (uint32_t i = 0; i < job->file_count; i++)
		write_file(&writer, job, &job->files[i]);
	json_write_end(&writer, ']');
	json_write_end(&writer, '}');
	return json_write_done(&writer);
}
