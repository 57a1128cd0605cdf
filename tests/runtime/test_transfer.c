/* What is asked for, how the answer is judged, and where the body goes. */
#include "transfer_rig.h"

#include <time.h>

/* --- whole files --- */

static void transfer__large_file__is_written_in_blocks_of_a_mebibyte(void **state)
{
	(void)state;
	struct rig *rig = rig_new(well, 32 * MIB + 123);
	struct told *told = fetch(rig, nothing_known);
	assert_int_equal(told->result, RESULT_OK);
	assert_int_equal(told->status, 200);
	assert_int_equal(told->written, rig->size);
	assert_int_equal(told->answered, 1);
	assert_int_equal(told->offset, 0);
	assert_int_equal(told->total, rig->size);
	assert_string_equal(told->etag, ETAG);
	assert_string_equal(told->modified, MODIFIED);
	assert_int_equal(rig->files[0].writes, 33);
	assert_int_equal(rig->files[0].reserves, 1);
	assert_int_equal(rig->files[0].reserved, rig->size);
	assert_int_equal(rig->files[0].end, rig->size);
	assert_content(&rig->files[0], 0, 0, rig->size);
	rig_free(rig);
}

static void transfer__request__says_who_asks_and_nothing_of_the_identity(void **state)
{
	(void)state;
	struct rig *rig = rig_new(well, 10);
	assert_int_equal(fetch(rig, nothing_known)->result, RESULT_OK);
	assert_non_null(strstr(rig->heads, "GET /file?sig=" SECRET " HTTP/1.1\r\n"));
	assert_non_null(strstr(rig->heads, "\r\nUser-Agent: Ferry/test\r\n"));
	assert_non_null(strstr(rig->heads, "\r\nAccept-Encoding: identity\r\n"));
	assert_null(strstr(rig->heads, "Range:"));
	assert_null(strstr(rig->heads, "Authorization:"));
	rig_free(rig);
}

/* Not whatever libcurl is at hand: Kerberos and NTLM by the system's own means, and its own TLS. */
static void transfer__libcurl__can_say_who_one_is_by_the_systems_means(void **state)
{
#ifdef _WIN32
	static const char *const features[] = { "SPNEGO", "Kerberos", "NTLM", "SSPI", "SSL", "threadsafe" };
	static const char tls[] = "Schannel";
#else
	static const char *const features[] = { "SPNEGO", "Kerberos", "NTLM", "GSS-API", "SSL", "threadsafe" };
	static const char tls[] = "OpenSSL/";
#endif
	const curl_version_info_data *built = curl_version_info(CURLVERSION_NOW);
	(void)state;
	for (size_t i = 0; i < sizeof(features) / sizeof(features[0]); i++) {
		const char *const *name = built->feature_names;
		while (*name && strcmp(*name, features[i]) != 0)
			name++;
		if (!*name)
			fail_msg("libcurl was built without %s", features[i]);
	}
	assert_int_equal(strncmp(built->ssl_version, tls, strlen(tls)), 0);
}

static void transfer__path_with_dots_and_escapes__is_asked_for_as_given(void **state)
{
	(void)state;
	struct rig *rig = rig_new(well, 10);
	start(rig, 0, "/a/../b/./%2e%41[1]", nothing_known);
	finish_all(rig, 1);
	assert_int_equal(rig->told[0].result, RESULT_OK);
	assert_non_null(strstr(rig->heads, "GET /a/../b/./%2e%41[1]?sig="));
	rig_free(rig);
}

static void transfer__empty_file__is_whole_without_a_write(void **state)
{
	(void)state;
	struct rig *rig = rig_new(well, 0);
	struct told *told = fetch(rig, nothing_known);
	assert_int_equal(told->result, RESULT_OK);
	assert_int_equal(told->total, 0);
	assert_int_equal(told->written, 0);
	assert_int_equal(rig->files[0].writes, 0);
	rig_free(rig);
}

