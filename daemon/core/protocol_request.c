/* Requests to structs.  What a method takes stands in one table, `shapes`; what is not listed there is refused. */
#include "core/protocol.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

static enum result refuse(struct json value, const char *why, struct fault *fault)
{
	return fault_set(fault, RESULT_INVALID_ARGUMENT, FAULT_FERRY, 0, "%s: %s", value.path, why);
}

/* --- the members of params --- */

/* Text for one line of a log: something, and no control character. */
static enum result keep_line(struct json value, struct text_view text, char *to, size_t size, struct fault *fault)
{
	if (text.length == 0)
		return refuse(value, "must not be empty", fault);
	if (text_has_control(text))
		return refuse(value, "must not contain control characters", fault);
	return text_copy(to, size, text);
}

static enum result read_line(struct json value, char *to, size_t size, struct fault *fault)
{
	struct text_view text;
	enum result result = json_get_text(value, size - 1, &text, fault);
	return result == RESULT_OK ? keep_line(value, text, to, size, fault) : result;
}

/* Texts that BITS has too are bounded in its characters.  Each is at most three bytes of UTF-8, so the arrays of
 * struct job_properties hold whatever passes. */
static enum result read_characters(struct json value, size_t characters_max, struct text_view *ret_text,
                                   struct fault *fault)
{
	enum result result = json_get_text(value, PROTOCOL_MESSAGE_BYTES_MAX, ret_text, fault);
	if (result == RESULT_OK && text_utf16_length(*ret_text) > characters_max)
		return fault_set(fault, RESULT_TOO_LONG, FAULT_FERRY, 0, "%s: is longer than %zu characters", value.path,
		                 characters_max);
	return result;
}
_Static_assert(3 * JOB_NAME_CHARACTERS_MAX < JOB_NAME_BYTES_MAX, "the longest name fits");
_Static_assert(3 * JOB_DESCRIPTION_CHARACTERS_MAX < JOB_DESCRIPTION_BYTES_MAX, "the longest description fits");

static enum result read_seconds(struct json value, uint32_t minimum, uint32_t *ret_seconds, struct fault *fault)
{
	uint64_t seconds;
	enum result result = json_get_u64(value, minimum, JOB_TIME_S_MAX, &seconds, fault);
	if (result == RESULT_OK)
		*ret_seconds = (uint32_t)seconds;
	return result;
}

static enum result read_protocol(struct json value, struct request *request, struct fault *fault)
{
	return json_get_u64(value, 1, PROTOCOL_INTEGER_MAX, &request->protocol, fault);
}

static enum result read_client(struct json value, struct request *request, struct fault *fault)
{
	return read_line(value, request->client, sizeof(request->client), fault);
}

static enum result read_handle(struct json value, struct request *request, struct fault *fault)
{
	return json_get_u64(value, 1, PROTOCOL_INTEGER_MAX, &request->handle, fault);
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* A UUID in its usual form; kept in lower case, as ids are made.  `ret_id` is "" if it is none. */
static enum result read_uuid(struct json value, char ret_id[JOB_ID_BYTES], struct fault *fault)
{
	static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
	struct text_view text;
	enum result result = json_get_text(value, PROTOCOL_MESSAGE_BYTES_MAX, &text, fault);
	if (result != RESULT_OK)
		return result;

	char id[JOB_ID_BYTES] = "";
	bool good = text.length == sizeof(form) - 1;
	for (size_t i = 0; good && i < text.length; i++) {
		char c = lower(text.bytes[i]);
		bool digit = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
		good = form[i] == 'x' ? digit : c == '-';
		id[i] = c;
	}
	memcpy(ret_id, good ? id : "", good ? sizeof(id) : 1);
	return RESULT_OK;
}

static enum result read_job(struct json value, struct request *request, struct fault *fault)
{
	enum result result = read_uuid(value, request->job, fault);
	/* What is no id is answered like the id of no job, and of a job that is somebody else's (runtime/session). */
	if (result == RESULT_OK && request->job[0] == '\0')
		return fault_set(fault, RESULT_NOT_FOUND, FAULT_FERRY, 0, "params.job");
	return result;
}

static enum result read_correlation(struct json value, struct request *request, struct fault *fault)
{
	enum result result = read_uuid(value, request->correlation, fault);
	if (result == RESULT_OK && request->correlation[0] == '\0')
		return fault_set(fault, RESULT_INVALID_ARGUMENT, FAULT_FERRY, 0,
		                 "params.correlation: a UUID, as 6f9619ff-8b86-4d01-b42d-00cf4fc964ff");
	return result;
}

static enum result read_key(struct json value, struct request *request, struct fault *fault)
{
	return read_line(value, request->key, sizeof(request->key), fault);
}

static enum result read_name(struct json value, struct request *request, struct fault *fault)
{
	struct text_view text;
	enum result result = read_characters(value, JOB_NAME_CHARACTERS_MAX, &text, fault);
	if (result != RESULT_OK)
		return result;
	request->properties_given |= PROPERTY_NAME;
	return keep_line(value, text, request->properties.name, sizeof(request->properties.name), fault);
}

/* A description may have lines and columns; it is shown, but never logged. */
static enum result read_description(struct json value, struct request *request, struct fault *fault)
{
	struct text_view text;
	enum result result = read_characters(value, JOB_DESCRIPTION_CHARACTERS_MAX, &text, fault);
	if (result != RESULT_OK)
		return result;
	for (size_t i = 0; i < text.length; i++) {
		struct text_view byte = { text.bytes + i, 1 };
		if (text_has_control(byte) && *byte.bytes != '\n' && *byte.bytes != '\t')
			return refuse(value, "must not contain control characters but line feeds and tabs", fault);
	}
	request->properties_given |= PROPERTY_DESCRIPTION;
	return text_copy(request->properties.description, sizeof(request->properties.description), text);
}

static enum result read_priority(struct json value, struct request *request, struct fault *fault)
{
	struct text_view text;
	enum result result = json_get_text(value, PROTOCOL_ID_TEXT_BYTES_MAX, &text, fault);
	if (result != RESULT_OK)
		return result;
	if (!job_priority_from_name(text, &request->properties.priority))
		return refuse(value, "must be \"foreground\", \"high\", \"normal\" or \"low\"", fault);
	request->properties_given |= PROPERTY_PRIORITY;
	return RESULT_OK;
}

static enum result read_auto_complete(struct json value, struct request *request, struct fault *fault)
{
	request->properties_given |= PROPERTY_AUTO_COMPLETE;
	return json_get_bool(value, &request->properties.auto_complete, fault);
}

/* Too short a delay is raised by job_properties_check, as BITS does; so 0 is good here. */
static enum result read_retry_delay(struct json value, struct request *request, struct fault *fault)
{
	request->properties_given |= PROPERTY_RETRY_DELAY;
	return read_seconds(value, 0, &request->properties.retry_delay_s, fault);
}

static enum result read_no_progress_timeout(struct json value, struct request *request, struct fault *fault)
{
	request->properties_given |= PROPERTY_NO_PROGRESS_TIMEOUT;
	return read_seconds(value, 0, &request->properties.no_progress_timeout_s, fault);
}

static enum result read_max_time(struct json value, struct request *request, struct fault *fault)
{
	request->properties_given |= PROPERTY_MAX_TIME;
	return read_seconds(value, 1, &request->properties.max_time_s, fault);
}

static enum result read_lease(struct json value, struct request *request, struct fault *fault)
{
	request->properties_given |= PROPERTY_LEASE;
	return read_seconds(value, JOB_LEASE_S_MIN, &request->properties.lease_s, fault);
}

static enum result read_profile(struct json value, struct request *request, struct fault *fault)
{
	struct text_view text;

	request->properties_given |= PROPERTY_PROFILE;
	request->properties.profile = JOB_PROFILE_NONE;
	if (json_is_null(value))
		return RESULT_OK;
	enum result result = json_get_text(value, PROTOCOL_ID_TEXT_BYTES_MAX, &text, fault);
	if (result != RESULT_OK)
		return result;
	if (!job_profile_from_name(text, &request->properties.profile) || request->properties.profile == JOB_PROFILE_NONE)
		return refuse(value, "must be \"interactive\", \"update\", \"bulk\" or null", fault);
	return RESULT_OK;
}

static enum result read_no_segments(struct json value, struct request *request, struct fault *fault)
{
	request->properties_given |= PROPERTY_NO_SEGMENTS;
	return json_get_bool(value, &request->properties.no_segments, fault);
}

static enum result read_max_bytes(struct json value, struct request *request, struct fault *fault)
{
	request->properties_given |= PROPERTY_MAX_BYTES;
	request->properties.max_bytes = 0;
	return json_is_null(value) ? RESULT_OK : json_get_u64(value, 1, INT64_MAX, &request->properties.max_bytes, fault);
}

/* The rule that is broken, without what breaks it: a list may tell of a network. */
static enum result check_proxy(struct json value, const struct request *request, struct fault *fault)
{
	const struct text_view none = { .length = 0 };
	const enum proxy_mode mode = request->properties.proxy_mode;
	struct fault why;
	struct json list = json_member(value, "list"), bypass = json_member(value, "bypass");

	if (mode != PROXY_EXPLICIT && (list.value || bypass.value))
		return refuse(list.value ? list : bypass, "is for explicit proxies only", fault);
	if (proxy_check(mode, request->proxy_list, none, &why) != RESULT_OK)
		return refuse(list, why.what, fault);
	if (proxy_check(mode, request->proxy_list, request->proxy_bypass, &why) != RESULT_OK)
		return refuse(bypass, why.what, fault);
	return RESULT_OK;
}

static enum result read_proxy(struct json value, struct request *request, struct fault *fault)
{
	static const char *const members[] = { "mode", "list", "bypass", NULL };
	struct text_view mode;

	if (!json_is_object(value))
		return refuse(value, "must be an object with a mode", fault);
	enum result result = json_only(value, members, fault);
	if (result == RESULT_OK)
		result = json_get_text(json_member(value, "mode"), PROTOCOL_ID_TEXT_BYTES_MAX, &mode, fault);
	if (result == RESULT_OK && !proxy_mode_from_name(mode, &request->properties.proxy_mode))
		result = refuse(json_member(value, "mode"),
		                "must be \"preconfigured\", \"none\", \"explicit\" or \"autodetect\"", fault);
	struct json list = json_member(value, "list"), bypass = json_member(value, "bypass");
	if (result == RESULT_OK && (list.value || request->properties.proxy_mode == PROXY_EXPLICIT))
		result = json_get_text(list, PROXY_TEXT_BYTES_MAX, &request->proxy_list, fault);
	if (result == RESULT_OK && bypass.value)
		result = json_get_text(bypass, PROXY_TEXT_BYTES_MAX, &request->proxy_bypass, fault);
	if (result == RESULT_OK)
		result = check_proxy(value, request, fault);
	request->properties_given |= PROPERTY_PROXY;
	return result;
}

static enum result read_redirects(struct json value, struct request *request, struct fault *fault)
{
	struct text_view text;
	enum result result = json_get_text(value, PROTOCOL_ID_TEXT_BYTES_MAX, &text, fault);