static void transfer__no_length__ends_with_the_connection(void **state)
{
	(void)state;
	struct rig *rig = rig_new(until_close, 3 * MIB + 1);
	struct told *told = fetch(rig, nothing_known);
	assert_int_equal(told->result, RESULT_OK);
	assert_true(told->total == SIZE_UNKNOWN);
	assert_int_equal(told->written, rig->size);
	assert_int_equal(rig->files[0].reserves, 0);
	assert_content(&rig->files[0], 0, 0, rig->size);
	rig_free(rig);
}

static bool chunked(void *context, const struct http_request *request, struct http_connection *connection)
{
	struct rig *rig = context;
	(void)request;
	/* The trailers come by the same way as the head: they must change nothing. */
	return http_print(connection, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nETag: \"head\"\r\n\r\n") &&
	       send_chunk(connection, 0, 1000) && send_chunk(connection, 1000, rig->size) &&
	       http_print(connection, "0\r\nETag: \"trailer\"\r\nContent-Range: bytes 0-1/2\r\n\r\n");
}

static void transfer__chunked_with_trailers__is_whole_and_judged_once(void **state)
{
	(void)state;
	struct rig *rig = rig_new(chunked, 100000);
	struct told *told = fetch(rig, nothing_known);
	assert_int_equal(told->result, RESULT_OK);
	assert_int_equal(told->answered, 1);
	assert_string_equal(told->etag, "\"head\"");
	assert_int_equal(told->written, rig->size);
	assert_content(&rig->files[0], 0, 0, rig->size);
	rig_free(rig);
}

static bool after_informational(void *context, const struct http_request *request, struct http_connection *connection)
{
	struct rig *rig = context;
	(void)request;
	return http_print(connection, "HTTP/1.1 103 Early Hints\r\nETag: \"early\"\r\nContent-Length: 7\r\n\r\n") &&
	       answer_whole(connection, 0, rig->size);
}

static void transfer__informational_head__is_not_the_answer(void **state)
{
	(void)state;
	struct rig *rig = rig_new(after_informational, 5000);
	struct told *told = fetch(rig, nothing_known);
	assert_int_equal(told->result, RESULT_OK);
	assert_int_equal(told->answered, 1);
	assert_int_equal(told->total, 5000);
	assert_string_equal(told->etag, ETAG);
	rig_free(rig);
}

/* --- going on --- */

static void transfer__partial_file__only_the_rest_is_fetched(void **state)
{
	(void)state;
	struct rig *rig = rig_new(well, 3 * MIB);
	struct told *told = fetch(rig, have(rig, MIB + 5));
	assert_int_equal(told->result, RESULT_OK);
	assert_int_equal(told->status, 206);
	assert_int_equal(told->offset, MIB + 5);
	assert_int_equal(told->written, rig->size);
	assert_content(&rig->files[0], 0, 0, rig->size);
	assert_non_null(strstr(rig->heads, "\r\nRange: bytes=1048581-\r\n"));
	assert_non_null(strstr(rig->heads, "\r\nIf-Range: " ETAG "\r\n"));
	assert_true(http_server_bytes_sent(rig->server) < 2 * MIB + 1000);
	rig_free(rig);
}

static void transfer__all_bytes_there__are_confirmed_by_the_last_one(void **state)
{
	(void)state;
	struct rig *rig = rig_new(well, 5000);
	struct told *told = fetch(rig, have(rig, 5000));
	assert_int_equal(told->result, RESULT_OK);
	assert_int_equal(told->offset, 4999);
	assert_int_equal(told->written, 5000);
	assert_content(&rig->files[0], 0, 0, 5000);
	rig_free(rig);
}

static bool new_version(void *context, const struct http_request *request, struct http_connection *connection)
{
	struct rig *rig = context;
	(void)request;
	return answer_whole(connection, 1, rig->size);
}