	request->properties_given |= PROPERTY_REDIRECTS;
	request->properties.no_redirects = result == RESULT_OK && text_is(text, "refuse");
	return result != RESULT_OK || request->properties.no_redirects || text_is(text, "follow")
	           ? result : refuse(value, "must be \"follow\" or \"refuse\"", fault);
}

static enum result read_tls_ignore(struct json value, struct request *request, struct fault *fault)
{
	unsigned all = 0, flag;

	if (!json_is_array(value))
		return refuse(value, "must be an array", fault);
	for (size_t i = 0; i < json_length(value); i++, all |= flag) {
		struct text_view name;
		enum result result = json_get_text(json_at(value, i), PROTOCOL_ID_TEXT_BYTES_MAX, &name, fault);
		if (result != RESULT_OK)
			return result;
		if (!tls_ignore_from_name(name, &flag))
			return refuse(json_at(value, i), "must be \"host-name\", \"date\", \"authority\" or \"usage\"", fault);
	}
	if (all != 0 && all != TLS_IGNORE_HOST_NAME && all != TLS_IGNORE_ALL)
		return refuse(value, "Ferry can ignore \"host-name\" alone, or all four of them together", fault);
	request->properties_given |= PROPERTY_TLS_IGNORE;
	request->properties.tls_ignore = all;
	return RESULT_OK;
}

static enum result read_client_certificate(struct json value, struct request *request, struct fault *fault)
{
	struct text_view text = text_view("");
	struct client_certificate ignored;
	struct fault why;

	request->properties_given |= PROPERTY_CLIENT_CERTIFICATE;
	request->properties.client_certificate[0] = '\0';
	if (json_is_null(value))
		return RESULT_OK;
	enum result result = json_get_text(value, CLIENT_CERTIFICATE_BYTES_MAX - 1, &text, fault);
	if (result == RESULT_OK && client_certificate_parse(text, &ignored, &why) != RESULT_OK)
		result = refuse(value, why.what, fault);
	return result == RESULT_OK ? text_copy(request->properties.client_certificate, CLIENT_CERTIFICATE_BYTES_MAX, text) : result;
}

/* A profile brings its own time to give up, unless the message says another one. */
static void apply_profile(struct request *request)
{
	const struct job_patience *patience = job_patience(request->properties.profile);

	if (patience == NULL || request->properties_given & PROPERTY_NO_PROGRESS_TIMEOUT)
		return;
	request->properties.no_progress_timeout_s = patience->no_progress_timeout_s;
	request->properties_given |= PROPERTY_NO_PROGRESS_TIMEOUT;
}

static enum result read_on_token_loss(struct json value, struct request *request, struct fault *fault)
{
	struct text_view text;
	enum result result = json_get_text(value, PROTOCOL_ID_TEXT_BYTES_MAX, &text, fault);
	if (result != RESULT_OK)
		return result;
	if (!token_loss_from_name(text, &request->properties.on_token_loss))
		return refuse(value, "must be \"error\" or \"wait\"", fault);
	request->properties_given |= PROPERTY_ON_TOKEN_LOSS;
	return RESULT_OK;
}

/* Whatever names an owner; that there is such an account nobody can know before it comes. */
static enum result read_pinned_helper(struct json value, struct request *request, struct fault *fault)
{
	struct text_view text;
	char *to = request->properties.pinned_helper;

	request->properties_given |= PROPERTY_PINNED_HELPER;
	if (json_is_null(value)) {
		to[0] = '\0';
		return RESULT_OK;
	}
	enum result result = json_get_text(value, JOB_OWNER_BYTES_MAX - 1, &text, fault);
	return result == RESULT_OK ? keep_line(value, text, to, JOB_OWNER_BYTES_MAX, fault) : result;
}

/* What a URL becomes with it is for core/url to judge; the message names no URL of its own. */
static enum result read_prefix(struct json value, struct text_view *ret_prefix, struct fault *fault)
{
	enum result result = json_get_text(value, URL_BYTES_MAX, ret_prefix, fault);

	return result == RESULT_OK && ret_prefix->length == 0 ? refuse(value, "must not be empty", fault) : result;
}

static enum result read_old_prefix(struct json value, struct request *request, struct fault *fault)
{
	return read_prefix(value, &request->old_prefix, fault);
}

static enum result read_new_prefix(struct json value, struct request *request, struct fault *fault)
{
	return read_prefix(value, &request->new_prefix, fault);
}

static enum result read_sid(struct json value, struct request *request, struct fault *fault)
{
	return read_line(value, request->sid, sizeof(request->sid), fault);
}

static bool read_hex(struct text_view text, uint64_t *ret_number)
{
	uint64_t number = 0;

	if (text.length < 3 || text.length > 18 || text.bytes[0] != '0' || text.bytes[1] != 'x')
		return false;
	for (size_t i = 2; i < text.length; i++) {
		char c = lower(text.bytes[i]);
		if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
			return false;
		number = number << 4 | (uint64_t)(c <= '9' ? c - '0' : c - 'a' + 10);
	}
	*ret_number = number;
	return true;
}

/* A LUID has 64 bits, more than a number is exact for in every JSON reader: hence hexadecimal text. */
static enum result read_logon_id(struct json value, struct request *request, struct fault *fault)
{
	struct text_view text;
	enum result result = json_get_text(value, PROTOCOL_ID_TEXT_BYTES_MAX, &text, fault);
	if (result != RESULT_OK)
		return result;
	if (!read_hex(text, &request->logon_id))
		return refuse(value, "must be \"0x\" and 1 to 16 hexadecimal digits", fault);
	return RESULT_OK;
}

static enum result read_flags(struct json value, struct request *request, struct fault *fault)
{
	return protocol_read_flags(value, &request->flags, fault);
}

static enum result read_roots(struct json value, struct request *request, struct fault *fault)
{
	size_t count = json_length(value);