static void transfer__range_answered_with_the_whole__waits_until_the_old_bytes_are_forgotten(void **state)
{
	(void)state;
	struct rig *rig = rig_new(new_version, 2 * MIB);
	start(rig, 0, "/file", have(rig, MIB));
	while (rig->told[0].answered == 0)
		work(rig, 1000);
	assert_int_equal(rig->told[0].offset, 0);
	for (int i = 0; i < 20; i++) /* the body is there, but must not be taken */
		work(rig, 10);
	transfer_recorded(rig->set, 0, MIB); /* speaks of the old bytes */
	for (int i = 0; i < 5; i++)
		work(rig, 10);
	assert_int_equal(rig->files[0].writes, 0);
	transfer_recorded(rig->set, 0, 0);
	struct told *told = finish_all(rig, 1);
	assert_int_equal(told->result, RESULT_OK);
	assert_string_equal(told->etag, "\"v2\"");
	assert_int_equal(told->written, rig->size);
	assert_content(&rig->files[0], 1, 0, rig->size);
	rig_free(rig);
}

/* Ignores If-Range: the range of another version. */
static bool other_version_range(void *context, const struct http_request *request, struct http_connection *connection)
{
	struct rig *rig = context;
	if (request->has_range)
		return answer_rest(connection, 1, request->first, rig->size);
	return answer_whole(connection, 1, rig->size);
}

static void transfer__range_of_a_changed_file__is_asked_for_again_as_a_whole(void **state)
{
	(void)state;
	struct rig *rig = rig_new(other_version_range, 40000);
	start(rig, 0, "/file", have(rig, 20000));
	while (rig->told[0].answered == 0)
		work(rig, 1000);
	transfer_recorded(rig->set, 0, 0);
	struct told *told = finish_all(rig, 1);
	assert_int_equal(told->result, RESULT_OK);
	assert_int_equal(told->answered, 1);
	assert_int_equal(told->offset, 0);
	assert_content(&rig->files[0], 1, 0, rig->size);
	assert_int_equal(http_server_requests(rig->server), 2);
	rig_free(rig);
}

static bool never_satisfiable(void *context, const struct http_request *request, struct http_connection *connection)
{
	(void)context;
	(void)request;
	return http_print(connection, "HTTP/1.1 416 Range Not Satisfiable\r\nContent-Range: bytes */10\r\n"
	                              "Content-Length: 4\r\n\r\nnope");
}

static void transfer__unsatisfiable_range__is_asked_again_only_once(void **state)
{
	(void)state;
	struct rig *rig = rig_new(never_satisfiable, 40000);
	struct told *told = fetch(rig, have(rig, 20000));
	assert_int_equal(told->result, RESULT_HTTP_STATUS);
	assert_int_equal(told->status, 416);
	assert_int_equal(told->answered, 0);
	assert_int_equal(told->written, 20000);
	assert_int_equal(http_server_requests(rig->server), 2);
	rig_free(rig);
}

static bool breaks_off_first(void *context, const struct http_request *request, struct http_connection *connection)
{
	struct rig *rig = context;
	if (request->number > 0)
		return well(context, request, connection);
	http_print(connection, "HTTP/1.1 200 OK\r\nContent-Length: %llu\r\nETag: " ETAG "\r\n\r\n",
	           (unsigned long long)rig->size);
	send_content(connection, 0, 0, 300000);
	return false;
}

static void transfer__broken_off__keeps_what_came_and_goes_on_from_there(void **state)
{
	(void)state;
	struct rig *rig = rig_new(breaks_off_first, MIB);
	struct told *told = fetch(rig, nothing_known);
	assert_int_equal(told->result, RESULT_CONNECTION_CLOSED);
	assert_int_equal(told->written, 300000);
	assert_int_equal(rig->files[0].end, 300000);
	assert_content(&rig->files[0], 0, 0, 300000);
	rig->files[0].writes = 0;
	told = fetch(rig, (struct resume_known){ .offset = 300000, .total = MIB, .etag = ETAG, .modified = "" });
	assert_int_equal(told->result, RESULT_OK);
	assert_int_equal(told->offset, 300000);
	assert_content(&rig->files[0], 0, 0, MIB);
	rig_free(rig);
}

/* --- answers that break the rules --- */

static bool too_long(void *context, const struct http_request *request, struct http_connection *connection)
{
	(void)context;
	return http_print(connection,
	                  "HTTP/1.1 206 Partial Content\r\nTransfer-Encoding: chunked\r\nETag: " ETAG
	                  "\r\nContent-Range: bytes %llu-29999/40000\r\n\r\n",
	                  (unsigned long long)request->first) &&
	       send_chunk(connection, request->first, 29000) && send_chunk(connection, 29000, 35000) &&
	       http_print(connection, "0\r\n\r\n");
}

static void transfer__body_longer_than_its_range__is_refused_and_not_written(void **state)
{
	(void)state;
	struct rig *rig = rig_new(too_long, 40000);
	struct told *told = fetch(rig, have(rig, 20000));
	assert_int_equal(told->result, RESULT_INSUFFICIENT_HTTP);
	assert_true(rig->files[0].end <= 30000);
	assert_int_equal(rig->files[0].end, told->written);
	assert_content(&rig->files[0], 0, 0, told->written);
	rig_free(rig);
}

static bool less_than_the_rest(void *context, const struct http_request *request, struct http_connection *connection)
{
	(void)context;
	(void)request;
	return http_print(connection, "HTTP/1.1 206 Partial Content\r\nContent-Length: 10000\r\nETag: " ETAG
	                              "\r\nContent-Range: bytes 20000-29999/40000\r\n\r\n") &&
	       send_content(connection, 0, 20000, 30000);
}

static void transfer__shorter_range_than_asked__is_kept_but_not_whole(void **state)
{
	(void)state;
	struct rig *rig = rig_new(less_than_the_rest, 40000);
	struct told *told = fetch(rig, have(rig, 20000));
	assert_int_equal(told->result, RESULT_CONNECTION_CLOSED);
	assert_int_equal(told->total, 40000);
	assert_int_equal(told->written, 30000);
	assert_content(&rig->files[0], 0, 0, 30000);
	rig_free(rig);
}

static bool encoded(void *context, const struct http_request *request, struct http_connection *connection)
{
	(void)context;
	(void)request;
	return http_print(connection, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc");
}

static void transfer__content_encoding__is_refused(void **state)
{
	(void)state;
	struct rig *rig = rig_new(encoded, 3);
	struct told *told = fetch(rig, nothing_known);
	assert_int_equal(told->result, RESULT_INSUFFICIENT_HTTP);
	assert_int_equal(rig->files[0].writes, 0);
	rig_free(rig);
}

/* Asked for by number: heads that say something twice or nothing sensible, and whole heads that are none. */
static const char *const crooked[] = {
	("206 Partial Content\r\nContent-Range: bytes 20000-39999/40000\r\nContent-Encoding: identity\r\n"
	 "Content-Encoding: gzip\r\n\r\n"),
	"206 Partial Content\r\nContent-Range: bytes 20000-39999/40000\r\nContent-Range: bytes 0-19999/40000\r\n\r\n",
	"200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\n",
	"206 Partial Content\r\nContent-Range: bytes 20000-39999/40000\r\n\rX\r\n",
	"503 Service Unavailable\r\nContent-Length: 20000\r\n\rX\r\n",
	"101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n",
};

static bool answer_crookedly(void *context, const struct http_request *request, struct http_connection *connection)
{
	(void)context;
	http_print(connection, "HTTP/1.1 %s", crooked[strtoul(strrchr(request->target, '/') + 1, NULL, 10)]);
	send_content(connection, 1, 20000, 40000);
	return false;
}

static void transfer__head_that_is_ambiguous_or_unfinished__nothing_behind_it_lands(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(crooked) / sizeof(crooked[0]); i++) {
		struct rig *rig = rig_new(answer_crookedly, 40000);
		char path[16];
		snprintf(path, sizeof(path), "/%zu", i);
		start(rig, 0, path, have(rig, 20000));
		struct told *told = finish_all(rig, 1);
		assert_int_equal(told->result, i < 3 ? RESULT_INSUFFICIENT_HTTP : RESULT_BAD_RESPONSE);
		assert_int_equal(told->answered, 0);
		assert_int_equal(told->written, 20000);
		assert_int_equal(rig->files[0].writes, 0);
		rig_free(rig);
	}
}

static bool garbage(void *context, const struct http_request *request, struct http_connection *connection)
{
	(void)context;
	(void)request;
	http_print(connection, "220 smtp.example ESMTP, what do you want?\r\n\r\n");
	return false;
}