	if (!json_is_array(value) || count == 0)
		return refuse(value, "must be an array of folders", fault);
	if (count > PROTOCOL_ROOTS_MAX)
		return fault_set(fault, RESULT_INVALID_ARGUMENT, FAULT_FERRY, 0, "%s: more than %d folders", value.path,
		                 PROTOCOL_ROOTS_MAX);
	for (size_t i = 0; i < count; i++) {
		struct text_view text;
		enum result result = json_get_text(json_at(value, i), DESTINATION_BYTES_MAX, &text, fault);
		if (result != RESULT_OK)
			return result;
	}
	request->roots = value;
	request->root_count = (uint32_t)count;
	return RESULT_OK;
}

struct text_view request_root(const struct request *request, uint32_t index)
{
	struct text_view text = { .length = 0 };

	(void)!json_get_text(json_at(request->roots, index), DESTINATION_BYTES_MAX, &text, NULL); /* read_roots has asked */
	return text;
}

static enum result read_token_age(struct json value, struct request *request, struct fault *fault)
{
	return read_seconds(value, JOB_LEASE_S_MIN, &request->token_age_s, fault);
}

static enum result read_ticket(struct json value, struct request *request, struct fault *fault)
{
	return read_line(value, request->ticket, sizeof(request->ticket), fault);
}

static enum result read_target(struct json value, struct request *request, struct fault *fault)
{
	struct text_view text;
	enum result result = json_get_text(value, PROTOCOL_ID_TEXT_BYTES_MAX, &text, fault);

	if (result == RESULT_OK && !auth_target_from_name(text, &request->target))
		return refuse(value, "must be \"server\" or \"proxy\"", fault);
	return result;
}

static enum result read_scheme(struct json value, struct request *request, struct fault *fault)
{
	struct text_view text;
	enum result result = json_get_text(value, PROTOCOL_ID_TEXT_BYTES_MAX, &text, fault);

	if (result == RESULT_OK && !auth_scheme_from_name(text, &request->scheme))
		return refuse(value, "must be \"negotiate\", \"ntlm\", \"digest\" or \"basic\"", fault);
	return result;
}

/* What it may be is for the engine to judge, as with those of files. */
static enum result read_url(struct json value, struct request *request, struct fault *fault)
{
	return json_get_text(value, URL_BYTES_MAX, &request->url, fault);
}

static enum result read_by_proxy(struct json value, struct request *request, struct fault *fault)
{
	return json_get_text(value, PROXY_BYTES_MAX, &request->by_proxy, fault);
}

static enum result read_user(struct json value, struct request *request, struct fault *fault)
{
	return json_is_null(value) ? RESULT_OK : json_get_text(value, CREDENTIAL_USER_BYTES_MAX, &request->user, fault);
}

/* What is refused here is named and never shown, like all that json_get_text refuses. */
static enum result read_password(struct json value, struct request *request, struct fault *fault)
{
	bool null = json_is_null(value);

	if (null != (request->user.bytes == NULL))
		return fault_set(fault, RESULT_INVALID_ARGUMENT, FAULT_FERRY, 0,
		                 "params.%s: must not be null alone; without user and password it is the one who fetches",
		                 null ? "password" : "user");
	return null ? RESULT_OK : json_get_text(value, CREDENTIAL_PASSWORD_BYTES_MAX, &request->password, fault);
}

/* What they say is core/headers' to judge. */
static enum result read_headers(struct json value, struct request *request, struct fault *fault)
{
	if (!json_is_array(value))
		return refuse(value, "must be an array of header lines", fault);
	request->headers = value;
	request->header_count = (uint32_t)json_length(value);
	for (uint32_t i = 0; i < request->header_count; i++) {
		struct text_view line;
		enum result result = json_get_text(json_at(value, i), PROTOCOL_MESSAGE_BYTES_MAX, &line, fault);

		if (result != RESULT_OK)
			return result;
	}
	return RESULT_OK;
}

struct text_view request_header(const struct request *request, uint32_t index)
{
	struct text_view line = { .length = 0 };

	(void)!json_get_text(json_at(request->headers, index), PROTOCOL_MESSAGE_BYTES_MAX, &line, NULL); /* read_headers has asked */
	return line;
}

static enum result read_write_only(struct json value, struct request *request, struct fault *fault)
{
	return json_get_bool(value, &request->write_only, fault);
}

/* The files themselves are read one by one, by request_file; the message's size bounds their number. */
static enum result read_files(struct json value, struct request *request, struct fault *fault)
{
	if (!json_is_array(value))
		return refuse(value, "must be an array", fault);
	size_t count = json_length(value);
	if (count == 0 && request->method == METHOD_JOB_ADD_FILES)
		return refuse(value, "must not be empty", fault);
	request->files = value;
	request->file_count = (uint32_t)count;
	return RESULT_OK;
}

static enum result read_all(struct json value, struct request *request, struct fault *fault)
{
	return json_get_bool(value, &request->all, fault);
}

static enum result read_everyone(struct json value, struct request *request, struct fault *fault)
{
	return json_get_bool(value, &request->everyone, fault);
}

static enum result read_from(struct json value, struct request *request, struct fault *fault)
{
	return json_get_u64(value, 0, PROTOCOL_INTEGER_MAX, &request->from, fault);
}

static enum result read_limit(struct json value, struct request *request, struct fault *fault)
{
	uint64_t limit, minimum = request->method == METHOD_JOB_GET ? 0 : 1;
	enum result result = json_get_u64(value, minimum, PROTOCOL_PAGE_MAX, &limit, fault);
	if (result == RESULT_OK)
		request->limit = (uint32_t)limit;
	return result;
}

/* --- what each method takes --- */

#define FIELDS(X)                                                                                              \
	X(protocol) X(client) X(handle) X(job) X(key) X(correlation) X(name) X(description) X(priority) X(auto_complete)      \
	X(retry_delay) X(no_progress_timeout) X(max_time) X(lease) X(on_token_loss) X(pinned_helper) X(profile) X(max_bytes) X(files)  \
	X(no_segments) X(proxy) X(redirects) X(tls_ignore) X(client_certificate)  \
	X(all) X(everyone) X(from) X(limit) X(sid) X(logon_id) X(flags) X(roots) X(token_age) X(ticket)  \
	X(old_prefix) X(new_prefix) X(target) X(scheme) X(user) X(password) X(url) X(headers) X(write_only) X(by_proxy)

enum field_index {
#define X(field) AT_##field,
	FIELDS(X)
#undef X
	FIELD_COUNT
};
#define FIELD(field) (UINT64_C(1) << AT_##field)
_Static_assert(FIELD_COUNT <= 64, "every field has a bit");

static const struct {
	const char *name;
	enum result (*read)(struct json value, struct request *request, struct fault *fault);
} fields[FIELD_COUNT] = {
	[AT_protocol] = { "protocol", read_protocol },
	[AT_client] = { "client", read_client },
	[AT_handle] = { "handle", read_handle },
	[AT_job] = { "job", read_job },
	[AT_key] = { "key", read_key },
	[AT_correlation] = { "correlation", read_correlation },
	[AT_name] = { "name", read_name },
	[AT_description] = { "description", read_description },
	[AT_priority] = { "priority", read_priority },
	[AT_auto_complete] = { "auto_complete", read_auto_complete },
	[AT_retry_delay] = { "retry_delay_s", read_retry_delay },
	[AT_no_progress_timeout] = { "no_progress_timeout_s", read_no_progress_timeout },
	[AT_max_time] = { "max_time_s", read_max_time },
	[AT_lease] = { "lease_s", read_lease },
	[AT_files] = { "files", read_files },
	[AT_all] = { "all", read_all },
	[AT_everyone] = { "everyone", read_everyone },
	[AT_from] = { "from", read_from },
	[AT_limit] = { "limit", read_limit },
	[AT_on_token_loss] = { "on_token_loss", read_on_token_loss },
	[AT_pinned_helper] = { "pinned_helper", read_pinned_helper },
	[AT_profile] = { "profile", read_profile },
	[AT_max_bytes] = { "max_bytes", read_max_bytes },
	[AT_no_segments] = { "no_segments", read_no_segments },
	[AT_proxy] = { "proxy", read_proxy },
	[AT_redirects] = { "redirects", read_redirects },
	[AT_tls_ignore] = { "tls_ignore", read_tls_ignore },
	[AT_client_certificate] = { "client_certificate", read_client_certificate },
	[AT_sid] = { "sid", read_sid },
	[AT_logon_id] = { "logon_id", read_logon_id },
	[AT_flags] = { "flags", read_flags },
	[AT_roots] = { "roots", read_roots },
	[AT_token_age] = { "max_token_age_s", read_token_age },
	[AT_ticket] = { "ticket", read_ticket },
	[AT_old_prefix] = { "old_prefix", read_old_prefix },
	[AT_new_prefix] = { "new_prefix", read_new_prefix },
	[AT_target] = { "target", read_target },
	[AT_scheme] = { "scheme", read_scheme },
	[AT_user] = { "user", read_user },
	[AT_password] = { "password", read_password },
	[AT_url] = { "url", read_url },
	[AT_by_proxy] = { "by_proxy", read_by_proxy },
	[AT_headers] = { "headers", read_headers },
	[AT_write_only] = { "write_only", read_write_only },
};

#define FIELDS_PROPERTIES                                                                             \
	(FIELD(name) | FIELD(description) | FIELD(priority) | FIELD(auto_complete) | FIELD(retry_delay) |  \
	 FIELD(no_progress_timeout) | FIELD(max_time) | FIELD(lease) | FIELD(on_token_loss) | FIELD(pinned_helper) |  \
	 FIELD(profile) | FIELD(max_bytes) | FIELD(no_segments) | FIELD(proxy) | FIELD(redirects) | FIELD(tls_ignore) |  \
	 FIELD(client_certificate))

static const struct {
	uint64_t required, optional;
} shapes[METHOD_COUNT] = {
	[METHOD_HELLO] = { FIELD(protocol) | FIELD(client), 0 },
	[METHOD_JOB_CREATE] = { FIELD(name), (FIELDS_PROPERTIES & ~FIELD(name)) | FIELD(key) | FIELD(correlation) | FIELD(files) },
	[METHOD_JOB_OPEN] = { FIELD(job), 0 },
	[METHOD_JOB_ADD_FILES] = { FIELD(handle) | FIELD(files), 0 },
	[METHOD_JOB_GET] = { FIELD(handle), FIELD(from) | FIELD(limit) },
	[METHOD_JOB_LIST] = { 0, FIELD(all) | FIELD(everyone) | FIELD(from) | FIELD(limit) },
	[METHOD_JOB_SET_PROPERTIES] = { FIELD(handle), FIELDS_PROPERTIES },
	[METHOD_JOB_REPLACE_REMOTE_PREFIX] = { FIELD(handle) | FIELD(old_prefix) | FIELD(new_prefix), 0 },
	[METHOD_JOB_RESUME] = { FIELD(handle), 0 },
	[METHOD_JOB_SUSPEND] = { FIELD(handle), 0 },
	[METHOD_JOB_CANCEL] = { FIELD(handle), 0 },
	[METHOD_JOB_COMPLETE] = { FIELD(handle), 0 },
	[METHOD_JOB_PREFLIGHT] = { FIELD(handle), 0 },
	[METHOD_JOB_TAKE_OWNERSHIP] = { FIELD(handle), 0 },
	[METHOD_JOB_SET_HELPER_TOKEN] = { FIELD(handle) | FIELD(sid) | FIELD(logon_id), FIELD(roots) | FIELD(token_age) },
	[METHOD_JOB_CLEAR_HELPER_TOKEN] = { FIELD(handle), 0 },
	[METHOD_JOB_SET_HELPER_TOKEN_FLAGS] = { FIELD(handle) | FIELD(flags), 0 },
	[METHOD_JOB_GET_HELPER_TOKEN_FLAGS] = { FIELD(handle), 0 },
	[METHOD_JOB_GET_HELPER_TOKEN_SID] = { FIELD(handle), 0 },
	[METHOD_JOB_HELPER_TICKET] = { FIELD(handle), FIELD(roots) | FIELD(token_age) },
	[METHOD_JOB_SET_CREDENTIALS] = { FIELD(handle) | FIELD(target) | FIELD(scheme) | FIELD(user) | FIELD(password), 0 },
	[METHOD_JOB_REMOVE_CREDENTIALS] = { FIELD(handle) | FIELD(target) | FIELD(scheme), 0 },
	[METHOD_JOB_HISTORY] = { FIELD(handle), 0 },
	[METHOD_JOB_SET_HEADERS] = { FIELD(handle) | FIELD(headers) | FIELD(write_only), 0 },
	[METHOD_JOB_GET_HEADERS] = { FIELD(handle), 0 },
	[METHOD_HELPER_PRESENT] = { FIELD(ticket), 0 },
	[METHOD_PROXY_SHOW] = { FIELD(url), FIELD(handle) },
	[METHOD_AUTH_TEST] = { FIELD(url), FIELD(by_proxy) },
	[METHOD_CONFIG_SHOW] = { 0, 0 },
	[METHOD_CONFIG_RELOAD] = { 0, 0 },
	[METHOD_DECLARED_PLAN] = { 0, 0 },
	[METHOD_DECLARED_APPLY] = { 0, 0 },
	[METHOD_DECLARED_FIND] = { FIELD(name), 0 },
	[METHOD_EVENTS_SUBSCRIBE] = { 0, FIELD(handle) },
	[METHOD_SERVICE_STATUS] = { 0, 0 },
	[METHOD_SERVICE_METRICS] = { 0, 0 },
	[METHOD_SERVICE_DOCTOR] = { 0, 0 },
};

/* What holds where a member is absent; all else is zero.  The default of lease_s is a setting: the engine has it. */
static void set_defaults(struct request *request)
{
	request->limit = PROTOCOL_PAGE_MAX;
	if (request->method == METHOD_JOB_CREATE) {
		request->properties = (struct job_properties){
			.priority = JOB_NORMAL,
			.retry_delay_s = JOB_RETRY_DELAY_S_DEFAULT,
			.no_progress_timeout_s = JOB_NO_PROGRESS_TIMEOUT_S_DEFAULT,
			.max_time_s = JOB_MAX_TIME_S_DEFAULT,
		};
	}
}

static enum result read_params(struct json params, struct request *request, struct fault *fault)
{
	uint64_t required = shapes[request->method].required;
	uint64_t known = required | shapes[request->method].optional;
	const char *names[FIELD_COUNT + 1] = { NULL };
	size_t count = 0;