static void transfer__answer_that_is_not_http__is_a_bad_response(void **state)
{
	(void)state;
	struct rig *rig = rig_new(garbage, 0);
	struct told *told = fetch(rig, nothing_known);
	assert_int_equal(told->result, RESULT_BAD_RESPONSE);
	assert_int_equal(told->answered, 0);
	rig_free(rig);
}

static bool silent(void *context, const struct http_request *request, struct http_connection *connection)
{
	(void)context;
	(void)request;
	(void)connection;
	return false;
}

static void transfer__closed_without_an_answer__is_connection_closed(void **state)
{
	(void)state;
	struct rig *rig = rig_new(silent, 0);
	assert_int_equal(fetch(rig, nothing_known)->result, RESULT_CONNECTION_CLOSED);
	rig_free(rig);
}

static bool by_path(void *context, const struct http_request *request, struct http_connection *connection)
{
	struct rig *rig = context;
	static const char body[] = "<html>not the file</html>";
	if (strncmp(request->target, "/404", 4) == 0)
		return http_print(connection, "HTTP/1.1 404 Not Found\r\nContent-Length: %zu\r\n\r\n%s", strlen(body), body);
	if (strncmp(request->target, "/503", 4) == 0)
		return http_print(connection, "HTTP/1.1 503 Busy\r\nContent-Length: %zu\r\n\r\n%s", strlen(body), body);
	if (strncmp(request->target, "/401", 4) == 0)
		return http_print(connection, "HTTP/1.1 401 Who?\r\nWWW-Authenticate: Negotiate\r\n"
		                              "WWW-Authenticate: NTLM\r\nWWW-Authenticate: Basic realm=\"x\"\r\n"
		                              "Content-Length: 0\r\n\r\n");
	return well(rig, request, connection);
}

static void transfer__error_status__is_told_and_its_connection_used_again(void **state)
{
	static const struct {
		const char *path;
		long status;
		enum result result;
	} cases[] = { { "/404", 404, RESULT_HTTP_STATUS },
		          { "/503", 503, RESULT_HTTP_TRANSIENT },
		          { "/401", 401, RESULT_UNAUTHORIZED },
		          { "/file", 200, RESULT_OK } };
	(void)state;
	struct rig *rig = rig_new(by_path, 1000);
	for (unsigned i = 0; i < 4; i++) {
		start(rig, 0, cases[i].path, nothing_known);
		struct told *told = finish_all(rig, i + 1);
		assert_int_equal(told->result, cases[i].result);
		assert_int_equal(told->status, cases[i].status);
		assert_int_equal(rig->files[0].end, cases[i].result == RESULT_OK ? 1000 : 0);
	}
	assert_int_equal(http_server_requests(rig->server), 4); /* no second try with anybody's credentials */
	assert_int_equal(http_server_connections(rig->server), 1);
	rig_free(rig);
}

/* --- the size that was stated --- */

static void transfer__size_was_stated__no_file_of_another_one_lands(void **state)
{
	static const struct {
		http_handler *handler;
		uint64_t stated, most_written;
		enum result result;
	} cases[] = {
		{ well, 100000, 100000, RESULT_OK },
		{ well, 99999, 0, RESULT_SIZE_MISMATCH }, /* known by its head: nothing is written */
		{ well, 100001, 0, RESULT_SIZE_MISMATCH },
		{ chunked, 100000, 100000, RESULT_OK },
		{ chunked, 50000, 50000, RESULT_SIZE_MISMATCH }, /* without a length: no more is taken than it may have */
		{ chunked, 100001, 100000, RESULT_SIZE_MISMATCH },
		{ until_close, 50000, 50000, RESULT_SIZE_MISMATCH },
		{ until_close, 200000, 100000, RESULT_SIZE_MISMATCH },
		{ until_close, 0, 0, RESULT_SIZE_MISMATCH },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct rig *rig = rig_new(cases[i].handler, 100000);
		rig->is_size_stated = true;
		rig->stated = cases[i].stated;
		const struct told *told = fetch(rig, nothing_known);
		if (told->result != cases[i].result || told->written > cases[i].most_written ||
		    rig->files[0].end > cases[i].most_written)
			fail_msg("case %d: %s, %d written", (int)i, result_name(told->result), (int)told->written);
		rig_free(rig);
	}
}