	for (unsigned i = 0; i < FIELD_COUNT; i++)
		if (known & UINT64_C(1) << i)
			names[count++] = fields[i].name;
	enum result result = json_only(params, names, fault);

	set_defaults(request);
	for (unsigned i = 0; i < FIELD_COUNT && result == RESULT_OK; i++) {
		if (!(known & UINT64_C(1) << i))
			continue;
		struct json value = json_member(params, fields[i].name);
		if (value.value)
			result = fields[i].read(value, request, fault);
		else if (required & UINT64_C(1) << i)
			result = fault_set(fault, RESULT_MISSING_FIELD, FAULT_FERRY, 0, "%s", value.path);
	}
	apply_profile(request);
	return result;
}

/* --- the envelope --- */

static enum result not_a_request(const char *what, struct fault *fault)
{
	return fault_set(fault, RESULT_MALFORMED, FAULT_FERRY, 0, "%s", what);
}

/* The id is kept as JSON, so that it goes back exactly as it is understood here. */
static enum result read_id(struct json root, struct request *request, struct fault *fault)
{
	struct json id = json_member(root, "id");
	struct text_view text;
	int64_t number;

	if (!id.value)
		return not_a_request("id: is missing; a request that wants no answer is not accepted", fault);
	if (json_get_text(id, PROTOCOL_ID_TEXT_BYTES_MAX, &text, NULL) == RESULT_OK && !text_has_control(text)) {
		AUTO(buffer) struct buffer quoted = BUFFER(sizeof(request->id) - 1);
		struct json_writer writer = JSON_WRITER(&quoted);
		json_write_text(&writer, NULL, text);
		enum result result = json_write_done(&writer);
		if (result != RESULT_OK)
			return fault_set(fault, result, FAULT_FERRY, 0, "id");
		return text_copy(request->id, sizeof(request->id), (struct text_view){ quoted.bytes, quoted.length });
	}
	if (json_get_i64(id, &number, NULL) == RESULT_OK && number >= -PROTOCOL_INTEGER_MAX &&
	    number <= PROTOCOL_INTEGER_MAX)
		return text_format(request->id, sizeof(request->id), "%" PRId64, number);
	return not_a_request("id: must be an integer within +-(2^53 - 1), or a text of at most 64 bytes without "
	                     "control characters", fault);
}

static enum result read_method(struct json root, struct request *request, struct fault *fault)
{
	struct text_view name;
	if (json_get_text(json_member(root, "method"), SIZE_MAX, &name, NULL) != RESULT_OK)
		return not_a_request("method: must be a text", fault);
	for (unsigned i = 0; i < METHOD_COUNT; i++) {
		if (text_is(name, method_name((enum method)i))) {
			request->method = (enum method)i;
			return RESULT_OK;
		}
	}
	if (name.length > PROTOCOL_ID_TEXT_BYTES_MAX || text_has_control(name))
		return fault_set(fault, RESULT_UNKNOWN_METHOD, FAULT_FERRY, 0, "method");
	return fault_set(fault, RESULT_UNKNOWN_METHOD, FAULT_FERRY, 0, "method: \"%.*s\"", (int)name.length, name.bytes);
}

static enum result read_envelope(struct json root, struct request *request, struct fault *fault)
{
	static const char *const members[] = { "jsonrpc", "id", "method", "params", NULL };
	struct fault unknown = { .result = RESULT_OK };
	struct text_view version;