/* --- the digest that was stated --- */

/* The digest of the first `size` bytes of that version, and a hash under way of less of them. */
static struct hash *hash_content(unsigned version, uint64_t size)
{
	struct hash *hash = hash_new(DIGEST_SHA256_BYTES);
	for (uint64_t at = 0; at < size; at++) {
		uint8_t byte = content_byte(version, at);
		hash_add(hash, &byte, 1);
	}
	return hash;
}

static struct digest digest_of(unsigned version, uint64_t size)
{
	struct digest digest = { .length = DIGEST_SHA256_BYTES };
	assert_int_equal(hash_end(hash_content(version, size), digest.bytes, NULL), RESULT_OK);
	return digest;
}

static void transfer__digest_was_stated__no_file_of_another_one_is_whole(void **state)
{
	static const struct {
		http_handler *handler;
		uint64_t size, have, hashed; /* bytes that are there already, and how many of them the hash is of */
		unsigned version;            /* of what lies there and on the server, as far as the digest knows */
		enum result result;
	} cases[] = {
		{ well, 100000, 0, 0, 0, RESULT_OK },
		{ well, 100000, 0, 0, 1, RESULT_DIGEST_MISMATCH },
		{ well, 0, 0, 0, 0, RESULT_OK },
		{ chunked, 100000, 0, 0, 0, RESULT_OK },
		{ until_close, 100000, 0, 0, 1, RESULT_DIGEST_MISMATCH },
		{ well, 100000, 70000, 70000, 0, RESULT_OK },
		{ well, 100000, 70000, 69999, 0, RESULT_REMOTE_CHANGED }, /* what is on disk may be what is wrong */
		{ well, 100000, 100000, 99999, 0, RESULT_OK },             /* the last byte is asked for again */
		{ new_version, 100000, 70000, 70000, 1, RESULT_OK },       /* begun anew: so is the hash */
		{ other_version_range, 100000, 70000, 70000, 1, RESULT_OK }, /* and here after a second request */
		{ other_version_range, 100000, 70000, 70000, 0, RESULT_DIGEST_MISMATCH },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct rig *rig = rig_new(cases[i].handler, cases[i].size);
		struct resume_known known = cases[i].have > 0 ? have(rig, cases[i].have) : nothing_known;
		rig->digest = digest_of(cases[i].version, cases[i].size);
		if (cases[i].hashed > 0)
			rig->hash = hash_content(0, cases[i].hashed);
		start(rig, 0, "/file", known);
		while (rig->finished == 0) {
			work(rig, 100);
			transfer_recorded(rig->set, 0, 0); /* a restart is released */
		}
		const struct told *told = &rig->told[0];
		if (told->result != cases[i].result)
			fail_msg("case %d: %s, %s", (int)i, result_name(told->result), told->fault.what);
		rig_free(rig);
	}
}

static void transfer__digest_and_stopped_or_broken_off__judges_nothing(void **state)
{
	(void)state;
	struct rig *rig = rig_new(breaks_off_first, 3 * MIB);
	rig->digest = digest_of(1, 10);
	assert_int_equal(fetch(rig, nothing_known)->result, RESULT_CONNECTION_CLOSED);
	start(rig, 1, "/file", nothing_known);
	transfer_stop(rig->set, 1);
	assert_int_equal(rig->told[1].result, RESULT_CANCELLED);
	rig_free(rig);
}

/* What a server says of when to come again, by number. */
static const struct {
	const char *head; /* status, and what follows it */
	uint32_t least_s, most_s;
} retry_afters[] = {
	{ "503 Later\r\nRetry-After: 120", 120, 120 },
	{ "429 Slowly\r\nRetry-After: 7", 7, 7 },
	{ "500 Oh\r\nRetry-After: 0", 0, 0 },
	{ "503 Later\r\nRetry-After: 86401", JOB_RETRY_AFTER_S_MAX, JOB_RETRY_AFTER_S_MAX },
	{ "503 Later\r\nRetry-After: Fri, 31 Dec 2294 23:59:59 GMT", JOB_RETRY_AFTER_S_MAX, JOB_RETRY_AFTER_S_MAX },
	{ "503 Later\r\nRetry-After: Fri, 31 Dec 1999 23:59:59 GMT", 0, 0 },
	{ "503 Later", 0, 0 },
	{ "503 Later\r\nRetry-After: soon", 0, 0 },
	{ "503 Later\r\nRetry-After: -5", 0, 0 },
	{ "503 Later\r\nRetry-After: ", 0, 0 },
	{ "503 Later\r\nRetry-After: 5\r\nRetry-After: 9", 0, 0 },
	/* It is not to be asked again. */
	{ "404 Never\r\nRetry-After: 120", 0, 0 },
};

static bool ask_later(void *context, const struct http_request *request, struct http_connection *connection)
{
	(void)context;
	return http_print(connection, "HTTP/1.1 %s\r\nContent-Length: 0\r\n\r\n", retry_afters[request->number].head);
}

static void transfer__retry_after__is_told_if_it_may_be_asked_again(void **state)
{
	(void)state;
	struct rig *rig = rig_new(ask_later, 1000);
	for (unsigned i = 0; i < sizeof(retry_afters) / sizeof(retry_afters[0]); i++) {
		start(rig, 0, "/file", nothing_known);
		const struct told *told = finish_all(rig, i + 1);
		if (told->retry_after_s < retry_afters[i].least_s || told->retry_after_s > retry_afters[i].most_s)
			fail_msg("%s: %u", retry_afters[i].head, (unsigned)told->retry_after_s);
	}
	rig_free(rig);
}

static bool in_a_minute(void *context, const struct http_request *request, struct http_connection *connection)
{
	static const char *const days[] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
	static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	time_t at = (time_t)(clock_wall_ms() / 1000 + 60);
	const struct tm *date = gmtime(&at);
	(void)context;
	(void)request;
	return http_print(connection,
	                  "HTTP/1.1 503 Later\r\nRetry-After: %s, %02d %s %d %02d:%02d:%02d GMT\r\nContent-Length: 0\r\n\r\n",
	                  days[date->tm_wday], date->tm_mday, months[date->tm_mon], date->tm_year + 1900, date->tm_hour,
	                  date->tm_min, date->tm_sec);
}

static void transfer__retry_after_a_date__is_the_time_until_then(void **state)
{
	(void)state;
	struct rig *rig = rig_new(in_a_minute, 1000);
	const struct told *told = fetch(rig, nothing_known);
	assert_true(told->retry_after_s > 0 && told->retry_after_s <= 60);
	rig_free(rig);
}

/* --- redirects --- */

static bool redirects(void *context, const struct http_request *request, struct http_connection *connection)
{
	static const struct {
		const char *path, *location;
	} redirections[] = { { "/moved", "/file?sig=" SECRET },
		                 { "/passwd", "file:///etc/passwd" },
		                 { "/ftp", "ftp://127.0.0.1/" SECRET },
		                 { "/loop", "/loop?sig=" SECRET },
		                 { "/login", "http://me:" SECRET "@127.0.0.1/" },
		                 { "/odd", "http://[" SECRET "/" } };
	for (size_t i = 0; i < sizeof(redirections) / sizeof(redirections[0]); i++)
		if (strncmp(request->target, redirections[i].path, strlen(redirections[i].path)) == 0)
			return http_print(connection,
			                  "HTTP/1.1 302 Found\r\nLocation: %s\r\nETag: \"not me\"\r\n"
			                  "Content-Length: 5\r\n\r\nmoved",
			                  redirections[i].location);
	return well(context, request, connection);
}