	if (json_is_array(root))
		return not_a_request("a batch is not accepted", fault);
	if (!json_is_object(root))
		return not_a_request("the message is not an object", fault);
	enum result result = read_id(root, request, fault);
	if (result != RESULT_OK)
		return result;
	if (json_only(root, members, &unknown) != RESULT_OK)
		return fault_set(fault, RESULT_MALFORMED, FAULT_FERRY, 0, "%s: is no member of a request", unknown.what);
	if (json_get_text(json_member(root, "jsonrpc"), SIZE_MAX, &version, NULL) != RESULT_OK ||
	    !text_is(version, "2.0"))
		return not_a_request("jsonrpc: must be \"2.0\"", fault);
	return read_method(root, request, fault);
}

/* A text that is not JSON at all is told apart from JSON that is not a request: JSON-RPC has a code for each. */
static enum result parse(struct text_view message, struct request *request, struct fault *fault)
{
	struct fault malformed = { .result = RESULT_OK };
	if (message.length > PROTOCOL_MESSAGE_BYTES_MAX)
		return fault_set(fault, RESULT_TOO_LARGE, FAULT_FERRY, 0, "%zu bytes; at most %u are allowed", message.length,
		                 PROTOCOL_MESSAGE_BYTES_MAX);
	enum result result = json_parse(message, JSON_WIRE, &request->document, &malformed);
	if (result == RESULT_MALFORMED)
		result = RESULT_NOT_JSON;
	if (result != RESULT_OK)
		return fault_set(fault, result, FAULT_FERRY, 0, "%s", malformed.what);
	return RESULT_OK;
}

enum result request_decode(struct text_view message, struct request *ret_request, struct fault *fault)
{
	memset(ret_request, 0, sizeof(*ret_request));
	memcpy(ret_request->id, "null", sizeof("null"));

	enum result result = parse(message, ret_request, fault);
	if (result != RESULT_OK)
		return result;
	struct json root = json_root(ret_request->document);
	result = read_envelope(root, ret_request, fault);
	if (result != RESULT_OK)
		return result;

	/* Absent params are an object without members. */
	struct json params = json_member(root, "params");
	if (params.value && !json_is_object(params))
		return refuse(params, "must be an object", fault);
	return read_params(params, ret_request, fault);
}

void request_done(struct request *request)
{
	json_document_free(request->document);
	request->document = NULL;
	request->files = request->headers = (struct json){ .value = NULL };
	request->file_count = request->header_count = 0;
	request->user = request->password = request->url = (struct text_view){ .bytes = NULL };
	request->proxy_list = request->proxy_bypass = (struct text_view){ .bytes = NULL };
}

static enum result read_mirrors(struct json value, struct file_request *file, struct fault *fault)
{
	struct text_view url;

	if (!json_is_array(value))
		return refuse(value, "must be an array of URLs", fault);
	if (json_length(value) > FILE_MIRRORS_MAX)
		return fault_set(fault, RESULT_INVALID_ARGUMENT, FAULT_FERRY, 0, "%s: more than %u mirrors", value.path,
		                 FILE_MIRRORS_MAX);
	file->mirrors = value;
	file->mirror_count = (uint32_t)json_length(value);
	for (uint32_t i = 0; i < file->mirror_count; i++) {
		enum result result = json_get_text(json_at(value, i), URL_BYTES_MAX, &url, fault);

		if (result != RESULT_OK)
			return result;
	}
	return RESULT_OK;
}

struct text_view request_mirror(const struct file_request *file, uint32_t index)
{
	struct text_view url = { .length = 0 };

	(void)!json_get_text(json_at(file->mirrors, index), URL_BYTES_MAX, &url, NULL); /* read_mirrors has asked */
	return url;
}

static enum result read_range(struct json value, struct range *range, struct fault *fault)
{
	static const char *const members[] = { "offset", "length", NULL };

	if (!json_is_object(value))
		return refuse(value, "must be an object with an offset and a length", fault);
	enum result result = json_only(value, members, fault);
	struct json length = json_member(value, "length");
	if (result == RESULT_OK)
		result = json_get_u64(json_member(value, "offset"), 0, INT64_MAX, &range->offset, fault);
	range->length = RANGE_TO_EOF;
	if (result == RESULT_OK && length.value && !json_is_null(length))
		result = json_get_u64(length, 0, INT64_MAX, &range->length, fault);
	return result;
}

enum result request_ranges(const struct file_request *file, struct ranges *ret_ranges, struct fault *fault)
{
	AUTO(ranges) struct ranges ranges = { .at = NULL };
	enum result result = ranges_new((uint32_t)json_length(file->ranges), &ranges, fault);

	for (uint32_t i = 0; result == RESULT_OK && i < ranges.count; i++)
		result = read_range(json_at(file->ranges, i), &ranges.at[i], fault);
	if (result == RESULT_OK) {
		*ret_ranges = ranges;
		ranges = (struct ranges){ .at = NULL };
	}
	return result;
}

static enum result read_ranges(struct json value, struct file_request *file, struct fault *fault)
{
	if (!json_is_array(value))
		return refuse(value, "must be an array of ranges", fault);
	if (json_length(value) == 0)
		return refuse(value, "there is none; leave it out to fetch the whole file", fault);
	if (json_length(value) > RANGES_MAX)
		return fault_set(fault, RESULT_TOO_MANY_RANGES, FAULT_FERRY, 0, "%s: more than %u ranges", value.path, RANGES_MAX);
	if (file->condition.etag[0] != '\0' || file->condition.modified_ms != 0)
		return refuse(value, "not together with a condition: that is about the whole file", fault);
	file->ranges = value;
	for (size_t i = 0; i < json_length(value); i++) {
		struct range range;
		enum result result = read_range(json_at(value, i), &range, fault);

		if (result != RESULT_OK)
			return result;
	}
	return RESULT_OK;
}

static enum result read_digest(struct json value, struct digest *ret_digest, struct fault *fault)
{
	struct text_view text;
	struct fault why;
	enum result result = json_get_text(value, SIZE_MAX, &text, fault);

	if (result == RESULT_OK && digest_parse(text, ret_digest, &why) != RESULT_OK)
		return refuse(value, why.what, fault);
	return result;
}

static enum result read_if_none_match(struct json value, struct file_condition *condition, struct fault *fault)
{
	struct text_view tag;
	enum result result = json_get_text(value, sizeof(condition->etag) - 1, &tag, fault);

	if (result == RESULT_OK && !file_etag_is_valid(tag))
		return refuse(value, "must be an entity tag as a server sends it, quotes included: \"...\" or W/\"...\"", fault);
	return result == RESULT_OK ? text_copy(condition->etag, sizeof(condition->etag), tag) : result;
}

/* What is at the destination is not read: a server's "not modified" could not be held against a digest. */
static enum result read_condition(struct json file, const struct digest *digest, struct file_condition *condition,
                                  struct fault *fault)
{
	struct json tag = json_member(file, "if_none_match"), since = json_member(file, "if_modified_since_ms");
	uint64_t since_ms = 0;
	enum result result = tag.value ? read_if_none_match(tag, condition, fault) : RESULT_OK;

	if (result == RESULT_OK && since.value)
		result = json_get_u64(since, 1, FILE_MODIFIED_MS_MAX, &since_ms, fault);
	condition->modified_ms = (int64_t)since_ms;
	if (result == RESULT_OK && digest->length > 0 && (tag.value || since.value))
		return refuse(tag.value ? tag : since, "not together with a digest: compare it with that of the file you have", fault);
	return result;
}

enum result request_file(const struct request *request, uint32_t index, struct file_request *ret_file,
                         struct fault *fault)
{
	static const char *const members[] = { "url", "path", "size_bytes", "digest", "mirrors", "if_none_match",
		                                "if_modified_since_ms", "ranges", NULL };
	struct file_request file = { .bytes_total = SIZE_UNKNOWN };

	assert(index < request->file_count);
	struct json value = json_at(request->files, index);
	if (!json_is_object(value))
		return refuse(value, "must be an object", fault);
	enum result result = json_only(value, members, fault);
	if (result == RESULT_OK)
		result = json_get_text(json_member(value, "url"), URL_BYTES_MAX, &file.url, fault);
	if (result == RESULT_OK)
		result = json_get_text(json_member(value, "path"), DESTINATION_BYTES_MAX, &file.path, fault);
	struct json size = json_member(value, "size_bytes");
	if (result == RESULT_OK && size.value)
		result = json_get_u64(size, 0, INT64_MAX, &file.bytes_total, fault);
	struct json digest = json_member(value, "digest");
	if (result == RESULT_OK && digest.value)
		result = read_digest(digest, &file.digest, fault);
	if (result == RESULT_OK)
		result = read_condition(value, &file.digest, &file.condition, fault);
	struct json mirrors = json_member(value, "mirrors");
	if (result == RESULT_OK && mirrors.value)
		result = read_mirrors(mirrors, &file, fault);
	struct json ranges = json_member(value, "ranges");
	if (result == RESULT_OK && ranges.value)
		result = read_ranges(ranges, &file, fault);
	if (result == RESULT_OK)
		*ret_file = file;
	return result;
}