static void transfer__redirect__is_followed_and_only_the_end_is_judged(void **state)
{
	(void)state;
	struct rig *rig = rig_new(redirects, 200000);
	start(rig, 0, "/moved", nothing_known);
	struct told *told = finish_all(rig, 1);
	assert_int_equal(told->result, RESULT_OK);
	assert_int_equal(told->answered, 1);
	assert_string_equal(told->etag, ETAG);
	assert_int_equal(rig->files[0].end, 200000);
	assert_content(&rig->files[0], 0, 0, 200000);
	rig_free(rig);
}

static void transfer__redirect_to_where_it_may_not__is_refused(void **state)
{
	static const char *const paths[] = { "/passwd", "/ftp", "/login", "/odd" };
	(void)state;
	struct rig *rig = rig_new(redirects, 10);
	for (unsigned i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		start(rig, 0, paths[i], nothing_known);
		struct told *told = finish_all(rig, i + 1);
		assert_int_equal(told->result, RESULT_REDIRECT_REFUSED);
		assert_int_equal(rig->files[0].writes, 0);
	}
	assert_int_equal(http_server_requests(rig->server), 4);
	rig_free(rig);
}

static void transfer__redirect_in_circles__is_refused_after_ten(void **state)
{
	(void)state;
	struct rig *rig = rig_new(redirects, 10);
	start(rig, 0, "/loop", nothing_known);
	assert_int_equal(finish_all(rig, 1)->result, RESULT_REDIRECT_REFUSED);
	assert_int_equal(http_server_requests(rig->server), 11);
	rig_free(rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(transfer__large_file__is_written_in_blocks_of_a_mebibyte),
		cmocka_unit_test(transfer__request__says_who_asks_and_nothing_of_the_identity),
		cmocka_unit_test(transfer__libcurl__can_say_who_one_is_by_the_systems_means),
		cmocka_unit_test(transfer__path_with_dots_and_escapes__is_asked_for_as_given),
		cmocka_unit_test(transfer__empty_file__is_whole_without_a_write),
		cmocka_unit_test(transfer__no_length__ends_with_the_connection),
		cmocka_unit_test(transfer__chunked_with_trailers__is_whole_and_judged_once),
		cmocka_unit_test(transfer__informational_head__is_not_the_answer),
		cmocka_unit_test(transfer__partial_file__only_the_rest_is_fetched),
		cmocka_unit_test(transfer__all_bytes_there__are_confirmed_by_the_last_one),
		cmocka_unit_test(transfer__range_answered_with_the_whole__waits_until_the_old_bytes_are_forgotten),
		cmocka_unit_test(transfer__range_of_a_changed_file__is_asked_for_again_as_a_whole),
		cmocka_unit_test(transfer__unsatisfiable_range__is_asked_again_only_once),
		cmocka_unit_test(transfer__broken_off__keeps_what_came_and_goes_on_from_there),
		cmocka_unit_test(transfer__body_longer_than_its_range__is_refused_and_not_written),
		cmocka_unit_test(transfer__shorter_range_than_asked__is_kept_but_not_whole),
		cmocka_unit_test(transfer__content_encoding__is_refused),
		cmocka_unit_test(transfer__head_that_is_ambiguous_or_unfinished__nothing_behind_it_lands),
		cmocka_unit_test(transfer__answer_that_is_not_http__is_a_bad_response),
		cmocka_unit_test(transfer__closed_without_an_answer__is_connection_closed),
		cmocka_unit_test(transfer__error_status__is_told_and_its_connection_used_again),
		cmocka_unit_test(transfer__size_was_stated__no_file_of_another_one_lands),
		cmocka_unit_test(transfer__digest_was_stated__no_file_of_another_one_is_whole),
		cmocka_unit_test(transfer__digest_and_stopped_or_broken_off__judges_nothing),
		cmocka_unit_test(transfer__retry_after__is_told_if_it_may_be_asked_again),
		cmocka_unit_test(transfer__retry_after_a_date__is_the_time_until_then),
		cmocka_unit_test(transfer__redirect__is_followed_and_only_the_end_is_judged),
		cmocka_unit_test(transfer__redirect_to_where_it_may_not__is_refused),
		cmocka_unit_test(transfer__redirect_in_circles__is_refused_after_ten),
	};
	return cmocka_run_group_tests_name("transfer", tests, set_up_curl, NULL);
}
